#include "runtime/linear_avx512.h"

#if defined(__x86_64__)

#include <omp.h>

#include "runtime/matmul.h"

#define TG_VECTOR_AVX512
#include "runtime/vector.h"

enum { BLOCK = TG_BLOCK_OUT, VECTORS = BLOCK / LANES, TILE_ROWS = 6, STEP = 128 /* inputs whose weights (32 KB) stay in L1 for all rows */ };

/* Adds inputs 0..n-1 of rows rows to sums [rows][BLOCK]. rows is a constant after inlining, so the sums live in registers. */
TG_INLINE void add_inputs(const float *x, size_t x_stride, const float *weights, size_t n, const size_t rows, float *sums) {
  tg_v s[TILE_ROWS][VECTORS];
#pragma GCC unroll 6
  for (size_t r = 0; r < rows; r++)
#pragma GCC unroll 4
    for (size_t v = 0; v < VECTORS; v++) s[r][v] = v_load(sums + r * BLOCK + v * LANES);
  for (size_t k = 0; k < n; k++) {
    tg_v w[VECTORS];
#pragma GCC unroll 4
    for (size_t v = 0; v < VECTORS; v++) w[v] = v_load(weights + k * BLOCK + v * LANES);
#pragma GCC unroll 6
    for (size_t r = 0; r < rows; r++) {
      const tg_v factor = v_set(x[r * x_stride + k]);
#pragma GCC unroll 4
      for (size_t v = 0; v < VECTORS; v++) s[r][v] = v_fma(factor, w[v], s[r][v]);
    }
  }
#pragma GCC unroll 6
  for (size_t r = 0; r < rows; r++)
#pragma GCC unroll 4
    for (size_t v = 0; v < VECTORS; v++) v_store(sums + r * BLOCK + v * LANES, s[r][v]);
}

static void add_tile(const float *x, size_t x_stride, const float *weights, size_t n, size_t rows, float *sums) {
  switch (rows) {
    case 1: add_inputs(x, x_stride, weights, n, 1, sums); break;
    case 2: add_inputs(x, x_stride, weights, n, 2, sums); break;
    case 3: add_inputs(x, x_stride, weights, n, 3, sums); break;
    case 4: add_inputs(x, x_stride, weights, n, 4, sums); break;
    case 5: add_inputs(x, x_stride, weights, n, 5, sums); break;
    default: add_inputs(x, x_stride, weights, n, 6, sums); break;
  }
}

/* sums [m][BLOCK] to columns of y. */
static void finish(const tg_few_rows *product, size_t block, const float *sums) {
  const size_t first = block * BLOCK, width = product->n_out - first < BLOCK ? product->n_out - first : BLOCK;
  for (size_t row = 0; row < product->m; row++) {
    float *y = product->y + row * product->n_out + first;
    for (size_t at = 0; at < width; at += LANES) {
      const tg_v sum = v_load(sums + row * BLOCK + at);
      if (width - at >= LANES)
        v_store(y + at, product->accumulate ? v_add(v_load(y + at), sum) : sum);
      else
        v_store_n(y + at, width - at, product->accumulate ? v_add(v_load_n(y + at, width - at), sum) : sum);
    }
  }
}

static void compute_block(const tg_few_rows *product, size_t block) {
  float sums[TG_FEW_ROWS * BLOCK] __attribute__((aligned(64)));
  const float *weights = product->weights + block * product->n_in_stored * BLOCK;
  for (size_t i = 0; i < product->m * BLOCK; i++) sums[i] = 0;
  const size_t tile = product->m <= TILE_ROWS ? product->m : (product->m + 1) / 2;
  for (size_t k = 0; k < product->n_in; k += STEP) {
    const size_t n = product->n_in - k < STEP ? product->n_in - k : STEP;
    for (size_t row = 0; row < product->m; row += tile) {
      const size_t rows = product->m - row < tile ? product->m - row : tile;
      add_tile(product->x + row * product->n_in + k, product->n_in, weights + k * BLOCK, n, rows, sums + row * BLOCK);
    }
  }
  finish(product, block, sums);
}

void tg_few_rows_avx512(const tg_few_rows *product, size_t n_blocks) {
  const size_t threads = (size_t)omp_get_num_threads(), thread = (size_t)omp_get_thread_num();
  for (size_t block = n_blocks * thread / threads; block < n_blocks * (thread + 1) / threads; block++) compute_block(product, block);
}

/* ------------------------------------------------------------------------------------------------------------------------- packing */

/* 16 values of a row from value k on; n of them, zeros behind, where the row ends. */
TG_INLINE __m512 load_row(const tg_row *row, size_t k, size_t n) {
  const __mmask16 mask = n >= LANES ? 0xffff : v_mask(n);
  if (row->dtype == TG_F32) return _mm512_maskz_loadu_ps(mask, (const char *)row->data + 4 * k);
  const __m256i half = _mm256_maskz_loadu_epi16(mask, (const char *)row->data + 2 * k);
  if (row->dtype == TG_F16) return _mm512_cvtph_ps(half);
  return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(half), 16));
}

void tg_pack_avx512(const tg_row *rows, size_t n_rows, size_t n_in, float *block) {
  for (size_t k = 0; k < n_in; k += LANES) {
    const size_t n = n_in - k < LANES ? n_in - k : LANES;
    for (size_t first = 0; first < n_rows; first += LANES) {
      __m512 tile[LANES];
#pragma GCC unroll 16
      for (size_t i = 0; i < LANES; i++) tile[i] = first + i < n_rows ? load_row(&rows[first + i], k, n) : v_set(0);
      v_transpose(tile);
      for (size_t i = 0; i < n; i++) v_store(block + (k + i) * BLOCK + first, tile[i]);
    }
  }
}

TG_VECTOR_END

#endif
