#include "support.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "runtime/file.h"
#include "runtime/json.h"
#include "t5/synthetic.h"

static void change_config(const char *dir, json_t *changes) {
  t5gist_error err;
  char *path;
  json_t *config;
  CHECK_OK(tg_path_join(&path, dir, "config.json", &err));
  CHECK_OK(tg_json_read(path, 1 << 20, &config, &err));
  assert_int_equal(json_object_update(config, changes), 0);
  assert_int_equal(json_dump_file(config, path, JSON_INDENT(2)), 0);
  json_decref(config);
  tg_free(path);
}

char *make_model(const char *shape, const char *variant, uint64_t seed, int vocab_size, json_t *changes) {
  t5gist_error err;
  const char *tmp = getenv("TMPDIR");
  char *dir;
  if (asprintf(&dir, "%s/t5gist-test-XXXXXX", tmp && *tmp ? tmp : "/tmp") < 0 || !mkdtemp(dir)) fail_msg("no temporary folder");
  CHECK_OK(tg_synthetic_write(dir, shape, variant, seed, vocab_size, TEST_SOURCE_DIR "/tests/data/flan-t5", &err));
  if (changes && json_object_size(changes)) change_config(dir, changes);
  return dir;
}

static int remove_one(const char *path, const struct stat *info, int type, struct FTW *walk) {
  (void)info, (void)type, (void)walk;
  return remove(path);
}

void remove_model(char *dir) {
  nftw(dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
  free(dir);
}
