/* Examples become plans: the condition and number of gist tokens of each drawn by (seed, step, example), with share_draws by (seed, step,
 * task); examples of one task sharing its rows, auxiliary tasks beside them. */
#ifndef T5GIST_TRAINING_BATCH_H
#define T5GIST_TRAINING_BATCH_H

#include "masking/masking.h"
#include "training/data.h"
#include "training/plan.h"

enum { TG_N_CONDITIONS = 5, TG_MAX_TRAINED_GISTS = 32 }; /* t5gist_condition */

typedef enum tg_task_kind {
  TG_TASK_ANSWER = 0, /* the example's own target */
  TG_TASK_REBUILD,    /* say the instruction, as templated, from the gist tokens alone (examples under condition gist) */
  TG_TASK_COPY,       /* say the input again, as templated, from what the answer sees: teaches copying */
  TG_N_TASKS
} tg_task_kind;

typedef struct tg_batch_options {
  uint64_t seed;
  float conditions[TG_N_CONDITIONS];        /* weights of the draw, by t5gist_condition; sum > 0 */
  int gists[TG_MAX_TRAINED_GISTS], n_gists; /* one of them is drawn per example */
  float rebuild, copy;               /* share of the examples (under condition gist; with an input) that carry this beside their answer, 0..1 */
  float rebuild_weight, copy_weight; /* of its cross-entropy, against the answer's 1 */
  int32_t rebuild_start, copy_start; /* decoder start tokens that tell these tasks apart: ids of <extra_id_0>, <extra_id_1> by default */
  float cross_entropy;               /* weight of the answers' cross-entropy */
  bool share_tasks;      /* encode a task once for all its examples of a micro-batch under conditions gist and prefix, where k agrees (exact) */
  bool share_draws;      /* examples of one task draw condition and gists alike, so that more of them share it */
  bool teacher;          /* add the teacher's plan: the same answers under teacher_condition, with the example's k; auxiliary tasks have none */
  int teacher_condition; /* full or pos_control */
} tg_batch_options;

/* The plan of one micro-batch: examples [n] of step `step` (ids: their places in the data, for the draws). total_weight: target tokens of the whole
 * optimiser step (answers and auxiliary tasks, weighed), so that weights sum to 1 over its micro-batches where cross_entropy is 1. fixed_condition,
 * fixed_gists: T5GIST_UNSET, or instead of the draw (evaluation: no auxiliary tasks then). *plan is overwritten; after a failure it is empty. Its
 * answers come in the order of the examples, each followed by its auxiliary tasks; answer.example is the place in examples. neg_control leaves task
 * and gist tokens out: nobody sees them. Positions count as if the whole prompt stood in a row. */
t5gist_status tg_batch_make(const tg_config *config, const tg_batch_options *options, const tg_example *examples, const uint64_t *ids, int n,
                            uint64_t step, double total_weight, int fixed_condition, int fixed_gists, tg_plan *plan, t5gist_error *err);
/* What the plan of one example will weigh in total_weight, by the same draws. */
double tg_batch_weight(const tg_batch_options *options, const tg_example *example, uint64_t id, uint64_t step);

/* Splits the examples of a step into micro-batches of at most max_tokens source and target tokens together (gist tokens and auxiliary tasks not
 * counted; one example at least), examples of like length and of one task together; a deterministic order: order [n] is filled with indices, ends
 * (room for n) with where each of the n_micro ends. */
t5gist_status tg_batch_split(const tg_example *examples, int n, size_t max_tokens, int *order, int *ends, int *n_micro, t5gist_error *err);

#endif
