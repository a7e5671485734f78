#include "t5/logits.h"

#include <math.h>
#include <string.h>

#include "runtime/error.h"
#include "runtime/kernels.h"

/* ------------------------------------------------------------------------------------------------------------------------- processors */

t5gist_status tg_processor_init(tg_processor *processor, const tg_rules *rules, size_t vocab_size, t5gist_error *err) {
  *processor = (tg_processor){.rules = *rules, .vocab_size = vocab_size};
  if (rules->repetition_penalty == 1.0f) return T5GIST_OK;
  return tg_alloc(&processor->stamps, vocab_size, sizeof *processor->stamps, err);
}

void tg_processor_free(tg_processor *processor) {
  tg_free(processor->stamps);
  tg_free(processor->edits);
  *processor = (tg_processor){0};
}

static void edit(tg_processor *processor, float *row, size_t id, float score) {
  processor->edits[processor->n_edits++] = (tg_edit){id, row[id]};
  row[id] = score;
}

static void ban(tg_processor *processor, float *row, int32_t id) {
  if (id < 0 || (size_t)id >= processor->vocab_size || row[id] == -INFINITY) return;
  edit(processor, row, (size_t)id, -INFINITY);
}

static void penalise_repetition(tg_processor *processor, const int32_t *ids, size_t n_ids, float *row) {
  const float penalty = processor->rules.repetition_penalty;
  if (++processor->round == 0) { /* the counter has come round: forget all stamps */
    memset(processor->stamps, 0, processor->vocab_size * sizeof *processor->stamps);
    processor->round = 1;
  }
  for (size_t i = 0; i < n_ids; i++) {
    const size_t id = (size_t)ids[i];
    if (processor->stamps[id] == processor->round) continue;
    processor->stamps[id] = processor->round;
    edit(processor, row, id, row[id] < 0 ? row[id] * penalty : row[id] / penalty);
  }
}

/* Bans whatever followed an earlier occurrence of the last size - 1 ids. */
static void ban_ngrams(tg_processor *processor, const int32_t *ids, size_t n_ids, float *row) {
  const size_t size = (size_t)processor->rules.no_repeat_ngram_size;
  if (n_ids + 1 < size) return;
  const int32_t *last = ids + n_ids - (size - 1);
  for (size_t i = 0; i + size <= n_ids; i++)
    if (memcmp(ids + i, last, (size - 1) * sizeof *ids) == 0) ban(processor, row, ids[i + size - 1]);
}

t5gist_status tg_processor_apply(tg_processor *processor, const int32_t *ids, size_t n_ids, float *row, t5gist_error *err) {
  const tg_rules *rules = &processor->rules;
  const size_t room = 2 * n_ids + rules->n_banned + 1; /* ids lie in memory: no overflow */
  TG_TRY(tg_reserve(&processor->edits, &processor->capacity, room, sizeof *processor->edits, err));
  processor->n_edits = 0;
  if (processor->stamps) penalise_repetition(processor, ids, n_ids, row);
  if (rules->no_repeat_ngram_size > 0) ban_ngrams(processor, ids, n_ids, row);
  if (n_ids - 1 < (size_t)rules->min_new_tokens) ban(processor, row, rules->end_id);
  for (size_t i = 0; i < rules->n_banned; i++) ban(processor, row, rules->banned[i]);
  return T5GIST_OK;
}

void tg_processor_restore(tg_processor *processor, float *row) {
  while (processor->n_edits > 0) { /* backwards: an id may have been edited twice */
    const tg_edit *last = &processor->edits[--processor->n_edits];
    row[last->id] = last->before;
  }
}

/* ------------------------------------------------------------------------------------------------------------------------------- best */

t5gist_status tg_best_init(tg_best *best, size_t limit, t5gist_error *err) {
  *best = (tg_best){.limit = limit};
  return tg_alloc(&best->entries, limit, sizeof *best->entries, err);
}

void tg_best_free(tg_best *best) {
  tg_free(best->entries);
  *best = (tg_best){0};
}

static bool better(const tg_best_entry *a, const tg_best_entry *b) {
  if (a->score != b->score) return a->score > b->score;
  return a->row != b->row ? a->row < b->row : a->id < b->id;
}

/* Binary heaps: worst on top while collecting, best on top while taking out. */
static void sift_down(tg_best_entry *heap, size_t n, size_t at, bool worst_on_top) {
  const tg_best_entry moving = heap[at];
  for (size_t child; (child = 2 * at + 1) < n; at = child) {
    if (child + 1 < n && better(&heap[child], &heap[child + 1]) == worst_on_top) child++;
    if (better(&heap[child], &moving) == worst_on_top) break;
    heap[at] = heap[child];
  }
  heap[at] = moving;
}

static void sift_up_worst(tg_best_entry *heap, size_t at) {
  const tg_best_entry moving = heap[at];
  while (at > 0 && better(&heap[(at - 1) / 2], &moving)) {
    heap[at] = heap[(at - 1) / 2];
    at = (at - 1) / 2;
  }
  heap[at] = moving;
}

static void offer(tg_best *best, tg_best_entry entry) {
  if (best->n < best->limit) {
    best->entries[best->n] = entry;
    sift_up_worst(best->entries, best->n++);
  } else if (better(&entry, &best->entries[0])) {
    best->entries[0] = entry;
    sift_down(best->entries, best->n, 0, true);
  }
}

void tg_best_scan(tg_best *best, const float *scores, size_t n, float offset, int row) {
  enum { BLOCK = 256 };
  if (best->limit == 0) return;
  for (size_t begin = 0; begin < n; begin += BLOCK) {
    const size_t end = n - begin < BLOCK ? n : begin + BLOCK;
    /* Equal scores that come later are not better, so only what exceeds the worst counts; a count vectorises, and most blocks have none. */
    const float floor = best->n < best->limit ? -INFINITY : best->entries[0].score;
    int hits = 0;
    for (size_t i = begin; i < end; i++) hits += scores[i] + offset > floor;
    for (size_t i = begin; hits > 0 && i < end; i++) {
      if (!(scores[i] + offset > floor)) continue;
      offer(best, (tg_best_entry){scores[i] + offset, (int32_t)i, row});
      hits--;
    }
  }
}

void tg_best_sort(tg_best *best) {
  for (size_t n = best->n; n > 1; n--) { /* the worst of those left goes behind them */
    const tg_best_entry worst = best->entries[0];
    best->entries[0] = best->entries[n - 1];
    sift_down(best->entries, n - 1, 0, true);
    best->entries[n - 1] = worst;
  }
}

/* ------------------------------------------------------------------------------------------------------------------------------- draw */

t5gist_status tg_sampler_init(tg_sampler *sampler, float temperature, int top_k, float top_p, size_t vocab_size, t5gist_error *err) {
  *sampler = (tg_sampler){.temperature = temperature, .top_p = top_p};
  if (top_k > 0 && (size_t)top_k < vocab_size) TG_TRY(tg_best_init(&sampler->top_k, (size_t)top_k, err));
  return top_p < 1.0f ? tg_alloc(&sampler->heap, vocab_size, sizeof *sampler->heap, err) : T5GIST_OK;
}

void tg_sampler_free(tg_sampler *sampler) {
  tg_best_free(&sampler->top_k);
  tg_free(sampler->heap);
  *sampler = (tg_sampler){0};
}

/* The weight of a score before normalisation; 1 for the highest. The difference first: no temperature, however small, makes inf - inf. */
static double weight(const tg_sampler *sampler, float score, float highest) {
  return (double)expf((score - highest) / sampler->temperature);
}

/* The last entry that top_p keeps. */
static tg_best_entry nucleus_end(tg_sampler *sampler, const float *scores, size_t n, float highest, const tg_best_entry *floor) {
  tg_best_entry *heap = sampler->heap;
  size_t kept = 0;
  double total = 0, sum = 0;
  for (size_t i = 0; i < n; i++) {
    const tg_best_entry entry = {scores[i], (int32_t)i, 0};
    if (scores[i] == -INFINITY || better(floor, &entry)) continue;
    heap[kept++] = entry;
    total += weight(sampler, scores[i], highest);
  }
  for (size_t i = kept / 2; i-- > 0;) sift_down(heap, kept, i, false);
  for (;;) {
    const tg_best_entry last = heap[0];
    sum += weight(sampler, last.score, highest);
    if (kept == 1 || sum >= (double)sampler->top_p * total) return last;
    heap[0] = heap[--kept];
    sift_down(heap, kept, 0, false);
  }
}

int32_t tg_sampler_draw(tg_sampler *sampler, const float *scores, size_t n, double uniform) {
  const long top = tg_argmax(scores, n);
  if (top < 0 || scores[top] == -INFINITY) return -1;
  const float highest = scores[top];
  tg_best_entry floor = {-INFINITY, INT32_MAX, 0}; /* everything at least as good is kept */
  if (sampler->top_k.limit > 0) {
    tg_best_clear(&sampler->top_k);
    tg_best_scan(&sampler->top_k, scores, n, 0, 0);
    if (sampler->top_k.n == sampler->top_k.limit) floor.score = sampler->top_k.entries[0].score;
  }
  if (sampler->top_p < 1.0f) floor = nucleus_end(sampler, scores, n, highest, &floor);

  double total = 0, sum = 0;
  for (int pass = 0; pass < 2; pass++) { /* in the order of ids, which no rounding of scores can change */
    for (size_t i = 0; i < n; i++) {
      const tg_best_entry entry = {scores[i], (int32_t)i, 0};
      if (scores[i] == -INFINITY || better(&floor, &entry)) continue;
      const double w = weight(sampler, scores[i], highest);
      if (pass == 0) {
        total += w;
      } else if ((sum += w) > uniform * total) {
        return (int32_t)i;
      }
    }
  }
  return (int32_t)top; /* rounding made uniform * total the total itself */
}
