/* One point: gists are made, then every condition is timed on every group of prompts, in turn. */
#include <malloc.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "bench/bench.h"
#include "runtime/clock.h"
#include "runtime/error.h"

const char *const tg_part_names[TG_N_PARTS] = {"open", "tokenize", "encode_prefix", "encode_input", "cross_kv", "first_token", "decode", "rest"};

typedef struct bench {
  const tg_bench_config *config;
  const t5gist_model *model;
  t5gist_session *session;
  tg_point point;
  tg_prompt_set prompts;
  size_t batch, n_groups;
  t5gist_request *requests; /* [batch] */
  t5gist_answer *answers;   /* [batch] */
  t5gist_gist **opened;     /* [batch] gists of the condition that opens files */
} bench;

static const tg_bench_prompt *prompt_of(const bench *b, size_t group, size_t i) {
  return &b->prompts.items[(group * b->batch + i) % b->prompts.n];
}

t5gist_request tg_bench_request(tg_bench_condition condition, const tg_bench_prompt *prompt, int gists) {
  static const t5gist_condition conditions[TG_BENCH_N_CONDITIONS] = {
      [TG_BENCH_FULL] = T5GIST_FULL,        [TG_BENCH_POS_CONTROL] = T5GIST_POS_CONTROL, [TG_BENCH_GIST_UNCACHED] = T5GIST_GIST,
      [TG_BENCH_GIST_MEMORY] = T5GIST_GIST, [TG_BENCH_GIST_FILE] = T5GIST_GIST,          [TG_BENCH_NEG_CONTROL] = T5GIST_NEG_CONTROL,
      [TG_BENCH_DISCRETE] = T5GIST_FULL};
  t5gist_request r;
  t5gist_request_init(&r);
  r.condition = conditions[condition];
  r.input = prompt->input;
  r.gists = gists;
  if (condition == TG_BENCH_GIST_MEMORY || condition == TG_BENCH_GIST_FILE) r.gist = prompt->gist;
  else r.task = condition == TG_BENCH_DISCRETE && *prompt->discrete ? prompt->discrete : prompt->task;
  return r;
}

/* ---------------------------------------------------------------------------------------------------------------------------------- gists */

static t5gist_status serialized_size(const t5gist_gist *gist, t5gist_payload payload, bool cross, double *sum, t5gist_error *err) {
  unsigned char *bytes = NULL;
  size_t n;
  TG_TRY(t5gist_gist_serialize(gist, payload, cross, &bytes, &n, err));
  t5gist_free(bytes);
  *sum += (double)n;
  return T5GIST_OK;
}

static t5gist_status weigh_gist(const bench *b, const tg_bench_prompt *p, tg_kept_bytes *kept, t5gist_error *err) {
  t5gist_gist_info info;
  t5gist_model_info model;
  t5gist_gist_describe(p->gist, &info);
  t5gist_model_describe(b->model, &model);
  const double per_token = 2.0 * model.n_layers * model.n_heads * model.d_kv + model.d_model;
  kept->text += (double)strlen(p->task);
  kept->activations += info.n_task * per_token * (double)sizeof(float);
  TG_TRY(serialized_size(p->gist, T5GIST_PAYLOAD_F32, false, &kept->gist_f32, err));
  TG_TRY(serialized_size(p->gist, T5GIST_PAYLOAD_BF16, false, &kept->gist_bf16, err));
  return serialized_size(p->gist, T5GIST_PAYLOAD_F32, true, &kept->gist_cross, err);
}

/* Encodes every prompt's task, timed, and saves it as a file. */
static t5gist_status make_gists(bench *b, const char *dir, tg_point_result *result, t5gist_error *err) {
  double *ms;
  const size_t n = b->prompts.n;
  TG_TRY(tg_alloc(&ms, n, sizeof *ms, err));
  t5gist_status status = T5GIST_OK;
  for (size_t i = 0; i < n; i++) {
    tg_bench_prompt *p = &b->prompts.items[i];
    if (i == 0) { /* warm up */
      TG_GOTO(t5gist_encode(b->session, p->task, b->point.gists, &p->gist, err));
      t5gist_gist_free(p->gist);
      p->gist = NULL;
    }
    const double begin = tg_now_ms();
    TG_GOTO(t5gist_encode(b->session, p->task, b->point.gists, &p->gist, err));
    ms[i] = tg_now_ms() - begin;
    TG_GOTO(weigh_gist(b, p, &result->kept, err));
    if (!b->config->measured[TG_BENCH_GIST_FILE]) continue;
    tg_buffer path = {0};
    TG_GOTO(tg_buffer_printf(&path, err, "%s/%zu.gist", dir, i));
    p->gist_path = path.data;
    TG_GOTO(t5gist_gist_save(p->gist, p->gist_path, T5GIST_PAYLOAD_F32, false, err));
  }
  double *const kept[] = {&result->kept.text, &result->kept.activations, &result->kept.gist_f32, &result->kept.gist_bf16, &result->kept.gist_cross};
  for (size_t i = 0; i < sizeof kept / sizeof *kept; i++) *kept[i] /= (double)n;
  const tg_resampling resampling = {.resamples = (size_t)b->config->resamples};
  TG_GOTO(tg_bootstrap(TG_STATISTIC_MEDIAN, TG_CONTRAST_NONE, (const double *const[]){ms}, n, &resampling, &result->encode_ms, err));
done:
  tg_free(ms);
  return status;
}

/* ----------------------------------------------------------------------------------------------------------------------------- observing */

static t5gist_status open_gists(bench *b, size_t group, t5gist_error *err) {
  for (size_t i = 0; i < b->batch; i++) {
    TG_TRY(t5gist_gist_open(b->model, prompt_of(b, group, i)->gist_path, &b->opened[i], err));
    b->requests[i].gist = b->opened[i];
  }
  return T5GIST_OK;
}

static void close_gists(bench *b) {
  for (size_t i = 0; i < b->batch; i++) {
    t5gist_gist_free(b->opened[i]);
    b->opened[i] = NULL;
  }
}

/* Adds the answers' stages to observation `at`; a stage of a batch is the mean of its requests'. */
static void add_stages(const bench *b, tg_series *s, size_t at) {
  const double n = (double)b->batch;
  for (size_t i = 0; i < b->batch; i++) {
    const t5gist_answer *a = &b->answers[i];
    const double parts[TG_N_PARTS] = {[TG_PART_TOKENIZE] = a->timings.tokenize,  [TG_PART_PREFIX] = a->timings.encode_prefix,
                                      [TG_PART_INPUT] = a->timings.encode_input, [TG_PART_CROSS] = a->timings.cross_kv,
                                      [TG_PART_FIRST] = a->timings.first_token,  [TG_PART_DECODE] = a->timings.decode};
    for (int p = 0; p < TG_N_PARTS; p++) s->parts[p][at] += p == TG_PART_TOKENIZE ? parts[p] : parts[p] / n; /* requests are tokenised one by one */
    s->n_task += a->n_task;
    s->n_gist += a->n_gist;
    s->n_input += a->n_input;
  }
}

static t5gist_status check_answers(const bench *b, t5gist_error *err) {
  for (size_t i = 0; i < b->batch; i++) {
    const t5gist_answer *a = &b->answers[i];
    if (a->error.status != T5GIST_OK) return tg_fail(err, a->error.status, "%s", a->error.message);
    if (a->n_tokens != b->config->new_tokens)
      return tg_fail(err, T5GIST_EINTERNAL, "expected an answer of %d tokens, found %d", b->config->new_tokens, a->n_tokens);
  }
  return T5GIST_OK;
}

/* One call with one condition on one group of prompts. series: null where nothing is to be kept. */
static t5gist_status observe(bench *b, t5gist_session *session, tg_bench_condition condition, size_t group, tg_series *series, size_t at,
                             t5gist_error *err) {
  t5gist_counters counters[T5GIST_N_STAGES];
  for (size_t i = 0; i < b->batch; i++) {
    b->requests[i] = tg_bench_request(condition, prompt_of(b, group, i), b->point.gists);
    b->requests[i].options.max_new_tokens = b->requests[i].options.min_new_tokens = b->config->new_tokens;
  }
  t5gist_counters_take(session, counters);
  t5gist_forget_gists(session); /* uncached is uncached */
  const double begin = tg_now_ms();
  t5gist_status status = condition == TG_BENCH_GIST_FILE ? open_gists(b, group, err) : T5GIST_OK;
  const double opened = tg_now_ms();
  if (status == T5GIST_OK) status = t5gist_generate(session, b->requests, b->batch, b->answers, err);
  const double end = tg_now_ms();
  close_gists(b);
  if (status != T5GIST_OK) return status;
  status = check_answers(b, err);
  if (status == T5GIST_OK && series) {
    series->total[at] = end - begin;
    t5gist_counters_take(session, series->counters + at * T5GIST_N_STAGES);
    add_stages(b, series, at);
    series->parts[TG_PART_OPEN][at] = condition == TG_BENCH_GIST_FILE ? opened - begin : 0;
    double rest = end - begin;
    for (int p = 0; p < TG_PART_REST; p++) rest -= series->parts[p][at];
    series->parts[TG_PART_REST][at] = rest;
  }
  for (size_t i = 0; i < b->batch; i++) t5gist_answer_clear(&b->answers[i]);
  return status;
}

static t5gist_status new_series(tg_series *s, size_t n, t5gist_error *err) {
  s->n = n;
  TG_TRY(tg_alloc(&s->total, n, sizeof *s->total, err));
  TG_TRY(tg_alloc(&s->counters, n * T5GIST_N_STAGES, sizeof *s->counters, err));
  for (int p = 0; p < TG_N_PARTS; p++) TG_TRY(tg_alloc(&s->parts[p], n, sizeof *s->parts[p], err));
  return T5GIST_OK;
}

/* Once per condition in a session of its own: how much memory it takes; and everything is warm afterwards. */
static t5gist_status measure_memory(bench *b, tg_bench_condition condition, tg_series *series, t5gist_error *err) {
  t5gist_session *session;
  TG_TRY(t5gist_session_new(b->model, &session, err));
  malloc_trim(0); /* what earlier measurements freed is not this one's */
  tg_peak_reset();
  const t5gist_status status = observe(b, session, condition, 0, NULL, 0, err);
  series->peak_bytes = tg_peak_bytes();
  t5gist_session_free(session);
  return status == T5GIST_OK ? observe(b, b->session, condition, 0, NULL, 0, err) : status;
}

static t5gist_status measure(bench *b, tg_point_result *result, t5gist_error *err) {
  tg_bench_condition order[TG_BENCH_N_CONDITIONS];
  size_t n_conditions = 0;
  const size_t n = b->n_groups * (size_t)b->config->rounds;
  for (int c = 0; c < TG_BENCH_N_CONDITIONS; c++) {
    if (!b->config->measured[c]) continue;
    order[n_conditions++] = (tg_bench_condition)c;
    result->conditions[c].measured = true;
    TG_TRY(new_series(&result->conditions[c].series, n, err));
    TG_TRY(measure_memory(b, (tg_bench_condition)c, &result->conditions[c].series, err));
  }
  for (size_t i = 0; i < n; i++) /* every condition comes first, second, ... equally often */
    for (size_t j = 0; j < n_conditions; j++) {
      const tg_bench_condition c = order[(i + j) % n_conditions];
      TG_TRY(observe(b, b->session, c, i % b->n_groups, &result->conditions[c].series, i, err));
    }
  const double requests = (double)(n * b->batch);
  for (size_t j = 0; j < n_conditions; j++) {
    tg_series *s = &result->conditions[order[j]].series;
    s->n_task /= requests;
    s->n_gist /= requests;
    s->n_input /= requests;
  }
  return T5GIST_OK;
}

t5gist_status tg_bench_measure(const tg_bench_config *config, const t5gist_model *model, tg_point point, const char *scratch_dir,
                               tg_point_result *result, t5gist_error *err) {
  bench b = {.config = config, .model = model, .point = point, .batch = (size_t)point.batch};
  t5gist_status status = T5GIST_OK;
  *result = (tg_point_result){.point = point, .break_even = (double)NAN};
  TG_GOTO(t5gist_session_new(model, &b.session, err));
  TG_GOTO(tg_prompts_make(config, model, point, &b.prompts, err));
  b.n_groups = b.prompts.n / b.batch ? b.prompts.n / b.batch : 1;
  TG_GOTO(tg_alloc(&b.requests, b.batch, sizeof *b.requests, err));
  TG_GOTO(tg_alloc(&b.answers, b.batch, sizeof *b.answers, err));
  TG_GOTO(tg_alloc(&b.opened, b.batch, sizeof *b.opened, err));
  TG_GOTO(make_gists(&b, scratch_dir, result, err));
  TG_GOTO(measure(&b, result, err));
done:
  tg_free(b.opened);
  tg_free(b.answers);
  tg_free(b.requests);
  tg_prompts_free(&b.prompts);
  t5gist_session_free(b.session);
  return status;
}

void tg_point_result_free(tg_point_result *result) {
  for (int c = 0; c < TG_BENCH_N_CONDITIONS; c++) {
    tg_series *s = &result->conditions[c].series;
    tg_free(s->total);
    tg_free(s->counters);
    for (int p = 0; p < TG_N_PARTS; p++) tg_free(s->parts[p]);
  }
}

/* ------------------------------------------------------------------------------------------------------------------------------ summaries */

/* The median over calls of what a roofline takes for all stages together. sums: [n] */
static t5gist_status predict_calls(const tg_limits *limits, tg_rate rate, const tg_series *s, double *sums, double *median, t5gist_error *err) {
  for (size_t i = 0; i < s->n; i++) {
    const t5gist_counters *counted = &s->counters[i * T5GIST_N_STAGES];
    sums[i] = 0;
    for (int stage = 0; stage < T5GIST_N_STAGES; stage++) sums[i] += tg_roofline_ms(limits, rate, &counted[stage]);
  }
  return tg_median(sums, s->n, median, err);
}

/* Medians of the condition's roofline per part, and what its calls counted. scratch: [n] */
static t5gist_status predict_parts(const tg_limits *limits, tg_rate rate, tg_condition_result *c, double *scratch, t5gist_error *err) {
  const tg_series *s = &c->series;
  for (int stage = 0; stage < T5GIST_N_STAGES; stage++) {
    for (size_t i = 0; i < s->n; i++) {
      const t5gist_counters *counted = &s->counters[i * T5GIST_N_STAGES + (size_t)stage];
      scratch[i] = tg_roofline_ms(limits, rate, counted);
      c->flops += (double)(counted->product_flops + counted->attention_flops) / (double)s->n;
      c->weight_bytes += (double)counted->weight_bytes / (double)s->n;
    }
    TG_TRY(tg_median(scratch, s->n, &c->part_predicted_ms[TG_PART_PREFIX + stage], err));
  }
  return T5GIST_OK;
}

static t5gist_status summarise(const tg_resampling *resampling, const tg_limits *limits, const tg_format_result *format, tg_condition_result *c,
                               double *scratch, t5gist_error *err) {
  const tg_series *s = &c->series;
  TG_TRY(tg_bootstrap(TG_STATISTIC_MEDIAN, TG_CONTRAST_NONE, (const double *const[]){s->total}, s->n, resampling, &c->ms, err));
  for (int p = 0; p < TG_N_PARTS; p++) TG_TRY(tg_median(s->parts[p], s->n, &c->part_ms[p], err));
  tg_limits in_place = *limits;
  if (format->weights_read > 0) in_place.bandwidth = fmin(limits->bandwidth, format->weights_read); /* caches may hold a small model */
  TG_TRY(predict_calls(&in_place, format->rate, s, scratch, &c->in_place_ms, err));
  TG_TRY(predict_calls(limits, format->rate, s, scratch, &c->predicted_ms, err));
  return predict_parts(limits, format->rate, c, scratch, err);
}

t5gist_status tg_bench_summarise(const tg_bench_config *config, const tg_limits *limits, const tg_format_result *format, tg_point_result *result,
                                 t5gist_error *err) {
  const tg_resampling resampling = {.resamples = (size_t)config->resamples};
  tg_condition_result *full = &result->conditions[TG_BENCH_FULL], *gist = &result->conditions[TG_BENCH_GIST_MEMORY];
  for (int i = 0; i < TG_BENCH_N_CONDITIONS; i++) {
    tg_condition_result *c = &result->conditions[i];
    if (!c->measured) continue;
    double *scratch;
    TG_TRY(tg_alloc(&scratch, c->series.n, sizeof *scratch, err));
    const t5gist_status status = summarise(&resampling, limits, format, c, scratch, err);
    tg_free(scratch);
    TG_TRY(status);
    c->saved = c->predicted_saved = c->in_place_saved = (double)NAN;
    if (!full->measured) continue;
    const double *const series[] = {full->series.total, c->series.total};
    TG_TRY(tg_bootstrap(TG_STATISTIC_MEDIAN, TG_CONTRAST_RATIO, series, c->series.n, &resampling, &c->ratio, err));
    c->saved = 1 - c->ms.estimate / full->ms.estimate;
    c->predicted_saved = 1 - c->predicted_ms / full->predicted_ms;
    c->in_place_saved = 1 - c->in_place_ms / full->in_place_ms;
  }
  if (full->measured && gist->measured && full->ms.estimate > gist->ms.estimate)
    result->break_even = ceil(result->encode_ms.estimate * result->point.batch / (full->ms.estimate - gist->ms.estimate));
  return T5GIST_OK;
}
