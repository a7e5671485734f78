#include "runtime/error.h"
#include "runtime/matmul.h"
#include "training/ops.h"
#include "training/products.h"

enum {
  PART_WORK = 1 << 20, /* multiplications: fewer are not worth another thread */
  ROW_UNIT = 8,        /* parts are whole units, as oneDNN's kernels like them */
  COLUMN_UNIT = 16
};

/* Cut into row_parts x column_parts parts, each computed in one thread, in f32 by oneDNN: its own teams of OpenMP threads lose much time where cores
 * are shared, and sums over depth stay whole, so the bits depend on the parts alone. */
typedef struct product {
  tg_part whole; /* rows one after the other */
  tg_train_precision precision;
  size_t row_parts, column_parts;
  dnnl_status_t *statuses; /* [row_parts * column_parts] */
  char *scratch;           /* [row_parts * column_parts][tg_part_scratch()]; bf16 */
} product;

typedef struct stretch {
  size_t begin, n;
} stretch;

/* Part i of `parts` of n things, in whole units. */
static stretch part_of(size_t n, size_t parts, size_t unit, size_t i) {
  const size_t units = (n + unit - 1) / unit, begin = units * i / parts * unit, end = units * (i + 1) / parts * unit;
  return begin >= n ? (stretch){0, 0} : (stretch){begin, (end < n ? end : n) - begin};
}

static tg_part part_at(const product *p, size_t i) {
  tg_part part = p->whole;
  const stretch rows = part_of(part.m, p->row_parts, ROW_UNIT, i / p->column_parts),
                columns = part_of(part.n, p->column_parts, COLUMN_UNIT, i % p->column_parts);
  part.a += rows.begin * (part.a_transposed ? 1 : part.a_stride);
  part.b += columns.begin * (part.b_transposed ? part.b_stride : 1);
  part.c += rows.begin * part.c_stride + columns.begin;
  part.m = rows.n;
  part.n = columns.n;
  return part;
}

static void multiply_parts(void *argument, size_t begin, size_t end, int thread) {
  product *p = argument;
  (void)thread;
  for (size_t i = begin; i < end; i++) {
    const tg_part part = part_at(p, i);
    p->statuses[i] = dnnl_success;
    if (part.m == 0 || part.n == 0) continue;
    p->statuses[i] = tg_part_multiply(&part, p->precision, p->scratch ? p->scratch + i * tg_part_scratch() : NULL);
  }
}

/* As many parts as threads, unless the product is small. Every part packs its rows of a and columns of b, of which the latter cost more, so the
 * cheapest grid is taken. */
static void choose_parts(product *p, size_t threads) {
  const size_t m = p->whole.m, n = p->whole.n, work = m * n * p->whole.k / PART_WORK, parts = work < 1 ? 1 : work < threads ? work : threads;
  size_t best = SIZE_MAX;
  for (size_t columns = 1; columns <= parts; columns++) {
    const size_t rows = parts / columns, cost = m / rows + 2 * (n / columns);
    if (parts % columns != 0 || cost >= best) continue;
    best = cost;
    p->row_parts = rows;
    p->column_parts = columns;
  }
}

static t5gist_status run(tg_workspace *workspace, product *p, t5gist_error *err) {
  tg_part *whole = &p->whole;
  if (whole->m == 0 || whole->n == 0) return T5GIST_OK;
  whole->a_stride = whole->a_transposed ? whole->m : whole->k;
  whole->b_stride = whole->b_transposed ? whole->k : whole->n;
  whole->c_stride = whole->n;
  tg_arena *arena = tg_workspace_arena(workspace);
  const tg_arena_mark mark = tg_arena_save(arena);
  choose_parts(p, (size_t)tg_team_threads(tg_workspace_team(workspace)));
  const size_t parts = p->row_parts * p->column_parts;
  t5gist_status status = T5GIST_OK;
  TG_GOTO(tg_arena_take(arena, &p->statuses, parts, sizeof *p->statuses, err));
  if (p->precision == TG_TRAIN_BF16) TG_GOTO(tg_arena_take(arena, &p->scratch, parts, tg_part_scratch(), err));
  tg_team_run(tg_workspace_team(workspace), parts, multiply_parts, p);
  for (size_t i = 0; i < parts; i++) TG_GOTO(tg_dnnl_check(p->statuses[i], "multiplying matrices", err));
done:
  tg_arena_restore(arena, mark);
  return status;
}

t5gist_status tg_train_linear(tg_workspace *workspace, tg_train_precision precision, const float *x, size_t m, const float *weight, size_t n_in,
                              size_t n_out, bool accumulate, float *y, t5gist_error *err) {
  product p = {.whole = {.a = x, .b = weight, .b_transposed = true, .accumulate = accumulate, .m = m, .n = n_out, .k = n_in, .c = y},
               .precision = precision};
  return run(workspace, &p, err);
}

t5gist_status tg_train_linear_dx(tg_workspace *workspace, tg_train_precision precision, const float *dy, size_t m, const float *weight, size_t n_in,
                                 size_t n_out, bool accumulate, float *dx, t5gist_error *err) {
  product p = {.whole = {.a = dy, .b = weight, .accumulate = accumulate, .m = m, .n = n_in, .k = n_out, .c = dx}, .precision = precision};
  return run(workspace, &p, err);
}

t5gist_status tg_train_linear_dw(tg_workspace *workspace, tg_train_precision precision, const float *dy, const float *x, size_t m, size_t n_in,
                                 size_t n_out, float *dweight, t5gist_error *err) {
  product p = {.whole = {.a = dy, .a_transposed = true, .b = x, .accumulate = true, .m = n_out, .n = n_in, .k = m, .c = dweight},
               .precision = precision};
  return run(workspace, &p, err);
}
