#include "t5/convert.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "runtime/error.h"
#include "runtime/io.h"
#include "runtime/linear.h"
#include "t5/config.h"
#include "t5/convert_source.h"
#include "t5/folder_writer.h"
#include "t5/names.h"
#include "t5/tokenizer.h"

enum { CHUNK = 1 << 20, AS_STORED = -1, MAX_NAME = 256 }; /* CHUNK: elements at a time */

typedef struct conversion {
  const char *in_dir, *out_dir;
  int to; /* tg_dtype or AS_STORED */
  int wo; /* tg_precision or T5GIST_UNSET */
  tg_config config;
  tg_source source;
  tg_tensor *tensors;            /* [n_tensors] what is written, in the source's order; scales directly behind the bytes they belong to */
  char (*scale_names)[MAX_NAME]; /* [n_scales] of the tensors that no source has */
  size_t n_scales;
  size_t *from;                  /* [n_tensors] index into source.tensors */
  size_t n_tensors, total, done; /* bytes of data */
  char fingerprint[TG_SHA256_HEX];
  unsigned char *gathered, *narrowed; /* [CHUNK] elements, scratch */
  float *widened;
  t5gist_progress *progress;
  void *user;
} conversion;

/* ------------------------------------------------------------------------------------------------------------------------ what to do */

static t5gist_status read_dtype(const char *dtype, int *to, t5gist_error *err) {
  if (!dtype)
    *to = AS_STORED;
  else if (strcmp(dtype, "f32") == 0)
    *to = TG_F32;
  else if (strcmp(dtype, "bf16") == 0)
    *to = TG_BF16;
  else if (strcmp(dtype, "int8") == 0)
    *to = TG_I8;
  else
    return tg_fail(err, T5GIST_EUSAGE, "dtype: expected \"f32\", \"bf16\" or \"int8\", found \"%.32s\"", dtype);
  return T5GIST_OK;
}

static t5gist_status read_wo_dtype(const char *name, int to, int *wo, t5gist_error *err) {
  *wo = T5GIST_UNSET;
  if (!name) return T5GIST_OK;
  if (to != TG_I8) return tg_fail(err, T5GIST_EUSAGE, "wo_dtype: expected only with dtype \"int8\", found \"%.32s\"", name);
  *wo = tg_precision_from_name(name);
  if (*wo >= 0) return T5GIST_OK;
  return tg_fail(err, T5GIST_EUSAGE, "wo_dtype: expected \"f32\", \"bf16\", \"int8\" or \"int8x16\", found \"%.32s\"", name);
}

static t5gist_status check_dirs(const char *in_dir, const char *out_dir, t5gist_error *err) {
  struct stat in, out;
  if (tg_io_stat(in_dir, &in) != 0 || tg_io_stat(out_dir, &out) != 0) return T5GIST_OK; /* the one is reported later, the other made */
  if (!S_ISDIR(out.st_mode)) return tg_fail(err, T5GIST_EUSAGE, "%s: expected a folder to write to, found a file", out_dir);
  if (in.st_dev != out.st_dev || in.st_ino != out.st_ino) return T5GIST_OK;
  return tg_fail(err, T5GIST_EUSAGE, "expected two folders, found %s and %s to be the same: a model is never converted in place", in_dir, out_dir);
}

/* Names of the shared embedding, and the head where the model does not use it. */
static bool is_alias(const tg_config *config, const char *name) {
  if (strcmp(name, "lm_head.weight") == 0) return config->head == TG_HEAD_SHARED;
  return strcmp(name, "encoder.embed_tokens.weight") == 0 || strcmp(name, "decoder.embed_tokens.weight") == 0;
}

static bool is_linear(const tg_source_tensor *s) {
  return s->rank == 2 && tg_is_linear(s->name);
}

/* wo is kept in bytes unless it is to be computed in more. */
static bool in_bytes(const conversion *c, const tg_source_tensor *s) {
  const bool wider = c->wo == TG_PRECISION_F32 || c->wo == TG_PRECISION_BF16;
  return c->to == TG_I8 && is_linear(s) && !(wider && strstr(s->name, ".wo.weight"));
}

/* What a tensor that is not kept in bytes is written as. */
static tg_dtype written_dtype(const conversion *c, const tg_source_tensor *s) {
  if (c->to == TG_I8 && c->wo == TG_PRECISION_BF16 && is_linear(s)) return TG_BF16;
  return c->to == AS_STORED || c->to == TG_I8 ? s->dtype : (tg_dtype)c->to;
}

static t5gist_status add_tensor(conversion *c, size_t from, const tg_tensor *tensor, t5gist_error *err) {
  tg_tensor *t = &c->tensors[c->n_tensors];
  *t = *tensor;
  if (!tg_size_mul(t->count, tg_dtype_size(t->dtype), &t->bytes) || !tg_size_add(c->total, t->bytes, &c->total)) {
    return tg_fail(err, T5GIST_EFORMAT, "%s: tensor %s: its size overflows", c->source.paths[c->source.tensors[from].file], t->name);
  }
  c->from[c->n_tensors++] = from;
  return T5GIST_OK;
}

/* The tensor in bytes, and its scales. */
static t5gist_status plan_bytes(conversion *c, size_t i, t5gist_error *err) {
  const tg_source_tensor *s = &c->source.tensors[i];
  char *name = c->scale_names[c->n_scales++];
  if (s->shape[1] < 1 || s->shape[1] > TG_INT8_MAX_INPUTS || (size_t)snprintf(name, MAX_NAME, "%s_scale", s->name) >= MAX_NAME)
    return tg_fail(err, T5GIST_EUNSUPPORTED, "%s: tensor %s: expected at most %d inputs, found %zu", c->source.paths[s->file], s->name,
                   TG_INT8_MAX_INPUTS, s->shape[1]);
  const tg_tensor bytes = {.name = s->name, .dtype = TG_I8, .rank = 2, .count = s->count, .shape = {s->shape[0], s->shape[1]}};
  const tg_tensor scales = {.name = name, .dtype = TG_F32, .rank = 1, .count = s->shape[0], .shape = {s->shape[0]}};
  TG_TRY(add_tensor(c, i, &bytes, err));
  return add_tensor(c, i, &scales, err);
}

static t5gist_status plan_tensor(conversion *c, size_t i, t5gist_error *err) {
  const tg_source_tensor *s = &c->source.tensors[i];
  if (s->dtype != TG_F32 && s->dtype != TG_BF16 && s->dtype != TG_F16) {
    return tg_fail(err, T5GIST_EUNSUPPORTED, "%s: tensor %s: expected numbers of type F32, BF16 or F16, found %s", c->source.paths[s->file], s->name,
                   tg_dtype_name(s->dtype));
  }
  if (in_bytes(c, s)) return plan_bytes(c, i, err);
  tg_tensor t = {.name = s->name, .dtype = written_dtype(c, s), .rank = s->rank, .count = s->count};
  memcpy(t.shape, s->shape, sizeof t.shape);
  return add_tensor(c, i, &t, err);
}

static t5gist_status plan(conversion *c, t5gist_error *err) {
  TG_TRY(tg_alloc(&c->tensors, c->source.n, 2 * sizeof *c->tensors, err));
  TG_TRY(tg_alloc(&c->from, c->source.n, 2 * sizeof *c->from, err));
  if (c->to == TG_I8) TG_TRY(tg_alloc(&c->scale_names, c->source.n, sizeof *c->scale_names, err));
  for (size_t i = 0; i < c->source.n; i++) {
    if (!is_alias(&c->config, c->source.tensors[i].name)) TG_TRY(plan_tensor(c, i, err));
  }
  TG_TRY(tg_alloc(&c->gathered, CHUNK, sizeof(double), err));
  TG_TRY(tg_alloc(&c->narrowed, CHUNK, sizeof(uint16_t), err));
  return tg_alloc(&c->widened, CHUNK, sizeof(float), err);
}

/* The source's own, or the one it was itself converted from. */
static t5gist_status find_fingerprint(conversion *c, t5gist_error *err) {
  tg_tokenizer *tokenizer = NULL;
  char *config = NULL;
  t5gist_status status;
  TG_GOTO(tg_tokenizer_open(c->in_dir, c->config.vocab_size, &tokenizer, err)); /* a model without a sound one is of no use */
  if (c->config.source_fingerprint) {
    snprintf(c->fingerprint, sizeof c->fingerprint, "%s", c->config.source_fingerprint);
    goto done;
  }
  TG_GOTO(tg_path_join(&config, c->in_dir, "config.json", err));
  TG_GOTO(tg_fingerprint(config, tg_tokenizer_path(tokenizer), (const char *const *)c->source.paths, c->source.n_paths, c->fingerprint, err));
done:
  tg_free(config);
  tg_tokenizer_free(tokenizer);
  return status;
}

/* --------------------------------------------------------------------------------------------------------------------------- weights */

/* Elements begin .. begin + n of a transposed matrix in row-major order. */
static const unsigned char *gather(const conversion *c, const tg_source_tensor *s, size_t begin, size_t n) {
  const size_t size = tg_dtype_size(s->dtype), rows = s->shape[0], columns = s->shape[1];
  for (size_t i = 0; i < n; i++) {
    const size_t row = (begin + i) / columns, column = (begin + i) % columns;
    memcpy(c->gathered + i * size, s->data + (column * rows + row) * size, size);
  }
  return c->gathered;
}

/* n numbers in the type they are written in. */
static const void *convert_numbers(const conversion *c, const void *from, tg_dtype dtype, tg_dtype to, size_t n) {
  if (dtype == to) return from;
  tg_widen(from, dtype, n, c->widened);
  if (to == TG_F32) return c->widened;
  tg_narrow_bf16(c->widened, n, (uint16_t *)(void *)c->narrowed);
  return c->narrowed;
}

static t5gist_status write_part(conversion *c, tg_writer *writer, const char *name, const void *data, size_t bytes, t5gist_error *err) {
  TG_TRY(tg_writer_write(writer, data, bytes, err));
  c->done += bytes;
  if (c->progress) c->progress(c->user, name, c->done, c->total);
  return T5GIST_OK;
}

/* Rows of a matrix in bytes; their scales into scales [rows of the matrix]. */
static t5gist_status write_rows(conversion *c, tg_writer *writer, const tg_source_tensor *s, float *scales, t5gist_error *err) {
  const size_t size = tg_dtype_size(s->dtype), n_in = s->shape[1], step = CHUNK / n_in;
  int8_t *bytes = (int8_t *)c->narrowed;
  for (size_t row = 0; row < s->shape[0]; row += step) {
    const size_t rows = s->shape[0] - row < step ? s->shape[0] - row : step, at = row * n_in;
    tg_widen(s->transposed ? gather(c, s, at, rows * n_in) : s->data + at * size, s->dtype, rows * n_in, c->widened);
    for (size_t i = 0; i < rows; i++) {
      scales[row + i] = tg_quantize_row(c->widened + i * n_in, n_in, bytes + i * n_in);
      if (!isfinite(scales[row + i]))
        return tg_fail(err, T5GIST_EFORMAT, "%s: tensor %s: expected finite numbers, found NaN or infinity in row %zu", c->source.paths[s->file],
                       s->name, row + i);
    }
    TG_TRY(write_part(c, writer, s->name, bytes, rows * n_in, err));
    if (!s->transposed) tg_map_release(s->data + at * size, rows * n_in * size);
  }
  if (s->transposed) tg_map_release(s->data, s->count * size);
  return T5GIST_OK;
}

/* A matrix in bytes and its scales. */
static t5gist_status write_bytes(conversion *c, tg_writer *writer, const tg_source_tensor *s, t5gist_error *err) {
  float *scales = NULL;
  TG_TRY(tg_alloc(&scales, s->shape[0], sizeof *scales, err));
  t5gist_status status = write_rows(c, writer, s, scales, err);
  if (status == T5GIST_OK) status = write_part(c, writer, s->name, scales, s->shape[0] * sizeof *scales, err);
  tg_free(scales);
  return status;
}

static t5gist_status write_tensor(conversion *c, tg_writer *writer, size_t i, t5gist_error *err) {
  const tg_source_tensor *s = &c->source.tensors[c->from[i]];
  const tg_tensor *t = &c->tensors[i];
  const size_t size = tg_dtype_size(s->dtype);
  for (size_t at = 0; at < s->count; at += CHUNK) {
    const size_t n = s->count - at < CHUNK ? s->count - at : CHUNK;
    const unsigned char *from = s->transposed ? gather(c, s, at, n) : s->data + at * size;
    TG_TRY(write_part(c, writer, s->name, convert_numbers(c, from, s->dtype, t->dtype, n), n * tg_dtype_size(t->dtype), err));
    if (!s->transposed) tg_map_release(s->data + at * size, n * size);
  }
  if (s->transposed) tg_map_release(s->data, s->count * size);
  return T5GIST_OK;
}

static t5gist_status write_weights(conversion *c, tg_folder_writer *folder, t5gist_error *err) {
  tg_writer *writer;
  TG_TRY(tg_folder_writer_weights(folder, c->tensors, c->n_tensors, &writer, err));
  for (size_t i = 0; i < c->n_tensors; i++) {
    if (c->tensors[i].dtype == TG_I8)
      TG_TRY(write_bytes(c, writer, &c->source.tensors[c->from[i++]], err));
    else
      TG_TRY(write_tensor(c, writer, i, err));
  }
  return T5GIST_OK;
}

/* -------------------------------------------------------------------------------------------------------------------------- config.json */

static bool same_type(const conversion *c) {
  for (size_t i = 1; i < c->n_tensors; i++) {
    if (c->tensors[i].dtype != c->tensors[0].dtype) return false;
  }
  return c->n_tensors > 0;
}

/* config.json with the fingerprint, and the type of the weights where they have one. */
static bool edit_config(const conversion *c, json_t *json) {
  json_t *block = json_object_get(json, "t5gist");
  if (!json_is_object(block)) {
    block = json_object();
    if (json_object_set_new(json, "t5gist", block) != 0) return false;
  }
  json_object_del(block, "drift"); /* the source's own */
  if (c->wo != T5GIST_UNSET && json_object_set_new(block, "wo_dtype", json_string(tg_precision_name((tg_precision)c->wo))) != 0) return false;
  if (json_object_set_new(block, "source_fingerprint", json_string(c->fingerprint)) != 0) return false;
  if (c->to == TG_I8 && json_object_set_new(block, "dtype", json_string("int8")) != 0) return false;
  return !same_type(c) || tg_folder_set_dtype(json, c->tensors[0].dtype);
}

static t5gist_status write_config(const conversion *c, tg_folder_writer *folder, t5gist_error *err) {
  json_t *json = json_deep_copy(c->config.json);
  const bool edited = json && edit_config(c, json);
  const t5gist_status status = edited ? tg_folder_writer_json(folder, "config.json", json, err)
                                      : tg_fail(err, T5GIST_ENOMEM, "%s: not enough memory for config.json", c->out_dir);
  json_decref(json);
  return status;
}

/* --------------------------------------------------------------------------------------------------------------------------- public */

t5gist_status tg_convert(const char *in_dir, const char *out_dir, const char *dtype, const char *wo_dtype,
                         t5gist_progress *progress, void *user, t5gist_error *err) {
  conversion c = {.in_dir = in_dir, .out_dir = out_dir, .progress = progress, .user = user};
  tg_folder_writer folder = {.dir = out_dir};
  t5gist_status status;
  TG_GOTO(read_dtype(dtype, &c.to, err));
  TG_GOTO(read_wo_dtype(wo_dtype, c.to, &c.wo, err));
  TG_GOTO(check_dirs(in_dir, out_dir, err));
  TG_GOTO(tg_config_load(in_dir, &c.config, err));
  TG_GOTO(tg_source_open(in_dir, &c.source, err));
  TG_GOTO(plan(&c, err));
  TG_GOTO(find_fingerprint(&c, err));
  TG_GOTO(tg_folder_writer_check(out_dir, in_dir, err)); /* before the long work */
  TG_GOTO(write_weights(&c, &folder, err));
  TG_GOTO(tg_folder_writer_copy(&folder, in_dir, err));
  TG_GOTO(write_config(&c, &folder, err));
  TG_GOTO(tg_folder_writer_commit(&folder, err));
done:
  tg_folder_writer_abort(&folder);
  tg_free(c.tensors);
  tg_free(c.scale_names);
  tg_free(c.from);
  tg_free(c.gathered);
  tg_free(c.narrowed);
  tg_free(c.widened);
  tg_source_close(&c.source);
  tg_config_free(&c.config);
  return status;
}
