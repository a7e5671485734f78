#include "t5/decoder.h"

#include <limits.h>
#include <math.h>
#include <string.h>

#include "runtime/attention.h"
#include "runtime/error.h"
#include "t5/block.h"

/* ---------------------------------------------------------------------------------------------------------- cross-attention memory */

void tg_memory_free(tg_memory *memory) {
  tg_free(memory->kv);
  *memory = (tg_memory){0};
}

/* The rows of all parts, one after the other, as one dense matrix. */
static t5gist_status pack_parts(const tg_t5 *t5, tg_workspace *workspace, const float *states, const tg_memory_part *parts, int n_parts, size_t rows,
                                float **packed, t5gist_error *err) {
  const size_t d_model = (size_t)t5->config.d_model;
  TG_TRY(tg_take_rows(workspace, rows, d_model, packed, err));
  float *to = *packed;
  for (int i = 0; i < n_parts; i++) {
    const size_t size = (size_t)parts[i].n * d_model;
    memcpy(to, states + (size_t)parts[i].begin * d_model, size * sizeof(float));
    to += size;
  }
  return T5GIST_OK;
}

static t5gist_status project_parts(const tg_t5 *t5, tg_workspace *workspace, const float *states, const tg_memory_part *parts, int n_parts,
                                   t5gist_error *err) {
  const size_t width = 2 * tg_t5_inner(&t5->config), n_layers = (size_t)t5->config.n_decoder_layers;
  size_t rows = 0, size;
  for (int i = 0; i < n_parts; i++) {
    const size_t n = (size_t)parts[i].n;
    rows += n;
    parts[i].memory->n = parts[i].n;
    if (!tg_size_mul(n, n_layers, &size)) return tg_fail(err, T5GIST_ENOMEM, "%zu encoder rows x %zu layers are too large", n, n_layers);
    TG_TRY(tg_alloc(&parts[i].memory->kv, size, width * sizeof(float), err));
  }
  if (rows == 0) return T5GIST_OK;
  float *packed, *kv;
  TG_TRY(pack_parts(t5, workspace, states, parts, n_parts, rows, &packed, err));
  TG_TRY(tg_take_rows(workspace, rows, width, &kv, err));
  for (size_t layer = 0; layer < n_layers; layer++) {
    TG_TRY(tg_linear_apply(t5->decoder[layer].cross.kv, workspace, packed, rows, false, kv, err));
    const float *from = kv;
    for (int i = 0; i < n_parts; i++) {
      size = (size_t)parts[i].n * width;
      memcpy(parts[i].memory->kv + layer * size, from, size * sizeof(float));
      from += size;
    }
  }
  return T5GIST_OK;
}

t5gist_status tg_memory_project(const tg_t5 *t5, tg_workspace *workspace, const float *states, const tg_memory_part *parts, int n_parts,
                                t5gist_error *err) {
  const tg_arena_mark mark = tg_arena_save(tg_workspace_arena(workspace));
  const t5gist_status status = project_parts(t5, workspace, states, parts, n_parts, err);
  tg_arena_restore(tg_workspace_arena(workspace), mark);
  return status;
}

t5gist_status tg_memory_project_gist(const tg_t5 *t5, tg_workspace *workspace, const float *states, int n_gist, float *k, float *v,
                                     t5gist_error *err) {
  const size_t d_kv = (size_t)t5->config.d_kv, n_heads = (size_t)t5->config.n_heads, inner = tg_t5_inner(&t5->config), rows = (size_t)n_gist;
  const size_t n_layers = (size_t)t5->config.n_decoder_layers;
  tg_memory memory = {0};
  const tg_memory_part part = {&memory, 0, n_gist};
  const t5gist_status status = tg_memory_project(t5, workspace, states, &part, 1, err);
  for (size_t layer = 0; status == T5GIST_OK && layer < n_layers; layer++) {
    for (size_t h = 0; h < n_heads; h++) {
      for (size_t r = 0; r < rows; r++) {
        const float *from = memory.kv + (layer * rows + r) * 2 * inner + h * d_kv;
        const size_t to = ((layer * n_heads + h) * rows + r) * d_kv;
        memcpy(k + to, from, d_kv * sizeof(float));
        memcpy(v + to, from + inner, d_kv * sizeof(float));
      }
    }
  }
  tg_memory_free(&memory);
  return status;
}

/* ------------------------------------------------------------------------------------------------------------ self-attention cache */

t5gist_status tg_cache_reserve(const tg_t5 *t5, tg_cache *cache, int rows, t5gist_error *err) {
  if (rows <= cache->capacity) return T5GIST_OK;
  int capacity = cache->capacity < 32 ? 32 : cache->capacity;
  while (capacity < rows) capacity = capacity > INT_MAX / 2 ? rows : capacity * 2;
  const size_t width = 2 * tg_t5_inner(&t5->config), n_layers = (size_t)t5->config.n_decoder_layers;
  size_t count;
  if (!tg_size_mul((size_t)capacity, n_layers, &count)) return tg_fail(err, T5GIST_ENOMEM, "%d decoder positions are too many", rows);
  float *kv;
  TG_TRY(tg_alloc(&kv, count, width * sizeof(float), err));
  const size_t held = (size_t)cache->capacity * width;
  for (size_t layer = 0; held && layer < n_layers; layer++) {
    memcpy(kv + layer * (size_t)capacity * width, cache->kv + layer * held, held * sizeof(float));
  }
  tg_free(cache->kv);
  *cache = (tg_cache){kv, capacity};
  return T5GIST_OK;
}

void tg_cache_free(tg_cache *cache) {
  tg_free(cache->kv);
  *cache = (tg_cache){0};
}

/* ----------------------------------------------------------------------------------------------------------------------------- pass */

/* Keys of earlier tokens through the hypothesis' history, then of the new ones. Stores the new tokens' K and V in the cache on the way. */
static void self_attention_job(const tg_stream *stream, const tg_decoder_sequence *s, size_t first_row, int layer, tg_attention_job *job) {
  const tg_config *c = &stream->t5->config;
  const size_t inner = tg_t5_inner(c), width = 2 * inner;
  float *base = s->cache->kv + (size_t)layer * (size_t)s->cache->capacity * width;
  float *fresh = base + (size_t)s->cache_row * width;
  const float *qkv = stream->qkv + first_row * 3 * inner;
  for (int i = 0; i < s->n; i++) memcpy(fresh + (size_t)i * width, qkv + (size_t)i * 3 * inner + inner, width * sizeof(float));
  *job = (tg_attention_job){.q = qkv, .out = stream->context + first_row * inner, .n_q = s->n, .n_parts = 2, .q_position = s->position};
  job->keys[0] = (tg_keys){.k = base, .v = base + inner, .row_stride = width, .head_stride = (size_t)c->d_kv, .rows = s->history, .n = s->position};
  job->keys[1] = (tg_keys){.k = fresh, .v = fresh + inner, .row_stride = width, .head_stride = (size_t)c->d_kv, .n = s->n};
}

static void cross_attention_job(const tg_stream *stream, const tg_decoder_sequence *s, size_t first_row, int layer, tg_attention_job *job) {
  const tg_config *c = &stream->t5->config;
  const tg_memory *m = s->memory;
  const size_t inner = tg_t5_inner(c), d_kv = (size_t)c->d_kv, n_gist = (size_t)m->n_gist;
  *job = (tg_attention_job){.q = stream->qkv + first_row * inner, .out = stream->context + first_row * inner, .n_q = s->n};
  if (m->n_gist > 0) {
    const size_t at = (size_t)layer * n_gist * inner;
    job->keys[job->n_parts++] = (tg_keys){.k = m->gist_k + at, .v = m->gist_v + at, .row_stride = d_kv, .head_stride = n_gist * d_kv, .n = m->n_gist};
  }
  const float *own = m->kv + (size_t)layer * (size_t)m->n * 2 * inner;
  job->keys[job->n_parts++] = (tg_keys){.k = own, .v = own + inner, .row_stride = 2 * inner, .head_stride = d_kv, .n = m->n};
}

/* What the layers of a sub-layer that was computed last have seen: its norm's output and what its output projection multiplied. For calibrating only.
 * */
static t5gist_status collect(const tg_stream *s, int layer, tg_site in, tg_site out, const float *out_rows, t5gist_error *err) {
  tg_calibration *calibration = s->t5->calibration;
  if (calibration == NULL) return T5GIST_OK;
  TG_TRY(tg_calibration_add(calibration, layer, in, s->normed, s->rows, err));
  return tg_calibration_add(calibration, layer, out, out_rows, s->rows, err);
}

/* The decoder's two attentions differ in where queries and keys come from. */
typedef struct pass {
  tg_stream stream;
  const tg_decoder_sequence *sequences;
  int n_sequences;
  tg_attention_job *jobs; /* [n_sequences] */
  tg_position_bias positions;
} pass;

static t5gist_status self_attend(pass *p, int layer, t5gist_error *err) {
  tg_stream *stream = &p->stream;
  const tg_config *c = &stream->t5->config;
  const tg_self_attention *w = &stream->t5->decoder[layer].attention;
  TG_TRY(tg_stream_apply_normed(stream, w->norm, w->qkv, stream->qkv, err));
  size_t row = 0;
  for (int i = 0; i < p->n_sequences; i++) {
    self_attention_job(stream, &p->sequences[i], row, layer, &p->jobs[i]);
    row += (size_t)p->sequences[i].n;
  }
  const tg_attention attention = {.n_heads = c->n_heads,
                                  .d_kv = c->d_kv,
                                  .q_stride = 3 * tg_t5_inner(c),
                                  .out_stride = tg_t5_inner(c),
                                  .bias = p->positions.bias,
                                  .bias_stride = p->positions.stride,
                                  .bias_zero = p->positions.zero,
                                  .causal = true};
  TG_TRY(tg_attention_run(&attention, stream->workspace, p->jobs, p->n_sequences, err));
  return tg_stream_project(stream, w->o, "decoder", layer, "self-attention", err);
}

static t5gist_status cross_attend(pass *p, int layer, t5gist_error *err) {
  tg_stream *stream = &p->stream;
  const tg_config *c = &stream->t5->config;
  const tg_cross_attention *w = &stream->t5->decoder[layer].cross;
  TG_TRY(tg_stream_apply_normed(stream, w->norm, w->q, stream->qkv, err));
  size_t row = 0;
  for (int i = 0; i < p->n_sequences; i++) {
    cross_attention_job(stream, &p->sequences[i], row, layer, &p->jobs[i]);
    row += (size_t)p->sequences[i].n;
  }
  const tg_attention attention = {.n_heads = c->n_heads, .d_kv = c->d_kv, .q_stride = tg_t5_inner(c), .out_stride = tg_t5_inner(c)};
  TG_TRY(tg_attention_run(&attention, stream->workspace, p->jobs, p->n_sequences, err));
  return tg_stream_project(stream, w->o, "decoder", layer, "cross-attention", err);
}

static t5gist_status run_stack(const tg_t5 *t5, tg_workspace *workspace, const tg_decoder_sequence *sequences, int n_sequences, size_t rows,
                               float *logits, t5gist_error *err) {
  const tg_config *c = &t5->config;
  const size_t d_model = (size_t)c->d_model;
  tg_arena *arena = tg_workspace_arena(workspace);
  pass p = {.sequences = sequences, .n_sequences = n_sequences};
  float *x;
  TG_TRY(tg_take_rows(workspace, rows, d_model, &x, err));
  TG_TRY(tg_stream_begin(t5, workspace, rows, x, &p.stream, err));
  size_t row = 0;
  int reach = 0;
  for (int i = 0; i < n_sequences; i++) {
    const tg_decoder_sequence *s = &sequences[i];
    tg_gather(tg_workspace_team(workspace), t5->embedding, t5->embedding_dtype, s->ids, (size_t)s->n, d_model, x + row * d_model);
    row += (size_t)s->n;
    if (s->position + s->n > reach) reach = s->position + s->n;
  }
  TG_TRY(tg_arena_take(arena, &p.jobs, (size_t)n_sequences, sizeof *p.jobs, err));
  TG_TRY(tg_position_bias_get(&t5->decoder_positions, reach, arena, &p.positions, err));
  for (int layer = 0; layer < c->n_decoder_layers; layer++) {
    TG_TRY(self_attend(&p, layer, err));
    TG_TRY(collect(&p.stream, layer, TG_SITE_QKV, TG_SITE_O, p.stream.context, err));
    TG_TRY(cross_attend(&p, layer, err));
    TG_TRY(collect(&p.stream, layer, TG_SITE_CROSS_Q, TG_SITE_CROSS_O, p.stream.context, err));
    TG_TRY(tg_stream_ffn(&p.stream, &t5->decoder[layer].ffn, "decoder", layer, err));
    TG_TRY(collect(&p.stream, layer, TG_SITE_WI, TG_SITE_WO, p.stream.hidden, err));
  }
  tg_stream_norm(&p.stream, t5->decoder_norm);
  if (c->scale_decoder_output)
    tg_scale(tg_workspace_team(workspace), p.stream.normed, 1.0f / sqrtf((float)c->d_model), rows * d_model, p.stream.normed);
  if (t5->calibration) TG_TRY(tg_calibration_add_head(t5->calibration, p.stream.normed, rows, err));
  return tg_linear_apply(t5->head, workspace, p.stream.normed, rows, false, logits, err);
}

t5gist_status tg_decode(const tg_t5 *t5, tg_workspace *workspace, const tg_decoder_sequence *sequences, int n_sequences, float **logits,
                        t5gist_error *err) {
  size_t rows = 0;
  for (int i = 0; i < n_sequences; i++) rows += (size_t)sequences[i].n;
  TG_TRY(tg_take_rows(workspace, rows, (size_t)t5->config.vocab_size, logits, err));
  const tg_arena_mark mark = tg_arena_save(tg_workspace_arena(workspace));
  const t5gist_status status = run_stack(t5, workspace, sequences, n_sequences, rows, *logits, err);
  tg_arena_restore(tg_workspace_arena(workspace), mark);
  return status;
}
