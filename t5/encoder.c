#include "t5/encoder.h"

#include <string.h>

#include "runtime/attention.h"
#include "runtime/error.h"
#include "t5/block.h"

/* The keys of a sequence in one layer: the gist's rows, then its own. first_row: where its rows begin in the packed batch. */
static int layer_keys(const tg_stream *stream, const tg_encoder_sequence *s, size_t first_row, int layer, tg_keys keys[TG_MAX_KEY_PARTS]) {
  const tg_config *c = &stream->t5->config;
  const size_t inner = tg_t5_inner(c), d_kv = (size_t)c->d_kv, prefix_size = (size_t)s->n_prefix * inner;
  int n = 0;
  if (s->n_prefix > 0) {
    keys[n++] = (tg_keys){.k = s->prefix_k + (size_t)layer * prefix_size,
                          .v = s->prefix_v + (size_t)layer * prefix_size,
                          .row_stride = d_kv,
                          .head_stride = (size_t)s->n_prefix * d_kv,
                          .n = s->n_prefix};
  }
  const float *own = stream->qkv + first_row * 3 * inner;
  keys[n++] = (tg_keys){.k = own + inner, .v = own + 2 * inner, .row_stride = 3 * inner, .head_stride = d_kv, .n = s->n};
  return n;
}

/* One job per segment of the sequence. */
static int sequence_jobs(const tg_stream *stream, const tg_encoder_sequence *s, size_t first_row, int layer, tg_attention_job *jobs) {
  const size_t inner = tg_t5_inner(&stream->t5->config);
  const tg_segment everything = {0, s->n, 0, s->n_prefix + s->n};
  const tg_segment *segments = s->segments ? s->segments : &everything;
  const int n_segments = s->segments ? s->n_segments : 1;
  for (int i = 0; i < n_segments; i++) {
    const tg_segment *g = &segments[i];
    const size_t row = first_row + (size_t)g->q_begin;
    tg_attention_job *job = &jobs[i];
    *job = (tg_attention_job){.q = stream->qkv + row * 3 * inner,
                              .out = stream->context + row * inner,
                              .n_q = g->q_end - g->q_begin,
                              .q_position = s->n_prefix + g->q_begin,
                              .k_position = g->k_begin};
    job->n_parts = layer_keys(stream, s, first_row, layer, job->keys);
    tg_keys_trim(job->keys, job->n_parts, g->k_begin, g->k_end);
  }
  return n_segments;
}

/* Copies K and V of the last n_keep rows out of the batch, head by head. */
static void keep_keys(const tg_stream *stream, const tg_encoder_sequence *s, size_t first_row, int layer) {
  const tg_config *c = &stream->t5->config;
  const size_t inner = tg_t5_inner(c), d_kv = (size_t)c->d_kv, n_keep = (size_t)s->n_keep;
  const float *from = stream->qkv + (first_row + (size_t)s->n - n_keep) * 3 * inner;
  for (size_t h = 0; h < (size_t)c->n_heads; h++) {
    const size_t to = ((size_t)layer * (size_t)c->n_heads + h) * n_keep * d_kv;
    for (size_t r = 0; r < n_keep; r++) {
      memcpy(s->keep_k + to + r * d_kv, from + r * 3 * inner + inner + h * d_kv, d_kv * sizeof(float));
      memcpy(s->keep_v + to + r * d_kv, from + r * 3 * inner + 2 * inner + h * d_kv, d_kv * sizeof(float));
    }
  }
}

static t5gist_status encode_layer(tg_stream *stream, int layer, const tg_encoder_sequence *sequences, int n_sequences, const tg_attention *attention,
                                  tg_attention_job *jobs, t5gist_error *err) {
  const tg_encoder_layer *w = &stream->t5->encoder[layer];
  const tg_place attention_place = {"encoder", layer, 0}, ffn_place = {"encoder", layer, 1};
  TG_TRY(tg_stream_apply_normed(stream, w->attention.norm, w->attention.qkv, &attention_place, "SelfAttention.q, k or v", stream->qkv, err));
  int n_jobs = 0;
  size_t row = 0;
  for (int i = 0; i < n_sequences; i++) {
    n_jobs += sequence_jobs(stream, &sequences[i], row, layer, jobs + n_jobs);
    if (sequences[i].keep_k) keep_keys(stream, &sequences[i], row, layer);
    row += (size_t)sequences[i].n;
  }
  TG_TRY(tg_attention_run(attention, stream->workspace, jobs, n_jobs, err));
  TG_TRY(tg_stream_project(stream, w->attention.o, &attention_place, "SelfAttention's scores or relative_attention_bias", "SelfAttention.o", err));
  return tg_stream_ffn(stream, &w->ffn, &ffn_place, err);
}

static t5gist_status run_stack(const tg_t5 *t5, tg_workspace *workspace, const tg_encoder_sequence *sequences, int n_sequences, size_t rows, float *x,
                               t5gist_error *err) {
  const tg_config *c = &t5->config;
  tg_arena *arena = tg_workspace_arena(workspace);
  tg_stream stream;
  TG_TRY(tg_stream_begin(t5, workspace, rows, x, &stream, err));

  size_t n_jobs = 0, row = 0;
  int reach = 0;
  for (int i = 0; i < n_sequences; i++) {
    const tg_encoder_sequence *s = &sequences[i];
    tg_gather(tg_workspace_team(workspace), t5->embedding, t5->embedding_dtype, s->ids, (size_t)s->n, (size_t)c->d_model,
              x + row * (size_t)c->d_model);
    row += (size_t)s->n;
    n_jobs += s->segments ? (size_t)s->n_segments : 1;
    if (s->n_prefix + s->n > reach) reach = s->n_prefix + s->n;
  }
  TG_TRY(tg_check_finite(t5, x, rows, (size_t)c->d_model, NULL, "shared", err));
  tg_attention_job *jobs;
  TG_TRY(tg_arena_take(arena, &jobs, n_jobs, sizeof *jobs, err));
  tg_position_bias positions;
  TG_TRY(tg_position_bias_get(&t5->encoder_positions, reach, arena, &positions, err));
  const tg_attention attention = {.n_heads = c->n_heads,
                                  .d_kv = c->d_kv,
                                  .q_stride = 3 * tg_t5_inner(c),
                                  .out_stride = tg_t5_inner(c),
                                  .bias = positions.bias,
                                  .bias_stride = positions.stride,
                                  .bias_zero = positions.zero};
  for (int layer = 0; layer < c->n_layers; layer++) TG_TRY(encode_layer(&stream, layer, sequences, n_sequences, &attention, jobs, err));
  tg_rmsnorm(tg_workspace_team(workspace), x, t5->encoder_norm, rows, (size_t)c->d_model, c->eps, x);
  return tg_check_finite(t5, x, rows, (size_t)c->d_model, &(tg_place){"encoder", -1, 0}, "final_layer_norm", err);
}

t5gist_status tg_encode(const tg_t5 *t5, tg_workspace *workspace, const tg_encoder_sequence *sequences, int n_sequences, float **states,
                        t5gist_error *err) {
  size_t rows = 0;
  for (int i = 0; i < n_sequences; i++) rows += (size_t)sequences[i].n;
  TG_TRY(tg_take_rows(workspace, rows, (size_t)t5->config.d_model, states, err));
  const tg_arena_mark mark = tg_arena_save(tg_workspace_arena(workspace));
  const t5gist_status status = run_stack(t5, workspace, sequences, n_sequences, rows, *states, err);
  tg_arena_restore(tg_workspace_arena(workspace), mark);
  return status;
}
