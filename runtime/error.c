#include "runtime/error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "runtime/text.h"

enum { MESSAGE = sizeof(((t5gist_error *)0)->message) };

/* Control characters and invalid bytes come from files and command lines: a message may reach a terminal or a JSON answer. */
static void make_printable(char *text) {
  size_t n = strlen(text);
  for (size_t at = 0; (at += tg_utf8_valid(text + at, n - at)) < n; at++) text[at] = '?';
  for (size_t i = 0; i < n; i++) {
    const unsigned char c = (unsigned char)text[i];
    if (c == '\n' || c == '\t')
      text[i] = ' ';
    else if (c < 0x20 || c == 0x7f)
      text[i] = '?';
    else if (c == 0xc2 && (unsigned char)text[i + 1] < 0xa0)
      text[i] = text[i + 1] = '?'; /* C1 controls */
  }
}

static t5gist_status fail(t5gist_error *err, t5gist_status status, const char *suffix, const char *format, va_list args)
    __attribute__((format(printf, 4, 0)));
static t5gist_status fail(t5gist_error *err, t5gist_status status, const char *suffix, const char *format, va_list args) {
  if (!err) return status;
  char body[MESSAGE], message[MESSAGE]; /* arguments may point into err->message */
  vsnprintf(body, sizeof body, format, args);
  const int needed = snprintf(message, sizeof message, "%s%s", body, suffix);
  if (needed >= MESSAGE || strlen(body) == MESSAGE - 1) {
    const size_t n = strlen(message);
    message[tg_utf8_whole(message, n)] = 0;
  }
  make_printable(message);
  memcpy(err->message, message, sizeof message);
  err->status = status;
  return status;
}

t5gist_status tg_fail(t5gist_error *err, t5gist_status status, const char *format, ...) {
  va_list args;
  va_start(args, format);
  fail(err, status, "", format, args);
  va_end(args);
  return status;
}

t5gist_status tg_fail_errno(t5gist_error *err, const char *format, ...) {
  const int code = errno;
  const t5gist_status status = code == ENOMEM ? T5GIST_ENOMEM : T5GIST_EIO;
  char reason[256];
  snprintf(reason, sizeof reason, ": %s", strerror_l(code, tg_c_locale()));
  va_list args;
  va_start(args, format);
  fail(err, status, reason, format, args);
  va_end(args);
  return status;
}

t5gist_status tg_error_context(t5gist_error *err, t5gist_status status, const char *format, ...) {
  if (!err) return status;
  va_list args;
  va_start(args, format);
  fail(err, status, err->message, format, args);
  va_end(args);
  return status;
}
