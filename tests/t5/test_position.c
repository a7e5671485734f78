#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "t5/position.h"

/* Expected buckets: T5Attention._relative_position_bucket of transformers 4.57.1 at these distances. */
enum { N_POINTS = 97 };
static const int points[N_POINTS] = {
    -2000, -1000, -999, -501, -500, -300, -200, -129, -128, -127, -126, -100, -91, -90, -64, -63, -50, -49, -46, -45, -40, -37, -36, -33, -32, -31,
    -24, -23, -22, -21, -20, -18, -17, -16, -15, -13, -12, -11, -10, -9, -8, -7, -6, -5, -4, -3, -2, -1, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12,
    13, 15, 16, 17, 18, 20, 21, 22, 23, 24, 31, 32, 33, 36, 37, 40, 45, 46, 49, 50, 63, 64, 90, 91, 100, 126, 127, 128, 129, 200, 300, 500, 501,
    999, 1000, 2000};

static const struct {
  bool bidirectional;
  int n_buckets, max_distance;
  int expected[N_POINTS];
} cases[] = {
    {true, 32, 128,
     {
         15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 14, 14, 13, 13, 13, 13, 12, 12, 12, 12, 12, 12, 11, 11, 11, 10, 10, 10, 10, 10, 10, 9,
         9, 9, 8, 8, 8, 8, 7, 6, 5, 4, 3, 2, 1, 0, 17, 18, 19, 20, 21, 22, 23, 24, 24, 24, 24, 25, 25, 25, 26, 26, 26, 26, 26, 26, 27, 27, 27, 28,
         28, 28, 28, 28, 28, 29, 29, 29, 29, 30, 30, 31, 31, 31, 31, 31, 31, 31, 31, 31, 31, 31, 31, 31}},
    {false, 32, 128,
     {
         31, 31, 31, 31, 31, 31, 31, 31, 31, 31, 31, 30, 29, 29, 26, 26, 24, 24, 24, 23, 23, 22, 22, 21, 21, 21, 19, 18, 18, 18, 17, 16, 16, 16,
         15, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
         0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}},
    {true, 16, 64,
     {
         7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 6, 6, 6, 6, 6, 6, 6, 6, 6, 5, 5, 5, 5, 5, 5, 5, 4, 4, 4, 4, 3,
         2, 1, 0, 9, 10, 11, 12, 12, 12, 12, 13, 13, 13, 13, 13, 13, 13, 14, 14, 14, 14, 14, 14, 14, 14, 14, 15, 15, 15, 15, 15, 15, 15, 15, 15,
         15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15}},
    {false, 16, 64,
     {
         15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 14, 14, 14, 14, 13, 13, 13, 13, 13, 12, 12, 11, 11, 11, 11, 10, 10,
         10, 9, 9, 9, 8, 8, 8, 7, 6, 5, 4, 3, 2, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
         0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}},
    {true, 10, 37,
     {
         4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 3, 3, 3, 3, 3, 3, 3, 3, 2, 2, 2,
         2, 1, 0, 6, 7, 7, 7, 7, 8, 8, 8, 8, 8, 8, 8, 8, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9,
         9, 9, 9, 9, 9}},
    {false, 7, 50,
     {
         6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 4, 4, 4, 4, 4, 4, 3, 3, 3, 3,
         2, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
         0, 0, 0, 0, 0}},
    {true, 64, 1000,
     {
         31, 31, 31, 29, 29, 27, 25, 24, 24, 24, 23, 23, 22, 22, 21, 21, 20, 20, 20, 20, 19, 19, 19, 18, 18, 18, 17, 17, 17, 17, 16, 16, 16, 16,
         15, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0, 33, 34, 35, 36, 37, 38, 39, 40, 41, 42, 43, 44, 45, 47, 48, 48, 48, 48, 49, 49, 49, 49,
         50, 50, 50, 51, 51, 51, 52, 52, 52, 52, 53, 53, 54, 54, 55, 55, 56, 56, 56, 57, 59, 61, 61, 63, 63, 63}},
};

static void buckets_equal_the_reference(void **state) {
  (void)state;
  for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
    for (int i = 0; i < N_POINTS; i++) {
      assert_int_equal(tg_position_bucket(points[i], cases[c].bidirectional, cases[c].n_buckets, cases[c].max_distance), cases[c].expected[i]);
    }
  }
}

/* A view shorter or longer than the table holds the bias of the right bucket at every distance, for every head. */
static void views_hold_the_bias_of_each_distance(void **state) {
  (void)state;
  enum { BUCKETS = 16, HEADS = 3, LIMIT = 64 };
  float weights[BUCKETS * HEADS];
  for (int i = 0; i < BUCKETS * HEADS; i++) weights[i] = (float)i;
  tg_arena *arena;
  tg_position_table table;
  assert_int_equal(tg_arena_new(&arena, NULL), T5GIST_OK);
  assert_int_equal(tg_position_table_new(weights, BUCKETS, HEADS, LIMIT, true, &table, NULL), T5GIST_OK);
  const int reaches[] = {0, 1, LIMIT - 1, LIMIT, LIMIT + 1, 300};
  for (size_t i = 0; i < sizeof reaches / sizeof *reaches; i++) {
    tg_position_bias view;
    assert_int_equal(tg_position_bias_get(&table, reaches[i], arena, &view, NULL), T5GIST_OK);
    for (int d = -reaches[i]; d <= reaches[i]; d++) {
      const int bucket = tg_position_bucket(d, true, BUCKETS, LIMIT);
      for (int h = 0; h < HEADS; h++) {
        const float found = view.bias[(size_t)h * view.stride + (size_t)(view.zero + d)];
        assert_true(found == weights[bucket * HEADS + h]);
      }
    }
  }
  tg_position_table_free(&table);
  tg_arena_free(arena);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(buckets_equal_the_reference), cmocka_unit_test(views_hold_the_bias_of_each_distance)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
