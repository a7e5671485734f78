#include "t5/shards.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/error.h"
#include "runtime/json.h"
#include "runtime/memory.h"

enum { INDEX_LIMIT = 64 << 20, MAX_SHARDS = 4096 };

/* A name within the folder: nothing of the index may lead elsewhere. */
static bool plain_name(const char *name, const char *suffix) {
  const size_t n = strlen(name), n_suffix = strlen(suffix);
  return n > n_suffix && n < 256 && name[0] != '.' && !strchr(name, '/') && strcmp(name + n - n_suffix, suffix) == 0;
}

static int by_name(const void *a, const void *b) {
  return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static t5gist_status read_names(tg_shards *s, const char *path, const char *suffix, t5gist_error *err) {
  const size_t size = json_object_size(s->map);
  const char *tensor;
  json_t *file;
  size_t n = 0;
  if (!size)
    return tg_fail(err, T5GIST_EFORMAT, "%s: weight_map: expected an object from tensor to file names, found %s", path, tg_json_type_name(s->map));
  TG_TRY(tg_alloc(&s->names, size, sizeof *s->names, err));
  json_object_foreach((json_t *)s->map, tensor, file) {
    const char *name = json_string_value(file);
    if (!name || !plain_name(name, suffix)) {
      return tg_fail(err, T5GIST_EFORMAT, "%s: weight_map: %.200s: expected the name of a %s file in the same folder, found %.200s", path, tensor,
                     suffix, name ? name : tg_json_type_name(file));
    }
    s->names[n++] = name;
  }
  qsort(s->names, n, sizeof *s->names, by_name);
  for (size_t i = 0; i < n; i++) {
    if (i == 0 || strcmp(s->names[i], s->names[s->n - 1]) != 0) s->names[s->n++] = s->names[i];
  }
  return s->n <= MAX_SHARDS ? T5GIST_OK : tg_fail(err, T5GIST_EFORMAT, "%s: expected at most %d files, found %zu", path, MAX_SHARDS, s->n);
}

t5gist_status tg_shards_read(const char *path, const char *suffix, tg_shards *s, t5gist_error *err) {
  memset(s, 0, sizeof *s);
  t5gist_status status = tg_json_read(path, INDEX_LIMIT, &s->json, err);
  if (status == T5GIST_OK) {
    s->map = json_object_get(s->json, "weight_map");
    status = read_names(s, path, suffix, err);
  }
  if (status != T5GIST_OK) tg_shards_free(s);
  return status;
}

void tg_shards_free(tg_shards *s) {
  tg_free(s->names);
  json_decref(s->json);
  memset(s, 0, sizeof *s);
}
