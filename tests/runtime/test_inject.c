/* The hooks that failures come through: every allocation and every file call passes by them, and what they say happens. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../support/folder.h"
#include "../support/inject.h"
#include "runtime/file.h"
#include "runtime/folder.h"

static void test_memory(void **state) {
  (void)state;
  char *block, *text;
  t5gist_error err;
  inject_memory(2, false);
  assert_int_equal(tg_alloc(&block, 100, 1, &err), T5GIST_OK);
  assert_int_equal(tg_strdup(&text, "text", &err), T5GIST_ENOMEM);
  assert_string_equal(err.message, "cannot allocate 5 bytes");
  assert_int_equal(tg_strdup(&text, "text", &err), T5GIST_OK);
  tg_free(text);
  inject_count count = inject_stop();
  assert_int_equal(count.calls, 3);
  assert_int_equal(count.failed, 1);
  assert_int_equal(count.live, 100);
  assert_int_equal(count.peak, 105);
  tg_free(block);

  inject_memory(1, true);
  for (int i = 0; i < 3; i++) assert_int_equal(tg_alloc(&block, 1, 1, &err), T5GIST_ENOMEM);
  assert_int_equal(inject_stop().failed, 3);

  inject_limit(1 << 20);
  assert_int_equal(tg_alloc(&block, (1 << 20) + 1, 1, &err), T5GIST_ENOMEM);
  assert_int_equal(tg_alloc(&block, 1 << 20, 1, &err), T5GIST_OK);
  tg_free(block);
  assert_int_equal(inject_stop().live, 0);
}

static void test_files(void **state) {
  (void)state;
  char *folder = folder_new(TEST_BINARY_DIR);
  const char *path = folder_path(folder, "file");
  t5gist_error err;
  tg_buffer read = {0};
  inject_io(1 << TG_IO_SYNC, 1, false, INJECT_ENOSPC);
  assert_int_equal(tg_write_file(path, 0600, "new", 3, &err), T5GIST_EIO);
  assert_non_null(strstr(err.message, "No space left on device"));
  assert_int_equal(inject_stop().failed, 1);
  assert_int_equal(inject_last_kind(), TG_IO_SYNC);
  assert_false(tg_file_exists(path));

  inject_io(1 << TG_IO_WRITE | 1 << TG_IO_READ, 1, true, INJECT_SHORT);
  assert_int_equal(tg_write_file(path, 0600, "0123456789", 10, &err), T5GIST_OK);
  assert_int_equal(inject_stop().calls, 5); /* 10, 5, 3, 2 and 1 bytes asked for */
  inject_io(1 << TG_IO_READ, 1, false, INJECT_EINTR);
  assert_int_equal(tg_read_file(path, 100, false, &read, &err), T5GIST_OK);
  assert_int_equal(inject_stop().failed, 1);
  assert_string_equal(read.data, "0123456789");
  tg_buffer_free(&read);
  folder_remove(folder);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_memory), cmocka_unit_test(test_files)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
