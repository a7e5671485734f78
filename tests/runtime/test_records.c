/* Data files: lines and lists, bad records are named and passed over. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "runtime/records.h"
#include "tests/support/inject.h"
#include "tests/support/one_folder.h"

/* Reads a file to its end; out gets a line per record: its number and "id", or the message. */
static void read_all(const char *text, char *out, size_t size) {
  tg_records *records;
  t5gist_error err = {0};
  size_t n = 0;
  *out = 0;
  folder_text(folder, "x.json", text);
  if (tg_records_open(folder_path(folder, "x.json"), 1 << 20, &records, &err) != T5GIST_OK) {
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
      {" \n[ ]\n\n", ""},
      {"7\n{\"id\": 2}\nnull", "(x.json: line 1: expected an object, found 7) 2:2 (x.json: line 3: expected an object, found null) "},
      /* the end of an entry is found by brackets outside texts; what is wrong within is the JSON library's to say */
      {"[{\"id\": 1, \"]\": \"\\\"},{\\\\\"}, {\"id\": 2, \"a\": [{}, []]}]", "1:1 2:2 "},
      {"[{\"id\": 1},\n\n oops,\n{\"id\": 3}]", "1:1 (x.json: entry 2, from line 3 on: expected JSON, foun) 3:3 "},
      {"[{\"id\": 1} {\"id\": 2}, {]}, {\"id\": 3}]",
       "(x.json: entry 1, from line 1 on: expected JSON, foun) (x.json: entry 2, from line 1 on: expected JSON, foun) 3:3 "},
      {"[,\n{\"id\": 2},]", "(x.json: entry 1: expected an object, found \",\" in li) 2:2 (x.json: entry 3: expected an object, found \"]\" in li) "},
      {"[{\"id\": 1}] {\"id\": 2}", "1:1 (x.json: expected nothing behind the list, found more) "},
      {"[{\"id\": 1}, {\"id\": 2}", "1:1 (x.json: entry 2: expected \",\" or \"]\" behind it, foun) "},
      {"[{\"id\": 1}, \"{", "1:1 (x.json: entry 2: expected \",\" or \"]\" behind it, foun) "},
      {"[", "(x.json: entry 1: expected \",\" or \"]\" behind it, foun) "},
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
  (void)state;
  folder_text(folder, "x.json", "{\"id\": 1}");
  assert_int_equal(tg_records_open(folder_path(folder, "none.json"), 1 << 20, &records, &err), T5GIST_EIO);
  assert_int_equal(tg_records_open(folder_path(folder, "x.json"), 4, &records, &err), T5GIST_EFORMAT);
}

/* Zeros, as a crash can leave them where a file grew, are no blank line. */
static void zeros(void **state) {
  static const char text[] = "{}\n\0\0\n{}\n";
  tg_records *records;
  const json_t *object;
  t5gist_error err;
  (void)state;
  folder_write(folder, "x.json", text, sizeof text - 1);
  assert_int_equal(tg_records_open(folder_path(folder, "x.json"), 1 << 20, &records, &err), T5GIST_OK);
  assert_int_equal(tg_records_next(records, &object, &err), T5GIST_OK);
  assert_int_equal(tg_records_next(records, &object, &err), T5GIST_EFORMAT);
  assert_int_equal(tg_records_next(records, &object, &err), T5GIST_OK);
  assert_int_equal(tg_records_number(records), 3);
  tg_records_close(records);
}

/* n records of about `bytes` each: a list with commas, or lines. */
static char *many(bool list, size_t n, size_t bytes, size_t *size) {
  char *text = malloc(n * (bytes + 64) + 3), *at = text;
  if (list) at += sprintf(at, "[");
  for (size_t i = 0; i < n; i++) {
    at += sprintf(at, "{\"id\": %zu, \"text\": \"", i);
    memset(at, i % 2 ? ']' : '{', bytes);
    at += bytes;
    at += sprintf(at, "\"}%s\n", list && i + 1 < n ? "," : "");
  }
  if (list) at += sprintf(at, "]");
  *size = (size_t)(at - text);
  return text;
}

/* However long the file, memory holds a record. */
static void memory_of_one(void **state) {
  (void)state;
  for (int list = 0; list < 2; list++) {
    tg_records *records;
    const json_t *object;
    t5gist_error err;
    size_t size, n = 0;
    char *text = many(list, 3000, 1500, &size);
    folder_write(folder, "long.json", text, size);
    free(text);
    inject_memory(0, false);
    assert_int_equal(tg_records_open(folder_path(folder, "long.json"), 1 << 30, &records, &err), T5GIST_OK);
    for (; tg_records_next(records, &object, &err) == T5GIST_OK && object; n++)
      assert_int_equal(json_integer_value(json_object_get(object, "id")), n);
    assert_int_equal(n, 3000);
    tg_records_close(records);
    const inject_count count = inject_stop();
    assert_int_equal(count.live, 0);
    assert_true(count.peak < 400 << 10);
  }
}

/* A record of the greatest length is read, a longer one refused; lines behind it are read. */
static void long_records(void **state) {
  static const struct {
    const char *head, *tail;
    size_t beyond; /* the greatest length */
    const char *expected;
  } cases[] = {
      {"{\"id\": 1, \"t\": \"", "\"}\n{\"id\": 2}\n", 0, "1:1 2:2 "},
      {"{\"id\": 1, \"t\": \"", "\"}\n{\"id\": 2}\n", 1, "(line 1: expected at most 16777216 bytes, found more) 2:2 "},
      {"[{\"id\": 0}, {\"t\": \"", "\"}]", 1 << 18, "1:0 (entry 2: expected at most 16777216 bytes, found more) "},
  };
  (void)state;
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    const char *line_end = strchr(cases[i].tail, '\n');
    const size_t n_head = strlen(cases[i].head), n_tail = strlen(cases[i].tail), end = line_end ? (size_t)(line_end - cases[i].tail) : 0;
    const size_t middle = TG_RECORD_BYTES + cases[i].beyond - n_head - end;
    char *text = malloc(n_head + middle + n_tail + 1), found[512], *at = found;
    memcpy(text, cases[i].head, n_head);
    memset(text + n_head, 'x', middle);
    strcpy(text + n_head + middle, cases[i].tail);
    folder_text(folder, "x.json", text);
    free(text);
    tg_records *records;
    const json_t *object;
    t5gist_error err;
    assert_int_equal(tg_records_open(folder_path(folder, "x.json"), 1 << 30, &records, &err), T5GIST_OK);
    for (;;) {
      const t5gist_status status = tg_records_next(records, &object, &err);
      if (status == T5GIST_OK && !object) break;
      if (status == T5GIST_OK)
        at += sprintf(at, "%zu:%lld ", tg_records_number(records), (long long)json_integer_value(json_object_get(object, "id")));
      else
        at += sprintf(at, "(%s) ", strstr(err.message, "x.json: ") + 8);
    }
    tg_records_close(records);
    assert_string_equal(found, cases[i].expected);
  }
}

/* Pieces may end anywhere: the same with reads of half of what could be had. */
static void short_reads(void **state) {
  (void)state;
  inject_io(1 << TG_IO_READ, 1, true, INJECT_SHORT);
  lines_and_lists(NULL);
  assert_true(inject_stop().failed > 20);
  inject_io(1 << TG_IO_READ, 1, false, INJECT_EINTR);
  lines_and_lists(NULL);
  assert_int_equal(inject_stop().failed, 1);
}

/* A failure ends the file: who passes bad records over comes to an end. */
static void a_failure_is_the_end(void **state) {
  (void)state;
  const char *const texts[] = {"{}\n{}\n", "[{}, {}]"};
  tg_records *records;
  const json_t *object;
  t5gist_error err;
  for (size_t i = 0; i < 2; i++) {
    folder_text(folder, "x.json", texts[i]);
    assert_int_equal(tg_records_open(folder_path(folder, "x.json"), 8, &records, &err), T5GIST_OK);
    inject_io(1 << TG_IO_READ, 1, false, INJECT_EIO);
    size_t n = 0;
    t5gist_status status;
    while ((status = tg_records_next(records, &object, &err)) == T5GIST_OK && object) n++;
    assert_int_equal(inject_stop().failed, 1);
    assert_int_equal(status, T5GIST_EIO);
    assert_int_equal(n, 2);
    assert_int_equal(tg_records_next(records, &object, &err), T5GIST_OK);
    assert_null(object);
    tg_records_close(records);
  }
  assert_int_equal(tg_records_open("/dev/zero", 1 << 20, &records, &err), T5GIST_OK);
  assert_int_equal(tg_records_next(records, &object, &err), T5GIST_EFORMAT);
  assert_non_null(strstr(err.message, "expected at most 1048576 bytes"));
  assert_int_equal(tg_records_next(records, &object, &err), T5GIST_OK);
  assert_null(object);
  tg_records_close(records);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(lines_and_lists),     cmocka_unit_test(bad_files),    cmocka_unit_test(zeros),
                                     cmocka_unit_test(memory_of_one),       cmocka_unit_test(long_records), cmocka_unit_test(short_reads),
                                     cmocka_unit_test(a_failure_is_the_end)};
  return cmocka_run_group_tests(tests, make_folder, drop_folder);
}
