/* What dropout drops, by counter: element i of a stream is kept or not whatever is computed with it, so the way back draws again what the way
 * forward drew, and vectors of elements can be drawn at once (kernels_body.h). */
#ifndef T5GIST_TRAINING_DROPOUT_H
#define T5GIST_TRAINING_DROPOUT_H

#include <stdbool.h>
#include <stddef.h>

#include "t5/random.h"

/* Vectors of activations are cut into runs of so many elements, each a stream of its own, because a stream's counter has 32 bits. */
#define TG_DROPOUT_RUN ((size_t)65536)

static inline uint64_t tg_dropout_run(uint64_t key, size_t run) {
  return tg_random_at(key, run);
}

/* The probabilities of one head and query row; element i is the key's row. */
static inline uint64_t tg_dropout_row(uint64_t key, int head, int query_row) {
  return tg_random_at(tg_random_key(key, (uint64_t)head), (uint64_t)query_row);
}

/* 24 bits of element i: Wellons' lowbias32 (public domain, github.com/skeeto/hash-prospector), a bijection of 32 bits, of the counter shifted by the
 * stream's lower half, with the upper half mixed in on the way. */
static inline uint32_t tg_dropout_draw(uint64_t stream, uint32_t i) {
  uint32_t x = i + (uint32_t)stream;
  x = (x ^ x >> 16) * 0x7feb352du;
  x ^= (uint32_t)(stream >> 32);
  x = (x ^ x >> 15) * 0x846ca68bu;
  return (x ^ x >> 16) >> 8;
}

/* Draws below this are dropped. */
static inline float tg_dropout_limit(float p) {
  return p * 0x1p24f;
}

static inline bool tg_dropout_keeps(uint64_t stream, uint32_t i, float limit) {
  return (float)tg_dropout_draw(stream, i) >= limit;
}

#endif
