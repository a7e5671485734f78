/* How far a converted model is from its source: the gate that `convert --dtype int8` prints and keeps. */
#include <jansson.h>
#include <stdlib.h>
#include <unistd.h>

#include "runtime/error.h"
#include "runtime/file.h"
#include "runtime/json.h"
#include "t5gist/tools.h"

enum { N_TEXTS = 6, MAX_TOKENS = 24, MAX_CONFIG = 16 << 20 };

static const struct {
  const char *task, *input, *target;
} texts[N_TEXTS] = {
    {"Translate to German.", "The house stands by the water.", "Das Haus steht am Wasser."},
    {"Summarize the text in one sentence.", "The train to Basel was late, so we missed the concert and went for a walk by the river instead.",
     "We missed the concert because the train was late."},
    {"Sort the numbers from small to large.", "17 4 99 23 5", "4 5 17 23 99"},
    {"Is the statement true or false? Explain.", "Ice floats on water.", "True, because ice is less dense than water."},
    {"Answer the question.", "What is the capital of France?", "The capital of France is Paris."},
    {"Rewrite the sentence politely.", "Send me the report now.", "Could you please send me the report when you have a moment?"},
};

typedef struct outcome {
  t5gist_answer greedy[N_TEXTS], scored[N_TEXTS];
} outcome;

static void outcome_clear(outcome *o) {
  for (int i = 0; i < N_TEXTS; i++) {
    t5gist_answer_clear(&o->greedy[i]);
    t5gist_answer_clear(&o->scored[i]);
  }
}

static void make_request(int i, bool score, t5gist_request *request) {
  t5gist_request_init(request);
  request->condition = T5GIST_FULL; /* the one that every model has */
  request->task = texts[i].task;
  request->input = texts[i].input;
  request->options.max_new_tokens = MAX_TOKENS;
  if (score) request->targets = &texts[i].target;
  if (score) request->n_targets = 1;
}

static t5gist_status answer_all(t5gist_session *session, bool score, t5gist_answer *answers, t5gist_error *err) {
  t5gist_request requests[N_TEXTS];
  for (int i = 0; i < N_TEXTS; i++) make_request(i, score, &requests[i]);
  TG_TRY(t5gist_generate(session, requests, N_TEXTS, answers, err));
  for (int i = 0; i < N_TEXTS; i++)
    if (answers[i].error.status != T5GIST_OK) return tg_fail(err, answers[i].error.status, "%s", answers[i].error.message);
  return T5GIST_OK;
}

static t5gist_status run(const char *dir, const t5gist_model_options *options, outcome *out, t5gist_error *err) {
  t5gist_model *model = NULL;
  t5gist_session *session = NULL;
  t5gist_status status;
  TG_GOTO(t5gist_model_open(dir, options, &model, err));
  TG_GOTO(t5gist_session_new(model, &session, err));
  TG_GOTO(answer_all(session, false, out->greedy, err));
  TG_GOTO(answer_all(session, true, out->scored, err));
done:
  t5gist_session_free(session);
  t5gist_model_close(model);
  return status;
}

static void compare(const outcome *a, const outcome *b, t5gist_drift *drift) {
  double moved = 0, agreed = 0;
  int n_scored = 0, n_greedy = 0;
  for (int i = 0; i < N_TEXTS; i++) {
    const t5gist_target_score *s = &a->scored[i].scores[0], *t = &b->scored[i].scores[0];
    for (int j = 0; j < s->n_ids; j++) moved += fabs((double)s->logprobs[j] - (double)t->logprobs[j]);
    n_scored += s->n_ids;
    const t5gist_answer *g = &a->greedy[i], *h = &b->greedy[i];
    for (int j = 0; j < g->n_tokens && j < h->n_tokens && g->tokens[j] == h->tokens[j]; j++) agreed++;
    n_greedy += g->n_tokens;
  }
  *drift = (t5gist_drift){moved / n_scored, agreed / n_greedy};
}

/* Into the "t5gist" block of dir's config.json. */
static t5gist_status keep(const char *dir, const t5gist_drift *drift, t5gist_error *err) {
  char *path = NULL, *text = NULL;
  json_t *config = NULL;
  tg_buffer bytes = {0};
  t5gist_status status;
  TG_GOTO(tg_path_join(&path, dir, "config.json", err));
  TG_GOTO(tg_json_read(path, MAX_CONFIG, &config, err));
  json_t *block = json_object_get(config, "t5gist"), *entry = json_pack("{s:f, s:f}", "logprob", drift->logprob, "agreement", drift->agreement);
  if (json_object_set_new(block, "drift", entry) != 0 || (text = json_dumps(config, JSON_INDENT(2))) == NULL) {
    status = tg_fail(err, T5GIST_ENOMEM, "%s: not enough memory for config.json", dir);
    goto done;
  }
  TG_GOTO(tg_buffer_printf(&bytes, err, "%s\n", text));
  TG_GOTO(tg_write_file(path, 0644, bytes.data, bytes.size, err));
done:
  tg_buffer_free(&bytes);
  free(text);
  json_decref(config);
  tg_free(path);
  return status;
}

/* The source in f32 must leave half of the memory free: measuring is not worth more. */
static t5gist_status check_memory(const char *converted, t5gist_error *err) {
  char *path;
  tg_map map;
  TG_TRY(tg_path_join(&path, converted, "model.safetensors", err));
  const t5gist_status status = tg_map_open(path, &map, err);
  tg_free(path);
  TG_TRY(status);
  const double needed = 4.0 * (double)map.size, memory = (double)sysconf(_SC_PHYS_PAGES) * (double)sysconf(_SC_PAGESIZE);
  tg_map_close(&map);
  if (needed <= memory / 2) return T5GIST_OK;
  return tg_fail(err, T5GIST_EUNSUPPORTED, "the source in f32 takes %.1f GB, more than half of this machine's memory", needed * 1e-9);
}

t5gist_status t5gist_measure_drift(const char *source, const char *converted, int threads, t5gist_drift *drift, t5gist_error *err) {
  if (!source || !converted || !drift) return tg_fail(err, T5GIST_EUSAGE, "t5gist_measure_drift: nothing may be null");
  outcome exact = {0}, rough = {0};
  t5gist_model_options options;
  t5gist_model_options_init(&options);
  options.threads = threads;
  t5gist_status status;
  TG_GOTO(check_memory(converted, err));
  TG_GOTO(run(converted, &options, &rough, err));
  options.dtype = T5GIST_DTYPE_F32;
  TG_GOTO(run(source, &options, &exact, err));
  compare(&exact, &rough, drift);
  TG_GOTO(keep(converted, drift, err));
done:
  outcome_clear(&exact);
  outcome_clear(&rough);
  return status;
}
