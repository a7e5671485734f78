#include "runtime/pages.h"

#include <pthread.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>

#include "runtime/error.h"
#include "runtime/inject.h"
#include "runtime/memory.h"

enum { PAGE = 2 << 20, REGION = 32 << 20, SMALL = 64 << 10, ALIGNMENT = 64 };

/* Stands at the beginning of its memory. */
typedef struct region {
  size_t size, used, n_blocks;
  struct region *before, *after; /* of all regions */
} region;

typedef struct label { /* precedes a block */
  region *region;      /* null: the block is from tg_alloc */
  size_t bytes;
} label;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static region *current; /* where the next block comes from if it fits */
static region *newest;  /* the first of all */

/* Fresh pages from an address on that large ones can begin at; null where there are none. The lock is held. */
static region *new_region(size_t size) {
  size_t reserved;
  if (!tg_align_up(size, PAGE, &size) || !tg_size_add(size, PAGE, &reserved)) return NULL;
  char *raw = mmap(NULL, reserved, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (raw == MAP_FAILED) return NULL;
  const size_t before = -(uintptr_t)raw & (PAGE - 1);
  if (before > 0) munmap(raw, before);
  munmap(raw + before + size, PAGE - before);
  (void)madvise(raw + before, size, MADV_HUGEPAGE); /* advice: failure is harmless */
  region *r = (region *)(void *)(raw + before);
  *r = (region){.size = size, .used = ALIGNMENT, .after = newest};
  if (newest != NULL) newest->before = r;
  return newest = r;
}

/* Null when there is no memory. bytes: a multiple of ALIGNMENT. */
static char *take_room(size_t bytes, region **from) {
  char *room = NULL;
  pthread_mutex_lock(&lock);
  region *r = current;
  if (r == NULL || r->size - r->used < bytes) {
    r = new_region(bytes < REGION - ALIGNMENT ? REGION : bytes + ALIGNMENT);
    if (r == NULL) r = new_region(bytes + ALIGNMENT); /* little memory is left */
  }
  if (r != NULL) {
    room = (char *)r + r->used;
    r->used += bytes;
    r->n_blocks++;
    *from = current = r;
  }
  pthread_mutex_unlock(&lock);
  return room;
}

t5gist_status tg_pages_take(void *out, size_t bytes, t5gist_error *err) {
  label of = {.bytes = bytes};
  size_t with_label;
  char *room = NULL;
  if (bytes > SIZE_MAX / 2) return tg_fail(err, T5GIST_ENOMEM, "cannot allocate %zu bytes", bytes);
  (void)tg_align_up(bytes + ALIGNMENT, ALIGNMENT, &with_label);
  if (bytes < SMALL) {
    TG_TRY(tg_alloc(&room, ALIGNMENT + bytes, 1, err));
  } else {
    const tg_inject *hooks = tg_inject_now();
    const bool let = !hooks || !hooks->allocate || hooks->allocate(bytes);
    if (let) room = take_room(with_label, &of.region);
    if (!room) return tg_fail(err, T5GIST_ENOMEM, "cannot allocate %zu bytes", bytes);
  }
  char *block = room + ALIGNMENT;
  memcpy(block - sizeof of, &of, sizeof of);
  memcpy(out, &block, sizeof block); /* out is the address of a pointer of any type */
  return T5GIST_OK;
}

static void forget(const region *r) {
  if (r == current) current = NULL;
  if (r == newest) newest = r->after;
  if (r->before != NULL) r->before->after = r->after;
  if (r->after != NULL) r->after->before = r->before;
}

static void leave_region(region *r) {
  pthread_mutex_lock(&lock);
  const bool last = --r->n_blocks == 0;
  if (last) forget(r);
  pthread_mutex_unlock(&lock);
  if (last) munmap(r, r->size);
}

void tg_pages_return(void *block) {
  if (!block) return;
  label of;
  memcpy(&of, (char *)block - sizeof of, sizeof of);
  if (of.region == NULL) {
    tg_free((char *)block - ALIGNMENT);
    return;
  }
  const tg_inject *hooks = tg_inject_now();
  if (hooks && hooks->release) hooks->release(of.bytes);
  const uintptr_t begin = ((uintptr_t)block + PAGE - 1) & ~(uintptr_t)(PAGE - 1), end = ((uintptr_t)block + of.bytes) & ~(uintptr_t)(PAGE - 1);
  if (begin < end) (void)madvise((void *)begin, end - begin, MADV_DONTNEED);
  leave_region(of.region);
}

void tg_pages_each(tg_pages_visit *visit, void *user) {
  pthread_mutex_lock(&lock);
  for (const region *r = newest; r != NULL; r = r->after) visit(user, (const char *)r + ALIGNMENT, r->used - ALIGNMENT);
  pthread_mutex_unlock(&lock);
}
