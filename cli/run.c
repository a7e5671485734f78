/* The loop behind generate and score. Lines are read while they are there and the window has room, the session makes one step for everything in
 * flight, and answers leave in the order of their lines as soon as the first of them is ready. With nothing in flight the loop waits for a line,
 * so a program on the other end of a pipe that writes one line gets its answer without closing the pipe. */
#include <string.h>
#include <unistd.h>

#include "cli/run.h"
#include "runtime/json.h"
#include "runtime/text.h"

enum { WINDOW = 256 }; /* requests read and not yet answered */
typedef enum form { FORM_SINGLE, FORM_LINES, FORM_BATCH } form;

typedef struct tg_run {
  tg_context *context;
  form form;
  bool score, ended, streamed;
  tg_lines lines;
  tg_gist_cache gists;
  cli_job *first, *last; /* read and not yet printed, in order */
  cli_job *pattern;      /* FORM_LINES: every job is this one with another input */
  size_t queued;
  t5gist_error stream_error; /* status not T5GIST_OK: a write of the stream failed */
  /* for the summary */
  size_t answered, failed, tokens, steps, drafted, accepted;
  uint64_t primitives_first_step, primitives_now;
  int n_task, n_gist; /* of every answer so far, or -1 where they differ */
  size_t sources[T5GIST_SOURCE_STORE + 1]; /* answers per t5gist_source */
  size_t saved_tokens;
  double saved_ms;
  double start, last_progress;
} tg_run;

static bool on_text(void *user, const char *text) {
  tg_run *run = user;
  return !tg_out_write(text, strlen(text), &run->stream_error) && !tg_out_flush(&run->stream_error);
}

static void on_answer(void *user, t5gist_answer *answer) {
  cli_job *job = user;
  job->answer = *answer;
  *answer = (t5gist_answer){0};
  job->error = job->answer.error;
  job->done = true;
}

/* ---------------------------------------------------------------------------------------------------------------------- lines to jobs */

static void submit(tg_run *run, cli_job *job) {
  if (!job->error.status) t5gist_submit(run->context->session, &job->request, on_answer, job, &job->error);
  if (job->error.status) job->done = true;
}

static t5gist_status queue(tg_run *run, size_t index, cli_job **out, t5gist_error *err) {
  cli_job *job;
  TG_TRY(tg_alloc(&job, 1, sizeof *job, err));
  job->index = index;
  if (run->last)
    run->last->next = job;
  else
    run->first = job;
  run->last = job;
  run->queued++;
  *out = job;
  return T5GIST_OK;
}

/* What makes a line unusable before its content is looked at. */
static t5gist_status check_line(const tg_line *line, t5gist_error *err) {
  if (line->too_long) return tg_fail(err, T5GIST_EFORMAT, "expected at most %d bytes, found more", (int)TG_CLI_TEXT_LIMIT);
  TG_TRY(tg_utf8_check(line->text, line->length, "the line", err));
  const size_t n = strlen(line->text);
  if (n < line->length) return tg_fail(err, T5GIST_EFORMAT, "expected text, found a NUL byte at offset %zu", n);
  return T5GIST_OK;
}

static t5gist_status job_from_input(tg_run *run, const tg_line *line, cli_job *job, t5gist_error *err) {
  job->request = run->pattern->request;
  TG_TRY(check_line(line, err));
  const size_t n = line->length > 0 && line->text[line->length - 1] == '\r' ? line->length - 1 : line->length;
  TG_TRY(tg_strndup(&job->input, line->text, n, err));
  job->request.input = job->input;
  tg_request_key(&job->request);
  return T5GIST_OK;
}

static t5gist_status job_from_json(tg_run *run, const tg_line *line, cli_job *job, t5gist_error *err) {
  json_t *object = NULL;
  TG_TRY(check_line(line, err));
  TG_TRY(tg_json_check_size(line->text, line->length, "request", err));
  TG_TRY(tg_json_parse(line->text, line->length, "request", &object, err));
  t5gist_status status = T5GIST_OK;
  if (!json_is_object(object)) status = tg_fail(err, T5GIST_EFORMAT, "request: expected a JSON object, found %s", tg_json_type_name(object));
  if (!status) {
    job->id = json_incref(json_object_get(object, "id"));
    status = tg_options_layer(run->context, object, "request", &job->settings, err);
  }
  if (!status) status = tg_request_check(&job->settings, run->score, true, err);
  if (!status) status = tg_request_make(run->context, &run->gists, &job->settings, job, err);
  json_decref(object);
  return status;
}

static bool blank(const tg_line *line) {
  return !line->too_long && strspn(line->text, " \t\r") == line->length;
}

/* Takes lines: one, waiting for it, when nothing is in flight, and then as many as are there and the window holds. */
static t5gist_status read_lines(tg_run *run, t5gist_error *err) {
  while (!run->ended && run->queued < WINDOW) {
    tg_line line;
    tg_line_state state;
    TG_TRY(tg_lines_next(&run->lines, run->queued == 0, &line, &state, err));
    if (state == TG_LINE_END) run->ended = true;
    if (state != TG_LINE_READY) return T5GIST_OK;
    if (run->form == FORM_BATCH && blank(&line)) continue;
    cli_job *job;
    TG_TRY(queue(run, line.index, &job, err));
    if (run->form == FORM_BATCH)
      job_from_json(run, &line, job, &job->error);
    else
      job_from_input(run, &line, job, &job->error);
    submit(run, job);
  }
  return T5GIST_OK;
}

/* ------------------------------------------------------------------------------------------------------------------- jobs to answers */

static void count(tg_run *run, const cli_job *job) {
  const t5gist_answer *a = &job->answer;
  if (job->error.status) {
    run->failed++;
    return;
  }
  run->tokens += (size_t)a->n_tokens;
  run->drafted += (size_t)a->n_drafted;
  run->accepted += (size_t)a->n_accepted;
  for (int i = 0; i < a->n_scores; i++) run->tokens += (size_t)a->scores[i].n_ids;
  const bool first = run->answered++ == 0;
  run->n_task = first || run->n_task == a->n_task ? a->n_task : -1;
  run->n_gist = first || run->n_gist == a->n_gist ? a->n_gist : -1;
  run->sources[a->gist_source]++;
  run->saved_tokens += (size_t)(a->gist_cached ? a->n_task : 0);
  run->saved_ms += a->saved_ms;
  tg_cli_warn_lengths(run->context, a->n_task, a->n_input);
}

/* Prints the answer of job, or what stands in its place. */
static t5gist_status print_job(tg_run *run, const cli_job *job, t5gist_error *err) {
  const bool failed = job->error.status != T5GIST_OK;
  if (failed && run->form == FORM_SINGLE) {
    if (err) *err = job->error;
    return job->error.status;
  }
  if (failed) run->context->failed = true;
  if (failed && run->form == FORM_LINES) {
    char message[sizeof job->error.message + 64];
    snprintf(message, sizeof message, "line %zu: %s", job->index + 1, job->error.message);
    tg_cli_report(run->context, message);
    return tg_out_write("\n", 1, err);
  }
  if (failed) return tg_out_json(tg_error_json(job), err);
  if (run->form == FORM_BATCH || run->context->settings.json) return tg_out_json(tg_answer_json(job, run->score), err);
  return tg_answer_text(job, run->score, run->form == FORM_LINES, run->streamed, err);
}

static void progress(tg_run *run, bool last) {
  if (run->form == FORM_SINGLE || run->context->settings.quiet || !isatty(STDERR_FILENO) || isatty(STDOUT_FILENO)) return;
  const double now = tg_now();
  if (!last && now - run->last_progress < 0.2) return;
  run->last_progress = now;
  fprintf(stderr, last ? "\r\033[K" : "\r%zu answered, %zu failed\033[K", run->answered, run->failed);
}

/* Prints every answer whose predecessors are printed. */
static t5gist_status print_ready(tg_run *run, t5gist_error *err) {
  bool any = false;
  t5gist_status status = T5GIST_OK;
  while (!status && run->first && run->first->done) {
    cli_job *job = run->first;
    count(run, job);
    status = print_job(run, job, err);
    run->first = job->next;
    if (!run->first) run->last = NULL;
    run->queued--;
    cli_job_free(job);
    any = true;
  }
  if (any) progress(run, false);
  return any && !status ? tg_out_flush(err) : status;
}

static t5gist_status step(tg_run *run, t5gist_error *err) {
  TG_TRY(t5gist_step(run->context->session, err));
  run->primitives_now = t5gist_primitives_created(run->context->model);
  if (run->steps++ == 0) run->primitives_first_step = run->primitives_now - run->context->primitives_loaded;
  if (run->stream_error.status) {
    if (err) *err = run->stream_error;
    return run->stream_error.status;
  }
  return T5GIST_OK;
}

/* --------------------------------------------------------------------------------------------------------------------------- the run */

/* What the options say against each other, before anything is loaded. */
static t5gist_status check_form(const tg_run *run, t5gist_error *err) {
  const tg_settings *s = &run->context->settings;
  const bool many = run->form != FORM_SINGLE;
  if (s->batch && s->input_lines) return tg_fail(err, T5GIST_EUSAGE, "--batch and --input-lines exclude each other; expected one of them");
  if (s->input_lines && (s->input || s->input_file)) return tg_fail(err, T5GIST_EUSAGE, "--input-lines excludes --input and --input-file");
  if (s->stream && (many || s->json))
    return tg_fail(err, T5GIST_EUSAGE, "--stream prints one answer as text; it excludes --batch, --input-lines and --json");
  if (s->stream && s->beams > 1)
    return tg_fail(err, T5GIST_EUSAGE, "--stream works with greedy search and sampling; expected --beams 1, found %d", s->beams);
  if (run->form == FORM_LINES && run->score && s->targets.count > 1 && !s->json) {
    return tg_fail(err, T5GIST_EUSAGE, "--input-lines prints one line per input; expected one --target, found %zu (or use --json)", s->targets.count);
  }
  return run->form == FORM_BATCH ? T5GIST_OK : tg_request_check(s, run->score, false, err);
}

static void note_settings(const tg_run *run, const t5gist_options *o) {
  tg_cli_note(run->context,
              "settings: max_new_tokens %d, min_new_tokens %d, beams %d, n_best %d, length_penalty %g, early_stopping %d, temperature %g, top_k %d, "
              "top_p %g, seed %llu, repetition_penalty %g, no_repeat_ngram_size %d, stops %zu, max_input_tokens %d, top_logprobs %d, draft %s",
              o->max_new_tokens, o->min_new_tokens, o->beams, o->n_best, (double)o->length_penalty, o->early_stopping, (double)o->temperature,
              o->top_k, (double)o->top_p, (unsigned long long)o->seed, (double)o->repetition_penalty, o->no_repeat_ngram_size, o->n_stop,
              o->max_input_tokens, o->top_logprobs, t5gist_draft_name((t5gist_draft)o->draft));
}

/* Opens what the form needs; FORM_SINGLE queues its one job. */
static t5gist_status begin(tg_run *run, t5gist_error *err) {
  tg_context *context = run->context;
  cli_job *job;
  if (run->form != FORM_SINGLE)
    TG_TRY(tg_lines_open(run->form == FORM_BATCH ? context->settings.batch : context->settings.input_lines, &run->lines, err));
  if (run->form == FORM_BATCH) return T5GIST_OK;
  if (run->form == FORM_SINGLE) {
    TG_TRY(queue(run, 0, &job, err));
  } else {
    TG_TRY(tg_alloc(&run->pattern, 1, sizeof *run->pattern, err));
    job = run->pattern;
  }
  TG_TRY(tg_request_make(context, &run->gists, &context->settings, job, err));
  if (context->settings.verbose) note_settings(run, &job->request.options);
  if (run->form == FORM_LINES) return T5GIST_OK;
  run->ended = true;
  if (context->settings.stream) {
    run->streamed = true;
    job->request.on_text = on_text;
    job->request.user = run;
  }
  submit(run, job);
  return T5GIST_OK;
}

static t5gist_status loop(tg_run *run, t5gist_error *err) {
  for (;;) {
    TG_TRY(print_ready(run, err));
    TG_TRY(read_lines(run, err));
    if (run->ended && run->queued == 0) return T5GIST_OK;
    if (t5gist_pending(run->context->session) > 0)
      TG_TRY(step(run, err));
    else if (run->first && !run->first->done)
      return tg_fail(err, T5GIST_EINTERNAL, "the session lost a request");
  }
}

/* "; gist from store", or of several sources "; gists: 1 encoded here, 2 from memory"; and what was saved, as far as it is known. */
static void describe_gists(const tg_run *run, char *text, size_t size) {
  static const char *const names[] = {NULL, "encoded here", "from memory", "from file", "from store"}; /* t5gist_source's order */
  int kinds = 0, n = 0;
  for (int i = T5GIST_SOURCE_ENCODED; i <= T5GIST_SOURCE_STORE; i++) kinds += run->sources[i] > 0;
  text[0] = 0;
  for (int i = T5GIST_SOURCE_ENCODED; i <= T5GIST_SOURCE_STORE; i++) {
    if (run->sources[i] == 0) continue;
    if (kinds == 1)
      n += snprintf(text + n, size - (size_t)n, "; gist %s", names[i]);
    else
      n += snprintf(text + n, size - (size_t)n, "%s %zu %s", n ? "," : "; gists:", run->sources[i], names[i]);
  }
  if (run->saved_ms > 0) snprintf(text + n, size - (size_t)n, "; saved %zu task tokens, %.1f ms", run->saved_tokens, run->saved_ms);
}

/* The one stable line. */
static void summary(const tg_run *run) {
  const double seconds = tg_now() - run->start;
  const size_t requests = run->answered + run->failed;
  char failed[48] = "", task[96] = "", gist[256], drafts[80] = "";
  if (run->failed) snprintf(failed, sizeof failed, " (%zu failed)", run->failed);
  if (run->answered && run->n_task >= 0 && run->n_gist > 0) snprintf(task, sizeof task, "; task %d -> %d gist tokens", run->n_task, run->n_gist);
  describe_gists(run, gist, sizeof gist);
  if (run->drafted) snprintf(drafts, sizeof drafts, "; %zu of %zu drafts accepted", run->accepted, run->drafted);
  tg_cli_note(run->context, "%zu request%s%s, %zu tokens in %.3f s (%.1f tok/s)%s%s%s; load %.2f s", requests, requests == 1 ? "" : "s", failed,
              run->tokens, seconds, seconds > 0 ? (double)run->tokens / seconds : 0.0, task, gist, drafts, run->context->load_seconds);
  if (run->context->settings.verbose) {
    tg_cli_note(run->context, "oneDNN primitives created: %llu by loading, %llu in the first step, %llu in %zu later steps",
                (unsigned long long)run->context->primitives_loaded, (unsigned long long)run->primitives_first_step,
                (unsigned long long)(run->steps ? run->primitives_now - run->context->primitives_loaded - run->primitives_first_step : 0),
                run->steps ? run->steps - 1 : 0);
  }
}

static void end(tg_run *run) {
  t5gist_session_free(run->context->session); /* first: it may hold requests that point into the jobs */
  run->context->session = NULL;
  for (cli_job *job = run->first, *next; job; job = next) {
    next = job->next;
    cli_job_free(job);
  }
  cli_job_free(run->pattern);
  tg_gist_cache_free(&run->gists);
  tg_lines_close(&run->lines);
}

t5gist_status tg_run_requests(tg_context *context, bool score, t5gist_error *err) {
  const tg_settings *s = &context->settings;
  tg_run run = {.context = context, .score = score, .form = s->batch ? FORM_BATCH : s->input_lines ? FORM_LINES : FORM_SINGLE};
  TG_TRY(check_form(&run, err));
  TG_TRY(tg_cli_open(context, err));
  run.start = tg_now();
  t5gist_status status = begin(&run, err);
  if (!status) status = loop(&run, err);
  progress(&run, true);
  if (!status) status = tg_out_flush(err);
  if (!status || run.answered > 0) summary(&run);
  end(&run);
  return status;
}
