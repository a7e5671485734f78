/* What lies in the folder of a gist store: its names, its sizes, and making room. */
#include <stdlib.h>
#include <string.h>

#include "gist/store.h"
#include "runtime/error.h"
#include "runtime/file.h"

enum { KEY = TG_SHA256_HEX - 1 };

bool tg_store_is_key(const char *text, size_t n) {
  return n == KEY && strspn(text, "0123456789abcdef") >= KEY;
}

t5gist_status tg_store_path(const char *dir, const char *key, const char *suffix, char **path, t5gist_error *err) {
  tg_buffer text = {0};
  const t5gist_status status = tg_buffer_printf(&text, err, "%s/%s.%s", dir, key, suffix);
  if (status == T5GIST_OK)
    *path = text.data;
  else
    tg_buffer_free(&text);
  return status;
}

t5gist_status tg_store_make(const t5gist_store *store, t5gist_error *err) {
  return store->read_only ? T5GIST_OK : tg_folder_make(store->dir, 0700, err);
}

t5gist_status tg_store_lock(const t5gist_store *store, tg_lock *lock, t5gist_error *err) {
  if (store->read_only) return tg_fail(err, T5GIST_EUNSUPPORTED, "%s: the store was opened to be read alone", store->dir);
  return tg_lock_take(store->lock_path, TG_STORE_WAIT_MS, lock, err);
}

/* ------------------------------------------------------------------------------------------------------------------------- scanning */

/* "KEY.suffix" */
static bool is_name(const char *name, const char *suffix) {
  const size_t n = strlen(name);
  return n > KEY && name[KEY] == '.' && tg_store_is_key(name, KEY) && strcmp(name + KEY + 1, suffix) == 0;
}

static t5gist_status add_item(const t5gist_store *store, const char *name, tg_store_scan *scan, t5gist_error *err) {
  char *path = NULL, key[TG_SHA256_HEX] = {0};
  tg_file_facts entry, use;
  memcpy(key, name, KEY);
  TG_TRY(tg_store_path(store->dir, key, "gist", &path, err));
  const bool there = tg_file_examine(path, &entry) && entry.regular; /* else it went since, or was never ours */
  tg_free(path);
  if (!there) return T5GIST_OK;
  TG_TRY(tg_reserve(&scan->items, &scan->capacity, scan->n + 1, sizeof *scan->items, err));
  TG_TRY(tg_store_path(store->dir, key, "use", &path, err));
  const bool used = tg_file_examine(path, &use) && use.regular;
  tg_free(path);
  tg_store_item *item = &scan->items[scan->n++];
  *item = (tg_store_item){.bytes = entry.size, .used = used ? use.changed : entry.changed, .made = entry.changed};
  if (used && use.size > TG_STORE_USE_HEAD) item->hits = use.size - TG_STORE_USE_HEAD;
  memcpy(item->key, key, sizeof item->key);
  scan->bytes += entry.size;
  return T5GIST_OK;
}

static t5gist_status add_text(tg_strings *strings, const char *text, size_t n, t5gist_error *err) {
  TG_TRY(tg_resize(&strings->items, strings->count, strings->count + 1, sizeof *strings->items, err));
  TG_TRY(tg_strndup(&strings->items[strings->count], text, n, err));
  strings->count++;
  return T5GIST_OK;
}

/* Names are sorted: what belongs to an entry follows it. */
static t5gist_status add_name(const t5gist_store *store, const char *name, tg_store_scan *scan, t5gist_error *err) {
  if (tg_temporary_is_left(store->dir, name)) return add_text(&scan->strays, name, strlen(name), err);
  if (is_name(name, "gist")) return add_item(store, name, scan, err);
  const bool pin = is_name(name, "pin");
  if (!pin && !is_name(name, "use")) return T5GIST_OK; /* nobody's business of ours */
  tg_store_item *last = scan->n > 0 ? &scan->items[scan->n - 1] : NULL;
  const bool alone = last == NULL || memcmp(last->key, name, KEY) != 0;
  if (alone && pin) return T5GIST_OK; /* its entry was set aside: the task stays pinned when it is encoded anew */
  if (alone) return add_text(&scan->strays, name, strlen(name), err);
  if (pin) last->pinned = true;
  return T5GIST_OK;
}

static t5gist_status add_damaged(const t5gist_store *store, const char *name, tg_store_scan *scan, t5gist_error *err) {
  if (!is_name(name, "gist")) return T5GIST_OK;
  char *path;
  tg_file_facts facts;
  TG_TRY(tg_path_join(&path, store->damaged_dir, name, err));
  const bool removable = tg_file_examine(path, &facts) && !facts.folder; /* what somebody else put here is theirs to empty */
  tg_free(path);
  if (!removable) return T5GIST_OK;
  if (facts.regular) scan->damaged_bytes += facts.size;
  return add_text(&scan->damaged, name, KEY, err);
}

t5gist_status tg_store_read_folder(const t5gist_store *store, tg_store_scan *scan, t5gist_error *err) {
  tg_strings names = {0}, damaged = {0};
  t5gist_status status;
  *scan = (tg_store_scan){0};
  TG_GOTO(tg_folder_list(store->dir, &names, err));
  for (size_t i = 0; i < names.count; i++) TG_GOTO(add_name(store, names.items[i], scan, err));
  TG_GOTO(tg_folder_list(store->damaged_dir, &damaged, err));
  for (size_t i = 0; i < damaged.count; i++) TG_GOTO(add_damaged(store, damaged.items[i], scan, err));
done:
  tg_strings_clear(&names);
  tg_strings_clear(&damaged);
  if (status != T5GIST_OK) tg_store_scan_free(scan);
  return status;
}

void tg_store_scan_free(tg_store_scan *scan) {
  tg_free(scan->items);
  tg_strings_clear(&scan->damaged);
  tg_strings_clear(&scan->strays);
  *scan = (tg_store_scan){0};
}

/* ------------------------------------------------------------------------------------------------------------------------- removing */

static t5gist_status remove_file(const char *dir, const char *key, const char *suffix, t5gist_error *err) {
  char *path;
  TG_TRY(tg_store_path(dir, key, suffix, &path, err));
  const t5gist_status status = tg_file_remove(path, err);
  tg_free(path);
  return status;
}

t5gist_status tg_store_remove_entry(const t5gist_store *store, const char *key, t5gist_error *err) {
  TG_TRY(remove_file(store->dir, key, "pin", err));
  TG_TRY(remove_file(store->dir, key, "gist", err));
  return remove_file(store->dir, key, "use", err);
}

static int by_use(const void *a, const void *b) {
  const tg_store_item *x = a, *y = b;
  return x->used != y->used ? (x->used < y->used ? -1 : 1) : strcmp(x->key, y->key);
}

static bool has_room(const t5gist_store *store, const tg_store_scan *scan, uint64_t needed) {
  const uint64_t held = scan->bytes + scan->damaged_bytes; /* of files that exist: nothing overflows */
  return needed <= store->budget && held <= store->budget - needed;
}

t5gist_status tg_store_drop_strays(const t5gist_store *store, const tg_store_scan *scan, t5gist_error *err) {
  for (size_t i = 0; i < scan->strays.count; i++) {
    const char *name = scan->strays.items[i];
    char *path;
    if (name[0] == '.') {
      TG_TRY(tg_temporary_remove(store->dir, name, err));
      continue;
    }
    TG_TRY(tg_path_join(&path, store->dir, name, err));
    const t5gist_status status = tg_file_remove(path, err);
    tg_free(path);
    TG_TRY(status);
  }
  return T5GIST_OK;
}

t5gist_status tg_store_drop_damaged(const t5gist_store *store, tg_store_scan *scan, t5gist_error *err) {
  for (size_t i = 0; i < scan->damaged.count; i++) TG_TRY(remove_file(store->damaged_dir, scan->damaged.items[i], "gist", err));
  scan->damaged_bytes = 0;
  return T5GIST_OK;
}

t5gist_status tg_store_evict(const t5gist_store *store, tg_store_scan *scan, uint64_t needed, size_t *n_removed, t5gist_error *err) {
  enum { MANY = 256, SHARE = 16 };
  *n_removed = 0;
  if (needed > store->budget || has_room(store, scan, needed)) return T5GIST_OK;
  const uint64_t some = store->budget / SHARE, wanted = scan->n > MANY && needed <= store->budget - some ? needed + some : needed;
  TG_TRY(tg_store_drop_strays(store, scan, err));
  TG_TRY(tg_store_drop_damaged(store, scan, err));
  if (scan->n > 0) qsort(scan->items, scan->n, sizeof *scan->items, by_use);
  for (size_t i = 0; i < scan->n && !has_room(store, scan, wanted); i++) {
    if (scan->items[i].pinned) continue;
    TG_TRY(tg_store_remove_entry(store, scan->items[i].key, err));
    scan->bytes -= scan->items[i].bytes;
    ++*n_removed;
  }
  return T5GIST_OK;
}

static t5gist_status find_room(const t5gist_store *store, const tg_lock *lock, tg_store_scan *scan, uint64_t needed, t5gist_error *err) {
  size_t n_removed;
  TG_TRY(tg_store_evict(store, scan, needed, &n_removed, err));
  (void)tg_lock_set(lock, scan->bytes + scan->damaged_bytes + needed);
  if (has_room(store, scan, needed)) return T5GIST_OK;
  return tg_fail(err, T5GIST_EIO, "%s: a gist of %llu bytes does not fit the budget of %llu bytes, of which %llu are pinned", store->dir,
                 (unsigned long long)needed, (unsigned long long)store->budget, (unsigned long long)(needed > store->budget ? 0 : scan->bytes));
}

t5gist_status tg_store_find_room(const t5gist_store *store, const tg_lock *lock, uint64_t needed, t5gist_error *err) {
  uint64_t held;
  tg_store_scan scan;
  if (needed <= store->budget && tg_lock_get(lock, &held) && held <= store->budget - needed && tg_lock_set(lock, held + needed)) return T5GIST_OK;
  TG_TRY(tg_store_read_folder(store, &scan, err));
  const t5gist_status status = find_room(store, lock, &scan, needed, err);
  tg_store_scan_free(&scan);
  return status;
}
