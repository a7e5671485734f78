/* A whole run: for every number format a model, its limits, its points, its quality. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "bench/bench.h"
#include "runtime/clock.h"
#include "runtime/error.h"
#include "runtime/file.h"

enum { SEED = 7 };

/* A folder with the tokenizer that synthetic models get: the prompts' language is the published one's. */
static t5gist_status find_tokenizer(char **dir, t5gist_error *err) {
  static const char *const places[] = {"tests/data/flan-t5", "models/mini"};
  char *path = NULL;
  for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
    TG_TRY(tg_path_join(&path, places[i], "spiece.model", err));
    const bool there = tg_file_exists(path);
    tg_free(path);
    if (there) return tg_strdup(dir, places[i], err);
  }
  return tg_fail(err, T5GIST_EIO,
                 "synthetic: expected the tokenizer tests/data/flan-t5/spiece.model below the current folder, found none: run this in the "
                 "project's root");
}

/* "int8" or "int4" where nothing else is measured, else "f32". */
static const char *written_dtype(const tg_bench_config *config) {
  const tg_strings *dtypes = &config->dtypes;
  const char *only = dtypes->items[0];
  for (size_t i = 1; i < dtypes->count; i++)
    if (strcmp(dtypes->items[i], only) != 0) return "f32";
  return strcmp(only, "int8") == 0 || strcmp(only, "int4") == 0 ? only : "f32";
}

/* The model's folder; a synthetic one is written if it is not there yet, in int8 or int4 straight away where nothing else is measured. */
static t5gist_status model_dir(const tg_bench_config *config, tg_bench_progress *progress, void *user, char **dir, t5gist_error *err) {
  if (config->model) return tg_strdup(dir, config->model, err);
  char *config_path = NULL, *tokenizer = NULL, name[64];
  const char *written = written_dtype(config);
  const bool f32 = strcmp(written, "f32") == 0;
  t5gist_status status = T5GIST_OK;
  snprintf(name, sizeof name, "%s%s%s", config->synthetic, f32 ? "" : "-", f32 ? "" : written);
  TG_GOTO(tg_path_join(dir, config->cache, name, err));
  TG_GOTO(tg_path_join(&config_path, *dir, "config.json", err));
  if (!tg_file_exists(config_path)) {
    char text[512];
    snprintf(text, sizeof text, "writing %s with random weights", *dir);
    progress(user, text);
    TG_GOTO(find_tokenizer(&tokenizer, err));
    TG_GOTO(t5gist_make_model(*dir, config->synthetic, "flan", written, SEED, T5GIST_UNSET, tokenizer, err));
  }
done:
  tg_free(tokenizer);
  tg_free(config_path);
  return status;
}

static t5gist_status open_model(const tg_bench_config *config, const char *dir, const char *dtype, tg_format_result *format, t5gist_model **model,
                                t5gist_error *err) {
  t5gist_model_options options;
  t5gist_model_info info;
  t5gist_model_options_init(&options);
  options.threads = config->threads;
  if (strcmp(dtype, "f32") == 0) options.dtype = T5GIST_DTYPE_F32;
  if (strcmp(dtype, "auto") == 0) options.dtype = T5GIST_DTYPE_AUTO;
  if (strcmp(dtype, "bf16") == 0) options.dtype = T5GIST_DTYPE_BF16;
  if (strcmp(dtype, "int8") == 0) options.dtype = T5GIST_DTYPE_INT8;
  if (strcmp(dtype, "int4") == 0) options.dtype = T5GIST_DTYPE_INT4;
  TG_TRY(t5gist_model_open(dir, &options, model, err)); /* the first opening of a folder computes its fingerprint */
  t5gist_model_close(*model);
  const double begin = tg_now_ms();
  TG_TRY(t5gist_model_open(dir, &options, model, err));
  t5gist_model_describe(*model, &info);
  const bool bytes = strncmp(info.dtype, "int8", 4) == 0 || strncmp(info.dtype, "int4", 4) == 0; /* 4 bits are multiplied as 8 */
  *format = (tg_format_result){.rate = bytes                                 ? TG_RATE_INT8
                                       : strncmp(info.dtype, "bf16", 4) == 0 ? TG_RATE_BF16
                                                                             : TG_RATE_F32,
                               .weight_bytes = info.weight_bytes,
                               .n_parameters = info.n_parameters,
                               .load_ms = tg_now_ms() - begin,
                               .d_model = info.d_model,
                               .d_ff = info.d_ff,
                               .n_heads = info.n_heads,
                               .d_kv = info.d_kv,
                               .n_layers = info.n_layers,
                               .n_decoder_layers = info.n_decoder_layers};
  snprintf(format->dtype, sizeof format->dtype, "%s", info.dtype);
  return T5GIST_OK;
}

static t5gist_status measure_limits(const t5gist_model *model, tg_limits *limits, tg_format_result *format, t5gist_error *err) {
  t5gist_model_info info;
  t5gist_model_describe(model, &info);
  TG_TRY(tg_limits_weights(info.threads, &format->weights_read, err));
  TG_TRY(tg_limits_bandwidth(info.threads, limits, err));
  return tg_limits_rates(&info, limits, err);
}

static t5gist_status measure_points(const tg_bench_config *config, const t5gist_model *model, const char *scratch, tg_bench_progress *progress,
                                    void *user, tg_format_result *format, t5gist_error *err) {
  const tg_numbers *batch = &config->batch, *task = &config->task_tokens, *gists = &config->gists;
  TG_TRY(tg_alloc(&format->points, (size_t)(batch->count * task->count * gists->count), sizeof *format->points, err));
  for (int b = 0; b < batch->count; b++)
    for (int t = 0; t < task->count; t++)
      for (int g = 0; g < gists->count; g++) {
        const tg_point point = {.batch = batch->values[b], .task_tokens = task->values[t], .gists = gists->values[g]};
        char text[160];
        snprintf(text, sizeof text, "%s, batch %d, task of %d tokens, %d gist tokens", format->dtype, point.batch, point.task_tokens, point.gists);
        progress(user, text);
        TG_TRY(tg_bench_measure(config, model, point, scratch, &format->points[format->n_points++], err));
      }
  return T5GIST_OK;
}

static t5gist_status run_format(const tg_bench_config *config, const char *dir, const char *dtype, const char *scratch, tg_bench_progress *progress,
                                void *user, tg_bench_result *result, t5gist_error *err) {
  t5gist_model *model = NULL;
  tg_format_result *format = &result->formats[result->n_formats];
  TG_TRY(open_model(config, dir, dtype, format, &model, err));
  result->n_formats++;
  progress(user, "limits of the machine");
  t5gist_status status = measure_limits(model, &result->limits, format, err);
  if (status == T5GIST_OK) status = measure_points(config, model, scratch, progress, user, format, err);
  if (status == T5GIST_OK && config->quality_tokens) {
    progress(user, "quality");
    format->has_quality = true;
    status = tg_bench_quality(config, model, format->quality, err);
  }
  if (status == T5GIST_OK) {
    progress(user, "limits of the machine again");
    status = measure_limits(model, &result->limits, format, err);
  }
  t5gist_model_close(model);
  return status;
}

static void describe(const tg_bench_config *config, const char *command, tg_bench_result *result) {
  const time_t now = time(NULL);
  struct tm utc;
  gmtime_r(&now, &utc);
  strftime(result->date, sizeof result->date, "%Y-%m-%d %H:%M UTC", &utc);
  snprintf(result->command, sizeof result->command, "%s", command);
  if (config->model)
    snprintf(result->model, sizeof result->model, "%s", config->model);
  else
    snprintf(result->model, sizeof result->model, "FLAN-T5-%s shape, random weights", config->synthetic);
  t5gist_machine_describe(&result->machine);
  result->threads = config->threads == T5GIST_UNSET ? result->machine.threads : config->threads;
}

t5gist_status tg_bench_run(const tg_bench_config *config, const char *command, tg_bench_progress *progress, void *user, tg_bench_result *result,
                           t5gist_error *err) {
  const char *tmp = getenv("TMPDIR");
  char scratch[512], *dir = NULL;
  t5gist_status status = T5GIST_OK;
  const double begin = tg_now_ms();
  *result = (tg_bench_result){0};
  describe(config, command, result);
  snprintf(scratch, sizeof scratch, "%s/t5gist-bench-XXXXXX", tmp && *tmp ? tmp : "/tmp");
  if (!mkdtemp(scratch)) return tg_fail_errno(err, "%s: cannot make a folder for gist files", scratch);
  TG_GOTO(model_dir(config, progress, user, &dir, err));
  TG_GOTO(tg_alloc(&result->formats, config->dtypes.count, sizeof *result->formats, err));
  for (size_t i = 0; i < config->dtypes.count; i++) TG_GOTO(run_format(config, dir, config->dtypes.items[i], scratch, progress, user, result, err));
  for (size_t f = 0; f < result->n_formats; f++)
    for (size_t p = 0; p < result->formats[f].n_points; p++)
      TG_GOTO(tg_bench_summarise(config, &result->limits, &result->formats[f], &result->formats[f].points[p], err));
  result->seconds = (tg_now_ms() - begin) / 1e3;
done:
  rmdir(scratch);
  tg_free(dir);
  return status;
}

void tg_bench_result_free(tg_bench_result *result) {
  for (size_t f = 0; f < result->n_formats; f++) {
    for (size_t p = 0; p < result->formats[f].n_points; p++) tg_point_result_free(&result->formats[f].points[p]);
    tg_free(result->formats[f].points);
  }
  tg_free(result->formats);
}
