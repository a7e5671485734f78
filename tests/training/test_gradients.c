/* Gradients of a whole model against PyTorch's autograd in double: tests/golden/make_gradients.py made the files and says what is in them.
 * Arguments: cases; none: the tiny ones. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support.h"
#include "t5/random.h"

enum { SAMPLE_SEED = 101, SIGN_SEED = 102, STATISTICS = 3 };

static const char *const condition_names[] = {"gist", "pos_control", "neg_control", "prefix", "full"};

/* ---------------------------------------------------------------------------------------------------------------------- comparison */

/* Token i of all prompts' tasks and inputs, prompt by prompt. */
static int32_t prompt_token(const golden *g, uint64_t i) {
  for (int p = 0;; p = (p + 1) % g->n_prompts) {
    const tg_example *e = &g->prompts[p].example;
    if (i < (uint64_t)e->n_task) return e->task[i];
    i -= (uint64_t)e->n_task;
    if (i < (uint64_t)e->n_input) return e->input[i];
    i -= (uint64_t)e->n_input;
  }
}

static uint64_t n_prompt_tokens(const golden *g) {
  uint64_t n = 0;
  for (int p = 0; p < g->n_prompts; p++) n += (uint64_t)(g->prompts[p].example.n_task + g->prompts[p].example.n_input);
  return n;
}

/* The place of sample j within a parameter. */
static size_t place(const golden *g, const tg_parameter *p, size_t j) {
  if (p->count <= (size_t)g->samples) return j;
  uint64_t at = tg_random_at(tg_random_key(SAMPLE_SEED, tg_random_label(p->name)), j);
  if (j % 2 == 1 && strcmp(p->name, "shared.weight") == 0) {
    const uint64_t drawn = tg_random_at(tg_random_key(SAMPLE_SEED, tg_random_label("tokens")), j);
    const uint64_t d_model = (uint64_t)g->config.d_model;
    at = (uint64_t)prompt_token(g, drawn % n_prompt_tokens(g)) * d_model + at % d_model;
  }
  return (size_t)(at % p->count);
}

/* How far the gradient of one tensor is from golden: norm, largest magnitude, signed sum, samples. */
static void compare_tensor(const golden *g, const char *what, const tg_parameter *p, const float *gradient, const float *expected) {
  const uint64_t signs = tg_random_key(SIGN_SEED, tg_random_label(p->name));
  double squares = 0, largest = 0, sum = 0, dot = 0, mine = 0, its = 0, error = 0;
  for (size_t i = 0; i < p->count; i++) {
    const double x = (double)gradient[i];
    squares += x * x;
    largest = fabs(x) > largest ? fabs(x) : largest;
    sum += tg_random_at(signs, i) >> 63 ? -x : x;
  }
  const size_t n = p->count < (size_t)g->samples ? p->count : (size_t)g->samples;
  for (size_t j = 0; j < n; j++) {
    const double x = (double)gradient[place(g, p, j)], y = (double)expected[STATISTICS + j];
    dot += x * y;
    mine += x * x;
    its += y * y;
    error = fabs(x - y) > error ? fabs(x - y) : error;
  }
  const double norm = (double)expected[0], top = (double)expected[1], cosine = its > 0 ? dot / sqrt(mine * its) : 1;
  if (!(cosine >= 0.999999) || !(error <= 1e-4 * top))
    fail_msg("%s %s %s: cosine %.9f, largest error %g of %g", g->name, what, p->name, cosine, error, top);
  if (!(fabs(sqrt(squares) - norm) <= 1e-4 * norm) || !(fabs(largest - top) <= 1e-4 * top) || !(fabs(sum - (double)expected[2]) <= 1e-3 * norm))
    fail_msg("%s %s %s: norm %g, largest %g, signed sum %g; expected %g, %g, %g", g->name, what, p->name, sqrt(squares), largest, sum, norm, top,
             (double)expected[2]);
}

static void compare_all(const golden *g, const char *what, const trainee *t) {
  const tg_tensor *tensor = tg_safetensors_find(g->file, what);
  const size_t width = STATISTICS + (size_t)g->samples;
  if (!tensor) fail_msg("%s has no %s", g->name, what);
  assert_int_equal(tensor->shape[0], t->layout.n);
  assert_int_equal(tensor->shape[1], width);
  float *row = malloc(width * sizeof *row);
  for (size_t i = 0; i < t->layout.n; i++) {
    const tg_parameter *p = &t->layout.parameters[i];
    memcpy(row, tensor->data + i * width * sizeof *row, width * sizeof *row);
    compare_tensor(g, what, p, t->gradients + p->offset, row);
  }
  free(row);
}

static void check_loss(const golden *g, const char *what, double found, double expected) {
  if (!(fabs(found - expected) <= 2e-5 * fabs(expected))) fail_msg("%s %s: loss %.8f, expected %.8f", g->name, what, found, expected);
}

/* --------------------------------------------------------------------------------------------------------------------------- tests */

static void run_conditions(golden *g) {
  t5gist_error err;
  const tg_pass_options options = {.q_scale = 1};
  trainee *t = trainee_new(&g->config, GOLDEN_SEED, 2);
  for (int condition = 0; condition < T5GIST_N_CONDITIONS; condition++) {
    const char *name = condition_names[condition];
    tg_plan plan;
    tg_pass_result result = {0};
    plan_of(g->prompts, g->n_prompts, (t5gist_condition)condition, g->config.vocab_size, PLAN_SHARE, 0, &plan);
    memset(t->gradients, 0, t->layout.count * sizeof(float));
    CHECK_OK(tg_pass_run(t->pass, t->weights, &plan, &options, NULL, NULL, t->gradients, &result, &err));
    check_loss(g, name, result.loss, json_number_value(json_object_get(json_object_get(g->meta, "losses"), name)));
    compare_all(g, name, t);
    tg_plan_free(&plan);
  }
  trainee_free(t);
}

static void test_conditions(void **state) {
  golden g = golden_open(*state);
  run_conditions(&g);
  golden_close(&g);
}

/* A student with unfolded q under condition gist, beside a teacher that reads the plain prompt. */
static void test_taught(void **state) {
  (void)state;
  t5gist_error err;
  golden g = golden_open("tiny-gated-untied");
  const json_t *taught = json_object_get(g.meta, "taught"), *parts = json_object_get(taught, "parts");
  const tg_pass_options options = {.q_scale = 1 / sqrtf((float)g.config.d_kv),
                                   .smoothing = (float)json_number_value(json_object_get(taught, "smoothing")),
                                   .forward = (float)json_number_value(json_object_get(taught, "forward")),
                                   .reverse = (float)json_number_value(json_object_get(taught, "reverse")),
                                   .match = (float)json_number_value(json_object_get(taught, "match"))};
  trainee *student = trainee_new(&g.config, GOLDEN_SEED, 2), *teacher = trainee_new(&g.config, GOLDEN_TEACHER_SEED, 1);
  tg_plan plan;
  tg_pass_result result = {0};
  plan_of(g.prompts, g.n_prompts, T5GIST_GIST, g.config.vocab_size, PLAN_SHARE, 0, &plan);
  plan_teach(g.prompts, g.n_prompts, T5GIST_FULL, g.config.vocab_size, (float)json_number_value(json_object_get(taught, "share")), &plan);
  CHECK_OK(tg_pass_run(student->pass, student->weights, &plan, &options, teacher->pass, teacher->weights, student->gradients, &result, &err));
  check_loss(&g, "cross-entropy", result.cross_entropy, json_number_value(json_array_get(parts, 0)));
  check_loss(&g, "divergence", result.divergence, json_number_value(json_array_get(parts, 1)));
  check_loss(&g, "match", result.match, json_number_value(json_array_get(parts, 2)));
  compare_all(&g, "taught", student);
  tg_plan_free(&plan);
  trainee_free(teacher);
  trainee_free(student);
  golden_close(&g);
}

int main(int argc, char **argv) {
  static char *tiny[] = {"tiny-gated-untied", "tiny-gated-tied", "tiny-relu-untied", "tiny-relu-tied"};
  char **names = argc > 1 ? argv + 1 : tiny;
  const int n = argc > 1 ? argc - 1 : (int)(sizeof tiny / sizeof *tiny);
  struct CMUnitTest tests[16] = {cmocka_unit_test(test_taught)};
  int n_tests = argc > 1 ? 0 : 1;
  for (int i = 0; i < n && n_tests < 16; i++)
    tests[n_tests++] = (struct CMUnitTest){.name = names[i], .test_func = test_conditions, .initial_state = names[i]};
  return _cmocka_run_group_tests("gradients", tests, (size_t)n_tests, NULL, NULL);
}
