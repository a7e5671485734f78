#include "measure/rouge.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "measure/porter.h"
#include "measure/unicode.h"
#include "runtime/error.h"
#include "runtime/memory.h"
#include "runtime/text.h"

enum { UNSTEMMED = 3 }; /* words up to this length stay as they are */

typedef struct token {
  const char *stem; /* into words.stems, not NUL-terminated */
  size_t length;
  size_t position; /* in reading order: the reference's tokens first */
} token;

/* The words of both texts, each stem given a number that equal stems share. */
typedef struct words {
  tg_buffer stems; /* the stems one behind the other */
  uint64_t *ids;   /* [n_reference + n_answer] */
  size_t n_reference, n_answer;
} words;

static bool is_token_byte(uint32_t c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

/* Stems the word that ends the buffer, [begin, size), and closes it with a space. */
static t5gist_status close_word(tg_buffer *stems, size_t begin, size_t *n_words, t5gist_error *err) {
  const size_t length = stems->size - begin;
  if (length == 0) return T5GIST_OK;
  if (length > UNSTEMMED) stems->size = begin + tg_porter_stem(stems->data + begin, length);
  ++*n_words;
  return tg_buffer_append(stems, " ", 1, err);
}

/* Appends the stems of text's words, each followed by a space. */
static t5gist_status tokenize(const char *text, const char *what, tg_buffer *stems, size_t *n_words, t5gist_error *err) {
  const size_t n = strlen(text);
  TG_TRY(tg_utf8_check(text, n, what, err));
  size_t begin = stems->size;
  *n_words = 0;
  for (size_t i = 0; i < n;) {
    uint32_t c, lower[2];
    i += tg_unicode_next(text + i, &c);
    const int n_lower = tg_unicode_lower(c, lower); /* may lead back to ASCII: the Kelvin sign becomes k */
    for (int k = 0; k < n_lower; k++) {
      if (is_token_byte(lower[k])) {
        const char byte = (char)lower[k];
        TG_TRY(tg_buffer_append(stems, &byte, 1, err));
      } else {
        TG_TRY(close_word(stems, begin, n_words, err));
        begin = stems->size;
      }
    }
  }
  return close_word(stems, begin, n_words, err);
}

static int compare_tokens(const void *a, const void *b) {
  const token *x = a, *y = b;
  const int order = memcmp(x->stem, y->stem, x->length < y->length ? x->length : y->length);
  if (order != 0) return order;
  return (x->length > y->length) - (x->length < y->length);
}

/* Numbers the stems by sorting them. */
static t5gist_status number(words *w, t5gist_error *err) {
  const size_t n = w->n_reference + w->n_answer;
  if (n > UINT32_MAX) return tg_fail(err, T5GIST_EUNSUPPORTED, "ROUGE: expected at most %u words in both texts, found %zu", UINT32_MAX, n);
  token *tokens = NULL;
  TG_TRY(tg_alloc(&tokens, n, sizeof *tokens, err));
  const char *stem = w->stems.data;
  for (size_t i = 0; i < n; i++) {
    const char *end = strchr(stem, ' ');
    tokens[i] = (token){stem, (size_t)(end - stem), i};
    stem = end + 1;
  }
  const t5gist_status status = tg_alloc(&w->ids, n, sizeof *w->ids, err);
  if (status == T5GIST_OK) {
    qsort(tokens, n, sizeof *tokens, compare_tokens);
    uint64_t id = 0;
    for (size_t i = 0; i < n; i++) {
      if (i > 0 && compare_tokens(&tokens[i - 1], &tokens[i]) != 0) id++;
      w->ids[tokens[i].position] = id;
    }
  }
  tg_free(tokens);
  return status;
}

static int compare_keys(const void *a, const void *b) {
  const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
  return (x > y) - (x < y);
}

/* Sorts both; how many elements they have in common, each counted as often as it occurs in both. */
static size_t overlap(uint64_t *a, size_t n_a, uint64_t *b, size_t n_b) {
  qsort(a, n_a, sizeof *a, compare_keys);
  qsort(b, n_b, sizeof *b, compare_keys);
  size_t i = 0, j = 0, common = 0;
  while (i < n_a && j < n_b) {
    if (a[i] == b[j]) common++;
    const bool next_a = a[i] <= b[j], next_b = b[j] <= a[i];
    i += next_a;
    j += next_b;
  }
  return common;
}

/* The n-grams of ids[0, n_ids), n 1 or 2, as one key each in keys. Returns their number. */
static size_t grams(const uint64_t *ids, size_t n_ids, size_t n, uint64_t *keys) {
  if (n_ids < n) return 0;
  for (size_t i = 0; i + n <= n_ids; i++) keys[i] = n == 1 ? ids[i] : ids[i] << 32 | ids[i + 1];
  return n_ids - n + 1;
}

/* Length of the longest common subsequence. row: [n_b + 1], one row of the usual table, overwritten from row to row. */
static size_t common_subsequence(const uint64_t *a, size_t n_a, const uint64_t *b, size_t n_b, size_t *row) {
  memset(row, 0, (n_b + 1) * sizeof *row);
  for (size_t i = 0; i < n_a; i++) {
    size_t diagonal = 0; /* the row above, one column to the left */
    for (size_t j = 0; j < n_b; j++) {
      const size_t above = row[j + 1];
      row[j + 1] = a[i] == b[j] ? diagonal + 1 : above > row[j] ? above : row[j];
      diagonal = above;
    }
  }
  return row[n_b];
}

static tg_rouge_score score(size_t common, size_t n_reference, size_t n_answer) {
  tg_rouge_score s = {0};
  if (n_answer > 0) s.precision = (double)common / (double)n_answer;
  if (n_reference > 0) s.recall = (double)common / (double)n_reference;
  if (common > 0) s.f1 = 2 * s.precision * s.recall / (s.precision + s.recall);
  return s;
}

static t5gist_status compare(const words *w, tg_rouge *out, t5gist_error *err) {
  const uint64_t *reference = w->ids, *answer = w->ids + w->n_reference;
  const size_t n = w->n_reference + w->n_answer;
  uint64_t *keys = NULL;
  size_t *row = NULL;
  t5gist_status status = T5GIST_OK;
  TG_GOTO(tg_alloc(&keys, n, sizeof *keys, err));
  TG_GOTO(tg_alloc(&row, w->n_answer + 1, sizeof *row, err));
  tg_rouge_score *scores[2] = {&out->rouge1, &out->rouge2};
  for (size_t gram = 1; gram <= 2; gram++) {
    uint64_t *keys_answer = keys + w->n_reference;
    const size_t n_reference = grams(reference, w->n_reference, gram, keys), n_answer = grams(answer, w->n_answer, gram, keys_answer);
    *scores[gram - 1] = score(overlap(keys, n_reference, keys_answer, n_answer), n_reference, n_answer);
  }
  out->rougeL = score(common_subsequence(reference, w->n_reference, answer, w->n_answer, row), w->n_reference, w->n_answer);
done:
  tg_free(row);
  tg_free(keys);
  return status;
}

t5gist_status tg_rouge_compute(const char *reference, const char *answer, tg_rouge *out, t5gist_error *err) {
  words w = {0};
  t5gist_status status = T5GIST_OK;
  TG_GOTO(tokenize(reference, "the reference", &w.stems, &w.n_reference, err));
  TG_GOTO(tokenize(answer, "the answer", &w.stems, &w.n_answer, err));
  TG_GOTO(number(&w, err));
  TG_GOTO(compare(&w, out, err));
done:
  tg_free(w.ids);
  tg_buffer_free(&w.stems);
  return status;
}

/* Leaves out white space at both ends of text. Returns the length of what remains. */
static size_t trim(const char **text) {
  static const char white[] = " \t\n\v\f\r";
  *text += strspn(*text, white);
  size_t n = strlen(*text);
  while (n > 0 && strchr(white, (*text)[n - 1]) != NULL) n--;
  return n;
}

bool tg_exact_match(const char *reference, const char *answer) {
  const size_t n_reference = trim(&reference), n_answer = trim(&answer);
  return n_reference == n_answer && memcmp(reference, answer, n_answer) == 0;
}
