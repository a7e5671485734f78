/* Reads a sentencepiece ModelProto strictly, before the library sees it: sentencepiece 0.1.97 trusts its files and reads out of bounds, recurses
 * without limit or exits on bad ones. */
#ifndef T5GIST_T5_SPM_CHECK_H
#define T5GIST_T5_SPM_CHECK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "t5gist/types.h"

typedef enum tg_piece_type { /* as in the ModelProto */
                             TG_PIECE_NORMAL = 1,
                             TG_PIECE_UNKNOWN,
                             TG_PIECE_CONTROL,
                             TG_PIECE_USER_DEFINED,
                             TG_PIECE_UNUSED,
                             TG_PIECE_BYTE
} tg_piece_type;

typedef struct tg_piece {
  const char *text; /* NUL-terminated UTF-8 of 1 to 1024 bytes, in the model's texts */
  uint16_t size;
  uint8_t type; /* tg_piece_type */
  uint8_t byte; /* TG_PIECE_BYTE: its value */
} tg_piece;

/* What decoding needs of a model. Zeroed or filled; owned by the caller. */
typedef struct tg_spm_model {
  tg_piece *pieces; /* [n_pieces] */
  size_t n_pieces;
  char *texts;       /* all pieces, one after the other */
  char *unk_surface; /* what an unknown piece decodes to */
  bool add_dummy_prefix, remove_extra_whitespaces;
} tg_spm_model;

/* Checks the bytes of a ModelProto; where begins the messages. Accepts Unigram models only. *model borrows nothing from data. */
t5gist_status tg_spm_check(const void *data, size_t size, const char *where, tg_spm_model *model, t5gist_error *err);
void tg_spm_model_free(tg_spm_model *model);

/* The normaliser's precompiled character map alone: length of the trie (u32), trie (darts units, u32), NUL-terminated replacements. */
t5gist_status tg_spm_check_charsmap(const void *data, size_t size, const char *where, t5gist_error *err);

#endif
