/* What the engine counts while it answers, against the closed formula of T5's cost. */
#include "support.h"
#include "t5gist/tools.h"
#include "tests/support/folder.h"

static char *dir;
static t5gist_model *model;
static t5gist_session *session;
static t5gist_model_info info;

static int set_up(void **state) {
  t5gist_error err;
  (void)state;
  dir = make_model("tiny", "uneven", 11, T5GIST_UNSET, NULL);
  CHECK_OK(t5gist_model_open(dir, NULL, &model, &err));
  CHECK_OK(t5gist_session_new(model, &session, &err));
  t5gist_model_describe(model, &info);
  return 0;
}

static int tear_down(void **state) {
  (void)state;
  t5gist_session_free(session);
  t5gist_model_close(model);
  folder_remove(dir);
  return 0;
}

typedef struct cost {
  uint64_t products, weights, product_flops, attention_flops, attention_bytes;
} cost;

static uint64_t inner(void) {
  return (uint64_t)info.n_heads * (uint64_t)info.d_kv;
}

/* m rows through a matrix of so many weights, in `products` products. */
static void add_products(cost *c, uint64_t products, uint64_t weights, uint64_t m) {
  c->products += products;
  c->weights += weights;
  c->product_flops += 2 * m * weights;
}

/* `layers` times an attention over `keys` keys, `pairs` of them with a query. */
static void add_attention(cost *c, uint64_t layers, uint64_t pairs, uint64_t keys) {
  c->attention_flops += layers * 4 * pairs * inner();
  c->attention_bytes += layers * 2 * keys * inner() * sizeof(float);
}

/* q, k, v, o and the gated feed-forward of n rows, with their attention. */
static cost encoder(uint64_t n, uint64_t pairs, uint64_t keys) {
  const uint64_t d = (uint64_t)info.d_model, layers = (uint64_t)info.n_layers;
  cost c = {0};
  add_products(&c, layers * 4, layers * (4 * d * inner() + 3 * d * (uint64_t)info.d_ff), n);
  add_attention(&c, layers, pairs, keys);
  return c;
}

static void add_cross(cost *c, uint64_t n) {
  const uint64_t layers = (uint64_t)info.n_decoder_layers;
  add_products(c, layers, layers * 2 * (uint64_t)info.d_model * inner(), n);
}

/* A step of one token per sequence; history: keys of the self-attention, itself included, and memory: of the
 * cross-attention, summed over sequences. */
static cost step(uint64_t sequences, uint64_t history, uint64_t memory) {
  const uint64_t d = (uint64_t)info.d_model, layers = (uint64_t)info.n_decoder_layers;
  cost c = {0};
  add_products(&c, layers * 6 + 1, layers * (4 * d * inner() + 2 * d * inner() + 3 * d * (uint64_t)info.d_ff) + d * (uint64_t)info.vocab_size,
               sequences);
  add_attention(&c, layers, history + memory, history + memory);
  return c;
}

static void check(const t5gist_counters *counted, cost expected) {
  assert_int_equal(counted->products, expected.products);
  assert_int_equal(counted->weights, expected.weights);
  assert_int_equal(counted->product_flops, expected.product_flops);
  assert_int_equal(counted->attention_flops, expected.attention_flops);
  assert_int_equal(counted->attention_bytes, expected.attention_bytes);
  assert_true(counted->weight_bytes >= counted->weights); /* no packed weight is smaller than a byte; whole blocks may be padded */
  assert_true(counted->weight_bytes <= 8 * counted->weights);
}

static void ask(const t5gist_request *requests, size_t n, t5gist_answer *answers, t5gist_counters counters[T5GIST_N_STAGES]) {
  t5gist_error err;
  t5gist_counters_take(session, counters);
  CHECK_OK(t5gist_generate(session, requests, n, answers, &err));
  for (size_t i = 0; i < n; i++) CHECK_OK((err = answers[i].error).status);
  t5gist_counters_take(session, counters);
}

static t5gist_request request(const char *task, t5gist_condition condition, int tokens) {
  t5gist_request r;
  t5gist_request_init(&r);
  r.task = task;
  r.input = "the house by the river";
  r.condition = condition;
  r.options.max_new_tokens = r.options.min_new_tokens = tokens;
  return r;
}

static void full_prompt(void **state) {
  t5gist_counters counters[T5GIST_N_STAGES];
  t5gist_answer answer;
  const t5gist_request r = request("Sort the words.", T5GIST_FULL, 3);
  (void)state;
  ask(&r, 1, &answer, counters);
  const uint64_t n = (uint64_t)(answer.n_task + answer.n_input);
  cost cross = {0};
  add_cross(&cross, n);
  check(&counters[T5GIST_STAGE_PREFIX], (cost){0});
  check(&counters[T5GIST_STAGE_INPUT], encoder(n, n * n, n));
  check(&counters[T5GIST_STAGE_CROSS], cross);
  check(&counters[T5GIST_STAGE_FIRST], step(1, 1, n));
  cost later = step(1, 2, n);
  const cost third = step(1, 3, n);
  later.products += third.products;
  later.weights += third.weights;
  later.product_flops += third.product_flops;
  later.attention_flops += third.attention_flops;
  later.attention_bytes += third.attention_bytes;
  check(&counters[T5GIST_STAGE_DECODE], later);
  t5gist_answer_clear(&answer);
}

static void gist_prompt(void **state) {
  enum { K = 3 };
  t5gist_error err;
  t5gist_counters counters[T5GIST_N_STAGES];
  t5gist_answer answer;
  t5gist_gist *gist;
  t5gist_gist_info described;
  (void)state;
  t5gist_counters_take(session, counters);
  CHECK_OK(t5gist_encode(session, "Sort the words.", K, &gist, &err));
  t5gist_counters_take(session, counters);
  t5gist_gist_describe(gist, &described);
  const uint64_t task = (uint64_t)described.n_task + K;
  cost prefix = encoder(task, task * task, task);
  add_cross(&prefix, K);
  check(&counters[T5GIST_STAGE_PREFIX], prefix);

  t5gist_request r = request(NULL, T5GIST_GIST, 1);
  r.gist = gist;
  ask(&r, 1, &answer, counters);
  const uint64_t n = (uint64_t)answer.n_input;
  cost cross = {0};
  add_cross(&cross, n);
  check(&counters[T5GIST_STAGE_PREFIX], (cost){0});
  check(&counters[T5GIST_STAGE_INPUT], encoder(n, n * (n + K), n + K));
  check(&counters[T5GIST_STAGE_CROSS], cross);
  check(&counters[T5GIST_STAGE_FIRST], step(1, 1, n + K));
  check(&counters[T5GIST_STAGE_DECODE], (cost){0});
  t5gist_answer_clear(&answer);
  t5gist_gist_free(gist);
}

static void batch_reads_weights_once(void **state) {
  t5gist_counters alone[T5GIST_N_STAGES], together[T5GIST_N_STAGES];
  t5gist_answer answers[2];
  const t5gist_request requests[2] = {request("Sort the words.", T5GIST_FULL, 2), request("Sort the words.", T5GIST_FULL, 2)};
  (void)state;
  ask(requests, 1, answers, alone);
  t5gist_answer_clear(&answers[0]);
  ask(requests, 2, answers, together);
  for (int i = T5GIST_STAGE_INPUT; i < T5GIST_N_STAGES; i++) {
    assert_int_equal(together[i].products, alone[i].products);
    assert_int_equal(together[i].weight_bytes, alone[i].weight_bytes);
    assert_int_equal(together[i].product_flops, 2 * alone[i].product_flops);
    assert_int_equal(together[i].attention_flops, 2 * alone[i].attention_flops);
  }
  t5gist_answer_clear(&answers[0]);
  t5gist_answer_clear(&answers[1]);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(full_prompt), cmocka_unit_test(gist_prompt), cmocka_unit_test(batch_reads_weights_once)};
  return cmocka_run_group_tests(tests, set_up, tear_down);
}
