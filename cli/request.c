/* Settings become a request: texts read from files, gist files opened, search options resolved. */
#include <stdlib.h>
#include <string.h>

#include "cli/run.h"

/* A text file, without the line end at its end. */
static t5gist_status read_text(const char *path, bool allow_stdin, char **text, t5gist_error *err) {
  tg_buffer buffer = {0};
  t5gist_status status = tg_read_file(path, TG_CLI_TEXT_LIMIT, allow_stdin, &buffer, err);
  if (!status && buffer.size > 0 && strlen(buffer.data) != buffer.size) {
    status = tg_fail(err, T5GIST_EFORMAT, "%s: expected text, found a NUL byte at offset %zu", path, strlen(buffer.data));
  }
  size_t n = buffer.size;
  if (n > 0 && buffer.data[n - 1] == '\n') n--;
  if (n > 0 && n < buffer.size && buffer.data[n - 1] == '\r') n--;
  if (!status) status = tg_strndup(text, buffer.data ? buffer.data : "", n, err);
  tg_buffer_free(&buffer);
  return status;
}

t5gist_status tg_cli_task(const tg_settings *s, char **owned, const char **task, t5gist_error *err) {
  *task = s->task;
  if (!s->task_file) return T5GIST_OK;
  TG_TRY(read_text(s->task_file, false, owned, err));
  *task = *owned;
  return T5GIST_OK;
}

t5gist_status tg_cli_input(const tg_settings *s, char **owned, const char **input, t5gist_error *err) {
  *input = s->input;
  if (!s->input_file) return T5GIST_OK;
  TG_TRY(read_text(s->input_file, true, owned, err));
  *input = *owned;
  return T5GIST_OK;
}

t5gist_status tg_request_check(const tg_settings *s, bool score, bool in_batch, t5gist_error *err) {
  if (in_batch && s->input_file && !strcmp(s->input_file, "-")) {
    return tg_fail(err, T5GIST_EUSAGE, "input_file: expected the name of a file; a batch does not read inputs from standard input");
  }
  if (s->input && s->input_file) return tg_fail(err, T5GIST_EUSAGE, "--input and --input-file exclude each other; expected one of them");
  if (score && s->targets.count == 0) return tg_fail(err, T5GIST_EUSAGE, "nothing to score; expected a target");
  const char *names[4];
  int n = 0;
  if (s->gist) names[n++] = "--gist";
  if (s->task) names[n++] = "--task";
  if (s->task_file) names[n++] = "--task-file";
  if (s->raw) names[n++] = "--raw";
  if (n == 1) return T5GIST_OK;
  if (n == 0) return tg_fail(err, T5GIST_EUSAGE, "no instruction; expected one of --gist, --task, --task-file and --raw");
  return tg_fail(err, T5GIST_EUSAGE, "%s and %s exclude each other; expected one of --gist, --task, --task-file and --raw", names[0], names[1]);
}

static void fill_options(const tg_settings *s, t5gist_options *o) {
  t5gist_options_init(o);
  o->max_new_tokens = s->max_new_tokens;
  o->min_new_tokens = s->min_new_tokens;
  o->beams = s->beams;
  o->n_best = s->n_best;
  o->length_penalty = s->length_penalty;
  if (s->early_stopping != TG_BOOL_UNSET) o->early_stopping = s->early_stopping;
  o->temperature = s->temperature;
  o->top_k = s->top_k;
  o->top_p = s->top_p;
  o->seed = s->seed;
  o->repetition_penalty = s->repetition_penalty;
  o->no_repeat_ngram_size = s->no_repeat_ngram_size;
  o->stop = (const char *const *)s->stop.items;
  o->n_stop = s->stop.count;
  o->max_input_tokens = s->max_input_tokens;
  o->top_logprobs = s->top_logprobs;
  o->draft = s->draft;
}

/* ---------------------------------------------------------------------------------------------------------------------- gist files */

static void entry_free(tg_gist_entry *entry) {
  t5gist_gist_free(entry->gist);
  tg_free(entry->path);
  tg_free(entry);
}

/* Frees the entry that nobody uses and was used longest ago, if there is one. */
static void make_room(tg_gist_cache *cache) {
  size_t oldest = cache->count;
  for (size_t i = 0; i < cache->count; i++) {
    if (cache->entries[i]->users == 0 && (oldest == cache->count || cache->entries[i]->last_used < cache->entries[oldest]->last_used)) oldest = i;
  }
  if (oldest == cache->count) return;
  entry_free(cache->entries[oldest]);
  cache->entries[oldest] = cache->entries[--cache->count];
}

static t5gist_status open_gist(tg_gist_cache *cache, const t5gist_model *model, const char *path, tg_gist_entry **out, t5gist_error *err) {
  cache->clock++;
  for (size_t i = 0; i < cache->count && !*out; i++) {
    if (!strcmp(cache->entries[i]->path, path)) *out = cache->entries[i];
  }
  if (!*out) {
    tg_gist_entry *entry = NULL;
    if (cache->count >= TG_GIST_CACHE) make_room(cache);
    TG_TRY(tg_reserve(&cache->entries, &cache->capacity, cache->count + 1, sizeof *cache->entries, err));
    TG_TRY(tg_alloc(&entry, 1, sizeof *entry, err));
    t5gist_status status = tg_strdup(&entry->path, path, err);
    if (!status) status = t5gist_gist_open(model, path, &entry->gist, err);
    if (status) {
      entry_free(entry);
      return status;
    }
    *out = cache->entries[cache->count++] = entry;
  }
  (*out)->users++;
  (*out)->last_used = cache->clock;
  return T5GIST_OK;
}

void tg_gist_cache_free(tg_gist_cache *cache) {
  for (size_t i = 0; i < cache->count; i++) entry_free(cache->entries[i]);
  tg_free(cache->entries);
}

/* ------------------------------------------------------------------------------------------------------------------------ requests */

/* FNV-1a over text and its NUL. */
static uint64_t hash_text(uint64_t hash, const char *text) {
  for (const unsigned char *c = (const unsigned char *)(text ? text : "");; c++) {
    hash = (hash ^ *c) * UINT64_C(1099511628211);
    if (!*c) return hash;
  }
}

void tg_request_key(t5gist_request *request) {
  const char *task = request->task;
  if (request->gist) {
    t5gist_gist_info info;
    t5gist_gist_describe(request->gist, &info);
    task = info.task; /* the same numbers as with the task itself */
  }
  request->options.request_key = hash_text(hash_text(UINT64_C(14695981039346656037), task), request->input);
}

t5gist_status tg_request_make(tg_context *context, tg_gist_cache *cache, const tg_settings *settings, cli_job *job, t5gist_error *err) {
  t5gist_request *r = &job->request;
  t5gist_request_init(r);
  TG_TRY(tg_cli_task(settings, &job->task, &r->task, err));
  TG_TRY(tg_cli_input(settings, &job->input, &r->input, err));
  fill_options(settings, &r->options);
  TG_TRY(t5gist_options_resolve(context->model, &r->options, err));
  if (settings->gist) TG_TRY(open_gist(cache, context->model, settings->gist, &job->gist, err));
  r->gist = job->gist ? job->gist->gist : NULL;
  r->raw = settings->raw;
  r->condition = (t5gist_condition)settings->condition;
  r->gists = settings->gists;
  r->targets = (const char *const *)settings->targets.items;
  r->n_targets = settings->targets.count;
  tg_request_key(r);
  return T5GIST_OK;
}

void cli_job_free(cli_job *job) {
  if (!job) return;
  if (job->gist) job->gist->users--;
  json_decref(job->id);
  tg_settings_free(&job->settings);
  tg_free(job->task);
  tg_free(job->input);
  t5gist_answer_clear(&job->answer);
  tg_free(job);
}
