#include "training/recipe.h"

#include <ctype.h>
#include <float.h>
#include <inttypes.h>
#include <limits.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "runtime/error.h"
#include "runtime/json.h"
#include "runtime/memory.h"
#include "runtime/numbers.h"

#define AT(member) offsetof(tg_recipe, member)
#define CONDITION(c) (offsetof(tg_recipe, conditions) + (c) * sizeof(float))

enum { FREE = 1 }; /* groups: may differ from what a run was begun with */

static const char *const condition_names[] = {"gist", "pos_control", "neg_control", "prefix", "full", NULL}; /* t5gist_condition's order */
static const char *const shapes[] = {"tiny", "mini", "small", "base", "large", "xl", "xxl", NULL};
static const char *const activations[] = {"gated-gelu", "gated-silu", "relu", NULL};
static const char *const optimisers[] = {"adamw", "adamw_scaled", "adafactor", "muon", NULL}; /* tg_optimiser_kind's order */
static const char *const schedules[] = {"constant", "linear", "cosine", NULL};        /* tg_schedule_kind's order */
static const char *const dtypes[] = {"f32", "bf16", NULL};
static const char *const computes[] = {"f32", "bf16", "auto", NULL}; /* tg_compute's order */

/* name, type, offset, least, greatest, choices, short name, argument, help, groups */
static const tg_field fields[] = {
    {"model", TG_FIELD_STRING, AT(model), 0, 0, NULL, 0, NULL, NULL, 0},
    {"out", TG_FIELD_STRING, AT(out), 0, 0, NULL, 0, NULL, NULL, FREE},
    {"template.task", TG_FIELD_STRING, AT(template_task), 0, 0, NULL, 0, NULL, NULL, 0},
    {"template.input", TG_FIELD_STRING, AT(template_input), 0, 0, NULL, 0, NULL, NULL, 0},

    {"shape.like", TG_FIELD_STRING, AT(shape), 0, 0, NULL, 0, NULL, NULL, 0},
    {"shape.d_model", TG_FIELD_INT, AT(d_model), 1, 65536, NULL, 0, NULL, NULL, 0},
    {"shape.d_kv", TG_FIELD_INT, AT(d_kv), 1, 4096, NULL, 0, NULL, NULL, 0},
    {"shape.d_ff", TG_FIELD_INT, AT(d_ff), 1, 262144, NULL, 0, NULL, NULL, 0},
    {"shape.n_heads", TG_FIELD_INT, AT(n_heads), 1, 1024, NULL, 0, NULL, NULL, 0},
    {"shape.n_layers", TG_FIELD_INT, AT(n_layers), 1, 1024, NULL, 0, NULL, NULL, 0},
    {"shape.n_decoder_layers", TG_FIELD_INT, AT(n_decoder_layers), 1, 1024, NULL, 0, NULL, NULL, 0},
    {"shape.buckets", TG_FIELD_INT, AT(buckets), 4, 4096, NULL, 0, NULL, NULL, 0},
    {"shape.max_distance", TG_FIELD_INT, AT(max_distance), 2, 1 << 20, NULL, 0, NULL, NULL, 0},
    {"shape.activation", TG_FIELD_ENUM, AT(activation), 0, 0, activations, 0, NULL, NULL, 0},
    {"shape.head_factor", TG_FIELD_FLOAT, AT(head_factor), 0, 1, NULL, 0, NULL, NULL, 0},
    {"shape.tied", TG_FIELD_BOOL, AT(tied), 0, 0, NULL, 0, NULL, NULL, 0},

    {"vocab.from", TG_FIELD_STRING, AT(vocab_from), 0, 0, NULL, 0, NULL, NULL, 0},
    {"vocab.size", TG_FIELD_INT, AT(vocab_size), 64, 1 << 20, NULL, 0, NULL, NULL, 0},
    {"vocab.texts", TG_FIELD_STRINGS, AT(vocab_texts), 0, 0, NULL, 0, NULL, NULL, 0},
    {"vocab.user_pieces", TG_FIELD_STRINGS, AT(vocab_pieces), 0, 0, NULL, 0, NULL, NULL, 0},
    {"vocab.split_digits", TG_FIELD_BOOL, AT(vocab_split_digits), 0, 0, NULL, 0, NULL, NULL, 0},
    {"vocab.max_sentences", TG_FIELD_INT, AT(vocab_sentences), 0, INT_MAX, NULL, 0, NULL, NULL, 0},
    {"vocab.byte_fallback", TG_FIELD_BOOL, AT(vocab_bytes), 0, 0, NULL, 0, NULL, NULL, 0},
    {"vocab.coverage", TG_FIELD_FLOAT, AT(vocab_coverage), 0.98, 1, NULL, 0, NULL, NULL, 0},

    {"data.train", TG_FIELD_STRING, AT(train), 0, 0, NULL, 0, NULL, NULL, 0},
    {"data.eval", TG_FIELD_STRINGS, AT(eval_texts), 0, 0, NULL, 0, NULL, NULL, FREE},
    {"data.cache", TG_FIELD_STRING, AT(cache), 0, 0, NULL, 0, NULL, NULL, FREE},
    {"data.task_field", TG_FIELD_STRING, AT(task_field), 0, 0, NULL, 0, NULL, NULL, 0},
    {"data.input_field", TG_FIELD_STRING, AT(input_field), 0, 0, NULL, 0, NULL, NULL, 0},
    {"data.target_field", TG_FIELD_STRING, AT(target_field), 0, 0, NULL, 0, NULL, NULL, 0},
    {"data.split_field", TG_FIELD_STRING, AT(split_field), 0, 0, NULL, 0, NULL, NULL, 0},
    {"data.family_field", TG_FIELD_STRING, AT(family_field), 0, 0, NULL, 0, NULL, NULL, 0},
    {"data.max_source", TG_FIELD_INT, AT(max_source), 2, 1 << 16, NULL, 0, NULL, NULL, 0},
    {"data.max_target", TG_FIELD_INT, AT(max_target), 1, 1 << 16, NULL, 0, NULL, NULL, 0},
    {"data.block", TG_FIELD_INT, AT(block), 1, 1 << 16, NULL, 0, NULL, NULL, 0},
    {"data.shuffle", TG_FIELD_BOOL, AT(shuffle), 0, 0, NULL, 0, NULL, NULL, 0},
    {"data.truncate_target", TG_FIELD_BOOL, AT(truncate_target), 0, 0, NULL, 0, NULL, NULL, 0},
    {"data.skip_bad", TG_FIELD_BOOL, AT(skip_bad), 0, 0, NULL, 0, NULL, NULL, 0},

    {"conditions.gist", TG_FIELD_FLOAT, CONDITION(T5GIST_GIST), 0, 1e6, NULL, 0, NULL, NULL, 0},
    {"conditions.pos_control", TG_FIELD_FLOAT, CONDITION(T5GIST_POS_CONTROL), 0, 1e6, NULL, 0, NULL, NULL, 0},
    {"conditions.neg_control", TG_FIELD_FLOAT, CONDITION(T5GIST_NEG_CONTROL), 0, 1e6, NULL, 0, NULL, NULL, 0},
    {"conditions.prefix", TG_FIELD_FLOAT, CONDITION(T5GIST_PREFIX), 0, 1e6, NULL, 0, NULL, NULL, 0},
    {"conditions.full", TG_FIELD_FLOAT, CONDITION(T5GIST_FULL), 0, 1e6, NULL, 0, NULL, NULL, 0},
    {"gists", TG_FIELD_STRINGS, AT(gist_texts), 0, 0, NULL, 0, NULL, NULL, 0},
    {"distinct_gists", TG_FIELD_INT, AT(distinct_gists), 0, 1024, NULL, 0, NULL, NULL, 0},
    {"default_gists", TG_FIELD_INT, AT(default_gists), 1, 1024, NULL, 0, NULL, NULL, FREE},

    {"loss.cross_entropy", TG_FIELD_FLOAT, AT(cross_entropy), 0, 1e6, NULL, 0, NULL, NULL, 0},
    {"loss.kl_forward", TG_FIELD_FLOAT, AT(kl_forward), 0, 1e6, NULL, 0, NULL, NULL, 0},
    {"loss.kl_reverse", TG_FIELD_FLOAT, AT(kl_reverse), 0, 1e6, NULL, 0, NULL, NULL, 0},
    {"loss.match", TG_FIELD_FLOAT, AT(match), 0, 1e6, NULL, 0, NULL, NULL, 0},
    {"loss.smoothing", TG_FIELD_FLOAT, AT(smoothing), 0, 0.999, NULL, 0, NULL, NULL, 0},
    {"loss.rebuild", TG_FIELD_FLOAT, AT(rebuild), 0, 1e6, NULL, 0, NULL, NULL, 0},
    {"loss.rebuild_share", TG_FIELD_FLOAT, AT(rebuild_share), 0, 1, NULL, 0, NULL, NULL, 0},
    {"loss.rebuild_until", TG_FIELD_FLOAT, AT(rebuild_until), 0, 1, NULL, 0, NULL, NULL, 0},
    {"loss.copy", TG_FIELD_FLOAT, AT(copy), 0, 1e6, NULL, 0, NULL, NULL, 0},
    {"loss.copy_share", TG_FIELD_FLOAT, AT(copy_share), 0, 1, NULL, 0, NULL, NULL, 0},
    {"teacher", TG_FIELD_STRING, AT(teacher), 0, 0, NULL, 0, NULL, NULL, 0},
    {"teacher_condition", TG_FIELD_ENUM, AT(teacher_condition), 0, 0, condition_names, 0, NULL, NULL, 0},

    {"steps", TG_FIELD_INT, AT(steps), 1, INT_MAX, NULL, 0, NULL, NULL, FREE},
    {"batch_examples", TG_FIELD_INT, AT(batch_examples), 1, 1 << 20, NULL, 0, NULL, NULL, 0},
    {"micro_tokens", TG_FIELD_INT, AT(micro_tokens), 1, 1 << 24, NULL, 0, NULL, NULL, 0},
    {"compute", TG_FIELD_ENUM, AT(compute), 0, 0, computes, 0, NULL, NULL, 0},
    {"optimiser", TG_FIELD_ENUM, AT(optimiser), 0, 0, optimisers, 0, NULL, NULL, 0},
    {"rate", TG_FIELD_FLOAT, AT(rate), 0, 1e3, NULL, 0, NULL, NULL, 0},
    {"final_rate", TG_FIELD_FLOAT, AT(final_rate), 0, 1e3, NULL, 0, NULL, NULL, 0},
    {"schedule", TG_FIELD_ENUM, AT(schedule), 0, 0, schedules, 0, NULL, NULL, 0},
    {"warmup", TG_FIELD_INT, AT(warmup), 0, INT_MAX, NULL, 0, NULL, NULL, 0},
    {"beta1", TG_FIELD_FLOAT, AT(beta1), 0, 0.999999, NULL, 0, NULL, NULL, 0},
    {"beta2", TG_FIELD_FLOAT, AT(beta2), 0, 0.999999, NULL, 0, NULL, NULL, 0},
    {"eps", TG_FIELD_FLOAT, AT(eps), 0, 1, NULL, 0, NULL, NULL, 0},
    {"weight_decay", TG_FIELD_FLOAT, AT(weight_decay), 0, 10, NULL, 0, NULL, NULL, 0},
    {"clip", TG_FIELD_FLOAT, AT(clip), 0, FLT_MAX, NULL, 0, NULL, NULL, 0},
    {"gist_factor", TG_FIELD_FLOAT, AT(gist_factor), 0, 1e6, NULL, 0, NULL, NULL, 0},
    {"average", TG_FIELD_FLOAT, AT(average), 0, 0.999999, NULL, 0, NULL, NULL, 0},
    {"dropout", TG_FIELD_FLOAT, AT(dropout), 0, 0.9, NULL, 0, NULL, NULL, 0},
    {"scale_q", TG_FIELD_BOOL, AT(scale_q), 0, 0, NULL, 0, NULL, NULL, 0},
    {"share_tasks", TG_FIELD_BOOL, AT(share_tasks), 0, 0, NULL, 0, NULL, NULL, 0},
    {"fixed_order", TG_FIELD_BOOL, AT(fixed_order), 0, 0, NULL, 0, NULL, NULL, 0},
    {"seed", TG_FIELD_UINT64, AT(seed), 0, 0, NULL, 0, NULL, NULL, 0},
    {"threads", TG_FIELD_INT, AT(threads), 1, 1024, NULL, 0, NULL, NULL, FREE},

    {"eval_every", TG_FIELD_INT, AT(eval_every), 0, INT_MAX, NULL, 0, NULL, NULL, FREE},
    {"eval_examples", TG_FIELD_INT, AT(eval_examples), 0, INT_MAX, NULL, 0, NULL, NULL, FREE},
    {"eval_conditions", TG_FIELD_STRINGS, AT(eval_conditions), 0, 0, NULL, 0, NULL, NULL, FREE},
    {"best", TG_FIELD_STRING, AT(best), 0, 0, NULL, 0, NULL, NULL, FREE},
    {"save_every", TG_FIELD_INT, AT(save_every), 0, INT_MAX, NULL, 0, NULL, NULL, FREE},
    {"keep", TG_FIELD_INT, AT(keep), 1, 1000, NULL, 0, NULL, NULL, FREE},
    {"save_dtype", TG_FIELD_ENUM, AT(save_dtype), 0, 0, dtypes, 0, NULL, NULL, FREE},
    {"log", TG_FIELD_BOOL, AT(log), 0, 0, NULL, 0, NULL, NULL, FREE},
    {"tensorboard", TG_FIELD_BOOL, AT(tensorboard), 0, 0, NULL, 0, NULL, NULL, FREE},
    {0},
};

static void set_defaults(tg_recipe *r) {
  *r = (tg_recipe){.d_model = T5GIST_UNSET,
                   .d_kv = T5GIST_UNSET,
                   .d_ff = T5GIST_UNSET,
                   .n_heads = T5GIST_UNSET,
                   .n_layers = T5GIST_UNSET,
                   .n_decoder_layers = T5GIST_UNSET,
                   .buckets = 32,
                   .max_distance = 128,
                   .vocab_size = 8192,
                   .vocab_coverage = 0.9995f,
                   .vocab_bytes = true,
                   .vocab_sentences = 1000000,
                   .max_source = 128,
                   .max_target = 256,
                   .block = 1,
                   .shuffle = true,
                   .head_factor = 1,
                   .truncate_target = true,
                   .distinct_gists = T5GIST_UNSET,
                   .default_gists = T5GIST_UNSET,
                   .cross_entropy = 1,
                   .rebuild_share = 0.25f,
                   .rebuild_until = 1,
                   .copy_share = 0.25f,
                   .teacher_condition = T5GIST_FULL,
                   .steps = 1000,
                   .batch_examples = 32,
                   .micro_tokens = 4096,
                   .schedule = TG_LINEAR,
                   .rate = 1e-4f,
                   .beta1 = 0.9f,
                   .beta2 = 0.999f,
                   .eps = 1e-8f,
                   .clip = 1,
                   .gist_factor = 1,
                   .share_tasks = true,
                   .fixed_order = true,
                   .threads = T5GIST_UNSET,
                   .eval_every = 0,
                   .eval_examples = 200,
                   .save_every = 0,
                   .keep = 2,
                   .log = true,
                   .tensorboard = true};
}

/* ------------------------------------------------------------------------------------------------------------------------- checking */

static bool from_scratch(const tg_recipe *r) {
  return r->shape || r->d_model != T5GIST_UNSET || r->d_kv != T5GIST_UNSET || r->d_ff != T5GIST_UNSET || r->n_heads != T5GIST_UNSET ||
         r->n_layers != T5GIST_UNSET || r->n_decoder_layers != T5GIST_UNSET;
}

static t5gist_status check_start(const tg_recipe *r, t5gist_error *err) {
  if (!r->model == !from_scratch(r))
    return tg_fail(err, T5GIST_EUSAGE, "expected one of the keys model (a folder to start from) and shape (from scratch), found %s",
                   r->model ? "both" : "neither");
  if (r->model) return T5GIST_OK;
  if (r->shape) {
    size_t n = 0;
    while (shapes[n] && strcmp(shapes[n], r->shape) != 0) n++;
    if (!shapes[n]) return tg_fail(err, T5GIST_EUSAGE, "shape.like: expected tiny, mini, small, base, large, xl or xxl, found \"%.80s\"", r->shape);
    return T5GIST_OK;
  }
  static const struct {
    const char *name;
    size_t at;
  } needed[] = {{"d_model", AT(d_model)}, {"d_kv", AT(d_kv)}, {"d_ff", AT(d_ff)}, {"n_heads", AT(n_heads)}, {"n_layers", AT(n_layers)}};
  for (size_t i = 0; i < sizeof needed / sizeof *needed; i++) {
    if (*(const int *)(const void *)((const char *)r + needed[i].at) == T5GIST_UNSET)
      return tg_fail(err, T5GIST_EUSAGE, "shape.%s: expected a number, found nothing; or name a shape by shape.like", needed[i].name);
  }
  return T5GIST_OK;
}

static t5gist_status read_gists(tg_recipe *r, t5gist_error *err) {
  tg_numbers numbers;
  TG_TRY(tg_numbers_read(&r->gist_texts, "gists", 1, 1024, 1, &numbers, err));
  r->n_gists = numbers.count;
  r->most_gists = 0;
  for (int i = 0; i < numbers.count; i++) {
    r->gists[i] = numbers.values[i];
    if (r->gists[i] > r->most_gists) r->most_gists = r->gists[i];
  }
  if (r->distinct_gists > 0 && r->distinct_gists < r->most_gists)
    return tg_fail(err, T5GIST_EUSAGE, "distinct_gists: expected at least %d, the most of gists, or 0 (one row, repeated), found %d", r->most_gists,
                   r->distinct_gists);
  if (r->default_gists != T5GIST_UNSET && r->distinct_gists > 1 && r->default_gists > r->distinct_gists)
    return tg_fail(err, T5GIST_EUSAGE, "default_gists: expected at most %d, as distinct_gists says, found %d", r->distinct_gists, r->default_gists);
  return T5GIST_OK;
}

/* "name=path", or a path alone, which is called "eval". */
static t5gist_status read_set(tg_recipe *r, const char *text, t5gist_error *err) {
  const char *equals = strchr(text, '=');
  if (r->n_sets == TG_MAX_SETS) return tg_fail(err, T5GIST_EUSAGE, "data.eval: expected at most %d sets, found more", TG_MAX_SETS);
  tg_recipe_set *set = &r->sets[r->n_sets];
  TG_TRY(equals ? tg_strndup(&set->name, text, (size_t)(equals - text), err) : tg_strdup(&set->name, "eval", err));
  r->n_sets++;
  TG_TRY(tg_strdup(&set->path, equals ? equals + 1 : text, err));
  bool plain = set->name[0] != 0 && strlen(set->name) < 64;
  for (const char *c = set->name; *c; c++) plain &= isalnum((unsigned char)*c) || strchr("-_.", *c);
  if (!plain || !set->path[0])
    return tg_fail(err, T5GIST_EUSAGE, "data.eval: expected NAME=FILE with a name of letters, digits, - _ and ., found \"%.200s\"", text);
  for (int i = 0; i < r->n_sets - 1; i++) {
    if (strcmp(r->sets[i].name, set->name) == 0) return tg_fail(err, T5GIST_EUSAGE, "data.eval: two sets are called \"%s\"", set->name);
  }
  return T5GIST_OK;
}

static void free_sets(tg_recipe *r) {
  for (int i = 0; i < r->n_sets; i++) {
    tg_free(r->sets[i].name);
    tg_free(r->sets[i].path);
    r->sets[i] = (tg_recipe_set){0};
  }
  r->n_sets = 0;
}

static t5gist_status check_conditions(tg_recipe *r, t5gist_error *err) {
  double sum = 0;
  for (int c = 0; c < TG_N_CONDITIONS; c++) sum += r->conditions[c];
  if (!(sum > 0)) r->conditions[T5GIST_GIST] = 1;
  for (size_t i = 0; i < r->eval_conditions.count; i++) {
    const tg_field field = {.name = "eval_conditions", .type = TG_FIELD_ENUM, .choices = condition_names};
    int condition;
    TG_TRY(tg_field_set_text(&field, &condition, r->eval_conditions.items[i], "eval_conditions", err));
  }
  return T5GIST_OK;
}

static t5gist_status check_losses(const tg_recipe *r, t5gist_error *err) {
  const bool needs_teacher = r->kl_forward > 0 || r->kl_reverse > 0 || r->match > 0;
  if (needs_teacher && !r->teacher)
    return tg_fail(err, T5GIST_EUSAGE, "teacher: expected a model folder, or start, for loss.%s, found nothing",
                   r->match > 0        ? "match"
                   : r->kl_forward > 0 ? "kl_forward"
                                       : "kl_reverse");
  if (r->teacher && !needs_teacher)
    return tg_fail(err, T5GIST_EUSAGE,
                   "teacher: expected a weight for loss.kl_forward, loss.kl_reverse or loss.match, for which the teacher is there, found none");
  if (r->teacher_condition != T5GIST_FULL && r->teacher_condition != T5GIST_POS_CONTROL)
    return tg_fail(err, T5GIST_EUSAGE, "teacher_condition: expected full or pos_control, found \"%s\"", condition_names[r->teacher_condition]);
  if (r->cross_entropy == 0 && !needs_teacher && r->rebuild == 0 && r->copy == 0)
    return tg_fail(err, T5GIST_EUSAGE, "loss: expected at least one weight above 0, found none");
  return T5GIST_OK;
}

static t5gist_status set_default(char **text, const char *fallback, t5gist_error *err) {
  return *text ? T5GIST_OK : tg_strdup(text, fallback, err);
}

static t5gist_status check_fields(tg_recipe *r, t5gist_error *err) {
  if (!r->out) return tg_fail(err, T5GIST_EUSAGE, "out: expected the folder that the trained model goes to, found nothing");
  if (!r->train) return tg_fail(err, T5GIST_EUSAGE, "data.train: expected a file of examples, found nothing");
  TG_TRY(set_default(&r->task_field, "instruction", err));
  TG_TRY(set_default(&r->input_field, "input", err));
  TG_TRY(set_default(&r->target_field, "output", err));
  if (r->warmup > r->steps) return tg_fail(err, T5GIST_EUSAGE, "warmup: expected at most the %d steps, found %d", r->steps, r->warmup);
  free_sets(r);
  for (size_t i = 0; i < r->eval_texts.count; i++) TG_TRY(read_set(r, r->eval_texts.items[i], err));
  if (r->best && r->n_sets == 0) return tg_fail(err, T5GIST_EUSAGE, "best: expected a set in data.eval that it could name, found none");
  return T5GIST_OK;
}

static t5gist_status check(tg_recipe *recipe, t5gist_error *err) {
  TG_TRY(check_start(recipe, err));
  TG_TRY(check_fields(recipe, err));
  TG_TRY(read_gists(recipe, err));
  TG_TRY(check_conditions(recipe, err));
  return check_losses(recipe, err);
}

t5gist_status tg_recipe_check(const char *path, tg_recipe *recipe, t5gist_error *err) {
  const t5gist_status status = check(recipe, err);
  return status == T5GIST_OK ? status : tg_error_context(err, status, "%s: ", path);
}

t5gist_status tg_recipe_read(const char *path, tg_recipe *recipe, t5gist_error *err) {
  set_defaults(recipe);
  return tg_yaml_load(path, fields, 0, recipe, err);
}

t5gist_status tg_recipe_load(const char *path, tg_recipe *recipe, t5gist_error *err) {
  TG_TRY(tg_recipe_read(path, recipe, err));
  return tg_recipe_check(path, recipe, err);
}

void tg_recipe_free(tg_recipe *recipe) {
  free_sets(recipe);
  tg_fields_free(fields, recipe);
}

/* ----------------------------------------------------------------------------------------------------------------------- comparison */

static json_t *list_json(const tg_strings *strings) {
  json_t *list = json_array();
  for (size_t i = 0; list && i < strings->count; i++) json_array_append_new(list, json_string(strings->items[i]));
  return list;
}

/* JSON's whole numbers here have 63 bits: beyond them as text, which a recipe takes as well. */
static json_t *uint64_json(uint64_t value) {
  char text[24];
  snprintf(text, sizeof text, "%" PRIu64, value);
  return value <= INT64_MAX ? json_integer((json_int_t)value) : json_string(text);
}

static json_t *value_json(const tg_recipe *recipe, const tg_field *field) {
  const void *at = (const char *)recipe + field->offset;
  switch (field->type) {
    case TG_FIELD_INT: return json_integer(*(const int *)at);
    case TG_FIELD_UINT64: return uint64_json(*(const uint64_t *)at);
    case TG_FIELD_FLOAT: return json_real((double)*(const float *)at);
    case TG_FIELD_BOOL: return json_boolean(*(const bool *)at);
    case TG_FIELD_ENUM: return json_string(field->choices[*(const int *)at]);
    case TG_FIELD_STRING: return *(char *const *)at ? json_string(*(char *const *)at) : json_null();
    case TG_FIELD_STRINGS: return list_json(at);
  }
  return NULL;
}

json_t *tg_recipe_json(const tg_recipe *recipe) {
  json_t *object = json_object();
  for (const tg_field *f = fields; object && f->name; f++) {
    if (!json_object_set_new(object, f->name, value_json(recipe, f))) continue;
    json_decref(object);
    object = NULL;
  }
  return object;
}

t5gist_status tg_recipe_same(const tg_recipe *recipe, const json_t *before, t5gist_error *err) {
  json_t *now = tg_recipe_json(recipe);
  if (!now) return tg_fail(err, T5GIST_ENOMEM, "not enough memory for the recipe");
  t5gist_status status = T5GIST_OK;
  for (const tg_field *f = fields; f->name && !status; f++) {
    char then_text[TG_JSON_FOUND], now_text[TG_JSON_FOUND];
    const json_t *a = json_object_get(before, f->name), *b = json_object_get(now, f->name);
    if ((f->groups & FREE) || json_equal(a, b)) continue;
    status = tg_fail(err, T5GIST_EMISMATCH, "%s: the run was begun with %s, the recipe now says %s; a run goes on only as it was begun", f->name,
                     a ? tg_json_found(a, then_text) : "nothing", tg_json_found(b, now_text));
  }
  json_decref(now);
  return status;
}

/* -------------------------------------------------------------------------------------------------------------------------- options */

bool tg_recipe_has_teacher(const tg_recipe *recipe) {
  return recipe->teacher != NULL;
}

tg_batch_options tg_recipe_batch(const tg_recipe *r, int step) {
  tg_batch_options options = {.seed = r->seed,
                              .n_gists = r->n_gists,
                              .rebuild = r->rebuild > 0 && step < (double)r->rebuild_until * r->steps ? r->rebuild_share : 0,
                              .copy = r->copy > 0 ? r->copy_share : 0,
                              .rebuild_weight = r->rebuild,
                              .copy_weight = r->copy,
                              .cross_entropy = r->cross_entropy,
                              .share_tasks = r->share_tasks,
                              .share_draws = r->share_tasks,
                              .teacher = tg_recipe_has_teacher(r),
                              .teacher_condition = r->teacher_condition};
  memcpy(options.conditions, r->conditions, sizeof options.conditions);
  memcpy(options.gists, r->gists, sizeof options.gists);
  return options;
}

tg_optimiser_options tg_recipe_optimiser(const tg_recipe *r) {
  return (tg_optimiser_options){.kind = r->optimiser,
                                .beta1 = r->beta1,
                                .beta2 = r->beta2,
                                .eps = r->eps,
                                .weight_decay = r->weight_decay,
                                .clip = r->clip,
                                .gist_factor = r->gist_factor,
                                .average = r->average};
}

tg_schedule tg_recipe_schedule(const tg_recipe *r) {
  return (tg_schedule){.kind = r->schedule, .rate = r->rate, .final_rate = r->final_rate, .warmup = r->warmup, .steps = r->steps};
}
