/* 8-bit linear layers by AVX-512's products of bytes: as linear_avx512.c, four inputs at a time. */
#include "runtime/linear_int8.h"

#if defined(__x86_64__)

#include <string.h>

#define TG_VECTOR_AVX512
#define TG_VECTOR_VNNI
#include "runtime/vector.h"

enum {
  BLOCK = TG_INT8_BLOCK,
  GROUP = TG_INT8_GROUP,
  VECTORS = BLOCK / LANES,
  TILE_ROWS = 6, /* 24 sums in registers, 4 weights, the rest for x */
  STEP = 256     /* inputs whose weights (16 KB) stay in L1 for all tiles of a chunk */
};

/* Where the next step's weights lie, fetched while this one's are used: `advance` bytes per group of inputs. */
typedef struct ahead {
  const int8_t *weights;
  size_t advance;
} ahead;

/* Adds n inputs of rows rows to sums [rows][BLOCK]. rows is a constant after inlining, so the sums live in registers. */
TG_INLINE void add_inputs(const unsigned char *x, size_t x_stride, const int8_t *weights, size_t n, const size_t rows, int32_t *sums, ahead next) {
  __m512i s[TILE_ROWS][VECTORS];
#pragma GCC unroll 6
  for (size_t r = 0; r < rows; r++)
#pragma GCC unroll 4
    for (size_t v = 0; v < VECTORS; v++) s[r][v] = _mm512_loadu_si512(sums + r * BLOCK + v * LANES);
  for (size_t k = 0; k < n; k += GROUP) {
    __m512i w[VECTORS];
#pragma GCC unroll 4
    for (size_t v = 0; rows > 2 && v < VECTORS; v++) /* with fewer rows the processor's own prefetching is better */
      _mm_prefetch(next.weights + k / GROUP * next.advance + v * next.advance / VECTORS, _MM_HINT_T0);
#pragma GCC unroll 4
    for (size_t v = 0; v < VECTORS; v++) w[v] = _mm512_loadu_si512(weights + k * BLOCK + v * LANES * GROUP);
#pragma GCC unroll 6
    for (size_t r = 0; r < rows; r++) {
      int32_t group;
      memcpy(&group, x + r * x_stride + k, sizeof group);
      const __m512i factor = _mm512_set1_epi32(group);
#pragma GCC unroll 4
      for (size_t v = 0; v < VECTORS; v++) s[r][v] = _mm512_dpbusd_epi32(s[r][v], factor, w[v]);
    }
  }
#pragma GCC unroll 6
  for (size_t r = 0; r < rows; r++)
#pragma GCC unroll 4
    for (size_t v = 0; v < VECTORS; v++) _mm512_storeu_si512(sums + r * BLOCK + v * LANES, s[r][v]);
}

static void add_tile(const unsigned char *x, size_t x_stride, const int8_t *weights, size_t n, size_t rows, int32_t *sums, ahead next) {
  switch (rows) {
    case 1: add_inputs(x, x_stride, weights, n, 1, sums, next); break;
    case 2: add_inputs(x, x_stride, weights, n, 2, sums, next); break;
    case 3: add_inputs(x, x_stride, weights, n, 3, sums, next); break;
    case 4: add_inputs(x, x_stride, weights, n, 4, sums, next); break;
    case 5: add_inputs(x, x_stride, weights, n, 5, sums, next); break;
    default: add_inputs(x, x_stride, weights, n, TILE_ROWS, sums, next); break;
  }
}

static void finish_row(const tg_int8_product *p, size_t row, size_t first, size_t n, const int32_t *sums) {
  float *y = p->y + row * p->n_out + first;
  const tg_v x_scale = v_set(p->x_scales[row]);
  for (size_t i = 0; i < n; i += LANES) {
    const __mmask16 mask = n - i >= LANES ? 0xffff : v_mask(n - i);
    const __m512i sum = _mm512_sub_epi32(_mm512_maskz_loadu_epi32(mask, sums + i), _mm512_maskz_loadu_epi32(mask, p->offsets + first + i));
    const tg_v scale = v_mul(_mm512_maskz_loadu_ps(mask, p->scales + first + i), x_scale);
    const tg_v value = v_mul(_mm512_cvtepi32_ps(sum), scale);
    _mm512_mask_storeu_ps(y + i, mask, p->accumulate ? v_add(_mm512_maskz_loadu_ps(mask, y + i), value) : value);
  }
}

static void multiply_block(const tg_int8_product *p, size_t block, size_t first_row, size_t rows) {
  int32_t sums[TG_INT8_CHUNK * BLOCK] __attribute__((aligned(64)));
  memset(sums, 0, rows * BLOCK * sizeof *sums);
  const size_t n_tiles = (rows + TILE_ROWS - 1) / TILE_ROWS, step = n_tiles == 1 ? p->depth : STEP;
  for (size_t k = 0; k < p->depth; k += step) {
    const size_t n = p->depth - k < step ? p->depth - k : step;
    const int8_t *weights = p->weights + (block * p->depth + k) * BLOCK;
    const size_t advance = BLOCK * GROUP / n_tiles;
    for (size_t tile = 0; tile < n_tiles; tile++) {
      const size_t begin = rows * tile / n_tiles, end = rows * (tile + 1) / n_tiles;
      const ahead next = {weights + STEP * BLOCK + tile * n / GROUP * advance, advance};
      add_tile(p->x + (first_row + begin) * p->depth + k, p->depth, weights, n, end - begin, sums + begin * BLOCK, next);
    }
  }
  const size_t left = p->n_out - block * BLOCK;
  for (size_t row = 0; row < rows; row++) finish_row(p, first_row + row, block * BLOCK, left < BLOCK ? left : BLOCK, sums + row * BLOCK);
}

const tg_int8_kernels tg_int8_vnni = {multiply_block, finish_row};

TG_VECTOR_END

#endif
