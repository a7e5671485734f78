#include "support.h"

#include <string.h>

#include "runtime/file.h"
#include "runtime/json.h"
#include "t5/synthetic.h"
#include "tests/support/folder.h"

static void change_config(const char *dir, json_t *changes) {
  t5gist_error err;
  const char *path = folder_path(dir, "config.json");
  json_t *config;
  CHECK_OK(tg_json_read(path, 1 << 20, &config, &err));
  assert_int_equal(json_object_update(config, changes), 0);
  assert_int_equal(json_dump_file(config, path, JSON_INDENT(2)), 0);
  json_decref(config);
}

char *make_model(const char *shape, const char *variant, uint64_t seed, int vocab_size, json_t *changes) {
  t5gist_error err;
  char *dir = folder_new(TEST_BINARY_DIR);
  CHECK_OK(tg_synthetic_write(dir, shape, variant, seed, vocab_size, TEST_SOURCE_DIR "/tests/data/flan-t5", &err));
  if (changes) change_config(dir, changes);
  return dir;
}

/* ------------------------------------------------------------------------------------------------------------------- gists of no model */

enum { MADE_UP_HEADS = 2, MADE_UP_D_KV = 8, MADE_UP_D_MODEL = 16, N_FILLED = 5 };
static char made_up_fingerprint[TG_SHA256_HEX];
static const char made_up_task[] = "T: {task}", made_up_input[] = "I: {input}";

static float made_up_value(const char *task, int tensor, int i) {
  unsigned hash = 17u + (unsigned)tensor;
  for (; *task; task++) hash = hash * 31 + (unsigned char)*task;
  return (float)((hash + (unsigned)i * 7919u) % 65521u);
}

t5gist_gist *make_up_gist(const char *task, int n_gist) {
  t5gist_error err;
  t5gist_gist *gist;
  CHECK_OK(tg_alloc(&gist, 1, sizeof *gist, &err));
  *gist = (t5gist_gist){.n_gist = n_gist,
                        .n_task = 3,
                        .n_layers = 1,
                        .n_decoder_layers = 1,
                        .n_heads = MADE_UP_HEADS,
                        .d_kv = MADE_UP_D_KV,
                        .d_model = MADE_UP_D_MODEL,
                        .payload = "f32"};
  CHECK_OK(tg_gist_allocate(gist, true, &err));
  float *const tensors[N_FILLED] = {gist->enc_k, gist->enc_v, gist->states, gist->cross_k, gist->cross_v};
  for (int t = 0; t < N_FILLED; t++) {
    for (int i = 0; i < n_gist * MADE_UP_HEADS * MADE_UP_D_KV; i++) tensors[t][i] = made_up_value(task, t, i);
  }
  memcpy(gist->fingerprint, made_up_id(task, n_gist).fingerprint, sizeof gist->fingerprint);
  tg_sha256_hex(task, strlen(task), gist->task_sha256);
  CHECK_OK(tg_strdup(&gist->task, task, &err));
  CHECK_OK(tg_strdup(&gist->template_task, made_up_task, &err));
  CHECK_OK(tg_strdup(&gist->template_input, made_up_input, &err));
  CHECK_OK(tg_strdup(&gist->program_version, T5GIST_VERSION, &err));
  CHECK_OK(tg_strdup(&gist->computed_with, "f32 avx512", &err));
  return gist;
}

bool is_made_up(const t5gist_gist *gist, const char *task) {
  const float *const tensors[N_FILLED] = {gist->enc_k, gist->enc_v, gist->states, gist->cross_k, gist->cross_v};
  if (strcmp(gist->task, task) != 0 || !gist->cross_k) return false;
  for (int t = 0; t < N_FILLED; t++) {
    for (int i = 0; i < gist->n_gist * MADE_UP_HEADS * MADE_UP_D_KV; i++) {
      if (tensors[t][i] != made_up_value(task, t, i)) return false;
    }
  }
  return true;
}

tg_store_id made_up_id(const char *task, int n_gist) {
  memset(made_up_fingerprint, 'a', sizeof made_up_fingerprint - 1);
  return (tg_store_id){T5GIST_VERSION, made_up_fingerprint, made_up_task, made_up_input, "f32", task, n_gist};
}
