#include <math.h>
#include <string.h>

#include "runtime/error.h"
#include "training/pass_parts.h"

/* Where sub-layer outputs of a layer's last sub-layer go: what the next layer reads, or the stack's end. */
static float *behind(const tg_stack *stack, int layer) {
  return layer + 1 < stack->n_layers ? stack->kept[layer + 1].self.x : stack->x;
}

static t5gist_status embed(tg_work *work, const tg_stack *stack, const int32_t *ids, t5gist_error *err) {
  const size_t d_model = (size_t)work->layout->config->d_model;
  float *x = stack->kept[0].self.x;
  TG_TRY(tg_train_embed(work->workspace, work->weights + work->layout->embedding, ids, stack->rows, d_model, x, err));
  tg_work_dropout(work, stack->decoder, 0, TG_DROP_EMBEDDING, x, stack->rows, d_model);
  return T5GIST_OK;
}

static t5gist_status embed_backward(tg_work *work, const tg_stack *stack, const int32_t *ids, t5gist_error *err) {
  const size_t d_model = (size_t)work->layout->config->d_model;
  tg_work_dropout(work, stack->decoder, 0, TG_DROP_EMBEDDING, work->dx, stack->rows, d_model);
  return tg_train_embed_backward(work->workspace, work->dx, ids, stack->rows, d_model, work->gradients + work->layout->embedding, err);
}

t5gist_status tg_encoder_forward(tg_work *work, t5gist_error *err) {
  const tg_stack *stack = &work->encoder;
  const tg_config *c = work->layout->config;
  const size_t d_model = (size_t)c->d_model, n_seen = work->sizes.n_seen;
  TG_TRY(embed(work, stack, work->plan->encoder_ids, err));
  for (int layer = 0; layer < stack->n_layers; layer++) {
    TG_TRY(tg_self_forward(work, stack, layer, stack->kept[layer].ffn_x, err));
    TG_TRY(tg_ffn_forward(work, stack, layer, behind(stack, layer), err));
  }
  TG_TRY(tg_train_embed(work->workspace, stack->x, work->seen_rows, n_seen, d_model, work->seen_x, err));
  TG_TRY(tg_train_norm(work->workspace, work->seen_x, work->weights + work->layout->encoder_norm, n_seen, d_model, c->eps, work->states,
                       work->seen_inverse, err));
  tg_work_dropout(work, false, 0, TG_DROP_FINAL, work->states, n_seen, d_model);
  return T5GIST_OK;
}

t5gist_status tg_encoder_backward(tg_work *work, t5gist_error *err) {
  const tg_stack *stack = &work->encoder;
  const size_t d_model = (size_t)work->layout->config->d_model, n_seen = work->sizes.n_seen;
  float *dseen = work->dbranch;
  tg_work_dropout(work, false, 0, TG_DROP_FINAL, work->dstates, n_seen, d_model);
  memset(dseen, 0, n_seen * d_model * sizeof(float));
  TG_TRY(tg_train_norm_backward(work->workspace, work->seen_x, work->weights + work->layout->encoder_norm, work->seen_inverse, work->dstates, n_seen,
                                d_model, dseen, work->gradients + work->layout->encoder_norm, err));
  memset(work->dx, 0, stack->rows * d_model * sizeof(float));
  TG_TRY(tg_train_embed_backward(work->workspace, dseen, work->seen_rows, n_seen, d_model, work->dx, err));
  for (int layer = stack->n_layers - 1; layer >= 0; layer--) {
    TG_TRY(tg_ffn_backward(work, stack, layer, err));
    TG_TRY(tg_self_backward(work, stack, layer, err));
  }
  return embed_backward(work, stack, work->plan->encoder_ids, err);
}

/* Tied heads read the decoder's states scaled. */
static float head_scale(const tg_config *config) {
  return config->scale_decoder_output ? 1 / sqrtf((float)config->d_model) : 1;
}

t5gist_status tg_decoder_forward(tg_work *work, t5gist_error *err) {
  const tg_stack *stack = &work->decoder;
  const tg_config *c = work->layout->config;
  const size_t d_model = (size_t)c->d_model;
  TG_TRY(embed(work, stack, work->plan->decoder_ids, err));
  for (int layer = 0; layer < stack->n_layers; layer++) {
    TG_TRY(tg_self_forward(work, stack, layer, stack->kept[layer].cross.x, err));
    TG_TRY(tg_cross_forward(work, layer, stack->kept[layer].ffn_x, err));
    TG_TRY(tg_ffn_forward(work, stack, layer, behind(stack, layer), err));
  }
  TG_TRY(tg_train_norm(work->workspace, stack->x, work->weights + work->layout->decoder_norm, stack->rows, d_model, c->eps, work->decoder_states,
                       work->decoder_inverse, err));
  tg_work_dropout(work, true, 0, TG_DROP_FINAL, work->decoder_states, stack->rows, d_model);
  if (c->scale_decoder_output)
    tg_scale(tg_workspace_team(work->workspace), work->decoder_states, head_scale(c), stack->rows * d_model, work->decoder_states);
  return T5GIST_OK;
}

t5gist_status tg_decoder_backward(tg_work *work, t5gist_error *err) {
  const tg_stack *stack = &work->decoder;
  const tg_config *c = work->layout->config;
  const size_t d_model = (size_t)c->d_model, n = stack->rows * d_model;
  if (c->scale_decoder_output) tg_scale(tg_workspace_team(work->workspace), work->dbranch, head_scale(c), n, work->dbranch);
  tg_work_dropout(work, true, 0, TG_DROP_FINAL, work->dbranch, stack->rows, d_model);
  memset(work->dx, 0, n * sizeof(float));
  memset(work->dstates, 0, work->sizes.n_seen * d_model * sizeof(float));
  TG_TRY(tg_train_norm_backward(work->workspace, stack->x, work->weights + work->layout->decoder_norm, work->decoder_inverse, work->dbranch,
                                stack->rows, d_model, work->dx, work->gradients + work->layout->decoder_norm, err));
  for (int layer = stack->n_layers - 1; layer >= 0; layer--) {
    TG_TRY(tg_ffn_backward(work, stack, layer, err));
    TG_TRY(tg_cross_backward(work, layer, err));
    TG_TRY(tg_self_backward(work, stack, layer, err));
  }
  return embed_backward(work, stack, work->plan->decoder_ids, err);
}
