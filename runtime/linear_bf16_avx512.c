/* bf16 linear layers by AVX-512's products of pairs: as linear_vnni.c, two inputs at a time. */
#include "runtime/linear_bf16.h"

#if defined(__x86_64__)

#include <string.h>

#define TG_VECTOR_AVX512
#define TG_VECTOR_BF16
#include "runtime/vector.h"

enum {
  BLOCK = TG_BF16_BLOCK,
  GROUP = TG_BF16_GROUP,
  VECTORS = BLOCK / LANES,
  TILE_ROWS = 6, /* 24 sums in registers, 4 weights, the rest for x */
  ONE_TILE = 5,  /* rows up to which one tile without fetching ahead is faster than two with it */
  STEP = 128     /* inputs whose weights (16 KB) stay in L1 for all tiles of a chunk */
};

/* Where the next step's weights lie, fetched while this one's are used: `advance` bytes per pair of inputs; null with a single tile, for which the
 * processor's own prefetching is better. */
typedef struct ahead {
  const char *weights;
  size_t advance;
} ahead;

/* Adds inputs 0..n-1 of rows rows to sums [rows][BLOCK]. rows and fetch are constants after inlining, so the sums live in registers. */
TG_INLINE void add_inputs(const uint16_t *x, size_t x_stride, const uint16_t *weights, size_t n, const size_t rows, float *sums, const bool fetch,
                          ahead next) {
  tg_v s[TILE_ROWS][VECTORS];
#pragma GCC unroll 6
  for (size_t r = 0; r < rows; r++)
#pragma GCC unroll 4
    for (size_t v = 0; v < VECTORS; v++) s[r][v] = v_load(sums + r * BLOCK + v * LANES);
  for (size_t k = 0; k < n; k += GROUP) {
    __m512i w[VECTORS];
#pragma GCC unroll 4
    for (size_t v = 0; fetch && v < VECTORS; v++)
      _mm_prefetch(next.weights + k / GROUP * next.advance + v * next.advance / VECTORS, _MM_HINT_T0);
#pragma GCC unroll 4
    for (size_t v = 0; v < VECTORS; v++) w[v] = _mm512_loadu_si512(weights + k * BLOCK + v * LANES * GROUP);
#pragma GCC unroll 6
    for (size_t r = 0; r < rows; r++) {
      int32_t pair;
      memcpy(&pair, x + r * x_stride + k, sizeof pair);
      const __m512i factor = _mm512_set1_epi32(pair);
#pragma GCC unroll 4
      for (size_t v = 0; v < VECTORS; v++) s[r][v] = _mm512_dpbf16_ps(s[r][v], (__m512bh)factor, (__m512bh)w[v]);
    }
  }
#pragma GCC unroll 6
  for (size_t r = 0; r < rows; r++)
#pragma GCC unroll 4
    for (size_t v = 0; v < VECTORS; v++) v_store(sums + r * BLOCK + v * LANES, s[r][v]);
}

TG_INLINE void add_tile_as(const uint16_t *x, size_t x_stride, const uint16_t *weights, size_t n, size_t rows, float *sums, const bool fetch,
                           ahead next) {
  switch (rows) {
    case 1: add_inputs(x, x_stride, weights, n, 1, sums, fetch, next); break;
    case 2: add_inputs(x, x_stride, weights, n, 2, sums, fetch, next); break;
    case 3: add_inputs(x, x_stride, weights, n, 3, sums, fetch, next); break;
    case 4: add_inputs(x, x_stride, weights, n, 4, sums, fetch, next); break;
    case 5: add_inputs(x, x_stride, weights, n, 5, sums, fetch, next); break;
    default: add_inputs(x, x_stride, weights, n, TILE_ROWS, sums, fetch, next); break;
  }
}

static void add_tile(const uint16_t *x, size_t x_stride, const uint16_t *weights, size_t n, size_t rows, float *sums, ahead next) {
  if (next.weights != NULL)
    add_tile_as(x, x_stride, weights, n, rows, sums, true, next);
  else
    add_tile_as(x, x_stride, weights, n, rows, sums, false, next);
}

void tg_bf16_sums_of_pairs(const tg_bf16_product *p, size_t block, size_t first_row, size_t rows, float *sums) {
  const size_t n_tiles = rows <= ONE_TILE ? 1 : rows <= TILE_ROWS ? 2 : (rows + TILE_ROWS - 1) / TILE_ROWS, step = n_tiles == 1 ? p->depth : STEP;
  memset(sums, 0, rows * BLOCK * sizeof *sums);
  for (size_t k = 0; k < p->depth; k += step) {
    const size_t n = p->depth - k < step ? p->depth - k : step, advance = BLOCK * GROUP * sizeof *p->weights / n_tiles;
    const uint16_t *weights = p->weights + (block * p->depth + k) * BLOCK;
    for (size_t tile = 0; tile < n_tiles; tile++) {
      const size_t begin = rows * tile / n_tiles, end = rows * (tile + 1) / n_tiles;
      const ahead next = {n_tiles > 1 ? (const char *)(weights + STEP * BLOCK) + tile * n / GROUP * advance : NULL, advance};
      add_tile(p->rounded + (first_row + begin) * p->depth + k, p->depth, weights, n, end - begin, sums + begin * BLOCK, next);
    }
  }
}

void tg_bf16_round_row(const tg_bf16_product *p, size_t row) {
  const float *x = p->x + row * p->n_in;
  uint16_t *to = p->rounded + row * p->depth;
  for (size_t i = 0; i < p->depth; i += LANES) {
    const __mmask16 from_mask = p->n_in - i >= LANES ? 0xffff : v_mask(p->n_in - i), to_mask = p->depth - i >= LANES ? 0xffff : v_mask(p->depth - i);
    const __m256bh rounded = _mm512_cvtneps_pbh(_mm512_maskz_loadu_ps(from_mask, x + i));
    _mm256_mask_storeu_epi16(to + i, to_mask, (__m256i)rounded);
  }
}

TG_VECTOR_END

#endif
