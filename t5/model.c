#include "t5/model.h"

#include "runtime/error.h"

#include <stdio.h>
#include <string.h>

/* Loads one tensor after the other; the names are those of names.c, which `verify` checks a folder against. */
typedef struct loader {
  tg_t5 *t5;
  t5gist_error *err;
} loader;

static t5gist_status get(const loader *l, const char *prefix, const char *name, size_t rows, size_t columns, const tg_tensor **tensor) {
  char full[128];
  const size_t dims[2] = {rows, columns};
  snprintf(full, sizeof full, "%s%s.weight", prefix, name);
  TG_TRY(tg_checkpoint_get(l->t5->checkpoint, full, dims, columns ? 2 : 1, tensor, l->err));
  l->t5->n_parameters += (*tensor)->count;
  return T5GIST_OK;
}

static t5gist_status load_floats(const loader *l, const char *prefix, const char *name, size_t rows, size_t columns, float **out) {
  const tg_tensor *tensor;
  TG_TRY(get(l, prefix, name, rows, columns, &tensor));
  TG_TRY(tg_alloc(out, tensor->count, sizeof(float), l->err));
  tg_widen(tensor->data, tensor->dtype, tensor->count, *out);
  l->t5->weight_bytes += tensor->count * sizeof(float);
  return T5GIST_OK;
}

static t5gist_status load_norm(const loader *l, const char *prefix, const char *name, float **out) {
  return load_floats(l, prefix, name, (size_t)l->t5->config.d_model, 0, out);
}

/* A matrix, and the scales of its outputs where it is stored in bytes: the caller's to free, also on failure. */
static t5gist_status get_matrix(const loader *l, const char *prefix, const char *name, size_t n_out, size_t n_in, tg_matrix *matrix, float **scales) {
  char full[128];
  const tg_tensor *tensor;
  snprintf(full, sizeof full, "%s%s.weight", prefix, name);
  TG_TRY(tg_checkpoint_get_matrix(l->t5->checkpoint, full, n_out, n_in, &tensor, scales, l->err));
  l->t5->n_parameters += tensor->count;
  *matrix = (tg_matrix){tensor->data, tensor->dtype, n_out, true, *scales, 0};
  return T5GIST_OK;
}

/* names: [n_parts] matrices of n_out x n_in each, packed as one product. */
static t5gist_status load_linear_as(const loader *l, tg_precision precision, const char *prefix, const char *const *names, size_t n_parts, size_t n_out,
                                    size_t n_in, tg_linear **out) {
  enum { MOST = 3 };
  tg_matrix parts[MOST];
  float *scales[MOST] = {NULL};
  t5gist_status status = T5GIST_OK;
  for (size_t i = 0; i < n_parts; i++) TG_GOTO(get_matrix(l, prefix, names[i], n_out, n_in, &parts[i], &scales[i]));
  TG_GOTO(tg_linear_new(l->t5->engine, parts, n_parts, n_in, precision, out, l->err));
  l->t5->weight_bytes += tg_linear_bytes(*out);
done:
  for (size_t i = 0; i < n_parts; i++) tg_free(scales[i]);
  return status;
}

static t5gist_status load_linear(const loader *l, const char *prefix, const char *const *names, size_t n_parts, size_t n_out, size_t n_in, tg_linear **out) {
  return load_linear_as(l, l->t5->precision, prefix, names, n_parts, n_out, n_in, out);
}

static t5gist_status load_self_attention(const loader *l, const char *stack, int block, tg_self_attention *a) {
  static const char *const qkv[] = {"SelfAttention.q", "SelfAttention.k", "SelfAttention.v"}, *const o[] = {"SelfAttention.o"};
  const size_t d_model = (size_t)l->t5->config.d_model, inner = tg_t5_inner(&l->t5->config);
  char prefix[64];
  snprintf(prefix, sizeof prefix, "%s.block.%d.layer.0.", stack, block);
  TG_TRY(load_norm(l, prefix, "layer_norm", &a->norm));
  TG_TRY(load_linear(l, prefix, qkv, 3, inner, d_model, &a->qkv));
  return load_linear(l, prefix, o, 1, d_model, inner, &a->o);
}

static t5gist_status load_cross_attention(const loader *l, int block, tg_cross_attention *a) {
  static const char *const q[] = {"EncDecAttention.q"}, *const kv[] = {"EncDecAttention.k", "EncDecAttention.v"}, *const o[] = {"EncDecAttention.o"};
  const size_t d_model = (size_t)l->t5->config.d_model, inner = tg_t5_inner(&l->t5->config);
  char prefix[64];
  snprintf(prefix, sizeof prefix, "decoder.block.%d.layer.1.", block);
  TG_TRY(load_norm(l, prefix, "layer_norm", &a->norm));
  TG_TRY(load_linear(l, prefix, q, 1, inner, d_model, &a->q));
  TG_TRY(load_linear(l, prefix, kv, 2, inner, d_model, &a->kv));
  return load_linear(l, prefix, o, 1, d_model, inner, &a->o);
}

static t5gist_status load_ffn(const loader *l, const char *stack, int block, int layer, tg_ffn *f) {
  static const char *const gated[] = {"DenseReluDense.wi_0", "DenseReluDense.wi_1"}, *const plain[] = {"DenseReluDense.wi"}, *const wo[] = {"DenseReluDense.wo"};
  const tg_config *c = &l->t5->config;
  const size_t d_model = (size_t)c->d_model, d_ff = (size_t)c->d_ff;
  char prefix[64];
  snprintf(prefix, sizeof prefix, "%s.block.%d.layer.%d.", stack, block, layer);
  TG_TRY(load_norm(l, prefix, "layer_norm", &f->norm));
  TG_TRY(load_linear(l, prefix, c->gated ? gated : plain, c->gated ? 2 : 1, d_ff, d_model, &f->wi));
  return load_linear_as(l, l->t5->wo_precision, prefix, wo, 1, d_model, d_ff, &f->wo);
}

static t5gist_status load_positions(const loader *l, const char *stack, bool bidirectional, tg_position_table *table) {
  const tg_config *c = &l->t5->config;
  char prefix[64];
  float *weights = NULL;
  snprintf(prefix, sizeof prefix, "%s.block.0.layer.0.", stack);
  t5gist_status status = load_floats(l, prefix, "SelfAttention.relative_attention_bias", (size_t)c->n_buckets, (size_t)c->n_heads, &weights);
  if (status == T5GIST_OK) status = tg_position_table_new(weights, c->n_buckets, c->n_heads, c->max_distance, bidirectional, table, l->err);
  tg_free(weights);
  return status;
}

static t5gist_status load_embedding_and_head(const loader *l) {
  tg_t5 *t5 = l->t5;
  const tg_config *c = &t5->config;
  const size_t vocab = (size_t)c->vocab_size, d_model = (size_t)c->d_model;
  const tg_tensor *shared;
  TG_TRY(get(l, "", "shared", vocab, d_model, &shared));
  t5->embedding = shared->data;
  t5->embedding_dtype = shared->dtype;
  t5->weight_bytes += shared->bytes;
  const bool own_head = c->head == TG_HEAD_FILE || (c->head == TG_HEAD_FILE_OR_SHARED && tg_checkpoint_find(t5->checkpoint, "lm_head.weight"));
  if (own_head) return load_linear(l, "", (const char *const[]){"lm_head"}, 1, vocab, d_model, &t5->head);
  const tg_matrix part = {shared->data, shared->dtype, vocab, true, NULL, 0};
  TG_TRY(tg_linear_new(t5->engine, &part, 1, d_model, t5->precision, &t5->head, l->err));
  t5->weight_bytes += tg_linear_bytes(t5->head);
  return T5GIST_OK;
}

static t5gist_status load_weights(tg_t5 *t5, t5gist_error *err) {
  const loader l = {t5, err};
  const tg_config *c = &t5->config;
  TG_TRY(load_embedding_and_head(&l));
  TG_TRY(load_positions(&l, "encoder", true, &t5->encoder_positions));
  TG_TRY(load_positions(&l, "decoder", false, &t5->decoder_positions));
  TG_TRY(load_norm(&l, "encoder.", "final_layer_norm", &t5->encoder_norm));
  TG_TRY(load_norm(&l, "decoder.", "final_layer_norm", &t5->decoder_norm));
  TG_TRY(tg_alloc(&t5->encoder, (size_t)c->n_layers, sizeof *t5->encoder, err));
  for (int i = 0; i < c->n_layers; i++) {
    TG_TRY(load_self_attention(&l, "encoder", i, &t5->encoder[i].attention));
    TG_TRY(load_ffn(&l, "encoder", i, 1, &t5->encoder[i].ffn));
  }
  TG_TRY(tg_alloc(&t5->decoder, (size_t)c->n_decoder_layers, sizeof *t5->decoder, err));
  for (int i = 0; i < c->n_decoder_layers; i++) {
    TG_TRY(load_self_attention(&l, "decoder", i, &t5->decoder[i].attention));
    TG_TRY(load_cross_attention(&l, i, &t5->decoder[i].cross));
    TG_TRY(load_ffn(&l, "decoder", i, 2, &t5->decoder[i].ffn));
  }
  return T5GIST_OK;
}

static t5gist_status find_fingerprint(tg_t5 *t5, t5gist_error *err) {
  if (t5->config.source_fingerprint == NULL) {
    return tg_checkpoint_fingerprint(t5->checkpoint, t5->dir, tg_tokenizer_path(t5->tokenizer), t5->fingerprint, err);
  }
  snprintf(t5->fingerprint, sizeof t5->fingerprint, "%s", t5->config.source_fingerprint);
  return T5GIST_OK;
}

/* Whether the folder is one that convert wrote in int8: the first query matrix is as good as any. */
static bool stored_in_bytes(const tg_checkpoint *checkpoint) {
  const tg_tensor *q = tg_checkpoint_find(checkpoint, "encoder.block.0.layer.0.SelfAttention.q.weight");
  return q != NULL && q->dtype == TG_I8;
}

static void choose_precisions(tg_t5 *t5, const tg_t5_options *options) {
  const tg_precision rule = stored_in_bytes(t5->checkpoint) ? TG_PRECISION_INT8 : TG_PRECISION_F32;
  t5->precision = options->precision == T5GIST_UNSET ? rule : (tg_precision)options->precision;
  const tg_precision beside_int8 = t5->config.wo_precision == T5GIST_UNSET ? TG_PRECISION_INT8X16 : (tg_precision)t5->config.wo_precision;
  const tg_precision wo_rule = t5->precision == TG_PRECISION_INT8 ? beside_int8 : t5->precision;
  t5->wo_precision = options->wo_precision == T5GIST_UNSET ? wo_rule : (tg_precision)options->wo_precision;
}

t5gist_status tg_t5_open(const char *dir, tg_engine *engine, const tg_t5_options *options, tg_t5 **out, t5gist_error *err) {
  tg_t5 *t5;
  t5gist_status status = tg_alloc(&t5, 1, sizeof *t5, err);
  if (status != T5GIST_OK) {
    tg_engine_free(engine);
    return status;
  }
  t5->engine = engine;
  t5->check_numerics = options->check_numerics;
  TG_GOTO(tg_strdup(&t5->dir, dir, err));
  TG_GOTO(tg_config_load(dir, &t5->config, err));
  TG_GOTO(tg_tokenizer_open(dir, t5->config.vocab_size, &t5->tokenizer, err));
  TG_GOTO(tg_checkpoint_open(dir, &t5->checkpoint, err));
  choose_precisions(t5, options);
  TG_GOTO(find_fingerprint(t5, err));
  TG_GOTO(load_weights(t5, err));
  *out = t5;
  return T5GIST_OK;
done:
  tg_t5_free(t5);
  return status;
}

static void free_self_attention(tg_self_attention *a) {
  tg_free(a->norm);
  tg_linear_free(a->qkv);
  tg_linear_free(a->o);
}

static void free_cross_attention(tg_cross_attention *a) {
  tg_free(a->norm);
  tg_linear_free(a->q);
  tg_linear_free(a->kv);
  tg_linear_free(a->o);
}

static void free_ffn(tg_ffn *f) {
  tg_free(f->norm);
  tg_linear_free(f->wi);
  tg_linear_free(f->wo);
}

void tg_t5_free(tg_t5 *t5) {
  if (t5 == NULL) return;
  for (int i = 0; t5->encoder && i < t5->config.n_layers; i++) {
    free_self_attention(&t5->encoder[i].attention);
    free_ffn(&t5->encoder[i].ffn);
  }
  for (int i = 0; t5->decoder && i < t5->config.n_decoder_layers; i++) {
    free_self_attention(&t5->decoder[i].attention);
    free_cross_attention(&t5->decoder[i].cross);
    free_ffn(&t5->decoder[i].ffn);
  }
  tg_free(t5->encoder);
  tg_free(t5->decoder);
  tg_free(t5->encoder_norm);
  tg_free(t5->decoder_norm);
  tg_linear_free(t5->head);
  tg_position_table_free(&t5->encoder_positions);
  tg_position_table_free(&t5->decoder_positions);
  tg_tokenizer_free(t5->tokenizer);
  tg_checkpoint_close(t5->checkpoint);
  tg_config_free(&t5->config);
  tg_engine_free(t5->engine);
  tg_free(t5->dir);
  tg_free(t5);
}
