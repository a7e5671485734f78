#include "runtime/int4.h"

#include <math.h>
#include <string.h>

#include "runtime/dtype.h"
#include "runtime/kernels.h"

bool tg_int4_is_group(size_t group) {
  return group == 32 || group == 64 || group == 128;
}

size_t tg_int4_groups(size_t n, size_t group) {
  return n / group + (n % group != 0);
}

size_t tg_int4_row_bytes(size_t n) {
  return n / 2 + n % 2;
}

/* The number of the largest magnitude, the negative one of two; what is not finite is larger than all that is. As whole numbers with the sign moved to
 * the lowest bit, which compilers turn into vectors. */
static float extreme(const float *x, size_t n) {
  uint32_t largest = 0;
  for (size_t i = 0; i < n; i++) {
    uint32_t bits;
    memcpy(&bits, x + i, sizeof bits);
    bits = bits << 1 | bits >> 31;
    largest = bits > largest ? bits : largest;
  }
  largest = largest >> 1 | largest << 31;
  float found;
  memcpy(&found, &largest, sizeof found);
  return found;
}

/* To the nearest, ties to even: for magnitudes below 2^22, without a call. */
static float whole_of(float x) {
  const float shift = 3 << 22;
  const float shifted = x + shift;
  return shifted - shift;
}

static float as_bf16(float x) {
  uint16_t narrow;
  tg_narrow_bf16(&x, 1, &narrow);
  tg_widen(&narrow, TG_BF16, 1, &x);
  return x;
}

float tg_quantize_group4(const float *x, size_t n, int8_t *q) {
  const float largest = extreme(x, n);
  memset(q, 0, n);
  if (!isfinite(largest)) return NAN;
  if (fabsf(largest) < TG_QUANTIZE_LEAST) return 0;
  const float scale = as_bf16(largest / TG_INT4_LEAST);
  for (size_t i = 0; i < n; i++) {
    const float whole = whole_of(x[i] / scale);
    q[i] = (int8_t)(whole < TG_INT4_LEAST ? TG_INT4_LEAST : whole > TG_INT4_LARGEST ? TG_INT4_LARGEST : whole);
  }
  return scale;
}

void tg_quantize_row4(const float *x, size_t n, size_t group, unsigned char *nibbles, float *scales) {
  int8_t q[TG_INT4_MOST_GROUP];
  for (size_t first = 0; first < n; first += group) {
    const size_t width = n - first < group ? n - first : group;
    *scales++ = tg_quantize_group4(x + first, width, q);
    tg_int4_put(nibbles, first, width, q);
  }
}

void tg_widen_row4(const unsigned char *nibbles, const float *scales, size_t n, size_t group, float *x) {
  int8_t q[TG_INT4_MOST_GROUP];
  for (size_t first = 0; first < n; first += group, scales++) {
    const size_t width = n - first < group ? n - first : group;
    tg_int4_get(nibbles, first, width, q);
    for (size_t i = 0; i < width; i++) x[first + i] = (float)q[i] * *scales;
  }
}

void tg_int4_put(unsigned char *nibbles, size_t first, size_t n, const int8_t *q) {
  unsigned char *own = nibbles + first / 2;
  for (size_t i = 0; i + 1 < n; i += 2) *own++ = (unsigned char)((q[i] - TG_INT4_LEAST) | (q[i + 1] - TG_INT4_LEAST) << 4);
  if (n % 2 != 0) *own = (unsigned char)((*own & 0xf0) | (q[n - 1] - TG_INT4_LEAST));
}

void tg_int4_get(const unsigned char *nibbles, size_t first, size_t n, int8_t *q) {
  const unsigned char *own = nibbles + first / 2;
  for (size_t i = 0; i < n; i++) q[i] = (int8_t)((own[i / 2] >> (i % 2 * 4) & 15) + TG_INT4_LEAST);
}
