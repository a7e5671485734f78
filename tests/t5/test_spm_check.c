/* Hostile sentencepiece models are refused before the library sees them; what passes, the library takes. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "runtime/memory.h"
#include "t5/spm.h"
#include "t5/spm_check.h"
#include "tests/support/folder.h"

/* ------------------------------------------------------------------------------------------------------------------- small models */

static void put(tg_buffer *out, const void *data, size_t n) {
  assert_int_equal(tg_buffer_append(out, data, n, NULL), T5GIST_OK);
}

static void put_varint(tg_buffer *out, uint64_t v) {
  for (; v >= 0x80; v >>= 7) put(out, &(unsigned char){(unsigned char)(v | 0x80)}, 1);
  put(out, &(unsigned char){(unsigned char)v}, 1);
}

static void put_message(tg_buffer *out, unsigned field, const void *data, size_t n) {
  put_varint(out, field << 3 | 2);
  put_varint(out, n);
  put(out, data, n);
}

static void put_number(tg_buffer *out, unsigned field, uint64_t v) {
  put_varint(out, field << 3);
  put_varint(out, v);
}

static void put_piece(tg_buffer *model, const char *text, size_t n, float score, unsigned type) {
  tg_buffer piece = {0};
  put_message(&piece, 1, text, n);
  put_varint(&piece, 2 << 3 | 5);
  put(&piece, &score, 4);
  put_number(&piece, 3, type);
  put_message(model, 1, piece.data, piece.size);
  tg_buffer_free(&piece);
}

/* <pad>, </s>, <unk>, ▁, a, b, ab */
static tg_buffer small_model(void) {
  tg_buffer model = {0};
  put_piece(&model, "<pad>", 5, 0, TG_PIECE_CONTROL);
  put_piece(&model, "</s>", 4, 0, TG_PIECE_CONTROL);
  put_piece(&model, "<unk>", 5, 0, TG_PIECE_UNKNOWN);
  put_piece(&model, "▁", 3, -1, TG_PIECE_NORMAL);
  put_piece(&model, "a", 1, -2, TG_PIECE_NORMAL);
  put_piece(&model, "b", 1, -3, TG_PIECE_NORMAL);
  put_piece(&model, "ab", 2, -4, TG_PIECE_NORMAL);
  return model;
}

static void put_charsmap(tg_buffer *model, const void *charsmap, size_t n) {
  tg_buffer spec = {0};
  put_message(&spec, 2, charsmap, n);
  put_message(model, 3, spec.data, spec.size);
  tg_buffer_free(&spec);
}

/* words null: must pass, and load. Frees the model. */
static void check(tg_buffer *bytes, t5gist_status status, const char *words) {
  tg_spm_model model;
  t5gist_error err = {0};
  const t5gist_status found = tg_spm_check(bytes->data, bytes->size, "x.model", &model, &err);
  if (found != status || (words && !strstr(err.message, words)))
    fail_msg("expected status %d and \"%s\", found %d and \"%s\"", status, words, found, err.message);
  if (!words) {
    tg_spm *spm = NULL;
    tg_ids ids = {0};
    if (tg_spm_open(bytes->data, bytes->size, model.n_pieces, "x.model", &spm, &err) != T5GIST_OK) fail_msg("%s", err.message);
    assert_int_equal(tg_spm_encode(spm, "abA b", 5, &ids, &err), T5GIST_OK);
    tg_free(ids.ids);
    tg_spm_close(spm);
    tg_spm_model_free(&model);
  }
  tg_buffer_free(bytes);
}

static void check_piece(const char *text, size_t n, float score, unsigned type, const char *words) {
  tg_buffer model = small_model();
  put_piece(&model, text, n, score, type);
  check(&model, words ? T5GIST_EFORMAT : T5GIST_OK, words);
}

static void test_pieces(void **state) {
  (void)state;
  static char huge[100 << 10];
  memset(huge, 'a', sizeof huge);
  tg_buffer good = small_model();
  check(&good, T5GIST_OK, NULL);
  check_piece(huge, 1024, -1, TG_PIECE_NORMAL, NULL);
  check_piece(huge, 1025, -1, TG_PIECE_NORMAL, "expected 1 to 1024 bytes, found 1025");
  check_piece(huge, sizeof huge, -1, TG_PIECE_NORMAL, "found 102400");
  check_piece("", 0, -1, TG_PIECE_NORMAL, "found 0");
  check_piece("x\0y", 3, -1, TG_PIECE_NORMAL, "NUL");
  check_piece("\xff", 1, -1, TG_PIECE_NORMAL, "UTF-8");
  check_piece("x", 1, NAN, TG_PIECE_NORMAL, "finite");
  check_piece("x", 1, -INFINITY, TG_PIECE_NORMAL, "finite");
  check_piece("x", 1, -1, 0, "type from 1 to 6");
  check_piece("x", 1, -1, 7, "type from 1 to 6");
  check_piece("x", 1, -1, TG_PIECE_UNKNOWN, "one piece of type unknown, found 2");
  check_piece("<0x41>", 6, -1, TG_PIECE_BYTE, "byte_fallback is off");
  check_piece("<0x4g>", 6, -1, TG_PIECE_BYTE, "<0x00> to <0xFF>");
  check_piece("<0x4a>", 6, -1, TG_PIECE_BYTE, "<0x00> to <0xFF>");
  tg_buffer empty = {0};
  put(&empty, "", 0);
  check(&empty, T5GIST_EFORMAT, "one piece of type unknown, found 0");

  tg_buffer twice = small_model(); /* left to the library, which says so */
  put_piece(&twice, "ab", 2, -1, TG_PIECE_NORMAL);
  tg_spm_model model;
  tg_spm *spm = NULL;
  t5gist_error err = {0};
  assert_int_equal(tg_spm_check(twice.data, twice.size, "x.model", &model, &err), T5GIST_OK);
  assert_int_equal(tg_spm_open(twice.data, twice.size, model.n_pieces, "x.model", &spm, &err), T5GIST_EFORMAT);
  assert_non_null(strstr(err.message, "already defined"));
  tg_spm_model_free(&model);
  tg_buffer_free(&twice);
}

static void test_nested_user_symbols(void **state) {
  (void)state;
  static const char text[] = "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx";
  for (int n = 32; n <= 33; n++) {
    tg_buffer model = small_model();
    put_piece(&model, "y", 1, 0, TG_PIECE_USER_DEFINED);
    for (int i = 1; i <= n; i++) put_piece(&model, text, (size_t)i, 0, TG_PIECE_USER_DEFINED);
    check(&model, n == 32 ? T5GIST_OK : T5GIST_EFORMAT, n == 32 ? NULL : "32 deep");
  }
}

static void test_specifications(void **state) {
  (void)state;
  const struct {
    unsigned field, value;
    t5gist_status status;
    const char *words;
  } trainer[] = {
      {3, 1, T5GIST_OK, NULL},
      {3, 2, T5GIST_EUNSUPPORTED, "expected a Unigram model (1), found 2"},
      {24, 1, T5GIST_EUNSUPPORTED, "treat_whitespace_as_suffix"},
      {35, 1, T5GIST_EFORMAT, "expected 256 byte pieces, found 0"},
  };
  for (size_t i = 0; i < sizeof trainer / sizeof *trainer; i++) {
    tg_buffer model = small_model(), spec = {0};
    put_number(&spec, trainer[i].field, trainer[i].value);
    put_message(&model, 2, spec.data, spec.size);
    tg_buffer_free(&spec);
    check(&model, trainer[i].status, trainer[i].words);
  }
  tg_buffer model = small_model();
  put_message(&model, 2, "", 0);
  put_message(&model, 2, "", 0);
  check(&model, T5GIST_EFORMAT, "one trainer_spec");
  model = small_model();
  put_message(&model, 3, "", 0);
  put_message(&model, 3, "", 0);
  check(&model, T5GIST_EFORMAT, "one normalizer_spec");
  model = small_model();
  put_message(&model, 5, "\x12\x01x", 3);
  check(&model, T5GIST_EUNSUPPORTED, "denormalizer");
  model = small_model();
  put_message(&model, 4, "", 0);
  check(&model, T5GIST_EUNSUPPORTED, "self-test");
}

static void check_bytes(const char *bytes, size_t n, const char *words) {
  tg_buffer model = small_model();
  put(&model, bytes, n);
  check(&model, T5GIST_EFORMAT, words);
}

static void test_wire_format(void **state) {
  (void)state;
  check_bytes("\x00", 1, "field tag");                                          /* field 0 */
  check_bytes("\xff", 1, "field tag");                                          /* cut */
  check_bytes("\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 11, "field tag"); /* more than 64 bits */
  check_bytes("\x0b", 1, "wire type");                                          /* a group */
  check_bytes(
      "\x0a\x05"
      "ab",
      4, "beyond the end");
  check_bytes("\x0a\xff\xff\xff\xff\x0f", 6, "beyond the end");
  check_bytes("\x08\x01", 2, "pieces: expected wire type 2");
  check_bytes("\x0a\x02\x10\x01", 4, "score: expected wire type 5");
  check_bytes("\x0a\x03\x15\x00\x00", 5, "the end inside a number");
}

/* -------------------------------------------------------------------------------------------------------------------- character maps */

enum { BLOCKS = 40, UNITS = 256 * BLOCKS, ROOT = 256 }; /* ROOT: the base where a text begins */

typedef struct charsmap {
  uint32_t trie_size;
  uint32_t units[UNITS];
  char table[8];
} charsmap;

/* No unit matches anything but those set below. */
static charsmap *new_charsmap(void) {
  charsmap *map = malloc(sizeof *map);
  map->trie_size = sizeof map->units;
  for (size_t i = 0; i < UNITS; i++) map->units[i] = 0x80000000u;
  map->units[0] = ROOT << 10;
  memcpy(map->table, "a\0bcde\0", 8);
  return map;
}

/* Byte label leads from base `from` to base `to`; leaf: with the value at table offset leaf, or -1. */
static void lead(charsmap *map, uint32_t from, uint32_t label, uint32_t to, int leaf) {
  const uint32_t at = from ^ label;
  map->units[at] = (at ^ to) << 10 | (leaf >= 0 ? 1u << 8 : 0) | label;
  if (leaf >= 0) map->units[to] = 0x80000000u | (uint32_t)leaf;
}

static void check_charsmap(charsmap *map, const char *words) {
  tg_buffer model = small_model();
  put_charsmap(&model, map, sizeof *map);
  free(map);
  check(&model, words ? T5GIST_EFORMAT : T5GIST_OK, words);
}

static void test_tries(void **state) {
  (void)state;
  charsmap *map = new_charsmap();
  lead(map, ROOT, 'A', 512, 0);
  lead(map, 512, 'B', 768, 2);
  check_charsmap(map, NULL);

  map = new_charsmap(); /* the root itself leaves the array */
  map->units[0] = UNITS << 10;
  check_charsmap(map, "unit 0 of 10240 leads outside");
  map = new_charsmap(); /* with the extension bit, far outside */
  map->units[0] = 0xfffffe00u & 0x7fffffffu;
  check_charsmap(map, "leads outside");
  map = new_charsmap();
  lead(map, ROOT, 'A', UNITS - 256, -1);
  lead(map, UNITS - 256, 'B', UNITS, -1);
  check_charsmap(map, "leads outside");
  map = new_charsmap();
  lead(map, ROOT, 'A', 512, -1);
  lead(map, 512, 'B', ROOT, -1);
  check_charsmap(map, "leads back");
  map = new_charsmap();
  lead(map, ROOT, 'A', 256, 8);
  check_charsmap(map, "outside the table");
  map = new_charsmap();
  memcpy(map->table, "\xc3\xa9x\0\0\0\0", 8);
  lead(map, ROOT, 'A', 256, 1);
  check_charsmap(map, "inside a character");
  map = new_charsmap();
  map->table[7] = 'x';
  check_charsmap(map, "end with NUL");
  map = new_charsmap();
  map->table[2] = '\xff';
  check_charsmap(map, "UTF-8");
  for (uint32_t n = 32; n <= 33; n++) { /* the library keeps 32 matches on its stack and reads as many as there are */
    map = new_charsmap();
    for (uint32_t i = 0; i < n; i++) lead(map, ROOT + 256 * i, 'A', ROOT + 256 * (i + 1), 0);
    check_charsmap(map, n == 32 ? NULL : "more than 32 matches");
  }
}

static void test_charsmap_sizes(void **state) {
  (void)state;
  static const struct {
    size_t size;
    uint32_t trie_size;
  } cases[] = {
      {1, 0},      {2, 0}, {3, 0}, {4, 0}, {5, 0}, {1028, 1024}, {1029, 0}, {1029, 1025}, {1029, 2048}, {2048, 0xffffffff}, {2048, 0xfffffc00},
      {3000, 1000}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    char bytes[4096] = {0};
    memcpy(bytes, &cases[i].trie_size, 4);
    tg_buffer model = small_model();
    put_charsmap(&model, bytes, cases[i].size);
    check(&model, T5GIST_EFORMAT, "precompiled_charsmap");
  }
}

/* Every truncation and three changes of every byte of a small model with a character map: refused, or loaded and used without harm. */
static void test_every_byte(void **state) {
  (void)state;
  static const unsigned char patterns[] = {0x01, 0x80, 0xff};
  charsmap *map = new_charsmap();
  lead(map, ROOT, 'A', 512, 0);
  lead(map, 512, 'B', 768, 2);
  struct {
    uint32_t trie_size, units[1024];
    char table[8];
  } small;
  small.trie_size = sizeof small.units;
  memcpy(small.units, map->units, sizeof small.units);
  memcpy(small.table, map->table, 8);
  free(map);
  tg_buffer model = small_model();
  put_charsmap(&model, &small, sizeof small);
  for (size_t at = 0; at < model.size; at++) {
    for (size_t p = 0; p <= sizeof patterns; p++) {
      const size_t n = p ? model.size : at;
      char *copy = malloc(n + !n);
      tg_spm_model checked;
      tg_spm *spm = NULL;
      memcpy(copy, model.data, n);
      if (p) copy[at] = (char)(copy[at] ^ patterns[p - 1]);
      if (tg_spm_check(copy, n, "x.model", &checked, NULL) == T5GIST_OK) {
        if (tg_spm_open(copy, n, checked.n_pieces, "x.model", &spm, NULL) == T5GIST_OK) {
          tg_ids ids = {0};
          (void)tg_spm_encode(spm, "ab A ABba\xc3\xa9 C", 12, &ids, NULL);
          tg_free(ids.ids);
          tg_spm_close(spm);
        }
        tg_spm_model_free(&checked);
      }
      free(copy);
    }
  }
  tg_buffer_free(&model);
}

static void test_real_models(void **state) {
  (void)state;
  static const char *const paths[] = {TEST_SOURCE_DIR "/tests/data/flan-t5/spiece.model", TEST_SOURCE_DIR "/models/mini/spiece.model"};
  for (size_t i = 0; i < 2; i++) {
    size_t n;
    char *bytes = folder_read(paths[i], &n);
    tg_spm_model model;
    t5gist_error err = {0};
    if (tg_spm_check(bytes, n, paths[i], &model, &err) != T5GIST_OK) fail_msg("%s", err.message);
    assert_true(model.n_pieces > 1000 && model.add_dummy_prefix && model.remove_extra_whitespaces);
    tg_spm_model_free(&model);
    free(bytes);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_pieces),         cmocka_unit_test(test_nested_user_symbols),
      cmocka_unit_test(test_specifications), cmocka_unit_test(test_wire_format),
      cmocka_unit_test(test_tries),          cmocka_unit_test(test_charsmap_sizes),
      cmocka_unit_test(test_every_byte),     cmocka_unit_test(test_real_models),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
