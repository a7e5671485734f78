/* A row's answers: every example asked and every reference scored through one session, which admits requests as others end. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "evaluation/evaluation.h"
#include "runtime/error.h"

enum { WINDOW = 256 }; /* requests submitted and not yet answered */

typedef struct asking {
  const tg_eval_config *config;
  const tg_eval_data *data;
  const tg_eval_model *model;
  tg_eval_row *row;
  t5gist_session *session;
  const tg_eval_progress *progress;
  char **words;                  /* [n] kind words: what stands for each instruction */
  const tg_eval_example *failed; /* the example of the first failure */
  t5gist_error error;
  size_t done;
} asking;

/* One request under way. */
typedef struct question {
  asking *all;
  size_t at;
  const char *target; /* null: an answer is asked for, else the reference is scored */
} question;

static void keep_failure(asking *a, size_t at, const t5gist_error *error) {
  if (a->failed) return;
  a->failed = &a->data->examples[at];
  a->error = *error;
}

static void on_answer(void *user, t5gist_answer *answer) {
  const question *q = user;
  asking *a = q->all;
  tg_eval_row *row = a->row;
  t5gist_error error = answer->error;
  if (error.status == T5GIST_OK && q->target) {
    row->scores[TG_EVAL_LOGPROB][q->at] = answer->scores[0].logprob;
    row->tokens[q->at] = answer->scores[0].n_ids;
  } else if (error.status == T5GIST_OK) {
    tg_strdup(&row->answers[q->at], answer->text, &error);
    row->n_answered += (size_t)answer->n_tokens;
    row->n_gist = answer->n_gist;
    row->n_task += answer->n_task;
    row->n_long += answer->n_task > a->model->max_task_tokens;
    row->n_prompt += answer->n_task + answer->n_gist + answer->n_input;
  }
  if (error.status != T5GIST_OK) keep_failure(a, q->at, &error);
  a->done++;
  t5gist_answer_clear(answer);
}

static t5gist_request make_request(const asking *a, const question *q) {
  const tg_eval_example *e = &a->data->examples[q->at];
  t5gist_request r;
  t5gist_request_init(&r);
  r.condition = a->row->asked;
  r.task = a->words ? a->words[q->at] : e->task;
  r.input = e->input;
  if (a->row->kind == TG_EVAL_GIST) r.gists = a->row->k;
  r.options.max_new_tokens = a->config->max_new_tokens;
  r.options.beams = a->config->beams;
  r.options.temperature = 0; /* whatever the model's generation_config.json says */
  if (!q->target) return r;
  r.targets = &q->target;
  r.n_targets = 1;
  return r;
}

static t5gist_status step(asking *a, t5gist_error *err) {
  TG_TRY(t5gist_step(a->session, err));
  a->progress->step(a->progress->user, a->row->name, a->done / 2, a->data->n);
  return T5GIST_OK;
}

/* The examples in an order that brings those of one instruction together: a session keeps few instructions' gists. */
static int compare_tasks(const void *x, const void *y, void *user) {
  const tg_eval_example *examples = user;
  const size_t a = *(const size_t *)x, b = *(const size_t *)y;
  const int order = strcmp(examples[a].task, examples[b].task);
  return order ? order : (a > b) - (a < b);
}

static t5gist_status ask_all(asking *a, const size_t *order, question *questions, t5gist_error *err) {
  const size_t n = a->data->n;
  for (size_t i = 0; i < 2 * n && !a->failed; i++) {
    const size_t at = order[i / 2];
    questions[i] = (question){a, at, i % 2 ? a->data->examples[at].reference : NULL};
    const t5gist_request request = make_request(a, &questions[i]);
    t5gist_error error;
    if (t5gist_submit(a->session, &request, on_answer, &questions[i], &error) != T5GIST_OK) keep_failure(a, at, &error);
    while (t5gist_pending(a->session) >= WINDOW) TG_TRY(step(a, err));
  }
  while (t5gist_pending(a->session) > 0) TG_TRY(step(a, err));
  if (!a->failed) return T5GIST_OK;
  return tg_fail(err, a->error.status, "%s: example %zu: %s: %s", a->config->data.items[a->failed->file], a->failed->number, a->row->name,
                 a->error.message);
}

/* An instruction without any word stays whole: nothing would be left of the prompt where there is no input. */
static t5gist_status make_words(asking *a, t5gist_error *err) {
  TG_TRY(tg_alloc(&a->words, a->data->n, sizeof *a->words, err));
  for (size_t i = 0; i < a->data->n; i++) {
    const tg_eval_example *e = &a->data->examples[i];
    TG_TRY(tg_tfidf_compress(a->data->tfidf, e->task, (size_t)a->row->k, &a->words[i], err));
    if (*a->words[i] || *e->input) continue;
    tg_free(a->words[i]);
    TG_TRY(tg_strdup(&a->words[i], e->task, err));
  }
  return T5GIST_OK;
}

t5gist_status tg_eval_ask(const tg_eval_config *config, const tg_eval_data *data, const tg_eval_model *model, t5gist_session *session,
                          const tg_eval_progress *progress, tg_eval_row *row, t5gist_error *err) {
  asking a = {.config = config, .data = data, .model = model, .row = row, .session = session, .progress = progress};
  size_t *order = NULL;
  question *questions = NULL;
  t5gist_status status = T5GIST_OK;
  TG_GOTO(tg_alloc(&row->answers, data->n, sizeof *row->answers, err));
  TG_GOTO(tg_alloc(&row->tokens, data->n, sizeof *row->tokens, err));
  TG_GOTO(tg_alloc(&row->scores[TG_EVAL_LOGPROB], data->n, sizeof **row->scores, err));
  TG_GOTO(tg_alloc(&order, data->n, sizeof *order, err));
  TG_GOTO(tg_alloc(&questions, 2 * data->n, sizeof *questions, err));
  if (row->kind == TG_EVAL_WORDS) TG_GOTO(make_words(&a, err));
  for (size_t i = 0; i < data->n; i++) order[i] = i;
  qsort_r(order, data->n, sizeof *order, compare_tasks, data->examples);
  TG_GOTO(ask_all(&a, order, questions, err));
  row->n_task /= (double)data->n;
  row->n_prompt /= (double)data->n;
done:
  for (size_t i = 0; a.words && i < data->n; i++) tg_free(a.words[i]);
  tg_free(a.words);
  tg_free(order);
  tg_free(questions);
  return status;
}
