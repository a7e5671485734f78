/* Linear layers by oneDNN: a product is cut into slices of its outputs, which the threads of the workspace's team multiply, each slice by one of
 * them. So oneDNN starts no threads, and slices, which depend on the product's sizes alone, have the same bits whoever computes them. Internal to
 * runtime/; linear.c is the only user. */
#ifndef T5GIST_RUNTIME_LINEAR_ONEDNN_H
#define T5GIST_RUNTIME_LINEAR_ONEDNN_H

#include "runtime/engine.h"
#include "runtime/linear_int8.h"

typedef struct tg_rows_product {
  const float *x;       /* [m, n_in] */
  const float *weights; /* [n_out, n_in] */
  float *y;             /* [m, n_out] */
  size_t m, n_in, n_out;
  bool accumulate; /* y += */
} tg_rows_product;

/* Every distinct number of rows makes primitives of its own. */
t5gist_status tg_onednn_multiply(tg_workspace *workspace, const tg_rows_product *product, t5gist_error *err);
t5gist_status tg_onednn_multiply_int8(tg_workspace *workspace, const tg_int8_product *product, t5gist_error *err);

#endif
