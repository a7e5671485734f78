#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "measure/porter.h"
#include "measure/rouge.h"
#include "measure/unicode.h"
#include "runtime/memory.h"
#include "tests/measure/cases.h"

static void every_stem_is_nltks(void **state) {
  (void)state;
  json_t *file, *cases = read_cases("stems", &file);
  assert_true(json_array_size(cases) > 1000);
  size_t i;
  json_t *pair;
  json_array_foreach(cases, i, pair) {
    const char *word = json_string_value(json_array_get(pair, 0)), *stem = json_string_value(json_array_get(pair, 1));
    char text[64];
    assert_true(strlen(word) < sizeof text);
    strcpy(text, word);
    text[tg_porter_stem(text, strlen(word))] = 0;
    if (strcmp(text, stem) != 0) fail_msg("%s: expected %s, found %s", word, stem, text);
  }
  json_decref(file);
}

static void every_character_is_pythons(void **state) {
  (void)state;
  json_t *file, *fingerprint = read_cases("unicode", &file);
  uint64_t h = UINT64_C(0xcbf29ce484222325);
  for (uint32_t c = 1; c < 0x110000; c++) {
    if (c >= 0xd800 && c < 0xe000) continue;
    char bytes[5] = {0};
    uint32_t back, lower[2];
    const size_t n_bytes = tg_unicode_put(c, bytes);
    assert_int_equal(tg_unicode_next(bytes, &back), n_bytes);
    assert_int_equal(back, c);
    const int n = tg_unicode_lower(c, lower);
    h = (h ^ tg_unicode_is_word(c)) * UINT64_C(0x100000001b3);
    for (int i = 0; i < n; i++) h = (h ^ lower[i]) * UINT64_C(0x100000001b3);
  }
  char found[17];
  snprintf(found, sizeof found, "%016llx", (unsigned long long)h);
  assert_string_equal(found, json_string_value(fingerprint));
  json_decref(file);
}

static void assert_score(const tg_rouge_score *score, const json_t *expected, const char *reference) {
  const double found[3] = {score->precision, score->recall, score->f1};
  for (size_t i = 0; i < 3; i++) {
    if (found[i] != number_at(expected, i)) fail_msg("%s: expected %.17g, found %.17g", reference, number_at(expected, i), found[i]);
  }
}

/* Equal to the last bit: the same divisions of the same counts. */
static void every_score_is_rouge_scores(void **state) {
  (void)state;
  json_t *file, *cases = read_cases("rouge", &file);
  assert_true(json_array_size(cases) > 100);
  size_t i;
  json_t *entry;
  json_array_foreach(cases, i, entry) {
    const char *reference = text_of(entry, "reference");
    const json_t *scores = json_object_get(entry, "scores");
    tg_rouge rouge;
    assert_int_equal(tg_rouge_compute(reference, text_of(entry, "answer"), &rouge, NULL), T5GIST_OK);
    assert_score(&rouge.rouge1, json_array_get(scores, 0), reference);
    assert_score(&rouge.rouge2, json_array_get(scores, 1), reference);
    assert_score(&rouge.rougeL, json_array_get(scores, 2), reference);
  }
  json_decref(file);
}

static void swapping_the_texts_swaps_precision_and_recall(void **state) {
  (void)state;
  tg_rouge a, b;
  assert_int_equal(tg_rouge_compute("one two three four", "four one two", &a, NULL), T5GIST_OK);
  assert_int_equal(tg_rouge_compute("four one two", "one two three four", &b, NULL), T5GIST_OK);
  assert_true(a.rouge1.precision == 1 && a.rouge1.recall == 0.75);
  assert_true(a.rouge2.precision == 0.5 && a.rouge2.recall == 1. / 3);
  assert_true(a.rougeL.precision == 2. / 3 && a.rougeL.recall == 0.5);
  assert_true(a.rougeL.precision == b.rougeL.recall && a.rougeL.recall == b.rougeL.precision && a.rougeL.f1 == b.rougeL.f1);
}

static void long_texts_are_compared(void **state) {
  (void)state;
  enum { WORDS = 3000 };
  tg_buffer up = {0}, down = {0};
  for (int i = 0; i < WORDS; i++) {
    assert_int_equal(tg_buffer_printf(&up, NULL, "w%d ", i), T5GIST_OK);
    assert_int_equal(tg_buffer_printf(&down, NULL, "w%d ", WORDS - 1 - i), T5GIST_OK);
  }
  tg_rouge rouge;
  assert_int_equal(tg_rouge_compute(up.data, down.data, &rouge, NULL), T5GIST_OK);
  assert_true(rouge.rouge1.f1 == 1 && rouge.rouge2.f1 == 0 && rouge.rougeL.precision == 1. / WORDS);
  assert_int_equal(tg_rouge_compute(up.data, up.data, &rouge, NULL), T5GIST_OK);
  assert_true(rouge.rouge1.f1 == 1 && rouge.rouge2.f1 == 1 && rouge.rougeL.f1 == 1);
  tg_buffer_free(&up);
  tg_buffer_free(&down);
}

static void invalid_utf8_is_refused(void **state) {
  (void)state;
  tg_rouge rouge;
  t5gist_error err = {0};
  assert_int_equal(tg_rouge_compute("fine", "cut \xc3", &rouge, &err), T5GIST_EFORMAT);
  assert_non_null(strstr(err.message, "the answer"));
  assert_int_equal(tg_rouge_compute("\xff", "fine", &rouge, &err), T5GIST_EFORMAT);
  assert_non_null(strstr(err.message, "the reference"));
}

static void exact_match_leaves_out_outer_white_space_alone(void **state) {
  (void)state;
  assert_true(tg_exact_match(" Paris\n", "Paris"));
  assert_true(tg_exact_match("", " \t\r\n\v\f"));
  assert_true(tg_exact_match("a  b", "a  b "));
  assert_false(tg_exact_match("a b", "a  b"));
  assert_false(tg_exact_match("Paris", "paris"));
  assert_false(tg_exact_match("Paris", "Paris."));
  assert_false(tg_exact_match("Paris", ""));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_stem_is_nltks),
      cmocka_unit_test(every_character_is_pythons),
      cmocka_unit_test(every_score_is_rouge_scores),
      cmocka_unit_test(swapping_the_texts_swaps_precision_and_recall),
      cmocka_unit_test(long_texts_are_compared),
      cmocka_unit_test(invalid_utf8_is_refused),
      cmocka_unit_test(exact_match_leaves_out_outer_white_space_alone),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
