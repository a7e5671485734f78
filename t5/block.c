#include "t5/block.h"

#include <stdio.h>

#include "runtime/error.h"

t5gist_status tg_take_rows(tg_workspace *workspace, size_t rows, size_t width, float **out, t5gist_error *err) {
  size_t count;
  if (!tg_size_mul(tg_linear_rows(rows), width, &count)) return tg_fail(err, T5GIST_ENOMEM, "%zu rows of %zu floats are too large", rows, width);
  return tg_arena_take(tg_workspace_arena(workspace), out, count, sizeof(float), err);
}

t5gist_status tg_stream_begin(const tg_t5 *t5, tg_workspace *workspace, size_t rows, float *x, tg_stream *stream, t5gist_error *err) {
  const tg_config *c = &t5->config;
  const size_t d_model = (size_t)c->d_model, d_ff = (size_t)c->d_ff, inner = tg_t5_inner(c);
  *stream = (tg_stream){.t5 = t5, .workspace = workspace, .rows = rows, .x = x};
  TG_TRY(tg_take_rows(workspace, rows, d_model, &stream->normed, err));
  TG_TRY(tg_take_rows(workspace, rows, 3 * inner, &stream->qkv, err));
  TG_TRY(tg_take_rows(workspace, rows, inner, &stream->context, err));
  TG_TRY(tg_take_rows(workspace, rows, c->gated ? 2 * d_ff : d_ff, &stream->wide, err));
  return tg_take_rows(workspace, rows, d_ff, &stream->hidden, err);
}

void tg_stream_norm(tg_stream *stream, const float *weight) {
  tg_rmsnorm(tg_workspace_team(stream->workspace), stream->x, weight, stream->rows, (size_t)stream->t5->config.d_model, stream->t5->config.eps,
             stream->normed);
}

/* y (+)= linear(x). A calibration is to see the rows, so they are written to made for it whatever the layer. */
static t5gist_status apply_rows(tg_stream *stream, const tg_linear *linear, const tg_rows *x, bool accumulate, float *made, float *y,
                                t5gist_error *err) {
  if (stream->t5->calibration == NULL) return tg_linear_apply_rows(linear, stream->workspace, x, stream->rows, accumulate, made, y, err);
  tg_make_rows(tg_workspace_team(stream->workspace), x, stream->rows, tg_linear_n_in(linear), made);
  return tg_linear_apply(linear, stream->workspace, made, stream->rows, accumulate, y, err);
}

t5gist_status tg_check_finite(const tg_t5 *t5, const float *numbers, size_t rows, size_t width, const tg_place *place, const char *tensor,
                              t5gist_error *err) {
  if (!t5->check_numerics) return T5GIST_OK;
  char name[96] = "";
  const size_t at = tg_first_nonfinite(numbers, rows * width);
  if (at == rows * width) return T5GIST_OK;
  if (place && place->block >= 0)
    snprintf(name, sizeof name, "%s.block.%d.layer.%d.", place->stack, place->block, place->layer);
  else if (place)
    snprintf(name, sizeof name, "%s.", place->stack);
  return tg_fail(
      err, T5GIST_EFORMAT,
      "numbers that are not finite come first from %s%s: expected finite ones, found %g at row %zu, column %zu (t5gist verify says whether "
      "the weights are; else they are too large)",
      name, tensor, (double)numbers[at], at / width, at % width);
}

t5gist_status tg_stream_apply_normed(tg_stream *stream, const float *weight, const tg_linear *linear, const tg_place *place, const char *name,
                                     float *y, t5gist_error *err) {
  const tg_t5 *t5 = stream->t5;
  const tg_rows normed = {.x = stream->x, .making = TG_NORMED, .weight = weight, .eps = t5->config.eps};
  if (t5->check_numerics) {
    tg_stream_norm(stream, weight);
    TG_TRY(tg_check_finite(t5, stream->normed, stream->rows, (size_t)t5->config.d_model, place, "layer_norm", err));
  }
  TG_TRY(apply_rows(stream, linear, &normed, false, stream->normed, y, err));
  return tg_check_finite(t5, y, stream->rows, tg_linear_n_out(linear), place, name, err);
}

t5gist_status tg_stream_project(tg_stream *stream, const tg_linear *o, const tg_place *place, const char *scores, const char *name,
                                t5gist_error *err) {
  const tg_t5 *t5 = stream->t5;
  TG_TRY(tg_check_finite(t5, stream->context, stream->rows, tg_t5_inner(&t5->config), place, scores, err));
  TG_TRY(tg_linear_apply(o, stream->workspace, stream->context, stream->rows, true, stream->x, err));
  return tg_check_finite(t5, stream->x, stream->rows, (size_t)t5->config.d_model, place, name, err);
}

t5gist_status tg_stream_ffn(tg_stream *stream, const tg_ffn *ffn, const tg_place *place, t5gist_error *err) {
  const tg_config *c = &stream->t5->config;
  const tg_rows hidden = {.x = stream->wide, .making = TG_ACTIVATED, .activation = c->activation, .gated = c->gated};
  TG_TRY(tg_stream_apply_normed(stream, ffn->norm, ffn->wi, place, "DenseReluDense.wi", stream->wide, err));
  TG_TRY(apply_rows(stream, ffn->wo, &hidden, true, stream->hidden, stream->x, err));
  return tg_check_finite(stream->t5, stream->x, stream->rows, (size_t)c->d_model, place, "DenseReluDense.wo", err);
}

void tg_keys_trim(tg_keys *parts, int n_parts, int begin, int end) {
  int offset = 0;
  for (int i = 0; i < n_parts; i++) {
    tg_keys *p = &parts[i];
    const int n = p->n, from = begin > offset ? begin - offset : 0, to = end < offset + n ? end - offset : n;
    offset += n;
    p->n = to > from ? to - from : 0;
    if (p->n == 0) continue;
    if (p->rows) {
      p->rows += from;
    } else {
      p->first += from;
    }
  }
}
