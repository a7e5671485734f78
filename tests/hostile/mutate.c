/* Changes that keep a file's structure: numbers and words are replaced by others, parts repeated, moved, taken from another file; then lengths and
 * checksums are made right, so that what stands behind them is reached. The same seed gives the same change everywhere. */
#include <string.h>

#include "hostile.h"
#include "t5/random.h"

typedef struct change {
  const hostile_format *format;
  unsigned char *data;
  size_t size, capacity;
  const unsigned char *other;
  size_t other_size;
  uint64_t state;
} change;

static uint64_t draw(change *c) {
  c->state = tg_random_mix(c->state + 0x9e3779b97f4a7c15u);
  return c->state;
}

/* Below n, which is not 0. */
static size_t below(change *c, size_t n) {
  return (size_t)(draw(c) % n);
}

/* Small lengths are likelier, so that most changes are local. */
static size_t some_length(change *c, size_t most) {
  size_t n = 1 + below(c, (size_t)1 << below(c, 9));
  return n < most ? n : most;
}

/* Replaces data[at, at + n) by text; what does not fit is left out. */
static void replace(change *c, size_t at, size_t n, const void *text, size_t n_text) {
  if (c->size - n + n_text > c->capacity) return;
  memmove(c->data + at + n_text, c->data + at + n, c->size - at - n);
  if (n_text) memcpy(c->data + at, text, n_text);
  c->size += n_text - n;
}

static void change_bits(change *c) {
  static const unsigned char patterns[] = {0, 1, 0x7f, 0x80, 0xff, '"', '}', ' '};
  const size_t at = below(c, c->size);
  if (draw(c) % 2)
    c->data[at] ^= (unsigned char)(1u << below(c, 8));
  else
    c->data[at] = patterns[below(c, sizeof patterns)];
}

/* A number as machines write it, near a limit. */
static void change_word(change *c) {
  static const uint64_t limits[] = {0,       1,          2,          0x7f,       0x80,       0xff,      0x7fff,    0xffff,
                                    1 << 20, 0x7fffffff, 0x80000000, 0xffffffff, 1ull << 32, INT64_MAX, 1ull << 63};
  const size_t n = (size_t)1 << below(c, 4), at = below(c, c->size);
  const uint64_t value = limits[below(c, sizeof limits / sizeof *limits)] + below(c, 5) - 2;
  if (c->size - at >= n) memcpy(c->data + at, &value, n); /* little endian, as the formats are */
}

/* A number as people write it, near a limit. */
static void change_number(change *c) {
  static const char *const numbers[] = {"0",
                                        "-1",
                                        "1",
                                        "3",
                                        "1e400",
                                        "0.5",
                                        "-0",
                                        "1025",
                                        "4096",
                                        "2147483647",
                                        "2147483648",
                                        "4294967296",
                                        "1048577",
                                        "9223372036854775807",
                                        "99999999999999999999",
                                        "1e-9",
                                        "65536",
                                        "NaN",
                                        "true",
                                        "null",
                                        "[]",
                                        "{}",
                                        "\"7\""};
  size_t at = below(c, c->size), n = 0;
  while (at < c->size && (c->data[at] < '0' || c->data[at] > '9')) at++;
  while (at + n < c->size && c->data[at + n] >= '0' && c->data[at + n] <= '9') n++;
  const char *number = numbers[below(c, sizeof numbers / sizeof *numbers)];
  if (n) replace(c, at, n, number, strlen(number));
}

static const char *some_word(change *c) {
  size_t n = 0;
  while (c->format->words && c->format->words[n]) n++;
  return n ? c->format->words[below(c, n)] : "\"\"";
}

static void insert_word(change *c) {
  const char *word = some_word(c);
  const size_t at = below(c, c->size), n = draw(c) % 2 ? strlen(word) : 0;
  replace(c, at, n < c->size - at ? n : c->size - at, word, strlen(word));
}

/* What stands between two quotes becomes another word. */
static void change_string(change *c) {
  const size_t from = below(c, c->size);
  const unsigned char *first = memchr(c->data + from, '"', c->size - from);
  const unsigned char *last = first ? memchr(first + 1, '"', c->size - (size_t)(first + 1 - c->data)) : NULL;
  if (!last) return;
  const char *word = some_word(c);
  replace(c, (size_t)(first + 1 - c->data), (size_t)(last - first) - 1, word, strlen(word));
}

static void repeat_part(change *c) {
  unsigned char part[512];
  const size_t from = below(c, c->size), n = some_length(c, c->size - from), to = below(c, c->size);
  memcpy(part, c->data + from, n);
  replace(c, to, 0, part, n);
}

static void move_part(change *c) {
  unsigned char part[512];
  const size_t from = below(c, c->size), n = some_length(c, c->size - from);
  memcpy(part, c->data + from, n);
  replace(c, from, n, NULL, 0);
  replace(c, c->size ? below(c, c->size) : 0, 0, part, n);
}

static void remove_part(change *c) {
  const size_t from = below(c, c->size);
  replace(c, from, some_length(c, c->size - from), NULL, 0);
}

static void take_part(change *c) {
  if (!c->other_size) return;
  const size_t from = below(c, c->other_size), n = some_length(c, c->other_size - from), at = below(c, c->size);
  replace(c, at, draw(c) % 2 ? (n < c->size - at ? n : c->size - at) : 0, c->other + from, n);
}

size_t hostile_mutate(const hostile_format *format, unsigned char *data, size_t size, size_t capacity, const unsigned char *other, size_t other_size,
                      uint64_t seed) {
  static void (*const changes[])(change *) = {change_bits, change_bits,   change_word, change_word, change_number, change_number,
                                              insert_word, change_string, repeat_part, move_part,   remove_part,   take_part};
  change c = {format, data, size, capacity, other, other_size, seed};
  for (size_t n = 1 + below(&c, 4); n; n--) {
    if (c.size) changes[below(&c, sizeof changes / sizeof *changes)](&c);
  }
  if (c.size && draw(&c) % 64 == 0) c.size = below(&c, c.size);
  if (format->repair && draw(&c) % 8) format->repair(data, c.size);
  return c.size;
}

/* Where the object that begins at text[0] ends, strings skipped; n: it does not. */
static size_t object_end(const unsigned char *text, size_t n) {
  size_t depth = 0;
  bool quoted = false;
  for (size_t i = 0; i < n; i++) {
    if (quoted) {
      if (text[i] == '\\')
        i++;
      else
        quoted = text[i] != '"';
    } else if (text[i] == '"') {
      quoted = true;
    } else if (text[i] == '{') {
      depth++;
    } else if (text[i] == '}' && depth-- <= 1) {
      return i + 1;
    }
  }
  return n;
}

void hostile_repair_header(unsigned char *data, size_t size) {
  if (size < 10 || data[8] != '{') return;
  size_t n = object_end(data + 8, size - 8);
  while (8 + n < size && data[8 + n] == ' ') n++;
  const uint64_t length = n;
  memcpy(data, &length, 8);
}
