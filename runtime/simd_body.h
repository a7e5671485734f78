/* The functions of tg_simd, written once in the operations of vector.h. Included by one file per instruction set, which defines TG_VECTOR_* before
 * and its table behind. Loops go over whole vectors, then over one part of a vector of tail lanes. */
#include "runtime/vector.h"

static float max_of(const float *x, size_t n) {
  tg_v largest = v_set(-INFINITY);
  size_t i = 0;
  for (; i + LANES <= n; i += LANES) largest = v_max(v_load(x + i), largest);
  float result = v_largest(largest);
  for (; i < n; i++) result = x[i] > result ? x[i] : result;
  return result;
}

/* Adds up in short runs, so that the rounding of long rows stays small. */
static double sum_exp(const float *x, size_t n, float shift) {
  enum { RUN = 512 };
  double total = 0;
  for (size_t begin = 0; begin < n; begin += RUN) {
    const size_t end = n - begin < RUN ? n : begin + RUN;
    tg_v sum = v_set(0);
    size_t i = begin;
    for (; i + LANES <= end; i += LANES) sum = v_add(sum, v_exp(v_sub(v_load(x + i), v_set(shift))));
    total += (double)v_sum(sum);
    if (i < end) {
      float tail[LANES];
      v_store(tail, v_exp(v_sub(v_load_n(x + i, end - i), v_set(shift))));
      for (size_t j = 0; j < end - i; j++) total += (double)tail[j];
    }
  }
  return total;
}

TG_INLINE void quantize_vector(tg_v x, tg_v factor, size_t n, int8_t *q, int8_t *low) {
  const tg_v scaled = v_mul(x, factor), whole = v_round(scaled);
  v_store_bytes(q, n, whole);
  if (low != NULL) v_store_bytes(low, n, v_round(v_mul(v_sub(scaled, whole), v_set(2 * 127))));
}

static float quantize(const float *x, size_t n, int8_t *q, int8_t *low) {
  tg_v largest = v_set(0), wrong = v_set(0); /* NaN where x is not finite: largest would lose it */
  size_t i = 0;
  for (; i + LANES <= n; i += LANES) {
    const tg_v value = v_load(x + i);
    largest = v_max(v_abs(value), largest);
    wrong = v_fma(value, v_set(0), wrong);
  }
  if (i < n) {
    const tg_v value = v_load_n(x + i, n - i);
    largest = v_max(v_abs(value), largest);
    wrong = v_fma(value, v_set(0), wrong);
  }
  const float max = v_largest(largest);
  const bool finite = v_sum(wrong) == 0;
  if (!finite || max < TG_QUANTIZE_LEAST) {
    memset(q, 0, n);
    if (low != NULL) memset(low, 0, n);
    return finite ? 0 : NAN;
  }
  const tg_v factor = v_set(127 / max);
  for (i = 0; i + LANES <= n; i += LANES) quantize_vector(v_load(x + i), factor, LANES, q + i, low ? low + i : NULL);
  if (i < n) quantize_vector(v_load_n(x + i, n - i), factor, n - i, q + i, low ? low + i : NULL);
  return max / 127;
}

static void rmsnorm(const float *x, const float *weight, size_t rows, size_t d, float eps, float *y) {
  const size_t whole = d - d % LANES, tail = d - whole;
  for (size_t row = 0; row < rows; row++, x += d, y += d) {
    tg_v sums[4] = {v_set(0), v_set(0), v_set(0), v_set(0)};
    for (size_t i = 0, turn = 0; i < whole; i += LANES, turn = (turn + 1) & 3) {
      const tg_v value = v_load(x + i);
      sums[turn] = v_fma(value, value, sums[turn]);
    }
    if (tail > 0) {
      const tg_v value = v_load_n(x + whole, tail);
      sums[0] = v_fma(value, value, sums[0]);
    }
    const float sum = v_sum(v_add(v_add(sums[0], sums[1]), v_add(sums[2], sums[3])));
    const tg_v factor = v_set(1.0f / sqrtf(sum / (float)d + eps));
    for (size_t i = 0; i < whole; i += LANES) v_store(y + i, v_mul(v_mul(v_load(x + i), factor), v_load(weight + i)));
    if (tail > 0) v_store_n(y + whole, tail, v_mul(v_mul(v_load_n(x + whole, tail), factor), v_load_n(weight + whole, tail)));
  }
}

/* 0.5 (1 + tanh u) = 1 / (1 + exp(-2u)), which holds its precision on both sides. */
TG_INLINE tg_v v_activate(tg_v x, tg_activation activation) {
  if (activation == TG_RELU) return v_max(v_set(0), x);
  tg_v minus = v_sub(v_set(0), x);
  if (activation == TG_GELU_NEW) minus = v_mul(minus, v_fma(v_mul(x, x), v_set(2 * 0.7978845608f * 0.044715f), v_set(2 * 0.7978845608f)));
  return v_div(v_max(v_set(-1000), x), v_add(v_set(1), v_exp(minus))); /* v_exp is bounded, so x must be */
}

TG_INLINE void activate_as(const float *x, const float *gate, size_t n, tg_activation activation, float *y) {
  size_t i = 0;
  for (; i + LANES <= n; i += LANES) {
    const tg_v value = v_activate(v_load(x + i), activation);
    v_store(y + i, gate == NULL ? value : v_mul(value, v_load(gate + i)));
  }
  if (i == n) return;
  const tg_v value = v_activate(v_load_n(x + i, n - i), activation);
  v_store_n(y + i, n - i, gate == NULL ? value : v_mul(value, v_load_n(gate + i, n - i)));
}

static void activate(const float *x, const float *gate, size_t n, tg_activation activation, float *y) {
  switch (activation) {
    case TG_RELU: activate_as(x, gate, n, TG_RELU, y); break;
    case TG_GELU_NEW: activate_as(x, gate, n, TG_GELU_NEW, y); break;
    case TG_SILU: activate_as(x, gate, n, TG_SILU, y); break;
  }
}

static void scale(const float *x, float factor, size_t n, float *y) {
  const tg_v by = v_set(factor);
  size_t i = 0;
  for (; i + LANES <= n; i += LANES) v_store(y + i, v_mul(v_load(x + i), by));
  if (i < n) v_store_n(y + i, n - i, v_mul(v_load_n(x + i, n - i), by));
}

/* A tile of c that stays in registers: rows x vectors, both compile-time constants after inlining. */
TG_INLINE void multiply_tile(const float *a, size_t a_stride, const float *b, size_t b_stride, const size_t rows, size_t depth, const size_t vectors,
                             float *c, size_t c_stride, bool accumulate) {
  tg_v sums[8][2];
#pragma GCC unroll 8
  for (size_t r = 0; r < rows; r++)
#pragma GCC unroll 2
    for (size_t v = 0; v < vectors; v++) sums[r][v] = v_set(0);
  for (size_t k = 0; k < depth; k++) {
    tg_v line[2];
#pragma GCC unroll 2
    for (size_t v = 0; v < vectors; v++) line[v] = v_load(b + k * b_stride + v * LANES);
#pragma GCC unroll 8
    for (size_t r = 0; r < rows; r++) {
      const tg_v factor = v_set(a[r * a_stride + k]);
#pragma GCC unroll 2
      for (size_t v = 0; v < vectors; v++) sums[r][v] = v_fma(factor, line[v], sums[r][v]);
    }
  }
#pragma GCC unroll 8
  for (size_t r = 0; r < rows; r++)
#pragma GCC unroll 2
    for (size_t v = 0; v < vectors; v++) {
      float *to = c + r * c_stride + v * LANES;
      v_store(to, accumulate ? v_add(v_load(to), sums[r][v]) : sums[r][v]);
    }
}

TG_INLINE void multiply_rows(const float *a, size_t a_stride, const float *b, size_t b_stride, const size_t rows, size_t depth, size_t columns,
                             float *c, size_t c_stride, bool accumulate) {
  size_t column = 0;
  for (; column + 2 * LANES <= columns; column += 2 * LANES)
    multiply_tile(a, a_stride, b + column, b_stride, rows, depth, 2, c + column, c_stride, accumulate);
  if (column < columns) multiply_tile(a, a_stride, b + column, b_stride, rows, depth, 1, c + column, c_stride, accumulate);
}

static void multiply_run(const float *a, size_t a_stride, const float *b, size_t b_stride, size_t rows, size_t depth, size_t columns, float *c,
                         size_t c_stride, bool accumulate) {
  enum { TILE = LANES == 16 ? 8 : 4 }; /* twice as many accumulators fit into half of the registers */
  size_t row = 0;
  for (; row + TILE <= rows; row += TILE)
    multiply_rows(a + row * a_stride, a_stride, b, b_stride, TILE, depth, columns, c + row * c_stride, c_stride, accumulate);
  if (row + 4 <= rows) {
    multiply_rows(a + row * a_stride, a_stride, b, b_stride, 4, depth, columns, c + row * c_stride, c_stride, accumulate);
    row += 4;
  }
  for (; row < rows; row++) multiply_rows(a + row * a_stride, a_stride, b, b_stride, 1, depth, columns, c + row * c_stride, c_stride, accumulate);
}

/* Adds up in runs from zero, so that the rounding of long sums stays small. */
static void multiply(const float *a, size_t a_stride, const float *b, size_t b_stride, size_t rows, size_t depth, size_t columns, float *c,
                     size_t c_stride, bool accumulate) {
  enum { RUN = 64 };
  for (size_t k = 0; k < depth; k += RUN)
    multiply_run(a + k, a_stride, b + k * b_stride, b_stride, rows, depth - k < RUN ? depth - k : RUN, columns, c, c_stride, accumulate || k > 0);
}

/* Inputs 0..n-1 of rows rows, 4 vectors of outputs: both stay in registers. Adds to sums, from zero first. */
TG_INLINE void multiply_pairs_tile(const float *x, size_t x_stride, const uint16_t *weights, size_t n, const size_t rows, float *sums) {
  tg_v s[6][4];
#pragma GCC unroll 6
  for (size_t r = 0; r < rows; r++)
#pragma GCC unroll 4
    for (size_t v = 0; v < 4; v++) s[r][v] = v_set(0);
  for (size_t k = 0; k < n; k += 2) {
    const bool both = k + 1 < n;
#pragma GCC unroll 4
    for (size_t v = 0; v < 4; v++) {
      tg_v first, second;
      v_load_pairs(weights + k * 64 + v * 2 * LANES, &first, &second);
#pragma GCC unroll 6
      for (size_t r = 0; r < rows; r++) {
        s[r][v] = v_fma(v_set(x[r * x_stride + k]), first, s[r][v]);
        if (both) s[r][v] = v_fma(v_set(x[r * x_stride + k + 1]), second, s[r][v]);
      }
    }
  }
#pragma GCC unroll 6
  for (size_t r = 0; r < rows; r++)
#pragma GCC unroll 4
    for (size_t v = 0; v < 4; v++) v_store(sums + r * 64 + v * LANES, v_add(v_load(sums + r * 64 + v * LANES), s[r][v]));
}

static void multiply_pairs(const float *x, size_t n_in, const uint16_t *weights, size_t rows, float *sums) {
  enum { RUN = 64, TILE = LANES == 16 ? 6 : 2 }; /* 24 sums in 32 registers, 8 in 16 */
  memset(sums, 0, rows * 64 * sizeof *sums);
  for (size_t k = 0; k < n_in; k += RUN) {
    const size_t n = n_in - k < RUN ? n_in - k : RUN;
    for (size_t column = 0; column < 64; column += 4 * LANES) {
      const uint16_t *from = weights + k * 64 + column * 2;
      size_t row = 0;
      for (; row + TILE <= rows; row += TILE) multiply_pairs_tile(x + row * n_in + k, n_in, from, n, TILE, sums + row * 64 + column);
      for (; row < rows; row++) multiply_pairs_tile(x + row * n_in + k, n_in, from, n, 1, sums + row * 64 + column);
    }
  }
}

static void transpose(const float *const *from, size_t rows, size_t columns, float *to, size_t to_stride) {
  for (size_t row = 0; row < rows; row += LANES)
    for (size_t column = 0; column < columns; column += LANES) {
      const size_t n = columns - column < LANES ? columns - column : LANES;
      tg_v tile[LANES];
#pragma GCC unroll 16
      for (size_t i = 0; i < LANES; i++)
        tile[i] = row + i >= rows ? v_set(0) : n < LANES ? v_load_n(from[row + i] + column, n) : v_load(from[row + i] + column);
      v_transpose(tile);
      for (size_t i = 0; i < n; i++) v_store(to + (column + i) * to_stride + row, tile[i]);
    }
}

/* Rows to read, in f32 or in bf16: one of the two is there. */
typedef struct either {
  const float *const *wide;
  const uint16_t *const *narrow;
} either;

TG_INLINE tg_v load_either(either rows, const bool narrow, size_t i, size_t at) {
  return narrow ? v_load_bf16(rows.narrow[i] + at) : v_load(rows.wide[i] + at);
}

TG_INLINE tg_v load_either_n(either rows, const bool narrow, size_t i, size_t at, size_t n) {
  return narrow ? v_load_bf16_n(rows.narrow[i] + at, n) : v_load_n(rows.wide[i] + at, n);
}

TG_INLINE void dots_of(const float *q, either keys, const bool narrow, size_t n, size_t d, float *scores) {
  const size_t whole = d - d % LANES, tail = d - whole;
  for (size_t i = 0; i < n; i++) {
    tg_v sum = v_set(0);
    for (size_t j = 0; j < whole; j += LANES) sum = v_fma(v_load(q + j), load_either(keys, narrow, i, j), sum);
    if (tail > 0) sum = v_fma(v_load_n(q + whole, tail), load_either_n(keys, narrow, i, whole, tail), sum);
    scores[i] = v_sum(sum);
  }
}

static void dots(const float *q, const float *const *keys, size_t n, size_t d, float *scores) {
  dots_of(q, (either){.wide = keys}, false, n, d, scores);
}

static void dots_bf16(const float *q, const uint16_t *const *keys, size_t n, size_t d, float *scores) {
  dots_of(q, (either){.narrow = keys}, true, n, d, scores);
}

/* Up to four vectors of out at a time, so that they stay in registers. */
TG_INLINE void combine_vectors(const float *weights, either values, const bool narrow, size_t n, size_t at, const size_t vectors, float *out,
                               bool accumulate) {
  tg_v sums[4];
#pragma GCC unroll 4
  for (size_t v = 0; v < vectors; v++) sums[v] = v_set(0);
  for (size_t i = 0; i < n; i++) {
    const tg_v weight = v_set(weights[i]);
#pragma GCC unroll 4
    for (size_t v = 0; v < vectors; v++) sums[v] = v_fma(weight, load_either(values, narrow, i, at + v * LANES), sums[v]);
  }
#pragma GCC unroll 4
  for (size_t v = 0; v < vectors; v++) v_store(out + at + v * LANES, accumulate ? v_add(v_load(out + at + v * LANES), sums[v]) : sums[v]);
}

TG_INLINE void combine_run(const float *weights, either values, const bool narrow, size_t n, size_t d, float *out, bool accumulate) {
  size_t at = 0;
  for (; at + 4 * LANES <= d; at += 4 * LANES) combine_vectors(weights, values, narrow, n, at, 4, out, accumulate);
  for (; at + LANES <= d; at += LANES) combine_vectors(weights, values, narrow, n, at, 1, out, accumulate);
  if (at == d) return;
  tg_v sum = v_set(0);
  for (size_t i = 0; i < n; i++) sum = v_fma(v_set(weights[i]), load_either_n(values, narrow, i, at, d - at), sum);
  v_store_n(out + at, d - at, accumulate ? v_add(v_load_n(out + at, d - at), sum) : sum);
}

enum { COMBINE_RUN = 64 };
static void combine(const float *weights, const float *const *values, size_t n, size_t d, float *out, bool accumulate) {
  for (size_t i = 0; i < n; i += COMBINE_RUN)
    combine_run(weights + i, (either){.wide = values + i}, false, n - i < COMBINE_RUN ? n - i : COMBINE_RUN, d, out, accumulate || i > 0);
}

static void combine_bf16(const float *weights, const uint16_t *const *values, size_t n, size_t d, float *out, bool accumulate) {
  for (size_t i = 0; i < n; i += COMBINE_RUN)
    combine_run(weights + i, (either){.narrow = values + i}, true, n - i < COMBINE_RUN ? n - i : COMBINE_RUN, d, out, accumulate || i > 0);
}

static float soften(float *x, const float *bias, size_t n, float *max) {
  tg_v even = v_set(-INFINITY), odd = even; /* of the scores, in two chains: one would wait for itself */
  size_t at = 0;
  for (; at + 2 * LANES <= n; at += 2 * LANES) {
    tg_v first = v_load(x + at), second = v_load(x + at + LANES);
    if (bias != NULL) {
      first = v_add(first, v_load(bias + at));
      second = v_add(second, v_load(bias + at + LANES));
      v_store(x + at, first);
      v_store(x + at + LANES, second);
    }
    even = v_max(first, even);
    odd = v_max(second, odd);
  }
  const float own = v_largest(v_max(even, odd));
  if (own > *max) *max = own;
  for (; at < n; at++) {
    if (bias != NULL) x[at] += bias[at];
    if (x[at] > *max) *max = x[at];
  }
  const tg_v shift = v_set(*max);
  tg_v sum = v_set(0);
  size_t i = 0;
  for (; i + LANES <= n; i += LANES) {
    const tg_v value = v_exp(v_sub(v_load(x + i), shift));
    sum = v_add(sum, value);
    v_store(x + i, value);
  }
  float total = v_sum(sum);
  if (i < n) {
    v_store_n(x + i, n - i, v_exp(v_sub(v_load_n(x + i, n - i), shift)));
    for (; i < n; i++) total += x[i];
  }
  return total;
}
