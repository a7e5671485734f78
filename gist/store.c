/* The gist store as sessions use it: opening, the key, finding and keeping. */
#include "gist/store.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gist/session.h"
#include "runtime/cache.h"
#include "runtime/clock.h"
#include "runtime/error.h"
#include "runtime/file.h"
#include "runtime/kernels.h"

/* ---------------------------------------------------------------------------------------------------------------------------- opening */

static t5gist_status default_dir(char **dir, t5gist_error *err) {
  TG_TRY(tg_cache_path("gists", dir, err));
  return *dir ? T5GIST_OK
              : tg_fail(err, T5GIST_EUSAGE, "no place for a gist store: expected a folder, since neither XDG_CACHE_HOME nor HOME names one");
}

static t5gist_status set_paths(t5gist_store *store, const char *dir, t5gist_error *err) {
  TG_TRY(dir ? tg_strdup(&store->dir, dir, err) : default_dir(&store->dir, err));
  TG_TRY(tg_path_join(&store->damaged_dir, store->dir, "damaged", err));
  return tg_path_join(&store->lock_path, store->dir, "lock", err);
}

t5gist_status t5gist_store_open(const char *dir, const t5gist_store_options *options, t5gist_store **out, t5gist_error *err) {
  if (out == NULL) return tg_fail(err, T5GIST_EUSAGE, "t5gist_store_open: store must not be null");
  if (dir && dir[0] == 0) return tg_fail(err, T5GIST_EUSAGE, "t5gist_store_open: dir: expected a folder's name, found an empty text");
  const t5gist_store_options chosen = options ? *options : (t5gist_store_options){0};
  t5gist_store *store;
  TG_TRY(tg_alloc(&store, 1, sizeof *store, err));
  store->budget = chosen.budget ? chosen.budget : TG_STORE_BUDGET;
  store->read_only = chosen.read_only;
  store->on_note = chosen.on_note;
  store->user = chosen.user;
  t5gist_status status = set_paths(store, dir, err);
  if (status == T5GIST_OK) status = tg_strdup(&store->salt, chosen.salt ? chosen.salt : "", err);
  if (status == T5GIST_OK)
    *out = store;
  else
    t5gist_store_close(store);
  return status;
}

void t5gist_store_close(t5gist_store *store) {
  if (store == NULL) return;
  tg_free(store->dir);
  tg_free(store->damaged_dir);
  tg_free(store->lock_path);
  tg_free(store->salt);
  tg_free(store);
}

const char *t5gist_store_dir(const t5gist_store *store) {
  return store ? store->dir : NULL;
}

static void note(const t5gist_store *store, const char *message, const char *consequence) {
  char text[sizeof((t5gist_error *)0)->message + 128];
  if (store->on_note == NULL) return;
  snprintf(text, sizeof text, "gist store: %s%s", message, consequence);
  store->on_note(store->user, text);
}

/* -------------------------------------------------------------------------------------------------------------------------------- key */

tg_store_id tg_store_id_of(const t5gist_model *model, const char *task, int n_gist) {
  const tg_config *c = &model->t5->config;
  return (tg_store_id){T5GIST_VERSION, model->t5->fingerprint, c->template_task, c->template_input, model->computed_in, task, n_gist};
}

static void add_line(tg_sha256 *hash, const char *name, const char *value) {
  tg_sha256_add(hash, name, strlen(name));
  tg_sha256_add(hash, " ", 1);
  tg_sha256_add(hash, value, strlen(value));
  tg_sha256_add(hash, "\n", 1);
}

/* A text of any content: its size and hash, so that no two lists of texts give one line. */
static void add_text(tg_sha256 *hash, const char *name, const char *text) {
  char line[128], hex[TG_SHA256_HEX];
  const size_t n = strlen(text);
  tg_sha256_hex(text, n, hex);
  snprintf(line, sizeof line, "%zu %s", n, hex);
  add_line(hash, name, line);
}

void tg_store_key(const t5gist_store *store, const tg_store_id *id, char key[TG_SHA256_HEX]) {
  char number[16];
  tg_sha256 hash;
  tg_sha256_begin(&hash);
  add_line(&hash, "t5gist store", "1");
  add_line(&hash, "program", id->program);
  add_line(&hash, "fingerprint", id->fingerprint);
  add_text(&hash, "template_task", id->template_task);
  add_text(&hash, "template_input", id->template_input);
  add_line(&hash, "condition", "gist");
  snprintf(number, sizeof number, "%d", id->n_gist);
  add_line(&hash, "n_gist", number);
  add_line(&hash, "payload", "f32");
  add_line(&hash, "computed_in", id->dtype);
  add_text(&hash, "salt", store->salt);
  add_text(&hash, "task", id->task);
  tg_sha256_end(&hash, key);
}

/* "int8, wo f32 avx512" without the instruction set: what is left differs by rounding alone. */
static t5gist_status copy_dtype(const t5gist_gist *gist, char **dtype, t5gist_error *err) {
  const char *space = strrchr(gist->computed_with, ' ');
  return tg_strndup(dtype, gist->computed_with, space ? (size_t)(space - gist->computed_with) : strlen(gist->computed_with), err);
}

t5gist_status tg_store_gist_key(const t5gist_store *store, const t5gist_gist *gist, char key[TG_SHA256_HEX], t5gist_error *err) {
  char *dtype;
  TG_TRY(copy_dtype(gist, &dtype, err));
  const tg_store_id id = {gist->program_version, gist->fingerprint, gist->template_task, gist->template_input, dtype, gist->task, gist->n_gist};
  tg_store_key(store, &id, key);
  tg_free(dtype);
  return T5GIST_OK;
}

/* ---------------------------------------------------------------------------------------------------------------------------- finding */

/* An entry must be what it is looked for as: names of files can be changed by anyone who may write the folder. */
static t5gist_status check_entry(const char *path, const tg_store_id *id, const t5gist_gist *gist, t5gist_error *err) {
  char *dtype;
  TG_TRY(copy_dtype(gist, &dtype, err));
  const bool same_dtype = strcmp(dtype, id->dtype) == 0;
  tg_free(dtype);
  const char *what = strcmp(gist->task, id->task) != 0                       ? "task"
                     : gist->n_gist != id->n_gist                            ? "number of gist tokens"
                     : strcmp(gist->fingerprint, id->fingerprint) != 0       ? "model"
                     : strcmp(gist->template_task, id->template_task) != 0   ? "template"
                     : strcmp(gist->template_input, id->template_input) != 0 ? "template"
                     : strcmp(gist->program_version, id->program) != 0       ? "program"
                     : !same_dtype                                           ? "number format"
                     : strcmp(gist->payload, "f32") != 0                     ? "payload"
                                                                             : NULL;
  if (what) return tg_fail(err, T5GIST_EMISMATCH, "%s: expected the gist that its name stands for, found one of another %s", path, what);
  return T5GIST_OK;
}

static t5gist_status read_entry(const char *path, const tg_store_id *id, const t5gist_model *model, t5gist_gist **out, t5gist_error *err) {
  tg_file_facts facts;
  t5gist_gist *gist = NULL;
  t5gist_status status;
  if (tg_file_examine(path, &facts) && !facts.regular) return tg_fail(err, T5GIST_EFORMAT, "%s: expected a regular file", path);
  TG_TRY(tg_gist_read(path, &gist, err));
  TG_GOTO(id ? check_entry(path, id, gist, err) : T5GIST_OK);
  TG_GOTO(model ? tg_gist_attach(model, path, gist, err) : T5GIST_OK);
  gist->from_file = gist->file_has_cross = false; /* as if it had been encoded now */
  gist->from_store = true;
  *out = gist;
  gist = NULL;
done:
  t5gist_gist_free(gist);
  return status;
}

t5gist_status tg_store_read(const t5gist_store *store, const char *key, const tg_store_id *id, const t5gist_model *model, t5gist_gist **gist,
                            t5gist_error *err) {
  char *path;
  TG_TRY(tg_store_path(store->dir, key, "gist", &path, err));
  const t5gist_status status = read_entry(path, id, model, gist, err);
  tg_free(path);
  return status;
}

bool tg_store_is_damage(t5gist_status status) {
  return status == T5GIST_EFORMAT || status == T5GIST_EMISMATCH || status == T5GIST_EUNSUPPORTED;
}

t5gist_status tg_store_set_aside(const t5gist_store *store, const char *key, t5gist_error *err) {
  char *from = NULL, *to = NULL;
  t5gist_status status;
  TG_GOTO(tg_folder_make(store->damaged_dir, 0700, err));
  TG_GOTO(tg_store_path(store->dir, key, "gist", &from, err));
  TG_GOTO(tg_store_path(store->damaged_dir, key, "gist", &to, err));
  TG_GOTO(tg_file_rename(from, to, err));
done:
  tg_free(from);
  tg_free(to);
  return status;
}

/* An entry that is no good: looks again under the lock, because another process may have replaced it, and moves it away. */
static t5gist_gist *reject(t5gist_store *store, const char *key, const tg_store_id *id, const t5gist_model *model, const t5gist_error *why) {
  t5gist_gist *gist = NULL;
  t5gist_error error = *why;
  tg_lock lock;
  const t5gist_status locked = tg_store_lock(store, &lock, &error);
  if (locked != T5GIST_OK) {
    note(store, why->message, "; not used");
    return NULL;
  }
  const t5gist_status again = tg_store_read(store, key, id, model, &gist, &error);
  if (tg_store_is_damage(again))
    note(store, why->message, tg_store_set_aside(store, key, &error) == T5GIST_OK ? "; moved to damaged/, not used" : "; not used");
  tg_lock_release(&lock);
  return gist;
}

double tg_store_encode_ms(const t5gist_store *store, const char *key) {
  char *path, head[TG_STORE_USE_HEAD + 1] = {0};
  if (tg_store_path(store->dir, key, "use", &path, NULL) != T5GIST_OK) return 0;
  const bool whole = tg_file_head(path, head, TG_STORE_USE_HEAD);
  tg_free(path);
  return whole ? (double)strtoull(head, NULL, 10) * 1e-3 : 0;
}

/* A byte per hit behind the head of KEY.use; its time of change is that of the last one. One that cannot be counted is lost. */
static void count_hit(const t5gist_store *store, const char *key) {
  char *path;
  tg_file_facts facts;
  if (store->read_only || tg_store_path(store->dir, key, "use", &path, NULL) != T5GIST_OK) return;
  if (tg_file_examine(path, &facts)) {
    if (facts.size < TG_STORE_USE_HEAD + TG_STORE_MAX_HITS)
      (void)tg_file_append(path, "+", 1);
    else
      (void)tg_file_touch(path);
  }
  tg_free(path);
}

static bool is_there(const t5gist_store *store, const char *key) {
  char *path;
  tg_file_facts facts;
  if (tg_store_path(store->dir, key, "gist", &path, NULL) != T5GIST_OK) return false;
  const bool there = tg_file_examine(path, &facts);
  tg_free(path);
  return there;
}

t5gist_gist *tg_store_find(t5gist_store *store, const tg_store_id *id, const t5gist_model *model, double *encode_ms) {
  char key[TG_SHA256_HEX];
  t5gist_gist *gist = NULL;
  t5gist_error error;
  tg_store_key(store, id, key);
  if (!is_there(store, key)) return NULL;
  const t5gist_status status = tg_store_read(store, key, id, model, &gist, &error);
  if (tg_store_is_damage(status))
    gist = reject(store, key, id, model, &error);
  else if (status != T5GIST_OK && is_there(store, key)) /* and not removed by another process just now */
    note(store, error.message, "; not used");
  if (gist == NULL) return NULL;
  count_hit(store, key);
  *encode_ms = tg_store_encode_ms(store, key);
  return gist;
}

/* ---------------------------------------------------------------------------------------------------------------------------- keeping */

/* Under the lock: gives the entry its name. Its mark comes first, so that a reader finds the entry with it. */
static t5gist_status place_entry(const t5gist_store *store, const char *key, tg_writer *writer, double encode_ms, t5gist_error *err) {
  char *use, head[TG_STORE_USE_HEAD + 1];
  TG_TRY(tg_store_path(store->dir, key, "use", &use, err));
  snprintf(head, sizeof head, "%15llu\n", encode_ms > 0 && encode_ms < 1e9 ? (unsigned long long)(encode_ms * 1e3) : 0);
  (void)tg_file_make(use, 0600, head, TG_STORE_USE_HEAD);
  const t5gist_status status = tg_writer_rename(writer, err);
  if (status != T5GIST_OK) (void)tg_file_remove(use, NULL);
  tg_free(use);
  return status;
}

static t5gist_status add_file(const t5gist_store *store, const char *key, tg_writer *writer, uint64_t size, double encode_ms, bool *added,
                              t5gist_error *err) {
  tg_lock lock;
  t5gist_status status = T5GIST_OK;
  TG_TRY(tg_store_lock(store, &lock, err));
  *added = !is_there(store, key); /* else another process was faster */
  if (*added) status = tg_store_find_room(store, &lock, size, err);
  if (*added && status == T5GIST_OK) status = place_entry(store, key, writer, encode_ms, err);
  tg_lock_release(&lock);
  return status;
}

/* Bytes and name are brought to disk without the lock: disks can be slow, and nobody shall wait for another's. */
static t5gist_status add_bytes(const t5gist_store *store, const char *key, const tg_buffer *bytes, double encode_ms, bool *added, t5gist_error *err) {
  char *path;
  tg_writer *writer = NULL;
  t5gist_status status;
  TG_TRY(tg_store_path(store->dir, key, "gist", &path, err));
  TG_GOTO(tg_writer_open_tended(path, 0600, &writer, err));
  TG_GOTO(tg_writer_write(writer, bytes->data, bytes->size, err));
  TG_GOTO(tg_writer_sync(writer, err));
  TG_GOTO(add_file(store, key, writer, bytes->size, encode_ms, added, err));
  if (*added) {
    status = tg_writer_commit(writer, err);
    writer = NULL;
  }
done:
  tg_writer_abort(writer);
  tg_free(path);
  return status;
}

t5gist_status tg_store_add(const t5gist_store *store, const char *key, const tg_buffer *bytes, double encode_ms, bool *added, t5gist_error *err) {
  static pthread_mutex_t one = PTHREAD_MUTEX_INITIALIZER; /* of a process: writers are few */
  *added = false;
  TG_TRY(tg_store_make(store, err));
  if (store->read_only || !tg_folder_writable(store->dir)) return tg_fail(err, T5GIST_EUNSUPPORTED, "%s: the store is to be read alone", store->dir);
  pthread_mutex_lock(&one);
  const t5gist_status status = is_there(store, key) ? T5GIST_OK : add_bytes(store, key, bytes, encode_ms, added, err);
  pthread_mutex_unlock(&one);
  return status;
}

/* Whether every number of it is one. */
static bool is_finite(const t5gist_gist *gist) {
  const size_t n = (size_t)gist->n_gist * (size_t)gist->d_model;
  size_t encoder = 0, decoder = 0;
  tg_gist_values(gist, gist->n_layers, &encoder); /* both fit: they were allocated */
  tg_gist_values(gist, gist->n_decoder_layers, &decoder);
  return tg_first_nonfinite(gist->states, n) == n && tg_first_nonfinite(gist->enc_k, encoder) == encoder &&
         tg_first_nonfinite(gist->enc_v, encoder) == encoder && tg_first_nonfinite(gist->cross_k, decoder) == decoder &&
         tg_first_nonfinite(gist->cross_v, decoder) == decoder;
}

void tg_store_keep(t5gist_store *store, const tg_store_id *id, const t5gist_gist *gist, double encode_ms) {
  char key[TG_SHA256_HEX];
  t5gist_error error;
  tg_buffer bytes = {0};
  const long long now = (long long)tg_now_ms();
  if (store->read_only || id->task[0] == 0 || now < atomic_load(&store->rest_until)) return;
  if (!is_finite(gist)) return;                                                     /* no reader would take it; what is wrong shows in the answer */
  if (tg_gist_write(gist, T5GIST_PAYLOAD_F32, true, &bytes, &error) != T5GIST_OK) { /* a task that no gist file can hold */
    note(store, error.message, "; not kept");
  } else {
    tg_store_key(store, id, key);
    bool added;
    const t5gist_status status = tg_store_add(store, key, &bytes, encode_ms, &added, &error);
    if (status != T5GIST_OK) atomic_store(&store->rest_until, now + TG_STORE_REST_MS);
    if (status != T5GIST_OK && status != T5GIST_EUNSUPPORTED) note(store, error.message, "; gists are not kept for now"); /* else: to be read alone */
  }
  tg_buffer_free(&bytes);
}
