/* The harness: configurations are checked, a point is measured and adds up, predictions follow the counters, all outputs are written. */
#include <glob.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "bench/bench.h"
#include "runtime/json.h"
#include "runtime/pages.h"
#include "t5/synthetic.h"
#include "tests/support/folder.h"

#define CHECK_OK(expr)                                               \
  do {                                                               \
    if ((expr) != T5GIST_OK) fail_msg("%s: %s", #expr, err.message); \
  } while (0)

static char *dir;
static t5gist_model *model;

static int set_up(void **state) {
  t5gist_error err;
  (void)state;
  dir = folder_new(TEST_BINARY_DIR);
  CHECK_OK(tg_synthetic_write(folder_path(dir, "tiny"), "tiny", "flan", 5, T5GIST_UNSET, TEST_SOURCE_DIR "/tests/data/flan-t5", &err));
  CHECK_OK(t5gist_model_open(folder_path(dir, "tiny"), NULL, &model, &err));
  return 0;
}

static int tear_down(void **state) {
  (void)state;
  t5gist_model_close(model);
  folder_remove(dir);
  return 0;
}

static t5gist_status load(const char *text, tg_bench_config *config, t5gist_error *err) {
  folder_text(dir, "config.yaml", text);
  return tg_bench_config_load(folder_path(dir, "config.yaml"), config, err);
}

static void wrong_configurations(void **state) {
  static const struct {
    const char *text, *named;
  } cases[] = {
      {"synthetic: tiny\n", "task_tokens"},
      {"task_tokens: 8\ninput_tokens: 8\n", "synthetic"},
      {"synthetic: tiny\nmodel: x\ntask_tokens: 8\ninput_tokens: 8\n", "both"},
      {"synthetic: tiny\ntask_tokens: 8\ninput_tokens: 8\nconditions: [full, gist_memry]\n", "gist_memory"},
      {"synthetic: tiny\ntask_tokens: 8\ninput_tokens: 8\nbatch: [1, 0]\n", "batch"},
      {"synthetic: tiny\ntask_tokens: 8\ninput_tokens: 8\ndtype: f64\n", "f64"},
      {"synthetic: tiny\ntask_tokens: 8\ninput_tokens: 8\nname: a/b\n", "a/b"},
      {"synthetic: tiny\ntask_token: 8\n", "task_tokens"},
  };
  (void)state;
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    tg_bench_config config;
    t5gist_error err = {0};
    if (load(cases[i].text, &config, &err) == T5GIST_OK) fail_msg("expected to be refused: %s", cases[i].text);
    if (!strstr(err.message, cases[i].named)) fail_msg("expected \"%s\" to be named, found: %s", cases[i].named, err.message);
    tg_bench_config_free(&config);
  }
}

static tg_limits some_limits(void) {
  tg_limits limits = {.bandwidth = 1e9};
  for (int r = 0; r < TG_N_RATES; r++)
    for (int i = 0; i < TG_N_ROWS; i++) limits.streamed[r][i] = limits.cached[r][i] = (r + 1) * 1e9 * (i + 1);
  return limits;
}

static void roofline(void **state) {
  const tg_limits limits = some_limits();
  (void)state;
  assert_true(fabs(tg_limits_rate(&limits, TG_RATE_F32, 1) - 2e9) < 1);  /* below 32 rows: as at 32 */
  assert_true(fabs(tg_limits_rate(&limits, TG_RATE_F32, 48) - 2.5e9) < 1);
  assert_true(fabs(tg_limits_rate(&limits, TG_RATE_INT8, 1000) - 12e9) < 1);
  const t5gist_counters reading = {.products = 1, .product_flops = 2000, .weights = 1000, .weight_bytes = 4000000};
  assert_true(fabs(tg_roofline_ms(&limits, TG_RATE_F32, &reading) - 4) < 1e-9);
  const t5gist_counters arithmetic = {.products = 1, .product_flops = 6000000, .weights = 46875, .weight_bytes = 187500, .attention_flops = 3000000};
  assert_true(fabs(tg_roofline_ms(&limits, TG_RATE_F32, &arithmetic) - 3) < 1e-9); /* 64 rows at 3e9, attention at 3e9 */
  assert_true(tg_roofline_ms(&limits, TG_RATE_F32, &(t5gist_counters){0}) == 0);
}

/* What packed weights lie in is read, and nothing is found slower than before. */
static void weights_where_they_lie(void **state) {
  (void)state;
  t5gist_error err;
  double speed = 0, kept = 1e15;
  unsigned char *block;
  CHECK_OK(tg_pages_take(&block, 8 << 20, &err));
  CHECK_OK(tg_limits_weights(2, &speed, &err));
  assert_true(speed > 1e8 && speed < 1e13);
  CHECK_OK(tg_limits_weights(2, &kept, &err));
  assert_true(kept == 1e15);
  tg_pages_return(block);
}

static void check_point(const tg_bench_config *config, const tg_point_result *p) {
  for (int c = 0; c < TG_BENCH_N_CONDITIONS; c++) {
    const tg_condition_result *r = &p->conditions[c];
    const tg_series *s = &r->series;
    assert_true(r->measured);
    assert_int_equal(s->n, 2 * config->rounds); /* five prompts make two groups of two */
    for (size_t i = 0; i < s->n; i++) {
      double sum = 0;
      for (int part = 0; part < TG_N_PARTS; part++) sum += s->parts[part][i];
      assert_true(s->total[i] > 0 && fabs(sum - s->total[i]) < 1e-6);
      assert_true((s->counters[i * T5GIST_N_STAGES + T5GIST_STAGE_PREFIX].products > 0) == (c == TG_BENCH_GIST_UNCACHED));
      assert_true(s->counters[i * T5GIST_N_STAGES + T5GIST_STAGE_DECODE].products > 0);
    }
    assert_true(r->ms.low <= r->ms.estimate && r->ms.estimate <= r->ms.high && r->predicted_ms > 0 && r->flops > 0);
    assert_true(r->in_place_ms > r->predicted_ms && r->in_place_ms <= 2 * r->predicted_ms); /* half the reading speed */
  }
  const tg_condition_result *full = &p->conditions[TG_BENCH_FULL], *gist = &p->conditions[TG_BENCH_GIST_MEMORY];
  assert_true(full->series.n_task == 24 && full->series.n_input == 12 && full->series.n_gist == 0 && gist->series.n_gist == 2);
  assert_true(gist->flops < full->flops && gist->predicted_ms < full->predicted_ms);
  assert_true(p->conditions[TG_BENCH_GIST_FILE].part_ms[TG_PART_OPEN] > 0);
  assert_true(p->kept.activations == 24 * (2 * 2 * 64 + 64) * 4);
  assert_true(p->kept.gist_bf16 < p->kept.gist_f32 && p->kept.gist_f32 < p->kept.gist_cross);
}

static void a_run(void **state) {
  static const char *const files[] = {"t.json", "t.md", "t-stages.svg", "t-sweep.svg", "t-limits.svg"};
  t5gist_error err;
  tg_bench_config config;
  tg_bench_result result = {.limits = some_limits(), .n_formats = 1};
  const tg_limits *limits = &result.limits;
  (void)state;
  CHECK_OK(
      load("name: t\nmodel: x\ntask_tokens: 24\ninput_tokens: 12\nn_prompts: 5\nbatch: 2\ngists: [2, 3]\nnew_tokens: 3\nrounds: 2\nresamples: 50\n",
           &config, &err));
  CHECK_OK(tg_alloc(&result.formats, 1, sizeof *result.formats, &err));
  CHECK_OK(tg_alloc(&result.formats[0].points, 2, sizeof *result.formats[0].points, &err));
  for (int i = 0; i < 2; i++) {
    tg_point_result *p = &result.formats[0].points[result.formats[0].n_points++];
    CHECK_OK(tg_bench_measure(&config, model, (tg_point){2, 24, 2 + i}, dir, p, &err));
    result.formats[0].weights_read = limits->bandwidth / 2;
    CHECK_OK(tg_bench_summarise(&config, limits, &result.formats[0], p, &err));
  }
  check_point(&config, &result.formats[0].points[0]);
  CHECK_OK(tg_bench_write(&config, &result, folder_path(dir, "out"), &err));
  for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
    size_t n;
    char *text = folder_read(folder_path(folder_path(dir, "out"), files[i]), &n);
    assert_true(n > 200);
    free(text);
  }
  json_t *json;
  CHECK_OK(tg_json_read(folder_path(folder_path(dir, "out"), "t.json"), 1 << 22, &json, &err));
  const json_t *points = json_object_get(json_array_get(json_object_get(json, "formats"), 0), "points");
  assert_int_equal(json_array_size(points), 2);
  assert_non_null(json_object_get(json_object_get(json_array_get(points, 0), "conditions"), "discrete"));
  json_decref(json);
  tg_bench_result_free(&result);
  tg_bench_config_free(&config);
}

static void quality(void **state) {
  t5gist_error err;
  tg_bench_config config;
  tg_quality scores[TG_BENCH_N_CONDITIONS] = {0};
  (void)state;
  folder_text(dir, "prompts.json",
              "[{\"instruction\": \"Sort the words.\", \"input\": \"b a\", \"output\": \"a b\"}, {\"instruction\": \"Repeat.\", \"input\": \"x\"}]");
  tg_buffer text = {0};
  CHECK_OK(tg_buffer_printf(&text, &err, "model: x\nprompts: %s\nquality_tokens: 4\nresamples: 50\nconditions: [full, gist_memory, gist_file]\n",
                            folder_path(dir, "prompts.json")));
  CHECK_OK(load(text.data, &config, &err));
  CHECK_OK(tg_bench_quality(&config, model, scores, &err));
  assert_true(scores[TG_BENCH_FULL].measured && scores[TG_BENCH_GIST_MEMORY].measured && !scores[TG_BENCH_GIST_FILE].measured);
  assert_true(scores[TG_BENCH_FULL].same_as_full.estimate == 100);
  tg_buffer_free(&text);
  tg_bench_config_free(&config);
}

static void shipped_configurations(void **state) {
  (void)state;
  t5gist_error err;
  glob_t found;
  assert_int_equal(glob(TEST_SOURCE_DIR "/configs/bench-*.yaml", 0, NULL, &found), 0);
  for (size_t i = 0; i < found.gl_pathc; i++) {
    tg_bench_config config = {0};
    CHECK_OK(tg_bench_config_load(found.gl_pathv[i], &config, &err));
    tg_bench_config_free(&config);
  }
  globfree(&found);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(wrong_configurations),   cmocka_unit_test(shipped_configurations), cmocka_unit_test(roofline),
                                     cmocka_unit_test(weights_where_they_lie), cmocka_unit_test(a_run),                  cmocka_unit_test(quality)};
  return cmocka_run_group_tests(tests, set_up, tear_down);
}
