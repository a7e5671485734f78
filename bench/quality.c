/* How good the answers of each condition are, where prompts have targets. */
#include "bench/bench.h"
#include "measure/rouge.h"
#include "runtime/error.h"

enum { CALL = 32 }; /* requests given to the engine at once */

typedef enum tg_score { EXACT, ROUGE1, ROUGE2, ROUGE_L, SAME, ROUGE_L_FULL, N_SCORES } tg_score;

typedef struct bench {
  const tg_bench_config *config;
  const t5gist_model *model;
  t5gist_session *session;
  tg_prompt_set prompts;
  int gists;
  char **answers[TG_BENCH_N_CONDITIONS]; /* [prompts.n] */
  double *scores[N_SCORES];              /* [prompts.n] */
} bench;

/* Conditions that differ only in where the gist comes from give the same answers: one of them is asked. */
static bool asked(const bench *b, int condition) {
  return b->config->measured[condition] && condition != TG_BENCH_GIST_UNCACHED && condition != TG_BENCH_GIST_FILE;
}

static t5gist_status answer_some(bench *b, tg_bench_condition condition, size_t first, size_t n, t5gist_error *err) {
  t5gist_request requests[CALL];
  t5gist_answer answers[CALL];
  for (size_t i = 0; i < n; i++) {
    requests[i] = tg_bench_request(condition, &b->prompts.items[first + i], b->gists);
    requests[i].options.max_new_tokens = b->config->quality_tokens;
  }
  TG_TRY(t5gist_generate(b->session, requests, n, answers, err));
  t5gist_status status = T5GIST_OK;
  for (size_t i = 0; i < n; i++) {
    if (status == T5GIST_OK && answers[i].error.status != T5GIST_OK) status = tg_fail(err, answers[i].error.status, "%s", answers[i].error.message);
    if (status == T5GIST_OK) status = tg_strdup(&b->answers[condition][first + i], answers[i].text, err);
    t5gist_answer_clear(&answers[i]);
  }
  return status;
}

static t5gist_status answer_all(bench *b, tg_bench_condition condition, t5gist_error *err) {
  TG_TRY(tg_alloc(&b->answers[condition], b->prompts.n, sizeof *b->answers[condition], err));
  for (size_t i = 0; i < b->prompts.n; i += CALL)
    TG_TRY(answer_some(b, condition, i, b->prompts.n - i < CALL ? b->prompts.n - i : CALL, err));
  return T5GIST_OK;
}

static t5gist_status score(bench *b, tg_bench_condition condition, tg_quality *out, t5gist_error *err) {
  const bool has_full = b->answers[TG_BENCH_FULL] != NULL;
  size_t n = 0;
  for (size_t i = 0; i < b->prompts.n; i++) {
    const char *answer = b->answers[condition][i], *full = has_full ? b->answers[TG_BENCH_FULL][i] : answer, *target = b->prompts.items[i].target;
    tg_rouge near, agreement;
    if (!target) continue;
    TG_TRY(tg_rouge_compute(target, answer, &near, err));
    TG_TRY(tg_rouge_compute(full, answer, &agreement, err));
    const double values[N_SCORES] = {tg_exact_match(target, answer), near.rouge1.f1,         near.rouge2.f1,
                                     near.rougeL.f1,                 tg_exact_match(full, answer), agreement.rougeL.f1};
    for (int s = 0; s < N_SCORES; s++) b->scores[s][n] = 100 * values[s];
    n++;
  }
  if (n == 0) return tg_fail(err, T5GIST_EFORMAT, "quality_tokens: expected prompts with an output to compare with, found none");
  out->measured = true;
  const tg_resampling resampling = {.resamples = (size_t)b->config->resamples};
  tg_interval *const intervals[N_SCORES] = {&out->exact, &out->rouge1, &out->rouge2, &out->rougeL, &out->same_as_full, &out->rougeL_to_full};
  for (int s = 0; s < N_SCORES; s++)
    TG_TRY(tg_bootstrap(TG_STATISTIC_MEAN, TG_CONTRAST_NONE, (const double *const[]){b->scores[s]}, n, &resampling, intervals[s], err));
  return T5GIST_OK;
}

t5gist_status tg_bench_quality(const tg_bench_config *config, const t5gist_model *model, tg_quality quality[TG_BENCH_N_CONDITIONS],
                               t5gist_error *err) {
  bench b = {.config = config, .model = model, .gists = config->gists.values[0]};
  t5gist_status status = T5GIST_OK;
  const tg_point point = {.batch = 1, .task_tokens = config->task_tokens.values[0], .gists = b.gists};
  TG_GOTO(t5gist_session_new(model, &b.session, err));
  TG_GOTO(tg_prompts_make(config, model, point, &b.prompts, err));
  for (size_t i = 0; i < b.prompts.n; i++)
    TG_GOTO(t5gist_encode(b.session, b.prompts.items[i].task, b.gists, &b.prompts.items[i].gist, err));
  for (int s = 0; s < N_SCORES; s++) TG_GOTO(tg_alloc(&b.scores[s], b.prompts.n, sizeof *b.scores[s], err));
  for (int c = 0; c < TG_BENCH_N_CONDITIONS; c++) /* the full prompt's come first: the others are compared with them */
    if (asked(&b, c)) TG_GOTO(answer_all(&b, (tg_bench_condition)c, err));
  for (int c = 0; c < TG_BENCH_N_CONDITIONS; c++)
    if (asked(&b, c)) TG_GOTO(score(&b, (tg_bench_condition)c, &quality[c], err));
done:
  for (int c = 0; c < TG_BENCH_N_CONDITIONS; c++) {
    for (size_t i = 0; b.answers[c] && i < b.prompts.n; i++) tg_free(b.answers[c][i]);
    tg_free(b.answers[c]);
  }
  for (int s = 0; s < N_SCORES; s++) tg_free(b.scores[s]);
  tg_prompts_free(&b.prompts);
  t5gist_session_free(b.session);
  return status;
}
