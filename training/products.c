#include "training/products.h"

#include <stdint.h>

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
