#include "runtime/text.h"

#include <pthread.h>
#include <stdint.h>
#include <string.h>

#include "runtime/error.h"

enum { CUT = -1, INVALID = 0 };

/* Length of the character at s[0, n), n > 0; INVALID, or CUT when more bytes could still make it whole. */
static int character(const unsigned char *s, size_t n) {
  const unsigned c = s[0];
  if (c < 0x80) return 1;
  if (c < 0xc2 || c > 0xf4) return INVALID;
  const int length = c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;
  if (n < 2) return CUT;
  const unsigned low = c == 0xe0 ? 0xa0 : c == 0xf0 ? 0x90 : 0x80, high = c == 0xed ? 0x9f : c == 0xf4 ? 0x8f : 0xbf;
  if (s[1] < low || s[1] > high) return INVALID;
  for (int i = 2; i < length; i++) {
    if ((size_t)i >= n) return CUT;
    if ((s[i] & 0xc0) != 0x80) return INVALID;
  }
  return length;
}

size_t tg_utf8_valid(const char *text, size_t n) {
  const unsigned char *s = (const unsigned char *)text;
  size_t i = 0;
  while (i < n) {
    uint64_t eight;
    if (n - i >= 8 && (memcpy(&eight, s + i, 8), !(eight & UINT64_C(0x8080808080808080)))) {
      i += 8;
      continue;
    }
    const int length = character(s + i, n - i);
    if (length <= 0) break;
    i += (size_t)length;
  }
  return i;
}

t5gist_status tg_utf8_check(const char *text, size_t n, const char *what, t5gist_error *err) {
  const size_t at = tg_utf8_valid(text, n);
  if (at == n) return T5GIST_OK;
  return tg_fail(err, T5GIST_EFORMAT, "%s: expected valid UTF-8, found byte 0x%02x at offset %zu", what, (unsigned char)text[at], at);
}

size_t tg_utf8_whole(const char *text, size_t n) {
  for (size_t back = 1; back <= 3 && back <= n; back++) {
    const unsigned char *s = (const unsigned char *)text + n - back;
    if ((*s & 0xc0) == 0x80) continue;
    return character(s, back) == CUT ? n - back : n;
  }
  return n;
}

static locale_t c_locale;
static void make_c_locale(void) {
  c_locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
}

locale_t tg_c_locale(void) {
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  pthread_once(&once, make_c_locale);
  return c_locale;
}

bool tg_ends_with(const char *text, const char *end) {
  const size_t n = strlen(text), m = strlen(end);
  return n >= m && strcmp(text + n - m, end) == 0;
}
