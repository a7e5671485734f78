/* What the computing half of runtime/ reaches on this machine: bench_kernels [threads [f32|bf16|int8|int4]], one precision alone on demand.
 *
 *   reading       bytes per second of memory far beyond the caches, the best of the patterns of bench/machine.c, before each table: what few rows can
 *                 reach. On shared machines it changes within minutes
 *   sharing out   us to share eight pieces of 2 us out over the threads, beside libgomp; after short and long pauses
 *   few rows      bytes of weights (with their scales) per second at M = 1..8 and the share of what reading reaches, over a working set far beyond the
 *                 caches, beside oneDNN in its own layout; oneDNN has no int4 to stand beside
 *   many rows     operations per second of the linear layers, beside oneDNN in its own layout; int8 with quantising and scaling, oneDNN without
 *   packing       bytes of stored weights per second
 *   attention     ms of one encoder layer's attention, beside its linear layers' */
#include <omp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/bench.h"
#include "runtime/attention.h"
#include "runtime/clock.h"
#include "runtime/cpu.h"
#include "runtime/int4.h"
#include "runtime/linear.h"
#include "runtime/matmul.h"
#include "runtime/onednn_compat.h"

static tg_engine *engine;
static tg_workspace *workspace;

static void need(t5gist_status status, const t5gist_error *err) {
  if (status == T5GIST_OK) return;
  fprintf(stderr, "bench_kernels: %s\n", err->message);
  exit(1);
}

static void need_dnnl(dnnl_status_t status) {
  t5gist_error err = {0};
  need(tg_dnnl_check(status, "measuring", &err), &err);
}

static float *floats(size_t n) {
  t5gist_error err = {0};
  float *x = NULL;
  need(tg_alloc(&x, n, sizeof *x, &err), &err);
  for (size_t i = 0; i < n; i++) x[i] = (float)(i % 31) * 0.03f - 0.45f;
  return x;
}

/* Many layers of the same weights, all together far beyond the caches. */
typedef struct layers {
  tg_linear **linears; /* [n] */
  size_t n, bytes;     /* of one, as packed */
  double packed;       /* bytes per second of packing */
} layers;

static tg_linear *new_linear(const tg_matrix *part, size_t n_in, tg_precision precision) {
  t5gist_error err = {0};
  tg_linear *linear = NULL;
  need(tg_linear_new(engine, part, 1, n_in, precision, &linear, &err), &err);
  return linear;
}

/* int4 from stored nibbles, the others from f32. */
static layers layers_new(size_t n_in, size_t n_out, tg_precision precision) {
  t5gist_error err = {0};
  float *w = floats(n_in * n_out), *scales = floats(n_out * tg_int4_groups(n_in, TG_INT4_GROUP));
  const size_t row_bytes = tg_int4_row_bytes(n_in), n_groups = tg_int4_groups(n_in, TG_INT4_GROUP);
  unsigned char *nibbles = NULL;
  need(tg_alloc(&nibbles, n_out, row_bytes, &err), &err);
  for (size_t o = 0; o < n_out; o++) tg_quantize_row4(w + o * n_in, n_in, TG_INT4_GROUP, nibbles + o * row_bytes, scales + o * n_groups);
  const bool stored = precision == TG_PRECISION_INT4;
  const tg_matrix part = stored ? (tg_matrix){nibbles, TG_I4, n_out, false, scales, TG_INT4_GROUP} : (tg_matrix){w, TG_F32, n_out, false, NULL, 0};
  tg_linear *first = new_linear(&part, n_in, precision);
  layers l = {.bytes = tg_linear_bytes(first)};
  l.n = ((size_t)384 << 20) / l.bytes;
  need(tg_alloc(&l.linears, l.n, sizeof *l.linears, &err), &err);
  l.linears[0] = first;
  const double start = tg_now();
  for (size_t i = 1; i < l.n; i++) l.linears[i] = new_linear(&part, n_in, precision);
  l.packed = (double)((l.n - 1) * l.bytes) / (tg_now() - start);
  tg_free(w);
  tg_free(scales);
  tg_free(nibbles);
  return l;
}

static void layers_free(layers *l) {
  for (size_t i = 0; i < l->n; i++) tg_linear_free(l->linears[i]);
  tg_free(l->linears);
}

/* oneDNN's product with weights in the layout that it chooses for m. */
typedef struct own_layout {
  dnnl_primitive_desc_t operation;
  dnnl_primitive_t primitive;
  dnnl_memory_t x, y, scratch, *weights; /* [n_weights] */
} own_layout;

/* Ordinary numbers in each format: others, denormal ones above all, take much longer. */
static void fill(void *data, size_t bytes, tg_precision precision) {
  for (size_t i = 0; precision == TG_PRECISION_F32 && i < bytes / sizeof(float); i++) ((float *)data)[i] = (float)(i % 31) * 0.03f - 0.45f;
  for (size_t i = 0; precision == TG_PRECISION_BF16 && i < bytes / sizeof(uint16_t); i++) ((uint16_t *)data)[i] = (uint16_t)(0x3e80 + i % 61);
  if (precision == TG_PRECISION_INT8) memset(data, 3, bytes);
}

static own_layout own_layout_new(size_t m, size_t n_in, size_t n_out, tg_precision precision, size_t n_weights, void *x, float *y) {
  static const dnnl_data_type_t x_types[] = {[TG_PRECISION_F32] = dnnl_f32, [TG_PRECISION_BF16] = dnnl_bf16, [TG_PRECISION_INT8] = dnnl_u8};
  static const dnnl_data_type_t w_types[] = {[TG_PRECISION_F32] = dnnl_f32, [TG_PRECISION_BF16] = dnnl_bf16, [TG_PRECISION_INT8] = dnnl_s8};
  const dnnl_data_type_t x_type = x_types[precision], w_type = w_types[precision], y_type = precision == TG_PRECISION_INT8 ? dnnl_s32 : dnnl_f32;
  own_layout o = {0};
  dnnl_engine_t dnnl = tg_engine_dnnl(engine);
  tg_dnnl_desc x_desc, w_desc, y_desc;
  dnnl_primitive_attr_t attr;
  need_dnnl(tg_dnnl_desc_typed(&x_desc, (dnnl_dim_t)m, (dnnl_dim_t)n_in, x_type, dnnl_ab));
  need_dnnl(tg_dnnl_desc_typed(&w_desc, (dnnl_dim_t)n_in, (dnnl_dim_t)n_out, w_type, dnnl_format_tag_any));
  need_dnnl(tg_dnnl_desc_typed(&y_desc, (dnnl_dim_t)m, (dnnl_dim_t)n_out, y_type, dnnl_ab));
  need_dnnl(dnnl_primitive_attr_create(&attr));
  need_dnnl(dnnl_primitive_attr_set_scratchpad_mode(attr, dnnl_scratchpad_mode_user));
  need_dnnl(tg_dnnl_matmul_new(&o.operation, dnnl, &x_desc, &w_desc, &y_desc, attr));
  need_dnnl(dnnl_primitive_create(&o.primitive, o.operation));
  need_dnnl(dnnl_memory_create(&o.x, dnnl_primitive_desc_query_md(o.operation, dnnl_query_src_md, 0), dnnl, x));
  need_dnnl(dnnl_memory_create(&o.y, dnnl_primitive_desc_query_md(o.operation, dnnl_query_dst_md, 0), dnnl, y));
  need_dnnl(dnnl_memory_create(&o.scratch, dnnl_primitive_desc_query_md(o.operation, dnnl_query_scratchpad_md, 0), dnnl, DNNL_MEMORY_ALLOCATE));
  o.weights = calloc(n_weights, sizeof *o.weights);
  for (size_t i = 0; o.weights != NULL && i < n_weights; i++) {
    tg_dnnl_const_desc desc = dnnl_primitive_desc_query_md(o.operation, dnnl_query_weights_md, 0);
    void *data = NULL;
    need_dnnl(dnnl_memory_create(&o.weights[i], desc, dnnl, DNNL_MEMORY_ALLOCATE));
    need_dnnl(dnnl_memory_get_data_handle(o.weights[i], &data));
    fill(data, dnnl_memory_desc_get_size(desc), precision);
  }
  tg_dnnl_desc_free(&x_desc);
  tg_dnnl_desc_free(&w_desc);
  tg_dnnl_desc_free(&y_desc);
  dnnl_primitive_attr_destroy(attr);
  return o;
}

static void own_layout_run(const own_layout *o, size_t weights) {
  const dnnl_exec_arg_t args[] = {
      {DNNL_ARG_SRC, o->x}, {DNNL_ARG_WEIGHTS, o->weights[weights]}, {DNNL_ARG_DST, o->y}, {DNNL_ARG_SCRATCHPAD, o->scratch}};
  need_dnnl(dnnl_primitive_execute(o->primitive, tg_workspace_stream(workspace, 0), 4, args));
}

static void own_layout_free(own_layout *o, size_t n_weights) {
  for (size_t i = 0; i < n_weights; i++) dnnl_memory_destroy(o->weights[i]);
  free(o->weights);
  dnnl_memory_destroy(o->x);
  dnnl_memory_destroy(o->y);
  dnnl_memory_destroy(o->scratch);
  dnnl_primitive_destroy(o->primitive);
  dnnl_primitive_desc_destroy(o->operation);
}

static int by_time(const void *a, const void *b) {
  const double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

/* Times of single calls; the tenth percentile is what the machine does when nothing else wants it. */
enum { MAX_CALLS = 2048 };
typedef struct calls {
  double seconds[MAX_CALLS], start;
  size_t n;
} calls;

static void call_begins(calls *c) {
  c->start = tg_now();
}

static void call_ends(calls *c) {
  if (c->n < MAX_CALLS) c->seconds[c->n++] = tg_now() - c->start;
}

static double calls_time(calls *c) {
  qsort(c->seconds, c->n, sizeof *c->seconds, by_time);
  return c->seconds[c->n / 10];
}

enum { ROUNDS = 4 };

static double time_layers(const layers *l, size_t m, const float *x, float *y) {
  t5gist_error err = {0};
  calls c = {.n = 0};
  need(tg_linear_apply(l->linears[0], workspace, x, m, false, y, &err), &err);
  for (size_t i = 0; i < ROUNDS * l->n; i++) {
    call_begins(&c);
    need(tg_linear_apply(l->linears[i % l->n], workspace, x, m, false, y, &err), &err);
    call_ends(&c);
  }
  return calls_time(&c);
}

static double time_own_layout(const own_layout *o, size_t n_weights) {
  calls c = {.n = 0};
  own_layout_run(o, 0);
  for (size_t i = 0; i < ROUNDS * n_weights; i++) {
    call_begins(&c);
    own_layout_run(o, i % n_weights);
    call_ends(&c);
  }
  return calls_time(&c);
}

static double reading(void) {
  t5gist_error err = {0};
  tg_limits limits = {0};
  need(tg_limits_bandwidth(tg_engine_threads(engine), &limits, &err), &err);
  return limits.bandwidth;
}

/* Formats of activations, in bytes; 0: oneDNN has no such product. */
static size_t x_size(tg_precision precision) {
  return precision == TG_PRECISION_F32 ? 4 : precision == TG_PRECISION_BF16 ? 2 : precision == TG_PRECISION_INT8 ? 1 : 0;
}

enum { MOST_ROWS = 256 };

static void measure_own_layout(size_t m, size_t n_in, size_t n_out, tg_precision precision, size_t n_weights, float *y) {
  if (x_size(precision) == 0) return;
  float *x = floats(MOST_ROWS * n_in);
  fill(x, MOST_ROWS * n_in * x_size(precision), precision);
  own_layout o = own_layout_new(m, n_in, n_out, precision, n_weights, x, y);
  const double seconds = time_own_layout(&o, n_weights);
  own_layout_free(&o, n_weights);
  tg_free(x);
  printf(" | %40.1f %7.1f", seconds * 1e6, 2 * (double)(m * n_in * n_out) / seconds * 1e-9);
}

static void measure_linear(size_t n_in, size_t n_out, tg_precision precision) {
  static const size_t ms[] = {1, 2, 4, 8, 16, 32, 64, 128, MOST_ROWS};
  float *x = floats(MOST_ROWS * n_in), *y = floats(MOST_ROWS * n_out);
  layers l = layers_new(n_in, n_out, precision);
  const double bandwidth = reading();
  printf("\n%s, %zu -> %zu, %zu layers (packed at %.1f GB/s from cache); reading: %.1f GB/s\n      M     us  GB/s  share   GOP/s%s\n",
         tg_precision_name(precision), n_in, n_out, l.n, l.packed * 1e-9, bandwidth * 1e-9, x_size(precision) > 0 ? " | oneDNN's product alone, in its layout: us   GOP/s" : "");
  for (size_t i = 0; i < sizeof ms / sizeof *ms; i++) {
    const size_t m = ms[i];
    const double flops = 2 * (double)(m * n_in * n_out), ours = time_layers(&l, m, x, y), speed = (double)l.bytes / ours;
    printf("    %3zu %6.1f %5.1f  %3.0f %% %7.1f", m, ours * 1e6, speed * 1e-9, 100 * speed / bandwidth, flops / ours * 1e-9);
    measure_own_layout(m, n_in, n_out, precision, l.n, y);
    putchar('\n');
  }
  layers_free(&l);
  tg_free(x);
  tg_free(y);
}

static void compute_for(double us) {
  for (const double until = tg_now() + us * 1e-6; tg_now() < until;) continue;
}

static void compute_pieces(void *user, size_t begin, size_t end, int thread) {
  (void)user;
  (void)thread;
  for (size_t i = begin; i < end; i++) compute_for(2);
}

static void measure_sharing(double pause_us) {
  calls ours = {.n = 0}, theirs = {.n = 0};
  for (int i = 0; i < 1000; i++) {
    compute_for(pause_us);
    call_begins(&ours);
    tg_team_run(tg_workspace_team(workspace), 8, compute_pieces, NULL);
    call_ends(&ours);
  }
  for (int i = 0; i < 1000; i++) {
    compute_for(pause_us);
    call_begins(&theirs);
#pragma omp parallel for schedule(dynamic)
    for (size_t piece = 0; piece < 8; piece++) compute_for(2);
    call_ends(&theirs);
  }
  const double own = calls_time(&ours), other = calls_time(&theirs);
  printf("sharing out 8 x 2 us after a pause of %3.0f us: %5.1f us, 99th percentile %5.1f; libgomp %5.1f, %5.1f\n", pause_us, own * 1e6,
         ours.seconds[ours.n - ours.n / 100] * 1e6, other * 1e6, theirs.seconds[theirs.n - theirs.n / 100] * 1e6);
}

static void measure_packing(tg_dtype dtype) {
  const size_t n_in = 768, n_out = 160000, bytes = n_in * n_out * tg_dtype_size(dtype);
  float *w = floats(n_in * n_out);
  const tg_matrix part = {w, dtype, n_out, false, NULL, 0};
  for (int round = 0; round < 2; round++) {
    t5gist_error err = {0};
    tg_linear *linear = NULL;
    const double start = tg_now();
    need(tg_linear_new(engine, &part, 1, n_in, TG_PRECISION_F32, &linear, &err), &err);
    const double seconds = tg_now() - start;
    if (round == 1)
      printf("packing %s: %.2f GB/s stored, %.2f GB/s packed\n", tg_dtype_name(dtype), (double)bytes / seconds * 1e-9,
             (double)tg_linear_bytes(linear) / seconds * 1e-9);
    tg_linear_free(linear);
  }
  tg_free(w);
}

/* FLAN-T5-base's encoder layer, n_jobs sequences of n tokens. */
static void measure_attention(int n_jobs, int n, int n_q) {
  enum { HEADS = 12, D_KV = 64, INNER = HEADS * D_KV };
  const size_t rows = (size_t)n_jobs * (size_t)n;
  float *qkv = floats(rows * 3 * INNER), *out = floats(rows * INNER), *bias = floats((size_t)HEADS * 2 * (size_t)n);
  tg_attention_job *jobs = calloc((size_t)n_jobs, sizeof *jobs);
  for (int i = 0; jobs != NULL && i < n_jobs; i++) {
    float *own = qkv + (size_t)i * (size_t)n * 3 * INNER;
    jobs[i] = (tg_attention_job){.q = own, .out = out + (size_t)i * (size_t)n * INNER, .n_q = n_q, .n_parts = 1};
    jobs[i].keys[0] = (tg_keys){.k = own + INNER, .v = own + 2 * INNER, .row_stride = 3 * INNER, .head_stride = D_KV, .n = n};
  }
  const tg_attention attention = {
      .n_heads = HEADS, .d_kv = D_KV, .q_stride = 3 * INNER, .out_stride = INNER, .bias = bias, .bias_stride = 2 * (size_t)n, .bias_zero = n};
  calls c = {.n = 0};
  for (int i = 0; i < 60; i++) {
    t5gist_error err = {0};
    call_begins(&c);
    need(tg_attention_run(&attention, workspace, jobs, n_jobs, &err), &err);
    call_ends(&c);
  }
  const double best = calls_time(&c);
  printf("attention %d x %3d queries, %4d keys: %8.4f ms  %6.1f GFLOP/s\n", n_jobs, n_q, n, best * 1e3,
         4.0 * n_jobs * n_q * (double)n * INNER / best * 1e-9);
  free(jobs);
  tg_free(qkv);
  tg_free(out);
  tg_free(bias);
}

static void measure_others(void) {
  for (double pause_us = 1; pause_us <= 100; pause_us *= 10) measure_sharing(pause_us);
  measure_packing(TG_F32);
  measure_packing(TG_BF16);
  static const int tokens[] = {16, 64, 128, 512, 1024};
  for (size_t i = 0; i < sizeof tokens / sizeof *tokens; i++) measure_attention(1, tokens[i], tokens[i]);
  measure_attention(8, 64, 64);
  for (size_t i = 0; i < sizeof tokens / sizeof *tokens; i++) measure_attention(1, tokens[i], 1);
  measure_attention(32, 64, 1);
}

int main(int argc, char **argv) {
  t5gist_error err = {0};
  char cpu[128];
  tg_cpu_describe(cpu, sizeof cpu);
  need(tg_engine_new(argc > 1 ? atoi(argv[1]) : tg_cpu_threads(), &engine, &err), &err);
  need(tg_workspace_new(engine, &workspace, &err), &err);
  printf("%s, %s, %d threads, oneDNN %s\n", cpu, tg_isa_name(tg_cpu_isa()), tg_engine_threads(engine), tg_engine_version());
  omp_set_num_threads(tg_engine_threads(engine));
  static const tg_precision formats[] = {TG_PRECISION_F32, TG_PRECISION_BF16, TG_PRECISION_INT8, TG_PRECISION_INT4};
  const char *alone = argc > 2 ? argv[2] : NULL;
  if (alone == NULL) measure_others();
  for (size_t i = 0; i < sizeof formats / sizeof *formats; i++) {
    const tg_precision precision = formats[i];
    const bool has = precision == TG_PRECISION_F32 || (precision == TG_PRECISION_BF16 ? tg_cpu_bf16() : tg_cpu_vnni()); /* else oneDNN may have none */
    if (!has || (alone != NULL && strcmp(alone, tg_precision_name(precision)) != 0)) continue;
    measure_linear(768, 2048, precision);
    measure_linear(768, 768, precision);
    measure_linear(2048, 768, precision);
    if (precision != TG_PRECISION_INT8 && precision != TG_PRECISION_INT4) continue;
    measure_linear(2048, 5120, precision);
    measure_linear(5120, 2048, precision);
  }
  tg_workspace_free(workspace);
  tg_engine_free(engine);
  return 0;
}
