/* tokenizer.json (Hugging Face tokenizers, Unigram only) as a sentencepiece model, and the lists of added tokens. */
#ifndef T5GIST_T5_TOKENIZER_JSON_H
#define T5GIST_T5_TOKENIZER_JSON_H

#include <jansson.h>

#include "runtime/memory.h"
#include "t5gist/types.h"

/* Tokens beside the model's pieces. Zero-initialise. */
typedef struct tg_added_token {
  char *content; /* owned */
  int32_t id;
} tg_added_token;
typedef struct tg_added_tokens {
  tg_added_token *items; /* [n] */
  size_t n, capacity;
} tg_added_tokens;

/* where names the file in messages; id must be an integer from 0 to INT32_MAX. */
t5gist_status tg_added_tokens_add(tg_added_tokens *added, const char *content, const json_t *id, const char *where, t5gist_error *err);
void tg_added_tokens_free(tg_added_tokens *added);

/* The "added_tokens" of a tokenizer.json. */
t5gist_status tg_tokenizer_json_added(const json_t *json, const char *where, tg_added_tokens *added, t5gist_error *err);

/* Appends the bytes of a ModelProto that segments as the tokenizer.json does: its pieces (less the trailing <extra_id_N>), its character map, T5's
 * handling of spaces. The result is still to be checked by tg_spm_check. */
t5gist_status tg_tokenizer_json_model(const json_t *json, const char *where, tg_buffer *model, t5gist_error *err);

#endif
