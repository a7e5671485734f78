/* The one error convention: a function that can fail returns t5gist_status and, on failure, leaves one sentence in *err: what was expected,
 * what was found, where. err may be null. On success *err is untouched. */
#ifndef T5GIST_RUNTIME_ERROR_H
#define T5GIST_RUNTIME_ERROR_H

#include "t5gist/types.h"

/* Writes the sentence (cut at the buffer's end, on a whole UTF-8 character, control characters replaced) and returns status. */
t5gist_status tg_fail(t5gist_error *err, t5gist_status status, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* As tg_fail, with ": " and strerror(errno) behind. Status T5GIST_EIO, or T5GIST_ENOMEM for ENOMEM. */
t5gist_status tg_fail_errno(t5gist_error *err, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Puts context ("models/x/config.json: ") before the sentence of a failure on its way up, and returns its status. */
t5gist_status tg_error_context(t5gist_error *err, t5gist_status status, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* Returns from the enclosing function when expr fails. Only where nothing needs to be released. */
#define TG_TRY(expr)                                 \
  do {                                               \
    const t5gist_status tg_status_ = (expr);         \
    if (tg_status_ != T5GIST_OK) return tg_status_;  \
  } while (0)

/* As TG_TRY for functions with a clean-up at their end: sets `status` and goes to `done`. */
#define TG_GOTO(expr)                                \
  do {                                               \
    if ((status = (expr)) != T5GIST_OK) goto done;   \
  } while (0)

#endif
