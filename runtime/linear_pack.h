/* Weights as linear layers keep them. Internal to runtime/; linear.c is the only user. */
#ifndef T5GIST_RUNTIME_LINEAR_PACK_H
#define T5GIST_RUNTIME_LINEAR_PACK_H

#include "runtime/linear.h"

typedef struct tg_packed {
  tg_precision precision;
  bool blocks; /* f32: [n_out_stored/64, n_in, 64] for linear_avx512.c, else [n_out, n_in] for oneDNN. int8, bf16: always, as linear_int8.h and
                * linear_bf16.h say; int4 as linear_int4.h does */
  size_t n_in, n_out;
  size_t depth;        /* inputs as stored, n_in and zeros behind */
  size_t group;        /* int4: inputs to a scale */
  size_t block_bytes;  /* int4: of 64 outputs, scales included */
  size_t n_out_stored; /* padded with zeros to whole blocks */
  void *weights;       /* [n_out_stored * depth] float, int8_t or uint16_t; int4: [n_out_stored / 64 * block_bytes] bytes */
  float *scales;       /* int8: [n_out_stored] */
  int32_t *offsets;    /* int8: [n_out_stored] tg_int8_offset() times the sum of the output's weights */
} tg_packed;

bool tg_is_int8(tg_precision precision); /* weights in bytes */

/* parts as in tg_linear_new. On failure what was taken is released. */
t5gist_status tg_pack(const tg_matrix *parts, size_t n_parts, size_t n_in, tg_precision precision, tg_team *team, tg_packed *packed,
                      t5gist_error *err);
void tg_packed_free(tg_packed *packed);
size_t tg_packed_bytes(const tg_packed *packed); /* of the weights and what belongs to them */

#endif
