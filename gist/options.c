/* The options of a search: defaults and ranges. */
#include <math.h>
#include <string.h>

#include "gist/model.h"
#include "runtime/error.h"
#include "runtime/text.h"

enum { MAX_NEW_TOKENS = 1 << 20, MAX_BEAMS = 1024 };

const char *t5gist_draft_name(t5gist_draft draft) {
  static const char *const names[] = {"none", "lookup", "recycle"};
  return (unsigned)draft < sizeof names / sizeof *names ? names[draft] : NULL;
}

static const t5gist_options built_in = {.max_new_tokens = 128, .beams = 1, .n_best = 1, .length_penalty = 1, .top_p = 1, .repetition_penalty = 1};

static void fill_int(int *value, int from_model, int fallback) {
  if (*value == T5GIST_UNSET) *value = from_model != T5GIST_UNSET ? from_model : fallback;
}

static void fill_float(float *value, float from_model, float fallback) {
  if (isnan(*value)) *value = isnan(from_model) ? fallback : from_model;
}

/* What a model's file asks for must not contradict what the caller chose: the caller's own value bends the file's. */
static void fill(t5gist_options *o, const t5gist_options *model) {
  const bool chose_max = o->max_new_tokens != T5GIST_UNSET, chose_min = o->min_new_tokens != T5GIST_UNSET;
  const bool chose_beams = o->beams != T5GIST_UNSET, chose_n_best = o->n_best != T5GIST_UNSET, chose_temperature = !isnan(o->temperature);
  fill_int(&o->max_new_tokens, model->max_new_tokens, built_in.max_new_tokens);
  fill_int(&o->min_new_tokens, model->min_new_tokens, built_in.min_new_tokens);
  fill_int(&o->beams, model->beams, built_in.beams);
  fill_int(&o->n_best, model->n_best, built_in.n_best);
  fill_float(&o->length_penalty, model->length_penalty, built_in.length_penalty);
  fill_int(&o->early_stopping, model->early_stopping, built_in.early_stopping);
  fill_float(&o->temperature, model->temperature, built_in.temperature);
  fill_int(&o->top_k, model->top_k, built_in.top_k);
  fill_float(&o->top_p, model->top_p, built_in.top_p);
  fill_float(&o->repetition_penalty, model->repetition_penalty, built_in.repetition_penalty);
  fill_int(&o->no_repeat_ngram_size, model->no_repeat_ngram_size, built_in.no_repeat_ngram_size);
  fill_int(&o->max_input_tokens, model->max_input_tokens, built_in.max_input_tokens);
  fill_int(&o->top_logprobs, model->top_logprobs, built_in.top_logprobs);

  if (chose_max && !chose_min && o->min_new_tokens > o->max_new_tokens) o->min_new_tokens = o->max_new_tokens;
  if (chose_min && !chose_max && o->max_new_tokens < o->min_new_tokens) o->max_new_tokens = o->min_new_tokens;
  if (chose_temperature && o->temperature > 0 && !chose_beams) o->beams = 1;
  if (chose_beams && o->beams > 1 && !chose_temperature) o->temperature = 0;
  if (!chose_n_best && o->n_best > o->beams) o->n_best = o->beams;
  if (o->draft == T5GIST_UNSET) o->draft = T5GIST_DRAFT_NONE;
}

static t5gist_status check_int(const char *name, int value, int min, int max, t5gist_error *err) {
  if (value >= min && value <= max) return T5GIST_OK;
  return tg_fail(err, T5GIST_EUSAGE, "%s: expected %d to %d, found %d", name, min, max, value);
}

static t5gist_status check_float(const char *name, float value, bool in_range, const char *expected, t5gist_error *err) {
  if (in_range && isfinite(value)) return T5GIST_OK;
  return tg_fail(err, T5GIST_EUSAGE, "%s: expected %s, found %g", name, expected, (double)value);
}

static t5gist_status check_stops(const t5gist_options *o, t5gist_error *err) {
  if (o->n_stop > 0 && o->stop == NULL)
    return tg_fail(err, T5GIST_EUSAGE, "n_stop: %zu stop texts announced, found a null pointer for them", o->n_stop);
  for (size_t i = 0; i < o->n_stop; i++) {
    if (o->stop[i] == NULL || o->stop[i][0] == 0)
      return tg_fail(err, T5GIST_EUSAGE, "stop: expected texts that are not empty, found number %zu empty", i + 1);
    TG_TRY(tg_utf8_check(o->stop[i], strlen(o->stop[i]), "the stop text", err));
  }
  return T5GIST_OK;
}

static t5gist_status check(const tg_config *config, const t5gist_options *o, t5gist_error *err) {
  const int most_beams = config->vocab_size / 2 < MAX_BEAMS ? config->vocab_size / 2 : MAX_BEAMS; /* each step ranks two candidates per beam */
  TG_TRY(check_int("min_new_tokens", o->min_new_tokens, 0, MAX_NEW_TOKENS, err));
  TG_TRY(check_int("max_new_tokens", o->max_new_tokens, 1, MAX_NEW_TOKENS, err));
  TG_TRY(check_int("beams", o->beams, 1, most_beams < 1 ? 1 : most_beams, err));
  TG_TRY(check_int("n_best", o->n_best, 1, MAX_BEAMS, err));
  TG_TRY(check_float("length_penalty", o->length_penalty, fabsf(o->length_penalty) <= 100, "-100 to 100", err));
  TG_TRY(check_int("early_stopping", o->early_stopping, 0, 1, err));
  TG_TRY(check_float("temperature", o->temperature, o->temperature >= 0, "0 (no sampling) or more", err));
  TG_TRY(check_int("top_k", o->top_k, 0, INT32_MAX, err));
  TG_TRY(check_float("top_p", o->top_p, o->top_p > 0 && o->top_p <= 1, "more than 0, at most 1", err));
  TG_TRY(check_float("repetition_penalty", o->repetition_penalty, o->repetition_penalty > 0, "more than 0", err));
  TG_TRY(check_int("no_repeat_ngram_size", o->no_repeat_ngram_size, 0, MAX_NEW_TOKENS, err));
  TG_TRY(check_int("max_input_tokens", o->max_input_tokens, 0, INT32_MAX, err));
  TG_TRY(check_int("top_logprobs", o->top_logprobs, 0, config->vocab_size, err));
  TG_TRY(check_int("draft", o->draft, T5GIST_DRAFT_NONE, T5GIST_DRAFT_RECYCLE, err));
  if (o->min_new_tokens > o->max_new_tokens) {
    return tg_fail(err, T5GIST_EUSAGE, "min_new_tokens: expected at most max_new_tokens (%d), found %d", o->max_new_tokens, o->min_new_tokens);
  }
  if (o->beams > 1 && o->temperature > 0) {
    return tg_fail(err, T5GIST_EUSAGE, "beams: expected 1 with a temperature (%g), found %d: sampling and beams exclude each other",
                   (double)o->temperature, o->beams);
  }
  if (o->draft != T5GIST_DRAFT_NONE && (o->beams > 1 || o->temperature > 0)) {
    return tg_fail(err, T5GIST_EUSAGE, "draft: expected greedy search, found %s: drafts guess the one best answer",
                   o->beams > 1 ? "beams" : "a temperature");
  }
  if (o->n_best > o->beams) return tg_fail(err, T5GIST_EUSAGE, "n_best: expected at most beams (%d), found %d", o->beams, o->n_best);
  return check_stops(o, err);
}

t5gist_status t5gist_options_resolve(const t5gist_model *model, t5gist_options *options, t5gist_error *err) {
  if (model == NULL || options == NULL) return tg_fail(err, T5GIST_EUSAGE, "t5gist_options_resolve: model and options must not be null");
  const tg_config *config = &model->t5->config;
  fill(options, &config->generation);
  return check(config, options, err);
}
