/* A vocabulary learned from texts: T5's conventions, user pieces, bytes, the same bytes each time; texts of every kind; options that are refused
 * before the library sees them. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "runtime/memory.h"
#include "t5/tokenizer.h"
#include "tests/support/one_folder.h"
#include "training/sentences.h"

#define HUMAN TEST_SOURCE_DIR "/tests/data/human.json"

static tg_vocabulary_options make_options(int size) {
  return (tg_vocabulary_options){.size = size, .coverage = 0.9995f, .bytes = true};
}

/* A corpus in memory: what human.json says, field by field, or some text so many times. */
typedef struct corpus {
  json_t *json; /* null: text */
  size_t at;
  const char *text;
  size_t n, times;
} corpus;

static t5gist_status next_text(void *user, const char **text, size_t *n, t5gist_error *err) {
  static const char *const fields[] = {"instruction", "input", "output"};
  corpus *c = user;
  (void)err;
  const size_t i = c->at++;
  if (c->json) {
    *text = json_string_value(json_object_get(json_array_get(c->json, i / 3), fields[i % 3]));
    *n = *text ? strlen(*text) : 0;
  } else {
    *text = i < c->times ? c->text : NULL;
    *n = c->n;
  }
  return T5GIST_OK;
}

/* Trains on human.json; the model's bytes are the caller's to free. */
static char *train(const tg_vocabulary_options *options, size_t *size) {
  corpus c = {.json = json_load_file(HUMAN, 0, NULL)};
  t5gist_error err = {0};
  assert_non_null(c.json);
  if (tg_vocabulary_train(options, next_text, &c, folder_path(folder, "spiece.model"), &err)) fail_msg("%s", err.message);
  json_decref(c.json);
  return folder_read(folder_path(folder, "spiece.model"), size);
}

static tg_tokenizer *open_trained(int vocab_size) {
  tg_tokenizer *tokenizer = NULL;
  t5gist_error err = {0};
  if (tg_tokenizer_open(folder, vocab_size, &tokenizer, &err)) fail_msg("%s", err.message);
  return tokenizer;
}

/* ids of a text; how many of them are id. */
static size_t count_ids(const tg_tokenizer *tokenizer, const char *text, int32_t id, size_t *n, char **back) {
  tg_ids ids = {0};
  size_t found = 0;
  assert_int_equal(tg_tokenizer_encode(tokenizer, text, strlen(text), &ids, NULL), T5GIST_OK);
  for (size_t i = 0; i < ids.n; i++) found += ids.ids[i] == id;
  if (n) *n = ids.n;
  if (back) assert_int_equal(tg_tokenizer_decode(tokenizer, ids.ids, ids.n, back, NULL), T5GIST_OK);
  tg_free(ids.ids);
  return found;
}

static int32_t find_piece(const tg_tokenizer *tokenizer, const char *piece) {
  for (int32_t i = 0; i < tg_tokenizer_pieces(tokenizer); i++)
    if (!strcmp(tg_tokenizer_piece(tokenizer, i), piece)) return i;
  return -1;
}

/* A few hundred of a thousand numbered lines, each with the same chance. */
static t5gist_status next_number(void *user, const char **text, size_t *n, t5gist_error *err) {
  static char line[32];
  int *left = user;
  (void)err;
  *n = (size_t)snprintf(line, sizeof line, "number %d", *left);
  *text = (*left)-- > 0 ? line : NULL;
  return T5GIST_OK;
}

static void test_lines_are_chosen_evenly(void **state) {
  (void)state;
  enum { N = 1000, CHOSEN = 300, ROUNDS = 100 };
  int times[N + 1] = {0};
  tg_vocabulary_options options = make_options(300);
  options.max_sentences = CHOSEN;
  for (options.seed = 0; options.seed < ROUNDS; options.seed++) {
    tg_sentences sentences;
    int left = N;
    assert_int_equal(tg_sentences_read(&options, next_number, &left, &sentences, NULL), T5GIST_OK);
    assert_int_equal(sentences.n, CHOSEN);
    size_t bytes = 0;
    for (size_t i = 0; i < CHOSEN; i++) {
      times[atoi(sentences.items[i] + 7)]++;
      bytes += strlen(sentences.items[i]);
    }
    assert_int_equal(sentences.bytes, bytes);
    tg_sentences_free(&sentences);
  }
  for (int part = 0; part < 10; part++) {
    int sum = 0;
    for (int i = 1; i <= N / 10; i++) sum += times[part * N / 10 + i];
    assert_in_range(sum, 3000 - 250, 3000 + 250); /* five standard deviations are 230 */
  }
  for (int i = 1; i <= N; i++) assert_in_range(times[i], 5, 60);
}

/* ----------------------------------------------------------------------------------------------------------------------- what is learned */

static void test_conventions_of_t5(void **state) {
  (void)state;
  const tg_vocabulary_options options = make_options(1000);
  free(train(&options, NULL));
  tg_tokenizer *tokenizer = open_trained(1000 + 100);
  assert_int_equal(tg_tokenizer_pieces(tokenizer), 1000);
  assert_string_equal(tg_tokenizer_piece(tokenizer, 0), "<pad>");
  assert_string_equal(tg_tokenizer_piece(tokenizer, 1), "</s>");
  assert_string_equal(tg_tokenizer_piece(tokenizer, 2), "<unk>");
  assert_int_equal(find_piece(tokenizer, "<s>"), -1);
  assert_string_equal(tg_tokenizer_piece(tokenizer, 3), "<0x00>");
  assert_string_equal(tg_tokenizer_piece(tokenizer, 1099), "<extra_id_0>");
  for (int32_t i = 3; i < 1000; i++) assert_null(strpbrk(tg_tokenizer_piece(tokenizer, i), " \t\n"));
  assert_true(find_piece(tokenizer, "\xe2\x96\x81the") > 0);
  const char *texts[] = {"Write the following sentence in another way.", "Gr\xc3\xbc\xc3\x9f \xe6\x97\xa5\xe6\x9c\xac \xf0\x9f\x98\x80", "3 + 4 = 7"};
  for (size_t i = 0; i < 3; i++) {
    char *back = NULL;
    assert_int_equal(count_ids(tokenizer, texts[i], 2, NULL, &back), 0); /* bytes instead of <unk> */
    assert_string_equal(back, texts[i]);
    tg_free(back);
  }
  size_t n;
  count_ids(tokenizer, texts[0], 2, &n, NULL);
  assert_in_range(n, 7, 14); /* words are pieces, mostly */
  tg_tokenizer_free(tokenizer);
}

static void test_options_have_their_effect(void **state) {
  (void)state;
  const char *pieces[] = {"<sep>", "a,b\"c", "\"", "\xc3\x9f\xe6\x97\xa5"};
  tg_vocabulary_options options = make_options(700);
  options.bytes = false;
  options.split_digits = true;
  options.user_pieces = pieces;
  options.n_user_pieces = 4;
  options.coverage = 1;
  free(train(&options, NULL));
  tg_tokenizer *tokenizer = open_trained(700);
  assert_int_equal(find_piece(tokenizer, "<0x00>"), -1);
  for (int32_t i = 0; i < 4; i++) {
    char text[64];
    assert_string_equal(tg_tokenizer_piece(tokenizer, 3 + i), pieces[i]);
    snprintf(text, sizeof text, "the%sthe %s", pieces[i], pieces[i]);
    assert_int_equal(count_ids(tokenizer, text, 3 + i, NULL, NULL), 2);
  }
  assert_int_equal(count_ids(tokenizer, "the \xf0\x9f\x98\x80", 2, NULL, NULL), 1); /* <unk>: no bytes */
  for (int32_t i = 3; i < 700; i++) {
    const char *piece = tg_tokenizer_piece(tokenizer, i);
    assert_true(strspn(piece, "0123456789") <= 1);
  }
  tg_tokenizer_free(tokenizer);
}

static void test_the_same_bytes_each_time(void **state) {
  (void)state;
  tg_vocabulary_options options = make_options(500);
  size_t sizes[4];
  char *models[4];
  for (int i = 0; i < 4; i++) {
    options.max_sentences = i < 2 ? 300 : 0;
    if (i == 1) options.seed++;
    models[i] = train(&options, &sizes[i]);
  }
  assert_true(sizes[0] != sizes[1] || memcmp(models[0], models[1], sizes[0])); /* other lines were chosen */
  assert_int_equal(sizes[2], sizes[3]);
  assert_memory_equal(models[2], models[3], sizes[2]);
  options.max_sentences = 300;
  size_t size;
  char *again = train(&options, &size);
  assert_int_equal(size, sizes[1]);
  assert_memory_equal(again, models[1], size);
  free(again);
  for (int i = 0; i < 4; i++) free(models[i]);
}

/* ------------------------------------------------------------------------------------------------------------------------------- texts */

static t5gist_status train_on(const tg_vocabulary_options *options, const char *text, size_t n, size_t times, t5gist_error *err) {
  corpus c = {.text = text, .n = n, .times = times};
  return tg_vocabulary_train(options, next_text, &c, folder_path(folder, "odd.model"), err);
}

static void test_odd_texts(void **state) {
  (void)state;
  t5gist_error err;
  tg_vocabulary_options options = make_options(296);
  const char *words =
      "the quick brown fox \xe2\x81\x87 jumps over\tthe lazy dog's back\n\nand \xef\xbb\xbf\xe2\x80\x8b 12345 \xe6\x97\xa5\xe6\x9c\xac. ";
  if (train_on(&options, words, strlen(words), 200, &err)) fail_msg("%s", err.message);
  /* One word of a million letters: cut, so that no sum overflows. */
  enum { LONG = 1000000 };
  char *word = malloc(LONG);
  for (int i = 0; i < LONG; i++) word[i] = (char)('a' + (size_t)i * (size_t)i % 23 % 7);
  options.size = 300;
  if (train_on(&options, word, LONG, 1, &err)) fail_msg("%s", err.message);
  for (int i = 0; i < LONG; i += 2) memcpy(word + i, "\xc3\xa9", 2);
  for (int i = 1; i + 2 < LONG; i += 4) memcpy(word + i - 1, "\xc3\xa8", 2);
  options.size = 262;
  if (train_on(&options, word, LONG, 1, &err)) fail_msg("%s", err.message);
  free(word);
  /* Hardly anything but a user piece. */
  const char *piece = "<s1>", *pieces = "<s1><s1><s1><s1><s1><s1><s1><s1><s1><s1><s1><s1><s1><s1><s1><s1> a";
  options.user_pieces = &piece;
  options.n_user_pieces = 1;
  options.size = 262;
  if (train_on(&options, pieces, strlen(pieces), 100, &err)) fail_msg("%s", err.message);
  options.n_user_pieces = 0;
  /* NUL bytes end lines. */
  char nul[400];
  memset(nul, 0, sizeof nul);
  for (int i = 0; i < 400; i += 4) memcpy(nul + i, "abc", 3);
  options.size = 263;
  if (train_on(&options, nul, sizeof nul, 3, &err)) fail_msg("%s", err.message);
}

static void expect_no_corpus(const tg_vocabulary_options *options, const char *text, size_t times, const char *expected) {
  t5gist_error err = {0};
  assert_int_not_equal(train_on(options, text, strlen(text), times, &err), T5GIST_OK);
  if (!strstr(err.message, expected)) fail_msg("expected \"%s\" in: %s", expected, err.message);
}

static void test_texts_that_teach_nothing(void **state) {
  (void)state;
  tg_vocabulary_options options = make_options(300);
  const char *pieces[] = {"<sep>"};
  expect_no_corpus(&options, "", 0, "characters at least, found 0");
  expect_no_corpus(&options, "", 5, "found 0");
  expect_no_corpus(&options, " \t\n ", 500, "found 0");
  expect_no_corpus(&options, "\xe2\x80\x8b\xef\xbb\xbf\xc2\xad", 500, "found 0"); /* zero-width characters */
  expect_no_corpus(&options, "\xe2\x96\x81 \xe2\x81\x87", 500, "found 0");
  expect_no_corpus(&options, "ab", 3, "found 6");
  options.user_pieces = pieces;
  options.n_user_pieces = 1;
  expect_no_corpus(&options, "<sep><sep> <sep>", 500, "found 0 beside white space and 1500 user pieces");
  expect_no_corpus(&options, "words\xff", 500, "a text of the corpus");
  expect_no_corpus(&options, "<sep><sep><sep><sep><sep><sep><sep><sep><sep><sep><sep><sep><sep><sep><sep><sep><sep><sep><sep><sep><sep><sep> a", 500,
                   "11000 user pieces");
  /* What the library itself refuses comes back as its reason. */
  options.size = 5000;
  expect_no_corpus(&options, "a few words and no more of them than that", 20, "Vocabulary size too high (5000)");
  options.bytes = false;
  options.size = 10;
  expect_no_corpus(&options, "a few words and no more of them than that", 20, "Vocabulary size is smaller than required_chars");
}

static void test_refused_options(void **state) {
  (void)state;
  const struct {
    tg_vocabulary_options options;
    const char *piece, *expected;
  } bad[] = {{make_options(259), NULL, "size of the vocabulary: expected 260 to"},
             {make_options(-5), NULL, "found -5"},
             {make_options(2000000), NULL, "found 2000000"},
             {make_options(1000), "", "expected 1 to 64 bytes, found 0"},
             {make_options(1000), "a b", "white space"},
             {make_options(1000), "a\tb", "white space"},
             {make_options(1000), "a\xff", "valid UTF-8"},
             {make_options(1000),
              "\xe2\x96\x81"
              "a",
              "U+2581"},
             {make_options(1000), "</s>", "special tokens"},
             {make_options(1000), "<s>", "special tokens"},
             {make_options(1000), "<0x41>", "looks like a byte"}};
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    tg_vocabulary_options options = bad[i].options;
    options.user_pieces = &bad[i].piece;
    options.n_user_pieces = bad[i].piece != NULL;
    expect_no_corpus(&options, "a few words and no more of them than that", 100, bad[i].expected);
  }
  tg_vocabulary_options options = make_options(300);
  const float coverages[] = {0.97f, 1.01f, NAN, -1};
  for (int i = 0; i < 4; i++) {
    options.coverage = coverages[i];
    expect_no_corpus(&options, "words", 100, "coverage");
  }
  options = make_options(300);
  const char *twice[] = {"<a>", "<b>", "<a>"};
  options.user_pieces = twice;
  options.n_user_pieces = 3;
  expect_no_corpus(&options, "words", 100, "\"<a>\": found twice");
  t5gist_error err;
  options = make_options(263);
  corpus c = {.text = "abcabc abc", .n = 10, .times = 100};
  assert_int_equal(tg_vocabulary_train(&options, next_text, &c, "/proc/nonexistent/spiece.model", &err), T5GIST_EIO);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_lines_are_chosen_evenly),  cmocka_unit_test(test_conventions_of_t5), cmocka_unit_test(test_options_have_their_effect),
      cmocka_unit_test(test_the_same_bytes_each_time), cmocka_unit_test(test_odd_texts),         cmocka_unit_test(test_texts_that_teach_nothing),
      cmocka_unit_test(test_refused_options),
  };
  return cmocka_run_group_tests(tests, make_folder, drop_folder);
}
