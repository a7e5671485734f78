/* Layout: ids (int32), zeros up to a multiple of 8, examples, names (each ended by NUL), and the trailer, whose checksum covers all that stands
 * before it: a file written in one go, whose end says what it is. */
#include "training/shard.h"

#include <string.h>

#include "runtime/error.h"

enum { VERSION = 1, ALIGNMENT = 8, ENDIAN = 0x01020304 };

static const char magic[8] = "t5gistX\n";

typedef struct trailer {
  char magic[8];
  uint32_t version, endian;
  uint64_t n_ids, n_examples, n_families, n_splits, names_size;
  tg_data_report report;
  char key[TG_SHA256_HEX + 7], checksum[TG_SHA256_HEX + 7]; /* SHA-256 in hex, NUL and zeros */
} trailer;

/* ----------------------------------------------------------------------------------------------------------------------------- writing */

struct tg_shard_writer {
  tg_writer *file;
  tg_sha256 hash;
  trailer trailer;
  tg_shard_example *examples; /* [trailer.n_examples] */
  size_t capacity;
};

t5gist_status tg_shard_create(const char *path, const char key[TG_SHA256_HEX], tg_shard_writer **out, t5gist_error *err) {
  tg_shard_writer *w;
  TG_TRY(tg_alloc(&w, 1, sizeof *w, err));
  w->trailer = (trailer){.version = VERSION, .endian = ENDIAN};
  memcpy(w->trailer.magic, magic, sizeof magic);
  memcpy(w->trailer.key, key, TG_SHA256_HEX);
  tg_sha256_begin(&w->hash);
  const t5gist_status status = tg_writer_open(path, 0666, &w->file, err);
  if (status)
    tg_free(w);
  else
    *out = w;
  return status;
}

void tg_shard_abort(tg_shard_writer *w) {
  if (!w) return;
  tg_writer_abort(w->file);
  tg_free(w->examples);
  tg_free(w);
}

static t5gist_status put(tg_shard_writer *w, const void *data, size_t n, t5gist_error *err) {
  tg_sha256_add(&w->hash, data, n);
  return tg_writer_write(w->file, data, n, err);
}

t5gist_status tg_shard_add(tg_shard_writer *w, const tg_example *e, t5gist_error *err) {
  trailer *t = &w->trailer;
  TG_TRY(tg_reserve(&w->examples, &w->capacity, (size_t)t->n_examples + 1, sizeof *w->examples, err));
  TG_TRY(put(w, e->task, (size_t)e->n_task * sizeof *e->task, err));
  TG_TRY(put(w, e->input, (size_t)e->n_input * sizeof *e->input, err));
  TG_TRY(put(w, e->target, (size_t)e->n_target * sizeof *e->target, err));
  w->examples[t->n_examples++] = (tg_shard_example){.begin = t->n_ids,
                                                    .task_hash = e->task_hash,
                                                    .n_task = (uint32_t)e->n_task,
                                                    .n_input = (uint32_t)e->n_input,
                                                    .n_target = (uint32_t)e->n_target,
                                                    .family = e->family,
                                                    .split = e->split};
  t->n_ids += (uint64_t)e->n_task + (uint64_t)e->n_input + (uint64_t)e->n_target;
  return T5GIST_OK;
}

static t5gist_status put_names(tg_shard_writer *w, const json_t *names, uint64_t *count, t5gist_error *err) {
  const char *name;
  json_t *number;
  json_object_foreach((json_t *)names, name, number) {
    TG_TRY(put(w, name, strlen(name) + 1, err));
    w->trailer.names_size += strlen(name) + 1;
    ++*count;
  }
  return T5GIST_OK;
}

static t5gist_status finish(tg_shard_writer *w, const json_t *families, const json_t *splits, t5gist_error *err) {
  trailer *t = &w->trailer;
  const int32_t zero = 0;
  if (t->n_ids % 2) TG_TRY(put(w, &zero, sizeof zero, err));
  TG_TRY(put(w, w->examples, (size_t)t->n_examples * sizeof *w->examples, err));
  TG_TRY(put_names(w, families, &t->n_families, err));
  TG_TRY(put_names(w, splits, &t->n_splits, err));
  TG_TRY(put(w, t, offsetof(trailer, checksum), err));
  char checksum[TG_SHA256_HEX];
  tg_sha256_end(&w->hash, checksum);
  memcpy(t->checksum, checksum, sizeof checksum);
  return tg_writer_write(w->file, t->checksum, sizeof t->checksum, err);
}

t5gist_status tg_shard_finish(tg_shard_writer *w, const json_t *families, const json_t *splits, const tg_data_report *report, t5gist_error *err) {
  w->trailer.report = *report;
  t5gist_status status = finish(w, families, splits, err);
  if (!status) {
    status = tg_writer_commit(w->file, err);
    w->file = NULL;
  }
  tg_shard_abort(w);
  return status;
}

/* ----------------------------------------------------------------------------------------------------------------------------- reading */

static t5gist_status broken(const char *path, const char *what, t5gist_error *err) {
  return tg_fail(err, T5GIST_EFORMAT, "%s: expected tokenised examples, found %s", path, what);
}

static t5gist_status read_trailer(const char *path, const char *key, const tg_map *map, trailer *t, t5gist_error *err) {
  if (map->size < sizeof *t) return broken(path, "a file too short for them", err);
  memcpy(t, map->data + map->size - sizeof *t, sizeof *t);
  if (memcmp(t->magic, magic, sizeof magic) || t->version != VERSION || t->endian != ENDIAN)
    return broken(path, "another format, version or byte order", err);
  if (memcmp(t->key, key, TG_SHA256_HEX)) return broken(path, "those of other data, tokenizer or options", err);
  char checksum[TG_SHA256_HEX];
  tg_sha256_hex(map->data, map->size - sizeof t->checksum, checksum);
  return memcmp(t->checksum, checksum, TG_SHA256_HEX) ? broken(path, "a wrong checksum", err) : T5GIST_OK;
}

/* Where the parts are, from sizes that must add up to the file's. */
static bool find_parts(tg_shard *shard, const trailer *t, size_t *names_at) {
  size_t ids, examples, end;
  if (!tg_size_mul((size_t)t->n_ids, sizeof *shard->ids, &ids) || !tg_align_up(ids, ALIGNMENT, &ids)) return false;
  if (!tg_size_mul((size_t)t->n_examples, sizeof *shard->examples, &examples) || !tg_size_add(ids, examples, names_at)) return false;
  if (!tg_size_add(*names_at, (size_t)t->names_size, &end) || end != shard->map.size - sizeof *t) return false;
  shard->ids = (const int32_t *)(const void *)shard->map.data;
  shard->examples = (const tg_shard_example *)(const void *)(shard->map.data + ids);
  shard->n_examples = (size_t)t->n_examples;
  shard->n_families = (size_t)t->n_families;
  shard->n_splits = (size_t)t->n_splits;
  return t->n_families <= t->names_size && t->n_splits <= t->names_size - t->n_families; /* a byte each at least */
}

static t5gist_status find_names(tg_shard *shard, const char *at, size_t size, t5gist_error *err) {
  const size_t n = shard->n_families + shard->n_splits;
  const char *end = at + size;
  TG_TRY(tg_alloc(&shard->names, n, sizeof *shard->names, err));
  for (size_t i = 0; i < n; i++) {
    const char *nul = memchr(at, 0, (size_t)(end - at));
    if (!nul) return tg_fail(err, T5GIST_EFORMAT, "a name without end");
    shard->names[i] = at;
    at = nul + 1;
  }
  return at == end ? T5GIST_OK : tg_fail(err, T5GIST_EFORMAT, "text behind the names");
}

static bool examples_are_sound(const tg_shard *shard, size_t n_ids) {
  uint64_t next = 0;
  for (size_t i = 0; i < shard->n_examples; i++) {
    const tg_shard_example *e = &shard->examples[i];
    if (e->begin != next || e->n_task > INT32_MAX || e->n_input > INT32_MAX || e->n_target > INT32_MAX || !e->n_input || !e->n_target) return false;
    if (e->family < -1 || e->family >= (int64_t)shard->n_families || e->split < -1 || e->split >= (int64_t)shard->n_splits) return false;
    next += (uint64_t)e->n_task + e->n_input + e->n_target;
    if (next > n_ids) return false;
  }
  return next == n_ids;
}

static bool ids_are_in_range(const int32_t *ids, size_t n, int vocab_size) {
  uint32_t largest = 0;
  for (size_t i = 0; i < n; i++) largest = (uint32_t)ids[i] > largest ? (uint32_t)ids[i] : largest;
  return n == 0 || largest < (uint32_t)vocab_size;
}

static t5gist_status check(const char *path, const char *key, int vocab_size, tg_shard *shard, t5gist_error *err) {
  trailer t;
  size_t names_at;
  TG_TRY(read_trailer(path, key, &shard->map, &t, err));
  if (!find_parts(shard, &t, &names_at)) return broken(path, "sizes that do not add up", err);
  TG_TRY(find_names(shard, (const char *)shard->map.data + names_at, (size_t)t.names_size, err));
  if (!examples_are_sound(shard, (size_t)t.n_ids)) return broken(path, "offsets out of order", err);
  if (!ids_are_in_range(shard->ids, (size_t)t.n_ids, vocab_size)) return broken(path, "ids beyond the vocabulary", err);
  shard->report = t.report;
  return T5GIST_OK;
}

t5gist_status tg_shard_open(const char *path, const char key[TG_SHA256_HEX], int vocab_size, tg_shard *out, t5gist_error *err) {
  tg_shard shard = {0};
  TG_TRY(tg_map_open(path, &shard.map, err));
  const t5gist_status status = check(path, key, vocab_size, &shard, err);
  if (status)
    tg_shard_close(&shard);
  else
    *out = shard;
  return status;
}

void tg_shard_close(tg_shard *shard) {
  tg_free(shard->names);
  tg_map_close(&shard->map);
  *shard = (tg_shard){0};
}
