/* t5gist eval: what compression costs, as one table. */
#include <unistd.h>

#include "cli/cli.h"
#include "evaluation/evaluation.h"

typedef struct terminal {
  tg_context *context;
  bool shown;
  double last;
} terminal;

static void clear(terminal *t) {
  if (t->shown) fputs("\r\033[K", stderr);
  t->shown = false;
}

static void show_step(void *user, const char *what, size_t done, size_t total) {
  terminal *t = user;
  const double now = tg_now();
  if (t->context->settings.quiet || !isatty(STDERR_FILENO) || now - t->last < 0.2) return;
  t->last = now;
  t->shown = true;
  if (total)
    fprintf(stderr, "\r%s: %zu of %zu\033[K", what, done, total);
  else
    fprintf(stderr, "\r%s\033[K", what);
}

static void show_warning(void *user, const char *sentence) {
  terminal *t = user;
  clear(t);
  tg_cli_note(t->context, "warning: %s", sentence);
}

static t5gist_status override_data(const tg_context *context, tg_eval_config *config, t5gist_error *err) {
  static const tg_field field = {.name = "data", .type = TG_FIELD_STRINGS};
  const tg_strings *files = &context->settings.data;
  if (files->count > 0) tg_strings_clear(&config->data);
  for (size_t i = 0; i < files->count; i++) TG_TRY(tg_field_set_text(&field, &config->data, files->items[i], "--data", err));
  return T5GIST_OK;
}

/* What the command line says goes before the configuration. */
static t5gist_status override(const tg_context *context, tg_eval_config *config, t5gist_error *err) {
  const tg_settings *s = &context->settings;
  if (s->dtype == TG_DTYPE_AUTO) config->dtype = T5GIST_DTYPE_AUTO;
  if (s->dtype == TG_DTYPE_F32) config->dtype = T5GIST_DTYPE_F32;
  if (s->dtype == TG_DTYPE_BF16) config->dtype = T5GIST_DTYPE_BF16;
  if (s->dtype == TG_DTYPE_INT8) config->dtype = T5GIST_DTYPE_INT8;
  if (s->dtype == TG_DTYPE_INT4) config->dtype = T5GIST_DTYPE_INT4;
  if (s->threads != T5GIST_UNSET) config->threads = s->threads;
  if (s->limit != T5GIST_UNSET) config->limit = s->limit;
  if (s->max_new_tokens != T5GIST_UNSET) config->max_new_tokens = s->max_new_tokens;
  if (s->gists != T5GIST_UNSET) tg_eval_config_gists(config, s->gists);
  if (tg_options_given(context, "seed")) config->seed = s->seed;
  TG_TRY(override_data(context, config, err));
  return s->model ? tg_eval_config_model(config, s->model, err) : T5GIST_OK;
}

static t5gist_status default_model(const tg_context *context, tg_eval_config *config, t5gist_error *err) {
  char *dir = NULL;
  if (!tg_eval_needs_model(config)) return T5GIST_OK;
  TG_TRY(tg_cli_model_dir(context, &dir, err));
  const t5gist_status status = tg_eval_config_base(config, dir, err);
  tg_free(dir);
  return status;
}

static t5gist_status print_report(const tg_context *context, const tg_eval_config *config, const tg_eval_result *result, t5gist_error *err) {
  tg_buffer text = {0};
  if (context->settings.json) return tg_out_json(tg_eval_json(config, result), err);
  t5gist_status status = tg_eval_markdown(config, result, false, &text, err);
  if (status == T5GIST_OK) status = tg_out_write(text.data, text.size, err);
  tg_buffer_free(&text);
  return status;
}

/* The one stable line. */
static void summary(const tg_context *context, const tg_eval_result *r, double seconds) {
  size_t tokens = 0, examples = 0;
  for (size_t i = 0; i < r->n_rows; i++) tokens += r->rows[i].n_answered;
  for (size_t i = 0; i < r->data.n_splits; i++) examples += r->data.splits[i].n;
  tg_cli_note(context, "%zu example%s in %zu split%s, %zu condition%s, %zu tokens in %.3f s", examples, examples == 1 ? "" : "s", r->data.n_splits,
              r->data.n_splits == 1 ? "" : "s", r->n_rows, r->n_rows == 1 ? "" : "s", tokens, seconds);
}

static t5gist_status run(tg_context *context, const tg_eval_config *config, const char *call, tg_eval_result *result, t5gist_error *err) {
  const tg_settings *s = &context->settings;
  terminal t = {.context = context};
  const tg_eval_progress progress = {show_step, show_warning, &t};
  t5gist_status status =
      s->answers ? tg_eval_run_answers(config, s->answers, call, &progress, result, err) : tg_eval_run(config, call, &progress, result, err);
  clear(&t);
  if (status == T5GIST_OK && s->output) status = tg_eval_write(config, result, s->output, err);
  if (status == T5GIST_OK) status = print_report(context, config, result, err);
  return status;
}

static t5gist_status check(const tg_context *context, t5gist_error *err) {
  const tg_settings *s = &context->settings;
  if (s->answers && s->data.count > 0)
    return tg_fail(err, T5GIST_EUSAGE, "--answers and --data exclude each other: answers carry their references; expected one of them");
  if (!s->answers && s->data.count == 0 && context->n_arguments == 0)
    return tg_fail(err, T5GIST_EUSAGE, "nothing to evaluate; expected a configuration, --data or --answers");
  return T5GIST_OK;
}

t5gist_status tg_command_eval(tg_context *context, t5gist_error *err) {
  tg_eval_config config = {0};
  tg_eval_result result = {0};
  tg_buffer call = {0};
  const double start = tg_now();
  TG_TRY(check(context, err));
  t5gist_status status = tg_eval_config_load(context->n_arguments ? context->arguments[0] : NULL, &config, err);
  if (status == T5GIST_OK) status = override(context, &config, err);
  if (status == T5GIST_OK && !context->settings.answers) status = default_model(context, &config, err);
  if (status == T5GIST_OK) status = tg_options_call(context, &call, err);
  if (status == T5GIST_OK) status = run(context, &config, call.data, &result, err);
  if (status == T5GIST_OK) summary(context, &result, tg_now() - start);
  tg_eval_result_free(&result);
  tg_eval_config_free(&config);
  tg_buffer_free(&call);
  return status;
}
