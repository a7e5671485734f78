/* Which tensors a configuration demands, by Hugging Face's names. */
#ifndef T5GIST_T5_NAMES_H
#define T5GIST_T5_NAMES_H

#include <stdbool.h>
#include <stdio.h>

#include "runtime/error.h"
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

#endif
