/* Every piece of work with its n-th allocation failing, once or from then on: it says so or succeeds, gives everything back, and the same context then
 * does the work as if nothing had happened.
 *     test_allocations [all] [NAME of a piece of work]
 * all: every n; else the first ones and a sample of the rest. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support.h"
#include "tests/support/inject.h"

enum { FIRST = 16, SAMPLE = 24 }; /* n tried without "all": all up to FIRST, then about SAMPLE */

static world *everything;
static bool all;
static const char *only;

/* Does the work with its n-th allocation failing, then again; how many allocations the first attempt made, and whether one of them failed. */
static inject_count attempt(const piece *p, size_t n, bool lasting, const char *expected) {
  t5gist_error err = {0};
  context c;
  inject_memory(0, false);
  t5gist_status status = context_begin(everything, p, &c, &err);
  if (status) fail_msg("%s: %s", p->name, err.message);
  inject_fail_next(n, lasting);
  err = (t5gist_error){0};
  status = p->act(&c, &err);
  const inject_count count = inject_relent();
  if (status && (!count.failed || err.status != status || !err.message[0]))
    fail_msg("%s, allocation %zu%s: status %d, \"%s\"", p->name, n, lasting ? " and later" : "", status, err.message);
  if (!status && strcmp(c.result, expected) != 0) fail_msg("%s, allocation %zu%s: another result", p->name, n, lasting ? " and later" : "");
  c.result[0] = 0;
  status = p->act(&c, &err);
  if (status) fail_msg("%s, after allocation %zu%s failed: %s", p->name, n, lasting ? " and later" : "", err.message);
  if (strcmp(c.result, expected) != 0)
    fail_msg("%s, after allocation %zu%s failed: expected\n%s\nfound\n%s", p->name, n, lasting ? " and later" : "", expected, c.result);
  context_end(&c);
  const inject_count end = inject_stop();
  if (end.live != 0) fail_msg("%s, allocation %zu%s: %lld bytes were not given back", p->name, n, lasting ? " and later" : "", end.live);
  return count;
}

static void every_allocation_may_fail(void **state) {
  const piece *p = *state;
  t5gist_error err;
  context c;
  if (only && strcmp(only, p->name) != 0) skip();
  assert_int_equal(context_begin(everything, p, &c, &err), T5GIST_OK);
  CHECK_OK(p->act(&c, &err));
  char *expected = strdup(c.result);
  context_end(&c);
  const size_t calls = attempt(p, 0, false, expected).calls;
  size_t tried = 0;
  for (int lasting = 0; lasting < 2; lasting++) {
    const size_t stride = all || calls < FIRST + SAMPLE ? 1 : (calls - FIRST) / SAMPLE;
    for (size_t n = 1; attempt(p, n, lasting, expected).failed; n += n < FIRST ? 1 : stride) tried++;
  }
  printf("%s: %zu allocations, %zu failures tried\n", p->name, calls, tried);
  free(expected);
}

int main(int argc, char **argv) {
  inject_jansson();
  for (int i = 1; i < argc; i++)
    if (strcmp(argv[i], "all") == 0)
      all = true;
    else
      only = argv[i];
  struct CMUnitTest tests[32];
  for (size_t i = 0; i < n_pieces; i++)
    tests[i] = (struct CMUnitTest){.name = pieces[i].name, .test_func = every_allocation_may_fail, .initial_state = (void *)(uintptr_t)&pieces[i]};
  everything = world_new();
  const int failed = _cmocka_run_group_tests("allocations", tests, n_pieces, NULL, NULL);
  world_free(everything);
  return failed;
}
