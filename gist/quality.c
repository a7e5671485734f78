/* How far answers in one number format are from f32's: the gate that `convert` prints and keeps, and `--dtype auto` goes by. */
#include "gist/quality.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "runtime/error.h"
#include "runtime/file.h"
#include "runtime/folder.h"
#include "runtime/json.h"
#include "runtime/records.h"
#include "t5/checkpoint.h"
#include "t5/convert.h"

enum { MAX_TOKENS = 24, MAX_CONFIG = 16 << 20, MAX_TEXTS_BYTES = 64 << 20, MAX_TEXTS = 1000 };

typedef struct text {
  const char *task, *input, *target;
} text;

static const text built_in[] = {
    {"Translate to German.", "The house stands by the water.", "Das Haus steht am Wasser."},
    {"Summarize the text in one sentence.", "The train to Basel was late, so we missed the concert and went for a walk by the river instead.",
     "We missed the concert because the train was late."},
    {"Sort the numbers from small to large.", "17 4 99 23 5", "4 5 17 23 99"},
    {"Is the statement true or false? Explain.", "Ice floats on water.", "True, because ice is less dense than water."},
    {"Answer the question.", "What is the capital of France?", "The capital of France is Paris."},
    {"Rewrite the sentence politely.", "Send me the report now.", "Could you please send me the report when you have a moment?"},
};

/* ---------------------------------------------------------------------------------------------------------------------------- texts */

typedef struct texts {
  text *items; /* [n] borrowed from objects, or built in */
  size_t n, capacity;
  json_t *objects;
} texts;

static void texts_free(texts *t) {
  tg_free(t->items);
  json_decref(t->objects);
  *t = (texts){0};
}

static t5gist_status add_text(texts *t, const text *item, t5gist_error *err) {
  TG_TRY(tg_reserve(&t->items, &t->capacity, t->n + 1, sizeof *t->items, err));
  t->items[t->n++] = *item;
  return T5GIST_OK;
}

static t5gist_status add_record(texts *t, const json_t *object, const char *where, t5gist_error *err) {
  text item = {"", "", NULL};
  TG_TRY(tg_json_string(object, "instruction", where, &item.task, err));
  TG_TRY(tg_json_string(object, "input", where, &item.input, err));
  TG_TRY(tg_json_string(object, "output", where, &item.target, err));
  if (!item.target || !*item.target) return tg_fail(err, T5GIST_EFORMAT, "%s: output: expected a text, found none", where);
  if (!*item.task && !*item.input) return tg_fail(err, T5GIST_EFORMAT, "%s: expected an instruction or an input, found neither", where);
  if (t->n == MAX_TEXTS) return tg_fail(err, T5GIST_EFORMAT, "%s: expected at most %d texts", where, MAX_TEXTS);
  if (json_array_append(t->objects, (json_t *)object) != 0) return tg_fail(err, T5GIST_ENOMEM, "%s: not enough memory", where);
  return add_text(t, &item, err);
}

static t5gist_status read_texts(const char *path, texts *t, t5gist_error *err) {
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

static t5gist_status get_texts(const char *path, texts *t, t5gist_error *err) {
  if (path) return read_texts(path, t, err);
  for (size_t i = 0; i < sizeof built_in / sizeof *built_in; i++) TG_TRY(add_text(t, &built_in[i], err));
  return T5GIST_OK;
}

/* -------------------------------------------------------------------------------------------------------------------------- answers */

typedef struct outcome {
  t5gist_answer *greedy, *scored; /* [n] */
  size_t n;
} outcome;

static void outcome_clear(outcome *o) {
  for (size_t i = 0; i < o->n; i++) {
    if (o->greedy) t5gist_answer_clear(&o->greedy[i]);
    if (o->scored) t5gist_answer_clear(&o->scored[i]);
  }
  tg_free(o->greedy);
  tg_free(o->scored);
  *o = (outcome){0};
}

static void make_request(const text *t, bool score, t5gist_request *request) {
  t5gist_request_init(request);
  request->condition = T5GIST_FULL; /* the one that every model has */
  request->task = t->task;
  request->input = t->input;
  request->options.max_new_tokens = MAX_TOKENS;
  if (score) request->targets = &t->target;
  if (score) request->n_targets = 1;
}

static t5gist_status answer_all(t5gist_session *session, const texts *t, bool score, t5gist_answer *answers, t5gist_error *err) {
  t5gist_request *requests = NULL;
  t5gist_status status;
  TG_TRY(tg_alloc(&requests, t->n, sizeof *requests, err));
  for (size_t i = 0; i < t->n; i++) make_request(&t->items[i], score, &requests[i]);
  status = t5gist_generate(session, requests, t->n, answers, err);
  for (size_t i = 0; i < t->n && status == T5GIST_OK; i++)
    if (answers[i].error.status != T5GIST_OK) status = tg_fail(err, answers[i].error.status, "text %zu: %s", i + 1, answers[i].error.message);
  tg_free(requests);
  return status;
}

static t5gist_status run(const char *dir, const t5gist_model_options *options, const texts *t, outcome *out, t5gist_error *err) {
  t5gist_model *model = NULL;
  t5gist_session *session = NULL;
  t5gist_status status;
  out->n = t->n;
  TG_GOTO(tg_alloc(&out->greedy, t->n, sizeof *out->greedy, err));
  TG_GOTO(tg_alloc(&out->scored, t->n, sizeof *out->scored, err));
  TG_GOTO(t5gist_model_open(dir, options, &model, err));
  TG_GOTO(t5gist_session_new(model, &session, err));
  TG_GOTO(answer_all(session, t, false, out->greedy, err));
  TG_GOTO(answer_all(session, t, true, out->scored, err));
done:
  t5gist_session_free(session);
  t5gist_model_close(model);
  return status;
}

static t5gist_drift compare(const outcome *a, const outcome *b) {
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
  return (t5gist_drift){n_scored ? moved / n_scored : 0, n_greedy ? agreed / n_greedy : 1};
}

bool t5gist_drift_allowed(const t5gist_drift *drift) {
  return drift->logprob <= T5GIST_DRIFT_LOGPROB && drift->agreement >= T5GIST_DRIFT_AGREEMENT; /* NaN is not */
}

/* ---------------------------------------------------------------------------------------------------------------------- config.json */

/* Into the "t5gist" block of dir's config.json. */
static t5gist_status keep(const char *dir, const char *dtype, const char *texts_path, const t5gist_drift *drift, t5gist_error *err) {
  char *path = NULL, *dumped = NULL;
  json_t *config = NULL;
  tg_buffer bytes = {0};
  t5gist_status status;
  TG_GOTO(tg_path_join(&path, dir, "config.json", err));
  TG_GOTO(tg_json_read(path, MAX_CONFIG, &config, err));
  json_t *block = json_object_get(config, "t5gist"), *entry = json_pack("{s:s, s:f, s:f, s:s}", "dtype", dtype, "logprob", drift->logprob, "agreement",
                                                                        drift->agreement, "texts", texts_path ? "file" : "built-in");
  if (json_object_set_new(block, "drift", entry) != 0 || (dumped = json_dumps(config, JSON_INDENT(2))) == NULL) {
    status = tg_fail(err, T5GIST_ENOMEM, "%s: not enough memory for config.json", dir);
    goto done;
  }
  TG_GOTO(tg_buffer_printf(&bytes, err, "%s\n", dumped));
  TG_GOTO(tg_write_file(path, 0644, bytes.data, bytes.size, err));
done:
  tg_buffer_free(&bytes);
  free(dumped);
  json_decref(config);
  tg_free(path);
  return status;
}

bool tg_kept_drift(const json_t *config, const char *dtype, t5gist_drift *drift) {
  const json_t *entry = json_object_get(json_object_get(config, "t5gist"), "drift");
  const json_t *logprob = json_object_get(entry, "logprob"), *agreement = json_object_get(entry, "agreement");
  const char *of = json_string_value(json_object_get(entry, "dtype"));
  if (!json_is_number(logprob) || !json_is_number(agreement) || strcmp(of ? of : "int8", dtype) != 0) return false; /* older ones are all of int8 */
  *drift = (t5gist_drift){json_number_value(logprob), json_number_value(agreement)};
  return true;
}

/* ---------------------------------------------------------------------------------------------------------------------------- drift */

t5gist_status tg_f32_bytes(const char *dir, double *bytes, t5gist_error *err) {
  tg_checkpoint *checkpoint;
  TG_TRY(tg_checkpoint_open(dir, &checkpoint, err));
  *bytes = 0;
  for (size_t f = 0; f < tg_checkpoint_files(checkpoint); f++) {
    const tg_safetensors *file = tg_checkpoint_file(checkpoint, f);
    for (size_t i = 0; i < tg_safetensors_count(file); i++) *bytes += (double)sizeof(float) * (double)tg_safetensors_at(file, i)->count;
  }
  tg_checkpoint_close(checkpoint);
  return T5GIST_OK;
}

/* The source in f32 must leave half of the memory free: measuring is not worth more. */
static t5gist_status check_memory(const char *dir, t5gist_error *err) {
  double needed;
  TG_TRY(tg_f32_bytes(dir, &needed, err));
  const double memory = (double)sysconf(_SC_PHYS_PAGES) * (double)sysconf(_SC_PAGESIZE);
  if (needed <= memory / 2) return T5GIST_OK;
  return tg_fail(err, T5GIST_EUNSUPPORTED, "f32 takes %.1f GB, more than half of this machine's memory", needed * 1e-9);
}

t5gist_status tg_drifts(const char *source, const char *dir, const int *dtypes, size_t n, int wo_dtype, const char *texts_path, int threads,
                        t5gist_drift *drifts, t5gist_error *err) {
  outcome exact = {0}, rough = {0};
  texts t = {0};
  t5gist_model_options options;
  t5gist_model_options_init(&options);
  options.threads = threads;
  options.dtype = T5GIST_DTYPE_F32;
  t5gist_status status;
  TG_GOTO(get_texts(texts_path, &t, err));
  TG_GOTO(check_memory(dir, err));
  TG_GOTO(run(source, &options, &t, &exact, err));
  options.wo_dtype = wo_dtype;
  for (size_t i = 0; i < n; i++) {
    outcome_clear(&rough);
    options.dtype = dtypes[i];
    TG_GOTO(run(dir, &options, &t, &rough, err));
    drifts[i] = compare(&exact, &rough);
  }
done:
  outcome_clear(&exact);
  outcome_clear(&rough);
  texts_free(&t);
  return status;
}

static bool has(const char *dir, const char *name) {
  char *path;
  if (tg_path_join(&path, dir, name, NULL) != T5GIST_OK) return false;
  const bool found = tg_file_exists(path);
  tg_free(path);
  return found;
}

static void remove_folder(const char *dir) {
  tg_strings names = {0};
  (void)tg_folder_list(dir, &names, NULL);
  for (size_t i = 0; i < names.count; i++) {
    char *path;
    if (tg_path_join(&path, dir, names.items[i], NULL) != T5GIST_OK) continue;
    (void)tg_file_remove(path, NULL);
    tg_free(path);
  }
  tg_strings_clear(&names);
  (void)tg_dir_remove(dir, NULL);
}

/* The source as a folder that opens: itself, or where it has .bin files alone, rewritten as it is into a folder within `inside`, for the time of
 * measuring. */
static t5gist_status readable_source(const char *source, const char *inside, char **rewritten, t5gist_error *err) {
  char name[64];
  *rewritten = NULL;
  if (has(source, "model.safetensors") || has(source, "model.safetensors.index.json")) return T5GIST_OK;
  snprintf(name, sizeof name, ".t5gist-source-%ld", (long)getpid());
  TG_TRY(tg_path_join(rewritten, inside, name, err));
  t5gist_error problem = {0};
  if (tg_convert(source, *rewritten, NULL, NULL, NULL, NULL, &problem) == T5GIST_OK) return T5GIST_OK;
  return tg_fail(err, T5GIST_EUNSUPPORTED, "the source cannot be rewritten for measuring: %s", problem.message);
}

t5gist_status t5gist_measure_drift(const char *source, const char *converted, int dtype, const char *texts_path, int threads, t5gist_drift *drift,
                                   t5gist_error *err) {
  if (!source || !converted || !drift) return tg_fail(err, T5GIST_EUSAGE, "t5gist_measure_drift: source, converted and drift must not be null");
  if (dtype != T5GIST_DTYPE_INT8 && dtype != T5GIST_DTYPE_BF16)
    return tg_fail(err, T5GIST_EUSAGE, "t5gist_measure_drift: dtype: expected int8 or bf16, found %d", dtype);
  char *rewritten = NULL;
  t5gist_status status = readable_source(source, converted, &rewritten, err);
  if (status == T5GIST_OK)
    status = tg_drifts(rewritten ? rewritten : source, converted, &dtype, 1, T5GIST_UNSET, texts_path, threads, drift, err);
  if (rewritten) remove_folder(rewritten);
  tg_free(rewritten);
  TG_TRY(status);
  return keep(converted, dtype == T5GIST_DTYPE_INT8 ? "int8" : "bf16", texts_path, drift, err);
}
