#include <math.h>
#include <string.h>

#include "runtime/error.h"
#include "runtime/simd.h"
#include "t5/position.h"
#include "training/kernels.h"
#include "training/ops.h"

/* Per span and head a few small dense products (tg_simd's multiply) over copies of the head's rows, groups of queries at a time; the keys of both
 * parts stand one after the other. Nothing of the size of the scores outlives a group: the way back computes probabilities again from the kept
 * normaliser.
 *
 * Forward, heads of spans are shared out over the team. On the way back, spans that share keys form a chain and heads of chains are shared out: a
 * chain's spans add to the gradients of their keys in order, whoever computes them. */
enum {
  MAX_GROUP = 64,         /* queries of a group */
  MAX_GROUP_CAUSAL = 32,  /* shorter groups skip more of what is masked */
  GROUP_SCORES = 1 << 14, /* floats that the scores of a group should not exceed: they and what comes of them stay in the cache */
  KEY_UNIT = 16,          /* keys are padded to whole vectors of any instruction set */
  ROW_UNIT = 4,           /* rows of products: what multiply likes to have together */
  DLINES = 4 /* lines that slopes by distance are added to in turn: reading what was just written elsewhere in a line would wait for it */
};

/* One thread's scratch memory. */
typedef struct scratch {
  const float **rows;     /* [max(keys, MAX_GROUP)] */
  float *k, *v;           /* [keys, d] rows of keys (on the way back) and values (forward) */
  float *kt, *vt;         /* [d_kv, key_stride] columns of keys, and of values (on the way back) */
  float *q, *dout;        /* [group, d] */
  float *scores, *slopes; /* [group, key_stride] */
  float *out, *dk, *dv;   /* [group, d], [keys, d]; out is also dq */
  float *dlines;          /* [DLINES, 2 * reach + 1] slopes by distance */
} scratch;

typedef struct context {
  const tg_train_attention *attention;
  const tg_train_span *spans;
  int n_spans;
  const tg_simd *simd;
  const tg_train_kernels *kernels;
  const float *q, *k, *v;
  float *out, *normaliser; /* forward */

  const float *kept_out, *kept_normaliser, *dout; /* on the way back */
  float *dq, *dk, *dv;
  float *dbuckets;   /* [n_chains, n_heads, n_buckets]; null: not wanted */
  int *first, *next; /* [n_chains] the first span of each chain; [n_spans] the next span of the same, -1: none */
  int n_chains;

  int reach;               /* the largest distance */
  int *buckets;            /* [2 * reach + 1] of distances -reach .. reach; null: no bias */
  float *lines;            /* [n_heads, 2 * reach + 1] biases */
  size_t d, d_kv;          /* d: d_kv up to whole vectors */
  size_t keys, key_stride; /* key_stride: one vector more, so that rows do not fall on the same cache lines */
  int group;
  scratch *scratches; /* [threads] */
} context;

/* One head of a span. */
typedef struct place {
  const context *c;
  const tg_train_span *span;
  scratch *s;
  int head, n_keys;
} place;

static size_t up_to(size_t n, size_t unit) {
  return (n + unit - 1) / unit * unit;
}

static int count_keys(const tg_train_span *span) {
  return span->keys[0].n + span->keys[1].n;
}

/* ---------------------------------------------------------------------------------------------------------------------------- set-up */

static t5gist_status make_bias(context *c, tg_arena *arena, t5gist_error *err) {
  const tg_train_attention *a = c->attention;
  if (a->bias_weights == NULL) return T5GIST_OK;
  for (const tg_train_span *span = c->spans; span < c->spans + c->n_spans; span++)
    for (const tg_train_keys *keys = span->keys; keys < span->keys + TG_TRAIN_KEY_PARTS; keys++) {
      if (span->n_q == 0 || keys->n == 0) continue;
      const int before = span->q_position + span->n_q - 1 - keys->position, behind = keys->position + keys->n - 1 - span->q_position;
      c->reach = before > c->reach ? before : c->reach;
      c->reach = behind > c->reach ? behind : c->reach;
    }
  const size_t width = 2 * (size_t)c->reach + 1, n_heads = (size_t)a->n_heads;
  TG_TRY(tg_arena_take(arena, &c->buckets, width, sizeof *c->buckets, err));
  TG_TRY(tg_arena_take(arena, &c->lines, width * n_heads, sizeof *c->lines, err));
  for (size_t i = 0; i < width; i++) {
    c->buckets[i] = tg_position_bucket((int64_t)i - c->reach, a->bidirectional, a->n_buckets, a->max_distance);
    for (size_t h = 0; h < n_heads; h++) c->lines[h * width + i] = a->bias_weights[(size_t)c->buckets[i] * n_heads + h];
  }
  return T5GIST_OK;
}

static t5gist_status make_scratch(const context *c, bool backward, tg_arena *arena, scratch *s, t5gist_error *err) {
  const size_t group = (size_t)c->group, keys = c->keys;
  *s = (scratch){0};
  TG_TRY(tg_arena_take(arena, &s->rows, keys > MAX_GROUP ? keys : MAX_GROUP, sizeof *s->rows, err));
  TG_TRY(tg_arena_take(arena, &s->kt, c->d_kv * c->key_stride, sizeof(float), err));
  TG_TRY(tg_arena_take(arena, &s->q, group * c->d, sizeof(float), err));
  TG_TRY(tg_arena_take(arena, &s->scores, group * c->key_stride, sizeof(float), err));
  TG_TRY(tg_arena_take(arena, &s->out, group * c->d, sizeof(float), err));
  if (!backward) return tg_arena_take(arena, &s->v, keys * c->d, sizeof(float), err);
  TG_TRY(tg_arena_take(arena, &s->k, keys * c->d, sizeof(float), err));
  TG_TRY(tg_arena_take(arena, &s->vt, c->d_kv * c->key_stride, sizeof(float), err));
  TG_TRY(tg_arena_take(arena, &s->dout, group * c->d, sizeof(float), err));
  TG_TRY(tg_arena_take(arena, &s->slopes, group * c->key_stride, sizeof(float), err));
  TG_TRY(tg_arena_take(arena, &s->dk, keys * c->d, sizeof(float), err));
  TG_TRY(tg_arena_take(arena, &s->dv, keys * c->d, sizeof(float), err));
  return tg_arena_take(arena, &s->dlines, DLINES * (2 * (size_t)c->reach + 1), sizeof(float), err);
}

static t5gist_status prepare(context *c, const tg_workspace *workspace, bool backward, tg_arena *arena, t5gist_error *err) {
  int most = 1;
  for (int i = 0; i < c->n_spans; i++) most = count_keys(&c->spans[i]) > most ? count_keys(&c->spans[i]) : most;
  c->simd = tg_simd_best();
  c->kernels = tg_train_kernels_best();
  c->d_kv = (size_t)c->attention->d_kv;
  c->d = up_to(c->d_kv, c->simd->lanes);
  c->keys = up_to((size_t)most, KEY_UNIT);
  c->key_stride = c->keys + KEY_UNIT;
  const int fair = (int)(GROUP_SCORES / c->keys / KEY_UNIT * KEY_UNIT), limit = c->attention->causal ? MAX_GROUP_CAUSAL : MAX_GROUP;
  c->group = fair < KEY_UNIT ? KEY_UNIT : fair < limit ? fair : limit;
  TG_TRY(make_bias(c, arena, err));
  const size_t threads = (size_t)tg_team_threads(tg_workspace_team(workspace));
  TG_TRY(tg_arena_take(arena, &c->scratches, threads, sizeof *c->scratches, err));
  for (size_t i = 0; i < threads; i++) TG_TRY(make_scratch(c, backward, arena, &c->scratches[i], err));
  return T5GIST_OK;
}

/* ----------------------------------------------------------------------------------------------------------------------------- one head */

/* Where the head's keys (or values) begin in each row. */
static void find_rows(const place *p, const float *of) {
  const size_t stride = p->c->attention->kv_stride, column = (size_t)p->head * p->c->d_kv;
  size_t found = 0;
  for (const tg_train_keys *keys = p->span->keys; keys < p->span->keys + TG_TRAIN_KEY_PARTS; keys++)
    for (int i = 0; i < keys->n; i++) p->s->rows[found++] = of + (size_t)(keys->begin + i) * stride + column;
}

/* Rows of a group of queries of x, times factor, and zeros up to whole ROW_UNITs. */
static void copy_group(const place *p, const float *x, size_t stride, int begin, int n, float factor, float *to) {
  const context *c = p->c;
  const float *from = x + (size_t)(p->span->q_begin + begin) * stride + (size_t)p->head * c->d_kv;
  for (int i = 0; i < n; i++) p->s->rows[i] = from + (size_t)i * stride;
  c->kernels->copy(p->s->rows, (size_t)n, factor, c->d_kv, to, c->d);
  memset(to + (size_t)n * c->d, 0, (up_to((size_t)n, ROW_UNIT) - (size_t)n) * c->d * sizeof *to);
}

/* Keys of a part that a query sees: the first so many. */
static int visible_keys(const place *p, const tg_train_keys *keys, int query) {
  if (!p->c->attention->causal) return keys->n;
  const int before = p->span->q_position + query - keys->position;
  return before < 0 ? 0 : before < keys->n ? before + 1 : keys->n;
}

/* Columns up to the last that a query sees. Later queries see more. */
static int seen_columns(const place *p, int query) {
  const int second = visible_keys(p, &p->span->keys[1], query);
  return second > 0 ? p->span->keys[0].n + second : visible_keys(p, &p->span->keys[0], query);
}

/* The stretches of a query's row of scores; how many there are. Columns from `columns` on are not looked at. */
static size_t find_stretches(const place *p, int query, int columns, tg_stretch parts[TG_TRAIN_KEY_PARTS]) {
  const context *c = p->c;
  const size_t width = 2 * (size_t)c->reach + 1;
  tg_drop drop = {0, 0, tg_dropout_limit(c->attention->dropout), 1 / (1 - c->attention->dropout)};
  if (drop.limit > 0) drop.stream = tg_dropout_row(c->attention->dropout_key, p->head, p->span->q_begin + query);
  size_t n_parts = 0;
  int begin = 0;
  for (const tg_train_keys *keys = p->span->keys; keys < p->span->keys + TG_TRAIN_KEY_PARTS && begin < columns; begin += keys++->n) {
    if (keys->n == 0) continue;
    tg_stretch *part = &parts[n_parts++];
    *part = (tg_stretch){
        (size_t)begin, (size_t)visible_keys(p, keys, query), (size_t)(begin + keys->n < columns ? begin + keys->n : columns), NULL, NULL, drop};
    part->drop.first = (uint32_t)keys->begin;
    if (c->lines == NULL || part->visible == 0) continue;
    const size_t distance = (size_t)(keys->position - p->span->q_position - query + c->reach);
    part->bias = c->lines + (size_t)p->head * width + distance;
    if (c->dbuckets != NULL) part->slopes = p->s->dlines + (size_t)(query % DLINES) * width + distance;
  }
  return n_parts;
}

/* ------------------------------------------------------------------------------------------------------------------------------ forward */

static void attend_group(const place *p, int begin, int n) {
  const context *c = p->c;
  const tg_train_attention *a = c->attention;
  const size_t rows = up_to((size_t)n, ROW_UNIT), n_heads = (size_t)a->n_heads, head = (size_t)p->head;
  const int columns = seen_columns(p, begin + n - 1);
  float sums[MAX_GROUP];
  copy_group(p, c->q, a->q_stride, begin, n, a->scale, p->s->q);
  c->simd->multiply(p->s->q, c->d, p->s->kt, c->key_stride, rows, c->d_kv, up_to((size_t)columns, c->simd->lanes), p->s->scores, c->key_stride,
                    false);
  for (int i = 0; i < n; i++) {
    const size_t row = (size_t)(p->span->q_begin + begin + i);
    tg_stretch parts[TG_TRAIN_KEY_PARTS];
    const size_t n_parts = find_stretches(p, begin + i, columns, parts);
    const float max = c->kernels->probabilities(p->s->scores + (size_t)i * c->key_stride, parts, n_parts, &sums[i]);
    c->normaliser[row * n_heads + head] = max + logf(sums[i]);
  }
  c->simd->multiply(p->s->scores, c->key_stride, p->s->v, c->d, rows, (size_t)columns, c->d, p->s->out, c->d, false);
  for (int i = 0; i < n; i++) {
    const size_t row = (size_t)(p->span->q_begin + begin + i);
    c->simd->scale(p->s->out + (size_t)i * c->d, 1 / sums[i], c->d_kv, c->out + row * a->out_stride + head * c->d_kv);
  }
}

/* Item i: head i % n_heads of span i / n_heads. */
static void attend(void *argument, size_t begin, size_t end, int thread) {
  const context *c = argument;
  const size_t n_heads = (size_t)c->attention->n_heads;
  for (size_t i = begin; i < end; i++) {
    const tg_train_span *span = &c->spans[i / n_heads];
    const place p = {c, span, &c->scratches[thread], (int)(i % n_heads), count_keys(span)};
    find_rows(&p, c->k);
    c->simd->transpose(p.s->rows, (size_t)p.n_keys, c->d_kv, p.s->kt, c->key_stride);
    find_rows(&p, c->v);
    c->kernels->copy(p.s->rows, (size_t)p.n_keys, 1, c->d_kv, p.s->v, c->d);
    for (int query = 0; query < span->n_q; query += c->group) attend_group(&p, query, span->n_q - query < c->group ? span->n_q - query : c->group);
  }
}

t5gist_status tg_train_attention_run(tg_workspace *workspace, const tg_train_attention *attention, const tg_train_span *spans, int n_spans,
                                     const float *q, const float *k, const float *v, float *out, float *normaliser, t5gist_error *err) {
  context c = {.attention = attention, .spans = spans, .n_spans = n_spans, .q = q, .k = k, .v = v, .out = out, .normaliser = normaliser};
  tg_arena *arena = tg_workspace_arena(workspace);
  const tg_arena_mark mark = tg_arena_save(arena);
  const t5gist_status status = prepare(&c, workspace, false, arena, err);
  if (status == T5GIST_OK) tg_team_run(tg_workspace_team(workspace), (size_t)n_spans * (size_t)attention->n_heads, attend, &c);
  tg_arena_restore(arena, mark);
  return status;
}

/* ----------------------------------------------------------------------------------------------------------------------------- way back */

/* Scores of one query and slopes of its probabilities to probabilities as dropped and slopes of its scores. */
static void harden(const place *p, int query, int columns, float *scores, float *slopes) {
  const context *c = p->c;
  const tg_train_attention *a = c->attention;
  const size_t row = (size_t)(p->span->q_begin + query), at = row * a->out_stride + (size_t)p->head * c->d_kv;
  tg_stretch parts[TG_TRAIN_KEY_PARTS];
  const size_t n_parts = find_stretches(p, query, columns, parts);
  float mean; /* of the slopes under the probabilities */
  c->simd->dots(c->dout + at, (const float *const[]){c->kept_out + at}, 1, c->d_kv, &mean);
  c->kernels->probabilities_backward(scores, slopes, parts, n_parts, c->kept_normaliser[row * (size_t)a->n_heads + (size_t)p->head], mean);
}

static void attend_group_backward(const place *p, int begin, int n) {
  const context *c = p->c;
  const tg_train_attention *a = c->attention;
  scratch *s = p->s;
  const int columns = seen_columns(p, begin + n - 1);
  const size_t rows = up_to((size_t)n, ROW_UNIT), whole = up_to((size_t)columns, c->simd->lanes);
  copy_group(p, c->q, a->q_stride, begin, n, a->scale, s->q);
  copy_group(p, c->dout, a->out_stride, begin, n, 1, s->dout);
  c->simd->multiply(s->q, c->d, s->kt, c->key_stride, rows, c->d_kv, whole, s->scores, c->key_stride, false);
  c->simd->multiply(s->dout, c->d, s->vt, c->key_stride, rows, c->d_kv, whole, s->slopes, c->key_stride, false);
  for (int i = 0; i < n; i++) harden(p, begin + i, columns, s->scores + (size_t)i * c->key_stride, s->slopes + (size_t)i * c->key_stride);
  c->kernels->multiply_turned(s->scores, c->key_stride, s->dout, (size_t)n, (size_t)columns, c->d, s->dv);
  c->kernels->multiply_turned(s->slopes, c->key_stride, s->q, (size_t)n, (size_t)columns, c->d, s->dk);
  c->simd->multiply(s->slopes, c->key_stride, s->k, c->d, rows, (size_t)columns, c->d, s->out, c->d, false);
  for (int i = 0; i < n; i++)
    c->kernels->add(s->out + (size_t)i * c->d, a->scale, c->d_kv,
                    c->dq + (size_t)(p->span->q_begin + begin + i) * a->q_stride + (size_t)p->head * c->d_kv);
}

static void add_rows(const place *p, const float *sums, float *to) {
  const context *c = p->c;
  for (const tg_train_keys *keys = p->span->keys; keys < p->span->keys + TG_TRAIN_KEY_PARTS; keys++)
    for (int i = 0; i < keys->n; i++, sums += c->d)
      c->kernels->add(sums, 1, c->d_kv, to + (size_t)(keys->begin + i) * c->attention->kv_stride + (size_t)p->head * c->d_kv);
}

static void attend_span_backward(const place *p) {
  const context *c = p->c;
  const size_t whole = (size_t)p->n_keys * c->d * sizeof(float);
  find_rows(p, c->v);
  c->simd->transpose(p->s->rows, (size_t)p->n_keys, c->d_kv, p->s->vt, c->key_stride);
  find_rows(p, c->k);
  c->simd->transpose(p->s->rows, (size_t)p->n_keys, c->d_kv, p->s->kt, c->key_stride);
  c->kernels->copy(p->s->rows, (size_t)p->n_keys, 1, c->d_kv, p->s->k, c->d);
  memset(p->s->dk, 0, whole);
  memset(p->s->dv, 0, whole);
  for (int query = 0; query < p->span->n_q; query += c->group)
    attend_group_backward(p, query, p->span->n_q - query < c->group ? p->span->n_q - query : c->group);
  add_rows(p, p->s->dk, c->dk);
  add_rows(p, p->s->dv, c->dv);
}

/* Item i: head i % n_heads of chain i / n_heads. */
static void attend_backward(void *argument, size_t begin, size_t end, int thread) {
  const context *c = argument;
  const size_t n_heads = (size_t)c->attention->n_heads, n_buckets = (size_t)c->attention->n_buckets, width = 2 * (size_t)c->reach + 1;
  scratch *s = &c->scratches[thread];
  for (size_t i = begin; i < end; i++) {
    memset(s->dlines, 0, DLINES * width * sizeof(float));
    for (int span = c->first[i / n_heads]; span >= 0; span = c->next[span]) {
      const place p = {c, &c->spans[span], s, (int)(i % n_heads), count_keys(&c->spans[span])};
      attend_span_backward(&p);
    }
    if (c->dbuckets == NULL) continue;
    float *own = c->dbuckets + i * n_buckets;
    memset(own, 0, n_buckets * sizeof *own);
    for (size_t line = 1; line < DLINES; line++) c->kernels->add(s->dlines + line * width, 1, width, s->dlines);
    for (size_t j = 0; j < width; j++) own[c->buckets[j]] += s->dlines[j];
  }
}

/* Of a forest in which a span's parent is a span before it with which it shares keys, or itself. */
static int root_of(const int *parents, int span) {
  while (parents[span] != span) span = parents[span];
  return span;
}

static t5gist_status make_chains(context *c, tg_arena *arena, t5gist_error *err) {
  int n_rows = 0, *owners, *parents, *last; /* owners [n_rows]: the first span that sees the row, + 1 */
  for (int i = 0; i < c->n_spans * TG_TRAIN_KEY_PARTS; i++) {
    const tg_train_keys *keys = &c->spans[i / TG_TRAIN_KEY_PARTS].keys[i % TG_TRAIN_KEY_PARTS];
    if (keys->n > 0 && keys->begin + keys->n > n_rows) n_rows = keys->begin + keys->n;
  }
  TG_TRY(tg_arena_take(arena, &c->first, (size_t)c->n_spans, sizeof *c->first, err));
  TG_TRY(tg_arena_take(arena, &c->next, (size_t)c->n_spans, sizeof *c->next, err));
  TG_TRY(tg_arena_take(arena, &parents, (size_t)c->n_spans, sizeof *parents, err));
  TG_TRY(tg_arena_take(arena, &last, (size_t)c->n_spans, sizeof *last, err));
  TG_TRY(tg_arena_take(arena, &owners, (size_t)n_rows, sizeof *owners, err));
  memset(owners, 0, (size_t)n_rows * sizeof *owners);
  for (int i = 0; i < c->n_spans; i++) {
    parents[i] = i;
    for (const tg_train_keys *keys = c->spans[i].keys; keys < c->spans[i].keys + TG_TRAIN_KEY_PARTS; keys++)
      for (int row = keys->begin; row < keys->begin + keys->n; row++) {
        if (owners[row] == 0) owners[row] = i + 1;
        const int a = root_of(parents, owners[row] - 1), b = root_of(parents, i);
        parents[a > b ? a : b] = a < b ? a : b;
      }
  }
  for (int i = 0; i < c->n_spans; i++) {
    const int root = root_of(parents, i);
    c->next[i] = -1;
    if (root == i)
      c->first[c->n_chains++] = i;
    else
      c->next[last[root]] = i;
    last[root] = i;
  }
  return T5GIST_OK;
}

t5gist_status tg_train_attention_backward(tg_workspace *workspace, const tg_train_attention *attention, const tg_train_span *spans, int n_spans,
                                          const float *q, const float *k, const float *v, const float *out, const float *normaliser,
                                          const float *dout, float *dq, float *dk, float *dv, float *dbias_weights, t5gist_error *err) {
  context c = {.attention = attention,
               .spans = spans,
               .n_spans = n_spans,
               .q = q,
               .k = k,
               .v = v,
               .kept_out = out,
               .kept_normaliser = normaliser,
               .dout = dout,
               .dq = dq,
               .dk = dk,
               .dv = dv};
  const size_t n_heads = (size_t)attention->n_heads, n_buckets = (size_t)attention->n_buckets;
  const bool biased = dbias_weights != NULL && attention->bias_weights != NULL;
  tg_arena *arena = tg_workspace_arena(workspace);
  const tg_arena_mark mark = tg_arena_save(arena);
  t5gist_status status = T5GIST_OK;
  TG_GOTO(make_chains(&c, arena, err));
  TG_GOTO(prepare(&c, workspace, true, arena, err));
  if (biased) TG_GOTO(tg_arena_take(arena, &c.dbuckets, (size_t)c.n_chains * n_heads * n_buckets, sizeof(float), err));
  tg_team_run(tg_workspace_team(workspace), (size_t)c.n_chains * n_heads, attend_backward, &c);
  for (size_t i = 0; biased && i < (size_t)c.n_chains * n_heads; i++)
    for (size_t bucket = 0; bucket < n_buckets; bucket++) dbias_weights[bucket * n_heads + i % n_heads] += c.dbuckets[i * n_buckets + bucket];
done:
  tg_arena_restore(arena, mark);
  return status;
}
