/* Tokenizer: golden ids, special texts, decoding against the library's own, tokenizer.json against spiece.model. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "runtime/memory.h"
#include "t5/spm.h"
#include "t5/spm_check.h"
#include "t5/tokenizer.h"
#include "tests/support/folder.h"

#define FLAN TEST_SOURCE_DIR "/tests/data/flan-t5"
#define MINI TEST_SOURCE_DIR "/tests/data/mini" /* sentencepiece with byte fallback, 4095 pieces */

static tg_tokenizer *open_tokenizer(const char *dir, int vocab_size) {
  tg_tokenizer *tokenizer = NULL;
  t5gist_error err = {0};
  if (tg_tokenizer_open(dir, vocab_size, &tokenizer, &err) != T5GIST_OK) fail_msg("%s", err.message);
  return tokenizer;
}

static tg_ids encode(const tg_tokenizer *tokenizer, const char *text) {
  tg_ids ids = {0};
  t5gist_error err = {0};
  if (tg_tokenizer_encode(tokenizer, text, strlen(text), &ids, &err) != T5GIST_OK) fail_msg("%s: %s", text, err.message);
  return ids;
}

static void expect_ids(const tg_tokenizer *tokenizer, const char *text, const int32_t *expected, size_t n) {
  tg_ids ids = encode(tokenizer, text);
  if (ids.n != n) fail_msg("%s: expected %zu ids, found %zu", text, n, ids.n);
  for (size_t i = 0; i < n; i++) {
    if (ids.ids[i] != expected[i]) fail_msg("%s: id %zu: expected %d, found %d", text, i, expected[i], ids.ids[i]);
  }
  tg_free(ids.ids);
}
#define EXPECT_IDS(tokenizer, text, ...) \
  expect_ids(tokenizer, text, (const int32_t[]){__VA_ARGS__}, sizeof((const int32_t[]){__VA_ARGS__}) / sizeof(int32_t))

static void test_golden_ids(void **state) {
  (void)state;
  tg_tokenizer *flan = open_tokenizer(FLAN, 32101), *mini = open_tokenizer(MINI, 4096);
  assert_int_equal(tg_tokenizer_pieces(flan), 32000);
  assert_int_equal(tg_tokenizer_pieces(mini), 4095);
  EXPECT_IDS(flan, "Instruction: Translate this.", 21035, 10, 30355, 15, 48, 5);
  EXPECT_IDS(flan, "\nInput: The house", 86, 2562, 10, 37, 629);
  EXPECT_IDS(flan, "  many   spaces\t\nhere ", 186, 4856, 270);
  EXPECT_IDS(flan, "Straße ﬁne ①", 5438, 5202, 15, 1399, 209);
  EXPECT_IDS(flan, "日本語 😀 x", 3, 2, 3, 2, 3, 226);
  EXPECT_IDS(mini, "Instruction: Translate this.", 3, 401, 1472, 276, 301, 7);
  EXPECT_IDS(mini, "日本語 😀 x", 267, 241, 162, 176, 241, 167, 183, 243, 181, 169, 267, 251, 170, 163, 139, 267, 4091);
  expect_ids(flan, "", NULL, 0);
  expect_ids(flan, " \n\t\xe3\x80\x80", NULL, 0);
  tg_tokenizer_free(flan);
  tg_tokenizer_free(mini);
}

/* As Hugging Face's slow tokenizer: each stretch on its own. */
static void test_extra_ids(void **state) {
  (void)state;
  tg_tokenizer *flan = open_tokenizer(FLAN, 32128), *small = open_tokenizer(FLAN, 32099), *mini = open_tokenizer(MINI, 4096);
  EXPECT_IDS(flan, "Hello <extra_id_0> world", 8774, 32099, 296);
  EXPECT_IDS(flan, "<extra_id_0><extra_id_99>", 32099, 32000);
  EXPECT_IDS(flan, "a <extra_id_0>  <extra_id_1> b", 3, 9, 32099, 32098, 3, 115);
  EXPECT_IDS(flan, "<extra_id_00> x", 3, 2, 25666, 834, 23, 26, 834, 1206, 3155, 3, 226);
  EXPECT_IDS(flan, "<extra_id_100> x", 3, 2, 25666, 834, 23, 26, 834, 2915, 3155, 3, 226);
  for (int n = 0; n < 100; n++) { /* 99 rows are not enough for all; the mini model's only free row is the gist's */
    char text[32];
    snprintf(text, sizeof text, "<extra_id_%d>", n);
    EXPECT_IDS(flan, text, 32099 - n);
    assert_string_equal(tg_tokenizer_piece(flan, 32099 - n), text);
    tg_ids a = encode(small, text), b = encode(mini, text);
    assert_true(a.n > 1 && b.n > 1);
    for (size_t i = 0; i < a.n; i++) assert_true(a.ids[i] < 32000);
    for (size_t i = 0; i < b.n; i++) assert_true(b.ids[i] < 4095);
    tg_free(a.ids);
    tg_free(b.ids);
  }
  tg_tokenizer_free(flan);
  tg_tokenizer_free(small);
  tg_tokenizer_free(mini);
}

static void test_nothing_is_forged(void **state) {
  (void)state;
  static const char *const texts[] = {"<GIST>", "</s>", "<pad>", "a </s> b <pad><GIST>", "<unk>", "<s>", "▁</s>", "<0x41>"};
  tg_tokenizer *tokenizers[] = {open_tokenizer(FLAN, 32101), open_tokenizer(MINI, 4096)};
  const int32_t gist[] = {32100, 4095};
  for (int t = 0; t < 2; t++) {
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
      tg_ids ids = encode(tokenizers[t], texts[i]);
      for (size_t j = 0; j < ids.n; j++) assert_true(ids.ids[j] > 1 && ids.ids[j] < gist[t]);
      tg_free(ids.ids);
    }
    tg_tokenizer_free(tokenizers[t]);
  }
}

static void test_reserved_ids(void **state) {
  (void)state;
  t5gist_error err = {0};
  tg_tokenizer *flan = open_tokenizer(FLAN, 32128);
  assert_int_equal(tg_tokenizer_reserve(flan, (const int32_t[]){0, 1, 32099, 32100}, 4, &err), T5GIST_OK);
  tg_ids ids = encode(flan, "<extra_id_0> <extra_id_1>");
  assert_int_equal(ids.ids[ids.n - 1], 32098);
  for (size_t i = 0; i < ids.n; i++) assert_int_not_equal(ids.ids[i], 32099);
  tg_free(ids.ids);
  assert_int_equal(tg_tokenizer_reserve(flan, (const int32_t[]){629}, 1, &err), T5GIST_EMISMATCH);
  assert_non_null(strstr(err.message, "house"));
  tg_tokenizer_free(flan);
}

static void test_refusals(void **state) {
  (void)state;
  t5gist_error err = {0};
  tg_ids ids = {0};
  tg_tokenizer *mini = open_tokenizer(MINI, 4096), *none = NULL;
  assert_int_equal(tg_tokenizer_encode(mini, "ab\xff", 3, &ids, &err), T5GIST_EFORMAT);
  assert_non_null(strstr(err.message, "2"));
  assert_int_equal(ids.n, 0);
  assert_int_equal(tg_tokenizer_open(MINI, 4094, &none, &err), T5GIST_EMISMATCH);
  assert_non_null(strstr(err.message, "4095"));
  assert_non_null(strstr(err.message, "4094"));
  assert_int_equal(tg_tokenizer_open(TEST_SOURCE_DIR "/tests", 4096, &none, &err), T5GIST_EIO);
  assert_non_null(strstr(err.message, "spiece.model"));
  assert_null(none);
  tg_tokenizer_free(mini);
}

/* ------------------------------------------------------------------------------------------------------------------------- decoding */

static uint32_t next_random(uint32_t *seed) {
  return *seed = *seed * 1664525u + 1013904223u;
}

static tg_spm *open_reference(const char *path) {
  size_t n;
  char *bytes = folder_read(path, &n);
  tg_spm_model model;
  tg_spm *spm = NULL;
  t5gist_error err = {0};
  if (tg_spm_check(bytes, n, path, &model, &err) || tg_spm_open(bytes, n, model.n_pieces, path, &spm, &err)) fail_msg("%s", err.message);
  tg_spm_model_free(&model);
  free(bytes);
  return spm;
}

/* Ids that reach every branch: special ones, bytes in runs, ordinary pieces, rows beyond. */
static int32_t random_id(uint32_t *seed, int32_t rows, int32_t first_byte) {
  const uint32_t kind = next_random(seed) >> 24, value = next_random(seed) >> 8;
  if (kind < 20) return (int32_t)(value % 3);
  if (kind < 30) return rows - 1;
  if (first_byte >= 0 && kind < 100) return first_byte + 1 + (int32_t)(value % 255);
  if (first_byte >= 0 && kind < 160) return first_byte + 0x80 + (int32_t)(value % 0x78);
  const int32_t id = (int32_t)(value % (uint32_t)rows);
  return id == first_byte ? id + 1 : id; /* NUL is the one byte that we decode otherwise */
}

static void check_sequence(const tg_tokenizer *tokenizer, const tg_spm *reference, const int32_t *ids, size_t n) {
  t5gist_error err = {0};
  int32_t kept[32] = {0};
  size_t n_kept = 0;
  tg_buffer expected = {0}, streamed = {0};
  tg_decoder_text text = {0};
  char *whole;
  for (size_t i = 0; i < n; i++) {
    if (ids[i] > 1 && ids[i] < tg_tokenizer_pieces(tokenizer)) kept[n_kept++] = ids[i];
  }
  assert_int_equal(tg_spm_decode_reference(reference, kept, n_kept, &expected, &err), T5GIST_OK);
  assert_int_equal(tg_tokenizer_decode(tokenizer, ids, n, &whole, &err), T5GIST_OK);
  assert_string_equal(whole, expected.data);
  for (size_t i = 0; i < n; i++) assert_int_equal(tg_decoder_text_push(tokenizer, &text, ids[i], &streamed, &err), T5GIST_OK);
  assert_int_equal(tg_decoder_text_finish(&text, &streamed, &err), T5GIST_OK);
  assert_string_equal(streamed.data ? streamed.data : "", whole);
  tg_free(whole);
  tg_buffer_free(&expected);
  tg_buffer_free(&streamed);
}

static void check_random(const char *dir, int rows, int32_t first_byte) {
  char path[512];
  snprintf(path, sizeof path, "%s/spiece.model", dir);
  tg_tokenizer *tokenizer = open_tokenizer(dir, rows);
  tg_spm *reference = open_reference(path);
  uint32_t seed = 7;
  for (int i = 0; i < 5000; i++) {
    int32_t ids[32];
    const size_t n = next_random(&seed) >> 27;
    for (size_t j = 0; j < n; j++) ids[j] = random_id(&seed, rows, first_byte);
    check_sequence(tokenizer, reference, ids, n);
  }
  tg_spm_close(reference);
  tg_tokenizer_free(tokenizer);
}

static int32_t find_piece(const tg_tokenizer *tokenizer, const char *piece) {
  for (int32_t i = 0; i < tg_tokenizer_pieces(tokenizer); i++) {
    if (strcmp(tg_tokenizer_piece(tokenizer, i), piece) == 0) return i;
  }
  return -1;
}

static void test_decoding_equals_the_library(void **state) {
  (void)state;
  tg_tokenizer *mini = open_tokenizer(MINI, 4096);
  const int32_t first_byte = find_piece(mini, "<0x00>");
  tg_tokenizer_free(mini);
  assert_true(first_byte > 0);
  check_random(MINI, 4096, first_byte);
  check_random(FLAN, 32128, -1);
}

/* Bytes of a character wait; what is pushed is always whole characters. */
static void test_streaming_whole_characters(void **state) {
  (void)state;
  t5gist_error err = {0};
  tg_tokenizer *mini = open_tokenizer(MINI, 4096);
  const int32_t byte = find_piece(mini, "<0x00>");
  const struct {
    uint8_t bytes[6];
    int n;
    const char *after[6]; /* what each byte adds */
    const char *finish;
  } cases[] = {
      {{0xf0, 0x9f, 0x98, 0x80}, 4, {"", "", "", "😀"}, ""},
      {{0xe2, 0x82}, 2, {"", ""}, "��"},
      {{0xe2, 0x41}, 2, {"", "�A"}, ""},
      {{0xff, 0x80}, 2, {"�", "�"}, ""},
      {{0xc3, 0xe2, 0x82, 0xac}, 4, {"", "�", "", "€"}, ""},
      {{0xed, 0xa0, 0x80}, 3, {"", "", "���"}, ""}, /* a surrogate */
      {{0x00, 0x42}, 2, {"�", "B"}, ""},
  };
  for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
    tg_decoder_text text = {0};
    for (int i = 0; i <= cases[c].n; i++) {
      tg_buffer out = {0};
      assert_int_equal(tg_buffer_append(&out, "", 0, &err), T5GIST_OK);
      if (i < cases[c].n)
        assert_int_equal(tg_decoder_text_push(mini, &text, byte + cases[c].bytes[i], &out, &err), T5GIST_OK);
      else
        assert_int_equal(tg_decoder_text_finish(&text, &out, &err), T5GIST_OK);
      assert_string_equal(out.data, i < cases[c].n ? cases[c].after[i] : cases[c].finish);
      tg_buffer_free(&out);
    }
  }
  tg_tokenizer_free(mini);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_golden_ids),
      cmocka_unit_test(test_extra_ids),
      cmocka_unit_test(test_nothing_is_forged),
      cmocka_unit_test(test_reserved_ids),
      cmocka_unit_test(test_refusals),
      cmocka_unit_test(test_decoding_equals_the_library),
      cmocka_unit_test(test_streaming_whole_characters),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
