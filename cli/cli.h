/* What the files of cli/ share. The way of a call: main.c finds the command, options.c reads YAML and the command line into tg_settings through
 * one option table, the command's own file does the work. Commands return a status; main.c prints its sentence and chooses the exit status. */
#ifndef T5GIST_CLI_CLI_H
#define T5GIST_CLI_CLI_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

#include "report/report.h"
#include "runtime/clock.h"
#include "runtime/error.h"
#include "runtime/fields.h"
#include "runtime/file.h"
#include "runtime/memory.h"
#include "t5gist/t5gist.h"
#include "t5gist/tools.h"

enum {
  /* Bits of tg_field.groups: the commands that know the option ... */
  TG_CLI_ENCODE = 1 << 0,
  TG_CLI_GENERATE = 1 << 1,
  TG_CLI_SCORE = 1 << 2,
  TG_CLI_INSPECT = 1 << 3,
  TG_CLI_CONVERT = 1 << 4,
  TG_CLI_VERIFY = 1 << 5,
  TG_CLI_INFO = 1 << 6,
  TG_CLI_BENCH = 1 << 7,
  TG_CLI_STORE = 1 << 8,
  TG_CLI_TRAIN = 1 << 9,
  TG_CLI_EVAL = 1 << 10,
  TG_CLI_COMMANDS = (1 << 16) - 1,
  /* ... the section of the help that shows it ... */
  TG_CLI_PROMPT = 1 << 16,
  TG_CLI_MANY = 1 << 17,
  TG_CLI_SEARCH = 1 << 18,
  TG_CLI_OUTPUT = 1 << 19,
  TG_CLI_COMMON = 1 << 20,
  TG_CLI_KEEP = 1 << 21,
  /* ... and where else than on the command line it may stand. */
  TG_CLI_YAML = 1 << 24,
  TG_CLI_REQUEST = 1 << 25
};
enum { TG_CLI_TEXT_LIMIT = 16 << 20 }; /* bytes of a text file, and of a line of a batch */
enum { TG_CLI_LONG_INPUT = 512 };      /* tokens; a longer input earns a warning */
enum { TG_DTYPE_AUTO, TG_DTYPE_F32, TG_DTYPE_BF16, TG_DTYPE_INT8, TG_DTYPE_INT4 };
enum { TG_WO_DTYPE_AUTO, TG_WO_DTYPE_F32, TG_WO_DTYPE_BF16, TG_WO_DTYPE_INT8, TG_WO_DTYPE_INT8X16, TG_WO_DTYPE_INT4 };
enum { TG_ROUNDING_AUTO, TG_ROUNDING_NEAREST, TG_ROUNDING_SEARCH, TG_ROUNDING_CALIBRATED };

/* Every option of every command; one struct, so that YAML, requests and command line fill the same thing. Strings are owned. */
typedef struct tg_settings {
  char *model, *config;
  char *task, *task_file, *gist, *input, *input_file; /* null: not given */
  char *input_lines, *batch, *output, *svg;
  char *answers, *texts, *calibration;
  tg_strings targets, stop, data;
  int limit;
  int threads, dtype, wo_dtype, rounding, condition, payload, gists; /* T5GIST_UNSET where nothing was chosen */
  int max_new_tokens, min_new_tokens, beams, n_best, top_k, no_repeat_ngram_size, max_input_tokens, top_logprobs, draft;
  float length_penalty, temperature, top_p, repetition_penalty;
  uint64_t seed;
  unsigned char early_stopping; /* 0, 1, or TG_BOOL_UNSET: a field of type bool stores one byte */
  char *store, *store_budget, *store_salt;
  bool no_store, store_read_only, all;
  bool resume, overwrite, accept_drift;
  bool raw, cross, json, stream, mask, check_numerics, quiet, verbose, help, version;
} tg_settings;
enum { TG_BOOL_UNSET = 2 };

/* One option of the command line as it stood there, to be applied again on top of each request. */
typedef struct tg_assignment {
  const tg_field *field;
  const char *text; /* borrowed from argv */
} tg_assignment;

typedef struct tg_context tg_context;
typedef struct tg_command {
  const char *name;
  unsigned bit;
  const char *summary;  /* one line, for the list of commands */
  const char *synopsis; /* what follows "t5gist NAME " */
  const char *details;  /* paragraph under the synopsis */
  int min_arguments, max_arguments;
  t5gist_status (*run)(tg_context *context, t5gist_error *err);
} tg_command;

/* One call of the program. */
struct tg_context {
  const tg_command *command;
  tg_field *table;            /* the fields this command knows; owned */
  tg_settings base;           /* defaults and YAML */
  tg_settings settings;       /* base and command line */
  tg_assignment *assignments; /* [n_assignments] owned */
  size_t n_assignments, assignments_capacity;
  char **arguments; /* [n_arguments] what is not an option; borrowed from argv */
  size_t n_arguments;
  char *model_dir; /* owned */
  t5gist_model *model;
  t5gist_session *session;
  t5gist_store *store; /* null: none */
  t5gist_model_info info;
  double load_seconds;
  uint64_t primitives_loaded; /* oneDNN primitives that opening created */
  bool failed;                /* something was reported already: exit status 1 although the command ended well */
};

/* main.c */
extern const tg_command tg_commands[]; /* ends with name == null */
void tg_cli_note(const tg_context *context, const char *format, ...)
    __attribute__((format(printf, 2, 3)));                          /* "t5gist: ..." on stderr unless --quiet */
void tg_cli_report(const tg_context *context, const char *message); /* "t5gist generate: ..." on stderr, also with --quiet */

/* options.c */
extern const tg_field tg_options[]; /* the option table */
/* Fills context from argv (argv[0]: the command's name; reordered) and the YAML file that it names. */
t5gist_status tg_options_read(tg_context *context, int argc, char **argv, t5gist_error *err);
/* A request's settings: base, then the members of request (may be null), then the command line. *out is the caller's, also after a failure. */
t5gist_status tg_options_layer(const tg_context *context, const json_t *request, const char *where, tg_settings *out, t5gist_error *err);
void tg_settings_free(tg_settings *settings);
/* The call as somebody else would repeat it, without --quiet, --verbose, --resume and --overwrite; and whether the command line names an option
 * ("max_new_tokens"). */
t5gist_status tg_options_call(const tg_context *context, tg_buffer *out, t5gist_error *err);
bool tg_options_given(const tg_context *context, const char *name);
void tg_context_free(tg_context *context);

/* help.c */
void tg_help_overview(FILE *out);
void tg_help_command(const tg_command *command, FILE *out);
t5gist_status tg_unknown_command(const char *name, t5gist_error *err);

/* model.c */
t5gist_status tg_cli_model_dir(const tg_context *context, char **dir, t5gist_error *err); /* by --model, T5GIST_MODEL, or beside the program */
t5gist_status tg_cli_open(tg_context *context, t5gist_error *err);                        /* model, session and store */
int tg_cli_wo_dtype(const tg_context *context);                                           /* --wo-dtype as a t5gist_dtype */
void tg_cli_warn_lengths(const tg_context *context, int n_task, int n_input);             /* once per process each */

/* store.c: opens the gist store that options and environment name; context->store stays null where there is to be none */
t5gist_status tg_cli_open_store(tg_context *context, t5gist_error *err);

/* output.c: stdout, every failure of which is reported */
t5gist_status tg_out_write(const void *data, size_t n, t5gist_error *err);
t5gist_status tg_out_flush(t5gist_error *err);
void tg_out_shorten(const char *text, char *out, size_t size); /* its beginning on one line, without what a terminal would obey */
t5gist_status tg_out_json(json_t *object /* consumed */, t5gist_error *err); /* one line */
json_t *tg_json_milliseconds(double value);

/* request.c: the texts that settings name. *owned is the caller's; *text borrows from it or from settings, null: none given. */
t5gist_status tg_cli_task(const tg_settings *settings, char **owned, const char **text, t5gist_error *err);
t5gist_status tg_cli_input(const tg_settings *settings, char **owned, const char **text, t5gist_error *err);

/* commands */
t5gist_status tg_command_encode(tg_context *context, t5gist_error *err);
t5gist_status tg_command_generate(tg_context *context, t5gist_error *err);
t5gist_status tg_command_score(tg_context *context, t5gist_error *err);
t5gist_status tg_command_inspect(tg_context *context, t5gist_error *err);
t5gist_status tg_command_convert(tg_context *context, t5gist_error *err);
t5gist_status tg_command_verify(tg_context *context, t5gist_error *err);
t5gist_status tg_command_store(tg_context *context, t5gist_error *err);
t5gist_status tg_command_info(tg_context *context, t5gist_error *err);
t5gist_status tg_command_bench(tg_context *context, t5gist_error *err);
t5gist_status tg_command_eval(tg_context *context, t5gist_error *err);
t5gist_status tg_command_train(tg_context *context, t5gist_error *err);
t5gist_status tg_command_help(tg_context *context, t5gist_error *err);

#endif
