/* The functions of tg_train_kernels, written once in the operations of runtime/vector.h. Included by one file per instruction set, which defines
 * TG_VECTOR_* and TG_KERNELS, the table's name, before. Loops go over whole vectors, then over one part of a vector, whose other lanes are zeros on
 * loading and left alone on storing. */
#include "training/kernels.h"

#include "runtime/vector.h"
#include "training/vector_random.h"

enum { RUN = 512 }; /* floats whose sum is taken in f32 */

TG_INLINE tg_v load(const float *x, size_t left) {
  return left >= LANES ? v_load(x) : v_load_n(x, left);
}

TG_INLINE void store(float *x, size_t left, tg_v value) {
  if (left >= LANES)
    v_store(x, value);
  else
    v_store_n(x, left, value);
}

/* Read from LANES - left, lanes beyond the first `left` get what is behind. */
static const float ones_then_zeros[2 * LANES] = {[0 ... LANES - 1] = 1};
static const float zeros_then_lows[2 * LANES] = {[LANES... 2 * LANES - 1] = -INFINITY};

/* The first `left` lanes of a finite value, zeros behind. */
TG_INLINE tg_v keep_first(tg_v value, size_t left) {
  return left >= LANES ? value : v_mul(value, v_load(ones_then_zeros + LANES - left));
}

TG_INLINE double products_of(const float *x, const float *y, size_t n) {
  double total = 0;
  for (size_t begin = 0; begin < n; begin += RUN) {
    const size_t end = n - begin < RUN ? n : begin + RUN;
    tg_v sums[4] = {v_set(0), v_set(0), v_set(0), v_set(0)};
    size_t i = begin;
    for (; i + 4 * LANES <= end; i += 4 * LANES)
#pragma GCC unroll 4
      for (size_t j = 0; j < 4; j++) sums[j] = v_fma(v_load(x + i + j * LANES), v_load(y + i + j * LANES), sums[j]);
    for (; i < end; i += LANES) sums[0] = v_fma(load(x + i, end - i), load(y + i, end - i), sums[0]);
    total += (double)v_sum(v_add(v_add(sums[0], sums[1]), v_add(sums[2], sums[3])));
  }
  return total;
}

static double sum_squares(const float *x, size_t n) {
  return products_of(x, x, n);
}

static double sum(const float *x, size_t n) {
  double total = 0;
  for (size_t begin = 0; begin < n; begin += RUN) {
    const size_t end = n - begin < RUN ? n : begin + RUN;
    tg_v part = v_set(0);
    for (size_t i = begin; i < end; i += LANES) part = v_add(part, load(x + i, end - i));
    total += (double)v_sum(part);
  }
  return total;
}

static void add(const float *x, float factor, size_t n, float *y) {
  const tg_v by = v_set(factor);
  for (size_t i = 0; i < n; i += LANES) store(y + i, n - i, v_fma(load(x + i, n - i), by, load(y + i, n - i)));
}

static void drop_row(float *x, size_t n, const tg_drop *drop) {
  const tg_v limit = v_set(drop->limit), factor = v_set(drop->factor);
  for (size_t i = 0; i < n; i += LANES)
    store(x + i, n - i, v_mul(load(x + i, n - i), v_keep(drop->stream, drop->first + (uint32_t)i, limit, factor)));
}

/* ------------------------------------------------------------------------------------------------------------------------------- RMSNorm */

static void norm(const float *x, const float *weight, size_t rows, size_t d, float eps, float *y, float *inverse) {
  for (size_t row = 0; row < rows; row++, x += d, y += d) {
    inverse[row] = (float)(1 / sqrt(sum_squares(x, d) / (double)d + (double)eps));
    const tg_v factor = v_set(inverse[row]);
    for (size_t i = 0; i < d; i += LANES) store(y + i, d - i, v_mul(v_mul(load(x + i, d - i), factor), load(weight + i, d - i)));
  }
}

static void norm_backward(const float *x, const float *weight, const float *inverse, const float *dy, size_t rows, size_t d, float *dx,
                          float *dweight) {
  for (size_t row = 0; row < rows; row++, x += d, dy += d, dx += d) {
    tg_v sums = v_set(0);
    for (size_t i = 0; i < d; i += LANES) {
      const size_t left = d - i;
      sums = v_fma(v_mul(load(dy + i, left), load(weight + i, left)), load(x + i, left), sums);
    }
    const tg_v factor = v_set(inverse[row]), pull = v_set(-v_sum(sums) / (float)d * inverse[row] * inverse[row]);
    for (size_t i = 0; i < d; i += LANES) {
      const size_t left = d - i;
      const tg_v value = load(x + i, left), up = v_mul(load(dy + i, left), factor), own = v_mul(v_mul(value, pull), factor);
      store(dweight + i, left, v_fma(up, value, load(dweight + i, left)));
      store(dx + i, left, v_add(load(dx + i, left), v_fma(up, load(weight + i, left), own)));
    }
  }
}

static double match(const float *x, const float *y, float weight, size_t d, float eps, float *dx) {
  const tg_v inverse_x = v_set((float)(1 / sqrt(sum_squares(x, d) / (double)d + (double)eps)));
  const tg_v inverse_y = v_set((float)(1 / sqrt(sum_squares(y, d) / (double)d + (double)eps)));
  tg_v squares = v_set(0), along = v_set(0);
  for (size_t i = 0; i < d; i += LANES) {
    const tg_v own = v_mul(load(x + i, d - i), inverse_x), gap = v_sub(own, v_mul(load(y + i, d - i), inverse_y));
    squares = v_fma(gap, gap, squares);
    along = v_fma(gap, own, along);
  }
  const tg_v factor = v_mul(v_set(2 * weight / (float)d), inverse_x), pull = v_set(v_sum(along) / (float)d);
  for (size_t i = 0; dx != NULL && i < d; i += LANES) {
    const tg_v own = v_mul(load(x + i, d - i), inverse_x), gap = v_sub(own, v_mul(load(y + i, d - i), inverse_y));
    store(dx + i, d - i, v_fma(factor, v_sub(gap, v_mul(own, pull)), load(dx + i, d - i)));
  }
  return (double)weight * (double)v_sum(squares) / (double)d;
}

/* ---------------------------------------------------------------------------------------------------------------------------- activation */

/* gelu_new and silu are x s(z) with s(z) = 1 / (1 + exp(-z)): z = 2 sqrt(2 / pi) (x + 0.044715 x^3) or x. Their slope is s + x s (1 - s) z', and 1 -
 * s = exp(-z) s holds its precision on both sides. */
TG_INLINE tg_v v_activation(tg_v x, tg_activation activation, tg_v *slope) {
  const float root = 2 * 0.7978845608f;
  if (activation == TG_RELU) {
    *slope = v_min(v_set(1), v_max(v_set(0), v_mul(x, v_set(1e38f)))); /* 1 where x > 0 */
    return v_max(v_set(0), x);
  }
  const tg_v bounded = v_min(v_set(1000), v_max(v_set(-1000), x)); /* v_exp is bounded, so x must be */
  tg_v minus = v_sub(v_set(0), bounded), steep = v_set(1);
  if (activation == TG_GELU_NEW) {
    const tg_v square = v_mul(bounded, bounded);
    minus = v_mul(minus, v_fma(square, v_set(root * 0.044715f), v_set(root)));
    steep = v_fma(square, v_set(root * 3 * 0.044715f), v_set(root));
  }
  const tg_v exponential = v_exp(minus), gate = v_div(v_set(1), v_add(v_set(1), exponential));
  *slope = v_fma(v_mul(v_mul(bounded, gate), v_mul(exponential, gate)), steep, gate);
  return v_mul(v_max(v_set(-1000), x), gate);
}

TG_INLINE void activate_backward_as(const float *x, const float *gate, const float *dy, size_t n, tg_activation activation, float *dx, float *dgate) {
  for (size_t i = 0; i < n; i += LANES) {
    const size_t left = n - i;
    tg_v slope, up = load(dy + i, left);
    const tg_v value = v_activation(load(x + i, left), activation, &slope);
    if (gate != NULL) {
      const tg_v by = load(gate + i, left);
      store(dgate + i, left, v_mul(up, value));
      up = v_mul(up, by);
    }
    store(dx + i, left, v_mul(up, slope));
  }
}

static void activate_backward(const float *x, const float *gate, const float *dy, size_t n, tg_activation activation, float *dx, float *dgate) {
  switch (activation) {
    case TG_RELU: activate_backward_as(x, gate, dy, n, TG_RELU, dx, dgate); break;
    case TG_GELU_NEW: activate_backward_as(x, gate, dy, n, TG_GELU_NEW, dx, dgate); break;
    case TG_SILU: activate_backward_as(x, gate, dy, n, TG_SILU, dx, dgate); break;
  }
}

/* ----------------------------------------------------------------------------------------------------------------------------- attention */

static void copy(const float *const *rows, size_t n, float factor, size_t d, float *to, size_t to_stride) {
  const tg_v by = v_set(factor);
  for (size_t row = 0; row < n; row++, to += to_stride) {
    size_t i = 0;
    for (; i + LANES <= d; i += LANES) v_store(to + i, v_mul(v_load(rows[row] + i), by));
    if (i < d) v_store(to + i, v_mul(v_load_n(rows[row] + i, d - i), by));
    for (i = i < d ? i + LANES : i; i < to_stride; i += LANES) v_store(to + i, v_set(0));
  }
}

/* A tile of sums that stays in registers: rows x vectors, both compile-time constants after inlining. */
TG_INLINE void turned_tile(const float *x, size_t x_stride, const float *y, size_t n, const size_t rows, size_t d, const size_t vectors,
                           float *sums) {
  tg_v tile[8][2];
#pragma GCC unroll 8
  for (size_t r = 0; r < rows; r++)
#pragma GCC unroll 2
    for (size_t v = 0; v < vectors; v++) tile[r][v] = v_load(sums + r * d + v * LANES);
  for (size_t i = 0; i < n; i++, x += x_stride, y += d) {
    tg_v line[2];
#pragma GCC unroll 2
    for (size_t v = 0; v < vectors; v++) line[v] = v_load(y + v * LANES);
#pragma GCC unroll 8
    for (size_t r = 0; r < rows; r++) {
      const tg_v factor = v_set(x[r]);
#pragma GCC unroll 2
      for (size_t v = 0; v < vectors; v++) tile[r][v] = v_fma(factor, line[v], tile[r][v]);
    }
  }
#pragma GCC unroll 8
  for (size_t r = 0; r < rows; r++)
#pragma GCC unroll 2
    for (size_t v = 0; v < vectors; v++) v_store(sums + r * d + v * LANES, tile[r][v]);
}

TG_INLINE void turned_rows(const float *x, size_t x_stride, const float *y, size_t n, const size_t rows, size_t d, float *sums) {
  size_t at = 0;
  for (; at + 2 * LANES <= d; at += 2 * LANES) turned_tile(x, x_stride, y + at, n, rows, d, 2, sums + at);
  if (at < d) turned_tile(x, x_stride, y + at, n, rows, d, 1, sums + at);
}

static void multiply_turned(const float *x, size_t x_stride, const float *y, size_t n, size_t columns, size_t d, float *sums) {
  enum { TILE = LANES == 16 ? 8 : 4 }; /* twice as many accumulators fit into half of the registers */
  size_t column = 0;
  for (; column + TILE <= columns; column += TILE) turned_rows(x + column, x_stride, y, n, TILE, d, sums + column * d);
  for (; column < columns; column++) turned_rows(x + column, x_stride, y, n, 1, d, sums + column * d);
}

TG_INLINE void clear_masked(const tg_stretch *part, float *row) {
  for (size_t i = part->begin + part->visible; i < part->end; i++) row[i] = 0;
}

static float probabilities(float *scores, const tg_stretch *parts, size_t n_parts, float *sum) {
  tg_v largest = v_set(-INFINITY), total = v_set(0);
  for (const tg_stretch *part = parts; part < parts + n_parts; part++)
    for (size_t i = 0; i < part->visible; i += LANES) {
      const size_t left = part->visible - i;
      tg_v score = load(scores + part->begin + i, left);
      if (part->bias != NULL) {
        score = v_add(score, load(part->bias + i, left));
        store(scores + part->begin + i, left, score);
      }
      largest = v_max(left >= LANES ? score : v_add(score, v_load(zeros_then_lows + LANES - left)), largest);
    }
  const float max = v_largest(largest);
  for (const tg_stretch *part = parts; part < parts + n_parts; part++) {
    const tg_v limit = v_set(part->drop.limit), factor = v_set(part->drop.factor);
    for (size_t i = 0; i < part->visible; i += LANES) {
      const size_t left = part->visible - i;
      tg_v value = keep_first(v_exp(v_sub(load(scores + part->begin + i, left), v_set(max))), left);
      total = v_add(total, value);
      if (part->drop.limit > 0) value = v_mul(value, v_keep(part->drop.stream, part->drop.first + (uint32_t)i, limit, factor));
      store(scores + part->begin + i, left, value);
    }
    clear_masked(part, scores);
  }
  *sum = v_sum(total);
  return max;
}

static void probabilities_backward(float *p, float *dp, const tg_stretch *parts, size_t n_parts, float normaliser, float mean) {
  const tg_v shift = v_set(normaliser), middle = v_set(mean);
  for (const tg_stretch *part = parts; part < parts + n_parts; part++) {
    const tg_v limit = v_set(part->drop.limit), factor = v_set(part->drop.factor);
    for (size_t i = 0; i < part->visible; i += LANES) {
      const size_t left = part->visible - i, at = part->begin + i;
      tg_v score = load(p + at, left), slope = load(dp + at, left), kept = v_set(1);
      if (part->bias != NULL) score = v_add(score, load(part->bias + i, left));
      if (part->drop.limit > 0) kept = v_keep(part->drop.stream, part->drop.first + (uint32_t)i, limit, factor);
      const tg_v probability = v_exp(v_sub(score, shift));
      slope = v_mul(probability, v_sub(v_mul(slope, kept), middle));
      store(p + at, left, v_mul(probability, kept));
      store(dp + at, left, slope);
      if (part->slopes != NULL) store(part->slopes + i, left, v_add(load(part->slopes + i, left), slope));
    }
    clear_masked(part, p);
    clear_masked(part, dp);
  }
}

/* -------------------------------------------------------------------------------------------------------------------------------- losses */

static void soft_sums(const float *x, const float *t, size_t n, float max_x, float max_t, tg_soft_sums *sums) {
  *sums = (tg_soft_sums){0, 0, 0, 0};
  for (size_t begin = 0; begin < n; begin += RUN) {
    const size_t end = n - begin < RUN ? n : begin + RUN;
    tg_v sum_x = v_set(0), sum_t = v_set(0), gap_x = v_set(0), gap_t = v_set(0);
    for (size_t i = begin; i < end; i += LANES) {
      const tg_v u = v_sub(load(x + i, end - i), v_set(max_x)), v = v_sub(load(t + i, end - i), v_set(max_t)), gap = v_sub(u, v);
      const tg_v exp_u = keep_first(v_exp(u), end - i), exp_v = keep_first(v_exp(v), end - i);
      sum_x = v_add(sum_x, exp_u);
      sum_t = v_add(sum_t, exp_v);
      gap_x = v_fma(exp_u, gap, gap_x);
      gap_t = v_fma(exp_v, gap, gap_t);
    }
    sums->x += (double)v_sum(sum_x);
    sums->t += (double)v_sum(sum_t);
    sums->x_gap += (double)v_sum(gap_x);
    sums->t_gap += (double)v_sum(gap_t);
  }
}

static void soft_slopes(float *x, const float *t, size_t n, float max_x, float max_t, const float abcd[4]) {
  const tg_v a = v_set(abcd[0]), b = v_set(abcd[1]), c = v_set(abcd[2]), d = v_set(abcd[3]);
  for (size_t i = 0; i < n; i += LANES) {
    const tg_v u = v_sub(load(x + i, n - i), v_set(max_x));
    tg_v slope;
    if (t == NULL) {
      slope = v_fma(v_exp(u), a, d);
    } else {
      const tg_v v = v_sub(load(t + i, n - i), v_set(max_t));
      slope = v_fma(v_exp(u), v_fma(b, v_sub(u, v), a), v_fma(c, v_exp(v), d));
    }
    store(x + i, n - i, slope);
  }
}

const tg_train_kernels TG_KERNELS = {
    .norm = norm,
    .norm_backward = norm_backward,
    .activate_backward = activate_backward,
    .drop = drop_row,
    .add = add,
    .sum = sum,
    .sum_squares = sum_squares,
    .match = match,
    .copy = copy,
    .multiply_turned = multiply_turned,
    .probabilities = probabilities,
    .probabilities_backward = probabilities_backward,
    .soft_sums = soft_sums,
    .soft_slopes = soft_slopes,
};
