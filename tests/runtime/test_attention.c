/* Attention: the fast paths against the specification on odd sizes, parts, row lists, causality; rows do not depend on their mates. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "runtime/attention.h"
#include "tests/runtime/isa.h"
#include "tests/support/engine.h"

enum { MAX_JOBS = 3 };

static float *floats(size_t n) {
  float *x = NULL;
  assert_int_equal(tg_alloc(&x, n, sizeof *x, NULL), T5GIST_OK);
  return x;
}

/* What a case is made of: n_jobs equal jobs over keys of two parts, the second with rows in a list. */
typedef struct shape {
  int n_heads, d_kv, n_q, n_first, n_second, n_jobs, q_position, k_position;
  bool causal, bias, list, narrow; /* narrow: keys and values in bf16 */
} shape;

typedef struct problem {
  shape shape;
  tg_attention attention;
  tg_attention_job jobs[MAX_JOBS];
  float *q, *first, *second, *bias, *out;
  uint16_t *narrow[2]; /* first and second in bf16, which those are then rounded to */
  int32_t *rows;
} problem;

static void round_numbers(float *x, size_t n, uint16_t **narrow) {
  assert_int_equal(tg_alloc(narrow, n, sizeof **narrow, NULL), T5GIST_OK);
  tg_narrow_bf16(x, n, *narrow);
  tg_widen(*narrow, TG_BF16, n, x);
}

/* Keys at the beginning of the first or the second part, values v numbers behind. */
static tg_keys keys_at(const problem *p, int part, size_t v) {
  const uint16_t *narrow = p->narrow[part];
  const float *wide = part == 0 ? p->first : p->second;
  return p->attention.keys == TG_BF16 ? (tg_keys){.k = narrow, .v = narrow + v} : (tg_keys){.k = wide, .v = wide + v};
}

static void set_keys(problem *p) {
  const shape *s = &p->shape;
  const size_t d = (size_t)s->d_kv, inner = (size_t)s->n_heads * d, n_first = (size_t)s->n_first;
  for (int i = 0; i < s->n_jobs; i++) {
    tg_keys *keys = p->jobs[i].keys;
    keys[0] = keys_at(p, 0, n_first * inner);
    keys[0].row_stride = d;
    keys[0].head_stride = n_first * d;
    keys[0].n = s->n_first;
    keys[1] = keys_at(p, 1, inner);
    keys[1].row_stride = 2 * inner;
    keys[1].head_stride = d;
    keys[1].rows = s->list ? p->rows : NULL;
    keys[1].first = s->list ? 0 : 2;
    keys[1].n = s->n_second;
  }
}

/* The first part is head-major [n_heads, n_first, d_kv], as a gist's; the second row-major [n_rows, 2 * inner], as packed K and V. */
static void problem_new(problem *p, const shape *s, uint32_t seed) {
  const size_t d = (size_t)s->d_kv, inner = (size_t)s->n_heads * d, n_q = (size_t)s->n_q, n_rows = (size_t)s->n_second + 5,
               n_first = (size_t)s->n_first * inner;
  const int n_keys = s->n_first + s->n_second, reach = n_keys + s->n_q + abs(s->q_position - s->k_position) + 1;
  *p = (problem){.shape = *s};
  p->q = floats((size_t)s->n_jobs * n_q * 3 * inner);
  p->out = floats((size_t)s->n_jobs * n_q * (inner + 3));
  p->first = floats(2 * n_first);
  p->second = floats(n_rows * 2 * inner);
  p->bias = floats((size_t)s->n_heads * 2 * (size_t)reach);
  assert_int_equal(tg_alloc(&p->rows, (size_t)s->n_second, sizeof *p->rows, NULL), T5GIST_OK);
  test_fill(p->q, (size_t)s->n_jobs * n_q * 3 * inner, 1, &seed);
  test_fill(p->first, 2 * n_first, 1, &seed);
  test_fill(p->second, n_rows * 2 * inner, 1, &seed);
  test_fill(p->bias, (size_t)s->n_heads * 2 * (size_t)reach, 3, &seed);
  test_fill(p->out, (size_t)s->n_jobs * n_q * (inner + 3), 1, &seed);
  for (int i = 0; i < s->n_second; i++) p->rows[i] = (i * 7 + 3) % (int)n_rows;
  p->attention = (tg_attention){.n_heads = s->n_heads, .d_kv = s->d_kv, .q_stride = 3 * inner, .out_stride = inner + 3, .causal = s->causal};
  if (s->bias) {
    p->attention.bias = p->bias;
    p->attention.bias_stride = 2 * (size_t)reach;
    p->attention.bias_zero = reach;
  }
  for (int i = 0; i < s->n_jobs; i++) {
    tg_attention_job *job = &p->jobs[i];
    *job = (tg_attention_job){.q = p->q + (size_t)i * n_q * 3 * inner,
                              .out = p->out + (size_t)i * n_q * (inner + 3),
                              .n_q = s->n_q,
                              .n_parts = 2,
                              .q_position = s->q_position,
                              .k_position = s->k_position};
  }
  if (s->narrow) {
    round_numbers(p->first, 2 * n_first, &p->narrow[0]);
    round_numbers(p->second, n_rows * 2 * inner, &p->narrow[1]);
    p->attention.keys = TG_BF16;
  }
  set_keys(p);
}

static void problem_free(problem *p) {
  tg_free(p->q);
  tg_free(p->out);
  tg_free(p->first);
  tg_free(p->second);
  tg_free(p->narrow[0]);
  tg_free(p->narrow[1]);
  tg_free(p->bias);
  tg_free(p->rows);
}

static size_t out_size(const problem *p) {
  return (size_t)p->shape.n_jobs * (size_t)p->shape.n_q * p->attention.out_stride;
}

static void run(fixture *f, const problem *p, const tg_attention_job *jobs, int n_jobs) {
  t5gist_error err = {0};
  if (tg_attention_run(&p->attention, f->workspace, jobs, n_jobs, &err) != T5GIST_OK) fail_msg("%s", err.message);
}

static void check(fixture *f, const shape *s) {
  problem p;
  problem_new(&p, s, (uint32_t)(s->d_kv * 131 + s->n_q * 17 + s->n_first + s->n_second));
  const size_t n = out_size(&p);
  float *before = floats(n), *found = floats(n);
  memcpy(before, p.out, n * sizeof *before);
  run(f, &p, p.jobs, s->n_jobs);
  memcpy(found, p.out, n * sizeof *found);
  memcpy(p.out, before, n * sizeof *before);
  tg_attention_reference(&p.attention, p.jobs, s->n_jobs);
  for (size_t i = 0; i < n; i++) /* the gaps between rows among them: both leave them alone */
    if (!(fabs((double)found[i] - (double)p.out[i]) <= 1e-5))
      fail_msg("heads %d, d_kv %d, queries %d, keys %d + %d, causal %d, bias %d, list %d, narrow %d: value %zu: expected %.8g, found %.8g",
               s->n_heads, s->d_kv, s->n_q, s->n_first, s->n_second, s->causal, s->bias, s->list, s->narrow, i, (double)p.out[i], (double)found[i]);
  tg_free(before);
  tg_free(found);
  problem_free(&p);
}

static void test_sizes(void **state) {
  static const int widths[] = {1, 7, 16, 24, 64, 96}, keys[] = {0, 1, 15, 16, 17, 100}, queries[] = {1, 2, 3, 4, 7, 8, 9, 33};
  int turn = 0;
  for (size_t d = 0; d < sizeof widths / sizeof *widths; d++)
    for (size_t k = 0; k < sizeof keys / sizeof *keys; k++)
      for (size_t q = 0; q < sizeof queries / sizeof *queries; q++, turn++) {
        const int first = turn % 3 == 0 ? 0 : turn % 3 == 1 ? keys[k] / 3 : keys[k];
        check(*state, &(shape){.n_heads = 1 + turn % 3,
                               .d_kv = widths[d],
                               .n_q = queries[q],
                               .n_first = first,
                               .n_second = keys[k] - first,
                               .n_jobs = 1 + turn % MAX_JOBS,
                               .bias = turn % 2,
                               .list = turn % 5 < 2,
                               .narrow = turn % 7 < 3,
                               .q_position = turn % 4 * 3,
                               .k_position = turn % 7});
      }
}

/* More keys than a block, in one part, across both, and as a decoder sees them. */
static void test_many_keys(void **state) {
  check(*state, &(shape){.n_heads = 2, .d_kv = 24, .n_q = 20, .n_second = 700, .n_jobs = 1, .bias = true});
  check(*state,
        &(shape){.n_heads = 2, .d_kv = 24, .n_q = 1, .n_second = 700, .n_jobs = 3, .bias = true, .list = true, .q_position = 699, .causal = true});
  check(*state, &(shape){.n_heads = 2, .d_kv = 24, .n_q = 3, .n_first = 300, .n_second = 400, .n_jobs = 2, .narrow = true});
  check(*state, &(shape){.n_heads = 1, .d_kv = 16, .n_q = 20, .n_second = 700, .n_jobs = 2, .list = true, .narrow = true});
  check(*state, &(shape){.n_heads = 1, .d_kv = 16, .n_q = 9, .n_first = 510, .n_second = 530, .n_jobs = 2, .list = true});
  check(*state, &(shape){.n_heads = 3, .d_kv = 16, .n_q = 300, .n_second = 40, .n_jobs = 1, .bias = true});
}

/* Keys in bf16 give the bits of the same numbers in f32, alone and packed. */
static void test_narrow_keys_are_exact(void **state) {
  for (int n_q = 1; n_q <= 17; n_q += 8) {
    problem p;
    problem_new(&p, &(shape){.n_heads = 3, .d_kv = 40, .n_q = n_q, .n_first = 70, .n_second = 530, .n_jobs = 2, .narrow = true}, 5);
    const size_t n = out_size(&p);
    float *narrow = floats(n);
    run(*state, &p, p.jobs, 2);
    memcpy(narrow, p.out, n * sizeof *narrow);
    p.attention.keys = TG_F32;
    set_keys(&p);
    run(*state, &p, p.jobs, 2);
    assert_memory_equal(narrow, p.out, n * sizeof *narrow);
    tg_free(narrow);
    problem_free(&p);
  }
}

static void test_causal(void **state) {
  for (int n_q = 1; n_q <= 40; n_q += n_q < 12 ? 1 : 9)
    for (int history = 0; history <= 20; history += 10)
      check(*state, &(shape){.n_heads = 2,
                             .d_kv = 16,
                             .n_q = n_q,
                             .n_first = history,
                             .n_second = n_q,
                             .n_jobs = 2,
                             .q_position = history,
                             .causal = true,
                             .bias = true});
  check(*state, &(shape){.n_heads = 1, .d_kv = 8, .n_q = 600, .n_second = 600, .n_jobs = 1, .causal = true}); /* block borders within the triangle */
}

/* Queries before every key see nothing, and say so with zeros. */
static void test_nothing_visible(void **state) {
  for (int n_q = 1; n_q <= 20; n_q += 3) {
    problem p;
    problem_new(&p, &(shape){.n_heads = 2, .d_kv = 16, .n_q = n_q, .n_second = 9, .n_jobs = 1, .k_position = 10, .causal = true}, 3);
    run(*state, &p, p.jobs, 1);
    for (int row = 0; row < n_q && row < 10; row++)
      for (int i = 0; i < 32; i++) assert_true(p.out[(size_t)row * p.attention.out_stride + (size_t)i] == 0);
    problem_free(&p);
    check(*state, &(shape){.n_heads = 2, .d_kv = 16, .n_q = n_q, .n_second = 9, .n_jobs = 1, .k_position = 10, .causal = true});
  }
}

/* Scores far apart: the largest is found before anything is exponentiated, in later blocks too. */
static void test_large_scores(void **state) {
  for (int n_q = 1; n_q <= 5; n_q += 4) {
    problem p;
    problem_new(&p, &(shape){.n_heads = 1, .d_kv = 8, .n_q = n_q, .n_second = 1100, .n_jobs = 1}, 11);
    for (size_t i = 0; i < (size_t)n_q * 24; i++) p.q[i] = 1;
    for (size_t key = 0; key < 1100; key++)
      for (size_t i = 0; i < 8; i++) p.second[key * 16 + i] = (float)key; /* scores 0, 8, 16, ... 8792 */
    run(*state, &p, p.jobs, 1);
    const float *last = p.second + 1099 * 16 + 8, *before = last - 16;
    for (int row = 0; row < n_q; row++)
      for (size_t i = 0; i < 8; i++) {
        const double weight = exp(-8.0), expected = ((double)last[i] + weight * (double)before[i]) / (1 + weight);
        assert_float_equal(p.out[(size_t)row * p.attention.out_stride + i], (float)expected, 2e-6);
      }
    problem_free(&p);
  }
}

/* Jobs and rows alone and together, with one thread and two: the same bits. */
static void test_mates_do_not_matter(void **state) {
  fixture *f = *state;
  problem p;
  problem_new(&p, &(shape){.n_heads = 3, .d_kv = 24, .n_q = 37, .n_first = 10, .n_second = 90, .n_jobs = 3, .bias = true}, 21);
  const size_t n = out_size(&p);
  float *together = floats(n), *few = floats(n);
  run(f, &p, p.jobs, 3);
  memcpy(together, p.out, n * sizeof *together);
  memset(p.out, 0, n * sizeof *together);
  for (int i = 2; i >= 0; i--) run(f, &p, &p.jobs[i], 1);
  for (size_t row = 0; row < 3 * 37; row++)
    assert_memory_equal(p.out + row * p.attention.out_stride, together + row * p.attention.out_stride, 3 * 24 * sizeof *together);
  for (int first = 0; first < 30; first += 6) { /* a few of the queries */
    tg_attention_job part = p.jobs[1];
    part.n_q = 9;
    part.q += (size_t)first * p.attention.q_stride;
    part.out += (size_t)first * p.attention.out_stride;
    part.q_position += first;
    run(f, &p, &part, 1);
    for (size_t row = 0; row < 9; row++)
      assert_memory_equal(part.out + row * p.attention.out_stride, together + (37 + (size_t)first + row) * p.attention.out_stride,
                          3 * 24 * sizeof *together);
    part.n_q = 8; /* another path, the same within rounding, and each of them as alone */
    run(f, &p, &part, 1);
    memcpy(few, part.out, 8 * p.attention.out_stride * sizeof *few);
    part.n_q = 1;
    for (size_t row = 0; row < 8; row++) {
      run(f, &p, &part, 1);
      assert_memory_equal(part.out, few + row * p.attention.out_stride, 3 * 24 * sizeof *few);
      for (size_t i = 0; i < 3 * 24; i++) assert_float_equal(part.out[i], together[(37 + (size_t)first + row) * p.attention.out_stride + i], 2e-6);
      part.q += p.attention.q_stride;
      part.out += p.attention.out_stride;
      part.q_position++;
    }
  }
  tg_engine *engine = NULL;
  tg_workspace *workspace = NULL;
  assert_int_equal(tg_engine_new(1, &engine, NULL), T5GIST_OK);
  assert_int_equal(tg_workspace_new(engine, &workspace, NULL), T5GIST_OK);
  run(&(fixture){engine, workspace}, &p, p.jobs, 3);
  for (size_t row = 0; row < 3 * 37; row++)
    assert_memory_equal(p.out + row * p.attention.out_stride, together + row * p.attention.out_stride, 3 * 24 * sizeof *together);
  tg_workspace_free(workspace);
  tg_engine_free(engine);
  tg_free(few);
  tg_free(together);
  problem_free(&p);
}

static void test_warm_runs_allocate_nothing(void **state) {
  fixture *f = *state;
  problem p;
  problem_new(&p, &(shape){.n_heads = 2, .d_kv = 24, .n_q = 12, .n_second = 30, .n_jobs = 2}, 2);
  run(f, &p, p.jobs, 2);
  const size_t bytes = tg_arena_bytes(tg_workspace_arena(f->workspace));
  for (int i = 0; i < 3; i++) run(f, &p, p.jobs, 2);
  assert_int_equal(tg_arena_bytes(tg_workspace_arena(f->workspace)), bytes);
  run(f, &p, p.jobs, 0);
  problem_free(&p);
}

static int groups(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_sizes),
      cmocka_unit_test(test_many_keys),
      cmocka_unit_test(test_narrow_keys_are_exact),
      cmocka_unit_test(test_causal),
      cmocka_unit_test(test_nothing_visible),
      cmocka_unit_test(test_large_scores),
      cmocka_unit_test(test_mates_do_not_matter),
      cmocka_unit_test(test_warm_runs_allocate_nothing),
  };
  return cmocka_run_group_tests(tests, set_up, tear_down);
}

int main(void) {
  return test_each_isa(groups);
}
