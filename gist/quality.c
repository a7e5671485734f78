/* How far answers in one number format are from f32's: the gate that `convert` prints and keeps, and `--dtype auto` goes by. */
#include "gist/quality.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "gist/model.h"
#include "gist/texts.h"
#include "runtime/error.h"
#include "runtime/file.h"
#include "runtime/folder.h"
#include "runtime/json.h"
#include "t5/checkpoint.h"
#include "t5/convert.h"

enum { MAX_CONFIG = 16 << 20 };

bool t5gist_drift_allowed(const t5gist_drift *drift) {
  return drift->logprob <= T5GIST_DRIFT_LOGPROB && drift->agreement >= T5GIST_DRIFT_AGREEMENT; /* NaN is not */
}

/* ---------------------------------------------------------------------------------------------------------------------- config.json */

/* Into the "t5gist" block of dir's config.json. */
static t5gist_status keep(const char *dir, const char *dtype, const char *texts_path, const t5gist_drift *drift, t5gist_error *err) {
  char *path = NULL, *dumped = NULL;
  json_t *config = NULL;
  tg_buffer bytes = {0};
  t5gist_status status;
  TG_GOTO(tg_path_join(&path, dir, "config.json", err));
  TG_GOTO(tg_json_read(path, MAX_CONFIG, &config, err));
  json_t *block = json_object_get(config, "t5gist"), *entry = json_pack("{s:s, s:f, s:f, s:s}", "dtype", dtype, "logprob", drift->logprob,
                                                                        "agreement", drift->agreement, "texts", texts_path ? "file" : "built-in");
  if (json_object_set_new(block, "drift", entry) != 0 || (dumped = json_dumps(config, JSON_INDENT(2))) == NULL) {
    status = tg_fail(err, T5GIST_ENOMEM, "%s: not enough memory for config.json", dir);
    goto done;
  }
  TG_GOTO(tg_buffer_printf(&bytes, err, "%s\n", dumped));
  TG_GOTO(tg_write_file(path, 0644, bytes.data, bytes.size, err));
done:
  tg_buffer_free(&bytes);
  free(dumped);
  json_decref(config);
  tg_free(path);
  return status;
}

bool tg_kept_drift(const json_t *config, const char *dtype, t5gist_drift *drift) {
  const json_t *entry = json_object_get(json_object_get(config, "t5gist"), "drift");
  const json_t *logprob = json_object_get(entry, "logprob"), *agreement = json_object_get(entry, "agreement");
  const char *of = json_string_value(json_object_get(entry, "dtype"));
  if (!json_is_number(logprob) || !json_is_number(agreement) || strcmp(of ? of : "int8", dtype) != 0) return false; /* older ones are all of int8 */
  *drift = (t5gist_drift){.logprob = json_number_value(logprob), .agreement = json_number_value(agreement)};
  return true;
}

/* ---------------------------------------------------------------------------------------------------------------------------- drift */

t5gist_status tg_f32_bytes(const char *dir, double *bytes, t5gist_error *err) {
  tg_checkpoint *checkpoint;
  TG_TRY(tg_checkpoint_open(dir, &checkpoint, err));
  *bytes = 0;
  for (size_t f = 0; f < tg_checkpoint_files(checkpoint); f++) {
    const tg_safetensors *file = tg_checkpoint_file(checkpoint, f);
    for (size_t i = 0; i < tg_safetensors_count(file); i++) {
      const tg_tensor *t = tg_safetensors_at(file, i);
      *bytes += (double)sizeof(float) * (double)t->count * (t->dtype == TG_U8 ? 2 : 1); /* U8: two numbers to a byte */
    }
  }
  tg_checkpoint_close(checkpoint);
  return T5GIST_OK;
}

t5gist_status tg_check_f32_memory(const char *dir, t5gist_error *err) {
  double needed;
  TG_TRY(tg_f32_bytes(dir, &needed, err));
  const double memory = (double)sysconf(_SC_PHYS_PAGES) * (double)sysconf(_SC_PAGESIZE);
  if (needed <= memory / 2) return T5GIST_OK;
  return tg_fail(err, T5GIST_EUNSUPPORTED, "f32 takes %.1f GB, more than half of this machine's memory", needed * 1e-9);
}

static t5gist_status run(const char *dir, const t5gist_model_options *options, const tg_texts *t, tg_outcome *out, t5gist_error *err) {
  t5gist_model *model;
  TG_TRY(t5gist_model_open(dir, options, &model, err));
  const t5gist_status status = tg_outcome_get(model, t, out, err);
  t5gist_model_close(model);
  return status;
}

t5gist_status tg_drifts(const char *source, const char *dir, const int *dtypes, size_t n, int wo_dtype, const char *texts_path, int threads,
                        t5gist_drift *drifts, t5gist_error *err) {
  tg_outcome exact = {0}, rough = {0};
  tg_texts t = {0};
  t5gist_model_options options;
  t5gist_model_options_init(&options);
  options.threads = threads;
  options.dtype = T5GIST_DTYPE_F32;
  t5gist_status status;
  TG_GOTO(tg_texts_get(texts_path, false, &t, err));
  TG_GOTO(tg_check_f32_memory(dir, err));
  TG_GOTO(run(source, &options, &t, &exact, err));
  options.wo_dtype = wo_dtype;
  for (size_t i = 0; i < n; i++) {
    tg_outcome_clear(&rough);
    options.dtype = dtypes[i];
    TG_GOTO(run(dir, &options, &t, &rough, err));
    drifts[i] = tg_outcome_compare(&exact, &rough);
  }
done:
  tg_outcome_clear(&exact);
  tg_outcome_clear(&rough);
  tg_texts_free(&t);
  return status;
}

static bool has(const char *dir, const char *name) {
  char *path;
  if (tg_path_join(&path, dir, name, NULL) != T5GIST_OK) return false;
  const bool found = tg_file_exists(path);
  tg_free(path);
  return found;
}

void tg_drop_source(char *dir) {
  tg_strings names = {0};
  if (dir == NULL) return;
  (void)tg_folder_list(dir, &names, NULL);
  for (size_t i = 0; i < names.count; i++) {
    char *path;
    if (tg_path_join(&path, dir, names.items[i], NULL) != T5GIST_OK) continue;
    (void)tg_file_remove(path, NULL);
    tg_free(path);
  }
  tg_strings_clear(&names);
  (void)tg_dir_remove(dir, NULL);
  tg_free(dir);
}

t5gist_status tg_readable_source(const char *source, const char *inside, char **rewritten, t5gist_error *err) {
  char name[64];
  unsigned long long random;
  *rewritten = NULL;
  if (has(source, "model.safetensors") || has(source, "model.safetensors.index.json")) return T5GIST_OK;
  if (getrandom(&random, sizeof random, 0) != (ssize_t)sizeof random) return tg_fail_errno(err, "cannot rewrite %s: no random numbers", source);
  snprintf(name, sizeof name, ".t5gist-source-%016llx", random); /* containers that share a folder share process numbers too */
  TG_TRY(tg_path_join(rewritten, inside, name, err));
  t5gist_error problem = {0};
  const t5gist_status status = tg_convert(source, *rewritten, &(tg_conversion){0}, &problem);
  if (status == T5GIST_OK) return T5GIST_OK;
  return tg_fail(err, status == T5GIST_ENOMEM ? status : T5GIST_EUNSUPPORTED, "the source cannot be rewritten for measuring: %s", problem.message);
}

t5gist_status t5gist_measure_drift(const char *source, const char *converted, int dtype, const char *texts_path, int threads, t5gist_drift *drift,
                                   t5gist_error *err) {
  if (!source || !converted || !drift) return tg_fail(err, T5GIST_EUSAGE, "t5gist_measure_drift: source, converted and drift must not be null");
  if (dtype != T5GIST_DTYPE_INT8 && dtype != T5GIST_DTYPE_INT4 && dtype != T5GIST_DTYPE_BF16)
    return tg_fail(err, T5GIST_EUSAGE, "t5gist_measure_drift: dtype: expected int8, int4 or bf16, found %d", dtype);
  char *rewritten = NULL;
  t5gist_status status = tg_readable_source(source, converted, &rewritten, err);
  if (status == T5GIST_OK) status = tg_drifts(rewritten ? rewritten : source, converted, &dtype, 1, T5GIST_UNSET, texts_path, threads, drift, err);
  tg_drop_source(rewritten);
  TG_TRY(status);
  return keep(converted, tg_precision_name((tg_precision)tg_precision_of(dtype)), texts_path, drift, err);
}
