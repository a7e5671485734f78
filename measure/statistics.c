#include "measure/statistics.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/error.h"
#include "runtime/memory.h"

enum { MAX_SERIES = 3, DEFAULT_RESAMPLES = 10000 };
static const double default_level = 0.95;

static t5gist_status check_values(const double *values, size_t n, t5gist_error *err) {
  if (n == 0) return tg_fail(err, T5GIST_EUSAGE, "statistics: expected at least one value, found none");
  for (size_t i = 0; i < n; i++) {
    if (!isfinite(values[i]))
      return tg_fail(err, T5GIST_EUSAGE, "statistics: expected finite values, found %g as number %zu of %zu", values[i], i + 1, n);
  }
  return T5GIST_OK;
}

t5gist_status tg_mean(const double *values, size_t n, double *out, t5gist_error *err) {
  TG_TRY(check_values(values, n, err));
  double sum = 0;
  for (size_t i = 0; i < n; i++) sum += values[i];
  *out = sum / (double)n;
  return T5GIST_OK;
}

static int compare_values(const void *a, const void *b) {
  const double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

static double quantile_of_sorted(const double *sorted, size_t n, double share) {
  const double place = share * (double)(n - 1);
  const size_t below = (size_t)place;
  if (below + 1 >= n) return sorted[n - 1];
  return sorted[below] + (place - (double)below) * (sorted[below + 1] - sorted[below]);
}

t5gist_status tg_quantile(const double *values, size_t n, double share, double *out, t5gist_error *err) {
  TG_TRY(check_values(values, n, err));
  if (!(share >= 0 && share <= 1)) return tg_fail(err, T5GIST_EUSAGE, "quantile: expected a share from 0 to 1, found %g", share);
  double *sorted = NULL;
  TG_TRY(tg_alloc(&sorted, n, sizeof *sorted, err));
  memcpy(sorted, values, n * sizeof *sorted);
  qsort(sorted, n, sizeof *sorted, compare_values);
  *out = quantile_of_sorted(sorted, n, share);
  tg_free(sorted);
  return T5GIST_OK;
}

t5gist_status tg_median(const double *values, size_t n, double *out, t5gist_error *err) {
  return tg_quantile(values, n, 0.5, out, err);
}

/* splitmix64 (Steele, Lea and Flood, OOPSLA 2014): a counter times an odd stride, finalised. */
static uint64_t finalise(uint64_t z) {
  z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
  z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
  return z ^ (z >> 31);
}

static uint64_t random_at(uint64_t key, uint64_t i) {
  return finalise(key + (i + 1) * UINT64_C(0x9e3779b97f4a7c15));
}

/* One bootstrap. A resample is kept as how often each place was drawn: mean and median of every series follow without copying or sorting. */
typedef struct bootstrap {
  tg_statistic statistic;
  tg_contrast contrast;
  const double *const *series;
  size_t n_series, n;
  uint32_t *drawn;             /* [n] */
  uint32_t *order[MAX_SERIES]; /* [n] each: the places by ascending value; medians only */
} bootstrap;

static int compare_places(const void *a, const void *b, void *values) {
  const uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
  const double *v = values;
  if (v[x] != v[y]) return v[x] < v[y] ? -1 : 1;
  return (x > y) - (x < y);
}

static t5gist_status bootstrap_begin(bootstrap *b, t5gist_error *err) {
  TG_TRY(tg_alloc(&b->drawn, b->n, sizeof *b->drawn, err));
  for (size_t s = 0; b->statistic == TG_STATISTIC_MEDIAN && s < b->n_series; s++) {
    TG_TRY(tg_alloc(&b->order[s], b->n, sizeof *b->order[s], err));
    for (size_t i = 0; i < b->n; i++) b->order[s][i] = (uint32_t)i;
    qsort_r(b->order[s], b->n, sizeof *b->order[s], compare_places, (void *)b->series[s]);
  }
  return T5GIST_OK;
}

static void bootstrap_end(bootstrap *b) {
  for (size_t s = 0; s < b->n_series; s++) tg_free(b->order[s]);
  tg_free(b->drawn);
}

static void draw(bootstrap *b, uint64_t key, size_t resample) {
  memset(b->drawn, 0, b->n * sizeof *b->drawn);
  for (size_t j = 0; j < b->n; j++) b->drawn[(random_at(key, (uint64_t)resample * b->n + j) >> 32) * b->n >> 32]++;
}

static double drawn_mean(const bootstrap *b, size_t s) {
  double sum = 0;
  for (size_t i = 0; i < b->n; i++) sum += b->drawn[i] * b->series[s][i];
  return sum / (double)b->n;
}

/* Walks the places in order of their values up to the middle of the n draws. */
static double drawn_median(const bootstrap *b, size_t s) {
  const double *values = b->series[s];
  const uint32_t *place = b->order[s];
  size_t draws = b->drawn[*place];
  while (draws <= (b->n - 1) / 2) draws += b->drawn[*++place];
  const double lower = values[*place];
  while (draws <= b->n / 2) draws += b->drawn[*++place];
  return lower + 0.5 * (values[*place] - lower);
}

/* The number of the present draw; not finite where a denominator is zero. */
static double evaluate(const bootstrap *b) {
  double s[MAX_SERIES];
  for (size_t i = 0; i < b->n_series; i++) s[i] = b->statistic == TG_STATISTIC_MEAN ? drawn_mean(b, i) : drawn_median(b, i);
  switch (b->contrast) {
    case TG_CONTRAST_NONE: return s[0];
    case TG_CONTRAST_DIFFERENCE: return s[0] - s[1];
    case TG_CONTRAST_RATIO: return s[0] / s[1];
    case TG_CONTRAST_RECOVERED: return (s[0] - s[1]) / (s[2] - s[1]);
  }
  return NAN;
}

static t5gist_status resample(bootstrap *b, const tg_resampling *how, tg_interval *out, t5gist_error *err) {
  double *numbers = NULL;
  TG_TRY(tg_alloc(&numbers, how->resamples, sizeof *numbers, err));
  const uint64_t key = finalise(how->seed);
  size_t n_numbers = 0;
  for (size_t r = 0; r < how->resamples; r++) {
    draw(b, key, r);
    const double number = evaluate(b);
    if (isfinite(number)) numbers[n_numbers++] = number;
  }
  for (size_t i = 0; i < b->n; i++) b->drawn[i] = 1;
  const double estimate = evaluate(b);
  *out = (tg_interval){isfinite(estimate) ? estimate : NAN, NAN, NAN, how->resamples - n_numbers};
  if (n_numbers > 0) {
    qsort(numbers, n_numbers, sizeof *numbers, compare_values);
    out->low = quantile_of_sorted(numbers, n_numbers, (1 - how->level) / 2);
    out->high = quantile_of_sorted(numbers, n_numbers, (1 + how->level) / 2);
  }
  tg_free(numbers);
  return T5GIST_OK;
}

t5gist_status tg_bootstrap(tg_statistic statistic, tg_contrast contrast, const double *const *series, size_t n, const tg_resampling *options,
                           tg_interval *out, t5gist_error *err) {
  tg_resampling how = options ? *options : (tg_resampling){0};
  if (how.resamples == 0) how.resamples = DEFAULT_RESAMPLES;
  if (how.level == 0) how.level = default_level;
  if (!(how.level > 0 && how.level < 1)) return tg_fail(err, T5GIST_EUSAGE, "bootstrap: expected a level between 0 and 1, found %g", how.level);
  if (n > UINT32_MAX) return tg_fail(err, T5GIST_EUNSUPPORTED, "bootstrap: expected at most %u observations, found %zu", UINT32_MAX, n);
  bootstrap b = {.statistic = statistic, .contrast = contrast, .series = series, .n = n};
  b.n_series = contrast == TG_CONTRAST_NONE ? 1 : contrast == TG_CONTRAST_RECOVERED ? 3 : 2;
  for (size_t s = 0; s < b.n_series; s++) TG_TRY(check_values(series[s], n, err));
  t5gist_status status = bootstrap_begin(&b, err);
  if (status == T5GIST_OK) status = resample(&b, &how, out, err);
  bootstrap_end(&b);
  return status;
}
