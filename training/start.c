#include "training/start.h"

#include <stdlib.h>
#include <string.h>

#include "runtime/error.h"
#include "runtime/file.h"
#include "runtime/hash.h"
#include "runtime/memory.h"
#include "t5/checkpoint.h"
#include "training/texts.h"

enum { MAX_VOCABULARY = 1 << 22, MAX_TOKENIZER = 1 << 28 };

/* ---------------------------------------------------------------------------------------------------------------------- from scratch */

typedef struct shape {
  const char *name;
  int d_model, d_ff, d_kv, n_heads, n_layers;
} shape;

/* FLAN-T5's, and two smaller ones. */
static const shape shapes[] = {{"tiny", 64, 128, 16, 4, 2},       {"mini", 256, 512, 64, 4, 4},       {"small", 512, 1024, 64, 6, 8},   {"base", 768, 2048, 64, 12, 12},
                               {"large", 1024, 2816, 64, 16, 24}, {"xl", 2048, 5120, 64, 32, 24},     {"xxl", 4096, 10240, 64, 64, 24}};

/* What the recipe says about the shape, above what it says the shape is like. */
static shape choose_shape(const tg_recipe *r) {
  shape s = {0};
  for (size_t i = 0; r->shape && i < sizeof shapes / sizeof *shapes; i++) {
    if (strcmp(shapes[i].name, r->shape) == 0) s = shapes[i];
  }
  if (r->d_model != T5GIST_UNSET) s.d_model = r->d_model;
  if (r->d_ff != T5GIST_UNSET) s.d_ff = r->d_ff;
  if (r->d_kv != T5GIST_UNSET) s.d_kv = r->d_kv;
  if (r->n_heads != T5GIST_UNSET) s.n_heads = r->n_heads;
  if (r->n_layers != T5GIST_UNSET) s.n_layers = r->n_layers;
  return s;
}

/* Rows of the vocabulary that text can reach: the pieces, and <extra_id_0> .. where the tokenizer puts them behind. */
static int text_rows(const tg_tokenizer *tokenizer) {
  int rows = tg_tokenizer_pieces(tokenizer);
  while (strncmp(tg_tokenizer_piece(tokenizer, rows), "<extra_id_", 10) == 0) rows++;
  return rows;
}

static t5gist_status write_config(const tg_recipe *r, const char *dir, int vocab_size, t5gist_error *err) {
  static const char *const projections[] = {"gated-gelu", "gated-silu", "relu"}, *const acts[] = {"gelu_new", "silu", "relu"};
  const shape s = choose_shape(r);
  json_t *json = json_pack("{s:[s] s:s s:i s:i s:i s:i s:i s:i s:i s:s s:b s:s s:i s:i s:f s:f s:b s:b s:b s:i s:i s:i s:s}", "architectures", "T5ForConditionalGeneration", "model_type", "t5",
                           "vocab_size", vocab_size, "d_model", s.d_model, "d_kv", s.d_kv, "d_ff", s.d_ff, "num_heads", s.n_heads, "num_layers", s.n_layers, "num_decoder_layers",
                           r->n_decoder_layers == T5GIST_UNSET ? s.n_layers : r->n_decoder_layers, "feed_forward_proj", projections[r->activation], "is_gated_act", r->activation < 2,
                           "dense_act_fn", acts[r->activation], "relative_attention_num_buckets", r->buckets, "relative_attention_max_distance", r->max_distance, "layer_norm_epsilon", 1e-6,
                           "dropout_rate", 0.0, "tie_word_embeddings", (int)r->tied, "is_encoder_decoder", 1, "use_cache", 1, "pad_token_id", 0, "eos_token_id", 1, "decoder_start_token_id", 0,
                           "torch_dtype", "float32");
  char *text = json ? json_dumps(json, JSON_INDENT(2)) : NULL, *path = NULL;
  t5gist_status status = text ? tg_path_join(&path, dir, "config.json", err) : tg_fail(err, T5GIST_ENOMEM, "not enough memory for a config.json");
  if (!status) status = tg_write_file(path, 0666, text, strlen(text), err);
  json_decref(json);
  free(text);
  tg_free(path);
  return status;
}

static t5gist_status copy_file(const char *from_dir, const char *name, const char *to_dir, bool *found, t5gist_error *err) {
  char *from = NULL, *to = NULL;
  tg_buffer content = {0};
  t5gist_status status;
  TG_GOTO(tg_path_join(&from, from_dir, name, err));
  TG_GOTO(tg_path_join(&to, to_dir, name, err));
  *found = tg_file_exists(from);
  if (*found) TG_GOTO(tg_read_file(from, MAX_TOKENIZER, false, &content, err));
  if (*found) TG_GOTO(tg_write_file(to, 0666, content.data, content.size, err));
done:
  tg_free(from);
  tg_free(to);
  tg_buffer_free(&content);
  return status;
}

/* spiece.model, else tokenizer.json, as tg_tokenizer_open looks for them. */
static t5gist_status copy_tokenizer(const char *from, const char *to, t5gist_error *err) {
  bool found;
  TG_TRY(copy_file(from, "spiece.model", to, &found, err));
  if (!found) TG_TRY(copy_file(from, "tokenizer.json", to, &found, err));
  if (found) return T5GIST_OK;
  return tg_fail(err, T5GIST_EIO, "vocab.from: expected a folder with spiece.model or tokenizer.json, found neither in %s", from);
}

/* Writes dir: the tokenizer, then config.json, whose presence says that the folder is whole. */
static t5gist_status make_start(const tg_recipe *recipe, const char *dir, t5gist_error *err) {
  tg_tokenizer *tokenizer = NULL;
  t5gist_status status;
  TG_GOTO(tg_make_dirs(dir, err));
  if (recipe->vocab_from)
    TG_GOTO(copy_tokenizer(recipe->vocab_from, dir, err));
  else
    TG_GOTO(tg_texts_vocabulary(recipe, dir, err));
  TG_GOTO(tg_tokenizer_open(dir, MAX_VOCABULARY, &tokenizer, err));
  TG_GOTO(write_config(recipe, dir, text_rows(tokenizer), err));
done:
  tg_tokenizer_free(tokenizer);
  return status;
}

static t5gist_status scratch_dir(const tg_recipe *recipe, const char *run_dir, bool make, char **dir, t5gist_error *err) {
  char *config = NULL;
  TG_TRY(tg_path_join(dir, run_dir, "start", err));
  TG_TRY(tg_path_join(&config, *dir, "config.json", err));
  const bool whole = tg_file_exists(config);
  tg_free(config);
  return whole || !make ? T5GIST_OK : make_start(recipe, *dir, err);
}

/* ------------------------------------------------------------------------------------------------------------------------ vocabulary */

/* The rows of the gist tokens: the folder's own where it has as many as the recipe wants, else those behind what text can reach. */
static t5gist_status place_gists(const tg_recipe *recipe, tg_start *start, t5gist_error *err) {
  tg_config *c = &start->config;
  const int wanted = recipe->distinct_gists > 1 ? recipe->distinct_gists : 1;
  int32_t *ids, behind = start->text_rows;
  TG_TRY(tg_alloc(&start->fresh, (size_t)wanted, sizeof *start->fresh, err));
  TG_TRY(tg_alloc(&ids, (size_t)wanted, sizeof *ids, err));
  for (int i = 0; i < wanted; i++) {
    ids[i] = c->n_gist_ids == wanted ? c->gist_ids[i] : start->text_rows + i;
    start->fresh[i] = true;
    for (int j = 0; j < c->n_gist_ids; j++) start->fresh[i] &= c->gist_ids[j] != ids[i];
    if (ids[i] >= behind) behind = ids[i] + 1;
  }
  tg_free(c->gist_ids);
  c->gist_ids = ids;
  c->n_gist_ids = wanted;
  c->vocab_size = behind;
  return T5GIST_OK;
}

static t5gist_status set_template(char **own, const char *given, const char *placeholder, const char *key, t5gist_error *err) {
  if (!given) return T5GIST_OK;
  const char *at = strstr(given, placeholder);
  if (!at || strstr(at + 1, placeholder)) return tg_fail(err, T5GIST_EUSAGE, "%s: expected a text with %s once, found \"%.200s\"", key, placeholder, given);
  tg_free(*own);
  *own = NULL;
  return tg_strdup(own, given, err);
}

/* No text may produce a gist token, an end or padding. */
static t5gist_status reserve_ids(const tg_start *start, t5gist_error *err) {
  const int32_t ends[] = {start->config.pad_id, start->config.eos_id};
  TG_TRY(tg_tokenizer_reserve(start->tokenizer, ends, 2, err));
  return tg_tokenizer_reserve(start->tokenizer, start->config.gist_ids, (size_t)start->config.n_gist_ids, err);
}

/* --------------------------------------------------------------------------------------------------------------------------- public */

/* Whether the folder's file decides that the output layer is its own. */
static t5gist_status is_untied(const char *dir, const tg_config *config, bool *untied, t5gist_error *err) {
  tg_checkpoint *checkpoint;
  *untied = config->head == TG_HEAD_FILE;
  if (config->head != TG_HEAD_FILE_OR_SHARED) return T5GIST_OK;
  TG_TRY(tg_checkpoint_open(dir, &checkpoint, err));
  *untied = tg_checkpoint_find(checkpoint, "lm_head.weight") != NULL;
  tg_checkpoint_close(checkpoint);
  return T5GIST_OK;
}

t5gist_status tg_start_open(const tg_recipe *recipe, const char *run_dir, bool make, tg_start *start, t5gist_error *err) {
  bool untied;
  *start = (tg_start){0};
  TG_TRY(recipe->model ? tg_strdup(&start->dir, recipe->model, err) : scratch_dir(recipe, run_dir, make, &start->dir, err));
  TG_TRY(tg_config_load(start->dir, &start->config, err));
  TG_TRY(tg_tokenizer_open(start->dir, start->config.vocab_size, &start->tokenizer, err));
  start->text_rows = text_rows(start->tokenizer);
  TG_TRY(place_gists(recipe, start, err));
  TG_TRY(set_template(&start->config.template_task, recipe->template_task, "{task}", "template.task", err));
  TG_TRY(set_template(&start->config.template_input, recipe->template_input, "{input}", "template.input", err));
  TG_TRY(reserve_ids(start, err));
  TG_TRY(is_untied(start->dir, &start->config, &untied, err));
  return tg_layout_make(&start->config, untied, &start->layout, err);
}

void tg_start_close(tg_start *start) {
  tg_layout_free(&start->layout);
  tg_tokenizer_free(start->tokenizer);
  tg_config_free(&start->config);
  tg_free(start->fresh);
  tg_free(start->dir);
  *start = (tg_start){0};
}

/* Fresh gist rows begin as the mean of the rows of text. */
static void average_gists(const tg_start *start, size_t table_at, float *weights) {
  const size_t d = (size_t)start->config.d_model;
  float *table = weights + table_at;
  for (size_t j = 0; j < d; j++) {
    double sum = 0;
    for (int row = 0; row < start->text_rows; row++) sum += (double)table[(size_t)row * d + j];
    for (int i = 0; i < start->config.n_gist_ids; i++) {
      if (start->fresh[i]) table[(size_t)start->config.gist_ids[i] * d + j] = (float)(sum / start->text_rows);
    }
  }
}

/* transformers begins an untied head with numbers of size 1, so that first logits are of size sqrt(d_model): the factor brings them to size 1. */
static void initialise(const tg_recipe *recipe, const tg_start *start, float *weights) {
  const tg_layout *layout = &start->layout;
  tg_parameters_initialise(layout, recipe->seed, weights);
  if (layout->tied) return;
  const size_t n = (size_t)layout->config->vocab_size * (size_t)layout->config->d_model;
  for (size_t i = 0; i < n; i++) weights[layout->head + i] *= recipe->head_factor;
}

t5gist_status tg_start_weights(const tg_recipe *recipe, const tg_start *start, float *weights, t5gist_error *err) {
  if (recipe->model)
    TG_TRY(tg_parameters_load(start->dir, &start->layout, start->text_rows, weights, err));
  else
    initialise(recipe, start, weights);
  if (!recipe->model && start->config.n_gist_ids > 1) return T5GIST_OK; /* distinct ones begin at random, as all else */
  average_gists(start, start->layout.embedding, weights);
  if (!start->layout.tied) average_gists(start, start->layout.head, weights);
  return T5GIST_OK;
}

static t5gist_status same_tokenizer(const tg_recipe *recipe, const tg_start *start, t5gist_error *err) {
  tg_tokenizer *other = NULL;
  tg_map own = {0}, its = {0};
  t5gist_status status;
  TG_GOTO(tg_tokenizer_open(recipe->teacher, MAX_VOCABULARY, &other, err));
  TG_GOTO(tg_map_open(tg_tokenizer_path(start->tokenizer), &own, err));
  TG_GOTO(tg_map_open(tg_tokenizer_path(other), &its, err));
  if (own.size != its.size || memcmp(own.data, its.data, own.size) != 0)
    status = tg_fail(err, T5GIST_EMISMATCH, "teacher: expected the same tokenizer as the model's, found another: %s is not %s", tg_tokenizer_path(other), tg_tokenizer_path(start->tokenizer));
done:
  tg_map_close(&own);
  tg_map_close(&its);
  tg_tokenizer_free(other);
  return status;
}

static bool own_teacher(const tg_recipe *recipe) {
  return strcmp(recipe->teacher, "start") == 0;
}

t5gist_status tg_teacher_open(const tg_recipe *recipe, const tg_start *start, tg_teacher *teacher, t5gist_error *err) {
  const char *dir = own_teacher(recipe) ? start->dir : recipe->teacher;
  bool untied;
  *teacher = (tg_teacher){0};
  if (!own_teacher(recipe)) TG_TRY(same_tokenizer(recipe, start, err));
  TG_TRY(tg_config_load(dir, &teacher->config, err));
  teacher->config.vocab_size = start->config.vocab_size;
  TG_TRY(is_untied(dir, &teacher->config, &untied, err));
  return tg_layout_make(&teacher->config, untied, &teacher->layout, err);
}

t5gist_status tg_teacher_load(const tg_recipe *recipe, const tg_start *start, tg_teacher *teacher, t5gist_error *err) {
  TG_TRY(tg_alloc(&teacher->weights, teacher->layout.count, sizeof *teacher->weights, err));
  if (own_teacher(recipe)) return tg_start_weights(recipe, start, teacher->weights, err);
  return tg_parameters_load(recipe->teacher, &teacher->layout, start->text_rows, teacher->weights, err);
}

void tg_teacher_close(tg_teacher *teacher) {
  tg_layout_free(&teacher->layout);
  tg_config_free(&teacher->config);
  tg_free(teacher->weights);
  *teacher = (tg_teacher){0};
}
