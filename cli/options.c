/* The option table, and the layers that fill tg_settings: defaults, YAML, request, command line. */
#include <float.h>
#include <getopt.h>
#include <limits.h>
#include <stddef.h>
#include <string.h>

#include "cli/cli.h"
#include "runtime/json.h"

#define AT(member) offsetof(tg_settings, member)
#define ASK (TG_CLI_GENERATE | TG_CLI_SCORE)
#define PROMPT (TG_CLI_PROMPT | TG_CLI_YAML | TG_CLI_REQUEST)
#define KEEP (TG_CLI_KEEP | TG_CLI_YAML)
#define SEARCH (ASK | TG_CLI_SEARCH | TG_CLI_YAML | TG_CLI_REQUEST)
#define COMMON (TG_CLI_COMMANDS | TG_CLI_COMMON)

static const char *const conditions[] = {"gist", "pos_control", "neg_control", "prefix", "full", NULL}; /* t5gist_condition's order */
static const char *const dtypes[] = {"auto", "f32", "bf16", "int8", "int4", NULL};
static const char *const wo_dtypes[] = {"auto", "f32", "bf16", "int8", "int8x16", "int4", NULL};
static const char *const roundings[] = {"auto", "nearest", "search", "calibrated", NULL};
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
     TG_CLI_ENCODE | ASK | TG_CLI_INSPECT | TG_CLI_EVAL | PROMPT},
    {"input", TG_FIELD_STRING, AT(input), 0, 0, NULL, 0, "TEXT", "the input", ASK | TG_CLI_INSPECT | PROMPT},
    {"input_file", TG_FIELD_STRING, AT(input_file), 0, 0, NULL, 0, "FILE|-", "read the input from a file or from standard input",
     ASK | TG_CLI_INSPECT | PROMPT},
    {"condition", TG_FIELD_ENUM, AT(condition), 0, 0, conditions, 0, "NAME", "who may see whom (default: gist)", ASK | TG_CLI_INSPECT | PROMPT},
    {"target", TG_FIELD_STRINGS, AT(targets), 0, 0, NULL, 0, "TEXT", "the text to score; may be repeated", TG_CLI_SCORE | PROMPT},

    {"input_lines", TG_FIELD_STRING, AT(input_lines), 0, 0, NULL, 0, "FILE|-", "one input per line, exactly one answer line each", ASK | TG_CLI_MANY},
    {"data", TG_FIELD_STRINGS, AT(data), 0, 0, NULL, 0, "FILE",
     "examples: JSON objects with instruction, input and output, one per line or in a list; each file is a split; may be repeated",
     TG_CLI_EVAL | TG_CLI_MANY},
    {"limit", TG_FIELD_INT, AT(limit), 0, INT_MAX, NULL, 0, "N", "so many examples of each split, chosen by the seed (default: 0, all)",
     TG_CLI_EVAL | TG_CLI_MANY},
    {"answers", TG_FIELD_STRING, AT(answers), 0, 0, NULL, 0, "FILE",
     "score answers that are there already: JSON objects with prediction and reference; no model is asked", TG_CLI_EVAL | TG_CLI_MANY},
    {"batch", TG_FIELD_STRING, AT(batch), 0, 0, NULL, 0, "FILE|-", "one request per line as a JSON object, one JSON answer each", ASK | TG_CLI_MANY},

    {"max_new_tokens", TG_FIELD_INT, AT(max_new_tokens), 1, INT_MAX, NULL, 0, "N", "length limit of the answer (default: 128)", SEARCH | TG_CLI_EVAL},
    {"min_new_tokens", TG_FIELD_INT, AT(min_new_tokens), 0, INT_MAX, NULL, 0, "N", "no end token before so many tokens (default: 0)", SEARCH},
    {"beams", TG_FIELD_INT, AT(beams), 1, 1024, NULL, 0, "B", "beam search of this width (default: 1, greedy)", SEARCH},
    {"n_best", TG_FIELD_INT, AT(n_best), 1, 1024, NULL, 0, "N", "so many of the best beams are returned (default: 1)", SEARCH},
    {"length_penalty", TG_FIELD_FLOAT, AT(length_penalty), 0, 0, NULL, 0, "P", "beam scores are divided by length ^ P (default: 1)", SEARCH},
    {"early_stopping", TG_FIELD_BOOL, AT(early_stopping), 0, 0, NULL, 0, NULL, "stop as soon as B beams have finished", SEARCH},
    {"temperature", TG_FIELD_FLOAT, AT(temperature), 0, FLT_MAX, NULL, 0, "T", "sample at this temperature (default: 0, no sampling)", SEARCH},
    {"top_k", TG_FIELD_INT, AT(top_k), 0, INT_MAX, NULL, 0, "N", "sample among the N likeliest tokens (default: 0, all)", SEARCH},
    {"top_p", TG_FIELD_FLOAT, AT(top_p), 0, 1, NULL, 0, "P", "sample among the likeliest tokens of together P (default: 1, all)", SEARCH},
    {"seed", TG_FIELD_UINT64, AT(seed), 0, 0, NULL, 0, "S", "seed of the random numbers (default: 0)", SEARCH | TG_CLI_EVAL},
    {"repetition_penalty", TG_FIELD_FLOAT, AT(repetition_penalty), 0, FLT_MAX, NULL, 0, "R",
     "penalise tokens already in the answer (default: 1, off)", SEARCH},
    {"no_repeat_ngram_size", TG_FIELD_INT, AT(no_repeat_ngram_size), 0, INT_MAX, NULL, 0, "N", "no n-gram of this length twice (default: 0, off)",
     SEARCH},
    {"stop", TG_FIELD_STRINGS, AT(stop), 0, 0, NULL, 0, "TEXT", "the answer ends before this text; may be repeated", SEARCH},
    {"max_input_tokens", TG_FIELD_INT, AT(max_input_tokens), 0, INT_MAX, NULL, 0, "N", "refuse a longer input (default: 0, no limit)", SEARCH},
    {"top_logprobs", TG_FIELD_INT, AT(top_logprobs), 0, INT_MAX, NULL, 0, "N", "with --json: the N likeliest alternatives of each token", SEARCH},
    {"draft", TG_FIELD_ENUM, AT(draft), 0, 0, drafts, 0, "NAME",
     "guess several tokens at a time, verified in one pass; same answers, greedy search only (default: none)", SEARCH},

    {"output", TG_FIELD_STRING, AT(output), 0, 0, NULL, 'o', "FILE|-|DIR",
     "where the gist goes (default: <first 16 hex digits of the task's SHA-256>.gist here, its path printed); of `bench` and `eval`, the folder of "
     "their files; of `train`, in place of the recipe's out",
     TG_CLI_ENCODE | TG_CLI_BENCH | TG_CLI_EVAL | TG_CLI_TRAIN | TG_CLI_OUTPUT},
    {"resume", TG_FIELD_BOOL, AT(resume), 0, 0, NULL, 0, NULL,
     "go on with the run from its newest whole snapshot; it ends with the bits of a run that was never interrupted", TG_CLI_TRAIN | TG_CLI_OUTPUT},
    {"overwrite", TG_FIELD_BOOL, AT(overwrite), 0, 0, NULL, 0, NULL, "begin anew in a folder that holds a run, or other files, already",
     TG_CLI_TRAIN | TG_CLI_OUTPUT},
    {"payload", TG_FIELD_ENUM, AT(payload), 0, 0, payloads, 0, "NAME", "number format inside the gist file (default: f32)",
     TG_CLI_ENCODE | TG_CLI_OUTPUT | TG_CLI_YAML},
    {"cross", TG_FIELD_BOOL, AT(cross), 0, 0, NULL, 0, NULL, "also keep the decoder's cross-attention keys and values in the gist file",
     TG_CLI_ENCODE | TG_CLI_OUTPUT | TG_CLI_YAML},
    {"stream", TG_FIELD_BOOL, AT(stream), 0, 0, NULL, 0, NULL, "print the answer as it comes (greedy and sampling)", TG_CLI_GENERATE | TG_CLI_OUTPUT},
    {"mask", TG_FIELD_BOOL, AT(mask), 0, 0, NULL, 0, NULL, "draw who sees whom in a prompt, with its tokens as labels",
     TG_CLI_INSPECT | TG_CLI_OUTPUT},
    {"svg", TG_FIELD_STRING, AT(svg), 0, 0, NULL, 0, "FILE|-", "with --mask: draw as SVG instead of characters", TG_CLI_INSPECT | TG_CLI_OUTPUT},
    {"json", TG_FIELD_BOOL, AT(json), 0, 0, NULL, 0, NULL, "print JSON",
     TG_CLI_ENCODE | ASK | TG_CLI_STORE | TG_CLI_INFO | TG_CLI_EVAL | TG_CLI_OUTPUT},

    {"store", TG_FIELD_STRING, AT(store), 0, 0, NULL, 0, "DIR",
     "where the gists of tasks are kept (default: T5GIST_STORE, else ~/.cache/t5gist/gists)", TG_CLI_ENCODE | ASK | TG_CLI_STORE | KEEP},
    {"no_store", TG_FIELD_BOOL, AT(no_store), 0, 0, NULL, 0, NULL, "neither look for gists in the store nor keep them", TG_CLI_ENCODE | ASK | KEEP},
    {"store_budget", TG_FIELD_STRING, AT(store_budget), 0, 0, NULL, 0, "SIZE",
     "bytes kept, as 500K, 200M or 2G; what was used longest ago makes room (default: T5GIST_STORE_BUDGET, else 1G)",
     TG_CLI_ENCODE | ASK | TG_CLI_STORE | KEEP},
    {"store_salt", TG_FIELD_STRING, AT(store_salt), 0, 0, NULL, 0, "TEXT", "share gists with users of the same text alone",
     TG_CLI_ENCODE | ASK | TG_CLI_STORE | KEEP},
    {"store_read_only", TG_FIELD_BOOL, AT(store_read_only), 0, 0, NULL, 0, NULL, "look for gists in the store, keep none",
     TG_CLI_ENCODE | ASK | TG_CLI_STORE | KEEP},
    {"all", TG_FIELD_BOOL, AT(all), 0, 0, NULL, 0, NULL, "with rm: every entry that is not pinned", TG_CLI_STORE | TG_CLI_KEEP},

    {"model", TG_FIELD_STRING, AT(model), 0, 0, NULL, 0, "DIR", "model folder (default: T5GIST_MODEL, else the bundled model)", COMMON | TG_CLI_YAML},
    {"config", TG_FIELD_STRING, AT(config), 0, 0, NULL, 0, "FILE", "YAML file of options, weaker than requests and command line", COMMON},
    {"threads", TG_FIELD_INT, AT(threads), 1, 1024, NULL, 0, "N", "compute threads (default: the cores this process may use)", COMMON | TG_CLI_YAML},
    {"dtype", TG_FIELD_ENUM, AT(dtype), 0, 0, dtypes, 0, "NAME",
     "number format to compute in, of `convert` to store in: f32, bf16, int8, int4 (the decoder's weights; the encoder in int8), or auto, the "
     "fastest on this machine that keeps the answers, measured once; default: f32, or int8 or int4 for a model that was converted to it",
     COMMON | TG_CLI_YAML},
    {"wo_dtype", TG_FIELD_ENUM, AT(wo_dtype), 0, 0, wo_dtypes, 0, "NAME",
     "number format of the feed-forward layers' output matrices: auto, f32, bf16, int8, int8x16 (8-bit weights, 16-bit activations) or int4 (the "
     "decoder's); default: auto, which is what the model was converted with, else int8x16 beside int8 and int4, else --dtype's; of `convert "
     "--dtype int4` int4 if the answers then pass the quality gate",
     TG_CLI_ENCODE | ASK | TG_CLI_INSPECT | TG_CLI_CONVERT | TG_CLI_INFO | TG_CLI_COMMON | TG_CLI_YAML},
    {"texts", TG_FIELD_STRING, AT(texts), 0, 0, NULL, 0, "FILE",
     "measure the drift from f32 on these texts, JSON objects with instruction, input and output, instead of the built-in ones",
     TG_CLI_CONVERT | TG_CLI_MANY},
    {"rounding", TG_FIELD_ENUM, AT(rounding), 0, 0, roundings, 0, "NAME",
     "how int4 rounds: nearest, search (the scales of least squared error), calibrated (by what the layers see), or auto, the one of these whose "
     "answers are nearest to f32's (default)",
     TG_CLI_CONVERT | TG_CLI_MANY},
    {"calibration", TG_FIELD_STRING, AT(calibration), 0, 0, NULL, 0, "FILE",
     "texts by which int4 is calibrated, as those of --texts and better not the same; default: built-in ones", TG_CLI_CONVERT | TG_CLI_MANY},
    {"accept_drift", TG_FIELD_BOOL, AT(accept_drift), 0, 0, NULL, 0, NULL, "a drift over the limits is no failure", TG_CLI_CONVERT | TG_CLI_OUTPUT},
    {"check_numerics", TG_FIELD_BOOL, AT(check_numerics), 0, 0, NULL, 0, NULL, "look for NaN and infinity after every layer (slow)",
     COMMON | TG_CLI_YAML},
    {"quiet", TG_FIELD_BOOL, AT(quiet), 0, 0, NULL, 'q', NULL, "no summary, warnings or progress on stderr", COMMON | TG_CLI_YAML},
    {"verbose", TG_FIELD_BOOL, AT(verbose), 0, 0, NULL, 'v', NULL, "effective settings, machine and counters on stderr", COMMON | TG_CLI_YAML},
    {"help", TG_FIELD_BOOL, AT(help), 0, 0, NULL, 'h', NULL, "this text", COMMON},
    {"version", TG_FIELD_BOOL, AT(version), 0, 0, NULL, 0, NULL, "the version", COMMON},
    {0},
};

/* Options that say the same thing in different ways: a layer that names one of a set takes the set from the layers below it. */
static const char *const alternatives[][4] = {
    {"task", "task_file", "gist", "raw"}, {"input", "input_file", NULL, NULL}, {"store", "no_store", NULL, NULL}};

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
                     .limit = T5GIST_UNSET,
                     .length_penalty = T5GIST_UNSET_F,
                     .temperature = T5GIST_UNSET_F,
                     .top_p = T5GIST_UNSET_F,
                     .repetition_penalty = T5GIST_UNSET_F,
                     .early_stopping = TG_BOOL_UNSET,
                     .condition = T5GIST_GIST,
                     .dtype = T5GIST_UNSET};
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

/* The command's table as getopt_long wants it. */
typedef struct getopt_names {
  struct option *options; /* [fields + 1]; val: the field's place in the table + LONG */
  char (*texts)[64];      /* [fields] */
  char letters[64];       /* ":" first: a missing value is told apart */
} getopt_names;

enum { LONG = 256 }; /* beyond every short option */

static t5gist_status make_names(const tg_field *table, getopt_names *names, t5gist_error *err) {
  size_t n = 0, letters = 0;
  while (table[n].name) n++;
  TG_TRY(tg_alloc(&names->options, n + 1, sizeof *names->options, err));
  TG_TRY(tg_alloc(&names->texts, n, sizeof *names->texts, err));
  names->letters[letters++] = ':';
  for (size_t i = 0; i < n; i++) {
    const bool flag = table[i].type == TG_FIELD_BOOL;
    names->options[i] =
        (struct option){option_name(&table[i], names->texts[i]) + 2, flag ? optional_argument : required_argument, NULL, LONG + (int)i};
    if (!table[i].short_name || letters + 3 > sizeof names->letters) continue;
    names->letters[letters++] = table[i].short_name;
    if (!flag) names->letters[letters++] = ':';
  }
  return T5GIST_OK;
}

/* The field of a value that getopt_long returned. */
static const tg_field *chosen(const tg_field *table, int value) {
  if (value >= LONG) return &table[value - LONG];
  while (table->name && table->short_name != value) table++;
  return table->name ? table : NULL;
}

/* Names count whole only: an abbreviation that is unambiguous today would break a script with the next option. */
static bool is_whole_name(const char *word, const tg_field *field) {
  char name[64];
  const size_t length = strcspn(word, "=");
  return strlen(option_name(field, name)) == length && !strncmp(word, name, length);
}

/* getopt_long's '?': letter is that of a short option, or 0 for a long name that is unknown or ambiguous. */
static t5gist_status refuse_option(const tg_context *context, const char *word, int letter, t5gist_error *err) {
  char name[64];
  if (letter > 0) return tg_fail(err, T5GIST_EUSAGE, "unknown option -%c; `t5gist help %s` lists them", letter, context->command->name);
  snprintf(name, sizeof name, "%.*s", (int)strcspn(word + 2, "="), word + 2);
  return unknown_option(context, name, err);
}

/* argv[0] is the command's name; what is not an option ends up behind the options. */
static t5gist_status read_options(tg_context *context, int argc, char **argv, const getopt_names *names, t5gist_error *err) {
  opterr = optind = 0;
  for (int value; (value = getopt_long(argc, argv, names->letters, names->options, NULL)) != -1;) {
    const bool apart = value != '?' && value != ':' && optarg && optarg == argv[optind - 1]; /* "--name" "value" */
    const char *word = argv[optind - (apart ? 2 : 1)];                                       /* of a long option */
    if (value == '?') return refuse_option(context, word, optopt, err);
    const int option = value == ':' ? optopt : value;
    const tg_field *field = chosen(context->table, option);
    if (option >= LONG && !is_whole_name(word, field)) return refuse_option(context, word, 0, err);
    char name[64];
    if (value == ':') return tg_fail(err, T5GIST_EUSAGE, "%s: expected a value (%s) after it", option_name(field, name), field->argument);
    TG_TRY(assign(context, field, optarg ? optarg : "true", err)); /* no value: a flag */
  }
  context->arguments = argv + optind;
  context->n_arguments = (size_t)(argc - optind);
  return T5GIST_OK;
}

static t5gist_status read_arguments(tg_context *context, int argc, char **argv, t5gist_error *err) {
  getopt_names names = {0};
  t5gist_status status = make_names(context->table, &names, err);
  if (status == T5GIST_OK) status = read_options(context, argc, argv, &names, err);
  tg_free(names.options);
  tg_free(names.texts);
  return status;
}

/* "--raw=false" */
static bool turns_off(const tg_assignment *assignment) {
  tg_field flag = *assignment->field;
  bool on = true;
  flag.offset = 0;
  return flag.type == TG_FIELD_BOOL && tg_field_set_text(&flag, &on, assignment->text, "", NULL) == T5GIST_OK && !on;
}

/* Of an option that is given twice the last one holds, lists collect. A flag that is turned off takes nothing's place. */
static t5gist_status apply_command_line(const tg_context *context, tg_settings *settings, t5gist_error *err) {
  for (size_t i = 0; i < context->n_assignments; i++) {
    if (!turns_off(&context->assignments[i])) displace(settings, context->assignments[i].field);
  }
  for (size_t i = 0; i < context->n_assignments; i++) {
    char name[64];
    const tg_assignment *a = &context->assignments[i];
    TG_TRY(tg_field_set_text(a->field, settings, a->text, option_name(a->field, name), err));
  }
  return T5GIST_OK;
}

/* A word of a shell's command line, in quotes where it would not be one by itself. */
static t5gist_status put_word(tg_buffer *out, const char *word, t5gist_error *err) {
  static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_./=:,@%+";
  if (word[0] && word[strspn(word, plain)] == 0) return tg_buffer_printf(out, err, " %s", word);
  TG_TRY(tg_buffer_printf(out, err, " '"));
  for (const char *c = word; *c; c++) TG_TRY(tg_buffer_printf(out, err, *c == '\'' ? "'\\''" : "%c", *c));
  return tg_buffer_printf(out, err, "'");
}

/* What only one call is told: how much to say, and whether a run of training begins or goes on. */
static bool is_passing(const tg_field *field) {
  static const char *const names[] = {"quiet", "verbose", "resume", "overwrite"};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++)
    if (!strcmp(field->name, names[i])) return true;
  return false;
}

t5gist_status tg_options_call(const tg_context *context, tg_buffer *out, t5gist_error *err) {
  TG_TRY(tg_buffer_printf(out, err, "t5gist %s", context->command->name));
  for (size_t i = 0; i < context->n_arguments; i++) TG_TRY(put_word(out, context->arguments[i], err));
  for (size_t i = 0; i < context->n_assignments; i++) {
    char name[64];
    const tg_assignment *a = &context->assignments[i];
    if (is_passing(a->field)) continue;
    TG_TRY(tg_buffer_printf(out, err, " %s", option_name(a->field, name)));
    if (a->field->type != TG_FIELD_BOOL)
      TG_TRY(put_word(out, a->text, err));
    else if (turns_off(a))
      TG_TRY(tg_buffer_printf(out, err, "=false"));
  }
  return T5GIST_OK;
}

bool tg_options_given(const tg_context *context, const char *name) {
  for (size_t i = 0; i < context->n_assignments; i++)
    if (!strcmp(context->assignments[i].field->name, name)) return true;
  return false;
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
  t5gist_store_close(context->store);
  t5gist_model_close(context->model);
  tg_settings_free(&context->base);
  tg_settings_free(&context->settings);
  tg_free(context->assignments);
  tg_free(context->table);
  tg_free(context->model_dir);
}
