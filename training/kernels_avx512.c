#include "training/kernels.h"

#if defined(__x86_64__)

#define TG_VECTOR_AVX512
#define TG_KERNELS tg_train_kernels_avx512
#include "training/kernels_body.h"

TG_VECTOR_END

#endif
