/* Rules: at most 1 M pieces of 1 to 1024 bytes of UTF-8 without NUL, finite scores, known types; user-defined pieces nested at most 32 deep; every
 * unit of the character map's trie that a text can reach, the root included, within the array, no cycle, at most 32 matches on a path, every match a
 * NUL-terminated string of the table. */
#include "t5/spm_check.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/error.h"
#include "runtime/memory.h"
#include "runtime/text.h"

enum { MAX_PIECES = 1 << 20, MAX_PIECE = 1024, MAX_NESTING = 32, MAX_CHARSMAP = 8 << 20, MAX_SURFACE = 64 };

/* ---------------------------------------------------------------------------------------------------------- protocol buffers wire format */

typedef struct wire {
  const unsigned char *begin, *p, *end; /* begin: of the whole file, for offsets in messages */
  const char *where;
} wire;

enum { WIRE_VARINT = 0, WIRE_64 = 1, WIRE_BYTES = 2, WIRE_32 = 5 };

typedef struct wire_field {
  uint32_t number;
  int type;
  uint64_t value;            /* WIRE_VARINT, WIRE_32, WIRE_64 */
  const unsigned char *data; /* WIRE_BYTES */
  size_t size;
} wire_field;

static t5gist_status wire_broken(const wire *w, const char *what, t5gist_error *err) {
  tg_fail(err, T5GIST_EFORMAT, "%s: expected a sentencepiece model, found %s at byte %zu", w->where, what, (size_t)(w->p - w->begin));
  return T5GIST_EFORMAT;
}

static bool wire_varint(wire *w, uint64_t *out) {
  uint64_t value = 0;
  for (unsigned shift = 0; shift < 64 && w->p < w->end; shift += 7) {
    const unsigned char byte = *w->p++;
    if (shift == 63 && byte > 1) return false;
    value |= (uint64_t)(byte & 0x7f) << shift;
    if (byte < 0x80) {
      *out = value;
      return true;
    }
  }
  return false;
}

static uint64_t wire_fixed(wire *w, unsigned n) {
  uint64_t value = 0;
  for (unsigned i = 0; i < n; i++) value |= (uint64_t)w->p[i] << (8 * i);
  w->p += n;
  return value;
}

/* Reads the next field; the caller has seen that p < end. */
static t5gist_status wire_next(wire *w, wire_field *f, t5gist_error *err) {
  uint64_t tag, size;
  if (!wire_varint(w, &tag) || tag > UINT32_MAX || tag >> 3 == 0) return wire_broken(w, "a broken field tag", err);
  f->number = (uint32_t)(tag >> 3);
  f->type = (int)(tag & 7);
  const size_t left = (size_t)(w->end - w->p);
  switch (f->type) {
    case WIRE_VARINT:
      if (!wire_varint(w, &f->value)) return wire_broken(w, "a broken integer", err);
      return T5GIST_OK;
    case WIRE_64:
    case WIRE_32:
      if (left < (f->type == WIRE_64 ? 8u : 4u)) return wire_broken(w, "the end inside a number", err);
      f->value = wire_fixed(w, f->type == WIRE_64 ? 8 : 4);
      return T5GIST_OK;
    case WIRE_BYTES:
      if (!wire_varint(w, &size)) return wire_broken(w, "a broken length", err);
      if (size > (size_t)(w->end - w->p)) return wire_broken(w, "a length beyond the end of the data", err);
      f->data = w->p;
      f->size = (size_t)size;
      w->p += f->size;
      return T5GIST_OK;
    default: return wire_broken(w, "an unknown wire type", err);
  }
}

static t5gist_status wire_expect(const wire *w, const wire_field *f, int type, const char *name, t5gist_error *err) {
  if (f->type == type) return T5GIST_OK;
  return tg_fail(err, T5GIST_EFORMAT, "%s: field %s: expected wire type %d, found %d at byte %zu", w->where, name, type, f->type,
                 (size_t)(w->p - w->begin));
}

static wire wire_inner(const wire *w, const wire_field *f) {
  return (wire){w->begin, f->data, f->data + f->size, w->where};
}

/* --------------------------------------------------------------------------------------------------------------------------- pieces */

/* Everything gathered while walking. */
typedef struct walk {
  tg_spm_model *model;
  size_t pieces_capacity;
  tg_buffer texts;
  size_t *offsets; /* [n_pieces] of each text */
  size_t offsets_capacity;
  bool has_trainer, has_normalizer, byte_fallback;
} walk;

typedef struct raw_piece {
  const unsigned char *text;
  size_t size;
  float score;
  uint64_t type;
} raw_piece;

static t5gist_status parse_piece(const wire *outer, const wire_field *message, raw_piece *piece, t5gist_error *err) {
  wire w = wire_inner(outer, message);
  *piece = (raw_piece){.type = TG_PIECE_NORMAL};
  while (w.p < w.end) {
    wire_field f;
    TG_TRY(wire_next(&w, &f, err));
    if (f.number == 1) {
      TG_TRY(wire_expect(&w, &f, WIRE_BYTES, "piece", err));
      piece->text = f.data;
      piece->size = f.size;
    } else if (f.number == 2) {
      TG_TRY(wire_expect(&w, &f, WIRE_32, "score", err));
      const uint32_t bits = (uint32_t)f.value;
      memcpy(&piece->score, &bits, sizeof bits);
    } else if (f.number == 3) {
      TG_TRY(wire_expect(&w, &f, WIRE_VARINT, "type", err));
      piece->type = f.value;
    }
  }
  return T5GIST_OK;
}

static t5gist_status check_piece(const raw_piece *piece, size_t i, const char *where, t5gist_error *err) {
  if (piece->size < 1 || piece->size > MAX_PIECE) {
    return tg_fail(err, T5GIST_EFORMAT, "%s: piece %zu: expected 1 to %d bytes, found %zu", where, i, MAX_PIECE, piece->size);
  }
  if (memchr(piece->text, 0, piece->size)) return tg_fail(err, T5GIST_EFORMAT, "%s: piece %zu: found a NUL byte in its text", where, i);
  if (tg_utf8_valid((const char *)piece->text, piece->size) != piece->size) {
    return tg_fail(err, T5GIST_EFORMAT, "%s: piece %zu: expected valid UTF-8", where, i);
  }
  if (!isfinite(piece->score))
    return tg_fail(err, T5GIST_EFORMAT, "%s: piece %zu: expected a finite score, found %g", where, i, (double)piece->score);
  if (piece->type < TG_PIECE_NORMAL || piece->type > TG_PIECE_BYTE) {
    return tg_fail(err, T5GIST_EFORMAT, "%s: piece %zu: expected a type from 1 to 6, found %llu", where, i, (unsigned long long)piece->type);
  }
  return T5GIST_OK;
}

static t5gist_status add_piece(walk *k, const wire *w, const wire_field *message, t5gist_error *err) {
  tg_spm_model *model = k->model;
  const size_t i = model->n_pieces;
  raw_piece piece;
  TG_TRY(parse_piece(w, message, &piece, err));
  TG_TRY(check_piece(&piece, i, w->where, err));
  if (i == MAX_PIECES) return tg_fail(err, T5GIST_EFORMAT, "%s: expected at most %d pieces, found more", w->where, MAX_PIECES);
  TG_TRY(tg_reserve(&model->pieces, &k->pieces_capacity, i + 1, sizeof *model->pieces, err));
  TG_TRY(tg_reserve(&k->offsets, &k->offsets_capacity, i + 1, sizeof *k->offsets, err));
  k->offsets[i] = k->texts.size;
  model->pieces[i] = (tg_piece){.size = (uint16_t)piece.size, .type = (uint8_t)piece.type};
  model->n_pieces++;
  TG_TRY(tg_buffer_append(&k->texts, piece.text, piece.size, err));
  return tg_buffer_append(&k->texts, "", 1, err);
}

/* ---------------------------------------------------------------------------------------------------------------------- specifications */

static t5gist_status set_surface(walk *k, const wire *w, const wire_field *f, t5gist_error *err) {
  if (f->size > MAX_SURFACE || memchr(f->data, 0, f->size) || tg_utf8_valid((const char *)f->data, f->size) != f->size) {
    return tg_fail(err, T5GIST_EFORMAT, "%s: unk_surface: expected at most %d bytes of UTF-8", w->where, MAX_SURFACE);
  }
  tg_free(k->model->unk_surface);
  k->model->unk_surface = NULL;
  return tg_strndup(&k->model->unk_surface, (const char *)f->data, f->size, err);
}

static t5gist_status read_trainer(walk *k, const wire *outer, const wire_field *message, t5gist_error *err) {
  wire w = wire_inner(outer, message);
  if (k->has_trainer) return tg_fail(err, T5GIST_EFORMAT, "%s: expected one trainer_spec, found two", w.where);
  k->has_trainer = true;
  while (w.p < w.end) {
    wire_field f;
    TG_TRY(wire_next(&w, &f, err));
    if (f.number == 3) {
      TG_TRY(wire_expect(&w, &f, WIRE_VARINT, "model_type", err));
      if (f.value != 1) {
        return tg_fail(err, T5GIST_EUNSUPPORTED, "%s: model_type: expected a Unigram model (1), found %llu", w.where, (unsigned long long)f.value);
      }
    } else if (f.number == 24) {
      TG_TRY(wire_expect(&w, &f, WIRE_VARINT, "treat_whitespace_as_suffix", err));
      if (f.value) return tg_fail(err, T5GIST_EUNSUPPORTED, "%s: treat_whitespace_as_suffix is set, which is not supported", w.where);
    } else if (f.number == 35) {
      TG_TRY(wire_expect(&w, &f, WIRE_VARINT, "byte_fallback", err));
      k->byte_fallback = f.value != 0;
    } else if (f.number == 44) {
      TG_TRY(wire_expect(&w, &f, WIRE_BYTES, "unk_surface", err));
      TG_TRY(set_surface(k, &w, &f, err));
    }
  }
  return T5GIST_OK;
}

static t5gist_status read_normalizer(walk *k, const wire *outer, const wire_field *message, t5gist_error *err) {
  wire w = wire_inner(outer, message);
  if (k->has_normalizer) return tg_fail(err, T5GIST_EFORMAT, "%s: expected one normalizer_spec, found two", w.where);
  k->has_normalizer = true;
  while (w.p < w.end) {
    wire_field f;
    TG_TRY(wire_next(&w, &f, err));
    if (f.number == 2) {
      TG_TRY(wire_expect(&w, &f, WIRE_BYTES, "precompiled_charsmap", err));
      if (f.size) TG_TRY(tg_spm_check_charsmap(f.data, f.size, w.where, err)); /* empty: the identity */
    } else if (f.number == 3) {
      TG_TRY(wire_expect(&w, &f, WIRE_VARINT, "add_dummy_prefix", err));
      k->model->add_dummy_prefix = f.value != 0;
    } else if (f.number == 4) {
      TG_TRY(wire_expect(&w, &f, WIRE_VARINT, "remove_extra_whitespaces", err));
      k->model->remove_extra_whitespaces = f.value != 0;
    }
  }
  return T5GIST_OK;
}

static t5gist_status read_denormalizer(const wire *outer, const wire_field *message, t5gist_error *err) {
  wire w = wire_inner(outer, message);
  while (w.p < w.end) {
    wire_field f;
    TG_TRY(wire_next(&w, &f, err));
    if (f.number == 2 && f.size) return tg_fail(err, T5GIST_EUNSUPPORTED, "%s: the model has a denormalizer, which is not supported", w.where);
  }
  return T5GIST_OK;
}

static t5gist_status read_model(walk *k, wire *w, t5gist_error *err) {
  while (w->p < w->end) {
    wire_field f;
    TG_TRY(wire_next(w, &f, err));
    if (f.number == 1) {
      TG_TRY(wire_expect(w, &f, WIRE_BYTES, "pieces", err));
      TG_TRY(add_piece(k, w, &f, err));
    } else if (f.number == 2) {
      TG_TRY(wire_expect(w, &f, WIRE_BYTES, "trainer_spec", err));
      TG_TRY(read_trainer(k, w, &f, err));
    } else if (f.number == 3) {
      TG_TRY(wire_expect(w, &f, WIRE_BYTES, "normalizer_spec", err));
      TG_TRY(read_normalizer(k, w, &f, err));
    } else if (f.number == 5) {
      TG_TRY(wire_expect(w, &f, WIRE_BYTES, "denormalizer_spec", err));
      TG_TRY(read_denormalizer(w, &f, err));
    } else if (f.number == 4) {
      return tg_fail(err, T5GIST_EUNSUPPORTED, "%s: the model carries self-test data, which is not supported",
                     w->where); /* the library would run it */
    }
  }
  return T5GIST_OK;
}

/* ---------------------------------------------------------------------------------------------------------------- the model as a whole */

/* "<0xNN>" with upper-case digits. */
static bool byte_value(const tg_piece *piece, uint8_t *value) {
  char expected[8];
  unsigned found;
  if (piece->size != 6 || sscanf(piece->text, "<0x%2x>", &found) != 1) return false;
  snprintf(expected, sizeof expected, "<0x%02X>", found & 0xffu);
  *value = (uint8_t)found;
  return memcmp(expected, piece->text, 6) == 0;
}

static t5gist_status check_types(walk *k, const char *where, t5gist_error *err) {
  tg_spm_model *model = k->model;
  size_t n_unknown = 0, n_bytes = 0;
  bool seen[256] = {false};
  for (size_t i = 0; i < model->n_pieces; i++) {
    tg_piece *piece = &model->pieces[i];
    if (piece->type == TG_PIECE_UNKNOWN) n_unknown++;
    if (piece->type != TG_PIECE_BYTE) continue;
    if (!byte_value(piece, &piece->byte)) return tg_fail(err, T5GIST_EFORMAT, "%s: piece %zu: expected a byte piece <0x00> to <0xFF>", where, i);
    if (!seen[piece->byte]) n_bytes++;
    seen[piece->byte] = true;
  }
  if (n_unknown != 1) return tg_fail(err, T5GIST_EFORMAT, "%s: expected one piece of type unknown, found %zu", where, n_unknown);
  if (n_bytes != (k->byte_fallback ? 256u : 0u)) {
    return tg_fail(err, T5GIST_EFORMAT, "%s: byte_fallback is %s: expected %d byte pieces, found %zu", where, k->byte_fallback ? "on" : "off",
                   k->byte_fallback ? 256 : 0, n_bytes);
  }
  return T5GIST_OK;
}

static int by_text(const void *a, const void *b) {
  return strcmp((*(const tg_piece *const *)a)->text, (*(const tg_piece *const *)b)->text);
}

/* In sorted order the prefixes of a piece are on the stack of those before it. */
static bool nesting_within_limit(const tg_piece **sorted, size_t n) {
  const tg_piece *stack[MAX_NESTING];
  size_t depth = 0;
  for (size_t i = 0; i < n; i++) {
    while (depth && strncmp(stack[depth - 1]->text, sorted[i]->text, stack[depth - 1]->size) != 0) depth--;
    if (depth == MAX_NESTING) return false;
    stack[depth++] = sorted[i];
  }
  return true;
}

static t5gist_status check_user_defined(const tg_spm_model *model, const char *where, t5gist_error *err) {
  const tg_piece **sorted = NULL;
  size_t n = 0;
  for (size_t i = 0; i < model->n_pieces; i++) n += model->pieces[i].type == TG_PIECE_USER_DEFINED;
  TG_TRY(tg_alloc(&sorted, n, sizeof *sorted, err));
  n = 0;
  for (size_t i = 0; i < model->n_pieces; i++) {
    if (model->pieces[i].type == TG_PIECE_USER_DEFINED) sorted[n++] = &model->pieces[i];
  }
  qsort(sorted, n, sizeof *sorted, by_text);
  const bool good = nesting_within_limit(sorted, n);
  tg_free(sorted);
  if (good) return T5GIST_OK;
  return tg_fail(err, T5GIST_EFORMAT, "%s: expected user-defined pieces that contain each other at most %d deep, found more", where, MAX_NESTING);
}

t5gist_status tg_spm_check(const void *data, size_t size, const char *where, tg_spm_model *model, t5gist_error *err) {
  walk k = {.model = model};
  wire w = {data, data, (const unsigned char *)data + size, where};
  t5gist_status status;
  *model = (tg_spm_model){.add_dummy_prefix = true, .remove_extra_whitespaces = true};
  TG_GOTO(read_model(&k, &w, err));
  model->texts = k.texts.data;
  k.texts = (tg_buffer){0};
  for (size_t i = 0; i < model->n_pieces; i++) model->pieces[i].text = model->texts + k.offsets[i];
  if (!model->unk_surface) TG_GOTO(tg_strdup(&model->unk_surface, " \xe2\x81\x87 ", err));
  TG_GOTO(check_types(&k, where, err));
  TG_GOTO(check_user_defined(model, where, err));
done:
  tg_buffer_free(&k.texts);
  tg_free(k.offsets);
  if (status != T5GIST_OK) tg_spm_model_free(model);
  return status;
}

void tg_spm_model_free(tg_spm_model *model) {
  tg_free(model->pieces);
  tg_free(model->texts);
  tg_free(model->unk_surface);
  memset(model, 0, sizeof *model);
}

/* --------------------------------------------------------------------------------------------------------------------- character map */

/* The trie is a darts-clone double array. A text walks it from the base of unit 0: byte c leads from base b to unit b ^ c if that unit's label is c,
 * and from there to the base (b ^ c) ^ offset. A unit with a leaf has its value at that base. */
typedef struct trie {
  const unsigned char *units; /* [n] u32, little endian, any alignment */
  size_t n;
  const char *table; /* [table_size] NUL-terminated strings */
  size_t table_size;
  uint8_t *state, *matches; /* [n] by base: 0 new, 1 open, 2 done; most matches on any path from there */
  const char *where;
} trie;

typedef struct trie_frame {
  uint32_t base;
  uint16_t next; /* label to try next */
  uint8_t leaf;  /* whether the unit that led here has a leaf */
} trie_frame;

static uint32_t trie_unit(const trie *t, size_t i) {
  const unsigned char *p = t->units + 4 * i;
  return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static size_t trie_base(uint32_t unit, size_t at) {
  return at ^ (size_t)((unit >> 10) << ((unit & (1u << 9)) >> 6));
}

static t5gist_status trie_broken(const trie *t, size_t at, const char *what, t5gist_error *err) {
  tg_fail(err, T5GIST_EFORMAT, "%s: precompiled_charsmap: unit %zu of %zu %s", t->where, at, t->n, what);
  return T5GIST_EFORMAT;
}

/* The base that unit `at` leads to, all of its 256 successors inside the array, and its leaf's value inside the table. */
static t5gist_status trie_follow(const trie *t, size_t at, trie_frame *frame, t5gist_error *err) {
  const uint32_t unit = trie_unit(t, at);
  const size_t base = trie_base(unit, at);
  if ((base | 0xff) >= t->n) return trie_broken(t, at, "leads outside the trie", err);
  *frame = (trie_frame){.base = (uint32_t)base, .leaf = at > 0 && (unit >> 8 & 1)};
  if (!frame->leaf) return T5GIST_OK;
  const size_t value = trie_unit(t, base) & 0x7fffffff;
  if (value >= t->table_size) return trie_broken(t, at, "has its replacement outside the table", err);
  if (((unsigned char)t->table[value] & 0xc0) == 0x80) return trie_broken(t, at, "has its replacement begin inside a character", err);
  return T5GIST_OK;
}

/* Moves to the next child of the frame on top; false when there is none. */
static bool trie_next_child(const trie *t, trie_frame *frame, size_t *child) {
  while (frame->next < 256) {
    const uint32_t label = frame->next++;
    *child = frame->base ^ label;
    if ((trie_unit(t, *child) & 0x800000ff) == label) return true;
  }
  return false;
}

static void trie_count(trie *t, const trie_frame *done, const trie_frame *parent) {
  const unsigned matches = t->matches[done->base] + done->leaf;
  if (parent && matches > t->matches[parent->base]) t->matches[parent->base] = (uint8_t)matches;
}

/* Depth first from the root, each base once; stack: [n] */
static t5gist_status trie_walk(trie *t, trie_frame *stack, t5gist_error *err) {
  size_t depth = 1, child;
  TG_TRY(trie_follow(t, 0, &stack[0], err));
  t->state[stack[0].base] = 1;
  while (depth) {
    trie_frame *top = &stack[depth - 1], next;
    if (!trie_next_child(t, top, &child)) {
      t->state[top->base] = 2;
      trie_count(t, top, depth > 1 ? top - 1 : NULL);
      depth--;
      continue;
    }
    TG_TRY(trie_follow(t, child, &next, err));
    if (t->state[next.base] == 1) return trie_broken(t, child, "leads back to where it came from", err);
    if (t->state[next.base] == 2) {
      trie_count(t, &next, top);
    } else {
      t->state[next.base] = 1;
      stack[depth++] = next; /* every open base is another one: at most n */
    }
    if (t->matches[top->base] > MAX_NESTING) return trie_broken(t, child, "is on a path of more than 32 matches", err);
  }
  return t->matches[stack[0].base] > MAX_NESTING ? trie_broken(t, 0, "begins a path of more than 32 matches", err) : T5GIST_OK;
}

t5gist_status tg_spm_check_charsmap(const void *data, size_t size, const char *where, t5gist_error *err) {
  const unsigned char *bytes = data;
  if (size < 4 + 1024 + 1 || size > MAX_CHARSMAP) {
    return tg_fail(err, T5GIST_EFORMAT, "%s: precompiled_charsmap: expected %d to %d bytes, found %zu", where, 4 + 1024 + 1, MAX_CHARSMAP, size);
  }
  const size_t trie_size = (size_t)bytes[0] | (size_t)bytes[1] << 8 | (size_t)bytes[2] << 16 | (size_t)bytes[3] << 24;
  if (trie_size % 1024 || trie_size < 1024 || trie_size > size - 5) {
    return tg_fail(err, T5GIST_EFORMAT, "%s: precompiled_charsmap: expected a trie of a multiple of 1024 bytes within %zu, found %zu", where,
                   size - 5, trie_size);
  }
  trie t = {.units = bytes + 4, .n = trie_size / 4, .table = (const char *)bytes + 4 + trie_size, .table_size = size - 4 - trie_size, .where = where};
  if (t.table[t.table_size - 1] != 0 || tg_utf8_valid(t.table, t.table_size) != t.table_size) {
    return tg_fail(err, T5GIST_EFORMAT, "%s: precompiled_charsmap: expected replacements in UTF-8 that end with NUL", where);
  }
  trie_frame *stack = NULL;
  t5gist_status status;
  TG_GOTO(tg_alloc(&t.state, t.n, 1, err));
  TG_GOTO(tg_alloc(&t.matches, t.n, 1, err));
  TG_GOTO(tg_alloc(&stack, t.n, sizeof *stack, err));
  TG_GOTO(trie_walk(&t, stack, err));
done:
  tg_free(t.state);
  tg_free(t.matches);
  tg_free(stack);
  return status;
}
