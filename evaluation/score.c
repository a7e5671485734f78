/* From answers to numbers: scores of every example, means with intervals, what was recovered. */
#include <math.h>
#include <string.h>

#include "evaluation/evaluation.h"
#include "measure/rouge.h"
#include "runtime/error.h"

const char *const tg_eval_metric_names[TG_EVAL_N_METRICS] = {"exact_match", "rouge1", "rouge2", "rougeL", "logprob"};

t5gist_status tg_eval_score(const char *reference, const char *answer, double out[TG_EVAL_N_METRICS], t5gist_error *err) {
  tg_rouge rouge;
  TG_TRY(tg_rouge_compute(reference, answer, &rouge, err));
  out[TG_EVAL_EXACT] = 100.0 * tg_exact_match(reference, answer);
  out[TG_EVAL_ROUGE1] = 100 * rouge.rouge1.f1;
  out[TG_EVAL_ROUGE2] = 100 * rouge.rouge2.f1;
  out[TG_EVAL_ROUGE_L] = 100 * rouge.rougeL.f1;
  return T5GIST_OK;
}

static t5gist_status score_row(const tg_eval_data *data, tg_eval_row *row, t5gist_error *err) {
  for (int m = 0; m < TG_EVAL_N_METRICS; m++)
    if (!row->scores[m]) TG_TRY(tg_alloc(&row->scores[m], data->n, sizeof *row->scores[m], err));
  for (size_t i = 0; i < data->n; i++) {
    double values[TG_EVAL_N_METRICS];
    TG_TRY(tg_eval_score(data->examples[i].reference, row->answers[i], values, err));
    for (int m = 0; m < TG_EVAL_LOGPROB; m++) row->scores[m][i] = values[m];
  }
  return T5GIST_OK;
}

/* Exact match of the split's examples in each bin of bits. values: [n examples] scratch. */
static t5gist_status score_bins(const tg_eval_data *data, const tg_eval_split *split, const tg_eval_row *row, const tg_resampling *how,
                                double *values, tg_eval_cell *cell, t5gist_error *err) {
  for (size_t b = 0; b < split->n_bins; b++) {
    size_t n = 0;
    for (size_t i = split->begin; i < split->begin + split->n; i++)
      if (data->examples[i].bits >= split->bins[b].low && data->examples[i].bits <= split->bins[b].high) values[n++] = row->scores[TG_EVAL_EXACT][i];
    TG_TRY(tg_bootstrap(TG_STATISTIC_MEAN, TG_CONTRAST_NONE, (const double *const[]){values}, n, how, &cell->bins[b], err));
  }
  return T5GIST_OK;
}

/* Equal seeds draw the same examples for every row: intervals of contrasts are paired. */
static t5gist_status fill_cell(const tg_eval_result *result, const tg_eval_split *split, const tg_eval_row *row, const tg_resampling *how,
                               tg_eval_cell *cell, t5gist_error *err) {
  const tg_eval_row *pos = tg_eval_row_of(result, row->set, TG_EVAL_POS_CONTROL), *neg = tg_eval_row_of(result, row->set, TG_EVAL_NEG_CONTROL);
  const size_t at = split->begin;
  cell->n = split->n;
  cell->has_room = pos && neg && row == pos;
  cell->has_recovered = pos && neg && row != pos && row != neg;
  for (int m = 0; m < TG_EVAL_N_METRICS; m++) {
    TG_TRY(tg_bootstrap(TG_STATISTIC_MEAN, TG_CONTRAST_NONE, (const double *const[]){row->scores[m] + at}, split->n, how, &cell->values[m], err));
    if (cell->has_room)
      TG_TRY(tg_bootstrap(TG_STATISTIC_MEAN, TG_CONTRAST_DIFFERENCE, (const double *const[]){pos->scores[m] + at, neg->scores[m] + at}, split->n, how,
                          &cell->room[m], err));
    if (cell->has_recovered)
      TG_TRY(tg_bootstrap(TG_STATISTIC_MEAN, TG_CONTRAST_RECOVERED,
                          (const double *const[]){row->scores[m] + at, neg->scores[m] + at, pos->scores[m] + at}, split->n, how, &cell->recovered[m],
                          err));
  }
  return tg_bootstrap(TG_STATISTIC_MEAN, TG_CONTRAST_RATIO, (const double *const[]){row->scores[TG_EVAL_LOGPROB] + at, row->tokens + at}, split->n,
                      how, &cell->per_token, err);
}

static t5gist_status score_families(const tg_eval_data *data, tg_eval_row *row, t5gist_error *err) {
  TG_TRY(tg_alloc(&row->families, data->families.count, sizeof *row->families, err));
  for (size_t f = 0; f < data->families.count; f++) {
    double sum = 0;
    size_t n = 0;
    for (size_t i = 0; i < data->n; i++) {
      if (data->examples[i].family != f) continue;
      sum += row->scores[TG_EVAL_EXACT][i];
      n++;
    }
    row->families[f] = n ? sum / (double)n : NAN;
  }
  return T5GIST_OK;
}

static t5gist_status summarise_row(const tg_eval_config *config, const tg_eval_result *result, tg_eval_row *row, double *scratch, t5gist_error *err) {
  const tg_eval_data *data = &result->data;
  const tg_resampling how = {.seed = config->seed, .resamples = (size_t)config->resamples};
  TG_TRY(tg_alloc(&row->cells, data->n_splits, sizeof *row->cells, err));
  for (size_t s = 0; s < data->n_splits; s++) {
    TG_TRY(fill_cell(result, &data->splits[s], row, &how, &row->cells[s], err));
    TG_TRY(score_bins(data, &data->splits[s], row, &how, scratch, &row->cells[s], err));
  }
  return score_families(data, row, err);
}

t5gist_status tg_eval_summarise(const tg_eval_config *config, tg_eval_result *result, t5gist_error *err) {
  double *scratch = NULL;
  for (size_t i = 0; i < result->n_rows; i++) TG_TRY(score_row(&result->data, &result->rows[i], err));
  TG_TRY(tg_alloc(&scratch, result->data.n, sizeof *scratch, err));
  t5gist_status status = T5GIST_OK;
  for (size_t i = 0; status == T5GIST_OK && i < result->n_rows; i++) status = summarise_row(config, result, &result->rows[i], scratch, err);
  tg_free(scratch);
  return status;
}
