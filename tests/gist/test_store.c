/* The gist store: found, kept, evicted, pinned, set aside; with a model where answers count, with made-up gists where files do. */
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gist/session.h"
#include "runtime/file.h"
#include "support.h"
#include "tests/support/folder.h"
#include "tests/support/inject.h"

enum { SEED = 7 };
static const char TASK[] = "Translate the sentence to German.", INPUT[] = "The house is small.";
static t5gist_error err;

/* ----------------------------------------------------------------------------------------------------------------------------- helpers */

typedef struct place {
  char *folder, notes[4096];
  int n_notes;
  t5gist_store *store;
} place;

static void on_note(void *user, const char *message) {
  place *p = user;
  p->n_notes++;
  strncat(p->notes, message, sizeof p->notes - strlen(p->notes) - 1);
}

static void open_store(place *p, uint64_t budget, bool read_only, const char *salt) {
  const t5gist_store_options options = {.budget = budget, .read_only = read_only, .salt = salt, .on_note = on_note, .user = p};
  t5gist_store_close(p->store);
  CHECK_OK(t5gist_store_open(folder_path(p->folder, "s"), &options, &p->store, &err));
}

/* The store is opened by the test: it keeps a pointer to its place. */
static place place_new(void) {
  return (place){.folder = folder_new(TEST_BINARY_DIR)};
}

static void place_free(place *p) {
  t5gist_store_close(p->store);
  folder_remove(p->folder);
}

static t5gist_store_state examine(const place *p) {
  t5gist_store_state state;
  CHECK_OK(t5gist_store_examine(p->store, &state, &err));
  return state;
}

static void keep(place *p, const char *task) {
  t5gist_gist *gist = make_up_gist(task, 1);
  const tg_store_id id = made_up_id(task, 1);
  tg_store_keep(p->store, &id, gist, 12.5);
  t5gist_gist_free(gist);
}

/* Whether the store has the task's gist, with its numbers. */
static bool find(place *p, const char *task) {
  const tg_store_id id = made_up_id(task, 1);
  double ms = -1;
  t5gist_gist *gist = tg_store_find(p->store, &id, NULL, &ms);
  if (gist == NULL) return false;
  assert_true(is_made_up(gist, task));
  t5gist_gist_free(gist);
  return true;
}

static const char *entry_path(const place *p, const char *task, const char *suffix) {
  char key[TG_SHA256_HEX], name[PATH_MAX];
  const tg_store_id id = made_up_id(task, 1);
  tg_store_key(p->store, &id, key);
  snprintf(name, sizeof name, "s/%s.%s", key, suffix);
  return folder_path(p->folder, name);
}

static void wait_a_tick(void) {
  usleep(15000); /* file times move in steps of a few milliseconds */
}

static uint64_t entry_size(place *p) {
  keep(p, "measure");
  const uint64_t size = examine(p).bytes;
  CHECK_OK(t5gist_store_remove(p->store, NULL, NULL, &err));
  return size;
}

/* ------------------------------------------------------------------------------------------------------------------------------- files */

static void test_kept_and_found(void **state) {
  (void)state;
  place p = place_new();
  open_store(&p, 0, false, NULL);
  assert_false(find(&p, "one"));
  assert_int_equal(access(t5gist_store_dir(p.store), F_OK), -1); /* looking makes nothing */
  keep(&p, "one");
  keep(&p, "one");
  assert_true(find(&p, "one"));
  assert_false(find(&p, "two"));
  const t5gist_store_state s = examine(&p);
  assert_int_equal(s.entries, 1);
  assert_int_equal(s.budget, (uint64_t)1 << 30);
  struct stat info;
  assert_int_equal(stat(t5gist_store_dir(p.store), &info), 0);
  assert_int_equal(info.st_mode & 0777, 0700);
  assert_int_equal(stat(entry_path(&p, "one", "gist"), &info), 0);
  assert_int_equal(info.st_mode & 0777, 0600);
  assert_int_equal(p.n_notes, 0);
  place_free(&p);
}

static void test_every_part_of_the_key_counts(void **state) {
  (void)state;
  place p = place_new();
  open_store(&p, 0, false, NULL);
  const tg_store_id base = made_up_id("task", 1);
  tg_store_id ids[8];
  for (int i = 0; i < 8; i++) ids[i] = base;
  ids[1].program = "0.0.1";
  ids[2].fingerprint = "b";
  ids[3].template_task = "T:{task}";
  ids[4].template_input = "I:{input}";
  ids[5].dtype = "int8";
  ids[6].task = "task ";
  ids[7].n_gist = 2;
  char keys[9][TG_SHA256_HEX];
  for (int i = 0; i < 8; i++) tg_store_key(p.store, &ids[i], keys[i]);
  open_store(&p, 0, false, "salt");
  tg_store_key(p.store, &base, keys[8]);
  for (int i = 0; i < 9; i++) {
    for (int j = 0; j < i; j++) assert_string_not_equal(keys[i], keys[j]);
  }
  place_free(&p);
}

/* The key of docs/FORMATS.md, computed by hand from its text. */
static void test_the_documented_key(void **state) {
  (void)state;
  place p = place_new();
  open_store(&p, 0, false, "pepper");
  const tg_store_id id = made_up_id("Do it.", 3);
  char text[2048], task[65], salt[65], one[65], two[65], expected[65], key[65];
  tg_sha256_hex("Do it.", 6, task);
  tg_sha256_hex("pepper", 6, salt);
  tg_sha256_hex("T: {task}", 9, one);
  tg_sha256_hex("I: {input}", 10, two);
  const int n =
      snprintf(text, sizeof text,
               "t5gist store 1\nprogram %s\nfingerprint %s\ntemplate_task 9 %s\ntemplate_input 10 %s\ncondition gist\nn_gist 3\npayload f32\n"
               "computed_in f32\nsalt 6 %s\ntask 6 %s\n",
               T5GIST_VERSION, id.fingerprint, one, two, salt, task);
  tg_sha256_hex(text, (size_t)n, expected);
  tg_store_key(p.store, &id, key);
  assert_string_equal(key, expected);
  place_free(&p);
}

static void test_hits_and_last_use(void **state) {
  (void)state;
  place p = place_new();
  open_store(&p, 0, false, NULL);
  keep(&p, "one");
  for (int i = 0; i < 3; i++) assert_true(find(&p, "one"));
  tg_store_scan scan;
  CHECK_OK(tg_store_read_folder(p.store, &scan, &err));
  assert_int_equal(scan.n, 1);
  assert_int_equal(scan.items[0].hits, 3);
  assert_true(tg_store_encode_ms(p.store, scan.items[0].key) == 12.5);
  const int64_t used = scan.items[0].used;
  assert_true(used >= scan.items[0].made);
  tg_store_scan_free(&scan);
  wait_a_tick();
  assert_true(find(&p, "one"));
  assert_int_equal(unlink(entry_path(&p, "one", "use")), 0); /* without its mark an entry is as good */
  assert_true(find(&p, "one"));
  CHECK_OK(tg_store_read_folder(p.store, &scan, &err));
  assert_int_equal(scan.items[0].hits, 0);
  assert_true(scan.items[0].used == scan.items[0].made);
  tg_store_scan_free(&scan);
  assert_int_equal(p.n_notes, 0);
  place_free(&p);
}

/* The count stops at its limit, the time of the last use does not. */
static void test_hits_are_bounded(void **state) {
  (void)state;
  place p = place_new();
  open_store(&p, 0, false, NULL);
  keep(&p, "one");
  assert_int_equal(truncate(entry_path(&p, "one", "use"), TG_STORE_USE_HEAD + TG_STORE_MAX_HITS), 0);
  tg_file_facts before, after;
  assert_true(tg_file_examine(entry_path(&p, "one", "use"), &before));
  wait_a_tick();
  assert_true(find(&p, "one"));
  assert_true(tg_file_examine(entry_path(&p, "one", "use"), &after));
  assert_int_equal(after.size, before.size);
  assert_true(after.changed > before.changed);
  place_free(&p);
}

static void test_least_recently_used_goes_first(void **state) {
  (void)state;
  place p = place_new();
  open_store(&p, 0, false, NULL);
  const uint64_t size = entry_size(&p);
  open_store(&p, 3 * size + size / 2, false, NULL);
  static const char *const tasks[] = {"a", "b", "c"};
  for (int i = 0; i < 3; i++) {
    keep(&p, tasks[i]);
    wait_a_tick();
  }
  assert_true(find(&p, "a"));
  wait_a_tick();
  keep(&p, "d");
  assert_false(find(&p, "b"));
  assert_true(find(&p, "a") && find(&p, "c") && find(&p, "d"));
  assert_int_equal(access(entry_path(&p, "b", "use"), F_OK), -1);
  assert_true(examine(&p).bytes <= 3 * size + size / 2);
  place_free(&p);
}

static void key_of(const place *p, const char *task, char key[TG_SHA256_HEX]) {
  const tg_store_id id = made_up_id(task, 1);
  tg_store_key(p->store, &id, key);
}

static void test_pins(void **state) {
  (void)state;
  place p = place_new();
  char a[TG_SHA256_HEX], b[TG_SHA256_HEX];
  open_store(&p, 0, false, NULL);
  const uint64_t size = entry_size(&p);
  open_store(&p, 2 * size + size / 2, false, NULL);
  key_of(&p, "a", a);
  key_of(&p, "b", b);
  assert_int_equal(t5gist_store_pin(p.store, a, true, &err), T5GIST_EUSAGE);
  keep(&p, "a");
  CHECK_OK(t5gist_store_pin(p.store, a, true, &err));
  CHECK_OK(t5gist_store_pin(p.store, a, true, &err));
  for (int i = 0; i < 4; i++) {
    wait_a_tick();
    keep(&p, (const char *const[]){"b", "c", "d", "b"}[i]);
  }
  assert_true(find(&p, "a") && find(&p, "b") && !find(&p, "c"));
  CHECK_OK(t5gist_store_pin(p.store, b, true, &err));
  keep(&p, "e"); /* no room but pinned room */
  assert_false(find(&p, "e"));
  assert_int_equal(p.n_notes, 1);
  assert_non_null(strstr(p.notes, "does not fit the budget"));
  assert_int_equal(t5gist_store_remove(p.store, a, NULL, &err), T5GIST_EUSAGE);
  size_t removed = 9;
  CHECK_OK(t5gist_store_remove(p.store, NULL, &removed, &err));
  assert_int_equal(removed, 0);
  CHECK_OK(t5gist_store_pin(p.store, a, false, &err));
  CHECK_OK(t5gist_store_remove(p.store, a, &removed, &err));
  assert_int_equal(removed, 1);
  assert_false(find(&p, "a"));
  place_free(&p);
}

/* A pin outlives the damage of its entry. */
static void test_damage_is_set_aside(void **state) {
  (void)state;
  place p = place_new();
  char key[TG_SHA256_HEX];
  open_store(&p, 0, false, NULL);
  keep(&p, "one");
  key_of(&p, "one", key);
  CHECK_OK(t5gist_store_pin(p.store, key, true, &err));
  const char *path = entry_path(&p, "one", "gist");
  size_t n;
  char *bytes = folder_read(path, &n);
  for (size_t at = 0; at < n; at += 97) { /* any byte */
    bytes[at] ^= 1;
    CHECK_OK(tg_write_file(path, 0600, bytes, n, &err));
    bytes[at] ^= 1;
    assert_false(find(&p, "one"));
    assert_int_equal(p.n_notes, 1);
    assert_non_null(strstr(p.notes, key));
    p.n_notes = 0;
    p.notes[0] = 0;
    assert_false(find(&p, "one"));
    assert_int_equal(p.n_notes, 0); /* once */
    assert_int_equal(examine(&p).damaged, 1);
  }
  keep(&p, "one");
  assert_true(find(&p, "one"));
  assert_int_equal(examine(&p).pinned, 1);
  t5gist_store_state s;
  CHECK_OK(t5gist_store_gc(p.store, &s, &err));
  assert_int_equal(s.damaged, 1);
  assert_int_equal(examine(&p).damaged, 0);
  CHECK_OK(tg_write_file(path, 0600, "x", 1, &err)); /* and outlives tidying up before the task is encoded anew */
  assert_false(find(&p, "one"));
  CHECK_OK(t5gist_store_gc(p.store, &s, &err));
  keep(&p, "one");
  assert_int_equal(examine(&p).pinned, 1);
  free(bytes);
  place_free(&p);
}

/* A folder in the place of an entry is moved away like any damage, and stands in nobody's way from then on. */
static void test_folder_for_an_entry(void **state) {
  (void)state;
  place p = place_new();
  t5gist_store_state s;
  open_store(&p, 0, false, NULL);
  keep(&p, "one");
  const char *path = entry_path(&p, "one", "gist");
  assert_int_equal(remove(path), 0);
  assert_int_equal(mkdir(path, 0700), 0);
  assert_false(find(&p, "one"));
  assert_int_equal(p.n_notes, 1);
  CHECK_OK(t5gist_store_gc(p.store, &s, &err));
  assert_int_equal(s.damaged, 0);
  keep(&p, "one");
  assert_true(find(&p, "one"));
  place_free(&p);
}

/* A sound file under a name that is not its own is not served. */
static void test_foreign_entries(void **state) {
  (void)state;
  place p = place_new();
  open_store(&p, 0, false, NULL);
  keep(&p, "one");
  assert_int_equal(rename(entry_path(&p, "one", "gist"), entry_path(&p, "two", "gist")), 0);
  assert_false(find(&p, "two"));
  assert_non_null(strstr(p.notes, "another task"));
  assert_int_equal(mkdir(entry_path(&p, "three", "gist"), 0700), 0);
  assert_false(find(&p, "three"));
  assert_int_equal(p.n_notes, 2);
  keep(&p, "three");
  assert_true(find(&p, "three"));
  place_free(&p);
}

/* Whatever of an entry is not what its name stands for. */
static void test_foreign_in_every_respect(void **state) {
  (void)state;
  static const char *const respects[] = {"task", "number of gist tokens", "model", "template", "template", "program", "number format"};
  place p = place_new();
  open_store(&p, 0, false, NULL);
  keep(&p, "one");
  size_t n;
  char *bytes = folder_read(entry_path(&p, "one", "gist"), &n);
  for (size_t i = 0; i < sizeof respects / sizeof *respects; i++) {
    char key[TG_SHA256_HEX], *path, expected[64];
    double ms;
    tg_store_id id = made_up_id(i == 0 ? "two" : "one", i == 1 ? 2 : 1);
    const char **texts[] = {&id.fingerprint, &id.template_task, &id.template_input, &id.program, &id.dtype};
    if (i >= 2) *texts[i - 2] = "other";
    tg_store_key(p.store, &id, key);
    CHECK_OK(tg_store_path(t5gist_store_dir(p.store), key, "gist", &path, &err));
    CHECK_OK(tg_write_file(path, 0600, bytes, n, &err));
    tg_free(path);
    p.notes[0] = 0;
    assert_null(tg_store_find(p.store, &id, NULL, &ms));
    snprintf(expected, sizeof expected, "another %s", respects[i]);
    if (!strstr(p.notes, expected)) fail_msg("expected \"%s\", found \"%s\"", expected, p.notes);
  }
  free(bytes);
  place_free(&p);
}

static void test_read_only(void **state) {
  (void)state;
  place p = place_new();
  open_store(&p, 0, false, NULL);
  keep(&p, "one");
  open_store(&p, 0, true, NULL);
  assert_true(find(&p, "one"));
  keep(&p, "two");
  assert_false(find(&p, "two"));
  assert_int_equal(p.n_notes, 0);
  assert_int_equal(t5gist_store_remove(p.store, NULL, NULL, &err), T5GIST_EUNSUPPORTED);
  tg_store_scan scan;
  CHECK_OK(tg_store_read_folder(p.store, &scan, &err));
  assert_int_equal(scan.items[0].hits, 0);
  tg_store_scan_free(&scan);
  place_free(&p);
}

/* A folder that may not be written is a store to be read alone, without a word. */
static void test_unwritable(void **state) {
  (void)state;
  if (geteuid() == 0) skip(); /* the system refuses root nothing */
  place p = place_new();
  open_store(&p, 0, false, NULL);
  keep(&p, "one");
  assert_int_equal(chmod(folder_path(p.folder, "s/lock"), 0400), 0);
  assert_int_equal(chmod(t5gist_store_dir(p.store), 0500), 0);
  assert_true(find(&p, "one"));
  keep(&p, "two");
  assert_false(find(&p, "two"));
  assert_int_equal(p.n_notes, 0);
  assert_int_equal(chmod(t5gist_store_dir(p.store), 0700), 0);
  place_free(&p);
}

/* After a failed write nothing is tried for a while, and the failure is named once. */
static void test_failed_writes(void **state) {
  (void)state;
  place p = place_new();
  folder_text(p.folder, "s", "a file where the store should be");
  open_store(&p, 0, false, NULL);
  for (int i = 0; i < 3; i++) keep(&p, "one");
  assert_false(find(&p, "one"));
  assert_int_equal(p.n_notes, 1);
  t5gist_store_state s;
  assert_int_equal(t5gist_store_examine(p.store, &s, &err), T5GIST_EIO);
  place_free(&p);
}

static void test_tasks_that_no_file_holds(void **state) {
  (void)state;
  place p = place_new();
  open_store(&p, 0, false, NULL);
  char *text;
  CHECK_OK(tg_alloc(&text, 60000, 1, &err));
  memset(text, 'x', 59999);
  keep(&p, text);
  assert_int_equal(p.n_notes, 1);
  keep(&p, "one"); /* the store goes on */
  assert_true(find(&p, "one"));
  tg_free(text);
  place_free(&p);
}

static void test_strays(void **state) {
  (void)state;
  place p = place_new();
  open_store(&p, 0, false, NULL);
  keep(&p, "one");
  keep(&p, "two");
  assert_int_equal(unlink(entry_path(&p, "one", "gist")), 0);
  folder_text(p.folder, "s/.tmp.9999999.0123456789abcdef", "cut");
  folder_text(p.folder, "s/.tmp.x", "not ours");
  folder_text(p.folder, "s/.tmp.9999999.00000000000000aa", "being written where that number is a process");
  const int writer = open(folder_path(p.folder, "s/.tmp.9999999.00000000000000aa"), O_WRONLY | O_CLOEXEC);
  assert_int_equal(flock(writer, LOCK_EX), 0);
  assert_int_equal(examine(&p).strays, 2);
  t5gist_store_state s;
  CHECK_OK(t5gist_store_gc(p.store, &s, &err));
  assert_int_equal(s.strays, 2);
  assert_int_equal(examine(&p).strays, 0);
  assert_int_equal(access(folder_path(p.folder, "s/.tmp.x"), F_OK), 0);
  assert_int_equal(access(folder_path(p.folder, "s/.tmp.9999999.00000000000000aa"), F_OK), 0);
  close(writer);
  assert_int_equal(examine(&p).strays, 1);
  assert_true(find(&p, "two"));
  place_free(&p);
}

/* Keeps and finds while something fails. What is found is right; afterwards the store works, and nothing is left over. */
static void use_under_fault(place *p, const t5gist_gist *gist, inject_count *count) {
  const tg_store_id id = made_up_id("one", 1);
  double ms;
  tg_store_keep(p->store, &id, gist, 1);
  t5gist_gist *found = tg_store_find(p->store, &id, NULL, &ms);
  *count = inject_stop();
  if (found) assert_true(is_made_up(found, "one"));
  t5gist_gist_free(found);
}

static void use_after_fault(place *p) {
  t5gist_store_state s;
  open_store(p, 0, false, NULL); /* one that does not rest */
  assert_int_equal(examine(p).damaged, 0); /* the fault was not the entry's */
  if (!find(p, "one")) keep(p, "one");
  assert_true(find(p, "one"));
  CHECK_OK(t5gist_store_gc(p->store, &s, &err));
  assert_int_equal(examine(p).strays, 0);
  CHECK_OK(t5gist_store_remove(p->store, NULL, NULL, &err));
}

static void test_every_file_call_fails(void **state) {
  (void)state;
  static const inject_fault faults[] = {INJECT_EIO, INJECT_ENOSPC, INJECT_EINTR, INJECT_SHORT};
  place p = place_new();
  t5gist_gist *gist = make_up_gist("one", 1);
  for (int i = 0; i < 8; i++) {
    inject_count count = {.failed = 1};
    for (size_t n = 1; count.failed > 0; n++) {
      open_store(&p, 0, false, NULL);
      inject_io(INJECT_ALL_KINDS, n, i % 2, faults[i / 2]);
      use_under_fault(&p, gist, &count);
      use_after_fault(&p);
      assert_true(n < 1000);
    }
    assert_true(count.calls > 10);
  }
  t5gist_gist_free(gist);
  place_free(&p);
}

static void test_every_allocation_fails(void **state) {
  (void)state;
  place p = place_new();
  t5gist_gist *gist = make_up_gist("one", 1);
  for (int lasting = 0; lasting < 2; lasting++) {
    inject_count count = {.failed = 1};
    for (size_t n = 1; count.failed > 0; n++) {
      open_store(&p, 0, false, NULL);
      inject_memory(n, lasting);
      use_under_fault(&p, gist, &count);
      use_after_fault(&p);
      assert_true(n < 1000);
    }
    assert_true(count.calls > 10);
  }
  t5gist_gist_free(gist);
  place_free(&p);
}

/* ------------------------------------------------------------------------------------------------------------------------------- model */

static char *model_dir;
static t5gist_model *model;

static int open_model(void **state) {
  (void)state;
  model_dir = make_model("tiny", "flan", SEED, T5GIST_UNSET, NULL);
  CHECK_OK(t5gist_model_open(model_dir, NULL, &model, &err));
  return 0;
}

static int close_model(void **state) {
  (void)state;
  t5gist_model_close(model);
  folder_remove(model_dir);
  return 0;
}

static t5gist_session *new_session(t5gist_store *store) {
  t5gist_session *session;
  CHECK_OK(t5gist_session_new(model, &session, &err));
  CHECK_OK(t5gist_session_use_store(session, store, &err));
  return session;
}

static t5gist_request make_request(const char *task) {
  t5gist_request r;
  t5gist_request_init(&r);
  r.task = task;
  r.input = INPUT;
  r.gists = 2;
  r.options.max_new_tokens = 5;
  return r;
}

static void test_memory_then_store_then_encoding(void **state) {
  (void)state;
  static const t5gist_source expected[] = {T5GIST_SOURCE_ENCODED, T5GIST_SOURCE_MEMORY, T5GIST_SOURCE_STORE, T5GIST_SOURCE_MEMORY,
                                           T5GIST_SOURCE_ENCODED};
  place p = place_new();
  open_store(&p, 0, false, NULL);
  const t5gist_request request = make_request(TASK);
  t5gist_answer answers[5];
  t5gist_session *first = new_session(p.store), *second = new_session(p.store), *alone = new_session(NULL);
  t5gist_session *const sessions[] = {first, first, second, second, alone};
  for (int i = 0; i < 5; i++) {
    const t5gist_answer *a = &answers[i];
    CHECK_OK(t5gist_generate(sessions[i], &request, 1, &answers[i], &err));
    assert_int_equal(a->error.status, T5GIST_OK);
    assert_int_equal(a->gist_source, expected[i]);
    assert_int_equal(a->gist_cached, expected[i] != T5GIST_SOURCE_ENCODED);
    assert_int_equal(a->saved_ms > 0, a->gist_cached);
    assert_int_equal(a->timings.encode_prefix > 0, !a->gist_cached);
    assert_int_equal(a->n_tokens, answers[0].n_tokens);
    assert_int_equal(a->n_task, answers[0].n_task);
    assert_memory_equal(a->tokens, answers[0].tokens, (size_t)a->n_tokens * sizeof *a->tokens);
    assert_memory_equal(a->logprobs, answers[0].logprobs, (size_t)a->n_tokens * sizeof *a->logprobs); /* bit for bit */
  }
  assert_true(answers[2].timings.store > 0 && answers[4].timings.store == 0);
  for (int i = 0; i < 5; i++) t5gist_answer_clear(&answers[i]);
  t5gist_session_free(first);
  t5gist_session_free(second);
  t5gist_session_free(alone);
  assert_int_equal(p.n_notes, 0);
  place_free(&p);
}

/* Several tasks in one pass are kept one by one; one of two requests with the same task looks. */
static void test_batch(void **state) {
  (void)state;
  static const char *const tasks[] = {"One.", "Two.", "One.", "Three."};
  static const t5gist_source expected[2][4] = {{T5GIST_SOURCE_ENCODED, T5GIST_SOURCE_ENCODED, T5GIST_SOURCE_MEMORY, T5GIST_SOURCE_ENCODED},
                                               {T5GIST_SOURCE_STORE, T5GIST_SOURCE_STORE, T5GIST_SOURCE_MEMORY, T5GIST_SOURCE_STORE}};
  place p = place_new();
  open_store(&p, 0, false, NULL);
  for (int round = 0; round < 2; round++) {
    t5gist_request requests[4];
    t5gist_answer answers[4];
    t5gist_session *session = new_session(p.store);
    for (int i = 0; i < 4; i++) requests[i] = make_request(tasks[i]);
    CHECK_OK(t5gist_generate(session, requests, 4, answers, &err));
    for (int i = 0; i < 4; i++) {
      assert_int_equal(answers[i].gist_source, expected[round][i]);
      t5gist_answer_clear(&answers[i]);
    }
    t5gist_session_free(session);
  }
  assert_int_equal(examine(&p).entries, 3);
  place_free(&p);
}

/* A caller's gist, an empty task and the other conditions have nothing to do with the store; t5gist_encode has. */
static void test_who_uses_it(void **state) {
  (void)state;
  place p = place_new();
  open_store(&p, 0, false, NULL);
  t5gist_session *session = new_session(p.store);
  t5gist_gist *gist;
  t5gist_answer answer;
  t5gist_request r = make_request("");
  CHECK_OK(t5gist_generate(session, &r, 1, &answer, &err));
  t5gist_answer_clear(&answer);
  for (int c = T5GIST_POS_CONTROL; c < T5GIST_N_CONDITIONS; c++) {
    r = make_request(TASK);
    r.condition = (t5gist_condition)c;
    CHECK_OK(t5gist_generate(session, &r, 1, &answer, &err));
    t5gist_answer_clear(&answer);
  }
  assert_int_equal(examine(&p).entries, 0);
  CHECK_OK(t5gist_encode(session, TASK, 2, &gist, &err));
  assert_int_equal(examine(&p).entries, 1);
  unsigned char *encoded, *found;
  size_t n, m;
  CHECK_OK(t5gist_gist_serialize(gist, T5GIST_PAYLOAD_F32, true, &encoded, &n, &err));
  t5gist_gist_free(gist);
  CHECK_OK(t5gist_encode(session, TASK, 2, &gist, &err));
  CHECK_OK(t5gist_gist_serialize(gist, T5GIST_PAYLOAD_F32, true, &found, &m, &err));
  assert_int_equal(n, m);
  assert_memory_equal(encoded, found, n);
  r = make_request(NULL);
  r.gist = gist;
  CHECK_OK(t5gist_generate(session, &r, 1, &answer, &err));
  assert_int_equal(answer.gist_source, T5GIST_SOURCE_MEMORY);
  t5gist_answer_clear(&answer);
  tg_store_scan scan;
  CHECK_OK(tg_store_read_folder(p.store, &scan, &err));
  assert_int_equal(scan.items[0].hits, 1);
  tg_store_scan_free(&scan);
  t5gist_free(encoded);
  t5gist_free(found);
  t5gist_gist_free(gist);
  t5gist_session_free(session);
  place_free(&p);
}

/* What was computed in another number format is not served. */
static void test_number_formats_are_apart(void **state) {
  (void)state;
  place p = place_new();
  open_store(&p, 0, false, NULL);
  t5gist_model_options options;
  t5gist_model_options_init(&options);
  options.dtype = T5GIST_DTYPE_INT8;
  t5gist_model *rough;
  t5gist_session *exact = new_session(p.store), *session;
  CHECK_OK(t5gist_model_open(model_dir, &options, &rough, &err));
  CHECK_OK(t5gist_session_new(rough, &session, &err));
  CHECK_OK(t5gist_session_use_store(session, p.store, &err));
  const t5gist_request r = make_request(TASK);
  t5gist_answer answer;
  CHECK_OK(t5gist_generate(exact, &r, 1, &answer, &err));
  t5gist_answer_clear(&answer);
  CHECK_OK(t5gist_generate(session, &r, 1, &answer, &err));
  assert_int_equal(answer.gist_source, T5GIST_SOURCE_ENCODED);
  t5gist_answer_clear(&answer);
  t5gist_session_free(session);
  t5gist_session_free(exact);
  t5gist_model_close(rough);
  assert_int_equal(examine(&p).entries, 2);
  place_free(&p);
}

/* A file with the right key and task whose tensors are another model's is refused like any other. */
static void test_entries_that_do_not_fit_the_model(void **state) {
  (void)state;
  place p = place_new();
  open_store(&p, 0, false, NULL);
  t5gist_gist *gist = make_up_gist(TASK, 2);
  t5gist_model_info info;
  t5gist_model_describe(model, &info);
  memcpy(gist->fingerprint, info.fingerprint, sizeof gist->fingerprint);
  tg_free(gist->template_task);
  tg_free(gist->template_input);
  CHECK_OK(tg_strdup(&gist->template_task, info.template_task, &err));
  CHECK_OK(tg_strdup(&gist->template_input, info.template_input, &err));
  const tg_store_id id = tg_store_id_of(model, TASK, 2);
  tg_store_keep(p.store, &id, gist, 1);
  t5gist_gist_free(gist);
  t5gist_session *session = new_session(p.store);
  const t5gist_request r = make_request(TASK);
  t5gist_answer answer;
  CHECK_OK(t5gist_generate(session, &r, 1, &answer, &err));
  assert_int_equal(answer.gist_source, T5GIST_SOURCE_ENCODED);
  assert_non_null(strstr(p.notes, "expected tensors of"));
  t5gist_answer_clear(&answer);
  t5gist_session_free(session);
  session = new_session(p.store);
  CHECK_OK(t5gist_generate(session, &r, 1, &answer, &err));
  assert_int_equal(answer.gist_source, T5GIST_SOURCE_STORE);
  t5gist_answer_clear(&answer);
  t5gist_session_free(session);
  place_free(&p);
}

static void test_usage(void **state) {
  (void)state;
  t5gist_store *store;
  assert_int_equal(t5gist_store_open("", NULL, &store, &err), T5GIST_EUSAGE);
  assert_int_equal(t5gist_store_open("x", NULL, NULL, &err), T5GIST_EUSAGE);
  assert_int_equal(t5gist_session_use_store(NULL, NULL, &err), T5GIST_EUSAGE);
  assert_int_equal(t5gist_store_list(NULL, NULL, NULL, &err), T5GIST_EUSAGE);
  assert_null(t5gist_store_dir(NULL));
  t5gist_store_close(NULL);
}

int main(void) {
  const struct CMUnitTest files[] = {
      cmocka_unit_test(test_kept_and_found),
      cmocka_unit_test(test_every_part_of_the_key_counts),
      cmocka_unit_test(test_the_documented_key),
      cmocka_unit_test(test_hits_and_last_use),
      cmocka_unit_test(test_hits_are_bounded),
      cmocka_unit_test(test_least_recently_used_goes_first),
      cmocka_unit_test(test_pins),
      cmocka_unit_test(test_damage_is_set_aside),
      cmocka_unit_test(test_folder_for_an_entry),
      cmocka_unit_test(test_foreign_entries),
      cmocka_unit_test(test_foreign_in_every_respect),
      cmocka_unit_test(test_read_only),
      cmocka_unit_test(test_unwritable),
      cmocka_unit_test(test_failed_writes),
      cmocka_unit_test(test_tasks_that_no_file_holds),
      cmocka_unit_test(test_strays),
      cmocka_unit_test(test_usage),
      cmocka_unit_test(test_every_file_call_fails),
      cmocka_unit_test(test_every_allocation_fails),
  };
  const struct CMUnitTest models[] = {
      cmocka_unit_test(test_memory_then_store_then_encoding),
      cmocka_unit_test(test_batch),
      cmocka_unit_test(test_who_uses_it),
      cmocka_unit_test(test_number_formats_are_apart),
      cmocka_unit_test(test_entries_that_do_not_fit_the_model),
  };
  const int failed = cmocka_run_group_tests_name("store: files", files, NULL, NULL);
  return cmocka_run_group_tests_name("store: model", models, open_model, close_model) + failed;
}
