#include "training/ops.h"

#include <string.h>

#include "runtime/cpu.h"
#include "runtime/error.h"
#include "training/kernels.h"

enum {
  PARALLEL_WORK = 32768, /* floats below which sharing them out costs more than it saves */
  ROW_BLOCK = 64,        /* rows whose gradients of a weight are summed on their own: sums do not depend on who computes what */
  COLUMN_BLOCK = 64,     /* columns of an embedding that one thread adds up, row after row */
  VECTOR_BLOCK = 1 << 16 /* floats of a vector of parameters */
};

const tg_train_kernels *tg_train_kernels_best(void) {
#if defined(__x86_64__)
  switch (tg_cpu_isa()) {
    case TG_ISA_AVX512: return &tg_train_kernels_avx512;
    case TG_ISA_AVX2: return &tg_train_kernels_avx2;
    case TG_ISA_PORTABLE: break;
  }
#endif
  return &tg_train_kernels_portable;
}

static tg_team *team_for(const tg_workspace *workspace, size_t work) {
  return work >= PARALLEL_WORK ? tg_workspace_team(workspace) : NULL;
}

static size_t blocks_of(size_t n, size_t block) {
  return n / block + (n % block != 0);
}

static size_t block_size(size_t n, size_t block, size_t i) {
  return n - i * block < block ? n - i * block : block;
}

/* ------------------------------------------------------------------------------------------------------------------------------- RMSNorm */

typedef struct norming {
  const float *x, *weight, *kept, *dy; /* kept: the inverses */
  size_t rows, d;
  float eps, *y, *inverse, *dx, *dweights; /* dweights [blocks, d] */
} norming;

static void norm_rows(void *argument, size_t begin, size_t end, int thread) {
  const norming *n = argument;
  (void)thread;
  tg_train_kernels_best()->norm(n->x + begin * n->d, n->weight, end - begin, n->d, n->eps, n->y + begin * n->d, n->inverse + begin);
}

t5gist_status tg_train_norm(tg_workspace *workspace, const float *x, const float *weight, size_t rows, size_t d, float eps, float *y, float *inverse,
                            t5gist_error *err) {
  (void)err;
  norming n = {.x = x, .weight = weight, .rows = rows, .d = d, .eps = eps, .y = y, .inverse = inverse};
  tg_team_run(team_for(workspace, rows * d), rows, norm_rows, &n);
  return T5GIST_OK;
}

static void norm_blocks_backward(void *argument, size_t begin, size_t end, int thread) {
  const norming *n = argument;
  (void)thread;
  for (size_t i = begin; i < end; i++) {
    const size_t row = i * ROW_BLOCK;
    memset(n->dweights + i * n->d, 0, n->d * sizeof(float));
    tg_train_kernels_best()->norm_backward(n->x + row * n->d, n->weight, n->kept + row, n->dy + row * n->d, block_size(n->rows, ROW_BLOCK, i), n->d,
                                           n->dx + row * n->d, n->dweights + i * n->d);
  }
}

t5gist_status tg_train_norm_backward(tg_workspace *workspace, const float *x, const float *weight, const float *inverse, const float *dy, size_t rows,
                                     size_t d, float *dx, float *dweight, t5gist_error *err) {
  norming n = {.x = x, .weight = weight, .dy = dy, .rows = rows, .d = d, .kept = inverse, .dx = dx};
  tg_arena *arena = tg_workspace_arena(workspace);
  const tg_arena_mark mark = tg_arena_save(arena);
  const size_t blocks = blocks_of(rows, ROW_BLOCK);
  t5gist_status status = T5GIST_OK;
  TG_GOTO(tg_arena_take(arena, &n.dweights, blocks * d, sizeof(float), err));
  tg_team_run(team_for(workspace, rows * d), blocks, norm_blocks_backward, &n);
  for (size_t i = 0; i < blocks; i++) tg_train_kernels_best()->add(n.dweights + i * d, 1, d, dweight);
done:
  tg_arena_restore(arena, mark);
  return status;
}

/* ---------------------------------------------------------------------------------------------------------------------------- activation */

t5gist_status tg_train_activate(tg_workspace *workspace, const float *x, size_t rows, size_t d_ff, tg_activation activation, bool gated, float *y,
                                t5gist_error *err) {
  (void)err;
  tg_activate(tg_workspace_team(workspace), x, rows, d_ff, activation, gated, y);
  return T5GIST_OK;
}

typedef struct activating {
  const float *x, *dy;
  size_t d_ff;
  tg_activation activation;
  bool gated;
  float *dx;
} activating;

static void activate_rows_backward(void *argument, size_t begin, size_t end, int thread) {
  const activating *a = argument;
  const size_t width = a->gated ? 2 * a->d_ff : a->d_ff;
  (void)thread;
  for (size_t row = begin; row < end; row++) {
    const float *x = a->x + row * width;
    float *dx = a->dx + row * width;
    tg_train_kernels_best()->activate_backward(x, a->gated ? x + a->d_ff : NULL, a->dy + row * a->d_ff, a->d_ff, a->activation, dx,
                                               a->gated ? dx + a->d_ff : NULL);
  }
}

t5gist_status tg_train_activate_backward(tg_workspace *workspace, const float *x, const float *dy, size_t rows, size_t d_ff, tg_activation activation,
                                         bool gated, float *dx, t5gist_error *err) {
  (void)err;
  activating a = {x, dy, d_ff, activation, gated, dx};
  tg_team_run(team_for(workspace, rows * d_ff), rows, activate_rows_backward, &a);
  return T5GIST_OK;
}

/* ----------------------------------------------------------------------------------------------------------------------------- embedding */

t5gist_status tg_train_embed(tg_workspace *workspace, const float *table, const int32_t *ids, size_t rows, size_t d, float *y, t5gist_error *err) {
  (void)err;
  tg_gather(tg_workspace_team(workspace), table, TG_F32, ids, rows, d, y);
  return T5GIST_OK;
}

typedef struct embedding {
  const float *dy;
  const int32_t *ids;
  size_t rows, d;
  float *dtable;
} embedding;

static void embed_columns_backward(void *argument, size_t begin, size_t end, int thread) {
  const embedding *e = argument;
  const size_t column = begin * COLUMN_BLOCK, n = (end * COLUMN_BLOCK < e->d ? end * COLUMN_BLOCK : e->d) - column;
  (void)thread;
  for (size_t row = 0; row < e->rows; row++)
    tg_train_kernels_best()->add(e->dy + row * e->d + column, 1, n, e->dtable + (size_t)e->ids[row] * e->d + column);
}

t5gist_status tg_train_embed_backward(tg_workspace *workspace, const float *dy, const int32_t *ids, size_t rows, size_t d, float *dtable,
                                      t5gist_error *err) {
  (void)err;
  embedding e = {dy, ids, rows, d, dtable};
  tg_team_run(team_for(workspace, rows * d), blocks_of(d, COLUMN_BLOCK), embed_columns_backward, &e);
  return T5GIST_OK;
}

/* ------------------------------------------------------------------------------------------------------------------------------- vectors */

typedef struct vectors {
  const float *x;
  size_t n;
  float *y;
  float p;
  uint64_t key;
  double *sums; /* [blocks] */
} vectors;

static void drop_runs(void *argument, size_t begin, size_t end, int thread) {
  const vectors *v = argument;
  (void)thread;
  for (size_t i = begin; i < end; i++) {
    const tg_drop drop = {tg_dropout_run(v->key, i), 0, tg_dropout_limit(v->p), 1 / (1 - v->p)};
    tg_train_kernels_best()->drop(v->y + i * TG_DROPOUT_RUN, block_size(v->n, TG_DROPOUT_RUN, i), &drop);
  }
}

void tg_train_dropout(tg_workspace *workspace, float *x, size_t n, float p, uint64_t key) {
  if (p == 0) return;
  vectors v = {.y = x, .n = n, .p = p, .key = key};
  tg_team_run(team_for(workspace, n), blocks_of(n, TG_DROPOUT_RUN), drop_runs, &v);
}

static void add_blocks(void *argument, size_t begin, size_t end, int thread) {
  const vectors *v = argument;
  const size_t at = begin * VECTOR_BLOCK, last = end * VECTOR_BLOCK < v->n ? end * VECTOR_BLOCK : v->n;
  (void)thread;
  tg_train_kernels_best()->add(v->x + at, 1, last - at, v->y + at);
}

void tg_train_add(tg_workspace *workspace, const float *x, size_t n, float *y) {
  vectors v = {.x = x, .n = n, .y = y};
  tg_team_run(team_for(workspace, n), blocks_of(n, VECTOR_BLOCK), add_blocks, &v);
}

/* Blocks of a round are summed side by side, their sums one after the other. */
enum { ROUND = 256 };

static void square_blocks(void *argument, size_t begin, size_t end, int thread) {
  const vectors *v = argument;
  (void)thread;
  for (size_t i = begin; i < end; i++) v->sums[i] = tg_train_kernels_best()->sum_squares(v->x + i * VECTOR_BLOCK, block_size(v->n, VECTOR_BLOCK, i));
}

double tg_train_sum_squares(tg_workspace *workspace, const float *x, size_t n) {
  double sums[ROUND], total = 0;
  for (size_t at = 0; at < n; at += (size_t)ROUND * VECTOR_BLOCK) {
    vectors v = {.x = x + at, .n = block_size(n, (size_t)ROUND * VECTOR_BLOCK, at / ((size_t)ROUND * VECTOR_BLOCK)), .sums = sums};
    const size_t blocks = blocks_of(v.n, VECTOR_BLOCK);
    tg_team_run(team_for(workspace, v.n), blocks, square_blocks, &v);
    for (size_t i = 0; i < blocks; i++) total += sums[i];
  }
  return total;
}
