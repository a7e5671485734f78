#include "measure/tfidf.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "measure/unicode.h"
#include "runtime/error.h"
#include "runtime/memory.h"
#include "runtime/text.h"

enum { MIN_CHARACTERS = 2 };

/* A word of the set, in lower case. */
typedef struct term {
  size_t offset, length; /* in tg_tfidf.letters, bytes */
  size_t document;       /* of this occurrence, while the set is read; */
  size_t df;             /* afterwards, once per word, the number of instructions that contain it */
} term;

struct tg_tfidf {
  tg_buffer letters;
  term *terms; /* [n_terms] in byte order */
  size_t n_terms, capacity, n_documents;
};

/* A text being cut into words. */
typedef struct scanner {
  const char *text;
  size_t n, at;
  size_t begin, end; /* of the word found last, in text */
  tg_buffer lower;   /* the same word in lower case */
} scanner;

static t5gist_status scan(scanner *s, const char *text, const char *what, t5gist_error *err) {
  s->text = text;
  s->n = strlen(text);
  s->at = 0;
  return tg_utf8_check(text, s->n, what, err);
}

/* Finds the next word; false at the end of the text. A character becomes several in lower case where the last of them ends the word. */
static t5gist_status next_word(scanner *s, bool *found, t5gist_error *err) {
  size_t n_characters = 0;
  s->lower.size = 0;
  *found = false;
  while (s->at < s->n) {
    uint32_t c, lower[2];
    const size_t here = s->at;
    s->at += tg_unicode_next(s->text + here, &c);
    const int n_lower = tg_unicode_lower(c, lower);
    for (int k = 0; k < n_lower; k++) {
      if (tg_unicode_is_word(lower[k])) {
        char bytes[4];
        if (n_characters++ == 0) s->begin = here;
        s->end = s->at;
        TG_TRY(tg_buffer_append(&s->lower, bytes, tg_unicode_put(lower[k], bytes), err));
      } else if (n_characters >= MIN_CHARACTERS) {
        *found = true;
        return T5GIST_OK;
      } else {
        n_characters = 0;
        s->lower.size = 0;
      }
    }
  }
  *found = n_characters >= MIN_CHARACTERS;
  return T5GIST_OK;
}

static int compare_words(const char *a, size_t n_a, const char *b, size_t n_b) {
  const int order = memcmp(a, b, n_a < n_b ? n_a : n_b);
  return order != 0 ? order : (n_a > n_b) - (n_a < n_b);
}

static int compare_terms(const void *a, const void *b, void *letters) {
  const term *x = a, *y = b;
  const char *base = letters;
  const int order = compare_words(base + x->offset, x->length, base + y->offset, y->length);
  return order != 0 ? order : (x->document > y->document) - (x->document < y->document);
}

static t5gist_status add_instruction(tg_tfidf *tfidf, scanner *s, const char *text, t5gist_error *err) {
  TG_TRY(scan(s, text, "the instruction", err));
  const size_t document = tfidf->n_documents++;
  for (;;) {
    bool found;
    TG_TRY(next_word(s, &found, err));
    if (!found) return T5GIST_OK;
    TG_TRY(tg_reserve(&tfidf->terms, &tfidf->capacity, tfidf->n_terms + 1, sizeof *tfidf->terms, err));
    tfidf->terms[tfidf->n_terms++] = (term){tfidf->letters.size, s->lower.size, document, 0};
    TG_TRY(tg_buffer_append(&tfidf->letters, s->lower.data, s->lower.size, err));
  }
}

/* From one entry per occurrence to one per word. */
static void count_documents(tg_tfidf *tfidf) {
  if (tfidf->n_terms == 0) return;
  const char *letters = tfidf->letters.data;
  qsort_r(tfidf->terms, tfidf->n_terms, sizeof *tfidf->terms, compare_terms, tfidf->letters.data);
  size_t n = 0;
  for (size_t i = 0; i < tfidf->n_terms; i++) {
    const term t = tfidf->terms[i];
    term *last = n > 0 ? &tfidf->terms[n - 1] : NULL;
    if (last == NULL || compare_words(letters + last->offset, last->length, letters + t.offset, t.length) != 0) {
      tfidf->terms[n++] = (term){t.offset, t.length, t.document, 1};
    } else if (last->document != t.document) {
      last->document = t.document;
      last->df++;
    }
  }
  tfidf->n_terms = n;
}

t5gist_status tg_tfidf_new(const char *const *instructions, size_t n, tg_tfidf **out, t5gist_error *err) {
  tg_tfidf *tfidf = NULL;
  scanner s = {0};
  t5gist_status status = T5GIST_OK;
  TG_GOTO(tg_alloc(&tfidf, 1, sizeof *tfidf, err));
  for (size_t i = 0; i < n; i++) {
    status = add_instruction(tfidf, &s, instructions[i], err);
    if (status != T5GIST_OK) {
      status = tg_error_context(err, status, "instruction %zu of %zu: ", i + 1, n);
      goto done;
    }
  }
  count_documents(tfidf);
  *out = tfidf;
  tfidf = NULL;
done:
  tg_buffer_free(&s.lower);
  tg_tfidf_free(tfidf);
  return status;
}

void tg_tfidf_free(tg_tfidf *tfidf) {
  if (tfidf == NULL) return;
  tg_buffer_free(&tfidf->letters);
  tg_free(tfidf->terms);
  tg_free(tfidf);
}

static const term *find(const tg_tfidf *tfidf, const tg_buffer *word) {
  size_t low = 0, high = tfidf->n_terms;
  while (low < high) {
    const size_t middle = (low + high) / 2;
    const term *t = &tfidf->terms[middle];
    const int order = compare_words(tfidf->letters.data + t->offset, t->length, word->data, word->size);
    if (order == 0) return t;
    if (order < 0) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return NULL;
}

/* A known word's occurrence in a text. */
typedef struct occurrence {
  const term *term;
  size_t begin, end;
} occurrence;

static int compare_occurrences(const void *a, const void *b) {
  const occurrence *x = a, *y = b;
  if (x->term != y->term) return x->term < y->term ? -1 : 1;
  return (x->begin > y->begin) - (x->begin < y->begin);
}

static int compare_places(const void *a, const void *b) {
  const tg_tfidf_word *x = a, *y = b;
  return (x->begin > y->begin) - (x->begin < y->begin);
}

static int compare_weights(const void *a, const void *b) {
  const tg_tfidf_word *x = a, *y = b;
  if (x->weight != y->weight) return x->weight > y->weight ? -1 : 1;
  return compare_places(a, b);
}

static t5gist_status find_occurrences(const tg_tfidf *tfidf, const char *text, occurrence **occurrences, size_t *n, t5gist_error *err) {
  scanner s = {0};
  size_t capacity = 0;
  t5gist_status status = T5GIST_OK;
  TG_GOTO(scan(&s, text, "the text", err));
  for (;;) {
    bool found;
    TG_GOTO(next_word(&s, &found, err));
    if (!found) break;
    const term *t = find(tfidf, &s.lower);
    if (t == NULL) continue;
    TG_GOTO(tg_reserve(occurrences, &capacity, *n + 1, sizeof **occurrences, err));
    (*occurrences)[(*n)++] = (occurrence){t, s.begin, s.end};
  }
done:
  tg_buffer_free(&s.lower);
  return status;
}

/* From n occurrences to the different words, at most n, with their weights. Returns the number of words. */
static size_t weigh(const tg_tfidf *tfidf, occurrence *occurrences, size_t n, tg_tfidf_word *words) {
  qsort(occurrences, n, sizeof *occurrences, compare_occurrences);
  size_t n_words = 0;
  double squares = 0;
  for (size_t i = 0, next; i < n; i = next) {
    const term *t = occurrences[i].term;
    for (next = i + 1; next < n && occurrences[next].term == t;) next++;
    const double idf = log((1 + (double)tfidf->n_documents) / (1 + (double)t->df)) + 1, weight = (double)(next - i) * idf;
    words[n_words++] = (tg_tfidf_word){occurrences[i].begin, occurrences[i].end, next - i, weight};
    squares += weight * weight;
  }
  for (size_t i = 0; i < n_words; i++) words[i].weight /= sqrt(squares);
  qsort(words, n_words, sizeof *words, compare_places);
  return n_words;
}

t5gist_status tg_tfidf_weigh(const tg_tfidf *tfidf, const char *text, tg_tfidf_word **words, size_t *n_words, t5gist_error *err) {
  occurrence *occurrences = NULL;
  tg_tfidf_word *found = NULL;
  size_t n = 0, n_found = 0;
  t5gist_status status = T5GIST_OK;
  TG_GOTO(find_occurrences(tfidf, text, &occurrences, &n, err));
  if (n > 0) {
    TG_GOTO(tg_alloc(&found, n, sizeof *found, err));
    n_found = weigh(tfidf, occurrences, n, found);
  }
  *words = found;
  *n_words = n_found;
done:
  tg_free(occurrences);
  return status;
}

t5gist_status tg_tfidf_compress(const tg_tfidf *tfidf, const char *text, size_t k, char **out, t5gist_error *err) {
  if (k == 0) return tg_fail(err, T5GIST_EUSAGE, "TF-IDF words: expected k of at least 1, found 0");
  tg_tfidf_word *words = NULL;
  size_t n_words;
  tg_buffer joined = {0};
  t5gist_status status = T5GIST_OK;
  TG_GOTO(tg_tfidf_weigh(tfidf, text, &words, &n_words, err));
  TG_GOTO(tg_buffer_reserve(&joined, 0, err));
  if (k < n_words) {
    qsort(words, n_words, sizeof *words, compare_weights);
    n_words = k;
    qsort(words, n_words, sizeof *words, compare_places);
  }
  for (size_t i = 0; i < n_words; i++) {
    if (i > 0) TG_GOTO(tg_buffer_append(&joined, " ", 1, err));
    TG_GOTO(tg_buffer_append(&joined, text + words[i].begin, words[i].end - words[i].begin, err));
  }
  *out = joined.data;
  joined = (tg_buffer){0};
done:
  tg_buffer_free(&joined);
  tg_free(words);
  return status;
}
