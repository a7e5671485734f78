/* Primitives of pictures. */
#include <string.h>

#include "report/report.h"
#include "runtime/error.h"
#include "runtime/text.h"

const char *const tg_svg_colours[TG_SVG_COLOURS] = {"#4878a8", "#9db7d2", "#d9822b", "#2e7d5b", "#8cc5a8", "#b0413e", "#7a5195", "#c9c9c9"};

t5gist_status tg_svg_begin(tg_buffer *out, double height, const char *title, const char *subtitle, t5gist_error *err) {
  return tg_buffer_printf(out, err,
                          "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %.0f\" font-family=\"sans-serif\" font-size=\"12\">\n"
                          "<rect width=\"%d\" height=\"%.0f\" fill=\"#fff\"/>\n<text x=\"10\" y=\"20\" font-size=\"15\">%s</text>\n"
                          "<text x=\"10\" y=\"37\" fill=\"#666\">%s</text>\n",
                          TG_SVG_WIDTH, height, TG_SVG_WIDTH, height, title, subtitle);
}

t5gist_status tg_svg_end(tg_buffer *out, t5gist_error *err) {
  return tg_buffer_printf(out, err, "</svg>\n");
}

t5gist_status tg_svg_text(tg_buffer *out, double x, double y, const char *anchor, const char *text, t5gist_error *err) {
  return tg_buffer_printf(out, err, "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\">%s</text>\n", x, y, anchor, text);
}

t5gist_status tg_svg_box(tg_buffer *out, double x, double y, double width, double height, const char *colour, t5gist_error *err) {
  if (!(width > 0)) return T5GIST_OK;
  return tg_buffer_printf(out, err, "<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" fill=\"%s\"/>\n", x, y, width, height, colour);
}

t5gist_status tg_svg_line(tg_buffer *out, double x1, double y1, double x2, double y2, const char *colour, double width, t5gist_error *err) {
  return tg_buffer_printf(out, err, "<line x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\" stroke=\"%s\" stroke-width=\"%.1f\"/>\n", x1, y1, x2, y2,
                          colour, width);
}

t5gist_status tg_svg_legend(tg_buffer *out, double x, double y, const char *const *names, int n, t5gist_error *err) {
  for (int i = 0; i < n; i++) {
    TG_TRY(tg_svg_box(out, x, y - 9, 10, 10, tg_svg_colours[i], err));
    TG_TRY(tg_svg_text(out, x + 14, y, "start", names[i], err));
    x += 26 + 7 * (double)strlen(names[i]);
  }
  return T5GIST_OK;
}

void tg_svg_escape(const char *text, char *out, size_t size) {
  size_t n = 0;
  for (; *text && n + 6 < size; text++) {
    if (*text == '&' || *text == '<')
      n += (size_t)snprintf(out + n, size - n, *text == '&' ? "&amp;" : "&lt;");
    else
      out[n++] = (unsigned char)*text < ' ' ? ' ' : *text;
  }
  out[tg_utf8_whole(out, n)] = 0;
}
