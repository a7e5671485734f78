/* One pass over a plan: losses, and their gradients when asked. Encoder, decoder and vocabulary layer over packed rows (ops.h). */
#ifndef T5GIST_TRAINING_PASS_H
#define T5GIST_TRAINING_PASS_H

#include "training/parameters.h"
#include "training/plan.h"

/* What a model's passes need; kept between them, so that warm passes allocate nothing. One thread at a time. */
typedef struct tg_pass tg_pass;

typedef struct tg_pass_options {
  tg_train_precision precision; /* of linear layers, the teacher's too */
  float q_scale;          /* of attention scores: 1, or d_kv^-0.5 (tg_parameters_scale_q) */
  float dropout;          /* as T5's dropout_rate: embeddings, probabilities, sub-layers' outputs, activations, final norms */
  uint64_t dropout_key;   /* another one for every pass */
  float smoothing;        /* label smoothing */
  float forward, reverse; /* of the divergences from the teacher */
  float match;            /* of the cross-attention outputs' distance to the teacher's, mean over layers */
} tg_pass_options;

typedef struct tg_pass_result {
  double loss;                             /* everything together: what the gradient is of */
  double cross_entropy, divergence, match; /* its parts, weighed */
  float *logprobs;                         /* [n_decoder] of the targets under the plain softmax, the caller's memory or null */
  unsigned char *right;                    /* [n_decoder] the target is the likeliest token; the caller's memory or null */
} tg_pass_result;

/* weights [layout->count] are borrowed and may change between passes. layout and workspace must outlive the pass. */
t5gist_status tg_pass_new(const tg_layout *layout, tg_workspace *workspace, tg_pass **pass, t5gist_error *err);
void tg_pass_free(tg_pass *pass); /* null is allowed */

/* gradients [layout->count], += ; null: forward only. Tokens out of range are refused. teacher: a pass of the teacher's own layout, with its
 * weights, for plans that have a teacher; else null. The teacher is run forward without dropout and with q_scale 1 (its q is as in its folder), and
 * only where one of forward, reverse and match is not 0; its vocabulary must be the student's or larger (surplus logits are left out), matching
 * needs its decoder to have the student's depth and width. Matched is what o gives, before dropout. */
t5gist_status tg_pass_run(tg_pass *pass, const float *weights, const tg_plan *plan, const tg_pass_options *options, tg_pass *teacher,
                          const float *teacher_weights, float *gradients, tg_pass_result *result, t5gist_error *err);

/* Floating point operations of a pass, a multiplication and an addition being two: linear layers and attention, forward, and twice that again when
 * backward. A teacher's are those of its own config and plan->teacher, forward. */
double tg_pass_flops(const tg_config *config, const tg_plan *plan, bool backward);
/* Bytes that a pass over so many rows holds at its peak, weights and gradients not counted; what is printed before a run, and held by tests to
 * within 30 %. Every encoder row is taken to be seen by an answer. A teacher's are those of its own config and rows, forward. SIZE_MAX: more than
 * this machine's addresses. */
size_t tg_pass_bytes(const tg_config *config, size_t n_encoder, size_t n_decoder, bool backward);

#endif
