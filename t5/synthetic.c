#include "t5/synthetic.h"

#include <math.h>
#include <string.h>

#include "runtime/error.h"
#include "runtime/kernels.h"
#include "runtime/safetensors.h"
#include "t5/names.h"
#include "t5/random.h"

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
  tg_dtype dtype;
  bool scales; /* of the bytes before it */
} stored;

typedef struct stored_list {
  bool int8;
  stored *items; /* [n] */
  size_t n, capacity;
} stored_list;

static t5gist_status add_stored(stored_list *list, const tg_tensor_spec *spec, tg_dtype dtype, bool scales, t5gist_error *err) {
  TG_TRY(tg_reserve(&list->items, &list->capacity, list->n + 1, sizeof *list->items, err));
  stored *item = &list->items[list->n++];
  *item = (stored){.spec = *spec, .dtype = dtype, .scales = scales};
  snprintf(item->name, sizeof item->name, "%s%s", spec->name, scales ? "_scale" : "");
  return T5GIST_OK;
}

static t5gist_status add_tensor(void *user, const tg_tensor_spec *spec, t5gist_error *err) {
  stored_list *list = user;
  const bool bytes = list->int8 && spec->n_dims == 2 && tg_is_linear(spec->name);
  TG_TRY(add_stored(list, spec, bytes ? TG_I8 : TG_F32, false, err));
  return bytes ? add_stored(list, spec, TG_F32, true, err) : T5GIST_OK;
}

static t5gist_status make_header(const stored_list *list, tg_buffer *header, t5gist_error *err) {
  tg_tensor *tensors = NULL;
  json_t *metadata = json_pack("{s:s}", "format", "pt"); /* transformers refuses a file without it */
  t5gist_status status = T5GIST_OK;
  if (!metadata) return tg_fail(err, T5GIST_ENOMEM, "out of memory");
  TG_GOTO(tg_alloc(&tensors, list->n, sizeof *tensors, err));
  for (size_t i = 0; i < list->n; i++) {
    const stored *item = &list->items[i];
    tensors[i] = (tg_tensor){.name = item->name, .dtype = item->dtype, .rank = item->scales ? 1 : item->spec.n_dims, .count = 1};
    bool fits = true;
    for (int d = 0; d < tensors[i].rank; d++) {
      tensors[i].shape[d] = item->spec.dims[d];
      fits = fits && tg_size_mul(tensors[i].count, item->spec.dims[d], &tensors[i].count);
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
  float *block;  /* [BLOCK] */
  int8_t *bytes; /* [BLOCK] */
  float *scales; /* [the most outputs of a layer] of the bytes written last */
} output;

static void fill_block(const output *o, const tg_tensor_spec *spec, size_t at, size_t n) {
  fill(o->config, spec->name, o->seed, at, n, o->block);
  if (o->kind == OUTLIER) plant_outliers(o->config, spec->name, at, n, o->block);
}

static t5gist_status write_floats(const output *o, const tg_tensor_spec *spec, t5gist_error *err) {
  const size_t count = spec->dims[0] * (spec->n_dims > 1 ? spec->dims[1] : 1); /* make_header has checked it */
  for (size_t at = 0; at < count; at += BLOCK) {
    const size_t n = count - at < BLOCK ? count - at : BLOCK;
    fill_block(o, spec, at, n);
    TG_TRY(tg_writer_write(o->writer, o->block, n * sizeof *o->block, err));
  }
  return T5GIST_OK;
}

/* Row by row; every shape's rows fit into a block. */
static t5gist_status write_bytes(const output *o, const tg_tensor_spec *spec, t5gist_error *err) {
  const size_t n_out = spec->dims[0], n_in = spec->dims[1], step = BLOCK / n_in;
  for (size_t row = 0; row < n_out; row += step) {
    const size_t rows = n_out - row < step ? n_out - row : step;
    fill_block(o, spec, row * n_in, rows * n_in);
    for (size_t i = 0; i < rows; i++) o->scales[row + i] = tg_quantize_row(o->block + i * n_in, n_in, o->bytes + i * n_in);
    TG_TRY(tg_writer_write(o->writer, o->bytes, rows * n_in, err));
  }
  return T5GIST_OK;
}

static t5gist_status write_tensor(const output *o, const stored *item, t5gist_error *err) {
  if (item->scales) return tg_writer_write(o->writer, o->scales, item->spec.dims[0] * sizeof *o->scales, err);
  return item->dtype == TG_I8 ? write_bytes(o, &item->spec, err) : write_floats(o, &item->spec, err);
}

static size_t most_outputs(const stored_list *list) {
  size_t most = 1;
  for (size_t i = 0; i < list->n; i++) most = list->items[i].spec.dims[0] > most ? list->items[i].spec.dims[0] : most;
  return most;
}

static t5gist_status write_weights(const tg_config *config, variant kind, bool int8, const char *path, uint64_t seed, t5gist_error *err) {
  t5gist_status status = T5GIST_OK;
  stored_list list = {.int8 = int8};
  tg_buffer header = {0};
  output o = {.config = config, .kind = kind, .seed = seed};
  TG_GOTO(tg_each_tensor(config, add_tensor, &list, err));
  TG_GOTO(make_header(&list, &header, err));
  TG_GOTO(tg_alloc(&o.block, BLOCK, sizeof *o.block, err));
  TG_GOTO(tg_alloc(&o.bytes, BLOCK, 1, err));
  TG_GOTO(tg_alloc(&o.scales, most_outputs(&list), sizeof *o.scales, err));
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

static t5gist_status write_config(const tg_config *c, variant kind, bool int8, const char *path, t5gist_error *err) {
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
  const bool ids = c->vocab_size != 32101;
  if (ids || int8) TG_GOTO(tg_buffer_printf(&text, err, "  \"t5gist\": {"));
  if (ids) TG_GOTO(tg_buffer_printf(&text, err, "\"gist_token_ids\": [%d]%s", c->vocab_size - 1, int8 ? ", " : ""));
  if (int8) TG_GOTO(tg_buffer_printf(&text, err, "\"dtype\": \"int8\""));
  if (ids || int8) TG_GOTO(tg_buffer_printf(&text, err, "},\n"));
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

static t5gist_status write_folder(const char *out_dir, const char *shape, const char *variant_name, bool int8, uint64_t seed, int vocab_size,
                                  const char *tokenizer_dir, t5gist_error *err) {
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
  TG_GOTO(write_weights(&config, kind, int8, weights_path, seed, err));
  TG_GOTO(write_config(&config, kind, int8, config_path, err)); /* last: a folder with a config.json is complete */
done:
  tg_free(tokenizer_path);
  tg_free(weights_path);
  tg_free(config_path);
  return status;
}

t5gist_status tg_synthetic_write(const char *out_dir, const char *shape, const char *variant_name, uint64_t seed, int vocab_size,
                                 const char *tokenizer_dir, t5gist_error *err) {
  return write_folder(out_dir, shape, variant_name, false, seed, vocab_size, tokenizer_dir, err);
}

t5gist_status tg_synthetic_write_int8(const char *out_dir, const char *shape, const char *variant_name, uint64_t seed, int vocab_size,
                                      const char *tokenizer_dir, t5gist_error *err) {
  return write_folder(out_dir, shape, variant_name, true, seed, vocab_size, tokenizer_dir, err);
}
