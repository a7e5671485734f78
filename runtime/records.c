#include "runtime/records.h"

#include <stdio.h>
#include <string.h>

#include "runtime/error.h"
#include "runtime/file.h"
#include "runtime/json.h"
#include "runtime/memory.h"

enum { WHERE = 320 };

struct tg_records {
  char path[WHERE - 40], where[WHERE];
  tg_buffer text; /* JSONL; freed where the file is a list */
  size_t at, number;
  json_t *list;    /* null: JSONL */
  json_t *current; /* a line's object */
};

static bool is_space(char c) {
  return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static bool is_blank(const char *text, size_t n) {
  for (size_t i = 0; i < n; i++)
    if (!is_space(text[i])) return false;
  return true;
}

static t5gist_status read_list(tg_records *r, const char *path, t5gist_error *err) {
  size_t first = 0;
  while (first < r->text.size && is_space(r->text.data[first])) first++;
  if (first == r->text.size || r->text.data[first] != '[') return T5GIST_OK;
  TG_TRY(tg_json_parse(r->text.data, r->text.size, path, &r->list, err));
  tg_buffer_free(&r->text);
  return T5GIST_OK;
}

t5gist_status tg_records_open(const char *path, size_t limit, tg_records **records, t5gist_error *err) {
  tg_records *r = NULL;
  t5gist_status status = T5GIST_OK;
  TG_GOTO(tg_alloc(&r, 1, sizeof *r, err));
  snprintf(r->path, sizeof r->path, "%s", path);
  snprintf(r->where, sizeof r->where, "%s", r->path);
  TG_GOTO(tg_read_file(path, limit, false, &r->text, err));
  TG_GOTO(read_list(r, path, err));
  *records = r;
  return T5GIST_OK;
done:
  tg_records_close(r);
  return status;
}

void tg_records_close(tg_records *records) {
  if (!records) return;
  json_decref(records->list);
  json_decref(records->current);
  tg_buffer_free(&records->text);
  tg_free(records);
}

/* The next line that is not blank; false at the end. */
static bool next_line(tg_records *r, const char **line, size_t *n) {
  while (r->at < r->text.size) {
    *line = r->text.data + r->at;
    const char *end = memchr(*line, '\n', r->text.size - r->at);
    *n = end ? (size_t)(end - *line) : r->text.size - r->at;
    r->at += *n + (end != NULL);
    r->number++;
    if (!is_blank(*line, *n)) return true;
  }
  return false;
}

static t5gist_status check_object(const tg_records *r, const json_t *value, const json_t **object, t5gist_error *err) {
  char found[TG_JSON_FOUND];
  if (!json_is_object(value)) return tg_fail(err, T5GIST_EFORMAT, "%s: expected an object, found %s", r->where, tg_json_found(value, found));
  *object = value;
  return T5GIST_OK;
}

t5gist_status tg_records_next(tg_records *r, const json_t **object, t5gist_error *err) {
  const char *line;
  size_t n;
  *object = NULL;
  json_decref(r->current);
  r->current = NULL;
  if (r->list) {
    const json_t *entry = json_array_get(r->list, r->number);
    if (!entry) return T5GIST_OK;
    snprintf(r->where, sizeof r->where, "%s: entry %zu", r->path, ++r->number);
    return check_object(r, entry, object, err);
  }
  if (!next_line(r, &line, &n)) return T5GIST_OK;
  snprintf(r->where, sizeof r->where, "%s: line %zu", r->path, r->number);
  TG_TRY(tg_json_parse(line, n, r->where, &r->current, err));
  return check_object(r, r->current, object, err);
}

const char *tg_records_where(const tg_records *records) {
  return records->where;
}

size_t tg_records_number(const tg_records *records) {
  return records->number;
}
