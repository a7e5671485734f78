/* t5gist: the program. Finds the command, runs it, turns its status into an exit status: 0 done, 1 failed, 2 wrong usage. */
#include <signal.h>
#include <stdarg.h>
#include <string.h>

#include "cli/cli.h"

const tg_command tg_commands[] = {
    {"encode", TG_CLI_ENCODE, "compress a task into a gist file", "(--task TEXT | --task-file FILE) [--gists K] [-o FILE|-] [--json]",
     "Runs the model over the task once and keeps what K gist tokens remember of it in a small file, for `t5gist generate --gist FILE`.", 0, 0,
     tg_command_encode},
    {"generate", TG_CLI_GENERATE, "answer inputs under a task or a gist",
     "(--gist FILE | --task TEXT | --task-file FILE | --raw) [--input TEXT | --input-file FILE|-] [OPTION]...\n"
     "t5gist generate --gist FILE --input-lines FILE|-\n"
     "t5gist generate --batch FILE.jsonl|-",
     "Prints the answer. With --input-lines: one answer line per input line. With --batch: one JSON answer per JSON request, in the same order; a "
     "request's keys are the options below with _ for -, and \"id\", which the answer repeats.",
     0, 0, tg_command_generate},
    {"score", TG_CLI_SCORE, "log-probability of given answers",
     "(--gist FILE | --task TEXT | --task-file FILE | --raw) [--input TEXT | --input-file FILE|-] --target TEXT... [OPTION]...\n"
     "t5gist score --gist FILE --input-lines FILE|- --target TEXT\n"
     "t5gist score --batch FILE.jsonl|-",
     "Prints the natural logarithm of each target's probability under teacher forcing, its end token included; --json adds the tokens. The search "
     "options are those of `generate` and change no score.",
     0, 0, tg_command_score},
    {"inspect", TG_CLI_INSPECT, "show what is in a model, a gist file or a mask",
     "MODEL_DIR | FILE.gist\nt5gist inspect --mask (--task TEXT | --input TEXT)... [--condition NAME] [--gists K] [--svg FILE|-]",
     "Describes a model folder or a gist file, or draws the mask of a prompt.", 0, 1, tg_command_inspect},
    {"convert", TG_CLI_CONVERT, "rewrite a checkpoint as one safetensors folder",
     "IN_DIR OUT_DIR [--dtype f32|bf16|int8|int4] [--wo-dtype NAME] [--rounding NAME] [--texts FILE] [--calibration FILE] [--accept-drift]",
     "Reads a Hugging Face folder (pytorch_model.bin or safetensors, sharded or not) and writes one that maps straight into memory. Without "
     "--dtype the stored number format stays. With int8, int4 or bf16, answers on a few texts are compared with those in f32; where they differ "
     "too much, the exit status is 1 unless --accept-drift is given. The folder is written all the same. With int4, ways of rounding are tried "
     "before and shown; the one whose answers are nearest to f32's is taken.",
     2, 2, tg_command_convert},
    {"verify", TG_CLI_VERIFY, "check a model folder or a gist file", "MODEL_DIR | FILE.gist",
     "Checks every tensor of a model (shape, place, NaN and infinity) or every byte of a gist file. Prints what it finds, then \"ok\".", 1, 1,
     tg_command_verify},
    {"store", TG_CLI_STORE, "look after the gists kept from run to run",
     "ls [--json]\nt5gist store rm KEY... | rm --all\nt5gist store pin KEY...\nt5gist store unpin KEY...\nt5gist store gc\nt5gist store verify\n"
     "t5gist store export DIR [KEY]...\nt5gist store import FILE.gist|DIR...",
     "The store is a folder where `encode`, `generate` and `score` keep the gist of every --task, and find it in later runs. A KEY is an entry's "
     "name as `ls` shows it, or its first digits. Pinned entries never make room for others. `gc` removes what exceeds the budget and what is "
     "damaged or left over.",
     1, 1 << 20, tg_command_store},
    {"info", TG_CLI_INFO, "this program, this machine, the model", "[--json]", "Prints what the program found and chose on this machine.", 0, 0,
     tg_command_info},
    {"bench", TG_CLI_BENCH, "measure this machine, a model and its gists", "CONFIG.yaml [-o DIR] [--dtype NAME] [--threads N]",
     "Times the prompt's forms (full prompt, gist from memory and from a file, controls, telling words) on the same prompts beside the limits of "
     "the machine measured in the same run. Prints a Markdown report; with -o DIR also writes JSON, the report and pictures there.",
     1, 1, tg_command_bench},
    {"eval", TG_CLI_EVAL, "measure what compression costs in answers",
     "CONFIG.yaml | --data FILE... [--limit N] [--gists K] [-o DIR]\nt5gist eval --answers FILE.jsonl",
     "Asks a model every example under each condition (full, pos_control, prefix, gist at each k, telling words, neg_control) and prints one "
     "table: exact match, ROUGE, log-probability of the reference, and what share of the way from neg_control to pos_control the gist recovers, "
     "with 95 % intervals. With -o DIR also writes JSON, the report, the answers and pictures there.",
     0, 1, tg_command_eval},
    {"train", TG_CLI_TRAIN, "make a gist model",
     "CONFIG.yaml [--resume | --overwrite] [-o DIR] [--threads N]\nmpirun -n N t5gist train CONFIG.yaml ...",
     "Trains what the recipe says (docs/TRAINING.md, configs/) and writes a Hugging Face folder that transformers and t5gist load. Says before it "
     "starts what memory and time it will take. Ctrl-C finishes the step, saves a snapshot and says how to go on.",
     1, 1, tg_command_train},
    {"help", 0, "help on a command", "[COMMAND]", "Prints the list of commands, or the options of one.", 0, 1, tg_command_help},
    {0},
};

void tg_cli_note(const tg_context *context, const char *format, ...) {
  if (context->settings.quiet) return;
  va_list arguments;
  va_start(arguments, format);
  fputs("t5gist: ", stderr);
  vfprintf(stderr, format, arguments);
  fputc('\n', stderr);
  va_end(arguments);
}

void tg_cli_report(const tg_context *context, const char *message) {
  fprintf(stderr, "t5gist %s: %s\n", context->command->name, message);
}

/* Removes the temporary file of a save in progress and dies by the signal (SA_RESETHAND has restored its default action). */
static void on_signal(int number) {
  t5gist_cleanup_on_signal();
  raise(number);
}

static void catch_signals(void) {
  static const int numbers[] = {SIGINT, SIGTERM, SIGHUP};
  struct sigaction action = {.sa_handler = on_signal, .sa_flags = (int)SA_RESETHAND | SA_NODEFER}, old;
  sigemptyset(&action.sa_mask);
  for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
    if (!sigaction(numbers[i], NULL, &old) && old.sa_handler != SIG_IGN) sigaction(numbers[i], &action, NULL);
  }
}

static const tg_command *find_command(const char *name) {
  for (const tg_command *c = tg_commands; c->name; c++) {
    if (!strcmp(c->name, name)) return c;
  }
  return NULL;
}

static t5gist_status run_command(tg_context *context, int argc, char **argv, t5gist_error *err) {
  TG_TRY(tg_options_read(context, argc, argv, err));
  if (context->settings.help)
    tg_help_command(context->command, stdout);
  else if (context->settings.version)
    printf("t5gist %s\n", t5gist_version());
  else
    TG_TRY(context->command->run(context, err));
  return tg_out_flush(err);
}

/* Words before or instead of a command: 0 when they were all that was asked for. */
static int without_command(const char *word) {
  t5gist_error err = {0};
  if (!strcmp(word, "--version"))
    printf("t5gist %s\n", t5gist_version());
  else if (!strcmp(word, "--help") || !strcmp(word, "-h"))
    tg_help_overview(stdout);
  else if (word[0] == '-')
    tg_fail(&err, T5GIST_EUSAGE, "expected a command before %s; `t5gist help` lists them", word);
  else
    tg_unknown_command(word, &err);
  if (!err.status) tg_out_flush(&err);
  if (err.status) fprintf(stderr, "t5gist: %s\n", err.message);
  return err.status == T5GIST_EUSAGE ? 2 : err.status != T5GIST_OK;
}

int main(int argc, char **argv) {
  catch_signals();
  if (argc < 2) {
    tg_help_overview(stderr);
    return 2;
  }
  const tg_command *command = find_command(argv[1]);
  if (!command) return without_command(argv[1]);
  tg_context context = {.command = command};
  t5gist_error err = {0};
  const t5gist_status status = run_command(&context, argc - 1, argv + 1, &err);
  if (status) tg_cli_report(&context, err.message);
  const bool failed = status || context.failed;
  tg_context_free(&context);
  return status == T5GIST_EUSAGE ? 2 : failed;
}
