#include "runtime/cache.h"

#include <stdlib.h>
#include <string.h>

#include "runtime/error.h"
#include "runtime/file.h"

t5gist_status tg_cache_path(const char *name, char **path, t5gist_error *err) {
  const char *cache = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
  tg_buffer text = {0};
  *path = NULL;
  if (cache && cache[0] == '/')
    TG_TRY(tg_buffer_printf(&text, err, "%s/t5gist/%s", cache, name));
  else if (home && home[0] == '/')
    TG_TRY(tg_buffer_printf(&text, err, "%s/.cache/t5gist/%s", home, name));
  *path = text.data;
  return T5GIST_OK;
}

void tg_cache_write(const char *path, const void *data, size_t n) {
  char *dir = NULL;
  if (tg_strdup(&dir, path, NULL) != T5GIST_OK) return;
  *strrchr(dir, '/') = 0;
  if (tg_make_dirs(dir, NULL) == T5GIST_OK) (void)tg_write_file(path, 0600, data, n, NULL);
  tg_free(dir);
}
