/* What the vocabulary is learned from: a corpus cut into lines of bounded length, some of them chosen at random. */
#ifndef T5GIST_TRAINING_SENTENCES_H
#define T5GIST_TRAINING_SENTENCES_H

#include "training/vocabulary.h"

enum { TG_SENTENCE = 4192 }; /* bytes at most, the trainer's own limit */

typedef struct tg_sentences {
  char **items; /* [n] owned, NUL-terminated valid UTF-8 */
  size_t n, capacity, bytes;
} tg_sentences;

/* Reads the corpus to its end. Refuses one in which too little is left to learn from, or that is too large. */
t5gist_status tg_sentences_read(const tg_vocabulary_options *options, tg_vocabulary_text *next, void *user, tg_sentences *sentences,
                                t5gist_error *err);
void tg_sentences_free(tg_sentences *sentences); /* zeroed or read */

#endif
