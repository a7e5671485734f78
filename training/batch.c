/* Plans from examples. What a condition shows whom comes from masking/ alone: a mask of two segments has a prefix (task and gist) that no input
 * changes, so it can be shared, or left out where nobody looks at it; a mask of one segment is computed in one piece. */
#include "training/batch.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/error.h"
#include "runtime/memory.h"
#include "t5/random.h"
#include "t5/template.h"

enum { MOST_ROWS = 1 << 30 };

/* ------------------------------------------------------------------------------------------------------------------------------- draws */

typedef struct draw {
  t5gist_condition condition;
  int gists; /* drawn under every condition; full has none */
  bool rebuild, copy;
} draw;

static int gists_of(const draw *d) {
  return d->condition == T5GIST_FULL ? 0 : d->gists;
}

enum { DRAW_CONDITION, DRAW_GISTS, DRAW_REBUILD, DRAW_COPY }; /* elements of an example's stream */

static double unit(uint64_t key, uint64_t i) {
  return (double)(tg_random_at(key, i) >> 11) * 0x1p-53; /* 0 <= u < 1 */
}

static t5gist_condition draw_condition(const tg_batch_options *options, uint64_t key) {
  double sum = 0;
  for (int c = 0; c < TG_N_CONDITIONS; c++) sum += (double)options->conditions[c];
  double left = unit(key, DRAW_CONDITION) * sum;
  int last = 0;
  for (int c = 0; c < TG_N_CONDITIONS; c++) {
    if (!(options->conditions[c] > 0)) continue;
    last = c; /* rounding may leave a little behind the last one */
    left -= (double)options->conditions[c];
    if (left < 0) break;
  }
  return (t5gist_condition)last;
}

/* With share_draws examples of one task draw alike: else few of them could share it. */
static draw draw_at_random(const tg_batch_options *options, const tg_example *example, uint64_t id, uint64_t step) {
  const uint64_t step_key = tg_random_key(options->seed, step), key = tg_random_key(step_key, id);
  const uint64_t task_key = options->share_draws ? tg_random_key(step_key, example->task_hash) : key;
  draw d = {.condition = draw_condition(options, task_key), .gists = options->gists[tg_random_at(task_key, DRAW_GISTS) % (uint64_t)options->n_gists]};
  d.rebuild = d.condition == T5GIST_GIST && example->n_task > 0 && unit(key, DRAW_REBUILD) < (double)options->rebuild;
  d.copy = example->n_input > 1 && unit(key, DRAW_COPY) < (double)options->copy;
  return d;
}

static draw draw_one(const tg_batch_options *options, const tg_example *example, uint64_t id, uint64_t step, int fixed_condition, int fixed_gists) {
  draw d = draw_at_random(options, example, id, step);
  if (fixed_condition != T5GIST_UNSET) d = (draw){.condition = (t5gist_condition)fixed_condition, .gists = d.gists};
  if (fixed_gists != T5GIST_UNSET) d.gists = fixed_gists;
  return d;
}

double tg_batch_weight(const tg_batch_options *options, const tg_example *example, uint64_t id, uint64_t step) {
  const draw d = draw_at_random(options, example, id, step);
  double weight = (double)example->n_target;
  if (d.rebuild) weight += (double)options->rebuild_weight * ((double)example->n_task + 1);
  if (d.copy) weight += (double)options->copy_weight * (double)example->n_input;
  return weight;
}

/* ------------------------------------------------------------------------------------------------------------------------------ checks */

static t5gist_status check_draw(const tg_config *config, const draw *d, t5gist_error *err) {
  const int gists = d->gists;
  if (d->condition == T5GIST_FULL) return T5GIST_OK;
  if (config->n_gist_ids == 0)
    return tg_fail(err, T5GIST_EUSAGE, "expected a model with gist tokens, found none: only the condition full can be trained");
  if (gists < 1) return tg_fail(err, T5GIST_EUSAGE, "gists: expected at least 1, found %d", gists);
  if (config->n_gist_ids > 1 && gists > config->n_gist_ids)
    return tg_fail(err, T5GIST_EUSAGE, "gists: expected at most %d, the distinct gist tokens of the model, found %d", config->n_gist_ids, gists);
  return T5GIST_OK;
}

static t5gist_status check_start(const tg_config *config, const char *what, float share, int32_t id, t5gist_error *err) {
  if (!(share > 0) || (id >= 0 && id < config->vocab_size)) return T5GIST_OK;
  return tg_fail(err, T5GIST_EUSAGE, "%s: expected the id of its start token within the vocabulary of %d rows, found %d", what, config->vocab_size,
                 id);
}

static t5gist_status check_conditions(const tg_batch_options *options, t5gist_error *err) {
  double sum = 0;
  for (int c = 0; c < TG_N_CONDITIONS; c++) {
    const double weight = (double)options->conditions[c];
    if (!(weight >= 0) || !isfinite(weight)) return tg_fail(err, T5GIST_EUSAGE, "conditions: expected weights of 0 or more, found %g", weight);
    sum += weight;
  }
  if (!(sum > 0)) return tg_fail(err, T5GIST_EUSAGE, "conditions: expected a weight above 0, found none");
  return T5GIST_OK;
}

static t5gist_status check_options(const tg_config *config, const tg_batch_options *options, double total_weight, int fixed_condition,
                                   t5gist_error *err) {
  if (fixed_condition != T5GIST_UNSET && (fixed_condition < 0 || fixed_condition >= TG_N_CONDITIONS))
    return tg_fail(err, T5GIST_EUSAGE, "expected a condition from 0 to %d, found %d", TG_N_CONDITIONS - 1, fixed_condition);
  TG_TRY(check_conditions(options, err));
  TG_TRY(check_start(config, "rebuild", options->rebuild, options->rebuild_start, err));
  TG_TRY(check_start(config, "copy", options->copy, options->copy_start, err));
  if (options->n_gists < 1 || options->n_gists > TG_MAX_TRAINED_GISTS)
    return tg_fail(err, T5GIST_EUSAGE, "gists: expected 1 to %d numbers, found %d", TG_MAX_TRAINED_GISTS, options->n_gists);
  if (!(total_weight > 0) || !isfinite(total_weight))
    return tg_fail(err, T5GIST_EUSAGE, "expected target tokens to weigh, found %g of them", total_weight);
  if (options->teacher && options->teacher_condition != T5GIST_FULL && options->teacher_condition != T5GIST_POS_CONTROL)
    return tg_fail(err, T5GIST_EUSAGE, "teacher: expected the condition full or pos_control");
  return T5GIST_OK;
}

/* ---------------------------------------------------------------------------------------------------------------------------- building */

/* Where a prompt's rows are: position p is row prefix + p before n_prefix, suffix + p - n_prefix from there on. */
typedef struct placed {
  int prefix, suffix, n_prefix; /* prefix -1: left out */
  tg_mask mask;
} placed;

typedef struct builder {
  const tg_config *config;
  const tg_example *examples;
  const draw *draws;
  placed *places; /* [n] */
  bool share;
  tg_plan *plan;
} builder;

/* Positions begin .. end - 1 of a prompt as stretches of rows. */
static void see(const placed *p, int begin, int end, tg_train_keys keys[TG_TRAIN_KEY_PARTS]) {
  const int early = begin < p->n_prefix ? (end < p->n_prefix ? end : p->n_prefix) - begin : 0;
  const int late = end - begin - early, late_begin = begin + early;
  keys[0] = (tg_train_keys){p->prefix + begin, early, begin};
  keys[1] = (tg_train_keys){p->suffix + late_begin - p->n_prefix, late, late_begin};
  if (early == 0) keys[0] = keys[1];
  if (early == 0 || late == 0) keys[1] = (tg_train_keys){0};
  if (keys[1].n && keys[0].begin + keys[0].n == keys[1].begin) {
    keys[0].n += keys[1].n;
    keys[1] = (tg_train_keys){0};
  }
}

static void add_span(tg_plan *plan, const placed *p, const tg_segment *segment) {
  const int q = segment->q_begin;
  tg_train_span *span = &plan->encoder_spans[plan->n_encoder_spans++];
  *span = (tg_train_span){.q_begin = q < p->n_prefix ? p->prefix + q : p->suffix + q - p->n_prefix, .n_q = segment->q_end - q, .q_position = q};
  see(p, segment->k_begin, segment->k_end, span->keys);
}

static int add_ids(tg_plan *plan, const int32_t *ids, int n) {
  const int begin = plan->n_encoder;
  if (n) memcpy(plan->encoder_ids + begin, ids, (size_t)n * sizeof *ids);
  plan->n_encoder += n;
  return begin;
}

static int add_prefix(const builder *b, const tg_example *example, int gists) {
  const int begin = add_ids(b->plan, example->task, example->n_task);
  for (int i = 0; i < gists; i++) b->plan->encoder_ids[b->plan->n_encoder++] = tg_template_gist(b->config, i);
  return begin;
}

static bool same_task(const tg_example *a, const tg_example *b) {
  return a->task_hash == b->task_hash && a->n_task == b->n_task && (a->n_task == 0 || !memcmp(a->task, b->task, (size_t)a->n_task * sizeof *a->task));
}

/* The prefix rows of an earlier example with this task and as many gist tokens, or -1. Gist and prefix conditions compute them alike. */
static int find_prefix(const builder *b, int i) {
  for (int j = 0; b->share && j < i; j++) {
    const bool apart = b->places[j].mask.n_segments == 2 && b->places[j].prefix >= 0;
    if (apart && gists_of(&b->draws[j]) == gists_of(&b->draws[i]) && same_task(&b->examples[j], &b->examples[i])) return b->places[j].prefix;
  }
  return -1;
}

static void place(const builder *b, int i) {
  const tg_example *e = &b->examples[i];
  const int gists = gists_of(&b->draws[i]);
  placed *p = &b->places[i];
  *p = (placed){.prefix = -1, .n_prefix = e->n_task + gists, .mask = tg_mask_make(b->draws[i].condition, e->n_task, gists, e->n_input)};
  const tg_segment *segments = p->mask.encoder;
  const bool whole = p->mask.n_segments == 1;
  const bool needed = whole || segments[1].k_begin < p->n_prefix || p->mask.cross.begin < p->n_prefix;
  if (!whole && needed) p->prefix = find_prefix(b, i);
  const bool own = needed && p->prefix < 0;
  if (own) p->prefix = add_prefix(b, e, gists);
  p->suffix = add_ids(b->plan, e->input, e->n_input);
  if (own) add_span(b->plan, p, &segments[0]);
  if (!whole) add_span(b->plan, p, &segments[1]);
}

/* One sequence of the decoder that says tokens [n], and then the end token if with_end, looking at positions begin .. end - 1. */
static void answer(const builder *b, int i, tg_task_kind kind, tg_span seen, int32_t start, const int32_t *tokens, int n, bool with_end,
                   double weight) {
  tg_plan *plan = b->plan;
  tg_plan_answer *a = &plan->answers[plan->n_answers++];
  const int rows = n + with_end;
  *a = (tg_plan_answer){.begin = plan->n_decoder, .n = rows, .example = i, .kind = kind};
  see(&b->places[i], seen.begin, seen.end, a->seen);
  for (int row = 0; row < rows; row++) {
    const int at = plan->n_decoder++;
    plan->decoder_ids[at] = row ? tokens[row - 1] : start;
    plan->targets[at] = row < n ? tokens[row] : b->config->eos_id;
    plan->weights[at] = (float)weight;
  }
}

/* Room for what the examples can need at most. */
static t5gist_status allocate(const builder *b, int n, t5gist_error *err) {
  size_t encoder = 0, decoder = 0;
  for (int i = 0; i < n; i++) {
    const tg_example *e = &b->examples[i];
    encoder += (size_t)e->n_task + (size_t)gists_of(&b->draws[i]) + (size_t)e->n_input;
    decoder += (size_t)e->n_target + (b->draws[i].rebuild ? (size_t)e->n_task + 1 : 0) + (b->draws[i].copy ? (size_t)e->n_input : 0);
    if (encoder > MOST_ROWS || decoder > MOST_ROWS) return tg_fail(err, T5GIST_EUSAGE, "a batch: expected at most %d tokens, found more", MOST_ROWS);
  }
  tg_plan *plan = b->plan;
  TG_TRY(tg_alloc(&plan->encoder_ids, encoder, sizeof *plan->encoder_ids, err));
  TG_TRY(tg_alloc(&plan->encoder_spans, (size_t)n, TG_MAX_SEGMENTS * sizeof *plan->encoder_spans, err));
  TG_TRY(tg_alloc(&plan->decoder_ids, decoder, sizeof *plan->decoder_ids, err));
  TG_TRY(tg_alloc(&plan->targets, decoder, sizeof *plan->targets, err));
  TG_TRY(tg_alloc(&plan->weights, decoder, sizeof *plan->weights, err));
  return tg_alloc(&plan->answers, (size_t)n, TG_N_TASKS * sizeof *plan->answers, err);
}

/* Weights of a token of each kind. */
typedef struct token_weights {
  double kinds[TG_N_TASKS];
} token_weights;

static t5gist_status build(builder *b, const tg_batch_options *options, int n, const token_weights *weights, t5gist_error *err) {
  TG_TRY(tg_alloc(&b->places, (size_t)n, sizeof *b->places, err));
  t5gist_status status = allocate(b, n, err);
  for (int i = 0; !status && i < n; i++) {
    const tg_example *e = &b->examples[i];
    place(b, i);
    const tg_span seen = b->places[i].mask.cross, gist = {e->n_task, b->places[i].n_prefix};
    answer(b, i, TG_TASK_ANSWER, seen, b->config->start_id, e->target, e->n_target, false, weights->kinds[TG_TASK_ANSWER]);
    if (b->draws[i].rebuild) answer(b, i, TG_TASK_REBUILD, gist, options->rebuild_start, e->task, e->n_task, true, weights->kinds[TG_TASK_REBUILD]);
    if (b->draws[i].copy) answer(b, i, TG_TASK_COPY, seen, options->copy_start, e->input, e->n_input, false, weights->kinds[TG_TASK_COPY]);
  }
  tg_free(b->places);
  b->places = NULL;
  return status;
}

/* ----------------------------------------------------------------------------------------------------------------------------- teacher */

static void map_teacher(tg_plan *plan, double weight) {
  const tg_plan_answer *teachers = plan->teacher->answers; /* the answers alone, one per example, in order */
  for (int i = 0; i < plan->n_answers; i++) {
    const tg_plan_answer *a = &plan->answers[i];
    const bool taught = a->kind == TG_TASK_ANSWER;
    for (int row = 0; row < a->n; row++) {
      plan->teacher_rows[a->begin + row] = taught ? teachers[a->example].begin + row : -1;
      plan->teacher_weights[a->begin + row] = taught ? (float)weight : 0;
    }
  }
}

/* Turns draws [n] into the teacher's. */
static t5gist_status add_teacher(const builder *student, const tg_batch_options *options, draw *draws, int n, double weight, t5gist_error *err) {
  tg_plan *plan = student->plan;
  for (int i = 0; i < n; i++) {
    draws[i] = (draw){.condition = (t5gist_condition)options->teacher_condition, .gists = draws[i].gists};
    TG_TRY(check_draw(student->config, &draws[i], err));
  }
  TG_TRY(tg_alloc(&plan->teacher, 1, sizeof *plan->teacher, err));
  builder teacher = *student;
  teacher.plan = plan->teacher;
  TG_TRY(build(&teacher, options, n, &(token_weights){0}, err));
  TG_TRY(tg_alloc(&plan->teacher_rows, (size_t)plan->n_decoder, sizeof *plan->teacher_rows, err));
  TG_TRY(tg_alloc(&plan->teacher_weights, (size_t)plan->n_decoder, sizeof *plan->teacher_weights, err));
  map_teacher(plan, weight);
  return T5GIST_OK;
}

t5gist_status tg_batch_make(const tg_config *config, const tg_batch_options *options, const tg_example *examples, const uint64_t *ids, int n,
                            uint64_t step, double total_weight, int fixed_condition, int fixed_gists, tg_plan *plan, t5gist_error *err) {
  draw *draws = NULL;
  t5gist_status status;
  *plan = (tg_plan){0};
  if (n < 1) return tg_fail(err, T5GIST_EUSAGE, "a batch: expected an example at least, found %d", n);
  TG_TRY(check_options(config, options, total_weight, fixed_condition, err));
  TG_TRY(tg_alloc(&draws, (size_t)n, sizeof *draws, err));
  builder b = {.config = config, .examples = examples, .draws = draws, .share = options->share_tasks, .plan = plan};
  const double one = 1 / total_weight;
  const token_weights weights = {{[TG_TASK_ANSWER] = one * (double)options->cross_entropy,
                                  [TG_TASK_REBUILD] = one * (double)options->rebuild_weight,
                                  [TG_TASK_COPY] = one * (double)options->copy_weight}};
  for (int i = 0; i < n; i++) {
    draws[i] = draw_one(options, &examples[i], ids[i], step, fixed_condition, fixed_gists);
    TG_GOTO(check_draw(config, &draws[i], err));
  }
  TG_GOTO(build(&b, options, n, &weights, err));
  if (options->teacher) TG_GOTO(add_teacher(&b, options, draws, n, one, err));
done:
  tg_free(draws);
  if (status) tg_plan_free(plan);
  return status;
}

/* --------------------------------------------------------------------------------------------------------------------------- splitting */

typedef struct item {
  uint64_t task_hash;
  size_t tokens, longest; /* of this example; of those with its task */
  int index;
} item;

static size_t tokens_of(const tg_example *e) {
  return (size_t)e->n_task + (size_t)e->n_input + (size_t)e->n_target;
}

static int by_task(const void *left, const void *right) {
  const item *a = left, *b = right;
  if (a->task_hash != b->task_hash) return a->task_hash < b->task_hash ? -1 : 1;
  if (a->tokens != b->tokens) return a->tokens > b->tokens ? -1 : 1;
  return a->index < b->index ? -1 : 1;
}

static int by_length(const void *left, const void *right) {
  const item *a = left, *b = right;
  if (a->longest != b->longest) return a->longest > b->longest ? -1 : 1;
  return by_task(a, b);
}

t5gist_status tg_batch_split(const tg_example *examples, int n, size_t max_tokens, int *order, int *ends, int *n_micro, t5gist_error *err) {
  item *items;
  *n_micro = 0;
  if (n < 1) return T5GIST_OK;
  TG_TRY(tg_alloc(&items, (size_t)n, sizeof *items, err));
  for (int i = 0; i < n; i++) items[i] = (item){.task_hash = examples[i].task_hash, .tokens = tokens_of(&examples[i]), .index = i};
  qsort(items, (size_t)n, sizeof *items, by_task);
  for (int i = 0; i < n; i++) items[i].longest = i && items[i].task_hash == items[i - 1].task_hash ? items[i - 1].longest : items[i].tokens;
  qsort(items, (size_t)n, sizeof *items, by_length);
  size_t held = 0;
  for (int i = 0; i < n; i++) {
    if (held && (items[i].tokens > max_tokens || held > max_tokens - items[i].tokens)) {
      ends[(*n_micro)++] = i;
      held = 0;
    }
    held += items[i].tokens;
    order[i] = items[i].index;
  }
  ends[(*n_micro)++] = n;
  tg_free(items);
  return T5GIST_OK;
}
