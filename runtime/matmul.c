#include "runtime/matmul.h"

#include <pthread.h>

#include "runtime/error.h"
#include "runtime/onednn_compat.h"

bool tg_matmul_has_tiles(void) {
  const unsigned tiles = (unsigned)dnnl_cpu_isa_avx512_core_amx;
  return ((unsigned)dnnl_get_effective_cpu_isa() & tiles) == tiles;
}

typedef struct entry {
  tg_matmul_shape shape;
  dnnl_primitive_t primitive;
  dnnl_primitive_desc_t operation; /* owns the descriptions below */
  tg_dnnl_const_desc x, y, scratch;
  size_t scratch_bytes;
} entry;

/* Open addressing over heap-allocated entries, so that an entry stays where it is while the table grows. Entries are never removed: the
 * buckets of tg_linear_rows bound their number. */
struct tg_matmul_cache {
  pthread_mutex_t mutex;
  entry **slots; /* [n_slots], a power of two, at most half full */
  size_t n_slots, n_entries;
};

t5gist_status tg_matmul_cache_new(tg_matmul_cache **cache, t5gist_error *err) {
  tg_matmul_cache *c = NULL;
  TG_TRY(tg_alloc(&c, 1, sizeof *c, err));
  c->n_slots = 256;
  const t5gist_status status = tg_alloc(&c->slots, c->n_slots, sizeof *c->slots, err);
  if (status != T5GIST_OK) {
    tg_free(c);
    return status;
  }
  pthread_mutex_init(&c->mutex, NULL);
  *cache = c;
  return T5GIST_OK;
}

static void entry_free(entry *e) {
  if (e == NULL) return;
  if (e->primitive != NULL) dnnl_primitive_destroy(e->primitive);
  if (e->operation != NULL) dnnl_primitive_desc_destroy(e->operation);
  tg_free(e);
}

void tg_matmul_cache_free(tg_matmul_cache *cache) {
  if (cache == NULL) return;
  for (size_t i = 0; i < cache->n_slots; i++) entry_free(cache->slots[i]);
  tg_free(cache->slots);
  pthread_mutex_destroy(&cache->mutex);
  tg_free(cache);
}

uint64_t tg_matmul_cache_created(tg_matmul_cache *cache) {
  pthread_mutex_lock(&cache->mutex);
  const uint64_t n = cache->n_entries;
  pthread_mutex_unlock(&cache->mutex);
  return n;
}

/* What oneDNN calls the formats of each precision. */
typedef struct formats {
  dnnl_data_type_t x, weights, y;
  dnnl_format_tag_t layout; /* of the weights, [n_in, n_out] in oneDNN's eyes */
} formats;

static formats formats_of(tg_precision precision) {
  if (precision == TG_PRECISION_INT8) return (formats){dnnl_u8, dnnl_s8, dnnl_s32, dnnl_BA16a64b4a};
  return (formats){dnnl_f32, dnnl_f32, dnnl_f32, dnnl_ba};
}

static t5gist_status weights_desc(size_t n_in, size_t n_out, tg_precision precision, tg_dnnl_desc *desc, t5gist_error *err) {
  const formats f = formats_of(precision);
  return tg_dnnl_check(tg_dnnl_desc_typed(desc, (dnnl_dim_t)n_in, (dnnl_dim_t)n_out, f.weights, f.layout), "describing weights", err);
}

t5gist_status tg_matmul_weights(dnnl_engine_t engine, size_t n_in, size_t n_out, tg_precision precision, void *data, dnnl_memory_t *weights,
                                t5gist_error *err) {
  tg_dnnl_desc desc;
  TG_TRY(weights_desc(n_in, n_out, precision, &desc, err));
  const t5gist_status status = tg_dnnl_check(dnnl_memory_create(weights, tg_dnnl_desc_view(&desc), engine, data), "attaching weights", err);
  tg_dnnl_desc_free(&desc);
  return status;
}

/* Strict f32, scratch memory from the caller (a primitive with its own belongs to the thread that made it), y added to on demand. */
static t5gist_status new_attr(bool accumulate, dnnl_primitive_attr_t *attr, t5gist_error *err) {
  dnnl_post_ops_t ops = NULL;
  t5gist_status status = T5GIST_OK;
  TG_GOTO(tg_dnnl_check(dnnl_primitive_attr_create(attr), "creating attributes", err));
  TG_GOTO(tg_dnnl_check(dnnl_primitive_attr_set_scratchpad_mode(*attr, dnnl_scratchpad_mode_user), "setting the scratchpad mode", err));
  TG_GOTO(tg_dnnl_check(dnnl_primitive_attr_set_fpmath_mode(*attr, dnnl_fpmath_mode_strict), "setting the math mode", err));
  if (!accumulate) return T5GIST_OK;
  TG_GOTO(tg_dnnl_check(dnnl_post_ops_create(&ops), "creating post-operations", err));
  TG_GOTO(tg_dnnl_check(tg_dnnl_append_sum(ops), "adding a sum", err));
  TG_GOTO(tg_dnnl_check(dnnl_primitive_attr_set_post_ops(*attr, ops), "setting post-operations", err));
done:
  if (ops != NULL) dnnl_post_ops_destroy(ops);
  return status;
}

static t5gist_status entry_new(dnnl_engine_t engine, const tg_matmul_shape *shape, entry **out, t5gist_error *err) {
  const dnnl_dim_t m = (dnnl_dim_t)shape->m, n_in = (dnnl_dim_t)shape->n_in, n_out = (dnnl_dim_t)shape->n_out;
  dnnl_primitive_attr_t attr = NULL;
  tg_dnnl_desc x = {0}, weights = {0}, y = {0};
  entry *e = NULL;
  t5gist_status status = T5GIST_OK;
  TG_GOTO(tg_alloc(&e, 1, sizeof *e, err));
  e->shape = *shape;
  const formats f = formats_of(shape->precision);
  TG_GOTO(tg_dnnl_check(tg_dnnl_desc_typed(&x, m, n_in, f.x, dnnl_ab), "describing x", err));
  TG_GOTO(tg_dnnl_check(tg_dnnl_desc_typed(&y, m, n_out, f.y, dnnl_ab), "describing y", err));
  TG_GOTO(weights_desc(shape->n_in, shape->n_out, shape->precision, &weights, err));
  TG_GOTO(new_attr(shape->accumulate, &attr, err));
  TG_GOTO(tg_dnnl_check(tg_dnnl_matmul_new(&e->operation, engine, &x, &weights, &y, attr), "describing a matrix product", err));
  TG_GOTO(tg_dnnl_check(dnnl_primitive_create(&e->primitive, e->operation), "creating a matrix product", err));
  e->x = dnnl_primitive_desc_query_md(e->operation, dnnl_query_src_md, 0);
  e->y = dnnl_primitive_desc_query_md(e->operation, dnnl_query_dst_md, 0);
  e->scratch = dnnl_primitive_desc_query_md(e->operation, dnnl_query_scratchpad_md, 0);
  e->scratch_bytes = e->scratch == NULL ? 0 : dnnl_memory_desc_get_size(e->scratch);
  *out = e;
done:
  if (attr != NULL) dnnl_primitive_attr_destroy(attr);
  tg_dnnl_desc_free(&x);
  tg_dnnl_desc_free(&weights);
  tg_dnnl_desc_free(&y);
  if (status != T5GIST_OK) entry_free(e);
  return status;
}

static bool same_shape(const tg_matmul_shape *a, const tg_matmul_shape *b) {
  return a->m == b->m && a->n_in == b->n_in && a->n_out == b->n_out && a->precision == b->precision && a->accumulate == b->accumulate;
}

/* The slot that holds shape, or the free one where it belongs. */
static size_t find_slot(entry *const *slots, size_t n_slots, const tg_matmul_shape *shape) {
  uint64_t hash = shape->m;
  hash = (hash ^ shape->n_in) * 0x9e3779b97f4a7c15u;
  hash = (hash ^ (hash >> 32) ^ shape->n_out) * 0x9e3779b97f4a7c15u;
  hash = (hash ^ (hash >> 32) ^ (uint64_t)shape->precision << 1 ^ shape->accumulate) * 0x9e3779b97f4a7c15u;
  size_t slot = (size_t)(hash >> 32) & (n_slots - 1);
  while (slots[slot] != NULL && !same_shape(&slots[slot]->shape, shape)) slot = (slot + 1) & (n_slots - 1);
  return slot;
}

static t5gist_status grow(tg_matmul_cache *cache, t5gist_error *err) {
  entry **slots = NULL;
  TG_TRY(tg_alloc(&slots, cache->n_slots * 2, sizeof *slots, err));
  for (size_t i = 0; i < cache->n_slots; i++)
    if (cache->slots[i] != NULL) slots[find_slot(slots, cache->n_slots * 2, &cache->slots[i]->shape)] = cache->slots[i];
  tg_free(cache->slots);
  cache->slots = slots;
  cache->n_slots *= 2;
  return T5GIST_OK;
}

/* Creation happens under the lock: two threads that need the same shape make it once. */
static t5gist_status get_entry(tg_matmul_cache *cache, dnnl_engine_t engine, const tg_matmul_shape *shape, const entry **out, t5gist_error *err) {
  t5gist_status status = T5GIST_OK;
  pthread_mutex_lock(&cache->mutex);
  size_t slot = find_slot(cache->slots, cache->n_slots, shape);
  if (cache->slots[slot] == NULL) {
    if (2 * (cache->n_entries + 1) > cache->n_slots) {
      TG_GOTO(grow(cache, err));
      slot = find_slot(cache->slots, cache->n_slots, shape);
    }
    TG_GOTO(entry_new(engine, shape, &cache->slots[slot], err));
    cache->n_entries++;
  }
  *out = cache->slots[slot];
done:
  pthread_mutex_unlock(&cache->mutex);
  return status;
}

static t5gist_status execute(const entry *e, tg_workspace *workspace, dnnl_memory_t weights, const void *x, void *y, void *scratch,
                             t5gist_error *err) {
  dnnl_engine_t engine = tg_engine_dnnl(tg_workspace_engine(workspace));
  dnnl_stream_t stream = tg_workspace_stream(workspace);
  dnnl_memory_t x_memory = NULL, y_memory = NULL, scratch_memory = NULL;
  t5gist_status status = T5GIST_OK;
  TG_GOTO(tg_dnnl_check(dnnl_memory_create(&x_memory, e->x, engine, (void *)(uintptr_t)x), "attaching x", err));
  TG_GOTO(tg_dnnl_check(dnnl_memory_create(&y_memory, e->y, engine, y), "attaching y", err));
  if (scratch != NULL) TG_GOTO(tg_dnnl_check(dnnl_memory_create(&scratch_memory, e->scratch, engine, scratch), "attaching scratch memory", err));
  const dnnl_exec_arg_t args[] = {
      {DNNL_ARG_SRC, x_memory}, {DNNL_ARG_WEIGHTS, weights}, {DNNL_ARG_DST, y_memory}, {DNNL_ARG_SCRATCHPAD, scratch_memory}};
  TG_GOTO(tg_dnnl_check(dnnl_primitive_execute(e->primitive, stream, scratch != NULL ? 4 : 3, args), "multiplying matrices", err));
  TG_GOTO(tg_dnnl_check(dnnl_stream_wait(stream), "waiting for a matrix product", err));
done:
  if (x_memory != NULL) dnnl_memory_destroy(x_memory);
  if (y_memory != NULL) dnnl_memory_destroy(y_memory);
  if (scratch_memory != NULL) dnnl_memory_destroy(scratch_memory);
  return status;
}

t5gist_status tg_matmul_run(tg_workspace *workspace, const tg_matmul_shape *shape, dnnl_memory_t weights, const void *x, void *y,
                            t5gist_error *err) {
  tg_engine *engine = tg_workspace_engine(workspace);
  const entry *e = NULL;
  TG_TRY(get_entry(tg_engine_matmuls(engine), tg_engine_dnnl(engine), shape, &e, err));
  tg_arena *arena = tg_workspace_arena(workspace);
  const tg_arena_mark mark = tg_arena_save(arena);
  char *scratch = NULL;
  if (e->scratch_bytes > 0) TG_TRY(tg_arena_take(arena, &scratch, e->scratch_bytes, 1, err));
  const t5gist_status status = execute(e, workspace, weights, x, y, scratch, err);
  tg_arena_restore(arena, mark);
  return status;
}
