/* Saves that are broken off: by a failing file call, by SIGKILL before each call, by a loss of power. Whoever reads afterwards finds the old state or the new
 * one, never another; a save that fails leaves nothing behind, what a killed one left goes with a later save.
 *     test_saves [all]      all: 4,096 losses of power per save instead of 256 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "disk.h"
#include "gist/store.h"
#include "runtime/error.h"
#include "runtime/file.h"
#include "runtime/folder.h"
#include "support.h"
#include "tests/support/folder.h"
#include "tests/support/inject.h"
#include "training/snapshot.h"

enum { LOSSES = 256, ALL_LOSSES = 4096 };
static world *everything;
static size_t losses = LOSSES;

/* What a reader finds. */
typedef enum found { FOUND_NONE = 0, FOUND_OLD, FOUND_NEW, FOUND_OTHER } found;
static const char *const found_names[] = {"nothing", "the old state", "the new state", "another state"};

typedef struct save {
  const char *name;
  void (*prepare)(void);                                                /* once, before anything fails; null: nothing */
  t5gist_status (*write)(const char *folder, int version, t5gist_error *err); /* 0: old, 1: new */
  found (*read)(const char *folder);
  bool may_vanish; /* what replaces several files at once: between old and new there may be nothing, which readers refuse by name */
  bool cache;      /* a store: keeping fails silently, and removes by itself what is left over */
} save;

/* --------------------------------------------------------------------------------------------------------------------------- gist file */

static t5gist_gist *gists[2];

static void prepare_gists(void) {
  t5gist_error err;
  t5gist_session *session;
  CHECK_OK(t5gist_session_new(everything->model, &session, &err));
  for (int i = 0; i < 2; i++) CHECK_OK(t5gist_encode(session, "Say only the city.", 2 + i, &gists[i], &err));
  t5gist_session_free(session);
}

static t5gist_status write_gist(const char *folder, int version, t5gist_error *err) {
  return t5gist_gist_save(gists[version], folder_path(folder, "task.gist"), T5GIST_PAYLOAD_F32, true, err);
}

static found read_gist(const char *folder) {
  t5gist_gist *gist;
  t5gist_gist_info info;
  const char *path = folder_path(folder, "task.gist");
  if (!tg_file_exists(path)) return FOUND_NONE;
  if (t5gist_gist_open(everything->model, path, &gist, NULL)) return FOUND_OTHER;
  t5gist_gist_describe(gist, &info);
  const found result = info.n_gist == 2 ? FOUND_OLD : FOUND_NEW;
  t5gist_gist_free(gist);
  return result;
}

/* ----------------------------------------------------------------------------------------------------------------------- model folder */

static const char *const model_files[] = {"model.safetensors", "spiece.model", "config.json"};
enum { N_MODEL_FILES = sizeof model_files / sizeof *model_files };
static struct { char *data; size_t n; } model_bytes[2][N_MODEL_FILES];

static t5gist_status write_model(const char *folder, int version, t5gist_error *err) {
  return t5gist_convert(everything->model_dir, folder_path(folder, "model"), &(t5gist_conversion){.dtype = version ? "int8" : "bf16"}, err);
}

static void prepare_models(void) {
  t5gist_error err;
  for (int i = 0; i < 2; i++) {
    char *folder = folder_new(everything->folder);
    CHECK_OK(write_model(folder, i, &err));
    for (int f = 0; f < N_MODEL_FILES; f++)
      model_bytes[i][f].data = folder_read(folder_path(folder_path(folder, "model"), model_files[f]), &model_bytes[i][f].n);
    folder_remove(folder);
  }
}

static bool is_version(const char *folder, int version) {
  for (int f = 0; f < N_MODEL_FILES; f++) {
    const char *path = folder_path(folder_path(folder, "model"), model_files[f]);
    size_t n = 0;
    char *data = tg_file_exists(path) ? folder_read(path, &n) : NULL;
    const bool same = data && n == model_bytes[version][f].n && memcmp(data, model_bytes[version][f].data, n) == 0;
    free(data);
    if (!same) return false;
  }
  return true;
}

static found read_model(const char *folder) {
  if (is_version(folder, 0)) return FOUND_OLD;
  if (is_version(folder, 1)) return FOUND_NEW;
  return tg_file_exists(folder_path(folder, "model/config.json")) ? FOUND_OTHER : FOUND_NONE; /* without config.json it is no model */
}

/* --------------------------------------------------------------------------------------------------------------------------- snapshot */

static const tg_config tiny = {.vocab_size = 19, .d_model = 5, .d_kv = 3, .d_ff = 7, .n_heads = 2, .n_layers = 1, .n_decoder_layers = 1, .n_buckets = 8, .head = TG_HEAD_FILE};
static tg_layout layout;
static tg_optimiser *optimiser;
static float *weights;

static void prepare_snapshots(void) {
  t5gist_error err;
  const tg_optimiser_options options = {.beta1 = 0.9f, .beta2 = 0.99f, .eps = 1e-8f, .gist_factor = 1};
  CHECK_OK(tg_layout_make(&tiny, true, &layout, &err));
  CHECK_OK(tg_optimiser_new(&layout, &options, 0, layout.count, &optimiser, &err));
  CHECK_OK(tg_alloc(&weights, layout.count, sizeof *weights, &err));
}

static t5gist_status write_snapshot(const char *folder, int version, t5gist_error *err) {
  for (size_t i = 0; i < layout.count; i++) weights[i] = (float)version;
  json_t *state = json_pack("{si}", "version", version);
  const tg_snapshot snapshot = {.layout = &layout, .weights = weights, .optimiser = optimiser, .state = state, .n_ranks = 1};
  const t5gist_status status = tg_snapshot_save(&snapshot, folder, (uint64_t)version + 1, 1, err);
  json_decref(state);
  return status;
}

static found read_snapshot(const char *folder) {
  uint64_t step;
  tg_snapshot snapshot = {.layout = &layout, .weights = weights, .optimiser = optimiser, .n_ranks = 1};
  if (tg_snapshot_find(folder, &step, NULL)) return FOUND_OTHER;
  if (step == 0) return FOUND_NONE;
  if (tg_snapshot_load(&snapshot, folder, step, NULL)) return FOUND_OTHER;
  const json_int_t version = json_integer_value(json_object_get(snapshot.state, "version"));
  json_decref(snapshot.state);
  for (size_t i = 0; i < layout.count; i++)
    if (weights[i] != (float)version) return FOUND_OTHER;
  return version ? FOUND_NEW : FOUND_OLD;
}

/* --------------------------------------------------------------------------------------------------------------------------- store */

static tg_store_id store_id(int version) {
  return tg_store_id_of(everything->model, version ? "Say only the colour." : "Say only the city.", 2);
}

static t5gist_status write_store(const char *folder, int version, t5gist_error *err) {
  t5gist_store *store;
  tg_store_id id = store_id(version);
  TG_TRY(t5gist_store_open(folder_path(folder, "store"), NULL, &store, err));
  id.task = "Say only the city."; /* that of the gist */
  id.n_gist = 2 + version;
  tg_store_keep(store, &id, gists[version], 1);
  t5gist_store_close(store);
  return T5GIST_OK;
}

/* New: both are there. */
static found read_store(const char *folder) {
  t5gist_store *store;
  t5gist_store_state state;
  found result = FOUND_OTHER;
  char *text = NULL;
  size_t n;
  if (access(folder_path(folder, "store"), F_OK)) return FOUND_NONE;
  FILE *report = open_memstream(&text, &n);
  if (t5gist_store_open(folder_path(folder, "store"), NULL, &store, NULL)) return FOUND_OTHER;
  if (!t5gist_store_verify(store, report, &state, NULL) && !state.damaged) result = (found)state.entries;
  if (t5gist_store_gc(store, &state, NULL) || t5gist_store_examine(store, &state, NULL) || state.strays || state.damaged) result = FOUND_OTHER;
  t5gist_store_close(store);
  fclose(report);
  free(text);
  return result;
}

/* -------------------------------------------------------------------------------------------------------------------- any other file */

static t5gist_status write_report(const char *folder, int version, t5gist_error *err) { /* reports of evaluations and benchmarks, recipes, drawings */
  return tg_write_file(folder_path(folder, "report.json"), 0644, version ? "{\"new\": 1}" : "{\"old\": 1}", 10, err);
}

static found read_report(const char *folder) {
  if (!tg_file_exists(folder_path(folder, "report.json"))) return FOUND_NONE;
  char *text = folder_read(folder_path(folder, "report.json"), NULL);
  const found result = !strcmp(text, "{\"old\": 1}") ? FOUND_OLD : !strcmp(text, "{\"new\": 1}") ? FOUND_NEW : FOUND_OTHER;
  free(text);
  return result;
}

static const save saves[] = {{"gist file", prepare_gists, write_gist, read_gist, false, false},
                             {"model folder", prepare_models, write_model, read_model, true, false},
                             {"training snapshot", prepare_snapshots, write_snapshot, read_snapshot, false, false},
                             {"gist store", NULL, write_store, read_store, false, true},
                             {"report", NULL, write_report, read_report, false, false}};
enum { N_SAVES = sizeof saves / sizeof *saves };

/* ----------------------------------------------------------------------------------------------------------------------------- faults */

static char *folder_with_old(const save *s) {
  t5gist_error err;
  char *folder = folder_new(everything->folder);
  CHECK_OK(s->write(folder, 0, &err));
  assert_int_equal(s->read(folder), FOUND_OLD);
  return folder;
}

static void expect(const save *s, const char *folder, const char *what, size_t n, bool finished) {
  const found result = s->read(folder);
  const bool fine = finished ? result == FOUND_NEW : result == FOUND_OLD || result == FOUND_NEW || (s->may_vanish && result == FOUND_NONE);
  if (!fine) fail_msg("%s, %s %zu (%s): found %s", s->name, what, n, inject_kind_names[inject_last_kind()], found_names[result]);
}

/* Temporaries below a folder; makes them `older` seconds older. */
static int strays_in(const char *folder, int older) {
  t5gist_error err;
  tg_strings names = {0};
  int n = 0;
  CHECK_OK(tg_folder_list(folder, &names, &err));
  for (size_t i = 0; i < names.count; i++) {
    char path[4096];
    struct stat info;
    snprintf(path, sizeof path, "%s/%s", folder, names.items[i]);
    assert_int_equal(lstat(path, &info), 0);
    if (S_ISDIR(info.st_mode)) {
      n += strays_in(path, older);
    } else if (strncmp(names.items[i], ".tmp.", 5) == 0) {
      const struct timespec times[2] = {{info.st_atime - older, 0}, {info.st_mtime - older, 0}};
      assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
      n++;
    }
  }
  tg_strings_clear(&names);
  return n;
}

static void every_call_fails(void **state) {
  const save *s = *state;
  size_t tried = 0;
  for (int fault = 0; fault <= INJECT_SHORT; fault++) {
    for (int lasting = 0; lasting < 2; lasting++) {
      inject_count count = {.failed = 1};
      for (size_t n = 1; count.failed; n++, tried++) {
        t5gist_error err = {0};
        char *folder = folder_with_old(s);
        inject_io(INJECT_ALL_KINDS, n, lasting, (inject_fault)fault);
        const t5gist_status status = s->write(folder, 1, &err);
        count = inject_stop();
        if (status && (!count.failed || !err.message[0])) fail_msg("%s, call %zu, %s: \"%s\"", s->name, n, inject_fault_name((inject_fault)fault), err.message);
        expect(s, folder, inject_fault_name((inject_fault)fault), n, !status && !s->cache);
        /* A removal that failed too may leave a temporary; all else is cleared away. */
        if (!lasting && inject_last_kind() != TG_IO_REMOVE && strays_in(folder, 0)) fail_msg("%s, call %zu, %s: a temporary stayed", s->name, n, inject_fault_name((inject_fault)fault));
        CHECK_OK(s->write(folder, 1, &err));
        expect(s, folder, "again after call", n, true);
        folder_remove(folder);
      }
    }
  }
  printf("%s: %zu failures tried\n", s->name, tried);
}

/* Whether the child was killed before it was done. */
static bool kill_at(const save *s, const char *folder, size_t n) {
  const pid_t child = fork();
  assert_true(child >= 0);
  if (child == 0) {
    inject_io(INJECT_ALL_KINDS, n, false, INJECT_KILL);
    _exit(s->write(folder, 1, NULL) ? 1 : 0);
  }
  int end;
  assert_int_equal(waitpid(child, &end, 0), child);
  if (!WIFSIGNALED(end)) assert_int_equal(WEXITSTATUS(end), 0);
  return WIFSIGNALED(end);
}

static void killed_at_every_call(void **state) {
  const save *s = *state;
  size_t n = 1;
  t5gist_error err;
  for (bool killed = true; killed; n++) {
    char *folder = folder_with_old(s);
    killed = kill_at(s, folder, n);
    expect(s, folder, "killed at call", n, !killed);
    strays_in(folder, 2 * 3600); /* two hours later */
    CHECK_OK(s->write(folder, 1, &err));
    expect(s, folder, "after the kill at call", n, true);
    if (strays_in(folder, 0)) fail_msg("%s, killed at call %zu: a temporary stayed through the next save", s->name, n);
    folder_remove(folder);
  }
  printf("%s: killed at %zu places\n", s->name, n - 2);
}

/* What losses of power leave of a save into folder. A save that has returned is there whatever comes after it; a store may forget. */
static void lose_power(const save *s, char *folder, size_t count[FOUND_OTHER + 1]) {
  t5gist_error err;
  const bool had = s->read(folder) == FOUND_OLD;
  disk *d = disk_record(folder);
  const t5gist_status status = s->write(folder, 1, &err);
  disk_stop();
  if (status) fail_msg("%s", err.message);
  for (uint64_t which = 0; which < losses; which++) {
    const bool late = disk_crash_is_late(d, which) && !s->cache;
    char *left = disk_crash(d, everything->folder, which);
    const found result = s->read(left);
    count[result]++;
    if (had || late) expect(s, left, "power lost, case", which, late);
    else if (result != FOUND_NONE && result != FOUND_NEW && !s->cache) fail_msg("%s, power lost, case %zu: found %s where nothing was", s->name, (size_t)which, found_names[result]);
    folder_remove(left);
  }
  printf("%s%s: %zu operations; the old state %zu times, the new one %zu, nothing %zu\n", s->name, had ? "" : " in a new folder", disk_operations(d), count[FOUND_OLD],
         count[FOUND_NEW], count[FOUND_NONE]);
  disk_free(d);
  folder_remove(folder);
}

static void power_is_lost(void **state) {
  const save *s = *state;
  size_t over_old[FOUND_OTHER + 1] = {0}, first[FOUND_OTHER + 1] = {0};
  lose_power(s, folder_with_old(s), over_old);
  assert_true(over_old[FOUND_OLD] > 0 && over_old[FOUND_NEW] > 0);
  lose_power(s, folder_new(everything->folder), first);
  assert_true(first[FOUND_NONE] > 0 && first[s->cache ? FOUND_OLD : FOUND_NEW] > 0);
}

int main(int argc, char **argv) {
  if (argc > 1 && strcmp(argv[1], "all") == 0) losses = ALL_LOSSES;
  static const struct { const char *what; CMUnitTestFunction test; } faults[] = {
      {"every call fails", every_call_fails}, {"killed at every call", killed_at_every_call}, {"power is lost", power_is_lost}};
  struct CMUnitTest tests[3 * N_SAVES];
  static char names[3 * N_SAVES][64];
  everything = world_new();
  for (int i = 0; i < 3 * N_SAVES; i++) {
    const save *s = &saves[i / 3];
    if (i % 3 == 0 && s->prepare) s->prepare();
    snprintf(names[i], sizeof names[i], "%s: %s", s->name, faults[i % 3].what);
    tests[i] = (struct CMUnitTest){.name = names[i], .test_func = faults[i % 3].test, .initial_state = (void *)(uintptr_t)s};
  }
  const int failed = _cmocka_run_group_tests("saves", tests, 3 * N_SAVES, NULL, NULL);
  for (int i = 0; i < 2; i++) {
    t5gist_gist_free(gists[i]);
    for (int f = 0; f < N_MODEL_FILES; f++) free(model_bytes[i][f].data);
  }
  tg_optimiser_free(optimiser);
  tg_layout_free(&layout);
  tg_free(weights);
  world_free(everything);
  return failed;
}
