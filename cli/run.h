/* What generate and score share: requests from the command line, from lines or from a batch go through one session, answers come out in order. */
#ifndef T5GIST_CLI_RUN_H
#define T5GIST_CLI_RUN_H

#include "cli/cli.h"

/* ---- lines.c: the lines of a file or pipe, without waiting where there is other work */
typedef struct tg_lines {
  const char *name; /* for errors */
  int fd;
  bool ended, skipping; /* skipping: inside a line that is too long */
  tg_buffer buffer;
  size_t begin, scanned; /* unread bytes begin here; no line end before scanned */
  size_t count;          /* lines delivered */
} tg_lines;

typedef enum tg_line_state { TG_LINE_READY, TG_LINE_LATER, TG_LINE_END } tg_line_state;
typedef struct tg_line {
  char *text; /* [length] without its line end, NUL-terminated; valid until the next call */
  size_t length, index;
  bool too_long; /* more than TG_CLI_TEXT_LIMIT bytes; text is empty */
} tg_line;

t5gist_status tg_lines_open(const char *path, tg_lines *lines, t5gist_error *err); /* "-": standard input */
void tg_lines_close(tg_lines *lines);
/* wait: block until a line is there; otherwise TG_LINE_LATER when there is none yet. */
t5gist_status tg_lines_next(tg_lines *lines, bool wait, tg_line *line, tg_line_state *state, t5gist_error *err);

/* ---- request.c: settings become a request */
typedef struct tg_gist_entry {
  char *path;
  t5gist_gist *gist;
  size_t users; /* jobs not yet emitted */
  uint64_t last_used;
} tg_gist_entry;
enum { TG_GIST_CACHE = 32 };
/* Gist files stay open between the requests of a batch; one that nobody uses makes room when there are more than TG_GIST_CACHE. */
typedef struct tg_gist_cache {
  tg_gist_entry **entries; /* [count] owned */
  size_t count, capacity;
  uint64_t clock;
} tg_gist_cache;

typedef struct cli_job cli_job;
struct cli_job {
  size_t index;         /* 0-based, of its line */
  json_t *id;           /* owned; null: none */
  tg_settings settings; /* owned; in a batch */
  char *task, *input;   /* owned; what files held */
  tg_gist_entry *gist;  /* from the cache, counted in its users */
  t5gist_request request;
  t5gist_answer answer;
  t5gist_error error; /* why it has no answer */
  bool done;
  cli_job *next;
};

/* What settings say against each other: exactly one of --gist, --task, --task-file and --raw, at most one input, targets where there is something
 * to score. in_batch: standard input is taken. */
t5gist_status tg_request_check(const tg_settings *settings, bool score, bool in_batch, t5gist_error *err);
/* Fills job->request from checked settings, which outlive the job. */
t5gist_status tg_request_make(tg_context *context, tg_gist_cache *cache, const tg_settings *settings, cli_job *job, t5gist_error *err);
/* Random numbers belong to the texts of a request, whatever its place: sets options.request_key. */
void tg_request_key(t5gist_request *request);
void cli_job_free(cli_job *job);
void tg_gist_cache_free(tg_gist_cache *cache);

/* ---- answer.c: answers as JSON and as text */
json_t *tg_answer_json(const cli_job *job, bool score);
json_t *tg_error_json(const cli_job *job);
/* The answer of job as lines of text. single_line: exactly one line, line breaks inside become spaces. streamed: the text is out already. */
t5gist_status tg_answer_text(const cli_job *job, bool score, bool single_line, bool streamed, t5gist_error *err);

/* ---- run.c */
t5gist_status tg_run_requests(tg_context *context, bool score, t5gist_error *err);

#endif
