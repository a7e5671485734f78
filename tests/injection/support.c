#include "support.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "runtime/error.h"
#include "runtime/file.h"
#include "runtime/hash.h"
#include "runtime/json.h"
#include "t5/synthetic.h"
#include "t5/torch_bin.h"
#include "tests/support/folder.h"
#include "training/recipe.h"
#include "training/trainer.h"
#include "training/vocabulary.h"

enum { PIECES = 200, ROWS = 256, GIST_ID = 255, SEED = 5, NEW_TOKENS = 5 };
static const char TASK[] = "Say only the city.", INPUT[] = "Please send three red lamps to Oslo.";

/* ---------------------------------------------------------------------------------------------------------------------------- world */

static const char EXAMPLES[] = TEST_SOURCE_DIR "/examples/train.jsonl";

static t5gist_status next_line(void *user, const char **text, size_t *n, t5gist_error *err) {
  (void)err;
  char **at = user;
  *text = **at ? *at : NULL;
  *n = strcspn(*at, "\n");
  *at += *n + ((*at)[*n] == '\n');
  return T5GIST_OK;
}

static void make_vocabulary(const char *path) {
  t5gist_error err;
  char *text = folder_read(EXAMPLES, NULL), *at = text;
  const tg_vocabulary_options options = {.size = PIECES, .coverage = 1, .seed = SEED};
  CHECK_OK(tg_vocabulary_train(&options, next_line, &at, path, &err));
  free(text);
}

static void give_gist_token(const char *path) {
  t5gist_error err;
  json_t *config;
  CHECK_OK(tg_json_read(path, 1 << 20, &config, &err));
  json_t *block = json_pack("{s:[i]}", "gist_token_ids", GIST_ID);
  assert_int_equal(json_object_set_new(config, "t5gist", block), 0);
  assert_int_equal(json_dump_file(config, path, JSON_INDENT(2)), 0);
  json_decref(config);
}

static char *kept_path(const char *folder, const char *name) {
  return strdup(folder_path(folder, name));
}

static void make_recipe(const world *w) {
  char *text = folder_read(EXAMPLES, NULL), *end = text;
  for (int i = 0; i < 12; i++) end = strchr(end, '\n') + 1;
  folder_write(w->folder, "train.jsonl", text, (size_t)(end - text));
  free(text);
  tg_buffer recipe = {0};
  t5gist_error err;
  CHECK_OK(tg_buffer_printf(&recipe, &err,
                            "model: %s\nout: unused\ndata: {train: %s/train.jsonl, eval: %s/train.jsonl}\nsteps: 2\nbatch_examples: 2\neval_every: 2\n"
                            "eval_examples: 2\nsave_every: 1\nthreads: 1\n",
                            w->model_dir, w->folder, w->folder));
  folder_text(w->folder, "recipe.yaml", recipe.data);
  tg_buffer_free(&recipe);
}

world *world_new(void) {
  t5gist_error err;
  world *w = calloc(1, sizeof *w);
  w->folder = folder_new(access("/dev/shm", W_OK) ? TEST_BINARY_DIR : "/dev/shm"); /* thousands of saves that wait for no disk */
  make_vocabulary(folder_path(w->folder, "spiece.model"));
  w->model_dir = kept_path(w->folder, "model");
  w->gist_path = kept_path(w->folder, "task.gist");
  w->recipe_path = kept_path(w->folder, "recipe.yaml");
  CHECK_OK(tg_synthetic_write(w->model_dir, "tiny", "flan", SEED, ROWS, w->folder, &err));
  give_gist_token(folder_path(w->model_dir, "config.json"));
  t5gist_model_options options;
  t5gist_model_options_init(&options);
  options.threads = 2;
  CHECK_OK(t5gist_model_open(w->model_dir, &options, &w->model, &err));
  t5gist_session *session;
  t5gist_gist *gist;
  CHECK_OK(t5gist_session_new(w->model, &session, &err));
  CHECK_OK(t5gist_encode(session, TASK, 2, &gist, &err));
  CHECK_OK(t5gist_gist_save(gist, w->gist_path, T5GIST_PAYLOAD_F32, true, &err));
  t5gist_gist_free(gist);
  t5gist_session_free(session);
  make_recipe(w);
  return w;
}

void world_free(world *w) {
  t5gist_model_close(w->model);
  folder_remove(w->folder);
  free(w->model_dir);
  free(w->gist_path);
  free(w->recipe_path);
  free(w);
}

t5gist_status context_begin(const world *w, const piece *p, context *c, t5gist_error *err) {
  *c = (context){.world = w, .out = folder_new(w->folder)};
  return p->begin ? p->begin(c, err) : T5GIST_OK;
}

void context_end(context *c) {
  t5gist_gist_free(c->gist);
  t5gist_session_free(c->session);
  t5gist_store_close(c->store);
  folder_remove(c->out);
}

/* ----------------------------------------------------------------------------------------------------------------------------- works */


static void note(context *c, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void note(context *c, const char *format, ...) {
  const size_t n = strlen(c->result);
  va_list args;
  va_start(args, format);
  vsnprintf(c->result + n, sizeof c->result - n, format, args);
  va_end(args);
}

static void note_bytes(context *c, const void *data, size_t n) {
  char hex[TG_SHA256_HEX];
  tg_sha256_hex(data, n, hex);
  note(c, "%s\n", hex);
}

static void note_file(context *c, const char *path) {
  size_t n;
  char *data = folder_read(path, &n);
  note_bytes(c, data, n);
  free(data);
}

static t5gist_status begin_session(context *c, t5gist_error *err) {
  return t5gist_session_new(c->world->model, &c->session, err);
}

static t5gist_status open_model(context *c, t5gist_error *err) {
  t5gist_model *model;
  t5gist_session *session = NULL;
  t5gist_model_options options;
  t5gist_model_info info;
  t5gist_model_options_init(&options);
  options.threads = 2;
  TG_TRY(t5gist_model_open(c->world->model_dir, &options, &model, err));
  t5gist_model_describe(model, &info);
  note(c, "%s %s\n", info.fingerprint, info.dtype);
  const t5gist_status status = t5gist_session_new(model, &session, err);
  t5gist_session_free(session);
  t5gist_model_close(model);
  return status;
}

static t5gist_status open_in(context *c, int dtype, t5gist_error *err) {
  t5gist_model *model;
  t5gist_model_options options;
  t5gist_model_options_init(&options);
  options.threads = 1;
  options.dtype = dtype;
  TG_TRY(t5gist_model_open(c->world->model_dir, &options, &model, err));
  t5gist_model_close(model);
  return T5GIST_OK;
}

static t5gist_status open_int8(context *c, t5gist_error *err) {
  return open_in(c, T5GIST_DTYPE_INT8, err);
}

static t5gist_status open_int4(context *c, t5gist_error *err) {
  return open_in(c, T5GIST_DTYPE_INT4, err);
}

static t5gist_status encode(context *c, t5gist_error *err) {
  t5gist_gist *gist;
  unsigned char *bytes = NULL;
  size_t n = 0;
  TG_TRY(t5gist_encode(c->session, TASK, 3, &gist, err));
  const t5gist_status status = t5gist_gist_serialize(gist, T5GIST_PAYLOAD_BF16, true, &bytes, &n, err);
  if (status == T5GIST_OK) note_bytes(c, bytes, n);
  t5gist_free(bytes);
  t5gist_gist_free(gist);
  return status;
}

static bool take_text(void *user, const char *text) {
  note(user, "[%s]", text);
  return true;
}

static void note_answer(context *c, const t5gist_answer *a) {
  note(c, "%s:", a->text ? a->text : "");
  for (int i = 0; i < a->n_tokens; i++) note(c, " %d %a", a->tokens[i], (double)a->logprobs[i]);
  for (int i = 0; i < a->n_others; i++) note(c, "; %s %a", a->others[i].text, (double)a->others[i].score);
  for (int i = 0; i < a->n_scores; i++) note(c, "; %a", a->scores[i].logprob);
  note(c, "\n");
}

/* All of them, or the first one's failure. */
static t5gist_status answer(context *c, const t5gist_request *requests, size_t n, t5gist_error *err) {
  enum { MOST = 8 };
  t5gist_answer answers[MOST];
  TG_TRY(t5gist_generate(c->session, requests, n, answers, err));
  t5gist_status status = T5GIST_OK;
  for (size_t i = 0; i < n; i++) {
    if (answers[i].error.status && !status) {
      *err = answers[i].error;
      status = err->status;
    }
    if (!answers[i].error.status) note_answer(c, &answers[i]);
    t5gist_answer_clear(&answers[i]);
  }
  return status;
}

static void make_requests(context *c, t5gist_request *requests, size_t n) {
  for (size_t i = 0; i < n; i++) {
    t5gist_request_init(&requests[i]);
    requests[i].task = TASK;
    requests[i].input = INPUT;
    requests[i].gists = 2;
    requests[i].options.max_new_tokens = NEW_TOKENS;
  }
  (void)c;
}

static t5gist_status begin_generate(context *c, t5gist_error *err) {
  TG_TRY(begin_session(c, err));
  return t5gist_gist_open(c->world->model, c->world->gist_path, &c->gist, err);
}

static t5gist_status generate(context *c, t5gist_error *err) {
  enum { N = 6 };
  static const char *const stop[] = {"zzz"};
  t5gist_request r[N];
  make_requests(c, r, N);
  t5gist_forget_gists(c->session);
  r[0].options.top_logprobs = 2;
  r[0].options.stop = stop;
  r[0].options.n_stop = 1;
  r[1].task = NULL;
  r[1].gist = c->gist;
  r[1].on_text = take_text;
  r[1].user = c;
  r[2].options.beams = 2;
  r[2].options.n_best = 2;
  r[3].options.temperature = 1;
  r[4].condition = T5GIST_POS_CONTROL;
  r[4].options.no_repeat_ngram_size = 2;
  r[5].options.draft = T5GIST_DRAFT_RECYCLE;
  return answer(c, r, N, err);
}

static t5gist_status score(context *c, t5gist_error *err) {
  static const char *const targets[] = {"Oslo", "three red lamps"};
  t5gist_request r[2];
  make_requests(c, r, 2);
  t5gist_forget_gists(c->session);
  for (int i = 0; i < 2; i++) {
    r[i].targets = targets;
    r[i].n_targets = 2;
  }
  r[1].condition = T5GIST_FULL;
  return answer(c, r, 2, err);
}

static t5gist_status begin_gist(context *c, t5gist_error *err) {
  return t5gist_gist_open(c->world->model, c->world->gist_path, &c->gist, err);
}

static t5gist_status save_gist(context *c, t5gist_error *err) {
  const char *path = folder_path(c->out, "saved.gist");
  TG_TRY(t5gist_gist_save(c->gist, path, T5GIST_PAYLOAD_F32, true, err));
  note_file(c, path);
  return T5GIST_OK;
}

static t5gist_status open_gist(context *c, t5gist_error *err) {
  t5gist_gist *gist;
  t5gist_gist_info info;
  TG_TRY(t5gist_gist_open(c->world->model, c->world->gist_path, &gist, err));
  t5gist_gist_describe(gist, &info);
  note(c, "%s %d\n", info.task, info.n_gist);
  t5gist_gist_free(gist);
  return T5GIST_OK;
}

static t5gist_status convert(context *c, const t5gist_conversion *how, t5gist_error *err) {
  const char *out = folder_path(c->out, "converted");
  TG_TRY(t5gist_convert(c->world->model_dir, out, how, err));
  note_file(c, folder_path(out, "model.safetensors"));
  note_file(c, folder_path(out, "config.json"));
  return T5GIST_OK;
}

static t5gist_status convert_bf16(context *c, t5gist_error *err) {
  return convert(c, &(t5gist_conversion){.dtype = "bf16"}, err);
}

static t5gist_status convert_int8(context *c, t5gist_error *err) {
  return convert(c, &(t5gist_conversion){.dtype = "int8"}, err);
}

static t5gist_status convert_int4(context *c, t5gist_error *err) {
  const char *texts = TEST_SOURCE_DIR "/tests/data/eval.jsonl";
  const t5gist_conversion how = {.dtype = "int4", .wo_dtype = "int4", .rounding = "calibrated", .texts = texts, .calibration = texts, .threads = 1};
  return convert(c, &how, err);
}

static t5gist_status begin_store(context *c, t5gist_error *err) {
  TG_TRY(begin_session(c, err));
  TG_TRY(t5gist_store_open(folder_path(c->out, "store"), NULL, &c->store, err));
  return t5gist_session_use_store(c->session, c->store, err);
}

/* Encodes and keeps, then finds. */
static t5gist_status use_store(context *c, t5gist_error *err) {
  t5gist_request r[2];
  make_requests(c, r, 2);
  r[1].input = "Oslo";
  for (int round = 0; round < 2; round++) {
    t5gist_forget_gists(c->session);
    TG_TRY(answer(c, r, 2, err));
  }
  return T5GIST_OK;
}

static void see_entry(void *user, const t5gist_store_entry *entry) {
  note(user, "%s %s %d\n", entry->key, entry->task ? entry->task : "?", entry->n_gist);
}

static t5gist_status manage_store(context *c, t5gist_error *err) {
  char *text = NULL;
  size_t n, size;
  t5gist_store_state state;
  t5gist_status status;
  FILE *report = open_memstream(&text, &size);
  TG_GOTO(t5gist_store_import(c->store, c->world->gist_path, &n, err));
  TG_GOTO(t5gist_store_list(c->store, see_entry, c, err));
  TG_GOTO(t5gist_store_verify(c->store, report, &state, err));
  TG_GOTO(t5gist_store_export(c->store, NULL, folder_path(c->out, "exported"), &n, err));
  TG_GOTO(t5gist_store_examine(c->store, &state, err));
  note(c, "%zu %zu %zu\n", state.entries, state.damaged, state.strays);
  TG_GOTO(t5gist_store_gc(c->store, &state, err));
  TG_GOTO(t5gist_store_remove(c->store, NULL, &n, err));
done:
  fclose(report);
  free(text);
  return status;
}

static t5gist_status look(context *c, t5gist_error *err) {
  char *text = NULL;
  size_t size;
  t5gist_status status;
  FILE *report = open_memstream(&text, &size);
  TG_GOTO(t5gist_verify(c->world->model_dir, report, err));
  TG_GOTO(t5gist_verify(c->world->gist_path, report, err));
  TG_GOTO(t5gist_inspect(c->world->gist_path, report, err));
  TG_GOTO(t5gist_inspect(c->world->model_dir, report, err));
done:
  fclose(report);
  if (status == T5GIST_OK && strstr(text, "not enough memory")) status = tg_fail(err, T5GIST_ENOMEM, "shown among what else there is to see");
  if (status == T5GIST_OK) note_bytes(c, text, size);
  free(text);
  return status;
}

static t5gist_status read_torch(context *c, t5gist_error *err) {
  tg_torch_bin *bin;
  TG_TRY(tg_torch_bin_open(TEST_SOURCE_DIR "/tests/data/torch/good.bin", &bin, err));
  note(c, "%zu\n", tg_torch_bin_count(bin));
  tg_torch_bin_close(bin);
  return T5GIST_OK;
}

/* Two steps with a snapshot after each, an evaluation, and the model. */
static t5gist_status train(context *c, t5gist_error *err) {
  tg_recipe recipe = {0};
  tg_train_result result;
  const tg_train_call call = {.overwrite = true};
  t5gist_status status;
  TG_GOTO(tg_recipe_load(c->world->recipe_path, &recipe, err));
  tg_free(recipe.out);
  recipe.out = NULL;
  TG_GOTO(tg_path_join(&recipe.out, c->out, "trained", err));
  TG_GOTO(tg_train(&recipe, &call, &result, err));
  note(c, "%d of %d\n", result.step, result.steps);
  note_file(c, folder_path(c->out, "trained/model.safetensors"));
  note_file(c, folder_path(c->out, "trained/config.json"));
done:
  tg_recipe_free(&recipe);
  return status;
}

const piece pieces[] = {{"open model", NULL, open_model},
                      {"open int8", NULL, open_int8},
                      {"open int4", NULL, open_int4},
                      {"encode", begin_session, encode},
                      {"generate", begin_generate, generate},
                      {"score", begin_session, score},
                      {"save gist", begin_gist, save_gist},
                      {"open gist", NULL, open_gist},
                      {"convert bf16", NULL, convert_bf16},
                      {"convert int8", NULL, convert_int8},
                      {"convert int4", NULL, convert_int4},
                      {"use store", begin_store, use_store},
                      {"manage store", begin_store, manage_store},
                      {"inspect and verify", NULL, look},
                      {"read torch file", NULL, read_torch},
                      {"train", NULL, train}};
const size_t n_pieces = sizeof pieces / sizeof *pieces;

const piece *piece_named(const char *name) {
  for (size_t i = 0; i < n_pieces; i++)
    if (strcmp(pieces[i].name, name) == 0) return &pieces[i];
  return NULL;
}
