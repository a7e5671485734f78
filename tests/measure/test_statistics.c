#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "measure/statistics.h"
#include "tests/measure/cases.h"

enum { MOST = 128 };

static bool near(double a, double b) {
  return fabs(a - b) <= 1e-10 * (1 + fabs(b));
}

static size_t read_values(const json_t *array, double values[MOST]) {
  const size_t n = json_array_size(array);
  assert_true(n <= MOST);
  for (size_t i = 0; i < n; i++) values[i] = number_at(array, i);
  return n;
}

static void quantiles_are_numpys(void **state) {
  (void)state;
  json_t *file, *cases = read_cases("quantile", &file), *entry;
  size_t i;
  json_array_foreach(cases, i, entry) {
    double values[MOST], found;
    const size_t n = read_values(json_object_get(entry, "values"), values);
    assert_int_equal(tg_quantile(values, n, json_number_value(json_object_get(entry, "share")), &found, NULL), T5GIST_OK);
    assert_true(near(found, json_number_value(json_object_get(entry, "expected"))));
  }
  json_decref(file);
}

/* The intervals that numpy computes from the draws which the header defines. */
static void intervals_are_numpys(void **state) {
  (void)state;
  json_t *file, *cases = read_cases("bootstrap", &file), *entry;
  assert_true(json_array_size(cases) > 40);
  size_t i;
  json_array_foreach(cases, i, entry) {
    double values[3][MOST];
    const double *series[3] = {values[0], values[1], values[2]};
    size_t n = 0;
    for (size_t s = 0; s < 3; s++) n = read_values(json_array_get(json_object_get(entry, "series"), s), values[s]);
    const tg_resampling options = {.seed = (uint64_t)json_integer_value(json_object_get(entry, "seed")),
                                   .resamples = (size_t)json_integer_value(json_object_get(entry, "resamples")),
                                   .level = json_number_value(json_object_get(entry, "level"))};
    const tg_statistic statistic = (tg_statistic)json_integer_value(json_object_get(entry, "statistic"));
    const tg_contrast contrast = (tg_contrast)json_integer_value(json_object_get(entry, "contrast"));
    tg_interval found;
    assert_int_equal(tg_bootstrap(statistic, contrast, series, n, &options, &found, NULL), T5GIST_OK);
    const json_t *expected = json_object_get(entry, "expected");
    if (!near(found.estimate, number_at(expected, 0)) || !near(found.low, number_at(expected, 1)) || !near(found.high, number_at(expected, 2)))
      fail_msg("case %zu: found %.12g [%.12g, %.12g]", i, found.estimate, found.low, found.high);
    assert_int_equal(found.undefined, 0);
  }
  json_decref(file);
}

static void mean_and_median(void **state) {
  (void)state;
  const double values[] = {4, 1, 3, 10};
  double found;
  assert_int_equal(tg_mean(values, 4, &found, NULL), T5GIST_OK);
  assert_true(found == 4.5);
  assert_int_equal(tg_median(values, 4, &found, NULL), T5GIST_OK);
  assert_true(found == 3.5);
  assert_int_equal(tg_median(values, 3, &found, NULL), T5GIST_OK);
  assert_true(found == 3);
  assert_int_equal(tg_median(values, 1, &found, NULL), T5GIST_OK);
  assert_true(found == 4);
}

static void one_observation_has_no_width(void **state) {
  (void)state;
  const double gist = 3, neg = 1, pos = 5;
  const double *series[] = {&gist, &neg, &pos};
  tg_interval i;
  assert_int_equal(tg_bootstrap(TG_STATISTIC_MEDIAN, TG_CONTRAST_RECOVERED, series, 1, NULL, &i, NULL), T5GIST_OK);
  assert_true(i.estimate == 0.5 && i.low == 0.5 && i.high == 0.5 && i.undefined == 0);
}

static void pairing_cancels_what_series_share(void **state) {
  (void)state;
  double a[50], b[50];
  for (int i = 0; i < 50; i++) {
    a[i] = i * i;
    b[i] = a[i] + 2;
  }
  const double *series[] = {b, a};
  tg_interval difference, mean;
  assert_int_equal(tg_bootstrap(TG_STATISTIC_MEAN, TG_CONTRAST_DIFFERENCE, series, 50, NULL, &difference, NULL), T5GIST_OK);
  assert_true(near(difference.estimate, 2) && near(difference.low, 2) && near(difference.high, 2));
  assert_int_equal(tg_bootstrap(TG_STATISTIC_MEAN, TG_CONTRAST_NONE, series, 50, NULL, &mean, NULL), T5GIST_OK);
  assert_true(mean.high - mean.low > 300 && mean.low < mean.estimate && mean.estimate < mean.high);
}

static void seeds_differ_and_repeat(void **state) {
  (void)state;
  const double values[] = {1, 2, 4, 8, 16, 32, 64, 128, 256};
  const double *series[] = {values};
  tg_interval first, again, other;
  assert_int_equal(tg_bootstrap(TG_STATISTIC_MEAN, TG_CONTRAST_NONE, series, 9, &(tg_resampling){.seed = 1}, &first, NULL), T5GIST_OK);
  assert_int_equal(tg_bootstrap(TG_STATISTIC_MEAN, TG_CONTRAST_NONE, series, 9, &(tg_resampling){.seed = 1}, &again, NULL), T5GIST_OK);
  assert_int_equal(tg_bootstrap(TG_STATISTIC_MEAN, TG_CONTRAST_NONE, series, 9, &(tg_resampling){.seed = 2, .resamples = 999}, &other, NULL),
                   T5GIST_OK);
  assert_true(first.low == again.low && first.high == again.high);
  assert_true(first.low != other.low || first.high != other.high);
}

/* 200 samples of 40 from a normal distribution: a 95 % interval of the mean holds the truth about 190 times. */
static void intervals_cover_the_truth(void **state) {
  (void)state;
  uint64_t x = 1;
  int covered = 0;
  for (int sample = 0; sample < 200; sample++) {
    double values[40];
    for (int i = 0; i < 40; i++) {
      values[i] = -6;
      for (int k = 0; k < 12; k++) { /* twelve uniform numbers make a nearly normal one */
        x = x * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        values[i] += (double)(x >> 40) / (1 << 24);
      }
    }
    const double *series[] = {values};
    tg_interval i;
    const tg_resampling options = {.seed = (uint64_t)sample, .resamples = 1000};
    assert_int_equal(tg_bootstrap(TG_STATISTIC_MEAN, TG_CONTRAST_NONE, series, 40, &options, &i, NULL), T5GIST_OK);
    covered += i.low <= 0 && i.high >= 0;
  }
  assert_in_range(covered, 178, 199);
}

static void zero_denominators_are_counted(void **state) {
  (void)state;
  const double a[] = {1, 2, 3}, some[] = {0, 0, 1}, none[] = {0, 0, 0};
  tg_interval i;
  assert_int_equal(tg_bootstrap(TG_STATISTIC_MEAN, TG_CONTRAST_RATIO, (const double *const[]){a, some}, 3, NULL, &i, NULL), T5GIST_OK);
  assert_true(near(i.estimate, 6) && i.undefined > 0 && i.undefined < 10000 && isfinite(i.low) && isfinite(i.high)); /* about (2/3)^3 of them */
  assert_int_equal(tg_bootstrap(TG_STATISTIC_MEDIAN, TG_CONTRAST_RATIO, (const double *const[]){a, none}, 3, NULL, &i, NULL), T5GIST_OK);
  assert_true(isnan(i.estimate) && isnan(i.low) && isnan(i.high) && i.undefined == 10000);
}

static void bad_input_is_refused(void **state) {
  (void)state;
  const double values[] = {1, NAN}, infinite[] = {INFINITY};
  const double *series[] = {values, values};
  double found;
  tg_interval i;
  t5gist_error err = {0};
  assert_int_equal(tg_mean(values, 0, &found, &err), T5GIST_EUSAGE);
  assert_int_equal(tg_median(values, 2, &found, &err), T5GIST_EUSAGE);
  assert_non_null(strstr(err.message, "number 2 of 2"));
  assert_int_equal(tg_median(infinite, 1, &found, &err), T5GIST_EUSAGE);
  assert_int_equal(tg_quantile(values, 1, 1.5, &found, &err), T5GIST_EUSAGE);
  assert_int_equal(tg_quantile(values, 1, NAN, &found, &err), T5GIST_EUSAGE);
  assert_int_equal(tg_bootstrap(TG_STATISTIC_MEAN, TG_CONTRAST_NONE, series, 0, NULL, &i, &err), T5GIST_EUSAGE);
  assert_int_equal(tg_bootstrap(TG_STATISTIC_MEAN, TG_CONTRAST_RATIO, series, 2, NULL, &i, &err), T5GIST_EUSAGE);
  assert_int_equal(tg_bootstrap(TG_STATISTIC_MEAN, TG_CONTRAST_NONE, series, 1, &(tg_resampling){.level = 1}, &i, &err), T5GIST_EUSAGE);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(quantiles_are_numpys),
      cmocka_unit_test(intervals_are_numpys),
      cmocka_unit_test(mean_and_median),
      cmocka_unit_test(one_observation_has_no_width),
      cmocka_unit_test(pairing_cancels_what_series_share),
      cmocka_unit_test(seeds_differ_and_repeat),
      cmocka_unit_test(intervals_cover_the_truth),
      cmocka_unit_test(zero_denominators_are_counted),
      cmocka_unit_test(bad_input_is_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
