/* Linear layers in 4 bits: whole-number sums over each group of inputs, scaled and added up in f32. Internal to runtime/; linear.c is the only user.
 *
 * Weights are one block after the other of 64 outputs, a block being for each group of inputs, one after the other,
 *     scales   [64] bf16, that of output o at tg_int4_scale_at(o)
 *     nibbles  [inputs/8][64][4] bytes of q + 8: input 8 k + i of an output in the low four bits of byte i, 8 k + 4 + i in the high four
 * so that all that a product reads is one ascending stream, a vector of which is two of VNNI's. Inputs are padded to whole eights (`depth`) with whatever
 * stands there, for activations are zeros behind n_in; outputs to whole blocks with scales of zero. Weights are unsigned to the products, activations signed; what the 8 adds is taken off by where each group's sum begins.
 * A group's sum is exact and floats are added in one order without fusing, so that every way to an answer gives the same bits. */
#ifndef T5GIST_RUNTIME_LINEAR_INT4_H
#define T5GIST_RUNTIME_LINEAR_INT4_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "runtime/int4.h"
#include "runtime/team.h"

enum { TG_INT4_BLOCK = 64, TG_INT4_EIGHT = 8, TG_INT4_SCALES = TG_INT4_BLOCK * 2 /* bytes of a block's scales for one group */ };

/* Bytes of a block, of which one group of n inputs (padded to whole eights) takes TG_INT4_SCALES + n * TG_INT4_BLOCK / 2. */
bool tg_int4_block_bytes(size_t n_in, size_t group, size_t *bytes);

/* Where the scale of output o lies among a block's 64: the two vectors of 16 that one of 32 splits into are neighbours. */
static inline size_t tg_int4_scale_at(size_t o) {
  return o / 32 * 32 + o % 16 * 2 + o / 16 % 2;
}

/* Rows 0 .. n_rows - 1 (at most 64) of nibbles and scales as runtime/int4.h has them become the first outputs of one block, whose bytes are zeros.
 * scratch [n_rows * depth / 8]. */
typedef struct tg_int4_row {
  const unsigned char *nibbles;
  const float *scales;
} tg_int4_row;
void tg_int4_pack_block(const tg_int4_row *rows, size_t n_rows, size_t n_in, size_t group, uint32_t *scratch, unsigned char *block);

/* Activations: x [m, n_in] to q [m, depth], scales and starts [m, groups]. Each group as tg_quantize_row has it; starts: -8 times the sum of its q. */
typedef struct tg_int4_activations {
  int8_t *q;
  float *scales;
  int32_t *starts;
} tg_int4_activations;
void tg_int4_quantize(tg_team *team, const float *x, size_t m, size_t n_in, size_t group, const tg_int4_activations *to);

typedef struct tg_int4_product {
  tg_int4_activations x;
  const unsigned char *weights; /* packed */
  float *y;                     /* [m, n_out] */
  size_t m, depth, group, n_groups, n_out, block_bytes;
  bool accumulate; /* y += */
} tg_int4_product;

/* The whole product: for each group in turn sum += (float)(starts + q . weights) * (x scale * weights' scale), from 0; then y (+)= sum. */
void tg_int4_multiply(tg_team *team, const tg_int4_product *product);

/* The pieces of each instruction set: at most TG_INT4_CHUNK rows from first_row on of one block of outputs; one row of activations. */
enum { TG_INT4_CHUNK = 48 };
typedef struct tg_int4_kernels {
  void (*block)(const tg_int4_product *product, size_t block, size_t first_row, size_t rows);
  void (*quantize)(const float *x, size_t n_in, size_t group, int8_t *q, float *scales, int32_t *starts);
} tg_int4_kernels;
extern const tg_int4_kernels tg_int4_vnni; /* linear_int4_vnni.c */

#endif
