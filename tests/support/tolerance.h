/* How near is near enough, in one table. f32 but for the last columns.
 *
 * logprob: log-probability of a token, beam scores likewise (times the tokens they sum over, divided as they are).
 * tie:     where the reference's best and second best processed score are nearer than this, either choice is right, and what follows is not compared.
 * states, same_logprob: two ways of our own to the same answer whose sums run in another order (packed with other rows, another number of threads).
 * int8_logprob: mean distance of a token's log-probability in int8 from f32's (tests/gist/test_precision.c). Measured on tiny, mini, bundled:
 *          0.108, 0.269, 0.093 (small, with keys and values still in f32: 0.868); with outlier channels in wo's input 0.140,
 *          0.455, 1.106, with wo in f32 0.104, 0.336, 0.969, with wo's activations in 8 bits 0.416, 1.379, 2.360.
 * int4_logprob: likewise in int4, rounded on loading. Measured on tiny, mini, bundled: 0.489, 0.621, 0.575; with outlier channels in wo's input tiny 0.509,
 *          mini 0.878, with wo in 4 bits too 0.679, 1.131.
 * bf16_logprob: likewise in bf16. Measured on tiny, mini, bundled, where activations are rounded too: 0.036, 0.109, 0.023; mini with outlier channels 0.088.
 *
 * small's sharpened random weights amplify rounding: Hugging Face's own f32 is 4e-4 from f64 there. */
#ifndef T5GIST_TESTS_TOLERANCE_H
#define T5GIST_TESTS_TOLERANCE_H

#include <string.h>

typedef struct tolerance {
  const char *shape;
  double logprob, tie, states, same_logprob, int8_logprob, bf16_logprob, int4_logprob;
} tolerance;

static inline const tolerance *tolerance_of(const char *shape) {
  static const tolerance table[] = {
      {"tiny", 2e-4, 1e-3, 2e-5, 1e-4, 0.14, 0.05, 0.6},
      {"mini", 2e-4, 1e-3, 2e-5, 1e-4, 0.38, 0.14, 0.9},
      {"bundled", 2e-4, 1e-3, 2e-5, 1e-4, 0.14, 0.028, 0.85},
      {"small", 1e-3, 2e-3, 2e-4, 1e-3, 1.1, 0.34, 0},
  };
  for (size_t i = 0; i < sizeof table / sizeof *table; i++)
    if (strcmp(table[i].shape, shape) == 0) return &table[i];
  return &table[sizeof table / sizeof *table - 1];
}

#endif
