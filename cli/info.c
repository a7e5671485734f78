/* t5gist info: the program, the machine, the model. */
#include "cli/cli.h"

static const char *chosen_name(const t5gist_choice *choice) {
  for (int i = 0; i < choice->n; i++)
    if (choice->candidates[i].dtype == choice->dtype) return choice->candidates[i].name;
  return NULL;
}

/* The table behind --dtype auto. */
static void print_precisions(const t5gist_choice *choice, int threads) {
  const char *name = chosen_name(choice);
  if (choice->n == 0) {
    printf("  precisions   not compared on this machine with %d threads yet: --dtype auto does it once\n", threads);
    return;
  }
  printf("  precisions   measured on this machine with %d threads; --dtype auto takes %s\n", threads,
         name ? name : "the folder's default: none is allowed");
  if (choice->busy) printf("    while other programs used the cores: timed once more at the next --dtype auto\n");
  printf("    %-6s %9s %7s %12s %9s %8s %10s  allowed\n", "dtype", "step ms", "GB/s", "32 tokens ms", "GFLOP/s", "drift", "agreement");
  for (int i = 0; i < choice->n; i++) {
    const t5gist_candidate *c = &choice->candidates[i];
    char drift[32] = "?", agreement[32] = "?";
    if (c->drift_known) snprintf(drift, sizeof drift, "%.4f", c->drift.logprob);
    if (c->drift_known) snprintf(agreement, sizeof agreement, "%.0f %%", 100 * c->drift.agreement);
    printf("    %-6s %9.3f %7.1f %12.3f %9.0f %8s %10s  %s: %s\n", c->name, c->step_ms, c->step_bytes * 1e-9, c->rows_ms, c->rows_flops * 1e-9, drift,
           agreement, c->allowed ? "yes" : "no", c->why);
  }
}

static t5gist_status print_text(const tg_context *context, const t5gist_machine *machine, const t5gist_choice *choice, const char *missing,
                                t5gist_error *err) {
  printf("version    %s\ncpu        %s\nisa        %s\nonednn     %s\nthreads    %d\n", t5gist_version(), machine->cpu, machine->isa,
         machine->onednn, machine->threads);
  if (missing) {
    printf("model      none: %s\n", missing);
    return tg_out_flush(err);
  }
  const t5gist_model_info *m = &context->info;
  printf("model      %s\n  type         %s, stored as %s\n  tokenizer    %s, %d rows\n", context->model_dir, m->model_type, m->stored, m->tokenizer,
         m->vocab_size);
  printf("  computed in  %s\n", m->dtype);
  printf("  shape        %d+%d layers, d_model %d, d_ff %d, %d heads x %d\n", m->n_layers, m->n_decoder_layers, m->d_model, m->d_ff, m->n_heads,
         m->d_kv);
  printf("  parameters   %zu, %zu bytes in memory\n  fingerprint  %s\n", m->n_parameters, m->weight_bytes, m->fingerprint);
  if (m->n_gist_ids == 0)
    printf("  gists        none: the model has no gist token\n");
  else
    printf("  gists        %d by default, %d distinct row%s, tasks of at most %d tokens\n", m->default_gists, m->n_gist_ids,
           m->n_gist_ids == 1 ? "" : "s", m->max_task_tokens);
  char task[256], input[256];
  tg_out_shorten(m->template_task, task, sizeof task);
  tg_out_shorten(m->template_input, input, sizeof input);
  printf("  template     \"%s\", \"%s\"\n", task, input);
  print_precisions(choice, m->threads);
  return tg_out_flush(err);
}

/* Null: nothing was measured. */
static json_t *precisions_json(const t5gist_choice *choice) {
  if (choice->n == 0) return json_null();
  json_t *list = json_array();
  for (int i = 0; i < choice->n; i++) {
    const t5gist_candidate *c = &choice->candidates[i];
    json_t *o = json_pack("{s:s, s:f, s:f, s:f, s:f, s:b, s:s}", "dtype", c->name, "step_ms", c->step_ms, "step_bytes_per_s", c->step_bytes,
                          "rows_ms", c->rows_ms, "rows_flops_per_s", c->rows_flops, "allowed", c->allowed, "why", c->why);
    json_object_set_new(o, "drift",
                        c->drift_known ? json_pack("{s:f, s:f}", "logprob", c->drift.logprob, "agreement", c->drift.agreement) : json_null());
    json_array_append_new(list, o);
  }
  const char *name = chosen_name(choice);
  return json_pack("{s:o, s:b, s:o}", "auto", name ? json_string(name) : json_null(), "busy", choice->busy, "candidates", list);
}

static json_t *model_json(const tg_context *context, const t5gist_choice *choice) {
  const t5gist_model_info *m = &context->info;
  json_t *o = json_object(), *ids = json_array();
  for (int i = 0; i < m->n_gist_ids; i++) json_array_append_new(ids, json_integer(m->gist_ids[i]));
  json_object_set_new(o, "dir", tg_json_text(context->model_dir));
  json_object_set_new(o, "model_type", json_string(m->model_type));
  json_object_set_new(o, "stored", json_string(m->stored));
  json_object_set_new(o, "dtype", json_string(m->dtype));
  json_object_set_new(o, "tokenizer", tg_json_text(m->tokenizer));
  json_object_set_new(o, "fingerprint", json_string(m->fingerprint));
  json_object_set_new(o, "vocab_size", json_integer(m->vocab_size));
  json_object_set_new(o, "d_model", json_integer(m->d_model));
  json_object_set_new(o, "d_kv", json_integer(m->d_kv));
  json_object_set_new(o, "d_ff", json_integer(m->d_ff));
  json_object_set_new(o, "n_heads", json_integer(m->n_heads));
  json_object_set_new(o, "n_layers", json_integer(m->n_layers));
  json_object_set_new(o, "n_decoder_layers", json_integer(m->n_decoder_layers));
  json_object_set_new(o, "n_parameters", json_integer((json_int_t)m->n_parameters));
  json_object_set_new(o, "weight_bytes", json_integer((json_int_t)m->weight_bytes));
  json_object_set_new(o, "gist_token_ids", ids);
  json_object_set_new(o, "default_gists", json_integer(m->default_gists));
  json_object_set_new(o, "max_task_tokens", json_integer(m->max_task_tokens));
  json_object_set_new(o, "template_task", tg_json_text(m->template_task));
  json_object_set_new(o, "template_input", tg_json_text(m->template_input));
  json_object_set_new(o, "precisions", precisions_json(choice));
  json_object_set_new(o, "load_ms", tg_json_milliseconds(context->load_seconds * 1000));
  return o;
}

static t5gist_status print_json(const tg_context *context, const t5gist_machine *machine, const t5gist_choice *choice, bool missing,
                                t5gist_error *err) {
  json_t *o = json_object();
  json_object_set_new(o, "version", json_string(t5gist_version()));
  json_object_set_new(o, "cpu", tg_json_text(machine->cpu));
  json_object_set_new(o, "isa", json_string(machine->isa));
  json_object_set_new(o, "onednn", json_string(machine->onednn));
  json_object_set_new(o, "threads", json_integer(machine->threads));
  json_object_set_new(o, "model", missing ? json_null() : model_json(context, choice));
  return tg_out_json(o, err);
}

/* A machine without a model is still worth describing; a model that was named and cannot be opened is an error. */
t5gist_status tg_command_info(tg_context *context, t5gist_error *err) {
  t5gist_machine machine;
  t5gist_error search = {0};
  char *dir = NULL;
  t5gist_machine_describe(&machine);
  const bool missing = tg_cli_model_dir(context, &dir, &search) != T5GIST_OK;
  tg_free(dir);
  t5gist_choice choice = {0};
  if (!missing) TG_TRY(tg_cli_open(context, err));
  if (!missing) TG_TRY(t5gist_choose_dtype(context->model_dir, context->info.threads, tg_cli_wo_dtype(context), false, &choice, err));
  return context->settings.json ? print_json(context, &machine, &choice, missing, err)
                                : print_text(context, &machine, &choice, missing ? search.message : NULL, err);
}
