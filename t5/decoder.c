#include "t5/decoder.h"

#include <limits.h>
#include <math.h>
#include <stdint.h>
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

tg_dtype tg_memory_dtype(const tg_t5 *t5) {
  return t5->precision == TG_PRECISION_F32 ? TG_F32 : TG_BF16;
}

size_t tg_memory_row_bytes(const tg_t5 *t5) {
  return (size_t)t5->config.n_decoder_layers * 2 * tg_t5_inner(&t5->config) * tg_dtype_size(tg_memory_dtype(t5));
}

static void put(const float *from, tg_dtype dtype, size_t n, void *numbers, size_t at) {
  if (dtype == TG_BF16) tg_narrow_bf16(from, n, (uint16_t *)numbers + at);
  else memcpy((float *)numbers + at, from, n * sizeof *from);
}

/* One layer's K and V on their way into memories. */
typedef struct deal {
  const tg_config *config;
  const tg_memory_part *parts;
  tg_dtype dtype;
  size_t layer;
  const float *kv; /* [rows of all parts, 2 * inner] */
} deal;

/* K (half 0) or V (half 1) of one head into a part's memory. */
static void put_head(const deal *d, const tg_memory_part *part, size_t half, size_t head) {
  size_t rows = 0; /* of the parts before it */
  for (const tg_memory_part *before = d->parts; before < part; before++) rows += (size_t)before->n;
  const size_t n_heads = (size_t)d->config->n_heads, d_kv = (size_t)d->config->d_kv, inner = n_heads * d_kv;
  const size_t n_gist = (size_t)part->n_gist, n = (size_t)part->memory->n;
  const size_t to = ((d->layer * 2 + half) * n_heads + head) * n * d_kv;
  const float *gist = half == 0 ? part->gist_k : part->gist_v, *from = d->kv + rows * 2 * inner + half * inner + head * d_kv;
  if (n_gist > 0) put(gist + (d->layer * n_heads + head) * n_gist * d_kv, d->dtype, n_gist * d_kv, part->memory->kv, to);
  for (size_t r = 0; r < (size_t)part->n; r++) put(from + r * 2 * inner, d->dtype, d_kv, part->memory->kv, to + (n_gist + r) * d_kv);
}

/* Items are heads of K and V of parts. */
static void put_heads(void *user, size_t begin, size_t end, int thread) {
  (void)thread;
  const deal *d = user;
  const size_t n_heads = (size_t)d->config->n_heads;
  for (size_t i = begin; i < end; i++) put_head(d, &d->parts[i / (2 * n_heads)], i / n_heads % 2, i % n_heads);
}

static t5gist_status make_room(const tg_t5 *t5, const tg_memory_part *part, tg_dtype dtype, t5gist_error *err) {
  const size_t n_layers = (size_t)t5->config.n_decoder_layers, n = (size_t)part->n_gist + (size_t)part->n;
  size_t rows;
  part->memory->n = part->n_gist + part->n;
  if (!tg_size_mul(n, n_layers, &rows)) return tg_fail(err, T5GIST_ENOMEM, "%zu encoder rows x %zu layers are too large", n, n_layers);
  return tg_alloc(&part->memory->kv, rows, 2 * tg_t5_inner(&t5->config) * tg_dtype_size(dtype), err);
}

static t5gist_status project_parts(const tg_t5 *t5, tg_workspace *workspace, const float *states, const tg_memory_part *parts, int n_parts,
                                   tg_dtype dtype, t5gist_error *err) {
  size_t rows = 0;
  for (int i = 0; i < n_parts; i++) {
    rows += (size_t)parts[i].n;
    TG_TRY(make_room(t5, &parts[i], dtype, err));
  }
  float *packed, *kv;
  TG_TRY(pack_parts(t5, workspace, states, parts, n_parts, rows, &packed, err));
  TG_TRY(tg_take_rows(workspace, rows, 2 * tg_t5_inner(&t5->config), &kv, err));
  deal d = {.config = &t5->config, .parts = parts, .dtype = dtype, .kv = kv};
  for (; d.layer < (size_t)t5->config.n_decoder_layers; d.layer++) {
    if (rows > 0) {
      const tg_place place = {"decoder", (int)d.layer, 1};
      TG_TRY(tg_linear_apply(t5->decoder[d.layer].cross.kv, workspace, packed, rows, false, kv, err));
      TG_TRY(tg_check_finite(t5, kv, rows, 2 * tg_t5_inner(&t5->config), &place, "EncDecAttention.k or v", err));
    }
    tg_team_run(tg_workspace_team(workspace), (size_t)n_parts * 2 * (size_t)t5->config.n_heads, put_heads, &d);
  }
  return T5GIST_OK;
}

static t5gist_status project(const tg_t5 *t5, tg_workspace *workspace, const float *states, const tg_memory_part *parts, int n_parts, tg_dtype dtype,
                             t5gist_error *err) {
  const tg_arena_mark mark = tg_arena_save(tg_workspace_arena(workspace));
  const t5gist_status status = project_parts(t5, workspace, states, parts, n_parts, dtype, err);
  tg_arena_restore(tg_workspace_arena(workspace), mark);
  return status;
}

t5gist_status tg_memory_project(const tg_t5 *t5, tg_workspace *workspace, const float *states, const tg_memory_part *parts, int n_parts,
                                t5gist_error *err) {
  return project(t5, workspace, states, parts, n_parts, tg_memory_dtype(t5), err);
}

t5gist_status tg_memory_project_gist(const tg_t5 *t5, tg_workspace *workspace, const float *states, int n_gist, float *k, float *v,
                                     t5gist_error *err) {
  const size_t n = (size_t)n_gist * tg_t5_inner(&t5->config); /* of a layer's K */
  tg_memory memory = {0};
  const tg_memory_part part = {.memory = &memory, .n = n_gist};
  const t5gist_status status = project(t5, workspace, states, &part, 1, TG_F32, err);
  for (size_t layer = 0; status == T5GIST_OK && layer < (size_t)t5->config.n_decoder_layers; layer++) {
    const float *from = (const float *)memory.kv + layer * 2 * n;
    memcpy(k + layer * n, from, n * sizeof *k);
    memcpy(v + layer * n, from + n, n * sizeof *v);
  }
  tg_memory_free(&memory);
  return status;
}

/* ------------------------------------------------------------------------------------------------------------ self-attention cache */

enum { LEAST_ROWS = 32 };

size_t tg_cache_most_rows(size_t rows) {
  size_t capacity = LEAST_ROWS;
  while (capacity < rows && capacity <= SIZE_MAX / 4) capacity *= 2;
  return capacity > LEAST_ROWS ? capacity + capacity / 2 : capacity;
}

t5gist_status tg_cache_reserve(const tg_t5 *t5, tg_cache *cache, int rows, t5gist_error *err) {
  if (rows <= cache->capacity) return T5GIST_OK;
  int capacity = cache->capacity < LEAST_ROWS ? LEAST_ROWS : cache->capacity;
  while (capacity < rows) capacity = capacity > INT_MAX / 2 ? rows : capacity * 2;
  const tg_config *c = &t5->config;
  const size_t row = (size_t)c->d_kv * tg_dtype_size(tg_memory_dtype(t5)), heads = (size_t)c->n_decoder_layers * 2 * (size_t)c->n_heads;
  const size_t held = (size_t)cache->capacity * row;
  size_t count;
  if (!tg_size_mul((size_t)capacity, heads, &count)) return tg_fail(err, T5GIST_ENOMEM, "%d decoder positions are too many", rows);
  char *kv;
  TG_TRY(tg_alloc(&kv, count, row, err));
  for (size_t head = 0; held && head < heads; head++) memcpy(kv + head * (size_t)capacity * row, (const char *)cache->kv + head * held, held);
  tg_free(cache->kv);
  *cache = (tg_cache){kv, capacity};
  return T5GIST_OK;
}

void tg_cache_free(tg_cache *cache) {
  tg_free(cache->kv);
  *cache = (tg_cache){0};
}

/* ----------------------------------------------------------------------------------------------------------------------------- pass */

/* Keys of one layer where K and V of every head stand in rows of their own, `rows` of them. */
static tg_keys head_keys(const tg_t5 *t5, const void *kv, int rows, int layer) {
  const size_t d_kv = (size_t)t5->config.d_kv, n = (size_t)rows, half = n * tg_t5_inner(&t5->config) * tg_dtype_size(tg_memory_dtype(t5));
  const char *k = (const char *)kv + (size_t)layer * 2 * half;
  return (tg_keys){.k = k, .v = k + half, .row_stride = d_kv, .head_stride = n * d_kv};
}

/* Stores the new tokens' K and V. qkv: [n, 3 * inner] */
static void fill_cache(const tg_t5 *t5, const tg_decoder_sequence *s, const float *qkv, int layer) {
  const size_t n_heads = (size_t)t5->config.n_heads, d_kv = (size_t)t5->config.d_kv, inner = n_heads * d_kv, capacity = (size_t)s->cache->capacity;
  const size_t base = (size_t)layer * 2 * n_heads; /* V's heads follow K's, in the cache as in qkv */
  for (size_t i = 0; i < (size_t)s->n; i++)
    for (size_t head = 0; head < 2 * n_heads; head++)
      put(qkv + i * 3 * inner + inner + head * d_kv, tg_memory_dtype(t5), d_kv, s->cache->kv,
          ((base + head) * capacity + (size_t)s->cache_row + i) * d_kv);
}

/* Keys of earlier tokens through the hypothesis' history, then of the new ones. */
static void self_attention_job(const tg_stream *stream, const tg_decoder_sequence *s, size_t first_row, int layer, tg_attention_job *job) {
  const size_t inner = tg_t5_inner(&stream->t5->config);
  *job = (tg_attention_job){.q = stream->qkv + first_row * 3 * inner, .out = stream->context + first_row * inner, .n_q = s->n, .n_parts = 2};
  job->q_position = s->position;
  job->keys[0] = job->keys[1] = head_keys(stream->t5, s->cache->kv, s->cache->capacity, layer);
  job->keys[0].rows = s->history;
  job->keys[0].n = s->position;
  job->keys[1].first = s->cache_row;
  job->keys[1].n = s->n;
}

static void cross_attention_job(const tg_stream *stream, const tg_decoder_sequence *s, size_t first_row, int layer, tg_attention_job *job) {
  const size_t inner = tg_t5_inner(&stream->t5->config);
  *job = (tg_attention_job){.q = stream->qkv + first_row * inner, .out = stream->context + first_row * inner, .n_q = s->n, .n_parts = 1};
  job->keys[0] = head_keys(stream->t5, s->memory->kv, s->memory->n, layer);
  job->keys[0].n = s->memory->n;
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
  size_t *first_rows;     /* [n_sequences] where each one's rows begin */
  int layer;              /* being computed */
  tg_attention_job *jobs; /* [n_sequences] */
  tg_position_bias positions;
} pass;

static void fill_caches(void *user, size_t begin, size_t end, int thread) {
  (void)thread;
  const pass *p = user;
  const tg_t5 *t5 = p->stream.t5;
  for (size_t i = begin; i < end; i++)
    fill_cache(t5, &p->sequences[i], p->stream.qkv + p->first_rows[i] * 3 * tg_t5_inner(&t5->config), p->layer);
}

static t5gist_status self_attend(pass *p, t5gist_error *err) {
  tg_stream *stream = &p->stream;
  const int layer = p->layer;
  const tg_config *c = &stream->t5->config;
  const tg_self_attention *w = &stream->t5->decoder[layer].attention;
  const tg_place place = {"decoder", layer, 0};
  TG_TRY(tg_stream_apply_normed(stream, w->norm, w->qkv, &place, "SelfAttention.q, k or v", stream->qkv, err));
  tg_team_run(tg_workspace_team(stream->workspace), (size_t)p->n_sequences, fill_caches, p);
  for (int i = 0; i < p->n_sequences; i++) self_attention_job(stream, &p->sequences[i], p->first_rows[i], layer, &p->jobs[i]);
  const tg_attention attention = {.n_heads = c->n_heads,
                                  .d_kv = c->d_kv,
                                  .keys = tg_memory_dtype(stream->t5),
                                  .q_stride = 3 * tg_t5_inner(c),
                                  .out_stride = tg_t5_inner(c),
                                  .bias = p->positions.bias,
                                  .bias_stride = p->positions.stride,
                                  .bias_zero = p->positions.zero,
                                  .causal = true};
  TG_TRY(tg_attention_run(&attention, stream->workspace, p->jobs, p->n_sequences, err));
  return tg_stream_project(stream, w->o, &place, "SelfAttention's scores or relative_attention_bias", "SelfAttention.o", err);
}

static t5gist_status cross_attend(pass *p, t5gist_error *err) {
  tg_stream *stream = &p->stream;
  const int layer = p->layer;
  const tg_config *c = &stream->t5->config;
  const tg_cross_attention *w = &stream->t5->decoder[layer].cross;
  const tg_place place = {"decoder", layer, 1};
  TG_TRY(tg_stream_apply_normed(stream, w->norm, w->q, &place, "EncDecAttention.q", stream->qkv, err));
  for (int i = 0; i < p->n_sequences; i++) cross_attention_job(stream, &p->sequences[i], p->first_rows[i], layer, &p->jobs[i]);
  const tg_attention attention = {.n_heads = c->n_heads,
                                  .d_kv = c->d_kv,
                                  .keys = tg_memory_dtype(stream->t5),
                                  .q_stride = tg_t5_inner(c),
                                  .out_stride = tg_t5_inner(c)};
  TG_TRY(tg_attention_run(&attention, stream->workspace, p->jobs, p->n_sequences, err));
  return tg_stream_project(stream, w->o, &place, "EncDecAttention's scores", "EncDecAttention.o", err);
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
  TG_TRY(tg_arena_take(arena, &p.first_rows, (size_t)n_sequences, sizeof *p.first_rows, err));
  size_t row = 0;
  int reach = 0;
  for (int i = 0; i < n_sequences; row += (size_t)sequences[i++].n) {
    const tg_decoder_sequence *s = &sequences[i];
    p.first_rows[i] = row;
    tg_gather(tg_workspace_team(workspace), t5->embedding, t5->embedding_dtype, s->ids, (size_t)s->n, d_model, x + row * d_model);
    if (s->position + s->n > reach) reach = s->position + s->n;
  }
  TG_TRY(tg_check_finite(t5, x, rows, d_model, NULL, "shared", err));
  TG_TRY(tg_arena_take(arena, &p.jobs, (size_t)n_sequences, sizeof *p.jobs, err));
  TG_TRY(tg_position_bias_get(&t5->decoder_positions, reach, arena, &p.positions, err));
  for (int layer = 0; layer < c->n_decoder_layers; layer++) {
    p.layer = layer;
    TG_TRY(self_attend(&p, err));
    TG_TRY(collect(&p.stream, layer, TG_SITE_QKV, TG_SITE_O, p.stream.context, err));
    TG_TRY(cross_attend(&p, err));
    TG_TRY(collect(&p.stream, layer, TG_SITE_CROSS_Q, TG_SITE_CROSS_O, p.stream.context, err));
    TG_TRY(tg_stream_ffn(&p.stream, &t5->decoder[layer].ffn, &(tg_place){"decoder", layer, 2}, err));
    TG_TRY(collect(&p.stream, layer, TG_SITE_WI, TG_SITE_WO, p.stream.hidden, err));
  }
  tg_stream_norm(&p.stream, t5->decoder_norm);
  TG_TRY(tg_check_finite(t5, p.stream.normed, rows, d_model, &(tg_place){"decoder", -1, 0}, "final_layer_norm", err));
  if (c->scale_decoder_output)
    tg_scale(tg_workspace_team(workspace), p.stream.normed, 1.0f / sqrtf((float)c->d_model), rows * d_model, p.stream.normed);
  if (t5->calibration) TG_TRY(tg_calibration_add_head(t5->calibration, p.stream.normed, rows, err));
  TG_TRY(tg_linear_apply(t5->head, workspace, p.stream.normed, rows, false, logits, err));
  return tg_check_finite(t5, logits, rows, (size_t)c->vocab_size, NULL, "lm_head", err);
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
