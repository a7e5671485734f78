/* How far answers in one number format are from f32's: what `convert` prints and keeps, and what `--dtype auto` goes by. */
#ifndef T5GIST_GIST_QUALITY_H
#define T5GIST_GIST_QUALITY_H

#include <jansson.h>

#include "t5gist/tools.h"

/* Drift of dir in each of dtypes [n] from source in f32; texts as in t5gist_measure_drift. T5GIST_EUNSUPPORTED where f32 is too large for this
 * machine. */
t5gist_status tg_drifts(const char *source, const char *dir, const int *dtypes, size_t n, int wo_dtype, const char *texts, int threads,
                        t5gist_drift *drifts /* [n] */, t5gist_error *err);

/* T5GIST_EUNSUPPORTED where a folder in f32 would not leave half of the memory free: measuring is not worth more. */
t5gist_status tg_check_f32_memory(const char *dir, t5gist_error *err);

/* A source as a folder that opens: itself (*rewritten null), or where it has .bin files alone, rewritten as it is into a folder within `inside` for
 * the time of measuring; T5GIST_EUNSUPPORTED where that is not possible. *rewritten is to be given to tg_drop_source in any case, which removes it.
 * */
t5gist_status tg_readable_source(const char *source, const char *inside, char **rewritten, t5gist_error *err);
void tg_drop_source(char *rewritten); /* null is allowed */

/* Bytes of a folder's numbers in f32. */
t5gist_status tg_f32_bytes(const char *dir, double *bytes, t5gist_error *err);

/* The drift that `convert` kept in a config.json for this number format; false: none. */
bool tg_kept_drift(const json_t *config, const char *dtype, t5gist_drift *drift);

#endif
