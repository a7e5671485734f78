/* Small kernels on rows of f32, each with its plain-C specification (_reference). Those that take a team share their rows out over it; null: the
 * calling thread alone. Pointers 64-aligned unless said otherwise. */
#ifndef T5GIST_RUNTIME_KERNELS_H
#define T5GIST_RUNTIME_KERNELS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "runtime/dtype.h"
#include "runtime/team.h"

typedef enum tg_activation { TG_RELU = 0, TG_GELU_NEW, TG_SILU } tg_activation;

/* y[i] = x[i] / sqrt(mean(x[i]^2) + eps) * weight, the mean in f32 (T5LayerNorm: no mean subtracted, no bias). x, y [rows, d], may be the same. */
void tg_rmsnorm(tg_team *team, const float *x, const float *weight, size_t rows, size_t d, float eps, float *y);
void tg_rmsnorm_reference(const float *x, const float *weight, size_t rows, size_t d, float eps, float *y);

/* gated: x [rows, 2 * d_ff] -> y [rows, d_ff], y = act(first half) * second half; else x, y [rows, d_ff], y = act(x).
 * gelu_new(x) = 0.5 x (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3))). */
void tg_activate(tg_team *team, const float *x, size_t rows, size_t d_ff, tg_activation activation, bool gated, float *y);
void tg_activate_reference(const float *x, size_t rows, size_t d_ff, tg_activation activation, bool gated, float *y);

/* y[i] = row ids[i] of table [., d] (any alignment; TG_F32, TG_BF16, TG_F16), widened. ids must be in range. */
void tg_gather(tg_team *team, const void *table, tg_dtype dtype, const int32_t *ids, size_t rows, size_t d, float *y);

/* y = x * factor over n values, in place allowed. */
void tg_scale(tg_team *team, const float *x, float factor, size_t n, float *y);

/* Symmetric 8-bit numbers: q = x / scale to the nearest, ties to even, in -127..127, with scale = max |x| / 127, which is returned. A row without
 * numbers of TG_QUANTIZE_LEAST and more is zeros of scale 0; one with NaN or infinity is zeros of scale NaN. The same bits on every machine.
 * x, q [n], any alignment; not parallel. */
#define TG_QUANTIZE_LEAST 1e-30f /* 127 / x still fits a float */
float tg_quantize_row(const float *x, size_t n, int8_t *q);
float tg_quantize_row_reference(const float *x, size_t n, int8_t *q);

/* Likewise in two bytes: x is q + low / 254 times the scale, low being what q's rounding left over. */
float tg_quantize_row_wide(const float *x, size_t n, int8_t *q, int8_t *low);
float tg_quantize_row_wide_reference(const float *x, size_t n, int8_t *q, int8_t *low);

/* Rows of n numbers that need not exist yet: what tg_rmsnorm or tg_activate would make of x, row by row for whoever takes them. */
typedef enum tg_making { TG_AS_THEY_ARE = 0, TG_NORMED, TG_ACTIVATED } tg_making;
typedef struct tg_rows {
  const float *x; /* [rows, n]; [rows, 2 * n] of gated activations */
  tg_making making;
  const float *weight; /* TG_NORMED: [n] */
  float eps;
  tg_activation activation; /* TG_ACTIVATED */
  bool gated;
} tg_rows;

/* y [rows, n] of normed or activated rows; may be x unless gated. */
void tg_make_rows(tg_team *team, const tg_rows *x, size_t rows, size_t n, float *y);

/* To q [rows, stride] of bytes q + offset (0 or 128) and scales [rows]; bytes n..stride-1 of a row are set to offset. low: null, or likewise the
 * second bytes of tg_quantize_row_wide. scratch: [threads of the team, n], null for rows that are there. The same bits as of rows made before. */
void tg_quantize_rows(tg_team *team, const tg_rows *x, size_t rows, size_t n, size_t stride, unsigned char offset, unsigned char *q,
                      unsigned char *low, float *scales, float *scratch);

/* log(sum(exp(x))) of n values, any alignment, not parallel. -inf entries are allowed; accurate to 1e-6. */
float tg_logsumexp(const float *x, size_t n);
float tg_logsumexp_reference(const float *x, size_t n); /* in double */

/* Index of the largest value, the lowest index among equals; -1 when n is 0 or all are NaN. Any alignment, not parallel. */
long tg_argmax(const float *x, size_t n);
long tg_argmax_reference(const float *x, size_t n);

/* Index of the first NaN or infinity, or n. */
size_t tg_first_nonfinite(const float *x, size_t n);

#endif
