/* Which tensors a configuration demands, by Hugging Face's names. */
#ifndef T5GIST_T5_NAMES_H
#define T5GIST_T5_NAMES_H

#include <stdbool.h>
#include <stdio.h>

#include "runtime/error.h"
#include "runtime/linear.h"
#include "t5/config.h"

typedef struct tg_tensor_spec {
  char name[128];
  size_t dims[2];
  int n_dims;
  bool optional; /* lm_head.weight where the shared embedding may stand in for it */
} tg_tensor_spec;

/* Calls visit for every tensor in a fixed order; stops at the first status that is not T5GIST_OK and returns it. */
typedef t5gist_status tg_tensor_visit(void *user, const tg_tensor_spec *spec, t5gist_error *err);
t5gist_status tg_each_tensor(const tg_config *config, tg_tensor_visit *visit, void *user, t5gist_error *err);

/* Whether a matrix of this name is a linear layer's. Those alone are ever kept in bytes. */
bool tg_is_linear(const char *name);

/* What the linear layer of a name is computed in, and converted to, in a model of this precision whose feed-forward output matrices (wo) have
 * wo_precision. In an int4 model the encoder and the decoder's cross-attention keys and values, whose products meet many rows at once, stay in int8;
 * where wo is in int4, the encoder's is in int8x16, as in an int8 model. */
tg_precision tg_layer_precision(const char *name, tg_precision precision, tg_precision wo_precision);

#endif
