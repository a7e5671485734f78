/* The configuration of an evaluation. */
#include <limits.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "evaluation/evaluation.h"
#include "runtime/error.h"

const char *const tg_eval_kind_names[TG_EVAL_N_KINDS + 1] = {"full", "pos_control", "prefix", "gist", "words", "neg_control", NULL};

static const char *const dtypes[] = {"f32", "int8", "int8x16", "bf16", "int4", "auto", NULL}; /* t5gist_dtype's order */

#define AT(member) offsetof(tg_eval_config, member)
/* name, type, offset, least, greatest, choices, short name, argument, help, groups */
static const tg_field fields[] = {
    {"name", TG_FIELD_STRING, AT(name), 0, 0, NULL, 0, NULL, "of the files written", 0},
    {"title", TG_FIELD_STRING, AT(title), 0, 0, NULL, 0, NULL, "of the report", 0},
    {"model", TG_FIELD_STRINGS, AT(models), 0, 0, NULL, 0, NULL, "model folders, each asked for the whole table", 0},
    {"model_of", TG_FIELD_STRINGS, AT(model_of), 0, 0, NULL, 0, NULL, "ROW=DIR: the model of one row or condition", 0},
    {"data", TG_FIELD_STRINGS, AT(data), 0, 0, NULL, 0, NULL, "files of examples", 0},
    {"task_field", TG_FIELD_STRING, AT(task_field), 0, 0, NULL, 0, NULL, "key of the instruction", 0},
    {"input_field", TG_FIELD_STRING, AT(input_field), 0, 0, NULL, 0, NULL, "key of the input", 0},
    {"target_field", TG_FIELD_STRING, AT(target_field), 0, 0, NULL, 0, NULL, "key of the reference answer", 0},
    {"split_field", TG_FIELD_STRING, AT(split_field), 0, 0, NULL, 0, NULL, "key of the split's name", 0},
    {"bits_field", TG_FIELD_STRING, AT(bits_field), 0, 0, NULL, 0, NULL, "key of the instruction's bits of parameter", 0},
    {"family_field", TG_FIELD_STRING, AT(family_field), 0, 0, NULL, 0, NULL, "key of the kind of task", 0},
    {"prediction_field", TG_FIELD_STRING, AT(prediction_field), 0, 0, NULL, 0, NULL, "key of an answer that is there already", 0},
    {"conditions", TG_FIELD_STRINGS, AT(conditions), 0, 0, NULL, 0, NULL, "default: all", 0},
    {"gists", TG_FIELD_STRINGS, AT(gist_texts), 0, 0, NULL, 0, NULL, "numbers of gist tokens", 0},
    {"words", TG_FIELD_STRINGS, AT(word_texts), 0, 0, NULL, 0, NULL, "numbers of words", 0},
    {"limit", TG_FIELD_INT, AT(limit), 0, INT_MAX, NULL, 0, NULL, "examples per split; 0: all", 0},
    {"seed", TG_FIELD_UINT64, AT(seed), 0, 0, NULL, 0, NULL, "of limit and bootstrap", 0},
    {"skip_bad", TG_FIELD_BOOL, AT(skip_bad), 0, 0, NULL, 0, NULL, "bad lines are left out", 0},
    {"max_new_tokens", TG_FIELD_INT, AT(max_new_tokens), 1, 100000, NULL, 0, NULL, "length limit of an answer", 0},
    {"beams", TG_FIELD_INT, AT(beams), 1, 1024, NULL, 0, NULL, "1: greedy", 0},
    {"resamples", TG_FIELD_INT, AT(resamples), 1, 1000000, NULL, 0, NULL, "of the bootstrap", 0},
    {"threads", TG_FIELD_INT, AT(threads), 1, 1024, NULL, 0, NULL, "compute threads", 0},
    {"dtype", TG_FIELD_ENUM, AT(dtype), 0, 0, dtypes, 0, NULL, "number format to compute in", 0},
    {0},
};

static t5gist_status read_conditions(tg_eval_config *config, t5gist_error *err) {
  for (int i = 0; i < TG_EVAL_N_KINDS; i++) config->asked[i] = config->conditions.count == 0;
  for (size_t i = 0; i < config->conditions.count; i++) {
    const char *name = config->conditions.items[i];
    int k = 0;
    while (k < TG_EVAL_N_KINDS && strcmp(tg_eval_kind_names[k], name) != 0) k++;
    if (k < TG_EVAL_N_KINDS) {
      config->asked[k] = true;
      continue;
    }
    const char *near = tg_nearest(name, tg_eval_kind_names, TG_EVAL_N_KINDS);
    return tg_fail(err, T5GIST_EUSAGE, "conditions: unknown condition \"%.80s\"; expected full, pos_control, prefix, gist, words or neg_control%s%s",
                   name, near ? "; did you mean " : "", near ? near : "");
  }
  return T5GIST_OK;
}

/* An empty list stays empty: plan.c knows the models. */
static t5gist_status read_list(const tg_strings *texts, const char *key, tg_numbers *out, t5gist_error *err) {
  TG_TRY(tg_numbers_read(texts, key, 1, 1024, 1, out, err));
  if (texts->count == 0) out->count = 0;
  for (int i = 0; i < out->count; i++)
    for (int j = 0; j < i; j++)
      if (out->values[i] == out->values[j]) return tg_fail(err, T5GIST_EUSAGE, "%s: expected different numbers, found %d twice", key, out->values[i]);
  return T5GIST_OK;
}

static t5gist_status set_default(char **text, const char *fallback, t5gist_error *err) {
  return *text ? T5GIST_OK : tg_strdup(text, fallback, err);
}

/* "ROW=DIR", ROW being a condition or one of its rows ("gist-4"). */
static t5gist_status check_model_of(const char *text, t5gist_error *err) {
  const char *equals = strchr(text, '=');
  const size_t n = equals ? (size_t)(equals - text) : 0;
  for (int kind = 0; kind < TG_EVAL_N_KINDS; kind++) {
    const char *name = tg_eval_kind_names[kind];
    const size_t length = strlen(name);
    if (n < length || strncmp(text, name, length) || !equals[1]) continue;
    const size_t digits = n > length + 1 ? strspn(text + length + 1, "0123456789") : 0;
    if (n == length || ((kind == TG_EVAL_GIST || kind == TG_EVAL_WORDS) && text[length] == '-' && digits > 0 && digits == n - length - 1))
      return T5GIST_OK;
  }
  return tg_fail(err, T5GIST_EUSAGE, "model_of: expected CONDITION=DIR or, as in gist-4=DIR, ROW=DIR, found \"%.200s\"", text);
}

static t5gist_status check_models(const tg_eval_config *c, t5gist_error *err) {
  for (size_t i = 0; i < c->model_of.count; i++) TG_TRY(check_model_of(c->model_of.items[i], err));
  if (c->model_of.count > 0 && c->models.count > 1)
    return tg_fail(err, T5GIST_EUSAGE, "model_of: expected at most one model beside it, for the rows that it does not name; found %zu",
                   c->models.count);
  for (size_t i = 0; i < c->models.count; i++)
    for (size_t j = 0; j < i; j++)
      if (!strcmp(c->models.items[i], c->models.items[j]))
        return tg_fail(err, T5GIST_EUSAGE, "model: expected different folders, found %.300s twice", c->models.items[i]);
  return T5GIST_OK;
}

static t5gist_status complete(tg_eval_config *c, t5gist_error *err) {
  TG_TRY(set_default(&c->name, "eval", err));
  if (strchr(c->name, '/')) return tg_fail(err, T5GIST_EUSAGE, "name: expected a file name without folders, found \"%.200s\"", c->name);
  TG_TRY(set_default(&c->title, "What compression costs", err));
  TG_TRY(set_default(&c->task_field, "instruction", err));
  TG_TRY(set_default(&c->input_field, "input", err));
  TG_TRY(set_default(&c->target_field, "output", err));
  TG_TRY(set_default(&c->split_field, "split", err));
  TG_TRY(set_default(&c->bits_field, "bits", err));
  TG_TRY(set_default(&c->family_field, "family", err));
  TG_TRY(set_default(&c->prediction_field, "prediction", err));
  TG_TRY(read_list(&c->gist_texts, "gists", &c->gists, err));
  TG_TRY(read_list(&c->word_texts, "words", &c->words, err));
  TG_TRY(check_models(c, err));
  return read_conditions(c, err);
}

t5gist_status tg_eval_config_load(const char *path, tg_eval_config *config, t5gist_error *err) {
  *config = (tg_eval_config){.max_new_tokens = 128, .beams = 1, .resamples = 2000, .threads = T5GIST_UNSET, .dtype = T5GIST_UNSET};
  if (path) TG_TRY(tg_yaml_load(path, fields, 0, config, err));
  const t5gist_status status = complete(config, err);
  return status == T5GIST_OK || !path ? status : tg_error_context(err, status, "%s: ", path);
}

t5gist_status tg_eval_config_base(tg_eval_config *config, const char *dir, t5gist_error *err) {
  static const tg_field field = {.name = "model", .type = TG_FIELD_STRINGS};
  tg_strings_clear(&config->models);
  return tg_field_set_text(&field, &config->models, dir, "model", err);
}

t5gist_status tg_eval_config_model(tg_eval_config *config, const char *dir, t5gist_error *err) {
  tg_strings_clear(&config->model_of);
  return tg_eval_config_base(config, dir, err);
}

void tg_eval_config_gists(tg_eval_config *config, int k) {
  config->gists = (tg_numbers){.values = {k}, .count = 1};
}

const char *tg_eval_model_of(const tg_eval_config *config, tg_eval_kind kind, int k) {
  char row[64];
  const char *condition = tg_eval_kind_names[kind], *found = NULL;
  snprintf(row, sizeof row, "%s-%d", condition, k);
  for (size_t i = 0; i < config->model_of.count; i++) {
    const char *text = config->model_of.items[i], *equals = strchr(text, '=');
    const size_t n = (size_t)(equals - text);
    if (strlen(row) == n && !strncmp(text, row, n)) return equals + 1;
    if (strlen(condition) == n && !strncmp(text, condition, n)) found = equals + 1;
  }
  return found;
}

bool tg_eval_needs_model(const tg_eval_config *config) {
  for (int kind = 0; kind < TG_EVAL_N_KINDS && config->models.count == 0; kind++) {
    const tg_numbers *ks = kind == TG_EVAL_WORDS && config->words.count > 0 ? &config->words : &config->gists;
    const bool counted = kind == TG_EVAL_GIST || kind == TG_EVAL_WORDS;
    for (int i = 0; config->asked[kind] && i < (counted && ks->count > 0 ? ks->count : 1); i++)
      if (!tg_eval_model_of(config, (tg_eval_kind)kind, counted && ks->count > 0 ? ks->values[i] : 0)) return true;
  }
  return false;
}

void tg_eval_config_free(tg_eval_config *config) {
  tg_fields_free(fields, config);
}
