/* The examples: read, put into splits, chosen. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "evaluation/evaluation.h"
#include "runtime/error.h"
#include "runtime/json.h"
#include "runtime/records.h"
#include "runtime/text.h"
#include "t5/random.h"

enum { FILE_LIMIT = 1 << 30 };

/* ------------------------------------------------------------------------------------------------------------------------------- fields */

/* "task, input, target", cut to size. */
static void list_keys(const json_t *object, char *out, size_t size) {
  const char *key;
  json_t *value;
  size_t n = 0;
  *out = 0;
  json_object_foreach((json_t *)object, key, value) {
    if (n + strlen(key) + 3 > size) break;
    n += (size_t)snprintf(out + n, size - n, "%s%s", n ? ", " : "", key);
  }
}

t5gist_status tg_eval_text(const json_t *object, const char *key, const char *setting, const char *where, const char **out, t5gist_error *err) {
  char keys[256];
  *out = NULL;
  TG_TRY(tg_json_string(object, key, where, out, err));
  if (*out) return T5GIST_OK;
  list_keys(object, keys, sizeof keys);
  return tg_fail(err, T5GIST_EFORMAT, "%s: expected the key \"%.64s\" (the setting %s names it), found %s%s", where, key, setting,
                 *keys ? "the keys " : "no key at all", keys);
}

static t5gist_status find_family(tg_strings *families, const char *name, size_t *family, t5gist_error *err) {
  static const tg_field field = {.name = "family", .type = TG_FIELD_STRINGS};
  for (*family = 0; *family < families->count; ++*family)
    if (!strcmp(families->items[*family], name)) return T5GIST_OK;
  return tg_field_set_text(&field, families, name, "family", err);
}

t5gist_status tg_eval_split_find(tg_eval_data *data, const char *name, size_t *split, t5gist_error *err) {
  for (*split = 0; *split < data->n_splits; ++*split)
    if (!strcmp(data->splits[*split].name, name)) return T5GIST_OK;
  TG_TRY(tg_reserve(&data->splits, &data->splits_capacity, data->n_splits + 1, sizeof *data->splits, err));
  data->splits[data->n_splits] = (tg_eval_split){0};
  TG_TRY(tg_strdup(&data->splits[data->n_splits].name, name, err));
  data->n_splits++;
  return T5GIST_OK;
}

/* ------------------------------------------------------------------------------------------------------------------------------ reading */

static void example_free(tg_eval_example *e) {
  tg_free(e->task);
  tg_free(e->input);
  tg_free(e->reference);
  *e = (tg_eval_example){0};
}

typedef struct texts {
  const char *task, *input, *reference, *split, *family;
} texts;

/* What the object says, checked; borrowed. */
static t5gist_status read_texts(const tg_eval_config *c, const json_t *object, const char *where, texts *t, float *bits, t5gist_error *err) {
  *t = (texts){.input = ""};
  *bits = NAN;
  TG_TRY(tg_eval_text(object, c->task_field, "task_field", where, &t->task, err));
  TG_TRY(tg_json_string(object, c->input_field, where, &t->input, err));
  TG_TRY(tg_eval_text(object, c->target_field, "target_field", where, &t->reference, err));
  TG_TRY(tg_json_string(object, c->split_field, where, &t->split, err));
  TG_TRY(tg_json_string(object, c->family_field, where, &t->family, err));
  TG_TRY(tg_json_float(object, c->bits_field, where, 0, 1e9, bits, err));
  if (!*t->task && !*t->input)
    return tg_fail(err, T5GIST_EFORMAT, "%s: expected a text in \"%.64s\" or \"%.64s\", found both empty", where, c->task_field, c->input_field);
  return T5GIST_OK;
}

static t5gist_status add_example(const tg_eval_config *c, const json_t *object, const char *where, const char *file_split, tg_eval_data *data,
                                 tg_eval_example **out, t5gist_error *err) {
  texts t;
  float bits;
  TG_TRY(read_texts(c, object, where, &t, &bits, err));
  TG_TRY(tg_reserve(&data->examples, &data->capacity, data->n + 1, sizeof *data->examples, err));
  tg_eval_example *e = &data->examples[data->n];
  *e = (tg_eval_example){.family = SIZE_MAX, .bits = (double)bits};
  t5gist_status status = T5GIST_OK;
  TG_GOTO(tg_strdup(&e->task, t.task, err));
  TG_GOTO(tg_strdup(&e->input, t.input, err));
  TG_GOTO(tg_strdup(&e->reference, t.reference, err));
  TG_GOTO(tg_eval_split_find(data, t.split && *t.split ? t.split : file_split, &e->split, err));
  if (t.family && *t.family) TG_GOTO(find_family(&data->families, t.family, &e->family, err));
  data->n++;
  *out = e;
  return T5GIST_OK;
done:
  example_free(e);
  return status;
}

/* The file's name without folder and ending, borrowed. */
static size_t stem(const char *path, const char **name) {
  const char *slash = strrchr(path, '/');
  *name = slash ? slash + 1 : path;
  const char *dot = strrchr(*name, '.');
  return dot && dot > *name ? (size_t)(dot - *name) : strlen(*name);
}

/* What a file's examples belong to where they do not say it: its stem, or where another file has the same, its path. A path may be any bytes. */
static t5gist_status name_split(const tg_strings *files, size_t file, char **out, t5gist_error *err) {
  const char *name, *other;
  size_t n = stem(files->items[file], &name);
  for (size_t i = 0; i < files->count; i++)
    if (i != file && stem(files->items[i], &other) == n && !strncmp(name, other, n)) {
      name = files->items[file];
      n = strlen(name);
      break;
    }
  TG_TRY(tg_strndup(out, name, n, err));
  for (size_t at = 0; (at += tg_utf8_valid(*out + at, n - at)) < n;) (*out)[at] = '?';
  return T5GIST_OK;
}

t5gist_status tg_eval_pass_over(const tg_eval_config *c, const tg_eval_progress *progress, tg_eval_data *data, t5gist_status status,
                                const t5gist_error *found, t5gist_error *err) {
  if (status != T5GIST_EFORMAT || !c->skip_bad) {
    if (err) *err = *found;
    return status;
  }
  data->skipped++;
  progress->warn(progress->user, found->message);
  return T5GIST_OK;
}

static t5gist_status read_file(const tg_eval_config *c, size_t file, const tg_eval_progress *progress, tg_eval_data *data, t5gist_error *err) {
  const char *path = c->data.items[file];
  const size_t before = data->n, skipped = data->skipped;
  tg_records *records = NULL;
  char *split = NULL;
  t5gist_status status = T5GIST_OK;
  TG_GOTO(tg_records_open(path, FILE_LIMIT, &records, err));
  TG_GOTO(name_split(&c->data, file, &split, err));
  for (;;) {
    const json_t *object;
    tg_eval_example *example = NULL;
    t5gist_error found;
    status = tg_records_next(records, &object, &found);
    if (status == T5GIST_OK && !object) break;
    if (status == T5GIST_OK) status = add_example(c, object, tg_records_where(records), split, data, &example, &found);
    if (status == T5GIST_OK) {
      example->file = file;
      example->number = tg_records_number(records);
      continue;
    }
    TG_GOTO(tg_eval_pass_over(c, progress, data, status, &found, err));
  }
  if (data->n == before)
    status = tg_fail(err, T5GIST_EFORMAT, "%s: expected at least one example, found %s%zu bad line%s", path, data->skipped == skipped ? "none; " : "",
                     data->skipped - skipped, data->skipped - skipped == 1 ? "" : "s");
done:
  tg_free(split);
  tg_records_close(records);
  return status;
}

/* ----------------------------------------------------------------------------------------------------------------------------- choosing */

static int compare_texts(const void *a, const void *b) {
  return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Over the different instructions: one that many examples share does not make its words common. */
static t5gist_status make_tfidf(tg_eval_data *data, t5gist_error *err) {
  const char **tasks = NULL;
  TG_TRY(tg_alloc(&tasks, data->n, sizeof *tasks, err));
  for (size_t i = 0; i < data->n; i++) tasks[i] = data->examples[i].task;
  qsort(tasks, data->n, sizeof *tasks, compare_texts);
  size_t n = 0;
  for (size_t i = 0; i < data->n; i++)
    if (n == 0 || strcmp(tasks[n - 1], tasks[i]) != 0) tasks[n++] = tasks[i];
  const t5gist_status status = tg_tfidf_new(tasks, n, &data->tfidf, err);
  tg_free(tasks);
  return status;
}

typedef struct place {
  uint64_t random;
  size_t at;
} place;

static int compare_places(const void *a, const void *b) {
  const place *x = a, *y = b;
  if (x->random != y->random) return x->random < y->random ? -1 : 1;
  return (x->at > y->at) - (x->at < y->at);
}

/* Marks the split's limit examples with the smallest random numbers; these depend on (seed, split, place within the split) alone. */
static t5gist_status choose(const tg_eval_config *c, const tg_eval_data *data, size_t split, bool *chosen, t5gist_error *err) {
  place *places = NULL;
  size_t n = 0;
  TG_TRY(tg_alloc(&places, data->n, sizeof *places, err));
  const uint64_t key = tg_random_key(c->seed, split);
  for (size_t i = 0; i < data->n; i++) {
    if (data->examples[i].split != split) continue;
    places[n] = (place){tg_random_at(key, n), i};
    n++;
  }
  if (c->limit > 0 && n > (size_t)c->limit) {
    qsort(places, n, sizeof *places, compare_places);
    n = (size_t)c->limit;
  }
  for (size_t i = 0; i < n; i++) chosen[places[i].at] = true;
  tg_free(places);
  return T5GIST_OK;
}

/* Leaves the chosen examples, split after split. */
static t5gist_status arrange(const tg_eval_config *c, tg_eval_data *data, t5gist_error *err) {
  tg_eval_example *sorted = NULL;
  bool *chosen = NULL;
  size_t n = 0;
  t5gist_status status = T5GIST_OK;
  TG_GOTO(tg_alloc(&sorted, data->n, sizeof *sorted, err));
  TG_GOTO(tg_alloc(&chosen, data->n, sizeof *chosen, err));
  for (size_t s = 0; s < data->n_splits; s++) TG_GOTO(choose(c, data, s, chosen, err));
  for (size_t s = 0; s < data->n_splits; s++) {
    tg_eval_split *split = &data->splits[s];
    split->begin = n;
    for (size_t i = 0; i < data->n; i++) {
      if (data->examples[i].split != s) continue;
      split->n_found++;
      if (chosen[i])
        sorted[n++] = data->examples[i];
      else
        example_free(&data->examples[i]);
    }
    split->n = n - split->begin;
  }
  tg_free(data->examples);
  data->examples = sorted;
  data->n = n;
  sorted = NULL;
done:
  tg_free(sorted);
  tg_free(chosen);
  return status;
}

/* ------------------------------------------------------------------------------------------------------------------------------- bits */

static int compare_numbers(const void *a, const void *b) {
  const double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

/* A bin per value where there are few, else bins of about as many examples each; equal values share a bin. */
static void fill_bins(const double *sorted, size_t n, tg_eval_split *split) {
  size_t n_values = 0;
  for (size_t i = 0; i < n; i++) n_values += i == 0 || sorted[i] != sorted[i - 1];
  const size_t each = n_values <= TG_EVAL_MAX_BINS ? 1 : (n + TG_EVAL_MAX_BINS - 1) / TG_EVAL_MAX_BINS;
  for (size_t i = 0; i < n; i++) {
    tg_eval_bin *last = split->n_bins ? &split->bins[split->n_bins - 1] : NULL;
    if (!last || (sorted[i] != last->high && (last->n >= each && split->n_bins < TG_EVAL_MAX_BINS))) {
      last = &split->bins[split->n_bins++];
      *last = (tg_eval_bin){.low = sorted[i]};
    }
    last->high = sorted[i];
    last->n++;
  }
}

static t5gist_status make_bins(tg_eval_data *data, tg_eval_split *split, t5gist_error *err) {
  double *bits = NULL;
  size_t n = 0;
  TG_TRY(tg_alloc(&bits, split->n, sizeof *bits, err));
  for (size_t i = split->begin; i < split->begin + split->n; i++)
    if (!isnan(data->examples[i].bits)) bits[n++] = data->examples[i].bits;
  qsort(bits, n, sizeof *bits, compare_numbers);
  fill_bins(bits, n, split);
  tg_free(bits);
  return T5GIST_OK;
}

t5gist_status tg_eval_data_read(const tg_eval_config *config, const tg_eval_progress *progress, tg_eval_data *data, t5gist_error *err) {
  *data = (tg_eval_data){0};
  if (config->data.count == 0) return tg_fail(err, T5GIST_EUSAGE, "no examples: expected a file of them (data), found none");
  for (size_t i = 0; i < config->data.count; i++) TG_TRY(read_file(config, i, progress, data, err));
  TG_TRY(make_tfidf(data, err));
  TG_TRY(arrange(config, data, err));
  for (size_t s = 0; s < data->n_splits; s++) TG_TRY(make_bins(data, &data->splits[s], err));
  return T5GIST_OK;
}

void tg_eval_data_free(tg_eval_data *data) {
  for (size_t i = 0; i < data->n; i++) example_free(&data->examples[i]);
  for (size_t i = 0; i < data->n_splits; i++) tg_free(data->splits[i].name);
  tg_free(data->examples);
  tg_free(data->splits);
  tg_strings_clear(&data->families);
  tg_tfidf_free(data->tfidf);
  *data = (tg_eval_data){0};
}
