/* The vectorised inner loops of ops.h, one table per instruction set: kernels_body.h compiled once for each (kernels_avx512.c, kernels_avx2.c,
 * kernels_portable.c). Serial; the ops_*.c share the work out. Any alignment. Internal to ops_*.c. Sums of long rows are sums of short runs' sums. */
#ifndef T5GIST_TRAINING_KERNELS_H
#define T5GIST_TRAINING_KERNELS_H

#include "runtime/kernels.h"
#include "training/dropout.h"

/* How numbers one after the other are dropped. */
typedef struct tg_drop {
  uint64_t stream;
  uint32_t first;      /* element of the stream that the first of them is */
  float limit, factor; /* tg_dropout_limit; 1 / (1 - rate). limit 0: nothing is dropped */
} tg_drop;

/* Scores of one query and consecutive keys: columns begin .. end - 1 of a row, of which the first `visible` are seen and the others masked. */
typedef struct tg_stretch {
  size_t begin, visible, end;
  const float *bias; /* [visible]; null: none */
  float *slopes;     /* [visible] on the way back, += those of the scores; null: not wanted */
  tg_drop drop;
} tg_stretch;

/* Softmaxes of a student's and a teacher's logits x and t, with the largest taken off: u = x - max_x, v = t - max_t. */
typedef struct tg_soft_sums {
  double x, t;         /* sum(exp(u)), sum(exp(v)) */
  double x_gap, t_gap; /* sum(exp(u) * (u - v)), sum(exp(v) * (u - v)) */
} tg_soft_sums;

typedef struct tg_train_kernels {
  void (*norm)(const float *x, const float *weight, size_t rows, size_t d, float eps, float *y, float *inverse);
  void (*norm_backward)(const float *x, const float *weight, const float *inverse, const float *dy, size_t rows, size_t d, float *dx, float *dweight);
  /* One row; gate and dgate null where there is none. */
  void (*activate_backward)(const float *x, const float *gate, const float *dy, size_t n, tg_activation activation, float *dx, float *dgate);
  void (*drop)(float *x, size_t n, const tg_drop *drop);
  void (*add)(const float *x, float factor, size_t n, float *y); /* y += factor * x */
  double (*sum)(const float *x, size_t n);
  double (*sum_squares)(const float *x, size_t n);
  double (*match)(const float *x, const float *y, float weight, size_t d, float eps, float *dx); /* one row; dx or null */

  /* to[i] = factor * rows[i], of d floats each, and zeros up to to_stride. */
  void (*copy)(const float *const *rows, size_t n, float factor, size_t d, float *to, size_t to_stride);
  /* sums [columns, d] += x^T y; x [n, columns] at x_stride, y [n, d]; d is a multiple of tg_simd's lanes. */
  void (*multiply_turned)(const float *x, size_t x_stride, const float *y, size_t n, size_t columns, size_t d, float *sums);
  /* One query: scores become exp(score + bias - largest), as dropped, and 0 where masked. Returns the largest; *sum is that before dropping. */
  float (*probabilities)(float *scores, const tg_stretch *parts, size_t n_parts, float *sum);
  /* One query on the way back: p, scores without bias, becomes probabilities as dropped; dp, slopes of those, becomes slopes of the scores. */
  void (*probabilities_backward)(float *p, float *dp, const tg_stretch *parts, size_t n_parts, float normaliser, float mean);

  void (*soft_sums)(const float *x, const float *t, size_t n, float max_x, float max_t, tg_soft_sums *sums);
  /* x = exp(u) * (a + b * (u - v)) + c * exp(v) + d; t null: x = exp(u) * a + d. */
  void (*soft_slopes)(float *x, const float *t, size_t n, float max_x, float max_t, const float abcd[4]);
} tg_train_kernels;

extern const tg_train_kernels tg_train_kernels_portable;
#if defined(__x86_64__)
extern const tg_train_kernels tg_train_kernels_avx2, tg_train_kernels_avx512;
#endif

/* The table for tg_cpu_isa(). */
const tg_train_kernels *tg_train_kernels_best(void);

#endif
