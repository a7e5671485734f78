/* Search: greedy, sampling and beams with Hugging Face's semantics (transformers 4.57.1), as a state machine: it says which tokens to decode next, is
 * given their logits, and ends. It never computes the model itself, so many searches share one decoder pass.
 *
 * Where Hugging Face leaves it open: of equal scores the lowest id wins, of equal beams the first. Random numbers depend on (seed, request_key, step)
 * alone. With beams, a stop text ends a hypothesis as the end token does. Where every token is banned, the answer ends with what there is. */
#ifndef T5GIST_T5_SEARCH_H
#define T5GIST_T5_SEARCH_H

#include "t5/decoder.h"
#include "t5/draft.h"

typedef struct tg_search tg_search;

/* options: resolved and valid (t5gist_options_resolve), copied; their stop texts are borrowed. Gist ids and pad are never generated. on_text is not
 * called with beams. Errors: more beams than the vocabulary can feed, beams with sampling, no memory. */
t5gist_status tg_search_new(const tg_t5 *t5, const t5gist_options *options, t5gist_text_callback *on_text, void *user, tg_search **search,
                            t5gist_error *err);
void tg_search_free(tg_search *search); /* null is allowed */

/* Greedy search only: from now on tg_search_guess asks draft, which is copied. What it points to must outlive the search. */
void tg_search_set_draft(tg_search *search, const tg_draft *draft);
/* Before each pass: prepares at most `most` guesses for it, which stand behind the token of its one sequence. Without a call there are none. */
t5gist_status tg_search_guess(tg_search *search, int most, t5gist_error *err);

/* How many sequences the next decoder pass must take for this search: 1, or the number of live beams. */
int tg_search_width(const tg_search *search);
/* Cache rows that the next pass needs in all: for tg_cache_reserve. Rows of guesses that were wrong are handed out again. */
int tg_search_cache_rows(const tg_search *search);
/* Fills width sequences (ids, n, position, history, cache_row; borrowed until advance); the caller sets cache and memory. */
void tg_search_next(const tg_search *search, tg_decoder_sequence *sequences);
/* Takes the logits of those sequences, [sum of n, vocab_size], which it may overwrite, and moves on by one token, and one more for each guess that
 * was right. After a failure (logits that are not finite, no memory) only tg_search_free is allowed. */
t5gist_status tg_search_advance(tg_search *search, float *logits, t5gist_error *err);
bool tg_search_done(const tg_search *search);      /* nothing left to decode */
bool tg_search_cancelled(const tg_search *search); /* on_text returned false */

/* After done: fills text, tokens, logprobs, top_logprobs, finish, sequence_score, others, n_drafted, n_accepted of *answer (other fields untouched;
 * zeroed before). After a failure what is filled is still the caller's to clear. top_logprobs of beams are the best hypothesis's. */
t5gist_status tg_search_answer(tg_search *search, t5gist_answer *answer, t5gist_error *err);

#endif
