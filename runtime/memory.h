/* Checked sizes and the one place where the project allocates (so that failures can be injected there). */
#ifndef T5GIST_RUNTIME_MEMORY_H
#define T5GIST_RUNTIME_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "t5gist/types.h"

/* Checked arithmetic: false and *out untouched on overflow. tg_align_up: power-of-two alignment. */
bool tg_size_add(size_t a, size_t b, size_t *out);
bool tg_size_mul(size_t a, size_t b, size_t *out);
bool tg_align_up(size_t a, size_t alignment, size_t *out);

/* count * size zeroed bytes aligned to 64, to be freed with tg_free; never null on success, also for 0. */
t5gist_status tg_alloc(void *out /* T ** */, size_t count, size_t size, t5gist_error *err);
/* Grows (or shrinks) *block from old_count to count elements, contents kept, new elements zeroed. On failure *block stays as it was. */
t5gist_status tg_resize(void *block /* T ** */, size_t old_count, size_t count, size_t size, t5gist_error *err);
/* Makes room for at least needed elements in a growing array, at least doubling *capacity. */
t5gist_status tg_reserve(void *block /* T ** */, size_t *capacity, size_t needed, size_t size, t5gist_error *err);
t5gist_status tg_strdup(char **out, const char *text, t5gist_error *err);
t5gist_status tg_strndup(char **out, const char *text, size_t n, t5gist_error *err);
void tg_free(void *block); /* null is allowed */

/* A growing byte string, kept NUL-terminated behind its length. Zero-initialise; release with tg_buffer_free. */
typedef struct tg_buffer {
  char *data;
  size_t size, capacity;
} tg_buffer;
t5gist_status tg_buffer_reserve(tg_buffer *buffer, size_t n, t5gist_error *err); /* room for n more bytes and the NUL */
t5gist_status tg_buffer_append(tg_buffer *buffer, const void *data, size_t n, t5gist_error *err);
t5gist_status tg_buffer_printf(tg_buffer *buffer, t5gist_error *err, const char *format, ...) __attribute__((format(printf, 3, 4)));
void tg_buffer_free(tg_buffer *buffer);

/* Scratch memory of one pass: take blocks, then give everything back at once. Grows between passes, so that warm passes allocate nothing.
 * Blocks are aligned to 64 and hold whatever earlier passes left there (finite numbers or zero; never uninitialised). Not thread-safe. */
typedef struct tg_arena tg_arena;
t5gist_status tg_arena_new(tg_arena **arena, t5gist_error *err);
void tg_arena_free(tg_arena *arena);
t5gist_status tg_arena_take(tg_arena *arena, void *out /* T ** */, size_t count, size_t size, t5gist_error *err);
typedef struct tg_arena_mark { size_t chunk, used; } tg_arena_mark;
tg_arena_mark tg_arena_save(const tg_arena *arena);
void tg_arena_restore(tg_arena *arena, tg_arena_mark mark); /* gives back what was taken since */
size_t tg_arena_bytes(const tg_arena *arena);               /* held, for reports */

#endif
