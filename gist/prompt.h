/* Task, gist and input as token ids, by the model's template. */
#ifndef T5GIST_GIST_PROMPT_H
#define T5GIST_GIST_PROMPT_H

#include "gist/model.h"

typedef struct tg_prompt {
  tg_ids ids; /* task, gist, input, end token */
  int n_task, n_gist, n_input;
} tg_prompt;

/* Builds the ids of a prompt; an empty part disappears with its label. n_gist gist ids (0: none) stand between. raw: input alone, no template.
 * The end token is added when with_end. */
t5gist_status tg_prompt_make(const tg_t5 *t5, const char *task, int n_gist, const char *input, bool raw, bool with_end, tg_prompt *prompt,
                             t5gist_error *err);
void tg_prompt_free(tg_prompt *prompt);

/* k after defaults and checks: 1..1024, at most the trained rows where they are distinct; an error that explains when the model has no gist token. */
t5gist_status tg_prompt_gists(const tg_t5 *t5, int asked, int *gists, t5gist_error *err);

#endif
