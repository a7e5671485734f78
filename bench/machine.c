/* Reading speed of the memory, and the process's peak of resident memory. */
#include <omp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sysinfo.h>
#include <time.h>

#include "bench/bench.h"
#include "runtime/error.h"

double tg_bench_now_ms(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec * 1e3 + (double)t.tv_nsec * 1e-6;
}

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

static void read_part(const pattern *p, const unsigned char *data, size_t size, sums *out) {
  const size_t stride = (size / (size_t)p->streams - SKEW) / p->block * p->block;
  for (size_t at = 0; at < stride; at += p->block)
    for (int s = 0; s < p->streams; s++) add_up(data + (size_t)s * stride + (size_t)s * 256 + at, p->block, out);
}

/* Bytes read. */
static size_t read_pattern(const pattern *p, const unsigned char *data, size_t size, int threads, uint64_t *sink) {
  size_t bytes = 0;
  uint64_t sum = 0;
#pragma omp parallel num_threads(threads) reduction(+ : bytes, sum)
  {
    const size_t n = (size_t)omp_get_num_threads(), t = (size_t)omp_get_thread_num();
    sums own = {0};
    if (p->woven) {
      for (size_t at = t * p->block; at + p->block <= size; at += n * p->block, bytes += p->block) add_up(data + at, p->block, &own);
    } else {
      const size_t part = (size / n - SKEW) / 256 * 256;
      read_part(p, data + t * part + t * SKEW / 256 * 256, part, &own);
      bytes += (part / (size_t)p->streams - SKEW) / p->block * p->block * (size_t)p->streams;
    }
    sum += own.a[0];
  }
  *sink += sum;
  return bytes;
}

/* Far beyond any cache, yet no more than a quarter of what is free. */
static size_t buffer_size(void) {
  struct sysinfo info;
  size_t size = (size_t)1 << 30;
  if (sysinfo(&info) == 0)
    while (size > ((size_t)64 << 20) && size > (size_t)info.totalram * info.mem_unit / 8) size /= 2;
  return size;
}

t5gist_status tg_limits_bandwidth(int threads, tg_limits *limits, t5gist_error *err) {
  const size_t size = buffer_size();
  unsigned char *data;
  TG_TRY(tg_alloc(&data, size, 1, err));
  (void)madvise(data, size, MADV_HUGEPAGE); /* advice: TLB misses are not what is measured */
#pragma omp parallel for num_threads(threads)
  for (size_t i = 0; i < size; i += 4096) data[i] = (unsigned char)(i >> 12);
  uint64_t sink = 0;
  limits->n_patterns = N_PATTERNS;
  for (int p = 0; p < N_PATTERNS; p++) {
    limits->patterns[p].name = patterns[p].name;
    for (int r = 0; r < REPEATS; r++) {
      const double begin = tg_bench_now_ms();
      const size_t bytes = read_pattern(&patterns[p], data, size, threads, &sink);
      const double speed = (double)bytes / (tg_bench_now_ms() - begin) * 1e3;
      if (speed > limits->patterns[p].bytes_per_second) limits->patterns[p].bytes_per_second = speed;
    }
    if (limits->patterns[p].bytes_per_second > limits->bandwidth) limits->bandwidth = limits->patterns[p].bytes_per_second;
  }
  tg_free(data);
  return sink == UINT64_MAX ? tg_fail(err, T5GIST_EINTERNAL, "impossible sum") : T5GIST_OK; /* the sum is used */
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
