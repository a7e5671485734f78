/* Data files: lines and lists, bad records are named and passed over. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "runtime/records.h"
#include "tests/support/folder.h"

static char *dir;

static int set_up(void **state) {
  (void)state;
  dir = folder_new(TEST_BINARY_DIR);
  return 0;
}

static int tear_down(void **state) {
  (void)state;
  folder_remove(dir);
  return 0;
}

/* Reads a file to its end; out gets a line per record: its number and "id", or the message. */
static void read_all(const char *text, char *out, size_t size) {
  tg_records *records;
  t5gist_error err = {0};
  size_t n = 0;
  *out = 0;
  folder_text(dir, "x.json", text);
  if (tg_records_open(folder_path(dir, "x.json"), 1 << 20, &records, &err) != T5GIST_OK) {
    snprintf(out, size, "refused: %s", strstr(err.message, "x.json"));
    return;
  }
  for (;;) {
    const json_t *object;
    const t5gist_status status = tg_records_next(records, &object, &err);
    if (status == T5GIST_OK && !object) break;
    if (status == T5GIST_OK)
      n += (size_t)snprintf(out + n, size - n, "%zu:%lld ", tg_records_number(records), (long long)json_integer_value(json_object_get(object, "id")));
    else
      n += (size_t)snprintf(out + n, size - n, "(%.52s) ", strstr(err.message, "x.json"));
  }
  tg_records_close(records);
}

static void lines_and_lists(void **state) {
  static const struct {
    const char *text, *expected;
  } cases[] = {
      {"", ""},
      {"\n \r\n\t\n", ""},
      {"{\"id\": 1}\n\n{\"id\": 2}", "1:1 3:2 "},
      {"{\"id\": 1}\r\n{\"id\": 2}\r\n", "1:1 2:2 "},
      {"{\"id\": 1}\n{oops\n[]\n{\"id\": 4}\n",
       "1:1 (x.json: line 2: expected JSON, found at line 1, colu) (x.json: line 3: expected an object, found a list) 4:4 "},
      {" [{\"id\": 1}, 7, {\"id\": 3}]\n", "1:1 (x.json: entry 2: expected an object, found 7) 3:3 "},
      {"[]", ""},
  };
  (void)state;
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    char found[512];
    read_all(cases[i].text, found, sizeof found);
    assert_string_equal(found, cases[i].expected);
  }
}

static void bad_files(void **state) {
  tg_records *records;
  t5gist_error err;
  char found[512];
  (void)state;
  read_all("[{\"id\": 1}, oops]", found, sizeof found);
  assert_non_null(strstr(found, "refused: x.json: expected JSON, found at line 1"));
  assert_int_equal(tg_records_open(folder_path(dir, "none.json"), 1 << 20, &records, &err), T5GIST_EIO);
  assert_int_equal(tg_records_open(folder_path(dir, "x.json"), 4, &records, &err), T5GIST_EFORMAT);
}

/* Zeros, as a crash can leave them where a file grew, are no blank line. */
static void zeros(void **state) {
  static const char text[] = "{}\n\0\0\n{}\n";
  tg_records *records;
  const json_t *object;
  t5gist_error err;
  (void)state;
  folder_write(dir, "x.json", text, sizeof text - 1);
  assert_int_equal(tg_records_open(folder_path(dir, "x.json"), 1 << 20, &records, &err), T5GIST_OK);
  assert_int_equal(tg_records_next(records, &object, &err), T5GIST_OK);
  assert_int_equal(tg_records_next(records, &object, &err), T5GIST_EFORMAT);
  assert_int_equal(tg_records_next(records, &object, &err), T5GIST_OK);
  assert_int_equal(tg_records_number(records), 3);
  tg_records_close(records);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(lines_and_lists), cmocka_unit_test(bad_files), cmocka_unit_test(zeros)};
  return cmocka_run_group_tests(tests, set_up, tear_down);
}
