/* The parts of a run (trainer.h), which the files beside trainer.c share. */
#ifndef T5GIST_TRAINING_TRAINER_PARTS_H
#define T5GIST_TRAINING_TRAINER_PARTS_H

#include "runtime/folder.h"
#include "training/distribute.h"
#include "training/log.h"
#include "training/pass.h"
#include "training/start.h"
#include "training/trainer.h"

/* ---- place.c: the folder of a run */
/* Looks at recipe->out, refuses what belongs to somebody else, makes out/run, takes its lock and writes the recipe there. *run_dir is the caller's,
 * as is *lock where its fd is not negative, also after a failure; *step: the snapshot to go on from, 0: none. */
t5gist_status tg_place_open(const tg_recipe *recipe, const tg_train_call *call, char **run_dir, tg_lock *lock, uint64_t *step, t5gist_error *err);

/* ---- evaluate.c */
typedef struct tg_eval_point { /* a condition, and for gist the number of gist tokens */
  int condition, gists;
  char name[32]; /* "gist4", "pos_control" */
} tg_eval_point;

typedef struct tg_eval_score {
  double loss;     /* -log p per target token */
  double exact;    /* share of examples all of whose target tokens are the likeliest ones */
  double accuracy; /* share of target tokens that are */
  size_t examples, tokens;
} tg_eval_score;
enum { TG_MAX_POINTS = TG_MAX_TRAINED_GISTS + TG_N_CONDITIONS };

typedef struct tg_best {
  int set, point;
  int measure; /* 0: loss, the least is the best; 1: exact_match, 2: accuracy: the greatest */
  double value;
  uint64_t step; /* 0: nothing was evaluated yet */
} tg_best;

/* Behind the step and the number that is none. */
#define TG_DIVERGED "the run has diverged; a lower rate, a longer warmup or clip may help. Its snapshots are kept"

/* ---- one run */
typedef struct tg_trainer {
  const tg_recipe *recipe;
  const tg_train_call *call;
  tg_group group;
  char *run_dir;
  tg_lock lock; /* of run_dir, the first process's; fd -1: none */
  tg_start start;
  tg_teacher teacher;
  tg_data *train, *sets[TG_MAX_SETS]; /* [recipe->n_sets] */
  int longest_task;                   /* tokens of a task of train, at most */
  int32_t rebuild_start, copy_start;
  tg_eval_point points[TG_MAX_POINTS];
  int n_points;
  tg_best best;

  tg_train_precision precision; /* of steps; evaluations are in f32 */
  tg_engine *engine;
  tg_workspace *workspace;
  tg_pass *pass, *teacher_pass; /* teacher_pass: null without one */
  float *weights, *gradients;   /* [start.layout.count]; gradients serve as scratch between steps */
  tg_optimiser *optimiser;
  tg_log *log; /* null: this process writes none */

  uint64_t step;   /* done */
  double loss;     /* of the last step */
  double smoothed; /* NaN at first */
  double step_seconds;
  double seconds, tokens, flops; /* of the steps so far */
} tg_trainer;

/* ---- tell.c */
void tg_trainer_say(const tg_trainer *trainer, const char *format, ...) __attribute__((format(printf, 2, 3))); /* the first process alone speaks */
void tg_trainer_progress(const tg_trainer *trainer, const char *doing);

/* ---- step.c: the examples of a step, and what is done with them */
typedef struct tg_step {
  uint64_t step; /* 0 .. */
  tg_batch_options options;
  tg_example *examples; /* [n] in the order of micro-batches */
  uint64_t *ids;        /* [n] */
  int *ends;            /* [n_micro] */
  int n, n_micro;
  double total_weight;
} tg_step;
t5gist_status tg_step_draw(const tg_trainer *trainer, uint64_t step, tg_step *out, t5gist_error *err);
t5gist_status tg_step_plan(const tg_trainer *trainer, const tg_step *step, int micro, tg_plan *plan, t5gist_error *err);
void tg_step_free(tg_step *step);

typedef struct tg_step_report {
  double loss, cross_entropy, divergence, match, norm, rate;
  double tokens, targets, flops, seconds; /* tokens: rows of encoder and decoder computed; targets: of them said */
} tg_step_report;
/* Options of a pass over a micro-batch of step `step`; without dropout and teacher when evaluating. */
tg_pass_options tg_trainer_pass_options(const tg_trainer *trainer, uint64_t step, int micro, bool evaluating);
/* Adds the gradients of this process's micro-batches of the step to gradients (zeroed by it), and what they say to the report. */
t5gist_status tg_step_gradients(tg_trainer *trainer, const tg_step *step, tg_step_report *report, t5gist_error *err);
/* The whole step: gradients over all processes, the optimiser, weights to everybody. trainer->step grows by one. */
t5gist_status tg_step_run(tg_trainer *trainer, tg_step_report *report, t5gist_error *err);

/* ---- evaluate.c */
/* Which conditions are evaluated, and which of their scores is the best model's. */
t5gist_status tg_evaluate_prepare(tg_trainer *trainer, t5gist_error *err);
/* Every set under every condition, written to the log. *improved: the best so far; trainer->best has it then. weights: as trained (q scaled as
 * they are). */
t5gist_status tg_evaluate(tg_trainer *trainer, const float *weights, bool *improved, t5gist_error *err);
t5gist_status tg_evaluate_set(tg_trainer *trainer, const tg_data *data, const tg_eval_point *point, const float *weights, tg_eval_score *score,
                              t5gist_error *err);
enum { TG_BEST_NAME = 128 };
const char *tg_best_name(const tg_trainer *trainer, const tg_best *best,
                         char name[TG_BEST_NAME]); /* "unseen/gist4/loss"; "" where nothing is evaluated */

/* ---- predict.c */
typedef struct tg_prediction {
  double flops, tokens;                      /* of a step, mean */
  size_t bytes;                              /* resident, at the peak */
  size_t parameters, optimiser, activations; /* parts of bytes */
} tg_prediction;
/* Draws the first steps and measures their plans; reads no weights. */
t5gist_status tg_predict(const tg_trainer *trainer, tg_prediction *out, t5gist_error *err);
/* Seconds of a step, from one pass over the first micro-batch; changes nothing. */
t5gist_status tg_predict_seconds(tg_trainer *trainer, const tg_prediction *prediction, double *seconds, t5gist_error *err);
size_t tg_resident_bytes(bool peak); /* of this process; 0: unknown */

#endif
