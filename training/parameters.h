/* The parameters of a T5 as one flat vector of f32, in the order of tg_each_tensor (t5/names.h) without gaps, so that gradients, moments and averages
 * are vectors of the same length and position, and q, k, v (and wi_0, wi_1) of a layer stand together as one matrix. */
#ifndef T5GIST_TRAINING_PARAMETERS_H
#define T5GIST_TRAINING_PARAMETERS_H

#include "t5/config.h"
#include "t5/names.h"

typedef struct tg_parameter {
  char name[128]; /* Hugging Face's */
  size_t offset, count;
  size_t dims[2];
  int n_dims;
  bool decays; /* matrices and embeddings; not norms and position biases */
} tg_parameter;

/* Where one vector's parts stand: offsets in floats. */
typedef struct tg_layout_attention {
  size_t norm, q, k, v, o; /* norm [d_model]; q, k, v [inner, d_model] each, one after the other; o [d_model, inner] */
} tg_layout_attention;
typedef struct tg_layout_ffn {
  size_t norm, wi, wo; /* wi [d_ff or 2 * d_ff, d_model] (gate first), wo [d_model, d_ff] */
} tg_layout_ffn;
typedef struct tg_layout_layer {
  tg_layout_attention attention, cross; /* cross: decoder only */
  tg_layout_ffn ffn;
} tg_layout_layer;

typedef struct tg_layout {
  const tg_config *config;                     /* borrowed */
  tg_parameter *parameters;                    /* [n] */
  size_t n, count;                             /* parameters; floats of a vector */
  size_t embedding, head;                      /* [vocab_size, d_model]; the same where they are tied */
  size_t encoder_positions, decoder_positions; /* [n_buckets, n_heads] */
  size_t encoder_norm, decoder_norm;           /* [d_model] */
  tg_layout_layer *encoder, *decoder;          /* [n_layers], [n_decoder_layers] */
  bool tied;
} tg_layout;

/* config must outlive the layout. untied: whether the folder has a head of its own where config leaves it open (TG_HEAD_FILE_OR_SHARED). */
t5gist_status tg_layout_make(const tg_config *config, bool untied, tg_layout *layout, t5gist_error *err);
void tg_layout_free(tg_layout *layout); /* zeroed or made */

/* T5's initialisation (transformers' T5PreTrainedModel._init_weights with factor 1): norms are 1, every other tensor is normal with deviation
 *   1                   shared, lm_head          (d_model d_kv)^-1/2  q          d_model^-1/2  k, v, wi, wi_0, wi_1, relative_attention_bias
 *   (n_heads d_kv)^-1/2 o                        d_ff^-1/2            wo
 * Numbers come from t5/random.h by Box and Muller, in double: with key = tg_random_key(seed, tg_random_label(name)), a = tg_random_at(key, 2 p),
 * b = tg_random_at(key, 2 p + 1), r = sqrt(-2 log(((a >> 11) + 1) 2^-53)) and t = 2 pi ((b >> 11) 2^-53), elements 2 p and 2 p + 1 (row-major) are
 * float(deviation (r cos t)) and float(deviation (r sin t)). */
void tg_parameters_initialise(const tg_layout *layout, uint64_t seed, float *weights);

/* Reads a folder's tensors (f32, bf16, f16), widened. A folder of another vocabulary size: rows of embedding and head beyond its own are the mean of
 * its rows 0 .. pieces - 1 (gist tokens, as the reference makes them), and surplus rows are cut. pieces: rows that text can reach. A folder in int8,
 * of another shape, or with numbers that are not finite is refused. */
t5gist_status tg_parameters_load(const char *dir, const tg_layout *layout, int pieces, float *weights, t5gist_error *err);

/* Multiplies every q (self and cross, encoder and decoder) by factor: sqrt(d_kv) on the way in, its inverse on the way out, where training keeps the
 * factor d_kv^-0.5 in the scores (T5's q, which has none, learns sqrt(d_kv) times too fast under Adam). */
void tg_parameters_scale_q(const tg_layout *layout, float factor, float *weights);

/* Writes a Hugging Face folder that transformers and t5gist load: model.safetensors (f32, or bf16 by rounding to nearest even), config.json
 * (config->json with vocab_size and the "t5gist" block set), generation_config.json, the tokenizer's files copied from tokenizer_dir. All are brought
 * to disk before the first is renamed, config.json last: a failure leaves an earlier folder as it was. conditions, gists: what was trained, for the
 * metadata. */
typedef struct tg_export {
  const char *out_dir, *tokenizer_dir;
  bool bf16;
  const int *gists; /* [n_gists] trained k */
  int n_gists, default_gists, max_task_tokens;
  const char *const *conditions; /* [n_conditions] names that were trained */
  int n_conditions;
} tg_export;
t5gist_status tg_parameters_export(const tg_layout *layout, const float *weights, const tg_export *what, t5gist_error *err);

#endif
