#include "t5/gist_ids.h"

#include <string.h>

#include "runtime/error.h"

/* The vocabulary of the published gist checkpoints: the 32,100 rows of T5's tokenizer and one gist row behind them. */
enum { PUBLISHED_VOCAB = 32101, PUBLISHED_GIST = 32100 };

int tg_text_rows(const tg_tokenizer *tokenizer) {
  int rows = tg_tokenizer_pieces(tokenizer);
  while (strncmp(tg_tokenizer_piece(tokenizer, rows), "<extra_id_", 10) == 0) rows++;
  return rows;
}

t5gist_status tg_find_gist_ids(const tg_tokenizer *tokenizer, tg_config *config, t5gist_error *err) {
  if (config->n_gist_ids > 0) return T5GIST_OK;
  const bool published = config->vocab_size == PUBLISHED_VOCAB && tg_text_rows(tokenizer) <= PUBLISHED_GIST;
  const int32_t id = published ? PUBLISHED_GIST : tg_tokenizer_added(tokenizer, "<GIST>");
  if (id < 0 || id >= config->vocab_size) return T5GIST_OK;
  TG_TRY(tg_alloc(&config->gist_ids, 1, sizeof *config->gist_ids, err));
  config->gist_ids[0] = id;
  config->n_gist_ids = 1;
  return T5GIST_OK;
}
