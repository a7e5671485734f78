#define TG_KERNELS tg_train_kernels_portable
#include "training/kernels_body.h"

TG_VECTOR_END
