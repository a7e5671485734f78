/* What must hold without any reference: ways that must agree, and changes that must not be seen. On a random model, where every wrong bit shows. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "gist/gist.h"
#include "gist/model.h"
#include "gist/prompt.h"
#include "gist/session.h"
#include "support.h"
#include "tests/support/folder.h"
#include "tests/support/tolerance.h"

enum { SEED = 21, NEW_TOKENS = 12 };

static const char *const TASKS[] = {"Translate the sentence to German.",
                                    "List the cities, one per line, without the country and without any other word.", "Shorter!"};
static const char *const INPUTS[] = {"The house by the river is small.",
                                     "We waited forty minutes for a cold soup. Never again, said the man from Lyon, and left for Turin.", "a",
                                     "3 17 8 99", "Zürich, São Paulo and Málaga are far away from here, but not as far as the moon is."};
enum { N_TASKS = sizeof TASKS / sizeof *TASKS, N_INPUTS = sizeof INPUTS / sizeof *INPUTS };

typedef struct fixture {
  char *dir, *deep_dir; /* deep: the decoder has two layers, the encoder one */
  t5gist_model *model;
  const tolerance *limit;
} fixture;

static int set_up(void **state) {
  t5gist_error err;
  fixture *f = calloc(1, sizeof *f);
  json_t *deep = json_pack("{s:i}", "num_layers", 1); /* the other encoder layer stays in the file, unused */
  f->dir = make_model("tiny", "uneven", SEED, T5GIST_UNSET, NULL);
  f->deep_dir = make_model("tiny", "flan", SEED, T5GIST_UNSET, deep);
  f->limit = tolerance_of("tiny");
  json_decref(deep);
  CHECK_OK(t5gist_model_open(f->dir, NULL, &f->model, &err));
  *state = f;
  return 0;
}

static int tear_down(void **state) {
  fixture *f = *state;
  t5gist_model_close(f->model);
  folder_remove(f->dir);
  folder_remove(f->deep_dir);
  free(f);
  return 0;
}

/* --------------------------------------------------------------------------------------------------------------------------- answers */

static t5gist_request ask(t5gist_condition condition, const char *task, const t5gist_gist *gist, int gists, const char *input) {
  t5gist_request request;
  t5gist_request_init(&request);
  request.condition = condition;
  request.task = task;
  request.gist = gist;
  request.gists = gists;
  request.input = input;
  request.options.max_new_tokens = NEW_TOKENS;
  request.options.top_logprobs = 2;
  return request;
}

/* How to ask: in n calls or one; in two encoder passes, as ever, or one masked pass over everything. */
enum { ALONE = 0, TOGETHER = 1, ONE_PASS = 2 };

static t5gist_answer *answers_of(const t5gist_model *model, const t5gist_request *requests, size_t n, int how) {
  t5gist_error err;
  t5gist_session *session;
  t5gist_answer *answers = calloc(n, sizeof *answers);
  CHECK_OK(t5gist_session_new(model, &session, &err));
  session->one_pass = how & ONE_PASS;
  const size_t stride = how & TOGETHER ? n : 1;
  for (size_t i = 0; i < n; i += stride) CHECK_OK(t5gist_generate(session, requests + i, stride, answers + i, &err));
  for (size_t i = 0; i < n; i++)
    if (answers[i].error.status) fail_msg("request %zu: %s", i, answers[i].error.message);
  t5gist_session_free(session);
  return answers;
}

static void free_answers(t5gist_answer *answers, size_t n) {
  for (size_t i = 0; i < n; i++) t5gist_answer_clear(&answers[i]);
  free(answers);
}

/* Equal tokens up to the first tie, log-probabilities within limit; limit 0: every bit equal. */
static void assert_same_answer(const t5gist_answer *a, const t5gist_answer *b, double limit) {
  for (int i = 0; i < a->n_tokens && i < b->n_tokens; i++) {
    if (a->tokens[i] != b->tokens[i]) {
      const t5gist_alternative *top = a->top_logprobs + (size_t)i * (size_t)a->n_top;
      assert_int_equal(a->n_top, 2);
      if (limit > 0 && (double)(top[0].logprob - top[1].logprob) < tolerance_of("tiny")->tie) return;
      fail_msg("token %d: %d and %d", i, a->tokens[i], b->tokens[i]);
    }
    if (!(fabs((double)a->logprobs[i] - (double)b->logprobs[i]) <= limit))
      fail_msg("log-probability %d: %.9g and %.9g", i, (double)a->logprobs[i], (double)b->logprobs[i]);
  }
  assert_int_equal(a->n_tokens, b->n_tokens);
  assert_string_equal(a->text, b->text);
}

static bool different_answers(const t5gist_answer *a, const t5gist_answer *b) {
  if (a->n_tokens != b->n_tokens) return true;
  return memcmp(a->logprobs, b->logprobs, (size_t)a->n_tokens * sizeof *a->logprobs) != 0;
}

/* The task in the request, its gist in memory, its gist from a file (f32, with and without cross K and V): one answer. */
static void gist_from_anywhere(void **state) {
  fixture *f = *state;
  t5gist_error err;
  t5gist_session *session;
  char path[600];
  snprintf(path, sizeof path, "%s/task.gist", f->dir);
  CHECK_OK(t5gist_session_new(f->model, &session, &err));
  for (int k = 1; k <= 10; k += 3) {
    t5gist_gist *gist, *files[2];
    CHECK_OK(t5gist_encode(session, TASKS[1], k, &gist, &err));
    for (int cross = 0; cross < 2; cross++) {
      CHECK_OK(t5gist_gist_save(gist, path, T5GIST_PAYLOAD_F32, cross, &err));
      CHECK_OK(t5gist_gist_open(f->model, path, &files[cross], &err));
    }
    for (int i = 0; i < N_INPUTS; i++) {
      const t5gist_request requests[] = {ask(T5GIST_GIST, TASKS[1], NULL, k, INPUTS[i]), ask(T5GIST_GIST, NULL, gist, T5GIST_UNSET, INPUTS[i]),
                                         ask(T5GIST_GIST, NULL, files[0], T5GIST_UNSET, INPUTS[i]),
                                         ask(T5GIST_GIST, NULL, files[1], T5GIST_UNSET, INPUTS[i])};
      t5gist_answer *answers = answers_of(f->model, requests, 4, ALONE);
      for (int way = 1; way < 4; way++) assert_same_answer(&answers[0], &answers[way], 0);
      assert_int_equal(answers[0].gist_source, T5GIST_SOURCE_ENCODED);
      assert_int_equal(answers[1].gist_source, T5GIST_SOURCE_MEMORY);
      assert_int_equal(answers[2].gist_source, T5GIST_SOURCE_FILE);
      free_answers(answers, 4);
    }
    for (int cross = 0; cross < 2; cross++) t5gist_gist_free(files[cross]);
    t5gist_gist_free(gist);
  }
  t5gist_session_free(session);
}

/* Whatever was asked before, the same task gives the same bytes. */
static void gist_ignores_everything_but_its_task(void **state) {
  fixture *f = *state;
  t5gist_error err;
  unsigned char *bytes[3];
  size_t n[3];
  for (int i = 0; i < 3; i++) {
    t5gist_session *session;
    t5gist_gist *gist;
    t5gist_answer answer;
    CHECK_OK(t5gist_session_new(f->model, &session, &err));
    const t5gist_request before = ask(T5GIST_GIST, TASKS[i], NULL, 1 + i, INPUTS[i]);
    if (i > 0) {
      CHECK_OK(t5gist_generate(session, &before, 1, &answer, &err));
      t5gist_answer_clear(&answer);
    }
    CHECK_OK(t5gist_encode(session, TASKS[0], 5, &gist, &err));
    CHECK_OK(t5gist_gist_serialize(gist, T5GIST_PAYLOAD_F32, true, &bytes[i], &n[i], &err));
    t5gist_gist_free(gist);
    t5gist_session_free(session);
  }
  for (int i = 1; i < 3; i++) {
    assert_int_equal(n[i], n[0]);
    assert_memory_equal(bytes[i], bytes[0], n[0]);
  }
  for (int i = 0; i < 3; i++) t5gist_free(bytes[i]);
}

/* With a fixed gist, what the task's text was changes no bit of an answer. */
static void answer_ignores_the_task_of_a_gist(void **state) {
  fixture *f = *state;
  t5gist_error err;
  t5gist_session *session;
  t5gist_gist *gist;
  CHECK_OK(t5gist_session_new(f->model, &session, &err));
  CHECK_OK(t5gist_encode(session, TASKS[0], 2, &gist, &err));
  t5gist_request requests[N_INPUTS];
  for (int i = 0; i < N_INPUTS; i++) requests[i] = ask(T5GIST_GIST, NULL, gist, T5GIST_UNSET, INPUTS[i]);
  t5gist_answer *before = answers_of(f->model, requests, N_INPUTS, TOGETHER);
  tg_free(gist->task);
  CHECK_OK(tg_strdup(&gist->task, "Something else entirely, and longer than it was.", &err));
  gist->n_task += 7;
  t5gist_answer *after = answers_of(f->model, requests, N_INPUTS, TOGETHER);
  for (int i = 0; i < N_INPUTS; i++) assert_same_answer(&before[i], &after[i], 0);
  gist->states[3] += 0.5f; /* the gist itself is seen: through its encoder K and V, and through the decoder's */
  gist->enc_v[0] += 0.5f;
  t5gist_answer *changed = answers_of(f->model, requests, N_INPUTS, TOGETHER);
  for (int i = 0; i < N_INPUTS; i++) assert_true(different_answers(&before[i], &changed[i]));
  free_answers(before, N_INPUTS);
  free_answers(after, N_INPUTS);
  free_answers(changed, N_INPUTS);
  t5gist_gist_free(gist);
  t5gist_session_free(session);
}

/* In neg_control neither the task nor the number of gists is seen, whether they are left out or masked; under the other conditions both are. */
static void only_neg_control_ignores_task_and_gist(void **state) {
  fixture *f = *state;
  for (int c = 0; c < T5GIST_FULL; c++) {
    const t5gist_condition condition = (t5gist_condition)c;
    const t5gist_request requests[] = {ask(condition, TASKS[0], NULL, 1, INPUTS[0]), ask(condition, TASKS[1], NULL, 1, INPUTS[0]),
                                       ask(condition, TASKS[0], NULL, 5, INPUTS[0])};
    t5gist_answer *answers = answers_of(f->model, requests, 3, ALONE), *masked = answers_of(f->model, requests, 3, ONE_PASS);
    for (int i = 1; i < 3; i++) {
      if (condition == T5GIST_NEG_CONTROL) {
        assert_same_answer(&answers[0], &answers[i], f->limit->same_logprob);
        assert_same_answer(&masked[0], &masked[i], f->limit->same_logprob);
      } else {
        assert_true(different_answers(&answers[0], &answers[i]));
        assert_true(different_answers(&masked[0], &masked[i]));
      }
    }
    free_answers(answers, 3);
    free_answers(masked, 3);
  }
}

/* ------------------------------------------------------------------------------------------------------------------ mates and threads */

enum { N_MIXED = 24 };

/* Every condition, several k, greedy and beams, long and short: mates as different as they can be. */
static void mixed_requests(t5gist_request *requests) {
  for (int i = 0; i < N_MIXED; i++) {
    requests[i] = ask((t5gist_condition)(i % T5GIST_N_CONDITIONS), TASKS[i % N_TASKS], NULL, 1 + i % 4, INPUTS[(i * 2 + 1) % N_INPUTS]);
    requests[i].options.max_new_tokens = 3 + i * 5 % 11;
    if (i % 8 == 3) requests[i].options.beams = 3;
  }
}

static void mates_and_order_change_nothing(void **state) {
  fixture *f = *state;
  t5gist_request requests[N_MIXED], reversed[N_MIXED];
  mixed_requests(requests);
  for (int i = 0; i < N_MIXED; i++) reversed[i] = requests[N_MIXED - 1 - i];
  t5gist_answer *alone = answers_of(f->model, requests, N_MIXED, ALONE), *together = answers_of(f->model, requests, N_MIXED, TOGETHER);
  t5gist_answer *backwards = answers_of(f->model, reversed, N_MIXED, TOGETHER);
  for (int i = 0; i < N_MIXED; i++) {
    assert_same_answer(&alone[i], &together[i], f->limit->same_logprob);
    assert_same_answer(&alone[i], &backwards[N_MIXED - 1 - i], f->limit->same_logprob);
  }
  free_answers(alone, N_MIXED);
  free_answers(together, N_MIXED);
  free_answers(backwards, N_MIXED);
}

/* Prefix and suffix pass give what one masked pass over everything gives. */
static void two_passes_answer_as_one(void **state) {
  fixture *f = *state;
  t5gist_request requests[N_MIXED];
  mixed_requests(requests);
  t5gist_answer *two = answers_of(f->model, requests, N_MIXED, TOGETHER), *one = answers_of(f->model, requests, N_MIXED, TOGETHER | ONE_PASS);
  for (int i = 0; i < N_MIXED; i++) assert_same_answer(&two[i], &one[i], f->limit->same_logprob);
  free_answers(two, N_MIXED);
  free_answers(one, N_MIXED);
}

static void threads_change_nothing(void **state) {
  fixture *f = *state;
  t5gist_error err;
  t5gist_request requests[N_MIXED];
  t5gist_answer *first = NULL;
  mixed_requests(requests);
  for (int threads = 1; threads <= 3; threads++) {
    t5gist_model *model;
    t5gist_model_options options;
    t5gist_model_options_init(&options);
    options.threads = threads;
    CHECK_OK(t5gist_model_open(f->dir, &options, &model, &err));
    t5gist_answer *answers = answers_of(model, requests, N_MIXED, TOGETHER);
    for (int i = 0; first && i < N_MIXED; i++) assert_same_answer(&first[i], &answers[i], f->limit->same_logprob);
    if (first) free_answers(answers, N_MIXED);
    else first = answers;
    t5gist_model_close(model);
  }
  free_answers(first, N_MIXED);
}

/* ---------------------------------------------------------------------------------------------------------------------------- states */

/* A prompt's final encoder states in one masked pass, copied out; with the K and V of its last n_keep own rows where wanted. */
typedef struct pass {
  tg_prompt prompt;
  tg_mask mask;
  float *states; /* [n, d_model] */
} pass;

static pass masked_pass(const tg_t5 *t5, tg_workspace *workspace, t5gist_condition condition, const char *task, int k, const char *input) {
  t5gist_error err;
  pass p = {0};
  CHECK_OK(tg_prompt_make(t5, task, k, input, false, true, &p.prompt, &err));
  p.mask = tg_mask_make(condition, p.prompt.n_task, p.prompt.n_gist, p.prompt.n_input);
  const tg_encoder_sequence sequence = {.ids = p.prompt.ids.ids, .n = p.mask.n, .segments = p.mask.encoder, .n_segments = p.mask.n_segments};
  const tg_arena_mark mark = tg_arena_save(tg_workspace_arena(workspace));
  const size_t size = (size_t)p.mask.n * (size_t)t5->config.d_model * sizeof(float);
  float *states;
  CHECK_OK(tg_encode(t5, workspace, &sequence, 1, &states, &err));
  p.states = malloc(size);
  memcpy(p.states, states, size);
  tg_arena_restore(tg_workspace_arena(workspace), mark);
  return p;
}

static void free_pass(pass *p) {
  tg_prompt_free(&p->prompt);
  free(p->states);
}

static void assert_near(const float *a, const float *b, size_t n, double limit) {
  double worst = 0;
  for (size_t i = 0; i < n; i++) worst = fmax(worst, fabs((double)a[i] - (double)b[i]));
  if (!(worst <= limit)) fail_msg("states differ by %.3g, at most %.3g expected", worst, limit);
}

/* One masked pass = prefix pass + suffix pass over the gist's K and V. */
static void one_pass_is_two(void **state) {
  fixture *f = *state;
  t5gist_error err;
  const tg_t5 *t5 = f->model->t5;
  const size_t d = (size_t)t5->config.d_model;
  tg_workspace *workspace;
  CHECK_OK(tg_workspace_new(t5->engine, &workspace, &err));
  for (int i = 0; i < N_INPUTS; i++) {
    const int k = 1 + 2 * i;
    pass whole = masked_pass(t5, workspace, T5GIST_GIST, TASKS[i % N_TASKS], k, INPUTS[i]);
    const int n_prefix = whole.prompt.n_task + k, n_input = whole.prompt.n_input;
    t5gist_gist *gist;
    CHECK_OK(tg_gist_encode(f->model, workspace, TASKS[i % N_TASKS], k, &gist, &err));
    assert_near(gist->states, whole.states + (size_t)whole.prompt.n_task * d, (size_t)k * d, f->limit->states);
    const tg_encoder_sequence suffix = {
        .ids = whole.prompt.ids.ids + n_prefix, .n = n_input, .prefix_k = gist->enc_k, .prefix_v = gist->enc_v, .n_prefix = k};
    float *states;
    const tg_arena_mark mark = tg_arena_save(tg_workspace_arena(workspace));
    CHECK_OK(tg_encode(t5, workspace, &suffix, 1, &states, &err));
    assert_near(states, whole.states + (size_t)n_prefix * d, (size_t)n_input * d, f->limit->states);
    tg_arena_restore(tg_workspace_arena(workspace), mark);
    t5gist_gist_free(gist);
    free_pass(&whole);
  }
  tg_workspace_free(workspace);
}

/* In one masked pass the states of task and gist are the same bits whatever the input (of equal length, so that sums run alike), where they may not
 * see it. */
static void prefix_ignores_the_input(void **state) {
  fixture *f = *state;
  t5gist_error err;
  const tg_t5 *t5 = f->model->t5;
  const size_t d = (size_t)t5->config.d_model;
  tg_workspace *workspace;
  CHECK_OK(tg_workspace_new(t5->engine, &workspace, &err));
  for (int c = 0; c < T5GIST_FULL; c++) {
    pass a = masked_pass(t5, workspace, (t5gist_condition)c, TASKS[0], 3, "one two three four"),
         b = masked_pass(t5, workspace, (t5gist_condition)c, TASKS[0], 3, "one two six four");
    assert_int_equal(a.mask.n, b.mask.n);
    const size_t prefix = (size_t)(a.prompt.n_task + a.prompt.n_gist) * d;
    const bool same = memcmp(a.states, b.states, prefix * sizeof(float)) == 0;
    assert_int_equal(same, c != T5GIST_POS_CONTROL);
    assert_true(memcmp(a.states + prefix, b.states + prefix, (size_t)a.prompt.n_input * d * sizeof(float)) != 0);
    free_pass(&a);
    free_pass(&b);
  }
  tg_workspace_free(workspace);
}

/* Logits of the first decoding step over the rows that the mask lets the decoder see; caller frees. */
static float *first_logits(const tg_t5 *t5, tg_workspace *workspace, const pass *p) {
  t5gist_error err;
  tg_memory memory = {0};
  tg_cache cache = {0};
  const tg_arena_mark mark = tg_arena_save(tg_workspace_arena(workspace));
  const size_t d = (size_t)t5->config.d_model, vocab = (size_t)t5->config.vocab_size;
  float *rows, *logits, *copy = malloc(vocab * sizeof *copy);
  CHECK_OK(tg_arena_take(tg_workspace_arena(workspace), &rows, tg_linear_rows((size_t)p->mask.n) * d, sizeof *rows, &err));
  memcpy(rows, p->states, (size_t)p->mask.n * d * sizeof *rows);
  const tg_memory_part part = {.memory = &memory, .begin = p->mask.cross.begin, .n = p->mask.cross.end - p->mask.cross.begin};
  CHECK_OK(tg_memory_project(t5, workspace, rows, &part, 1, &err));
  CHECK_OK(tg_cache_reserve(t5, &cache, 1, &err));
  const int32_t start = t5->config.start_id;
  const tg_decoder_sequence sequence = {.ids = &start, .n = 1, .cache = &cache, .memory = &memory};
  CHECK_OK(tg_decode(t5, workspace, &sequence, 1, &logits, &err));
  memcpy(copy, logits, vocab * sizeof *copy);
  tg_arena_restore(tg_workspace_arena(workspace), mark);
  tg_memory_free(&memory);
  tg_cache_free(&cache);
  return copy;
}

/* Changing the task's final states changes no logit under gist and neg_control; changing the gist's changes them under gist only of the two. */
static void decoder_never_sees_the_task(void **state) {
  fixture *f = *state;
  t5gist_error err;
  const tg_t5 *t5 = f->model->t5;
  const size_t d = (size_t)t5->config.d_model, size = (size_t)t5->config.vocab_size * sizeof(float);
  tg_workspace *workspace;
  CHECK_OK(tg_workspace_new(t5->engine, &workspace, &err));
  for (int c = 0; c < T5GIST_FULL; c++) {
    pass p = masked_pass(t5, workspace, (t5gist_condition)c, TASKS[0], 2, INPUTS[0]);
    const size_t task = (size_t)p.prompt.n_task * d, gist = (size_t)p.prompt.n_gist * d;
    float *before = first_logits(t5, workspace, &p);
    for (size_t i = 0; i < task; i++) p.states[i] = 1.0f - p.states[i];
    float *other_task = first_logits(t5, workspace, &p);
    for (size_t i = task; i < task + gist; i++) p.states[i] = 1.0f - p.states[i];
    float *other_gist = first_logits(t5, workspace, &p);
    assert_int_equal(memcmp(before, other_task, size) == 0, c == T5GIST_GIST || c == T5GIST_NEG_CONTROL);
    assert_int_equal(memcmp(other_task, other_gist, size) == 0, c == T5GIST_NEG_CONTROL);
    free(before);
    free(other_task);
    free(other_gist);
    free_pass(&p);
  }
  tg_workspace_free(workspace);
}

/* A decoder deeper than its encoder: no reference can do it, so its own ways must agree. */
static void decoder_deeper_than_encoder(void **state) {
  fixture *f = *state;
  t5gist_error err;
  t5gist_model *model;
  t5gist_model_info info;
  t5gist_session *session;
  t5gist_gist *gist;
  t5gist_request requests[2 * N_INPUTS];
  CHECK_OK(t5gist_model_open(f->deep_dir, NULL, &model, &err));
  t5gist_model_describe(model, &info);
  assert_int_equal(info.n_layers, 1);
  assert_int_equal(info.n_decoder_layers, 2);
  CHECK_OK(t5gist_session_new(model, &session, &err));
  CHECK_OK(t5gist_encode(session, TASKS[0], 2, &gist, &err));
  for (int i = 0; i < N_INPUTS; i++) {
    requests[2 * i] = ask(T5GIST_GIST, TASKS[0], NULL, 2, INPUTS[i]);
    requests[2 * i + 1] = ask(T5GIST_GIST, NULL, gist, T5GIST_UNSET, INPUTS[i]);
  }
  t5gist_answer *alone = answers_of(model, requests, 2 * N_INPUTS, ALONE), *together = answers_of(model, requests, 2 * N_INPUTS, TOGETHER);
  for (int i = 0; i < 2 * N_INPUTS; i++) assert_same_answer(&alone[i], &together[i], f->limit->same_logprob);
  for (int i = 0; i < N_INPUTS; i++) assert_same_answer(&alone[2 * i], &alone[2 * i + 1], 0);
  assert_true(different_answers(&alone[0], &alone[2]));
  free_answers(alone, 2 * N_INPUTS);
  free_answers(together, 2 * N_INPUTS);
  t5gist_gist_free(gist);
  t5gist_session_free(session);
  t5gist_model_close(model);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(gist_from_anywhere),
      cmocka_unit_test(gist_ignores_everything_but_its_task),
      cmocka_unit_test(answer_ignores_the_task_of_a_gist),
      cmocka_unit_test(only_neg_control_ignores_task_and_gist),
      cmocka_unit_test(mates_and_order_change_nothing),
      cmocka_unit_test(two_passes_answer_as_one),
      cmocka_unit_test(threads_change_nothing),
      cmocka_unit_test(one_pass_is_two),
      cmocka_unit_test(prefix_ignores_the_input),
      cmocka_unit_test(decoder_never_sees_the_task),
      cmocka_unit_test(decoder_deeper_than_encoder),
  };
  return cmocka_run_group_tests(tests, set_up, tear_down);
}
