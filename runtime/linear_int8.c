#include "runtime/linear_int8.h"

#include <string.h>

#include "runtime/cpu.h"

enum {
  BLOCK = TG_INT8_BLOCK,
  GROUP = TG_INT8_GROUP,
  PARALLEL_WORK = 1 << 17 /* multiplications below which sharing them out costs more than it saves */
};

unsigned char tg_int8_offset(void) {
  return tg_cpu_vnni() ? 128 : 0;
}

tg_int8_product tg_int8_low_part(const tg_int8_product *product) {
  tg_int8_product low = *product;
  low.x = product->low;
  low.x_scales = product->low_scales;
  low.low = NULL;
  low.accumulate = true;
  return low;
}

/* ------------------------------------------------------------------------------------------------------------------------ plain C */

static void finish_row(const tg_int8_product *p, size_t row, size_t first, size_t n, const int32_t *sums) {
  float *y = p->y + row * p->n_out + first;
  for (size_t i = 0; i < n; i++) {
    const float scale = p->scales[first + i] * p->x_scales[row];
    const float value = (float)(sums[i] - p->offsets[first + i]) * scale;
    if (p->accumulate)
      y[i] += value;
    else
      y[i] = value;
  }
}

static size_t block_width(const tg_int8_product *p, size_t block) {
  const size_t left = p->n_out - block * BLOCK;
  return left < BLOCK ? left : BLOCK;
}

static void multiply_part(const tg_int8_product *p, size_t block, size_t first_row, size_t rows) {
  const int8_t *weights = p->weights + block * BLOCK * p->depth;
  for (size_t row = first_row; row < first_row + rows; row++) {
    const int8_t *x = (const int8_t *)p->x + row * p->depth;
    int32_t sums[BLOCK] = {0};
    for (size_t k = 0; k < p->depth; k += GROUP)
      for (size_t o = 0; o < BLOCK; o++) {
        const int8_t *w = weights + k * BLOCK + o * GROUP;
        sums[o] += x[k] * w[0] + x[k + 1] * w[1] + x[k + 2] * w[2] + x[k + 3] * w[3];
      }
    finish_row(p, row, block * BLOCK, block_width(p, block), sums);
  }
}

static void multiply_block(const tg_int8_product *p, size_t block, size_t first_row, size_t rows) {
  const tg_int8_product low = tg_int8_low_part(p);
  multiply_part(p, block, first_row, rows);
  if (low.x != NULL) multiply_part(&low, block, first_row, rows);
}

static const tg_int8_kernels plain = {multiply_block, finish_row};

/* --------------------------------------------------------------------------------------------------------------------------- AVX2 */

#if defined(__x86_64__)
#include <immintrin.h>

/* Bytes are widened to 16 bits, whose products in pairs fit 32: AVX2's own product of bytes would saturate. */
__attribute__((target("avx2"))) static void multiply_part_avx2(const tg_int8_product *p, size_t block, size_t first_row, size_t rows) {
  enum { PART = 16, VECTORS = 4 }; /* outputs at a time, 4 to a vector as two half sums each */
  const int8_t *weights = p->weights + block * BLOCK * p->depth;
  for (size_t row = first_row; row < first_row + rows; row++) {
    const unsigned char *x = p->x + row * p->depth;
    int32_t sums[BLOCK];
    for (size_t part = 0; part < BLOCK; part += PART) {
      __m256i s[VECTORS] = {_mm256_setzero_si256(), _mm256_setzero_si256(), _mm256_setzero_si256(), _mm256_setzero_si256()};
      for (size_t k = 0; k < p->depth; k += GROUP) {
        int32_t group;
        memcpy(&group, x + k, sizeof group);
        const __m256i factor = _mm256_broadcastq_epi64(_mm_cvtepi8_epi16(_mm_cvtsi32_si128(group)));
        const int8_t *w = weights + k * BLOCK + part * GROUP;
#pragma GCC unroll 4
        for (size_t v = 0; v < VECTORS; v++) {
          const __m256i wide = _mm256_cvtepi8_epi16(_mm_loadu_si128((const __m128i *)(const void *)(w + v * PART)));
          s[v] = _mm256_add_epi32(s[v], _mm256_madd_epi16(factor, wide));
        }
      }
      for (size_t v = 0; v < VECTORS; v++) {
        int32_t halves[8];
        _mm256_storeu_si256((__m256i *)(void *)halves, s[v]);
        for (size_t o = 0; o < VECTORS; o++) sums[part + v * VECTORS + o] = halves[2 * o] + halves[2 * o + 1];
      }
    }
    finish_row(p, row, block * BLOCK, block_width(p, block), sums);
  }
}

static void multiply_block_avx2(const tg_int8_product *p, size_t block, size_t first_row, size_t rows) {
  const tg_int8_product low = tg_int8_low_part(p);
  multiply_part_avx2(p, block, first_row, rows);
  if (low.x != NULL) multiply_part_avx2(&low, block, first_row, rows);
}

static const tg_int8_kernels avx2 = {multiply_block_avx2, finish_row};
#endif

/* ---------------------------------------------------------------------------------------------------------------------- any of them */

static const tg_int8_kernels *best_kernels(void) {
#if defined(__x86_64__)
  if (tg_cpu_vnni()) return &tg_int8_vnni;
  if (tg_cpu_isa() >= TG_ISA_AVX2) return &avx2;
#endif
  return &plain;
}

typedef struct sharing {
  const tg_int8_product *product;
  const tg_int8_kernels *kernels;
  size_t n_blocks, n_chunks;
} sharing;

static void multiply_blocks(void *user, size_t begin, size_t end, int thread) {
  const sharing *s = user;
  const tg_int8_product *p = s->product;
  (void)thread;
  for (size_t i = begin; i < end; i++) { /* the rows of x that a chunk reads stay in L2 over all blocks */
    const size_t chunk = i / s->n_blocks, block = i % s->n_blocks, first = p->m * chunk / s->n_chunks, last = p->m * (chunk + 1) / s->n_chunks;
    s->kernels->block(p, block, first, last - first);
  }
}

void tg_int8_multiply(tg_team *team, const tg_int8_product *p) {
  const size_t most_rows = p->low != NULL ? TG_INT8_CHUNK / 2 : TG_INT8_CHUNK;
  sharing s = {p, best_kernels(), (p->n_out + BLOCK - 1) / BLOCK, (p->m + most_rows - 1) / most_rows};
  tg_team_run(p->m * p->depth * p->n_out >= PARALLEL_WORK ? team : NULL, s.n_chunks * s.n_blocks, multiply_blocks, &s);
}

void tg_int8_finish(const tg_int8_product *p, size_t first, size_t n, const int32_t *sums) {
  const tg_int8_kernels *kernels = best_kernels();
  for (size_t row = 0; row < p->m; row++) kernels->finish(p, row, first, n, sums + row * n);
}
