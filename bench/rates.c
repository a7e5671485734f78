/* oneDNN's own matrix rate per number format: what a product of the model's sizes can reach. Each thread of a team multiplies a slice of the outputs,
 * as in the engine: a product that oneDNN cuts up among threads of its own waits for every one of them, on a busy machine for long. */
#include <math.h>
#include <omp.h>

#include "bench/bench.h"
#include "runtime/clock.h"
#include "runtime/error.h"
#include "runtime/matmul.h"
#include "runtime/onednn_compat.h"
#include "runtime/team.h"

const char *const tg_rate_names[TG_N_RATES] = {"f32", "bf16", "int8"};
const int tg_rate_rows[TG_N_ROWS] = {1, 32, 64, 256};

static const struct {
  dnnl_data_type_t x, weights, y;
} types[TG_N_RATES] = {{dnnl_f32, dnnl_f32, dnnl_f32}, {dnnl_bf16, dnnl_bf16, dnnl_f32}, {dnnl_u8, dnnl_s8, dnnl_s32}};

enum { N_LAYERS = 4, MAX_THREADS = 1024 }; /* threads: as many as the configuration allows */
#define STREAMED_BYTES ((size_t)192 << 20) /* weights in turn, far beyond the caches */
static const double cached_ms = 12, streamed_rounds = 2;

typedef struct slice {
  dnnl_memory_t x, y, scratch, *weights; /* [n_weights] x: of its own as well, what it holds does not matter */
} slice;

typedef struct product {
  dnnl_primitive_desc_t operation; /* of a slice, by one thread */
  dnnl_primitive_t primitive;
  slice *slices; /* [n_slices] */
  size_t n_slices, n_weights;
  double flops;
} product;

typedef struct bench {
  tg_engine *engine;
  tg_workspace *workspace;
  tg_team *team;          /* the workspace's */
  unsigned char *weights; /* [size] what all products take their weights from */
  size_t size;
} bench;

static t5gist_status check(dnnl_status_t status, t5gist_error *err) {
  return tg_dnnl_check(status, "measuring its matrix rate", err);
}

static void slice_free(slice *s, size_t n_weights) {
  for (size_t i = 0; s->weights && i < n_weights; i++) dnnl_memory_destroy(s->weights[i]);
  tg_free(s->weights);
  dnnl_memory_destroy(s->x);
  dnnl_memory_destroy(s->y);
  dnnl_memory_destroy(s->scratch);
}

static void product_free(product *p) {
  for (size_t i = 0; p->slices && i < p->n_slices; i++) slice_free(&p->slices[i], p->n_weights);
  tg_free(p->slices);
  dnnl_primitive_destroy(p->primitive);
  dnnl_primitive_desc_destroy(p->operation);
  *p = (product){0};
}

/* Numbers that are neither denormal nor infinite in any of the formats. */
static void fill(unsigned char *data, size_t n) {
  for (size_t i = 0; i < n; i++) data[i] = (unsigned char)(i & 1 ? 0x3c : i & 7);
}

static t5gist_status new_memory(dnnl_engine_t engine, dnnl_primitive_desc_t operation, dnnl_query_t what, dnnl_memory_t *out, t5gist_error *err) {
  tg_dnnl_const_desc desc = dnnl_primitive_desc_query_md(operation, what, 0);
  TG_TRY(check(dnnl_memory_create(out, desc, engine, DNNL_MEMORY_ALLOCATE), err));
  void *data = NULL;
  TG_TRY(check(dnnl_memory_get_data_handle(*out, &data), err));
  fill(data, dnnl_memory_desc_get_size(desc));
  return T5GIST_OK;
}

/* As many weights as the common memory holds, side by side: those of a product's slices follow each other. */
static t5gist_status share_weights(const bench *b, product *p, t5gist_error *err) {
  tg_dnnl_const_desc desc = dnnl_primitive_desc_query_md(p->operation, dnnl_query_weights_md, 0);
  const size_t bytes = (dnnl_memory_desc_get_size(desc) + 63) / 64 * 64, n = b->size / (bytes * p->n_slices);
  if (n == 0) return tg_fail(err, T5GIST_EINTERNAL, "oneDNN wants %zu bytes for weights, more than expected", bytes * p->n_slices);
  for (size_t i = 0; i < p->n_slices; i++) TG_TRY(tg_alloc(&p->slices[i].weights, n, sizeof(dnnl_memory_t), err)); /* zeros */
  p->n_weights = n;
  for (size_t i = 0; i < n * p->n_slices; i++)
    TG_TRY(check(dnnl_memory_create(&p->slices[i % p->n_slices].weights[i / p->n_slices], desc, tg_engine_dnnl(b->engine), b->weights + i * bytes),
                 err));
  return T5GIST_OK;
}

/* The product of m rows and n_out outputs that one thread does. */
static t5gist_status slice_primitive(dnnl_engine_t engine, tg_rate rate, size_t m, size_t n_in, size_t n_out, product *p, t5gist_error *err) {
  tg_dnnl_desc x, w, y;
  dnnl_primitive_attr_t attr;
  TG_TRY(check(tg_dnnl_desc_typed(&x, (dnnl_dim_t)m, (dnnl_dim_t)n_in, types[rate].x, dnnl_ab), err));
  TG_TRY(check(tg_dnnl_desc_typed(&w, (dnnl_dim_t)n_in, (dnnl_dim_t)n_out, types[rate].weights, dnnl_format_tag_any), err));
  TG_TRY(check(tg_dnnl_desc_typed(&y, (dnnl_dim_t)m, (dnnl_dim_t)n_out, types[rate].y, dnnl_ab), err));
  TG_TRY(check(dnnl_primitive_attr_create(&attr), err));
  const int openmp = omp_get_max_threads();
  omp_set_num_threads(1); /* what oneDNN plans for */
  dnnl_status_t made = dnnl_primitive_attr_set_scratchpad_mode(attr, dnnl_scratchpad_mode_user);
  if (made == dnnl_success) made = tg_dnnl_matmul_new(&p->operation, engine, &x, &w, &y, attr);
  if (made == dnnl_success) made = dnnl_primitive_create(&p->primitive, p->operation);
  omp_set_num_threads(openmp);
  dnnl_primitive_attr_destroy(attr);
  tg_dnnl_desc_free(&x);
  tg_dnnl_desc_free(&w);
  tg_dnnl_desc_free(&y);
  return made == dnnl_unimplemented ? T5GIST_EUNSUPPORTED : check(made, err); /* this machine has no such product */
}

/* Outputs are rounded up to slices of whole vectors. */
static t5gist_status product_new(const bench *b, tg_rate rate, size_t m, size_t n_in, size_t n_out, product *p, t5gist_error *err) {
  dnnl_engine_t engine = tg_engine_dnnl(b->engine);
  const size_t n_slices = (size_t)tg_team_threads(b->team), width = (n_out + 16 * n_slices - 1) / (16 * n_slices) * 16;
  *p = (product){.flops = 2 * (double)m * (double)n_in * (double)(width * n_slices)};
  TG_TRY(slice_primitive(engine, rate, m, n_in, width, p, err));
  TG_TRY(tg_alloc(&p->slices, n_slices, sizeof *p->slices, err)); /* zeros */
  p->n_slices = n_slices;
  for (size_t i = 0; i < n_slices; i++) {
    TG_TRY(new_memory(engine, p->operation, dnnl_query_src_md, &p->slices[i].x, err));
    TG_TRY(new_memory(engine, p->operation, dnnl_query_dst_md, &p->slices[i].y, err));
    TG_TRY(new_memory(engine, p->operation, dnnl_query_scratchpad_md, &p->slices[i].scratch, err));
  }
  return share_weights(b, p, err);
}

typedef struct turn {
  const bench *b;
  const product *p;
  size_t weights;
  dnnl_status_t *status; /* [n_slices] */
} turn;

static void run_slices(void *argument, size_t begin, size_t end, int thread) {
  const turn *t = argument;
  dnnl_stream_t stream = tg_workspace_stream(t->b->workspace, thread);
  for (size_t i = begin; i < end; i++) {
    const slice *s = &t->p->slices[i];
    const dnnl_exec_arg_t args[] = {
        {DNNL_ARG_SRC, s->x}, {DNNL_ARG_WEIGHTS, s->weights[t->weights]}, {DNNL_ARG_DST, s->y}, {DNNL_ARG_SCRATCHPAD, s->scratch}};
    t->status[i] = dnnl_primitive_execute(t->p->primitive, stream, 4, args);
    if (t->status[i] == dnnl_success) t->status[i] = dnnl_stream_wait(stream);
  }
}

static t5gist_status run(const bench *b, const product *p, size_t weights, t5gist_error *err) {
  dnnl_status_t status[MAX_THREADS];
  turn t = {.b = b, .p = p, .weights = weights, .status = status};
  tg_team_run(b->team, p->n_slices, run_slices, &t);
  for (size_t i = 0; i < p->n_slices; i++) TG_TRY(check(status[i], err));
  return T5GIST_OK;
}

/* Best time of one product over and over, its weights in cache where they fit. */
static t5gist_status time_cached(const bench *b, const product *p, double *best, t5gist_error *err) {
  const double until = tg_now_ms() + cached_ms;
  *best = INFINITY;
  TG_TRY(run(b, p, 0, err));
  do {
    const double begin = tg_now_ms();
    TG_TRY(run(b, p, 0, err));
    const double took = tg_now_ms() - begin;
    if (took < *best) *best = took;
  } while (tg_now_ms() < until);
  return T5GIST_OK;
}

/* Mean time per product over many weights in turn; best round. */
static t5gist_status time_streamed(const bench *b, const product *p, double *best, t5gist_error *err) {
  *best = INFINITY;
  for (int round = 0; round < streamed_rounds; round++) {
    const double begin = tg_now_ms();
    for (size_t i = 0; i < p->n_weights; i++) TG_TRY(run(b, p, i, err));
    const double took = (tg_now_ms() - begin) / (double)p->n_weights;
    if (took < *best) *best = took;
  }
  return T5GIST_OK;
}

static t5gist_status measure(const bench *b, const t5gist_model_info *model, tg_rate rate, int rows, tg_limits *limits, t5gist_error *err) {
  const size_t d = (size_t)model->d_model, inner = (size_t)model->n_heads * (size_t)model->d_kv, ff = (size_t)model->d_ff,
               m = (size_t)tg_rate_rows[rows];
  const size_t sizes[N_LAYERS][2] = {{d, 3 * inner}, {inner, d}, {d, 2 * ff}, {ff, d}};
  double flops = 0, cached = 0, streamed = 0;
  for (int i = 0; i < N_LAYERS; i++) {
    double one = 0, many = 0;
    product p;
    t5gist_status status = product_new(b, rate, m, sizes[i][0], sizes[i][1], &p, err);
    if (status == T5GIST_OK) status = time_cached(b, &p, &one, err);
    if (status == T5GIST_OK) status = time_streamed(b, &p, &many, err);
    flops += p.flops;
    product_free(&p);
    if (status == T5GIST_EUNSUPPORTED) return T5GIST_OK;
    TG_TRY(status);
    cached += one;
    streamed += many;
  }
  if (flops / cached * 1e3 > limits->cached[rate][rows]) limits->cached[rate][rows] = flops / cached * 1e3;
  if (flops / streamed * 1e3 > limits->streamed[rate][rows]) limits->streamed[rate][rows] = flops / streamed * 1e3;
  return T5GIST_OK;
}

t5gist_status tg_limits_rates(const t5gist_model_info *model, tg_limits *limits, t5gist_error *err) {
  const size_t d = (size_t)model->d_model, inner = (size_t)model->n_heads * (size_t)model->d_kv, rounding = 64 + 16 * (size_t)model->threads;
  const size_t largest = (d + 64) * (2 * (size_t)model->d_ff + 3 * inner + rounding) * sizeof(float);
  bench b = {.size = largest > STREAMED_BYTES ? largest : STREAMED_BYTES};
  TG_TRY(tg_engine_new(model->threads, &b.engine, err));
  t5gist_status status = tg_workspace_new(b.engine, &b.workspace, err);
  if (status == T5GIST_OK) status = tg_alloc(&b.weights, b.size, 1, err);
  if (status == T5GIST_OK) {
    b.team = tg_workspace_team(b.workspace);
    fill(b.weights, b.size);
  }
  for (int rate = 0; status == T5GIST_OK && rate < TG_N_RATES; rate++)
    for (int rows = 0; status == T5GIST_OK && rows < TG_N_ROWS; rows++) status = measure(&b, model, (tg_rate)rate, rows, limits, err);
  tg_free(b.weights);
  tg_workspace_free(b.workspace);
  tg_engine_free(b.engine);
  return status;
}
