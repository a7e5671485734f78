/* config.json and generation_config.json: defaults, traps, ranges, and the sentence of every refusal. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "runtime/linear.h"
#include "runtime/memory.h"
#include "t5/config.h"
#include "tests/support/one_folder.h"

static tg_config load(const char *json, const char *generation) {
  tg_config config;
  t5gist_error err = {0};
  folder_text(folder, "config.json", json);
  folder_text(folder, "generation_config.json", generation ? generation : "{}");
  if (tg_config_load(folder, &config, &err) != T5GIST_OK) fail_msg("%s: %s", json, err.message);
  return config;
}

static void refuse_both(const char *json, const char *generation, t5gist_status status, const char *words) {
  tg_config config;
  t5gist_error err = {0};
  folder_text(folder, "config.json", json);
  folder_text(folder, "generation_config.json", generation);
  const t5gist_status found = tg_config_load(folder, &config, &err);
  if (found != status || !strstr(err.message, words)) {
    fail_msg("%s: expected status %d and \"%s\", found %d and \"%s\"", json, (int)status, words, (int)found, found ? err.message : "");
  }
  assert_null(config.json); /* nothing is left to free */
}
static void refuse(const char *json, t5gist_status status, const char *words) {
  refuse_both(json, "{}", status, words);
}

static void test_defaults(void **state) {
  (void)state;
  tg_config c = load("{\"model_type\": \"t5\"}", NULL);
  assert_string_equal(c.model_type, "t5");
  const int found[] = {c.vocab_size,       c.d_model,   c.d_kv,         c.d_ff,   c.n_heads, c.n_layers,
                       c.n_decoder_layers, c.n_buckets, c.max_distance, c.pad_id, c.eos_id,  c.start_id};
  const int expected[] = {32128, 512, 64, 2048, 8, 6, 6, 32, 128, 0, 1, 0};
  for (size_t i = 0; i < sizeof found / sizeof *found; i++) assert_int_equal(found[i], expected[i]);
  assert_true(c.eps == 1e-6f);
  assert_int_equal(c.activation, TG_RELU);
  assert_false(c.gated);
  assert_int_equal(c.head, TG_HEAD_SHARED);
  assert_true(c.scale_decoder_output);
  assert_int_equal(c.n_gist_ids, 0);
  assert_int_equal(c.default_gists, 1);
  assert_int_equal(c.max_task_tokens, 128);
  assert_string_equal(c.template_task, "Instruction: {task}");
  assert_string_equal(c.template_input, "Input: {input}");
  assert_null(c.source_fingerprint);
  assert_int_equal(c.generation.max_new_tokens, T5GIST_UNSET);
  assert_true(isnan(c.generation.temperature));
  tg_config_free(&c);

  c = load("{\"architectures\": [\"MT5ForConditionalGeneration\"], \"num_layers\": 4, \"pad_token_id\": 7}", NULL);
  assert_string_equal(c.model_type, "mt5");
  assert_int_equal(c.vocab_size, 250112);
  assert_int_equal(c.d_ff, 1024);
  assert_int_equal(c.n_heads, 6);
  assert_int_equal(c.n_decoder_layers, 4);
  assert_int_equal(c.activation, TG_GELU_NEW);
  assert_true(c.gated);
  assert_int_equal(c.head, TG_HEAD_FILE);
  assert_int_equal(c.start_id, 7);
  tg_config_free(&c);

  c = load("{\"architectures\": [1, \"Other\", \"T5ForConditionalGeneration\"], \"t5gist\": null}", "{\"early_stopping\": null}");
  assert_string_equal(c.model_type, "t5");
  assert_int_equal(c.n_gist_ids, 0);
  assert_int_equal(c.wo_precision, T5GIST_UNSET);
  assert_int_equal(c.generation.early_stopping, T5GIST_UNSET);
  tg_config_free(&c);
}

static void test_head(void **state) {
  (void)state;
  const struct {
    const char *keys;
    tg_head head;
    bool scale;
  } cases[] = {
      {"\"tie_word_embeddings\": false", TG_HEAD_FILE, false},
      {"\"tie_word_embeddings\": true", TG_HEAD_SHARED, true},
      {"\"tie_word_embeddings\": true, \"scale_decoder_outputs\": false", TG_HEAD_FILE_OR_SHARED, false},
      {"\"tie_word_embeddings\": true, \"scale_decoder_outputs\": true", TG_HEAD_FILE_OR_SHARED, true},
      {"\"tie_word_embeddings\": false, \"scale_decoder_outputs\": true", TG_HEAD_FILE, true},
      {"\"tie_word_embeddings\": true, \"scale_decoder_outputs\": null", TG_HEAD_SHARED, true},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    char json[256];
    snprintf(json, sizeof json, "{\"model_type\": \"t5\", %s}", cases[i].keys);
    tg_config c = load(json, NULL);
    assert_int_equal(c.head, cases[i].head);
    assert_int_equal(c.scale_decoder_output, cases[i].scale);
    tg_config_free(&c);
  }
}

static void test_activations(void **state) {
  (void)state;
  const struct {
    const char *keys;
    tg_activation activation;
    bool gated;
  } cases[] = {
      {"\"feed_forward_proj\": \"relu\"", TG_RELU, false},
      {"\"feed_forward_proj\": \"gated-gelu\"", TG_GELU_NEW, true},
      {"\"feed_forward_proj\": \"gated-silu\"", TG_SILU, true},
      {"\"feed_forward_proj\": \"gated-relu\"", TG_RELU, true},
      {"\"feed_forward_proj\": \"silu\"", TG_SILU, false},
      {"\"feed_forward_proj\": \"gelu_new\"", TG_GELU_NEW, false},
      {"\"feed_forward_proj\": \"gated-gelu_new\"", TG_GELU_NEW, true},
      {"\"feed_forward_proj\": \"gated-gelu\", \"dense_act_fn\": \"silu\"", TG_SILU, true},
      {"\"feed_forward_proj\": \"gelu\", \"dense_act_fn\": \"gelu_new\", \"is_gated_act\": true", TG_GELU_NEW, true},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    char json[256];
    snprintf(json, sizeof json, "{\"model_type\": \"t5\", %s}", cases[i].keys);
    tg_config c = load(json, NULL);
    assert_int_equal(c.activation, cases[i].activation);
    assert_int_equal(c.gated, cases[i].gated);
    tg_config_free(&c);
  }
  refuse("{\"model_type\": \"t5\", \"feed_forward_proj\": \"gelu\"}", T5GIST_EUNSUPPORTED, "found \"gelu\"");
  refuse("{\"model_type\": \"t5\", \"feed_forward_proj\": \"gated-tanh\"}", T5GIST_EUNSUPPORTED, "found \"gated-tanh\"");
  refuse("{\"model_type\": \"t5\", \"dense_act_fn\": \"gelu\"}", T5GIST_EUNSUPPORTED, "dense_act_fn");
}

static void test_refusals(void **state) {
  (void)state;
  refuse("{}", T5GIST_EFORMAT, "model_type: expected \"t5\" or \"mt5\", found nothing");
  refuse("{\"model_type\": \"umt5\"}", T5GIST_EUNSUPPORTED, "position bias per layer");
  refuse("{\"model_type\": \"longt5\"}", T5GIST_EUNSUPPORTED, "longt5");
  refuse("{\"model_type\": \"llama\"}", T5GIST_EUNSUPPORTED, "llama");
  refuse("[]", T5GIST_EFORMAT, "config.json: expected an object, found a list");
  refuse("{", T5GIST_EFORMAT, "expected JSON");
  refuse("{\"model_type\": \"t5\", \"num_heads\": 0}", T5GIST_EFORMAT, "config.json: num_heads: expected an integer from 1 to 1024, found 0");
  refuse("{\"model_type\": \"t5\", \"d_model\": -1}", T5GIST_EFORMAT, "d_model");
  refuse("{\"model_type\": \"t5\", \"d_model\": 1e3}", T5GIST_EFORMAT, "d_model");
  refuse("{\"model_type\": \"t5\", \"d_kv\": \"64\"}", T5GIST_EFORMAT, "found \"64\"");
  refuse("{\"model_type\": \"t5\", \"d_ff\": 4294967297}", T5GIST_EFORMAT, "4294967297");
  refuse("{\"model_type\": \"t5\", \"num_heads\": 1024, \"d_kv\": 4096}", T5GIST_EFORMAT, "num_heads * d_kv");
  refuse("{\"model_type\": \"t5\", \"num_decoder_layers\": 0}", T5GIST_EFORMAT, "num_decoder_layers");
  refuse("{\"model_type\": \"t5\", \"relative_attention_num_buckets\": 0}", T5GIST_EFORMAT, "relative_attention_num_buckets");
  refuse("{\"model_type\": \"t5\", \"relative_attention_max_distance\": 16}", T5GIST_EFORMAT, "relative_attention_max_distance");
  refuse("{\"model_type\": \"t5\", \"vocab_size\": 10, \"eos_token_id\": 10}", T5GIST_EFORMAT,
         "eos_token_id: expected an integer from 0 to 9, found 10");
  refuse("{\"model_type\": \"t5\", \"eos_token_id\": 0}", T5GIST_EFORMAT, "both 0");
  refuse("{\"model_type\": \"t5\", \"eos_token_id\": [1, 2]}", T5GIST_EUNSUPPORTED, "list of 2");
  refuse("{\"model_type\": \"t5\", \"eos_token_id\": [99999]}", T5GIST_EFORMAT, "99999");
  refuse("{\"model_type\": \"t5\", \"eos_token_id\": [-1]}", T5GIST_EFORMAT, "eos_token_id: expected an integer from 0 to 32127, found -1");
  refuse("{\"model_type\": \"t5\", \"eos_token_id\": [\"1\"]}", T5GIST_EFORMAT, "eos_token_id: expected an integer from 0 to 32127, found \"1\"");
  refuse("{\"model_type\": \"t5\", \"eos_token_id\": []}", T5GIST_EUNSUPPORTED, "list of 0");
  refuse("{\"model_type\": \"t5\", \"pad_token_id\": -1}", T5GIST_EFORMAT, "pad_token_id: expected an integer from 0 to 32127, found -1");
  refuse("{\"model_type\": 5}", T5GIST_EFORMAT, "model_type: expected a string, found 5");
  refuse("{\"architectures\": \"T5ForConditionalGeneration\"}", T5GIST_EFORMAT, "model_type: expected \"t5\" or \"mt5\", found nothing");
}

static void test_wrong_types(void **state) {
  (void)state;
  static const struct {
    const char *keys, *words;
  } cases[] = {
      {"\"layer_norm_epsilon\": \"1e-6\"", "layer_norm_epsilon: expected a number from 0 to 1, found \"1e-6\""},
      {"\"feed_forward_proj\": 1", "feed_forward_proj: expected a string, found 1"},
      {"\"dense_act_fn\": []", "dense_act_fn: expected a string, found a list"},
      {"\"is_gated_act\": 1", "is_gated_act: expected true or false, found 1"},
      {"\"tie_word_embeddings\": 0", "tie_word_embeddings: expected true or false, found 0"},
      {"\"scale_decoder_outputs\": \"no\"", "scale_decoder_outputs: expected true or false, found \"no\""},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    char json[256];
    snprintf(json, sizeof json, "{\"model_type\": \"t5\", %s}", cases[i].keys);
    refuse(json, T5GIST_EFORMAT, cases[i].words);
  }
}

static void test_gist_block(void **state) {
  (void)state;
  tg_config c = load(
      "{\"model_type\": \"t5\", \"t5gist\": {\"gist_token_ids\": [5, 9], \"gists\": [1, 2], \"default_gists\": 2, \"max_task_tokens\": 64,"
      "\"template\": {\"task\": \"T {task}.\", \"input\": \"{input}\"}, \"conditions\": [\"gist\"], \"source_fingerprint\":"
      "\"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\"}}",
      NULL);
  assert_int_equal(c.n_gist_ids, 2);
  assert_int_equal(c.gist_ids[1], 9);
  assert_int_equal(c.default_gists, 2);
  assert_int_equal(c.max_task_tokens, 64);
  assert_string_equal(c.template_task, "T {task}.");
  assert_string_equal(c.template_input, "{input}");
  assert_int_equal(strlen(c.source_fingerprint), 64);
  tg_config_free(&c);
  const struct {
    const char *block, *words;
  } cases[] = {
      {"[]", "t5gist: expected an object"},
      {"{\"gist_token_ids\": []}", "gist_token_ids"},
      {"{\"gist_token_ids\": 5}", "found an integer"},
      {"{\"gist_token_ids\": [32128]}", "32128"},
      {"{\"gist_token_ids\": [\"a\"]}", "a string"},
      {"{\"gist_token_ids\": [5, 6, 5]}", "5 twice"},
      {"{\"gist_token_ids\": [1]}", "gist_token_ids[0]: 1 is the pad, end or start"},
      {"{\"gist_token_ids\": [7, 0]}", "gist_token_ids[1]: 0 is the pad, end or start"},
      {"{\"gist_token_ids\": [6, -1]}", "gist_token_ids[1]: expected an integer from 0 to 32127, found an integer -1"},
      {"{\"max_task_tokens\": 0}", "max_task_tokens: expected an integer from 1 to 1048576, found 0"},
      {"{\"gist_token_ids\": [5, 6], \"default_gists\": 3}", "default_gists: expected an integer from 1 to 2, found 3"},
      {"{\"default_gists\": 0}", "default_gists"},
      {"{\"gists\": [0]}", "gists[0]"},
      {"{\"gists\": [1, \"2\"]}", "gists[1]: expected an integer from 1 to 1024"},
      {"{\"gists\": [1, 2, 1025]}", "gists[2]: expected an integer from 1 to 1024"},
      {"{\"conditions\": [1]}", "conditions[0]"},
      {"{\"template\": {\"task\": \"no place\"}}", "{task} exactly once"},
      {"{\"template\": {\"task\": \"{task}{task}\"}}", "{task} exactly once"},
      {"{\"template\": {\"input\": \"{task}\"}}", "{input} exactly once"},
      {"{\"template\": 3}", "template: expected an object"},
      {"{\"template\": {\"task\": 3}}", "task: expected a string, found 3"},
      {"{\"source_fingerprint\": \"abc\"}", "64 lower-case"},
      {"{\"source_fingerprint\": \"0123456789ABCDEF0123456789abcdef0123456789abcdef0123456789abcdef\"}", "found \"0123456789ABCDEF"},
      {"{\"source_fingerprint\": 3}", "source_fingerprint: expected a string, found 3"},
      {"{\"wo_dtype\": 8}", "wo_dtype: expected a string, found 8"},
      {"{\"wo_dtype\": \"fp8\"}", "wo_dtype: expected \"f32\", \"bf16\", \"int8\", \"int8x16\" or \"int4\", found \"fp8\""},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    char json[512];
    snprintf(json, sizeof json, "{\"model_type\": \"t5\", \"t5gist\": %s}", cases[i].block);
    refuse(json, T5GIST_EFORMAT, cases[i].words);
  }
  c = load("{\"model_type\": \"t5\", \"t5gist\": {\"gist_token_ids\": null, \"template\": null, \"wo_dtype\": \"bf16\"}}", NULL);
  assert_int_equal(c.n_gist_ids, 0);
  assert_string_equal(c.template_task, "Instruction: {task}");
  assert_int_equal(c.wo_precision, TG_PRECISION_BF16);
  tg_config_free(&c);
  refuse("{\"model_type\": \"t5\", \"decoder_start_token_id\": 7, \"t5gist\": {\"gist_token_ids\": [6, 7]}}", T5GIST_EFORMAT,
         "gist_token_ids[1]: 7 is the pad, end or start token");
}

static void test_gist_block_limits(void **state) {
  (void)state;
  char json[8192];
  int n = snprintf(json, sizeof json, "{\"model_type\": \"t5\", \"t5gist\": {\"gist_token_ids\": [2");
  for (int id = 3; id < 3 + 1024; id++) n += snprintf(json + n, sizeof json - (size_t)n, ",%d", id);
  snprintf(json + n, sizeof json - (size_t)n, "]}}");
  refuse(json, T5GIST_EFORMAT, "gist_token_ids: expected a list of 1 to 1024 token ids, found a list of 1025");
  snprintf(json, sizeof json, "{\"model_type\": \"t5\", \"t5gist\": {\"template\": {\"input\": \"{input}%04090d\"}}}", 0);
  refuse(json, T5GIST_EFORMAT, "input: expected at most 4096 bytes, found 4097");
}

static void test_generation(void **state) {
  (void)state;
  const char *t5 = "{\"model_type\": \"t5\"}";
  tg_config c =
      load(t5,
           "{\"max_length\": 20, \"min_length\": 3, \"num_beams\": 4, \"num_return_sequences\": 2, \"early_stopping\": true, \"length_penalty\": 0.5,"
           "\"temperature\": 0.7, \"repetition_penalty\": 1.5, \"no_repeat_ngram_size\": 3, \"decoder_start_token_id\": 5, \"eos_token_id\": [2],"
           "\"pad_token_id\": 5, \"top_p\": null}");
  assert_int_equal(c.generation.max_new_tokens, 19);
  assert_int_equal(c.generation.min_new_tokens, 2);
  assert_int_equal(c.generation.beams, 4);
  assert_int_equal(c.generation.n_best, 2);
  assert_int_equal(c.generation.early_stopping, 1);
  assert_true(c.generation.length_penalty == 0.5f && c.generation.repetition_penalty == 1.5f);
  assert_int_equal(c.generation.no_repeat_ngram_size, 3);
  assert_true(isnan(c.generation.temperature)); /* do_sample is not set */
  assert_int_equal(c.start_id, 5);
  assert_int_equal(c.eos_id, 2);
  assert_int_equal(c.pad_id, 5);
  tg_config_free(&c);

  c = load(t5, "{\"do_sample\": true, \"temperature\": 0.7, \"top_p\": 0.9, \"max_length\": 20, \"max_new_tokens\": 5}");
  assert_true(c.generation.temperature == 0.7f && c.generation.top_p == 0.9f);
  assert_int_equal(c.generation.top_k, 50);
  assert_int_equal(c.generation.max_new_tokens, 5);
  assert_int_equal(c.generation.beams, T5GIST_UNSET);
  assert_int_equal(c.generation.early_stopping, T5GIST_UNSET);
  tg_config_free(&c);

  refuse_both(t5, "{\"early_stopping\": \"never\"}", T5GIST_EUNSUPPORTED, "found \"never\"");
  refuse_both(t5, "{\"num_beams\": 0}", T5GIST_EFORMAT, "generation_config.json: num_beams");
  refuse_both(t5, "{\"max_new_tokens\": 0}", T5GIST_EFORMAT, "max_new_tokens");
  refuse_both(t5, "{\"num_beams\": 2, \"num_return_sequences\": 3}", T5GIST_EFORMAT, "num_return_sequences");
  refuse_both(t5, "{\"eos_token_id\": 32128}", T5GIST_EFORMAT, "generation_config.json: eos_token_id");
  refuse_both(t5, "[]", T5GIST_EFORMAT, "generation_config.json: expected an object");
  static const struct {
    const char *json, *words;
  } cases[] = {
      {"{\"max_length\": 1}", "max_length: expected an integer from 2 to 1048576, found 1"},
      {"{\"min_length\": -1}", "min_length: expected an integer from 0 to 1048576, found -1"},
      {"{\"min_new_tokens\": \"1\"}", "min_new_tokens: expected an integer from 0 to 1048576, found \"1\""},
      {"{\"early_stopping\": 1}", "early_stopping: expected true or false, found 1"},
      {"{\"length_penalty\": 1e3}", "length_penalty: expected a number from -100 to 100, found 1000.0"},
      {"{\"do_sample\": 1}", "do_sample: expected true or false, found 1"},
      {"{\"do_sample\": true, \"temperature\": -0.5}", "temperature: expected a number from 0 to 1000, found -0.5"},
      {"{\"do_sample\": true, \"top_k\": 0.5}", "top_k: expected an integer from 0 to 4194304, found 0.5"},
      {"{\"do_sample\": true, \"top_p\": 1.5}", "top_p: expected a number from 0 to 1, found 1.5"},
      {"{\"repetition_penalty\": 0}", "repetition_penalty: expected a number from 0.001 to 1000, found 0"},
      {"{\"no_repeat_ngram_size\": 1025}", "no_repeat_ngram_size: expected an integer from 0 to 1024, found 1025"},
      {"{\"pad_token_id\": 32128}", "pad_token_id: expected an integer from 0 to 32127, found 32128"},
      {"{\"decoder_start_token_id\": true}", "decoder_start_token_id: expected an integer from 0 to 32127, found true"},
      {"{", "generation_config.json: expected JSON, found at line 1"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) refuse_both(t5, cases[i].json, T5GIST_EFORMAT, cases[i].words);
}

static void test_wrong_folders(void **state) {
  (void)state;
  tg_config config;
  t5gist_error err = {0};
  assert_int_equal(tg_config_load(folder_path(folder, "absent"), &config, &err), T5GIST_EIO);
  assert_non_null(strstr(err.message, "found nothing of this name"));
  folder_text(folder, "file", "");
  assert_int_equal(tg_config_load(folder_path(folder, "file"), &config, &err), T5GIST_EIO);
  assert_non_null(strstr(err.message, "found a file"));
  assert_int_equal(tg_config_load(TEST_SOURCE_DIR "/tests", &config, &err), T5GIST_EIO);
  assert_non_null(strstr(err.message, "no config.json"));
}

static void test_bundled_model(void **state) {
  (void)state;
  tg_config c;
  t5gist_error err = {0};
  if (tg_config_load(TEST_SOURCE_DIR "/models/mini", &c, &err) != T5GIST_OK) fail_msg("%s", err.message);
  assert_true(c.n_gist_ids >= 1 && c.gist_ids[0] < c.vocab_size);
  tg_config_free(&c);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_defaults),          cmocka_unit_test(test_head),        cmocka_unit_test(test_activations),
      cmocka_unit_test(test_refusals),          cmocka_unit_test(test_wrong_types), cmocka_unit_test(test_gist_block),
      cmocka_unit_test(test_gist_block_limits), cmocka_unit_test(test_generation),  cmocka_unit_test(test_wrong_folders),
      cmocka_unit_test(test_bundled_model),
  };
  return cmocka_run_group_tests(tests, make_folder, drop_folder);
}
