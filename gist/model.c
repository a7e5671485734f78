#include "gist/model.h"

#include <stdio.h>
#include <string.h>

#include "runtime/cpu.h"
#include "runtime/error.h"
#include "t5gist/tools.h"
#include "t5/gist_ids.h"

enum { MAX_THREADS = 1024 };

const char *t5gist_version(void) {
  return T5GIST_VERSION;
}

void t5gist_free(void *memory) {
  tg_free(memory);
}

void t5gist_model_options_init(t5gist_model_options *options) {
  if (options) *options = (t5gist_model_options){.threads = T5GIST_UNSET, .dtype = T5GIST_UNSET, .wo_dtype = T5GIST_UNSET};
}

/* No text may produce a gist, an end or padding. */
static t5gist_status reserve_ids(tg_t5 *t5, t5gist_error *err) {
  const int32_t ends[] = {t5->config.pad_id, t5->config.eos_id};
  TG_TRY(tg_tokenizer_reserve(t5->tokenizer, ends, sizeof ends / sizeof *ends, err));
  return tg_tokenizer_reserve(t5->tokenizer, t5->config.gist_ids, (size_t)t5->config.n_gist_ids, err);
}

t5gist_status tg_choose_threads(int wanted, int *threads, t5gist_error *err) {
  *threads = wanted;
  if (*threads == T5GIST_UNSET) *threads = tg_cpu_threads() < MAX_THREADS ? tg_cpu_threads() : MAX_THREADS;
  if (*threads >= 1 && *threads <= MAX_THREADS) return T5GIST_OK;
  return tg_fail(err, T5GIST_EUSAGE, "threads: expected 1 to %d, found %d", MAX_THREADS, *threads);
}

t5gist_status tg_check_dtype(const char *name, int dtype, t5gist_error *err) {
  if (dtype == T5GIST_UNSET || (dtype >= T5GIST_DTYPE_F32 && dtype < T5GIST_DTYPE_AUTO)) return T5GIST_OK;
  return tg_fail(err, T5GIST_EUSAGE, "%s: expected a t5gist_dtype or T5GIST_UNSET, found %d", name, dtype);
}

int tg_precision_of(int dtype) {
  static const tg_precision precisions[] = {[T5GIST_DTYPE_F32] = TG_PRECISION_F32,
                                            [T5GIST_DTYPE_INT8] = TG_PRECISION_INT8,
                                            [T5GIST_DTYPE_INT8X16] = TG_PRECISION_INT8X16,
                                            [T5GIST_DTYPE_BF16] = TG_PRECISION_BF16,
                                            [T5GIST_DTYPE_INT4] = TG_PRECISION_INT4};
  return dtype == T5GIST_UNSET ? T5GIST_UNSET : (int)precisions[dtype];
}

/* Anyone can write another model's fingerprint into a folder; the folder's own tells the gists of the two apart. */
static void describe_computing(t5gist_model *model) {
  const bool converted = strcmp(model->t5->fingerprint, model->t5->own_fingerprint) != 0;
  snprintf(model->computed_in, sizeof model->computed_in, "%s%s%s", tg_model_dtype(model), converted ? " of " : "",
           converted ? model->t5->own_fingerprint : "");
}

t5gist_status t5gist_model_open(const char *dir, const t5gist_model_options *options, t5gist_model **model, t5gist_error *err) {
  return tg_model_open(dir, options, TG_ROUND_SEARCH, NULL, model, err);
}

t5gist_status tg_model_open(const char *dir, const t5gist_model_options *options, tg_rounding rounding, const tg_calibration *calibration,
                            t5gist_model **out, t5gist_error *err) {
  if (dir == NULL || out == NULL) return tg_fail(err, T5GIST_EUSAGE, "t5gist_model_open: dir and model must not be null");
  t5gist_model_options chosen;
  t5gist_model_options_init(&chosen);
  if (options) chosen = *options;
  int threads;
  tg_engine *engine;
  t5gist_model *model;
  TG_TRY(tg_choose_threads(chosen.threads, &threads, err));
  TG_TRY(tg_check_dtype("wo_dtype", chosen.wo_dtype, err));
  if (chosen.dtype == T5GIST_DTYPE_AUTO) {
    t5gist_choice choice;
    TG_TRY(t5gist_choose_dtype(dir, threads, chosen.wo_dtype, true, &choice, err));
    chosen.dtype = choice.dtype;
  }
  TG_TRY(tg_check_dtype("dtype", chosen.dtype, err));
  const tg_t5_options t5_options = {chosen.check_numerics, tg_precision_of(chosen.dtype), tg_precision_of(chosen.wo_dtype), rounding, calibration};
  TG_TRY(tg_alloc(&model, 1, sizeof *model, err));
  t5gist_status status;
  TG_GOTO(tg_engine_new(threads, &engine, err));
  TG_GOTO(tg_t5_open(dir, engine, &t5_options, &model->t5, err));
  TG_GOTO(tg_find_gist_ids(model->t5->tokenizer, &model->t5->config, err));
  TG_GOTO(reserve_ids(model->t5, err));
  describe_computing(model);
  *out = model;
  return T5GIST_OK;
done:
  t5gist_model_close(model);
  return status;
}

void t5gist_model_close(t5gist_model *model) {
  if (model == NULL) return;
  tg_t5_free(model->t5);
  tg_free(model);
}

const char *tg_model_dtype(const t5gist_model *model) {
  static const char *const names[5][5] = {{"f32", "f32, wo int8", "f32, wo int8x16", "f32, wo bf16", "f32, wo int4"},
                                          {"int8, wo f32", "int8, wo int8", "int8", "int8, wo bf16", "int8, wo int4"},
                                          {"int8x16, wo f32", "int8x16, wo int8", "int8x16", "int8x16, wo bf16", "int8x16, wo int4"},
                                          {"bf16, wo f32", "bf16, wo int8", "bf16, wo int8x16", "bf16", "bf16, wo int4"},
                                          {"int4, wo f32", "int4, wo int8", "int4", "int4, wo bf16", "int4, wo int4"}};
  return names[model->t5->precision][model->t5->wo_precision];
}

static const char *stored_dtype(tg_dtype dtype) {
  return dtype == TG_BF16 ? "bf16" : dtype == TG_F16 ? "f16" : "f32";
}

void t5gist_model_describe(const t5gist_model *model, t5gist_model_info *info) {
  if (info == NULL) return;
  *info = (t5gist_model_info){0};
  if (model == NULL) return;
  const tg_t5 *t5 = model->t5;
  const tg_config *c = &t5->config;
  *info = (t5gist_model_info){.dir = t5->dir,
                              .model_type = c->model_type,
                              .tokenizer = tg_tokenizer_path(t5->tokenizer),
                              .stored = stored_dtype(t5->embedding_dtype),
                              .dtype = tg_model_dtype(model),
                              .fingerprint = t5->fingerprint,
                              .vocab_size = c->vocab_size,
                              .d_model = c->d_model,
                              .d_kv = c->d_kv,
                              .d_ff = c->d_ff,
                              .n_heads = c->n_heads,
                              .n_layers = c->n_layers,
                              .n_decoder_layers = c->n_decoder_layers,
                              .threads = tg_engine_threads(t5->engine),
                              .n_parameters = t5->n_parameters,
                              .weight_bytes = t5->weight_bytes,
                              .gist_ids = c->gist_ids,
                              .n_gist_ids = c->n_gist_ids,
                              .default_gists = c->default_gists,
                              .max_task_tokens = c->max_task_tokens,
                              .template_task = c->template_task,
                              .template_input = c->template_input};
}
