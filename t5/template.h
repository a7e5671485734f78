/* The parts of a prompt as token ids, by the model's templates (config.json). Each part is tokenised alone, as a stretch of its own; an empty text
 * appends nothing: its label disappears with it. Texts are NUL-terminated valid UTF-8. No end token is added. */
#ifndef T5GIST_T5_TEMPLATE_H
#define T5GIST_T5_TEMPLATE_H

#include "t5/config.h"
#include "t5/tokenizer.h"

t5gist_status tg_template_task(const tg_config *config, const tg_tokenizer *tokenizer, const char *task, tg_ids *ids, t5gist_error *err);
t5gist_status tg_template_input(const tg_config *config, const tg_tokenizer *tokenizer, const char *input, tg_ids *ids, t5gist_error *err);

/* The id of gist token i of a prompt: the one that is repeated, or the i-th of distinct ones. The config has gist ids, and enough of them. */
static inline int32_t tg_template_gist(const tg_config *config, int i) {
  return config->gist_ids[config->n_gist_ids > 1 ? i : 0];
}

#endif
