/* The process's resident memory. */
#ifndef T5GIST_TESTS_SUPPORT_RESIDENT_H
#define T5GIST_TESTS_SUPPORT_RESIDENT_H

#include <stdio.h>
#include <unistd.h>

static inline size_t resident(void) {
  FILE *file = fopen("/proc/self/statm", "re");
  size_t pages = 0;
  assert_non_null(file);
  assert_int_equal(fscanf(file, "%*u %zu", &pages), 1);
  fclose(file);
  return pages * (size_t)sysconf(_SC_PAGESIZE);
}

#endif
