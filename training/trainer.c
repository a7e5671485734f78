#include "training/trainer.h"

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "runtime/cpu.h"
#include "runtime/error.h"
#include "runtime/file.h"
#include "runtime/json.h"
#include "runtime/memory.h"
#include "runtime/room.h"
#include "training/snapshot.h"
#include "training/trainer_parts.h"

enum { SHOWN_BAD_LINES = 5 };

/* ----------------------------------------------------------------------------------------------------------------------------- data */

typedef struct bad_lines {
  const tg_trainer *trainer;
  size_t n;
} bad_lines;

static void on_bad_line(void *user, size_t line, const char *message) {
  bad_lines *bad = user;
  (void)line;
  if (bad->n++ < SHOWN_BAD_LINES) tg_trainer_say(bad->trainer, "left out: %s", message);
}

static t5gist_status open_data(tg_trainer *t, const char *path, tg_data **data, t5gist_error *err) {
  const tg_recipe *r = t->recipe;
  const tg_data_options options = {.task_field = r->task_field,
                                   .input_field = r->input_field,
                                   .target_field = r->target_field,
                                   .split_field = r->split_field,
                                   .family_field = r->family_field,
                                   .max_source = r->max_source,
                                   .max_target = r->max_target,
                                   .truncate_target = r->truncate_target,
                                   .skip_bad = r->skip_bad,
                                   .gists = r->most_gists};
  bad_lines bad = {.trainer = t};
  char *cache = NULL;
  TG_TRY(r->cache ? tg_strdup(&cache, r->cache, err) : tg_path_join(&cache, t->run_dir, "data", err));
  t5gist_status status = tg_make_dirs(cache, err);
  if (!status) status = tg_data_open(path, cache, &t->start.config, t->start.tokenizer, &options, on_bad_line, &bad, data, err);
  tg_free(cache);
  if (status) return status;
  const tg_data_report *report = tg_data_report_of(*data);
  if (bad.n > SHOWN_BAD_LINES) tg_trainer_say(t, "left out: %zu more lines of %s", bad.n - SHOWN_BAD_LINES, path);
  tg_trainer_say(t, "%s: %zu examples, %zu task, %zu input and %zu target tokens; %zu cut, %zu left out", path, report->examples, report->task_tokens,
                 report->input_tokens, report->target_tokens, report->cut, report->bad + report->empty + report->too_long);
  return T5GIST_OK;
}

static t5gist_status open_all_data(tg_trainer *t, t5gist_error *err) {
  TG_TRY(open_data(t, t->recipe->train, &t->train, err));
  if (tg_data_count(t->train) < (size_t)t->recipe->block)
    return tg_fail(err, T5GIST_EUSAGE, "data.block: expected at most the %zu examples of %s, found %d", tg_data_count(t->train), t->recipe->train,
                   t->recipe->block);
  for (int i = 0; i < t->recipe->n_sets; i++) TG_TRY(open_data(t, t->recipe->sets[i].path, &t->sets[i], err));
  for (size_t i = 0; i < tg_data_count(t->train); i++) {
    const int n = tg_data_at(t->train, i).n_task;
    if (n > t->longest_task) t->longest_task = n;
  }
  return T5GIST_OK;
}

/* The decoder's start tokens of the tasks beside the answers. */
static t5gist_status find_start_tokens(tg_trainer *t, t5gist_error *err) {
  const char *const names[] = {"<extra_id_0>", "<extra_id_1>"};
  int32_t *const places[] = {&t->rebuild_start, &t->copy_start};
  const bool used[] = {t->recipe->rebuild > 0, t->recipe->copy > 0};
  for (int i = 0; i < 2; i++) {
    tg_ids ids = {0};
    t5gist_status status = used[i] ? tg_tokenizer_encode(t->start.tokenizer, names[i], strlen(names[i]), &ids, err) : T5GIST_OK;
    if (!status && used[i] && ids.n != 1)
      status = tg_fail(err, T5GIST_EUSAGE, "loss.%s: expected a tokenizer with %s, found none", i == 0 ? "rebuild" : "copy", names[i]);
    if (!status && used[i]) *places[i] = ids.ids[0];
    tg_free(ids.ids);
    if (status) return status;
  }
  return T5GIST_OK;
}

/* -------------------------------------------------------------------------------------------------------------------------- opening */

/* What needs files to be made is done by the first process; the others follow. */
static t5gist_status open_files(tg_trainer *t, uint64_t *step, t5gist_error *err) {
  const bool first = t->group.rank == 0;
  if (!first) TG_TRY(tg_group_wait(&t->group, err));
  if (first)
    TG_TRY(tg_place_open(t->recipe, t->call, &t->run_dir, &t->lock, step, err));
  else
    TG_TRY(tg_path_join(&t->run_dir, t->recipe->out, "run", err));
  if (!first && t->call->resume) TG_TRY(tg_snapshot_find(t->run_dir, step, err));
  TG_TRY(tg_start_open(t->recipe, t->run_dir, first, &t->start, err));
  TG_TRY(open_all_data(t, err));
  if (first) TG_TRY(tg_group_wait(&t->group, err));
  TG_TRY(find_start_tokens(t, err));
  TG_TRY(tg_evaluate_prepare(t, err));
  if (t->recipe->teacher) TG_TRY(tg_teacher_open(t->recipe, &t->start, &t->teacher, err));
  return tg_group_divide(&t->group, &t->start.layout, err);
}

static t5gist_status choose_precision(tg_trainer *t, t5gist_error *err) {
  const int compute = t->recipe->compute;
  if (compute == TG_COMPUTE_BF16 && !tg_cpu_bf16())
    return tg_fail(err, T5GIST_EUNSUPPORTED,
                   "compute: bf16: expected a processor that multiplies pairs of bf16 (avx512_bf16), found none; auto takes f32 then");
  t->precision = compute != TG_COMPUTE_F32 && tg_cpu_bf16() ? TG_TRAIN_BF16 : TG_TRAIN_F32;
  if (compute == TG_COMPUTE_AUTO)
    tg_trainer_say(t, "compute auto: %s", t->precision == TG_TRAIN_BF16 ? "bf16" : "f32, since this processor does not multiply pairs of bf16");
  return T5GIST_OK;
}

/* Threads and oneDNN. A product of each kind makes oneDNN load its code and generate its kernels, some ten megabytes, so that the prediction finds
 * them in the process's memory. */
static t5gist_status open_machine(tg_trainer *t, t5gist_error *err) {
  enum { N = 64 };
  float *x;
  TG_TRY(choose_precision(t, err));
  TG_TRY(tg_engine_new(t->recipe->threads == T5GIST_UNSET ? tg_cpu_threads() : t->recipe->threads, &t->engine, err));
  TG_TRY(tg_workspace_new(t->engine, &t->workspace, err));
  TG_TRY(tg_alloc(&x, 3 * N * N, sizeof *x, err));
  t5gist_status status = tg_train_linear(t->workspace, t->precision, x, N, x + N * N, N, N, false, x + 2 * N * N, err);
  if (!status) status = tg_train_linear_dx(t->workspace, t->precision, x, N, x + N * N, N, N, false, x + 2 * N * N, err);
  if (!status) status = tg_train_linear_dw(t->workspace, t->precision, x, x + N * N, N, N, N, x + 2 * N * N, err);
  tg_free(x);
  return status;
}

static t5gist_status allocate(tg_trainer *t, t5gist_error *err) {
  tg_optimiser_options options = tg_recipe_optimiser(t->recipe);
  const size_t count = t->start.layout.count;
  options.precision = t->precision;
  TG_TRY(tg_pass_new(&t->start.layout, t->workspace, &t->pass, err));
  if (t->recipe->teacher) TG_TRY(tg_pass_new(&t->teacher.layout, t->workspace, &t->teacher_pass, err));
  TG_TRY(tg_alloc(&t->weights, count, sizeof *t->weights, err));
  TG_TRY(tg_alloc(&t->gradients, count, sizeof *t->gradients, err));
  return tg_optimiser_new(&t->start.layout, &options, tg_group_first(&t->group), tg_group_behind(&t->group), &t->optimiser, err);
}

/* ------------------------------------------------------------------------------------------------------------------------ snapshots */

static json_t *make_state(const tg_trainer *t) {
  const tg_data_report *report = tg_data_report_of(t->train);
  char best[TG_BEST_NAME];
  return json_pack("{s:I s:I s:I s:s s:f s:I}", "step", (json_int_t)t->step, "examples", (json_int_t)report->examples, "target_tokens",
                   (json_int_t)report->target_tokens, "best", tg_best_name(t, &t->best, best), "best_value", t->best.value, "best_step",
                   (json_int_t)t->best.step);
}

static t5gist_status write_snapshot(tg_trainer *t, t5gist_error *err) {
  tg_snapshot snapshot = {.layout = &t->start.layout,
                          .weights = t->weights,
                          .optimiser = t->optimiser,
                          .state = make_state(t),
                          .rank = t->group.rank,
                          .n_ranks = t->group.n};
  if (!snapshot.state) return tg_fail(err, T5GIST_ENOMEM, "not enough memory for the state of the run");
  tg_trainer_progress(t, "saving");
  const t5gist_status status = tg_snapshot_save(&snapshot, t->run_dir, t->step, t->recipe->keep, err);
  json_decref(snapshot.state);
  TG_TRY(status);
  return tg_group_wait(&t->group, err); /* nobody begins the next one before everybody has this one on disk */
}

static t5gist_status read_state(tg_trainer *t, const json_t *state, t5gist_error *err) {
  const tg_data_report *report = tg_data_report_of(t->train);
  const json_int_t examples = json_integer_value(json_object_get(state, "examples")),
                   targets = json_integer_value(json_object_get(state, "target_tokens"));
  if (examples != (json_int_t)report->examples || targets != (json_int_t)report->target_tokens)
    return tg_fail(err, T5GIST_EMISMATCH,
                   "%s: the run was begun with %lld examples of %lld target tokens, found %zu of %zu: the data has changed since", t->recipe->train,
                   (long long)examples, (long long)targets, report->examples, report->target_tokens);
  const char *best = json_string_value(json_object_get(state, "best"));
  char name[TG_BEST_NAME];
  if (!best || strcmp(best, tg_best_name(t, &t->best, name)) != 0) return T5GIST_OK; /* another score decides from here on */
  t->best.value = json_number_value(json_object_get(state, "best_value"));
  t->best.step = (uint64_t)json_integer_value(json_object_get(state, "best_step"));
  return T5GIST_OK;
}

static t5gist_status load(tg_trainer *t, uint64_t step, t5gist_error *err) {
  tg_snapshot snapshot = {.layout = &t->start.layout, .weights = t->weights, .optimiser = t->optimiser, .rank = t->group.rank, .n_ranks = t->group.n};
  TG_TRY(tg_snapshot_load(&snapshot, t->run_dir, step, err));
  const t5gist_status status = read_state(t, snapshot.state, err);
  json_decref(snapshot.state);
  t->step = step;
  return status;
}

static t5gist_status fill_weights(tg_trainer *t, uint64_t step, t5gist_error *err) {
  if (t->recipe->teacher) TG_TRY(tg_teacher_load(t->recipe, &t->start, &t->teacher, err));
  if (step > 0) return load(t, step, err);
  TG_TRY(tg_start_weights(t->recipe, &t->start, t->weights, err));
  if (t->recipe->scale_q) tg_parameters_scale_q(&t->start.layout, sqrtf((float)t->start.config.d_kv), t->weights);
  return T5GIST_OK;
}

/* --------------------------------------------------------------------------------------------------------------------------- output */

/* The weights that are evaluated and written: the averaged ones, gathered into gradients, or those at hand. */
static t5gist_status chosen_weights(tg_trainer *t, const float **weights, t5gist_error *err) {
  const float *average = tg_optimiser_average(t->optimiser);
  *weights = t->weights;
  if (!average || t->step == 0) return T5GIST_OK; /* before the first step there is nothing to average */
  const size_t begin = tg_group_first(&t->group), end = tg_group_behind(&t->group);
  memcpy(t->gradients + begin, average, (end - begin) * sizeof *average);
  *weights = t->gradients;
  return tg_group_collect(&t->group, t->gradients, err);
}

static t5gist_status export_model(tg_trainer *t, const float *weights, t5gist_error *err) {
  const tg_recipe *r = t->recipe;
  const size_t count = t->start.layout.count;
  const char *conditions[TG_N_CONDITIONS];
  tg_export what = {.out_dir = r->out,
                    .tokenizer_dir = t->start.dir,
                    .bf16 = r->save_dtype == 1,
                    .gists = r->gists,
                    .n_gists = r->n_gists,
                    .conditions = conditions};
  what.default_gists = r->default_gists == T5GIST_UNSET ? r->most_gists : r->default_gists;
  what.max_task_tokens = t->longest_task > 0 ? t->longest_task : 1;
  for (int c = 0; c < TG_N_CONDITIONS; c++) {
    if (r->conditions[c] > 0) conditions[what.n_conditions++] = t5gist_condition_name((t5gist_condition)c);
  }
  tg_trainer_progress(t, "writing the model");
  if (r->scale_q) { /* the factor that training keeps in the scores goes back into q */
    if (weights != t->gradients) memcpy(t->gradients, weights, count * sizeof *weights);
    tg_parameters_scale_q(&t->start.layout, 1 / sqrtf((float)t->start.config.d_kv), t->gradients);
    weights = t->gradients;
  }
  return t->group.rank == 0 ? tg_parameters_export(&t->start.layout, weights, &what, err) : T5GIST_OK;
}

/* A gradient of sound numbers can still lead to weights that are none. */
static t5gist_status check_weights(const tg_trainer *t, t5gist_error *err) {
  const double squares = tg_train_sum_squares(t->workspace, t->weights, t->start.layout.count);
  if (isfinite(squares)) return T5GIST_OK;
  return tg_fail(err, T5GIST_EFORMAT, "step %llu: the weights' norm is %g: " TG_DIVERGED, (unsigned long long)t->step, sqrt(squares));
}

/* Evaluates where there is something to evaluate on; writes the model when it is the best, or when nobody can tell. */
static t5gist_status judge(tg_trainer *t, t5gist_error *err) {
  const float *weights;
  bool improved = true;
  TG_TRY(check_weights(t, err));
  TG_TRY(chosen_weights(t, &weights, err));
  if (t->recipe->n_sets > 0) TG_TRY(tg_evaluate(t, weights, &improved, err));
  return improved ? export_model(t, weights, err) : T5GIST_OK;
}

/* Without evaluation the model of each snapshot is written beside it: a run that is stopped, or dies, leaves its newest one. */
static t5gist_status save(tg_trainer *t, t5gist_error *err) {
  TG_TRY(check_weights(t, err));
  if (t->recipe->n_sets == 0) TG_TRY(judge(t, err));
  return write_snapshot(t, err);
}

static t5gist_status write_step(tg_trainer *t, const tg_step_report *r, t5gist_error *err) {
  const tg_scalar scalars[] = {{"loss", r->loss},
                               {"cross_entropy", r->cross_entropy},
                               {"divergence", r->divergence},
                               {"match", r->match},
                               {"rate", r->rate},
                               {"norm", r->norm},
                               {"tokens", r->tokens},
                               {"targets", r->targets},
                               {"seconds", r->seconds},
                               {"tokens_per_second", r->tokens / r->seconds},
                               {"gflops", r->flops / r->seconds * 1e-9},
                               {"resident_mb", (double)tg_resident_bytes(false) * 1e-6}};
  return t->log ? tg_log_write(t->log, t->step, NULL, "train", scalars, sizeof scalars / sizeof *scalars, err) : T5GIST_OK;
}

/* ----------------------------------------------------------------------------------------------------------------------------- loop */

static void account(tg_trainer *t, const tg_step_report *r) {
  t->loss = r->loss;
  t->smoothed = isnan(t->smoothed) ? r->loss : 0.9 * t->smoothed + 0.1 * r->loss;
  t->step_seconds = t->seconds > 0 ? 0.8 * t->step_seconds + 0.2 * r->seconds : r->seconds;
  t->seconds += r->seconds;
  t->tokens += r->tokens;
  t->flops += r->flops;
}

/* Whether somebody was asked to stop: a signal may reach the processes at different steps. */
static t5gist_status asked_to_stop(tg_trainer *t, bool *stop, t5gist_error *err) {
  double asked = t->call->stop && *t->call->stop;
  TG_TRY(tg_group_sum(&t->group, &asked, 1, err));
  *stop = asked > 0;
  return T5GIST_OK;
}

static bool due(uint64_t step, int every) {
  return every > 0 && step % (uint64_t)every == 0;
}

static t5gist_status loop(tg_trainer *t, bool *stopped, t5gist_error *err) {
  const tg_recipe *r = t->recipe;
  const uint64_t steps = (uint64_t)r->steps;
  tg_trainer_progress(t, NULL);
  while (t->step < steps && !*stopped) {
    tg_step_report report;
    TG_TRY(tg_step_run(t, &report, err));
    account(t, &report);
    TG_TRY(write_step(t, &report, err));
    tg_trainer_progress(t, NULL);
    const bool last = t->step == steps;
    if (r->n_sets > 0 && (last || due(t->step, r->eval_every))) TG_TRY(judge(t, err));
    TG_TRY(asked_to_stop(t, stopped, err)); /* behind the evaluation, which takes long */
    if (last || *stopped || due(t->step, r->save_every)) TG_TRY(save(t, err));
  }
  *stopped = *stopped && t->step < steps;
  return T5GIST_OK;
}

/* ------------------------------------------------------------------------------------------------------------------------------ run */

static void say_size(const tg_trainer *t, const tg_prediction *p) {
  const tg_config *c = &t->start.config;
  const size_t room = tg_memory_room(), needed = p->parameters + p->optimiser + p->activations;
  char free_text[48] = "";
  if (room != SIZE_MAX) snprintf(free_text, sizeof free_text, "; %.1f GB are free", (double)room * 1e-9);
  tg_trainer_say(t, "%.1f M parameters (d_model %d, %d + %d layers, %d rows of vocabulary), %d steps of %d examples, each %.0f tokens and %.3g TFLOP",
                 (double)t->start.layout.count * 1e-6, c->d_model, c->n_layers, c->n_decoder_layers, c->vocab_size, t->recipe->steps,
                 t->recipe->batch_examples, p->tokens, p->flops * 1e-12);
  tg_trainer_say(t, "memory predicted: %.2f GB (weights and gradients %.2f, optimiser %.2f, activations %.2f)%s", (double)p->bytes * 1e-9,
                 (double)p->parameters * 1e-9, (double)p->optimiser * 1e-9, (double)p->activations * 1e-9, free_text);
  if (needed > room) tg_trainer_say(t, "warning: that is more than is free; a smaller micro_tokens, or optimiser: adafactor, takes less");
}

static void say_time(const tg_trainer *t, const tg_prediction *p, double seconds) {
  const double all = seconds * (t->recipe->steps - (double)t->step);
  tg_trainer_say(t, "time predicted: %.3g s a step, %.3g %s in all, at %.0f GFLOP/s; evaluations come on top", seconds,
                 all < 120    ? all
                 : all < 7200 ? all / 60
                              : all / 3600,
                 all < 120    ? "s"
                 : all < 7200 ? "minutes"
                              : "hours",
                 p->flops / seconds * 1e-9);
}

static t5gist_status prepare(tg_trainer *t, tg_train_result *result, t5gist_error *err) {
  tg_prediction prediction;
  uint64_t step = 0;
  double seconds;
  TG_TRY(tg_group_begin(&t->group, err));
  TG_TRY(open_files(t, &step, err));
  TG_TRY(open_machine(t, err));
  TG_TRY(tg_predict(t, &prediction, err));
  say_size(t, &prediction);
  result->predicted_bytes = prediction.bytes;
  TG_TRY(allocate(t, err));
  TG_TRY(fill_weights(t, step, err));
  result->first_step = (int)t->step;
  if (t->step >= (uint64_t)t->recipe->steps) return T5GIST_OK;
  if (t->step > 0) tg_trainer_say(t, "goes on behind step %llu", (unsigned long long)t->step);
  TG_TRY(tg_predict_seconds(t, &prediction, &seconds, err));
  say_time(t, &prediction, seconds);
  if (t->group.rank > 0) return T5GIST_OK;
  return tg_log_open(t->run_dir, t->recipe->log, t->recipe->tensorboard, t->step, &t->log, err);
}

static void finish(tg_trainer *t, tg_train_result *result) {
  result->step = (int)t->step;
  result->steps = t->recipe->steps;
  result->rank = t->group.rank;
  result->loss = t->loss;
  result->seconds = t->seconds;
  result->tokens = t->tokens;
  result->flops = t->flops;
  result->peak_bytes = tg_resident_bytes(true);
  char name[TG_BEST_NAME];
  if (t->best.step > 0)
    snprintf(result->best, sizeof result->best, "%s %.4f at step %llu", tg_best_name(t, &t->best, name), t->best.value,
             (unsigned long long)t->best.step);
}

static void close_trainer(tg_trainer *t) {
  tg_log_close(t->log);
  tg_optimiser_free(t->optimiser);
  tg_free(t->weights);
  tg_free(t->gradients);
  tg_pass_free(t->pass);
  tg_pass_free(t->teacher_pass);
  tg_workspace_free(t->workspace);
  tg_engine_free(t->engine);
  tg_data_close(t->train);
  for (int i = 0; i < TG_MAX_SETS; i++) tg_data_close(t->sets[i]);
  tg_teacher_close(&t->teacher);
  tg_start_close(&t->start);
  tg_free(t->run_dir);
  tg_group_end(&t->group);
  if (t->lock.fd >= 0) tg_lock_release(&t->lock); /* nobody writes there any more */
}

t5gist_status tg_train(const tg_recipe *recipe, const tg_train_call *call, tg_train_result *result, t5gist_error *err) {
  tg_trainer t = {.recipe = recipe, .call = call, .group = {.n = 1}, .lock = {-1}, .loss = NAN, .smoothed = NAN};
  t5gist_error own = {0};
  *result = (tg_train_result){.loss = NAN};
  t5gist_status status = prepare(&t, result, &own);
  if (!status) status = loop(&t, &result->stopped, &own);
  if (status && t.group.n > 1) { /* the others wait for this one: all end here, and this is the last that is heard */
    if (call->fail) call->fail(call->user, own.message);
    tg_group_abandon(&t.group);
  }
  finish(&t, result);
  close_trainer(&t);
  if (status && err) *err = own;
  return status;
}
