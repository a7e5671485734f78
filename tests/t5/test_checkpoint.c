/* Folders of safetensors: single, sharded, broken; fingerprints and their cache. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <utime.h>

#include <cmocka.h>

#include "t5/checkpoint.h"
#include "tests/support/folder.h"

typedef struct wanted {
  const char *name;
  size_t rows, columns;
  tg_dtype dtype;
} wanted;

/* A safetensors file whose bytes count up from seed. */
static void write_tensors(const char *folder, const char *name, const wanted *list, size_t n, unsigned char seed) {
  tg_tensor tensors[8] = {0};
  tg_buffer bytes = {0};
  t5gist_error err = {0};
  size_t total = 0;
  for (size_t i = 0; i < n; i++) {
    tensors[i] = (tg_tensor){.name = list[i].name, .dtype = list[i].dtype, .rank = 2, .shape = {list[i].rows, list[i].columns}};
    tensors[i].count = list[i].rows * list[i].columns;
    tensors[i].bytes = tensors[i].count * tg_dtype_size(list[i].dtype);
    total += tensors[i].bytes;
  }
  if (tg_safetensors_header(tensors, n, NULL, &bytes, &err) != T5GIST_OK) fail_msg("%s", err.message);
  for (size_t i = 0; i < total; i++) {
    const unsigned char byte = (unsigned char)(seed + i);
    assert_int_equal(tg_buffer_append(&bytes, &byte, 1, &err), T5GIST_OK);
  }
  folder_write(folder, name, bytes.data, bytes.size);
  tg_buffer_free(&bytes);
}

static char *new_folder(void) {
  char *folder = folder_new(TEST_BINARY_DIR);
  folder_text(folder, "config.json", "{\"model_type\": \"t5\"}");
  folder_text(folder, "spiece.model", "pieces");
  return folder;
}

static void expect_refusal(const char *folder, t5gist_status status, const char *words) {
  tg_checkpoint *checkpoint = NULL;
  t5gist_error err = {0};
  const t5gist_status found = tg_checkpoint_open(folder, &checkpoint, &err);
  if (found != status || !strstr(err.message, words))
    fail_msg("expected status %d and \"%s\", found %d and \"%s\"", status, words, found, err.message);
  assert_null(checkpoint);
}

static tg_checkpoint *open_folder(const char *folder) {
  tg_checkpoint *checkpoint = NULL;
  t5gist_error err = {0};
  if (tg_checkpoint_open(folder, &checkpoint, &err) != T5GIST_OK) fail_msg("%s", err.message);
  return checkpoint;
}

static void test_single_file(void **state) {
  (void)state;
  char *folder = new_folder();
  const wanted tensors[] = {{"a", 2, 3, TG_F32}, {"b", 1, 5, TG_BF16}, {"c", 2, 2, TG_I64}};
  write_tensors(folder, "model.safetensors", tensors, 3, 1);
  tg_checkpoint *checkpoint = open_folder(folder);
  const tg_tensor *tensor = NULL;
  t5gist_error err = {0};
  assert_int_equal(tg_checkpoint_files(checkpoint), 1);
  assert_int_equal(tg_checkpoint_get(checkpoint, "a", (const size_t[]){2, 3}, 2, &tensor, &err), T5GIST_OK);
  assert_int_equal(tensor->data[0], 1);
  assert_null(tg_checkpoint_find(checkpoint, "d"));
  assert_int_equal(tg_checkpoint_get(checkpoint, "a", (const size_t[]){3, 2}, 2, &tensor, &err), T5GIST_EFORMAT);
  assert_non_null(strstr(err.message, "expected shape [3, 2], found [2, 3]"));
  assert_int_equal(tg_checkpoint_get(checkpoint, "a", (const size_t[]){6}, 1, &tensor, &err), T5GIST_EFORMAT);
  assert_int_equal(tg_checkpoint_get(checkpoint, "d", (const size_t[]){6}, 1, &tensor, &err), T5GIST_EFORMAT);
  assert_non_null(strstr(err.message, "expected tensor d of shape [6]"));
  assert_int_equal(tg_checkpoint_get(checkpoint, "c", (const size_t[]){2, 2}, 2, &tensor, &err), T5GIST_EUNSUPPORTED);
  assert_non_null(strstr(err.message, "I64"));
  tg_checkpoint_close(checkpoint);
  folder_remove(folder);
}

static void write_shards(const char *folder, const char *index) {
  const wanted first[] = {{"a", 2, 3, TG_F32}}, second[] = {{"b", 1, 5, TG_BF16}};
  write_tensors(folder, "model-00001-of-00002.safetensors", first, 1, 1);
  write_tensors(folder, "model-00002-of-00002.safetensors", second, 1, 2);
  folder_text(folder, "model.safetensors.index.json", index);
}

static void test_shards(void **state) {
  (void)state;
  char *folder = new_folder();
  write_shards(folder, "{\"weight_map\": {\"b\": \"model-00002-of-00002.safetensors\", \"a\": \"model-00001-of-00002.safetensors\"}}");
  tg_checkpoint *checkpoint = open_folder(folder);
  assert_int_equal(tg_checkpoint_files(checkpoint), 2);
  assert_non_null(strstr(tg_safetensors_path(tg_checkpoint_file(checkpoint, 0)), "00001-of"));
  assert_int_equal(tg_checkpoint_find(checkpoint, "b")->data[0], 2);
  tg_checkpoint_close(checkpoint);

  folder_text(folder, "model.safetensors.index.json", "{\"weight_map\": {\"b\": \"model-00001-of-00002.safetensors\"}}");
  expect_refusal(folder, T5GIST_EFORMAT, "expected tensor b in model-00001-of-00002.safetensors");
  static const char *const names[] = {"../x.safetensors", "/etc/x.safetensors", "..", "", "sub/x.safetensors", ".x.safetensors", "config.json"};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    char index[256];
    snprintf(index, sizeof index, "{\"weight_map\": {\"a\": \"%s\"}}", names[i]);
    folder_text(folder, "model.safetensors.index.json", index);
    expect_refusal(folder, T5GIST_EFORMAT, "in the same folder");
  }
  folder_text(folder, "model.safetensors.index.json", "{\"weight_map\": {\"a\": 3}}");
  expect_refusal(folder, T5GIST_EFORMAT, "an integer");
  folder_text(folder, "model.safetensors.index.json", "{}");
  expect_refusal(folder, T5GIST_EFORMAT, "weight_map");
  folder_text(folder, "model.safetensors.index.json", "{\"weight_map\": {\"a\": \"absent.safetensors\"}}");
  expect_refusal(folder, T5GIST_EIO, "absent.safetensors");
  folder_remove(folder);
}

static void test_duplicates_across_shards(void **state) {
  (void)state;
  char *folder = new_folder();
  const wanted both[] = {{"a", 2, 3, TG_F32}, {"b", 1, 5, TG_BF16}};
  write_shards(folder, "{\"weight_map\": {\"a\": \"model-00001-of-00002.safetensors\", \"b\": \"model-00002-of-00002.safetensors\"}}");
  write_tensors(folder, "model-00002-of-00002.safetensors", both, 2, 2);
  expect_refusal(folder, T5GIST_EFORMAT, "tensor a: expected in one file");
  folder_remove(folder);
}

/* Matrices of 4 bits: sound ones of every group, and everything that can be wrong with one. */
static void test_nibbles(void **state) {
  enum { ROWS = 3 };
  static const struct {
    size_t n_in, row_bytes, n_scales;
    tg_dtype dtype;
    unsigned char seed; /* of the bytes: those of 0x30 make a NaN */
    size_t group;       /* 0: refused with */
    const char *words;
  } cases[] = {{128, 64, 4, TG_BF16, 1, 32, NULL},
               {128, 64, 2, TG_BF16, 1, 64, NULL},
               {130, 65, 2, TG_BF16, 1, 128, NULL},
               {7, 4, 1, TG_BF16, 1, 32, NULL},
               {128, 63, 2, TG_BF16, 1, 0, "tensor m: expected shape [3, 64], found [3, 63]"},
               {128, 64, 3, TG_BF16, 1, 0, "tensor m_scale: expected 3 rows of a scale to 32, 64 or 128 of 128 inputs, found shape [3, 3]"},
               {128, 64, 8, TG_BF16, 1, 0, "tensor m_scale: expected 3 rows of a scale to 32, 64 or 128 of 128 inputs, found shape [3, 8]"},
               {128, 64, 2, TG_F32, 1, 0, "tensor m_scale: expected BF16, found F32"},
               {128, 64, 4, TG_BF16, 0x30, 0, "tensor m_scale: expected finite scales, found"},
               {128, 64, 0, TG_BF16, 1, 0, "expected tensor m_scale beside m, found no such tensor"}};
  (void)state;
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    char *folder = new_folder();
    const wanted tensors[] = {{"m", ROWS, cases[i].row_bytes, TG_U8}, {"m_scale", ROWS, cases[i].n_scales, cases[i].dtype}};
    write_tensors(folder, "model.safetensors", tensors, cases[i].n_scales ? 2 : 1, cases[i].seed);
    tg_checkpoint *checkpoint = open_folder(folder);
    t5gist_error err = {0};
    tg_matrix matrix = {0};
    float *scales = NULL;
    const t5gist_status status = tg_checkpoint_get_matrix(checkpoint, "m", ROWS, cases[i].n_in, &matrix, &scales, &err);
    if (cases[i].group) {
      assert_int_equal(status, T5GIST_OK);
      assert_int_equal(matrix.dtype, TG_I4);
      assert_int_equal(matrix.group, cases[i].group);
      assert_ptr_equal(matrix.scales, scales);
      assert_ptr_equal(matrix.data, tg_checkpoint_find(checkpoint, "m")->data);
    } else {
      assert_int_equal(status, T5GIST_EFORMAT);
      if (!strstr(err.message, cases[i].words)) fail_msg("expected \"%s\", found \"%s\"", cases[i].words, err.message);
    }
    tg_free(scales);
    tg_checkpoint_close(checkpoint);
    folder_remove(folder);
  }
}

static void test_wrong_folders(void **state) {
  (void)state;
  char *folder = folder_new(TEST_BINARY_DIR);
  expect_refusal(folder_path(folder, "absent"), T5GIST_EIO, "found nothing of this name");
  expect_refusal(folder, T5GIST_EIO, "config.json");
  folder_text(folder, "config.json", "{}");
  expect_refusal(folder_path(folder, "config.json"), T5GIST_EIO, "found a file");
  expect_refusal(folder, T5GIST_EIO, "model.safetensors");
  folder_text(folder, "pytorch_model.bin", "");
  expect_refusal(folder, T5GIST_EUNSUPPORTED, "t5gist convert");
  folder_text(folder, "model.safetensors", "short");
  expect_refusal(folder, T5GIST_EFORMAT, "model.safetensors");
  folder_remove(folder);
}

/* ---------------------------------------------------------------------------------------------------------------------- fingerprint */

static void fingerprint(const char *folder, char hex[TG_SHA256_HEX]) {
  tg_checkpoint *checkpoint = open_folder(folder);
  t5gist_error err = {0};
  if (tg_checkpoint_fingerprint(checkpoint, folder, folder_path(folder, "spiece.model"), hex, &err) != T5GIST_OK) fail_msg("%s", err.message);
  tg_checkpoint_close(checkpoint);
}

static void test_fingerprint(void **state) {
  (void)state;
  char *folder = new_folder(), *cache = folder_new(TEST_BINARY_DIR);
  char first[TG_SHA256_HEX], again[TG_SHA256_HEX], changed[TG_SHA256_HEX], parts[3][TG_SHA256_HEX], text[512], expected[TG_SHA256_HEX];
  const wanted tensors[] = {{"a", 2, 3, TG_F32}};
  const struct utimbuf old = {1000000000, 1000000000};
  size_t n[3];
  setenv("XDG_CACHE_HOME", cache, 1);
  write_tensors(folder, "model.safetensors", tensors, 1, 1);
  assert_int_equal(utime(folder_path(folder, "model.safetensors"), &old), 0);
  fingerprint(folder, first);

  static const char *const names[] = {"config.json", "spiece.model", "model.safetensors"};
  for (int i = 0; i < 3; i++) {
    char *bytes = folder_read(folder_path(folder, names[i]), &n[i]);
    tg_sha256_hex(bytes, n[i], parts[i]);
    free(bytes);
  }
  snprintf(text, sizeof text, "t5gist model 1\nconfig %zu %s\ntokenizer %zu %s\nweights %zu %s\n", n[0], parts[0], n[1], parts[1], n[2], parts[2]);
  tg_sha256_hex(text, strlen(text), expected);
  assert_string_equal(first, expected);

  /* Same inode, size and time: remembered although the bytes differ, which shows that the cache is used. */
  write_tensors(folder, "model.safetensors", tensors, 1, 2);
  assert_int_equal(utime(folder_path(folder, "model.safetensors"), &old), 0);
  fingerprint(folder, again);
  assert_string_equal(again, first);
  const struct utimbuf newer = {1000000001, 1000000001};
  assert_int_equal(utime(folder_path(folder, "model.safetensors"), &newer), 0);
  fingerprint(folder, changed);
  assert_string_not_equal(changed, first);
  folder_text(folder, "spiece.model", "others");
  fingerprint(folder, again);
  assert_string_not_equal(again, changed);
  folder_remove(cache);
  folder_remove(folder);
}

static void test_fingerprint_without_cache(void **state) {
  (void)state;
  char *folder = new_folder();
  char first[TG_SHA256_HEX], again[TG_SHA256_HEX];
  const wanted tensors[] = {{"a", 2, 3, TG_F32}};
  write_tensors(folder, "model.safetensors", tensors, 1, 1);
  setenv("XDG_CACHE_HOME", "/proc/nowhere", 1);
  fingerprint(folder, first);
  unsetenv("XDG_CACHE_HOME");
  unsetenv("HOME");
  fingerprint(folder, again);
  assert_string_equal(first, again);
  folder_remove(folder);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_single_file),
      cmocka_unit_test(test_shards),
      cmocka_unit_test(test_duplicates_across_shards),
      cmocka_unit_test(test_nibbles),
      cmocka_unit_test(test_wrong_folders),
      cmocka_unit_test(test_fingerprint),
      cmocka_unit_test(test_fingerprint_without_cache),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
