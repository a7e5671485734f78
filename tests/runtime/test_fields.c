/* Option tables from text, JSON and YAML; typed access to JSON; nearest names. */
#include <limits.h>
#include <locale.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "runtime/error.h"
#include "runtime/fields.h"
#include "runtime/file.h"
#include "runtime/json.h"
#include "tests/support/one_folder.h"

typedef struct options {
  int beams, level, mode;
  uint64_t seed;
  float temperature, bias;
  bool stream;
  char *task;
  tg_strings stop, names;
  float match;
} options;

static const char *const modes[] = {"gist", "pos_control", "full", NULL};
enum { GENERATE = 1, TRAIN = 2 };
static const tg_field table[] = {
    {.name = "beams", .type = TG_FIELD_INT, .offset = offsetof(options, beams), .min = 1, .max = 1024, .groups = GENERATE},
    {.name = "log_level", .type = TG_FIELD_INT, .offset = offsetof(options, level), .groups = GENERATE | TRAIN},
    {.name = "mode", .type = TG_FIELD_ENUM, .offset = offsetof(options, mode), .choices = modes, .groups = GENERATE},
    {.name = "seed", .type = TG_FIELD_UINT64, .offset = offsetof(options, seed), .groups = GENERATE},
    {.name = "temperature", .type = TG_FIELD_FLOAT, .offset = offsetof(options, temperature), .min = 0, .max = 100, .groups = GENERATE},
    {.name = "bias", .type = TG_FIELD_FLOAT, .offset = offsetof(options, bias), .groups = TRAIN},
    {.name = "stream", .type = TG_FIELD_BOOL, .offset = offsetof(options, stream), .groups = GENERATE},
    {.name = "task", .type = TG_FIELD_STRING, .offset = offsetof(options, task), .groups = GENERATE},
    {.name = "stop", .type = TG_FIELD_STRINGS, .offset = offsetof(options, stop), .groups = GENERATE},
    {.name = "loss.match", .type = TG_FIELD_FLOAT, .offset = offsetof(options, match), .min = 0, .max = 10, .groups = GENERATE},
    {.name = "loss.more.names", .type = TG_FIELD_STRINGS, .offset = offsetof(options, names), .groups = GENERATE},
    {.name = "other.bias", .type = TG_FIELD_FLOAT, .offset = offsetof(options, bias), .groups = TRAIN},
    {.name = NULL},
};

static t5gist_error err;

static t5gist_status set_text(options *o, const char *name, const char *text) {
  char where[64];
  snprintf(where, sizeof where, "--%s", name);
  return tg_field_set_text(tg_field_find(table, name), o, text, where, &err);
}

static void text_sets_every_type(void **state) {
  (void)state;
  options o = {0};
  assert_int_equal(set_text(&o, "beams", "1024"), T5GIST_OK);
  assert_int_equal(o.beams, 1024);
  assert_int_equal(set_text(&o, "log-level", "-2147483648"), T5GIST_OK);
  assert_int_equal(o.level, INT_MIN);
  assert_int_equal(set_text(&o, "seed", "18446744073709551615"), T5GIST_OK);
  assert_true(o.seed == UINT64_MAX);
  assert_int_equal(set_text(&o, "temperature", "1e-3"), T5GIST_OK);
  assert_true(o.temperature == 1e-3f);
  assert_int_equal(set_text(&o, "bias", "-.5"), T5GIST_OK);
  assert_true(o.bias == -0.5f);
  assert_int_equal(set_text(&o, "mode", "pos-control"), T5GIST_OK);
  assert_int_equal(o.mode, 1);
  const char *const yes[] = {"true", "yes", "on", "1", "Yes"}, *const no[] = {"false", "no", "off", "0", "OFF"};
  for (int i = 0; i < 5; i++) {
    assert_int_equal(set_text(&o, "stream", yes[i]), T5GIST_OK);
    assert_true(o.stream);
    assert_int_equal(set_text(&o, "stream", no[i]), T5GIST_OK);
    assert_false(o.stream);
  }
  assert_int_equal(set_text(&o, "task", "one"), T5GIST_OK);
  assert_int_equal(set_text(&o, "task", "two"), T5GIST_OK);
  assert_string_equal(o.task, "two");
  assert_int_equal(set_text(&o, "stop", "a"), T5GIST_OK);
  assert_int_equal(set_text(&o, "stop", ""), T5GIST_OK);
  assert_int_equal(o.stop.count, 2);
  assert_string_equal(o.stop.items[0], "a");
  assert_string_equal(o.stop.items[1], "");
  tg_fields_free(table, &o);
  assert_null(o.task);
  assert_int_equal(o.stop.count, 0);
}

static void text_is_read_strictly(void **state) {
  (void)state;
  options o = {.beams = 7, .temperature = 3, .seed = 5, .mode = 2, .stream = true};
  const char *const cases[][3] = {
      {"beams", "0x", "--beams: expected an integer from 1 to 1024, found \"0x\""},
      {"beams", "0", "--beams: expected an integer from 1 to 1024, found \"0\""},
      {"beams", "1025", "from 1 to 1024, found \"1025\""},
      {"beams", "", "found \"\""},
      {"beams", " 4", "found \" 4\""},
      {"beams", "4 ", "found \"4 \""},
      {"beams", "+4", "found \"+4\""},
      {"beams", "4.0", "found \"4.0\""},
      {"beams", "-", "found \"-\""},
      {"beams", "4-", "found \"4-\""},
      {"beams", "4294967297", "found"},
      {"beams", "99999999999999999999", "found"},
      {"log_level", "2147483648", "--log_level: expected an integer, found \"2147483648\""},
      {"seed", "-1", "--seed: expected a non-negative integer, found \"-1\""},
      {"seed", "18446744073709551616", "found"},
      {"temperature", "nan", "--temperature: expected a number from 0 to 100, found \"nan\""},
      {"temperature", "inf", "found \"inf\""},
      {"temperature", "0x1p3", "found \"0x1p3\""},
      {"temperature", "1,5", "found \"1,5\""},
      {"temperature", "1.5.2", "found"},
      {"temperature", "", "found"},
      {"temperature", "-0.001", "found"},
      {"bias", "1e39", "--bias: expected a number, found \"1e39\""},
      {"stream", "maybe", "--stream: expected true or false, found \"maybe\""},
      {"mode", "gits", "--mode: expected one of gist, pos_control, full, found \"gits\""},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    err.message[0] = 0;
    const t5gist_status status = set_text(&o, cases[i][0], cases[i][1]);
    if (status != T5GIST_EUSAGE || !strstr(err.message, cases[i][2])) fail_msg("--%s '%s': %s", cases[i][0], cases[i][1], err.message);
  }
  assert_true(o.beams == 7 && o.temperature == 3 && o.seed == 5 && o.mode == 2 && o.stream); /* a refused value changes nothing */
}

static void the_locale_changes_nothing(void **state) {
  (void)state;
  if (!setlocale(LC_ALL, "de_DE.UTF-8") && !setlocale(LC_ALL, "fr_FR.UTF-8")) skip();
  options o = {0};
  tg_buffer buffer = {0};
  assert_int_equal(set_text(&o, "temperature", "1.5"), T5GIST_OK);
  assert_int_equal(set_text(&o, "temperature", "1,5"), T5GIST_EUSAGE);
  assert_int_equal(tg_buffer_printf(&buffer, NULL, "%.1f", 2.5), T5GIST_OK);
  assert_string_equal(buffer.data, "2.5");
  tg_buffer_free(&buffer);
  setlocale(LC_ALL, "C");
}

static void json_sets_with_strict_types(void **state) {
  (void)state;
  const struct {
    const char *name, *value, *complaint;
  } cases[] = {
      {"beams", "4", NULL},
      {"beams", "null", NULL},
      {"temperature", "1", NULL},
      {"temperature", "0.5", NULL},
      {"stream", "true", NULL},
      {"mode", "\"full\"", NULL},
      {"task", "\"t\"", NULL},
      {"stop", "\"one\"", NULL},
      {"stop", "[\"a\", \"b\"]", NULL},
      {"stop", "[]", NULL},
      {"seed", "9223372036854775807", NULL},
      {"beams", "4.0", "line 7: beams: expected an integer from 1 to 1024, found 4.0"},
      {"beams", "\"4\"", "found \"4\""},
      {"beams", "true", "found true"},
      {"beams", "0", "found 0"},
      {"beams", "9999999999", "found 9999999999"},
      {"beams", "[4]", "found a list"},
      {"seed", "-1", "found -1"},
      {"seed", "1.5", "found 1.5"},
      {"temperature", "\"1\"", "found \"1\""},
      {"temperature", "101", "found 101"},
      {"bias", "1e300", "found 1e+300"},
      {"stream", "1", "expected true or false, found 1"},
      {"mode", "0", "expected one of gist, pos_control, full, found 0"},
      {"mode", "\"\"", "found \"\""},
      {"task", "5", "expected a string, found 5"},
      {"stop", "[\"a\", 5]", "expected a string or a list of strings, found 5"},
      {"stop", "{}", "found an object"},
  };
  options o = {0};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    char where[64];
    snprintf(where, sizeof where, "line 7: %s", cases[i].name);
    json_t *value = json_loads(cases[i].value, JSON_DECODE_ANY, NULL);
    assert_non_null(value);
    err.message[0] = 0;
    const t5gist_status status = tg_field_set_json(tg_field_find(table, cases[i].name), &o, value, where, &err);
    const bool right = cases[i].complaint ? status == T5GIST_EUSAGE && strstr(err.message, cases[i].complaint) : status == T5GIST_OK;
    if (!right) fail_msg("%s = %s: %s", cases[i].name, cases[i].value, err.message);
    json_decref(value);
  }
  assert_true(o.beams == 4 && o.temperature == 0.5f && o.stream && o.mode == 2 && o.seed == INT64_MAX);
  assert_string_equal(o.task, "t");
  assert_int_equal(o.stop.count, 0);
  tg_fields_free(table, &o);
}

static t5gist_status load(const char *yaml, size_t n, options *o, unsigned groups) {
  folder_write(folder, "run.yaml", yaml, n);
  err.message[0] = 0;
  return tg_yaml_load(folder_path(folder, "run.yaml"), table, groups, o, &err);
}

static void yaml_sets_what_it_names(void **state) {
  (void)state;
  options o = {.level = 3};
  set_text(&o, "stop", "replaced");
  const char *text =
      "# a comment\n---\nbeams: 4   # four\nlog-level: -1\nmode: full\nseed: 12\ntemperature: 1\nbias: -2.5e-1\nstream: yes\ntask: |\n  Translate\n  "
      "this.\n"
      "stop:\n  - \"\\n\"\n  - end\n  - 5\n";
  if (load(text, strlen(text), &o, 0)) fail_msg("%s", err.message);
  assert_true(o.beams == 4 && o.level == -1 && o.mode == 2 && o.seed == 12 && o.temperature == 1 && o.bias == -0.25f && o.stream);
  assert_string_equal(o.task, "Translate\nthis.\n");
  assert_int_equal(o.stop.count, 3);
  assert_string_equal(o.stop.items[0], "\n");
  assert_string_equal(o.stop.items[2], "5");
  const char *const more[] = {"stop: [a, 'b']\n", "{stop: x, task: \"caf\\u00e9\"}", "task: null character # is no null\n", "task: '~'",
                              "mode: \"gist\""};
  for (size_t i = 0; i < 5; i++)
    if (load(more[i], strlen(more[i]), &o, GENERATE)) fail_msg("%s", err.message);
  assert_int_equal(o.stop.count, 1);
  assert_string_equal(o.task, "~");
  const char *const nothing[] = {"", "\n\n", "# only a comment\n", "---\n", "{}", "--- # x\n...\n"};
  for (size_t i = 0; i < 6; i++)
    if (load(nothing[i], strlen(nothing[i]), &o, 0)) fail_msg("'%s': %s", nothing[i], err.message);
  tg_fields_free(table, &o);
}

static void mappings_name_fields_with_dots(void **state) {
  (void)state;
  const char *const same[] = {"loss: {match: 2, more: {names: [a, b]}}\nbeams: 3\n", "loss.match: 2\nloss.more.names: [a, b]\nbeams: 3\n",
                              "loss:\n  match: 2\n  more:\n    names:\n      - a\n      - b\nbeams: 3\n",
                              "loss: {more.names: [a, b]}\nbeams: 3\nloss: {match: 2}\n",
                              "loss: {}\nloss.match: 2\nloss.more: {names: [a, b]}\nbeams: 3\n"};
  for (size_t i = 0; i < sizeof same / sizeof *same; i++) {
    options o = {0};
    if (load(same[i], strlen(same[i]), &o, GENERATE)) fail_msg("%s: %s", same[i], err.message);
    assert_true(o.match == 2 && o.beams == 3);
    assert_int_equal(o.names.count, 2);
    assert_string_equal(o.names.items[1], "b");
    tg_fields_free(table, &o);
  }
}

static void yaml_is_refused_with_line_and_column(void **state) {
  (void)state;
  const char *const cases[][2] = {
      {"seed: 1\n\nbeam: 4\n", "run.yaml:3:1: unknown key \"beam\"; did you mean \"beams\"?"},
      {"xylophone: 4\n", "run.yaml:1:1: unknown key \"xylophone\""},
      {"bias: 1\n", "run.yaml:1:1: unknown key \"bias\""}, /* of another command */
      {"seed: 1\nbeams: 4\n  \nbeams: 5\n", "run.yaml:4:1: key \"beams\" is set twice"},
      {"log_level: 1\nlog-level: 1\n", "run.yaml:2:1: key \"log_level\" is set twice"},
      {"seed: 1\nbeams: 0x\n", "run.yaml:2:8: beams: expected an integer from 1 to 1024, found \"0x\""},
      {"beams: \"4\"\n", "run.yaml:1:8: beams: expected an integer from 1 to 1024, found a quoted string"},
      {"beams:\n", "beams: expected an integer from 1 to 1024, found nothing"},
      {"task: ~\n", "task: expected a string, found nothing"},
      {"beams: [4]\n", "run.yaml:1:8: beams: expected an integer from 1 to 1024, found a list"},
      {"beams: {a: 4}\n", "found a mapping"},
      {"loss: {mach: 4}\n", "run.yaml:1:8: unknown key \"loss.mach\"; did you mean \"loss.match\"?"},
      {"loss:\n  match: 1\nloss.match: 1\n", "run.yaml:3:1: key \"loss.match\" is set twice"},
      {"loss: {match: {a: 4}}\n", "run.yaml:1:15: loss.match: expected a number from 0 to 10, found a mapping"},
      {"loss: {match: 11}\n", "run.yaml:1:15: loss.match: expected a number from 0 to 10, found \"11\""},
      {"loss: 4\n", "run.yaml:1:7: loss: expected a mapping (key: value), found a text"},
      {"loss:\n", "loss: expected a mapping (key: value), found a text"},
      {"loss: [match]\n", "run.yaml:1:7: loss: expected a mapping (key: value), found a list"},
      {"loss: {more: {more: {names: a}}}\n", "unknown key \"loss.more.more\""},
      {"los: {match: 4}\n", "run.yaml:1:1: unknown key \"los\""},
      {"other: {bias: 1}\n", "run.yaml:1:1: unknown key \"other\""}, /* of another command */
      {"loss: {[a]: 4}\n", "expected a key, found a list or a mapping"},
      {"stop: {a: 4}\n", "stop: expected a string or a list of strings, found a mapping"},
      {"stop: [a, [b]]\n", "run.yaml:1:11: stop: expected a string or a list of strings, found a list or a mapping within it"},
      {"stop:\n  - a\n  -\n", "found nothing"},
      {"task: \"a\\0b\"\n", "found a NUL character"},
      {"\"be\\0ams\": 1\n", "unknown key \"be\""},
      {"? [a]\n: 4\n", "expected a key, found a list or a mapping"},
      {"task: &x a\nstop: *x\n", "run.yaml:1:7: expected plain values, found an anchor or alias"},
      {"stop: *x\n", "found an anchor or alias"},
      {"stop: &x [a]\n", "found an anchor or alias"},
      {"beams: !!int \"4\"\n", "run.yaml:1:8: expected plain values, found a tag"},
      {"- a\n", "run.yaml:1:1: expected a mapping (key: value), found a list"},
      {"just words\n", "expected a mapping (key: value), found a text"},
      {"beams: 4\n---\nbeams: 5\n", "expected one document, found a second"},
      {"stop: [a\n", "run.yaml:2:1: expected YAML, found: "},
      {"seed: 1\nbeams: 4\nbad\n", "expected YAML, found: "},
      {"task: \"never closed\n", "expected YAML, found: "},
      {"seed: 1\ntask: a\x01\n", "run.yaml:2:8: expected YAML, found: control characters are not allowed"},
      {"task: a\xff\n", "run.yaml: expected valid UTF-8, found byte 0xff at offset 7"},
      {"%YAML 3.0\n---\nbeams: 4\n", "expected YAML, found: "},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    options o = {0};
    const t5gist_status status = load(cases[i][0], strlen(cases[i][0]), &o, GENERATE);
    if (!status || !strstr(err.message, cases[i][1])) fail_msg("%s: %s", cases[i][0], err.message);
    tg_fields_free(table, &o);
  }
  options o = {0};
  static char large[(1 << 20) + 1];
  memset(large, ' ', sizeof large);
  assert_int_equal(load(large, sizeof large, &o, 0), T5GIST_EFORMAT);
  assert_non_null(strstr(err.message, "expected at most 1048576 bytes"));
  memset(large, '[', sizeof large);
  assert_int_equal(load(large, sizeof large - 1, &o, 0), T5GIST_EFORMAT);
  assert_int_equal(tg_yaml_load(folder_path(folder, "absent.yaml"), table, 0, &o, &err), T5GIST_EIO);
}

static void damaged_yaml_never_crashes(void **state) {
  (void)state;
  char text[] = "beams: 4\nmode: full\ntask: \"x\\ty\"\nstop: [a, 'b', c]\nstream: on\ntemperature: 0.5\n";
  const size_t n = sizeof text - 1;
  const char values[] = {0, 0x7f, (char)0x80, (char)0xff, '&', '*', '[', '{', ':', '"', '\n'};
  for (size_t i = 0; i < n; i++) {
    const char kept = text[i];
    for (size_t k = 0; k <= sizeof values; k++) {
      options o = {0};
      if (k < sizeof values) text[i] = values[k];
      if (load(text, k < sizeof values ? n : i, &o, 0)) assert_true(err.message[0] != 0);
      tg_fields_free(table, &o);
      text[i] = kept;
    }
  }
}

static void names_are_found_and_guessed(void **state) {
  (void)state;
  assert_ptr_equal(tg_field_find(table, "log-level"), &table[1]);
  assert_ptr_equal(tg_field_find(table, "log_level"), &table[1]);
  assert_null(tg_field_find(table, "log"));
  assert_null(tg_field_find(table, "beamss"));
  assert_string_equal(tg_field_nearest(table, 0, "beam"), "beams");
  assert_string_equal(tg_field_nearest(table, 0, "baems"), "beams"); /* a swap counts once */
  assert_string_equal(tg_field_nearest(table, 0, "LOG-LEVLE"), "log_level");
  assert_string_equal(tg_field_nearest(table, 0, "temprature"), "temperature");
  assert_string_equal(tg_field_nearest(table, 0, "bais"), "bias");
  assert_null(tg_field_nearest(table, GENERATE, "bais"));
  assert_null(tg_field_nearest(table, 0, "width"));
  assert_null(tg_field_nearest(table, 0, ""));
  char endless[5000];
  memset(endless, 'x', sizeof endless - 1);
  endless[sizeof endless - 1] = 0;
  assert_null(tg_field_nearest(table, 0, endless));
  const char *const commands[] = {"encode", "generate", "score"};
  assert_string_equal(tg_nearest("genrate", commands, 3), "generate");
  assert_string_equal(tg_nearest("encoder", commands, 3), "encode");
  assert_null(tg_nearest("decode-all", commands, 3));
  assert_null(tg_nearest("x", commands, 0));
}

static void json_values_are_typed_and_bounded(void **state) {
  (void)state;
  json_t *config = NULL;
  const char *text = "{\"n\": 5, \"real\": 5.0, \"x\": 0.25, \"s\": \"word\", \"b\": false, \"none\": null, \"big\": 3000000000}";
  assert_int_equal(tg_json_parse(text, strlen(text), "c.json", &config, &err), T5GIST_OK);
  int n = 1;
  float x = 1;
  bool b = true;
  const char *s = "before";
  assert_int_equal(tg_json_int(config, "n", "c.json", 1, 10, &n, &err), T5GIST_OK);
  assert_int_equal(tg_json_int(config, "none", "c.json", 1, 10, &n, &err), T5GIST_OK);
  assert_int_equal(tg_json_int(config, "absent", "c.json", 1, 10, &n, &err), T5GIST_OK);
  assert_int_equal(n, 5);
  assert_int_equal(tg_json_float(config, "n", "c.json", 0, 10, &x, &err), T5GIST_OK);
  assert_true(x == 5);
  assert_int_equal(tg_json_float(config, "x", "c.json", 0, 10, &x, &err), T5GIST_OK);
  assert_true(x == 0.25f);
  assert_int_equal(tg_json_bool(config, "b", "c.json", &b, &err), T5GIST_OK);
  assert_false(b);
  assert_int_equal(tg_json_string(config, "s", "c.json", &s, &err), T5GIST_OK);
  assert_string_equal(s, "word");
  assert_int_equal(tg_json_int(config, "n", "c.json", 6, 10, &n, &err), T5GIST_EFORMAT);
  assert_string_equal(err.message, "c.json: n: expected an integer from 6 to 10, found 5");
  assert_int_equal(tg_json_int(config, "real", "c.json", 1, 10, &n, &err), T5GIST_EFORMAT);
  assert_string_equal(err.message, "c.json: real: expected an integer from 1 to 10, found 5.0");
  assert_int_equal(tg_json_int(config, "big", "c.json", 0, LLONG_MAX, &n, &err), T5GIST_EFORMAT);
  assert_int_equal(tg_json_float(config, "s", "c.json", 0, 1, &x, &err), T5GIST_EFORMAT);
  assert_string_equal(err.message, "c.json: s: expected a number from 0 to 1, found \"word\"");
  assert_int_equal(tg_json_bool(config, "n", "c.json", &b, &err), T5GIST_EFORMAT);
  assert_int_equal(tg_json_string(config, "b", "c.json", &s, &err), T5GIST_EFORMAT);
  assert_string_equal(err.message, "c.json: b: expected a string, found false");
  json_decref(config);

  const char *const bad[][2] = {{"{\"a\": 1,}", "c.json: expected JSON, found at line 1, column 9"},
                                {"{\"a\":1,\"a\":2}", "duplicate object key"},
                                {"", "found at line"},
                                {"{\"a\":\n x}", "line 2"},
                                {"{} x", "end of file expected"},
                                {"5", "expected"},
                                {"[\"\xff\"]", "line 1"}};
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    err.message[0] = 0;
    const t5gist_status status = tg_json_parse(bad[i][0], strlen(bad[i][0]), "c.json", &config, &err);
    if (status != T5GIST_EFORMAT || !strstr(err.message, bad[i][1])) fail_msg("%s: %s", bad[i][0], err.message);
  }
  folder_text(folder, "c.json", "[1, 2]");
  assert_int_equal(tg_json_read(folder_path(folder, "c.json"), 6, &config, &err), T5GIST_OK);
  assert_int_equal(json_array_size(config), 2);
  json_decref(config);
  assert_int_equal(tg_json_read(folder_path(folder, "c.json"), 5, &config, &err), T5GIST_EFORMAT);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(text_sets_every_type),
      cmocka_unit_test(text_is_read_strictly),
      cmocka_unit_test(the_locale_changes_nothing),
      cmocka_unit_test(json_sets_with_strict_types),
      cmocka_unit_test(yaml_sets_what_it_names),
      cmocka_unit_test(mappings_name_fields_with_dots),
      cmocka_unit_test(yaml_is_refused_with_line_and_column),
      cmocka_unit_test(damaged_yaml_never_crashes),
      cmocka_unit_test(names_are_found_and_guessed),
      cmocka_unit_test(json_values_are_typed_and_bounded),
  };
  return cmocka_run_group_tests(tests, make_folder, drop_folder);
}
