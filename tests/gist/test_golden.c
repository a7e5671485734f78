/* Equal to the reference, number for number: every request of tests/golden/(name).json through the public API, all together as one batch and one by
 * one.
 *
 *     test_golden [NAME...]       NAME: a golden file without .json
 *
 * tests/golden/make_golden.py asked Hugging Face; the random models are made here, bit for bit those it asked about. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "runtime/json.h"
#include "support.h"
#include "tests/support/folder.h"
#include "tests/support/tolerance.h"

typedef struct tally {
  const tolerance *limit;
  const char *name;
  int failures, ties;
  double worst; /* deviation of a log-probability or score */
} tally;

static void complain(tally *t, const char *how, size_t entry, const json_t *request, const char *what) {
  char *text = json_dumps(request, JSON_COMPACT);
  print_error("%s, %s, entry %zu: %s\n  %.300s\n", t->name, how, entry, what, text);
  free(text);
  t->failures++;
}

/* ---------------------------------------------------------------------------------------------------------------------------- requests */

static const char *text_of(const json_t *object, const char *key) { return json_string_value(json_object_get(object, key)); }

static int int_of(const json_t *object, const char *key) {
  const json_t *value = json_object_get(object, key);
  return value ? (int)json_integer_value(value) : T5GIST_UNSET;
}

static float float_of(const json_t *object, const char *key) {
  const json_t *value = json_object_get(object, key);
  return value ? (float)json_number_value(value) : T5GIST_UNSET_F;
}

static t5gist_condition condition_of(const json_t *object) {
  const char *name = text_of(object, "condition");
  for (int i = 0; name && i < T5GIST_N_CONDITIONS; i++)
    if (strcmp(name, t5gist_condition_name((t5gist_condition)i)) == 0) return (t5gist_condition)i;
  return T5GIST_GIST;
}

/* target: storage for the one target, alive as long as the request. */
static t5gist_request request_of(const json_t *r, const char **target) {
  t5gist_request request;
  t5gist_request_init(&request);
  request.task = text_of(r, "task");
  request.input = text_of(r, "input");
  request.raw = json_is_true(json_object_get(r, "raw"));
  request.condition = condition_of(r);
  request.gists = int_of(r, "gists");
  request.options.max_new_tokens = int_of(r, "max_new_tokens");
  request.options.min_new_tokens = int_of(r, "min_new_tokens");
  request.options.beams = int_of(r, "beams");
  request.options.n_best = int_of(r, "n_best");
  request.options.no_repeat_ngram_size = int_of(r, "no_repeat_ngram_size");
  request.options.length_penalty = float_of(r, "length_penalty");
  request.options.repetition_penalty = float_of(r, "repetition_penalty");
  if (json_object_get(r, "early_stopping")) request.options.early_stopping = json_is_true(json_object_get(r, "early_stopping"));
  if ((*target = text_of(r, "target"))) {
    request.targets = target;
    request.n_targets = 1;
  }
  return request;
}

/* -------------------------------------------------------------------------------------------------------------------------- comparing */

static bool near(tally *t, double found, double expected, double limit) {
  const double off = fabs(found - expected);
  if (!(off <= t->worst)) t->worst = off;
  return off <= limit;
}

static bool same_tokens(const int32_t *tokens, int n, const json_t *expected) {
  if ((size_t)n != json_array_size(expected)) return false;
  for (int i = 0; i < n; i++)
    if (tokens[i] != json_integer_value(json_array_get(expected, (size_t)i))) return false;
  return true;
}

/* Tokens and log-probabilities up to the first tie; null when right. margins: null with beams. */
static const char *compare_tokens(tally *t, const int32_t *tokens, const float *logprobs, int n, const json_t *answer, const char *ids_key,
                                  const char *logprobs_key) {
  static char what[160];
  const json_t *ids = json_object_get(answer, ids_key), *expected = json_object_get(answer, logprobs_key),
               *margins = json_object_get(answer, "margins");
  const int n_expected = (int)json_array_size(ids);
  for (int i = 0; i < n && i < n_expected; i++) {
    const int32_t id = (int32_t)json_integer_value(json_array_get(ids, (size_t)i));
    if (tokens[i] != id) {
      if (margins && json_number_value(json_array_get(margins, (size_t)i)) < t->limit->tie) {
        t->ties++;
        return NULL;
      }
      snprintf(what, sizeof what, "token %d: expected %d, found %d", i, id, tokens[i]);
      return what;
    }
    const double reference = json_number_value(json_array_get(expected, (size_t)i));
    if (!near(t, logprobs[i], reference, t->limit->logprob)) {
      snprintf(what, sizeof what, "log-probability of token %d (%d): expected %.6f, found %.6f", i, id, reference, (double)logprobs[i]);
      return what;
    }
  }
  if (n != n_expected) {
    snprintf(what, sizeof what, "expected %d tokens, found %d", n_expected, n);
    return what;
  }
  return NULL;
}

/* A beam score is a sum over the answer divided by length ^ penalty: its deviation grows and shrinks alike. */
static double score_limit(const tally *t, const json_t *request, int n) {
  const json_t *penalty = json_object_get(request, "length_penalty");
  return t->limit->logprob * fmax(1, n * pow(n, -(penalty ? json_number_value(penalty) : 1.0)));
}

static const char *compare_beams(tally *t, const json_t *request, const json_t *answer, const t5gist_answer *found) {
  const json_t *others = json_object_get(answer, "others");
  const double limit = score_limit(t, request, found->n_tokens);
  if (!near(t, found->sequence_score, json_number_value(json_object_get(answer, "sequence_score")), limit)) return "sequence_score differs";
  if ((size_t)found->n_others != json_array_size(others)) return "another number of answers";
  for (int i = 0; i < found->n_others; i++) {
    const json_t *other = json_array_get(others, (size_t)i);
    if (!near(t, found->others[i].score, json_number_value(json_object_get(other, "score")), limit))
      return "the score of another of the n best differs";
    if (same_tokens(found->others[i].tokens, found->others[i].n_tokens, json_object_get(other, "tokens"))) continue;
    t->ties++; /* equal scores, other tokens: a tie in the ranking */
  }
  return NULL;
}

static const char *compare_answer(tally *t, const json_t *request, const json_t *answer, const t5gist_answer *found) {
  if (found->error.status) return found->error.message;
  if (found->n_task != int_of(answer, "n_task") || found->n_gist != int_of(answer, "n_gist") || found->n_input != int_of(answer, "n_input"))
    return "another number of task, gist or input tokens";
  if (json_object_get(answer, "target_ids")) {
    if (found->n_scores != 1) return "the target was not scored";
    const t5gist_target_score *score = &found->scores[0];
    double sum = 0;
    for (int i = 0; i < score->n_ids; i++) sum += (double)score->logprobs[i];
    if (fabs(sum - score->logprob) > 1e-9) return "logprob is not the sum of logprobs";
    return compare_tokens(t, score->ids, score->logprobs, score->n_ids, answer, "target_ids", "target_logprobs");
  }
  const json_t *tokens = json_object_get(answer, "tokens");
  if (json_object_get(answer, "sequence_score")) {
    const char *what = compare_beams(t, request, answer, found);
    if (what) return what;
    if (!same_tokens(found->tokens, found->n_tokens, tokens)) { /* the scores are equal: a tie */
      t->ties++;
      return NULL;
    }
  }
  const int ties = t->ties;
  const char *what = compare_tokens(t, found->tokens, found->logprobs, found->n_tokens, answer, "tokens", "logprobs");
  if (what || t->ties > ties) return what;
  const bool ended = found->n_tokens > 0 && found->tokens[found->n_tokens - 1] == 1;
  if (found->finish != (ended ? T5GIST_FINISH_EOS : T5GIST_FINISH_LENGTH)) return "finish_reason differs";
  const char *text = text_of(answer, "text");
  return text && strcmp(text, found->text) != 0 ? "the text differs" : NULL;
}

/* ------------------------------------------------------------------------------------------------------------------------------- runs */

static void run(tally *t, const t5gist_model *model, const json_t *entries, bool together) {
  t5gist_error err;
  t5gist_session *session;
  const size_t n = json_array_size(entries);
  t5gist_request *requests = calloc(n, sizeof *requests);
  t5gist_answer *answers = calloc(n, sizeof *answers);
  const char **targets = calloc(n, sizeof *targets);
  for (size_t i = 0; i < n; i++) requests[i] = request_of(json_object_get(json_array_get(entries, i), "request"), &targets[i]);
  CHECK_OK(t5gist_session_new(model, &session, &err));
  const size_t stride = together ? n : 1;
  for (size_t i = 0; i < n; i += stride) CHECK_OK(t5gist_generate(session, requests + i, stride, answers + i, &err));
  for (size_t i = 0; i < n; i++) {
    const json_t *entry = json_array_get(entries, i), *request = json_object_get(entry, "request");
    const char *what = compare_answer(t, request, json_object_get(entry, "answer"), &answers[i]);
    if (what) complain(t, together ? "in one batch" : "one by one", i, request, what);
    t5gist_answer_clear(&answers[i]);
  }
  t5gist_session_free(session);
  free(targets);
  free(answers);
  free(requests);
}

static void golden(void **state) {
  const char *name = *state;
  t5gist_error err;
  t5gist_model *model;
  json_t *file;
  char path[512];
  snprintf(path, sizeof path, TEST_SOURCE_DIR "/tests/golden/%s.json", name);
  CHECK_OK(tg_json_read(path, 1 << 20, &file, &err));
  json_t *changes = json_object_get(file, "config");
  const char *shape = text_of(file, "shape");
  const int vocab_size = changes ? int_of(changes, "vocab_size") : T5GIST_UNSET;
  char *dir = shape ? make_model(shape, text_of(file, "variant"), (uint64_t)int_of(file, "seed"), vocab_size, changes) : NULL;
  CHECK_OK(t5gist_model_open(dir ? dir : TEST_SOURCE_DIR "/models/mini", NULL, &model, &err));
  tally t = {.limit = tolerance_of(shape ? shape : "mini"), .name = name};
  const json_t *entries = json_object_get(file, "entries");
  run(&t, model, entries, true);
  run(&t, model, entries, false);
  print_message("%s: %zu requests, largest deviation %.1e, %d ties, %d failures\n", name, json_array_size(entries), t.worst, t.ties, t.failures);
  t5gist_model_close(model);
  if (dir) folder_remove(dir);
  json_decref(file);
  assert_int_equal(t.failures, 0);
}

int main(int argc, char **argv) {
  static const char *const all[] = {"bundled",   "tiny-flan",     "tiny-t5v1", "tiny-tied", "tiny-uneven", "tiny-wide",
                                    "tiny-v5config", "tiny-silu", "tiny-rows", "mini-flan", "small-flan"};
  struct CMUnitTest tests[16] = {{0}};
  const char *const *names = argc > 1 ? (const char *const *)argv + 1 : all;
  const size_t n = argc > 1 ? (size_t)argc - 1 : sizeof all / sizeof *all;
  for (size_t i = 0; i < n && i < 16; i++) tests[i] = (struct CMUnitTest){.name = names[i], .test_func = golden, .initial_state = (void *)names[i]};
  return _cmocka_run_group_tests("golden", tests, n < 16 ? n : 16, NULL, NULL);
}
