/* The JSON reader: what messages show of a value, numbers at the edges of C's types, texts that would take too much memory, lack of memory. */
#include <float.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "runtime/json.h"
#include "tests/support/folder.h"
#include "tests/support/inject.h"

static t5gist_error err;

static void expect_refusal(t5gist_status status, const char *words) {
  if (status != T5GIST_EFORMAT || !strstr(err.message, words)) fail_msg("expected \"%s\", found %d: %s", words, (int)status, err.message);
}

static void values_are_shown_as_they_are_written(void **state) {
#define TEN "0123456789"
#define EIGHTY TEN TEN TEN TEN TEN TEN TEN TEN
  static const struct {
    const char *json, *type, *shown;
  } cases[] = {
      {"null", "null", "null"},
      {"true", "true", "true"},
      {"false", "false", "false"},
      {"[1]", "a list", "a list"},
      {"{\"a\":1}", "an object", "an object"},
      {"-12", "an integer", "-12"},
      {"5.0", "a real number", "5.0"},
      {"0.1", "a real number", "0.1"},
      {"1e15", "a real number", "1e+15"},
      {"\"\"", "a string", "\"\""},
      {"\"word\"", "a string", "\"word\""},
      {"\"" EIGHTY "01234567\"", "a string", "\"" EIGHTY "01234567\""},
      {"\"" EIGHTY "012345678\"", "a string", "\"" EIGHTY "01234567...\""},
      {"\"" EIGHTY "0123456\xc3\xa9\"", "a string", "\"" EIGHTY "0123456...\""}, /* no half of a character */
  };
  (void)state;
  char text[TG_JSON_FOUND];
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    json_t *value;
    assert_int_equal(tg_json_parse_any(cases[i].json, strlen(cases[i].json), "x", &value, &err), T5GIST_OK);
    assert_string_equal(tg_json_type_name(value), cases[i].type);
    assert_string_equal(tg_json_found(value, text), cases[i].shown);
    json_decref(value);
  }
  assert_string_equal(tg_json_type_name(NULL), "nothing");
  assert_string_equal(tg_json_found(NULL, text), "nothing");
}

static void numbers_keep_to_their_types(void **state) {
  static const char text[] = "{\"least\": -2147483648, \"less\": -2147483649, \"most\": 2147483647, \"more\": 2147483648, \"x\": 1e39, \"y\": -11}";
  json_t *object;
  int n = 0;
  float x = 1;
  (void)state;
  assert_int_equal(tg_json_parse(text, strlen(text), "c.json", &object, &err), T5GIST_OK);
  assert_int_equal(tg_json_int(object, "least", "c.json", LLONG_MIN, LLONG_MAX, &n, &err), T5GIST_OK);
  assert_int_equal(n, INT_MIN);
  assert_int_equal(tg_json_int(object, "most", "c.json", LLONG_MIN, LLONG_MAX, &n, &err), T5GIST_OK);
  assert_int_equal(n, INT_MAX);
  expect_refusal(tg_json_int(object, "less", "c.json", LLONG_MIN, LLONG_MAX, &n, &err),
                 "c.json: less: expected an integer from -2147483648 to 2147483647, found -2147483649");
  expect_refusal(tg_json_int(object, "more", "c.json", LLONG_MIN, LLONG_MAX, &n, &err), "to 2147483647, found 2147483648");
  expect_refusal(tg_json_float(object, "x", "c.json", 0, 10, &x, &err), "c.json: x: expected a number from 0 to 10, found 1e+39");
  expect_refusal(tg_json_float(object, "x", "c.json", 0, DBL_MAX, &x, &err), "found 1e+39"); /* no float */
  expect_refusal(tg_json_float(object, "y", "c.json", -10, 10, &x, &err), "c.json: y: expected a number from -10 to 10, found -11");
  assert_true(x == 1);
  json_decref(object);
}

/* n times one character, between two texts, through a file. */
static t5gist_status read_many(const char *begin, char c, size_t n, const char *end, json_t **out) {
  char *folder = folder_new(TEST_BINARY_DIR), *text = malloc(strlen(begin) + n + strlen(end) + 1);
  assert_non_null(text);
  char *at = stpcpy(text, begin);
  memset(at, c, n);
  strcpy(at + n, end);
  folder_text(folder, "many.json", text);
  const t5gist_status status = tg_json_read(folder_path(folder, "many.json"), 16 << 20, out, &err);
  free(text);
  folder_remove(folder);
  return status;
}

static void texts_of_many_values_are_refused_before_they_are_parsed(void **state) {
  json_t *value = NULL;
  (void)state;
  expect_refusal(read_many("", '[', 500000, "", &value),
                 "expected JSON whose values take at most 55025952 bytes of memory beside their texts, "
                 "found 500000 bytes that take 64000000");
  expect_refusal(read_many("[", '{', 250000, "]", &value), "found 250002 bytes that take 64000128");
  expect_refusal(read_many("[0", ',', 2000000, "0]", &value), "found 2000004 bytes that take 80000128");
  expect_refusal(read_many("{", ':', 600000, "}", &value), "found 600002 bytes that take 67200256");
  assert_null(value);
  assert_int_equal(read_many("[\"[[[[", '{', 3000000, "\\\"{{{{\"]", &value), T5GIST_OK); /* punctuation within a string is none */
  assert_int_equal(json_string_length(json_array_get(value, 0)), 3000000 + 4 + 5);
  json_decref(value);
}

static void lack_of_memory_is_no_fault_of_the_file(void **state) {
  static const char *const texts[] = {
      "{\"a\": [1, 2.5, true, null, \"x\"], \"b\": {\"c\": \"y\"}}",
      "[\"a string of more than twenty characters\", \"another string of more than twenty\"]",
      "{\"a key of more than twenty characters\": \"a value of more than twenty characters\"}",
      "[[[[[[[[[\"\\u00e9\\n\"]]]]]]]]]",
  };
  (void)state;
  for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
    const size_t size = strlen(texts[i]);
    size_t n = 1;
    for (;; n++) {
      json_t *value = NULL;
      char expected[80];
      inject_memory(n, false);
      const t5gist_status status = tg_json_parse(texts[i], size, "c.json", &value, &err);
      const inject_count count = inject_stop();
      json_decref(value);
      if (!count.failed) break;
      snprintf(expected, sizeof expected, "c.json: not enough memory to read JSON of %zu bytes", size);
      if (status != T5GIST_ENOMEM || strcmp(err.message, expected) != 0)
        fail_msg("%s, allocation %zu: %d, %s", texts[i], n, (int)status, err.message);
    }
    if (n < 5) fail_msg("%s: only %zu allocations", texts[i], n - 1);
  }
  json_t *value; /* long tokens of which jansson's message shows nothing, and which are no strings */
  expect_refusal(tg_json_parse("[nonsensenonsensenonsense]", 26, "c.json", &value, &err), "expected JSON, found at line 1, column 25: invalid token");
  expect_refusal(tg_json_parse("{nonsensenonsensenonsense}", 26, "c.json", &value, &err), "column 25: string or '}' expected");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(values_are_shown_as_they_are_written),
      cmocka_unit_test(numbers_keep_to_their_types),
      cmocka_unit_test(texts_of_many_values_are_refused_before_they_are_parsed),
      cmocka_unit_test(lack_of_memory_is_no_fault_of_the_file),
  };
  inject_jansson();
  return cmocka_run_group_tests(tests, NULL, NULL);
}
