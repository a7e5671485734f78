/* The vectorised inner loops, one table per instruction set: simd_body.h compiled once for each (simd_avx512.c, simd_avx2.c, simd_portable.c).
 * Everything here is serial and works on whatever rows it is given; kernels.c, attention.c and linear.c split the work over threads.
 * Internal to runtime/ and training/. */
#ifndef T5GIST_RUNTIME_SIMD_H
#define T5GIST_RUNTIME_SIMD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "runtime/kernels.h"

typedef struct tg_simd {
  size_t lanes; /* floats of a vector, a power of two */

  /* kernels.h. gate: null, or what the activations are multiplied with. max ignores NaN and is -inf when nothing is left. sum_exp: of x - shift. */
  void (*rmsnorm)(const float *x, const float *weight, size_t rows, size_t d, float eps, float *y);
  void (*activate)(const float *x, const float *gate, size_t n, tg_activation activation, float *y);
  void (*scale)(const float *x, float factor, size_t n, float *y);
  float (*max)(const float *x, size_t n);
  double (*sum_exp)(const float *x, size_t n, float shift);
  float (*quantize)(const float *x, size_t n, int8_t *q, int8_t *low); /* tg_quantize_row; tg_quantize_row_wide where low is not null */

  /* c[rows, columns] (+)= a[rows, depth] b[depth, columns], row-major with strides in floats; columns is a multiple of lanes. Each element
   * is a sum of sums of 64 products, in ascending order of depth, whatever rows and columns are computed with it. */
  void (*multiply)(const float *a, size_t a_stride, const float *b, size_t b_stride, size_t rows, size_t depth, size_t columns, float *c,
                   size_t c_stride, bool accumulate);
  /* sums[rows][64] = x [rows, n_in] times a block of weights in bf16, [(n_in + 1) / 2][64][2]: linear_bf16.h. Added up as in multiply. */
  void (*multiply_pairs)(const float *x, size_t n_in, const uint16_t *weights, size_t rows, float *sums);
  /* to[j * to_stride + i] = from[i][j] for j < columns, i < rows and zeros behind up to a multiple of lanes. */
  void (*transpose)(const float *const *from, size_t rows, size_t columns, float *to, size_t to_stride);
  /* scores[i] = q . keys[i], of d values; keys in bf16 give the same bits as widened. */
  void (*dots)(const float *q, const float *const *keys, size_t n, size_t d, float *scores);
  void (*dots_bf16)(const float *q, const uint16_t *const *keys, size_t n, size_t d, float *scores);
  /* out[d] (+)= sum of weights[i] * values[i][d], added up as in multiply; likewise. */
  void (*combine)(const float *weights, const float *const *values, size_t n, size_t d, float *out, bool accumulate);
  void (*combine_bf16)(const float *weights, const uint16_t *const *values, size_t n, size_t d, float *out, bool accumulate);
  /* Adds bias (null: none) to x, raises *max to the largest of them, replaces x by exp(x - *max) and returns the sum. n >= 1. */
  float (*soften)(float *x, const float *bias, size_t n, float *max);
} tg_simd;

extern const tg_simd tg_simd_portable;
#if defined(__x86_64__)
extern const tg_simd tg_simd_avx2, tg_simd_avx512;
#endif

/* The table for tg_cpu_isa(). */
const tg_simd *tg_simd_best(void);

#endif
