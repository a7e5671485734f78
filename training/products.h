/* Matrix products whose factors are rounded to bf16 (to nearest, ties to even) and summed in f32: half of the work of products in f32 where the
 * processor multiplies pairs of bf16. For ops_linear.c, which shares the parts out, and muon.c. */
#ifndef T5GIST_TRAINING_PRODUCTS_H
#define T5GIST_TRAINING_PRODUCTS_H

#include <oneapi/dnnl/dnnl.h>
#include <stdbool.h>
#include <stddef.h>

#include "training/ops.h"

/* c [m, n] (+)= a b over depth k, rows of *_stride floats; a_transposed: a is stored [k, m]; b_transposed: b is stored [n, k]. Any sizes and
 * alignment; c overlaps nothing else. */
typedef struct tg_part {
  const float *a, *b;
  float *c;
  size_t a_stride, b_stride, c_stride;
  size_t m, n, k;
  bool a_transposed, b_transposed, accumulate;
} tg_part;

/* Bytes of scratch, aligned to 64, that a thread needs for any part. */
size_t tg_part_scratch(void);

/* In the calling thread: in f32 by oneDNN (its status), in bf16 by one of the two below. */
dnnl_status_t tg_part_multiply(const tg_part *part, tg_train_precision precision, void *scratch);

/* Plain C. Sums in order of k. */
void tg_part_multiply_portable(const tg_part *part, void *scratch);
#if defined(__x86_64__)
/* Needs tg_cpu_bf16(). Sums pairs of k, in order, with what vdpbf16ps rounds; denormal numbers count as zero. The bits of a sum depend on its row
 * of a and column of b alone, not on how a product is cut. */
void tg_part_multiply_avx512(const tg_part *part, void *scratch);
#endif

#endif
