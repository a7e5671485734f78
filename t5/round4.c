#include "t5/round4.h"

#include <math.h>
#include <string.h>

#include "runtime/cpu.h"
#include "runtime/error.h"
#include "runtime/file.h"
#include "runtime/int4.h"
#include "runtime/kernels.h"
#include "t5/round4_feedback.h"

enum { LANES = 8, MOST = TG_INT4_MOST_GROUP, SLAB_ROWS = 64, N_TRIED = 6 };
#define FIRST_TRIED 5.5f  /* whole numbers that the largest number becomes: 5.5, 6, .. and on the other side, where there is one more, -6.5, -7, .. */
#define TRIED_STEP 0.5f
#define ROUND 12582912.0f /* 1.5 * 2^23: adding it rounds a small float to the nearest whole number, ties to even */

static const char *const names[TG_N_ROUNDINGS] = {"nearest", "search", "calibrated"};

const char *tg_rounding_name(tg_rounding rounding) {
  return names[rounding];
}

int tg_rounding_from_name(const char *name) {
  for (int i = 0; i < TG_N_ROUNDINGS; i++)
    if (strcmp(names[i], name) == 0) return i;
  return -1;
}

/* -------------------------------------------------------------------------------------------------------------------------- one group */

/* A group padded with zeros to whole lanes. */
typedef struct padded {
  float x[MOST], weights[MOST];
  size_t n;
} padded;

/* Sums of weight * x * q and weight * q * q where q are x * inverse to the nearest. Lanes add up apart, so that vectors of any length give the same
 * bits. */
static inline __attribute__((always_inline)) void fit_lanes(const padded *g, float inverse, float *xq, float *qq) {
  float a[LANES] = {0}, b[LANES] = {0};
  for (size_t i = 0; i < g->n; i += LANES) {
    for (size_t l = 0; l < LANES; l++) {
      float q = g->x[i + l] * inverse + ROUND - ROUND;
      q = q < TG_INT4_LEAST ? TG_INT4_LEAST : q;
      q = q > TG_INT4_LARGEST ? TG_INT4_LARGEST : q;
      const float weighted = g->weights[i + l] * q;
      a[l] += weighted * g->x[i + l];
      b[l] += weighted * q;
    }
  }
  *xq = ((a[0] + a[4]) + (a[1] + a[5])) + ((a[2] + a[6]) + (a[3] + a[7]));
  *qq = ((b[0] + b[4]) + (b[1] + b[5])) + ((b[2] + b[6]) + (b[3] + b[7]));
}

static float as_bf16(float x) {
  uint16_t narrow;
  tg_narrow_bf16(&x, 1, &narrow);
  tg_widen(&narrow, TG_BF16, 1, &x);
  return x;
}

/* For each scale that is tried, the best one for the whole numbers that it gives, and of these the one that leaves the least. */
static inline __attribute__((always_inline)) float best_scale(const padded *g, float largest) {
  float best = as_bf16(largest / TG_INT4_LEAST), least = INFINITY;
  for (int i = 0; i < 2 * N_TRIED; i++) {
    const float steps = FIRST_TRIED + TRIED_STEP * (float)(i / 2);
    float xq, qq;
    fit_lanes(g, (i % 2 ? -1 - steps : steps) / largest, &xq, &qq);
    if (!(qq > 0)) continue;
    const float scale = as_bf16(xq / qq), error = scale * (scale * qq - 2 * xq); /* less the sum of weight * x * x, the same for all */
    if (error >= least || fabsf(scale) < TG_QUANTIZE_LEAST) continue;
    least = error;
    best = scale;
  }
  return best;
}

static float best_scale_plain(const padded *g, float largest) {
  return best_scale(g, largest);
}

#if defined(__x86_64__)
__attribute__((target("avx2"))) static float best_scale_avx2(const padded *g, float largest) {
  return best_scale(g, largest);
}
#endif

float tg_search_scale4(const float *x, const float *weights, size_t n) {
  padded g = {.n = (n + LANES - 1) / LANES * LANES};
  float largest = 0;
  for (size_t i = 0; i < n; i++) {
    if (!isfinite(x[i])) return NAN;
    if (fabsf(x[i]) > fabsf(largest)) largest = x[i];
    g.x[i] = x[i];
    g.weights[i] = weights ? weights[i] : 1;
  }
  if (fabsf(largest) < TG_QUANTIZE_LEAST) return 0;
#if defined(__x86_64__)
  if (tg_cpu_isa() != TG_ISA_PORTABLE) return best_scale_avx2(&g, largest);
#endif
  return best_scale_plain(&g, largest);
}

static void search_row(const float *x, size_t n_in, size_t group, unsigned char *nibbles, float *scales) {
  int8_t q[MOST];
  for (size_t first = 0; first < n_in; first += group) {
    const size_t n = n_in - first < group ? n_in - first : group;
    const float scale = tg_search_scale4(x + first, NULL, n), inverse = scale != 0 ? 1 / scale : 0;
    for (size_t i = 0; i < n; i++) {
      const float whole = isnan(scale) ? 0 : x[first + i] * inverse + ROUND - ROUND;
      q[i] = (int8_t)(whole < TG_INT4_LEAST ? TG_INT4_LEAST : whole > TG_INT4_LARGEST ? TG_INT4_LARGEST : whole);
    }
    tg_int4_put(nibbles, first, n, q);
    *scales++ = scale;
  }
}

/* ------------------------------------------------------------------------------------------------------------------------------- rows */

struct tg_rounder {
  size_t n_in, group;
  tg_rounding rounding;
  tg_feedback *feedback; /* calibrated, with inputs */
  tg_team *team;
};

t5gist_status tg_rounder_new(size_t n_in, size_t group, tg_rounding rounding, const tg_inputs *inputs, tg_team *team, tg_rounder **out,
                             t5gist_error *err) {
  tg_rounder *r;
  TG_TRY(tg_alloc(&r, 1, sizeof *r, err));
  *r = (tg_rounder){.n_in = n_in, .group = group, .rounding = rounding, .team = team};
  t5gist_status status = T5GIST_OK;
  const bool feedback = rounding == TG_ROUND_CALIBRATED && inputs && inputs->n > 0 && n_in <= TG_ROUND_MOST_CALIBRATED;
  if (feedback) status = tg_feedback_new(inputs, group, team, &r->feedback, err);
  if (status == T5GIST_OK)
    *out = r;
  else
    tg_rounder_free(r);
  return status;
}

void tg_rounder_free(tg_rounder *r) {
  if (r == NULL) return;
  tg_feedback_free(r->feedback);
  tg_free(r);
}

typedef struct task {
  const tg_rounder *rounder;
  const float *rows;
  size_t n;
  unsigned char *nibbles;
  float *scales;
} task;

/* Pieces of TG_FEEDBACK_ROWS rows. */
static void round_pieces(void *user, size_t begin, size_t end, int thread) {
  const task *t = user;
  const tg_rounder *r = t->rounder;
  const size_t row_bytes = tg_int4_row_bytes(r->n_in), n_groups = tg_int4_groups(r->n_in, r->group), last = end * TG_FEEDBACK_ROWS;
  size_t rows;
  for (size_t row = begin * TG_FEEDBACK_ROWS; row < last && row < t->n; row += rows) {
    const float *from = t->rows + row * r->n_in;
    unsigned char *nibbles = t->nibbles + row * row_bytes;
    float *scales = t->scales + row * n_groups;
    rows = 1;
    if (r->feedback) {
      rows = t->n - row < TG_FEEDBACK_ROWS ? t->n - row : TG_FEEDBACK_ROWS;
      tg_feedback_round(r->feedback, from, rows, thread, nibbles, scales);
    } else if (r->rounding == TG_ROUND_NEAREST) {
      tg_quantize_row4(from, r->n_in, r->group, nibbles, scales);
    } else {
      search_row(from, r->n_in, r->group, nibbles, scales);
    }
  }
}

void tg_rounder_round(tg_rounder *rounder, const float *rows, size_t n, unsigned char *nibbles, float *scales) {
  task t = {rounder, rows, n, nibbles, scales};
  tg_team_run(rounder->team, (n + TG_FEEDBACK_ROWS - 1) / TG_FEEDBACK_ROWS, round_pieces, &t);
}

/* ----------------------------------------------------------------------------------------------------------------------------- matrices */

static size_t stored_row_bytes(const tg_matrix *m, size_t n_in) {
  return m->dtype == TG_I4 ? tg_int4_row_bytes(n_in) : n_in * tg_dtype_size(m->dtype);
}

static void widen_row(const tg_matrix *m, size_t row, size_t n_in, float *out) {
  const unsigned char *from = (const unsigned char *)m->data + row * stored_row_bytes(m, n_in);
  if (m->dtype == TG_I4)
    tg_widen_row4(from, m->scales + row * tg_int4_groups(n_in, m->group), n_in, m->group, out);
  else if (m->dtype == TG_I8)
    for (size_t i = 0; i < n_in; i++) out[i] = (float)((const int8_t *)from)[i] * m->scales[row];
  else
    tg_widen(from, m->dtype, n_in, out);
}

t5gist_status tg_rounder_round_matrix(tg_rounder *r, const tg_matrix *m, unsigned char *nibbles, float *scales, t5gist_error *err) {
  const size_t slab = SLAB_ROWS * (size_t)(r->team ? tg_team_threads(r->team) : 1), bytes = stored_row_bytes(m, r->n_in);
  float *rows;
  TG_TRY(tg_alloc(&rows, slab, r->n_in * sizeof *rows, err));
  for (size_t begin = 0; begin < m->n_out; begin += slab) {
    const size_t n = m->n_out - begin < slab ? m->n_out - begin : slab;
    for (size_t i = 0; i < n; i++) widen_row(m, begin + i, r->n_in, rows + i * r->n_in);
    tg_rounder_round(r, rows, n, nibbles + begin * tg_int4_row_bytes(r->n_in), scales + begin * tg_int4_groups(r->n_in, r->group));
    if (m->mapped) tg_map_release((const unsigned char *)m->data + begin * bytes, n * bytes);
  }
  tg_free(rows);
  return T5GIST_OK;
}
