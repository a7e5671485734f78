/* The table as a Markdown report for people. */
#include <math.h>
#include <string.h>

#include "evaluation/evaluation.h"
#include "report/report.h"

static const char *const heads[TG_EVAL_N_METRICS] = {"exact match", "ROUGE-1", "ROUGE-2", "ROUGE-L", "log-probability"};
static const int decimals[TG_EVAL_N_METRICS] = {1, 2, 2, 2, 2};

static void put_interval(tg_report *r, const tg_interval *i, double scale, int digits) {
  if (!isfinite(i->estimate))
    TG_PUT(r, " – |");
  else if (!isfinite(i->low))
    TG_PUT(r, " %.*f |", digits, i->estimate * scale);
  else
    TG_PUT(r, " %.*f (%.*f to %.*f) |", digits, i->estimate * scale, digits, i->low * scale, digits, i->high * scale);
}

static void put_head(tg_report *r, const tg_eval_config *config, const tg_eval_result *e) {
  TG_PUT(r, "# %s\n\n", config->title);
  if (!e->from_answers)
    TG_PUT(r, "t5gist %s; %s, %s, oneDNN %s, %d threads.\n\n", t5gist_version(), e->machine.cpu, e->machine.isa, e->machine.onednn, e->threads);
  TG_PUT(r, "    %s\n\n", e->command);
  TG_PUT(r, "Exact match (white space at the ends apart) and ROUGE F1 (as rouge_score, with stemming) are means in percent");
  if (!e->from_answers)
    TG_PUT(r,
           ", log-probability is that of the whole reference answer in nats. *Recovered* is (this - neg_control) / (pos_control - neg_control) in "
           "percent");
  TG_PUT(r, ". In brackets 95 %% bootstrap intervals (%d resamples, seed %llu)", config->resamples, (unsigned long long)config->seed);
  TG_PUT(r, e->from_answers ? ".\n\n" : ", paired by example.");
  if (e->from_answers) return;
  if (config->beams == 1)
    TG_PUT(r, " Answers are greedy");
  else
    TG_PUT(r, " Answers are those of %d beams", config->beams);
  TG_PUT(r, ", at most %d tokens.\n\n", config->max_new_tokens);
}

/* A cell of a table: conditions of answers come from files, folders from anywhere. */
static void put_cell(tg_report *r, const char *name) {
  TG_PUT(r, "| ");
  tg_put_name(r, name);
  TG_PUT(r, " |");
}

/* --------------------------------------------------------------------------------------------------------------------------- who answers */

static void put_trained(tg_report *r, const tg_eval_model *m) {
  if (!m->conditions_known) TG_PUT(r, "not said");
  for (int c = 0, any = 0; m->conditions_known && c < T5GIST_N_CONDITIONS; c++)
    if (m->trained[c]) TG_PUT(r, "%s%s", any++ ? ", " : "", t5gist_condition_name((t5gist_condition)c));
  for (int i = 0; i < m->gists.count; i++) TG_PUT(r, "%s%d", i ? ", " : "; k = ", m->gists.values[i]);
}

/* Models of a set: how many different ones answer its rows. */
static size_t count_models(const tg_eval_result *e, size_t set, size_t *only) {
  size_t n = 0;
  for (size_t m = 0; m < e->n_models; m++)
    for (size_t i = 0; i < e->n_rows; i++)
      if (e->rows[i].set == set && e->rows[i].model == m) {
        *only = m;
        n++;
        break;
      }
  return n;
}

static void put_checkpoints(tg_report *r, const tg_eval_result *e) {
  TG_PUT(r, "## Checkpoints\n\n");
  for (size_t set = 0; set < e->n_sets; set++) {
    size_t only = 0;
    const size_t n = count_models(e, set, &only);
    if (e->n_sets > 1) TG_PUT(r, "Table %zu: ", set + 1);
    if (n == 1)
      TG_PUT(r, "one checkpoint, %s, answers every condition.\n\n", e->models[only].dir);
    else
      TG_PUT(r, "%zu checkpoints answer, each the conditions named beside it.\n\n", n);
  }
  TG_PUT(r, "| checkpoint | answers | trained for | computed in | parameters, millions | fingerprint |\n|---|---|---|---|---|---|\n");
  for (size_t m = 0; m < e->n_models; m++) {
    put_cell(r, e->models[m].dir);
    for (size_t i = 0, any = 0; i < e->n_rows; i++)
      if (e->rows[i].model == m)
        TG_PUT(r, "%s %s%s", any++ ? "," : "", e->rows[i].name, e->rows[i].trained == TG_EVAL_TRAINED_NO ? " (untrained)" : "");
    TG_PUT(r, " | ");
    put_trained(r, &e->models[m]);
    TG_PUT(r, " | %s | %.1f | %.16s |\n", e->models[m].dtype, (double)e->models[m].n_parameters * 1e-6, e->models[m].fingerprint);
  }
  TG_PUT(r, "\n");
}

static void put_warnings(tg_report *r, const tg_eval_result *e) {
  for (size_t i = 0; i < e->warnings.count; i++) TG_PUT(r, "> **Warning.** %s\n\n", e->warnings.items[i]);
}

/* --------------------------------------------------------------------------------------------------------------------------------- table */

/* Whether by ROUGE-L there is a distance between the controls of which a share can be recovered. */
static bool has_room(const tg_eval_result *e, size_t set, size_t s) {
  const tg_eval_row *pos = tg_eval_row_of(e, set, TG_EVAL_POS_CONTROL);
  return pos && pos->cells[s].has_room && pos->cells[s].room[TG_EVAL_ROUGE_L].low > 0;
}

/* Conditions by splits: exact match, ROUGE-L, and what of ROUGE-L was recovered. */
static void put_overview(tg_report *r, const tg_eval_result *e, size_t set) {
  TG_PUT(r, "| condition |");
  for (size_t s = 0; s < e->data.n_splits; s++) {
    TG_PUT(r, " ");
    tg_put_name(r, e->data.splits[s].name);
    TG_PUT(r, " (%zu) |", e->data.splits[s].n);
  }
  TG_PUT(r, "\n|---|");
  for (size_t s = 0; s < e->data.n_splits; s++) TG_PUT(r, "---|");
  TG_PUT(r, "\n");
  for (size_t i = 0; i < e->n_rows; i++) {
    const tg_eval_row *row = &e->rows[i];
    if (row->set != set) continue;
    put_cell(r, row->name);
    for (size_t s = 0; s < e->data.n_splits; s++) {
      const tg_eval_cell *c = &row->cells[s];
      if (c->n > 0)
        TG_PUT(r, " %.1f / %.2f", c->values[TG_EVAL_EXACT].estimate, c->values[TG_EVAL_ROUGE_L].estimate);
      else
        TG_PUT(r, " –");
      if (c->has_recovered) {
        TG_PUT(r, " / ");
        tg_put_number(r, "%.0f %%", has_room(e, set, s) ? 100 * c->recovered[TG_EVAL_ROUGE_L].estimate : NAN);
      }
      TG_PUT(r, " |");
    }
    TG_PUT(r, "\n");
  }
  TG_PUT(r, "\nExact match / ROUGE-L%s, %%. In brackets the number of examples.\n\n", e->from_answers ? "" : " / of ROUGE-L recovered");
}

/* Whether any row of the table has examples of this split: sets of answers may lack whole splits. */
static bool has_examples(const tg_eval_result *e, size_t set, size_t s) {
  for (size_t i = 0; i < e->n_rows; i++)
    if (e->rows[i].set == set && e->rows[i].cells[s].n > 0) return true;
  return false;
}

static void put_split(tg_report *r, const tg_eval_result *e, size_t set, size_t s) {
  const tg_eval_split *split = &e->data.splits[s];
  const int n_metrics = e->from_answers ? TG_EVAL_LOGPROB : TG_EVAL_N_METRICS;
  if (!has_examples(e, set, s)) return;
  TG_PUT(r, "### ");
  tg_put_name(r, split->name);
  TG_PUT(r, ": %zu example%s", split->n, split->n == 1 ? "" : "s");
  if (split->n < split->n_found) TG_PUT(r, " of %zu", split->n_found);
  TG_PUT(r, "\n\n| condition |");
  for (int m = 0; m < n_metrics; m++) TG_PUT(r, " %s |", heads[m]);
  if (!e->from_answers) TG_PUT(r, " log-prob. per token |");
  TG_PUT(r, "\n|---|---|---|---|---|%s\n", e->from_answers ? "" : "---|---|");
  for (size_t i = 0; i < e->n_rows; i++) {
    const tg_eval_cell *c = &e->rows[i].cells[s];
    if (e->rows[i].set != set || c->n == 0) continue;
    put_cell(r, e->rows[i].name);
    for (int m = 0; m < n_metrics; m++) put_interval(r, &c->values[m], 1, decimals[m]);
    if (!e->from_answers) put_interval(r, &c->per_token, 1, 3);
    TG_PUT(r, "\n");
  }
  TG_PUT(r, "\n");
}

static void put_recovered(tg_report *r, const tg_eval_result *e, size_t set, size_t s) {
  bool any = false;
  for (size_t i = 0; i < e->n_rows; i++) {
    const tg_eval_cell *c = &e->rows[i].cells[s];
    if (e->rows[i].set != set || !c->has_recovered) continue;
    if (!any) TG_PUT(r, "| recovered, %% | exact match | ROUGE-1 | ROUGE-2 | ROUGE-L | log-probability |\n|---|---|---|---|---|---|\n");
    any = true;
    TG_PUT(r, "| %s |", e->rows[i].name);
    for (int m = 0; m < TG_EVAL_N_METRICS; m++) put_interval(r, &c->recovered[m], 100, 0);
    TG_PUT(r, "\n");
  }
  if (any) TG_PUT(r, "\n");
}

static void put_families(tg_report *r, const tg_eval_result *e, size_t set) {
  if (e->data.families.count == 0) return;
  TG_PUT(r, "### Exact match by family, all splits, %%\n\n| family | examples |");
  for (size_t i = 0; i < e->n_rows; i++)
    if (e->rows[i].set == set) TG_PUT(r, " %s |", e->rows[i].name);
  TG_PUT(r, "\n|---|---|");
  for (size_t i = 0; i < e->n_rows; i++)
    if (e->rows[i].set == set) TG_PUT(r, "---|");
  TG_PUT(r, "\n");
  for (size_t f = 0; f < e->data.families.count; f++) {
    size_t n = 0;
    for (size_t i = 0; i < e->data.n; i++) n += e->data.examples[i].family == f;
    TG_PUT(r, "| ");
    tg_put_name(r, e->data.families.items[f]);
    TG_PUT(r, " | %zu |", n);
    for (size_t i = 0; i < e->n_rows; i++) {
      if (e->rows[i].set != set) continue;
      TG_PUT(r, " ");
      tg_put_number(r, "%.0f", e->rows[i].families[f]);
      TG_PUT(r, " |");
    }
    TG_PUT(r, "\n");
  }
  TG_PUT(r, "\n");
}

static void put_set(tg_report *r, const tg_eval_result *e, size_t set) {
  size_t only = 0;
  if (e->n_sets == 1)
    TG_PUT(r, "## Table\n\n");
  else if (count_models(e, set, &only) == 0)
    TG_PUT(r, "## Table %zu\n\n", set + 1);
  else
    TG_PUT(r, "## Table %zu: %s\n\n", set + 1, e->models[only].dir);
  put_overview(r, e, set);
  for (size_t s = 0; s < e->data.n_splits; s++) {
    put_split(r, e, set, s);
    put_recovered(r, e, set, s);
  }
  put_families(r, e, set);
}

static bool has_bits(const tg_eval_result *e) {
  for (size_t s = 0; s < e->data.n_splits; s++)
    if (e->data.splits[s].n_bins > 1) return true;
  return false;
}

static bool has_recovered(const tg_eval_result *e) {
  for (size_t i = 0; i < e->n_rows; i++)
    if (e->rows[i].kind == TG_EVAL_GIST && e->rows[i].cells[0].has_recovered) return true;
  return false;
}

t5gist_status tg_eval_markdown(const tg_eval_config *config, const tg_eval_result *result, bool pictures, tg_buffer *out, t5gist_error *err) {
  tg_report r = {.out = out, .err = err};
  put_head(&r, config, result);
  if (!result->from_answers) put_checkpoints(&r, result);
  put_warnings(&r, result);
  for (size_t set = 0; set < result->n_sets; set++) put_set(&r, result, set);
  if (!result->from_answers && config->asked[TG_EVAL_WORDS])
    TG_PUT(&r,
           "*words-k*: the k words of the instruction with the largest TF-IDF weights over all different instructions of the data, in its place, in "
           "a prompt without masks.\n\n");
  if (pictures && has_recovered(result)) TG_PUT(&r, "![Recovered against k](%s-recovered.svg)\n\n", config->name);
  if (pictures && has_bits(result)) TG_PUT(&r, "![Exact match against bits](%s-bits.svg)\n\n", config->name);
  return r.status;
}
