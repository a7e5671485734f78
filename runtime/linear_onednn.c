#include "runtime/linear_onednn.h"

#include <stdatomic.h>

#include "runtime/error.h"
#include "runtime/matmul.h"

enum {
  MOST_SLICES = 8, /* of a product: enough to share out evenly, few enough that calling oneDNN costs little */
  SLICE_STEP = 64  /* outputs of a slice are a multiple of this, as int8 weights are stored */
};

/* A product in slices. Every thread has scratch memory of its own. */
typedef struct slices {
  tg_workspace *workspace;
  const tg_rows_product *f32; /* one of the two */
  const tg_int8_product *int8;
  size_t n_out, width, n;         /* n slices of `width` outputs, the last of what is left */
  const tg_matmul *matmul, *last; /* for slices of `width`, for the last */
  char *scratch;                  /* [threads, scratch_bytes] or null */
  int32_t *sums;                  /* int8: [threads, m * width] */
  size_t scratch_bytes, n_sums;
  atomic_bool failed;
  t5gist_error error; /* of the first that failed */
} slices;

static t5gist_status find_matmuls(slices *s, tg_matmul_shape shape, t5gist_error *err) {
  tg_engine *engine = tg_workspace_engine(s->workspace);
  const bool int8 = shape.precision == TG_PRECISION_INT8;
  s->n_out = shape.n_out;
  s->width = ((shape.n_out + MOST_SLICES - 1) / MOST_SLICES + SLICE_STEP - 1) / SLICE_STEP * SLICE_STEP;
  if (s->width > s->n_out) s->width = s->n_out;
  s->n = (s->n_out + s->width - 1) / s->width;
  shape.n_out = s->width;
  if (int8) shape.y_stride = shape.n_out;
  TG_TRY(tg_matmul_get(engine, &shape, &s->matmul, err));
  shape.n_out = s->n_out - (s->n - 1) * s->width;
  if (int8) shape.y_stride = shape.n_out;
  TG_TRY(tg_matmul_get(engine, &shape, &s->last, err));
  const size_t most = tg_matmul_scratch(s->matmul), last = tg_matmul_scratch(s->last);
  return tg_align_up(most > last ? most : last, 64, &s->scratch_bytes) ? T5GIST_OK : tg_fail(err, T5GIST_ENOMEM, "oneDNN asks for %zu bytes", most);
}

static t5gist_status multiply_slice(slices *s, size_t slice, int thread, t5gist_error *err) {
  const tg_matmul *matmul = slice + 1 < s->n ? s->matmul : s->last;
  const size_t first = slice * s->width;
  char *scratch = tg_matmul_scratch(matmul) > 0 ? s->scratch + (size_t)thread * s->scratch_bytes : NULL;
  if (s->f32 != NULL)
    return tg_matmul_run(matmul, s->workspace, thread, s->f32->weights + first * s->f32->n_in, s->f32->x, s->f32->y + first, scratch, err);
  const tg_int8_product *p = s->int8;
  const size_t width = slice + 1 < s->n ? s->width : s->n_out - first;
  int32_t *sums = s->sums + (size_t)thread * s->n_sums;
  TG_TRY(tg_matmul_run(matmul, s->workspace, thread, p->weights + first * p->depth, p->x, sums, scratch, err));
  tg_int8_finish(p, first, width, sums);
  if (p->low == NULL) return T5GIST_OK;
  const tg_int8_product low = tg_int8_low_part(p);
  TG_TRY(tg_matmul_run(matmul, s->workspace, thread, p->weights + first * p->depth, low.x, sums, scratch, err));
  tg_int8_finish(&low, first, width, sums);
  return T5GIST_OK;
}

static void multiply_slices(void *user, size_t begin, size_t end, int thread) {
  slices *s = user;
  for (size_t slice = begin; slice < end; slice++) {
    t5gist_error error = {0};
    if (multiply_slice(s, slice, thread, &error) != T5GIST_OK && !atomic_exchange(&s->failed, true)) s->error = error;
  }
}

static t5gist_status run(slices *s, const tg_matmul_shape *shape, t5gist_error *err) {
  tg_arena *arena = tg_workspace_arena(s->workspace);
  tg_team *team = tg_workspace_team(s->workspace);
  const tg_arena_mark mark = tg_arena_save(arena);
  const size_t threads = (size_t)tg_team_threads(team);
  t5gist_status status = T5GIST_OK;
  TG_GOTO(find_matmuls(s, *shape, err));
  if (s->scratch_bytes > 0) TG_GOTO(tg_arena_take(arena, &s->scratch, threads, s->scratch_bytes, err));
  if (s->int8 != NULL) {
    s->n_sums = (shape->m * s->width + SLICE_STEP - 1) / SLICE_STEP * SLICE_STEP;
    TG_GOTO(tg_arena_take(arena, &s->sums, threads * s->n_sums, sizeof *s->sums, err));
  }
  tg_team_run(team, s->n, multiply_slices, s);
  if (atomic_load(&s->failed)) status = tg_fail(err, s->error.status, "%s", s->error.message);
done:
  tg_arena_restore(arena, mark);
  return status;
}

t5gist_status tg_onednn_multiply(tg_workspace *workspace, const tg_rows_product *product, t5gist_error *err) {
  const tg_matmul_shape shape = {.m = product->m,
                                 .n_in = product->n_in,
                                 .n_out = product->n_out,
                                 .y_stride = product->n_out,
                                 .precision = TG_PRECISION_F32,
                                 .accumulate = product->accumulate};
  slices s = {.workspace = workspace, .f32 = product};
  return run(&s, &shape, err);
}

t5gist_status tg_onednn_multiply_int8(tg_workspace *workspace, const tg_int8_product *product, t5gist_error *err) {
  const tg_matmul_shape shape = {.m = product->m, .n_in = product->depth, .n_out = product->n_out, .precision = TG_PRECISION_INT8};
  slices s = {.workspace = workspace, .int8 = product};
  return run(&s, &shape, err);
}
