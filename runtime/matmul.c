#include "runtime/matmul.h"

#include <omp.h>
#include <pthread.h>

#include "runtime/error.h"
#include "runtime/onednn_compat.h"

bool tg_matmul_has_tiles(void) {
  const unsigned tiles = (unsigned)dnnl_cpu_isa_avx512_core_amx;
  return ((unsigned)dnnl_get_effective_cpu_isa() & tiles) == tiles;
}

struct tg_matmul {
  tg_matmul_shape shape;
  dnnl_primitive_t primitive;
  dnnl_primitive_desc_t operation; /* owns the descriptions below */
  tg_dnnl_const_desc x, weights, y, scratch;
  size_t scratch_bytes;
};

/* Open addressing over heap-allocated entries, so that an entry stays where it is while the table grows. Entries are never removed: the
 * buckets of tg_linear_rows bound their number. */
struct tg_matmul_cache {
  pthread_mutex_t mutex;
  tg_matmul **slots; /* [n_slots], a power of two, at most half full */
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

static void matmul_free(tg_matmul *e) {
  if (e == NULL) return;
  if (e->primitive != NULL) dnnl_primitive_destroy(e->primitive);
  if (e->operation != NULL) dnnl_primitive_desc_destroy(e->operation);
  tg_free(e);
}

void tg_matmul_cache_free(tg_matmul_cache *cache) {
  if (cache == NULL) return;
  for (size_t i = 0; i < cache->n_slots; i++) matmul_free(cache->slots[i]);
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

static t5gist_status matmul_new(dnnl_engine_t engine, const tg_matmul_shape *shape, tg_matmul **out, t5gist_error *err) {
  const dnnl_dim_t m = (dnnl_dim_t)shape->m, n_in = (dnnl_dim_t)shape->n_in, n_out = (dnnl_dim_t)shape->n_out;
  dnnl_primitive_attr_t attr = NULL;
  tg_dnnl_desc x = {0}, weights = {0}, y = {0};
  tg_matmul *e = NULL;
  t5gist_status status = T5GIST_OK;
  TG_GOTO(tg_alloc(&e, 1, sizeof *e, err));
  e->shape = *shape;
  const formats f = formats_of(shape->precision);
  TG_GOTO(tg_dnnl_check(tg_dnnl_desc_typed(&x, m, n_in, f.x, dnnl_ab), "describing x", err));
  TG_GOTO(tg_dnnl_check(tg_dnnl_desc_rows(&y, m, n_out, (dnnl_dim_t)shape->y_stride, f.y), "describing y", err));
  TG_GOTO(tg_dnnl_check(tg_dnnl_desc_typed(&weights, n_in, n_out, f.weights, f.layout), "describing weights", err));
  TG_GOTO(new_attr(shape->accumulate, &attr, err));
  TG_GOTO(tg_dnnl_check(tg_dnnl_matmul_new(&e->operation, engine, &x, &weights, &y, attr), "describing a matrix product", err));
  TG_GOTO(tg_dnnl_check(dnnl_primitive_create(&e->primitive, e->operation), "creating a matrix product", err));
  e->x = dnnl_primitive_desc_query_md(e->operation, dnnl_query_src_md, 0);
  e->weights = dnnl_primitive_desc_query_md(e->operation, dnnl_query_weights_md, 0);
  e->y = dnnl_primitive_desc_query_md(e->operation, dnnl_query_dst_md, 0);
  e->scratch = dnnl_primitive_desc_query_md(e->operation, dnnl_query_scratchpad_md, 0);
  e->scratch_bytes = e->scratch == NULL ? 0 : dnnl_memory_desc_get_size(e->scratch);
  *out = e;
done:
  if (attr != NULL) dnnl_primitive_attr_destroy(attr);
  tg_dnnl_desc_free(&x);
  tg_dnnl_desc_free(&weights);
  tg_dnnl_desc_free(&y);
  if (status != T5GIST_OK) matmul_free(e);
  return status;
}

static bool same_shape(const tg_matmul_shape *a, const tg_matmul_shape *b) {
  return a->m == b->m && a->n_in == b->n_in && a->n_out == b->n_out && a->y_stride == b->y_stride && a->precision == b->precision &&
         a->accumulate == b->accumulate;
}

/* The slot that holds shape, or the free one where it belongs. */
static size_t find_slot(tg_matmul *const *slots, size_t n_slots, const tg_matmul_shape *shape) {
  uint64_t hash = shape->m;
  hash = (hash ^ shape->n_in) * 0x9e3779b97f4a7c15u;
  hash = (hash ^ (hash >> 32) ^ shape->n_out) * 0x9e3779b97f4a7c15u;
  hash = (hash ^ (hash >> 32) ^ shape->y_stride) * 0x9e3779b97f4a7c15u;
  hash = (hash ^ (hash >> 32) ^ (uint64_t)shape->precision << 1 ^ shape->accumulate) * 0x9e3779b97f4a7c15u;
  size_t slot = (size_t)(hash >> 32) & (n_slots - 1);
  while (slots[slot] != NULL && !same_shape(&slots[slot]->shape, shape)) slot = (slot + 1) & (n_slots - 1);
  return slot;
}

static t5gist_status grow(tg_matmul_cache *cache, t5gist_error *err) {
  tg_matmul **slots = NULL;
  TG_TRY(tg_alloc(&slots, cache->n_slots * 2, sizeof *slots, err));
  for (size_t i = 0; i < cache->n_slots; i++)
    if (cache->slots[i] != NULL) slots[find_slot(slots, cache->n_slots * 2, &cache->slots[i]->shape)] = cache->slots[i];
  tg_free(cache->slots);
  cache->slots = slots;
  cache->n_slots *= 2;
  return T5GIST_OK;
}

/* For one thread, whatever the caller's OpenMP would use. */
static t5gist_status make(dnnl_engine_t engine, const tg_matmul_shape *shape, tg_matmul **matmul, t5gist_error *err) {
  const int openmp = omp_get_max_threads();
  omp_set_num_threads(1);
  const t5gist_status status = matmul_new(engine, shape, matmul, err);
  omp_set_num_threads(openmp);
  return status;
}

/* Creation happens under the lock: two threads that need the same shape make it once. */
t5gist_status tg_matmul_get(tg_engine *engine, const tg_matmul_shape *shape, const tg_matmul **matmul, t5gist_error *err) {
  tg_matmul_cache *cache = tg_engine_matmuls(engine);
  t5gist_status status = T5GIST_OK;
  pthread_mutex_lock(&cache->mutex);
  size_t slot = find_slot(cache->slots, cache->n_slots, shape);
  if (cache->slots[slot] == NULL) {
    if (2 * (cache->n_entries + 1) > cache->n_slots) {
      TG_GOTO(grow(cache, err));
      slot = find_slot(cache->slots, cache->n_slots, shape);
    }
    TG_GOTO(make(tg_engine_dnnl(engine), shape, &cache->slots[slot], err));
    cache->n_entries++;
  }
  *matmul = cache->slots[slot];
done:
  pthread_mutex_unlock(&cache->mutex);
  return status;
}

size_t tg_matmul_scratch(const tg_matmul *matmul) {
  return matmul->scratch_bytes;
}

static t5gist_status attach(dnnl_engine_t engine, tg_dnnl_const_desc desc, const void *data, dnnl_memory_t *memory, t5gist_error *err) {
  return tg_dnnl_check(dnnl_memory_create(memory, desc, engine, (void *)(uintptr_t)data), "attaching memory", err);
}

t5gist_status tg_matmul_run(const tg_matmul *matmul, const tg_workspace *workspace, int thread, const void *weights, const void *x, void *y,
                            void *scratch, t5gist_error *err) {
  enum { N_MEMORIES = 4 };
  const dnnl_engine_t engine = tg_engine_dnnl(tg_workspace_engine(workspace));
  const dnnl_stream_t stream = tg_workspace_stream(workspace, thread);
  const bool has_scratch = scratch != NULL;
  dnnl_exec_arg_t args[N_MEMORIES] = {{DNNL_ARG_SRC, NULL}, {DNNL_ARG_WEIGHTS, NULL}, {DNNL_ARG_DST, NULL}, {DNNL_ARG_SCRATCHPAD, NULL}};
  t5gist_status status = T5GIST_OK;
  TG_GOTO(attach(engine, matmul->x, x, &args[0].memory, err));
  TG_GOTO(attach(engine, matmul->weights, weights, &args[1].memory, err));
  TG_GOTO(attach(engine, matmul->y, y, &args[2].memory, err));
  if (has_scratch) TG_GOTO(attach(engine, matmul->scratch, scratch, &args[3].memory, err));
  TG_GOTO(
      tg_dnnl_check(dnnl_primitive_execute(matmul->primitive, stream, has_scratch ? N_MEMORIES : N_MEMORIES - 1, args), "multiplying matrices", err));
  TG_GOTO(tg_dnnl_check(dnnl_stream_wait(stream), "waiting for a matrix product", err));
done:
  for (int i = 0; i < N_MEMORIES; i++)
    if (args[i].memory != NULL) dnnl_memory_destroy(args[i].memory);
  return status;
}
