/* Mixed requests through the API at length, some cancelled, some wrong, sessions made anew now and then: memory and descriptors stay what they were.
 *     soak [REQUESTS]      4,000 without a number. Exit status 1: more than 1.05 times the resident memory at a tenth of the way (in less than 20,000
 *                          requests 1.15 times: a tenth is not yet warm), or a descriptor more */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "support.h"
#include "t5/random.h"
#include "tests/support/folder.h"

enum { SEED = 3, TASKS = 300, MOST_WORDS = 40, LINE = 1024 };

typedef struct soak {
  const world *world;
  t5gist_store *store;
  t5gist_session *session;
  uint64_t key, drawn;
  size_t answered, cancelled, refused, sessions;
} soak;

static unsigned draw(soak *s, unsigned n) {
  return (unsigned)(tg_random_at(s->key, s->drawn++) % n);
}

static void must(t5gist_status status, const t5gist_error *err) {
  if (status == T5GIST_OK) return;
  fprintf(stderr, "soak: %s\n", err->message);
  exit(1);
}

static size_t resident(void) {
  FILE *file = fopen("/proc/self/statm", "re");
  size_t pages = 0;
  if (!file || fscanf(file, "%*u %zu", &pages) != 1) exit(1);
  fclose(file);
  return pages * (size_t)sysconf(_SC_PAGESIZE);
}

static int descriptors(void) {
  DIR *dir = opendir("/proc/self/fd");
  int n = 0;
  while (readdir(dir)) n++;
  closedir(dir);
  return n;
}

static const char *words(soak *s, char text[LINE], unsigned most) {
  static const char *const some[] = {"red ", "lamp ", "Oslo ", "three ", "please ", "send ", "9 ", "to "};
  text[0] = 0;
  for (unsigned i = draw(s, most) + 1; i > 0; i--) strcat(text, some[draw(s, 8)]);
  return text;
}

static bool maybe_cancel(void *user, const char *text) {
  (void)text;
  return draw(user, 4) != 0;
}

static void take(void *user, t5gist_answer *answer) {
  soak *s = user;
  *(answer->error.status == T5GIST_OK ? &s->answered : answer->error.status == T5GIST_ECANCELLED ? &s->cancelled : &s->refused) += 1;
  t5gist_answer_clear(answer);
}

static void renew(soak *s) {
  t5gist_error err;
  t5gist_session_free(s->session); /* what is in flight is dropped */
  must(t5gist_session_new(s->world->model, &s->session, &err), &err);
  if (draw(s, 2)) must(t5gist_session_use_store(s->session, s->store, &err), &err);
  s->sessions++;
}

/* A few requests of any kind, submitted together; texts stay valid until the answers. */
static void round_of_requests(soak *s, size_t n) {
  static const char *const targets[] = {"Oslo", "red"};
  static char tasks[8][LINE], inputs[8][LINE];
  t5gist_error err;
  for (size_t i = 0; i < n; i++) {
    t5gist_request r;
    t5gist_request_init(&r);
    snprintf(tasks[i], LINE, "Say only word %u.", draw(s, TASKS));
    r.task = tasks[i];
    r.input = words(s, inputs[i], MOST_WORDS);
    r.gists = (int)draw(s, 4) + 1;
    r.options.max_new_tokens = (int)draw(s, 12) + 1;
    switch (draw(s, 8)) {
      case 0: r.options.beams = 3; break;
      case 1: r.options.temperature = 1; break;
      case 2: r.targets = targets, r.n_targets = 2; break;
      case 3: r.condition = T5GIST_FULL; break;
      case 4: r.options.draft = T5GIST_DRAFT_RECYCLE; break;
      case 5: r.options.max_input_tokens = 3; break; /* often refused */
      default: r.on_text = maybe_cancel, r.user = s; break;
    }
    must(t5gist_submit(s->session, &r, take, s, &err), &err);
  }
  while (t5gist_pending(s->session)) {
    must(t5gist_step(s->session, &err), &err);
    if (draw(s, 400) == 0) renew(s);
  }
}

int main(int argc, char **argv) {
  const size_t n = argc > 1 ? strtoul(argv[1], NULL, 10) : 4000;
  t5gist_error err;
  world *w = world_new();
  soak s = {.world = w, .key = tg_random_key(SEED, 0)};
  const t5gist_store_options options = {.budget = 1 << 20};
  must(t5gist_store_open(folder_path(w->folder, "store"), &options, &s.store, &err), &err);
  size_t done = 0, early = 0;
  int files = 0;
  while (done < n) {
    if (done % 512 < 8 || !s.session) renew(&s);
    const size_t some = draw(&s, 8) + 1;
    round_of_requests(&s, some);
    done += some;
    if (!early && done >= n / 10) early = resident(), files = descriptors();
  }
  const size_t late = resident();
  const int files_late = descriptors();
  printf("%zu requests: %zu answered, %zu cancelled, %zu refused, %zu sessions; resident %.1f MB at a tenth, %.1f MB at the end (x %.3f); %d descriptors, %d at the end\n", done,
         s.answered, s.cancelled, s.refused, s.sessions, (double)early * 1e-6, (double)late * 1e-6, (double)late / (double)early, files, files_late);
  t5gist_session_free(s.session);
  t5gist_store_close(s.store);
  world_free(w);
  return (double)late > (n < 20000 ? 1.15 : 1.05) * (double)early || files_late > files;
}
