/* t5gist inspect: what is in a model folder or a gist file, and the mask of a prompt. */
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"

static t5gist_status check(const tg_context *context, t5gist_error *err) {
  const tg_settings *s = &context->settings;
  if (s->mask && context->n_arguments > 0) {
    return tg_fail(err, T5GIST_EUSAGE, "--mask draws a prompt and takes no file; found \"%s\" (a model is named by --model)", context->arguments[0]);
  }
  if (!s->mask && (s->svg || s->task || s->task_file || s->input || s->input_file)) {
    return tg_fail(err, T5GIST_EUSAGE, "--task, --input and --svg belong to --mask, which is missing");
  }
  if (!s->mask && context->n_arguments == 0)
    return tg_fail(err, T5GIST_EUSAGE, "nothing to inspect; expected a model folder, a gist file, or --mask");
  if (s->task && s->task_file) return tg_fail(err, T5GIST_EUSAGE, "--task and --task-file exclude each other; expected one of them");
  if (s->input && s->input_file) return tg_fail(err, T5GIST_EUSAGE, "--input and --input-file exclude each other; expected one of them");
  return T5GIST_OK;
}

/* Draws into memory first, so that a file is written whole or not at all. */
static t5gist_status draw(tg_context *context, const char *task, const char *input, t5gist_error *err) {
  const tg_settings *s = &context->settings;
  char *drawing = NULL;
  size_t n = 0;
  FILE *out = open_memstream(&drawing, &n);
  if (!out) return tg_fail_errno(err, "no memory for a drawing");
  t5gist_status status = t5gist_draw_mask(context->session, task, input, (t5gist_condition)s->condition, s->gists, s->svg != NULL, out, err);
  if (fclose(out) && !status) status = tg_fail_errno(err, "no memory for a drawing");
  if (!status) status = s->svg && strcmp(s->svg, "-") ? tg_write_file(s->svg, 0666, drawing, n, err) : tg_out_write(drawing, n, err);
  free(drawing);
  return status;
}

static t5gist_status inspect_mask(tg_context *context, t5gist_error *err) {
  char *owned_task = NULL, *owned_input = NULL;
  const char *task = NULL, *input = NULL;
  t5gist_status status = tg_cli_task(&context->settings, &owned_task, &task, err);
  if (!status) status = tg_cli_input(&context->settings, &owned_input, &input, err);
  if (!status) status = tg_cli_open(context, err);
  if (!status) status = draw(context, task, input, err);
  tg_free(owned_task);
  tg_free(owned_input);
  return status;
}

t5gist_status tg_command_inspect(tg_context *context, t5gist_error *err) {
  TG_TRY(check(context, err));
  if (context->settings.mask) return inspect_mask(context, err);
  return t5gist_inspect(context->arguments[0], stdout, err);
}
