#include <string.h>

#include "gist/session.h"
#include "runtime/error.h"

static uint64_t hash_task(const char *task, int n_gist) { /* FNV-1a */
  uint64_t hash = 14695981039346656037u ^ (uint64_t)n_gist;
  for (; *task; task++) hash = (hash ^ (unsigned char)*task) * 1099511628211u;
  return hash;
}

static void free_shared(tg_shared *shared) {
  t5gist_gist_free(shared->gist);
  tg_free(shared->task);
  tg_free(shared);
}

t5gist_status tg_share_take(tg_share *share, const char *task, int n_gist, tg_shared **out, t5gist_error *err) {
  const uint64_t hash = hash_task(task, n_gist);
  tg_shared **bucket = &share->buckets[hash % TG_SHARE_BUCKETS];
  for (tg_shared *s = *bucket; s; s = s->next) {
    if (s->hash != hash || s->n_gist != n_gist || strcmp(s->task, task) != 0) continue;
    s->users++;
    *out = s;
    return T5GIST_OK;
  }
  tg_shared *shared;
  TG_TRY(tg_alloc(&shared, 1, sizeof *shared, err));
  const t5gist_status status = tg_strdup(&shared->task, task, err);
  if (status != T5GIST_OK) {
    free_shared(shared);
    return status;
  }
  shared->hash = hash;
  shared->n_gist = n_gist;
  shared->users = 1;
  shared->next = *bucket;
  *out = *bucket = shared;
  return T5GIST_OK;
}

void tg_share_release(tg_share *share, tg_shared *shared) {
  if (shared == NULL || --shared->users > 0) return;
  tg_shared **at = &share->buckets[shared->hash % TG_SHARE_BUCKETS];
  while (*at != shared) at = &(*at)->next;
  *at = shared->next;
  free_shared(shared);
}
