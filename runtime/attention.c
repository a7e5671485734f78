#include "runtime/attention.h"

#include <math.h>
#include <string.h>

#include "runtime/simd.h"

/* A task is one head of some queries of one job. It goes over the keys in blocks that stay in the L2 cache, keeping for each query the largest
 * score so far, the sum of exp(score - largest) and the sum of values weighted so (rescaled when the largest grows). */
enum {
  KEY_BLOCK = 512,
  MAX_QUERIES = 256, /* of a task: they share one packing of the keys */
  MIN_QUERIES = 32,
  QUERY_GROUP = 8,        /* whose scores are computed together */
  FEW_QUERIES = 8,        /* up to here keys are not packed: each query's sums are those of a query alone, bit by bit, so guesses move nothing */
  PARALLEL_WORK = 1 << 15 /* multiplications below which sharing them out costs more than it saves */
};

typedef struct task {
  int job, head, q_begin, q_end;
} task;

/* One thread's scratch memory. */
typedef struct scratch {
  const float **k_rows, **v_rows;        /* [KEY_BLOCK] rows of the block's keys and values for the task's head */
  const uint16_t **k_narrow, **v_narrow; /* [KEY_BLOCK] the same where they are in bf16 */
  float *k;                       /* [d_kv, score_stride] the block's keys, transposed */
  float *v;                       /* [KEY_BLOCK, d_padded] */
  float *scores;                  /* [QUERY_GROUP, score_stride] */
  float *sums;                    /* [MAX_QUERIES, d_padded] */
  float *largest, *totals;        /* [MAX_QUERIES] */
} scratch;

typedef struct context {
  const tg_attention *attention;
  const tg_attention_job *jobs;
  const tg_simd *simd;
  bool narrow;         /* keys and values are in bf16 */
  size_t d_padded;     /* d_kv up to whole vectors */
  size_t score_stride; /* a block of keys and one vector more, so that rows do not fall on the same cache lines */
} context;

static int count_keys(const tg_attention_job *job) {
  int n = 0;
  for (int i = 0; i < job->n_parts; i++) n += job->keys[i].n;
  return n;
}

/* Keys that a query sees: the first so many. */
static int visible_keys(const context *c, const tg_attention_job *job, int query, int n_keys) {
  if (!c->attention->causal) return n_keys;
  const int last = job->q_position + query - job->k_position;
  return last < 0 ? 0 : last + 1 < n_keys ? last + 1 : n_keys;
}

/* Rows of keys begin..end-1 and of their values. */
static void find_rows(const tg_attention_job *job, bool narrow, size_t head, int begin, int end, scratch *s) {
  int first = 0, found = 0;
  for (const tg_keys *part = job->keys; part < job->keys + job->n_parts; first += part++->n) {
    const int from = begin > first ? begin - first : 0, to = end - first < part->n ? end - first : part->n;
    for (int i = from; i < to; i++, found++) {
      const size_t at = (size_t)(part->rows == NULL ? part->first + i : part->rows[i]) * part->row_stride + head * part->head_stride;
      if (narrow) {
        s->k_narrow[found] = (const uint16_t *)part->k + at;
        s->v_narrow[found] = (const uint16_t *)part->v + at;
      } else {
        s->k_rows[found] = (const float *)part->k + at;
        s->v_rows[found] = (const float *)part->v + at;
      }
    }
  }
}

/* Turns n scores of a query into weights relative to its largest score, and its sums so far likewise. first_key: of the block, in the job. */
static void soften_scores(const context *c, const tg_attention_job *job, const task *t, int query, int first_key, int n, float *scores, scratch *s) {
  const tg_attention *a = c->attention;
  const int slot = query - t->q_begin;
  const float before = s->largest[slot];
  const float *bias = NULL;
  if (a->bias != NULL)
    bias = a->bias + (size_t)t->head * a->bias_stride + ((ptrdiff_t)a->bias_zero + job->k_position + first_key - job->q_position - query);
  const float total = c->simd->soften(scores, bias, (size_t)n, &s->largest[slot]);
  if (first_key == 0 || before == s->largest[slot]) {
    s->totals[slot] += total;
    return;
  }
  const float factor = expf(before - s->largest[slot]);
  s->totals[slot] = s->totals[slot] * factor + total;
  c->simd->scale(s->sums + (size_t)slot * c->d_padded, factor, c->d_padded, s->sums + (size_t)slot * c->d_padded);
}

/* Query by query over a block of n keys, straight from where they lie. */
static void add_block_directly(const context *c, const task *t, int first_key, int n, int n_keys, scratch *s) {
  const tg_attention *a = c->attention;
  const tg_attention_job *job = &c->jobs[t->job];
  const size_t d_kv = (size_t)a->d_kv;
  for (int query = t->q_begin; query < t->q_end; query++) {
    const int seen = visible_keys(c, job, query, n_keys) - first_key, visible = seen < n ? seen : n;
    if (visible <= 0) continue;
    const float *q = job->q + (size_t)query * a->q_stride + (size_t)t->head * d_kv;
    float *sums = s->sums + (size_t)(query - t->q_begin) * c->d_padded;
    if (c->narrow) c->simd->dots_bf16(q, s->k_narrow, (size_t)visible, d_kv, s->scores);
    else c->simd->dots(q, s->k_rows, (size_t)visible, d_kv, s->scores);
    soften_scores(c, job, t, query, first_key, visible, s->scores, s);
    if (c->narrow) c->simd->combine_bf16(s->scores, s->v_narrow, (size_t)visible, d_kv, sums, true);
    else c->simd->combine(s->scores, s->v_rows, (size_t)visible, d_kv, sums, true);
  }
}

/* Keys in bf16 as rows of f32, where their values will be packed. */
static void widen_keys(const context *c, int n, scratch *s) {
  for (int i = 0; i < n; i++) {
    float *row = s->v + (size_t)i * c->d_padded;
    tg_widen(s->k_narrow[i], TG_BF16, (size_t)c->attention->d_kv, row);
    s->k_rows[i] = row;
  }
}

static void pack_block(const context *c, int n, scratch *s) {
  const size_t d_kv = (size_t)c->attention->d_kv;
  if (c->narrow) widen_keys(c, n, s);
  c->simd->transpose(s->k_rows, (size_t)n, d_kv, s->k, c->score_stride);
  for (int i = 0; i < n; i++) {
    float *v = s->v + (size_t)i * c->d_padded;
    if (c->narrow) tg_widen(s->v_narrow[i], TG_BF16, d_kv, v);
    else memcpy(v, s->v_rows[i], d_kv * sizeof *v);
    memset(v + d_kv, 0, (c->d_padded - d_kv) * sizeof *v);
  }
}

/* Groups of queries over a packed block of n keys. */
static void add_block_packed(const context *c, const task *t, int first_key, int n, int n_keys, scratch *s) {
  const tg_attention *a = c->attention;
  const tg_attention_job *job = &c->jobs[t->job];
  pack_block(c, n, s);
  for (int group = t->q_begin; group < t->q_end; group += QUERY_GROUP) {
    const int end = group + QUERY_GROUP < t->q_end ? group + QUERY_GROUP : t->q_end;
    const int seen = visible_keys(c, job, end - 1, n_keys) - first_key, widest = seen < n ? seen : n; /* later queries see more */
    if (widest <= 0) continue;
    const size_t columns = ((size_t)widest + c->simd->lanes - 1) & ~(c->simd->lanes - 1);
    const float *q = job->q + (size_t)group * a->q_stride + (size_t)t->head * (size_t)a->d_kv;
    c->simd->multiply(q, a->q_stride, s->k, c->score_stride, (size_t)(end - group), (size_t)a->d_kv, columns, s->scores, c->score_stride, false);
    for (int query = group; query < end; query++) {
      float *scores = s->scores + (size_t)(query - group) * c->score_stride;
      const int own = visible_keys(c, job, query, n_keys) - first_key, visible = own < 0 ? 0 : own < n ? own : n;
      if (visible > 0) soften_scores(c, job, t, query, first_key, visible, scores, s);
      for (int i = visible; i < widest; i++) scores[i] = 0;
    }
    c->simd->multiply(s->scores, c->score_stride, s->v, c->d_padded, (size_t)(end - group), (size_t)widest, c->d_padded,
                      s->sums + (size_t)(group - t->q_begin) * c->d_padded, c->d_padded, true);
  }
}

static void run_task(const context *c, const task *t, scratch *s) {
  const tg_attention *a = c->attention;
  const tg_attention_job *job = &c->jobs[t->job];
  const int n_keys = count_keys(job), n_queries = t->q_end - t->q_begin;
  const size_t d_kv = (size_t)a->d_kv;
  memset(s->sums, 0, (size_t)n_queries * c->d_padded * sizeof *s->sums);
  for (int i = 0; i < n_queries; i++) {
    s->largest[i] = -INFINITY;
    s->totals[i] = 0;
  }
  const int visible = visible_keys(c, job, t->q_end - 1, n_keys);
  for (int begin = 0; begin < visible; begin += KEY_BLOCK) {
    const int n = visible - begin < KEY_BLOCK ? visible - begin : KEY_BLOCK;
    find_rows(job, c->narrow, (size_t)t->head, begin, begin + n, s);
    if (job->n_q <= FEW_QUERIES)
      add_block_directly(c, t, begin, n, n_keys, s);
    else
      add_block_packed(c, t, begin, n, n_keys, s);
  }
  for (int i = 0; i < n_queries; i++) {
    const float total = s->totals[i];
    c->simd->scale(s->sums + (size_t)i * c->d_padded, total == 0 ? 0 : 1 / total, d_kv,
                   job->out + (size_t)(t->q_begin + i) * a->out_stride + (size_t)t->head * d_kv);
  }
}

/* ---------------------------------------------------------------------------------------------------------------------------- set-up */

/* Queries per task: many, so that packing pays, but enough tasks for all threads. */
static int task_queries(const tg_attention *attention, const tg_attention_job *jobs, int n_jobs, int threads) {
  size_t queries = 0;
  for (int i = 0; i < n_jobs; i++) queries += (size_t)jobs[i].n_q;
  const size_t fair = queries * (size_t)attention->n_heads / (4 * (size_t)threads) / QUERY_GROUP * QUERY_GROUP;
  return fair < MIN_QUERIES ? MIN_QUERIES : fair > MAX_QUERIES ? MAX_QUERIES : (int)fair;
}

static t5gist_status make_tasks(const tg_attention *attention, const tg_attention_job *jobs, int n_jobs, int queries, tg_arena *arena, task **tasks,
                                size_t *n_tasks, t5gist_error *err) {
  size_t n = 0;
  for (int i = 0; i < n_jobs; i++) n += (size_t)((jobs[i].n_q + queries - 1) / queries) * (size_t)attention->n_heads;
  const t5gist_status status = tg_arena_take(arena, tasks, n, sizeof **tasks, err);
  if (status != T5GIST_OK) return status;
  *n_tasks = n;
  task *next = *tasks;
  for (int job = 0; job < n_jobs; job++)
    for (int head = 0; head < attention->n_heads; head++)
      for (int begin = 0; begin < jobs[job].n_q; begin += queries)
        *next++ = (task){job, head, begin, begin + queries < jobs[job].n_q ? begin + queries : jobs[job].n_q};
  return T5GIST_OK;
}

/* Scratch memory of each thread. */
static t5gist_status make_scratch(const context *c, int threads, int queries, tg_arena *arena, scratch **out, t5gist_error *err) {
  const size_t d_kv = (size_t)c->attention->d_kv;
  scratch *all = NULL;
  t5gist_status status = tg_arena_take(arena, &all, (size_t)threads, sizeof *all, err);
  for (int i = 0; i < threads && status == T5GIST_OK; i++) {
    scratch *s = &all[i];
    if ((status = tg_arena_take(arena, &s->k_rows, KEY_BLOCK, sizeof *s->k_rows, err)) == T5GIST_OK &&
        (status = tg_arena_take(arena, &s->v_rows, KEY_BLOCK, sizeof *s->v_rows, err)) == T5GIST_OK &&
        (status = tg_arena_take(arena, &s->k_narrow, KEY_BLOCK, sizeof *s->k_narrow, err)) == T5GIST_OK &&
        (status = tg_arena_take(arena, &s->v_narrow, KEY_BLOCK, sizeof *s->v_narrow, err)) == T5GIST_OK &&
        (status = tg_arena_take(arena, &s->k, d_kv * c->score_stride, sizeof *s->k, err)) == T5GIST_OK &&
        (status = tg_arena_take(arena, &s->v, KEY_BLOCK * c->d_padded, sizeof *s->v, err)) == T5GIST_OK &&
        (status = tg_arena_take(arena, &s->scores, QUERY_GROUP * c->score_stride, sizeof *s->scores, err)) == T5GIST_OK &&
        (status = tg_arena_take(arena, &s->sums, (size_t)queries * c->d_padded, sizeof *s->sums, err)) == T5GIST_OK &&
        (status = tg_arena_take(arena, &s->largest, (size_t)queries, sizeof *s->largest, err)) == T5GIST_OK)
      status = tg_arena_take(arena, &s->totals, (size_t)queries, sizeof *s->totals, err);
  }
  *out = all;
  return status;
}

static size_t count_work(const tg_attention *attention, const tg_attention_job *jobs, int n_jobs) {
  size_t pairs = 0;
  for (int i = 0; i < n_jobs; i++) pairs += (size_t)jobs[i].n_q * (size_t)count_keys(&jobs[i]);
  return pairs * (size_t)attention->n_heads * (size_t)attention->d_kv;
}

static void count_attention(const context *c, const tg_workspace *workspace, int n_jobs) {
  tg_counters *counters = tg_workspace_counters(workspace);
  if (counters == NULL) return;
  const uint64_t width = (uint64_t)c->attention->n_heads * (uint64_t)c->attention->d_kv;
  for (const tg_attention_job *job = c->jobs; job < c->jobs + n_jobs; job++) {
    const int n_keys = count_keys(job);
    uint64_t pairs = 0;
    for (int query = 0; query < job->n_q; query++) pairs += (uint64_t)visible_keys(c, job, query, n_keys);
    counters->attention_flops += 4 * width * pairs;
    counters->attention_bytes += 2 * width * tg_dtype_size(c->attention->keys) * (uint64_t)n_keys;
  }
}

typedef struct sharing {
  const context *context;
  const task *tasks;
  scratch *scratches; /* one for each thread */
} sharing;

static void run_tasks(void *user, size_t begin, size_t end, int thread) {
  const sharing *s = user;
  for (size_t i = begin; i < end; i++) run_task(s->context, &s->tasks[i], &s->scratches[thread]);
}

t5gist_status tg_attention_run(const tg_attention *attention, tg_workspace *workspace, const tg_attention_job *jobs, int n_jobs, t5gist_error *err) {
  const tg_simd *simd = tg_simd_best();
  const context c = {.attention = attention,
                     .jobs = jobs,
                     .simd = simd,
                     .narrow = attention->keys == TG_BF16,
                     .d_padded = ((size_t)attention->d_kv + simd->lanes - 1) & ~(simd->lanes - 1),
                     .score_stride = KEY_BLOCK + 16};
  tg_arena *arena = tg_workspace_arena(workspace);
  const tg_arena_mark mark = tg_arena_save(arena);
  count_attention(&c, workspace, n_jobs);
  tg_team *team = count_work(attention, jobs, n_jobs) >= PARALLEL_WORK ? tg_workspace_team(workspace) : NULL;
  const int threads = tg_team_threads(team), queries = task_queries(attention, jobs, n_jobs, threads);
  task *tasks = NULL;
  scratch *scratches = NULL;
  size_t n_tasks = 0;
  t5gist_status status = make_tasks(attention, jobs, n_jobs, queries, arena, &tasks, &n_tasks, err);
  if (status == T5GIST_OK) status = make_scratch(&c, threads, queries, arena, &scratches, err);
  if (status == T5GIST_OK) {
    sharing s = {&c, tasks, scratches};
    tg_team_run(team, n_tasks, run_tasks, &s);
  }
  tg_arena_restore(arena, mark);
  return status;
}
