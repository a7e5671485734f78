/* Linear layers on weights in blocks of 64 outputs, [n_out/64][n_in_stored][64], for AVX-512. Internal to runtime/; linear.c is the only user. */
#ifndef T5GIST_RUNTIME_LINEAR_AVX512_H
#define T5GIST_RUNTIME_LINEAR_AVX512_H

#include <stdbool.h>
#include <stddef.h>

#include "runtime/dtype.h"

enum { TG_FEW_ROWS = 8 }; /* up to here these kernels are faster than oneDNN (benchmarks/kernels.c) */

typedef struct tg_few_rows {
  const float *x, *weights; /* [m, n_in], packed */
  float *y;                 /* [m, n_out] */
  size_t m, n_in, n_in_stored, n_out;
  bool accumulate; /* y += */
} tg_few_rows;

/* The calling thread's share of a product, all threads of the parallel region together doing the whole. Each output is one sum over ascending
 * inputs, whatever m is: rows do not depend on how many are computed. */
void tg_few_rows_avx512(const tg_few_rows *product, size_t n_blocks);

/* A row of W as it is stored. */
typedef struct tg_row {
  const void *data; /* [n_in] */
  tg_dtype dtype;
} tg_row;

/* Rows 0..n_rows-1 (at most 64) become the columns of one block [n_in, 64]. */
void tg_pack_avx512(const tg_row *rows, size_t n_rows, size_t n_in, float *block);

#endif
