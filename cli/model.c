/* Finding and opening the model. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"

static bool is_model(const char *dir) {
  char *config = NULL;
  const bool found = !tg_path_join(&config, dir, "config.json", NULL) && tg_file_exists(config);
  tg_free(config);
  return found;
}

/* *dir = base/relative if a model is there, else null. */
static t5gist_status try_dir(const char *base, const char *relative, char **dir, t5gist_error *err) {
  TG_TRY(tg_path_join(dir, base, relative, err));
  if (is_model(*dir)) return T5GIST_OK;
  tg_free(*dir);
  *dir = NULL;
  return T5GIST_OK;
}

/* The bundled model of an installed program (../share), or of a build tree (models/mini in a folder above). */
static t5gist_status bundled(char **dir, t5gist_error *err) {
  char path[4096];
  const ssize_t n = readlink("/proc/self/exe", path, sizeof path - 1);
  if (n <= 0) return tg_fail_errno(err, "/proc/self/exe");
  path[n] = 0;
  char *slash = strrchr(path, '/');
  *slash = 0;
  char beside[sizeof path];
  memcpy(beside, path, sizeof path);
  if ((slash = strrchr(path, '/'))) *slash = 0;
  TG_TRY(try_dir(*path ? path : "/", "share/t5gist/models/mini", dir, err));
  for (; !*dir && slash; slash = strrchr(path, '/')) {
    *slash = 0;
    TG_TRY(try_dir(*path ? path : "/", "models/mini", dir, err));
  }
  if (*dir) return T5GIST_OK;
  return tg_fail(err, T5GIST_EIO,
                 "no model: neither --model nor T5GIST_MODEL names one, and the bundled one is neither in ../share/t5gist/models/mini beside "
                 "%s nor in models/mini of a folder above it",
                 beside);
}

t5gist_status tg_cli_model_dir(const tg_context *context, char **dir, t5gist_error *err) {
  const char *variable = getenv("T5GIST_MODEL");
  *dir = NULL;
  if (context->settings.model) return tg_strdup(dir, context->settings.model, err);
  if (variable && *variable) return tg_strdup(dir, variable, err);
  return bundled(dir, err);
}

int tg_cli_wo_dtype(const tg_context *context) {
  static const int dtypes[] = {[TG_WO_DTYPE_AUTO] = T5GIST_UNSET,
                               [TG_WO_DTYPE_F32] = T5GIST_DTYPE_F32,
                               [TG_WO_DTYPE_BF16] = T5GIST_DTYPE_BF16,
                               [TG_WO_DTYPE_INT8] = T5GIST_DTYPE_INT8,
                               [TG_WO_DTYPE_INT8X16] = T5GIST_DTYPE_INT8X16,
                               [TG_WO_DTYPE_INT4] = T5GIST_DTYPE_INT4};
  return dtypes[context->settings.wo_dtype];
}

/* --dtype as a t5gist_dtype. The first comparing of formats takes some seconds, and is announced. */
static t5gist_status find_dtype(const tg_context *context, const char *dir, int *dtype, t5gist_error *err) {
  static const int dtypes[] = {[TG_DTYPE_AUTO] = T5GIST_DTYPE_AUTO,
                               [TG_DTYPE_F32] = T5GIST_DTYPE_F32,
                               [TG_DTYPE_BF16] = T5GIST_DTYPE_BF16,
                               [TG_DTYPE_INT8] = T5GIST_DTYPE_INT8,
                               [TG_DTYPE_INT4] = T5GIST_DTYPE_INT4};
  const tg_settings *s = &context->settings;
  *dtype = s->dtype == T5GIST_UNSET ? T5GIST_UNSET : dtypes[s->dtype];
  if (s->dtype != TG_DTYPE_AUTO) return T5GIST_OK;
  t5gist_choice choice;
  TG_TRY(t5gist_choose_dtype(dir, s->threads, tg_cli_wo_dtype(context), false, &choice, err));
  if (choice.n == 0) tg_cli_note(context, "--dtype auto: comparing f32, bf16, int8 and int4 on this machine, once; `t5gist info` shows the result");
  if (choice.n > 0 && choice.busy) tg_cli_note(context, "--dtype auto: timing once more, since other programs used the cores the last time");
  return T5GIST_OK;
}

t5gist_status tg_cli_open(tg_context *context, t5gist_error *err) {
  const tg_settings *s = &context->settings;
  t5gist_model_options options;
  t5gist_model_options_init(&options);
  options.threads = s->threads;
  options.check_numerics = s->check_numerics;
  options.wo_dtype = tg_cli_wo_dtype(context);
  TG_TRY(tg_cli_model_dir(context, &context->model_dir, err));
  TG_TRY(find_dtype(context, context->model_dir, &options.dtype, err));
  const double start = tg_now();
  TG_TRY(t5gist_model_open(context->model_dir, &options, &context->model, err));
  context->load_seconds = tg_now() - start;
  context->primitives_loaded = t5gist_primitives_created(context->model);
  t5gist_model_describe(context->model, &context->info);
  if (s->verbose) {
    t5gist_machine machine;
    t5gist_machine_describe(&machine);
    tg_cli_note(context, "model %s (%s, %d+%d layers, d_model %d, %s), fingerprint %.16s", context->model_dir, context->info.model_type,
                context->info.n_layers, context->info.n_decoder_layers, context->info.d_model, context->info.dtype, context->info.fingerprint);
    tg_cli_note(context, "machine %s, %s, oneDNN %s, %d threads", machine.cpu, machine.isa, machine.onednn, context->info.threads);
  }
  TG_TRY(t5gist_session_new(context->model, &context->session, err));
  if (!(context->command->bit & (TG_CLI_ENCODE | TG_CLI_GENERATE | TG_CLI_SCORE))) return T5GIST_OK;
  TG_TRY(tg_cli_open_store(context, err));
  if (s->verbose && context->store) tg_cli_note(context, "gist store %s", t5gist_store_dir(context->store));
  return t5gist_session_use_store(context->session, context->store, err);
}

void tg_cli_warn_lengths(const tg_context *context, int n_task, int n_input) {
  static bool task_warned, input_warned;
  const int longest = context->info.max_task_tokens;
  if (n_task > longest && !task_warned) {
    tg_cli_note(context, "warning: a task of %d tokens; this model was trained on tasks of at most %d", n_task, longest);
    task_warned = true;
  }
  if (n_input > TG_CLI_LONG_INPUT && !input_warned) {
    tg_cli_note(context, "warning: an input of %d tokens; T5 was trained on at most %d", n_input, TG_CLI_LONG_INPUT);
    input_warned = true;
  }
}
