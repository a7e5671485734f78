/* What drafts bring (t5/draft.h), each beside plain decoding in the same run, interleaved; medians.
 *
 *   bench_drafts scripted MODEL|SHAPE [THREADS [REPEATS [BATCH]]]    guesses from the known answer, each right with probability p, over batch
 *                                                                    sizes; inputs of about 20 tokens, repeated so often
 *   bench_drafts tasks MODEL|SHAPE TASKS.tsv [THREADS]               the sources that users have, over lines "task<TAB>input", one by one
 *
 * SHAPE (small, base, ...): a checkpoint of random weights, made and removed here. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gist/session.h"
#include "gist/tools.h"
#include "runtime/file.h"
#include "t5gist/tools.h"

enum { NEW_TOKENS = 32, MOST_BATCH = 8, MOST_ROUNDS = 64 };

static t5gist_model *model;
static t5gist_session *session;

static void need(t5gist_status status, const t5gist_error *err) {
  if (status == T5GIST_OK) return;
  fprintf(stderr, "bench_drafts: %s\n", err->message);
  exit(1);
}

static int ascending(const void *a, const void *b) {
  const double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

static double median(double *values, int n) {
  qsort(values, (size_t)n, sizeof *values, ascending);
  return n % 2 ? values[n / 2] : (values[n / 2 - 1] + values[n / 2]) / 2;
}

/* ----------------------------------------------------------------------------------------------------------------------------- opening */

static void open_model(const char *name, int threads) {
  t5gist_error err;
  t5gist_model_options options;
  t5gist_machine machine;
  t5gist_model_info info;
  char made[] = "/tmp/bench_drafts_XXXXXX";
  const bool is_shape = !tg_is_folder(name);
  t5gist_model_options_init(&options);
  options.threads = threads;
  if (is_shape) {
    if (!mkdtemp(made)) exit(1);
    need(t5gist_make_model(made, name, "flan", "f32", 7, T5GIST_UNSET, BENCH_TOKENIZER, &err), &err);
  }
  const t5gist_status status = t5gist_model_open(is_shape ? made : name, &options, &model, &err);
  if (is_shape) { /* what is open stays mapped */
    static const char *const files[] = {"config.json", "model.safetensors", "spiece.model", "generation_config.json"};
    char path[256];
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
      snprintf(path, sizeof path, "%s/%s", made, files[i]);
      remove(path);
    }
    remove(made);
  }
  need(status, &err);
  need(t5gist_session_new(model, &session, &err), &err);
  t5gist_machine_describe(&machine);
  t5gist_model_describe(model, &info);
  printf("%s, %s, %d threads; %s, %s\n", machine.cpu, machine.isa, info.threads, name, info.dtype);
}

/* --------------------------------------------------------------------------------------------------------------------------- scripted */

static const char *const TEXTS[MOST_BATCH] = {
    "please sort the letters by date and write one short line about each of them for the office in Paris",
    "the train to the north leaves at seven and nobody has told the guests that the hall is closed today",
    "when the rain had stopped we walked along the river and counted the boats that came back from the sea",
    "send the list of names to the printer and ask for forty copies on thick paper before the end of May",
    "the red house near the station was sold in spring and its garden has been empty since that long day",
    "she reads every letter twice and answers those that ask a question with a short and friendly line",
    "the meeting on Monday moves to the small room because the large one is painted white this week",
    "nobody knows who left the lamp burning in the kitchen but the cat slept under it the whole night",
};

static char *prompts[MOST_BATCH];
static int32_t *answers[MOST_BATCH];

static void make_prompts(int repeats) {
  t5gist_error err;
  for (int i = 0; i < MOST_BATCH; i++) {
    tg_buffer text = {0};
    for (int r = 0; r < repeats; r++) need(tg_buffer_printf(&text, &err, r ? ", %s" : "%s", TEXTS[(i + r) % MOST_BATCH]), &err);
    prompts[i] = text.data;
  }
}

/* Milliseconds of decoding a batch once; drafts as the session's scripts say. keep: the answers' tokens are kept for scripts. */
static double decode_batch(int n, bool keep, double *accepted) {
  t5gist_error err;
  t5gist_request requests[MOST_BATCH] = {0};
  t5gist_answer out[MOST_BATCH];
  double ms = 0;
  int right = 0, drafted = 0;
  for (int i = 0; i < n; i++) {
    t5gist_request_init(&requests[i]);
    requests[i].input = prompts[i];
    requests[i].raw = true;
    requests[i].options.max_new_tokens = requests[i].options.min_new_tokens = NEW_TOKENS;
    requests[i].options.request_key = (uint64_t)i;
  }
  need(t5gist_generate(session, requests, (size_t)n, out, &err), &err);
  for (int i = 0; i < n; i++) {
    need(out[i].error.status, &out[i].error);
    const double own = out[i].timings.first_token + out[i].timings.decode;
    if (own > ms) ms = own;
    right += out[i].n_accepted;
    drafted += out[i].n_drafted;
    if (keep) {
      tg_free(answers[i]);
      answers[i] = out[i].tokens;
      out[i].tokens = NULL;
    }
    t5gist_answer_clear(&out[i]);
  }
  *accepted = drafted ? (double)right / drafted : 0;
  return ms;
}

static void measure_scripted(int n, float p, int rounds) {
  tg_draft_script scripts[MOST_BATCH];
  double plain[MOST_ROUNDS], drafts[MOST_ROUNDS], ratios[MOST_ROUNDS], accepted = 0, unused;
  decode_batch(n, true, &unused); /* in a batch of the same size: near ties of random weights go another way in another one */
  for (int round = -1; round < rounds; round++) {
    for (int i = 0; i < n; i++) scripts[i] = (tg_draft_script){answers[i], NEW_TOKENS, p, (uint64_t)(1000 * i + round + 1)};
    session->n_scripts = 0;
    const double a = decode_batch(n, false, &unused);
    session->scripts = scripts;
    session->n_scripts = (size_t)n;
    double right;
    const double b = decode_batch(n, false, &right);
    if (round < 0) continue; /* the first one warms up */
    plain[round] = a;
    drafts[round] = b;
    ratios[round] = a / b;
    accepted += right / rounds;
  }
  session->n_scripts = 0;
  const double tokens = 1e3 * n * NEW_TOKENS;
  printf("%5d  %4.1f  %9.1f  %10.1f  %7.2f  %8.2f\n", n, (double)p, tokens / median(plain, rounds), tokens / median(drafts, rounds),
         median(ratios, rounds), accepted);
  fflush(stdout);
}

static void scripted(int only_batch) {
  static const int batches[] = {1, 2, 4, 8};
  static const float ps[] = {0.0f, 0.6f, 1.0f};
  printf("%d tokens each\nbatch     p  plain t/s  drafts t/s    ratio  accepted\n", NEW_TOKENS);
  for (size_t b = 0; b < sizeof batches / sizeof *batches; b++) {
    if (only_batch > 0 && batches[b] != only_batch) continue;
    for (size_t i = 0; i < sizeof ps / sizeof *ps; i++) measure_scripted(batches[b], ps[i], 7);
  }
}

/* ------------------------------------------------------------------------------------------------------------------------------ tasks */

enum { N_KINDS = T5GIST_DRAFT_RECYCLE + 1, MOST_TASKS = 512 };

typedef struct tally {
  double ms; /* median of a round's decoding time */
  int tokens, drafted, accepted;
} tally;

static tally answer_all(char *const *tasks, char *const *inputs, int n, t5gist_draft kind) {
  t5gist_error err;
  tally sum = {0};
  for (int i = 0; i < n; i++) {
    t5gist_request request;
    t5gist_answer answer;
    t5gist_request_init(&request);
    request.task = tasks[i];
    request.input = inputs[i];
    request.options.max_new_tokens = NEW_TOKENS;
    request.options.draft = (int)kind;
    need(t5gist_generate(session, &request, 1, &answer, &err), &err);
    need(answer.error.status, &answer.error);
    sum.ms += answer.timings.first_token + answer.timings.decode;
    sum.tokens += answer.n_tokens;
    sum.drafted += answer.n_drafted;
    sum.accepted += answer.n_accepted;
    t5gist_answer_clear(&answer);
  }
  return sum;
}

static void tasks(const char *path) {
  enum { ROUNDS = 21 };
  t5gist_error err;
  tg_buffer file = {0};
  char *task[MOST_TASKS], *input[MOST_TASKS], *rest;
  int n = 0;
  need(tg_read_file(path, 1 << 20, true, &file, &err), &err);
  for (char *line = strtok_r(file.data, "\n", &rest); line && n < MOST_TASKS; line = strtok_r(NULL, "\n", &rest)) {
    char *tab = strchr(line, '\t');
    if (!tab) continue;
    *tab = 0;
    task[n] = line;
    input[n++] = tab + 1;
  }
  double ms[N_KINDS][ROUNDS], ratios[N_KINDS][ROUNDS];
  tally first[N_KINDS], last[N_KINDS];
  for (int round = -1; round < ROUNDS; round++) {
    for (int kind = 0; kind < N_KINDS; kind++) {
      last[kind] = answer_all(task, input, n, (t5gist_draft)kind);
      if (round < 0) {
        first[kind] = last[kind]; /* with an empty table of recycled tokens; later rounds have seen the very answers */
        continue;
      }
      ms[kind][round] = last[kind].ms;
      ratios[kind][round] = last[T5GIST_DRAFT_NONE].ms / last[kind].ms;
    }
  }
  printf("%d requests, %d tokens\ndraft    drafted  accepted   tokens/s  ratio | first round: drafted  accepted\n", n, last[0].tokens);
  for (int kind = 0; kind < N_KINDS; kind++) {
    printf("%-8s %7d  %8d  %9.1f  %5.2f | %20d  %8d\n", t5gist_draft_name((t5gist_draft)kind), last[kind].drafted, last[kind].accepted,
           1e3 * last[kind].tokens / median(ms[kind], ROUNDS), median(ratios[kind], ROUNDS), first[kind].drafted, first[kind].accepted);
  }
  tg_buffer_free(&file);
}

int main(int argc, char **argv) {
  const bool is_scripted = argc > 2 && !strcmp(argv[1], "scripted"), is_tasks = argc > 3 && !strcmp(argv[1], "tasks");
  if (!is_scripted && !is_tasks) {
    fprintf(stderr, "usage: bench_drafts scripted MODEL|SHAPE [THREADS [REPEATS [BATCH]]] | tasks MODEL|SHAPE TASKS.tsv [THREADS]\n");
    return 2;
  }
  const int at = is_scripted ? 3 : 4;
  open_model(argv[2], argc > at ? atoi(argv[at]) : T5GIST_UNSET);
  if (is_scripted) {
    make_prompts(argc > 4 ? atoi(argv[4]) : 1);
    scripted(argc > 5 ? atoi(argv[5]) : 0);
  } else {
    tasks(argv[3]);
  }
  for (int i = 0; i < MOST_BATCH; i++) {
    tg_free(answers[i]);
    tg_free(prompts[i]);
  }
  t5gist_session_free(session);
  t5gist_model_close(model);
  return 0;
}
