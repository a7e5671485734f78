/* Passes of training from end to end: bench_training_pass [threads [examples]], at the shapes of the bundled model and of FLAN-T5-small, random
 * weights, examples of mixed lengths under the condition gist, tasks shared by four. GFLOP/s are those of the linear layers and of attention that a
 * pass needs (tg_pass_flops), beside the linear layers' rate at M = 256 in the same run: what is computed twice, norms, softmax, dropout and losses
 * cost time and count for nothing. (bench_training times the operations one by one.) */
#include <malloc.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/clock.h"
#include "runtime/cpu.h"
#include "runtime/linear.h"
#include "t5/random.h"
#include "training/batch.h"
#include "training/optimiser.h"
#include "training/pass.h"

static tg_engine *engine;
static tg_workspace *workspace;

static void need(t5gist_status status, const t5gist_error *err) {
  if (status == T5GIST_OK) return;
  fprintf(stderr, "bench_training_pass: %s\n", err->message);
  exit(1);
}

static void *room(size_t count, size_t size) {
  t5gist_error err = {0};
  void *block;
  need(tg_alloc(&block, count, size, &err), &err);
  return block;
}

/* A product at M = 256 by the linear layers of runtime/, whose weights are packed before: what passes are measured against. */
enum { YARDSTICK_ROWS = 256, YARDSTICK_CALLS = 30 };
typedef struct yardstick {
  tg_linear *linear;
  float *x, *y;
  double flops;
} yardstick;

static yardstick yardstick_new(size_t d_model, size_t d_ff) {
  t5gist_error err = {0};
  yardstick made = {.flops = 2 * (double)(YARDSTICK_ROWS * d_model * d_ff)};
  float *w = room(d_model * d_ff, sizeof(float));
  const tg_matrix part = {w, TG_F32, d_ff, false, NULL, 0};
  made.x = room(YARDSTICK_ROWS * d_model, sizeof(float)), made.y = room(YARDSTICK_ROWS * d_ff, sizeof(float));
  need(tg_linear_new(engine, &part, 1, d_model, TG_PRECISION_F32, &made.linear, &err), &err);
  tg_free(w);
  return made;
}

static void yardstick_free(yardstick *y) {
  tg_linear_free(y->linear);
  tg_free(y->x), tg_free(y->y);
}

/* GFLOP/s now: some machines have fast and slow minutes. */
static double yardstick_rate(const yardstick *y) {
  t5gist_error err = {0};
  double best = 1e9;
  for (int i = 0; i < YARDSTICK_CALLS; i++) {
    const double start = tg_now();
    need(tg_linear_apply(y->linear, workspace, y->x, YARDSTICK_ROWS, false, y->y, &err), &err);
    best = tg_now() - start < best ? tg_now() - start : best;
  }
  return y->flops / best * 1e-9;
}

/* Tokens of one text, 2 .. vocab - 2. */
static int32_t *text(uint64_t key, int n, int vocab) {
  int32_t *ids = room((size_t)n, sizeof *ids);
  for (int i = 0; i < n; i++) ids[i] = 2 + (int32_t)(tg_random_at(key, (uint64_t)i) % (uint64_t)(vocab - 3));
  return ids;
}

static int between(uint64_t key, uint64_t i, int least, int most) {
  return least + (int)(tg_random_at(key, i) % (uint64_t)(most - least + 1));
}

/* Lengths as in instruction data: tasks of 8 to 32 tokens, inputs of 4 to 60, targets of 4 to 90. */
static tg_example *make_examples(int n, int vocab) {
  tg_example *examples = room((size_t)n, sizeof *examples);
  for (int i = 0; i < n; i++) {
    const uint64_t key = tg_random_key(1, (uint64_t)i), task = tg_random_key(2, (uint64_t)(i / 4));
    tg_example *e = &examples[i];
    *e = (tg_example){
        .n_task = between(task, 0, 8, 32), .n_input = between(key, 1, 4, 60), .n_target = between(key, 2, 4, 90), .family = -1, .task_hash = task};
    e->task = text(task, e->n_task, vocab);
    e->input = text(tg_random_key(key, 3), e->n_input, vocab);
    e->target = text(tg_random_key(key, 4), e->n_target, vocab);
  }
  return examples;
}

static void free_examples(tg_example *examples, int n) {
  for (int i = 0; i < n; i++) tg_free((void *)examples[i].task), tg_free((void *)examples[i].input), tg_free((void *)examples[i].target);
  tg_free(examples);
}

static tg_plan make_plan(const tg_config *config, int n) {
  t5gist_error err = {0};
  tg_example *examples = make_examples(n, config->vocab_size);
  uint64_t *ids = room((size_t)n, sizeof *ids);
  const tg_batch_options options = {.conditions = {1}, .gists = {1}, .n_gists = 1, .cross_entropy = 1, .share_tasks = true};
  tg_plan plan = {0};
  double total = 0;
  for (int i = 0; i < n; i++) {
    ids[i] = (uint64_t)i;
    total += tg_batch_weight(&options, &examples[i], ids[i], 0);
  }
  need(tg_batch_make(config, &options, examples, ids, n, 0, total, T5GIST_GIST, 1, &plan, &err), &err);
  tg_free(ids);
  free_examples(examples, n);
  return plan;
}

static int ascending(const void *a, const void *b) {
  const double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

static double median(double *x, size_t n) {
  qsort(x, n, sizeof *x, ascending);
  return x[n / 2];
}

typedef struct run {
  tg_layout layout;
  tg_pass *pass;
  tg_optimiser *optimiser;
  tg_plan plan;
  float *weights, *gradients;
  yardstick peak;
} run;

typedef enum part { FORWARD, PASS, STEP, N_PARTS } part;

static void once(run *r, part what) {
  t5gist_error err = {0};
  tg_pass_result result = {0};
  const tg_pass_options options = {.q_scale = 1 / sqrtf((float)r->layout.config->d_kv), .dropout = what == FORWARD ? 0 : 0.1f, .dropout_key = 1};
  if (what == STEP)
    need(tg_optimiser_step(r->optimiser, workspace, 1e-6, 1, 1, r->gradients, r->weights, &err), &err);
  else
    need(tg_pass_run(r->pass, r->weights, &r->plan, &options, NULL, NULL, what == PASS ? r->gradients : NULL, &result, &err), &err);
}

/* Medians over some calls: seconds, and GFLOP/s as a share of the yardstick's before and after each. */
typedef struct timing {
  double seconds, share;
} timing;

static timing time_of(run *r, part what, double flops) {
  enum { CALLS = 9 };
  double seconds[CALLS], shares[CALLS];
  once(r, what);
  for (int i = 0; i < CALLS; i++) {
    const double before = yardstick_rate(&r->peak), start = tg_now();
    once(r, what);
    seconds[i] = tg_now() - start;
    shares[i] = flops / seconds[i] * 1e-9 / (0.5 * (before + yardstick_rate(&r->peak)));
  }
  return (timing){median(seconds, CALLS), median(shares, CALLS)};
}

static size_t held(void) {
  const struct mallinfo2 info = mallinfo2();
  return info.uordblks + info.hblkhd;
}

static void measure(const char *name, const tg_config *config, int n) {
  t5gist_error err = {0};
  const tg_optimiser_options how = {
      .kind = TG_ADAMW, .beta1 = 0.9f, .beta2 = 0.999f, .eps = 1e-8f, .weight_decay = 0.01f, .clip = 1, .gist_factor = 1};
  run r = {.plan = make_plan(config, n)};
  need(tg_layout_make(config, true, &r.layout, &err), &err);
  need(tg_pass_new(&r.layout, workspace, &r.pass, &err), &err);
  need(tg_optimiser_new(&r.layout, &how, 0, r.layout.count, &r.optimiser, &err), &err);
  r.weights = room(r.layout.count, sizeof(float)), r.gradients = room(r.layout.count, sizeof(float));
  tg_parameters_initialise(&r.layout, 1, r.weights);
  r.peak = yardstick_new((size_t)config->d_model, (size_t)config->d_ff);
  const size_t before = held(), bytes = tg_pass_bytes(config, (size_t)r.plan.n_encoder, (size_t)r.plan.n_decoder, true);
  const double flops = tg_pass_flops(config, &r.plan, true), moved = 7 * (double)(r.layout.count * sizeof(float)), tokens = r.plan.n_decoder;
  const timing forward = time_of(&r, FORWARD, flops / 3), pass = time_of(&r, PASS, flops), step = time_of(&r, STEP, 0);
  printf("\n%s: %d examples, %d encoder rows, %d decoder rows\n", name, n, r.plan.n_encoder, r.plan.n_decoder);
  printf("  forward           %8.1f ms  %6.1f GFLOP/s  %3.0f %% of the product at M = 256\n", forward.seconds * 1e3,
         flops / 3 / forward.seconds * 1e-9, 100 * forward.share);
  printf("  forward and back  %8.1f ms  %6.1f GFLOP/s  %3.0f %%  %.0f target tokens/s\n", pass.seconds * 1e3, flops / pass.seconds * 1e-9,
         100 * pass.share, tokens / pass.seconds);
  printf("  AdamW's step      %8.1f ms  %6.1f GB/s of weights, gradients and moments\n", step.seconds * 1e3, moved / step.seconds * 1e-9);
  printf("  both              %8.1f ms  %.0f target tokens/s\n", (pass.seconds + step.seconds) * 1e3, tokens / (pass.seconds + step.seconds));
  printf("  the pass holds    %8.1f MB, predicted %.1f MB\n", (double)(held() - before) * 1e-6, (double)bytes * 1e-6);
  yardstick_free(&r.peak);
  tg_pass_free(r.pass);
  tg_optimiser_free(r.optimiser);
  tg_plan_free(&r.plan);
  tg_layout_free(&r.layout);
  tg_free(r.weights), tg_free(r.gradients);
}

int main(int argc, char **argv) {
  int32_t gist[] = {0};
  tg_config mini = {.model_type = "t5",
                    .vocab_size = 4096,
                    .d_model = 256,
                    .d_kv = 32,
                    .d_ff = 512,
                    .n_heads = 8,
                    .n_layers = 5,
                    .n_decoder_layers = 3,
                    .n_buckets = 32,
                    .max_distance = 128,
                    .eps = 1e-6f,
                    .activation = TG_GELU_NEW,
                    .gated = true,
                    .head = TG_HEAD_FILE,
                    .eos_id = 1,
                    .gist_ids = gist,
                    .n_gist_ids = 1};
  tg_config small = mini;
  small.vocab_size = 32101, small.d_model = 512, small.d_kv = 64, small.d_ff = 1024, small.n_heads = 6, small.n_layers = small.n_decoder_layers = 8;
  t5gist_error err = {0};
  char cpu[128];
  const int n = argc > 2 && atoi(argv[2]) > 0 ? atoi(argv[2]) : 16;
  tg_cpu_describe(cpu, sizeof cpu);
  need(tg_engine_new(argc > 1 ? atoi(argv[1]) : tg_cpu_threads(), &engine, &err), &err);
  need(tg_workspace_new(engine, &workspace, &err), &err);
  printf("%s, %s, %d threads, oneDNN %s\n", cpu, tg_isa_name(tg_cpu_isa()), tg_engine_threads(engine), tg_engine_version());
  gist[0] = mini.vocab_size - 1;
  measure("mini", &mini, n);
  gist[0] = small.vocab_size - 1;
  measure("small", &small, n);
  tg_workspace_free(workspace);
  tg_engine_free(engine);
  return 0;
}
