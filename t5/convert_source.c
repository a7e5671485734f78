#include "t5/convert_source.h"

#include <stdlib.h>
#include <string.h>

#include "runtime/error.h"
#include "t5/shards.h"

static t5gist_status path_if_there(const char *dir, const char *name, char **path, bool *found, t5gist_error *err) {
  TG_TRY(tg_path_join(path, dir, name, err));
  *found = tg_file_exists(*path);
  if (*found) return T5GIST_OK;
  tg_free(*path);
  *path = NULL;
  return T5GIST_OK;
}

/* ---------------------------------------------------------------------------------------------------------------------- the tensors */

static int by_name(const void *a, const void *b) {
  return strcmp(((const tg_source_tensor *)a)->name, ((const tg_source_tensor *)b)->name);
}

static t5gist_status sort_tensors(tg_source *s, t5gist_error *err) {
  qsort(s->tensors, s->n, sizeof *s->tensors, by_name);
  for (size_t i = 1; i < s->n; i++) {
    if (by_name(&s->tensors[i - 1], &s->tensors[i]) != 0) continue;
    return tg_fail(err, T5GIST_EFORMAT, "tensor %s: expected in one file, found in %s and %s", s->tensors[i].name, s->paths[s->tensors[i - 1].file],
                   s->paths[s->tensors[i].file]);
  }
  return T5GIST_OK;
}

static t5gist_status list_safetensors(tg_source *s, t5gist_error *err) {
  size_t total = 0;
  for (size_t f = 0; f < s->n_paths; f++) total += tg_safetensors_count(tg_checkpoint_file(s->checkpoint, f));
  TG_TRY(tg_alloc(&s->tensors, total, sizeof *s->tensors, err));
  for (size_t f = 0; f < s->n_paths; f++) {
    const tg_safetensors *file = tg_checkpoint_file(s->checkpoint, f);
    for (size_t i = 0; i < tg_safetensors_count(file); i++) {
      const tg_tensor *t = tg_safetensors_at(file, i);
      tg_source_tensor *out = &s->tensors[s->n++];
      *out = (tg_source_tensor){.name = t->name, .dtype = t->dtype, .rank = t->rank, .count = t->count, .data = t->data, .file = f};
      memcpy(out->shape, t->shape, sizeof t->shape);
    }
  }
  return sort_tensors(s, err);
}

static t5gist_status list_bins(tg_source *s, t5gist_error *err) {
  size_t total = 0;
  for (size_t f = 0; f < s->n_paths; f++) total += tg_torch_bin_count(s->bins[f]);
  TG_TRY(tg_alloc(&s->tensors, total, sizeof *s->tensors, err));
  for (size_t f = 0; f < s->n_paths; f++) {
    for (size_t i = 0; i < tg_torch_bin_count(s->bins[f]); i++) {
      const tg_torch_tensor *t = tg_torch_bin_at(s->bins[f], i);
      tg_source_tensor *out = &s->tensors[s->n++];
      *out = (tg_source_tensor){
          .name = t->name, .dtype = t->dtype, .rank = t->rank, .count = t->count, .data = t->data, .transposed = t->transposed, .file = f};
      memcpy(out->shape, t->shape, sizeof t->shape);
    }
  }
  return sort_tensors(s, err);
}

/* -------------------------------------------------------------------------------------------------------------------------- opening */

static t5gist_status open_checkpoint(const char *dir, tg_source *s, t5gist_error *err) {
  TG_TRY(tg_checkpoint_open(dir, &s->checkpoint, err));
  const size_t n = tg_checkpoint_files(s->checkpoint);
  TG_TRY(tg_alloc(&s->paths, n, sizeof *s->paths, err));
  for (; s->n_paths < n; s->n_paths++) {
    TG_TRY(tg_strdup(&s->paths[s->n_paths], tg_safetensors_path(tg_checkpoint_file(s->checkpoint, s->n_paths)), err));
  }
  return list_safetensors(s, err);
}

static t5gist_status open_bins(const char *dir, const char *const *names, size_t n, tg_source *s, t5gist_error *err) {
  TG_TRY(tg_alloc(&s->paths, n, sizeof *s->paths, err));
  TG_TRY(tg_alloc(&s->bins, n, sizeof *s->bins, err));
  for (size_t i = 0; i < n; i++) {
    TG_TRY(tg_path_join(&s->paths[i], dir, names[i], err));
    s->n_paths++;
    TG_TRY(tg_torch_bin_open(s->paths[i], &s->bins[i], err));
  }
  return list_bins(s, err);
}

static t5gist_status check_map(const tg_source *s, const tg_shards *shards, const char *index, t5gist_error *err) {
  const char *name;
  json_t *file;
  json_object_foreach((json_t *)shards->map, name, file) {
    const tg_source_tensor key = {.name = name}, *found = bsearch(&key, s->tensors, s->n, sizeof *s->tensors, by_name);
    if (found && strcmp(shards->names[found->file], json_string_value(file)) == 0) continue;
    return tg_fail(err, T5GIST_EFORMAT, "%s: expected tensor %.200s in %.200s, found no such tensor there", index, name, json_string_value(file));
  }
  return T5GIST_OK;
}

static t5gist_status open_sharded_bins(const char *dir, const char *index, tg_source *s, t5gist_error *err) {
  tg_shards shards;
  TG_TRY(tg_shards_read(index, ".bin", &shards, err));
  t5gist_status status = open_bins(dir, shards.names, shards.n, s, err);
  if (status == T5GIST_OK) status = check_map(s, &shards, index, err);
  tg_shards_free(&shards);
  return status;
}

static t5gist_status open_any(const char *dir, tg_source *s, t5gist_error *err) {
  static const char *const names[] = {"model.safetensors", "model.safetensors.index.json", "pytorch_model.bin", "pytorch_model.bin.index.json"};
  for (size_t i = 0; i < 4; i++) {
    char *path;
    bool found;
    TG_TRY(path_if_there(dir, names[i], &path, &found, err));
    if (!found) continue;
    const t5gist_status status = i < 2    ? open_checkpoint(dir, s, err)
                                 : i == 2 ? open_bins(dir, names + i, 1, s, err)
                                          : open_sharded_bins(dir, path, s, err);
    tg_free(path);
    return status;
  }
  return tg_fail(err, T5GIST_EIO, "%s: expected weights, model.safetensors or pytorch_model.bin or one of them in shards with an index; found none",
                 dir);
}

t5gist_status tg_source_open(const char *dir, tg_source *source, t5gist_error *err) {
  memset(source, 0, sizeof *source);
  const t5gist_status status = open_any(dir, source, err);
  if (status != T5GIST_OK) tg_source_close(source);
  return status;
}

void tg_source_close(tg_source *s) {
  for (size_t i = 0; i < s->n_paths; i++) {
    if (s->bins) tg_torch_bin_close(s->bins[i]);
    tg_free(s->paths[i]);
  }
  tg_free(s->bins);
  tg_free(s->paths);
  tg_free(s->tensors);
  tg_checkpoint_close(s->checkpoint);
  memset(s, 0, sizeof *s);
}
