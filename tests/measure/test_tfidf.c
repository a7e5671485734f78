#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "measure/tfidf.h"
#include "runtime/memory.h"
#include "tests/measure/cases.h"

enum { MOST = 64 };

static tg_tfidf *make(const char *const *texts, size_t n) {
  tg_tfidf *tfidf;
  assert_int_equal(tg_tfidf_new(texts, n, &tfidf, NULL), T5GIST_OK);
  return tfidf;
}

static void assert_compressed(const tg_tfidf *tfidf, const char *text, size_t k, const char *expected) {
  char *found;
  assert_int_equal(tg_tfidf_compress(tfidf, text, k, &found, NULL), T5GIST_OK);
  assert_string_equal(found, expected);
  tg_free(found);
}

static void assert_weights(const tg_tfidf *tfidf, const char *text, const json_t *expected) {
  tg_tfidf_word *words;
  size_t n;
  assert_int_equal(tg_tfidf_weigh(tfidf, text, &words, &n, NULL), T5GIST_OK);
  assert_int_equal(n, json_array_size(expected));
  for (size_t i = 0; i < n; i++) {
    const json_t *pair = json_array_get(expected, i);
    const char *word = json_string_value(json_array_get(pair, 0));
    assert_int_equal(words[i].end - words[i].begin, strlen(word));
    assert_memory_equal(text + words[i].begin, word, strlen(word));
    if (fabs(words[i].weight - number_at(pair, 1)) > 1e-14) fail_msg("%s: expected %.17g, found %.17g", word, number_at(pair, 1), words[i].weight);
  }
  tg_free(words);
}

static void weights_are_scikit_learns(void **state) {
  (void)state;
  static const size_t ks[] = {1, 2, 3, 5, 10};
  json_t *file, *cases = read_cases("tfidf", &file), *entry;
  const char *texts[MOST];
  const size_t n = json_array_size(cases);
  assert_in_range(n, 20, MOST);
  size_t i;
  json_array_foreach(cases, i, entry) texts[i] = text_of(entry, "text");
  tg_tfidf *tfidf = make(texts, n);
  json_array_foreach(cases, i, entry) {
    assert_weights(tfidf, texts[i], json_object_get(entry, "words"));
    for (size_t k = 0; k < sizeof ks / sizeof *ks; k++)
      assert_compressed(tfidf, texts[i], ks[k], json_string_value(json_array_get(json_object_get(entry, "best"), k)));
  }
  tg_tfidf_free(tfidf);
  json_decref(file);
}

static void rare_words_stay_in_their_order(void **state) {
  (void)state;
  const char *const texts[] = {"Write a letter to your boss", "Write a poem to your cat", "Write to your boss"};
  tg_tfidf *tfidf = make(texts, 3);
  assert_compressed(tfidf, texts[0], 1, "letter");
  assert_compressed(tfidf, texts[0], 2, "letter boss");
  assert_compressed(tfidf, texts[1], 2, "poem cat");
  assert_compressed(tfidf, texts[0], 100, "Write letter to your boss"); /* a word of one letter is none */
  tg_tfidf_free(tfidf);
}

static void unknown_words_and_empty_texts(void **state) {
  (void)state;
  const char *const texts[] = {"Sort the list", "?"};
  tg_tfidf *tfidf = make(texts, 2);
  assert_compressed(tfidf, "Please sort it", 3, "sort");
  assert_compressed(tfidf, "Nothing known", 3, "");
  assert_compressed(tfidf, "", 1, "");
  assert_compressed(tfidf, "?", 1, "");
  tg_tfidf_free(tfidf);
  tfidf = make(NULL, 0);
  assert_compressed(tfidf, "Sort the list", 2, "");
  tg_tfidf_free(tfidf);
}

/* The lower case of U+0130 is i and a combining dot, which belongs to no word. */
static void a_character_that_splits_a_word(void **state) {
  (void)state;
  const char *const texts[] = {"AB\xc4\xb0stanbul"};
  tg_tfidf *tfidf = make(texts, 1);
  assert_compressed(tfidf, texts[0], 5, "AB\xc4\xb0 stanbul");
  assert_compressed(tfidf, "STANBUL abi", 5, "STANBUL abi");
  tg_tfidf_free(tfidf);
}

static void bad_input_is_refused(void **state) {
  (void)state;
  const char *const texts[] = {"fine", "not \xff fine"};
  t5gist_error err = {0};
  tg_tfidf *tfidf;
  char *text;
  assert_int_equal(tg_tfidf_new(texts, 2, &tfidf, &err), T5GIST_EFORMAT);
  assert_non_null(strstr(err.message, "instruction 2 of 2"));
  tfidf = make(texts, 1);
  assert_int_equal(tg_tfidf_compress(tfidf, "fine", 0, &text, &err), T5GIST_EUSAGE);
  assert_int_equal(tg_tfidf_compress(tfidf, texts[1], 1, &text, &err), T5GIST_EFORMAT);
  tg_tfidf_free(tfidf);
  tg_tfidf_free(NULL);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(weights_are_scikit_learns),     cmocka_unit_test(rare_words_stay_in_their_order),
      cmocka_unit_test(unknown_words_and_empty_texts), cmocka_unit_test(a_character_that_splits_a_word),
      cmocka_unit_test(bad_input_is_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
