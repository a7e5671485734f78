#include "t5/position.h"

#include <math.h>
#include <string.h>

#include "runtime/error.h"

int tg_position_bucket(int64_t distance, bool bidirectional, int n_buckets, int max_distance) {
  int bucket = 0;
  if (bidirectional) {
    n_buckets /= 2;
    if (distance > 0) bucket = n_buckets;
    else distance = -distance;
  } else {
    distance = distance < 0 ? -distance : 0;
  }
  const int max_exact = n_buckets / 2;
  if (distance < max_exact) return bucket + (int)distance;
  const float steps = logf((float)distance / (float)max_exact) / (float)log((double)max_distance / max_exact) * (float)(n_buckets - max_exact);
  const float largest = (float)(n_buckets - 1 - max_exact);
  return bucket + max_exact + (int)(steps < largest ? steps : largest);
}

t5gist_status tg_position_table_new(const float *weights, int n_buckets, int n_heads, int max_distance, bool bidirectional, tg_position_table *table,
                                    t5gist_error *err) {
  const size_t width = 2 * (size_t)max_distance + 1;
  *table = (tg_position_table){.n_heads = n_heads, .max_distance = max_distance};
  size_t count;
  if (!tg_size_mul(width, (size_t)n_heads, &count))
    return tg_fail(err, T5GIST_EFORMAT, "%d heads x %d distances are too many", n_heads, max_distance);
  TG_TRY(tg_alloc(&table->bias, count, sizeof(float), err));
  for (size_t i = 0; i < width; i++) {
    const float *row = weights + (size_t)tg_position_bucket((int64_t)i - max_distance, bidirectional, n_buckets, max_distance) * (size_t)n_heads;
    for (int h = 0; h < n_heads; h++) table->bias[(size_t)h * width + i] = row[h];
  }
  return T5GIST_OK;
}

void tg_position_table_free(tg_position_table *table) {
  tg_free(table->bias);
  table->bias = NULL;
}

t5gist_status tg_position_bias_get(const tg_position_table *table, int reach, tg_arena *arena, tg_position_bias *out, t5gist_error *err) {
  const int limit = table->max_distance;
  const size_t width = 2 * (size_t)limit + 1;
  if (reach <= limit) {
    *out = (tg_position_bias){table->bias, width, limit};
    return T5GIST_OK;
  }
  const size_t wide = 2 * (size_t)reach + 1, margin = (size_t)(reach - limit);
  float *bias;
  TG_TRY(tg_arena_take(arena, &bias, wide * (size_t)table->n_heads, sizeof(float), err));
  for (int h = 0; h < table->n_heads; h++) {
    const float *from = table->bias + (size_t)h * width;
    float *to = bias + (size_t)h * wide;
    for (size_t i = 0; i < margin; i++) {
      to[i] = from[0];
      to[wide - 1 - i] = from[width - 1];
    }
    memcpy(to + margin, from, width * sizeof(float));
  }
  *out = (tg_position_bias){bias, wide, reach};
  return T5GIST_OK;
}
