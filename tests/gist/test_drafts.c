/* Drafts through the whole engine: greedy answers with guesses are those of plain decoding, alone and in batches, on random models and the bundled
 * one. Log-probabilities may differ as sums do that run over other numbers of rows. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gist/session.h"
#include "support.h"
#include "t5/random.h"
#include "t5gist/tools.h"
#include "tests/support/folder.h"
#include "tests/support/tolerance.h"

enum { N_REQUESTS = 10, ANSWER_TOKENS = 24, MOST_ROUNDS = 4 };
static const char *const TASKS[] = {"Return JSON with the keys name and city.", "What are the last two words?", "Put brackets around the text.",
                                    "Sort the words."};
static const char *const INPUTS[] = {"Anna Berg wants the lamps delivered to Oslo, not to Lyon, and the chairs to Oslo too.",
                                     "the old train leaves the old station", "one two one two one two", "a",
                                     "Please send 17 chairs, 17 lamps and 17 tables to Paul Weber in Lyon."};
static const t5gist_condition CONDITIONS[] = {T5GIST_GIST, T5GIST_FULL, T5GIST_POS_CONTROL, T5GIST_GIST, T5GIST_NEG_CONTROL};
static const char *const STOPS[] = {"o", ", "};

typedef struct fixture {
  char *dirs[2];
  t5gist_model *models[3];
} fixture;

static int set_up(void **state) {
  t5gist_error err;
  fixture *f = calloc(1, sizeof *f);
  f->dirs[0] = make_model("tiny", "flan", 41, T5GIST_UNSET, NULL);
  f->dirs[1] = make_model("tiny", "uneven", 42, T5GIST_UNSET, NULL);
  CHECK_OK(t5gist_model_open(f->dirs[0], NULL, &f->models[0], &err));
  CHECK_OK(t5gist_model_open(f->dirs[1], NULL, &f->models[1], &err));
  CHECK_OK(t5gist_model_open(TEST_SOURCE_DIR "/models/mini", NULL, &f->models[2], &err));
  *state = f;
  return 0;
}

static int tear_down(void **state) {
  fixture *f = *state;
  for (int i = 0; i < 3; i++) t5gist_model_close(f->models[i]);
  for (int i = 0; i < 2; i++) folder_remove(f->dirs[i]);
  free(f);
  return 0;
}

typedef struct stream {
  char text[4096];
} stream;

static bool collect(void *user, const char *text) {
  stream *s = user;
  assert_true(strlen(s->text) + strlen(text) < sizeof s->text);
  strcat(s->text, text);
  return true;
}

/* Random requests of every kind that greedy search knows. */
static void make_requests(uint64_t seed, t5gist_request *requests) {
  for (size_t i = 0; i < N_REQUESTS; i++) {
    const uint64_t dice = tg_random_at(seed, i);
    t5gist_request *r = &requests[i];
    t5gist_request_init(r);
    r->task = TASKS[dice % 4];
    r->input = INPUTS[(dice >> 8) % 5];
    r->condition = CONDITIONS[(dice >> 16) % 5];
    r->gists = 1 + (int)((dice >> 24) % 2);
    r->options.request_key = i;
    r->options.max_new_tokens = (dice >> 28) % 8 == 0 ? 2 : ANSWER_TOKENS - (int)((dice >> 32) % 8);
    r->options.min_new_tokens = (dice >> 36) % 2 ? r->options.max_new_tokens - 1 : 0;
    r->options.no_repeat_ngram_size = (dice >> 40) % 4 == 0 ? 2 : 0;
    r->options.repetition_penalty = (dice >> 44) % 4 == 0 ? 1.2f : 1;
    r->options.top_logprobs = 2;
    r->options.stop = STOPS;
    r->options.n_stop = (dice >> 48) % 4 == 0 ? 2 : 0;
  }
}

static void expect_same(const t5gist_answer *a, const t5gist_answer *b) {
  const tolerance *limit = tolerance_of("tiny");
  assert_int_equal(a->error.status, T5GIST_OK);
  assert_int_equal(b->error.status, T5GIST_OK);
  for (int i = 0; i < a->n_tokens && i < b->n_tokens; i++) {
    const t5gist_alternative *top = a->top_logprobs + 2 * i;
    if (a->tokens[i] != b->tokens[i]) {
      if ((double)(top[0].logprob - top[1].logprob) < limit->tie) return;
      fail_msg("token %d: %d and %d", i, a->tokens[i], b->tokens[i]);
    }
    assert_true(fabs((double)a->logprobs[i] - (double)b->logprobs[i]) <= limit->same_logprob);
    assert_true(fabs((double)top->logprob - (double)b->top_logprobs[2 * i].logprob) <= limit->same_logprob);
  }
  assert_int_equal(a->n_tokens, b->n_tokens);
  assert_int_equal(a->finish, b->finish);
  assert_string_equal(a->text, b->text);
}

/* The requests in calls of `stride`, streamed; what was drafted and accepted is added up. */
static void compare(t5gist_session *session, const t5gist_request *requests, size_t stride, t5gist_answer *plain, int counts[2]) {
  t5gist_error err;
  t5gist_request streamed[N_REQUESTS];
  t5gist_answer answers[N_REQUESTS];
  stream *streams = calloc(N_REQUESTS, sizeof *streams);
  for (size_t i = 0; i < N_REQUESTS; i++) {
    streamed[i] = requests[i];
    streamed[i].on_text = collect;
    streamed[i].user = &streams[i];
  }
  for (size_t i = 0; i < N_REQUESTS; i += stride) {
    const size_t n = N_REQUESTS - i < stride ? N_REQUESTS - i : stride;
    CHECK_OK(t5gist_generate(session, streamed + i, n, answers + i, &err));
  }
  for (size_t i = 0; i < N_REQUESTS; i++) {
    expect_same(&plain[i], &answers[i]);
    assert_string_equal(streams[i].text, answers[i].text);
    assert_in_range(answers[i].n_accepted, 0, answers[i].n_drafted);
    counts[0] += answers[i].n_drafted;
    counts[1] += answers[i].n_accepted;
    t5gist_answer_clear(&answers[i]);
  }
  free(streams);
}

static t5gist_session *new_session(const t5gist_model *model) {
  t5gist_error err;
  t5gist_session *session;
  CHECK_OK(t5gist_session_new(model, &session, &err));
  return session;
}

/* Each source over the same requests, one by one, in small batches and all at once. */
static void compare_sources(const t5gist_model *model, uint64_t seed, int counts[3][2]) {
  static const size_t strides[] = {1, 3, N_REQUESTS};
  static const float ps[] = {0, 0.6f, 1};
  t5gist_error err;
  t5gist_request requests[N_REQUESTS];
  t5gist_answer plain[N_REQUESTS];
  tg_draft_script scripts[N_REQUESTS];
  t5gist_session *session = new_session(model);
  make_requests(seed, requests);
  CHECK_OK(t5gist_generate(session, requests, N_REQUESTS, plain, &err));
  for (size_t s = 0; s < 3; s++) {
    for (int kind = T5GIST_DRAFT_LOOKUP; kind <= T5GIST_DRAFT_RECYCLE; kind++) {
      for (size_t i = 0; i < N_REQUESTS; i++) requests[i].options.draft = kind;
      compare(session, requests, strides[s], plain, counts[kind - T5GIST_DRAFT_LOOKUP]);
    }
    for (size_t i = 0; i < N_REQUESTS; i++) {
      scripts[i] = (tg_draft_script){plain[i].tokens, plain[i].n_tokens, ps[s], seed + i};
      requests[i].options.draft = T5GIST_DRAFT_NONE;
    }
    session->scripts = scripts;
    session->n_scripts = N_REQUESTS;
    for (size_t t = 0; t < 2; t++) {
      int found[2] = {0};
      compare(session, requests, strides[t], plain, found);
      assert_true(found[0] > 0);
      if (ps[s] == 0) assert_int_equal(found[1], 0);
      if (ps[s] == 1) assert_true(found[1] > found[0] / 2);
      counts[2][1] += found[1];
    }
    session->n_scripts = 0;
  }
  for (size_t i = 0; i < N_REQUESTS; i++) {
    assert_int_equal(plain[i].n_drafted, 0);
    t5gist_answer_clear(&plain[i]);
  }
  t5gist_session_free(session);
}

static void answers_are_those_of_plain_decoding(void **state) {
  fixture *f = *state;
  int counts[3][2] = {{0}};
  for (int m = 0; m < 3; m++)
    for (uint64_t round = 0; round < MOST_ROUNDS; round++) compare_sources(f->models[m], 100 * (uint64_t)m + round, counts);
  for (int source = 0; source < 3; source++) assert_true(counts[source][1] > 20);
}

/* With many requests under way guesses would only take rows from others. */
static void full_batches_do_not_guess(void **state) {
  fixture *f = *state;
  t5gist_error err;
  t5gist_request requests[2 * N_REQUESTS];
  t5gist_answer answers[2 * N_REQUESTS];
  t5gist_session *session = new_session(f->models[2]);
  make_requests(7, requests);
  make_requests(8, requests + N_REQUESTS);
  for (int i = 0; i < 2 * N_REQUESTS; i++) {
    requests[i].options.draft = T5GIST_DRAFT_LOOKUP;
    requests[i].options.max_new_tokens = requests[i].options.min_new_tokens = 8;
    requests[i].options.n_stop = 0;
  }
  CHECK_OK(t5gist_generate(session, requests, 2 * N_REQUESTS, answers, &err));
  for (int i = 0; i < 2 * N_REQUESTS; i++) {
    assert_int_equal(answers[i].error.status, T5GIST_OK);
    assert_int_equal(answers[i].n_drafted, 0);
    t5gist_answer_clear(&answers[i]);
  }
  t5gist_session_free(session);
}

/* What was answered once is guessed whole the second time. */
static void recycling_remembers(void **state) {
  fixture *f = *state;
  t5gist_error err;
  t5gist_answer answers[2];
  t5gist_session *session = new_session(f->models[2]);
  t5gist_request request;
  t5gist_request_init(&request);
  request.task = TASKS[0];
  request.input = INPUTS[0];
  request.options.draft = T5GIST_DRAFT_RECYCLE;
  for (int i = 0; i < 2; i++) CHECK_OK(t5gist_generate(session, &request, 1, &answers[i], &err));
  assert_string_equal(answers[0].text, answers[1].text);
  assert_true(answers[1].n_accepted > answers[0].n_accepted);
  assert_true(answers[1].n_accepted > answers[1].n_tokens / 2);
  for (int i = 0; i < 2; i++) t5gist_answer_clear(&answers[i]);
  t5gist_session_free(session);
}

static void drafts_are_for_greedy_search(void **state) {
  fixture *f = *state;
  t5gist_error err;
  t5gist_options o;
  for (int draft = T5GIST_UNSET; draft <= T5GIST_DRAFT_RECYCLE + 1; draft++) {
    const bool known = draft >= T5GIST_DRAFT_NONE && draft <= T5GIST_DRAFT_RECYCLE, on = draft > T5GIST_DRAFT_NONE;
    for (int how = 0; how < 3; how++) { /* greedy, beams, sampling */
      t5gist_options_init(&o);
      o.draft = draft;
      if (how == 1) o.beams = 2;
      if (how == 2) o.temperature = 1;
      const t5gist_status status = t5gist_options_resolve(f->models[2], &o, &err);
      const bool allowed = draft == T5GIST_UNSET || (known && (!on || how == 0));
      assert_int_equal(status, allowed ? T5GIST_OK : T5GIST_EUSAGE);
      if (!allowed) assert_non_null(strstr(err.message, "draft"));
      if (allowed) assert_int_equal(o.draft, on ? draft : T5GIST_DRAFT_NONE);
      if (allowed) assert_int_equal(t5gist_options_resolve(f->models[2], &o, &err), T5GIST_OK); /* twice is once */
    }
  }
  assert_string_equal(t5gist_draft_name(T5GIST_DRAFT_LOOKUP), "lookup");
  assert_null(t5gist_draft_name((t5gist_draft)3));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(answers_are_those_of_plain_decoding),
      cmocka_unit_test(full_batches_do_not_guess),
      cmocka_unit_test(recycling_remembers),
      cmocka_unit_test(drafts_are_for_greedy_search),
  };
  return cmocka_run_group_tests(tests, set_up, tear_down);
}
