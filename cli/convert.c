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
  const double now = tg_now();
  c->total = total;
  c->tensors++;
  if (c->context->settings.quiet || !isatty(STDERR_FILENO) || (now - c->last < 0.1 && done < total)) return;
  c->last = now;
  if (done >= total)
    fputs("\r\033[K", stderr);
  else
    fprintf(stderr, "\r%3d %% %s\033[K", total ? (int)((double)done * 100 / (double)total) : 100, what);
}

static void on_trial(void *user, const char *rounding, const char *wo_dtype, const t5gist_drift *drift) {
  const tg_conversion *c = user;
  tg_cli_note(c->context, "int4, rounding %s, wo in %s: log-probabilities move by %.4f per token, %.0f %% of the greedy tokens agree", rounding,
              wo_dtype, drift->logprob, 100 * drift->agreement);
}

/* The quality gate. A source that cannot be computed here does not make the conversion fail; a drift over the limits does, for nobody should go on
 * with such a folder unawares: it stays where it was written. */
static t5gist_status check_drift(const tg_context *context, const char *name, int dtype, t5gist_error *err) {
  const tg_settings *s = &context->settings;
  const char *out = context->arguments[1];
  t5gist_drift drift;
  t5gist_error problem = {0};
  const t5gist_status status = t5gist_measure_drift(context->arguments[0], out, dtype, s->texts, s->threads, &drift, &problem);
  if (status == T5GIST_EUNSUPPORTED) {
    tg_cli_note(context, "%s against f32: not measured: %s", name, problem.message);
    return T5GIST_OK;
  }
  if (status != T5GIST_OK) return tg_fail(err, status, "%s", problem.message);
  tg_cli_note(context, "%s against f32 on %s: log-probabilities move by %.4f per token, %.0f %% of the greedy tokens agree", name,
              s->texts ? s->texts : "built-in texts", drift.logprob, 100 * drift.agreement);
  if (s->texts)
    tg_cli_note(context, "exact match with the outputs of %s: %s %.1f %%, f32 %.1f %%", s->texts, name, 100 * drift.exact, 100 * drift.exact_f32);
  if (t5gist_drift_allowed(&drift)) return T5GIST_OK;
  if (s->accept_drift) {
    tg_cli_note(context, "warning: %s is over the limits (%.2f, %.0f %%)", name, T5GIST_DRIFT_LOGPROB, 100 * T5GIST_DRIFT_AGREEMENT);
    return T5GIST_OK;
  }
  return tg_fail(err, T5GIST_EFORMAT,
                 "%s answers differ too much from f32's: expected log-probabilities to move by at most %.2f per token and at least %.0f %% of the "
                 "tokens to agree, found %.4f and %.0f %%. %s was written and is whole, but --dtype auto will not choose %s for it. Try --wo-dtype "
                 "f32, --dtype bf16, or --accept-drift to take it as it is",
                 name, T5GIST_DRIFT_LOGPROB, 100 * T5GIST_DRIFT_AGREEMENT, drift.logprob, 100 * drift.agreement, out, name);
}

t5gist_status tg_command_convert(tg_context *context, t5gist_error *err) {
  static const char *const names[] = {[TG_DTYPE_F32] = "f32", [TG_DTYPE_BF16] = "bf16", [TG_DTYPE_INT8] = "int8", [TG_DTYPE_INT4] = "int4"};
  static const char *const wo_names[] = {[TG_WO_DTYPE_F32] = "f32",
                                         [TG_WO_DTYPE_BF16] = "bf16",
                                         [TG_WO_DTYPE_INT8] = "int8",
                                         [TG_WO_DTYPE_INT8X16] = "int8x16",
                                         [TG_WO_DTYPE_INT4] = "int4"};
  static const char *const roundings[] = {
      [TG_ROUNDING_NEAREST] = "nearest", [TG_ROUNDING_SEARCH] = "search", [TG_ROUNDING_CALIBRATED] = "calibrated"};
  const tg_settings *s = &context->settings;
  if (s->dtype == TG_DTYPE_AUTO) return tg_fail(err, T5GIST_EUSAGE, "--dtype auto: expected f32, bf16, int8 or int4 of a folder that is written");
  if ((s->rounding != TG_ROUNDING_AUTO || s->calibration) && s->dtype != TG_DTYPE_INT4)
    return tg_fail(err, T5GIST_EUSAGE, "%s: expected only with --dtype int4", s->calibration ? "--calibration" : "--rounding");
  tg_conversion conversion = {.context = context};
  const double start = tg_now();
  const t5gist_conversion how = {.dtype = s->dtype == T5GIST_UNSET ? NULL : names[s->dtype],
                                 .wo_dtype = wo_names[s->wo_dtype],
                                 .rounding = roundings[s->rounding],
                                 .texts = s->texts,
                                 .calibration = s->calibration,
                                 .threads = s->threads,
                                 .progress = on_progress,
                                 .on_trial = on_trial,
                                 .user = &conversion};
  TG_TRY(t5gist_convert(context->arguments[0], context->arguments[1], &how, err));
  tg_cli_note(context, "wrote %s: %llu tensors, %llu bytes, in %.2f s", context->arguments[1], (unsigned long long)conversion.tensors,
              (unsigned long long)conversion.total, tg_now() - start);
  if (s->dtype == TG_DTYPE_INT8) return check_drift(context, "int8", T5GIST_DTYPE_INT8, err);
  if (s->dtype == TG_DTYPE_INT4) return check_drift(context, "int4", T5GIST_DTYPE_INT4, err);
  return s->dtype == TG_DTYPE_BF16 ? check_drift(context, "bf16", T5GIST_DTYPE_BF16, err) : T5GIST_OK;
}
