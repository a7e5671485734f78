#include <oneapi/dnnl/dnnl.h>

#include "runtime/error.h"
#include "runtime/matmul.h"
#include "training/ops.h"

enum {
  PART_WORK = 1 << 20, /* multiplications: fewer are not worth another thread */
  ROW_UNIT = 8,        /* parts are whole units, as oneDNN's kernels like them */
  COLUMN_UNIT = 16
};

/* c[m, n] (+)= a b over depth k, row-major; a_transposed: a is stored [k, m]; b_transposed: b is stored [n, k]. Cut into row_parts x column_parts
 * parts, each computed by oneDNN in one thread: its own teams of OpenMP threads lose much time where cores are shared, and sums over depth stay
 * whole, so the bits depend on the parts alone. */
typedef struct product {
  const float *a, *b;
  bool a_transposed, b_transposed, accumulate;
  size_t m, n, k;
  float *c;
  size_t row_parts, column_parts;
  dnnl_status_t *statuses; /* [row_parts * column_parts] */
} product;

typedef struct stretch {
  size_t begin, n;
} stretch;

/* Part i of `parts` of n things, in whole units. */
static stretch part_of(size_t n, size_t parts, size_t unit, size_t i) {
  const size_t units = (n + unit - 1) / unit, begin = units * i / parts * unit, end = units * (i + 1) / parts * unit;
  return begin >= n ? (stretch){0, 0} : (stretch){begin, (end < n ? end : n) - begin};
}

static dnnl_status_t multiply_part(const product *p, size_t i) {
  const stretch rows = part_of(p->m, p->row_parts, ROW_UNIT, i / p->column_parts),
                columns = part_of(p->n, p->column_parts, COLUMN_UNIT, i % p->column_parts);
  if (rows.n == 0 || columns.n == 0) return dnnl_success;
  const size_t a_stride = p->a_transposed ? p->m : p->k, b_stride = p->b_transposed ? p->k : p->n;
  return dnnl_sgemm(p->a_transposed ? 'T' : 'N', p->b_transposed ? 'T' : 'N', (dnnl_dim_t)rows.n, (dnnl_dim_t)columns.n, (dnnl_dim_t)p->k, 1,
                    p->a + rows.begin * (p->a_transposed ? 1 : a_stride), (dnnl_dim_t)a_stride,
                    p->b + columns.begin * (p->b_transposed ? b_stride : 1), (dnnl_dim_t)b_stride, p->accumulate ? 1 : 0,
                    p->c + rows.begin * p->n + columns.begin, (dnnl_dim_t)p->n);
}

static void multiply_parts(void *argument, size_t begin, size_t end, int thread) {
  product *p = argument;
  (void)thread;
  for (size_t i = begin; i < end; i++) p->statuses[i] = multiply_part(p, i);
}

/* As many parts as threads, unless the product is small. Every part packs its rows of a and columns of b, of which the latter cost more, so the
 * cheapest grid is taken. */
static void choose_parts(product *p, size_t threads) {
  const size_t work = p->m * p->n * p->k / PART_WORK, parts = work < 1 ? 1 : work < threads ? work : threads;
  size_t best = SIZE_MAX;
  for (size_t columns = 1; columns <= parts; columns++) {
    const size_t rows = parts / columns, cost = p->m / rows + 2 * (p->n / columns);
    if (parts % columns != 0 || cost >= best) continue;
    best = cost;
    p->row_parts = rows;
    p->column_parts = columns;
  }
}

static t5gist_status run(tg_workspace *workspace, product *p, t5gist_error *err) {
  if (p->m == 0 || p->n == 0) return T5GIST_OK;
  tg_arena *arena = tg_workspace_arena(workspace);
  const tg_arena_mark mark = tg_arena_save(arena);
  choose_parts(p, (size_t)tg_team_threads(tg_workspace_team(workspace)));
  const size_t parts = p->row_parts * p->column_parts;
  t5gist_status status = T5GIST_OK;
  TG_GOTO(tg_arena_take(arena, &p->statuses, parts, sizeof *p->statuses, err));
  tg_team_run(tg_workspace_team(workspace), parts, multiply_parts, p);
  for (size_t i = 0; i < parts; i++) TG_GOTO(tg_dnnl_check(p->statuses[i], "multiplying matrices", err));
done:
  tg_arena_restore(arena, mark);
  return status;
}

t5gist_status tg_train_linear(tg_workspace *workspace, const float *x, size_t m, const float *weight, size_t n_in, size_t n_out, bool accumulate,
                              float *y, t5gist_error *err) {
  product p = {.a = x, .b = weight, .b_transposed = true, .accumulate = accumulate, .m = m, .n = n_out, .k = n_in, .c = y};
  return run(workspace, &p, err);
}

t5gist_status tg_train_linear_dx(tg_workspace *workspace, const float *dy, size_t m, const float *weight, size_t n_in, size_t n_out, bool accumulate,
                                 float *dx, t5gist_error *err) {
  product p = {.a = dy, .b = weight, .accumulate = accumulate, .m = m, .n = n_in, .k = n_out, .c = dx};
  return run(workspace, &p, err);
}

t5gist_status tg_train_linear_dw(tg_workspace *workspace, const float *dy, const float *x, size_t m, size_t n_in, size_t n_out, float *dweight,
                                 t5gist_error *err) {
  product p = {.a = dy, .a_transposed = true, .b = x, .accumulate = true, .m = n_out, .n = n_in, .k = m, .c = dweight};
  return run(workspace, &p, err);
}
