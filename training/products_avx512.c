/* Products by AVX-512's products of pairs of bf16 (vdpbf16ps): a's and b's blocks are rounded and laid out in pairs of depth, then tiles of c are
 * summed in registers, as in "Anatomy of High-Performance Matrix Multiplication" (Goto, van de Geijn, 2008). */
#include "training/products.h"

#if defined(__x86_64__)

#include <stdint.h>
#include <string.h>

#define TG_VECTOR_AVX512
#define TG_VECTOR_BF16
#include "runtime/vector.h"

enum {
  TILE_ROWS = 6, /* 24 sums in registers, 4 vectors of b, one of a */
  VECTORS = 4,
  TILE_COLUMNS = VECTORS * LANES,
  DEPTH = 256,                /* of a block: a tile's columns of b (32 KB) stay in L1 */
  PAIRS = DEPTH / 2,          /* of a block; a pair is one int32_t, the smaller depth in its low half */
  ROWS = 40 * TILE_ROWS,      /* of a's block, 120 KB: with b's block in L2; whole vectors */
  COLUMNS = 16 * TILE_COLUMNS /* of b's block, 512 KB */
};

typedef struct blocks {
  int32_t b[PAIRS * COLUMNS]; /* [columns / TILE_COLUMNS][pairs][TILE_COLUMNS] */
  int32_t a[PAIRS * ROWS];    /* [rows][PAIRS], or turned: [pairs][ROWS] */
  int32_t turned[LANES * LANES];
} blocks;

size_t tg_part_scratch(void) {
  return sizeof(blocks);
}

static size_t least(size_t a, size_t b) {
  return a < b ? a : b;
}

/* 16 of n floats at p, zeros behind them. */
TG_INLINE __m512 some(const float *p, size_t n) {
  return n >= LANES ? _mm512_loadu_ps(p) : _mm512_maskz_loadu_ps(v_mask(n), p);
}

/* n consecutive numbers, at most 32, as 16 pairs. */
TG_INLINE __m512i pairs_of(const float *p, size_t n) {
  return (__m512i)_mm512_cvtne2ps_pbh(n > LANES ? some(p + LANES, n - LANES) : _mm512_setzero_ps(), some(p, n));
}

/* 16 pairs of two rows of n numbers; below null: zeros. */
TG_INLINE __m512i pairs_across(const float *row, const float *below, size_t n) {
  const __m512i halves =
      _mm512_set_epi16(31, 15, 30, 14, 29, 13, 28, 12, 27, 11, 26, 10, 25, 9, 24, 8, 23, 7, 22, 6, 21, 5, 20, 4, 19, 3, 18, 2, 17, 1, 16, 0);
  return _mm512_permutexvar_epi16(halves, (__m512i)_mm512_cvtne2ps_pbh(below ? some(below, n) : _mm512_setzero_ps(), some(row, n)));
}

/* Rows of `depth` numbers to [rows][PAIRS]. */
static void lay_rows(const float *from, size_t stride, size_t rows, size_t depth, int32_t *to) {
  for (size_t r = 0; r < rows; r++)
    for (size_t k = 0; k < depth; k += 2 * LANES) _mm512_storeu_si512(to + r * PAIRS + k / 2, pairs_of(from + r * stride + k, depth - k));
}

/* `depth` rows of n numbers to [pairs][to_stride], in whole vectors. */
static void lay_across(const float *from, size_t stride, size_t n, size_t depth, int32_t *to, size_t to_stride) {
  for (size_t k = 0; k < depth; k += 2)
    for (size_t i = 0; i < n; i += LANES)
      _mm512_storeu_si512(to + k / 2 * to_stride + i, pairs_across(from + k * stride + i, k + 1 < depth ? from + (k + 1) * stride + i : NULL, n - i));
}

/* n rows of `depth` numbers, at most 16, to columns of [pairs][TILE_COLUMNS]. */
static void lay_columns(const float *from, size_t stride, size_t n, size_t depth, int32_t *turned, int32_t *to) {
  const __m512i places = _mm512_mullo_epi32(_mm512_set_epi32(15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0), _mm512_set1_epi32(LANES));
  memset(turned, 0, LANES * LANES * sizeof *turned);
  for (size_t k = 0; k < depth; k += 2 * LANES) {
    for (size_t j = 0; j < n; j++) _mm512_storeu_si512(turned + j * LANES, pairs_of(from + j * stride + k, depth - k));
    for (size_t i = 0; i < least(LANES, (depth - k + 1) / 2); i++)
      _mm512_storeu_si512(to + (k / 2 + i) * TILE_COLUMNS, _mm512_i32gather_epi32(places, turned + i, sizeof *turned));
  }
}

static void lay_b(const tg_part *p, size_t k, size_t depth, size_t column, size_t columns, blocks *s) {
  for (size_t begin = 0; begin < columns; begin += LANES) {
    int32_t *to = s->b + begin / TILE_COLUMNS * PAIRS * TILE_COLUMNS + begin % TILE_COLUMNS;
    const size_t n = columns - begin;
    if (p->b_transposed)
      lay_columns(p->b + (column + begin) * p->b_stride + k, p->b_stride, least(n, LANES), depth, s->turned, to);
    else
      lay_across(p->b + k * p->b_stride + column + begin, p->b_stride, least(n, LANES), depth, to, TILE_COLUMNS);
  }
}

static void lay_a(const tg_part *p, size_t k, size_t depth, size_t row, size_t rows, blocks *s) {
  if (p->a_transposed)
    lay_across(p->a + k * p->a_stride + row, p->a_stride, rows, depth, s->a, ROWS);
  else
    lay_rows(p->a + row * p->a_stride + k, p->a_stride, rows, depth, s->a);
}

/* c's tile (+)= rows of a and 64 columns of b, of which n are stored. rows and turned are constants after inlining, so the sums live in registers. */
TG_INLINE void add_tile_as(const int32_t *a, const int32_t *b, size_t pairs, const size_t rows, const bool turned, float *c, size_t c_stride,
                           size_t n, bool accumulate) {
  tg_v sums[TILE_ROWS][VECTORS];
  const size_t row_step = turned ? 1 : PAIRS, pair_step = turned ? ROWS : 1;
#pragma GCC unroll 6
  for (size_t r = 0; r < rows; r++)
#pragma GCC unroll 4
    for (size_t v = 0; v < VECTORS; v++) sums[r][v] = _mm512_setzero_ps();
  for (size_t k = 0; k < pairs; k++) {
    __m512i w[VECTORS];
#pragma GCC unroll 4
    for (size_t v = 0; v < VECTORS; v++) w[v] = _mm512_loadu_si512(b + k * TILE_COLUMNS + v * LANES);
#pragma GCC unroll 6
    for (size_t r = 0; r < rows; r++) {
      const __m512i factor = _mm512_set1_epi32(a[r * row_step + k * pair_step]);
#pragma GCC unroll 4
      for (size_t v = 0; v < VECTORS; v++) sums[r][v] = _mm512_dpbf16_ps(sums[r][v], (__m512bh)factor, (__m512bh)w[v]);
    }
  }
#pragma GCC unroll 6
  for (size_t r = 0; r < rows; r++)
#pragma GCC unroll 4
    for (size_t v = 0; v < VECTORS; v++) {
      const size_t begin = v * LANES;
      if (begin >= n) continue;
      float *to = c + r * c_stride + begin;
      const tg_v sum = accumulate ? v_add(sums[r][v], some(to, n - begin)) : sums[r][v];
      if (n - begin >= LANES)
        v_store(to, sum);
      else
        v_store_n(to, n - begin, sum);
    }
}

TG_INLINE void add_rows(const int32_t *a, const int32_t *b, size_t pairs, size_t rows, const bool turned, float *c, size_t c_stride, size_t n,
                        bool accumulate) {
  switch (rows) {
    case 1: add_tile_as(a, b, pairs, 1, turned, c, c_stride, n, accumulate); break;
    case 2: add_tile_as(a, b, pairs, 2, turned, c, c_stride, n, accumulate); break;
    case 3: add_tile_as(a, b, pairs, 3, turned, c, c_stride, n, accumulate); break;
    case 4: add_tile_as(a, b, pairs, 4, turned, c, c_stride, n, accumulate); break;
    case 5: add_tile_as(a, b, pairs, 5, turned, c, c_stride, n, accumulate); break;
    default: add_tile_as(a, b, pairs, TILE_ROWS, turned, c, c_stride, n, accumulate); break;
  }
}

/* c's rows row .. row + rows - 1 of `columns` columns (+)= the blocks. */
static void add_blocks(const tg_part *p, const blocks *s, size_t pairs, size_t row, size_t rows, size_t column, size_t columns, bool accumulate) {
  for (size_t j = 0; j < columns; j += TILE_COLUMNS)
    for (size_t i = 0; i < rows; i += TILE_ROWS) {
      const int32_t *b = s->b + j / TILE_COLUMNS * PAIRS * TILE_COLUMNS;
      float *c = p->c + (row + i) * p->c_stride + column + j;
      if (p->a_transposed)
        add_rows(s->a + i, b, pairs, least(TILE_ROWS, rows - i), true, c, p->c_stride, columns - j, accumulate);
      else
        add_rows(s->a + i * PAIRS, b, pairs, least(TILE_ROWS, rows - i), false, c, p->c_stride, columns - j, accumulate);
    }
}

void tg_part_multiply_avx512(const tg_part *p, void *scratch) {
  blocks *s = scratch;
  for (size_t column = 0; column < p->n; column += COLUMNS) {
    const size_t columns = least(COLUMNS, p->n - column);
    for (size_t k = 0; k < p->k; k += DEPTH) {
      const size_t depth = least(DEPTH, p->k - k);
      lay_b(p, k, depth, column, columns, s);
      for (size_t row = 0; row < p->m; row += ROWS) {
        const size_t rows = least(ROWS, p->m - row);
        lay_a(p, k, depth, row, rows, s);
        add_blocks(p, s, (depth + 1) / 2, row, rows, column, columns, p->accumulate || k > 0);
      }
    }
  }
}

TG_VECTOR_END

#endif
