#include "training/products.h"

#include <stdint.h>

#include "runtime/cpu.h"
#include "runtime/dtype.h"

static float rounded(float x) {
  uint16_t narrow;
  float wide;
  tg_narrow_bf16(&x, 1, &narrow);
  tg_widen(&narrow, TG_BF16, 1, &wide);
  return wide;
}

void tg_part_multiply_portable(const tg_part *p, void *scratch) {
  (void)scratch;
  for (size_t i = 0; i < p->m; i++)
    for (size_t j = 0; j < p->n; j++) {
      float sum = 0, *to = p->c + i * p->c_stride + j;
      for (size_t k = 0; k < p->k; k++)
        sum += rounded(p->a[p->a_transposed ? k * p->a_stride + i : i * p->a_stride + k]) *
               rounded(p->b[p->b_transposed ? j * p->b_stride + k : k * p->b_stride + j]);
      *to = p->accumulate ? *to + sum : sum;
    }
}

static dnnl_status_t multiply_f32(const tg_part *p) {
  return dnnl_sgemm(p->a_transposed ? 'T' : 'N', p->b_transposed ? 'T' : 'N', (dnnl_dim_t)p->m, (dnnl_dim_t)p->n, (dnnl_dim_t)p->k, 1, p->a,
                    (dnnl_dim_t)p->a_stride, p->b, (dnnl_dim_t)p->b_stride, p->accumulate ? 1 : 0, p->c, (dnnl_dim_t)p->c_stride);
}

dnnl_status_t tg_part_multiply(const tg_part *part, tg_train_precision precision, void *scratch) {
  if (precision == TG_TRAIN_F32) return multiply_f32(part);
#if defined(__x86_64__)
  if (tg_cpu_bf16()) {
    tg_part_multiply_avx512(part, scratch);
    return dnnl_success;
  }
#endif
  tg_part_multiply_portable(part, scratch);
  return dnnl_success;
}
