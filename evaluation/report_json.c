/* The table as JSON, and the answers behind it as JSONL: everything that a reader needs to compute it again. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "evaluation/evaluation.h"
#include "report/report.h"
#include "runtime/error.h"
#include "runtime/file.h"

static json_t *trained_json(tg_eval_trained trained) {
  return trained == TG_EVAL_TRAINED_UNKNOWN ? json_null() : json_boolean(trained == TG_EVAL_TRAINED_YES);
}

static json_t *strings_json(const tg_strings *strings) {
  json_t *list = json_array();
  for (size_t i = 0; i < strings->count; i++) tg_json_add(&list, tg_json_text(strings->items[i]));
  return list;
}

static json_t *model_json(const tg_eval_model *m) {
  json_t *conditions = m->conditions_known ? json_array() : json_null(), *gists = json_array();
  for (int c = 0; m->conditions_known && c < T5GIST_N_CONDITIONS; c++)
    if (m->trained[c]) tg_json_add(&conditions, json_string(t5gist_condition_name((t5gist_condition)c)));
  for (int i = 0; i < m->gists.count; i++) tg_json_add(&gists, json_integer(m->gists.values[i]));
  return json_pack("{s:o,s:s,s:s,s:I,s:o,s:o}", "dir", tg_json_text(m->dir), "fingerprint", m->fingerprint, "dtype", m->dtype, "parameters",
                   (json_int_t)m->n_parameters, "trained_conditions", conditions, "trained_gists", gists);
}

static json_t *split_json(const tg_eval_split *s) {
  json_t *bins = json_array();
  for (size_t b = 0; b < s->n_bins; b++)
    tg_json_add(&bins, json_pack("{s:f,s:f,s:I}", "low", s->bins[b].low, "high", s->bins[b].high, "examples", (json_int_t)s->bins[b].n));
  return json_pack("{s:o,s:I,s:I,s:o}", "name", tg_json_text(s->name), "examples", (json_int_t)s->n, "found", (json_int_t)s->n_found, "bits", bins);
}

/* An interval per metric. */
static json_t *metrics_json(const tg_eval_result *r, const tg_interval *intervals) {
  json_t *o = json_object();
  for (int m = 0; m < (r->from_answers ? TG_EVAL_LOGPROB : TG_EVAL_N_METRICS); m++)
    tg_json_put(&o, tg_eval_metric_names[m], tg_json_interval(&intervals[m]));
  return o;
}

static json_t *bins_json(const tg_eval_split *split, const tg_eval_cell *c) {
  json_t *list = json_array();
  for (size_t b = 0; b < split->n_bins; b++) tg_json_add(&list, tg_json_interval(&c->bins[b]));
  return list;
}

static json_t *cell_json(const tg_eval_result *r, const tg_eval_split *split, const tg_eval_cell *c) {
  json_t *o = c->n > 0 ? metrics_json(r, c->values) : json_object();
  tg_json_put(&o, "examples", json_integer((json_int_t)c->n));
  if (!r->from_answers) tg_json_put(&o, "logprob_per_token", tg_json_interval(&c->per_token));
  if (c->has_room) tg_json_put(&o, "above_neg_control", metrics_json(r, c->room));
  if (c->has_recovered) tg_json_put(&o, "recovered", metrics_json(r, c->recovered));
  if (split->n_bins > 0) tg_json_put(&o, "exact_match_by_bits", bins_json(split, c));
  return o;
}

static json_t *row_json(const tg_eval_result *r, const tg_eval_row *row) {
  json_t *o = json_object(), *splits = json_object(), *families = json_object();
  tg_json_put(&o, "name", json_string(row->name));
  tg_json_put(&o, "table", json_integer((json_int_t)row->set + 1));
  if (!r->from_answers) {
    tg_json_put(&o, "condition", json_string(tg_eval_kind_names[row->kind]));
    tg_json_put(&o, "k", row->k ? json_integer(row->k) : json_null());
    tg_json_put(&o, "model", tg_json_text(r->models[row->model].dir));
    tg_json_put(&o, "asked_as", json_string(t5gist_condition_name(row->asked)));
    tg_json_put(&o, "trained", trained_json(row->trained));
    tg_json_put(&o, "gist_tokens", json_integer(row->n_gist));
    tg_json_put(&o, "task_tokens", tg_json_number(row->n_task));
    tg_json_put(&o, "prompt_tokens", tg_json_number(row->n_prompt));
  }
  for (size_t s = 0; s < r->data.n_splits; s++) tg_json_put(&splits, r->data.splits[s].name, cell_json(r, &r->data.splits[s], &row->cells[s]));
  tg_json_put(&o, "splits", splits);
  for (size_t f = 0; f < r->data.families.count; f++) tg_json_put(&families, r->data.families.items[f], tg_json_number(row->families[f]));
  tg_json_put(&o, "exact_match_by_family", families);
  return o;
}

/* JSON's integers end at 2^63 here: a seed beyond is a text of its digits. */
static json_t *seed_json(uint64_t seed) {
  char digits[24];
  snprintf(digits, sizeof digits, "%llu", (unsigned long long)seed);
  return seed <= INT64_MAX ? json_integer((json_int_t)seed) : json_string(digits);
}

static json_t *settings_json(const tg_eval_config *c) {
  return json_pack("{s:i,s:i,s:i,s:o,s:i}", "max_new_tokens", c->max_new_tokens, "beams", c->beams, "limit", c->limit, "seed", seed_json(c->seed),
                   "resamples", c->resamples);
}

json_t *tg_eval_json(const tg_eval_config *config, const tg_eval_result *r) {
  json_t *o = json_object(), *models = json_array(), *splits = json_array(), *rows = json_array();
  tg_json_put(&o, "name", tg_json_text(config->name));
  tg_json_put(&o, "title", json_string(config->title));
  tg_json_put(&o, "version", json_string(t5gist_version()));
  tg_json_put(&o, "command", tg_json_text(r->command));
  if (!r->from_answers)
    tg_json_put(&o, "machine",
                json_pack("{s:s,s:s,s:s,s:i}", "cpu", r->machine.cpu, "isa", r->machine.isa, "onednn", r->machine.onednn, "threads", r->threads));
  tg_json_put(&o, "settings", settings_json(config));
  tg_json_put(&o, "data", strings_json(&config->data));
  tg_json_put(&o, "skipped", json_integer((json_int_t)r->data.skipped));
  for (size_t i = 0; i < r->n_models; i++) tg_json_add(&models, model_json(&r->models[i]));
  tg_json_put(&o, "models", models);
  tg_json_put(&o, "warnings", strings_json(&r->warnings));
  for (size_t i = 0; i < r->data.n_splits; i++) tg_json_add(&splits, split_json(&r->data.splits[i]));
  tg_json_put(&o, "splits", splits);
  for (size_t i = 0; i < r->n_rows; i++) tg_json_add(&rows, row_json(r, &r->rows[i]));
  tg_json_put(&o, "rows", rows);
  return o;
}

/* ------------------------------------------------------------------------------------------------------------------------------ answers */

static json_t *answer_json(const tg_eval_config *c, const tg_eval_result *r, const tg_eval_row *row, size_t i) {
  const tg_eval_example *e = &r->data.examples[i];
  json_t *o = json_object();
  tg_json_put(&o, "table", json_integer((json_int_t)row->set + 1));
  tg_json_put(&o, "model", tg_json_text(r->models[row->model].dir));
  tg_json_put(&o, "condition", json_string(row->name));
  tg_json_put(&o, "split", tg_json_text(r->data.splits[e->split].name));
  tg_json_put(&o, "file", tg_json_text(c->data.items[e->file]));
  tg_json_put(&o, "number", json_integer((json_int_t)e->number));
  tg_json_put(&o, "instruction", json_string(e->task));
  tg_json_put(&o, "input", json_string(e->input));
  tg_json_put(&o, "reference", json_string(e->reference));
  tg_json_put(&o, "prediction", json_string(row->answers[i]));
  for (int m = 0; m < TG_EVAL_N_METRICS; m++) tg_json_put(&o, tg_eval_metric_names[m], tg_json_number(row->scores[m][i]));
  tg_json_put(&o, "reference_tokens", json_integer((json_int_t)row->tokens[i]));
  return o;
}

static t5gist_status write_answers(const tg_eval_config *config, const tg_eval_result *r, const char *dir, t5gist_error *err) {
  tg_buffer text = {0};
  t5gist_status status = T5GIST_OK;
  for (size_t row = 0; row < r->n_rows && !r->from_answers; row++)
    for (size_t i = 0; i < r->data.n; i++) {
      json_t *object = answer_json(config, r, &r->rows[row], i);
      char *line = object ? json_dumps(object, JSON_REAL_PRECISION(9)) : NULL;
      json_decref(object);
      status = line ? tg_buffer_printf(&text, err, "%s\n", line) : tg_fail(err, T5GIST_ENOMEM, "out of memory while writing the answers");
      free(line);
      if (status != T5GIST_OK) goto done;
    }
  TG_GOTO(tg_report_write(dir, config->name, "-answers.jsonl", text.data, text.size, err));
done:
  tg_buffer_free(&text);
  return status;
}

typedef t5gist_status writer(const tg_eval_config *config, const tg_eval_result *result, tg_buffer *out, t5gist_error *err);

static t5gist_status markdown(const tg_eval_config *config, const tg_eval_result *result, tg_buffer *out, t5gist_error *err) {
  return tg_eval_markdown(config, result, true, out, err);
}

t5gist_status tg_eval_write(const tg_eval_config *config, const tg_eval_result *result, const char *dir, t5gist_error *err) {
  static const struct {
    writer *write;
    const char *suffix;
  } texts[] = {{markdown, ".md"}, {tg_eval_picture_recovered, "-recovered.svg"}, {tg_eval_picture_bits, "-bits.svg"}};
  TG_TRY(tg_make_dirs(dir, err));
  TG_TRY(write_answers(config, result, dir, err));
  TG_TRY(tg_report_write_json(dir, config->name, ".json", tg_eval_json(config, result), err));
  for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
    tg_buffer text = {0};
    t5gist_status status = texts[i].write(config, result, &text, err);
    if (status == T5GIST_OK) status = tg_report_write(dir, config->name, texts[i].suffix, text.data, text.size, err);
    tg_buffer_free(&text);
    TG_TRY(status);
  }
  return T5GIST_OK;
}
