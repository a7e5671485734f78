/* The one shim over the C++ library sentencepiece: no exception leaves it, and nothing that exits on failure is called. Models must have passed
 * tg_spm_check. Thread-safe after opening. */
#ifndef T5GIST_T5_SPM_H
#define T5GIST_T5_SPM_H

#include "t5/tokenizer.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct tg_spm tg_spm;

/* Loads the bytes of a ModelProto (copied), which must give n_pieces; where begins the messages. */
t5gist_status tg_spm_open(const void *model, size_t size, size_t n_pieces, const char *where, tg_spm **spm, t5gist_error *err);
void tg_spm_close(tg_spm *spm); /* null is allowed */

/* Appends the ids of text, the best segmentation. */
t5gist_status tg_spm_encode(const tg_spm *spm, const char *text, size_t n, tg_ids *out, t5gist_error *err);

/* The library's own decoding, appended to text: the specification of tg_decoder_text_push, which does it id by id. */
t5gist_status tg_spm_decode_reference(const tg_spm *spm, const int32_t *ids, size_t n, tg_buffer *text, t5gist_error *err);

#ifdef __cplusplus
}
#endif
#endif
