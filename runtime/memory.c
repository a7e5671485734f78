#include "runtime/memory.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/error.h"
#include "runtime/inject.h"
#include "runtime/text.h"

enum { ALIGNMENT = 64, LARGE = 1 << 20, FIRST_CAPACITY = 16 };

bool tg_size_add(size_t a, size_t b, size_t *out) {
  size_t sum;
  if (__builtin_add_overflow(a, b, &sum)) return false;
  *out = sum;
  return true;
}

bool tg_size_mul(size_t a, size_t b, size_t *out) {
  size_t product;
  if (__builtin_mul_overflow(a, b, &product)) return false;
  *out = product;
  return true;
}

bool tg_align_up(size_t a, size_t alignment, size_t *out) {
  size_t sum;
  if (!tg_size_add(a, alignment - 1, &sum)) return false;
  *out = sum & ~(alignment - 1);
  return true;
}

typedef struct label { /* precedes a block */
  void *raw; /* what free() wants */
  size_t bytes;
} label;

/* Small blocks are zeroed by hand and end where the heap's block ends (so that the address sanitizer sees every overrun); large ones come from
 * calloc, whose fresh pages are zero already and stay untouched until used. */
static void *zeroed(size_t bytes) {
  void *raw = NULL;
  char *block;
  if (bytes < LARGE) {
    if (posix_memalign(&raw, ALIGNMENT, ALIGNMENT + bytes)) return NULL;
    block = (char *)raw + ALIGNMENT;
    memset(block, 0, bytes);
  } else {
    size_t padded;
    if (!tg_size_add(bytes, 2 * ALIGNMENT, &padded) || !(raw = calloc(1, padded))) return NULL;
    block = (char *)raw + (2 * ALIGNMENT - (uintptr_t)raw % ALIGNMENT);
  }
  memcpy(block - sizeof(label), &(label){raw, bytes}, sizeof(label));
  return block;
}

t5gist_status tg_alloc(void *out, size_t count, size_t size, t5gist_error *err) {
  size_t bytes;
  if (!tg_size_mul(count, size, &bytes)) return tg_fail(err, T5GIST_ENOMEM, "cannot allocate %zu x %zu bytes", count, size);
  const tg_inject *hooks = tg_inject_now();
  const bool let = !hooks || !hooks->allocate || hooks->allocate(bytes);
  void *block = let ? zeroed(bytes) : NULL;
  if (!block) return tg_fail(err, T5GIST_ENOMEM, "cannot allocate %zu bytes", bytes);
  memcpy(out, &block, sizeof block); /* out is the address of a pointer of any type */
  return T5GIST_OK;
}

void tg_free(void *block) {
  if (!block) return;
  label of;
  memcpy(&of, (char *)block - sizeof of, sizeof of);
  const tg_inject *hooks = tg_inject_now();
  if (hooks && hooks->release) hooks->release(of.bytes);
  free(of.raw);
}

t5gist_status tg_resize(void *block, size_t old_count, size_t count, size_t size, t5gist_error *err) {
  void *old, *grown = NULL;
  memcpy(&old, block, sizeof old);
  TG_TRY(tg_alloc(&grown, count, size, err));
  const size_t kept = old_count < count ? old_count : count;
  if (old && kept) memcpy(grown, old, kept * size);
  tg_free(old);
  memcpy(block, &grown, sizeof grown);
  return T5GIST_OK;
}

t5gist_status tg_reserve(void *block, size_t *capacity, size_t needed, size_t size, t5gist_error *err) {
  if (needed <= *capacity) return T5GIST_OK;
  size_t grown;
  if (!tg_size_mul(*capacity, 2, &grown) || grown < needed) grown = needed;
  if (grown < FIRST_CAPACITY) grown = FIRST_CAPACITY;
  TG_TRY(tg_resize(block, *capacity, grown, size, err));
  *capacity = grown;
  return T5GIST_OK;
}

t5gist_status tg_strndup(char **out, const char *text, size_t n, t5gist_error *err) {
  size_t bytes;
  n = strnlen(text, n);
  if (!tg_size_add(n, 1, &bytes)) return tg_fail(err, T5GIST_ENOMEM, "cannot allocate %zu + 1 bytes", n);
  char *copy = NULL;
  TG_TRY(tg_alloc(&copy, bytes, 1, err));
  memcpy(copy, text, n);
  *out = copy;
  return T5GIST_OK;
}

t5gist_status tg_strdup(char **out, const char *text, t5gist_error *err) {
  return tg_strndup(out, text, strlen(text), err);
}

/* -------------------------------------------------------------------------------------------------------------------------- buffer */

t5gist_status tg_buffer_reserve(tg_buffer *buffer, size_t n, t5gist_error *err) {
  size_t needed;
  if (!tg_size_add(buffer->size, n, &needed) || !tg_size_add(needed, 1, &needed))
    return tg_fail(err, T5GIST_ENOMEM, "cannot allocate %zu + %zu bytes", buffer->size, n);
  return tg_reserve(&buffer->data, &buffer->capacity, needed, 1, err);
}

t5gist_status tg_buffer_append(tg_buffer *buffer, const void *data, size_t n, t5gist_error *err) {
  TG_TRY(tg_buffer_reserve(buffer, n, err));
  if (n) memcpy(buffer->data + buffer->size, data, n);
  buffer->size += n;
  buffer->data[buffer->size] = 0;
  return T5GIST_OK;
}

t5gist_status tg_buffer_printf(tg_buffer *buffer, t5gist_error *err, const char *format, ...) {
  const locale_t before = uselocale(tg_c_locale()); /* a decimal point is a point */
  va_list args;
  va_start(args, format);
  const int n = vsnprintf(NULL, 0, format, args);
  va_end(args);
  t5gist_status status = n < 0 ? tg_fail_errno(err, "cannot format a text") : tg_buffer_reserve(buffer, (size_t)n, err);
  if (!status) {
    va_start(args, format);
    vsnprintf(buffer->data + buffer->size, (size_t)n + 1, format, args);
    va_end(args);
    buffer->size += (size_t)n;
  }
  uselocale(before);
  return status;
}

void tg_buffer_free(tg_buffer *buffer) {
  tg_free(buffer->data);
  *buffer = (tg_buffer){0};
}

/* --------------------------------------------------------------------------------------------------------------------------- arena */

typedef struct chunk {
  char *data; /* [size] */
  size_t size;
} chunk;

struct tg_arena {
  chunk *chunks; /* [n] */
  size_t n, capacity;
  size_t current, used; /* the next block comes from chunks[current], behind its first used bytes; later chunks are empty */
  size_t bytes;
};

enum { MIN_CHUNK = 1 << 20 };

t5gist_status tg_arena_new(tg_arena **arena, t5gist_error *err) {
  return tg_alloc(arena, 1, sizeof **arena, err);
}

void tg_arena_free(tg_arena *arena) {
  if (!arena) return;
  for (size_t i = 0; i < arena->n; i++) tg_free(arena->chunks[i].data);
  tg_free(arena->chunks);
  tg_free(arena);
}

/* Adds a chunk of at least bytes; half of what is held keeps their number small. */
static t5gist_status add_chunk(tg_arena *arena, size_t bytes, t5gist_error *err) {
  if (bytes < arena->bytes / 2) bytes = arena->bytes / 2;
  if (bytes < MIN_CHUNK) bytes = MIN_CHUNK;
  TG_TRY(tg_reserve(&arena->chunks, &arena->capacity, arena->n + 1, sizeof *arena->chunks, err));
  TG_TRY(tg_alloc(&arena->chunks[arena->n].data, bytes, 1, err));
  arena->chunks[arena->n++].size = bytes;
  arena->bytes += bytes;
  return T5GIST_OK;
}

t5gist_status tg_arena_take(tg_arena *arena, void *out, size_t count, size_t size, t5gist_error *err) {
  size_t bytes;
  if (!tg_size_mul(count, size, &bytes) || !tg_align_up(bytes, ALIGNMENT, &bytes))
    return tg_fail(err, T5GIST_ENOMEM, "cannot allocate %zu x %zu bytes", count, size);
  size_t at = arena->current, used = arena->used;
  while (at < arena->n && arena->chunks[at].size - used < bytes) at++, used = 0;
  if (at == arena->n) TG_TRY(add_chunk(arena, bytes, err));
  void *block = arena->chunks[at].data + used;
  arena->current = at;
  arena->used = used + bytes;
  memcpy(out, &block, sizeof block);
  return T5GIST_OK;
}

tg_arena_mark tg_arena_save(const tg_arena *arena) {
  return (tg_arena_mark){arena->current, arena->used};
}

void tg_arena_restore(tg_arena *arena, tg_arena_mark mark) {
  arena->current = mark.chunk;
  arena->used = mark.used;
}

size_t tg_arena_bytes(const tg_arena *arena) {
  return arena->bytes;
}
