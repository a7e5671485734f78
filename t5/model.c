#include "t5/model.h"

#include "runtime/error.h"
#include "runtime/int4.h"
#include "t5/names.h"

#include <stdio.h>
#include <string.h>

/* Loads one tensor after the other; the names are those of names.c, which `verify` checks a folder against. */
typedef struct loader {
  tg_t5 *t5;
  const tg_t5_options *options;
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

/* Matrices on their way into a product: as stored, or what they are rounded to. */
enum { MOST_PARTS = 3 };
typedef struct parts {
  tg_matrix matrices[MOST_PARTS]; /* [n] */
  size_t n, n_in;
  float *scales[MOST_PARTS];          /* of those stored in bits */
  unsigned char *nibbles[MOST_PARTS]; /* of those rounded here, and */
  float *rounded_scales[MOST_PARTS];
} parts;

static void parts_free(parts *p) {
  for (size_t i = 0; i < MOST_PARTS; i++) {
    tg_free(p->scales[i]);
    tg_free(p->nibbles[i]);
    tg_free(p->rounded_scales[i]);
  }
}

static t5gist_status round_part(const loader *l, parts *p, size_t i, tg_rounder *rounder) {
  tg_matrix *m = &p->matrices[i];
  TG_TRY(tg_alloc(&p->nibbles[i], m->n_out, tg_int4_row_bytes(p->n_in), l->err));
  TG_TRY(tg_alloc(&p->rounded_scales[i], m->n_out, tg_int4_groups(p->n_in, TG_INT4_GROUP) * sizeof(float), l->err));
  TG_TRY(tg_rounder_round_matrix(rounder, m, p->nibbles[i], p->rounded_scales[i], l->err));
  *m = (tg_matrix){.data = p->nibbles[i], .dtype = TG_I4, .n_out = m->n_out, .scales = p->rounded_scales[i], .group = TG_INT4_GROUP};
  return T5GIST_OK;
}

/* Into 4 bits with the rounding asked for. Where one of them is stored so already, tg_linear_new sees to the others. name: of the first. */
static t5gist_status round_parts(const loader *l, const char *name, parts *p) {
  for (size_t i = 0; i < p->n; i++)
    if (p->matrices[i].dtype == TG_I4) return T5GIST_OK;
  tg_team *team = NULL;
  tg_rounder *rounder = NULL;
  t5gist_status status;
  TG_GOTO(tg_engine_take_team(l->t5->engine, &team, l->err));
  TG_GOTO(tg_rounder_new(p->n_in, TG_INT4_GROUP, l->options->rounding, tg_calibration_find(l->options->calibration, name), team, &rounder, l->err));
  for (size_t i = 0; i < p->n; i++) TG_GOTO(round_part(l, p, i, rounder));
done:
  tg_rounder_free(rounder);
  tg_engine_return_team(l->t5->engine, team);
  return status;
}

static t5gist_status pack_parts(const loader *l, const char *name, parts *p, tg_linear **out) {
  const tg_precision precision = tg_layer_precision(name, l->t5->precision, l->t5->wo_precision);
  if (precision == TG_PRECISION_INT4) TG_TRY(round_parts(l, name, p));
  TG_TRY(tg_linear_new(l->t5->engine, p->matrices, p->n, p->n_in, precision, out, l->err));
  l->t5->weight_bytes += tg_linear_bytes(*out);
  return T5GIST_OK;
}

/* names: [n_parts] matrices of n_out x n_in each, packed as one product. */
static t5gist_status load_linear(const loader *l, const char *prefix, const char *const *names, size_t n_parts, size_t n_out, size_t n_in,
                                 tg_linear **out) {
  char full[MOST_PARTS][128];
  parts p = {.n = n_parts, .n_in = n_in};
  t5gist_status status = T5GIST_OK;
  for (size_t i = 0; i < n_parts; i++) {
    snprintf(full[i], sizeof full[i], "%s%s.weight", prefix, names[i]);
    TG_GOTO(tg_checkpoint_get_matrix(l->t5->checkpoint, full[i], n_out, n_in, &p.matrices[i], &p.scales[i], l->err));
    l->t5->n_parameters += n_out * n_in; /* those of a tensor */
  }
  TG_GOTO(pack_parts(l, full[0], &p, out));
done:
  parts_free(&p);
  return status;
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
  return load_linear(l, prefix, wo, 1, d_model, d_ff, &f->wo);
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

/* As stored, but for f32 in an int4 model, which is short of memory: the same numbers that convert writes. */
static t5gist_status set_embedding(const loader *l, const tg_tensor *shared) {
  tg_t5 *t5 = l->t5;
  t5->embedding = shared->data;
  t5->embedding_dtype = shared->dtype;
  t5->weight_bytes += shared->bytes;
  if (t5->precision != TG_PRECISION_INT4 || shared->dtype != TG_F32) return T5GIST_OK;
  const size_t rows = shared->shape[0], d_model = shared->shape[1];
  float *row;
  TG_TRY(tg_alloc(&t5->narrowed, shared->count, sizeof *t5->narrowed, l->err));
  TG_TRY(tg_alloc(&row, d_model, sizeof *row, l->err));
  for (size_t i = 0; i < rows; i++) {
    tg_widen(shared->data + i * d_model * sizeof *row, TG_F32, d_model, row);
    tg_narrow_bf16(row, d_model, t5->narrowed + i * d_model);
  }
  tg_free(row);
  tg_map_release(shared->data, shared->bytes);
  t5->embedding = t5->narrowed;
  t5->embedding_dtype = TG_BF16;
  t5->weight_bytes -= shared->bytes / 2;
  return T5GIST_OK;
}

/* A tied model's head is the shared embedding, unless convert wrote it in 4 bits. */
static bool has_own_head(const tg_t5 *t5) {
  const tg_tensor *head = tg_checkpoint_find(t5->checkpoint, "lm_head.weight");
  if (t5->config.head == TG_HEAD_SHARED) return head && head->dtype == TG_U8;
  return t5->config.head == TG_HEAD_FILE || head;
}

static t5gist_status load_embedding_and_head(const loader *l) {
  tg_t5 *t5 = l->t5;
  const tg_config *c = &t5->config;
  const size_t vocab = (size_t)c->vocab_size, d_model = (size_t)c->d_model;
  const tg_tensor *shared;
  TG_TRY(get(l, "", "shared", vocab, d_model, &shared));
  TG_TRY(set_embedding(l, shared));
  if (has_own_head(t5)) return load_linear(l, "", (const char *const[]){"lm_head"}, 1, vocab, d_model, &t5->head);
  parts p = {.matrices = {{.data = shared->data, .dtype = shared->dtype, .n_out = vocab, .mapped = true}}, .n = 1, .n_in = d_model};
  const t5gist_status status = pack_parts(l, "lm_head.weight", &p, &t5->head);
  parts_free(&p);
  return status;
}

static t5gist_status load_weights(tg_t5 *t5, const tg_t5_options *options, t5gist_error *err) {
  const loader l = {t5, options, err};
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
  const char *source = t5->config.source_fingerprint;
  TG_TRY(tg_checkpoint_fingerprint(t5->checkpoint, t5->dir, tg_tokenizer_path(t5->tokenizer), t5->own_fingerprint, err));
  snprintf(t5->fingerprint, sizeof t5->fingerprint, "%s", source ? source : t5->own_fingerprint);
  return T5GIST_OK;
}

/* What convert wrote the folder in: the decoder's first query matrix is as good as any. */
static tg_precision stored_precision(const tg_checkpoint *checkpoint) {
  const tg_tensor *q = tg_checkpoint_find(checkpoint, TG_TELLING_TENSOR);
  return q && q->dtype == TG_I8 ? TG_PRECISION_INT8 : q && q->dtype == TG_U8 ? TG_PRECISION_INT4 : TG_PRECISION_F32;
}

tg_precision tg_wo_rule(const tg_config *config, tg_precision precision) {
  if (precision != TG_PRECISION_INT8 && precision != TG_PRECISION_INT4) return precision;
  return config->wo_precision == T5GIST_UNSET ? TG_PRECISION_INT8X16 : (tg_precision)config->wo_precision;
}

static void choose_precisions(tg_t5 *t5, const tg_t5_options *options) {
  t5->precision = options->precision == T5GIST_UNSET ? stored_precision(t5->checkpoint) : (tg_precision)options->precision;
  t5->wo_precision = options->wo_precision == T5GIST_UNSET ? tg_wo_rule(&t5->config, t5->precision) : (tg_precision)options->wo_precision;
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
  TG_GOTO(load_weights(t5, options, err));
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
  tg_free(t5->narrowed);
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
