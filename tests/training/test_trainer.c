/* Runs: recipes, what is written down, stopping and going on with the same bits, what is refused. Killing the program and several processes:
 * tests/cli/test_train.py. */
#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "runtime/file.h"
#include "runtime/json.h"
#include "runtime/safetensors.h"
#include "support.h"
#include "tests/support/folder.h"
#include "training/log.h"
#include "training/snapshot.h"
#include "training/trainer.h"

#define TOKENIZER TEST_SOURCE_DIR "/tests/data/mini"

static char *folder;
static t5gist_error err;

static int set_up(void **state) {
  (void)state;
  folder = folder_new(TEST_BINARY_DIR);
  err = (t5gist_error){0};
  return 0;
}

static int tear_down(void **state) {
  (void)state;
  folder_remove(folder);
  return 0;
}

/* -------------------------------------------------------------------------------------------------------------------------- recipes */

static t5gist_status load_recipe(const char *text, tg_recipe *recipe) {
  folder_text(folder, "recipe.yaml", text);
  err.message[0] = 0;
  return tg_recipe_load(folder_path(folder, "recipe.yaml"), recipe, &err);
}

static void recipes_have_defaults(void **state) {
  (void)state;
  tg_recipe r;
  CHECK_OK(
      load_recipe("model: m\nout: o\ndata: {train: a.jsonl, eval: [b.jsonl, new=c=d.jsonl]}\ngists: [1, 8, 2]\nloss: {rebuild: 0.5, rebuild_until: "
                  "0.5}\nsteps: 10\n",
                  &r));
  assert_int_equal(r.n_gists, 3);
  assert_int_equal(r.most_gists, 8);
  assert_int_equal(r.n_sets, 2);
  assert_string_equal(r.sets[0].name, "eval");
  assert_string_equal(r.sets[1].name, "new");
  assert_string_equal(r.sets[1].path, "c=d.jsonl");
  assert_true(r.conditions[T5GIST_GIST] == 1 && r.conditions[T5GIST_FULL] == 0);
  assert_string_equal(r.target_field, "output");
  assert_true(tg_recipe_batch(&r, 4).rebuild == 0.25f && tg_recipe_batch(&r, 5).rebuild == 0);
  assert_int_equal(tg_recipe_schedule(&r).steps, 10);
  tg_recipe_free(&r);
}

static void recipes_are_refused_with_a_reason(void **state) {
  (void)state;
  const char *const cases[][2] = {
      {"out: o\ndata.train: a\n", "expected one of the keys model (a folder to start from) and shape (from scratch), found neither"},
      {"model: m\nshape.like: small\nout: o\ndata.train: a\n", "found both"},
      {"shape.like: tall\nout: o\ndata.train: a\n", "shape.like: expected tiny, mini, small, base, large, xl or xxl, found \"tall\""},
      {"shape: {d_model: 8, d_kv: 4}\nout: o\ndata.train: a\n", "shape.d_ff: expected a number, found nothing"},
      {"model: m\ndata.train: a\n", "out: expected the folder"},
      {"model: m\nout: o\n", "data.train: expected a file of examples"},
      {"model: m\nout: o\ndata: {train: a, tarin: b}\n", "recipe.yaml:3:18: unknown key \"data.tarin\"; did you mean \"data.train\"?"},
      {"model: m\nout: o\ndata: {train: a, eval: [x=b, x=c]}\n", "two sets are called \"x\""},
      {"model: m\nout: o\ndata: {train: a, eval: [\"a/b=c\"]}\n", "expected NAME=FILE"},
      {"model: m\nout: o\ndata.train: a\ngists: [4]\ndistinct_gists: 3\n", "distinct_gists: expected at least 4"},
      {"model: m\nout: o\ndata.train: a\ngists: [0]\n", "gists: expected an integer from 1 to 1024, found \"0\""},
      {"model: m\nout: o\ndata.train: a\nloss.match: 1\n", "teacher: expected a model folder, or start, for loss.match, found nothing"},
      {"model: m\nout: o\ndata.train: a\nteacher: start\n", "for which the teacher is there, found none"},
      {"model: m\nout: o\ndata.train: a\nteacher: start\nloss.kl_forward: 1\nteacher_condition: gist\n",
       "teacher_condition: expected full or pos_control, found \"gist\""},
      {"model: m\nout: o\ndata.train: a\nloss.cross_entropy: 0\n", "loss: expected at least one weight above 0"},
      {"model: m\nout: o\ndata.train: a\nsteps: 5\nwarmup: 6\n", "warmup: expected at most the 5 steps, found 6"},
      {"model: m\nout: o\ndata.train: a\neval_conditions: [gits]\n", "eval_conditions: expected one of gist, pos_control"},
      {"model: m\nout: o\ndata.train: a\nbest: x/gist1/loss\n", "best: expected a set in data.eval"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    tg_recipe r;
    const t5gist_status status = load_recipe(cases[i][0], &r);
    if (!status || !strstr(err.message, cases[i][1])) fail_msg("%s: %s", cases[i][0], err.message);
    tg_recipe_free(&r);
  }
}

static void a_run_goes_on_with_its_own_recipe_alone(void **state) {
  (void)state;
  tg_recipe a, b;
  CHECK_OK(load_recipe("model: m\nout: o\ndata.train: a\nrate: 0.1\nseed: 18446744073709551615\n", &a));
  CHECK_OK(load_recipe("model: m\nout: other\ndata.train: a\nrate: 0.1\nsteps: 7\nthreads: 3\nsave_every: 1\nseed: 18446744073709551615\n", &b));
  json_t *before = tg_recipe_json(&a);
  assert_string_equal(json_string_value(json_object_get(before, "seed")), "18446744073709551615");
  char *text = json_dumps(before, 0);
  json_decref(before);
  CHECK_OK(tg_json_parse(text, strlen(text), "recipe", &before, &err)); /* as a file gives it back */
  free(text);
  CHECK_OK(tg_recipe_same(&a, before, &err));
  CHECK_OK(tg_recipe_same(&b, before, &err));
  b.rate = 0.2f;
  assert_int_equal(tg_recipe_same(&b, before, &err), T5GIST_EMISMATCH);
  assert_non_null(strstr(err.message, "rate: the run was begun with 0.1"));
  json_decref(before);
  tg_recipe_free(&a);
  tg_recipe_free(&b);
}

/* ----------------------------------------------------------------------------------------------------------------------------- logs */

static void checksums_are_the_standard_ones(void **state) {
  (void)state;
  assert_int_equal(tg_crc32c("123456789", 9), 0xe3069283);
  assert_int_equal(tg_crc32c("", 0), 0);
}

static void events_are_records_of_tensorboard(void **state) {
  (void)state;
  /* Event {wall_time = 1.5, step = 300, summary {value {tag "a/x", simple_value 2}}}, by hand */
  static const unsigned char event[] = {0x09, 0,    0,    0,    0,    0,   0,   0xf8, 0x3f, 0x10, 0xac, 0x02, 0x2a,
                                        0x0c, 0x0a, 0x0a, 0x0a, 0x03, 'a', '/', 'x',  0x15, 0,    0,    0,    0x40};
  const tg_scalar scalar = {"x", 2};
  tg_buffer records = {0};
  CHECK_OK(tg_event_scalars(1.5, 300, "a", &scalar, 1, &records, &err));
  assert_int_equal(records.size, 8 + 4 + sizeof event + 4);
  assert_int_equal((unsigned char)records.data[0], sizeof event);
  assert_memory_equal(records.data + 12, event, sizeof event);
  uint32_t kept;
  const uint32_t crc = tg_crc32c(event, sizeof event);
  memcpy(&kept, records.data + 12 + sizeof event, 4);
  assert_int_equal(kept, (uint32_t)((crc >> 15 | crc << 17) + 0xa282ead8u));
  tg_buffer_free(&records);
}

static void a_log_that_goes_on_forgets_later_steps(void **state) {
  (void)state;
  tg_log *log;
  const tg_scalar scalars[] = {{"loss", 0.5}, {"norm", NAN}};
  CHECK_OK(tg_log_open(folder, true, false, 0, &log, &err));
  for (uint64_t step = 1; step <= 3; step++) CHECK_OK(tg_log_write(log, step, NULL, "train", scalars, 2, &err));
  tg_log_close(log);
  tg_appender *appender;
  CHECK_OK(tg_appender_open(folder_path(folder, "log.jsonl"), 0666, &appender, &err));
  CHECK_OK(tg_appender_write(appender, "{\"step\":2,\"lo", 13, &err)); /* as a killed run leaves it */
  tg_appender_close(appender);
  CHECK_OK(tg_log_open(folder, true, false, 2, &log, &err));
  CHECK_OK(tg_log_write(log, 3, NULL, "train", scalars, 1, &err));
  tg_log_close(log);
  char *text = folder_read(folder_path(folder, "log.jsonl"), NULL);
  assert_string_equal(text, "{\"step\":1,\"loss\":0.5,\"norm\":null}\n{\"step\":2,\"loss\":0.5,\"norm\":null}\n{\"step\":3,\"loss\":0.5}\n");
  free(text);
}

/* ----------------------------------------------------------------------------------------------------------------------------- runs */

typedef struct watcher {
  _Atomic int stop;
  int stop_at;   /* step; 0: never */
  int told;      /* calls of progress */
  char said[8192];
} watcher;

static void on_say(void *user, const char *sentence) {
  watcher *w = user;
  const size_t n = strlen(w->said);
  snprintf(w->said + n, sizeof w->said - n, "%s\n", sentence);
}

static void on_progress(void *user, const tg_train_progress *p) {
  watcher *w = user;
  w->told++;
  if (w->stop_at > 0 && p->step >= w->stop_at) w->stop = 2;
}

static void write_data(const char *name) {
  static const char *const items[] = {"lamp", "chair", "cup", "bed", "table"}, *const colours[] = {"red", "blue", "green"};
  tg_buffer text = {0};
  for (int i = 0; i < 15; i++) {
    const char *item = items[i % 5], *colour = colours[i / 5];
    CHECK_OK(tg_buffer_printf(&text, &err, "{\"instruction\": \"Say the colour.\", \"input\": \"the %s %s\", \"output\": \"%s\"}\n", colour, item,
                              colour));
    CHECK_OK(tg_buffer_printf(&text, &err, "{\"instruction\": \"Say the thing, please.\", \"input\": \"the %s %s\", \"output\": \"%s\"}\n", colour,
                              item, item));
  }
  folder_write(folder, name, text.data, text.size);
  tg_buffer_free(&text);
}

/* A run of 12 steps with everything that has a state: a teacher, dropout, averaging, auxiliary tasks, evaluation. */
static t5gist_status make_recipe(const char *out, const char *more, tg_recipe *recipe) {
  tg_buffer text = {0};
  write_data("data.jsonl");
  CHECK_OK(tg_buffer_printf(&text, &err,
                            "shape: {like: tiny, n_decoder_layers: 1}\nvocab.from: " TOKENIZER
                            "\nout: %s/%s\ndata: {train: %s/data.jsonl, eval: [seen=%s/data.jsonl]}\n"
                            "gists: [1, 2]\ndistinct_gists: 2\nconditions: {gist: 2, full: 1}\nsteps: 12\nbatch_examples: 6\nmicro_tokens: "
                            "60\noptimiser: adamw_scaled\nrate: 0.01\n"
                            "warmup: 2\nscale_q: true\nseed: 5\nthreads: 2\n%s",
                            folder, out, folder, folder, more));
  const t5gist_status status = load_recipe(text.data, recipe);
  tg_buffer_free(&text);
  return status;
}

static const char everything[] =
    "teacher: start\nloss: {kl_forward: 0.5, kl_reverse: 0.5, match: 0.1, rebuild: 0.2, rebuild_share: 0.5, rebuild_until: 0.7, copy: 0.1, "
    "smoothing: 0.05}\n"
    "dropout: 0.1\naverage: 0.9\ngist_factor: 10\neval_every: 4\nsave_every: 3\n";

static t5gist_status train(const char *out, const char *more, bool resume, watcher *w, tg_train_result *result) {
  tg_recipe recipe;
  const tg_train_call call = {
      .command = "t5gist train x.yaml", .resume = resume, .stop = &w->stop, .say = on_say, .progress = on_progress, .user = w};
  CHECK_OK(make_recipe(out, more, &recipe));
  const t5gist_status status = tg_train(&recipe, &call, result, &err);
  tg_recipe_free(&recipe);
  return status;
}

static void assert_same_file(const char *a, const char *b) {
  size_t n, m;
  char *x = folder_read(folder_path(folder, a), &n), *y = folder_read(folder_path(folder, b), &m);
  assert_int_equal(n, m);
  assert_memory_equal(x, y, n);
  free(x);
  free(y);
}

static void a_run_learns_and_leaves_a_model(void **state) {
  (void)state;
  watcher w = {0};
  tg_train_result result;
  CHECK_OK(train("out", "eval_every: 5\nbest: seen/gist2/exact_match\n", false, &w, &result));
  assert_int_equal(result.step, 12);
  assert_true(isfinite(result.loss) && result.tokens > 0 && result.flops > 0 && !result.stopped);
  assert_true(w.told > 12);
  assert_non_null(strstr(result.best, "seen/gist2/exact_match"));
  assert_non_null(strstr(w.said, "memory predicted"));
  assert_non_null(strstr(w.said, "time predicted"));
  assert_non_null(strstr(w.said, "data.jsonl: 30 examples"));
  tg_config config;
  CHECK_OK(tg_config_load(folder_path(folder, "out"), &config, &err));
  assert_int_equal(config.n_gist_ids, 2);
  assert_int_equal(config.n_decoder_layers, 1);
  assert_int_equal(config.default_gists, 2);
  tg_config_free(&config);
  size_t n;
  char *log = folder_read(folder_path(folder, "out/run/log.jsonl"), &n);
  assert_non_null(strstr(log, "{\"step\":12,\"loss\":"));
  assert_non_null(strstr(log, "\"eval\":\"seen\",\"condition\":\"full\",\"gists\":2,\"examples\":30"));
  free(log);
}

static void losses_fall(void **state) {
  (void)state;
  watcher w = {0};
  tg_train_result result;
  tg_recipe recipe;
  const tg_train_call call = {.say = on_say, .user = &w};
  CHECK_OK(make_recipe("out", "best: seen/gist2/loss\n", &recipe));
  recipe.steps = 250;
  recipe.eval_every = 50;
  recipe.tensorboard = false;
  CHECK_OK(tg_train(&recipe, &call, &result, &err));
  tg_recipe_free(&recipe);
  assert_true(result.loss < 0.1);
  assert_null(strstr(result.best, "at step 50")); /* later ones were better */
  assert_non_null(strstr(w.said, "step 250: seen/gist1")); /* evaluated at the end, although no step was named */
  assert_non_null(strstr(w.said, "exact match 100.0 %"));
}

static void a_stopped_run_goes_on_with_the_same_bits(void **state) {
  (void)state;
  tg_train_result result;
  watcher w = {0};
  CHECK_OK(train("whole", everything, false, &w, &result));
  for (int stop = 1; stop <= 11; stop += 5) {
    char out[16], a[64], b[64];
    snprintf(out, sizeof out, "cut%d", stop);
    w = (watcher){.stop_at = stop};
    CHECK_OK(train(out, everything, false, &w, &result));
    assert_true(result.stopped);
    assert_int_equal(result.step, stop);
    w = (watcher){0};
    CHECK_OK(train(out, everything, true, &w, &result));
    assert_int_equal(result.first_step, stop);
    assert_int_equal(result.step, 12);
    static const char *const same[] = {"model.safetensors", "config.json", "run/step-00000012/weights.safetensors",
                                       "run/step-00000012/optimiser.safetensors"};
    for (size_t i = 0; i < sizeof same / sizeof *same; i++) {
      snprintf(a, sizeof a, "whole/%s", same[i]);
      snprintf(b, sizeof b, "%s/%s", out, same[i]);
      assert_same_file(a, b);
    }
  }
  CHECK_OK(train("cut1", everything, true, &w, &result)); /* complete: nothing is left to do */
  assert_int_equal(result.first_step, 12);
}

/* Tensors of a file one after the other, those of the second less those of the first: the largest distance. */
static double largest_distance(const char *a, const char *b, const char *vector) {
  tg_safetensors *x, *y;
  CHECK_OK(tg_safetensors_open(folder_path(folder, a), &x, &err));
  CHECK_OK(tg_safetensors_open(folder_path(folder, b), &y, &err));
  const tg_tensor *flat = vector ? tg_safetensors_find(y, vector) : NULL;
  double largest = 0;
  size_t at = 0;
  for (size_t i = 0; i < tg_safetensors_count(x); i++) {
    const tg_tensor *t = tg_safetensors_at(x, i), *other = flat ? flat : tg_safetensors_find(y, t->name);
    for (size_t j = 0; j < t->count; j++) {
      float p, q;
      memcpy(&p, t->data + 4 * j, 4);
      memcpy(&q, other->data + 4 * (flat ? at + j : j), 4);
      largest = fmax(largest, fabs((double)p - (double)q));
    }
    at += t->count;
  }
  tg_safetensors_close(x);
  tg_safetensors_close(y);
  return largest;
}

static void what_is_written_is_the_average_with_q_folded(void **state) {
  (void)state;
  watcher w = {0};
  tg_train_result result;
  tg_recipe recipe;
  for (int averaged = 0; averaged < 2; averaged++) {
    const tg_train_call call = {.say = on_say, .user = &w};
    CHECK_OK(make_recipe(averaged ? "averaged" : "plain", "average: 0.5\n", &recipe));
    recipe.scale_q = !averaged;
    if (!averaged) recipe.average = 0;
    CHECK_OK(tg_train(&recipe, &call, &result, &err));
    tg_recipe_free(&recipe);
  }
  assert_true(largest_distance("averaged/model.safetensors", "averaged/run/step-00000012/optimiser.safetensors", "average") == 0);
  assert_true(largest_distance("averaged/model.safetensors", "averaged/run/step-00000012/weights.safetensors", NULL) > 1e-4);
  const double q = largest_distance("plain/model.safetensors", "plain/run/step-00000012/weights.safetensors", NULL);
  assert_true(q > 1e-3 && q < 1); /* of the q matrices: sqrt(d_kv) */
}

static void micro_batches_change_only_rounding(void **state) {
  (void)state;
  watcher w = {0};
  tg_train_result result[2];
  tg_recipe recipe;
  for (int i = 0; i < 2; i++) {
    const tg_train_call call = {.say = on_say, .user = &w};
    CHECK_OK(make_recipe(i ? "many" : "one", "", &recipe));
    recipe.steps = 1;
    recipe.micro_tokens = i ? 1 : 100000;
    CHECK_OK(tg_train(&recipe, &call, &result[i], &err));
    tg_recipe_free(&recipe);
  }
  assert_true(fabs(result[0].loss - result[1].loss) < 1e-5 * fabs(result[0].loss));
}

static double logged(const char *log, const char *begin, const char *key) {
  const char *line = strstr(log, begin), *value = line ? strstr(line, key) : NULL;
  assert_non_null(value);
  return strtod(value + strlen(key), NULL);
}

static void a_steps_loss_is_the_mean_over_its_tokens(void **state) {
  (void)state;
  watcher w = {0};
  tg_train_result result;
  tg_recipe recipe;
  const tg_train_call call = {.say = on_say, .user = &w};
  CHECK_OK(make_recipe("out", "", &recipe));
  recipe.steps = 1;
  recipe.rate = 0;
  recipe.warmup = 0;
  recipe.batch_examples = 30; /* all there are */
  recipe.conditions[T5GIST_GIST] = 0;
  CHECK_OK(tg_train(&recipe, &call, &result, &err));
  tg_recipe_free(&recipe);
  char *log = folder_read(folder_path(folder, "out/run/log.jsonl"), NULL);
  const double step = logged(log, "{\"step\":1,\"loss\"", "\"loss\":"), evaluation = logged(log, "{\"step\":1,\"eval\"", "\"loss\":");
  assert_true(fabs(step - evaluation) < 1e-5 * evaluation);
  free(log);
}

/* Whether the targets of a step are more the later it is in its round through the data, where the file's are. */
static bool targets_grow(const char *out, bool shuffle) {
  enum { EXAMPLES = 30, BATCH = 6, STEPS = 12 };
  watcher w = {0};
  tg_train_result result;
  tg_recipe recipe;
  tg_buffer text = {0};
  const tg_train_call call = {.say = on_say, .user = &w};
  CHECK_OK(make_recipe(out, "", &recipe));
  for (int i = 0; i < EXAMPLES; i++)
    CHECK_OK(
        tg_buffer_printf(&text, &err, "{\"instruction\": \"a\", \"input\": \"b\", \"output\": \"%.*s\"}\n", 2 + 2 * (i / BATCH), "1 2 3 4 5 6 7"));
  folder_write(folder, "data.jsonl", text.data, text.size);
  tg_buffer_free(&text);
  recipe.shuffle = shuffle;
  CHECK_OK(tg_train(&recipe, &call, &result, &err));
  tg_recipe_free(&recipe);
  char name[64], *log;
  snprintf(name, sizeof name, "%s/run/log.jsonl", out);
  log = folder_read(folder_path(folder, name), NULL);
  bool grow = true;
  double before = 0;
  for (int step = 1; step <= STEPS; step++) {
    char line[32];
    snprintf(line, sizeof line, "{\"step\":%d,\"loss\"", step);
    const double targets = logged(log, line, "\"targets\":");
    if ((step - 1) % (EXAMPLES / BATCH)) grow &= targets > before;
    before = targets;
  }
  free(log);
  return grow;
}

static void data_keeps_its_order_when_asked(void **state) {
  (void)state;
  assert_true(targets_grow("kept", false));
  assert_false(targets_grow("shuffled", true));
}

static void folders_of_others_are_left_alone(void **state) {
  (void)state;
  watcher w = {0};
  tg_train_result result;
  assert_int_equal(train("out", "", true, &w, &result), T5GIST_EUSAGE);
  assert_non_null(strstr(err.message, "--resume: expected a run in "));
  folder_text(folder, "other.txt", "mine");
  assert_int_equal(train(".", "", false, &w, &result), T5GIST_EUSAGE); /* the folder holds data.jsonl and more */
  assert_non_null(strstr(err.message, "out: expected a new or empty folder, found "));
  CHECK_OK(train("out", "save_every: 5\n", false, &w, &result));
  assert_int_equal(train("out", "save_every: 5\n", false, &w, &result), T5GIST_EUSAGE);
  assert_non_null(strstr(err.message, "holds a run that came to step 12: \"t5gist train x.yaml --resume\" goes on with it, --overwrite begins anew"));
  const int fd = open(folder_path(folder, "out/run"), O_RDONLY | O_DIRECTORY);
  assert_int_equal(flock(fd, LOCK_EX), 0); /* as another process that trains there */
  assert_int_equal(train("out", "save_every: 5\n", true, &w, &result), T5GIST_EUSAGE);
  assert_non_null(strstr(err.message, "another process is training there"));
  close(fd);
  assert_int_equal(train("out", "clip: 2\n", true, &w, &result), T5GIST_EMISMATCH);
  assert_non_null(strstr(err.message, "clip: the run was begun with 1.0, the recipe now says 2.0"));
  write_data("data.jsonl");
}

/* A model that an evaluation wrote is not replaced by a run that begins anew unasked, although there is no snapshot to go on from. */
static void a_model_without_a_snapshot_is_kept(void **state) {
  (void)state;
  watcher w = {0};
  tg_train_result result;
  CHECK_OK(train("out", "eval_every: 2\n", false, &w, &result));
  assert_int_equal(unlink(folder_path(folder, "out/run/step-00000012/DONE")), 0);
  assert_int_equal(train("out", "eval_every: 2\n", false, &w, &result), T5GIST_EUSAGE);
  assert_non_null(strstr(err.message, "holds the model of a run that ended before its first snapshot"));
  CHECK_OK(train("out", "eval_every: 2\n", true, &w, &result));
  assert_int_equal(result.first_step, 0);
}

/* Nobody can tell which model is best: the newest snapshot's. */
static void without_evaluation_the_model_comes_with_each_snapshot(void **state) {
  (void)state;
  watcher w = {.stop_at = 7};
  tg_train_result result;
  tg_recipe recipe;
  const tg_train_call call = {.stop = &w.stop, .progress = on_progress, .user = &w};
  CHECK_OK(make_recipe("out", "save_every: 5\n", &recipe));
  tg_strings_clear(&recipe.eval_texts);
  recipe.scale_q = false;
  CHECK_OK(tg_recipe_check("recipe", &recipe, &err));
  CHECK_OK(tg_train(&recipe, &call, &result, &err));
  tg_recipe_free(&recipe);
  assert_int_equal(result.step, 7);
  assert_true(largest_distance("out/model.safetensors", "out/run/step-00000007/weights.safetensors", NULL) == 0);
  assert_true(largest_distance("out/model.safetensors", "out/run/step-00000005/weights.safetensors", NULL) > 0);
}

static void changed_data_is_noticed(void **state) {
  (void)state;
  watcher w = {.stop_at = 2};
  tg_train_result result;
  tg_recipe recipe;
  CHECK_OK(train("out", "", false, &w, &result));
  CHECK_OK(make_recipe("out", "", &recipe));
  tg_buffer text = {0};
  for (int i = 0; i < 3; i++) CHECK_OK(tg_buffer_printf(&text, &err, "{\"instruction\": \"a\", \"input\": \"b\", \"output\": \"c\"}\n"));
  folder_write(folder, "data.jsonl", text.data, text.size);
  tg_buffer_free(&text);
  const tg_train_call call = {.resume = true};
  assert_int_equal(tg_train(&recipe, &call, &result, &err), T5GIST_EMISMATCH);
  assert_non_null(strstr(err.message, "the data has changed since"));
  tg_recipe_free(&recipe);
}

static void a_run_that_diverges_says_so(void **state) {
  (void)state;
  watcher w = {0};
  tg_train_result result;
  tg_recipe recipe;
  const tg_train_call call = {.say = on_say, .user = &w};
  CHECK_OK(make_recipe("out", "", &recipe));
  recipe.rate = 1e30f;
  recipe.warmup = 0;
  recipe.clip = 0;
  assert_int_equal(tg_train(&recipe, &call, &result, &err), T5GIST_EFORMAT);
  assert_non_null(strstr(err.message, "the run has diverged"));
  tg_recipe_free(&recipe);
}

/* The last step's gradient is sound, but no later step would find that the weights are not. */
static void a_last_step_that_diverges_says_so(void **state) {
  (void)state;
  watcher w = {0};
  tg_train_result result;
  for (int evaluates = 0; evaluates < 2; evaluates++) {
    tg_recipe recipe;
    const tg_train_call call = {.say = on_say, .user = &w};
    CHECK_OK(make_recipe("out", "", &recipe));
    recipe.steps = 1;
    recipe.optimiser = TG_ADAMW;
    recipe.schedule = TG_CONSTANT; /* the others end at final_rate */
    recipe.rate = 3e38f;
    recipe.warmup = 0;
    recipe.clip = 0;
    if (!evaluates) tg_strings_clear(&recipe.eval_texts);
    CHECK_OK(tg_recipe_check("recipe", &recipe, &err));
    assert_int_equal(tg_train(&recipe, &call, &result, &err), T5GIST_EFORMAT);
    tg_recipe_free(&recipe);
    assert_non_null(strstr(err.message, "the run has diverged"));
    assert_false(tg_file_exists(folder_path(folder, "out/config.json")));
    assert_false(tg_file_exists(folder_path(folder, "out/run/step-00000001/DONE")));
  }
}

static void data_without_examples_is_refused(void **state) {
  (void)state;
  watcher w = {0};
  tg_train_result result;
  tg_recipe recipe;
  const tg_train_call call = {.say = on_say, .user = &w};
  CHECK_OK(make_recipe("out", "", &recipe));
  folder_text(folder, "data.jsonl", "");
  assert_int_not_equal(tg_train(&recipe, &call, &result, &err), T5GIST_OK);
  assert_non_null(strstr(err.message, "data.jsonl"));
  folder_text(folder, "data.jsonl", "{\"instruction\": \"a\", \"inptu\": \"b\", \"outptu\": \"c\"}\n");
  assert_int_not_equal(tg_train(&recipe, &call, &result, &err), T5GIST_OK);
  assert_non_null(strstr(err.message, "line 1"));
  assert_non_null(strstr(err.message, "did you mean \"outptu\"?"));
  tg_recipe_free(&recipe);
}

#define RUN(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void) {
  const struct CMUnitTest tests[] = {RUN(recipes_have_defaults),
                                     RUN(recipes_are_refused_with_a_reason),
                                     RUN(a_run_goes_on_with_its_own_recipe_alone),
                                     RUN(checksums_are_the_standard_ones),
                                     RUN(events_are_records_of_tensorboard),
                                     RUN(a_log_that_goes_on_forgets_later_steps),
                                     RUN(a_run_learns_and_leaves_a_model),
                                     RUN(losses_fall),
                                     RUN(a_stopped_run_goes_on_with_the_same_bits),
                                     RUN(what_is_written_is_the_average_with_q_folded),
                                     RUN(micro_batches_change_only_rounding),
                                     RUN(a_steps_loss_is_the_mean_over_its_tokens),
                                     RUN(data_keeps_its_order_when_asked),
                                     RUN(folders_of_others_are_left_alone),
                                     RUN(a_model_without_a_snapshot_is_kept),
                                     RUN(without_evaluation_the_model_comes_with_each_snapshot),
                                     RUN(changed_data_is_noticed),
                                     RUN(a_run_that_diverges_says_so),
                                     RUN(a_last_step_that_diverges_says_so),
                                     RUN(data_without_examples_is_refused)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
