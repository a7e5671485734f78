/* tokenizer.json: rebuilt from the spiece.model files as Hugging Face writes it, it must tokenise as they do; lists of added tokens; refusals. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "runtime/memory.h"
#include "t5/tokenizer.h"
#include "t5/tokenizer_json.h"
#include "tests/support/folder.h"
#include "tests/support/inject.h"

#define FLAN TEST_SOURCE_DIR "/tests/data/flan-t5"
#define MINI TEST_SOURCE_DIR "/tests/data/mini"

/* ------------------------------------------------------------------------------------------- spiece.model to tokenizer.json, trusted */

typedef struct proto {
  const unsigned char *p, *end;
} proto;
typedef struct field {
  unsigned number;
  uint64_t value;
  proto inner;
} field;

static uint64_t varint(proto *in) {
  uint64_t v = 0;
  for (unsigned shift = 0;; shift += 7) {
    v |= (uint64_t)(*in->p & 0x7f) << shift;
    if (*in->p++ < 0x80) return v;
  }
}

static bool next_field(proto *in, field *f) {
  if (in->p >= in->end) return false;
  const uint64_t tag = varint(in);
  f->number = (unsigned)(tag >> 3);
  const size_t size = (tag & 7) == 2 ? varint(in) : (tag & 7) == 5 ? 4 : (tag & 7) == 1 ? 8 : 0;
  if ((tag & 7) == 0) f->value = varint(in);
  f->inner = (proto){in->p, in->p + size};
  in->p += size;
  return true;
}

static json_t *base64(proto bytes) {
  static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  const size_t n = (size_t)(bytes.end - bytes.p);
  char *out = malloc(n / 3 * 4 + 8);
  size_t at = 0;
  for (size_t i = 0; i < n; i += 3) {
    const size_t left = n - i;
    const uint32_t v = (uint32_t)bytes.p[i] << 16 | (left > 1 ? (uint32_t)bytes.p[i + 1] << 8 : 0) | (left > 2 ? bytes.p[i + 2] : 0);
    for (unsigned k = 0; k < 4; k++) out[at++] = k <= left ? digits[v >> (18 - 6 * k) & 63] : '=';
  }
  json_t *json = json_stringn(out, at);
  free(out);
  return json;
}

static json_t *piece_entry(proto in) {
  field f;
  proto text = {0};
  float score = 0;
  while (next_field(&in, &f)) {
    if (f.number == 1) text = f.inner;
    if (f.number == 2) memcpy(&score, f.inner.p, 4);
  }
  return json_pack("[s%f]", (const char *)text.p, (size_t)(text.end - text.p), (double)score);
}

/* extra: T5's hundred sentinels stand at the end of the vocabulary. */
static json_t *tokenizer_json(const char *spiece, bool extra) {
  size_t n;
  char *bytes = folder_read(spiece, &n);
  proto in = {(const unsigned char *)bytes, (const unsigned char *)bytes + n};
  json_t *vocab = json_array(), *charsmap = NULL;
  bool fallback = false;
  field f;
  while (next_field(&in, &f)) {
    field g;
    if (f.number == 1) json_array_append_new(vocab, piece_entry(f.inner));
    while (f.number == 3 && next_field(&f.inner, &g)) {
      if (g.number == 2) charsmap = base64(g.inner);
    }
    while (f.number == 2 && next_field(&f.inner, &g)) {
      if (g.number == 35) fallback = g.value != 0;
    }
  }
  free(bytes);
  for (int i = 99; extra && i >= 0; i--) {
    char name[32];
    snprintf(name, sizeof name, "<extra_id_%d>", i);
    json_array_append_new(vocab, json_pack("[sf]", name, 0.0));
  }
  return json_pack("{s[{sssisb}], s{sss[{ssso},{ssss}]}, s{sssssb}, s{sssisosb}}", "added_tokens", "content", "<pad>", "id", 0, "special", 1,
                   "normalizer", "type", "Sequence", "normalizers", "type", "Precompiled", "precompiled_charsmap", charsmap, "type", "Replace",
                   "content", "▁", "pre_tokenizer", "type", "Metaspace", "replacement", "▁", "add_prefix_space", 1, "model", "type", "Unigram",
                   "unk_id", 2, "vocab", vocab, "byte_fallback", fallback);
}

static void write_json(const char *folder, const char *name, json_t *json) {
  char *text = json_dumps(json, 0);
  folder_text(folder, name, text);
  free(text);
  json_decref(json);
}

/* -------------------------------------------------------------------------------------------------------------------------- the same */

static tg_tokenizer *open_tokenizer(const char *dir, int vocab_size) {
  tg_tokenizer *tokenizer = NULL;
  t5gist_error err = {0};
  if (tg_tokenizer_open(dir, vocab_size, &tokenizer, &err) != T5GIST_OK) fail_msg("%s", err.message);
  return tokenizer;
}

static void expect_same(const tg_tokenizer *a, const tg_tokenizer *b, const char *text) {
  tg_ids x = {0}, y = {0};
  assert_int_equal(tg_tokenizer_encode(a, text, strlen(text), &x, NULL), T5GIST_OK);
  assert_int_equal(tg_tokenizer_encode(b, text, strlen(text), &y, NULL), T5GIST_OK);
  if (x.n != y.n || (x.n && memcmp(x.ids, y.ids, x.n * sizeof *x.ids) != 0)) fail_msg("different ids for: %s", text);
  char *s = NULL, *t = NULL;
  assert_int_equal(tg_tokenizer_decode(a, x.ids, x.n, &s, NULL), T5GIST_OK);
  assert_int_equal(tg_tokenizer_decode(b, y.ids, y.n, &t, NULL), T5GIST_OK);
  assert_string_equal(s, t);
  tg_free(s);
  tg_free(t);
  tg_free(x.ids);
  tg_free(y.ids);
}

static uint32_t next_random(uint32_t *seed) {
  return (*seed = *seed * 1664525u + 1013904223u) >> 8;
}

static size_t put_character(char *out, uint32_t c) {
  if (c < 0x80) return out[0] = (char)c, 1;
  if (c < 0x800) return out[0] = (char)(0xc0 | c >> 6), out[1] = (char)(0x80 | (c & 63)), 2;
  if (c < 0x10000) return out[0] = (char)(0xe0 | c >> 12), out[1] = (char)(0x80 | (c >> 6 & 63)), out[2] = (char)(0x80 | (c & 63)), 3;
  return out[0] = (char)(0xf0 | c >> 18), out[1] = (char)(0x80 | (c >> 12 & 63)), out[2] = (char)(0x80 | (c >> 6 & 63)),
         out[3] = (char)(0x80 | (c & 63)), 4;
}

/* Letters and spaces, with some characters of every plane. */
static void random_text(uint32_t *seed, char *text) {
  const uint32_t length = next_random(seed) % 60;
  for (uint32_t i = 0; i < length; i++) {
    const uint32_t kind = next_random(seed) % 20, r = next_random(seed);
    const uint32_t c = kind < 12    ? 'a' + r % 26
                       : kind < 15  ? ' '
                       : kind < 17  ? '!' + r % 90
                       : kind == 17 ? 0xa0 + r % 0x500
                       : kind == 18 ? 0x2000 + r % 0x8000
                                    : 0x1f300 + r % 0x300;
    text += put_character(text, c);
  }
  *text = 0;
}

static void check_model(const char *dir, int vocab_size, bool extra) {
  char *folder = folder_new(TEST_BINARY_DIR), spiece[512], text[512];
  snprintf(spiece, sizeof spiece, "%s/spiece.model", dir);
  write_json(folder, "tokenizer.json", tokenizer_json(spiece, extra));
  tg_tokenizer *a = open_tokenizer(dir, vocab_size), *b = open_tokenizer(folder, vocab_size);
  assert_int_equal(tg_tokenizer_pieces(a), tg_tokenizer_pieces(b));
  assert_non_null(strstr(tg_tokenizer_path(b), "tokenizer.json"));
  static const char *const texts[] = {
      "", "Translate this.", " two  spaces\n", "ﬁne ① Straße", "x <extra_id_0> y <extra_id_99>", "</s><pad><unk><GIST>", "日本語 😀", "a\xcc\x81"};
  for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) expect_same(a, b, texts[i]);
  uint32_t seed = 3;
  for (int i = 0; i < 2000; i++) {
    random_text(&seed, text);
    expect_same(a, b, text);
  }
  tg_tokenizer_free(a);
  tg_tokenizer_free(b);
  folder_remove(folder);
}

static void test_same_ids(void **state) {
  (void)state;
  check_model(FLAN, 32128, true);
  check_model(MINI, 4096, false);
}

/* ---------------------------------------------------------------------------------------------------------------- added tokens, refusals */

static void test_added_tokens(void **state) {
  (void)state;
  static const struct {
    const char *name, *json;
  } files[] = {
      {"added_tokens.json", "{\"<GIST>\": 32100, \"<far>\": 99999}"},
      {"tokenizer_config.json", "{\"added_tokens_decoder\": {\"32100\": {\"content\": \"<GIST>\"}, \"99999\": {\"content\": \"<far>\"}}}"},
      {"tokenizer.json", "{\"added_tokens\": [{\"id\": 32100, \"content\": \"<GIST>\"}, {\"id\": 99999, \"content\": \"<far>\"}]}"},
  };
  for (size_t i = 0; i < 3; i++) {
    char *folder = folder_new(TEST_BINARY_DIR);
    folder_copy(folder, "spiece.model", FLAN "/spiece.model");
    folder_text(folder, files[i].name, files[i].json);
    tg_tokenizer *tokenizer = open_tokenizer(folder, 32128);
    assert_int_equal(tg_tokenizer_added(tokenizer, "<GIST>"), 32100);
    assert_int_equal(tg_tokenizer_added(tokenizer, "<far>"), -1); /* beyond the embedding */
    assert_int_equal(tg_tokenizer_added(tokenizer, "<other>"), -1);
    assert_string_equal(tg_tokenizer_piece(tokenizer, 32100), "<GIST>");
    tg_tokenizer_free(tokenizer);
    folder_remove(folder);
  }
}

static void refuse(const char *folder, t5gist_status status, const char *words) {
  tg_tokenizer *tokenizer = NULL;
  t5gist_error err = {0};
  const t5gist_status found = tg_tokenizer_open(folder, 32128, &tokenizer, &err);
  if (found != status || !strstr(err.message, words))
    fail_msg("expected status %d and \"%s\", found %d and \"%s\"", status, words, found, err.message);
  assert_null(tokenizer);
}

static void test_refusals(void **state) {
  (void)state;
#define MODEL(rest) "{\"pre_tokenizer\": {\"type\": \"Metaspace\"}, \"model\": {\"type\": \"Unigram\", " rest "}}"
#define WITH(normalizer, pre)                                \
  "{\"normalizer\": " normalizer ", \"pre_tokenizer\": " pre \
  ", \"model\": {\"type\": \"Unigram\", \"unk_id\": 0, \"vocab\": [[\"<unk>\", 0], [\"a\", -1]]}}"
#define NESTED(normalizer) "{\"type\": \"Sequence\", \"normalizers\": [" normalizer "]}"
#define METASPACE "{\"type\": \"Metaspace\"}"
#define ADDED(tokens) ", \"added_tokens\": [" tokens "]"
  static const struct {
    const char *json, *words;
    t5gist_status status;
  } cases[] = {
      {"[]", "found \"\"", T5GIST_EUNSUPPORTED},
      {"{\"model\": {\"type\": \"BPE\"}}", "expected \"Unigram\", found \"BPE\"", T5GIST_EUNSUPPORTED},
      {MODEL("\"unk_id\": 0, \"vocab\": []"), "model.vocab", T5GIST_EFORMAT},
      {MODEL("\"unk_id\": 0, \"vocab\": {}"), "model.vocab", T5GIST_EFORMAT},
      {MODEL("\"vocab\": [[\"a\", 0]]"), "model.unk_id", T5GIST_EFORMAT},
      {MODEL("\"unk_id\": 1, \"vocab\": [[\"a\", 0]]"), "unk_id", T5GIST_EFORMAT},
      {MODEL("\"unk_id\": 0, \"vocab\": [[\"a\", \"b\"]]"), "model.vocab[0]", T5GIST_EFORMAT},
      {MODEL("\"unk_id\": 0, \"vocab\": [[\"a\", 0], 3]"), "model.vocab[1]", T5GIST_EFORMAT},
      {MODEL("\"unk_id\": 0, \"vocab\": [[\"a\", 0], [\"\", 0]]"), "1 to 1024 bytes", T5GIST_EFORMAT},
      {MODEL("\"unk_id\": 0, \"vocab\": [[\"a\", 0], [\"b\", 1e300]]"), "finite score", T5GIST_EFORMAT},
      {MODEL("\"unk_id\": 0, \"byte_fallback\": true, \"vocab\": [[\"a\", 0], [\"b\", 0]]"), "256 byte pieces", T5GIST_EFORMAT},
      {WITH("{\"type\": \"Lowercase\"}", "{\"type\": \"Metaspace\"}"), "Lowercase", T5GIST_EUNSUPPORTED},
      {WITH("{\"type\": \"Precompiled\", \"precompiled_charsmap\": \"a\"}", "{\"type\": \"Metaspace\"}"), "base64", T5GIST_EFORMAT},
      {WITH("{\"type\": \"Precompiled\", \"precompiled_charsmap\": \"a*==\"}", "{\"type\": \"Metaspace\"}"), "base64", T5GIST_EFORMAT},
      {WITH("{\"type\": \"Precompiled\", \"precompiled_charsmap\": \"AAAA\"}", "{\"type\": \"Metaspace\"}"), "precompiled_charsmap", T5GIST_EFORMAT},
      {WITH("{\"type\": \"Precompiled\", \"precompiled_charsmap\": 3}", "{\"type\": \"Metaspace\"}"), "expected a string", T5GIST_EFORMAT},
      {WITH("null", "null"), "Metaspace", T5GIST_EUNSUPPORTED},
      {WITH("null", "{\"type\": \"ByteLevel\"}"), "ByteLevel", T5GIST_EUNSUPPORTED},
      {WITH("null", "{\"type\": \"Metaspace\", \"replacement\": \"_\"}"), "U+2581", T5GIST_EUNSUPPORTED},
      {"{\"model\": {\"type\": 1}}", "type: expected a string, found 1", T5GIST_EFORMAT},
      {"{\"model\": [\"Unigram\"]}", "model.type: expected \"Unigram\", found \"\"", T5GIST_EUNSUPPORTED},
      {MODEL("\"unk_id\": 0, \"vocab\": [[\"a\", 0, 1]]"), "model.vocab[0]: expected [piece, score]", T5GIST_EFORMAT},
      {MODEL("\"unk_id\": 0, \"vocab\": [[\"a\", 0], [7, 0]]"), "model.vocab[1]: expected [piece, score]", T5GIST_EFORMAT},
      {MODEL("\"unk_id\": 0, \"vocab\": [[\"<extra_id_1>\", 0], [\"<extra_id_0>\", 0]]"), "1 to 1048576 pieces, found 0", T5GIST_EFORMAT},
      {MODEL("\"unk_id\": 0, \"byte_fallback\": 1, \"vocab\": [[\"a\", 0]]"), "byte_fallback: expected true or false, found 1", T5GIST_EFORMAT},
      {MODEL("\"unk_id\": 0, \"byte_fallback\": true, \"vocab\": [[\"a\", 0], [\"<0xABC\", 0], [\"<0x41>\", 0]]"), "256 byte pieces, found 1",
       T5GIST_EFORMAT},
      {WITH("[]", "{\"type\": \"Metaspace\"}"), "normalizer: expected one Precompiled, Strip and Replace, found \"\"", T5GIST_EUNSUPPORTED},
      {WITH("{\"type\": 3}", "{\"type\": \"Metaspace\"}"), "type: expected a string, found 3", T5GIST_EFORMAT},
      {WITH(NESTED(NESTED(NESTED(NESTED(NESTED("{\"type\": \"Strip\"}"))))), "{\"type\": \"Metaspace\"}"),
       "Strip and Replace, found \"Sequence\", which", T5GIST_EUNSUPPORTED},
      {WITH("{\"type\": \"Sequence\", \"normalizers\": [{\"type\": \"Precompiled\", \"precompiled_charsmap\": \"\"}, {\"type\": \"Precompiled\"}]}",
            "{\"type\": \"Metaspace\"}"),
       "expected one Precompiled, Strip and Replace, found \"Precompiled\"", T5GIST_EUNSUPPORTED},
      {WITH("{\"type\": \"Precompiled\", \"precompiled_charsmap\": \"=\"}", "{\"type\": \"Metaspace\"}"),
       "precompiled_charsmap: expected base64, found a length of 1", T5GIST_EFORMAT},
      {WITH("{\"type\": \"Precompiled\", \"precompiled_charsmap\": \"A=A=\"}", "{\"type\": \"Metaspace\"}"),
       "precompiled_charsmap: expected base64, found another character at 1", T5GIST_EFORMAT},
      {WITH("null", "{\"type\": 4}"), "type: expected a string, found 4", T5GIST_EFORMAT},
      {WITH("null", "{\"type\": \"Sequence\"}"), "pre_tokenizer: expected Metaspace, found \"Sequence\"", T5GIST_EUNSUPPORTED},
      {WITH("null", "{\"type\": \"Sequence\", \"pretokenizers\": [{\"type\": []}]}"), "type: expected a string, found a list", T5GIST_EFORMAT},
      {WITH("null", "{\"type\": \"Metaspace\", \"replacement\": 5}"), "replacement: expected a string, found 5", T5GIST_EFORMAT},
      {WITH("null", "{\"type\": \"Metaspace\", \"add_prefix_space\": 6}"), "add_prefix_space: expected true or false, found 6", T5GIST_EFORMAT},
      {WITH("null", "{\"type\": \"Metaspace\", \"prepend_scheme\": 7}"), "prepend_scheme: expected a string, found 7", T5GIST_EFORMAT},
      {WITH("null", METASPACE ADDED("{\"id\": 1, \"content\": 8}")), "content: expected a string, found 8", T5GIST_EFORMAT},
      {WITH("null", METASPACE ADDED("{\"id\": 1, \"content\": \"x\"}, {\"id\": 2}")), "added_tokens[1]: expected a content, found none",
       T5GIST_EFORMAT},
      {WITH("null", METASPACE ADDED("{\"content\": \"x\"}")), "added token \"x\": expected an id from 0 to 2147483647, found nothing",
       T5GIST_EFORMAT},
      {WITH("null", METASPACE ADDED("{\"id\": -1, \"content\": \"x\", \"special\": true}")), "from 0 to 2147483647, found -1", T5GIST_EFORMAT},
      {WITH("null", METASPACE ADDED("{\"id\": 2147483648, \"content\": \"x\"}")), "from 0 to 2147483647, found 2147483648", T5GIST_EFORMAT},
  };
  char *folder = folder_new(TEST_BINARY_DIR);
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    folder_text(folder, "tokenizer.json", cases[i].json);
    refuse(folder, cases[i].status, cases[i].words);
  }
  folder_text(folder, "tokenizer.json", WITH("null", "{\"type\": \"Metaspace\"}")); /* no character map: the identity */
  tg_tokenizer_free(open_tokenizer(folder, 32128));
  folder_text(folder, "added_tokens.json", "{\"x\": \"y\"}");
  refuse(folder, T5GIST_EFORMAT, "added token \"x\"");
  folder_text(folder, "added_tokens.json", "[]");
  refuse(folder, T5GIST_EFORMAT, "added_tokens.json: expected an object");
  folder_remove(folder);
}

/* What may be left out or spelt in another way. */
static void test_optional_parts(void **state) {
  static const char *const sound[] = {
      WITH("{\"type\": \"Precompiled\"}", METASPACE),
      WITH("{\"type\": \"Precompiled\", \"precompiled_charsmap\": null}", METASPACE),
      WITH("{\"type\": \"Precompiled\", \"precompiled_charsmap\": \"\"}", METASPACE),
      WITH("{\"type\": \"Sequence\"}", METASPACE),
      WITH(NESTED(NESTED(NESTED("{\"type\": \"Strip\"}"))), METASPACE),
      WITH("null", METASPACE ADDED("{\"id\": 1, \"content\": \"x\", \"special\": false}, {\"id\": 7, \"content\": \"y\", \"special\": true}")),
  };
  char *folder = folder_new(TEST_BINARY_DIR);
  tg_ids ids = {0};
  (void)state;
  for (size_t i = 0; i < sizeof sound / sizeof *sound; i++) {
    folder_text(folder, "tokenizer.json", sound[i]);
    tg_tokenizer_free(open_tokenizer(folder, 32128));
  }
  for (int never = 0; never < 2; never++) { /* whether a text begins with a space */
    folder_text(folder, "tokenizer.json", never ? WITH("null", "{\"type\": \"Metaspace\", \"prepend_scheme\": \"never\"}") : WITH("null", METASPACE));
    tg_tokenizer *tokenizer = open_tokenizer(folder, 32128);
    assert_int_equal(tg_tokenizer_encode(tokenizer, "a", 1, &ids, NULL), T5GIST_OK);
    assert_int_equal(ids.ids[ids.n - 1], 1);
    assert_int_equal(ids.n, never ? 1 : 2);
    tg_tokenizer_free(tokenizer);
    ids.n = 0;
  }
  tg_free(ids.ids);
  folder_remove(folder);
}

/* One value in a list many times costs no memory of its own. */
static json_t *repeated(const char *json, size_t n) {
  json_t *value = json_loads(json, 0, NULL), *list = json_array();
  for (size_t i = 0; i < n; i++) json_array_append(list, value);
  json_decref(value);
  return list;
}

static void test_counts_are_limited(void **state) {
  tg_buffer model = {0};
  tg_added_tokens added = {0};
  t5gist_error err = {0};
  (void)state;
  json_t *json = json_pack("{s{sssosi}}", "model", "type", "Unigram", "vocab", repeated("[\"a\",0]", (1 << 20) + 1), "unk_id", 0);
  assert_int_equal(tg_tokenizer_json_model(json, "t.json", &model, &err), T5GIST_EFORMAT);
  assert_string_equal(err.message, "t.json: model.vocab: expected a list of 1 to 1048576 pieces, found 1048577");
  assert_int_equal(model.size, 0);
  json_decref(json);
  json = json_pack("{so}", "added_tokens", repeated("{\"id\":1,\"content\":\"x\"}", (1 << 16) + 1));
  assert_int_equal(tg_tokenizer_json_added(json, "t.json", &added, &err), T5GIST_EFORMAT);
  assert_string_equal(err.message, "t.json: expected at most 65536 added tokens, found more");
  assert_int_equal(added.n, 1 << 16);
  tg_added_tokens_free(&added);
  json_decref(json);
}

/* A buffer grows, and the growing fails, before any part of what is written: texts of many lengths put that place everywhere. */
static void test_growing_fails(void **state) {
  t5gist_error err;
  (void)state;
  for (int length = 1; length < 96; length++) {
    char text[100] = {0}, base64[400] = {0};
    memset(text, 'x', (size_t)length);
    memset(base64, 'A', 4 * (size_t)length);
    json_t *json = json_pack("{s{sssisb s[[si][si]]} s{ss} s{ssss}}", "model", "type", "Unigram", "unk_id", 0, "byte_fallback", 0, "vocab", text, 0,
                             "b", -1, "pre_tokenizer", "type", "Metaspace", "normalizer", "type", "Precompiled", "precompiled_charsmap", base64);
    assert_non_null(json);
    for (size_t n = 1;; n++) {
      tg_buffer model = {0};
      inject_memory(n, false);
      const t5gist_status status = tg_tokenizer_json_model(json, "t.json", &model, &err);
      tg_buffer_free(&model);
      const inject_count count = inject_stop();
      assert_int_equal(count.live, 0);
      assert_int_equal(status, count.failed ? T5GIST_ENOMEM : T5GIST_OK);
      if (!count.failed) break;
    }
    json_decref(json);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_same_ids),           cmocka_unit_test(test_added_tokens),
                                     cmocka_unit_test(test_refusals),           cmocka_unit_test(test_optional_parts),
                                     cmocka_unit_test(test_counts_are_limited), cmocka_unit_test(test_growing_fails)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
