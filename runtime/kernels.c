#include "runtime/kernels.h"

#include <math.h>
#include <string.h>

#include "runtime/cpu.h"
#include "runtime/simd.h"

/* Floats below which sharing them out costs more than it saves. */
enum { PARALLEL_WORK = 32768 };

const tg_simd *tg_simd_best(void) {
#if defined(__x86_64__)
  switch (tg_cpu_isa()) {
    case TG_ISA_AVX512: return &tg_simd_avx512;
    case TG_ISA_AVX2: return &tg_simd_avx2;
    case TG_ISA_PORTABLE: break;
  }
#endif
  return &tg_simd_portable;
}

static tg_team *team_for(tg_team *team, size_t work) {
  return work >= PARALLEL_WORK ? team : NULL;
}

/* Floats that a row of x begins behind the one before it. */
static size_t row_width(const tg_rows *x, size_t n) {
  return x->making == TG_ACTIVATED && x->gated ? 2 * n : n;
}

/* A row: where it is, or made at `to`. */
static const float *take_row(const tg_rows *x, size_t row, size_t n, float *to) {
  const tg_simd *simd = tg_simd_best();
  const float *from = x->x + row * row_width(x, n);
  switch (x->making) {
    case TG_AS_THEY_ARE: return from;
    case TG_NORMED: simd->rmsnorm(from, x->weight, 1, n, x->eps, to); break;
    case TG_ACTIVATED: simd->activate(from, x->gated ? from + n : NULL, n, x->activation, to); break;
  }
  return to;
}

/* What making rows costs, in numbers read. */
static size_t work_of(const tg_rows *x, size_t rows, size_t n) {
  return rows * n * (x->making == TG_ACTIVATED ? 4 : 1);
}

typedef struct making {
  const tg_rows *x;
  size_t n;
  float *y;
} making;

static void make_rows(void *user, size_t begin, size_t end, int thread) {
  const making *m = user;
  (void)thread;
  for (size_t row = begin; row < end; row++) take_row(m->x, row, m->n, m->y + row * m->n);
}

void tg_make_rows(tg_team *team, const tg_rows *x, size_t rows, size_t n, float *y) {
  making m = {x, n, y};
  tg_team_run(team_for(team, work_of(x, rows, n)), rows, make_rows, &m);
}

void tg_rmsnorm(tg_team *team, const float *x, const float *weight, size_t rows, size_t d, float eps, float *y) {
  tg_make_rows(team, &(tg_rows){.x = x, .making = TG_NORMED, .weight = weight, .eps = eps}, rows, d, y);
}

void tg_activate(tg_team *team, const float *x, size_t rows, size_t d_ff, tg_activation activation, bool gated, float *y) {
  tg_make_rows(team, &(tg_rows){.x = x, .making = TG_ACTIVATED, .activation = activation, .gated = gated}, rows, d_ff, y);
}

typedef struct gathering {
  const char *table;
  tg_dtype dtype;
  const int32_t *ids;
  size_t d;
  float *y;
} gathering;

static void gather_rows(void *user, size_t begin, size_t end, int thread) {
  const gathering *g = user;
  const size_t row_bytes = g->d * tg_dtype_size(g->dtype);
  (void)thread;
  for (size_t row = begin; row < end; row++) tg_widen(g->table + (size_t)g->ids[row] * row_bytes, g->dtype, g->d, g->y + row * g->d);
}

void tg_gather(tg_team *team, const void *table, tg_dtype dtype, const int32_t *ids, size_t rows, size_t d, float *y) {
  gathering g = {table, dtype, ids, d, y};
  tg_team_run(team_for(team, rows * d), rows, gather_rows, &g);
}

typedef struct scaling {
  const float *x;
  float factor, *y;
} scaling;

static void scale_numbers(void *user, size_t begin, size_t end, int thread) {
  const scaling *s = user;
  (void)thread;
  tg_simd_best()->scale(s->x + begin, s->factor, end - begin, s->y + begin);
}

void tg_scale(tg_team *team, const float *x, float factor, size_t n, float *y) {
  scaling s = {x, factor, y};
  tg_team_run(team_for(team, n / 4), n, scale_numbers, &s);
}

float tg_quantize_row(const float *x, size_t n, int8_t *q) {
  return tg_simd_best()->quantize(x, n, q, NULL);
}

float tg_quantize_row_wide(const float *x, size_t n, int8_t *q, int8_t *low) {
  return tg_simd_best()->quantize(x, n, q, low);
}

/* Zeros behind the n bytes of a row, and 128 more everywhere on demand, as two's complement has it. */
static void pad_bytes(unsigned char *q, size_t n, size_t stride, unsigned char offset) {
  memset(q + n, 0, stride - n);
  for (size_t i = 0; offset != 0 && i < stride; i++) q[i] ^= offset;
}

typedef struct quantizing {
  const tg_rows *x;
  size_t n, stride;
  unsigned char offset, *q, *low;
  float *scales, *scratch;
} quantizing;

static void quantize_rows(void *user, size_t begin, size_t end, int thread) {
  const quantizing *z = user;
  const tg_simd *simd = tg_simd_best();
  for (size_t row = begin; row < end; row++) {
    unsigned char *own = z->q + row * z->stride, *own_low = z->low ? z->low + row * z->stride : NULL;
    const float *x = take_row(z->x, row, z->n, z->scratch ? z->scratch + (size_t)thread * z->n : NULL);
    z->scales[row] = simd->quantize(x, z->n, (int8_t *)own, (int8_t *)own_low);
    pad_bytes(own, z->n, z->stride, z->offset);
    if (own_low) pad_bytes(own_low, z->n, z->stride, z->offset);
  }
}

void tg_quantize_rows(tg_team *team, const tg_rows *x, size_t rows, size_t n, size_t stride, unsigned char offset, unsigned char *q,
                      unsigned char *low, float *scales, float *scratch) {
  quantizing z = {x, n, stride, offset, q, low, scales, scratch};
  const size_t making_work = x->making == TG_AS_THEY_ARE ? 0 : work_of(x, rows, n);
  tg_team_run(team_for(team, rows * n + making_work), rows, quantize_rows, &z);
}

float tg_logsumexp(const float *x, size_t n) {
  const tg_simd *simd = tg_simd_best();
  const float max = simd->max(x, n);
  if (isinf(max)) { /* all -inf or NaN, or an infinity that swallows the rest */
    for (size_t i = 0; i < n; i++)
      if (isnan(x[i])) return x[i];
    return max;
  }
  return (float)((double)max + log(simd->sum_exp(x, n, max)));
}

long tg_argmax(const float *x, size_t n) {
  const float max = tg_simd_best()->max(x, n);
  for (size_t i = 0; i < n; i++)
    if (x[i] == max) return (long)i;
  return -1;
}

size_t tg_first_nonfinite(const float *x, size_t n) {
  enum { RUN = 1024 };
  const uint32_t exponent = 0x7f800000;
  for (size_t begin = 0; begin < n; begin += RUN) {
    const size_t end = n - begin < RUN ? n : begin + RUN;
    uint32_t bits, found = 0;
    for (size_t i = begin; i < end; i++) {
      memcpy(&bits, x + i, sizeof bits);
      found |= (bits & exponent) == exponent;
    }
    for (size_t i = begin; found && i < end; i++)
      if (!isfinite(x[i])) return i;
  }
  return n;
}
