/* hostile FORMAT changes            every small change of the sound files of at most 4 KiB: each length, each byte in fourteen ways, one more, one less,
 *                                   two swapped; in short files every word of the format at every place
 * hostile FORMAT exhaustive N       the same, and more kinds of changes until there have been N different files: every byte in 256 ways, and 256 more at
 *                                   every place; every stretch left out, doubled or ended by that of any sound file; any two bytes swapped, or changed
 * hostile FORMAT mutate N SEED [CORPUS]  N changes of structure, of the sound files and of the files of a folder
 * hostile FORMAT replay CORPUS      every file of a folder
 * hostile FORMAT failures           reading the sound files while each allocation, each call on a file, or each read fails (hostile_fault)
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

/* Hashes of the files that were tried; 0: free. */
static struct {
  uint64_t *keys; /* [capacity], a power of two */
  size_t n, capacity;
} tried;

static uint64_t *slot_of(uint64_t key) {
  size_t at = key & (tried.capacity - 1);
  while (tried.keys[at] && tried.keys[at] != key) at = (at + 1) & (tried.capacity - 1);
  return &tried.keys[at];
}

static void make_room(void) {
  uint64_t *old = tried.keys;
  const size_t n = tried.capacity;
  tried.capacity = n ? 2 * n : 1 << 16;
  tried.keys = calloc(tried.capacity, sizeof *tried.keys);
  if (!tried.keys) hostile_fail("no memory for what was tried");
  for (size_t i = 0; i < n; i++)
    if (old[i]) *slot_of(old[i]) = old[i];
  free(old);
}

static bool is_new(const unsigned char *data, size_t size) {
  uint64_t key = tg_random_mix(size), word;
  for (size_t at = 0; at < size; at += 8) {
    word = 0;
    memcpy(&word, data + at, size - at < 8 ? size - at : 8);
    key = tg_random_mix(key ^ word);
  }
  if (2 * tried.n >= tried.capacity) make_room();
  uint64_t *slot = slot_of(key ? key : 1);
  if (*slot) return false;
  *slot = key ? key : 1;
  tried.n++;
  return true;
}

/* scratch [size], unless it is a sound file or was tried before. */
static void run_changed(size_t size) {
  if (is_new(scratch, size) && run(scratch, size) == T5GIST_OK && format->sealed) hostile_fail("a changed file was taken for a sound one");
}

static void change_byte(const file *seed, size_t at) {
  const unsigned char byte = seed->data[at], values[] = {0x00, 0x7f, 0x80, 0xff, (unsigned char)(byte + 1), (unsigned char)(byte - 1)};
  for (int bit = 0; bit < 8; bit++) {
    scratch[at] = (unsigned char)(byte ^ 1u << bit);
    run_changed(seed->size);
  }
  for (size_t i = 0; i < sizeof values; i++) {
    scratch[at] = values[i];
    run_changed(seed->size);
  }
  scratch[at] = byte;
}

/* The seed with `n` bytes from `at` on replaced by `with` [n_with]. */
static void splice(const file *seed, size_t at, size_t n, const void *with, size_t n_with) {
  memcpy(scratch, seed->data, at);
  memcpy(scratch + at, with, n_with);
  memcpy(scratch + at + n_with, seed->data + at + n, seed->size - at - n);
  run_changed(seed->size - n + n_with);
}

static void change_a_little(const file *seed) {
  memcpy(scratch, seed->data, seed->size);
  for (size_t n = 0; n < seed->size; n++) run_changed(n);
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

static void change_to_any_byte(const file *seed) {
  for (size_t at = 0; at <= seed->size; at++)
    for (int value = 0; value < 256; value++) {
      const unsigned char byte = (unsigned char)value;
      if (at < seed->size) splice(seed, at, 1, &byte, 1);
      splice(seed, at, 0, &byte, 1);
    }
}

static void change_stretches(const file *seed) {
  for (size_t at = 0; at < seed->size; at++) {
    for (size_t end = at + 1; end <= seed->size; end++) {
      splice(seed, at, end - at, "", 0);
      splice(seed, at, 0, seed->data + at, end - at);
    }
    for (size_t i = 0; i < n_seeds; i++)
      for (size_t from = 0; from < files[i].size && files[i].size <= LONG; from++)
        splice(seed, at, seed->size - at, files[i].data + from, files[i].size - from);
  }
}

static void change_two_bytes(const file *seed) {
  static const unsigned char values[] = {0, 1, '\n', ' ', '"', '+', ',', '-', '.', '0', '9', '[', 'a', 0x7f, 0x80, 0xff};
  enum { N = sizeof values };
  memcpy(scratch, seed->data, seed->size);
  for (size_t a = 0; a < seed->size; a++)
    for (size_t b = a + 1; b < seed->size; b++) {
      scratch[a] = seed->data[b], scratch[b] = seed->data[a];
      run_changed(seed->size);
      for (int i = 0; i < N * N; i++) {
        scratch[a] = values[i / N], scratch[b] = values[i % N];
        run_changed(seed->size);
      }
      scratch[a] = seed->data[a], scratch[b] = seed->data[b];
    }
}

/* Kinds of changes, one after the other, until there have been `enough` different files. False: there are not so many. */
static bool change_all(size_t enough) {
  static void (*const kinds[])(const file *) = {change_a_little, change_to_any_byte, change_stretches, change_two_bytes};
  for (size_t i = 0; i < n_seeds; i++) (void)is_new(files[i].data, files[i].size);
  for (size_t kind = 0; kind < sizeof kinds / sizeof *kinds && (kind == 0 || tried.n - n_seeds < enough); kind++)
    for (size_t i = 0; i < n_seeds; i++)
      if (files[i].size <= LONG) kinds[kind](&files[i]);
  return tried.n - n_seeds >= enough;
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

static void fail_each(const file *seed, hostile_fault fault) {
  const bool goes_on = fault == HOSTILE_EINTR || fault == HOSTILE_SHORT;
  for (size_t n = 1;; n++) {
    hostile_fail_next(fault, n);
    const t5gist_status status = run(seed->data, seed->size);
    if (!hostile_failed()) break;
    if (goes_on && status != T5GIST_OK) hostile_fail("a sound file is refused because reading was interrupted, or moved less than asked for");
  }
  hostile_fail_next(HOSTILE_ALLOCATION, 0);
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
  printf("hostile: %-18s %-10s %9llu files, %8llu accepted, longest %6.1f ms, most memory %6.2f MB (2 x file + %.2f MB), %6.0f files/s\n",
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
    (void)change_all(0);
  } else if (strcmp(what, "exhaustive") == 0 && n == 2) {
    if (!change_all(strtoull(words[1], NULL, 10))) hostile_fail("the sound files are too short for so many changes");
  } else if (strcmp(what, "mutate") == 0 && (n == 3 || n == 4)) {
    if (n == 4) add_folder(words[3]);
    mutate(strtoull(words[1], NULL, 10), strtoull(words[2], NULL, 10));
  } else if (strcmp(what, "replay") == 0 && n == 2) {
    add_folder(words[1]);
    for (size_t i = n_seeds; i < n_files; i++) run(files[i].data, files[i].size);
  } else if (strcmp(what, "failures") == 0 && n == 1) {
    for (size_t i = 0; i < n_seeds; i++)
      for (int fault = 0; fault < HOSTILE_FAULTS; fault++) fail_each(&files[i], (hostile_fault)fault);
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
    fprintf(stderr, "usage: hostile FORMAT changes | exhaustive N | mutate N SEED [CORPUS] | replay CORPUS | failures | seeds FOLDER\nformats:");
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
  free(tried.keys);
  hostile_close();
  return known ? 0 : 2;
}
