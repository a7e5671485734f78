#include "runtime/team.h"

#include <errno.h>
#include <omp.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "runtime/clock.h"
#include "runtime/cpu.h"
#include "runtime/error.h"
#include "runtime/memory.h"

enum {
  SPIN_NS = 50000,   /* of waiting before sleep: longer than the gaps within a pass, shorter than what others would notice */
  SPINS = 32,        /* between two looks at the clock */
  REST_NS = 2000000, /* that threads which found no core of their own are left asleep */
  LINE = 64          /* bytes of a cache line: what one thread writes often lies on one of its own */
};

/* The state of a run in one word, so that a late thread cannot take a piece of another run than it thinks: the number of the run in the upper
 * half, in the lower one the units that nobody has taken yet. */
typedef uint64_t ticket;

struct tg_team {
  int n_threads, n_started;
  int64_t spin_ns;
  pthread_t *threads; /* [n_threads - 1] */

  /* Of the run under way; written between runs, read by holders of a piece alone. */
  tg_team_work *work;
  void *argument;
  size_t n, unit; /* items, and how many make a unit, of which there are fewer than 2^32 */
  uint32_t n_units;

  _Alignas(LINE) _Atomic ticket now;
  atomic_int caller_core;
  _Alignas(LINE) _Atomic uint32_t done; /* units finished by others than the caller */

  _Alignas(LINE) pthread_mutex_t mutex; /* for falling asleep and waking up */
  pthread_cond_t work_came, work_done;
  atomic_int sleepers; /* of the others */
  atomic_bool caller_sleeps, stop;
  _Atomic int64_t rest_until; /* when the others, asleep because the caller needs their core, are to be woken again */
  atomic_int *cores;      /* [n_threads] where each of the others worked last */
};

static void pause_briefly(void) {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#endif
}

static uint32_t run_of(ticket t) {
  return (uint32_t)(t >> 32);
}

/* ----------------------------------------------------------------------------------------------------------------------------- pieces */

/* Takes the next piece: large ones first, so that a thread stays in one stretch of memory; small ones last, so that all end together. False when
 * nothing is left; *seen is what was found then. */
static bool take_piece(tg_team *team, ticket *seen, uint32_t *begin, uint32_t *end) {
  const uint32_t share = 2 * (uint32_t)team->n_threads;
  ticket now = atomic_load_explicit(&team->now, memory_order_acquire);
  uint32_t left, size;
  do {
    left = (uint32_t)now;
    *seen = now;
    if (left == 0) return false;
    size = left / share + (left % share != 0);
  } while (!atomic_compare_exchange_weak_explicit(&team->now, &now, now - size, memory_order_acquire, memory_order_acquire));
  *begin = team->n_units - left;
  *end = *begin + size;
  return true;
}

/* Works until nothing is left; the number of units done. */
static uint32_t take_part(tg_team *team, int thread, ticket *seen) {
  uint32_t begin, end, done = 0;
  while (take_piece(team, seen, &begin, &end)) {
    const size_t last = end * team->unit;
    team->work(team->argument, begin * team->unit, last < team->n ? last : team->n, thread);
    done += end - begin;
  }
  return done;
}

/* ------------------------------------------------------------------------------------------------------------------------------ others */

/* Waits for a run other than *seen; false: there will be none. On a busy machine this thread may share a core with the caller: then spinning would
 * only keep the caller from working, and so would waking up for every run. Whoever sleeps says so before looking a last time, and whoever brings news
 * looks for sleepers after it, both in one total order: one of the two sees the other. */
static bool wait_for_run(tg_team *team, ticket seen) {
  const uint32_t run = run_of(seen);
  const int64_t until = tg_now_ns() + team->spin_ns;
  int64_t now;
  do {
    for (int i = 0; i < SPINS; i++) {
      if (run_of(atomic_load_explicit(&team->now, memory_order_relaxed)) != run) return true;
      pause_briefly();
    }
    now = tg_now_ns();
    if (sched_getcpu() == atomic_load_explicit(&team->caller_core, memory_order_relaxed)) {
      atomic_store_explicit(&team->rest_until, now + REST_NS, memory_order_relaxed);
      break;
    }
  } while (now < until);
  pthread_mutex_lock(&team->mutex);
  atomic_fetch_add(&team->sleepers, 1);
  while (run_of(atomic_load(&team->now)) == run && !atomic_load(&team->stop)) pthread_cond_wait(&team->work_came, &team->mutex);
  atomic_fetch_sub(&team->sleepers, 1);
  pthread_mutex_unlock(&team->mutex);
  return !atomic_load(&team->stop);
}

static void report(tg_team *team, uint32_t done) {
  atomic_fetch_add(&team->done, done);
  if (!atomic_load(&team->caller_sleeps)) return;
  pthread_mutex_lock(&team->mutex);
  pthread_cond_signal(&team->work_done);
  pthread_mutex_unlock(&team->mutex);
}

typedef struct start {
  tg_team *team;
  int thread;
} start;

static void *other_thread(void *user) {
  const start own = *(const start *)user;
  tg_free(user);
  omp_set_num_threads(1);
  ticket seen = 0;
  do {
    atomic_store_explicit(&own.team->cores[own.thread], sched_getcpu(), memory_order_relaxed);
    const uint32_t done = take_part(own.team, own.thread, &seen);
    if (done > 0) report(own.team, done);
  } while (wait_for_run(own.team, seen));
  return NULL;
}

/* ------------------------------------------------------------------------------------------------------------------------------ caller */

static void publish(tg_team *team, uint32_t n_units) {
  const uint32_t run = run_of(atomic_load_explicit(&team->now, memory_order_relaxed)) + 1;
  team->n_units = n_units;
  atomic_store_explicit(&team->done, 0, memory_order_relaxed);
  atomic_store_explicit(&team->caller_core, sched_getcpu(), memory_order_relaxed);
  atomic_store(&team->now, (ticket)run << 32 | n_units);
  if (atomic_load(&team->sleepers) == 0) return;
  const int64_t rest = atomic_load_explicit(&team->rest_until, memory_order_relaxed);
  if (rest != 0 && tg_now_ns() < rest) return;
  pthread_mutex_lock(&team->mutex);
  pthread_cond_broadcast(&team->work_came);
  pthread_mutex_unlock(&team->mutex);
}

/* Whether one of the others wants this core. */
static bool core_is_wanted(const tg_team *team) {
  const int own = sched_getcpu();
  for (int i = 1; i < team->n_threads; i++)
    if (atomic_load_explicit(&team->cores[i], memory_order_relaxed) == own) return true;
  return false;
}

/* Waits until the others have done so many units. */
static void wait_for_others(tg_team *team, uint32_t units) {
  if (atomic_load_explicit(&team->done, memory_order_acquire) == units) return;
  const int64_t until = tg_now_ns() + team->spin_ns;
  do {
    for (int i = 0; i < SPINS; i++) {
      if (atomic_load_explicit(&team->done, memory_order_acquire) == units) return;
      pause_briefly();
    }
  } while (tg_now_ns() < until && !core_is_wanted(team));
  pthread_mutex_lock(&team->mutex);
  atomic_store(&team->caller_sleeps, true);
  while (atomic_load(&team->done) != units) pthread_cond_wait(&team->work_done, &team->mutex);
  atomic_store(&team->caller_sleeps, false);
  pthread_mutex_unlock(&team->mutex);
}

static void run_together(tg_team *team, size_t n, tg_team_work *work, void *argument) {
  team->work = work;
  team->argument = argument;
  team->n = n;
  team->unit = n / UINT32_MAX + 1;
  const uint32_t n_units = (uint32_t)((n - 1) / team->unit + 1);
  publish(team, n_units);
  ticket seen;
  wait_for_others(team, n_units - take_part(team, 0, &seen));
}

void tg_team_run(tg_team *team, size_t n, tg_team_work *work, void *argument) {
  if (n == 0) return;
  const int openmp = omp_get_max_threads();
  if (openmp != 1) omp_set_num_threads(1);
  if (team == NULL || team->n_threads == 1 || n == 1)
    work(argument, 0, n, 0);
  else
    run_together(team, n, work, argument);
  if (openmp != 1) omp_set_num_threads(openmp);
}

/* ------------------------------------------------------------------------------------------------------------------- making and ending */

/* Signals are for the program's own threads: the others block them all. */
static t5gist_status start_thread(tg_team *team, int thread, t5gist_error *err) {
  start *own;
  TG_TRY(tg_alloc(&own, 1, sizeof *own, err));
  *own = (start){team, thread};
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  const int code = pthread_create(&team->threads[thread - 1], NULL, other_thread, own);
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  if (code == 0) return T5GIST_OK;
  tg_free(own);
  errno = code;
  return tg_fail_errno(err, "cannot start compute thread %d of %d", thread + 1, team->n_threads);
}

t5gist_status tg_team_new(int threads, tg_team **team, t5gist_error *err) {
  if (threads < 1) return tg_fail(err, T5GIST_EUSAGE, "threads: expected at least 1, found %d", threads);
  tg_team *t;
  TG_TRY(tg_alloc(&t, 1, sizeof *t, err));
  t->n_threads = threads;
  t->spin_ns = threads <= tg_cpu_threads() ? SPIN_NS : 0; /* with more threads than cores, whom one waits for may need the core */
  pthread_mutex_init(&t->mutex, NULL);
  pthread_cond_init(&t->work_came, NULL);
  pthread_cond_init(&t->work_done, NULL);
  atomic_store(&t->caller_core, -1);
  t5gist_status status = tg_alloc(&t->threads, (size_t)threads - 1, sizeof *t->threads, err);
  if (status == T5GIST_OK) status = tg_alloc(&t->cores, (size_t)threads, sizeof *t->cores, err);
  for (int i = 1; status == T5GIST_OK && i < threads; i++) {
    status = start_thread(t, i, err);
    t->n_started += status == T5GIST_OK;
  }
  if (status == T5GIST_OK)
    *team = t;
  else
    tg_team_free(t);
  return status;
}

void tg_team_free(tg_team *team) {
  if (team == NULL) return;
  pthread_mutex_lock(&team->mutex);
  atomic_store(&team->stop, true);
  pthread_cond_broadcast(&team->work_came);
  pthread_mutex_unlock(&team->mutex);
  for (int i = 0; i < team->n_started; i++) pthread_join(team->threads[i], NULL);
  pthread_cond_destroy(&team->work_came);
  pthread_cond_destroy(&team->work_done);
  pthread_mutex_destroy(&team->mutex);
  tg_free(team->threads);
  tg_free(team->cores);
  tg_free(team);
}

int tg_team_threads(const tg_team *team) {
  return team == NULL ? 1 : team->n_threads;
}
