/* The fingerprint of a model: SHA-256 of the text
 *     t5gist model 1\n
 *     config SIZE SHA256\n
 *     tokenizer SIZE SHA256\n
 *     weights SIZE SHA256\n      one line per weight file, in name order
 * with sizes in decimal and hashes in lower-case hex. Weight files are large: their hashes are remembered, one small file each, named by what
 * identifies the file's content to the system. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "runtime/cache.h"
#include "runtime/error.h"
#include "runtime/io.h"
#include "t5/checkpoint.h"

enum { CHUNK = 8 << 20 };

static t5gist_status hash_file(const char *path, size_t *size, char hex[TG_SHA256_HEX], t5gist_error *err) {
  tg_map map;
  tg_sha256 hash;
  TG_TRY(tg_map_open(path, &map, err));
  tg_sha256_begin(&hash);
  for (size_t at = 0; at < map.size; at += CHUNK) {
    const size_t n = map.size - at < CHUNK ? map.size - at : CHUNK;
    tg_sha256_add(&hash, map.data + at, n);
    tg_map_release(map.data + at, n);
  }
  tg_sha256_end(&hash, hex);
  *size = map.size;
  tg_map_close(&map);
  return T5GIST_OK;
}

/* ---------------------------------------------------------------------------------------------------------------------------- cache */

/* Where the hash of this very file is kept; null: nowhere. The caller's. */
static char *cache_path(const struct stat *info) {
  char name[160], *path = NULL;
  snprintf(name, sizeof name, "sha256-%llx-%llx-%llx-%llx.%09ld", (unsigned long long)info->st_dev, (unsigned long long)info->st_ino,
           (unsigned long long)info->st_size, (unsigned long long)info->st_mtim.tv_sec, info->st_mtim.tv_nsec);
  return tg_cache_path(name, &path, NULL) == T5GIST_OK ? path : NULL;
}

static bool cache_read(const char *path, char hex[TG_SHA256_HEX]) {
  tg_buffer text = {0};
  const bool good = tg_file_exists(path) && tg_read_file(path, TG_SHA256_HEX, false, &text, NULL) == T5GIST_OK && text.size == TG_SHA256_HEX &&
                    strspn(text.data, "0123456789abcdef") == TG_SHA256_HEX - 1 && text.data[TG_SHA256_HEX - 1] == '\n';
  if (good) snprintf(hex, TG_SHA256_HEX, "%s", text.data);
  tg_buffer_free(&text);
  return good;
}

static void cache_write(const char *path, const char hex[TG_SHA256_HEX]) {
  char line[TG_SHA256_HEX + 1];
  snprintf(line, sizeof line, "%s\n", hex);
  tg_cache_write(path, line, TG_SHA256_HEX);
}

static bool same_file(const struct stat *a, const struct stat *b) {
  return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_size == b->st_size && a->st_mtim.tv_sec == b->st_mtim.tv_sec &&
         a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

/* A file changed within the last seconds may change again without a new time: its hash is not remembered. */
static bool settled(const struct stat *info) {
  return time(NULL) - info->st_mtim.tv_sec > 2;
}

static t5gist_status hash_weights(const char *path, size_t *size, char hex[TG_SHA256_HEX], t5gist_error *err) {
  struct stat before, after;
  t5gist_status status = T5GIST_OK;
  char *cached = tg_io_stat(path, &before) == 0 ? cache_path(&before) : NULL;
  if (cached && cache_read(cached, hex)) {
    *size = (size_t)before.st_size;
    goto done;
  }
  TG_GOTO(hash_file(path, size, hex, err));
  if (cached && settled(&before) && tg_io_stat(path, &after) == 0 && same_file(&before, &after)) cache_write(cached, hex);
done:
  tg_free(cached);
  return status;
}

/* --------------------------------------------------------------------------------------------------------------------------- public */

static t5gist_status add_line(tg_buffer *text, const char *role, const char *path, bool cached, t5gist_error *err) {
  char hex[TG_SHA256_HEX];
  size_t size;
  TG_TRY(cached ? hash_weights(path, &size, hex, err) : hash_file(path, &size, hex, err));
  return tg_buffer_printf(text, err, "%s %zu %s\n", role, size, hex);
}

t5gist_status tg_fingerprint(const char *config_path, const char *tokenizer_path, const char *const *weights, size_t n_weights,
                             char hex[TG_SHA256_HEX], t5gist_error *err) {
  tg_buffer text = {0};
  t5gist_status status;
  TG_GOTO(tg_buffer_printf(&text, err, "t5gist model 1\n"));
  TG_GOTO(add_line(&text, "config", config_path, false, err));
  TG_GOTO(add_line(&text, "tokenizer", tokenizer_path, false, err));
  for (size_t i = 0; i < n_weights; i++) TG_GOTO(add_line(&text, "weights", weights[i], true, err));
  tg_sha256_hex(text.data, text.size, hex);
done:
  tg_buffer_free(&text);
  return status;
}

t5gist_status tg_checkpoint_fingerprint(const tg_checkpoint *checkpoint, const char *dir, const char *tokenizer_path, char hex[TG_SHA256_HEX],
                                        t5gist_error *err) {
  const size_t n = tg_checkpoint_files(checkpoint);
  const char **weights = NULL;
  char *config = NULL;
  t5gist_status status;
  TG_GOTO(tg_alloc(&weights, n, sizeof *weights, err));
  for (size_t i = 0; i < n; i++) weights[i] = tg_safetensors_path(tg_checkpoint_file(checkpoint, i));
  TG_GOTO(tg_path_join(&config, dir, "config.json", err));
  TG_GOTO(tg_fingerprint(config, tokenizer_path, weights, n, hex, err));
done:
  tg_free(weights);
  tg_free(config);
  return status;
}
