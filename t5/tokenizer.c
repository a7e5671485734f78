/* Text to ids and back, over the sentencepiece shim (t5/spm.h). */
#include "t5/tokenizer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/error.h"
#include "runtime/file.h"
#include "runtime/json.h"
#include "runtime/text.h"
#include "t5/spm.h"
#include "t5/spm_check.h"
#include "t5/tokenizer_json.h"

enum { N_EXTRA = 100, MODEL_LIMIT = 64 << 20, JSON_LIMIT = 256 << 20, TEXT_LIMIT = 16 << 20 };

#define SPACE "\xe2\x96\x81" /* U+2581, sentencepiece's space */
#define REPLACEMENT "\xef\xbf\xbd"

struct tg_tokenizer {
  tg_spm *spm;
  tg_spm_model model;
  char *path;
  int vocab_size;
  tg_added_tokens added;
  int32_t extra[N_EXTRA]; /* id of <extra_id_N>, or -1: plain text */
  char extra_names[N_EXTRA][16];
};

t5gist_status tg_ids_append(tg_ids *list, const int32_t *ids, size_t n, t5gist_error *err) {
  size_t needed;
  if (!tg_size_add(list->n, n, &needed)) return tg_fail(err, T5GIST_ENOMEM, "a list of %zu and %zu ids is too long", list->n, n);
  TG_TRY(tg_reserve(&list->ids, &list->capacity, needed, sizeof *list->ids, err));
  if (n) memcpy(list->ids + list->n, ids, n * sizeof *ids);
  list->n = needed;
  return T5GIST_OK;
}

/* --------------------------------------------------------------------------------------------------------------------- added tokens */

/* added_tokens.json: {"<GIST>": 32100, ...} */
static t5gist_status read_added_json(const json_t *json, const char *path, tg_added_tokens *added, t5gist_error *err) {
  const char *content;
  json_t *id;
  json_object_foreach((json_t *)json, content, id) TG_TRY(tg_added_tokens_add(added, content, id, path, err));
  return T5GIST_OK;
}

/* tokenizer_config.json: {"added_tokens_decoder": {"32100": {"content": "<GIST>", ...}}} */
static t5gist_status read_added_decoder(const json_t *json, const char *path, tg_added_tokens *added, t5gist_error *err) {
  const char *key;
  json_t *token;
  json_object_foreach(json_object_get(json, "added_tokens_decoder"), key, token) {
    const char *content = NULL;
    char *end;
    const long long id = strtoll(key, &end, 10);
    TG_TRY(tg_json_string(token, "content", path, &content, err));
    if (!content || *end || end == key)
      return tg_fail(err, T5GIST_EFORMAT, "%s: added_tokens_decoder: expected ids with a content each, found \"%.32s\"", path, key);
    json_t *value = json_integer(id);
    if (!value) return tg_fail(err, T5GIST_ENOMEM, "%s: not enough memory", path);
    const t5gist_status status = tg_added_tokens_add(added, content, value, path, err);
    json_decref(value);
    TG_TRY(status);
  }
  return T5GIST_OK;
}

typedef t5gist_status added_reader(const json_t *json, const char *path, tg_added_tokens *added, t5gist_error *err);

static t5gist_status read_added_file(const char *dir, const char *name, added_reader *read, tg_added_tokens *added, t5gist_error *err) {
  char *path;
  json_t *json = NULL;
  t5gist_status status = T5GIST_OK;
  TG_TRY(tg_path_join(&path, dir, name, err));
  if (!tg_file_exists(path)) goto done;
  TG_GOTO(tg_json_read(path, JSON_LIMIT, &json, err));
  status = json_is_object(json) ? read(json, path, added, err)
                                : tg_fail(err, T5GIST_EFORMAT, "%s: expected an object, found %s", path, tg_json_type_name(json));
done:
  json_decref(json);
  tg_free(path);
  return status;
}

/* The small files first: where transformers wrote a full list into tokenizer_config.json, the large tokenizer.json need not be read for it. */
static t5gist_status read_added(tg_tokenizer *t, const char *dir, bool have_json, t5gist_error *err) {
  TG_TRY(read_added_file(dir, "added_tokens.json", read_added_json, &t->added, err));
  TG_TRY(read_added_file(dir, "tokenizer_config.json", read_added_decoder, &t->added, err));
  if (t->added.n || have_json) return T5GIST_OK;
  return read_added_file(dir, "tokenizer.json", tg_tokenizer_json_added, &t->added, err);
}

int32_t tg_tokenizer_added(const tg_tokenizer *t, const char *content) {
  for (size_t i = 0; i < t->added.n; i++) {
    if (strcmp(t->added.items[i].content, content) == 0) return t->added.items[i].id < t->vocab_size ? t->added.items[i].id : -1;
  }
  return -1;
}

/* -------------------------------------------------------------------------------------------------------------------------- opening */

static t5gist_status open_spiece(tg_tokenizer *t, t5gist_error *err) {
  tg_buffer bytes = {0};
  t5gist_status status;
  TG_GOTO(tg_read_file(t->path, MODEL_LIMIT, false, &bytes, err));
  TG_GOTO(tg_spm_check(bytes.data, bytes.size, t->path, &t->model, err));
  TG_GOTO(tg_spm_open(bytes.data, bytes.size, t->model.n_pieces, t->path, &t->spm, err));
done:
  tg_buffer_free(&bytes);
  return status;
}

static t5gist_status open_json(tg_tokenizer *t, t5gist_error *err) {
  tg_buffer bytes = {0};
  json_t *json = NULL;
  t5gist_status status;
  TG_GOTO(tg_json_read(t->path, JSON_LIMIT, &json, err));
  TG_GOTO(tg_tokenizer_json_model(json, t->path, &bytes, err));
  TG_GOTO(tg_tokenizer_json_added(json, t->path, &t->added, err));
  TG_GOTO(tg_spm_check(bytes.data, bytes.size, t->path, &t->model, err));
  TG_GOTO(tg_spm_open(bytes.data, bytes.size, t->model.n_pieces, t->path, &t->spm, err));
done:
  json_decref(json);
  tg_buffer_free(&bytes);
  return status;
}

static t5gist_status open_model(tg_tokenizer *t, const char *dir, bool *is_json, t5gist_error *err) {
  *is_json = false;
  TG_TRY(tg_path_join(&t->path, dir, "spiece.model", err));
  if (tg_file_exists(t->path)) return open_spiece(t, err);
  tg_free(t->path);
  t->path = NULL;
  *is_json = true;
  TG_TRY(tg_path_join(&t->path, dir, "tokenizer.json", err));
  if (tg_file_exists(t->path)) return open_json(t, err);
  return tg_fail(err, T5GIST_EIO, "%s: expected a tokenizer, spiece.model or tokenizer.json; found neither", dir);
}

/* A piece of the model ("<extra_id_3>", mT5: "▁<extra_id_3>"), else an added token, else, where the vocabulary has room for all of them, the rows
 * right after the pieces counting down. */
static int32_t extra_id(const tg_tokenizer *t, int n, const int32_t *in_model) {
  const int32_t pieces = (int32_t)t->model.n_pieces, added = tg_tokenizer_added(t, t->extra_names[n]);
  if (in_model[n] >= 0) return in_model[n];
  if (added >= pieces) return added;
  return t->vocab_size - pieces >= N_EXTRA ? pieces + N_EXTRA - 1 - n : -1;
}

/* N of "<extra_id_N>" at the start of text, N in canonical decimal below 100; *size its length. -1: no such token. */
static int extra_number(const char *text, size_t n, size_t *size) {
  static const char prefix[] = "<extra_id_";
  const size_t skip = sizeof prefix - 1;
  if (n < skip + 2 || memcmp(text, prefix, skip) != 0) return -1;
  const size_t digits = strspn(text + skip, "0123456789") > 1 ? 2 : 1;
  if (n < skip + digits + 1 || text[skip + digits] != '>') return -1;
  if (text[skip] < '0' || text[skip] > '9' || (digits == 2 && text[skip] == '0')) return -1;
  *size = skip + digits + 1;
  return digits == 1 ? text[skip] - '0' : (text[skip] - '0') * 10 + text[skip + 1] - '0';
}

static void find_extra(tg_tokenizer *t) {
  int32_t in_model[N_EXTRA];
  for (int i = 0; i < N_EXTRA; i++) in_model[i] = -1;
  for (size_t i = 0; i < t->model.n_pieces; i++) {
    const tg_piece *piece = &t->model.pieces[i];
    const size_t skip = strncmp(piece->text, SPACE "<", 4) == 0 ? 3 : 0;
    size_t size;
    const int n = extra_number(piece->text + skip, piece->size - skip, &size);
    if (n >= 0 && size == piece->size - skip && piece->type != TG_PIECE_UNKNOWN && piece->type != TG_PIECE_BYTE) in_model[n] = (int32_t)i;
  }
  for (int i = 0; i < N_EXTRA; i++) {
    snprintf(t->extra_names[i], sizeof t->extra_names[i], "<extra_id_%d>", i);
    t->extra[i] = extra_id(t, i, in_model);
  }
}

t5gist_status tg_tokenizer_open(const char *dir, int vocab_size, tg_tokenizer **out, t5gist_error *err) {
  tg_tokenizer *t;
  t5gist_status status;
  bool is_json;
  TG_TRY(tg_alloc(&t, 1, sizeof *t, err));
  t->vocab_size = vocab_size;
  TG_GOTO(open_model(t, dir, &is_json, err));
  if (t->model.n_pieces > (size_t)vocab_size) {
    status = tg_fail(err, T5GIST_EMISMATCH, "%s has %zu pieces, more than the vocab_size %d of the model", t->path, t->model.n_pieces, vocab_size);
    goto done;
  }
  TG_GOTO(read_added(t, dir, is_json, err));
  find_extra(t);
done:
  if (status == T5GIST_OK)
    *out = t;
  else
    tg_tokenizer_free(t);
  return status;
}

void tg_tokenizer_free(tg_tokenizer *t) {
  if (!t) return;
  tg_spm_close(t->spm);
  tg_spm_model_free(&t->model);
  tg_added_tokens_free(&t->added);
  tg_free(t->path);
  tg_free(t);
}

const char *tg_tokenizer_path(const tg_tokenizer *t) {
  return t->path;
}
int tg_tokenizer_pieces(const tg_tokenizer *t) {
  return (int)t->model.n_pieces;
}

t5gist_status tg_tokenizer_reserve(tg_tokenizer *t, const int32_t *ids, size_t n, t5gist_error *err) {
  for (size_t i = 0; i < n; i++) {
    bool extra = false;
    for (int j = 0; j < N_EXTRA; j++) {
      if (t->extra[j] != ids[i]) continue;
      t->extra[j] = -1;
      extra = true;
    }
    if (extra || ids[i] < 0 || (size_t)ids[i] >= t->model.n_pieces) continue;
    const tg_piece *piece = &t->model.pieces[ids[i]];
    if (piece->type == TG_PIECE_CONTROL || piece->type == TG_PIECE_UNUSED) continue;
    return tg_fail(err, T5GIST_EMISMATCH, "%s: expected token %d to be a special token that no text contains, found the ordinary piece \"%s\"",
                   t->path, ids[i], piece->text);
  }
  return T5GIST_OK;
}

/* ------------------------------------------------------------------------------------------------------------------------- encoding */

/* The next readable <extra_id_N> in text: its offset; or n, *size and *id untouched. */
static size_t find_extra_in_text(const tg_tokenizer *t, const char *text, size_t n, size_t *size, int32_t *id) {
  const char *at = text, *end = text + n;
  while ((at = memmem(at, (size_t)(end - at), "<extra_id_", 10))) {
    size_t found;
    const int number = extra_number(at, (size_t)(end - at), &found);
    if (number >= 0 && t->extra[number] >= 0) {
      *size = found;
      *id = t->extra[number];
      return (size_t)(at - text);
    }
    at++;
  }
  return n;
}

t5gist_status tg_tokenizer_encode(const tg_tokenizer *t, const char *text, size_t n, tg_ids *out, t5gist_error *err) {
  TG_TRY(tg_utf8_check(text, n, "the text", err));
  if (n > TEXT_LIMIT) return tg_fail(err, T5GIST_EUSAGE, "expected a text of at most %d bytes, found %zu", TEXT_LIMIT, n);
  while (n) {
    size_t size = 0;
    int32_t id = -1;
    const size_t stretch = find_extra_in_text(t, text, n, &size, &id);
    if (stretch) TG_TRY(tg_spm_encode(t->spm, text, stretch, out, err));
    if (id >= 0) TG_TRY(tg_ids_append(out, &id, 1, err));
    text += stretch + size;
    n -= stretch + size;
  }
  return T5GIST_OK;
}

/* ------------------------------------------------------------------------------------------------------------------------- decoding */

const char *tg_tokenizer_piece(const tg_tokenizer *t, int32_t id) {
  if (id < 0 || id >= t->vocab_size) return "<invalid>";
  if ((size_t)id < t->model.n_pieces) return t->model.pieces[id].text;
  for (int i = 0; i < N_EXTRA; i++) {
    if (t->extra[i] == id) return t->extra_names[i];
  }
  for (size_t i = 0; i < t->added.n; i++) {
    if (t->added.items[i].id == id) return t->added.items[i].content;
  }
  return "<GIST>";
}

static bool is_extra(const tg_tokenizer *t, int32_t id) {
  for (int i = 0; i < N_EXTRA; i++) {
    if (t->extra[i] == id) return true;
  }
  return false;
}

/* Bytes of the UTF-8 character that begins with this byte; 0: none does. */
static int character_size(unsigned char first) {
  if (first < 0x80) return 1;
  if (first < 0xc2 || first > 0xf4) return 0;
  return first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
}

static bool continues(const char *bytes, int n) {
  for (int i = 1; i < n; i++) {
    if (((unsigned char)bytes[i] & 0xc0) != 0x80) return false;
  }
  return true;
}

static t5gist_status append(tg_decoder_text *state, tg_buffer *text, const char *bytes, size_t n, t5gist_error *err) {
  if (n) state->started = true;
  return tg_buffer_append(text, bytes, n, err);
}

static void drop_waiting(tg_decoder_text *state, int n) {
  state->n_waiting -= n;
  memmove(state->waiting, state->waiting + n, (size_t)state->n_waiting);
}

/* Moves what is complete, or cannot become a character any more, from the waiting bytes to text. */
static t5gist_status settle_bytes(tg_decoder_text *state, tg_buffer *text, t5gist_error *err) {
  while (state->n_waiting) {
    const int size = character_size((unsigned char)state->waiting[0]);
    if (size > state->n_waiting && continues(state->waiting, state->n_waiting)) return T5GIST_OK;
    const bool whole = size && size <= state->n_waiting && state->waiting[0] && tg_utf8_valid(state->waiting, (size_t)size) == (size_t)size;
    TG_TRY(append(state, text, whole ? state->waiting : REPLACEMENT, whole ? (size_t)size : 3, err));
    drop_waiting(state, whole ? size : 1);
  }
  return T5GIST_OK;
}

t5gist_status tg_decoder_text_finish(tg_decoder_text *state, tg_buffer *text, t5gist_error *err) {
  for (; state->n_waiting; drop_waiting(state, 1)) TG_TRY(append(state, text, REPLACEMENT, 3, err));
  return T5GIST_OK;
}

/* A piece's text with U+2581 as spaces; the first piece of all loses its leading one. */
static t5gist_status append_piece(const tg_tokenizer *t, tg_decoder_text *state, const tg_piece *piece, tg_buffer *text, t5gist_error *err) {
  const char *at = piece->text, *end = at + piece->size;
  const bool strip = !state->started && (t->model.add_dummy_prefix || t->model.remove_extra_whitespaces);
  if (strip && strncmp(at, SPACE, 3) == 0) {
    at += 3;
    if (!t->model.remove_extra_whitespaces) state->started = true; /* only one space is the dummy prefix */
  }
  while (at < end) {
    const char *space = memmem(at, (size_t)(end - at), SPACE, 3);
    TG_TRY(append(state, text, at, (size_t)((space ? space : end) - at), err));
    if (!space) break;
    TG_TRY(append(state, text, " ", 1, err));
    at = space + 3;
  }
  return T5GIST_OK;
}

t5gist_status tg_decoder_text_push(const tg_tokenizer *t, tg_decoder_text *state, int32_t id, tg_buffer *text, t5gist_error *err) {
  if (id < 0 || (size_t)id >= t->model.n_pieces || is_extra(t, id)) return T5GIST_OK;
  const tg_piece *piece = &t->model.pieces[id];
  if (piece->type == TG_PIECE_CONTROL) return T5GIST_OK;
  if (piece->type == TG_PIECE_BYTE) {
    state->waiting[state->n_waiting++] = (char)piece->byte; /* settled below: never more than three remain */
    return settle_bytes(state, text, err);
  }
  TG_TRY(tg_decoder_text_finish(state, text, err));
  if (piece->type == TG_PIECE_UNKNOWN) return append(state, text, t->model.unk_surface, strlen(t->model.unk_surface), err);
  return append_piece(t, state, piece, text, err);
}

t5gist_status tg_tokenizer_decode(const tg_tokenizer *t, const int32_t *ids, size_t n, char **out, t5gist_error *err) {
  tg_decoder_text state = {0};
  tg_buffer text = {0};
  t5gist_status status;
  TG_GOTO(tg_buffer_append(&text, "", 0, err)); /* an empty answer is a text too */
  for (size_t i = 0; i < n; i++) TG_GOTO(tg_decoder_text_push(t, &state, ids[i], &text, err));
  TG_GOTO(tg_decoder_text_finish(&state, &text, err));
  *out = text.data;
  return T5GIST_OK;
done:
  tg_buffer_free(&text);
  return status;
}
