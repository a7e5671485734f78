/* One vector of floats (tg_v, LANES of them) and the operations that simd_body.h is written in, for the instruction set that the including file
 * names by TG_VECTOR_AVX512 (with TG_VECTOR_VNNI: its products of bytes too, with TG_VECTOR_BF16: of pairs of bf16) or TG_VECTOR_AVX2 before it;
 * otherwise one lane in plain C. From here to TG_VECTOR_END, which stands at the end of the file, everything is compiled for that instruction set:
 * include other headers before. */
#ifndef T5GIST_RUNTIME_VECTOR_H
#define T5GIST_RUNTIME_VECTOR_H

#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define TG_INLINE static inline __attribute__((always_inline))

#if defined(TG_VECTOR_AVX512)
#include <immintrin.h>
#if defined(__clang__) && defined(TG_VECTOR_VNNI)
#pragma clang attribute push(__attribute__((target("avx2,fma,avx512f,avx512bw,avx512dq,avx512vl,avx512vnni"))), apply_to = function)
#elif defined(__clang__) && defined(TG_VECTOR_BF16)
#pragma clang attribute push(__attribute__((target("avx2,fma,avx512f,avx512bw,avx512dq,avx512vl,avx512bf16"))), apply_to = function)
#elif defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx2,fma,avx512f,avx512bw,avx512dq,avx512vl"))), apply_to = function)
#elif defined(TG_VECTOR_VNNI)
#pragma GCC target("avx2,fma,avx512f,avx512bw,avx512dq,avx512vl,avx512vnni")
#elif defined(TG_VECTOR_BF16)
#pragma GCC target("avx2,fma,avx512f,avx512bw,avx512dq,avx512vl,avx512bf16")
#else
#pragma GCC target("avx2,fma,avx512f,avx512bw,avx512dq,avx512vl")
#endif
#if defined(__clang__)
#define TG_VECTOR_END _Pragma("clang attribute pop")
#else
#define TG_VECTOR_END
#endif

enum { LANES = 16 };
typedef __m512 tg_v;

TG_INLINE __mmask16 v_mask(size_t n) {
  return (__mmask16)((1u << n) - 1);
}
TG_INLINE tg_v v_set(float x) {
  return _mm512_set1_ps(x);
}
TG_INLINE tg_v v_load(const float *p) {
  return _mm512_loadu_ps(p);
}
TG_INLINE tg_v v_load_n(const float *p, size_t n) {
  return _mm512_maskz_loadu_ps(v_mask(n), p);
} /* n < LANES, zeros behind */
TG_INLINE void v_store(float *p, tg_v x) {
  _mm512_storeu_ps(p, x);
}
TG_INLINE void v_store_n(float *p, size_t n, tg_v x) {
  _mm512_mask_storeu_ps(p, v_mask(n), x);
}
TG_INLINE tg_v v_add(tg_v a, tg_v b) {
  return _mm512_add_ps(a, b);
}
TG_INLINE tg_v v_sub(tg_v a, tg_v b) {
  return _mm512_sub_ps(a, b);
}
TG_INLINE tg_v v_mul(tg_v a, tg_v b) {
  return _mm512_mul_ps(a, b);
}
TG_INLINE tg_v v_div(tg_v a, tg_v b) {
  return _mm512_div_ps(a, b);
}
TG_INLINE tg_v v_fma(tg_v a, tg_v b, tg_v c) {
  return _mm512_fmadd_ps(a, b, c);
} /* a b + c */
TG_INLINE tg_v v_max(tg_v a, tg_v b) {
  return _mm512_max_ps(a, b);
} /* b where either is NaN */
TG_INLINE tg_v v_min(tg_v a, tg_v b) {
  return _mm512_min_ps(a, b);
} /* likewise */
TG_INLINE tg_v v_abs(tg_v a) {
  return _mm512_abs_ps(a);
}
TG_INLINE tg_v v_widen(__m256i halves) {
  return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(halves), 16));
}
TG_INLINE tg_v v_load_bf16(const uint16_t *p) {
  return v_widen(_mm256_loadu_si256((const __m256i *)(const void *)p));
}
TG_INLINE tg_v v_load_bf16_n(const uint16_t *p, size_t n) {
  return v_widen(_mm256_maskz_loadu_epi16(v_mask(n), p));
} /* n < LANES, zeros behind */
/* LANES pairs of bf16: the first of each, the second of each. */
TG_INLINE void v_load_pairs(const uint16_t *p, tg_v *first, tg_v *second) {
  const __m512i pairs = _mm512_loadu_si512(p);
  *first = _mm512_castsi512_ps(_mm512_slli_epi32(pairs, 16));
  *second = _mm512_castsi512_ps(_mm512_and_si512(pairs, _mm512_set1_epi32((int)0xffff0000)));
}
/* n <= LANES whole numbers in -128..127 to bytes. */
TG_INLINE void v_store_bytes(int8_t *p, size_t n, tg_v a) {
  _mm512_mask_cvtepi32_storeu_epi8(p, n == LANES ? 0xffff : v_mask(n), _mm512_cvtps_epi32(a));
}
TG_INLINE tg_v v_round(tg_v a) {
  return _mm512_roundscale_ps(a, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
}
/* 2^n for whole n in -127..127, 2^-127 being 0. */
TG_INLINE tg_v v_exp2(tg_v n) {
  return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_add_epi32(_mm512_cvtps_epi32(n), _mm512_set1_epi32(127)), 23));
}
TG_INLINE float v_sum(tg_v a) {
  return _mm512_reduce_add_ps(a);
}
TG_INLINE float v_largest(tg_v a) {
  return _mm512_reduce_max_ps(a);
}
/* LANES x LANES floats, rows to columns. */
TG_INLINE void v_transpose(tg_v a[LANES]) {
  tg_v b[LANES];
#pragma GCC unroll 8
  for (int i = 0; i < 16; i += 2) {
    b[i] = _mm512_unpacklo_ps(a[i], a[i + 1]);
    b[i + 1] = _mm512_unpackhi_ps(a[i], a[i + 1]);
  }
#pragma GCC unroll 4
  for (int i = 0; i < 16; i += 4) {
    a[i] = _mm512_shuffle_ps(b[i], b[i + 2], 0x44);
    a[i + 1] = _mm512_shuffle_ps(b[i], b[i + 2], 0xee);
    a[i + 2] = _mm512_shuffle_ps(b[i + 1], b[i + 3], 0x44);
    a[i + 3] = _mm512_shuffle_ps(b[i + 1], b[i + 3], 0xee);
  }
#pragma GCC unroll 4
  for (int i = 0; i < 4; i++) {
    b[i] = _mm512_shuffle_f32x4(a[i], a[i + 4], 0x88);
    b[i + 4] = _mm512_shuffle_f32x4(a[i], a[i + 4], 0xdd);
    b[i + 8] = _mm512_shuffle_f32x4(a[i + 8], a[i + 12], 0x88);
    b[i + 12] = _mm512_shuffle_f32x4(a[i + 8], a[i + 12], 0xdd);
  }
#pragma GCC unroll 4
  for (int i = 0; i < 4; i++) {
    a[i] = _mm512_shuffle_f32x4(b[i], b[i + 8], 0x88);
    a[i + 8] = _mm512_shuffle_f32x4(b[i], b[i + 8], 0xdd);
    a[i + 4] = _mm512_shuffle_f32x4(b[i + 4], b[i + 12], 0x88);
    a[i + 12] = _mm512_shuffle_f32x4(b[i + 4], b[i + 12], 0xdd);
  }
}

#elif defined(TG_VECTOR_AVX2)
#include <immintrin.h>
#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)
#define TG_VECTOR_END _Pragma("clang attribute pop")
#else
#define TG_VECTOR_END
#pragma GCC target("avx2,fma")
#endif

enum { LANES = 8 };
typedef __m256 tg_v;

TG_INLINE __m256i v_mask(size_t n) {
  return _mm256_cmpgt_epi32(_mm256_set1_epi32((int)n), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}
TG_INLINE tg_v v_set(float x) {
  return _mm256_set1_ps(x);
}
TG_INLINE tg_v v_load(const float *p) {
  return _mm256_loadu_ps(p);
}
TG_INLINE tg_v v_load_n(const float *p, size_t n) {
  return _mm256_maskload_ps(p, v_mask(n));
}
TG_INLINE void v_store(float *p, tg_v x) {
  _mm256_storeu_ps(p, x);
}
TG_INLINE void v_store_n(float *p, size_t n, tg_v x) {
  _mm256_maskstore_ps(p, v_mask(n), x);
}
TG_INLINE tg_v v_add(tg_v a, tg_v b) {
  return _mm256_add_ps(a, b);
}
TG_INLINE tg_v v_sub(tg_v a, tg_v b) {
  return _mm256_sub_ps(a, b);
}
TG_INLINE tg_v v_mul(tg_v a, tg_v b) {
  return _mm256_mul_ps(a, b);
}
TG_INLINE tg_v v_div(tg_v a, tg_v b) {
  return _mm256_div_ps(a, b);
}
TG_INLINE tg_v v_fma(tg_v a, tg_v b, tg_v c) {
  return _mm256_fmadd_ps(a, b, c);
}
TG_INLINE tg_v v_max(tg_v a, tg_v b) {
  return _mm256_max_ps(a, b);
}
TG_INLINE tg_v v_min(tg_v a, tg_v b) {
  return _mm256_min_ps(a, b);
}
TG_INLINE tg_v v_abs(tg_v a) {
  return _mm256_andnot_ps(v_set(-0.0f), a);
}
TG_INLINE tg_v v_load_bf16(const uint16_t *p) {
  return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(_mm_loadu_si128((const __m128i *)(const void *)p)), 16));
}
TG_INLINE tg_v v_load_bf16_n(const uint16_t *p, size_t n) {
  uint16_t all[LANES] = {0};
  memcpy(all, p, n * sizeof *p);
  return v_load_bf16(all);
}
TG_INLINE void v_load_pairs(const uint16_t *p, tg_v *first, tg_v *second) {
  const __m256i pairs = _mm256_loadu_si256((const __m256i *)(const void *)p);
  *first = _mm256_castsi256_ps(_mm256_slli_epi32(pairs, 16));
  *second = _mm256_castsi256_ps(_mm256_and_si256(pairs, _mm256_set1_epi32((int)0xffff0000)));
}
TG_INLINE void v_store_bytes(int8_t *p, size_t n, tg_v a) {
  const __m256i whole = _mm256_cvtps_epi32(a);
  const __m128i words = _mm_packs_epi32(_mm256_castsi256_si128(whole), _mm256_extracti128_si256(whole, 1));
  const long long bytes = _mm_cvtsi128_si64(_mm_packs_epi16(words, words));
  memcpy(p, &bytes, n);
}
TG_INLINE tg_v v_round(tg_v a) {
  return _mm256_round_ps(a, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
}
TG_INLINE tg_v v_exp2(tg_v n) {
  return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_add_epi32(_mm256_cvtps_epi32(n), _mm256_set1_epi32(127)), 23));
}
TG_INLINE float v_sum(tg_v a) {
  __m128 s = _mm_add_ps(_mm256_castps256_ps128(a), _mm256_extractf128_ps(a, 1));
  s = _mm_add_ps(s, _mm_movehl_ps(s, s));
  return _mm_cvtss_f32(_mm_add_ss(s, _mm_movehdup_ps(s)));
}
TG_INLINE float v_largest(tg_v a) {
  __m128 s = _mm_max_ps(_mm256_castps256_ps128(a), _mm256_extractf128_ps(a, 1));
  s = _mm_max_ps(s, _mm_movehl_ps(s, s));
  return _mm_cvtss_f32(_mm_max_ss(s, _mm_movehdup_ps(s)));
}
TG_INLINE void v_transpose(tg_v a[LANES]) {
  tg_v b[LANES];
#pragma GCC unroll 4
  for (int i = 0; i < 8; i += 2) {
    b[i] = _mm256_unpacklo_ps(a[i], a[i + 1]);
    b[i + 1] = _mm256_unpackhi_ps(a[i], a[i + 1]);
  }
#pragma GCC unroll 2
  for (int i = 0; i < 8; i += 4) {
    a[i] = _mm256_shuffle_ps(b[i], b[i + 2], 0x44);
    a[i + 1] = _mm256_shuffle_ps(b[i], b[i + 2], 0xee);
    a[i + 2] = _mm256_shuffle_ps(b[i + 1], b[i + 3], 0x44);
    a[i + 3] = _mm256_shuffle_ps(b[i + 1], b[i + 3], 0xee);
  }
#pragma GCC unroll 4
  for (int i = 0; i < 4; i++) {
    b[i] = _mm256_permute2f128_ps(a[i], a[i + 4], 0x20);
    b[i + 4] = _mm256_permute2f128_ps(a[i], a[i + 4], 0x31);
  }
#pragma GCC unroll 8
  for (int i = 0; i < 8; i++) a[i] = b[i];
}

#else

#define TG_VECTOR_END
enum { LANES = 1 };
typedef float tg_v;

TG_INLINE tg_v v_set(float x) {
  return x;
}
TG_INLINE tg_v v_load(const float *p) {
  return *p;
}
TG_INLINE tg_v v_load_n(const float *p, size_t n) {
  return n > 0 ? *p : 0;
}
TG_INLINE void v_store(float *p, tg_v x) {
  *p = x;
}
TG_INLINE void v_store_n(float *p, size_t n, tg_v x) {
  if (n > 0) *p = x;
}
TG_INLINE tg_v v_add(tg_v a, tg_v b) {
  return a + b;
}
TG_INLINE tg_v v_sub(tg_v a, tg_v b) {
  return a - b;
}
TG_INLINE tg_v v_mul(tg_v a, tg_v b) {
  return a * b;
}
TG_INLINE tg_v v_div(tg_v a, tg_v b) {
  return a / b;
}
TG_INLINE tg_v v_fma(tg_v a, tg_v b, tg_v c) {
  return a * b + c;
}
TG_INLINE tg_v v_max(tg_v a, tg_v b) {
  return a > b ? a : b;
}
TG_INLINE tg_v v_min(tg_v a, tg_v b) {
  return a < b ? a : b;
}
TG_INLINE tg_v v_abs(tg_v a) {
  return fabsf(a);
}
TG_INLINE tg_v v_load_bf16(const uint16_t *p) {
  const uint32_t bits = (uint32_t)*p << 16;
  tg_v x;
  memcpy(&x, &bits, sizeof x);
  return x;
}
TG_INLINE tg_v v_load_bf16_n(const uint16_t *p, size_t n) {
  return n > 0 ? v_load_bf16(p) : 0;
}
TG_INLINE void v_load_pairs(const uint16_t *p, tg_v *first, tg_v *second) {
  const uint32_t bits[2] = {(uint32_t)p[0] << 16, (uint32_t)p[1] << 16};
  memcpy(first, &bits[0], sizeof *first);
  memcpy(second, &bits[1], sizeof *second);
}
TG_INLINE void v_store_bytes(int8_t *p, size_t n, tg_v a) {
  if (n > 0) *p = (int8_t)a;
}
TG_INLINE tg_v v_round(tg_v a) {
  return rintf(a);
}
TG_INLINE tg_v v_exp2(tg_v n) {
  const uint32_t bits = n == n ? (uint32_t)((int32_t)n + 127) << 23 : 0;
  float x;
  memcpy(&x, &bits, sizeof x);
  return x;
}
TG_INLINE float v_sum(tg_v a) {
  return a;
}
TG_INLINE float v_largest(tg_v a) {
  return a;
}
TG_INLINE void v_transpose(tg_v a[LANES]) {
  (void)a;
}

#endif

/* exp(x) to 1.2e-7 relative, 0 below -87.7, about 1.7e38 above 88; NaN stays. */
TG_INLINE tg_v v_exp(tg_v x) {
  x = v_min(v_set(88.0f), v_max(v_set(-88.0f), x));
  const tg_v n = v_round(v_mul(x, v_set(1.44269504f)));
  tg_v r = v_fma(n, v_set(-0.693359375f), x); /* log 2 in two pieces, the first exact in few bits */
  r = v_fma(n, v_set(2.12194440e-4f), r);
  tg_v p = v_set(1.0f / 720);
  p = v_fma(p, r, v_set(1.0f / 120));
  p = v_fma(p, r, v_set(1.0f / 24));
  p = v_fma(p, r, v_set(1.0f / 6));
  p = v_fma(p, r, v_set(0.5f));
  p = v_fma(p, v_mul(r, r), r);
  return v_mul(v_add(p, v_set(1.0f)), v_exp2(n));
}

#endif
