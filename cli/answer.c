/* Answers as JSON objects and as text. */
#include <string.h>

#include "cli/run.h"

static json_t *ids_json(const int32_t *ids, int n) {
  json_t *list = json_array();
  for (int i = 0; i < n; i++) json_array_append_new(list, json_integer(ids[i]));
  return list;
}

static json_t *floats_json(const float *values, int n) {
  json_t *list = json_array();
  for (int i = 0; i < n; i++) json_array_append_new(list, tg_json_number((double)values[i]));
  return list;
}

/* [n_tokens][n_top] pairs of id and log-probability. */
static json_t *top_json(const t5gist_answer *a) {
  json_t *list = json_array();
  for (int i = 0; i < a->n_tokens; i++) {
    json_t *row = json_array();
    for (int j = 0; j < a->n_top; j++) {
      const t5gist_alternative *t = &a->top_logprobs[i * a->n_top + j];
      json_t *pair = json_array();
      json_array_append_new(pair, json_integer(t->id));
      json_array_append_new(pair, tg_json_number((double)t->logprob));
      json_array_append_new(row, pair);
    }
    json_array_append_new(list, row);
  }
  return list;
}

static json_t *others_json(const t5gist_answer *a) {
  json_t *list = json_array();
  for (int i = 0; i < a->n_others; i++) {
    const t5gist_hypothesis *h = &a->others[i];
    json_t *other = json_object();
    json_object_set_new(other, "text", tg_json_text(h->text));
    json_object_set_new(other, "tokens", ids_json(h->tokens, h->n_tokens));
    json_object_set_new(other, "score", tg_json_number((double)h->score));
    json_array_append_new(list, other);
  }
  return list;
}

static void add_generated(json_t *o, const cli_job *job) {
  const t5gist_answer *a = &job->answer;
  json_object_set_new(o, "text", tg_json_text(a->text));
  json_object_set_new(o, "tokens", ids_json(a->tokens, a->n_tokens));
  json_object_set_new(o, "logprobs", floats_json(a->logprobs, a->n_tokens));
  if (a->top_logprobs) json_object_set_new(o, "top_logprobs", top_json(a));
  json_object_set_new(o, "finish_reason", json_string(t5gist_finish_name(a->finish)));
  if (job->request.options.beams > 1) {
    json_object_set_new(o, "sequence_score", tg_json_number((double)a->sequence_score));
    json_object_set_new(o, "others", others_json(a));
  }
}

static void add_score(json_t *o, const t5gist_target_score *score) {
  json_object_set_new(o, "target_ids", ids_json(score->ids, score->n_ids));
  json_object_set_new(o, "target_logprobs", floats_json(score->logprobs, score->n_ids));
  json_object_set_new(o, "logprob", tg_json_number(score->logprob));
}

/* One target: its fields stand in the answer itself; several: a list of them, each with its text. */
static void add_scores(json_t *o, const cli_job *job) {
  const t5gist_answer *a = &job->answer;
  if (a->n_scores == 1) {
    add_score(o, &a->scores[0]);
    return;
  }
  json_t *list = json_array();
  for (int i = 0; i < a->n_scores; i++) {
    json_t *one = json_object();
    json_object_set_new(one, "target", tg_json_text(job->request.targets[i]));
    add_score(one, &a->scores[i]);
    json_array_append_new(list, one);
  }
  json_object_set_new(o, "targets", list);
}

static json_t *timings_json(const t5gist_timings *t) {
  json_t *o = json_object();
  json_object_set_new(o, "tokenize", tg_json_milliseconds(t->tokenize));
  json_object_set_new(o, "store", tg_json_milliseconds(t->store));
  json_object_set_new(o, "encode_prefix", tg_json_milliseconds(t->encode_prefix));
  json_object_set_new(o, "encode_input", tg_json_milliseconds(t->encode_input));
  json_object_set_new(o, "cross_kv", tg_json_milliseconds(t->cross_kv));
  json_object_set_new(o, "first_token", tg_json_milliseconds(t->first_token));
  json_object_set_new(o, "decode", tg_json_milliseconds(t->decode));
  json_object_set_new(o, "total", tg_json_milliseconds(t->total));
  return o;
}

json_t *tg_answer_json(const cli_job *job, bool score) {
  const t5gist_answer *a = &job->answer;
  const char *source = t5gist_source_name(a->gist_source);
  json_t *o = json_object();
  if (job->id) json_object_set(o, "id", job->id);
  if (score)
    add_scores(o, job);
  else
    add_generated(o, job);
  json_object_set_new(o, "condition", json_string(t5gist_condition_name(a->condition)));
  json_object_set_new(o, "n_task", json_integer(a->n_task));
  json_object_set_new(o, "n_gist", json_integer(a->n_gist));
  json_object_set_new(o, "n_input", json_integer(a->n_input));
  json_object_set_new(o, "gist_cached", json_boolean(a->gist_cached));
  json_object_set_new(o, "gist_source", source ? json_string(source) : json_null());
  json_object_set_new(o, "saved_tokens", json_integer(a->gist_cached ? a->n_task : 0));
  json_object_set_new(o, "saved_ms", a->saved_ms > 0 ? tg_json_milliseconds(a->saved_ms) : json_null());
  if (!score && job->request.options.draft != T5GIST_DRAFT_NONE) {
    json_object_set_new(o, "drafted", json_integer(a->n_drafted));
    json_object_set_new(o, "accepted", json_integer(a->n_accepted));
  }
  json_object_set_new(o, "timings_ms", timings_json(&a->timings));
  return o;
}

json_t *tg_error_json(const cli_job *job) {
  json_t *o = json_object();
  json_object_set_new(o, "index", json_integer((json_int_t)job->index));
  json_object_set_new(o, "id", job->id ? json_incref(job->id) : json_null());
  json_object_set_new(o, "error", tg_json_text(job->error.message));
  return o;
}

/* ---------------------------------------------------------------------------------------------------------------------------- text */

/* Bytes of the line break at text, as any reader may understand one: LF, CR, VT, FF, NEL, LS, PS; 0: none. */
static size_t line_break(const char *text) {
  if (*text >= '\n' && *text <= '\r') return 1;
  if (!strncmp(text, "\xc2\x85", 2)) return 2;
  return !strncmp(text, "\xe2\x80\xa8", 3) || !strncmp(text, "\xe2\x80\xa9", 3) ? 3 : 0;
}

static t5gist_status write_flat(const char *text, t5gist_error *err) {
  while (*text) {
    size_t n = 0, skip;
    while (text[n] && !line_break(text + n)) n++;
    TG_TRY(tg_out_write(text, n, err));
    text += n;
    if ((skip = line_break(text))) TG_TRY(tg_out_write(" ", 1, err));
    text += skip;
  }
  return T5GIST_OK;
}

static t5gist_status write_scores(const cli_job *job, t5gist_error *err) {
  const t5gist_answer *a = &job->answer;
  for (int i = 0; i < a->n_scores; i++) {
    char number[64];
    TG_TRY(tg_out_write(number, (size_t)snprintf(number, sizeof number, "%.6f", a->scores[i].logprob), err));
    if (a->n_scores > 1) {
      TG_TRY(tg_out_write("\t", 1, err));
      TG_TRY(write_flat(job->request.targets[i], err));
    }
    TG_TRY(tg_out_write("\n", 1, err));
  }
  return T5GIST_OK;
}

t5gist_status tg_answer_text(const cli_job *job, bool score, bool single_line, bool streamed, t5gist_error *err) {
  if (score) return write_scores(job, err);
  const char *text = job->answer.text;
  if (single_line)
    TG_TRY(write_flat(text, err));
  else if (!streamed)
    TG_TRY(tg_out_write(text, strlen(text), err));
  TG_TRY(tg_out_write("\n", 1, err));
  for (int i = 0; i < job->answer.n_others && !single_line; i++) {
    TG_TRY(tg_out_write(job->answer.others[i].text, strlen(job->answer.others[i].text), err));
    TG_TRY(tg_out_write("\n", 1, err));
  }
  return T5GIST_OK;
}
