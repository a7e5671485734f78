/* The decoder: cross-attention memory, self-attention cache, and steps of one or more tokens for many sequences at once. */
#ifndef T5GIST_T5_DECODER_H
#define T5GIST_T5_DECODER_H

#include "t5/model.h"

/* Cross-attention K and V of one source, a head's rows side by side: a decoding step reads them all, and they are what many requests wait for. */
typedef struct tg_memory {
  void *kv; /* owned, [n_decoder_layers, 2, n_heads, n, d_kv], K before V, in tg_memory_dtype */
  int n;
} tg_memory;
void tg_memory_free(tg_memory *memory);

/* Of memories and caches: f32 beside linear layers in f32; beside narrower ones bf16, which halves what a step reads. */
tg_dtype tg_memory_dtype(const tg_t5 *t5);
/* Bytes of one row's K and V in all layers. */
size_t tg_memory_row_bytes(const tg_t5 *t5);

/* What a memory is made of (allocated here): the rows of a gist, which do not depend on the input and are there already, then the projections of the
 * encoder's states[begin .. begin + n). */
typedef struct tg_memory_part {
  tg_memory *memory;
  int begin, n;
  const float *gist_k, *gist_v; /* [n_decoder_layers, n_heads, n_gist, d_kv]; null: none */
  int n_gist;
} tg_memory_part;
t5gist_status tg_memory_project(const tg_t5 *t5, tg_workspace *workspace, const float *states, const tg_memory_part *parts, int n_parts,
                                t5gist_error *err);

/* The gist's share: states [n_gist, d_model] -> k, v [n_decoder_layers, n_heads, n_gist, d_kv], caller's memory. */
t5gist_status tg_memory_project_gist(const tg_t5 *t5, tg_workspace *workspace, const float *states, int n_gist, float *k, float *v,
                                     t5gist_error *err);

/* Self-attention K and V of one request: rows are handed out by the search, hypotheses refer to them by index and share them. */
typedef struct tg_cache {
  void *kv; /* owned, [n_decoder_layers, 2, n_heads, capacity, d_kv] in tg_memory_dtype */
  int capacity;
} tg_cache;
t5gist_status tg_cache_reserve(const tg_t5 *t5, tg_cache *cache, int rows, t5gist_error *err); /* keeps contents, at least doubles */
size_t tg_cache_most_rows(size_t rows); /* what a cache that grows to so many rows takes at most, the old one being copied included */
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
t5gist_status tg_decode(const tg_t5 *t5, tg_workspace *workspace, const tg_decoder_sequence *sequences, int n_sequences, float **logits,
                        t5gist_error *err);

#endif
