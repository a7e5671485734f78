/* A loaded T5: configuration, tokenizer, packed weights. Read-only after tg_t5_open, shared between threads. */
#ifndef T5GIST_T5_MODEL_H
#define T5GIST_T5_MODEL_H

#include "runtime/hash.h"
#include "runtime/linear.h"
#include "t5/calibration.h"
#include "t5/checkpoint.h"
#include "t5/config.h"
#include "t5/position.h"
#include "t5/round4.h"
#include "t5/tokenizer.h"

typedef struct tg_ffn {
  float *norm;    /* [d_model] */
  tg_linear *wi;  /* d_model -> d_ff, or -> 2 * d_ff (gate first) when gated */
  tg_linear *wo;  /* d_ff -> d_model */
} tg_ffn;

typedef struct tg_self_attention {
  float *norm;    /* [d_model] */
  tg_linear *qkv; /* d_model -> 3 * inner, inner = n_heads * d_kv */
  tg_linear *o;   /* inner -> d_model */
} tg_self_attention;

typedef struct tg_cross_attention {
  float *norm;   /* [d_model] */
  tg_linear *q;  /* d_model -> inner */
  tg_linear *kv; /* d_model -> 2 * inner */
  tg_linear *o;  /* inner -> d_model */
} tg_cross_attention;

typedef struct tg_encoder_layer {
  tg_self_attention attention;
  tg_ffn ffn;
} tg_encoder_layer;

typedef struct tg_decoder_layer {
  tg_self_attention attention;
  tg_cross_attention cross;
  tg_ffn ffn;
} tg_decoder_layer;

typedef struct tg_t5 {
  tg_config config;
  tg_tokenizer *tokenizer;
  tg_engine *engine;
  tg_checkpoint *checkpoint;      /* keeps the mapping of the embedding alive */
  const void *embedding;          /* [vocab_size, d_model] embedding_dtype, borrowed from the mapping or from narrowed */
  uint16_t *narrowed;             /* bf16 in place of a stored f32, in an int4 model; else null */
  tg_dtype embedding_dtype;
  tg_position_table encoder_positions, decoder_positions; /* relative_attention_bias by distance */
  float *encoder_norm, *decoder_norm; /* [d_model] final_layer_norm */
  tg_encoder_layer *encoder;      /* [n_layers] */
  tg_decoder_layer *decoder;      /* [n_decoder_layers] */
  tg_linear *head;                /* d_model -> vocab_size */
  char fingerprint[TG_SHA256_HEX]; /* of the source that the folder says it was converted from, else the folder's own: gists are bound to it */
  char own_fingerprint[TG_SHA256_HEX]; /* of the folder's own files, whatever they say */
  char *dir;
  size_t n_parameters, weight_bytes;
  tg_precision precision, wo_precision; /* of the linear layers; of wo */
  bool check_numerics;
  tg_calibration *calibration;    /* borrowed; what the decoder's layers see is added to it. Null as at first: to none */
} tg_t5;

typedef struct tg_t5_options {
  bool check_numerics;
  int precision;    /* tg_precision of the linear layers, int4 as tg_layer_precision says; T5GIST_UNSET: int8 or int4 where the folder stores them so, else f32 */
  int wo_precision; /* of the feed-forward layers' second matrix, whose input has the widest range; T5GIST_UNSET: beside int8 and int4 what the folder
                     * was converted with, else int8x16; otherwise precision */
  tg_rounding rounding;              /* of what is not stored in 4 bits, where precision is int4 */
  const tg_calibration *calibration; /* for TG_ROUND_CALIBRATED, borrowed during the opening */
} tg_t5_options;

/* What wo is computed in unless something else is asked for. */
tg_precision tg_wo_rule(const tg_config *config, tg_precision precision);

/* Opens a Hugging Face folder. Takes over engine, also on failure. */
t5gist_status tg_t5_open(const char *dir, tg_engine *engine, const tg_t5_options *options, tg_t5 **t5, t5gist_error *err);
void tg_t5_free(tg_t5 *t5); /* null is allowed */

/* Floats of one token's keys (or values) over all heads. */
static inline size_t tg_t5_inner(const tg_config *config) { return (size_t)config->n_heads * (size_t)config->d_kv; }

#endif
