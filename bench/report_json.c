/* The run as JSON: everything that was measured. */
#include <math.h>

#include "bench/bench.h"
#include "report/report.h"

/* Milliseconds to the microsecond: enough, and short. */
static json_t *ms(double value) {
  return tg_number_json(round(value * 1e3) / 1e3);
}

static json_t *numbers(const double *values, size_t n) {
  json_t *list = json_array();
  for (size_t i = 0; i < n; i++) json_array_append_new(list, ms(values[i]));
  return list;
}

static json_t *condition_json(const tg_condition_result *c) {
  json_t *o = json_object(), *parts = json_object();
  json_object_set_new(o, "ms", tg_interval_json(&c->ms));
  json_object_set_new(o, "speed_against_full", tg_interval_json(&c->ratio));
  json_object_set_new(o, "predicted_ms", ms(c->predicted_ms));
  json_object_set_new(o, "saved_against_full", tg_number_json(c->saved));
  json_object_set_new(o, "predicted_saved_against_full", tg_number_json(c->predicted_saved));
  json_object_set_new(o, "task_tokens", tg_number_json(c->series.n_task));
  json_object_set_new(o, "gist_tokens", tg_number_json(c->series.n_gist));
  json_object_set_new(o, "input_tokens", tg_number_json(c->series.n_input));
  json_object_set_new(o, "flops", tg_number_json(round(c->flops)));
  json_object_set_new(o, "weight_bytes_read", tg_number_json(round(c->weight_bytes)));
  json_object_set_new(o, "peak_bytes", tg_number_json(c->series.peak_bytes));
  for (int p = 0; p < TG_N_PARTS; p++)
    json_object_set_new(parts, tg_part_names[p], json_pack("{s:o,s:o}", "ms", ms(c->part_ms[p]), "predicted_ms", ms(c->part_predicted_ms[p])));
  json_object_set_new(o, "stages", parts);
  json_object_set_new(o, "samples_ms", numbers(c->series.total, c->series.n));
  return o;
}

static json_t *point_json(const tg_point_result *p) {
  json_t *o = json_object(), *conditions = json_object();
  json_object_set_new(o, "batch", json_integer(p->point.batch));
  json_object_set_new(o, "task_tokens", json_integer(p->point.task_tokens));
  json_object_set_new(o, "gists", json_integer(p->point.gists));
  json_object_set_new(o, "encode_ms", tg_interval_json(&p->encode_ms));
  json_object_set_new(o, "break_even_requests", tg_number_json(p->break_even));
  json_object_set_new(o, "bytes_kept_per_task",
                      json_pack("{s:o,s:o,s:o,s:o,s:o}", "text", tg_number_json(round(p->kept.text)), "activations_f32", tg_number_json(round(p->kept.activations)), "gist_file_f32",
                                tg_number_json(round(p->kept.gist_f32)), "gist_file_bf16", tg_number_json(round(p->kept.gist_bf16)), "gist_file_f32_cross",
                                tg_number_json(round(p->kept.gist_cross))));
  for (int c = 0; c < TG_BENCH_N_CONDITIONS; c++)
    if (p->conditions[c].measured) json_object_set_new(conditions, tg_bench_condition_names[c], condition_json(&p->conditions[c]));
  json_object_set_new(o, "conditions", conditions);
  return o;
}

static json_t *quality_json(const tg_quality *q) {
  return json_pack("{s:o,s:o,s:o,s:o,s:o,s:o}", "exact_match", tg_interval_json(&q->exact), "rouge1", tg_interval_json(&q->rouge1), "rouge2", tg_interval_json(&q->rouge2), "rougeL",
                   tg_interval_json(&q->rougeL), "same_as_full", tg_interval_json(&q->same_as_full), "rougeL_to_full", tg_interval_json(&q->rougeL_to_full));
}

static json_t *format_json(const tg_format_result *f) {
  json_t *o = json_object(), *points = json_array();
  json_object_set_new(o, "dtype", json_string(f->dtype));
  json_object_set_new(o, "parameters", json_integer((json_int_t)f->n_parameters));
  json_object_set_new(o, "weight_bytes", json_integer((json_int_t)f->weight_bytes));
  json_object_set_new(o, "load_ms", ms(f->load_ms));
  json_object_set_new(o, "shape", json_pack("{s:i,s:i,s:i,s:i,s:i,s:i}", "d_model", f->d_model, "d_ff", f->d_ff, "n_heads", f->n_heads, "d_kv", f->d_kv, "n_layers",
                                            f->n_layers, "n_decoder_layers", f->n_decoder_layers));
  for (size_t i = 0; i < f->n_points; i++) json_array_append_new(points, point_json(&f->points[i]));
  json_object_set_new(o, "points", points);
  if (!f->has_quality) return o;
  json_t *quality = json_object();
  for (int c = 0; c < TG_BENCH_N_CONDITIONS; c++)
    if (f->quality[c].measured) json_object_set_new(quality, tg_bench_condition_names[c], quality_json(&f->quality[c]));
  json_object_set_new(o, "quality_percent", quality);
  return o;
}

static json_t *limits_json(const tg_limits *l) {
  json_t *patterns = json_object(), *rates = json_object();
  for (int i = 0; i < l->n_patterns; i++) json_object_set_new(patterns, l->patterns[i].name, tg_number_json(round(l->patterns[i].bytes_per_second)));
  for (int r = 0; r < TG_N_RATES; r++) {
    json_t *rows = json_array();
    for (int i = 0; i < TG_N_ROWS; i++)
      json_array_append_new(rows, json_pack("{s:i,s:o,s:o}", "rows", tg_rate_rows[i], "cached", tg_number_json(round(l->cached[r][i])), "streamed", tg_number_json(round(l->streamed[r][i]))));
    json_object_set_new(rates, tg_rate_names[r], rows);
  }
  return json_pack("{s:o,s:o,s:o}", "read_bytes_per_second", tg_number_json(round(l->bandwidth)), "read_patterns", patterns, "onednn_operations_per_second", rates);
}

json_t *tg_bench_json(const tg_bench_config *config, const tg_bench_result *r) {
  json_t *o = json_object(), *formats = json_array();
  json_object_set_new(o, "name", json_string(config->name));
  json_object_set_new(o, "title", json_string(config->title));
  json_object_set_new(o, "version", json_string(t5gist_version()));
  json_object_set_new(o, "date", json_string(r->date));
  json_object_set_new(o, "command", json_string(r->command));
  json_object_set_new(o, "machine", json_pack("{s:s,s:s,s:s,s:i}", "cpu", r->machine.cpu, "isa", r->machine.isa, "onednn", r->machine.onednn, "threads", r->threads));
  json_object_set_new(o, "model", json_string(r->model));
  json_object_set_new(o, "new_tokens", json_integer(config->new_tokens));
  json_object_set_new(o, "prompts", json_integer(config->n_prompts));
  json_object_set_new(o, "rounds", json_integer(config->rounds));
  json_object_set_new(o, "seconds", ms(r->seconds));
  json_object_set_new(o, "limits", limits_json(&r->limits));
  for (size_t i = 0; i < r->n_formats; i++) json_array_append_new(formats, format_json(&r->formats[i]));
  json_object_set_new(o, "formats", formats);
  return o;
}
