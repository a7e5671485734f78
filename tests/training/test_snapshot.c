/* Training checkpoints: what is saved comes back bit by bit, what is incomplete is none, what is damaged is refused by name. */
#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "runtime/file.h"
#include "runtime/folder.h"
#include "runtime/memory.h"
#include "support.h"
#include "t5/random.h"
#include "tests/support/folder.h"
#include "tests/support/inject.h"
#include "training/snapshot.h"

static const tg_config config = {.vocab_size = 19,
                                 .d_model = 5,
                                 .d_kv = 3,
                                 .d_ff = 7,
                                 .n_heads = 2,
                                 .n_layers = 2,
                                 .n_decoder_layers = 1,
                                 .n_buckets = 8,
                                 .gated = true,
                                 .head = TG_HEAD_FILE};

typedef struct run {
  tg_layout layout;
  tg_engine *engine;
  tg_workspace *workspace;
  tg_optimiser *optimiser;
  float *weights, *gradients;
} run;

static void run_open(run *r, const tg_config *c, int kind, float average, int rank, int n_ranks) {
  t5gist_error err;
  const tg_optimiser_options options = {.kind = kind, .beta1 = 0.9f, .beta2 = 0.99f, .eps = 1e-8f, .gist_factor = 1, .average = average};
  CHECK_OK(tg_layout_make(c, true, &r->layout, &err));
  CHECK_OK(tg_engine_new(1, &r->engine, &err));
  CHECK_OK(tg_workspace_new(r->engine, &r->workspace, &err));
  CHECK_OK(tg_alloc(&r->weights, r->layout.count, sizeof(float), &err));
  CHECK_OK(tg_alloc(&r->gradients, r->layout.count, sizeof(float), &err));
  const size_t n = r->layout.count;
  CHECK_OK(tg_optimiser_new(&r->layout, &options, n * (size_t)rank / (size_t)n_ranks, n * (size_t)(rank + 1) / (size_t)n_ranks, &r->optimiser, &err));
  tg_parameters_initialise(&r->layout, 1, r->weights);
}

static void run_close(run *r) {
  tg_free(r->weights);
  tg_free(r->gradients);
  tg_optimiser_free(r->optimiser);
  tg_workspace_free(r->workspace);
  tg_engine_free(r->engine);
  tg_layout_free(&r->layout);
}

static void take_steps(run *r, int first, int last) {
  t5gist_error err;
  for (int step = first; step <= last; step++) {
    for (size_t i = 0; i < r->layout.count; i++) r->gradients[i] = (float)(tg_random_at((uint64_t)step, i) >> 40) * 0x1p-24f - 0.5f;
    CHECK_OK(tg_optimiser_step(r->optimiser, r->workspace, 0.01, (uint64_t)step, 1, r->gradients, r->weights, &err));
  }
}

static json_t *state_of(int step) {
  return json_pack("{si sf s[ss]}", "step", step, "best", 0.1 * step, "lists", "a", "\xc3\xa9\n");
}

static t5gist_status save(run *r, const char *dir, uint64_t step, int keep, int rank, int n_ranks, t5gist_error *err) {
  json_t *state = state_of((int)step);
  const tg_snapshot snapshot = {&r->layout, r->weights, r->optimiser, state, rank, n_ranks};
  const t5gist_status status = tg_snapshot_save(&snapshot, dir, step, keep, err);
  json_decref(state);
  return status;
}

static void save_alone(run *r, const char *dir, uint64_t step, int keep) {
  t5gist_error err;
  CHECK_OK(save(r, dir, step, keep, 0, 1, &err));
}

static uint64_t find(const char *dir) {
  t5gist_error err;
  uint64_t step = 99;
  CHECK_OK(tg_snapshot_find(dir, &step, &err));
  return step;
}

static void load(run *r, const char *dir, uint64_t step, int rank, int n_ranks) {
  t5gist_error err;
  json_t *expected = state_of((int)step);
  tg_snapshot snapshot = {&r->layout, r->weights, r->optimiser, NULL, rank, n_ranks};
  CHECK_OK(tg_snapshot_load(&snapshot, dir, step, &err));
  assert_true(json_equal(snapshot.state, expected));
  json_decref(snapshot.state);
  json_decref(expected);
}

static void same_bits(const run *a, const run *b) {
  tg_state_vector x[TG_STATE_VECTORS], y[TG_STATE_VECTORS];
  assert_memory_equal(a->weights, b->weights, a->layout.count * sizeof(float));
  const size_t n = tg_optimiser_state(a->optimiser, x, TG_STATE_VECTORS);
  assert_int_equal(tg_optimiser_state(b->optimiser, y, TG_STATE_VECTORS), n);
  for (size_t i = 0; i < n; i++) assert_memory_equal(x[i].data, y[i].data, x[i].count * sizeof(float));
}

/* ---------------------------------------------------------------------------------------------------------------------- round trip */

/* Stopped and resumed is the same, bit by bit, as not stopped. */
static void test_resume(void **state) {
  (void)state;
  for (int kind = TG_ADAMW; kind <= TG_MUON; kind++) {
    char *dir = folder_new(TEST_BINARY_DIR);
    run a, b;
    run_open(&a, &config, kind, kind == TG_ADAMW ? 0 : 0.9f, 0, 1);
    run_open(&b, &config, kind, kind == TG_ADAMW ? 0 : 0.9f, 0, 1);
    assert_int_equal(find(dir), 0);
    take_steps(&a, 1, 3);
    save_alone(&a, dir, 3, 1);
    assert_int_equal(find(dir), 3);
    load(&b, dir, 3, 0, 1);
    same_bits(&a, &b);
    take_steps(&a, 4, 6);
    take_steps(&b, 4, 6);
    same_bits(&a, &b);
    save_alone(&a, dir, 3, 1); /* over itself */
    load(&b, dir, 3, 0, 1);
    same_bits(&a, &b);
    run_close(&a), run_close(&b);
    folder_remove(dir);
  }
}

static void test_two_processes(void **state) {
  (void)state;
  t5gist_error err;
  char *dir = folder_new(TEST_BINARY_DIR);
  run a[2], b[2];
  for (int rank = 0; rank < 2; rank++) {
    run_open(&a[rank], &config, TG_ADAMW, 0.5f, rank, 2);
    run_open(&b[rank], &config, TG_ADAMW, 0.5f, rank, 2);
  }
  take_steps(&a[0], 1, 2);
  memcpy(a[1].weights, a[0].weights, a[0].layout.count * sizeof(float));
  take_steps(&a[1], 1, 2);
  memcpy(a[0].weights, a[1].weights, a[0].layout.count * sizeof(float));
  CHECK_OK(save(&a[0], dir, 2, 1, 0, 2, &err));
  assert_int_equal(find(dir), 0); /* the other one is not there yet */
  CHECK_OK(save(&a[1], dir, 2, 1, 1, 2, &err));
  assert_int_equal(find(dir), 2);
  for (int rank = 0; rank < 2; rank++) {
    load(&b[rank], dir, 2, rank, 2);
    same_bits(&a[rank], &b[rank]);
  }
  CHECK_OK(save(&a[0], dir, 3, 1, 0, 2, &err)); /* killed before the other one has written: */
  assert_int_equal(find(dir), 2);               /* the last complete one is still there */
  tg_snapshot alone = {&a[0].layout, a[0].weights, a[0].optimiser, NULL, 0, 1};
  assert_int_equal(tg_snapshot_load(&alone, dir, 2, &err), T5GIST_EMISMATCH);
  assert_non_null(strstr(err.message, "expected a snapshot of 1 processes, as there are now, found one of 2"));
  for (int rank = 0; rank < 2; rank++) run_close(&a[rank]), run_close(&b[rank]);
  folder_remove(dir);
}

/* ------------------------------------------------------------------------------------------------------------------ what is kept */

static bool exists(const char *dir, const char *name) {
  return access(folder_path(dir, name), F_OK) == 0;
}

static void test_kept(void **state) {
  (void)state;
  char *dir = folder_new(TEST_BINARY_DIR);
  run r;
  run_open(&r, &config, TG_ADAMW, 0, 0, 1);
  for (uint64_t step = 1; step <= 4; step++) save_alone(&r, dir, step, 2);
  assert_false(exists(dir, "step-00000001"));
  assert_false(exists(dir, "step-00000002"));
  assert_true(exists(dir, "step-00000003/DONE"));
  assert_int_equal(find(dir), 4);
  /* Incomplete ones, with a temporary of a killed writer; and what is none of ours. */
  mkdir(folder_path(dir, "step-00000009"), 0777);
  folder_text(dir, "step-00000009/weights.safetensors", "x");
  folder_text(dir, "step-00000009/.tmp.1.0000000000000000", "x");
  mkdir(folder_path(dir, "step-9"), 0777);
  mkdir(folder_path(dir, "step-0000000x"), 0777);
  folder_text(dir, "step-00000007", "a file");
  remove(folder_path(dir, "step-00000003/DONE"));
  assert_int_equal(find(dir), 4);
  save_alone(&r, dir, 5, 0); /* 0 keeps one, too */
  assert_false(exists(dir, "step-00000009"));
  assert_false(exists(dir, "step-00000003"));
  assert_false(exists(dir, "step-00000004"));
  assert_true(exists(dir, "step-9"));
  assert_true(exists(dir, "step-0000000x"));
  assert_true(exists(dir, "step-00000007"));
  assert_int_equal(find(dir), 5);
  run_close(&r);
  folder_remove(dir);
}

static void limit_files(rlim_t limit) {
  struct rlimit now;
  getrlimit(RLIMIT_FSIZE, &now);
  now.rlim_cur = limit < now.rlim_max ? limit : now.rlim_max;
  signal(SIGXFSZ, SIG_IGN);
  setrlimit(RLIMIT_FSIZE, &now);
}

/* A full disk: the former snapshots stay, be they another step's or the same one's. */
static void test_full_disk(void **state) {
  (void)state;
  t5gist_error err;
  char *dir = folder_new(TEST_BINARY_DIR);
  run a, b;
  run_open(&a, &config, TG_ADAMW, 0, 0, 1);
  run_open(&b, &config, TG_ADAMW, 0, 0, 1);
  take_steps(&a, 1, 2);
  save_alone(&a, dir, 2, 1);
  take_steps(&b, 1, 3);
  for (uint64_t step = 2; step <= 3; step++) {
    limit_files(1000);
    const t5gist_status status = save(&b, dir, step, 1, 0, 1, &err);
    limit_files(RLIM_INFINITY);
    assert_int_equal(status, T5GIST_EIO);
    assert_int_equal(find(dir), 2);
  }
  load(&b, dir, 2, 0, 1);
  same_bits(&a, &b);
  run_close(&a), run_close(&b);
  folder_remove(dir);
}

/* Whatever renaming fails: what is found loads. */
static void test_written_over(void **state) {
  (void)state;
  t5gist_error err;
  char *dir = folder_new(TEST_BINARY_DIR);
  run a, b, again;
  inject_count count = {.failed = 1};
  run_open(&a, &config, TG_ADAMW, 0, 0, 1);
  run_open(&b, &config, TG_ADAMW, 0, 0, 1);
  run_open(&again, &config, TG_ADAMW, 0, 0, 1);
  take_steps(&a, 1, 1);
  take_steps(&b, 1, 2);
  for (size_t n = 1; count.failed > 0; n++) {
    save_alone(&a, dir, 1, 2);
    save_alone(&a, dir, 2, 2);
    inject_io(1 << TG_IO_RENAME, n, true, INJECT_EIO);
    const t5gist_status status = save(&b, dir, 2, 2, 0, 1, &err);
    count = inject_stop();
    assert_int_equal(status, count.failed > 0 ? T5GIST_EIO : T5GIST_OK);
    const uint64_t found = find(dir);
    load(&again, dir, found, 0, 1);
    same_bits(found == 2 ? &b : &a, &again);
  }
  run_close(&a), run_close(&b), run_close(&again);
  folder_remove(dir);
}

/* Killed at any moment of the saving, by the clock: there is a complete snapshot that loads, and the next saving removes what was left behind. */
static void test_killed(void **state) {
  (void)state;
  char *dir = folder_new(TEST_BINARY_DIR);
  run r, again;
  run_open(&r, &config, TG_ADAMW, 0.5f, 0, 1);
  run_open(&again, &config, TG_ADAMW, 0.5f, 0, 1);
  take_steps(&r, 1, 2);
  save_alone(&r, dir, 1, 2);
  for (int i = 0; i < 20; i++) {
    const uint64_t newest = find(dir);
    const pid_t child = fork();
    if (child == 0) {
      for (uint64_t step = newest + 1; step < newest + 100000; step++) save(&r, dir, step, 2, 0, 1, NULL);
      _exit(1);
    }
    usleep((useconds_t)(tg_random_at(1, (uint64_t)i) % 20000));
    kill(child, SIGKILL);
    assert_int_equal(waitpid(child, NULL, 0), child);
    assert_true(find(dir) >= newest);
    load(&again, dir, find(dir), 0, 1);
    same_bits(&r, &again);
  }
  const uint64_t last = find(dir) + 1;
  save_alone(&r, dir, last, 1);
  char name[64];
  snprintf(name, sizeof name, "step-%08llu", (unsigned long long)last);
  tg_strings names = {0};
  assert_int_equal(tg_folder_list(dir, &names, NULL), T5GIST_OK);
  assert_int_equal(names.count, 1);
  assert_string_equal(names.items[0], name);
  tg_strings_clear(&names);
  run_close(&r), run_close(&again);
  folder_remove(dir);
}

/* ------------------------------------------------------------------------------------------------------------------------ refusals */

static void refuse(run *r, const char *dir, t5gist_status status, const char *words) {
  t5gist_error err = {0};
  tg_snapshot snapshot = {&r->layout, r->weights, r->optimiser, NULL, 0, 1};
  const t5gist_status found = tg_snapshot_load(&snapshot, dir, 1, &err);
  if (found != status || !strstr(err.message, words))
    fail_msg("expected status %d and \"%s\", found %d and \"%s\"", status, words, found, err.message);
}

/* Every flipped byte of every file. */
static void test_damaged(void **state) {
  (void)state;
  static const char *const names[] = {"step-00000001/weights.safetensors", "step-00000001/optimiser.safetensors", "step-00000001/state.json"};
  t5gist_error err;
  char *dir = folder_new(TEST_BINARY_DIR);
  run r;
  run_open(&r, &config, TG_ADAFACTOR, 0, 0, 1);
  save_alone(&r, dir, 1, 1);
  for (int i = 0; i < 3; i++) {
    size_t n;
    char *bytes = folder_read(folder_path(dir, names[i]), &n);
    for (size_t at = 0; at < n; at += 1 + n / 97) {
      bytes[at] ^= 1;
      folder_write(dir, names[i], bytes, n);
      bytes[at] ^= 1;
      tg_snapshot snapshot = {&r.layout, r.weights, r.optimiser, NULL, 0, 1};
      const t5gist_status status = tg_snapshot_load(&snapshot, dir, 1, &err);
      if (i < 2) assert_non_null(strstr(err.message, names[i]));
      if (status == T5GIST_OK) { /* white space, or a key that nobody reads: the rest is as it was */
        assert_int_equal(i, 2);
        json_t *expected = state_of(1);
        assert_true(json_equal(snapshot.state, expected));
        json_decref(expected);
        json_decref(snapshot.state);
      }
    }
    folder_write(dir, names[i], bytes, n / 2);
    refuse(&r, dir, T5GIST_EFORMAT, names[i]);
    remove(folder_path(dir, names[i]));
    refuse(&r, dir, T5GIST_EIO, names[i]);
    folder_write(dir, names[i], bytes, n);
    free(bytes);
  }
  load(&r, dir, 1, 0, 1); /* everything back in its place */
  run_close(&r);
  folder_remove(dir);
}

static void test_other_runs(void **state) {
  (void)state;
  char *dir = folder_new(TEST_BINARY_DIR);
  tg_config wide = config, deep = config;
  wide.d_ff = 8;
  deep.n_decoder_layers = 2;
  run r, others[4];
  run_open(&r, &config, TG_ADAMW, 0, 0, 1);
  save_alone(&r, dir, 1, 1);
  run_open(&others[0], &wide, TG_ADAMW, 0, 0, 1);
  refuse(&others[0], dir, T5GIST_EMISMATCH, "DenseReluDense.wi_0.weight: expected F32 of shape [8, 5], found F32 of [7, 5]");
  run_open(&others[1], &deep, TG_ADAMW, 0, 0, 1);
  refuse(&others[1], dir, T5GIST_EMISMATCH, "tensors, found");
  run_open(&others[2], &config, TG_ADAMW, 0.5f, 0, 1);
  refuse(&others[2], dir, T5GIST_EMISMATCH, "expected the 3 vectors of this optimiser, found 2");
  run_open(&others[3], &config, TG_ADAFACTOR, 0, 0, 1);
  refuse(&others[3], dir, T5GIST_EMISMATCH, "expected the 3 vectors of this optimiser, found 2");
  for (int i = 0; i < 4; i++) run_close(&others[i]);
  run_close(&r);
  folder_remove(dir);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_resume),    cmocka_unit_test(test_two_processes), cmocka_unit_test(test_kept),
                                     cmocka_unit_test(test_full_disk), cmocka_unit_test(test_written_over),  cmocka_unit_test(test_killed),
                                     cmocka_unit_test(test_damaged),   cmocka_unit_test(test_other_runs)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
