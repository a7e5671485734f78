/* Answers that are there already: scored as those of a run are, without any model. */
#include <stdio.h>
#include <string.h>

#include "evaluation/evaluation.h"
#include "runtime/error.h"
#include "runtime/json.h"
#include "runtime/records.h"

enum { FILE_LIMIT = 1 << 30 };

/* The scores of one condition on one split. */
typedef struct group {
  size_t row, split, n, capacity;
  double (*scores)[TG_EVAL_N_METRICS]; /* [n] */
} group;

typedef struct groups {
  group *items; /* [n] */
  size_t n, capacity;
} groups;

static t5gist_status find_row(tg_eval_result *result, size_t set, const char *name, size_t *row, t5gist_error *err) {
  for (*row = 0; *row < result->n_rows; ++*row)
    if (result->rows[*row].set == set && !strcmp(result->rows[*row].name, name)) return T5GIST_OK;
  TG_TRY(tg_resize(&result->rows, result->n_rows, result->n_rows + 1, sizeof *result->rows, err));
  result->rows[result->n_rows].set = set;
  snprintf(result->rows[result->n_rows++].name, sizeof result->rows->name, "%s", name);
  if (set >= result->n_sets) result->n_sets = set + 1;
  return T5GIST_OK;
}

static t5gist_status find_group(groups *all, size_t row, size_t split, group **out, t5gist_error *err) {
  for (size_t i = 0; i < all->n; i++)
    if (all->items[i].row == row && all->items[i].split == split) {
      *out = &all->items[i];
      return T5GIST_OK;
    }
  TG_TRY(tg_reserve(&all->items, &all->capacity, all->n + 1, sizeof *all->items, err));
  *out = &all->items[all->n++];
  **out = (group){.row = row, .split = split};
  return T5GIST_OK;
}

static t5gist_status add_answer(const tg_eval_config *c, const json_t *object, const char *where, tg_eval_result *result, groups *all,
                                t5gist_error *err) {
  const char *prediction, *reference = NULL, *split = NULL, *condition = NULL;
  const char *target = json_object_get(object, c->target_field) ? c->target_field : "reference";
  double scores[TG_EVAL_N_METRICS] = {0};
  size_t row, place;
  int table = 1;
  group *g;
  TG_TRY(tg_eval_text(object, c->prediction_field, "prediction_field", where, &prediction, err));
  TG_TRY(tg_eval_text(object, target, "target_field", where, &reference, err));
  TG_TRY(tg_json_string(object, c->split_field, where, &split, err));
  TG_TRY(tg_json_string(object, "condition", where, &condition, err));
  TG_TRY(tg_json_int(object, "table", where, 1, 1000, &table, err));
  if (condition && strlen(condition) >= sizeof result->rows->name)
    return tg_fail(err, T5GIST_EFORMAT, "%s: condition: expected a name of at most %zu bytes, found %zu", where, sizeof result->rows->name - 1,
                   strlen(condition));
  TG_TRY(tg_eval_score(reference, prediction, scores, err));
  TG_TRY(find_row(result, (size_t)table - 1, condition && *condition ? condition : "answers", &row, err));
  TG_TRY(tg_eval_split_find(&result->data, split && *split ? split : "all", &place, err));
  TG_TRY(find_group(all, row, place, &g, err));
  TG_TRY(tg_reserve(&g->scores, &g->capacity, g->n + 1, sizeof *g->scores, err));
  memcpy(g->scores[g->n++], scores, sizeof scores);
  return T5GIST_OK;
}

static t5gist_status read_answers(const tg_eval_config *c, const char *path, const tg_eval_progress *progress, tg_eval_result *result, groups *all,
                                  t5gist_error *err) {
  tg_records *records = NULL;
  TG_TRY(tg_records_open(path, FILE_LIMIT, &records, err));
  t5gist_status status;
  for (;;) {
    const json_t *object;
    t5gist_error found;
    status = tg_records_next(records, &object, &found);
    if (status == T5GIST_OK && !object) break;
    if (status == T5GIST_OK) status = add_answer(c, object, tg_records_where(records), result, all, &found);
    if (status != T5GIST_OK && (status = tg_eval_pass_over(c, progress, &result->data, status, &found, err)) != T5GIST_OK) break;
  }
  tg_records_close(records);
  if (status == T5GIST_OK && all->n == 0) return tg_fail(err, T5GIST_EFORMAT, "%s: expected at least one answer, found none", path);
  return status;
}

static t5gist_status fill_cell(const tg_eval_config *config, const group *g, tg_eval_result *result, t5gist_error *err) {
  const tg_resampling how = {.seed = config->seed, .resamples = (size_t)config->resamples};
  tg_eval_cell *cell = &result->rows[g->row].cells[g->split];
  double *values = NULL;
  TG_TRY(tg_alloc(&values, g->n, sizeof *values, err));
  t5gist_status status = T5GIST_OK;
  cell->n = g->n;
  for (int m = 0; status == T5GIST_OK && m < TG_EVAL_LOGPROB; m++) {
    for (size_t i = 0; i < g->n; i++) values[i] = g->scores[i][m];
    status = tg_bootstrap(TG_STATISTIC_MEAN, TG_CONTRAST_NONE, (const double *const[]){values}, g->n, &how, &cell->values[m], err);
  }
  tg_free(values);
  return status;
}

t5gist_status tg_eval_run_answers(const tg_eval_config *config, const char *path, const char *command, const tg_eval_progress *progress,
                                  tg_eval_result *result, t5gist_error *err) {
  groups all = {0};
  t5gist_status status = T5GIST_OK;
  *result = (tg_eval_result){.from_answers = true};
  snprintf(result->command, sizeof result->command, "%s", command);
  TG_GOTO(read_answers(config, path, progress, result, &all, err));
  for (size_t i = 0; i < result->n_rows; i++) TG_GOTO(tg_alloc(&result->rows[i].cells, result->data.n_splits, sizeof *result->rows[i].cells, err));
  for (size_t i = 0; i < all.n; i++) {
    tg_eval_split *split = &result->data.splits[all.items[i].split];
    if (all.items[i].n > split->n) split->n = split->n_found = all.items[i].n;
    TG_GOTO(fill_cell(config, &all.items[i], result, err));
  }
  TG_GOTO(tg_eval_warnings(result, err));
done:
  for (size_t i = 0; i < all.n; i++) tg_free(all.items[i].scores);
  tg_free(all.items);
  return status;
}
