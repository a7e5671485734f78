/* What must hold for a pass whatever its numbers: examples do not touch each other, sharing rows and leaving rows out change nothing, seeds decide
 * everything, losses vanish where they should, gradients are slopes; and it costs what was said. (Against PyTorch: test_gradients.c,
 * test_learning.c.) */
#include <malloc.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/memory.h"
#include "support.h"

enum { N = 5, SEED = 3 };
static const tg_pass_options plain = {.q_scale = 1};

/* Five prompts of two tasks; together more target tokens than the vocabulary layer takes at a time. */
static prompt *make_prompts(void) {
  static const int sizes[N][4] = {{11, 2, 19, 80}, {11, 2, 7, 5}, {3, 1, 1, 120}, {3, 1, 30, 66}, {3, 3, 90, 31}};
  prompt *prompts = calloc(N, sizeof *prompts);
  for (int i = 0; i < N; i++) {
    prompts[i] = prompt_new((uint64_t)i, 97, sizes[i][0], sizes[i][1], sizes[i][2], sizes[i][3]);
    const int first = i < 2 ? 0 : 2; /* of its task */
    memcpy((int32_t *)prompts[i].example.task, prompts[first].example.task, (size_t)sizes[i][0] * sizeof(int32_t));
    prompts[i].example.task_hash = (uint64_t)first;
  }
  return prompts;
}

/* Adds to the gradients; returns the loss. */
static double run(trainee *t, const tg_plan *plan, const tg_pass_options *options) {
  t5gist_error err;
  tg_pass_result result = {0};
  CHECK_OK(tg_pass_run(t->pass, t->weights, plan, options, NULL, NULL, t->gradients, &result, &err));
  return result.loss;
}

static double run_condition(trainee *t, const prompt *prompts, int n, t5gist_condition condition, unsigned flags, double total) {
  tg_plan plan;
  plan_of(prompts, n, condition, t->config.vocab_size, flags, total, &plan);
  const double loss = run(t, &plan, &plain);
  tg_plan_free(&plan);
  return loss;
}

static double total_of(const prompt *prompts, int n) {
  double total = 0;
  for (int i = 0; i < n; i++) total += prompts[i].example.n_target;
  return total;
}

static void clear(trainee *t) {
  memset(t->gradients, 0, t->layout.count * sizeof(float));
}

static float *copy(const trainee *t) {
  float *kept = malloc(t->layout.count * sizeof(float));
  memcpy(kept, t->gradients, t->layout.count * sizeof(float));
  return kept;
}

typedef struct room {
  trainee *t;
  prompt *prompts;
} room;

static int setup(void **state) {
  const tg_config config = tiny_config(true, false);
  room *r = calloc(1, sizeof *r);
  r->t = trainee_new(&config, SEED, 2);
  r->prompts = make_prompts();
  *state = r;
  return 0;
}

static int teardown(void **state) {
  room *r = *state;
  prompts_free(r->prompts, N);
  trainee_free(r->t);
  free(r);
  return 0;
}

/* The gradients of `prompts` in two ways must agree within `limit`, losses likewise. */
static void check_same(room *r, double loss, const float *gradients, double other_loss, double limit, const char *what, int condition) {
  const double gap = distance(r->t->gradients, gradients, r->t->layout.count);
  if (!(gap <= limit) || !(fabs(loss - other_loss) <= limit * fabs(loss)))
    fail_msg("%s, condition %d: gradients differ by %g, losses are %.9f and %.9f", what, condition, gap, loss, other_loss);
}

/* ------------------------------------------------------------------------------------------------------------------------ examples */

static void test_alone(void **state) {
  room *r = *state;
  for (int condition = 0; condition < T5GIST_N_CONDITIONS; condition++) {
    clear(r->t);
    const double together = run_condition(r->t, r->prompts, N, (t5gist_condition)condition, 0, 0);
    float *packed = copy(r->t);
    double alone = 0;
    clear(r->t);
    for (int i = 0; i < N; i++) alone += run_condition(r->t, r->prompts + i, 1, (t5gist_condition)condition, 0, total_of(r->prompts, N));
    check_same(r, together, packed, alone, 1e-5, "one at a time", condition);
    free(packed);
  }
}

static void test_order(void **state) {
  room *r = *state;
  prompt turned[N];
  for (int i = 0; i < N; i++) turned[i] = r->prompts[(3 * i + 2) % N];
  for (int condition = 0; condition < T5GIST_N_CONDITIONS; condition++) {
    clear(r->t);
    const double loss = run_condition(r->t, r->prompts, N, (t5gist_condition)condition, 0, 0);
    float *first = copy(r->t);
    clear(r->t);
    check_same(r, loss, first, run_condition(r->t, turned, N, (t5gist_condition)condition, 0, 0), 1e-6, "another order", condition);
    free(first);
  }
}

static void check_flags(room *r, t5gist_condition condition, unsigned flags, const char *what) {
  clear(r->t);
  const double loss = run_condition(r->t, r->prompts, N, condition, 0, 0);
  float *first = copy(r->t);
  clear(r->t);
  check_same(r, loss, first, run_condition(r->t, r->prompts, N, condition, flags, 0), 1e-6, what, (int)condition);
  free(first);
}

static void test_shared_tasks(void **state) {
  check_flags(*state, T5GIST_GIST, PLAN_SHARE, "shared tasks");
  check_flags(*state, T5GIST_PREFIX, PLAN_SHARE, "shared tasks");
}

static void test_unseen_task(void **state) {
  check_flags(*state, T5GIST_NEG_CONTROL, PLAN_KEEP_TASK, "a task that nobody sees");
}

/* ---------------------------------------------------------------------------------------------------------------------- determinism */

static void test_same_bits(void **state) {
  room *r = *state;
  const tg_pass_options options = {.q_scale = 0.25f, .dropout = 0.1f, .dropout_key = 77, .smoothing = 0.1f};
  const size_t bytes = r->t->layout.count * sizeof(float);
  tg_plan plan;
  plan_of(r->prompts, N, T5GIST_GIST, 97, PLAN_SHARE, 0, &plan);
  clear(r->t);
  const double loss = run(r->t, &plan, &options);
  float *first = copy(r->t);
  trainee *other = trainee_new(&r->t->config, SEED, 2);
  for (int again = 0; again < 3; again++) {
    clear(r->t);
    clear(other);
    assert_true(run(r->t, &plan, &options) == loss);
    assert_true(run(other, &plan, &options) == loss);
    assert_memory_equal(r->t->gradients, first, bytes);
    assert_memory_equal(other->gradients, first, bytes);
    run_condition(r->t, r->prompts, 1 + again, T5GIST_FULL, 0, 0); /* leaves other numbers in the pass's memory */
  }
  trainee_free(other);
  free(first);
  tg_plan_free(&plan);
}

static void test_dropout(void **state) {
  room *r = *state;
  tg_pass_options options = {.q_scale = 1, .dropout_key = 1};
  tg_plan plan;
  plan_of(r->prompts, N, T5GIST_GIST, 97, 0, 0, &plan);
  clear(r->t);
  const double none = run(r->t, &plan, &plain);
  float *first = copy(r->t);
  clear(r->t);
  assert_true(run(r->t, &plan, &options) == none); /* a key without dropout is nothing */
  assert_memory_equal(r->t->gradients, first, r->t->layout.count * sizeof(float));
  options.dropout = 0.1f;
  const double one = run(r->t, &plan, &options);
  options.dropout_key = 2;
  const double two = run(r->t, &plan, &options);
  assert_true(one != none && two != none && one != two);
  free(first);
  tg_plan_free(&plan);
}

/* Gradients are added to what is there; without them the losses are the same. */
static void test_accumulates(void **state) {
  room *r = *state;
  t5gist_error err;
  tg_plan plan;
  plan_of(r->prompts, N, T5GIST_GIST, 97, 0, 0, &plan);
  clear(r->t);
  const double loss = run(r->t, &plan, &plain);
  float *twice = copy(r->t);
  for (size_t i = 0; i < r->t->layout.count; i++) twice[i] *= 2;
  run(r->t, &plan, &plain);
  assert_true(distance(r->t->gradients, twice, r->t->layout.count) < 1e-6);
  float *logprobs = malloc((size_t)plan.n_decoder * sizeof *logprobs);
  unsigned char *right = malloc((size_t)plan.n_decoder);
  tg_pass_result result = {.logprobs = logprobs, .right = right};
  CHECK_OK(tg_pass_run(r->t->pass, r->t->weights, &plan, &plain, NULL, NULL, NULL, &result, &err));
  assert_true(fabs(result.loss - loss) <= 1e-6 * loss);
  double sum = 0;
  for (int i = 0; i < plan.n_decoder; i++) {
    sum -= (double)plan.weights[i] * (double)logprobs[i];
    if (right[i]) assert_true(logprobs[i] > -logf(97));
    if (logprobs[i] > logf(0.5f)) assert_true(right[i]);
  }
  assert_true(fabs(sum - loss) <= 1e-5 * loss);
  free(right);
  free(logprobs);
  free(twice);
  tg_plan_free(&plan);
}

/* ------------------------------------------------------------------------------------------------------------------------- slopes */

/* The loss along the gradient's own direction rises by the gradient's norm times the way gone. */
static void check_slope(trainee *t, const tg_plan *plan, const tg_pass_options *options, trainee *teacher, double way, double limit) {
  t5gist_error err;
  tg_pass_result result = {0};
  double squares = 0, ends[2];
  clear(t);
  CHECK_OK(tg_pass_run(t->pass, t->weights, plan, options, teacher ? teacher->pass : NULL, teacher ? teacher->weights : NULL, t->gradients, &result,
                       &err));
  for (size_t i = 0; i < t->layout.count; i++) squares += (double)t->gradients[i] * (double)t->gradients[i];
  const double norm = sqrt(squares);
  float *moved = malloc(t->layout.count * sizeof *moved);
  for (int side = 0; side < 2; side++) {
    const double step = (side ? way : -way) / norm;
    for (size_t i = 0; i < t->layout.count; i++) moved[i] = (float)((double)t->weights[i] + step * (double)t->gradients[i]);
    CHECK_OK(tg_pass_run(t->pass, moved, plan, options, teacher ? teacher->pass : NULL, teacher ? teacher->weights : NULL, NULL, &result, &err));
    ends[side] = result.loss;
  }
  free(moved);
  const double slope = (ends[1] - ends[0]) / (2 * way);
  if (!(fabs(slope - norm) <= limit * norm)) fail_msg("the loss rises by %.7f, the gradient says %.7f", slope, norm);
}

static void test_slope_with_dropout(void **state) {
  (void)state;
  const tg_config config = tiny_config(true, true); /* tied: embedding and head are one */
  trainee *t = trainee_new(&config, SEED, 2), *teacher = trainee_new(&config, SEED + 1, 1);
  prompt *prompts = make_prompts();
  const tg_pass_options options = {
      .q_scale = 0.25f, .dropout = 0.1f, .dropout_key = 5, .smoothing = 0.1f, .forward = 0.5f, .reverse = 0.5f, .match = 0.3f};
  tg_plan plan;
  plan_of(prompts, N, T5GIST_GIST, 97, PLAN_SHARE, 0, &plan);
  plan_teach(prompts, N, T5GIST_FULL, 97, 0.7f, &plan);
  check_slope(t, &plan, &options, teacher, 0.006, 1e-3);
  tg_plan_free(&plan);
  prompts_free(prompts, N);
  trainee_free(teacher);
  trainee_free(t);
}

/* Two answers over one source, the second seeing its gist tokens alone, and tokens without cross-entropy. */
static void test_two_answers(void **state) {
  room *r = *state;
  tg_plan plan;
  plan_of(r->prompts, 2, T5GIST_GIST, 97, 0, 0, &plan);
  memcpy(plan.answers[1].seen, plan.answers[0].seen, sizeof plan.answers[1].seen);
  plan.answers[1].seen[1].n = 0;
  for (int i = 0; i < 7; i++) plan.targets[plan.answers[0].begin + i] = -1;
  check_slope(r->t, &plan, &plain, NULL, 0.004, 1e-3);
  tg_plan_free(&plan);
}

/* ------------------------------------------------------------------------------------------------------------------------ teachers */

/* The student's own weights, and tokens that the student does not know behind them. */
static trainee *own_teacher(const trainee *student, int surplus) {
  tg_config config = student->config;
  config.vocab_size += surplus;
  trainee *teacher = trainee_new(&config, SEED + 1, 1);
  for (size_t i = 0; i < student->layout.n; i++) {
    const tg_parameter *from = &student->layout.parameters[i], *to = &teacher->layout.parameters[i];
    memcpy(teacher->weights + to->offset, student->weights + from->offset, from->count * sizeof(float));
  }
  return teacher;
}

static void test_own_teacher(void **state) {
  room *r = *state;
  t5gist_error err;
  const tg_pass_options options = {.q_scale = 1, .forward = 1, .reverse = 1, .match = 1};
  for (int surplus = 0; surplus < 50; surplus += 23) {
    trainee *teacher = own_teacher(r->t, surplus);
    tg_plan plan;
    tg_pass_result result = {0};
    plan_of(r->prompts, N, T5GIST_GIST, 97, PLAN_SHARE, 0, &plan);
    clear(r->t);
    run(r->t, &plan, &plain);
    float *zeros = calloc(r->t->layout.count, sizeof *zeros), *usual = copy(r->t);
    plan_teach(r->prompts, N, T5GIST_GIST, 97, 1, &plan);
    for (int i = 0; i < plan.n_decoder; i++) plan.weights[i] = 0;
    clear(r->t);
    CHECK_OK(tg_pass_run(r->t->pass, r->t->weights, &plan, &options, teacher->pass, teacher->weights, r->t->gradients, &result, &err));
    assert_true(fabs(result.divergence) < 1e-6 && fabs(result.match) < 1e-9 && result.cross_entropy == 0);
    assert_true(distance(r->t->gradients, zeros, r->t->layout.count) <= 1e-5 * distance(usual, zeros, r->t->layout.count));
    free(usual);
    free(zeros);
    tg_plan_free(&plan);
    trainee_free(teacher);
  }
}

/* Rows without a teacher's row are not taught, whatever weight they have. */
static void test_untaught_rows(void **state) {
  room *r = *state;
  t5gist_error err;
  const tg_pass_options options = {.q_scale = 1, .forward = 1, .match = 1};
  trainee *teacher = trainee_new(&r->t->config, SEED + 1, 1);
  tg_pass_result all = {0}, none = {0};
  tg_plan plan;
  plan_of(r->prompts, N, T5GIST_GIST, 97, 0, 0, &plan);
  plan_teach(r->prompts, N, T5GIST_FULL, 97, 1, &plan);
  CHECK_OK(tg_pass_run(r->t->pass, r->t->weights, &plan, &options, teacher->pass, teacher->weights, NULL, &all, &err));
  assert_true(all.divergence > 0 && all.match > 0 && all.loss == all.cross_entropy + all.divergence + all.match);
  for (int i = 0; i < plan.n_decoder; i++) plan.teacher_rows[i] = -1;
  CHECK_OK(tg_pass_run(r->t->pass, r->t->weights, &plan, &options, teacher->pass, teacher->weights, NULL, &none, &err));
  assert_true(none.divergence == 0 && none.match == 0 && fabs(none.cross_entropy - all.cross_entropy) <= 1e-6 * all.cross_entropy);
  tg_plan_free(&plan);
  trainee_free(teacher);
}

/* ------------------------------------------------------------------------------------------------------------------------- refusals */

static void check_refused(trainee *t, const tg_plan *plan, const tg_pass_options *options, trainee *teacher, t5gist_status status, const char *part) {
  t5gist_error err = {0};
  tg_pass_result result = {0};
  assert_int_equal(
      tg_pass_run(t->pass, t->weights, plan, options, teacher ? teacher->pass : NULL, teacher ? teacher->weights : NULL, NULL, &result, &err),
      status);
  if (!strstr(err.message, part)) fail_msg("expected \"%s\" in \"%s\"", part, err.message);
}

static void test_refusals(void **state) {
  room *r = *state;
  const tg_pass_options taught = {.q_scale = 1, .forward = 1}, matched = {.q_scale = 1, .match = 1};
  tg_plan plan;
  plan_of(r->prompts, N, T5GIST_GIST, 97, 0, 0, &plan);
  plan.encoder_ids[3] = 97;
  check_refused(r->t, &plan, &plain, NULL, T5GIST_EUSAGE, "encoder token 3 is 97, expected 0 to 96");
  plan.encoder_ids[3] = 4;
  plan.targets[1] = -2;
  check_refused(r->t, &plan, &plain, NULL, T5GIST_EUSAGE, "target 1 is -2");
  plan.targets[1] = -1;
  plan_teach(r->prompts, N, T5GIST_FULL, 97, 1, &plan);
  check_refused(r->t, &plan, &taught, NULL, T5GIST_EUSAGE, "there is no teacher");
  tg_config config = r->t->config;
  config.vocab_size = 90;
  trainee *teacher = trainee_new(&config, 1, 1);
  check_refused(r->t, &plan, &taught, teacher, T5GIST_EMISMATCH, "knows 90 tokens, expected the student's 97");
  trainee_free(teacher);
  config.vocab_size = 97;
  config.n_decoder_layers = 1;
  teacher = trainee_new(&config, 1, 1);
  check_refused(r->t, &plan, &matched, teacher, T5GIST_EMISMATCH, "found 1 of 64");
  trainee_free(teacher);
  const tg_plan empty = {0};
  check_refused(r->t, &empty, &plain, NULL, T5GIST_EUSAGE, "found 0 and 0");
  tg_plan_free(&plan);
}

/* ---------------------------------------------------------------------------------------------------------------------------- costs */

static size_t held(void) {
  const struct mallinfo2 info = mallinfo2();
  return info.uordblks + info.hblkhd;
}

static void check_bytes(const tg_config *config, t5gist_condition condition, bool backward) {
  t5gist_error err;
  trainee *t = trainee_new(config, SEED, 1);
  prompt prompts[8];
  tg_plan plan;
  tg_pass_result result = {0};
  for (int i = 0; i < 8; i++) prompts[i] = prompt_new((uint64_t)i, config->vocab_size, 5 * i, 1, 100 - 7 * i, 20 + 10 * i);
  plan_of(prompts, 8, condition, config->vocab_size, 0, 0, &plan);
  const size_t before = held(), expected = tg_pass_bytes(config, (size_t)plan.n_encoder, (size_t)plan.n_decoder, backward);
  CHECK_OK(tg_pass_run(t->pass, t->weights, &plan, &plain, NULL, NULL, backward ? t->gradients : NULL, &result, &err));
  const size_t first = held() - before;
  CHECK_OK(tg_pass_run(t->pass, t->weights, &plan, &plain, NULL, NULL, backward ? t->gradients : NULL, &result, &err));
  if (before > 0) { /* sanitizers' allocators do not count */
    assert_int_equal(held() - before, first);
    if (first > expected * 13 / 10 || expected > first * 13 / 10)
      fail_msg("condition %d, backward %d: %zu bytes held, %zu predicted", (int)condition, backward, first, expected);
  }
  tg_plan_free(&plan);
  for (int i = 0; i < 8; i++) prompt_free(&prompts[i]);
  trainee_free(t);
}

static void test_bytes(void **state) {
  (void)state;
  tg_config config = tiny_config(true, false);
  config.vocab_size = 8000;
  config.n_layers = 5;
  for (int condition = 0; condition < T5GIST_N_CONDITIONS; condition++) {
    check_bytes(&config, (t5gist_condition)condition, true);
    check_bytes(&config, (t5gist_condition)condition, false);
  }
  assert_true(tg_pass_bytes(&config, SIZE_MAX / 64, 10, true) == SIZE_MAX);
}

/* One prompt under condition full by hand; more prompts are the sum of theirs; a way back costs twice the way there. */
static void test_flops(void **state) {
  room *r = *state;
  tg_plan plan;
  double sum = 0;
  plan_of(r->prompts, 1, T5GIST_FULL, 97, 0, 0, &plan);
  const double n = 30, m = 80, d = 64, ff = 128, v = 97; /* prompt, answer; inner = d_model */
  const double encoder = 2 * n * (4 * d * d + 3 * d * ff) + 4 * d * n * n;
  const double self = 2 * m * 4 * d * d + 4 * d * m * (m + 1) / 2, cross = 2 * (m * 2 * d * d + n * 2 * d * d) + 4 * d * m * n,
               ffn = 2 * m * 3 * d * ff;
  assert_true(fabs(tg_pass_flops(&r->t->config, &plan, false) - (2 * encoder + 2 * (self + cross + ffn) + 2 * m * d * v)) < 0.5);
  tg_plan_free(&plan);
  for (int i = 0; i < N; i++) {
    plan_of(r->prompts + i, 1, T5GIST_GIST, 97, 0, 0, &plan);
    sum += tg_pass_flops(&r->t->config, &plan, false);
    tg_plan_free(&plan);
  }
  plan_of(r->prompts, N, T5GIST_GIST, 97, 0, 0, &plan);
  assert_true(fabs(tg_pass_flops(&r->t->config, &plan, false) - sum) < 0.5);
  assert_true(fabs(tg_pass_flops(&r->t->config, &plan, true) - 3 * sum) < 0.5);
  tg_plan_free(&plan);
  plan_of(r->prompts, N, T5GIST_GIST, 97, PLAN_SHARE, 0, &plan);
  assert_true(tg_pass_flops(&r->t->config, &plan, false) < sum); /* shared tasks are computed once */
  tg_plan_free(&plan);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_alone),       cmocka_unit_test(test_order),         cmocka_unit_test(test_shared_tasks),
      cmocka_unit_test(test_unseen_task), cmocka_unit_test(test_same_bits),     cmocka_unit_test(test_dropout),
      cmocka_unit_test(test_accumulates), cmocka_unit_test(test_two_answers),   cmocka_unit_test(test_slope_with_dropout),
      cmocka_unit_test(test_own_teacher), cmocka_unit_test(test_untaught_rows), cmocka_unit_test(test_refusals),
      cmocka_unit_test(test_bytes),       cmocka_unit_test(test_flops),
  };
  return cmocka_run_group_tests(tests, setup, teardown);
}
