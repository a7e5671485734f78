/* The harness behind `t5gist bench`: measures the conditions of prompt compression on the same prompts, interleaved, beside the limits of the machine
 * measured in the same run, and writes what it found as JSON, Markdown and pictures.
 *
 * The way of a run: config.c reads the configuration; for every number format run.c opens the model, machine.c and rates.c measure the limits,
 * prompts.c makes the prompts of every point (a batch size, a task length, a number of gist tokens), measure.c times them, roofline.c predicts
 * them; quality.c scores answers where prompts have targets; report_*.c and pictures.c write. */
#ifndef T5GIST_BENCH_BENCH_H
#define T5GIST_BENCH_BENCH_H

#include <jansson.h>

#include "measure/statistics.h"
#include "runtime/memory.h"
#include "runtime/numbers.h"
#include "t5gist/tools.h"

/* ------------------------------------------------------------------------------------------------------------------------------- config */

typedef enum tg_bench_condition {
  TG_BENCH_FULL = 0,      /* the plain prompt */
  TG_BENCH_POS_CONTROL,   /* gist tokens present, nothing masked */
  TG_BENCH_GIST_UNCACHED, /* the task is compressed for the request */
  TG_BENCH_GIST_MEMORY,   /* the gist lies in memory */
  TG_BENCH_GIST_FILE,     /* the gist is opened from its file for the request */
  TG_BENCH_NEG_CONTROL,   /* neither task nor gist */
  TG_BENCH_DISCRETE,      /* the task's most telling words by TF-IDF, as a plain prompt */
  TG_BENCH_N_CONDITIONS
} tg_bench_condition;
extern const char *const tg_bench_condition_names[TG_BENCH_N_CONDITIONS + 1];

typedef struct tg_bench_config {
  char *name, *title;                        /* name: of the files; title: of the report */
  char *model, *synthetic, *cache;           /* a folder; or a shape, written once with random weights under cache */
  char *prompts;                             /* JSON list of {instruction, input, output} */
  tg_strings dtypes, conditions;             /* names */
  tg_strings batch_texts, task_texts, gist_texts; /* as in the file */
  tg_numbers batch, task_tokens, gists;      /* every combination is a point; task_tokens 0: tasks as they are */
  int n_prompts, input_tokens, new_tokens;   /* input_tokens 0: inputs as they are */
  int rounds, discrete_words, resamples, threads;
  int quality_tokens;                        /* 0: quality is not measured */
  bool measured[TG_BENCH_N_CONDITIONS];      /* from conditions; none named: all */
} tg_bench_config;

t5gist_status tg_bench_config_load(const char *path, tg_bench_config *config, t5gist_error *err);
/* Replaces the number formats of the configuration by one. */
t5gist_status tg_bench_config_dtype(tg_bench_config *config, const char *dtype, t5gist_error *err);
void tg_bench_config_free(tg_bench_config *config);

/* ------------------------------------------------------------------------------------------------------------------------------- limits */

typedef enum tg_rate { TG_RATE_F32 = 0, TG_RATE_BF16, TG_RATE_INT8, TG_N_RATES } tg_rate;
extern const char *const tg_rate_names[TG_N_RATES];
enum { TG_N_ROWS = 4, TG_MAX_PATTERNS = 12 };
extern const int tg_rate_rows[TG_N_ROWS]; /* 1, 32, 64, 256 */

/* What the machine can do at most, as far as measured: repeating a measurement keeps the best. */
typedef struct tg_limits {
  int n_patterns;
  struct {
    const char *name;
    double bytes_per_second;
  } patterns[TG_MAX_PATTERNS];            /* ways of reading memory far beyond the caches */
  double bandwidth;                       /* the best of them */
  double cached[TG_N_RATES][TG_N_ROWS];   /* oneDNN's operations per second, weights in cache; 0: not there */
  double streamed[TG_N_RATES][TG_N_ROWS]; /* the same, weights in memory */
} tg_limits;

t5gist_status tg_limits_bandwidth(int threads, tg_limits *limits, t5gist_error *err);
/* Bytes per second that reading the packed weights of all open models gives where they lie, whichever way it was fastest and no less than before;
 * unchanged where all are small. Which pages a block has got can decide over a third of it. No model may be opened or closed meanwhile. */
t5gist_status tg_limits_weights(int threads, double *bytes_per_second, t5gist_error *err);
/* The model's layers: products of these sizes. */
t5gist_status tg_limits_rates(const t5gist_model_info *model, tg_limits *limits, t5gist_error *err);
/* oneDNN's operations per second at m rows with weights from memory: linear between the measured ones, constant outside 32 .. 256. */
double tg_limits_rate(const tg_limits *limits, tg_rate rate, double m);

/* Peak resident memory since the last reset, in bytes; 0 where the system does not tell. */
void tg_peak_reset(void);
double tg_peak_bytes(void);

/* ------------------------------------------------------------------------------------------------------------------------------ prompts */

typedef struct tg_bench_prompt {
  char *task, *input, *discrete;
  char *target;     /* null: none */
  t5gist_gist *gist;
  char *gist_path;
} tg_bench_prompt;

typedef struct tg_prompt_set {
  tg_bench_prompt *items; /* [n] */
  size_t n;
} tg_prompt_set;

typedef struct tg_point {
  int batch, task_tokens, gists;
} tg_point;

/* Texts of a point: those of the configuration's file, or of so many tokens. */
t5gist_status tg_prompts_make(const tg_bench_config *config, const t5gist_model *model, tg_point point, tg_prompt_set *set, t5gist_error *err);
void tg_prompts_free(tg_prompt_set *set);

/* -------------------------------------------------------------------------------------------------------------------------- measurement */

/* Where the time of a request goes; disjoint. */
typedef enum tg_part {
  TG_PART_OPEN = 0, /* opening gist files */
  TG_PART_TOKENIZE,
  TG_PART_PREFIX,
  TG_PART_INPUT,
  TG_PART_CROSS,
  TG_PART_FIRST,
  TG_PART_DECODE,
  TG_PART_REST,
  TG_N_PARTS
} tg_part;
extern const char *const tg_part_names[TG_N_PARTS];

/* Series over observations: one call on one group of `batch` prompts. Observation i of every condition is about the same prompts. */
typedef struct tg_series {
  double *total;                       /* [n] milliseconds */
  double *parts[TG_N_PARTS];           /* [n] */
  t5gist_counters *counters;           /* [n, T5GIST_N_STAGES] */
  size_t n;
  double n_task, n_gist, n_input;      /* tokens, mean over requests */
  double peak_bytes;
} tg_series;

typedef struct tg_condition_result {
  bool measured;
  tg_series series;
  tg_interval ms, ratio;            /* medians with their intervals; ratio: full / this, paired */
  double predicted_ms, saved, predicted_saved; /* medians; saved: 1 - this / full, as measured and as the roofline has it */
  double in_place_ms, in_place_saved;          /* as predicted_, but reading no faster than where the weights lie */
  double flops, weight_bytes;       /* per call, mean */
  double part_ms[TG_N_PARTS], part_predicted_ms[TG_N_PARTS]; /* medians */
} tg_condition_result;

typedef struct tg_kept_bytes {
  double text, activations, gist_f32, gist_bf16, gist_cross; /* activations: K, V and final states of the task's tokens */
} tg_kept_bytes;

typedef struct tg_point_result {
  tg_point point;
  tg_condition_result conditions[TG_BENCH_N_CONDITIONS];
  tg_interval encode_ms;   /* compressing one task */
  double break_even;       /* requests until a gist has paid for itself; NaN: never, or not measured */
  tg_kept_bytes kept;      /* means over tasks */
} tg_point_result;

/* Scores of answers, means over prompts; the first four in percent of the targets, agreement against the full prompt's answers. */
typedef struct tg_quality {
  bool measured;
  tg_interval exact, rouge1, rouge2, rougeL, same_as_full, rougeL_to_full;
} tg_quality;

/* All that was measured with one number format. */
typedef struct tg_format_result {
  char dtype[16];
  tg_rate rate;                 /* whose matrix rate is its limit */
  size_t weight_bytes, n_parameters;
  double weights_read;          /* bytes per second where they lie (tg_limits_weights); 0: not measured */
  double load_ms;
  int d_model, d_ff, n_heads, d_kv, n_layers, n_decoder_layers;
  tg_point_result *points;      /* [n_points] */
  size_t n_points;
  bool has_quality;
  tg_quality quality[TG_BENCH_N_CONDITIONS];
} tg_format_result;

typedef struct tg_bench_result {
  t5gist_machine machine;
  int threads;
  char date[32], command[512], model[256];
  tg_limits limits;
  tg_format_result *formats; /* [n_formats] one per number format */
  size_t n_formats;
  double seconds;
} tg_bench_result;

/* Told what is being measured. */
typedef void tg_bench_progress(void *user, const char *what);

/* One point with a model: times every condition on every group of prompts, rounds times. */
t5gist_status tg_bench_measure(const tg_bench_config *config, const t5gist_model *model, tg_point point, const char *scratch_dir,
                               tg_point_result *result, t5gist_error *err);
/* Medians, intervals and predictions of what was measured with the format's model. */
t5gist_status tg_bench_summarise(const tg_bench_config *config, const tg_limits *limits, const tg_format_result *format, tg_point_result *result,
                                 t5gist_error *err);
void tg_point_result_free(tg_point_result *result);

/* Milliseconds that a stage takes at least, by its counters and the machine's limits: the longer of its reading and its arithmetic. */
double tg_roofline_ms(const tg_limits *limits, tg_rate rate, const t5gist_counters *counters);

t5gist_status tg_bench_quality(const tg_bench_config *config, const t5gist_model *model, tg_quality quality[TG_BENCH_N_CONDITIONS],
                               t5gist_error *err);

/* A request of a condition; its prompt's gist is made already where the condition needs one. */
t5gist_request tg_bench_request(tg_bench_condition condition, const tg_bench_prompt *prompt, int gists);

/* The whole run. *result: released with tg_bench_result_free, also after a failure. */
t5gist_status tg_bench_run(const tg_bench_config *config, const char *command, tg_bench_progress *progress, void *user, tg_bench_result *result,
                           t5gist_error *err);
void tg_bench_result_free(tg_bench_result *result);

/* -------------------------------------------------------------------------------------------------------------------------------- output */

json_t *tg_bench_json(const tg_bench_config *config, const tg_bench_result *result); /* null: no memory */
/* pictures: whether links to them are written. */
t5gist_status tg_bench_markdown(const tg_bench_config *config, const tg_bench_result *result, bool pictures, tg_buffer *out, t5gist_error *err);
/* NAME.json, NAME.md and NAME-*.svg in dir, which is made. */
t5gist_status tg_bench_write(const tg_bench_config *config, const tg_bench_result *result, const char *dir, t5gist_error *err);

/* Pictures. Where the run has nothing to show in one, *out stays empty. */
/* Time by stage per condition; time along the swept value; stages as shares of the limit. */
t5gist_status tg_picture_stages(const tg_bench_config *config, const tg_bench_result *result, tg_buffer *out, t5gist_error *err);
t5gist_status tg_picture_sweep(const tg_bench_config *config, const tg_bench_result *result, tg_buffer *out, t5gist_error *err);
t5gist_status tg_picture_limits(const tg_bench_config *config, const tg_bench_result *result, tg_buffer *out, t5gist_error *err);

#endif
