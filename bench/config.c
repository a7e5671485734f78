#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "bench/bench.h"
#include "runtime/cache.h"
#include "runtime/error.h"

const char *const tg_bench_condition_names[TG_BENCH_N_CONDITIONS + 1] = {"full",      "pos_control", "gist_uncached", "gist_memory",
                                                                         "gist_file", "neg_control", "discrete",      NULL};

#define AT(member) offsetof(tg_bench_config, member)
/* name, type, offset, least, greatest, choices, short name, argument, help, groups */
static const tg_field fields[] = {
    {"name", TG_FIELD_STRING, AT(name), 0, 0, NULL, 0, NULL, "of the files written", 0},
    {"title", TG_FIELD_STRING, AT(title), 0, 0, NULL, 0, NULL, "of the report", 0},
    {"model", TG_FIELD_STRING, AT(model), 0, 0, NULL, 0, NULL, "a model folder", 0},
    {"synthetic", TG_FIELD_STRING, AT(synthetic), 0, 0, NULL, 0, NULL, "a shape with random weights", 0},
    {"cache", TG_FIELD_STRING, AT(cache), 0, 0, NULL, 0, NULL, "where synthetic models are kept", 0},
    {"prompts", TG_FIELD_STRING, AT(prompts), 0, 0, NULL, 0, NULL, "JSON list of instruction, input, output", 0},
    {"dtype", TG_FIELD_STRINGS, AT(dtypes), 0, 0, NULL, 0, NULL, "number formats", 0},
    {"conditions", TG_FIELD_STRINGS, AT(conditions), 0, 0, NULL, 0, NULL, "default: all", 0},
    {"batch", TG_FIELD_STRINGS, AT(batch_texts), 0, 0, NULL, 0, NULL, "batch sizes", 0},
    {"task_tokens", TG_FIELD_STRINGS, AT(task_texts), 0, 0, NULL, 0, NULL, "lengths of the tasks; 0: as they are", 0},
    {"gists", TG_FIELD_STRINGS, AT(gist_texts), 0, 0, NULL, 0, NULL, "numbers of gist tokens", 0},
    {"n_prompts", TG_FIELD_INT, AT(n_prompts), 1, 100000, NULL, 0, NULL, "prompts used", 0},
    {"input_tokens", TG_FIELD_INT, AT(input_tokens), 0, 100000, NULL, 0, NULL, "length of the inputs; 0: as they are", 0},
    {"new_tokens", TG_FIELD_INT, AT(new_tokens), 1, 100000, NULL, 0, NULL, "tokens generated", 0},
    {"rounds", TG_FIELD_INT, AT(rounds), 1, 100000, NULL, 0, NULL, "times that every prompt is measured", 0},
    {"discrete_words", TG_FIELD_INT, AT(discrete_words), 1, 1000, NULL, 0, NULL, "words of the discrete baseline; default: as many as gist tokens",
     0},
    {"resamples", TG_FIELD_INT, AT(resamples), 1, 1000000, NULL, 0, NULL, "of the bootstrap", 0},
    {"threads", TG_FIELD_INT, AT(threads), 1, 1024, NULL, 0, NULL, "compute threads", 0},
    {"quality_tokens", TG_FIELD_INT, AT(quality_tokens), 0, 100000, NULL, 0, NULL, "measure the answers' quality, so many tokens at most", 0},
    {0},
};

static t5gist_status read_conditions(tg_bench_config *config, t5gist_error *err) {
  for (int i = 0; i < TG_BENCH_N_CONDITIONS; i++) config->measured[i] = config->conditions.count == 0;
  for (size_t i = 0; i < config->conditions.count; i++) {
    const char *name = config->conditions.items[i];
    int c = 0;
    while (c < TG_BENCH_N_CONDITIONS && strcmp(tg_bench_condition_names[c], name) != 0) c++;
    if (c < TG_BENCH_N_CONDITIONS) {
      config->measured[c] = true;
      continue;
    }
    const char *near = tg_nearest(name, tg_bench_condition_names, TG_BENCH_N_CONDITIONS);
    return tg_fail(err, T5GIST_EFORMAT, "conditions: unknown condition \"%.80s\"; expected full, pos_control, gist_uncached, gist_memory, gist_file, "
                   "neg_control or discrete%s%s", name, near ? "; nearest: " : "", near ? near : "");
  }
  return T5GIST_OK;
}

static t5gist_status check_dtypes(const tg_strings *dtypes, t5gist_error *err) {
  static const char *const known[] = {"f32", "bf16", "int8", "int4", "auto"};
  for (size_t i = 0; i < dtypes->count; i++) {
    size_t k = 0;
    while (k < sizeof known / sizeof *known && strcmp(known[k], dtypes->items[i]) != 0) k++;
    if (k == sizeof known / sizeof *known)
      return tg_fail(err, T5GIST_EFORMAT, "dtype: expected f32, bf16, int8, int4 or auto, found \"%.80s\"", dtypes->items[i]);
  }
  return T5GIST_OK;
}

static t5gist_status set_default(char **text, const char *fallback, t5gist_error *err) {
  return *text ? T5GIST_OK : tg_strdup(text, fallback, err);
}

/* $XDG_CACHE_HOME/t5gist/bench, else ~/.cache/t5gist/bench. */
static t5gist_status default_cache(char **out, t5gist_error *err) {
  TG_TRY(tg_cache_path("bench", out, err));
  return *out ? T5GIST_OK
              : tg_fail(err, T5GIST_EUSAGE, "cache: expected a folder for the synthetic models, since neither XDG_CACHE_HOME nor HOME names one");
}

t5gist_status tg_bench_config_dtype(tg_bench_config *config, const char *dtype, t5gist_error *err) {
  static const tg_field field = {.name = "dtype", .type = TG_FIELD_STRINGS};
  tg_strings_clear(&config->dtypes);
  return tg_field_set_text(&field, &config->dtypes, dtype, "dtype", err);
}

static t5gist_status complete(tg_bench_config *c, t5gist_error *err) {
  if (!c->model == !c->synthetic)
    return tg_fail(err, T5GIST_EFORMAT, "expected one of the keys model and synthetic, found %s", c->model ? "both" : "neither");
  if (!c->prompts && c->task_texts.count == 0)
    return tg_fail(err, T5GIST_EFORMAT, "expected the key prompts or task_tokens, found neither: what should be asked?");
  if (!c->prompts && c->input_tokens == 0)
    return tg_fail(err, T5GIST_EFORMAT, "expected the key prompts or input_tokens, found neither: what should be asked about?");
  TG_TRY(set_default(&c->name, "bench", err));
  if (strchr(c->name, '/')) return tg_fail(err, T5GIST_EFORMAT, "name: expected a file name without folders, found \"%.200s\"", c->name);
  TG_TRY(set_default(&c->title, c->name, err));
  if (c->synthetic && !c->cache) TG_TRY(default_cache(&c->cache, err));
  if (c->dtypes.count == 0) TG_TRY(tg_bench_config_dtype(c, "f32", err));
  TG_TRY(check_dtypes(&c->dtypes, err));
  TG_TRY(tg_numbers_read(&c->batch_texts, "batch", 1, 1024, 1, &c->batch, err));
  TG_TRY(tg_numbers_read(&c->task_texts, "task_tokens", 0, 100000, 0, &c->task_tokens, err));
  TG_TRY(tg_numbers_read(&c->gist_texts, "gists", 1, 1024, 1, &c->gists, err));
  return read_conditions(c, err);
}

t5gist_status tg_bench_config_load(const char *path, tg_bench_config *config, t5gist_error *err) {
  *config = (tg_bench_config){.n_prompts = 252, .new_tokens = 1, .rounds = 1, .resamples = 2000, .threads = T5GIST_UNSET};
  TG_TRY(tg_yaml_load(path, fields, 0, config, err));
  const t5gist_status status = complete(config, err);
  return status == T5GIST_OK ? status : tg_error_context(err, status, "%s: ", path);
}

void tg_bench_config_free(tg_bench_config *config) {
  tg_fields_free(fields, config);
}
