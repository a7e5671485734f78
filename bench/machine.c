/* Reading speed of the memory, and the process's peak of resident memory. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sysinfo.h>

#include "bench/bench.h"
#include "runtime/clock.h"
#include "runtime/error.h"
#include "runtime/pages.h"
#include "runtime/team.h"

/* -------------------------------------------------------------------------------------------------------------------------- bandwidth */

/* How the threads share a buffer. Every thread reads `streams` places at a time, in turn `block` bytes of each; with `woven`, blocks go to the
 * threads in turn, otherwise each thread has a contiguous part. Parts and streams never lie a power of two apart: equal low address bits make threads
 * meet in the same banks of the memory, which can halve the speed. */
typedef struct pattern {
  const char *name;
  size_t block;
  int streams;
  bool woven;
} pattern;
static const pattern patterns[] = {
    {"parts, 1 stream", 4096, 1, false},        {"parts, 2 streams", 4096, 2, false},   {"parts, 4 streams", 4096, 4, false},
    {"parts, 8 streams", 4096, 8, false},       {"parts, 4 streams of lines", 256, 4, false}, {"woven, 4 KiB", 4096, 1, true},
    {"woven, 64 KiB", 65536, 1, true},          {"woven, 1 MiB", 1 << 20, 1, true},     {"woven, 192 KiB", 192 << 10, 1, true},
};
enum { N_PATTERNS = sizeof patterns / sizeof *patterns, REPEATS = 4 };

typedef struct sums { uint64_t a __attribute__((vector_size(64))); } sums;

/* Adds n bytes (a multiple of 256) up, so that they must be read. */
__attribute__((noinline)) static void add_up(const unsigned char *data, size_t n, sums *out) {
  typedef uint64_t wide __attribute__((vector_size(64)));
  const wide *p = (const wide *)(const void *)data;
  wide a = out->a, b = {0}, c = {0}, d = {0};
  for (size_t i = 0; i < n / sizeof *p; i += 4) {
    a += p[i];
    b += p[i + 1];
    c += p[i + 2];
    d += p[i + 3];
  }
  out->a = a + b + c + d;
}

/* Odd multiples of this many bytes separate parts and streams. */
enum { SKEW = 4096 + 256 };

/* How many bytes were read: whole blocks of every stream. */
static size_t read_part(const pattern *p, const unsigned char *data, size_t size, sums *out) {
  const size_t stride = (size / (size_t)p->streams - SKEW) / p->block * p->block;
  for (size_t at = 0; at < stride; at += p->block)
    for (int s = 0; s < p->streams; s++) add_up(data + (size_t)s * stride + (size_t)s * 256 + at, p->block, out);
  return stride * (size_t)p->streams;
}

/* A pass over the buffer, cut into as many shares as there are threads. */
typedef struct pass {
  const pattern *pattern;
  unsigned char *data; /* [size] */
  size_t size, n;
  struct {
    size_t bytes;
    sums sum;
  } *shares; /* [n] what each has read */
} pass;

static void read_share(pass *p, size_t share) {
  const size_t block = p->pattern->block;
  size_t bytes = 0;
  sums own = {0};
  if (p->pattern->woven) {
    for (size_t at = share * block; at + block <= p->size; at += p->n * block, bytes += block) add_up(p->data + at, block, &own);
  } else {
    const size_t part = (p->size / p->n - SKEW) / 256 * 256;
    bytes = read_part(p->pattern, p->data + share * part + share * SKEW / 256 * 256, part, &own);
  }
  p->shares[share].bytes = bytes;
  p->shares[share].sum = own;
}

static void read_shares(void *argument, size_t begin, size_t end, int thread) {
  (void)thread;
  for (size_t i = begin; i < end; i++) read_share(argument, i);
}

static void touch_pages(void *argument, size_t begin, size_t end, int thread) {
  (void)thread;
  const pass *p = argument;
  for (size_t i = begin; i < end; i++) p->data[i * 4096] = (unsigned char)i;
}

/* Bytes per second. */
static double time_pass(tg_team *team, pass *p, uint64_t *sink) {
  const double begin = tg_now_ms();
  tg_team_run(team, p->n, read_shares, p);
  const double ms = tg_now_ms() - begin;
  size_t bytes = 0;
  for (size_t i = 0; i < p->n; i++) {
    bytes += p->shares[i].bytes;
    *sink += p->shares[i].sum.a[0];
  }
  return (double)bytes / ms * 1e3;
}

/* Far beyond any cache, yet no more than a quarter of what is free. */
static size_t buffer_size(void) {
  struct sysinfo info;
  size_t size = (size_t)1 << 30;
  if (sysinfo(&info) == 0)
    while (size > ((size_t)64 << 20) && size > (size_t)info.totalram * info.mem_unit / 8) size /= 2;
  return size;
}

static t5gist_status time_patterns(tg_team *team, pass *p, tg_limits *limits, t5gist_error *err) {
  (void)madvise(p->data, p->size, MADV_HUGEPAGE); /* advice: TLB misses are not what is measured */
  tg_team_run(team, p->size / 4096, touch_pages, p);
  uint64_t sink = 0;
  limits->n_patterns = N_PATTERNS;
  for (int i = 0; i < N_PATTERNS; i++) {
    double *best = &limits->patterns[i].bytes_per_second;
    limits->patterns[i].name = patterns[i].name;
    p->pattern = &patterns[i];
    for (int r = 0; r < REPEATS; r++) *best = fmax(*best, time_pass(team, p, &sink));
    limits->bandwidth = fmax(limits->bandwidth, *best);
  }
  return sink == UINT64_MAX ? tg_fail(err, T5GIST_EINTERNAL, "impossible sum") : T5GIST_OK; /* the sum is used */
}

t5gist_status tg_limits_bandwidth(int threads, tg_limits *limits, t5gist_error *err) {
  pass p = {.size = buffer_size(), .n = (size_t)threads};
  tg_team *team = NULL;
  t5gist_status status = tg_team_new(threads, &team, err);
  if (status == T5GIST_OK) status = tg_alloc(&p.shares, p.n, sizeof *p.shares, err);
  if (status == T5GIST_OK) status = tg_alloc(&p.data, p.size, 1, err);
  if (status == T5GIST_OK) status = time_patterns(team, &p, limits, err);
  tg_free(p.data);
  tg_free(p.shares);
  tg_team_free(team);
  return status;
}

/* ---------------------------------------------------------------------------------------------------------------- weights where they lie */

/* Packed weights, in pieces that threads take in turn as they do those of a product. */
enum { PIECE = 1 << 20 };
typedef struct weights_pass {
  const pattern *pattern;
  size_t n, room;
  struct {
    const unsigned char *data;
    size_t read;
    sums sum;
  } *pieces; /* [n], PIECE bytes each; null: they are only counted */
} weights_pass;

static void put_pieces(void *user, const void *begin, size_t bytes) {
  weights_pass *p = user;
  for (size_t at = 0; at + PIECE <= bytes; at += PIECE, p->n++)
    if (p->pieces && p->n < p->room) p->pieces[p->n].data = (const unsigned char *)begin + at;
}

static void read_pieces(void *argument, size_t begin, size_t end, int thread) {
  (void)thread;
  weights_pass *p = argument;
  for (size_t i = begin; i < end; i++) {
    sums own = {0}; /* a sum of the thread's own: neighbours share lines */
    p->pieces[i].read = read_part(p->pattern, p->pieces[i].data, PIECE, &own);
    p->pieces[i].sum = own;
  }
}

static double time_weights(tg_team *team, weights_pass *p) {
  const double begin = tg_now_ms();
  tg_team_run(team, p->n, read_pieces, p);
  const double ms = tg_now_ms() - begin;
  size_t bytes = 0;
  for (size_t i = 0; i < p->n; i++) bytes += p->pieces[i].read;
  return (double)bytes / ms * 1e3;
}

t5gist_status tg_limits_weights(int threads, double *bytes_per_second, t5gist_error *err) {
  weights_pass p = {0};
  tg_team *team = NULL;
  t5gist_status status = T5GIST_OK;
  tg_pages_each(put_pieces, &p);
  p.room = p.n;
  if (p.room == 0) return T5GIST_OK; /* a tiny model */
  TG_GOTO(tg_alloc(&p.pieces, p.room, sizeof *p.pieces, err));
  TG_GOTO(tg_team_new(threads, &team, err));
  p.n = 0;
  tg_pages_each(put_pieces, &p);
  if (p.n > p.room) p.n = p.room;
  for (int i = 0; i < N_PATTERNS; i++) {
    p.pattern = &patterns[i];
    for (int r = 0; r < REPEATS && !patterns[i].woven; r++) *bytes_per_second = fmax(*bytes_per_second, time_weights(team, &p));
  }
done:
  tg_team_free(team);
  tg_free(p.pieces);
  return status;
}

/* -------------------------------------------------------------------------------------------------------------------------------- memory */

void tg_peak_reset(void) {
  FILE *file = fopen("/proc/self/clear_refs", "we");
  if (!file) return;
  fputs("5\n", file); /* proc(5): resets the peak of the resident set */
  fclose(file);
}

double tg_peak_bytes(void) {
  FILE *file = fopen("/proc/self/status", "re");
  char line[256];
  double kilobytes = 0;
  if (!file) return 0;
  while (fgets(line, sizeof line, file)) {
    if (!strncmp(line, "VmHWM:", 6)) kilobytes = strtod(line + 6, NULL);
  }
  fclose(file);
  return kilobytes * 1024;
}
