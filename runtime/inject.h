/* Where tests make allocations and file calls fail, count them, record them, or end the process in between. Nothing is installed otherwise, and
 * each call then costs the reading of one pointer. runtime/memory.c and runtime/io.c call these hooks; what tests put there is theirs. */
#ifndef T5GIST_RUNTIME_INJECT_H
#define T5GIST_RUNTIME_INJECT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

typedef enum tg_io_kind {
  TG_IO_OPEN = 0, /* files and folders; folders to be listed too */
  TG_IO_STAT,     /* stat, lstat, fstat, access, real paths */
  TG_IO_READ,     /* read, pread */
  TG_IO_LIST,     /* the next name of a folder */
  TG_IO_MAP,
  TG_IO_WRITE, /* write, pwrite */
  TG_IO_SYNC,  /* fsync of files and folders */
  TG_IO_CLOSE,
  TG_IO_RENAME,
  TG_IO_REMOVE, /* unlink, rmdir */
  TG_IO_MAKE,   /* mkdir */
  TG_IO_LOCK,
  TG_IO_MARK, /* times, permissions */
  TG_IO_KINDS
} tg_io_kind;

typedef struct tg_io_call {
  tg_io_kind kind;
  int fd;                /* the file that the call is about, or the folder that path and to are relative to (AT_FDCWD: the current one) */
  const char *path, *to; /* to: of renaming. Null where the call has none */
  const void *data;      /* [n] of writing */
  size_t n;              /* bytes to read, write or map; the hook may make it smaller (not 0): a short read or write */
  bool create, truncate; /* of opening */
} tg_io_call;

/* Called in the thread of the call, at the same time in several. */
typedef struct tg_inject {
  bool (*allocate)(size_t bytes); /* null: all are left alone. false: the allocation fails */
  void (*release)(size_t bytes);  /* null: none. What an allocation that was let through has given back: the same number */
  int (*before)(tg_io_call *call); /* null: none. 0: let the call happen; else the errno it fails with (closing closes nevertheless) */
  void (*after)(const tg_io_call *call, long result); /* null: none. result: of a call that happened; negative: it failed */
} tg_inject;

extern _Atomic(const tg_inject *) tg_injected; /* null: nothing. Set it while no other thread is inside the library */

/* Null nearly always. */
static inline const tg_inject *tg_inject_now(void) {
  return atomic_load_explicit(&tg_injected, memory_order_acquire);
}

#endif
