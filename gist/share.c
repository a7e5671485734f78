/* Gists shared by the requests of a session. */
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

/* What the gist holds. Its sizes were allocated, so nothing overflows. */
static size_t bytes_of(const t5gist_gist *gist) {
  size_t encoder = 0, decoder = 0;
  tg_gist_values(gist, gist->n_layers, &encoder);
  tg_gist_values(gist, gist->n_decoder_layers, &decoder);
  return (2 * encoder + 2 * decoder + (size_t)gist->n_gist * (size_t)gist->d_model) * sizeof(float);
}

/* ---------------------------------------------------------------------------------------------------------------- kept without users */

static void keep(tg_share *share, tg_shared *shared) {
  shared->older = share->newest;
  shared->newer = NULL;
  *(share->newest ? &share->newest->newer : &share->oldest) = shared;
  share->newest = shared;
  share->n_kept++;
  share->bytes_kept += bytes_of(shared->gist);
}

static void unkeep(tg_share *share, tg_shared *shared) {
  *(shared->newer ? &shared->newer->older : &share->newest) = shared->older;
  *(shared->older ? &shared->older->newer : &share->oldest) = shared->newer;
  shared->newer = shared->older = NULL;
  share->n_kept--;
  share->bytes_kept -= bytes_of(shared->gist);
}

static void forget(tg_share *share, tg_shared *shared) {
  tg_shared **at = &share->buckets[shared->hash % TG_SHARE_BUCKETS];
  while (*at != shared) at = &(*at)->next;
  *at = shared->next;
  free_shared(shared);
}

static void shrink(tg_share *share, size_t most, size_t most_bytes) {
  while (share->oldest && (share->n_kept > most || share->bytes_kept > most_bytes)) {
    tg_shared *oldest = share->oldest;
    unkeep(share, oldest);
    forget(share, oldest);
  }
}

/* ----------------------------------------------------------------------------------------------------------------------------- sharing */

t5gist_status tg_share_take(tg_share *share, const char *task, int n_gist, tg_shared **out, t5gist_error *err) {
  const uint64_t hash = hash_task(task, n_gist);
  tg_shared **bucket = &share->buckets[hash % TG_SHARE_BUCKETS];
  for (tg_shared *s = *bucket; s; s = s->next) {
    if (s->hash != hash || s->n_gist != n_gist || strcmp(s->task, task) != 0) continue;
    if (s->users++ == 0) unkeep(share, s);
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
  if (shared->gist == NULL) { /* never encoded */
    forget(share, shared);
    return;
  }
  keep(share, shared);
  shrink(share, TG_SHARE_KEPT, TG_SHARE_KEPT_BYTES);
}

void tg_share_clear(tg_share *share) {
  shrink(share, 0, 0);
}
