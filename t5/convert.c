#include "t5/convert.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "runtime/error.h"
#include "runtime/int4.h"
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
  const tg_conversion *how;
  int to;                     /* tg_dtype or AS_STORED: of what is not kept in bits */
  tg_precision precision, wo; /* TG_PRECISION_F32: nothing is kept in bits */
  bool wo_given;
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
  tg_team *team;                /* int4 */
  tg_rounder *rounder;          /* the last layer's, for the next one if it has the same inputs */
  const tg_inputs *rounded_for;
  size_t rounded_n_in;
} conversion;

/* ------------------------------------------------------------------------------------------------------------------------ what to do */

static t5gist_status read_dtype(conversion *c, t5gist_error *err) {
  const char *dtype = c->how->dtype;
  c->to = AS_STORED;
  c->precision = TG_PRECISION_F32;
  if (!dtype) return T5GIST_OK;
  if (strcmp(dtype, "f32") == 0)
    c->to = TG_F32;
  else if (strcmp(dtype, "bf16") == 0)
    c->to = TG_BF16;
  else if (strcmp(dtype, "int8") == 0)
    c->precision = TG_PRECISION_INT8;
  else if (strcmp(dtype, "int4") == 0)
    c->precision = TG_PRECISION_INT4;
  else
    return tg_fail(err, T5GIST_EUSAGE, "dtype: expected \"f32\", \"bf16\", \"int8\" or \"int4\", found \"%.32s\"", dtype);
  return T5GIST_OK;
}

static t5gist_status read_wo_dtype(conversion *c, t5gist_error *err) {
  const char *name = c->how->wo_dtype;
  c->wo_given = name != NULL;
  c->wo = TG_PRECISION_INT8X16;
  if (!name) return T5GIST_OK;
  if (c->precision == TG_PRECISION_F32)
    return tg_fail(err, T5GIST_EUSAGE, "wo_dtype: expected only with dtype \"int8\" or \"int4\", found \"%.32s\"", name);
  const int wo = tg_precision_from_name(name);
  const bool known = wo >= 0 && (wo != TG_PRECISION_INT4 || c->precision == TG_PRECISION_INT4);
  if (known) c->wo = (tg_precision)wo;
  if (known) return T5GIST_OK;
  return tg_fail(err, T5GIST_EUSAGE, "wo_dtype: expected \"f32\", \"bf16\", \"int8\", \"int8x16\" or, with dtype \"int4\", \"int4\", found \"%.32s\"",
                 name);
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

/* What the tensor that is written by this name is computed in; f32: it is kept in no bits. */
static tg_precision kept_in(const conversion *c, const tg_source_tensor *s, const char *name) {
  if (c->precision == TG_PRECISION_F32 || s->rank != 2 || !tg_is_linear(name)) return TG_PRECISION_F32;
  return tg_layer_precision(name, c->precision, c->wo);
}

/* What a tensor that is kept in no bits is written as. */
static tg_dtype written_dtype(const conversion *c, const tg_source_tensor *s, const char *name) {
  if (kept_in(c, s, name) == TG_PRECISION_BF16) return TG_BF16;
  if (c->precision == TG_PRECISION_INT4 && s->dtype == TG_F32 && strcmp(name, "shared.weight") == 0) return TG_BF16;
  return c->to == AS_STORED ? s->dtype : (tg_dtype)c->to;
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

/* The tensor in 8 or 4 bits, and its scales. */
static t5gist_status plan_bits(conversion *c, size_t i, const char *tensor_name, bool int4, t5gist_error *err) {
  const tg_source_tensor *s = &c->source.tensors[i];
  char *name = c->scale_names[c->n_scales++];
  if (s->shape[1] < 1 || s->shape[1] > TG_INT8_MAX_INPUTS || (size_t)snprintf(name, MAX_NAME, "%s_scale", tensor_name) >= MAX_NAME)
    return tg_fail(err, T5GIST_EUNSUPPORTED, "%s: tensor %s: expected at most %d inputs, found %zu", c->source.paths[s->file], s->name,
                   TG_INT8_MAX_INPUTS, s->shape[1]);
  const size_t n_out = s->shape[0], row = int4 ? tg_int4_row_bytes(s->shape[1]) : s->shape[1], n_groups = tg_int4_groups(s->shape[1], TG_INT4_GROUP);
  const tg_tensor bits = {.name = tensor_name, .dtype = int4 ? TG_U8 : TG_I8, .rank = 2, .count = n_out * row, .shape = {n_out, row}};
  const tg_tensor scale = {.name = name, .dtype = TG_F32, .rank = 1, .count = n_out, .shape = {n_out}},
                  scales = {.name = name, .dtype = TG_BF16, .rank = 2, .count = n_out * n_groups, .shape = {n_out, n_groups}};
  TG_TRY(add_tensor(c, i, &bits, err));
  return add_tensor(c, i, int4 ? &scales : &scale, err);
}

/* Tensor i of the source, to be written by this name. */
static t5gist_status plan_tensor(conversion *c, size_t i, const char *name, t5gist_error *err) {
  const tg_source_tensor *s = &c->source.tensors[i];
  if (s->dtype != TG_F32 && s->dtype != TG_BF16 && s->dtype != TG_F16) {
    return tg_fail(err, T5GIST_EUNSUPPORTED, "%s: tensor %s: expected numbers of type F32, BF16 or F16, found %s", c->source.paths[s->file], s->name,
                   tg_dtype_name(s->dtype));
  }
  const tg_precision kept = kept_in(c, s, name);
  if (kept != TG_PRECISION_F32 && kept != TG_PRECISION_BF16) return plan_bits(c, i, name, kept == TG_PRECISION_INT4, err);
  tg_tensor t = {.name = name, .dtype = written_dtype(c, s, name), .rank = s->rank, .count = s->count};
  memcpy(t.shape, s->shape, sizeof t.shape);
  return add_tensor(c, i, &t, err);
}

static bool find_source(const conversion *c, const char *name, size_t *at) {
  for (*at = 0; *at < c->source.n; ++*at)
    if (strcmp(c->source.tensors[*at].name, name) == 0) return true;
  return false;
}

/* The head of a tied model in 4 bits, made of the embedding, which stays. */
static t5gist_status plan_tied_head(conversion *c, t5gist_error *err) {
  size_t own, shared;
  if (c->precision != TG_PRECISION_INT4 || c->config.head == TG_HEAD_FILE) return T5GIST_OK;
  if (c->config.head == TG_HEAD_FILE_OR_SHARED && find_source(c, "lm_head.weight", &own)) return T5GIST_OK;
  return find_source(c, "shared.weight", &shared) ? plan_tensor(c, shared, "lm_head.weight", err) : T5GIST_OK;
}

static t5gist_status plan(conversion *c, t5gist_error *err) {
  const size_t most = c->source.n + 1; /* files list them: far from overflow */
  TG_TRY(tg_alloc(&c->tensors, most, 2 * sizeof *c->tensors, err));
  TG_TRY(tg_alloc(&c->from, most, 2 * sizeof *c->from, err));
  if (c->precision != TG_PRECISION_F32) TG_TRY(tg_alloc(&c->scale_names, most, sizeof *c->scale_names, err));
  for (size_t i = 0; i < c->source.n; i++) {
    const char *name = c->source.tensors[i].name;
    if (!is_alias(&c->config, name)) TG_TRY(plan_tensor(c, i, name, err));
  }
  TG_TRY(plan_tied_head(c, err));
  if (c->precision == TG_PRECISION_INT4) TG_TRY(tg_team_new(c->how->threads > 1 ? c->how->threads : 1, &c->team, err));
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
  if (c->how->progress) c->how->progress(c->how->user, name, c->done, c->total);
  return T5GIST_OK;
}

/* The rounder for a tensor of this name. */
static t5gist_status find_rounder(conversion *c, const char *name, size_t n_in, t5gist_error *err) {
  const tg_inputs *inputs = tg_calibration_find(c->how->calibration, name);
  if (c->rounder && c->rounded_for == inputs && c->rounded_n_in == n_in) return T5GIST_OK;
  tg_rounder_free(c->rounder);
  c->rounder = NULL;
  c->rounded_for = inputs;
  c->rounded_n_in = n_in;
  return tg_rounder_new(n_in, TG_INT4_GROUP, c->how->rounding, inputs, c->team, &c->rounder, err);
}

/* Rows in bits into c->narrowed, their scales into scales; returns the bytes of a row. */
static size_t to_bits(const conversion *c, bool int4, size_t rows, size_t n_in, float *scales) {
  if (int4) {
    tg_rounder_round(c->rounder, c->widened, rows, c->narrowed, scales);
    return tg_int4_row_bytes(n_in);
  }
  int8_t *bytes = (int8_t *)c->narrowed;
  for (size_t i = 0; i < rows; i++) scales[i] = tg_quantize_row(c->widened + i * n_in, n_in, bytes + i * n_in);
  return n_in;
}

/* Rows of a matrix in 8 or 4 bits; their scales into scales [rows of the matrix, per_row]. */
static t5gist_status write_rows(conversion *c, tg_writer *writer, const tg_source_tensor *s, bool int4, size_t per_row, float *scales,
                                t5gist_error *err) {
  const size_t size = tg_dtype_size(s->dtype), n_in = s->shape[1], step = CHUNK / n_in;
  for (size_t row = 0; row < s->shape[0]; row += step) {
    const size_t rows = s->shape[0] - row < step ? s->shape[0] - row : step, at = row * n_in;
    tg_widen(s->transposed ? gather(c, s, at, rows * n_in) : s->data + at * size, s->dtype, rows * n_in, c->widened);
    const size_t row_bytes = to_bits(c, int4, rows, n_in, scales + row * per_row);
    for (size_t i = 0; i < rows * per_row; i++) {
      if (isfinite(scales[row * per_row + i])) continue;
      return tg_fail(err, T5GIST_EFORMAT, "%s: tensor %s: expected finite numbers, found NaN or infinity in row %zu", c->source.paths[s->file],
                     s->name, row + i / per_row);
    }
    TG_TRY(write_part(c, writer, s->name, c->narrowed, rows * row_bytes, err));
    if (!s->transposed) tg_map_release(s->data + at * size, rows * n_in * size);
  }
  if (s->transposed) tg_map_release(s->data, s->count * size);
  return T5GIST_OK;
}

/* A matrix in 8 or 4 bits (t) and its scales (t[1]). */
static t5gist_status write_bits(conversion *c, tg_writer *writer, const tg_source_tensor *s, const tg_tensor *t, t5gist_error *err) {
  const bool int4 = t->dtype == TG_U8;
  const size_t count = t[1].count, per_row = int4 ? t[1].shape[1] : 1;
  float *scales = NULL;
  uint16_t *narrow = NULL;
  t5gist_status status = T5GIST_OK;
  if (int4) TG_GOTO(find_rounder(c, t->name, s->shape[1], err));
  TG_GOTO(tg_alloc(&scales, count, sizeof *scales, err));
  TG_GOTO(write_rows(c, writer, s, int4, per_row, scales, err));
  if (int4) {
    TG_GOTO(tg_alloc(&narrow, count, sizeof *narrow, err));
    tg_narrow_bf16(scales, count, narrow); /* exact */
  }
  TG_GOTO(write_part(c, writer, s->name, int4 ? (void *)narrow : (void *)scales, t[1].bytes, err));
done:
  tg_free(narrow);
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
    const tg_tensor *t = &c->tensors[i];
    if (t->dtype == TG_I8 || t->dtype == TG_U8)
      TG_TRY(write_bits(c, writer, &c->source.tensors[c->from[i++]], t, err));
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
  const bool int4 = c->precision == TG_PRECISION_INT4;
  json_object_del(block, "drift"); /* the source's own */
  if ((c->wo_given || int4) && json_object_set_new(block, "wo_dtype", json_string(tg_precision_name(c->wo))) != 0) return false;
  if (json_object_set_new(block, "source_fingerprint", json_string(c->fingerprint)) != 0) return false;
  if (c->precision != TG_PRECISION_F32 && json_object_set_new(block, "dtype", json_string(tg_precision_name(c->precision))) != 0) return false;
  if (int4 && json_object_set_new(block, "group", json_integer(TG_INT4_GROUP)) != 0) return false;
  if (int4 && json_object_set_new(block, "rounding", json_string(tg_rounding_name(c->how->rounding))) != 0) return false;
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

t5gist_status tg_convert(const char *in_dir, const char *out_dir, const tg_conversion *how, t5gist_error *err) {
  conversion c = {.in_dir = in_dir, .out_dir = out_dir, .how = how};
  tg_folder_writer folder = {.dir = out_dir};
  t5gist_status status;
  TG_GOTO(read_dtype(&c, err));
  TG_GOTO(read_wo_dtype(&c, err));
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
  tg_rounder_free(c.rounder);
  tg_team_free(c.team);
  tg_source_close(&c.source);
  tg_config_free(&c.config);
  return status;
}
