#include "training/parameters.h"

#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "runtime/error.h"
#include "runtime/kernels.h"
#include "runtime/memory.h"
#include "runtime/text.h"
#include "t5/checkpoint.h"
#include "t5/random.h"

/* -------------------------------------------------------------------------------------------------------------------------- layout */

typedef struct place {
  const char *name;
  size_t at; /* of a size_t within its struct */
} place;

static size_t *find_place(void *base, const place *places, size_t n, const char *name) {
  for (size_t i = 0; i < n; i++) {
    if (strcmp(places[i].name, name) == 0) return (size_t *)(void *)((char *)base + places[i].at);
  }
  return NULL;
}

/* Where the layout keeps the offset of a tensor within a layer; null: only in the list of parameters (wi_1 stands behind wi_0). */
static size_t *layer_offset(tg_layout_layer *layer, bool decoder, int sublayer, const char *name) {
  static const place attention[] = {{"q.weight", offsetof(tg_layout_attention, q)},
                                    {"k.weight", offsetof(tg_layout_attention, k)},
                                    {"v.weight", offsetof(tg_layout_attention, v)},
                                    {"o.weight", offsetof(tg_layout_attention, o)},
                                    {"layer_norm.weight", offsetof(tg_layout_attention, norm)}};
  static const place ffn[] = {{"DenseReluDense.wi.weight", offsetof(tg_layout_ffn, wi)},
                              {"DenseReluDense.wi_0.weight", offsetof(tg_layout_ffn, wi)},
                              {"DenseReluDense.wo.weight", offsetof(tg_layout_ffn, wo)},
                              {"layer_norm.weight", offsetof(tg_layout_ffn, norm)}};
  if (sublayer == (decoder ? 2 : 1)) return find_place(&layer->ffn, ffn, sizeof ffn / sizeof *ffn, name);
  const char *dot = strncmp(name, "layer_norm", 10) == 0 ? NULL : strchr(name, '.'); /* behind SelfAttention or EncDecAttention */
  return find_place(sublayer == 0 ? &layer->attention : &layer->cross, attention, sizeof attention / sizeof *attention, dot ? dot + 1 : name);
}

static size_t *layout_offset(tg_layout *layout, const char *name) {
  static const place whole[] = {{"shared.weight", offsetof(tg_layout, embedding)},
                                {"lm_head.weight", offsetof(tg_layout, head)},
                                {"encoder.final_layer_norm.weight", offsetof(tg_layout, encoder_norm)},
                                {"decoder.final_layer_norm.weight", offsetof(tg_layout, decoder_norm)}};
  size_t *found = find_place(layout, whole, sizeof whole / sizeof *whole, name);
  if (found) return found;
  int block, sublayer, rest = 0;
  sscanf(name + strlen("encoder"), ".block.%d.layer.%d.%n", &block, &sublayer, &rest);
  const bool decoder = name[0] == 'd';
  name += strlen("encoder") + (size_t)rest;
  if (strcmp(name, "SelfAttention.relative_attention_bias.weight") == 0) return decoder ? &layout->decoder_positions : &layout->encoder_positions;
  return layer_offset(decoder ? &layout->decoder[block] : &layout->encoder[block], decoder, sublayer, name);
}

typedef struct layout_maker {
  tg_layout *layout;
  bool untied;
  size_t capacity;
} layout_maker;

static t5gist_status add_parameter(void *user, const tg_tensor_spec *spec, t5gist_error *err) {
  layout_maker *maker = user;
  tg_layout *layout = maker->layout;
  if (spec->optional && !maker->untied) return T5GIST_OK;
  TG_TRY(tg_reserve(&layout->parameters, &maker->capacity, layout->n + 1, sizeof *layout->parameters, err));
  tg_parameter *p = &layout->parameters[layout->n];
  *p = (tg_parameter){.offset = layout->count, .count = spec->dims[0], .dims = {spec->dims[0], spec->dims[1]}, .n_dims = spec->n_dims};
  memcpy(p->name, spec->name, sizeof p->name);
  p->decays = spec->n_dims == 2 && !strstr(spec->name, "relative_attention_bias");
  size_t bytes; /* of the whole vector, so that nobody who indexes it need check again */
  if ((spec->n_dims == 2 && !tg_size_mul(spec->dims[0], spec->dims[1], &p->count)) || !tg_size_add(layout->count, p->count, &layout->count) ||
      !tg_size_mul(layout->count, sizeof(float), &bytes)) {
    return tg_fail(err, T5GIST_EFORMAT, "a model of this shape is too large for this machine's addresses (at %s)", spec->name);
  }
  size_t *offset = layout_offset(layout, p->name);
  if (offset) *offset = p->offset;
  layout->n++;
  return T5GIST_OK;
}

t5gist_status tg_layout_make(const tg_config *config, bool untied, tg_layout *layout, t5gist_error *err) {
  layout_maker maker = {.layout = layout, .untied = untied};
  t5gist_status status;
  *layout = (tg_layout){.config = config, .tied = config->head == TG_HEAD_SHARED || (config->head == TG_HEAD_FILE_OR_SHARED && !untied)};
  TG_GOTO(tg_alloc(&layout->encoder, (size_t)config->n_layers, sizeof *layout->encoder, err));
  TG_GOTO(tg_alloc(&layout->decoder, (size_t)config->n_decoder_layers, sizeof *layout->decoder, err));
  TG_GOTO(tg_each_tensor(config, add_parameter, &maker, err));
  if (layout->tied) layout->head = layout->embedding;
done:
  if (status != T5GIST_OK) tg_layout_free(layout);
  return status;
}

void tg_layout_free(tg_layout *layout) {
  tg_free(layout->parameters);
  tg_free(layout->encoder);
  tg_free(layout->decoder);
  *layout = (tg_layout){0};
}

/* ------------------------------------------------------------------------------------------------------------------ initialisation */

static double deviation(const tg_config *c, const char *name) {
  const double d_model = c->d_model, d_kv = c->d_kv;
  if (strcmp(name, "shared.weight") == 0 || strcmp(name, "lm_head.weight") == 0) return 1;
  if (tg_ends_with(name, ".q.weight")) return 1 / sqrt(d_model * d_kv);
  if (tg_ends_with(name, ".o.weight")) return 1 / sqrt(c->n_heads * d_kv);
  if (tg_ends_with(name, ".wo.weight")) return 1 / sqrt((double)c->d_ff);
  return 1 / sqrt(d_model);
}

static void fill_normal(uint64_t key, double scale, size_t n, float *out) {
  for (size_t i = 0; i < n; i += 2) {
    const double radius = sqrt(-2 * log((double)((tg_random_at(key, i) >> 11) + 1) * 0x1p-53));
    const double angle = 2 * M_PI * ((double)(tg_random_at(key, i + 1) >> 11) * 0x1p-53);
    out[i] = (float)(scale * (radius * cos(angle)));
    if (i + 1 < n) out[i + 1] = (float)(scale * (radius * sin(angle)));
  }
}

void tg_parameters_initialise(const tg_layout *layout, uint64_t seed, float *weights) {
  for (size_t i = 0; i < layout->n; i++) {
    const tg_parameter *p = &layout->parameters[i];
    float *out = weights + p->offset;
    if (p->n_dims == 2)
      fill_normal(tg_random_key(seed, tg_random_label(p->name)), deviation(layout->config, p->name), p->count, out);
    else
      for (size_t j = 0; j < p->count; j++) out[j] = 1;
  }
}

/* ------------------------------------------------------------------------------------------------------------------------- loading */

static bool has_vocabulary(const tg_parameter *p) {
  return strcmp(p->name, "shared.weight") == 0 || strcmp(p->name, "lm_head.weight") == 0;
}

/* The tensor of a parameter's name and shape; rows of a vocabulary may be any number from pieces on. */
static t5gist_status find_tensor(const tg_checkpoint *checkpoint, const char *dir, const tg_parameter *p, int pieces, const tg_tensor **tensor,
                                 t5gist_error *err) {
  const tg_tensor *t = tg_checkpoint_find(checkpoint, p->name);
  size_t dims[2] = {p->dims[0], p->dims[1]};
  if (t && (t->dtype == TG_I8 || t->dtype == TG_U8))
    return tg_fail(err, T5GIST_EUNSUPPORTED,
                   "%s: expected weights in f32, bf16 or f16, found %s (tensor %s); train from the folder that was converted to it", dir,
                   t->dtype == TG_I8 ? "int8" : "int4", p->name);
  if (t && has_vocabulary(p) && t->rank == 2) {
    if (t->shape[0] < (size_t)pieces)
      return tg_fail(err, T5GIST_EMISMATCH, "%s: tensor %s: expected at least the tokenizer's %d rows, found %zu", dir, p->name, pieces, t->shape[0]);
    dims[0] = t->shape[0];
  }
  return tg_checkpoint_get(checkpoint, p->name, dims, p->n_dims, tensor, err);
}

/* Rows begin .. of a vocabulary become the mean of its first n rows. */
static void fill_mean(const tg_parameter *p, size_t begin, size_t n, float *out) {
  const size_t rows = p->dims[0], columns = p->dims[1];
  for (size_t j = 0; begin < rows && j < columns; j++) {
    double sum = 0;
    for (size_t i = 0; i < n; i++) sum += out[i * columns + j];
    for (size_t i = begin; i < rows; i++) out[i * columns + j] = (float)(sum / (double)n);
  }
}

static t5gist_status load_parameter(const tg_checkpoint *checkpoint, const char *dir, const tg_parameter *p, int pieces, float *out,
                                    t5gist_error *err) {
  const tg_tensor *t;
  TG_TRY(find_tensor(checkpoint, dir, p, pieces, &t, err));
  const size_t count = t->count < p->count ? t->count : p->count;
  tg_widen(t->data, t->dtype, count, out);
  tg_map_release(t->data, t->bytes);
  const size_t bad = tg_first_nonfinite(out, count);
  if (bad < count)
    return tg_fail(err, T5GIST_EFORMAT, "%s: tensor %s: expected finite numbers, found %g at %zu", dir, p->name, (double)out[bad], bad);
  if (has_vocabulary(p)) fill_mean(p, t->shape[0], (size_t)pieces, out);
  return T5GIST_OK;
}

t5gist_status tg_parameters_load(const char *dir, const tg_layout *layout, int pieces, float *weights, t5gist_error *err) {
  tg_checkpoint *checkpoint;
  t5gist_status status;
  if (pieces < 1 || pieces > layout->config->vocab_size)
    return tg_fail(err, T5GIST_EUSAGE, "%s: expected a tokenizer of 1 to vocab_size (%d) pieces, found %d", dir, layout->config->vocab_size, pieces);
  TG_TRY(tg_checkpoint_open(dir, &checkpoint, err));
  for (size_t i = 0; i < layout->n; i++) {
    const tg_parameter *p = &layout->parameters[i];
    TG_GOTO(load_parameter(checkpoint, dir, p, pieces, weights + p->offset, err));
  }
  status = T5GIST_OK;
done:
  tg_checkpoint_close(checkpoint);
  return status;
}

static void scale(float *x, size_t n, float factor) {
  for (size_t i = 0; i < n; i++) x[i] *= factor;
}

void tg_parameters_scale_q(const tg_layout *layout, float factor, float *weights) {
  const tg_config *c = layout->config;
  const size_t n = (size_t)c->n_heads * (size_t)c->d_kv * (size_t)c->d_model;
  for (int i = 0; i < c->n_layers; i++) scale(weights + layout->encoder[i].attention.q, n, factor);
  for (int i = 0; i < c->n_decoder_layers; i++) {
    scale(weights + layout->decoder[i].attention.q, n, factor);
    scale(weights + layout->decoder[i].cross.q, n, factor);
  }
}
