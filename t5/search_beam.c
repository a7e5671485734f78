/* Beam search: Hugging Face's (transformers 4.57.1, GenerationMixin._beam_search) for one request at a time. What its tensors of fixed size hold
 * beside live beams and finished hypotheses is fill that never wins; here it does not exist. The first step has one beam: the others, which start
 * there with a score of -1e9, could only repeat it. */
#include <math.h>
#include <string.h>

#include "runtime/error.h"
#include "t5/search_internal.h"

static float normalised(const tg_search *search, float score, int length) {
  return score / (float)pow(length > 0 ? length : 1, (double)search->options.length_penalty);
}

/* The 2 * beams best continuations of all live beams, best first, and their plain log-probabilities. */
static t5gist_status find_candidates(tg_search *search, float *logits, t5gist_error *err) {
  const size_t n = (size_t)search->t5->config.vocab_size;
  tg_best_clear(&search->candidates);
  for (int b = 0; b < search->n_live; b++) {
    const tg_hypothesis *h = &search->live[b];
    float *row = logits + (size_t)b * n, normaliser;
    TG_TRY(tg_search_normaliser(search, row, &normaliser, err));
    for (size_t i = 0; i < n; i++) row[i] -= normaliser;
    tg_search_keep_top(search, row, 0, search->step * search->options.beams + b);
    TG_TRY(tg_processor_apply(&search->processor, h->ids, (size_t)h->n + 1, row, err));
    tg_best_scan(&search->candidates, row, n, h->score, b);
    tg_processor_restore(&search->processor, row);
  }
  tg_best_sort(&search->candidates);
  for (size_t c = 0; c < search->candidates.n; c++) {
    const tg_best_entry *entry = &search->candidates.entries[c];
    search->plain[c] = logits[(size_t)entry->row * n + (size_t)entry->id];
  }
  return T5GIST_OK;
}

/* child = parent and one token more. */
static void extend(const tg_search *search, const tg_hypothesis *parent, size_t candidate, tg_hypothesis *child) {
  const tg_best_entry *entry = &search->candidates.entries[candidate];
  const size_t n = (size_t)parent->n;
  memcpy(child->ids, parent->ids, (n + 1) * sizeof *child->ids);
  memcpy(child->rows, parent->rows, n * sizeof *child->rows);
  memcpy(child->logprobs, parent->logprobs, n * sizeof *child->logprobs);
  child->ids[n + 1] = entry->id;
  child->rows[n] = search->step * search->options.beams + entry->row;
  child->logprobs[n] = search->plain[candidate];
  child->n = parent->n + 1;
  child->score = entry->score;
}

/* Decodes the candidate's token behind its parent's tail. child: gets the new tail; null: only look. */
static t5gist_status completes_stop(tg_search *search, const tg_hypothesis *parent, int32_t id, tg_hypothesis *child, bool *stops,
                                    t5gist_error *err) {
  *stops = false;
  if (search->longest_stop == 0) return T5GIST_OK;
  tg_buffer *text = &search->scratch;
  tg_decoder_text decoder = parent->tail.decoder;
  text->size = 0;
  TG_TRY(tg_buffer_append(text, parent->tail.bytes, parent->tail.n, err));
  TG_TRY(tg_decoder_text_push(search->t5->tokenizer, &decoder, id, text, err));
  *stops = tg_search_find_stop(search, text, 0) < text->size;
  if (!child) return T5GIST_OK;
  const size_t kept = text->size < search->longest_stop - 1 ? text->size : search->longest_stop - 1;
  child->tail.decoder = decoder;
  child->tail.n = kept;
  if (kept > 0) memcpy(child->tail.bytes, text->data + text->size - kept, kept);
  return T5GIST_OK;
}

/* Puts a hypothesis that ends here among the finished ones, where it is better than the worst of them; behind its equals. A null candidate: the
 * parent itself ends. */
static void finish(tg_search *search, const tg_hypothesis *parent, const size_t *candidate, t5gist_finish why) {
  const float sum = candidate ? search->candidates.entries[*candidate].score : parent->score;
  const float score = normalised(search, sum, parent->n + (candidate != NULL));
  int at = search->n_finished;
  while (at > 0 && score > search->finished[at - 1].score) at--;
  if (at == search->options.beams) return;
  if (search->n_finished < search->options.beams) search->n_finished++;
  tg_hypothesis slot = search->finished[search->n_finished - 1]; /* unused, or the worst, which drops out */
  memmove(search->finished + at + 1, search->finished + at, (size_t)(search->n_finished - 1 - at) * sizeof slot);
  if (candidate) {
    extend(search, parent, *candidate, &slot);
  } else {
    memcpy(slot.ids, parent->ids, ((size_t)parent->n + 1) * sizeof *slot.ids);
    memcpy(slot.rows, parent->rows, (size_t)parent->n * sizeof *slot.rows);
    memcpy(slot.logprobs, parent->logprobs, (size_t)parent->n * sizeof *slot.logprobs);
    slot.n = parent->n;
  }
  slot.score = score;
  slot.finish = why;
  search->finished[at] = slot;
}

/* Sends each candidate to the finished hypotheses or to the live beams. Only the first `beams` candidates may finish: the others stand by so that
 * there are enough to go on with. */
static t5gist_status distribute(tg_search *search, t5gist_error *err) {
  const int beams = search->options.beams;
  const bool last = search->step + 1 == search->options.max_new_tokens;
  int n_next = 0;
  for (size_t c = 0; c < search->candidates.n; c++) {
    const tg_best_entry *entry = &search->candidates.entries[c];
    const tg_hypothesis *parent = &search->live[entry->row];
    bool stops;
    TG_TRY(completes_stop(search, parent, entry->id, n_next < beams ? &search->next[n_next] : NULL, &stops, err));
    const bool ends = entry->id == search->t5->config.eos_id;
    if (ends || stops || last) {
      if (c < (size_t)beams) finish(search, parent, &c, ends ? T5GIST_FINISH_EOS : stops ? T5GIST_FINISH_STOP : T5GIST_FINISH_LENGTH);
    } else if (n_next < beams) {
      extend(search, parent, c, &search->next[n_next++]);
    }
  }
  if (search->candidates.n == 0 && search->n_finished == 0) /* everything is banned: what there is ends here */
    for (int b = 0; b < search->n_live; b++) finish(search, &search->live[b], NULL, T5GIST_FINISH_LENGTH);
  tg_hypothesis *const before = search->live;
  search->live = search->next;
  search->next = before;
  search->n_live = n_next;
  return T5GIST_OK;
}

/* Whether going on could change the result. Without early stopping Hugging Face asks whether the best live beam, were it to end now, would beat the
 * worst finished. */
static bool may_improve(const tg_search *search) {
  if (search->n_live == 0) return false;
  if (search->n_finished < search->options.beams) return true;
  if (search->options.early_stopping) return false;
  return normalised(search, search->live[0].score, search->step) > search->finished[search->n_finished - 1].score;
}

t5gist_status tg_search_advance_beams(tg_search *search, float *logits, t5gist_error *err) {
  TG_TRY(tg_search_grow(search, 1, err));
  TG_TRY(find_candidates(search, logits, err));
  TG_TRY(distribute(search, err));
  search->step++;
  search->done = !may_improve(search);
  return T5GIST_OK;
}
