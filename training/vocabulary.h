/* A vocabulary from nothing: sentencepiece's own unigram trainer over a corpus, by T5's conventions: <pad> 0, </s> 1, <unk> 2, no start token, texts
 * normalised by nmt_nfkc, a space put before each. (The layer that maps states to a vocabulary is the pass's; vocabulary.cc here is the shim over
 * the library.)
 *
 * The trainer ends the program where it finds itself in a state that it thinks impossible. What leads there is refused before: sizes, coverage and
 * pieces out of range, texts in which nothing but white space and user pieces is left, more text than its 32-bit arrays take, texts and words of any
 * length (they are cut). What remains: a lack of memory in its worker thread, and texts all of whose substrings are so evenly spread that its first
 * round drops every candidate (not seen; only possible in texts of a few words). */
#ifndef T5GIST_TRAINING_VOCABULARY_H
#define T5GIST_TRAINING_VOCABULARY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "t5gist/types.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct tg_vocabulary_options {
  int size;       /* pieces, all of them: three of T5's, user pieces, bytes, and as many as are to be learned; <extra_id_N> and gist tokens are
                   * rows beyond and not counted */
  float coverage; /* share of the corpus's characters that get a piece of their own, 0.98 to 1 */
  bool bytes;     /* characters without one become bytes (256 pieces) instead of <unk> */
  bool split_digits;
  const char *const *user_pieces; /* [n_user_pieces] never cut in two: valid UTF-8 of up to 64 bytes without white space, all different */
  size_t n_user_pieces;
  size_t max_sentences; /* so many lines of the corpus, chosen at random; 0: all, which may be 127 MiB together at most */
  uint64_t seed;
} tg_vocabulary_options;

/* The next text of a corpus, borrowed until the next call; null: there are no more. */
typedef t5gist_status tg_vocabulary_text(void *user, const char **text, size_t *n, t5gist_error *err);

/* Trains on the texts and writes the model to out_path (spiece.model), atomically, after tg_spm_check has passed it. The same texts and options give
 * the same bytes: one thread, and no random numbers but ours. What the library says on standard error is silenced, for the whole process. Not
 * thread-safe. */
t5gist_status tg_vocabulary_train(const tg_vocabulary_options *options, tg_vocabulary_text *next, void *user, const char *out_path,
                                  t5gist_error *err);

#ifdef __cplusplus
}
#endif
#endif
