/* config.json, its "t5gist" block, and generation_config.json. */
#include "t5/config.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "runtime/error.h"
#include "runtime/file.h"
#include "runtime/io.h"
#include "runtime/json.h"
#include "runtime/linear.h"
#include "runtime/memory.h"

enum { CONFIG_LIMIT = 4 << 20, MAX_GISTS = 1024, MAX_TEMPLATE = 4096, MAX_TOKENS = 1 << 20 };

/* ---------------------------------------------------------------------------------------------------------------------- model type */

static bool has_architecture(const json_t *json, const char *name) {
  const json_t *list = json_object_get(json, "architectures");
  size_t i;
  json_t *item;
  json_array_foreach(list, i, item) {
    if (json_is_string(item) && strcmp(json_string_value(item), name) == 0) return true;
  }
  return false;
}

static t5gist_status read_model_type(const json_t *json, const char *where, tg_config *config, t5gist_error *err) {
  const char *type = NULL;
  TG_TRY(tg_json_string(json, "model_type", where, &type, err));
  if (!type && has_architecture(json, "T5ForConditionalGeneration")) type = "t5";
  if (!type && has_architecture(json, "MT5ForConditionalGeneration")) type = "mt5";
  if (!type) return tg_fail(err, T5GIST_EFORMAT, "%s: model_type: expected \"t5\" or \"mt5\", found nothing", where);
  if (strcmp(type, "umt5") == 0) {
    return tg_fail(err, T5GIST_EUNSUPPORTED,
                   "%s: model_type \"umt5\" has a position bias per layer, which is not supported; expected \"t5\" or \"mt5\"", where);
  }
  if (strcmp(type, "longt5") == 0) {
    return tg_fail(err, T5GIST_EUNSUPPORTED, "%s: model_type \"longt5\" has local attention, which is not supported; expected \"t5\" or \"mt5\"",
                   where);
  }
  if (strcmp(type, "t5") != 0 && strcmp(type, "mt5") != 0) {
    return tg_fail(err, T5GIST_EUNSUPPORTED, "%s: model_type: expected \"t5\" or \"mt5\", found \"%.64s\", which is not supported", where, type);
  }
  strcpy(config->model_type, type);
  return T5GIST_OK;
}

/* What T5Config and MT5Config fill in for absent keys. */
static void set_defaults(tg_config *config) {
  const bool mt5 = strcmp(config->model_type, "mt5") == 0;
  config->vocab_size = mt5 ? 250112 : 32128;
  config->d_model = 512;
  config->d_kv = 64;
  config->d_ff = mt5 ? 1024 : 2048;
  config->n_heads = mt5 ? 6 : 8;
  config->n_layers = mt5 ? 8 : 6;
  config->n_buckets = 32;
  config->max_distance = 128;
  config->eps = 1e-6f;
  config->eos_id = 1;
}

/* --------------------------------------------------------------------------------------------------------------------------- shape */

static t5gist_status read_shape(const json_t *json, const char *where, tg_config *config, t5gist_error *err) {
  const struct {
    const char *key;
    int min, max, *out;
  } keys[] = {
      {"vocab_size", 1, 4 << 20, &config->vocab_size},
      {"d_model", 1, 65536, &config->d_model},
      {"d_kv", 1, 4096, &config->d_kv},
      {"d_ff", 1, 262144, &config->d_ff},
      {"num_heads", 1, 1024, &config->n_heads},
      {"num_layers", 1, 1024, &config->n_layers},
      {"relative_attention_num_buckets", 4, 4096, &config->n_buckets},
      {"relative_attention_max_distance", 2, 1 << 20, &config->max_distance},
  };
  for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) TG_TRY(tg_json_int(json, keys[i].key, where, keys[i].min, keys[i].max, keys[i].out, err));
  config->n_decoder_layers = config->n_layers;
  TG_TRY(tg_json_int(json, "num_decoder_layers", where, 1, 1024, &config->n_decoder_layers, err));
  TG_TRY(tg_json_float(json, "layer_norm_epsilon", where, 0, 1, &config->eps, err));
  if ((long long)config->n_heads * config->d_kv > 262144) {
    return tg_fail(err, T5GIST_EFORMAT, "%s: num_heads * d_kv: expected at most 262144, found %d * %d", where, config->n_heads, config->d_kv);
  }
  /* Buckets grow with the logarithm of distance / (buckets / 2): smaller distances leave the formula without meaning. */
  if (config->max_distance <= config->n_buckets / 2) {
    return tg_fail(err, T5GIST_EFORMAT,
                   "%s: relative_attention_max_distance: expected more than half of relative_attention_num_buckets (%d), found %d", where,
                   config->n_buckets, config->max_distance);
  }
  return T5GIST_OK;
}

static bool find_activation(const char *name, tg_activation *activation) {
  if (strcmp(name, "relu") == 0)
    *activation = TG_RELU;
  else if (strcmp(name, "gelu_new") == 0)
    *activation = TG_GELU_NEW;
  else if (strcmp(name, "silu") == 0)
    *activation = TG_SILU;
  else
    return false;
  return true;
}

/* feed_forward_proj is "[gated-]ACT"; "gated-gelu" means gated-gelu_new. dense_act_fn and is_gated_act, where present, override its halves. */
static t5gist_status read_activation(const json_t *json, const char *where, tg_config *config, t5gist_error *err) {
  const char *projection = strcmp(config->model_type, "mt5") == 0 ? "gated-gelu" : "relu", *dense = NULL;
  TG_TRY(tg_json_string(json, "feed_forward_proj", where, &projection, err));
  TG_TRY(tg_json_string(json, "dense_act_fn", where, &dense, err));
  config->gated = strncmp(projection, "gated-", 6) == 0;
  const char *name = strcmp(projection, "gated-gelu") == 0 ? "gelu_new" : projection + (config->gated ? 6 : 0);
  TG_TRY(tg_json_bool(json, "is_gated_act", where, &config->gated, err));
  if (!find_activation(name, &config->activation) && !dense) {
    return tg_fail(
        err, T5GIST_EUNSUPPORTED,
        "%s: feed_forward_proj: expected \"relu\", \"gated-gelu\", \"gated-silu\", \"gated-relu\", \"silu\" or \"gelu_new\", found \"%.64s\"", where,
        projection);
  }
  if (dense && !find_activation(dense, &config->activation)) {
    return tg_fail(err, T5GIST_EUNSUPPORTED, "%s: dense_act_fn: expected \"relu\", \"gelu_new\" or \"silu\", found \"%.64s\"", where, dense);
  }
  return T5GIST_OK;
}

/* transformers 5 writes tie_word_embeddings true into every T5 config and keeps the truth in scale_decoder_outputs. */
static t5gist_status read_head(const json_t *json, const char *where, tg_config *config, t5gist_error *err) {
  bool tied = strcmp(config->model_type, "t5") == 0;
  TG_TRY(tg_json_bool(json, "tie_word_embeddings", where, &tied, err));
  const json_t *scale = json_object_get(json, "scale_decoder_outputs");
  const bool has_scale = scale && !json_is_null(scale);
  config->scale_decoder_output = tied;
  TG_TRY(tg_json_bool(json, "scale_decoder_outputs", where, &config->scale_decoder_output, err));
  config->head = !tied ? TG_HEAD_FILE : has_scale ? TG_HEAD_FILE_OR_SHARED : TG_HEAD_SHARED;
  return T5GIST_OK;
}

/* ------------------------------------------------------------------------------------------------------------------------- tokens */

/* A token id, or a list of exactly one. */
static t5gist_status read_token(const json_t *json, const char *key, const char *where, const tg_config *config, int *id, t5gist_error *err) {
  const json_t *value = json_object_get(json, key);
  if (!json_is_array(value)) return tg_json_int(json, key, where, 0, config->vocab_size - 1, id, err);
  if (json_array_size(value) != 1)
    return tg_fail(err, T5GIST_EUNSUPPORTED, "%s: %s: expected one token id, found a list of %zu", where, key, json_array_size(value));
  const json_t *first = json_array_get(value, 0);
  if (!json_is_integer(first) || json_integer_value(first) < 0 || json_integer_value(first) >= config->vocab_size) {
    char found[TG_JSON_FOUND];
    return tg_fail(err, T5GIST_EFORMAT, "%s: %s: expected an integer from 0 to %d, found %s", where, key, config->vocab_size - 1,
                   tg_json_found(first, found));
  }
  *id = (int)json_integer_value(first);
  return T5GIST_OK;
}

static t5gist_status read_tokens(const json_t *json, const char *where, tg_config *config, t5gist_error *err) {
  TG_TRY(read_token(json, "pad_token_id", where, config, &config->pad_id, err));
  TG_TRY(read_token(json, "eos_token_id", where, config, &config->eos_id, err));
  config->start_id = config->pad_id;
  return read_token(json, "decoder_start_token_id", where, config, &config->start_id, err);
}

/* Once config.json and generation_config.json have both spoken. */
static t5gist_status check_tokens(const char *dir, const tg_config *config, t5gist_error *err) {
  if (config->eos_id == config->pad_id)
    return tg_fail(err, T5GIST_EFORMAT, "%s: expected different tokens, found eos_token_id and pad_token_id both %d", dir, config->eos_id);
  for (int i = 0; i < config->n_gist_ids; i++) {
    const int32_t id = config->gist_ids[i];
    if (id != config->pad_id && id != config->eos_id && id != config->start_id) continue;
    return tg_fail(err, T5GIST_EFORMAT, "%s: gist_token_ids[%d]: %d is the pad, end or start token", dir, i, id);
  }
  return T5GIST_OK;
}

/* -------------------------------------------------------------------------------------------------------------------- t5gist block */

static t5gist_status read_gist_ids(const json_t *block, const char *where, tg_config *config, t5gist_error *err) {
  const json_t *list = json_object_get(block, "gist_token_ids");
  if (!list || json_is_null(list)) return T5GIST_OK;
  const size_t n = json_array_size(list);
  if (n < 1 || n > MAX_GISTS) {
    return tg_fail(err, T5GIST_EFORMAT, "%s: gist_token_ids: expected a list of 1 to %d token ids, found %s of %zu", where, MAX_GISTS,
                   tg_json_type_name(list), n);
  }
  TG_TRY(tg_alloc(&config->gist_ids, n, sizeof *config->gist_ids, err));
  for (size_t i = 0; i < n; i++) {
    const json_t *item = json_array_get(list, i);
    const json_int_t id = json_integer_value(item);
    if (!json_is_integer(item) || id < 0 || id >= config->vocab_size) {
      return tg_fail(err, T5GIST_EFORMAT, "%s: gist_token_ids[%zu]: expected an integer from 0 to %d, found %s %lld", where, i,
                     config->vocab_size - 1, tg_json_type_name(item), (long long)id);
    }
    for (size_t j = 0; j < i; j++) {
      if (config->gist_ids[j] == id)
        return tg_fail(err, T5GIST_EFORMAT, "%s: gist_token_ids: expected distinct ids, found %lld twice", where, (long long)id);
    }
    config->gist_ids[i] = (int32_t)id;
  }
  config->n_gist_ids = (int)n;
  return T5GIST_OK;
}

/* "gists" (the trained k) and "conditions" are for people and trainers; they must still be what they say. */
static t5gist_status check_lists(const json_t *block, const char *where, t5gist_error *err) {
  size_t i;
  json_t *item;
  json_array_foreach(json_object_get(block, "gists"), i, item) {
    if (!json_is_integer(item) || json_integer_value(item) < 1 || json_integer_value(item) > MAX_GISTS) {
      return tg_fail(err, T5GIST_EFORMAT, "%s: gists[%zu]: expected an integer from 1 to %d", where, i, MAX_GISTS);
    }
  }
  json_array_foreach(json_object_get(block, "conditions"), i, item) {
    if (!json_is_string(item))
      return tg_fail(err, T5GIST_EFORMAT, "%s: conditions[%zu]: expected a string, found %s", where, i, tg_json_type_name(item));
  }
  return T5GIST_OK;
}

/* A template with its placeholder exactly once; also the default where the block has none. */
static t5gist_status read_template(const json_t *object, const char *key, const char *placeholder, const char *fallback, const char *where,
                                   char **out, t5gist_error *err) {
  const char *text = fallback;
  TG_TRY(tg_json_string(object, key, where, &text, err));
  const char *first = strstr(text, placeholder);
  if (!first || strstr(first + strlen(placeholder), placeholder)) {
    return tg_fail(err, T5GIST_EFORMAT, "%s: %s: expected a text with %s exactly once, found \"%.200s\"", where, key, placeholder, text);
  }
  if (strlen(text) > MAX_TEMPLATE)
    return tg_fail(err, T5GIST_EFORMAT, "%s: %s: expected at most %d bytes, found %zu", where, key, MAX_TEMPLATE, strlen(text));
  return tg_strdup(out, text, err);
}

static t5gist_status read_fingerprint(const json_t *block, const char *where, tg_config *config, t5gist_error *err) {
  const char *hex = NULL;
  TG_TRY(tg_json_string(block, "source_fingerprint", where, &hex, err));
  if (!hex) return T5GIST_OK;
  if (strlen(hex) != 64 || strspn(hex, "0123456789abcdef") != 64) {
    return tg_fail(err, T5GIST_EFORMAT, "%s: source_fingerprint: expected 64 lower-case hexadecimal digits, found \"%.80s\"", where, hex);
  }
  return tg_strdup(&config->source_fingerprint, hex, err);
}

static t5gist_status read_wo_dtype(const json_t *block, const char *where, int *precision, t5gist_error *err) {
  const char *name = NULL;
  *precision = T5GIST_UNSET;
  TG_TRY(tg_json_string(block, "wo_dtype", where, &name, err));
  if (!name) return T5GIST_OK;
  *precision = tg_precision_from_name(name);
  if (*precision >= 0) return T5GIST_OK;
  return tg_fail(err, T5GIST_EFORMAT, "%s: wo_dtype: expected \"f32\", \"bf16\", \"int8\", \"int8x16\" or \"int4\", found \"%.80s\"", where, name);
}

static t5gist_status read_object(const json_t *parent, const char *key, const char *where, const json_t **object, t5gist_error *err) {
  *object = json_object_get(parent, key);
  if (json_is_null(*object)) *object = NULL;
  if (!*object || json_is_object(*object)) return T5GIST_OK;
  return tg_fail(err, T5GIST_EFORMAT, "%s: %s: expected an object, found %s", where, key, tg_json_type_name(*object));
}

static t5gist_status read_block(const json_t *json, const char *path, tg_config *config, t5gist_error *err) {
  const json_t *block, *template;
  TG_TRY(read_object(json, "t5gist", path, &block, err));
  TG_TRY(read_object(block, "template", path, &template, err));
  config->default_gists = 1;
  config->max_task_tokens = 128;
  TG_TRY(read_gist_ids(block, path, config, err));
  TG_TRY(check_lists(block, path, err));
  const int most = config->n_gist_ids > 1 ? config->n_gist_ids : MAX_GISTS; /* distinct rows: no more than there are */
  TG_TRY(tg_json_int(block, "default_gists", path, 1, most, &config->default_gists, err));
  TG_TRY(tg_json_int(block, "max_task_tokens", path, 1, MAX_TOKENS, &config->max_task_tokens, err));
  TG_TRY(read_template(template, "task", "{task}", "Instruction: {task}", path, &config->template_task, err));
  TG_TRY(read_template(template, "input", "{input}", "Input: {input}", path, &config->template_input, err));
  TG_TRY(read_wo_dtype(block, path, &config->wo_precision, err));
  return read_fingerprint(block, path, config, err);
}

/* ----------------------------------------------------------------------------------------------------------- generation_config.json */

/* max_length and min_length count the decoder's start token; the newer keys do not, and win. */
static t5gist_status read_lengths(const json_t *json, const char *where, t5gist_options *options, t5gist_error *err) {
  int max_length = 0, min_length = 0;
  TG_TRY(tg_json_int(json, "max_length", where, 2, MAX_TOKENS, &max_length, err));
  TG_TRY(tg_json_int(json, "min_length", where, 0, MAX_TOKENS, &min_length, err));
  if (max_length > 1) options->max_new_tokens = max_length - 1;
  if (min_length > 1) options->min_new_tokens = min_length - 1;
  TG_TRY(tg_json_int(json, "max_new_tokens", where, 1, MAX_TOKENS, &options->max_new_tokens, err));
  return tg_json_int(json, "min_new_tokens", where, 0, MAX_TOKENS, &options->min_new_tokens, err);
}

/* Hugging Face's own defaults of a sampling configuration are temperature 1 and the 50 best. */
static t5gist_status read_sampling(const json_t *json, const char *where, t5gist_options *options, t5gist_error *err) {
  bool sample = false;
  TG_TRY(tg_json_bool(json, "do_sample", where, &sample, err));
  if (!sample) return T5GIST_OK;
  options->temperature = 1;
  options->top_k = 50;
  TG_TRY(tg_json_float(json, "temperature", where, 0, 1000, &options->temperature, err));
  TG_TRY(tg_json_int(json, "top_k", where, 0, 4 << 20, &options->top_k, err));
  return tg_json_float(json, "top_p", where, 0, 1, &options->top_p, err);
}

static t5gist_status read_beams(const json_t *json, const char *where, t5gist_options *options, t5gist_error *err) {
  const json_t *early = json_object_get(json, "early_stopping");
  if (json_is_string(early)) {
    return tg_fail(err, T5GIST_EUNSUPPORTED, "%s: early_stopping: expected true or false, found \"%.32s\", which is not supported", where,
                   json_string_value(early));
  }
  bool stop = false;
  TG_TRY(tg_json_bool(json, "early_stopping", where, &stop, err));
  if (early && !json_is_null(early)) options->early_stopping = stop;
  TG_TRY(tg_json_int(json, "num_beams", where, 1, 1024, &options->beams, err));
  /* Without beams, several answers would be several samples, which one request never gives. */
  if (options->beams > 1) TG_TRY(tg_json_int(json, "num_return_sequences", where, 1, options->beams, &options->n_best, err));
  return tg_json_float(json, "length_penalty", where, -100, 100, &options->length_penalty, err);
}

static t5gist_status read_generation(const json_t *json, const char *where, tg_config *config, t5gist_error *err) {
  t5gist_options *options = &config->generation;
  TG_TRY(read_lengths(json, where, options, err));
  TG_TRY(read_beams(json, where, options, err));
  TG_TRY(read_sampling(json, where, options, err));
  TG_TRY(tg_json_float(json, "repetition_penalty", where, 1e-3, 1000, &options->repetition_penalty, err));
  TG_TRY(tg_json_int(json, "no_repeat_ngram_size", where, 0, 1024, &options->no_repeat_ngram_size, err));
  TG_TRY(read_token(json, "pad_token_id", where, config, &config->pad_id, err));
  TG_TRY(read_token(json, "eos_token_id", where, config, &config->eos_id, err));
  return read_token(json, "decoder_start_token_id", where, config, &config->start_id, err);
}

/* Public, and here because what generation_config.json leaves open is unset in the same way. */
void t5gist_options_init(t5gist_options *options) {
  if (options == NULL) return;
  *options = (t5gist_options){.max_new_tokens = T5GIST_UNSET,
                              .min_new_tokens = T5GIST_UNSET,
                              .beams = T5GIST_UNSET,
                              .n_best = T5GIST_UNSET,
                              .length_penalty = T5GIST_UNSET_F,
                              .early_stopping = T5GIST_UNSET,
                              .temperature = T5GIST_UNSET_F,
                              .top_k = T5GIST_UNSET,
                              .top_p = T5GIST_UNSET_F,
                              .repetition_penalty = T5GIST_UNSET_F,
                              .no_repeat_ngram_size = T5GIST_UNSET,
                              .max_input_tokens = T5GIST_UNSET,
                              .top_logprobs = T5GIST_UNSET,
                              .draft = T5GIST_UNSET};
}

static t5gist_status load_generation(const char *dir, tg_config *config, t5gist_error *err) {
  char *path = NULL;
  json_t *json = NULL;
  t5gist_status status;
  t5gist_options_init(&config->generation);
  TG_GOTO(tg_path_join(&path, dir, "generation_config.json", err));
  if (!tg_file_exists(path)) goto done;
  TG_GOTO(tg_json_read(path, CONFIG_LIMIT, &json, err));
  if (!json_is_object(json)) {
    status = tg_fail(err, T5GIST_EFORMAT, "%s: expected an object, found %s", path, tg_json_type_name(json));
    goto done;
  }
  TG_GOTO(read_generation(json, path, config, err));
done:
  json_decref(json);
  tg_free(path);
  return status;
}

/* --------------------------------------------------------------------------------------------------------------------------- public */

t5gist_status tg_config_check_dir(const char *dir, t5gist_error *err) {
  struct stat st;
  if (tg_io_stat(dir, &st) != 0) {
    if (errno == ENOENT) return tg_fail(err, T5GIST_EIO, "%s: expected a model folder, found nothing of this name", dir);
    return tg_fail_errno(err, "%s: cannot look at the model folder", dir);
  }
  if (!S_ISDIR(st.st_mode)) return tg_fail(err, T5GIST_EIO, "%s: expected a model folder, found a file", dir);
  char *path;
  TG_TRY(tg_path_join(&path, dir, "config.json", err));
  const bool found = tg_file_exists(path);
  tg_free(path);
  if (found) return T5GIST_OK;
  return tg_fail(err, T5GIST_EIO, "%s: expected a Hugging Face model folder, found no config.json in it", dir);
}

static t5gist_status read_config(const char *path, tg_config *config, t5gist_error *err) {
  TG_TRY(tg_json_read(path, CONFIG_LIMIT, &config->json, err));
  if (!json_is_object(config->json)) return tg_fail(err, T5GIST_EFORMAT, "%s: expected an object, found %s", path, tg_json_type_name(config->json));
  TG_TRY(read_model_type(config->json, path, config, err));
  set_defaults(config);
  TG_TRY(read_shape(config->json, path, config, err));
  TG_TRY(read_activation(config->json, path, config, err));
  TG_TRY(read_head(config->json, path, config, err));
  TG_TRY(read_tokens(config->json, path, config, err));
  return read_block(config->json, path, config, err);
}

t5gist_status tg_config_load(const char *dir, tg_config *config, t5gist_error *err) {
  char *path = NULL;
  t5gist_status status;
  memset(config, 0, sizeof *config);
  TG_GOTO(tg_config_check_dir(dir, err));
  TG_GOTO(tg_path_join(&path, dir, "config.json", err));
  TG_GOTO(read_config(path, config, err));
  TG_GOTO(load_generation(dir, config, err));
  TG_GOTO(check_tokens(dir, config, err));
done:
  tg_free(path);
  if (status != T5GIST_OK) tg_config_free(config);
  return status;
}

void tg_config_free(tg_config *config) {
  tg_free(config->gist_ids);
  tg_free(config->template_task);
  tg_free(config->template_input);
  tg_free(config->source_fingerprint);
  json_decref(config->json);
  memset(config, 0, sizeof *config);
}
