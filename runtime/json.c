#include "runtime/json.h"

#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "runtime/error.h"
#include "runtime/file.h"
#include "runtime/text.h"

static bool begins(const char *text, const char *start) {
  return !strncmp(text, start, strlen(start));
}

/* jansson reports lack of memory in three ways: with its code, without any text, and, for the copy of a string, as if that whole string were
 * not allowed where it stands (a string that really is wrong has a message of its own). Of a longer one the message shows nothing: then the text does. */
static bool out_of_memory(const json_error_t *found, const char *text, size_t n) {
  static const char *const whole_strings[] = {"invalid token", "string or '}' expected"};
  if (json_error_code(found) == json_error_out_of_memory || !found->text[0]) return true;
  for (size_t i = 0; i < sizeof whole_strings / sizeof *whole_strings; i++) {
    const size_t length = strlen(whole_strings[i]);
    if (!begins(found->text, whole_strings[i])) continue;
    if (begins(found->text + length, " near '\"")) return true;
    if (!found->text[length] && found->position > 0 && (size_t)found->position <= n && text[found->position - 1] == '"') return true;
  }
  return false;
}

static t5gist_status parse(const char *text, size_t n, size_t flags, const char *where, json_t **out, t5gist_error *err) {
  json_error_t found;
  json_t *value = json_loadb(text, n, JSON_REJECT_DUPLICATES | flags, &found);
  if (value) {
    *out = value;
    return T5GIST_OK;
  }
  if (out_of_memory(&found, text, n)) return tg_fail(err, T5GIST_ENOMEM, "%s: not enough memory to read JSON of %zu bytes", where, n);
  return tg_fail(err, T5GIST_EFORMAT, "%s: expected JSON, found at line %d, column %d: %s", where, found.line, found.column, found.text);
}

t5gist_status tg_json_parse(const char *text, size_t n, const char *where, json_t **out, t5gist_error *err) {
  return parse(text, n, 0, where, out, err);
}

t5gist_status tg_json_parse_any(const char *text, size_t n, const char *where, json_t **out, t5gist_error *err) {
  return parse(text, n, JSON_DECODE_ANY, where, out, err);
}

/* What the JSON library takes beyond the characters of strings, told by the punctuation alone: at most OBJECT for a byte. *characters: of the strings. */
enum { OBJECT = 256 };
static size_t overhead(const char *text, size_t n, size_t *characters) {
  enum { LIST = 128, STRING = 48, KEY = 112, VALUE = 40 };
  size_t bytes = 0, quoted = 0;
  bool string = false;
  for (size_t i = 0; i < n; i++) {
    const char c = text[i];
    if (string) {
      quoted++;
      if (c == '\\')
        i++;
      else
        string = c != '"';
    } else if (c == '"') {
      string = true;
      bytes += STRING;
    } else {
      bytes += c == '{' ? OBJECT : c == '[' ? LIST : c == ':' ? KEY : c == ',' ? VALUE : 0;
    }
  }
  *characters = quoted;
  return bytes;
}

t5gist_status tg_json_check_size(const char *text, size_t n, const char *where, t5gist_error *err) {
  enum { ROOM = 52 << 20 };
  size_t characters;
  if (n <= ROOM / OBJECT) return T5GIST_OK;
  const size_t needed = overhead(text, n, &characters), allowed = n - characters + ROOM;
  if (needed <= allowed) return T5GIST_OK;
  return tg_fail(err, T5GIST_EFORMAT,
                 "%s: expected JSON whose values take at most %zu bytes of memory beside their texts, found %zu bytes that take %zu", where, allowed,
                 n, needed);
}

t5gist_status tg_json_read(const char *path, size_t limit, json_t **out, t5gist_error *err) {
  tg_buffer buffer = {0};
  t5gist_status status = tg_read_file(path, limit, false, &buffer, err);
  if (!status) status = tg_json_check_size(buffer.data, buffer.size, path, err);
  if (!status) status = tg_json_parse(buffer.data, buffer.size, path, out, err);
  tg_buffer_free(&buffer);
  return status;
}

const char *tg_json_type_name(const json_t *value) {
  static const char *const names[] = {
      [JSON_OBJECT] = "an object",   [JSON_ARRAY] = "a list", [JSON_STRING] = "a string", [JSON_INTEGER] = "an integer",
      [JSON_REAL] = "a real number", [JSON_TRUE] = "true",    [JSON_FALSE] = "false",     [JSON_NULL] = "null",
  };
  return value ? names[json_typeof(value)] : "nothing";
}

const char *tg_json_found(const json_t *value, char text[TG_JSON_FOUND]) {
  if (json_is_string(value)) {
    const char *string = json_string_value(value);
    const size_t n = json_string_length(value);
    const size_t shown = n <= TG_JSON_FOUND - 8 ? n : tg_utf8_whole(string, TG_JSON_FOUND - 8);
    snprintf(text, TG_JSON_FOUND, "\"%.*s%s\"", (int)shown, string, shown < n ? "..." : "");
  } else if (json_is_integer(value)) {
    snprintf(text, TG_JSON_FOUND, "%lld", (long long)json_integer_value(value));
  } else if (json_is_real(value)) {
    const double real = json_real_value(value); /* 1.0 must not look like the integer that was expected */
    snprintf(text, TG_JSON_FOUND, real == floor(real) && fabs(real) < 1e15 ? "%.1f" : "%.9g", real);
  } else {
    snprintf(text, TG_JSON_FOUND, "%s", tg_json_type_name(value));
  }
  return text;
}

/* The value of a key; null when absent or null. */
static const json_t *get(const json_t *object, const char *key) {
  const json_t *value = json_object_get(object, key);
  return json_is_null(value) ? NULL : value;
}

static t5gist_status wrong(const json_t *value, const char *key, const char *where, const char *expected, t5gist_error *err) {
  char found[TG_JSON_FOUND];
  return tg_fail(err, T5GIST_EFORMAT, "%s: %s: expected %s, found %s", where, key, expected, tg_json_found(value, found));
}

t5gist_status tg_json_int(const json_t *object, const char *key, const char *where, long long min, long long max, int *out, t5gist_error *err) {
  const json_t *value = get(object, key);
  if (!value) return T5GIST_OK;
  if (min < INT_MIN) min = INT_MIN;
  if (max > INT_MAX) max = INT_MAX;
  const json_int_t integer = json_integer_value(value);
  if (!json_is_integer(value) || integer < min || integer > max) {
    char expected[80];
    snprintf(expected, sizeof expected, "an integer from %lld to %lld", min, max);
    return wrong(value, key, where, expected, err);
  }
  *out = (int)integer;
  return T5GIST_OK;
}

t5gist_status tg_json_float(const json_t *object, const char *key, const char *where, double min, double max, float *out, t5gist_error *err) {
  const json_t *value = get(object, key);
  if (!value) return T5GIST_OK;
  const double number = json_number_value(value);
  if (!json_is_number(value) || !(number >= min && number <= max) || !isfinite((float)number)) {
    char expected[80];
    snprintf(expected, sizeof expected, "a number from %g to %g", min, max);
    return wrong(value, key, where, expected, err);
  }
  *out = (float)number;
  return T5GIST_OK;
}

t5gist_status tg_json_bool(const json_t *object, const char *key, const char *where, bool *out, t5gist_error *err) {
  const json_t *value = get(object, key);
  if (!value) return T5GIST_OK;
  if (!json_is_boolean(value)) return wrong(value, key, where, "true or false", err);
  *out = json_is_true(value);
  return T5GIST_OK;
}

t5gist_status tg_json_string(const json_t *object, const char *key, const char *where, const char **out, t5gist_error *err) {
  const json_t *value = get(object, key);
  if (!value) return T5GIST_OK;
  if (!json_is_string(value)) return wrong(value, key, where, "a string", err);
  *out = json_string_value(value);
  return T5GIST_OK;
}
