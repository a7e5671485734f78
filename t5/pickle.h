/* The restricted pickle machine: protocol 2, the opcodes that torch.save writes for a state dict, inert nodes. Budgets: 16 MiB, 4 M opcodes, stack 64
 * K, marks 64, 256 K nodes; the memo holds references, never copies. */
#ifndef T5GIST_T5_PICKLE_H
#define T5GIST_T5_PICKLE_H

#include <stddef.h>
#include <stdint.h>

#include "runtime/dtype.h"
#include "t5gist/types.h"

typedef enum tg_pickle_kind {
  TG_PICKLE_NONE = 0,
  TG_PICKLE_BOOL,    /* integer */
  TG_PICKLE_INT,     /* integer */
  TG_PICKLE_STRING,  /* text, size: borrowed from the pickle, valid UTF-8, no NUL */
  TG_PICKLE_TUPLE,   /* items[first .. first + size) */
  TG_PICKLE_DICT,    /* entries from first on, in order; size of them */
  TG_PICKLE_GLOBAL,  /* integer: an allowed global */
  TG_PICKLE_STORAGE, /* dtype; a: its key (string); integer: elements */
  TG_PICKLE_TENSOR   /* a: storage; integer: offset in elements; b: shape (tuple), c: strides (tuple) */
} tg_pickle_kind;

typedef struct tg_pickle_node {
  tg_pickle_kind kind;
  tg_dtype dtype;
  int64_t integer;
  const char *text;
  uint32_t first, last, size;
  uint32_t a, b, c; /* other nodes */
} tg_pickle_node;

typedef struct tg_pickle_entry {
  uint32_t key, value, next;
} tg_pickle_entry; /* next: index + 1 of the dict's next entry, 0 at its end */

typedef struct tg_pickle {
  tg_pickle_node *nodes;
  uint32_t *items;          /* of all tuples */
  tg_pickle_entry *entries; /* of all dicts; a dict's first and last are index + 1, 0 when empty */
  size_t n_nodes, n_items, n_entries, nodes_capacity, items_capacity, entries_capacity;
  uint32_t root; /* the dict that the pickle stands for */
} tg_pickle;

/* data: borrowed while *pickle lives. where begins the messages. */
t5gist_status tg_pickle_read(const void *data, size_t size, const char *where, tg_pickle *pickle, t5gist_error *err);
void tg_pickle_free(tg_pickle *pickle);

#endif
