/* Linear layers on weights in blocks of 64 outputs, [n_out/64][n_in][64], for AVX-512. Internal to runtime/; linear.c is the only user. */
#ifndef T5GIST_RUNTIME_LINEAR_AVX512_H
#define T5GIST_RUNTIME_LINEAR_AVX512_H

#include <stdbool.h>
#include <stddef.h>

#include "runtime/dtype.h"
#include "runtime/team.h"

enum { TG_BLOCK_OUT = 64 };

typedef struct tg_blocks_product {
  const float *x;       /* [m, n_in] */
  const float *weights; /* packed */
  float *y;             /* [m, n_out] */
  size_t m, n_in, n_out;
  bool accumulate; /* y += */
} tg_blocks_product;

/* The whole product. Each output is a sum of sums of 64 products, in ascending order of inputs, whatever
 * m and the number of threads: rows have the same bits alone and among others. */
void tg_multiply_blocks(tg_team *team, const tg_blocks_product *product);

/* A row of W as it is stored. */
typedef struct tg_row {
  const void *data; /* [n_in] */
  tg_dtype dtype;
} tg_row;

/* Rows 0..n_rows-1 (at most 64) become the first columns of one block [n_in, 64]. */
void tg_pack_block(const tg_row *rows, size_t n_rows, size_t n_in, float *block);

#endif
