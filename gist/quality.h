/* How far answers in one number format are from f32's: what `convert` prints and keeps, and what `--dtype auto` goes by. */
#ifndef T5GIST_GIST_QUALITY_H
#define T5GIST_GIST_QUALITY_H

#include <jansson.h>

#include "t5gist/tools.h"

/* Drift of dir in each of dtypes [n] from source in f32; texts as in t5gist_measure_drift. T5GIST_EUNSUPPORTED where f32 is too large for this machine. */
t5gist_status tg_drifts(const char *source, const char *dir, const int *dtypes, size_t n, int wo_dtype, const char *texts, int threads,
                        t5gist_drift *drifts /* [n] */, t5gist_error *err);

/* Bytes of a folder's numbers in f32. */
t5gist_status tg_f32_bytes(const char *dir, double *bytes, t5gist_error *err);

/* The drift that `convert` kept in a config.json for this number format; false: none. */
bool tg_kept_drift(const json_t *config, const char *dtype, t5gist_drift *drift);

#endif
