/* The gist store of docs/FORMATS.md: a folder of gist files that outlives processes and is shared by them. Reading takes no lock: entries appear and
 * disappear whole, by rename and unlink. Whatever adds, removes or moves entries holds the store's lock. store.c finds and keeps gists for sessions,
 * store_scan.c knows what lies in the folder, store_manage.c serves `t5gist store`. */
#ifndef T5GIST_GIST_STORE_H
#define T5GIST_GIST_STORE_H

#include <stdatomic.h>

#include "gist/gist.h"
#include "runtime/folder.h"
#include "t5gist/tools.h"

/* Reads and writes of a few milliseconds are all that happens under the lock. */
enum { TG_STORE_WAIT_MS = 5000, TG_STORE_REST_MS = 60000, TG_STORE_USE_HEAD = 16, TG_STORE_MAX_HITS = 1 << 16 };
#define TG_STORE_BUDGET ((uint64_t)1 << 30)

struct t5gist_store {
  char *dir, *damaged_dir, *lock_path; /* owned */
  char *salt;                          /* owned; "": none */
  uint64_t budget;
  bool read_only;
  atomic_llong rest_until; /* milliseconds of the monotonic clock: a write failed, and until then none is tried, nor the failure named again */
  void (*on_note)(void *user, const char *message);
  void *user;
};

/* What a gist is kept under. Strings are borrowed. program: the version that computed it, for a new one may compute better; dtype: what it is
 * computed by (t5gist_model.computed_in). */
typedef struct tg_store_id {
  const char *program, *fingerprint, *template_task, *template_input, *dtype, *task;
  int n_gist;
} tg_store_id;

tg_store_id tg_store_id_of(const t5gist_model *model, const char *task, int n_gist);
void tg_store_key(const t5gist_store *store, const tg_store_id *id, char key[TG_SHA256_HEX]);
/* The same for what a gist says of itself. */
t5gist_status tg_store_gist_key(const t5gist_store *store, const t5gist_gist *gist, char key[TG_SHA256_HEX], t5gist_error *err);

/* The gist kept under id, the caller's, and what encoding it took; null: there is none that could be served. model: what to attach it to; null (for
 * tests): it is not attached. */
t5gist_gist *tg_store_find(t5gist_store *store, const tg_store_id *id, const t5gist_model *model, double *encode_ms);

/* Keeps a gist that has just been encoded, unless another process was faster. */
void tg_store_keep(t5gist_store *store, const tg_store_id *id, const t5gist_gist *gist, double encode_ms);

/* ------------------------------------------------------------------------------------------------------------------------ store_scan.c */

typedef struct tg_store_item {
  char key[TG_SHA256_HEX];
  uint64_t bytes, hits;
  int64_t used, made; /* nanoseconds since 1970; used: of the last hit, else when it was made */
  bool pinned;
} tg_store_item;

typedef struct tg_store_scan {
  tg_store_item *items; /* [n] by key */
  size_t n, capacity;
  uint64_t bytes;     /* of items */
  tg_strings damaged; /* keys */
  uint64_t damaged_bytes;
  tg_strings strays; /* names of what a killed process left: temporaries, and marks without an entry */
} tg_store_scan;

bool tg_store_is_key(const char *text, size_t n);
/* DIR/KEY.SUFFIX */
t5gist_status tg_store_path(const char *dir, const char *key, const char *suffix, char **path, t5gist_error *err);
t5gist_status tg_store_read_folder(const t5gist_store *store, tg_store_scan *scan, t5gist_error *err);
void tg_store_scan_free(tg_store_scan *scan);

/* Under the lock. Removes the entry and what belongs to it; its pin first, so that no pin is left without an entry. */
t5gist_status tg_store_remove_entry(const t5gist_store *store, const char *key, t5gist_error *err);
t5gist_status tg_store_drop_strays(const t5gist_store *store, const tg_store_scan *scan, t5gist_error *err);
t5gist_status tg_store_drop_damaged(const t5gist_store *store, tg_store_scan *scan, t5gist_error *err);
/* Where `needed` more bytes do not fit the budget: removes strays, damaged entries and then those used longest ago, never pinned ones, until they do.
 * Of many entries some more go, so that not every entry to come has to look at all of them. */
t5gist_status tg_store_evict(const t5gist_store *store, tg_store_scan *scan, uint64_t needed, size_t *n_removed, t5gist_error *err);
/* Makes room for a new entry, or says why there is none. Holders of the lock leave each other the bytes in the folder: a number that may be too
 * large, because whoever removes entries lets it be, and so spares a look at the folder while it fits. */
t5gist_status tg_store_find_room(const t5gist_store *store, const tg_lock *lock, uint64_t needed, t5gist_error *err);

/* Makes the folder where there is none, unless the store is read only. */
t5gist_status tg_store_make(const t5gist_store *store, t5gist_error *err);
/* Takes the lock of a folder that exists. T5GIST_EUNSUPPORTED: the store is to be read alone. */
t5gist_status tg_store_lock(const t5gist_store *store, tg_lock *lock, t5gist_error *err);

/* Reads and checks the entry under key; null id: against itself alone. */
t5gist_status tg_store_read(const t5gist_store *store, const char *key, const tg_store_id *id, const t5gist_model *model, t5gist_gist **gist,
                            t5gist_error *err);
/* Whether a failure to read an entry is the entry's fault, and not the machine's. */
bool tg_store_is_damage(t5gist_status status);
/* Under the lock: moves an entry out of the way. */
t5gist_status tg_store_set_aside(const t5gist_store *store, const char *key, t5gist_error *err);
/* What encoding it took, where KEY.use says so; else 0. */
double tg_store_encode_ms(const t5gist_store *store, const char *key);
/* Takes the lock and adds a gist file's bytes, unless the key is there already: *added. */
t5gist_status tg_store_add(const t5gist_store *store, const char *key, const tg_buffer *bytes, double encode_ms, bool *added, t5gist_error *err);

#endif
