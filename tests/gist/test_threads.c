/* One model and its gists, four threads with a session each: the answers are those of one thread, bit for bit. Two compute threads
 * per session, which the thread sanitizer sees. */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "support.h"
#include "tests/support/folder.h"

enum { SEED = 13, N_THREADS = 4, ROUNDS = 3, N_REQUESTS = 5, NEW_TOKENS = 6 };
static const char TASK[] = "Translate the sentence to German.";
static const char *const INPUTS[N_REQUESTS] = {"The house is small.", "a", "We waited forty minutes.", "3 17 8 99", "water"};

typedef struct work {
  const t5gist_model *model;
  const t5gist_gist *gist; /* shared, in memory */
  const char *path;        /* the same in a file */
  t5gist_answer expected[N_REQUESTS];
  char failure[1200]; /* cmocka's own checks are for the main thread */
} work;

static void make_requests(const work *w, const t5gist_gist *gist, t5gist_request requests[N_REQUESTS]) {
  for (int i = 0; i < N_REQUESTS; i++) {
    t5gist_request *r = &requests[i];
    t5gist_request_init(r);
    r->input = INPUTS[i];
    r->options.max_new_tokens = NEW_TOKENS;
    if (i < 2)
      r->gist = i == 0 ? w->gist : gist;
    else
      r->task = TASK;
    if (i == 3) r->condition = T5GIST_POS_CONTROL;
    if (i == 4) r->options.beams = 2;
    r->gists = 2;
  }
}

static bool same(const t5gist_answer *a, const t5gist_answer *b) {
  return a->error.status == T5GIST_OK && a->n_tokens == b->n_tokens && memcmp(a->tokens, b->tokens, (size_t)a->n_tokens * sizeof *a->tokens) == 0 &&
         memcmp(a->logprobs, b->logprobs, (size_t)a->n_tokens * sizeof *a->logprobs) == 0 && strcmp(a->text, b->text) == 0;
}

/* One request at a time, so that every pass has the shapes of the expected answers. */
static t5gist_status run_round(work *w, t5gist_session *session, t5gist_error *err) {
  t5gist_gist *gist = NULL;
  t5gist_request requests[N_REQUESTS];
  t5gist_status status = t5gist_gist_open(w->model, w->path, &gist, err);
  if (status != T5GIST_OK) return status;
  make_requests(w, gist, requests);
  for (int i = 0; i < N_REQUESTS && status == T5GIST_OK; i++) {
    t5gist_answer answer;
    status = t5gist_generate(session, &requests[i], 1, &answer, err);
    if (status != T5GIST_OK) break;
    if (!same(&answer, &w->expected[i]))
      snprintf(w->failure, sizeof w->failure, "request %d: %s", i, answer.error.status ? answer.error.message : answer.text);
    t5gist_answer_clear(&answer);
  }
  t5gist_gist_free(gist);
  return status;
}

static void *run_thread(void *user) {
  work *w = user;
  t5gist_error err = {0};
  t5gist_session *session;
  t5gist_status status = t5gist_session_new(w->model, &session, &err);
  if (status == T5GIST_OK) {
    for (int round = 0; round < ROUNDS && status == T5GIST_OK; round++) status = run_round(w, session, &err);
    t5gist_session_free(session);
  }
  if (status != T5GIST_OK) snprintf(w->failure, sizeof w->failure, "%s", err.message);
  return NULL;
}

static void four_threads_share_a_model(void **state) {
  t5gist_error err;
  t5gist_model *model;
  t5gist_session *session;
  t5gist_gist *gist;
  t5gist_model_options options;
  t5gist_request requests[N_REQUESTS];
  work first = {0};
  (void)state;
  char *dir = make_model("tiny", "flan", SEED, T5GIST_UNSET, NULL);
  t5gist_model_options_init(&options);
  options.threads = 2;
  CHECK_OK(t5gist_model_open(dir, &options, &model, &err));
  CHECK_OK(t5gist_session_new(model, &session, &err));
  CHECK_OK(t5gist_encode(session, TASK, 2, &gist, &err));
  char *path = strdup(folder_path(dir, "task.gist"));
  CHECK_OK(t5gist_gist_save(gist, path, T5GIST_PAYLOAD_F32, false, &err));

  first = (work){.model = model, .gist = gist, .path = path};
  make_requests(&first, gist, requests);
  for (int i = 0; i < N_REQUESTS; i++) CHECK_OK(t5gist_generate(session, &requests[i], 1, &first.expected[i], &err));

  pthread_t threads[N_THREADS];
  work works[N_THREADS];
  for (int i = 0; i < N_THREADS; i++) {
    works[i] = first;
    assert_int_equal(pthread_create(&threads[i], NULL, run_thread, &works[i]), 0);
  }
  for (int i = 0; i < N_THREADS; i++) assert_int_equal(pthread_join(threads[i], NULL), 0);
  for (int i = 0; i < N_THREADS; i++) assert_string_equal(works[i].failure, "");

  for (int i = 0; i < N_REQUESTS; i++) t5gist_answer_clear(&first.expected[i]);
  t5gist_gist_free(gist);
  t5gist_session_free(session);
  t5gist_model_close(model);
  free(path);
  folder_remove(dir);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(four_threads_share_a_model)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
