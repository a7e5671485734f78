/* Learning: AdamW's steps are PyTorch's (tests/golden/make_gradients.py), and a few examples are learnt by heart under every condition. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "support.h"
#include "training/optimiser.h"

static const tg_pass_options plain = {.q_scale = 1};

/* Zeroed gradients, a pass, and a step (1, 2, ...) at the given rate; returns the loss. */
static double learn(trainee *t, tg_optimiser *optimiser, const tg_plan *plan, double rate, int step) {
  t5gist_error err;
  tg_pass_result result = {0};
  memset(t->gradients, 0, t->layout.count * sizeof(float));
  CHECK_OK(tg_pass_run(t->pass, t->weights, plan, &plain, NULL, NULL, t->gradients, &result, &err));
  const double norm = sqrt(tg_train_sum_squares(t->workspace, t->gradients, t->layout.count));
  CHECK_OK(tg_optimiser_step(optimiser, t->workspace, rate, (uint64_t)step, norm, t->gradients, t->weights, &err));
  return result.loss;
}

/* ------------------------------------------------------------------------------------------------------------------ PyTorch's steps */

static void check_steps(const golden *g, const json_t *steps, const prompt *prompts, int n) {
  t5gist_error err;
  const int batch = golden_integer(steps, "batch"), n_steps = golden_integer(steps, "steps");
  const double rate = json_number_value(json_object_get(steps, "lr")), decay = json_number_value(json_object_get(steps, "weight_decay"));
  const tg_optimiser_options how = {.kind = TG_ADAMW, .beta1 = 0.9f, .beta2 = 0.999f, .eps = 1e-8f, .weight_decay = (float)decay, .gist_factor = 1};
  trainee *t = trainee_new(&g->config, GOLDEN_SEED, 2);
  tg_optimiser *optimiser;
  prompt chosen[8];
  CHECK_OK(tg_optimiser_new(&t->layout, &how, 0, t->layout.count, &optimiser, &err));
  for (int step = 0; step < n_steps; step++) {
    tg_plan plan;
    for (int i = 0; i < batch; i++) chosen[i] = prompts[(step * batch + i) % n];
    plan_of(chosen, batch, (t5gist_condition)(step % T5GIST_N_CONDITIONS), g->config.vocab_size, 0, 0, &plan);
    const double loss = learn(t, optimiser, &plan, rate, step + 1);
    const double expected = json_number_value(json_array_get(json_object_get(steps, "losses"), (size_t)step));
    if (!(fabs(loss - expected) <= 1e-3)) fail_msg("step %d: loss %.6f, expected %.6f", step, loss, expected);
    tg_plan_free(&plan);
  }
  tg_optimiser_free(optimiser);
  trainee_free(t);
}

static void test_steps(void **state) {
  (void)state;
  golden g = golden_open("tiny-gated-untied");
  const json_t *steps = json_object_get(g.meta, "steps");
  int n;
  prompt *prompts = prompts_read(steps, &n);
  check_steps(&g, steps, prompts, n);
  prompts_free(prompts, n);
  golden_close(&g);
}

/* -------------------------------------------------------------------------------------------------------------------- by heart */

enum { N_EXAMPLES = 32, N_STEPS = 300 };

/* Four tasks; inputs all different, so that even who never sees the task can tell examples apart. */
static prompt *make_examples(void) {
  prompt *prompts = calloc(N_EXAMPLES, sizeof *prompts);
  for (int i = 0; i < N_EXAMPLES; i++) {
    prompts[i] = prompt_new((uint64_t)i, 97, 4, 1, 4, 4);
    memcpy((int32_t *)prompts[i].example.task, prompts[i % 4].example.task, 4 * sizeof(int32_t));
    prompts[i].example.task_hash = (uint64_t)(i % 4);
  }
  return prompts;
}

static void test_by_heart(void **state) {
  (void)state;
  t5gist_error err;
  const tg_config config = tiny_config(true, false);
  const tg_optimiser_options how = {.kind = TG_ADAMW, .beta1 = 0.9f, .beta2 = 0.999f, .eps = 1e-8f, .clip = 1, .gist_factor = 1};
  prompt *prompts = make_examples();
  for (int condition = 0; condition < T5GIST_N_CONDITIONS; condition++) {
    trainee *t = trainee_new(&config, 1, 2);
    tg_optimiser *optimiser;
    tg_plan plan;
    plan_of(prompts, N_EXAMPLES, (t5gist_condition)condition, 97, PLAN_SHARE, 0, &plan);
    CHECK_OK(tg_optimiser_new(&t->layout, &how, 0, t->layout.count, &optimiser, &err));
    double loss = INFINITY;
    int step = 0;
    while (step < N_STEPS && loss >= 0.01) loss = learn(t, optimiser, &plan, 3e-3, ++step);
    if (!(loss < 0.01)) fail_msg("condition %d: loss %.4f after %d steps, expected less than 0.01", condition, loss, step);
    print_message("condition %d: loss %.4f after %d steps\n", condition, loss, step);
    tg_plan_free(&plan);
    tg_optimiser_free(optimiser);
    trainee_free(t);
  }
  prompts_free(prompts, N_EXAMPLES);
}

/* ------------------------------------------------------------------------------------------------------------------ distillation */

/* Four tasks on each of eight inputs: without the task nobody knows the answer. */
static prompt *make_crossed(void) {
  prompt *prompts = make_examples();
  for (int i = 0; i < N_EXAMPLES; i++)
    memcpy((int32_t *)prompts[i].example.input, prompts[i - i % 4].example.input, (size_t)prompts[i].example.n_input * sizeof(int32_t));
  return prompts;
}

/* A model that knows the examples by heart from full prompts. */
static trainee *make_teacher(const tg_config *config, const prompt *prompts) {
  t5gist_error err;
  const tg_optimiser_options how = {.kind = TG_ADAMW, .beta1 = 0.9f, .beta2 = 0.999f, .eps = 1e-8f, .clip = 1, .gist_factor = 1};
  trainee *t = trainee_new(config, 1, 2);
  tg_optimiser *optimiser;
  tg_plan plan;
  plan_of(prompts, N_EXAMPLES, T5GIST_FULL, 97, 0, 0, &plan);
  CHECK_OK(tg_optimiser_new(&t->layout, &how, 0, t->layout.count, &optimiser, &err));
  double loss = INFINITY;
  for (int step = 1; step <= N_STEPS && loss >= 0.05; step++) loss = learn(t, optimiser, &plan, 3e-3, step);
  assert_true(loss < 0.05);
  tg_plan_free(&plan);
  tg_optimiser_free(optimiser);
  return t;
}

/* Loss of the teaching, and the share of the teacher's tokens that are the student's likeliest. */
typedef struct taught {
  double loss, same;
} taught;

static taught look(trainee *student, trainee *teacher, const tg_plan *plan, const tg_pass_options *options, bool learns) {
  t5gist_error err;
  unsigned char right[8 * N_EXAMPLES];
  tg_pass_result result = {.right = right};
  double same = 0;
  assert_true(plan->n_decoder <= (int)sizeof right);
  if (learns) memset(student->gradients, 0, student->layout.count * sizeof(float));
  CHECK_OK(tg_pass_run(student->pass, student->weights, plan, options, teacher->pass, teacher->weights, learns ? student->gradients : NULL, &result,
                       &err));
  for (int i = 0; i < plan->n_decoder; i++) same += right[i];
  return (taught){result.loss, same / plan->n_decoder};
}

/* A copy of the teacher that sees the task through one gist token, and no answers, comes to give the teacher's. */
static void check_taught(const tg_pass_options *options, const tg_config *config, const prompt *prompts, trainee *teacher) {
  enum { LESSONS = 200 };
  t5gist_error err;
  const tg_optimiser_options how = {.kind = TG_ADAMW, .beta1 = 0.9f, .beta2 = 0.999f, .eps = 1e-8f, .clip = 1, .gist_factor = 1};
  trainee *student = trainee_new(config, 1, 2);
  tg_optimiser *optimiser;
  tg_plan plan;
  memcpy(student->weights, teacher->weights, student->layout.count * sizeof(float));
  plan_of(prompts, N_EXAMPLES, T5GIST_GIST, 97, PLAN_SHARE, 0, &plan);
  plan_teach(prompts, N_EXAMPLES, T5GIST_FULL, 97, 1, &plan);
  memset(plan.weights, 0, (size_t)plan.n_decoder * sizeof *plan.weights); /* what the answers are is the teacher's word alone */
  CHECK_OK(tg_optimiser_new(&student->layout, &how, 0, student->layout.count, &optimiser, &err));
  const taught before = look(student, teacher, &plan, options, false);
  for (int step = 1; step <= LESSONS; step++) {
    look(student, teacher, &plan, options, true);
    const double norm = sqrt(tg_train_sum_squares(student->workspace, student->gradients, student->layout.count));
    CHECK_OK(tg_optimiser_step(optimiser, student->workspace, 1e-3, (uint64_t)step, norm, student->gradients, student->weights, &err));
  }
  const taught after = look(student, teacher, &plan, options, false);
  print_message("forward %g, reverse %g, match %g: loss %.4f to %.4f, the teacher's tokens %.0f %% to %.0f %%\n", (double)options->forward,
                (double)options->reverse, (double)options->match, before.loss, after.loss, 100 * before.same, 100 * after.same);
  assert_true(before.same < 0.7);
  assert_true(after.loss < 0.1 * before.loss);
  assert_true(after.same >
              (options->match > 0 ? before.same + 0.1 : 0.95)); /* matching compares directions, so that outputs may keep another length */
  tg_plan_free(&plan);
  tg_optimiser_free(optimiser);
  trainee_free(student);
}

static void test_distillation(void **state) {
  (void)state;
  const tg_config config = tiny_config(true, false);
  const tg_pass_options ways[] = {{.q_scale = 1, .forward = 1}, {.q_scale = 1, .forward = 0.5f, .reverse = 0.5f}, {.q_scale = 1, .match = 1}};
  prompt *prompts = make_crossed();
  trainee *teacher = make_teacher(&config, prompts);
  for (int i = 0; i < 3; i++) check_taught(&ways[i], &config, prompts, teacher);
  trainee_free(teacher);
  prompts_free(prompts, N_EXAMPLES);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_steps), cmocka_unit_test(test_by_heart), cmocka_unit_test(test_distillation)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
