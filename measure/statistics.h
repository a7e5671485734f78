/* Means, medians, quantiles, and percentile bootstrap intervals. Values must be finite: others are refused (T5GIST_EUSAGE), as are empty series. */
#ifndef T5GIST_MEASURE_STATISTICS_H
#define T5GIST_MEASURE_STATISTICS_H

#include <stddef.h>
#include <stdint.h>

#include "t5gist/types.h"

t5gist_status tg_mean(const double *values /* [n] */, size_t n, double *out, t5gist_error *err);
t5gist_status tg_median(const double *values /* [n] */, size_t n, double *out, t5gist_error *err);
/* The share-quantile, share in [0, 1], interpolated linearly between neighbours (numpy's default; type 7 of Hyndman and Fan 1996). */
t5gist_status tg_quantile(const double *values /* [n] */, size_t n, double share, double *out, t5gist_error *err);

/* What is computed from a resample of each series, ... */
typedef enum tg_statistic { TG_STATISTIC_MEAN, TG_STATISTIC_MEDIAN } tg_statistic;

/* ... and how the series' statistics s become one number. */
typedef enum tg_contrast {
  TG_CONTRAST_NONE,       /* s[0]                             of 1 series */
  TG_CONTRAST_DIFFERENCE, /* s[0] - s[1]                      of 2 */
  TG_CONTRAST_RATIO,      /* s[0] / s[1]                      of 2 */
  TG_CONTRAST_RECOVERED   /* (s[0] - s[1]) / (s[2] - s[1])    of 3: how much of the way from s[1], the floor, to s[2] is covered by s[0] */
} tg_contrast;

/* A field that is 0 takes its default. Equal options give equal intervals, on every machine. */
typedef struct tg_resampling {
  uint64_t seed;
  size_t resamples; /* default 10000 */
  double level;     /* in (0, 1), default 0.95 */
} tg_resampling;

typedef struct tg_interval {
  double estimate, low, high; /* estimate: of the values as they are. NaN where a denominator is zero */
  size_t undefined;           /* resamples left out since their denominator was zero; low and high are NaN when none remained */
} tg_interval;

/* Percentile bootstrap (Efron and Tibshirani 1993, chapter 13) over paired observations: a resample draws n places with replacement, the same for
 * every series, so what the series share cancels. low and high are the quantiles (1 - level) / 2 and (1 + level) / 2 of the resamples' numbers. One
 * observation gives an interval of width 0. options may be null.
 * Place j of resample r is ((u >> 32) * n) >> 32, u being element r * n + j of splitmix64's sequence; the seed goes through its finaliser first. */
t5gist_status tg_bootstrap(tg_statistic statistic, tg_contrast contrast, const double *const *series /* as many as the contrast takes, each [n] */,
                           size_t n, const tg_resampling *options, tg_interval *out, t5gist_error *err);

#endif
