/* Pictures of a mask: characters for a terminal, SVG for documents. Rows are queries, columns are keys; below the encoder's square stands one row
 * for the decoder. Lines are drawn where what is visible changes. */
#include "masking/masking.h"

enum { LABEL = 16 }; /* characters shown of a label */

static bool starts_character(char c) {
  return ((unsigned char)c & 0xC0) != 0x80;
}

/* Characters of label that are shown, at most LABEL; *bytes: theirs; *cut: more follow. */
static int label_length(const char *label, int *bytes, bool *cut) {
  int n = 0, i = 0;
  for (; label[i]; i++) {
    if (!starts_character(label[i])) continue;
    if (n == LABEL) break;
    n++;
  }
  *bytes = i;
  *cut = label[i] != 0;
  return n + *cut;
}

static int longest_label(const tg_mask *mask, const char *const *labels) {
  int longest = 0, bytes;
  bool cut;
  for (int i = 0; i < mask->n; i++) {
    const int n = label_length(labels[i], &bytes, &cut);
    if (n > longest) longest = n;
  }
  return longest;
}

/* Whether what queries see, or who is seen, changes between tokens i-1 and i. */
static bool boundary(const tg_mask *mask, int i) {
  if (i <= 0 || i >= mask->n) return false;
  if (i == mask->cross.begin || i == mask->cross.end) return true;
  for (int s = 0; s < mask->n_segments; s++) {
    const tg_segment *g = &mask->encoder[s];
    if (i == g->q_begin || i == g->k_begin || i == g->k_end) return true;
  }
  return false;
}

/* The keys that row sees; row n is the decoder. */
static tg_span visible(const tg_mask *mask, int row) {
  if (row == mask->n) return mask->cross;
  for (int s = 0; s < mask->n_segments; s++) {
    const tg_segment *g = &mask->encoder[s];
    if (row >= g->q_begin && row < g->q_end) return (tg_span){g->k_begin, g->k_end};
  }
  return (tg_span){0, 0};
}

/* ------------------------------------------------------------------------------------------------------------------------ characters */

enum { WIDE_UP_TO = 40 }; /* tokens; a cell is two characters wide, and nearly square, up to here */

static void repeat(const char *text, int times, FILE *out) {
  for (int i = 0; i < times; i++) fputs(text, out);
}

/* One line of digits above the columns: units, or (place 10, 100) the higher digits of every tenth. */
static void text_digits(const tg_mask *mask, int indent, int cell, int place, FILE *out) {
  int blanks = indent; /* written when a digit follows, so that no line ends in them */
  for (int j = 0; j < mask->n; j++) {
    if (boundary(mask, j)) blanks++;
    if (place == 1 || (j % 10 == 0 && j >= place)) {
      fprintf(out, "%*s%d", blanks, "", j / place % 10);
      blanks = -1;
    }
    blanks += cell;
  }
  fputc('\n', out);
}

static void text_rule(const tg_mask *mask, int indent, int cell, FILE *out) {
  repeat(" ", indent, out);
  for (int j = 0; j < mask->n; j++) {
    if (boundary(mask, j)) fputs("┼", out);
    repeat("─", cell, out);
  }
  fputc('\n', out);
}

static void text_cells(const tg_mask *mask, int row, int cell, FILE *out) {
  const tg_span seen = visible(mask, row);
  for (int j = 0; j < mask->n; j++) {
    if (boundary(mask, j)) fputs("│", out);
    if (j >= seen.begin && j < seen.end)
      repeat("█", cell, out);
    else
      fputs(cell == 2 && j + 1 < mask->n ? "· " : "·", out);
  }
  fputc('\n', out);
}

void tg_mask_draw_text(const tg_mask *mask, const char *const *labels, FILE *out) {
  const int cell = mask->n <= WIDE_UP_TO ? 2 : 1, longest = longest_label(mask, labels), width = longest > 7 ? longest : 7;
  const int indent = width + 7; /* "1234 label  " */
  fputs("A row sees the columns marked █, not those marked ·\n\n", out);
  if (mask->n > 100) text_digits(mask, indent, cell, 100, out);
  if (mask->n > 10) text_digits(mask, indent, cell, 10, out);
  text_digits(mask, indent, cell, 1, out);
  for (int i = 0; i < mask->n; i++) {
    int bytes;
    bool cut;
    const int shown = label_length(labels[i], &bytes, &cut);
    if (boundary(mask, i)) text_rule(mask, indent, cell, out);
    fprintf(out, "%4d %.*s%s%*s", i, bytes, labels[i], cut ? "…" : "", width - shown + 2, "");
    text_cells(mask, i, cell, out);
  }
  fprintf(out, "\n     decoder%*s", width - 7 + 2, "");
  text_cells(mask, mask->n, cell, out);
}

/* ------------------------------------------------------------------------------------------------------------------------------ SVG */

typedef struct tg_picture {
  double cell, font, left, top, gap; /* gap: between the square and the decoder's row */
  double width, height;
} tg_picture;

static double at_least(double a, double b) {
  return a > b ? a : b;
}

static tg_picture layout(const tg_mask *mask, const char *const *labels) {
  tg_picture p = {.cell = mask->n <= 40 ? 18 : at_least(720.0 / mask->n, 3)};
  p.font = p.cell * 0.72 < 12 ? p.cell * 0.72 : 12;
  const int longest = longest_label(mask, labels);
  const double text = p.font * 0.62 * (longest > 7 ? longest : 7);
  p.gap = p.cell * 0.8;
  p.left = 20 + text + 8;
  p.top = 76 + text * 0.87 + 8;
  p.width = at_least(p.left + mask->n * p.cell + text * 0.5 + 24, 470);
  p.height = p.top + (mask->n + 1) * p.cell + p.gap + 24;
  return p;
}

static void svg_label(const char *label, FILE *out) {
  int bytes;
  bool cut;
  label_length(label, &bytes, &cut);
  for (int i = 0; i < bytes; i++) {
    switch (label[i]) {
      case '&': fputs("&amp;", out); break;
      case '<': fputs("&lt;", out); break;
      case '>': fputs("&gt;", out); break;
      case '"': fputs("&quot;", out); break;
      default: fputc((unsigned char)label[i] < ' ' ? ' ' : label[i], out);
    }
  }
  if (cut) fputs("…", out);
}

/* Coordinates are written without the locale: tenths as integers. */
static void svg_number(double value, FILE *out) {
  const long tenths = (long)(value * 10 + 0.5);
  fprintf(out, "%ld.%ld", tenths / 10, tenths % 10);
}

static void svg_attribute(const char *name, double value, FILE *out) {
  fprintf(out, " %s=\"", name);
  svg_number(value, out);
  fputc('"', out);
}

static void svg_rect(const char *class, double x, double y, double width, double height, FILE *out) {
  fprintf(out, "<rect class=\"%s\"", class);
  svg_attribute("x", x, out);
  svg_attribute("y", y, out);
  svg_attribute("width", width, out);
  svg_attribute("height", height, out);
  fputs("/>\n", out);
}

static void svg_line(const char *class, double x1, double y1, double x2, double y2, FILE *out) {
  fprintf(out, "<path class=\"%s\" d=\"M", class);
  svg_number(x1, out);
  fputc(' ', out);
  svg_number(y1, out);
  fputc('L', out);
  svg_number(x2, out);
  fputc(' ', out);
  svg_number(y2, out);
  fputs("\"/>\n", out);
}

static void svg_text_open(const char *class, double x, double y, FILE *out) {
  fprintf(out, "<text class=\"%s\"", class);
  svg_attribute("x", x, out);
  svg_attribute("y", y, out);
}

static double row_top(const tg_picture *p, const tg_mask *mask, int row) {
  return p->top + row * p->cell + (row == mask->n ? p->gap : 0);
}

static void svg_head(const tg_picture *p, FILE *out) {
  fputs("<svg xmlns=\"http://www.w3.org/2000/svg\"", out);
  svg_attribute("width", p->width, out);
  svg_attribute("height", p->height, out);
  fputs(" viewBox=\"0 0 ", out);
  svg_number(p->width, out);
  fputc(' ', out);
  svg_number(p->height, out);
  fputs(
      "\" role=\"img\">\n<title>Attention mask: a row sees the filled columns</title>\n<style>\n"
      ".page { fill: #ffffff }\n.hidden { fill: #eceef1 }\n.seen { fill: #3b6ea5 }\n.decoder { fill: #c2703d }\n"
      ".grid { stroke: #ffffff; stroke-width: 1; fill: none }\n.edge { stroke: #24292f; stroke-width: 1.4; fill: none }\n"
      "text { fill: #24292f; font-family: 'DejaVu Sans Mono', Menlo, Consolas, monospace }\n.small { fill: #59636e }\n"
      ".title { font-family: system-ui, 'DejaVu Sans', sans-serif; font-weight: 600 }\n.legend { font-family: system-ui, 'DejaVu Sans', sans-serif "
      "}\n"
      "@media (prefers-color-scheme: dark) {\n.page { fill: #0d1117 }\n.hidden { fill: #21262d }\n.seen { fill: #6ea3d8 }\n.decoder { fill: #e0925f "
      "}\n"
      ".grid { stroke: #0d1117 }\n.edge { stroke: #d1d7e0 }\ntext { fill: #d1d7e0 }\n.small { fill: #9198a1 }\n}\n</style>\n",
      out);
}

static void svg_legend_entry(const char *class, double x, const char *text, FILE *out) {
  svg_rect(class, x, 44, 12, 12, out);
  svg_text_open("legend small", x + 18, 54, out);
  fprintf(out, " font-size=\"12\">%s</text>\n", text);
}

static void svg_legend(FILE *out) {
  svg_text_open("title", 20, 28, out);
  fputs(" font-size=\"15\">Who sees whom: a row sees the filled columns</text>\n", out);
  svg_legend_entry("seen", 20, "encoder sees", out);
  svg_legend_entry("decoder", 140, "decoder sees", out);
  svg_legend_entry("hidden", 260, "masked", out);
}

static void svg_labels(const tg_picture *p, const tg_mask *mask, const char *const *labels, FILE *out) {
  const double middle = p->cell / 2 + p->font * 0.35;
  for (int i = 0; i <= mask->n; i++) {
    svg_text_open(i < mask->n ? "row" : "row small", p->left - 6, row_top(p, mask, i) + middle, out);
    svg_attribute("font-size", p->font, out);
    fputs(" text-anchor=\"end\">", out);
    svg_label(i < mask->n ? labels[i] : "decoder", out);
    fputs("</text>\n", out);
  }
  for (int j = 0; j < mask->n; j++) {
    fputs("<text class=\"column\"", out);
    svg_attribute("font-size", p->font, out);
    fputs(" transform=\"translate(", out);
    svg_number(p->left + j * p->cell + middle, out);
    fputc(' ', out);
    svg_number(p->top - 6, out);
    fputs(") rotate(-60)\">", out);
    svg_label(labels[j], out);
    fputs("</text>\n", out);
  }
}

/* One rectangle per row and state, cut into cells by lines in the colour of the page: n rectangles instead of n * n. */
static void svg_cells(const tg_picture *p, const tg_mask *mask, FILE *out) {
  const double right = p->left + mask->n * p->cell, bottom = row_top(p, mask, mask->n) + p->cell;
  for (int i = 0; i <= mask->n; i++) {
    const tg_span seen = visible(mask, i);
    const double y = row_top(p, mask, i);
    svg_rect("hidden", p->left, y, mask->n * p->cell, p->cell, out);
    if (seen.end > seen.begin)
      svg_rect(i < mask->n ? "seen" : "decoder", p->left + seen.begin * p->cell, y, (seen.end - seen.begin) * p->cell, p->cell, out);
  }
  for (int i = 0; i <= mask->n && p->cell >= 6; i++) {
    svg_line("grid", p->left, p->top + i * p->cell, right, p->top + i * p->cell, out);
    svg_line("grid", p->left + i * p->cell, p->top, p->left + i * p->cell, bottom, out);
  }
  for (int i = 1; i < mask->n; i++) {
    if (!boundary(mask, i)) continue;
    svg_line("edge", p->left, p->top + i * p->cell, right, p->top + i * p->cell, out);
    svg_line("edge", p->left + i * p->cell, p->top, p->left + i * p->cell, bottom, out);
  }
}

void tg_mask_draw_svg(const tg_mask *mask, const char *const *labels, FILE *out) {
  const tg_picture p = layout(mask, labels);
  svg_head(&p, out);
  svg_rect("page", 0, 0, p.width, p.height, out);
  svg_legend(out);
  svg_cells(&p, mask, out);
  svg_labels(&p, mask, labels, out);
  fputs("</svg>\n", out);
}
