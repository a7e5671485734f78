#include "runtime/fields.h"

#include <ctype.h>
#include <errno.h>
#include <float.h>
#include <limits.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "runtime/error.h"
#include "runtime/json.h"
#include "runtime/memory.h"
#include "runtime/text.h"

/* --------------------------------------------------------------------------------------------------------------------------- names */

enum { MAX_WORD = 64 };

static char folded(char c) {
  return c == '-' ? '_' : c;
}

static bool same_name(const char *a, const char *b) {
  while (*a && folded(*a) == folded(*b)) a++, b++;
  return folded(*a) == folded(*b);
}

const tg_field *tg_field_find(const tg_field *table, const char *name) {
  for (; table->name; table++)
    if (same_name(table->name, name)) return table;
  return NULL;
}

static bool same_letter(char a, char b) {
  return tolower((unsigned char)folded(a)) == tolower((unsigned char)folded(b));
}

static int least(int a, int b) {
  return a < b ? a : b;
}

/* Insertions, deletions, replacements and swaps of neighbours that lead from a to b; INT_MAX for words too long to be names. */
static int distance(const char *a, const char *b) {
  const size_t n = strlen(a), m = strlen(b);
  if (n > MAX_WORD || m > MAX_WORD) return INT_MAX;
  int rows[3][MAX_WORD + 1]; /* two rows back, one row back, this one */
  for (size_t j = 0; j <= m; j++) rows[0][j] = (int)j;
  for (size_t i = 1; i <= n; i++) {
    int *now = rows[i % 3];
    const int *last = rows[(i + 2) % 3], *before = rows[(i + 1) % 3];
    now[0] = (int)i;
    for (size_t j = 1; j <= m; j++) {
      now[j] = least(last[j - 1] + !same_letter(a[i - 1], b[j - 1]), least(last[j], now[j - 1]) + 1);
      if (i > 1 && j > 1 && same_letter(a[i - 1], b[j - 2]) && same_letter(a[i - 2], b[j - 1])) now[j] = least(now[j], before[j - 2] + 1);
    }
  }
  return rows[n % 3][m];
}

/* Keeps in *best the nearer of *best and candidate, if it is near enough to name at all. */
static void consider(const char *name, const char *candidate, const char **best, int *best_distance) {
  const int near_enough = strlen(name) < 6 ? 1 : (int)(strlen(name) / 3), d = distance(name, candidate);
  if (d > near_enough || (*best && d >= *best_distance)) return;
  *best = candidate;
  *best_distance = d;
}

const char *tg_nearest(const char *name, const char *const *names, size_t n) {
  const char *best = NULL;
  int best_distance = 0;
  for (size_t i = 0; i < n; i++) consider(name, names[i], &best, &best_distance);
  return best;
}

const char *tg_field_nearest(const tg_field *table, unsigned groups, const char *name) {
  const char *best = NULL;
  int best_distance = 0;
  for (; table->name; table++)
    if (!groups || (table->groups & groups)) consider(name, table->name, &best, &best_distance);
  return best;
}

/* ------------------------------------------------------------------------------------------------------------------------ messages */

static bool own_range(const tg_field *field) {
  return field->min == 0 && field->max == 0;
}

static bool in_range(const tg_field *field, double value) {
  return own_range(field) || (value >= field->min && value <= field->max);
}

static void expected_number(const tg_field *field, const char *kind, double unlimited, char *text, size_t size) {
  if (own_range(field))
    snprintf(text, size, "%s", kind);
  else if (field->max >= unlimited)
    snprintf(text, size, "%s of at least %.10g", kind, field->min);
  else
    snprintf(text, size, "%s from %.10g to %.10g", kind, field->min, field->max);
}

static void expected_choice(const tg_field *field, char *text, size_t size) {
  size_t used = (size_t)snprintf(text, size, "one of");
  for (int i = 0; field->choices[i] && used < size; i++) used += (size_t)snprintf(text + used, size - used, "%s %s", i ? "," : "", field->choices[i]);
}

t5gist_status tg_field_refuse(const tg_field *field, const char *found, const char *where, t5gist_error *err) {
  char expected[256];
  switch (field->type) {
    case TG_FIELD_INT: expected_number(field, "an integer", INT_MAX, expected, sizeof expected); break;
    case TG_FIELD_UINT64: expected_number(field, "a non-negative integer", 0x1p64, expected, sizeof expected); break;
    case TG_FIELD_FLOAT: expected_number(field, "a number", FLT_MAX, expected, sizeof expected); break;
    case TG_FIELD_ENUM: expected_choice(field, expected, sizeof expected); break;
    default:
      snprintf(expected, sizeof expected, "%s",
               field->type == TG_FIELD_BOOL     ? "true or false"
               : field->type == TG_FIELD_STRING ? "a string"
                                                : "a string or a list of strings");
  }
  return tg_fail(err, T5GIST_EUSAGE, "%s: expected %s, found %s", where, expected, found);
}

/* -------------------------------------------------------------------------------------------------------------------------- values */

static void *place(const tg_field *field, void *target) {
  return (char *)target + field->offset;
}

static t5gist_status set_string(char **string, const char *text, t5gist_error *err) {
  char *copy;
  TG_TRY(tg_strdup(&copy, text, err));
  tg_free(*string);
  *string = copy;
  return T5GIST_OK;
}

static t5gist_status append_string(tg_strings *strings, const char *text, t5gist_error *err) {
  char *copy;
  TG_TRY(tg_strdup(&copy, text, err));
  const t5gist_status status = tg_resize(&strings->items, strings->count, strings->count + 1, sizeof *strings->items, err);
  if (status)
    tg_free(copy);
  else
    strings->items[strings->count++] = copy;
  return status;
}

void tg_strings_clear(tg_strings *strings) {
  for (size_t i = 0; i < strings->count; i++) tg_free(strings->items[i]);
  tg_free(strings->items);
  *strings = (tg_strings){0};
}

void tg_fields_free(const tg_field *table, void *target) {
  for (; table->name; table++) {
    if (table->type == TG_FIELD_STRING) {
      char **string = place(table, target);
      tg_free(*string);
      *string = NULL;
    } else if (table->type == TG_FIELD_STRINGS) {
      tg_strings_clear(place(table, target));
    }
  }
}

/* The setters below store a value of the field's type and return false where it is none. */

static bool set_int(const tg_field *field, void *target, long long value) {
  if (value < INT_MIN || value > INT_MAX || !in_range(field, (double)value)) return false;
  *(int *)place(field, target) = (int)value;
  return true;
}

static bool set_uint64(const tg_field *field, void *target, unsigned long long value) {
  if (!in_range(field, (double)value)) return false;
  *(uint64_t *)place(field, target) = value;
  return true;
}

static bool set_float(const tg_field *field, void *target, double value) {
  if (!isfinite((float)value) || !in_range(field, value)) return false;
  *(float *)place(field, target) = (float)value;
  return true;
}

static bool set_choice(const tg_field *field, void *target, const char *text) {
  for (int i = 0; field->choices[i]; i++) {
    if (!same_name(field->choices[i], text)) continue;
    *(int *)place(field, target) = i;
    return true;
  }
  return false;
}

/* ---------------------------------------------------------------------------------------------------------------------------- text */

/* strto* skip white space and read hexadecimals, infinities and NaNs; options do not. */
static bool only(const char *text, const char *characters) {
  return *text && text[strspn(text, characters)] == 0;
}

static bool int_from_text(const tg_field *field, void *target, const char *text) {
  char *end;
  errno = 0;
  const long long value = strtoll(text, &end, 10);
  return only(text, "-0123456789") && !*end && !errno && set_int(field, target, value);
}

static bool uint64_from_text(const tg_field *field, void *target, const char *text) {
  errno = 0;
  const unsigned long long value = strtoull(text, NULL, 10);
  return only(text, "0123456789") && !errno && set_uint64(field, target, value);
}

static bool float_from_text(const tg_field *field, void *target, const char *text) {
  char *end;
  const double value = strtod_l(text, &end, tg_c_locale());
  return only(text, "+-.0123456789eE") && !*end && set_float(field, target, value);
}

static bool bool_from_text(const tg_field *field, void *target, const char *text) {
  static const char *const words[] = {"false", "true", "no", "yes", "off", "on", "0", "1"};
  for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
    if (strcasecmp(text, words[i])) continue;
    *(bool *)place(field, target) = i & 1;
    return true;
  }
  return false;
}

t5gist_status tg_field_set_text(const tg_field *field, void *target, const char *text, const char *where, t5gist_error *err) {
  bool set = false;
  switch (field->type) {
    case TG_FIELD_INT: set = int_from_text(field, target, text); break;
    case TG_FIELD_UINT64: set = uint64_from_text(field, target, text); break;
    case TG_FIELD_FLOAT: set = float_from_text(field, target, text); break;
    case TG_FIELD_BOOL: set = bool_from_text(field, target, text); break;
    case TG_FIELD_ENUM: set = set_choice(field, target, text); break;
    case TG_FIELD_STRING: return set_string(place(field, target), text, err);
    case TG_FIELD_STRINGS: return append_string(place(field, target), text, err);
  }
  if (set) return T5GIST_OK;
  char found[MAX_WORD + 8];
  const size_t n = strlen(text), shown = n <= MAX_WORD ? n : tg_utf8_whole(text, MAX_WORD);
  snprintf(found, sizeof found, "\"%.*s%s\"", (int)shown, text, shown < n ? "..." : "");
  return tg_field_refuse(field, found, where, err);
}

/* ---------------------------------------------------------------------------------------------------------------------------- JSON */

/* A list of strings, or one. The old ones stay when the value is refused. */
static t5gist_status strings_from_json(const tg_field *field, void *target, const json_t *value, const char *where, t5gist_error *err) {
  tg_strings strings = {0};
  t5gist_status status = T5GIST_OK;
  const size_t n = json_is_array(value) ? json_array_size(value) : 1;
  for (size_t i = 0; i < n && !status; i++) {
    const json_t *item = json_is_array(value) ? json_array_get(value, i) : value;
    char found[TG_JSON_FOUND];
    if (json_is_string(item))
      status = append_string(&strings, json_string_value(item), err);
    else
      status = tg_field_refuse(field, tg_json_found(item, found), where, err);
  }
  if (status) {
    tg_strings_clear(&strings);
    return status;
  }
  tg_strings *old = place(field, target);
  tg_strings_clear(old);
  *old = strings;
  return T5GIST_OK;
}

t5gist_status tg_field_set_json(const tg_field *field, void *target, const json_t *value, const char *where, t5gist_error *err) {
  if (json_is_null(value)) return T5GIST_OK;
  bool set = false;
  switch (field->type) {
    case TG_FIELD_INT: set = json_is_integer(value) && set_int(field, target, json_integer_value(value)); break;
    case TG_FIELD_UINT64:
      set = json_is_integer(value) && json_integer_value(value) >= 0 && set_uint64(field, target, (unsigned long long)json_integer_value(value));
      break;
    case TG_FIELD_FLOAT: set = json_is_number(value) && set_float(field, target, json_number_value(value)); break;
    case TG_FIELD_BOOL:
      set = json_is_boolean(value);
      if (set) *(bool *)place(field, target) = json_is_true(value);
      break;
    case TG_FIELD_ENUM: set = json_is_string(value) && set_choice(field, target, json_string_value(value)); break;
    case TG_FIELD_STRING:
      if (json_is_string(value)) return set_string(place(field, target), json_string_value(value), err);
      break;
    case TG_FIELD_STRINGS: return strings_from_json(field, target, value, where, err);
  }
  if (set) return T5GIST_OK;
  char found[TG_JSON_FOUND];
  return tg_field_refuse(field, tg_json_found(value, found), where, err);
}
