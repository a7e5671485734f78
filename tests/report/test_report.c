/* Reports: what is no number, names from outside, files. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "report/report.h"
#include "tests/support/one_folder.h"

static void text(void **state) {
  tg_buffer out = {0};
  tg_report r = {.out = &out};
  (void)state;
  tg_put_number(&r, "%.1f", 2.25);
  TG_PUT(&r, " ");
  tg_put_number(&r, "%.1f", NAN);
  TG_PUT(&r, " ");
  tg_put_name(&r, "a|b\n\x01ä");
  assert_int_equal(r.status, T5GIST_OK);
  assert_string_equal(out.data, "2.2 – a\\|b  ä");
  r.status = T5GIST_ENOMEM; /* after a failure nothing is written */
  TG_PUT(&r, "more");
  assert_string_equal(out.data, "2.2 – a\\|b  ä");
  tg_buffer_free(&out);
}

static void json(void **state) {
  const tg_interval interval = {.estimate = 1, .low = 0.5, .high = INFINITY};
  (void)state;
  json_t *o = tg_json_interval(&interval);
  char *dump = json_dumps(o, JSON_COMPACT);
  assert_string_equal(dump, "{\"estimate\":1.0,\"low\":0.5,\"high\":null}");
  free(dump);
  json_decref(o);
  json_t *text = tg_json_text("a\xff\xc3");
  assert_string_equal(json_string_value(text), "a??");
  json_decref(text);
}

/* What fails anywhere leaves nothing. */
static void json_failures(void **state) {
  (void)state;
  json_t *list = json_array(), *o = json_object();
  tg_json_add(&list, json_integer(1));
  assert_int_equal(json_array_size(list), 1);
  tg_json_add(&list, NULL);
  assert_null(list);
  tg_json_put(&o, "a", json_integer(1));
  tg_json_put(&o, "list", list);
  assert_null(o);
  tg_json_put(&o, "b", json_integer(2));
  assert_null(o);
}

static void escapes(void **state) {
  char out[24];
  (void)state;
  tg_svg_escape("a<b & c\n", out, sizeof out);
  assert_string_equal(out, "a&lt;b &amp; c ");
  tg_svg_escape("0123456789012345678901234567890", out, sizeof out); /* cut */
  assert_true(strlen(out) < sizeof out && strncmp(out, "0123456789", 10) == 0);
  tg_svg_escape("0ééééééééééééééééé", out, sizeof out); /* é: two bytes */
  assert_string_equal(out, "0éééééééé");
}

static void files(void **state) {
  t5gist_error err;
  size_t n;
  (void)state;
  assert_int_equal(tg_report_write(folder, "x", ".md", "text", 4, &err), T5GIST_OK);
  assert_int_equal(tg_report_write(folder, "x", ".svg", "", 0, &err), T5GIST_OK);
  assert_int_equal(tg_report_write_json(folder, "x", ".json", json_pack("{s:f}", "a", 0.1), &err), T5GIST_OK);
  char *found = folder_read(folder_path(folder, "x.md"), &n);
  assert_string_equal(found, "text");
  free(found);
  found = folder_read(folder_path(folder, "x.json"), &n);
  assert_string_equal(found, "{\n \"a\": 0.1\n}");
  free(found);
  assert_int_equal(tg_report_write(folder_path(folder, "x.svg"), "y", ".md", "text", 4, &err), T5GIST_EIO); /* the empty picture was not written */
  assert_int_equal(tg_report_write_json(folder, "x", ".json", NULL, &err), T5GIST_ENOMEM);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(text), cmocka_unit_test(json), cmocka_unit_test(json_failures), cmocka_unit_test(escapes),
                                     cmocka_unit_test(files)};
  return cmocka_run_group_tests(tests, make_folder, drop_folder);
}
