/* Training data: texts to ids, fields, limits, bad lines, the cache and its damage; the shuffled order. */
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "runtime/memory.h"
#include "tests/support/folder.h"
#include "training/shard.h"

enum { VOCABULARY = 32128, END = 1 };

static tg_tokenizer *tokenizer;
static tg_config config = {.vocab_size = VOCABULARY, .eos_id = END, .template_task = "Instruction: {task}", .template_input = "Input: {input}"};
static char *folder, *cache;

static int set_up(void **state) {
  (void)state;
  folder = folder_new(TEST_BINARY_DIR);
  cache = strdup(folder_path(folder, "cache/deep"));
  return tg_tokenizer_open(TEST_SOURCE_DIR "/tests/data/flan-t5", VOCABULARY, &tokenizer, NULL) != T5GIST_OK;
}

static int tear_down(void **state) {
  (void)state;
  tg_tokenizer_free(tokenizer);
  free(cache);
  folder_remove(folder);
  return 0;
}

static tg_data_options make_options(void) {
  return (tg_data_options){.max_source = 128, .max_target = 256, .gists = 2};
}

static tg_data *open_data(const char *path, const tg_data_options *options) {
  tg_data *data = NULL;
  t5gist_error err = {0};
  if (tg_data_open(path, cache, &config, tokenizer, options, NULL, NULL, &data, &err)) fail_msg("%s", err.message);
  return data;
}

static tg_data *open_text(const char *text, const tg_data_options *options) {
  folder_text(folder, "data.jsonl", text);
  return open_data(folder_path(folder, "data.jsonl"), options);
}

static void expect_refused_file(const char *path, const tg_data_options *options, const char *const *parts) {
  tg_data *data = NULL;
  t5gist_error err = {0};
  assert_int_not_equal(tg_data_open(path, cache, &config, tokenizer, options, NULL, NULL, &data, &err), T5GIST_OK);
  assert_null(data);
  for (; *parts; parts++) {
    if (!strstr(err.message, *parts)) fail_msg("expected \"%s\" in: %s", *parts, err.message);
  }
}

static void expect_refused_(const char *text, const tg_data_options *options, const char *const *parts) {
  folder_text(folder, "data.jsonl", text);
  expect_refused_file(folder_path(folder, "data.jsonl"), options, parts);
}
#define EXPECT_REFUSED(text, options, ...) expect_refused_(text, options, (const char *const[]){__VA_ARGS__, NULL})

static void expect_ids_(const int32_t *ids, int n, const int32_t *expected, size_t n_expected) {
  assert_int_equal(n, n_expected);
  for (int i = 0; i < n; i++) assert_int_equal(ids[i], expected[i]);
}
#define EXPECT_IDS(ids, n, ...) expect_ids_(ids, n, (const int32_t[]){__VA_ARGS__}, sizeof((const int32_t[]){__VA_ARGS__}) / sizeof(int32_t))

static void expect_same(const tg_data *a, const tg_data *b) {
  assert_int_equal(tg_data_count(a), tg_data_count(b));
  for (size_t i = 0; i < tg_data_count(a); i++) {
    const tg_example x = tg_data_at(a, i), y = tg_data_at(b, i);
    expect_ids_(x.task, x.n_task, y.task, (size_t)y.n_task);
    expect_ids_(x.input, x.n_input, y.input, (size_t)y.n_input);
    expect_ids_(x.target, x.n_target, y.target, (size_t)y.n_target);
    assert_true(x.task_hash == y.task_hash);
  }
}

/* --------------------------------------------------------------------------------------------------------------------- texts to ids */

#define HOUSE "{\"instruction\": \"Translate this.\", \"input\": \"The house\", \"output\": \"The house\"}"

static void test_texts_become_ids(void **state) {
  (void)state;
  const tg_data_options options = make_options();
  tg_data *data = open_text(HOUSE
                            "\n\n{\"instruction\":\"Translate this.\",\"output\":\"The\"}\r\n{\"instruction\":\"\",\"input\":\"The "
                            "house\",\"output\":\"The\",\"more\":[1]}",
                            &options);
  assert_int_equal(tg_data_count(data), 3);
  const tg_example a = tg_data_at(data, 0), b = tg_data_at(data, 1), c = tg_data_at(data, 2);
  EXPECT_IDS(a.task, a.n_task, 21035, 10, 30355, 15, 48, 5);
  EXPECT_IDS(a.input, a.n_input, 86, 2562, 10, 37, 629, END);
  EXPECT_IDS(a.target, a.n_target, 37, 629, END);
  EXPECT_IDS(b.task, b.n_task, 21035, 10, 30355, 15, 48, 5);
  EXPECT_IDS(b.input, b.n_input, END); /* the label goes with the text */
  assert_int_equal(c.n_task, 0);
  EXPECT_IDS(c.target, c.n_target, 37, END);
  assert_true(a.task_hash == b.task_hash && a.task_hash != c.task_hash);
  assert_int_equal(a.family, -1);
  assert_int_equal(a.split, -1);
  assert_null(tg_data_family(data, -1));
  const tg_data_report *r = tg_data_report_of(data);
  assert_int_equal(r->lines, 3);
  assert_int_equal(r->examples, 3);
  assert_int_equal(r->no_input, 1);
  assert_int_equal(r->task_tokens, 12);
  assert_int_equal(r->input_tokens, 13);
  assert_int_equal(r->target_tokens, 7);
  assert_int_equal(r->bad + r->empty + r->too_long + r->cut, 0);
  tg_data_close(data);
}

static void test_list_and_lines_are_alike(void **state) {
  (void)state;
  const tg_data_options options = make_options();
  tg_data *lines = open_text(HOUSE "\n" HOUSE "\n", &options);
  folder_text(folder, "data.json", " [\n" HOUSE ",\n" HOUSE "]\n");
  tg_data *list = open_data(folder_path(folder, "data.json"), &options);
  expect_same(lines, list);
  tg_data_close(lines);
  tg_data_close(list);
}

static void test_alpaca_file(void **state) {
  (void)state;
  tg_data_options options = make_options();
  options.max_source = options.max_target = 384;
  options.truncate_target = true;
  options.split_field = "source";
  tg_data *data = open_data(TEST_SOURCE_DIR "/tests/data/human.json", &options);
  assert_int_equal(tg_data_count(data), 252);
  for (size_t i = 0; i < 252; i++) {
    const tg_example e = tg_data_at(data, i);
    assert_true(e.n_task > 0 && e.n_task + e.n_input + 2 <= 384);
    assert_in_range(e.n_target, 2, 384);
    assert_int_equal(e.input[e.n_input - 1], END);
    assert_string_equal(tg_data_split(data, e.split), "self_instruct");
  }
  tg_data_close(data);
}

static void test_names_of_fields_families_splits(void **state) {
  (void)state;
  tg_data_options options = make_options();
  options.task_field = "prompt";
  options.input_field = "context";
  options.target_field = "completion";
  options.family_field = "kind";
  options.split_field = "part";
  tg_data *data = open_text(
      "{\"prompt\":\"a\",\"context\":\"b\",\"completion\":\"c\",\"kind\":\"x\",\"part\":\"seen\"}\n"
      "{\"prompt\":\"a\",\"context\":\"b\",\"completion\":\"c\",\"kind\":\"y\",\"part\":\"seen\"}\n"
      "{\"prompt\":\"a\",\"context\":\"b\",\"completion\":\"c\",\"kind\":\"x\",\"part\":\"unseen\"}\n"
      "{\"prompt\":\"a\",\"completion\":\"c\",\"kind\":null}\n",
      &options);
  const char *families[] = {"x", "y", "x", NULL}, *splits[] = {"seen", "seen", "unseen", NULL};
  assert_int_equal(tg_data_count(data), 4);
  for (size_t i = 0; i < 4; i++) {
    const tg_example e = tg_data_at(data, i);
    const char *family = tg_data_family(data, e.family), *split = tg_data_split(data, e.split);
    assert_true(families[i] ? !strcmp(family, families[i]) : !family);
    assert_true(splits[i] ? !strcmp(split, splits[i]) : !split);
  }
  tg_data_close(data);
}

/* ------------------------------------------------------------------------------------------------------------------------------ limits */

static void test_limits(void **state) {
  (void)state;
  tg_data_options options = make_options();
  const char *text = HOUSE
      "\n"                                                                                                          /* 6, 6, 3 tokens */
      "{\"instruction\": \"Translate this.\", \"input\": \"The house the house the house\", \"output\": \"The\"}\n" /* 6, 10, 2 */
      "{\"instruction\": \"Translate this.\", \"input\": \"\", \"output\": \"The house the house\"}\n";             /* 6, 1, 5 */
  options.max_source = 2 + 6 + 10;
  options.max_target = 5;
  tg_data *data = open_text(text, &options);
  assert_int_equal(tg_data_count(data), 3);
  assert_int_equal(tg_data_report_of(data)->cut, 0);
  tg_data_close(data);

  options.max_source -= 2;
  options.max_target = 4;
  data = open_text(text, &options);
  assert_int_equal(tg_data_count(data), 2); /* the third's target is too long, the second's input is cut and ends still */
  assert_int_equal(tg_data_report_of(data)->cut, 1);
  assert_int_equal(tg_data_report_of(data)->too_long, 1);
  assert_int_equal(tg_data_report_of(data)->first_too_long, 3);
  tg_example e = tg_data_at(data, 1);
  EXPECT_IDS(e.input, e.n_input, 86, 2562, 10, 37, 629, 8, 629, END);
  tg_data_close(data);

  options.truncate_target = true;
  data = open_text(text, &options);
  assert_int_equal(tg_data_count(data), 3);
  e = tg_data_at(data, 2);
  EXPECT_IDS(e.target, e.n_target, 37, 629, 8, 629); /* without its end: the model is not told to stop here */
  tg_data_close(data);

  options.max_source = 2 + 6 + 1; /* no room for a token of the input */
  data = open_text(text, &options);
  assert_int_equal(tg_data_count(data), 1);
  assert_int_equal(tg_data_report_of(data)->too_long, 2);
  assert_int_equal(tg_data_report_of(data)->first_too_long, 1);
  tg_data_close(data);

  options.max_source = 8;
  EXPECT_REFUSED(text, &options, "data.jsonl", "3 longer than max_source 8 or max_target 4");
  options.max_source = 3;
  EXPECT_REFUSED(text, &options, "max_source", "found 3");
  options = make_options();
  options.max_target = 0;
  EXPECT_REFUSED(text, &options, "max_target", "found 0");
  options = make_options();
  options.gists = -1;
  EXPECT_REFUSED(text, &options, "gists");
}

static void test_empty_texts_are_left_out(void **state) {
  (void)state;
  const tg_data_options options = make_options();
  tg_data *data = open_text(HOUSE "\n{\"instruction\":\"\",\"input\":\"\",\"output\":\"x\"}\n{\"instruction\":\"a\",\"output\":\" \"}\n", &options);
  assert_int_equal(tg_data_count(data), 1);
  assert_int_equal(tg_data_report_of(data)->empty, 2);
  tg_data_close(data);
}

/* --------------------------------------------------------------------------------------------------------------------------- bad lines */

typedef struct bad_lines {
  size_t lines[8], n;
  char messages[8][400];
} bad_lines;

static void tell(void *user, size_t line, const char *message) {
  bad_lines *t = user;
  assert_true(t->n < 8);
  t->lines[t->n] = line;
  snprintf(t->messages[t->n++], sizeof t->messages[0], "%s", message);
}

static void test_bad_lines(void **state) {
  (void)state;
  tg_data_options options = make_options();
  const struct {
    const char *line, *expected;
  } bad[] = {{"{\"prompt\": \"a\", \"completion\": \"b\"}", "line 2: expected a field \"instruction\", found \"prompt\", \"completion\""},
             {"{\"instructions\": \"a\", \"output\": \"b\"}", "did you mean \"instructions\"?"},
             {"{\"instruction\": \"a\"}", "expected a field \"output\", found \"instruction\""},
             {"{}", "found none at all"},
             {"{\"instruction\": \"a\", \"output\": 3}", "line 2: output: expected a string, found 3"},
             {"{\"instruction\": \"a\", \"output\": [\"b\"]}", "expected a string, found a list"},
             {"[1]", "line 2: expected an object, found a list"},
             {"{\"instruction\": \"a", "line 2: expected JSON"},
             {"{\"instruction\": \"a\", \"output\": \"\xff\"}", "line 2: expected JSON"},
             {"{\"instruction\": \"a\", \"output\": \"\\u0000\"}", "line 2: expected JSON"},
             {"42", "line 2"}};
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    char text[600];
    snprintf(text, sizeof text, HOUSE "\n%s\n" HOUSE "\n", bad[i].line);
    options.skip_bad = false;
    EXPECT_REFUSED(text, &options, "data.jsonl", bad[i].expected);
    options.skip_bad = true;
    bad_lines told = {0};
    tg_data *data = NULL;
    assert_int_equal(tg_data_open(folder_path(folder, "data.jsonl"), cache, &config, tokenizer, &options, tell, &told, &data, NULL), T5GIST_OK);
    assert_int_equal(tg_data_count(data), 2);
    assert_int_equal(tg_data_report_of(data)->bad, 1);
    assert_int_equal(tg_data_report_of(data)->lines, 3);
    assert_int_equal(told.n, 1);
    assert_int_equal(told.lines[0], 2);
    assert_non_null(strstr(told.messages[0], bad[i].expected));
    tg_data_close(data);
    assert_int_equal(tg_data_open(folder_path(folder, "data.jsonl"), cache, &config, tokenizer, &options, tell, &told, &data, NULL), T5GIST_OK);
    assert_int_equal(told.n, 1); /* from the cache: told once */
    assert_int_equal(tg_data_report_of(data)->bad, 1);
    tg_data_close(data);
  }
  EXPECT_REFUSED("{\"a\": 1}\n{}\n", &options, "found none in 2 records: 2 bad", "line 1: expected a field \"instruction\", found \"a\"");
}

static void test_files_that_are_none(void **state) {
  (void)state;
  const tg_data_options options = make_options();
  EXPECT_REFUSED("", &options, "data.jsonl", "found an empty file");
  EXPECT_REFUSED(" \n\r\n\t", &options, "found an empty file");
  EXPECT_REFUSED("[]", &options, "expected examples, found none in 0 records");
  EXPECT_REFUSED("[" HOUSE, &options, "data.jsonl", "entry 1: expected", "behind it");
  EXPECT_REFUSED("[" HOUSE ", 3]", &options, "entry 2", "found 3");
  expect_refused_file(folder, &options, (const char *const[]){"directory", NULL});
  expect_refused_file(folder_path(folder, "none.jsonl"), &options, (const char *const[]){"none.jsonl", "No such file", NULL});
  folder_text(folder, "data.jsonl", HOUSE "\n");
  tg_data *data = NULL;
  t5gist_error err;
  folder_text(folder, "occupied", "");
  assert_int_equal(
      tg_data_open(folder_path(folder, "data.jsonl"), folder_path(folder, "occupied"), &config, tokenizer, &options, NULL, NULL, &data, &err),
      T5GIST_EIO);
  assert_non_null(strstr(err.message, "occupied"));
}

/* ------------------------------------------------------------------------------------------------------------------------------- cache */

/* How many files a folder has; path, where wanted, is set to the last one's. */
static size_t files_in(const char *dir, char **path) {
  DIR *list = opendir(dir);
  size_t n = 0;
  assert_non_null(list);
  for (const struct dirent *entry; (entry = readdir(list));) {
    if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, "..")) continue;
    if (path) *path = strdup(folder_path(dir, entry->d_name));
    n++;
  }
  closedir(list);
  return n;
}

static ino_t inode(const char *path) {
  struct stat info;
  assert_int_equal(stat(path, &info), 0);
  return info.st_ino;
}

static void open_in(const char *dir, const tg_data_options *options, const tg_data *expected) {
  tg_data *data = NULL;
  t5gist_error err = {0};
  if (tg_data_open(folder_path(folder, "cached.jsonl"), dir, &config, tokenizer, options, NULL, NULL, &data, &err)) fail_msg("%s", err.message);
  if (expected) expect_same(data, expected);
  tg_data_close(data);
}

static void test_cache_is_used_and_mended(void **state) {
  (void)state;
  tg_data_options options = make_options();
  options.family_field = "f";
  options.split_field = "s";
  const char *text =
      "{\"instruction\":\"a\",\"output\":\"b\",\"f\":\"one\",\"s\":\"two\"}\n{\"instruction\":\"c\",\"input\":\"d\",\"output\":\"e "
      "f\",\"f\":\"three\"}\n";
  folder_text(folder, "cached.jsonl", text);
  tg_data *expected = open_text(text, &options);
  char *dir = strdup(folder_path(folder, "own"));
  open_in(dir, &options, expected);
  char *path = NULL;
  assert_int_equal(files_in(dir, &path), 1); /* and no temporary */
  const ino_t first = inode(path);
  open_in(dir, &options, expected);
  assert_int_equal(inode(path), first); /* used */
  size_t size;
  char *bytes = folder_read(path, &size), *damaged = malloc(size + 1);
  for (size_t i = 0; i < size; i++) {
    memcpy(damaged, bytes, size);
    damaged[i] ^= 0x10;
    folder_write(dir, strrchr(path, '/') + 1, damaged, size);
    open_in(dir, &options, expected);
    size_t mended_size;
    char *mended = folder_read(path, &mended_size);
    assert_int_equal(mended_size, size);
    /* The zeros behind a digest mean nothing; everything else is mended. */
    if (memcmp(mended, bytes, size) && !(bytes[i] == 0 && i >= size - 7)) fail_msg("byte %zu of %zu was not mended", i, size);
    free(mended);
  }
  for (size_t cut = 0; cut < size; cut += 13) {
    folder_write(dir, strrchr(path, '/') + 1, bytes, cut);
    open_in(dir, &options, expected);
  }
  memcpy(damaged, bytes, size);
  damaged[size] = 0;
  folder_write(dir, strrchr(path, '/') + 1, damaged, size + 1);
  open_in(dir, &options, expected);
  free(damaged);
  free(bytes);
  free(path);
  free(dir);
  tg_data_close(expected);
}

/* A shard under another one's name is not believed: the key within it says whose it is. */
static void test_foreign_shard(void **state) {
  (void)state;
  const tg_data_options options = make_options();
  char *dirs[2], *paths[2] = {NULL};
  const char *texts[2] = {HOUSE "\n", HOUSE "\n" HOUSE "\n"};
  for (int i = 0; i < 2; i++) {
    dirs[i] = strdup(folder_path(folder, i ? "second" : "first"));
    folder_text(folder, "cached.jsonl", texts[i]);
    open_in(dirs[i], &options, NULL);
    assert_int_equal(files_in(dirs[i], &paths[i]), 1);
  }
  folder_copy(dirs[1], strrchr(paths[1], '/') + 1, paths[0]);
  tg_data *expected = open_text(texts[1], &options);
  open_in(dirs[1], &options, expected);
  tg_data_close(expected);
  for (int i = 0; i < 2; i++) {
    free(paths[i]);
    free(dirs[i]);
  }
}

/* Writes a shard of two examples of 5 ids each and opens it. begin: of the second one, as the file says. */
static t5gist_status open_shard_of(const tg_example *second, uint64_t begin) {
  static const int32_t ids[] = {5, 6, END, 7, END};
  static const char key[TG_SHA256_HEX] = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
  const tg_example first = {.task = ids, .n_task = 2, .input = ids + 2, .n_input = 1, .target = ids + 3, .n_target = 2, .family = -1, .split = -1};
  enum { IDS = 10 * sizeof(int32_t), CHECKSUM = TG_SHA256_HEX + 7 };
  t5gist_error err;
  tg_shard_writer *writer;
  tg_shard shard = {0};
  size_t n;
  char *path = strdup(folder_path(folder, "made.examples"));
  json_t *families = json_pack("{si}", "a", 0), *splits = json_object();
  assert_int_equal(tg_shard_create(path, key, &writer, &err), T5GIST_OK);
  assert_int_equal(tg_shard_add(writer, &first, &err), T5GIST_OK);
  assert_int_equal(tg_shard_add(writer, second, &err), T5GIST_OK);
  assert_int_equal(tg_shard_finish(writer, families, splits, &(tg_data_report){.examples = 2}, &err), T5GIST_OK);
  char *bytes = folder_read(path, &n);
  memcpy(bytes + IDS + sizeof(tg_shard_example) + offsetof(tg_shard_example, begin), &begin, sizeof begin);
  tg_sha256_hex(bytes, n - CHECKSUM, bytes + n - CHECKSUM);
  folder_write(folder, "made.examples", bytes, n);
  const t5gist_status status = tg_shard_open(path, key, VOCABULARY, &shard, &err);
  tg_shard_close(&shard);
  json_decref(families);
  json_decref(splits);
  free(bytes);
  free(path);
  return status;
}

/* Shards whose checksum is right and whose content is not. */
static void test_shards_that_lie(void **state) {
  (void)state;
  static const int32_t ids[] = {5, 6, END, 7, END}, beyond[] = {5, VOCABULARY}, below[] = {5, -1};
  const tg_example good = {.task = ids, .n_task = 2, .input = ids + 2, .n_input = 1, .target = ids + 3, .n_target = 2, .split = -1};
  assert_int_equal(open_shard_of(&good, 5), T5GIST_OK);
  for (uint64_t begin = 0; begin < 12; begin++) {
    if (begin != 5) assert_int_equal(open_shard_of(&good, begin), T5GIST_EFORMAT);
  }
  assert_int_equal(open_shard_of(&good, UINT64_MAX), T5GIST_EFORMAT);
  tg_example bad[6] = {good, good, good, good, good, good};
  bad[0].family = 1;
  bad[1].family = -2;
  bad[2].split = 0;
  bad[3].task = beyond;
  bad[4].target = below;
  bad[5].n_task = 3, bad[5].n_input = 0;
  for (int i = 0; i < 6; i++) {
    if (open_shard_of(&bad[i], 5) != T5GIST_EFORMAT) fail_msg("shard %d was not refused", i);
  }
}

static void test_what_the_cache_depends_on(void **state) {
  (void)state;
  char *dir = strdup(folder_path(folder, "keys"));
  tg_data_options options = make_options();
  folder_text(folder, "cached.jsonl", HOUSE "\n");
  size_t n = 0;
#define NEW_FILE()                              \
  do {                                          \
    open_in(dir, &options, NULL);               \
    assert_int_equal(files_in(dir, NULL), ++n); \
    open_in(dir, &options, NULL);               \
    assert_int_equal(files_in(dir, NULL), n);   \
  } while (0)
  NEW_FILE();
  options.max_source++;
  NEW_FILE();
  options.max_target++;
  NEW_FILE();
  options.gists++;
  NEW_FILE();
  options.truncate_target = true;
  NEW_FILE();
  options.skip_bad = true;
  NEW_FILE();
  options.family_field = "f";
  NEW_FILE();
  options.input_field = "output";
  NEW_FILE();
  config.template_task = "Task: {task}";
  NEW_FILE();
  config.template_task = "Instruction: {task}";
  folder_text(folder, "cached.jsonl", HOUSE "\n" HOUSE "\n");
  NEW_FILE();
  free(dir);
}

/* ------------------------------------------------------------------------------------------------------------------------- shuffled order */

static void expect_permutation(size_t count, uint64_t seed, uint64_t epoch) {
  unsigned char *seen = calloc(count, 1);
  for (size_t i = 0; i < count; i++) {
    const size_t at = tg_data_shuffled(count, seed, epoch * count + i);
    assert_true(at < count);
    assert_false(seen[at]);
    seen[at] = 1;
  }
  free(seen);
}

static void test_every_epoch_is_a_permutation(void **state) {
  (void)state;
  for (size_t count = 1; count <= 300; count++)
    for (uint64_t epoch = 0; epoch < 4; epoch++) expect_permutation(count, 11 + count, epoch);
  expect_permutation(100003, 1, 0);
  expect_permutation(100003, 1, UINT64_C(1) << 40);
  expect_permutation((size_t)1 << 18, 2, 7);
  assert_int_equal(tg_data_shuffled(0, 1, 1), 0);
}

static void test_orders_differ(void **state) {
  (void)state;
  enum { N = 1000 };
  int as_epoch = 0, as_seed = 0, as_file = 0, followed = 0;
  for (size_t i = 0; i < N; i++) {
    const size_t at = tg_data_shuffled(N, 5, i);
    as_epoch += at == tg_data_shuffled(N, 5, N + i);
    as_seed += at == tg_data_shuffled(N, 6, i);
    as_file += at == i;
    followed += tg_data_shuffled(N, 5, i + 1) == at + 1;
  }
  assert_in_range(as_epoch, 0, 8); /* one is to be expected of each */
  assert_in_range(as_seed, 0, 8);
  assert_in_range(as_file, 0, 8);
  assert_in_range(followed, 0, 8);
}

/* Over many epochs each place holds each example about as often: chi-squared with (N - 1)^2 degrees of freedom, 5 standard deviations. */
static void test_orders_are_even(void **state) {
  (void)state;
  enum { EPOCHS = 6000 };
  static const size_t counts[] = {2, 3, 5, 7, 12};
  for (size_t c = 0; c < 5; c++) {
    const size_t n = counts[c];
    int times[12][12] = {{0}};
    double chi = 0;
    const double expected = (double)EPOCHS / (double)n, freedom = (double)((n - 1) * (n - 1));
    for (uint64_t i = 0; i < EPOCHS * n; i++) times[i % n][tg_data_shuffled(n, 3, i)]++;
    for (size_t i = 0; i < n; i++)
      for (size_t j = 0; j < n; j++) chi += ((double)times[i][j] - expected) * ((double)times[i][j] - expected) / expected;
    if (chi > freedom + 5 * 1.5 * (double)n + 10) fail_msg("%zu examples: chi-squared %g, expected about %g", n, chi, freedom);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_texts_become_ids),
      cmocka_unit_test(test_list_and_lines_are_alike),
      cmocka_unit_test(test_alpaca_file),
      cmocka_unit_test(test_names_of_fields_families_splits),
      cmocka_unit_test(test_limits),
      cmocka_unit_test(test_empty_texts_are_left_out),
      cmocka_unit_test(test_bad_lines),
      cmocka_unit_test(test_files_that_are_none),
      cmocka_unit_test(test_cache_is_used_and_mended),
      cmocka_unit_test(test_foreign_shard),
      cmocka_unit_test(test_shards_that_lie),
      cmocka_unit_test(test_what_the_cache_depends_on),
      cmocka_unit_test(test_every_epoch_is_a_permutation),
      cmocka_unit_test(test_orders_differ),
      cmocka_unit_test(test_orders_are_even),
  };
  return cmocka_run_group_tests(tests, set_up, tear_down);
}
