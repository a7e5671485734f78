/* A whole folder under `t5gist verify` and `t5gist inspect`: model.safetensors beside a sound config.json and tokenizer. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gist/tools.h"
#include "hostile.h"
#include "runtime/int4.h"
#include "runtime/safetensors.h"
#include "t5/names.h"
#include "tests/support/folder.h"

enum { MOST = 64, NAME = 144 };

/* The tensors of a file as they are declared. */
typedef struct declared {
  tg_tensor tensors[MOST];
  char names[MOST][NAME];
  size_t n;
  tg_dtype linear, rest; /* of matrices of linear layers and of everything else */
} declared;

static tg_config config;

static void release_config(void) {
  tg_config_free(&config);
}

static void model_prepare(const char *dir) {
  tg_buffer tokenizer = {0};
  t5gist_error err;
  folder_text(dir, "config.json",
              "{\"model_type\":\"t5\",\"vocab_size\":12,\"d_model\":2,\"d_kv\":1,\"d_ff\":3,\"num_heads\":2,\"num_layers\":1,\"num_decoder_layers\":1,"
              "\"relative_attention_num_buckets\":4,\"relative_attention_max_distance\":8,\"feed_forward_proj\":\"relu\",\"tie_word_embeddings\":true,"
              /* so that inspect does not hash, and remember, every file */
              "\"t5gist\":{\"source_fingerprint\":\"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\"}}");
  hostile_spiece.seed(0, &tokenizer);
  folder_write(dir, "spiece.model", tokenizer.data, tokenizer.size);
  tg_buffer_free(&tokenizer);
  if (tg_config_load(dir, &config, &err)) hostile_fail(err.message);
  atexit(release_config);
}

static void declare(declared *d, const char *name, const char *suffix, tg_dtype dtype, int rank, size_t a, size_t b) {
  if (d->n == MOST) hostile_fail("too many tensors for a seed");
  snprintf(d->names[d->n], NAME, "%s%s", name, suffix);
  d->tensors[d->n] = (tg_tensor){.name = d->names[d->n], .dtype = dtype, .rank = rank, .shape = {a, b}};
  d->n++;
}

static t5gist_status declare_spec(void *user, const tg_tensor_spec *spec, t5gist_error *err) {
  declared *d = user;
  const bool matrix = spec->n_dims == 2 && tg_is_linear(spec->name);
  const tg_dtype dtype = matrix ? d->linear : d->rest;
  (void)err;
  declare(d, spec->name, "", dtype, spec->n_dims, spec->dims[0], dtype == TG_U8 ? tg_int4_row_bytes(spec->dims[1]) : spec->dims[1]);
  if (dtype == TG_I8) declare(d, spec->name, "_scale", TG_F32, 1, spec->dims[0], 0);
  if (dtype == TG_U8) declare(d, spec->name, "_scale", TG_BF16, 2, spec->dims[0], 1);
  return T5GIST_OK;
}

/* In f32; in int8; in int4 with a head of its own. With tensors that are nobody's. */
static bool model_seed(int i, tg_buffer *out) {
  static const tg_dtype types[][2] = {{TG_F32, TG_F32}, {TG_I8, TG_F16}, {TG_U8, TG_BF16}};
  const tg_tensor_spec head = {.name = "lm_head.weight", .dims = {12, 2}, .n_dims = 2};
  declared d = {0};
  t5gist_error err;
  if (i >= 3) return false;
  d.linear = types[i][0];
  d.rest = types[i][1];
  if (tg_each_tensor(&config, declare_spec, &d, &err)) hostile_fail(err.message);
  if (i == 2) (void)declare_spec(&d, &head, &err);
  if (i == 1) declare(&d, "nobody's", "", TG_F64, 1, 3, 0);
  if (i == 1) declare(&d, "counts", "", TG_I64, 1, 1, 0);
  if (tg_safetensors_header(d.tensors, d.n, NULL, out, &err)) hostile_fail(err.message);
  for (size_t t = 0; t < d.n; t++) {
    size_t bytes = tg_dtype_size(d.tensors[t].dtype);
    for (int r = 0; r < d.tensors[t].rank; r++) bytes *= d.tensors[t].shape[r];
    while (bytes--) hostile_put(out, "\x3c", 1); /* a small number in every format */
  }
  return true;
}

static t5gist_status model_read(const hostile_input *in, t5gist_error *err) {
  char *text = NULL;
  size_t n;
  FILE *report = open_memstream(&text, &n);
  t5gist_error problem;
  const t5gist_status status = tg_verify_folder(in->dir, report, err), seen = tg_inspect_folder(in->dir, report, &problem);
  fclose(report);
  hostile_use_report(text, n);
  if (!status && seen && !hostile_failed()) hostile_fail(problem.message);
  if (!status && !strstr(text, "model.safetensors: ")) hostile_fail("a folder was called sound whose weights were not read");
  free(text);
  return status;
}

static const char *const model_words[] = {"F32",           "BF16",   "F16",   "F64",        "I8",     "U8",           "I64",
                                          "lm_head.weight", "_scale", "shape", "[3,2]",      "[2]",    "[12,2]",       "[12,1]",
                                          "[]",            "dtype",  "decoder", "encoder.", "SelfAttention.q.weight", "\x7f\xc0", "\x7f\x80",
                                          NULL};
const hostile_format hostile_model = {.name = "model",
                                      .file = "model.safetensors",
                                      .prepare = model_prepare,
                                      .seed = model_seed,
                                      .read = model_read,
                                      .repair = hostile_repair_header,
                                      .words = model_words};
