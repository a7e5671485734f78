/* Masks against matrices drawn by hand. Rows are queries, columns are keys; the line after "|" is the decoder's row. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "masking/masking.h"

typedef struct drawn {
  t5gist_condition condition;
  int n_task, n_gist, n_input;
  const char *picture; /* the encoder's rows, then the decoder's, separated by spaces */
} drawn;

static const drawn cases[] = {
    /* task a b, one gist, input x </s>: the matrix of the documents */
    {T5GIST_GIST, 2, 1, 2, "11100 11100 11100 00111 00111 00111"},
    {T5GIST_POS_CONTROL, 2, 1, 2, "11111 11111 11111 11111 11111 11111"},
    {T5GIST_NEG_CONTROL, 2, 1, 2, "11100 11100 11100 00011 00011 00011"},
    {T5GIST_PREFIX, 2, 1, 2, "11100 11100 11100 11111 11111 11111"},
    {T5GIST_FULL, 2, 1, 2, "11111 11111 11111 11111 11111 11111"},
    /* three gists */
    {T5GIST_GIST, 1, 3, 2, "111100 111100 111100 111100 011111 011111 011111"},
    {T5GIST_POS_CONTROL, 1, 3, 2, "111111 111111 111111 111111 111111 111111 111111"},
    {T5GIST_NEG_CONTROL, 1, 3, 2, "111100 111100 111100 111100 000011 000011 000011"},
    {T5GIST_PREFIX, 1, 3, 2, "111100 111100 111100 111100 111111 111111 111111"},
    {T5GIST_FULL, 1, 3, 2, "111111 111111 111111 111111 111111 111111 111111"},
    /* no gist: everything visible in every condition */
    {T5GIST_GIST, 2, 0, 1, "111 111 111 111"},
    {T5GIST_POS_CONTROL, 2, 0, 1, "111 111 111 111"},
    {T5GIST_NEG_CONTROL, 2, 0, 1, "111 111 111 111"},
    {T5GIST_PREFIX, 2, 0, 1, "111 111 111 111"},
    {T5GIST_FULL, 2, 0, 1, "111 111 111 111"},
    /* an empty input: only </s> follows the gists */
    {T5GIST_GIST, 2, 1, 1, "1110 1110 1110 0011 0011"},
    {T5GIST_POS_CONTROL, 2, 1, 1, "1111 1111 1111 1111 1111"},
    {T5GIST_NEG_CONTROL, 2, 1, 1, "1110 1110 1110 0001 0001"},
    {T5GIST_PREFIX, 2, 1, 1, "1110 1110 1110 1111 1111"},
    {T5GIST_FULL, 2, 1, 1, "1111 1111 1111 1111 1111"},
    /* an empty task */
    {T5GIST_GIST, 0, 1, 2, "100 111 111 111"},
    {T5GIST_POS_CONTROL, 0, 1, 2, "111 111 111 111"},
    {T5GIST_NEG_CONTROL, 0, 1, 2, "100 011 011 011"},
    {T5GIST_PREFIX, 0, 1, 2, "100 111 111 111"},
    {T5GIST_FULL, 0, 1, 2, "111 111 111 111"},
    /* nothing after the gists: what the prefix pass computes */
    {T5GIST_GIST, 2, 2, 0, "1111 1111 1111 1111 0011"},
    {T5GIST_NEG_CONTROL, 2, 2, 0, "1111 1111 1111 1111 0000"},
    {T5GIST_PREFIX, 2, 2, 0, "1111 1111 1111 1111 1111"},
    /* gists alone, input alone, nothing */
    {T5GIST_GIST, 0, 2, 0, "11 11 11"},
    {T5GIST_GIST, 0, 0, 2, "11 11 11"},
    {T5GIST_GIST, 0, 0, 0, ""},
};

static void check(const drawn *c) {
  char picture[128], *at = picture;
  unsigned char encoder[64], cross[8];
  const tg_mask mask = tg_mask_make(c->condition, c->n_task, c->n_gist, c->n_input);
  const int n = c->n_task + c->n_gist + c->n_input;
  assert_int_equal(mask.n, n);
  tg_mask_dense(&mask, encoder, cross);
  for (int i = 0; i <= n && n > 0; i++) {
    for (int j = 0; j < n; j++) *at++ = (char)('0' + (i < n ? encoder[i * n + j] : cross[j]));
    *at++ = i < n ? ' ' : 0;
  }
  *at = 0;
  if (strcmp(picture, c->picture))
    fail_msg("condition %d, %d + %d + %d: expected %s, found %s", c->condition, c->n_task, c->n_gist, c->n_input, c->picture, picture);
}

static void matrices(void **state) {
  (void)state;
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) check(&cases[i]);
}

/* Segments are what attention runs over: in order, no gap, no overlap, within the prompt. */
static void segments_cover_every_query_once(void **state) {
  (void)state;
  for (int condition = 0; condition < T5GIST_N_CONDITIONS; condition++) {
    for (int lengths = 0; lengths < 4 * 4 * 4; lengths++) {
      const tg_mask mask = tg_mask_make((t5gist_condition)condition, lengths % 4, lengths / 4 % 4, lengths / 16);
      int next = 0;
      assert_true(mask.n_segments <= TG_MAX_SEGMENTS);
      for (int i = 0; i < mask.n_segments; i++) {
        const tg_segment *s = &mask.encoder[i];
        assert_int_equal(s->q_begin, next);
        assert_true(s->q_end > s->q_begin && s->k_begin >= 0 && s->k_end > s->k_begin && s->k_end <= mask.n);
        next = s->q_end;
      }
      assert_int_equal(next, mask.n);
      assert_true(mask.cross.begin >= 0 && mask.cross.begin <= mask.cross.end && mask.cross.end <= mask.n);
    }
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(matrices), cmocka_unit_test(segments_cover_every_query_once)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
