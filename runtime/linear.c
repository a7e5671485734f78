#include "runtime/linear.h"

#include <string.h>
#include <sys/mman.h>

#include "runtime/cpu.h"
#include "runtime/error.h"
#include "runtime/file.h"
#include "runtime/linear_avx512.h"
#include "runtime/matmul.h"

enum {
  CHUNK_ROWS = 1024,       /* oneDNN gets more rows in pieces of this size */
  SLAB_ROWS = TG_BLOCK_OUT /* rows packed by one thread at a time, then released */
};

struct tg_linear {
  size_t n_in, n_out;
  bool blocks;          /* the layout: [n_out_stored/64, n_in, 64] for the kernels of linear_avx512.c, else [n_out, n_in] for oneDNN */
  size_t n_out_stored;  /* padded with zeros to whole blocks */
  float *weights;       /* [n_out_stored * n_in] */
  dnnl_memory_t memory; /* oneDNN's view of them; null with blocks */
};

static bool use_blocks(void) {
  return tg_cpu_isa() == TG_ISA_AVX512;
}

/* ------------------------------------------------------------------------------------------------------------------------- packing */

/* Row `row` of the stacked parts. */
static const unsigned char *source_row(const tg_matrix *parts, size_t n_in, size_t row, tg_dtype *dtype) {
  while (row >= parts->n_out) row -= parts++->n_out;
  *dtype = parts->dtype;
  return (const unsigned char *)parts->data + row * n_in * tg_dtype_size(parts->dtype);
}

/* Rows begin..end-1 of the stacked parts leave memory where they are mapped. */
static void release_rows(const tg_matrix *parts, size_t n_parts, size_t n_in, size_t begin, size_t end) {
  size_t first = 0;
  for (const tg_matrix *part = parts; part < parts + n_parts; first += part++->n_out) {
    const size_t from = begin > first ? begin - first : 0, to = end > first + part->n_out ? part->n_out : end > first ? end - first : 0;
    const size_t row_bytes = n_in * tg_dtype_size(part->dtype);
    if (part->mapped && from < to) tg_map_release((const unsigned char *)part->data + from * row_bytes, (to - from) * row_bytes);
  }
}

static void pack_slab(tg_linear *linear, const tg_matrix *parts, size_t begin, size_t end) {
  const size_t n_in = linear->n_in;
#if defined(__x86_64__)
  if (linear->blocks) {
    tg_row rows[SLAB_ROWS];
    for (size_t row = begin; row < end; row++) rows[row - begin].data = source_row(parts, n_in, row, &rows[row - begin].dtype);
    tg_pack_block(rows, end - begin, n_in, linear->weights + begin * n_in);
    return;
  }
#endif
  for (size_t row = begin; row < end; row++) {
    tg_dtype dtype;
    const unsigned char *source = source_row(parts, n_in, row, &dtype);
    tg_widen(source, dtype, n_in, linear->weights + row * n_in);
  }
}

static void pack(tg_linear *linear, const tg_matrix *parts, size_t n_parts, int threads) {
  const size_t n_slabs = (linear->n_out + SLAB_ROWS - 1) / SLAB_ROWS;
#pragma omp parallel for schedule(dynamic) num_threads(threads)
  for (size_t slab = 0; slab < n_slabs; slab++) {
    const size_t begin = slab * SLAB_ROWS, end = begin + SLAB_ROWS < linear->n_out ? begin + SLAB_ROWS : linear->n_out;
    pack_slab(linear, parts, begin, end);
    release_rows(parts, n_parts, linear->n_in, begin, end);
  }
  release_rows(parts, n_parts, linear->n_in, 0, linear->n_out); /* the pages that two slabs share */
}

/* Large pages where the system gives them: fewer faults while packing, fewer misses while streaming. Only advice: failure is harmless. */
static void ask_for_large_pages(void *data, size_t size) {
  const uintptr_t page = 2u << 20, begin = ((uintptr_t)data + page - 1) & ~(page - 1), end = ((uintptr_t)data + size) & ~(page - 1);
  if (begin < end) (void)madvise((void *)begin, end - begin, MADV_HUGEPAGE);
}

static t5gist_status check_parts(const tg_matrix *parts, size_t n_parts, size_t n_in, size_t *n_out, t5gist_error *err) {
  size_t sum = 0;
  for (size_t i = 0; i < n_parts; i++) {
    const tg_dtype dtype = parts[i].dtype;
    if (dtype != TG_F32 && dtype != TG_BF16 && dtype != TG_F16)
      return tg_fail(err, T5GIST_EFORMAT, "expected weights in F32, BF16 or F16, found %s", tg_dtype_name(dtype));
    if (!tg_size_add(sum, parts[i].n_out, &sum)) return tg_fail(err, T5GIST_EFORMAT, "the sizes of stacked weights are too large");
  }
  if (sum == 0 || n_in == 0)
    return tg_fail(err, T5GIST_EFORMAT, "expected a linear layer of at least one input and one output, found %zu and %zu", n_in, sum);
  *n_out = sum;
  return T5GIST_OK;
}

t5gist_status tg_linear_new(tg_engine *engine, const tg_matrix *parts, size_t n_parts, size_t n_in, tg_linear **linear, t5gist_error *err) {
  size_t n_out = 0, count = 0;
  TG_TRY(check_parts(parts, n_parts, n_in, &n_out, err));
  tg_linear *l = NULL;
  t5gist_status status = T5GIST_OK;
  TG_GOTO(tg_alloc(&l, 1, sizeof *l, err));
  *l = (tg_linear){.n_in = n_in, .n_out = n_out, .n_out_stored = n_out, .blocks = use_blocks()};
  if ((l->blocks && !tg_align_up(n_out, TG_BLOCK_OUT, &l->n_out_stored)) || !tg_size_mul(n_in, l->n_out_stored, &count)) {
    status = tg_fail(err, T5GIST_ENOMEM, "cannot allocate a linear layer of %zu inputs and %zu outputs", n_in, n_out);
    goto done;
  }
  TG_GOTO(tg_alloc(&l->weights, count, sizeof(float), err));
  ask_for_large_pages(l->weights, count * sizeof(float));
  pack(l, parts, n_parts, tg_engine_threads(engine));
  if (!l->blocks) TG_GOTO(tg_matmul_weights(tg_engine_dnnl(engine), n_in, n_out, l->weights, &l->memory, err));
  *linear = l;
  return T5GIST_OK;
done:
  tg_linear_free(l);
  return status;
}

void tg_linear_free(tg_linear *linear) {
  if (linear == NULL) return;
  if (linear->memory != NULL) dnnl_memory_destroy(linear->memory);
  tg_free(linear->weights);
  tg_free(linear);
}

size_t tg_linear_n_in(const tg_linear *linear) {
  return linear->n_in;
}
size_t tg_linear_n_out(const tg_linear *linear) {
  return linear->n_out;
}
size_t tg_linear_bytes(const tg_linear *linear) {
  return linear->n_in * linear->n_out_stored * sizeof(float);
}

/* ------------------------------------------------------------------------------------------------------------------------- products */

static size_t round_up(size_t m, size_t step) {
  return (m + step - 1) / step * step;
}

size_t tg_linear_rows(size_t m) {
  if (use_blocks()) return m;
  const size_t whole = m / CHUNK_ROWS * CHUNK_ROWS, rest = m - whole;
  if (rest <= 2) return m;
  if (rest <= 4) return whole + 4;
  return whole + round_up(rest, rest <= 64 ? 8 : rest <= 256 ? 16 : 64);
}

static t5gist_status apply_onednn(const tg_linear *linear, tg_workspace *workspace, const float *x, size_t m, bool accumulate, float *y,
                                  t5gist_error *err) {
  for (size_t begin = 0; begin < m; begin += CHUNK_ROWS) {
    const size_t rows = m - begin < CHUNK_ROWS ? m - begin : CHUNK_ROWS;
    const tg_matmul_shape shape = {.m = tg_linear_rows(rows), .n_in = linear->n_in, .n_out = linear->n_out, .accumulate = accumulate};
    TG_TRY(tg_matmul_run(workspace, &shape, linear->memory, x + begin * linear->n_in, y + begin * linear->n_out, err));
  }
  return T5GIST_OK;
}

static void count_product(const tg_linear *linear, const tg_workspace *workspace, size_t m) {
  tg_counters *counters = tg_workspace_counters(workspace);
  if (counters == NULL) return;
  const uint64_t weights = (uint64_t)linear->n_in * linear->n_out;
  counters->products++;
  counters->product_flops += 2 * m * weights;
  counters->weights += weights;
  counters->weight_bytes += tg_linear_bytes(linear);
}

t5gist_status tg_linear_apply(const tg_linear *linear, tg_workspace *workspace, const float *x, size_t m, bool accumulate, float *y,
                              t5gist_error *err) {
  t5gist_status status = T5GIST_OK;
  count_product(linear, workspace, m);
  const tg_team team = tg_team_enter(workspace);
#if defined(__x86_64__)
  if (linear->blocks) {
    const tg_blocks_product product = {
        .x = x, .weights = linear->weights, .y = y, .m = m, .n_in = linear->n_in, .n_out = linear->n_out, .accumulate = accumulate};
    tg_multiply_blocks(&product);
  } else
#endif
    status = apply_onednn(linear, workspace, x, m, accumulate, y, err);
  tg_team_leave(team);
  return status;
}

void tg_linear_reference(const tg_linear *linear, const float *x, size_t m, bool accumulate, float *y) {
  const size_t n_in = linear->n_in, n_out = linear->n_out, in_stride = linear->blocks ? TG_BLOCK_OUT : 1;
  for (size_t row = 0; row < m; row++)
    for (size_t o = 0; o < n_out; o++) {
      const float *w = linear->weights + (linear->blocks ? o / TG_BLOCK_OUT * n_in * TG_BLOCK_OUT + o % TG_BLOCK_OUT : o * n_in);
      double sum = 0;
      for (size_t i = 0; i < n_in; i++) sum += (double)x[row * n_in + i] * (double)w[i * in_stride];
      y[row * n_out + o] = (float)(sum + (accumulate ? (double)y[row * n_out + o] : 0));
    }
}
