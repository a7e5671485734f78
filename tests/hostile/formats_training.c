/* What training keeps: tokenised examples, and the state of a run. */
#include <stdlib.h>
#include <string.h>

#include "hostile.h"
#include "runtime/error.h"
#include "tests/support/folder.h"
#include "training/shard.h"
#include "training/snapshot.h"

static const char KEY[TG_SHA256_HEX] = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
enum { VOCABULARY = 100 };

/* ------------------------------------------------------------------------------------------------------------------------------- shard */

static t5gist_status write_shard(const char *path, int n_examples, t5gist_error *err) {
  static const int32_t ids[] = {3, 14, 15, 92, 65, 35, 89, 79, 1};
  tg_shard_writer *writer;
  json_t *families = json_pack("{s:i, s:i}", "seen", 0, "unseen", 1), *splits = json_pack("{s:i}", "train", 0);
  const tg_data_report report = {.lines = 3, .examples = (size_t)n_examples};
  t5gist_status status = tg_shard_create(path, KEY, &writer, err);
  for (int i = 0; i < n_examples && !status; i++) {
    const tg_example e = {.task = ids,
                          .input = ids + 2,
                          .target = ids + 5,
                          .n_task = i,
                          .n_input = 3,
                          .n_target = 4 - i % 2,
                          .family = i % 2,
                          .split = -i % 2,
                          .task_hash = 7};
    status = tg_shard_add(writer, &e, err);
  }
  if (!status) status = tg_shard_finish(writer, families, splits, &report, err);
  json_decref(families);
  json_decref(splits);
  return status;
}

static bool shard_seed(int i, tg_buffer *out) {
  t5gist_error err;
  if (i >= 2) return false;
  char *dir = folder_new(TEST_BINARY_DIR);
  if (write_shard(folder_path(dir, "x"), i ? 1 : 7, &err)) hostile_fail(err.message);
  hostile_put_file(out, folder_path(dir, "x"));
  folder_remove(dir);
  return true;
}

static t5gist_status shard_read(const hostile_input *in, t5gist_error *err) {
  tg_shard shard;
  TG_TRY(tg_shard_open(in->path, KEY, VOCABULARY, &shard, err));
  for (size_t i = 0; i < shard.n_examples; i++) {
    const tg_shard_example *e = &shard.examples[i];
    const size_t n = (size_t)e->n_task + e->n_input + e->n_target;
    for (size_t k = 0; k < n; k++)
      if (shard.ids[e->begin + k] < 0 || shard.ids[e->begin + k] >= VOCABULARY) hostile_fail("an id beyond the vocabulary was taken");
    if (e->family >= 0) hostile_use(shard.names[e->family], strlen(shard.names[e->family]));
    if (e->split >= 0) hostile_use(shard.names[shard.n_families + (size_t)e->split], 1);
  }
  tg_shard_close(&shard);
  return T5GIST_OK;
}

/* The checksum's 64 digits stand 72 bytes before the end. */
static void shard_repair(unsigned char *data, size_t size) {
  enum { CHECKSUM = 72 };
  char hex[TG_SHA256_HEX];
  if (size < CHECKSUM) return;
  tg_sha256_hex(data, size - CHECKSUM, hex);
  memcpy(data + size - CHECKSUM, hex, sizeof hex);
}

static const char *const shard_words[] = {"t5gistX\n", "seen", "unseen", "train", "\1\0\0\0", "\xff\xff\xff\xff", "\xff\xff\xff\x7f", NULL};
const hostile_format hostile_shard = {
    .name = "shard", .file = "x.shard", .seed = shard_seed, .read = shard_read, .repair = shard_repair, .words = shard_words};

/* ---------------------------------------------------------------------------------------------------------------------------- snapshot */

static const tg_config config = {
    .vocab_size = 5, .d_model = 2, .d_kv = 1, .d_ff = 3, .n_heads = 2, .n_layers = 1, .n_decoder_layers = 1, .n_buckets = 4, .head = TG_HEAD_FILE};

static struct {
  tg_layout layout;
  tg_optimiser *optimiser;
  float *weights;
} run;

static t5gist_status make_run(const char *dir, t5gist_error *err) {
  const tg_optimiser_options options = {.kind = TG_ADAMW, .beta1 = 0.9f, .beta2 = 0.99f, .eps = 1e-8f, .gist_factor = 1};
  TG_TRY(tg_layout_make(&config, true, &run.layout, err));
  TG_TRY(tg_alloc(&run.weights, run.layout.count, sizeof *run.weights, err));
  TG_TRY(tg_optimiser_new(&run.layout, &options, 0, run.layout.count, &run.optimiser, err));
  tg_parameters_initialise(&run.layout, 1, run.weights);
  tg_snapshot snapshot = {&run.layout, run.weights, run.optimiser, json_pack("{s:i, s:f, s:[i, i]}", "step", 1, "best", 0.5, "seeds", 1, 2), 0, 1};
  const t5gist_status status = tg_snapshot_save(&snapshot, dir, 1, 1, err);
  json_decref(snapshot.state);
  return status;
}

static tg_buffer state_text; /* as it was saved */

static void release_run(void) {
  tg_buffer_free(&state_text);
  tg_optimiser_free(run.optimiser);
  tg_free(run.weights);
  tg_layout_free(&run.layout);
}

static void snapshot_prepare(const char *dir) {
  t5gist_error err;
  if (make_run(dir, &err)) hostile_fail(err.message);
  hostile_put_file(&state_text, folder_path(dir, "step-00000001/state.json"));
  atexit(release_run);
}

static bool snapshot_seed(int i, tg_buffer *out) {
  if (i == 0) hostile_put(out, state_text.data, state_text.size);
  return i < 1;
}

static t5gist_status snapshot_read(const hostile_input *in, t5gist_error *err) {
  tg_snapshot snapshot = {&run.layout, run.weights, run.optimiser, NULL, 0, 1};
  TG_TRY(tg_snapshot_load(&snapshot, in->dir, 1, err));
  json_decref(snapshot.state);
  return T5GIST_OK;
}

static const char *const snapshot_words[] = {"step", "state",   "version", "n_ranks", "rank", "optimiser.safetensors", "weights.safetensors",
                                             "../",  "\\u0000", NULL};
const hostile_format hostile_snapshot = {.name = "snapshot",
                                         .file = "step-00000001/state.json",
                                         .prepare = snapshot_prepare,
                                         .seed = snapshot_seed,
                                         .read = snapshot_read,
                                         .words = snapshot_words};
