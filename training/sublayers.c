#include <string.h>

#include "runtime/error.h"
#include "t5/random.h"
#include "training/pass_parts.h"

uint64_t tg_dropout_key(const tg_work *work, bool decoder, int layer, tg_dropout_site site) {
  return tg_random_key(tg_random_key(work->options->dropout_key, decoder), (uint64_t)layer * TG_DROP_SITES + (uint64_t)site);
}

void tg_work_dropout(const tg_work *work, bool decoder, int layer, tg_dropout_site site, float *x, size_t rows, size_t width) {
  tg_train_dropout(work->workspace, x, rows * width, work->options->dropout, tg_dropout_key(work, decoder, layer, site));
}

static size_t d_model_of(const tg_work *work) {
  return (size_t)work->layout->config->d_model;
}

/* Linear layers whose weights stand at a place of the parameters, in the pass's precision (ops.h). */
static t5gist_status linear(tg_work *work, const float *x, size_t rows, size_t weight, size_t n_in, size_t n_out, bool add, float *y,
                            t5gist_error *err) {
  return tg_train_linear(work->workspace, work->options->precision, x, rows, work->weights + weight, n_in, n_out, add, y, err);
}

static t5gist_status linear_dw(tg_work *work, const float *dy, const float *x, size_t rows, size_t n_in, size_t n_out, size_t weight,
                               t5gist_error *err) {
  return tg_train_linear_dw(work->workspace, work->options->precision, dy, x, rows, n_in, n_out, work->gradients + weight, err);
}

static t5gist_status linear_dx(tg_work *work, const float *dy, size_t rows, size_t weight, size_t n_in, size_t n_out, bool add, float *dx,
                               t5gist_error *err) {
  return tg_train_linear_dx(work->workspace, work->options->precision, dy, rows, work->weights + weight, n_in, n_out, add, dx, err);
}

static t5gist_status norm(tg_work *work, const float *x, size_t weight, size_t rows, t5gist_error *err) {
  return tg_train_norm(work->workspace, x, work->weights + weight, rows, d_model_of(work), work->layout->config->eps, work->normed, work->inverse,
                       err);
}

/* next = x + dropout(next). */
static void join(tg_work *work, const tg_stack *stack, int layer, tg_dropout_site site, const float *x, float *next) {
  const size_t d_model = d_model_of(work);
  tg_work_dropout(work, stack->decoder, layer, site, next, stack->rows, d_model);
  tg_train_add(work->workspace, x, stack->rows * d_model, next);
}

/* The way back of join: dbranch = dropout(dx); dx goes on beside it. */
static void branch(tg_work *work, const tg_stack *stack, int layer, tg_dropout_site site) {
  const size_t d_model = d_model_of(work);
  memcpy(work->dbranch, work->dx, stack->rows * d_model * sizeof(float));
  tg_work_dropout(work, stack->decoder, layer, site, work->dbranch, stack->rows, d_model);
}

/* A layer's first product on the way back: dW += dy^T norm(x), dx += the norm's gradient of dy W. */
static t5gist_status backward_to_input(tg_work *work, const tg_stack *stack, const float *x, size_t norm_weight, size_t weight, const float *dy,
                                       size_t width, t5gist_error *err) {
  const size_t d_model = d_model_of(work);
  TG_TRY(norm(work, x, norm_weight, stack->rows, err));
  TG_TRY(linear_dw(work, dy, work->normed, stack->rows, d_model, width, weight, err));
  TG_TRY(linear_dx(work, dy, stack->rows, weight, d_model, width, false, work->dbranch, err));
  return tg_train_norm_backward(work->workspace, x, work->weights + norm_weight, work->inverse, work->dbranch, stack->rows, d_model, work->dx,
                                work->gradients + norm_weight, err);
}

/* dbranch is o's output's gradient: o's own, and that of context in hidden. */
static t5gist_status backward_through_o(tg_work *work, const tg_stack *stack, const tg_kept_attention *kept, size_t o, t5gist_error *err) {
  const size_t d_model = d_model_of(work), inner = tg_config_inner(work->layout->config);
  TG_TRY(linear_dw(work, work->dbranch, kept->context, stack->rows, inner, d_model, o, err));
  return linear_dx(work, work->dbranch, stack->rows, o, inner, d_model, false, work->hidden, err);
}

/* ------------------------------------------------------------------------------------------------------------------ attention */

static tg_train_attention attention_of(const tg_work *work, const tg_stack *stack, const tg_kept_attention *kept, int layer, bool cross) {
  const tg_config *c = work->layout->config;
  return (tg_train_attention){
      .n_heads = c->n_heads,
      .d_kv = c->d_kv,
      .q_stride = kept->q_stride,
      .kv_stride = kept->kv_stride,
      .out_stride = tg_config_inner(c),
      .scale = work->options->q_scale,
      .bias_weights = cross ? NULL : work->weights + stack->positions,
      .n_buckets = c->n_buckets,
      .max_distance = c->max_distance,
      .bidirectional = !stack->decoder,
      .causal = stack->decoder && !cross,
      .dropout = work->options->dropout,
      .dropout_key = tg_dropout_key(work, stack->decoder, layer, cross ? TG_DROP_CROSS_PROBABILITIES : TG_DROP_SELF_PROBABILITIES),
  };
}

t5gist_status tg_self_forward(tg_work *work, const tg_stack *stack, int layer, float *next, t5gist_error *err) {
  const tg_layout_attention *at = &stack->layers[layer].attention;
  const tg_kept_attention *kept = &stack->kept[layer].self;
  const size_t d_model = d_model_of(work), inner = tg_config_inner(work->layout->config);
  const tg_train_attention attention = attention_of(work, stack, kept, layer, false);
  TG_TRY(norm(work, kept->x, at->norm, stack->rows, err));
  TG_TRY(linear(work, work->normed, stack->rows, at->q, d_model, 3 * inner, false, kept->q, err));
  TG_TRY(tg_train_attention_run(work->workspace, &attention, stack->spans, stack->n_spans, kept->q, kept->k, kept->v, kept->context, kept->normaliser,
                                err));
  TG_TRY(linear(work, kept->context, stack->rows, at->o, inner, d_model, false, next, err));
  join(work, stack, layer, TG_DROP_SELF_OUTPUT, kept->x, next);
  return T5GIST_OK;
}

t5gist_status tg_self_backward(tg_work *work, const tg_stack *stack, int layer, t5gist_error *err) {
  const tg_layout_attention *at = &stack->layers[layer].attention;
  const tg_kept_attention *kept = &stack->kept[layer].self;
  const size_t inner = tg_config_inner(work->layout->config);
  const tg_train_attention attention = attention_of(work, stack, kept, layer, false);
  float *dqkv = work->dwide;
  branch(work, stack, layer, TG_DROP_SELF_OUTPUT);
  TG_TRY(backward_through_o(work, stack, kept, at->o, err));
  memset(dqkv, 0, stack->rows * 3 * inner * sizeof(float));
  TG_TRY(tg_train_attention_backward(work->workspace, &attention, stack->spans, stack->n_spans, kept->q, kept->k, kept->v, kept->context,
                                     kept->normaliser, work->hidden, dqkv, dqkv + inner, dqkv + 2 * inner, work->gradients + stack->positions, err));
  return backward_to_input(work, stack, kept->x, at->norm, at->q, dqkv, 3 * inner, err);
}

/* The teacher's cross-attention outputs of a layer, each beside the student's row of the same token. */
static t5gist_status gather_teacher(tg_work *work, int layer, t5gist_error *err) {
  const tg_teaching *t = work->teaching;
  const float *outputs = t->cross + (size_t)layer * t->n_rows * t->d_model;
  return tg_train_embed(work->workspace, outputs, t->rows, work->sizes.n_decoder, t->d_model, t->matched, err);
}

static t5gist_status match(tg_work *work, int layer, const float *output, float *doutput, t5gist_error *err) {
  double loss = 0;
  TG_TRY(gather_teacher(work, layer, err));
  TG_TRY(tg_train_match(work->workspace, output, work->teaching->matched, work->teaching->match_weights, work->sizes.n_decoder, d_model_of(work),
                        work->layout->config->eps, &loss, doutput, err));
  if (doutput == NULL) work->result.match += loss;
  return T5GIST_OK;
}

t5gist_status tg_cross_forward(tg_work *work, int layer, float *next, t5gist_error *err) {
  const tg_stack *stack = &work->decoder;
  const tg_layout_attention *at = &stack->layers[layer].cross;
  const tg_kept_attention *kept = &stack->kept[layer].cross;
  const size_t d_model = d_model_of(work), inner = tg_config_inner(work->layout->config), n = stack->rows * d_model;
  const tg_train_attention attention = attention_of(work, stack, kept, layer, true);
  TG_TRY(norm(work, kept->x, at->norm, stack->rows, err));
  TG_TRY(linear(work, work->normed, stack->rows, at->q, d_model, inner, false, kept->q, err));
  TG_TRY(linear(work, work->states, work->sizes.n_seen, at->k, d_model, 2 * inner, false, kept->k, err));
  TG_TRY(tg_train_attention_run(work->workspace, &attention, work->cross_spans, stack->n_spans, kept->q, kept->k, kept->v, kept->context,
                                kept->normaliser, err));
  TG_TRY(linear(work, kept->context, stack->rows, at->o, inner, d_model, false, next, err));
  if (work->cross_outputs != NULL) memcpy(work->cross_outputs + (size_t)layer * n, next, n * sizeof(float));
  if (work->sizes.match) TG_TRY(match(work, layer, next, NULL, err));
  join(work, stack, layer, TG_DROP_CROSS_OUTPUT, kept->x, next);
  return T5GIST_OK;
}

/* The matching's gradient goes where the output is, behind dropout. */
static t5gist_status backward_match(tg_work *work, int layer, t5gist_error *err) {
  const tg_stack *stack = &work->decoder;
  const size_t d_model = d_model_of(work), inner = tg_config_inner(work->layout->config);
  TG_TRY(linear(work, stack->kept[layer].cross.context, stack->rows, stack->layers[layer].cross.o, inner, d_model, false, work->normed, err));
  return match(work, layer, work->normed, work->dbranch, err);
}

t5gist_status tg_cross_backward(tg_work *work, int layer, t5gist_error *err) {
  const tg_stack *stack = &work->decoder;
  const tg_layout_attention *at = &stack->layers[layer].cross;
  const tg_kept_attention *kept = &stack->kept[layer].cross;
  const size_t d_model = d_model_of(work), inner = tg_config_inner(work->layout->config), n_seen = work->sizes.n_seen;
  const tg_train_attention attention = attention_of(work, stack, kept, layer, true);
  float *dq = work->dwide;
  branch(work, stack, layer, TG_DROP_CROSS_OUTPUT);
  if (work->sizes.match) TG_TRY(backward_match(work, layer, err));
  TG_TRY(backward_through_o(work, stack, kept, at->o, err));
  memset(dq, 0, stack->rows * inner * sizeof(float));
  memset(work->dkv, 0, n_seen * 2 * inner * sizeof(float));
  TG_TRY(tg_train_attention_backward(work->workspace, &attention, work->cross_spans, stack->n_spans, kept->q, kept->k, kept->v, kept->context,
                                     kept->normaliser, work->hidden, dq, work->dkv, work->dkv + inner, NULL, err));
  TG_TRY(linear_dw(work, work->dkv, work->states, n_seen, d_model, 2 * inner, at->k, err));
  TG_TRY(linear_dx(work, work->dkv, n_seen, at->k, d_model, 2 * inner, true, work->dstates, err));
  return backward_to_input(work, stack, kept->x, at->norm, at->q, dq, inner, err);
}

/* --------------------------------------------------------------------------------------------------------------- feed-forward */

/* hidden = dropout(act(wide)). */
static t5gist_status activate(tg_work *work, const tg_stack *stack, int layer, t5gist_error *err) {
  const tg_config *c = work->layout->config;
  TG_TRY(tg_train_activate(work->workspace, stack->kept[layer].wide, stack->rows, (size_t)c->d_ff, c->activation, c->gated, work->hidden, err));
  tg_work_dropout(work, stack->decoder, layer, TG_DROP_HIDDEN, work->hidden, stack->rows, (size_t)c->d_ff);
  return T5GIST_OK;
}

t5gist_status tg_ffn_forward(tg_work *work, const tg_stack *stack, int layer, float *next, t5gist_error *err) {
  const tg_layout_ffn *at = &stack->layers[layer].ffn;
  const tg_kept_layer *kept = &stack->kept[layer];
  const tg_config *c = work->layout->config;
  const size_t d_model = d_model_of(work);
  TG_TRY(norm(work, kept->ffn_x, at->norm, stack->rows, err));
  TG_TRY(linear(work, work->normed, stack->rows, at->wi, d_model, tg_config_wide(c), false, kept->wide, err));
  TG_TRY(activate(work, stack, layer, err));
  TG_TRY(linear(work, work->hidden, stack->rows, at->wo, (size_t)c->d_ff, d_model, false, next, err));
  join(work, stack, layer, TG_DROP_FFN_OUTPUT, kept->ffn_x, next);
  return T5GIST_OK;
}

t5gist_status tg_ffn_backward(tg_work *work, const tg_stack *stack, int layer, t5gist_error *err) {
  const tg_layout_ffn *at = &stack->layers[layer].ffn;
  const tg_kept_layer *kept = &stack->kept[layer];
  const tg_config *c = work->layout->config;
  const size_t d_model = d_model_of(work), d_ff = (size_t)c->d_ff;
  branch(work, stack, layer, TG_DROP_FFN_OUTPUT);
  TG_TRY(activate(work, stack, layer, err));
  TG_TRY(linear_dw(work, work->dbranch, work->hidden, stack->rows, d_ff, d_model, at->wo, err));
  TG_TRY(linear_dx(work, work->dbranch, stack->rows, at->wo, d_ff, d_model, false, work->hidden, err));
  tg_work_dropout(work, stack->decoder, layer, TG_DROP_HIDDEN, work->hidden, stack->rows, d_ff);
  TG_TRY(tg_train_activate_backward(work->workspace, kept->wide, work->hidden, stack->rows, d_ff, c->activation, c->gated, work->dwide, err));
  return backward_to_input(work, stack, kept->ffn_x, at->norm, at->wi, work->dwide, tg_config_wide(c), err);
}
