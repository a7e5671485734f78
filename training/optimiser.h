/* Optimisers over the flat vector of parameters, learning-rate schedules, clipping and averaging. All updates are element by element in a fixed
 * order: the same bits from run to run, whatever the number of threads. */
#ifndef T5GIST_TRAINING_OPTIMISER_H
#define T5GIST_TRAINING_OPTIMISER_H

#include "runtime/engine.h"
#include "training/ops.h"
#include "training/parameters.h"

typedef enum tg_optimiser_kind {
  TG_ADAMW = 0, /* torch.optim.AdamW (decoupled decay; eps outside the root) */
  /* AdamW whose step is multiplied by max(1e-3, RMS of the tensor): nanoT5's AdamWScale, needed from scratch. Its eps stands beside the uncorrected
   * second moment, and its decay, after the step, takes the plain rate. */
  TG_ADAMW_SCALED,
  /* Shazeer & Stern, arXiv 1804.04235, as transformers' Adafactor(scale_parameter=True, relative_step=False): factored second moment, no first. Uses
   * its own constants: no beta1, beta2 = 1 - step^-0.8, eps 1e-30 and 1e-3, updates of RMS at most 1. */
  TG_ADAFACTOR,
  /* Muon (muon.c) for the layers' matrices, beta1 its momentum; AdamW at the same rate for the rest: embedding, head, norms, position biases. */
  TG_MUON
} tg_optimiser_kind;

typedef struct tg_optimiser_options {
  int kind;                              /* tg_optimiser_kind */
  tg_train_precision precision;          /* of Muon's products */
  float beta1, beta2, eps, weight_decay; /* decay: of the parameters that decay (tg_parameter) */
  float clip;                            /* gradients are multiplied by min(1, clip / (norm + 1e-6)), as torch.nn.utils.clip_grad_norm_; 0: not */
  float gist_factor;                     /* the learning rate of gist rows of the embedding is multiplied by it; 1: not */
  float average;                         /* decay of an exponential average of the weights, 0: none; with bias correction by steps */
} tg_optimiser_options;

typedef enum tg_schedule_kind { TG_CONSTANT = 0, TG_LINEAR, TG_COSINE } tg_schedule_kind;
typedef struct tg_schedule {
  int kind;                /* tg_schedule_kind */
  double rate, final_rate; /* peak, and at the last step (linear, cosine) */
  int warmup, steps;       /* of all steps the first warmup rise from 0 */
} tg_schedule;
/* step 0 ..: rate * (step + 1) / (warmup + 1) while step < warmup, so that no step is spent at rate 0; the peak at step warmup; from there straight,
 * or along half a cosine, to final_rate at step steps - 1, which stays. */
double tg_schedule_rate(const tg_schedule *schedule, int step);

/* State: named vectors, so that checkpoints store them without knowing the optimiser. begin, end: the stretch of the flat vector that this process
 * owns (data parallel); whole parameters for Adafactor and Muon. */
typedef struct tg_optimiser tg_optimiser;
typedef struct tg_state_vector {
  const char *name; /* "m", "v", "average", "v_rows", "v_columns" */
  float *data;      /* [count] */
  size_t count;
} tg_state_vector;
enum { TG_STATE_VECTORS = 5 }; /* at most */
/* layout, its config and the config's gist ids must outlive the optimiser. The average begins as zeros and is the weights after the first step. */
t5gist_status tg_optimiser_new(const tg_layout *layout, const tg_optimiser_options *options, size_t begin, size_t end, tg_optimiser **optimiser,
                               t5gist_error *err);
void tg_optimiser_free(tg_optimiser *optimiser); /* null is allowed */
/* Floats of state that options would take for a layout. */
size_t tg_optimiser_floats(const tg_layout *layout, const tg_optimiser_options *options);

/* One step over [begin, end) at the given rate; step counts from 1 (bias correction). norm: of the whole gradient, computed by the caller
 * (tg_train_sum_squares) across processes; one that is not finite is refused and nothing is changed. gradients, weights [layout->count]; of the
 * weights, those of [begin, end) are changed and all may be read. */
t5gist_status tg_optimiser_step(tg_optimiser *optimiser, tg_workspace *workspace, double rate, uint64_t step, double norm, const float *gradients,
                                float *weights, t5gist_error *err);
size_t tg_optimiser_state(const tg_optimiser *optimiser, tg_state_vector *vectors, size_t room); /* how many there are; fills at most room */
/* The averaged weights of [begin, end), or null when there is no averaging. */
const float *tg_optimiser_average(const tg_optimiser *optimiser);

#endif
