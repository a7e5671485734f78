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
  for (size_t i = 0; i < strings->count; i++) json_array_append_new(list, json_string(strings->items[i]));
  return list;
}

static json_t *model_json(const tg_eval_model *m) {
  json_t *conditions = m->conditions_known ? json_array() : json_null(), *gists = json_array();
  for (int c = 0; m->conditions_known && c < T5GIST_N_CONDITIONS; c++)
    if (m->trained[c]) json_array_append_new(conditions, json_string(t5gist_condition_name((t5gist_condition)c)));
  for (int i = 0; i < m->gists.count; i++) json_array_append_new(gists, json_integer(m->gists.values[i]));
  return json_pack("{s:s,s:s,s:s,s:I,s:o,s:o}", "dir", m->dir, "fingerprint", m->fingerprint, "dtype", m->dtype, "parameters",
                   (json_int_t)m->n_parameters, "trained_conditions", conditions, "trained_gists", gists);
}

static json_t *split_json(const tg_eval_split *s) {
  json_t *bins = json_array();
  for (size_t b = 0; b < s->n_bins; b++)
    json_array_append_new(bins, json_pack("{s:f,s:f,s:I}", "low", s->bins[b].low, "high", s->bins[b].high, "examples", (json_int_t)s->bins[b].n));
  return json_pack("{s:s,s:I,s:I,s:o}", "name", s->name, "examples", (json_int_t)s->n, "found", (json_int_t)s->n_found, "bits", bins);
}

static json_t *cell_json(const tg_eval_result *r, const tg_eval_split *split, const tg_eval_cell *c) {
  json_t *o = json_object(), *room = json_object(), *recovered = json_object(), *bins = json_array();
  json_object_set_new(o, "examples", json_integer((json_int_t)c->n));
  for (int m = 0; c->n > 0 && m < (r->from_answers ? TG_EVAL_LOGPROB : TG_EVAL_N_METRICS); m++) {
    json_object_set_new(o, tg_eval_metric_names[m], tg_interval_json(&c->values[m]));
    if (c->has_room) json_object_set_new(room, tg_eval_metric_names[m], tg_interval_json(&c->room[m]));
    if (c->has_recovered) json_object_set_new(recovered, tg_eval_metric_names[m], tg_interval_json(&c->recovered[m]));
  }
  if (!r->from_answers) json_object_set_new(o, "logprob_per_token", tg_interval_json(&c->per_token));
  if (c->has_room) json_object_set_new(o, "above_neg_control", json_incref(room));
  if (c->has_recovered) json_object_set_new(o, "recovered", json_incref(recovered));
  for (size_t b = 0; b < split->n_bins; b++) json_array_append_new(bins, tg_interval_json(&c->bins[b]));
  if (split->n_bins > 0) json_object_set_new(o, "exact_match_by_bits", json_incref(bins));
  json_decref(room);
  json_decref(recovered);
  json_decref(bins);
  return o;
}

static json_t *row_json(const tg_eval_result *r, const tg_eval_row *row) {
  json_t *o = json_object(), *splits = json_object(), *families = json_object();
  json_object_set_new(o, "name", json_string(row->name));
  json_object_set_new(o, "table", json_integer((json_int_t)row->set + 1));
  if (!r->from_answers) {
    json_object_set_new(o, "condition", json_string(tg_eval_kind_names[row->kind]));
    json_object_set_new(o, "k", row->k ? json_integer(row->k) : json_null());
    json_object_set_new(o, "model", json_string(r->models[row->model].dir));
    json_object_set_new(o, "asked_as", json_string(t5gist_condition_name(row->asked)));
    json_object_set_new(o, "trained", trained_json(row->trained));
    json_object_set_new(o, "gist_tokens", json_integer(row->n_gist));
    json_object_set_new(o, "task_tokens", tg_number_json(row->n_task));
    json_object_set_new(o, "prompt_tokens", tg_number_json(row->n_prompt));
  }
  for (size_t s = 0; s < r->data.n_splits; s++) json_object_set_new(splits, r->data.splits[s].name, cell_json(r, &r->data.splits[s], &row->cells[s]));
  json_object_set_new(o, "splits", splits);
  for (size_t f = 0; f < r->data.families.count; f++) json_object_set_new(families, r->data.families.items[f], tg_number_json(row->families[f]));
  json_object_set_new(o, "exact_match_by_family", families);
  return o;
}

static json_t *settings_json(const tg_eval_config *c) {
  return json_pack("{s:i,s:i,s:i,s:I,s:i}", "max_new_tokens", c->max_new_tokens, "beams", c->beams, "limit", c->limit, "seed", (json_int_t)c->seed,
                   "resamples", c->resamples);
}

json_t *tg_eval_json(const tg_eval_config *config, const tg_eval_result *r) {
  json_t *o = json_object(), *models = json_array(), *splits = json_array(), *rows = json_array();
  json_object_set_new(o, "name", json_string(config->name));
  json_object_set_new(o, "title", json_string(config->title));
  json_object_set_new(o, "version", json_string(t5gist_version()));
  json_object_set_new(o, "command", json_string(r->command));
  if (!r->from_answers)
    json_object_set_new(
        o, "machine",
        json_pack("{s:s,s:s,s:s,s:i}", "cpu", r->machine.cpu, "isa", r->machine.isa, "onednn", r->machine.onednn, "threads", r->threads));
  json_object_set_new(o, "settings", settings_json(config));
  json_object_set_new(o, "data", strings_json(&config->data));
  json_object_set_new(o, "skipped", json_integer((json_int_t)r->data.skipped));
  for (size_t i = 0; i < r->n_models; i++) json_array_append_new(models, model_json(&r->models[i]));
  json_object_set_new(o, "models", models);
  json_object_set_new(o, "warnings", strings_json(&r->warnings));
  for (size_t i = 0; i < r->data.n_splits; i++) json_array_append_new(splits, split_json(&r->data.splits[i]));
  json_object_set_new(o, "splits", splits);
  for (size_t i = 0; i < r->n_rows; i++) json_array_append_new(rows, row_json(r, &r->rows[i]));
  json_object_set_new(o, "rows", rows);
  return o;
}

/* ------------------------------------------------------------------------------------------------------------------------------ answers */

static json_t *answer_json(const tg_eval_config *c, const tg_eval_result *r, const tg_eval_row *row, size_t i) {
  const tg_eval_example *e = &r->data.examples[i];
  json_t *o = json_object();
  json_object_set_new(o, "table", json_integer((json_int_t)row->set + 1));
  json_object_set_new(o, "model", json_string(r->models[row->model].dir));
  json_object_set_new(o, "condition", json_string(row->name));
  json_object_set_new(o, "split", json_string(r->data.splits[e->split].name));
  json_object_set_new(o, "file", json_string(c->data.items[e->file]));
  json_object_set_new(o, "number", json_integer((json_int_t)e->number));
  json_object_set_new(o, "instruction", json_string(e->task));
  json_object_set_new(o, "input", json_string(e->input));
  json_object_set_new(o, "reference", json_string(e->reference));
  json_object_set_new(o, "prediction", json_string(row->answers[i]));
  for (int m = 0; m < TG_EVAL_N_METRICS; m++) json_object_set_new(o, tg_eval_metric_names[m], tg_number_json(row->scores[m][i]));
  json_object_set_new(o, "reference_tokens", json_integer((json_int_t)row->tokens[i]));
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
