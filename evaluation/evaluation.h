/* The evaluation behind `t5gist eval`: what compression costs. One table of conditions by splits over the same examples, scored the same way, every
 * number with a bootstrap interval paired by example, and a report that says which checkpoint answered which condition and whether it was trained
 * for it.
 *
 * The way of a run: config.c reads the configuration; data.c reads the examples; plan.c makes the table's rows and finds each one's checkpoint; ask.c
 * lets a row's model answer every example and score its reference; score.c makes numbers and intervals; run.c does all that; report_*.c and
 * pictures.c write. answers.c scores answers that are there already, without any model. */
#ifndef T5GIST_EVALUATION_EVALUATION_H
#define T5GIST_EVALUATION_EVALUATION_H

#include <jansson.h>

#include "measure/statistics.h"
#include "measure/tfidf.h"
#include "runtime/memory.h"
#include "runtime/numbers.h"
#include "t5gist/tools.h"

/* ------------------------------------------------------------------------------------------------------------------------------- config */

/* What the model is shown, in the order of the table. */
typedef enum tg_eval_kind {
  TG_EVAL_FULL = 0,    /* the plain prompt */
  TG_EVAL_POS_CONTROL, /* gist tokens present, nothing masked: the ceiling of recovered */
  TG_EVAL_PREFIX,      /* the instruction does not see the input: the part of the cost that is not compression */
  TG_EVAL_GIST,        /* at each k */
  TG_EVAL_WORDS,       /* the instruction's k most telling words by TF-IDF in its place, nothing masked */
  TG_EVAL_NEG_CONTROL, /* neither instruction nor gist: the floor of recovered */
  TG_EVAL_N_KINDS
} tg_eval_kind;
extern const char *const tg_eval_kind_names[TG_EVAL_N_KINDS + 1]; /* "full", "pos_control", "prefix", "gist", "words", "neg_control" */

typedef struct tg_eval_config {
  char *name, *title;                 /* name: of the files; title: of the report */
  tg_strings models;                  /* folders, each asked for the whole table */
  tg_strings model_of;                /* "ROW=DIR": the checkpoint of a row (gist-1) or of a condition's rows (gist); beside one of models at most */
  tg_strings data;                    /* files */
  char *task_field, *input_field, *target_field, *split_field, *bits_field, *family_field, *prediction_field;
  tg_strings conditions, gist_texts, word_texts; /* as in the file */
  bool asked[TG_EVAL_N_KINDS];        /* from conditions; none named: all */
  tg_numbers gists, words;            /* count 0: gists: those that the gist row's model was trained with; words: as gists */
  int limit;                          /* examples per split; 0: all */
  uint64_t seed;                      /* chooses them, and the resamples */
  bool skip_bad;                      /* bad lines are reported and left out, else fatal */
  int max_new_tokens, beams, resamples, threads, dtype; /* threads, dtype: as in t5gist_model_options */
} tg_eval_config;

/* Everything as if a configuration said nothing; path may be null. No data and no model is no error here: the command line may name them. */
t5gist_status tg_eval_config_load(const char *path, tg_eval_config *config, t5gist_error *err);
/* Replaces the models by one: for the rows that model_of does not name; for every row. And the numbers of gist tokens by one. */
t5gist_status tg_eval_config_base(tg_eval_config *config, const char *dir, t5gist_error *err);
t5gist_status tg_eval_config_model(tg_eval_config *config, const char *dir, t5gist_error *err);
void tg_eval_config_gists(tg_eval_config *config, int k);
/* What model_of says about a row, "gist-4" before "gist"; null: nothing. */
const char *tg_eval_model_of(const tg_eval_config *config, tg_eval_kind kind, int k);
/* Whether some row has no checkpoint of its own, so that models must not be empty. */
bool tg_eval_needs_model(const tg_eval_config *config);
void tg_eval_config_free(tg_eval_config *config);

/* --------------------------------------------------------------------------------------------------------------------------------- data */

typedef struct tg_eval_example {
  char *task, *input, *reference; /* owned; task or input may be empty */
  size_t split, family;           /* family: SIZE_MAX where it has none */
  size_t file, number;            /* of config.data; line or entry */
  double bits;                    /* of parameter in the instruction; NaN: not said */
} tg_eval_example;

/* Examples whose bits lie in low .. high, both included. */
typedef struct tg_eval_bin {
  double low, high;
  size_t n;
} tg_eval_bin;

enum { TG_EVAL_MAX_BINS = 10 };
typedef struct tg_eval_split {
  char *name;          /* the split field's value; else the file's name without folder and ending */
  size_t begin, n;     /* examples begin .. begin + n - 1 */
  size_t n_found;      /* before the limit */
  tg_eval_bin bins[TG_EVAL_MAX_BINS];
  size_t n_bins;       /* 0: no example says its bits */
} tg_eval_split;

typedef struct tg_eval_data {
  tg_eval_example *examples; /* [n] split after split, in the files' order */
  size_t n, capacity;
  tg_eval_split *splits; /* [n_splits] in the order of their first examples */
  size_t n_splits, splits_capacity;
  tg_strings families;   /* names, in the order of their first examples */
  size_t skipped;        /* bad lines */
  tg_tfidf *tfidf;       /* over the different instructions of the files, those beyond the limit included */
} tg_eval_data;

/* Told what a person should know while it runs. done and total: 0 where nothing is counted. */
typedef struct tg_eval_progress {
  void (*step)(void *user, const char *what, size_t done, size_t total);
  void (*warn)(void *user, const char *sentence);
  void *user;
} tg_eval_progress;

/* *data: released with tg_eval_data_free, also after a failure. */
t5gist_status tg_eval_data_read(const tg_eval_config *config, const tg_eval_progress *progress, tg_eval_data *data, t5gist_error *err);
void tg_eval_data_free(tg_eval_data *data);
/* The split of this name, made where there is none; the same for families. */
t5gist_status tg_eval_split_find(tg_eval_data *data, const char *name, size_t *split, t5gist_error *err);
/* A record that is no good, status and sentence as found: returned as they are, or with skip_bad told, counted and passed over. */
t5gist_status tg_eval_pass_over(const tg_eval_config *config, const tg_eval_progress *progress, tg_eval_data *data, t5gist_status status,
                                const t5gist_error *found, t5gist_error *err);
/* The text of a key that an object must have; the sentence of a missing one names the setting that chose it and the keys that are there. */
t5gist_status tg_eval_text(const json_t *object, const char *key, const char *setting, const char *where, const char **out, t5gist_error *err);

/* --------------------------------------------------------------------------------------------------------------------------------- rows */

typedef enum tg_eval_metric { TG_EVAL_EXACT = 0, TG_EVAL_ROUGE1, TG_EVAL_ROUGE2, TG_EVAL_ROUGE_L, TG_EVAL_LOGPROB, TG_EVAL_N_METRICS } tg_eval_metric;
extern const char *const tg_eval_metric_names[TG_EVAL_N_METRICS]; /* "exact_match", "rouge1", "rouge2", "rougeL", "logprob" */

/* A checkpoint, and what its metadata say. */
typedef struct tg_eval_model {
  char *dir;
  bool conditions_known, trained[T5GIST_N_CONDITIONS]; /* the "conditions" of config.json's "t5gist" block */
  tg_numbers gists;                                    /* its "gists"; count 0: not said */
  int default_gists, max_task_tokens;
  char fingerprint[65], dtype[32]; /* from here on: known once it was opened */
  size_t n_parameters;
} tg_eval_model;

typedef enum tg_eval_trained { TG_EVAL_TRAINED_UNKNOWN = 0, TG_EVAL_TRAINED_NO, TG_EVAL_TRAINED_YES } tg_eval_trained;

/* Numbers of one row on one split: means in percent, of logprob in nats. */
typedef struct tg_eval_cell {
  size_t n;
  tg_interval values[TG_EVAL_N_METRICS];
  tg_interval per_token;                     /* log-probability of a reference's token, nats */
  tg_interval room[TG_EVAL_N_METRICS];       /* of pos_control: how far it is above neg_control */
  bool has_room, has_recovered;
  tg_interval recovered[TG_EVAL_N_METRICS];  /* shares of 1: (this - neg_control) / (pos_control - neg_control) */
  tg_interval bins[TG_EVAL_MAX_BINS];        /* exact match by bits */
} tg_eval_cell;

typedef struct tg_eval_row {
  size_t set;              /* rows of one set are compared with each other: recovered takes the set's own controls */
  tg_eval_kind kind;
  int k;                   /* gist tokens or words; 0: neither. The controls have the model's own number of gist tokens */
  size_t model;
  t5gist_condition asked;  /* words: full, or pos_control where the model was trained for that and not for full */
  char name[64];           /* "gist-1", "words-2", else the condition's */
  tg_eval_trained trained; /* whether the model was trained for this condition (and k) */
  char **answers;          /* [n examples] */
  double *scores[TG_EVAL_N_METRICS], *tokens; /* [n examples]; tokens: of the reference */
  double n_task, n_prompt; /* tokens of instruction (or words), and of all that is shown; means */
  size_t n_long;           /* instructions beyond the model's max_task_tokens */
  size_t n_answered;       /* tokens generated */
  int n_gist;              /* gist tokens shown, those of the controls included */
  tg_eval_cell *cells;     /* [n_splits] */
  double *families;        /* [n families] exact match, percent, over all splits */
} tg_eval_row;

typedef struct tg_eval_result {
  char command[512];
  t5gist_machine machine;
  int threads;
  tg_eval_data data;
  tg_eval_model *models; /* [n_models] */
  size_t n_models, n_sets;
  tg_eval_row *rows; /* [n_rows] set after set */
  size_t n_rows;
  tg_strings warnings;  /* sentences of the report */
  bool from_answers;    /* no model was asked: no log-probabilities, no recovered */
} tg_eval_result;

/* The rows of the table and their checkpoints, from the configuration and each checkpoint's config.json. */
t5gist_status tg_eval_plan(const tg_eval_config *config, tg_eval_result *result, t5gist_error *err);
/* What a reader of the table must know: which checkpoints answered, and what they were not trained for. */
t5gist_status tg_eval_warnings(tg_eval_result *result, t5gist_error *err);
/* The row of a set, or null. */
const tg_eval_row *tg_eval_row_of(const tg_eval_result *result, size_t set, tg_eval_kind kind);

/* Lets the session's model answer every example under the row's condition, greedily or by beams, and score its reference. Fills answers, tokens and
 * the log-probabilities. After a failure the session must be freed: it may hold requests. */
t5gist_status tg_eval_ask(const tg_eval_config *config, const tg_eval_data *data, const tg_eval_model *model, t5gist_session *session,
                          const tg_eval_progress *progress, tg_eval_row *row, t5gist_error *err);

/* Exact match and ROUGE of an answer, in percent; out[TG_EVAL_LOGPROB] stays. */
t5gist_status tg_eval_score(const char *reference, const char *answer, double out[TG_EVAL_N_METRICS], t5gist_error *err);
/* Means, intervals and recovered of every row whose answers are there. */
t5gist_status tg_eval_summarise(const tg_eval_config *config, tg_eval_result *result, t5gist_error *err);

/* The whole run. *result: released with tg_eval_result_free, also after a failure. */
t5gist_status tg_eval_run(const tg_eval_config *config, const char *command, const tg_eval_progress *progress, tg_eval_result *result,
                          t5gist_error *err);
/* Answers of a file in the place of models: objects with a prediction and a reference (prediction_field, target_field), and where they have them a
 * split, a condition and the number of a table. */
t5gist_status tg_eval_run_answers(const tg_eval_config *config, const char *path, const char *command, const tg_eval_progress *progress,
                                  tg_eval_result *result, t5gist_error *err);
void tg_eval_result_free(tg_eval_result *result);

/* -------------------------------------------------------------------------------------------------------------------------------- output */

json_t *tg_eval_json(const tg_eval_config *config, const tg_eval_result *result); /* null: no memory */
/* pictures: whether links to them are written. */
t5gist_status tg_eval_markdown(const tg_eval_config *config, const tg_eval_result *result, bool pictures, tg_buffer *out, t5gist_error *err);
/* NAME.json, NAME.md, NAME-answers.jsonl (one object per row and example) and NAME-*.svg in dir, which is made. */
t5gist_status tg_eval_write(const tg_eval_config *config, const tg_eval_result *result, const char *dir, t5gist_error *err);

/* Pictures: recovered against k, exact match against bits. Where the run has nothing to show in one, *out stays empty. */
t5gist_status tg_eval_picture_recovered(const tg_eval_config *config, const tg_eval_result *result, tg_buffer *out, t5gist_error *err);
t5gist_status tg_eval_picture_bits(const tg_eval_config *config, const tg_eval_result *result, tg_buffer *out, t5gist_error *err);

#endif
