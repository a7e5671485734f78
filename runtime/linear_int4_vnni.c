/* 4-bit linear layers by AVX-512's products of bytes: as linear_vnni.c, eight inputs at a time, whose weights are split in registers. */
#include "runtime/linear_int4.h"

#if defined(__x86_64__)

#include <string.h>

#include "runtime/kernels.h"

#define TG_VECTOR_AVX512
#define TG_VECTOR_VNNI
#include "runtime/vector.h"

enum {
  BLOCK = TG_INT4_BLOCK,
  EIGHT = TG_INT4_EIGHT,
  VECTORS = BLOCK / LANES,
  EIGHT_BYTES = EIGHT * BLOCK / 2,
  TILE_ROWS = 4, /* 16 sums in registers, 8 halves of weights, x: with more rows they do not fit */
  STEP = 256     /* inputs whose weights (9 KB) stay in L1 for all tiles of a chunk, while those of as many more are fetched: whole groups */
};

/* Where the next step's weights lie, fetched while this one's are used: `advance` bytes per eight inputs. The processor's own prefetching falls behind:
 * without this one row is up to a tenth slower, four rows take up to 1.4 times as long as one. */
typedef struct ahead {
  const unsigned char *weights;
  size_t advance;
} ahead;

/* The rows of a tile: where its first row stands, and how far apart rows are. */
typedef struct tile {
  const int8_t *q;
  const float *scales;
  const int32_t *starts;
  size_t depth, n_groups;
} tile;

TG_INLINE __m512i four_bytes(const int8_t *q) {
  int32_t bytes;
  memcpy(&bytes, q, sizeof bytes);
  return _mm512_set1_epi32(bytes);
}

/* s[r][v] += the product of eight inputs, weights [VECTORS * 64] bytes. */
TG_INLINE void add_eight(const int8_t *q, size_t depth, const unsigned char *weights, const size_t rows, __m512i s[TILE_ROWS][VECTORS]) {
  const __m512i mask = _mm512_set1_epi8(15);
  __m512i low[VECTORS], high[VECTORS];
#pragma GCC unroll 4
  for (size_t v = 0; v < VECTORS; v++) {
    const __m512i both = _mm512_loadu_si512(weights + v * 64);
    low[v] = _mm512_and_si512(both, mask);
    high[v] = _mm512_and_si512(_mm512_srli_epi16(both, 4), mask);
  }
#pragma GCC unroll 4
  for (size_t r = 0; r < rows; r++) {
    const __m512i first = four_bytes(q + r * depth), second = four_bytes(q + r * depth + EIGHT / 2);
#pragma GCC unroll 4
    for (size_t v = 0; v < VECTORS; v++) s[r][v] = _mm512_dpbusd_epi32(s[r][v], low[v], first);
#pragma GCC unroll 4
    for (size_t v = 0; v < VECTORS; v++) s[r][v] = _mm512_dpbusd_epi32(s[r][v], high[v], second);
  }
}

/* sums [rows][BLOCK] += the whole sums s of group g, scaled. */
TG_INLINE void add_scaled(const tile *x, size_t g, const unsigned char *scales, const size_t rows, __m512i s[TILE_ROWS][VECTORS], float *sums) {
#pragma GCC unroll 2
  for (size_t v = 0; v < VECTORS; v += 2) {
    tg_v scale[2];
    v_load_pairs((const uint16_t *)(const void *)scales + v * LANES, &scale[0], &scale[1]);
#pragma GCC unroll 4
    for (size_t r = 0; r < rows; r++)
#pragma GCC unroll 2
      for (size_t half = 0; half < 2; half++) {
        float *to = sums + r * BLOCK + (v + half) * LANES;
        const tg_v both = v_mul(scale[half], v_set(x->scales[r * x->n_groups + g]));
        const tg_v value = v_mul(_mm512_cvtepi32_ps(s[r][v + half]), both);
        v_store(to, v_add(v_load(to), value));
      }
  }
}

/* Adds groups first .. last - 1 of rows rows to sums [rows][BLOCK]. rows is a constant after inlining, so that a group's sums live in registers. */
TG_INLINE void add_groups(const tg_int4_product *p, const tile *x, const unsigned char *weights, size_t first, size_t last, const size_t rows,
                          float *sums, ahead next) {
  for (size_t g = first; g < last; g++) {
    const size_t begin = g * p->group, end = p->depth - begin < p->group ? p->depth : begin + p->group;
    const unsigned char *scales = weights;
    __m512i s[TILE_ROWS][VECTORS];
    weights += TG_INT4_SCALES;
#pragma GCC unroll 4
    for (size_t r = 0; r < rows; r++)
#pragma GCC unroll 4
      for (size_t v = 0; v < VECTORS; v++) s[r][v] = _mm512_set1_epi32(x->starts[r * x->n_groups + g]);
    for (size_t k = begin; k < end; k += EIGHT, weights += EIGHT_BYTES) {
#pragma GCC unroll 4
      for (size_t v = 0; v < VECTORS; v++) _mm_prefetch(next.weights + v * next.advance / VECTORS, _MM_HINT_T0);
      next.weights += next.advance;
      add_eight(x->q + k, x->depth, weights, rows, s);
    }
    add_scaled(x, g, scales, rows, s, sums);
  }
}

static void add_tile(const tg_int4_product *p, const tile *x, const unsigned char *weights, size_t first, size_t last, size_t rows, float *sums,
                     ahead next) {
  switch (rows) {
    case 1: add_groups(p, x, weights, first, last, 1, sums, next); break;
    case 2: add_groups(p, x, weights, first, last, 2, sums, next); break;
    case 3: add_groups(p, x, weights, first, last, 3, sums, next); break;
    default: add_groups(p, x, weights, first, last, TILE_ROWS, sums, next); break;
  }
}

/* sums [rows][BLOCK] to the block's columns of y. */
static void finish(const tg_int4_product *p, size_t block, size_t first_row, size_t rows, const float *sums) {
  const size_t first = block * BLOCK, width = p->n_out - first < BLOCK ? p->n_out - first : BLOCK;
  for (size_t r = 0; r < rows; r++) {
    float *y = p->y + (first_row + r) * p->n_out + first;
    for (size_t at = 0; at < width; at += LANES) {
      const __mmask16 mask = width - at >= LANES ? 0xffff : v_mask(width - at);
      const tg_v sum = v_load(sums + r * BLOCK + at);
      _mm512_mask_storeu_ps(y + at, mask, p->accumulate ? v_add(_mm512_maskz_loadu_ps(mask, y + at), sum) : sum);
    }
  }
}

static tile tile_of(const tg_int4_product *p, size_t row) {
  return (tile){p->x.q + row * p->depth, p->x.scales + row * p->n_groups, p->x.starts + row * p->n_groups, p->depth, p->n_groups};
}

static void multiply_block(const tg_int4_product *p, size_t block, size_t first_row, size_t rows) {
  float sums[TG_INT4_CHUNK * BLOCK] __attribute__((aligned(64)));
  const size_t n_tiles = (rows + TILE_ROWS - 1) / TILE_ROWS;
  const size_t step = STEP / p->group, group_bytes = TG_INT4_SCALES + p->group / EIGHT * EIGHT_BYTES;
  const size_t advance = group_bytes / (p->group / EIGHT) / n_tiles;
  memset(sums, 0, rows * BLOCK * sizeof *sums);
  for (size_t g = 0; g < p->n_groups; g += step) {
    const size_t last = p->n_groups - g < step ? p->n_groups : g + step;
    const unsigned char *weights = p->weights + block * p->block_bytes + g * group_bytes;
    for (size_t t = 0; t < n_tiles; t++) {
      const size_t begin = rows * t / n_tiles, end = rows * (t + 1) / n_tiles;
      const tile x = tile_of(p, first_row + begin);
      const ahead next = {weights + step * group_bytes + t * (step * group_bytes / n_tiles), advance};
      add_tile(p, &x, weights, g, last, end - begin, sums + begin * BLOCK, next);
    }
  }
  finish(p, block, first_row, rows, sums);
}

/* --------------------------------------------------------------------------------------------------------------------- activations */

enum { MOST_VECTORS = TG_INT4_MOST_GROUP / LANES };

TG_INLINE __mmask16 mask_of(size_t n, size_t vector) {
  return n >= (vector + 1) * LANES ? 0xffff : n > vector * LANES ? v_mask(n - vector * LANES) : 0;
}

/* One group of n numbers, in vectors of which there are as many as the group is wide: tg_quantize_row's bits. Numbers that are not finite are larger
 * than all others as whole numbers. */
TG_INLINE void quantize_group(const float *x, size_t n, const size_t vectors, int8_t *q, float *scale, int32_t *start) {
  tg_v value[MOST_VECTORS];
  __m512i largest = _mm512_setzero_si512(), sum = _mm512_setzero_si512();
#pragma GCC unroll 8
  for (size_t v = 0; v < vectors; v++) {
    value[v] = _mm512_maskz_loadu_ps(mask_of(n, v), x + v * LANES);
    largest = _mm512_max_epi32(largest, _mm512_castps_si512(v_abs(value[v])));
  }
  const int32_t bits = _mm512_reduce_max_epi32(largest);
  float max;
  memcpy(&max, &bits, sizeof max);
  const bool finite = bits < 0x7f800000, zeros = !finite || max < TG_QUANTIZE_LEAST;
  const tg_v factor = v_set(127 / max);
  const __mmask16 kept = zeros ? 0 : 0xffff;
#pragma GCC unroll 8
  for (size_t v = 0; v < vectors; v++) {
    const __m512i whole = _mm512_maskz_cvtps_epi32(kept, v_mul(value[v], factor));
    _mm512_mask_cvtepi32_storeu_epi8(q + v * LANES, mask_of(n, v), whole);
    sum = _mm512_add_epi32(sum, whole);
  }
  *scale = !finite ? NAN : zeros ? 0 : max / 127;
  *start = TG_INT4_LEAST * _mm512_reduce_add_epi32(sum);
}

static void quantize_row(const float *x, size_t n_in, size_t group, int8_t *q, float *scales, int32_t *starts) {
  for (size_t first = 0; first < n_in; first += group, scales++, starts++) {
    const size_t n = n_in - first < group ? n_in - first : group;
    if (n == 64)
      quantize_group(x + first, 64, 64 / LANES, q + first, scales, starts);
    else
      quantize_group(x + first, n, MOST_VECTORS, q + first, scales, starts);
  }
  memset(q + n_in, 0, (EIGHT - n_in % EIGHT) % EIGHT);
}

const tg_int4_kernels tg_int4_vnni = {multiply_block, quantize_row};

TG_VECTOR_END

#endif
