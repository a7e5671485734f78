/* Help, generated from the command list and the option table. */
#include <string.h>

#include "cli/cli.h"

enum { WIDTH = 100, INDENT = 32 };

/* Prints words, broken at WIDTH columns; the cursor stands at column `at`, following lines begin at column `indent`. */
static void print_wrapped(const char *text, int at, int indent, FILE *out) {
  while (*text) {
    const int length = (int)strcspn(text, " ");
    if (at > indent && at + 1 + length > WIDTH) {
      fprintf(out, "\n%*s", indent, "");
      at = indent;
    } else if (at > indent) {
      fputc(' ', out);
      at++;
    }
    fprintf(out, "%.*s", length, text);
    at += length;
    text += length;
    text += strspn(text, " ");
  }
  fputc('\n', out);
}

static void print_option(const tg_field *field, FILE *out) {
  char head[128], text[512];
  int n = field->short_name ? snprintf(head, sizeof head, "  -%c, --", field->short_name) : snprintf(head, sizeof head, "      --");
  for (const char *c = field->name; *c; c++) head[n++] = *c == '_' ? '-' : *c;
  head[n] = 0;
  if (field->argument) n += snprintf(head + n, sizeof head - (size_t)n, " %s", field->argument);
  fputs(head, out);
  if (n + 2 > INDENT) fputc('\n', out), n = 0;
  fprintf(out, "%*s", INDENT - n, "");
  int length = snprintf(text, sizeof text, "%s", field->help);
  for (const char *const *choice = field->choices; choice && *choice; choice++) {
    length += snprintf(text + length, sizeof text - (size_t)length, "%s%s", choice == field->choices ? ": " : ", ", *choice);
  }
  print_wrapped(text, INDENT, INDENT, out);
}

void tg_help_command(const tg_command *command, FILE *out) {
  static const struct {
    unsigned bit;
    const char *title;
  } sections[] = {{TG_CLI_PROMPT, "Prompt"}, {TG_CLI_MANY, "Many requests"}, {TG_CLI_SEARCH, "Search"},
                  {TG_CLI_OUTPUT, "Output"}, {TG_CLI_KEEP, "Gist store"},    {TG_CLI_COMMON, "Common"}};
  fprintf(out, "Usage: t5gist %s ", command->name);
  for (const char *c = command->synopsis; *c; c++) {
    fputc(*c, out);
    if (*c == '\n') fputs("       ", out);
  }
  fputs("\n\n", out);
  print_wrapped(command->details, 0, 0, out);
  for (size_t i = 0; i < sizeof sections / sizeof *sections; i++) {
    bool any = false;
    for (const tg_field *f = tg_options; f->name; f++) {
      if (!(f->groups & command->bit) || !(f->groups & sections[i].bit)) continue;
      if (!any) fprintf(out, "\n%s:\n", sections[i].title);
      any = true;
      print_option(f, out);
    }
  }
  fputs("\nA flag takes =false: --quiet=false turns off what a YAML file turned on.\n", out);
}

void tg_help_overview(FILE *out) {
  fputs(
      "t5gist: compress an instruction once into gist tokens, answer any number of inputs at the cost of the input alone.\n\n"
      "Usage: t5gist COMMAND [OPTION]...\n\nCommands:\n",
      out);
  for (const tg_command *c = tg_commands; c->name; c++) fprintf(out, "  %-10s %s\n", c->name, c->summary);
  fputs(
      "\n`t5gist help COMMAND` lists the options of a command; `man t5gist` has everything.\n"
      "Try:  t5gist generate --task \"Write the date in ISO format.\" --input \"3 May 2021\"\n",
      out);
}

t5gist_status tg_unknown_command(const char *name, t5gist_error *err) {
  const char *names[16];
  size_t n = 0;
  while (n < sizeof names / sizeof *names && tg_commands[n].name) names[n] = tg_commands[n].name, n++;
  const char *near = tg_nearest(name, names, n);
  if (near) return tg_fail(err, T5GIST_EUSAGE, "unknown command \"%.80s\"; did you mean \"%s\"?", name, near);
  return tg_fail(err, T5GIST_EUSAGE, "unknown command \"%.80s\"; `t5gist help` lists them", name);
}

t5gist_status tg_command_help(tg_context *context, t5gist_error *err) {
  if (context->n_arguments == 0) {
    tg_help_overview(stdout);
    return T5GIST_OK;
  }
  for (const tg_command *c = tg_commands; c->name; c++) {
    if (strcmp(c->name, context->arguments[0])) continue;
    tg_help_command(c, stdout);
    return T5GIST_OK;
  }
  return tg_unknown_command(context->arguments[0], err);
}
