/* The specifications in double against central differences: the slope of (outputs . some direction) along each input. */
#include "tests/training/ops_cases.h"

static uint32_t seed = 1;

static double *make(size_t n, double scale) {
  return case_doubles(n, scale, &seed);
}

static double dot(const double *x, const double *y, size_t n) {
  double sum = 0;
  for (size_t i = 0; i < n; i++) sum += x[i] * y[i];
  return sum;
}

/* Whether gradient [n] is that of value by x [n], to 1e-6 of its largest entry. Long inputs are sampled. */
static void check_gradient(const char *what, double (*value)(void *), void *user, double *x, size_t n, const double *gradient) {
  const double step = 1e-5;
  double largest = 0, worst = 0;
  for (size_t i = 0; i < n; i++) largest = fmax(largest, fabs(gradient[i]));
  for (size_t i = 0; i < n; i += n / 400 + 1) {
    const double kept = x[i];
    x[i] = kept + step;
    const double above = value(user);
    x[i] = kept - step;
    const double below = value(user);
    x[i] = kept;
    worst = fmax(worst, fabs((above - below) / (2 * step) - gradient[i]));
  }
  if (!(worst <= 1e-6 * largest)) fail_msg("%s: slopes up to %g are off by %g", what, largest, worst);
}

/* ----------------------------------------------------------------------------------------------------------------------- linear layers */

typedef struct linear_case {
  size_t m, n_in, n_out;
  double *x, *weight, *y, *dy;
} linear_case;

static double linear_value(void *user) {
  linear_case *c = user;
  tg_reference_linear_f64(c->x, c->m, c->weight, c->n_in, c->n_out, false, c->y);
  return dot(c->y, c->dy, c->m * c->n_out);
}

static void test_linear(void **state) {
  (void)state;
  linear_case c = {.m = 5, .n_in = 7, .n_out = 3};
  c.x = make(35, 1), c.weight = make(21, 1), c.y = make(15, 1), c.dy = make(15, 1);
  double *dx = make(35, 1), *dweight = make(21, 0);
  tg_reference_linear_dx_f64(c.dy, c.m, c.weight, c.n_in, c.n_out, false, dx);
  tg_reference_linear_dw_f64(c.dy, c.x, c.m, c.n_in, c.n_out, dweight);
  check_gradient("linear by x", linear_value, &c, c.x, 35, dx);
  check_gradient("linear by weight", linear_value, &c, c.weight, 21, dweight);
  double *y = make(15, 1), *before = make(15, 0);
  memcpy(before, y, 15 * sizeof *y);
  linear_value(&c);
  tg_reference_linear_f64(c.x, c.m, c.weight, c.n_in, c.n_out, true, y);
  for (size_t i = 0; i < 15; i++) assert_true(fabs(y[i] - before[i] - c.y[i]) < 1e-12);
  tg_free(y), tg_free(before);
  tg_free(c.x), tg_free(c.weight), tg_free(c.y), tg_free(c.dy), tg_free(dx), tg_free(dweight);
}

/* ------------------------------------------------------------------------------------------------------------ RMSNorm, activation, matching */

typedef struct rows_case {
  size_t rows, d;
  double *x, *other, *y, *dy, *inverse; /* other: the norm's weight, or what is to be matched */
  tg_activation activation;
  bool gated;
  float weights[3];
} rows_case;

static double norm_value(void *user) {
  rows_case *c = user;
  tg_reference_norm_f64(c->x, c->other, c->rows, c->d, 1e-2f, c->y, c->inverse);
  return dot(c->y, c->dy, c->rows * c->d);
}

static void test_norm(void **state) {
  (void)state;
  rows_case c = {.rows = 3, .d = 7};
  c.x = make(21, 1), c.other = make(7, 1), c.y = make(21, 1), c.dy = make(21, 1), c.inverse = make(3, 1);
  double *dx = make(21, 0), *dweight = make(7, 0);
  norm_value(&c);
  tg_reference_norm_backward_f64(c.x, c.other, c.inverse, c.dy, c.rows, c.d, dx, dweight);
  check_gradient("norm by x", norm_value, &c, c.x, 21, dx);
  check_gradient("norm by weight", norm_value, &c, c.other, 7, dweight);
  tg_free(c.x), tg_free(c.other), tg_free(c.y), tg_free(c.dy), tg_free(c.inverse), tg_free(dx), tg_free(dweight);
}

static double activate_value(void *user) {
  rows_case *c = user;
  tg_reference_activate_f64(c->x, c->rows, c->d, c->activation, c->gated, c->y);
  return dot(c->y, c->dy, c->rows * c->d);
}

static void test_activate(void **state) {
  (void)state;
  for (int activation = TG_RELU; activation <= TG_SILU; activation++)
    for (int gated = 0; gated <= 1; gated++) {
      rows_case c = {.rows = 3, .d = 7, .activation = (tg_activation)activation, .gated = gated};
      const size_t n = gated ? 42 : 21;
      c.x = make(n, 4), c.y = make(21, 1), c.dy = make(21, 1);
      double *dx = make(n, 1);
      tg_reference_activate_backward_f64(c.x, c.dy, c.rows, c.d, c.activation, c.gated, dx);
      check_gradient("activation", activate_value, &c, c.x, n, dx);
      tg_free(c.x), tg_free(c.y), tg_free(c.dy), tg_free(dx);
    }
}

static double match_value(void *user) {
  const rows_case *c = user;
  double loss;
  tg_reference_match_f64(c->x, c->other, c->weights, c->rows, c->d, 1e-2f, &loss, NULL);
  return loss;
}

static void test_match(void **state) {
  (void)state;
  rows_case c = {.rows = 3, .d = 7, .weights = {1, 0.25f, 2}};
  c.x = make(21, 1), c.other = make(21, 2);
  double *dx = make(21, 0), loss;
  tg_reference_match_f64(c.x, c.other, c.weights, c.rows, c.d, 1e-2f, &loss, dx);
  check_gradient("match", match_value, &c, c.x, 21, dx);
  tg_free(c.x), tg_free(c.other), tg_free(dx);
}

/* --------------------------------------------------------------------------------------------------------------- embedding, dropout, vectors */

typedef struct embed_case {
  int32_t ids[6];
  double *table, *y, *dy;
} embed_case;

static double embed_value(void *user) {
  embed_case *c = user;
  tg_reference_embed_f64(c->table, c->ids, 6, 5, c->y);
  return dot(c->y, c->dy, 30);
}

static void test_embed(void **state) {
  (void)state;
  embed_case c = {{3, 0, 3, 1, 3, 2}, make(20, 1), make(30, 1), make(30, 1)};
  double *dtable = make(20, 0);
  tg_reference_embed_backward_f64(c.dy, c.ids, 6, 5, dtable);
  check_gradient("embedding", embed_value, &c, c.table, 20, dtable);
  tg_free(c.table), tg_free(c.y), tg_free(c.dy), tg_free(dtable);
}

typedef struct dropout_case {
  double *x, *y, *dy;
} dropout_case;

static double dropout_value(void *user) {
  dropout_case *c = user;
  memcpy(c->y, c->x, 50 * sizeof *c->x);
  tg_reference_dropout_f64(c->y, 50, 0.3f, 8);
  return dot(c->y, c->dy, 50);
}

static void test_dropout(void **state) {
  (void)state;
  dropout_case c = {make(50, 1), make(50, 1), make(50, 1)};
  double *dx = make(50, 0);
  memcpy(dx, c.dy, 50 * sizeof *dx);
  tg_reference_dropout_f64(dx, 50, 0.3f, 8);
  check_gradient("dropout", dropout_value, &c, c.x, 50, dx);
  tg_free(c.x), tg_free(c.y), tg_free(c.dy), tg_free(dx);
}

/* ----------------------------------------------------------------------------------------------------------------------------- attention */

typedef struct attending {
  const attention_case *c;
  tg_train_attention a;
  double *q, *k, *v, *bias, *out, *normaliser, *dout;
  size_t n_out;
} attending;

static double attention_value(void *user) {
  const attending *t = user;
  tg_reference_attention_run_f64(&t->a, t->bias, t->c->spans, t->c->n_spans, t->q, t->k, t->v, t->out, t->normaliser);
  return dot(t->out, t->dout, t->n_out);
}

static void check_attention(const attention_case *c, float scale, float dropout) {
  attending t = {.c = c, .a = case_attention(c, scale, dropout)};
  const size_t q = (size_t)c->q_rows * t.a.q_stride, kv = (size_t)c->kv_rows * t.a.kv_stride, bias = (size_t)(CASE_BUCKETS * c->n_heads);
  t.n_out = (size_t)c->q_rows * t.a.out_stride;
  t.q = make(q, 1), t.k = make(kv, 1), t.v = make(kv, 1), t.bias = make(bias, 1), t.out = make(t.n_out, 0), t.dout = make(t.n_out, 1);
  t.normaliser = make((size_t)(c->q_rows * c->n_heads), 0);
  double *dq = make(q, 0), *dk = make(kv, 0), *dv = make(kv, 0), *dbias = make(bias, 0);
  attention_value(&t);
  tg_reference_attention_backward_f64(&t.a, t.bias, c->spans, c->n_spans, t.q, t.k, t.v, t.out, t.normaliser, t.dout, dq, dk, dv, dbias);
  check_gradient(c->name, attention_value, &t, t.q, q, dq);
  check_gradient(c->name, attention_value, &t, t.k, kv, dk);
  check_gradient(c->name, attention_value, &t, t.v, kv, dv);
  check_gradient(c->name, attention_value, &t, t.bias, bias, dbias);
  tg_free(t.q), tg_free(t.k), tg_free(t.v), tg_free(t.bias), tg_free(t.out), tg_free(t.dout), tg_free(t.normaliser);
  tg_free(dq), tg_free(dk), tg_free(dv), tg_free(dbias);
}

static void test_attention(void **state) {
  (void)state;
  for (size_t i = 0; i < N_ATTENTION_CASES; i++) {
    if (attention_cases[i].q_rows > 30) continue; /* the others say nothing more here */
    check_attention(&attention_cases[i], 1, 0);
    check_attention(&attention_cases[i], 0.5f, 0.3f);
  }
}

/* Far positions share the bucket of the last distance, both ways. */
static void test_attention_far(void **state) {
  (void)state;
  const attention_case far = {"far", 2, 3, 4, 6, 1, {{0, 4, 200, {{0, 3, 0}, {3, 3, 900}}}}, true, false};
  check_attention(&far, 1, 0);
}

/* -------------------------------------------------------------------------------------------------------------------------------- losses */

enum { ROWS = 4, VOCAB = 9 };
typedef struct loss_case {
  tg_train_loss loss;
  double *logits, *teacher, *copy;
} loss_case;

static double loss_value(void *user) {
  const loss_case *c = user;
  tg_train_losses losses;
  memcpy(c->copy, c->logits, ROWS * VOCAB * sizeof *c->copy);
  tg_reference_loss_run_f64(&c->loss, c->teacher, ROWS, VOCAB, c->copy, false, &losses, NULL, NULL);
  return losses.cross_entropy + losses.divergence;
}

static void check_loss(float smoothing, float forward, float reverse) {
  static const int32_t targets[ROWS] = {0, 8, -1, 3};
  static const float weights[ROWS] = {0.25f, 0.5f, 1, 0}, teacher_weights[ROWS] = {1, 0, 0.5f, 0.25f};
  loss_case c = {.loss = {.targets = targets,
                          .weights = weights,
                          .smoothing = smoothing,
                          .teacher_weights = teacher_weights,
                          .forward = forward,
                          .reverse = reverse}};
  c.logits = make(ROWS * VOCAB, 3), c.teacher = make(ROWS * VOCAB, 3), c.copy = make(ROWS * VOCAB, 0);
  double *gradient = make(ROWS * VOCAB, 0);
  memcpy(gradient, c.logits, ROWS * VOCAB * sizeof *gradient);
  tg_train_losses losses;
  tg_reference_loss_run_f64(&c.loss, c.teacher, ROWS, VOCAB, gradient, true, &losses, NULL, NULL);
  check_gradient("loss", loss_value, &c, c.logits, ROWS * VOCAB, gradient);
  tg_free(c.logits), tg_free(c.teacher), tg_free(c.copy), tg_free(gradient);
}

static void test_losses(void **state) {
  (void)state;
  check_loss(0, 0, 0);
  check_loss(0.1f, 0, 0);
  check_loss(0, 1, 0);
  check_loss(0, 0, 1);
  check_loss(0.1f, 0.25f, 0.75f);
}

/* By hand: logits log 1, log 2, log 5 are probabilities 1/8, 1/4, 5/8; the teacher's are 1/4, 1/4, 1/2. */
static void test_loss_by_hand(void **state) {
  (void)state;
  const int32_t target = 1;
  const float one = 1;
  const tg_train_loss loss = {.targets = &target, .weights = &one, .smoothing = 0.25f, .teacher_weights = &one, .forward = 1, .reverse = 2};
  double logits[] = {log(1), log(2), log(5)}, teacher[] = {log(1), log(1), log(2)}, logprob;
  unsigned char right = 1;
  tg_train_losses losses;
  tg_reference_loss_run_f64(&loss, teacher, 1, 3, logits, true, &losses, &logprob, &right);
  const double smoothing = (double)0.25f, mean = (log(0.125) + log(0.25) + log(0.625)) / 3;
  const double forward = 0.25 * log(2) + 0.5 * log(0.8), reverse = -0.125 * log(2) + 0.625 * log(1.25);
  assert_true(fabs(losses.cross_entropy + (1 - smoothing) * log(0.25) + smoothing * mean) < 1e-12);
  assert_true(fabs(losses.divergence - forward - 2 * reverse) < 1e-12);
  assert_true(fabs(logprob - log(0.25)) < 1e-12);
  assert_int_equal(right, 0);
  assert_true(fabs(logits[0] + logits[1] + logits[2]) < 1e-12);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_linear), cmocka_unit_test(test_norm),         cmocka_unit_test(test_activate),  cmocka_unit_test(test_match),
      cmocka_unit_test(test_embed),  cmocka_unit_test(test_dropout),      cmocka_unit_test(test_attention), cmocka_unit_test(test_attention_far),
      cmocka_unit_test(test_losses), cmocka_unit_test(test_loss_by_hand),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
