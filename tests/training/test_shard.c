/* Shards: what is written is read, each way of being wrong has its sentence, and a disk that fails leaves nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/support/inject.h"
#include "tests/support/one_folder.h"
#include "training/shard.h"

enum { VOCABULARY = 100, TRAILER = 8 + 2 * 4 + 5 * 8 + sizeof(tg_data_report) + 2 * (TG_SHA256_HEX + 7), CHECKSUM = TG_SHA256_HEX + 7 };

static const char KEY[TG_SHA256_HEX] = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
/* Examples of 1 + 2 + 2, 2 + 2 + 2, ... ids of `ids`, which all have `scale` times as many; names of families of name_size bytes. */
static t5gist_status write_shard(const char *path, int n_examples, int scale, size_t name_size, t5gist_error *err) {
  tg_shard_writer *w;
  int32_t *ids = calloc((size_t)(8 * scale), sizeof *ids);
  char *name = calloc(1, name_size + 1);
  memset(name, 'n', name_size);
  json_t *families = json_object(), *splits = json_pack("{s:i, s:i}", "train", 0, "dev", 1);
  json_object_set_new(families, name, json_integer(0));
  const tg_data_report report = {.lines = 7, .examples = (size_t)n_examples};
  for (int i = 0; i < 8 * scale; i++) ids[i] = i % VOCABULARY;
  t5gist_status status = tg_shard_create(path, KEY, &w, err);
  for (int i = 0; !status && i < n_examples; i++) {
    const tg_example e = {ids, ids, ids, (1 + i) * scale, 2 * scale, 2 * scale, i ? 0 : -1, i % 2, 5};
    if ((status = tg_shard_add(w, &e, err)) != T5GIST_OK) tg_shard_abort(w);
  }
  if (!status) status = tg_shard_finish(w, families, splits, &report, err);
  json_decref(families);
  json_decref(splits);
  free(name);
  free(ids);
  return status;
}

static t5gist_status open_shard(tg_shard *shard, t5gist_error *err) {
  return tg_shard_open(folder_path(folder, "x"), KEY, VOCABULARY, shard, err);
}

static void what_is_written_is_read(void **state) {
  (void)state;
  for (int n = 0; n < 4; n++) {
    tg_shard shard;
    t5gist_error err;
    assert_int_equal(write_shard(folder_path(folder, "x"), n, 1, 3, &err), T5GIST_OK);
    assert_int_equal(open_shard(&shard, &err), T5GIST_OK);
    assert_int_equal(shard.n_examples, n);
    assert_int_equal(shard.report.lines, 7);
    assert_int_equal(shard.n_families, 1);
    assert_string_equal(shard.names[0], "nnn");
    assert_string_equal(shard.names[2], "dev");
    for (int i = 0; i < n; i++) {
      const tg_shard_example *e = &shard.examples[i];
      assert_int_equal(e->n_task, 1 + i);
      assert_int_equal(e->family, i ? 0 : -1);
      assert_int_equal(e->split, i % 2);
      assert_int_equal(shard.ids[e->begin + e->n_task], 0);
    }
    tg_shard_close(&shard);
  }
}

/* Puts a value of n bytes into a sound file of two examples, makes the checksum right, and expects the words. */
static void expect_broken(size_t at, uint64_t value, size_t n, const char *words) {
  tg_shard shard;
  t5gist_error err;
  size_t size;
  assert_int_equal(write_shard(folder_path(folder, "x"), 2, 1, 3, &err), T5GIST_OK);
  char *bytes = folder_read(folder_path(folder, "x"), &size), hex[TG_SHA256_HEX];
  memcpy(bytes + at, &value, n);
  tg_sha256_hex(bytes, size - CHECKSUM, hex);
  memcpy(bytes + size - CHECKSUM, hex, sizeof hex);
  folder_write(folder, "x", bytes, size);
  free(bytes);
  if (open_shard(&shard, &err) == T5GIST_OK) fail_msg("byte %zu = %llx of %zu bytes was taken", at, (unsigned long long)value, n);
  if (!strstr(err.message, words)) fail_msg("byte %zu = %llx: expected \"%s\", found \"%s\"", at, (unsigned long long)value, words, err.message);
}

static void each_number_is_checked(void **state) {
  (void)state;
  enum {
    N_IDS = 5 + 6,
    EXAMPLES = (N_IDS * 4 + 7) / 8 * 8,
    EXAMPLE = sizeof(tg_shard_example),
    NAMES = EXAMPLES + 2 * EXAMPLE,
    T = NAMES + 4 + 6 + 4
  };
  const size_t second = EXAMPLES + EXAMPLE;
#define FIELD(name) offsetof(tg_shard_example, name)
  static const char *const order = "offsets out of order", *const sizes = "sizes that do not add up",
                           *const format = "another format, version or byte order";
  const struct {
    size_t at;
    uint64_t value;
    size_t n;
    const char *words;
  } cases[] = {
      {0, VOCABULARY, 4, "ids beyond the vocabulary"},
      {4 * (N_IDS - 1), UINT32_MAX, 4, "ids beyond the vocabulary"},
      {EXAMPLES + FIELD(begin), 1, 8, order},
      {second + FIELD(begin), 4, 8, order},
      {second + FIELD(begin), UINT64_MAX, 8, order},
      {second + FIELD(n_task), 0x80000000u, 4, order},
      {second + FIELD(n_input), 0x80000000u, 4, order},
      {second + FIELD(n_target), 0xffffffffu, 4, order},
      {second + FIELD(n_input), 0, 4, order},
      {second + FIELD(n_target), 0, 4, order},
      {second + FIELD(n_task), 1, 4, order},
      {second + FIELD(n_task), 3, 4, order},
      {EXAMPLES + FIELD(n_task), 100, 4, order},
      {second + FIELD(family), (uint32_t)-2, 4, order},
      {second + FIELD(family), 1, 4, order},
      {second + FIELD(split), (uint32_t)-2, 4, order},
      {second + FIELD(split), 2, 4, order},
      {NAMES + 3, 'n', 1, "a name without end"},
      {NAMES + 1, 0, 1, "text behind the names"},
      {T, 'T', 1, format},
      {T + 8, 2, 4, format},
      {T + 12, 0x04030201, 4, format},
      {T + 16, UINT64_MAX, 8, sizes},
      {T + 16, UINT64_MAX >> 2, 8, sizes},
      {T + 16, N_IDS + 2, 8, sizes},
      {T + 16, N_IDS + 1, 8, order},
      {T + 24, UINT64_MAX, 8, sizes},
      {T + 24, (UINT64_MAX - 8) / EXAMPLE, 8, sizes},
      {T + 24, 1, 8, sizes},
      {T + 32, 15, 8, sizes},
      {T + 32, UINT64_MAX, 8, sizes},
      {T + 40, 14, 8, sizes},
      {T + 40, UINT64_MAX, 8, sizes},
      {T + 40, 3, 8, "a name without end"},
      {T + 48, UINT64_MAX, 8, sizes},
      {T + 48, 13, 8, sizes},
      {T + 48, 15, 8, sizes},
      {T + 56 + sizeof(tg_data_report), 'x', 1, "those of other data, tokenizer or options"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) expect_broken(cases[i].at, cases[i].value, cases[i].n, cases[i].words);
#undef FIELD
}

static void ends_and_checksum_are_checked(void **state) {
  (void)state;
  tg_shard shard;
  t5gist_error err;
  size_t size;
  assert_int_equal(write_shard(folder_path(folder, "x"), 2, 1, 3, &err), T5GIST_OK);
  char *bytes = folder_read(folder_path(folder, "x"), &size);
  bytes[9] ^= 1;
  folder_write(folder, "x", bytes, size);
  assert_int_equal(open_shard(&shard, &err), T5GIST_EFORMAT);
  assert_non_null(strstr(err.message, "a wrong checksum"));
  folder_write(folder, "x", bytes, TRAILER - 1);
  assert_int_equal(open_shard(&shard, &err), T5GIST_EFORMAT);
  assert_non_null(strstr(err.message, "a file too short for them"));
  free(bytes);
  unlink(folder_path(folder, "x"));
  assert_int_equal(open_shard(&shard, &err), T5GIST_EIO);
}

/* Ids, names and trailer so large that none waits in a buffer for the next. */
static void every_write_and_allocation_fails(void **state) {
  (void)state;
  const char *path = folder_path(folder, "large");
  for (int memory = 0; memory < 2; memory++) {
    for (size_t n = 1;; n++) {
      t5gist_error err;
      if (memory)
        inject_memory(n, false);
      else
        inject_io(INJECT_ALL_KINDS, n, false, INJECT_ENOSPC);
      const t5gist_status status = write_shard(path, 2, (1 << 18) + 1, (1 << 20) + 1, &err);
      const inject_count count = inject_stop();
      assert_true(status || access(path, F_OK) == 0);
      if (memory) assert_int_equal(count.live, 0);
      unlink(path);
      if (!count.failed) break;
    }
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(what_is_written_is_read), cmocka_unit_test(each_number_is_checked),
                                     cmocka_unit_test(ends_and_checksum_are_checked), cmocka_unit_test(every_write_and_allocation_fails)};
  return cmocka_run_group_tests(tests, make_folder, drop_folder);
}
