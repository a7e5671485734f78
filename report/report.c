/* Text, JSON values and files. */
#include "report/report.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/error.h"
#include "runtime/file.h"
#include "runtime/text.h"

void tg_put_number(tg_report *r, const char *format, double value) {
  if (!isfinite(value)) {
    TG_PUT(r, "–");
    return;
  }
  char text[64];
  snprintf(text, sizeof text, format, value);
  TG_PUT(r, "%s", text);
}

void tg_put_name(tg_report *r, const char *name) {
  for (; *name; name++) {
    if (*name == '|') TG_PUT(r, "\\");
    TG_PUT(r, "%c", (unsigned char)*name < ' ' ? ' ' : *name);
  }
}

json_t *tg_json_text(const char *text) {
  const size_t n = strlen(text);
  if (tg_utf8_valid(text, n) == n) return json_stringn(text, n);
  char *copy;
  if (tg_strdup(&copy, text, NULL) != T5GIST_OK) return NULL;
  for (size_t at = 0; (at += tg_utf8_valid(copy + at, n - at)) < n;) copy[at] = '?';
  json_t *string = json_stringn(copy, n);
  tg_free(copy);
  return string;
}

json_t *tg_json_number(double value) {
  return isfinite(value) ? json_real(value) : json_null();
}

json_t *tg_json_interval(const tg_interval *i) {
  return json_pack("{s:o,s:o,s:o}", "estimate", tg_json_number(i->estimate), "low", tg_json_number(i->low), "high", tg_json_number(i->high));
}

static void check_put(json_t **whole, int failed) {
  if (!failed) return;
  json_decref(*whole);
  *whole = NULL;
}

void tg_json_put(json_t **object, const char *key, json_t *value) {
  check_put(object, json_object_set_new(*object, key, value));
}

void tg_json_add(json_t **list, json_t *value) {
  check_put(list, json_array_append_new(*list, value));
}

t5gist_status tg_report_write(const char *dir, const char *name, const char *suffix, const char *data, size_t size, t5gist_error *err) {
  tg_buffer path = {0};
  if (size == 0) return T5GIST_OK;
  t5gist_status status = tg_buffer_printf(&path, err, "%s/%s%s", dir, name, suffix);
  if (status == T5GIST_OK) status = tg_write_file(path.data, 0666, data, size, err);
  tg_buffer_free(&path);
  return status;
}

t5gist_status tg_report_write_json(const char *dir, const char *name, const char *suffix, json_t *json, t5gist_error *err) {
  char *dump = json ? json_dumps(json, JSON_INDENT(1) | JSON_REAL_PRECISION(6)) : NULL;
  json_decref(json);
  if (!dump) return tg_fail(err, T5GIST_ENOMEM, "out of memory while writing the results");
  const t5gist_status status = tg_report_write(dir, name, suffix, dump, strlen(dump), err);
  free(dump);
  return status;
}
