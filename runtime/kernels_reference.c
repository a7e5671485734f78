/* The specifications of kernels.h, in plain loops. */
#include <math.h>

#include "runtime/kernels.h"

void tg_rmsnorm_reference(const float *x, const float *weight, size_t rows, size_t d, float eps, float *y) {
  for (size_t row = 0; row < rows; row++) {
    float sum = 0;
    for (size_t i = 0; i < d; i++) sum += x[row * d + i] * x[row * d + i];
    const float norm = sqrtf(sum / (float)d + eps);
    for (size_t i = 0; i < d; i++) y[row * d + i] = x[row * d + i] / norm * weight[i];
  }
}

float tg_quantize_row_wide_reference(const float *x, size_t n, int8_t *q, int8_t *low) {
  float max = 0;
  bool finite = true;
  for (size_t i = 0; i < n; i++) {
    finite = finite && isfinite(x[i]);
    max = fmaxf(max, fabsf(x[i]));
  }
  const bool zeros = !finite || max < TG_QUANTIZE_LEAST;
  for (size_t i = 0; i < n; i++) {
    const float scaled = zeros ? 0 : x[i] * (127 / max), left = scaled - rintf(scaled);
    q[i] = (int8_t)rintf(scaled);
    if (low != NULL) low[i] = (int8_t)rintf(left * (2 * 127));
  }
  return !finite ? NAN : zeros ? 0 : max / 127;
}

float tg_quantize_row_reference(const float *x, size_t n, int8_t *q) {
  return tg_quantize_row_wide_reference(x, n, q, NULL);
}

static double activate(double x, tg_activation activation) {
  switch (activation) {
    case TG_GELU_NEW: return 0.5 * x * (1 + tanh(sqrt(2 / 3.14159265358979323846) * (x + 0.044715 * x * x * x)));
    case TG_SILU: return x / (1 + exp(-x));
    default: return x < 0 ? 0 : x;
  }
}

void tg_activate_reference(const float *x, size_t rows, size_t d_ff, tg_activation activation, bool gated, float *y) {
  const size_t width = gated ? 2 * d_ff : d_ff;
  for (size_t row = 0; row < rows; row++)
    for (size_t i = 0; i < d_ff; i++) {
      const double value = activate((double)x[row * width + i], activation);
      y[row * d_ff + i] = (float)(gated ? value * (double)x[row * width + d_ff + i] : value);
    }
}

float tg_logsumexp_reference(const float *x, size_t n) {
  double max = -INFINITY, sum = 0;
  for (size_t i = 0; i < n; i++) max = (double)x[i] > max || isnan(x[i]) ? (double)x[i] : max;
  if (isinf(max)) return (float)max;
  for (size_t i = 0; i < n; i++) sum += exp((double)x[i] - max);
  return (float)(max + log(sum));
}

long tg_argmax_reference(const float *x, size_t n) {
  long best = -1;
  for (size_t i = 0; i < n; i++)
    if (!isnan(x[i]) && (best < 0 || x[i] > x[best])) best = (long)i;
  return best;
}
