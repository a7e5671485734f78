/* The run as a Markdown report for people, and all files of a run. */
#include "bench/bench.h"
#include "report/report.h"
#include "runtime/error.h"
#include "runtime/file.h"

static void put_machine(tg_report *r, const tg_bench_config *config, const tg_bench_result *b) {
  TG_PUT(r, "# %s\n\n%s; %s, %s, oneDNN %s, %d threads; t5gist %s, %s.\n\n    %s\n\n", config->title, b->date, b->machine.cpu, b->machine.isa,
         b->machine.onednn, b->threads, t5gist_version(), b->model, b->command);
  TG_PUT(r, "%d new token%s per request", config->new_tokens, config->new_tokens == 1 ? " (one encoding and one decoding step)" : "s");
  TG_PUT(r,
         ", conditions interleaved on the same prompts. Times are medians in milliseconds of wall time with 95 %% intervals of paired bootstraps. "
         "*Limit* is what the operations counted by the engine would take at the reading speed and at oneDNN's own rates (weights from memory) "
         "below, the longer of the two per stage, summed; *in place*, with the reading speed of the model's own weights where they lie.\n\n");
}

/* Whether products of this number format were measured: only those of the formats asked for are. */
static bool has_rates(const tg_limits *l, int f) {
  for (int i = 0; i < TG_N_ROWS; i++)
    if (l->cached[f][i] > 0) return true;
  return false;
}

static void put_limits(tg_report *r, const tg_limits *l) {
  TG_PUT(r, "## Limits of the machine, measured in this run\n\nReading memory: **%.1f GB/s** (", l->bandwidth * 1e-9);
  for (int i = 0; i < l->n_patterns; i++) TG_PUT(r, "%s%s %.1f", i ? "; " : "", l->patterns[i].name, l->patterns[i].bytes_per_second * 1e-9);
  TG_PUT(r, "). oneDNN's products of this model's sizes, in billions of operations per second, weights in cache / from memory:\n\n| rows |");
  for (int i = 0; i < TG_N_ROWS; i++) TG_PUT(r, " %d |", tg_rate_rows[i]);
  TG_PUT(r, "\n|---|---|---|---|---|\n");
  for (int f = 0; f < TG_N_RATES; f++) {
    if (!has_rates(l, f)) continue;
    TG_PUT(r, "| %s |", tg_rate_names[f]);
    for (int i = 0; i < TG_N_ROWS; i++) {
      if (l->cached[f][i] > 0) TG_PUT(r, " %.0f / %.0f |", l->cached[f][i] * 1e-9, l->streamed[f][i] * 1e-9);
      else TG_PUT(r, " – |");
    }
    TG_PUT(r, "\n");
  }
  TG_PUT(r, "\n");
}

static void put_conditions(tg_report *r, const tg_point_result *p) {
  TG_PUT(r,
         "| condition | tokens: task, gist, input | ms | 95 %% | full / this | saved | GFLOP | limit, ms | measured / limit | saved by the limit | "
         "measured / limit in place | saved by it | peak MB |\n"
         "|---|---|---|---|---|---|---|---|---|---|---|---|---|\n");
  for (int i = 0; i < TG_BENCH_N_CONDITIONS; i++) {
    const tg_condition_result *c = &p->conditions[i];
    if (!c->measured) continue;
    TG_PUT(r, "| %s | %.1f, %.0f, %.1f | %.2f | %.2f–%.2f | ", tg_bench_condition_names[i], c->series.n_task, c->series.n_gist, c->series.n_input,
           c->ms.estimate, c->ms.low, c->ms.high);
    if (p->conditions[TG_BENCH_FULL].measured) {
      TG_PUT(r, "%.3f (%.3f–%.3f) | ", c->ratio.estimate, c->ratio.low, c->ratio.high);
      tg_put_number(r, "%.1f %%", 100 * c->saved);
    } else {
      TG_PUT(r, "– | –");
    }
    TG_PUT(r, " | %.2f | %.2f | %.2f | ", c->flops * 1e-9, c->predicted_ms, c->ms.estimate / c->predicted_ms);
    tg_put_number(r, "%.1f %%", 100 * c->predicted_saved);
    TG_PUT(r, " | %.2f | ", c->ms.estimate / c->in_place_ms);
    tg_put_number(r, "%.1f %%", 100 * c->in_place_saved);
    TG_PUT(r, " | %.0f |\n", c->series.peak_bytes / 1048576);
  }
  TG_PUT(r, "\n");
}

/* Stages that take time in any condition, with their share of the limit where they have one. */
static void put_stages(tg_report *r, const tg_point_result *p) {
  TG_PUT(r, "Time by stage, ms (share of the limit):\n\n| condition |");
  for (int part = 0; part < TG_N_PARTS; part++) TG_PUT(r, " %s |", tg_part_names[part]);
  TG_PUT(r, "\n|---|---|---|---|---|---|---|---|---|\n");
  for (int i = 0; i < TG_BENCH_N_CONDITIONS; i++) {
    const tg_condition_result *c = &p->conditions[i];
    if (!c->measured) continue;
    TG_PUT(r, "| %s |", tg_bench_condition_names[i]);
    for (int part = 0; part < TG_N_PARTS; part++) {
      TG_PUT(r, " %.2f", c->part_ms[part]);
      if (c->part_predicted_ms[part] > 0 && c->part_ms[part] > 0) TG_PUT(r, " (%.0f %%)", 100 * c->part_predicted_ms[part] / c->part_ms[part]);
      TG_PUT(r, " |");
    }
    TG_PUT(r, "\n");
  }
  TG_PUT(r, "\n");
}

static void put_kept(tg_report *r, const tg_point_result *p) {
  TG_PUT(r, "Compressing a task takes %.2f ms (%.2f–%.2f); a gist has paid for itself after ", p->encode_ms.estimate, p->encode_ms.low,
         p->encode_ms.high);
  tg_put_number(r, "%.0f", p->break_even);
  TG_PUT(r,
         " requests. Kept per task, bytes: its text %.0f; its gist file %.0f (bf16 %.0f, with the decoder's K and V %.0f); its activations would be "
         "%.0f.\n\n",
         p->kept.text, p->kept.gist_f32, p->kept.gist_bf16, p->kept.gist_cross, p->kept.activations);
}

static void put_quality(tg_report *r, const tg_format_result *f) {
  TG_PUT(r, "Quality, percent, means with 95 %% intervals; the last two compare with the full prompt's answers:\n\n"
         "| condition | exact match | ROUGE-1 | ROUGE-2 | ROUGE-L | same answer | ROUGE-L to it |\n|---|---|---|---|---|---|---|\n");
  for (int i = 0; i < TG_BENCH_N_CONDITIONS; i++) {
    const tg_quality *q = &f->quality[i];
    if (!q->measured) continue;
    const tg_interval *const values[] = {&q->exact, &q->rouge1, &q->rouge2, &q->rougeL, &q->same_as_full, &q->rougeL_to_full};
    TG_PUT(r, "| %s |", tg_bench_condition_names[i]);
    for (size_t v = 0; v < sizeof values / sizeof *values; v++)
      TG_PUT(r, " %.1f (%.1f–%.1f) |", values[v]->estimate, values[v]->low, values[v]->high);
    TG_PUT(r, "\n");
  }
  TG_PUT(r, "\n");
}

/* The points of a format in one table: a line each. */
static void put_overview(tg_report *r, const tg_format_result *f) {
  if (f->n_points < 2) return;
  TG_PUT(r, "| batch | task tokens | k |");
  for (int c = 0; c < TG_BENCH_N_CONDITIONS; c++)
    if (f->points[0].conditions[c].measured) TG_PUT(r, " %s |", tg_bench_condition_names[c]);
  TG_PUT(r, " full / gist_memory |\n|---|---|---|");
  for (int c = 0; c < TG_BENCH_N_CONDITIONS; c++)
    if (f->points[0].conditions[c].measured) TG_PUT(r, "---|");
  TG_PUT(r, "---|\n");
  for (size_t i = 0; i < f->n_points; i++) {
    const tg_point_result *p = &f->points[i];
    const tg_condition_result *full = &p->conditions[TG_BENCH_FULL], *gist = &p->conditions[TG_BENCH_GIST_MEMORY];
    TG_PUT(r, "| %d | %.0f | %d |", p->point.batch, full->measured ? full->series.n_task : p->point.task_tokens, p->point.gists);
    for (int c = 0; c < TG_BENCH_N_CONDITIONS; c++)
      if (p->conditions[c].measured) TG_PUT(r, " %.2f |", p->conditions[c].ms.estimate);
    if (full->measured && gist->measured) TG_PUT(r, " %.2f |\n", gist->ratio.estimate);
    else TG_PUT(r, " – |\n");
  }
  TG_PUT(r, "\n");
}

static void put_format(tg_report *r, const tg_format_result *f) {
  TG_PUT(r, "## %s\n\n%.1f million parameters, %.0f MB of weights in memory, opened in %.2f s", f->dtype, (double)f->n_parameters * 1e-6,
         (double)f->weight_bytes / 1048576, f->load_ms * 1e-3);
  if (f->weights_read > 0) TG_PUT(r, ". Reading them where they lie: **%.1f GB/s**", f->weights_read * 1e-9);
  TG_PUT(r, ".\n\n");
  put_overview(r, f);
  for (size_t i = 0; i < f->n_points; i++) {
    const tg_point_result *p = &f->points[i];
    TG_PUT(r, "### batch %d, ", p->point.batch);
    if (p->point.task_tokens) TG_PUT(r, "tasks of %d tokens", p->point.task_tokens);
    else TG_PUT(r, "tasks as they are");
    TG_PUT(r, ", %d gist token%s\n\n", p->point.gists, p->point.gists == 1 ? "" : "s");
    put_conditions(r, p);
    put_stages(r, p);
    put_kept(r, p);
  }
  if (f->has_quality) put_quality(r, f);
}

t5gist_status tg_bench_markdown(const tg_bench_config *config, const tg_bench_result *result, bool pictures, tg_buffer *out, t5gist_error *err) {
  tg_report r = {.out = out, .err = err};
  put_machine(&r, config, result);
  if (pictures) TG_PUT(&r, "![Time by stage](%s-stages.svg) ![Stages as shares of the limit](%s-limits.svg)\n\n", config->name, config->name);
  if (pictures && result->n_formats && result->formats[0].n_points > 1) TG_PUT(&r, "![Time along the swept value](%s-sweep.svg)\n\n", config->name);
  put_limits(&r, &result->limits);
  for (size_t i = 0; i < result->n_formats; i++) put_format(&r, &result->formats[i]);
  TG_PUT(&r, "The run took %.0f s.\n", result->seconds);
  return r.status;
}

/* --------------------------------------------------------------------------------------------------------------------------------- files */

typedef t5gist_status picture(const tg_bench_config *config, const tg_bench_result *result, tg_buffer *out, t5gist_error *err);

t5gist_status tg_bench_write(const tg_bench_config *config, const tg_bench_result *result, const char *dir, t5gist_error *err) {
  static const struct {
    picture *draw;
    const char *suffix;
  } pictures[] = {{tg_picture_stages, "-stages.svg"}, {tg_picture_sweep, "-sweep.svg"}, {tg_picture_limits, "-limits.svg"}};
  t5gist_status status = T5GIST_OK;
  tg_buffer text = {0};
  TG_GOTO(tg_make_dirs(dir, err));
  TG_GOTO(tg_bench_markdown(config, result, true, &text, err));
  TG_GOTO(tg_report_write(dir, config->name, ".md", text.data, text.size, err));
  TG_GOTO(tg_report_write_json(dir, config->name, ".json", tg_bench_json(config, result), err));
  for (size_t i = 0; status == T5GIST_OK && i < sizeof pictures / sizeof *pictures; i++) {
    tg_buffer svg = {0};
    status = pictures[i].draw(config, result, &svg, err);
    if (status == T5GIST_OK) status = tg_report_write(dir, config->name, pictures[i].suffix, svg.data, svg.size, err);
    tg_buffer_free(&svg);
  }
done:
  tg_buffer_free(&text);
  return status;
}
