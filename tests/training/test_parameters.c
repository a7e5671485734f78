/* Parameters as one vector: the layout, T5's initialisation. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "runtime/memory.h"
#include "training/parameters.h"

#define must(status) \
  do { \
    if ((status) != T5GIST_OK) fail_msg("%s", err.message); \
  } while (0)

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
  must(tg_layout_make(config, untied, &layout, &err));
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
    const tg_config untied = odd_config(gated, TG_HEAD_FILE), open = odd_config(gated, TG_HEAD_FILE_OR_SHARED), tied = odd_config(gated, TG_HEAD_SHARED);
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
  must(tg_layout_make(&config, true, &layout, &err));
  must(tg_alloc(&weights, layout.count, sizeof *weights, &err));
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
  must(tg_layout_make(&config, true, &layout, &err));
  must(tg_alloc(&weights, layout.count, sizeof *weights, &err));
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

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_layout), cmocka_unit_test(test_initialise), cmocka_unit_test(test_deviations)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
