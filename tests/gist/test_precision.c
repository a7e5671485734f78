/* What int8, int4 and bf16 do to answers: how far log-probabilities move from f32's, on plain models and on models whose feed-forward layers have
 * outlier channels; and what it must not do: depend on batch mates or threads. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support.h"
#include "tests/support/folder.h"
#include "tests/support/tolerance.h"

enum { N_PROMPTS = 6, MAX_TOKENS = 24 };

static const char *const tasks[N_PROMPTS] = {"Translate to German.",
                                             "Write the opposite of each word.",
                                             "Summarize the text in one sentence.",
                                             "Sort these numbers from small to large.",
                                             "Is the statement true or false?",
                                             "Answer the question."};
static const char *const inputs[N_PROMPTS] = {
    "house, water, bread", "large, early, open, cheap", "The train to Basel was late, so we missed the concert.",
    "17 4 99 23 5",        "Ice floats on water.",      "What is the capital of the country north of Italy?"};
static const char *const target = "The quick brown fox jumps over the lazy dog, and then it rests.";

typedef struct answers {
  t5gist_answer scored[N_PROMPTS], greedy[N_PROMPTS];
} answers;

static t5gist_model *open_model(const char *dir, int dtype, int wo_dtype, int threads) {
  t5gist_error err;
  t5gist_model *model = NULL;
  t5gist_model_options options;
  t5gist_model_options_init(&options);
  options.dtype = dtype;
  options.wo_dtype = wo_dtype;
  options.threads = threads;
  CHECK_OK(t5gist_model_open(dir, &options, &model, &err));
  return model;
}

static void make_requests(t5gist_request requests[N_PROMPTS], bool score) {
  for (int i = 0; i < N_PROMPTS; i++) {
    t5gist_request_init(&requests[i]);
    requests[i].task = tasks[i];
    requests[i].input = inputs[i];
    requests[i].options.max_new_tokens = MAX_TOKENS;
    requests[i].options.min_new_tokens = MAX_TOKENS;
    if (score) requests[i].targets = &target;
    if (score) requests[i].n_targets = 1;
  }
}

/* All prompts in batches of `together`. */
static void run(const t5gist_model *model, size_t together, answers *out) {
  t5gist_error err;
  t5gist_session *session = NULL;
  t5gist_request requests[N_PROMPTS];
  CHECK_OK(t5gist_session_new(model, &session, &err));
  for (int score = 0; score < 2; score++) {
    t5gist_answer *to = score ? out->scored : out->greedy;
    make_requests(requests, score);
    for (size_t i = 0; i < N_PROMPTS; i += together) CHECK_OK(t5gist_generate(session, requests + i, together, to + i, &err));
    for (int i = 0; i < N_PROMPTS; i++)
      if (to[i].error.status != T5GIST_OK) fail_msg("%s", to[i].error.message);
  }
  t5gist_session_free(session);
}

static void clear(answers *a) {
  for (int i = 0; i < N_PROMPTS; i++) {
    t5gist_answer_clear(&a->scored[i]);
    t5gist_answer_clear(&a->greedy[i]);
  }
}

static answers answers_of(const char *dir, int dtype, int wo_dtype, int threads, size_t together) {
  answers out;
  t5gist_model *model = open_model(dir, dtype, wo_dtype, threads);
  run(model, together, &out);
  t5gist_model_close(model);
  return out;
}

/* Mean distance of the target's log-probabilities per token, and the share of greedy tokens before the first that differs. */
typedef struct drift {
  double logprob, agreement;
} drift;

static drift compare(const answers *a, const answers *b) {
  double sum = 0, n = 0, same = 0, total = 0;
  for (int i = 0; i < N_PROMPTS; i++) {
    const t5gist_target_score *x = &a->scored[i].scores[0], *y = &b->scored[i].scores[0];
    assert_int_equal(x->n_ids, y->n_ids);
    for (int t = 0; t < x->n_ids; t++) sum += fabs((double)x->logprobs[t] - (double)y->logprobs[t]);
    n += x->n_ids;
    const t5gist_answer *g = &a->greedy[i], *h = &b->greedy[i];
    int t = 0;
    while (t < g->n_tokens && t < h->n_tokens && g->tokens[t] == h->tokens[t]) t++;
    same += t;
    total += g->n_tokens;
  }
  return (drift){sum / n, same / total};
}

static drift drift_in(const char *name, const char *dir, int dtype, int wo_dtype) {
  static const char *const names[] = {"f32", "int8", "int8x16", "bf16", "int4"};
  answers exact = answers_of(dir, T5GIST_DTYPE_F32, T5GIST_UNSET, 2, N_PROMPTS), rough = answers_of(dir, dtype, wo_dtype, 2, N_PROMPTS);
  const drift d = compare(&exact, &rough);
  print_message("%-14s %s, wo %-8s log-probability moves by %.5f per token, %3.0f %% of the tokens agree\n", name, names[dtype],
                wo_dtype == T5GIST_UNSET ? "default" : names[wo_dtype], d.logprob, 100 * d.agreement);
  clear(&exact);
  clear(&rough);
  return d;
}

/* Drift of a model in int8 with wo in wo_dtype. */
static drift drift_of(const char *name, const char *dir, int wo_dtype) {
  return drift_in(name, dir, T5GIST_DTYPE_INT8, wo_dtype);
}

static void test_drift(void **state) {
  static const char *const shapes[] = {"tiny", "mini"};
  (void)state;
  for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
    char *dir = make_model(shapes[i], "flan", 5, T5GIST_UNSET, NULL);
    const drift d = drift_of(shapes[i], dir, T5GIST_UNSET);
    assert_true(d.logprob > 0 && d.logprob <= tolerance_of(shapes[i])->int8_logprob);
    folder_remove(dir);
  }
  const drift d = drift_of("bundled", TEST_SOURCE_DIR "/models/mini", T5GIST_UNSET);
  assert_true(d.logprob > 0 && d.logprob <= tolerance_of("bundled")->int8_logprob);
  assert_true(d.agreement >= 0.7); /* 0.78 on models/mini: many of these prompts are none of its kinds of task, and its answers to them are guesses */
}

static void test_bf16_drift(void **state) {
  static const char *const shapes[] = {"tiny", "mini", "outlier"};
  (void)state;
  for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
    const bool outlier = i == 2;
    char *dir = make_model(outlier ? "mini" : shapes[i], outlier ? "outlier" : "flan", 5, T5GIST_UNSET, NULL);
    const drift d = drift_in(shapes[i], dir, T5GIST_DTYPE_BF16, T5GIST_UNSET);
    assert_true(d.logprob > 0 && d.logprob <= tolerance_of(outlier ? "mini" : shapes[i])->bf16_logprob);
    folder_remove(dir);
  }
  const drift d = drift_in("bundled", TEST_SOURCE_DIR "/models/mini", T5GIST_DTYPE_BF16, T5GIST_UNSET);
  assert_true(d.logprob > 0 && d.logprob <= tolerance_of("bundled")->bf16_logprob);
  assert_true(d.agreement >= 0.9);
}

/* Where a few channels of wo's input are far larger than the others, activations of 8 bits leave the others nothing: the junk that 8-bit FLAN-T5 is
 * known for. Those of 16 bits, the default, come near to computing wo in f32. */
static void test_outliers(void **state) {
  static const char *const shapes[] = {"tiny", "mini"};
  (void)state;
  for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
    char *dir = make_model(shapes[i], "outlier", 5, T5GIST_UNSET, NULL), name[32];
    snprintf(name, sizeof name, "%s, outliers", shapes[i]);
    const drift chosen = drift_of(name, dir, T5GIST_UNSET), best = drift_of(name, dir, T5GIST_DTYPE_F32),
                worst = drift_of(name, dir, T5GIST_DTYPE_INT8);
    assert_true(chosen.logprob <= 1.25 * tolerance_of(shapes[i])->int8_logprob);
    assert_true(chosen.logprob <= 1.6 * best.logprob);
    assert_true(worst.logprob >= 2 * chosen.logprob);
    folder_remove(dir);
  }
}

static void test_int4_drift(void **state) {
  static const char *const shapes[] = {"tiny", "mini"};
  (void)state;
  for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
    char *dir = make_model(shapes[i], "flan", 5, T5GIST_UNSET, NULL);
    const drift d = drift_in(shapes[i], dir, T5GIST_DTYPE_INT4, T5GIST_UNSET);
    assert_true(d.logprob > 0 && d.logprob <= tolerance_of(shapes[i])->int4_logprob);
    folder_remove(dir);
  }
  const drift d = drift_in("bundled", TEST_SOURCE_DIR "/models/mini", T5GIST_DTYPE_INT4, T5GIST_UNSET);
  assert_true(d.logprob > 0 && d.logprob <= tolerance_of("bundled")->int4_logprob);
  assert_true(d.agreement >= 0.1); /* 0.20: see above */
}

/* Planted outliers move answers little further than 4 bits do without them, since wo, whose inputs they are, is in int8x16 unless told otherwise. */
static void test_int4_outliers(void **state) {
  static const char *const shapes[] = {"tiny", "mini"};
  (void)state;
  for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
    char *plain = make_model(shapes[i], "flan", 5, T5GIST_UNSET, NULL), *outlier = make_model(shapes[i], "outlier", 5, T5GIST_UNSET, NULL), name[32];
    snprintf(name, sizeof name, "%s, outliers", shapes[i]);
    const drift without = drift_in(shapes[i], plain, T5GIST_DTYPE_INT4, T5GIST_UNSET),
                with = drift_in(name, outlier, T5GIST_DTYPE_INT4, T5GIST_UNSET);
    (void)drift_in(name, outlier, T5GIST_DTYPE_INT4, T5GIST_DTYPE_INT4);
    assert_true(with.logprob <= 1.5 * without.logprob);
    folder_remove(plain);
    folder_remove(outlier);
  }
}

static void check_same(const answers *a, const answers *b) {
  for (int i = 0; i < N_PROMPTS; i++) {
    const t5gist_answer *x = &a->greedy[i], *y = &b->greedy[i];
    assert_int_equal(x->n_tokens, y->n_tokens);
    assert_memory_equal(x->tokens, y->tokens, (size_t)x->n_tokens * sizeof *x->tokens);
    const t5gist_target_score *s = &a->scored[i].scores[0], *t = &b->scored[i].scores[0];
    for (int j = 0; j < s->n_ids; j++) assert_true(s->logprobs[j] == t->logprobs[j]); /* bit for bit */
  }
}

/* Neither batch mates nor threads change an answer: whole-number sums per row. */
static void test_mates_and_threads(void **state) {
  static const int dtypes[] = {T5GIST_DTYPE_INT8, T5GIST_DTYPE_INT4};
  (void)state;
  char *dir = make_model("tiny", "flan", 5, T5GIST_UNSET, NULL);
  for (size_t i = 0; i < sizeof dtypes / sizeof *dtypes; i++) {
    answers alone = answers_of(dir, dtypes[i], T5GIST_UNSET, 1, 1), together = answers_of(dir, dtypes[i], T5GIST_UNSET, 1, N_PROMPTS),
            threads = answers_of(dir, dtypes[i], T5GIST_UNSET, 3, 2);
    check_same(&alone, &together);
    check_same(&alone, &threads);
    clear(&alone);
    clear(&together);
    clear(&threads);
  }
  folder_remove(dir);
}

/* Rounded on loading or by convert, from f32 or bf16, with a head of its own or a tied one: the same answers, bit for bit. */
static void test_int4_folders(void **state) {
  static const char *const variants[] = {"flan", "t5v1", "wide"};
  static const int wo_dtypes[] = {T5GIST_DTYPE_INT4, T5GIST_UNSET, T5GIST_DTYPE_F32};
  static const char *const wo_names[] = {"int4", "int8x16", "f32"};
  (void)state;
  for (size_t i = 0; i < 4; i++) {
    t5gist_error err;
    char *made = i < 3 ? make_model("tiny", variants[i], 5, T5GIST_UNSET, NULL) : NULL, *out = folder_new(TEST_BINARY_DIR);
    const char *dir = made ? made : TEST_SOURCE_DIR "/models/mini";
    t5gist_conversion how;
    t5gist_conversion_init(&how);
    how.dtype = "int4";
    how.rounding = "search"; /* as loading does */
    how.wo_dtype = wo_names[i % 3];
    how.threads = 2;
    CHECK_OK(t5gist_convert(dir, out, &how, &err));
    answers loaded = answers_of(dir, T5GIST_DTYPE_INT4, wo_dtypes[i % 3], 2, N_PROMPTS),
            converted = answers_of(out, T5GIST_UNSET, T5GIST_UNSET, 2, N_PROMPTS);
    check_same(&loaded, &converted);
    CHECK_OK(t5gist_verify(out, stderr, &err));
    clear(&converted);

    /* The folder answers in other formats too, from the numbers that it has. */
    converted = answers_of(out, T5GIST_DTYPE_F32, T5GIST_UNSET, 2, N_PROMPTS);
    const drift d = compare(&loaded, &converted);
    assert_true(d.logprob > 0 && d.logprob < 0.3);
    clear(&loaded);
    clear(&converted);
    folder_remove(out);
    if (made) folder_remove(made);
  }
}

typedef struct trials {
  char names[8][16], wo[8][16];
  t5gist_drift drifts[8];
  int n;
} trials;

static void on_trial(void *user, const char *rounding, const char *wo_dtype, const t5gist_drift *found) {
  trials *t = user;
  assert_in_range(t->n, 0, 7);
  snprintf(t->names[t->n], sizeof t->names[0], "%s", rounding);
  snprintf(t->wo[t->n], sizeof t->wo[0], "%s", wo_dtype);
  t->drifts[t->n++] = *found;
}

/* Of all roundings the one whose answers are nearest to f32's is taken; what is asked for is done; nonsense is refused before any work. */
static void test_rounding_is_chosen(void **state) {
  static const char mini[] = TEST_SOURCE_DIR "/models/mini";
  (void)state;
  t5gist_error err;
  t5gist_drift kept;
  trials t = {0};
  char *out = folder_new(TEST_BINARY_DIR);
  t5gist_conversion how;
  t5gist_conversion_init(&how);
  how.dtype = "int4";
  how.threads = 2;
  how.on_trial = on_trial;
  how.user = &t;
  CHECK_OK(t5gist_convert(mini, out, &how, &err));
  assert_int_equal(t.n, 4);
  int best = 0;
  for (int i = 0; i < t.n; i++) {
    print_message("bundled, int4, %-10s wo %-8s log-probability moves by %.5f per token, %3.0f %% of the tokens agree\n", t.names[i], t.wo[i],
                  t.drifts[i].logprob, 100 * t.drifts[i].agreement);
    if (i < 3 ? t.drifts[i].logprob < t.drifts[best].logprob : t5gist_drift_allowed(&t.drifts[i])) best = i;
  }
  assert_string_equal(t.names[0], "nearest");
  assert_string_equal(t.names[1], "search");
  assert_string_equal(t.names[2], "calibrated");
  assert_string_equal(t.wo[0], "int8x16");
  assert_string_equal(t.wo[3], "int4");
  assert_true(t.drifts[2].logprob < t.drifts[0].logprob);
  CHECK_OK(t5gist_measure_drift(mini, out, T5GIST_DTYPE_INT4, NULL, 2, &kept, &err));
  assert_true(kept.logprob == t.drifts[best].logprob && kept.agreement == t.drifts[best].agreement); /* the folder is what was tried */

  t.n = 0;
  how.rounding = "calibrated";
  how.wo_dtype = "int8";
  how.texts = how.calibration = TEST_SOURCE_DIR "/tests/data/eval.jsonl";
  CHECK_OK(t5gist_convert(mini, out, &how, &err));
  assert_int_equal(t.n, 1);
  assert_string_equal(t.wo[0], "int8");
  how.rounding = "up";
  assert_int_equal(t5gist_convert(mini, out, &how, &err), T5GIST_EUSAGE);
  how.rounding = NULL;
  how.wo_dtype = "int3";
  assert_int_equal(t5gist_convert(mini, out, &how, &err), T5GIST_EUSAGE);
  how.wo_dtype = NULL;
  how.calibration = "/nowhere";
  assert_int_equal(t5gist_convert(mini, out, &how, &err), T5GIST_EIO);
  folder_remove(out);
}

static void test_names_and_misuse(void **state) {
  (void)state;
  t5gist_error err;
  t5gist_model_info info;
  t5gist_model *model = NULL;
  static const struct {
    int dtype, wo_dtype;
    const char *name;
  } cases[] = {{T5GIST_UNSET, T5GIST_UNSET, "f32"},
               {T5GIST_DTYPE_INT8, T5GIST_UNSET, "int8"},
               {T5GIST_DTYPE_INT8, T5GIST_DTYPE_F32, "int8, wo f32"},
               {T5GIST_DTYPE_INT8X16, T5GIST_UNSET, "int8x16"},
               {T5GIST_DTYPE_INT8, T5GIST_DTYPE_BF16, "int8, wo bf16"},
               {T5GIST_DTYPE_BF16, T5GIST_UNSET, "bf16"},
               {T5GIST_DTYPE_INT4, T5GIST_UNSET, "int4"},
               {T5GIST_DTYPE_INT4, T5GIST_DTYPE_INT4, "int4, wo int4"},
               {T5GIST_DTYPE_INT8, T5GIST_DTYPE_INT4, "int8, wo int4"}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    model = open_model(TEST_SOURCE_DIR "/models/mini", cases[i].dtype, cases[i].wo_dtype, 1);
    t5gist_model_describe(model, &info);
    assert_string_equal(info.dtype, cases[i].name);
    assert_string_equal(info.stored, "bf16");
    t5gist_model_close(model);
  }
  t5gist_model_options options;
  t5gist_model_options_init(&options);
  options.dtype = 7;
  assert_int_equal(t5gist_model_open(TEST_SOURCE_DIR "/models/mini", &options, &model, &err), T5GIST_EUSAGE);
  assert_non_null(strstr(err.message, "dtype"));
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_drift),
                                     cmocka_unit_test(test_bf16_drift),
                                     cmocka_unit_test(test_outliers),
                                     cmocka_unit_test(test_int4_drift),
                                     cmocka_unit_test(test_int4_outliers),
                                     cmocka_unit_test(test_int4_folders),
                                     cmocka_unit_test(test_rounding_is_chosen),
                                     cmocka_unit_test(test_mates_and_threads),
                                     cmocka_unit_test(test_names_and_misuse)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
