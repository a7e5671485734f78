#include "training/log.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "runtime/error.h"
#include "runtime/file.h"
#include "runtime/json.h"
#include "runtime/memory.h"

enum { LOG_LIMIT = 1 << 30 };

struct tg_log {
  tg_appender *lines, *events; /* null: not wanted */
};

static double wall_time(void) {
  struct timespec t;
  clock_gettime(CLOCK_REALTIME, &t);
  return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* ---------------------------------------------------------------------------------------------------------------------------- lines */

/* Whether a line, without its end, is a whole one of at most this step. */
static bool keeps(const char *line, size_t n, uint64_t step) {
  json_t *object = NULL;
  if (tg_json_parse(line, n, "log", &object, NULL) != T5GIST_OK) return false;
  const json_t *number = json_object_get(object, "step");
  const bool kept = json_is_integer(number) && (uint64_t)json_integer_value(number) <= step;
  json_decref(object);
  return kept;
}

static t5gist_status cut_lines(const char *path, uint64_t step, t5gist_error *err) {
  tg_buffer text = {0}, kept = {0};
  t5gist_status status = T5GIST_OK;
  if (!tg_file_exists(path)) return T5GIST_OK;
  TG_GOTO(tg_read_file(path, LOG_LIMIT, false, &text, err));
  for (const char *line = text.data, *end; line && (end = strchr(line, '\n')); line = end + 1) {
    if (keeps(line, (size_t)(end - line), step)) TG_GOTO(tg_buffer_append(&kept, line, (size_t)(end - line) + 1, err));
  }
  if (kept.size != text.size) TG_GOTO(tg_write_file(path, 0666, kept.data ? kept.data : "", kept.size, err));
done:
  tg_buffer_free(&text);
  tg_buffer_free(&kept);
  return status;
}

static t5gist_status open_lines(tg_log *log, const char *run_dir, uint64_t step, t5gist_error *err) {
  char *path;
  TG_TRY(tg_path_join(&path, run_dir, "log.jsonl", err));
  t5gist_status status = cut_lines(path, step, err);
  if (!status) status = tg_appender_open(path, 0666, &log->lines, err);
  tg_free(path);
  return status;
}

static t5gist_status write_line(tg_log *log, uint64_t step, json_t *extra, const tg_scalar *scalars, size_t n, t5gist_error *err) {
  json_t *object = json_pack("{s:I}", "step", (json_int_t)step);
  bool whole = object && (!extra || !json_object_update(object, extra));
  for (size_t i = 0; i < n && whole; i++)
    whole = !json_object_set_new(object, scalars[i].name, isfinite(scalars[i].value) ? json_real(scalars[i].value) : json_null());
  char *line = whole ? json_dumps(object, JSON_REAL_PRECISION(9) | JSON_COMPACT) : NULL;
  json_decref(object);
  if (!line) return tg_fail(err, T5GIST_ENOMEM, "not enough memory for a line of the log");
  const size_t length = strlen(line);
  line[length] = '\n'; /* in its NUL's place: a line goes out in one call */
  const t5gist_status status = tg_appender_write(log->lines, line, length + 1, err);
  free(line);
  return status;
}

/* --------------------------------------------------------------------------------------------------------------------------- events */

static t5gist_status open_events(tg_log *log, const char *run_dir, uint64_t step, t5gist_error *err) {
  char host[65] = "host";
  tg_buffer path = {0}, records = {0};
  t5gist_status status;
  gethostname(host, sizeof host - 1);
  const double now = wall_time();
  TG_GOTO(tg_buffer_printf(&path, err, "%s/events.out.tfevents.%.0f.%s.%ld.t5gist", run_dir, floor(now), host, (long)getpid()));
  TG_GOTO(tg_appender_open(path.data, 0666, &log->events, err));
  TG_GOTO(tg_event_version(now, &records, err));
  if (step > 0) TG_GOTO(tg_event_start(now, step + 1, &records, err));
  TG_GOTO(tg_appender_write(log->events, records.data, records.size, err));
done:
  tg_buffer_free(&path);
  tg_buffer_free(&records);
  return status;
}

static t5gist_status write_event(tg_log *log, uint64_t step, const char *prefix, const tg_scalar *scalars, size_t n, t5gist_error *err) {
  tg_buffer records = {0};
  t5gist_status status = tg_event_scalars(wall_time(), step, prefix, scalars, n, &records, err);
  if (!status) status = tg_appender_write(log->events, records.data, records.size, err);
  tg_buffer_free(&records);
  return status;
}

/* --------------------------------------------------------------------------------------------------------------------------- public */

t5gist_status tg_log_open(const char *run_dir, bool lines, bool tensorboard, uint64_t step, tg_log **out, t5gist_error *err) {
  tg_log *log;
  TG_TRY(tg_alloc(&log, 1, sizeof *log, err));
  t5gist_status status = lines ? open_lines(log, run_dir, step, err) : T5GIST_OK;
  if (!status && tensorboard) status = open_events(log, run_dir, step, err);
  if (status)
    tg_log_close(log);
  else
    *out = log;
  return status;
}

void tg_log_close(tg_log *log) {
  if (!log) return;
  tg_appender_close(log->lines);
  tg_appender_close(log->events);
  tg_free(log);
}

t5gist_status tg_log_write(tg_log *log, uint64_t step, json_t *extra, const char *prefix, const tg_scalar *scalars, size_t n, t5gist_error *err) {
  if (log->lines) TG_TRY(write_line(log, step, extra, scalars, n, err));
  return log->events ? write_event(log, step, prefix, scalars, n, err) : T5GIST_OK;
}
