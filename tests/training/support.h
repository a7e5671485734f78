/* Shared by the tests of training/: a small model with its pass, made-up examples, plans written by hand (not by training/batch.h), golden files. */
#ifndef T5GIST_TESTS_TRAINING_SUPPORT_H
#define T5GIST_TESTS_TRAINING_SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "runtime/safetensors.h"
#include "t5gist/types.h"
#include "training/data.h"
#include "training/pass.h"

/* Fails the test with the error's sentence unless expr is T5GIST_OK; uses a local `t5gist_error err`. */
#define CHECK_OK(expr)                                                \
  do {                                                                \
    if ((expr) != T5GIST_OK) fail_msg("%s: %s", #expr, err.message);  \
  } while (0)

/* d_model 64, d_ff 128, d_kv 16, 4 heads, 2 + 2 layers, 97 tokens of which the last is the gist token. */
tg_config tiny_config(bool gated, bool tied);

typedef struct trainee {
  tg_config config;
  tg_layout layout;
  tg_engine *engine;
  tg_workspace *workspace;
  tg_pass *pass;
  float *weights, *gradients; /* [layout.count] */
} trainee;

/* T5's initialisation, norms spread over 0.75 .. 1.25 so that their place matters. */
trainee *trainee_new(const tg_config *config, uint64_t seed, int threads);
void trainee_free(trainee *trainee);

typedef struct prompt {
  tg_example example; /* tokens owned */
  int gists;
} prompt;

/* Text tokens 2 .. vocab - 2 by counter from (seed, what they are); input and target end with 1. */
prompt prompt_new(uint64_t seed, int vocab_size, int n_task, int gists, int n_input, int n_target);
void prompt_free(prompt *prompt);

enum { PLAN_SHARE = 1 /* examples of one task share its rows */, PLAN_KEEP_TASK = 2 /* also under neg_control, where nobody sees it */ };

/* The plan of prompts [n] under one condition; every target token weighs 1 / total (0: the plan's own number of them). Release with tg_plan_free. */
void plan_of(const prompt *prompts, int n, t5gist_condition condition, int vocab_size, unsigned flags, double total, tg_plan *plan);
/* Gives plan a teacher: the same prompts under another condition, every token's divergence weighing share times its cross-entropy. */
void plan_teach(const prompt *prompts, int n, t5gist_condition condition, int vocab_size, float share, tg_plan *plan);

/* A file of tests/golden/make_gradients.py. */
enum { GOLDEN_SEED = 7, GOLDEN_TEACHER_SEED = 8 };
typedef struct golden {
  const char *name;
  tg_safetensors *file;
  json_t *meta;
  tg_config config;
  prompt *prompts; /* [n_prompts] */
  int n_prompts, samples;
} golden;
golden golden_open(const char *name);
void golden_close(golden *golden);
int golden_integer(const json_t *object, const char *key);
prompt *prompts_read(const json_t *object, int *n); /* its "examples" */
void prompts_free(prompt *prompts, int n);

/* norm(a - b) / norm(b). */
double distance(const float *a, const float *b, size_t n);

#endif
