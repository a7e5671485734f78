/* Pictures of a run, as SVG. */
#include <math.h>
#include <string.h>

#include "bench/bench.h"
#include "report/report.h"
#include "runtime/error.h"

enum { LEFT = 150, RIGHT = 90, ROW = 22, BAR = 15, TOP = 64 };

static void subtitle(const tg_bench_result *result, char *out, size_t size) {
  char text[512];
  snprintf(text, sizeof text, "%s; %s, %d threads, %s", result->model, result->machine.cpu, result->threads, result->date);
  tg_svg_escape(text, out, size);
}

/* --------------------------------------------------------------------------------------------------------------------------- time by stage */

static t5gist_status stage_bar(tg_buffer *out, const char *name, const tg_condition_result *c, double y, double scale, t5gist_error *err) {
  double x = LEFT;
  char text[48];
  TG_TRY(tg_svg_text(out, LEFT - 6, y + BAR - 3, "end", name, err));
  for (int p = 0; p < TG_N_PARTS; p++) {
    const double width = c->part_ms[p] * scale;
    TG_TRY(tg_svg_box(out, x, y, width, BAR, tg_svg_colours[p], err));
    x += width > 0 ? width : 0;
  }
  TG_TRY(tg_svg_line(out, LEFT + c->predicted_ms * scale, y - 2, LEFT + c->predicted_ms * scale, y + BAR + 2, "#000", 1.6, err));
  snprintf(text, sizeof text, "%.1f ms", c->ms.estimate);
  return tg_svg_text(out, x + 5, y + BAR - 3, "start", text, err);
}

t5gist_status tg_picture_stages(const tg_bench_config *config, const tg_bench_result *result, tg_buffer *out, t5gist_error *err) {
  char title[600], below[600];
  double longest = 0, y = TOP + 14;
  int rows = 0;
  for (size_t f = 0; f < result->n_formats; f++)
    for (int c = 0; c < TG_BENCH_N_CONDITIONS; c++) {
      const tg_condition_result *r = &result->formats[f].points[0].conditions[c];
      if (!r->measured) continue;
      rows++;
      longest = fmax(longest, fmax(r->ms.estimate, r->predicted_ms));
    }
  if (rows == 0) return T5GIST_OK;
  tg_svg_escape(config->title, title, sizeof title);
  subtitle(result, below, sizeof below);
  TG_TRY(tg_svg_begin(out, TOP + 30 + rows * ROW + (double)result->n_formats * ROW, title, below, err));
  TG_TRY(tg_svg_legend(out, 10, TOP - 8, tg_part_names, TG_N_PARTS, err));
  TG_TRY(tg_svg_text(out, 10, TOP + 8, "start", "black line: the machine's limit", err));
  for (size_t f = 0; f < result->n_formats; f++) {
    TG_TRY(tg_svg_text(out, 10, y + BAR, "start", result->formats[f].dtype, err));
    y += ROW;
    for (int c = 0; c < TG_BENCH_N_CONDITIONS; c++) {
      const tg_condition_result *r = &result->formats[f].points[0].conditions[c];
      if (!r->measured) continue;
      TG_TRY(stage_bar(out, tg_bench_condition_names[c], r, y, (TG_SVG_WIDTH - LEFT - RIGHT) / longest, err));
      y += ROW;
    }
  }
  return tg_svg_end(out, err);
}

/* -------------------------------------------------------------------------------------------------------------------------------- a sweep */

typedef struct sweep {
  const char *name;
  const tg_numbers *numbers;
} sweep;

static sweep swept(const tg_bench_config *config) {
  if (config->task_tokens.count > 1) return (sweep){"task tokens", &config->task_tokens};
  if (config->batch.count > 1) return (sweep){"batch", &config->batch};
  return (sweep){"gist tokens", &config->gists};
}

static int value_of(const sweep *s, const tg_bench_config *config, const tg_point *point) {
  return s->numbers == &config->task_tokens ? point->task_tokens : s->numbers == &config->batch ? point->batch : point->gists;
}

typedef struct axes {
  double x_low, x_high, y_low, y_high, top, height; /* logarithms */
} axes;

static double at_x(const axes *a, double value) {
  return LEFT + (log(value) - a->x_low) / fmax(a->x_high - a->x_low, 1e-9) * (TG_SVG_WIDTH - LEFT - RIGHT - 60);
}

static double at_y(const axes *a, double value) {
  return a->top + a->height - (log(value) - a->y_low) / fmax(a->y_high - a->y_low, 1e-9) * a->height;
}

static t5gist_status sweep_axes(const axes *a, const sweep *s, tg_buffer *out, t5gist_error *err) {
  char text[64];
  const double bottom = a->top + a->height;
  TG_TRY(tg_svg_line(out, LEFT, bottom, TG_SVG_WIDTH - RIGHT - 60, bottom, "#888", 1, err));
  for (int i = 0; i < s->numbers->count; i++) {
    snprintf(text, sizeof text, "%d", s->numbers->values[i]);
    TG_TRY(tg_svg_text(out, at_x(a, fmax(s->numbers->values[i], 1)), bottom + 15, "middle", text, err));
  }
  TG_TRY(tg_svg_text(out, (LEFT + TG_SVG_WIDTH - RIGHT - 60) / 2.0, bottom + 31, "middle", s->name, err));
  for (double decade = pow(10, floor(a->y_low / log(10))); log(decade) <= a->y_high; decade *= 10)
    for (int step = 1; step <= 5; step = step == 1 ? 2 : step == 2 ? 5 : 10) {
      const double value = decade * step;
      if (log(value) < a->y_low || log(value) > a->y_high) continue;
      snprintf(text, sizeof text, "%g ms", value);
      TG_TRY(tg_svg_line(out, LEFT, at_y(a, value), TG_SVG_WIDTH - RIGHT - 60, at_y(a, value), "#e4e4e4", 1, err));
      TG_TRY(tg_svg_text(out, LEFT - 6, at_y(a, value) + 4, "end", text, err));
    }
  return T5GIST_OK;
}

/* Lines of one format: measured, and dashed the limit. */
static t5gist_status sweep_lines(const axes *a, const sweep *s, const tg_bench_config *config, const tg_format_result *f, tg_buffer *out,
                                 t5gist_error *err) {
  for (int c = 0; c < TG_BENCH_N_CONDITIONS; c++) {
    if (!f->points[0].conditions[c].measured) continue;
    double x = 0, y = 0;
    for (int limit = 0; limit < 2; limit++) {
      TG_TRY(tg_buffer_printf(out, err, "<polyline fill=\"none\" stroke=\"%s\" stroke-width=\"%s\"%s points=\"", tg_svg_colours[c], limit ? "1" : "2",
                              limit ? " stroke-dasharray=\"3 3\"" : ""));
      for (size_t p = 0; p < f->n_points; p++) {
        const tg_condition_result *r = &f->points[p].conditions[c];
        x = at_x(a, fmax(value_of(s, config, &f->points[p].point), 1));
        const double here = at_y(a, limit ? r->predicted_ms : r->ms.estimate);
        if (!limit) y = here;
        TG_TRY(tg_buffer_printf(out, err, "%.1f,%.1f ", x, here));
      }
      TG_TRY(tg_buffer_printf(out, err, "\"/>\n"));
    }
    TG_TRY(tg_buffer_printf(out, err, "<text x=\"%.1f\" y=\"%.1f\" fill=\"%s\">%s</text>\n", x + 6, y + 4, tg_svg_colours[c],
                            tg_bench_condition_names[c]));
  }
  return T5GIST_OK;
}

t5gist_status tg_picture_sweep(const tg_bench_config *config, const tg_bench_result *result, tg_buffer *out, t5gist_error *err) {
  enum { PANEL = 330, GAP = 70 };
  char title[600], below[600], caption[96];
  const sweep s = swept(config);
  if (s.numbers->count < 2) return T5GIST_OK;
  tg_svg_escape(config->title, title, sizeof title);
  subtitle(result, below, sizeof below);
  TG_TRY(tg_svg_begin(out, TOP + (double)result->n_formats * (PANEL + GAP), title, below, err));
  for (size_t i = 0; i < result->n_formats; i++) {
    const tg_format_result *f = &result->formats[i];
    axes a = {
        .x_low = INFINITY, .x_high = -INFINITY, .y_low = INFINITY, .y_high = -INFINITY, .top = TOP + (double)i * (PANEL + GAP), .height = PANEL};
    for (size_t p = 0; p < f->n_points; p++) {
      const double x = log(fmax(value_of(&s, config, &f->points[p].point), 1));
      a.x_low = fmin(a.x_low, x);
      a.x_high = fmax(a.x_high, x);
      for (int c = 0; c < TG_BENCH_N_CONDITIONS; c++) {
        const tg_condition_result *r = &f->points[p].conditions[c];
        if (!r->measured) continue;
        a.y_low = fmin(a.y_low, log(fmin(r->ms.estimate, r->predicted_ms)));
        a.y_high = fmax(a.y_high, log(fmax(r->ms.estimate, r->predicted_ms)));
      }
    }
    snprintf(caption, sizeof caption, "%s; dashed: the machine's limit", f->dtype);
    TG_TRY(tg_svg_text(out, LEFT, a.top - 8, "start", caption, err));
    TG_TRY(sweep_axes(&a, &s, out, err));
    TG_TRY(sweep_lines(&a, &s, config, f, out, err));
  }
  return tg_svg_end(out, err);
}

/* ------------------------------------------------------------------------------------------------------------------------ shares of limits */

typedef struct share {
  const char *what;
  tg_bench_condition condition;
  tg_part part;
} share;
static const share shares[] = {{"encode, full", TG_BENCH_FULL, TG_PART_INPUT},
                               {"encode, gist", TG_BENCH_GIST_MEMORY, TG_PART_INPUT},
                               {"first step", TG_BENCH_GIST_MEMORY, TG_PART_FIRST},
                               {"later steps", TG_BENCH_GIST_MEMORY, TG_PART_DECODE}};
enum { N_SHARES = sizeof shares / sizeof *shares, MAX_POINTS = 16 };

static t5gist_status share_bar(const char *label, const tg_condition_result *c, tg_part part, const char *colour, double y, tg_buffer *out,
                               t5gist_error *err) {
  char text[64];
  const double of_limit = c->part_predicted_ms[part] / c->part_ms[part], scale = (TG_SVG_WIDTH - LEFT - RIGHT - 60) / 1.1;
  TG_TRY(tg_svg_text(out, LEFT - 6, y + BAR - 3, "end", label, err));
  TG_TRY(tg_svg_box(out, LEFT, y, fmin(of_limit, 1.1) * scale, BAR, colour, err));
  TG_TRY(tg_svg_line(out, LEFT + scale, y - 3, LEFT + scale, y + BAR + 4, "#000", 1.6, err));
  snprintf(text, sizeof text, "%.0f %%, %.2f ms", 100 * of_limit, c->part_ms[part]);
  return tg_svg_text(out, LEFT + fmin(of_limit, 1.1) * scale + 5, y + BAR - 3, "start", text, err);
}

t5gist_status tg_picture_limits(const tg_bench_config *config, const tg_bench_result *result, tg_buffer *out, t5gist_error *err) {
  char title[640], below[600], escaped[600], label[128];
  const sweep s = swept(config);
  double y = TOP;
  tg_svg_escape(config->title, escaped, sizeof escaped);
  snprintf(title, sizeof title, "%s: stages as shares of the limit", escaped);
  subtitle(result, below, sizeof below);
  size_t rows = 0;
  for (size_t f = 0; f < result->n_formats; f++)
    rows += (result->formats[f].n_points < MAX_POINTS ? result->formats[f].n_points : MAX_POINTS) * N_SHARES + 2;
  TG_TRY(tg_svg_begin(out, TOP + (double)rows * ROW, title, below, err));
  for (size_t f = 0; f < result->n_formats; f++) {
    snprintf(label, sizeof label, "%s: reading %.1f GB/s, products at oneDNN's rate; black line: the limit", result->formats[f].dtype,
             result->limits.bandwidth * 1e-9);
    TG_TRY(tg_svg_text(out, 10, y, "start", label, err));
    y += ROW - BAR;
    for (int i = 0; i < N_SHARES; i++)
      for (size_t p = 0; p < result->formats[f].n_points && p < MAX_POINTS; p++) {
        const tg_point_result *point = &result->formats[f].points[p];
        const tg_condition_result *c = &point->conditions[shares[i].condition];
        if (!c->measured || !(c->part_ms[shares[i].part] > 0)) continue;
        if (result->formats[f].n_points > 1) snprintf(label, sizeof label, "%s, %s %d", shares[i].what, s.name, value_of(&s, config, &point->point));
        else snprintf(label, sizeof label, "%s", shares[i].what);
        TG_TRY(share_bar(label, c, shares[i].part, tg_svg_colours[i], y, out, err));
        y += ROW;
      }
    y += ROW;
  }
  return tg_svg_end(out, err);
}
