/* t5gist: what the command line needs beyond the product's header. UNSTABLE: may change with every version. Conventions as in t5gist.h. */
#ifndef T5GIST_TOOLS_H
#define T5GIST_TOOLS_H

#include <stdio.h>

#include "t5gist.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Draws the masks of a real prompt with its tokens as labels: the encoder's, then the decoder's cross-attention row. gists as in the request. */
T5GIST_API t5gist_status t5gist_draw_mask(t5gist_session *session, const char *task, const char *input, t5gist_condition condition, int gists,
                                          bool svg, FILE *out, t5gist_error *err);

/* How far answers in a number format are from those in f32, on a few texts: the mean distance of their tokens' log-probabilities, and the share of
 * f32's greedy tokens before the first that differs. exact, exact_f32: the shares of greedy answers (cut after 24 tokens) that are the text's output;
 * only where they are measured, not where they are read back. */
typedef struct t5gist_drift { double logprob, agreement, exact, exact_f32; } t5gist_drift;

/* The limits of the quality gate: at most so far, at least so many. */
#define T5GIST_DRIFT_LOGPROB 0.2
#define T5GIST_DRIFT_AGREEMENT 0.5
T5GIST_API bool t5gist_drift_allowed(const t5gist_drift *drift);

/* Rewriting a Hugging Face folder (.bin or safetensors, sharded or not) as one safetensors folder. progress may be null; done and total are bytes. */
typedef void t5gist_progress(void *user, const char *what, uint64_t done, uint64_t total);
typedef struct t5gist_conversion {
  const char *dtype;    /* "f32", "bf16", "int8", "int4" (both of linear layers alone) or null to keep the stored one */
  const char *wo_dtype; /* with int8 and int4, what the folder computes the feed-forward layers' output matrices in unless told otherwise: "f32",
                         * "bf16", "int8", "int8x16", with int4 "int4", or null: int8x16; int4 in a folder in int4 whose answers, measured so, pass
                         * the quality gate */
  /* The rest is of int4 alone. */
  const char *rounding;    /* "nearest", "search" (the scale of least squared error), "calibrated" (errors made good by what the layers see) or null:
                            * of these the one whose answers are nearest to f32's; where f32 is too large for this machine search */
  const char *texts;       /* on which that is measured, as in t5gist_measure_drift */
  const char *calibration; /* texts by which calibrated rounds, a file as texts; null: built-in ones, others than those that drift is measured on */
  int threads;             /* as in t5gist_model_options */
  t5gist_progress *progress;
  void (*on_trial)(void *user, const char *rounding, const char *wo_dtype, const t5gist_drift *drift); /* each that was tried; may be null */
  void *user;
} t5gist_conversion;

/* Everything null or unset: as stored. */
T5GIST_API void t5gist_conversion_init(t5gist_conversion *conversion);

/* Streams: peak memory is the largest tensor plus a constant; that of the model in f32 and what its layers see where int4's rounding is chosen. */
T5GIST_API t5gist_status t5gist_convert(const char *in_dir, const char *out_dir, const t5gist_conversion *conversion, t5gist_error *err);

/* Measures a converted folder, computing in dtype (T5GIST_DTYPE_INT8, _INT4 or _BF16), against its source in f32, and keeps the drift in the folder's
 * config.json. texts: a file of JSON objects with instruction, input and output (at most 1,000), or null: built-in ones. A source of .bin files is
 * rewritten within the converted folder for the time of measuring. T5GIST_EUNSUPPORTED where that is not possible or f32 too large for this machine's
 * memory. threads as in t5gist_model_options. */
T5GIST_API t5gist_status t5gist_measure_drift(const char *source, const char *converted, int dtype, const char *texts, int threads,
                                              t5gist_drift *drift, t5gist_error *err);

/* The number formats to compute a model in, compared on this machine: a candidate each. */
enum { T5GIST_N_CANDIDATES = 4, T5GIST_CANDIDATE_ROWS = 32 };
typedef struct t5gist_candidate {
  int dtype;                       /* a t5gist_dtype */
  const char *name;                /* "f32" */
  double step_ms, rows_ms;         /* the linear layers of a decoding step at batch 1; of encoding T5GIST_CANDIDATE_ROWS tokens */
  double step_bytes, rows_flops;   /* per second, meanwhile */
  bool drift_known, allowed;       /* allowed: by the quality gate, and by memory */
  t5gist_drift drift;              /* from f32 */
  char why[160];                   /* allowed, or not */
} t5gist_candidate;

typedef struct t5gist_choice {
  t5gist_candidate candidates[T5GIST_N_CANDIDATES];
  int n;     /* 0: nothing was measured yet */
  int dtype; /* the allowed one that takes the least for 32 tokens in and 32 out; T5GIST_UNSET: none is, the folder's default holds */
  bool busy; /* other programs used the cores meanwhile: what was timed may mislead, and is timed again when measuring is next asked for */
} t5gist_choice;

/* What --dtype auto computes a folder in. Measured once (some seconds) and remembered per machine, threads, model and wo_dtype in
 * $XDG_CACHE_HOME/t5gist; a cache that cannot be written only costs time. measure false: only what is remembered. threads, wo_dtype as in
 * t5gist_model_options. */
T5GIST_API t5gist_status t5gist_choose_dtype(const char *dir, int threads, int wo_dtype, bool measure, t5gist_choice *choice, t5gist_error *err);

/* Checks a model folder (shapes, offsets, NaN and infinity, tensor by tensor) or a .gist file; report gets one line per finding. */
T5GIST_API t5gist_status t5gist_verify(const char *path, FILE *report, t5gist_error *err);

/* Writes what a model folder or gist file contains, also where it is damaged. */
T5GIST_API t5gist_status t5gist_inspect(const char *path, FILE *out, t5gist_error *err);

/* Writes a seeded random checkpoint (shape tiny|mini|small|base|large|xl|xxl; variant flan|t5v1|tied|uneven|wide|v5config|outlier) for tests and
 * benchmarks, with the tokenizer file copied from tokenizer_dir. dtype: "f32", or "int8" or "int4" (by search): the folder that t5gist_convert makes
 * of it, in a quarter of the space or less. */
T5GIST_API t5gist_status t5gist_make_model(const char *out_dir, const char *shape, const char *variant, const char *dtype, uint64_t seed,
                                           int vocab_size, const char *tokenizer_dir, t5gist_error *err);

typedef struct t5gist_machine {
  char cpu[128], isa[64], onednn[32]; /* isa: what the kernels and oneDNN use */
  int threads;                        /* cores this process may use */
} t5gist_machine;
T5GIST_API void t5gist_machine_describe(t5gist_machine *machine);

/* The stages of t5gist_timings that compute. A decoder pass with a request's first step in it counts as T5GIST_STAGE_FIRST. */
typedef enum t5gist_stage {
  T5GIST_STAGE_PREFIX = 0, /* compressing tasks, t5gist_encode included */
  T5GIST_STAGE_INPUT,
  T5GIST_STAGE_CROSS,
  T5GIST_STAGE_FIRST,
  T5GIST_STAGE_DECODE,
  T5GIST_N_STAGES
} t5gist_stage;

/* What a stage's operations amounted to: a multiplication and an addition are two operations; bytes must be read at least once per operation,
 * whatever the caches hold. */
typedef struct t5gist_counters {
  uint64_t products, product_flops;          /* linear layers applied; 2 * rows * inputs * outputs each */
  uint64_t weights, weight_bytes;            /* of those layers, once per product: numbers, and bytes as packed */
  uint64_t attention_flops, attention_bytes; /* 4 * d_kv per head, query and visible key; keys and values */
} t5gist_counters;

/* Copies what the session has counted since it was made or last read, and starts again from zero. */
T5GIST_API void t5gist_counters_take(t5gist_session *session, t5gist_counters counters[T5GIST_N_STAGES]);

/* Forgets the gists that a session keeps of its requests' tasks: the next request with one of them compresses it again, or looks in the session's
 * store. For measuring. */
T5GIST_API void t5gist_forget_gists(t5gist_session *session);

/* ------------------------------------------------------------------------------------------------------------------------------ store */

typedef struct t5gist_store_entry { /* strings borrowed until the visit returns */
  const char *key;                                /* 64 hex digits */
  const char *task, *fingerprint, *computed_with; /* null in an entry that cannot be read */
  int n_gist, n_task;                             /* tokens; 0 likewise */
  uint64_t bytes, hits;
  int64_t used;     /* last hit, else when it was kept: nanoseconds since 1970 */
  double encode_ms; /* what encoding took; 0: not known */
  bool pinned;
} t5gist_store_entry;

/* Shows every entry, the one used last first, without checking checksums. */
typedef void t5gist_store_visit(void *user, const t5gist_store_entry *entry);
T5GIST_API t5gist_status t5gist_store_list(const t5gist_store *store, t5gist_store_visit *visit, void *user, t5gist_error *err);

/* What follows names an entry by its key or the first digits of it, 4 at least, that no other entry begins with. Of a store that is read only or may
 * not be written T5GIST_EUNSUPPORTED. */

/* Removes an entry; a pinned one is refused. key null: every entry that is not pinned. *n_removed may be null. */
T5GIST_API t5gist_status t5gist_store_remove(t5gist_store *store, const char *key, size_t *n_removed, t5gist_error *err);

/* Pinned entries are never removed to make room. */
T5GIST_API t5gist_status t5gist_store_pin(t5gist_store *store, const char *key, bool pinned, t5gist_error *err);

typedef struct t5gist_store_state {
  size_t entries, pinned, damaged, strays; /* strays: what killed processes left behind */
  size_t other_salt;                       /* verify: sound entries whose name is not that of their content under the store's salt */
  size_t removed;                          /* gc: entries, to fit the budget */
  uint64_t bytes, damaged_bytes, budget;   /* bytes: of the entries */
} t5gist_store_state;

/* What the folder holds now. */
T5GIST_API t5gist_status t5gist_store_examine(const t5gist_store *store, t5gist_store_state *state, t5gist_error *err);

/* Removes what does not fit the budget, damaged entries that were set aside, and strays; *state counts what was removed, and the entries left. */
T5GIST_API t5gist_status t5gist_store_gc(t5gist_store *store, t5gist_store_state *state, t5gist_error *err);

/* Checks every byte of every entry; report gets one line per finding. Damaged ones are counted and, where the store may be written, set aside. */
T5GIST_API t5gist_status t5gist_store_verify(t5gist_store *store, FILE *report, t5gist_store_state *state, t5gist_error *err);

/* Writes an entry (key null: every one) as an ordinary gist file <first 16 digits of its key>.gist into a folder, which is made if needed. */
T5GIST_API t5gist_status t5gist_store_export(const t5gist_store *store, const char *key, const char *dir, size_t *n, t5gist_error *err);

/* Keeps a gist file (payload f32, of this program version, whatever its model) or all *.gist files of a folder. *n: how many were not there yet. */
T5GIST_API t5gist_status t5gist_store_import(t5gist_store *store, const char *path, size_t *n, t5gist_error *err);

/* oneDNN primitives created since the model was opened: constant over warm steps. */
T5GIST_API uint64_t t5gist_primitives_created(const t5gist_model *model);

/* Removes the temporary file of a save in progress, if any. Async-signal-safe: for a handler of SIGINT and SIGTERM. */
T5GIST_API void t5gist_cleanup_on_signal(void);

#ifdef __cplusplus
}
#endif
#endif
