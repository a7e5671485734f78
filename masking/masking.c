#include "masking/masking.h"

#include "t5gist/t5gist.h"

tg_mask tg_mask_make(t5gist_condition condition, int n_task, int n_gist, int n_input) {
  const int t = n_task, g = n_task + n_gist, n = g + n_input;
  tg_mask mask = {.n = n, .cross = {0, n}};
  int early_end = g; /* what task and gist see */
  int late_begin = 0;
  switch (condition) {
    case T5GIST_GIST: late_begin = mask.cross.begin = t; break;
    case T5GIST_NEG_CONTROL: late_begin = mask.cross.begin = g; break;
    case T5GIST_PREFIX: break;
    default: early_end = n; break;
  }
  if (n_gist == 0) { /* the reference leaves a prompt without gist tokens unmasked */
    early_end = n;
    late_begin = mask.cross.begin = 0;
  }
  if (early_end == n && late_begin == 0) {
    if (n > 0) mask.encoder[mask.n_segments++] = (tg_segment){0, n, 0, n};
    return mask;
  }
  if (g > 0) mask.encoder[mask.n_segments++] = (tg_segment){0, g, 0, early_end};
  if (n > g) mask.encoder[mask.n_segments++] = (tg_segment){g, n, late_begin, n};
  return mask;
}

bool tg_mask_encoder_sees(const tg_mask *mask, int query, int key) {
  for (int i = 0; i < mask->n_segments; i++) {
    const tg_segment *s = &mask->encoder[i];
    if (query >= s->q_begin && query < s->q_end) return key >= s->k_begin && key < s->k_end;
  }
  return false;
}

bool tg_mask_decoder_sees(const tg_mask *mask, int key) {
  return key >= mask->cross.begin && key < mask->cross.end;
}

void tg_mask_dense(const tg_mask *mask, unsigned char *encoder, unsigned char *cross) {
  const size_t n = (size_t)mask->n;
  for (size_t i = 0; i < n; i++) {
    for (size_t j = 0; j < n; j++) encoder[i * n + j] = tg_mask_encoder_sees(mask, (int)i, (int)j);
    cross[i] = tg_mask_decoder_sees(mask, (int)i);
  }
}

const char *t5gist_condition_name(t5gist_condition condition) {
  static const char *const names[T5GIST_N_CONDITIONS] = {"gist", "pos_control", "neg_control", "prefix", "full"};
  return (unsigned)condition < T5GIST_N_CONDITIONS ? names[condition] : NULL;
}
