/* t5gist encode: a task becomes a gist file. */
#include <string.h>
#include <sys/stat.h>

#include "cli/cli.h"

static t5gist_status check(const tg_settings *s, t5gist_error *err) {
  if (s->task && s->task_file) return tg_fail(err, T5GIST_EUSAGE, "--task and --task-file exclude each other; expected one of them");
  if (!s->task && !s->task_file) return tg_fail(err, T5GIST_EUSAGE, "nothing to encode; expected --task or --task-file");
  if (s->output && !strcmp(s->output, "-") && s->json)
    return tg_fail(err, T5GIST_EUSAGE, "--output - and --json both want standard output; expected one of them");
  struct stat facts;
  if (s->output && !stat(s->output, &facts) && S_ISDIR(facts.st_mode)) {
    return tg_fail(err, T5GIST_EUSAGE, "--output %s: expected the name of a file, found a directory", s->output);
  }
  return T5GIST_OK;
}

static t5gist_status save(const t5gist_gist *gist, const char *path, const tg_settings *s, t5gist_error *err) {
  unsigned char *bytes = NULL;
  size_t n;
  if (strcmp(path, "-")) return t5gist_gist_save(gist, path, (t5gist_payload)s->payload, s->cross, err);
  TG_TRY(t5gist_gist_serialize(gist, (t5gist_payload)s->payload, s->cross, &bytes, &n, err));
  const t5gist_status status = tg_out_write(bytes, n, err);
  t5gist_free(bytes);
  return status;
}

static t5gist_status report(const tg_settings *s, const char *path, const t5gist_gist_info *info, double seconds, t5gist_error *err) {
  if (!s->json) return s->output ? T5GIST_OK : printf("%s\n", path) < 0 ? tg_fail_errno(err, "standard output") : T5GIST_OK;
  json_t *o = json_object();
  json_object_set_new(o, "path", tg_json_text(path));
  json_object_set_new(o, "task_sha256", json_string(info->task_sha256));
  json_object_set_new(o, "n_task", json_integer(info->n_task));
  json_object_set_new(o, "n_gist", json_integer(info->n_gist));
  json_object_set_new(o, "bytes", json_integer((json_int_t)info->bytes));
  json_object_set_new(o, "fingerprint", json_string(info->fingerprint));
  json_object_set_new(o, "gist_source", json_string(t5gist_source_name(info->from_store ? T5GIST_SOURCE_STORE : T5GIST_SOURCE_ENCODED)));
  json_object_set_new(o, "encode_ms", tg_json_milliseconds(seconds * 1000));
  return tg_out_json(o, err);
}

static t5gist_status encode(tg_context *context, const char *task, t5gist_error *err) {
  const tg_settings *s = &context->settings;
  t5gist_gist *gist = NULL;
  t5gist_gist_info info;
  char named[32];
  TG_TRY(tg_cli_open(context, err));
  const double start = tg_now();
  TG_TRY(t5gist_encode(context->session, task, s->gists, &gist, err));
  const double seconds = tg_now() - start;
  t5gist_gist_describe(gist, &info);
  tg_cli_warn_lengths(context, info.n_task, 0);
  snprintf(named, sizeof named, "%.16s.gist", info.task_sha256);
  const char *path = s->output ? s->output : named;
  t5gist_status status = save(gist, path, s, err);
  if (!status) status = report(s, path, &info, seconds, err);
  if (!status) status = tg_out_flush(err);
  if (!status) {
    tg_cli_note(context, "task %d -> %d gist tokens, %zu bytes, %s in %.3f s; written to %s; load %.2f s", info.n_task, info.n_gist, info.bytes,
                info.from_store ? "from store" : "encoded here", seconds, strcmp(path, "-") ? path : "standard output", context->load_seconds);
  }
  t5gist_gist_free(gist);
  return status;
}

t5gist_status tg_command_encode(tg_context *context, t5gist_error *err) {
  char *owned = NULL;
  const char *task = NULL;
  TG_TRY(check(&context->settings, err));
  t5gist_status status = tg_cli_task(&context->settings, &owned, &task, err);
  if (!status) status = encode(context, task, err);
  tg_free(owned);
  return status;
}
