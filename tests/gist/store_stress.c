/* Many processes on one gist store under budget pressure: no read is torn, no pin is lost, the budget holds, and what is left verifies.
 *     store_stress PROCESSES OPERATIONS [vandals] [kills]
 * vandals: entries are overwritten with rubbish in between. kills: processes are killed at any moment and new ones take their place. */
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "runtime/clock.h"
#include "runtime/file.h"
#include "support.h"
#include "tests/support/folder.h"

enum { N_GIST = 64, N_TASKS = 48, N_PINNED = 4, ENTRIES = 24, MAX_PROCESSES = 64, KILLS_EACH = 8 };

/* Shared by all processes. */
typedef struct score {
  atomic_long operations, hits, misses, kept, removed, pins, torn, lost_pins, over_budget, notes, failures;
  char first_note[1200];
} score;
static score *all;

typedef struct worker {
  t5gist_store *store;
  uint64_t random, budget, size;
  bool vandal;
  char own[32], shared[32]; /* tasks */
  bool pinned;              /* own */
} worker;

static unsigned draw(worker *w, unsigned n) { /* splitmix64 */
  uint64_t z = (w->random += 0x9e3779b97f4a7c15u);
  z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
  z = (z ^ z >> 27) * 0x94d049bb133111ebu;
  return (unsigned)((z ^ z >> 31) % n);
}

static void on_note(void *user, const char *message) {
  (void)user;
  if (atomic_fetch_add(&all->notes, 1) == 0) snprintf(all->first_note, sizeof all->first_note, "%s", message);
}

static void expect(t5gist_status status, const t5gist_error *err) {
  if (status == T5GIST_OK) return;
  if (atomic_fetch_add(&all->failures, 1) == 0) fprintf(stderr, "store_stress: %s\n", err->message);
}

static const char *shared_task(worker *w, unsigned i) {
  snprintf(w->shared, sizeof w->shared, "Shared task %u.", i);
  return w->shared;
}

static bool find(worker *w, const char *task) {
  double ms;
  const tg_store_id id = made_up_id(task, N_GIST);
  t5gist_gist *gist = tg_store_find(w->store, &id, NULL, &ms);
  if (gist && !is_made_up(gist, task)) atomic_fetch_add(&all->torn, 1);
  atomic_fetch_add(gist ? &all->hits : &all->misses, 1);
  t5gist_gist_free(gist);
  return gist != NULL;
}

static void keep(worker *w, const char *task) {
  t5gist_gist *gist = make_up_gist(task, N_GIST);
  const tg_store_id id = made_up_id(task, N_GIST);
  tg_store_keep(w->store, &id, gist, 3);
  t5gist_gist_free(gist);
  atomic_fetch_add(&all->kept, 1);
}

static void key_of(const worker *w, const char *task, char key[TG_SHA256_HEX]) {
  const tg_store_id id = made_up_id(task, N_GIST);
  tg_store_key(w->store, &id, key);
}

/* Under the lock, so that what is counted was there together. */
static void check_budget(worker *w) {
  tg_lock lock;
  tg_store_scan scan;
  t5gist_error err;
  const t5gist_status status = tg_store_lock(w->store, &lock, &err);
  expect(status, &err);
  if (status != T5GIST_OK) return;
  expect(tg_store_read_folder(w->store, &scan, &err), &err);
  if (scan.bytes > w->budget) atomic_fetch_add(&all->over_budget, 1);
  tg_store_scan_free(&scan);
  tg_lock_release(&lock);
}

/* An entry that this process alone pins: it must be there from the moment that pinning succeeds. */
static void play_with_pin(worker *w) {
  char key[TG_SHA256_HEX];
  t5gist_error err;
  key_of(w, w->own, key);
  if (w->pinned) {
    if (!find(w, w->own)) atomic_fetch_add(&all->lost_pins, 1);
    if (draw(w, 4) == 0) {
      expect(t5gist_store_pin(w->store, key, false, &err), &err);
      w->pinned = false;
    }
    return;
  }
  keep(w, w->own);
  w->pinned = t5gist_store_pin(w->store, key, true, &err) == T5GIST_OK; /* else it was evicted in between */
  atomic_fetch_add(&all->pins, w->pinned);
}

static void remove_one(worker *w, const char *task) {
  char key[TG_SHA256_HEX];
  t5gist_error err;
  key_of(w, task, key);
  const t5gist_status status = t5gist_store_remove(w->store, key, NULL, &err);
  if (status != T5GIST_EUSAGE) expect(status, &err); /* EUSAGE: not there, or pinned */
  atomic_fetch_add(&all->removed, status == T5GIST_OK);
}

static void vandalise(worker *w, const char *task) {
  char key[TG_SHA256_HEX], *path, rubbish[512];
  memset(rubbish, (int)draw(w, 256), sizeof rubbish);
  key_of(w, task, key);
  if (tg_store_path(w->store->dir, key, "gist", &path, NULL) != T5GIST_OK) return;
  if (tg_file_exists(path)) (void)tg_write_file(path, 0600, rubbish, sizeof rubbish, NULL);
  tg_free(path);
}

static void count_entry(void *user, const t5gist_store_entry *entry) {
  (void)entry;
  ++*(int *)user;
}

static void operate(worker *w) {
  t5gist_error err;
  t5gist_store_state state;
  const char *task = shared_task(w, draw(w, N_TASKS));
  const unsigned what = draw(w, 100);
  int n = 0;
  if (what < 70) {
    if (!find(w, task)) keep(w, task);
  } else if (what < 84) {
    play_with_pin(w);
  } else if (what < 90) {
    remove_one(w, task);
  } else if (what < 93) {
    expect(t5gist_store_list(w->store, count_entry, &n, &err), &err);
  } else if (what < 95) {
    expect(t5gist_store_gc(w->store, &state, &err), &err);
  } else if (what < 98) {
    check_budget(w);
  } else if (w->vandal) {
    vandalise(w, shared_task(w, N_PINNED + draw(w, N_TASKS - N_PINNED)));
  }
  atomic_fetch_add(&all->operations, 1);
}

static void open_store(worker *w, const char *dir) {
  t5gist_error err;
  const t5gist_store_options options = {.budget = w->budget, .on_note = on_note};
  CHECK_OK(t5gist_store_open(dir, &options, &w->store, &err));
}

/* A child's whole life. */
static void work(const worker *parent, const char *dir, int place, int life, int operations) {
  worker w = *parent;
  char key[TG_SHA256_HEX];
  w.random = (uint64_t)place * 1000003 + (uint64_t)life;
  snprintf(w.own, sizeof w.own, "Own task of %d.", place);
  open_store(&w, dir);
  key_of(&w, w.own, key);
  (void)t5gist_store_pin(w.store, key, false, NULL); /* a predecessor may have been killed with it */
  for (int i = 0; i < operations; i++) operate(&w);
  t5gist_store_close(w.store);
  _exit(0);
}

static pid_t start(const worker *parent, const char *dir, int place, int life, int operations) {
  fflush(NULL);
  const pid_t pid = fork();
  if (pid == 0) work(parent, dir, place, life, operations);
  return pid;
}

/* Kills whichever comes at hand, and starts another in its place. Returns how many were killed before they were done. */
static int kill_some(worker *parent, const char *dir, pid_t *pids, int n, int operations) {
  int killed = 0, status;
  for (int life = 1; life <= KILLS_EACH * n; life++) {
    const int place = (int)draw(parent, (unsigned)n);
    nanosleep(&(struct timespec){.tv_nsec = 1000000L + draw(parent, 20000000)}, NULL);
    kill(pids[place], SIGKILL);
    waitpid(pids[place], &status, 0);
    killed += WIFSIGNALED(status);
    pids[place] = start(parent, dir, place, life, operations);
  }
  return killed;
}

/* What must hold when everybody has gone. */
static int check_rest(worker *w, bool vandals, int killed, double seconds) {
  t5gist_error err;
  t5gist_store_state state = {0};
  char *report = NULL;
  size_t n;
  FILE *out = open_memstream(&report, &n);
  if (vandals) expect(t5gist_store_verify(w->store, out, &state, &err), &err); /* moves away what nobody had looked at yet */
  expect(t5gist_store_gc(w->store, &state, &err), &err);
  rewind(out);
  expect(t5gist_store_verify(w->store, out, &state, &err), &err);
  fclose(out);
  for (unsigned i = 0; i < N_PINNED; i++) {
    if (!find(w, shared_task(w, i))) atomic_fetch_add(&all->lost_pins, 1);
  }
  const bool clean = state.damaged == 0 && state.other_salt == 0 && state.strays == 0 && state.bytes <= w->budget && state.pinned >= N_PINNED;
  printf(
      "%ld operations in %.1f s, %d processes killed: %ld hits, %ld misses, %ld kept, %ld removed, %ld pins; "
      "torn reads %ld, lost pins %ld, over budget %ld, notes %ld, failures %ld; %zu entries, %llu of %llu bytes, %zu strays, %zu damaged\n",
      all->operations, seconds, killed, all->hits, all->misses, all->kept, all->removed, all->pins, all->torn, all->lost_pins, all->over_budget,
      all->notes, all->failures, state.entries, (unsigned long long)state.bytes, (unsigned long long)w->budget, state.strays, state.damaged);
  if (all->notes && !vandals) printf("first note: %s\n", all->first_note);
  if (!clean) printf("not clean: %s\n", report);
  free(report);
  return clean && all->torn == 0 && all->lost_pins == 0 && all->over_budget == 0 && all->failures == 0 && (vandals || all->notes == 0) ? 0 : 1;
}

static void prepare(worker *w, const char *dir) {
  t5gist_error err;
  t5gist_store_state state;
  char key[TG_SHA256_HEX];
  open_store(w, dir);
  keep(w, shared_task(w, 0));
  CHECK_OK(t5gist_store_examine(w->store, &state, &err));
  w->size = state.bytes;
  w->budget = w->size * ENTRIES + w->size / 2;
  t5gist_store_close(w->store);
  open_store(w, dir);
  for (unsigned i = 0; i < N_PINNED; i++) {
    keep(w, shared_task(w, i));
    key_of(w, shared_task(w, i), key);
    CHECK_OK(t5gist_store_pin(w->store, key, true, &err));
  }
}

int main(int argc, char **argv) {
  const int n = argc > 1 ? atoi(argv[1]) : 8, operations = argc > 2 ? atoi(argv[2]) : 100;
  bool kills = false;
  worker parent = {.random = 1};
  for (int i = 3; i < argc; i++) {
    parent.vandal |= strcmp(argv[i], "vandals") == 0;
    kills |= strcmp(argv[i], "kills") == 0;
  }
  if (n < 1 || n > MAX_PROCESSES || operations < 1) {
    fprintf(stderr, "usage: store_stress PROCESSES OPERATIONS [vandals] [kills]\n");
    return 2;
  }
  all = mmap(NULL, sizeof *all, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (all == MAP_FAILED) return 1;
  char *folder = folder_new(TEST_BINARY_DIR);
  const char *dir = folder_path(folder, "s");
  pid_t pids[MAX_PROCESSES];
  prepare(&parent, dir);
  const double begin = tg_now();
  for (int i = 0; i < n; i++) pids[i] = start(&parent, dir, i, 0, operations);
  const int killed = kills ? kill_some(&parent, dir, pids, n, operations) : 0;
  int status, failed = 0;
  for (int i = 0; i < n; i++) failed += waitpid(pids[i], &status, 0) < 0 || status != 0;
  failed += check_rest(&parent, parent.vandal, killed, tg_now() - begin);
  t5gist_store_close(parent.store);
  folder_remove(folder);
  return failed != 0;
}
