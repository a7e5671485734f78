/* The gist file, alone and as an entry of a store. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gist/tools.h"
#include "hostile.h"
#include "runtime/error.h"
#include "runtime/folder.h"
#include "tests/gist/support.h"

static const char TASK[] = "Name the \"capital\" of each country,\nwith {braces} and Zürich.";
enum { K = 2 };

static void put_gist(tg_buffer *out, int n_gist, t5gist_payload payload, bool cross) {
  t5gist_gist *gist = make_up_gist(TASK, n_gist);
  if (tg_gist_write(gist, payload, cross, out, NULL)) hostile_fail("no seed");
  t5gist_gist_free(gist);
}

static bool gist_seed(int i, tg_buffer *out) {
  if (i == 0) put_gist(out, K, T5GIST_PAYLOAD_F32, true);
  if (i == 1) put_gist(out, 1, T5GIST_PAYLOAD_BF16, false);
  return i < 2;
}

/* What is accepted is written again and must come out as it was. */
static t5gist_status gist_read(const hostile_input *in, t5gist_error *err) {
  t5gist_gist *gist, *again;
  tg_buffer out = {0};
  t5gist_gist_info info;
  t5gist_error problem;
  const t5gist_status status = tg_gist_parse(in->data, in->size, "some.gist", &gist, err);
  if (status) return status;
  t5gist_gist_describe(gist, &info);
  const bool bf16 = strcmp(gist->payload, "bf16") == 0;
  const t5gist_status written = tg_gist_write(gist, bf16 ? T5GIST_PAYLOAD_BF16 : T5GIST_PAYLOAD_F32, gist->file_has_cross, &out, &problem);
  if (written == T5GIST_OK) {
    again = NULL;
    if (tg_gist_parse(out.data, out.size, "again.gist", &again, &problem) && !hostile_failed()) hostile_fail(problem.message);
    t5gist_gist_free(again);
  } else if (written != T5GIST_EUNSUPPORTED && !hostile_failed()) {
    hostile_fail(problem.message);
  }
  tg_buffer_free(&out);
  t5gist_gist_free(gist);
  return T5GIST_OK;
}

/* Header length, then the checksum over what it has come to. */
static void gist_repair(unsigned char *data, size_t size) {
  static const char mark[] = "\"checksum\":\"";
  char hex[TG_SHA256_HEX];
  hostile_repair_header(data, size);
  unsigned char *at = memmem(data, size, mark, sizeof mark - 1);
  if (!at || size - (size_t)(at - data) < sizeof mark - 1 + 64) return;
  at += sizeof mark - 1;
  memset(at, '0', 64);
  tg_sha256_hex(data, size, hex);
  memcpy(at, hex, 64);
}

static const char *const gist_words[] = {"\"format\":\"t5gist\"",
                                         "format_version",
                                         "\"checksum\":\"",
                                         "n_gist",
                                         "n_task",
                                         "task_sha256",
                                         "fingerprint",
                                         "template_task",
                                         "template_input",
                                         "computed_with",
                                         "condition",
                                         "enc.k",
                                         "enc.v",
                                         "enc.states",
                                         "cross.k",
                                         "cross.v",
                                         "F32",
                                         "BF16",
                                         "F16",
                                         "shape",
                                         "[1,2,2,8]",
                                         "[0,0,0,0]",
                                         "[2147483648,1,1,1]",
                                         "data_offsets",
                                         "__metadata__",
                                         "1",
                                         "1024",
                                         "1025",
                                         NULL};
const hostile_format hostile_gist = {
    .name = "gist", .seed = gist_seed, .read = gist_read, .repair = gist_repair, .words = gist_words, .sealed = true};

/* ----------------------------------------------------------------------------------------------------------------------------- inspect */

/* What `t5gist inspect` says of it, damaged or not. */
static t5gist_status inspect_read(const hostile_input *in, t5gist_error *err) {
  char *text = NULL;
  size_t n;
  FILE *report = open_memstream(&text, &n);
  const t5gist_status status = tg_inspect_gist(in->path, report, err);
  fclose(report);
  hostile_use_report(text, n);
  free(text);
  return status;
}

const hostile_format hostile_inspect = {
    .name = "inspect", .file = "some.gist", .seed = gist_seed, .read = inspect_read, .repair = gist_repair, .words = gist_words, .sealed = true};

/* ------------------------------------------------------------------------------------------------------------------------------- store */

/* The name of an entry is the hash of what it holds, so the readers write the file themselves. */
static void put_entry(const t5gist_store *store, const char *suffix, const void *data, size_t n) {
  char key[TG_SHA256_HEX], *path;
  const tg_store_id id = made_up_id(TASK, K);
  tg_store_key(store, &id, key);
  if (tg_store_path(store->dir, key, suffix, &path, NULL)) hostile_fail("no name for an entry");
  if (!tg_file_make(path, 0600, data, n)) hostile_fail("an entry cannot be written");
  tg_free(path);
}

static void keep_sentence(void *user, const char *message) {
  t5gist_error *err = user;
  snprintf(err->message, sizeof err->message, "%s", message);
}

/* Looks for the gist of TASK in a store with one entry. Damage is no error of the store: the entry is moved away, and its name told. */
static t5gist_status find_entry(const hostile_input *in, const char *suffix, const tg_buffer *sound, t5gist_error *err) {
  t5gist_store *store;
  double encode_ms = 0;
  const t5gist_store_options options = {.on_note = keep_sentence, .user = err};
  const tg_store_id id = made_up_id(TASK, K);
  TG_TRY(t5gist_store_open(in->dir, &options, &store, err));
  if (sound) put_entry(store, "gist", sound->data, sound->size);
  put_entry(store, suffix, in->data, in->size);
  t5gist_gist *gist = tg_store_find(store, &id, NULL, &encode_ms);
  const bool found = gist != NULL;
  if (found && !is_made_up(gist, TASK)) hostile_fail("a store served another gist than was asked for");
  if (!(encode_ms >= 0)) hostile_fail("a time before the beginning was read");
  t5gist_gist_free(gist);
  t5gist_store_close(store);
  return found ? T5GIST_OK : T5GIST_EFORMAT;
}

static bool store_seed(int i, tg_buffer *out) {
  if (i == 0) put_gist(out, K, T5GIST_PAYLOAD_F32, true);
  return i < 1;
}

static t5gist_status store_read(const hostile_input *in, t5gist_error *err) {
  return find_entry(in, "gist", NULL, err);
}

const hostile_format hostile_store = {.name = "store", .seed = store_seed, .read = store_read, .words = gist_words, .sealed = true};

/* KEY.use, time and hits: whatever it holds, the gist beside it is found. */
static bool use_seed(int i, tg_buffer *out) {
  if (i == 0) hostile_put_text(out, "          12345\n+++++");
  if (i == 1) hostile_put_text(out, "              0\n");
  return i < 2;
}

static t5gist_status use_read(const hostile_input *in, t5gist_error *err) {
  tg_buffer sound = {0};
  store_seed(0, &sound);
  const t5gist_status status = find_entry(in, "use", &sound, err);
  tg_buffer_free(&sound);
  if (status) hostile_fail("an entry was refused for the file of its uses");
  return status;
}

static const char *const use_words[] = {"999999999999999", "-1", "1e300", "nan", "\n", "+", NULL};
const hostile_format hostile_store_use = {.name = "store_use", .seed = use_seed, .read = use_read, .words = use_words};
