#include "runtime/linear_pack.h"

#include <string.h>

#include "runtime/cpu.h"
#include "runtime/error.h"
#include "runtime/file.h"
#include "runtime/kernels.h"
#include "runtime/linear_avx512.h"
#include "runtime/linear_bf16.h"
#include "runtime/linear_int4.h"
#include "runtime/linear_int8.h"
#include "runtime/pages.h"

enum { SLAB_ROWS = TG_BLOCK_OUT }; /* rows packed by one thread at a time, then released */

bool tg_is_int8(tg_precision precision) {
  return precision == TG_PRECISION_INT8 || precision == TG_PRECISION_INT8X16;
}

/* Row of the stacked parts, as stored. */
typedef struct source {
  const unsigned char *data; /* [n_in] of dtype */
  tg_dtype dtype;
  const float *scales; /* TG_I8: one; TG_I4: of its groups */
  size_t group;        /* TG_I4 */
} source;

static bool has_scales(tg_dtype dtype) {
  return dtype == TG_I8 || dtype == TG_I4;
}

static size_t row_bytes(tg_dtype dtype, size_t n_in) {
  return dtype == TG_I4 ? tg_int4_row_bytes(n_in) : n_in * tg_dtype_size(dtype);
}

static source source_row(const tg_matrix *parts, size_t n_in, size_t row) {
  while (row >= parts->n_out) row -= parts++->n_out;
  const size_t n_scales = parts->dtype == TG_I4 ? tg_int4_groups(n_in, parts->group) : 1;
  return (source){(const unsigned char *)parts->data + row * row_bytes(parts->dtype, n_in), parts->dtype,
                  parts->scales ? parts->scales + row * n_scales : NULL, parts->group};
}

/* Rows begin..end-1 of the stacked parts leave memory where they are mapped. */
static void release_rows(const tg_matrix *parts, size_t n_parts, size_t n_in, size_t begin, size_t end) {
  size_t first = 0;
  for (const tg_matrix *part = parts; part < parts + n_parts; first += part++->n_out) {
    const size_t from = begin > first ? begin - first : 0, to = end > first + part->n_out ? part->n_out : end > first ? end - first : 0;
    const size_t bytes = row_bytes(part->dtype, n_in);
    if (part->mapped && from < to) tg_map_release((const unsigned char *)part->data + from * bytes, (to - from) * bytes);
  }
}

static void widen(const source *row, size_t n, float *out) {
  if (row->dtype == TG_I4)
    tg_widen_row4(row->data, row->scales, n, row->group, out);
  else if (row->dtype == TG_I8)
    for (size_t i = 0; i < n; i++) out[i] = (float)((const int8_t *)row->data)[i] * *row->scales;
  else
    tg_widen(row->data, row->dtype, n, out);
}

/* ----------------------------------------------------------------------------------------------------------------------------- f32 */

static void pack_f32(const tg_packed *packed, const tg_matrix *parts, size_t begin, size_t end, float *scratch) {
  const size_t n_in = packed->n_in;
  float *weights = packed->weights;
#if defined(__x86_64__)
  if (packed->blocks) {
    tg_row rows[SLAB_ROWS];
    for (size_t row = begin; row < end; row++) {
      const source from = source_row(parts, n_in, row);
      rows[row - begin] = (tg_row){from.data, from.dtype};
      if (!has_scales(from.dtype)) continue;
      widen(&from, n_in, scratch + (row - begin) * n_in);
      rows[row - begin] = (tg_row){scratch + (row - begin) * n_in, TG_F32};
    }
    tg_pack_block(rows, end - begin, n_in, weights + begin * n_in);
    return;
  }
#endif
  (void)scratch;
  for (size_t row = begin; row < end; row++) {
    const source from = source_row(parts, n_in, row);
    widen(&from, n_in, weights + row * n_in);
  }
}

/* ------------------------------------------------------------------------------------------------------------------- int8 and bf16 */

/* rows [n_rows] of n_words groups of inputs each become the first columns of one block [., 64]. */
static void pack_words(const void *const *rows, size_t n_rows, size_t n_words, uint32_t *block) {
#if defined(__x86_64__)
  if (tg_cpu_isa() == TG_ISA_AVX512) { /* moves 32 bits at a time, whatever they mean */
    tg_row words[SLAB_ROWS];
    for (size_t i = 0; i < n_rows; i++) words[i] = (tg_row){rows[i], TG_F32};
    tg_pack_block(words, n_rows, n_words, (float *)block);
    return;
  }
#endif
  for (size_t i = 0; i < n_rows; i++)
    for (size_t k = 0; k < n_words; k++) memcpy(block + k * TG_INT8_BLOCK + i, (const unsigned char *)rows[i] + k * sizeof *block, sizeof *block);
}

static int32_t sum_of(const int8_t *q, size_t n) {
  int32_t sum = 0;
  for (size_t i = 0; i < n; i++) sum += q[i];
  return sum;
}

/* The row in bytes and its scale. */
static float quantized(const source *row, size_t n, int8_t *q, float *floats) {
  if (row->dtype == TG_I8) {
    memcpy(q, row->data, n);
    return *row->scales;
  }
  widen(row, n, floats);
  return tg_quantize_row(floats, n, q);
}

/* scratch [SLAB_ROWS * depth] bytes and [n_in] floats behind them. Stored bytes are packed from where they lie if they come in whole groups. */
static void pack_int8(const tg_packed *packed, const tg_matrix *parts, size_t begin, size_t end, float *scratch) {
  const size_t n_in = packed->n_in, depth = packed->depth;
  const void *rows[SLAB_ROWS];
  for (size_t row = begin; row < end; row++) {
    const source from = source_row(parts, n_in, row);
    if (from.dtype == TG_I8 && n_in % TG_INT8_GROUP == 0) {
      rows[row - begin] = from.data;
      packed->scales[row] = *from.scales;
    } else {
      int8_t *own = (int8_t *)scratch + (row - begin) * depth;
      rows[row - begin] = own;
      packed->scales[row] = quantized(&from, n_in, own, scratch + SLAB_ROWS * depth / sizeof *scratch);
    }
    packed->offsets[row] = tg_int8_offset() * sum_of(rows[row - begin], n_in);
  }
  pack_words(rows, end - begin, (n_in + TG_INT8_GROUP - 1) / TG_INT8_GROUP, (uint32_t *)packed->weights + begin * depth / TG_INT8_GROUP);
}

/* scratch as for int8, with bf16 for bytes. */
static void pack_bf16(const tg_packed *packed, const tg_matrix *parts, size_t begin, size_t end, float *scratch) {
  const size_t n_in = packed->n_in, depth = packed->depth;
  const void *rows[SLAB_ROWS];
  for (size_t row = begin; row < end; row++) {
    const source from = source_row(parts, n_in, row);
    rows[row - begin] = from.data;
    if (from.dtype == TG_BF16 && n_in == depth) continue;
    uint16_t *own = (uint16_t *)(void *)scratch + (row - begin) * depth;
    float *floats = scratch + SLAB_ROWS * depth * sizeof *own / sizeof *floats;
    rows[row - begin] = own;
    widen(&from, n_in, floats);
    tg_narrow_bf16(floats, n_in, own); /* exact for what was bf16 */
  }
  pack_words(rows, end - begin, depth / TG_BF16_GROUP, (uint32_t *)packed->weights + begin * depth / TG_BF16_GROUP);
}

/* ---------------------------------------------------------------------------------------------------------------------------- int4 */

/* scratch: the rows' words [SLAB_ROWS * depth / 8]; behind them, where rows must be quantised, their nibbles [SLAB_ROWS * depth / 2] and scales
 * [SLAB_ROWS * depth / 8, more than there are], and a row of floats [depth]. */
static void pack_int4(const tg_packed *packed, const tg_matrix *parts, size_t begin, size_t end, float *scratch) {
  const size_t n_in = packed->n_in, words = packed->depth / TG_INT4_EIGHT, group = packed->group;
  unsigned char *nibbles = (unsigned char *)(scratch + SLAB_ROWS * words);
  float *scales = scratch + 2 * SLAB_ROWS * words, *floats = scratch + 3 * SLAB_ROWS * words;
  tg_int4_row rows[SLAB_ROWS];
  for (size_t row = begin; row < end; row++, nibbles += packed->depth / 2, scales += words) {
    const source from = source_row(parts, n_in, row);
    rows[row - begin] = (tg_int4_row){from.data, from.scales};
    if (from.dtype == TG_I4) continue;
    widen(&from, n_in, floats);
    tg_quantize_row4(floats, n_in, group, nibbles, scales);
    rows[row - begin] = (tg_int4_row){nibbles, scales};
  }
  unsigned char *block = (unsigned char *)packed->weights + begin / TG_INT4_BLOCK * packed->block_bytes;
  tg_int4_pack_block(rows, end - begin, n_in, group, (uint32_t *)(void *)scratch, block);
}

/* --------------------------------------------------------------------------------------------------------------------- all together */

static size_t element_size(tg_precision precision) {
  return precision == TG_PRECISION_F32 ? sizeof(float) : precision == TG_PRECISION_BF16 ? sizeof(uint16_t) : 1;
}

/* Floats of scratch memory that packing a slab takes. Zeroed at first; what is behind a row's end stays so. */
static bool scratch_size(const tg_packed *packed, size_t *floats) {
  if (packed->precision == TG_PRECISION_F32) return tg_size_mul(packed->n_in, SLAB_ROWS, floats);
  if (packed->precision == TG_PRECISION_INT4) return tg_size_mul(packed->depth, 3 * SLAB_ROWS / TG_INT4_EIGHT + 1, floats);
  return tg_size_mul(packed->depth, SLAB_ROWS * element_size(packed->precision) / sizeof(float) + 1, floats);
}

static bool needs_scratch(const tg_packed *packed, const tg_matrix *parts, size_t n_parts) {
  const tg_precision precision = packed->precision;
  for (size_t i = 0; i < n_parts; i++) {
    const tg_dtype dtype = parts[i].dtype;
    if (precision == TG_PRECISION_INT4  ? true
        : precision == TG_PRECISION_F32 ? has_scales(dtype)
        : tg_is_int8(precision)         ? dtype != TG_I8 || packed->n_in % TG_INT8_GROUP != 0
                                        : dtype != TG_BF16 || packed->n_in != packed->depth)
      return true;
  }
  return false;
}

typedef struct packing {
  const tg_packed *packed;
  const tg_matrix *parts;
  size_t n_parts;
  float *scratch; /* [threads, scratch_floats] or null */
  size_t scratch_floats;
} packing;

static void pack_slabs(void *user, size_t first, size_t last, int thread) {
  const packing *p = user;
  const tg_packed *packed = p->packed;
  float *own = p->scratch ? p->scratch + (size_t)thread * p->scratch_floats : NULL;
  for (size_t slab = first; slab < last; slab++) {
    const size_t begin = slab * SLAB_ROWS, end = begin + SLAB_ROWS < packed->n_out ? begin + SLAB_ROWS : packed->n_out;
    if (packed->precision == TG_PRECISION_F32)
      pack_f32(packed, p->parts, begin, end, own);
    else if (packed->precision == TG_PRECISION_BF16)
      pack_bf16(packed, p->parts, begin, end, own);
    else if (packed->precision == TG_PRECISION_INT4)
      pack_int4(packed, p->parts, begin, end, own);
    else
      pack_int8(packed, p->parts, begin, end, own);
    release_rows(p->parts, p->n_parts, packed->n_in, begin, end);
  }
}

/* *group: of the TG_I4 parts, TG_INT4_GROUP without any. */
static t5gist_status check_parts(const tg_matrix *parts, size_t n_parts, size_t n_in, size_t *n_out, size_t *group, t5gist_error *err) {
  size_t sum = 0;
  *group = 0;
  for (size_t i = 0; i < n_parts; i++) {
    const tg_dtype dtype = parts[i].dtype;
    const bool scaled = has_scales(dtype) && parts[i].scales != NULL;
    if (dtype != TG_F32 && dtype != TG_BF16 && dtype != TG_F16 && !scaled)
      return tg_fail(err, T5GIST_EFORMAT, "expected weights in F32, BF16, F16 or I8 or I4 with scales, found %s", tg_dtype_name(dtype));
    if (dtype == TG_I4 && (!tg_int4_is_group(parts[i].group) || (*group != 0 && *group != parts[i].group)))
      return tg_fail(err, T5GIST_EFORMAT, "expected weights in I4 with one scale to 32, 64 or 128 inputs, the same in stacked ones, found %zu",
                     parts[i].group);
    if (dtype == TG_I4) *group = parts[i].group;
    if (!tg_size_add(sum, parts[i].n_out, &sum)) return tg_fail(err, T5GIST_EFORMAT, "the sizes of stacked weights are too large");
  }
  if (sum == 0 || n_in == 0)
    return tg_fail(err, T5GIST_EFORMAT, "expected a linear layer of at least one input and one output, found %zu and %zu", n_in, sum);
  *n_out = sum;
  if (*group == 0) *group = TG_INT4_GROUP;
  return T5GIST_OK;
}

/* Inputs are stored in whole steps of so many. */
static size_t depth_step(tg_precision precision) {
  switch (precision) {
    case TG_PRECISION_INT8:
    case TG_PRECISION_INT8X16: return TG_INT8_DEPTH_STEP;
    case TG_PRECISION_BF16: return TG_BF16_GROUP;
    case TG_PRECISION_INT4: return TG_INT4_EIGHT;
    default: return 1;
  }
}

static bool weight_bytes(const tg_packed *p, size_t *bytes) {
  if (p->precision == TG_PRECISION_INT4) return tg_size_mul(p->block_bytes, p->n_out_stored / TG_INT4_BLOCK, bytes);
  return tg_size_mul(p->depth, p->n_out_stored, bytes) && tg_size_mul(*bytes, element_size(p->precision), bytes);
}

/* Sizes and layout; *bytes: of the weights. */
static t5gist_status plan(size_t n_in, size_t n_out, size_t group, tg_precision precision, tg_packed *p, size_t *bytes, t5gist_error *err) {
  const bool int8 = tg_is_int8(precision);
  *p = (tg_packed){.precision = precision, .n_in = n_in, .n_out = n_out, .depth = n_in, .group = group, .n_out_stored = n_out};
  p->blocks = precision != TG_PRECISION_F32 || tg_cpu_isa() == TG_ISA_AVX512;
  if (int8 && n_in > TG_INT8_MAX_INPUTS)
    return tg_fail(err, T5GIST_EUNSUPPORTED, "int8: expected linear layers of at most %d inputs, found %zu", TG_INT8_MAX_INPUTS, n_in);
  if ((p->blocks && !tg_align_up(n_out, TG_BLOCK_OUT, &p->n_out_stored)) || !tg_align_up(n_in, depth_step(precision), &p->depth) ||
      !tg_int4_block_bytes(n_in, group, &p->block_bytes) || !weight_bytes(p, bytes))
    return tg_fail(err, T5GIST_ENOMEM, "cannot allocate a linear layer of %zu inputs and %zu outputs", n_in, n_out);
  return T5GIST_OK;
}

t5gist_status tg_pack(const tg_matrix *parts, size_t n_parts, size_t n_in, tg_precision precision, tg_team *team, tg_packed *packed,
                      t5gist_error *err) {
  size_t n_out = 0, group = 0, bytes = 0;
  packing p = {packed, parts, n_parts, NULL, 0};
  *packed = (tg_packed){0};
  t5gist_status status = T5GIST_OK;
  TG_GOTO(check_parts(parts, n_parts, n_in, &n_out, &group, err));
  TG_GOTO(plan(n_in, n_out, group, precision, packed, &bytes, err));
  TG_GOTO(tg_pages_take(&packed->weights, bytes, err));
  if (tg_is_int8(precision)) {
    TG_GOTO(tg_alloc(&packed->scales, packed->n_out_stored, sizeof *packed->scales, err));
    TG_GOTO(tg_alloc(&packed->offsets, packed->n_out_stored, sizeof *packed->offsets, err));
  }
  if (needs_scratch(packed, parts, n_parts)) {
    if (!scratch_size(packed, &p.scratch_floats)) {
      status = tg_fail(err, T5GIST_ENOMEM, "cannot pack rows of %zu inputs", n_in);
      goto done;
    }
    TG_GOTO(tg_alloc(&p.scratch, (size_t)tg_team_threads(team), p.scratch_floats * sizeof *p.scratch, err));
  }
  tg_team_run(team, (n_out + SLAB_ROWS - 1) / SLAB_ROWS, pack_slabs, &p);
  release_rows(parts, n_parts, n_in, 0, n_out); /* the pages that two slabs share */
done:
  tg_free(p.scratch);
  if (status != T5GIST_OK) tg_packed_free(packed);
  return status;
}

void tg_packed_free(tg_packed *packed) {
  tg_pages_return(packed->weights);
  tg_free(packed->scales);
  tg_free(packed->offsets);
  *packed = (tg_packed){0};
}

size_t tg_packed_bytes(const tg_packed *packed) {
  if (packed->precision == TG_PRECISION_INT4) return packed->n_out_stored / TG_INT4_BLOCK * packed->block_bytes;
  const size_t own = tg_is_int8(packed->precision) ? sizeof(float) + sizeof(int32_t) : 0;
  return packed->n_out_stored * (packed->depth * element_size(packed->precision) + own);
}
