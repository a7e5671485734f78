#include "runtime/linear.h"

#include <string.h>

#include "runtime/cpu.h"
#include "runtime/error.h"
#include "runtime/kernels.h"
#include "runtime/linear_avx512.h"
#include "runtime/linear_bf16.h"
#include "runtime/linear_int4.h"
#include "runtime/linear_int8.h"
#include "runtime/linear_onednn.h"
#include "runtime/linear_pack.h"
#include "runtime/matmul.h"

enum {
  CHUNK_ROWS = 1024, /* oneDNN gets more rows in pieces of this size */
  INT8_CHUNK = 256,  /* likewise in int8, whose sums are to stay in the caches until they are scaled */
  LOW_STEPS = 254,   /* second bytes to a step of the first: tg_quantize_row_wide */
  INT8_FEW_ROWS = 8  /* up to here our own kernels do without the tiles (AMX) that oneDNN uses where the machine has them */
};

struct tg_linear {
  tg_packed w;
  bool onednn; /* which multiplies f32, or more than a few rows in int8 */
};

static const char *const precision_names[] = {
    [TG_PRECISION_F32] = "f32", [TG_PRECISION_INT8] = "int8", [TG_PRECISION_INT8X16] = "int8x16", [TG_PRECISION_BF16] = "bf16",
    [TG_PRECISION_INT4] = "int4"};
enum { N_PRECISIONS = sizeof precision_names / sizeof *precision_names };

const char *tg_precision_name(tg_precision precision) {
  return precision_names[precision];
}

int tg_precision_from_name(const char *name) {
  for (int i = 0; i < N_PRECISIONS; i++)
    if (strcmp(precision_names[i], name) == 0) return i;
  return -1;
}

static bool use_blocks(void) {
  return tg_cpu_isa() == TG_ISA_AVX512;
}

t5gist_status tg_linear_new(tg_engine *engine, const tg_matrix *parts, size_t n_parts, size_t n_in, tg_precision precision, tg_linear **linear,
                            t5gist_error *err) {
  tg_linear *l = NULL;
  t5gist_status status = T5GIST_OK;
  tg_team *team = NULL;
  TG_TRY(tg_alloc(&l, 1, sizeof *l, err));
  TG_GOTO(tg_engine_take_team(engine, &team, err));
  TG_GOTO(tg_pack(parts, n_parts, n_in, precision, team, &l->w, err));
  l->onednn = tg_is_int8(precision) ? tg_cpu_vnni() && tg_matmul_has_tiles() : !l->w.blocks;
  *linear = l;
done:
  tg_engine_return_team(engine, team);
  if (status != T5GIST_OK) tg_linear_free(l);
  return status;
}

void tg_linear_free(tg_linear *linear) {
  if (linear == NULL) return;
  tg_packed_free(&linear->w);
  tg_free(linear);
}

size_t tg_linear_n_in(const tg_linear *linear) {
  return linear->w.n_in;
}
size_t tg_linear_n_out(const tg_linear *linear) {
  return linear->w.n_out;
}
size_t tg_linear_bytes(const tg_linear *linear) {
  return tg_packed_bytes(&linear->w);
}

/* ------------------------------------------------------------------------------------------------------------------------- products */

static size_t round_up(size_t m, size_t step) {
  return (m + step - 1) / step * step;
}

size_t tg_linear_rows(size_t m) {
  if (use_blocks()) return m;
  const size_t whole = m / CHUNK_ROWS * CHUNK_ROWS, rest = m - whole;
  if (rest <= 2) return m;
  if (rest <= 4) return whole + 4;
  return whole + round_up(rest, rest <= 64 ? 8 : rest <= 256 ? 16 : 64);
}

static t5gist_status apply_f32(const tg_linear *linear, tg_workspace *workspace, const float *x, size_t m, bool accumulate, float *y,
                               t5gist_error *err) {
  const tg_packed *w = &linear->w;
#if defined(__x86_64__)
  if (w->blocks) {
    const tg_blocks_product product = {.x = x, .weights = w->weights, .y = y, .m = m, .n_in = w->n_in, .n_out = w->n_out, .accumulate = accumulate};
    tg_multiply_blocks(tg_workspace_team(workspace), &product);
    return T5GIST_OK;
  }
#endif
  for (size_t begin = 0; begin < m; begin += CHUNK_ROWS) {
    const size_t rows = m - begin < CHUNK_ROWS ? m - begin : CHUNK_ROWS;
    const tg_rows_product product = {.x = x + begin * w->n_in,
                                     .weights = w->weights,
                                     .y = y + begin * w->n_out,
                                     .m = tg_linear_rows(rows),
                                     .n_in = w->n_in,
                                     .n_out = w->n_out,
                                     .accumulate = accumulate};
    TG_TRY(tg_onednn_multiply(workspace, &product, err));
  }
  return T5GIST_OK;
}

static t5gist_status apply_bf16(const tg_linear *linear, tg_workspace *workspace, const float *x, size_t m, bool accumulate, float *y,
                                t5gist_error *err) {
  const tg_packed *w = &linear->w;
  tg_arena *arena = tg_workspace_arena(workspace);
  const tg_arena_mark mark = tg_arena_save(arena);
  tg_bf16_product product = {
      .x = x, .weights = w->weights, .y = y, .m = m, .n_in = w->n_in, .depth = w->depth, .n_out = w->n_out, .accumulate = accumulate};
  if (tg_cpu_bf16()) TG_TRY(tg_arena_take(arena, &product.rounded, m, w->depth * sizeof *product.rounded, err));
  tg_bf16_multiply(tg_workspace_team(workspace), &product);
  tg_arena_restore(arena, mark);
  return T5GIST_OK;
}

/* The most rows, at most m, that oneDNN has a primitive for: few enough sizes for few primitives. */
static size_t whole_rows(size_t m) {
  const size_t most = m < INT8_CHUNK ? m : INT8_CHUNK;
  return most - most % (most < 64 ? 8 : 16);
}

/* Rows begin .. begin + rows of a product. */
static tg_int8_product piece_of(const tg_int8_product *product, size_t begin, size_t rows) {
  tg_int8_product piece = *product;
  piece.m = rows;
  piece.x += begin * product->depth;
  piece.x_scales += begin;
  piece.y += begin * product->n_out;
  if (product->low != NULL) {
    piece.low += begin * product->depth;
    piece.low_scales += begin;
  }
  return piece;
}

/* What whole_rows leaves over is few enough for our own kernels. */
static t5gist_status multiply_int8(const tg_linear *linear, tg_workspace *workspace, const tg_int8_product *product, t5gist_error *err) {
  for (size_t begin = 0, rows; begin < product->m; begin += rows) {
    rows = product->m - begin;
    const bool onednn = linear->onednn && rows > INT8_FEW_ROWS;
    if (onednn) rows = whole_rows(rows);
    const tg_int8_product piece = piece_of(product, begin, rows);
    if (onednn)
      TG_TRY(tg_onednn_multiply_int8(workspace, &piece, err));
    else
      tg_int8_multiply(tg_workspace_team(workspace), &piece);
  }
  return T5GIST_OK;
}

static t5gist_status apply_int8(const tg_linear *linear, tg_workspace *workspace, const tg_rows *x, size_t m, bool accumulate, float *y,
                                t5gist_error *err) {
  const tg_packed *w = &linear->w;
  const bool wide = w->precision == TG_PRECISION_INT8X16;
  tg_arena *arena = tg_workspace_arena(workspace);
  const tg_arena_mark mark = tg_arena_save(arena);
  unsigned char *q = NULL, *low = NULL;
  float *scales = NULL, *low_scales = NULL, *scratch = NULL;
  tg_team *team = tg_workspace_team(workspace);
  t5gist_status status = T5GIST_OK;
  TG_GOTO(tg_arena_take(arena, &q, m, w->depth, err));
  TG_GOTO(tg_arena_take(arena, &scales, m, sizeof *scales, err));
  if (wide) {
    TG_GOTO(tg_arena_take(arena, &low, m, w->depth, err));
    TG_GOTO(tg_arena_take(arena, &low_scales, m, sizeof *low_scales, err));
  }
  if (x->making != TG_AS_THEY_ARE) TG_GOTO(tg_arena_take(arena, &scratch, (size_t)tg_team_threads(team), w->n_in * sizeof *scratch, err));
  tg_quantize_rows(team, x, m, w->n_in, w->depth, tg_int8_offset(), q, low, scales, scratch);
  for (size_t row = 0; wide && row < m; row++) low_scales[row] = scales[row] / LOW_STEPS;
  const tg_int8_product product = {.x = q,
                                   .x_scales = scales,
                                   .low = low,
                                   .low_scales = low_scales,
                                   .weights = w->weights,
                                   .scales = w->scales,
                                   .offsets = w->offsets,
                                   .y = y,
                                   .m = m,
                                   .depth = w->depth,
                                   .n_out = w->n_out,
                                   .accumulate = accumulate};
  TG_GOTO(multiply_int8(linear, workspace, &product, err));
done:
  tg_arena_restore(arena, mark);
  return status;
}

static t5gist_status apply_int4(const tg_linear *linear, tg_workspace *workspace, const float *x, size_t m, bool accumulate, float *y,
                                t5gist_error *err) {
  const tg_packed *w = &linear->w;
  const size_t n_groups = tg_int4_groups(w->n_in, w->group);
  tg_arena *arena = tg_workspace_arena(workspace);
  const tg_arena_mark mark = tg_arena_save(arena);
  tg_int4_activations q = {0};
  t5gist_status status = T5GIST_OK;
  TG_GOTO(tg_arena_take(arena, &q.q, m, w->depth, err));
  TG_GOTO(tg_arena_take(arena, &q.scales, m, n_groups * sizeof *q.scales, err));
  TG_GOTO(tg_arena_take(arena, &q.starts, m, n_groups * sizeof *q.starts, err));
  tg_int4_quantize(tg_workspace_team(workspace), x, m, w->n_in, w->group, &q);
  const tg_int4_product product = {.x = q,
                                   .weights = w->weights,
                                   .y = y,
                                   .m = m,
                                   .depth = w->depth,
                                   .group = w->group,
                                   .n_groups = n_groups,
                                   .n_out = w->n_out,
                                   .block_bytes = w->block_bytes,
                                   .accumulate = accumulate};
  tg_int4_multiply(tg_workspace_team(workspace), &product);
done:
  tg_arena_restore(arena, mark);
  return status;
}

static void count_product(const tg_linear *linear, const tg_workspace *workspace, size_t m) {
  tg_counters *counters = tg_workspace_counters(workspace);
  if (counters == NULL) return;
  const uint64_t weights = (uint64_t)linear->w.n_in * linear->w.n_out;
  counters->products++;
  counters->product_flops += 2 * m * weights;
  counters->weights += weights;
  counters->weight_bytes += tg_linear_bytes(linear);
}

t5gist_status tg_linear_apply(const tg_linear *linear, tg_workspace *workspace, const float *x, size_t m, bool accumulate, float *y,
                              t5gist_error *err) {
  count_product(linear, workspace, m);
  if (linear->w.precision == TG_PRECISION_BF16) return apply_bf16(linear, workspace, x, m, accumulate, y, err);
  if (linear->w.precision == TG_PRECISION_F32) return apply_f32(linear, workspace, x, m, accumulate, y, err);
  if (linear->w.precision == TG_PRECISION_INT4) return apply_int4(linear, workspace, x, m, accumulate, y, err);
  return apply_int8(linear, workspace, &(tg_rows){.x = x}, m, accumulate, y, err);
}

t5gist_status tg_linear_apply_rows(const tg_linear *linear, tg_workspace *workspace, const tg_rows *x, size_t m, bool accumulate, float *made,
                                   float *y, t5gist_error *err) {
  if (tg_is_int8(linear->w.precision)) {
    count_product(linear, workspace, m);
    return apply_int8(linear, workspace, x, m, accumulate, y, err);
  }
  if (x->making == TG_AS_THEY_ARE) return tg_linear_apply(linear, workspace, x->x, m, accumulate, y, err);
  tg_make_rows(tg_workspace_team(workspace), x, m, linear->w.n_in, made);
  return tg_linear_apply(linear, workspace, made, m, accumulate, y, err);
}

/* --------------------------------------------------------------------------------------------------------------------- specification */

/* Distance between the weights of two inputs of an output, in groups of so many. */
static double weight_at(const tg_packed *w, size_t output, size_t input) {
  const size_t block = output / TG_BLOCK_OUT * TG_BLOCK_OUT * w->depth, column = output % TG_BLOCK_OUT;
  if (w->precision == TG_PRECISION_BF16) {
    const size_t pair = input / TG_BF16_GROUP * TG_BF16_GROUP;
    float value;
    tg_widen((const uint16_t *)w->weights + block + pair * TG_BLOCK_OUT + column * TG_BF16_GROUP + input % TG_BF16_GROUP, TG_BF16, 1, &value);
    return (double)value;
  }
  if (w->precision != TG_PRECISION_F32) {
    const size_t group = input / TG_INT8_GROUP * TG_INT8_GROUP;
    return ((const int8_t *)w->weights)[block + group * TG_BLOCK_OUT + column * TG_INT8_GROUP + input % TG_INT8_GROUP];
  }
  return (double)((const float *)w->weights)[w->blocks ? block + input * TG_BLOCK_OUT + column : output * w->depth + input];
}

static void int8_reference(const tg_packed *w, const float *x, bool accumulate, float *y) {
  int8_t q[TG_INT8_MAX_INPUTS], low[TG_INT8_MAX_INPUTS];
  const float x_scale = tg_quantize_row_wide_reference(x, w->n_in, q, low), low_scale = x_scale / LOW_STEPS;
  for (size_t o = 0; o < w->n_out; o++) {
    int32_t sum = 0, low_sum = 0;
    for (size_t i = 0; i < w->n_in; i++) {
      sum += q[i] * (int32_t)weight_at(w, o, i);
      low_sum += low[i] * (int32_t)weight_at(w, o, i);
    }
    const float scale = w->scales[o] * x_scale, scale_of_low = w->scales[o] * low_scale;
    const float value = (float)sum * scale, value_of_low = (float)low_sum * scale_of_low;
    y[o] = accumulate ? y[o] + value : value;
    if (w->precision == TG_PRECISION_INT8X16) y[o] += value_of_low;
  }
}

/* Weight q of an output, and its scale. */
static int32_t int4_weight_at(const tg_packed *w, size_t output, size_t input, float *scale) {
  const size_t g = input / w->group, inside = input % w->group, o = output % TG_INT4_BLOCK, half = TG_INT4_EIGHT / 2;
  const unsigned char *block = (const unsigned char *)w->weights + output / TG_INT4_BLOCK * w->block_bytes +
                               g * (TG_INT4_SCALES + w->group * TG_INT4_BLOCK / 2);
  tg_widen(block + tg_int4_scale_at(o) * sizeof(uint16_t), TG_BF16, 1, scale);
  const unsigned char byte = block[TG_INT4_SCALES + inside / TG_INT4_EIGHT * TG_INT4_BLOCK * half + o * half + inside % half];
  return (inside % TG_INT4_EIGHT < half ? byte & 15 : byte >> 4) + TG_INT4_LEAST;
}

static void int4_reference(const tg_packed *w, const float *x, bool accumulate, float *y) {
  for (size_t o = 0; o < w->n_out; o++) {
    float total = 0;
    for (size_t first = 0; first < w->n_in; first += w->group) {
      const size_t n = w->n_in - first < w->group ? w->n_in - first : w->group;
      int8_t q[TG_INT4_MOST_GROUP];
      const float x_scale = tg_quantize_row_reference(x + first, n, q);
      float w_scale = 0;
      int32_t sum = 0;
      for (size_t i = 0; i < n; i++) sum += q[i] * int4_weight_at(w, o, first + i, &w_scale);
      const float scale = w_scale * x_scale;
      const float value = (float)sum * scale;
      total += value;
    }
    y[o] = accumulate ? y[o] + total : total;
  }
}

/* What the product sees of an activation. */
static double activation(const tg_packed *w, float x) {
  uint16_t rounded;
  if (w->precision != TG_PRECISION_BF16 || !tg_cpu_bf16()) return (double)x;
  tg_narrow_bf16(&x, 1, &rounded);
  tg_widen(&rounded, TG_BF16, 1, &x);
  return (double)x;
}

void tg_linear_reference(const tg_linear *linear, const float *x, size_t m, bool accumulate, float *y) {
  const tg_packed *w = &linear->w;
  for (size_t row = 0; row < m; row++, x += w->n_in, y += w->n_out) {
    if (tg_is_int8(w->precision)) {
      int8_reference(w, x, accumulate, y);
      continue;
    }
    if (w->precision == TG_PRECISION_INT4) {
      int4_reference(w, x, accumulate, y);
      continue;
    }
    for (size_t o = 0; o < w->n_out; o++) {
      double sum = 0;
      for (size_t i = 0; i < w->n_in; i++) sum += activation(w, x[i]) * weight_at(w, o, i);
      y[o] = (float)(sum + (accumulate ? (double)y[o] : 0));
    }
  }
}
