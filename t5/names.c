#include "t5/names.h"

#include <string.h>

typedef struct walk {
  const tg_config *config;
  tg_tensor_visit *visit;
  void *user;
  t5gist_error *err;
} walk;

static t5gist_status visit_matrix(const walk *w, const char *prefix, const char *name, int rows, int columns) {
  tg_tensor_spec spec = {.dims = {(size_t)rows, (size_t)columns}, .n_dims = columns ? 2 : 1};
  snprintf(spec.name, sizeof spec.name, "%s%s.weight", prefix, name);
  return w->visit(w->user, &spec, w->err);
}

static t5gist_status visit_vector(const walk *w, const char *prefix, const char *name) {
  return visit_matrix(w, prefix, name, w->config->d_model, 0);
}

static t5gist_status visit_attention(const walk *w, const char *stack, int block, int layer, const char *name) {
  const tg_config *c = w->config;
  const int inner = c->n_heads * c->d_kv;
  char prefix[64], part[40];
  snprintf(prefix, sizeof prefix, "%s.block.%d.layer.%d.", stack, block, layer);
  for (const char *p = "qkv"; *p; p++) {
    snprintf(part, sizeof part, "%s.%c", name, *p);
    TG_TRY(visit_matrix(w, prefix, part, inner, c->d_model));
  }
  snprintf(part, sizeof part, "%s.o", name);
  TG_TRY(visit_matrix(w, prefix, part, c->d_model, inner));
  if (block == 0 && layer == 0) TG_TRY(visit_matrix(w, prefix, "SelfAttention.relative_attention_bias", c->n_buckets, c->n_heads));
  return visit_vector(w, prefix, "layer_norm");
}

static t5gist_status visit_ffn(const walk *w, const char *stack, int block, int layer) {
  const tg_config *c = w->config;
  char prefix[64];
  snprintf(prefix, sizeof prefix, "%s.block.%d.layer.%d.", stack, block, layer);
  if (c->gated) {
    TG_TRY(visit_matrix(w, prefix, "DenseReluDense.wi_0", c->d_ff, c->d_model));
    TG_TRY(visit_matrix(w, prefix, "DenseReluDense.wi_1", c->d_ff, c->d_model));
  } else {
    TG_TRY(visit_matrix(w, prefix, "DenseReluDense.wi", c->d_ff, c->d_model));
  }
  TG_TRY(visit_matrix(w, prefix, "DenseReluDense.wo", c->d_model, c->d_ff));
  return visit_vector(w, prefix, "layer_norm");
}

t5gist_status tg_each_tensor(const tg_config *config, tg_tensor_visit *visit, void *user, t5gist_error *err) {
  const walk w = {config, visit, user, err};
  TG_TRY(visit_matrix(&w, "", "shared", config->vocab_size, config->d_model));
  for (int i = 0; i < config->n_layers; i++) {
    TG_TRY(visit_attention(&w, "encoder", i, 0, "SelfAttention"));
    TG_TRY(visit_ffn(&w, "encoder", i, 1));
  }
  TG_TRY(visit_vector(&w, "encoder.", "final_layer_norm"));
  for (int i = 0; i < config->n_decoder_layers; i++) {
    TG_TRY(visit_attention(&w, "decoder", i, 0, "SelfAttention"));
    TG_TRY(visit_attention(&w, "decoder", i, 1, "EncDecAttention"));
    TG_TRY(visit_ffn(&w, "decoder", i, 2));
  }
  TG_TRY(visit_vector(&w, "decoder.", "final_layer_norm"));
  if (config->head == TG_HEAD_SHARED) return T5GIST_OK;
  const tg_tensor_spec head = {.name = "lm_head.weight",
                               .dims = {(size_t)config->vocab_size, (size_t)config->d_model},
                               .n_dims = 2,
                               .optional = config->head == TG_HEAD_FILE_OR_SHARED};
  return visit(user, &head, err);
}

bool tg_is_linear(const char *name) {
  static const char *const places[] = {".SelfAttention.", ".EncDecAttention.", ".DenseReluDense."};
  if (strcmp(name, "lm_head.weight") == 0) return true;
  for (size_t i = 0; i < sizeof places / sizeof *places; i++)
    if (strstr(name, places[i])) return strstr(name, "relative_attention_bias") == NULL;
  return false;
}

static bool is_encoders(const char *name) {
  return strncmp(name, "encoder.", 8) == 0;
}

tg_precision tg_layer_precision(const char *name, tg_precision precision, tg_precision wo_precision) {
  if (strstr(name, ".DenseReluDense.wo.")) return wo_precision == TG_PRECISION_INT4 && is_encoders(name) ? TG_PRECISION_INT8X16 : wo_precision;
  if (precision != TG_PRECISION_INT4) return precision;
  const bool many_rows = is_encoders(name) || strstr(name, ".EncDecAttention.k.") || strstr(name, ".EncDecAttention.v.");
  return many_rows ? TG_PRECISION_INT8 : TG_PRECISION_INT4;
}
