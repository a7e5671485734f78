/* Draws of dropout.h for a vector of elements, in addition to runtime/vector.h, which stands before it. */
#ifndef T5GIST_TRAINING_VECTOR_RANDOM_H
#define T5GIST_TRAINING_VECTOR_RANDOM_H

#include "training/dropout.h"

/* factor where elements i .. i + LANES - 1 of a stream are kept (tg_dropout_keeps), else 0. */
#if defined(TG_VECTOR_AVX512)
TG_INLINE tg_v v_keep(uint64_t stream, uint32_t i, tg_v limit, tg_v factor) {
  const __m512i lanes = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
  __m512i x = _mm512_add_epi32(_mm512_set1_epi32((int)(i + (uint32_t)stream)), lanes);
  x = _mm512_mullo_epi32(_mm512_xor_si512(x, _mm512_srli_epi32(x, 16)), _mm512_set1_epi32(0x7feb352d));
  x = _mm512_xor_si512(x, _mm512_set1_epi32((int)(stream >> 32)));
  x = _mm512_mullo_epi32(_mm512_xor_si512(x, _mm512_srli_epi32(x, 15)), _mm512_set1_epi32((int)0x846ca68bu));
  x = _mm512_srli_epi32(_mm512_xor_si512(x, _mm512_srli_epi32(x, 16)), 8);
  return _mm512_maskz_mov_ps(_mm512_cmp_ps_mask(_mm512_cvtepi32_ps(x), limit, _CMP_GE_OQ), factor);
}
#elif defined(TG_VECTOR_AVX2)
TG_INLINE tg_v v_keep(uint64_t stream, uint32_t i, tg_v limit, tg_v factor) {
  __m256i x = _mm256_add_epi32(_mm256_set1_epi32((int)(i + (uint32_t)stream)), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
  x = _mm256_mullo_epi32(_mm256_xor_si256(x, _mm256_srli_epi32(x, 16)), _mm256_set1_epi32(0x7feb352d));
  x = _mm256_xor_si256(x, _mm256_set1_epi32((int)(stream >> 32)));
  x = _mm256_mullo_epi32(_mm256_xor_si256(x, _mm256_srli_epi32(x, 15)), _mm256_set1_epi32((int)0x846ca68bu));
  x = _mm256_srli_epi32(_mm256_xor_si256(x, _mm256_srli_epi32(x, 16)), 8);
  return _mm256_and_ps(_mm256_cmp_ps(_mm256_cvtepi32_ps(x), limit, _CMP_GE_OQ), factor);
}
#else
TG_INLINE tg_v v_keep(uint64_t stream, uint32_t i, tg_v limit, tg_v factor) {
  return tg_dropout_keeps(stream, i, limit) ? factor : 0;
}
#endif

#endif
