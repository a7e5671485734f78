#include "measure/unicode.h"

#include "measure/unicode_tables.h"

enum { N_WORD_RANGES = sizeof word_ranges / sizeof *word_ranges, N_LOWER_RANGES = sizeof lower_ranges / sizeof *lower_ranges };

size_t tg_unicode_next(const char *text, uint32_t *c) {
  const unsigned char *s = (const unsigned char *)text;
  if (s[0] < 0x80) {
    *c = s[0];
    return 1;
  }
  if (s[0] < 0xe0) {
    *c = (uint32_t)(s[0] & 0x1f) << 6 | (s[1] & 0x3f);
    return 2;
  }
  if (s[0] < 0xf0) {
    *c = (uint32_t)(s[0] & 0x0f) << 12 | (uint32_t)(s[1] & 0x3f) << 6 | (s[2] & 0x3f);
    return 3;
  }
  *c = (uint32_t)(s[0] & 0x07) << 18 | (uint32_t)(s[1] & 0x3f) << 12 | (uint32_t)(s[2] & 0x3f) << 6 | (s[3] & 0x3f);
  return 4;
}

size_t tg_unicode_put(uint32_t c, char *out) {
  if (c < 0x80) {
    out[0] = (char)c;
    return 1;
  }
  const size_t n = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
  for (size_t i = n - 1; i > 0; i--, c >>= 6) out[i] = (char)(0x80 | (c & 0x3f));
  out[0] = (char)((n == 2 ? 0xc0 : n == 3 ? 0xe0 : 0xf0) | c);
  return n;
}

int tg_unicode_lower(uint32_t c, uint32_t lower[2]) {
  lower[0] = c;
  if (c < 0x80) {
    if (c >= 'A' && c <= 'Z') lower[0] += 'a' - 'A';
    return 1;
  }
  if (c == 0x130) { /* capital I with a dot: i and a combining dot */
    lower[0] = 'i';
    lower[1] = 0x307;
    return 2;
  }
  size_t low = 0, high = N_LOWER_RANGES; /* the ranges before low end before c, those from high on do not */
  while (low < high) {
    const size_t middle = (low + high) / 2;
    if (lower_ranges[middle].last < c) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  if (low < N_LOWER_RANGES && c >= lower_ranges[low].first && (c - lower_ranges[low].first) % lower_ranges[low].step == 0) {
    lower[0] = (uint32_t)((int32_t)c + lower_ranges[low].distance);
  }
  return 1;
}

bool tg_unicode_is_word(uint32_t c) {
  if (c < 0x80) return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_';
  size_t low = 0, high = N_WORD_RANGES;
  while (low < high) {
    const size_t middle = (low + high) / 2;
    if (word_ranges[middle].last < c) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low < N_WORD_RANGES && c >= word_ranges[low].first;
}
