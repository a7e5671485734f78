#include "t5/synthetic.h"

#include <math.h>
#include <string.h>

#include "runtime/error.h"
#include "runtime/int4.h"
#include "runtime/kernels.h"
#include "runtime/safetensors.h"
#include "t5/names.h"
#include "t5/random.h"
#include "t5/round4.h"

/* Numbers of tensor NAME under seed s: element i is the top 24 bits u of tg_random_at(tg_random_key(s, fnv1a(NAME)), i). Matrices: (2u + 1 - 2^24)
 * * scale, uniform on a symmetric range; the integer is exact in f32, so that one rounded product is all the arithmetic there is. Norms: a
 * fixed-point number of 23 fractional bits in 0.6 .. 1.4, exact. tests/golden/synthetic.py does the same. */

enum { BLOCK = 1 << 14, MAX_TOKENIZER_BYTES = 1 << 28, MAX_VOCABULARY = 1 << 24 };

typedef struct shape_entry {
  const char *name;
  int d_model, d_ff, d_kv, n_heads, n_layers;
} shape_entry;

static const shape_entry shapes[] = {
    {"tiny", 64, 128, 16, 4, 2},       {"mini", 256, 512, 64, 4, 4},   {"small", 512, 1024, 64, 6, 8},   {"base", 768, 2048, 64, 12, 12},
    {"large", 1024, 2816, 64, 16, 24}, {"xl", 2048, 5120, 64, 32, 24}, {"xxl", 4096, 10240, 64, 64, 24},
};
enum { N_SHAPES = sizeof shapes / sizeof *shapes };

/* flan: gated-gelu, untied head. t5v1: relu, tied. tied: gated-gelu, tied. uneven: one more encoder layer. wide: d_kv * n_heads != d_model, other
 * buckets. v5config: flan's weights under a config.json as transformers 5 writes it. outlier: flan with a few channels of wo's input far
 * larger than the others, as large FLAN-T5 models have them. */
typedef enum variant { FLAN, T5V1, TIED, UNEVEN, WIDE, V5CONFIG, OUTLIER, N_VARIANTS } variant;
static const char *const variants[N_VARIANTS] = {"flan", "t5v1", "tied", "uneven", "wide", "v5config", "outlier"};

/* Standard deviations: T5's initialisation (Hugging Face's T5PreTrainedModel._init_weights), sharpened where answers would otherwise hardly differ
 * between inputs and masks. Tied checkpoints scale the decoder's output down, so their residual branches are louder. */
static double deviation(const tg_config *c, const char *name) {
  const size_t n = strlen(name);
  const double d_model = c->d_model, inner = (double)c->d_kv * c->n_heads;
  const bool tied = c->head == TG_HEAD_SHARED;
  const double louder = tied ? 6.0 : 1.0;
  if (strcmp(name, "shared.weight") == 0) return tied ? 0.5 : 1.0;
  if (strcmp(name, "lm_head.weight") == 0) return 3.0 / sqrt(d_model);
  if (strstr(name, "relative_attention_bias")) return 1.0;
  if (n > 9 && strcmp(name + n - 9, ".q.weight") == 0) return 2.0 / sqrt(d_model * c->d_kv);
  if (n > 9 && strcmp(name + n - 9, ".k.weight") == 0) return 2.0 / sqrt(d_model);
  if (n > 9 && strcmp(name + n - 9, ".o.weight") == 0) return louder / sqrt(inner);
  if (n > 10 && strcmp(name + n - 10, ".wo.weight") == 0) return louder / sqrt((double)c->d_ff);
  return 1.0 / sqrt(d_model); /* v, wi, wi_0, wi_1 */
}

/* Elements begin .. begin + n - 1. */
static void fill(const tg_config *config, const char *name, uint64_t seed, uint64_t begin, size_t n, float *out) {
  const uint64_t key = tg_random_key(seed, tg_random_label(name));
  if (strstr(name, "layer_norm")) {
    for (size_t i = 0; i < n; i++) out[i] = (float)(5033165 + ((tg_random_at(key, begin + i) >> 40) * 6710886 >> 24)) * 0x1p-23f;
    return;
  }
  const float scale = (float)(deviation(config, name) * sqrt(3.0)) * 0x1p-24f; /* uniform on +-r has deviation r / sqrt(3) */
  for (size_t i = 0; i < n; i++) out[i] = (float)(2 * (int32_t)(tg_random_at(key, begin + i) >> 40) + 1 - (1 << 24)) * scale;
}

/* Every OUTLIER_PERIOD-th channel between wi_1 and wo is 64 times as large, and weighs four times as much in the sum. */
static void plant_outliers(const tg_config *config, const char *name, size_t begin, size_t n, float *out) {
  enum { OUTLIER_PERIOD = 61, OUTLIER_FIRST = 7 };
  const size_t d_model = (size_t)config->d_model, d_ff = (size_t)config->d_ff;
  const bool wi = strstr(name, ".wi_1.") != NULL, wo = strstr(name, ".wo.") != NULL;
  for (size_t i = 0; (wi || wo) && i < n; i++) {
    const size_t channel = wi ? (begin + i) / d_model : (begin + i) % d_ff;
    if (channel % OUTLIER_PERIOD == OUTLIER_FIRST) out[i] *= wi ? 64 : 0.0625f;
  }
}

/* A tensor of the file. */
typedef struct stored {
  char name[sizeof((tg_tensor_spec *)0)->name + 8];
  tg_tensor_spec spec; /* whose numbers it is made of */
  size_t dims[2];
  int n_dims;
  tg_dtype dtype;
  bool scales; /* of the bits before it */
} stored;

typedef struct stored_list {
  tg_precision precision; /* TG_PRECISION_F32, _INT8 or _INT4 */
  stored *items; /* [n] */
  size_t n, capacity;
} stored_list;

static t5gist_status add_stored(stored_list *list, const stored *item, t5gist_error *err) {
  TG_TRY(tg_reserve(&list->items, &list->capacity, list->n + 1, sizeof *list->items, err));
  list->items[list->n++] = *item;
  return T5GIST_OK;
}

/* A matrix in 8 or 4 bits and its scales. */
static t5gist_status add_bits(stored_list *list, const tg_tensor_spec *spec, bool int4, t5gist_error *err) {
  const size_t n_out = spec->dims[0], n_in = spec->dims[1];
  stored bits = {.spec = *spec, .n_dims = 2, .dims = {n_out, int4 ? tg_int4_row_bytes(n_in) : n_in}, .dtype = int4 ? TG_U8 : TG_I8};
  stored scales = {.spec = *spec, .n_dims = int4 ? 2 : 1, .dims = {n_out, tg_int4_groups(n_in, TG_INT4_GROUP)}, .scales = true};
  scales.dtype = int4 ? TG_BF16 : TG_F32;
  snprintf(bits.name, sizeof bits.name, "%s", spec->name);
  snprintf(scales.name, sizeof scales.name, "%s_scale", spec->name);
  TG_TRY(add_stored(list, &bits, err));
  return add_stored(list, &scales, err);
}

static t5gist_status add_tensor(void *user, const tg_tensor_spec *spec, t5gist_error *err) {
  stored_list *list = user;
  const bool int4 = list->precision == TG_PRECISION_INT4;
  if (list->precision != TG_PRECISION_F32 && spec->n_dims == 2 && tg_is_linear(spec->name))
    return add_bits(list, spec, tg_layer_precision(spec->name, list->precision, TG_PRECISION_INT8X16) == TG_PRECISION_INT4, err);
  stored item = {.spec = *spec, .n_dims = spec->n_dims, .dims = {spec->dims[0], spec->dims[1]}};
  item.dtype = int4 && strcmp(spec->name, "shared.weight") == 0 ? TG_BF16 : TG_F32;
  snprintf(item.name, sizeof item.name, "%s", spec->name);
  return add_stored(list, &item, err);
}

/* All of them; in int4 a tied model's head too. */
static t5gist_status list_tensors(const tg_config *config, stored_list *list, t5gist_error *err) {
  TG_TRY(tg_each_tensor(config, add_tensor, list, err));
  if (list->precision != TG_PRECISION_INT4 || config->head != TG_HEAD_SHARED) return T5GIST_OK;
  const tg_tensor_spec head = {.name = "lm_head.weight", .dims = {(size_t)config->vocab_size, (size_t)config->d_model}, .n_dims = 2};
  return add_bits(list, &head, true, err);
}

static t5gist_status make_header(const stored_list *list, tg_buffer *header, t5gist_error *err) {
  tg_tensor *tensors = NULL;
  json_t *metadata = json_pack("{s:s}", "format", "pt"); /* transformers refuses a file without it */
  t5gist_status status = T5GIST_OK;
  if (!metadata) return tg_fail(err, T5GIST_ENOMEM, "out of memory");
  TG_GOTO(tg_alloc(&tensors, list->n, sizeof *tensors, err));
  for (size_t i = 0; i < list->n; i++) {
    const stored *item = &list->items[i];
    tensors[i] = (tg_tensor){.name = item->name, .dtype = item->dtype, .rank = item->n_dims, .count = 1};
    bool fits = true;
    for (int d = 0; d < tensors[i].rank; d++) {
      tensors[i].shape[d] = item->dims[d];
      fits = fits && tg_size_mul(tensors[i].count, item->dims[d], &tensors[i].count);
    }
    if (!fits || !tg_size_mul(tensors[i].count, tg_dtype_size(item->dtype), &tensors[i].bytes)) {
      status = tg_fail(err, T5GIST_EUSAGE, "%s is too large for this machine's addresses", item->name);
      goto done;
    }
  }
  TG_GOTO(tg_safetensors_header(tensors, list->n, metadata, header, err));
done:
  json_decref(metadata);
  tg_free(tensors);
  return status;
}

/* What writing the numbers takes. */
typedef struct output {
  const tg_config *config;
  variant kind;
  uint64_t seed;
  tg_writer *writer;
  float *block;         /* [BLOCK] */
  unsigned char *bytes; /* [2 * BLOCK] */
  float *scales;        /* [the most of a layer] of the bits written last */
} output;

/* A tied head's numbers are the embedding's. */
static void fill_block(const output *o, const tg_tensor_spec *spec, size_t at, size_t n) {
  const bool tied = o->config->head == TG_HEAD_SHARED && strcmp(spec->name, "lm_head.weight") == 0;
  fill(o->config, tied ? "shared.weight" : spec->name, o->seed, at, n, o->block);
  if (o->kind == OUTLIER) plant_outliers(o->config, spec->name, at, n, o->block);
}

/* n numbers of the block, as f32 or bf16. */
static t5gist_status write_numbers(const output *o, const float *numbers, size_t n, tg_dtype dtype, t5gist_error *err) {
  if (dtype == TG_F32) return tg_writer_write(o->writer, numbers, n * sizeof *numbers, err);
  tg_narrow_bf16(numbers, n, (uint16_t *)(void *)o->bytes);
  return tg_writer_write(o->writer, o->bytes, n * sizeof(uint16_t), err);
}

static t5gist_status write_floats(const output *o, const stored *item, t5gist_error *err) {
  const tg_tensor_spec *spec = &item->spec;
  const size_t count = spec->dims[0] * (spec->n_dims > 1 ? spec->dims[1] : 1); /* make_header has checked it */
  for (size_t at = 0; at < count; at += BLOCK) {
    const size_t n = count - at < BLOCK ? count - at : BLOCK;
    fill_block(o, spec, at, n);
    TG_TRY(write_numbers(o, o->block, n, item->dtype, err));
  }
  return T5GIST_OK;
}

/* Row by row; every shape's rows fit into a block. */
static t5gist_status write_rows(const output *o, const tg_tensor_spec *spec, tg_rounder *rounder, t5gist_error *err) {
  const size_t n_out = spec->dims[0], n_in = spec->dims[1], step = BLOCK / n_in, n_groups = tg_int4_groups(n_in, TG_INT4_GROUP);
  for (size_t row = 0; row < n_out; row += step) {
    const size_t rows = n_out - row < step ? n_out - row : step;
    fill_block(o, spec, row * n_in, rows * n_in);
    if (rounder)
      tg_rounder_round(rounder, o->block, rows, o->bytes, o->scales + row * n_groups);
    else
      for (size_t i = 0; i < rows; i++) o->scales[row + i] = tg_quantize_row(o->block + i * n_in, n_in, (int8_t *)o->bytes + i * n_in);
    TG_TRY(tg_writer_write(o->writer, o->bytes, rows * (rounder ? tg_int4_row_bytes(n_in) : n_in), err));
  }
  return T5GIST_OK;
}

static t5gist_status write_scales(const output *o, const stored *item, t5gist_error *err) {
  const size_t count = item->dims[0] * (item->n_dims > 1 ? item->dims[1] : 1);
  for (size_t at = 0; at < count; at += BLOCK)
    TG_TRY(write_numbers(o, o->scales + at, count - at < BLOCK ? count - at : BLOCK, item->dtype, err));
  return T5GIST_OK;
}

static t5gist_status write_tensor(const output *o, const stored *item, t5gist_error *err) {
  if (item->scales) return write_scales(o, item, err);
  if (item->dtype != TG_I8 && item->dtype != TG_U8) return write_floats(o, item, err);
  tg_rounder *rounder = NULL;
  if (item->dtype == TG_U8) TG_TRY(tg_rounder_new(item->spec.dims[1], TG_INT4_GROUP, TG_ROUND_SEARCH, NULL, NULL, &rounder, err));
  const t5gist_status status = write_rows(o, &item->spec, rounder, err);
  tg_rounder_free(rounder);
  return status;
}

/* The most scales of a layer, and one at least. */
static size_t most_scales(const stored_list *list) {
  size_t most = 1;
  for (size_t i = 0; i < list->n; i++) {
    const stored *item = &list->items[i];
    const size_t count = item->scales ? item->dims[0] * (item->n_dims > 1 ? item->dims[1] : 1) : 0; /* fewer than numbers: checked by make_header */
    most = count > most ? count : most;
  }
  return most;
}

static t5gist_status write_weights(const tg_config *config, variant kind, tg_precision precision, const char *path, uint64_t seed,
                                   t5gist_error *err) {
  t5gist_status status = T5GIST_OK;
  stored_list list = {.precision = precision};
  tg_buffer header = {0};
  output o = {.config = config, .kind = kind, .seed = seed};
  TG_GOTO(list_tensors(config, &list, err));
  TG_GOTO(make_header(&list, &header, err));
  TG_GOTO(tg_alloc(&o.block, BLOCK, sizeof *o.block, err));
  TG_GOTO(tg_alloc(&o.bytes, BLOCK, sizeof(uint16_t), err));
  TG_GOTO(tg_alloc(&o.scales, most_scales(&list), sizeof *o.scales, err));
  TG_GOTO(tg_writer_open(path, 0666, &o.writer, err));
  TG_GOTO(tg_writer_write(o.writer, header.data, header.size, err));
  for (size_t i = 0; i < list.n; i++) TG_GOTO(write_tensor(&o, &list.items[i], err));
  tg_writer *const full = o.writer;
  o.writer = NULL; /* commit frees it */
  TG_GOTO(tg_writer_commit(full, err));
done:
  tg_writer_abort(o.writer);
  tg_free(o.block);
  tg_free(o.bytes);
  tg_free(o.scales);
  tg_buffer_free(&header);
  tg_free(list.items);
  return status;
}

static t5gist_status write_config(const tg_config *c, variant kind, tg_precision precision, const char *path, t5gist_error *err) {
  tg_buffer text = {0};
  t5gist_status status = T5GIST_OK;
  const bool tied = c->head == TG_HEAD_SHARED || kind == V5CONFIG; /* transformers 5 writes true whatever the truth */
  TG_GOTO(
      tg_buffer_printf(&text, err,
                       "{\n  \"architectures\": [\"T5ForConditionalGeneration\"],\n  \"model_type\": \"t5\",\n  \"is_encoder_decoder\": true,\n"
                       "  \"vocab_size\": %d,\n  \"d_model\": %d,\n  \"d_kv\": %d,\n  \"d_ff\": %d,\n  \"num_heads\": %d,\n  \"num_layers\": %d,\n"
                       "  \"num_decoder_layers\": %d,\n",
                       c->vocab_size, c->d_model, c->d_kv, c->d_ff, c->n_heads, c->n_layers, c->n_decoder_layers));
  TG_GOTO(tg_buffer_printf(&text, err,
                           "  \"relative_attention_num_buckets\": %d,\n  \"relative_attention_max_distance\": %d,\n  \"layer_norm_epsilon\": 1e-06,\n"
                           "  \"feed_forward_proj\": \"%s\",\n  \"tie_word_embeddings\": %s,\n  \"pad_token_id\": 0,\n  \"eos_token_id\": 1,\n"
                           "  \"decoder_start_token_id\": 0,\n  \"dtype\": \"float32\",\n",
                           c->n_buckets, c->max_distance, c->gated ? "gated-gelu" : "relu", tied ? "true" : "false"));
  if (kind == V5CONFIG) TG_GOTO(tg_buffer_printf(&text, err, "  \"scale_decoder_outputs\": false,\n"));
  /* The published vocabulary says where its gist token is; any other must be told. */
  const bool ids = c->vocab_size != 32101, bits = precision != TG_PRECISION_F32;
  if (ids || bits) TG_GOTO(tg_buffer_printf(&text, err, "  \"t5gist\": {"));
  if (ids) TG_GOTO(tg_buffer_printf(&text, err, "\"gist_token_ids\": [%d]%s", c->vocab_size - 1, bits ? ", " : ""));
  if (bits) TG_GOTO(tg_buffer_printf(&text, err, "\"dtype\": \"%s\"", tg_precision_name(precision)));
  if (ids || bits) TG_GOTO(tg_buffer_printf(&text, err, "},\n"));
  TG_GOTO(tg_buffer_printf(&text, err, "  \"transformers_version\": \"%s\"\n}\n", kind == V5CONFIG ? "5.23.0" : "4.57.1"));
  TG_GOTO(tg_write_file(path, 0666, text.data, text.size, err));
done:
  tg_buffer_free(&text);
  return status;
}

static t5gist_status copy_tokenizer(const char *from_dir, const char *path, t5gist_error *err) {
  t5gist_status status = T5GIST_OK;
  char *from = NULL;
  tg_buffer bytes = {0};
  TG_GOTO(tg_path_join(&from, from_dir, "spiece.model", err));
  TG_GOTO(tg_read_file(from, MAX_TOKENIZER_BYTES, false, &bytes, err));
  TG_GOTO(tg_write_file(path, 0666, bytes.data, bytes.size, err));
done:
  tg_buffer_free(&bytes);
  tg_free(from);
  return status;
}

static t5gist_status make_config(const char *shape, const char *kind_name, int vocab_size, tg_config *config, variant *kind, t5gist_error *err) {
  int s = 0, v = 0;
  while (s < N_SHAPES && strcmp(shapes[s].name, shape) != 0) s++;
  while (v < N_VARIANTS && strcmp(variants[v], kind_name) != 0) v++;
  if (s == N_SHAPES) return tg_fail(err, T5GIST_EUSAGE, "unknown shape \"%s\": expected tiny, mini, small, base, large, xl or xxl", shape);
  if (v == N_VARIANTS) return tg_fail(err, T5GIST_EUSAGE, "unknown variant \"%s\": expected flan, t5v1, tied, uneven, wide, v5config or outlier", kind_name);
  if (vocab_size == T5GIST_UNSET) vocab_size = 32101;
  if (vocab_size < 4 || vocab_size > MAX_VOCABULARY)
    return tg_fail(err, T5GIST_EUSAGE, "expected a vocabulary of 4 to %d rows, found %d", MAX_VOCABULARY, vocab_size);
  const shape_entry *e = &shapes[s];
  *kind = (variant)v;
  *config = (tg_config){.model_type = "t5",
                        .vocab_size = vocab_size,
                        .d_model = e->d_model,
                        .d_kv = v == WIDE ? e->d_kv * 3 / 2 : e->d_kv,
                        .d_ff = e->d_ff,
                        .n_heads = e->n_heads,
                        .n_layers = e->n_layers + (v == UNEVEN),
                        .n_decoder_layers = e->n_layers,
                        .n_buckets = v == WIDE ? 16 : 32,
                        .max_distance = v == WIDE ? 64 : 128,
                        .gated = v != T5V1,
                        .head = v == T5V1 || v == TIED ? TG_HEAD_SHARED : TG_HEAD_FILE};
  return T5GIST_OK;
}

t5gist_status tg_synthetic_write_as(tg_precision precision, const char *out_dir, const char *shape, const char *variant_name, uint64_t seed,
                                    int vocab_size, const char *tokenizer_dir, t5gist_error *err) {
  t5gist_status status = T5GIST_OK;
  tg_config config;
  variant kind = FLAN;
  char *config_path = NULL, *weights_path = NULL, *tokenizer_path = NULL;
  TG_TRY(make_config(shape, variant_name, vocab_size, &config, &kind, err));
  TG_GOTO(tg_make_dirs(out_dir, err));
  TG_GOTO(tg_path_join(&config_path, out_dir, "config.json", err));
  TG_GOTO(tg_path_join(&weights_path, out_dir, "model.safetensors", err));
  TG_GOTO(tg_path_join(&tokenizer_path, out_dir, "spiece.model", err));
  TG_GOTO(copy_tokenizer(tokenizer_dir, tokenizer_path, err));
  TG_GOTO(write_weights(&config, kind, precision, weights_path, seed, err));
  TG_GOTO(write_config(&config, kind, precision, config_path, err)); /* last: a folder with a config.json is complete */
done:
  tg_free(tokenizer_path);
  tg_free(weights_path);
  tg_free(config_path);
  return status;
}

t5gist_status tg_synthetic_write(const char *out_dir, const char *shape, const char *variant_name, uint64_t seed, int vocab_size,
                                 const char *tokenizer_dir, t5gist_error *err) {
  return tg_synthetic_write_as(TG_PRECISION_F32, out_dir, shape, variant_name, seed, vocab_size, tokenizer_dir, err);
}
