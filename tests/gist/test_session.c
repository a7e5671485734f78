/* The scheduler: requests in one call or submitted one by one, shared gists, errors of one and not of the others, scoring in pieces. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gist/session.h"
#include "runtime/kernels.h"
#include "support.h"
#include "t5gist/tools.h"
#include "tests/support/folder.h"
#include "tests/support/tolerance.h"

enum { SEED = 31, NEW_TOKENS = 6 };
static const char *const TASKS[] = {"Translate the sentence to German.", "Count the words, then give the last one."};
static const char *const INPUTS[] = {"The house is small.", "a", "We waited forty minutes for a cold soup.", "3 17 8 99"};
enum { N_INPUTS = 4 };

static char *dir;
static t5gist_model *model;

static int set_up(void **state) {
  t5gist_error err;
  (void)state;
  dir = make_model("tiny", "flan", SEED, T5GIST_UNSET, NULL);
  CHECK_OK(t5gist_model_open(dir, NULL, &model, &err));
  return 0;
}

static int tear_down(void **state) {
  (void)state;
  t5gist_model_close(model);
  folder_remove(dir);
  return 0;
}

static t5gist_session *new_session(void) {
  t5gist_error err;
  t5gist_session *session;
  CHECK_OK(t5gist_session_new(model, &session, &err));
  return session;
}

static t5gist_request ask(t5gist_condition condition, const char *task, const char *input) {
  t5gist_request request;
  t5gist_request_init(&request);
  request.condition = condition;
  request.task = task;
  request.input = input;
  request.gists = 2;
  request.options.max_new_tokens = NEW_TOKENS;
  request.options.top_logprobs = 2;
  return request;
}

static t5gist_answer answer_alone(const t5gist_request *request) {
  t5gist_error err;
  t5gist_answer answer;
  t5gist_session *session = new_session();
  CHECK_OK(t5gist_generate(session, request, 1, &answer, &err));
  t5gist_session_free(session);
  return answer;
}

static void expect_same(const t5gist_answer *a, const t5gist_answer *b) {
  const tolerance *limit = tolerance_of("tiny");
  assert_int_equal(a->error.status, T5GIST_OK);
  for (int i = 0; i < a->n_tokens && i < b->n_tokens; i++) {
    if (a->tokens[i] != b->tokens[i]) {
      if (a->top_logprobs && (double)(a->top_logprobs[i * a->n_top].logprob - a->top_logprobs[i * a->n_top + 1].logprob) < limit->tie) return;
      fail_msg("token %d: %d and %d", i, a->tokens[i], b->tokens[i]);
    }
    assert_true(fabs((double)a->logprobs[i] - (double)b->logprobs[i]) <= limit->same_logprob);
  }
  assert_int_equal(a->n_tokens, b->n_tokens);
  assert_string_equal(a->text, b->text);
}

static void clear_all(t5gist_answer *answers, size_t n) {
  for (size_t i = 0; i < n; i++) t5gist_answer_clear(&answers[i]);
}

/* ----------------------------------------------------------------------------------------------------------------------------- sharing */

static void one_task_is_compressed_once(void **state) {
  t5gist_error err;
  t5gist_answer answers[4];
  (void)state;
  t5gist_session *session = new_session();
  t5gist_request requests[] = {ask(T5GIST_GIST, TASKS[0], INPUTS[0]), ask(T5GIST_GIST, TASKS[0], INPUTS[1]), ask(T5GIST_GIST, TASKS[1], INPUTS[0]),
                               ask(T5GIST_GIST, TASKS[0], INPUTS[0])};
  requests[3].gists = 3;                    /* another k is another gist */
  for (int round = 0; round < 2; round++) { /* the second call finds what the first compressed */
    CHECK_OK(t5gist_generate(session, requests, 4, answers, &err));
    const bool cached[] = {round > 0, true, round > 0, round > 0};
    for (int i = 0; i < 4; i++) {
      assert_int_equal(answers[i].error.status, T5GIST_OK);
      assert_int_equal(answers[i].gist_cached, cached[i]);
      assert_int_equal(answers[i].gist_source, cached[i] ? T5GIST_SOURCE_MEMORY : T5GIST_SOURCE_ENCODED);
      assert_true(cached[i] ? answers[i].timings.encode_prefix == 0 : answers[i].timings.encode_prefix > 0);
      t5gist_answer alone = answer_alone(&requests[i]);
      expect_same(&alone, &answers[i]);
      assert_int_equal(alone.n_task, answers[i].n_task);
      assert_int_equal(alone.n_gist, answers[i].n_gist);
      assert_int_equal(alone.n_input, answers[i].n_input);
      t5gist_answer_clear(&alone);
    }
    clear_all(answers, 4);
    assert_int_equal(session->share.n_kept, 3);
  }
  t5gist_forget_gists(session);
  for (int b = 0; b < TG_SHARE_BUCKETS; b++) assert_null(session->share.buckets[b]);
  t5gist_session_free(session);
}

/* Asks for the task numbered so; whether its gist was there. */
static bool finds_gist(t5gist_session *session, int number, int gists) {
  t5gist_error err;
  t5gist_answer answer;
  char task[32];
  snprintf(task, sizeof task, "Write %d times:", number);
  t5gist_request request = ask(T5GIST_GIST, task, INPUTS[1]);
  request.gists = gists;
  request.options.max_new_tokens = 1;
  CHECK_OK(t5gist_generate(session, &request, 1, &answer, &err));
  assert_int_equal(answer.error.status, T5GIST_OK);
  const bool found = answer.gist_cached;
  assert_int_equal(answer.gist_source, found ? T5GIST_SOURCE_MEMORY : T5GIST_SOURCE_ENCODED);
  t5gist_answer_clear(&answer);
  return found;
}

/* Of more gists than are kept those go that were used longest ago. */
static void few_gists_are_kept(void **state) {
  enum { MORE = 6, LARGE = 1024, MANY = 40 };
  (void)state;
  t5gist_session *session = new_session();
  for (int i = 0; i < TG_SHARE_KEPT; i++) assert_false(finds_gist(session, i, 1));
  assert_true(finds_gist(session, 0, 1)); /* and is now the newest */
  for (int i = 0; i < MORE; i++) assert_false(finds_gist(session, TG_SHARE_KEPT + i, 1));
  assert_int_equal(session->share.n_kept, TG_SHARE_KEPT);
  assert_true(finds_gist(session, 0, 1));
  assert_true(finds_gist(session, MORE + 1, 1));
  assert_false(finds_gist(session, MORE, 1)); /* the last that had to go */
  const size_t small = session->share.bytes_kept / TG_SHARE_KEPT;
  for (int i = 0; i < MANY; i++) assert_false(finds_gist(session, i, LARGE));
  assert_true(session->share.bytes_kept <= TG_SHARE_KEPT_BYTES && session->share.bytes_kept > TG_SHARE_KEPT_BYTES - LARGE * small);
  assert_int_equal(session->share.n_kept, TG_SHARE_KEPT_BYTES / (LARGE * small));
  assert_true(finds_gist(session, MANY - 1, LARGE));
  assert_false(finds_gist(session, 0, LARGE));
  t5gist_session_free(session);
}

static void answers_tell_what_they_took(void **state) {
  t5gist_error err;
  t5gist_answer answers[T5GIST_N_CONDITIONS + 1];
  t5gist_request requests[T5GIST_N_CONDITIONS + 1];
  (void)state;
  t5gist_session *session = new_session();
  for (int c = 0; c < T5GIST_N_CONDITIONS; c++) requests[c] = ask((t5gist_condition)c, TASKS[0], INPUTS[0]);
  requests[T5GIST_N_CONDITIONS] = ask(T5GIST_GIST, NULL, INPUTS[0]);
  requests[T5GIST_N_CONDITIONS].raw = true;
  CHECK_OK(t5gist_generate(session, requests, T5GIST_N_CONDITIONS + 1, answers, &err));
  for (int c = 0; c <= T5GIST_N_CONDITIONS; c++) {
    const t5gist_answer *a = &answers[c];
    const bool raw = c == T5GIST_N_CONDITIONS;
    assert_int_equal(a->error.status, T5GIST_OK);
    assert_int_equal(a->condition, raw ? T5GIST_FULL : c);
    assert_int_equal(a->n_gist, raw || c == T5GIST_FULL ? 0 : 2);
    if (raw)
      assert_int_equal(a->n_task, 0);
    else
      assert_int_equal(a->n_task, answers[0].n_task);
    assert_true(raw ? a->n_input < answers[0].n_input : a->n_input == answers[0].n_input);
    assert_int_equal(a->gist_source, c == T5GIST_GIST ? T5GIST_SOURCE_ENCODED : T5GIST_SOURCE_NONE);
    assert_false(a->gist_cached);
    const t5gist_timings *t = &a->timings;
    const double parts = t->tokenize + t->encode_prefix + t->encode_input + t->cross_kv + t->first_token + t->decode;
    assert_true(t->tokenize > 0 && t->encode_input > 0 && t->cross_kv > 0 && t->first_token > 0 && parts <= t->total);
  }
  clear_all(answers, T5GIST_N_CONDITIONS + 1);
  t5gist_session_free(session);
}

/* Condition gist and neg_control in two ways: as they run, and as one masked pass over everything. */
static void split_is_one_pass(void **state) {
  t5gist_error err;
  (void)state;
  t5gist_session *split = new_session(), *whole = new_session();
  whole->one_pass = true;
  const t5gist_condition conditions[] = {T5GIST_GIST, T5GIST_NEG_CONTROL};
  const char *const tasks[] = {TASKS[0], TASKS[1], ""}, *const inputs[] = {INPUTS[0], INPUTS[2], ""};
  for (int i = 0; i < 18; i++) {
    t5gist_request request = ask(conditions[i % 2], tasks[i / 2 % 3], inputs[i / 6]);
    if (i / 2 % 3 == 2 && i / 6 == 2) continue; /* both empty */
    t5gist_answer a, b;
    CHECK_OK(t5gist_generate(split, &request, 1, &a, &err));
    CHECK_OK(t5gist_generate(whole, &request, 1, &b, &err));
    expect_same(&a, &b);
    assert_int_equal(a.n_task, b.n_task);
    assert_int_equal(a.n_gist, b.n_gist);
    assert_int_equal(a.n_input, b.n_input);
    t5gist_answer_clear(&a);
    t5gist_answer_clear(&b);
  }
  t5gist_session_free(split);
  t5gist_session_free(whole);
}

/* -------------------------------------------------------------------------------------------------------------------------- step by step */

typedef struct inbox {
  t5gist_session *session;
  t5gist_answer answers[8];
  int order[8], n;              /* order: which request ended when */
  const t5gist_request *follow; /* submitted from inside the first delivery */
} inbox;
typedef struct slot {
  inbox *to;
  int index;
} slot;

static slot slots[8];

static void deliver(void *user, t5gist_answer *answer) {
  const slot *s = user;
  inbox *in = s->to;
  t5gist_error err;
  in->answers[s->index] = *answer;
  in->order[in->n++] = s->index;
  assert_int_equal(t5gist_step(in->session, &err), T5GIST_EUSAGE); /* not from inside */
  assert_int_equal(t5gist_generate(in->session, NULL, 0, NULL, &err), T5GIST_EUSAGE);
  if (!in->follow) return;
  const t5gist_request *follow = in->follow;
  in->follow = NULL;
  slots[7] = (slot){in, 7};
  CHECK_OK(t5gist_submit(in->session, follow, deliver, &slots[7], &err));
}

static void requests_come_and_go_at_any_step(void **state) {
  t5gist_error err;
  t5gist_request requests[4];
  inbox in = {.session = new_session()};
  (void)state;
  for (int i = 0; i < 4; i++) {
    requests[i] = ask((t5gist_condition)i, TASKS[i % 2], INPUTS[i]);
    requests[i].options.max_new_tokens = requests[i].options.min_new_tokens = i == 0 ? 12 : 2;
    slots[i] = (slot){&in, i};
  }
  in.follow = &requests[3];
  CHECK_OK(t5gist_submit(in.session, &requests[0], deliver, &slots[0], &err));
  assert_int_equal(t5gist_pending(in.session), 1);
  for (int i = 0; i < 3; i++) CHECK_OK(t5gist_step(in.session, &err));
  for (int i = 1; i < 3; i++) CHECK_OK(t5gist_submit(in.session, &requests[i], deliver, &slots[i], &err));
  assert_int_equal(t5gist_pending(in.session), 3);
  assert_int_equal(t5gist_generate(in.session, requests, 1, in.answers, &err), T5GIST_EUSAGE);
  int steps = 3;
  for (; t5gist_pending(in.session) > 0; steps++) CHECK_OK(t5gist_step(in.session, &err));
  assert_int_equal(steps, 12); /* a token a step: mates hold nobody up */
  assert_int_equal(in.n, 4);
  assert_int_equal(in.order[3], 0); /* first come, longest way */
  assert_int_equal(in.order[2], 7);
  for (int i = 0; i < 4; i++) {
    t5gist_answer alone = answer_alone(&requests[i]);
    expect_same(&alone, &in.answers[i == 3 ? 7 : i]);
    t5gist_answer_clear(&alone);
    t5gist_answer_clear(&in.answers[i == 3 ? 7 : i]);
  }
  CHECK_OK(t5gist_step(in.session, &err)); /* nothing to do is fine */
  t5gist_session_free(in.session);
}

static void dropped_with_the_session(void **state) {
  t5gist_error err;
  inbox in = {.session = new_session()};
  (void)state;
  for (int i = 0; i < 3; i++) {
    const t5gist_request request = ask(T5GIST_GIST, TASKS[i % 2], INPUTS[i]);
    slots[i] = (slot){&in, i};
    CHECK_OK(t5gist_submit(in.session, &request, deliver, &slots[i], &err));
    if (i == 1) CHECK_OK(t5gist_step(in.session, &err));
  }
  t5gist_session_free(in.session); /* leak checkers look */
  assert_int_equal(in.n, 0);
}

/* More than fit at a time, of every kind. */
static void a_crowd_is_answered_in_order(void **state) {
  enum { N = 150 };
  t5gist_error err;
  (void)state;
  t5gist_session *session = new_session();
  t5gist_request *requests = calloc(N, sizeof *requests);
  t5gist_answer *answers = calloc(N, sizeof *answers);
  for (int i = 0; i < N; i++) {
    requests[i] = ask((t5gist_condition)(i % T5GIST_N_CONDITIONS), TASKS[i % 2], INPUTS[i % N_INPUTS]);
    if (i % 7 == 0) requests[i].options.beams = 3;
    if (i % 11 == 0) requests[i].targets = INPUTS, requests[i].n_targets = 2;
  }
  CHECK_OK(t5gist_generate(session, requests, N, answers, &err));
  assert_int_equal(session->n_live, 0);
  assert_int_equal(session->live_width, 0);
  assert_int_equal(session->live_bytes, 0);
  for (int i = 0; i < N; i++) {
    assert_int_equal(answers[i].error.status, T5GIST_OK);
    assert_int_equal(answers[i].n_scores, i % 11 == 0 ? 2 : 0);
    if (i % 10 || i % 11 == 0) continue;
    t5gist_answer alone = answer_alone(&requests[i]);
    expect_same(&alone, &answers[i]);
    t5gist_answer_clear(&alone);
  }
  clear_all(answers, N);
  free(answers);
  free(requests);
  t5gist_session_free(session);
}

/* ------------------------------------------------------------------------------------------------------------------------------- errors */

static void errors_stay_with_their_request(void **state) {
  t5gist_error err;
  t5gist_answer answers[6];
  (void)state;
  t5gist_session *session = new_session();
  t5gist_request requests[6];
  for (int i = 0; i < 6; i++) requests[i] = ask(T5GIST_GIST, TASKS[0], INPUTS[0]);
  requests[0].task = requests[0].input = "";
  requests[1].input = "a\x80";
  requests[2].options.max_input_tokens = 4;
  requests[3].gists = 0;
  requests[4].task = "\xe4";
  CHECK_OK(t5gist_generate(session, requests, 6, answers, &err));
  assert_int_equal(answers[0].error.status, T5GIST_EUSAGE);
  assert_int_equal(answers[1].error.status, T5GIST_EFORMAT);
  assert_non_null(strstr(answers[1].error.message, "the input"));
  assert_int_equal(answers[2].error.status, T5GIST_EFORMAT);
  char number[16];
  snprintf(number, sizeof number, "found %d", answers[5].n_input);
  assert_non_null(strstr(answers[2].error.message, "at most 4"));
  assert_non_null(strstr(answers[2].error.message, number));
  assert_int_equal(answers[3].error.status, T5GIST_EUSAGE);
  assert_int_equal(answers[4].error.status, T5GIST_EFORMAT);
  t5gist_answer alone = answer_alone(&requests[5]);
  expect_same(&alone, &answers[5]);
  t5gist_answer_clear(&alone);
  clear_all(answers, 6);
  t5gist_session_free(session);
}

typedef struct listener {
  char text[4096];
  int pieces, stop_after;
} listener;

static bool listen(void *user, const char *text) {
  listener *l = user;
  strncat(l->text, text, sizeof l->text - strlen(l->text) - 1);
  return ++l->pieces != l->stop_after;
}

static void streams_can_be_cancelled(void **state) {
  t5gist_error err;
  t5gist_answer answers[3];
  listener listeners[2] = {{.stop_after = 2}, {.stop_after = 0}};
  (void)state;
  t5gist_session *session = new_session();
  t5gist_request requests[3];
  for (int i = 0; i < 3; i++) {
    requests[i] = ask(T5GIST_GIST, TASKS[0], INPUTS[2]);
    requests[i].options.max_new_tokens = requests[i].options.min_new_tokens = 20;
    if (i < 2) requests[i].on_text = listen, requests[i].user = &listeners[i];
  }
  CHECK_OK(t5gist_generate(session, requests, 3, answers, &err));
  assert_int_equal(answers[0].error.status, T5GIST_ECANCELLED);
  assert_int_equal(answers[1].error.status, T5GIST_OK);
  assert_int_equal(answers[1].n_tokens, 20);
  assert_true(answers[0].n_tokens < 20);
  assert_string_equal(listeners[1].text, answers[1].text); /* what was streamed is what is answered */
  assert_memory_equal(answers[0].tokens, answers[1].tokens, (size_t)answers[0].n_tokens * sizeof(int32_t));
  expect_same(&answers[2], &answers[1]);
  clear_all(answers, 3);
  t5gist_session_free(session);
}

/* ------------------------------------------------------------------------------------------------------------------------------ scoring */

/* The whole target in one decoder pass over the request's memory: what the pieces must add up to. */
static void expect_scores(const t5gist_request *request, const t5gist_target_score *score) {
  t5gist_error err;
  tg_prompt prompt;
  tg_memory memory = {0};
  tg_cache cache = {0};
  float *states, *logits;
  t5gist_session *session = new_session();
  const tg_t5 *t5 = model->t5;
  CHECK_OK(tg_prompt_make(t5, request->task, 2, request->input, false, true, &prompt, &err));
  const tg_mask mask = tg_mask_make(T5GIST_GIST, prompt.n_task, prompt.n_gist, prompt.n_input);
  const tg_encoder_sequence sequence = {.ids = prompt.ids.ids, .n = mask.n, .segments = mask.encoder, .n_segments = mask.n_segments};
  CHECK_OK(tg_encode(t5, session->workspace, &sequence, 1, &states, &err));
  const tg_memory_part part = {.memory = &memory, .begin = mask.cross.begin, .n = mask.cross.end - mask.cross.begin};
  CHECK_OK(tg_memory_project(t5, session->workspace, states, &part, 1, &err));
  CHECK_OK(tg_cache_reserve(t5, &cache, score->n_ids, &err));
  int32_t *fed = calloc((size_t)score->n_ids, sizeof *fed);
  fed[0] = t5->config.start_id;
  memcpy(fed + 1, score->ids, (size_t)(score->n_ids - 1) * sizeof *fed);
  const tg_decoder_sequence all = {.ids = fed, .n = score->n_ids, .cache = &cache, .memory = &memory};
  CHECK_OK(tg_decode(t5, session->workspace, &all, 1, &logits, &err));
  double sum = 0;
  for (int i = 0; i < score->n_ids; i++) {
    const float *row = logits + (size_t)i * (size_t)t5->config.vocab_size;
    const double logprob = (double)(row[score->ids[i]] - tg_logsumexp(row, (size_t)t5->config.vocab_size));
    if (!(fabs(logprob - (double)score->logprobs[i]) <= tolerance_of("tiny")->same_logprob))
      fail_msg("token %d: %g and %g", i, logprob, (double)score->logprobs[i]);
    sum += (double)score->logprobs[i];
  }
  assert_true(fabs(sum - score->logprob) < 1e-9);
  free(fed);
  tg_cache_free(&cache);
  tg_memory_free(&memory);
  tg_prompt_free(&prompt);
  t5gist_session_free(session);
}

static void targets_of_any_length_are_scored(void **state) {
  enum { N = 9 };
  t5gist_error err;
  t5gist_answer answer;
  char long_target[1200] = "", medium[400] = "";
  (void)state;
  for (int i = 0; i < 100; i++) strcat(long_target, i % 3 ? "water " : "house, ");
  for (int i = 0; i < 58; i++) strcat(medium, "water ");
  const char *const targets[N] = {"small", "", medium, long_target, "a b c d e f", "The house is small.", long_target, "Das Haus ist klein.", medium};
  t5gist_session *session = new_session();
  t5gist_request request = ask(T5GIST_GIST, TASKS[0], INPUTS[0]);
  request.targets = targets;
  request.n_targets = N;
  CHECK_OK(t5gist_generate(session, &request, 1, &answer, &err));
  assert_int_equal(answer.error.status, T5GIST_OK);
  assert_int_equal(answer.n_scores, N);
  assert_int_equal(answer.n_tokens, 0);
  assert_int_equal(answer.scores[1].n_ids, 1); /* the end token alone */
  assert_true(answer.scores[2].n_ids < TG_SCORE_ROWS && answer.scores[3].n_ids > 2 * TG_SCORE_ROWS);
  for (int i = 0; i < N; i++) {
    assert_int_equal(answer.scores[i].ids[answer.scores[i].n_ids - 1], 1);
    expect_scores(&request, &answer.scores[i]);
  }
  t5gist_answer_clear(&answer);
  t5gist_session_free(session);
}

/* A head's row in a cache of one layer after the other. */
static unsigned char *cache_row(const tg_t5 *t5, const tg_cache *cache, int head, int row) {
  const size_t row_bytes = tg_memory_row_bytes(t5) / (size_t)(t5->config.n_decoder_layers * 2 * t5->config.n_heads);
  return (unsigned char *)cache->kv + ((size_t)head * (size_t)cache->capacity + (size_t)row) * row_bytes;
}

/* A long answer's cache moves a few times, with what is in it, not at every token. */
static void expect_doubling(const tg_t5 *t5) {
  enum { ROWS = 600, MOVES = 6 };
  const int heads = t5->config.n_decoder_layers * 2 * t5->config.n_heads; /* K's and V's of all layers */
  t5gist_error err;
  tg_cache cache = {0};
  int moves = 0;
  for (int rows = 1; rows <= ROWS; rows++) {
    const int before = cache.capacity;
    CHECK_OK(tg_cache_reserve(t5, &cache, rows, &err));
    assert_true(cache.capacity >= rows);
    moves += cache.capacity != before;
    for (int head = 0; head < heads; head++) *cache_row(t5, &cache, head, rows - 1) = (unsigned char)(head * 31 + rows);
  }
  assert_in_range(moves, 2, MOVES);
  for (int head = 0; head < heads; head++)
    for (int rows = 1; rows <= ROWS; rows++) assert_int_equal(*cache_row(t5, &cache, head, rows - 1), (unsigned char)(head * 31 + rows));
  tg_cache_free(&cache);
}

static t5gist_model *open_as(int dtype) {
  t5gist_error err;
  t5gist_model *opened;
  t5gist_model_options options;
  t5gist_model_options_init(&options);
  options.dtype = dtype;
  CHECK_OK(t5gist_model_open(model->t5->dir, &options, &opened, &err));
  return opened;
}

static void caches_double(void **state) {
  (void)state;
  t5gist_model *narrow = open_as(T5GIST_DTYPE_INT8);
  assert_int_equal(tg_memory_row_bytes(narrow->t5) * 2, tg_memory_row_bytes(model->t5));
  expect_doubling(model->t5);
  expect_doubling(narrow->t5);
  t5gist_model_close(narrow);
}

/* A memory in bf16 is the one in f32 rounded, a gist's rows in front of the input's. */
static void memories_are_rounded(void **state) {
  (void)state;
  enum { ROWS = 7, GIST = 2 };
  static const int dtypes[] = {T5GIST_DTYPE_INT8, T5GIST_DTYPE_BF16};
  for (size_t d = 0; d < 2; d++) {
    t5gist_error err;
    t5gist_model *narrow = open_as(dtypes[d]);
    const tg_t5 *t5 = narrow->t5;
    tg_workspace *workspace;
    CHECK_OK(tg_workspace_new(t5->engine, &workspace, &err));
    const size_t d_kv = (size_t)t5->config.d_kv, layer = (size_t)t5->config.n_heads, heads = (size_t)t5->config.n_decoder_layers * layer;
    float *states = calloc(tg_linear_rows(ROWS) * (size_t)t5->config.d_model, sizeof *states), *all = calloc(2 * heads * ROWS * d_kv, sizeof *all),
          *gist = calloc(2 * heads * GIST * d_kv, sizeof *gist);
    uint16_t *expected = calloc(d_kv, sizeof *expected);
    for (size_t i = 0; i < ROWS * (size_t)t5->config.d_model; i++) states[i] = sinf((float)i);
    CHECK_OK(tg_memory_project_gist(t5, workspace, states, ROWS, all, all + heads * ROWS * d_kv, &err));
    CHECK_OK(tg_memory_project_gist(t5, workspace, states, GIST, gist, gist + heads * GIST * d_kv, &err));
    tg_memory memory = {0};
    const tg_memory_part part = {
        .memory = &memory, .begin = GIST, .n = ROWS - GIST, .gist_k = gist, .gist_v = gist + heads * GIST * d_kv, .n_gist = GIST};
    CHECK_OK(tg_memory_project(t5, workspace, states, &part, 1, &err));
    assert_int_equal(memory.n, ROWS);
    for (size_t half = 0; half < 2; half++)
      for (size_t head = 0; head < heads; head++) /* of all layers */
        for (size_t row = 0; row < ROWS; row++) {
          const size_t place = (head / layer * 2 + half) * layer + head % layer;
          tg_narrow_bf16(all + ((half * heads + head) * ROWS + row) * d_kv, d_kv, expected);
          assert_memory_equal((uint16_t *)memory.kv + (place * ROWS + row) * d_kv, expected, d_kv * sizeof *expected);
        }
    tg_memory_free(&memory);
    tg_workspace_free(workspace);
    free(states), free(all), free(gist), free(expected);
    t5gist_model_close(narrow);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(caches_double),
      cmocka_unit_test(memories_are_rounded),
      cmocka_unit_test(one_task_is_compressed_once),
      cmocka_unit_test(few_gists_are_kept),
      cmocka_unit_test(answers_tell_what_they_took),
      cmocka_unit_test(split_is_one_pass),
      cmocka_unit_test(requests_come_and_go_at_any_step),
      cmocka_unit_test(dropped_with_the_session),
      cmocka_unit_test(a_crowd_is_answered_in_order),
      cmocka_unit_test(errors_stay_with_their_request),
      cmocka_unit_test(streams_can_be_cancelled),
      cmocka_unit_test(targets_of_any_length_are_scored),
  };
  return cmocka_run_group_tests(tests, set_up, tear_down);
}
