#include "support.h"

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
