#include "runtime/kernels.h"

#include <math.h>
#include <omp.h>
#include <string.h>

#include "runtime/cpu.h"
#include "runtime/simd.h"

/* Floats below which a parallel region costs more than it saves. */
enum { PARALLEL_WORK = 32768 };

const tg_simd *tg_simd_best(void) {
#if defined(__x86_64__)
  switch (tg_cpu_isa()) {
    case TG_ISA_AVX512: return &tg_simd_avx512;
    case TG_ISA_AVX2: return &tg_simd_avx2;
    case TG_ISA_PORTABLE: break;
  }
#endif
  return &tg_simd_portable;
}

/* Part i of n things split over the threads of the region. */
static void own_share(size_t n, size_t *begin, size_t *end) {
  const size_t threads = (size_t)omp_get_num_threads(), thread = (size_t)omp_get_thread_num();
  *begin = n / threads * thread + (thread < n % threads ? thread : n % threads);
  *end = *begin + n / threads + (thread < n % threads);
}

void tg_rmsnorm(const float *x, const float *weight, size_t rows, size_t d, float eps, float *y) {
  const tg_simd *simd = tg_simd_best();
#pragma omp parallel if (rows > 1 && rows * d >= PARALLEL_WORK)
  {
    size_t begin, end;
    own_share(rows, &begin, &end);
    simd->rmsnorm(x + begin * d, weight, end - begin, d, eps, y + begin * d);
  }
}

void tg_activate(const float *x, size_t rows, size_t d_ff, tg_activation activation, bool gated, float *y) {
  const tg_simd *simd = tg_simd_best();
  const size_t width = gated ? 2 * d_ff : d_ff;
#pragma omp parallel if (rows > 1 && rows * d_ff >= PARALLEL_WORK / 4)
  {
    size_t begin, end;
    own_share(rows, &begin, &end);
    for (size_t row = begin; row < end; row++)
      simd->activate(x + row * width, gated ? x + row * width + d_ff : NULL, d_ff, activation, y + row * d_ff);
  }
}

void tg_gather(const void *table, tg_dtype dtype, const int32_t *ids, size_t rows, size_t d, float *y) {
  const size_t row_bytes = d * tg_dtype_size(dtype);
#pragma omp parallel if (rows > 1 && rows * d >= PARALLEL_WORK)
  {
    size_t begin, end;
    own_share(rows, &begin, &end);
    for (size_t row = begin; row < end; row++) tg_widen((const char *)table + (size_t)ids[row] * row_bytes, dtype, d, y + row * d);
  }
}

void tg_scale(const float *x, float factor, size_t n, float *y) {
  const tg_simd *simd = tg_simd_best();
#pragma omp parallel if (n >= 4 * PARALLEL_WORK)
  {
    size_t begin, end;
    own_share(n, &begin, &end);
    simd->scale(x + begin, factor, end - begin, y + begin);
  }
}

float tg_quantize_row(const float *x, size_t n, int8_t *q) {
  return tg_simd_best()->quantize(x, n, q, NULL);
}

float tg_quantize_row_wide(const float *x, size_t n, int8_t *q, int8_t *low) {
  return tg_simd_best()->quantize(x, n, q, low);
}

/* Zeros behind the n bytes of a row, and 128 more everywhere on demand, as two's complement has it. */
static void pad_bytes(unsigned char *q, size_t n, size_t stride, unsigned char offset) {
  memset(q + n, 0, stride - n);
  for (size_t i = 0; offset != 0 && i < stride; i++) q[i] ^= offset;
}

void tg_quantize_rows(const float *x, size_t rows, size_t n, size_t stride, unsigned char offset, unsigned char *q, unsigned char *low, float *scales) {
  const tg_simd *simd = tg_simd_best();
#pragma omp parallel if (rows > 1 && rows * n >= PARALLEL_WORK)
  {
    size_t begin, end;
    own_share(rows, &begin, &end);
    for (size_t row = begin; row < end; row++) {
      unsigned char *own = q + row * stride, *own_low = low ? low + row * stride : NULL;
      scales[row] = simd->quantize(x + row * n, n, (int8_t *)own, (int8_t *)own_low);
      pad_bytes(own, n, stride, offset);
      if (own_low) pad_bytes(own_low, n, stride, offset);
    }
  }
}

float tg_logsumexp(const float *x, size_t n) {
  const tg_simd *simd = tg_simd_best();
  const float max = simd->max(x, n);
  if (isinf(max)) { /* all -inf or NaN, or an infinity that swallows the rest */
    for (size_t i = 0; i < n; i++)
      if (isnan(x[i])) return x[i];
    return max;
  }
  return (float)((double)max + log(simd->sum_exp(x, n, max)));
}

long tg_argmax(const float *x, size_t n) {
  const float max = tg_simd_best()->max(x, n);
  for (size_t i = 0; i < n; i++)
    if (x[i] == max) return (long)i;
  return -1;
}

size_t tg_first_nonfinite(const float *x, size_t n) {
  enum { RUN = 1024 };
  const uint32_t exponent = 0x7f800000;
  for (size_t begin = 0; begin < n; begin += RUN) {
    const size_t end = n - begin < RUN ? n : begin + RUN;
    uint32_t bits, found = 0;
    for (size_t i = begin; i < end; i++) {
      memcpy(&bits, x + i, sizeof bits);
      found |= (bits & exponent) == exponent;
    }
    for (size_t i = begin; found && i < end; i++)
      if (!isfinite(x[i])) return i;
  }
  return n;
}
