/* The operations of training, forward and backward, on packed rows of f32: matrix products by oneDNN (dnnl_sgemm) or, in bf16, by products.h, the
 * rest by hand, vectorised per instruction set (kernels_body.h) and split over the workspace's team. Each has its plain-C specification in
 * reference.h, which is compiled for float and for double: the double one is held against central differences, the fast one against it.
 *
 * Gradients are added to what is there (d... arguments marked +=): parameters and activations that are used twice sum by themselves. Results have
 * the same bits from run to run on one machine with the same number of threads (all but linear layers' in f32 with any number). Matrices are dense and
 * row-major, [rows, columns], any alignment. Scratch comes from the workspace's arena and is given back. */
#ifndef T5GIST_TRAINING_OPS_H
#define T5GIST_TRAINING_OPS_H

#include <stdbool.h>

#include "runtime/engine.h"
#include "runtime/kernels.h"

/* What linear layers round their factors to before they multiply; what they read and write is f32, and so are sums. */
typedef enum tg_train_precision { TG_TRAIN_F32 = 0, TG_TRAIN_BF16 } tg_train_precision;

/* ---- linear layers: y = x W^T; x [m, n_in], W [n_out, n_in] as PyTorch stores it, y [m, n_out]. */
t5gist_status tg_train_linear(tg_workspace *workspace, tg_train_precision precision, const float *x, size_t m, const float *weight, size_t n_in,
                              size_t n_out, bool accumulate, float *y, t5gist_error *err);
/* dx (+)= dy W; accumulate as above. */
t5gist_status tg_train_linear_dx(tg_workspace *workspace, tg_train_precision precision, const float *dy, size_t m, const float *weight, size_t n_in,
                                 size_t n_out, bool accumulate, float *dx, t5gist_error *err);
/* dweight += dy^T x. */
t5gist_status tg_train_linear_dw(tg_workspace *workspace, tg_train_precision precision, const float *dy, const float *x, size_t m, size_t n_in,
                                 size_t n_out, float *dweight, t5gist_error *err);

/* ---- RMSNorm: y = x * inverse * weight, inverse = 1 / sqrt(mean(x^2) + eps), kept for the way back, [rows]. */
t5gist_status tg_train_norm(tg_workspace *workspace, const float *x, const float *weight, size_t rows, size_t d, float eps, float *y, float *inverse,
                            t5gist_error *err);
/* dx +=, dweight [d] +=. */
t5gist_status tg_train_norm_backward(tg_workspace *workspace, const float *x, const float *weight, const float *inverse, const float *dy, size_t rows,
                                     size_t d, float *dx, float *dweight, t5gist_error *err);

/* ---- activation: gated: x [rows, 2 * d_ff] -> y [rows, d_ff] as tg_activate; else x, y [rows, d_ff]. dx is written, not added to. */
t5gist_status tg_train_activate(tg_workspace *workspace, const float *x, size_t rows, size_t d_ff, tg_activation activation, bool gated, float *y,
                                t5gist_error *err);
t5gist_status tg_train_activate_backward(tg_workspace *workspace, const float *x, const float *dy, size_t rows, size_t d_ff, tg_activation activation,
                                         bool gated, float *dx, t5gist_error *err);

/* ---- embedding: y[i] = table[ids[i]]; back: dtable[ids[i]] += dy[i], in the order of i. ids in range. */
t5gist_status tg_train_embed(tg_workspace *workspace, const float *table, const int32_t *ids, size_t rows, size_t d, float *y, t5gist_error *err);
t5gist_status tg_train_embed_backward(tg_workspace *workspace, const float *dy, const int32_t *ids, size_t rows, size_t d, float *dtable,
                                      t5gist_error *err);

/* ---- attention over spans. A span lets n_q consecutive query rows see up to two stretches of key rows; what is masked is never touched. A query
 * row is in one span at most; several spans may share keys (examples of one task), so that their gradients sum. T5 form: no 1/sqrt(d_kv) here, an
 * additive bias by head and bucket of (key - query position). */
enum { TG_TRAIN_KEY_PARTS = 2 };
typedef struct tg_train_keys {
  int begin, n, position; /* rows begin .. begin + n - 1; position of the first. n may be 0 */
} tg_train_keys;
typedef struct tg_train_span {
  int q_begin, n_q, q_position;
  tg_train_keys keys[TG_TRAIN_KEY_PARTS];
} tg_train_span;

typedef struct tg_train_attention {
  int n_heads, d_kv;
  size_t q_stride, kv_stride, out_stride; /* floats from row to row; head h stands at column h * d_kv */
  float scale;                            /* of q k^T: 1, or d_kv^-0.5 where q is kept unfolded */
  const float *bias_weights;              /* [n_buckets, n_heads] relative_attention_bias, or null: none */
  int n_buckets, max_distance;
  bool bidirectional, causal; /* buckets of both directions; a query sees no key of a later position */
  float dropout;              /* of the probabilities: 0: none; else kept with probability 1 - dropout and divided by it */
  uint64_t dropout_key;       /* t5/random.h; whether a probability is dropped depends on this key, head, query row and key row alone */
} tg_train_attention;

/* out = softmax(scale q k^T + bias) v; normaliser [rows of q, n_heads]: log(sum(exp(scores))), kept for the way back. Every query of a span sees at
 * least one key. */
t5gist_status tg_train_attention_run(tg_workspace *workspace, const tg_train_attention *attention, const tg_train_span *spans, int n_spans,
                                     const float *q, const float *k, const float *v, float *out, float *normaliser, t5gist_error *err);
/* dq, dk, dv (strides as q, k, v) +=; dbias_weights [n_buckets, n_heads] += or null. */
t5gist_status tg_train_attention_backward(tg_workspace *workspace, const tg_train_attention *attention, const tg_train_span *spans, int n_spans,
                                          const float *q, const float *k, const float *v, const float *out, const float *normaliser,
                                          const float *dout, float *dq, float *dk, float *dv, float *dbias_weights, t5gist_error *err);

/* ---- dropout in place over x [rows, d]: element i is kept with probability 1 - p and divided by it, by (key, i) alone (dropout.h). The same call
 * goes forward and back. p = 0: nothing. */
void tg_train_dropout(tg_workspace *workspace, float *x, size_t n, float p, uint64_t key);

/* ---- losses over rows of logits [rows, vocab], fused with the softmax. Everything is weighed by row: loss += sum weight[i] * ..., gradients
 * likewise. */
typedef struct tg_train_loss {
  const int32_t *targets;       /* [rows] ids; -1: no cross-entropy in this row */
  const float *weights;         /* [rows] of the cross-entropy */
  float smoothing;              /* label smoothing as torch.nn.CrossEntropyLoss's */
  const float *teacher;         /* [rows, vocab] logits of the teacher, or null */
  const float *teacher_weights; /* [rows] of the divergence; 0: none in this row */
  float forward, reverse;       /* forward * KL(teacher || student) + reverse * KL(student || teacher) */
} tg_train_loss;
typedef struct tg_train_losses {
  double cross_entropy, divergence; /* weighed sums; divergence: forward and reverse together, with their factors */
} tg_train_losses;
/* logprobs [rows] of the targets under the plain softmax and right [rows] (the target is the largest logit, lowest id among equals): null where not
 * wanted, 0 where there is no target. backward: logits are replaced by the gradient; otherwise they stay. */
t5gist_status tg_train_loss_run(tg_workspace *workspace, const tg_train_loss *loss, size_t rows, size_t vocab, float *logits, bool backward,
                                tg_train_losses *losses, float *logprobs, unsigned char *right, t5gist_error *err);

/* ---- matching: loss = sum over rows of weight[i] * mean over d of (x / rms(x) - y / rms(y))^2, rms = sqrt(mean(.^2) + eps); y constant. dx += or
 * null. */
t5gist_status tg_train_match(tg_workspace *workspace, const float *x, const float *y, const float *weights, size_t rows, size_t d, float eps,
                             double *loss, float *dx, t5gist_error *err);

/* ---- vectors of parameters */
double tg_train_sum_squares(tg_workspace *workspace, const float *x, size_t n); /* in a fixed order */
void tg_train_add(tg_workspace *workspace, const float *x, size_t n, float *y); /* y += x */

#endif
