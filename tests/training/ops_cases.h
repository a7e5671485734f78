/* Shared by the tests of the operations: numbers, and spans of attention in all their forms. */
#ifndef T5GIST_TESTS_TRAINING_OPS_CASES_H
#define T5GIST_TESTS_TRAINING_OPS_CASES_H

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "runtime/memory.h"
#include "training/dropout.h"
#include "training/reference.h"

/* Uniform in [-1, 1), the same in every run, and whole floats, so that both precisions start from the same numbers. */
static inline double case_random(uint32_t *state) {
  *state = *state * 1664525u + 1013904223u;
  return (double)((int32_t)*state >> 8) / (1 << 23);
}

static inline double *case_doubles(size_t n, double scale, uint32_t *state) {
  double *x = NULL;
  assert_int_equal(tg_alloc(&x, n, sizeof *x, NULL), T5GIST_OK);
  for (size_t i = 0; i < n; i++) x[i] = (double)(float)(scale * case_random(state));
  return x;
}

static inline float *case_floats(const double *from, size_t n) {
  float *x = NULL;
  assert_int_equal(tg_alloc(&x, n, sizeof *x, NULL), T5GIST_OK);
  for (size_t i = 0; from != NULL && i < n; i++) x[i] = (float)from[i];
  return x;
}

typedef struct attention_case {
  const char *name;
  int n_heads, d_kv, q_rows, kv_rows, n_spans;
  tg_train_span spans[4];
  bool bidirectional, causal;
} attention_case;

/* Odd sizes; keys shared by spans and not; either part empty; a part that a causal query sees none of; more queries than one group has, and
 * distances beyond the last bucket. */
static const attention_case attention_cases[] = {
    {"one span", 3, 5, 6, 9, 1, {{.q_begin = 1, .n_q = 5, .q_position = 2, .keys = {{2, 7, 0}}}}, true, false},
    {"shared task",
     2,
     8,
     13,
     20,
     3,
     {{0, 5, 7, {{0, 7, 0}, {7, 5, 7}}}, {5, 1, 7, {{0, 7, 0}, {12, 1, 7}}}, {6, 7, 7, {{0, 7, 0}, {13, 7, 7}}}},
     true,
     false},
    {"empty parts",
     2,
     17,
     12,
     12,
     3,
     {{0, 3, 0, {{0, 3, 0}, {0, 0, 0}}}, {3, 4, 3, {{0, 0, 0}, {3, 4, 3}}}, {7, 5, 1, {{9, 3, 0}, {0, 2, 4}}}},
     true,
     false},
    {"causal", 3, 16, 25, 25, 3, {{0, 9, 0, {{0, 9, 0}}}, {9, 1, 0, {{9, 1, 0}}}, {10, 15, 0, {{10, 15, 0}}}}, false, true},
    {"causal after a prefix", 2, 6, 11, 14, 2, {{0, 6, 3, {{0, 3, 0}, {3, 6, 3}}}, {6, 5, 3, {{0, 3, 0}, {9, 5, 3}}}}, false, true},
    {"causal, later first", 1, 4, 5, 10, 1, {{0, 5, 3, {{5, 4, 4}, {0, 5, 0}}}}, false, true},
    {"long", 2, 64, 151, 210, 2, {{0, 140, 50, {{0, 37, 10}, {37, 170, 47}}}, {140, 11, 400, {{10, 27, 0}, {207, 3, 700}}}}, true, false},
    {"long, causal", 2, 33, 150, 150, 2, {{0, 101, 0, {{0, 101, 0}}}, {101, 49, 0, {{101, 49, 0}}}}, false, true},
};
enum { N_ATTENTION_CASES = sizeof attention_cases / sizeof *attention_cases, CASE_BUCKETS = 8, CASE_DISTANCE = 20 };

/* with_scale: of the scores; strides leave gaps between rows. The bias weights are the caller's to set. */
static inline tg_train_attention case_attention(const attention_case *c, float scale, float dropout) {
  const size_t width = (size_t)c->n_heads * (size_t)c->d_kv;
  return (tg_train_attention){.n_heads = c->n_heads,
                              .d_kv = c->d_kv,
                              .q_stride = width + 3,
                              .kv_stride = 2 * width + 1,
                              .out_stride = width + 2,
                              .scale = scale,
                              .n_buckets = CASE_BUCKETS,
                              .max_distance = CASE_DISTANCE,
                              .bidirectional = c->bidirectional,
                              .causal = c->causal,
                              .dropout = dropout,
                              .dropout_key = 77};
}

#endif
