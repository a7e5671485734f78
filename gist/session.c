/* The scheduler: admits waiting requests, encodes them packed, and makes decoder passes over everything in flight. */
#include "gist/session.h"

#include <string.h>

#include "runtime/clock.h"
#include "runtime/error.h"

/* What one step may hold at a time; one request always fits. */
enum { ENCODER_ROWS = 1024, LIVE_ROWS = 64 };
/* Rows of a decoder pass up to which guesses are worth their rows, and guesses of one request (SPEED.md, Drafts). */
enum { DRAFT_ROWS = 8, DRAFT_GUESSES = 3 };
static size_t live_bytes(const t5gist_session *session) {
  return ((size_t)128 << 20) + session->model->t5->weight_bytes / 4;
}

/* ------------------------------------------------------------------------------------------------------------------------------ making */

t5gist_status t5gist_session_new(const t5gist_model *model, t5gist_session **out, t5gist_error *err) {
  if (model == NULL || out == NULL) return tg_fail(err, T5GIST_EUSAGE, "t5gist_session_new: model and session must not be null");
  t5gist_session *session;
  TG_TRY(tg_alloc(&session, 1, sizeof *session, err));
  session->model = model;
  const t5gist_status status = tg_workspace_new(model->t5->engine, &session->workspace, err);
  if (status == T5GIST_OK)
    *out = session;
  else
    tg_free(session);
  return status;
}

t5gist_status t5gist_session_use_store(t5gist_session *session, t5gist_store *store, t5gist_error *err) {
  if (session == NULL) return tg_fail(err, T5GIST_EUSAGE, "t5gist_session_use_store: session must not be null");
  session->store = store;
  return T5GIST_OK;
}

static void drop_all(t5gist_session *session) {
  while (session->first) {
    tg_job *next = session->first->next;
    tg_job_free(session, session->first);
    session->first = next;
  }
  for (size_t i = 0; i < session->n_live; i++) tg_job_free(session, session->live[i]);
  session->last = NULL;
  session->n_live = session->live_width = session->live_bytes = session->pending = 0;
}

void t5gist_session_free(t5gist_session *session) {
  if (session == NULL) return;
  drop_all(session);
  tg_free(session->live);
  tg_recycler_free(&session->recycler);
  tg_share_clear(&session->share);
  tg_workspace_free(session->workspace);
  tg_free(session);
}

size_t t5gist_pending(const t5gist_session *session) {
  return session ? session->pending : 0;
}

t5gist_status t5gist_submit(t5gist_session *session, const t5gist_request *request, t5gist_answer_callback *on_answer, void *user,
                            t5gist_error *err) {
  if (session == NULL || request == NULL || on_answer == NULL) {
    return tg_fail(err, T5GIST_EUSAGE, "t5gist_submit: session, request and on_answer must not be null");
  }
  tg_job *job;
  TG_TRY(tg_job_new(session, request, &job, err));
  job->on_answer = on_answer;
  job->user = user;
  if (session->last)
    session->last->next = job;
  else
    session->first = job;
  session->last = job;
  session->pending++;
  return T5GIST_OK;
}

/* ---------------------------------------------------------------------------------------------------------------------------- delivery */

/* Hands the answer over and forgets the job, which is in no list any more. The callback may submit. */
static void deliver(t5gist_session *session, tg_job *job) {
  t5gist_answer answer = job->answer;
  t5gist_answer_callback *on_answer = job->on_answer;
  void *user = job->user;
  answer.timings.total = tg_now_ms() - job->submitted;
  job->answer = (t5gist_answer){0};
  tg_job_free(session, job);
  session->pending--;
  on_answer(user, &answer);
}

static void set_error(tg_job *job, const t5gist_error *error) {
  job->answer.error = *error;
}

static bool failed(const tg_job *job) {
  return job->answer.error.status != T5GIST_OK;
}

/* --------------------------------------------------------------------------------------------------------------------------- admission */

static tg_job *pop_waiting(t5gist_session *session) {
  tg_job *job = session->first;
  session->first = job->next;
  if (session->first == NULL) session->last = NULL;
  job->next = NULL;
  return job;
}

/* The next waiting job that could be tokenised; those that could not are delivered. */
static tg_job *next_prepared(t5gist_session *session) {
  while (session->first) {
    tg_job *job = session->first;
    t5gist_error error;
    if (job->prepared || tg_job_prepare(session, job, &error) == T5GIST_OK) return job;
    set_error(job, &error);
    deliver(session, pop_waiting(session));
  }
  return NULL;
}

static bool needs_prefix(const tg_job *job) {
  return job->shared && job->shared->gist == NULL;
}

/* Appends to live those waiting jobs that fit, in order; returns how many. */
static t5gist_status admit_fitting(t5gist_session *session, size_t *n_admitted, t5gist_error *err) {
  size_t rows = 0;
  *n_admitted = 0;
  for (tg_job *job; (job = next_prepared(session)) != NULL; (*n_admitted)++) {
    rows += (size_t)tg_job_rows(job) + (needs_prefix(job) ? (size_t)(job->prompt.n_task + job->prompt.n_gist) : 0);
    const bool room = session->live_width + (size_t)job->width <= LIVE_ROWS && session->live_bytes + job->bytes <= live_bytes(session);
    if ((session->n_live > 0 && !room) || (*n_admitted > 0 && rows > ENCODER_ROWS)) break;
    TG_TRY(tg_reserve(&session->live, &session->live_capacity, session->n_live + 1, sizeof *session->live, err));
    session->live[session->n_live++] = pop_waiting(session);
    session->live_width += (size_t)job->width;
    session->live_bytes += job->bytes;
  }
  return T5GIST_OK;
}

/* Hands a gist that has just been made to the store. ms: of the pass that made it, with `rows` rows in all. */
static void keep_in_store(t5gist_session *session, tg_job *job, double ms, int rows) {
  tg_shared *shared = job->shared;
  const double begin = tg_now_ms();
  shared->encode_ms = ms * (shared->gist->n_task + shared->n_gist) / rows;
  if (session->store == NULL) return;
  const tg_store_id id = tg_store_id_of(session->model, shared->task, shared->n_gist);
  tg_store_keep(session->store, &id, shared->gist, shared->encode_ms);
  job->answer.timings.store += tg_now_ms() - begin;
}

/* Compresses the tasks of those jobs whose gist nobody has made yet, in one pass. */
static t5gist_status encode_prefixes(t5gist_session *session, tg_job *const *jobs, size_t n, t5gist_error *err) {
  tg_gist_part *parts;
  tg_job **claims;
  tg_arena *arena = tg_workspace_arena(session->workspace);
  TG_TRY(tg_arena_take(arena, &parts, n, sizeof *parts, err));
  TG_TRY(tg_arena_take(arena, &claims, n, sizeof *claims, err));
  int n_parts = 0, rows = 0;
  for (size_t i = 0; i < n; i++) {
    const tg_prompt *p = &jobs[i]->prompt;
    if (failed(jobs[i]) || !needs_prefix(jobs[i]) || jobs[i]->shared->claimed) continue;
    jobs[i]->shared->claimed = true;
    claims[n_parts] = jobs[i];
    rows += p->n_task + p->n_gist;
    parts[n_parts++] = (tg_gist_part){.task = jobs[i]->shared->task, .ids = p->ids.ids, .n_task = p->n_task, .n_gist = p->n_gist};
  }
  if (n_parts == 0) return T5GIST_OK;
  tg_workspace_count(session->workspace, &session->counters[T5GIST_STAGE_PREFIX]);
  const double begin = tg_now_ms();
  const t5gist_status status = tg_gist_encode_parts(session->model, session->workspace, parts, n_parts, err);
  const double took = tg_now_ms() - begin;
  for (int i = 0; i < n_parts; i++) {
    claims[i]->shared->claimed = false;
    claims[i]->shared->gist = parts[i].gist;
    if (status != T5GIST_OK) continue;
    claims[i]->answer.gist_source = T5GIST_SOURCE_ENCODED;
    claims[i]->answer.timings.encode_prefix = took;
    keep_in_store(session, claims[i], took, rows);
  }
  return status;
}

/* Encodes the jobs' own rows in one pass and projects what their decoders will see of them. */
static t5gist_status encode_inputs(t5gist_session *session, tg_job *const *jobs, size_t n, t5gist_error *err) {
  tg_encoder_sequence *sequences;
  tg_memory_part *parts;
  tg_arena *arena = tg_workspace_arena(session->workspace);
  TG_TRY(tg_arena_take(arena, &sequences, n, sizeof *sequences, err));
  TG_TRY(tg_arena_take(arena, &parts, n, sizeof *parts, err));
  int count = 0, row = 0;
  for (size_t i = 0; i < n; i++) {
    tg_job *job = jobs[i];
    if (failed(job)) continue;
    const tg_span cross = tg_job_cross(job);
    tg_memory_free(&job->memory);
    sequences[count] = tg_job_sequence(job);
    parts[count] = (tg_memory_part){.memory = &job->memory, .begin = row + cross.begin, .n = cross.end - cross.begin};
    if (job->gist) {
      parts[count].gist_k = job->gist->cross_k;
      parts[count].gist_v = job->gist->cross_v;
      parts[count].n_gist = job->gist->n_gist;
    }
    row += sequences[count++].n;
  }
  if (count == 0) return T5GIST_OK;
  float *states;
  tg_workspace_count(session->workspace, &session->counters[T5GIST_STAGE_INPUT]);
  const double begin = tg_now_ms();
  TG_TRY(tg_encode(session->model->t5, session->workspace, sequences, count, &states, err));
  const double encoded = tg_now_ms();
  tg_workspace_count(session->workspace, &session->counters[T5GIST_STAGE_CROSS]);
  TG_TRY(tg_memory_project(session->model->t5, session->workspace, states, parts, count, err));
  const double projected = tg_now_ms();
  for (size_t i = 0; i < n; i++) {
    jobs[i]->answer.timings.encode_input = encoded - begin;
    jobs[i]->answer.timings.cross_kv = projected - encoded;
  }
  return T5GIST_OK;
}

/* Runs a pass over all jobs together; if that fails, over each alone, so that only the one whose fault it is gets the error. */
typedef t5gist_status pass(t5gist_session *session, tg_job *const *jobs, size_t n, t5gist_error *err);
static void run_pass(t5gist_session *session, pass *run, tg_job *const *jobs, size_t n) {
  tg_arena *arena = tg_workspace_arena(session->workspace);
  const tg_arena_mark mark = tg_arena_save(arena);
  t5gist_error error;
  const t5gist_status together = run(session, jobs, n, &error);
  tg_arena_restore(arena, mark);
  for (size_t i = 0; together != T5GIST_OK && i < n; i++) {
    if (n == 1 || run(session, &jobs[i], 1, &error) != T5GIST_OK) set_error(jobs[i], &error);
    tg_arena_restore(arena, mark);
  }
}

/* Where the gist of a job that uses one came from, once it is there. */
static void settle_gist(tg_job *job) {
  t5gist_answer *answer = &job->answer;
  if (job->shared) job->gist = job->shared->gist;
  if (answer->condition != T5GIST_GIST || answer->gist_source == T5GIST_SOURCE_ENCODED) return;
  if (!job->gist) {
    answer->gist_source = T5GIST_SOURCE_ENCODED; /* one pass over everything */
    return;
  }
  if (answer->gist_source == T5GIST_SOURCE_NONE) answer->gist_source = job->gist->from_file ? T5GIST_SOURCE_FILE : T5GIST_SOURCE_MEMORY;
  answer->gist_cached = true;
  if (job->shared) answer->saved_ms = job->shared->encode_ms;
}

static t5gist_status set_draft(t5gist_session *session, tg_job *job, t5gist_error *err) {
  const tg_config *config = &session->model->t5->config;
  const t5gist_options *o = &job->request.options;
  const tg_prompt *p = &job->prompt;
  const int before = p->n_gist > 0 ? p->n_task + p->n_gist : 0; /* what is there of a task whose gist is known depends on who came first */
  tg_draft draft = {.kind = (t5gist_draft)o->draft, .recycler = &session->recycler, .vocab_size = config->vocab_size};
  draft.source = p->ids.ids + before;
  draft.n_source = p->ids.n - (size_t)before;
  if (o->request_key < session->n_scripts) draft.script = &session->scripts[o->request_key];
  if (o->beams > 1 || o->temperature > 0 || !tg_draft_is_on(&draft)) return T5GIST_OK;
  if (draft.kind == T5GIST_DRAFT_RECYCLE) TG_TRY(tg_recycler_prepare(&session->recycler, config->vocab_size, err));
  tg_search_set_draft(job->search, &draft);
  return T5GIST_OK;
}

static t5gist_status new_search(t5gist_session *session, tg_job *job, t5gist_error *err) {
  const t5gist_request *r = &job->request;
  TG_TRY(tg_search_new(session->model->t5, &r->options, r->on_text, r->user, &job->search, err));
  return set_draft(session, job, err);
}

static void start(t5gist_session *session, tg_job *job) {
  t5gist_error error;
  if (failed(job) || job->scoring.n) return;
  if (new_search(session, job, &error) != T5GIST_OK) set_error(job, &error);
}

static t5gist_status admit(t5gist_session *session, t5gist_error *err) {
  size_t n;
  const t5gist_status status = admit_fitting(session, &n, err);
  tg_job *const *admitted = session->live + session->n_live - n;
  if (n > 0) run_pass(session, encode_prefixes, admitted, n);
  for (size_t i = 0; i < n; i++) settle_gist(admitted[i]);
  if (n > 0) run_pass(session, encode_inputs, admitted, n);
  for (size_t i = 0; i < n; i++) start(session, admitted[i]);
  return status;
}

/* ---------------------------------------------------------------------------------------------------------------------------- decoding */

static bool finished(const tg_job *job) {
  return failed(job) || (job->search ? tg_search_done(job->search) : tg_scoring_done(&job->scoring));
}

/* Guesses that each request may add to the next pass: few rows cost hardly more than one, many do. */
static int guesses_each(const t5gist_session *session) {
  const size_t free_rows = session->live_width < DRAFT_ROWS ? DRAFT_ROWS - session->live_width : 0;
  const size_t each = session->n_live > 0 ? free_rows / session->n_live : 0;
  return each < DRAFT_GUESSES ? (int)each : DRAFT_GUESSES;
}

/* Sequences and rows of the job's next pass. */
static int next_sequences(tg_job *job, tg_decoder_sequence *sequences) {
  int n;
  if (job->search) {
    n = tg_search_width(job->search);
    tg_search_next(job->search, sequences);
  } else {
    n = tg_scoring_next(&job->scoring, sequences);
  }
  for (int i = 0; i < n; i++) {
    sequences[i].cache = &job->cache;
    sequences[i].memory = &job->memory;
  }
  return n;
}

/* What the job's next pass needs before it. */
static t5gist_status prepare_pass(t5gist_session *session, tg_job *job, t5gist_error *err) {
  if (job->search) TG_TRY(tg_search_guess(job->search, guesses_each(session), err));
  const int rows = job->search ? tg_search_cache_rows(job->search) : tg_scoring_cache_rows(&job->scoring);
  return tg_cache_reserve(session->model->t5, &job->cache, rows, err);
}

static void advance(t5gist_session *session, tg_job *job, float *logits) {
  const size_t vocab_size = (size_t)session->model->t5->config.vocab_size;
  t5gist_error error;
  const t5gist_status status =
      job->search ? tg_search_advance(job->search, logits, &error) : tg_scoring_advance(&job->scoring, logits, vocab_size, &job->answer, &error);
  if (status != T5GIST_OK) set_error(job, &error);
}

static t5gist_stage decoder_stage(tg_job *const *jobs, size_t n) {
  for (size_t i = 0; i < n; i++) {
    if (!finished(jobs[i]) && !jobs[i]->decoded) return T5GIST_STAGE_FIRST;
  }
  return T5GIST_STAGE_DECODE;
}

/* One decoder pass over all jobs that are not finished. */
static t5gist_status decode(t5gist_session *session, tg_job *const *jobs, size_t n, t5gist_error *err) {
  const size_t vocab_size = (size_t)session->model->t5->config.vocab_size;
  tg_decoder_sequence *sequences;
  size_t width = 0;
  for (size_t i = 0; i < n; i++) width += (size_t)jobs[i]->width;
  TG_TRY(tg_arena_take(tg_workspace_arena(session->workspace), &sequences, width, sizeof *sequences, err));
  int count = 0;
  for (size_t i = 0; i < n; i++) {
    if (!finished(jobs[i])) count += next_sequences(jobs[i], sequences + count);
  }
  if (count == 0) return T5GIST_OK;
  float *logits;
  tg_workspace_count(session->workspace, &session->counters[decoder_stage(jobs, n)]);
  const double begin = tg_now_ms();
  TG_TRY(tg_decode(session->model->t5, session->workspace, sequences, count, &logits, err));
  const double took = tg_now_ms() - begin;
  int at = 0;
  for (size_t i = 0; i < n; i++) {
    if (finished(jobs[i])) continue;
    t5gist_timings *timings = &jobs[i]->answer.timings;
    *(jobs[i]->decoded ? &timings->decode : &timings->first_token) += took;
    jobs[i]->decoded = true;
    float *own = logits;
    for (; at < count && sequences[at].cache == &jobs[i]->cache; at++) logits += (size_t)sequences[at].n * vocab_size;
    advance(session, jobs[i], own);
  }
  return T5GIST_OK;
}

/* Collects what a job has to say. A cancelled one keeps what there was. */
static void conclude(tg_job *job) {
  t5gist_error error;
  if (failed(job) || job->search == NULL) return;
  if (tg_search_answer(job->search, &job->answer, &error) != T5GIST_OK)
    set_error(job, &error);
  else if (tg_search_cancelled(job->search))
    tg_fail(&job->answer.error, T5GIST_ECANCELLED, "the request was cancelled by its on_text");
}

static void deliver_finished(t5gist_session *session) {
  size_t kept = 0;
  const size_t n = session->n_live;
  for (size_t i = 0; i < n; i++) {
    tg_job *job = session->live[i];
    if (!finished(job)) {
      session->live[kept++] = job;
      continue;
    }
    session->live_width -= (size_t)job->width;
    session->live_bytes -= job->bytes;
    conclude(job);
    deliver(session, job);
  }
  session->n_live = kept;
}

t5gist_status t5gist_step(t5gist_session *session, t5gist_error *err) {
  if (session == NULL) return tg_fail(err, T5GIST_EUSAGE, "t5gist_step: session must not be null");
  if (session->stepping) return tg_fail(err, T5GIST_EUSAGE, "t5gist_step was called from a callback of the same session");
  session->stepping = true;
  const t5gist_status status = admit(session, err);
  for (size_t i = 0; i < session->n_live; i++) {
    t5gist_error error;
    if (!finished(session->live[i]) && prepare_pass(session, session->live[i], &error) != T5GIST_OK) set_error(session->live[i], &error);
  }
  if (session->n_live > 0) run_pass(session, decode, session->live, session->n_live);
  deliver_finished(session);
  session->stepping = false;
  return status;
}

/* -------------------------------------------------------------------------------------------------------------------------- all at once */

static void keep_answer(void *user, t5gist_answer *answer) {
  *(t5gist_answer *)user = *answer;
}

t5gist_status t5gist_generate(t5gist_session *session, const t5gist_request *requests, size_t n, t5gist_answer *answers, t5gist_error *err) {
  if (session == NULL || (n > 0 && (requests == NULL || answers == NULL))) {
    return tg_fail(err, T5GIST_EUSAGE, "t5gist_generate: session, requests and answers must not be null");
  }
  if (session->pending > 0 || session->stepping) {
    return tg_fail(err, T5GIST_EUSAGE, "t5gist_generate: expected no request in flight, found %zu that were submitted and not yet answered",
                   session->pending);
  }
  for (size_t i = 0; i < n; i++) answers[i] = (t5gist_answer){0};
  for (size_t i = 0; i < n; i++) t5gist_submit(session, &requests[i], keep_answer, &answers[i], &answers[i].error);
  t5gist_status status = T5GIST_OK;
  while (status == T5GIST_OK && session->pending > 0) status = t5gist_step(session, err);
  if (status != T5GIST_OK) {
    drop_all(session);
    for (size_t i = 0; i < n; i++) t5gist_answer_clear(&answers[i]);
  }
  return status;
}
