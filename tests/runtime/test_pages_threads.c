/* Memory in large pages: zeroed, aligned, each block its own; from several threads; given back. */
#include <pthread.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "runtime/pages.h"
#include "tests/support/resident.h"

static unsigned char *take(size_t bytes) {
  unsigned char *block = NULL;
  const t5gist_status status = tg_pages_take(&block, bytes, NULL);
  if (status != T5GIST_OK || block == NULL || (uintptr_t)block % 64 != 0) abort(); /* cmocka's checks are for the main thread */
  return block;
}

static bool holds(const unsigned char *block, size_t bytes, unsigned char value) {
  for (size_t i = 0; i < bytes; i++)
    if (block[i] != value) return false;
  return true;
}

static const size_t sizes[] = {0, 1, 63, 4097, 65535, 65536, 65537, 590000, (1 << 20) + 5, 3 << 20, 7 << 20, (32 << 20) - 128, 32 << 20, 33 << 20};
enum { N_SIZES = sizeof sizes / sizeof *sizes };

static void blocks_are_zero_and_their_own(void **state) {
  (void)state;
  for (int round = 0; round < 2; round++) { /* the second one must not find what the first one wrote */
    unsigned char *blocks[N_SIZES];
    for (size_t i = 0; i < N_SIZES; i++) {
      blocks[i] = take(sizes[i]);
      assert_true(holds(blocks[i], sizes[i], 0));
      memset(blocks[i], (int)i + 1, sizes[i]);
    }
    for (size_t turn = 0; turn < N_SIZES; turn++) { /* returned in no order */
      const size_t i = (turn * 5 + 3) % N_SIZES;
      assert_true(holds(blocks[i], sizes[i], (unsigned char)(i + 1)));
      tg_pages_return(blocks[i]);
    }
  }
  tg_pages_return(NULL);
}

typedef struct search {
  const unsigned char *block; /* that is looked for */
  size_t bytes, found, regions;
} search;

static void look(void *user, const void *begin, size_t bytes) {
  search *s = user;
  const unsigned char *from = begin;
  unsigned sum = 0;
  for (size_t i = 0; i < bytes; i += 4096) sum += from[i]; /* all of it can be read */
  s->regions += sum < UINT_MAX;
  if (from < s->block && s->block + s->bytes <= from + bytes) s->found++;
}

static void every_region_is_visited(void **state) {
  (void)state;
  unsigned char *blocks[N_SIZES];
  for (size_t i = 0; i < N_SIZES; i++) blocks[i] = take(sizes[i]);
  for (size_t i = 0; i < N_SIZES; i++) {
    search s = {.block = blocks[i], .bytes = sizes[i]};
    tg_pages_each(look, &s);
    assert_int_equal(s.found, sizes[i] >= 65536 ? 1 : 0); /* small ones lie elsewhere */
  }
  for (size_t turn = 0; turn < N_SIZES; turn++) {
    search s = {0};
    tg_pages_return(blocks[(turn * 5 + 3) % N_SIZES]);
    tg_pages_each(look, &s);
    assert_true((s.regions == 0) == (turn + 1 == N_SIZES));
  }
}

static void *take_and_return(void *user) {
  unsigned char *held[8] = {0};
  size_t bytes[8] = {0}, turn = (size_t)(uintptr_t)user;
  for (int i = 0; i < 400; i++, turn = turn * 1103515245 + 12345) {
    const size_t slot = turn / 65536 % 8;
    if (held[slot] != NULL && !holds(held[slot], bytes[slot], (unsigned char)(slot + 1))) abort();
    tg_pages_return(held[slot]);
    bytes[slot] = turn / 7 % 200000;
    held[slot] = take(bytes[slot]);
    if (!holds(held[slot], bytes[slot], 0)) abort();
    memset(held[slot], (int)slot + 1, bytes[slot]);
  }
  for (size_t slot = 0; slot < 8; slot++) tg_pages_return(held[slot]);
  return NULL;
}

static void threads_share_regions(void **state) {
  (void)state;
  pthread_t threads[4];
  for (uintptr_t i = 0; i < 4; i++) assert_int_equal(pthread_create(&threads[i], NULL, take_and_return, (void *)(i + 1)), 0);
  for (int i = 0; i < 4; i++) pthread_join(threads[i], NULL);
}

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) /* whose own memory grows beside */
enum { SANITIZED = 1 };
#else
enum { SANITIZED = 0 };
#endif

static void memory_is_given_back(void **state) {
  (void)state;
  if (SANITIZED) skip();
  enum { BLOCKS = 90, BYTES = 1 << 20, ROOM = 8 << 20 };
  unsigned char *blocks[BLOCKS];
  const size_t before = resident();
  for (int i = 0; i < BLOCKS; i++) memset(blocks[i] = take(BYTES), 1, BYTES);
  assert_true(resident() > before + (size_t)BLOCKS * BYTES - ROOM);
  for (int i = 0; i < BLOCKS; i++) tg_pages_return(blocks[i]);
  assert_true(resident() < before + ROOM);
  unsigned char *large = take(64 << 20), *small = take(100000); /* keeps its region */
  memset(large, 1, 64 << 20);
  tg_pages_return(large);
  assert_true(resident() < before + ROOM);
  tg_pages_return(small);
}

static void too_much_is_refused(void **state) {
  (void)state;
  static const size_t refused[] = {SIZE_MAX, SIZE_MAX - 64, SIZE_MAX / 2 + 1, SIZE_MAX / 4};
  for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
    t5gist_error err;
    void *block = NULL;
    assert_int_equal(tg_pages_take(&block, refused[i], &err), T5GIST_ENOMEM);
    assert_non_null(strstr(err.message, "cannot allocate "));
    assert_null(block);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(blocks_are_zero_and_their_own), cmocka_unit_test(every_region_is_visited), cmocka_unit_test(threads_share_regions),
      cmocka_unit_test(memory_is_given_back),          cmocka_unit_test(too_much_is_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
