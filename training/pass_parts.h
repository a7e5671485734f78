/* The parts of a pass (pass.h): what each stack keeps of its way forward, and both ways through sub-layers, stacks and the vocabulary layer.
 *
 * Kept are the residual stream before each sub-layer, queries, keys and values, what attention makes of them, and the feed-forward's rows before the
 * activation. Norms, activations and dropout are computed again on the way back: that costs little beside the products and halves the memory. */
#ifndef T5GIST_TRAINING_PASS_PARTS_H
#define T5GIST_TRAINING_PASS_PARTS_H

#include "training/pass.h"

/* ---- memory: one block, cut in order. Without data it is only measured, so that what is predicted and what is taken are the same lines of code. */
typedef struct tg_room {
  char *data; /* null: measure */
  size_t used;
  bool overflow; /* sizes beyond this machine's addresses */
} tg_room;
void *tg_room_take(tg_room *room, size_t rows, size_t width, size_t size); /* aligned to 64; null when measuring */
float *tg_room_rows(tg_room *room, size_t rows, size_t width);

/* ---- sizes of a pass */
typedef struct tg_pass_sizes {
  size_t n_encoder, n_decoder, n_answers;
  size_t n_seen; /* encoder rows that some answer looks at: the others end with the encoder's last layer */
  bool backward; /* else the layers share the memory of one */
  bool divergence, match;
  size_t teacher_d_model; /* of the divergence's teacher */
} tg_pass_sizes;
/* Encoder rows that some answer looks at; place [n_encoder], or null: their number among those, -1 for the others. */
size_t tg_plan_seen(const tg_plan *plan, int32_t *place);

/* ---- what is kept of each layer */
typedef struct tg_kept_attention {
  float *x;         /* [rows, d_model] the residual stream that enters */
  float *q, *k, *v; /* self-attention: columns of one [rows, 3 * inner]; cross-attention: q [rows, inner], k and v columns of [n_seen, 2 * inner] */
  size_t q_stride, kv_stride;
  float *normaliser; /* [rows, n_heads] */
  float *context;    /* [rows, inner] attention's output, before o */
} tg_kept_attention;

typedef struct tg_kept_layer {
  tg_kept_attention self, cross; /* cross: decoder only */
  float *ffn_x;                  /* [rows, d_model] */
  float *wide;                   /* [rows, d_ff or 2 * d_ff] before the activation */
} tg_kept_layer;

typedef struct tg_stack {
  bool decoder;
  size_t rows;
  int n_layers;
  const tg_layout_layer *layers; /* [n_layers] */
  size_t positions;              /* offset of the position bias */
  tg_kept_layer *kept;           /* [n_layers] */
  float *x;                      /* [rows, d_model] behind the last layer */
  const tg_train_span *spans;    /* [n_spans] of self-attention */
  int n_spans;
} tg_stack;

/* ---- the teacher's answer to the same plan */
typedef struct tg_teaching {
  int32_t *rows;        /* [n_decoder] the teacher's decoder row; some row where the weight is 0 */
  float *weights;       /* [n_decoder] of the divergence */
  float *match_weights; /* [n_decoder] of one layer's matching, its factor included */
  const float *states;  /* [teacher rows, d_model] what its head multiplies */
  const float *head;    /* [vocab_size or more, d_model] */
  size_t d_model, n_rows;
  const float *cross;  /* [n_decoder_layers, n_rows, d_model] its cross-attention's outputs; null: no matching */
  float *logits;       /* [chunk, vocab_size] */
  float *states_chunk; /* [chunk, teacher's d_model] */
  float *matched;      /* [n_decoder, d_model] one layer's outputs, row by row beside the student's */
} tg_teaching;

/* ---- one pass under way */
enum { TG_HEAD_CHUNK = 256 }; /* rows of logits that exist at a time: with fewer, the head's gradient is read and written more often */

typedef struct tg_work {
  const tg_layout *layout;
  tg_workspace *workspace;
  const tg_plan *plan;
  const tg_pass_options *options;
  const float *weights;
  float *gradients; /* null: forward only */
  tg_pass_sizes sizes;
  tg_stack encoder, decoder;
  const tg_teaching *teaching; /* null: none */
  float *cross_outputs;        /* [n_decoder_layers, n_decoder, d_model] kept for a student, or null */

  int32_t *seen_rows;                        /* [n_seen] encoder rows that answers look at */
  tg_train_span *answer_spans, *cross_spans; /* [n_answers] */
  float *seen_x, *seen_inverse;              /* [n_seen, d_model], [n_seen] those rows before the final norm */
  float *states;                             /* [n_seen, d_model] behind it: what cross-attention reads */
  float *decoder_states, *decoder_inverse;   /* [n_decoder, d_model], [n_decoder] what the head multiplies */
  float *logits;                             /* [chunk, vocab_size] */

  /* Scratch of sub-layers; rows: the larger of n_encoder and n_decoder. */
  float *normed, *inverse; /* [rows, d_model], [rows] */
  float *hidden;           /* [rows, max(d_ff, inner)] after the activation; gradient of it, or of context */
  /* of the way back alone */
  float *dx;      /* [rows, d_model] gradient of the residual stream */
  float *dbranch; /* [rows, d_model] gradient of a sub-layer's output, then of its normed input */
  float *dwide;   /* [rows, max(width of wide, 3 * inner)] gradient before the activation, or of q, k, v */
  float *dkv;     /* [n_seen, 2 * inner] */
  float *dstates; /* [n_seen, d_model] */

  tg_pass_result result;
} tg_work;

static inline size_t tg_config_inner(const tg_config *config) {
  return (size_t)config->n_heads * (size_t)config->d_kv;
}
static inline size_t tg_config_wide(const tg_config *config) {
  return (size_t)config->d_ff * (config->gated ? 2 : 1);
}

/* Where dropout happens within a layer; each place has a key of its own. */
typedef enum tg_dropout_site {
  TG_DROP_EMBEDDING = 0,
  TG_DROP_SELF_PROBABILITIES,
  TG_DROP_SELF_OUTPUT,
  TG_DROP_CROSS_PROBABILITIES,
  TG_DROP_CROSS_OUTPUT,
  TG_DROP_HIDDEN,
  TG_DROP_FFN_OUTPUT,
  TG_DROP_FINAL,
  TG_DROP_SITES
} tg_dropout_site;
uint64_t tg_dropout_key(const tg_work *work, bool decoder, int layer, tg_dropout_site site);
void tg_work_dropout(const tg_work *work, bool decoder, int layer, tg_dropout_site site, float *x, size_t rows, size_t width);

/* ---- sub-layers of layer `layer` (sublayers.c): next = x + sub-layer(norm(x)) from the kept x; on the way back work->dx is the gradient of next and
 * becomes that of x. */
t5gist_status tg_self_forward(tg_work *work, const tg_stack *stack, int layer, float *next, t5gist_error *err);
t5gist_status tg_self_backward(tg_work *work, const tg_stack *stack, int layer, t5gist_error *err);
t5gist_status tg_cross_forward(tg_work *work, int layer, float *next, t5gist_error *err);
t5gist_status tg_cross_backward(tg_work *work, int layer, t5gist_error *err); /* work->dstates += */
t5gist_status tg_ffn_forward(tg_work *work, const tg_stack *stack, int layer, float *next, t5gist_error *err);
t5gist_status tg_ffn_backward(tg_work *work, const tg_stack *stack, int layer, t5gist_error *err);

/* ---- stacks (stacks.c) */
t5gist_status tg_encoder_forward(tg_work *work, t5gist_error *err);  /* to work->states */
t5gist_status tg_encoder_backward(tg_work *work, t5gist_error *err); /* from work->dstates */
t5gist_status tg_decoder_forward(tg_work *work, t5gist_error *err);  /* to work->decoder_states */
t5gist_status tg_decoder_backward(tg_work *work, t5gist_error *err); /* from work->dbranch, the gradient of decoder_states, to work->dstates */

/* ---- vocabulary layer, softmax and losses in chunks of rows (head.c): adds to work->result; decoder_states' gradient goes to work->dbranch. */
t5gist_status tg_head_losses(tg_work *work, t5gist_error *err);

#endif
