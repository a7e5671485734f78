#include "t5/pickle.h"

#include <string.h>

#include "runtime/error.h"
#include "runtime/memory.h"
#include "runtime/text.h"

enum { MAX_BYTES = 16 << 20, MAX_OPCODES = 4 << 20, MAX_STACK = 64 << 10, MAX_MARKS = 64, MAX_NODES = 1 << 18, MAX_STRING = 512, MAX_TUPLE = 16 };

/* The allowed globals, compared as exact strings. */
enum { GLOBAL_ORDERED_DICT = 0, GLOBAL_REBUILD_TENSOR, GLOBAL_REBUILD_PARAMETER, GLOBAL_FIRST_STORAGE };
static const struct {
  const char *name; /* as in the pickle: module, newline, name, newline */
  tg_dtype dtype;   /* of storages */
} globals[] = {
    {"collections\nOrderedDict\n", TG_N_DTYPES},
    {"torch._utils\n_rebuild_tensor_v2\n", TG_N_DTYPES},
    {"torch._utils\n_rebuild_parameter\n", TG_N_DTYPES},
    {"torch\nFloatStorage\n", TG_F32},
    {"torch\nHalfStorage\n", TG_F16},
    {"torch\nBFloat16Storage\n", TG_BF16},
    {"torch\nDoubleStorage\n", TG_F64},
    {"torch\nLongStorage\n", TG_I64},
    {"torch\nIntStorage\n", TG_I32},
};

typedef struct machine {
  const unsigned char *begin, *p, *end, *opcode; /* opcode: the one at work, for messages */
  const char *where;
  tg_pickle *out;
  uint32_t *stack, *memo; /* nodes */
  size_t n_stack, stack_capacity, n_memo, memo_capacity;
  size_t marks[MAX_MARKS]; /* stack heights */
  int n_marks;
} machine;

static t5gist_status bad(const machine *m, const char *what, t5gist_error *err) {
  tg_fail(err, T5GIST_EFORMAT, "%s: data.pkl: expected a state dict, found %s (opcode 0x%02x at byte %zu)", m->where, what, *m->opcode,
          (size_t)(m->opcode - m->begin));
  return T5GIST_EFORMAT;
}

/* ----------------------------------------------------------------------------------------------------------------- nodes and stack */

static tg_pickle_node *node(const machine *m, uint32_t id) {
  return &m->out->nodes[id];
}

static t5gist_status push(machine *m, uint32_t id, t5gist_error *err) {
  if (m->n_stack == MAX_STACK) return bad(m, "more than 65536 values on the stack", err);
  TG_TRY(tg_reserve(&m->stack, &m->stack_capacity, m->n_stack + 1, sizeof *m->stack, err));
  m->stack[m->n_stack++] = id;
  return T5GIST_OK;
}

static t5gist_status push_node(machine *m, tg_pickle_node value, t5gist_error *err) {
  tg_pickle *out = m->out;
  if (out->n_nodes == MAX_NODES) return bad(m, "more than 262144 values", err);
  TG_TRY(tg_reserve(&out->nodes, &out->nodes_capacity, out->n_nodes + 1, sizeof *out->nodes, err));
  out->nodes[out->n_nodes] = value;
  return push(m, (uint32_t)out->n_nodes++, err);
}

/* Takes the topmost value, which must lie above the last mark. */
static t5gist_status pop(machine *m, uint32_t *id, t5gist_error *err) {
  const size_t floor = m->n_marks ? m->marks[m->n_marks - 1] : 0;
  if (m->n_stack <= floor) return bad(m, "an empty stack", err);
  *id = m->stack[--m->n_stack];
  return T5GIST_OK;
}

static t5gist_status top(const machine *m, uint32_t *id, t5gist_error *err) {
  const size_t floor = m->n_marks ? m->marks[m->n_marks - 1] : 0;
  if (m->n_stack <= floor) return bad(m, "an empty stack", err);
  *id = m->stack[m->n_stack - 1];
  return T5GIST_OK;
}

static t5gist_status pop_kind(machine *m, tg_pickle_kind kind, const char *expected, uint32_t *id, t5gist_error *err) {
  TG_TRY(pop(m, id, err));
  return node(m, *id)->kind == kind ? T5GIST_OK : bad(m, expected, err);
}

/* Where the values above the last mark begin; takes the mark away. */
static t5gist_status pop_mark(machine *m, size_t *begin, t5gist_error *err) {
  if (!m->n_marks) return bad(m, "no mark", err);
  *begin = m->marks[--m->n_marks];
  return T5GIST_OK;
}

static uint32_t item(const machine *m, const tg_pickle_node *tuple, uint32_t i) {
  return m->out->items[tuple->first + i];
}
static tg_pickle_kind item_kind(const machine *m, const tg_pickle_node *tuple, uint32_t i) {
  return node(m, item(m, tuple, i))->kind;
}

/* --------------------------------------------------------------------------------------------------------------------------- values */

static t5gist_status take(machine *m, size_t n, const unsigned char **bytes, t5gist_error *err) {
  if ((size_t)(m->end - m->p) < n) return bad(m, "the end of the pickle", err);
  *bytes = m->p;
  m->p += n;
  return T5GIST_OK;
}

static uint64_t little_endian(const unsigned char *p, size_t n) {
  uint64_t value = 0;
  for (size_t i = 0; i < n; i++) value |= (uint64_t)p[i] << (8 * i);
  return value;
}

static t5gist_status push_unsigned(machine *m, size_t n, t5gist_error *err) {
  const unsigned char *p;
  TG_TRY(take(m, n, &p, err));
  return push_node(m, (tg_pickle_node){.kind = TG_PICKLE_INT, .integer = (int64_t)little_endian(p, n)}, err);
}

/* n bytes of two's complement; none: 0. */
static t5gist_status push_signed(machine *m, size_t n, t5gist_error *err) {
  const unsigned char *p;
  TG_TRY(take(m, n, &p, err));
  uint64_t value = little_endian(p, n);
  if (n && n < 8 && p[n - 1] & 0x80) value |= UINT64_MAX << (8 * n);
  int64_t integer;
  memcpy(&integer, &value, sizeof integer);
  return push_node(m, (tg_pickle_node){.kind = TG_PICKLE_INT, .integer = integer}, err);
}

static t5gist_status push_long1(machine *m, t5gist_error *err) {
  const unsigned char *n;
  TG_TRY(take(m, 1, &n, err));
  return *n > 8 ? bad(m, "an integer of more than 8 bytes", err) : push_signed(m, *n, err);
}

static t5gist_status push_string(machine *m, t5gist_error *err) {
  const unsigned char *p;
  TG_TRY(take(m, 4, &p, err));
  const size_t n = (size_t)little_endian(p, 4);
  if (n > MAX_STRING) return bad(m, "a string of more than 512 bytes", err);
  TG_TRY(take(m, n, &p, err));
  if (memchr(p, 0, n) || tg_utf8_valid((const char *)p, n) != n) return bad(m, "a string with a NUL byte or invalid UTF-8", err);
  return push_node(m, (tg_pickle_node){.kind = TG_PICKLE_STRING, .text = (const char *)p, .size = (uint32_t)n}, err);
}

static t5gist_status push_global(machine *m, t5gist_error *err) {
  const size_t left = (size_t)(m->end - m->p);
  for (size_t i = 0; i < sizeof globals / sizeof *globals; i++) {
    const size_t n = strlen(globals[i].name);
    if (left < n || memcmp(m->p, globals[i].name, n) != 0) continue;
    m->p += n;
    return push_node(m, (tg_pickle_node){.kind = TG_PICKLE_GLOBAL, .integer = (int64_t)i}, err);
  }
  const unsigned char *first = memchr(m->p, '\n', left), *second = first ? memchr(first + 1, '\n', (size_t)(m->end - first - 1)) : NULL;
  if (!second) return bad(m, "an unfinished global", err);
  return tg_fail(err, T5GIST_EUNSUPPORTED, "%s: data.pkl: the global %.*s.%.*s at byte %zu is not allowed: only dicts and tensors are", m->where,
                 (int)(first - m->p < 64 ? first - m->p : 64), (const char *)m->p, (int)(second - first - 1 < 64 ? second - first - 1 : 64),
                 (const char *)first + 1, (size_t)(m->opcode - m->begin));
}

/* The n topmost values as a tuple. */
static t5gist_status push_tuple(machine *m, size_t n, t5gist_error *err) {
  tg_pickle *out = m->out;
  const size_t floor = m->n_marks ? m->marks[m->n_marks - 1] : 0;
  if (n > m->n_stack - floor) return bad(m, "too few values for a tuple", err);
  if (n > MAX_TUPLE) return bad(m, "a tuple of more than 16 values", err);
  TG_TRY(tg_reserve(&out->items, &out->items_capacity, out->n_items + n, sizeof *out->items, err));
  m->n_stack -= n;
  for (size_t i = 0; i < n; i++) out->items[out->n_items + i] = m->stack[m->n_stack + i];
  const tg_pickle_node tuple = {.kind = TG_PICKLE_TUPLE, .first = (uint32_t)out->n_items, .size = (uint32_t)n};
  out->n_items += n;
  return push_node(m, tuple, err);
}

static t5gist_status push_marked_tuple(machine *m, t5gist_error *err) {
  size_t begin;
  TG_TRY(pop_mark(m, &begin, err));
  return push_tuple(m, m->n_stack - begin, err);
}

/* ------------------------------------------------------------------------------------------------------------------------------ memo */

/* Numbers come in order, each once, as Python's pickler writes them. */
static t5gist_status put_memo(machine *m, size_t index_size, t5gist_error *err) {
  const unsigned char *p;
  uint32_t id;
  TG_TRY(take(m, index_size, &p, err));
  if (little_endian(p, index_size) != m->n_memo) return bad(m, "a memo out of order", err);
  TG_TRY(top(m, &id, err));
  if (m->n_memo == MAX_NODES) return bad(m, "more than 262144 memo entries", err);
  TG_TRY(tg_reserve(&m->memo, &m->memo_capacity, m->n_memo + 1, sizeof *m->memo, err));
  m->memo[m->n_memo++] = id;
  return T5GIST_OK;
}

static t5gist_status get_memo(machine *m, size_t index_size, t5gist_error *err) {
  const unsigned char *p;
  TG_TRY(take(m, index_size, &p, err));
  const uint64_t index = little_endian(p, index_size);
  return index < m->n_memo ? push(m, m->memo[index], err) : bad(m, "a memo entry that does not exist", err);
}

/* ----------------------------------------------------------------------------------------------------------------------------- dicts */

static t5gist_status add_entry(machine *m, uint32_t dict, uint32_t key, uint32_t value, t5gist_error *err) {
  tg_pickle *out = m->out;
  if (node(m, dict)->kind != TG_PICKLE_DICT) return bad(m, "an item set on something that is not a dict", err);
  if (node(m, key)->kind != TG_PICKLE_STRING) return bad(m, "a key that is not a string", err);
  if (out->n_entries == MAX_NODES) return bad(m, "more than 262144 dict entries", err);
  TG_TRY(tg_reserve(&out->entries, &out->entries_capacity, out->n_entries + 1, sizeof *out->entries, err));
  out->entries[out->n_entries++] = (tg_pickle_entry){.key = key, .value = value};
  tg_pickle_node *d = node(m, dict);
  const uint32_t index = (uint32_t)out->n_entries;
  if (d->last)
    out->entries[d->last - 1].next = index;
  else
    d->first = index;
  d->last = index;
  d->size++;
  return T5GIST_OK;
}

static t5gist_status set_item(machine *m, t5gist_error *err) {
  uint32_t dict, key, value;
  TG_TRY(pop(m, &value, err));
  TG_TRY(pop(m, &key, err));
  TG_TRY(top(m, &dict, err));
  return add_entry(m, dict, key, value, err);
}

static t5gist_status set_items(machine *m, t5gist_error *err) {
  size_t begin;
  uint32_t dict;
  TG_TRY(pop_mark(m, &begin, err));
  if ((m->n_stack - begin) % 2) return bad(m, "a key without a value", err);
  const size_t end = m->n_stack;
  m->n_stack = begin;
  TG_TRY(top(m, &dict, err));
  for (size_t i = begin; i < end; i += 2) TG_TRY(add_entry(m, dict, m->stack[i], m->stack[i + 1], err));
  return T5GIST_OK;
}

/* The state of an OrderedDict is its _metadata: dropped. */
static t5gist_status build(machine *m, t5gist_error *err) {
  uint32_t state, object;
  TG_TRY(pop_kind(m, TG_PICKLE_DICT, "a state that is not a dict", &state, err));
  TG_TRY(top(m, &object, err));
  return node(m, object)->kind == TG_PICKLE_DICT ? T5GIST_OK : bad(m, "a state for something that is not a dict", err);
}

/* --------------------------------------------------------------------------------------------------------------------------- tensors */

/* ("storage", class, key, location, elements) */
static t5gist_status push_storage(machine *m, t5gist_error *err) {
  uint32_t id;
  TG_TRY(pop_kind(m, TG_PICKLE_TUPLE, "a persistent id that is not a tuple", &id, err));
  const tg_pickle_node *t = node(m, id);
  if (t->size != 5 || item_kind(m, t, 0) != TG_PICKLE_STRING || item_kind(m, t, 1) != TG_PICKLE_GLOBAL || item_kind(m, t, 2) != TG_PICKLE_STRING ||
      item_kind(m, t, 3) != TG_PICKLE_STRING || item_kind(m, t, 4) != TG_PICKLE_INT) {
    return bad(m, "a persistent id that is not a storage", err);
  }
  const tg_pickle_node *tag = node(m, item(m, t, 0)), *class = node(m, item(m, t, 1));
  if (tag->size != 7 || memcmp(tag->text, "storage", 7) != 0 || class->integer < GLOBAL_FIRST_STORAGE)
    return bad(m, "a persistent id that is not a storage", err);
  const tg_pickle_node storage = {
      .kind = TG_PICKLE_STORAGE, .dtype = globals[class->integer].dtype, .a = item(m, t, 2), .integer = node(m, item(m, t, 4))->integer};
  return push_node(m, storage, err);
}

/* _rebuild_tensor_v2(storage, offset, shape, strides, requires_grad, backward_hooks[, metadata]) */
static t5gist_status rebuild_tensor(machine *m, const tg_pickle_node *t, t5gist_error *err) {
  const bool good = (t->size == 6 || t->size == 7) && item_kind(m, t, 0) == TG_PICKLE_STORAGE && item_kind(m, t, 1) == TG_PICKLE_INT &&
                    item_kind(m, t, 2) == TG_PICKLE_TUPLE && item_kind(m, t, 3) == TG_PICKLE_TUPLE && item_kind(m, t, 4) == TG_PICKLE_BOOL;
  if (!good) return bad(m, "other arguments than _rebuild_tensor_v2 takes", err);
  for (uint32_t i = 5; i < t->size; i++) {
    const tg_pickle_node *hooks = node(m, item(m, t, i));
    if (hooks->kind != TG_PICKLE_NONE && (hooks->kind != TG_PICKLE_DICT || hooks->size)) return bad(m, "a tensor with hooks or metadata", err);
  }
  const tg_pickle_node tensor = {
      .kind = TG_PICKLE_TENSOR, .a = item(m, t, 0), .integer = node(m, item(m, t, 1))->integer, .b = item(m, t, 2), .c = item(m, t, 3)};
  return push_node(m, tensor, err);
}

/* _rebuild_parameter(tensor, requires_grad, backward_hooks) */
static t5gist_status rebuild_parameter(machine *m, const tg_pickle_node *t, t5gist_error *err) {
  if (t->size != 3 || item_kind(m, t, 0) != TG_PICKLE_TENSOR || item_kind(m, t, 1) != TG_PICKLE_BOOL) {
    return bad(m, "other arguments than _rebuild_parameter takes", err);
  }
  return push(m, item(m, t, 0), err);
}

static t5gist_status reduce(machine *m, t5gist_error *err) {
  uint32_t arguments, callable;
  TG_TRY(pop_kind(m, TG_PICKLE_TUPLE, "arguments that are not a tuple", &arguments, err));
  TG_TRY(pop_kind(m, TG_PICKLE_GLOBAL, "a call of something that is not a global", &callable, err));
  const tg_pickle_node *t = node(m, arguments);
  switch (node(m, callable)->integer) {
    case GLOBAL_ORDERED_DICT:
      if (t->size) return bad(m, "an OrderedDict with arguments", err);
      return push_node(m, (tg_pickle_node){.kind = TG_PICKLE_DICT}, err);
    case GLOBAL_REBUILD_TENSOR: return rebuild_tensor(m, t, err);
    case GLOBAL_REBUILD_PARAMETER: return rebuild_parameter(m, t, err);
    default: return bad(m, "a call of a storage class", err);
  }
}

/* --------------------------------------------------------------------------------------------------------------------------- machine */

static t5gist_status push_mark(machine *m, t5gist_error *err) {
  if (m->n_marks == MAX_MARKS) return bad(m, "more than 64 marks", err);
  m->marks[m->n_marks++] = m->n_stack;
  return T5GIST_OK;
}

static t5gist_status step(machine *m, t5gist_error *err) {
  switch (*m->opcode) {
    case 'c': return push_global(m, err);
    case '}': return push_node(m, (tg_pickle_node){.kind = TG_PICKLE_DICT}, err);
    case ')': return push_tuple(m, 0, err);
    case '(': return push_mark(m, err);
    case 't': return push_marked_tuple(m, err);
    case 0x85: return push_tuple(m, 1, err);
    case 0x86: return push_tuple(m, 2, err);
    case 0x87: return push_tuple(m, 3, err);
    case 'X': return push_string(m, err);
    case 'J': return push_signed(m, 4, err);
    case 'K': return push_unsigned(m, 1, err);
    case 'M': return push_unsigned(m, 2, err);
    case 0x8a: return push_long1(m, err);
    case 0x88: return push_node(m, (tg_pickle_node){.kind = TG_PICKLE_BOOL, .integer = 1}, err);
    case 0x89: return push_node(m, (tg_pickle_node){.kind = TG_PICKLE_BOOL}, err);
    case 'N': return push_node(m, (tg_pickle_node){.kind = TG_PICKLE_NONE}, err);
    case 'q': return put_memo(m, 1, err);
    case 'r': return put_memo(m, 4, err);
    case 'h': return get_memo(m, 1, err);
    case 'j': return get_memo(m, 4, err);
    case 'Q': return push_storage(m, err);
    case 'R': return reduce(m, err);
    case 's': return set_item(m, err);
    case 'u': return set_items(m, err);
    case 'b': return build(m, err);
    default: return bad(m, "an opcode that is not allowed", err);
  }
}

static t5gist_status finish(machine *m, t5gist_error *err) {
  if (m->p != m->end) return bad(m, "bytes after the end", err);
  if (m->n_marks || m->n_stack != 1) return bad(m, "an end with other than one value", err);
  m->out->root = m->stack[0];
  return node(m, m->out->root)->kind == TG_PICKLE_DICT ? T5GIST_OK : bad(m, "something that is not a dict", err);
}

static t5gist_status run(machine *m, t5gist_error *err) {
  if (m->end - m->begin < 2 || m->begin[0] != 0x80 || m->begin[1] != 2) {
    return tg_fail(err, T5GIST_EFORMAT, "%s: data.pkl: expected a pickle of protocol 2", m->where);
  }
  m->p += 2;
  for (int i = 0; i < MAX_OPCODES; i++) {
    m->opcode = m->p;
    if (m->p == m->end)
      return tg_fail(err, T5GIST_EFORMAT, "%s: data.pkl: expected a pickle that ends with STOP, found its end at byte %zu", m->where,
                     (size_t)(m->end - m->begin));
    m->p++;
    if (*m->opcode == '.') return finish(m, err);
    TG_TRY(step(m, err));
  }
  return bad(m, "more than 4194304 opcodes", err);
}

t5gist_status tg_pickle_read(const void *data, size_t size, const char *where, tg_pickle *pickle, t5gist_error *err) {
  machine m = {.begin = data, .p = data, .end = (const unsigned char *)data + size, .where = where, .out = pickle};
  memset(pickle, 0, sizeof *pickle);
  if (size > MAX_BYTES) return tg_fail(err, T5GIST_EFORMAT, "%s: data.pkl: expected at most %d bytes, found %zu", where, MAX_BYTES, size);
  const t5gist_status status = run(&m, err);
  tg_free(m.stack);
  tg_free(m.memo);
  if (status != T5GIST_OK) tg_pickle_free(pickle);
  return status;
}

void tg_pickle_free(tg_pickle *pickle) {
  tg_free(pickle->nodes);
  tg_free(pickle->items);
  tg_free(pickle->entries);
  memset(pickle, 0, sizeof *pickle);
}
