/* What the optimisers share. */
#ifndef T5GIST_TRAINING_OPTIMISER_PARTS_H
#define T5GIST_TRAINING_OPTIMISER_PARTS_H

#include "training/optimiser.h"

enum { TG_STRETCH = 1 << 15 }; /* floats that one thread updates at a time */

/* Consecutive floats of one parameter that have one learning rate. */
typedef struct tg_stretch {
  size_t begin, count, parameter;
  float factor; /* of the learning rate */
} tg_stretch;

struct tg_optimiser {
  const tg_layout *layout;
  tg_optimiser_options options;
  size_t begin, end;
  float *m, *v;              /* AdamW, Muon: [end - begin], of v what AdamW moves alone is used */
  float *v_rows, *v_columns; /* Adafactor: sums over the rows and columns of the matrices, one matrix after the other; v: of what is no matrix */
  float *average;            /* [end - begin], or null */
  size_t n_v, n_rows, n_columns;
  unsigned char *gist_rows; /* [vocab_size] whether a row has the gists' learning rate; null: none has */
  tg_stretch *stretches;    /* [n_stretches] what AdamW moves of [begin, end) */
  size_t n_stretches;
  float *scales; /* [layout->n] AdamW scaled: of each parameter's step */
  void *units;   /* [n_units] Muon: muon.c's */
  size_t n_units;
};

/* One step's numbers. */
typedef struct tg_update {
  tg_optimiser *optimiser;
  const float *gradients;
  float *weights;
  double rate;
  uint64_t step;
  float clip;           /* gradients are multiplied by it */
  float average_weight; /* of the new weights in the average */
} tg_update;

float tg_optimiser_factor(const tg_optimiser *o, const tg_parameter *p, size_t row); /* of the learning rate of a parameter's row */
/* max(1e-3, RMS of a parameter's weights). */
double tg_optimiser_scale(tg_workspace *workspace, const tg_parameter *p, const float *weights);
/* average += (weights - average) * average_weight over n floats from begin on. */
void tg_optimiser_follow(const tg_update *update, size_t begin, size_t n);

/* Whether Muon moves a parameter, and not AdamW. */
bool tg_muon_takes(const tg_layout *layout, const tg_parameter *p);
t5gist_status tg_muon_units(tg_optimiser *optimiser, t5gist_error *err); /* what tg_muon_step goes over */
t5gist_status tg_muon_step(const tg_update *update, tg_workspace *workspace, t5gist_error *err);
t5gist_status tg_adafactor_step(const tg_update *update, tg_workspace *workspace, t5gist_error *err);

#endif
