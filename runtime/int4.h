/* Numbers of 4 bits in groups that share a scale: how rows of matrices are stored in them, and how floats become them.
 *
 * A row of n numbers in groups of `group` (32, 64 or 128; the last one may be shorter) is
 *     nibbles [tg_int4_row_bytes(n)]       q + 8, q in -8..7: number i in the low four bits of byte i / 2 where i is even, in the high four where it is
 *                                          odd. The four bits behind a row of odd length mean nothing
 *     scales [tg_int4_groups(n, group)]    f32 in memory; each is a number that bf16 holds exactly, and may be negative
 * and number i is q times the scale of group i / group. A matrix is its rows, nibbles and scales apart: each row begins at a byte of its own. */
#ifndef T5GIST_RUNTIME_INT4_H
#define T5GIST_RUNTIME_INT4_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { TG_INT4_GROUP = 64, TG_INT4_MOST_GROUP = 128, TG_INT4_LEAST = -8, TG_INT4_LARGEST = 7 }; /* TG_INT4_GROUP: where nothing else is asked for */

bool tg_int4_is_group(size_t group);            /* a size of groups that the kernels have */
size_t tg_int4_groups(size_t n, size_t group);  /* of a row */
size_t tg_int4_row_bytes(size_t n);

/* One group of n numbers to the nearest: the largest by magnitude becomes -8, scaled as bf16 can, and what lies beyond 7 on the other side 7. Returns the
 * scale. A group without numbers of TG_QUANTIZE_LEAST and more is zeros of scale 0; one with NaN or infinity is zeros of scale NaN. q [n] in -8..7. The
 * same bits on every machine. */
float tg_quantize_group4(const float *x, size_t n, int8_t *q);

/* A whole row, by tg_quantize_group4. */
void tg_quantize_row4(const float *x, size_t n, size_t group, unsigned char *nibbles, float *scales);

/* What a row stands for, exact. */
void tg_widen_row4(const unsigned char *nibbles, const float *scales, size_t n, size_t group, float *x);

/* Numbers first .. first + n - 1 of a row to its nibbles, first being even, and back; neighbours stay as they are. q [n]. */
void tg_int4_put(unsigned char *nibbles, size_t first, size_t n, const int8_t *q);
void tg_int4_get(const unsigned char *nibbles, size_t first, size_t n, int8_t *q);

#endif
