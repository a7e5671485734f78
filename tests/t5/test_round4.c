/* Rounding to 4 bits: what each way leaves, that a row depends on itself alone, and what is not a number. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "runtime/int4.h"
#include "runtime/memory.h"
#include "t5/random.h"
#include "t5/round4.h"

enum { MOST_IN = 300, MOST_OUT = 40, N_SEEN = 200 };

/* Roughly normal. */
static float draw(uint64_t key, uint64_t i) {
  float sum = 0;
  for (uint64_t k = 0; k < 4; k++) sum += (float)(tg_random_at(key, 4 * i + k) >> 40) * 0x1p-24f - 0.5f;
  return sum;
}

static void fill(float *x, size_t n, uint64_t seed) {
  for (size_t i = 0; i < n; i++) x[i] = draw(tg_random_key(seed, 1), i);
}

typedef struct rounded {
  unsigned char nibbles[MOST_OUT * MOST_IN / 2 + MOST_OUT];
  float scales[MOST_OUT * (MOST_IN / 32 + 1)], back[MOST_OUT * MOST_IN];
} rounded;

static void round_rows(const float *rows, size_t n, size_t n_in, size_t group, tg_rounding rounding, const tg_inputs *inputs, int threads,
                       rounded *out) {
  t5gist_error err = {0};
  tg_team *team = NULL;
  tg_rounder *rounder = NULL;
  memset(out, 0, sizeof *out);
  if (threads) assert_int_equal(tg_team_new(threads, &team, &err), T5GIST_OK);
  if (tg_rounder_new(n_in, group, rounding, inputs, team, &rounder, &err) != T5GIST_OK) fail_msg("%s", err.message);
  tg_rounder_round(rounder, rows, n, out->nibbles, out->scales);
  for (size_t i = 0; i < n; i++)
    tg_widen_row4(out->nibbles + i * tg_int4_row_bytes(n_in), out->scales + i * tg_int4_groups(n_in, group), n_in, group, out->back + i * n_in);
  tg_rounder_free(rounder);
  tg_team_free(team);
}

static double squared_error(const float *a, const float *b, size_t n) {
  double sum = 0;
  for (size_t i = 0; i < n; i++) sum += ((double)a[i] - (double)b[i]) * ((double)a[i] - (double)b[i]);
  return sum;
}

/* Of products with inputs. */
static double output_error(const float *w, const float *back, size_t n_out, const tg_inputs *inputs) {
  double sum = 0;
  for (size_t o = 0; o < n_out; o++)
    for (size_t r = 0; r < inputs->n; r++) {
      double y = 0;
      for (size_t i = 0; i < inputs->n_in; i++)
        y += ((double)w[o * inputs->n_in + i] - (double)back[o * inputs->n_in + i]) * (double)inputs->rows[r * inputs->n_in + i];
      sum += y * y;
    }
  return sum;
}

static void test_nearest_and_search(void **state) {
  static const size_t widths[] = {1, 7, 32, 63, 64, 130, 257}, groups[] = {32, 64, 128};
  static float w[MOST_OUT * MOST_IN];
  static rounded nearest, searched;
  (void)state;
  for (size_t k = 0; k < sizeof widths / sizeof *widths; k++) {
    for (size_t g = 0; g < sizeof groups / sizeof *groups; g++) {
      const size_t n_in = widths[k], n = 17, row = tg_int4_row_bytes(n_in), n_groups = tg_int4_groups(n_in, groups[g]);
      unsigned char own[MOST_IN];
      float scales[MOST_IN];
      fill(w, n * n_in, k + 10 * g);
      round_rows(w, n, n_in, groups[g], TG_ROUND_NEAREST, NULL, 0, &nearest);
      for (size_t i = 0; i < n; i++) {
        memset(own, 0, row);
        tg_quantize_row4(w + i * n_in, n_in, groups[g], own, scales);
        assert_memory_equal(own, nearest.nibbles + i * row, row);
        assert_memory_equal(scales, nearest.scales + i * n_groups, n_groups * sizeof *scales);
      }
      round_rows(w, n, n_in, groups[g], TG_ROUND_SEARCH, NULL, 0, &searched);
      for (size_t i = 0; i < n; i++) {
        const double before = squared_error(w + i * n_in, nearest.back + i * n_in, n_in),
                     after = squared_error(w + i * n_in, searched.back + i * n_in, n_in);
        assert_true(after <= before * 1.0001 + 1e-12);
      }
      if (n_in >= 64)
        assert_true(squared_error(w, searched.back, n * n_in) < 0.95 * squared_error(w, nearest.back, n * n_in));
      for (size_t i = 0; i < n * n_groups; i++) { /* numbers of bf16 */
        uint16_t narrow;
        float wide;
        tg_narrow_bf16(&searched.scales[i], 1, &narrow);
        tg_widen(&narrow, TG_BF16, 1, &wide);
        assert_true(wide == searched.scales[i]);
      }
    }
  }
}

/* Inputs that go together, a few of them far larger than the rest. */
static tg_inputs seen(size_t n_in, float *rows) {
  const uint64_t key = tg_random_key(77, n_in);
  for (size_t r = 0; r < N_SEEN; r++)
    for (size_t i = 0; i < n_in; i++)
      rows[r * n_in + i] = (draw(key, r * 16 + i % 11) + 0.3f * draw(key, 100000 + r * n_in + i)) * (i % 29 == 5 ? 20 : 1);
  return (tg_inputs){.rows = rows, .n = N_SEEN, .n_in = n_in};
}

static void test_calibrated(void **state) {
  static const size_t widths[] = {33, 64, 192, 250};
  static float w[MOST_OUT * MOST_IN], rows[N_SEEN * MOST_IN];
  static rounded searched, calibrated, again;
  (void)state;
  for (size_t k = 0; k < sizeof widths / sizeof *widths; k++) {
    const size_t n_in = widths[k], n = 37;
    const tg_inputs inputs = seen(n_in, rows);
    fill(w, n * n_in, 5 + k);
    round_rows(w, n, n_in, 64, TG_ROUND_SEARCH, NULL, 0, &searched);
    round_rows(w, n, n_in, 64, TG_ROUND_CALIBRATED, &inputs, 2, &calibrated);
    const double before = output_error(w, searched.back, n, &inputs), after = output_error(w, calibrated.back, n, &inputs);
    assert_true(after < 0.5 * before);
    assert_true(squared_error(w, calibrated.back, n * n_in) < 4 * squared_error(w, searched.back, n * n_in)); /* and still near the weights */

    /* Nothing seen: search. Alone, in pieces, by other threads: the same. */
    round_rows(w, n, n_in, 64, TG_ROUND_CALIBRATED, NULL, 1, &again);
    assert_memory_equal(&again, &searched, sizeof again);
    round_rows(w, n, n_in, 64, TG_ROUND_CALIBRATED, &inputs, 3, &again);
    assert_memory_equal(&again, &calibrated, sizeof again);
    round_rows(w + 20 * n_in, 1, n_in, 64, TG_ROUND_CALIBRATED, &inputs, 1, &again);
    for (size_t i = 0; i < n_in; i++) assert_true(again.back[i] == calibrated.back[20 * n_in + i]);
  }
}

static void test_odd_numbers(void **state) {
  enum { N_IN = 100, N = 5 };
  static float w[N * N_IN], rows[N_SEEN * N_IN];
  static rounded r, sound;
  (void)state;
  const tg_inputs inputs = seen(N_IN, rows);
  for (int rounding = 0; rounding < TG_N_ROUNDINGS; rounding++) {
    fill(w, N * N_IN, 9);
    memset(w + N_IN, 0, N_IN * sizeof *w);
    for (size_t i = 0; i < N_IN; i++) w[2 * N_IN + i] = 1e-33f;
    round_rows(w, N, N_IN, 64, (tg_rounding)rounding, &inputs, 1, &sound);
    for (size_t i = N_IN; i < 3 * N_IN; i++) assert_true(fabsf(sound.back[i]) <= 1e-30f);
    for (size_t i = 2; i < 6; i++) assert_true(sound.scales[i] == 0);
    w[3 * N_IN + 70] = rounding == 1 ? INFINITY : NAN;
    round_rows(w, N, N_IN, 64, (tg_rounding)rounding, &inputs, 1, &r);
    assert_true(isnan(r.scales[3 * 2 + 1]));
    for (size_t i = 0; i < N; i++)
      for (size_t g = 0; g < 2 && i != 3; g++) assert_true(r.scales[2 * i + g] == sound.scales[2 * i + g]);
  }
}

/* Matrices as they are stored, 8 and 4 bits included. */
static void test_matrices(void **state) {
  enum { N_IN = 70, N = 150 };
  static float w[N * N_IN], scales[N * 2], expected_scales[N * 2], byte_scales[N];
  static int8_t bytes[N * N_IN];
  static unsigned char nibbles[N * N_IN / 2], expected[N * N_IN / 2];
  (void)state;
  t5gist_error err = {0};
  tg_rounder *rounder = NULL;
  for (size_t i = 0; i < N * N_IN; i++) bytes[i] = (int8_t)(tg_random_at(3, i) % 255) ;
  for (size_t i = 0; i < N; i++) byte_scales[i] = 0.25f + (float)i;
  for (size_t i = 0; i < N * N_IN; i++) w[i] = (float)bytes[i] * byte_scales[i / N_IN];
  assert_int_equal(tg_rounder_new(N_IN, 64, TG_ROUND_SEARCH, NULL, NULL, &rounder, &err), T5GIST_OK);
  tg_rounder_round(rounder, w, N, expected, expected_scales);
  const tg_matrix matrices[] = {{.data = w, .dtype = TG_F32, .n_out = N}, {.data = bytes, .dtype = TG_I8, .n_out = N, .scales = byte_scales}};
  for (size_t i = 0; i < 2; i++) {
    memset(nibbles, 0, sizeof nibbles);
    assert_int_equal(tg_rounder_round_matrix(rounder, &matrices[i], nibbles, scales, &err), T5GIST_OK);
    assert_memory_equal(nibbles, expected, sizeof nibbles);
    assert_memory_equal(scales, expected_scales, sizeof scales);
  }
  const tg_matrix again = {.data = expected, .dtype = TG_I4, .n_out = N, .scales = expected_scales, .group = 64};
  float back[N_IN], back_again[N_IN];
  assert_int_equal(tg_rounder_round_matrix(rounder, &again, nibbles, scales, &err), T5GIST_OK);
  tg_widen_row4(expected, expected_scales, N_IN, 64, back);
  tg_widen_row4(nibbles, scales, N_IN, 64, back_again);
  for (size_t i = 0; i < N_IN; i++) assert_true(fabsf(back[i] - back_again[i]) <= 0.01f * fabsf(back[i]) + 0.5f * fabsf(scales[i / 64]));
  tg_rounder_free(rounder);
}

static void test_calibration(void **state) {
  const tg_config config = {.d_model = 8, .d_ff = 12, .n_heads = 3, .d_kv = 5, .n_decoder_layers = 2};
  static const struct {
    const char *name;
    size_t n_in, n;
  } cases[] = {{"decoder.block.0.layer.0.SelfAttention.q.weight", 8, 0},  {"decoder.block.1.layer.0.SelfAttention.v.weight", 8, 4},
               {"decoder.block.1.layer.0.SelfAttention.o.weight", 15, 0}, {"decoder.block.1.layer.2.DenseReluDense.wo.weight", 12, 0},
               {"decoder.block.0.layer.1.EncDecAttention.q.weight", 8, 0}, {"decoder.block.1.layer.2.DenseReluDense.wi_1.weight", 8, 0},
               {"lm_head.weight", 8, 3}};
  static const char *const none[] = {"encoder.block.0.layer.0.SelfAttention.q.weight", "decoder.block.0.layer.1.EncDecAttention.k.weight",
                                     "shared.weight", "decoder.block.2.layer.0.SelfAttention.q.weight", "decoder.block.0.layer.0.layer_norm.weight"};
  (void)state;
  t5gist_error err = {0};
  tg_calibration *c = NULL;
  float x[100 * 8];
  for (size_t i = 0; i < 100; i++)
    for (size_t j = 0; j < 8; j++) x[i * 8 + j] = (float)i;
  assert_int_equal(tg_calibration_new(&config, 4, &c, &err), T5GIST_OK);
  assert_int_equal(tg_calibration_add_head(c, x, 3, &err), T5GIST_OK);
  for (size_t i = 0; i < 100; i += 20) assert_int_equal(tg_calibration_add(c, 1, TG_SITE_QKV, x + i * 8, 20, &err), T5GIST_OK);
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    const tg_inputs *inputs = tg_calibration_find(c, cases[i].name);
    assert_non_null(inputs);
    assert_int_equal(inputs->n_in, cases[i].n_in);
    assert_int_equal(inputs->n, cases[i].n);
  }
  const tg_inputs *kept = tg_calibration_find(c, cases[1].name);
  assert_int_equal(kept->seen, 100);
  float latest = 0;
  for (size_t i = 0; i < kept->n; i++) latest = fmaxf(latest, kept->rows[i * 8 + 7]);
  assert_true(latest > 3); /* not the first four alone */
  for (size_t i = 0; i < sizeof none / sizeof *none; i++) assert_null(tg_calibration_find(c, none[i]));
  assert_null(tg_calibration_find(NULL, cases[0].name));
  tg_calibration_free(c);
}

static void test_names(void **state) {
  (void)state;
  for (int i = 0; i < TG_N_ROUNDINGS; i++) assert_int_equal(tg_rounding_from_name(tg_rounding_name((tg_rounding)i)), i);
  assert_int_equal(tg_rounding_from_name("up"), -1);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_nearest_and_search), cmocka_unit_test(test_calibrated), cmocka_unit_test(test_odd_numbers),
                                     cmocka_unit_test(test_matrices),           cmocka_unit_test(test_calibration), cmocka_unit_test(test_names)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
