#include "training/start.h"

#include <string.h>

#include "runtime/error.h"
#include "runtime/file.h"
#include "runtime/memory.h"
#include "t5/checkpoint.h"
#include "t5/folder_writer.h"
#include "t5/gist_ids.h"
#include "training/texts.h"

enum { MAX_VOCABULARY = 1 << 22 };

/* ---------------------------------------------------------------------------------------------------------------------- from scratch */

typedef struct shape {
  const char *name;
  int d_model, d_ff, d_kv, n_heads, n_layers;
} shape;

/* FLAN-T5's, and two smaller ones. */
static const shape shapes[] = {{"tiny", 64, 128, 16, 4, 2},     {"mini", 256, 512, 64, 4, 4},      {"small", 512, 1024, 64, 6, 8},
                               {"base", 768, 2048, 64, 12, 12}, {"large", 1024, 2816, 64, 16, 24}, {"xl", 2048, 5120, 64, 32, 24},
                               {"xxl", 4096, 10240, 64, 64, 24}};

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

static t5gist_status write_config(const tg_recipe *r, tg_folder_writer *folder, int vocab_size, t5gist_error *err) {
  static const char *const projections[] = {"gated-gelu", "gated-silu", "relu"}, *const acts[] = {"gelu_new", "silu", "relu"};
  const shape s = choose_shape(r);
  json_t *json = json_pack("{s:[s] s:s s:i s:i s:i s:i s:i s:i s:i s:s s:b s:s s:i s:i s:f s:f s:b s:b s:b s:i s:i s:i s:s}", "architectures",
                           "T5ForConditionalGeneration", "model_type", "t5", "vocab_size", vocab_size, "d_model", s.d_model, "d_kv", s.d_kv, "d_ff",
                           s.d_ff, "num_heads", s.n_heads, "num_layers", s.n_layers, "num_decoder_layers",
                           r->n_decoder_layers == T5GIST_UNSET ? s.n_layers : r->n_decoder_layers, "feed_forward_proj", projections[r->activation],
                           "is_gated_act", r->activation < 2, "dense_act_fn", acts[r->activation], "relative_attention_num_buckets", r->buckets,
                           "relative_attention_max_distance", r->max_distance, "layer_norm_epsilon", 1e-6, "dropout_rate", 0.0, "tie_word_embeddings",
                           (int)r->tied, "is_encoder_decoder", 1, "use_cache", 1, "pad_token_id", 0, "eos_token_id", 1, "decoder_start_token_id", 0,
                           "torch_dtype", "float32");
  const t5gist_status status =
      json ? tg_folder_writer_json(folder, "config.json", json, err) : tg_fail(err, T5GIST_ENOMEM, "not enough memory for a config.json");
  json_decref(json);
  return status;
}

/* Writes dir: the tokenizer, then config.json, whose presence says that the folder is whole. */
static t5gist_status make_start(const tg_recipe *recipe, const char *dir, t5gist_error *err) {
  const char *vocabulary = recipe->vocab_from ? recipe->vocab_from : dir;
  tg_folder_writer folder = {.dir = dir};
  tg_tokenizer *tokenizer = NULL;
  t5gist_status status;
  TG_GOTO(tg_make_dirs(dir, err));
  if (!recipe->vocab_from) TG_GOTO(tg_texts_vocabulary(recipe, dir, err));
  TG_GOTO(tg_tokenizer_open(vocabulary, MAX_VOCABULARY, &tokenizer, err));
  if (recipe->vocab_from) TG_GOTO(tg_folder_writer_copy_tokenizer(&folder, vocabulary, err));
  TG_GOTO(write_config(recipe, &folder, tg_text_rows(tokenizer), err));
  TG_GOTO(tg_folder_writer_commit(&folder, err));
done:
  tg_folder_writer_abort(&folder);
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

static bool is_gist(const tg_config *c, int32_t id) {
  for (int i = 0; i < c->n_gist_ids; i++) {
    if (c->gist_ids[i] == id) return true;
  }
  return false;
}

/* The rows of the gist tokens: the folder's own, the first of them where the recipe wants fewer; where it wants more, others behind what text can
 * reach. */
static t5gist_status place_gists(const tg_recipe *recipe, tg_start *start, t5gist_error *err) {
  tg_config *c = &start->config;
  const int own = c->n_gist_ids, wanted = recipe->distinct_gists == T5GIST_UNSET ? own : recipe->distinct_gists, n = wanted > 1 ? wanted : 1;
  int32_t *ids, next = start->text_rows;
  if (n > 1 && recipe->most_gists > n)
    return tg_fail(err, T5GIST_EUSAGE, "gists: expected at most %d, the distinct gist rows of %s (distinct_gists: %d adds some), found %d", n,
                   start->dir, recipe->most_gists, recipe->most_gists);
  if (n > 1 && recipe->default_gists > n)
    return tg_fail(err, T5GIST_EUSAGE, "default_gists: expected at most %d, the distinct gist rows of %s, found %d", n, start->dir,
                   recipe->default_gists);
  TG_TRY(tg_alloc(&start->fresh, (size_t)n, sizeof *start->fresh, err));
  TG_TRY(tg_alloc(&ids, (size_t)n, sizeof *ids, err));
  c->vocab_size = start->text_rows;
  for (int i = 0; i < n; i++) {
    while (is_gist(c, next)) next++;
    start->fresh[i] = i >= own;
    ids[i] = i < own ? c->gist_ids[i] : next++;
    if (ids[i] >= c->vocab_size) c->vocab_size = ids[i] + 1;
  }
  start->repeated = own == 1 ? ids[0] : -1;
  tg_free(c->gist_ids);
  c->gist_ids = ids;
  c->n_gist_ids = n;
  return T5GIST_OK;
}

static t5gist_status set_template(char **own, const char *given, const char *placeholder, const char *key, t5gist_error *err) {
  if (!given) return T5GIST_OK;
  const char *at = strstr(given, placeholder);
  if (!at || strstr(at + 1, placeholder))
    return tg_fail(err, T5GIST_EUSAGE, "%s: expected a text with %s once, found \"%.200s\"", key, placeholder, given);
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
  start->text_rows = tg_text_rows(start->tokenizer);
  TG_TRY(tg_find_gist_ids(start->tokenizer, &start->config, err));
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

/* Fresh gist rows of a table [vocab_size, d_model] begin as the mean of the rows of text, or as the row that was repeated until now: k rows equal
 * to it say the same. */
static void begin_gists(const tg_start *start, float *table) {
  const size_t d = (size_t)start->config.d_model, rows = (size_t)start->text_rows;
  for (size_t j = 0; j < d; j++) {
    double sum = 0;
    for (size_t row = 0; row < rows; row++) sum += (double)table[row * d + j];
    const float first = start->repeated < 0 ? (float)(sum / (double)rows) : table[(size_t)start->repeated * d + j];
    for (int i = 0; i < start->config.n_gist_ids; i++) {
      if (start->fresh[i]) table[(size_t)start->config.gist_ids[i] * d + j] = first;
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
  begin_gists(start, weights + start->layout.embedding);
  if (!start->layout.tied) begin_gists(start, weights + start->layout.head);
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
    status = tg_fail(err, T5GIST_EMISMATCH, "teacher: expected the same tokenizer as the model's, found another: %s is not %s",
                     tg_tokenizer_path(other), tg_tokenizer_path(start->tokenizer));
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
