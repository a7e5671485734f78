/* One row of scores: what Hugging Face's logits processors do to it, the best of it, a draw from it. */
#ifndef T5GIST_T5_LOGITS_H
#define T5GIST_T5_LOGITS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "runtime/memory.h"

/* ------------------------------------------------------------------------------------------------------------------------- processors */

/* The processors, in Hugging Face's order. Ids include the start token. */
typedef struct tg_rules {
  float repetition_penalty; /* 1: off; once per distinct id: negative scores times, others divided by it */
  int no_repeat_ngram_size; /* 0: off */
  int min_new_tokens;       /* before, end_id is banned */
  int32_t end_id;
  const int32_t *banned; /* [n_banned] never allowed; borrowed; ids outside the vocabulary are passed over */
  size_t n_banned;
} tg_rules;

typedef struct tg_edit {
  size_t id;
  float before;
} tg_edit;

/* Applies rules to rows and takes them back, at a cost that does not depend on the vocabulary. */
typedef struct tg_processor {
  tg_rules rules;
  size_t vocab_size;
  uint32_t *stamps; /* [vocab_size] round in which an id was last met */
  uint32_t round;
  tg_edit *edits; /* [n_edits] of the row in work, in order */
  size_t n_edits, capacity;
} tg_processor;

t5gist_status tg_processor_init(tg_processor *processor, const tg_rules *rules, size_t vocab_size, t5gist_error *err);
void tg_processor_free(tg_processor *processor); /* zeroed or initialised */
/* Edits row [vocab_size], the scores of what follows ids [n_ids]; a banned id gets -inf. Restore before the next row is applied to. */
t5gist_status tg_processor_apply(tg_processor *processor, const int32_t *ids, size_t n_ids, float *row, t5gist_error *err);
void tg_processor_restore(tg_processor *processor, float *row);

/* ------------------------------------------------------------------------------------------------------------------------------- best */

typedef struct tg_best_entry {
  float score;
  int32_t id;
  int row;
} tg_best_entry;

/* The `limit` best entries of all rows scanned: higher scores first, then earlier rows, then lower ids. */
typedef struct tg_best {
  tg_best_entry *entries; /* [n] */
  size_t n, limit;
} tg_best;

t5gist_status tg_best_init(tg_best *best, size_t limit, t5gist_error *err);
void tg_best_free(tg_best *best);
static inline void tg_best_clear(tg_best *best) {
  best->n = 0;
}
/* Offers scores[i] + offset for every i < n. NaN and -inf are never taken. Rows must come in ascending order. */
void tg_best_scan(tg_best *best, const float *scores, size_t n, float offset, int row);
void tg_best_sort(tg_best *best); /* best first; clear before the next scan */

/* ------------------------------------------------------------------------------------------------------------------------------- draw */

typedef struct tg_sampler {
  float temperature, top_p;
  tg_best top_k;       /* limit 0: off */
  tg_best_entry *heap; /* [vocab_size] when top_p < 1 */
} tg_sampler;

t5gist_status tg_sampler_init(tg_sampler *sampler, float temperature, int top_k, float top_p, size_t vocab_size, t5gist_error *err);
void tg_sampler_free(tg_sampler *sampler); /* zeroed or initialised */
/* An id with the probability that softmax(scores / temperature) gives it after top_k and then top_p, as Hugging Face filters: top_k keeps what ties
 * with the k-th, top_p the fewest best whose sum reaches it (lower ids first among equals). uniform: 0 <= uniform < 1. -1: nothing is allowed. */
int32_t tg_sampler_draw(tg_sampler *sampler, const float *scores, size_t n, double uniform);

#endif
