#include "t5/torch_bin.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/error.h"
#include "runtime/memory.h"
#include "t5/pickle.h"
#include "t5/torch_zip.h"

struct tg_torch_bin {
  tg_torch_zip *zip;
  tg_torch_tensor *tensors; /* [n] by name; names owned */
  size_t n;
  char *path;
};

/* What one dict entry is read with. */
typedef struct context {
  tg_torch_bin *bin;
  const tg_pickle *pickle;
  const char *name;
} context;

static t5gist_status bad(const context *c, const char *what, t5gist_error *err) {
  tg_fail(err, T5GIST_EFORMAT, "%s: tensor %s: %s", c->bin->path, c->name, what);
  return T5GIST_EFORMAT;
}

/* The archive member of a storage, which must have exactly the storage's bytes. */
static t5gist_status find_storage(const context *c, const tg_pickle_node *storage, const tg_zip_member **member, t5gist_error *err) {
  const tg_pickle_node *key = &c->pickle->nodes[storage->a];
  char name[32];
  size_t bytes;
  if (key->size > 6) return bad(c, "expected a storage of at most six digits", err);
  snprintf(name, sizeof name, "data/%.*s", (int)key->size, key->text);
  *member = tg_torch_zip_find(c->bin->zip, name);
  if (!*member) return tg_fail(err, T5GIST_EFORMAT, "%s: tensor %s: expected its storage %s in the archive, found none", c->bin->path, c->name, name);
  if (storage->integer < 0 || !tg_size_mul((size_t)storage->integer, tg_dtype_size(storage->dtype), &bytes) || bytes != (*member)->size) {
    return tg_fail(err, T5GIST_EFORMAT, "%s: tensor %s: its storage says %lld elements of %zu bytes, but %s has %zu bytes", c->bin->path, c->name,
                   (long long)storage->integer, tg_dtype_size(storage->dtype), name, (*member)->size);
  }
  return T5GIST_OK;
}

/* Shape and strides as sizes, and the span of elements from the first to the last. */
static t5gist_status read_layout(const context *c, const tg_pickle_node *node, tg_torch_tensor *t, size_t strides[TG_TORCH_MAX_RANK], size_t *span,
                                 t5gist_error *err) {
  const tg_pickle_node *shape = &c->pickle->nodes[node->b], *stride = &c->pickle->nodes[node->c];
  if (shape->size != stride->size || shape->size > TG_TORCH_MAX_RANK)
    return bad(c, "expected a shape of at most four dimensions, and as many strides", err);
  t->rank = (int)shape->size;
  t->count = 1;
  *span = 1;
  for (uint32_t i = 0; i < shape->size; i++) {
    const tg_pickle_node *d = &c->pickle->nodes[c->pickle->items[shape->first + i]], *s = &c->pickle->nodes[c->pickle->items[stride->first + i]];
    size_t steps;
    if (d->kind != TG_PICKLE_INT || s->kind != TG_PICKLE_INT || d->integer < 1 || s->integer < 0)
      return bad(c, "expected positive sizes and strides that are not negative", err);
    t->shape[i] = (size_t)d->integer;
    strides[i] = (size_t)s->integer;
    if (!tg_size_mul(t->count, t->shape[i], &t->count) || !tg_size_mul(t->shape[i] - 1, strides[i], &steps) || !tg_size_add(*span, steps, span)) {
      return bad(c, "its shape and strides overflow", err);
    }
  }
  return tg_size_mul(t->count, tg_dtype_size(t->dtype), &t->bytes) ? T5GIST_OK : bad(c, "its size overflows", err);
}

static bool row_major(const tg_torch_tensor *t, const size_t *strides) {
  size_t expected = 1;
  for (int i = t->rank - 1; i >= 0; i--) {
    if (t->shape[i] > 1 && strides[i] != expected) return false;
    expected *= t->shape[i];
  }
  return true;
}

static bool plain_transpose(const tg_torch_tensor *t, const size_t *strides) {
  return t->rank == 2 && strides[0] == 1 && strides[1] == t->shape[0];
}

static t5gist_status read_tensor(const context *c, const tg_pickle_node *node, tg_torch_tensor *t, t5gist_error *err) {
  const tg_pickle_node *storage = &c->pickle->nodes[node->a];
  const tg_zip_member *member = NULL;
  size_t strides[TG_TORCH_MAX_RANK] = {0}, span = 0, end;
  t->dtype = storage->dtype;
  TG_TRY(find_storage(c, storage, &member, err));
  TG_TRY(read_layout(c, node, t, strides, &span, err));
  if (node->integer < 0 || !tg_size_add((size_t)node->integer, span, &end) || end > (size_t)storage->integer)
    return bad(c, "it reaches beyond its storage", err);
  t->transposed = !row_major(t, strides);
  if (t->transposed && !plain_transpose(t, strides)) return bad(c, "expected a contiguous tensor or a transposed matrix", err);
  t->data = member->data + (size_t)node->integer * tg_dtype_size(t->dtype);
  return T5GIST_OK;
}

static int by_name(const void *a, const void *b) {
  return strcmp(((const tg_torch_tensor *)a)->name, ((const tg_torch_tensor *)b)->name);
}

static t5gist_status read_tensors(tg_torch_bin *bin, const tg_pickle *pickle, t5gist_error *err) {
  const tg_pickle_node *root = &pickle->nodes[pickle->root];
  TG_TRY(tg_alloc(&bin->tensors, root->size, sizeof *bin->tensors, err));
  for (uint32_t i = root->first; i; i = pickle->entries[i - 1].next) {
    const tg_pickle_node *key = &pickle->nodes[pickle->entries[i - 1].key], *value = &pickle->nodes[pickle->entries[i - 1].value];
    tg_torch_tensor *tensor = &bin->tensors[bin->n];
    char *name;
    TG_TRY(tg_strndup(&name, key->text, key->size, err));
    tensor->name = name;
    bin->n++;
    const context c = {bin, pickle, name};
    if (value->kind != TG_PICKLE_TENSOR) return bad(&c, "expected a tensor under this name, found something else", err);
    TG_TRY(read_tensor(&c, value, tensor, err));
  }
  qsort(bin->tensors, bin->n, sizeof *bin->tensors, by_name);
  for (size_t i = 1; i < bin->n; i++) {
    if (by_name(&bin->tensors[i - 1], &bin->tensors[i]) == 0)
      return tg_fail(err, T5GIST_EFORMAT, "%s: tensor %s is there twice", bin->path, bin->tensors[i].name);
  }
  return bin->n ? T5GIST_OK : tg_fail(err, T5GIST_EFORMAT, "%s: expected tensors, found an empty dict", bin->path);
}

static t5gist_status read_pickle(tg_torch_bin *bin, t5gist_error *err) {
  const tg_zip_member *data = tg_torch_zip_find(bin->zip, "data.pkl");
  tg_pickle pickle;
  if (!data) return tg_fail(err, T5GIST_EFORMAT, "%s: expected data.pkl in the archive, found none", bin->path);
  TG_TRY(tg_pickle_read(data->data, data->size, bin->path, &pickle, err));
  const t5gist_status status = read_tensors(bin, &pickle, err);
  tg_pickle_free(&pickle);
  return status;
}

t5gist_status tg_torch_bin_open(const char *path, tg_torch_bin **out, t5gist_error *err) {
  tg_torch_bin *bin;
  t5gist_status status;
  TG_TRY(tg_alloc(&bin, 1, sizeof *bin, err));
  TG_GOTO(tg_strdup(&bin->path, path, err));
  TG_GOTO(tg_torch_zip_open(path, &bin->zip, err));
  TG_GOTO(read_pickle(bin, err));
  *out = bin;
  return T5GIST_OK;
done:
  tg_torch_bin_close(bin);
  return status;
}

void tg_torch_bin_close(tg_torch_bin *bin) {
  if (!bin) return;
  for (size_t i = 0; i < bin->n; i++) tg_free((char *)bin->tensors[i].name);
  tg_free(bin->tensors);
  tg_torch_zip_close(bin->zip);
  tg_free(bin->path);
  tg_free(bin);
}

size_t tg_torch_bin_count(const tg_torch_bin *bin) {
  return bin->n;
}
const tg_torch_tensor *tg_torch_bin_at(const tg_torch_bin *bin, size_t i) {
  return &bin->tensors[i];
}
