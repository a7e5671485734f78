/* Optimisers against PyTorch's, and what they add of their own: clipping, the gists' rate, averaging, stretches; schedules. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "runtime/json.h"
#include "runtime/memory.h"
#include "support.h"
#include "t5/random.h"
#include "training/ops.h"
#include "training/optimiser.h"

enum { STEPS = 10 };

/* tests/golden/make_optimisers.py's; two rows are gist tokens. */
static int32_t gist_ids[] = {7, 4};
static const tg_config config = {.vocab_size = 9,
                                 .d_model = 5,
                                 .d_kv = 3,
                                 .d_ff = 7,
                                 .n_heads = 2,
                                 .n_layers = 1,
                                 .n_decoder_layers = 1,
                                 .n_buckets = 8,
                                 .gated = true,
                                 .head = TG_HEAD_FILE,
                                 .gist_ids = gist_ids,
                                 .n_gist_ids = 2};

typedef struct bench {
  tg_layout layout;
  tg_engine *engine;
  tg_workspace *workspace;
  float *weights, *gradients;
} bench;

static float number(uint64_t seed, const char *name, size_t i) {
  const uint64_t bits = tg_random_at(tg_random_key(seed, tg_random_label(name)), i) >> 40;
  return (float)((int64_t)bits - (1 << 23)) * 0x1p-23f;
}

static void reset(bench *b) {
  for (size_t i = 0; i < b->layout.n; i++) {
    const tg_parameter *p = &b->layout.parameters[i];
    const float scale = strstr(p->name, "final_layer_norm") ? 0x1p-12f : 0.5f;
    for (size_t j = 0; j < p->count; j++) b->weights[p->offset + j] = number(1, p->name, j) * scale;
  }
}

static void set_gradients(bench *b, int step) {
  for (size_t i = 0; i < b->layout.n; i++) {
    const tg_parameter *p = &b->layout.parameters[i];
    for (size_t j = 0; j < p->count; j++) b->gradients[p->offset + j] = number(100 + (uint64_t)step, p->name, j) * 0x1p-6f * (float)step;
  }
}

static bench bench_new(const tg_config *c, int threads) {
  t5gist_error err;
  bench b;
  CHECK_OK(tg_layout_make(c, true, &b.layout, &err));
  CHECK_OK(tg_engine_new(threads, &b.engine, &err));
  CHECK_OK(tg_workspace_new(b.engine, &b.workspace, &err));
  CHECK_OK(tg_alloc(&b.weights, b.layout.count, sizeof(float), &err));
  CHECK_OK(tg_alloc(&b.gradients, b.layout.count, sizeof(float), &err));
  reset(&b);
  return b;
}

static void bench_free(bench *b) {
  tg_free(b->weights);
  tg_free(b->gradients);
  tg_workspace_free(b->workspace);
  tg_engine_free(b->engine);
  tg_layout_free(&b->layout);
}

static const double rates[] = {[TG_ADAMW] = 0.01, [TG_ADAMW_SCALED] = 0.05, [TG_ADAFACTOR] = 0.02, [TG_MUON] = 0.01};

static tg_optimiser_options options_of(int kind) {
  return (tg_optimiser_options){.kind = kind, .beta1 = 0.9f, .beta2 = 0.999f, .eps = 1e-8f, .weight_decay = 0.1f, .clip = 1, .gist_factor = 1};
}

static void take_step(bench *b, tg_optimiser *optimiser, double rate, int step) {
  t5gist_error err;
  set_gradients(b, step);
  const double norm = sqrt(tg_train_sum_squares(b->workspace, b->gradients, b->layout.count));
  CHECK_OK(tg_optimiser_step(optimiser, b->workspace, rate, (uint64_t)step, norm, b->gradients, b->weights, &err));
}

/* STEPS steps over [begin, end), from the beginning. */
static void train(bench *b, const tg_optimiser_options *options, double rate, size_t begin, size_t end) {
  t5gist_error err;
  tg_optimiser *optimiser;
  CHECK_OK(tg_optimiser_new(&b->layout, options, begin, end, &optimiser, &err));
  reset(b);
  for (int step = 1; step <= STEPS; step++) take_step(b, optimiser, rate, step);
  tg_optimiser_free(optimiser);
}

/* --------------------------------------------------------------------------------------------------------------------------- golden */

static void test_golden(void **state) {
  (void)state;
  static const char *const names[] = {[TG_ADAMW] = "adamw", [TG_ADAMW_SCALED] = "adamw_scaled", [TG_ADAFACTOR] = "adafactor", [TG_MUON] = "muon"};
  t5gist_error err;
  json_t *answers;
  CHECK_OK(tg_json_read(TEST_SOURCE_DIR "/tests/golden/optimisers.json", 1 << 20, &answers, &err));
  bench b = bench_new(&config, 2);
  for (int kind = TG_ADAMW; kind <= TG_MUON; kind++) {
    const json_t *expected = json_object_get(answers, names[kind]);
    const tg_optimiser_options options = options_of(kind);
    assert_int_equal(json_array_size(expected), b.layout.count);
    train(&b, &options, rates[kind], 0, b.layout.count);
    for (size_t i = 0; i < b.layout.count; i++) {
      const double e = json_number_value(json_array_get(expected, i));
      if (fabs(b.weights[i] - e) > 1e-6 * fabs(e) + (kind == TG_MUON ? 1e-6 : 1e-8)) /* Muon: sums of other orders through five iterations */
        fail_msg("%s: weight %zu: expected %.9g, found %.9g", names[kind], i, e, b.weights[i]);
    }
  }
  bench_free(&b);
  json_decref(answers);
}

/* -------------------------------------------------------------------------------------------------------------------------- our own */

/* Under AdamW, rows of gist tokens at ten times the rate are those of a run at ten times the rate; nothing else moves. */
static void test_gist_rate(void **state) {
  (void)state;
  bench slow = bench_new(&config, 1), fast = bench_new(&config, 1), both = bench_new(&config, 2);
  tg_optimiser_options options = options_of(TG_ADAMW);
  train(&slow, &options, 1e-3, 0, slow.layout.count);
  train(&fast, &options, 1e-2, 0, fast.layout.count);
  options.gist_factor = 10;
  train(&both, &options, 1e-3, 0, both.layout.count);
  for (size_t i = 0; i < both.layout.count; i++) {
    const size_t row = i / (size_t)config.d_model; /* the embedding stands first */
    const bool gist = row == 4 || row == 7;
    assert_true(fabsf(both.weights[i] - (gist ? fast : slow).weights[i]) < 2e-7f);
  }
  bench_free(&slow), bench_free(&fast), bench_free(&both);
}

/* After one step from the same weights, gist rows have moved ten times as far, whatever the kind. */
static void test_gist_rate_first_step(void **state) {
  (void)state;
  t5gist_error err;
  bench plain = bench_new(&config, 1), raised = bench_new(&config, 1);
  for (int kind = TG_ADAMW; kind <= TG_MUON; kind++) {
    tg_optimiser_options options = options_of(kind);
    options.weight_decay = 0; /* multiplies with the step */
    tg_optimiser *a, *b;
    CHECK_OK(tg_optimiser_new(&plain.layout, &options, 0, plain.layout.count, &a, &err));
    options.gist_factor = 10;
    CHECK_OK(tg_optimiser_new(&raised.layout, &options, 0, raised.layout.count, &b, &err));
    reset(&plain), reset(&raised);
    float before[45]; /* the embedding */
    memcpy(before, plain.weights, sizeof before);
    take_step(&plain, a, 1e-3, 1), take_step(&raised, b, 1e-3, 1);
    for (size_t i = 0; i < 45; i++) {
      const double factor = i / 5 == 4 || i / 5 == 7 ? 10 : 1, expected = factor * (plain.weights[i] - (double)before[i]);
      assert_true(fabs(raised.weights[i] - (double)before[i] - expected) < 1e-5 * fabs(expected) + 1e-6);
    }
    tg_optimiser_free(a), tg_optimiser_free(b);
  }
  bench_free(&plain), bench_free(&raised);
}

/* average_t = sum over s of d^(t - s) (1 - d) w_s / (1 - d^t). */
static void test_average(void **state) {
  (void)state;
  t5gist_error err;
  bench b = bench_new(&config, 2);
  for (int kind = TG_ADAMW; kind <= TG_MUON; kind++) {
    tg_optimiser_options options = options_of(kind);
    options.average = 0.75f;
    tg_optimiser *optimiser;
    double *sums;
    CHECK_OK(tg_alloc(&sums, b.layout.count, sizeof *sums, &err));
    CHECK_OK(tg_optimiser_new(&b.layout, &options, 0, b.layout.count, &optimiser, &err));
    reset(&b);
    for (int step = 1; step <= STEPS; step++) {
      take_step(&b, optimiser, rates[kind], step);
      const float *average = tg_optimiser_average(optimiser);
      for (size_t i = 0; i < b.layout.count; i++) {
        sums[i] = 0.75 * sums[i] + 0.25 * b.weights[i];
        assert_true(fabs(average[i] - sums[i] / (1 - pow(0.75, step))) < 1e-6);
      }
    }
    tg_optimiser_free(optimiser);
    tg_free(sums);
  }
  bench_free(&b);
}

/* The same bits for every number of threads, and where two processes have a part each. */
static void test_same_bits(void **state) {
  (void)state;
  tg_config large = config;
  large.vocab_size = 9001; /* more than one stretch, blocks of Adafactor */
  bench one = bench_new(&large, 1), three = bench_new(&large, 3);
  for (int kind = TG_ADAMW; kind <= TG_MUON; kind++) {
    tg_optimiser_options options = options_of(kind);
    options.average = 0.9f;
    options.gist_factor = 3;
    train(&one, &options, rates[kind], 0, one.layout.count);
    train(&three, &options, rates[kind], 0, three.layout.count);
    assert_memory_equal(one.weights, three.weights, one.layout.count * sizeof(float));
    if (kind == TG_ADAMW_SCALED) continue; /* it reads the other part's weights, which train leaves as they were */
    const size_t half = kind == TG_ADAFACTOR || kind == TG_MUON ? one.layout.parameters[3].offset : 33334;
    float *first;
    t5gist_error err;
    CHECK_OK(tg_alloc(&first, half, sizeof *first, &err));
    train(&three, &options, rates[kind], 0, half);
    memcpy(first, three.weights, half * sizeof *first);
    train(&three, &options, rates[kind], half, three.layout.count);
    assert_memory_equal(first, one.weights, half * sizeof *first);
    assert_memory_equal(three.weights + half, one.weights + half, (one.layout.count - half) * sizeof(float));
    tg_free(first);
  }
  bench_free(&one), bench_free(&three);
}

static void test_state(void **state) {
  (void)state;
  static const struct {
    int kind;
    float average;
    size_t n;
    const char *names[4];
  } cases[] = {{TG_ADAMW, 0, 2, {"m", "v"}},
               {TG_ADAMW_SCALED, 0.5f, 3, {"m", "v", "average"}},
               {TG_MUON, 0, 2, {"m", "v"}},
               {TG_ADAFACTOR, 0, 3, {"v", "v_rows", "v_columns"}},
               {TG_ADAFACTOR, 0.5f, 4, {"v", "v_rows", "v_columns", "average"}}};
  t5gist_error err;
  bench b = bench_new(&config, 1);
  for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
    tg_optimiser_options options = options_of(cases[c].kind);
    options.average = cases[c].average;
    tg_optimiser *optimiser;
    tg_state_vector vectors[TG_STATE_VECTORS];
    CHECK_OK(tg_optimiser_new(&b.layout, &options, 0, b.layout.count, &optimiser, &err));
    assert_int_equal(tg_optimiser_state(optimiser, NULL, 0), cases[c].n);
    assert_int_equal(tg_optimiser_state(optimiser, vectors, TG_STATE_VECTORS), cases[c].n);
    size_t floats = 0;
    for (size_t i = 0; i < cases[c].n; i++) {
      assert_string_equal(vectors[i].name, cases[c].names[i]);
      floats += vectors[i].count;
    }
    assert_int_equal(floats, tg_optimiser_floats(&b.layout, &options));
    tg_optimiser_free(optimiser);
  }
  bench_free(&b);
}

static void test_refused(void **state) {
  (void)state;
  t5gist_error err;
  bench b = bench_new(&config, 1);
  tg_optimiser_options options = options_of(TG_ADAFACTOR);
  tg_optimiser *optimiser;
  assert_int_equal(tg_optimiser_new(&b.layout, &options, 0, 7, &optimiser, &err), T5GIST_EUSAGE);
  assert_non_null(strstr(err.message, "Adafactor takes whole tensors, found 0 to 7, which cuts shared.weight"));
  options.kind = TG_MUON;
  assert_int_equal(tg_optimiser_new(&b.layout, &options, 0, 7, &optimiser, &err), T5GIST_EUSAGE);
  assert_non_null(strstr(err.message, "Muon takes whole tensors"));
  options.kind = TG_ADAFACTOR;
  assert_int_equal(tg_optimiser_new(&b.layout, &options, 0, b.layout.count + 1, &optimiser, &err), T5GIST_EUSAGE);
  options.kind = TG_ADAMW;
  CHECK_OK(tg_optimiser_new(&b.layout, &options, 0, b.layout.count, &optimiser, &err));
  const float kept = b.weights[0];
  assert_int_equal(tg_optimiser_step(optimiser, b.workspace, 1, 3, NAN, b.gradients, b.weights, &err), T5GIST_EFORMAT);
  assert_non_null(strstr(err.message, "step 3: expected a finite gradient"));
  assert_true(b.weights[0] == kept);
  tg_optimiser_free(optimiser);
  bench_free(&b);
}

/* ------------------------------------------------------------------------------------------------------------------------ schedules */

static void check_rate(const tg_schedule *s, int step, double expected) {
  const double found = tg_schedule_rate(s, step);
  if (fabs(found - expected) > 1e-12) fail_msg("kind %d, step %d: expected %g, found %g", s->kind, step, expected, found);
}

static void test_schedules(void **state) {
  (void)state;
  tg_schedule s = {.kind = TG_CONSTANT, .rate = 2, .final_rate = 0.5, .warmup = 3, .steps = 12};
  for (s.kind = TG_CONSTANT; s.kind <= TG_COSINE; s.kind++) {
    check_rate(&s, 0, 0.5);
    check_rate(&s, 1, 1);
    check_rate(&s, 2, 1.5);
    check_rate(&s, 3, 2);
    check_rate(&s, 7, s.kind == TG_CONSTANT ? 2 : 1.25);
    check_rate(&s, 11, s.kind == TG_CONSTANT ? 2 : 0.5);
    check_rate(&s, 1000, s.kind == TG_CONSTANT ? 2 : 0.5);
  }
  s = (tg_schedule){.kind = TG_COSINE, .rate = 1, .steps = 9};
  check_rate(&s, 0, 1);
  check_rate(&s, 2, 0.5 + 0.5 * sqrt(0.5));
  s.kind = TG_LINEAR;
  check_rate(&s, 2, 0.75);
  s = (tg_schedule){.kind = TG_LINEAR, .rate = 1, .warmup = 5, .steps = 3}; /* ends within the warm-up */
  check_rate(&s, 2, 0.5);
  s = (tg_schedule){.kind = TG_COSINE, .rate = 1, .final_rate = 0.25, .steps = 1};
  check_rate(&s, 0, 0.25);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_golden),  cmocka_unit_test(test_gist_rate), cmocka_unit_test(test_gist_rate_first_step),
                                     cmocka_unit_test(test_average), cmocka_unit_test(test_same_bits), cmocka_unit_test(test_state),
                                     cmocka_unit_test(test_refused), cmocka_unit_test(test_schedules)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
