#include "t5/template.h"

#include <string.h>

#include "runtime/error.h"

/* Appends the ids of template with text in its placeholder's place. */
static t5gist_status append_part(const tg_tokenizer *tokenizer, const char *template, const char *placeholder, const char *text, tg_ids *ids,
                                 t5gist_error *err) {
  if (!text[0]) return T5GIST_OK;
  const char *at = strstr(template, placeholder); /* there once: the configuration was checked for it */
  tg_buffer part = {0};
  t5gist_status status;
  TG_GOTO(tg_buffer_append(&part, template, (size_t)(at - template), err));
  TG_GOTO(tg_buffer_append(&part, text, strlen(text), err));
  TG_GOTO(tg_buffer_append(&part, at + strlen(placeholder), strlen(at + strlen(placeholder)), err));
  TG_GOTO(tg_tokenizer_encode(tokenizer, part.data, part.size, ids, err));
done:
  tg_buffer_free(&part);
  return status;
}

t5gist_status tg_template_task(const tg_config *config, const tg_tokenizer *tokenizer, const char *task, tg_ids *ids, t5gist_error *err) {
  return append_part(tokenizer, config->template_task, "{task}", task, ids, err);
}

t5gist_status tg_template_input(const tg_config *config, const tg_tokenizer *tokenizer, const char *input, tg_ids *ids, t5gist_error *err) {
  return append_part(tokenizer, config->template_input, "{input}", input, ids, err);
}
