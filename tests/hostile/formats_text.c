/* Files of texts: tokenizers, configurations, records. */
#include <stdio.h>
#include <string.h>

#include "hostile.h"
#include "runtime/fields.h"
#include "runtime/file.h"
#include "runtime/records.h"
#include "t5/config.h"
#include "t5/names.h"
#include "t5/tokenizer.h"

/* -------------------------------------------------------------------------------------------------------------------------- tokenizers */

static const char *const pieces[] = {"<pad>",           "</s>",     "<unk>", "\xe2\x96\x81", "a",           "b", "ab",
                                     "\xe2\x96\x81the", "\xc3\xa9", "e",     "<extra_id_1>", "<extra_id_0>"};
enum { N_PIECES = 12, UNITS = 768 };

static void put_varint(tg_buffer *out, uint64_t v) {
  for (; v >= 0x80; v >>= 7) hostile_put(out, &(unsigned char){(unsigned char)(v | 0x80)}, 1);
  hostile_put(out, &(unsigned char){(unsigned char)v}, 1);
}

static void put_field(tg_buffer *out, unsigned number, const void *data, size_t n) {
  put_varint(out, number << 3 | 2);
  put_varint(out, n);
  hostile_put(out, data, n);
}

static void put_number(tg_buffer *out, unsigned number, uint64_t v) {
  put_varint(out, number << 3);
  put_varint(out, v);
}

static void put_piece(tg_buffer *model, const char *text, float score, unsigned type) {
  tg_buffer piece = {0};
  put_field(&piece, 1, text, strlen(text));
  put_varint(&piece, 2 << 3 | 5);
  hostile_put(&piece, &score, 4);
  put_number(&piece, 3, type);
  put_field(model, 1, piece.data, piece.size);
  tg_buffer_free(&piece);
}

/* "A" and "B" become "a"; a trie of three blocks of units, its root in the second. */
static void put_charsmap(tg_buffer *out) {
  uint32_t units[UNITS];
  const uint32_t size = sizeof units;
  for (size_t i = 0; i < UNITS; i++) units[i] = 0x80000000u;
  units[0] = 256 << 10;
  units[256 ^ 'A'] = ((256 ^ 'A') ^ 512u) << 10 | 1 << 8 | 'A';
  units[256 ^ 'B'] = ((256 ^ 'B') ^ 512u) << 10 | 1 << 8 | 'B';
  units[512] = 0x80000000u;
  hostile_put(out, &size, 4);
  hostile_put(out, units, sizeof units);
  hostile_put(out, "a\0\xc3\xa9", 5);
}

static void put_specifications(tg_buffer *model, bool bytes, bool charsmap) {
  tg_buffer spec = {0}, map = {0};
  put_number(&spec, 3, 1);
  put_number(&spec, 35, bytes);
  put_field(&spec, 44, " ?? ", 4);
  put_field(model, 2, spec.data, spec.size);
  spec.size = 0;
  put_field(&spec, 1, "nmt_nfkc", 8);
  if (charsmap) put_charsmap(&map), put_field(&spec, 2, map.data, map.size);
  put_number(&spec, 3, 1), put_number(&spec, 4, 1), put_number(&spec, 5, 1);
  put_field(model, 3, spec.data, spec.size);
  tg_buffer_free(&spec);
  tg_buffer_free(&map);
}

static bool spiece_seed(int i, tg_buffer *out) {
  for (int p = 0; i < 3 && p < N_PIECES; p++) put_piece(out, pieces[p], -(float)p, p < 2 ? 3 : p == 2 ? 2 : p > 9 ? 4 : 1);
  for (unsigned b = 0; i == 2 && b < 256; b++) {
    char text[8];
    snprintf(text, sizeof text, "<0x%02X>", b);
    put_piece(out, text, -20, 6);
  }
  if (i < 3) put_specifications(out, i == 2, i == 1);
  return i < 3;
}

static void use_tokenizer(const tg_tokenizer *t) {
  static const char *const texts[] = {"the ab \xc3\xa9 AB <extra_id_0> zz", "", "  a\tb  ",
                                      "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"};
  for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
    tg_ids ids = {0};
    char *text = NULL;
    t5gist_error err;
    if (tg_tokenizer_encode(t, texts[i], strlen(texts[i]), &ids, &err) == T5GIST_OK &&
        tg_tokenizer_decode(t, ids.ids, ids.n, &text, &err) == T5GIST_OK)
      hostile_use(text, strlen(text));
    for (size_t k = 0; k < ids.n; k++) hostile_use(tg_tokenizer_piece(t, ids.ids[k]), strlen(tg_tokenizer_piece(t, ids.ids[k])));
    tg_free(text);
    tg_free(ids.ids);
  }
  for (int32_t id = -1; id <= tg_tokenizer_pieces(t) && id < 300; id++) {
    char *text = NULL;
    if (tg_tokenizer_decode(t, &id, 1, &text, NULL) == T5GIST_OK) hostile_use(text, strlen(text));
    tg_free(text);
  }
  (void)tg_tokenizer_added(t, "<GIST>");
}

static t5gist_status tokenizer_read(const hostile_input *in, t5gist_error *err) {
  tg_tokenizer *t;
  const t5gist_status status = tg_tokenizer_open(in->dir, 1000, &t, err);
  if (status) return status;
  use_tokenizer(t);
  tg_tokenizer_free(t);
  return T5GIST_OK;
}

static const char *const spiece_words[] = {
    "\x0a",         "\x12",     "\x1a",   "\x22",   "\x2a",         "\x0a\x03\x0a\x01z", "\x15",         "\x18\x06",
    "\x18\x04",     "\x18\x02", "<0x41>", "<0x00>", "\xe2\x96\x81", "\xf0\x9f\x98\x80",  "<extra_id_7>", "\xff\xff\xff\xff\x0f",
    "\x0a\xff\x07", NULL};
const hostile_format hostile_spiece = {.name = "spiece", .file = "spiece.model", .seed = spiece_seed, .read = tokenizer_read, .words = spiece_words};

static void put_base64(tg_buffer *out, const tg_buffer *bytes) {
  static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  for (size_t i = 0; i + 2 < bytes->size; i += 3) {
    const unsigned char *p = (const unsigned char *)bytes->data + i;
    const unsigned bits = (unsigned)p[0] << 16 | (unsigned)p[1] << 8 | p[2];
    for (int shift = 18; shift >= 0; shift -= 6) hostile_put(out, &digits[bits >> shift & 63], 1);
  }
}

static bool tokenizer_json_seed(int i, tg_buffer *out) {
  tg_buffer map = {0};
  if (i >= 2) return false;
  put_charsmap(&map); /* 4 + 3072 + 5 bytes: a multiple of 3 */
  hostile_put_text(
      out,
      "{\"version\":\"1.0\",\"added_tokens\":[{\"id\":0,\"content\":\"<pad>\",\"special\":true},{\"id\":12,\"content\":\"<GIST>\",\"special\":"
      "true}],\"normalizer\":");
  if (i == 1) {
    hostile_put_text(out, "{\"type\":\"Sequence\",\"normalizers\":[{\"type\":\"Precompiled\",\"precompiled_charsmap\":\"");
    put_base64(out, &map);
    hostile_put_text(out, "\"},{\"type\":\"Strip\"}]}");
  } else {
    hostile_put_text(out, "{\"type\":\"Sequence\",\"normalizers\":[{\"type\":\"Strip\",\"strip_left\":false},{\"type\":\"Replace\"}]}");
  }
  hostile_put_text(
      out,
      ",\"pre_tokenizer\":{\"type\":\"Sequence\",\"pretokenizers\":[{\"type\":\"WhitespaceSplit\"},{\"type\":\"Metaspace\",\"replacement\":\"▁\","
      "\"prepend_scheme\":\"always\"}]},\"model\":{\"type\":\"Unigram\",\"unk_id\":2,\"byte_fallback\":false,\"vocab\":[");
  for (int p = 0; p < N_PIECES; p++) {
    char entry[64];
    snprintf(entry, sizeof entry, "%s[\"%s\",%g]", p ? "," : "", pieces[p], -0.5 * p);
    hostile_put_text(out, entry);
  }
  hostile_put_text(out, "]}}");
  tg_buffer_free(&map);
  return true;
}

static const char *const tokenizer_json_words[] = {"Unigram",       "BPE",
                                                   "Sequence",      "Precompiled",
                                                   "Strip",         "Replace",
                                                   "Metaspace",     "vocab",
                                                   "unk_id",        "normalizer",
                                                   "normalizers",   "precompiled_charsmap",
                                                   "pre_tokenizer", "added_tokens",
                                                   "special",       "content",
                                                   "[\"x\",-1],",   "[[],0],",
                                                   "<0x41>",        "<extra_id_3>",
                                                   "\\u0000",       "\\ud800",
                                                   "AAAA",          "====",
                                                   "never",         "▁",
                                                   "1e308",         NULL};
const hostile_format hostile_tokenizer_json = {
    .name = "tokenizer_json", .file = "tokenizer.json", .seed = tokenizer_json_seed, .read = tokenizer_read, .words = tokenizer_json_words};

/* Beside a sound spiece.model: the names of tokens that the embedding has and the model file has not. */
static void put_spiece_beside(const char *dir) {
  tg_buffer bytes = {0};
  t5gist_error err;
  char *path;
  if (!spiece_seed(0, &bytes) || tg_path_join(&path, dir, "spiece.model", &err) || tg_write_file(path, 0644, bytes.data, bytes.size, &err))
    hostile_fail("cannot write spiece.model");
  tg_free(path);
  tg_buffer_free(&bytes);
}

static bool added_tokens_seed(int i, tg_buffer *out) {
  static const char *const seeds[] = {"{\"<GIST>\":12}", "{\"<GIST>\":12,\"<GIST_1>\":13,\"<extra_id_5>\":14,\"\\u00e9\":900}"};
  if (i >= 2) return false;
  hostile_put_text(out, seeds[i]);
  return true;
}

static const char *const added_words[] = {
    "<GIST>", "added_tokens_decoder", "content", "special", "\"12\"", "{\"content\":\"x\"}", "-1", "999", "2147483648", "1e3", "\\u0000", "\\ud800",
    NULL};
const hostile_format hostile_added_tokens = {.name = "added_tokens",
                                             .file = "added_tokens.json",
                                             .prepare = put_spiece_beside,
                                             .seed = added_tokens_seed,
                                             .read = tokenizer_read,
                                             .words = added_words};

static bool tokenizer_config_seed(int i, tg_buffer *out) {
  if (i >= 1) return false;
  hostile_put_text(out,
                   "{\"tokenizer_class\":\"T5Tokenizer\",\"added_tokens_decoder\":{\"0\":{\"content\":\"<pad>\",\"special\":true},"
                   "\"12\":{\"content\":\"<GIST>\",\"lstrip\":false},\"13\":{\"content\":\"\\u00e9\"}},\"extra_ids\":0}");
  return true;
}

const hostile_format hostile_tokenizer_config = {.name = "tokenizer_config",
                                                 .file = "tokenizer_config.json",
                                                 .prepare = put_spiece_beside,
                                                 .seed = tokenizer_config_seed,
                                                 .read = tokenizer_read,
                                                 .words = added_words};

/* ------------------------------------------------------------------------------------------------------------------------------ config */

static const char config_text[] =
    "{\"architectures\":[\"T5ForConditionalGeneration\"],\"model_type\":\"t5\",\"vocab_size\":96,\"d_model\":16,\"d_kv\":4,\"d_ff\":24,\"num_heads\":"
    "4,"
    "\"num_layers\":2,\"num_decoder_layers\":3,\"relative_attention_num_buckets\":32,\"relative_attention_max_distance\":128,\"layer_norm_epsilon\":"
    "1e-06,"
    "\"feed_forward_proj\":\"gated-gelu\",\"is_gated_act\":true,\"dense_act_fn\":\"gelu_new\",\"tie_word_embeddings\":false,\"pad_token_id\":0,"
    "\"eos_token_id\":1,\"decoder_start_token_id\":0,\"is_encoder_decoder\":true,\"dropout_rate\":0.1,\"t5gist\":{\"gist_token_ids\":[90,91],"
    "\"default_gists\":1,\"max_task_tokens\":64,\"template\":{\"task\":\"Instruction: {task}\",\"input\":\"Input: {input}\"}}}\n";

static bool config_seed(int i, tg_buffer *out) {
  if (i == 0) hostile_put_text(out, config_text);
  if (i == 1) hostile_put_file(out, TEST_SOURCE_DIR "/models/mini/config.json");
  return i < 2;
}

static t5gist_status count_values(void *user, const tg_tensor_spec *spec, t5gist_error *err) {
  size_t *total = user, n = 1;
  (void)err;
  for (int d = 0; d < spec->n_dims; d++)
    if (!tg_size_mul(n, spec->dims[d], &n)) hostile_fail("an accepted configuration asks for more values than can be counted");
  *total += n;
  return strlen(spec->name) ? T5GIST_OK : T5GIST_EINTERNAL;
}

static t5gist_status config_read(const hostile_input *in, t5gist_error *err) {
  tg_config config;
  size_t total = 0;
  const t5gist_status status = tg_config_load(in->dir, &config, err);
  if (status) return status;
  const t5gist_status counted = tg_each_tensor(&config, count_values, &total, err);
  hostile_use(config.gist_ids, (size_t)config.n_gist_ids * sizeof *config.gist_ids);
  tg_config_free(&config);
  return counted;
}

static const char *const config_words[] = {"model_type",
                                           "t5",
                                           "mt5",
                                           "umt5",
                                           "vocab_size",
                                           "d_model",
                                           "d_kv",
                                           "d_ff",
                                           "num_heads",
                                           "num_layers",
                                           "num_decoder_layers",
                                           "relu",
                                           "gated-gelu",
                                           "gated-silu",
                                           "gelu_new",
                                           "t5gist",
                                           "gist_token_ids",
                                           "[1,1]",
                                           "template",
                                           "{task}",
                                           "{input}",
                                           "{task}",
                                           "tie_word_embeddings",
                                           "auto_map",
                                           "quantization_config",
                                           "\\u0000",
                                           NULL};
const hostile_format hostile_config = {.name = "config", .file = "config.json", .seed = config_seed, .read = config_read, .words = config_words};

static void put_config(const char *dir) {
  char path[4096];
  snprintf(path, sizeof path, "%s/config.json", dir);
  if (tg_write_file(path, 0600, config_text, sizeof config_text - 1, NULL)) hostile_fail("no config.json");
}

static bool generation_config_seed(int i, tg_buffer *out) {
  if (i == 0)
    hostile_put_text(
        out,
        "{\"_from_model_config\":true,\"decoder_start_token_id\":0,\"eos_token_id\":1,\"pad_token_id\":0,\"max_new_tokens\":64,"
        "\"min_new_tokens\":1,\"num_beams\":4,\"num_return_sequences\":2,\"length_penalty\":0.6,\"early_stopping\":true,\"do_sample\":false,"
        "\"temperature\":0.9,\"top_k\":50,\"top_p\":0.95,\"repetition_penalty\":1.1,\"no_repeat_ngram_size\":3,\"transformers_version\":\"4.57.1\"}");
  if (i == 1) hostile_put_text(out, "{\"max_length\": 20, \"eos_token_id\": [1], \"top_k\": null}");
  return i < 2;
}

static const char *const generation_config_words[] = {"max_new_tokens",       "min_new_tokens",  "num_beams",    "num_return_sequences",
                                                      "length_penalty",       "early_stopping",  "never",        "do_sample",
                                                      "temperature",          "top_k",           "top_p",        "repetition_penalty",
                                                      "no_repeat_ngram_size", "max_length",      "eos_token_id", "[1,2]",
                                                      "bad_words_ids",        "num_beam_groups", "\\u0000",      NULL};
const hostile_format hostile_generation_config = {.name = "generation_config",
                                                  .file = "generation_config.json",
                                                  .prepare = put_config,
                                                  .seed = generation_config_seed,
                                                  .read = config_read,
                                                  .words = generation_config_words};

/* -------------------------------------------------------------------------------------------------------------------- yaml and records */

typedef struct options {
  int beams, mode;
  uint64_t seed;
  float temperature, match;
  bool stream;
  char *task;
  tg_strings stop, names;
} options;

static const char *const modes[] = {"gist", "pos_control", "full", NULL};
static const tg_field table[] = {
    {.name = "beams", .type = TG_FIELD_INT, .offset = offsetof(options, beams), .min = 1, .max = 1024},
    {.name = "mode", .type = TG_FIELD_ENUM, .offset = offsetof(options, mode), .choices = modes},
    {.name = "seed", .type = TG_FIELD_UINT64, .offset = offsetof(options, seed)},
    {.name = "temperature", .type = TG_FIELD_FLOAT, .offset = offsetof(options, temperature), .min = 0, .max = 100},
    {.name = "stream", .type = TG_FIELD_BOOL, .offset = offsetof(options, stream)},
    {.name = "task", .type = TG_FIELD_STRING, .offset = offsetof(options, task)},
    {.name = "stop", .type = TG_FIELD_STRINGS, .offset = offsetof(options, stop)},
    {.name = "loss.match", .type = TG_FIELD_FLOAT, .offset = offsetof(options, match), .min = 0, .max = 10},
    {.name = "loss.more.names", .type = TG_FIELD_STRINGS, .offset = offsetof(options, names)},
    {.name = NULL},
};

static bool yaml_seed(int i, tg_buffer *out) {
  if (i == 0)
    hostile_put_text(out,
                     "# a run\nbeams: 4\nmode: pos_control\nseed: 18446744073709551615\ntemperature: 0.7\nstream: yes\ntask: \"Name the capital: "
                     "\\u00e9 \\\"x\\\"\"\n"
                     "stop: [a, 'b c', \"\\n\"]\nloss:\n  match: 1\n  more: {names: [x, y]}\n");
  if (i == 1) hostile_put_text(out, "---\ntask: |\n  two\n  lines\nstop:\n- one\n- >-\n  folded\n  text\nloss.match: 2e-1\n...\n");
  return i < 2;
}

static t5gist_status yaml_read(const hostile_input *in, t5gist_error *err) {
  options o = {0};
  const t5gist_status status = tg_yaml_load(in->path, table, 0, &o, err);
  if (!status && (o.beams < 0 || o.beams > 1024 || !(o.temperature >= 0 && o.temperature <= 100))) hostile_fail("a value out of its range was taken");
  tg_fields_free(table, &o);
  return status;
}

static const char *const yaml_words[] = {
    "beams:", "mode: ", "seed",         "temperature", "stream", "task",        "stop",       "loss", "more", "names", "loss.more.names",
    "\n",     "\n  ",   "- ",           "[",           "]",      "{",           "}",          "&a",   "*a",   "!!int", "? ",
    ": ",     "|",      ">-",           "---\n",       "...\n",  "%YAML 1.1\n", "%TAG ! x\n", "\t",   "~",    "null",  ".inf",
    "0x10",   "0o7",    "\xef\xbb\xbf", "\\x00",       "'",      "#",           NULL};
const hostile_format hostile_yaml = {.name = "yaml", .file = "run.yaml", .seed = yaml_seed, .read = yaml_read, .words = yaml_words};

static bool records_seed(int i, tg_buffer *out) {
  static const char list[] = "[{\"task\":\"Translate.\",\"beams\":2,\"stop\":[\"x\",\"y\"]},\n {\"seed\":7,\"stream\":false,\"temperature\":0.5}]";
  if (i == 0)
    hostile_put_text(
        out,
        "{\"task\": \"Name the capital.\", \"beams\": 4, \"mode\": \"gist\", \"stop\": \"x\"}\n\n{\"seed\": 9223372036854775807, \"temperature\": "
        "1}\n"
        "{\"stream\": true, \"task\": \"\\u00e9\\ud83d\\ude00 \\\\ \\n\", \"loss.match\": 1e-1, \"stop\": []}\n{\"a\":{\"b\":[1,2,[3]]}}");
  if (i == 1) hostile_put_text(out, list);
  return i < 2;
}

static t5gist_status use_record(const json_t *object, const char *where, t5gist_error *err) {
  options o = {0};
  t5gist_status status = T5GIST_OK;
  const char *key;
  json_t *value;
  json_object_foreach((json_t *)(uintptr_t)object, key, value) {
    const tg_field *field = tg_field_find(table, key);
    if (field && !status) status = tg_field_set_json(field, &o, value, where, err);
    if (!field) hostile_use(&(const char *){tg_field_nearest(table, 0, key)}, 1);
  }
  tg_fields_free(table, &o);
  return status;
}

static t5gist_status records_read(const hostile_input *in, t5gist_error *err) {
  tg_records *records;
  const json_t *object = NULL;
  t5gist_status status = tg_records_open(in->path, 1 << 26, &records, err), first = status;
  if (status) return status;
  for (size_t i = 0; i <= in->size + 1; i++) { /* a bad record is refused alone: reading goes on behind it */
    status = tg_records_next(records, &object, err);
    if (!status && !object) break;
    if (i > in->size) hostile_fail("more records than bytes");
    if (!status) status = use_record(object, tg_records_where(records), err);
    if (status) first = status;
  }
  tg_records_close(records);
  return first;
}

static const char *const records_words[] = {"task",         "beams",    "mode", "seed", "temperature", "stream", "stop",    "loss.match",
                                            "\n",           "[",        "]",    "{",    "}",           ",",      "\"",      ":",
                                            "{\"a\":1}\n",  "[[[[[[[[", "null", "true", "1e999",       "-0",     "\\ud800", "\\u0000",
                                            "\xef\xbb\xbf", "\xff",     NULL};
const hostile_format hostile_records = {.name = "records", .file = "x.jsonl", .seed = records_seed, .read = records_read, .words = records_words};
