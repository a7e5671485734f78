/* Runs a test program's groups once per instruction set that this machine has: each in a process of its own, because the choice is made once. */
#ifndef T5GIST_TESTS_RUNTIME_ISA_H
#define T5GIST_TESTS_RUNTIME_ISA_H

#include <stdint.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "runtime/cpu.h"

/* 0 when groups() returned 0 (no failures) for every instruction set. */
static inline int test_each_isa(int (*groups)(void)) {
  const tg_isa best = tg_cpu_isa();
  int failed = 0;
  for (int isa = TG_ISA_PORTABLE; isa <= (int)best; isa++) {
    fprintf(stderr, "== %s\n", tg_isa_name((tg_isa)isa));
    fflush(NULL);
    const pid_t child = fork();
    if (child == 0) {
      tg_cpu_limit_isa((tg_isa)isa);
      const int result = groups() != 0;
      fflush(NULL);
      _exit(result);
    }
    int status = 1;
    if (child < 0 || waitpid(child, &status, 0) != child || status != 0) failed = 1;
  }
  return failed;
}

/* The same numbers in every run: uniform in [-1, 1). */
static inline float test_random(uint32_t *state) {
  *state = *state * 1664525u + 1013904223u;
  return (float)(int32_t)*state * (1.0f / 2147483648.0f);
}

static inline void test_fill(float *x, size_t n, float scale, uint32_t *state) {
  for (size_t i = 0; i < n; i++) x[i] = scale * test_random(state);
}

#endif
