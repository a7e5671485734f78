/* The words that tell most about an instruction, by TF-IDF over a set of instructions: the discrete baseline of prompt compression (a few words in
 * place of the gist). The numbers are those of scikit-learn's TfidfVectorizer with its defaults (version 1.9.1).
 *
 * Words are runs of at least two word characters (measure/unicode.h) and are compared in lower case. In n instructions, of which df contain the
 * word: idf = ln((1 + n) / (1 + df)) + 1; weight = how often it occurs in the text times idf, divided by the Euclidean norm of the text's weights. */
#ifndef T5GIST_MEASURE_TFIDF_H
#define T5GIST_MEASURE_TFIDF_H

#include <stddef.h>

#include "t5gist/types.h"

typedef struct tg_tfidf tg_tfidf; /* the words of a set of instructions and how many of these contain each; read-only, shareable between threads */

/* instructions: n texts of valid UTF-8 (T5GIST_EFORMAT otherwise), not needed afterwards. n may be 0. */
t5gist_status tg_tfidf_new(const char *const *instructions, size_t n, tg_tfidf **out, t5gist_error *err);
void tg_tfidf_free(tg_tfidf *tfidf); /* null is allowed */

/* A word of a text, at its first occurrence text[begin, end). */
typedef struct tg_tfidf_word {
  size_t begin, end, count;
  double weight;
} tg_tfidf_word;

/* The different words of text, in the order of their first occurrences; words that no instruction of the set contains are left out, as scikit-learn
 * does. *words, to be freed with tg_free, is null when there are none. */
t5gist_status tg_tfidf_weigh(const tg_tfidf *tfidf, const char *text, tg_tfidf_word **words, size_t *n_words, t5gist_error *err);

/* The k words of text (all, where it has fewer) with the largest weights, ties to the earlier one, spelled as in the text at their first
 * occurrences, in its order, one space between: "Write a letter to your boss" may become "letter boss". k of 0 is refused (T5GIST_EUSAGE); a text
 * without known words gives "". *out: to be freed with tg_free. */
t5gist_status tg_tfidf_compress(const tg_tfidf *tfidf, const char *text, size_t k, char **out, t5gist_error *err);

#endif
