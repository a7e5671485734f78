/* Standard output: what is written there is the product, and a write that fails is an error like any other. */
#include <math.h>
#include <string.h>

#include "cli/cli.h"

t5gist_status tg_out_write(const void *data, size_t n, t5gist_error *err) {
  if (fwrite(data, 1, n, stdout) != n) return tg_fail_errno(err, "standard output");
  return T5GIST_OK;
}

void tg_out_shorten(const char *text, char *out, size_t size) {
  size_t n = 0;
  for (; text[n] && n < size - 4; n++) {
    const unsigned char c = (unsigned char)text[n], after = (unsigned char)text[n + 1];
    const bool control = c < 0x20 || c == 0x7f || (c == 0xc2 && after < 0xa0); /* the last: C1, in two bytes */
    out[n] = control ? ' ' : text[n];
    if (control && c == 0xc2) out[++n] = ' ';
  }
  while (text[n] && n > 0 && ((unsigned char)text[n] & 0xc0) == 0x80) n--; /* a whole character */
  snprintf(out + n, size - n, "%s", text[n] ? "..." : "");
}

t5gist_status tg_out_flush(t5gist_error *err) {
  if (fflush(stdout)) return tg_fail_errno(err, "standard output");
  if (ferror(stdout)) return tg_fail(err, T5GIST_EIO, "standard output: a write failed");
  return T5GIST_OK;
}

t5gist_status tg_out_json(json_t *object, t5gist_error *err) {
  char *line = object ? json_dumps(object, JSON_REAL_PRECISION(9)) : NULL;
  json_decref(object);
  if (!line) return tg_fail(err, T5GIST_ENOMEM, "no memory for a JSON answer");
  t5gist_status status = tg_out_write(line, strlen(line), err);
  if (!status) status = tg_out_write("\n", 1, err);
  free(line);
  return status;
}

json_t *tg_json_milliseconds(double value) {
  return json_real(round(value * 1000) / 1000);
}
