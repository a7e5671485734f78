/* The rows of the table, the checkpoint of each, and what a reader must know about them. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "evaluation/evaluation.h"
#include "runtime/error.h"
#include "runtime/json.h"
#include "t5/config.h"

/* ------------------------------------------------------------------------------------------------------------------------- checkpoints */

/* "conditions" and "gists" of the "t5gist" block; entries that this program does not know are for people. */
static void read_block(const json_t *block, tg_eval_model *model) {
  const json_t *trained = json_object_get(block, "conditions"), *gists = json_object_get(block, "gists");
  model->conditions_known = json_is_array(trained);
  for (size_t i = 0; i < json_array_size(trained); i++) {
    const char *name = json_string_value(json_array_get(trained, i));
    for (int c = 0; name && c < T5GIST_N_CONDITIONS; c++)
      if (!strcmp(name, t5gist_condition_name((t5gist_condition)c))) model->trained[c] = true;
  }
  for (size_t i = 0; i < json_array_size(gists) && model->gists.count < TG_MAX_NUMBERS; i++) {
    const json_int_t k = json_integer_value(json_array_get(gists, i));
    if (k >= 1 && k <= 1024) model->gists.values[model->gists.count++] = (int)k;
  }
}

/* The model of a folder, read where it is new. */
static t5gist_status find_model(tg_eval_result *result, const char *dir, size_t *at, t5gist_error *err) {
  tg_config config = {0};
  for (*at = 0; *at < result->n_models; ++*at)
    if (!strcmp(result->models[*at].dir, dir)) return T5GIST_OK;
  TG_TRY(tg_resize(&result->models, result->n_models, result->n_models + 1, sizeof *result->models, err));
  tg_eval_model *model = &result->models[result->n_models++];
  TG_TRY(tg_strdup(&model->dir, dir, err));
  TG_TRY(tg_config_check_dir(dir, err));
  const t5gist_status status = tg_config_load(dir, &config, err);
  if (status == T5GIST_OK) read_block(json_object_get(config.json, "t5gist"), model);
  model->default_gists = config.default_gists;
  model->max_task_tokens = config.max_task_tokens;
  tg_config_free(&config);
  return status;
}

/* -------------------------------------------------------------------------------------------------------------------------------- rows */

/* Words stand in a prompt of the unmasked kind that the model knows. */
static t5gist_condition asked_as(const tg_eval_model *model, tg_eval_kind kind) {
  static const t5gist_condition conditions[TG_EVAL_N_KINDS] = {
      [TG_EVAL_FULL] = T5GIST_FULL,  [TG_EVAL_POS_CONTROL] = T5GIST_POS_CONTROL, [TG_EVAL_PREFIX] = T5GIST_PREFIX, [TG_EVAL_GIST] = T5GIST_GIST,
      [TG_EVAL_WORDS] = T5GIST_FULL, [TG_EVAL_NEG_CONTROL] = T5GIST_NEG_CONTROL};
  return kind == TG_EVAL_WORDS && !model->trained[T5GIST_FULL] && model->trained[T5GIST_POS_CONTROL] ? T5GIST_POS_CONTROL : conditions[kind];
}

static tg_eval_trained was_trained(const tg_eval_model *model, tg_eval_kind kind, t5gist_condition asked, int k) {
  if (!model->conditions_known) return TG_EVAL_TRAINED_UNKNOWN;
  bool trained = model->trained[asked];
  if (kind == TG_EVAL_GIST && trained && model->gists.count > 0) {
    trained = false;
    for (int i = 0; i < model->gists.count; i++) trained |= model->gists.values[i] == k;
  }
  return trained ? TG_EVAL_TRAINED_YES : TG_EVAL_TRAINED_NO;
}

/* base: the set's own model, null where every row has one by model_of. */
static t5gist_status add_row(const tg_eval_config *config, const char *base, tg_eval_kind kind, int k, tg_eval_result *result, t5gist_error *err) {
  const char *dir = tg_eval_model_of(config, kind, k);
  tg_eval_row row = {.set = result->n_sets, .kind = kind, .k = k};
  if (k)
    snprintf(row.name, sizeof row.name, "%s-%d", tg_eval_kind_names[kind], k);
  else
    snprintf(row.name, sizeof row.name, "%s", tg_eval_kind_names[kind]);
  if (!dir) dir = base;
  if (!dir) return tg_fail(err, T5GIST_EUSAGE, "no model for %s: expected model, or %s=DIR in model_of, found neither", row.name, row.name);
  TG_TRY(find_model(result, dir, &row.model, err));
  row.asked = asked_as(&result->models[row.model], kind);
  row.trained = was_trained(&result->models[row.model], kind, row.asked, k);
  TG_TRY(tg_resize(&result->rows, result->n_rows, result->n_rows + 1, sizeof *result->rows, err));
  result->rows[result->n_rows++] = row;
  return T5GIST_OK;
}

/* What the gist row's model was trained with, where the configuration says nothing. */
static t5gist_status choose_gists(const tg_eval_config *config, const char *base, tg_eval_result *result, tg_numbers *gists, t5gist_error *err) {
  *gists = config->gists;
  if (gists->count > 0) return T5GIST_OK;
  const char *dir = tg_eval_model_of(config, TG_EVAL_GIST, 0);
  size_t at;
  if (!dir) dir = base;
  *gists = (tg_numbers){.values = {1}, .count = 1};
  if (!dir) return T5GIST_OK;
  TG_TRY(find_model(result, dir, &at, err));
  if (result->models[at].gists.count > 0)
    *gists = result->models[at].gists;
  else
    gists->values[0] = result->models[at].default_gists;
  return T5GIST_OK;
}

static t5gist_status add_set(const tg_eval_config *config, const char *base, tg_eval_result *result, t5gist_error *err) {
  tg_numbers gists;
  TG_TRY(choose_gists(config, base, result, &gists, err));
  const tg_numbers none = {.count = 1}, *words = config->words.count > 0 ? &config->words : &gists;
  for (int kind = 0; kind < TG_EVAL_N_KINDS; kind++) {
    const tg_numbers *ks = kind == TG_EVAL_GIST ? &gists : kind == TG_EVAL_WORDS ? words : &none;
    for (int i = 0; config->asked[kind] && i < ks->count; i++) TG_TRY(add_row(config, base, (tg_eval_kind)kind, ks->values[i], result, err));
  }
  result->n_sets++;
  return T5GIST_OK;
}

t5gist_status tg_eval_plan(const tg_eval_config *config, tg_eval_result *result, t5gist_error *err) {
  if (config->models.count == 0) return add_set(config, NULL, result, err);
  for (size_t i = 0; i < config->models.count; i++) TG_TRY(add_set(config, config->models.items[i], result, err));
  return T5GIST_OK;
}

const tg_eval_row *tg_eval_row_of(const tg_eval_result *result, size_t set, tg_eval_kind kind) {
  for (size_t i = 0; i < result->n_rows; i++)
    if (result->rows[i].set == set && result->rows[i].kind == kind) return &result->rows[i];
  return NULL;
}

/* ---------------------------------------------------------------------------------------------------------------------------- warnings */

static t5gist_status add_warning(tg_eval_result *result, t5gist_error *err, const char *format, ...) __attribute__((format(printf, 3, 4)));
static t5gist_status add_warning(tg_eval_result *result, t5gist_error *err, const char *format, ...) {
  static const tg_field field = {.name = "warning", .type = TG_FIELD_STRINGS};
  char text[1024];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  for (size_t i = 0; i < result->warnings.count; i++)
    if (!strcmp(result->warnings.items[i], text)) return T5GIST_OK;
  return tg_field_set_text(&field, &result->warnings, text, "warning", err);
}

static t5gist_status warn_controls(tg_eval_result *result, const tg_eval_row *row, t5gist_error *err) {
  const char *dir = result->models[row->model].dir;
  if (row->kind == TG_EVAL_NEG_CONTROL && row->trained == TG_EVAL_TRAINED_NO)
    return add_warning(result, err,
                       "neg_control was never trained in %s: a model that did not learn to do without the instruction answers worse than one that "
                       "did, so the floor is "
                       "too low and every recovered figure of this table flatters the gist. Train a neg_control checkpoint on the same data and name "
                       "it in model_of.",
                       dir);
  if (row->kind == TG_EVAL_NEG_CONTROL && row->trained == TG_EVAL_TRAINED_UNKNOWN)
    return add_warning(result, err,
                       "%s does not say which conditions it was trained for (\"conditions\" in config.json's \"t5gist\" block): if neg_control was "
                       "not one of them, every "
                       "recovered figure of this table flatters the gist.",
                       dir);
  if (row->kind == TG_EVAL_POS_CONTROL && row->trained == TG_EVAL_TRAINED_NO)
    return add_warning(result, err, "pos_control was never trained in %s: the ceiling may be too low, which also flatters the gist.", dir);
  return T5GIST_OK;
}

static t5gist_status warn_row(tg_eval_result *result, const tg_eval_row *row, t5gist_error *err) {
  const tg_eval_model *model = &result->models[row->model];
  TG_TRY(warn_controls(result, row, err));
  if ((row->kind == TG_EVAL_GIST || row->kind == TG_EVAL_PREFIX) && row->trained == TG_EVAL_TRAINED_NO)
    TG_TRY(
        add_warning(result, err, "%s was never trained in %s: its figures are those of a use that the model does not know.", row->name, model->dir));
  if (row->n_long > 0)
    TG_TRY(add_warning(result, err, "%zu of %zu instructions have more than %d tokens, the most that %s was trained on.", row->n_long, result->data.n,
                       model->max_task_tokens, model->dir));
  return T5GIST_OK;
}

/* Where the controls are as good as equal, a share of their distance says nothing. */
static t5gist_status warn_room(tg_eval_result *result, const tg_eval_row *row, t5gist_error *err) {
  static const tg_eval_metric metrics[] = {TG_EVAL_EXACT, TG_EVAL_ROUGE_L, TG_EVAL_LOGPROB};
  for (size_t s = 0; s < result->data.n_splits; s++)
    for (size_t m = 0; m < sizeof metrics / sizeof *metrics; m++)
      if (row->cells[s].has_room && !(row->cells[s].room[metrics[m]].low > 0))
        TG_TRY(add_warning(result, err, "%s: by %s pos_control is not clearly above neg_control: what is recovered of that distance says nothing.",
                           result->data.splits[s].name, tg_eval_metric_names[metrics[m]]));
  return T5GIST_OK;
}

t5gist_status tg_eval_warnings(tg_eval_result *result, t5gist_error *err) {
  for (size_t i = 0; i < result->n_rows && !result->from_answers; i++) TG_TRY(warn_row(result, &result->rows[i], err));
  for (size_t i = 0; i < result->n_rows; i++) TG_TRY(warn_room(result, &result->rows[i], err));
  if (result->data.skipped > 0)
    TG_TRY(add_warning(result, err, "%zu bad line%s of the data %s left out.", result->data.skipped, result->data.skipped == 1 ? "" : "s",
                       result->data.skipped == 1 ? "was" : "were"));
  return T5GIST_OK;
}
