/* The encoder over packed rows: full pass, prefix pass and suffix pass are one function. */
#ifndef T5GIST_T5_ENCODER_H
#define T5GIST_T5_ENCODER_H

#include "masking/masking.h"
#include "t5/model.h"

/* One sequence of a packed batch. Keys are the n_prefix rows given (a gist's), then the sequence's own n rows; segments speak of own rows as
 * queries 0..n-1 and of all n_prefix + n keys.
 *   full pass    ids = task, gist, input; segments = the mask's
 *   prefix pass  ids = task, gist; segments null (all visible); keep the last n_gist rows
 *   suffix pass  ids = input; prefix = the gist's K and V; segments null */
typedef struct tg_encoder_sequence {
  const int32_t *ids;               /* [n] */
  int n;
  const tg_segment *segments;       /* [n_segments]; null: every query sees every key */
  int n_segments;
  const float *prefix_k, *prefix_v; /* [n_layers, n_heads, n_prefix, d_kv] */
  int n_prefix;
  float *keep_k, *keep_v;           /* out: K and V of the last n_keep own rows, [n_layers, n_heads, n_keep, d_kv]; null: not wanted */
  int n_keep;
} tg_encoder_sequence;

/* Final states of all sequences, one after the other: *states [sum of n, d_model] in the workspace's arena (room for tg_linear_rows of them).
 * A row depends on its own sequence alone. */
t5gist_status tg_encode(const tg_t5 *t5, tg_workspace *workspace, const tg_encoder_sequence *sequences, int n_sequences, float **states, t5gist_error *err);

#endif
