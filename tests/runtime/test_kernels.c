/* Small kernels against their specifications: sizes that are no multiple of a vector, extreme values, equal and missing maxima. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "runtime/kernels.h"
#include "runtime/memory.h"
#include "tests/runtime/isa.h"

static const size_t sizes[] = {1, 2, 3, 7, 8, 9, 15, 16, 17, 31, 33, 64, 100, 511, 512, 513, 2000};
enum { N_SIZES = sizeof sizes / sizeof *sizes };

static tg_team *team;

static int set_up(void **state) {
  (void)state;
  return tg_team_new(3, &team, NULL) != T5GIST_OK;
}

static int tear_down(void **state) {
  (void)state;
  tg_team_free(team);
  return 0;
}

static float *floats(size_t n) {
  float *x = NULL;
  assert_int_equal(tg_alloc(&x, n, sizeof *x, NULL), T5GIST_OK);
  return x;
}

static void check_near(float found, float expected, double tolerance) {
  if (!(fabs((double)found - (double)expected) <= tolerance * fmax(1, fabs((double)expected))))
    fail_msg("expected %.9g, found %.9g", (double)expected, (double)found);
}

static void test_rmsnorm(void **state) {
  (void)state;
  uint32_t seed = 1;
  for (size_t i = 0; i < N_SIZES; i++)
    for (size_t rows = 1; rows <= 40; rows += 13) {
      const size_t d = sizes[i];
      float *x = floats(rows * d), *weight = floats(d), *y = floats(rows * d), *expected = floats(rows * d);
      test_fill(x, rows * d, rows == 1 ? 1e-4f : 10, &seed); /* eps matters in the first case */
      test_fill(weight, d, 2, &seed);
      tg_rmsnorm(team, x, weight, rows, d, 1e-6f, y);
      tg_rmsnorm_reference(x, weight, rows, d, 1e-6f, expected);
      for (size_t j = 0; j < rows * d; j++) check_near(y[j], expected[j], 2e-6);
      tg_rmsnorm(team, x, weight, rows, d, 1e-6f, x); /* in place */
      assert_memory_equal(x, y, rows * d * sizeof *x);
      tg_free(x);
      tg_free(weight);
      tg_free(y);
      tg_free(expected);
    }
}

static void test_activations(void **state) {
  (void)state;
  uint32_t seed = 2;
  for (int activation = TG_RELU; activation <= TG_SILU; activation++)
    for (int gated = 0; gated <= 1; gated++)
      for (size_t i = 0; i < N_SIZES; i++) {
        const size_t d_ff = sizes[i], rows = 1 + i % 5 * 3, width = gated ? 2 * d_ff : d_ff;
        float *x = floats(rows * width), *y = floats(rows * d_ff), *expected = floats(rows * d_ff);
        test_fill(x, rows * width, i % 2 ? 3 : 30, &seed);
        tg_activate(team, x, rows, d_ff, (tg_activation)activation, gated, y);
        tg_activate_reference(x, rows, d_ff, (tg_activation)activation, gated, expected);
        for (size_t j = 0; j < rows * d_ff; j++) check_near(y[j], expected[j], gated ? 3e-6 : 3e-7); /* gated: values up to 30 follow */
        tg_free(x);
        tg_free(y);
        tg_free(expected);
      }
}

/* Every float that matters, near enough: the whole range in small steps. */
static void test_activations_are_accurate(void **state) {
  (void)state;
  enum { N = 1 << 16 };
  float *x = floats(N), *y = floats(N), *expected = floats(N);
  for (size_t i = 0; i < N; i++) x[i] = ((float)i - N / 2) * (12.0f / (N / 2));
  for (int activation = TG_GELU_NEW; activation <= TG_SILU; activation++) {
    tg_activate(team, x, 1, N, (tg_activation)activation, false, y);
    tg_activate_reference(x, 1, N, (tg_activation)activation, false, expected);
    for (size_t i = 0; i < N; i++) check_near(y[i], expected[i], 2e-7);
  }
  tg_free(x);
  tg_free(y);
  tg_free(expected);
}

static void test_activations_of_extremes(void **state) {
  (void)state;
  const float x[] __attribute__((aligned(64))) = {0.0f, -0.0f, 1e-30f, -1e-30f, 100, -100, 1e10f, -1e10f, 3e38f, -3e38f, NAN, 1};
  float y[12] __attribute__((aligned(64)));
  for (int activation = TG_RELU; activation <= TG_SILU; activation++) {
    tg_activate(team, x, 1, 12, (tg_activation)activation, false, y);
    for (int i = 0; i < 12; i++)
      if (isnan(x[i]))
        assert_true(isnan(y[i]));
      else
        check_near(y[i], x[i] > 1 || (activation == TG_RELU && x[i] > 0) ? x[i] : fabsf(x[i]) < 1 || x[i] < 0 ? 0 : y[i], 1e-6);
  }
}

static void test_gather(void **state) {
  (void)state;
  enum { ROWS = 5, D = 19 };
  float table[ROWS * D], y[7 * D] __attribute__((aligned(64)));
  uint16_t bf16[ROWS * D];
  unsigned char shifted[sizeof table + 1];
  const int32_t ids[7] = {4, 0, 0, 2, 3, 1, 4};
  uint32_t seed = 4;
  test_fill(table, ROWS * D, 1, &seed);
  memcpy(shifted + 1, table, sizeof table);
  tg_gather(team, shifted + 1, TG_F32, ids, 7, D, y);
  for (size_t i = 0; i < 7 * D; i++) assert_true(y[i] == table[(size_t)ids[i / D] * D + i % D]);
  tg_narrow_bf16(table, ROWS * D, bf16);
  memcpy(shifted + 1, bf16, sizeof bf16);
  tg_gather(team, shifted + 1, TG_BF16, ids, 7, D, y);
  for (size_t i = 0; i < 7 * D; i++) assert_float_equal(y[i], table[(size_t)ids[i / D] * D + i % D], 1.0 / 256);
}

static void test_scale(void **state) {
  (void)state;
  uint32_t seed = 5;
  for (size_t i = 0; i < N_SIZES; i++) {
    const size_t n = sizes[i];
    float *x = floats(n), *y = floats(n);
    test_fill(x, n, 5, &seed);
    tg_scale(team, x, 0.3f, n, y);
    for (size_t j = 0; j < n; j++) assert_true(y[j] == x[j] * 0.3f);
    tg_scale(team, x, 0.3f, n, x);
    assert_memory_equal(x, y, n * sizeof *x);
    tg_free(x);
    tg_free(y);
  }
}

static void test_logsumexp(void **state) {
  (void)state;
  uint32_t seed = 6;
  float *x = floats(40001);
  for (size_t i = 0; i < N_SIZES; i++)
    for (int scale = 0; scale < 3; scale++) {
      const float spread[] = {0, 3, 300};
      test_fill(x, sizes[i] + 1, spread[scale], &seed);
      x[sizes[i] / 2] = sizes[i] > 1 ? -INFINITY : 1;
      check_near(tg_logsumexp(x, sizes[i]), tg_logsumexp_reference(x, sizes[i]), 1e-6);
      check_near(tg_logsumexp(x + 1, sizes[i]), tg_logsumexp_reference(x + 1, sizes[i]), 1e-6);
    }
  test_fill(x, 40001, 8, &seed); /* a vocabulary */
  assert_float_equal(tg_logsumexp(x + 1, 40000), tg_logsumexp_reference(x + 1, 40000), 1e-6 * 20);
  for (size_t i = 0; i < 100; i++) x[i] = -INFINITY;
  assert_true(tg_logsumexp(x, 100) == -INFINITY);
  assert_true(tg_logsumexp(x, 0) == -INFINITY);
  x[50] = 2;
  assert_true(tg_logsumexp(x, 100) == 2);
  x[51] = NAN;
  assert_true(isnan(tg_logsumexp(x, 100)));
  tg_free(x);
}

static void test_argmax(void **state) {
  (void)state;
  uint32_t seed = 7;
  float *x = floats(2001);
  for (size_t i = 0; i < N_SIZES; i++)
    for (int turn = 0; turn < 4; turn++) {
      const size_t n = sizes[i];
      test_fill(x, n + 1, 1, &seed);
      for (size_t j = 0; turn == 1 && j < n; j++) x[j] = (float)(int)(x[j] * 4); /* many equals */
      if (turn == 2) x[n / 3] = NAN;
      if (turn == 3) x[n - 1] = 2;
      assert_int_equal(tg_argmax(x, n), tg_argmax_reference(x, n));
      assert_int_equal(tg_argmax(x + 1, n), tg_argmax_reference(x + 1, n));
    }
  for (size_t i = 0; i < 40; i++) x[i] = NAN;
  assert_int_equal(tg_argmax(x, 40), -1);
  assert_int_equal(tg_argmax(x, 0), -1);
  x[30] = x[20] = -INFINITY;
  assert_int_equal(tg_argmax(x, 40), 20);
  tg_free(x);
}

static void test_first_nonfinite(void **state) {
  (void)state;
  float *x = floats(3000);
  assert_int_equal(tg_first_nonfinite(x, 3000), 3000);
  assert_int_equal(tg_first_nonfinite(x, 0), 0);
  static const size_t places[] = {2999, 1500, 1024, 1023, 5, 0};
  for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
    x[places[i]] = i % 3 == 0 ? NAN : i % 3 == 1 ? INFINITY : -INFINITY;
    assert_int_equal(tg_first_nonfinite(x, 3000), places[i]);
  }
  tg_free(x);
}

static void check_quantized(const float *x, size_t n) {
  int8_t q[2001], expected[2001], low[2001], expected_low[2001];
  memset(q, 99, sizeof q);
  memset(low, 99, sizeof low);
  const float wide = tg_quantize_row_wide(x, n, q, low), expected_wide = tg_quantize_row_wide_reference(x, n, expected, expected_low);
  assert_memory_equal(q, expected, n);
  assert_memory_equal(low, expected_low, n);
  assert_true(low[n] == 99 && (wide == expected_wide || (isnan(wide) && isnan(expected_wide))));
  for (size_t i = 0; i < n && isfinite(wide); i++)
    assert_true(fabs((double)x[i] - ((double)q[i] + (double)low[i] / 254) * (double)wide) <= 0.503 / 254 * (double)wide + 1e-30);
  memset(q, 99, sizeof q);
  const float scale = tg_quantize_row(x, n, q), expected_scale = tg_quantize_row_reference(x, n, expected);
  assert_memory_equal(q, expected, n);
  assert_int_equal(q[n], 99);
  assert_true(scale == expected_scale || (isnan(scale) && isnan(expected_scale)));
  for (size_t i = 0; i < n && isfinite(scale); i++) {
    assert_true(q[i] >= -127);
    assert_true(fabs((double)x[i] - (double)q[i] * (double)scale) <= 0.500001 * (double)scale + 1e-30);
  }
}

static void test_quantize_row(void **state) {
  (void)state;
  uint32_t seed = 17;
  float x[2000];
  static const float scales[] = {1e-36f, 1e-29f, 0.01f, 1, 3e4f, 3e38f};
  for (size_t i = 0; i < N_SIZES; i++)
    for (size_t s = 0; s < sizeof scales / sizeof *scales; s++) {
      test_fill(x, sizes[i], scales[s], &seed);
      check_quantized(x, sizes[i]);
      x[sizes[i] - 1] = s % 2 ? 1.5f * scales[s] : -scales[s]; /* the largest at the very end, of either sign */
      if (isfinite(x[sizes[i] - 1])) check_quantized(x, sizes[i]);
      x[sizes[i] / 2] = s % 3 == 0 ? NAN : s % 3 == 1 ? INFINITY : -INFINITY;
      check_quantized(x, sizes[i]);
    }
  for (int i = -127; i <= 127; i++) x[i + 127] = (float)i + (i < 0 ? 0.5f : i > 0 ? -0.5f : 127); /* ties go to even */
  check_quantized(x, 255);
}

static void test_quantize_rows(void **state) {
  (void)state;
  enum { ROWS = 50, N = 700, STRIDE = 704 };
  uint32_t seed = 18;
  float *x = floats(ROWS * N), scales[ROWS];
  unsigned char *q = NULL;
  assert_int_equal(tg_alloc(&q, ROWS, STRIDE, NULL), T5GIST_OK);
  test_fill(x, ROWS * N, 2, &seed);
  for (int offset = 0; offset <= 128; offset += 128) {
    memset(q, 1, ROWS * STRIDE);
    tg_quantize_rows(team, &(tg_rows){.x = x}, ROWS, N, STRIDE, (unsigned char)offset, q, NULL, scales, NULL);
    for (size_t row = 0; row < ROWS; row++) {
      int8_t expected[N];
      assert_true(scales[row] == tg_quantize_row_reference(x + row * N, N, expected));
      for (size_t i = 0; i < STRIDE; i++) assert_int_equal(q[row * STRIDE + i], (unsigned char)((i < N ? expected[i] : 0) + offset));
    }
  }
  tg_free(x);
  tg_free(q);
}

/* Rows made on the way are those that would have been made before, at every width and for each thread. */
static void check_quantized_rows(const tg_rows *rows, size_t m, size_t n) {
  float *made = floats(m * n), *scratch = floats(3 * n), *scales = floats(m);
  const size_t stride = n + 5;
  unsigned char *q = NULL, *low = NULL;
  int8_t *expected = NULL, *expected_low = NULL;
  assert_int_equal(tg_alloc(&q, m, stride, NULL), T5GIST_OK);
  assert_int_equal(tg_alloc(&low, m, stride, NULL), T5GIST_OK);
  assert_int_equal(tg_alloc(&expected, n, 1, NULL), T5GIST_OK);
  assert_int_equal(tg_alloc(&expected_low, n, 1, NULL), T5GIST_OK);
  tg_make_rows(team, rows, m, n, made);
  tg_quantize_rows(team, rows, m, n, stride, 0, q, low, scales, scratch);
  for (size_t row = 0; row < m; row++) {
    assert_true(scales[row] == tg_quantize_row_wide_reference(made + row * n, n, expected, expected_low));
    assert_memory_equal(q + row * stride, expected, n);
    assert_memory_equal(low + row * stride, expected_low, n);
    for (size_t i = n; i < stride; i++) assert_true(q[row * stride + i] == 0 && low[row * stride + i] == 0);
  }
  tg_free(made);
  tg_free(scratch);
  tg_free(scales);
  tg_free(q);
  tg_free(low);
  tg_free(expected);
  tg_free(expected_low);
}

static void test_quantize_rows_made(void **state) {
  (void)state;
  uint32_t seed = 19;
  for (size_t i = 0; i < N_SIZES; i++)
    for (size_t m = 1; m <= 40; m += 13) {
      const size_t n = sizes[i];
      float *x = floats(m * 2 * n), *weight = floats(n);
      test_fill(x, m * 2 * n, 4, &seed);
      test_fill(weight, n, 2, &seed);
      check_quantized_rows(&(tg_rows){.x = x, .making = TG_NORMED, .weight = weight, .eps = 1e-6f}, m, n);
      check_quantized_rows(&(tg_rows){.x = x, .making = TG_ACTIVATED, .activation = TG_RELU}, m, n);
      check_quantized_rows(&(tg_rows){.x = x, .making = TG_ACTIVATED, .activation = TG_GELU_NEW, .gated = true}, m, n);
      tg_free(x);
      tg_free(weight);
    }
}

static void test_cpu(void **state) {
  (void)state;
  char name[128], cut[8];
  tg_cpu_describe(name, sizeof name);
  tg_cpu_describe(cut, sizeof cut);
  assert_true(strlen(name) > 0 && strlen(cut) < sizeof cut);
  assert_true(tg_cpu_threads() >= 1);
}

static int groups(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_rmsnorm),
      cmocka_unit_test(test_activations),
      cmocka_unit_test(test_activations_are_accurate),
      cmocka_unit_test(test_activations_of_extremes),
      cmocka_unit_test(test_gather),
      cmocka_unit_test(test_scale),
      cmocka_unit_test(test_logsumexp),
      cmocka_unit_test(test_argmax),
      cmocka_unit_test(test_first_nonfinite),
      cmocka_unit_test(test_quantize_row),
      cmocka_unit_test(test_quantize_rows),
      cmocka_unit_test(test_quantize_rows_made),
      cmocka_unit_test(test_cpu),
  };
  return cmocka_run_group_tests(tests, set_up, tear_down);
}

int main(void) {
  return test_each_isa(groups);
}
