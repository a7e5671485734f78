#include "gist/prompt.h"

#include <string.h>

#include "gist/gist.h"
#include "runtime/error.h"
#include "runtime/text.h"
#include "t5/template.h"

static t5gist_status append_gists(const tg_config *config, int n_gist, tg_ids *ids, t5gist_error *err) {
  for (int i = 0; i < n_gist; i++) {
    const int32_t id = tg_template_gist(config, i);
    TG_TRY(tg_ids_append(ids, &id, 1, err));
  }
  return T5GIST_OK;
}

static t5gist_status append_input(const tg_t5 *t5, const char *input, bool raw, bool with_end, tg_ids *ids, t5gist_error *err) {
  const int32_t end = t5->config.eos_id;
  if (input[0] && raw) TG_TRY(tg_tokenizer_encode(t5->tokenizer, input, strlen(input), ids, err));
  if (!raw) TG_TRY(tg_template_input(&t5->config, t5->tokenizer, input, ids, err));
  return with_end ? tg_ids_append(ids, &end, 1, err) : T5GIST_OK;
}

static t5gist_status make(const tg_t5 *t5, const char *task, int n_gist, const char *input, bool raw, bool with_end, tg_prompt *prompt,
                          t5gist_error *err) {
  TG_TRY(tg_utf8_check(task, strlen(task), "the task", err)); /* here, so that offsets are the caller's and not those of the filled template */
  TG_TRY(tg_utf8_check(input, strlen(input), "the input", err));
  TG_TRY(tg_template_task(&t5->config, t5->tokenizer, task, &prompt->ids, err));
  const size_t n_task = prompt->ids.n;
  TG_TRY(append_gists(&t5->config, n_gist, &prompt->ids, err));
  TG_TRY(append_input(t5, input, raw, with_end, &prompt->ids, err));
  if (prompt->ids.n > INT32_MAX / 2) return tg_fail(err, T5GIST_EUNSUPPORTED, "a prompt of %zu tokens is too long", prompt->ids.n);
  prompt->n_task = (int)n_task;
  prompt->n_gist = n_gist;
  prompt->n_input = (int)(prompt->ids.n - n_task) - n_gist;
  return T5GIST_OK;
}

t5gist_status tg_prompt_make(const tg_t5 *t5, const char *task, int n_gist, const char *input, bool raw, bool with_end, tg_prompt *prompt,
                             t5gist_error *err) {
  *prompt = (tg_prompt){0};
  const t5gist_status status = make(t5, task ? task : "", n_gist, input ? input : "", raw, with_end, prompt, err);
  if (status != T5GIST_OK) tg_prompt_free(prompt);
  return status;
}

void tg_prompt_free(tg_prompt *prompt) {
  tg_free(prompt->ids.ids);
  *prompt = (tg_prompt){0};
}

t5gist_status tg_prompt_gists(const tg_t5 *t5, int asked, int *gists, t5gist_error *err) {
  const tg_config *c = &t5->config;
  if (c->n_gist_ids == 0) {
    return tg_fail(err, T5GIST_EUNSUPPORTED,
                   "%s: the model has no gist token (no gist_token_ids in its config.json, %d vocabulary rows instead of 32101, no added token "
                   "<GIST>): only full "
                   "and raw prompts work",
                   t5->dir, c->vocab_size);
  }
  const int k = asked == T5GIST_UNSET ? c->default_gists : asked;
  if (k < 1 || k > TG_MAX_GISTS) return tg_fail(err, T5GIST_EUSAGE, "gists: expected 1 to %d, found %d", TG_MAX_GISTS, k);
  if (c->n_gist_ids > 1 && k > c->n_gist_ids) {
    return tg_fail(err, T5GIST_EUSAGE, "gists: expected at most %d, the distinct gist tokens that %s was trained with, found %d", c->n_gist_ids,
                   t5->dir, k);
  }
  *gists = k;
  return T5GIST_OK;
}
