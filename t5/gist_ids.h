/* Which rows of a vocabulary are gist tokens. */
#ifndef T5GIST_T5_GIST_IDS_H
#define T5GIST_T5_GIST_IDS_H

#include "t5/config.h"
#include "t5/tokenizer.h"

/* Rows of the vocabulary that text can reach: the pieces, and <extra_id_0> .. where the tokenizer puts them behind. */
int tg_text_rows(const tg_tokenizer *tokenizer);

/* The one rule for a model's gist tokens: the "t5gist" block's; else row 32100 of a vocabulary of 32101 rows, unless text can reach it; else the
 * added token <GIST>; else none. Fills config->gist_ids. */
t5gist_status tg_find_gist_ids(const tg_tokenizer *tokenizer, tg_config *config, t5gist_error *err);

#endif
