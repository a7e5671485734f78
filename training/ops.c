#include "training/ops.h"

#include "training/reference.h"

t5gist_status tg_train_norm(tg_workspace *workspace, const float *x, const float *weight, size_t rows, size_t d, float eps, float *y, float *inverse,
                            t5gist_error *err) {
  (void)workspace, (void)err;
  tg_reference_norm_f32(x, weight, rows, d, eps, y, inverse);
  return T5GIST_OK;
}

t5gist_status tg_train_norm_backward(tg_workspace *workspace, const float *x, const float *weight, const float *inverse, const float *dy, size_t rows, size_t d,
                                     float *dx, float *dweight, t5gist_error *err) {
  (void)workspace, (void)err;
  tg_reference_norm_backward_f32(x, weight, inverse, dy, rows, d, dx, dweight);
  return T5GIST_OK;
}

t5gist_status tg_train_activate(tg_workspace *workspace, const float *x, size_t rows, size_t d_ff, tg_activation activation, bool gated, float *y,
                                t5gist_error *err) {
  (void)workspace, (void)err;
  tg_reference_activate_f32(x, rows, d_ff, activation, gated, y);
  return T5GIST_OK;
}

t5gist_status tg_train_activate_backward(tg_workspace *workspace, const float *x, const float *dy, size_t rows, size_t d_ff, tg_activation activation,
                                         bool gated, float *dx, t5gist_error *err) {
  (void)workspace, (void)err;
  tg_reference_activate_backward_f32(x, dy, rows, d_ff, activation, gated, dx);
  return T5GIST_OK;
}

t5gist_status tg_train_embed(tg_workspace *workspace, const float *table, const int32_t *ids, size_t rows, size_t d, float *y, t5gist_error *err) {
  (void)workspace, (void)err;
  tg_reference_embed_f32(table, ids, rows, d, y);
  return T5GIST_OK;
}

t5gist_status tg_train_embed_backward(tg_workspace *workspace, const float *dy, const int32_t *ids, size_t rows, size_t d, float *dtable, t5gist_error *err) {
  (void)workspace, (void)err;
  tg_reference_embed_backward_f32(dy, ids, rows, d, dtable);
  return T5GIST_OK;
}

t5gist_status tg_train_attention_run(tg_workspace *workspace, const tg_train_attention *attention, const tg_train_span *spans, int n_spans, const float *q,
                                     const float *k, const float *v, float *out, float *normaliser, t5gist_error *err) {
  (void)workspace, (void)err;
  tg_reference_attention_run_f32(attention, attention->bias_weights, spans, n_spans, q, k, v, out, normaliser);
  return T5GIST_OK;
}

t5gist_status tg_train_attention_backward(tg_workspace *workspace, const tg_train_attention *attention, const tg_train_span *spans, int n_spans,
                                          const float *q, const float *k, const float *v, const float *out, const float *normaliser, const float *dout,
                                          float *dq, float *dk, float *dv, float *dbias_weights, t5gist_error *err) {
  (void)workspace, (void)err;
  tg_reference_attention_backward_f32(attention, attention->bias_weights, spans, n_spans, q, k, v, out, normaliser, dout, dq, dk, dv, dbias_weights);
  return T5GIST_OK;
}

void tg_train_dropout(tg_workspace *workspace, float *x, size_t n, float p, uint64_t key) {
  (void)workspace;
  tg_reference_dropout_f32(x, n, p, key);
}

t5gist_status tg_train_loss_run(tg_workspace *workspace, const tg_train_loss *loss, size_t rows, size_t vocab, float *logits, bool backward,
                                tg_train_losses *losses, float *logprobs, unsigned char *right, t5gist_error *err) {
  (void)workspace, (void)err;
  tg_reference_loss_run_f32(loss, loss->teacher, rows, vocab, logits, backward, losses, logprobs, right);
  return T5GIST_OK;
}

t5gist_status tg_train_match(tg_workspace *workspace, const float *x, const float *y, const float *weights, size_t rows, size_t d, float eps, double *loss,
                             float *dx, t5gist_error *err) {
  (void)workspace, (void)err;
  tg_reference_match_f32(x, y, weights, rows, d, eps, loss, dx);
  return T5GIST_OK;
}

double tg_train_sum_squares(tg_workspace *workspace, const float *x, size_t n) {
  (void)workspace;
  return tg_reference_sum_squares_f32(x, n);
}

void tg_train_add(tg_workspace *workspace, const float *x, size_t n, float *y) {
  (void)workspace;
  tg_reference_add_f32(x, n, y);
}
