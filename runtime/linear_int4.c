#include "runtime/linear_int4.h"

#include <string.h>

#include "runtime/cpu.h"
#include "runtime/dtype.h"
#include "runtime/kernels.h"
#include "runtime/memory.h"

enum {
  BLOCK = TG_INT4_BLOCK,
  EIGHT = TG_INT4_EIGHT,
  PARALLEL_WORK = 1 << 17, /* multiplications below which sharing them out costs more than it saves */
  PARALLEL_QUANTIZING = 1 << 14
};

static size_t whole_eights(size_t n) {
  return (n + EIGHT - 1) / EIGHT * EIGHT;
}

/* ------------------------------------------------------------------------------------------------------------------------- packing */

bool tg_int4_block_bytes(size_t n_in, size_t group, size_t *bytes) {
  size_t depth, scales;
  return tg_align_up(n_in, EIGHT, &depth) && tg_size_mul(depth, BLOCK / 2, bytes) &&
         tg_size_mul(tg_int4_groups(n_in, group), TG_INT4_SCALES, &scales) && tg_size_add(*bytes, scales, bytes);
}

/* Eight numbers in the order of a row (0 in the lowest bits) to that of a block: 0 4 1 5 2 6 3 7. */
static uint32_t interleave(uint32_t word) {
  const uint32_t bytes = (word ^ word >> 8) & 0xff00;
  word ^= bytes ^ bytes << 8;
  const uint32_t nibbles = (word ^ word >> 4) & 0x00f000f0;
  return word ^ nibbles ^ nibbles << 4;
}

/* A row's words [depth / 8]. What stands behind its end does not matter: activations are zeros there. */
static void words_of_row(const unsigned char *nibbles, size_t n_in, uint32_t *words) {
  memcpy(words, nibbles, tg_int4_row_bytes(n_in));
  for (size_t i = 0; i < whole_eights(n_in) / EIGHT; i++) words[i] = interleave(words[i]);
}

void tg_int4_pack_block(const tg_int4_row *rows, size_t n_rows, size_t n_in, size_t group, uint32_t *scratch, unsigned char *block) {
  const size_t n_words = whole_eights(n_in) / EIGHT, n_groups = tg_int4_groups(n_in, group);
  for (size_t o = 0; o < n_rows; o++) words_of_row(rows[o].nibbles, n_in, scratch + o * n_words);
  for (size_t g = 0; g < n_groups; g++) {
    const size_t first = g * (group / EIGHT), n = n_words - first < group / EIGHT ? n_words - first : group / EIGHT;
    uint16_t *scales = (uint16_t *)(void *)block;
    uint32_t *words = (uint32_t *)(void *)(block + TG_INT4_SCALES);
    for (size_t o = 0; o < n_rows; o++) tg_narrow_bf16(rows[o].scales + g, 1, scales + tg_int4_scale_at(o));
    for (size_t o = 0; o < n_rows; o++)
      for (size_t k = 0; k < n; k++) words[k * BLOCK + o] = scratch[o * n_words + first + k];
    block += TG_INT4_SCALES + n * BLOCK * sizeof *words;
  }
}

/* ------------------------------------------------------------------------------------------------------------------------ plain C */

static void quantize_row(const float *x, size_t n_in, size_t group, int8_t *q, float *scales, int32_t *starts) {
  for (size_t first = 0; first < n_in; first += group) {
    const size_t n = n_in - first < group ? n_in - first : group;
    int32_t sum = 0;
    *scales++ = tg_quantize_row(x + first, n, q + first);
    for (size_t i = 0; i < n; i++) sum += q[first + i];
    *starts++ = TG_INT4_LEAST * sum;
  }
  memset(q + n_in, 0, whole_eights(n_in) - n_in);
}

static size_t block_width(const tg_int4_product *p, size_t block) {
  const size_t left = p->n_out - block * BLOCK;
  return left < BLOCK ? left : BLOCK;
}

static void finish(const tg_int4_product *p, size_t block, size_t row, const float *sums) {
  float *y = p->y + row * p->n_out + block * BLOCK;
  const size_t width = block_width(p, block);
  for (size_t o = 0; o < width; o++) y[o] = p->accumulate ? y[o] + sums[o] : sums[o];
}

/* The weights of one group of inputs and a block of outputs; sums [64] += their product with x [n], n in whole eights. */
typedef void add_group(const unsigned char *nibbles, size_t n, const int8_t *x, int32_t *sums);

static void add_group_plain(const unsigned char *nibbles, size_t n, const int8_t *x, int32_t *sums) {
  for (size_t k = 0; k < n; k += EIGHT, x += EIGHT)
    for (size_t o = 0; o < BLOCK; o++, nibbles += EIGHT / 2)
      for (size_t i = 0; i < EIGHT / 2; i++) sums[o] += x[i] * (nibbles[i] & 15) + x[EIGHT / 2 + i] * (nibbles[i] >> 4);
}

/* From the order in which a block keeps them: a word of 32 bits is the scales of outputs o and o + 16, the bits of bf16 the upper half of a float's. */
static void widen_scales(const unsigned char *stored, float *scales) {
  uint32_t words[BLOCK / 2], bits[BLOCK];
  memcpy(words, stored, sizeof words);
  for (size_t first = 0; first < BLOCK; first += 32)
    for (size_t i = 0; i < 16; i++) {
      bits[first + i] = words[first / 2 + i] << 16;
      bits[first + 16 + i] = words[first / 2 + i] & 0xffff0000;
    }
  memcpy(scales, bits, sizeof bits);
}

static void add_scaled(const int32_t *group_sums, const float *scales, float x_scale, float *sums) {
  for (size_t o = 0; o < BLOCK; o++) {
    const float scale = scales[o] * x_scale;
    const float value = (float)group_sums[o] * scale;
    sums[o] += value;
  }
}

static void multiply_block_with(add_group *add, const tg_int4_product *p, size_t block, size_t first_row, size_t rows) {
  const unsigned char *weights = p->weights + block * p->block_bytes;
  float sums[TG_INT4_CHUNK][BLOCK] = {0}, scales[BLOCK];
  for (size_t g = 0; g < p->n_groups; g++) {
    const size_t first = g * p->group, n = p->depth - first < p->group ? p->depth - first : p->group;
    widen_scales(weights, scales);
    for (size_t r = 0; r < rows; r++) {
      const size_t row = first_row + r;
      int32_t group_sums[BLOCK];
      for (size_t o = 0; o < BLOCK; o++) group_sums[o] = p->x.starts[row * p->n_groups + g];
      add(weights + TG_INT4_SCALES, n, p->x.q + row * p->depth + first, group_sums);
      add_scaled(group_sums, scales, p->x.scales[row * p->n_groups + g], sums[r]);
    }
    weights += TG_INT4_SCALES + n * BLOCK / 2;
  }
  for (size_t r = 0; r < rows; r++) finish(p, block, first_row + r, sums[r]);
}

static void multiply_block(const tg_int4_product *p, size_t block, size_t first_row, size_t rows) {
  multiply_block_with(add_group_plain, p, block, first_row, rows);
}

static const tg_int4_kernels plain = {multiply_block, quantize_row};

/* --------------------------------------------------------------------------------------------------------------------------- AVX2 */

#if defined(__x86_64__)
#include <immintrin.h>

/* Unsigned by signed bytes in pairs: two sums of at most 2 * 15 * 127 fit 16 bits. */
__attribute__((target("avx2"))) static void add_group_avx2(const unsigned char *nibbles, size_t n, const int8_t *x, int32_t *sums) {
  enum { PART = 8, VECTORS = BLOCK / PART }; /* outputs of a vector */
  const __m256i mask = _mm256_set1_epi8(15), ones = _mm256_set1_epi16(1);
  __m256i s[VECTORS];
#pragma GCC unroll 8
  for (size_t v = 0; v < VECTORS; v++) s[v] = _mm256_loadu_si256((const __m256i *)(const void *)(sums + v * PART));
  for (size_t k = 0; k < n; k += EIGHT, nibbles += EIGHT / 2 * BLOCK) {
    int32_t bytes[2];
    memcpy(bytes, x + k, sizeof bytes);
    const __m256i first = _mm256_set1_epi32(bytes[0]), second = _mm256_set1_epi32(bytes[1]);
#pragma GCC unroll 8
    for (size_t v = 0; v < VECTORS; v++) {
      const __m256i both = _mm256_loadu_si256((const __m256i *)(const void *)(nibbles + v * PART * EIGHT / 2));
      const __m256i low = _mm256_and_si256(both, mask), high = _mm256_and_si256(_mm256_srli_epi16(both, 4), mask);
      const __m256i pairs = _mm256_add_epi16(_mm256_maddubs_epi16(low, first), _mm256_maddubs_epi16(high, second));
      s[v] = _mm256_add_epi32(s[v], _mm256_madd_epi16(pairs, ones));
    }
  }
#pragma GCC unroll 8
  for (size_t v = 0; v < VECTORS; v++) _mm256_storeu_si256((__m256i *)(void *)(sums + v * PART), s[v]);
}

static void multiply_block_avx2(const tg_int4_product *p, size_t block, size_t first_row, size_t rows) {
  multiply_block_with(add_group_avx2, p, block, first_row, rows);
}

static const tg_int4_kernels avx2 = {multiply_block_avx2, quantize_row};
#endif

/* ---------------------------------------------------------------------------------------------------------------------- any of them */

static const tg_int4_kernels *best_kernels(void) {
#if defined(__x86_64__)
  if (tg_cpu_vnni()) return &tg_int4_vnni;
  if (tg_cpu_isa() >= TG_ISA_AVX2) return &avx2;
#endif
  return &plain;
}

typedef struct quantizing {
  const float *x;
  size_t n_in, group;
  const tg_int4_activations *to;
  const tg_int4_kernels *kernels;
} quantizing;

static void quantize_rows(void *user, size_t begin, size_t end, int thread) {
  const quantizing *z = user;
  const size_t depth = whole_eights(z->n_in), n_groups = tg_int4_groups(z->n_in, z->group);
  (void)thread;
  for (size_t row = begin; row < end; row++)
    z->kernels->quantize(z->x + row * z->n_in, z->n_in, z->group, z->to->q + row * depth, z->to->scales + row * n_groups,
                         z->to->starts + row * n_groups);
}

void tg_int4_quantize(tg_team *team, const float *x, size_t m, size_t n_in, size_t group, const tg_int4_activations *to) {
  quantizing z = {x, n_in, group, to, best_kernels()};
  tg_team_run(m * n_in >= PARALLEL_QUANTIZING ? team : NULL, m, quantize_rows, &z);
}

typedef struct sharing {
  const tg_int4_product *product;
  const tg_int4_kernels *kernels;
  size_t n_blocks, n_chunks;
} sharing;

static void multiply_blocks(void *user, size_t begin, size_t end, int thread) {
  const sharing *s = user;
  const size_t m = s->product->m;
  (void)thread;
  for (size_t i = begin; i < end; i++) { /* the rows of x that a chunk reads stay in L2 over all blocks */
    const size_t chunk = i / s->n_blocks, first = m * chunk / s->n_chunks, last = m * (chunk + 1) / s->n_chunks;
    s->kernels->block(s->product, i % s->n_blocks, first, last - first);
  }
}

void tg_int4_multiply(tg_team *team, const tg_int4_product *p) {
  sharing s = {p, best_kernels(), (p->n_out + BLOCK - 1) / BLOCK, (p->m + TG_INT4_CHUNK - 1) / TG_INT4_CHUNK};
  tg_team_run(p->m * p->depth * p->n_out >= PARALLEL_WORK ? team : NULL, s.n_chunks * s.n_blocks, multiply_blocks, &s);
}
