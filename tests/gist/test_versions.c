/* Gist files that earlier programs wrote keep loading: one of each version of the format lies in tests/data/gist, never to be written again. */
#include <stdlib.h>
#include <string.h>

#include "support.h"
#include "tests/support/folder.h"

static void test_version_1(void **state) {
  (void)state;
  t5gist_error err;
  t5gist_gist *gist;
  t5gist_gist_info info;
  CHECK_OK(t5gist_gist_open(NULL, TEST_SOURCE_DIR "/tests/data/gist/version-1.gist", &gist, &err));
  t5gist_gist_describe(gist, &info);
  assert_int_equal(info.format_version, 1);
  assert_string_equal(info.task, "Write the date in ISO format.");
  assert_string_equal(info.task_sha256, "e1274625841a80085bf42a6dea64797739cbd5f4bbd1471e7c5bfbdb9d2ab30b");
  assert_string_equal(info.program_version, "0.1.0");
  assert_string_equal(info.payload, "f32");
  assert_int_equal(info.n_gist, 2);
  assert_int_equal(info.n_layers, 5);
  assert_int_equal(info.n_heads, 8);
  assert_int_equal(info.d_kv, 32);
  assert_int_equal(info.d_model, 256);
  t5gist_gist_free(gist);
}

/* Of a version to come: the version is named before anything that only this program's version would find wrong. */
static void test_a_newer_version(void **state) {
  (void)state;
  static const char mark[] = "\"checksum\":\"", version[] = "\"format_version\":\"1\"";
  t5gist_error err;
  t5gist_gist *gist;
  char *folder = folder_new(TEST_BINARY_DIR), hex[TG_SHA256_HEX];
  size_t n;
  char *bytes = folder_read(TEST_SOURCE_DIR "/tests/data/gist/version-1.gist", &n);
  char *digits = (char *)memmem(bytes, n, mark, sizeof mark - 1) + sizeof mark - 1;
  ((char *)memmem(bytes, n, version, sizeof version - 1))[sizeof version - 3] = '2';
  memset(digits, '0', TG_SHA256_HEX - 1);
  tg_sha256_hex(bytes, n, hex);
  memcpy(digits, hex, TG_SHA256_HEX - 1);
  folder_write(folder, "new.gist", bytes, n);
  assert_int_equal(t5gist_gist_open(NULL, folder_path(folder, "new.gist"), &gist, &err), T5GIST_EMISMATCH);
  assert_non_null(strstr(err.message, "has gist format version 2, but t5gist 0.1.0 reads versions up to 1: a newer t5gist wrote it"));
  free(bytes);
  folder_remove(folder);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_version_1), cmocka_unit_test(test_a_newer_version)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
