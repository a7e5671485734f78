/* Conversion of every form of checkpoint to one safetensors folder. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "runtime/int4.h"
#include "t5/checkpoint.h"
#include "t5/config.h"
#include "t5/convert.h"
#include "tests/support/folder.h"

#define DATA TEST_SOURCE_DIR "/tests/data/torch/"
#define UNTIED                                                                                                                                     \
  "{\"model_type\": \"t5\", \"vocab_size\": 4096, \"tie_word_embeddings\": false, \"torch_dtype\": \"float32\", \"t5gist\": {\"gist_token_ids\": " \
  "[4095]}}"
#define TIED "{\"model_type\": \"t5\", \"vocab_size\": 4096}"

static char *new_source(const char *config) {
  char *folder = folder_new(TEST_BINARY_DIR);
  folder_text(folder, "config.json", config);
  folder_copy(folder, "spiece.model", TEST_SOURCE_DIR "/tests/data/mini/spiece.model");
  return folder;
}

typedef struct seen {
  uint64_t done, total;
} seen;

static void on_progress(void *user, const char *what, uint64_t done, uint64_t total) {
  seen *s = user;
  assert_non_null(what);
  assert_true(done > s->done && done <= total);
  *s = (seen){done, total};
}

static void convert(const char *in, const char *out, const char *dtype) {
  t5gist_error err = {0};
  seen s = {0};
  if (tg_convert(in, out, &(tg_conversion){.dtype = dtype, .progress = on_progress, .user = &s}, &err) != T5GIST_OK) fail_msg("%s", err.message);
  assert_true(s.done == s.total && s.total > 0);
}

static void refuse(const char *in, const char *out, const char *dtype, t5gist_status status, const char *words) {
  t5gist_error err = {0};
  const t5gist_status found = tg_convert(in, out, &(tg_conversion){.dtype = dtype}, &err);
  if (found != status || !strstr(err.message, words))
    fail_msg("expected status %d and \"%s\", found %d and \"%s\"", status, words, found, err.message);
}

static tg_checkpoint *open_folder(const char *folder) {
  tg_checkpoint *checkpoint = NULL;
  t5gist_error err = {0};
  if (tg_checkpoint_open(folder, &checkpoint, &err) != T5GIST_OK) fail_msg("%s", err.message);
  return checkpoint;
}

static float value(const tg_checkpoint *checkpoint, const char *name, size_t i) {
  const tg_tensor *t = tg_checkpoint_find(checkpoint, name);
  float x;
  assert_non_null(t);
  tg_widen(t->data + i * tg_dtype_size(t->dtype), t->dtype, 1, &x);
  return x;
}

static void check_config(const char *folder, const char *fingerprint, const char *dtype) {
  tg_config config;
  t5gist_error err = {0};
  if (tg_config_load(folder, &config, &err) != T5GIST_OK) fail_msg("%s", err.message);
  assert_string_equal(config.source_fingerprint, fingerprint);
  if (dtype) assert_string_equal(json_string_value(json_object_get(config.json, "torch_dtype")), dtype);
  tg_config_free(&config);
}

static void test_bin(void **state) {
  (void)state;
  char *in = new_source(UNTIED), *out = folder_new(TEST_BINARY_DIR), fingerprint[TG_SHA256_HEX];
  t5gist_error err = {0};
  folder_copy(in, "pytorch_model.bin", DATA "weights.bin");
  folder_text(in, "generation_config.json", "{\"max_new_tokens\": 3}");
  const char *weights[] = {folder_path(in, "pytorch_model.bin")};
  assert_int_equal(tg_fingerprint(folder_path(in, "config.json"), folder_path(in, "spiece.model"), weights, 1, fingerprint, &err), T5GIST_OK);
  convert(in, out, NULL);
  tg_checkpoint *checkpoint = open_folder(out);
  const tg_tensor *t = NULL;
  assert_int_equal(tg_safetensors_count(tg_checkpoint_file(checkpoint, 0)), 3); /* the two aliases are gone */
  assert_string_equal(tg_safetensors_metadata(tg_checkpoint_file(checkpoint, 0), "format"), "pt");
  assert_int_equal(tg_checkpoint_get(checkpoint, "t.weight", (const size_t[]){5, 3}, 2, &t, &err), T5GIST_OK);
  for (size_t row = 0; row < 5; row++) {
    for (size_t column = 0; column < 3; column++) assert_true(value(checkpoint, "t.weight", row * 3 + column) == (float)(column * 5 + row));
  }
  for (size_t i = 0; i < 16; i++) {
    assert_true(value(checkpoint, "shared.weight", i) == ((float)i - 8) * 1.00390625f);
    assert_true(value(checkpoint, "lm_head.weight", i) == ((float)i - 8) * 1.00390625f);
  }
  tg_checkpoint_close(checkpoint);
  check_config(out, fingerprint, "float32");

  /* Converted again, narrowed: the fingerprint stays the first source's. */
  const char *again = folder_path(out, "again/deep");
  char *again_copy = strdup(again);
  convert(out, again_copy, "bf16");
  checkpoint = open_folder(again_copy);
  assert_int_equal(tg_checkpoint_find(checkpoint, "shared.weight")->dtype, TG_BF16);
  for (size_t i = 0; i < 16; i++) {
    const float x = ((float)i - 8) * 1.00390625f;
    uint16_t narrow;
    tg_narrow_bf16(&x, 1, &narrow);
    float expected;
    tg_widen(&narrow, TG_BF16, 1, &expected);
    assert_true(value(checkpoint, "shared.weight", i) == expected);
  }
  tg_checkpoint_close(checkpoint);
  check_config(again_copy, fingerprint, "bfloat16");
  free(again_copy);
  folder_remove(out);
  folder_remove(in);
}

static void test_sharded_bin_of_a_tied_model(void **state) {
  (void)state;
  char *in = new_source(TIED), *out = folder_new(TEST_BINARY_DIR);
  folder_copy(in, "pytorch_model-00001-of-00002.bin", DATA "weights.bin");
  folder_copy(in, "pytorch_model-00002-of-00002.bin", DATA "more.bin");
  folder_text(in, "pytorch_model.bin.index.json",
              "{\"weight_map\": {\"shared.weight\": \"pytorch_model-00001-of-00002.bin\", \"more.weight\": \"pytorch_model-00002-of-00002.bin\"}}");
  convert(in, out, NULL);
  tg_checkpoint *checkpoint = open_folder(out);
  assert_int_equal(tg_safetensors_count(tg_checkpoint_file(checkpoint, 0)), 3); /* lm_head.weight is an alias too */
  assert_null(tg_checkpoint_find(checkpoint, "lm_head.weight"));
  assert_int_equal(tg_checkpoint_find(checkpoint, "more.weight")->dtype, TG_F16);
  for (size_t i = 0; i < 10; i++) assert_true(value(checkpoint, "more.weight", i) == (float)i / 4);
  tg_checkpoint_close(checkpoint);
  convert(in, out, "f32"); /* over an earlier conversion */
  checkpoint = open_folder(out);
  assert_int_equal(tg_checkpoint_find(checkpoint, "more.weight")->dtype, TG_F32);
  for (size_t i = 0; i < 10; i++) assert_true(value(checkpoint, "more.weight", i) == (float)i / 4);
  tg_checkpoint_close(checkpoint);

  folder_text(in, "pytorch_model.bin.index.json", "{\"weight_map\": {\"absent\": \"pytorch_model-00001-of-00002.bin\"}}");
  refuse(in, out, NULL, T5GIST_EFORMAT, "expected tensor absent in pytorch_model-00001-of-00002.bin");
  folder_text(in, "pytorch_model.bin.index.json", "{\"weight_map\": {\"more.weight\": \"pytorch_model-00001-of-00002.bin\"}}");
  refuse(in, out, NULL, T5GIST_EFORMAT, "expected tensor more.weight");
  folder_text(in, "pytorch_model.bin.index.json", "{\"weight_map\": {\"more.weight\": \"../more.bin\"}}");
  refuse(in, out, NULL, T5GIST_EFORMAT, "in the same folder");
  folder_copy(in, "twice.bin", DATA "more.bin");
  folder_text(in, "pytorch_model.bin.index.json",
              "{\"weight_map\": {\"more.weight\": \"pytorch_model-00002-of-00002.bin\", \"more\": \"twice.bin\"}}");
  refuse(in, out, NULL, T5GIST_EFORMAT, "tensor more.weight: expected in one file");
  folder_remove(out);
  folder_remove(in);
}

static void test_refusals(void **state) {
  (void)state;
  char *in = new_source(UNTIED), *out = folder_new(TEST_BINARY_DIR);
  refuse(in, out, NULL, T5GIST_EIO, "expected weights");
  folder_copy(in, "pytorch_model.bin", DATA "good.bin");
  refuse(in, out, NULL, T5GIST_EUNSUPPORTED, "F64");
  refuse(in, out, "int5", T5GIST_EUSAGE, "found \"int5\"");
  refuse(in, in, NULL, T5GIST_EUSAGE, "same");
  refuse(folder_path(in, "absent"), out, NULL, T5GIST_EIO, "absent");
  refuse(in, folder_path(in, "config.json"), NULL, T5GIST_EUSAGE, "found a file");
  folder_copy(in, "pytorch_model.bin", DATA "weights.bin");
  folder_text(out, "generation_config.json", "{}");
  refuse(in, out, NULL, T5GIST_EUSAGE, "generation_config.json");
  folder_remove(out);
  out = folder_new(TEST_BINARY_DIR);
  remove(folder_path(in, "spiece.model"));
  refuse(in, out, NULL, T5GIST_EIO, "tokenizer");
  tg_checkpoint *none = NULL;
  assert_int_equal(tg_checkpoint_open(out, &none, NULL), T5GIST_EIO); /* nothing was left there */
  folder_remove(out);
  folder_remove(in);
}

/* Matrices of linear layers become bytes and scales, everything else stays; a transposed source gives the same. */
static void test_int8(void **state) {
  (void)state;
  char *in = new_source(UNTIED), *out = folder_new(TEST_BINARY_DIR);
  t5gist_error err = {0};
  folder_copy(in, "pytorch_model.bin", DATA "weights.bin");
  convert(in, out, "int8");
  tg_checkpoint *checkpoint = open_folder(out);
  const tg_tensor *t = NULL;
  tg_matrix matrix;
  float *scales = NULL;
  assert_int_equal(tg_checkpoint_find(checkpoint, "shared.weight")->dtype, TG_F32);
  assert_int_equal(tg_checkpoint_find(checkpoint, "t.weight")->dtype, TG_F32);
  const tg_tensor *head = tg_checkpoint_find(checkpoint, "lm_head.weight");
  assert_int_equal(head->dtype, TG_I8);
  assert_int_equal(tg_checkpoint_get_matrix(checkpoint, "lm_head.weight", head->shape[0], head->shape[1], &matrix, &scales, &err), T5GIST_OK);
  for (size_t i = 0; i < head->count; i++) {
    const float x = ((float)i - 8) * 1.00390625f, scale = scales[i / head->shape[1]];
    assert_true(fabsf((float)((const int8_t *)matrix.data)[i] * scale - x) <= 0.5001f * scale);
  }
  tg_free(scales);
  scales = NULL;
  assert_int_equal(tg_checkpoint_get_matrix(checkpoint, "shared.weight", 1, 1, &matrix, &scales, &err), T5GIST_EFORMAT);
  assert_null(scales);
  assert_int_equal(tg_checkpoint_get(checkpoint, "lm_head.weight", head->shape, 2, &t, &err), T5GIST_EUNSUPPORTED); /* bytes only where expected */
  tg_checkpoint_close(checkpoint);
  folder_remove(out);
  folder_remove(in);
}

/* Likewise in 4 bits; a tied model gets a head of its own beside its embedding. */
static void test_int4(void **state) {
  static const char *const configs[] = {UNTIED, TIED};
  (void)state;
  for (size_t k = 0; k < 2; k++) {
    char *in = new_source(configs[k]), *out = folder_new(TEST_BINARY_DIR);
    t5gist_error err = {0};
    folder_copy(in, "pytorch_model.bin", DATA "weights.bin");
    convert(in, out, "int4");
    tg_checkpoint *checkpoint = open_folder(out);
    tg_matrix matrix;
    float *scales = NULL, back[16];
    const tg_tensor *shared = tg_checkpoint_find(checkpoint, "shared.weight"), *head = tg_checkpoint_find(checkpoint, "lm_head.weight");
    assert_int_equal(shared->dtype, TG_BF16);
    assert_int_equal(tg_checkpoint_find(checkpoint, "t.weight")->dtype, TG_F32);
    assert_non_null(head);
    assert_int_equal(head->dtype, TG_U8);
    assert_int_equal(tg_checkpoint_get_matrix(checkpoint, "lm_head.weight", shared->shape[0], shared->shape[1], &matrix, &scales, &err), T5GIST_OK);
    assert_int_equal(matrix.dtype, TG_I4);
    const size_t n_in = shared->shape[1];
    for (size_t row = 0; row < shared->shape[0]; row++) {
      const size_t at = row * n_in;
      tg_widen_row4((const unsigned char *)matrix.data + row * tg_int4_row_bytes(n_in), scales + row, n_in, matrix.group, back + at);
      for (size_t i = at; i < at + n_in; i++) assert_true(fabsf(back[i] - ((float)i - 8) * 1.00390625f) <= fabsf(scales[row]));
    }
    tg_free(scales);
    tg_checkpoint_close(checkpoint);
    tg_config config;
    assert_int_equal(tg_config_load(out, &config, &err), T5GIST_OK);
    const json_t *block = json_object_get(config.json, "t5gist");
    assert_string_equal(json_string_value(json_object_get(block, "dtype")), "int4");
    assert_string_equal(json_string_value(json_object_get(block, "wo_dtype")), "int8x16");
    assert_string_equal(json_string_value(json_object_get(block, "rounding")), "nearest");
    assert_int_equal(json_integer_value(json_object_get(block, "group")), TG_INT4_GROUP);
    tg_config_free(&config);
    if (k == 0) refuse(out, in, "f32", T5GIST_EUNSUPPORTED, "found U8"); /* and never back */
    folder_remove(out);
    folder_remove(in);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_bin), cmocka_unit_test(test_sharded_bin_of_a_tied_model), cmocka_unit_test(test_refusals),
                                     cmocka_unit_test(test_int8), cmocka_unit_test(test_int4)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
