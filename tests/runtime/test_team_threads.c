/* Teams: every item done once, whatever the number of threads and however late they come; several teams at once; refusals are errors. And what
 * is computed by teams has the same bits for every number of threads. */
#include <omp.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include <cmocka.h>

#include "runtime/linear.h"
#include "tests/runtime/isa.h"

enum { MOST_THREADS = 5, MOST_ITEMS = 5000 };

/* What a run saw. */
typedef struct record {
  int threads;
  atomic_int done[MOST_ITEMS]; /* how often */
  atomic_int inside[MOST_THREADS];
  atomic_int problems;
  size_t delayed; /* item whose thread sleeps */
} record;

static void note(record *r, bool fine) {
  if (!fine) atomic_fetch_add(&r->problems, 1);
}

static void record_items(void *user, size_t begin, size_t end, int thread) {
  record *r = user;
  note(r, begin < end && thread >= 0 && thread < r->threads && omp_get_max_threads() == 1);
  note(r, atomic_fetch_add(&r->inside[thread], 1) == 0);
  for (size_t i = begin; i < end; i++) {
    if (i == r->delayed) nanosleep(&(struct timespec){.tv_nsec = 300000}, NULL);
    atomic_fetch_add(&r->done[i], 1);
  }
  atomic_fetch_sub(&r->inside[thread], 1);
}

static void check_run(tg_team *team, size_t n, size_t delayed) {
  static _Thread_local record r;
  memset(&r, 0, sizeof r);
  r.threads = tg_team_threads(team);
  r.delayed = delayed;
  tg_team_run(team, n, record_items, &r);
  for (size_t i = 0; i < n; i++)
    if (atomic_load(&r.done[i]) != 1) note(&r, false);
  if (atomic_load(&r.problems) != 0) abort(); /* cmocka's checks are for the main thread */
}

static void every_item_is_done_once(void **state) {
  (void)state;
  static const size_t sizes[] = {0, 1, 2, 3, 4, 5, 7, 16, 17, 64, 1000, 4999};
  omp_set_num_threads(3);
  for (int threads = 0; threads <= MOST_THREADS; threads++) {
    tg_team *team = NULL;
    if (threads > 0) assert_int_equal(tg_team_new(threads, &team, NULL), T5GIST_OK);
    assert_int_equal(tg_team_threads(team), threads > 0 ? threads : 1);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
      for (size_t delayed = 0; delayed < 3; delayed++) check_run(team, sizes[i], delayed == 0 ? SIZE_MAX : delayed == 1 ? 0 : sizes[i] - 1);
    tg_team_free(team);
    assert_int_equal(omp_get_max_threads(), 3); /* the caller's */
  }
}

/* Runs right behind each other, and after pauses in which the others have fallen asleep. */
static void runs_follow_each_other(void **state) {
  (void)state;
  tg_team *team;
  assert_int_equal(tg_team_new(3, &team, NULL), T5GIST_OK);
  for (size_t i = 0; i < 3000; i++) check_run(team, i % 13, SIZE_MAX);
  for (size_t i = 0; i < 40; i++) {
    nanosleep(&(struct timespec){.tv_nsec = 400000}, NULL);
    check_run(team, 6, i % 2 ? SIZE_MAX : i % 6);
  }
  tg_team_free(team);
}

static void square_items(void *user, size_t begin, size_t end, int thread) {
  size_t *numbers = user;
  (void)thread;
  for (size_t i = begin; i < end; i++) numbers[i] = numbers[i] * numbers[i] + i;
}

/* What one run writes, the next one and the caller read without further ado. */
static void plain_memory_is_handed_over(void **state) {
  (void)state;
  enum { N = 1000 };
  size_t numbers[N];
  tg_team *team;
  assert_int_equal(tg_team_new(4, &team, NULL), T5GIST_OK);
  for (size_t round = 0; round < 200; round++) {
    for (size_t i = 0; i < N; i++) numbers[i] = i ^ round;
    tg_team_run(team, N, square_items, numbers);
    tg_team_run(team, N, square_items, numbers); /* reads what other threads wrote */
    for (size_t i = 0; i < N; i++) {
      const size_t once = (i ^ round) * (i ^ round) + i;
      assert_true(numbers[i] == once * once + i);
    }
  }
  tg_team_free(team);
}

static void *run_own_team(void *user) {
  tg_engine *engine = user;
  for (int round = 0; round < 20; round++) {
    tg_workspace *workspace;
    if (tg_workspace_new(engine, &workspace, NULL) != T5GIST_OK) abort();
    for (size_t i = 0; i < 50; i++) check_run(tg_workspace_team(workspace), i, SIZE_MAX);
    tg_workspace_free(workspace);
  }
  return NULL;
}

static void teams_work_at_once(void **state) {
  (void)state;
  tg_engine *engine;
  pthread_t threads[3];
  assert_int_equal(tg_engine_new(2, &engine, NULL), T5GIST_OK);
  for (int i = 0; i < 3; i++) assert_int_equal(pthread_create(&threads[i], NULL, run_own_team, engine), 0);
  for (int i = 0; i < 3; i++) pthread_join(threads[i], NULL);
  tg_engine_free(engine);
}

static void engines_keep_teams(void **state) {
  (void)state;
  tg_engine *engine;
  tg_team *first, *second, *third;
  assert_int_equal(tg_engine_new(2, &engine, NULL), T5GIST_OK);
  assert_int_equal(tg_engine_take_team(engine, &first, NULL), T5GIST_OK);
  assert_int_equal(tg_engine_take_team(engine, &second, NULL), T5GIST_OK);
  assert_ptr_not_equal(first, second);
  tg_engine_return_team(engine, first);
  assert_int_equal(tg_engine_take_team(engine, &third, NULL), T5GIST_OK);
  assert_ptr_equal(third, first);
  tg_engine_return_team(engine, second);
  tg_engine_return_team(engine, third);
  tg_engine_return_team(engine, NULL);
  tg_engine_free(engine);
}

static void look_at_signals(void *user, size_t begin, size_t end, int thread) {
  atomic_int *open = user;
  sigset_t blocked;
  (void)begin;
  (void)end;
  pthread_sigmask(SIG_BLOCK, NULL, &blocked);
  if (thread > 0 && !sigismember(&blocked, SIGINT)) atomic_fetch_add(open, 1);
}

static void others_block_signals(void **state) {
  (void)state;
  atomic_int open = 0;
  tg_team *team;
  sigset_t blocked;
  assert_int_equal(tg_team_new(2, &team, NULL), T5GIST_OK);
  for (int i = 0; i < 200; i++) tg_team_run(team, 8, look_at_signals, &open);
  tg_team_free(team);
  assert_int_equal(open, 0);
  pthread_sigmask(SIG_BLOCK, NULL, &blocked);
  assert_false(sigismember(&blocked, SIGINT));
}

static void refusals_are_errors(void **state) {
  (void)state;
  t5gist_error err;
  tg_team *team = NULL;
  assert_int_equal(tg_team_new(0, &team, &err), T5GIST_EUSAGE);
  assert_string_equal(err.message, "threads: expected at least 1, found 0");
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__) /* whose own memory needs no limit */
  struct rlimit before, few;
  assert_int_equal(getrlimit(RLIMIT_AS, &before), 0);
  few = before;
  few.rlim_cur = (rlim_t)1 << 30; /* the stacks of 1023 threads take more */
  assert_int_equal(setrlimit(RLIMIT_AS, &few), 0);
  const t5gist_status status = tg_team_new(1024, &team, &err);
  assert_int_equal(setrlimit(RLIMIT_AS, &before), 0);
  assert_true(status == T5GIST_EIO || status == T5GIST_ENOMEM);
  assert_non_null(strstr(err.message, "cannot start compute thread "));
  assert_non_null(strstr(err.message, " of 1024: "));
#endif
  assert_null(team);
}

/* ---------------------------------------------------------------------------------------------------------------------- same bits */

enum { N_IN = 300, N_OUT = 777, MOST_ROWS = 300 };

static void products(int threads, tg_precision precision, const float *w, const float *x, size_t m, float *y) {
  t5gist_error err;
  tg_engine *engine;
  tg_workspace *workspace;
  tg_linear *linear;
  const tg_matrix part = {w, TG_F32, N_OUT, false, NULL, 0};
  assert_int_equal(tg_engine_new(threads, &engine, &err), T5GIST_OK);
  assert_int_equal(tg_workspace_new(engine, &workspace, &err), T5GIST_OK);
  assert_int_equal(tg_linear_new(engine, &part, 1, N_IN, precision, &linear, &err), T5GIST_OK);
  assert_int_equal(tg_linear_apply(linear, workspace, x, m, false, y, &err), T5GIST_OK);
  tg_linear_free(linear);
  tg_workspace_free(workspace);
  tg_engine_free(engine);
}

static void products_have_the_same_bits(void **state) {
  (void)state;
  static const size_t ms[] = {1, 5, 64, MOST_ROWS};
  uint32_t seed = 4;
  float *w, *x, *y, *expected;
  const size_t rows = tg_linear_rows(MOST_ROWS);
  assert_int_equal(tg_alloc(&w, N_OUT * N_IN, sizeof *w, NULL), T5GIST_OK);
  assert_int_equal(tg_alloc(&x, rows * N_IN, sizeof *x, NULL), T5GIST_OK);
  assert_int_equal(tg_alloc(&y, rows * N_OUT, sizeof *y, NULL), T5GIST_OK);
  assert_int_equal(tg_alloc(&expected, rows * N_OUT, sizeof *expected, NULL), T5GIST_OK);
  test_fill(w, N_OUT * N_IN, 1, &seed);
  test_fill(x, rows * N_IN, 1, &seed);
  for (int precision = TG_PRECISION_F32; precision <= TG_PRECISION_INT4; precision++)
    for (size_t i = 0; i < sizeof ms / sizeof *ms; i++) {
      products(1, (tg_precision)precision, w, x, ms[i], expected);
      for (int threads = 2; threads <= 4; threads++) {
        products(threads, (tg_precision)precision, w, x, ms[i], y);
        assert_memory_equal(y, expected, ms[i] * N_OUT * sizeof *y);
      }
    }
  tg_free(w);
  tg_free(x);
  tg_free(y);
  tg_free(expected);
}

static int groups(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(products_have_the_same_bits)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_item_is_done_once), cmocka_unit_test(runs_follow_each_other), cmocka_unit_test(plain_memory_is_handed_over),
      cmocka_unit_test(teams_work_at_once),      cmocka_unit_test(engines_keep_teams),     cmocka_unit_test(others_block_signals),
      cmocka_unit_test(refusals_are_errors),
  };
  return test_each_isa(groups) != 0 || cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
