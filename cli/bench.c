/* t5gist bench: measures a configuration and writes what it found. */
#include "bench/bench.h"
#include "cli/cli.h"

static void show_progress(void *user, const char *what) {
  tg_cli_note(user, "bench: %s", what);
}

/* What the command line says about model, number format and threads goes before the configuration. */
static t5gist_status override(const tg_settings *s, tg_bench_config *config, t5gist_error *err) {
  static const char *const names[] = {[TG_DTYPE_AUTO] = "auto", [TG_DTYPE_F32] = "f32", [TG_DTYPE_BF16] = "bf16", [TG_DTYPE_INT8] = "int8",
                                      [TG_DTYPE_INT4] = "int4"};
  if (s->threads != T5GIST_UNSET) config->threads = s->threads;
  if (s->dtype != T5GIST_UNSET) TG_TRY(tg_bench_config_dtype(config, names[s->dtype], err));
  if (!s->model) return T5GIST_OK;
  tg_free(config->model);
  tg_free(config->synthetic);
  config->synthetic = NULL;
  config->model = NULL;
  return tg_strdup(&config->model, s->model, err);
}

static t5gist_status print_report(const tg_bench_config *config, const tg_bench_result *result, t5gist_error *err) {
  tg_buffer text = {0};
  t5gist_status status = tg_bench_markdown(config, result, false, &text, err);
  if (status == T5GIST_OK) status = tg_out_write(text.data, text.size, err);
  tg_buffer_free(&text);
  return status;
}

t5gist_status tg_command_bench(tg_context *context, t5gist_error *err) {
  tg_bench_config config = {0};
  tg_bench_result result = {0};
  tg_buffer call = {0};
  t5gist_status status = tg_bench_config_load(context->arguments[0], &config, err);
  if (status == T5GIST_OK) status = override(&context->settings, &config, err);
  if (status == T5GIST_OK) status = tg_options_call(context, &call, err);
  if (status == T5GIST_OK) status = tg_bench_run(&config, call.data, show_progress, context, &result, err);
  if (status == T5GIST_OK && context->settings.output) status = tg_bench_write(&config, &result, context->settings.output, err);
  if (status == T5GIST_OK) status = print_report(&config, &result, err);
  tg_bench_result_free(&result);
  tg_bench_config_free(&config);
  tg_buffer_free(&call);
  return status;
}
