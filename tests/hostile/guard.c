/* Runs a reader on bytes and holds it to its bounds. */
#include <errno.h>
#include <jansson.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "hostile.h"
#include "runtime/file.h"
#include "runtime/inject.h"
#include "tests/support/folder.h"

enum { ROOM = 64 << 20, WATCH_SECONDS = 1 };
#define LONGEST 1.0

static struct {
  const hostile_format *format;
  char *dir, *path;
  const unsigned char *data; /* [size] at work; null: nothing is */
  size_t size;
  size_t before, held, json, most;             /* bytes allocated: by runtime/memory.c before this run and now, by the JSON library now; both, at most */
  hostile_fault fault;
  size_t left; /* until one is made to fail */
  bool failed;
  hostile_figures figures;
  volatile sig_atomic_t watched; /* whether the watch has seen this run before */
} guard;

/* ------------------------------------------------------------------------------------------------------------------------------ failing */

static void keep_input(void) {
  char name[128];
  if (!guard.data) return;
  snprintf(name, sizeof name, "hostile-%s.crash", guard.format->name);
  FILE *f = fopen(name, "wb");
  if (!f) return;
  fwrite(guard.data, 1, guard.size, f);
  fclose(f);
  fprintf(stderr, "hostile: %s: the %zu bytes at work are kept in %s\n", guard.format->name, guard.size, name);
}

void hostile_fail(const char *what) {
  fprintf(stderr, "hostile: %s: %s\n", guard.format ? guard.format->name : "?", what);
  keep_input();
  guard.data = NULL;
  abort();
}

/* Every second of processor time: a run that was there the last time already hangs. */
static void on_watch(int signal) {
  (void)signal;
  if (!guard.data) return;
  if (guard.watched) hostile_fail("more than a second of processor time for one file");
  guard.watched = 1;
}

static void on_crash(int signal) {
  fprintf(stderr, "hostile: %s: signal %d\n", guard.format->name, signal);
  keep_input();
  _exit(128 + signal);
}

extern void __sanitizer_set_death_callback(void (*callback)(void)) __attribute__((weak));

static void watch_signals(void) {
  const struct itimerval tick = {{WATCH_SECONDS, 0}, {WATCH_SECONDS, 0}};
  signal(SIGPROF, on_watch);
  setitimer(ITIMER_PROF, &tick, NULL);
  if (__sanitizer_set_death_callback) {
    __sanitizer_set_death_callback(keep_input);
  } else {
    signal(SIGSEGV, on_crash);
    signal(SIGBUS, on_crash);
    signal(SIGFPE, on_crash);
  }
}

/* -------------------------------------------------------------------------------------------------------------------------- allocations */

static size_t bound(void) {
  return 2 * guard.size + ROOM;
}

static void measure(void) {
  if (guard.held + guard.json > guard.most) guard.most = guard.held + guard.json;
  if (guard.data && guard.held - guard.before + guard.json > bound()) hostile_fail("allocates more than 2 x the file + 64 MiB");
}

/* Counts down to the one that fails; 0: none does. */
static bool fails(void) {
  if (guard.failed && guard.fault == HOSTILE_EIO_LASTING) return true;
  if (guard.left == 0 || --guard.left > 0) return false;
  guard.failed = true;
  return true;
}

static bool on_allocate(size_t bytes) {
  if (guard.data && guard.fault == HOSTILE_ALLOCATION && fails()) return false;
  guard.held += bytes;
  measure();
  return true;
}

static void on_release(size_t bytes) {
  guard.held -= bytes;
}

static void *json_allocate(size_t bytes) {
  void *block = malloc(bytes); /* never made to fail: jansson 2.14 goes on past the end of a token that it had no memory to save */
  if (block) guard.json += malloc_usable_size(block);
  measure();
  return block;
}

/* Texts that the library has made are given back to free() itself: its count may stay too high until the next run, never too low. */
static void json_release(void *block) {
  if (block) guard.json -= malloc_usable_size(block);
  free(block);
}

static int on_call(tg_io_call *call) {
  const bool reads = guard.fault == HOSTILE_EINTR || guard.fault == HOSTILE_SHORT;
  if (!guard.data || guard.fault == HOSTILE_ALLOCATION || (reads && call->kind != TG_IO_READ) || !fails()) return 0;
  if (guard.fault == HOSTILE_SHORT) call->n = (call->n + 1) / 2;
  return guard.fault == HOSTILE_SHORT ? 0 : guard.fault == HOSTILE_EINTR ? EINTR : EIO;
}

static const tg_inject counters = {.allocate = on_allocate, .release = on_release, .before = on_call};

void hostile_fail_next(hostile_fault fault, size_t n) {
  guard.fault = fault;
  guard.left = n;
  guard.failed = false;
}

bool hostile_failed(void) {
  return guard.failed;
}

/* ------------------------------------------------------------------------------------------------------------------------------ mapping */

/* In place of the mappings of runtime/file.c (by the linker's --wrap): a page hides what is read behind a file's end, a heap block shows it. */
t5gist_status __wrap_tg_map_open(const char *path, tg_map *map, t5gist_error *err);
void __wrap_tg_map_close(tg_map *map);
void __wrap_tg_map_release(const void *data, size_t size);

t5gist_status __wrap_tg_map_open(const char *path, tg_map *map, t5gist_error *err) {
  tg_buffer bytes = {0};
  const t5gist_status status = tg_read_file(path, SIZE_MAX / 2, false, &bytes, err);
  *map = (tg_map){.data = bytes.size && !status ? malloc(bytes.size) : NULL, .size = bytes.size};
  if (map->data) memcpy((void *)(uintptr_t)map->data, bytes.data, bytes.size);
  tg_buffer_free(&bytes);
  return status;
}

void __wrap_tg_map_close(tg_map *map) {
  free((void *)(uintptr_t)map->data);
  *map = (tg_map){0};
}

void __wrap_tg_map_release(const void *data, size_t size) {
  (void)data, (void)size;
}

/* ------------------------------------------------------------------------------------------------------------------------------ running */

void hostile_open(const hostile_format *format) {
  guard.format = format;
  guard.dir = folder_new(access("/dev/shm", W_OK) == 0 ? "/dev/shm" : TEST_BINARY_DIR);
  if (format->file) guard.path = strdup(folder_path(guard.dir, format->file));
  if (format->prepare) format->prepare(guard.dir);
  json_set_alloc_funcs(json_allocate, json_release);
  atomic_store(&tg_injected, &counters);
  watch_signals();
}

void hostile_close(void) {
  guard.data = NULL;
  atomic_store(&tg_injected, NULL);
  free(guard.path);
  guard.path = NULL;
  folder_remove(guard.dir);
}

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void begin(unsigned char *copy, const void *data, size_t size) {
  if (size) memcpy(copy, data, size);
  guard.size = size;
  guard.json = 0;
  guard.most = guard.before = guard.held;
  guard.watched = 0;
  if (guard.path) folder_write(guard.dir, guard.format->file, copy, size);
  guard.data = copy;
}

t5gist_status hostile_run(const hostile_format *format, const void *data, size_t size, t5gist_error *err) {
  unsigned char *copy = malloc(size ? size : 1);
  begin(copy, data, size);
  const hostile_input in = {.data = copy, .size = size, .dir = guard.dir, .path = guard.path};
  const size_t before = guard.held;
  const double since = now();
  err->message[0] = 0;
  const t5gist_status status = format->read(&in, err);
  const double took = now() - since;
  const size_t most = guard.most - before, beyond = most > 2 * size ? most - 2 * size : 0;
  if (took > LONGEST) hostile_fail("more than a second of processor time for one file");
  if (guard.held != before) hostile_fail("memory is still held after the file was closed");
  if (status != T5GIST_OK && !err->message[0] && !guard.failed) hostile_fail("refused without a sentence");
  guard.data = NULL;
  free(copy);
  hostile_figures *f = &guard.figures;
  f->runs++;
  f->accepted += status == T5GIST_OK;
  if (most > f->most_bytes) f->most_bytes = most;
  if (beyond > f->most_beyond) f->most_beyond = beyond;
  if (took > f->longest) f->longest = took;
  return status;
}

hostile_figures hostile_seen(void) {
  return guard.figures;
}

/* ------------------------------------------------------------------------------------------------------------------------------ helpers */

void hostile_put(tg_buffer *out, const void *data, size_t n) {
  const size_t left = guard.left;
  guard.left = 0; /* what the test itself needs does not fail */
  if (tg_buffer_append(out, data, n, NULL)) hostile_fail("no memory for a seed");
  guard.left = left;
}

void hostile_put_text(tg_buffer *out, const char *text) {
  hostile_put(out, text, strlen(text));
}

void hostile_put_file(tg_buffer *out, const char *path) {
  size_t n;
  char *bytes = folder_read(path, &n);
  hostile_put(out, bytes, n);
  free(bytes);
}

void hostile_use(const void *data, size_t n) {
  const unsigned char *p = data;
  unsigned char all = 0;
  for (size_t i = 0; i < n; i++) all ^= p[i];
  __asm__ volatile("" : : "r"(all)); /* the sum counts as used */
}

void hostile_use_report(const char *text, size_t n) {
  for (size_t i = 0; i < n; i++)
    if (((unsigned char)text[i] < ' ' && text[i] != '\n') || text[i] == 0x7f) hostile_fail("what a file holds reached the terminal as it is");
}
