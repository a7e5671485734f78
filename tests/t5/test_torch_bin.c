/* pytorch_model.bin: what torch wrote is read right, everything else is refused: handcrafted pickles and archives, every truncation and byte
 * change. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "runtime/memory.h"
#include "t5/pickle.h"
#include "t5/torch_bin.h"
#include "tests/support/folder.h"

#define DATA TEST_SOURCE_DIR "/tests/data/torch/"

static const tg_torch_tensor *find(const tg_torch_bin *bin, const char *name) {
  for (size_t i = 0; i < tg_torch_bin_count(bin); i++) {
    if (strcmp(tg_torch_bin_at(bin, i)->name, name) == 0) return tg_torch_bin_at(bin, i);
  }
  fail_msg("no tensor %s", name);
  return NULL;
}

static float value(const tg_torch_tensor *t, size_t i) {
  float x;
  tg_widen(t->data + i * tg_dtype_size(t->dtype), t->dtype, 1, &x);
  return x;
}

static void test_good_file(void **state) {
  (void)state;
  tg_torch_bin *bin;
  t5gist_error err = {0};
  if (tg_torch_bin_open(DATA "good.bin", &bin, &err) != T5GIST_OK) fail_msg("%s", err.message);
  assert_int_equal(tg_torch_bin_count(bin), 11);
  const tg_torch_tensor *f32 = find(bin, "f32"), *bf16 = find(bin, "bf16"), *f16 = find(bin, "f16"), *t = find(bin, "transposed");
  assert_true(f32->dtype == TG_F32 && f32->rank == 2 && f32->shape[0] == 4 && f32->shape[1] == 6 && f32->count == 24 && f32->bytes == 96);
  for (size_t i = 0; i < 24; i++) assert_true(value(f32, i) == (float)i / 8);
  for (size_t i = 0; i < 12; i++) assert_true(value(bf16, i) == (float)i - 6);
  for (size_t i = 0; i < 10; i++) assert_true(value(f16, i) == (float)i / 4);
  assert_true(t->transposed && t->shape[0] == 5 && t->shape[1] == 3);
  for (size_t row = 0; row < 5; row++) {
    for (size_t column = 0; column < 3; column++) assert_true(value(t, column * 5 + row) == (float)(column * 5 + row));
  }
  assert_ptr_equal(find(bin, "shared.weight")->data, find(bin, "encoder.embed_tokens.weight")->data);
  assert_ptr_equal(find(bin, "slice")->data, find(bin, "shared.weight")->data + 6 * 4);
  assert_true(value(find(bin, "parameter"), 3) == 1);
  assert_int_equal(find(bin, "f64")->dtype, TG_F64);
  assert_int_equal(find(bin, "i64")->dtype, TG_I64);
  assert_true(find(bin, "scalar")->rank == 0 && find(bin, "scalar")->count == 1);
  tg_torch_bin_close(bin);
}

static void refuse_file(const char *path, t5gist_status status, const char *words) {
  tg_torch_bin *bin = NULL;
  t5gist_error err = {0};
  const t5gist_status found = tg_torch_bin_open(path, &bin, &err);
  if (found != status || !strstr(err.message, words))
    fail_msg("%s: expected status %d and \"%s\", found %d and \"%s\"", path, status, words, found, err.message);
  assert_null(bin);
}

static void test_refused_files(void **state) {
  (void)state;
  refuse_file(DATA "strided.bin", T5GIST_EFORMAT, "strided: expected a contiguous tensor or a transposed matrix");
  refuse_file(DATA "reduce.bin", T5GIST_EUNSUPPORTED, "the global posix.system");
  refuse_file(DATA "compressed.bin", T5GIST_EFORMAT, "a compressed member");
  refuse_file(DATA "old.bin", T5GIST_EFORMAT, "no end record");
  refuse_file(DATA "absent.bin", T5GIST_EIO, "absent.bin");
}

/* --------------------------------------------------------------------------------------------------------------------------- pickles */

static void check_pickle(const char *data, size_t n, const char *words) {
  tg_pickle pickle;
  t5gist_error err = {0};
  char *copy = malloc(n + !n); /* exactly n bytes: sanitizers see any read beyond */
  memcpy(copy, data, n);
  const t5gist_status status = tg_pickle_read(copy, n, "x.bin", &pickle, &err);
  if (words && (status == T5GIST_OK || !strstr(err.message, words))) fail_msg("expected \"%s\", found %d \"%s\"", words, status, err.message);
  if (!words && status != T5GIST_OK) fail_msg("%s", err.message);
  if (status == T5GIST_OK) tg_pickle_free(&pickle);
  free(copy);
}
#define PICKLE(text, words) check_pickle("\x80\x02" text, sizeof("\x80\x02" text) - 1, words)
#define NAME "X\1\0\0\0a"
#define STORAGE                                      \
  "(X\7\0\0\0storagectorch\nFloatStorage\nX\1\0\0\0" \
  "0X\3\0\0\0cpuK\4tQ"

static void test_pickles(void **state) {
  (void)state;
  PICKLE("}.", NULL);
  PICKLE("ccollections\nOrderedDict\n)R}b.", NULL);
  PICKLE("}" NAME STORAGE "s.", NULL);
  check_pickle("", 0, "protocol 2");
  check_pickle("\x80\x03}.", 4, "protocol 2");
  PICKLE("}", "ends with STOP");
  PICKLE("}.}", "bytes after the end");
  PICKLE("}}.", "other than one value");
  PICKLE("(.", "other than one value");
  PICKLE("K\1.", "not a dict");
  PICKLE(".", "other than one value");
  static const char forbidden[] = "0128GSTUVILFPaegilop]d\x81\x82\x83\x84\x8b\x8c\x93\x95\x80";
  for (size_t i = 0; i + 1 < sizeof forbidden; i++) {
    const char bytes[] = {'\x80', 2, '}', forbidden[i], '.'};
    check_pickle(bytes, sizeof bytes, "an opcode that is not allowed");
  }
  PICKLE("cos\nsystem\n.", "os.system");
  PICKLE("ctorch._utils\n_rebuild_tensor\n.", "not allowed");
  PICKLE("ctorch\nFloatStorag", "unfinished global");
  PICKLE("c", "unfinished global");
  PICKLE(")" NAME "K\1s.", "not a dict");         /* CVE-2026-24747: SETITEM on a tuple */
  PICKLE(STORAGE "(" NAME "K\1u.", "not a dict"); /* and SETITEMS on a storage */
  PICKLE(")}b.", "a state for something that is not a dict");
  PICKLE("}K\1b.", "a state that is not a dict");
  PICKLE("}(" NAME "u.", "a key without a value");
  PICKLE("}K\1K\1s.", "a key that is not a string");
  PICKLE("s.", "empty stack");
  PICKLE("}(s.", "empty stack"); /* nothing below a mark is reached */
  PICKLE("t.", "no mark");
  PICKLE("u.", "no mark");
  PICKLE("\x85.", "too few values");
  PICKLE("}(\x86.", "too few values");
  PICKLE("(NNNNNNNNNNNNNNNNNt.", "more than 16 values");
  PICKLE("}q\1.", "memo out of order");
  PICKLE("}q\0h\1.", "does not exist");
  PICKLE("}r\1\0\0\0.", "memo out of order");
  PICKLE("X\xff\xff\xff\xff.", "more than 512 bytes");
  PICKLE("X\x10\0\0\0ab.", "the end of the pickle");
  PICKLE("X\2\0\0\0a\0.", "NUL byte");
  PICKLE("X\1\0\0\0\xff.", "invalid UTF-8");
  PICKLE(
      "\x8a\x09"
      "123456789.",
      "more than 8 bytes");
  PICKLE("J\1\1", "the end of the pickle");
  PICKLE("NQ.", "not a tuple");
  PICKLE(")Q.", "not a storage");
  PICKLE(
      "(X\7\0\0\0storagEctorch\nFloatStorage\nX\1\0\0\0"
      "0X\3\0\0\0cpuK\4tQ.",
      "not a storage");
  PICKLE(
      "(X\7\0\0\0storageccollections\nOrderedDict\nX\1\0\0\0"
      "0X\3\0\0\0cpuK\4tQ.",
      "not a storage");
  PICKLE("))R.", "not a global");
  PICKLE("ctorch\nFloatStorage\n)R.", "a call of a storage class");
  PICKLE("ccollections\nOrderedDict\nN\x85R.", "OrderedDict with arguments");
  PICKLE("ctorch._utils\n_rebuild_tensor_v2\n)R.", "_rebuild_tensor_v2 takes");
  PICKLE("ctorch._utils\n_rebuild_parameter\nN\x88N\x87R.", "_rebuild_parameter takes");
}

static void test_pickle_budgets(void **state) {
  (void)state;
  enum { N = 1200000 };
  char *bytes = malloc(N + 3);
  memcpy(bytes, "\x80\x02N", 3);
  memset(bytes + 3, 0x85, N);
  check_pickle(bytes, N, "more than 262144 values");
  memset(bytes + 2, 'N', N);
  check_pickle(bytes, N, "more than 65536 values on the stack");
  memset(bytes + 2, '(', N);
  check_pickle(bytes, N, "more than 64 marks");
  free(bytes);
  tg_buffer bomb = {0}; /* a tuple of the one before, twice, 100 times over: 2^100 values if anything were copied */
  t5gist_error err = {0};
  assert_int_equal(tg_buffer_append(&bomb, "\x80\x02)", 3, &err), T5GIST_OK);
  for (int i = 0; i < 100; i++) {
    const char level[] = {'q', (char)i, 'h', (char)i, '\x86'};
    assert_int_equal(tg_buffer_append(&bomb, level, sizeof level, &err), T5GIST_OK);
  }
  assert_int_equal(tg_buffer_append(&bomb, ".", 1, &err), T5GIST_OK);
  check_pickle(bomb.data, bomb.size, "not a dict");
  tg_buffer_free(&bomb);
}

/* -------------------------------------------------------------------------------------------------------------------------- archives */

typedef struct member {
  const char *name;
  const void *data;
  size_t size;
} member;

static uint32_t crc32_of(const unsigned char *p, size_t n) {
  uint32_t crc = 0xffffffff;
  for (size_t i = 0; i < n; i++) {
    crc ^= p[i];
    for (int bit = 0; bit < 8; bit++) crc = crc >> 1 ^ (crc & 1 ? 0xedb88320u : 0);
  }
  return ~crc;
}

static void put(tg_buffer *out, uint64_t v, int bytes) {
  t5gist_error err;
  for (int i = 0; i < bytes; i++) {
    const unsigned char byte = (unsigned char)(v >> (8 * i));
    assert_int_equal(tg_buffer_append(out, &byte, 1, &err), T5GIST_OK);
  }
}

static void put_header(tg_buffer *out, const member *m, bool central, size_t offset) {
  t5gist_error err;
  put(out, central ? 0x02014b50 : 0x04034b50, 4);
  if (central) put(out, 0, 2);
  put(out, 0, 2), put(out, 1 << 11, 2), put(out, 0, 2), put(out, 0, 4);
  put(out, crc32_of(m->data, m->size), 4), put(out, m->size, 4), put(out, m->size, 4);
  put(out, strlen(m->name), 2), put(out, 0, 2);
  if (central) put(out, 0, 6), put(out, 0, 4), put(out, offset, 4);
  assert_int_equal(tg_buffer_append(out, m->name, strlen(m->name), &err), T5GIST_OK);
}

static void write_zip(const char *folder, const member *members, size_t n) {
  tg_buffer out = {0}, directory = {0};
  t5gist_error err;
  for (size_t i = 0; i < n; i++) {
    put_header(&directory, &members[i], true, out.size);
    put_header(&out, &members[i], false, 0);
    assert_int_equal(tg_buffer_append(&out, members[i].data, members[i].size, &err), T5GIST_OK);
  }
  const size_t at = out.size;
  assert_int_equal(tg_buffer_append(&out, directory.data, directory.size, &err), T5GIST_OK);
  put(&out, 0x06054b50, 4), put(&out, 0, 4), put(&out, n, 2), put(&out, n, 2), put(&out, directory.size, 4), put(&out, at, 4), put(&out, 0, 2);
  folder_write(folder, "x.bin", out.data, out.size);
  tg_buffer_free(&out);
  tg_buffer_free(&directory);
}

/* {"a": _rebuild_tensor_v2(storage "0" of `numel` floats, offset, (rows, columns), (s0, s1), False, OrderedDict())} */
static size_t make_pickle(char *out, int numel, int offset, int rows, int columns, int s0, int s1) {
  static const char head[] = "\x80\x02}" NAME
                             "ctorch._utils\n_rebuild_tensor_v2\n((X\7\0\0\0storagectorch\nFloatStorage\nX\1\0\0\0"
                             "0X\3\0\0\0cpu";
  char *p = out;
  memcpy(p, head, sizeof head - 1);
  p += sizeof head - 1;
  const int values[] = {numel, offset, rows, columns, s0, s1};
  for (int i = 0; i < 6; i++) {
    *p++ = 'J';
    memcpy(p, &values[i], 4);
    p += 4;
    if (i == 0) memcpy(p, "tQ", 2), p += 2;
    if (i == 3 || i == 5) *p++ = '\x86';
  }
  static const char tail[] =
      "\x89"
      "ccollections\nOrderedDict\n)RtRs.";
  memcpy(p, tail, sizeof tail - 1);
  return (size_t)(p - out) + sizeof tail - 1;
}

static void test_storages(void **state) {
  (void)state;
  const struct {
    int numel, offset, rows, columns, s0, s1;
    const char *words; /* null: good */
  } cases[] = {
      {6, 0, 2, 3, 3, 1, NULL},
      {6, 0, 2, 3, 1, 2, NULL},
      {6, 2, 2, 2, 2, 1, NULL},
      {6, 0, 1, 3, 99, 1, NULL}, /* the stride of a single row says nothing */
      {7, 0, 2, 3, 3, 1, "says 7 elements"},
      {-6, 0, 2, 3, 3, 1, "says -6 elements"},
      {6, 1, 2, 3, 3, 1, "beyond its storage"},
      {6, -1, 2, 3, 3, 1, "beyond its storage"},
      {6, 0, 3, 3, 3, 1, "beyond its storage"},
      {6, 0, 2, 3, 2147483647, 1, "beyond its storage"},
      {6, 0, 0, 3, 3, 1, "positive sizes"},
      {6, 0, -2, 3, 3, 1, "positive sizes"},
      {6, 0, 2, 3, -3, 1, "not negative"},
      {6, 0, 2, 2, 3, 1, "contiguous"},
      {6, 0, 2, 3, 0, 0, "contiguous"}, /* a broadcast */
  };
  char *folder = folder_new(TEST_BINARY_DIR);
  const float numbers[6] = {0, 1, 2, 3, 4, 5};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    char pickle[256];
    const size_t n = make_pickle(pickle, cases[i].numel, cases[i].offset, cases[i].rows, cases[i].columns, cases[i].s0, cases[i].s1);
    write_zip(folder, (const member[]){{"r/data.pkl", pickle, n}, {"r/data/0", numbers, sizeof numbers}}, 2);
    if (cases[i].words) {
      refuse_file(folder_path(folder, "x.bin"), T5GIST_EFORMAT, cases[i].words);
      continue;
    }
    tg_torch_bin *bin;
    t5gist_error err = {0};
    if (tg_torch_bin_open(folder_path(folder, "x.bin"), &bin, &err) != T5GIST_OK) fail_msg("%zu: %s", i, err.message);
    tg_torch_bin_close(bin);
  }
  folder_remove(folder);
}

static void test_archives(void **state) {
  (void)state;
  char *folder = folder_new(TEST_BINARY_DIR), pickle[256];
  const float numbers[6] = {0, 1, 2, 3, 4, 5};
  const size_t n = make_pickle(pickle, 6, 0, 2, 3, 3, 1);
  const member pkl = {"r/data.pkl", pickle, n}, data = {"r/data/0", numbers, sizeof numbers};
  static const char *const names[] = {"r/../data", "../data.pkl", "/data.pkl",     "r/data/../0",  "r/data/1234567",
                                      "r/data/",   "r/data/0x",   "r\\data.pkl",   "s/data/1",     "r/.",
                                      "r/.A",      "data.pkl",    "r/data.pkl.py", "r/x/data.pkl", ""};
  const char *path = folder_path(folder, "x.bin");
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    write_zip(folder, (const member[]){pkl, data, {names[i], "x", 1}}, 3);
    refuse_file(path, T5GIST_EFORMAT, "unexpected name");
  }
  write_zip(folder, (const member[]){pkl, data, data}, 3);
  refuse_file(path, T5GIST_EFORMAT, "found two");
  write_zip(folder, (const member[]){data}, 1);
  refuse_file(path, T5GIST_EFORMAT, "expected data.pkl");
  write_zip(folder, (const member[]){pkl}, 1);
  refuse_file(path, T5GIST_EFORMAT, "expected its storage data/0");
  write_zip(folder, (const member[]){pkl, data, {"r/byteorder", "big", 3}}, 3);
  refuse_file(path, T5GIST_EUNSUPPORTED, "byteorder");
  write_zip(folder, (const member[]){pkl, data, {"r/byteorder", "little", 6}, {"r/.data/serialization_id", "1", 1}}, 4);
  tg_torch_bin *bin;
  t5gist_error err = {0};
  if (tg_torch_bin_open(path, &bin, &err) != T5GIST_OK) fail_msg("%s", err.message);
  tg_torch_bin_close(bin);

  size_t size;
  write_zip(folder, (const member[]){pkl, data}, 2);
  char *bytes = folder_read(path, &size);
  bytes[size - 24 - strlen("r/data/0") - 46 - 46 - strlen("r/data.pkl")]++; /* in the last number */
  folder_write(folder, "x.bin", bytes, size);
  refuse_file(path, T5GIST_EFORMAT, "CRC-32");
  free(bytes);
  bytes = folder_read(DATA "good.bin", &size);
  bytes = realloc(bytes, size + 1);
  bytes[size] = 0;
  folder_write(folder, "x.bin", bytes, size + 1);
  refuse_file(path, T5GIST_EFORMAT, "no end record");
  free(bytes);
  folder_remove(folder);
}

/* No truncation and no changed byte does more than be refused, or be read as the same eleven tensors. In memory: some 16,000 files. */
static void test_every_byte(void **state) {
  (void)state;
  static const unsigned char patterns[] = {0x01, 0x80, 0xff};
  size_t size;
  char path[64], *bytes = folder_read(DATA "good.bin", &size);
  const int fd = memfd_create("bin", 0);
  assert_true(fd >= 0);
  snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
  for (size_t at = 0; at < size; at++) {
    tg_torch_bin *bin = NULL;
    assert_int_equal(pwrite(fd, bytes, size, 0), size);
    assert_int_equal(ftruncate(fd, (off_t)at), 0);
    assert_int_not_equal(tg_torch_bin_open(path, &bin, NULL), T5GIST_OK);
    for (size_t p = 0; p < sizeof patterns; p++) {
      bytes[at] = (char)(bytes[at] ^ patterns[p]);
      assert_int_equal(pwrite(fd, bytes, size, 0), size);
      if (tg_torch_bin_open(path, &bin, NULL) == T5GIST_OK) {
        assert_int_equal(tg_torch_bin_count(bin), 11);
        tg_torch_bin_close(bin);
      }
      bytes[at] = (char)(bytes[at] ^ patterns[p]);
    }
  }
  close(fd);
  free(bytes);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_good_file),      cmocka_unit_test(test_refused_files), cmocka_unit_test(test_pickles),
      cmocka_unit_test(test_pickle_budgets), cmocka_unit_test(test_storages),      cmocka_unit_test(test_archives),
      cmocka_unit_test(test_every_byte),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
