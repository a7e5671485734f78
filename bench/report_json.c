/* The run as JSON: everything that was measured. */
#include <math.h>

#include "bench/bench.h"
#include "report/report.h"

/* Milliseconds to the microsecond: enough, and short. */
static json_t *ms(double value) {
  return tg_json_number(round(value * 1e3) / 1e3);
}

static json_t *numbers(const double *values, size_t n) {
  json_t *list = json_array();
  for (size_t i = 0; i < n; i++) tg_json_add(&list, ms(values[i]));
  return list;
}

static json_t *condition_json(const tg_condition_result *c) {
  json_t *o = json_object(), *parts = json_object();
  tg_json_put(&o, "ms", tg_json_interval(&c->ms));
  tg_json_put(&o, "speed_against_full", tg_json_interval(&c->ratio));
  tg_json_put(&o, "predicted_ms", ms(c->predicted_ms));
  tg_json_put(&o, "predicted_in_place_ms", ms(c->in_place_ms));
  tg_json_put(&o, "saved_against_full", tg_json_number(c->saved));
  tg_json_put(&o, "predicted_saved_against_full", tg_json_number(c->predicted_saved));
  tg_json_put(&o, "predicted_in_place_saved_against_full", tg_json_number(c->in_place_saved));
  tg_json_put(&o, "task_tokens", tg_json_number(c->series.n_task));
  tg_json_put(&o, "gist_tokens", tg_json_number(c->series.n_gist));
  tg_json_put(&o, "input_tokens", tg_json_number(c->series.n_input));
  tg_json_put(&o, "flops", tg_json_number(round(c->flops)));
  tg_json_put(&o, "weight_bytes_read", tg_json_number(round(c->weight_bytes)));
  tg_json_put(&o, "peak_bytes", tg_json_number(c->series.peak_bytes));
  for (int p = 0; p < TG_N_PARTS; p++)
    tg_json_put(&parts, tg_part_names[p], json_pack("{s:o,s:o}", "ms", ms(c->part_ms[p]), "predicted_ms", ms(c->part_predicted_ms[p])));
  tg_json_put(&o, "stages", parts);
  tg_json_put(&o, "samples_ms", numbers(c->series.total, c->series.n));
  return o;
}

static json_t *point_json(const tg_point_result *p) {
  json_t *o = json_object(), *conditions = json_object();
  tg_json_put(&o, "batch", json_integer(p->point.batch));
  tg_json_put(&o, "task_tokens", json_integer(p->point.task_tokens));
  tg_json_put(&o, "gists", json_integer(p->point.gists));
  tg_json_put(&o, "encode_ms", tg_json_interval(&p->encode_ms));
  tg_json_put(&o, "break_even_requests", tg_json_number(p->break_even));
  tg_json_put(&o, "bytes_kept_per_task",
              json_pack("{s:o,s:o,s:o,s:o,s:o}", "text", tg_json_number(round(p->kept.text)), "activations_f32",
                        tg_json_number(round(p->kept.activations)), "gist_file_f32", tg_json_number(round(p->kept.gist_f32)), "gist_file_bf16",
                        tg_json_number(round(p->kept.gist_bf16)), "gist_file_f32_cross", tg_json_number(round(p->kept.gist_cross))));
  for (int c = 0; c < TG_BENCH_N_CONDITIONS; c++)
    if (p->conditions[c].measured) tg_json_put(&conditions, tg_bench_condition_names[c], condition_json(&p->conditions[c]));
  tg_json_put(&o, "conditions", conditions);
  return o;
}

static json_t *quality_json(const tg_quality *q) {
  return json_pack("{s:o,s:o,s:o,s:o,s:o,s:o}", "exact_match", tg_json_interval(&q->exact), "rouge1", tg_json_interval(&q->rouge1), "rouge2",
                   tg_json_interval(&q->rouge2), "rougeL", tg_json_interval(&q->rougeL), "same_as_full", tg_json_interval(&q->same_as_full),
                   "rougeL_to_full", tg_json_interval(&q->rougeL_to_full));
}

static json_t *format_json(const tg_format_result *f) {
  json_t *o = json_object(), *points = json_array();
  tg_json_put(&o, "dtype", json_string(f->dtype));
  tg_json_put(&o, "parameters", json_integer((json_int_t)f->n_parameters));
  tg_json_put(&o, "weight_bytes", json_integer((json_int_t)f->weight_bytes));
  tg_json_put(&o, "weights_read_bytes_per_second", tg_json_number(round(f->weights_read)));
  tg_json_put(&o, "load_ms", ms(f->load_ms));
  tg_json_put(&o, "shape",
              json_pack("{s:i,s:i,s:i,s:i,s:i,s:i}", "d_model", f->d_model, "d_ff", f->d_ff, "n_heads", f->n_heads, "d_kv", f->d_kv, "n_layers",
                        f->n_layers, "n_decoder_layers", f->n_decoder_layers));
  for (size_t i = 0; i < f->n_points; i++) tg_json_add(&points, point_json(&f->points[i]));
  tg_json_put(&o, "points", points);
  if (!f->has_quality) return o;
  json_t *quality = json_object();
  for (int c = 0; c < TG_BENCH_N_CONDITIONS; c++)
    if (f->quality[c].measured) tg_json_put(&quality, tg_bench_condition_names[c], quality_json(&f->quality[c]));
  tg_json_put(&o, "quality_percent", quality);
  return o;
}

static json_t *limits_json(const tg_limits *l) {
  json_t *patterns = json_object(), *rates = json_object();
  for (int i = 0; i < l->n_patterns; i++) tg_json_put(&patterns, l->patterns[i].name, tg_json_number(round(l->patterns[i].bytes_per_second)));
  for (int r = 0; r < TG_N_RATES; r++) {
    json_t *rows = json_array();
    for (int i = 0; i < TG_N_ROWS; i++)
      tg_json_add(&rows, json_pack("{s:i,s:o,s:o}", "rows", tg_rate_rows[i], "cached", tg_json_number(round(l->cached[r][i])), "streamed",
                                   tg_json_number(round(l->streamed[r][i]))));
    tg_json_put(&rates, tg_rate_names[r], rows);
  }
  return json_pack("{s:o,s:o,s:o}", "read_bytes_per_second", tg_json_number(round(l->bandwidth)), "read_patterns", patterns,
                   "onednn_operations_per_second", rates);
}

json_t *tg_bench_json(const tg_bench_config *config, const tg_bench_result *r) {
  json_t *o = json_object(), *formats = json_array();
  tg_json_put(&o, "name", tg_json_text(config->name));
  tg_json_put(&o, "title", json_string(config->title));
  tg_json_put(&o, "version", json_string(t5gist_version()));
  tg_json_put(&o, "date", json_string(r->date));
  tg_json_put(&o, "command", tg_json_text(r->command));
  tg_json_put(&o, "machine",
              json_pack("{s:s,s:s,s:s,s:i}", "cpu", r->machine.cpu, "isa", r->machine.isa, "onednn", r->machine.onednn, "threads", r->threads));
  tg_json_put(&o, "model", tg_json_text(r->model));
  tg_json_put(&o, "new_tokens", json_integer(config->new_tokens));
  tg_json_put(&o, "prompts", json_integer(config->n_prompts));
  tg_json_put(&o, "rounds", json_integer(config->rounds));
  tg_json_put(&o, "seconds", ms(r->seconds));
  tg_json_put(&o, "limits", limits_json(&r->limits));
  for (size_t i = 0; i < r->n_formats; i++) tg_json_add(&formats, format_json(&r->formats[i]));
  tg_json_put(&o, "formats", formats);
  return o;
}
