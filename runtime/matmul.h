/* oneDNN's matrix product y[m, n_out] = x[m, n_in] W^T: primitives made once per shape, each for one thread, and shared by all workspaces of an
 * engine. Internal to runtime/; linear_onednn.c is its only user.
 *     f32   x, W [n_out, n_in] and y are f32
 *     int8  x is u8, W s8 as in linear_int8.h, n_in its depth, y s32 */
#ifndef T5GIST_RUNTIME_MATMUL_H
#define T5GIST_RUNTIME_MATMUL_H

#include <oneapi/dnnl/dnnl.h>
#include <stdbool.h>

#include "runtime/engine.h"
#include "runtime/linear.h"

typedef struct tg_matmul_shape {
  size_t m, n_in, n_out; /* all >= 1 */
  size_t y_stride;       /* of a row of y, >= n_out */
  tg_precision precision;
  bool accumulate; /* y += */
} tg_matmul_shape;

typedef struct tg_matmul_cache tg_matmul_cache;
t5gist_status tg_matmul_cache_new(tg_matmul_cache **cache, t5gist_error *err);
void tg_matmul_cache_free(tg_matmul_cache *cache); /* null is allowed */
uint64_t tg_matmul_cache_created(tg_matmul_cache *cache);

/* The primitive of a shape, made when first asked for; it belongs to the engine. */
typedef struct tg_matmul tg_matmul;
t5gist_status tg_matmul_get(tg_engine *engine, const tg_matmul_shape *shape, const tg_matmul **matmul, t5gist_error *err);
size_t tg_matmul_scratch(const tg_matmul *matmul); /* bytes that a product needs */

/* One product by the calling thread, which is thread `thread` of the workspace's team. x dense; scratch as asked for, 64-aligned, or null when
 * none is. */
t5gist_status tg_matmul_run(const tg_matmul *matmul, const tg_workspace *workspace, int thread, const void *weights, const void *x, void *y,
                            void *scratch, t5gist_error *err);

/* Whether oneDNN multiplies bytes by the processor's tiles (AMX). */
bool tg_matmul_has_tiles(void);

/* What of engine.c this needs. */
dnnl_engine_t tg_engine_dnnl(const tg_engine *engine);
tg_matmul_cache *tg_engine_matmuls(const tg_engine *engine);
dnnl_stream_t tg_workspace_stream(const tg_workspace *workspace, int thread);
t5gist_status tg_dnnl_check(dnnl_status_t status, const char *doing, t5gist_error *err); /* a sentence for every status but success */

#endif
