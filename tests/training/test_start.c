/* Where a run starts: the gist rows of folders of every kind, and the tokenizer's files. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/file.h"
#include "support.h"
#include "t5/synthetic.h"
#include "tests/support/folder.h"
#include "training/start.h"

#define FLAN TEST_SOURCE_DIR "/tests/data/flan-t5"

static t5gist_error err;

/* A tiny folder with FLAN-T5's tokenizer; block is its "t5gist" block, or "" for none. */
static char *model_with(int vocab_size, const char *block) {
  char *dir = folder_new(TEST_BINARY_DIR), changed[4096];
  CHECK_OK(tg_synthetic_write(dir, "tiny", "flan", 7, vocab_size, FLAN, &err));
  char *config = folder_read(folder_path(dir, "config.json"), NULL);
  const char *rest = strchr(config, '{') + 1, *old = strstr(config, "\"t5gist\"");
  if (old) memcpy((char *)old, "\"unused\"", 8);
  snprintf(changed, sizeof changed, "{%s%s%s", block, *block ? "," : "", rest);
  folder_text(dir, "config.json", changed);
  free(config);
  return dir;
}

typedef struct started {
  tg_start start;
  float *weights, *table; /* table: the embedding's row 0 */
} started;

static t5gist_status open_start(char *dir, int distinct, int gists, started *s) {
  const tg_recipe recipe = {.model = dir, .distinct_gists = distinct, .most_gists = gists};
  *s = (started){0};
  TG_TRY(tg_start_open(&recipe, NULL, true, &s->start, &err));
  TG_TRY(tg_alloc(&s->weights, s->start.layout.count, sizeof(float), &err));
  s->table = s->weights + s->start.layout.embedding;
  return tg_start_weights(&recipe, &s->start, s->weights, &err);
}

static void close_start(started *s) {
  tg_start_close(&s->start);
  tg_free(s->weights);
}

static const float *row(const started *s, int id) {
  return s->table + (size_t)id * (size_t)s->start.config.d_model;
}

/* Whether a row is the mean of those that text reaches. */
static bool is_mean(const started *s, int id) {
  for (int j = 0; j < s->start.config.d_model; j++) {
    double sum = 0;
    for (int i = 0; i < s->start.text_rows; i++) sum += (double)row(s, i)[j];
    if (fabs(sum / s->start.text_rows - (double)row(s, id)[j]) > 1e-6) return false;
  }
  return true;
}

/* The row as the folder has it: opened with a vocabulary that is kept whole. */
static bool is_folders(char *dir, const started *s, int id) {
  tg_config config;
  tg_layout layout;
  float *weights;
  CHECK_OK(tg_config_load(dir, &config, &err));
  CHECK_OK(tg_layout_make(&config, true, &layout, &err));
  CHECK_OK(tg_alloc(&weights, layout.count, sizeof *weights, &err));
  CHECK_OK(tg_parameters_load(dir, &layout, s->start.text_rows, weights, &err));
  const size_t d = (size_t)config.d_model;
  const bool same = memcmp(weights + layout.embedding + (size_t)id * d, row(s, id), d * sizeof(float)) == 0;
  tg_free(weights);
  tg_layout_free(&layout);
  tg_config_free(&config);
  return same;
}

static void a_published_folder_keeps_its_gist_row(void **state) {
  (void)state;
  started s;
  char *dir = model_with(32101, "");
  CHECK_OK(open_start(dir, T5GIST_UNSET, 1, &s));
  assert_int_equal(s.start.config.n_gist_ids, 1);
  assert_int_equal(s.start.config.gist_ids[0], 32100);
  assert_true(is_folders(dir, &s, 32100));
  assert_false(is_mean(&s, 32100));
  close_start(&s);
  folder_remove(dir);

  dir = model_with(32128, "");
  folder_text(dir, "added_tokens.json", "{\"<GIST>\": 32103}");
  CHECK_OK(open_start(dir, T5GIST_UNSET, 1, &s));
  assert_int_equal(s.start.config.gist_ids[0], 32103);
  assert_true(is_folders(dir, &s, 32103));
  close_start(&s);
  folder_remove(dir);
}

static void a_folder_without_gists_gets_the_mean(void **state) {
  (void)state;
  started s;
  char *dir = model_with(32128, "");
  CHECK_OK(open_start(dir, 3, 3, &s));
  assert_int_equal(s.start.config.n_gist_ids, 3);
  assert_int_equal(s.start.config.vocab_size, 32103);
  for (int i = 0; i < 3; i++) {
    assert_int_equal(s.start.config.gist_ids[i], 32100 + i);
    assert_true(is_mean(&s, 32100 + i));
  }
  close_start(&s);
  folder_remove(dir);
}

/* Going on from a repeated row with distinct ones begins where the folder ended: every one of them is that row. */
static void a_repeated_row_becomes_distinct_ones(void **state) {
  (void)state;
  started s;
  char *dir = model_with(32101, "");
  CHECK_OK(open_start(dir, 4, 4, &s));
  assert_int_equal(s.start.config.n_gist_ids, 4);
  assert_true(is_folders(dir, &s, 32100));
  for (int i = 1; i < 4; i++) {
    assert_int_equal(s.start.config.gist_ids[i], 32100 + i);
    assert_memory_equal(row(&s, 32100), row(&s, 32100 + i), 64 * sizeof(float));
  }
  close_start(&s);
  folder_remove(dir);
}

static void distinct_rows_stay_the_folders(void **state) {
  (void)state;
  started s;
  char *dir = model_with(32128, "\"t5gist\": {\"gist_token_ids\": [32110, 32100, 32112]}");
  const int wanted[] = {T5GIST_UNSET, 3, 2, 0, 5}, n[] = {3, 3, 2, 1, 5}, ids[] = {32110, 32100, 32112, 32101, 32102},
            rows[] = {32113, 32113, 32111, 32111, 32113};
  for (int w = 0; w < 5; w++) {
    CHECK_OK(open_start(dir, wanted[w], 1, &s));
    assert_int_equal(s.start.config.n_gist_ids, n[w]);
    assert_int_equal(s.start.config.vocab_size, rows[w]);
    for (int i = 0; i < n[w]; i++) {
      assert_int_equal(s.start.config.gist_ids[i], ids[i]);
      assert_true(i < 3 ? is_folders(dir, &s, ids[i]) : is_mean(&s, ids[i]));
    }
    close_start(&s);
  }
  assert_int_equal(open_start(dir, T5GIST_UNSET, 4, &s), T5GIST_EUSAGE);
  assert_non_null(strstr(err.message, "gists: expected at most 3, the distinct gist rows of "));
  close_start(&s);
  folder_remove(dir);
}

/* A run from scratch takes the whole tokenizer along, and nothing else of that model. */
static void a_start_from_scratch_has_a_tokenizer_of_its_own(void **state) {
  (void)state;
  started s = {0};
  char *from = folder_new(TEST_BINARY_DIR), *run = folder_new(TEST_BINARY_DIR);
  folder_copy(from, "spiece.model", FLAN "/spiece.model");
  folder_text(from, "tokenizer_config.json", "{\"added_tokens_decoder\": {\"32100\": {\"content\": \"<GIST>\"}}}");
  folder_text(from, "added_tokens.json", "{\"<GIST>\": 32100}");
  folder_text(from, "special_tokens_map.json", "{}");
  folder_text(from, "generation_config.json", "{\"num_beams\": 4}");
  tg_recipe recipe = {.shape = (char *)"tiny",
                      .vocab_from = from,
                      .distinct_gists = T5GIST_UNSET,
                      .most_gists = 1,
                      .n_layers = T5GIST_UNSET,
                      .n_decoder_layers = T5GIST_UNSET,
                      .d_model = T5GIST_UNSET,
                      .d_ff = T5GIST_UNSET,
                      .d_kv = T5GIST_UNSET,
                      .n_heads = T5GIST_UNSET,
                      .buckets = 32,
                      .max_distance = 128};
  CHECK_OK(tg_start_open(&recipe, run, true, &s.start, &err));
  assert_int_equal(s.start.config.gist_ids[0], 32100);
  assert_true(s.start.fresh[0]);
  static const char *const taken[] = {"spiece.model", "tokenizer_config.json", "added_tokens.json", "special_tokens_map.json", "config.json"};
  for (size_t i = 0; i < sizeof taken / sizeof *taken; i++) assert_true(tg_file_exists(folder_path(s.start.dir, taken[i])));
  assert_false(tg_file_exists(folder_path(s.start.dir, "generation_config.json")));
  tg_start_close(&s.start);
  recipe.vocab_from = run; /* holds no tokenizer */
  char *other = folder_new(TEST_BINARY_DIR);
  assert_int_not_equal(tg_start_open(&recipe, other, true, &s.start, &err), T5GIST_OK);
  assert_non_null(strstr(err.message, "spiece.model"));
  tg_start_close(&s.start);
  folder_remove(from), folder_remove(run), folder_remove(other);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(a_published_folder_keeps_its_gist_row), cmocka_unit_test(a_folder_without_gists_gets_the_mean),
                                     cmocka_unit_test(a_repeated_row_becomes_distinct_ones), cmocka_unit_test(distinct_rows_stay_the_folders),
                                     cmocka_unit_test(a_start_from_scratch_has_a_tokenizer_of_its_own)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
