/* UTF-8 against a decoder written from the table of RFC 3629. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "runtime/error.h"
#include "runtime/text.h"

static size_t encode(uint32_t c, char *out) {
  if (c < 0x80) return out[0] = (char)c, 1;
  if (c < 0x800) return out[0] = (char)(0xc0 | c >> 6), out[1] = (char)(0x80 | (c & 63)), 2;
  if (c < 0x10000) return out[0] = (char)(0xe0 | c >> 12), out[1] = (char)(0x80 | (c >> 6 & 63)), out[2] = (char)(0x80 | (c & 63)), 3;
  return out[0] = (char)(0xf0 | c >> 18), out[1] = (char)(0x80 | (c >> 12 & 63)), out[2] = (char)(0x80 | (c >> 6 & 63)),
         out[3] = (char)(0x80 | (c & 63)), 4;
}

static void every_character_is_valid_and_its_pieces_are_cut(void **state) {
  (void)state;
  for (uint32_t c = 0; c < 0x110000; c++) {
    char text[8] = "a";
    const size_t n = encode(c, text + 1);
    if (c >= 0xd800 && c < 0xe000) {
      if (tg_utf8_valid(text, n + 1) != 1) fail_msg("surrogate U+%04X is taken for valid", c);
      continue;
    }
    if (tg_utf8_valid(text, n + 1) != n + 1) fail_msg("U+%04X is taken for invalid", c);
    if (tg_utf8_whole(text, n + 1) != n + 1) fail_msg("U+%04X is taken for cut", c);
    for (size_t cut = 1; cut < n; cut++)
      if (tg_utf8_whole(text, cut + 1) != 1 || tg_utf8_valid(text, cut + 1) != 1) fail_msg("%zu bytes of U+%04X are taken for whole", cut, c);
  }
}

/* All pairs of bytes, and the classes of longer mistakes. */
static void invalid_bytes_are_found(void **state) {
  (void)state;
  for (unsigned a = 0; a < 256; a++) {
    for (unsigned b = 0; b < 256; b++) {
      const char text[2] = {(char)a, (char)b};
      const size_t expected = a < 0x80 ? 1 + (b < 0x80) : a >= 0xc2 && a < 0xe0 && b >= 0x80 && b < 0xc0 ? 2 : 0;
      if (tg_utf8_valid(text, 2) != expected) fail_msg("bytes %02x %02x", a, b);
    }
  }
  const char *const bad[] = {"\xc0\xaf", "\xc1\xbf", "\xe0\x9f\xbf", "\xed\xa0\x80", "\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80",
                             "\xff",     "\x80",     "\xe2\x28\xa1", "\xe2\x82\x28", "\xf0\x90\x28\xbc", "\xf0\x90\x8c\x28"};
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    char text[64] = "0123456789abcdef";
    strcat(text, bad[i]);
    assert_int_equal(tg_utf8_valid(text, strlen(text)), 16);
    assert_int_equal(tg_utf8_whole(text, strlen(text)), strlen(text)); /* never becomes whole: nothing to wait for */
  }
  assert_int_equal(tg_utf8_whole("", 0), 0);
  assert_int_equal(tg_utf8_valid("", 0), 0);
}

static void a_refusal_names_text_and_offset(void **state) {
  (void)state;
  t5gist_error err;
  assert_int_equal(tg_utf8_check("caf\xc3\xa9", 5, "the task", &err), T5GIST_OK);
  assert_int_equal(tg_utf8_check("caf\xe9 au lait", 12, "the task", &err), T5GIST_EFORMAT);
  assert_string_equal(err.message, "the task: expected valid UTF-8, found byte 0xe9 at offset 3");
  assert_int_equal(tg_utf8_check("caf\xc3", 4, "the task", &err), T5GIST_EFORMAT);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_character_is_valid_and_its_pieces_are_cut),
      cmocka_unit_test(invalid_bytes_are_found),
      cmocka_unit_test(a_refusal_names_text_and_offset),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
