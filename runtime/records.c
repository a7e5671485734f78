#include "runtime/records.h"

#include <stdio.h>
#include <string.h>

#include "runtime/error.h"
#include "runtime/file.h"
#include "runtime/json.h"
#include "runtime/memory.h"

enum { PATH = 280, WHERE = PATH + 80, PIECE = 1 << 16 };

struct tg_records {
  char path[PATH], where[WHERE];
  tg_reader *reader;
  tg_buffer text;      /* what was read and is not used up: from `at` on */
  size_t at, number;   /* number: of the record that was read last */
  size_t line;         /* lines that ended before `at` */
  bool list, ended;    /* ended: the file, or reading it is of no use any more */
  bool closed, behind; /* a list: its bracket was read; what follows that was looked at */
  json_t *current;
};

static bool is_space(char c) {
  return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static bool is_blank(const char *text, size_t n) {
  for (size_t i = 0; i < n; i++)
    if (!is_space(text[i])) return false;
  return true;
}

/* ------------------------------------------------------------------------------------------------------------------------------- pieces */

static size_t left(const tg_records *r) {
  return r->text.size - r->at;
}

static void use_up(tg_records *r, size_t n) {
  if (n == 0) return;
  for (const char *c = r->text.data + r->at, *end = c + n; (c = memchr(c, '\n', (size_t)(end - c))) != NULL; c++) r->line++;
  r->at += n;
}

/* Reads on; what is left stands at the front then. After a failure the file is at its end: nothing is tried twice. */
static t5gist_status read_more(tg_records *r, t5gist_error *err) {
  if (r->at) memmove(r->text.data, r->text.data + r->at, left(r));
  r->text.size -= r->at;
  r->at = 0;
  const t5gist_status status = tg_reader_more(r->reader, PIECE, &r->text, &r->ended, err);
  if (status) {
    r->text.size = 0;
    r->ended = r->closed = r->behind = true;
  }
  return status;
}

/* Uses up white space; *c: what follows, 0 at the end of the file, which no JSON text holds. */
static t5gist_status skip_space(tg_records *r, char *c, t5gist_error *err) {
  for (;;) {
    size_t n = 0;
    while (n < left(r) && is_space(r->text.data[r->at + n])) n++;
    use_up(r, n);
    if (left(r) || r->ended) break;
    TG_TRY(read_more(r, err));
  }
  *c = left(r) ? r->text.data[r->at] : 0;
  return T5GIST_OK;
}

t5gist_status tg_records_open(const char *path, size_t limit, tg_records **records, t5gist_error *err) {
  tg_records *r = NULL;
  char first;
  t5gist_status status = T5GIST_OK;
  TG_GOTO(tg_alloc(&r, 1, sizeof *r, err));
  snprintf(r->path, sizeof r->path, "%s", path);
  snprintf(r->where, sizeof r->where, "%s", r->path);
  TG_GOTO(tg_reader_open(path, limit, &r->reader, err));
  TG_GOTO(skip_space(r, &first, err));
  r->list = first == '[';
  if (r->list) use_up(r, 1);
  *records = r;
  return T5GIST_OK;
done:
  tg_records_close(r);
  return status;
}

void tg_records_close(tg_records *records) {
  if (!records) return;
  json_decref(records->current);
  tg_reader_close(records->reader);
  tg_buffer_free(&records->text);
  tg_free(records);
}

/* ---------------------------------------------------------------------------------------------------------------------------- one record */

static t5gist_status too_long(const tg_records *r, t5gist_error *err) {
  return tg_fail(err, T5GIST_EFORMAT, "%s: expected at most %d bytes, found more", r->where, TG_RECORD_BYTES);
}

/* Uses up the rest of a line of which nothing is wanted. */
static t5gist_status skip_line(tg_records *r, t5gist_error *err) {
  for (;;) {
    const char *end = left(r) ? memchr(r->text.data + r->at, '\n', left(r)) : NULL;
    use_up(r, end ? (size_t)(end - r->text.data) - r->at + 1 : left(r));
    if (end || r->ended) return T5GIST_OK;
    TG_TRY(read_more(r, err));
  }
}

/* Bytes of the line at `at`, its end not counted. */
static t5gist_status find_line(tg_records *r, size_t *n, t5gist_error *err) {
  for (size_t seen = 0;;) {
    const char *end = left(r) > seen ? memchr(r->text.data + r->at + seen, '\n', left(r) - seen) : NULL;
    *n = end ? (size_t)(end - r->text.data) - r->at : left(r);
    if (*n > TG_RECORD_BYTES) {
      TG_TRY(skip_line(r, err));
      return too_long(r, err);
    }
    if (end || r->ended) return T5GIST_OK;
    seen = left(r);
    TG_TRY(read_more(r, err));
  }
}

/* Where in a list's entry the search for its end is. */
typedef struct scan {
  size_t n, depth; /* bytes looked at; open brackets */
  bool quoted, escaped;
} scan;

/* Looks at another byte; true: the entry ends before it. */
static bool is_end(scan *s, char c) {
  if (s->quoted) {
    if (s->escaped || c == '\\')
      s->escaped = !s->escaped;
    else
      s->quoted = c != '"';
  } else if (c == '"') {
    s->quoted = true;
  } else if (c == '[' || c == '{') {
    s->depth++;
  } else if (s->depth == 0) {
    if (c == ',' || c == ']') return true;
  } else if (c == ']' || c == '}') {
    s->depth--;
  }
  s->n++;
  return false;
}

/* Bytes of the entry at `at`, up to the comma or bracket behind it. */
static t5gist_status find_entry(tg_records *r, size_t *n, t5gist_error *err) {
  scan s = {0};
  for (;;) {
    while (s.n < left(r))
      if (is_end(&s, r->text.data[r->at + s.n])) {
        *n = s.n;
        return T5GIST_OK;
      }
    const bool long_one = s.n > TG_RECORD_BYTES;
    if (!long_one && !r->ended) {
      TG_TRY(read_more(r, err));
      continue;
    }
    r->closed = r->behind = true; /* nobody knows where the next one begins */
    return long_one ? too_long(r, err) : tg_fail(err, T5GIST_EFORMAT, "%s: expected \",\" or \"]\" behind it, found the end of the file", r->where);
  }
}

/* where: what the JSON library counts lines from. */
static t5gist_status parse(tg_records *r, const char *text, size_t n, const char *where, const json_t **object, t5gist_error *err) {
  char found[TG_JSON_FOUND];
  TG_TRY(tg_json_check_size(text, n, where, err));
  TG_TRY(tg_json_parse_any(text, n, where, &r->current, err));
  if (!json_is_object(r->current)) return tg_fail(err, T5GIST_EFORMAT, "%s: expected an object, found %s", r->where, tg_json_found(r->current, found));
  *object = r->current;
  return T5GIST_OK;
}

static t5gist_status next_line(tg_records *r, const json_t **object, t5gist_error *err) {
  for (;;) {
    size_t n;
    if (!left(r) && !r->ended) TG_TRY(read_more(r, err));
    if (!left(r) && r->ended) return T5GIST_OK;
    r->number = r->line + 1;
    snprintf(r->where, sizeof r->where, "%s: line %zu", r->path, r->number);
    TG_TRY(find_line(r, &n, err));
    const char *line = r->text.data + r->at;
    const bool blank = is_blank(line, n);
    use_up(r, n + (n < left(r)));
    if (!blank) return parse(r, line, n, r->where, object, err);
  }
}

/* Behind a list there is white space. */
static t5gist_status check_behind(tg_records *r, t5gist_error *err) {
  char c;
  if (r->behind) return T5GIST_OK;
  r->behind = true;
  TG_TRY(skip_space(r, &c, err));
  if (!left(r)) return T5GIST_OK;
  return tg_fail(err, T5GIST_EFORMAT, "%s: expected nothing behind the list, found more in line %zu", r->path, r->line + 1);
}

static t5gist_status next_entry(tg_records *r, const json_t **object, t5gist_error *err) {
  char c, from[WHERE + 40];
  size_t n = 0;
  if (r->closed) return check_behind(r, err);
  TG_TRY(skip_space(r, &c, err));
  if (r->number == 0 && c == ']') { /* an empty list */
    use_up(r, 1);
    r->closed = true;
    return check_behind(r, err);
  }
  snprintf(r->where, sizeof r->where, "%s: entry %zu", r->path, r->number + 1);
  TG_TRY(find_entry(r, &n, err));
  r->number++;
  const char *text = r->text.data + r->at;
  r->closed = text[n] == ']';
  if (is_blank(text, n)) {
    use_up(r, n + 1);
    return tg_fail(err, T5GIST_EFORMAT, "%s: expected an object, found \"%c\" in line %zu", r->where, r->closed ? ']' : ',', r->line + 1);
  }
  snprintf(from, sizeof from, "%s, from line %zu on", r->where, r->line + 1);
  use_up(r, n + 1);
  return parse(r, text, n, from, object, err);
}

t5gist_status tg_records_next(tg_records *r, const json_t **object, t5gist_error *err) {
  *object = NULL;
  json_decref(r->current);
  r->current = NULL;
  return r->list ? next_entry(r, object, err) : next_line(r, object, err);
}

const char *tg_records_where(const tg_records *records) {
  return records->where;
}

size_t tg_records_number(const tg_records *records) {
  return records->number;
}
