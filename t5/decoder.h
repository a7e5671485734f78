/* The decoder: cross-attention memory, self-attention cache, and steps of one or more tokens for many sequences at once. */
#ifndef T5GIST_T5_DECODER_H
#define T5GIST_T5_DECODER_H

#include "t5/model.h"

/* Cross-attention K and V of one source: n_gist rows borrowed from a gist (they do not depend on the input), then own rows. */
typedef struct tg_memory {
  const float *gist_k, *gist_v; /* [n_decoder_layers, n_heads, n_gist, d_kv] */
  int n_gist;
  float *kv;                    /* owned, [n_decoder_layers, n, 2 * inner]: K then V in each row */
  int n;
} tg_memory;
void tg_memory_free(tg_memory *memory);

/* Projects rows of encoder states into memories: part i's rows are states[begin .. begin + n) and fill memory->kv (allocated here). */
typedef struct tg_memory_part {
  tg_memory *memory;
  int begin, n;
} tg_memory_part;
t5gist_status tg_memory_project(const tg_t5 *t5, tg_workspace *workspace, const float *states, const tg_memory_part *parts, int n_parts, t5gist_error *err);

/* The gist's share: states [n_gist, d_model] -> k, v [n_decoder_layers, n_heads, n_gist, d_kv], caller's memory. */
t5gist_status tg_memory_project_gist(const tg_t5 *t5, tg_workspace *workspace, const float *states, int n_gist, float *k, float *v, t5gist_error *err);

/* Self-attention K and V of one request: rows are handed out by the search, hypotheses refer to them by index and share them. */
typedef struct tg_cache {
  float *kv; /* owned, [n_decoder_layers, capacity, 2 * inner] */
  int capacity;
} tg_cache;
t5gist_status tg_cache_reserve(const tg_t5 *t5, tg_cache *cache, int rows, t5gist_error *err); /* keeps contents, at least doubles */
void tg_cache_free(tg_cache *cache);

/* n new tokens of one hypothesis. */
typedef struct tg_decoder_sequence {
  const int32_t *ids;      /* [n] consecutive tokens */
  int n, position;         /* position of the first: how many came before */
  const int32_t *history;  /* [position] cache rows of those before; null: rows 0..position-1 */
  tg_cache *cache;
  int cache_row;           /* K and V of the new tokens go to rows cache_row .. cache_row + n - 1 (reserved by the caller) */
  const tg_memory *memory;
} tg_decoder_sequence;

/* One pass: *logits [sum of n, vocab_size] in the workspace's arena. Warm passes allocate nothing and create no primitive. */
t5gist_status tg_decode(const tg_t5 *t5, tg_workspace *workspace, const tg_decoder_sequence *sequences, int n_sequences, float **logits, t5gist_error *err);

#endif
