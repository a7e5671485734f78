/* The public functions at their edges: null pointers, impossible values, names, defaults, and the tools of the command line. */
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support.h"
#include "t5gist/tools.h"
#include "tests/support/folder.h"

enum { SEED = 3 };
static char *dir;
static t5gist_model *model;
static t5gist_session *session;

static int set_up(void **state) {
  t5gist_error err;
  (void)state;
  dir = make_model("tiny", "flan", SEED, T5GIST_UNSET, NULL);
  CHECK_OK(t5gist_model_open(dir, NULL, &model, &err));
  CHECK_OK(t5gist_session_new(model, &session, &err));
  return 0;
}

static int tear_down(void **state) {
  (void)state;
  t5gist_session_free(session);
  t5gist_model_close(model);
  folder_remove(dir);
  return 0;
}

#define EXPECT_STATUS(expected, expr)                                                                \
  do {                                                                                               \
    err = (t5gist_error){0};                                                                         \
    if ((expr) != (expected)) fail_msg("%s: expected %s, found: %s", #expr, #expected, err.message); \
    assert_int_equal(err.status, expected);                                                          \
    assert_true(strlen(err.message) > 10);                                                           \
  } while (0)

/* -------------------------------------------------------------------------------------------------------------------------- misuse */

static void null_is_refused(void **state) {
  t5gist_error err;
  t5gist_model *m = NULL;
  t5gist_session *s = NULL;
  t5gist_gist *g = NULL;
  t5gist_answer answer;
  t5gist_request request;
  t5gist_options options;
  unsigned char *bytes;
  size_t n;
  (void)state;
  t5gist_request_init(&request);
  t5gist_options_init(&options);
  EXPECT_STATUS(T5GIST_EUSAGE, t5gist_model_open(NULL, NULL, &m, &err));
  EXPECT_STATUS(T5GIST_EUSAGE, t5gist_model_open(dir, NULL, NULL, &err));
  EXPECT_STATUS(T5GIST_EUSAGE, t5gist_session_new(NULL, &s, &err));
  EXPECT_STATUS(T5GIST_EUSAGE, t5gist_session_new(model, NULL, &err));
  EXPECT_STATUS(T5GIST_EUSAGE, t5gist_encode(NULL, "x", 1, &g, &err));
  EXPECT_STATUS(T5GIST_EUSAGE, t5gist_encode(session, NULL, 1, &g, &err));
  EXPECT_STATUS(T5GIST_EUSAGE, t5gist_encode(session, "x", 1, NULL, &err));
  EXPECT_STATUS(T5GIST_EUSAGE, t5gist_encode(session, "", 1, &g, &err));
  EXPECT_STATUS(T5GIST_EUSAGE, t5gist_gist_save(NULL, "x", T5GIST_PAYLOAD_F32, true, &err));
  EXPECT_STATUS(T5GIST_EUSAGE, t5gist_gist_serialize(NULL, T5GIST_PAYLOAD_F32, true, &bytes, &n, &err));
  EXPECT_STATUS(T5GIST_EUSAGE, t5gist_gist_open(model, NULL, &g, &err));
  EXPECT_STATUS(T5GIST_EUSAGE, t5gist_gist_open(model, "x", NULL, &err));
  EXPECT_STATUS(T5GIST_EUSAGE, t5gist_options_resolve(NULL, &options, &err));
  EXPECT_STATUS(T5GIST_EUSAGE, t5gist_options_resolve(model, NULL, &err));
  EXPECT_STATUS(T5GIST_EUSAGE, t5gist_generate(NULL, &request, 1, &answer, &err));
  EXPECT_STATUS(T5GIST_EUSAGE, t5gist_generate(session, NULL, 1, &answer, &err));
  EXPECT_STATUS(T5GIST_EUSAGE, t5gist_generate(session, &request, 1, NULL, &err));
  EXPECT_STATUS(T5GIST_EUSAGE, t5gist_submit(session, &request, NULL, NULL, &err));
  EXPECT_STATUS(T5GIST_EUSAGE, t5gist_step(NULL, &err));
  EXPECT_STATUS(T5GIST_EUSAGE, t5gist_draw_mask(NULL, "x", "y", T5GIST_GIST, 1, false, stdout, &err));
  EXPECT_STATUS(T5GIST_EUSAGE, t5gist_convert(NULL, "x", &(t5gist_conversion){0}, &err));
  EXPECT_STATUS(T5GIST_EUSAGE, t5gist_make_model(NULL, "tiny", "flan", "f32", 1, -1, "x", &err));
  EXPECT_STATUS(T5GIST_EUSAGE, t5gist_verify(NULL, stdout, &err));
  EXPECT_STATUS(T5GIST_EUSAGE, t5gist_inspect(NULL, stdout, &err));
  assert_int_equal(t5gist_generate(NULL, NULL, 1, NULL, NULL), T5GIST_EUSAGE); /* without anyone to tell */
  CHECK_OK(t5gist_generate(session, NULL, 0, NULL, &err));

  t5gist_model_close(NULL);
  t5gist_session_free(NULL);
  t5gist_gist_free(NULL);
  t5gist_answer_clear(NULL);
  t5gist_free(NULL);
  t5gist_model_describe(NULL, NULL);
  t5gist_gist_describe(NULL, NULL);
  t5gist_options_init(NULL);
  t5gist_request_init(NULL);
  t5gist_model_options_init(NULL);
  t5gist_machine_describe(NULL);
  t5gist_cleanup_on_signal();
  assert_int_equal(t5gist_pending(NULL), 0);
  assert_int_equal(t5gist_primitives_created(NULL), 0);
}

static void names_are_the_documented_ones(void **state) {
  (void)state;
  assert_string_equal(t5gist_version(), T5GIST_VERSION);
  const char *const conditions[] = {"gist", "pos_control", "neg_control", "prefix", "full"};
  for (int i = 0; i < T5GIST_N_CONDITIONS; i++) assert_string_equal(t5gist_condition_name((t5gist_condition)i), conditions[i]);
  assert_null(t5gist_condition_name(T5GIST_N_CONDITIONS));
  assert_null(t5gist_condition_name((t5gist_condition)-1));
  assert_string_equal(t5gist_finish_name(T5GIST_FINISH_EOS), "eos");
  assert_string_equal(t5gist_finish_name(T5GIST_FINISH_LENGTH), "length");
  assert_string_equal(t5gist_finish_name(T5GIST_FINISH_STOP), "stop");
  assert_null(t5gist_source_name(T5GIST_SOURCE_NONE));
  assert_string_equal(t5gist_source_name(T5GIST_SOURCE_STORE), "store");
}

static void model_describes_itself(void **state) {
  t5gist_error err;
  t5gist_model *m;
  t5gist_model_options options;
  t5gist_model_info info;
  (void)state;
  t5gist_model_options_init(&options);
  const int bad[] = {0, -2, 1025, INT_MAX};
  for (int i = 0; i < 4; i++) {
    options.threads = bad[i];
    EXPECT_STATUS(T5GIST_EUSAGE, t5gist_model_open(dir, &options, &m, &err));
  }
  options.threads = 3;
  CHECK_OK(t5gist_model_open(dir, &options, &m, &err));
  t5gist_model_describe(m, &info);
  assert_int_equal(info.threads, 3);
  assert_string_equal(info.model_type, "t5");
  assert_string_equal(info.dtype, "f32");
  assert_int_equal(info.vocab_size, 32101);
  assert_int_equal(info.n_gist_ids, 1);
  assert_int_equal(info.gist_ids[0], 32100);
  assert_int_equal(info.default_gists, 1);
  assert_string_equal(info.template_task, "Instruction: {task}");
  assert_int_equal(strlen(info.fingerprint), 64);
  assert_true(info.n_parameters > 0 && info.weight_bytes >= info.n_parameters * 4);
  t5gist_model_close(m);
  EXPECT_STATUS(T5GIST_EIO, t5gist_model_open(folder_path(dir, "nowhere"), NULL, &m, &err));
  assert_non_null(strstr(err.message, "nowhere"));
}

/* ------------------------------------------------------------------------------------------------------------------------- options */

static void options_have_defaults(void **state) {
  t5gist_error err;
  t5gist_options o;
  (void)state;
  t5gist_options_init(&o);
  CHECK_OK(t5gist_options_resolve(model, &o, &err));
  assert_int_equal(o.max_new_tokens, 128);
  assert_int_equal(o.min_new_tokens, 0);
  assert_int_equal(o.beams, 1);
  assert_int_equal(o.n_best, 1);
  assert_true(o.length_penalty == 1 && o.temperature == 0 && o.top_p == 1 && o.repetition_penalty == 1);
  assert_int_equal(o.early_stopping + o.top_k + o.no_repeat_ngram_size + o.max_input_tokens + o.top_logprobs, 0);
  const t5gist_options once = o;
  CHECK_OK(t5gist_options_resolve(model, &o, &err));
  assert_memory_equal(&once, &o, sizeof o);
}

static void options_out_of_range_are_named(void **state) {
  t5gist_error err;
  t5gist_options o;
  (void)state;
#define EXPECT_REFUSED(field, value)                                                           \
  do {                                                                                         \
    t5gist_options_init(&o);                                                                   \
    o.field = value;                                                                           \
    EXPECT_STATUS(T5GIST_EUSAGE, t5gist_options_resolve(model, &o, &err));                     \
    if (!strstr(err.message, #field)) fail_msg("%s is not named in: %s", #field, err.message); \
  } while (0)
  EXPECT_REFUSED(max_new_tokens, 0);
  EXPECT_REFUSED(max_new_tokens, INT_MAX);
  EXPECT_REFUSED(min_new_tokens, -5);
  EXPECT_REFUSED(min_new_tokens, INT_MAX);
  EXPECT_REFUSED(beams, 0);
  EXPECT_REFUSED(beams, 100000);
  EXPECT_REFUSED(n_best, 0);
  EXPECT_REFUSED(n_best, 2);
  EXPECT_REFUSED(length_penalty, INFINITY);
  EXPECT_REFUSED(early_stopping, 2);
  EXPECT_REFUSED(temperature, -0.5f);
  EXPECT_REFUSED(temperature, INFINITY);
  EXPECT_REFUSED(top_k, -3);
  EXPECT_REFUSED(top_p, 0);
  EXPECT_REFUSED(top_p, 1.5f);
  EXPECT_REFUSED(repetition_penalty, 0);
  EXPECT_REFUSED(no_repeat_ngram_size, -7);
  EXPECT_REFUSED(max_input_tokens, -9);
  EXPECT_REFUSED(top_logprobs, 40000);
  EXPECT_REFUSED(n_stop, 1);
#undef EXPECT_REFUSED
  t5gist_options_init(&o);
  o.max_new_tokens = 5;
  o.min_new_tokens = 6;
  EXPECT_STATUS(T5GIST_EUSAGE, t5gist_options_resolve(model, &o, &err));
  t5gist_options_init(&o);
  o.beams = 2;
  o.temperature = 0.5f;
  EXPECT_STATUS(T5GIST_EUSAGE, t5gist_options_resolve(model, &o, &err));
  const char *const stops[] = {"ok", "", "\xff"};
  for (size_t n = 1; n <= 3; n += 2) {
    t5gist_options_init(&o);
    o.stop = stops + (n == 3 ? 2 : 0);
    o.n_stop = n == 3 ? 1 : 2;
    assert_int_not_equal(t5gist_options_resolve(model, &o, &err), T5GIST_OK);
  }
}

/* The model's file fills what the caller left open, and gives way where the two cannot stand together. */
static void generation_config_gives_way(void **state) {
  t5gist_error err;
  t5gist_model *m;
  t5gist_options o;
  (void)state;
  char *folder = make_model("tiny", "flan", SEED, T5GIST_UNSET, NULL);
  folder_text(folder, "generation_config.json",
              "{\"num_beams\": 4, \"num_return_sequences\": 3, \"min_new_tokens\": 10, \"max_new_tokens\": 20, \"length_penalty\": 0.6}");
  CHECK_OK(t5gist_model_open(folder, NULL, &m, &err));
  t5gist_options_init(&o);
  CHECK_OK(t5gist_options_resolve(m, &o, &err));
  assert_int_equal(o.beams, 4);
  assert_int_equal(o.n_best, 3);
  assert_int_equal(o.max_new_tokens, 20);
  assert_true(o.length_penalty == 0.6f);
  t5gist_options_init(&o);
  o.temperature = 0.7f;
  o.max_new_tokens = 5;
  CHECK_OK(t5gist_options_resolve(m, &o, &err));
  assert_int_equal(o.beams, 1);
  assert_int_equal(o.n_best, 1);
  assert_int_equal(o.min_new_tokens, 5);
  t5gist_options_init(&o);
  o.beams = 2;
  CHECK_OK(t5gist_options_resolve(m, &o, &err));
  assert_int_equal(o.n_best, 2);
  t5gist_model_close(m);
  folder_remove(folder);
}

/* ------------------------------------------------------------------------------------------------------------------------ requests */

static bool keep_listening(void *user, const char *text) {
  (void)user, (void)text;
  return true;
}

static void ignore_answer(void *user, t5gist_answer *answer) {
  (void)user;
  t5gist_answer_clear(answer);
}

static void expect_refused(const t5gist_request *request, t5gist_status status, const char *word) {
  t5gist_error err = {0};
  const t5gist_status found = t5gist_submit(session, request, ignore_answer, NULL, &err);
  if (found != status || !strstr(err.message, word)) fail_msg("expected \"%s\" in: %s", word, err.message);
  assert_int_equal(t5gist_pending(session), 0);
}

static void senseless_requests_are_refused(void **state) {
  t5gist_error err;
  t5gist_gist *gist;
  (void)state;
  CHECK_OK(t5gist_encode(session, "Sort the words.", 1, &gist, &err));
  t5gist_request fresh, r;
  t5gist_request_init(&fresh);
  expect_refused(&fresh, T5GIST_EUSAGE, "both empty");
  r = fresh, r.task = "", r.input = "";
  expect_refused(&r, T5GIST_EUSAGE, "both empty");
  r = fresh, r.gist = gist, r.task = "x";
  expect_refused(&r, T5GIST_EUSAGE, "exclude");
  r = fresh, r.gist = gist, r.input = "x", r.gists = 77;
  expect_refused(&r, T5GIST_EUSAGE, "as many as the gist has, found 77");
  for (int c = 1; c < T5GIST_N_CONDITIONS; c++) {
    r = fresh, r.gist = gist, r.input = "x", r.condition = (t5gist_condition)c;
    expect_refused(&r, T5GIST_EUSAGE, t5gist_condition_name(r.condition));
  }
  r = fresh, r.input = "x", r.condition = (t5gist_condition)5;
  expect_refused(&r, T5GIST_EUSAGE, "condition");
  r = fresh, r.raw = true, r.input = "x", r.task = "y";
  expect_refused(&r, T5GIST_EUSAGE, "no task");
  r = fresh, r.raw = true, r.input = "x", r.gist = gist;
  expect_refused(&r, T5GIST_EUSAGE, "no gist");
  r = fresh, r.raw = true;
  expect_refused(&r, T5GIST_EUSAGE, "the input");
  r = fresh, r.raw = true, r.input = "x", r.condition = T5GIST_PREFIX;
  expect_refused(&r, T5GIST_EUSAGE, "prefix");
  r = fresh, r.task = "x", r.gists = 0;
  expect_refused(&r, T5GIST_EUSAGE, "gists");
  r = fresh, r.task = "x", r.n_targets = 2;
  expect_refused(&r, T5GIST_EUSAGE, "targets");
  const char *const targets[] = {"a", NULL};
  r = fresh, r.task = "x", r.targets = targets, r.n_targets = 2;
  expect_refused(&r, T5GIST_EUSAGE, "target 2");
  r = fresh, r.task = "x", r.on_text = keep_listening, r.options.beams = 2;
  expect_refused(&r, T5GIST_EUSAGE, "beams");
  t5gist_gist_free(gist);
}

/* A model without a gist token: plain prompts work, the others say why not. */
static void without_gist_token_full_and_raw_work(void **state) {
  t5gist_error err;
  t5gist_model *m;
  t5gist_session *s;
  t5gist_gist *gist;
  t5gist_answer answers[3];
  t5gist_request requests[3];
  (void)state;
  json_t *changes = json_pack("{s:{}}", "t5gist");
  char *folder = make_model("tiny", "flan", SEED, 32128, changes);
  json_decref(changes);
  CHECK_OK(t5gist_model_open(folder, NULL, &m, &err));
  CHECK_OK(t5gist_session_new(m, &s, &err));
  EXPECT_STATUS(T5GIST_EUNSUPPORTED, t5gist_encode(s, "x", 1, &gist, &err));
  for (int i = 0; i < 3; i++) {
    t5gist_request_init(&requests[i]);
    requests[i].input = "The house";
    requests[i].options.max_new_tokens = 2;
  }
  requests[0].condition = T5GIST_FULL;
  requests[0].task = "Translate.";
  requests[1].raw = true;
  CHECK_OK(t5gist_generate(s, requests, 3, answers, &err));
  assert_int_equal(answers[0].error.status, T5GIST_OK);
  assert_int_equal(answers[1].error.status, T5GIST_OK);
  assert_int_equal(answers[2].error.status, T5GIST_EUNSUPPORTED);
  for (int i = 0; i < 3; i++) t5gist_answer_clear(&answers[i]);
  t5gist_session_free(s);
  t5gist_model_close(m);
  folder_remove(folder);
}

static void warm_requests_create_no_primitive(void **state) {
  t5gist_error err;
  t5gist_answer answer;
  t5gist_request request;
  uint64_t created = 0;
  (void)state;
  t5gist_request_init(&request);
  request.task = "Sort the words.";
  request.input = "pear apple";
  request.options.max_new_tokens = 8;
  for (int i = 0; i < 3; i++) {
    CHECK_OK(t5gist_generate(session, &request, 1, &answer, &err));
    t5gist_answer_clear(&answer);
    if (i > 0) assert_int_equal(t5gist_primitives_created(model), created);
    created = t5gist_primitives_created(model);
  }
}

/* --------------------------------------------------------------------------------------------------------------------------- tools */

/* What a tool wrote; release with free. */
static char *output_of(t5gist_status (*tool)(const char *, FILE *, t5gist_error *), const char *path, t5gist_status expected) {
  t5gist_error err = {0};
  char *text = NULL;
  size_t n;
  FILE *out = open_memstream(&text, &n);
  const t5gist_status status = tool(path, out, &err);
  fclose(out);
  if (status != expected) fail_msg("%s: %s", path, err.message);
  return text;
}

static void expect_words(char *text, const char *const *words, size_t n) {
  for (size_t i = 0; i < n; i++) {
    if (!strstr(text, words[i])) fail_msg("expected \"%s\" in:\n%s", words[i], text);
  }
  free(text);
}
#define EXPECT_WORDS(text, ...) expect_words(text, (const char *const[]){__VA_ARGS__}, sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *))

static void folders_are_inspected_and_verified(void **state) {
  t5gist_model_info info;
  (void)state;
  t5gist_model_describe(model, &info);
  EXPECT_WORDS(output_of(t5gist_inspect, dir, T5GIST_OK), "model folder", "spiece.model, 32", "gist tokens", "32100", info.fingerprint,
               "model.safetensors", "Instruction: {task}");
  EXPECT_WORDS(output_of(t5gist_verify, dir, T5GIST_OK), "config.json", "spiece.model", "model.safetensors", "values read");
}

static void damaged_folders_are_told(void **state) {
  size_t n;
  (void)state;
  char *folder = make_model("tiny", "flan", SEED, T5GIST_UNSET, NULL);
  char *weights = folder_read(folder_path(folder, "model.safetensors"), &n);
  const float nan = NAN;
  memcpy(weights + n - sizeof nan, &nan, sizeof nan);
  folder_write(folder, "model.safetensors", weights, n);
  EXPECT_WORDS(output_of(t5gist_verify, folder, T5GIST_EFORMAT), "finite", "values read");

  char *name = memmem(weights, n, "encoder.final_layer_norm", 24);
  assert_non_null(name);
  name[8] = 'F';
  folder_write(folder, "model.safetensors", weights, n);
  EXPECT_WORDS(output_of(t5gist_verify, folder, T5GIST_EFORMAT), "encoder.final_layer_norm.weight",
               "encoder.Final_layer_norm.weight: not part of the model");
  folder_write(folder, "model.safetensors", weights, n - 3);
  EXPECT_WORDS(output_of(t5gist_verify, folder, T5GIST_EFORMAT), "model.safetensors");
  EXPECT_WORDS(output_of(t5gist_inspect, folder, T5GIST_EFORMAT), "PROBLEM", "spiece.model, 32", "model.safetensors");
  remove(folder_path(folder, "spiece.model"));
  folder_text(folder, "config.json", "{");
  free(output_of(t5gist_verify, folder, T5GIST_EFORMAT));
  EXPECT_WORDS(output_of(t5gist_inspect, folder, T5GIST_EFORMAT), "PROBLEM", "config.json");
  free(weights);
  folder_remove(folder);
}

static void gist_files_are_inspected_and_verified(void **state) {
  t5gist_error err;
  t5gist_gist *gist;
  size_t n;
  (void)state;
  CHECK_OK(t5gist_encode(session, "Sort the\nwords \x1b[31m.", 2, &gist, &err));
  char *path = strdup(folder_path(dir, "task.gist"));
  CHECK_OK(t5gist_gist_save(gist, path, T5GIST_PAYLOAD_BF16, true, &err));
  char *text = output_of(t5gist_inspect, path, T5GIST_OK);
  assert_null(strchr(text, '\x1b')); /* a task may not steer the terminal */
  EXPECT_WORDS(text, "Sort the\\nwords \\x1b[31m.", "2 gist tokens", "bf16", "cross K and V", "checksum");
  EXPECT_WORDS(output_of(t5gist_verify, path, T5GIST_OK), "sound");

  char *bytes = folder_read(path, &n);
  bytes[n - 1] ^= 1;
  folder_write(dir, "task.gist", bytes, n);
  EXPECT_WORDS(output_of(t5gist_inspect, path, T5GIST_EFORMAT), "DIFFERS", "enc.states", "task_sha256", "header");
  free(output_of(t5gist_verify, path, T5GIST_EFORMAT));
  folder_write(dir, "task.gist", bytes, 100);
  EXPECT_WORDS(output_of(t5gist_inspect, path, T5GIST_EFORMAT), "100 bytes", "found only 92");
  folder_write(dir, "task.gist", bytes, 3);
  EXPECT_WORDS(output_of(t5gist_inspect, path, T5GIST_EFORMAT), "cut off");
  remove(path);
  free(output_of(t5gist_inspect, path, T5GIST_EIO));
  free(output_of(t5gist_verify, path, T5GIST_EIO));
  free(bytes);
  free(path);
  t5gist_gist_free(gist);
}

static void masks_are_drawn(void **state) {
  t5gist_error err = {0};
  (void)state;
  for (int c = 0; c < T5GIST_N_CONDITIONS; c++) {
    for (int svg = 0; svg < 2; svg++) {
      char *text = NULL;
      size_t n;
      FILE *out = open_memstream(&text, &n);
      CHECK_OK(t5gist_draw_mask(session, "Translate this.", "The house", (t5gist_condition)c, 2, svg, out, &err));
      fclose(out);
      if (svg) assert_memory_equal(text, "<svg", 4);
      assert_non_null(strstr(text, "house"));
      assert_int_equal(strstr(text, "GIST") != NULL, c != T5GIST_FULL);
      free(text);
    }
  }
  EXPECT_STATUS(T5GIST_EUSAGE, t5gist_draw_mask(session, "", "", T5GIST_GIST, 1, false, stdout, &err));
  EXPECT_STATUS(T5GIST_EUSAGE, t5gist_draw_mask(session, "x", "", T5GIST_GIST, 0, false, stdout, &err));
  FILE *full = fopen("/dev/full", "w");
  if (full) EXPECT_STATUS(T5GIST_EIO, t5gist_draw_mask(session, "x", "y", T5GIST_GIST, 1, false, full, &err));
  if (full) fclose(full);
}

static void machine_is_described(void **state) {
  t5gist_machine machine;
  (void)state;
  t5gist_machine_describe(&machine);
  assert_true(machine.threads >= 1 && machine.isa[0] && machine.onednn[0] && machine.cpu[0]);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(null_is_refused),
      cmocka_unit_test(names_are_the_documented_ones),
      cmocka_unit_test(model_describes_itself),
      cmocka_unit_test(options_have_defaults),
      cmocka_unit_test(options_out_of_range_are_named),
      cmocka_unit_test(generation_config_gives_way),
      cmocka_unit_test(senseless_requests_are_refused),
      cmocka_unit_test(without_gist_token_full_and_raw_work),
      cmocka_unit_test(warm_requests_create_no_primitive),
      cmocka_unit_test(folders_are_inspected_and_verified),
      cmocka_unit_test(damaged_folders_are_told),
      cmocka_unit_test(gist_files_are_inspected_and_verified),
      cmocka_unit_test(masks_are_drawn),
      cmocka_unit_test(machine_is_described),
  };
  return cmocka_run_group_tests(tests, set_up, tear_down);
}
