/* The Porter stemmer with NLTK's extensions: NLTK's PorterStemmer in its default mode (NLTK_EXTENSIONS, version 3.10.4), the one that rouge_score
 * uses. Sources: M. F. Porter, "An algorithm for suffix stripping", Program 14(3), 1980, and the documentation of nltk.stem.porter. */
#ifndef T5GIST_MEASURE_PORTER_H
#define T5GIST_MEASURE_PORTER_H

#include <stddef.h>

/* Stems word[0, n), lower-case ASCII letters and digits, in place. Returns the stem's length, never more than n; no NUL is written. */
size_t tg_porter_stem(char *word, size_t n);

#endif
