/* A training run: from a recipe to a folder that transformers and t5gist load.
 *
 *     out/            the model: the best one by evaluation, without evaluation that of the newest snapshot
 *     out/run/        recipe.json (every key), log.jsonl, TensorBoard's events, step-NNNNNNNN/ (snapshot.h), data/ (tokenised
 *                     examples), start/ (runs from scratch)
 *
 * Step s takes the examples s * batch_examples .. of an endless order, shuffled or the file's; all random numbers are keyed by (seed, step, example). So a run that
 * goes on from a snapshot ends with the same bits as one that was never interrupted, on the same machine with as many threads. */
#ifndef T5GIST_TRAINING_TRAINER_H
#define T5GIST_TRAINING_TRAINER_H


#include "training/recipe.h"

typedef struct tg_train_progress {
  int rank; /* of the process that tells */
  int step, steps;
  double loss; /* of the last steps, smoothed */
  double tokens_per_second, flops_per_second, seconds_left;
  const char *doing; /* null: stepping; "evaluation", ... */
} tg_train_progress;

typedef struct tg_train_call {
  const char *command;                            /* "t5gist train x.yaml": how the run was started, for sentences that say how to go on */
  bool resume;                                    /* go on from the newest whole snapshot; from the first step where there is none */
  bool overwrite;                                 /* begin anew in a folder that holds something already */
  const _Atomic int *stop;                        /* a signal's number: finish the step, save, return; null: never */
  void (*say)(void *user, const char *sentence);  /* for people; null: nobody */
  void (*fail)(void *user, const char *sentence); /* of several processes the one that fails ends all, at once: its last words; null: none */
  void (*progress)(void *user, const tg_train_progress *progress); /* before the first step, after every step and within evaluations; null: nobody */
  void *user;
} tg_train_call;

typedef struct tg_train_result {
  int step, steps;                    /* steps done, of all */
  int first_step;                     /* that this call did steps from */
  bool stopped;                       /* because *stop was set: the snapshot of step is on disk */
  int rank;                           /* of this process; 0 speaks */
  double loss;                        /* of the last step; NaN: none was done */
  double seconds, tokens, flops;      /* of the steps of this call, evaluations left out */
  size_t predicted_bytes, peak_bytes; /* resident memory; 0: unknown */
  char best[192];                     /* "unseen/gist4/loss 1.2345 at step 400", or empty */
} tg_train_result;

t5gist_status tg_train(const tg_recipe *recipe, const tg_train_call *call, tg_train_result *result, t5gist_error *err);

#endif
