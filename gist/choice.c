/* What --dtype auto computes in: the fastest number format on this machine among those that the quality gate allows. */
#include "gist/choice.h"

#include <float.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "gist/model.h"
#include "gist/quality.h"
#include "runtime/cache.h"
#include "runtime/cpu.h"
#include "runtime/error.h"
#include "runtime/file.h"
#include "runtime/hash.h"
#include "runtime/json.h"
#include "t5/checkpoint.h"

enum { MAX_REMEMBERED = 1 << 16, TOKENS_OUT = 32, KEY_DIGITS = 32 };

static const struct {
  int dtype;
  tg_precision precision;
} candidates[T5GIST_N_CANDIDATES] = {{T5GIST_DTYPE_F32, TG_PRECISION_F32},
                                     {T5GIST_DTYPE_BF16, TG_PRECISION_BF16},
                                     {T5GIST_DTYPE_INT8, TG_PRECISION_INT8},
                                     {T5GIST_DTYPE_INT4, TG_PRECISION_INT4}};

/* Of the time measured, threads added up. Where nobody else computes, a thread that is ready finds a core at once; one that shares its core with
 * another busy thread waits half of the time. */
#define MOST_WAITED 0.05

/* What is compared, opened as far as that needs. */
typedef struct subject {
  const char *dir;
  int threads, wo_dtype;
  tg_config config;
  char *remembered; /* path of the verdict; null: no place for it */
} subject;

static void subject_close(subject *s) {
  tg_config_free(&s->config);
  tg_free(s->remembered);
}

/* ----------------------------------------------------------------------------------------------------------------------------- memory */

static t5gist_status find_fingerprint(const subject *s, char fingerprint[TG_SHA256_HEX], tg_dtype *stored, t5gist_error *err) {
  tg_tokenizer *tokenizer = NULL;
  tg_checkpoint *checkpoint = NULL;
  t5gist_status status;
  TG_GOTO(tg_checkpoint_open(s->dir, &checkpoint, err));
  const tg_tensor *q = tg_checkpoint_find(checkpoint, TG_TELLING_TENSOR);
  *stored = q ? q->dtype : TG_F32;
  TG_GOTO(tg_tokenizer_open(s->dir, s->config.vocab_size, &tokenizer, err));
  TG_GOTO(tg_checkpoint_fingerprint(checkpoint, s->dir, tg_tokenizer_path(tokenizer), fingerprint, err));
done:
  tg_tokenizer_free(tokenizer);
  tg_checkpoint_close(checkpoint);
  return status;
}

/* The verdict's file is named by everything that it depends on. */
static t5gist_status find_place(subject *s, t5gist_error *err) {
  char fingerprint[TG_SHA256_HEX], cpu[128], key[TG_SHA256_HEX], name[64];
  tg_dtype stored;
  tg_buffer text = {0};
  t5gist_drift kept = {.logprob = -1, .agreement = -1};
  TG_TRY(find_fingerprint(s, fingerprint, &stored, err));
  tg_cpu_describe(cpu, sizeof cpu);
  (void)tg_kept_drift(s->config.json, "int8", &kept);
  (void)tg_kept_drift(s->config.json, "bf16", &kept);
  (void)tg_kept_drift(s->config.json, "int4", &kept);
  TG_TRY(tg_buffer_printf(&text, err, "t5gist precision 2\n%s\n%s %s\nthreads %d\nmodel %s %s\nwo %d %d\ndrift %.17g %.17g\n", T5GIST_VERSION, cpu,
                          tg_isa_name(tg_cpu_isa()), s->threads, fingerprint, tg_dtype_name(stored), s->wo_dtype, s->config.wo_precision,
                          kept.logprob, kept.agreement));
  tg_sha256_hex(text.data, text.size, key);
  tg_buffer_free(&text);
  snprintf(name, sizeof name, "precision-%.*s.json", KEY_DIGITS, key);
  return tg_cache_path(name, &s->remembered, err);
}

static double number(const json_t *object, const char *key) {
  const json_t *value = json_object_get(object, key);
  return json_is_number(value) ? json_number_value(value) : 0;
}

/* A file that is not there, or is not as write_remembered makes it, is none. */
static void read_remembered(const char *path, t5gist_choice *choice) {
  json_t *json = NULL;
  if (!path || !tg_file_exists(path) || tg_json_read(path, MAX_REMEMBERED, &json, NULL) != T5GIST_OK) return;
  const json_t *list = json_object_get(json, "candidates"), *dtype = json_object_get(json, "dtype");
  const bool whole = json_array_size(list) == T5GIST_N_CANDIDATES && json_is_integer(dtype) && json_integer_value(dtype) >= T5GIST_UNSET &&
                     json_integer_value(dtype) < T5GIST_DTYPE_AUTO;
  for (size_t i = 0; whole && i < T5GIST_N_CANDIDATES; i++) {
    const json_t *o = json_array_get(list, i);
    const char *why = json_string_value(json_object_get(o, "why"));
    t5gist_candidate *c = &choice->candidates[i];
    *c = (t5gist_candidate){.dtype = candidates[i].dtype,
                            .name = tg_precision_name(candidates[i].precision),
                            .step_ms = number(o, "step_ms"),
                            .rows_ms = number(o, "rows_ms"),
                            .step_bytes = number(o, "step_bytes"),
                            .rows_flops = number(o, "rows_flops"),
                            .drift_known = json_is_true(json_object_get(o, "drift_known")),
                            .allowed = json_is_true(json_object_get(o, "allowed")),
                            .drift = {.logprob = number(o, "logprob"), .agreement = number(o, "agreement")}};
    snprintf(c->why, sizeof c->why, "%s", why ? why : "");
  }
  if (whole) choice->n = T5GIST_N_CANDIDATES;
  if (whole) choice->dtype = (int)json_integer_value(dtype);
  if (whole) choice->busy = json_is_true(json_object_get(json, "busy"));
  json_decref(json);
}

static json_t *verdict_json(const t5gist_choice *choice) {
  json_t *list = json_array();
  for (int i = 0; i < choice->n; i++) {
    const t5gist_candidate *c = &choice->candidates[i];
    json_array_append_new(list, json_pack("{s:s, s:f, s:f, s:f, s:f, s:b, s:b, s:f, s:f, s:s}", "name", c->name, "step_ms", c->step_ms, "rows_ms",
                                          c->rows_ms, "step_bytes", c->step_bytes, "rows_flops", c->rows_flops, "drift_known", c->drift_known,
                                          "allowed", c->allowed, "logprob", c->drift.logprob, "agreement", c->drift.agreement, "why", c->why));
  }
  return json_pack("{s:i, s:b, s:o}", "dtype", choice->dtype, "busy", choice->busy, "candidates", list);
}

/* What cannot be remembered is measured again next time. */
static void write_remembered(const char *path, const t5gist_choice *choice) {
  json_t *json = path ? verdict_json(choice) : NULL;
  char *text = json ? json_dumps(json, JSON_INDENT(2)) : NULL;
  if (text) tg_cache_write(path, text, strlen(text));
  free(text);
  json_decref(json);
}

/* -------------------------------------------------------------------------------------------------------------------------- measuring */

/* Fills in what is timed, and leaves what was judged. */
static t5gist_status time_candidates(const subject *s, t5gist_choice *choice, t5gist_error *err) {
  for (int i = 0; i < T5GIST_N_CANDIDATES; i++) {
    t5gist_candidate *c = &choice->candidates[i];
    const tg_precision precision = candidates[i].precision;
    const int wo = s->wo_dtype == T5GIST_UNSET ? (int)tg_wo_rule(&s->config, precision) : tg_precision_of(s->wo_dtype);
    tg_layer_times times = {0};
    TG_TRY(tg_time_layers(&s->config, precision, (tg_precision)wo, s->threads, T5GIST_CANDIDATE_ROWS, &times, err));
    c->dtype = candidates[i].dtype;
    c->name = tg_precision_name(precision);
    c->step_ms = times.step_ms;
    c->rows_ms = times.rows_ms;
    c->step_bytes = times.step_bytes;
    c->rows_flops = times.rows_flops;
    choice->busy |= times.waited > MOST_WAITED && s->threads <= tg_cpu_threads(); /* more threads than cores wait for each other */
  }
  choice->n = T5GIST_N_CANDIDATES;
  return T5GIST_OK;
}

/* f32 is what the others are measured against; it only has to fit. */
static t5gist_status judge_f32(const subject *s, t5gist_candidate *c, t5gist_error *err) {
  double bytes;
  TG_TRY(tg_f32_bytes(s->dir, &bytes, err));
  const double memory = (double)sysconf(_SC_PHYS_PAGES) * (double)sysconf(_SC_PAGESIZE);
  c->drift_known = true;
  c->drift = (t5gist_drift){.agreement = 1};
  c->allowed = bytes <= 0.75 * memory;
  if (c->allowed)
    snprintf(c->why, sizeof c->why, "the reference");
  else
    snprintf(c->why, sizeof c->why, "takes %.1f GB, more than three quarters of this machine's memory", bytes * 1e-9);
  return T5GIST_OK;
}

static void judge_drift(t5gist_candidate *c) {
  c->drift_known = true;
  c->allowed = t5gist_drift_allowed(&c->drift);
  snprintf(c->why, sizeof c->why, c->allowed ? "within the limits" : "over the limits: %.2f at most, %.0f %% at least", T5GIST_DRIFT_LOGPROB,
           100 * T5GIST_DRIFT_AGREEMENT);
}

/* Drifts that convert kept are taken, the others measured. */
static t5gist_status judge(const subject *s, t5gist_choice *choice, t5gist_error *err) {
  int unknown[T5GIST_N_CANDIDATES], places[T5GIST_N_CANDIDATES];
  size_t n = 0;
  TG_TRY(judge_f32(s, &choice->candidates[0], err));
  for (int i = 1; i < T5GIST_N_CANDIDATES; i++) {
    t5gist_candidate *c = &choice->candidates[i];
    if (s->wo_dtype == T5GIST_UNSET && tg_kept_drift(s->config.json, c->name, &c->drift)) {
      judge_drift(c);
      continue;
    }
    places[n] = i;
    unknown[n++] = c->dtype;
  }
  t5gist_drift drifts[T5GIST_N_CANDIDATES];
  t5gist_error problem = {0};
  const t5gist_status status = n ? tg_drifts(s->dir, s->dir, unknown, n, s->wo_dtype, NULL, s->threads, drifts, &problem) : T5GIST_OK;
  if (status != T5GIST_OK && status != T5GIST_EUNSUPPORTED) return tg_fail(err, status, "%s", problem.message);
  for (size_t i = 0; i < n; i++) {
    t5gist_candidate *c = &choice->candidates[places[i]];
    if (status == T5GIST_OK) c->drift = drifts[i];
    if (status == T5GIST_OK)
      judge_drift(c);
    else
      snprintf(c->why, sizeof c->why, "drift not known: %.120s", problem.message);
  }
  return T5GIST_OK;
}

static int fastest(const t5gist_choice *choice) {
  double least = DBL_MAX;
  int dtype = T5GIST_UNSET;
  for (int i = 0; i < choice->n; i++) {
    const t5gist_candidate *c = &choice->candidates[i];
    const double ms = c->rows_ms + TOKENS_OUT * c->step_ms;
    if (!c->allowed || ms >= least) continue;
    least = ms;
    dtype = c->dtype;
  }
  return dtype;
}

t5gist_status t5gist_choose_dtype(const char *dir, int threads, int wo_dtype, bool measure, t5gist_choice *choice, t5gist_error *err) {
  if (!dir || !choice) return tg_fail(err, T5GIST_EUSAGE, "t5gist_choose_dtype: dir and choice must not be null");
  subject s = {.dir = dir, .wo_dtype = wo_dtype};
  t5gist_status status;
  *choice = (t5gist_choice){.dtype = T5GIST_UNSET};
  TG_TRY(tg_check_dtype("wo_dtype", wo_dtype, err));
  TG_TRY(tg_choose_threads(threads, &s.threads, err));
  TG_GOTO(tg_config_load(dir, &s.config, err));
  TG_GOTO(find_place(&s, err));
  read_remembered(s.remembered, choice);
  const bool judged = choice->n > 0;
  if ((judged && !choice->busy) || !measure) goto done;
  choice->busy = false;
  TG_GOTO(time_candidates(&s, choice, err));
  if (!judged) TG_GOTO(judge(&s, choice, err));
  choice->dtype = fastest(choice);
  write_remembered(s.remembered, choice);
done:
  subject_close(&s);
  if (status != T5GIST_OK) choice->n = 0;
  return status;
}
