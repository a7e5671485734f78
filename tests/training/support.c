#include "support.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/json.h"
#include "runtime/memory.h"
#include "t5/random.h"

tg_config tiny_config(bool gated, bool tied) {
  return (tg_config){.model_type = "t5",
                     .vocab_size = 97,
                     .d_model = 64,
                     .d_kv = 16,
                     .d_ff = 128,
                     .n_heads = 4,
                     .n_layers = 2,
                     .n_decoder_layers = 2,
                     .n_buckets = 32,
                     .max_distance = 128,
                     .eps = 1e-6f,
                     .activation = gated ? TG_GELU_NEW : TG_RELU,
                     .gated = gated,
                     .head = tied ? TG_HEAD_SHARED : TG_HEAD_FILE,
                     .scale_decoder_output = tied,
                     .eos_id = 1};
}

static void *room_for(size_t count, size_t size) {
  void *block;
  t5gist_error err;
  CHECK_OK(tg_alloc(&block, count, size, &err));
  return block;
}

static void spread_norms(const tg_layout *layout, uint64_t seed, float *weights) {
  for (size_t i = 0; i < layout->n; i++) {
    const tg_parameter *p = &layout->parameters[i];
    const uint64_t key = tg_random_key(seed, tg_random_label(p->name));
    for (size_t j = 0; p->n_dims == 1 && j < p->count; j++) weights[p->offset + j] = 0.75f + (float)(tg_random_at(key, j) >> 40) * 0x1p-25f;
  }
}

trainee *trainee_new(const tg_config *config, uint64_t seed, int threads) {
  t5gist_error err;
  trainee *t = room_for(1, sizeof *t);
  t->config = *config;
  CHECK_OK(tg_layout_make(&t->config, config->head == TG_HEAD_FILE, &t->layout, &err));
  CHECK_OK(tg_engine_new(threads, &t->engine, &err));
  CHECK_OK(tg_workspace_new(t->engine, &t->workspace, &err));
  CHECK_OK(tg_pass_new(&t->layout, t->workspace, &t->pass, &err));
  t->weights = room_for(t->layout.count, sizeof(float));
  t->gradients = room_for(t->layout.count, sizeof(float));
  tg_parameters_initialise(&t->layout, seed, t->weights);
  spread_norms(&t->layout, seed, t->weights);
  return t;
}

void trainee_free(trainee *t) {
  tg_pass_free(t->pass);
  tg_workspace_free(t->workspace);
  tg_engine_free(t->engine);
  tg_layout_free(&t->layout);
  tg_free(t->weights);
  tg_free(t->gradients);
  tg_free(t);
}

static int32_t *tokens(uint64_t seed, const char *what, int n, int vocab_size, bool end) {
  int32_t *ids = room_for((size_t)n, sizeof *ids);
  const uint64_t key = tg_random_key(seed, tg_random_label(what));
  for (int i = 0; i < n; i++) ids[i] = end && i == n - 1 ? 1 : (int32_t)(tg_random_at(key, (uint64_t)i) % (uint64_t)(vocab_size - 3)) + 2;
  return ids;
}

prompt prompt_new(uint64_t seed, int vocab_size, int n_task, int gists, int n_input, int n_target) {
  return (prompt){.example = {.task = tokens(seed, "task", n_task, vocab_size, false),
                              .input = tokens(seed, "input", n_input, vocab_size, true),
                              .target = tokens(seed, "target", n_target, vocab_size, true),
                              .n_task = n_task,
                              .n_input = n_input,
                              .n_target = n_target,
                              .family = -1,
                              .task_hash = seed},
                  .gists = gists};
}

void prompt_free(prompt *p) {
  tg_free((void *)p->example.task);
  tg_free((void *)p->example.input);
  tg_free((void *)p->example.target);
}

/* ------------------------------------------------------------------------------------------------------------------------- plans */

/* Where a task and its gist tokens stand. */
typedef struct prefix {
  int begin, n_task, n_gist;
} prefix;

static int add_tokens(tg_plan *plan, const int32_t *ids, int n, int32_t gist) {
  for (int i = 0; i < n; i++) plan->encoder_ids[plan->n_encoder + i] = ids ? ids[i] : gist;
  plan->n_encoder += n;
  return plan->n_encoder - n;
}

static prefix add_prefix(tg_plan *plan, const prompt *p, int n_gist, int32_t gist) {
  const prefix made = {add_tokens(plan, p->example.task, p->example.n_task, gist), p->example.n_task, n_gist};
  add_tokens(plan, NULL, n_gist, gist);
  return made;
}

static tg_train_span *add_span(tg_plan *plan, int begin, int n, int position) {
  tg_train_span *span = &plan->encoder_spans[plan->n_encoder_spans++];
  *span = (tg_train_span){.q_begin = begin, .n_q = n, .q_position = position};
  return span;
}

/* Rows of prompt i; what its answer sees goes to seen. prefixes: those of the prompts before it. */
static void add_source(tg_plan *plan, const prompt *prompts, int i, t5gist_condition condition, int32_t gist, unsigned flags, prefix *prefixes,
                       tg_train_keys *seen) {
  const prompt *p = &prompts[i];
  const int n_gist = condition == T5GIST_FULL ? 0 : p->gists, n_prefix = p->example.n_task + n_gist, n_input = p->example.n_input;
  const bool causal = condition == T5GIST_GIST || condition == T5GIST_PREFIX || condition == T5GIST_NEG_CONTROL;
  int like = i;
  for (int j = 0; j < i && (flags & PLAN_SHARE) && (condition == T5GIST_GIST || condition == T5GIST_PREFIX); j++)
    if (prompts[j].example.task_hash == p->example.task_hash && prompts[j].gists == p->gists) like = j;
  const bool leave_out = condition == T5GIST_NEG_CONTROL && !(flags & PLAN_KEEP_TASK);
  if (like < i)
    prefixes[i] = prefixes[like];
  else if (!leave_out) {
    prefixes[i] = add_prefix(plan, p, n_gist, gist);
    if (causal) add_span(plan, prefixes[i].begin, n_prefix, 0)->keys[0] = (tg_train_keys){prefixes[i].begin, n_prefix, 0};
  }
  const prefix *before = &prefixes[i];
  const int own = add_tokens(plan, p->example.input, n_input, gist);
  const tg_train_keys rows = {own, n_input, n_prefix};
  if (!causal) {
    seen[0] = (tg_train_keys){before->begin, n_prefix + n_input, 0};
    add_span(plan, before->begin, n_prefix + n_input, 0)->keys[0] = seen[0];
    return;
  }
  seen[1] = rows;
  if (condition == T5GIST_PREFIX) seen[0] = (tg_train_keys){before->begin, n_prefix, 0};
  if (condition == T5GIST_GIST) seen[0] = (tg_train_keys){before->begin + before->n_task, n_gist, before->n_task};
  tg_train_span *span = add_span(plan, own, n_input, n_prefix);
  memcpy(span->keys, seen, sizeof span->keys);
}

static void add_answer(tg_plan *plan, const prompt *p, int i, float weight) {
  const tg_example *e = &p->example;
  plan->answers[i].begin = plan->n_decoder;
  plan->answers[i].n = e->n_target;
  plan->answers[i].example = i;
  for (int j = 0; j < e->n_target; j++) {
    const int row = plan->n_decoder + j;
    plan->decoder_ids[row] = j == 0 ? 0 : e->target[j - 1];
    plan->targets[row] = e->target[j];
    plan->weights[row] = weight;
  }
  plan->n_decoder += e->n_target;
}

void plan_of(const prompt *prompts, int n, t5gist_condition condition, int vocab_size, unsigned flags, double total, tg_plan *plan) {
  size_t source = 0, target = 0;
  for (int i = 0; i < n; i++) {
    source += (size_t)(prompts[i].example.n_task + prompts[i].gists + prompts[i].example.n_input);
    target += (size_t)prompts[i].example.n_target;
  }
  if (total == 0) total = (double)target;
  *plan = (tg_plan){.encoder_ids = room_for(source, sizeof(int32_t)),
                    .encoder_spans = room_for(2 * (size_t)n, sizeof(tg_train_span)),
                    .decoder_ids = room_for(target, sizeof(int32_t)),
                    .targets = room_for(target, sizeof(int32_t)),
                    .weights = room_for(target, sizeof(float)),
                    .answers = room_for((size_t)n, sizeof(tg_plan_answer)),
                    .n_answers = n};
  prefix *prefixes = room_for((size_t)n, sizeof *prefixes);
  for (int i = 0; i < n; i++) {
    add_source(plan, prompts, i, condition, vocab_size - 1, flags, prefixes, plan->answers[i].seen);
    add_answer(plan, &prompts[i], i, (float)(1 / total));
  }
  tg_free(prefixes);
}

void plan_teach(const prompt *prompts, int n, t5gist_condition condition, int vocab_size, float share, tg_plan *plan) {
  const size_t rows = (size_t)plan->n_decoder;
  plan->teacher = room_for(1, sizeof *plan->teacher);
  plan_of(prompts, n, condition, vocab_size, 0, 0, plan->teacher);
  plan->teacher_rows = room_for(rows, sizeof(int32_t));
  plan->teacher_weights = room_for(rows, sizeof(float));
  for (size_t i = 0; i < rows; i++) {
    plan->teacher_rows[i] = (int32_t)i;
    plan->teacher_weights[i] = share * plan->weights[i];
  }
}

/* ------------------------------------------------------------------------------------------------------------------ golden files */

int golden_integer(const json_t *object, const char *key) {
  const json_t *value = json_object_get(object, key);
  if (!json_is_integer(value)) fail_msg("no integer \"%s\" in the golden file", key);
  return (int)json_integer_value(value);
}

static int32_t *list(const json_t *object, const char *key, int *n) {
  const json_t *values = json_object_get(object, key);
  int32_t *out;
  *n = (int)json_array_size(values);
  if (tg_alloc(&out, (size_t)*n, sizeof *out, NULL) != T5GIST_OK) fail_msg("no memory");
  for (int i = 0; i < *n; i++) out[i] = (int32_t)json_integer_value(json_array_get(values, (size_t)i));
  return out;
}

static uint64_t hash_of(const int32_t *ids, int n) {
  uint64_t hash = 0;
  for (int i = 0; i < n; i++) hash = tg_random_key(hash, (uint64_t)ids[i]);
  return hash;
}

prompt *prompts_read(const json_t *meta, int *n) {
  const json_t *examples = json_object_get(meta, "examples");
  *n = (int)json_array_size(examples);
  prompt *prompts = calloc((size_t)*n, sizeof *prompts);
  for (int i = 0; i < *n; i++) {
    const json_t *e = json_array_get(examples, (size_t)i);
    tg_example *out = &prompts[i].example;
    prompts[i].gists = golden_integer(e, "gists");
    out->task = list(e, "task", &out->n_task);
    out->input = list(e, "input", &out->n_input);
    out->target = list(e, "target", &out->n_target);
    out->task_hash = hash_of(out->task, out->n_task);
  }
  return prompts;
}

static tg_config read_config(const json_t *c) {
  const bool gated = strcmp(json_string_value(json_object_get(c, "feed_forward_proj")), "gated-gelu") == 0;
  tg_config config = tiny_config(gated, json_is_true(json_object_get(c, "tie_word_embeddings")));
  config.vocab_size = golden_integer(c, "vocab_size");
  config.d_model = golden_integer(c, "d_model");
  config.d_kv = golden_integer(c, "d_kv");
  config.d_ff = golden_integer(c, "d_ff");
  config.n_heads = golden_integer(c, "num_heads");
  config.n_layers = golden_integer(c, "num_layers");
  config.n_decoder_layers = golden_integer(c, "num_decoder_layers");
  config.n_buckets = golden_integer(c, "relative_attention_num_buckets");
  config.max_distance = golden_integer(c, "relative_attention_max_distance");
  return config;
}

golden golden_open(const char *name) {
  t5gist_error err;
  char path[512];
  golden g = {.name = name};
  snprintf(path, sizeof path, "%s/tests/golden/gradients-%s.safetensors", TEST_SOURCE_DIR, name);
  CHECK_OK(tg_safetensors_open(path, &g.file, &err));
  const char *text = tg_safetensors_metadata(g.file, "case");
  CHECK_OK(tg_json_parse(text, strlen(text), path, &g.meta, &err));
  g.config = read_config(json_object_get(g.meta, "config"));
  g.prompts = prompts_read(g.meta, &g.n_prompts);
  g.samples = golden_integer(g.meta, "samples");
  return g;
}

void prompts_free(prompt *prompts, int n) {
  for (int i = 0; i < n; i++) prompt_free(&prompts[i]);
  free(prompts);
}

void golden_close(golden *g) {
  prompts_free(g->prompts, g->n_prompts);
  json_decref(g->meta);
  tg_safetensors_close(g->file);
}

double distance(const float *a, const float *b, size_t n) {
  double gap = 0, size = 0;
  for (size_t i = 0; i < n; i++) {
    gap += ((double)a[i] - (double)b[i]) * ((double)a[i] - (double)b[i]);
    size += (double)b[i] * (double)b[i];
  }
  return sqrt(gap) / (size > 0 ? sqrt(size) : 1);
}
