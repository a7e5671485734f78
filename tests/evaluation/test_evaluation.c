/* The evaluation: configurations and examples are checked, rows find their checkpoints, the table adds up, all outputs are written. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "evaluation/evaluation.h"
#include "measure/rouge.h"
#include "runtime/file.h"
#include "runtime/json.h"
#include "t5/synthetic.h"
#include "tests/support/folder.h"

#define CHECK_OK(expr)                                               \
  do {                                                               \
    if ((expr) != T5GIST_OK) fail_msg("%s: %s", #expr, err.message); \
  } while (0)

static char *dir;
static size_t n_warned;

static void quiet_step(void *user, const char *what, size_t done, size_t total) {
  (void)user, (void)what, (void)done, (void)total;
}

static void count_warning(void *user, const char *sentence) {
  (void)user;
  assert_true(strlen(sentence) > 0);
  n_warned++;
}

static const tg_eval_progress progress = {quiet_step, count_warning, NULL};

static int set_up(void **state) {
  t5gist_error err;
  (void)state;
  dir = folder_new(TEST_BINARY_DIR);
  CHECK_OK(tg_synthetic_write(folder_path(dir, "tiny"), "tiny", "flan", 5, T5GIST_UNSET, TEST_SOURCE_DIR "/tests/data/flan-t5", &err));
  CHECK_OK(tg_synthetic_write(folder_path(dir, "other"), "tiny", "flan", 6, T5GIST_UNSET, TEST_SOURCE_DIR "/tests/data/flan-t5", &err));
  return 0;
}

static int tear_down(void **state) {
  (void)state;
  folder_remove(dir);
  return 0;
}

static t5gist_status load(const char *text, tg_eval_config *config, t5gist_error *err) {
  folder_text(dir, "config.yaml", text);
  return tg_eval_config_load(folder_path(dir, "config.yaml"), config, err);
}

/* A configuration that must be good; %s of text is the folder, as often as it stands there. */
static void load_good(const char *text, tg_eval_config *config) {
  char whole[2048];
  size_t n = 0;
  t5gist_error err;
  for (; *text && n + 512 < sizeof whole; text++) {
    if (text[0] == '%' && text[1] == 's') n += (size_t)snprintf(whole + n, sizeof whole - n, "%s", dir), text++;
    else whole[n++] = *text;
  }
  whole[n] = 0;
  CHECK_OK(load(whole, config, &err));
}

/* ------------------------------------------------------------------------------------------------------------------------------- config */

static void wrong_configurations(void **state) {
  static const struct {
    const char *text, *named;
  } cases[] = {
      {"conditions: [full, negcontrol]\n",
       "unknown condition \"negcontrol\"; expected full, pos_control, prefix, gist, words or neg_control; did you mean neg_control"},
      {"gists: [1, 0]\n", "gists"},
      {"gists: [4, 1, 4]\n", "found 4 twice"},
      {"words: [x]\n", "words"},
      {"name: a/b\n", "a/b"},
      {"modle: x\n", "did you mean \"model\""},
      {"model_of: [gist]\n", "found \"gist\""},
      {"model_of: [gist-=x]\n", "found \"gist-=x\""},
      {"model_of: [full-2=x]\n", "found \"full-2=x\""},
      {"model_of: [gist=]\n", "found \"gist=\""},
      {"model: [a, b]\nmodel_of: [gist=c]\n", "at most one model"},
      {"model: [a, a]\n", "found a twice"},
      {"limit: -1\n", "limit"},
      {"dtype: f64\n", "dtype"},
      {"skip_bad: perhaps\n", "skip_bad"},
  };
  (void)state;
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    tg_eval_config config;
    t5gist_error err = {0};
    assert_int_equal(load(cases[i].text, &config, &err), T5GIST_EUSAGE);
    if (!strstr(err.message, cases[i].named)) fail_msg("expected \"%s\" to be named, found: %s", cases[i].named, err.message);
    tg_eval_config_free(&config);
  }
}

static void which_model(void **state) {
  tg_eval_config c;
  (void)state;
  load_good("model_of: [gist=a, gist-4=b, neg_control=c]\nconditions: [gist, neg_control]\n", &c);
  assert_string_equal(tg_eval_model_of(&c, TG_EVAL_GIST, 1), "a");
  assert_string_equal(tg_eval_model_of(&c, TG_EVAL_GIST, 4), "b");
  assert_null(tg_eval_model_of(&c, TG_EVAL_POS_CONTROL, 0));
  assert_false(tg_eval_needs_model(&c));
  tg_eval_config_free(&c);
  load_good("model_of: [gist-4=b]\nconditions: [gist]\ngists: [4]\n", &c);
  assert_false(tg_eval_needs_model(&c));
  tg_eval_config_gists(&c, 2);
  assert_true(tg_eval_needs_model(&c));
  tg_eval_config_free(&c);
  load_good("model_of: [gist=b]\n", &c);
  assert_true(tg_eval_needs_model(&c));
  tg_eval_config_free(&c);
  load_good("model: a\n", &c);
  assert_false(tg_eval_needs_model(&c));
  assert_int_equal(c.dtype, T5GIST_UNSET);
  tg_eval_config_free(&c);
}

/* --------------------------------------------------------------------------------------------------------------------------------- data */

static void read_data(const char *config_text, tg_eval_config *config, tg_eval_data *data) {
  t5gist_error err;
  load_good(config_text, config);
  CHECK_OK(tg_eval_data_read(config, &progress, data, &err));
}

static void bad_data(void **state) {
  static const struct {
    const char *text, *named;
  } cases[] = {
      {"", "expected at least one example, found none"},
      {"[]", "expected at least one example, found none"},
      {"{\"task\": \"a\", \"input\": \"b\", \"target\": \"c\"}",
       "line 1: expected the key \"instruction\" (the setting task_field names it), found the keys task, input, target"},
      {"{\"instruction\": \"a\", \"input\": \"b\"}", "line 1: expected the key \"output\" (the setting target_field names it)"},
      {"{\"instruction\": \"\", \"input\": \"\", \"output\": \"c\"}", "found both empty"},
      {"{\"instruction\": \"a\", \"output\": \"c\"}\n{\"instruction\": \"a\", \"output\": 7}", "line 2: output: expected a string, found 7"},
      {"{\"instruction\": \"a\", \"output\": \"c\", \"bits\": \"many\"}", "bits"},
      {"{\"instruction\": \"a\", \"output\": \"c\"}\n{oops", "line 2: expected JSON"},
      {"[{\"instruction\": \"a\", \"output\": \"c\"}, 3]", "entry 2: expected an object, found 3"},
  };
  (void)state;
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    tg_eval_config config;
    tg_eval_data data;
    t5gist_error err = {0};
    load_good("data: %s/bad.jsonl\n", &config);
    folder_text(dir, "bad.jsonl", cases[i].text);
    assert_int_equal(tg_eval_data_read(&config, &progress, &data, &err), T5GIST_EFORMAT);
    if (!strstr(err.message, cases[i].named)) fail_msg("expected \"%s\" to be named, found: %s", cases[i].named, err.message);
    tg_eval_data_free(&data);
    tg_eval_config_free(&config);
  }
}

static void splits_and_fields(void **state) {
  tg_eval_config config;
  tg_eval_data data;
  (void)state;
  folder_text(dir, "first.json",
              "[{\"task\": \"a\", \"target\": \"x\"}, {\"task\": \"b\", \"input\": \"i\", \"target\": \"y\", \"group\": \"odd\"}, {\"task\": \"c\", "
              "\"target\": \"z\"}]");
  folder_text(dir, "second.jsonl",
              "{\"task\": \"d\", \"target\": \"x\", \"group\": \"odd\"}\nno\n\n{\"task\": \"\", \"input\": \"e\", \"target\": \"\"}\n");
  n_warned = 0;
  read_data("data: ['%s/first.json', '%s/second.jsonl']\ntask_field: task\ntarget_field: target\nsplit_field: group\nskip_bad: true\n", &config,
            &data);
  assert_int_equal(data.skipped, 1);
  assert_int_equal(n_warned, 1);
  assert_int_equal(data.n_splits, 3);
  assert_int_equal(data.n, 5);
  assert_string_equal(data.splits[0].name, "first");
  assert_string_equal(data.splits[1].name, "odd");
  assert_string_equal(data.splits[2].name, "second");
  assert_true(data.splits[0].n == 2 && data.splits[1].n == 2 && data.splits[2].n == 1 && data.splits[1].begin == 2);
  assert_string_equal(data.examples[2].input, "i");
  assert_string_equal(data.examples[3].task, "d");
  assert_true(data.examples[4].file == 1 && data.examples[4].number == 4);
  tg_eval_data_free(&data);
  tg_eval_config_free(&config);
}

/* Files of the same name stay apart. */
static void equal_names(void **state) {
  tg_eval_config config;
  tg_eval_data data;
  (void)state;
  folder_text(dir, "same.json", "[{\"instruction\": \"a\", \"output\": \"x\"}]");
  folder_text(dir, "same.jsonl", "{\"instruction\": \"a\", \"output\": \"x\"}");
  read_data("data: ['%s/same.json', '%s/same.jsonl']\n", &config, &data);
  assert_int_equal(data.n_splits, 2);
  assert_non_null(strstr(data.splits[0].name, "/same.json"));
  tg_eval_data_free(&data);
  tg_eval_config_free(&config);
}

/* Writes n examples of two splits; bits count up. */
static void write_many(int n) {
  tg_buffer text = {0};
  t5gist_error err;
  for (int i = 0; i < n; i++)
    CHECK_OK(tg_buffer_printf(&text, &err, "{\"instruction\": \"task %d\", \"input\": \"x\", \"output\": \"y\", \"split\": \"%s\", \"bits\": %d}\n",
                              i, i % 3 ? "a" : "b", i));
  folder_text(dir, "many.jsonl", text.data);
  tg_buffer_free(&text);
}

static void limits(void **state) {
  size_t chosen[3][10];
  (void)state;
  write_many(90);
  for (int run = 0; run < 3; run++) {
    tg_eval_config config;
    tg_eval_data data;
    read_data(run < 2 ? "data: '%s/many.jsonl'\nlimit: 5\nseed: 1\n" : "data: '%s/many.jsonl'\nlimit: 5\nseed: 2\n", &config, &data);
    assert_true(data.n == 10 && data.splits[0].n == 5 && data.splits[0].n_found == 30 && data.splits[1].n_found == 60);
    for (size_t i = 0; i < 10; i++) chosen[run][i] = data.examples[i].number;
    for (size_t i = 1; i < 10; i++) assert_true(i == 5 || chosen[run][i] > chosen[run][i - 1]); /* the file's order within a split */
    tg_eval_data_free(&data);
    tg_eval_config_free(&config);
  }
  assert_memory_equal(chosen[0], chosen[1], sizeof chosen[0]);
  assert_memory_not_equal(chosen[0], chosen[2], sizeof chosen[0]);
}

static void bins(void **state) {
  tg_eval_config config;
  tg_eval_data data;
  size_t n = 0;
  (void)state;
  write_many(75);
  read_data("data: '%s/many.jsonl'\n", &config, &data);
  const tg_eval_split *s = &data.splits[1];
  assert_int_equal(s->n, 50);
  assert_int_equal(s->n_bins, TG_EVAL_MAX_BINS);
  for (size_t b = 0; b < s->n_bins; b++) {
    assert_int_equal(s->bins[b].n, 5);
    assert_true(s->bins[b].low <= s->bins[b].high && (b == 0 || s->bins[b].low > s->bins[b - 1].high));
    n += s->bins[b].n;
  }
  assert_int_equal(n, s->n);
  tg_eval_data_free(&data);
  tg_eval_config_free(&config);
  read_data("data: '" TEST_SOURCE_DIR "/tests/data/eval.jsonl'\n", &config, &data);
  assert_true(data.splits[0].n_bins == 3 && data.splits[0].bins[0].n == 4 && data.splits[0].bins[2].high == 12);
  assert_int_equal(data.families.count, 4);
  tg_eval_data_free(&data);
  tg_eval_config_free(&config);
}

/* --------------------------------------------------------------------------------------------------------------------------------- rows */

/* A folder with nothing but a config.json that says what was trained. */
static void write_metadata(const char *name, const char *block) {
  t5gist_error err;
  char *folder = strdup(folder_path(dir, name));
  json_t *config = NULL, *parsed = NULL;
  CHECK_OK(tg_json_read(folder_path(dir, "tiny/config.json"), 1 << 16, &config, &err));
  CHECK_OK(tg_json_parse(block, strlen(block), "block", &parsed, &err));
  json_object_set_new(config, "t5gist", parsed);
  char *text = json_dumps(config, 0);
  tg_make_dirs(folder, NULL);
  folder_text(folder, "config.json", text);
  json_decref(config);
  free(text);
  free(folder);
}

static void plan(void **state) {
  static const char *const names[] = {"full", "pos_control", "prefix", "gist-1", "gist-2", "words-1", "words-2", "neg_control"};
  tg_eval_config config;
  tg_eval_result r = {0};
  t5gist_error err;
  (void)state;
  write_metadata("meta", "{\"gist_token_ids\": [5], \"gists\": [1, 2], \"conditions\": [\"gist\", \"pos_control\"]}");
  write_metadata("neg", "{\"gist_token_ids\": [5], \"conditions\": [\"neg_control\", \"something new\"]}");
  load_good("model: '%s/meta'\nmodel_of: ['neg_control=%s/neg']\n", &config);
  CHECK_OK(tg_eval_plan(&config, &r, &err));
  assert_int_equal(r.n_rows, 8);
  assert_int_equal(r.n_models, 2);
  for (size_t i = 0; i < 8; i++) {
    assert_string_equal(r.rows[i].name, names[i]);
    assert_true((r.rows[i].model == 1) == (i == 7));
    assert_true(r.rows[i].trained == (i == 0 || i == 2 ? TG_EVAL_TRAINED_NO : TG_EVAL_TRAINED_YES));
  }
  assert_int_equal(r.rows[5].asked, T5GIST_POS_CONTROL); /* words: the unmasked prompt that the model knows */
  tg_eval_result_free(&r);
  tg_eval_config_free(&config);
}

static void untrained_gists(void **state) {
  tg_eval_config config;
  tg_eval_result r = {0};
  t5gist_error err;
  (void)state;
  write_metadata("meta", "{\"gist_token_ids\": [5], \"gists\": [1, 2], \"conditions\": [\"gist\", \"full\"]}");
  load_good("model: ['%s/meta', '%s/tiny']\ngists: [2, 3]\nconditions: [gist, words, neg_control]\n", &config);
  CHECK_OK(tg_eval_plan(&config, &r, &err));
  assert_int_equal(r.n_rows, 10);
  assert_int_equal(r.n_sets, 2);
  assert_true(r.rows[0].trained == TG_EVAL_TRAINED_YES && r.rows[1].trained == TG_EVAL_TRAINED_NO && r.rows[5].trained == TG_EVAL_TRAINED_UNKNOWN);
  assert_int_equal(r.rows[2].asked, T5GIST_FULL);
  tg_eval_result_free(&r);
  tg_eval_config_free(&config);
}

static void no_model(void **state) {
  tg_eval_config config;
  tg_eval_result r = {0};
  t5gist_error err;
  (void)state;
  load_good("model_of: ['gist=%s/tiny']\n", &config);
  assert_int_equal(tg_eval_plan(&config, &r, &err), T5GIST_EUSAGE);
  assert_non_null(strstr(err.message, "no model for full"));
  tg_eval_result_free(&r);
  tg_eval_config_free(&config);
  r = (tg_eval_result){0};
  load_good("model: '%s/nowhere'\n", &config);
  assert_int_not_equal(tg_eval_plan(&config, &r, &err), T5GIST_OK);
  assert_non_null(strstr(err.message, "nowhere"));
  tg_eval_result_free(&r);
  tg_eval_config_free(&config);
}

/* --------------------------------------------------------------------------------------------------------------------------------- runs */

static double mean_of(const double *values, size_t n) {
  double sum = 0;
  for (size_t i = 0; i < n; i++) sum += values[i];
  return sum / (double)n;
}

static void check_cell(const tg_eval_result *r, const tg_eval_row *row, size_t s) {
  const tg_eval_split *split = &r->data.splits[s];
  const tg_eval_row *pos = tg_eval_row_of(r, row->set, TG_EVAL_POS_CONTROL), *neg = tg_eval_row_of(r, row->set, TG_EVAL_NEG_CONTROL);
  const tg_eval_cell *c = &row->cells[s];
  assert_int_equal(c->n, split->n);
  for (int m = 0; m < TG_EVAL_N_METRICS; m++) {
    const double mean = mean_of(row->scores[m] + split->begin, split->n);
    assert_true(fabs(c->values[m].estimate - mean) < 1e-9);
    assert_true(c->values[m].low <= mean + 1e-9 && mean - 1e-9 <= c->values[m].high);
    if (!c->has_recovered) continue;
    const double floor = mean_of(neg->scores[m] + split->begin, split->n), ceiling = mean_of(pos->scores[m] + split->begin, split->n);
    if (ceiling == floor) assert_true(isnan(c->recovered[m].estimate));
    else assert_true(fabs(c->recovered[m].estimate - (mean - floor) / (ceiling - floor)) < 1e-9);
  }
  assert_true(c->has_recovered == (row != pos && row != neg) && c->has_room == (row == pos));
  const double tokens = mean_of(row->tokens + split->begin, split->n);
  assert_true(fabs(c->per_token.estimate - c->values[TG_EVAL_LOGPROB].estimate / tokens) < 1e-9);
  if (row != pos) return;
  const double floor = mean_of(neg->scores[TG_EVAL_LOGPROB] + split->begin, split->n);
  assert_true(fabs(c->room[TG_EVAL_LOGPROB].estimate - (c->values[TG_EVAL_LOGPROB].estimate - floor)) < 1e-9);
}

static void check_files(const tg_eval_config *config, const tg_eval_result *r, const char *const *suffixes, size_t n) {
  t5gist_error err;
  char name[64];
  char *out = strdup(folder_path(dir, "out"));
  CHECK_OK(tg_eval_write(config, r, out, &err));
  for (size_t i = 0; i < n; i++) {
    size_t size;
    snprintf(name, sizeof name, "%s%s", config->name, suffixes[i]);
    char *text = folder_read(folder_path(out, name), &size);
    assert_true(size > 200);
    free(text);
  }
  free(out);
}

static void a_run(void **state) {
  static const char *const suffixes[] = {".json", ".md", "-answers.jsonl", "-recovered.svg", "-bits.svg"};
  tg_eval_config config;
  tg_eval_result r;
  t5gist_error err;
  (void)state;
  load_good("name: t\nmodel: '%s/tiny'\nmodel_of: ['neg_control=%s/other']\ndata: '" TEST_SOURCE_DIR
            "/tests/data/eval.jsonl'\ngists: [1, 3]\nmax_new_tokens: 4\nresamples: 100\n",
            &config);
  CHECK_OK(tg_eval_run(&config, "t5gist eval", &progress, &r, &err));
  assert_int_equal(r.n_rows, 8);
  assert_true(r.warnings.count > 0); /* nobody says what was trained */
  for (size_t i = 0; i < r.n_rows; i++) {
    for (size_t s = 0; s < r.data.n_splits; s++) check_cell(&r, &r.rows[i], s);
    for (size_t e = 0; e < r.data.n; e++) {
      assert_true(r.rows[i].scores[TG_EVAL_LOGPROB][e] < 0 && r.rows[i].tokens[e] >= 2);
      assert_true(r.rows[i].scores[TG_EVAL_EXACT][e] == 100.0 * tg_exact_match(r.data.examples[e].reference, r.rows[i].answers[e]));
    }
  }
  const tg_eval_row *full = tg_eval_row_of(&r, 0, TG_EVAL_FULL), *pos = tg_eval_row_of(&r, 0, TG_EVAL_POS_CONTROL);
  assert_true(pos->n_gist > 0 && pos->n_task == full->n_task && fabs(pos->n_prompt - full->n_prompt - pos->n_gist) < 1e-9);
  check_files(&config, &r, suffixes, sizeof suffixes / sizeof *suffixes);
  tg_eval_result_free(&r);
  tg_eval_config_free(&config);
}

/* Ticks that would run into each other are left out, the others are drawn: nine bins beside each other and one far away. */
static void ticks(void **state) {
  tg_eval_config config;
  tg_eval_result r;
  tg_buffer lines = {0};
  t5gist_error err;
  int drawn = 0;
  double before = 0, below = 0;
  (void)state;
  for (int i = 0; i < 20; i++)
    CHECK_OK(tg_buffer_printf(&lines, &err, "{\"instruction\": \"task %d\", \"input\": \"x\", \"output\": \"y\", \"bits\": %d}\n", i,
                              i < 18 ? i : 40 * i));
  folder_text(dir, "bits.jsonl", lines.data);
  tg_buffer_free(&lines);
  load_good("name: v\nmodel: '%s/tiny'\ndata: '%s/bits.jsonl'\nconditions: [gist]\ngists: 2\nmax_new_tokens: 2\nresamples: 10\n", &config);
  CHECK_OK(tg_eval_run(&config, "t5gist eval", &progress, &r, &err));
  assert_int_equal(r.data.splits[0].n_bins, TG_EVAL_MAX_BINS);
  char *out = strdup(folder_path(dir, "out"));
  CHECK_OK(tg_eval_write(&config, &r, out, &err));
  free(out);
  size_t size;
  char *svg = folder_read(folder_path(dir, "out/v-bits.svg"), &size);
  for (const char *at = svg; (at = strstr(at, "<text x=\"")); at++) {
    double x, y;
    char text[32];
    if (sscanf(at, "<text x=\"%lf\" y=\"%lf\" text-anchor=\"middle\">%31[0-9.]<", &x, &y, text) != 3) continue;
    const double half = 4.0 * (double)strlen(text);
    assert_true(drawn == 0 || (y == below && x - half >= before));
    before = x + half;
    below = y;
    drawn++;
  }
  assert_true(drawn > 1 && drawn < TG_EVAL_MAX_BINS);
  free(svg);
  tg_eval_result_free(&r);
  tg_eval_config_free(&config);
}

/* What a row answers is what a plain request of that condition gets. */
static void answers_of_a_row(void **state) {
  static const char *const files[] = {".json", ".md", "-answers.jsonl"};
  tg_eval_config config;
  tg_eval_result r;
  t5gist_error err;
  t5gist_model *model;
  t5gist_session *session;
  (void)state;
  load_good("name: u\nmodel: ['%s/tiny', '%s/other']\ndata: '" TEST_SOURCE_DIR
            "/tests/data/eval.jsonl'\nconditions: [gist]\ngists: 2\nlimit: 2\nmax_new_tokens: 5\nresamples: 10\n",
            &config);
  CHECK_OK(tg_eval_run(&config, "t5gist eval", &progress, &r, &err));
  CHECK_OK(t5gist_model_open(folder_path(dir, "tiny"), NULL, &model, &err));
  CHECK_OK(t5gist_session_new(model, &session, &err));
  for (size_t i = 0; i < r.data.n; i++) {
    const tg_eval_example *e = &r.data.examples[i];
    t5gist_request ask;
    t5gist_answer answer;
    t5gist_request_init(&ask);
    ask.task = e->task;
    ask.input = e->input;
    ask.gists = 2;
    ask.options.max_new_tokens = 5;
    CHECK_OK(t5gist_generate(session, &ask, 1, &answer, &err));
    assert_string_equal(answer.text, r.rows[0].answers[i]);
    t5gist_answer_clear(&answer);
    ask.targets = (const char *const *)&e->reference;
    ask.n_targets = 1;
    CHECK_OK(t5gist_generate(session, &ask, 1, &answer, &err));
    assert_true(fabs(answer.scores[0].logprob - r.rows[0].scores[TG_EVAL_LOGPROB][i]) < 1e-3);
    assert_int_equal(answer.scores[0].n_ids, (int)r.rows[0].tokens[i]);
    t5gist_answer_clear(&answer);
  }
  check_files(&config, &r, files, sizeof files / sizeof *files);
  t5gist_session_free(session);
  t5gist_model_close(model);
  tg_eval_result_free(&r);
  tg_eval_config_free(&config);
}

static void answers_of_others(void **state) {
  tg_eval_config config;
  tg_eval_result r;
  t5gist_error err;
  (void)state;
  folder_text(dir, "answers.jsonl",
              "{\"prediction\": \" same\\n\", \"reference\": \"same\"}\n"
              "{\"prediction\": \"the cats\", \"reference\": \"the cat\", \"split\": \"b\"}\n"
              "{\"prediction\": \"dog\", \"output\": \"the cat\", \"split\": \"b\"}\n"
              "{\"prediction\": \"the cat\", \"reference\": \"the cat\", \"split\": \"b\", \"condition\": \"gist|1\\n\"}\n");
  load_good("resamples: 50\n", &config);
  CHECK_OK(tg_eval_run_answers(&config, folder_path(dir, "answers.jsonl"), "t5gist eval", &progress, &r, &err));
  assert_true(r.n_rows == 2 && r.data.n_splits == 2 && r.from_answers);
  assert_string_equal(r.rows[0].name, "answers");
  assert_true(r.rows[0].cells[0].n == 1 && r.rows[0].cells[1].n == 2 && r.rows[1].cells[0].n == 0 && r.rows[1].cells[1].n == 1);
  assert_true(r.rows[0].cells[0].values[TG_EVAL_EXACT].estimate == 100);
  assert_true(r.rows[0].cells[1].values[TG_EVAL_EXACT].estimate == 0 &&
              r.rows[0].cells[1].values[TG_EVAL_ROUGE1].estimate == 50); /* "cats" is stemmed */
  tg_buffer text = {0};
  CHECK_OK(tg_eval_markdown(&config, &r, false, &text, &err));
  assert_non_null(strstr(text.data, "| gist\\|1  | – | 100.0 / 100.00 |"));
  assert_non_null(strstr(text.data, "| gist\\|1  | 100.0 (100.0 to 100.0) |"));
  tg_buffer_free(&text);
  tg_eval_result_free(&r);
  folder_text(dir, "answers.jsonl", "{\"answer\": \"same\", \"reference\": \"same\"}\n");
  assert_int_equal(tg_eval_run_answers(&config, folder_path(dir, "answers.jsonl"), "", &progress, &r, &err), T5GIST_EFORMAT);
  assert_non_null(
      strstr(err.message, "line 1: expected the key \"prediction\" (the setting prediction_field names it), found the keys answer, reference"));
  tg_eval_result_free(&r);
  tg_eval_config_free(&config);
}

static void shipped_configuration(void **state) {
  tg_eval_config config;
  t5gist_error err;
  (void)state;
  CHECK_OK(tg_eval_config_load(TEST_SOURCE_DIR "/configs/eval-mini.yaml", &config, &err));
  assert_int_equal(config.gists.count, 2);
  tg_eval_config_free(&config);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(wrong_configurations), cmocka_unit_test(shipped_configuration), cmocka_unit_test(which_model),      cmocka_unit_test(bad_data),
      cmocka_unit_test(splits_and_fields),    cmocka_unit_test(equal_names),           cmocka_unit_test(limits),           cmocka_unit_test(bins),
      cmocka_unit_test(plan),                 cmocka_unit_test(untrained_gists),       cmocka_unit_test(no_model),         cmocka_unit_test(a_run), cmocka_unit_test(ticks),
      cmocka_unit_test(answers_of_a_row),     cmocka_unit_test(answers_of_others)};
  return cmocka_run_group_tests(tests, set_up, tear_down);
}
