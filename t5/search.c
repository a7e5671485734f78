#include <limits.h>
#include <math.h>
#include <string.h>

#include "runtime/error.h"
#include "t5/random.h"
#include "t5/search_internal.h"

/* ------------------------------------------------------------------------------------------------------------------- making and growing */

static void hypotheses_free(tg_hypothesis *list, int n) {
  for (int i = 0; list && i < n; i++) {
    tg_free(list[i].ids);
    tg_free(list[i].rows);
    tg_free(list[i].logprobs);
    tg_free(list[i].tail.bytes);
  }
  tg_free(list);
}

/* n of them, each with its start token. */
static t5gist_status hypotheses_new(const tg_search *search, int n, tg_hypothesis **list, t5gist_error *err) {
  TG_TRY(tg_alloc(list, (size_t)n, sizeof **list, err));
  for (int i = 0; i < n; i++) {
    TG_TRY(tg_alloc(&(*list)[i].ids, 1, sizeof(int32_t), err));
    (*list)[i].ids[0] = search->t5->config.start_id;
    if (search->longest_stop > 1) TG_TRY(tg_alloc(&(*list)[i].tail.bytes, search->longest_stop - 1, 1, err));
  }
  return T5GIST_OK;
}

static t5gist_status hypotheses_grow(tg_hypothesis *list, int n, size_t from, size_t to, bool rows, t5gist_error *err) {
  for (int i = 0; list && i < n; i++) {
    TG_TRY(tg_resize(&list[i].ids, from + 1, to + 1, sizeof(int32_t), err));
    TG_TRY(tg_resize(&list[i].logprobs, from, to, sizeof(float), err));
    if (rows) TG_TRY(tg_resize(&list[i].rows, from, to, sizeof(int32_t), err));
  }
  return T5GIST_OK;
}

t5gist_status tg_search_grow(tg_search *search, int tokens, t5gist_error *err) {
  enum { FIRST = 64 }; /* more than the tokens of any one pass: doubling is enough */
  if (search->step + tokens <= search->capacity) return T5GIST_OK;
  const int longest = search->options.max_new_tokens, beams = search->options.beams;
  const int capacity = search->capacity > longest / 2 ? longest : search->capacity == 0 ? (longest < FIRST ? longest : FIRST) : 2 * search->capacity;
  const size_t from = (size_t)search->capacity, to = (size_t)capacity;
  TG_TRY(hypotheses_grow(search->live, beams, from, to, beams > 1, err));
  TG_TRY(hypotheses_grow(search->next, beams, from, to, true, err));
  TG_TRY(hypotheses_grow(search->finished, beams, from, to, true, err));
  if (search->n_top > 0) {
    size_t per_step; /* rows times step fits an int, and a step's alternatives are no more than the logits */
    if (!tg_size_mul((size_t)beams, (size_t)search->n_top, &per_step) || !tg_size_mul(per_step, sizeof *search->tops, &per_step))
      return tg_fail(err, T5GIST_ENOMEM, "top_logprobs %d with %d beams are more than memory can hold", search->n_top, beams);
    TG_TRY(tg_resize(&search->tops, from, to, per_step, err));
  }
  search->capacity = capacity;
  return T5GIST_OK;
}

static t5gist_status collect_banned(tg_search *search, size_t *n_banned, t5gist_error *err) {
  const tg_config *config = &search->t5->config;
  *n_banned = (size_t)config->n_gist_ids + 1;
  TG_TRY(tg_alloc(&search->banned, *n_banned, sizeof *search->banned, err));
  search->banned[0] = config->pad_id;
  if (config->n_gist_ids > 0) memcpy(search->banned + 1, config->gist_ids, (size_t)config->n_gist_ids * sizeof *search->banned);
  return T5GIST_OK;
}

static t5gist_status check(const tg_config *config, const t5gist_options *options, size_t n_banned, t5gist_error *err) {
  const int beams = options->beams;
  if (options->max_new_tokens > (INT_MAX - 1) / beams)
    return tg_fail(err, T5GIST_EUSAGE, "max_new_tokens %d with %d beams: expected a product of at most %d", options->max_new_tokens, beams,
                   INT_MAX - 1);
  /* The end token may be banned too; 2 * beams candidates must remain at every step. */
  if (beams > 1 && 2 * (size_t)beams + n_banned + 1 > (size_t)config->vocab_size)
    return tg_fail(err, T5GIST_EUSAGE, "%d beams are too many for a vocabulary of %d tokens", beams, config->vocab_size);
  if (beams > 1 && options->temperature > 0)
    return tg_fail(err, T5GIST_EUSAGE, "sampling (temperature %g) with %d beams: choose one", (double)options->temperature, beams);
  return T5GIST_OK;
}

static t5gist_status prepare_beams(tg_search *search, t5gist_error *err) {
  const int beams = search->options.beams;
  TG_TRY(hypotheses_new(search, beams, &search->next, err));
  TG_TRY(hypotheses_new(search, beams, &search->finished, err));
  TG_TRY(tg_alloc(&search->plain, 2 * (size_t)beams, sizeof *search->plain, err));
  return tg_best_init(&search->candidates, 2 * (size_t)beams, err);
}

static t5gist_status prepare(tg_search *search, t5gist_error *err) {
  const tg_config *config = &search->t5->config;
  const t5gist_options *o = &search->options;
  const size_t vocab_size = (size_t)config->vocab_size;
  size_t n_banned;
  for (size_t s = 0; s < o->n_stop; s++) {
    const size_t length = strlen(o->stop[s]);
    if (length > search->longest_stop) search->longest_stop = length;
  }
  TG_TRY(collect_banned(search, &n_banned, err));
  TG_TRY(check(config, o, n_banned, err));
  const tg_rules rules = {.repetition_penalty = o->repetition_penalty,
                          .no_repeat_ngram_size = o->no_repeat_ngram_size,
                          .min_new_tokens = o->min_new_tokens,
                          .end_id = config->eos_id,
                          .banned = search->banned,
                          .n_banned = n_banned};
  TG_TRY(tg_processor_init(&search->processor, &rules, vocab_size, err));
  search->n_top = o->top_logprobs < config->vocab_size ? o->top_logprobs : config->vocab_size;
  if (search->n_top > 0) TG_TRY(tg_best_init(&search->top, (size_t)search->n_top, err));
  TG_TRY(hypotheses_new(search, o->beams, &search->live, err));
  search->n_live = 1;
  search->live[0].finish = T5GIST_FINISH_LENGTH; /* should the caller cancel */
  if (o->beams > 1) TG_TRY(prepare_beams(search, err));
  if (o->temperature > 0) TG_TRY(tg_sampler_init(&search->sampler, o->temperature, o->top_k, o->top_p, vocab_size, err));
  search->random_key = tg_random_key(o->seed, o->request_key);
  return T5GIST_OK;
}

t5gist_status tg_search_new(const tg_t5 *t5, const t5gist_options *options, t5gist_text_callback *on_text, void *user, tg_search **out,
                            t5gist_error *err) {
  tg_search *search;
  TG_TRY(tg_alloc(&search, 1, sizeof *search, err));
  search->t5 = t5;
  search->options = *options;
  search->on_text = options->beams > 1 ? NULL : on_text;
  search->user = user;
  const t5gist_status status = prepare(search, err);
  if (status == T5GIST_OK)
    *out = search;
  else
    tg_search_free(search);
  return status;
}

void tg_search_free(tg_search *search) {
  if (!search) return;
  hypotheses_free(search->live, search->options.beams);
  hypotheses_free(search->next, search->options.beams);
  hypotheses_free(search->finished, search->options.beams);
  tg_processor_free(&search->processor);
  tg_sampler_free(&search->sampler);
  tg_best_free(&search->top);
  tg_best_free(&search->candidates);
  tg_buffer_free(&search->text);
  tg_buffer_free(&search->scratch);
  tg_free(search->tops);
  tg_free(search->plain);
  tg_free(search->banned);
  tg_free(search);
}

/* ---------------------------------------------------------------------------------------------------------------------------- stepping */

void tg_search_set_draft(tg_search *search, const tg_draft *draft) {
  search->draft = *draft;
  tg_draft_begin(&search->draft);
}

t5gist_status tg_search_guess(tg_search *search, int most, t5gist_error *err) {
  tg_hypothesis *h = &search->live[0];
  const int left = search->options.max_new_tokens - search->step - 1; /* one token comes without guessing */
  search->n_guesses = 0;
  if (most > left) most = left;
  if (most > TG_DRAFT_MOST) most = TG_DRAFT_MOST;
  if (most <= 0 || !tg_draft_is_on(&search->draft)) return T5GIST_OK;
  TG_TRY(tg_search_grow(search, 1 + most, err));
  search->n_guesses = tg_draft_propose(&search->draft, h->ids, h->n + 1, most, search->guesses);
  memcpy(h->ids + h->n + 1, search->guesses, (size_t)search->n_guesses * sizeof *h->ids);
  return T5GIST_OK;
}

int tg_search_width(const tg_search *search) {
  return search->n_live;
}

int tg_search_cache_rows(const tg_search *search) {
  return search->step * search->options.beams + search->n_live + search->n_guesses;
}

void tg_search_next(const tg_search *search, tg_decoder_sequence *sequences) {
  for (int b = 0; b < search->n_live; b++) {
    const tg_hypothesis *h = &search->live[b];
    sequences[b].ids = h->ids + h->n;
    sequences[b].n = 1 + search->n_guesses;
    sequences[b].position = h->n;
    sequences[b].history = h->rows; /* null with one beam */
    sequences[b].cache_row = search->step * search->options.beams + b;
  }
}

t5gist_status tg_search_advance(tg_search *search, float *logits, t5gist_error *err) {
  return search->options.beams > 1 ? tg_search_advance_beams(search, logits, err) : tg_search_advance_greedy(search, logits, err);
}

bool tg_search_done(const tg_search *search) {
  return search->done;
}

bool tg_search_cancelled(const tg_search *search) {
  return search->cancelled;
}

t5gist_status tg_search_normaliser(const tg_search *search, const float *logits, float *normaliser, t5gist_error *err) {
  *normaliser = tg_logsumexp(logits, (size_t)search->t5->config.vocab_size);
  if (isfinite(*normaliser)) return T5GIST_OK;
  return tg_fail(err, T5GIST_EINTERNAL, "the logits of token %d are not finite numbers: are the model's weights damaged? (t5gist verify)",
                 search->step + 1);
}

void tg_search_keep_top(tg_search *search, const float *logits, float normaliser, int cache_row) {
  if (search->n_top == 0) return;
  tg_best_clear(&search->top);
  tg_best_scan(&search->top, logits, (size_t)search->t5->config.vocab_size, -normaliser, 0);
  tg_best_sort(&search->top);
  t5gist_alternative *to = search->tops + (size_t)cache_row * (size_t)search->n_top;
  for (int i = 0; i < search->n_top; i++) {
    const bool there = (size_t)i < search->top.n; /* logits of -inf have no place among the best */
    to[i] = there ? (t5gist_alternative){search->top.entries[i].id, search->top.entries[i].score}
                  : (t5gist_alternative){search->t5->config.pad_id, -INFINITY};
  }
}

size_t tg_search_find_stop(const tg_search *search, const tg_buffer *text, size_t from) {
  size_t first = text->size;
  for (size_t s = 0; s < search->options.n_stop; s++) {
    const size_t length = strlen(search->options.stop[s]);
    if (length == 0 || from >= text->size) continue;
    const char *at = memmem(text->data + from, text->size - from, search->options.stop[s], length);
    if (at && (size_t)(at - text->data) < first) first = (size_t)(at - text->data);
  }
  return first;
}

/* ------------------------------------------------------------------------------------------------------------------------------ answer */

/* The text of generated ids, up to the first stop text. */
static t5gist_status decode(const tg_search *search, const tg_hypothesis *h, char **text, t5gist_error *err) {
  t5gist_status status = T5GIST_OK;
  tg_decoder_text decoder = {0};
  tg_buffer buffer = {0};
  for (int i = 1; i <= h->n; i++) TG_GOTO(tg_decoder_text_push(search->t5->tokenizer, &decoder, h->ids[i], &buffer, err));
  TG_GOTO(tg_decoder_text_finish(&decoder, &buffer, err));
  TG_GOTO(tg_strndup(text, buffer.data ? buffer.data : "", tg_search_find_stop(search, &buffer, 0), err));
done:
  tg_buffer_free(&buffer);
  return status;
}

static t5gist_status copy_tokens(const tg_hypothesis *h, int32_t **tokens, int *n, t5gist_error *err) {
  TG_TRY(tg_alloc(tokens, (size_t)h->n, sizeof **tokens, err));
  memcpy(*tokens, h->ids + 1, (size_t)h->n * sizeof **tokens);
  *n = h->n;
  return T5GIST_OK;
}

static t5gist_status copy_tops(const tg_search *search, const tg_hypothesis *h, t5gist_answer *answer, t5gist_error *err) {
  const size_t n_top = (size_t)search->n_top;
  if (n_top == 0) return T5GIST_OK;
  TG_TRY(tg_alloc(&answer->top_logprobs, (size_t)h->n * n_top, sizeof *answer->top_logprobs, err)); /* no more than tops hold */
  answer->n_top = search->n_top;
  for (int i = 0; i < h->n; i++) {
    const size_t row = (size_t)(h->rows ? h->rows[i] : i);
    memcpy(answer->top_logprobs + (size_t)i * n_top, search->tops + row * n_top, n_top * sizeof *search->tops);
  }
  return T5GIST_OK;
}

static t5gist_status copy_others(const tg_search *search, t5gist_answer *answer, t5gist_error *err) {
  const int n = (search->options.n_best < search->n_finished ? search->options.n_best : search->n_finished) - 1;
  if (n <= 0) return T5GIST_OK;
  TG_TRY(tg_alloc(&answer->others, (size_t)n, sizeof *answer->others, err));
  for (int i = 0; i < n; i++) {
    const tg_hypothesis *h = &search->finished[i + 1];
    t5gist_hypothesis *to = &answer->others[i];
    answer->n_others = i + 1;
    to->score = h->score;
    TG_TRY(copy_tokens(h, &to->tokens, &to->n_tokens, err));
    TG_TRY(decode(search, h, &to->text, err));
  }
  return T5GIST_OK;
}

t5gist_status tg_search_answer(tg_search *search, t5gist_answer *answer, t5gist_error *err) {
  const bool beams = search->options.beams > 1;
  const tg_hypothesis *best = beams ? &search->finished[0] : &search->live[0];
  answer->finish = best->finish;
  answer->n_drafted = search->n_drafted;
  answer->n_accepted = search->n_accepted;
  TG_TRY(copy_tokens(best, &answer->tokens, &answer->n_tokens, err));
  TG_TRY(tg_alloc(&answer->logprobs, (size_t)best->n, sizeof *answer->logprobs, err));
  memcpy(answer->logprobs, best->logprobs, (size_t)best->n * sizeof *answer->logprobs);
  TG_TRY(copy_tops(search, best, answer, err));
  if (!beams) return tg_strndup(&answer->text, search->text.data ? search->text.data : "", search->text.size, err);
  answer->sequence_score = best->score;
  TG_TRY(decode(search, best, &answer->text, err));
  return copy_others(search, answer, err);
}
