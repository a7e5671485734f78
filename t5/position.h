/* T5's relative position bias. */
#ifndef T5GIST_T5_POSITION_H
#define T5GIST_T5_POSITION_H

#include <stdbool.h>
#include <stdint.h>

#include "runtime/memory.h"

/* The bucket of a distance (key position - query position), as T5Attention._relative_position_bucket computes it, in f32.
 * n_buckets >= 4 when bidirectional, >= 2 otherwise; max_distance above the exactly represented distances. */
int tg_position_bucket(int64_t distance, bool bidirectional, int n_buckets, int max_distance);

/* The learned bias of one stack by distance. Distances beyond max_distance share the bias of max_distance. */
typedef struct tg_position_table {
  float *bias; /* owned, [n_heads, 2 * max_distance + 1]: distances -max_distance .. max_distance */
  int n_heads, max_distance;
} tg_position_table;

/* weights: [n_buckets, n_heads], relative_attention_bias. */
t5gist_status tg_position_table_new(const float *weights, int n_buckets, int n_heads, int max_distance, bool bidirectional, tg_position_table *table,
                                    t5gist_error *err);
void tg_position_table_free(tg_position_table *table);

/* A view that covers distances -reach .. reach: the table itself, or a longer copy in the arena. Entry of head h at distance d:
 * bias[h * stride + zero + d]. */
typedef struct tg_position_bias {
  const float *bias;
  size_t stride;
  int zero;
} tg_position_bias;
t5gist_status tg_position_bias_get(const tg_position_table *table, int reach, tg_arena *arena, tg_position_bias *out, t5gist_error *err);

#endif
