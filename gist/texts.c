#include "gist/texts.h"

#include <math.h>
#include <string.h>

#include "runtime/error.h"
#include "runtime/json.h"
#include "runtime/memory.h"
#include "runtime/records.h"

enum { MAX_TOKENS = 24, MAX_TEXTS_BYTES = 64 << 20, MAX_TEXTS = 1000 };

/* What drift is measured on. */
static const tg_text built_in[] = {
    {"Translate to German.", "The house stands by the water.", "Das Haus steht am Wasser."},
    {"Summarize the text in one sentence.", "The train to Basel was late, so we missed the concert and went for a walk by the river instead.",
     "We missed the concert because the train was late."},
    {"Sort the numbers from small to large.", "17 4 99 23 5", "4 5 17 23 99"},
    {"Is the statement true or false? Explain.", "Ice floats on water.", "True, because ice is less dense than water."},
    {"Answer the question.", "What is the capital of France?", "The capital of France is Paris."},
    {"Rewrite the sentence politely.", "Send me the report now.", "Could you please send me the report when you have a moment?"},
};

/* What rounding is calibrated by: others, so that the drift is that of texts that the rounding has not seen. */
static const tg_text calibrating[] = {
    {"Translate to French.", "Good morning, how are you today?", "Bonjour, comment allez-vous aujourd'hui ?"},
    {"Write the opposite of each word.", "early, large, open", "late, small, closed"},
    {"Classify the review as positive or negative.", "The room was dirty and nobody answered the phone.", "negative"},
    {"Continue the story.", "The old man opened the letter and began to read.",
     "His hands shook, for it had been written by his brother many years before."},
    {"Extract the names of the people.", "Anna Keller met Dr. Ruiz and his son Pablo in Madrid on 12 June 2019.", "Anna Keller, Ruiz, Pablo"},
    {"Write the date in ISO format.", "4 July 1996", "1996-07-04"},
    {"Answer yes or no.", "Can a fish ride a bicycle?", "no"},
    {"What is the sum?", "27 + 58", "85"},
    {"Write a short greeting to the customer.", "Maria ordered two lamps.", "Dear Maria, thank you for your order of two lamps."},
    {"Correct the grammar.", "She go to school every days.", "She goes to school every day."},
    {"Return JSON with the fields name and city.", "Tom lives in Oslo.", "{\"name\": \"Tom\", \"city\": \"Oslo\"}"},
    {"Explain the word to a child.", "gravity", "Gravity is what pulls things down to the ground."},
    {"Give the text in capital letters.", "blue river stone", "BLUE RIVER STONE"},
    {"Does it follow that no dog is awake?", "All the dogs are asleep.", "Yes, it follows."},
    {"List three uses.", "a wooden box", "Storing tools, carrying fruit, and standing on it to reach a shelf."},
    {"Which department should answer this message: billing, technical support or sales?", "My invoice shows the wrong amount.", "billing"},
};

/* ---------------------------------------------------------------------------------------------------------------------------- texts */

void tg_texts_free(tg_texts *t) {
  tg_free(t->items);
  json_decref(t->objects);
  *t = (tg_texts){0};
}

static t5gist_status add_text(tg_texts *t, const tg_text *item, t5gist_error *err) {
  TG_TRY(tg_reserve(&t->items, &t->capacity, t->n + 1, sizeof *t->items, err));
  t->items[t->n++] = *item;
  return T5GIST_OK;
}

static t5gist_status add_record(tg_texts *t, const json_t *object, const char *where, t5gist_error *err) {
  tg_text item = {"", "", NULL};
  TG_TRY(tg_json_string(object, "instruction", where, &item.task, err));
  TG_TRY(tg_json_string(object, "input", where, &item.input, err));
  TG_TRY(tg_json_string(object, "output", where, &item.target, err));
  if (!item.target || !*item.target) return tg_fail(err, T5GIST_EFORMAT, "%s: output: expected a text, found none", where);
  if (!*item.task && !*item.input) return tg_fail(err, T5GIST_EFORMAT, "%s: expected an instruction or an input, found neither", where);
  if (t->n == MAX_TEXTS) return tg_fail(err, T5GIST_EFORMAT, "%s: expected at most %d texts", where, MAX_TEXTS);
  if (json_array_append(t->objects, (json_t *)object) != 0) return tg_fail(err, T5GIST_ENOMEM, "%s: not enough memory", where);
  return add_text(t, &item, err);
}

static t5gist_status read_texts(const char *path, tg_texts *t, t5gist_error *err) {
  tg_records *records;
  const json_t *object;
  t->objects = json_array();
  if (!t->objects) return tg_fail(err, T5GIST_ENOMEM, "%s: not enough memory", path);
  TG_TRY(tg_records_open(path, MAX_TEXTS_BYTES, &records, err));
  t5gist_status status;
  while ((status = tg_records_next(records, &object, err)) == T5GIST_OK && object != NULL) {
    status = add_record(t, object, tg_records_where(records), err);
    if (status != T5GIST_OK) break;
  }
  tg_records_close(records);
  if (status == T5GIST_OK && t->n == 0) return tg_fail(err, T5GIST_EFORMAT, "%s: expected texts, found none", path);
  return status;
}

t5gist_status tg_texts_get(const char *path, bool for_calibration, tg_texts *t, t5gist_error *err) {
  if (path) return read_texts(path, t, err);
  const tg_text *from = for_calibration ? calibrating : built_in;
  const size_t n = for_calibration ? sizeof calibrating / sizeof *calibrating : sizeof built_in / sizeof *built_in;
  for (size_t i = 0; i < n; i++) TG_TRY(add_text(t, &from[i], err));
  return T5GIST_OK;
}

/* -------------------------------------------------------------------------------------------------------------------------- answers */

void tg_outcome_clear(tg_outcome *o) {
  for (size_t i = 0; i < o->n; i++) {
    if (o->greedy) t5gist_answer_clear(&o->greedy[i]);
    if (o->scored) t5gist_answer_clear(&o->scored[i]);
  }
  tg_free(o->greedy);
  tg_free(o->scored);
  *o = (tg_outcome){0};
}

/* How a text is answered. */
typedef struct manner {
  bool score;         /* its target, instead of generating */
  float temperature;
  uint64_t seed;
} manner;

static void make_request(const tg_text *t, const manner *m, t5gist_request *request) {
  t5gist_request_init(request);
  request->condition = T5GIST_FULL; /* the one that every model has */
  request->task = t->task;
  request->input = t->input;
  request->options.max_new_tokens = MAX_TOKENS;
  request->options.temperature = m->temperature;
  request->options.seed = m->seed;
  if (m->score) request->targets = &t->target;
  if (m->score) request->n_targets = 1;
}

static t5gist_status answer_all(t5gist_session *session, const tg_texts *t, const manner *m, t5gist_answer *answers, t5gist_error *err) {
  t5gist_request *requests = NULL;
  t5gist_status status;
  TG_TRY(tg_alloc(&requests, t->n, sizeof *requests, err));
  for (size_t i = 0; i < t->n; i++) make_request(&t->items[i], m, &requests[i]);
  status = t5gist_generate(session, requests, t->n, answers, err);
  for (size_t i = 0; i < t->n && status == T5GIST_OK; i++)
    if (answers[i].error.status != T5GIST_OK) status = tg_fail(err, answers[i].error.status, "text %zu: %s", i + 1, answers[i].error.message);
  tg_free(requests);
  return status;
}

t5gist_status tg_outcome_get(const t5gist_model *model, const tg_texts *t, tg_outcome *out, t5gist_error *err) {
  const manner greedy = {.score = false}, score = {.score = true};
  t5gist_session *session = NULL;
  t5gist_status status;
  out->n = t->n;
  TG_GOTO(tg_alloc(&out->greedy, t->n, sizeof *out->greedy, err));
  TG_GOTO(tg_alloc(&out->scored, t->n, sizeof *out->scored, err));
  TG_GOTO(t5gist_session_new(model, &session, err));
  TG_GOTO(answer_all(session, t, &greedy, out->greedy, err));
  TG_GOTO(answer_all(session, t, &score, out->scored, err));
  for (size_t i = 0; i < t->n; i++) out->exact += strcmp(out->greedy[i].text, t->items[i].target) == 0;
done:
  t5gist_session_free(session);
  return status;
}

static t5gist_status answer_once(t5gist_session *session, const tg_texts *t, const manner *m, t5gist_error *err) {
  t5gist_answer *answers;
  TG_TRY(tg_alloc(&answers, t->n, sizeof *answers, err));
  const t5gist_status status = answer_all(session, t, m, answers, err);
  for (size_t i = 0; i < t->n; i++) t5gist_answer_clear(&answers[i]);
  tg_free(answers);
  return status;
}

t5gist_status tg_texts_exercise(const t5gist_model *model, const tg_texts *t, int samples, t5gist_error *err) {
  const manner score = {.score = true};
  t5gist_session *session = NULL;
  t5gist_status status;
  TG_GOTO(t5gist_session_new(model, &session, err));
  TG_GOTO(answer_once(session, t, &score, err));
  for (int i = 0; i < samples; i++) TG_GOTO(answer_once(session, t, &(manner){.temperature = i > 0, .seed = (uint64_t)i}, err));
done:
  t5gist_session_free(session);
  return status;
}

t5gist_drift tg_outcome_compare(const tg_outcome *a, const tg_outcome *b) {
  double moved = 0, agreed = 0;
  int n_scored = 0, n_greedy = 0;
  for (size_t i = 0; i < a->n; i++) {
    const t5gist_target_score *s = &a->scored[i].scores[0], *t = &b->scored[i].scores[0];
    for (int j = 0; j < s->n_ids; j++) moved += fabs((double)s->logprobs[j] - (double)t->logprobs[j]);
    n_scored += s->n_ids;
    const t5gist_answer *g = &a->greedy[i], *h = &b->greedy[i];
    for (int j = 0; j < g->n_tokens && j < h->n_tokens && g->tokens[j] == h->tokens[j]; j++) agreed++;
    n_greedy += g->n_tokens;
  }
  const double n = a->n ? (double)a->n : 1;
  return (t5gist_drift){n_scored ? moved / n_scored : 0, n_greedy ? agreed / n_greedy : 1, (double)b->exact / n, (double)a->exact / n};
}
