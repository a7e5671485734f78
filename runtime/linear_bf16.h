/* Linear layers with weights in bf16. Internal to runtime/; linear.c is the only user.
 *
 * Weights are in blocks of 64 outputs and pairs of inputs, [n_out/64][depth/2][64][2], depth being the inputs padded with a zero to an even number:
 * what oneDNN calls BA16a64b2a. Sums are f32. Where the machine multiplies pairs of bf16 (tg_cpu_bf16), activations are rounded to bf16 for every
 * product, whatever its rows: twice the speed of f32 from 16 rows on, and no slower below. Elsewhere activations stay f32 and weights are widened in
 * registers, which halves what is read from memory and nothing else. */
#ifndef T5GIST_RUNTIME_LINEAR_BF16_H
#define T5GIST_RUNTIME_LINEAR_BF16_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "runtime/team.h"

enum { TG_BF16_BLOCK = 64, TG_BF16_GROUP = 2, TG_BF16_CHUNK = 48 };

typedef struct tg_bf16_product {
  const float *x;          /* [m, n_in] */
  uint16_t *rounded;       /* [m, depth] scratch, where tg_cpu_bf16(); else null */
  const uint16_t *weights; /* packed */
  float *y;                /* [m, n_out] */
  size_t m, n_in, depth, n_out;
  bool accumulate; /* y += */
} tg_bf16_product;

/* The whole product. Rows have the same bits alone and among others, and with any number of threads. */
void tg_bf16_multiply(tg_team *team, const tg_bf16_product *product);

/* The pieces that use the machine's products of pairs, linear_bf16_avx512.c: row `row` of x to rounded; sums [rows][64] of at most TG_BF16_CHUNK rows
 * from first_row on of one block of outputs. */
void tg_bf16_round_row(const tg_bf16_product *product, size_t row);
void tg_bf16_sums_of_pairs(const tg_bf16_product *product, size_t block, size_t first_row, size_t rows, float *sums);

#endif
