/* What the public t5gist_model holds. */
#ifndef T5GIST_GIST_MODEL_H
#define T5GIST_GIST_MODEL_H

#include "t5/model.h"
#include "t5gist/t5gist.h"

struct t5gist_model {
  tg_t5 *t5;
};

#endif
