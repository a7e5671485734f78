/* t5gist: compress an instruction once into k gist tokens, answer any number of inputs at the cost of the input alone.
 *
 *     t5gist_error err;
 *     t5gist_model *model;
 *     t5gist_session *session;
 *     t5gist_gist *gist;
 *     t5gist_answer answer;
 *     if (t5gist_model_open("models/mini", NULL, &model, &err)) die(err.message);
 *     if (t5gist_session_new(model, &session, &err)) die(err.message);
 *     if (t5gist_encode(session, "Translate to German.", T5GIST_UNSET, &gist, &err)) die(err.message);
 *     t5gist_request request;
 *     t5gist_request_init(&request);
 *     request.gist = gist;
 *     request.input = "house, water";
 *     if (t5gist_generate(session, &request, 1, &answer, &err)) die(err.message);
 *     puts(answer.text);
 *     t5gist_answer_clear(&answer);
 *     t5gist_gist_free(gist);
 *     t5gist_session_free(session);
 *     t5gist_model_close(model);
 *
 * model    loaded weights. Read-only after opening: share one between any number of threads.
 * gist     one compressed task. Read-only, reference-free: share it between threads, free it when no session uses it.
 * session  one mutable timeline: workspaces and the requests in flight. One thread at a time; make one per thread.
 *
 * Errors: every function that can fail returns a t5gist_status and fills *err (types.h) where err is not null. Nothing here exits, aborts, or
 * writes to stdout or stderr. All texts are NUL-terminated UTF-8; invalid UTF-8 is refused with the byte's offset. */
#ifndef T5GIST_T5GIST_H
#define T5GIST_T5GIST_H

#include <math.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "types.h"

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define T5GIST_API __attribute__((visibility("default")))
#else
#define T5GIST_API
#endif

#define T5GIST_VERSION "0.1.0"

/* Marks an option that was not chosen: the model's generation_config.json decides, then the built-in default. */
#define T5GIST_UNSET (-1)
#define T5GIST_UNSET_F ((float)NAN)

/* The version of the library that is running ("0.1.0"). */
T5GIST_API const char *t5gist_version(void);

/* "gist", "pos_control", "neg_control", "prefix", "full"; null for a value outside the enumeration. */
T5GIST_API const char *t5gist_condition_name(t5gist_condition condition);

/* ------------------------------------------------------------------------------------------------------------------------------ model */

typedef struct t5gist_model t5gist_model;

/* In what the linear layers are computed; everything between them is f32. */
typedef enum t5gist_dtype {
  T5GIST_DTYPE_F32 = 0,
  T5GIST_DTYPE_INT8,    /* weights of 8 bits with a scale per output, activations likewise with a scale per token */
  T5GIST_DTYPE_INT8X16, /* the same weights, activations of 16 bits */
  T5GIST_DTYPE_BF16,    /* weights of 16 bits, a float's upper half; activations too where the machine multiplies pairs of them */
  T5GIST_DTYPE_INT4,    /* the decoder's weights, the head's too, of 4 bits with a scale per 64 inputs, activations of 8 bits likewise; the encoder in
                         * int8 */
  T5GIST_DTYPE_AUTO     /* of f32, bf16, int8 and int4 the fastest on this machine whose answers stay near f32's: measured once, in some seconds, and
                         * remembered (t5gist_choose_dtype in tools.h) */
} t5gist_dtype;

typedef struct t5gist_model_options {
  int threads;         /* compute threads of each session; T5GIST_UNSET: the cores this process may use */
  bool check_numerics; /* look for NaN and infinity after every layer and name the first; slow */
  int dtype;           /* a t5gist_dtype; T5GIST_UNSET: int8 or int4 for a folder that was converted to it, else f32 */
  int wo_dtype;        /* of the feed-forward layers' output matrices, not auto; T5GIST_UNSET: what the folder was converted with, else int8x16 beside
                        * int8 and int4, else dtype. int4: the decoder's alone, beside int8x16 in the encoder */
} t5gist_model_options;

/* Every field unset. */
T5GIST_API void t5gist_model_options_init(t5gist_model_options *options);

/* Opens a Hugging Face folder (config.json, safetensors, spiece.model or tokenizer.json). options may be null. On success *model is the
 * caller's, to be closed after every session and gist made from it. Thread-safe. */
T5GIST_API t5gist_status t5gist_model_open(const char *dir, const t5gist_model_options *options, t5gist_model **model, t5gist_error *err);
T5GIST_API void t5gist_model_close(t5gist_model *model); /* null is allowed */

typedef struct t5gist_model_info { /* strings borrowed from the model */
  const char *dir, *model_type, *tokenizer;         /* tokenizer: its file */
  const char *stored;                               /* number format of the stored embedding: "f32", "bf16" or "f16" */
  const char *dtype;                                /* of what is computed: "f32", "bf16", "int8", "int4", or with another wo "int8, wo f32" */
  const char *fingerprint;                          /* SHA-256, hex, of the source model; see docs/FORMATS.md */
  int vocab_size, d_model, d_kv, d_ff, n_heads, n_layers, n_decoder_layers, threads;
  size_t n_parameters, weight_bytes;                /* weight_bytes: resident, packed copies included */
  const int32_t *gist_ids;                          /* [n_gist_ids]; one id is a repeated row, several are distinct rows in order */
  int n_gist_ids, default_gists, max_task_tokens;   /* n_gist_ids 0: the model has no gist token, only full and raw work */
  const char *template_task, *template_input;       /* "Instruction: {task}", "Input: {input}" */
} t5gist_model_info;

T5GIST_API void t5gist_model_describe(const t5gist_model *model, t5gist_model_info *info);

/* ---------------------------------------------------------------------------------------------------------------------------- session */

typedef struct t5gist_session t5gist_session;

/* *session is the caller's; the model must outlive it. It keeps the gists of its requests' tasks (the 64 used last, at most 64 MB), so that a task is
 * compressed once. */
T5GIST_API t5gist_status t5gist_session_new(const t5gist_model *model, t5gist_session **session, t5gist_error *err);
T5GIST_API void t5gist_session_free(t5gist_session *session); /* null is allowed; requests in flight are dropped */

/* ------------------------------------------------------------------------------------------------------------------------------ store */

/* A folder that keeps the gists of tasks from run to run (docs/FORMATS.md), shared by any number of processes. What a store cannot do (a full disk, a
 * folder that may not be written, a damaged entry) never fails a request: the task is compressed as without a store, and on_note says why. */
typedef struct t5gist_store t5gist_store;

typedef struct t5gist_store_options {
  uint64_t budget;                                   /* bytes of gist files kept; those used longest ago make room. 0: 1 GiB */
  bool read_only;                                    /* look, and write nothing. So it is too where the folder may not be written */
  const char *salt;                                  /* null: none. Stores are shared by users of the same salt: one per tenant keeps them apart */
  void (*on_note)(void *user, const char *message);  /* null: silence. Called in the thread of the session concerned */
  void *user;
} t5gist_store_options;

/* dir: null: $XDG_CACHE_HOME/t5gist/gists, else ~/.cache/t5gist/gists. options may be null. Nothing is touched before the first request that uses it;
 * the folder is made when the first gist is kept. Thread-safe, the store too: sessions of several threads may share it. */
T5GIST_API t5gist_status t5gist_store_open(const char *dir, const t5gist_store_options *options, t5gist_store **store, t5gist_error *err);
T5GIST_API void t5gist_store_close(t5gist_store *store); /* null is allowed; no session may use it any more */
T5GIST_API const char *t5gist_store_dir(const t5gist_store *store); /* borrowed */

/* From now on the session looks in the store for the gists of its tasks that it does not have itself, and keeps there those that it encodes; null: in
 * none, as at first. The store must outlive the session. */
T5GIST_API t5gist_status t5gist_session_use_store(t5gist_session *session, t5gist_store *store, t5gist_error *err);

/* ------------------------------------------------------------------------------------------------------------------------------- gist */

typedef struct t5gist_gist t5gist_gist;

/* Compresses a task (not empty) into gists tokens, 1 to 1024; T5GIST_UNSET: the model's default; or finds it in the session's store. *gist is the
 * caller's. */
T5GIST_API t5gist_status t5gist_encode(t5gist_session *session, const char *task, int gists, t5gist_gist **gist, t5gist_error *err);
T5GIST_API void t5gist_gist_free(t5gist_gist *gist); /* null is allowed */

typedef enum t5gist_payload { T5GIST_PAYLOAD_F32 = 0, T5GIST_PAYLOAD_BF16 } t5gist_payload;

/* Writes the gist file (docs/FORMATS.md) atomically: the old file or the whole new one, never another. cross: also keep the decoder's
 * cross-attention K and V, which saves their projection at use. */
T5GIST_API t5gist_status t5gist_gist_save(const t5gist_gist *gist, const char *path, t5gist_payload payload, bool cross, t5gist_error *err);

/* The same bytes in memory: *bytes is the caller's, freed with t5gist_free. */
T5GIST_API t5gist_status t5gist_gist_serialize(const t5gist_gist *gist, t5gist_payload payload, bool cross, unsigned char **bytes, size_t *n_bytes,
                                               t5gist_error *err);

/* Opens a gist file, checks every byte against its checksum, and refuses one of another model, template or format version with a sentence
 * that names both sides. model may be null: then the file is only described, and cannot be used. *gist is the caller's. */
T5GIST_API t5gist_status t5gist_gist_open(const t5gist_model *model, const char *path, t5gist_gist **gist, t5gist_error *err);

typedef struct t5gist_gist_info { /* strings borrowed from the gist */
  const char *task, *task_sha256, *fingerprint, *program_version, *payload, *computed_with; /* computed_with: dtype and instruction set */
  int format_version, n_gist, n_task, n_layers, n_heads, d_kv, d_model; /* n_task: tokens that the gist stands for */
  bool has_cross;  /* the file keeps the decoder's cross-attention K and V too */
  bool from_store; /* t5gist_encode found it in the session's store */
  size_t bytes;   /* of its tensors; of a gist that is in memory alone: of the smallest f32 file's */
} t5gist_gist_info;

T5GIST_API void t5gist_gist_describe(const t5gist_gist *gist, t5gist_gist_info *info);

/* ---------------------------------------------------------------------------------------------------------------------------- request */

/* Where guesses at the next tokens come from, which one decoder pass verifies together. Answers are those of no drafts; greedy search only. */
typedef enum t5gist_draft {
  T5GIST_DRAFT_NONE = 0,
  T5GIST_DRAFT_LOOKUP, /* what followed the longest stretch of input or answer that the answer ends with */
  T5GIST_DRAFT_RECYCLE /* what the model last put behind each token, in this session */
} t5gist_draft;
T5GIST_API const char *t5gist_draft_name(t5gist_draft draft); /* "none", "lookup", "recycle"; null for a value outside the enumeration */

/* How to search. Names, meanings and defaults are those of the command line and of Hugging Face's generate. */
typedef struct t5gist_options {
  int max_new_tokens;        /* 128; at least 1 */
  int min_new_tokens;        /* 0; the end token is banned before */
  int beams;                 /* 1 = greedy */
  int n_best;                /* 1; at most beams */
  float length_penalty;      /* 1.0; beam scores are divided by length ^ length_penalty */
  int early_stopping;        /* 0; 1: stop as soon as `beams` finished candidates exist */
  float temperature;         /* 0 = no sampling; > 0 samples, and with beams > 1 is an error */
  int top_k;                 /* 0 = off */
  float top_p;               /* 1.0 = off */
  uint64_t seed;             /* 0; random numbers depend on (seed, request_key, step) alone */
  uint64_t request_key;      /* 0; distinguishes requests that share a seed */
  float repetition_penalty;  /* 1.0 = off */
  int no_repeat_ngram_size;  /* 0 = off */
  const char *const *stop;   /* [n_stop] the answer ends before any of these; borrowed until the answer is delivered */
  size_t n_stop;             /* 0 */
  int max_input_tokens;      /* 0 = no limit; a longer input is refused, never cut */
  int top_logprobs;          /* 0; so many best alternatives are kept per token */
  int draft;                 /* a t5gist_draft; T5GIST_DRAFT_NONE. Another one with beams or a temperature is an error */
} t5gist_options;

/* Every field unset (T5GIST_UNSET, T5GIST_UNSET_F), seeds and stops empty. */
T5GIST_API void t5gist_options_init(t5gist_options *options);

/* Fills what is unset from the model's generation_config.json and then from the built-in defaults above; refuses impossible values. */
T5GIST_API t5gist_status t5gist_options_resolve(const t5gist_model *model, t5gist_options *options, t5gist_error *err);

/* A piece of answer text, whole UTF-8 characters, NUL-terminated, in order; greedy and sampling only. Return false to cancel the request: its
 * answer is then delivered with status T5GIST_ECANCELLED and what there was. */
typedef bool t5gist_text_callback(void *user, const char *text);

/* One request. Everything pointed to must stay valid until its answer has been delivered. */
typedef struct t5gist_request {
  const char *task;           /* the instruction; null or empty: none. Excludes gist */
  const t5gist_gist *gist;    /* a compressed instruction; condition gist only */
  const char *input;          /* null or empty: none. Task and input both empty: an error */
  bool raw;                   /* the input alone is the whole prompt, no words added, nothing masked; excludes task and gist */
  t5gist_condition condition; /* T5GIST_GIST */
  int gists;                  /* k; T5GIST_UNSET: the model's default, or the gist's own. Ignored with full and raw */
  const char *const *targets; /* [n_targets] score these texts under teacher forcing instead of generating */
  size_t n_targets;
  t5gist_options options;
  t5gist_text_callback *on_text; /* null: no streaming */
  void *user;
} t5gist_request;

/* Condition gist, everything else empty or unset. */
T5GIST_API void t5gist_request_init(t5gist_request *request);

/* ----------------------------------------------------------------------------------------------------------------------------- answer */

typedef enum t5gist_finish { T5GIST_FINISH_EOS = 0, T5GIST_FINISH_LENGTH, T5GIST_FINISH_STOP } t5gist_finish; /* "eos", "length", "stop" */
typedef enum t5gist_source {
  T5GIST_SOURCE_NONE = 0, /* no gist was used */
  T5GIST_SOURCE_ENCODED,  /* the task was compressed for this request */
  T5GIST_SOURCE_MEMORY,   /* the caller's gist, made by t5gist_encode, or one that another request of the session had made */
  T5GIST_SOURCE_FILE,     /* the caller's gist, opened from a file */
  T5GIST_SOURCE_STORE     /* found in the gist store */
} t5gist_source;

typedef struct t5gist_alternative { int32_t id; float logprob; } t5gist_alternative;

typedef struct t5gist_hypothesis { char *text; int32_t *tokens; int n_tokens; float score; } t5gist_hypothesis;

typedef struct t5gist_target_score {
  int32_t *ids;    /* [n_ids] the target's tokens, end token included */
  float *logprobs; /* [n_ids] natural logarithm, plain softmax */
  int n_ids;
  double logprob;  /* their sum */
} t5gist_target_score;

/* Disjoint wall times in milliseconds. In a batch: of the passes that the request was in. store: looking for the gist there and keeping it. */
typedef struct t5gist_timings {
  double tokenize, store, encode_prefix /* 0 when cached */, encode_input, cross_kv, first_token, decode, total;
} t5gist_timings;

/* Owned by whom it was delivered to; release with t5gist_answer_clear. Of an answer whose error.status is not T5GIST_OK only error is sure. */
typedef struct t5gist_answer {
  t5gist_error error;
  char *text;
  int32_t *tokens;  /* [n_tokens] start token left out, end token included */
  float *logprobs;  /* [n_tokens] natural logarithm under the plain softmax */
  t5gist_alternative *top_logprobs; /* [n_tokens, n_top] best first; null when not asked for */
  int n_tokens, n_top;
  t5gist_finish finish;
  float sequence_score;        /* beams only */
  t5gist_hypothesis *others;   /* [n_others] the rest of the n best */
  int n_others;
  int n_drafted, n_accepted;   /* guesses verified, and how many of them were right */
  t5gist_target_score *scores; /* [n_scores] one per target */
  int n_scores;
  t5gist_condition condition;
  int n_task, n_gist, n_input; /* tokens; the end token counts as input */
  bool gist_cached;
  t5gist_source gist_source;
  double saved_ms; /* cached: what compressing the task took when it was done; 0 where nobody knows, as of a caller's gist */
  t5gist_timings timings;
} t5gist_answer;

T5GIST_API void t5gist_answer_clear(t5gist_answer *answer); /* frees what it holds and zeroes it */
T5GIST_API const char *t5gist_finish_name(t5gist_finish finish);
T5GIST_API const char *t5gist_source_name(t5gist_source source); /* null for T5GIST_SOURCE_NONE */

/* Frees memory that a function above gave away (t5gist_gist_serialize). */
T5GIST_API void t5gist_free(void *memory);

/* Answers n requests together, packed into one batch; different gists, lengths and options may mix, and no request changes another's answer.
 * answers: [n], filled in the order of the requests, each with its own error. Returns T5GIST_OK when all were processed, whatever their own
 * errors; another status only when the session as a whole failed (then no answer is left to clear). Not to be mixed with requests that
 * were submitted and not yet answered. */
T5GIST_API t5gist_status t5gist_generate(t5gist_session *session, const t5gist_request *requests, size_t n, t5gist_answer *answers,
                                         t5gist_error *err);

/* The same, step by step, for servers and pipes. An answer is delivered from inside t5gist_step, as soon as its request ends. */
typedef void t5gist_answer_callback(void *user, t5gist_answer *answer); /* the answer now belongs to the callee */

/* Queues a request; wrong usage is reported here and the callback never called. */
T5GIST_API t5gist_status t5gist_submit(t5gist_session *session, const t5gist_request *request, t5gist_answer_callback *on_answer, void *user,
                                       t5gist_error *err);
/* Admits waiting requests and makes one decoding step for everything in flight. */
T5GIST_API t5gist_status t5gist_step(t5gist_session *session, t5gist_error *err);
/* Requests submitted and not yet answered. */
T5GIST_API size_t t5gist_pending(const t5gist_session *session);

#ifdef __cplusplus
}
#endif
#endif
