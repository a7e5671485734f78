/* The fast operations in f32 against their specifications in double, on odd sizes, for every instruction set and several teams; and the same bits
 * from run to run. */
#include "runtime/cpu.h"
#include "runtime/dtype.h"
#include "runtime/error.h"
#include "tests/runtime/isa.h"
#include "tests/training/ops_cases.h"

static tg_engine *engine;
static tg_workspace *workspace;

static int set_up(void **state) {
  (void)state;
  return tg_engine_new(3, &engine, NULL) != T5GIST_OK || tg_workspace_new(engine, &workspace, NULL) != T5GIST_OK;
}

static int tear_down(void **state) {
  (void)state;
  tg_workspace_free(workspace);
  tg_engine_free(engine);
  return 0;
}

/* Numbers in both precisions, with what they are made from. */
typedef struct both {
  double *wide;
  float *fast;
  size_t n;
} both;

static uint32_t seed = 1;

static both make(size_t n, double scale) {
  both b = {case_doubles(n, scale, &seed), NULL, n};
  b.fast = case_floats(b.wide, n);
  return b;
}

static void drop(both *b) {
  tg_free(b->wide);
  tg_free(b->fast);
}

/* Largest difference to the largest number. */
static void check_near(const char *what, const both *b, double tolerance) {
  double largest = 0, worst = 0;
  for (size_t i = 0; i < b->n; i++) {
    largest = fmax(largest, fabs(b->wide[i]));
    worst = fmax(worst, fabs((double)b->fast[i] - b->wide[i]));
    if (isnan(b->fast[i])) fail_msg("%s: NaN at %zu of %zu", what, i, b->n);
  }
  if (!(worst <= tolerance * largest)) fail_msg("%s, %zu numbers up to %g: off by %g", what, b->n, largest, worst);
}

static void check_number(const char *what, double found, double expected) {
  if (!(fabs(found - expected) <= 1e-5 * fmax(1e-3, fabs(expected)))) fail_msg("%s: expected %.12g, found %.12g", what, expected, found);
}

static void ok(t5gist_status status) {
  assert_int_equal(status, T5GIST_OK);
}

static const size_t widths[] = {1, 3, 16, 31, 64, 100, 257};
enum { N_WIDTHS = sizeof widths / sizeof *widths };

/* To numbers that bf16 has, so that products of them are exact. */
static void round_to(tg_train_precision precision, both *b) {
  for (size_t i = 0; precision == TG_TRAIN_BF16 && i < b->n; i++) {
    uint16_t narrow;
    tg_narrow_bf16(&b->fast[i], 1, &narrow);
    tg_widen(&narrow, TG_BF16, 1, &b->fast[i]);
    b->wide[i] = (double)b->fast[i];
  }
}

static void check_linear(tg_train_precision precision, const size_t shape[3], bool accumulate) {
  const size_t m = shape[0], n_in = shape[1], n_out = shape[2];
  both x = make(m * n_in, 1), w = make(n_in * n_out, 1), y = make(m * n_out, 1), dw = make(n_in * n_out, 1);
  round_to(precision, &x), round_to(precision, &w);
  tg_reference_linear_f64(x.wide, m, w.wide, n_in, n_out, accumulate, y.wide);
  ok(tg_train_linear(workspace, precision, x.fast, m, w.fast, n_in, n_out, accumulate, y.fast, NULL));
  check_near("linear", &y, 1e-5);
  round_to(precision, &y);
  tg_reference_linear_dx_f64(y.wide, m, w.wide, n_in, n_out, accumulate, x.wide);
  ok(tg_train_linear_dx(workspace, precision, y.fast, m, w.fast, n_in, n_out, accumulate, x.fast, NULL));
  check_near("linear dx", &x, 1e-5);
  round_to(precision, &x);
  tg_reference_linear_dw_f64(y.wide, x.wide, m, n_in, n_out, dw.wide);
  ok(tg_train_linear_dw(workspace, precision, y.fast, x.fast, m, n_in, n_out, dw.fast, NULL));
  check_near("linear dw", &dw, 1e-5);
  drop(&x), drop(&w), drop(&y), drop(&dw);
}

/* 260 and 700: more than a block of rows, depth or columns of the products in bf16. */
static void test_linear(void **state) {
  (void)state;
  static const size_t shapes[][3] = {{1, 1, 1},      {3, 5, 7},      {17, 64, 33}, {130, 100, 96}, {7, 257, 31},
                                     {260, 96, 200}, {33, 16, 1000}, {1, 64, 64},  {700, 31, 66},  {9, 261, 1100}};
  for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++)
    for (int accumulate = 0; accumulate <= 1; accumulate++) {
      check_linear(TG_TRAIN_F32, shapes[i], accumulate);
      check_linear(TG_TRAIN_BF16, shapes[i], accumulate);
    }
}

/* In bf16 factors count as rounded: to nearest, ties to even. */
static void test_rounding(void **state) {
  (void)state;
  enum { M = 21, IN = 70, OUT = 37 };
  both x = make(M * IN, 1), w = make(IN * OUT, 1), y = make(M * OUT, 1), same = make(M * OUT, 1);
  static const float ties[] = {1.00390625f, 1.01171875f, -1.00390625f, 3.0078125f};
  for (size_t i = 0; i < 4; i++) x.fast[i] = w.fast[i * IN] = ties[i];
  ok(tg_train_linear(workspace, TG_TRAIN_BF16, x.fast, M, w.fast, IN, OUT, false, y.fast, NULL));
  round_to(TG_TRAIN_BF16, &x), round_to(TG_TRAIN_BF16, &w);
  ok(tg_train_linear(workspace, TG_TRAIN_BF16, x.fast, M, w.fast, IN, OUT, false, same.fast, NULL));
  assert_memory_equal(y.fast, same.fast, M * OUT * sizeof(float));
  tg_reference_linear_f64(x.wide, M, w.wide, IN, OUT, false, y.wide);
  check_near("rounded", &y, 1e-6);
  drop(&x), drop(&w), drop(&y), drop(&same);
}

static void test_norm(void **state) {
  (void)state;
  for (size_t i = 0; i < N_WIDTHS; i++)
    for (size_t rows = 1; rows <= 400; rows = rows * 7 + 1) {
      const size_t d = widths[i];
      both x = make(rows * d, rows == 1 ? 1e-3 : 10), w = make(d, 2), y = make(rows * d, 1), inverse = make(rows, 1);
      both dy = make(rows * d, 1), dx = make(rows * d, 1), dw = make(d, 1);
      tg_reference_norm_f64(x.wide, w.wide, rows, d, 1e-6f, y.wide, inverse.wide);
      ok(tg_train_norm(workspace, x.fast, w.fast, rows, d, 1e-6f, y.fast, inverse.fast, NULL));
      check_near("norm", &y, 1e-6);
      check_near("inverse", &inverse, 1e-6);
      tg_reference_norm_backward_f64(x.wide, w.wide, inverse.wide, dy.wide, rows, d, dx.wide, dw.wide);
      ok(tg_train_norm_backward(workspace, x.fast, w.fast, inverse.fast, dy.fast, rows, d, dx.fast, dw.fast, NULL));
      check_near("norm dx", &dx, 1e-5);
      check_near("norm dweight", &dw, 1e-5);
      drop(&x), drop(&w), drop(&y), drop(&inverse), drop(&dy), drop(&dx), drop(&dw);
    }
}

static void test_activate(void **state) {
  (void)state;
  for (int activation = TG_RELU; activation <= TG_SILU; activation++)
    for (int gated = 0; gated <= 1; gated++)
      for (size_t i = 0; i < N_WIDTHS; i++) {
        const size_t d_ff = widths[i], rows = i == 6 ? 200 : 3, width = gated ? 2 * d_ff : d_ff;
        both x = make(rows * width, i % 2 ? 3 : 40), y = make(rows * d_ff, 1), dy = make(rows * d_ff, 1), dx = make(rows * width, 1);
        tg_reference_activate_f64(x.wide, rows, d_ff, (tg_activation)activation, gated, y.wide);
        ok(tg_train_activate(workspace, x.fast, rows, d_ff, (tg_activation)activation, gated, y.fast, NULL));
        check_near("activation", &y, 1e-6);
        tg_reference_activate_backward_f64(x.wide, dy.wide, rows, d_ff, (tg_activation)activation, gated, dx.wide);
        ok(tg_train_activate_backward(workspace, x.fast, dy.fast, rows, d_ff, (tg_activation)activation, gated, dx.fast, NULL));
        check_near("activation dx", &dx, 1e-6);
        drop(&x), drop(&y), drop(&dy), drop(&dx);
      }
}

/* Far from zero the slope is 0 or 1, not NaN. */
static void test_activate_far(void **state) {
  (void)state;
  const float x[] = {-1e30f, -2000, -1000, -90, 0, 90, 1000, 2000, 1e30f};
  enum { N = sizeof x / sizeof *x };
  float dx[N], dy[N];
  for (size_t i = 0; i < N; i++) dy[i] = 1;
  for (int activation = TG_RELU; activation <= TG_SILU; activation++) {
    ok(tg_train_activate_backward(workspace, x, dy, 1, N, (tg_activation)activation, false, dx, NULL));
    for (size_t i = 0; i < N; i++)
      if (i != 4) assert_float_equal(dx[i], i < 4 ? 0 : 1, 1e-6);
  }
}

static void test_embed(void **state) {
  (void)state;
  enum { VOCAB = 11, ROWS = 300 };
  int32_t ids[ROWS];
  for (size_t i = 0; i < ROWS; i++) ids[i] = (int32_t)(i * i % VOCAB);
  for (size_t i = 0; i < N_WIDTHS; i++) {
    const size_t d = widths[i];
    both table = make(VOCAB * d, 1), y = make(ROWS * d, 1);
    tg_reference_embed_f64(table.wide, ids, ROWS, d, y.wide);
    ok(tg_train_embed(workspace, table.fast, ids, ROWS, d, y.fast, NULL));
    check_near("embedding", &y, 0);
    tg_reference_embed_backward_f64(y.wide, ids, ROWS, d, table.wide);
    ok(tg_train_embed_backward(workspace, y.fast, ids, ROWS, d, table.fast, NULL));
    check_near("embedding dtable", &table, 1e-5);
    drop(&table), drop(&y);
  }
}

typedef struct attending {
  both q, k, v, bias, out, normaliser, dout, dq, dk, dv, dbias;
} attending;

static attending attending_new(const attention_case *c, const tg_train_attention *a) {
  const size_t q = (size_t)c->q_rows * a->q_stride, kv = (size_t)c->kv_rows * a->kv_stride, out = (size_t)c->q_rows * a->out_stride;
  const size_t n_heads = (size_t)a->n_heads;
  return (attending){
      make(q, 1), make(kv, 1), make(kv, 1), make(CASE_BUCKETS * n_heads, 2), make(out, 0), make((size_t)c->q_rows * n_heads, 0), make(out, 1),
      make(q, 1), make(kv, 1), make(kv, 1), make(CASE_BUCKETS * n_heads, 1)};
}

static void attending_free(attending *t) {
  both *all = (both *)t;
  for (size_t i = 0; i < sizeof *t / sizeof *all; i++) drop(&all[i]);
}

static void attend_fast(tg_workspace *by, const attention_case *c, tg_train_attention a, attending *t) {
  a.bias_weights = t->bias.fast;
  ok(tg_train_attention_run(by, &a, c->spans, c->n_spans, t->q.fast, t->k.fast, t->v.fast, t->out.fast, t->normaliser.fast, NULL));
  ok(tg_train_attention_backward(by, &a, c->spans, c->n_spans, t->q.fast, t->k.fast, t->v.fast, t->out.fast, t->normaliser.fast, t->dout.fast,
                                 t->dq.fast, t->dk.fast, t->dv.fast, t->dbias.fast, NULL));
}

static void check_attention(const attention_case *c, const tg_train_attention *a) {
  attending t = attending_new(c, a);
  tg_reference_attention_run_f64(a, t.bias.wide, c->spans, c->n_spans, t.q.wide, t.k.wide, t.v.wide, t.out.wide, t.normaliser.wide);
  tg_reference_attention_backward_f64(a, t.bias.wide, c->spans, c->n_spans, t.q.wide, t.k.wide, t.v.wide, t.out.wide, t.normaliser.wide, t.dout.wide,
                                      t.dq.wide, t.dk.wide, t.dv.wide, t.dbias.wide);
  attend_fast(workspace, c, *a, &t);
  check_near(c->name, &t.out, 1e-5);
  check_near(c->name, &t.normaliser, 1e-5);
  check_near(c->name, &t.dq, 1e-5);
  check_near(c->name, &t.dk, 1e-5);
  check_near(c->name, &t.dv, 1e-5);
  check_near(c->name, &t.dbias, 1e-5);
  attending_free(&t);
}

static void test_attention(void **state) {
  (void)state;
  for (size_t i = 0; i < N_ATTENTION_CASES; i++)
    for (int dropped = 0; dropped <= 1; dropped++) {
      const tg_train_attention a = case_attention(&attention_cases[i], dropped ? 0.25f : 1, dropped ? 0.3f : 0);
      check_attention(&attention_cases[i], &a);
    }
}

static void test_attention_without_bias(void **state) {
  (void)state;
  for (size_t i = 0; i < N_ATTENTION_CASES; i++) {
    const attention_case *c = &attention_cases[i];
    const tg_train_attention a = case_attention(c, 1, 0.1f);
    attending t = attending_new(c, &a);
    tg_reference_attention_run_f64(&a, NULL, c->spans, c->n_spans, t.q.wide, t.k.wide, t.v.wide, t.out.wide, t.normaliser.wide);
    tg_reference_attention_backward_f64(&a, NULL, c->spans, c->n_spans, t.q.wide, t.k.wide, t.v.wide, t.out.wide, t.normaliser.wide, t.dout.wide,
                                        t.dq.wide, t.dk.wide, t.dv.wide, NULL);
    ok(tg_train_attention_run(workspace, &a, c->spans, c->n_spans, t.q.fast, t.k.fast, t.v.fast, t.out.fast, t.normaliser.fast, NULL));
    ok(tg_train_attention_backward(workspace, &a, c->spans, c->n_spans, t.q.fast, t.k.fast, t.v.fast, t.out.fast, t.normaliser.fast, t.dout.fast,
                                   t.dq.fast, t.dk.fast, t.dv.fast, NULL, NULL));
    check_near(c->name, &t.out, 1e-5);
    check_near(c->name, &t.dq, 1e-5);
    check_near(c->name, &t.dk, 1e-5);
    check_near(c->name, &t.dv, 1e-5);
    attending_free(&t);
  }
}

/* Scores up to some hundreds, as large models have them: exponentials of differences alone. */
static void test_attention_of_large_scores(void **state) {
  (void)state;
  for (size_t i = 0; i < N_ATTENTION_CASES; i++) {
    tg_train_attention a = case_attention(&attention_cases[i], 1, 0);
    attending t = attending_new(&attention_cases[i], &a);
    for (size_t j = 0; j < t.q.n; j++) t.q.fast[j] *= 100;
    attend_fast(workspace, &attention_cases[i], a, &t);
    for (size_t j = 0; j < t.dq.n; j++) assert_true(isfinite(t.dq.fast[j]) && isfinite(t.out.fast[j % t.out.n]));
    attending_free(&t);
  }
}

static void test_dropout(void **state) {
  (void)state;
  enum { N = 70001 };
  static const float rates[] = {0, 0.1f, 0.5f, 0.9f};
  for (size_t i = 0; i < sizeof rates / sizeof *rates; i++) {
    both x = make(N, 1);
    for (size_t j = 0; j < N; j++) x.wide[j] = x.fast[j] = (float)j + 1;
    tg_reference_dropout_f64(x.wide, N, rates[i], 5);
    tg_train_dropout(workspace, x.fast, N, rates[i], 5);
    check_near("dropout", &x, 1e-7);
    double kept = 0, product = 0; /* neighbours are independent */
    for (size_t j = 0; j < N; j++) kept += x.fast[j] != 0;
    for (size_t j = 1; j < N; j++) product += x.fast[j] != 0 && x.fast[j - 1] != 0;
    const double p = 1 - (double)rates[i];
    assert_true(fabs(kept / N - p) < 0.006 && fabs(product / N - p * p) < 0.009);
    drop(&x);
  }
}

/* Streams of neighbouring rows and heads are not shifted copies of each other. */
static void test_streams_differ(void **state) {
  (void)state;
  enum { N = 4096 };
  for (int head = 0; head < 3; head++)
    for (int row = 0; row < 3; row++)
      for (uint32_t shift = 0; shift < 8; shift++) {
        if (head == 0 && row == 0) continue;
        int same = 0;
        for (uint32_t i = 0; i < N; i++)
          same += tg_dropout_keeps(tg_dropout_row(9, 0, 0), i, 0x1p23f) == tg_dropout_keeps(tg_dropout_row(9, head, row), i + shift, 0x1p23f);
        assert_true(abs(same - N / 2) < N / 16);
      }
}

enum { LOSS_ROWS = 7 };
typedef struct loss_case {
  bool teacher;
  float smoothing, forward, reverse;
} loss_case;

static void check_loss(size_t vocab, const loss_case *c, double spread) {
  int32_t targets[LOSS_ROWS];
  float weights[LOSS_ROWS], teacher_weights[LOSS_ROWS];
  both logits = make(LOSS_ROWS * vocab, spread), teacher = make(LOSS_ROWS * vocab, spread), logprobs = make(LOSS_ROWS, 1);
  unsigned char right[LOSS_ROWS], right_too[LOSS_ROWS];
  for (size_t i = 0; i < LOSS_ROWS; i++) {
    targets[i] = i == 2 || i == 6 ? -1 : (int32_t)(i * 37 % vocab);
    weights[i] = i == 4 ? 0 : 0.25f * (float)(i + 1);
    teacher_weights[i] = i == 3 || i == 6 ? 0 : 0.5f;
  }
  for (size_t i = 0; i < vocab; i++) logits.wide[1 * vocab + i] = logits.fast[1 * vocab + i] = i > 3 ? 0 : -1; /* equal largest ones */
  logits.wide[0] = logits.fast[0] = (float)spread + 1;                                                         /* row 0 is right */
  const tg_train_loss loss = {.targets = targets,
                              .weights = weights,
                              .smoothing = c->smoothing,
                              .teacher = c->teacher ? teacher.fast : NULL,
                              .teacher_weights = teacher_weights,
                              .forward = c->forward,
                              .reverse = c->reverse};
  tg_train_losses expected, found, again;
  float *kept = case_floats(logits.wide, logits.n);
  ok(tg_train_loss_run(workspace, &loss, LOSS_ROWS, vocab, logits.fast, false, &again, NULL, NULL, NULL));
  assert_memory_equal(logits.fast, kept, logits.n * sizeof *kept);
  tg_reference_loss_run_f64(&loss, c->teacher ? teacher.wide : NULL, LOSS_ROWS, vocab, logits.wide, true, &expected, logprobs.wide, right_too);
  ok(tg_train_loss_run(workspace, &loss, LOSS_ROWS, vocab, logits.fast, true, &found, logprobs.fast, right, NULL));
  assert_true(found.cross_entropy == again.cross_entropy && found.divergence == again.divergence);
  check_number("cross-entropy", found.cross_entropy, expected.cross_entropy);
  check_number("divergence", found.divergence, expected.divergence);
  assert_memory_equal(right, right_too, LOSS_ROWS);
  assert_int_equal(right[0], 1);
  check_near("logprobs", &logprobs, 1e-5);
  check_near("logits", &logits, 1e-5);
  tg_free(kept);
  drop(&logits), drop(&teacher), drop(&logprobs);
}

static void test_losses(void **state) {
  (void)state;
  static const loss_case cases[] = {{false, 0, 0, 0}, {false, 0.1f, 0, 0}, {true, 0, 1, 0}, {true, 0, 0, 1}, {true, 0.1f, 0.3f, 0.7f}};
  static const size_t vocabularies[] = {2, 17, 97, 1000, 32128};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
    for (size_t j = 0; j < sizeof vocabularies / sizeof *vocabularies; j++) {
      check_loss(vocabularies[j], &cases[i], 3);
      check_loss(vocabularies[j], &cases[i], 40);
    }
}

static void test_match(void **state) {
  (void)state;
  for (size_t i = 0; i < N_WIDTHS; i++)
    for (int near = 0; near <= 1; near++) {
      const size_t d = widths[i], rows = 9;
      both x = make(rows * d, 3), y = make(rows * d, 2), w = make(rows, 1), dx = make(rows * d, 0);
      for (size_t j = 0; near && j < rows * d; j++) y.wide[j] = y.fast[j] = (float)(x.wide[j] * (1 + 0.01 * case_random(&seed)));
      double expected, found;
      tg_reference_match_f64(x.wide, y.wide, w.fast, rows, d, 1e-6f, &expected, dx.wide);
      ok(tg_train_match(workspace, x.fast, y.fast, w.fast, rows, d, 1e-6f, &found, dx.fast, NULL));
      check_number("match", found, expected);
      if (d > 1) check_near("match dx", &dx, near ? 1e-4 : 1e-5); /* with one number a row nothing but its sign is left, and no slope */
      ok(tg_train_match(workspace, x.fast, y.fast, w.fast, rows, d, 1e-6f, &found, NULL, NULL));
      check_number("match alone", found, expected);
      drop(&x), drop(&y), drop(&w), drop(&dx);
    }
}

static void test_vectors(void **state) {
  (void)state;
  static const size_t sizes[] = {1, 15, 513, 65536, 200001};
  for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
    both x = make(sizes[i], 1), y = make(sizes[i], 1);
    check_number("squares", tg_train_sum_squares(workspace, x.fast, sizes[i]), tg_reference_sum_squares_f64(x.wide, sizes[i]));
    tg_reference_add_f64(x.wide, sizes[i], y.wide);
    tg_train_add(workspace, x.fast, sizes[i], y.fast);
    check_near("sum", &y, 1e-7);
    drop(&x), drop(&y);
  }
}

enum { BITS_ROWS = 300, BITS_IN = 96, BITS_OUT = 520 };

static void add_bits(uint32_t *digest, const float *x, size_t n) {
  for (size_t i = 0; i < n; i++) {
    uint32_t bits;
    memcpy(&bits, x + i, sizeof bits);
    *digest = (*digest ^ bits) * 16777619u;
  }
}

/* Everything that is summed over rows, spans or depth, into one row of numbers, the bits of attention and of products in bf16 as a digest; products
 * [BITS_OUT, BITS_IN] are those of linear layers in f32. */
static void sum_all(tg_workspace *by, const both *x, const both *w, float *products, float *others) {
  const uint32_t before = seed;
  float *y = case_floats(NULL, BITS_ROWS * BITS_OUT), *dx = case_floats(NULL, BITS_ROWS * BITS_IN), *norms = others + 3;
  memset(products, 0, BITS_OUT * BITS_IN * sizeof *products);
  uint32_t digest = 0;
  if (tg_cpu_bf16()) { /* plain C would take long, and has one order of sums */
    ok(tg_train_linear(by, TG_TRAIN_BF16, x->fast, BITS_ROWS, w->fast, BITS_IN, BITS_OUT, false, y, NULL));
    ok(tg_train_linear_dx(by, TG_TRAIN_BF16, y, BITS_ROWS, w->fast, BITS_IN, BITS_OUT, false, dx, NULL));
    ok(tg_train_linear_dw(by, TG_TRAIN_BF16, dx, x->fast, BITS_ROWS, BITS_IN, BITS_IN, products, NULL));
  }
  add_bits(&digest, products, BITS_OUT * BITS_IN);
  ok(tg_train_linear(by, TG_TRAIN_F32, x->fast, BITS_ROWS, w->fast, BITS_IN, BITS_OUT, false, y, NULL));
  ok(tg_train_linear_dx(by, TG_TRAIN_F32, y, BITS_ROWS, w->fast, BITS_IN, BITS_OUT, false, dx, NULL));
  ok(tg_train_linear_dw(by, TG_TRAIN_F32, dx, x->fast, BITS_ROWS, BITS_IN, BITS_IN, products, NULL));
  memset(norms, 0, BITS_IN * sizeof *norms);
  ok(tg_train_norm_backward(by, x->fast, w->fast, w->fast, x->fast, BITS_ROWS, BITS_IN, dx, norms, NULL));
  others[0] = (float)tg_train_sum_squares(by, w->fast, w->n);
  double loss;
  ok(tg_train_match(by, x->fast, w->fast, w->fast, BITS_ROWS, BITS_IN, 1e-6f, &loss, NULL, NULL));
  others[1] = (float)loss;
  const tg_train_attention a = case_attention(&attention_cases[1], 1, 0.2f);
  attending t = attending_new(&attention_cases[1], &a);
  attend_fast(by, &attention_cases[1], a, &t);
  const both *sums[] = {&t.out, &t.dq, &t.dk, &t.dv, &t.dbias};
  for (size_t i = 0; i < sizeof sums / sizeof *sums; i++) add_bits(&digest, sums[i]->fast, sums[i]->n);
  memcpy(&others[2], &digest, sizeof digest);
  attending_free(&t);
  tg_free(y), tg_free(dx);
  seed = before; /* so that the next call is given the same numbers */
}

/* The same bits every time, whoever of the team did what; but for linear layers in f32, with any number of threads. */
static void test_same_bits(void **state) {
  (void)state;
  enum { TIMES = 20, N_OTHERS = 3 + BITS_IN };
  both x = make(BITS_ROWS * BITS_IN, 1), w = make(BITS_OUT * BITS_IN, 1);
  float *products = case_floats(NULL, BITS_OUT * BITS_IN), *again = case_floats(NULL, BITS_OUT * BITS_IN), others[N_OTHERS], others_again[N_OTHERS];
  sum_all(workspace, &x, &w, products, others);
  for (int i = 0; i < TIMES; i++) {
    sum_all(workspace, &x, &w, again, others_again);
    assert_memory_equal(products, again, BITS_OUT * BITS_IN * sizeof *again);
    assert_memory_equal(others, others_again, sizeof others);
  }
  tg_engine *lonely = NULL;
  tg_workspace *alone = NULL;
  ok(tg_engine_new(1, &lonely, NULL));
  ok(tg_workspace_new(lonely, &alone, NULL));
  sum_all(alone, &x, &w, again, others_again);
  assert_memory_equal(others, others_again, sizeof others);
  tg_workspace_free(alone);
  tg_engine_free(lonely);
  tg_free(products), tg_free(again);
  drop(&x), drop(&w);
}

/* No rows, no spans: nothing is touched. */
static void test_nothing(void **state) {
  (void)state;
  float x[4] = {1, 2, 3, 4}, y[4] = {5, 6, 7, 8};
  const float kept[4] = {5, 6, 7, 8};
  const tg_train_attention a = {.n_heads = 1, .d_kv = 2, .q_stride = 2, .kv_stride = 2, .out_stride = 2, .scale = 1};
  const tg_train_loss loss = {0};
  tg_train_losses losses;
  double matched;
  for (int precision = TG_TRAIN_F32; precision <= TG_TRAIN_BF16; precision++) {
    ok(tg_train_linear(workspace, (tg_train_precision)precision, x, 0, x, 2, 2, false, y, NULL));
    ok(tg_train_linear_dx(workspace, (tg_train_precision)precision, x, 0, x, 2, 2, false, y, NULL));
    ok(tg_train_linear_dw(workspace, (tg_train_precision)precision, x, x, 0, 2, 2, y, NULL));
  }
  ok(tg_train_norm(workspace, x, x, 0, 2, 1e-6f, y, y, NULL));
  ok(tg_train_norm_backward(workspace, x, x, x, x, 0, 2, y, y, NULL));
  ok(tg_train_activate(workspace, x, 0, 2, TG_SILU, true, y, NULL));
  ok(tg_train_activate_backward(workspace, x, x, 0, 2, TG_SILU, true, y, NULL));
  ok(tg_train_embed(workspace, x, NULL, 0, 2, y, NULL));
  ok(tg_train_embed_backward(workspace, x, NULL, 0, 2, y, NULL));
  ok(tg_train_attention_run(workspace, &a, NULL, 0, x, x, x, y, y, NULL));
  ok(tg_train_attention_backward(workspace, &a, NULL, 0, x, x, x, x, x, x, y, y, y, NULL, NULL));
  ok(tg_train_loss_run(workspace, &loss, 0, 2, y, true, &losses, NULL, NULL, NULL));
  ok(tg_train_match(workspace, x, x, NULL, 0, 2, 1e-6f, &matched, y, NULL));
  tg_train_dropout(workspace, y, 0, 0.5f, 1);
  tg_train_add(workspace, x, 0, y);
  assert_true(losses.cross_entropy == 0 && losses.divergence == 0 && matched == 0 && tg_train_sum_squares(workspace, x, 0) == 0);
  assert_memory_equal(y, kept, sizeof kept);
}

static int groups(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_linear),
      cmocka_unit_test(test_rounding),
      cmocka_unit_test(test_norm),
      cmocka_unit_test(test_activate),
      cmocka_unit_test(test_activate_far),
      cmocka_unit_test(test_embed),
      cmocka_unit_test(test_attention),
      cmocka_unit_test(test_attention_without_bias),
      cmocka_unit_test(test_attention_of_large_scores),
      cmocka_unit_test(test_dropout),
      cmocka_unit_test(test_streams_differ),
      cmocka_unit_test(test_losses),
      cmocka_unit_test(test_match),
      cmocka_unit_test(test_vectors),
      cmocka_unit_test(test_same_bits),
      cmocka_unit_test(test_nothing),
  };
  return cmocka_run_group_tests(tests, set_up, tear_down);
}

int main(void) {
  return test_each_isa(groups);
}
