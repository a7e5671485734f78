#include "training/optimiser.h"

#include <math.h>
#include <string.h>

#include "runtime/error.h"
#include "training/ops.h"
#include "training/optimiser_parts.h"

/* ----------------------------------------------------------------------------------------------------------------------------- state */

static bool is_factored(const tg_optimiser_options *options, const tg_parameter *p) {
  return options->kind == TG_ADAFACTOR && p->n_dims == 2;
}

/* What of a parameter lies within [begin, end). */
static size_t overlap(const tg_parameter *p, size_t begin, size_t end) {
  const size_t from = p->offset > begin ? p->offset : begin, to = p->offset + p->count < end ? p->offset + p->count : end;
  return from < to ? to - from : 0;
}

static void count_state(const tg_layout *layout, const tg_optimiser_options *options, size_t begin, size_t end, size_t *n_v, size_t *n_rows,
                        size_t *n_columns) {
  *n_v = *n_rows = *n_columns = 0;
  for (size_t i = 0; i < layout->n; i++) {
    const tg_parameter *p = &layout->parameters[i];
    const size_t owned = overlap(p, begin, end);
    if (owned > 0 && is_factored(options, p))
      *n_rows += p->dims[0], *n_columns += p->dims[1];
    else
      *n_v += owned;
  }
}

size_t tg_optimiser_floats(const tg_layout *layout, const tg_optimiser_options *options) {
  size_t n_v, n_rows, n_columns;
  count_state(layout, options, 0, layout->count, &n_v, &n_rows, &n_columns);
  return n_v + n_rows + n_columns + (options->kind == TG_ADAFACTOR ? 0 : layout->count) + (options->average > 0 ? layout->count : 0);
}

static t5gist_status check_range(const tg_layout *layout, const tg_optimiser_options *options, size_t begin, size_t end, t5gist_error *err) {
  if (begin > end || end > layout->count)
    return tg_fail(err, T5GIST_EUSAGE, "optimiser: expected a stretch of the %zu parameters, found %zu to %zu", layout->count, begin, end);
  const bool whole = options->kind == TG_ADAFACTOR || options->kind == TG_MUON;
  for (size_t i = 0; whole && i < layout->n; i++) {
    const tg_parameter *p = &layout->parameters[i];
    const size_t owned = overlap(p, begin, end);
    if (owned > 0 && owned < p->count)
      return tg_fail(err, T5GIST_EUSAGE, "optimiser: %s takes whole tensors, found %zu to %zu, which cuts %s",
                     options->kind == TG_MUON ? "Muon" : "Adafactor", begin, end, p->name);
  }
  return T5GIST_OK;
}

static t5gist_status mark_gist_rows(tg_optimiser *o, t5gist_error *err) {
  const tg_config *config = o->layout->config;
  if (o->options.gist_factor == 1 || config->n_gist_ids == 0) return T5GIST_OK;
  TG_TRY(tg_alloc(&o->gist_rows, (size_t)config->vocab_size, 1, err));
  for (int i = 0; i < config->n_gist_ids; i++) o->gist_rows[config->gist_ids[i]] = 1;
  return T5GIST_OK;
}

float tg_optimiser_factor(const tg_optimiser *o, const tg_parameter *p, size_t row) {
  return o->gist_rows && p->offset == o->layout->embedding && o->gist_rows[row] ? o->options.gist_factor : 1;
}

/* How many floats from `at` on have the learning rate of the first; at most `most`. */
static size_t alike(const tg_optimiser *o, const tg_parameter *p, size_t at, size_t most) {
  if (!o->gist_rows || p->offset != o->layout->embedding) return most;
  const size_t columns = p->dims[1], row = (at - p->offset) / columns;
  size_t next = row + 1;
  while (p->offset + next * columns < at + most && o->gist_rows[next] == o->gist_rows[row]) next++;
  const size_t n = p->offset + next * columns - at;
  return n < most ? n : most;
}

static t5gist_status cut_stretches(tg_optimiser *o, t5gist_error *err) {
  size_t capacity = 0;
  for (size_t i = 0; i < o->layout->n; i++) {
    const tg_parameter *p = &o->layout->parameters[i];
    if (o->options.kind == TG_MUON && tg_muon_takes(o->layout, p)) continue;
    size_t at = p->offset > o->begin ? p->offset : o->begin;
    for (size_t left = overlap(p, o->begin, o->end); left > 0;) {
      const size_t n = alike(o, p, at, left < TG_STRETCH ? left : TG_STRETCH);
      const size_t row = p->n_dims == 2 ? (at - p->offset) / p->dims[1] : 0;
      TG_TRY(tg_reserve(&o->stretches, &capacity, o->n_stretches + 1, sizeof *o->stretches, err));
      o->stretches[o->n_stretches++] = (tg_stretch){at, n, i, tg_optimiser_factor(o, p, row)};
      at += n;
      left -= n;
    }
  }
  return T5GIST_OK;
}

static t5gist_status allocate(tg_optimiser *o, t5gist_error *err) {
  const size_t count = o->end - o->begin;
  count_state(o->layout, &o->options, o->begin, o->end, &o->n_v, &o->n_rows, &o->n_columns);
  TG_TRY(tg_alloc(&o->v, o->n_v, sizeof(float), err));
  if (o->options.average > 0) TG_TRY(tg_alloc(&o->average, count, sizeof(float), err));
  if (o->options.kind == TG_ADAFACTOR) {
    TG_TRY(tg_alloc(&o->v_rows, o->n_rows, sizeof(float), err));
    return tg_alloc(&o->v_columns, o->n_columns, sizeof(float), err);
  }
  TG_TRY(tg_alloc(&o->m, count, sizeof(float), err));
  TG_TRY(tg_alloc(&o->scales, o->layout->n, sizeof(float), err));
  if (o->options.kind == TG_MUON) TG_TRY(tg_muon_units(o, err));
  return cut_stretches(o, err);
}

t5gist_status tg_optimiser_new(const tg_layout *layout, const tg_optimiser_options *options, size_t begin, size_t end, tg_optimiser **out,
                               t5gist_error *err) {
  tg_optimiser *o;
  t5gist_status status;
  TG_TRY(check_range(layout, options, begin, end, err));
  TG_TRY(tg_alloc(&o, 1, sizeof *o, err));
  o->layout = layout;
  o->options = *options;
  o->begin = begin;
  o->end = end;
  TG_GOTO(mark_gist_rows(o, err));
  TG_GOTO(allocate(o, err));
  *out = o;
  return T5GIST_OK;
done:
  tg_optimiser_free(o);
  return status;
}

void tg_optimiser_free(tg_optimiser *o) {
  if (!o) return;
  tg_free(o->m);
  tg_free(o->v);
  tg_free(o->v_rows);
  tg_free(o->v_columns);
  tg_free(o->average);
  tg_free(o->gist_rows);
  tg_free(o->stretches);
  tg_free(o->scales);
  tg_free(o->units);
  tg_free(o);
}

size_t tg_optimiser_state(const tg_optimiser *o, tg_state_vector *vectors, size_t room) {
  const size_t count = o->end - o->begin;
  const tg_state_vector all[TG_STATE_VECTORS] = {{"m", o->m, count},
                                                 {"v", o->v, o->n_v},
                                                 {"v_rows", o->v_rows, o->n_rows},
                                                 {"v_columns", o->v_columns, o->n_columns},
                                                 {"average", o->average, count}};
  size_t n = 0;
  for (size_t i = 0; i < TG_STATE_VECTORS; i++) {
    if (!all[i].data) continue;
    if (n < room) vectors[n] = all[i];
    n++;
  }
  return n;
}

const float *tg_optimiser_average(const tg_optimiser *o) {
  return o->average;
}

/* ----------------------------------------------------------------------------------------------------------------------------- steps */

double tg_optimiser_scale(tg_workspace *workspace, const tg_parameter *p, const float *weights) {
  return fmax(1e-3, sqrt(tg_train_sum_squares(workspace, weights + p->offset, p->count) / (double)p->count));
}

void tg_optimiser_follow(const tg_update *u, size_t begin, size_t n) {
  if (!u->optimiser->average) return;
  float *restrict average = u->optimiser->average + (begin - u->optimiser->begin);
  const float *restrict weights = u->weights + begin;
  for (size_t i = 0; i < n; i++) average[i] += (weights[i] - average[i]) * u->average_weight;
}

typedef struct adamw {
  tg_update update;
  float step, root; /* p -= step m / (root sqrt(v) + eps) */
  bool decays_first;
} adamw;

static void update_stretch(const adamw *a, const tg_stretch *s) {
  const tg_optimiser *o = a->update.optimiser;
  const tg_parameter *parameter = &o->layout->parameters[s->parameter];
  const float b1 = o->options.beta1, b2 = o->options.beta2, c1 = (float)(1 - (double)b1), c2 = (float)(1 - (double)b2), eps = o->options.eps;
  const float kept = parameter->decays ? (float)(1 - a->update.rate * s->factor * o->options.weight_decay) : 1;
  const float before = a->decays_first ? kept : 1, after = a->decays_first ? 1 : kept;
  const float step = a->step * s->factor * o->scales[s->parameter], root = a->root, clip = a->update.clip;
  float *restrict p = a->update.weights + s->begin, *restrict m = o->m + (s->begin - o->begin), *restrict v = o->v + (s->begin - o->begin);
  const float *restrict gradients = a->update.gradients + s->begin;
  for (size_t i = 0; i < s->count; i++) {
    const float g = gradients[i] * clip;
    m[i] = m[i] * b1 + g * c1;
    v[i] = v[i] * b2 + g * g * c2;
    p[i] = (p[i] * before - step * m[i] / (sqrtf(v[i]) * root + eps)) * after;
  }
}

static void update_stretches(void *argument, size_t begin, size_t end, int thread) {
  const adamw *a = argument;
  (void)thread;
  for (size_t i = begin; i < end; i++) {
    const tg_stretch *s = &a->update.optimiser->stretches[i];
    update_stretch(a, s);
    tg_optimiser_follow(&a->update, s->begin, s->count);
  }
}

static void adamw_step(const tg_update *u, tg_workspace *workspace) {
  tg_optimiser *o = u->optimiser;
  const double step = (double)u->step, first = 1 - pow(o->options.beta1, step), root = sqrt(1 - pow(o->options.beta2, step));
  adamw a = {.update = *u, .step = (float)(u->rate / first), .root = (float)(1 / root), .decays_first = true};
  if (o->options.kind == TG_ADAMW_SCALED) a = (adamw){.update = *u, .step = (float)(u->rate * root / first), .root = 1};
  for (size_t i = 0; i < o->layout->n; i++) {
    const tg_parameter *p = &o->layout->parameters[i];
    const bool scaled = o->options.kind == TG_ADAMW_SCALED && overlap(p, o->begin, o->end) > 0;
    o->scales[i] = scaled ? (float)tg_optimiser_scale(workspace, p, u->weights) : 1;
  }
  tg_team_run(tg_workspace_team(workspace), o->n_stretches, update_stretches, &a);
}

t5gist_status tg_optimiser_step(tg_optimiser *o, tg_workspace *workspace, double rate, uint64_t step, double norm, const float *gradients,
                                float *weights, t5gist_error *err) {
  if (!isfinite(norm))
    return tg_fail(err, T5GIST_EFORMAT, "step %llu: expected a finite gradient, found a norm of %g; a smaller learning rate may help",
                   (unsigned long long)step, norm);
  const double clip = o->options.clip, average = o->options.average;
  const tg_update update = {.optimiser = o,
                            .gradients = gradients,
                            .weights = weights,
                            .rate = rate,
                            .step = step,
                            .clip = clip > 0 ? (float)fmin(1, clip / (norm + 1e-6)) : 1,
                            .average_weight = average > 0 ? (float)((1 - average) / (1 - pow(average, (double)step))) : 0};
  if (o->options.kind == TG_ADAFACTOR) return tg_adafactor_step(&update, workspace, err);
  if (o->options.kind == TG_MUON) TG_TRY(tg_muon_step(&update, workspace, err));
  adamw_step(&update, workspace);
  return T5GIST_OK;
}
