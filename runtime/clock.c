#include "runtime/clock.h"

#include <time.h>

int64_t tg_now_ns(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

double tg_now_ms(void) {
  return (double)tg_now_ns() * 1e-6;
}

double tg_now(void) {
  return (double)tg_now_ns() * 1e-9;
}
