#include "runtime/cpu.h"

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "runtime/file.h"
#include "runtime/folder.h"

static tg_isa isa_limit = TG_ISA_AVX512;

tg_isa tg_cpu_isa(void) {
  tg_isa isa = TG_ISA_PORTABLE;
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) isa = TG_ISA_AVX2;
  if (isa == TG_ISA_AVX2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
      __builtin_cpu_supports("avx512vl"))
    isa = TG_ISA_AVX512;
#endif
  return isa < isa_limit ? isa : isa_limit;
}

void tg_cpu_limit_isa(tg_isa best) {
  isa_limit = best;
}

bool tg_cpu_vnni(void) {
#if defined(__x86_64__)
  return tg_cpu_isa() == TG_ISA_AVX512 && __builtin_cpu_supports("avx512vnni");
#else
  return false;
#endif
}

bool tg_cpu_bf16(void) {
#if defined(__x86_64__)
  return tg_cpu_isa() == TG_ISA_AVX512 && __builtin_cpu_supports("avx512bf16");
#else
  return false;
#endif
}

const char *tg_isa_name(tg_isa isa) {
  switch (isa) {
    case TG_ISA_AVX512: return "avx512";
    case TG_ISA_AVX2: return "avx2";
    default: return "portable";
  }
}

/* The value of the first line "key : value" of text, cut at the line's end; -1: not there. */
static int line_value(const char *text, const char *key, const char **value) {
  for (const char *line = text; line != NULL; line = strchr(line, '\n')) {
    if (*line == '\n') line++;
    if (strncmp(line, key, strlen(key)) != 0) continue;
    const char *colon = strchr(line, ':'), *end = strchr(line, '\n');
    if (colon == NULL || end == NULL || colon > end) return -1;
    *value = colon + 1 + strspn(colon + 1, " \t");
    return *value < end ? (int)(end - *value) : -1;
  }
  return -1;
}

/* Whether word stands among the words of text [n]. */
static bool has_word(const char *text, int n, const char *word) {
  const size_t length = strlen(word);
  for (const char *at = text; (at = memmem(at, (size_t)(text + n - at), word, length)) != NULL; at += length) {
    const bool begins = at == text || at[-1] == ' ';
    const bool ends = at + length == text + n || at[length] == ' ';
    if (begins && ends) return true;
  }
  return false;
}

void tg_cpu_describe(char *name, int size) {
  static const char *const worth_naming[] = {"avx2", "avx512f", "avx_vnni", "avx512_vnni", "avx512_bf16", "amx_bf16", "amx_int8"};
  snprintf(name, (size_t)size, "unknown");
  tg_buffer text = {0};
  if (tg_read_file("/proc/cpuinfo", 16 << 20, false, &text, NULL) != T5GIST_OK) return;
  const char *model = NULL, *flags = NULL;
  const int model_size = line_value(text.data, "model name", &model), flags_size = line_value(text.data, "flags", &flags);
  if (model_size > 0) snprintf(name, (size_t)size, "%.*s", model_size, model);
  const char *separator = " (";
  for (size_t i = 0; flags_size > 0 && i < sizeof worth_naming / sizeof *worth_naming; i++) {
    if (!has_word(flags, flags_size, worth_naming[i])) continue;
    const size_t used = strlen(name);
    snprintf(name + used, (size_t)size - used, "%s%s", separator, worth_naming[i]);
    separator = " ";
  }
  const size_t used = strlen(name);
  if (separator[0] == ' ' && separator[1] == '\0') snprintf(name + used, (size_t)size - used, ")");
  tg_buffer_free(&text);
}

static int affinity_threads(void) {
  for (int n = 1024; n <= 1 << 16; n *= 2) {
    cpu_set_t *set = CPU_ALLOC(n);
    if (set == NULL) return 1;
    const size_t bytes = CPU_ALLOC_SIZE(n);
    const int failed = sched_getaffinity(0, bytes, set), count = failed ? 0 : CPU_COUNT_S(bytes, set);
    CPU_FREE(set);
    if (!failed) return count > 0 ? count : 1;
  }
  return 1;
}

/* Cores that quota of every period is worth, rounded up: a part of a core still helps. 0: no limit. */
static int quota_threads(double quota, double period) {
  if (quota <= 0 || period <= 0 || quota / period > 1e6) return 0;
  const int whole = (int)(quota / period);
  return quota > whole * period ? whole + 1 : whole;
}

static int tighter(int a, int b) {
  return a == 0 || (b != 0 && b < a) ? b : a;
}

/* cpu.max of this process's cgroup and of those above it (cgroup 2). */
static int cgroup2_threads(void) {
  tg_buffer own = {0}, limit = {0};
  int threads = 0;
  if (tg_read_file("/proc/self/cgroup", 1 << 20, false, &own, NULL) == T5GIST_OK) {
    const char *entry = strstr(own.data, "0::/");
    char path[4096];
    int length = entry == NULL ? -1 : snprintf(path, sizeof path, "/sys/fs/cgroup%.*s", (int)strcspn(entry + 3, "\n"), entry + 3);
    while (length >= (int)strlen("/sys/fs/cgroup") && length + 16 < (int)sizeof path) {
      double quota = 0, period = 0;
      snprintf(path + length, sizeof path - (size_t)length, "/cpu.max");
      if (tg_read_file(path, 4096, false, &limit, NULL) == T5GIST_OK && sscanf(limit.data, "%lf %lf", &quota, &period) == 2)
        threads = tighter(threads, quota_threads(quota, period));
      path[length] = '\0';
      const char *slash = strrchr(path, '/');
      length = (int)(slash - path);
    }
  }
  tg_buffer_free(&own);
  tg_buffer_free(&limit);
  return threads;
}

/* cgroup 1, as containers see it: their own group mounted at the usual place. */
static int cgroup1_threads(void) {
  tg_buffer quota = {0}, period = {0};
  int threads = 0;
  if (tg_read_file("/sys/fs/cgroup/cpu/cpu.cfs_quota_us", 4096, false, &quota, NULL) == T5GIST_OK &&
      tg_read_file("/sys/fs/cgroup/cpu/cpu.cfs_period_us", 4096, false, &period, NULL) == T5GIST_OK)
    threads = quota_threads(strtod(quota.data, NULL), strtod(period.data, NULL));
  tg_buffer_free(&quota);
  tg_buffer_free(&period);
  return threads;
}

int tg_cpu_threads(void) {
  const int threads = tighter(affinity_threads(), tighter(cgroup2_threads(), cgroup1_threads()));
  return threads > 0 ? threads : 1;
}

double tg_cpu_waited_ms(void) {
  tg_strings threads = {0};
  double sum = 0;
  if (tg_folder_list("/proc/self/task", &threads, NULL) != T5GIST_OK) return 0;
  for (size_t i = 0; i < threads.count; i++) {
    char path[64];
    tg_buffer text = {0};
    unsigned long long ran, waited; /* nanoseconds */
    snprintf(path, sizeof path, "/proc/self/task/%.20s/schedstat", threads.items[i]);
    if (tg_read_file(path, 4096, false, &text, NULL) == T5GIST_OK && sscanf(text.data, "%llu %llu", &ran, &waited) == 2) sum += (double)waited * 1e-6;
    tg_buffer_free(&text);
  }
  tg_strings_clear(&threads);
  return sum;
}
