/* Files of numbers: safetensors, pytorch_model.bin with its pickle, the index of shards. */
#include <stdlib.h>
#include <string.h>

#include "hostile.h"
#include "runtime/safetensors.h"
#include "t5/checkpoint.h"
#include "t5/torch_bin.h"
#include "tests/support/folder.h"
#include "zip.h"

#define DATA TEST_SOURCE_DIR "/tests/data/torch/"

/* ------------------------------------------------------------------------------------------------------------------------- safetensors */

static tg_tensor declare(const char *name, tg_dtype dtype, int rank, size_t a, size_t b) {
  return (tg_tensor){.name = name, .dtype = dtype, .rank = rank, .shape = {a, b}};
}

static void put_container(tg_buffer *out, const tg_tensor *tensors, size_t n, const char *metadata, size_t data_size) {
  json_t *object = json_loads(metadata, JSON_ALLOW_NUL, NULL);
  if (tg_safetensors_header(tensors, n, object, out, NULL)) hostile_fail("no seed");
  json_decref(object);
  for (size_t i = 0; i < data_size; i++) hostile_put(out, &(unsigned char){(unsigned char)(i * 37)}, 1);
}

static bool safetensors_seed(int i, tg_buffer *out) {
  const tg_tensor tensors[] = {declare("shared.weight", TG_F32, 2, 5, 7),     declare("a", TG_BF16, 1, 9, 0),    declare("scalar", TG_F64, 0, 0, 0),
                               declare("encoder.block.0.é", TG_I8, 2, 3, 11), declare("empty", TG_F16, 2, 0, 4), declare("mask", TG_BOOL, 1, 3, 0)};
  if (i == 0) put_container(out, tensors, 6, "{\"format\":\"pt\",\"note\":\"a \\\"quoted\\\" text\"}", 140 + 18 + 8 + 33 + 3);
  if (i == 1) put_container(out, tensors, 0, "{}", 0);
  if (i == 2) {
    tg_tensor many[24];
    char names[24][16];
    for (int t = 0; t < 24; t++) {
      snprintf(names[t], sizeof names[t], "layer.%d.weight", t);
      many[t] = declare(names[t], TG_F32, 2, 2, 2);
    }
    put_container(out, many, 24, "{}", 24 * 16);
  }
  return i < 3;
}

static t5gist_status safetensors_read(const hostile_input *in, t5gist_error *err) {
  tg_safetensors *file;
  t5gist_status status = tg_safetensors_parse(in->data, in->size, "x.safetensors", &file, err);
  if (status) return status;
  for (size_t i = 0; i < tg_safetensors_count(file); i++) {
    const tg_tensor *t = tg_safetensors_at(file, i);
    float wide[64];
    hostile_use(t->data, t->bytes);
    if (t->count <= 64 && (t->dtype == TG_F32 || t->dtype == TG_BF16 || t->dtype == TG_F16 || t->dtype == TG_F64))
      tg_widen(t->data, t->dtype, t->count, wide);
    if (tg_safetensors_find(file, t->name) != t) hostile_fail("a tensor is not found by its name");
  }
  tg_safetensors_close(file);
  return T5GIST_OK;
}

static const char *const safetensors_words[] = {"F32",
                                                "BF16",
                                                "F16",
                                                "F64",
                                                "I8",
                                                "U8",
                                                "I64",
                                                "BOOL",
                                                "F8_E4M3",
                                                "dtype",
                                                "shape",
                                                "data_offsets",
                                                "__metadata__",
                                                "[0,0]",
                                                "[9223372036854775807,2]",
                                                "[]",
                                                "[4294967296,4294967296]",
                                                "\"x\":{\"dtype\":\"F32\",\"shape\":[0],\"data_offsets\":[0,0]},",
                                                "\\u0000",
                                                "\xff",
                                                NULL};
const hostile_format hostile_safetensors = {
    .name = "safetensors", .seed = safetensors_seed, .read = safetensors_read, .repair = hostile_repair_header, .words = safetensors_words};

/* --------------------------------------------------------------------------------------------------------------------------- torch_bin */

static bool torch_seed(int i, tg_buffer *out) {
  static const char *const files[] = {DATA "more.bin", DATA "weights.bin", DATA "good.bin"};
  if (i < 3) hostile_put_file(out, files[i]);
  return i < 3;
}

static t5gist_status use_torch(const char *path, t5gist_error *err) {
  tg_torch_bin *bin;
  const t5gist_status status = tg_torch_bin_open(path, &bin, err);
  if (status) return status;
  for (size_t i = 0; i < tg_torch_bin_count(bin); i++) {
    const tg_torch_tensor *t = tg_torch_bin_at(bin, i);
    hostile_use(t->data, t->bytes);
    hostile_use(t->name, strlen(t->name));
  }
  tg_torch_bin_close(bin);
  return T5GIST_OK;
}

static t5gist_status torch_read(const hostile_input *in, t5gist_error *err) {
  return use_torch(in->path, err);
}

static const char *const torch_words[] = {"PK\1\2",   "PK\3\4",   "PK\5\6", "PK\6\6",        "PK\6\7",
                                          "PK\7\x08", "data.pkl", "data/0", "byteorder",     "little",
                                          "version",  "../",      "\\",     "cos\nsystem\n", "ctorch\nFloatStorage\n",
                                          "archive/", NULL};
const hostile_format hostile_torch_bin = {
    .name = "torch_bin", .file = "x.bin", .seed = torch_seed, .read = torch_read, .repair = zip_repair, .words = torch_words};

/* ------------------------------------------------------------------------------------------------------------------------------ pickle */

/* data.pkl alone, in a sound archive whose storages 0 to 9 have 96 bytes. */
static const char pickle_seed_text[] =
    "\x80\x02}q\0(X\1\0\0\0aq\1ctorch._utils\n_rebuild_tensor_v2\nq\2(("
    "X\7\0\0\0storageq\3ctorch\nFloatStorage\nq\4X\1\0\0\0000q\5X\3\0\0\0cpuq\6K\x18tq\7Q"
    "K\0K\4K\6\x86q\x08K\6K\1\x86q\t\x89"
    "ccollections\nOrderedDict\nq\n)Rq\013tq\014Rq\r"
    "X\1\0\0\0bq\16h\2((h\3ctorch\nHalfStorage\nq\017X\1\0\0\0001q\020h\6K0tq\021QM\x0c\0K\3K\4\x86q\022K\1K\3\x86q\023\x89h\n)Rq\024tq\025Rq\026"
    "X\1\0\0\0cq\027ctorch._utils\n_rebuild_parameter\nq\030h\2((h\3ctorch\nLongStorage\nq\031X\1\0\0\0002q\032h\6K\014tq\033Q"
    "K\0)q\034)q\035\x88h\n)Rq\036tq\037Rq \x88h\n)Rq!\x87q\"Rq#u}X\t\0\0\0_metadata}sb.";

static bool pickle_seed(int i, tg_buffer *out) {
  if (i == 0) hostile_put(out, pickle_seed_text, sizeof pickle_seed_text - 1);
  if (i == 1)
    hostile_put(out,
                "\x80\x02}X\1\0\0\0actorch._utils\n_rebuild_tensor_v2\n((X\7\0\0\0storagectorch\nBFloat16Storage\nX\1\0\0\0003X\3\0\0\0cpu"
                "\x8a\1"
                "0tQJ\0\0\0\0(J\2\0\0\0K\3K\2K\1t(K\6K\2K\1K\1t\x89Ntr\0\0\0\0Rs.",
                137);
  return i < 2;
}

static t5gist_status pickle_read(const hostile_input *in, t5gist_error *err) {
  static const char zeros[96];
  static const char *const names[] = {"r/data/0", "r/data/1", "r/data/2", "r/data/3"};
  zip_entry entries[5] = {{"r/data.pkl", in->data, in->size}};
  for (int i = 0; i < 4; i++) entries[i + 1] = (zip_entry){names[i], zeros, sizeof zeros};
  tg_buffer archive = {0};
  zip_build(&archive, entries, 5);
  char *path = malloc(strlen(in->dir) + 8);
  sprintf(path, "%s/p.bin", in->dir);
  folder_write(in->dir, "p.bin", archive.data, archive.size);
  tg_buffer_free(&archive);
  const t5gist_status status = use_torch(path, err);
  free(path);
  return status;
}

static const char *const pickle_words[] = {"ctorch._utils\n_rebuild_tensor_v2\n",
                                           "ctorch._utils\n_rebuild_parameter\n",
                                           "ccollections\nOrderedDict\n",
                                           "ctorch\nFloatStorage\n",
                                           "ctorch\nBFloat16Storage\n",
                                           "X\7",
                                           "J",
                                           "K",
                                           "M",
                                           "\x8a\x08",
                                           "\x8a",
                                           "(",
                                           "t",
                                           "\x85",
                                           "\x86",
                                           "\x87",
                                           "q",
                                           "r",
                                           "h",
                                           "j",
                                           "Q",
                                           "R",
                                           "s",
                                           "u",
                                           "b",
                                           ".",
                                           "}",
                                           ")",
                                           "N",
                                           "\x88",
                                           "\x89",
                                           "cos\nsystem\n",
                                           NULL};
const hostile_format hostile_pickle = {.name = "pickle", .seed = pickle_seed, .read = pickle_read, .words = pickle_words};

/* ------------------------------------------------------------------------------------------------------------------------------- index */

static void index_prepare(const char *dir) {
  folder_text(dir, "config.json", "{\"model_type\":\"t5\"}");
  static const char *const files[] = {"model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"};
  static const char *const tensors[] = {"shared.weight", "encoder.final_layer_norm.weight"};
  for (int i = 0; i < 2; i++) {
    tg_buffer out = {0};
    const tg_tensor tensor = declare(tensors[i], TG_F32, 1, 3, 0);
    put_container(&out, &tensor, 1, "{}", 12);
    folder_write(dir, files[i], out.data, out.size);
    tg_buffer_free(&out);
  }
}

static bool index_seed(int i, tg_buffer *out) {
  if (i == 0)
    hostile_put_text(out,
                     "{\"metadata\": {\"total_size\": 24}, \"weight_map\": {\"shared.weight\": \"model-00001-of-00002.safetensors\", "
                     "\"encoder.final_layer_norm.weight\": \"model-00002-of-00002.safetensors\"}}\n");
  if (i == 1) hostile_put_text(out, "{\"weight_map\":{\"shared.weight\":\"model-00001-of-00002.safetensors\"}}");
  return i < 2;
}

static t5gist_status index_read(const hostile_input *in, t5gist_error *err) {
  tg_checkpoint *checkpoint;
  const tg_tensor *tensor;
  const t5gist_status status = tg_checkpoint_open(in->dir, &checkpoint, err);
  if (status) return status;
  if (!tg_checkpoint_get(checkpoint, "shared.weight", (const size_t[]){3}, 1, &tensor, NULL)) hostile_use(tensor->data, tensor->bytes);
  tg_checkpoint_close(checkpoint);
  return T5GIST_OK;
}

static const char *const index_words[] = {"weight_map",
                                          "metadata",
                                          "model-00001-of-00002.safetensors",
                                          "model-00002-of-00002.safetensors",
                                          "../x.safetensors",
                                          "/dev/zero.safetensors",
                                          ".safetensors",
                                          "model.safetensors.index.json",
                                          "shared.weight",
                                          "\\u0000",
                                          NULL};
const hostile_format hostile_index = {
    .name = "index", .file = "model.safetensors.index.json", .prepare = index_prepare, .seed = index_seed, .read = index_read, .words = index_words};
