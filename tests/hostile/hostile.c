/* hostile FORMAT changes            every small change of the sound files of at most 4 KiB: each length, each byte in fourteen ways, one more, one less,
 *                                   two swapped; in short files every word of the format at every place
 * hostile FORMAT mutate N SEED [CORPUS]  N changes of structure, of the sound files and of the files of a folder
 * hostile FORMAT replay CORPUS      every file of a folder
 * hostile FORMAT failures           reading the sound files while each allocation, then each call on a file, fails
 * hostile FORMAT seeds FOLDER       writes the sound files there
 * A line of figures at the end; the first file that breaks a bound ends the program and is kept. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "hostile.h"
#include "runtime/folder.h"
#include "t5/random.h"
#include "tests/support/folder.h"

enum { CAPACITY = 16 << 10, LONG = 4096, SHORT = 1024 };

typedef struct file {
  unsigned char *data;
  size_t size;
} file;

static const hostile_format *format;
static file files[4096];
static size_t n_files, n_seeds;
static unsigned char scratch[2 * CAPACITY];

static void add_file(const void *data, size_t size) {
  if (n_files == sizeof files / sizeof *files || size > CAPACITY) hostile_fail("too many files, or one too large");
  files[n_files].data = malloc(size + 1);
  memcpy(files[n_files].data, data, size);
  files[n_files++].size = size;
}

static void add_seeds(void) {
  tg_buffer seed = {0};
  for (int i = 0; format->seed(i, &seed); i++) {
    add_file(seed.data ? seed.data : "", seed.size);
    tg_buffer_free(&seed);
  }
  n_seeds = n_files;
}

static void add_folder(const char *path) {
  tg_strings names = {0};
  if (tg_folder_list(path, &names, NULL)) hostile_fail("the corpus cannot be read");
  for (size_t i = 0; i < names.count; i++) {
    size_t size;
    char *data = folder_read(folder_path(path, names.items[i]), &size);
    add_file(data, size);
    free(data);
  }
  tg_strings_clear(&names);
}

static t5gist_status run(const void *data, size_t size) {
  t5gist_error err;
  return hostile_run(format, data, size, &err);
}

static void check_seeds(void) {
  t5gist_error err;
  for (size_t i = 0; i < n_seeds; i++)
    if (hostile_run(format, files[i].data, files[i].size, &err)) hostile_fail(err.message);
}

/* ------------------------------------------------------------------------------------------------------------------------- every change */

/* scratch [size], which differs from the seed unless it happens to be the same. */
static void run_changed(const file *seed, size_t size) {
  if (size == seed->size && memcmp(scratch, seed->data, size) == 0) return;
  if (run(scratch, size) == T5GIST_OK && format->sealed) hostile_fail("a changed file was taken for a sound one");
}

static void change_byte(const file *seed, size_t at) {
  const unsigned char byte = seed->data[at], values[] = {0x00, 0x7f, 0x80, 0xff, (unsigned char)(byte + 1), (unsigned char)(byte - 1)};
  for (int bit = 0; bit < 8; bit++) {
    scratch[at] = (unsigned char)(byte ^ 1u << bit);
    run_changed(seed, seed->size);
  }
  for (size_t i = 0; i < sizeof values; i++) {
    scratch[at] = values[i];
    run_changed(seed, seed->size);
  }
  scratch[at] = byte;
}

/* The seed with `n` bytes from `at` on replaced by `with` [n_with]. */
static void splice(const file *seed, size_t at, size_t n, const void *with, size_t n_with) {
  memcpy(scratch, seed->data, at);
  memcpy(scratch + at, with, n_with);
  memcpy(scratch + at + n_with, seed->data + at + n, seed->size - at - n);
  run_changed(seed, seed->size - n + n_with);
}

static void change_all(const file *seed) {
  memcpy(scratch, seed->data, seed->size);
  for (size_t n = 0; n < seed->size; n++) run_changed(seed, n);
  for (size_t at = 0; at < seed->size; at++) change_byte(seed, at);
  for (size_t at = 0; at <= seed->size; at++) {
    splice(seed, at, 0, "\0", 1);
    splice(seed, at, 0, "\xff", 1);
  }
  for (size_t at = 0; at < seed->size; at++) {
    splice(seed, at, 1, "", 0);
    splice(seed, at, 0, seed->data + at, 1);
    if (at + 1 < seed->size) splice(seed, at, 2, (const unsigned char[]){seed->data[at + 1], seed->data[at]}, 2);
  }
  for (const char *const *word = format->words; seed->size <= SHORT && word && *word; word++) {
    for (size_t at = 0; at <= seed->size; at++) splice(seed, at, 0, *word, strlen(*word));
    for (size_t at = 0; at + strlen(*word) <= seed->size; at++) splice(seed, at, strlen(*word), *word, strlen(*word));
  }
}

/* --------------------------------------------------------------------------------------------------------------------------- structure */

static void mutate(uint64_t n, uint64_t seed) {
  for (uint64_t i = 0; i < n; i++) {
    const uint64_t key = tg_random_key(seed, i);
    const file *from = &files[tg_random_at(key, 0) % n_files], *other = &files[tg_random_at(key, 1) % n_files];
    memcpy(scratch, from->data, from->size);
    run(scratch, hostile_mutate(format, scratch, from->size, CAPACITY, other->data, other->size, key));
  }
}

static void fail_each(const file *seed, bool allocations) {
  for (size_t n = 1;; n++) {
    hostile_fail_next(allocations ? n : 0, allocations ? 0 : n);
    run(seed->data, seed->size);
    if (!hostile_failed()) break;
  }
  hostile_fail_next(0, 0);
  if (run(seed->data, seed->size) != T5GIST_OK) hostile_fail("a sound file is refused after a failure");
}

static void write_seeds(const char *folder) {
  for (size_t i = 0; i < n_seeds; i++) {
    char name[64];
    snprintf(name, sizeof name, "%s-%zu", format->name, i);
    folder_write(folder, name, files[i].data, files[i].size);
  }
}

static void report(const char *what, double seconds) {
  const hostile_figures f = hostile_seen();
  printf("hostile: %-18s %-8s %9llu files, %8llu accepted, longest %6.1f ms, most memory %6.2f MB (2 x file + %.2f MB), %6.0f files/s\n",
         format->name, what, (unsigned long long)f.runs, (unsigned long long)f.accepted, f.longest * 1e3, (double)f.most_bytes / 1e6,
         (double)f.most_beyond / 1e6, (double)f.runs / (seconds + 1e-9));
}

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static bool act(int n, char **words) {
  const char *what = words[0];
  if (strcmp(what, "changes") == 0 && n == 1) {
    for (size_t i = 0; i < n_seeds; i++)
      if (files[i].size <= LONG) change_all(&files[i]);
  } else if (strcmp(what, "mutate") == 0 && (n == 3 || n == 4)) {
    if (n == 4) add_folder(words[3]);
    mutate(strtoull(words[1], NULL, 10), strtoull(words[2], NULL, 10));
  } else if (strcmp(what, "replay") == 0 && n == 2) {
    add_folder(words[1]);
    for (size_t i = n_seeds; i < n_files; i++) run(files[i].data, files[i].size);
  } else if (strcmp(what, "failures") == 0 && n == 1) {
    for (size_t i = 0; i < n_seeds; i++) {
      fail_each(&files[i], true);
      fail_each(&files[i], false);
    }
  } else if (strcmp(what, "seeds") == 0 && n == 2) {
    write_seeds(words[1]);
  } else {
    return false;
  }
  return true;
}

int main(int argc, char **argv) {
  format = argc > 2 ? hostile_find(argv[1]) : NULL;
  if (!format) {
    fprintf(stderr, "usage: hostile FORMAT changes | mutate N SEED [CORPUS] | replay CORPUS | failures | seeds FOLDER\nformats:");
    for (const hostile_format *const *f = hostile_formats; *f; f++) fprintf(stderr, " %s", (*f)->name);
    fputs("\n", stderr);
    return 2;
  }
  hostile_open(format);
  add_seeds();
  check_seeds();
  const double since = now();
  const bool known = act(argc - 2, argv + 2);
  if (known) report(argv[2], now() - since);
  for (size_t i = 0; i < n_files; i++) free(files[i].data);
  hostile_close();
  return known ? 0 : 2;
}
