/* Drafts: guesses at the next tokens of a greedy answer. The search verifies all of them in one decoder pass (t5/search.h): a right guess saves a
 * pass, a wrong one costs a row of one, and neither changes a token. */
#ifndef T5GIST_T5_DRAFT_H
#define T5GIST_T5_DRAFT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "t5gist/t5gist.h"

enum { TG_DRAFT_MOST = 7 }; /* guesses of one pass, at most */

/* Token recycling (Luo et al., arXiv 2408.08696) in its chain form: for each token, what the model last put behind it, also where the token was a
 * wrong guess. The token before tells occurrences apart. Shared by the searches of a session, one thread at a time. */
enum { TG_SUCCESSORS = 4 };
typedef struct tg_successor {
  int32_t previous, next; /* next: id + 1; 0: none */
} tg_successor;
typedef struct tg_recycler {
  tg_successor *seen; /* owned, [vocab_size, TG_SUCCESSORS], latest first */
  int vocab_size;
} tg_recycler;
t5gist_status tg_recycler_prepare(tg_recycler *recycler, int vocab_size, t5gist_error *err); /* nothing where it was done before */
void tg_recycler_free(tg_recycler *recycler);                                                /* zeroed or prepared */

/* For tests and measurements: guesses come from a known answer, each right with probability p, by its position and the seed alone. */
typedef struct tg_draft_script {
  const int32_t *tokens; /* [n] */
  int n;
  float p;
  uint64_t seed;
} tg_draft_script;

/* One request's guessing. Owns nothing. Fill the first part, zero the rest. */
typedef struct tg_draft {
  t5gist_draft kind;
  const int32_t *source; /* lookup: [n_source] tokens of the prompt */
  size_t n_source;
  tg_recycler *recycler;         /* recycle */
  const tg_draft_script *script; /* null: none; otherwise in place of kind */
  int vocab_size;

  float hits; /* how often the first guess was right of late, 0..1 */
  int idle;   /* passes to come without guesses */
} tg_draft;

static inline bool tg_draft_is_on(const tg_draft *draft) {
  return draft->kind != T5GIST_DRAFT_NONE || draft->script;
}
void tg_draft_begin(tg_draft *draft);
/* Guesses what follows ids [n_ids], the start token and what was generated: at most `most` ids of the vocabulary into guesses; how many. None at
 * times where guesses were wrong too often. */
int tg_draft_propose(tg_draft *draft, const int32_t *ids, int n_ids, int most, int32_t *guesses);
/* What became of a proposal of at least one guess. */
void tg_draft_judge(tg_draft *draft, int n_right);
/* The model put next behind `previous, token`; previous is -1 before the first. */
void tg_draft_observe(tg_draft *draft, int32_t previous, int32_t token, int32_t next);

#endif
