/* What is in a model folder or a gist file, also where it is damaged: whatever can be read is shown, then what is wrong. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "gist/gist.h"
#include "gist/tools.h"
#include "runtime/error.h"
#include "runtime/file.h"
#include "runtime/folder.h"
#include "runtime/io.h"
#include "runtime/json.h"
#include "t5/checkpoint.h"
#include "t5/gist_ids.h"

/* One line "  name          value", the value escaped; null: there was no memory for it. */
static void show(FILE *out, const char *name, const char *value) {
  char *escaped = NULL;
  if (value) (void)tg_escape(value, &escaped, NULL);
  fprintf(out, "  %-16s %s\n", name, escaped ? escaped : "(not enough memory)");
  tg_free(escaped);
}

/* One line "  name          key = value", key and value escaped; value null as in show. */
static void show_pair(FILE *out, const char *name, const char *key, const char *value) {
  tg_buffer pair = {0};
  const bool made = value && tg_buffer_printf(&pair, NULL, "%s = %s", key, value) == T5GIST_OK;
  show(out, name, made ? pair.data : NULL);
  tg_buffer_free(&pair);
}

/* Keeps the first problem for the caller and shows every one. */
static void show_problem(FILE *out, const t5gist_error *problem, t5gist_error *first) {
  fprintf(out, "  %-16s %s\n", "PROBLEM", problem->message);
  if (first->status == T5GIST_OK) *first = *problem;
}

/* ------------------------------------------------------------------------------------------------------------------------- model folder */

static void show_shape(FILE *out, const tg_config *c) {
  static const char *const activations[] = {"relu", "gelu_new", "silu"}, *const heads[] = {"its own", "its own, else the embedding", "the embedding"};
  fprintf(out, "  %-16s %s\n", "model_type", c->model_type);
  fprintf(out, "  %-16s %d encoder + %d decoder\n", "layers", c->n_layers, c->n_decoder_layers);
  fprintf(out, "  %-16s d_model %d, d_ff %d, %d heads of %d\n", "width", c->d_model, c->d_ff, c->n_heads, c->d_kv);
  fprintf(out, "  %-16s %s%s\n", "feed-forward", c->gated ? "gated " : "", activations[c->activation]);
  fprintf(out, "  %-16s %d buckets, distance %d\n", "positions", c->n_buckets, c->max_distance);
  fprintf(out, "  %-16s %s%s\n", "output head", heads[c->head], c->scale_decoder_output ? ", scaled" : "");
  fprintf(out, "  %-16s %d rows; pad %d, end %d, start %d\n", "vocabulary", c->vocab_size, c->pad_id, c->eos_id, c->start_id);
}

static void show_gists(FILE *out, const tg_config *c, const char *tokenizer_path) {
  if (c->n_gist_ids == 0) {
    fprintf(out, "  %-16s %s\n", "gist tokens", tokenizer_path ? "none: only full and raw prompts work" : "unknown without a tokenizer");
    return;
  }
  fprintf(out, "  %-16s %d distinct row%s, id %d%s; %d by default\n", "gist tokens", c->n_gist_ids, c->n_gist_ids == 1 ? "" : "s", c->gist_ids[0],
          c->n_gist_ids == 1 ? ", repeated" : " and on", c->default_gists);
  fprintf(out, "  %-16s at most %d tokens in training\n", "task", c->max_task_tokens);
  show(out, "task template", c->template_task);
  show(out, "input template", c->template_input);
}

static void show_metadata_block(FILE *out, const tg_config *c) {
  const json_t *block = json_object_get(c->json, "t5gist");
  char *text = block ? json_dumps(block, JSON_COMPACT | JSON_ENCODE_ANY) : NULL;
  show(out, "t5gist block", block ? text : "none");
  free(text);
}

static void show_generation(FILE *out, const t5gist_options *o) {
  const struct {
    const char *name;
    int value;
  } numbers[] = {{"max_new_tokens", o->max_new_tokens},
                 {"min_new_tokens", o->min_new_tokens},
                 {"beams", o->beams},
                 {"n_best", o->n_best},
                 {"early_stopping", o->early_stopping},
                 {"top_k", o->top_k},
                 {"no_repeat_ngram_size", o->no_repeat_ngram_size}};
  const struct {
    const char *name;
    float value;
  } reals[] = {
      {"length_penalty", o->length_penalty}, {"temperature", o->temperature}, {"top_p", o->top_p}, {"repetition_penalty", o->repetition_penalty}};
  fprintf(out, "  %-16s", "generation");
  int shown = 0;
  for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
    if (numbers[i].value != T5GIST_UNSET) shown += fprintf(out, " %s %d", numbers[i].name, numbers[i].value);
  }
  for (size_t i = 0; i < sizeof reals / sizeof *reals; i++) {
    if (!isnan(reals[i].value)) shown += fprintf(out, " %s %g", reals[i].name, (double)reals[i].value);
  }
  fprintf(out, shown ? "\n" : " built-in defaults\n");
}

/* Opens the tokenizer, completes the gist tokens from it, and shows both. *path: the tokenizer's file, the caller's, or null. */
static void show_tokenizer(FILE *out, const char *dir, tg_config *config, char **path, t5gist_error *first) {
  tg_tokenizer *tokenizer;
  t5gist_error problem;
  *path = NULL;
  if (tg_tokenizer_open(dir, config->vocab_size, &tokenizer, &problem) != T5GIST_OK) {
    show_problem(out, &problem, first);
    return;
  }
  fprintf(out, "  %-16s %s, %d pieces\n", "tokenizer", tg_tokenizer_path(tokenizer), tg_tokenizer_pieces(tokenizer));
  if (tg_strdup(path, tg_tokenizer_path(tokenizer), &problem) != T5GIST_OK || tg_find_gist_ids(tokenizer, config, &problem) != T5GIST_OK) {
    show_problem(out, &problem, first);
  }
  tg_tokenizer_free(tokenizer);
}

static void show_weights(FILE *out, const char *dir, const tg_config *config, const char *tokenizer_path, t5gist_error *first) {
  tg_checkpoint *checkpoint;
  t5gist_error problem;
  if (tg_checkpoint_open(dir, &checkpoint, &problem) != T5GIST_OK) {
    show_problem(out, &problem, first);
    return;
  }
  size_t parameters = 0;
  for (size_t i = 0; i < tg_checkpoint_files(checkpoint); i++) {
    const tg_safetensors *file = tg_checkpoint_file(checkpoint, i);
    const size_t n = tg_safetensors_count(file);
    for (size_t t = 0; t < n; t++) {
      const tg_tensor *tensor = tg_safetensors_at(file, t);
      const char *scale = strstr(tensor->name, ".weight_scale");                  /* belongs to a matrix of whole numbers */
      if (!scale) parameters += tensor->count * (tensor->dtype == TG_U8 ? 2 : 1); /* U8: two numbers to a byte */
    }
    fprintf(out, "  %-16s %s: %zu tensors%s%s\n", "weights", tg_safetensors_path(file), n, n ? " of " : "",
            n ? tg_dtype_name(tg_safetensors_at(file, 0)->dtype) : "");
  }
  fprintf(out, "  %-16s %zu\n", "parameters", parameters);
  char fingerprint[TG_SHA256_HEX];
  if (config->source_fingerprint)
    fprintf(out, "  %-16s %s (of the source it was converted from)\n", "fingerprint", config->source_fingerprint);
  else if (tokenizer_path == NULL)
    fprintf(out, "  %-16s unknown without a tokenizer\n", "fingerprint");
  else if (tg_checkpoint_fingerprint(checkpoint, dir, tokenizer_path, fingerprint, &problem) != T5GIST_OK)
    show_problem(out, &problem, first);
  else
    fprintf(out, "  %-16s %s\n", "fingerprint", fingerprint);
  tg_checkpoint_close(checkpoint);
}

static void show_file(FILE *out, const char *dir, const char *name) {
  char *path = NULL, *escaped = NULL, size[32];
  struct stat st;
  if (tg_path_join(&path, dir, name, NULL) != T5GIST_OK || tg_escape(name, &escaped, NULL) != T5GIST_OK) {
    fprintf(out, "  %-16s (not enough memory)\n", "file");
  } else if (tg_io_stat(path, &st) != 0) {
    fprintf(out, "  %-16s %20s  %s: %s\n", "file", "", escaped, strerror(errno));
  } else if (S_ISREG(st.st_mode)) {
    snprintf(size, sizeof size, "%lld bytes", (long long)st.st_size);
    fprintf(out, "  %-16s %20s  %s\n", "file", size, escaped);
  }
  tg_free(escaped);
  tg_free(path);
}

static void show_files(FILE *out, const char *dir, t5gist_error *first) {
  tg_strings names = {0};
  t5gist_error problem;
  if (tg_folder_list(dir, &names, &problem) != T5GIST_OK) show_problem(out, &problem, first);
  for (size_t i = 0; i < names.count; i++)
    if (names.items[i][0] != '.') show_file(out, dir, names.items[i]);
  tg_strings_clear(&names);
}

t5gist_status tg_inspect_folder(const char *dir, FILE *out, t5gist_error *err) {
  tg_config config;
  t5gist_error first = {0}, problem;
  fprintf(out, "model folder %s\n", dir);
  if (tg_config_load(dir, &config, &problem) == T5GIST_OK) {
    char *tokenizer_path;
    show_shape(out, &config);
    show_generation(out, &config.generation);
    show_metadata_block(out, &config);
    show_tokenizer(out, dir, &config, &tokenizer_path, &first);
    show_gists(out, &config, tokenizer_path);
    show_weights(out, dir, &config, tokenizer_path, &first);
    tg_free(tokenizer_path);
    tg_config_free(&config);
  } else {
    show_problem(out, &problem, &first);
  }
  show_files(out, dir, &first);
  TG_TRY(tg_check_stream(out, "the description", err));
  return first.status == T5GIST_OK ? T5GIST_OK : tg_fail(err, first.status, "%s", first.message);
}

/* ---------------------------------------------------------------------------------------------------------------------------- gist file */

static void show_gist(FILE *out, const t5gist_gist *gist, const tg_gist_checksum *checksum) {
  t5gist_gist_info info;
  t5gist_gist_describe(gist, &info);
  fprintf(out, "  %-16s %d\n", "format version", info.format_version);
  show(out, "task", info.task);
  fprintf(out, "  %-16s %s\n", "task_sha256", info.task_sha256);
  fprintf(out, "  %-16s %d gist tokens for %d task tokens\n", "compression", info.n_gist, info.n_task);
  fprintf(out, "  %-16s %s\n", "fingerprint", info.fingerprint);
  show(out, "task template", gist->template_task);
  show(out, "input template", gist->template_input);
  fprintf(out, "  %-16s %d encoder layers, %d heads of %d, d_model %d\n", "shape", info.n_layers, info.n_heads, info.d_kv, info.d_model);
  if (info.has_cross)
    fprintf(out, "  %-16s of %d decoder layers\n", "cross K and V", gist->n_decoder_layers);
  else
    fprintf(out, "  %-16s not kept\n", "cross K and V");
  fprintf(out, "  %-16s %s, %zu bytes of tensors\n", "payload", info.payload, info.bytes);
  show(out, "program version", info.program_version);
  show(out, "computed with", info.computed_with);
  fprintf(out, "  %-16s %s\n", "checksum", checksum->stored);
}

/* Tensors and metadata as the header of a damaged file names them, nothing of it checked. */
static void show_raw_header(FILE *out, const char *header, size_t n, const char *path) {
  json_t *json;
  t5gist_error problem;
  if (tg_json_check_size(header, n, path, &problem) != T5GIST_OK || tg_json_parse(header, n, path, &json, &problem) != T5GIST_OK) {
    fprintf(out, "  %-16s unreadable: %s\n", "header", problem.message);
    return;
  }
  const char *name, *key;
  json_t *value, *text;
  json_object_foreach(json, name, value) {
    if (strcmp(name, "__metadata__") == 0) continue;
    char *shown = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);
    show_pair(out, "tensor", name, shown);
    free(shown);
  }
  json_object_foreach(json_object_get(json, "__metadata__"), key, text) {
    show_pair(out, "metadata", key, json_is_string(text) ? json_string_value(text) : tg_json_type_name(text));
  }
  json_decref(json);
}

static void show_damaged(FILE *out, const char *path, const tg_buffer *bytes, const tg_gist_checksum *checksum) {
  uint64_t length = 0;
  for (size_t i = 8; i-- > 0 && bytes->size >= 8;) length = length << 8 | (unsigned char)bytes->data[i];
  if (bytes->size < 8) {
    fprintf(out, "  %-16s cut off: expected 8 bytes of length, found %zu\n", "header", bytes->size);
  } else if (length > bytes->size - 8) {
    fprintf(out, "  %-16s expected %llu bytes at byte 8, found only %zu in the file\n", "header", (unsigned long long)length, bytes->size - 8);
  } else {
    fprintf(out, "  %-16s bytes 8 to %llu, tensors behind it\n", "header", (unsigned long long)length + 7);
    if (checksum->stored[0]) {
      const char *verdict = strcmp(checksum->stored, checksum->computed) == 0 ? "as computed" : "DIFFERS from the computed one";
      fprintf(out, "  %-16s %s stored, %s\n  %-16s %s computed\n", "checksum", checksum->stored, verdict, "", checksum->computed);
    }
    show_raw_header(out, bytes->data + 8, (size_t)length, path);
  }
}

t5gist_status tg_inspect_gist(const char *path, FILE *out, t5gist_error *err) {
  tg_buffer bytes = {0};
  tg_gist_checksum checksum = {0};
  t5gist_gist *gist = NULL;
  t5gist_error problem;
  t5gist_status status = tg_read_file(path, TG_GIST_FILE_LIMIT, false, &bytes, err);
  if (status == T5GIST_OK) {
    fprintf(out, "file %s, %zu bytes\n", path, bytes.size);
    tg_gist_check_bytes((const unsigned char *)bytes.data, bytes.size, path, &checksum, NULL);
    status = tg_gist_parse(bytes.data, bytes.size, path, &gist, &problem);
    if (status == T5GIST_OK) {
      show_gist(out, gist, &checksum);
      status = tg_check_stream(out, "the description", err);
    } else {
      show_damaged(out, path, &bytes, &checksum);
      tg_fail(err, status, "%s", problem.message);
    }
  }
  t5gist_gist_free(gist);
  tg_buffer_free(&bytes);
  return status;
}
