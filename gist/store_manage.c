/* The gist store as people look after it: what `t5gist store` does. */
#include <stdlib.h>
#include <string.h>

#include "gist/store.h"
#include "gist/tools.h"
#include "runtime/error.h"
#include "runtime/file.h"
#include "runtime/safetensors.h"

enum { LEAST_DIGITS = 4, NAME_DIGITS = 16 };

/* ---------------------------------------------------------------------------------------------------------------------------- looking */

static int number_of(const tg_safetensors *file, const char *key) {
  const char *text = tg_safetensors_metadata(file, key);
  const long value = text ? strtol(text, NULL, 10) : 0;
  return value > 0 && value <= INT32_MAX ? (int)value : 0;
}

static t5gist_status show_item(const t5gist_store *store, const tg_store_item *item, t5gist_store_visit *visit, void *user, t5gist_error *err) {
  char *path;
  tg_safetensors *file = NULL;
  t5gist_store_entry entry = {.key = item->key,
                              .bytes = item->bytes,
                              .hits = item->hits,
                              .used = item->used,
                              .encode_ms = tg_store_encode_ms(store, item->key),
                              .pinned = item->pinned};
  TG_TRY(tg_store_path(store->dir, item->key, "gist", &path, err));
  const t5gist_status status = tg_safetensors_open(path, &file, err);
  if (status == T5GIST_OK) {
    entry.task = tg_safetensors_metadata(file, "task");
    entry.fingerprint = tg_safetensors_metadata(file, "fingerprint");
    entry.computed_with = tg_safetensors_metadata(file, "computed_with");
    entry.n_gist = number_of(file, "n_gist");
    entry.n_task = number_of(file, "n_task");
  }
  if (status != T5GIST_ENOMEM) visit(user, &entry); /* what is damaged is shown, too */
  tg_safetensors_close(file);
  tg_free(path);
  return status == T5GIST_ENOMEM ? status : T5GIST_OK;
}

static int last_used_first(const void *a, const void *b) {
  const tg_store_item *x = a, *y = b;
  return x->used != y->used ? (x->used < y->used ? 1 : -1) : strcmp(x->key, y->key);
}

t5gist_status t5gist_store_list(const t5gist_store *store, t5gist_store_visit *visit, void *user, t5gist_error *err) {
  if (store == NULL || visit == NULL) return tg_fail(err, T5GIST_EUSAGE, "t5gist_store_list: store and visit must not be null");
  tg_store_scan scan;
  TG_TRY(tg_store_read_folder(store, &scan, err));
  if (scan.n > 0) qsort(scan.items, scan.n, sizeof *scan.items, last_used_first);
  t5gist_status status = T5GIST_OK;
  for (size_t i = 0; status == T5GIST_OK && i < scan.n; i++) status = show_item(store, &scan.items[i], visit, user, err);
  tg_store_scan_free(&scan);
  return status;
}

static t5gist_store_state state_of(const t5gist_store *store, const tg_store_scan *scan) {
  t5gist_store_state state = {.entries = scan->n,
                              .damaged = scan->damaged.count,
                              .strays = scan->strays.count,
                              .bytes = scan->bytes,
                              .damaged_bytes = scan->damaged_bytes,
                              .budget = store->budget};
  for (size_t i = 0; i < scan->n; i++) state.pinned += scan->items[i].pinned;
  return state;
}

t5gist_status t5gist_store_examine(const t5gist_store *store, t5gist_store_state *state, t5gist_error *err) {
  if (store == NULL || state == NULL) return tg_fail(err, T5GIST_EUSAGE, "t5gist_store_examine: store and state must not be null");
  tg_store_scan scan;
  TG_TRY(tg_store_read_folder(store, &scan, err));
  *state = state_of(store, &scan);
  tg_store_scan_free(&scan);
  return T5GIST_OK;
}

/* The one entry whose key begins with the digits given. */
static t5gist_status find_item(const t5gist_store *store, const tg_store_scan *scan, const char *digits, const tg_store_item **found,
                               t5gist_error *err) {
  const size_t n = strlen(digits);
  *found = NULL;
  if (n < LEAST_DIGITS || n >= TG_SHA256_HEX || strspn(digits, "0123456789abcdef") != n) {
    return tg_fail(err, T5GIST_EUSAGE, "expected the key of an entry, %d to 64 hexadecimal digits of it, found \"%.80s\"", LEAST_DIGITS, digits);
  }
  for (size_t i = 0; i < scan->n; i++) {
    if (strncmp(scan->items[i].key, digits, n) != 0) continue;
    if (*found) {
      return tg_fail(err, T5GIST_EUSAGE, "%s: expected digits of one key, found that %.16s... and %.16s... begin with \"%s\"", store->dir,
                     (*found)->key, scan->items[i].key, digits);
    }
    *found = &scan->items[i];
  }
  if (*found) return T5GIST_OK;
  return tg_fail(err, T5GIST_EUSAGE, "%s: expected an entry whose key begins with \"%s\", found none", store->dir, digits);
}

/* --------------------------------------------------------------------------------------------------------------------------- changing */

/* Runs a change over the folder as it is under the lock; lock null: there is no folder. */
typedef t5gist_status change(const t5gist_store *store, const tg_lock *lock, tg_store_scan *scan, void *argument, t5gist_error *err);
static t5gist_status change_folder(const t5gist_store *store, change *run, void *argument, t5gist_error *err) {
  tg_lock lock;
  tg_store_scan scan = {0};
  tg_file_facts facts;
  if (!tg_file_examine(store->dir, &facts)) return run(store, NULL, &scan, argument, err); /* no reason to make a folder */
  TG_TRY(tg_store_lock(store, &lock, err));
  t5gist_status status = tg_store_read_folder(store, &scan, err);
  if (status == T5GIST_OK) {
    status = run(store, &lock, &scan, argument, err);
    tg_store_scan_free(&scan);
  }
  tg_lock_release(&lock);
  return status;
}

typedef struct removal {
  const char *key; /* null: all */
  size_t n;
} removal;

static t5gist_status remove_items(const t5gist_store *store, const tg_lock *lock, tg_store_scan *scan, void *argument, t5gist_error *err) {
  (void)lock;
  removal *r = argument;
  const tg_store_item *item;
  if (r->key) {
    TG_TRY(find_item(store, scan, r->key, &item, err));
    if (item->pinned) return tg_fail(err, T5GIST_EUSAGE, "%.16s is pinned: unpin it before removing it", item->key);
    TG_TRY(tg_store_remove_entry(store, item->key, err));
    r->n++;
    return T5GIST_OK;
  }
  for (size_t i = 0; i < scan->n; i++) {
    if (scan->items[i].pinned) continue;
    TG_TRY(tg_store_remove_entry(store, scan->items[i].key, err));
    r->n++;
  }
  return T5GIST_OK;
}

t5gist_status t5gist_store_remove(t5gist_store *store, const char *key, size_t *n_removed, t5gist_error *err) {
  if (store == NULL) return tg_fail(err, T5GIST_EUSAGE, "t5gist_store_remove: store must not be null");
  removal r = {.key = key};
  const t5gist_status status = change_folder(store, remove_items, &r, err);
  if (n_removed) *n_removed = r.n;
  return status;
}

typedef struct pinning {
  const char *key;
  bool pinned;
} pinning;

static t5gist_status pin_item(const t5gist_store *store, const tg_lock *lock, tg_store_scan *scan, void *argument, t5gist_error *err) {
  (void)lock;
  const pinning *p = argument;
  const tg_store_item *item;
  char *path;
  TG_TRY(find_item(store, scan, p->key, &item, err));
  if (item->pinned == p->pinned) return T5GIST_OK;
  TG_TRY(tg_store_path(store->dir, item->key, "pin", &path, err));
  const t5gist_status status = p->pinned ? tg_write_file(path, 0600, "", 0, err) : tg_file_remove(path, err);
  tg_free(path);
  return status;
}

t5gist_status t5gist_store_pin(t5gist_store *store, const char *key, bool pinned, t5gist_error *err) {
  if (store == NULL || key == NULL) return tg_fail(err, T5GIST_EUSAGE, "t5gist_store_pin: store and key must not be null");
  pinning p = {key, pinned};
  return change_folder(store, pin_item, &p, err);
}

static t5gist_status collect(const t5gist_store *store, const tg_lock *lock, tg_store_scan *scan, void *argument, t5gist_error *err) {
  t5gist_store_state *state = argument;
  const t5gist_store_state before = state_of(store, scan);
  TG_TRY(tg_store_drop_strays(store, scan, err));
  TG_TRY(tg_store_drop_damaged(store, scan, err));
  TG_TRY(tg_store_evict(store, scan, 0, &state->removed, err));
  if (lock) (void)tg_lock_set(lock, scan->bytes);
  state->strays = before.strays;
  state->damaged = before.damaged;
  state->damaged_bytes = before.damaged_bytes;
  state->pinned = before.pinned;
  state->budget = store->budget;
  state->entries = before.entries - state->removed;
  state->bytes = scan->bytes;
  return T5GIST_OK;
}

t5gist_status t5gist_store_gc(t5gist_store *store, t5gist_store_state *state, t5gist_error *err) {
  if (store == NULL || state == NULL) return tg_fail(err, T5GIST_EUSAGE, "t5gist_store_gc: store and state must not be null");
  *state = (t5gist_store_state){0};
  return change_folder(store, collect, state, err);
}

/* -------------------------------------------------------------------------------------------------------------------------- verifying */

/* Moves the entry away if it is damaged under the lock as well. */
static bool set_aside(const t5gist_store *store, const char *key) {
  tg_lock lock;
  t5gist_gist *gist = NULL;
  if (tg_store_lock(store, &lock, NULL) != T5GIST_OK) return false;
  const bool moved = tg_store_is_damage(tg_store_read(store, key, NULL, NULL, &gist, NULL)) && tg_store_set_aside(store, key, NULL) == T5GIST_OK;
  tg_lock_release(&lock);
  t5gist_gist_free(gist);
  return moved;
}

static t5gist_status verify_item(const t5gist_store *store, const tg_store_item *item, FILE *report, t5gist_store_state *state, t5gist_error *err) {
  char key[TG_SHA256_HEX], *path;
  t5gist_gist *gist = NULL;
  t5gist_error problem;
  tg_file_facts facts;
  if (tg_store_read(store, item->key, NULL, NULL, &gist, &problem) == T5GIST_OK) {
    const t5gist_status status = tg_store_gist_key(store, gist, key, err);
    t5gist_gist_free(gist);
    TG_TRY(status);
    if (strcmp(key, item->key) == 0) return T5GIST_OK;
    state->other_salt++;
    fprintf(report, "%.16s: sound, but its content belongs under the key %.16s: kept with another salt, or renamed\n", item->key, key);
    return T5GIST_OK;
  }
  TG_TRY(tg_store_path(store->dir, item->key, "gist", &path, err));
  const bool there = tg_file_examine(path, &facts); /* else another process removed it meanwhile */
  tg_free(path);
  if (!there) return T5GIST_OK;
  if (problem.status == T5GIST_ENOMEM) return tg_fail(err, problem.status, "%s", problem.message);
  state->damaged++;
  fprintf(report, "%.16s: %s%s\n", item->key, problem.message, set_aside(store, item->key) ? "; moved to damaged/" : "");
  return T5GIST_OK;
}

t5gist_status t5gist_store_verify(t5gist_store *store, FILE *report, t5gist_store_state *state, t5gist_error *err) {
  if (store == NULL || report == NULL || state == NULL)
    return tg_fail(err, T5GIST_EUSAGE, "t5gist_store_verify: store, report and state must not be null");
  tg_store_scan scan;
  TG_TRY(tg_store_read_folder(store, &scan, err));
  *state = state_of(store, &scan);
  state->damaged = 0;
  t5gist_status status = T5GIST_OK;
  for (size_t i = 0; status == T5GIST_OK && i < scan.n; i++) status = verify_item(store, &scan.items[i], report, state, err);
  tg_store_scan_free(&scan);
  TG_TRY(status);
  return tg_check_stream(report, "the report", err);
}

/* ---------------------------------------------------------------------------------------------------------------------- in and out */

static t5gist_status export_item(const t5gist_store *store, const tg_store_item *item, const char *dir, t5gist_error *err) {
  char name[NAME_DIGITS + 1] = {0}, *from = NULL, *to = NULL;
  tg_buffer bytes = {0};
  tg_gist_checksum checksum;
  t5gist_status status;
  memcpy(name, item->key, NAME_DIGITS);
  TG_GOTO(tg_store_path(store->dir, item->key, "gist", &from, err));
  TG_GOTO(tg_store_path(dir, name, "gist", &to, err));
  TG_GOTO(tg_read_file(from, TG_GIST_FILE_LIMIT, false, &bytes, err));
  TG_GOTO(tg_gist_check_bytes((const unsigned char *)bytes.data, bytes.size, from, &checksum, err));
  TG_GOTO(tg_write_file(to, 0666, bytes.data, bytes.size, err));
done:
  tg_buffer_free(&bytes);
  tg_free(from);
  tg_free(to);
  return status;
}

t5gist_status t5gist_store_export(const t5gist_store *store, const char *key, const char *dir, size_t *n, t5gist_error *err) {
  if (store == NULL || dir == NULL || n == NULL) return tg_fail(err, T5GIST_EUSAGE, "t5gist_store_export: store, dir and n must not be null");
  tg_store_scan scan;
  const tg_store_item *one = NULL;
  t5gist_status status;
  *n = 0;
  TG_TRY(tg_store_read_folder(store, &scan, err));
  if (key) TG_GOTO(find_item(store, &scan, key, &one, err));
  TG_GOTO(tg_make_dirs(dir, err));
  for (size_t i = 0; i < scan.n; i++) {
    if (one && one != &scan.items[i]) continue;
    TG_GOTO(export_item(store, &scan.items[i], dir, err));
    ++*n;
  }
done:
  tg_store_scan_free(&scan);
  return status;
}

static t5gist_status import_file(const t5gist_store *store, const char *path, size_t *n, t5gist_error *err) {
  char key[TG_SHA256_HEX];
  tg_buffer bytes = {0};
  t5gist_gist *gist = NULL;
  bool added;
  t5gist_status status;
  TG_GOTO(tg_read_file(path, TG_GIST_FILE_LIMIT, false, &bytes, err));
  TG_GOTO(tg_gist_parse(bytes.data, bytes.size, path, &gist, err));
  if (strcmp(gist->payload, "f32") != 0) {
    status =
        tg_fail(err, T5GIST_EUNSUPPORTED, "%s: a store keeps gists of payload f32, which answer as encoding does; found %s", path, gist->payload);
    goto done;
  }
  if (strcmp(gist->program_version, T5GIST_VERSION) != 0) {
    status = tg_fail(err, T5GIST_EMISMATCH,
                     "%s was computed by t5gist %.32s, but t5gist %s would look for its own: encode its task again, or use the file itself", path,
                     gist->program_version, T5GIST_VERSION);
    goto done;
  }
  TG_GOTO(tg_store_gist_key(store, gist, key, err));
  TG_GOTO(tg_store_add(store, key, &bytes, 0, &added, err));
  *n += added;
done:
  t5gist_gist_free(gist);
  tg_buffer_free(&bytes);
  return status;
}

t5gist_status t5gist_store_import(t5gist_store *store, const char *path, size_t *n, t5gist_error *err) {
  if (store == NULL || path == NULL || n == NULL) return tg_fail(err, T5GIST_EUSAGE, "t5gist_store_import: store, path and n must not be null");
  *n = 0;
  if (!tg_is_folder(path)) return import_file(store, path, n, err);
  tg_strings names = {0};
  t5gist_status status;
  TG_GOTO(tg_folder_list(path, &names, err));
  for (size_t i = 0; i < names.count; i++) {
    const size_t length = strlen(names.items[i]);
    char *file;
    if (length < 6 || strcmp(names.items[i] + length - 5, ".gist") != 0) continue;
    TG_GOTO(tg_path_join(&file, path, names.items[i], err));
    if (tg_file_exists(file))
      status = import_file(store, file, n, err);
    else
      status = tg_fail(err, T5GIST_EFORMAT, "%s: expected a regular file", file); /* a pipe would be waited for */
    tg_free(file);
    if (status != T5GIST_OK) break;
  }
done:
  tg_strings_clear(&names);
  return status;
}
