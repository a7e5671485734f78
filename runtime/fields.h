/* Options as data: one table describes the fields of a struct; command line, YAML and JSON requests all set them through it, so a name, range
 * or message exists once. */
#ifndef T5GIST_RUNTIME_FIELDS_H
#define T5GIST_RUNTIME_FIELDS_H

#include <jansson.h>
#include <stddef.h>

#include "t5gist/types.h"

typedef enum tg_field_type {
  TG_FIELD_INT,     /* int */
  TG_FIELD_UINT64,  /* uint64_t */
  TG_FIELD_FLOAT,   /* float */
  TG_FIELD_BOOL,    /* bool; on the command line a flag without argument */
  TG_FIELD_STRING,  /* char *, owned (tg_free) */
  TG_FIELD_STRINGS, /* tg_strings; a repeated option, a list in YAML and JSON, or a single string */
  TG_FIELD_ENUM     /* int: index into choices */
} tg_field_type;

typedef struct tg_strings {
  char **items; /* [count] owned */
  size_t count;
} tg_strings;

typedef struct tg_field {
  const char *name; /* as in YAML and JSON, "max_new_tokens"; the command line writes "--max-new-tokens" */
  tg_field_type type;
  size_t offset;    /* into the struct */
  double min, max;  /* numbers; both 0: the type's own range */
  const char *const *choices; /* TG_FIELD_ENUM: null-terminated */
  char short_name;  /* command line, 0: none */
  const char *argument, *help;
  unsigned groups;  /* the caller's own bits: which commands know it */
} tg_field;

/* Finds a field of the table (ends with name == null) by name; '-' and '_' are the same. */
const tg_field *tg_field_find(const tg_field *table, const char *name);

/* The known name nearest to name (edit distance at most a third of its length, at least 1), or null. groups: only fields having one of these
 * bits; 0: all. */
const char *tg_field_nearest(const tg_field *table, unsigned groups, const char *name);
const char *tg_nearest(const char *name, const char *const *names, size_t n);

/* Set one field of target. `where` begins the message ("--beams", "run.yaml:3:8: beams", "line 7: beams"). Text is read strictly and the same
 * in every locale; true, yes, on, 1 and false, no, off, 0 are booleans. A text is appended to TG_FIELD_STRINGS, JSON replaces them. JSON null
 * leaves the field as it is; 1.0 is no integer, 1 is a number. */
t5gist_status tg_field_set_text(const tg_field *field, void *target, const char *text, const char *where, t5gist_error *err);
t5gist_status tg_field_set_json(const tg_field *field, void *target, const json_t *value, const char *where, t5gist_error *err);

/* "--beams: expected an integer from 1 to 1024, found a list". */
t5gist_status tg_field_refuse(const tg_field *field, const char *found, const char *where, t5gist_error *err);

/* Sets the fields that a YAML file (at most 1 MiB) names: a mapping of scalars and lists of strings; lists replace what was there. A mapping within
 * it names fields with dots: {loss: {match: 1}} sets the field loss.match, as {loss.match: 1} does. Unknown keys are refused with line, column and
 * the nearest known key; so are keys set twice, anchors, aliases and tags. After a failure some fields may be set. */
t5gist_status tg_yaml_load(const char *path, const tg_field *table, unsigned groups, void *target, t5gist_error *err);

void tg_strings_clear(tg_strings *strings);
void tg_fields_free(const tg_field *table, void *target); /* frees owned strings */

#endif
