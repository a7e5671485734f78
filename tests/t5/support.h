/* Shared by the tests of t5/: searches driven by scripted models, functions from the ids so far to logits. */
#ifndef T5GIST_TESTS_T5_SUPPORT_H
#define T5GIST_TESTS_T5_SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "t5/search.h"

enum { VOCABULARY = 50, GIST = 49, MAX_BEAMS = 16 };

typedef struct script {
  uint64_t seed;
  int order, vocabulary;
  float spread, end_bias;
  int end_id, never_id;  /* 0: 1 and none. end_id gets what is meant for the end token */
  const int32_t *forced; /* [n_forced]: after so many ids, this one is far ahead; then the end */
  int n_forced;
} script;
/* The logits of what follows ids [n], [vocabulary]. */
void script_logits(const script *s, const int32_t *ids, int n, float *out);

/* tests/data/mini's tokenizer. Group fixtures. */
extern tg_tokenizer *search_tokenizer;
int search_set_up(void **state);
int search_tear_down(void **state);

tg_t5 search_model(int vocabulary); /* no weights: what a search asks a model for */
t5gist_options search_defaults(void);
int32_t *search_encode(const char *text, int *n); /* release with tg_free */

/* Runs a search to its end, with the guesses of draft unless that is null; true where it was cancelled. The script is given the ids that the cache
 * rows lead to: a wrong history or row leads to a wrong answer. */
bool search_drive(const script *s, const t5gist_options *options, const tg_draft *draft, t5gist_text_callback *on_text, void *user,
                  t5gist_answer *answer);
void search_clear(t5gist_answer *answer);

/* on_text: what was streamed. */
typedef struct search_stream {
  char text[4096];
  int pieces, cancel_after; /* 0: never */
} search_stream;
bool search_collect(void *user, const char *text);

#endif
