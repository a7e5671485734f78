/* Drafts: what each source proposes, and that no guess, right or wrong, changes an answer. The searches are driven by scripted models (support.h),
 * whose logits depend on the ids alone, so answers must be equal to the last bit. */
#include <string.h>

#include "support.h"
#include "t5/random.h"

static tg_draft new_draft(t5gist_draft kind) {
  return (tg_draft){.kind = kind, .vocab_size = VOCABULARY};
}

static int propose(tg_draft *draft, const int32_t *ids, int n_ids, int most, int32_t *guesses) {
  tg_draft_begin(draft);
  draft->hits = 1; /* sure of its guesses */
  return tg_draft_propose(draft, ids, n_ids, most, guesses);
}

#define IDS(...) ((const int32_t[]){__VA_ARGS__})

static void expect_lookup(const int32_t *source, size_t n_source, const int32_t *ids, int n_ids, int most, const int32_t *expected, int n_expected) {
  int32_t guesses[TG_DRAFT_MOST];
  tg_draft draft = new_draft(T5GIST_DRAFT_LOOKUP);
  draft.source = source;
  draft.n_source = n_source;
  assert_int_equal(propose(&draft, ids, n_ids, most, guesses), n_expected);
  assert_memory_equal(guesses, expected, (size_t)n_expected * sizeof *guesses);
}

static void lookup_follows_the_longest_match(void **state) {
  (void)state;
  const int32_t *source = IDS(10, 11, 12, 13, 10, 14, 12, 15, 1);
  expect_lookup(source, 9, IDS(0, 10), 2, 3, IDS(11, 12, 13), 3);             /* of equal matches the first in the source */
  expect_lookup(source, 9, IDS(0, 14, 12), 3, 2, IDS(15, 1), 2);              /* two tokens, not the earlier one of 12 alone */
  expect_lookup(source, 9, IDS(0, 15), 2, 7, IDS(1), 1);                      /* the source ends */
  expect_lookup(source, 9, IDS(0, 1), 2, 7, NULL, 0);                         /* nothing follows its last token */
  expect_lookup(source, 9, IDS(0, 20, 21, 20), 4, 3, IDS(21, 20), 2);         /* the answer itself */
  expect_lookup(source, 9, IDS(0, 20, 21, 22, 20, 23, 20), 7, 1, IDS(23), 1); /* the last time */
  expect_lookup(source, 9, IDS(0, 9), 2, 3, NULL, 0);
  expect_lookup(source, 9, IDS(0), 1, 3, NULL, 0); /* the start token is in no text */
  expect_lookup(IDS(0, 5), 2, IDS(0), 1, 3, NULL, 0);
  expect_lookup(NULL, 0, IDS(0, 5), 2, 3, NULL, 0);
}

static void recycling_chains_successors(void **state) {
  (void)state;
  t5gist_error err;
  int32_t guesses[TG_DRAFT_MOST];
  tg_recycler recycler = {0};
  assert_int_equal(tg_recycler_prepare(&recycler, VOCABULARY, &err), T5GIST_OK);
  tg_draft draft = new_draft(T5GIST_DRAFT_RECYCLE);
  draft.recycler = &recycler;
  assert_int_equal(propose(&draft, IDS(0), 1, 3, guesses), 0); /* nothing seen yet */
  tg_draft_observe(&draft, -1, 0, 5);
  tg_draft_observe(&draft, 0, 5, 6);
  tg_draft_observe(&draft, 5, 6, 7);
  tg_draft_observe(&draft, 9, 6, 8); /* behind another token */
  assert_int_equal(propose(&draft, IDS(0), 1, 3, guesses), 3);
  assert_memory_equal(guesses, IDS(5, 6, 7), 3 * sizeof *guesses);
  assert_int_equal(propose(&draft, IDS(0, 9, 6), 3, 7, guesses), 1);
  assert_int_equal(guesses[0], 8);
  assert_int_equal(propose(&draft, IDS(0, 30, 6), 3, 1, guesses), 1); /* never behind this one: what came last */
  assert_int_equal(guesses[0], 8);
  for (int32_t i = 0; i < 20; i++) tg_draft_observe(&draft, 20 + i, 6, 10 + i); /* old ones make room */
  assert_int_equal(propose(&draft, IDS(0, 39, 6), 3, 1, guesses), 1);
  assert_int_equal(guesses[0], 29);
  assert_int_equal(propose(&draft, IDS(0, 5, 6), 3, 1, guesses), 1);
  assert_int_equal(guesses[0], 29);
  tg_draft_observe(&draft, 0, VOCABULARY, 1); /* outside the vocabulary */
  tg_draft_observe(&draft, 0, -1, 1);
  assert_int_equal(propose(&draft, IDS(0, VOCABULARY), 2, 3, guesses), 0);
  tg_recycler_free(&recycler);
}

static void scripts_are_right_as_often_as_asked(void **state) {
  (void)state;
  enum { N = 4000 };
  static int32_t tokens[N], ids[N + 1];
  for (int i = 0; i < N; i++) tokens[i] = ids[i + 1] = 2 + i % 40;
  const float ps[] = {0, 0.6f, 1};
  for (int i = 0; i < 3; i++) {
    const tg_draft_script drafts = {tokens, N, ps[i], 17};
    tg_draft draft = new_draft(T5GIST_DRAFT_NONE);
    draft.script = &drafts;
    int right = 0;
    int32_t guess;
    for (int n = 0; n < N; n++) {
      assert_int_equal(propose(&draft, ids, n + 1, 1, &guess), 1);
      right += guess == tokens[n];
    }
    assert_in_range(right, N * (int)(ps[i] * 100) / 100 - (i == 1 ? 100 : 0), N * (int)(ps[i] * 100) / 100 + (i == 1 ? 100 : 0));
    assert_int_equal(propose(&draft, ids, N + 1, 3, &guess), 0); /* the script ends */
  }
}

/* Ids outside the vocabulary are never handed on. */
static void guesses_are_tokens(void **state) {
  (void)state;
  int32_t guesses[TG_DRAFT_MOST];
  tg_draft draft = new_draft(T5GIST_DRAFT_LOOKUP);
  draft.source = IDS(5, 6, VOCABULARY, 7);
  draft.n_source = 4;
  assert_int_equal(propose(&draft, IDS(0, 5), 2, 3, guesses), 1);
  draft.source = IDS(5, -1, 6);
  draft.n_source = 3;
  assert_int_equal(propose(&draft, IDS(0, 5), 2, 3, guesses), 0);
}

/* Guesses of the next pass that is not a pause, of the two that there are. */
static int draft_length(tg_draft *draft) {
  int32_t guesses[TG_DRAFT_MOST];
  int n;
  while ((n = tg_draft_propose(draft, IDS(0, 5), 2, 3, guesses)) == 0) continue;
  return n;
}

static void wrong_guesses_make_pauses(void **state) {
  (void)state;
  enum { PASSES = 400 };
  int32_t guesses[TG_DRAFT_MOST], tries = 0;
  tg_draft draft = new_draft(T5GIST_DRAFT_LOOKUP);
  draft.source = IDS(5, 6, 7);
  draft.n_source = 3;
  tg_draft_begin(&draft);
  for (int i = 0; i < PASSES; i++) {
    if (tg_draft_propose(&draft, IDS(0, 5), 2, 1, guesses) == 0) continue;
    tg_draft_judge(&draft, 0);
    tries++;
  }
  assert_in_range(tries, PASSES / 20, PASSES / 6);
  assert_int_equal(draft_length(&draft), 1);
  for (int i = 0; i < PASSES; i++) /* and right ones end them */
    if (tg_draft_propose(&draft, IDS(0, 5), 2, 1, guesses) > 0) tg_draft_judge(&draft, 1);
  for (int i = 0; i < 5; i++) assert_int_equal(draft_length(&draft), 2);
}

/* ------------------------------------------------------------------------------------------------------------------------ exact answers */

static void expect_same(const t5gist_answer *a, const t5gist_answer *b) {
  assert_int_equal(a->n_tokens, b->n_tokens);
  assert_int_equal(a->finish, b->finish);
  assert_string_equal(a->text, b->text);
  assert_memory_equal(a->tokens, b->tokens, (size_t)a->n_tokens * sizeof *a->tokens);
  assert_memory_equal(a->logprobs, b->logprobs, (size_t)a->n_tokens * sizeof *a->logprobs);
  assert_int_equal(a->n_top, b->n_top);
  for (int i = 0; i < a->n_tokens * a->n_top; i++) {
    assert_int_equal(a->top_logprobs[i].id, b->top_logprobs[i].id);
    assert_true(a->top_logprobs[i].logprob == b->top_logprobs[i].logprob);
  }
}

/* Every source on one search; what they accepted is added up by source. cancel_after: pieces of text, 0: never. */
enum { LOOKUP, RECYCLE, SCRIPTED, N_SOURCES };
static void check_sources(const script *s, const t5gist_options *o, int cancel_after, int accepted[N_SOURCES]) {
  static const float ps[] = {0, 0.6f, 1};
  t5gist_answer plain = {0};
  search_stream streamed = {.cancel_after = cancel_after};
  tg_recycler recycler = {0};
  search_drive(s, o, NULL, search_collect, &streamed, &plain);
  assert_int_equal(tg_recycler_prepare(&recycler, s->vocabulary, NULL), T5GIST_OK);
  for (int run = 0; run < 6; run++) {
    const int source = run == 0 ? LOOKUP : run < 3 ? RECYCLE : SCRIPTED;
    const tg_draft_script drafts = {plain.tokens, plain.n_tokens, ps[run % 3], s->seed};
    tg_draft draft = {.kind = source == LOOKUP ? T5GIST_DRAFT_LOOKUP : T5GIST_DRAFT_RECYCLE, .recycler = &recycler, .vocab_size = s->vocabulary};
    draft.source = plain.tokens + plain.n_tokens / 3;
    draft.n_source = (size_t)(plain.n_tokens - plain.n_tokens / 3);
    if (source == SCRIPTED) draft.script = &drafts;
    t5gist_answer with = {0};
    search_stream again = {.cancel_after = cancel_after};
    search_drive(s, o, &draft, search_collect, &again, &with);
    expect_same(&plain, &with);
    assert_string_equal(again.text, streamed.text);
    assert_int_equal(again.pieces, streamed.pieces);
    assert_in_range(with.n_accepted, 0, with.n_drafted);
    if (source == SCRIPTED && ps[run % 3] == 0) assert_int_equal(with.n_accepted, 0);
    accepted[source] += with.n_accepted;
    search_clear(&with);
  }
  tg_recycler_free(&recycler);
  search_clear(&plain);
}

static void answers_are_those_of_plain_decoding(void **state) {
  (void)state;
  static const char *const stops[] = {"@", "e t"};
  int accepted[N_SOURCES] = {0};
  for (uint64_t seed = 0; seed < 300; seed++) {
    const script s = {.seed = seed, .order = 1 + (int)(seed % 3), .vocabulary = VOCABULARY, .spread = 3, .end_bias = (float)(seed % 5) - 2};
    t5gist_options o = search_defaults();
    o.max_new_tokens = seed % 7 == 0 ? 1 + (int)(seed % 4) : 40 + (int)(seed % 60);
    o.min_new_tokens = seed % 4 == 1 ? o.max_new_tokens / 2 : 0;
    o.no_repeat_ngram_size = seed % 5 == 2 ? 2 : 0;
    o.repetition_penalty = seed % 3 == 2 ? 1.3f : 1;
    o.top_logprobs = seed % 2 ? 3 : 0;
    o.stop = stops;
    o.n_stop = seed % 6 == 3 ? 2 : 0;
    check_sources(&s, &o, seed % 11 == 10 ? 3 : 0, accepted);
  }
  for (int i = 0; i < N_SOURCES; i++) assert_true(accepted[i] > 100);
}

/* Text that is copied: guesses hold whole words, and a stop text or the end token lies inside them. */
static void stops_and_ends_inside_a_draft(void **state) {
  (void)state;
  static const char *const stops[] = {"three", "o thr", "five four", "never"};
  int accepted[N_SOURCES] = {0};
  script s = {.vocabulary = 4096, .spread = 1};
  s.forced = search_encode("one two three four five four three two one, one two three four five four three two one", &s.n_forced);
  for (size_t i = 0; i < sizeof stops / sizeof *stops; i++) {
    t5gist_options o = search_defaults();
    o.max_new_tokens = 64;
    o.stop = stops + i;
    o.n_stop = 1;
    check_sources(&s, &o, 0, accepted);
    check_sources(&s, &o, 2, accepted);
  }
  for (int i = 0; i < N_SOURCES; i++) assert_true(accepted[i] > 10);
  tg_free((void *)s.forced);
}

/* Where everything is banned in the middle of right guesses. */
static void nothing_left_inside_a_draft(void **state) {
  (void)state;
  const script s = {.seed = 4, .order = 2, .vocabulary = VOCABULARY, .spread = 2};
  int accepted[N_SOURCES] = {0};
  t5gist_options o = search_defaults();
  o.max_new_tokens = o.min_new_tokens = 100;
  o.no_repeat_ngram_size = 1;
  check_sources(&s, &o, 0, accepted);
  assert_true(accepted[SCRIPTED] > 20);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(lookup_follows_the_longest_match),    cmocka_unit_test(recycling_chains_successors),
      cmocka_unit_test(scripts_are_right_as_often_as_asked), cmocka_unit_test(guesses_are_tokens),
      cmocka_unit_test(wrong_guesses_make_pauses),           cmocka_unit_test(answers_are_those_of_plain_decoding),
      cmocka_unit_test(stops_and_ends_inside_a_draft),       cmocka_unit_test(nothing_left_inside_a_draft),
  };
  return cmocka_run_group_tests(tests, search_set_up, search_tear_down);
}
