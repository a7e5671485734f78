/* t5gist train: runs a recipe, shows how far it is, and ends as asked by a signal: the step is finished, a snapshot written, the way to go on
 * named. */
#include <math.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"
#include "training/trainer.h"

static atomic_int asked;    /* the signal that asked to stop */
static atomic_int stepping; /* there is a step to finish */
static sigset_t caught;

static void die_of(int number) {
  sigset_t one;
  sigemptyset(&one);
  sigaddset(&one, number);
  signal(number, SIG_DFL);
  pthread_sigmask(SIG_UNBLOCK, &one, NULL);
  raise(number);
}

/* The first signal asks; a second one, or one before the first step, ends the process at once: what is on disk stays whole. */
static void *wait_for_signals(void *unused) {
  int number;
  while (!sigwait(&caught, &number)) {
    if (stepping && !asked) {
      asked = number;
    } else {
      t5gist_cleanup_on_signal();
      die_of(number);
    }
  }
  return unused;
}

/* A thread of its own waits for signals, and all others have them blocked: handlers that returned into oneDNN's generated products broke the heap
 * in one of 14 stops (2.6.3, AVX-512; it seems to keep numbers below the stack pointer, where a handler's frame goes). */
static void catch_signals(void) {
  static const int numbers[] = {SIGINT, SIGTERM, SIGHUP, SIGUSR1}; /* mpirun hands on the last one alone */
  struct sigaction old;
  pthread_t thread;
  sigemptyset(&caught);
  for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
    if (!sigaction(numbers[i], NULL, &old) && old.sa_handler != SIG_IGN) sigaddset(&caught, numbers[i]);
  }
  pthread_sigmask(SIG_BLOCK, &caught, NULL);
  if (!pthread_create(&thread, NULL, wait_for_signals, NULL))
    pthread_detach(thread);
  else
    pthread_sigmask(SIG_UNBLOCK, &caught, NULL); /* they end the process, as they do without us */
}

/* ------------------------------------------------------------------------------------------------------------------------- terminal */

typedef struct terminal {
  const tg_context *context;
  bool shows, line; /* standard error is a terminal; a progress line stands there */
  double last;
} terminal;

static void clear(terminal *t) {
  if (t->line) fputs("\r\033[K", stderr);
  t->line = false;
}

static void say(void *user, const char *sentence) {
  terminal *t = user;
  clear(t);
  tg_cli_note(t->context, "%s", sentence);
}

static void fail(void *user, const char *sentence) {
  terminal *t = user;
  clear(t);
  tg_cli_report(t->context, sentence);
}

static void duration(double seconds, char text[32]) {
  if (seconds < 100)
    snprintf(text, 32, "%.0f s", seconds);
  else if (seconds < 6000)
    snprintf(text, 32, "%.0f min", seconds / 60);
  else
    snprintf(text, 32, "%.1f h", seconds / 3600);
}

static void show(void *user, const tg_train_progress *p) {
  terminal *t = user;
  char left[32];
  const double now = tg_now();
  stepping = 1;
  if (!t->shows || p->rank > 0 || (now - t->last < 0.3 && !p->doing)) return;
  t->last = now;
  t->line = true;
  duration(p->seconds_left, left);
  fprintf(stderr, "\r\033[K%d/%d  loss %.4f  %.0f tokens/s  %.0f GFLOP/s  %s left%s%s", p->step, p->steps, p->loss, p->tokens_per_second,
          p->flops_per_second * 1e-9, left, p->doing ? "  " : "", p->doing ? p->doing : "");
  fflush(stderr);
}

/* -------------------------------------------------------------------------------------------------------------------------- command */

static t5gist_status replace(char **text, const char *with, t5gist_error *err) {
  if (!with) return T5GIST_OK;
  tg_free(*text);
  *text = NULL;
  return tg_strdup(text, with, err);
}

/* What the command line says goes before the recipe. */
static t5gist_status override(const tg_settings *s, const char *path, tg_recipe *recipe, t5gist_error *err) {
  TG_TRY(replace(&recipe->out, s->output, err));
  TG_TRY(replace(&recipe->model, s->model, err));
  if (s->threads != T5GIST_UNSET) recipe->threads = s->threads;
  return tg_recipe_check(path, recipe, err);
}

/* The one stable line. */
static void summary(const tg_context *context, const tg_recipe *recipe, const tg_train_result *r, const char *call) {
  const int done = r->step - r->first_step;
  if (r->rank > 0) return;
  if (done == 0) {
    tg_cli_note(context, "%s is complete: %d steps are done", recipe->out, r->step);
    return;
  }
  tg_cli_note(context, "%d step%s in %.3f s, loss %.4f, %.0f tokens/s, %.0f GFLOP/s, peak %.3g GB of %.3g predicted%s%s -> %s", done,
              done == 1 ? "" : "s", r->seconds, r->loss, r->tokens / r->seconds, r->flops / r->seconds * 1e-9, (double)r->peak_bytes * 1e-9,
              (double)r->predicted_bytes * 1e-9, r->best[0] ? ", best " : "", r->best, recipe->out);
  if (r->stopped) tg_cli_note(context, "stopped behind step %d of %d, which is saved; to go on: %s --resume", r->step, r->steps, call);
}

static t5gist_status train(tg_context *context, const tg_recipe *recipe, const char *call, t5gist_error *err) {
  terminal t = {.context = context, .shows = isatty(STDERR_FILENO) && !context->settings.quiet};
  const tg_train_call options = {.command = call,
                                 .resume = context->settings.resume,
                                 .overwrite = context->settings.overwrite,
                                 .stop = &asked,
                                 .say = say,
                                 .fail = fail,
                                 .progress = show,
                                 .user = &t};
  tg_train_result result;
  catch_signals();
  const t5gist_status status = tg_train(recipe, &options, &result, err);
  clear(&t);
  if (status == T5GIST_OK) summary(context, recipe, &result, call);
  return status;
}

t5gist_status tg_command_train(tg_context *context, t5gist_error *err) {
  tg_recipe recipe;
  tg_buffer call = {0};
  const tg_settings *s = &context->settings;
  const char *path = context->arguments[0];
  if (s->dtype != T5GIST_UNSET && s->dtype != TG_DTYPE_AUTO && s->dtype != TG_DTYPE_F32)
    return tg_fail(
        err, T5GIST_EUSAGE,
        "--dtype: expected none, auto or f32, found another: the recipe's compute chooses how training multiplies; `t5gist convert` makes an "
        "int8 or int4 folder of the result");
  if (s->resume && s->overwrite) return tg_fail(err, T5GIST_EUSAGE, "--resume and --overwrite exclude each other; expected one of them");
  t5gist_status status = tg_recipe_read(path, &recipe, err);
  if (status == T5GIST_OK) status = override(s, path, &recipe, err);
  if (status == T5GIST_OK) status = tg_options_call(context, &call, err);
  if (status == T5GIST_OK) status = train(context, &recipe, call.data, err);
  tg_recipe_free(&recipe);
  tg_buffer_free(&call);
  if (status == T5GIST_OK && asked) die_of(asked); /* as whoever sent it expects */
  return status;
}
