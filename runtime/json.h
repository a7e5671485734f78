/* JSON (jansson): bounded reading and typed access whose errors name the key, what was expected and what was found. Keys that are absent or
 * null leave *out as it is. `where` is the file or line that errors name. */
#ifndef T5GIST_RUNTIME_JSON_H
#define T5GIST_RUNTIME_JSON_H

#include <jansson.h>
#include <stdbool.h>

#include "t5gist/types.h"

/* An object or a list, as a new reference; duplicate keys are refused. */
t5gist_status tg_json_parse(const char *text, size_t n, const char *where, json_t **out, t5gist_error *err);
/* The same of any value. */
t5gist_status tg_json_parse_any(const char *text, size_t n, const char *where, json_t **out, t5gist_error *err);
/* Refuses a text of many small values, which would take tens of times its own size: more than twice that and 52 MiB. */
t5gist_status tg_json_check_size(const char *text, size_t n, const char *where, t5gist_error *err);
/* Parses a file of at most limit bytes that passes that check. */
t5gist_status tg_json_read(const char *path, size_t limit, json_t **out, t5gist_error *err);
t5gist_status tg_json_int(const json_t *object, const char *key, const char *where, long long min, long long max, int *out, t5gist_error *err);
t5gist_status tg_json_float(const json_t *object, const char *key, const char *where, double min, double max, float *out, t5gist_error *err);
t5gist_status tg_json_bool(const json_t *object, const char *key, const char *where, bool *out, t5gist_error *err);
t5gist_status tg_json_string(const json_t *object, const char *key, const char *where, const char **out, t5gist_error *err); /* borrowed */
const char *tg_json_type_name(const json_t *value); /* "a string", "null", ... */
/* What a message says was found: a number or a string as written (cut to fit), else the name of the type. Returns text. */
enum { TG_JSON_FOUND = 96 };
const char *tg_json_found(const json_t *value, char text[TG_JSON_FOUND]);

#endif
