/* Muon: the momentum of a matrix, made orthogonal, is its step, so that all its directions are learned at one speed (Jordan et al.,
 * https://kellerjordan.github.io/posts/muon). A head of an attention layer is a matrix of its own, and so are some hidden units of a feed-forward
 * layer. */
#include <math.h>
#include <string.h>

#include "runtime/error.h"
#include "runtime/matmul.h"
#include "runtime/text.h"
#include "training/optimiser_parts.h"
#include "training/products.h"

enum { HIDDEN_UNITS = 128, ITERATIONS = 5 };

/* Of five iterations of X <- same X + (linear A + square A^2) X with A = X X^T: singular values of 0.01 to 1 come to lie between 0.7 and 1.2. */
static const float same = 3.4445f, linear = -4.7750f, square = 2.0315f;

static const double rms = 0.2; /* of a step at rate 1: AdamW's, so that rates and decays of the one suit the other (Liu et al., arXiv 2502.16982) */

bool tg_muon_takes(const tg_layout *layout, const tg_parameter *p) {
  return p->n_dims == 2 && p->decays && p->offset != layout->embedding && p->offset != layout->head;
}

static bool moves(const tg_optimiser *o, const tg_parameter *p) {
  return tg_muon_takes(o->layout, p) && p->offset >= o->begin && p->offset < o->end;
}

/* A unit's matrix has n of the parameter's rows, or where what it makes is in columns, n of those. */
typedef struct unit {
  size_t offset, n, length, row_stride, column_stride; /* [n, length] at offset in the flat vector */
} unit;

static size_t units_of(const tg_layout *layout, const tg_parameter *p, unit *units) {
  const bool out = tg_ends_with(p->name, ".o.weight"), down = tg_ends_with(p->name, ".wo.weight"), turned = out || down;
  const bool feed_forward = down || strstr(p->name, ".wi") != NULL;
  const size_t rows = p->dims[turned ? 1 : 0], length = p->dims[turned ? 0 : 1], most = feed_forward ? HIDDEN_UNITS : (size_t)layout->config->d_kv;
  size_t count = 0;
  for (size_t first = 0; first < rows; first += most, count++) {
    if (!units) continue;
    const size_t row_stride = turned ? 1 : length, n = rows - first < most ? rows - first : most;
    units[count] = (unit){p->offset + first * row_stride, n, length, row_stride, turned ? rows : 1};
  }
  return count;
}

t5gist_status tg_muon_units(tg_optimiser *o, t5gist_error *err) {
  size_t n = 0;
  for (int pass = 0; pass < 2; pass++) {
    for (size_t i = n = 0; i < o->layout->n; i++) {
      const tg_parameter *p = &o->layout->parameters[i];
      if (moves(o, p)) n += units_of(o->layout, p, pass == 0 ? NULL : (unit *)o->units + n);
    }
    if (pass == 0) TG_TRY(tg_alloc(&o->units, n, sizeof(unit), err));
  }
  o->n_units = n;
  return T5GIST_OK;
}

/* One thread's room. */
typedef struct room {
  float *x, *y;        /* [n, length] of the largest unit */
  float *gram, *mixed; /* [n, n] */
  void *parts;         /* tg_part_scratch */
  dnnl_status_t status;
} room;

typedef struct muon {
  const tg_update *update;
  const unit *units;
  room *rooms; /* one for each thread */
} muon;

/* c [m, n] (+)= a b over depth k, all dense. turned: b is [n, k] */
static void multiply(const muon *own, room *r, const float *a, const float *b, bool turned, size_t m, size_t n, size_t k, bool accumulate, float *c) {
  const tg_part part = {.a = a,
                        .b = b,
                        .c = c,
                        .a_stride = k,
                        .b_stride = turned ? k : n,
                        .c_stride = n,
                        .m = m,
                        .n = n,
                        .k = k,
                        .b_transposed = turned,
                        .accumulate = accumulate};
  if (r->status == dnnl_success) r->status = tg_part_multiply(&part, own->update->optimiser->options.precision, r->parts);
}

/* x <- the nearest matrix whose rows (or columns) are orthonormal, about. */
static void make_orthogonal(const muon *m, const unit *u, room *r) {
  const size_t n = u->n, length = u->length;
  double squares = 0;
  for (size_t i = 0; i < n * length; i++) squares += (double)r->x[i] * (double)r->x[i];
  const float norm = (float)(1 / (sqrt(squares) + 1e-7));
  for (size_t i = 0; i < n * length; i++) r->x[i] *= norm;
  for (int iteration = 0; iteration < ITERATIONS; iteration++) {
    multiply(m, r, r->x, r->x, true, n, n, length, false, r->gram);
    multiply(m, r, r->gram, r->gram, false, n, n, n, false, r->mixed);
    for (size_t i = 0; i < n * n; i++) r->mixed[i] = linear * r->gram[i] + square * r->mixed[i];
    for (size_t i = 0; i < n * length; i++) r->y[i] = same * r->x[i];
    multiply(m, r, r->mixed, r->x, false, n, length, n, true, r->y);
    float *swap = r->x;
    r->x = r->y;
    r->y = swap;
  }
}

/* The momentum moves on; x is where it will be (Nesterov's). */
static void gather(const muon *m, const unit *u, room *r) {
  const tg_optimiser *o = m->update->optimiser;
  const float keep = o->options.beta1, clip = m->update->clip;
  const float *gradients = m->update->gradients + u->offset;
  float *momentum = o->m + (u->offset - o->begin);
  for (size_t i = 0; i < u->n; i++)
    for (size_t j = 0; j < u->length; j++) {
      const size_t at = i * u->row_stride + j * u->column_stride;
      const float g = gradients[at] * clip;
      momentum[at] += (g - momentum[at]) * (1 - keep);
      r->x[i * u->length + j] = g + (momentum[at] - g) * keep;
    }
}

static void apply(const muon *m, const unit *u, const room *r) {
  const double rate = m->update->rate, longest = (double)(u->n > u->length ? u->n : u->length);
  const float step = (float)(rate * rms * sqrt(longest)), kept = (float)(1 - rate * m->update->optimiser->options.weight_decay);
  float *weights = m->update->weights + u->offset;
  for (size_t i = 0; i < u->n; i++)
    for (size_t j = 0; j < u->length; j++) {
      float *w = &weights[i * u->row_stride + j * u->column_stride];
      *w = *w * kept - step * r->x[i * u->length + j];
    }
}

static void step_units(void *argument, size_t begin, size_t end, int thread) {
  const muon *m = argument;
  room *r = &m->rooms[thread];
  for (size_t i = begin; i < end && r->status == dnnl_success; i++) {
    gather(m, &m->units[i], r);
    make_orthogonal(m, &m->units[i], r);
    if (r->status == dnnl_success) apply(m, &m->units[i], r);
  }
}

static t5gist_status make_rooms(const muon *m, size_t n_units, tg_arena *arena, size_t threads, t5gist_error *err) {
  size_t numbers = 0, side = 0;
  for (size_t i = 0; i < n_units; i++) {
    const unit *u = &m->units[i];
    if (u->n * u->length > numbers) numbers = u->n * u->length;
    if (u->n > side) side = u->n;
  }
  for (size_t i = 0; i < threads; i++) {
    room *r = &m->rooms[i];
    *r = (room){0};
    TG_TRY(tg_arena_take(arena, &r->x, numbers, sizeof *r->x, err));
    TG_TRY(tg_arena_take(arena, &r->y, numbers, sizeof *r->y, err));
    TG_TRY(tg_arena_take(arena, &r->gram, side * side, sizeof *r->gram, err));
    TG_TRY(tg_arena_take(arena, &r->mixed, side * side, sizeof *r->mixed, err));
    TG_TRY(tg_arena_take(arena, &r->parts, tg_part_scratch(), 1, err));
  }
  return T5GIST_OK;
}

t5gist_status tg_muon_step(const tg_update *u, tg_workspace *workspace, t5gist_error *err) {
  const tg_optimiser *o = u->optimiser;
  tg_team *team = tg_workspace_team(workspace);
  tg_arena *arena = tg_workspace_arena(workspace);
  const tg_arena_mark mark = tg_arena_save(arena);
  const size_t threads = (size_t)tg_team_threads(team);
  muon m = {.update = u, .units = o->units};
  t5gist_status status = T5GIST_OK;
  TG_GOTO(tg_arena_take(arena, &m.rooms, threads, sizeof *m.rooms, err));
  TG_GOTO(make_rooms(&m, o->n_units, arena, threads, err));
  tg_team_run(team, o->n_units, step_units, &m);
  for (size_t i = 0; i < threads; i++) TG_GOTO(tg_dnnl_check(m.rooms[i].status, "multiplying matrices", err));
  for (size_t i = 0; i < o->layout->n; i++) {
    const tg_parameter *p = &o->layout->parameters[i];
    if (moves(o, p)) tg_optimiser_follow(u, p->offset, p->count);
  }
done:
  tg_arena_restore(arena, mark);
  return status;
}
