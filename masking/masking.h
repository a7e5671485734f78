/* masking: who sees whom. A condition and three lengths become spans of visible keys per query segment; nothing dense is ever needed to compute.
 *
 * A prompt is n_task task tokens, n_gist gist tokens, n_input input tokens (the end token counts as input), in this order. With t = n_task and
 * g = n_task + n_gist, the rules of jayelm/gisting (src/data/gist.py) and two controls of ours are
 *
 *     condition     rows 0..g-1 see   rows g.. see   the decoder sees
 *     gist          0..g-1            t..            t..
 *     neg_control   0..g-1            g..            g..
 *     prefix        0..g-1            all            all
 *     pos_control   all               all            all
 *     full          all               all            all
 *
 * and a prompt without gist tokens is unmasked in every condition. Pure functions, no allocation; lengths are >= 0 and their sum fits an int. */
#ifndef T5GIST_MASKING_H
#define T5GIST_MASKING_H

#include <stdbool.h>
#include <stdio.h>

#include "t5gist/types.h"

/* Queries q_begin..q_end-1 see keys k_begin..k_end-1. */
typedef struct tg_segment {
  int q_begin, q_end, k_begin, k_end;
} tg_segment;

typedef struct tg_span {
  int begin, end;
} tg_span;

enum { TG_MAX_SEGMENTS = 2 };

typedef struct tg_mask {
  int n;                               /* tokens of the prompt */
  tg_segment encoder[TG_MAX_SEGMENTS]; /* [n_segments] in order, covering every query once */
  int n_segments;
  tg_span cross; /* the encoder outputs that the decoder sees */
} tg_mask;

tg_mask tg_mask_make(t5gist_condition condition, int n_task, int n_gist, int n_input);

/* Whether query sees key in the encoder, and whether the decoder sees key. For tests and drawing. */
bool tg_mask_encoder_sees(const tg_mask *mask, int query, int key);
bool tg_mask_decoder_sees(const tg_mask *mask, int key);

/* Dense forms, row-major, 1 = visible: encoder [n, n], cross [n]. */
void tg_mask_dense(const tg_mask *mask, unsigned char *encoder, unsigned char *cross);

/* Draws the mask with one label per token (UTF-8; control characters must be escaped already). The stream's own error flag tells of failure. */
void tg_mask_draw_text(const tg_mask *mask, const char *const *labels, FILE *out);
void tg_mask_draw_svg(const tg_mask *mask, const char *const *labels, FILE *out);

#endif
