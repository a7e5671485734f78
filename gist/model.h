/* What the public t5gist_model holds. */
#ifndef T5GIST_GIST_MODEL_H
#define T5GIST_GIST_MODEL_H

#include "t5/model.h"
#include "t5gist/t5gist.h"

struct t5gist_model {
  tg_t5 *t5;
};

/* What its linear layers are computed in: "f32", "int8", "int8, wo f32". */
const char *tg_model_dtype(const t5gist_model *model);

/* The one rule for a model's gist tokens: the "t5gist" block's; else row 32100 of a vocabulary of 32101 rows; else the added token <GIST>;
 * else none. */
t5gist_status tg_model_find_gist_ids(const tg_tokenizer *tokenizer, tg_config *config, t5gist_error *err);

#endif
