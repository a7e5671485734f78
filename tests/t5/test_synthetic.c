/* Synthetic checkpoints: every bit as tests/golden/synthetic.py makes it. Golden values: `synthetic.py --sha256 tiny VARIANT 7 4096`. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "runtime/hash.h"
#include "runtime/safetensors.h"
#include "t5/checkpoint.h"
#include "t5/config.h"
#include "t5/convert.h"
#include "t5/names.h"
#include "t5/synthetic.h"

#define TOKENIZER TEST_SOURCE_DIR "/tests/data/mini"

static char folder[] = "/tmp/t5gist-synthetic-XXXXXX";

static int make_folder(void **state) {
  (void)state;
  return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state) {
  (void)state;
  static const char *const names[] = {"config.json", "model.safetensors", "spiece.model"};
  char path[128];
  for (int i = 0; i < 3; i++) {
    snprintf(path, sizeof path, "%s/%s", folder, names[i]);
    unlink(path);
  }
  return rmdir(folder);
}

static void write_checked(const char *shape, const char *variant, uint64_t seed, int vocab_size) {
  t5gist_error err = {0};
  if (tg_synthetic_write(folder, shape, variant, seed, vocab_size, TOKENIZER, &err) != T5GIST_OK) fail_msg("%s", err.message);
}

static tg_safetensors *open_weights(void) {
  char path[128];
  t5gist_error err = {0};
  tg_safetensors *file;
  snprintf(path, sizeof path, "%s/model.safetensors", folder);
  if (tg_safetensors_open(path, &file, &err) != T5GIST_OK) fail_msg("%s", err.message);
  return file;
}

static void test_every_bit(void **state) {
  (void)state;
  static const struct {
    const char *variant, *sha256;
  } golden[] = {
      {"flan", "6188ef86a2f61bf7343ef5dccda32c95c4217836a18cb9790896bd8027f39616"},
      {"t5v1", "201bde24baf068aba774fabaaafde97a3dd22e10f3681dc916617f9da2018413"},
      {"tied", "45049d86e12891d3d12b40d6d33260e1229983e251dc6e938c8f3eb8c274e26c"},
      {"uneven", "1482200bdaa51f3917213746b420cf3c3ec0bb26fdc03a804fdc7365de59b5a5"},
      {"wide", "98565a42e77eda43255ae2f50fd724db802ef85532050ca135fc026f1c80c6fe"},
      {"v5config", "6188ef86a2f61bf7343ef5dccda32c95c4217836a18cb9790896bd8027f39616"},
      {"outlier", "0f9e98ef5ca08ff6fd4d7fdea47257315ad02864d3a988576813dc086d651aa8"},
  };
  for (size_t v = 0; v < sizeof golden / sizeof *golden; v++) {
    write_checked("tiny", golden[v].variant, 7, 4096);
    tg_safetensors *file = open_weights();
    tg_sha256 hash;
    char hex[TG_SHA256_HEX];
    tg_sha256_begin(&hash);
    for (size_t i = 0; i < tg_safetensors_count(file); i++) tg_sha256_add(&hash, tg_safetensors_at(file, i)->data, tg_safetensors_at(file, i)->bytes);
    tg_sha256_end(&hash, hex);
    assert_string_equal(hex, golden[v].sha256);
    assert_string_equal(tg_safetensors_metadata(file, "format"), "pt");
    tg_safetensors_close(file);
  }
}

static void test_values(void **state) {
  (void)state;
  static const struct {
    const char *name;
    float first, second, last;
  } golden[] = {
      {"shared.weight", -0x1.ecb2dcp-4f, 0x1.2907d0p+0f, -0x1.1b5084p-2f},
      {"encoder.block.1.layer.0.SelfAttention.q.weight", -0x1.ba7cf6p-6f, -0x1.ef8160p-5f, 0x1.27919cp-8f},
      {"decoder.final_layer_norm.weight", 0x1.50beb8p-1f, 0x1.33c15ep+0f, 0x1.e519b0p-1f},
      {"decoder.block.0.layer.1.EncDecAttention.o.weight", 0x1.2d0492p-3f, 0x1.526ae8p-7f, -0x1.c30026p-5f},
      {"lm_head.weight", -0x1.f2f8b8p-2f, 0x1.e13690p-3f, -0x1.68abf8p-5f},
  };
  write_checked("tiny", "flan", UINT64_C(12345678901234567890), 4096);
  tg_safetensors *file = open_weights();
  for (size_t i = 0; i < sizeof golden / sizeof *golden; i++) {
    const tg_tensor *tensor = tg_safetensors_find(file, golden[i].name);
    assert_non_null(tensor);
    float found[3];
    memcpy(found, tensor->data, 8);
    memcpy(found + 2, tensor->data + tensor->bytes - 4, 4);
    assert_memory_equal(found, &golden[i].first, sizeof found);
  }
  tg_safetensors_close(file);
}

/* The folder is one that the loader accepts: config.json reads back as the variant, and each tensor it demands has its shape. */
static t5gist_status check_tensor(void *user, const tg_tensor_spec *spec, t5gist_error *err) {
  const tg_tensor *tensor;
  return tg_checkpoint_get(user, spec->name, spec->dims, spec->n_dims, &tensor, err);
}

static void test_loads(void **state) {
  (void)state;
  static const char *const variants[] = {"flan", "t5v1", "tied", "uneven", "wide", "v5config", "outlier"};
  for (size_t v = 0; v < sizeof variants / sizeof *variants; v++) {
    t5gist_error err = {0};
    tg_config config;
    tg_checkpoint *checkpoint;
    write_checked("tiny", variants[v], 3, 4096);
    if (tg_config_load(folder, &config, &err) != T5GIST_OK) fail_msg("%s: %s", variants[v], err.message);
    assert_int_equal(config.vocab_size, 4096);
    assert_int_equal(config.n_layers, strcmp(variants[v], "uneven") == 0 ? 3 : 2);
    assert_int_equal(config.n_decoder_layers, 2);
    assert_int_equal(config.d_kv, strcmp(variants[v], "wide") == 0 ? 24 : 16);
    assert_int_equal(config.gated, strcmp(variants[v], "t5v1") != 0);
    assert_int_equal(config.scale_decoder_output, v == 1 || v == 2);
    assert_int_equal(config.n_gist_ids, 1);
    assert_int_equal(config.gist_ids[0], 4095);
    if (tg_checkpoint_open(folder, &checkpoint, &err) != T5GIST_OK) fail_msg("%s: %s", variants[v], err.message);
    if (tg_each_tensor(&config, check_tensor, checkpoint, &err) != T5GIST_OK) fail_msg("%s: %s", variants[v], err.message);
    tg_checkpoint_close(checkpoint);
    tg_config_free(&config);
  }
}

static void test_refusals(void **state) {
  (void)state;
  t5gist_error err = {0};
  assert_int_equal(tg_synthetic_write(folder, "medium", "flan", 1, 4096, TOKENIZER, &err), T5GIST_EUSAGE);
  assert_non_null(strstr(err.message, "\"medium\""));
  assert_int_equal(tg_synthetic_write(folder, "tiny", "flam", 1, 4096, TOKENIZER, &err), T5GIST_EUSAGE);
  assert_non_null(strstr(err.message, "\"flam\""));
  assert_int_equal(tg_synthetic_write(folder, "tiny", "flan", 1, 0, TOKENIZER, &err), T5GIST_EUSAGE);
  assert_int_equal(tg_synthetic_write(folder, "tiny", "flan", 1, 4096, "/proc/nonexistent", &err), T5GIST_EIO);
  assert_int_equal(tg_synthetic_write("/proc/nowhere", "tiny", "flan", 1, 4096, TOKENIZER, &err), T5GIST_EIO);
}

/* Written in int8 or int4, every tensor is what converting makes of it. */
static void test_bits(void **state) {
  static const char *const variants[] = {"flan", "t5v1", "outlier"};
  (void)state;
  for (size_t v = 0; v < 2 * sizeof variants / sizeof *variants; v++) {
    const tg_precision precision = v % 2 ? TG_PRECISION_INT4 : TG_PRECISION_INT8;
    t5gist_error err = {0};
    char converted[sizeof folder + 16], path[sizeof converted + 32];
    snprintf(converted, sizeof converted, "%s/converted", folder);
    write_checked("tiny", variants[v / 2], 7, 4096);
    const tg_conversion how = {.dtype = tg_precision_name(precision), .rounding = TG_ROUND_SEARCH, .threads = 2};
    if (tg_convert(folder, converted, &how, &err) != T5GIST_OK) fail_msg("%s", err.message);
    if (tg_synthetic_write_as(precision, folder, "tiny", variants[v / 2], 7, 4096, TOKENIZER, &err) != T5GIST_OK) fail_msg("%s", err.message);
    tg_safetensors *made = open_weights(), *expected;
    snprintf(path, sizeof path, "%s/model.safetensors", converted);
    if (tg_safetensors_open(path, &expected, &err) != T5GIST_OK) fail_msg("%s", err.message);
    assert_int_equal(tg_safetensors_count(made), tg_safetensors_count(expected));
    for (size_t i = 0; i < tg_safetensors_count(made); i++) {
      const tg_tensor *t = tg_safetensors_at(made, i), *u = tg_safetensors_find(expected, t->name);
      assert_non_null(u);
      assert_int_equal(t->dtype, u->dtype);
      assert_int_equal(t->bytes, u->bytes);
      assert_memory_equal(t->data, u->data, t->bytes);
    }
    tg_safetensors_close(made);
    tg_safetensors_close(expected);
    static const char *const names[] = {"config.json", "model.safetensors", "spiece.model"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
      snprintf(path, sizeof path, "%s/%s", converted, names[i]);
      unlink(path);
    }
    rmdir(converted);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_every_bit), cmocka_unit_test(test_values), cmocka_unit_test(test_loads),
                                     cmocka_unit_test(test_bits), cmocka_unit_test(test_refusals)};
  return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
