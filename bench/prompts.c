/* The prompts of a point: texts from a file, or texts of so many tokens, with the discrete baseline's version of each task. */
#include <string.h>
#include <unistd.h>

#include "bench/bench.h"
#include "gist/prompt.h"
#include "measure/tfidf.h"
#include "runtime/error.h"
#include "runtime/json.h"

enum { FILE_LIMIT = 64 << 20, TRIES = 24 };

static const char *const words[] = {"please", "sort",  "the",  "letters", "by",   "date", "and",    "write", "one",   "short", "line", "about",
                                    "each",   "of",    "them", "for",     "your", "office", "in",   "Paris", "with",  "name",  "time", "place",
                                    "then",   "count", "all",  "other",   "good", "words",  "that", "begin", "small"};
enum { N_WORDS = sizeof words / sizeof *words };

/* n words, other ones for every seed. */
static t5gist_status make_words(size_t n, size_t seed, char **out, t5gist_error *err) {
  tg_buffer text = {0};
  TG_TRY(tg_buffer_append(&text, "", 0, err));
  for (size_t i = 0; i < n; i++) {
    const t5gist_status status = tg_buffer_printf(&text, err, "%s%s", i ? " " : "", words[(seed * 7 + i * (1 + seed % 5)) % N_WORDS]);
    if (status != T5GIST_OK) {
      tg_buffer_free(&text);
      return status;
    }
  }
  *out = text.data;
  return T5GIST_OK;
}

static t5gist_status count_tokens(const tg_t5 *t5, const char *task, const char *input, int *n, t5gist_error *err) {
  tg_prompt prompt;
  TG_TRY(tg_prompt_make(t5, task, 0, input, false, true, &prompt, err));
  *n = task ? prompt.n_task : prompt.n_input;
  tg_prompt_free(&prompt);
  return T5GIST_OK;
}

/* A task (or an input) of n tokens with its label, or as near as the tokenizer lets words come. */
static t5gist_status make_text(const tg_t5 *t5, int n, bool is_task, size_t seed, char **out, t5gist_error *err) {
  int n_words = n > 3 ? n - 3 : 1, found = 0;
  for (int tries = 0; tries < TRIES; tries++) {
    TG_TRY(make_words((size_t)n_words, seed, out, err));
    TG_TRY(count_tokens(t5, is_task ? *out : NULL, is_task ? NULL : *out, &found, err));
    if (found == n || tries + 1 == TRIES || n_words + n - found < 1) return T5GIST_OK;
    n_words += n - found;
    tg_free(*out);
    *out = NULL;
  }
  return T5GIST_OK;
}

static t5gist_status read_entry(const json_t *list, size_t i, const char *path, tg_bench_prompt *prompt, t5gist_error *err) {
  const char *task = "", *input = "", *target = NULL;
  const json_t *entry = json_array_get(list, i);
  if (!json_is_object(entry)) return tg_fail(err, T5GIST_EFORMAT, "%s: entry %zu: expected an object, found %s", path, i, tg_json_type_name(entry));
  TG_TRY(tg_json_string(entry, "instruction", path, &task, err));
  TG_TRY(tg_json_string(entry, "input", path, &input, err));
  TG_TRY(tg_json_string(entry, "output", path, &target, err));
  if (!*task) return tg_fail(err, T5GIST_EFORMAT, "%s: entry %zu: expected an instruction, found none", path, i);
  TG_TRY(tg_strdup(&prompt->task, task, err));
  TG_TRY(tg_strdup(&prompt->input, input, err));
  return target ? tg_strdup(&prompt->target, target, err) : T5GIST_OK;
}

static t5gist_status read_file(const tg_bench_config *config, tg_prompt_set *set, t5gist_error *err) {
  json_t *list = NULL;
  TG_TRY(tg_json_read(config->prompts, FILE_LIMIT, &list, err));
  t5gist_status status = T5GIST_OK;
  const size_t n = json_array_size(list);
  if (n == 0) status = tg_fail(err, T5GIST_EFORMAT, "%s: expected a list of prompts, found none", config->prompts);
  set->n = n < (size_t)config->n_prompts ? n : (size_t)config->n_prompts;
  if (status == T5GIST_OK) status = tg_alloc(&set->items, set->n, sizeof *set->items, err);
  for (size_t i = 0; status == T5GIST_OK && i < set->n; i++) status = read_entry(list, i, config->prompts, &set->items[i], err);
  json_decref(list);
  return status;
}

/* Every task's most telling words, by TF-IDF over all tasks of the set. */
static t5gist_status add_discrete(const tg_prompt_set *set, size_t k, t5gist_error *err) {
  const char **tasks;
  tg_tfidf *tfidf = NULL;
  TG_TRY(tg_alloc(&tasks, set->n, sizeof *tasks, err));
  for (size_t i = 0; i < set->n; i++) tasks[i] = set->items[i].task;
  t5gist_status status = tg_tfidf_new(tasks, set->n, &tfidf, err);
  for (size_t i = 0; status == T5GIST_OK && i < set->n; i++) status = tg_tfidf_compress(tfidf, tasks[i], k, &set->items[i].discrete, err);
  tg_tfidf_free(tfidf);
  tg_free(tasks);
  return status;
}

t5gist_status tg_prompts_make(const tg_bench_config *config, const t5gist_model *model, tg_point point, tg_prompt_set *set, t5gist_error *err) {
  *set = (tg_prompt_set){0};
  if (config->prompts) {
    TG_TRY(read_file(config, set, err));
  } else {
    set->n = (size_t)config->n_prompts;
    TG_TRY(tg_alloc(&set->items, set->n, sizeof *set->items, err));
  }
  for (size_t i = 0; i < set->n; i++) {
    tg_bench_prompt *p = &set->items[i];
    if (point.task_tokens > 0 || !p->task) {
      tg_free(p->task);
      p->task = NULL;
      TG_TRY(make_text(model->t5, point.task_tokens, true, i, &p->task, err));
    }
    if (config->input_tokens > 0) {
      tg_free(p->input);
      p->input = NULL;
      TG_TRY(make_text(model->t5, config->input_tokens, false, i + 3, &p->input, err));
    }
  }
  return add_discrete(set, (size_t)(config->discrete_words ? config->discrete_words : point.gists), err);
}

void tg_prompts_free(tg_prompt_set *set) {
  for (size_t i = 0; set->items && i < set->n; i++) {
    tg_bench_prompt *p = &set->items[i];
    if (p->gist_path) unlink(p->gist_path);
    t5gist_gist_free(p->gist);
    tg_free(p->gist_path);
    tg_free(p->task);
    tg_free(p->input);
    tg_free(p->discrete);
    tg_free(p->target);
  }
  tg_free(set->items);
  *set = (tg_prompt_set){0};
}
