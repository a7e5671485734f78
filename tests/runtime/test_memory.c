/* Sizes, allocation, buffers, the arena, and the form of error messages. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "runtime/error.h"
#include "runtime/memory.h"
#include "runtime/text.h"

/* The sanitizers would end the program where malloc returns null. */
const char *__asan_default_options(void);
const char *__asan_default_options(void) {
  return "allocator_may_return_null=1";
}
const char *__tsan_default_options(void);
const char *__tsan_default_options(void) {
  return "allocator_may_return_null=1";
}

static void sizes_are_checked(void **state) {
  (void)state;
  size_t out = 7;
  assert_true(tg_size_add(3, 4, &out) && out == 7);
  assert_false(tg_size_add(SIZE_MAX, 1, &out));
  assert_true(tg_size_mul(SIZE_MAX / 2, 2, &out) && out == SIZE_MAX - 1);
  assert_false(tg_size_mul(SIZE_MAX / 2, 3, &out));
  assert_int_equal(out, SIZE_MAX - 1);
  assert_true(tg_align_up(65, 64, &out) && out == 128);
  assert_true(tg_align_up(128, 64, &out) && out == 128);
  assert_true(tg_align_up(0, 64, &out) && out == 0);
  assert_false(tg_align_up(SIZE_MAX - 15, 64, &out)); /* GGUF's padding that wrapped to 0 */
}

static void blocks_are_zero_and_aligned(void **state) {
  (void)state;
  const size_t counts[] = {0, 1, 63, 64, 65, 4097, (1 << 20) - 1, 1 << 20, (1 << 20) + 1, 40 << 20};
  for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
    unsigned char *block = NULL;
    assert_int_equal(tg_alloc(&block, counts[i], 1, NULL), T5GIST_OK);
    assert_non_null(block);
    assert_int_equal((uintptr_t)block % 64, 0);
    for (size_t j = 0; j < counts[i]; j++)
      if (block[j]) fail_msg("byte %zu of %zu is not zero", j, counts[i]);
    memset(block, 0xff, counts[i]); /* a second round must not find it */
    tg_free(block);
  }
  tg_free(NULL);
}

static void failures_say_the_size(void **state) {
  (void)state;
  t5gist_error err;
  int *block = NULL;
  assert_int_equal(tg_alloc(&block, SIZE_MAX / 2, 4, &err), T5GIST_ENOMEM);
  assert_non_null(strstr(err.message, " x 4 bytes"));
  assert_int_equal(tg_alloc(&block, SIZE_MAX / 8, 4, &err), T5GIST_ENOMEM);
  assert_string_equal(err.message, "cannot allocate 9223372036854775804 bytes");
  assert_null(block);
  assert_int_equal(tg_alloc(&block, SIZE_MAX - 1, 1, NULL), T5GIST_ENOMEM);
  assert_int_equal(tg_alloc(&block, 3, sizeof *block, &err), T5GIST_OK);
  block[2] = 5;
  assert_int_equal(tg_resize(&block, 3, SIZE_MAX / 4, sizeof *block, &err), T5GIST_ENOMEM);
  assert_int_equal(block[2], 5);
  tg_free(block);
}

static void arrays_grow_with_their_contents(void **state) {
  (void)state;
  int *items = NULL;
  size_t capacity = 0, moves = 0;
  for (int i = 0; i < 1000; i++) {
    const size_t before = capacity;
    assert_int_equal(tg_reserve(&items, &capacity, (size_t)i + 1, sizeof *items, NULL), T5GIST_OK);
    moves += capacity != before;
    assert_int_equal(items[i], 0);
    items[i] = i;
  }
  assert_true(moves < 12);
  assert_int_equal(tg_resize(&items, capacity, 10, sizeof *items, NULL), T5GIST_OK);
  assert_int_equal(tg_resize(&items, 10, 20, sizeof *items, NULL), T5GIST_OK);
  for (int i = 0; i < 20; i++) assert_int_equal(items[i], i < 10 ? i : 0);
  tg_free(items);
}

static void strings_are_copied(void **state) {
  (void)state;
  char *copy = NULL;
  assert_int_equal(tg_strdup(&copy, "", NULL), T5GIST_OK);
  assert_string_equal(copy, "");
  tg_free(copy);
  assert_int_equal(tg_strndup(&copy, "gisting", 4, NULL), T5GIST_OK);
  assert_string_equal(copy, "gist");
  tg_free(copy);
  assert_int_equal(tg_strndup(&copy, "ab", SIZE_MAX, NULL), T5GIST_OK);
  assert_string_equal(copy, "ab");
  tg_free(copy);
}

static void buffers_hold_bytes_and_text(void **state) {
  (void)state;
  tg_buffer buffer = {0};
  assert_int_equal(tg_buffer_append(&buffer, NULL, 0, NULL), T5GIST_OK);
  assert_string_equal(buffer.data, "");
  assert_int_equal(tg_buffer_append(&buffer, "a\0b", 3, NULL), T5GIST_OK);
  assert_int_equal(tg_buffer_printf(&buffer, NULL, "%s%d", "-", 42), T5GIST_OK);
  assert_int_equal(buffer.size, 6);
  assert_memory_equal(buffer.data, "a\0b-42", 7);
  for (int i = 0; i < 1000; i++) assert_int_equal(tg_buffer_printf(&buffer, NULL, "%.1f,", 0.5), T5GIST_OK);
  assert_int_equal(buffer.size, 4006);
  assert_int_equal(buffer.data[buffer.size], 0);
  t5gist_error err;
  assert_int_equal(tg_buffer_reserve(&buffer, SIZE_MAX - 100, &err), T5GIST_ENOMEM);
  assert_int_equal(buffer.size, 4006);
  tg_buffer_free(&buffer);
  assert_null(buffer.data);
}

static void arena_blocks_are_apart_and_come_back(void **state) {
  (void)state;
  tg_arena *arena;
  assert_int_equal(tg_arena_new(&arena, NULL), T5GIST_OK);
  const tg_arena_mark start = tg_arena_save(arena);
  size_t warm = 0;
  for (int pass = 0; pass < 4; pass++) {
    unsigned char *blocks[40];
    size_t sizes[40];
    for (int i = 0; i < 40; i++) {
      sizes[i] = i % 7 == 3 ? (size_t)(3 << 20) + i : (size_t)(i * 37);
      assert_int_equal(tg_arena_take(arena, &blocks[i], sizes[i], 1, NULL), T5GIST_OK);
      assert_int_equal((uintptr_t)blocks[i] % 64, 0);
      memset(blocks[i], i, sizes[i]);
    }
    for (int i = 0; i < 40; i++)
      for (size_t j = 0; j < sizes[i]; j += 13) assert_int_equal(blocks[i][j], i);
    tg_arena_restore(arena, start);
    if (pass) assert_int_equal(tg_arena_bytes(arena), warm); /* a warm pass allocates nothing */
    warm = tg_arena_bytes(arena);
  }
  tg_arena_free(arena);
}

static void arena_restores_to_the_middle(void **state) {
  (void)state;
  tg_arena *arena;
  assert_int_equal(tg_arena_new(&arena, NULL), T5GIST_OK);
  int *kept, *first, *second;
  assert_int_equal(tg_arena_take(arena, &kept, 3, sizeof *kept, NULL), T5GIST_OK);
  kept[0] = kept[2] = 9;
  const tg_arena_mark mark = tg_arena_save(arena);
  assert_int_equal(tg_arena_take(arena, &first, 5 << 20, 1, NULL), T5GIST_OK);
  assert_int_equal(first[0], 0);
  tg_arena_restore(arena, mark);
  assert_int_equal(tg_arena_take(arena, &second, 100, sizeof *second, NULL), T5GIST_OK);
  memset(second, 1, 100 * sizeof *second);
  assert_int_equal(kept[0] + kept[2], 18);
  t5gist_error err;
  assert_int_equal(tg_arena_take(arena, &second, SIZE_MAX / 4, 8, &err), T5GIST_ENOMEM);
  assert_int_equal(tg_arena_take(arena, &second, SIZE_MAX, 1, &err), T5GIST_ENOMEM);
  assert_int_equal(tg_arena_take(arena, &second, 1, 1, &err), T5GIST_OK); /* still usable */
  tg_arena_free(arena);
  tg_arena_free(NULL);
}

static void messages_are_printable_and_fit(void **state) {
  (void)state;
  t5gist_error err;
  assert_int_equal(tg_fail(&err, T5GIST_EFORMAT, "a\nb\033[2J\x7f \xc2\x9b \xff\xc3 \xc3\xa9"), T5GIST_EFORMAT);
  assert_string_equal(err.message, "a b?[2J? ?? ?? \xc3\xa9");
  assert_int_equal(err.status, T5GIST_EFORMAT);
  char text[2000];
  for (size_t i = 0; i + 1 < sizeof text; i += 2) memcpy(text + i, "\xc3\xa9", 2);
  text[sizeof text - 2] = 0;
  tg_fail(&err, T5GIST_EIO, "%s", text);
  assert_int_equal(strlen(err.message), 1022); /* 1023 would cut a character */
  tg_fail(&err, T5GIST_EIO, "x%s", text);
  assert_int_equal(strlen(err.message), 1023);
  assert_int_equal(tg_utf8_valid(err.message, 1023), 1023);
  assert_int_equal(tg_fail(NULL, T5GIST_EUSAGE, "unheard"), T5GIST_EUSAGE);
}

static void messages_gain_context_and_reasons(void **state) {
  (void)state;
  t5gist_error err;
  tg_fail(&err, T5GIST_EFORMAT, "expected 3, found %d", 4);
  assert_int_equal(tg_error_context(&err, T5GIST_EFORMAT, "%s: ", "a.json"), T5GIST_EFORMAT);
  assert_string_equal(err.message, "a.json: expected 3, found 4");
  tg_fail(&err, T5GIST_EFORMAT, "again: %s", err.message); /* arguments may be the message itself */
  assert_string_equal(err.message, "again: a.json: expected 3, found 4");
  errno = ENOSPC;
  assert_int_equal(tg_fail_errno(&err, "cannot write %s", "x"), T5GIST_EIO);
  assert_string_equal(err.message, "cannot write x: No space left on device");
  errno = ENOMEM;
  assert_int_equal(tg_fail_errno(&err, "cannot map"), T5GIST_ENOMEM);
  assert_int_equal(tg_error_context(NULL, T5GIST_EIO, "x"), T5GIST_EIO);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(sizes_are_checked),
      cmocka_unit_test(blocks_are_zero_and_aligned),
      cmocka_unit_test(failures_say_the_size),
      cmocka_unit_test(arrays_grow_with_their_contents),
      cmocka_unit_test(strings_are_copied),
      cmocka_unit_test(buffers_hold_bytes_and_text),
      cmocka_unit_test(arena_blocks_are_apart_and_come_back),
      cmocka_unit_test(arena_restores_to_the_middle),
      cmocka_unit_test(messages_are_printable_and_fit),
      cmocka_unit_test(messages_gain_context_and_reasons),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
