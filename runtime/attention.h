/* Attention over spans on packed rows: each job lets some consecutive query rows see one contiguous range of keys, for every head. What is
 * masked is never touched. T5 form: no 1/sqrt(d_kv), an additive bias that depends on head and distance alone. */
#ifndef T5GIST_RUNTIME_ATTENTION_H
#define T5GIST_RUNTIME_ATTENTION_H

#include <stdbool.h>

#include "runtime/dtype.h"
#include "runtime/engine.h"

/* n keys and values, in the number format that tg_attention says. Row r of head h is at k + r * row_stride + h * head_stride (numbers), d_kv of them;
 * v alike. rows: null for rows first .. first + n - 1, else the row of each key (beams share history this way). */
typedef struct tg_keys {
  const void *k, *v;
  size_t row_stride, head_stride;
  const int32_t *rows;
  int first, n;
} tg_keys;

enum { TG_MAX_KEY_PARTS = 2 };

typedef struct tg_attention_job {
  const float *q; /* [n_q] rows at q_stride, head h at column h * d_kv */
  float *out;     /* [n_q] rows at out_stride, likewise */
  int n_q;
  tg_keys keys[TG_MAX_KEY_PARTS]; /* [n_parts] one after the other; a part may be empty */
  int n_parts;
  int q_position, k_position; /* of the first query and the first key, for bias and causality */
} tg_attention_job;

typedef struct tg_attention {
  int n_heads, d_kv;
  tg_dtype keys; /* TG_F32 or TG_BF16: of all jobs' keys and values */
  size_t q_stride, out_stride;
  /* Bias of head h at distance (key position - query position) = d: bias[h * bias_stride + bias_zero + d]. Must cover every distance that
   * occurs. Null: none. */
  const float *bias;
  size_t bias_stride;
  int bias_zero;
  bool causal; /* a query sees no key of a later position */
} tg_attention;

/* out = softmax(q k^T + bias) v per job and head. A query that sees no key gets zeros. Scratch comes from the workspace. A row's result depends on
 * its own query and visible keys alone, not on mates; arithmetic is in f32, and keys in bf16 give the bits that they give widened. */
t5gist_status tg_attention_run(const tg_attention *attention, tg_workspace *workspace, const tg_attention_job *jobs, int n_jobs, t5gist_error *err);

/* The specification, in plain loops. */
void tg_attention_reference(const tg_attention *attention, const tg_attention_job *jobs, int n_jobs);

#endif
