/* What the decoder's linear layers see: rows of their inputs, collected while a model answers, for rounding its weights by them (t5/round4.h). */
#ifndef T5GIST_T5_CALIBRATION_H
#define T5GIST_T5_CALIBRATION_H

#include "t5/config.h"

/* Layers that share an input have one site. */
typedef enum tg_site { TG_SITE_QKV = 0, TG_SITE_O, TG_SITE_CROSS_Q, TG_SITE_CROSS_O, TG_SITE_WI, TG_SITE_WO, TG_N_SITES } tg_site;

typedef struct tg_inputs {
  float *rows; /* [n, n_in] */
  size_t n, n_in, capacity;
  uint64_t seen; /* rows; of more than are kept, those kept are drawn evenly */
} tg_inputs;

typedef struct tg_calibration tg_calibration;

/* Keeps at most most_rows of each site. */
t5gist_status tg_calibration_new(const tg_config *config, size_t most_rows, tg_calibration **calibration, t5gist_error *err);
void tg_calibration_free(tg_calibration *calibration); /* null is allowed */

/* x [n, n_in of the site]. Not thread-safe: one session may compute with a model that collects. */
t5gist_status tg_calibration_add(tg_calibration *calibration, int layer, tg_site site, const float *x, size_t n, t5gist_error *err);
t5gist_status tg_calibration_add_head(tg_calibration *calibration, const float *x, size_t n, t5gist_error *err);

/* What the layer of a tensor's name has seen; null for layers that are not collected, and for a null calibration. */
const tg_inputs *tg_calibration_find(const tg_calibration *calibration, const char *name);

#endif
