#include "runtime/linear_bf16.h"

#include <string.h>

#include "runtime/cpu.h"
#include "runtime/simd.h"

enum {
  BLOCK = TG_BF16_BLOCK,
  PARALLEL_WORK = 1 << 16, /* multiplications below which sharing them out costs more than it saves */
  PARALLEL_ROUNDING = 1 << 14
};

static void finish_block(const tg_bf16_product *p, size_t block, size_t first_row, size_t rows, const float *sums) {
  const size_t first = block * BLOCK, width = p->n_out - first < BLOCK ? p->n_out - first : BLOCK;
  for (size_t row = 0; row < rows; row++, sums += BLOCK) {
    float *y = p->y + (first_row + row) * p->n_out + first;
    if (p->accumulate)
      for (size_t i = 0; i < width; i++) y[i] += sums[i];
    else
      memcpy(y, sums, width * sizeof *y);
  }
}

typedef struct sharing {
  const tg_bf16_product *product;
  const tg_simd *simd;
  size_t n_blocks, n_chunks;
} sharing;

static void multiply_block(const sharing *s, size_t block, size_t first_row, size_t rows) {
  const tg_bf16_product *p = s->product;
  float sums[TG_BF16_CHUNK * BLOCK] __attribute__((aligned(64)));
#if defined(__x86_64__)
  if (p->rounded != NULL)
    tg_bf16_sums_of_pairs(p, block, first_row, rows, sums);
  else
#endif
    s->simd->multiply_pairs(p->x + first_row * p->n_in, p->n_in, p->weights + block * BLOCK * p->depth, rows, sums);
  finish_block(p, block, first_row, rows, sums);
}

static void multiply_blocks(void *user, size_t begin, size_t end, int thread) {
  const sharing *s = user;
  (void)thread;
  for (size_t i = begin; i < end; i++) { /* the rows of x that a chunk reads stay in L2 over all blocks */
    const size_t chunk = i / s->n_blocks, m = s->product->m, first = m * chunk / s->n_chunks, last = m * (chunk + 1) / s->n_chunks;
    multiply_block(s, i % s->n_blocks, first, last - first);
  }
}

#if defined(__x86_64__)
static void round_rows(void *user, size_t begin, size_t end, int thread) {
  (void)thread;
  for (size_t row = begin; row < end; row++) tg_bf16_round_row(user, row);
}
#endif

void tg_bf16_multiply(tg_team *team, const tg_bf16_product *p) {
  sharing s = {p, tg_simd_best(), (p->n_out + BLOCK - 1) / BLOCK, (p->m + TG_BF16_CHUNK - 1) / TG_BF16_CHUNK};
#if defined(__x86_64__)
  if (p->rounded != NULL) tg_team_run(p->m * p->n_in >= PARALLEL_ROUNDING ? team : NULL, p->m, round_rows, (void *)p);
#endif
  tg_team_run(p->m * p->n_in * p->n_out >= PARALLEL_WORK ? team : NULL, s.n_chunks * s.n_blocks, multiply_blocks, &s);
}
