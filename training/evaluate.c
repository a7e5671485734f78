/* Evaluation under teacher forcing: what the model says of each target token when the ones before it are the target's. An example all of whose
 * tokens are the likeliest ones is an exact match, and is exactly one that greedy decoding answers with the target: up to the first difference
 * greedy decoding has the same tokens before it. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "runtime/error.h"
#include "runtime/memory.h"
#include "training/trainer_parts.h"

enum { N_MEASURES = 3, CHUNK = 64 };
static const char *const measure_names[N_MEASURES] = {"loss", "exact_match", "accuracy"};

/* --------------------------------------------------------------------------------------------------------------------------- points */

static void add_point(tg_trainer *t, int condition, int gists) {
  tg_eval_point *p = &t->points[t->n_points++];
  *p = (tg_eval_point){.condition = condition, .gists = gists};
  snprintf(p->name, sizeof p->name, "%s", t5gist_condition_name((t5gist_condition)condition));
  if (condition == T5GIST_GIST) snprintf(p->name, sizeof p->name, "gist%d", gists);
}

static bool wants(const tg_recipe *r, int condition) {
  if (r->eval_conditions.count == 0) return r->conditions[condition] > 0;
  for (size_t i = 0; i < r->eval_conditions.count; i++) {
    if (strcmp(r->eval_conditions.items[i], t5gist_condition_name((t5gist_condition)condition)) == 0) return true;
  }
  return false;
}

static void make_points(tg_trainer *t) {
  const tg_recipe *r = t->recipe;
  t->n_points = 0;
  for (int c = 0; c < TG_N_CONDITIONS; c++) {
    if (!wants(r, c)) continue;
    if (c == T5GIST_GIST)
      for (int i = 0; i < r->n_gists; i++) add_point(t, c, r->gists[i]);
    else
      add_point(t, c, r->most_gists);
  }
}

const char *tg_best_name(const tg_trainer *t, const tg_best *best, char name[TG_BEST_NAME]) {
  name[0] = 0;
  if (t->recipe->n_sets > 0)
    snprintf(name, TG_BEST_NAME, "%s/%s/%s", t->recipe->sets[best->set].name, t->points[best->point].name, measure_names[best->measure]);
  return name;
}

static double value_of(const tg_eval_score *score, int measure) {
  return measure == 0 ? score->loss : measure == 1 ? score->exact : score->accuracy;
}

/* "unseen/gist4/loss" */
static bool names(const tg_trainer *t, int set, int point, int measure, const char *text) {
  const tg_best best = {.set = set, .point = point, .measure = measure};
  char name[TG_BEST_NAME];
  return strcmp(tg_best_name(t, &best, name), text) == 0;
}

t5gist_status tg_evaluate_prepare(tg_trainer *t, t5gist_error *err) {
  const tg_recipe *r = t->recipe;
  make_points(t);
  t->best = (tg_best){0};
  if (!r->best) return T5GIST_OK;
  for (int s = 0; s < r->n_sets; s++) {
    for (int p = 0; p < t->n_points; p++) {
      for (int m = 0; m < N_MEASURES; m++) {
        if (!names(t, s, p, m, r->best)) continue;
        t->best = (tg_best){.set = s, .point = p, .measure = m};
        return T5GIST_OK;
      }
    }
  }
  return tg_fail(err, T5GIST_EUSAGE,
                 "best: expected SET/CONDITION/MEASURE of what is evaluated, such as %s/%s/loss (or exact_match, accuracy), found \"%.100s\"",
                 r->sets[0].name, t->points[0].name, r->best);
}

/* -------------------------------------------------------------------------------------------------------------------------- one set */

typedef struct sums {
  double logprob, right, exact, tokens, examples;
  int n_micro; /* micro-batches so far, of all processes */
} sums;

static void add_answers(const tg_plan *plan, const float *logprobs, const unsigned char *right, sums *s) {
  for (int a = 0; a < plan->n_answers; a++) {
    bool exact = true;
    for (int i = plan->answers[a].begin; i < plan->answers[a].begin + plan->answers[a].n; i++) {
      if (plan->targets[i] < 0) continue;
      s->logprob += (double)logprobs[i];
      s->right += right[i];
      s->tokens++;
      exact &= right[i];
    }
    s->exact += exact;
    s->examples++;
  }
}

static t5gist_status run_micro(tg_trainer *t, const tg_eval_point *point, const float *weights, const tg_example *examples, const uint64_t *ids,
                               int n, sums *s, t5gist_error *err) {
  const tg_pass_options options = tg_trainer_pass_options(t, 0, 0, true);
  tg_batch_options draws = tg_recipe_batch(t->recipe, 0);
  tg_pass_result result = {0};
  tg_plan plan = {0};
  t5gist_status status;
  draws.teacher = false;
  draws.rebuild = draws.copy = 0;
  draws.cross_entropy = 1;
  TG_GOTO(tg_batch_make(&t->start.config, &draws, examples, ids, n, 0, 1, point->condition, point->gists, &plan, err));
  TG_GOTO(tg_alloc(&result.logprobs, (size_t)plan.n_decoder, sizeof *result.logprobs, err));
  TG_GOTO(tg_alloc(&result.right, (size_t)plan.n_decoder, 1, err));
  TG_GOTO(tg_pass_run(t->pass, weights, &plan, &options, NULL, NULL, NULL, &result, err));
  add_answers(&plan, result.logprobs, result.right, s);
done:
  tg_free(result.logprobs);
  tg_free(result.right);
  tg_plan_free(&plan);
  return status;
}

/* Examples first .. first + n - 1 of the set's order, n <= CHUNK; this process takes every n-th micro-batch of the set, for those of one chunk alone
 * are fewer than there may be processes. */
static t5gist_status run_chunk(tg_trainer *t, const tg_data *data, const tg_eval_point *point, const float *weights, size_t first, int n, sums *s,
                               t5gist_error *err) {
  tg_example drawn[CHUNK], examples[CHUNK];
  uint64_t places[CHUNK], ids[CHUNK];
  int order[CHUNK], ends[CHUNK], n_micro;
  for (int i = 0; i < n; i++) {
    places[i] = tg_data_shuffled(tg_data_count(data), t->recipe->seed, first + (uint64_t)i);
    drawn[i] = tg_data_at(data, places[i]);
  }
  TG_TRY(tg_batch_split(drawn, n, (size_t)t->recipe->micro_tokens, order, ends, &n_micro, err));
  for (int i = 0; i < n; i++) {
    examples[i] = drawn[order[i]];
    ids[i] = places[order[i]];
  }
  for (int micro = 0; micro < n_micro; micro++) {
    const int begin = micro > 0 ? ends[micro - 1] : 0;
    if (s->n_micro++ % t->group.n != t->group.rank) continue;
    TG_TRY(run_micro(t, point, weights, examples + begin, ids + begin, ends[micro] - begin, s, err));
  }
  return T5GIST_OK;
}

t5gist_status tg_evaluate_set(tg_trainer *t, const tg_data *data, const tg_eval_point *point, const float *weights, tg_eval_score *score,
                              t5gist_error *err) {
  const size_t count = tg_data_count(data), limit = (size_t)t->recipe->eval_examples, n = limit > 0 && limit < count ? limit : count;
  sums s = {0};
  for (size_t at = 0; at < n; at += CHUNK) TG_TRY(run_chunk(t, data, point, weights, at, (int)(n - at < CHUNK ? n - at : CHUNK), &s, err));
  double all[] = {s.logprob, s.right, s.exact, s.tokens, s.examples};
  TG_TRY(tg_group_sum(&t->group, all, sizeof all / sizeof *all, err));
  *score = (tg_eval_score){.loss = -all[0] / fmax(1, all[3]),
                           .accuracy = all[1] / fmax(1, all[3]),
                           .exact = all[2] / fmax(1, all[4]),
                           .tokens = (size_t)all[3],
                           .examples = (size_t)all[4]};
  return T5GIST_OK;
}

/* ------------------------------------------------------------------------------------------------------------------------- all sets */

static t5gist_status write_score(const tg_trainer *t, int set, const tg_eval_point *point, const tg_eval_score *score, t5gist_error *err) {
  char prefix[128];
  const tg_scalar scalars[] = {{"loss", score->loss}, {"exact_match", score->exact}, {"accuracy", score->accuracy}};
  snprintf(prefix, sizeof prefix, "eval/%s/%s", t->recipe->sets[set].name, point->name);
  tg_trainer_say(t, "step %llu: %-24s loss %.4f, exact match %.1f %%, tokens right %.1f %% (%zu examples)", (unsigned long long)t->step, prefix + 5,
                 score->loss, 100 * score->exact, 100 * score->accuracy, score->examples);
  if (!t->log) return T5GIST_OK;
  json_t *extra =
      json_pack("{s:s s:s s:i s:I s:I}", "eval", t->recipe->sets[set].name, "condition", t5gist_condition_name((t5gist_condition)point->condition),
                "gists", point->gists, "examples", (json_int_t)score->examples, "targets", (json_int_t)score->tokens);
  if (!extra) return tg_fail(err, T5GIST_ENOMEM, "not enough memory for a line of the log");
  const t5gist_status status = tg_log_write(t->log, t->step, extra, prefix, scalars, 3, err);
  json_decref(extra);
  return status;
}

t5gist_status tg_evaluate(tg_trainer *t, const float *weights, bool *improved, t5gist_error *err) {
  *improved = false;
  for (int s = 0; s < t->recipe->n_sets; s++) {
    for (int p = 0; p < t->n_points; p++) {
      tg_eval_score score;
      tg_trainer_progress(t, "evaluation");
      TG_TRY(tg_evaluate_set(t, t->sets[s], &t->points[p], weights, &score, err));
      if (!isfinite(score.loss))
        return tg_fail(err, T5GIST_EFORMAT, "step %llu: the loss on %s/%s is %g: " TG_DIVERGED, (unsigned long long)t->step, t->recipe->sets[s].name,
                       t->points[p].name, score.loss);
      TG_TRY(write_score(t, s, &t->points[p], &score, err));
      if (s != t->best.set || p != t->best.point) continue;
      const double value = value_of(&score, t->best.measure);
      if (t->best.step > 0 && !(t->best.measure == 0 ? value < t->best.value : value > t->best.value)) continue;
      t->best.value = value;
      t->best.step = t->step;
      *improved = true;
    }
  }
  return T5GIST_OK;
}
