/* Text, JSON values and files. */
#include "report/report.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/error.h"
#include "runtime/file.h"

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

json_t *tg_number_json(double value) {
  return isfinite(value) ? json_real(value) : json_null();
}

json_t *tg_interval_json(const tg_interval *i) {
  return json_pack("{s:o,s:o,s:o}", "estimate", tg_number_json(i->estimate), "low", tg_number_json(i->low), "high", tg_number_json(i->high));
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
