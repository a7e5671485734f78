/* Linear layers: y[m, n_out] = x[m, n_in] W^T, W stored [n_out, n_in] row-major as PyTorch does, packed once at load, in a precision of its own.
 *
 * f32   With AVX-512 the packed layout is blocks of 64 outputs, [n_out/64][n_in][64], for kernels of our own that serve every number of rows: from
 *       memory they are up to 1.7 times as fast as oneDNN's, as fast where the arithmetic is the limit (benchmarks/kernels.c), and a row has the same
 *       bits whatever its mates and however many threads. Elsewhere W stays row-major and oneDNN multiplies.
 * bf16  Half of f32's bytes, sums in f32. Activations are rounded to bf16 too where the machine multiplies pairs of them (runtime/linear_bf16.h). Kernels
 *       of our own for every number of rows, so that a row has the same bits whatever its mates and threads.
 * int8  Weights are whole numbers of 8 bits with a scale per output, activations likewise with a scale per row, quantised at each product
 *       (tg_quantize_row). Sums are exact: a row has the same bits whatever its mates, threads and instruction set.
 * int8x16  The same weights, but activations of two bytes (tg_quantize_row_wide): for inputs whose few large numbers would leave the many small ones
 *       no digits. Twice the arithmetic, no byte more of memory.
 * int4  Weights are whole numbers of 4 bits in groups of inputs with a scale each (runtime/int4.h), little over half of int8's bytes. Activations are
 *       bytes with a scale per group too, so that a large number costs only its own group digits. The sum of each group is exact; the groups' sums are
 *       scaled and added up in ascending order in f32: a row has the same bits whatever its mates, threads and instruction set. */
#ifndef T5GIST_RUNTIME_LINEAR_H
#define T5GIST_RUNTIME_LINEAR_H

#include <stdbool.h>

#include "runtime/dtype.h"
#include "runtime/engine.h"
#include "runtime/kernels.h"

typedef struct tg_linear tg_linear;

enum { TG_INT8_MAX_INPUTS = 1 << 16 }; /* whose products of 255 * 127 at most add up within 32 bits */

typedef enum tg_precision { TG_PRECISION_F32 = 0, TG_PRECISION_INT8, TG_PRECISION_INT8X16, TG_PRECISION_BF16, TG_PRECISION_INT4 } tg_precision;

const char *tg_precision_name(tg_precision precision); /* "f32", "int8", "int8x16", "bf16", "int4" */
int tg_precision_from_name(const char *name);          /* -1: unknown */

/* A stored matrix, borrowed during packing only. Its pages are released from memory behind the packing (tg_map_release) when mapped. */
typedef struct tg_matrix {
  const void *data; /* [n_out, n_in] row-major */
  tg_dtype dtype;   /* TG_F32, TG_BF16, TG_F16 or, with scales, TG_I8 or TG_I4 */
  size_t n_out;
  bool mapped;
  const float *scales; /* TG_I8: [n_out], what the numbers of each output are to be multiplied by. TG_I4: [n_out, tg_int4_groups(n_in, group)] */
  size_t group;        /* TG_I4: inputs to a scale, 32, 64 or 128; data is [n_out, tg_int4_row_bytes(n_in)], each row as runtime/int4.h says */
} tg_matrix;

/* Packs parts, all [., n_in], stacked along their outputs (q, k and v as one product). int8 and int8x16 take TG_I8 parts as they are and quantise others
 * row by row with tg_quantize_row; at most TG_INT8_MAX_INPUTS of them. bf16 takes TG_BF16 parts as they are and rounds others to the nearest. int4 takes
 * TG_I4 parts as they are, all of the same group (scales rounded to bf16 where it does not hold them), and quantises others row by row with
 * tg_quantize_row4: in the groups of the TG_I4 parts beside them, else in TG_INT4_GROUP. TG_I4 parts of other precisions are widened first. */
t5gist_status tg_linear_new(tg_engine *engine, const tg_matrix *parts, size_t n_parts, size_t n_in, tg_precision precision, tg_linear **linear,
                            t5gist_error *err);
void tg_linear_free(tg_linear *linear); /* null is allowed */
size_t tg_linear_n_in(const tg_linear *linear);
size_t tg_linear_n_out(const tg_linear *linear);
size_t tg_linear_bytes(const tg_linear *linear); /* packed */

/* Rows that x and y must have room for when m are asked for, >= m: where oneDNN multiplies, m is rounded up to one of a few bucket sizes, so that the
 * number of distinct primitives stays small. Rows m.. of x are then read and must be initialised, rows m.. of y are overwritten with nothing useful. */
size_t tg_linear_rows(size_t m);

/* y = x W^T, or y += x W^T with accumulate. x [tg_linear_rows(m), n_in] and y [tg_linear_rows(m), n_out], f32, dense, not overlapping,
 * 64-aligned. Row i of y depends on row i of x alone. Thread-safe over distinct workspaces. */
t5gist_status tg_linear_apply(const tg_linear *linear, tg_workspace *workspace, const float *x, size_t m, bool accumulate, float *y, t5gist_error *err);

/* The same of rows that need not exist yet (tg_make_rows). A layer in 8 bits quantises each as it is made; for others they are written to made,
 * [tg_linear_rows(m), n_in]. */
t5gist_status tg_linear_apply_rows(const tg_linear *linear, tg_workspace *workspace, const tg_rows *x, size_t m, bool accumulate, float *made,
                                   float *y, t5gist_error *err);

/* The specification, in plain loops over the packed weights (any layout). */
void tg_linear_reference(const tg_linear *linear, const float *x, size_t m, bool accumulate, float *y);

#endif
