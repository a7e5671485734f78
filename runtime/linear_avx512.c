#include "runtime/linear_avx512.h"

#if defined(__x86_64__)

#include <string.h>

#define TG_VECTOR_AVX512
#include "runtime/vector.h"

enum {
  BLOCK = TG_BLOCK_OUT,
  VECTORS = BLOCK / LANES,
  TILE_ROWS = 6,          /* 24 sums in registers, 4 weights, the rest for x */
  ONE_TILE = 5,           /* rows up to which one tile is faster than two */
  AHEAD = 8192,           /* bytes: how far before their use one tile's weights are fetched */
  CHUNK_ROWS = 48,        /* whose sums of one block (12 KB) stay in L1 */
  STEP = 64,              /* inputs whose weights (16 KB) do so too, for all tiles of a chunk */
  PARALLEL_WORK = 1 << 15 /* multiplications below which sharing them out costs more than it saves */
};

/* Where weights lie that are fetched while others are used, `advance` bytes per input: the next step's, or those AHEAD of a single tile. Without this
 * the memory idles while a step is multiplied with its second and later tiles, which costs up to half of the speed. */
typedef struct ahead {
  const char *weights;
  size_t advance;
} ahead;

/* Adds inputs 0..n-1 of rows rows to sums [rows][BLOCK]. rows is a constant after inlining, so the sums live in registers. Each call
 * adds up from zero, so that the rounding of a long sum grows with the number of steps and the length of one, not with their product. */
TG_INLINE void add_inputs(const float *x, size_t x_stride, const float *weights, size_t n, const size_t rows, float *sums, ahead next) {
  tg_v s[TILE_ROWS][VECTORS];
#pragma GCC unroll 6
  for (size_t r = 0; r < rows; r++)
#pragma GCC unroll 4
    for (size_t v = 0; v < VECTORS; v++) s[r][v] = v_set(0);
  for (size_t k = 0; k < n; k++) {
    tg_v w[VECTORS];
#pragma GCC unroll 4
    for (size_t v = 0; v < VECTORS; v++) _mm_prefetch(next.weights + k * next.advance + v * next.advance / VECTORS, _MM_HINT_T0);
#pragma GCC unroll 4
    for (size_t v = 0; v < VECTORS; v++) w[v] = v_load(weights + k * BLOCK + v * LANES);
#pragma GCC unroll 6
    for (size_t r = 0; r < rows; r++) {
      const tg_v factor = v_set(x[r * x_stride + k]);
#pragma GCC unroll 4
      for (size_t v = 0; v < VECTORS; v++) s[r][v] = v_fma(factor, w[v], s[r][v]);
    }
  }
#pragma GCC unroll 6
  for (size_t r = 0; r < rows; r++)
#pragma GCC unroll 4
    for (size_t v = 0; v < VECTORS; v++) v_store(sums + r * BLOCK + v * LANES, v_add(v_load(sums + r * BLOCK + v * LANES), s[r][v]));
}

static void add_tile(const float *x, size_t x_stride, const float *weights, size_t n, size_t rows, float *sums, ahead next) {
  switch (rows) {
    case 1: add_inputs(x, x_stride, weights, n, 1, sums, next); break;
    case 2: add_inputs(x, x_stride, weights, n, 2, sums, next); break;
    case 3: add_inputs(x, x_stride, weights, n, 3, sums, next); break;
    case 4: add_inputs(x, x_stride, weights, n, 4, sums, next); break;
    case 5: add_inputs(x, x_stride, weights, n, 5, sums, next); break;
    default: add_inputs(x, x_stride, weights, n, TILE_ROWS, sums, next); break;
  }
}

/* sums [rows][BLOCK] to the block's columns of y. */
static void finish(const tg_blocks_product *p, size_t block, size_t first_row, size_t rows, const float *sums) {
  const size_t first = block * BLOCK, width = p->n_out - first < BLOCK ? p->n_out - first : BLOCK;
  for (size_t row = 0; row < rows; row++) {
    float *y = p->y + (first_row + row) * p->n_out + first;
    for (size_t at = 0; at < width; at += LANES) {
      const tg_v sum = v_load(sums + row * BLOCK + at);
      if (width - at >= LANES)
        v_store(y + at, p->accumulate ? v_add(v_load(y + at), sum) : sum);
      else
        v_store_n(y + at, width - at, p->accumulate ? v_add(v_load_n(y + at, width - at), sum) : sum);
    }
  }
}

/* At most CHUNK_ROWS rows, from first_row on, of one block of outputs. */
static void multiply_block(const tg_blocks_product *p, size_t block, size_t first_row, size_t rows) {
  float sums[CHUNK_ROWS * BLOCK] __attribute__((aligned(64)));
  memset(sums, 0, rows * BLOCK * sizeof *sums);
  const size_t n_tiles = rows <= ONE_TILE ? 1 : rows <= TILE_ROWS ? 2 : (rows + TILE_ROWS - 1) / TILE_ROWS;
  for (size_t k = 0; k < p->n_in; k += STEP) {
    const size_t n = p->n_in - k < STEP ? p->n_in - k : STEP;
    const float *weights = p->weights + (block * p->n_in + k) * BLOCK;
    const size_t advance = BLOCK * sizeof *weights / n_tiles;
    for (size_t tile = 0; tile < n_tiles; tile++) {
      const size_t begin = rows * tile / n_tiles, end = rows * (tile + 1) / n_tiles;
      const ahead next = {(const char *)weights + (n_tiles > 1 ? STEP * BLOCK * sizeof *weights + tile * n * advance : AHEAD), advance};
      add_tile(p->x + (first_row + begin) * p->n_in + k, p->n_in, weights, n, end - begin, sums + begin * BLOCK, next);
    }
  }
  finish(p, block, first_row, rows, sums);
}

typedef struct sharing {
  const tg_blocks_product *product;
  size_t n_blocks, n_chunks;
} sharing;

static void multiply_blocks(void *user, size_t begin, size_t end, int thread) {
  const sharing *s = user;
  const tg_blocks_product *p = s->product;
  (void)thread;
  for (size_t i = begin; i < end; i++) { /* the rows of x that a chunk reads stay in L2 over all blocks */
    const size_t chunk = i / s->n_blocks, first = p->m * chunk / s->n_chunks, last = p->m * (chunk + 1) / s->n_chunks;
    multiply_block(p, i % s->n_blocks, first, last - first);
  }
}

void tg_multiply_blocks(tg_team *team, const tg_blocks_product *p) {
  sharing s = {p, (p->n_out + BLOCK - 1) / BLOCK, (p->m + CHUNK_ROWS - 1) / CHUNK_ROWS};
  tg_team_run(p->m * p->n_in * p->n_out >= PARALLEL_WORK ? team : NULL, s.n_chunks * s.n_blocks, multiply_blocks, &s);
}

/* ------------------------------------------------------------------------------------------------------------------------- packing */

/* 16 values of a row from value k on; n of them, zeros behind, where the row ends. */
TG_INLINE __m512 load_row(const tg_row *row, size_t k, size_t n) {
  const __mmask16 mask = n >= LANES ? 0xffff : v_mask(n);
  if (row->dtype == TG_F32) return _mm512_maskz_loadu_ps(mask, (const char *)row->data + 4 * k);
  const __m256i half = _mm256_maskz_loadu_epi16(mask, (const char *)row->data + 2 * k);
  if (row->dtype == TG_F16) return _mm512_cvtph_ps(half);
  return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(half), 16));
}

void tg_pack_block(const tg_row *rows, size_t n_rows, size_t n_in, float *block) {
  for (size_t k = 0; k < n_in; k += LANES) {
    const size_t n = n_in - k < LANES ? n_in - k : LANES;
    for (size_t first = 0; first < n_rows; first += LANES) {
      __m512 tile[LANES];
#pragma GCC unroll 16
      for (size_t i = 0; i < LANES; i++) tile[i] = first + i < n_rows ? load_row(&rows[first + i], k, n) : v_set(0);
      v_transpose(tile);
      for (size_t i = 0; i < n; i++) v_store(block + (k + i) * BLOCK + first, tile[i]);
    }
  }
}

TG_VECTOR_END

#endif
