/* What encoder and decoder layers share: the residual stream with its scratch, and the feed-forward sub-layer. */
#ifndef T5GIST_T5_BLOCK_H
#define T5GIST_T5_BLOCK_H

#include "runtime/attention.h"
#include "t5/model.h"

/* Packed rows on their way through a stack. Every buffer has room for tg_linear_rows(rows) rows and lives in the workspace's arena. */
typedef struct tg_stream {
  const tg_t5 *t5;
  tg_workspace *workspace;
  size_t rows;
  float *x;       /* [rows, d_model] the residual stream */
  float *normed;  /* [rows, d_model] */
  float *qkv;     /* [rows, 3 * inner] */
  float *context; /* [rows, inner] attention output, before o */
  float *wide;    /* [rows, d_ff or 2 * d_ff] before the activation */
  float *hidden;  /* [rows, d_ff] after it */
} tg_stream;

/* Where something is computed, as Hugging Face names it: "encoder.block.2.layer.1"; block -1: outside of the blocks, "encoder". */
typedef struct tg_place {
  const char *stack;
  int block, layer;
} tg_place;

/* Under check_numerics: refuses numbers [rows, width] that are not finite, naming the tensor that they were the first to come from: "SelfAttention.o"
 * at its place, or by itself (place null). */
t5gist_status tg_check_finite(const tg_t5 *t5, const float *numbers, size_t rows, size_t width, const tg_place *place, const char *tensor,
                              t5gist_error *err);

/* Takes the buffers; x is taken by the caller, who may want to keep it. */
t5gist_status tg_stream_begin(const tg_t5 *t5, tg_workspace *workspace, size_t rows, float *x, tg_stream *stream, t5gist_error *err);

/* Room for rows of width floats, as linear layers want it. */
t5gist_status tg_take_rows(tg_workspace *workspace, size_t rows, size_t width, float **out, t5gist_error *err);

/* normed = RMSNorm(x) * weight. */
void tg_stream_norm(tg_stream *stream, const float *weight);

/* y = linear(RMSNorm(x) * weight), y [rows, n_out]. normed is written unless the layer is in 8 bits and nothing calibrates. place and name are for
 * tg_check_finite, here and below. */
t5gist_status tg_stream_apply_normed(tg_stream *stream, const float *weight, const tg_linear *linear, const tg_place *place, const char *name,
                                     float *y, t5gist_error *err);

/* x += wo(act(wi(RMSNorm(x)))). */
t5gist_status tg_stream_ffn(tg_stream *stream, const tg_ffn *ffn, const tg_place *place, t5gist_error *err);

/* x += o(context). scores: what the context came from. */
t5gist_status tg_stream_project(tg_stream *stream, const tg_linear *o, const tg_place *place, const char *scores, const char *name,
                                t5gist_error *err);

/* Keys [begin, end) of the concatenation of parts, in place. */
void tg_keys_trim(tg_keys *parts, int n_parts, int begin, int end);

#endif
