/* The two pictures of a mask: the cells that they fill are the cells of the dense form, labels stand where they belong, XML stays XML. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "masking/masking.h"

typedef void draw_function(const tg_mask *mask, const char *const *labels, FILE *out);

static char *drawn(draw_function *draw, const tg_mask *mask, const char *const *labels) {
  char *text = NULL;
  size_t n;
  FILE *out = open_memstream(&text, &n);
  assert_non_null(out);
  draw(mask, labels, out);
  assert_int_equal(ferror(out), 0);
  assert_int_equal(fclose(out), 0);
  return text;
}

static int occurrences(const char *text, const char *word) {
  int n = 0;
  for (const char *at = text; (at = strstr(at, word)); at += strlen(word)) n++;
  return n;
}

static int seen_cells(const tg_mask *mask) {
  int n = 0;
  for (int i = 0; i < mask->n; i++) {
    for (int j = 0; j < mask->n; j++) n += tg_mask_encoder_sees(mask, i, j);
    n += tg_mask_decoder_sees(mask, i);
  }
  return n;
}

static void exact_text(void **state) {
  (void)state;
  static const char *const labels[] = {"a", "b", "<GIST>", "x", "</s>"};
  const tg_mask mask = tg_mask_make(T5GIST_GIST, 2, 1, 2);
  char *text = drawn(tg_mask_draw_text, &mask, labels);
  assert_string_equal(text,
                      "A row sees the columns marked █, not those marked ·\n\n"
                      "              0 1  2  3 4\n"
                      "   0 a        ████│██│· ·\n"
                      "   1 b        ████│██│· ·\n"
                      "              ────┼──┼────\n"
                      "   2 <GIST>   ████│██│· ·\n"
                      "              ────┼──┼────\n"
                      "   3 x        · · │██│████\n"
                      "   4 </s>     · · │██│████\n"
                      "\n     decoder  · · │██│████\n");
  free(text);
}

static void text_has_every_cell(void **state) {
  (void)state;
  enum { MOST = 130 };
  static const char *labels[MOST];
  for (int i = 0; i < MOST; i++) labels[i] = "w";
  for (int condition = 0; condition < T5GIST_N_CONDITIONS; condition++) {
    for (int n = 0; n <= MOST; n += 13) {
      const tg_mask mask = tg_mask_make((t5gist_condition)condition, n / 3, n < 20 ? n / 4 : 3, n - n / 3 - (n < 20 ? n / 4 : 3));
      char *text = drawn(tg_mask_draw_text, &mask, labels);
      assert_int_equal(occurrences(text, "█") - 1, seen_cells(&mask) * (n <= 40 ? 2 : 1)); /* the one more stands in the first line */
      assert_int_equal(occurrences(text, "·") - 1, n * (n + 1) - seen_cells(&mask));
      free(text);
    }
  }
}

static void long_labels_are_cut_on_characters(void **state) {
  (void)state;
  static const char *const labels[] = {"ääääääääääääääää", "ääääääääääääääääü"};
  const tg_mask mask = tg_mask_make(T5GIST_FULL, 0, 0, 2);
  char *text = drawn(tg_mask_draw_text, &mask, labels), *svg = drawn(tg_mask_draw_svg, &mask, labels);
  assert_non_null(strstr(text, "   0 ääääääääääääääää   ██"));
  assert_non_null(strstr(text, "   1 ääääääääääääääää…  ██"));
  assert_non_null(strstr(svg, ">ääääääääääääääää<"));
  assert_non_null(strstr(svg, ">ääääääääääääääää…<"));
  free(text);
  free(svg);
}

static void svg_escapes_and_closes(void **state) {
  (void)state;
  static const char *const labels[] = {"<GIST>", "a&b", "\"q\"", "\x01"};
  const tg_mask mask = tg_mask_make(T5GIST_GIST, 0, 1, 3);
  char *svg = drawn(tg_mask_draw_svg, &mask, labels);
  assert_non_null(strstr(svg, ">&lt;GIST&gt;</text>"));
  assert_non_null(strstr(svg, ">a&amp;b</text>"));
  assert_non_null(strstr(svg, ">&quot;q&quot;</text>"));
  assert_null(strchr(svg, '\x01'));
  assert_int_equal(occurrences(svg, "<text"), occurrences(svg, "</text>"));
  assert_int_equal(occurrences(svg, "class=\"row"), 5); /* four tokens and the decoder */
  assert_int_equal(occurrences(svg, "class=\"column\""), 4);
  assert_int_equal(strncmp(svg, "<svg ", 5), 0);
  assert_string_equal(svg + strlen(svg) - 7, "</svg>\n");
  free(svg);
}

/* A row's filled rectangle is as wide as what the row sees. */
static void svg_rectangles(void **state) {
  (void)state;
  static const char *const labels[] = {"a", "b", "g", "x", "e"};
  const tg_mask mask = tg_mask_make(T5GIST_GIST, 2, 1, 2);
  char *svg = drawn(tg_mask_draw_svg, &mask, labels);
  int row = 0;
  for (const char *at = svg; (at = strstr(at, "class=\"seen\" x=")); at++) {
    double x, y, width;
    if (strstr(at, "width=\"12.0\"") && strstr(at, "width=\"12.0\"") < strchr(at, '>')) continue; /* the legend's */
    assert_int_equal(sscanf(at, "class=\"seen\" x=\"%lf\" y=\"%lf\" width=\"%lf\"", &x, &y, &width), 3);
    assert_float_equal(width, 18.0 * 3, 0.01); /* three of five in every row of this mask */
    row++;
  }
  assert_int_equal(row, 5);
  assert_int_equal(occurrences(svg, "class=\"decoder\" x="), 2); /* its row, and the legend */
  free(svg);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(exact_text), cmocka_unit_test(text_has_every_cell),
                                     cmocka_unit_test(long_labels_are_cut_on_characters), cmocka_unit_test(svg_escapes_and_closes),
                                     cmocka_unit_test(svg_rectangles)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
