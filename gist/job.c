/* One request: what it must be, and what it needs to be computed. */
#include <string.h>

#include "gist/session.h"
#include "runtime/clock.h"
#include "runtime/error.h"
#include "runtime/room.h"

void t5gist_request_init(t5gist_request *request) {
  if (request == NULL) return;
  *request = (t5gist_request){.condition = T5GIST_GIST, .gists = T5GIST_UNSET};
  t5gist_options_init(&request->options);
}

/* -------------------------------------------------------------------------------------------------------------------------------- usage */

static bool is_empty(const char *text) {
  return text == NULL || text[0] == 0;
}

static t5gist_status check_texts(const t5gist_request *r, t5gist_error *err) {
  if ((unsigned)r->condition >= T5GIST_N_CONDITIONS)
    return tg_fail(err, T5GIST_EUSAGE, "condition: expected one of the five, found %d", (int)r->condition);
  if (r->gist && !is_empty(r->task)) return tg_fail(err, T5GIST_EUSAGE, "task and gist exclude each other: the gist stands for its own task");
  if (r->raw && (r->gist || !is_empty(r->task)))
    return tg_fail(err, T5GIST_EUSAGE, "raw takes the input alone as the whole prompt: expected no %s", r->gist ? "gist" : "task");
  if (r->raw && r->condition != T5GIST_GIST && r->condition != T5GIST_FULL) {
    return tg_fail(err, T5GIST_EUSAGE, "raw masks nothing: expected no condition with it, found %s", t5gist_condition_name(r->condition));
  }
  if (r->gist && r->condition != T5GIST_GIST) {
    return tg_fail(err, T5GIST_EUSAGE, "a gist is for condition gist, found %s: the other conditions take the task itself",
                   t5gist_condition_name(r->condition));
  }
  if (is_empty(r->task) && is_empty(r->input) && !r->gist) {
    return tg_fail(err, T5GIST_EUSAGE,
                   r->raw ? "the input: expected a text, found none" : "task and input: expected at least one text, found both empty");
  }
  return T5GIST_OK;
}

static t5gist_status check_gist(const t5gist_model *model, const t5gist_request *r, t5gist_error *err) {
  const t5gist_gist *gist = r->gist;
  if (gist == NULL) return T5GIST_OK;
  if (r->gists != T5GIST_UNSET && r->gists != gist->n_gist)
    return tg_fail(err, T5GIST_EUSAGE, "gists: expected %d, as many as the gist has, found %d", gist->n_gist, r->gists);
  if (gist->model == NULL)
    return tg_fail(err, T5GIST_EUSAGE, "the gist was opened without a model, to be described only: open it with the model to use it");
  return gist->model == model ? T5GIST_OK : tg_gist_matches(model, "the gist", gist, err);
}

static t5gist_status check_targets(const t5gist_request *r, t5gist_error *err) {
  if (r->n_targets > INT32_MAX || (r->n_targets > 0 && r->targets == NULL)) {
    return tg_fail(err, T5GIST_EUSAGE, "targets: %zu texts announced, found %s", r->n_targets, r->targets ? "too many" : "a null pointer");
  }
  for (size_t i = 0; i < r->n_targets; i++) {
    if (r->targets[i] == NULL) return tg_fail(err, T5GIST_EUSAGE, "target %zu: expected a text, found a null pointer", i + 1);
  }
  return T5GIST_OK;
}

/* Fills the options and k of the job's copy. */
static t5gist_status resolve(const t5gist_model *model, tg_job *job, t5gist_error *err) {
  t5gist_request *r = &job->request;
  TG_TRY(check_texts(r, err));
  TG_TRY(check_gist(model, r, err));
  TG_TRY(check_targets(r, err));
  TG_TRY(t5gist_options_resolve(model, &r->options, err));
  if (r->on_text && r->options.beams > 1 && r->n_targets == 0) {
    return tg_fail(err, T5GIST_EUSAGE, "on_text: with %d beams the text is known at the end only; streaming takes beams 1", r->options.beams);
  }
  if (r->raw) r->condition = T5GIST_FULL;
  if (r->gist) {
    job->n_gist = r->gist->n_gist;
  } else if (r->condition != T5GIST_FULL) {
    TG_TRY(tg_prompt_gists(model->t5, r->gists, &job->n_gist, err));
  }
  return T5GIST_OK;
}

/* ------------------------------------------------------------------------------------------------------------------------------- making */

t5gist_status tg_job_new(t5gist_session *session, const t5gist_request *request, tg_job **out, t5gist_error *err) {
  tg_job *job;
  t5gist_status status;
  TG_TRY(tg_alloc(&job, 1, sizeof *job, err));
  job->request = *request;
  job->submitted = tg_now_ms();
  TG_GOTO(resolve(session->model, job, err));
  const t5gist_request *r = &job->request;
  job->split = r->condition == T5GIST_GIST && (r->gist || !session->one_pass);
  job->gist = r->gist;
  if (job->split && !r->gist) TG_GOTO(tg_share_take(&session->share, r->task ? r->task : "", job->n_gist, &job->shared, err));
  job->answer.condition = r->condition;
  *out = job;
  return T5GIST_OK;
done:
  tg_job_free(session, job);
  return status;
}

void tg_job_free(t5gist_session *session, tg_job *job) {
  tg_share_release(&session->share, job->shared);
  tg_prompt_free(&job->prompt);
  tg_memory_free(&job->memory);
  tg_cache_free(&job->cache);
  tg_search_free(job->search);
  tg_scoring_free(&job->scoring);
  t5gist_answer_clear(&job->answer);
  tg_free(job);
}

static t5gist_status tokenize(t5gist_session *session, tg_job *job, t5gist_error *err) {
  const tg_t5 *t5 = session->model->t5;
  const t5gist_request *r = &job->request;
  t5gist_answer *answer = &job->answer;
  if (job->shared) job->gist = job->shared->gist;
  TG_TRY(tg_prompt_make(t5, job->gist ? NULL : r->task, job->gist ? 0 : job->n_gist, r->input, r->raw, true, &job->prompt, err));
  answer->n_task = job->gist ? job->gist->n_task : job->prompt.n_task;
  answer->n_gist = job->n_gist;
  answer->n_input = job->prompt.n_input;
  if (r->options.max_input_tokens > 0 && answer->n_input > r->options.max_input_tokens) {
    return tg_fail(err, T5GIST_EFORMAT, "the input: expected at most %d tokens (max_input_tokens), found %d", r->options.max_input_tokens,
                   answer->n_input);
  }
  if (r->n_targets == 0) return T5GIST_OK;
  return tg_scoring_prepare(t5, r, &job->scoring, answer, err);
}

/* The decoder's K and V, cross and self, for the pass to come. Most answers end long before a generous max_new_tokens. */
static size_t estimate_bytes(const tg_t5 *t5, const tg_job *job) {
  enum { LIKELY_TOKENS = 256 };
  const t5gist_options *o = &job->request.options;
  const int likely = o->min_new_tokens > LIKELY_TOKENS ? o->min_new_tokens : LIKELY_TOKENS;
  const int tokens = o->max_new_tokens < likely ? o->max_new_tokens : likely;
  const size_t gist = job->split && job->answer.condition == T5GIST_GIST ? (size_t)job->n_gist : 0; /* copied in front of the input's rows */
  const size_t cached = job->scoring.n ? (size_t)tg_scoring_cache_rows(&job->scoring) : (size_t)tokens * (size_t)o->beams;
  return ((size_t)tg_job_rows(job) + gist + tg_cache_most_rows(cached)) * tg_memory_row_bytes(t5);
}

/* Once for all jobs that share the task. */
static void seek_in_store(t5gist_session *session, tg_job *job) {
  tg_shared *shared = job->shared;
  if (session->store == NULL || shared == NULL || shared->gist || shared->sought || is_empty(shared->task)) return;
  const double begin = tg_now_ms();
  const tg_store_id id = tg_store_id_of(session->model, shared->task, shared->n_gist);
  shared->sought = true;
  shared->gist = tg_store_find(session->store, &id, session->model, &shared->encode_ms);
  if (shared->gist) job->answer.gist_source = T5GIST_SOURCE_STORE;
  job->answer.timings.store = tg_now_ms() - begin;
}

/* A request that cannot fit is refused before anything is computed for it. Small ones are let through unseen: looking costs more than they do. */
static t5gist_status check_room(const t5gist_session *session, const tg_job *job, t5gist_error *err) {
  enum { SMALL = 64 << 20, MB = 1000000 };
  const tg_config *c = &session->model->t5->config;
  const tg_prompt *p = &job->prompt;
  const size_t rows = (size_t)tg_job_rows(job) + (job->split && !job->gist ? (size_t)(p->n_task + p->n_gist) : 0);
  /* what the encoder has of a row: its state and norm, q, k, v and context, the feed-forward layer's inside */
  const size_t row_bytes = (2 * (size_t)c->d_model + 4 * tg_t5_inner(c) + (c->gated ? 3 : 2) * (size_t)c->d_ff) * sizeof(float);
  const size_t needed = job->bytes + rows * row_bytes; /* of counts of tokens: neither overflows */
  if (needed < SMALL) return T5GIST_OK;
  const size_t held = tg_arena_bytes(tg_workspace_arena(session->workspace)), left = tg_memory_room();
  const size_t room = left < SIZE_MAX - held ? left + held : SIZE_MAX;
  if (needed <= room) return T5GIST_OK;
  const size_t kv_bytes = tg_memory_row_bytes(session->model->t5), decoding = job->bytes - (size_t)tg_job_rows(job) * kv_bytes;
  const size_t fit = room > decoding ? (room - decoding) / (row_bytes + kv_bytes) : 0;
  if (fit > 0)
    return tg_fail(
        err, T5GIST_ENOMEM,
        "the request needs %zu MB for its %zu tokens of prompt and %zu MB for decoding; found %zu MB free, where prompts of up to %zu tokens fit",
        (needed - decoding) / MB, rows, decoding / MB, room / MB, fit);
  return tg_fail(
      err, T5GIST_ENOMEM,
      "the request needs %zu MB for its %zu tokens of prompt and %zu MB for decoding (%d beams, up to %d tokens); found %zu MB free: ask for "
      "fewer beams or new tokens",
      (needed - decoding) / MB, rows, decoding / MB, job->request.options.beams, job->request.options.max_new_tokens, room / MB);
}

t5gist_status tg_job_prepare(t5gist_session *session, tg_job *job, t5gist_error *err) {
  seek_in_store(session, job);
  const double begin = tg_now_ms();
  TG_TRY(tokenize(session, job, err));
  const tg_prompt *p = &job->prompt;
  job->mask = tg_mask_make(job->answer.condition, p->n_task, p->n_gist, p->n_input);
  /* Nothing that input or decoder see depends on task or gist there: the input alone gives the same answer. */
  if (job->answer.condition == T5GIST_NEG_CONTROL && !session->one_pass) job->split = true;
  job->width = job->scoring.n ? tg_scoring_width(&job->scoring) : job->request.options.beams;
  job->bytes = estimate_bytes(session->model->t5, job);
  TG_TRY(check_room(session, job, err));
  job->answer.timings.tokenize = tg_now_ms() - begin;
  job->prepared = true;
  return T5GIST_OK;
}

/* ------------------------------------------------------------------------------------------------------------------------ its encoder pass */

int tg_job_rows(const tg_job *job) {
  return job->split ? job->prompt.n_input : job->mask.n;
}

tg_encoder_sequence tg_job_sequence(const tg_job *job) {
  const tg_prompt *p = &job->prompt;
  if (!job->split)
    return (tg_encoder_sequence){.ids = p->ids.ids, .n = job->mask.n, .segments = job->mask.encoder, .n_segments = job->mask.n_segments};
  tg_encoder_sequence sequence = {.ids = p->ids.ids + p->n_task + p->n_gist, .n = p->n_input};
  if (job->gist) {
    sequence.prefix_k = job->gist->enc_k;
    sequence.prefix_v = job->gist->enc_v;
    sequence.n_prefix = job->gist->n_gist;
  }
  return sequence;
}

tg_span tg_job_cross(const tg_job *job) {
  return job->split ? (tg_span){0, job->prompt.n_input} : job->mask.cross;
}
