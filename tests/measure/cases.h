/* Reads one section of tests/data/measure_cases.json (tests/golden/make_measure_cases.py). */
#ifndef T5GIST_TESTS_MEASURE_CASES_H
#define T5GIST_TESTS_MEASURE_CASES_H

#include <jansson.h>

#include "runtime/json.h"

/* *file: to be released with json_decref. The section is borrowed from it. */
static inline json_t *read_cases(const char *section, json_t **file) {
  t5gist_error err = {0};
  if (tg_json_read(TEST_SOURCE_DIR "/tests/data/measure_cases.json", 1 << 20, file, &err) != T5GIST_OK) fail_msg("%s", err.message);
  json_t *cases = json_object_get(*file, section);
  assert_non_null(cases);
  return cases;
}

static inline double number_at(const json_t *array, size_t i) {
  return json_number_value(json_array_get(array, i));
}

static inline const char *text_of(const json_t *object, const char *key) {
  return json_string_value(json_object_get(object, key));
}

#endif
