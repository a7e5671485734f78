/* Text to ids and back: sentencepiece (the C++ library behind one shim), over spiece.model or a model rebuilt from tokenizer.json (Unigram).
 *
 * `<extra_id_N>` in a text is read as its special id, the stretches around it tokenised on their own; "<GIST>", "</s>", "<pad>" and "<unk>" stay
 * plain text: no text can forge a gist or an end. */
#ifndef T5GIST_T5_TOKENIZER_H
#define T5GIST_T5_TOKENIZER_H

#include <stdbool.h>

#include "runtime/memory.h"
#include "t5gist/types.h"

typedef struct tg_tokenizer tg_tokenizer;

/* A growing list of ids. Zero-initialise; free ids with tg_free. */
typedef struct tg_ids {
  int32_t *ids; /* [n] */
  size_t n, capacity;
} tg_ids;
t5gist_status tg_ids_append(tg_ids *list, const int32_t *ids, size_t n, t5gist_error *err);

/* Opens dir/spiece.model, else dir/tokenizer.json. Both are checked before the library sees them. vocab_size: rows of the embedding; a piece
 * beyond them is an error. Thread-safe after opening. */
t5gist_status tg_tokenizer_open(const char *dir, int vocab_size, tg_tokenizer **tokenizer, t5gist_error *err);
void tg_tokenizer_free(tg_tokenizer *tokenizer);
const char *tg_tokenizer_path(const tg_tokenizer *tokenizer); /* the file used */
int tg_tokenizer_pieces(const tg_tokenizer *tokenizer);
/* Id of an added token (added_tokens.json, tokenizer.json, tokenizer_config.json) by its text, or -1. */
int32_t tg_tokenizer_added(const tg_tokenizer *tokenizer, const char *content);

/* Before sharing: makes ids that no text may ever produce (gist, pad, end). `<extra_id_N>` of such an id becomes plain text; an ordinary piece among
 * them is an error. */
t5gist_status tg_tokenizer_reserve(tg_tokenizer *tokenizer, const int32_t *ids, size_t n, t5gist_error *err);

/* Appends the ids of a text (valid UTF-8, or an error with the offset). No end token is added. */
t5gist_status tg_tokenizer_encode(const tg_tokenizer *tokenizer, const char *text, size_t n, tg_ids *out, t5gist_error *err);

/* The piece of an id for people ("▁house", "</s>", "<extra_id_3>", "<GIST>" for other added rows); borrowed; never null. */
const char *tg_tokenizer_piece(const tg_tokenizer *tokenizer, int32_t id);

/* Ids to text, as sentencepiece decodes them, special ids (pad, </s>, extra ids, rows beyond the pieces) left out.
 * *text is the caller's. The byte piece <0x00> becomes U+FFFD, for texts are NUL-terminated. */
t5gist_status tg_tokenizer_decode(const tg_tokenizer *tokenizer, const int32_t *ids, size_t n, char **text, t5gist_error *err);

/* The same, id by id: text grows by what the new id completes, whole UTF-8 characters only (bytes of a byte-fallback character wait in the
 * decoder). After the last id, finish turns waiting bytes into U+FFFD. The concatenation equals tg_tokenizer_decode. Zero-initialise. */
typedef struct tg_decoder_text {
  char waiting[4];
  int n_waiting;
  bool started; /* the first piece loses its leading space */
} tg_decoder_text;
t5gist_status tg_decoder_text_push(const tg_tokenizer *tokenizer, tg_decoder_text *state, int32_t id, tg_buffer *text, t5gist_error *err);
t5gist_status tg_decoder_text_finish(tg_decoder_text *state, tg_buffer *text, t5gist_error *err);

#endif
