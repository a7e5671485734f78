/* tg_yaml_load (fields.h): libyaml's events against a table of fields. */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <yaml.h>

#include "runtime/error.h"
#include "runtime/fields.h"
#include "runtime/file.h"
#include "runtime/memory.h"
#include "runtime/text.h"

enum { MAX_FILE = 1 << 20, WHERE = 512, MAX_KEY = 128 };

typedef struct reader {
  const char *path;
  const tg_buffer *text;
  const tg_field *table;
  unsigned groups;
  void *target;
  bool *seen; /* [fields of the table] */
  yaml_parser_t parser;
  yaml_event_t event; /* the current one; all zero: none */
  t5gist_error *err;
} reader;

/* "run.yaml:3:1" of the current event. */
static const char *position(const reader *r, char where[WHERE]) {
  snprintf(where, WHERE, "%s:%zu:%zu", r->path, r->event.start_mark.line + 1, r->event.start_mark.column + 1);
  return where;
}

static t5gist_status syntax_error(const reader *r) {
  const yaml_parser_t *p = &r->parser;
  if (p->error == YAML_MEMORY_ERROR) return tg_fail(r->err, T5GIST_ENOMEM, "%s: not enough memory to read YAML of %zu bytes", r->path, r->text->size);
  size_t line = p->problem_mark.line + 1, column = p->problem_mark.column + 1;
  if (p->error == YAML_READER_ERROR) { /* knows an offset only */
    line = column = 1;
    for (size_t i = 0; i < p->problem_offset && i < r->text->size; i++) {
      column++;
      if (r->text->data[i] == '\n') line++, column = 1;
    }
  }
  return tg_fail(r->err, T5GIST_EFORMAT, "%s:%zu:%zu: expected YAML, found: %s%s%s", r->path, line, column,
                 p->problem ? p->problem : "an unknown problem", p->context ? " " : "", p->context ? p->context : "");
}

/* Replaces the current event by the next; refuses what no configuration needs. */
static t5gist_status next(reader *r) {
  yaml_event_delete(&r->event);
  if (!yaml_parser_parse(&r->parser, &r->event)) return syntax_error(r);
  const yaml_event_t *e = &r->event;
  char where[WHERE];
  if (e->type == YAML_ALIAS_EVENT || (e->type == YAML_SCALAR_EVENT && e->data.scalar.anchor) ||
      (e->type == YAML_SEQUENCE_START_EVENT && e->data.sequence_start.anchor) ||
      (e->type == YAML_MAPPING_START_EVENT && e->data.mapping_start.anchor))
    return tg_fail(r->err, T5GIST_EUNSUPPORTED, "%s: expected plain values, found an anchor or alias (& or *)", position(r, where));
  if ((e->type == YAML_SCALAR_EVENT && e->data.scalar.tag) || (e->type == YAML_SEQUENCE_START_EVENT && e->data.sequence_start.tag) ||
      (e->type == YAML_MAPPING_START_EVENT && e->data.mapping_start.tag))
    return tg_fail(r->err, T5GIST_EUNSUPPORTED, "%s: expected plain values, found a tag (!)", position(r, where));
  return T5GIST_OK;
}

/* Whether fields of the table are named within the mapping `name`. */
static bool is_group(const reader *r, const char *name) {
  const size_t n = strlen(name);
  for (const tg_field *f = r->table; f->name; f++) {
    if ((!r->groups || (f->groups & r->groups)) && !strncmp(f->name, name, n) && f->name[n] == '.') return true;
  }
  return false;
}

/* The field that the current event, a key within the mapping `within` ("": the outermost), names; null: *name is that of a mapping of its own. */
static t5gist_status find_key(reader *r, const char *within, char name[MAX_KEY], const tg_field **field) {
  char where[WHERE];
  position(r, where);
  if (r->event.type != YAML_SCALAR_EVENT) return tg_fail(r->err, T5GIST_EFORMAT, "%s: expected a key, found a list or a mapping", where);
  const char *key = (const char *)r->event.data.scalar.value;
  const int n = snprintf(name, MAX_KEY, "%s%s%s", within, *within ? "." : "", key);
  const bool whole = strlen(key) == r->event.data.scalar.length && n < MAX_KEY;
  const tg_field *found = whole ? tg_field_find(r->table, name) : NULL;
  if (found && r->groups && !(found->groups & r->groups)) found = NULL;
  *field = found;
  if (!found && whole && is_group(r, name)) return T5GIST_OK;
  if (!found) {
    const char *nearest = tg_field_nearest(r->table, r->groups, name);
    return tg_fail(r->err, T5GIST_EUSAGE, nearest ? "%s: unknown key \"%.64s\"; did you mean \"%s\"?" : "%s: unknown key \"%.64s\"", where, name,
                   nearest);
  }
  if (r->seen[found - r->table]) return tg_fail(r->err, T5GIST_EUSAGE, "%s: key \"%s\" is set twice", where, found->name);
  r->seen[found - r->table] = true;
  return T5GIST_OK;
}

static bool is_null(const char *text) {
  return !*text || !strcmp(text, "~") || !strcmp(text, "null") || !strcmp(text, "Null") || !strcmp(text, "NULL");
}

/* Sets field from the current event, a scalar: a quoted one is a string, a plain one what the field's type makes of it. */
static t5gist_status set_scalar(reader *r, const tg_field *field, const char *where) {
  const char *text = (const char *)r->event.data.scalar.value;
  const bool plain = r->event.data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
  const bool text_field = field->type == TG_FIELD_STRING || field->type == TG_FIELD_STRINGS || field->type == TG_FIELD_ENUM;
  if (strlen(text) != r->event.data.scalar.length) return tg_field_refuse(field, "a NUL character", where, r->err);
  if (plain && is_null(text)) return tg_field_refuse(field, "nothing", where, r->err);
  if (!plain && !text_field) return tg_field_refuse(field, "a quoted string", where, r->err);
  return tg_field_set_text(field, r->target, text, where, r->err);
}

static t5gist_status where_value(const reader *r, const tg_field *field, tg_buffer *where) {
  char at[WHERE];
  where->size = 0;
  return tg_buffer_printf(where, r->err, "%s: %s", position(r, at), field->name);
}

/* Sets field from the current event, the first of its value, and reads to the last one. */
static t5gist_status set_value(reader *r, const tg_field *field, tg_buffer *where) {
  TG_TRY(where_value(r, field, where));
  if (r->event.type == YAML_MAPPING_START_EVENT) return tg_field_refuse(field, "a mapping", where->data, r->err);
  if (field->type == TG_FIELD_STRINGS) tg_strings_clear((tg_strings *)(void *)((char *)r->target + field->offset));
  if (r->event.type == YAML_SCALAR_EVENT) return set_scalar(r, field, where->data);
  if (field->type != TG_FIELD_STRINGS) return tg_field_refuse(field, "a list", where->data, r->err);
  for (;;) {
    TG_TRY(next(r));
    if (r->event.type == YAML_SEQUENCE_END_EVENT) return T5GIST_OK;
    TG_TRY(where_value(r, field, where));
    if (r->event.type != YAML_SCALAR_EVENT) return tg_field_refuse(field, "a list or a mapping within it", where->data, r->err);
    TG_TRY(set_scalar(r, field, where->data));
  }
}

static const char *kind(const reader *r) {
  return r->event.type == YAML_SCALAR_EVENT ? "a text" : r->event.type == YAML_SEQUENCE_START_EVENT ? "a list" : "a mapping";
}

/* Reads the mapping that the current event begins; mappings within it stand for keys with dots: {loss: {match: 1}} sets loss.match, as
 * {loss.match: 1} does. */
static t5gist_status read_mapping(reader *r, const char *within, tg_buffer *where) {
  for (;;) {
    const tg_field *field = NULL;
    char name[MAX_KEY], at[WHERE];
    TG_TRY(next(r));
    if (r->event.type == YAML_MAPPING_END_EVENT) return T5GIST_OK;
    TG_TRY(find_key(r, within, name, &field));
    TG_TRY(next(r));
    if (field)
      TG_TRY(set_value(r, field, where));
    else if (r->event.type == YAML_MAPPING_START_EVENT)
      TG_TRY(read_mapping(r, name, where)); /* no deeper than the names of the table have dots */
    else
      return tg_fail(r->err, T5GIST_EUSAGE, "%s: %s: expected a mapping (key: value), found %s", position(r, at), name, kind(r));
  }
}

/* The current event is the first of the document's content. */
static t5gist_status read_document(reader *r, tg_buffer *where) {
  char at[WHERE];
  if (r->event.type == YAML_SCALAR_EVENT && !r->event.data.scalar.length) return T5GIST_OK; /* "---" and nothing more */
  if (r->event.type == YAML_MAPPING_START_EVENT) return read_mapping(r, "", where);
  return tg_fail(r->err, T5GIST_EFORMAT, "%s: expected a mapping (key: value), found %s", position(r, at), kind(r));
}

static t5gist_status read_stream(reader *r, tg_buffer *where) {
  char at[WHERE];
  TG_TRY(next(r)); /* stream start */
  TG_TRY(next(r)); /* document start, or the end of an empty file */
  if (r->event.type == YAML_STREAM_END_EVENT) return T5GIST_OK;
  TG_TRY(next(r));
  TG_TRY(read_document(r, where));
  TG_TRY(next(r)); /* document end */
  TG_TRY(next(r));
  if (r->event.type == YAML_STREAM_END_EVENT) return T5GIST_OK;
  return tg_fail(r->err, T5GIST_EUNSUPPORTED, "%s: expected one document, found a second", position(r, at));
}

static t5gist_status read_text(reader *r) {
  tg_buffer where = {0};
  size_t n_fields = 0;
  while (r->table[n_fields].name) n_fields++;
  TG_TRY(tg_alloc(&r->seen, n_fields, sizeof *r->seen, r->err));
  t5gist_status status;
  if (!yaml_parser_initialize(&r->parser)) {
    status = tg_fail(r->err, T5GIST_ENOMEM, "%s: not enough memory to read YAML", r->path);
  } else {
    yaml_parser_set_encoding(&r->parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&r->parser, (const unsigned char *)r->text->data, r->text->size);
    status = read_stream(r, &where);
    yaml_event_delete(&r->event);
    yaml_parser_delete(&r->parser);
  }
  tg_free(r->seen);
  tg_buffer_free(&where);
  return status;
}

t5gist_status tg_yaml_load(const char *path, const tg_field *table, unsigned groups, void *target, t5gist_error *err) {
  tg_buffer text = {0};
  reader r = {.path = path, .text = &text, .table = table, .groups = groups, .target = target, .err = err};
  t5gist_status status = tg_read_file(path, MAX_FILE, false, &text, err);
  if (!status) status = tg_utf8_check(text.data, text.size, path, err);
  if (!status) status = read_text(&r);
  tg_buffer_free(&text);
  return status;
}
