/* t5gist info: the program, the machine, the model. */
#include "cli/cli.h"

static t5gist_status print_text(const tg_context *context, const t5gist_machine *machine, const char *missing, t5gist_error *err) {
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
  printf("  template     \"%s\", \"%s\"\n", m->template_task, m->template_input);
  return tg_out_flush(err);
}

static json_t *model_json(const tg_context *context) {
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
  json_object_set_new(o, "load_ms", tg_json_milliseconds(context->load_seconds * 1000));
  return o;
}

static t5gist_status print_json(const tg_context *context, const t5gist_machine *machine, bool missing, t5gist_error *err) {
  json_t *o = json_object();
  json_object_set_new(o, "version", json_string(t5gist_version()));
  json_object_set_new(o, "cpu", tg_json_text(machine->cpu));
  json_object_set_new(o, "isa", json_string(machine->isa));
  json_object_set_new(o, "onednn", json_string(machine->onednn));
  json_object_set_new(o, "threads", json_integer(machine->threads));
  json_object_set_new(o, "model", missing ? json_null() : model_json(context));
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
  if (!missing) TG_TRY(tg_cli_open(context, err));
  return context->settings.json ? print_json(context, &machine, missing, err) : print_text(context, &machine, missing ? search.message : NULL, err);
}
