#include "gist/rounding.h"

#include <string.h>

#include "gist/model.h"
#include "gist/quality.h"
#include "gist/texts.h"
#include "runtime/error.h"
#include "t5/convert.h"

enum { CALIBRATION_ROWS = 1024, SAMPLES = 4 };

/* What is tried, and the best of it. */
typedef struct search {
  const t5gist_conversion *how;
  const char *source; /* that opens */
  int threads;
  tg_texts texts, calibrating;
  tg_outcome exact;           /* f32's answers to texts */
  tg_calibration *calibration;
  bool found;
  tg_rounding rounding;
  tg_precision wo;
  t5gist_drift drift;
} search;

static void search_clear(search *s) {
  tg_texts_free(&s->texts);
  tg_texts_free(&s->calibrating);
  tg_outcome_clear(&s->exact);
  tg_calibration_free(s->calibration);
}

/* f32's answers, and what the layers see on the way to others. */
static t5gist_status run_f32(search *s, t5gist_error *err) {
  t5gist_model *model = NULL;
  t5gist_model_options options;
  t5gist_model_options_init(&options);
  options.threads = s->threads;
  options.dtype = T5GIST_DTYPE_F32;
  t5gist_status status;
  TG_GOTO(t5gist_model_open(s->source, &options, &model, err));
  TG_GOTO(tg_outcome_get(model, &s->texts, &s->exact, err));
  TG_GOTO(tg_calibration_new(&model->t5->config, CALIBRATION_ROWS, &s->calibration, err));
  model->t5->calibration = s->calibration;
  TG_GOTO(tg_texts_exercise(model, &s->calibrating, SAMPLES, err));
done:
  t5gist_model_close(model);
  return status;
}

static int dtype_of(tg_precision precision) {
  int dtype = T5GIST_DTYPE_F32;
  while (tg_precision_of(dtype) != (int)precision) dtype++;
  return dtype;
}

static void take(search *s, tg_rounding rounding, tg_precision wo, const t5gist_drift *drift) {
  s->found = true;
  s->rounding = rounding;
  s->wo = wo;
  s->drift = *drift;
}

/* Answers of the source with this rounding. */
static t5gist_status try_one(const search *s, tg_rounding rounding, tg_precision wo, t5gist_drift *drift, t5gist_error *err) {
  t5gist_model *model = NULL;
  tg_outcome rough = {0};
  t5gist_model_options options;
  t5gist_model_options_init(&options);
  options.threads = s->threads;
  options.dtype = T5GIST_DTYPE_INT4;
  options.wo_dtype = dtype_of(wo);
  t5gist_status status;
  TG_GOTO(tg_model_open(s->source, &options, rounding, s->calibration, &model, err));
  TG_GOTO(tg_outcome_get(model, &s->texts, &rough, err));
  *drift = tg_outcome_compare(&s->exact, &rough);
  if (s->how->on_trial) s->how->on_trial(s->how->user, tg_rounding_name(rounding), tg_precision_name(wo), drift);
done:
  t5gist_model_close(model);
  tg_outcome_clear(&rough);
  return status;
}

/* Every rounding, or the one asked for, the best being taken; then, unless wo's format was asked for too, wo in 4 bits, which is taken if the answers
 * still pass the gate. */
static t5gist_status try_all(search *s, int only, int wo, t5gist_error *err) {
  TG_TRY(tg_texts_get(s->how->texts, false, &s->texts, err));
  TG_TRY(tg_texts_get(s->how->calibration, true, &s->calibrating, err));
  TG_TRY(run_f32(s, err));
  t5gist_drift drift;
  for (int i = 0; i < TG_N_ROUNDINGS; i++) {
    if (only >= 0 && only != i) continue;
    TG_TRY(try_one(s, (tg_rounding)i, s->wo, &drift, err));
    if (!s->found || drift.logprob < s->drift.logprob) take(s, (tg_rounding)i, s->wo, &drift);
  }
  if (wo >= 0) return T5GIST_OK;
  TG_TRY(try_one(s, s->rounding, TG_PRECISION_INT4, &drift, err));
  if (t5gist_drift_allowed(&drift)) take(s, s->rounding, TG_PRECISION_INT4, &drift);
  return T5GIST_OK;
}

static t5gist_status read_names(const t5gist_conversion *how, int *rounding, int *wo, t5gist_error *err) {
  *rounding = how->rounding ? tg_rounding_from_name(how->rounding) : -1;
  *wo = how->wo_dtype ? tg_precision_from_name(how->wo_dtype) : -1;
  if (how->rounding && *rounding < 0)
    return tg_fail(err, T5GIST_EUSAGE, "rounding: expected \"nearest\", \"search\" or \"calibrated\", found \"%.32s\"", how->rounding);
  if (how->wo_dtype && *wo < 0)
    return tg_fail(err, T5GIST_EUSAGE, "wo_dtype: expected \"f32\", \"bf16\", \"int8\", \"int8x16\" or \"int4\", found \"%.32s\"", how->wo_dtype);
  return T5GIST_OK;
}

/* What cannot be measured is no failure but where it was asked for. */
static t5gist_status choose(search *s, const char *in_dir, const char *out_dir, t5gist_error *err) {
  int rounding, wo;
  char *rewritten = NULL;
  t5gist_error problem = {0};
  TG_TRY(read_names(s->how, &rounding, &wo, err));
  s->rounding = rounding < 0 ? TG_ROUND_SEARCH : (tg_rounding)rounding;
  s->wo = wo < 0 ? TG_PRECISION_INT8X16 : (tg_precision)wo;
  if (rounding >= 0 && rounding != TG_ROUND_CALIBRATED && wo >= 0) return T5GIST_OK; /* nothing is left to choose */
  t5gist_status status = tg_readable_source(in_dir, out_dir, &rewritten, &problem);
  s->source = rewritten ? rewritten : in_dir;
  if (status == T5GIST_OK) status = tg_check_f32_memory(s->source, &problem);
  if (status == T5GIST_OK) status = try_all(s, rounding, wo, &problem);
  tg_drop_source(rewritten);
  if (status == T5GIST_OK || (status == T5GIST_EUNSUPPORTED && rounding != TG_ROUND_CALIBRATED)) return T5GIST_OK;
  return tg_fail(err, status, "%s", problem.message);
}

t5gist_status tg_convert_int4(const char *in_dir, const char *out_dir, const t5gist_conversion *how, t5gist_error *err) {
  search s = {.how = how};
  t5gist_status status;
  TG_GOTO(tg_choose_threads(how->threads, &s.threads, err));
  TG_GOTO(choose(&s, in_dir, out_dir, err));
  const tg_conversion conversion = {.dtype = "int4",
                                    .wo_dtype = tg_precision_name(s.wo),
                                    .rounding = s.rounding,
                                    .calibration = s.calibration,
                                    .threads = s.threads,
                                    .progress = how->progress,
                                    .user = how->user};
  TG_GOTO(tg_convert(in_dir, out_dir, &conversion, err));
done:
  search_clear(&s);
  return status;
}
