/* From a file of texts to tokenised examples: read record by record, tokenised, cut to the limits, written into a shard; once per content and
 * options. */
#include "training/data.h"

#include <stdio.h>
#include <string.h>

#include "runtime/error.h"
#include "runtime/fields.h"
#include "runtime/json.h"
#include "runtime/records.h"
#include "t5/random.h"
#include "t5/template.h"
#include "training/shard.h"

enum { KEY_VERSION = 1, MOST_TOKENS = 1 << 24, NAME = 48, MOST_LISTED = 32 };

struct tg_data {
  tg_shard shard;
};

/* The options with their defaults, and what else making examples needs. */
typedef struct maker {
  const char *path;
  const tg_config *config;
  const tg_tokenizer *tokenizer;
  tg_data_options options;
  tg_data_bad *on_bad;
  void *user;
  json_t *families, *splits;  /* name to number */
  tg_ids task, input, target; /* of the example at hand */
  tg_data_report report;
  char first_bad[512];
} maker;

/* ----------------------------------------------------------------------------------------------------------------------------- options */

static t5gist_status check_options(const tg_data_options *o, t5gist_error *err) {
  if (o->gists < 0) return tg_fail(err, T5GIST_EUSAGE, "gists: expected 0 or more, found %d", o->gists);
  if (o->max_source < 2 || o->max_source > MOST_TOKENS || o->max_source - 2 < o->gists)
    return tg_fail(err, T5GIST_EUSAGE, "max_source: expected room for %d gist tokens, text and an end token, up to %d, found %d", o->gists,
                   MOST_TOKENS, o->max_source);
  if (o->max_target < 1 || o->max_target > MOST_TOKENS)
    return tg_fail(err, T5GIST_EUSAGE, "max_target: expected 1 to %d, found %d", MOST_TOKENS, o->max_target);
  return T5GIST_OK;
}

static t5gist_status hash_file(const char *path, char hex[TG_SHA256_HEX], t5gist_error *err) {
  tg_map map;
  TG_TRY(tg_map_open(path, &map, err));
  tg_sha256_hex(map.data, map.size, hex);
  tg_map_close(&map);
  return T5GIST_OK;
}

/* How texts that name extra ids are read depends on the model's vocabulary and added tokens: all of them are tried. */
static t5gist_status append_extra_ids(const tg_tokenizer *tokenizer, tg_buffer *text, t5gist_error *err) {
  tg_buffer names = {0};
  tg_ids ids = {0};
  t5gist_status status;
  for (int i = 0; i < 100; i++) TG_GOTO(tg_buffer_printf(&names, err, "<extra_id_%d>", i));
  TG_GOTO(tg_tokenizer_encode(tokenizer, names.data, names.size, &ids, err));
  for (size_t i = 0; i < ids.n; i++) TG_GOTO(tg_buffer_printf(text, err, " %d", ids.ids[i]));
done:
  tg_buffer_free(&names);
  tg_free(ids.ids);
  return status;
}

/* Everything that what is in the shard depends on. */
static t5gist_status make_key(const maker *m, const char *content, char key[TG_SHA256_HEX], t5gist_error *err) {
  const tg_data_options *o = &m->options;
  const char *texts[] = {m->config->template_task, m->config->template_input, o->task_field, o->input_field, o->target_field, o->split_field,
                         o->family_field};
  char tokenizer[TG_SHA256_HEX];
  tg_buffer text = {0};
  t5gist_status status;
  TG_GOTO(hash_file(tg_tokenizer_path(m->tokenizer), tokenizer, err));
  TG_GOTO(tg_buffer_printf(&text, err, "examples %d\n%s\n%s\n", KEY_VERSION, content, tokenizer));
  for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
    TG_GOTO(tg_buffer_printf(&text, err, "%zu %s\n", texts[i] ? strlen(texts[i]) + 1 : 0, texts[i] ? texts[i] : ""));
  TG_GOTO(tg_buffer_printf(&text, err, "%d %d %d %d %d %d %d\n", m->config->vocab_size, m->config->eos_id, o->max_source, o->max_target,
                           o->truncate_target, o->skip_bad, o->gists));
  TG_GOTO(append_extra_ids(m->tokenizer, &text, err));
  tg_sha256_hex(text.data, text.size, key);
done:
  tg_buffer_free(&text);
  return status;
}

/* ------------------------------------------------------------------------------------------------------------------------------ fields */

/* "expected a field "instruction", found "instructions", "output"; did you mean ...?" */
static t5gist_status missing(const json_t *object, const char *name, const char *where, t5gist_error *err) {
  const char *names[MOST_LISTED], *key;
  size_t n = 0;
  json_t *value;
  tg_buffer found = {0};
  t5gist_status status;
  json_object_foreach((json_t *)object, key, value) {
    if (n == MOST_LISTED) break;
    TG_GOTO(tg_buffer_printf(&found, err, "%s\"%.*s\"", n ? ", " : "", NAME, key));
    names[n++] = key;
  }
  const char *near = tg_nearest(name, names, n);
  status = tg_fail(err, T5GIST_EFORMAT, "%s: expected a field \"%.*s\", found %s", where, NAME, name, n ? found.data : "none at all");
  if (near && err) status = tg_fail(err, status, "%s; did you mean \"%.*s\"?", err->message, NAME, near);
done:
  tg_buffer_free(&found);
  return status;
}

static t5gist_status read_text(const json_t *object, const char *name, bool needed, const char *where, const char **text, t5gist_error *err) {
  *text = NULL;
  TG_TRY(tg_json_string(object, name, where, text, err));
  if (!*text && needed) return missing(object, name, where, err);
  return T5GIST_OK;
}

/* The number of a name, counted from 0 as names come. */
static t5gist_status number_of(json_t *names, const char *name, int *number, t5gist_error *err) {
  const json_t *known = json_object_get(names, name);
  if (!known) {
    json_t *value = json_integer((json_int_t)json_object_size(names));
    if (!value || json_object_set(names, name, value)) {
      json_decref(value);
      return tg_fail(err, T5GIST_ENOMEM, "not enough memory for the names of families and splits");
    }
    json_decref(value);
    known = value;
  }
  *number = (int)json_integer_value(known);
  return T5GIST_OK;
}

/* ---------------------------------------------------------------------------------------------------------------------------- examples */

static uint64_t hash_task(const tg_ids *task) {
  uint64_t hash = (uint64_t)task->n;
  for (size_t i = 0; i < task->n; i++) hash = tg_random_key(hash, (uint64_t)task->ids[i]);
  return hash;
}

/* Shortens ids to at most n, an end token, if one belongs there, being kept at the end. */
static void cut(tg_ids *ids, size_t n, bool keep_end) {
  if (keep_end) ids->ids[n - 1] = ids->ids[ids->n - 1];
  ids->n = n;
}

/* Cuts the example at hand to the limits; false where it does not fit them. */
static bool fit(maker *m) {
  const tg_data_options *o = &m->options;
  const size_t room = (size_t)(o->max_source - o->gists), most_target = (size_t)o->max_target;
  const size_t least_input = m->input.n > 1 ? 2 : 1; /* a token of it at least, and the end token */
  if (room < m->task.n + least_input || (m->target.n > most_target && !o->truncate_target)) return false;
  bool shortened = false;
  if (m->task.n + m->input.n > room) {
    cut(&m->input, room - m->task.n, true);
    shortened = true;
  }
  if (m->target.n > most_target) {
    cut(&m->target, most_target, false);
    shortened = true;
  }
  m->report.cut += shortened;
  return true;
}

static t5gist_status tokenize(maker *m, const char *task, const char *input, const char *target, t5gist_error *err) {
  const int32_t end = m->config->eos_id;
  m->task.n = m->input.n = m->target.n = 0;
  TG_TRY(tg_template_task(m->config, m->tokenizer, task, &m->task, err));
  TG_TRY(tg_template_input(m->config, m->tokenizer, input, &m->input, err));
  TG_TRY(tg_tokenizer_encode(m->tokenizer, target, strlen(target), &m->target, err));
  TG_TRY(tg_ids_append(&m->input, &end, 1, err));
  return tg_ids_append(&m->target, &end, 1, err);
}

static t5gist_status add_example(maker *m, tg_shard_writer *writer, int family, int split, t5gist_error *err) {
  tg_example e = {
      .task = m->task.ids, .input = m->input.ids, .target = m->target.ids, .family = family, .split = split, .task_hash = hash_task(&m->task)};
  e.n_task = (int)m->task.n;
  e.n_input = (int)m->input.n;
  e.n_target = (int)m->target.n;
  m->report.examples++;
  m->report.task_tokens += m->task.n;
  m->report.input_tokens += m->input.n;
  m->report.target_tokens += m->target.n;
  return tg_shard_add(writer, &e, err);
}

static t5gist_status read_name(const json_t *object, const char *field, const char *where, json_t *names, int *number, t5gist_error *err) {
  const char *name = NULL;
  *number = -1;
  if (!field) return T5GIST_OK;
  TG_TRY(read_text(object, field, false, where, &name, err));
  return name ? number_of(names, name, number, err) : T5GIST_OK;
}

static t5gist_status take_record(maker *m, const json_t *object, const char *where, size_t number, tg_shard_writer *writer, t5gist_error *err) {
  const tg_data_options *o = &m->options;
  const char *task, *input, *target;
  int family, split;
  TG_TRY(read_text(object, o->task_field, true, where, &task, err));
  TG_TRY(read_text(object, o->target_field, true, where, &target, err));
  TG_TRY(read_text(object, o->input_field, false, where, &input, err));
  TG_TRY(read_name(object, o->family_field, where, m->families, &family, err));
  TG_TRY(read_name(object, o->split_field, where, m->splits, &split, err));
  const t5gist_status status = tokenize(m, task, input ? input : "", target, err);
  if (status) return tg_error_context(err, status, "%s: ", where);
  m->report.no_input += !input;
  if (m->target.n == 1 || (m->task.n == 0 && m->input.n == 1)) {
    m->report.empty++;
    return T5GIST_OK;
  }
  if (!fit(m)) {
    if (!m->report.too_long++) m->report.first_too_long = number;
    return T5GIST_OK;
  }
  return add_example(m, writer, family, split, err);
}

/* ----------------------------------------------------------------------------------------------------------------------------- the file */

/* A record that is no example: told, and passed over where the options allow. Everything else stops the reading. */
static t5gist_status bad_record(maker *m, size_t number, t5gist_status status, const t5gist_error *why, t5gist_error *err) {
  if (status != T5GIST_EFORMAT && status != T5GIST_EUSAGE) return tg_fail(err, status, "%s", why->message);
  if (m->on_bad) m->on_bad(m->user, number, why->message);
  if (!m->options.skip_bad) return tg_fail(err, status, "%s", why->message);
  if (!m->report.bad++) snprintf(m->first_bad, sizeof m->first_bad, "; the first bad one: %.400s", why->message);
  return T5GIST_OK;
}

static t5gist_status read_records(maker *m, tg_records *records, tg_shard_writer *writer, t5gist_error *err) {
  for (;;) {
    const json_t *object;
    t5gist_error why = {0};
    t5gist_status status = tg_records_next(records, &object, &why);
    if (!status && !object) return T5GIST_OK;
    m->report.lines++;
    if (!status) status = take_record(m, object, tg_records_where(records), tg_records_number(records), writer, &why);
    if (status) TG_TRY(bad_record(m, tg_records_number(records), status, &why, err));
  }
}

static t5gist_status check_some(const maker *m, t5gist_error *err) {
  const tg_data_report *r = &m->report;
  if (r->examples) return T5GIST_OK;
  return tg_fail(err, T5GIST_EFORMAT,
                 "%s: expected examples, found none in %zu records: %zu bad, %zu empty, %zu longer than max_source %d or max_target %d%s", m->path,
                 r->lines, r->bad, r->empty, r->too_long, m->options.max_source, m->options.max_target, m->first_bad);
}

static t5gist_status make_shard(maker *m, size_t size, const char *path, const char *key, t5gist_error *err) {
  tg_records *records = NULL;
  tg_shard_writer *writer = NULL;
  t5gist_status status;
  TG_GOTO(tg_records_open(m->path, size, &records, err));
  TG_GOTO(tg_shard_create(path, key, &writer, err));
  TG_GOTO(read_records(m, records, writer, err));
  TG_GOTO(check_some(m, err));
  status = tg_shard_finish(writer, m->families, m->splits, &m->report, err);
  writer = NULL;
done:
  tg_shard_abort(writer);
  tg_records_close(records);
  return status;
}

/* Size and SHA-256 of a file that could hold examples; its pages leave memory as they have been read. */
static t5gist_status examine(const char *path, size_t *size, char content[TG_SHA256_HEX], t5gist_error *err) {
  enum { PIECE = 1 << 26 };
  tg_map map;
  tg_sha256 hash;
  TG_TRY(tg_map_open(path, &map, err));
  size_t first = 0;
  while (first < map.size && memchr(" \t\r\n", map.data[first], 4)) first++;
  const bool blank = first == map.size;
  tg_sha256_begin(&hash);
  for (size_t at = 0; at < map.size; at += PIECE) {
    const size_t n = map.size - at < PIECE ? map.size - at : PIECE;
    tg_sha256_add(&hash, map.data + at, n);
    tg_map_release(map.data + at, n);
  }
  tg_sha256_end(&hash, content);
  *size = map.size;
  tg_map_close(&map);
  if (!blank) return T5GIST_OK;
  return tg_fail(err, T5GIST_EFORMAT, "%s: expected examples, a JSON object per line or a JSON list of objects; found an empty file", path);
}

static t5gist_status open_or_make(maker *m, const char *cache_dir, tg_shard *shard, t5gist_error *err) {
  char content[TG_SHA256_HEX], key[TG_SHA256_HEX], name[64];
  size_t size;
  char *path = NULL;
  t5gist_status status;
  TG_TRY(examine(m->path, &size, content, err));
  TG_TRY(make_key(m, content, key, err));
  snprintf(name, sizeof name, "%.32s.examples", key);
  TG_TRY(tg_path_join(&path, cache_dir, name, err));
  if (tg_file_exists(path) && tg_shard_open(path, key, m->config->vocab_size, shard, NULL) == T5GIST_OK) goto opened;
  TG_GOTO(tg_make_dirs(cache_dir, err));
  TG_GOTO(make_shard(m, size, path, key, err));
  TG_GOTO(tg_shard_open(path, key, m->config->vocab_size, shard, err));
opened:
  status = T5GIST_OK;
done:
  tg_free(path);
  return status;
}

/* ------------------------------------------------------------------------------------------------------------------------------ public */

t5gist_status tg_data_open(const char *path, const char *cache_dir, const tg_config *config, const tg_tokenizer *tokenizer,
                           const tg_data_options *options, tg_data_bad *on_bad, void *user, tg_data **out, t5gist_error *err) {
  maker m = {.path = path, .config = config, .tokenizer = tokenizer, .options = *options, .on_bad = on_bad, .user = user};
  tg_data *data = NULL;
  t5gist_status status;
  if (!m.options.task_field) m.options.task_field = "instruction";
  if (!m.options.input_field) m.options.input_field = "input";
  if (!m.options.target_field) m.options.target_field = "output";
  TG_TRY(check_options(&m.options, err));
  TG_TRY(tg_alloc(&data, 1, sizeof *data, err));
  m.families = json_object();
  m.splits = json_object();
  status = m.families && m.splits ? open_or_make(&m, cache_dir, &data->shard, err) : tg_fail(err, T5GIST_ENOMEM, "%s: not enough memory", path);
  json_decref(m.families);
  json_decref(m.splits);
  tg_free(m.task.ids);
  tg_free(m.input.ids);
  tg_free(m.target.ids);
  if (status)
    tg_data_close(data);
  else
    *out = data;
  return status;
}

void tg_data_close(tg_data *data) {
  if (!data) return;
  tg_shard_close(&data->shard);
  tg_free(data);
}

size_t tg_data_count(const tg_data *data) {
  return data->shard.n_examples;
}

tg_example tg_data_at(const tg_data *data, size_t i) {
  const tg_shard_example *e = &data->shard.examples[i];
  const int32_t *ids = data->shard.ids + e->begin;
  return (tg_example){.task = ids,
                      .input = ids + e->n_task,
                      .target = ids + e->n_task + e->n_input,
                      .n_task = (int)e->n_task,
                      .n_input = (int)e->n_input,
                      .n_target = (int)e->n_target,
                      .family = e->family,
                      .split = e->split,
                      .task_hash = e->task_hash};
}

const tg_data_report *tg_data_report_of(const tg_data *data) {
  return &data->shard.report;
}

const char *tg_data_family(const tg_data *data, int family) {
  return family < 0 ? NULL : data->shard.names[family];
}

const char *tg_data_split(const tg_data *data, int split) {
  return split < 0 ? NULL : data->shard.names[data->shard.n_families + (size_t)split];
}
