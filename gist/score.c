/* Scoring: the log-probability of given targets under teacher forcing. */
#include <math.h>
#include <string.h>

#include "gist/session.h"
#include "runtime/error.h"
#include "runtime/kernels.h"

static int length(const tg_scoring *scoring, size_t i) {
  return (int)scoring->fed[i].n - 1;
} /* predicted tokens of target i */

static t5gist_status prepare_target(const tg_t5 *t5, const char *text, tg_ids *fed, t5gist_target_score *score, t5gist_error *err) {
  const int32_t start = t5->config.start_id, end = t5->config.eos_id;
  TG_TRY(tg_ids_append(fed, &start, 1, err));
  TG_TRY(tg_tokenizer_encode(t5->tokenizer, text, strlen(text), fed, err));
  TG_TRY(tg_ids_append(fed, &end, 1, err));
  if (fed->n > INT32_MAX / 2) return tg_fail(err, T5GIST_EUNSUPPORTED, "a target of %zu tokens is too long", fed->n);
  const size_t n = fed->n - 1;
  TG_TRY(tg_alloc(&score->ids, n, sizeof *score->ids, err));
  TG_TRY(tg_alloc(&score->logprobs, n, sizeof *score->logprobs, err));
  memcpy(score->ids, fed->ids + 1, n * sizeof *score->ids);
  score->n_ids = (int)n;
  return T5GIST_OK;
}

t5gist_status tg_scoring_prepare(const tg_t5 *t5, const t5gist_request *request, tg_scoring *scoring, t5gist_answer *answer, t5gist_error *err) {
  TG_TRY(tg_alloc(&scoring->fed, request->n_targets, sizeof *scoring->fed, err));
  scoring->n = request->n_targets;
  TG_TRY(tg_alloc(&answer->scores, request->n_targets, sizeof *answer->scores, err));
  answer->n_scores = (int)request->n_targets;
  for (size_t i = 0; i < scoring->n; i++) {
    const t5gist_status status = prepare_target(t5, request->targets[i], &scoring->fed[i], &answer->scores[i], err);
    if (status != T5GIST_OK) return tg_error_context(err, status, "target %zu: ", i + 1);
  }
  return T5GIST_OK;
}

void tg_scoring_free(tg_scoring *scoring) {
  for (size_t i = 0; scoring->fed && i < scoring->n; i++) tg_free(scoring->fed[i].ids);
  tg_free(scoring->fed);
  *scoring = (tg_scoring){0};
}

int tg_scoring_width(const tg_scoring *scoring) {
  int rows = 0;
  for (size_t i = 0; i < scoring->n && rows < TG_SCORE_ROWS; i++) rows += length(scoring, i);
  return rows < TG_SCORE_ROWS ? rows : TG_SCORE_ROWS;
}

int tg_scoring_cache_rows(const tg_scoring *scoring) {
  int rows = TG_SCORE_ROWS;
  for (size_t i = 0; i < scoring->n; i++) {
    if (length(scoring, i) > rows) rows = length(scoring, i);
  }
  return rows;
}

int tg_scoring_next(const tg_scoring *scoring, tg_decoder_sequence *sequences) {
  const int left = length(scoring, scoring->next) - scoring->done;
  if (scoring->done > 0 || left > TG_SCORE_ROWS) { /* a stretch of a long one, alone: its rows are the cache's first */
    sequences[0] = (tg_decoder_sequence){.ids = scoring->fed[scoring->next].ids + scoring->done,
                                         .n = left < TG_SCORE_ROWS ? left : TG_SCORE_ROWS,
                                         .position = scoring->done,
                                         .cache_row = scoring->done};
    return 1;
  }
  int n = 0, rows = 0;
  for (size_t i = scoring->next; i < scoring->n && rows + length(scoring, i) <= TG_SCORE_ROWS; i++) {
    sequences[n++] = (tg_decoder_sequence){.ids = scoring->fed[i].ids, .n = length(scoring, i), .cache_row = rows};
    rows += length(scoring, i);
  }
  return n;
}

/* One more predicted token of the target being scored. */
static t5gist_status take_logits(tg_scoring *scoring, const float *logits, size_t vocab_size, t5gist_target_score *score, t5gist_error *err) {
  const float normaliser = tg_logsumexp(logits, vocab_size);
  if (!isfinite(normaliser)) {
    return tg_fail(err, T5GIST_EINTERNAL,
                   "target %zu: the logits of token %d are not finite numbers: are the model's weights damaged? (t5gist verify)", scoring->next + 1,
                   scoring->done + 1);
  }
  const int at = scoring->done++;
  score->logprobs[at] = logits[score->ids[at]] - normaliser;
  score->logprob += (double)score->logprobs[at];
  return T5GIST_OK;
}

t5gist_status tg_scoring_advance(tg_scoring *scoring, const float *logits, size_t vocab_size, t5gist_answer *answer, t5gist_error *err) {
  tg_decoder_sequence sequences[TG_SCORE_ROWS];
  const int n = tg_scoring_next(scoring, sequences); /* the pass that the logits belong to */
  for (int i = 0; i < n; i++) {
    t5gist_target_score *score = &answer->scores[scoring->next];
    for (int row = 0; row < sequences[i].n; row++, logits += vocab_size) TG_TRY(take_logits(scoring, logits, vocab_size, score, err));
    if (scoring->done < score->n_ids) break;
    scoring->next++;
    scoring->done = 0;
  }
  return T5GIST_OK;
}

bool tg_scoring_done(const tg_scoring *scoring) {
  return scoring->next == scoring->n;
}
