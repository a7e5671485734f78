/* The specification of attention.h, in plain loops. */
#include <math.h>

#include "runtime/attention.h"

/* Part and row of the job's key number i. */
static const tg_keys *find_key(const tg_attention_job *job, int i, size_t *row) {
  const tg_keys *part = job->keys;
  while (i >= part->n) i -= part++->n;
  *row = (size_t)(part->rows == NULL ? part->first + i : part->rows[i]);
  return part;
}

/* Number i of a row. */
static double number(const tg_attention *a, const void *numbers, size_t i) {
  float x;
  tg_widen((const char *)numbers + i * tg_dtype_size(a->keys), a->keys, 1, &x);
  return (double)x;
}

static double score(const tg_attention *a, const tg_attention_job *job, int query, int head, int key) {
  size_t row;
  const tg_keys *part = find_key(job, key, &row);
  const float *q = job->q + (size_t)query * a->q_stride + (size_t)head * (size_t)a->d_kv;
  const size_t at = row * part->row_stride + (size_t)head * part->head_stride;
  const ptrdiff_t distance = (ptrdiff_t)job->k_position + key - job->q_position - query;
  double sum = 0;
  if (a->causal && distance > 0) return -INFINITY;
  for (int i = 0; i < a->d_kv; i++) sum += (double)q[i] * number(a, part->k, at + (size_t)i);
  return a->bias == NULL ? sum : sum + (double)a->bias[(ptrdiff_t)((size_t)head * a->bias_stride) + a->bias_zero + distance];
}

static void attend(const tg_attention *a, const tg_attention_job *job, int query, int head) {
  float *out = job->out + (size_t)query * a->out_stride + (size_t)head * (size_t)a->d_kv;
  int n_keys = 0;
  for (int i = 0; i < job->n_parts; i++) n_keys += job->keys[i].n;
  double largest = -INFINITY, total = 0;
  for (int key = 0; key < n_keys; key++) largest = fmax(largest, score(a, job, query, head, key));
  for (int i = 0; i < a->d_kv; i++) out[i] = 0;
  if (isinf(largest)) return;
  for (int key = 0; key < n_keys; key++) total += exp(score(a, job, query, head, key) - largest);
  for (int i = 0; i < a->d_kv; i++) {
    double sum = 0;
    for (int key = 0; key < n_keys; key++) {
      size_t row;
      const tg_keys *part = find_key(job, key, &row);
      sum += exp(score(a, job, query, head, key) - largest) / total *
             number(a, part->v, row * part->row_stride + (size_t)head * part->head_stride + (size_t)i);
    }
    out[i] = (float)sum;
  }
}

void tg_attention_reference(const tg_attention *attention, const tg_attention_job *jobs, int n_jobs) {
  for (int job = 0; job < n_jobs; job++)
    for (int query = 0; query < jobs[job].n_q; query++)
      for (int head = 0; head < attention->n_heads; head++) attend(attention, &jobs[job], query, head);
}
