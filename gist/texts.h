/* The texts that number formats are compared on and rounding is calibrated by, and what a model makes of them. */
#ifndef T5GIST_GIST_TEXTS_H
#define T5GIST_GIST_TEXTS_H

#include <jansson.h>

#include "t5gist/tools.h"

typedef struct tg_text {
  const char *task, *input, *target;
} tg_text;

/* Zero-initialise. */
typedef struct tg_texts {
  tg_text *items; /* [n] borrowed from objects, or built in */
  size_t n, capacity;
  json_t *objects;
} tg_texts;

/* Those of a file (JSON objects with instruction, input and output, 1,000 at most), or null: built-in ones, for calibration others than for
 * comparing. */
t5gist_status tg_texts_get(const char *path, bool for_calibration, tg_texts *texts, t5gist_error *err);
void tg_texts_free(tg_texts *texts);

/* Greedy answers, and the texts' own under teacher forcing. Zero-initialise. */
typedef struct tg_outcome {
  t5gist_answer *greedy, *scored; /* [n] */
  size_t n, exact;                /* exact: greedy answers that are the texts' */
} tg_outcome;

t5gist_status tg_outcome_get(const t5gist_model *model, const tg_texts *texts, tg_outcome *outcome, t5gist_error *err);
void tg_outcome_clear(tg_outcome *outcome);

/* How far b, of the same texts, is from a. */
t5gist_drift tg_outcome_compare(const tg_outcome *a, const tg_outcome *b);

/* Lets a model work on the texts for the sake of what its layers see: their targets under teacher forcing, a greedy answer, and samples - 1 that are
 * drawn. */
t5gist_status tg_texts_exercise(const t5gist_model *model, const tg_texts *texts, int samples, t5gist_error *err);

#endif
