#include "support.h"

#include <stdlib.h>
#include <string.h>

#include "runtime/text.h"
#include "t5/random.h"

tg_tokenizer *search_tokenizer;
static int32_t gist_id = GIST;

int search_set_up(void **state) {
  (void)state;
  t5gist_error err = {0};
  if (tg_tokenizer_open(TEST_SOURCE_DIR "/tests/data/mini", 4096, &search_tokenizer, &err) == T5GIST_OK) return 0;
  print_error("%s\n", err.message);
  return -1;
}

int search_tear_down(void **state) {
  (void)state;
  tg_tokenizer_free(search_tokenizer);
  return 0;
}

static float uniform(uint64_t key, int i, float span) {
  return (float)(2 * (int32_t)(tg_random_at(key, (uint64_t)i) >> 40) + 1 - (1 << 24)) * (span * 0x1p-24f);
}

void script_logits(const script *s, const int32_t *ids, int n, float *out) {
  const uint64_t count = tg_random_key(s->seed, (uint64_t)n);
  uint64_t key = s->order ? s->seed : count;
  for (int i = n > s->order ? n - s->order : 0; i < n; i++) key = tg_random_key(key, (uint64_t)ids[i]);
  for (int i = 0; i < s->vocabulary; i++) out[i] = uniform(key, i, s->spread) + uniform(tg_random_mix(count), i, 0.0625f);
  out[1] += s->end_bias;
  if (s->never_id) {
    out[s->end_id] = out[1];
    out[s->never_id] = -100;
  }
  if (s->n_forced > 0) out[n - 1 < s->n_forced ? s->forced[n - 1] : 1] += 100;
}

tg_t5 search_model(int vocabulary) {
  tg_t5 t5 = {.tokenizer = search_tokenizer};
  t5.config.vocab_size = vocabulary;
  t5.config.eos_id = 1;
  t5.config.gist_ids = &gist_id;
  t5.config.n_gist_ids = 1;
  return t5;
}

t5gist_options search_defaults(void) {
  return (t5gist_options){.max_new_tokens = 16, .beams = 1, .n_best = 1, .length_penalty = 1, .top_p = 1, .repetition_penalty = 1};
}

/* One pass over the sequences of a search: cache [rows] holds the id of each row, ids is scratch. */
static void pass(const script *s, const tg_decoder_sequence *sequences, int width, int32_t *cache, int32_t *ids, float *logits) {
  for (int b = 0; b < width; b++) {
    const tg_decoder_sequence *q = &sequences[b];
    for (int i = 0; i < q->position; i++) ids[i] = cache[q->history ? q->history[i] : i];
    for (int i = 0; i < q->n; i++, logits += s->vocabulary) {
      cache[q->cache_row + i] = ids[q->position + i] = q->ids[i];
      script_logits(s, ids, q->position + i + 1, logits);
    }
  }
}

bool search_drive(const script *s, const t5gist_options *options, const tg_draft *draft, t5gist_text_callback *on_text, void *user,
                  t5gist_answer *answer) {
  enum { MOST_ROWS = MAX_BEAMS };
  const tg_t5 t5 = search_model(s->vocabulary);
  t5gist_error err = {0};
  tg_search *search;
  if (tg_search_new(&t5, options, on_text, user, &search, &err) != T5GIST_OK) fail_msg("%s", err.message);
  if (draft) tg_search_set_draft(search, draft);
  const int rows = options->max_new_tokens * options->beams;
  int32_t *cache = calloc((size_t)rows, sizeof *cache), *ids = calloc((size_t)options->max_new_tokens + 1, sizeof *ids);
  float *logits = calloc(MOST_ROWS * (size_t)s->vocabulary, sizeof *logits);
  int kept = 0; /* rows that hold what is part of a hypothesis */
  for (int step = 0; !tg_search_done(search); step++) {
    tg_decoder_sequence sequences[MAX_BEAMS];
    if (draft && tg_search_guess(search, step % (TG_DRAFT_MOST + 2), &err) != T5GIST_OK) fail_msg("%s", err.message);
    const int width = tg_search_width(search);
    assert_in_range(width, 1, options->beams);
    assert_true(tg_search_cache_rows(search) > kept && tg_search_cache_rows(search) <= rows);
    tg_search_next(search, sequences);
    for (int b = 0; b < width; b++) {
      assert_in_range(sequences[b].n, 1, draft ? 1 + TG_DRAFT_MOST : 1);
      assert_in_range(sequences[b].cache_row, kept, tg_search_cache_rows(search) - sequences[b].n); /* nothing that counts is overwritten */
    }
    pass(s, sequences, width, cache, ids, logits);
    kept = draft ? sequences[0].cache_row + 1 : tg_search_cache_rows(search);
    if (tg_search_advance(search, logits, &err) != T5GIST_OK) fail_msg("%s", err.message);
  }
  if (tg_search_answer(search, answer, &err) != T5GIST_OK) fail_msg("%s", err.message);
  const bool cancelled = tg_search_cancelled(search);
  tg_search_free(search);
  free(cache);
  free(ids);
  free(logits);
  return cancelled;
}

void search_clear(t5gist_answer *answer) {
  for (int i = 0; i < answer->n_others; i++) {
    tg_free(answer->others[i].text);
    tg_free(answer->others[i].tokens);
  }
  tg_free(answer->others);
  tg_free(answer->text);
  tg_free(answer->tokens);
  tg_free(answer->logprobs);
  tg_free(answer->top_logprobs);
  *answer = (t5gist_answer){0};
}

int32_t *search_encode(const char *text, int *n) {
  tg_ids list = {0};
  t5gist_error err = {0};
  if (tg_tokenizer_encode(search_tokenizer, text, strlen(text), &list, &err) != T5GIST_OK) fail_msg("%s", err.message);
  *n = (int)list.n;
  return list.ids;
}

bool search_collect(void *user, const char *text) {
  search_stream *s = user;
  assert_true(text[0] != '\0');
  assert_int_equal(tg_utf8_valid(text, strlen(text)), strlen(text));
  assert_true(strlen(s->text) + strlen(text) < sizeof s->text);
  strcat(s->text, text);
  return ++s->pieces != s->cancel_after;
}
