/* What inspect tells of odd and of damaged folders and gist files: every line that it knows, every problem by its own sentence, also where memory or
 * files fail. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gist/tools.h"
#include "support.h"
#include "t5gist/tools.h"
#include "tests/support/inject.h"
#include "tests/support/one_folder.h"

/* What inspect says; release with free. Nothing that a file holds reaches the terminal as it is. */
static char *inspect(const char *path, t5gist_status *status, t5gist_error *err) {
  char *text = NULL;
  size_t n;
  FILE *out = open_memstream(&text, &n);
  *err = (t5gist_error){0};
  *status = t5gist_inspect(path, out, err);
  fclose(out);
  for (size_t i = 0; i < n; i++)
    if ((unsigned char)text[i] < ' ' && text[i] != '\n') fail_msg("byte %d in:\n%s", text[i], text);
  return text;
}

/* words, null-terminated, must be in what it says: those behind '!' must not, those behind '=' must be in the error. */
static void expect(const char *path, t5gist_status expected, const char *const *words) {
  t5gist_error err;
  t5gist_status status;
  char *text = inspect(path, &status, &err);
  if (status != expected) fail_msg("expected status %d, found %d, %s:\n%s", (int)expected, (int)status, err.message, text);
  for (; *words; words++) {
    const bool absent = **words == '!', message = **words == '=';
    if ((strstr(message ? err.message : text, *words + (absent || message)) == NULL) != absent)
      fail_msg("\"%s\" for \"%s\" and\n%s", *words, status ? err.message : "", text);
  }
  free(text);
}
#define EXPECT(path, status, ...) expect(path, status, (const char *const[]){__VA_ARGS__, NULL})

/* ------------------------------------------------------------------------------------------------------------------------- model folder */

#define SHAPE "\"vocab_size\":12,\"d_model\":2,\"d_kv\":1,\"d_ff\":3,\"num_heads\":2,\"num_layers\":1,\"num_decoder_layers\":2"
#define PIECES "[[\"<pad>\",0],[\"</s>\",0],[\"<unk>\",0],[\"a\",-1]]"
#define TOKENIZER(added)                                    \
  "{\"added_tokens\":[" added                               \
  "],\"pre_tokenizer\":{\"type\":\"Metaspace\"},\"model\":" \
  "{\"type\":\"Unigram\",\"unk_id\":2,\"vocab\":" PIECES "}}"
#define GIST_TOKEN "{\"id\":4,\"content\":\"<GIST>\"}"
#define ONE_TENSOR "{\"x\":{\"dtype\":\"F32\",\"shape\":[2,3],\"data_offsets\":[0,24]}}"

/* A container: length, header, n zero bytes. */
static void put_container(const char *name, const char *header, size_t n) {
  const size_t length = strlen(header), size = 8 + length + n;
  char *bytes = calloc(1, size);
  assert_non_null(bytes);
  for (int i = 0; i < 8; i++) bytes[i] = (char)(length >> 8 * i);
  memcpy(bytes + 8, header, length);
  folder_write(folder, name, bytes, size);
  free(bytes);
}

/* Null: such a file is not there. */
static void put_model(const char *config, const char *generation, const char *tokenizer, const char *weights, size_t n) {
  const char *const files[][2] = {{"config.json", config}, {"generation_config.json", generation}, {"tokenizer.json", tokenizer}};
  for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
    remove(folder_path(folder, files[i][0]));
    if (files[i][1]) folder_text(folder, files[i][0], files[i][1]);
  }
  remove(folder_path(folder, "model.safetensors"));
  if (weights) put_container("model.safetensors", weights, n);
}

static void put_sound_model(void) {
  put_model("{\"model_type\":\"mt5\"," SHAPE ",\"t5gist\":{\"gist_token_ids\":[8,9],\"template\":{\"task\":\"\\u001b[2J{task}\"}}}",
            "{\"max_length\":20,\"num_beams\":4,\"early_stopping\":true,\"length_penalty\":0.5}", TOKENIZER(""), ONE_TENSOR, 24);
}

static void sound_folders_are_described(void **state) {
  (void)state;
  put_model("{\"model_type\":\"t5\"," SHAPE "}", NULL, TOKENIZER(""), ONE_TENSOR, 24);
  EXPECT(folder, T5GIST_OK, "  model_type       t5\n", "  layers           1 encoder + 2 decoder\n", "d_model 2, d_ff 3, 2 heads of 1\n",
         "  feed-forward     relu\n", "  output head      the embedding, scaled\n", "12 rows; pad 0, end 1, start 0\n",
         "  generation       built-in defaults\n", "  t5gist block     none\n", "/tokenizer.json, 4 pieces\n",
         "  gist tokens      none: only full and raw prompts work\n", ": 1 tensors of F32\n", "  parameters       6\n", "  fingerprint      ",
         "!PROBLEM", "!unknown");
  put_sound_model();
  EXPECT(folder, T5GIST_OK, "  feed-forward     gated gelu_new\n", "  output head      its own\n",
         "  generation       max_new_tokens 19 beams 4 early_stopping 1 length_penalty 0.5\n",
         "  gist tokens      2 distinct rows, id 8 and on; 1 by default\n", "{\"gist_token_ids\":[8,9]", "  task template    \\x1b[2J{task}\n",
         "  input template   Input: {input}\n", "!PROBLEM");
  put_model("{\"model_type\":\"t5\"," SHAPE ",\"t5gist\":{},\"tie_word_embeddings\":true,\"scale_decoder_outputs\":false}", "{\"do_sample\":true}",
            TOKENIZER(GIST_TOKEN), "{}", 0);
  EXPECT(folder, T5GIST_OK, "  output head      its own, else the embedding\n", "  t5gist block     {}\n",
         "  generation       top_k 50 temperature 1\n", "  gist tokens      1 distinct row, id 4, repeated; 1 by default\n",
         "/model.safetensors: 0 tensors\n", "  parameters       0\n");
}

/* Scales belong to the matrix beside them; a byte of int4 holds two numbers; a converted folder keeps the fingerprint of its source. */
static void converted_folders_are_described(void **state) {
  static const char hash[] = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
  char config[512];
  (void)state;
  put_model("{\"model_type\":\"t5\"," SHAPE "}", NULL, TOKENIZER(""),
            "{\"x.weight\":{\"dtype\":\"I8\",\"shape\":[2,3],\"data_offsets\":[0,6]},"
            "\"x.weight_scale\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[6,14]}}",
            14);
  EXPECT(folder, T5GIST_OK, ": 2 tensors of I8\n", "  parameters       6\n", "!converted");
  snprintf(config, sizeof config, "{\"model_type\":\"t5\"," SHAPE ",\"t5gist\":{\"source_fingerprint\":\"%s\"}}", hash);
  put_model(config, NULL, TOKENIZER(""),
            "{\"x.weight\":{\"dtype\":\"U8\",\"shape\":[2,16],\"data_offsets\":[0,32]},"
            "\"x.weight_scale\":{\"dtype\":\"BF16\",\"shape\":[2,1],\"data_offsets\":[32,36]}}",
            36);
  EXPECT(folder, T5GIST_OK, ": 2 tensors of U8\n", "  parameters       64\n",
         "  fingerprint      0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef (of the source it was converted from)\n");
}

/* All problems are shown, the first one is the error, and what can still be read is. */
static void damaged_folders_are_described(void **state) {
  static const char config[] = "{\"model_type\":\"t5\"," SHAPE "}";
  (void)state;
  put_model(config, NULL, NULL, ONE_TENSOR, 24);
  EXPECT(folder, T5GIST_EIO, "  PROBLEM          ", "expected a tokenizer, spiece.model or tokenizer.json; found neither\n",
         "=expected a tokenizer, spiece.model or tokenizer.json", "  gist tokens      unknown without a tokenizer\n", "  parameters       6\n",
         "  fingerprint      unknown without a tokenizer\n");
  put_model(config, NULL, "{", ONE_TENSOR, 23);
  EXPECT(folder, T5GIST_EFORMAT, "tokenizer.json: expected JSON, found at line 1, column 1", "=tokenizer.json: expected JSON",
         "tensor x: expected its data to end at byte 24, found only 23 bytes", "  vocabulary       12 rows", "!fingerprint", "  file  ");
  put_model("{\"model_type\":\"t5\",\"vocab_size\":3,\"d_model\":2}", NULL, TOKENIZER(""), NULL, 0);
  EXPECT(folder, T5GIST_EMISMATCH, "has 4 pieces, more than the vocab_size 3", "=more than the vocab_size 3",
         "expected weights, model.safetensors or");
  put_model("{\"model_type\":\"t5\x1b[2J\"}", NULL, TOKENIZER(""), ONE_TENSOR, 24);
  EXPECT(folder, T5GIST_EFORMAT, "  PROBLEM          ", "=expected JSON", "!vocabulary", "  file  ");
  put_model("{\"model_type\":\"\\u001b[2J\"}", NULL, TOKENIZER(""), ONE_TENSOR, 24);
  EXPECT(folder, T5GIST_EUNSUPPORTED, "found \"?[2J\", which is not supported\n", "!vocabulary", " bytes  model.safetensors\n");
  put_model(NULL, NULL, TOKENIZER(""), ONE_TENSOR, 24);
  EXPECT(folder, T5GIST_EIO, "=found no config.json in it", " bytes  tokenizer.json\n");
}

static void only_files_are_listed(void **state) {
  (void)state;
  put_sound_model();
  folder_text(folder, ".hidden", "1");
  folder_text(folder, "two\nlines \x1b[2J", "12");
  assert_int_equal(mkdir(folder_path(folder, "inner"), 0700), 0);
  assert_int_equal(symlink("nowhere", folder_path(folder, "dangling")), 0);
  EXPECT(folder, T5GIST_OK, "                    2 bytes  two\\nlines \\x1b[2J\n", "!hidden", "!inner", "dangling: No such file or directory\n", " bytes  config.json\n");
  remove(folder_path(folder, "two\nlines \x1b[2J"));
  remove(folder_path(folder, "dangling"));
}

/* Called on what t5gist_inspect would take for a gist file. */
static void no_folder_is_told(void **state) {
  t5gist_error err = {0};
  char *text = NULL;
  size_t n;
  (void)state;
  folder_text(folder, "x", "");
  FILE *out = open_memstream(&text, &n);
  assert_int_equal(tg_inspect_folder(folder_path(folder, "x"), out, &err), T5GIST_EIO);
  fclose(out);
  assert_non_null(strstr(err.message, "expected a model folder, found a file"));
  free(text);
}

static void output_that_does_not_arrive_is_told(void **state) {
  t5gist_error err = {0};
  (void)state;
  FILE *full = fopen("/dev/full", "w");
  if (!full) skip();
  put_sound_model();
  assert_int_equal(t5gist_inspect(folder, full, &err), T5GIST_EIO);
  assert_non_null(strstr(err.message, "the description"));
  fclose(full);
}

/* --------------------------------------------------------------------------------------------------------------------------- gist file */

/* A sound gist file as x.gist: two gist tokens, bf16. Unless before is null, it is made `after` in the header, and the checksum right again. */
static void put_gist(bool cross, const char *before, const char *after) {
  static const char mark[] = "\"checksum\":\"";
  char hex[TG_SHA256_HEX];
  t5gist_error err;
  tg_buffer bytes = {0}, changed = {0};
  t5gist_gist *gist = make_up_gist("Sort the\nwords.", 2);
  CHECK_OK(tg_gist_write(gist, T5GIST_PAYLOAD_BF16, cross, &bytes, &err));
  if (before) {
    char *at = memmem(bytes.data, bytes.size, before, strlen(before));
    assert_non_null(at);
    const size_t first = (size_t)(at - bytes.data), rest = first + strlen(before);
    CHECK_OK(tg_buffer_append(&changed, bytes.data, first, &err));
    CHECK_OK(tg_buffer_append(&changed, after, strlen(after), &err));
    CHECK_OK(tg_buffer_append(&changed, bytes.data + rest, bytes.size - rest, &err));
    changed.data[0] = (char)(changed.data[0] + (char)strlen(after) - (char)strlen(before)); /* the header's length: not across 256 */
    char *digits = memmem(changed.data, changed.size, mark, sizeof mark - 1);
    if (digits) {
      digits += sizeof mark - 1;
      memset(digits, '0', 64);
      tg_sha256_hex(changed.data, changed.size, hex);
      memcpy(digits, hex, 64);
    }
  }
  folder_write(folder, "x.gist", before ? changed.data : bytes.data, before ? changed.size : bytes.size);
  tg_buffer_free(&bytes);
  tg_buffer_free(&changed);
  t5gist_gist_free(gist);
}

static void gists_are_described(void **state) {
  (void)state;
  const char *path = folder_path(folder, "x.gist");
  put_gist(true, NULL, NULL);
  EXPECT(path, T5GIST_OK, "  task             Sort the\\nwords.\n", "  compression      2 gist tokens for 3 task tokens\n",
         "  cross K and V    of 1 decoder layers\n", "  payload          bf16, ", "  shape            1 encoder layers, 2 heads of 8, d_model 16\n");
  put_gist(false, NULL, NULL);
  EXPECT(path, T5GIST_OK, "  cross K and V    not kept\n", "!DIFFERS");
}

static void damaged_gists_are_described(void **state) {
  char *path = strdup(folder_path(folder, "x.gist"));
  (void)state;
  put_gist(false, "\"format_version\":\"1\"", "\"format_version\":\"7\"");
  EXPECT(path, T5GIST_EMISMATCH, "=has gist format version 7", " stored, as computed\n", "  metadata         format_version = 7\n",
         "  tensor           enc.k = {\"dtype\":\"BF16\",\"shape\":[1,2,2,8],\"data_offsets\":[");
  put_gist(false, "\"checksum\":", "\"Checksum\":");
  EXPECT(path, T5GIST_EFORMAT, "=expected one \"checksum\" of 64 digits", "!stored",
         "  metadata         Checksum = ", "  metadata         n_task = 3\n");
  put_gist(false, "\"n_task\":\"3\"", "\"n_task\":3");
  EXPECT(path, T5GIST_EFORMAT, "=n_task: expected a string, found an integer", "  metadata         n_task = an integer\n");
  put_gist(false, "\"enc.v\"", "\"\\u001b[2J\"");
  EXPECT(path, T5GIST_EFORMAT, "  tensor           \\x1b[2J = {", "=expected the tensor enc.v, found none");
  put_gist(false, "{", "["); /* no JSON from the first byte on */
  EXPECT(path, T5GIST_EFORMAT, "  header           unreadable: ", "expected JSON, found at line 1", " stored, as computed\n");
  put_container("x.gist", "[1,2]", 7);
  EXPECT(path, T5GIST_EFORMAT, "  header           bytes 8 to 12, tensors behind it\n", "=found no \"format\":\"t5gist\" in its header",
         "!unreadable");
  put_container("x.gist", "{\"__metadata__\":[]}", 0);
  EXPECT(path, T5GIST_EFORMAT, "  header           bytes 8 to 26, tensors behind it\n", "!metadata  ", "!tensor  ");
  put_container("x.gist", "", 3);
  EXPECT(path, T5GIST_EFORMAT, "file ", ", 11 bytes\n", "  header           unreadable: ", "=found no \"format\":\"t5gist\"");
  folder_write(folder, "x.gist", "\xff\xff\xff\xff\xff\xff\xff\xff{}", 10);
  EXPECT(path, T5GIST_EFORMAT, "  header           expected 18446744073709551615 bytes at byte 8, found only 2 in the file\n");
  for (size_t n = 0; n < 8; n++) {
    char words[64];
    folder_write(folder, "x.gist", "\2\0\0\0\0\0\0", n);
    snprintf(words, sizeof words, "cut off: expected 8 bytes of length, found %zu\n", n);
    EXPECT(path, T5GIST_EFORMAT, words, "=whose first eight are no header length");
  }
  remove(path);
  EXPECT(path, T5GIST_EIO, "!file");
  free(path);
}

static void headers_that_would_take_much_memory_are_not_parsed(void **state) {
  enum { LISTS = 500000 };
  char *header = malloc(LISTS + 1);
  (void)state;
  assert_non_null(header);
  memset(header, '[', LISTS);
  header[LISTS] = 0;
  put_container("x.gist", header, 0);
  EXPECT(folder_path(folder, "x.gist"), T5GIST_EFORMAT, "  header           unreadable: ", "expected JSON whose values take at most");
  free(header);
}

static void larger_files_are_not_read(void **state) {
  (void)state;
  folder_text(folder, "x.gist", "");
  assert_int_equal(truncate(folder_path(folder, "x.gist"), (off_t)TG_GIST_FILE_LIMIT + 1), 0); /* a hole: nothing is on disk */
  EXPECT(folder_path(folder, "x.gist"), T5GIST_EFORMAT, "!file", "=expected at most 2147483648 bytes");
  remove(folder_path(folder, "x.gist"));
}

/* ---------------------------------------------------------------------------------------------------------------------------- failures */

enum { SOUND_FOLDER, DAMAGED_FOLDER, NO_TOKENIZER, SOUND_GIST, DAMAGED_GIST, N_SUBJECTS };

static void put_subject(int which) {
  if (which == SOUND_FOLDER) put_sound_model();
  if (which == DAMAGED_FOLDER) put_model("{\"model_type\":\"t5\"," SHAPE "}", NULL, TOKENIZER(GIST_TOKEN), ONE_TENSOR, 23);
  if (which == NO_TOKENIZER) put_model("{\"model_type\":\"t5\"," SHAPE "}", NULL, NULL, ONE_TENSOR, 24);
  if (which == SOUND_GIST) put_gist(true, NULL, NULL);
  if (which == DAMAGED_GIST) put_gist(true, "\"condition\":\"gist\"", "\"condition\":\"full\"");
}

/* Whether what was said in spite of a failure is the usual or names it. */
static void check_said(const char *what, int which, size_t n, const char *usual, t5gist_status usually, const char *said, t5gist_status status,
                       const t5gist_error *err) {
  const bool named = strstr(said, "not enough memory") || strstr(said, "PROBLEM") || (status && err->message[0]);
  if (status && (err->status != status || !err->message[0])) fail_msg("%s %zu of %d: status %d without a sentence", what, n, which, (int)status);
  if (status == usually ? strcmp(said, usual) != 0 && !named : !named) fail_msg("%s %zu of %d: expected\n%s\nfound\n%s", what, n, which, usual, said);
}

enum { MEMORY_ONCE, MEMORY_LASTING, FILE_CALLS };

/* Fails one allocation or call after the other. */
static void fail_each(int which, int way) {
  enum { KINDS = 1 << TG_IO_OPEN | 1 << TG_IO_READ | 1 << TG_IO_LIST | 1 << TG_IO_MAP };
  t5gist_error err;
  t5gist_status usually, status;
  put_subject(which);
  char *path = strdup(which < SOUND_GIST ? folder : folder_path(folder, "x.gist")), *usual = inspect(path, &usually, &err);
  inject_count count = {.failed = 1};
  for (size_t n = 1; count.failed; n++) {
    if (way == FILE_CALLS)
      inject_io(KINDS, n, false, INJECT_EIO);
    else
      inject_memory(n, way == MEMORY_LASTING);
    char *said = inspect(path, &status, &err);
    count = inject_stop();
    assert_true(way == FILE_CALLS || count.live == 0);
    if (count.failed) check_said(way == FILE_CALLS ? "call" : "allocation", which, n, usual, usually, said, status, &err);
    free(said);
  }
  free(usual);
  free(path);
}

static void lack_of_memory_is_told(void **state) {
  (void)state;
  for (int which = 0; which < N_SUBJECTS; which++) {
    fail_each(which, MEMORY_ONCE);
    fail_each(which, MEMORY_LASTING);
  }
}

static void unreadable_files_are_told(void **state) {
  (void)state;
  for (int which = 0; which < N_SUBJECTS; which++) fail_each(which, FILE_CALLS);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(sound_folders_are_described),
      cmocka_unit_test(converted_folders_are_described),
      cmocka_unit_test(damaged_folders_are_described),
      cmocka_unit_test(only_files_are_listed),
      cmocka_unit_test(no_folder_is_told),
      cmocka_unit_test(output_that_does_not_arrive_is_told),
      cmocka_unit_test(gists_are_described),
      cmocka_unit_test(damaged_gists_are_described),
      cmocka_unit_test(headers_that_would_take_much_memory_are_not_parsed),
      cmocka_unit_test(larger_files_are_not_read),
      cmocka_unit_test(lack_of_memory_is_told),
      cmocka_unit_test(unreadable_files_are_told),
  };
  inject_jansson();
  return cmocka_run_group_tests(tests, make_folder, drop_folder);
}
