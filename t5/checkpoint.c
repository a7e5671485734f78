#include "t5/checkpoint.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "runtime/error.h"
#include "runtime/int4.h"
#include "t5/config.h"
#include "t5/shards.h"

struct tg_checkpoint {
  char *dir;
  tg_safetensors **files; /* [n_files] in name order */
  size_t n_files;
};

/* --------------------------------------------------------------------------------------------------------------------------- shards */

static t5gist_status open_file(tg_checkpoint *c, const char *name, t5gist_error *err) {
  char *path;
  TG_TRY(tg_path_join(&path, c->dir, name, err));
  const t5gist_status status = tg_safetensors_open(path, &c->files[c->n_files], err);
  if (status == T5GIST_OK) c->n_files++;
  tg_free(path);
  return status;
}

static const tg_safetensors *file_named(const tg_checkpoint *c, const char *name) {
  for (size_t i = 0; i < c->n_files; i++) {
    const char *path = tg_safetensors_path(c->files[i]), *slash = strrchr(path, '/');
    if (strcmp(slash ? slash + 1 : path, name) == 0) return c->files[i];
  }
  return NULL;
}

static t5gist_status check_map(const tg_checkpoint *c, const json_t *map, const char *path, t5gist_error *err) {
  const char *tensor;
  json_t *file;
  json_object_foreach((json_t *)map, tensor, file) {
    if (tg_safetensors_find(file_named(c, json_string_value(file)), tensor)) continue;
    return tg_fail(err, T5GIST_EFORMAT, "%s: expected tensor %.200s in %.200s, found no such tensor there", path, tensor, json_string_value(file));
  }
  return T5GIST_OK;
}

static t5gist_status check_duplicates(const tg_checkpoint *c, t5gist_error *err) {
  for (size_t i = 1; i < c->n_files; i++) {
    for (size_t t = 0; t < tg_safetensors_count(c->files[i]); t++) {
      const char *name = tg_safetensors_at(c->files[i], t)->name;
      for (size_t j = 0; j < i; j++) {
        if (!tg_safetensors_find(c->files[j], name)) continue;
        return tg_fail(err, T5GIST_EFORMAT, "tensor %s: expected in one file, found in %s and %s", name, tg_safetensors_path(c->files[j]),
                       tg_safetensors_path(c->files[i]));
      }
    }
  }
  return T5GIST_OK;
}

static t5gist_status open_shards(tg_checkpoint *c, const char *index, t5gist_error *err) {
  tg_shards shards;
  t5gist_status status;
  TG_TRY(tg_shards_read(index, ".safetensors", &shards, err));
  TG_GOTO(tg_alloc(&c->files, shards.n, sizeof *c->files, err));
  for (size_t i = 0; i < shards.n; i++) TG_GOTO(open_file(c, shards.names[i], err));
  TG_GOTO(check_map(c, shards.map, index, err));
  TG_GOTO(check_duplicates(c, err));
done:
  tg_shards_free(&shards);
  return status;
}

/* -------------------------------------------------------------------------------------------------------------------------- opening */

static t5gist_status exists_in(const char *dir, const char *name, bool *found, t5gist_error *err) {
  char *path;
  TG_TRY(tg_path_join(&path, dir, name, err));
  *found = tg_file_exists(path);
  tg_free(path);
  return T5GIST_OK;
}

static t5gist_status no_weights(const char *dir, t5gist_error *err) {
  static const char *const others[] = {"pytorch_model.bin", "pytorch_model.bin.index.json"};
  for (size_t i = 0; i < 2; i++) {
    bool found;
    TG_TRY(exists_in(dir, others[i], &found, err));
    if (found) return tg_fail(err, T5GIST_EUNSUPPORTED, "%s holds %s; convert it once: t5gist convert %s OUT_DIR", dir, others[i], dir);
  }
  return tg_fail(err, T5GIST_EIO, "%s: expected weights, model.safetensors or model.safetensors.index.json; found neither", dir);
}

static t5gist_status open_files(tg_checkpoint *c, t5gist_error *err) {
  bool single, sharded;
  TG_TRY(exists_in(c->dir, "model.safetensors", &single, err));
  TG_TRY(exists_in(c->dir, "model.safetensors.index.json", &sharded, err));
  if (single) {
    TG_TRY(tg_alloc(&c->files, 1, sizeof *c->files, err));
    return open_file(c, "model.safetensors", err);
  }
  if (!sharded) return no_weights(c->dir, err);
  char *index;
  TG_TRY(tg_path_join(&index, c->dir, "model.safetensors.index.json", err));
  const t5gist_status status = open_shards(c, index, err);
  tg_free(index);
  return status;
}

t5gist_status tg_checkpoint_open(const char *dir, tg_checkpoint **out, t5gist_error *err) {
  tg_checkpoint *c;
  t5gist_status status;
  TG_TRY(tg_config_check_dir(dir, err));
  TG_TRY(tg_alloc(&c, 1, sizeof *c, err));
  TG_GOTO(tg_strdup(&c->dir, dir, err));
  TG_GOTO(open_files(c, err));
  *out = c;
  return T5GIST_OK;
done:
  tg_checkpoint_close(c);
  return status;
}

void tg_checkpoint_close(tg_checkpoint *c) {
  if (!c) return;
  for (size_t i = 0; i < c->n_files; i++) tg_safetensors_close(c->files[i]);
  tg_free(c->files);
  tg_free(c->dir);
  tg_free(c);
}

size_t tg_checkpoint_files(const tg_checkpoint *c) {
  return c->n_files;
}
const tg_safetensors *tg_checkpoint_file(const tg_checkpoint *c, size_t i) {
  return c->files[i];
}

const tg_tensor *tg_checkpoint_find(const tg_checkpoint *c, const char *name) {
  for (size_t i = 0; i < c->n_files; i++) {
    const tg_tensor *tensor = tg_safetensors_find(c->files[i], name);
    if (tensor) return tensor;
  }
  return NULL;
}

/* "[32128, 512]" */
static const char *shape_text(const size_t *dims, int n, char text[160]) {
  size_t used = (size_t)snprintf(text, 160, "[");
  for (int i = 0; i < n && used < 128; i++) used += (size_t)snprintf(text + used, 160 - used, "%s%zu", i ? ", " : "", dims[i]);
  snprintf(text + used, 160 - used, "]");
  return text;
}

/* The tensor of this name and shape, whatever its numbers. */
static t5gist_status get_shaped(const tg_checkpoint *c, const char *name, const size_t *dims, int n_dims, const tg_tensor **out, t5gist_error *err) {
  char expected[160], found[160];
  const tg_tensor *t = tg_checkpoint_find(c, name);
  if (!t)
    return tg_fail(err, T5GIST_EFORMAT, "%s: expected tensor %s of shape %s, found no such tensor", c->dir, name, shape_text(dims, n_dims, expected));
  if (t->rank != n_dims || memcmp(t->shape, dims, (size_t)n_dims * sizeof *dims) != 0) {
    return tg_fail(err, T5GIST_EFORMAT, "%s: tensor %s: expected shape %s, found %s", c->dir, name, shape_text(dims, n_dims, expected),
                   shape_text(t->shape, t->rank, found));
  }
  *out = t;
  return T5GIST_OK;
}

t5gist_status tg_checkpoint_get(const tg_checkpoint *c, const char *name, const size_t *dims, int n_dims, const tg_tensor **out, t5gist_error *err) {
  TG_TRY(get_shaped(c, name, dims, n_dims, out, err));
  const tg_tensor *t = *out;
  if (t->dtype != TG_F32 && t->dtype != TG_BF16 && t->dtype != TG_F16) {
    return tg_fail(err, T5GIST_EUNSUPPORTED, "%s: tensor %s: expected numbers of type F32, BF16 or F16, found %s", c->dir, name,
                   tg_dtype_name(t->dtype));
  }
  return T5GIST_OK;
}

/* The scales of a matrix in 8 (F32) or 4 bits (BF16). */
static t5gist_status get_scales(const tg_checkpoint *c, const char *name, const size_t *dims, int n_dims, tg_dtype dtype, float **scales,
                                t5gist_error *err) {
  char full[160];
  const tg_tensor *t = NULL;
  snprintf(full, sizeof full, "%.128s_scale", name);
  TG_TRY(get_shaped(c, full, dims, n_dims, &t, err));
  if (t->dtype != dtype)
    return tg_fail(err, T5GIST_EFORMAT, "%s: tensor %s: expected %s, found %s", c->dir, full, tg_dtype_name(dtype), tg_dtype_name(t->dtype));
  TG_TRY(tg_alloc(scales, t->count, sizeof **scales, err));
  tg_widen(t->data, t->dtype, t->count, *scales);
  const bool either_sign = dtype == TG_BF16;
  for (size_t i = 0; i < t->count; i++) {
    if (isfinite((*scales)[i]) && ((*scales)[i] >= 0 || either_sign)) continue;
    return tg_fail(err, T5GIST_EFORMAT, "%s: tensor %s: expected finite scales%s, found %g at %zu", c->dir, full, either_sign ? "" : " of at least 0",
                   (double)(*scales)[i], i);
  }
  return T5GIST_OK;
}

static t5gist_status get_bytes(const tg_checkpoint *c, const char *name, size_t n_out, size_t n_in, tg_matrix *matrix, float **scales,
                               t5gist_error *err) {
  const size_t dims[] = {n_out, n_in};
  const tg_tensor *t = NULL;
  TG_TRY(get_shaped(c, name, dims, 2, &t, err));
  TG_TRY(get_scales(c, name, &n_out, 1, TG_F32, scales, err));
  *matrix = (tg_matrix){.data = t->data, .dtype = TG_I8, .n_out = n_out, .mapped = true, .scales = *scales};
  return T5GIST_OK;
}

/* How many inputs share a scale, by the shape of the scales: in rows so short that several sizes give as many groups, it is all one. */
static t5gist_status find_group(const tg_checkpoint *c, const char *name, size_t n_out, size_t n_in, size_t *group, t5gist_error *err) {
  char full[160], found[160];
  snprintf(full, sizeof full, "%.128s_scale", name);
  const tg_tensor *t = tg_checkpoint_find(c, full);
  if (!t) return tg_fail(err, T5GIST_EFORMAT, "%s: expected tensor %s beside %s, found no such tensor", c->dir, full, name);
  for (*group = 32; *group <= TG_INT4_MOST_GROUP; *group *= 2)
    if (tg_int4_is_group(*group) && t->rank == 2 && t->shape[0] == n_out && t->shape[1] == tg_int4_groups(n_in, *group)) return T5GIST_OK;
  return tg_fail(err, T5GIST_EFORMAT, "%s: tensor %s: expected %zu rows of a scale to 32, 64 or 128 of %zu inputs, found shape %s", c->dir, full,
                 n_out, n_in, shape_text(t->shape, t->rank, found));
}

static t5gist_status get_nibbles(const tg_checkpoint *c, const char *name, size_t n_out, size_t n_in, tg_matrix *matrix, float **scales,
                                 t5gist_error *err) {
  const size_t dims[] = {n_out, tg_int4_row_bytes(n_in)};
  const tg_tensor *t = NULL;
  size_t group = 0;
  TG_TRY(get_shaped(c, name, dims, 2, &t, err));
  TG_TRY(find_group(c, name, n_out, n_in, &group, err));
  const size_t scale_dims[] = {n_out, tg_int4_groups(n_in, group)};
  TG_TRY(get_scales(c, name, scale_dims, 2, TG_BF16, scales, err));
  *matrix = (tg_matrix){.data = t->data, .dtype = TG_I4, .n_out = n_out, .mapped = true, .scales = *scales, .group = group};
  return T5GIST_OK;
}

t5gist_status tg_checkpoint_get_matrix(const tg_checkpoint *c, const char *name, size_t n_out, size_t n_in, tg_matrix *matrix, float **scales,
                                       t5gist_error *err) {
  const size_t dims[] = {n_out, n_in};
  const tg_tensor *t = tg_checkpoint_find(c, name);
  *scales = NULL;
  if (t && t->dtype == TG_I8) return get_bytes(c, name, n_out, n_in, matrix, scales, err);
  if (t && t->dtype == TG_U8) return get_nibbles(c, name, n_out, n_in, matrix, scales, err);
  TG_TRY(tg_checkpoint_get(c, name, dims, 2, &t, err));
  *matrix = (tg_matrix){.data = t->data, .dtype = t->dtype, .n_out = n_out, .mapped = true};
  return T5GIST_OK;
}
