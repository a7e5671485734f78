/* Prompts as token ids: FLAN-T5's tokenizer, whose pieces of these texts are known. */
#include <stdlib.h>
#include <string.h>

#include "gist/model.h"
#include "gist/prompt.h"
#include "support.h"
#include "tests/support/folder.h"

enum { SEED = 5, GIST = 32100, END = 1 };
#define TASK_IDS 21035, 10, 30355, 15, 48, 5
#define INPUT_IDS 86, 2562, 10, 37, 629

static char *dir;
static t5gist_model *model;

static int set_up(void **state) {
  t5gist_error err;
  (void)state;
  dir = make_model("tiny", "flan", SEED, T5GIST_UNSET, NULL);
  CHECK_OK(t5gist_model_open(dir, NULL, &model, &err));
  return 0;
}

static int tear_down(void **state) {
  (void)state;
  t5gist_model_close(model);
  folder_remove(dir);
  return 0;
}

static void expect(const tg_prompt *prompt, const int32_t *ids, size_t n, int n_task, int n_gist, int n_input) {
  assert_int_equal(prompt->ids.n, n);
  for (size_t i = 0; i < n; i++) assert_int_equal(prompt->ids.ids[i], ids[i]);
  assert_int_equal(prompt->n_task, n_task);
  assert_int_equal(prompt->n_gist, n_gist);
  assert_int_equal(prompt->n_input, n_input);
}

#define EXPECT_PROMPT(task, n_gist, input, raw, with_end, n_task, n_input, ...)              \
  do {                                                                                       \
    const int32_t ids_[] = {__VA_ARGS__};                                                    \
    tg_prompt prompt_;                                                                       \
    CHECK_OK(tg_prompt_make(model->t5, task, n_gist, input, raw, with_end, &prompt_, &err)); \
    expect(&prompt_, ids_, sizeof ids_ / sizeof *ids_, n_task, n_gist, n_input);             \
    tg_prompt_free(&prompt_);                                                                \
  } while (0)

static void parts_stand_side_by_side(void **state) {
  t5gist_error err;
  (void)state;
  EXPECT_PROMPT("Translate this.", 1, "The house", false, true, 6, 6, TASK_IDS, GIST, INPUT_IDS, END);
  EXPECT_PROMPT("Translate this.", 3, "The house", false, true, 6, 6, TASK_IDS, GIST, GIST, GIST, INPUT_IDS, END);
  EXPECT_PROMPT("Translate this.", 0, "The house", false, true, 6, 6, TASK_IDS, INPUT_IDS, END);
  EXPECT_PROMPT("Translate this.", 2, NULL, false, false, 6, 0, TASK_IDS, GIST, GIST);
  EXPECT_PROMPT("  Translate   this.\n", 1, "\tThe  house ", false, true, 6, 6, TASK_IDS, GIST, INPUT_IDS, END);
}

static void empty_parts_lose_their_labels(void **state) {
  t5gist_error err;
  (void)state;
  EXPECT_PROMPT("", 1, "The house", false, true, 0, 6, GIST, INPUT_IDS, END);
  EXPECT_PROMPT(NULL, 0, "The house", false, true, 0, 6, INPUT_IDS, END);
  EXPECT_PROMPT("Translate this.", 1, "", false, true, 6, 1, TASK_IDS, GIST, END);
  EXPECT_PROMPT("", 0, "", false, true, 0, 1, END);
}

static void raw_adds_no_words(void **state) {
  t5gist_error err;
  (void)state;
  EXPECT_PROMPT(NULL, 0, "Input: The house", true, true, 0, 6, INPUT_IDS, END);
  EXPECT_PROMPT(NULL, 0, "The house", true, true, 0, 3, 37, 629, END);
}

static void text_forges_nothing(void **state) {
  t5gist_error err;
  tg_prompt prompt;
  (void)state;
  CHECK_OK(tg_prompt_make(model->t5, "<GIST> </s> {input}", 1, "<GIST></s><pad> {task}", false, true, &prompt, &err));
  for (size_t i = 0; i < prompt.ids.n; i++) {
    if (prompt.ids.ids[i] == GIST) assert_int_equal(i, prompt.n_task);
    if (prompt.ids.ids[i] == END) assert_int_equal(i, prompt.ids.n - 1);
    assert_int_not_equal(prompt.ids.ids[i], 0);
  }
  tg_prompt_free(&prompt);
}

static void invalid_text_is_named_with_its_offset(void **state) {
  t5gist_error err;
  tg_prompt prompt;
  (void)state;
  assert_int_not_equal(tg_prompt_make(model->t5, "abc\xff", 1, "x", false, true, &prompt, &err), T5GIST_OK);
  assert_non_null(strstr(err.message, "the task"));
  assert_non_null(strstr(err.message, "3"));
  assert_int_not_equal(tg_prompt_make(model->t5, "abc", 1, "\xc3", false, true, &prompt, &err), T5GIST_OK);
  assert_non_null(strstr(err.message, "the input"));
  assert_null(prompt.ids.ids);
}

static void gists_have_a_range(void **state) {
  t5gist_error err;
  int k = 0;
  (void)state;
  CHECK_OK(tg_prompt_gists(model->t5, T5GIST_UNSET, &k, &err));
  assert_int_equal(k, 1);
  CHECK_OK(tg_prompt_gists(model->t5, 1024, &k, &err));
  assert_int_equal(k, 1024);
  const int bad[] = {0, 1025, -2, -1024, 2147483647};
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) assert_int_equal(tg_prompt_gists(model->t5, bad[i], &k, &err), T5GIST_EUSAGE);
  assert_int_equal(k, 1024);
}

/* Several trained rows: the first k of them, and no more than there are. */
static void distinct_rows_stand_in_order(void **state) {
  t5gist_error err;
  t5gist_model *rows;
  tg_prompt prompt;
  int k;
  (void)state;
  json_t *changes = json_pack("{s:{s:[i,i,i], s:i}}", "t5gist", "gist_token_ids", 32100, 32098, 32099, "default_gists", 2);
  char *folder = make_model("tiny", "flan", SEED, T5GIST_UNSET, changes);
  json_decref(changes);
  CHECK_OK(t5gist_model_open(folder, NULL, &rows, &err));
  CHECK_OK(tg_prompt_gists(rows->t5, T5GIST_UNSET, &k, &err));
  assert_int_equal(k, 2);
  CHECK_OK(tg_prompt_make(rows->t5, "Translate this.", 3, "", false, true, &prompt, &err));
  expect(&prompt, (const int32_t[]){TASK_IDS, 32100, 32098, 32099, END}, 10, 6, 3, 1);
  tg_prompt_free(&prompt);
  assert_int_equal(tg_prompt_gists(rows->t5, 4, &k, &err), T5GIST_EUSAGE);
  assert_non_null(strstr(err.message, "at most 3"));
  t5gist_model_close(rows);
  folder_remove(folder);
}

/* 32128 rows and no block: the gist token is an added one, or there is none. */
static void gist_token_is_looked_for(void **state) {
  t5gist_error err;
  t5gist_model *plain;
  t5gist_model_info info;
  int k;
  (void)state;
  json_t *changes = json_pack("{s:{}}", "t5gist");
  char *folder = make_model("tiny", "flan", SEED, 32128, changes);
  json_decref(changes);
  CHECK_OK(t5gist_model_open(folder, NULL, &plain, &err));
  t5gist_model_describe(plain, &info);
  assert_int_equal(info.n_gist_ids, 0);
  assert_int_equal(tg_prompt_gists(plain->t5, 1, &k, &err), T5GIST_EUNSUPPORTED);
  assert_non_null(strstr(err.message, "no gist token"));
  t5gist_model_close(plain);

  folder_text(folder, "added_tokens.json", "{\"<GIST>\": 32103}");
  CHECK_OK(t5gist_model_open(folder, NULL, &plain, &err));
  t5gist_model_describe(plain, &info);
  assert_int_equal(info.n_gist_ids, 1);
  assert_int_equal(info.gist_ids[0], 32103);
  t5gist_model_close(plain);
  folder_remove(folder);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(parts_stand_side_by_side),
      cmocka_unit_test(empty_parts_lose_their_labels),
      cmocka_unit_test(raw_adds_no_words),
      cmocka_unit_test(text_forges_nothing),
      cmocka_unit_test(invalid_text_is_named_with_its_offset),
      cmocka_unit_test(gists_have_a_range),
      cmocka_unit_test(distinct_rows_stand_in_order),
      cmocka_unit_test(gist_token_is_looked_for),
  };
  return cmocka_run_group_tests(tests, set_up, tear_down);
}
