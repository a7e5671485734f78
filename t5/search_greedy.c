/* Greedy search and sampling: one hypothesis, its text decoded as it grows. */
#include <math.h>
#include <string.h>

#include "runtime/error.h"
#include "t5/random.h"
#include "t5/search_internal.h"

/* The next id, or -1 when nothing is allowed. */
static int32_t choose(tg_search *search, const float *scores) {
  const size_t n = (size_t)search->t5->config.vocab_size;
  if (search->options.temperature > 0) {
    const double uniform = (double)(tg_random_at(search->random_key, (uint64_t)search->step) >> 11) * 0x1p-53;
    return tg_sampler_draw(&search->sampler, scores, n, uniform);
  }
  const long best = tg_argmax(scores, n);
  return best < 0 || scores[best] == -INFINITY ? -1 : (int32_t)best;
}

/* Bytes at the text's end that may still become a stop text. */
static size_t held_back(const tg_search *search) {
  const tg_buffer *text = &search->text;
  size_t held = 0;
  for (size_t s = 0; s < search->options.n_stop; s++) {
    const size_t length = strlen(search->options.stop[s]);
    for (size_t n = length < text->size + 1 ? length : text->size + 1; n-- > held + 1;) {
      if (memcmp(text->data + text->size - n, search->options.stop[s], n) == 0) held = n;
    }
  }
  return held;
}

/* Gives the caller the text up to `end`. */
static void emit(tg_search *search, size_t end) {
  if (!search->on_text || search->cancelled || end <= search->emitted) return;
  char *data = search->text.data;
  const char kept = data[end];
  data[end] = '\0';
  if (!search->on_text(search->user, data + search->emitted)) search->cancelled = search->done = true;
  data[end] = kept;
  search->emitted = end;
}

/* Cuts the text where a stop text begins in what is new since `before`. */
static bool cut_at_stop(tg_search *search, size_t before) {
  if (search->longest_stop == 0 || search->text.size == before) return false;
  const size_t reach = search->longest_stop - 1;
  const size_t stop = tg_search_find_stop(search, &search->text, before > reach ? before - reach : 0);
  if (stop == search->text.size) return false;
  search->text.size = stop;
  search->text.data[stop] = '\0';
  return true;
}

static t5gist_status finish(tg_search *search, t5gist_finish why, t5gist_error *err) {
  search->live[0].finish = why;
  search->done = true;
  if (why != T5GIST_FINISH_STOP) {
    const size_t before = search->text.size;
    TG_TRY(tg_decoder_text_finish(&search->decoder, &search->text, err));
    cut_at_stop(search, before);
  }
  emit(search, search->text.size);
  return T5GIST_OK;
}

/* One more token from a row of logits; -1: everything is banned, and the answer ends with what there is. */
static t5gist_status take(tg_search *search, float *logits, int32_t *taken, t5gist_error *err) {
  tg_hypothesis *h = &search->live[0];
  float normaliser;
  TG_TRY(tg_search_normaliser(search, logits, &normaliser, err));
  TG_TRY(tg_search_grow(search, 1, err));
  TG_TRY(tg_processor_apply(&search->processor, h->ids, (size_t)h->n + 1, logits, err));
  const int32_t id = *taken = choose(search, logits);
  tg_processor_restore(&search->processor, logits);
  if (id < 0) return finish(search, T5GIST_FINISH_LENGTH, err);
  tg_search_keep_top(search, logits, normaliser, search->step);
  h->logprobs[h->n] = logits[id] - normaliser;
  h->ids[++h->n] = id;
  search->step++;

  const size_t before = search->text.size;
  TG_TRY(tg_decoder_text_push(search->t5->tokenizer, &search->decoder, id, &search->text, err));
  if (id == search->t5->config.eos_id) return finish(search, T5GIST_FINISH_EOS, err);
  if (cut_at_stop(search, before)) return finish(search, T5GIST_FINISH_STOP, err);
  if (search->step == search->options.max_new_tokens) return finish(search, T5GIST_FINISH_LENGTH, err);
  if (search->on_text) emit(search, search->text.size - held_back(search));
  return T5GIST_OK;
}

/* Rows behind a wrong guess are no part of the answer, but they tell what the model puts behind their tokens. */
static void recycle_rejected(tg_search *search, const float *logits, int from, int32_t previous) {
  const size_t n = (size_t)search->t5->config.vocab_size;
  for (int row = from; row <= search->n_guesses; row++) {
    const int32_t token = search->guesses[row - 1];
    const long next = tg_argmax(logits + (size_t)row * n, n);
    if (next >= 0) tg_draft_observe(&search->draft, previous, token, (int32_t)next);
    previous = token;
  }
}

/* A guess is right when it is what the search takes from the row before it; then the row behind it counts as well. */
t5gist_status tg_search_advance_greedy(tg_search *search, float *logits, t5gist_error *err) {
  tg_hypothesis *h = &search->live[0];
  const size_t n = (size_t)search->t5->config.vocab_size;
  int row = 0;
  for (int32_t id;; row++) {
    TG_TRY(take(search, logits + (size_t)row * n, &id, err));
    if (id >= 0) tg_draft_observe(&search->draft, h->n > 1 ? h->ids[h->n - 2] : -1, h->ids[h->n - 1], id);
    if (row == search->n_guesses || id != search->guesses[row]) break;
    search->n_accepted++;
    if (search->done) break;
  }
  if (search->n_guesses == 0) return T5GIST_OK;
  search->n_drafted += search->n_guesses;
  tg_draft_judge(&search->draft, row);
  if (!search->done && search->draft.kind == T5GIST_DRAFT_RECYCLE) recycle_rejected(search, logits, row + 1, h->ids[h->n - 1]);
  search->n_guesses = 0;
  return T5GIST_OK;
}
