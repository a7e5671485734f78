/* A whole run: examples, rows, and one checkpoint after the other, each opened once for all its rows. */
#include <stdio.h>
#include <string.h>

#include "evaluation/evaluation.h"
#include "runtime/error.h"

static void describe(tg_eval_model *model, const t5gist_model *opened, int *threads) {
  t5gist_model_info info;
  t5gist_model_describe(opened, &info);
  snprintf(model->fingerprint, sizeof model->fingerprint, "%s", info.fingerprint);
  snprintf(model->dtype, sizeof model->dtype, "%s", info.dtype);
  model->n_parameters = info.n_parameters;
  *threads = info.threads;
}

static t5gist_status ask_model(const tg_eval_config *config, size_t at, const tg_eval_progress *progress, tg_eval_result *result, t5gist_error *err) {
  tg_eval_model *model = &result->models[at];
  t5gist_model_options options;
  t5gist_model *opened = NULL;
  t5gist_session *session = NULL;
  t5gist_status status = T5GIST_OK;
  t5gist_model_options_init(&options);
  options.threads = config->threads;
  options.dtype = config->dtype;
  TG_GOTO(t5gist_model_open(model->dir, &options, &opened, err));
  describe(model, opened, &result->threads);
  TG_GOTO(t5gist_session_new(opened, &session, err));
  for (size_t i = 0; i < result->n_rows; i++)
    if (result->rows[i].model == at) TG_GOTO(tg_eval_ask(config, &result->data, model, session, progress, &result->rows[i], err));
done:
  t5gist_session_free(session);
  t5gist_model_close(opened);
  return status;
}

static bool is_used(const tg_eval_result *result, size_t model) {
  for (size_t i = 0; i < result->n_rows; i++)
    if (result->rows[i].model == model) return true;
  return false;
}

t5gist_status tg_eval_run(const tg_eval_config *config, const char *command, const tg_eval_progress *progress, tg_eval_result *result,
                          t5gist_error *err) {
  *result = (tg_eval_result){0};
  snprintf(result->command, sizeof result->command, "%s", command);
  t5gist_machine_describe(&result->machine);
  TG_TRY(tg_eval_data_read(config, progress, &result->data, err));
  TG_TRY(tg_eval_plan(config, result, err));
  for (size_t i = 0; i < result->n_models; i++)
    if (is_used(result, i)) TG_TRY(ask_model(config, i, progress, result, err));
  progress->step(progress->user, "intervals", 0, 0);
  TG_TRY(tg_eval_summarise(config, result, err));
  TG_TRY(tg_eval_warnings(result, err));
  for (size_t i = 0; i < result->warnings.count; i++) progress->warn(progress->user, result->warnings.items[i]);
  return T5GIST_OK;
}

static void row_free(const tg_eval_data *data, tg_eval_row *row) {
  for (size_t i = 0; row->answers && i < data->n; i++) tg_free(row->answers[i]);
  for (int m = 0; m < TG_EVAL_N_METRICS; m++) tg_free(row->scores[m]);
  tg_free(row->answers);
  tg_free(row->tokens);
  tg_free(row->cells);
  tg_free(row->families);
}

void tg_eval_result_free(tg_eval_result *result) {
  for (size_t i = 0; i < result->n_rows; i++) row_free(&result->data, &result->rows[i]);
  for (size_t i = 0; i < result->n_models; i++) tg_free(result->models[i].dir);
  tg_free(result->rows);
  tg_free(result->models);
  tg_strings_clear(&result->warnings);
  tg_eval_data_free(&result->data);
}
