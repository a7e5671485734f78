/* The gist file: what is written is read back, and nothing else is taken for it. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "gist/gist.h"
#include "support.h"
#include "tests/support/folder.h"

enum { SEED = 8, K = 3 };
static const char TASK[] = "Name the \"capital\" of each country,\nwith {braces}, \"checksum\":\"00\" and Zürich.";

static char *dir, *scratch;
static t5gist_model *model;
static t5gist_session *session;
static t5gist_gist *gist;
static unsigned char *bytes; /* [n_bytes] of the gist as f32 with cross */
static size_t n_bytes;

static int set_up(void **state) {
  t5gist_error err;
  (void)state;
  dir = make_model("tiny", "uneven", SEED, T5GIST_UNSET, NULL);
  scratch = folder_new(TEST_BINARY_DIR);
  CHECK_OK(t5gist_model_open(dir, NULL, &model, &err));
  CHECK_OK(t5gist_session_new(model, &session, &err));
  CHECK_OK(t5gist_encode(session, TASK, K, &gist, &err));
  CHECK_OK(t5gist_gist_serialize(gist, T5GIST_PAYLOAD_F32, true, &bytes, &n_bytes, &err));
  return 0;
}

static int tear_down(void **state) {
  (void)state;
  t5gist_free(bytes);
  t5gist_gist_free(gist);
  t5gist_session_free(session);
  t5gist_model_close(model);
  folder_remove(scratch);
  folder_remove(dir);
  return 0;
}

static size_t values(int layers) {
  size_t n = 0;
  assert_true(tg_gist_values(gist, layers, &n));
  return n;
}

/* ------------------------------------------------------------------------------------------------------------------------- round trips */

static void f32_keeps_every_bit(void **state) {
  t5gist_error err;
  (void)state;
  for (int cross = 0; cross < 2; cross++) {
    t5gist_gist *back;
    const char *path = folder_path(scratch, "f32.gist");
    CHECK_OK(t5gist_gist_save(gist, path, T5GIST_PAYLOAD_F32, cross, &err));
    CHECK_OK(t5gist_gist_open(model, path, &back, &err));
    assert_memory_equal(back->enc_k, gist->enc_k, values(gist->n_layers) * sizeof(float));
    assert_memory_equal(back->enc_v, gist->enc_v, values(gist->n_layers) * sizeof(float));
    assert_memory_equal(back->states, gist->states, (size_t)K * (size_t)gist->d_model * sizeof(float));
    assert_memory_equal(back->cross_k, gist->cross_k, values(gist->n_decoder_layers) * sizeof(float));
    assert_memory_equal(back->cross_v, gist->cross_v, values(gist->n_decoder_layers) * sizeof(float));
    t5gist_gist_free(back);
  }
}

static void bf16_keeps_the_nearest(void **state) {
  t5gist_error err;
  t5gist_gist *back;
  t5gist_gist_info info;
  unsigned char *first, *second;
  size_t n_first, n_second;
  (void)state;
  const char *path = folder_path(scratch, "bf16.gist");
  CHECK_OK(t5gist_gist_save(gist, path, T5GIST_PAYLOAD_BF16, false, &err));
  CHECK_OK(t5gist_gist_open(model, path, &back, &err));
  t5gist_gist_describe(back, &info);
  assert_string_equal(info.payload, "bf16");
  assert_int_equal(info.bytes, 2 * (2 * values(gist->n_layers) + (size_t)K * (size_t)gist->d_model));
  for (size_t i = 0; i < values(gist->n_layers); i++) {
    assert_true(fabsf(back->enc_k[i] - gist->enc_k[i]) <= fabsf(gist->enc_k[i]) / 256);
    assert_true(fabsf(back->enc_v[i] - gist->enc_v[i]) <= fabsf(gist->enc_v[i]) / 256);
  }
  CHECK_OK(t5gist_gist_serialize(gist, T5GIST_PAYLOAD_BF16, false, &first, &n_first, &err));
  CHECK_OK(t5gist_gist_serialize(back, T5GIST_PAYLOAD_BF16, false, &second, &n_second, &err));
  assert_int_equal(n_first, n_second);
  assert_memory_equal(first, second, n_first); /* narrowing what was narrow changes nothing */
  t5gist_free(first);
  t5gist_free(second);
  t5gist_gist_free(back);
}

static void same_task_gives_the_same_bytes(void **state) {
  t5gist_error err;
  t5gist_session *other;
  t5gist_gist *again;
  unsigned char *second;
  size_t n;
  (void)state;
  CHECK_OK(t5gist_session_new(model, &other, &err));
  CHECK_OK(t5gist_encode(other, TASK, K, &again, &err));
  CHECK_OK(t5gist_gist_serialize(again, T5GIST_PAYLOAD_F32, true, &second, &n, &err));
  assert_int_equal(n, n_bytes);
  assert_memory_equal(second, bytes, n);
  t5gist_free(second);
  t5gist_gist_free(again);
  t5gist_session_free(other);

  const char *path = folder_path(scratch, "same.gist");
  CHECK_OK(t5gist_gist_save(gist, path, T5GIST_PAYLOAD_F32, true, &err));
  char *file = folder_read(path, &n);
  assert_int_equal(n, n_bytes);
  assert_memory_equal(file, bytes, n);
  free(file);
}

static void file_says_what_it_is(void **state) {
  t5gist_error err;
  t5gist_gist *back;
  t5gist_gist_info made, read;
  t5gist_model_info info;
  (void)state;
  const char *path = folder_path(scratch, "told.gist");
  CHECK_OK(t5gist_gist_save(gist, path, T5GIST_PAYLOAD_F32, true, &err));
  CHECK_OK(t5gist_gist_open(NULL, path, &back, &err));
  t5gist_gist_describe(gist, &made);
  t5gist_gist_describe(back, &read);
  t5gist_model_describe(model, &info);
  assert_string_equal(read.task, TASK);
  assert_string_equal(read.task_sha256, made.task_sha256);
  assert_string_equal(read.fingerprint, info.fingerprint);
  assert_string_equal(read.program_version, t5gist_version());
  assert_string_equal(read.payload, "f32");
  assert_memory_equal(read.computed_with, "f32 ", 4);
  assert_int_equal(read.format_version, 1);
  assert_int_equal(read.n_gist, K);
  assert_int_equal(read.n_task, made.n_task);
  assert_int_equal(read.n_layers, info.n_layers);
  assert_int_equal(read.n_heads, info.n_heads);
  assert_int_equal(read.d_kv, info.d_kv);
  assert_int_equal(read.d_model, info.d_model);
  assert_true(read.has_cross && !made.has_cross);
  assert_int_equal(read.bytes, made.bytes + 2 * values(gist->n_decoder_layers) * sizeof(float));
  t5gist_gist_free(back);
}

static void without_a_model_it_is_described_only(void **state) {
  t5gist_error err;
  t5gist_gist *back;
  t5gist_answer answer;
  unsigned char *out;
  size_t n;
  (void)state;
  const char *path = folder_path(scratch, "alone.gist");
  CHECK_OK(t5gist_gist_save(gist, path, T5GIST_PAYLOAD_F32, false, &err));
  CHECK_OK(t5gist_gist_open(NULL, path, &back, &err));
  t5gist_request request;
  t5gist_request_init(&request);
  request.gist = back;
  request.input = "x";
  CHECK_OK(t5gist_generate(session, &request, 1, &answer, &err));
  assert_int_equal(answer.error.status, T5GIST_EUSAGE);
  t5gist_answer_clear(&answer);
  assert_int_equal(t5gist_gist_serialize(back, T5GIST_PAYLOAD_F32, true, &out, &n, &err), T5GIST_EUSAGE);
  CHECK_OK(t5gist_gist_serialize(back, T5GIST_PAYLOAD_F32, false, &out, &n, &err));
  char *file = folder_read(path, &(size_t){0});
  assert_memory_equal(out, file, n);
  free(file);
  t5gist_free(out);
  t5gist_gist_free(back);
}

static void huge_task_is_not_written(void **state) {
  t5gist_error err;
  t5gist_gist *huge;
  unsigned char *out;
  size_t n;
  (void)state;
  char *task = calloc(1, 60001);
  for (int i = 0; i < 60000; i++) task[i] = i % 7 == 6 ? ' ' : 'a';
  task[2000] = 0; /* encoding stays cheap; what the file must hold is set below */
  CHECK_OK(t5gist_encode(session, task, 1, &huge, &err));
  task[2000] = 'a';
  t5gist_free(huge->task);
  CHECK_OK(tg_strdup(&huge->task, task, &err));
  assert_int_equal(t5gist_gist_serialize(huge, T5GIST_PAYLOAD_F32, false, &out, &n, &err), T5GIST_EUNSUPPORTED);
  huge->task[49152] = 0;
  tg_sha256_hex(huge->task, strlen(huge->task), huge->task_sha256);
  const char *path = folder_path(scratch, "long.gist");
  t5gist_gist *back;
  CHECK_OK(t5gist_gist_save(huge, path, T5GIST_PAYLOAD_F32, false, &err));
  CHECK_OK(t5gist_gist_open(model, path, &back, &err));
  assert_string_equal(back->task, huge->task);
  t5gist_gist_free(back);
  t5gist_gist_free(huge);
  free(task);
}

static void failed_save_leaves_the_old_file(void **state) {
  t5gist_error err;
  (void)state;
  assert_int_equal(t5gist_gist_save(gist, folder_path(scratch, "no/such/folder.gist"), T5GIST_PAYLOAD_F32, true, &err), T5GIST_EIO);
  assert_non_null(strstr(err.message, "no/such/folder.gist"));
  assert_int_equal(t5gist_gist_save(gist, folder_path(scratch, "x.gist"), (t5gist_payload)7, true, &err), T5GIST_EUSAGE);
}

/* -------------------------------------------------------------------------------------------------------------------------- damage */

static t5gist_status parse(const unsigned char *data, size_t n, t5gist_error *err) {
  t5gist_gist *back = NULL;
  const t5gist_status status = tg_gist_parse(data, n, "some.gist", &back, err);
  if (status == T5GIST_OK) t5gist_gist_free(back);
  return status;
}

/* Any bit of the header, bits all over the tensors. */
static void every_flipped_bit_is_seen(void **state) {
  t5gist_error err;
  (void)state;
  unsigned char *copy = malloc(n_bytes);
  memcpy(copy, bytes, n_bytes);
  CHECK_OK(parse(copy, n_bytes, &err));
  for (size_t at = 0; at < n_bytes; at += at < 2048 ? 1 : 251) {
    copy[at] ^= (unsigned char)(1u << at % 8);
    if (parse(copy, n_bytes, &err) == T5GIST_OK) fail_msg("bit %zu of byte %zu", at % 8, at);
    copy[at] = bytes[at];
  }
  free(copy);
}

static void every_other_length_is_seen(void **state) {
  t5gist_error err;
  (void)state;
  for (size_t n = 0; n < n_bytes; n += n < 2048 ? 1 : 509) {
    unsigned char *copy = malloc(n + 1); /* exactly as long: a read behind it shows under the address sanitizer */
    memcpy(copy, bytes, n);
    if (parse(copy, n, &err) == T5GIST_OK) fail_msg("%zu bytes of %zu", n, n_bytes);
    free(copy);
  }
  unsigned char *longer = calloc(1, n_bytes + 1);
  memcpy(longer, bytes, n_bytes);
  assert_int_not_equal(parse(longer, n_bytes + 1, &err), T5GIST_OK);
  free(longer);
}

/* The file with `from` in its header replaced by `to`, of the same length, and the checksum made right again. */
static unsigned char *forge(const char *from, const char *to) {
  assert_int_equal(strlen(from), strlen(to));
  unsigned char *copy = malloc(n_bytes);
  memcpy(copy, bytes, n_bytes);
  unsigned char *at = memmem(copy, n_bytes, from, strlen(from));
  assert_non_null(at);
  memcpy(at, to, strlen(to));
  at = memmem(copy, n_bytes, "\"checksum\":\"", 12);
  assert_non_null(at);
  char hex[TG_SHA256_HEX];
  memset(at + 12, '0', 64);
  tg_sha256_hex(copy, n_bytes, hex);
  memcpy(at + 12, hex, 64);
  return copy;
}

static void expect_forged(const char *from, const char *to, t5gist_status status, const char *word) {
  t5gist_error err = {0};
  unsigned char *copy = forge(from, to);
  assert_int_equal(parse(copy, n_bytes, &err), status);
  if (!strstr(err.message, word)) fail_msg("expected \"%s\" in: %s", word, err.message);
  free(copy);
}

static void sound_checksum_is_not_enough(void **state) {
  (void)state;
  expect_forged("\"format_version\":\"1\"", "\"format_version\":\"2\"", T5GIST_EMISMATCH, "version 2");
  expect_forged("\"format_version\":\"1\"", "\"format_version\":\"0\"", T5GIST_EFORMAT, "format_version");
  expect_forged("\"format\":\"t5gist\"", "\"format\":\"t5list\"", T5GIST_EFORMAT, "gist file");
  expect_forged("\"n_gist\":\"3\"", "\"n_gist\":\"4\"", T5GIST_EFORMAT, "n_gist");
  expect_forged("\"n_gist\":\"3\"", "\"n_gist\":\"0\"", T5GIST_EFORMAT, "n_gist");
  expect_forged("\"n_gist\":\"3\"", "\"n_gist\":\"x\"", T5GIST_EFORMAT, "n_gist");
  expect_forged("\"condition\":\"gist\"", "\"condition\":\"full\"", T5GIST_EUNSUPPORTED, "condition");
  expect_forged("Name the", "name the", T5GIST_EFORMAT, "task_sha256");
  expect_forged("\"fingerprint\":\"", "\"fingerprint\":\"", T5GIST_OK, "");
  expect_forged("\"fingerprint\"", "\"Fingerprint\"", T5GIST_EFORMAT, "fingerprint");
  expect_forged("\"enc.k\"", "\"enc.q\"", T5GIST_EFORMAT, "enc.k");
  expect_forged("\"cross.v\"", "\"cross.w\"", T5GIST_EFORMAT, "cross.v");
}

static void numbers_must_be_finite(void **state) {
  t5gist_error err;
  const float bad[] = {NAN, INFINITY};
  (void)state;
  for (int i = 0; i < 2; i++) {
    unsigned char *copy = malloc(n_bytes);
    memcpy(copy, bytes, n_bytes);
    memcpy(copy + n_bytes - sizeof(float), &bad[i], sizeof(float));
    unsigned char *keep = bytes;
    bytes = copy;
    unsigned char *forged = forge("t5gist", "t5gist");
    bytes = keep;
    assert_int_equal(parse(forged, n_bytes, &err), T5GIST_EFORMAT);
    assert_non_null(strstr(err.message, "cross.v"));
    free(forged);
    free(copy);
  }
}

/* ----------------------------------------------------------------------------------------------------------------------- other models */

static void another_model_is_refused(void **state) {
  t5gist_error err;
  t5gist_model *other;
  t5gist_session *there;
  t5gist_gist *back;
  t5gist_model_info mine, theirs;
  t5gist_answer answer;
  char word[17];
  (void)state;
  char *folder = make_model("tiny", "uneven", SEED + 1, T5GIST_UNSET, NULL);
  const char *path = folder_path(scratch, "mine.gist");
  CHECK_OK(t5gist_gist_save(gist, path, T5GIST_PAYLOAD_F32, true, &err));
  CHECK_OK(t5gist_model_open(folder, NULL, &other, &err));
  t5gist_model_describe(model, &mine);
  t5gist_model_describe(other, &theirs);
  assert_int_equal(t5gist_gist_open(other, path, &back, &err), T5GIST_EMISMATCH);
  snprintf(word, sizeof word, "%s", mine.fingerprint);
  assert_non_null(strstr(err.message, word)); /* both sides */
  snprintf(word, sizeof word, "%s", theirs.fingerprint);
  assert_non_null(strstr(err.message, word));

  CHECK_OK(t5gist_session_new(other, &there, &err));
  t5gist_request request;
  t5gist_request_init(&request);
  request.gist = gist;
  request.input = "x";
  CHECK_OK(t5gist_generate(there, &request, 1, &answer, &err));
  assert_int_equal(answer.error.status, T5GIST_EMISMATCH);
  t5gist_answer_clear(&answer);
  t5gist_session_free(there);
  t5gist_model_close(other);
  folder_remove(folder);
}

static void another_template_is_refused(void **state) {
  t5gist_error err;
  t5gist_gist *back;
  (void)state;
  unsigned char *copy = forge("\"template_input\":\"Input: {input}\"", "\"template_input\":\"Entry: {input}\"");
  folder_write(scratch, "template.gist", copy, n_bytes);
  free(copy);
  assert_int_equal(t5gist_gist_open(model, folder_path(scratch, "template.gist"), &back, &err), T5GIST_EMISMATCH);
  assert_non_null(strstr(err.message, "Entry: {input}"));
  assert_non_null(strstr(err.message, "Input: {input}"));
}

static void other_files_are_refused(void **state) {
  t5gist_error err;
  t5gist_gist *back;
  (void)state;
  assert_int_equal(t5gist_gist_open(model, folder_path(scratch, "nothing.gist"), &back, &err), T5GIST_EIO);
  assert_int_equal(t5gist_gist_open(model, scratch, &back, &err), T5GIST_EIO);
  folder_text(scratch, "text.gist", "This is a text and has nothing to do with any of it.");
  assert_int_equal(t5gist_gist_open(model, folder_path(scratch, "text.gist"), &back, &err), T5GIST_EFORMAT);
  assert_int_equal(t5gist_gist_open(model, folder_path(dir, "model.safetensors"), &back, &err), T5GIST_EFORMAT);
  assert_non_null(strstr(err.message, "expected a gist file"));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(f32_keeps_every_bit),
      cmocka_unit_test(bf16_keeps_the_nearest),
      cmocka_unit_test(same_task_gives_the_same_bytes),
      cmocka_unit_test(file_says_what_it_is),
      cmocka_unit_test(without_a_model_it_is_described_only),
      cmocka_unit_test(huge_task_is_not_written),
      cmocka_unit_test(failed_save_leaves_the_old_file),
      cmocka_unit_test(every_flipped_bit_is_seen),
      cmocka_unit_test(every_other_length_is_seen),
      cmocka_unit_test(sound_checksum_is_not_enough),
      cmocka_unit_test(numbers_must_be_finite),
      cmocka_unit_test(another_model_is_refused),
      cmocka_unit_test(another_template_is_refused),
      cmocka_unit_test(other_files_are_refused),
  };
  return cmocka_run_group_tests(tests, set_up, tear_down);
}
