/* What reports are made of: text, JSON values, pictures as SVG, and the files of an output folder. Knows no model; shared by bench/ and
 * evaluation/. */
#ifndef T5GIST_REPORT_REPORT_H
#define T5GIST_REPORT_REPORT_H

#include <jansson.h>

#include "measure/statistics.h"
#include "runtime/memory.h"

/* --------------------------------------------------------------------------------------------------------------------------------- text */

/* A report being written: the first failure is kept in status, what follows is skipped. */
typedef struct tg_report {
  tg_buffer *out;
  t5gist_status status;
  t5gist_error *err;
} tg_report;

#define TG_PUT(r, ...)                                                                             \
  do {                                                                                             \
    if ((r)->status == T5GIST_OK) (r)->status = tg_buffer_printf((r)->out, (r)->err, __VA_ARGS__); \
  } while (0)

/* format takes the one number; what is not finite becomes a dash. */
void tg_put_number(tg_report *r, const char *format, double value);
/* A name in Markdown: line ends and other control characters become spaces, and | no longer ends a table's cell. */
void tg_put_name(tg_report *r, const char *name);

/* --------------------------------------------------------------------------------------------------------------------------------- JSON */

json_t *tg_json_text(const char *text); /* a string; bytes that are not UTF-8 become '?' */
json_t *tg_json_number(double value);   /* null where JSON has no such number */
json_t *tg_json_interval(const tg_interval *interval);
/* Puts value, which is consumed, into an object or behind a list. Where that fails, value being null included, *object becomes null and stays it: a
 * report that ran out of memory anywhere is null as a whole. */
void tg_json_put(json_t **object, const char *key, json_t *value);
void tg_json_add(json_t **list, json_t *value);

/* -------------------------------------------------------------------------------------------------------------------------------- files */

/* dir/NAMEsuffix, atomically; nothing is written for an empty content. dir must be there. */
t5gist_status tg_report_write(const char *dir, const char *name, const char *suffix, const char *data, size_t size, t5gist_error *err);
/* The same for JSON, which is consumed; null: its making ran out of memory. */
t5gist_status tg_report_write_json(const char *dir, const char *name, const char *suffix, json_t *json, t5gist_error *err);

/* ---------------------------------------------------------------------------------------------------------------------------------- SVG */

enum { TG_SVG_WIDTH = 860, TG_SVG_COLOURS = 8 };
extern const char *const tg_svg_colours[TG_SVG_COLOURS];

/* Title and subtitle must be escaped. The picture ends with tg_svg_end. */
t5gist_status tg_svg_begin(tg_buffer *out, double height, const char *title, const char *subtitle, t5gist_error *err);
t5gist_status tg_svg_end(tg_buffer *out, t5gist_error *err);
t5gist_status tg_svg_text(tg_buffer *out, double x, double y, const char *anchor /* "start", "middle", "end" */, const char *text /* escaped */,
                          t5gist_error *err);
t5gist_status tg_svg_box(tg_buffer *out, double x, double y, double width, double height, const char *colour, t5gist_error *err);
t5gist_status tg_svg_line(tg_buffer *out, double x1, double y1, double x2, double y2, const char *colour, double width, t5gist_error *err);
/* Names beside their colours, on the line at y. */
t5gist_status tg_svg_legend(tg_buffer *out, double x, double y, const char *const *names, int n, t5gist_error *err);
/* XML has no bare & and <, and no control characters: they become spaces. What does not fit is cut behind a whole character. */
void tg_svg_escape(const char *text, char *out, size_t size);

#endif
