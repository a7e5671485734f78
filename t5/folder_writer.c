#include "t5/folder_writer.h"

#include <stdlib.h>
#include <string.h>

#include "runtime/error.h"
#include "runtime/folder.h"

enum { FILE_MODE = 0644 };

static const char *const copied[] = {"spiece.model",      "tokenizer.json",          "tokenizer_config.json",
                                     "added_tokens.json", "special_tokens_map.json", "generation_config.json"};
enum { N_COPIED = sizeof copied / sizeof *copied, N_TOKENIZER = N_COPIED - 1 };

static t5gist_status open_file(tg_folder_writer *folder, const char *name, tg_writer **writer, t5gist_error *err) {
  char *path;
  if (folder->n == TG_FOLDER_WRITER_FILES)
    return tg_fail(err, T5GIST_EINTERNAL, "%s: expected at most %d files, found %s too", folder->dir, TG_FOLDER_WRITER_FILES, name);
  TG_TRY(tg_path_join(&path, folder->dir, name, err));
  const t5gist_status status = tg_writer_open(path, FILE_MODE, writer, err);
  if (status == T5GIST_OK) {
    folder->names[folder->n] = name;
    folder->writers[folder->n++] = *writer;
  }
  tg_free(path);
  return status;
}

t5gist_status tg_folder_writer_weights(tg_folder_writer *folder, const tg_tensor *tensors, size_t n, tg_writer **writer, t5gist_error *err) {
  tg_buffer header = {0};
  t5gist_status status;
  json_t *metadata = json_pack("{ss}", "format", "pt"); /* what Hugging Face's loader looks for */
  if (!metadata) return tg_fail(err, T5GIST_ENOMEM, "not enough memory for the header of %s/model.safetensors", folder->dir);
  TG_GOTO(tg_safetensors_header(tensors, n, metadata, &header, err));
  TG_GOTO(tg_make_dirs(folder->dir, err));
  TG_GOTO(open_file(folder, "model.safetensors", writer, err));
  TG_GOTO(tg_writer_write(*writer, header.data, header.size, err));
done:
  tg_buffer_free(&header);
  json_decref(metadata);
  return status;
}

static bool is_written(const tg_folder_writer *folder, const char *name) {
  for (size_t i = 0; i < folder->n; i++) {
    if (strcmp(folder->names[i], name) == 0) return true;
  }
  return false;
}

/* The path of a file to copy (null: there is none), or a sentence about one that would stay. */
static t5gist_status find_source(const tg_folder_writer *folder, const char *from_dir, const char *name, char **from, t5gist_error *err) {
  char *to = NULL;
  t5gist_status status;
  *from = NULL;
  TG_GOTO(tg_path_join(from, from_dir, name, err));
  TG_GOTO(tg_path_join(&to, folder->dir, name, err));
  if (tg_file_exists(*from)) goto done;
  tg_free(*from);
  *from = NULL;
  if (tg_file_exists(to) && !is_written(folder, name))
    status = tg_fail(err, T5GIST_EUSAGE, "%s: expected an empty folder or an earlier version of the same model, found %s, which %s does not have",
                     folder->dir, name, from_dir);
done:
  if (status != T5GIST_OK) {
    tg_free(*from);
    *from = NULL;
  }
  tg_free(to);
  return status;
}

t5gist_status tg_folder_writer_check(const char *dir, const char *from_dir, t5gist_error *err) {
  const tg_folder_writer folder = {.dir = dir};
  for (size_t i = 0; i < N_COPIED; i++) {
    char *from;
    TG_TRY(find_source(&folder, from_dir, copied[i], &from, err));
    tg_free(from);
  }
  return T5GIST_OK;
}

static t5gist_status copy_file(tg_folder_writer *folder, const char *from, const char *name, t5gist_error *err) {
  tg_map map;
  tg_writer *writer;
  TG_TRY(tg_map_open(from, &map, err));
  t5gist_status status = open_file(folder, name, &writer, err);
  if (status == T5GIST_OK) status = tg_writer_write(writer, map.data, map.size, err);
  tg_map_close(&map);
  return status;
}

static t5gist_status copy_files(tg_folder_writer *folder, const char *from_dir, size_t n, t5gist_error *err) {
  for (size_t i = 0; i < n; i++) {
    char *from;
    TG_TRY(find_source(folder, from_dir, copied[i], &from, err));
    const t5gist_status status = from ? copy_file(folder, from, copied[i], err) : T5GIST_OK;
    tg_free(from);
    if (status != T5GIST_OK) return status;
  }
  return T5GIST_OK;
}

t5gist_status tg_folder_writer_copy(tg_folder_writer *folder, const char *from_dir, t5gist_error *err) {
  return copy_files(folder, from_dir, N_COPIED, err);
}

t5gist_status tg_folder_writer_copy_tokenizer(tg_folder_writer *folder, const char *from_dir, t5gist_error *err) {
  return copy_files(folder, from_dir, N_TOKENIZER, err);
}

t5gist_status tg_folder_writer_json(tg_folder_writer *folder, const char *name, const json_t *json, t5gist_error *err) {
  tg_buffer bytes = {0};
  tg_writer *writer;
  t5gist_status status;
  char *text = json_dumps(json, JSON_INDENT(2));
  if (!text) return tg_fail(err, T5GIST_ENOMEM, "not enough memory for %s/%s", folder->dir, name);
  TG_GOTO(tg_buffer_printf(&bytes, err, "%s\n", text));
  TG_GOTO(open_file(folder, name, &writer, err));
  TG_GOTO(tg_writer_write(writer, bytes.data, bytes.size, err));
done:
  tg_buffer_free(&bytes);
  free(text);
  return status;
}

/* Takes config.json away before the first of several files takes its place: what stands there until the last one does is no model, rather than files of two. */
static t5gist_status hide(const tg_folder_writer *folder, t5gist_error *err) {
  char *config;
  TG_TRY(tg_path_join(&config, folder->dir, "config.json", err));
  t5gist_status status = tg_file_remove(config, err); /* if there is one */
  if (status == T5GIST_OK) status = tg_dir_sync(folder->dir, err);
  tg_free(config);
  return status;
}

t5gist_status tg_folder_writer_commit(tg_folder_writer *folder, t5gist_error *err) {
  t5gist_status status = T5GIST_OK;
  for (size_t i = 0; i < folder->n; i++) TG_GOTO(tg_writer_sync(folder->writers[i], err));
  TG_GOTO(hide(folder, err));
  for (size_t i = 0; i < folder->n; i++) {
    tg_writer *writer = folder->writers[i];
    folder->writers[i] = NULL; /* commit frees it */
    TG_GOTO(tg_writer_commit(writer, err));
  }
done:
  tg_folder_writer_abort(folder);
  return status;
}

void tg_folder_writer_abort(tg_folder_writer *folder) {
  for (size_t i = 0; i < folder->n; i++) tg_writer_abort(folder->writers[i]);
  folder->n = 0;
}

bool tg_folder_set_dtype(json_t *config, tg_dtype dtype) {
  const char *word = dtype == TG_F32 ? "float32" : dtype == TG_BF16 ? "bfloat16" : "float16";
  const bool newer = json_object_get(config, "dtype") != NULL;
  if (newer && json_object_set_new(config, "dtype", json_string(word)) != 0) return false;
  if (newer && !json_object_get(config, "torch_dtype")) return true;
  return json_object_set_new(config, "torch_dtype", json_string(word)) == 0;
}
