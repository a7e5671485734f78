/* Linear layers in 4 bits: every way to a product gives the bits of the plain one, on odd sizes, for stored and for quantised weights. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "runtime/int4.h"
#include "runtime/kernels.h"
#include "runtime/linear.h"
#include "tests/runtime/isa.h"
#include "tests/support/engine.h"

static void *bytes_of(size_t n, size_t size) {
  void *p = NULL;
  assert_int_equal(tg_alloc(&p, n, size, NULL), T5GIST_OK);
  return p;
}

static float *floats(size_t n) {
  return bytes_of(n, sizeof(float));
}

static float *filled(size_t n, float scale, uint32_t *seed) {
  float *x = floats(n);
  test_fill(x, n, scale, seed);
  return x;
}

/* A matrix in 4 bits, as a file would hold it. */
typedef struct stored {
  unsigned char *nibbles; /* [n_out, row bytes] */
  float *scales;          /* [n_out, groups] */
  size_t n_out, n_in, group;
} stored;

static stored stored_new(const float *w, size_t n_out, size_t n_in, size_t group) {
  stored s = {bytes_of(n_out, tg_int4_row_bytes(n_in)), floats(n_out * tg_int4_groups(n_in, group)), n_out, n_in, group};
  for (size_t o = 0; o < n_out; o++)
    tg_quantize_row4(w + o * n_in, n_in, group, s.nibbles + o * tg_int4_row_bytes(n_in), s.scales + o * tg_int4_groups(n_in, group));
  return s;
}

static tg_matrix matrix_of(const stored *s) {
  return (tg_matrix){s->nibbles, TG_I4, s->n_out, false, s->scales, s->group};
}

static void stored_free(stored *s) {
  tg_free(s->nibbles);
  tg_free(s->scales);
}

static tg_linear *new_linear(fixture *f, const tg_matrix *parts, size_t n_parts, size_t n_in, tg_precision precision) {
  tg_linear *linear = NULL;
  t5gist_error err = {0};
  if (tg_linear_new(f->engine, parts, n_parts, n_in, precision, &linear, &err) != T5GIST_OK) fail_msg("%s", err.message);
  return linear;
}

static void apply(fixture *f, const tg_linear *linear, const float *x, size_t m, bool accumulate, float *y) {
  t5gist_error err = {0};
  if (tg_linear_apply(linear, f->workspace, x, m, accumulate, y, &err) != T5GIST_OK) fail_msg("%s", err.message);
}

/* The product written out from what is stored. */
static void product(const stored *w, const float *x, size_t m, bool accumulate, float *y) {
  int8_t qx[TG_INT4_MOST_GROUP], qw[TG_INT4_MOST_GROUP];
  for (size_t row = 0; row < m; row++)
    for (size_t o = 0; o < w->n_out; o++) {
      float total = 0;
      for (size_t g = 0; g < tg_int4_groups(w->n_in, w->group); g++) {
        const size_t first = g * w->group, n = w->n_in - first < w->group ? w->n_in - first : w->group;
        const float x_scale = tg_quantize_row_reference(x + row * w->n_in + first, n, qx);
        const float scale = w->scales[o * tg_int4_groups(w->n_in, w->group) + g] * x_scale;
        int32_t sum = 0;
        tg_int4_get(w->nibbles + o * tg_int4_row_bytes(w->n_in), first, n, qw);
        for (size_t i = 0; i < n; i++) sum += qx[i] * qw[i];
        const float value = (float)sum * scale;
        total += value;
      }
      float *to = &y[row * w->n_out + o];
      *to = accumulate ? *to + total : total;
    }
}

static void check_same(const float *found, const float *expected, size_t n, const stored *w, size_t m) {
  for (size_t i = 0; i < n; i++)
    if (memcmp(&found[i], &expected[i], sizeof *found) != 0)
      fail_msg("%zu -> %zu in groups of %zu, %zu rows: value %zu: expected %.9g, found %.9g", w->n_in, w->n_out, w->group, m, i, (double)expected[i],
               (double)found[i]);
}

static void check_layer(fixture *f, const stored *w, const float *x, size_t m, bool accumulate) {
  uint32_t seed = 3;
  const size_t n = m * w->n_out, padded = (w->n_out + 63) / 64 * 64;
  float *y = filled(n, 1, &seed), *expected = floats(n), *specified = floats(n);
  memcpy(expected, y, n * sizeof *y);
  memcpy(specified, y, n * sizeof *y);
  const tg_matrix part = matrix_of(w);
  tg_linear *linear = new_linear(f, &part, 1, w->n_in, TG_PRECISION_INT4);
  assert_int_equal(tg_linear_n_in(linear), w->n_in);
  assert_int_equal(tg_linear_n_out(linear), w->n_out);
  assert_int_equal(tg_linear_bytes(linear), padded * ((w->n_in + 7) / 8 * 4 + 2 * tg_int4_groups(w->n_in, w->group)));
  apply(f, linear, x, m, accumulate, y);
  product(w, x, m, accumulate, expected);
  check_same(y, expected, n, w, m);
  tg_linear_reference(linear, x, m, accumulate, specified);
  check_same(specified, expected, n, w, m);
  tg_linear_free(linear);
  tg_free(y);
  tg_free(expected);
  tg_free(specified);
}

static void check_shape(fixture *f, size_t n_in, size_t n_out, size_t group, size_t m) {
  uint32_t seed = (uint32_t)(n_in * 31 + n_out * 7 + m);
  float *w = filled(n_out * n_in, 0.2f, &seed), *x = filled(m * n_in, 3, &seed);
  stored s = stored_new(w, n_out, n_in, group);
  check_layer(f, &s, x, m, (n_in + n_out + m) % 2);
  stored_free(&s);
  tg_free(w);
  tg_free(x);
}

static void test_shapes(void **state) {
  static const size_t ms[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 17, 64, 100}, outs[] = {1, 63, 64, 65, 130},
                      ins[] = {1, 3, 8, 31, 32, 63, 64, 65, 130, 193, 257};
  for (size_t m = 0; m < sizeof ms / sizeof *ms; m++)
    for (size_t out = 0; out < sizeof outs / sizeof *outs; out++)
      for (size_t in = 0; in < sizeof ins / sizeof *ins; in++) {
        if (ms[m] > 17 && (in + out) % 3 != 0) continue;
        check_shape(*state, ins[in], outs[out], (size_t)32 << (m + in + out) % 3, ms[m]);
      }
}

static void test_deep(void **state) {
  for (size_t group = 32; group <= 128; group *= 2) {
    check_shape(*state, 5120, 70, group, 1);
    check_shape(*state, 1999, 200, group, 4);
    check_shape(*state, 768, 40, group, 53);
  }
}

/* The largest numbers everywhere, in every combination of signs: nothing saturates on the way; zeros. */
static void test_extremes(void **state) {
  enum { N_IN = 2048, N_OUT = 70, M = 9 };
  float *w = floats(N_OUT * N_IN), *x = floats(M * N_IN);
  for (size_t i = 0; i < N_OUT * N_IN; i++) w[i] = i / N_IN % 3 == 0 ? 1 : i / N_IN % 3 == 1 ? -1 : i % 2 ? 1 : -1;
  for (size_t i = 0; i < M * N_IN; i++) x[i] = i / N_IN % 2 ? -5 : 5;
  memset(w + 4 * N_IN, 0, N_IN * sizeof *w);
  memset(x + 3 * N_IN, 0, N_IN * sizeof *x);
  for (size_t group = 32; group <= 128; group *= 2) {
    stored s = stored_new(w, N_OUT, N_IN, group);
    for (size_t i = 0; i < N_IN; i++) tg_int4_put(s.nibbles + 5 * N_IN / 2, i / 2 * 2, 2, (const int8_t[]){7, 7});
    for (size_t m = 1; m <= M; m += 4) check_layer(*state, &s, x, m, false);
    stored_free(&s);
  }
  tg_free(w);
  tg_free(x);
}

/* Neither mates, nor their number, nor threads change a bit. */
static void test_rows_are_independent(void **state) {
  fixture *f = *state;
  enum { N_IN = 150, N_OUT = 1001, M = 110 };
  uint32_t seed = 9;
  float *w = filled(N_OUT * N_IN, 0.1f, &seed), *x = filled(M * N_IN, 1, &seed), *y = floats(M * N_OUT), *alone = floats(M * N_OUT);
  const tg_matrix part = {w, TG_F32, N_OUT, false, NULL, 0};
  tg_linear *linear = new_linear(f, &part, 1, N_IN, TG_PRECISION_INT4);
  for (size_t row = 0; row < M; row++) apply(f, linear, x + row * N_IN, 1, false, alone + row * N_OUT);
  for (size_t m = 1; m <= M; m = m < 20 ? m + 1 : m + 30) {
    apply(f, linear, x, m, false, y);
    assert_memory_equal(y, alone, m * N_OUT * sizeof *y);
    apply(f, linear, x + (M - m) * N_IN, m, false, y); /* other places */
    assert_memory_equal(y, alone + (M - m) * N_OUT, m * N_OUT * sizeof *y);
  }
  tg_linear_free(linear);
  tg_free(w);
  tg_free(x);
  tg_free(y);
  tg_free(alone);
}

/* Stacked parts, stored and quantised while packing, at any address; the same matrices in other precisions are what they stand for. */
static void check_stacked(fixture *f, size_t n_in, size_t group) {
  enum { N_A = 70, N_B = 9, N_C = 61, N_OUT = N_A + N_B + N_C, M = 11 };
  uint32_t seed = 21;
  const size_t row_bytes = tg_int4_row_bytes(n_in), groups = tg_int4_groups(n_in, group), rows = tg_linear_rows(M);
  float *w = filled(N_OUT * n_in, 1, &seed), *x = filled(rows * n_in, 1, &seed), *y = floats(rows * N_OUT), *expected = floats(rows * N_OUT);
  stored s = stored_new(w, N_OUT, n_in, group);
  unsigned char *shifted = bytes_of(N_B * row_bytes + 1, 1);
  memcpy(shifted + 1, s.nibbles + N_A * row_bytes, N_B * row_bytes);
  const tg_matrix parts[] = {{s.nibbles, TG_I4, N_A, false, s.scales, group},
                             {shifted + 1, TG_I4, N_B, false, s.scales + N_A * groups, group},
                             {w + (N_A + N_B) * n_in, TG_F32, N_C, false, NULL, 0}};
  tg_linear *linear = new_linear(f, parts, 3, n_in, TG_PRECISION_INT4);
  apply(f, linear, x, M, false, y);
  product(&s, x, M, false, expected);
  check_same(y, expected, M * N_OUT, &s, M);
  tg_linear_free(linear);

  for (size_t o = 0; o < N_OUT; o++) tg_widen_row4(s.nibbles + o * row_bytes, s.scales + o * groups, n_in, group, w + o * n_in);
  const tg_matrix whole = matrix_of(&s), widened = {w, TG_F32, N_OUT, false, NULL, 0};
  for (int precision = TG_PRECISION_F32; precision <= TG_PRECISION_BF16; precision++) {
    tg_linear *from_nibbles = new_linear(f, &whole, 1, n_in, (tg_precision)precision),
              *from_floats = new_linear(f, &widened, 1, n_in, (tg_precision)precision);
    apply(f, from_nibbles, x, M, false, y);
    apply(f, from_floats, x, M, false, expected);
    assert_memory_equal(y, expected, M * N_OUT * sizeof *y);
    tg_linear_free(from_nibbles);
    tg_linear_free(from_floats);
  }
  stored_free(&s);
  tg_free(shifted);
  tg_free(w);
  tg_free(x);
  tg_free(y);
  tg_free(expected);
}

static void test_stacked(void **state) {
  check_stacked(*state, 64, 64); /* TG_INT4_GROUP */
  check_stacked(*state, 37, 32);
  check_stacked(*state, 300, 128);
}

/* A large number in one group leaves the digits of the others alone. */
static void test_outliers_stay_in_their_group(void **state) {
  fixture *f = *state;
  enum { N_IN = 512, N_OUT = 64 };
  uint32_t seed = 33;
  float *w = filled(N_OUT * N_IN, 1, &seed), *x = filled(N_IN, 1, &seed), *y = floats(N_OUT), *expected = floats(N_OUT);
  for (size_t o = 0; o < N_OUT; o++) w[o * N_IN + 3] = 0;
  x[3] = 1000;
  for (size_t i = 0; i < 64; i++) x[i] = i == 3 ? 1000 : 0; /* alone in its group */
  stored s = stored_new(w, N_OUT, N_IN, 64);
  const tg_matrix part = matrix_of(&s);
  tg_linear *linear = new_linear(f, &part, 1, N_IN, TG_PRECISION_INT4);
  apply(f, linear, x, 1, false, y);
  x[3] = 0;
  apply(f, linear, x, 1, false, expected);
  assert_memory_equal(y, expected, N_OUT * sizeof *y);
  tg_linear_free(linear);
  stored_free(&s);
  tg_free(w);
  tg_free(x);
  tg_free(y);
  tg_free(expected);
}

static void test_keeps_nan(void **state) {
  fixture *f = *state;
  enum { N = 140, M = 9 };
  uint32_t seed = 4;
  float *w = filled(N * N, 1, &seed), *x = filled(M * N, 1, &seed), *y = floats(M * N);
  x[7] = NAN;
  x[2 * N] = x[2 * N + N - 1] = INFINITY; /* at the ends of a row: the rows beside it must not see them */
  w[70 * N + 100] = NAN;
  const tg_matrix part = {w, TG_F32, N, false, NULL, 0};
  tg_linear *linear = new_linear(f, &part, 1, N, TG_PRECISION_INT4);
  apply(f, linear, x, M, false, y);
  for (size_t i = 0; i < M * N; i++) assert_int_equal(isnan(y[i]) != 0, i / N == 0 || i / N == 2 || i % N == 70);
  tg_linear_free(linear);
  tg_free(w);
  tg_free(x);
  tg_free(y);
}

/* ----------------------------------------------------------------------------------------------------------------- rows of nibbles */

static void test_rows_of_nibbles(void **state) {
  (void)state;
  uint32_t seed = 2;
  for (size_t n = 1; n <= 140; n++)
    for (size_t group = 32; group <= 128; group *= 2) {
      const size_t bytes = tg_int4_row_bytes(n), groups = tg_int4_groups(n, group);
      float *x = filled(n, 5, &seed), *back = floats(n), *scales = floats(groups);
      unsigned char *nibbles = bytes_of(bytes, 1);
      assert_int_equal(bytes, (n + 1) / 2);
      assert_int_equal(groups, (n + group - 1) / group);
      tg_quantize_row4(x, n, group, nibbles, scales);
      tg_widen_row4(nibbles, scales, n, group, back);
      for (size_t i = 0; i < n; i++) {
        const int q = (nibbles[i / 2] >> (i % 2 * 4) & 15) - 8;
        const double step = fabs((double)scales[i / group]);
        assert_true(back[i] == (float)q * scales[i / group]);
        assert_true(fabs((double)back[i] - (double)x[i]) <= (q == 7 || q == -8 ? 1.05 : 0.501) * step); /* what lies beyond 7 is cut */
      }
      tg_free(x);
      tg_free(back);
      tg_free(scales);
      tg_free(nibbles);
    }
}

static void test_groups(void **state) {
  (void)state;
  int8_t q[64];
  float x[64] = {0};
  assert_true(tg_quantize_group4(x, 64, q) == 0 && q[0] == 0 && q[63] == 0);
  x[5] = -16;
  x[6] = 16;
  x[7] = 3; /* halves go to even */
  x[8] = 5;
  assert_true(tg_quantize_group4(x, 64, q) == 2);
  assert_int_equal(q[5], -8);
  assert_int_equal(q[6], 7);
  assert_int_equal(q[7], 2);
  assert_int_equal(q[8], 2);
  assert_int_equal(q[0], 0);
  x[6] = 17;
  assert_true(tg_quantize_group4(x, 64, q) < 0); /* the largest is -8, whatever its sign */
  assert_int_equal(q[6], -8);
  assert_int_equal(q[5], 7);
  x[63] = NAN;
  assert_true(isnan(tg_quantize_group4(x, 64, q)) && q[5] == 0);
  x[63] = -INFINITY;
  assert_true(isnan(tg_quantize_group4(x, 64, q)));
}

static void test_bad_layers(void **state) {
  fixture *f = *state;
  static const float w[128];
  tg_linear *linear = NULL;
  t5gist_error err = {0};
  const tg_matrix bare = {w, TG_I4, 2, false, NULL, 64}, odd = {w, TG_I4, 2, false, w, 48};
  const tg_matrix unlike[] = {{w, TG_I4, 1, false, w, 64}, {w, TG_I4, 1, false, w, 32}};
  const tg_matrix huge = {w, TG_I4, (size_t)1 << 62, false, w, 64};
  assert_int_equal(tg_linear_new(f->engine, &bare, 1, 2, TG_PRECISION_INT4, &linear, &err), T5GIST_EFORMAT);
  assert_non_null(strstr(err.message, "found I4"));
  assert_int_equal(tg_linear_new(f->engine, &odd, 1, 2, TG_PRECISION_INT4, &linear, &err), T5GIST_EFORMAT);
  assert_non_null(strstr(err.message, "48"));
  assert_int_equal(tg_linear_new(f->engine, unlike, 2, 2, TG_PRECISION_INT4, &linear, &err), T5GIST_EFORMAT);
  assert_non_null(strstr(err.message, "32"));
  assert_int_equal(tg_linear_new(f->engine, &huge, 1, 1024, TG_PRECISION_INT4, &linear, &err), T5GIST_ENOMEM);
  assert_null(linear);
  assert_int_equal(tg_precision_from_name("int4"), TG_PRECISION_INT4);
  assert_string_equal(tg_precision_name(TG_PRECISION_INT4), "int4");
}

static void test_warm_products_take_no_memory(void **state) {
  fixture *f = *state;
  enum { N = 80, M = 70 };
  uint32_t seed = 6;
  float *w = filled(N * N, 1, &seed), *x = filled(M * N, 1, &seed), *y = floats(M * N);
  const tg_matrix part = {w, TG_F32, N, false, NULL, 0};
  tg_linear *linear = new_linear(f, &part, 1, N, TG_PRECISION_INT4);
  apply(f, linear, x, M, false, y);
  const size_t bytes = tg_arena_bytes(tg_workspace_arena(f->workspace));
  const uint64_t primitives = tg_engine_primitives(f->engine);
  for (size_t m = 1; m <= M; m++) apply(f, linear, x, m, true, y);
  assert_int_equal(tg_arena_bytes(tg_workspace_arena(f->workspace)), bytes);
  assert_int_equal(tg_engine_primitives(f->engine), primitives);
  tg_linear_free(linear);
  tg_free(w);
  tg_free(x);
  tg_free(y);
}

static int groups(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_shapes),
      cmocka_unit_test(test_deep),
      cmocka_unit_test(test_extremes),
      cmocka_unit_test(test_rows_are_independent),
      cmocka_unit_test(test_stacked),
      cmocka_unit_test(test_outliers_stay_in_their_group),
      cmocka_unit_test(test_keeps_nan),
      cmocka_unit_test(test_rows_of_nibbles),
      cmocka_unit_test(test_groups),
      cmocka_unit_test(test_bad_layers),
      cmocka_unit_test(test_warm_products_take_no_memory),
  };
  return cmocka_run_group_tests(tests, set_up, tear_down);
}

int main(void) {
  return test_each_isa(groups);
}
