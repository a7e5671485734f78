#include "t5/draft.h"

#include <string.h>

#include "runtime/memory.h"
#include "t5/random.h"

/* ----------------------------------------------------------------------------------------------------------------------------- recycling */

t5gist_status tg_recycler_prepare(tg_recycler *recycler, int vocab_size, t5gist_error *err) {
  if (recycler->seen) return T5GIST_OK;
  recycler->vocab_size = vocab_size;
  return tg_alloc(&recycler->seen, (size_t)vocab_size, TG_SUCCESSORS * sizeof *recycler->seen, err);
}

void tg_recycler_free(tg_recycler *recycler) {
  tg_free(recycler->seen);
  *recycler = (tg_recycler){0};
}

static tg_successor *successors(const tg_recycler *recycler, int32_t token) {
  return token >= 0 && token < recycler->vocab_size ? recycler->seen + (size_t)token * TG_SUCCESSORS : NULL;
}

/* Behind the same token before, or else what came last; -1: never seen. */
static int32_t recall(const tg_recycler *recycler, int32_t previous, int32_t token) {
  const tg_successor *s = successors(recycler, token);
  if (!s) return -1;
  for (int i = 0; i < TG_SUCCESSORS && s[i].next; i++)
    if (s[i].previous == previous) return s[i].next - 1;
  return s[0].next - 1;
}

void tg_draft_observe(tg_draft *draft, int32_t previous, int32_t token, int32_t next) {
  if (draft->kind != T5GIST_DRAFT_RECYCLE) return;
  tg_successor *s = successors(draft->recycler, token);
  if (!s) return;
  int at = 0;
  while (at < TG_SUCCESSORS - 1 && s[at].next && s[at].previous != previous) at++;
  memmove(s + 1, s, (size_t)at * sizeof *s);
  s[0] = (tg_successor){previous, next + 1};
}

static int propose_recycled(const tg_draft *draft, const int32_t *ids, int n_ids, int most, int32_t *guesses) {
  int32_t previous = n_ids > 1 ? ids[n_ids - 2] : -1, token = ids[n_ids - 1];
  int n = 0;
  for (int32_t next; n < most && (next = recall(draft->recycler, previous, token)) >= 0; n++) {
    guesses[n] = next;
    previous = token;
    token = next;
  }
  return n;
}

/* -------------------------------------------------------------------------------------------------------------------------------- lookup */

/* How many tokens that end at text[at] also end ids, at most LONGEST_MATCH. */
enum { LONGEST_MATCH = 8 };
static int match_length(const int32_t *text, size_t at, const int32_t *ids, int n_ids) {
  int n = 0;
  while (n < LONGEST_MATCH && n < n_ids && (size_t)n <= at && text[at - (size_t)n] == ids[n_ids - 1 - n]) n++;
  return n;
}

/* Where the longest match ends; of equals the first in the source, then the last in the answer, the source before the answer. */
static int propose_lookup(const tg_draft *draft, const int32_t *ids, int n_ids, int most, int32_t *guesses) {
  const int32_t *answer = ids + 1; /* the start token is in no text */
  const int n_answer = n_ids - 1;
  const int32_t *from = NULL;
  size_t left = 0;
  int longest = 0, n = 0;
  if (n_answer == 0) return 0;
  for (size_t at = 0; at + 1 < draft->n_source && longest < LONGEST_MATCH; at++) {
    const int length = match_length(draft->source, at, answer, n_answer);
    if (length <= longest) continue;
    longest = length;
    from = draft->source + at + 1;
    left = draft->n_source - at - 1;
  }
  for (int at = n_answer - 2; at >= 0 && longest < LONGEST_MATCH; at--) {
    const int length = match_length(answer, (size_t)at, answer, n_answer);
    if (length <= longest) continue;
    longest = length;
    from = answer + at + 1;
    left = (size_t)(n_answer - at - 1);
  }
  for (; n < most && (size_t)n < left; n++) guesses[n] = from[n];
  return n;
}

/* ------------------------------------------------------------------------------------------------------------------------------ scripted */

static int propose_scripted(const tg_draft *draft, int n_ids, int most, int32_t *guesses) {
  const tg_draft_script *script = draft->script;
  int n = 0;
  for (int at = n_ids - 1; n < most && at < script->n; at++, n++) {
    const double uniform = (double)(tg_random_at(script->seed, (uint64_t)at) >> 11) * 0x1p-53;
    guesses[n] = uniform < (double)script->p ? script->tokens[at] : (script->tokens[at] + 1) % draft->vocab_size;
  }
  return n;
}

/* ------------------------------------------------------------------------------------------------------------------------------- pacing */

/* A row with a guess costs a few per cent of a pass, more with long inputs. So a request begins with one guess, as many as allowed follow where the
 * first was often right, and where it was right less often than one time in six only every eighth pass tries again. */
static const float FIRST_HITS = 0.34f, FOR_MORE = 0.35f, WORTH_IT = 0.16f, MEMORY = 0.8f;
enum { PAUSE = 7 };

void tg_draft_begin(tg_draft *draft) {
  draft->hits = FIRST_HITS;
  draft->idle = 0;
}

void tg_draft_judge(tg_draft *draft, int n_right) {
  draft->hits = MEMORY * draft->hits + (n_right > 0 ? 1 - MEMORY : 0);
  if (draft->hits < WORTH_IT) draft->idle = PAUSE;
}

int tg_draft_propose(tg_draft *draft, const int32_t *ids, int n_ids, int most, int32_t *guesses) {
  int n = 0, valid = 0;
  if (draft->idle > 0) {
    draft->idle--;
    return 0;
  }
  if (most > 1 && draft->hits < FOR_MORE) most = 1;
  if (draft->script)
    n = propose_scripted(draft, n_ids, most, guesses);
  else if (draft->kind == T5GIST_DRAFT_LOOKUP)
    n = propose_lookup(draft, ids, n_ids, most, guesses);
  else if (draft->kind == T5GIST_DRAFT_RECYCLE)
    n = propose_recycled(draft, ids, n_ids, most, guesses);
  while (valid < n && guesses[valid] >= 0 && guesses[valid] < draft->vocab_size) valid++;
  return valid;
}
