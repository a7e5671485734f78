/* Parameters as one vector: the layout, T5's initialisation, from and to folders. */
#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "runtime/file.h"
#include "runtime/json.h"
#include "runtime/memory.h"
#include "support.h"
#include "t5/checkpoint.h"
#include "t5/convert.h"
#include "t5/model.h"
#include "t5/synthetic.h"
#include "tests/support/folder.h"
#include "training/parameters.h"

#define TOKENIZER TEST_SOURCE_DIR "/tests/data/mini" /* 4095 pieces */

/* Odd sizes everywhere, and more encoder layers than decoder layers. */
static tg_config odd_config(bool gated, tg_head head) {
  return (tg_config){.model_type = "t5",
                     .vocab_size = 41,
                     .d_model = 12,
                     .d_kv = 5,
                     .d_ff = 20,
                     .n_heads = 3,
                     .n_layers = 3,
                     .n_decoder_layers = 2,
                     .n_buckets = 8,
                     .max_distance = 16,
                     .gated = gated,
                     .head = head};
}

/* ---------------------------------------------------------------------------------------------------------------------------- layout */

static const tg_parameter *find(const tg_layout *layout, const char *name) {
  for (size_t i = 0; i < layout->n; i++)
    if (strcmp(layout->parameters[i].name, name) == 0) return &layout->parameters[i];
  fail_msg("no parameter %s", name);
  return NULL;
}

static size_t offset_of(const tg_layout *layout, const char *format, int block) {
  char name[128];
  snprintf(name, sizeof name, format, block);
  return find(layout, name)->offset;
}

static void check_attention(const tg_layout *layout, const tg_layout_attention *a, const char *prefix, int block) {
  static const char *const ends[] = {"SelfAttention", "EncDecAttention"};
  const bool cross = strstr(prefix, "layer.1") != NULL;
  const size_t matrix = (size_t)(layout->config->n_heads * layout->config->d_kv * layout->config->d_model);
  char format[128];
  snprintf(format, sizeof format, "%s.%s.q.weight", prefix, ends[cross]);
  assert_int_equal(a->q, offset_of(layout, format, block));
  snprintf(format, sizeof format, "%s.%s.k.weight", prefix, ends[cross]);
  assert_int_equal(a->k, offset_of(layout, format, block));
  snprintf(format, sizeof format, "%s.%s.v.weight", prefix, ends[cross]);
  assert_int_equal(a->v, offset_of(layout, format, block));
  snprintf(format, sizeof format, "%s.%s.o.weight", prefix, ends[cross]);
  assert_int_equal(a->o, offset_of(layout, format, block));
  snprintf(format, sizeof format, "%s.layer_norm.weight", prefix);
  assert_int_equal(a->norm, offset_of(layout, format, block));
  assert_int_equal(a->k, a->q + matrix);
  assert_int_equal(a->v, a->k + matrix);
}

static void check_ffn(const tg_layout *layout, const tg_layout_ffn *f, const char *prefix, int block) {
  char format[128];
  const bool gated = layout->config->gated;
  snprintf(format, sizeof format, "%s.DenseReluDense.%s.weight", prefix, gated ? "wi_0" : "wi");
  assert_int_equal(f->wi, offset_of(layout, format, block));
  if (gated) {
    snprintf(format, sizeof format, "%s.DenseReluDense.wi_1.weight", prefix);
    assert_int_equal(f->wi + (size_t)(layout->config->d_ff * layout->config->d_model), offset_of(layout, format, block));
  }
  snprintf(format, sizeof format, "%s.DenseReluDense.wo.weight", prefix);
  assert_int_equal(f->wo, offset_of(layout, format, block));
  snprintf(format, sizeof format, "%s.layer_norm.weight", prefix);
  assert_int_equal(f->norm, offset_of(layout, format, block));
}

static void check_layout(const tg_config *config, bool untied, bool tied) {
  t5gist_error err;
  tg_layout layout;
  CHECK_OK(tg_layout_make(config, untied, &layout, &err));
  size_t at = 0;
  for (size_t i = 0; i < layout.n; i++) {
    const tg_parameter *p = &layout.parameters[i];
    assert_int_equal(p->offset, at);
    assert_int_equal(p->count, p->dims[0] * (p->n_dims == 2 ? p->dims[1] : 1));
    assert_int_equal(p->decays, !strstr(p->name, "layer_norm") && !strstr(p->name, "relative_attention_bias"));
    at += p->count;
  }
  assert_int_equal(layout.count, at);
  assert_int_equal(layout.tied, tied);
  assert_int_equal(layout.embedding, find(&layout, "shared.weight")->offset);
  assert_int_equal(layout.head, tied ? layout.embedding : find(&layout, "lm_head.weight")->offset);
  assert_string_equal(layout.parameters[layout.n - 1].name, tied ? "decoder.final_layer_norm.weight" : "lm_head.weight");
  assert_int_equal(layout.encoder_norm, find(&layout, "encoder.final_layer_norm.weight")->offset);
  assert_int_equal(layout.decoder_norm, find(&layout, "decoder.final_layer_norm.weight")->offset);
  assert_int_equal(layout.encoder_positions, find(&layout, "encoder.block.0.layer.0.SelfAttention.relative_attention_bias.weight")->offset);
  assert_int_equal(layout.decoder_positions, find(&layout, "decoder.block.0.layer.0.SelfAttention.relative_attention_bias.weight")->offset);
  for (int i = 0; i < config->n_layers; i++) {
    check_attention(&layout, &layout.encoder[i].attention, "encoder.block.%d.layer.0", i);
    check_ffn(&layout, &layout.encoder[i].ffn, "encoder.block.%d.layer.1", i);
  }
  for (int i = 0; i < config->n_decoder_layers; i++) {
    check_attention(&layout, &layout.decoder[i].attention, "decoder.block.%d.layer.0", i);
    check_attention(&layout, &layout.decoder[i].cross, "decoder.block.%d.layer.1", i);
    check_ffn(&layout, &layout.decoder[i].ffn, "decoder.block.%d.layer.2", i);
  }
  tg_layout_free(&layout);
}

static void test_layout(void **state) {
  (void)state;
  for (int gated = 0; gated < 2; gated++) {
    const tg_config untied = odd_config(gated, TG_HEAD_FILE), open = odd_config(gated, TG_HEAD_FILE_OR_SHARED),
                    tied = odd_config(gated, TG_HEAD_SHARED);
    check_layout(&untied, false, false);
    check_layout(&open, false, true);
    check_layout(&open, true, false);
    check_layout(&tied, true, true);
  }
}

/* ------------------------------------------------------------------------------------------------------------------ initialisation */

static void check_numbers(const tg_layout *layout, const float *weights, const char *name, const double expected[4]) {
  static const size_t at[] = {0, 1, 2, 7};
  for (int i = 0; i < 4; i++) assert_true(fabs(weights[find(layout, name)->offset + at[i]] - expected[i]) <= 6e-8 * fabs(expected[i]));
}

/* Expected numbers: the header's formula in Python's doubles. */
static void test_initialise(void **state) {
  (void)state;
  t5gist_error err;
  tg_layout layout;
  float *weights;
  const tg_config config = odd_config(true, TG_HEAD_FILE);
  CHECK_OK(tg_layout_make(&config, true, &layout, &err));
  CHECK_OK(tg_alloc(&weights, layout.count, sizeof *weights, &err));
  tg_parameters_initialise(&layout, 7, weights);
  check_numbers(&layout, weights, "shared.weight", (const double[]){0.3071458536387948, -0.4729177153472511, 1.7038885899261575, 0.5719177061443051});
  check_numbers(&layout, weights, "encoder.block.1.layer.0.SelfAttention.q.weight",
                (const double[]){0.11541528731389084, -0.04831431534161371, -0.10328832615478054, -0.07951624377584356});
  check_numbers(&layout, weights, "decoder.block.0.layer.2.DenseReluDense.wo.weight",
                (const double[]){-0.008171191524943876, 0.06542837672881846, -0.08796554671807384, 0.07843685063368411});
  for (size_t i = 0; i < layout.n; i++) {
    const tg_parameter *p = &layout.parameters[i];
    for (size_t j = 0; p->n_dims == 1 && j < p->count; j++) assert_true(weights[p->offset + j] == 1);
  }
  tg_free(weights);
  tg_layout_free(&layout);
}

/* Mean 0 and the deviations of transformers' T5PreTrainedModel._init_weights, within five standard errors. */
static void test_deviations(void **state) {
  (void)state;
  static const struct {
    const char *end;
    double deviation;
  } kinds[] = {{"shared.weight", 1},
               {"lm_head.weight", 1},
               {".q.weight", 0.03125},
               {".k.weight", 0.125},
               {".v.weight", 0.125},
               {".o.weight", 0.14433756729740643},
               {".wi_0.weight", 0.125},
               {".wi_1.weight", 0.125},
               {".wo.weight", 0.08838834764831845},
               {"relative_attention_bias.weight", 0.125}};
  t5gist_error err;
  tg_layout layout;
  float *weights;
  const tg_config config = {
      .vocab_size = 301, .d_model = 64, .d_kv = 16, .d_ff = 128, .n_heads = 3, .n_layers = 1, .n_decoder_layers = 1, .n_buckets = 32, .gated = true};
  CHECK_OK(tg_layout_make(&config, true, &layout, &err));
  CHECK_OK(tg_alloc(&weights, layout.count, sizeof *weights, &err));
  tg_parameters_initialise(&layout, 1, weights);
  for (size_t i = 0; i < layout.n; i++) {
    const tg_parameter *p = &layout.parameters[i];
    const double n = (double)p->count;
    double sum = 0, squares = 0;
    for (size_t j = 0; j < p->count; j++) sum += weights[p->offset + j], squares += pow(weights[p->offset + j], 2);
    for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
      if (!strstr(p->name, kinds[k].end)) continue;
      assert_true(fabs(sum / n) < 5 * kinds[k].deviation / sqrt(n));
      assert_true(fabs(sqrt(squares / n) / kinds[k].deviation - 1) < 5 / sqrt(2 * n));
    }
  }
  tg_free(weights);
  tg_layout_free(&layout);
}

/* ------------------------------------------------------------------------------------------------------------------------- folders */

enum { PIECES = 4095, ROWS = 4100 };

typedef struct model {
  tg_config config;
  tg_layout layout;
  float *weights;
} model;

/* A folder's model, with a vocabulary of so many rows. */
static model *model_open(const char *dir, int vocab_size) {
  t5gist_error err;
  model *m;
  CHECK_OK(tg_alloc(&m, 1, sizeof *m, &err));
  CHECK_OK(tg_config_load(dir, &m->config, &err));
  m->config.vocab_size = vocab_size;
  CHECK_OK(tg_layout_make(&m->config, true, &m->layout, &err));
  CHECK_OK(tg_alloc(&m->weights, m->layout.count, sizeof(float), &err));
  return m;
}

static void model_close(model *m) {
  tg_free(m->weights);
  tg_layout_free(&m->layout);
  tg_config_free(&m->config);
  tg_free(m);
}

static char *synthetic(const char *variant, int vocab_size) {
  t5gist_error err;
  char *dir = folder_new(TEST_BINARY_DIR);
  CHECK_OK(tg_synthetic_write(dir, "tiny", variant, 3, vocab_size, TOKENIZER, &err));
  return dir;
}

/* Every number of a folder, and the vocabulary's rows beyond its own: the mean of those that text reaches. */
static void check_loaded(const char *dir, const model *m) {
  t5gist_error err;
  tg_checkpoint *checkpoint;
  CHECK_OK(tg_checkpoint_open(dir, &checkpoint, &err));
  for (size_t i = 0; i < m->layout.n; i++) {
    const tg_parameter *p = &m->layout.parameters[i];
    const tg_tensor *t = tg_checkpoint_find(checkpoint, p->name);
    const float *found = m->weights + p->offset;
    float *expected;
    CHECK_OK(tg_alloc(&expected, t->count, sizeof(float), &err));
    tg_widen(t->data, t->dtype, t->count, expected);
    assert_memory_equal(found, expected, (t->count < p->count ? t->count : p->count) * sizeof(float));
    for (size_t j = t->count; j < p->count; j++) {
      double sum = 0;
      for (size_t row = 0; row < PIECES; row++) sum += expected[row * p->dims[1] + j % p->dims[1]];
      assert_true(fabs(found[j] - sum / PIECES) < 1e-7);
    }
    tg_free(expected);
  }
  tg_checkpoint_close(checkpoint);
}

static void test_load(void **state) {
  (void)state;
  static const char *const variants[] = {"flan", "t5v1", "tied", "uneven", "wide"};
  static const int sizes[] = {4096, PIECES, ROWS};
  t5gist_error err;
  for (size_t v = 0; v < sizeof variants / sizeof *variants; v++) {
    char *dir = synthetic(variants[v], 4096);
    for (int i = 0; i < 3; i++) {
      model *m = model_open(dir, sizes[i]);
      CHECK_OK(tg_parameters_load(dir, &m->layout, PIECES, m->weights, &err));
      check_loaded(dir, m);
      model_close(m);
    }
    folder_remove(dir);
  }
}

static void refuse_load(const char *dir, const char *like, int pieces, t5gist_status status, const char *words) {
  t5gist_error err = {0};
  model *m = model_open(like, 4096);
  const t5gist_status found = tg_parameters_load(dir, &m->layout, pieces, m->weights, &err);
  if (found != status || !strstr(err.message, words))
    fail_msg("expected status %d and \"%s\", found %d and \"%s\"", status, words, found, err.message);
  model_close(m);
}

static void test_load_refused(void **state) {
  (void)state;
  t5gist_error err;
  char *flan = synthetic("flan", 4096), *wide = synthetic("wide", 4096), *tied = synthetic("tied", 4096), *few = synthetic("flan", 4095),
       *bytes = folder_new(TEST_BINARY_DIR);
  CHECK_OK(tg_convert(flan, bytes, &(tg_conversion){.dtype = "int8"}, &err));
  refuse_load(bytes, flan, PIECES, T5GIST_EUNSUPPORTED, "found int8");
  refuse_load(wide, flan, PIECES, T5GIST_EFORMAT, "SelfAttention.q.weight: expected shape [64, 64], found [96, 64]");
  refuse_load(tied, flan, PIECES, T5GIST_EFORMAT, "lm_head.weight");
  refuse_load(few, flan, 4096, T5GIST_EMISMATCH, "at least the tokenizer's 4096 rows, found 4095");
  refuse_load(few, flan, 4097, T5GIST_EUSAGE, "1 to vocab_size (4096) pieces");
  size_t n;
  char *content = folder_read(folder_path(flan, "model.safetensors"), &n);
  memcpy(content + n - 4, &(float){NAN}, 4); /* the head's last number */
  folder_write(flan, "model.safetensors", content, n);
  refuse_load(flan, flan, PIECES, T5GIST_EFORMAT, "lm_head.weight: expected finite numbers, found nan at 262143");
  free(content);
  folder_remove(flan), folder_remove(wide), folder_remove(tied), folder_remove(few), folder_remove(bytes);
}

static void test_scale_q(void **state) {
  (void)state;
  t5gist_error err;
  char *dir = synthetic("uneven", 4096);
  model *m = model_open(dir, 4096), *scaled = model_open(dir, 4096);
  CHECK_OK(tg_parameters_load(dir, &m->layout, PIECES, m->weights, &err));
  CHECK_OK(tg_parameters_load(dir, &scaled->layout, PIECES, scaled->weights, &err));
  tg_parameters_scale_q(&scaled->layout, 4, scaled->weights);
  for (size_t i = 0; i < m->layout.n; i++) {
    const tg_parameter *p = &m->layout.parameters[i];
    const float factor = strstr(p->name, "Attention.q.") ? 4 : 1;
    for (size_t j = p->offset; j < p->offset + p->count; j++) assert_true(scaled->weights[j] == m->weights[j] * factor);
  }
  tg_parameters_scale_q(&scaled->layout, 0.25f, scaled->weights);
  assert_memory_equal(scaled->weights, m->weights, m->layout.count * sizeof(float));
  model_close(m), model_close(scaled);
  folder_remove(dir);
}

static const int trained[] = {1, 2, 4};
static const char *const conditions[] = {"gist", "full"};
static tg_export export_of(const char *out, const char *tokenizer, bool bf16) {
  return (tg_export){out, tokenizer, bf16, trained, 3, 2, 64, conditions, 2};
}

/* A model with four distinct gist rows. */
static model *grown(const char *dir) {
  t5gist_error err;
  model *m = model_open(dir, ROWS);
  tg_free(m->config.gist_ids);
  CHECK_OK(tg_alloc(&m->config.gist_ids, 4, sizeof *m->config.gist_ids, &err));
  for (int i = 0; i < 4; i++) m->config.gist_ids[i] = ROWS - 4 + i;
  m->config.n_gist_ids = 4;
  CHECK_OK(tg_parameters_load(dir, &m->layout, PIECES, m->weights, &err));
  return m;
}

static void check_exported(const char *out, const model *m, bool bf16) {
  t5gist_error err;
  tg_engine *engine;
  tg_t5 *t5;
  CHECK_OK(tg_engine_new(1, &engine, &err));
  CHECK_OK(tg_t5_open(out, engine, &(tg_t5_options){.precision = T5GIST_UNSET, .wo_precision = T5GIST_UNSET}, &t5, &err)); /* takes the engine */
  const tg_config *c = &t5->config;
  assert_int_equal(c->vocab_size, ROWS);
  assert_int_equal(c->n_gist_ids, 4);
  assert_int_equal(c->gist_ids[3], ROWS - 1);
  assert_int_equal(c->default_gists, 2);
  assert_int_equal(c->max_task_tokens, 64);
  assert_string_equal(c->template_task, m->config.template_task);
  assert_null(c->source_fingerprint);
  assert_int_equal(json_array_size(json_object_get(json_object_get(c->json, "t5gist"), "gists")), 3);
  assert_int_equal(json_array_size(json_object_get(json_object_get(c->json, "t5gist"), "conditions")), 2);
  assert_string_equal(json_string_value(json_object_get(c->json, "dtype")), bf16 ? "bfloat16" : "float32");
  if (!m->layout.tied) assert_true(json_is_false(json_object_get(c->json, "tie_word_embeddings"))); /* whatever the folder that it came from said */
  tg_t5_free(t5);
  model *again = model_open(out, ROWS);
  CHECK_OK(tg_parameters_load(out, &again->layout, PIECES, again->weights, &err));
  assert_int_equal(again->layout.count, m->layout.count);
  for (size_t i = 0; i < m->layout.count; i++) {
    const float e = m->weights[i];
    if (bf16)
      assert_true(fabsf(again->weights[i] - e) <= fabsf(e) * 0x1p-8f);
    else
      assert_true(again->weights[i] == e);
  }
  model_close(again);
}

static void test_export(void **state) {
  (void)state;
  static const char *const variants[] = {"flan", "tied", "v5config"};
  t5gist_error err;
  for (size_t v = 0; v < sizeof variants / sizeof *variants; v++) {
    char *dir = synthetic(variants[v], 4096), *out = folder_new(TEST_BINARY_DIR);
    model *m = grown(dir);
    for (int bf16 = 0; bf16 < 2; bf16++) { /* the second over the first */
      const tg_export what = export_of(out, dir, bf16);
      CHECK_OK(tg_parameters_export(&m->layout, m->weights, &what, &err));
      check_exported(out, m, bf16);
    }
    assert_true(tg_file_exists(folder_path(out, "spiece.model")));
    assert_true(tg_file_exists(folder_path(out, "generation_config.json")));
    model_close(m);
    folder_remove(dir), folder_remove(out);
  }
}

/* No file may grow beyond `limit` bytes, as on a full disk. */
static void limit_files(rlim_t limit) {
  struct rlimit now;
  getrlimit(RLIMIT_FSIZE, &now);
  now.rlim_cur = limit < now.rlim_max ? limit : now.rlim_max;
  signal(SIGXFSZ, SIG_IGN);
  setrlimit(RLIMIT_FSIZE, &now);
}

/* A disk that is full at the weights, or only at the tokenizer behind them, leaves the folder as it was. */
static void test_full_disk(void **state) {
  (void)state;
  t5gist_error err;
  char *dir = synthetic("tied", 4096), *out = folder_new(TEST_BINARY_DIR), *model_bytes, *found;
  size_t n, n_found;
  model *m = grown(dir);
  tg_export what = export_of(out, dir, false);
  CHECK_OK(tg_parameters_export(&m->layout, m->weights, &what, &err));
  model_bytes = folder_read(folder_path(out, "model.safetensors"), &n);
  m->weights[0] += 1;
  for (int i = 0; i < 2; i++) {
    what.bf16 = i; /* half the size */
    char *big = i ? malloc(n) : NULL;
    if (i) folder_write(dir, "tokenizer_config.json", memset(big, ' ', n), n);
    free(big);
    limit_files(i ? n - 1 : n / 2);
    const t5gist_status status = tg_parameters_export(&m->layout, m->weights, &what, &err);
    limit_files(RLIM_INFINITY);
    assert_int_equal(status, T5GIST_EIO);
    assert_non_null(strstr(err.message, i ? "tokenizer_config.json" : "model.safetensors"));
    found = folder_read(folder_path(out, "model.safetensors"), &n_found);
    assert_int_equal(n_found, n);
    assert_memory_equal(found, model_bytes, n);
    assert_false(tg_file_exists(folder_path(out, "tokenizer_config.json")));
    free(found);
  }
  free(model_bytes);
  model_close(m);
  folder_remove(dir), folder_remove(out);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_layout), cmocka_unit_test(test_initialise),   cmocka_unit_test(test_deviations),
                                     cmocka_unit_test(test_load),   cmocka_unit_test(test_load_refused), cmocka_unit_test(test_scale_q),
                                     cmocka_unit_test(test_export), cmocka_unit_test(test_full_disk)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
