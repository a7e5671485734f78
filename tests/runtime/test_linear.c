/* Linear layers: fast products against the specification on odd sizes, independence of rows, one primitive per shape. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "runtime/kernels.h"
#include "runtime/linear.h"
#include "runtime/linear_onednn.h"
#include "runtime/matmul.h"
#include "runtime/simd.h"
#include "tests/runtime/isa.h"
#include "tests/support/engine.h"

static float *floats(size_t n) {
  float *x = NULL;
  assert_int_equal(tg_alloc(&x, n, sizeof *x, NULL), T5GIST_OK);
  return x;
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

/* Products of n_in terms of size up to 1: the rounding of n_in additions. */
static void check_close(const float *found, const float *expected, size_t n, size_t n_in) {
  const double tolerance = 1e-6 + 2e-7 * (double)n_in;
  for (size_t i = 0; i < n; i++)
    if (!(fabs((double)found[i] - (double)expected[i]) <= tolerance))
      fail_msg("value %zu of %zu (%zu inputs): expected %.9g, found %.9g", i, n, n_in, (double)expected[i], (double)found[i]);
}

/* The product computed directly from row-major weights. */
static void product(const float *w, size_t n_out, size_t n_in, const float *x, size_t m, bool accumulate, float *y) {
  for (size_t row = 0; row < m; row++)
    for (size_t o = 0; o < n_out; o++) {
      double sum = accumulate ? (double)y[row * n_out + o] : 0;
      for (size_t i = 0; i < n_in; i++) sum += (double)x[row * n_in + i] * (double)w[o * n_in + i];
      y[row * n_out + o] = (float)sum;
    }
}

static void check_shape(fixture *f, size_t n_in, size_t n_out, size_t m, bool accumulate) {
  uint32_t seed = (uint32_t)(n_in * 31 + n_out * 7 + m);
  const size_t rows = tg_linear_rows(m);
  assert_true(rows >= m);
  float *w = floats(n_out * n_in), *x = floats(rows * n_in), *y = floats(rows * n_out), *expected = floats(rows * n_out),
        *specified = floats(rows * n_out);
  test_fill(w, n_out * n_in, 1, &seed);
  test_fill(x, rows * n_in, 1, &seed);
  test_fill(y, rows * n_out, 1, &seed);
  memcpy(expected, y, rows * n_out * sizeof *y);
  memcpy(specified, y, rows * n_out * sizeof *y);
  const tg_matrix part = {w, TG_F32, n_out, false, NULL, 0};
  tg_linear *linear = new_linear(f, &part, 1, n_in, TG_PRECISION_F32);
  assert_int_equal(tg_linear_n_in(linear), n_in);
  assert_int_equal(tg_linear_n_out(linear), n_out);
  assert_true(tg_linear_bytes(linear) >= n_in * n_out * sizeof(float));
  apply(f, linear, x, m, accumulate, y);
  product(w, n_out, n_in, x, m, accumulate, expected);
  tg_linear_reference(linear, x, m, accumulate, specified);
  check_close(y, expected, m * n_out, n_in);
  check_close(specified, expected, m * n_out, n_in);
  tg_linear_free(linear);
  tg_free(w);
  tg_free(x);
  tg_free(y);
  tg_free(expected);
  tg_free(specified);
}

static void test_shapes(void **state) {
  static const size_t ms[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 31, 33, 65, 100}, widths[] = {1, 3, 16, 63, 64, 65, 130};
  for (size_t m = 0; m < sizeof ms / sizeof *ms; m++)
    for (size_t in = 0; in < sizeof widths / sizeof *widths; in++)
      for (size_t out = 0; out < sizeof widths / sizeof *widths; out++) check_shape(*state, widths[in], widths[out], ms[m], (m + in + out) % 2);
}

static void test_wide_and_deep(void **state) {
  check_shape(*state, 600, 200, 5, true);
  check_shape(*state, 600, 200, 40, true);
  check_shape(*state, 129, 700, 8, false);
  check_shape(*state, 24, 40, 1024 + 17, true); /* more rows than a chunk */
  check_shape(*state, 24, 40, 2048, false);
}

static uint16_t half_bits(float x) { /* normal f16 values only */
  uint32_t bits;
  memcpy(&bits, &x, sizeof bits);
  return (uint16_t)((bits >> 16 & 0x8000) | (((bits >> 13) - ((127 - 15) << 10)) & 0x7fff));
}

static void test_stacked_formats(void **state) {
  fixture *f = *state;
  enum { N_IN = 37, N_A = 70, N_B = 5, N_C = 61, N = N_A + N_B + N_C, M = 11 };
  uint32_t seed = 5;
  float *w = floats(N * N_IN), *x = floats(tg_linear_rows(M) * N_IN), *y = floats(tg_linear_rows(M) * N), *expected = floats(M * N);
  test_fill(x, M * N_IN, 1, &seed);
  uint16_t bf16[N_B * N_IN], f16[N_C * N_IN];
  for (size_t i = 0; i < N * N_IN; i++) w[i] = (float)((int)(test_random(&seed) * 100) * 2 + 1) / 128; /* exact in bf16 and f16 */
  for (size_t i = 0; i < N_B * N_IN; i++) {
    uint32_t bits;
    memcpy(&bits, w + N_A * N_IN + i, sizeof bits);
    bf16[i] = (uint16_t)(bits >> 16);
  }
  for (size_t i = 0; i < N_C * N_IN; i++) f16[i] = half_bits(w[(N_A + N_B) * N_IN + i]);
  unsigned char shifted[sizeof bf16 + 1]; /* tensors of a file may begin at any byte */
  memcpy(shifted + 1, bf16, sizeof bf16);
  const tg_matrix parts[] = {{w, TG_F32, N_A, false, NULL, 0}, {shifted + 1, TG_BF16, N_B, false, NULL, 0}, {f16, TG_F16, N_C, false, NULL, 0}};
  tg_linear *linear = new_linear(f, parts, 3, N_IN, TG_PRECISION_F32);
  for (size_t m = 1; m <= M; m += 10) {
    apply(f, linear, x, m, false, y);
    product(w, N, N_IN, x, m, false, expected);
    check_close(y, expected, m * N, N_IN);
  }
  tg_linear_free(linear);
  tg_free(w);
  tg_free(x);
  tg_free(y);
  tg_free(expected);
}

/* A row alone and the same row among others. */
static void test_rows_are_independent(void **state) {
  fixture *f = *state;
  enum { N_IN = 150, N_OUT = 131, M = 70 };
  uint32_t seed = 9;
  float *w = floats(N_OUT * N_IN), *x = floats(tg_linear_rows(M) * N_IN), *y = floats(tg_linear_rows(M) * N_OUT), *alone = floats(N_OUT);
  test_fill(w, N_OUT * N_IN, 0.1f, &seed);
  test_fill(x, M * N_IN, 1, &seed);
  const tg_matrix part = {w, TG_F32, N_OUT, false, NULL, 0};
  tg_linear *linear = new_linear(f, &part, 1, N_IN, TG_PRECISION_F32);
  for (size_t m = 1; m <= M; m = m < 9 ? m + 1 : m + 13) {
    apply(f, linear, x, m, false, y);
    for (size_t row = 0; row < m; row++) {
      float *own = floats(N_IN);
      memcpy(own, x + row * N_IN, N_IN * sizeof *own);
      apply(f, linear, own, 1, false, alone);
      for (size_t o = 0; o < N_OUT; o++) assert_float_equal(y[row * N_OUT + o], alone[o], 1e-6);
      if (tg_cpu_isa() == TG_ISA_AVX512) assert_memory_equal(y + row * N_OUT, alone, N_OUT * sizeof *alone);
      tg_free(own);
    }
  }
  tg_linear_free(linear);
  tg_free(w);
  tg_free(x);
  tg_free(y);
  tg_free(alone);
}

/* ---------------------------------------------------------------------------------------------------------------------------- bf16 */

static void round_to_bf16(float *x, size_t n) {
  for (size_t i = 0; i < n; i++) {
    uint16_t rounded;
    tg_narrow_bf16(x + i, 1, &rounded);
    tg_widen(&rounded, TG_BF16, 1, x + i);
  }
}

/* A layer of weights that must be rounded, against the product of what is left of them and of the activations. */
static void check_bf16(fixture *f, size_t n_in, size_t n_out, size_t m, bool accumulate) {
  uint32_t seed = (uint32_t)(n_in * 31 + n_out * 7 + m);
  float *w = floats(n_out * n_in), *x = floats(m * n_in), *y = floats(m * n_out), *expected = floats(m * n_out), *specified = floats(m * n_out);
  test_fill(w, n_out * n_in, 1, &seed);
  test_fill(x, m * n_in, 1, &seed);
  test_fill(y, m * n_out, 1, &seed);
  memcpy(expected, y, m * n_out * sizeof *y);
  memcpy(specified, y, m * n_out * sizeof *y);
  const tg_matrix part = {w, TG_F32, n_out, false, NULL, 0};
  tg_linear *linear = new_linear(f, &part, 1, n_in, TG_PRECISION_BF16);
  assert_true(tg_linear_bytes(linear) >= n_in * n_out * 2 && tg_linear_bytes(linear) <= 2 * (n_in + 1) * (n_out + 63));
  apply(f, linear, x, m, accumulate, y);
  tg_linear_reference(linear, x, m, accumulate, specified);
  round_to_bf16(w, n_out * n_in);
  if (tg_cpu_bf16()) round_to_bf16(x, m * n_in);
  product(w, n_out, n_in, x, m, accumulate, expected);
  check_close(y, expected, m * n_out, n_in);
  check_close(specified, expected, m * n_out, n_in);
  tg_linear_free(linear);
  tg_free(w);
  tg_free(x);
  tg_free(y);
  tg_free(expected);
  tg_free(specified);
}

static void test_bf16_shapes(void **state) {
  static const size_t ms[] = {1, 2, 3, 4, 5, 6, 7, 8, 13, 33, 65, 100}, widths[] = {1, 2, 3, 16, 63, 64, 65, 130};
  for (size_t m = 0; m < sizeof ms / sizeof *ms; m++)
    for (size_t in = 0; in < sizeof widths / sizeof *widths; in++)
      for (size_t out = 0; out < sizeof widths / sizeof *widths; out++) check_bf16(*state, widths[in], widths[out], ms[m], (m + in + out) % 2);
  check_bf16(*state, 601, 200, 5, true);
  check_bf16(*state, 600, 200, 49, false);
  check_bf16(*state, 24, 40, 1024 + 17, true);
}

/* Neither mates nor threads change a bit, on any machine. */
static void test_bf16_rows_are_independent(void **state) {
  fixture *f = *state;
  enum { N_IN = 151, N_OUT = 131, M = 110 };
  uint32_t seed = 9;
  float *w = floats(N_OUT * N_IN), *x = floats(M * N_IN), *y = floats(M * N_OUT), *alone = floats(M * N_OUT);
  test_fill(w, N_OUT * N_IN, 0.1f, &seed);
  test_fill(x, M * N_IN, 1, &seed);
  const tg_matrix part = {w, TG_F32, N_OUT, false, NULL, 0};
  tg_linear *linear = new_linear(f, &part, 1, N_IN, TG_PRECISION_BF16);
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

/* Weights stored in bf16 are taken as they are, also at odd addresses and in rows of odd length, and others rounded to the nearest. */
static void test_bf16_stored(void **state) {
  fixture *f = *state;
  for (size_t n_in = 35; n_in <= 36; n_in++) {
    enum { N_A = 70, N_B = 9, N_OUT = N_A + N_B, M = 11 };
    uint32_t seed = 21;
    float *w = floats(N_OUT * n_in), *x = floats(M * n_in), *y = floats(M * N_OUT), *expected = floats(M * N_OUT);
    unsigned char *stored = NULL;
    assert_int_equal(tg_alloc(&stored, N_OUT * n_in + 1, 2, NULL), T5GIST_OK);
    test_fill(w, N_OUT * n_in, 1, &seed);
    test_fill(x, M * n_in, 1, &seed);
    for (size_t i = 0; i < N_OUT * n_in; i++) {
      uint16_t narrow;
      tg_narrow_bf16(w + i, 1, &narrow);
      memcpy(stored + 1 + 2 * i, &narrow, 2);
    }
    const tg_matrix floating = {w, TG_F32, N_OUT, false, NULL, 0};
    const tg_matrix parts[] = {{stored + 1, TG_BF16, N_A, false, NULL, 0}, {stored + 1 + 2 * N_A * n_in, TG_BF16, N_B, false, NULL, 0}};
    tg_linear *from_floats = new_linear(f, &floating, 1, n_in, TG_PRECISION_BF16), *from_stored = new_linear(f, parts, 2, n_in, TG_PRECISION_BF16);
    apply(f, from_floats, x, M, false, expected);
    apply(f, from_stored, x, M, false, y);
    assert_memory_equal(y, expected, M * N_OUT * sizeof *y);
    tg_linear_free(from_floats);
    tg_linear_free(from_stored);
    tg_free(w);
    tg_free(x);
    tg_free(y);
    tg_free(expected);
    tg_free(stored);
  }
}

static void test_bf16_keeps_nan(void **state) {
  fixture *f = *state;
  enum { N = 41, M = 7 };
  uint32_t seed = 4;
  float *w = floats(N * N), *x = floats(M * N), *y = floats(M * N);
  test_fill(w, N * N, 1, &seed);
  test_fill(x, M * N, 1, &seed);
  x[7] = NAN;
  x[2 * N] = x[2 * N + 40] = INFINITY; /* at the ends of a row: the rows beside it must not see them */
  const tg_matrix part = {w, TG_F32, N, false, NULL, 0};
  tg_linear *linear = new_linear(f, &part, 1, N, TG_PRECISION_BF16);
  apply(f, linear, x, M, false, y);
  for (size_t i = 0; i < M * N; i++) assert_int_equal(isfinite(y[i]) != 0, i / N != 0 && i / N != 2);
  tg_linear_free(linear);
  tg_free(w);
  tg_free(x);
  tg_free(y);
}

/* The widening product, which machines with products of pairs do not use: the table's own, whatever the machine. */
static void test_bf16_by_widening(void **state) {
  enum { MOST_IN = 200, MOST_ROWS = 13 };
  (void)state;
  uint32_t seed = 8;
  float *w = floats(64 * MOST_IN), *x = floats(MOST_ROWS * MOST_IN), *y = floats(MOST_ROWS * 64), *expected = floats(MOST_ROWS * 64);
  uint16_t *block = NULL;
  assert_int_equal(tg_alloc(&block, 64 * (MOST_IN + 1), sizeof *block, NULL), T5GIST_OK);
  for (size_t n_in = 1; n_in <= MOST_IN; n_in = n_in < 5 ? n_in + 1 : n_in * 2 - 3)
    for (size_t rows = 1; rows <= MOST_ROWS; rows += 2) {
      test_fill(w, 64 * n_in, 1, &seed);
      test_fill(x, rows * n_in, 1, &seed);
      round_to_bf16(w, 64 * n_in);
      memset(block, 0xff, 64 * (n_in + 1) * sizeof *block); /* NaN where there is no input */
      for (size_t o = 0; o < 64; o++)
        for (size_t i = 0; i < n_in; i++) tg_narrow_bf16(&w[o * n_in + i], 1, &block[i / 2 * 128 + o * 2 + i % 2]);
      tg_simd_best()->multiply_pairs(x, n_in, block, rows, y);
      product(w, 64, n_in, x, rows, false, expected);
      check_close(y, expected, rows * 64, n_in);
    }
  tg_free(w);
  tg_free(x);
  tg_free(y);
  tg_free(expected);
  tg_free(block);
}

/* ---------------------------------------------------------------------------------------------------------------------------- int8 */

/* The product in whole numbers, from weights and activations quantised here; every way to it must give these very bits. */
static void int8_product(const float *w, size_t n_out, size_t n_in, const float *x, size_t m, bool wide, bool accumulate, float *y) {
  int8_t *qx = NULL, *qw = NULL, *low = NULL;
  assert_int_equal(tg_alloc(&low, n_in, 1, NULL), T5GIST_OK);
  assert_int_equal(tg_alloc(&qx, n_in, 1, NULL), T5GIST_OK);
  assert_int_equal(tg_alloc(&qw, n_in, 1, NULL), T5GIST_OK);
  for (size_t row = 0; row < m; row++) {
    const float x_scale = tg_quantize_row_wide_reference(x + row * n_in, n_in, qx, low);
    for (size_t o = 0; o < n_out; o++) {
      const float w_scale = tg_quantize_row_reference(w + o * n_in, n_in, qw), scale = w_scale * x_scale, low_scale = w_scale * (x_scale / 254);
      int32_t sum = 0, low_sum = 0;
      for (size_t i = 0; i < n_in; i++) sum += qx[i] * qw[i];
      for (size_t i = 0; i < n_in; i++) low_sum += low[i] * qw[i];
      const float value = (float)sum * scale, low_value = (float)low_sum * low_scale;
      y[row * n_out + o] = accumulate ? y[row * n_out + o] + value : value;
      if (wide) y[row * n_out + o] += low_value;
    }
  }
  tg_free(low);
  tg_free(qx);
  tg_free(qw);
}

static void check_int8_as(fixture *f, tg_precision precision, const float *w, size_t n_out, size_t n_in, const float *x, size_t m, bool accumulate) {
  uint32_t seed = 3;
  float *y = floats(m * n_out), *expected = floats(m * n_out), *specified = floats(m * n_out);
  test_fill(y, m * n_out, 1, &seed);
  memcpy(expected, y, m * n_out * sizeof *y);
  memcpy(specified, y, m * n_out * sizeof *y);
  const tg_matrix part = {w, TG_F32, n_out, false, NULL, 0};
  tg_linear *linear = new_linear(f, &part, 1, n_in, precision);
  assert_true(tg_linear_bytes(linear) >= n_in * n_out && tg_linear_bytes(linear) <= (n_in + 72) * (n_out + 64));
  apply(f, linear, x, m, accumulate, y);
  int8_product(w, n_out, n_in, x, m, precision == TG_PRECISION_INT8X16, accumulate, expected);
  tg_linear_reference(linear, x, m, accumulate, specified);
  for (size_t i = 0; i < m * n_out; i++)
    if (memcmp(&y[i], &expected[i], sizeof *y) != 0)
      fail_msg("%zu -> %zu, %zu rows: value %zu: expected %.9g, found %.9g", n_in, n_out, m, i, (double)expected[i], (double)y[i]);
  assert_memory_equal(specified, expected, m * n_out * sizeof *y);
  tg_linear_free(linear);
  tg_free(y);
  tg_free(expected);
  tg_free(specified);
}

static void check_int8(fixture *f, const float *w, size_t n_out, size_t n_in, const float *x, size_t m, bool accumulate) {
  check_int8_as(f, TG_PRECISION_INT8, w, n_out, n_in, x, m, accumulate);
  if (m % 2) check_int8_as(f, TG_PRECISION_INT8X16, w, n_out, n_in, x, m, accumulate);
}

static void test_int8_shapes(void **state) {
  static const size_t ms[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 13, 31, 33, 65, 301}, widths[] = {1, 3, 16, 63, 64, 65, 130, 200};
  uint32_t seed = 11;
  float *w = floats(200 * 200), *x = floats(301 * 200);
  for (size_t m = 0; m < sizeof ms / sizeof *ms; m++)
    for (size_t in = 0; in < sizeof widths / sizeof *widths; in++)
      for (size_t out = 0; out < sizeof widths / sizeof *widths; out += ms[m] == 301 ? 3 : 1) {
        test_fill(w, widths[out] * widths[in], 0.2f, &seed);
        test_fill(x, ms[m] * widths[in], 3, &seed);
        check_int8(*state, w, widths[out], widths[in], x, ms[m], (m + in + out) % 2);
      }
  tg_free(w);
  tg_free(x);
}

/* The largest bytes everywhere, in every combination of signs: nothing saturates on the way. */
static void test_int8_extremes(void **state) {
  enum { N_IN = 2048, N_OUT = 70, M = 40 };
  float *w = floats(N_OUT * N_IN), *x = floats(M * N_IN);
  for (size_t i = 0; i < N_OUT * N_IN; i++) w[i] = i / N_IN % 3 == 0 ? 1 : i / N_IN % 3 == 1 ? -1 : i % 2 ? 1 : -1;
  for (size_t i = 0; i < M * N_IN; i++) x[i] = i / N_IN % 2 ? -5 : 5;
  for (size_t m = 1; m <= M; m += 13) check_int8(*state, w, N_OUT, N_IN, x, m, false);
  memset(x, 0, M * N_IN * sizeof *x); /* rows and outputs of zeros */
  memset(w, 0, N_IN * sizeof *w);
  x[N_IN + 5] = 1;
  check_int8(*state, w, N_OUT, N_IN, x, M, true);
  tg_free(w);
  tg_free(x);
}

/* Other rows of a product change no bit, nor does their number. */
static void test_int8_rows_are_independent(void **state) {
  fixture *f = *state;
  enum { N_IN = 150, N_OUT = 131, M = 290 };
  uint32_t seed = 9;
  float *w = floats(N_OUT * N_IN), *x = floats(M * N_IN), *y = floats(M * N_OUT), *alone = floats(M * N_OUT);
  test_fill(w, N_OUT * N_IN, 0.1f, &seed);
  test_fill(x, M * N_IN, 1, &seed);
  const tg_matrix part = {w, TG_F32, N_OUT, false, NULL, 0};
  tg_linear *linear = new_linear(f, &part, 1, N_IN, TG_PRECISION_INT8);
  for (size_t row = 0; row < M; row++) apply(f, linear, x + row * N_IN, 1, false, alone + row * N_OUT);
  for (size_t m = 1; m <= M; m = m < 20 ? m + 1 : m + 45) {
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

/* oneDNN's products, in use where the machine has tiles, beside ours. */
static void test_int8_by_onednn(void **state) {
  fixture *f = *state;
  enum { DEPTH = 192, N_OUT = 1001, PADDED = 1024, M = 33 };
  uint32_t seed = 17;
  unsigned char *x = NULL, *low = NULL;
  int8_t *weights = NULL;
  int32_t *offsets = NULL;
  float *scales = floats(PADDED), *x_scales = floats(M), *y = floats(M * N_OUT), *expected = floats(M * N_OUT);
  assert_int_equal(tg_alloc(&x, M, DEPTH, NULL), T5GIST_OK);
  assert_int_equal(tg_alloc(&low, M, DEPTH, NULL), T5GIST_OK);
  assert_int_equal(tg_alloc(&weights, PADDED, DEPTH, NULL), T5GIST_OK);
  assert_int_equal(tg_alloc(&offsets, PADDED, sizeof *offsets, NULL), T5GIST_OK);
  for (size_t i = 0; i < M * DEPTH; i++) {
    x[i] = (unsigned char)(128 + 127 * test_random(&seed));
    low[i] = (unsigned char)(128 + 127 * test_random(&seed));
  }
  for (size_t i = 0; i < PADDED * DEPTH; i++) weights[i] = (int8_t)(127 * test_random(&seed));
  for (size_t i = 0; i < N_OUT; i++) offsets[i] = (int32_t)(1e5f * test_random(&seed));
  test_fill(scales, N_OUT, 1, &seed);
  test_fill(x_scales, M, 1, &seed);
  for (int variant = 0; tg_cpu_vnni() && variant < 4; variant++) {
    tg_int8_product product = {.x = x,
                               .x_scales = x_scales,
                               .weights = weights,
                               .scales = scales,
                               .offsets = offsets,
                               .y = expected,
                               .m = M,
                               .depth = DEPTH,
                               .n_out = N_OUT,
                               .accumulate = variant & 1};
    if (variant & 2) product.low = low, product.low_scales = x_scales;
    test_fill(y, M * N_OUT, 1, &seed);
    memcpy(expected, y, M * N_OUT * sizeof *y);
    tg_int8_multiply(NULL, &product);
    product.y = y;
    assert_int_equal(tg_onednn_multiply_int8(f->workspace, &product, NULL), T5GIST_OK);
    assert_memory_equal(y, expected, M * N_OUT * sizeof *y);
  }
  tg_free(x);
  tg_free(low);
  tg_free(weights);
  tg_free(offsets);
  tg_free(scales);
  tg_free(x_scales);
  tg_free(y);
  tg_free(expected);
}

/* Bytes with scales are what quantising gives; in f32 they are the numbers they stand for. */
/* One large number among many small ones: two bytes of activation keep the small ones' sum, one loses it. */
/* Whatever the precision: rows that a layer takes up as they are made give the bits of rows made before. */
static void test_rows_made_on_the_way(void **state) {
  fixture *f = *state;
  static const tg_precision precisions[] = {TG_PRECISION_F32, TG_PRECISION_BF16, TG_PRECISION_INT8, TG_PRECISION_INT8X16, TG_PRECISION_INT4};
  static const size_t widths[] = {1, 65, 700}, ms[] = {1, 7, 60};
  enum { N_OUT = 70 };
  uint32_t seed = 77;
  for (size_t i = 0; i < 3 * 3 * sizeof precisions / sizeof *precisions; i++) {
    const size_t n_in = widths[i % 3], m = ms[i / 3 % 3], rows = tg_linear_rows(m);
    float *w = floats(N_OUT * n_in), *x = floats(rows * 2 * n_in), *norm = floats(n_in), *made = floats(rows * n_in), *room = floats(rows * n_in);
    float *y = floats(rows * N_OUT), *expected = floats(rows * N_OUT);
    test_fill(w, N_OUT * n_in, 1, &seed);
    test_fill(x, rows * 2 * n_in, 1, &seed);
    test_fill(norm, n_in, 1, &seed);
    const tg_matrix part = {w, TG_F32, N_OUT, false, NULL, 0};
    const tg_rows kinds[] = {{.x = x},
                             {.x = x, .making = TG_NORMED, .weight = norm, .eps = 1e-6f},
                             {.x = x, .making = TG_ACTIVATED, .activation = TG_GELU_NEW, .gated = true}};
    tg_linear *linear = new_linear(f, &part, 1, n_in, precisions[i / 9]);
    for (size_t kind = 0; kind < 3; kind++) {
      t5gist_error err = {0};
      if (kind > 0) tg_make_rows(NULL, &kinds[kind], m, n_in, made);
      apply(f, linear, kind > 0 ? made : x, m, false, expected);
      if (tg_linear_apply_rows(linear, f->workspace, &kinds[kind], m, false, room, y, &err) != T5GIST_OK) fail_msg("%s", err.message);
      assert_memory_equal(y, expected, m * N_OUT * sizeof *y);
    }
    tg_linear_free(linear);
    tg_free(w);
    tg_free(x);
    tg_free(norm);
    tg_free(made);
    tg_free(room);
    tg_free(y);
    tg_free(expected);
  }
}

static void test_int8x16_keeps_small_numbers(void **state) {
  fixture *f = *state;
  enum { N_IN = 512, N_OUT = 64, M = 5 };
  uint32_t seed = 33;
  float *w = floats(N_OUT * N_IN), *x = floats(M * N_IN), *y = floats(M * N_OUT), *expected = floats(M * N_OUT);
  for (size_t i = 0; i < N_OUT * N_IN; i++) w[i] = (float)(int)(test_random(&seed) * 127); /* bytes already: only activations are rounded */
  for (size_t o = 0; o < N_OUT; o++) w[o * N_IN] = 127;
  test_fill(x, M * N_IN, 1, &seed);
  for (size_t row = 0; row < M; row++) x[row * N_IN + 3] = 500;
  product(w, N_OUT, N_IN, x, M, false, expected);
  double errors[2] = {0};
  for (int wide = 0; wide < 2; wide++) {
    const tg_matrix part = {w, TG_F32, N_OUT, false, NULL, 0};
    tg_linear *linear = new_linear(f, &part, 1, N_IN, wide ? TG_PRECISION_INT8X16 : TG_PRECISION_INT8);
    apply(f, linear, x, M, false, y);
    for (size_t i = 0; i < M * N_OUT; i++) errors[wide] = fmax(errors[wide], fabs((double)y[i] - (double)expected[i]));
    tg_linear_free(linear);
  }
  assert_true(errors[0] > 500); /* of sums of about 40 * sqrt(512) beside the large number's */
  assert_true(errors[1] < 40);
  tg_free(w);
  tg_free(x);
  tg_free(y);
  tg_free(expected);
}

static void test_stored_bytes(void **state) {
  fixture *f = *state;
  for (size_t n_in = 33; n_in <= 36; n_in += 3) {
    enum { N_A = 70, N_B = 9, N_OUT = N_A + N_B, M = 11 };
    uint32_t seed = 21;
    float *w = floats(N_OUT * n_in), *x = floats(tg_linear_rows(M) * n_in), *y = floats(tg_linear_rows(M) * N_OUT),
          *expected = floats(tg_linear_rows(M) * N_OUT), scales[N_OUT];
    int8_t *q = NULL;
    assert_int_equal(tg_alloc(&q, N_OUT * n_in + 1, 1, NULL), T5GIST_OK);
    test_fill(w, N_OUT * n_in, 1, &seed);
    test_fill(x, M * n_in, 1, &seed);
    for (size_t o = 0; o < N_OUT; o++) scales[o] = tg_quantize_row(w + o * n_in, n_in, q + 1 + o * n_in);
    const tg_matrix floating = {w, TG_F32, N_OUT, false, NULL, 0};
    const tg_matrix bytes[] = {{q + 1, TG_I8, N_A, false, scales, 0}, {q + 1 + N_A * n_in, TG_I8, N_B, false, scales + N_A, 0}};
    tg_linear *from_floats = new_linear(f, &floating, 1, n_in, TG_PRECISION_INT8), *from_bytes = new_linear(f, bytes, 2, n_in, TG_PRECISION_INT8),
              *widened = new_linear(f, bytes, 2, n_in, TG_PRECISION_F32);
    apply(f, from_floats, x, M, false, expected);
    apply(f, from_bytes, x, M, false, y);
    assert_memory_equal(y, expected, M * N_OUT * sizeof *y);
    for (size_t i = 0; i < N_OUT * n_in; i++) w[i] = (float)q[1 + i] * scales[i / n_in];
    apply(f, widened, x, M, false, y);
    product(w, N_OUT, n_in, x, M, false, expected);
    check_close(y, expected, M * N_OUT, n_in);
    tg_linear_free(from_floats);
    tg_linear_free(from_bytes);
    tg_linear_free(widened);
    tg_free(w);
    tg_free(x);
    tg_free(y);
    tg_free(expected);
    tg_free(q);
  }
}

static void test_int8_keeps_nan(void **state) {
  fixture *f = *state;
  enum { N = 40, M = 3 };
  uint32_t seed = 4;
  float *w = floats(N * N), *x = floats(M * N), *y = floats(M * N);
  test_fill(w, N * N, 1, &seed);
  test_fill(x, M * N, 1, &seed);
  x[7] = NAN;
  x[2 * N + 39] = -INFINITY;
  const tg_matrix part = {w, TG_F32, N, false, NULL, 0};
  tg_linear *linear = new_linear(f, &part, 1, N, TG_PRECISION_INT8);
  apply(f, linear, x, M, false, y);
  for (size_t i = 0; i < M * N; i++) assert_int_equal(isnan(y[i]) != 0, i / N != 1);
  tg_linear_free(linear);
  tg_free(w);
  tg_free(x);
  tg_free(y);
}

static void check_warm_products(fixture *f, tg_precision precision, size_t most, bool primitives_expected) {
  enum { N_IN = 48, N_OUT = 80 };
  float *w = floats(N_OUT * N_IN), *x = floats(tg_linear_rows(most) * N_IN), *y = floats(tg_linear_rows(most) * N_OUT);
  const tg_matrix part = {w, TG_F32, N_OUT, false, NULL, 0};
  tg_linear *one = new_linear(f, &part, 1, N_IN, precision), *other = new_linear(f, &part, 1, N_IN, precision);
  const uint64_t before = tg_engine_primitives(f->engine);
  for (size_t m = 1; m <= most; m++) {
    apply(f, one, x, m, false, y);
    apply(f, one, x, m, true, y);
  }
  const uint64_t primitives = tg_engine_primitives(f->engine);
  const size_t bytes = tg_arena_bytes(tg_workspace_arena(f->workspace));
  assert_true(primitives > before || !primitives_expected);
  for (int repeat = 0; repeat < 3; repeat++)
    for (size_t m = 1; m <= most; m++) {
      apply(f, one, x, m, false, y);
      apply(f, other, x, m, true, y); /* another layer of the same shape shares them */
    }
  assert_int_equal(tg_engine_primitives(f->engine), primitives);
  assert_int_equal(tg_arena_bytes(tg_workspace_arena(f->workspace)), bytes);
  tg_linear_free(one);
  tg_linear_free(other);
  tg_free(w);
  tg_free(x);
  tg_free(y);
}

static void test_warm_products_create_nothing(void **state) {
  check_warm_products(*state, TG_PRECISION_F32, 20, tg_cpu_isa() != TG_ISA_AVX512);
  check_warm_products(*state, TG_PRECISION_BF16, 70, false);
  check_warm_products(*state, TG_PRECISION_INT8, 170, tg_cpu_vnni() && tg_matmul_has_tiles());
}

static void test_bad_layers(void **state) {
  fixture *f = *state;
  static const float w[4];
  tg_linear *linear = NULL;
  t5gist_error err = {0};
  const tg_matrix empty = {w, TG_F32, 0, false, NULL, 0}, integers = {w, TG_I8, 2, false, NULL, 0},
                  huge = {w, TG_F32, (size_t)1 << 62, false, NULL, 0};
  assert_int_equal(tg_linear_new(f->engine, &empty, 1, 2, TG_PRECISION_F32, &linear, &err), T5GIST_EFORMAT);
  assert_non_null(strstr(err.message, "at least one"));
  assert_int_equal(tg_linear_new(f->engine, &integers, 1, 2, TG_PRECISION_F32, &linear, &err), T5GIST_EFORMAT);
  assert_non_null(strstr(err.message, "I8"));
  assert_int_equal(tg_linear_new(f->engine, &(tg_matrix){w, TG_F32, 1, false, NULL, 0}, 1, 65537, TG_PRECISION_INT8, &linear, &err),
                   T5GIST_EUNSUPPORTED);
  assert_non_null(strstr(err.message, "65537"));
  assert_int_equal(tg_linear_new(f->engine, &huge, 1, 1024, TG_PRECISION_F32, &linear, &err), T5GIST_ENOMEM);
  assert_null(linear);
  tg_linear_free(NULL);
  tg_engine *engine = NULL;
  assert_int_equal(tg_engine_new(0, &engine, &err), T5GIST_EUSAGE);
}

static void test_bucket_sizes(void **state) {
  (void)state;
  size_t distinct = 0, previous = 0;
  for (size_t m = 1; m <= 1024; m++) {
    const size_t rows = tg_linear_rows(m);
    assert_true(rows >= m && rows <= 1024 && rows >= previous);
    assert_int_equal(tg_linear_rows(rows), rows);
    distinct += rows != previous;
    previous = rows;
  }
  if (tg_cpu_isa() == TG_ISA_AVX512) {
    assert_int_equal(distinct, 1024); /* no primitives, no buckets */
  } else {
    assert_true(distinct <= 40);
    assert_int_equal(tg_linear_rows(1024 + 3), 1024 + 4);
  }
}

/* A product by oneDNN, with everything that the process prints, as bytes from a child of its own: variables are read once per process. */
static size_t product_of_child(bool hostile, char *bytes, size_t size) {
  static const char *const variables[][2] = {
      {"VERBOSE", "2"}, {"JIT_DUMP", "1"}, {"MAX_CPU_ISA", "SSE41"}, {"DEFAULT_FPMATH_MODE", "BF16"}, {"JIT_PROFILE", "6"}};
  enum { N = 96, M = 16 };
  int ends[2];
  assert_int_equal(pipe(ends), 0);
  fflush(NULL);
  const pid_t child = fork();
  assert_true(child >= 0);
  if (child == 0) {
    for (size_t i = 0; hostile && i < sizeof variables / sizeof *variables; i++) {
      char name[64];
      snprintf(name, sizeof name, "ONEDNN_%s", variables[i][0]);
      setenv(name, variables[i][1], 1);
      snprintf(name, sizeof name, "DNNL_%s", variables[i][0]);
      setenv(name, variables[i][1], 1);
    }
    dup2(ends[1], STDOUT_FILENO);
    dup2(ends[1], STDERR_FILENO);
    if (tg_cpu_isa() > TG_ISA_AVX2) tg_cpu_limit_isa(TG_ISA_AVX2);
    void *state = NULL;
    uint32_t seed = 1;
    if (set_up(&state) != 0) _exit(1);
    float *w = floats(N * N), *x = floats(M * N), *y = floats(M * N);
    test_fill(w, N * N, 1, &seed);
    test_fill(x, M * N, 1, &seed);
    apply(state, new_linear(state, &(tg_matrix){w, TG_F32, N, false, NULL, 0}, 1, N, TG_PRECISION_F32), x, M, false, y);
    fwrite(y, sizeof *y, M * N, stdout);
    fflush(NULL);
    _exit(0);
  }
  close(ends[1]);
  size_t n = 0;
  for (ssize_t got = 1; got > 0 && n < size; n += (size_t)got) assert_true((got = read(ends[0], bytes + n, size - n)) >= 0);
  close(ends[0]);
  int status = 1;
  assert_int_equal(waitpid(child, &status, 0), child);
  assert_int_equal(status, 0);
  assert_true(n >= M * N * sizeof(float));
  return n;
}

/* oneDNN's variables neither print, nor write files, nor change a bit. */
static void test_environment_does_not_matter(void **state) {
  (void)state;
  static char plain[1 << 16], hostile[1 << 16];
  const size_t n = product_of_child(false, plain, sizeof plain);
  assert_int_equal(product_of_child(true, hostile, sizeof hostile), n);
  assert_memory_equal(plain, hostile, n);
}

static int groups(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_shapes),
      cmocka_unit_test(test_wide_and_deep),
      cmocka_unit_test(test_stacked_formats),
      cmocka_unit_test(test_rows_are_independent),
      cmocka_unit_test(test_bf16_shapes),
      cmocka_unit_test(test_bf16_rows_are_independent),
      cmocka_unit_test(test_bf16_stored),
      cmocka_unit_test(test_bf16_keeps_nan),
      cmocka_unit_test(test_bf16_by_widening),
      cmocka_unit_test(test_int8_shapes),
      cmocka_unit_test(test_int8_extremes),
      cmocka_unit_test(test_int8_rows_are_independent),
      cmocka_unit_test(test_int8_by_onednn),
      cmocka_unit_test(test_rows_made_on_the_way),
      cmocka_unit_test(test_int8x16_keeps_small_numbers),
      cmocka_unit_test(test_stored_bytes),
      cmocka_unit_test(test_int8_keeps_nan),
      cmocka_unit_test(test_warm_products_create_nothing),
      cmocka_unit_test(test_bad_layers),
      cmocka_unit_test(test_bucket_sizes),
  };
  return cmocka_run_group_tests(tests, set_up, tear_down);
}

int main(void) {
  const struct CMUnitTest before_onednn_is_used[] = {cmocka_unit_test(test_environment_does_not_matter)};
  const int failed = cmocka_run_group_tests(before_onednn_is_used, NULL, NULL);
  return test_each_isa(groups) != 0 || failed != 0;
}
