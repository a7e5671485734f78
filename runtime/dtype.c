#include "runtime/dtype.h"

#include <string.h>

#include "runtime/cpu.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

static const struct {
  const char *name;
  size_t size;
} dtypes[TG_I4 + 1] = {
    [TG_F32] = {"F32", 4}, [TG_BF16] = {"BF16", 2}, [TG_F16] = {"F16", 2}, [TG_F64] = {"F64", 8}, [TG_I8] = {"I8", 1},
    [TG_U8] = {"U8", 1},   [TG_I16] = {"I16", 2},   [TG_I32] = {"I32", 4}, [TG_I64] = {"I64", 8}, [TG_BOOL] = {"BOOL", 1},
    [TG_I4] = {"I4", 0},
};

size_t tg_dtype_size(tg_dtype dtype) {
  return dtypes[dtype].size;
}
const char *tg_dtype_name(tg_dtype dtype) {
  return dtypes[dtype].name;
}

int tg_dtype_from_name(const char *name) {
  for (int i = 0; i < TG_N_DTYPES; i++)
    if (!strcmp(name, dtypes[i].name)) return i;
  return -1;
}

/* The loops below load through memcpy because stored tensors stand at any address; compilers turn that into plain (vector) loads. */

static void widen_bf16(const unsigned char *from, size_t n, float *to) {
  for (size_t i = 0; i < n; i++) {
    uint16_t half;
    memcpy(&half, from + 2 * i, 2);
    const uint32_t bits = (uint32_t)half << 16;
    memcpy(to + i, &bits, 4);
  }
}

static void widen_f64(const unsigned char *from, size_t n, float *to) {
  for (size_t i = 0; i < n; i++) {
    double value;
    memcpy(&value, from + 8 * i, 8);
    to[i] = (float)value;
  }
}

/* The plain form of the f16 loop. NaNs become quiet, as in the instruction. */
static float f16_value(uint16_t half) {
  const uint32_t magnitude = (uint32_t)(half & 0x7fff) << 13, sign = (uint32_t)(half & 0x8000) << 16;
  uint32_t bits;
  if (magnitude >= 0x0f800000u) {
    bits = magnitude + (224u << 23); /* infinity or NaN: exponent 31 becomes 255 */
    if (bits & 0x7fffff) bits |= 0x400000;
  } else if (magnitude >= 0x00800000u) {
    bits = magnitude + (112u << 23);
  } else { /* denormal: put the fraction under an exponent of -14 and take the implied one away */
    float value;
    bits = magnitude + (113u << 23);
    memcpy(&value, &bits, 4);
    value -= 0x1p-14f;
    memcpy(&bits, &value, 4);
  }
  bits |= sign;
  float value;
  memcpy(&value, &bits, 4);
  return value;
}

static void widen_f16_plain(const unsigned char *from, size_t n, float *to) {
  for (size_t i = 0; i < n; i++) {
    uint16_t half;
    memcpy(&half, from + 2 * i, 2);
    to[i] = f16_value(half);
  }
}

#if defined(__x86_64__)
__attribute__((target("avx,f16c"))) static void widen_f16_f16c(const unsigned char *from, size_t n, float *to) {
  size_t i = 0;
  for (; i + 8 <= n; i += 8) _mm256_storeu_ps(to + i, _mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)(const void *)(from + 2 * i))));
  widen_f16_plain(from + 2 * i, n - i, to + i);
}
#endif

static void widen_f16(const unsigned char *from, size_t n, float *to) {
#if defined(__x86_64__)
  if (tg_cpu_isa() != TG_ISA_PORTABLE) { /* every processor with AVX2 has F16C */
    widen_f16_f16c(from, n, to);
    return;
  }
#endif
  widen_f16_plain(from, n, to);
}

void tg_widen(const void *from, tg_dtype dtype, size_t n, float *to) {
  if (!n) return;
  switch (dtype) {
    case TG_BF16: widen_bf16(from, n, to); break;
    case TG_F16: widen_f16(from, n, to); break;
    case TG_F64: widen_f64(from, n, to); break;
    default: memcpy(to, from, n * sizeof *to); break;
  }
}

void tg_narrow_bf16(const float *from, size_t n, uint16_t *to) {
  for (size_t i = 0; i < n; i++) {
    uint32_t bits;
    memcpy(&bits, from + i, 4);
    const uint32_t rounded = (bits + 0x7fff + (bits >> 16 & 1)) >> 16, quiet = bits >> 16 | 0x40;
    to[i] = (uint16_t)((bits & 0x7fffffff) > 0x7f800000 ? quiet : rounded);
  }
}
