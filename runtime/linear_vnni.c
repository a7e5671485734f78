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
  ONE_TILE = 5,  /* rows up to which one tile is faster than two */
  AHEAD = 8192,  /* bytes: how far before their use one tile's weights are fetched */
  STEP = 256     /* inputs whose weights (16 KB) stay in L1 for all tiles of a chunk */
};

/* Where weights lie that are fetched while others are used, `advance` bytes per group of inputs: the next step's, or those AHEAD of a single tile. */
typedef struct ahead {
  const int8_t *weights;
  size_t advance;
} ahead;

/* Adds inputs first .. first + n - 1 of the rows x[0 .. rows - 1] to sums [rows][BLOCK]. rows is a constant after inlining, so the sums live in
 * registers. */
TG_INLINE void add_inputs(const unsigned char *const *x, size_t first, const int8_t *weights, size_t n, const size_t rows, int32_t *sums,
                          ahead next) {
  __m512i s[TILE_ROWS][VECTORS];
#pragma GCC unroll 6
  for (size_t r = 0; r < rows; r++)
#pragma GCC unroll 4
    for (size_t v = 0; v < VECTORS; v++) s[r][v] = _mm512_loadu_si512(sums + r * BLOCK + v * LANES);
  for (size_t k = 0; k < n; k += GROUP) {
    __m512i w[VECTORS];
#pragma GCC unroll 4
    for (size_t v = 0; v < VECTORS; v++) _mm_prefetch(next.weights + k / GROUP * next.advance + v * next.advance / VECTORS, _MM_HINT_T0);
#pragma GCC unroll 4
    for (size_t v = 0; v < VECTORS; v++) w[v] = _mm512_loadu_si512(weights + k * BLOCK + v * LANES * GROUP);
#pragma GCC unroll 6
    for (size_t r = 0; r < rows; r++) {
      int32_t group;
      memcpy(&group, x[r] + first + k, sizeof group);
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

static void add_tile(const unsigned char *const *x, size_t first, const int8_t *weights, size_t n, size_t rows, int32_t *sums, ahead next) {
  switch (rows) {
    case 1: add_inputs(x, first, weights, n, 1, sums, next); break;
    case 2: add_inputs(x, first, weights, n, 2, sums, next); break;
    case 3: add_inputs(x, first, weights, n, 3, sums, next); break;
    case 4: add_inputs(x, first, weights, n, 4, sums, next); break;
    case 5: add_inputs(x, first, weights, n, 5, sums, next); break;
    default: add_inputs(x, first, weights, n, TILE_ROWS, sums, next); break;
  }
}

TG_INLINE tg_v scaled(__m512i sum, __m512i offset, tg_v scale) {
  return v_mul(_mm512_cvtepi32_ps(_mm512_sub_epi32(sum, offset)), scale);
}

static void finish_row(const tg_int8_product *p, size_t row, size_t first, size_t n, const int32_t *sums) {
  float *y = p->y + row * p->n_out + first;
  const tg_v x_scale = v_set(p->x_scales[row]);
  for (size_t i = 0; i < n; i += LANES) {
    const __mmask16 mask = n - i >= LANES ? 0xffff : v_mask(n - i);
    const tg_v scale = v_mul(_mm512_maskz_loadu_ps(mask, p->scales + first + i), x_scale);
    const tg_v value = scaled(_mm512_maskz_loadu_epi32(mask, sums + i), _mm512_maskz_loadu_epi32(mask, p->offsets + first + i), scale);
    _mm512_mask_storeu_ps(y + i, mask, p->accumulate ? v_add(_mm512_maskz_loadu_ps(mask, y + i), value) : value);
  }
}

/* As finish_row does for each row, and then for its second bytes, with what belongs to the block's outputs in registers. sums, low_sums
 * [rows][BLOCK]; scales and offsets are stored in whole blocks. */
static void finish_block(const tg_int8_product *p, size_t block, size_t first_row, size_t rows, const int32_t *sums, const int32_t *low_sums) {
  const size_t first = block * BLOCK, width = p->n_out - first < BLOCK ? p->n_out - first : BLOCK;
  __m512i offsets[VECTORS];
  tg_v scales[VECTORS];
  __mmask16 masks[VECTORS];
#pragma GCC unroll 4
  for (size_t v = 0; v < VECTORS; v++) {
    offsets[v] = _mm512_loadu_si512(p->offsets + first + v * LANES);
    scales[v] = v_load(p->scales + first + v * LANES);
    masks[v] = width >= (v + 1) * LANES ? 0xffff : width > v * LANES ? v_mask(width - v * LANES) : 0;
  }
  for (size_t r = 0; r < rows; r++) {
    float *y = p->y + (first_row + r) * p->n_out + first;
    const tg_v x_scale = v_set(p->x_scales[first_row + r]), low_scale = v_set(p->low ? p->low_scales[first_row + r] : 0);
#pragma GCC unroll 4
    for (size_t v = 0; v < VECTORS; v++) {
      tg_v value = scaled(_mm512_loadu_si512(sums + r * BLOCK + v * LANES), offsets[v], v_mul(scales[v], x_scale));
      if (p->accumulate) value = v_add(_mm512_maskz_loadu_ps(masks[v], y + v * LANES), value);
      if (p->low) value = v_add(value, scaled(_mm512_loadu_si512(low_sums + r * BLOCK + v * LANES), offsets[v], v_mul(scales[v], low_scale)));
      _mm512_mask_storeu_ps(y + v * LANES, masks[v], value);
    }
  }
}

/* Second bytes are rows of their own behind the first ones, so that each weight is loaded once for both. */
static size_t list_rows(const tg_int8_product *p, size_t first_row, size_t rows, const unsigned char **x) {
  for (size_t r = 0; r < rows; r++) {
    x[r] = p->x + (first_row + r) * p->depth;
    if (p->low != NULL) x[rows + r] = p->low + (first_row + r) * p->depth;
  }
  return p->low != NULL ? 2 * rows : rows;
}

static void multiply_block(const tg_int8_product *p, size_t block, size_t first_row, size_t rows) {
  int32_t sums[TG_INT8_CHUNK * BLOCK] __attribute__((aligned(64)));
  const unsigned char *x[TG_INT8_CHUNK];
  const size_t n_rows = list_rows(p, first_row, rows, x);
  const size_t n_tiles = n_rows <= ONE_TILE    ? 1
                         : n_rows <= TILE_ROWS ? 2
                                               : (n_rows + TILE_ROWS - 1) / TILE_ROWS,
               step = n_tiles == 1 ? p->depth : STEP;
  memset(sums, 0, n_rows * BLOCK * sizeof *sums);
  for (size_t k = 0; k < p->depth; k += step) {
    const size_t n = p->depth - k < step ? p->depth - k : step, advance = BLOCK * GROUP / n_tiles;
    const int8_t *weights = p->weights + (block * p->depth + k) * BLOCK;
    for (size_t tile = 0; tile < n_tiles; tile++) {
      const size_t begin = n_rows * tile / n_tiles, end = n_rows * (tile + 1) / n_tiles;
      const ahead next = {weights + (n_tiles > 1 ? STEP * BLOCK + tile * n / GROUP * advance : AHEAD), advance};
      add_tile(x + begin, k, weights, n, end - begin, sums + begin * BLOCK, next);
    }
  }
  finish_block(p, block, first_row, rows, sums, sums + rows * BLOCK);
}

const tg_int8_kernels tg_int8_vnni = {multiply_block, finish_row};

TG_VECTOR_END

#endif
