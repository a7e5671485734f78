/* t5gist store: what the gist store holds, and looking after it. Also how every command opens the store. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cli/cli.h"

/* --------------------------------------------------------------------------------------------------------------------------- opening */

static void on_note(void *user, const char *message) {
  tg_cli_note(user, "%s", message);
}

/* "500M": bytes, or with K, M, G so many times 1024, 1024^2, 1024^3. */
static t5gist_status read_budget(const char *where, const char *text, uint64_t *bytes, t5gist_error *err) {
  static const char units[] = "KMG";
  const size_t digits = strspn(text, "0123456789");
  const char *unit = text[digits] ? strchr(units, text[digits]) : NULL;
  const int shift = unit ? 10 * (int)(unit - units + 1) : 0;
  const bool good = digits >= 1 && digits <= 15 && (text[digits] == 0 || (unit && text[digits + 1] == 0));
  const unsigned long long number = good ? strtoull(text, NULL, 10) : 0;
  if (number == 0 || number > UINT64_MAX >> 1 >> shift) {
    return tg_fail(err, T5GIST_EUSAGE, "%s: expected a number of bytes such as 500000, 500K, 200M or 2G, found \"%.80s\"", where, text);
  }
  *bytes = (uint64_t)number << shift;
  return T5GIST_OK;
}

static const char *variable(const char *name) {
  const char *value = getenv(name);
  return value && *value ? value : NULL;
}

t5gist_status tg_cli_open_store(tg_context *context, t5gist_error *err) {
  const tg_settings *s = &context->settings;
  t5gist_store_options options = {.read_only = s->store_read_only, .salt = s->store_salt, .on_note = on_note, .user = context};
  const char *dir = s->store ? s->store : variable("T5GIST_STORE"), *budget = variable("T5GIST_STORE_BUDGET");
  if (s->no_store && s->store) return tg_fail(err, T5GIST_EUSAGE, "--store and --no-store exclude each other; expected one of them");
  if (s->no_store) return T5GIST_OK;
  if (s->store_budget)
    TG_TRY(read_budget("--store-budget", s->store_budget, &options.budget, err));
  else if (budget)
    TG_TRY(read_budget("T5GIST_STORE_BUDGET", budget, &options.budget, err));
  const t5gist_status status = t5gist_store_open(dir, &options, &context->store, err);
  if (status == T5GIST_OK || dir || context->command->bit == TG_CLI_STORE) return status;
  if (s->verbose && err) tg_cli_note(context, "%s", err->message);
  return T5GIST_OK; /* no home, no store */
}

/* --------------------------------------------------------------------------------------------------------------------------- showing */

/* UTC, "2026-11-21T13:05:59Z"; seconds are all that people need. */
static const char *show_time(int64_t nanoseconds, char text[32]) {
  const time_t seconds = (time_t)(nanoseconds / 1000000000);
  struct tm parts;
  if (!gmtime_r(&seconds, &parts) || !strftime(text, 32, "%Y-%m-%dT%H:%M:%SZ", &parts)) snprintf(text, 32, "?");
  return text;
}

typedef struct listing {
  tg_context *context;
  t5gist_error *err;
  t5gist_status status;
} listing;

static t5gist_status print_json(const t5gist_store_entry *e, t5gist_error *err) {
  char used[32];
  json_t *o = json_object();
  tg_json_put(&o, "key", json_string(e->key));
  tg_json_put(&o, "bytes", json_integer((json_int_t)e->bytes));
  tg_json_put(&o, "hits", json_integer((json_int_t)e->hits));
  tg_json_put(&o, "last_use", json_string(show_time(e->used, used)));
  tg_json_put(&o, "pinned", json_boolean(e->pinned));
  tg_json_put(&o, "encode_ms", e->encode_ms > 0 ? tg_json_milliseconds(e->encode_ms) : json_null());
  tg_json_put(&o, "n_task", json_integer(e->n_task));
  tg_json_put(&o, "n_gist", json_integer(e->n_gist));
  tg_json_put(&o, "computed_with", e->computed_with ? tg_json_text(e->computed_with) : json_null());
  tg_json_put(&o, "fingerprint", e->fingerprint ? tg_json_text(e->fingerprint) : json_null());
  tg_json_put(&o, "task", e->task ? tg_json_text(e->task) : json_null());
  return tg_out_json(o, err);
}

static t5gist_status print_line(const t5gist_store_entry *e, t5gist_error *err) {
  char used[32], task[64], line[256];
  tg_out_shorten(e->task ? e->task : "(cannot be read: try `t5gist store verify`)", task, sizeof task);
  const int n = snprintf(line, sizeof line, "%.16s  %9llu  %6llu  %s  %-3s  %5d -> %-4d  %s\n", e->key, (unsigned long long)e->bytes,
                         (unsigned long long)e->hits, show_time(e->used, used), e->pinned ? "pin" : "", e->n_task, e->n_gist, task);
  return tg_out_write(line, (size_t)n, err);
}

static void print_entry(void *user, const t5gist_store_entry *entry) {
  listing *l = user;
  if (l->status) return;
  l->status = l->context->settings.json ? print_json(entry, l->err) : print_line(entry, l->err);
}

static void note_state(const tg_context *context, const t5gist_store_state *s) {
  tg_cli_note(context, "%s: %zu entr%s (%zu pinned), %llu bytes of %llu; %zu set aside as damaged, %zu left over from killed processes",
              t5gist_store_dir(context->store), s->entries, s->entries == 1 ? "y" : "ies", s->pinned, (unsigned long long)s->bytes,
              (unsigned long long)s->budget, s->damaged, s->strays);
}

/* ----------------------------------------------------------------------------------------------------------------------------- verbs */

static t5gist_status no_more(const tg_context *context, t5gist_error *err) {
  if (context->n_arguments == 1) return T5GIST_OK;
  return tg_fail(err, T5GIST_EUSAGE, "%s: unexpected argument \"%s\"", context->arguments[0], context->arguments[1]);
}

static t5gist_status list(tg_context *context, t5gist_error *err) {
  static const char head[] = "KEY                   BYTES    HITS  LAST USE              PIN         TOKENS  TASK\n";
  t5gist_store_state state;
  listing l = {.context = context, .err = err};
  TG_TRY(no_more(context, err));
  TG_TRY(t5gist_store_examine(context->store, &state, err));
  if (!context->settings.json && state.entries) TG_TRY(tg_out_write(head, sizeof head - 1, err));
  TG_TRY(t5gist_store_list(context->store, print_entry, &l, err));
  note_state(context, &state);
  return l.status;
}

static t5gist_status remove_entries(tg_context *context, t5gist_error *err) {
  const bool all = context->settings.all;
  size_t removed = 0;
  if (all == (context->n_arguments > 1)) return tg_fail(err, T5GIST_EUSAGE, "rm: expected either keys of entries or --all");
  if (all) TG_TRY(t5gist_store_remove(context->store, NULL, &removed, err));
  for (size_t i = 1; i < context->n_arguments; i++, removed++) TG_TRY(t5gist_store_remove(context->store, context->arguments[i], NULL, err));
  tg_cli_note(context, "%zu removed", removed);
  return T5GIST_OK;
}

static t5gist_status pin_entries(tg_context *context, bool pinned, t5gist_error *err) {
  if (context->n_arguments < 2) return tg_fail(err, T5GIST_EUSAGE, "%s: expected keys of entries", context->arguments[0]);
  for (size_t i = 1; i < context->n_arguments; i++) TG_TRY(t5gist_store_pin(context->store, context->arguments[i], pinned, err));
  return T5GIST_OK;
}

static t5gist_status pin(tg_context *context, t5gist_error *err) {
  return pin_entries(context, true, err);
}

static t5gist_status unpin(tg_context *context, t5gist_error *err) {
  return pin_entries(context, false, err);
}

static t5gist_status collect(tg_context *context, t5gist_error *err) {
  t5gist_store_state s;
  TG_TRY(no_more(context, err));
  TG_TRY(t5gist_store_gc(context->store, &s, err));
  tg_cli_note(context, "%zu removed for the budget, %zu damaged, %zu left over from killed processes; %zu entries of %llu bytes stay", s.removed,
              s.damaged, s.strays, s.entries, (unsigned long long)s.bytes);
  return T5GIST_OK;
}

static t5gist_status verify(tg_context *context, t5gist_error *err) {
  t5gist_store_state s;
  TG_TRY(no_more(context, err));
  TG_TRY(t5gist_store_verify(context->store, stdout, &s, err));
  if (s.damaged) return tg_fail(err, T5GIST_EFORMAT, "%s: %zu of %zu entries are damaged", t5gist_store_dir(context->store), s.damaged, s.entries);
  char line[64];
  return tg_out_write(line, (size_t)snprintf(line, sizeof line, "%zu entries ok\n", s.entries), err);
}

static t5gist_status export_entries(tg_context *context, t5gist_error *err) {
  size_t n, total = 0;
  if (context->n_arguments < 2) return tg_fail(err, T5GIST_EUSAGE, "export: expected a folder, and perhaps keys of entries behind it");
  if (context->n_arguments == 2) TG_TRY(t5gist_store_export(context->store, NULL, context->arguments[1], &total, err));
  for (size_t i = 2; i < context->n_arguments; i++, total += n)
    TG_TRY(t5gist_store_export(context->store, context->arguments[i], context->arguments[1], &n, err));
  tg_cli_note(context, "%zu written to %s", total, context->arguments[1]);
  return T5GIST_OK;
}

static t5gist_status import_entries(tg_context *context, t5gist_error *err) {
  size_t n, total = 0;
  if (context->n_arguments < 2) return tg_fail(err, T5GIST_EUSAGE, "import: expected gist files or folders of them");
  for (size_t i = 1; i < context->n_arguments; i++, total += n) TG_TRY(t5gist_store_import(context->store, context->arguments[i], &n, err));
  tg_cli_note(context, "%zu new in %s", total, t5gist_store_dir(context->store));
  return T5GIST_OK;
}

t5gist_status tg_command_store(tg_context *context, t5gist_error *err) {
  static const struct {
    const char *name;
    t5gist_status (*run)(tg_context *context, t5gist_error *err);
  } verbs[] = {{"ls", list},
               {"rm", remove_entries},
               {"pin", pin},
               {"unpin", unpin},
               {"gc", collect},
               {"verify", verify},
               {"export", export_entries},
               {"import", import_entries}};
  enum { N = sizeof verbs / sizeof *verbs };
  const char *names[N];
  TG_TRY(tg_cli_open_store(context, err));
  for (size_t i = 0; i < N; i++) {
    names[i] = verbs[i].name;
    if (!strcmp(context->arguments[0], verbs[i].name)) return verbs[i].run(context, err);
  }
  const char *near = tg_nearest(context->arguments[0], names, N);
  return tg_fail(err, T5GIST_EUSAGE, "expected ls, rm, pin, unpin, gc, verify, export or import, found \"%.80s\"%s%s%s", context->arguments[0],
                 near ? "; did you mean " : "", near ? near : "", near ? "?" : "");
}
