/* How near an answer is to a reference: ROUGE as Google's rouge_score package computes it (version 0.1.2, use_stemmer=True), and exact match.
 *
 * Words are the runs of [a-z0-9] in the lower-cased text, each of more than three characters stemmed (measure/porter.h); everything else
 * separates, letters beyond ASCII included. All texts are UTF-8; invalid UTF-8 is refused (T5GIST_EFORMAT). */
#ifndef T5GIST_MEASURE_ROUGE_H
#define T5GIST_MEASURE_ROUGE_H

#include <stdbool.h>

#include "t5gist/types.h"

/* Shares of 1, not of 100. precision: of the answer's units; recall: of the reference's; f1: their harmonic mean, 0 where both are 0. */
typedef struct tg_rouge_score {
  double precision, recall, f1;
} tg_rouge_score;

typedef struct tg_rouge {
  tg_rouge_score rouge1, rouge2, rougeL; /* words, pairs of neighbouring words, longest common subsequence of words */
} tg_rouge;

/* Compares answer with reference. A text without words scores 0 everywhere. Memory is linear in the texts, time is the product of their words. */
t5gist_status tg_rouge_compute(const char *reference, const char *answer, tg_rouge *out, t5gist_error *err);

/* Whether both are the same bytes once ASCII white space at either end is left out. Case, inner spaces and punctuation count. */
bool tg_exact_match(const char *reference, const char *answer);

#endif
