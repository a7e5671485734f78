/* Plans: what their spans show whom, put back into dense form, is what masking/ says; sharing, auxiliary tasks, weights, teachers, draws;
 * micro-batches. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "runtime/memory.h"
#include "training/batch.h"

enum { VOCABULARY = 4000, END = 1, START = 0, MOST = 64, REBUILD_START = 3999, COPY_START = 3998 };

static int32_t distinct_gists[] = {3000, 3001, 3002, 3003, 3004, 3005, 3006, 3007}, repeated_gist[] = {3100};

static tg_config make_config(bool distinct) {
  return (tg_config){.vocab_size = VOCABULARY,
                     .eos_id = END,
                     .start_id = START,
                     .gist_ids = distinct ? distinct_gists : repeated_gist,
                     .n_gist_ids = distinct ? 8 : 1};
}

static tg_batch_options make_options(void) {
  return (tg_batch_options){.seed = 7,
                            .conditions = {1, 1, 1, 1, 1},
                            .gists = {1, 2, 4},
                            .n_gists = 3,
                            .rebuild_weight = 0.5f,
                            .copy_weight = 0.25f,
                            .rebuild_start = REBUILD_START,
                            .copy_start = COPY_START,
                            .cross_entropy = 1,
                            .teacher_condition = T5GIST_FULL};
}

/* Examples whose tokens say whose they are: task t has ids 1000 + 40 t .., input of example i 2000 + 20 i .., its target 10 + 20 i .. */
static int32_t pool[MOST][3][32];
static tg_example make_example(int i, int task, int n_task, int n_input, int n_target) {
  tg_example e = {
      .task = pool[i][0], .input = pool[i][1], .target = pool[i][2], .n_task = n_task, .n_input = n_input, .n_target = n_target, .family = -1};
  e.task_hash = (uint64_t)(unsigned)task * 77 + (unsigned)n_task;
  for (int j = 0; j < n_task; j++) pool[i][0][j] = 1000 + 40 * task + j;
  for (int j = 0; j < n_input; j++) pool[i][1][j] = j + 1 < n_input ? 2000 + 20 * i + j : END;
  for (int j = 0; j < n_target; j++) pool[i][2][j] = j + 1 < n_target ? 10 + 20 * i + j : END;
  return e;
}

static void make_plan(const tg_config *config, const tg_batch_options *options, const tg_example *examples, int n, int condition, int gists,
                      tg_plan *plan) {
  uint64_t ids[MOST];
  t5gist_error err = {0};
  for (int i = 0; i < n; i++) ids[i] = 100 + (uint64_t)i;
  if (tg_batch_make(config, options, examples, ids, n, 5, 10, condition, gists, plan, &err)) fail_msg("%s", err.message);
}

/* --------------------------------------------------------------------------------------------------------------- back into dense form */

static const tg_train_span *span_of(const tg_plan *plan, int row) {
  const tg_train_span *found = NULL;
  for (int s = 0; s < plan->n_encoder_spans; s++) {
    const tg_train_span *span = &plan->encoder_spans[s];
    if (row < span->q_begin || row >= span->q_begin + span->n_q) continue;
    assert_null(found);
    found = span;
  }
  assert_non_null(found);
  return found;
}

/* Rows of a prompt's positions, by what its last rows see, and what those see in turn; -1: nobody sees it, so it is not there. */
static void find_rows(const tg_plan *plan, int first_row, int first_position, int n, int rows[MOST]) {
  bool done[MOST] = {false};
  for (int p = 0; p < n; p++) rows[p] = p < first_position ? -1 : first_row + p - first_position;
  for (bool more = true; more;) {
    more = false;
    for (int p = n - 1; p >= 0; p--) {
      if (rows[p] < 0 || done[p]) continue;
      done[p] = more = true;
      const tg_train_span *span = span_of(plan, rows[p]);
      assert_int_equal(span->q_position + rows[p] - span->q_begin, p);
      for (int part = 0; part < TG_TRAIN_KEY_PARTS; part++) {
        const tg_train_keys *keys = &span->keys[part];
        for (int j = 0; j < keys->n; j++) {
          int *row = &rows[keys->position + j];
          assert_true(*row < 0 || *row == keys->begin + j);
          *row = keys->begin + j;
        }
      }
    }
  }
}

static bool among(const tg_train_keys keys[TG_TRAIN_KEY_PARTS], int row) {
  int times = 0;
  for (int part = 0; part < TG_TRAIN_KEY_PARTS; part++) times += row >= keys[part].begin && row < keys[part].begin + keys[part].n;
  assert_true(times < 2);
  return times == 1;
}

static int tokens_seen(const tg_train_keys keys[TG_TRAIN_KEY_PARTS]) {
  return keys[0].n + keys[1].n;
}

static void expect_prompt(const tg_config *config, const tg_plan *plan, const tg_plan_answer *a, const tg_example *e, t5gist_condition condition,
                          int k) {
  const int g = e->n_task + k, n = g + e->n_input;
  const tg_mask mask = tg_mask_make(condition, e->n_task, k, e->n_input);
  unsigned char dense[MOST * MOST], cross[MOST];
  tg_mask_dense(&mask, dense, cross);
  const tg_train_keys *last = &a->seen[a->seen[1].n ? 1 : 0];
  int rows[MOST], visible = 0;
  find_rows(plan, last->begin + last->n - e->n_input, g, n, rows);
  for (int p = 0; p < n; p++) {
    if (rows[p] < 0) {
      assert_int_equal(condition, T5GIST_NEG_CONTROL);
      assert_true(p < g && !cross[p]);
      continue;
    }
    const int32_t expected = p < e->n_task ? e->task[p] : p < g ? config->gist_ids[config->n_gist_ids > 1 ? p - e->n_task : 0] : e->input[p - g];
    assert_int_equal(plan->encoder_ids[rows[p]], expected);
    const tg_train_span *span = span_of(plan, rows[p]);
    int seen = 0;
    for (int key = 0; key < n; key++) {
      assert_int_equal(dense[p * n + key], rows[key] >= 0 && among(span->keys, rows[key]));
      seen += dense[p * n + key];
    }
    assert_int_equal(tokens_seen(span->keys), seen); /* and nothing of anybody else */
    assert_int_equal(cross[p], among(a->seen, rows[p]));
    visible += cross[p];
  }
  assert_int_equal(tokens_seen(a->seen), visible);
}

static void expect_covered(const tg_plan *plan) {
  int rows = 0, decoder = 0;
  for (int s = 0; s < plan->n_encoder_spans; s++) rows += plan->encoder_spans[s].n_q;
  assert_int_equal(rows, plan->n_encoder);
  for (int row = 0; row < rows; row++) span_of(plan, row);
  for (int i = 0; i < plan->n_answers; i++) {
    assert_int_equal(plan->answers[i].begin, decoder);
    decoder += plan->answers[i].n;
  }
  assert_int_equal(decoder, plan->n_decoder);
}

static void expect_answer(const tg_plan *plan, const tg_plan_answer *a, int32_t start, const int32_t *tokens, int n, double weight) {
  assert_int_equal(a->n, n);
  for (int row = 0; row < n; row++) {
    assert_int_equal(plan->decoder_ids[a->begin + row], row ? tokens[row - 1] : start);
    assert_int_equal(plan->targets[a->begin + row], tokens[row]);
    assert_true(fabs((double)plan->weights[a->begin + row] - weight) < 1e-7);
  }
}

static void test_spans_are_the_masks(void **state) {
  (void)state;
  const int lengths[][3] = {{3, 4, 2}, {1, 1, 1}, {7, 1, 3}, {0, 5, 2}, {2, 6, 1}};
  tg_batch_options options = make_options();
  for (int variant = 0; variant < 4 * TG_N_CONDITIONS; variant++) {
    const tg_config config = make_config(variant & 1);
    options.share_tasks = variant & 2;
    const t5gist_condition condition = (t5gist_condition)(variant / 4);
    for (int k = 1; k <= 5; k += 2) {
      tg_example examples[10];
      for (int i = 0; i < 10; i++) examples[i] = make_example(i, i % 5 / 2, lengths[i % 5][0], lengths[i % 5][1], lengths[i % 5][2]);
      tg_plan plan;
      make_plan(&config, &options, examples, 10, (int)condition, k, &plan);
      expect_covered(&plan);
      assert_int_equal(plan.n_answers, 10);
      for (int i = 0; i < 10; i++) {
        const tg_plan_answer *a = &plan.answers[i];
        assert_int_equal(a->example, i);
        assert_int_equal(a->kind, TG_TASK_ANSWER);
        expect_prompt(&config, &plan, a, &examples[i], condition, condition == T5GIST_FULL ? 0 : k);
        expect_answer(&plan, a, START, examples[i].target, examples[i].n_target, 0.1);
      }
      tg_plan_free(&plan);
    }
  }
}

static void test_neg_control_leaves_task_and_gist_out(void **state) {
  (void)state;
  const tg_config config = make_config(false);
  const tg_batch_options options = make_options();
  tg_example examples[2] = {make_example(0, 0, 9, 4, 2), make_example(1, 1, 5, 3, 2)};
  tg_plan plan;
  make_plan(&config, &options, examples, 2, T5GIST_NEG_CONTROL, 2, &plan);
  assert_int_equal(plan.n_encoder, 7);
  assert_int_equal(plan.encoder_spans[0].q_position, 11); /* as if the prompt stood in a row */
  assert_int_equal(plan.encoder_spans[1].q_position, 7);
  tg_plan_free(&plan);
}

/* ----------------------------------------------------------------------------------------------------------------------------- sharing */

static int rows_of(const tg_config *config, const tg_batch_options *options, const tg_example *examples, int n, int condition, int k) {
  tg_plan plan;
  make_plan(config, options, examples, n, condition, k, &plan);
  const int rows = plan.n_encoder;
  tg_plan_free(&plan);
  return rows;
}

static void test_examples_of_a_task_share_its_rows(void **state) {
  (void)state;
  const tg_config config = make_config(true);
  tg_batch_options options = make_options();
  tg_example examples[4] = {make_example(0, 0, 9, 4, 2), make_example(1, 1, 6, 3, 2), make_example(2, 0, 9, 2, 2), make_example(3, 0, 9, 5, 2)};
  const int inputs = 4 + 3 + 2 + 5, k = 2;
  assert_int_equal(rows_of(&config, &options, examples, 4, T5GIST_GIST, k), inputs + 3 * (9 + k) + 6 + k);
  options.share_tasks = true;
  assert_int_equal(rows_of(&config, &options, examples, 4, T5GIST_GIST, k), inputs + 9 + k + 6 + k);
  assert_int_equal(rows_of(&config, &options, examples, 4, T5GIST_PREFIX, k), inputs + 9 + k + 6 + k);
  assert_int_equal(rows_of(&config, &options, examples, 4, T5GIST_POS_CONTROL, k), inputs + 3 * (9 + k) + 6 + k); /* the task sees the input there */
  assert_int_equal(rows_of(&config, &options, examples, 4, T5GIST_FULL, k), inputs + 3 * 9 + 6);
  assert_int_equal(rows_of(&config, &options, examples, 4, T5GIST_NEG_CONTROL, k), inputs);
  examples[3] = make_example(3, 5, 9, 5, 2);
  examples[3].task_hash = examples[0].task_hash; /* a collision of hashes is no shared task */
  assert_int_equal(rows_of(&config, &options, examples, 4, T5GIST_GIST, k), inputs + 2 * (9 + k) + 6 + k);
}

/* The condition and k of an answer, found by what its input's rows see and where they stand; the prompt must be as the mask says. */
static int expect_drawn_prompt(const tg_config *config, const tg_plan *plan, const tg_plan_answer *a, const tg_example *e) {
  const tg_train_keys *last = &a->seen[a->seen[1].n ? 1 : 0];
  const int suffix = last->begin + last->n - e->n_input;
  const tg_train_span *span = span_of(plan, suffix);
  const int k = span->q_position + suffix - span->q_begin - e->n_task;
  int found = -1;
  for (int c = 0; c < TG_N_CONDITIONS; c++) {
    const tg_mask mask = tg_mask_make((t5gist_condition)c, e->n_task, k, e->n_input);
    const bool whole = span->q_begin != suffix;
    if ((c == T5GIST_FULL) != (k == 0) || mask.cross.end - mask.cross.begin != tokens_seen(a->seen) || (mask.n_segments == 1) != whole) continue;
    assert_int_equal(found, -1);
    found = c;
    expect_prompt(config, plan, a, e, (t5gist_condition)c, k);
  }
  assert_int_not_equal(found, -1);
  return found;
}

/* Mixed conditions and numbers of gist tokens: whatever was drawn, each example's prompt is as its mask says; rows are shared only where they are
 * alike. */
static void test_mixed_draws_share_what_is_alike(void **state) {
  (void)state;
  const tg_config config = make_config(true);
  tg_batch_options options = make_options();
  options.share_tasks = true;
  tg_example examples[24];
  int conditions[TG_N_CONDITIONS] = {0};
  for (int i = 0; i < 24; i++) examples[i] = make_example(i, i % 2, 5 + i % 2, 2 + i % 4, 2);
  for (options.seed = 0; options.seed < 20; options.seed++) {
    tg_plan plan;
    make_plan(&config, &options, examples, 24, T5GIST_UNSET, T5GIST_UNSET, &plan);
    expect_covered(&plan);
    int prefixes = 0;
    for (int s = 0; s < plan.n_encoder_spans; s++) {
      const int32_t last = plan.encoder_ids[plan.encoder_spans[s].q_begin + plan.encoder_spans[s].n_q - 1];
      prefixes += last >= 3000 && last < 3008;
    }
    assert_in_range(prefixes, 1, 2 * 3); /* tasks times numbers of gist tokens */
    for (int i = 0; i < 24; i++) conditions[expect_drawn_prompt(&config, &plan, &plan.answers[i], &examples[i])]++;
    tg_plan_free(&plan);
  }
  for (int c = 0; c < TG_N_CONDITIONS; c++) assert_in_range(conditions[c], 60, 135);
}

/* ---------------------------------------------------------------------------------------------------------------- auxiliary tasks, weights */

static void test_auxiliary_tasks(void **state) {
  (void)state;
  const tg_config config = make_config(true);
  tg_batch_options options = make_options();
  options.rebuild = options.copy = 1;
  options.cross_entropy = 0.5f;
  memcpy(options.conditions, (float[TG_N_CONDITIONS]){1}, sizeof options.conditions);
  options.gists[0] = 2;
  options.n_gists = 1;
  tg_example examples[3] = {make_example(0, 0, 5, 4, 3), make_example(1, 1, 4, 1, 2), make_example(2, 1, 0, 3, 2)};
  tg_plan plan;
  make_plan(&config, &options, examples, 3, T5GIST_UNSET, T5GIST_UNSET, &plan);
  expect_covered(&plan);
  const int kinds[] = {TG_TASK_ANSWER,  TG_TASK_REBUILD, TG_TASK_COPY, TG_TASK_ANSWER,
                       TG_TASK_REBUILD, TG_TASK_ANSWER,  TG_TASK_COPY}; /* nothing to copy, nothing to rebuild */
  const int owners[] = {0, 0, 0, 1, 1, 2, 2};
  assert_int_equal(plan.n_answers, 7);
  for (int i = 0; i < 7; i++) {
    const tg_plan_answer *a = &plan.answers[i];
    const tg_example *e = &examples[owners[i]];
    int32_t rebuilt[16];
    if (e->n_task) memcpy(rebuilt, e->task, (size_t)e->n_task * sizeof *rebuilt);
    rebuilt[e->n_task] = END;
    assert_int_equal(a->kind, kinds[i]);
    assert_int_equal(a->example, owners[i]);
    if (a->kind == TG_TASK_ANSWER) expect_answer(&plan, a, START, e->target, e->n_target, 0.05);
    if (a->kind == TG_TASK_REBUILD) expect_answer(&plan, a, REBUILD_START, rebuilt, e->n_task + 1, 0.05);
    if (a->kind == TG_TASK_COPY) expect_answer(&plan, a, COPY_START, e->input, e->n_input, 0.025);
    if (a->kind != TG_TASK_REBUILD) {
      expect_prompt(&config, &plan, a, e, T5GIST_GIST, 2);
      continue;
    }
    assert_int_equal(tokens_seen(a->seen), 2); /* the gist tokens alone */
    for (int j = 0; j < 2; j++) assert_int_equal(plan.encoder_ids[a->seen[0].begin + j], distinct_gists[j]);
  }
  tg_plan_free(&plan);
  memcpy(options.conditions, (float[TG_N_CONDITIONS]){[T5GIST_PREFIX] = 1}, sizeof options.conditions);
  make_plan(&config, &options, examples, 3, T5GIST_UNSET, T5GIST_UNSET, &plan);
  for (int i = 0; i < plan.n_answers; i++) assert_int_not_equal(plan.answers[i].kind, TG_TASK_REBUILD);
  tg_plan_free(&plan);
  make_plan(&config, &options, examples, 3, T5GIST_GIST, 1, &plan);
  assert_int_equal(plan.n_answers, 3); /* evaluation: answers alone */
  tg_plan_free(&plan);
}

static void test_weights_of_a_step_sum_to_one(void **state) {
  (void)state;
  enum { N = 40, STEP = 3 };
  const tg_config config = make_config(false);
  tg_batch_options options = make_options();
  options.rebuild = 0.5f;
  options.copy = 0.3f;
  tg_example examples[N], micro[N];
  uint64_t ids[N], micro_ids[N];
  double total = 0, sum = 0;
  for (int i = 0; i < N; i++) {
    examples[i] = make_example(i, i % 7, 2 + i % 7, 1 + i % 5, 1 + i % 6);
    ids[i] = (uint64_t)(1000 + i * i);
    total += tg_batch_weight(&options, &examples[i], ids[i], STEP);
  }
  int order[N], ends[N], n_micro, begin = 0;
  assert_int_equal(tg_batch_split(examples, N, 60, order, ends, &n_micro, NULL), T5GIST_OK);
  assert_in_range(n_micro, 4, N);
  for (int m = 0; m < n_micro; begin = ends[m++]) {
    const int n = ends[m] - begin;
    for (int i = 0; i < n; i++) {
      micro[i] = examples[order[begin + i]];
      micro_ids[i] = ids[order[begin + i]];
    }
    tg_plan plan;
    assert_int_equal(tg_batch_make(&config, &options, micro, micro_ids, n, STEP, total, T5GIST_UNSET, T5GIST_UNSET, &plan, NULL), T5GIST_OK);
    for (int row = 0; row < plan.n_decoder; row++) sum += (double)plan.weights[row];
    tg_plan_free(&plan);
  }
  assert_true(fabs(sum - 1) < 1e-5);
  assert_true(total > N * 3.3); /* auxiliary tasks among them */
}

static void test_teacher(void **state) {
  (void)state;
  const tg_config config = make_config(true);
  tg_batch_options options = make_options();
  options.teacher = options.share_tasks = true;
  options.copy = 1;
  memcpy(options.conditions, (float[TG_N_CONDITIONS]){1, 0, 0, 0, 1}, sizeof options.conditions);
  tg_example examples[9];
  for (int i = 0; i < 9; i++) examples[i] = make_example(i, i % 2, 4, 2 + i % 3, 1 + i % 4);
  for (int condition = 0; condition < 2; condition++) {
    options.teacher_condition = condition ? T5GIST_POS_CONTROL : T5GIST_FULL;
    tg_plan plan;
    make_plan(&config, &options, examples, 9, T5GIST_UNSET, condition ? 2 : T5GIST_UNSET, &plan);
    assert_non_null(plan.teacher);
    expect_covered(plan.teacher);
    assert_int_equal(plan.teacher->n_answers, 9);
    int taught = 0;
    for (int i = 0; i < plan.n_answers; i++) {
      const tg_plan_answer *a = &plan.answers[i];
      for (int row = a->begin; row < a->begin + a->n; row++) {
        if (a->kind != TG_TASK_ANSWER) {
          assert_int_equal(plan.teacher_rows[row], -1);
          assert_true(plan.teacher_weights[row] == 0);
          continue;
        }
        const int other = plan.teacher_rows[row];
        assert_int_equal(other - plan.teacher->answers[a->example].begin, row - a->begin);
        assert_int_equal(plan.teacher->targets[other], plan.targets[row]);
        assert_int_equal(plan.teacher->decoder_ids[other], plan.decoder_ids[row]);
        assert_true(fabs((double)plan.teacher_weights[row] - 0.1) < 1e-7);
        assert_true(plan.teacher->weights[other] == 0);
        taught++;
      }
    }
    assert_int_equal(taught, plan.teacher->n_decoder);
    for (int i = 0; i < 9; i++)
      expect_prompt(&config, plan.teacher, &plan.teacher->answers[i], &examples[i], (t5gist_condition)options.teacher_condition, condition ? 2 : 0);
    tg_plan_free(&plan);
  }
}

/* ------------------------------------------------------------------------------------------------------------------------------- draws */

/* What was drawn for one example: tokens of its encoder and decoder. */
static int drawn(const tg_config *config, const tg_batch_options *options, uint64_t id, uint64_t step) {
  tg_example e = make_example(0, 0, 10, 20, 1);
  tg_plan plan;
  assert_int_equal(tg_batch_make(config, options, &e, &id, 1, step, 1, T5GIST_UNSET, T5GIST_UNSET, &plan, NULL), T5GIST_OK);
  const int key = plan.n_encoder * 100 + plan.n_decoder + plan.answers[0].seen[0].n * 10000;
  tg_plan_free(&plan);
  return key;
}

static void test_draws_follow_the_weights(void **state) {
  (void)state;
  const tg_config config = make_config(false);
  tg_batch_options options = make_options();
  memcpy(options.conditions, (float[TG_N_CONDITIONS]){[T5GIST_FULL] = 3, [T5GIST_GIST] = 1}, sizeof options.conditions);
  options.rebuild = options.copy = 0.5f;
  int full = 0, rebuilt = 0, copied = 0, by_gists[5] = {0};
  enum { N = 4000 };
  for (uint64_t i = 0; i < N; i++) {
    const int key = drawn(&config, &options, i % 50, i / 50), rows = key / 100 % 100, said = key % 100;
    assert_int_equal(key, drawn(&config, &options, i % 50, i / 50));
    full += rows == 30;
    if (rows != 30) by_gists[rows - 30]++;
    copied += said == 1 + 20 || said == 1 + 20 + 11;
    rebuilt += said == 1 + 11 || said == 1 + 20 + 11;
  }
  assert_in_range(full, 2800, 3200);
  assert_in_range(copied, 1850, 2150);
  assert_in_range(rebuilt, 420, 580);
  assert_int_equal(by_gists[3], 0);
  for (int k = 1; k <= 4; k *= 2) assert_in_range(by_gists[k], 270, 400);
  int same = 0;
  tg_batch_options other = options;
  other.seed++;
  for (uint64_t i = 0; i < 200; i++) same += drawn(&config, &options, i, 1) == drawn(&config, &other, i, 1);
  assert_in_range(same, 40, 150);
}

static void test_examples_of_a_task_draw_alike_where_they_share_it(void **state) {
  (void)state;
  const tg_config config = make_config(false);
  tg_batch_options options = make_options();
  memcpy(options.conditions, (float[TG_N_CONDITIONS]){[T5GIST_FULL] = 1, [T5GIST_GIST] = 1}, sizeof options.conditions);
  options.rebuild = options.copy = 0;
  int differ[2] = {0, 0}, changes = 0;
  for (int shared = 0; shared < 2; shared++) {
    options.share_draws = shared;
    for (uint64_t step = 0; step < 100; step++) differ[shared] += drawn(&config, &options, 1, step) != drawn(&config, &options, 2, step);
  }
  assert_true(differ[0] > 20);
  assert_int_equal(differ[1], 0);
  for (uint64_t step = 0; step < 100; step++) changes += drawn(&config, &options, 1, step) != drawn(&config, &options, 1, step + 1);
  assert_true(changes > 20);
}

static void test_refusals(void **state) {
  (void)state;
  tg_example e = make_example(0, 0, 3, 3, 3);
  const uint64_t id = 0;
  const tg_config distinct = make_config(true);
  tg_config none = make_config(false);
  none.n_gist_ids = 0;
  tg_batch_options good = make_options(), options;
  tg_plan plan;
  t5gist_error err;
#define REFUSED(config, text)                                                                                                    \
  do {                                                                                                                           \
    assert_int_equal(tg_batch_make(config, &options, &e, &id, 1, 0, 1, T5GIST_UNSET, T5GIST_UNSET, &plan, &err), T5GIST_EUSAGE); \
    if (!strstr(err.message, text)) fail_msg("expected \"%s\" in: %s", text, err.message);                                       \
    assert_null(plan.encoder_ids);                                                                                               \
  } while (0)
  options = good;
  memset(options.conditions, 0, sizeof options.conditions);
  REFUSED(&distinct, "weight above 0");
  options.conditions[0] = NAN;
  REFUSED(&distinct, "weights of 0 or more");
  options = good;
  memcpy(options.conditions, (float[TG_N_CONDITIONS]){1}, sizeof options.conditions);
  REFUSED(&none, "gist tokens, found none");
  options.gists[0] = options.gists[1] = options.gists[2] = 9;
  REFUSED(&distinct, "at most 8");
  options.gists[0] = options.gists[1] = options.gists[2] = 0;
  REFUSED(&distinct, "at least 1");
  options = good;
  options.n_gists = 0;
  REFUSED(&distinct, "numbers, found 0");
  options = good;
  options.rebuild = 1;
  options.rebuild_start = VOCABULARY;
  REFUSED(&distinct, "rebuild");
  options = good;
  options.teacher = true;
  options.teacher_condition = T5GIST_GIST;
  REFUSED(&distinct, "full or pos_control");
  assert_int_equal(tg_batch_make(&distinct, &good, &e, &id, 0, 0, 1, T5GIST_UNSET, T5GIST_UNSET, &plan, &err), T5GIST_EUSAGE);
  assert_int_equal(tg_batch_make(&distinct, &good, &e, &id, 1, 0, 0, T5GIST_UNSET, T5GIST_UNSET, &plan, &err), T5GIST_EUSAGE);
  assert_int_equal(tg_batch_make(&distinct, &good, &e, &id, 1, 0, 1, 5, T5GIST_UNSET, &plan, &err), T5GIST_EUSAGE);
  /* A model without gist tokens trains on plain prompts. */
  options = good;
  memcpy(options.conditions, (float[TG_N_CONDITIONS]){[T5GIST_FULL] = 1}, sizeof options.conditions);
  assert_int_equal(tg_batch_make(&none, &options, &e, &id, 1, 0, 1, T5GIST_UNSET, T5GIST_UNSET, &plan, &err), T5GIST_OK);
  tg_plan_free(&plan);
}

/* --------------------------------------------------------------------------------------------------------------------------- splitting */

static void test_split(void **state) {
  (void)state;
  enum { N = 60, MOST_TOKENS = 50 };
  tg_example examples[N], moved[N];
  for (int i = 0; i < N; i++) examples[i] = make_example(i, i % 9, 1 + i % 9, 1 + i * 7 % 11, 1 + i % 6);
  examples[17] = make_example(17, 20, 30, 20, 20); /* longer than a micro-batch */
  int order[N], ends[N], n_micro, seen[N] = {0}, begin = 0, alone = 0, changes = 0;
  assert_int_equal(tg_batch_split(examples, N, MOST_TOKENS, order, ends, &n_micro, NULL), T5GIST_OK);
  for (int m = 0; m < n_micro; begin = ends[m++]) {
    int tokens = 0;
    assert_true(ends[m] > begin);
    for (int i = begin; i < ends[m]; i++) {
      const tg_example *e = &examples[order[i]];
      tokens += e->n_task + e->n_input + e->n_target;
      seen[order[i]]++;
      alone += order[i] == 17 && ends[m] - begin == 1;
    }
    assert_true(tokens <= MOST_TOKENS || ends[m] - begin == 1);
  }
  assert_int_equal(begin, N);
  assert_int_equal(alone, 1);
  for (int i = 0; i < N; i++) assert_int_equal(seen[i], 1);
  for (int i = 1; i < N; i++) changes += examples[order[i]].task_hash != examples[order[i - 1]].task_hash;
  assert_int_equal(changes, 9); /* each task in one stretch */
  /* The same examples in another order make the same micro-batches. */
  for (int i = 0; i < N; i++) moved[i] = examples[(i * 7 + 3) % N];
  int other_order[N], other_ends[N], other_n;
  assert_int_equal(tg_batch_split(moved, N, MOST_TOKENS, other_order, other_ends, &other_n, NULL), T5GIST_OK);
  assert_int_equal(other_n, n_micro);
  for (int m = 0; m < n_micro; m++) assert_int_equal(other_ends[m], ends[m]);
  assert_int_equal(tg_batch_split(examples, 0, MOST_TOKENS, order, ends, &n_micro, NULL), T5GIST_OK);
  assert_int_equal(n_micro, 0);
  assert_int_equal(tg_batch_split(examples, N, (size_t)-1, order, ends, &n_micro, NULL), T5GIST_OK);
  assert_int_equal(n_micro, 1);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_spans_are_the_masks),
      cmocka_unit_test(test_neg_control_leaves_task_and_gist_out),
      cmocka_unit_test(test_examples_of_a_task_share_its_rows),
      cmocka_unit_test(test_mixed_draws_share_what_is_alike),
      cmocka_unit_test(test_auxiliary_tasks),
      cmocka_unit_test(test_weights_of_a_step_sum_to_one),
      cmocka_unit_test(test_teacher),
      cmocka_unit_test(test_draws_follow_the_weights),
      cmocka_unit_test(test_examples_of_a_task_draw_alike_where_they_share_it),
      cmocka_unit_test(test_refusals),
      cmocka_unit_test(test_split),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
