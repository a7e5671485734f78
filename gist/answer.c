#include "runtime/memory.h"
#include "t5gist/t5gist.h"

void t5gist_answer_clear(t5gist_answer *answer) {
  if (answer == NULL) return;
  tg_free(answer->text);
  tg_free(answer->tokens);
  tg_free(answer->logprobs);
  tg_free(answer->top_logprobs);
  for (int i = 0; i < answer->n_others; i++) {
    tg_free(answer->others[i].text);
    tg_free(answer->others[i].tokens);
  }
  tg_free(answer->others);
  for (int i = 0; i < answer->n_scores; i++) {
    tg_free(answer->scores[i].ids);
    tg_free(answer->scores[i].logprobs);
  }
  tg_free(answer->scores);
  *answer = (t5gist_answer){0};
}

const char *t5gist_finish_name(t5gist_finish finish) {
  switch (finish) {
    case T5GIST_FINISH_EOS: return "eos";
    case T5GIST_FINISH_LENGTH: return "length";
    case T5GIST_FINISH_STOP: return "stop";
  }
  return NULL;
}

const char *t5gist_source_name(t5gist_source source) {
  switch (source) {
    case T5GIST_SOURCE_NONE: return NULL;
    case T5GIST_SOURCE_ENCODED: return "encoded";
    case T5GIST_SOURCE_MEMORY: return "memory";
    case T5GIST_SOURCE_FILE: return "file";
    case T5GIST_SOURCE_STORE: return "store";
  }
  return NULL;
}
