/* A session and its requests in flight. A request becomes a job, which waits (and is tokenised when its turn comes), is admitted (its prefix
 * and input are encoded, packed with its mates'), lives (takes part in every decoder pass), and is delivered. session.c moves jobs along;
 * job.c, share.c and score.c say what one is. */
#ifndef T5GIST_GIST_SESSION_H
#define T5GIST_GIST_SESSION_H

#include "gist/gist.h"
#include "gist/prompt.h"
#include "gist/store.h"
#include "t5/search.h"
#include "t5gist/tools.h"

/* ----------------------------------------------------------------------------------------------------------------------------- sharing */

/* A compressed task that all jobs with this task text and number of gists share; encoded for the first that is admitted. Without users it is kept
 * for jobs to come, until too many or too large ones were used later. */
typedef struct tg_shared {
  struct tg_shared *next;          /* in its bucket */
  struct tg_shared *newer, *older; /* kept without users */
  uint64_t hash;
  char *task;
  int n_gist;
  size_t users;      /* jobs that hold it */
  t5gist_gist *gist; /* null: not encoded yet */
  double encode_ms;  /* what encoding it took; 0: not known */
  bool sought;       /* in the store */
  bool claimed;      /* one of the jobs being admitted is having it encoded */
} tg_shared;

enum { TG_SHARE_BUCKETS = 256, TG_SHARE_KEPT = 64 };
#define TG_SHARE_KEPT_BYTES ((size_t)64 << 20)
typedef struct tg_share {
  tg_shared *buckets[TG_SHARE_BUCKETS];
  tg_shared *newest, *oldest; /* without users */
  size_t n_kept, bytes_kept;  /* at most TG_SHARE_KEPT, TG_SHARE_KEPT_BYTES */
} tg_share;

/* Finds or makes the entry and counts one more user. */
t5gist_status tg_share_take(tg_share *share, const char *task, int n_gist, tg_shared **out, t5gist_error *err);
void tg_share_release(tg_share *share, tg_shared *shared); /* null is allowed */
void tg_share_clear(tg_share *share);                      /* frees what is kept without users */

/* -------------------------------------------------------------------------------------------------------------------------------- jobs */

/* Teacher forcing of several targets over one memory. A pass takes either whole targets side by side or a stretch of one long target. */
typedef struct tg_scoring {
  tg_ids *fed;    /* [n] start token, target, end token: all but the last are fed, all but the first are predicted */
  size_t n, next; /* next: the first target not finished */
  int done;       /* predicted tokens of that one */
} tg_scoring;

typedef struct tg_job {
  struct tg_job *next;    /* in the waiting queue */
  t5gist_request request; /* as submitted: pointers are the caller's; options resolved */
  t5gist_answer_callback *on_answer;
  void *user;
  int n_gist;              /* k after defaults; 0: no gist tokens */
  bool split;              /* condition gist in two passes: the input's goes over the gist's K and V */
  tg_shared *shared;       /* split without the caller's gist */
  const t5gist_gist *gist; /* split: what the input is encoded over, once known */

  bool prepared;    /* tokenised; what follows is filled */
  tg_prompt prompt; /* without task and gist tokens where their gist was known already */
  tg_mask mask;
  tg_memory memory;
  tg_cache cache;
  tg_search *search; /* null: scoring */
  tg_scoring scoring;
  int width;        /* most rows that it takes in a decoder pass */
  size_t bytes;     /* estimate of what memory and cache will take */
  bool decoded;     /* has been in a decoder pass */
  double submitted; /* milliseconds of the monotonic clock */
  t5gist_answer answer;
} tg_job;

/* Refuses wrong usage; makes a job of a request. */
t5gist_status tg_job_new(t5gist_session *session, const t5gist_request *request, tg_job **job, t5gist_error *err);
void tg_job_free(t5gist_session *session, tg_job *job);
/* Tokenises and estimates. */
t5gist_status tg_job_prepare(t5gist_session *session, tg_job *job, t5gist_error *err);
/* Rows of the job's own encoder pass, and the pass itself. */
int tg_job_rows(const tg_job *job);
tg_encoder_sequence tg_job_sequence(const tg_job *job);
tg_span tg_job_cross(const tg_job *job); /* which of those rows the decoder sees */

t5gist_status tg_scoring_prepare(const tg_t5 *t5, const t5gist_request *request, tg_scoring *scoring, t5gist_answer *answer, t5gist_error *err);
void tg_scoring_free(tg_scoring *scoring);
int tg_scoring_width(const tg_scoring *scoring); /* most rows of a pass */
int tg_scoring_cache_rows(const tg_scoring *scoring);
/* The sequences of the next pass, [at most TG_SCORE_ROWS]; how many. The caller sets cache and memory. */
enum { TG_SCORE_ROWS = 64 };
int tg_scoring_next(const tg_scoring *scoring, tg_decoder_sequence *sequences);
t5gist_status tg_scoring_advance(tg_scoring *scoring, const float *logits, size_t vocab_size, t5gist_answer *answer, t5gist_error *err);
bool tg_scoring_done(const tg_scoring *scoring);

/* ----------------------------------------------------------------------------------------------------------------------------- session */

struct t5gist_session {
  const t5gist_model *model;
  tg_workspace *workspace;
  tg_share share;
  t5gist_store *store; /* null: none */
  tg_job *first, *last; /* waiting */
  tg_job **live;        /* [n_live] in order of admission */
  size_t n_live, live_capacity;
  size_t live_width, live_bytes; /* sums over live */
  size_t pending;
  bool stepping; /* inside t5gist_step, where callbacks run */
  tg_counters counters[T5GIST_N_STAGES];
  tg_recycler recycler;
  bool one_pass; /* for tests: condition gist and neg_control as one masked pass over everything */
  /* For tests and measurements: [n_scripts] scripts, which outlive the session's requests; request_key i guesses by scripts[i]. */
  const tg_draft_script *scripts;
  size_t n_scripts;
};

#endif
