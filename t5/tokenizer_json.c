#include "t5/tokenizer_json.h"

#include <stdio.h>
#include <string.h>

#include "runtime/error.h"
#include "runtime/json.h"
#include "t5/spm_check.h"

enum { MAX_ADDED = 1 << 16 };

/* --------------------------------------------------------------------------------------------------------------------- added tokens */

t5gist_status tg_added_tokens_add(tg_added_tokens *added, const char *content, const json_t *id, const char *where, t5gist_error *err) {
  const json_int_t value = json_integer_value(id);
  if (!json_is_integer(id) || value < 0 || value > INT32_MAX) {
    char found[TG_JSON_FOUND];
    return tg_fail(err, T5GIST_EFORMAT, "%s: added token \"%.64s\": expected an id from 0 to %d, found %s", where, content, INT32_MAX,
                   tg_json_found(id, found));
  }
  if (added->n == MAX_ADDED) return tg_fail(err, T5GIST_EFORMAT, "%s: expected at most %d added tokens, found more", where, MAX_ADDED);
  TG_TRY(tg_reserve(&added->items, &added->capacity, added->n + 1, sizeof *added->items, err));
  TG_TRY(tg_strdup(&added->items[added->n].content, content, err));
  added->items[added->n++].id = (int32_t)value;
  return T5GIST_OK;
}

void tg_added_tokens_free(tg_added_tokens *added) {
  for (size_t i = 0; i < added->n; i++) tg_free(added->items[i].content);
  tg_free(added->items);
  *added = (tg_added_tokens){0};
}

t5gist_status tg_tokenizer_json_added(const json_t *json, const char *where, tg_added_tokens *added, t5gist_error *err) {
  size_t i;
  json_t *token;
  json_array_foreach(json_object_get(json, "added_tokens"), i, token) {
    const char *content = NULL;
    TG_TRY(tg_json_string(token, "content", where, &content, err));
    if (!content) return tg_fail(err, T5GIST_EFORMAT, "%s: added_tokens[%zu]: expected a content, found none", where, i);
    TG_TRY(tg_added_tokens_add(added, content, json_object_get(token, "id"), where, err));
  }
  return T5GIST_OK;
}

/* ---------------------------------------------------------------------------------------------------------- protocol buffers wire format */

static t5gist_status put_varint(tg_buffer *out, uint64_t value, t5gist_error *err) {
  unsigned char bytes[10];
  size_t n = 0;
  for (; value >= 0x80; value >>= 7) bytes[n++] = (unsigned char)(value | 0x80);
  bytes[n++] = (unsigned char)value;
  return tg_buffer_append(out, bytes, n, err);
}

static t5gist_status put_integer(tg_buffer *out, unsigned field, int64_t value, t5gist_error *err) {
  TG_TRY(put_varint(out, field << 3, err));
  return put_varint(out, (uint64_t)value, err);
}

static t5gist_status put_bytes(tg_buffer *out, unsigned field, const void *data, size_t n, t5gist_error *err) {
  TG_TRY(put_varint(out, field << 3 | 2, err));
  TG_TRY(put_varint(out, n, err));
  return tg_buffer_append(out, data, n, err);
}

static t5gist_status put_float(tg_buffer *out, unsigned field, float value, t5gist_error *err) {
  uint32_t bits;
  memcpy(&bits, &value, sizeof bits);
  const unsigned char bytes[4] = {(unsigned char)bits, (unsigned char)(bits >> 8), (unsigned char)(bits >> 16), (unsigned char)(bits >> 24)};
  TG_TRY(put_varint(out, field << 3 | 5, err));
  return tg_buffer_append(out, bytes, sizeof bytes, err);
}

/* --------------------------------------------------------------------------------------------------------------------------- pieces */

/* What the conversion goes by. */
typedef struct source {
  const json_t *vocabulary; /* [[piece, score], ...] */
  const json_t *charsmap;   /* base64 string, or null: no character map */
  const char *where;
  size_t n_pieces; /* of the vocabulary, trailing extra ids left out */
  int unk_id;
  bool byte_fallback, add_prefix;
  bool *special; /* [n_pieces] owned: added tokens that no text matches */
} source;

static const char *piece_text(const json_t *vocabulary, size_t i) {
  return json_string_value(json_array_get(json_array_get(vocabulary, i), 0));
}

static tg_piece_type piece_type(const source *s, size_t i, const char *text) {
  if (i == (size_t)s->unk_id) return TG_PIECE_UNKNOWN;
  if (s->special[i] || strcmp(text, "<pad>") == 0 || strcmp(text, "</s>") == 0) return TG_PIECE_CONTROL;
  if (s->byte_fallback && strlen(text) == 6 && strncmp(text, "<0x", 3) == 0 && text[5] == '>') return TG_PIECE_BYTE;
  return TG_PIECE_NORMAL;
}

static t5gist_status put_piece(const source *s, size_t i, tg_buffer *scratch, tg_buffer *model, t5gist_error *err) {
  const json_t *entry = json_array_get(s->vocabulary, i), *score = json_array_get(entry, 1);
  const char *text = json_string_value(json_array_get(entry, 0));
  if (json_array_size(entry) != 2 || !text || !json_is_number(score)) {
    return tg_fail(err, T5GIST_EFORMAT, "%s: model.vocab[%zu]: expected [piece, score]", s->where, i);
  }
  const tg_piece_type type = piece_type(s, i, text);
  scratch->size = 0;
  TG_TRY(put_bytes(scratch, 1, text, strlen(text), err));
  TG_TRY(put_float(scratch, 2, (float)json_number_value(score), err));
  if (type != TG_PIECE_NORMAL) TG_TRY(put_integer(scratch, 3, type, err));
  return put_bytes(model, 1, scratch->data, scratch->size, err);
}

static size_t without_trailing_extra_ids(const json_t *vocabulary) {
  size_t n = json_array_size(vocabulary);
  while (n) {
    const char *text = piece_text(vocabulary, n - 1);
    if (!text || strncmp(text, "<extra_id_", 10) != 0) break;
    n--;
  }
  return n;
}

static t5gist_status find_special(source *s, const json_t *json, t5gist_error *err) {
  size_t i;
  json_t *token;
  TG_TRY(tg_alloc(&s->special, s->n_pieces, sizeof *s->special, err));
  json_array_foreach(json_object_get(json, "added_tokens"), i, token) {
    const json_int_t id = json_integer_value(json_object_get(token, "id"));
    if (json_is_true(json_object_get(token, "special")) && id >= 0 && (size_t)id < s->n_pieces) s->special[id] = true;
  }
  return T5GIST_OK;
}

/* ------------------------------------------------------------------------------------------------------------------- normalisation */

static t5gist_status read_normalizer(source *s, const json_t *normalizer, int depth, t5gist_error *err);

static t5gist_status read_normalizers(source *s, const json_t *list, int depth, t5gist_error *err) {
  size_t i;
  json_t *item;
  json_array_foreach(list, i, item) TG_TRY(read_normalizer(s, item, depth, err));
  return T5GIST_OK;
}

/* Strip and Replace are how the format spells sentencepiece's handling of white space. */
static t5gist_status read_normalizer(source *s, const json_t *normalizer, int depth, t5gist_error *err) {
  const char *type = NULL;
  if (!normalizer || json_is_null(normalizer)) return T5GIST_OK;
  TG_TRY(tg_json_string(normalizer, "type", s->where, &type, err));
  if (type && strcmp(type, "Sequence") == 0 && depth < 4) return read_normalizers(s, json_object_get(normalizer, "normalizers"), depth + 1, err);
  if (type && strcmp(type, "Precompiled") == 0 && !s->charsmap) {
    s->charsmap = json_object_get(normalizer, "precompiled_charsmap");
    if (json_is_null(s->charsmap)) s->charsmap = NULL;
    return T5GIST_OK;
  }
  if (type && (strcmp(type, "Strip") == 0 || strcmp(type, "Replace") == 0)) return T5GIST_OK;
  return tg_fail(err, T5GIST_EUNSUPPORTED, "%s: normalizer: expected one Precompiled, Strip and Replace, found \"%.32s\", which is not supported",
                 s->where, type ? type : "");
}

/* Metaspace, alone or in a sequence: words begin with U+2581. */
static t5gist_status read_pre_tokenizer(source *s, const json_t *pre, t5gist_error *err) {
  const char *type = NULL, *replacement = "\xe2\x96\x81", *scheme = "always";
  s->add_prefix = true;
  TG_TRY(tg_json_string(pre, "type", s->where, &type, err));
  if (type && strcmp(type, "Sequence") == 0) {
    const json_t *list = json_object_get(pre, "pretokenizers");
    pre = json_array_get(list, json_array_size(list) - 1);
    TG_TRY(tg_json_string(pre, "type", s->where, &type, err));
  }
  if (!type || strcmp(type, "Metaspace") != 0) {
    return tg_fail(err, T5GIST_EUNSUPPORTED, "%s: pre_tokenizer: expected Metaspace, found \"%.32s\"", s->where, type ? type : "");
  }
  TG_TRY(tg_json_string(pre, "replacement", s->where, &replacement, err));
  TG_TRY(tg_json_bool(pre, "add_prefix_space", s->where, &s->add_prefix, err));
  TG_TRY(tg_json_string(pre, "prepend_scheme", s->where, &scheme, err));
  if (strcmp(scheme, "never") == 0) s->add_prefix = false;
  if (strcmp(replacement, "\xe2\x96\x81") == 0) return T5GIST_OK;
  return tg_fail(err, T5GIST_EUNSUPPORTED, "%s: pre_tokenizer: expected the replacement U+2581, found \"%.16s\"", s->where, replacement);
}

static int base64_value(char c) {
  static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  const char *found = c ? strchr(digits, c) : NULL;
  return found ? (int)(found - digits) : -1;
}

static t5gist_status decode_base64(const char *text, size_t n, const char *where, tg_buffer *out, t5gist_error *err) {
  const size_t padding = n && text[n - 1] == '=' ? (n > 1 && text[n - 2] == '=' ? 2 : 1) : 0;
  uint32_t bits = 0;
  if (n % 4) return tg_fail(err, T5GIST_EFORMAT, "%s: precompiled_charsmap: expected base64, found a length of %zu", where, n);
  for (size_t i = 0; i < n; i++) {
    const int value = i < n - padding ? base64_value(text[i]) : 0;
    if (value < 0) return tg_fail(err, T5GIST_EFORMAT, "%s: precompiled_charsmap: expected base64, found another character at %zu", where, i);
    bits = bits << 6 | (uint32_t)value;
    if (i % 4 != 3) continue;
    const unsigned char bytes[3] = {(unsigned char)(bits >> 16), (unsigned char)(bits >> 8), (unsigned char)bits};
    TG_TRY(tg_buffer_append(out, bytes, i + 1 == n ? 3 - padding : 3, err));
  }
  return T5GIST_OK;
}

/* -------------------------------------------------------------------------------------------------------------------------- the whole */

static t5gist_status read_source(const json_t *json, source *s, t5gist_error *err) {
  const json_t *model = json_object_get(json, "model");
  const char *type = NULL;
  TG_TRY(tg_json_string(model, "type", s->where, &type, err));
  if (!type || strcmp(type, "Unigram") != 0) {
    return tg_fail(err, T5GIST_EUNSUPPORTED, "%s: model.type: expected \"Unigram\", found \"%.32s\"", s->where, type ? type : "");
  }
  s->vocabulary = json_object_get(model, "vocab");
  s->n_pieces = without_trailing_extra_ids(s->vocabulary);
  if (!s->n_pieces || s->n_pieces > 1 << 20) {
    return tg_fail(err, T5GIST_EFORMAT, "%s: model.vocab: expected a list of 1 to %d pieces, found %zu", s->where, 1 << 20, s->n_pieces);
  }
  s->unk_id = -1;
  TG_TRY(tg_json_int(model, "unk_id", s->where, 0, (long long)s->n_pieces - 1, &s->unk_id, err));
  if (s->unk_id < 0) return tg_fail(err, T5GIST_EFORMAT, "%s: model.unk_id: expected an integer, found nothing", s->where);
  TG_TRY(tg_json_bool(model, "byte_fallback", s->where, &s->byte_fallback, err));
  TG_TRY(read_normalizer(s, json_object_get(json, "normalizer"), 0, err));
  TG_TRY(read_pre_tokenizer(s, json_object_get(json, "pre_tokenizer"), err));
  return find_special(s, json, err);
}

static t5gist_status put_pieces(const source *s, tg_buffer *model, t5gist_error *err) {
  tg_buffer scratch = {0};
  t5gist_status status = T5GIST_OK;
  for (size_t i = 0; i < s->n_pieces && status == T5GIST_OK; i++) status = put_piece(s, i, &scratch, model, err);
  tg_buffer_free(&scratch);
  return status;
}

/* TrainerSpec: model_type 3, byte_fallback 35. */
static t5gist_status put_trainer(const source *s, tg_buffer *model, t5gist_error *err) {
  tg_buffer spec = {0};
  t5gist_status status;
  TG_GOTO(put_integer(&spec, 3, 1, err));
  TG_GOTO(put_integer(&spec, 35, s->byte_fallback, err));
  TG_GOTO(put_bytes(model, 2, spec.data, spec.size, err));
done:
  tg_buffer_free(&spec);
  return status;
}

/* NormalizerSpec: precompiled_charsmap 2, add_dummy_prefix 3, remove_extra_whitespaces 4, escape_whitespaces 5. */
static t5gist_status put_normalizer(const source *s, tg_buffer *model, t5gist_error *err) {
  tg_buffer spec = {0}, charsmap = {0};
  t5gist_status status;
  if (s->charsmap) {
    if (!json_is_string(s->charsmap)) {
      return tg_fail(err, T5GIST_EFORMAT, "%s: precompiled_charsmap: expected a string, found %s", s->where, tg_json_type_name(s->charsmap));
    }
    TG_GOTO(decode_base64(json_string_value(s->charsmap), json_string_length(s->charsmap), s->where, &charsmap, err));
    TG_GOTO(put_bytes(&spec, 2, charsmap.data, charsmap.size, err));
  }
  TG_GOTO(put_integer(&spec, 3, s->add_prefix, err));
  TG_GOTO(put_integer(&spec, 4, 1, err));
  TG_GOTO(put_integer(&spec, 5, 1, err));
  TG_GOTO(put_bytes(model, 3, spec.data, spec.size, err));
done:
  tg_buffer_free(&spec);
  tg_buffer_free(&charsmap);
  return status;
}

t5gist_status tg_tokenizer_json_model(const json_t *json, const char *where, tg_buffer *model, t5gist_error *err) {
  source s = {.where = where};
  t5gist_status status;
  TG_GOTO(read_source(json, &s, err));
  TG_GOTO(put_pieces(&s, model, err));
  TG_GOTO(put_trainer(&s, model, err));
  TG_GOTO(put_normalizer(&s, model, err));
done:
  tg_free(s.special);
  return status;
}
