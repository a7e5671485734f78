/* What the public t5gist_model holds. */
#ifndef T5GIST_GIST_MODEL_H
#define T5GIST_GIST_MODEL_H

#include "t5/model.h"
#include "t5gist/t5gist.h"

struct t5gist_model {
  tg_t5 *t5;
  /* What a gist is computed by: tg_model_dtype, and " of FINGERPRINT" with the folder's own where config.json names another. */
  char computed_in[32 + TG_SHA256_HEX];
};

/* t5gist_model_open, with a choice of how a folder is rounded to 4 bits; calibration as in tg_t5_options. */
t5gist_status tg_model_open(const char *dir, const t5gist_model_options *options, tg_rounding rounding, const tg_calibration *calibration,
                            t5gist_model **model, t5gist_error *err);

/* What its linear layers are computed in: "f32", "int8", "int8, wo f32". */
const char *tg_model_dtype(const t5gist_model *model);

/* What t5gist_model_options mean: threads; a t5gist_dtype or T5GIST_UNSET, the option being called name; its tg_precision, or T5GIST_UNSET. */
t5gist_status tg_choose_threads(int wanted, int *threads, t5gist_error *err);
t5gist_status tg_check_dtype(const char *name, int dtype, t5gist_error *err);
int tg_precision_of(int dtype);

#endif
