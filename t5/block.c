#include "t5/block.h"

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
  tg_rmsnorm(tg_workspace_team(stream->workspace), stream->x, weight, stream->rows, (size_t)stream->t5->config.d_model, stream->t5->config.eps, stream->normed);
}

static t5gist_status check_finite(const tg_stream *stream, const char *stack, int layer, const char *what, t5gist_error *err) {
  if (!stream->t5->check_numerics) return T5GIST_OK;
  const size_t d_model = (size_t)stream->t5->config.d_model, n = stream->rows * d_model, at = tg_first_nonfinite(stream->x, n);
  if (at == n) return T5GIST_OK;
  return tg_fail(err, T5GIST_EFORMAT, "%s layer %d: %s gives %g at row %zu, column %zu; expected finite numbers", stack, layer, what, (double)stream->x[at],
                 at / d_model, at % d_model);
}

t5gist_status tg_stream_project(tg_stream *stream, const tg_linear *o, const char *stack, int layer, const char *what, t5gist_error *err) {
  TG_TRY(tg_linear_apply(o, stream->workspace, stream->context, stream->rows, true, stream->x, err));
  return check_finite(stream, stack, layer, what, err);
}

t5gist_status tg_stream_ffn(tg_stream *stream, const tg_ffn *ffn, const char *stack, int layer, t5gist_error *err) {
  const tg_config *c = &stream->t5->config;
  tg_stream_norm(stream, ffn->norm);
  TG_TRY(tg_linear_apply(ffn->wi, stream->workspace, stream->normed, stream->rows, false, stream->wide, err));
  tg_activate(tg_workspace_team(stream->workspace), stream->wide, stream->rows, (size_t)c->d_ff, c->activation, c->gated, stream->hidden);
  TG_TRY(tg_linear_apply(ffn->wo, stream->workspace, stream->hidden, stream->rows, true, stream->x, err));
  return check_finite(stream, stack, layer, "the feed-forward layer", err);
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
      p->k += (size_t)from * p->row_stride;
      p->v += (size_t)from * p->row_stride;
    }
  }
}
