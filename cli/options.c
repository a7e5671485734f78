/* The option table, and the layers that fill tg_settings: defaults, YAML, request, command line. */
#include <float.h>
#include <limits.h>
#include <stddef.h>
#include <string.h>

#include "cli/cli.h"
#include "runtime/json.h"

#define AT(member) offsetof(tg_settings, member)
#define ASK (TG_CLI_GENERATE | TG_CLI_SCORE)
#define PROMPT (TG_CLI_PROMPT | TG_CLI_YAML | TG_CLI_REQUEST)
#define SEARCH (ASK | TG_CLI_SEARCH | TG_CLI_YAML | TG_CLI_REQUEST)
#define COMMON (TG_CLI_COMMANDS | TG_CLI_COMMON)

static const char *const conditions[] = {"gist", "pos_control", "neg_control", "prefix", "full", NULL}; /* t5gist_condition's order */
static const char *const dtypes[] = {"auto", "f32", "bf16", "int8", NULL};
static const char *const drafts[] = {"none", "lookup", "recycle", NULL}; /* t5gist_draft's order */
static const char *const payloads[] = {"f32", "bf16", NULL};

/* name, type, offset, least, greatest, choices, short name, argument, help, groups */
const tg_field tg_options[] = {
    {"task", TG_FIELD_STRING, AT(task), 0, 0, NULL, 0, "TEXT", "the instruction", TG_CLI_ENCODE | ASK | TG_CLI_INSPECT | PROMPT},
    {"task_file", TG_FIELD_STRING, AT(task_file), 0, 0, NULL, 0, "FILE", "read the instruction from a file (one line end at its end is dropped)",
     TG_CLI_ENCODE | ASK | TG_CLI_INSPECT | PROMPT},
    {"gist", TG_FIELD_STRING, AT(gist), 0, 0, NULL, 0, "FILE", "use a compressed instruction that `t5gist encode` wrote", ASK | PROMPT},
    {"raw", TG_FIELD_BOOL, AT(raw), 0, 0, NULL, 0, NULL, "the input alone is the whole prompt, no words added", ASK | PROMPT},
    {"gists", TG_FIELD_INT, AT(gists), 1, 1024, NULL, 0, "K", "number of gist tokens (default: the model's)",
     TG_CLI_ENCODE | ASK | TG_CLI_INSPECT | PROMPT},
    {"input", TG_FIELD_STRING, AT(input), 0, 0, NULL, 0, "TEXT", "the input", ASK | TG_CLI_INSPECT | PROMPT},
    {"input_file", TG_FIELD_STRING, AT(input_file), 0, 0, NULL, 0, "FILE|-", "read the input from a file or from standard input",
     ASK | TG_CLI_INSPECT | PROMPT},
    {"condition", TG_FIELD_ENUM, AT(condition), 0, 0, conditions, 0, "NAME", "who may see whom (default: gist)", ASK | TG_CLI_INSPECT | PROMPT},
    {"target", TG_FIELD_STRINGS, AT(targets), 0, 0, NULL, 0, "TEXT", "the text to score; may be repeated", TG_CLI_SCORE | PROMPT},

    {"input_lines", TG_FIELD_STRING, AT(input_lines), 0, 0, NULL, 0, "FILE|-", "one input per line, exactly one answer line each", ASK | TG_CLI_MANY},
    {"batch", TG_FIELD_STRING, AT(batch), 0, 0, NULL, 0, "FILE|-", "one request per line as a JSON object, one JSON answer each", ASK | TG_CLI_MANY},

    {"max_new_tokens", TG_FIELD_INT, AT(max_new_tokens), 1, INT_MAX, NULL, 0, "N", "length limit of the answer (default: 128)", SEARCH},
    {"min_new_tokens", TG_FIELD_INT, AT(min_new_tokens), 0, INT_MAX, NULL, 0, "N", "no end token before so many tokens (default: 0)", SEARCH},
    {"beams", TG_FIELD_INT, AT(beams), 1, 1024, NULL, 0, "B", "beam search of this width (default: 1, greedy)", SEARCH},
    {"n_best", TG_FIELD_INT, AT(n_best), 1, 1024, NULL, 0, "N", "so many of the best beams are returned (default: 1)", SEARCH},
    {"length_penalty", TG_FIELD_FLOAT, AT(length_penalty), 0, 0, NULL, 0, "P", "beam scores are divided by length ^ P (default: 1)", SEARCH},
    {"early_stopping", TG_FIELD_BOOL, AT(early_stopping), 0, 0, NULL, 0, NULL, "stop as soon as B beams have finished", SEARCH},
    {"temperature", TG_FIELD_FLOAT, AT(temperature), 0, FLT_MAX, NULL, 0, "T", "sample at this temperature (default: 0, no sampling)", SEARCH},
    {"top_k", TG_FIELD_INT, AT(top_k), 0, INT_MAX, NULL, 0, "N", "sample among the N likeliest tokens (default: 0, all)", SEARCH},
    {"top_p", TG_FIELD_FLOAT, AT(top_p), 0, 1, NULL, 0, "P", "sample among the likeliest tokens of together P (default: 1, all)", SEARCH},
    {"seed", TG_FIELD_UINT64, AT(seed), 0, 0, NULL, 0, "S", "seed of the random numbers (default: 0)", SEARCH},
    {"repetition_penalty", TG_FIELD_FLOAT, AT(repetition_penalty), 0, FLT_MAX, NULL, 0, "R",
     "penalise tokens already in the answer (default: 1, off)", SEARCH},
    {"no_repeat_ngram_size", TG_FIELD_INT, AT(no_repeat_ngram_size), 0, INT_MAX, NULL, 0, "N", "no n-gram of this length twice (default: 0, off)",
     SEARCH},
    {"stop", TG_FIELD_STRINGS, AT(stop), 0, 0, NULL, 0, "TEXT", "the answer ends before this text; may be repeated", SEARCH},
    {"max_input_tokens", TG_FIELD_INT, AT(max_input_tokens), 0, INT_MAX, NULL, 0, "N", "refuse a longer input (default: 0, no limit)", SEARCH},
    {"top_logprobs", TG_FIELD_INT, AT(top_logprobs), 0, INT_MAX, NULL, 0, "N", "with --json: the N likeliest alternatives of each token", SEARCH},
    {"draft", TG_FIELD_ENUM, AT(draft), 0, 0, drafts, 0, "NAME",
     "guess several tokens at a time, verified in one pass; same answers, greedy search only (default: none)", SEARCH},

    {"output", TG_FIELD_STRING, AT(output), 0, 0, NULL, 'o', "FILE|-",
     "where the gist goes (default: <first 16 hex digits of the task's SHA-256>.gist here, its path printed)", TG_CLI_ENCODE | TG_CLI_OUTPUT},
    {"payload", TG_FIELD_ENUM, AT(payload), 0, 0, payloads, 0, "NAME", "number format inside the gist file (default: f32)",
     TG_CLI_ENCODE | TG_CLI_OUTPUT | TG_CLI_YAML},
    {"cross", TG_FIELD_BOOL, AT(cross), 0, 0, NULL, 0, NULL, "also keep the decoder's cross-attention keys and values in the gist file",
     TG_CLI_ENCODE | TG_CLI_OUTPUT | TG_CLI_YAML},
    {"stream", TG_FIELD_BOOL, AT(stream), 0, 0, NULL, 0, NULL, "print the answer as it comes (greedy and sampling)", TG_CLI_GENERATE | TG_CLI_OUTPUT},
    {"mask", TG_FIELD_BOOL, AT(mask), 0, 0, NULL, 0, NULL, "draw who sees whom in a prompt, with its tokens as labels",
     TG_CLI_INSPECT | TG_CLI_OUTPUT},
    {"svg", TG_FIELD_STRING, AT(svg), 0, 0, NULL, 0, "FILE|-", "with --mask: draw as SVG instead of characters", TG_CLI_INSPECT | TG_CLI_OUTPUT},
    {"json", TG_FIELD_BOOL, AT(json), 0, 0, NULL, 0, NULL, "print JSON", TG_CLI_ENCODE | ASK | TG_CLI_INFO | TG_CLI_OUTPUT},

    {"model", TG_FIELD_STRING, AT(model), 0, 0, NULL, 0, "DIR", "model folder (default: T5GIST_MODEL, else the bundled model)", COMMON | TG_CLI_YAML},
    {"config", TG_FIELD_STRING, AT(config), 0, 0, NULL, 0, "FILE", "YAML file of options, weaker than requests and command line", COMMON},
    {"threads", TG_FIELD_INT, AT(threads), 1, 1024, NULL, 0, "N", "compute threads (default: the cores this process may use)", COMMON | TG_CLI_YAML},
    {"dtype", TG_FIELD_ENUM, AT(dtype), 0, 0, dtypes, 0, "NAME",
     "number format to compute in, of `convert` to store in; this version computes in f32 (default: auto)", COMMON | TG_CLI_YAML},
    {"check_numerics", TG_FIELD_BOOL, AT(check_numerics), 0, 0, NULL, 0, NULL, "look for NaN and infinity after every layer (slow)",
     COMMON | TG_CLI_YAML},
    {"quiet", TG_FIELD_BOOL, AT(quiet), 0, 0, NULL, 'q', NULL, "no summary, warnings or progress on stderr", COMMON | TG_CLI_YAML},
    {"verbose", TG_FIELD_BOOL, AT(verbose), 0, 0, NULL, 'v', NULL, "effective settings, machine and counters on stderr", COMMON | TG_CLI_YAML},
    {"help", TG_FIELD_BOOL, AT(help), 0, 0, NULL, 'h', NULL, "this text", COMMON},
    {"version", TG_FIELD_BOOL, AT(version), 0, 0, NULL, 0, NULL, "the version", COMMON},
    {0},
};

/* Options that say the same thing in different ways: a layer that names one of a set takes the set from the layers below it. */
static const char *const alternatives[][4] = {{"task", "task_file", "gist", "raw"}, {"input", "input_file", NULL, NULL}};

static void settings_init(tg_settings *s) {
  *s = (tg_settings){.threads = T5GIST_UNSET,
                     .gists = T5GIST_UNSET,
                     .max_new_tokens = T5GIST_UNSET,
                     .min_new_tokens = T5GIST_UNSET,
                     .beams = T5GIST_UNSET,
                     .n_best = T5GIST_UNSET,
                     .top_k = T5GIST_UNSET,
                     .no_repeat_ngram_size = T5GIST_UNSET,
                     .max_input_tokens = T5GIST_UNSET,
                     .top_logprobs = T5GIST_UNSET,
                     .draft = T5GIST_UNSET,
                     .length_penalty = T5GIST_UNSET_F,
                     .temperature = T5GIST_UNSET_F,
                     .top_p = T5GIST_UNSET_F,
                     .repetition_penalty = T5GIST_UNSET_F,
                     .early_stopping = TG_BOOL_UNSET,
                     .condition = T5GIST_GIST,
                     .dtype = TG_DTYPE_AUTO};
}

void tg_settings_free(tg_settings *settings) {
  tg_fields_free(tg_options, settings);
}

static void *member(tg_settings *settings, const tg_field *field) {
  return (char *)settings + field->offset;
}

static t5gist_status copy_strings(const tg_strings *from, tg_strings *to, t5gist_error *err) {
  TG_TRY(tg_alloc(&to->items, from->count, sizeof *to->items, err));
  for (; to->count < from->count; to->count++) TG_TRY(tg_strdup(&to->items[to->count], from->items[to->count], err));
  return T5GIST_OK;
}

/* *to is whole enough to be freed, also after a failure. */
static t5gist_status settings_copy(const tg_settings *from, tg_settings *to, t5gist_error *err) {
  t5gist_status status = T5GIST_OK;
  *to = *from;
  for (const tg_field *f = tg_options; f->name; f++) {
    const void *source = (const char *)from + f->offset;
    if (f->type == TG_FIELD_STRING) {
      const char *text = *(char *const *)source;
      char **copy = member(to, f);
      *copy = NULL;
      if (text && !status) status = tg_strdup(copy, text, err);
    } else if (f->type == TG_FIELD_STRINGS) {
      tg_strings *copy = member(to, f);
      *copy = (tg_strings){0};
      if (!status) status = copy_strings(source, copy, err);
    }
  }
  return status;
}

/* Back to "not given", so that a higher layer replaces what a lower one said. Only for strings, lists of strings and flags. */
static void unset(tg_settings *settings, const tg_field *field) {
  const tg_field one[2] = {*field, {0}};
  tg_fields_free(one, settings);
  if (field->type == TG_FIELD_BOOL) *(bool *)member(settings, field) = false;
  if (field->type == TG_FIELD_STRING) *(char **)member(settings, field) = NULL;
  if (field->type == TG_FIELD_STRINGS) *(tg_strings *)member(settings, field) = (tg_strings){0};
}

/* Makes room in settings for a layer that names field. */
static void displace(tg_settings *settings, const tg_field *field) {
  if (field->type == TG_FIELD_STRINGS) unset(settings, field);
  for (size_t i = 0; i < sizeof alternatives / sizeof *alternatives; i++) {
    bool named = false;
    for (int j = 0; j < 4; j++) named |= alternatives[i][j] && !strcmp(alternatives[i][j], field->name);
    for (int j = 0; j < 4 && named; j++) {
      if (alternatives[i][j]) unset(settings, tg_field_find(tg_options, alternatives[i][j]));
    }
  }
}

/* ------------------------------------------------------------------------------------------------------------------- command line */

/* "--max-new-tokens" of a field, into 64 bytes. */
static const char *option_name(const tg_field *field, char name[64]) {
  snprintf(name, 64, "--%s", field->name);
  for (char *c = name; *c; c++) {
    if (*c == '_') *c = '-';
  }
  return name;
}

static t5gist_status unknown_option(const tg_context *context, const char *name, t5gist_error *err) {
  const char *near = tg_field_nearest(context->table, 0, name);
  if (!near) return tg_fail(err, T5GIST_EUSAGE, "unknown option --%s; `t5gist help %s` lists them", name, context->command->name);
  char known[64];
  return tg_fail(err, T5GIST_EUSAGE, "unknown option --%s; did you mean %s?", name, option_name(tg_field_find(context->table, near), known));
}

static t5gist_status assign(tg_context *context, const tg_field *field, const char *text, t5gist_error *err) {
  TG_TRY(tg_reserve(&context->assignments, &context->assignments_capacity, context->n_assignments + 1, sizeof *context->assignments, err));
  context->assignments[context->n_assignments++] = (tg_assignment){field, text};
  return T5GIST_OK;
}

/* argv[i] is "--name", "--name=value" or "--name" "value"; *used: how many words it took. Names are matched whole: an abbreviation that is
 * unambiguous today would break a script with the next option. */
static t5gist_status read_long(tg_context *context, char **argv, int left, int *used, t5gist_error *err) {
  const char *word = argv[0] + 2, *equals = strchr(word, '=');
  char name[64];
  const size_t length = equals ? (size_t)(equals - word) : strlen(word);
  if (length == 0 || length >= sizeof name) return tg_fail(err, T5GIST_EUSAGE, "unknown option %.80s", argv[0]);
  memcpy(name, word, length);
  name[length] = 0;
  const tg_field *field = strchr(name, '_') ? NULL : tg_field_find(context->table, name);
  if (!field) return unknown_option(context, name, err);
  *used = 1;
  if (field->type == TG_FIELD_BOOL) {
    if (equals) return tg_fail(err, T5GIST_EUSAGE, "--%s takes no value, found \"%s\"", name, equals + 1);
    return assign(context, field, "true", err);
  }
  if (equals) return assign(context, field, equals + 1, err);
  if (left < 2) return tg_fail(err, T5GIST_EUSAGE, "--%s: expected a value (%s) after it", name, field->argument);
  *used = 2;
  return assign(context, field, argv[1], err);
}

/* argv[i] is a cluster of short options, the last of which may have a value: "-qo" "x.gist", "-ox.gist". */
static t5gist_status read_short(tg_context *context, char **argv, int left, int *used, t5gist_error *err) {
  *used = 1;
  for (const char *c = argv[0] + 1; *c; c++) {
    const tg_field *field = context->table;
    while (field->name && field->short_name != *c) field++;
    if (!field->name)
      return tg_fail(err, T5GIST_EUSAGE, "unknown option -%c in \"%s\"; `t5gist help %s` lists them", *c, argv[0], context->command->name);
    if (field->type == TG_FIELD_BOOL) {
      TG_TRY(assign(context, field, "true", err));
      continue;
    }
    if (c[1]) return assign(context, field, c + 1, err);
    if (left < 2) return tg_fail(err, T5GIST_EUSAGE, "-%c: expected a value (%s) after it", *c, field->argument);
    *used = 2;
    return assign(context, field, argv[1], err);
  }
  return T5GIST_OK;
}

static t5gist_status read_arguments(tg_context *context, int argc, char **argv, t5gist_error *err) {
  bool options = true;
  TG_TRY(tg_alloc(&context->arguments, (size_t)argc + 1, sizeof *context->arguments, err));
  for (int i = 0; i < argc;) {
    int used = 1;
    if (options && !strcmp(argv[i], "--"))
      options = false;
    else if (options && !strncmp(argv[i], "--", 2))
      TG_TRY(read_long(context, argv + i, argc - i, &used, err));
    else if (options && argv[i][0] == '-' && argv[i][1])
      TG_TRY(read_short(context, argv + i, argc - i, &used, err));
    else
      context->arguments[context->n_arguments++] = argv[i];
    i += used;
  }
  return T5GIST_OK;
}

/* Of an option that is given twice the last one holds, lists collect. */
static t5gist_status apply_command_line(const tg_context *context, tg_settings *settings, t5gist_error *err) {
  for (size_t i = 0; i < context->n_assignments; i++) displace(settings, context->assignments[i].field);
  for (size_t i = 0; i < context->n_assignments; i++) {
    char name[64];
    const tg_assignment *a = &context->assignments[i];
    TG_TRY(tg_field_set_text(a->field, settings, a->text, option_name(a->field, name), err));
  }
  return T5GIST_OK;
}

/* ------------------------------------------------------------------------------------------------------------------------- layers */

static t5gist_status apply_request(const tg_context *context, tg_settings *settings, const json_t *request, const char *where, t5gist_error *err) {
  const char *key;
  json_t *value;
  json_object_foreach((json_t *)request, key, value) {
    if (!strcmp(key, "id")) continue;
    const tg_field *field = strchr(key, '-') ? NULL : tg_field_find(context->table, key);
    if (!field || !(field->groups & TG_CLI_REQUEST)) {
      const char *near = tg_field_nearest(context->table, TG_CLI_REQUEST, key);
      return tg_fail(err, T5GIST_EUSAGE, near ? "%s: unknown key \"%.80s\"; did you mean \"%s\"?" : "%s: unknown key \"%.80s\"", where, key, near);
    }
    if (!json_is_null(value) && !json_is_false(value)) displace(settings, field);
  }
  json_object_foreach((json_t *)request, key, value) {
    if (!strcmp(key, "id") || json_is_null(value)) continue;
    char place[128];
    snprintf(place, sizeof place, "%s: %s", where, key);
    TG_TRY(tg_field_set_json(tg_field_find(context->table, key), settings, value, place, err));
  }
  return T5GIST_OK;
}

t5gist_status tg_options_layer(const tg_context *context, const json_t *request, const char *where, tg_settings *out, t5gist_error *err) {
  TG_TRY(settings_copy(&context->base, out, err));
  if (request) TG_TRY(apply_request(context, out, request, where, err));
  return apply_command_line(context, out, err);
}

/* The rows of the option table that the command knows. */
static t5gist_status command_table(tg_context *context, t5gist_error *err) {
  size_t n = 0;
  TG_TRY(tg_alloc(&context->table, sizeof tg_options / sizeof *tg_options, sizeof *context->table, err));
  for (const tg_field *f = tg_options; f->name; f++) {
    if (f->groups & context->command->bit) context->table[n++] = *f;
  }
  return T5GIST_OK;
}

static t5gist_status check_arguments(const tg_context *context, t5gist_error *err) {
  const tg_command *command = context->command;
  if (context->n_arguments > (size_t)command->max_arguments) {
    return tg_fail(err, T5GIST_EUSAGE, "unexpected argument \"%s\"; usage: t5gist %s %s", context->arguments[command->max_arguments], command->name,
                   command->synopsis);
  }
  if (context->n_arguments < (size_t)command->min_arguments) {
    return tg_fail(err, T5GIST_EUSAGE, "expected %d argument%s, found %zu; usage: t5gist %s %s", command->min_arguments,
                   command->min_arguments == 1 ? "" : "s", context->n_arguments, command->name, command->synopsis);
  }
  return T5GIST_OK;
}

t5gist_status tg_options_read(tg_context *context, int argc, char **argv, t5gist_error *err) {
  settings_init(&context->base);
  settings_init(&context->settings);
  TG_TRY(command_table(context, err));
  TG_TRY(read_arguments(context, argc, argv, err));
  TG_TRY(apply_command_line(context, &context->settings, err)); /* names the YAML file; help needs no other check */
  if (context->settings.help || context->settings.version) return T5GIST_OK;
  TG_TRY(check_arguments(context, err));
  if (!context->settings.config) return T5GIST_OK;
  /* The file may serve several commands: a key that another command knows is none of this one's business. */
  TG_TRY(tg_yaml_load(context->settings.config, tg_options, TG_CLI_YAML, &context->base, err));
  tg_settings_free(&context->settings);
  settings_init(&context->settings);
  return tg_options_layer(context, NULL, NULL, &context->settings, err);
}

void tg_context_free(tg_context *context) {
  t5gist_session_free(context->session);
  t5gist_model_close(context->model);
  tg_settings_free(&context->base);
  tg_settings_free(&context->settings);
  tg_free(context->assignments);
  tg_free(context->arguments);
  tg_free(context->table);
  tg_free(context->model_dir);
}
