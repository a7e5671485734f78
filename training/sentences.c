#include "training/sentences.h"

#include <string.h>

#include "runtime/error.h"
#include "runtime/memory.h"
#include "runtime/text.h"
#include "t5/random.h"

enum { LEAST_CHARACTERS = 100 };
#define MOST_BYTES ((size_t)127 << 20) /* the trainer multiplies positions by lengths of up to 16, in 32 bits */
#define RESERVED "\xe2\x81\x87"        /* U+2047, which the trainer keeps for itself */

typedef struct reader {
  const tg_vocabulary_options *options;
  tg_sentences *sentences;
  uint64_t key, seen; /* sentences so far */
} reader;

/* ----------------------------------------------------------------------------------------------------------------------------- choosing */

/* Every sentence of the corpus stays with the same probability (reservoir sampling). */
static t5gist_status take(reader *r, const char *text, size_t n, t5gist_error *err) {
  tg_sentences *s = r->sentences;
  const size_t most = r->options->max_sentences;
  const uint64_t number = r->seen++;
  size_t at = s->n;
  if (most && number >= most) {
    const uint64_t drawn = tg_random_at(r->key, number) % (number + 1);
    if (drawn >= most) return T5GIST_OK;
    at = (size_t)drawn;
  }
  TG_TRY(tg_reserve(&s->items, &s->capacity, at + 1, sizeof *s->items, err));
  char *copy;
  TG_TRY(tg_strndup(&copy, text, n, err));
  if (at < s->n)
    s->bytes -= strlen(s->items[at]);
  else
    s->n++;
  tg_free(s->items[at]);
  s->items[at] = copy;
  s->bytes += n;
  if (s->bytes <= MOST_BYTES) return T5GIST_OK;
  return tg_fail(err, T5GIST_EUNSUPPORTED,
                 "expected at most %zu MiB of text to learn a vocabulary from, found more: choose some of its lines (max_sentences)",
                 MOST_BYTES >> 20);
}

/* Where a line that is too long is cut: behind its last white space, else behind its last whole character. */
static size_t cut_at(const char *text, size_t n) {
  if (n <= TG_SENTENCE) return n;
  for (size_t i = TG_SENTENCE; i > 0; i--)
    if (text[i - 1] == ' ' || text[i - 1] == '\t') return i;
  return tg_utf8_whole(text, TG_SENTENCE);
}

static t5gist_status take_line(reader *r, const char *text, size_t n, t5gist_error *err) {
  while (n) {
    const size_t piece = cut_at(text, n);
    TG_TRY(take(r, text, piece, err));
    text += piece;
    n -= piece;
  }
  return T5GIST_OK;
}

/* A text ends its lines with line breaks, NUL, and what is reserved. */
static t5gist_status take_text(reader *r, const char *text, size_t n, t5gist_error *err) {
  size_t begin = 0;
  for (size_t i = 0; i < n;) {
    const bool reserved = n - i >= 3 && !memcmp(text + i, RESERVED, 3);
    if (!reserved && text[i] != '\n' && text[i] != '\r' && text[i] != 0) {
      i++;
      continue;
    }
    TG_TRY(take_line(r, text + begin, i - begin, err));
    begin = i += reserved ? 3 : 1;
  }
  return take_line(r, text + begin, n - begin, err);
}

/* ----------------------------------------------------------------------------------------------------------------------------- checking */

static size_t user_piece_at(const tg_vocabulary_options *o, const char *text) {
  for (size_t i = 0; i < o->n_user_pieces; i++) {
    const size_t n = strlen(o->user_pieces[i]);
    if (!strncmp(text, o->user_pieces[i], n)) return n;
  }
  return 0;
}

/* The code point at text, which is valid. */
static uint32_t code_point(const unsigned char *text, size_t *size) {
  *size = *text < 0x80 ? 1 : *text < 0xe0 ? 2 : *text < 0xf0 ? 3 : 4;
  uint32_t c = *text < 0x80 ? *text : (uint32_t)(*text & (0x7f >> *size));
  for (size_t i = 1; i < *size; i++) c = c << 6 | (text[i] & 0x3f);
  return c;
}

/* Characters that certainly outlive normalisation: not all that do, but some of every script. */
static bool is_solid(uint32_t c) {
  if (c < 0x80) return c > 0x20 && c < 0x7f;
  return (c >= 0xc0 && c < 0x300) || (c >= 0x370 && c < 0x600) || (c >= 0x620 && c < 0x1100) ||
         (c >= 0x2e80 && c < 0xd800 && c != 0x3000 && c != 0x3164) || (c >= 0x10000 && c < 0xe0000);
}

/* The trainer needs characters to learn from, outside of the user pieces: at least one in twenty. */
static t5gist_status check_characters(const tg_vocabulary_options *o, const tg_sentences *s, t5gist_error *err) {
  bool begins[256] = {false};
  size_t solid = 0, pieces = 0, skip;
  for (size_t i = 0; i < o->n_user_pieces; i++) begins[(unsigned char)o->user_pieces[i][0]] = true;
  for (size_t i = 0; i < s->n; i++) {
    for (const char *at = s->items[i]; *at; at += skip) {
      const uint32_t c = code_point((const unsigned char *)at, &skip);
      const size_t piece = begins[(unsigned char)*at] ? user_piece_at(o, at) : 0;
      if (piece) skip = piece;
      pieces += piece > 0;
      solid += !piece && is_solid(c);
    }
  }
  if (solid >= LEAST_CHARACTERS && solid >= pieces / 20) return T5GIST_OK;
  return tg_fail(err, T5GIST_EUSAGE,
                 "expected texts to learn a vocabulary from, %d characters at least, found %zu beside white space and %zu user pieces",
                 LEAST_CHARACTERS, solid, pieces);
}

t5gist_status tg_sentences_read(const tg_vocabulary_options *options, tg_vocabulary_text *next, void *user, tg_sentences *sentences,
                                t5gist_error *err) {
  reader r = {.options = options, .sentences = sentences, .key = tg_random_key(options->seed, 0)};
  *sentences = (tg_sentences){0};
  t5gist_status status;
  for (;;) {
    const char *text = NULL;
    size_t n = 0;
    TG_GOTO(next(user, &text, &n, err));
    if (!text) break;
    TG_GOTO(tg_utf8_check(text, n, "a text of the corpus", err));
    TG_GOTO(take_text(&r, text, n, err));
  }
  status = check_characters(options, sentences, err);
done:
  if (status) tg_sentences_free(sentences);
  return status;
}

void tg_sentences_free(tg_sentences *sentences) {
  for (size_t i = 0; i < sentences->n; i++) tg_free(sentences->items[i]);
  tg_free(sentences->items);
  *sentences = (tg_sentences){0};
}
