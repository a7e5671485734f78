/* What the operations of training reach on this machine: bench_training [threads [encoder rows [decoder rows]]], at the shapes of the bundled model
 * and of FLAN-T5-small, with products in f32 and, where the processor multiplies it, in bf16.
 *
 * Each operation is timed at the sizes that a step has it in; times and counts of a step add up to where its time goes, forward and back. GFLOP/s
 * beside the rate of linear layers in inference at M = 256 (weights packed before, d_model to d_ff), GB/s of what must be read and written. The
 * optimiser is not in it. */
#include <stdio.h>
#include <stdlib.h>

#include "runtime/clock.h"
#include "runtime/cpu.h"
#include "runtime/linear.h"
#include "training/ops.h"

static tg_engine *engine;
static tg_workspace *workspace;
static tg_train_precision precision; /* of products */

static void need(t5gist_status status, const t5gist_error *err) {
  if (status == T5GIST_OK) return;
  fprintf(stderr, "bench_training: %s\n", err->message);
  exit(1);
}

static float *floats(size_t n) {
  t5gist_error err = {0};
  float *x = NULL;
  need(tg_alloc(&x, n, sizeof *x, &err), &err);
  for (size_t i = 0; i < n; i++) x[i] = (float)(i % 31) * 0.03f - 0.45f;
  return x;
}

typedef struct shape {
  const char *name;
  size_t d_model, d_ff, d_kv, n_heads, n_layers, n_decoder_layers, vocab;
} shape;

enum { SEQUENCE = 50 }; /* rows of one sequence, encoder and decoder alike */

/* One operation with everything that it reads and writes. */
typedef struct job {
  size_t rows, n_in, n_out; /* of products; n_in is the width of the others */
  float *x, *w, *y, *dx, *dw, *small, *more;
  tg_train_attention attention;
  tg_train_span *spans; /* [n_spans] */
  int n_spans;
  tg_train_loss loss;
} job;

typedef t5gist_status operation(job *j, t5gist_error *err);

static t5gist_status product_y(job *j, t5gist_error *err) {
  return tg_train_linear(workspace, precision, j->x, j->rows, j->w, j->n_in, j->n_out, false, j->y, err);
}
static t5gist_status product_dx(job *j, t5gist_error *err) {
  return tg_train_linear_dx(workspace, precision, j->y, j->rows, j->w, j->n_in, j->n_out, false, j->dx, err);
}
static t5gist_status product_dw(job *j, t5gist_error *err) {
  return tg_train_linear_dw(workspace, precision, j->y, j->x, j->rows, j->n_in, j->n_out, j->dw, err);
}
static t5gist_status norm(job *j, t5gist_error *err) {
  return tg_train_norm(workspace, j->x, j->w, j->rows, j->n_in, 1e-6f, j->y, j->small, err);
}
static t5gist_status norm_back(job *j, t5gist_error *err) {
  return tg_train_norm_backward(workspace, j->x, j->w, j->small, j->y, j->rows, j->n_in, j->dx, j->dw, err);
}
static t5gist_status activate(job *j, t5gist_error *err) {
  return tg_train_activate(workspace, j->x, j->rows, j->n_in, TG_GELU_NEW, true, j->y, err);
}
static t5gist_status activate_back(job *j, t5gist_error *err) {
  return tg_train_activate_backward(workspace, j->x, j->y, j->rows, j->n_in, TG_GELU_NEW, true, j->dx, err);
}
static t5gist_status drop(job *j, t5gist_error *err) {
  (void)err;
  tg_train_dropout(workspace, j->x, j->rows * j->n_in, 0.1f, 1);
  return T5GIST_OK;
}
static t5gist_status add(job *j, t5gist_error *err) {
  (void)err;
  tg_train_add(workspace, j->x, j->rows * j->n_in, j->y);
  return T5GIST_OK;
}
static t5gist_status attend(job *j, t5gist_error *err) {
  const size_t inner = j->n_in;
  return tg_train_attention_run(workspace, &j->attention, j->spans, j->n_spans, j->x, j->w, j->w + inner, j->y, j->small, err);
}
static t5gist_status attend_back(job *j, t5gist_error *err) {
  const size_t inner = j->n_in;
  return tg_train_attention_backward(workspace, &j->attention, j->spans, j->n_spans, j->x, j->w, j->w + inner, j->y, j->small, j->y, j->dx, j->dw,
                                     j->dw + inner, j->more, err);
}
static t5gist_status lose(job *j, t5gist_error *err) {
  tg_train_losses losses;
  return tg_train_loss_run(workspace, &j->loss, j->rows, j->n_in, j->x, true, &losses, NULL, NULL, err);
}

static int by_time(const void *a, const void *b) {
  const double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

/* Of a call, the first quarter of some: what the machine does when nothing else wants it. */
static double time_of(operation *run, job *j) {
  enum { CALLS = 13 };
  double times[CALLS];
  t5gist_error err = {0};
  for (int i = -1; i < CALLS; i++) {
    const double start = tg_now();
    need(run(j, &err), &err);
    if (i >= 0) times[i] = tg_now() - start;
  }
  qsort(times, CALLS, sizeof *times, by_time);
  return times[CALLS / 4];
}

/* Where a step's time goes. */
typedef struct tally {
  double peak; /* GFLOP/s of the products at M = 256 */
  double products, others, flops;
} tally;

static void report(tally *t, const char *what, double seconds, size_t times, double flops, double bytes) {
  printf("    %-44s %8.3f ms x %2zu  ", what, seconds * 1e3, times);
  if (flops > 0)
    printf("%7.1f GFLOP/s %4.0f %%\n", flops / seconds * 1e-9, 100 * flops / seconds * 1e-9 / t->peak);
  else
    printf("%7.1f GB/s\n", bytes / seconds * 1e-9);
}

static void count_product(tally *t, const char *what, size_t rows, size_t n_in, size_t n_out, size_t times) {
  static operation *const ways[] = {product_y, product_dx, product_dw};
  static const char *const names[] = {"y", "dx", "dW"};
  job j = {.rows = rows, .n_in = n_in, .n_out = n_out};
  j.x = floats(rows * n_in), j.dx = floats(rows * n_in), j.y = floats(rows * n_out), j.w = floats(n_in * n_out), j.dw = floats(n_in * n_out);
  for (int i = 0; i < 3; i++) {
    const double seconds = time_of(ways[i], &j), flops = 2 * (double)(rows * n_in * n_out);
    char name[96];
    snprintf(name, sizeof name, "%s %s [%zu, %zu -> %zu]", what, names[i], rows, n_in, n_out);
    report(t, name, seconds, times, flops, 0);
    t->products += seconds * (double)times;
    t->flops += flops * (double)times;
  }
  tg_free(j.x), tg_free(j.dx), tg_free(j.y), tg_free(j.w), tg_free(j.dw);
}

/* vectors: how many of rows x width are read and written. */
static void count_rows(tally *t, const char *what, operation *run, size_t rows, size_t width, double vectors, size_t times) {
  job j = {.rows = rows, .n_in = width};
  j.x = floats(2 * rows * width), j.dx = floats(2 * rows * width), j.y = floats(rows * width), j.w = floats(width), j.dw = floats(width),
  j.small = floats(rows);
  const double seconds = time_of(run, &j);
  char name[96];
  snprintf(name, sizeof name, "%s [%zu, %zu]", what, rows, width);
  report(t, name, seconds, times, 0, vectors * (double)(rows * width * sizeof(float)));
  t->others += seconds * (double)times;
  tg_free(j.x), tg_free(j.dx), tg_free(j.y), tg_free(j.w), tg_free(j.dw), tg_free(j.small);
}

/* Sequences of SEQUENCE queries with as many keys of their own. */
static void count_attention(tally *t, const char *what, const shape *s, size_t rows, bool causal, bool biased, size_t times) {
  const size_t inner = s->n_heads * s->d_kv;
  job j = {.rows = rows, .n_in = inner, .n_spans = (int)((rows + SEQUENCE - 1) / SEQUENCE)};
  const size_t room = (size_t)j.n_spans * SEQUENCE;
  j.x = floats(room * inner), j.dx = floats(room * inner), j.w = floats(room * 2 * inner), j.dw = floats(room * 2 * inner),
  j.y = floats(room * inner);
  j.small = floats(room * s->n_heads), j.more = floats(32 * s->n_heads);
  float *bias = floats(32 * s->n_heads);
  j.attention = (tg_train_attention){.n_heads = (int)s->n_heads,
                                     .d_kv = (int)s->d_kv,
                                     .q_stride = inner,
                                     .kv_stride = 2 * inner,
                                     .out_stride = inner,
                                     .scale = 1,
                                     .bias_weights = biased ? bias : NULL,
                                     .n_buckets = 32,
                                     .max_distance = 128,
                                     .bidirectional = !causal,
                                     .causal = causal,
                                     .dropout = 0.1f,
                                     .dropout_key = 3};
  j.spans = calloc((size_t)j.n_spans, sizeof *j.spans);
  for (int i = 0; j.spans != NULL && i < j.n_spans; i++) j.spans[i] = (tg_train_span){i * SEQUENCE, SEQUENCE, 0, {{i * SEQUENCE, SEQUENCE, 0}}};
  const double forward = time_of(attend, &j), back = time_of(attend_back, &j), flops = 4 * (double)(room * SEQUENCE * inner) * (causal ? 0.5 : 1);
  char name[96];
  snprintf(name, sizeof name, "%s [%d x %d]", what, j.n_spans, SEQUENCE);
  report(t, name, forward, times, flops, 0);
  snprintf(name, sizeof name, "%s back", what);
  report(t, name, back, times, 2.5 * flops, 0);
  t->others += (forward + back) * (double)times;
  free(j.spans);
  tg_free(j.x), tg_free(j.dx), tg_free(j.w), tg_free(j.dw), tg_free(j.y), tg_free(j.small), tg_free(j.more), tg_free(bias);
}

static void count_loss(tally *t, const shape *s, size_t rows) {
  t5gist_error err = {0};
  job j = {.rows = rows, .n_in = s->vocab, .x = floats(rows * s->vocab), .small = floats(rows)};
  int32_t *targets = NULL;
  need(tg_alloc(&targets, rows, sizeof *targets, &err), &err);
  j.loss = (tg_train_loss){.targets = targets, .weights = j.small};
  const double seconds = time_of(lose, &j);
  report(t, "cross-entropy and its gradient", seconds, 1, 0, 3 * (double)(rows * s->vocab * sizeof(float)));
  t->others += seconds;
  tg_free(j.x), tg_free(j.small), tg_free(targets);
}

static void count_stack(tally *t, const shape *s, size_t rows, size_t layers, size_t norms, bool decoder) {
  const size_t d = s->d_model, inner = s->n_heads * s->d_kv;
  count_product(t, "q, k, v", rows, d, 3 * inner, layers);
  count_product(t, "o", rows, inner, d, layers * (norms - 1));
  count_product(t, "wi", rows, d, 2 * s->d_ff, layers);
  count_product(t, "wo", rows, s->d_ff, d, layers);
  count_attention(t, "self-attention", s, rows, decoder, true, layers);
  count_rows(t, "norm", norm, rows, d, 2, norms * layers + 1);
  count_rows(t, "norm back", norm_back, rows, d, 4, norms * layers + 1);
  count_rows(t, "activation", activate, rows, s->d_ff, 3, layers);
  count_rows(t, "activation back", activate_back, rows, s->d_ff, 5, layers);
  count_rows(t, "dropout", drop, rows, d, 2, 2 * (norms * layers + 2));
  count_rows(t, "dropout", drop, rows, s->d_ff, 2, 2 * layers);
  count_rows(t, "residual", add, rows, d, 3, 2 * norms * layers);
}

/* Products at M = 256 by the linear layers of runtime/, whose weights are packed before. */
static double products_rate(const shape *s) {
  enum { M = 256 };
  t5gist_error err = {0};
  float *w = floats(s->d_model * s->d_ff), *x = floats(M * s->d_model), *y = floats(M * s->d_ff);
  const tg_matrix part = {w, TG_F32, s->d_ff, false, NULL, 0};
  tg_linear *linear = NULL;
  double best = 1e9;
  need(tg_linear_new(engine, &part, 1, s->d_model, precision == TG_TRAIN_BF16 ? TG_PRECISION_BF16 : TG_PRECISION_F32, &linear, &err), &err);
  const double until = tg_now() + 0.3; /* long enough for the system to give each thread a core of its own */
  while (tg_now() < until) {
    const double start = tg_now();
    need(tg_linear_apply(linear, workspace, x, M, false, y, &err), &err);
    best = tg_now() - start < best ? tg_now() - start : best;
  }
  tg_linear_free(linear);
  tg_free(w), tg_free(x), tg_free(y);
  return 2 * (double)(M * s->d_model * s->d_ff) / best * 1e-9;
}

static void measure(const shape *s, size_t rows, size_t decoder_rows) {
  const size_t d = s->d_model, inner = s->n_heads * s->d_kv;
  tally t = {.peak = products_rate(s)};
  printf("\n%s, products in %s: %zu encoder rows, %zu decoder rows; linear layers at M = 256 reach %.1f GFLOP/s\n  encoder\n", s->name,
         precision == TG_TRAIN_BF16 ? "bf16" : "f32", rows, decoder_rows, t.peak);
  count_stack(&t, s, rows, s->n_layers, 2, false);
  printf("  decoder\n");
  count_stack(&t, s, decoder_rows, s->n_decoder_layers, 3, true);
  count_product(&t, "cross q", decoder_rows, d, inner, s->n_decoder_layers);
  count_product(&t, "cross k, v", rows, d, 2 * inner, s->n_decoder_layers);
  count_attention(&t, "cross-attention", s, decoder_rows, false, false, s->n_decoder_layers);
  printf("  vocabulary\n");
  count_product(&t, "head", decoder_rows, d, s->vocab, 1);
  count_loss(&t, s, decoder_rows);
  const double step = t.products + t.others;
  printf("  step: %.1f ms, products %.1f ms, everything else %.1f ms (%.0f %%); %.1f GFLOP/s of products, %.0f %% of the rate at M = 256\n",
         step * 1e3, t.products * 1e3, t.others * 1e3, 100 * t.others / step, t.flops / step * 1e-9, 100 * t.flops / step * 1e-9 / t.peak);
}

int main(int argc, char **argv) {
  static const shape shapes[] = {{"mini", 256, 512, 32, 8, 5, 3, 4096}, {"small", 512, 1024, 64, 6, 8, 8, 32128}};
  t5gist_error err = {0};
  char cpu[128];
  tg_cpu_describe(cpu, sizeof cpu);
  need(tg_engine_new(argc > 1 ? atoi(argv[1]) : tg_cpu_threads(), &engine, &err), &err);
  need(tg_workspace_new(engine, &workspace, &err), &err);
  printf("%s, %s, %d threads, oneDNN %s\n", cpu, tg_isa_name(tg_cpu_isa()), tg_engine_threads(engine), tg_engine_version());
  const int rows = argc > 2 ? atoi(argv[2]) : 1000, decoder_rows = argc > 3 ? atoi(argv[3]) : 400;
  for (size_t i = 0; rows > 0 && decoder_rows > 0 && i < sizeof shapes / sizeof *shapes; i++)
    for (int p = TG_TRAIN_F32; p <= (tg_cpu_bf16() ? TG_TRAIN_BF16 : TG_TRAIN_F32); p++) {
      precision = (tg_train_precision)p;
      measure(&shapes[i], (size_t)rows, (size_t)decoder_rows);
    }
  tg_workspace_free(workspace);
  tg_engine_free(engine);
  return 0;
}
