/* A warm session stays as large as it is: a thousand requests more of kinds that it has seen take no memory that is not given back. */
#include <stdio.h>
#include <unistd.h>

#include "support.h"
#include "t5gist/tools.h"
#include "tests/support/folder.h"
#include "tests/support/resident.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED true
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED true
#endif
#endif
#ifndef SANITIZED
#define SANITIZED false
#endif

enum { SEED = 17, KINDS = 10, WARM_ROUNDS = 20, ROUNDS = 100, ROOM = 1 << 20 }; /* ROOM: bytes that the allocator may still come to hold; one KB a request */

/* Conditions, sizes and searches in turn. */
static t5gist_request request_of_kind(int kind) {
  static const char *const inputs[] = {"The house is small.", "a", "We waited forty minutes for a cold soup and nobody came.", "3 17 8 99", "red lamp"};
  t5gist_request request;
  t5gist_request_init(&request);
  request.condition = kind % 3 == 0 ? T5GIST_FULL : T5GIST_GIST;
  request.task = kind % 2 ? "Translate the sentence to German." : "Count the words, then give the last one.";
  request.input = inputs[kind % 5];
  request.gists = 1 + kind % 3;
  request.options.max_new_tokens = 2 + kind % 4;
  request.options.beams = kind % 4 == 1 ? 3 : 1;
  request.options.temperature = kind % 4 == 2 ? 1.0f : 0;
  request.options.top_logprobs = kind % 4 == 3 ? 2 : 0;
  return request;
}

static void answer_rounds(t5gist_session *session, int rounds) {
  for (int i = 0; i < rounds * KINDS; i++) {
    t5gist_error err;
    t5gist_answer answer;
    const t5gist_request request = request_of_kind(i % KINDS);
    CHECK_OK(t5gist_generate(session, &request, 1, &answer, &err));
    if (answer.error.status != T5GIST_OK) fail_msg("request %d: %s", i, answer.error.message);
    t5gist_answer_clear(&answer);
  }
}

static void memory_does_not_grow(int dtype) {
  t5gist_error err;
  t5gist_model *model;
  t5gist_session *session;
  t5gist_model_options options;
  char *dir = make_model("tiny", "flan", SEED, T5GIST_UNSET, NULL);
  t5gist_model_options_init(&options);
  options.dtype = dtype;
  CHECK_OK(t5gist_model_open(dir, &options, &model, &err));
  CHECK_OK(t5gist_session_new(model, &session, &err));
  answer_rounds(session, WARM_ROUNDS);
  const size_t before = resident();
  answer_rounds(session, ROUNDS);
  const size_t after = resident();
  if (after > before + ROOM) fail_msg("resident memory grew from %zu to %zu bytes over %d requests", before, after, ROUNDS * KINDS);
  t5gist_session_free(session);
  t5gist_model_close(model);
  folder_remove(dir);
}

static void f32_does_not_grow(void **state) {
  (void)state;
  if (SANITIZED) skip(); /* what was freed is kept for a while */
  memory_does_not_grow(T5GIST_DTYPE_F32);
}

static void int8_does_not_grow(void **state) {
  (void)state;
  if (SANITIZED) skip();
  memory_does_not_grow(T5GIST_DTYPE_INT8);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(f32_does_not_grow), cmocka_unit_test(int8_does_not_grow)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
