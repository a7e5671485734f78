/* Linear layers in 8 bits: whole-number sums of quantised activations and weights, scaled once. Internal to runtime/; linear.c is the only user.
 *
 * Weights are in blocks of 64 outputs and groups of 4 inputs, [n_out/64][depth/4][64][4], depth being the inputs padded with zeros to whole 64: what
 * oneDNN calls BA16a64b4a. Sums are exact, so every way to an answer gives the same bits: any number of rows, threads, any instruction set. */
#ifndef T5GIST_RUNTIME_LINEAR_INT8_H
#define T5GIST_RUNTIME_LINEAR_INT8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "runtime/team.h"

enum { TG_INT8_BLOCK = 64, TG_INT8_GROUP = 4, TG_INT8_DEPTH_STEP = 64 };

/* What the machine's products want added to activations: 128 with VNNI, which multiplies unsigned by signed bytes, else 0. One choice per process. */
unsigned char tg_int8_offset(void);

typedef struct tg_int8_product {
  const unsigned char *x;   /* [m, depth] quantised, plus tg_int8_offset() */
  const float *x_scales;    /* [m] */
  const unsigned char *low; /* null, or likewise the second bytes of the activations */
  const float *low_scales;  /* [m] theirs */
  const int8_t *weights;    /* packed */
  const float *scales;      /* [n_out, padded to whole blocks] */
  const int32_t *offsets;   /* likewise what the offset of x adds to each sum: tg_int8_offset() times the sum of its weights */
  float *y;                 /* [m, n_out] */
  size_t m, depth, n_out;
  bool accumulate; /* y += */
} tg_int8_product;

/* The whole product: y (+)= (sum - offset) * (scale * x_scale), and then the same of low. */
void tg_int8_multiply(tg_team *team, const tg_int8_product *product);

/* What is left to do of a product with low when x is done. */
tg_int8_product tg_int8_low_part(const tg_int8_product *product);

/* The last step alone for n outputs from `first` on, whose sums [m, n] come from elsewhere. By the calling thread. */
void tg_int8_finish(const tg_int8_product *product, size_t first, size_t n, const int32_t *sums);

/* The pieces of each instruction set: at most CHUNK rows (half as many with low) from first_row on of one block of outputs; one row of sums from
 * output `first` on, low left aside. */
enum { TG_INT8_CHUNK = 48 };
typedef struct tg_int8_kernels {
  void (*block)(const tg_int8_product *product, size_t block, size_t first_row, size_t rows);
  void (*finish)(const tg_int8_product *product, size_t row, size_t first, size_t n, const int32_t *sums);
} tg_int8_kernels;
extern const tg_int8_kernels tg_int8_vnni; /* linear_vnni.c */

#endif
