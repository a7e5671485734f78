#include <string.h>

#include "gist/choice.h"
#include "runtime/clock.h"
#include "runtime/cpu.h"
#include "runtime/error.h"
#include "runtime/int4.h"
#include "t5/model.h"

enum { MAX_SHAPES = 6, MAX_SETS = 64, HEAD_ROWS = 1 << 15, WORKING_SET = 96 << 20, LEAST_ROUNDS = 3, LEAST_MS = 8 };

typedef struct shape {
  size_t n_in, n_out;
  bool wo, decoder_alone;
} shape;

/* Layers of one decoder block; an encoder block has those that are not the decoder's alone. */
typedef struct bench {
  const tg_config *config;
  tg_engine *engine;
  tg_workspace *workspace;
  shape shapes[MAX_SHAPES];
  tg_linear *sets[MAX_SETS][MAX_SHAPES], *head; /* [n_sets] */
  size_t n_sets, head_rows, rows;
  void *weights; /* [largest layer] numbers of 16 bits */
  float *scales, *x, *y;
} bench;

static void list_shapes(bench *b) {
  const tg_config *c = b->config;
  const size_t d_model = (size_t)c->d_model, inner = tg_t5_inner(c), d_ff = (size_t)c->d_ff;
  const shape shapes[MAX_SHAPES] = {{d_model, 3 * inner, false, false}, {inner, d_model, false, false}, {d_model, inner, false, true},
                                    {inner, d_model, false, true},      {d_model, c->gated ? 2 * d_ff : d_ff, false, false},
                                    {d_ff, d_model, true, false}};
  memcpy(b->shapes, shapes, sizeof shapes);
  b->head_rows = c->vocab_size < HEAD_ROWS ? (size_t)c->vocab_size : HEAD_ROWS;
}

static size_t larger(size_t a, size_t b) {
  return a > b ? a : b;
}

static t5gist_status prepare(bench *b, t5gist_error *err) {
  const size_t d_model = (size_t)b->config->d_model;
  size_t count = b->head_rows * d_model, widest_in = d_model, widest_out = b->head_rows;
  for (size_t i = 0; i < MAX_SHAPES; i++) {
    count = larger(count, b->shapes[i].n_in * b->shapes[i].n_out); /* sizes of a config that was checked */
    widest_in = larger(widest_in, b->shapes[i].n_in);
    widest_out = larger(widest_out, b->shapes[i].n_out);
  }
  TG_TRY(tg_alloc(&b->weights, count, sizeof(uint16_t), err));
  const size_t n_scales = widest_out + count / TG_INT4_GROUP; /* at least as many as 4 bits take */
  TG_TRY(tg_alloc(&b->scales, n_scales, sizeof *b->scales, err));
  TG_TRY(tg_alloc(&b->x, tg_linear_rows(b->rows), widest_in * sizeof *b->x, err));
  TG_TRY(tg_alloc(&b->y, tg_linear_rows(b->rows), widest_out * sizeof *b->y, err));
  for (size_t i = 0; i < count; i++) ((uint16_t *)b->weights)[i] = (uint16_t)(0x3c80 + i % 61); /* about 0.02, and ordinary bytes */
  for (size_t i = 0; i < n_scales; i++) b->scales[i] = 0.001f;
  for (size_t i = 0; i < tg_linear_rows(b->rows) * widest_in; i++) b->x[i] = (float)(i % 31) * 0.03f - 0.45f;
  return T5GIST_OK;
}

static t5gist_status new_linear(bench *b, size_t n_in, size_t n_out, tg_precision precision, tg_linear **linear, t5gist_error *err) {
  tg_matrix part = {.data = b->weights, .dtype = TG_BF16, .n_out = n_out};
  if (precision == TG_PRECISION_INT8 || precision == TG_PRECISION_INT8X16) part.dtype = TG_I8;
  if (precision == TG_PRECISION_INT4) part.dtype = TG_I4;
  if (part.dtype != TG_BF16) part.scales = b->scales;
  if (part.dtype == TG_I4) part.group = TG_INT4_GROUP;
  return tg_linear_new(b->engine, &part, 1, n_in, precision, linear, err);
}

static t5gist_status make_layers(bench *b, tg_precision precision, tg_precision wo_precision, t5gist_error *err) {
  size_t bytes = 0, most = (size_t)b->config->n_decoder_layers < MAX_SETS ? (size_t)b->config->n_decoder_layers : MAX_SETS;
  TG_TRY(new_linear(b, (size_t)b->config->d_model, b->head_rows, precision, &b->head, err));
  while (b->n_sets < most && bytes < WORKING_SET) {
    tg_linear **set = b->sets[b->n_sets++];
    for (size_t i = 0; i < MAX_SHAPES; i++) {
      TG_TRY(new_linear(b, b->shapes[i].n_in, b->shapes[i].n_out, b->shapes[i].wo ? wo_precision : precision, &set[i], err));
      bytes += tg_linear_bytes(set[i]);
    }
  }
  return T5GIST_OK;
}

static t5gist_status run_sets(bench *b, size_t m, bool decoder, t5gist_error *err) {
  for (size_t s = 0; s < b->n_sets; s++)
    for (size_t i = 0; i < MAX_SHAPES; i++)
      if (decoder || !b->shapes[i].decoder_alone) TG_TRY(tg_linear_apply(b->sets[s][i], b->workspace, b->x, m, false, b->y, err));
  return T5GIST_OK;
}

/* The best times of all sets, and of the head behind them. */
static t5gist_status time_sets(bench *b, size_t m, bool decoder, double *sets_ms, double *head_ms, t5gist_error *err) {
  *sets_ms = *head_ms = 1e30;
  const double start = tg_now_ms();
  for (int round = 0; round <= LEAST_ROUNDS || tg_now_ms() - start < LEAST_MS; round++) {
    const double begin = tg_now_ms();
    TG_TRY(run_sets(b, m, decoder, err));
    const double middle = tg_now_ms();
    if (decoder) TG_TRY(tg_linear_apply(b->head, b->workspace, b->x, m, false, b->y, err));
    const double end = tg_now_ms();
    if (round == 0) continue; /* makes primitives and scratch memory */
    if (middle - begin < *sets_ms) *sets_ms = middle - begin;
    if (end - middle < *head_ms) *head_ms = end - middle;
  }
  return T5GIST_OK;
}

static t5gist_status measure(bench *b, tg_layer_times *times, t5gist_error *err) {
  const tg_config *c = b->config;
  double sets_ms, head_ms, step_bytes = 0, flops = 0;
  const double sets = (double)b->n_sets, head_share = (double)c->vocab_size / (double)b->head_rows;
  for (size_t i = 0; i < MAX_SHAPES; i++) {
    step_bytes += (double)tg_linear_bytes(b->sets[0][i]) * c->n_decoder_layers;
    if (!b->shapes[i].decoder_alone) flops += 2.0 * (double)b->rows * (double)b->shapes[i].n_in * (double)b->shapes[i].n_out * c->n_layers;
  }
  step_bytes += (double)tg_linear_bytes(b->head) * head_share;
  TG_TRY(time_sets(b, 1, true, &sets_ms, &head_ms, err));
  times->step_ms = sets_ms / sets * c->n_decoder_layers + head_ms * head_share;
  TG_TRY(time_sets(b, b->rows, false, &sets_ms, &head_ms, err));
  times->rows_ms = sets_ms / sets * c->n_layers;
  times->step_bytes = step_bytes / times->step_ms * 1e3;
  times->rows_flops = flops / times->rows_ms * 1e3;
  return T5GIST_OK;
}

static t5gist_status time_layers(const tg_config *config, tg_precision precision, tg_precision wo_precision, int threads, size_t rows,
                                 tg_layer_times *times, t5gist_error *err) {
  bench *b;
  t5gist_status status;
  TG_TRY(tg_alloc(&b, 1, sizeof *b, err));
  b->config = config;
  b->rows = rows;
  list_shapes(b);
  TG_GOTO(tg_engine_new(threads, &b->engine, err));
  TG_GOTO(tg_workspace_new(b->engine, &b->workspace, err));
  TG_GOTO(prepare(b, err));
  TG_GOTO(make_layers(b, precision, wo_precision, err));
  const double begin = tg_now_ms(), waited = tg_cpu_waited_ms();
  TG_GOTO(measure(b, times, err));
  times->waited = (tg_cpu_waited_ms() - waited) / (tg_now_ms() - begin);
done:
  for (size_t s = 0; s < b->n_sets; s++)
    for (size_t i = 0; i < MAX_SHAPES; i++) tg_linear_free(b->sets[s][i]);
  tg_linear_free(b->head);
  tg_free(b->weights);
  tg_free(b->scales);
  tg_free(b->x);
  tg_free(b->y);
  tg_workspace_free(b->workspace);
  tg_engine_free(b->engine);
  tg_free(b);
  return status;
}

/* An int4 model's encoder is in int8. */
t5gist_status tg_time_layers(const tg_config *config, tg_precision precision, tg_precision wo_precision, int threads, size_t rows,
                             tg_layer_times *times, t5gist_error *err) {
  TG_TRY(time_layers(config, precision, wo_precision, threads, rows, times, err));
  if (precision != TG_PRECISION_INT4) return T5GIST_OK;
  tg_layer_times encoders;
  const tg_precision wo = wo_precision == TG_PRECISION_INT4 ? TG_PRECISION_INT8X16 : wo_precision;
  TG_TRY(time_layers(config, TG_PRECISION_INT8, wo, threads, rows, &encoders, err));
  times->rows_ms = encoders.rows_ms;
  times->rows_flops = encoders.rows_flops;
  if (encoders.waited > times->waited) times->waited = encoders.waited;
  return T5GIST_OK;
}
