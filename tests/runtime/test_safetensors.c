/* The container against hand-made bad files, every truncation and bit flip, and failing memory; the number formats behind it. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "runtime/cpu.h"
#include "runtime/error.h"
#include "runtime/json.h"
#include "runtime/safetensors.h"

/* length, header, then n_data bytes 0, 1, 2 ... To be freed. */
static unsigned char *make(const char *header, size_t n_data, size_t *size) {
  const size_t n = strlen(header);
  unsigned char *bytes;
  assert_int_equal(tg_alloc(&bytes, 8 + n + n_data, 1, NULL), T5GIST_OK);
  for (int i = 0; i < 8; i++) bytes[i] = (unsigned char)((uint64_t)n >> 8 * i & 0xff);
  memcpy(bytes + 8, header, n);
  for (size_t i = 0; i < n_data; i++) bytes[8 + n + i] = (unsigned char)i;
  *size = 8 + n + n_data;
  return bytes;
}

#define A(shape, begin, end) "\"a\":{\"dtype\":\"F32\",\"shape\":" shape ",\"data_offsets\":[" #begin "," #end "]}"
#define B(shape, begin, end) "\"b\":{\"dtype\":\"BF16\",\"shape\":" shape ",\"data_offsets\":[" #begin "," #end "]}"

static void good_files_are_read(void **state) {
  (void)state;
  size_t size;
  unsigned char *bytes =
    make("{\"__metadata__\":{\"format\":\"pt\",\"k\":\"v\"}," A("[2,3]", 6, 30) "," B("[3]", 0, 6) ",\"e\":{\"dtype\":\"I64\",\"shape\":[4,0],"
         "\"data_offsets\":[6,6]},\"s\":{\"dtype\":\"U8\",\"shape\":[],\"data_offsets\":[30,31]}}   ", 31, &size);
  tg_safetensors *file;
  t5gist_error err;
  if (tg_safetensors_parse(bytes, size, "x", &file, &err)) fail_msg("%s", err.message);
  assert_int_equal(tg_safetensors_count(file), 4);
  const char *const order[] = {"b", "e", "a", "s"};
  const unsigned char *data = bytes + tg_safetensors_header_size(file);
  for (size_t i = 0; i < 4; i++) {
    const tg_tensor *tensor = tg_safetensors_at(file, i);
    assert_string_equal(tensor->name, order[i]);
    assert_ptr_equal(tg_safetensors_find(file, order[i]), tensor);
    assert_ptr_equal(tensor->data, data);
    data += tensor->bytes;
  }
  const tg_tensor *a = tg_safetensors_find(file, "a");
  assert_int_equal(a->rank, 2);
  assert_int_equal(a->shape[1], 3);
  assert_int_equal(a->count, 6);
  assert_int_equal(a->dtype, TG_F32);
  assert_int_equal(tg_safetensors_find(file, "s")->count, 1);
  assert_int_equal(tg_safetensors_find(file, "e")->bytes, 0);
  assert_null(tg_safetensors_find(file, "c"));
  assert_null(tg_safetensors_find(file, "__metadata__"));
  assert_string_equal(tg_safetensors_metadata(file, "k"), "v");
  assert_null(tg_safetensors_metadata(file, "q"));
  assert_int_equal(json_object_size(tg_safetensors_metadata_object(file)), 2);
  assert_string_equal(tg_safetensors_path(file), "x");
  size_t found;
  assert_ptr_equal(tg_safetensors_bytes(file, &found), bytes);
  assert_int_equal(found, size);
  tg_safetensors_close(file);
  tg_safetensors_close(NULL);
  tg_free(bytes);

  bytes = make("{}", 0, &size);
  assert_int_equal(tg_safetensors_parse(bytes, size, "x", &file, &err), T5GIST_OK);
  assert_int_equal(tg_safetensors_count(file), 0);
  assert_null(tg_safetensors_find(file, "a"));
  assert_null(tg_safetensors_metadata(file, "a"));
  assert_null(tg_safetensors_metadata_object(file));
  tg_safetensors_close(file);
  tg_free(bytes);
}

static void bad_files_are_refused_with_a_reason(void **state) {
  (void)state;
  const struct {
    const char *header;
    size_t n_data;
    const char *reason;
  } cases[] = {
      {"", 0, "begins with '{'"},
      {" {}", 0, "begins with '{'"},
      {"{}\n", 0, "ends with '}' and spaces"},
      {"[]", 0, "begins with '{'"},
      {"{\"a\":}", 0, "expected JSON, found at line 1, column"},
      {"{}{}", 0, "expected JSON"},
      {"{\"a\xff\":1}", 0, "expected JSON"},
      {"{\"a\\u0000\":1}", 0, "expected JSON"},
      {"{" A("[1]", 0, 4) "," A("[1]", 4, 8) "}", 8, "duplicate"},
      {"{\"a\":{\"dtype\":\"F32\",\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}", 4, "duplicate"},
      {"{\"a\":[]}", 0, "tensor a: expected an object of dtype, shape and data_offsets, found a list"},
      {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1]}}", 4, "found other keys"},
      {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4],\"x\":1}}", 4, "found other keys"},
      {"{\"a\":{\"dtype\":7,\"shape\":[1],\"data_offsets\":[0,4]}}", 4, "dtype: expected a string, found an integer"},
      {"{\"a\":{\"dtype\":\"F8_E4M3\",\"shape\":[4],\"data_offsets\":[0,4]}}", 4, "found \"F8_E4M3\""},
      {"{" A("1", 0, 4) "}", 4, "shape: expected a list, found an integer"},
      {"{" A("[1.0]", 0, 4) "}", 4, "expected integers of at least 0, found 1.0"},
      {"{" A("[\"1\"]", 0, 4) "}", 4, "found \"1\""},
      {"{" A("[-1]", 0, 4) "}", 4, "found -1"},
      {"{" A("[1,1,1,1,1,1,1,1,1]", 0, 4) "}", 4, "shape: expected at most 8 numbers, found 9"},
      {"{" A("[4294967296,4294967296]", 0, 0) "}", 0, "shape is too large"},
      {"{" A("[4611686018427387904]", 0, 0) "}", 0, "shape is too large"}, /* only the multiplication by 4 wraps */
      {"{" A("[99999999999999999999]", 0, 4) "}", 4, "expected JSON"},
      {"{" A("[1]", 4, 0) "}", 4, "an end behind it"},
      {"{\"a\":{\"dtype\":\"F32\",\"shape\":[0],\"data_offsets\":[0]}}", 0, "an end behind it"},
      {"{\"a\":{\"dtype\":\"F32\",\"shape\":[0],\"data_offsets\":[0,0,0]}}", 0, "expected at most 2 numbers, found 3"},
      {"{" A("[1]", 0, 4) "}", 3, "expected its data to end at byte 4, found only 3 bytes"},
      {"{" A("[1]", 9223372036854775803, 9223372036854775807) "}", 4, "found only 4 bytes"},
      {"{" A("[2]", 0, 4) "}", 4, "expected 8 bytes of data for its shape, found 4"},
      {"{" A("[1]", 0, 4) "," B("[2]", 0, 4) "}", 4, "where the previous tensor ends, found 0"}, /* overlap */
      {"{" A("[1]", 0, 4) "," B("[1]", 6, 8) "}", 8, "expected its data to begin at byte 4"},    /* a hole */
      {"{" A("[1]", 4, 8) "}", 8, "expected its data to begin at byte 0"},
      {"{" A("[1]", 0, 4) "}", 5, "expected 4 bytes of tensor data, found 5"}, /* a tail */
      {"{}", 1, "expected 0 bytes of tensor data, found 1"},
      {"{\"__metadata__\":1}", 0, "__metadata__: expected an object, found an integer"},
      {"{\"__metadata__\":{\"k\":{}}}", 0, "__metadata__: k: expected a string, found an object"},
      {"{\"__metadata__\":{\"k\":\"1\",\"k\":\"2\"}}", 0, "duplicate"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    size_t size;
    unsigned char *bytes = make(cases[i].header, cases[i].n_data, &size);
    tg_safetensors *file = NULL;
    t5gist_error err = {0};
    if (!tg_safetensors_parse(bytes, size, "bad.safetensors", &file, &err)) fail_msg("taken for good: %s", cases[i].header);
    if (strncmp(err.message, "bad.safetensors: ", 17) || !strstr(err.message, cases[i].reason)) fail_msg("%s\n%s", cases[i].header, err.message);
    assert_null(file);
    tg_free(bytes);
  }
}

static void lengths_and_limits_hold(void **state) {
  (void)state;
  tg_safetensors *file;
  t5gist_error err;
  assert_int_equal(tg_safetensors_parse("", 0, "x", &file, &err), T5GIST_EFORMAT);
  assert_string_equal(err.message, "x: expected a safetensors file, which has at least 8 bytes, found 0");
  assert_int_equal(tg_safetensors_parse("\2\0\0\0\0\0\0", 7, "x", &file, &err), T5GIST_EFORMAT);
  assert_int_equal(tg_safetensors_parse("\3\0\0\0\0\0\0\0{}", 10, "x", &file, &err), T5GIST_EFORMAT);
  assert_non_null(strstr(err.message, "expected a header of 3 bytes, found only 2"));
  assert_int_equal(tg_safetensors_parse("\377\377\377\377\377\377\377\377{}", 10, "x", &file, &err), T5GIST_EFORMAT);
  assert_non_null(strstr(err.message, "at most 16777216 bytes, found a length of 18446744073709551615"));
  assert_int_equal(tg_safetensors_parse("\1\0\0\1\0\0\0\0{}", 10, "x", &file, &err), T5GIST_EFORMAT);
  assert_non_null(strstr(err.message, "found a length of 16777217"));

  char header[70000], name[600];
  size_t size;
  for (int n = 512; n <= 513; n++) {
    memset(name, 'n', sizeof name);
    snprintf(header, sizeof header, "{\"%.*s\":{\"dtype\":\"U8\",\"shape\":[0],\"data_offsets\":[0,0]}}", n, name);
    unsigned char *bytes = make(header, 0, &size);
    const t5gist_status status = tg_safetensors_parse(bytes, size, "x", &file, &err);
    assert_int_equal(status, n == 512 ? T5GIST_OK : T5GIST_EFORMAT);
    if (!status) tg_safetensors_close(file);
    tg_free(bytes);
  }
  static char value[70000];
  memset(value, 'v', sizeof value);
  for (int n = 65535; n <= 65536; n++) { /* and one byte of key */
    snprintf(header, sizeof header, "{\"__metadata__\":{\"k\":\"%.*s\"}}", n, value);
    unsigned char *bytes = make(header, 0, &size);
    const t5gist_status status = tg_safetensors_parse(bytes, size, "x", &file, &err);
    assert_int_equal(status, n == 65535 ? T5GIST_OK : T5GIST_EFORMAT);
    if (!status) tg_safetensors_close(file);
    tg_free(bytes);
  }
  assert_non_null(strstr(err.message, "__metadata__: expected at most 65536 bytes, found 65537"));
}

static tg_tensor declare(const char *name, tg_dtype dtype, int rank, size_t a, size_t b) {
  return (tg_tensor){.name = name, .dtype = dtype, .rank = rank, .shape = {a, b}};
}

static void what_is_written_is_read_back(void **state) {
  (void)state;
  const tg_tensor tensors[] = {declare("w\"eird\n\xc3\xa9", TG_BF16, 2, 3, 5), declare("empty", TG_F32, 2, 0, 7), declare("scalar", TG_F64, 0, 0, 0),
                               declare("a", TG_I8, 1, 11, 0)};
  json_t *metadata = json_pack("{s:s, s:s, s:s}", "z", "last", "a", "\"first\"\n", "m", "");
  tg_buffer written = {0}, again = {0};
  t5gist_error err;
  assert_int_equal(tg_safetensors_header(tensors, 4, metadata, &written, &err), T5GIST_OK);
  assert_int_equal(tg_safetensors_header(tensors, 4, metadata, &again, &err), T5GIST_OK);
  assert_int_equal(written.size, again.size);
  assert_memory_equal(written.data, again.data, written.size);
  assert_int_equal(written.size % 64, 0);
  const char *a = strstr(written.data + 8, "\"a\":"), *m = strstr(written.data + 8, "\"m\":"), *z = strstr(written.data + 8, "\"z\":");
  assert_true(a && m && z && a < m && m < z);
  char data[49];
  memset(data, 7, sizeof data);
  assert_int_equal(tg_buffer_append(&written, data, 30 + 8 + 11, NULL), T5GIST_OK);
  tg_safetensors *file;
  if (tg_safetensors_parse(written.data, written.size, "x", &file, &err)) fail_msg("%s", err.message);
  assert_true(json_equal((json_t *)(uintptr_t)tg_safetensors_metadata_object(file), metadata));
  for (size_t i = 0; i < 4; i++) {
    const tg_tensor *found = tg_safetensors_at(file, i);
    assert_string_equal(found->name, tensors[i].name);
    assert_int_equal(found->dtype, tensors[i].dtype);
    assert_int_equal(found->rank, tensors[i].rank);
    assert_memory_equal(found->shape, tensors[i].shape, (size_t)found->rank * sizeof *found->shape);
  }
  tg_safetensors_close(file);
  json_decref(metadata);
  tg_buffer_free(&written);
  tg_buffer_free(&again);
}

static void the_writer_refuses_what_the_reader_would(void **state) {
  (void)state;
  tg_buffer header = {0};
  t5gist_error err;
  const tg_tensor twice[] = {declare("a", TG_F32, 1, 1, 0), declare("a", TG_F32, 1, 1, 0)};
  assert_int_equal(tg_safetensors_header(twice, 2, NULL, &header, &err), T5GIST_EFORMAT);
  assert_non_null(strstr(err.message, "duplicate"));
  const tg_tensor bad_name = declare("a\xff", TG_F32, 1, 1, 0), huge = declare("a", TG_F32, 2, SIZE_MAX / 2, 3);
  assert_int_equal(tg_safetensors_header(&bad_name, 1, NULL, &header, &err), T5GIST_EFORMAT);
  assert_int_equal(tg_safetensors_header(&huge, 1, NULL, &header, &err), T5GIST_EFORMAT);
  json_t *metadata = json_pack("{s:i}", "k", 1);
  assert_int_equal(tg_safetensors_header(NULL, 0, metadata, &header, &err), T5GIST_EFORMAT);
  json_decref(metadata);
  assert_int_equal(header.size, 0);
  tg_buffer_free(&header);
}

/* A small file with everything in it, for the tests that damage it. */
static unsigned char *seed(size_t *size) {
  return make("{\"__metadata__\":{\"f\":\"g\"}," A("[2,3]", 6, 30) "," B("[3]", 0, 6) "} ", 30, size);
}

/* Reads damaged bytes as a user would; must end in a sentence or a whole file. */
static bool survives(const unsigned char *bytes, size_t size) {
  unsigned char *copy; /* exact, so that the sanitizer sees a step behind it */
  tg_safetensors *file;
  t5gist_error err = {0};
  assert_int_equal(tg_alloc(&copy, size, 1, NULL), T5GIST_OK);
  memcpy(copy, bytes, size);
  const t5gist_status status = tg_safetensors_parse(copy, size, "x", &file, &err);
  if (status) {
    assert_int_equal(err.status, status);
    assert_true(err.message[0] != 0);
  } else {
    for (size_t i = 0; i < tg_safetensors_count(file); i++) {
      const tg_tensor *tensor = tg_safetensors_at(file, i);
      volatile unsigned char sum = 0;
      for (size_t j = 0; j < tensor->bytes; j++) sum = (unsigned char)(sum + tensor->data[j]);
    }
    tg_safetensors_close(file);
  }
  tg_free(copy);
  return status == T5GIST_OK;
}

static void damage_never_crashes(void **state) {
  (void)state;
  size_t size;
  unsigned char *bytes = seed(&size);
  assert_true(survives(bytes, size));
  for (size_t n = 0; n < size; n++)
    if (survives(bytes, n)) fail_msg("cut to %zu of %zu bytes, it is taken for whole", n, size);
  const unsigned char values[] = {0x00, 0x7f, 0x80, 0xff};
  for (size_t i = 0; i < size; i++) {
    const unsigned char kept = bytes[i];
    for (int bit = 0; bit < 8; bit++) {
      bytes[i] = (unsigned char)(kept ^ 1 << bit);
      survives(bytes, size);
    }
    for (int k = 0; k < 4; k++) {
      bytes[i] = values[k];
      survives(bytes, size);
    }
    bytes[i] = kept;
  }
  tg_free(bytes);
}

static long allocations_left;
static void *failing_malloc(size_t n) {
  return allocations_left-- > 0 ? malloc(n) : NULL;
}

static void lack_of_memory_is_reported(void **state) {
  (void)state;
  size_t size;
  unsigned char *bytes = seed(&size);
  json_malloc_t before_malloc;
  json_free_t before_free;
  json_get_alloc_funcs(&before_malloc, &before_free);
  json_set_alloc_funcs(failing_malloc, free);
  long n = 0, wrong = 0;
  for (t5gist_status status = T5GIST_ENOMEM; status && n < 10000; n++) {
    tg_safetensors *file;
    t5gist_error err = {0};
    allocations_left = n;
    status = tg_safetensors_parse(bytes, size, "x", &file, &err);
    if (!status)
      tg_safetensors_close(file);
    else if (status != T5GIST_ENOMEM && !wrong)
      wrong = n + 1;
  }
  json_set_alloc_funcs(before_malloc, before_free);
  assert_true(n > 10 && n < 10000);
  if (wrong) fail_msg("allocation %ld fails, and that is not what is said", wrong);
  tg_free(bytes);
}

static void the_bundled_model_opens(void **state) {
  (void)state;
  tg_safetensors *file;
  t5gist_error err;
  if (tg_safetensors_open(TEST_SOURCE_DIR "/models/mini/model.safetensors", &file, &err)) fail_msg("%s", err.message);
  assert_true(tg_safetensors_count(file) > 10);
  assert_non_null(tg_safetensors_find(file, "shared.weight"));
  tg_safetensors_close(file);
  assert_int_equal(tg_safetensors_open(TEST_SOURCE_DIR "/models", &file, &err), T5GIST_EIO);
  assert_int_equal(tg_safetensors_open(TEST_SOURCE_DIR "/LICENSE", &file, &err), T5GIST_EFORMAT);
}

/* ---------------------------------------------------------------------------------------------------------------------- number formats */

static void formats_have_names_and_sizes(void **state) {
  (void)state;
  for (int i = 0; i < TG_N_DTYPES; i++) assert_int_equal(tg_dtype_from_name(tg_dtype_name((tg_dtype)i)), i);
  assert_int_equal(tg_dtype_size(TG_BF16), 2);
  assert_int_equal(tg_dtype_size(TG_F64), 8);
  assert_int_equal(tg_dtype_from_name("f32"), -1);
  assert_int_equal(tg_dtype_from_name("U64"), -1);
}

/* What the sixteen bits mean, by arithmetic. */
static double meaning(uint16_t bits, int exponent_bits) {
  const int fraction_bits = 15 - exponent_bits, bias = (1 << (exponent_bits - 1)) - 1;
  const int exponent = bits >> fraction_bits & ((1 << exponent_bits) - 1), fraction = bits & ((1 << fraction_bits) - 1);
  const double sign = bits >> 15 ? -1 : 1;
  if (exponent == (1 << exponent_bits) - 1) return fraction ? (double)NAN : sign * (double)INFINITY;
  if (!exponent) return sign * ldexp(fraction, 1 - bias - fraction_bits);
  return sign * ldexp(fraction + (1 << fraction_bits), exponent - bias - fraction_bits);
}

/* All 65,536 values, at odd and even addresses, by the fast and by the portable path. */
static void check_widening(tg_dtype dtype, int exponent_bits) {
  enum { N = 65536 };
  static unsigned char stored[2 * N + 1];
  static float wide[N];
  for (int offset = 0; offset < 2; offset++) {
    for (int i = 0; i < N; i++) memcpy(stored + offset + 2 * i, &(uint16_t){(uint16_t)i}, 2);
    memset(wide, 0x55, sizeof wide);
    tg_widen(stored + offset, dtype, N, wide);
    for (int i = 0; i < N; i++) {
      const double expected = meaning((uint16_t)i, exponent_bits);
      const bool right = isnan(expected) ? isnan(wide[i]) : (double)wide[i] == expected && !signbit(wide[i]) == !signbit(expected);
      if (!right) fail_msg("%s %04x: expected %g, found %g", tg_dtype_name(dtype), (unsigned)i, expected, (double)wide[i]);
    }
  }
  for (size_t n = 0; n < 35; n++) { /* odd counts touch nothing behind */
    float few[36];
    for (int i = 0; i < 36; i++) few[i] = -7;
    tg_widen(stored + 1 + 2 * 0x3800, dtype, n, few);
    for (size_t i = 0; i < 36; i++) assert_true(few[i] == (i < n ? (float)meaning((uint16_t)(0x3800 + i), exponent_bits) : -7));
  }
}

static void halves_widen_exactly(void **state) {
  (void)state;
  check_widening(TG_BF16, 8);
  check_widening(TG_F16, 5);
  tg_cpu_limit_isa(TG_ISA_PORTABLE);
  check_widening(TG_F16, 5);
  tg_cpu_limit_isa(TG_ISA_AVX512);
}

static void floats_and_doubles_widen_unaligned(void **state) {
  (void)state;
  unsigned char stored[8 * 3 + 1];
  float wide[3];
  const float floats[3] = {1.5f, -0.0f, 3e38f};
  const double doubles[3] = {0.1, -2, 1e-300};
  memcpy(stored + 1, floats, sizeof floats);
  tg_widen(stored + 1, TG_F32, 3, wide);
  assert_memory_equal(wide, floats, sizeof floats);
  memcpy(stored + 1, doubles, sizeof doubles);
  tg_widen(stored + 1, TG_F64, 3, wide);
  assert_true(wide[0] == 0.1f && wide[1] == -2 && wide[2] == 0);
  tg_widen(NULL, TG_F32, 0, NULL);
}

static void narrowing_rounds_to_nearest_even(void **state) {
  (void)state;
  const struct {
    uint32_t bits;
    uint16_t expected;
  } cases[] = {
      {0x3f800000, 0x3f80}, {0x3f808000, 0x3f80}, {0x3f808001, 0x3f81}, {0x3f818000, 0x3f82}, {0x3f817fff, 0x3f81},
      {0x7f7fffff, 0x7f80}, {0x7f800000, 0x7f80}, {0xff800000, 0xff80}, {0x80000000, 0x8000}, {0x00000001, 0x0000},
      {0x00008001, 0x0001}, {0x7f800001, 0x7fc0}, {0xffffffff, 0xffff}, {0x7fc00000, 0x7fc0},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    float value;
    uint16_t narrow;
    memcpy(&value, &cases[i].bits, 4);
    tg_narrow_bf16(&value, 1, &narrow);
    if (narrow != cases[i].expected) fail_msg("%08x: expected %04x, found %04x", cases[i].bits, cases[i].expected, narrow);
  }
  static float wide[65536];
  static uint16_t all[65536], back[65536];
  for (int i = 0; i < 65536; i++) all[i] = (uint16_t)i;
  tg_widen(all, TG_BF16, 65536, wide);
  tg_narrow_bf16(wide, 65536, back);
  for (int i = 0; i < 65536; i++)
    if (back[i] != all[i] && !(isnan(wide[i]) && back[i] == (all[i] | 0x40))) fail_msg("%04x comes back as %04x", all[i], back[i]);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(good_files_are_read),
      cmocka_unit_test(bad_files_are_refused_with_a_reason),
      cmocka_unit_test(lengths_and_limits_hold),
      cmocka_unit_test(what_is_written_is_read_back),
      cmocka_unit_test(the_writer_refuses_what_the_reader_would),
      cmocka_unit_test(damage_never_crashes),
      cmocka_unit_test(lack_of_memory_is_reported),
      cmocka_unit_test(the_bundled_model_opens),
      cmocka_unit_test(formats_have_names_and_sizes),
      cmocka_unit_test(halves_widen_exactly),
      cmocka_unit_test(floats_and_doubles_widen_unaligned),
      cmocka_unit_test(narrowing_rounds_to_nearest_even),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
