/* UTF-8, and the locale that numbers are read and written in. */
#ifndef T5GIST_RUNTIME_TEXT_H
#define T5GIST_RUNTIME_TEXT_H

#include <locale.h>
#include <stdbool.h>
#include <stddef.h>

#include "t5gist/types.h"

/* Offset of the first byte that is not part of valid UTF-8 (RFC 3629: no surrogates, no overlong forms); n when all is valid. */
size_t tg_utf8_valid(const char *text, size_t n);
/* Refuses invalid UTF-8 with its offset; what names the text ("the task"). */
t5gist_status tg_utf8_check(const char *text, size_t n, const char *what, t5gist_error *err);
/* Bytes of the whole characters at the start of text: a cut last character is left out; n for invalid bytes, which cannot become whole. */
size_t tg_utf8_whole(const char *text, size_t n);

/* The "C" locale, for strtod_l and uselocale: a host program's locale changes neither what we read nor what we write. */
locale_t tg_c_locale(void);

bool tg_ends_with(const char *text, const char *end);

#endif
