/* The search, driven by scripted models (support.h). tests/data/search_cases.json holds what Hugging Face's generate answers over the same scripts
 * (tests/golden/make_search_cases.py). `test_search FILE` checks the cases of another file. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/json.h"
#include "runtime/kernels.h"
#include "support.h"
#include "t5/random.h"

static const char *cases_path = TEST_SOURCE_DIR "/tests/data/search_cases.json";

/* --------------------------------------------------------------------------------------------------------------------- Hugging Face's answers */

static bool same_tokens(const json_t *expected, const int32_t *tokens, int n) {
  if ((int)json_array_size(expected) != n) return false;
  for (int i = 0; i < n; i++)
    if (json_integer_value(json_array_get(expected, (size_t)i)) != tokens[i]) return false;
  return true;
}

static bool near(double a, double b) {
  return fabs(a - b) <= 1e-4 * (1 + fabs(b));
}

static void read_options(const json_t *from, t5gist_options *o) {
  const char *where = "options";
  assert_int_equal(tg_json_int(from, "max_new_tokens", where, 1, 1000, &o->max_new_tokens, NULL), T5GIST_OK);
  assert_int_equal(tg_json_int(from, "min_new_tokens", where, 0, 1000, &o->min_new_tokens, NULL), T5GIST_OK);
  assert_int_equal(tg_json_int(from, "beams", where, 1, MAX_BEAMS, &o->beams, NULL), T5GIST_OK);
  assert_int_equal(tg_json_int(from, "n_best", where, 1, MAX_BEAMS, &o->n_best, NULL), T5GIST_OK);
  assert_int_equal(tg_json_int(from, "no_repeat_ngram_size", where, 0, 10, &o->no_repeat_ngram_size, NULL), T5GIST_OK);
  assert_int_equal(tg_json_float(from, "repetition_penalty", where, 0, 10, &o->repetition_penalty, NULL), T5GIST_OK);
  assert_int_equal(tg_json_float(from, "length_penalty", where, -10, 10, &o->length_penalty, NULL), T5GIST_OK);
  o->early_stopping = json_is_true(json_object_get(from, "early_stopping"));
}

static bool check_case(const json_t *c) {
  const json_t *from = json_object_get(c, "script"), *logprobs = json_object_get(c, "logprobs"), *others = json_object_get(c, "others");
  const script s = {.seed = (uint64_t)json_integer_value(json_object_get(from, "seed")),
                    .order = (int)json_integer_value(json_object_get(from, "order")),
                    .vocabulary = VOCABULARY,
                    .spread = (float)json_number_value(json_object_get(from, "spread")),
                    .end_bias = (float)json_number_value(json_object_get(from, "end_bias"))};
  t5gist_options o = search_defaults();
  t5gist_answer a = {0};
  read_options(json_object_get(c, "options"), &o);
  search_drive(&s, &o, NULL, NULL, NULL, &a);
  bool same = same_tokens(json_object_get(c, "tokens"), a.tokens, a.n_tokens) && a.n_others == (int)json_array_size(others);
  for (int i = 0; same && i < a.n_tokens; i++) same = near(a.logprobs[i], json_number_value(json_array_get(logprobs, (size_t)i)));
  if (o.beams > 1) same = same && near(a.sequence_score, json_number_value(json_object_get(c, "sequence_score")));
  for (int i = 0; same && i < a.n_others; i++) {
    const json_t *other = json_array_get(others, (size_t)i);
    same = same_tokens(json_object_get(other, "tokens"), a.others[i].tokens, a.others[i].n_tokens) &&
           near(a.others[i].score, json_number_value(json_object_get(other, "score")));
  }
  if (!same) {
    print_error("found score %.7f, tokens", (double)a.sequence_score);
    for (int i = 0; i < a.n_tokens; i++) print_error(" %d", a.tokens[i]);
    print_error("\n");
  }
  if (same && a.n_tokens > 0) same = a.finish == (a.tokens[a.n_tokens - 1] == 1 ? T5GIST_FINISH_EOS : T5GIST_FINISH_LENGTH);
  search_clear(&a);
  return same;
}

static void test_hugging_face(void **state) {
  (void)state;
  t5gist_error err = {0};
  json_t *cases;
  size_t wrong = 0, i;
  const json_t *c;
  if (tg_json_read(cases_path, 1 << 26, &cases, &err) != T5GIST_OK) fail_msg("%s", err.message);
  assert_true(json_array_size(cases) >= 50);
  json_array_foreach(cases, i, c) {
    if (check_case(c)) continue;
    char *text = json_dumps(c, JSON_COMPACT);
    print_error("case %zu differs: %s\n", i, text);
    free(text);
    wrong++;
  }
  json_decref(cases);
  assert_int_equal(wrong, 0);
}

/* ------------------------------------------------------------------------------------------------------------------------ top_logprobs */

static void check_tops(int beams) {
  const script s = {.seed = 11, .order = 3, .vocabulary = VOCABULARY, .spread = 4, .end_bias = 1};
  t5gist_options o = search_defaults();
  t5gist_answer a = {0};
  o.beams = beams;
  o.top_logprobs = 5;
  o.max_new_tokens = 100;
  o.min_new_tokens = 90;
  search_drive(&s, &o, NULL, NULL, NULL, &a);
  assert_int_equal(a.n_top, 5);
  assert_true(a.n_tokens >= 90);
  int32_t ids[128] = {0};
  float row[VOCABULARY];
  for (int t = 0; t < a.n_tokens; t++) {
    const t5gist_alternative *top = a.top_logprobs + 5 * t;
    script_logits(&s, ids, t + 1, row);
    const double normaliser = (double)tg_logsumexp_reference(row, VOCABULARY);
    assert_true(near(a.logprobs[t], row[a.tokens[t]] - normaliser));
    assert_int_equal(top[0].id, tg_argmax_reference(row, VOCABULARY));
    for (int k = 0; k < 5; k++) {
      int higher = 0;
      for (int i = 0; i < VOCABULARY; i++) higher += row[i] > row[top[k].id];
      assert_int_equal(higher, k);
      assert_true(near(top[k].logprob, row[top[k].id] - normaliser));
    }
    ids[t + 1] = a.tokens[t];
  }
  search_clear(&a);
}

static void test_top_logprobs(void **state) {
  (void)state;
  check_tops(1);
  check_tops(2);
  check_tops(5);
}

/* ----------------------------------------------------------------------------------------------------------------------- text and stops */

static void test_streaming(void **state) {
  (void)state;
  static const char *const texts[] = {"The house is red and the water is cold.", "Zwölf Boxkämpfer jagen Viktor, él señaló: naïve café.", "a",
                                      "日本 and ☃ stay whole"};
  for (int i = 0; i < 4; i++) {
    script s = {.vocabulary = 4096, .spread = 1};
    s.forced = search_encode(texts[i], &s.n_forced);
    t5gist_options o = search_defaults();
    o.max_new_tokens = s.n_forced + 5;
    t5gist_answer a = {0};
    search_stream out = {0};
    char *whole;
    assert_false(search_drive(&s, &o, NULL, search_collect, &out, &a));
    assert_int_equal(a.finish, T5GIST_FINISH_EOS);
    assert_int_equal(a.n_tokens, s.n_forced + 1);
    assert_int_equal(tg_tokenizer_decode(search_tokenizer, a.tokens, (size_t)a.n_tokens, &whole, NULL), T5GIST_OK);
    assert_string_equal(a.text, whole);
    assert_string_equal(out.text, whole);
    assert_true(s.n_forced == 1 || out.pieces > 1); /* it does stream */
    tg_free(whole);
    search_clear(&a);
    tg_free((void *)s.forced);
  }
}

/* Answers "one two three four five" under these stop texts. */
static void stop_case(const char *const *stops, size_t n_stops, int beams, const char *expected, t5gist_finish finish) {
  script s = {.vocabulary = 4096, .spread = 1};
  s.forced = search_encode("one two three four five", &s.n_forced);
  t5gist_options o = search_defaults();
  o.stop = stops;
  o.n_stop = n_stops;
  o.beams = beams;
  o.max_new_tokens = 32;
  t5gist_answer a = {0};
  search_stream out = {0};
  search_drive(&s, &o, NULL, search_collect, &out, &a);
  assert_string_equal(a.text, expected);
  assert_int_equal(a.finish, finish);
  if (beams == 1) assert_string_equal(out.text, expected);
  if (beams > 1) assert_int_equal(out.pieces, 0);
  if (finish == T5GIST_FINISH_STOP) { /* the last token completed it, the one before had not */
    char *text;
    for (int less = 0; less < 2; less++) {
      bool found = false;
      assert_int_equal(tg_tokenizer_decode(search_tokenizer, a.tokens, (size_t)(a.n_tokens - less), &text, NULL), T5GIST_OK);
      for (size_t i = 0; i < n_stops; i++) found = found || strstr(text, stops[i]);
      assert_int_equal(found, less == 0);
      tg_free(text);
    }
  }
  search_clear(&a);
  tg_free((void *)s.forced);
}

static void test_stops(void **state) {
  (void)state;
  for (int beams = 1; beams <= 3; beams += 2) {
    stop_case((const char *[]){"three"}, 1, beams, "one two ", T5GIST_FINISH_STOP);
    stop_case((const char *[]){" three"}, 1, beams, "one two", T5GIST_FINISH_STOP);
    stop_case((const char *[]){"o thr"}, 1, beams, "one tw", T5GIST_FINISH_STOP);
    stop_case((const char *[]){"five", "four", "wo three"}, 3, beams, "one t", T5GIST_FINISH_STOP);
    stop_case((const char *[]){"one"}, 1, beams, "", T5GIST_FINISH_STOP);
    stop_case((const char *[]){"e", "one"}, 2, beams, "", T5GIST_FINISH_STOP);
    stop_case((const char *[]){"five!", "fives", "seven"}, 3, beams, "one two three four five", T5GIST_FINISH_EOS); /* held back, then given */
  }
}

static void test_cancel(void **state) {
  (void)state;
  script s = {.vocabulary = 4096, .spread = 1};
  s.forced = search_encode("one two three four five six seven", &s.n_forced);
  t5gist_options o = search_defaults();
  t5gist_answer a = {0};
  search_stream out = {.cancel_after = 3};
  assert_true(search_drive(&s, &o, NULL, search_collect, &out, &a));
  assert_int_equal(out.pieces, 3);
  assert_true(a.n_tokens > 0 && a.n_tokens < s.n_forced);
  assert_string_equal(a.text, out.text);
  search_clear(&a);
  tg_free((void *)s.forced);
}

/* A stop text ends a hypothesis as the end token does, and the others go on: where one token (8, "@") has the end token's logits and completes a
 * stop text, the answers are those that end with the end token. */
static void test_a_stop_is_an_end(void **state) {
  (void)state;
  const char *const stop[] = {"@"};
  int stopped = 0;
  for (uint64_t seed = 0; seed < 120; seed++) {
    script s = {.seed = seed, .order = 2, .vocabulary = VOCABULARY, .spread = 3, .end_bias = 2, .end_id = 1, .never_id = 8};
    t5gist_options o = search_defaults();
    t5gist_answer end = {0}, at = {0};
    o.beams = o.n_best = 1 + (int)(seed % 4);
    o.early_stopping = seed % 3 == 0;
    search_drive(&s, &o, NULL, NULL, NULL, &end);
    s.end_id = 8;
    s.never_id = 1;
    o.stop = stop;
    o.n_stop = 1;
    search_drive(&s, &o, NULL, NULL, NULL, &at);
    assert_string_equal(at.text, end.text);
    assert_int_equal(at.n_tokens, end.n_tokens);
    for (int i = 0; i < at.n_tokens; i++) assert_int_equal(at.tokens[i] == 8 ? 1 : at.tokens[i], end.tokens[i]);
    assert_int_equal(at.finish, end.finish == T5GIST_FINISH_EOS ? T5GIST_FINISH_STOP : T5GIST_FINISH_LENGTH);
    assert_true(near(at.sequence_score, end.sequence_score));
    assert_int_equal(at.n_others, end.n_others);
    for (int i = 0; i < at.n_others; i++) {
      assert_string_equal(at.others[i].text, end.others[i].text);
      assert_true(near(at.others[i].score, end.others[i].score));
    }
    stopped += at.finish == T5GIST_FINISH_STOP;
    search_clear(&at);
    search_clear(&end);
  }
  assert_true(stopped > 40);
}

/* ----------------------------------------------------------------------------------------------------------------------------- sampling */

static int32_t sample_once(const script *s, t5gist_options o, uint64_t request_key) {
  t5gist_answer a = {0};
  o.request_key = request_key;
  o.max_new_tokens = 1;
  search_drive(s, &o, NULL, NULL, NULL, &a);
  const int32_t id = a.tokens[0];
  search_clear(&a);
  return id;
}

/* Draws often and compares the counts with the probabilities that the options leave, summed plainly. */
static void check_distribution(float temperature, int top_k, float top_p) {
  enum { DRAWS = 20000 };
  const script s = {.seed = 77, .order = 1, .vocabulary = VOCABULARY, .spread = 2};
  float row[VOCABULARY];
  double p[VOCABULARY], total = 0, sum = 0;
  int order[VOCABULARY], counts[VOCABULARY] = {0};
  const int32_t start = 0;
  script_logits(&s, &start, 1, row);
  row[0] = row[GIST] = -INFINITY;
  for (int i = 0; i < VOCABULARY; i++) order[i] = i;
  for (int i = 0; i < VOCABULARY; i++)
    for (int j = i + 1; j < VOCABULARY; j++)
      if (row[order[j]] > row[order[i]]) {
        const int t = order[i];
        order[i] = order[j];
        order[j] = t;
      }
  for (int k = 0; k < VOCABULARY; k++) {
    p[order[k]] = top_k > 0 && k >= top_k ? 0 : exp((double)(row[order[k]] / temperature));
    total += p[order[k]];
  }
  for (int k = 0; k < VOCABULARY; k++) { /* Hugging Face: dropped where the better ones already reach top_p */
    const double before = sum / total;
    sum += p[order[k]];
    if (before >= (double)top_p) p[order[k]] = 0;
  }
  total = 0;
  for (int i = 0; i < VOCABULARY; i++) total += p[i];

  t5gist_options o = search_defaults();
  o.temperature = temperature;
  o.top_k = top_k;
  o.top_p = top_p;
  o.seed = 5;
  for (uint64_t r = 0; r < DRAWS; r++) counts[sample_once(&s, o, r)]++;
  for (int i = 0; i < VOCABULARY; i++) {
    const double expected = DRAWS * p[i] / total;
    if (p[i] == 0) assert_int_equal(counts[i], 0);
    assert_true(fabs(counts[i] - expected) <= 5 * sqrt(expected + 1));
  }
}

static void test_sampling_distribution(void **state) {
  (void)state;
  check_distribution(1.0f, 0, 1.0f);
  check_distribution(0.5f, 0, 1.0f);
  check_distribution(2.0f, 7, 1.0f);
  check_distribution(1.0f, 0, 0.6f);
  check_distribution(1.5f, 20, 0.8f);
  check_distribution(1.0f, 1, 1.0f);
}

static void test_sampling_is_keyed(void **state) {
  (void)state;
  const script s = {.seed = 3, .order = 2, .vocabulary = VOCABULARY, .spread = 2, .end_bias = -10};
  int32_t first[16];
  for (int run = 0; run < 5; run++) {
    t5gist_options o = search_defaults();
    t5gist_answer a = {0};
    o.temperature = run == 4 ? 1e-30f : 1;
    o.seed = run == 2 ? 10 : 9;
    o.request_key = run == 3;
    search_drive(&s, &o, NULL, NULL, NULL, &a);
    assert_int_equal(a.n_tokens, 16);
    if (run == 0) memcpy(first, a.tokens, sizeof first);
    if (run == 1) assert_memory_equal(a.tokens, first, sizeof first);
    if (run == 2 || run == 3) assert_memory_not_equal(a.tokens, first, sizeof first);
    if (run == 4) { /* no temperature so low that it breaks: greedy's choice */
      t5gist_answer greedy = {0};
      o.temperature = 0;
      search_drive(&s, &o, NULL, NULL, NULL, &greedy);
      assert_memory_equal(a.tokens, greedy.tokens, sizeof first);
      search_clear(&greedy);
    }
    search_clear(&a);
  }
}

/* ---------------------------------------------------------------------------------------------------------------------------- the edges */

static void test_never_pad_nor_gist(void **state) {
  (void)state;
  const int32_t wanted[] = {GIST, 0, GIST, 7, 0};
  const script s = {.vocabulary = VOCABULARY, .spread = 1, .forced = wanted, .n_forced = 5};
  for (int beams = 1; beams <= 4; beams++) {
    t5gist_options o = search_defaults();
    t5gist_answer a = {0};
    o.beams = o.n_best = beams;
    search_drive(&s, &o, NULL, NULL, NULL, &a);
    for (int i = 0; i < a.n_tokens; i++) assert_true(a.tokens[i] != 0 && a.tokens[i] != GIST);
    assert_true(a.logprobs[0] < -50); /* the plain softmax still knows what it wanted */
    search_clear(&a);
  }
}

/* Where every token is banned the answer ends with what there is. */
static void test_nothing_left(void **state) {
  (void)state;
  const script s = {.seed = 4, .order = 2, .vocabulary = VOCABULARY, .spread = 2};
  for (int beams = 1; beams <= 4; beams += 3) {
    t5gist_options o = search_defaults();
    t5gist_answer a = {0};
    o.beams = beams;
    o.max_new_tokens = o.min_new_tokens = 100;
    o.no_repeat_ngram_size = 1;
    search_drive(&s, &o, NULL, NULL, NULL, &a);
    assert_int_equal(a.n_tokens, VOCABULARY - 3); /* all but pad, end and gist, once each */
    assert_int_equal(a.finish, T5GIST_FINISH_LENGTH);
    search_clear(&a);
  }
}

static void test_long_answers(void **state) {
  (void)state;
  const script s = {.seed = 4, .order = 2, .vocabulary = VOCABULARY, .spread = 2, .end_bias = -100};
  for (int beams = 1; beams <= 3; beams += 2) {
    t5gist_options o = search_defaults();
    t5gist_answer a = {0};
    o.beams = beams;
    o.max_new_tokens = 2500;
    o.repetition_penalty = 1.1f;
    search_drive(&s, &o, NULL, NULL, NULL, &a);
    assert_int_equal(a.n_tokens, 2500);
    assert_int_equal(a.finish, T5GIST_FINISH_LENGTH);
    search_clear(&a);
  }
}

static void test_refusals(void **state) {
  (void)state;
  const tg_t5 t5 = search_model(VOCABULARY);
  t5gist_error err = {0};
  t5gist_options o = search_defaults();
  tg_search *search;
  o.beams = 30;
  assert_int_equal(tg_search_new(&t5, &o, NULL, NULL, &search, &err), T5GIST_EUSAGE);
  o.beams = 4;
  o.max_new_tokens = 2147483647;
  assert_int_equal(tg_search_new(&t5, &o, NULL, NULL, &search, &err), T5GIST_EUSAGE);
  o.max_new_tokens = 100000;
  o.temperature = 1;
  assert_int_equal(tg_search_new(&t5, &o, NULL, NULL, &search, &err), T5GIST_EUSAGE);
  o.temperature = 0;
  float logits[VOCABULARY] = {[7] = NAN};
  for (int beams = 1; beams <= 4; beams += 3) {
    o.beams = beams;
    assert_int_equal(tg_search_new(&t5, &o, NULL, NULL, &search, &err), T5GIST_OK);
    assert_int_equal(tg_search_advance(search, logits, &err), T5GIST_EINTERNAL);
    assert_non_null(strstr(err.message, "not finite"));
    tg_search_free(search);
  }
  tg_search_free(NULL);
}

/* Equal logits: the lowest id wins; equal beams: the first. */
static void test_ties(void **state) {
  (void)state;
  const tg_t5 t5 = search_model(VOCABULARY);
  float logits[4 * VOCABULARY] = {0};
  for (int beams = 1; beams <= 4; beams += 3) {
    t5gist_options o = search_defaults();
    t5gist_answer a = {0};
    tg_search *search;
    o.beams = o.n_best = beams;
    o.min_new_tokens = o.max_new_tokens = 3;
    assert_int_equal(tg_search_new(&t5, &o, NULL, NULL, &search, NULL), T5GIST_OK);
    while (!tg_search_done(search)) {
      memset(logits, 0, sizeof logits);
      assert_int_equal(tg_search_advance(search, logits, NULL), T5GIST_OK);
    }
    assert_int_equal(tg_search_answer(search, &a, NULL), T5GIST_OK);
    assert_memory_equal(a.tokens, ((const int32_t[]){2, 2, 2}), 3 * sizeof(int32_t));
    for (int i = 0; i < a.n_others; i++) assert_memory_equal(a.others[i].tokens, ((const int32_t[]){2, 2, i + 3}), 3 * sizeof(int32_t));
    search_clear(&a);
    tg_search_free(search);
  }
}

int main(int argc, char **argv) {
  if (argc > 1) cases_path = argv[1];
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_hugging_face),
      cmocka_unit_test(test_top_logprobs),
      cmocka_unit_test(test_streaming),
      cmocka_unit_test(test_stops),
      cmocka_unit_test(test_cancel),
      cmocka_unit_test(test_a_stop_is_an_end),
      cmocka_unit_test(test_sampling_distribution),
      cmocka_unit_test(test_sampling_is_keyed),
      cmocka_unit_test(test_never_pad_nor_gist),
      cmocka_unit_test(test_nothing_left),
      cmocka_unit_test(test_long_answers),
      cmocka_unit_test(test_refusals),
      cmocka_unit_test(test_ties),
  };
  return cmocka_run_group_tests(tests, search_set_up, search_tear_down);
}
