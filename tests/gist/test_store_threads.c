/* Many threads, a session each, share one model and one store too small for their tasks: every answer is that of a thread alone without a store, bit
 * for bit. One compute thread per session, so that the thread sanitizer sees every thread there is. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "support.h"
#include "tests/support/folder.h"

enum { SEED = 5, N_THREADS = 24, ROUNDS = 2, N_TASKS = 6, NEW_TOKENS = 3 };
static const char *const TASKS[N_TASKS] = {"Translate.",     "Summarize the text.", "Sort the numbers.",
                                           "Name the city.", "Is it true?",         "Write the date."};

typedef struct work {
  const t5gist_model *model;
  t5gist_store *store;
  const t5gist_answer *expected; /* [N_TASKS] */
  int place;
  char failure[1200]; /* cmocka's own checks are for the main thread */
} work;
static atomic_int n_notes, n_found;

static void on_note(void *user, const char *message) {
  (void)user, (void)message;
  atomic_fetch_add(&n_notes, 1);
}

static t5gist_status ask(t5gist_session *session, int task, t5gist_answer *answer, t5gist_error *err) {
  t5gist_request request;
  t5gist_request_init(&request);
  request.task = TASKS[task];
  request.input = "water";
  request.gists = 2;
  request.options.max_new_tokens = NEW_TOKENS;
  return t5gist_generate(session, &request, 1, answer, err);
}

static bool same(const t5gist_answer *a, const t5gist_answer *b) {
  return a->error.status == T5GIST_OK && a->n_tokens == b->n_tokens && memcmp(a->tokens, b->tokens, (size_t)a->n_tokens * sizeof *a->tokens) == 0 &&
         memcmp(a->logprobs, b->logprobs, (size_t)a->n_tokens * sizeof *a->logprobs) == 0;
}

/* A session of its own, so that nothing is in its memory. */
static t5gist_status run_round(work *w, int round, t5gist_error *err) {
  t5gist_session *session;
  t5gist_status status = t5gist_session_new(w->model, &session, err);
  if (status != T5GIST_OK) return status;
  status = t5gist_session_use_store(session, w->store, err);
  for (int i = 0; i < N_TASKS && status == T5GIST_OK; i++) {
    const int task = (w->place + round + i) % N_TASKS;
    t5gist_answer answer;
    status = ask(session, task, &answer, err);
    if (status != T5GIST_OK) break;
    if (!same(&answer, &w->expected[task]))
      snprintf(w->failure, sizeof w->failure, "task %d: %s", task, answer.error.status ? answer.error.message : "another answer");
    if (answer.gist_source == T5GIST_SOURCE_STORE) atomic_fetch_add(&n_found, 1);
    t5gist_answer_clear(&answer);
  }
  t5gist_session_free(session);
  return status;
}

static void *run_thread(void *user) {
  work *w = user;
  t5gist_error err = {0};
  for (int round = 0; round < ROUNDS; round++) {
    if (run_round(w, round, &err) != T5GIST_OK) snprintf(w->failure, sizeof w->failure, "%s", err.message);
  }
  return NULL;
}

/* Answers without a store; returns the bytes of one task's entry. */
static uint64_t prepare(t5gist_model *model, const char *dir, t5gist_answer expected[N_TASKS]) {
  t5gist_error err;
  t5gist_session *session;
  t5gist_store *store;
  t5gist_store_state state;
  t5gist_answer answer;
  CHECK_OK(t5gist_session_new(model, &session, &err));
  for (int i = 0; i < N_TASKS; i++) CHECK_OK(ask(session, i, &expected[i], &err));
  t5gist_forget_gists(session);
  CHECK_OK(t5gist_store_open(dir, NULL, &store, &err));
  CHECK_OK(t5gist_session_use_store(session, store, &err));
  CHECK_OK(ask(session, 0, &answer, &err));
  t5gist_answer_clear(&answer);
  CHECK_OK(t5gist_store_examine(store, &state, &err));
  t5gist_session_free(session);
  t5gist_store_close(store);
  return state.bytes;
}

static void threads_share_a_store(void **state) {
  (void)state;
  t5gist_error err;
  t5gist_model *model;
  t5gist_model_options options;
  t5gist_answer expected[N_TASKS];
  t5gist_store_state left;
  char *dir = make_model("tiny", "flan", SEED, T5GIST_UNSET, NULL);
  char *place = strdup(folder_path(dir, "store"));
  t5gist_model_options_init(&options);
  options.threads = 1;
  CHECK_OK(t5gist_model_open(dir, &options, &model, &err));
  const t5gist_store_options store_options = {.budget = 4 * prepare(model, place, expected), .on_note = on_note};
  t5gist_store *store;
  CHECK_OK(t5gist_store_open(place, &store_options, &store, &err));
  pthread_t threads[N_THREADS];
  static work works[N_THREADS];
  for (int i = 0; i < N_THREADS; i++) {
    works[i] = (work){.model = model, .store = store, .expected = expected, .place = i};
    assert_int_equal(pthread_create(&threads[i], NULL, run_thread, &works[i]), 0);
  }
  for (int i = 0; i < N_THREADS; i++) assert_int_equal(pthread_join(threads[i], NULL), 0);
  for (int i = 0; i < N_THREADS; i++) assert_string_equal(works[i].failure, "");
  assert_int_equal(n_notes, 0);
  assert_true(n_found > 0);
  CHECK_OK(t5gist_store_verify(store, stdout, &left, &err));
  assert_true(left.damaged == 0 && left.bytes <= store_options.budget && left.strays == 0);
  for (int i = 0; i < N_TASKS; i++) t5gist_answer_clear(&expected[i]);
  t5gist_store_close(store);
  t5gist_model_close(model);
  free(place);
  folder_remove(dir);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(threads_share_a_store)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
