/* Pictures of an evaluation, as SVG: a panel for each table and split. */
#include <math.h>
#include <string.h>

#include "evaluation/evaluation.h"
#include "report/report.h"
#include "runtime/error.h"

enum { LEFT = 60, RIGHT = 190, TOP = 64, PANEL = 240, GAP = 78, DIGIT = 8 };

typedef struct panel {
  double x_low, x_high, y_low, y_high, top;
  double ticked; /* where the text of the last tick ends */
} panel;

typedef struct point {
  double x;
  const tg_interval *y;
} point;

static double at_x(const panel *p, double x) {
  return LEFT + (p->x_high > p->x_low ? (x - p->x_low) / (p->x_high - p->x_low) : 0.5) * (TG_SVG_WIDTH - LEFT - RIGHT);
}

/* What lies outside is drawn on the edge. */
static double at_y(const panel *p, double y) {
  return p->top + PANEL - (fmin(fmax(y, p->y_low), p->y_high) - p->y_low) / (p->y_high - p->y_low) * PANEL;
}

static t5gist_status frame(const panel *p, const char *caption, const char *below, tg_buffer *out, t5gist_error *err) {
  char text[32];
  TG_TRY(tg_svg_text(out, LEFT, p->top - 10, "start", caption, err));
  for (double y = p->y_low; y <= p->y_high + 1e-9; y += 25) {
    const bool limit = fabs(y) < 1e-9 || fabs(y - 100) < 1e-9;
    snprintf(text, sizeof text, "%.0f", y);
    TG_TRY(tg_svg_line(out, LEFT, at_y(p, y), TG_SVG_WIDTH - RIGHT, at_y(p, y), limit ? "#999" : "#e4e4e4", 1, err));
    TG_TRY(tg_svg_text(out, LEFT - 6, at_y(p, y) + 4, "end", text, err));
  }
  return tg_svg_text(out, (LEFT + TG_SVG_WIDTH - RIGHT) / 2.0, p->top + PANEL + 34, "middle", below, err);
}

/* Ticks come from left to right; a text that would run into the one before is left out. */
static t5gist_status tick(panel *p, double x, const char *text, tg_buffer *out, t5gist_error *err) {
  const double half = DIGIT / 2.0 * (double)strlen(text);
  if (at_x(p, x) - half < p->ticked) return T5GIST_OK;
  p->ticked = at_x(p, x) + half + DIGIT;
  return tg_svg_text(out, at_x(p, x), p->top + PANEL + 17, "middle", text, err);
}

/* A line with the interval of every point, and its name in the list at the right. Beyond the colours lines are dashed. */
static t5gist_status curve(const panel *p, const point *points, size_t n, double scale, int number, const char *name, tg_buffer *out,
                           t5gist_error *err) {
  const char *colour = tg_svg_colours[number % TG_SVG_COLOURS];
  const double shift = 1.5 * (number % 5 - 2); /* so that bars of one x stand apart */
  TG_TRY(tg_buffer_printf(out, err, "<polyline fill=\"none\" stroke=\"%s\" stroke-width=\"2\"%s points=\"", colour,
                          number < TG_SVG_COLOURS ? "" : " stroke-dasharray=\"5 3\""));
  for (size_t i = 0; i < n; i++)
    if (isfinite(points[i].y->estimate))
      TG_TRY(tg_buffer_printf(out, err, "%.1f,%.1f ", at_x(p, points[i].x) + shift, at_y(p, scale * points[i].y->estimate)));
  TG_TRY(tg_buffer_printf(out, err, "\"/>\n"));
  for (size_t i = 0; i < n; i++) {
    const tg_interval *y = points[i].y;
    const double x = at_x(p, points[i].x) + shift;
    if (isfinite(y->low) && isfinite(y->high)) TG_TRY(tg_svg_line(out, x, at_y(p, scale * y->low), x, at_y(p, scale * y->high), colour, 1, err));
    if (isfinite(y->estimate)) TG_TRY(tg_svg_box(out, x - 2.5, at_y(p, scale * y->estimate) - 2.5, 5, 5, colour, err));
  }
  const double y = p->top + 14 * number + 10;
  TG_TRY(tg_svg_box(out, TG_SVG_WIDTH - RIGHT + 14, y - 8, 14, number < TG_SVG_COLOURS ? 8 : 3, colour, err));
  return tg_svg_text(out, TG_SVG_WIDTH - RIGHT + 33, y, "start", name, err);
}

static void caption_of(const tg_eval_result *result, size_t set, size_t split, char *out, size_t size) {
  char name[200];
  tg_svg_escape(result->data.splits[split].name, name, sizeof name);
  if (result->n_sets > 1)
    snprintf(out, size, "%s, table %zu", name, set + 1);
  else
    snprintf(out, size, "%s", name);
}

/* A picture's panels: visited twice, to be counted and to be drawn. *drawn: whether there is something to show. */
typedef t5gist_status visit(const tg_eval_result *result, size_t set, size_t split, double top, tg_buffer *out /* null: count only */, bool *drawn,
                            t5gist_error *err);

static t5gist_status draw_panels(const tg_eval_config *config, const tg_eval_result *result, visit *draw, const char *title, tg_buffer *out,
                                 t5gist_error *err) {
  char whole[640], escaped[512];
  size_t n = 0;
  double top = TOP;
  for (int pass = 0; pass < 2; pass++) {
    for (size_t set = 0; set < result->n_sets; set++)
      for (size_t split = 0; split < result->data.n_splits; split++) {
        bool drawn = false;
        TG_TRY(draw(result, set, split, top, pass ? out : NULL, &drawn, err));
        if (drawn && pass) top += PANEL + GAP;
        n += drawn && !pass;
      }
    if (n == 0) return T5GIST_OK;
    if (pass) continue;
    tg_svg_escape(config->title, escaped, sizeof escaped);
    snprintf(whole, sizeof whole, "%s: %s", escaped, title);
    TG_TRY(tg_svg_begin(out, TOP + (double)n * (PANEL + GAP), whole, "percent; bars: 95 % intervals", err));
  }
  return tg_svg_end(out, err);
}

/* ------------------------------------------------------------------------------------------------------------------------- recovered, k */

static t5gist_status recovered_panel(const tg_eval_result *result, size_t set, size_t split, double top, tg_buffer *out, bool *drawn,
                                     t5gist_error *err) {
  static const tg_eval_metric metrics[] = {TG_EVAL_EXACT, TG_EVAL_ROUGE_L, TG_EVAL_LOGPROB};
  static const char *const names[] = {"exact match", "ROUGE-L", "log-probability"};
  const tg_eval_row *rows[TG_MAX_NUMBERS];
  size_t n = 0;
  char text[256];
  panel p = {.x_low = INFINITY, .x_high = -INFINITY, .y_low = -25, .y_high = 125, .top = top};
  for (size_t i = 0; i < result->n_rows; i++) {
    const tg_eval_row *row = &result->rows[i];
    if (row->set != set || row->kind != TG_EVAL_GIST || result->from_answers || !row->cells[split].has_recovered) continue;
    p.x_low = fmin(p.x_low, log2(row->k));
    p.x_high = fmax(p.x_high, log2(row->k));
    rows[n++] = row;
  }
  *drawn = n > 0;
  if (n == 0 || !out) return T5GIST_OK;
  caption_of(result, set, split, text, sizeof text);
  TG_TRY(frame(&p, text, "gist tokens", out, err));
  for (size_t i = 0; i < n; i++) {
    snprintf(text, sizeof text, "%d", rows[i]->k);
    TG_TRY(tick(&p, log2(rows[i]->k), text, out, err));
  }
  for (int m = 0; m < 3; m++) {
    point points[TG_MAX_NUMBERS];
    for (size_t i = 0; i < n; i++) points[i] = (point){log2(rows[i]->k), &rows[i]->cells[split].recovered[metrics[m]]};
    TG_TRY(curve(&p, points, n, 100, m, names[m], out, err));
  }
  return T5GIST_OK;
}

t5gist_status tg_eval_picture_recovered(const tg_eval_config *config, const tg_eval_result *result, tg_buffer *out, t5gist_error *err) {
  return draw_panels(config, result, recovered_panel, "recovered against the number of gist tokens", out, err);
}

/* ---------------------------------------------------------------------------------------------------------------------------------- bits */

static t5gist_status bits_panel(const tg_eval_result *result, size_t set, size_t split, double top, tg_buffer *out, bool *drawn, t5gist_error *err) {
  const tg_eval_split *s = &result->data.splits[split];
  char text[256];
  int number = 0;
  panel p = {.y_high = 100, .top = top};
  *drawn = s->n_bins > 1;
  if (!*drawn || !out) return T5GIST_OK;
  p.x_low = s->bins[0].low;
  p.x_high = s->bins[s->n_bins - 1].high;
  caption_of(result, set, split, text, sizeof text);
  TG_TRY(frame(&p, text, "bits of parameter in the instruction", out, err));
  for (size_t b = 0; b < s->n_bins; b++) {
    snprintf(text, sizeof text, "%.3g", (s->bins[b].low + s->bins[b].high) / 2);
    TG_TRY(tick(&p, (s->bins[b].low + s->bins[b].high) / 2, text, out, err));
  }
  for (size_t i = 0; i < result->n_rows; i++) {
    const tg_eval_row *row = &result->rows[i];
    if (row->set != set || row->kind == TG_EVAL_WORDS) continue; /* words are in the JSON: with them nobody sees the gists */
    point points[TG_EVAL_MAX_BINS];
    for (size_t b = 0; b < s->n_bins; b++) points[b] = (point){(s->bins[b].low + s->bins[b].high) / 2, &row->cells[split].bins[b]};
    TG_TRY(curve(&p, points, s->n_bins, 1, number++, row->name, out, err));
  }
  return T5GIST_OK;
}

t5gist_status tg_eval_picture_bits(const tg_eval_config *config, const tg_eval_result *result, tg_buffer *out, t5gist_error *err) {
  return draw_panels(config, result, bits_panel, "exact match against the instruction's bits of parameter", out, err);
}
