#include "inject.h"

#include <errno.h>
#include <jansson.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

const char *const inject_kind_names[TG_IO_KINDS] = {"open",  "stat",   "read",   "list", "map",  "write", "sync",
                                                    "close", "rename", "remove", "make", "lock", "mark"};

/* What is asked for; read only while hooks are set. */
static struct {
  size_t n, limit;
  bool lasting;
  unsigned kinds;
  inject_fault fault;
} wanted;
static atomic_size_t calls, failed;
static atomic_llong live, peak;
static atomic_int last_kind;

/* Counts a call; whether it is one that fails. */
static bool chosen(void) {
  const size_t at = atomic_fetch_add(&calls, 1) + 1;
  return wanted.n && (at == wanted.n || (wanted.lasting && at > wanted.n));
}

static bool allocate(size_t bytes) {
  if (chosen() || (wanted.limit && bytes > wanted.limit)) {
    atomic_fetch_add(&failed, 1);
    return false;
  }
  const long long now = atomic_fetch_add(&live, (long long)bytes) + (long long)bytes;
  long long most = atomic_load(&peak);
  while (now > most && !atomic_compare_exchange_weak(&peak, &most, now)) {
  }
  return true;
}

static void release(size_t bytes) {
  atomic_fetch_sub(&live, (long long)bytes);
}

static int before(tg_io_call *call) {
  static const int codes[INJECT_FAULTS] = {[INJECT_EIO] = EIO, [INJECT_ENOSPC] = ENOSPC, [INJECT_EINTR] = EINTR};
  if (!(wanted.kinds & 1U << call->kind) || !chosen()) return 0;
  if (wanted.fault == INJECT_EINTR && atomic_load(&failed)) return 0;
  atomic_fetch_add(&failed, 1);
  atomic_store(&last_kind, (int)call->kind);
  if (wanted.fault == INJECT_KILL) kill(getpid(), SIGKILL);
  if (wanted.fault == INJECT_SHORT && call->n > 1 && call->kind != TG_IO_MAP) call->n /= 2;
  return codes[wanted.fault];
}

static void start(const tg_inject *hooks) {
  atomic_store(&calls, 0);
  atomic_store(&failed, 0);
  atomic_store(&live, 0);
  atomic_store(&peak, 0);
  atomic_store(&tg_injected, hooks);
}

void inject_memory(size_t n, bool lasting) {
  static const tg_inject hooks = {.allocate = allocate, .release = release};
  wanted.n = n, wanted.limit = 0, wanted.lasting = lasting;
  start(&hooks);
}

void inject_limit(size_t limit) {
  inject_memory(0, false);
  wanted.limit = limit;
}

void inject_io(unsigned kinds, size_t n, bool lasting, inject_fault fault) {
  static const tg_inject hooks = {.before = before};
  wanted.n = n, wanted.limit = 0, wanted.lasting = lasting, wanted.kinds = kinds, wanted.fault = fault;
  start(&hooks);
}

static inject_count counted(void) {
  return (inject_count){.calls = atomic_load(&calls), .failed = atomic_load(&failed), .live = atomic_load(&live), .peak = atomic_load(&peak)};
}

void inject_fail_next(size_t n, bool lasting) {
  wanted.n = n, wanted.lasting = lasting;
  atomic_store(&calls, 0);
  atomic_store(&failed, 0);
}

inject_count inject_relent(void) {
  const inject_count count = counted();
  inject_fail_next(0, false);
  return count;
}

inject_count inject_stop(void) {
  atomic_store(&tg_injected, NULL);
  return counted();
}

tg_io_kind inject_last_kind(void) {
  return (tg_io_kind)atomic_load(&last_kind);
}

const char *inject_fault_name(inject_fault fault) {
  static const char *const names[INJECT_FAULTS] = {"EIO", "ENOSPC", "EINTR", "short", "killed"};
  return names[fault];
}

/* ------------------------------------------------------------------------------------------------------------------------- jansson */

/* jansson 2.14 does not look whether the buffer for a token's text could grow (lex_save in load.c), and then writes beyond it. Those blocks, whose
 * sizes are powers of two, always come. */
static bool is_token_buffer(size_t n) {
  return n >= 32 && (n & (n - 1)) == 0;
}

static void *json_malloc(size_t n) {
  const tg_inject *hooks = tg_inject_now();
  if (!hooks || hooks->allocate != allocate || is_token_buffer(n) || !chosen()) return malloc(n);
  atomic_fetch_add(&failed, 1);
  return NULL;
}

void inject_jansson(void) {
  json_set_alloc_funcs(json_malloc, free);
}
