#include "training/snapshot.h"

#include <stdlib.h>
#include <string.h>

#include "runtime/error.h"
#include "runtime/file.h"
#include "runtime/folder.h"
#include "runtime/hash.h"
#include "runtime/json.h"
#include "runtime/safetensors.h"

enum { VERSION = 1, FILE_MODE = 0644, NAME = 64, STATE_LIMIT = 16 << 20, FILES = 3 };

/* ---------------------------------------------------------------------------------------------------------------------------- names */

static const char *step_name(uint64_t step, char name[NAME]) {
  snprintf(name, NAME, "step-%08llu", (unsigned long long)step);
  return name;
}

/* Whether a name is a snapshot's, and of which step. */
static bool read_step(const char *name, uint64_t *step) {
  char same[NAME];
  if (strncmp(name, "step-", 5) != 0) return false;
  *step = strtoull(name + 5, NULL, 10);
  return strcmp(step_name(*step, same), name) == 0;
}

/* "optimiser.safetensors" of the first process, "optimiser-3.safetensors" of another. */
static const char *rank_name(const char *stem, const char *end, int rank, char name[NAME]) {
  if (rank == 0)
    snprintf(name, NAME, "%s%s", stem, end);
  else
    snprintf(name, NAME, "%s-%d%s", stem, rank, end);
  return name;
}

static t5gist_status join3(char **path, const char *run_dir, uint64_t step, const char *file, t5gist_error *err) {
  char name[2 * NAME], folder[NAME];
  snprintf(name, sizeof name, "%s%s%s", step_name(step, folder), file ? "/" : "", file ? file : "");
  return tg_path_join(path, run_dir, name, err);
}

/* -------------------------------------------------------------------------------------------------------------------------- writing */

typedef struct saving {
  const tg_snapshot *snapshot;
  const char *run_dir;
  uint64_t step;
  tg_writer *writers[FILES]; /* [n] open */
  size_t n;
  json_t *hashes; /* file name: SHA-256 */
} saving;

static t5gist_status open_file(saving *s, const char *name, tg_writer **writer, t5gist_error *err) {
  char *path;
  TG_TRY(join3(&path, s->run_dir, s->step, name, err));
  const t5gist_status status = tg_writer_open(path, FILE_MODE, writer, err);
  if (status == T5GIST_OK) s->writers[s->n++] = *writer;
  tg_free(path);
  return status;
}

static t5gist_status write_hashed(tg_writer *writer, tg_sha256 *hash, const void *data, size_t n, t5gist_error *err) {
  tg_sha256_add(hash, data, n);
  return tg_writer_write(writer, data, n, err);
}

/* One safetensors file: tensors [n] whose bytes are data. */
static t5gist_status write_file(saving *s, const char *name, const tg_tensor *tensors, size_t n, const tg_state_vector *vectors, size_t n_vectors,
                                t5gist_error *err) {
  tg_buffer header = {0};
  tg_writer *writer;
  tg_sha256 hash;
  char hex[TG_SHA256_HEX];
  t5gist_status status;
  tg_sha256_begin(&hash);
  TG_GOTO(tg_safetensors_header(tensors, n, NULL, &header, err));
  TG_GOTO(open_file(s, name, &writer, err));
  TG_GOTO(write_hashed(writer, &hash, header.data, header.size, err));
  for (size_t i = 0; i < n_vectors; i++) TG_GOTO(write_hashed(writer, &hash, vectors[i].data, vectors[i].count * sizeof(float), err));
  tg_sha256_end(&hash, hex);
  if (json_object_set_new(s->hashes, name, json_string(hex)) != 0) status = tg_fail(err, T5GIST_ENOMEM, "not enough memory for a snapshot's state");
done:
  tg_buffer_free(&header);
  return status;
}

static t5gist_status write_weights(saving *s, t5gist_error *err) {
  const tg_layout *layout = s->snapshot->layout;
  const tg_state_vector vector = {"weights", s->snapshot->weights, layout->count};
  tg_tensor *tensors;
  TG_TRY(tg_alloc(&tensors, layout->n, sizeof *tensors, err));
  for (size_t i = 0; i < layout->n; i++) {
    const tg_parameter *p = &layout->parameters[i];
    tensors[i] = (tg_tensor){.name = p->name, .dtype = TG_F32, .rank = p->n_dims, .shape = {p->dims[0], p->dims[1]}};
  }
  const t5gist_status status = write_file(s, "weights.safetensors", tensors, layout->n, &vector, 1, err);
  tg_free(tensors);
  return status;
}

static t5gist_status write_optimiser(saving *s, t5gist_error *err) {
  tg_state_vector vectors[TG_STATE_VECTORS];
  tg_tensor tensors[TG_STATE_VECTORS] = {{0}};
  char name[NAME];
  const size_t n = tg_optimiser_state(s->snapshot->optimiser, vectors, TG_STATE_VECTORS);
  for (size_t i = 0; i < n; i++) tensors[i] = (tg_tensor){.name = vectors[i].name, .dtype = TG_F32, .rank = 1, .shape = {vectors[i].count}};
  return write_file(s, rank_name("optimiser", ".safetensors", s->snapshot->rank, name), tensors, n, vectors, n, err);
}

/* Of the run's state, whose keys are sorted for it. */
static t5gist_status hash_state(const json_t *state, char hex[TG_SHA256_HEX], t5gist_error *err) {
  char *text = json_dumps(state, JSON_COMPACT | JSON_SORT_KEYS);
  if (!text) return tg_fail(err, T5GIST_ENOMEM, "not enough memory for a snapshot's state");
  tg_sha256_hex(text, strlen(text), hex);
  free(text);
  return T5GIST_OK;
}

static t5gist_status write_state(saving *s, t5gist_error *err) {
  char name[NAME], hex[TG_SHA256_HEX], *text = NULL;
  tg_writer *writer;
  t5gist_status status;
  TG_TRY(hash_state(s->snapshot->state, hex, err));
  json_t *json = json_pack("{ss si sI si si sO sO ss}", "format", "t5gist-training", "version", VERSION, "step", (json_int_t)s->step, "rank",
                           s->snapshot->rank, "ranks", s->snapshot->n_ranks, "sha256", s->hashes, "run", s->snapshot->state, "run_sha256", hex);
  if (json) text = json_dumps(json, JSON_INDENT(2));
  if (!text) {
    status = tg_fail(err, T5GIST_ENOMEM, "not enough memory for a snapshot's state");
    goto done;
  }
  TG_GOTO(open_file(s, rank_name("state", ".json", s->snapshot->rank, name), &writer, err));
  TG_GOTO(tg_writer_write(writer, text, strlen(text), err));
done:
  json_decref(json);
  free(text);
  return status;
}

/* Of a snapshot that is written over: while its files are of two times, it is none. */
static t5gist_status unmark(const saving *s, t5gist_error *err) {
  char *path, name[NAME];
  TG_TRY(join3(&path, s->run_dir, s->step, rank_name("DONE", "", s->snapshot->rank, name), err));
  const t5gist_status status = tg_file_remove(path, err);
  tg_free(path);
  return status;
}

/* Everything to disk, then renamed; the state, which knows the others' checksums, last. */
static t5gist_status commit(saving *s, t5gist_error *err) {
  for (size_t i = 0; i < s->n; i++) TG_TRY(tg_writer_sync(s->writers[i], err));
  TG_TRY(unmark(s, err));
  for (size_t i = 0; i < s->n; i++) {
    tg_writer *writer = s->writers[i];
    s->writers[i] = NULL; /* commit frees it */
    TG_TRY(tg_writer_commit(writer, err));
  }
  return T5GIST_OK;
}

/* The folder's own name is brought to disk too, before an earlier snapshot may go. */
static t5gist_status mark_done(const saving *s, t5gist_error *err) {
  char *path, name[NAME];
  TG_TRY(join3(&path, s->run_dir, s->step, rank_name("DONE", "", s->snapshot->rank, name), err));
  t5gist_status status = tg_dir_sync(s->run_dir, err);
  if (status == T5GIST_OK) status = tg_write_file(path, FILE_MODE, "", 0, err);
  tg_free(path);
  return status;
}

static t5gist_status write_snapshot(saving *s, t5gist_error *err) {
  char *folder;
  TG_TRY(join3(&folder, s->run_dir, s->step, NULL, err));
  t5gist_status status = tg_make_dirs(folder, err);
  tg_free(folder);
  if (status != T5GIST_OK) return status;
  if (s->snapshot->rank == 0) TG_TRY(write_weights(s, err));
  TG_TRY(write_optimiser(s, err));
  TG_TRY(write_state(s, err));
  TG_TRY(commit(s, err));
  return mark_done(s, err);
}

/* -------------------------------------------------------------------------------------------------------------------------- finding */

static bool has_mark(const char *run_dir, uint64_t step, int rank) {
  char *path, name[NAME];
  if (join3(&path, run_dir, step, rank_name("DONE", "", rank, name), NULL) != T5GIST_OK) return false;
  const bool found = tg_file_exists(path);
  tg_free(path);
  return found;
}

/* How many processes wrote a snapshot, by its state.json; 1 where that cannot be read: loading it says why. */
static int count_ranks(const char *run_dir, uint64_t step) {
  char *path;
  json_t *json = NULL;
  int n = 1;
  if (join3(&path, run_dir, step, "state.json", NULL) != T5GIST_OK) return 1;
  if (tg_json_read(path, STATE_LIMIT, &json, NULL) == T5GIST_OK) tg_json_int(json, "ranks", path, 1, 1 << 20, &n, NULL);
  json_decref(json);
  tg_free(path);
  return n;
}

static bool is_complete(const char *run_dir, uint64_t step) {
  if (!has_mark(run_dir, step, 0)) return false;
  for (int rank = count_ranks(run_dir, step) - 1; rank > 0; rank--) {
    if (!has_mark(run_dir, step, rank)) return false;
  }
  return true;
}

static int newest_first(const void *a, const void *b) {
  const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
  return x < y ? 1 : x > y ? -1 : 0;
}

static bool is_folder(const char *run_dir, const char *name) {
  char *path;
  tg_file_facts facts;
  if (tg_path_join(&path, run_dir, name, NULL) != T5GIST_OK) return false;
  const bool folder = tg_file_examine(path, &facts) && facts.folder;
  tg_free(path);
  return folder;
}

/* Steps of all snapshots, complete or not, the newest first: a new array [*n]. */
static t5gist_status list_steps(const char *run_dir, uint64_t **steps, size_t *n, t5gist_error *err) {
  tg_strings names = {0};
  t5gist_status status;
  *steps = NULL;
  *n = 0;
  TG_GOTO(tg_folder_list(run_dir, &names, err));
  TG_GOTO(tg_alloc(steps, names.count, sizeof **steps, err));
  for (size_t i = 0; i < names.count; i++) *n += read_step(names.items[i], &(*steps)[*n]) && is_folder(run_dir, names.items[i]);
  qsort(*steps, *n, sizeof **steps, newest_first);
done:
  tg_strings_clear(&names);
  return status;
}

t5gist_status tg_snapshot_find(const char *run_dir, uint64_t *step, t5gist_error *err) {
  uint64_t *steps;
  size_t n;
  *step = 0;
  TG_TRY(list_steps(run_dir, &steps, &n, err));
  for (size_t i = 0; *step == 0 && i < n; i++) {
    if (is_complete(run_dir, steps[i])) *step = steps[i];
  }
  tg_free(steps);
  return T5GIST_OK;
}

/* Its DONE first, so that what is half removed is no snapshot. */
static t5gist_status remove_snapshot(const char *run_dir, uint64_t step, t5gist_error *err) {
  char *folder = NULL, *path = NULL;
  tg_strings names = {0};
  t5gist_status status;
  TG_GOTO(join3(&folder, run_dir, step, NULL, err));
  TG_GOTO(tg_folder_list(folder, &names, err));
  TG_GOTO(tg_path_join(&path, folder, "DONE", err));
  TG_GOTO(tg_file_remove(path, err));
  for (size_t i = 0; i < names.count; i++) {
    tg_file_facts facts;
    tg_free(path);
    path = NULL;
    TG_GOTO(tg_path_join(&path, folder, names.items[i], err));
    if (tg_file_examine(path, &facts) && facts.regular) TG_GOTO(tg_file_remove(path, err));
  }
  TG_GOTO(tg_dir_remove(folder, err));
done:
  tg_strings_clear(&names);
  tg_free(path);
  tg_free(folder);
  return status;
}

static t5gist_status prune(const char *run_dir, uint64_t saved, int keep, t5gist_error *err) {
  uint64_t *steps;
  size_t n;
  t5gist_status status = T5GIST_OK;
  int kept = 0;
  TG_TRY(list_steps(run_dir, &steps, &n, err));
  for (size_t i = 0; i < n; i++) {
    const bool complete = is_complete(run_dir, steps[i]), needed = complete && kept < (keep > 1 ? keep : 1);
    kept += complete;
    if (steps[i] != saved && !needed) TG_GOTO(remove_snapshot(run_dir, steps[i], err));
  }
done:
  tg_free(steps);
  return status;
}

t5gist_status tg_snapshot_save(const tg_snapshot *snapshot, const char *run_dir, uint64_t step, int keep, t5gist_error *err) {
  saving s = {.snapshot = snapshot, .run_dir = run_dir, .step = step, .hashes = json_object()};
  const t5gist_status status = s.hashes ? write_snapshot(&s, err) : tg_fail(err, T5GIST_ENOMEM, "not enough memory for a snapshot's state");
  for (size_t i = 0; i < s.n; i++) tg_writer_abort(s.writers[i]);
  json_decref(s.hashes);
  if (status != T5GIST_OK || snapshot->rank != 0) return status;
  return prune(run_dir, step, keep, err);
}

/* -------------------------------------------------------------------------------------------------------------------------- loading */

/* A state file that says what it is and is of this step and this many processes. */
static t5gist_status check_state(const tg_snapshot *snapshot, const json_t *json, uint64_t step, const char *path, t5gist_error *err) {
  const char *format = NULL, *stated = NULL;
  int version = 0, ranks = 0;
  char hex[TG_SHA256_HEX];
  TG_TRY(tg_json_string(json, "format", path, &format, err));
  TG_TRY(tg_json_int(json, "version", path, 0, 1 << 30, &version, err));
  if (!format || strcmp(format, "t5gist-training") != 0 || version != VERSION)
    return tg_fail(err, T5GIST_EUNSUPPORTED, "%s: expected format \"t5gist-training\" version %d, found \"%.64s\" version %d", path, VERSION,
                   format ? format : "", version);
  TG_TRY(tg_json_int(json, "ranks", path, 1, 1 << 20, &ranks, err));
  if (ranks != snapshot->n_ranks)
    return tg_fail(err, T5GIST_EMISMATCH, "%s: expected a snapshot of %d processes, as there are now, found one of %d", path, snapshot->n_ranks,
                   ranks);
  if (json_integer_value(json_object_get(json, "step")) != (json_int_t)step)
    return tg_fail(err, T5GIST_EFORMAT, "%s: expected step %llu, found %lld", path, (unsigned long long)step,
                   (long long)json_integer_value(json_object_get(json, "step")));
  TG_TRY(tg_json_string(json, "run_sha256", path, &stated, err));
  if (!json_is_object(json_object_get(json, "run")))
    return tg_fail(err, T5GIST_EFORMAT, "%s: run: expected an object, found %s", path, tg_json_type_name(json_object_get(json, "run")));
  TG_TRY(hash_state(json_object_get(json, "run"), hex, err));
  if (!stated || strcmp(stated, hex) != 0)
    return tg_fail(err, T5GIST_EFORMAT, "%s is damaged: expected a run of SHA-256 %.64s, found %s; without its folder the snapshot before it is used",
                   path, stated ? stated : "", hex);
  return T5GIST_OK;
}

/* state.json of a process, as a new reference. */
static t5gist_status read_state(const tg_snapshot *snapshot, const char *run_dir, uint64_t step, int rank, json_t **json, t5gist_error *err) {
  char *path, name[NAME];
  TG_TRY(join3(&path, run_dir, step, rank_name("state", ".json", rank, name), err));
  t5gist_status status = tg_json_read(path, STATE_LIMIT, json, err);
  if (status == T5GIST_OK) {
    status = check_state(snapshot, *json, step, path, err);
    if (status != T5GIST_OK) {
      json_decref(*json);
      *json = NULL;
    }
  }
  tg_free(path);
  return status;
}

/* Opens a file whose bytes are those that the state knows. */
static t5gist_status open_checked(const json_t *state, const char *run_dir, uint64_t step, const char *name, tg_safetensors **file,
                                  t5gist_error *err) {
  char *path, hex[TG_SHA256_HEX];
  const char *expected = json_string_value(json_object_get(json_object_get(state, "sha256"), name));
  tg_map map;
  TG_TRY(join3(&path, run_dir, step, name, err));
  t5gist_status status = tg_map_open(path, &map, err);
  if (status == T5GIST_OK) {
    tg_sha256_hex(map.data, map.size, hex);
    tg_map_close(&map);
    if (!expected || strcmp(expected, hex) != 0)
      status = tg_fail(err, T5GIST_EFORMAT, "%s is damaged: expected SHA-256 %.64s, found %s; without its folder the snapshot before it is used",
                       path, expected ? expected : "of nothing", hex);
    else
      status = tg_safetensors_open(path, file, err);
  }
  tg_free(path);
  return status;
}

static t5gist_status load_weights(const tg_snapshot *snapshot, const tg_safetensors *file, t5gist_error *err) {
  const tg_layout *layout = snapshot->layout;
  const char *path = tg_safetensors_path(file);
  if (tg_safetensors_count(file) != layout->n)
    return tg_fail(err, T5GIST_EMISMATCH, "%s: expected the model's %zu tensors, found %zu", path, layout->n, tg_safetensors_count(file));
  for (size_t i = 0; i < layout->n; i++) {
    const tg_parameter *p = &layout->parameters[i];
    const tg_tensor *t = tg_safetensors_find(file, p->name);
    if (!t) return tg_fail(err, T5GIST_EMISMATCH, "%s: expected tensor %s, found no such tensor", path, p->name);
    const size_t columns = t->rank == 2 ? t->shape[1] : 0;
    if (t->dtype != TG_F32 || t->rank != p->n_dims || t->shape[0] != p->dims[0] || columns != p->dims[1])
      return tg_fail(err, T5GIST_EMISMATCH, "%s: tensor %s: expected F32 of shape [%zu, %zu], found %s of [%zu, %zu]", path, p->name, p->dims[0],
                     p->dims[1], tg_dtype_name(t->dtype), t->shape[0], columns);
    memcpy(snapshot->weights + p->offset, t->data, t->bytes);
  }
  return T5GIST_OK;
}

static t5gist_status load_optimiser(const tg_snapshot *snapshot, const tg_safetensors *file, t5gist_error *err) {
  tg_state_vector vectors[TG_STATE_VECTORS];
  const size_t n = tg_optimiser_state(snapshot->optimiser, vectors, TG_STATE_VECTORS);
  const char *path = tg_safetensors_path(file);
  if (tg_safetensors_count(file) != n)
    return tg_fail(err, T5GIST_EMISMATCH, "%s: expected the %zu vectors of this optimiser, found %zu", path, n, tg_safetensors_count(file));
  for (size_t i = 0; i < n; i++) {
    const tg_tensor *t = tg_safetensors_find(file, vectors[i].name);
    if (!t || t->dtype != TG_F32 || t->count != vectors[i].count)
      return tg_fail(err, T5GIST_EMISMATCH, "%s: expected %s of %zu floats, as this optimiser has, found %zu", path, vectors[i].name,
                     vectors[i].count, t ? t->count : 0);
    memcpy(vectors[i].data, t->data, t->bytes);
  }
  return T5GIST_OK;
}

t5gist_status tg_snapshot_load(tg_snapshot *snapshot, const char *run_dir, uint64_t step, t5gist_error *err) {
  json_t *first = NULL, *own = NULL;
  tg_safetensors *weights = NULL, *optimiser = NULL;
  char name[NAME];
  t5gist_status status;
  TG_GOTO(read_state(snapshot, run_dir, step, 0, &first, err));
  TG_GOTO(read_state(snapshot, run_dir, step, snapshot->rank, &own, err));
  TG_GOTO(open_checked(first, run_dir, step, "weights.safetensors", &weights, err));
  TG_GOTO(open_checked(own, run_dir, step, rank_name("optimiser", ".safetensors", snapshot->rank, name), &optimiser, err));
  TG_GOTO(load_weights(snapshot, weights, err));
  TG_GOTO(load_optimiser(snapshot, optimiser, err));
  snapshot->state = json_incref(json_object_get(own, "run"));
done:
  tg_safetensors_close(weights);
  tg_safetensors_close(optimiser);
  json_decref(first);
  json_decref(own);
  return status;
}
