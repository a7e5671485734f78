/* t5gist convert: a Hugging Face folder becomes one safetensors folder. */
#include <unistd.h>

#include "cli/cli.h"

typedef struct tg_conversion {
  tg_context *context;
  uint64_t total, tensors;
  double last;
} tg_conversion;

/* Called per tensor; draws on a terminal only. */
static void on_progress(void *user, const char *what, uint64_t done, uint64_t total) {
  tg_conversion *c = user;
  const double now = tg_cli_now();
  c->total = total;
  c->tensors++;
  if (c->context->settings.quiet || !isatty(STDERR_FILENO) || (now - c->last < 0.1 && done < total)) return;
  c->last = now;
  if (done >= total)
    fputs("\r\033[K", stderr);
  else
    fprintf(stderr, "\r%3d %% %s\033[K", total ? (int)((double)done * 100 / (double)total) : 100, what);
}

/* A source that cannot be computed here does not make the conversion fail. */
static t5gist_status note_drift(tg_context *context, t5gist_error *err) {
  t5gist_drift drift;
  t5gist_error problem = {0};
  const t5gist_status status = t5gist_measure_drift(context->arguments[0], context->arguments[1], context->settings.threads, &drift, &problem);
  if (status == T5GIST_OK)
    tg_cli_note(context, "int8 against f32 on built-in texts: log-probabilities move by %.4f per token, %.0f %% of the greedy tokens agree",
                drift.logprob, 100 * drift.agreement);
  else if (status == T5GIST_EUNSUPPORTED)
    tg_cli_note(context, "int8 against f32: not measured: %s", problem.message);
  else
    return tg_fail(err, status, "%s", problem.message);
  return T5GIST_OK;
}

t5gist_status tg_command_convert(tg_context *context, t5gist_error *err) {
  static const char *const names[] = {[TG_DTYPE_F32] = "f32", [TG_DTYPE_BF16] = "bf16", [TG_DTYPE_INT8] = "int8"};
  static const char *const wo_names[] = {
      [TG_WO_DTYPE_F32] = "f32", [TG_WO_DTYPE_BF16] = "bf16", [TG_WO_DTYPE_INT8] = "int8", [TG_WO_DTYPE_INT8X16] = "int8x16"};
  const tg_settings *s = &context->settings;
  if (s->dtype == TG_DTYPE_AUTO) return tg_fail(err, T5GIST_EUSAGE, "--dtype auto: expected f32, bf16 or int8 of a folder that is written");
  tg_conversion conversion = {.context = context};
  const double start = tg_cli_now();
  TG_TRY(t5gist_convert(context->arguments[0], context->arguments[1], s->dtype == T5GIST_UNSET ? NULL : names[s->dtype], wo_names[s->wo_dtype],
                        on_progress, &conversion, err));
  tg_cli_note(context, "wrote %s: %llu tensors, %llu bytes, in %.2f s", context->arguments[1], (unsigned long long)conversion.tensors,
              (unsigned long long)conversion.total, tg_cli_now() - start);
  return context->settings.dtype == TG_DTYPE_INT8 ? note_drift(context, err) : T5GIST_OK;
}
