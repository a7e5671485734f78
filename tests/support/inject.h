/* Failures on demand, through the hooks of runtime/inject.h: the n-th allocation or file call of a stretch of work, once or from then on.
 *
 *     inject_memory(n, lasting);      n from 1; 0: none, only count
 *     status = work();
 *     const inject_count count = inject_stop();
 *     if (count.failed == 0) ... all of the work's allocations have been failed by now
 */
#ifndef T5GIST_TESTS_INJECT_H
#define T5GIST_TESTS_INJECT_H

#include <stdbool.h>
#include <stddef.h>

#include "runtime/inject.h"

typedef struct inject_count {
  size_t calls;  /* allocations, or file calls of the kinds chosen */
  size_t failed; /* of them */
  long long live, peak; /* bytes of the project's own allocations made since the start and not given back: now, and at most */
} inject_count;

/* Allocations of the project, and jansson's where inject_jansson was called before anything of jansson's existed. */
void inject_memory(size_t n, bool lasting);
void inject_jansson(void);

/* Allocations above limit bytes fail, none else: what a damaged file makes a reader ask for. */
void inject_limit(size_t limit);

/* What happens to a file call. */
typedef enum inject_fault {
  INJECT_EIO = 0,
  INJECT_ENOSPC,
  INJECT_EINTR, /* once, also where lasting is asked for: a signal that comes again and again lets nothing through */
  INJECT_SHORT, /* reads and writes move half of what they could, at least a byte; other calls are left alone */
  INJECT_KILL,  /* SIGKILL before the call */
  INJECT_FAULTS
} inject_fault;
const char *inject_fault_name(inject_fault fault);
extern const char *const inject_kind_names[TG_IO_KINDS];

enum { INJECT_ALL_KINDS = (1 << TG_IO_KINDS) - 1 };
/* kinds: bits 1 << TG_IO_... of the calls that count. */
void inject_io(unsigned kinds, size_t n, bool lasting, inject_fault fault);

/* Within a stretch: the n-th call from now on fails; none does any more. Live bytes are counted on, calls and failures from there. */
void inject_fail_next(size_t n, bool lasting);
inject_count inject_relent(void); /* what was counted since */

inject_count inject_stop(void);
tg_io_kind inject_last_kind(void); /* of the file call that failed last */

#endif
