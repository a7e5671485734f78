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

#endif
