/* One packed batch: what the encoder reads, what the decoder is to say, who sees whom, and what each token of the answer weighs. Made from
 * examples by batch.h, computed by pass.h; tests write plans by hand. Nothing is padded and nothing masked is computed: examples of one task may
 * share its rows, and a condition that never shows the task leaves it out. */
#ifndef T5GIST_TRAINING_PLAN_H
#define T5GIST_TRAINING_PLAN_H

#include "training/ops.h"

/* One sequence of the decoder: rows begin .. begin + n - 1, causal among themselves, looking at up to two stretches of encoder rows (positions in
 * seen are not used). */
typedef struct tg_plan_answer {
  int begin, n;
  tg_train_keys seen[TG_TRAIN_KEY_PARTS];
  int example; /* the caller's number, for reports; rebuilt instructions and the like have one too */
  int kind;    /* the caller's, for reports: tg_task_kind of batch.h */
} tg_plan_answer;

typedef struct tg_plan {
  int32_t *encoder_ids; /* [n_encoder] */
  int n_encoder;
  tg_train_span *encoder_spans; /* [n_encoder_spans], covering every encoder row once */
  int n_encoder_spans;

  int32_t *decoder_ids; /* [n_decoder] start token, then the answer without its last token */
  int32_t *targets;     /* [n_decoder] the answer, end token included; -1: no cross-entropy */
  float *weights;       /* [n_decoder] of cross-entropy: those of one optimiser step sum to 1 (times the loss's own weight) */
  int n_decoder;
  tg_plan_answer *answers; /* [n_answers], covering every decoder row once, in order */
  int n_answers;

  struct tg_plan *teacher; /* the same answers under the teacher's prompt, owned; null: no teacher */
  int32_t *teacher_rows;   /* [n_decoder] row of teacher's decoder that says the same token, -1: none */
  float *teacher_weights;  /* [n_decoder] of divergence and matching, as weights */
} tg_plan;

void tg_plan_free(tg_plan *plan); /* zeroed or made; frees the teacher's too, and clears */

#endif
