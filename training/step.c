/* One step: its examples, their gradients micro-batch by micro-batch, the optimiser. */
#include <math.h>
#include <string.h>

#include "runtime/clock.h"
#include "runtime/error.h"
#include "runtime/memory.h"
#include "t5/random.h"
#include "training/trainer_parts.h"

/* --------------------------------------------------------------------------------------------------------------------------- drawing */

/* The example at place i of the run: blocks of the data, in shuffled order unless the recipe keeps the file's. */
static size_t place_at(const tg_trainer *t, uint64_t i) {
  const uint64_t block = (uint64_t)t->recipe->block, n = tg_data_count(t->train) / block;
  const uint64_t at = t->recipe->shuffle ? tg_data_shuffled(n, t->recipe->seed, i / block) : i / block % n;
  return at * block + i % block;
}

t5gist_status tg_step_draw(const tg_trainer *t, uint64_t step, tg_step *out, t5gist_error *err) {
  const size_t n = (size_t)t->recipe->batch_examples;
  tg_example *drawn = NULL;
  int *order = NULL;
  t5gist_status status;
  *out = (tg_step){.step = step, .options = tg_recipe_batch(t->recipe, (int)step), .n = (int)n};
  out->options.rebuild_start = t->rebuild_start;
  out->options.copy_start = t->copy_start;
  TG_GOTO(tg_alloc(&drawn, n, sizeof *drawn, err));
  TG_GOTO(tg_alloc(&order, n, sizeof *order, err));
  TG_GOTO(tg_alloc(&out->examples, n, sizeof *out->examples, err));
  TG_GOTO(tg_alloc(&out->ids, n, sizeof *out->ids, err));
  TG_GOTO(tg_alloc(&out->ends, n, sizeof *out->ends, err));
  for (size_t i = 0; i < n; i++) drawn[i] = tg_data_at(t->train, place_at(t, step * n + i));
  TG_GOTO(tg_batch_split(drawn, (int)n, (size_t)t->recipe->micro_tokens, order, out->ends, &out->n_micro, err));
  for (size_t i = 0; i < n; i++) {
    out->ids[i] = place_at(t, step * n + (size_t)order[i]);
    out->examples[i] = drawn[order[i]];
    out->total_weight += tg_batch_weight(&out->options, &out->examples[i], out->ids[i], step);
  }
done:
  tg_free(drawn);
  tg_free(order);
  return status;
}

void tg_step_free(tg_step *step) {
  tg_free(step->examples);
  tg_free(step->ids);
  tg_free(step->ends);
  *step = (tg_step){0};
}

t5gist_status tg_step_plan(const tg_trainer *t, const tg_step *step, int micro, tg_plan *plan, t5gist_error *err) {
  const int begin = micro > 0 ? step->ends[micro - 1] : 0, n = step->ends[micro] - begin;
  return tg_batch_make(&t->start.config, &step->options, step->examples + begin, step->ids + begin, n, step->step, step->total_weight, T5GIST_UNSET,
                       T5GIST_UNSET, plan, err);
}

/* ------------------------------------------------------------------------------------------------------------------------- gradients */

tg_pass_options tg_trainer_pass_options(const tg_trainer *t, uint64_t step, int micro, bool evaluating) {
  const tg_recipe *r = t->recipe;
  tg_pass_options options = {.q_scale = r->scale_q ? 1 / sqrtf((float)t->start.config.d_kv) : 1};
  if (evaluating) return options;
  options.precision = t->precision;
  options.dropout = r->dropout;
  options.dropout_key = tg_random_key(tg_random_key(tg_random_key(r->seed, tg_random_label("dropout")), step), (uint64_t)micro);
  options.smoothing = r->smoothing;
  options.forward = r->kl_forward;
  options.reverse = r->kl_reverse;
  options.match = r->match;
  return options;
}

static t5gist_status add_micro(tg_trainer *t, const tg_step *step, int micro, tg_step_report *report, t5gist_error *err) {
  const tg_pass_options options = tg_trainer_pass_options(t, step->step, micro, false);
  tg_pass_result result = {0};
  tg_plan plan = {0};
  t5gist_status status;
  TG_GOTO(tg_step_plan(t, step, micro, &plan, err));
  TG_GOTO(tg_pass_run(t->pass, t->weights, &plan, &options, t->teacher_pass, t->teacher.weights, t->gradients, &result, err));
  report->loss += result.loss;
  report->cross_entropy += result.cross_entropy;
  report->divergence += result.divergence;
  report->match += result.match;
  report->tokens += plan.n_encoder + plan.n_decoder;
  report->targets += plan.n_decoder;
  report->flops += tg_pass_flops(&t->start.config, &plan, true);
  if (plan.teacher) report->flops += tg_pass_flops(&t->teacher.config, plan.teacher, false);
done:
  tg_plan_free(&plan);
  return status;
}

t5gist_status tg_step_gradients(tg_trainer *t, const tg_step *step, tg_step_report *report, t5gist_error *err) {
  memset(t->gradients, 0, t->start.layout.count * sizeof *t->gradients);
  for (int micro = t->group.rank; micro < step->n_micro; micro += t->group.n) TG_TRY(add_micro(t, step, micro, report, err));
  return T5GIST_OK;
}

/* ------------------------------------------------------------------------------------------------------------------------------ step */

/* The gradient's stretch that this process owns, summed; the norm of the whole; what everybody reports. */
static t5gist_status combine(tg_trainer *t, tg_step_report *report, t5gist_error *err) {
  const size_t begin = tg_group_first(&t->group), end = tg_group_behind(&t->group);
  TG_TRY(tg_group_reduce(&t->group, t->gradients, t->recipe->fixed_order, err));
  double sums[] = {report->loss,   report->cross_entropy, report->divergence, report->match,
                   report->tokens, report->targets,       report->flops,      tg_train_sum_squares(t->workspace, t->gradients + begin, end - begin)};
  TG_TRY(tg_group_sum(&t->group, sums, sizeof sums / sizeof *sums, err));
  report->loss = sums[0], report->cross_entropy = sums[1], report->divergence = sums[2], report->match = sums[3];
  report->tokens = sums[4], report->targets = sums[5], report->flops = sums[6], report->norm = sqrt(sums[7]);
  return T5GIST_OK;
}

/* Refused before it reaches the weights. */
static t5gist_status check_finite(const tg_trainer *t, const tg_step_report *report, t5gist_error *err) {
  if (isfinite(report->loss) && isfinite(report->norm)) return T5GIST_OK;
  return tg_fail(err, T5GIST_EFORMAT,
                 "step %llu: the loss is %g and the gradient's norm %g: " TG_DIVERGED,
                 (unsigned long long)t->step + 1, report->loss, report->norm);
}

t5gist_status tg_step_run(tg_trainer *t, tg_step_report *report, t5gist_error *err) {
  const double start = tg_now();
  const tg_schedule schedule = tg_recipe_schedule(t->recipe);
  tg_step step;
  *report = (tg_step_report){.rate = tg_schedule_rate(&schedule, (int)t->step)};
  t5gist_status status = tg_step_draw(t, t->step, &step, err);
  if (!status) status = tg_step_gradients(t, &step, report, err);
  tg_step_free(&step);
  if (status) return status;
  TG_TRY(combine(t, report, err));
  TG_TRY(check_finite(t, report, err));
  TG_TRY(tg_optimiser_step(t->optimiser, t->workspace, report->rate, t->step + 1, report->norm, t->gradients, t->weights, err));
  TG_TRY(tg_group_collect(&t->group, t->weights, err));
  t->step++;
  report->seconds = tg_now() - start;
  return T5GIST_OK;
}
