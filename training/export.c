/* A trained model as a Hugging Face folder. */
#include <string.h>

#include "runtime/error.h"
#include "runtime/memory.h"
#include "t5/folder_writer.h"
#include "training/parameters.h"

enum { CHUNK = 1 << 16 }; /* floats narrowed at a time */

/* ------------------------------------------------------------------------------------------------------------------------- weights */

static t5gist_status write_bf16(tg_writer *writer, const float *weights, size_t n, t5gist_error *err) {
  uint16_t *narrow;
  t5gist_status status = T5GIST_OK;
  TG_TRY(tg_alloc(&narrow, CHUNK, sizeof *narrow, err));
  for (size_t at = 0; status == T5GIST_OK && at < n; at += CHUNK) {
    const size_t some = n - at < CHUNK ? n - at : CHUNK;
    tg_narrow_bf16(weights + at, some, narrow);
    status = tg_writer_write(writer, narrow, some * sizeof *narrow, err);
  }
  tg_free(narrow);
  return status;
}

static t5gist_status write_weights(tg_folder_writer *folder, const tg_layout *layout, const float *weights, bool bf16, t5gist_error *err) {
  tg_tensor *tensors;
  tg_writer *writer;
  TG_TRY(tg_alloc(&tensors, layout->n, sizeof *tensors, err));
  for (size_t i = 0; i < layout->n; i++) {
    const tg_parameter *p = &layout->parameters[i];
    tensors[i] = (tg_tensor){.name = p->name, .dtype = bf16 ? TG_BF16 : TG_F32, .rank = p->n_dims, .shape = {p->dims[0], p->dims[1]}};
  }
  const t5gist_status status = tg_folder_writer_weights(folder, tensors, layout->n, &writer, err);
  tg_free(tensors);
  if (status != T5GIST_OK) return status;
  if (bf16) return write_bf16(writer, weights, layout->count, err); /* the layout has no gaps */
  return tg_writer_write(writer, weights, layout->count * sizeof *weights, err);
}

/* --------------------------------------------------------------------------------------------------------------------- config.json */

/* What no longer holds of other weights. */
static void forget(json_t *block) {
  static const char *const keys[] = {"source_fingerprint", "dtype", "wo_dtype", "drift"};
  for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) json_object_del(block, keys[i]);
}

static json_t *integers(const int *values, int n) {
  json_t *list = json_array();
  for (int i = 0; i < n; i++) json_array_append_new(list, json_integer(values[i]));
  return list;
}

static json_t *texts(const char *const *values, int n) {
  json_t *list = json_array();
  for (int i = 0; i < n; i++) json_array_append_new(list, json_string(values[i]));
  return list;
}

/* A list that could not be made whole is missing elements: true where memory ran out. */
static bool set_list(json_t *block, const char *key, json_t *list, int n) {
  if ((int)json_array_size(list) == n && json_object_set(block, key, list) == 0) {
    json_decref(list);
    return true;
  }
  json_decref(list);
  return false;
}

static bool edit_block(const tg_config *c, const tg_export *what, json_t *json) {
  json_t *block = json_object_get(json, "t5gist");
  if (!json_is_object(block)) {
    block = json_object();
    if (json_object_set_new(json, "t5gist", block) != 0) return false;
  }
  forget(block);
  if (!set_list(block, "gist_token_ids", integers(c->gist_ids, c->n_gist_ids), c->n_gist_ids)) return false;
  if (c->n_gist_ids == 0) json_object_del(block, "gist_token_ids"); /* an empty list is none */
  return set_list(block, "gists", integers(what->gists, what->n_gists), what->n_gists) &&
         set_list(block, "conditions", texts(what->conditions, what->n_conditions), what->n_conditions) &&
         json_object_set_new(block, "default_gists", json_integer(what->default_gists)) == 0 &&
         json_object_set_new(block, "max_task_tokens", json_integer(what->max_task_tokens)) == 0 &&
         json_object_set_new(block, "template", json_pack("{ss ss}", "task", c->template_task, "input", c->template_input)) == 0;
}

/* transformers 5 writes tie_word_embeddings true whatever the truth, and transformers 4 would believe it. */
static bool edit_config(const tg_layout *layout, const tg_export *what, json_t *json) {
  if (json_object_set_new(json, "vocab_size", json_integer(layout->config->vocab_size)) != 0) return false;
  if (!layout->tied && json_object_set_new(json, "tie_word_embeddings", json_false()) != 0) return false;
  return tg_folder_set_dtype(json, what->bf16 ? TG_BF16 : TG_F32) && edit_block(layout->config, what, json);
}

static t5gist_status write_config(tg_folder_writer *folder, const tg_layout *layout, const tg_export *what, t5gist_error *err) {
  json_t *json = json_deep_copy(layout->config->json);
  const bool edited = json && edit_config(layout, what, json);
  const t5gist_status status = edited ? tg_folder_writer_json(folder, "config.json", json, err)
                                      : tg_fail(err, T5GIST_ENOMEM, "%s: not enough memory for config.json", folder->dir);
  json_decref(json);
  return status;
}

/* Where the tokenizer's folder has none to copy. */
static t5gist_status write_generation(tg_folder_writer *folder, const tg_config *c, const char *tokenizer_dir, t5gist_error *err) {
  char *path;
  TG_TRY(tg_path_join(&path, tokenizer_dir, "generation_config.json", err));
  const bool found = tg_file_exists(path);
  tg_free(path);
  if (found) return T5GIST_OK;
  json_t *json = json_pack("{sb si si si}", "_from_model_config", 1, "decoder_start_token_id", c->start_id, "eos_token_id", c->eos_id, "pad_token_id",
                           c->pad_id);
  const t5gist_status status = json ? tg_folder_writer_json(folder, "generation_config.json", json, err)
                                    : tg_fail(err, T5GIST_ENOMEM, "%s: not enough memory for generation_config.json", folder->dir);
  json_decref(json);
  return status;
}

/* -------------------------------------------------------------------------------------------------------------------------- public */

t5gist_status tg_parameters_export(const tg_layout *layout, const float *weights, const tg_export *what, t5gist_error *err) {
  tg_folder_writer folder = {.dir = what->out_dir};
  t5gist_status status;
  TG_GOTO(write_weights(&folder, layout, weights, what->bf16, err));
  TG_GOTO(write_generation(&folder, layout->config, what->tokenizer_dir, err));
  TG_GOTO(tg_folder_writer_copy(&folder, what->tokenizer_dir, err));
  TG_GOTO(write_config(&folder, layout, what, err));
  TG_GOTO(tg_folder_writer_commit(&folder, err));
done:
  tg_folder_writer_abort(&folder);
  return status;
}
