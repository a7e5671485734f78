/* How near is near enough, in one table. f32 throughout.
 *
 * logprob: log-probability of a token, beam scores likewise (times the tokens they sum over, divided as they are).
 * tie:     where the reference's best and second best processed score are nearer than this, either choice is right, and what follows is not compared.
 * states, same_logprob: two ways of our own to the same answer whose sums run in another order (packed with other rows, another number of threads).
 *
 * small's sharpened random weights amplify rounding: Hugging Face's own f32 is 4e-4 from f64 there. */
#ifndef T5GIST_TESTS_TOLERANCE_H
#define T5GIST_TESTS_TOLERANCE_H

#include <string.h>

typedef struct tolerance {
  const char *shape;
  double logprob, tie, states, same_logprob;
} tolerance;

static inline const tolerance *tolerance_of(const char *shape) {
  static const tolerance table[] = {
      {"tiny", 2e-4, 1e-3, 2e-5, 1e-4},
      {"mini", 2e-4, 1e-3, 2e-5, 1e-4}, /* the bundled model too */
      {"small", 1e-3, 2e-3, 2e-4, 1e-3},
  };
  for (size_t i = 0; i < sizeof table / sizeof *table; i++)
    if (strcmp(table[i].shape, shape) == 0) return &table[i];
  return &table[2];
}

#endif
