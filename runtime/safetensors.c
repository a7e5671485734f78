#include "runtime/safetensors.h"

#include <stdlib.h>
#include <string.h>

#include "runtime/error.h"
#include "runtime/json.h"
#include "runtime/text.h"

enum { LENGTH = 8, MAX_HEADER = 16 << 20, MAX_NAME = 512, MAX_METADATA = 64 << 10, DATA_ALIGNMENT = 64 };

typedef struct entry {
  tg_tensor tensor;
  size_t begin; /* offset into the data */
} entry;

struct tg_safetensors {
  char *path;
  tg_map map;                 /* empty for bytes in memory */
  const unsigned char *bytes; /* [size] */
  size_t size, header_size;
  json_t *header; /* holds names and metadata */
  const json_t *metadata;
  entry *entries;        /* [n] in offset order */
  const entry **by_name; /* [n] */
  size_t n;
};

/* -------------------------------------------------------------------------------------------------------------------------- checks */

static t5gist_status check_metadata(const json_t *metadata, const char *where, t5gist_error *err) {
  if (!json_is_object(metadata))
    return tg_fail(err, T5GIST_EFORMAT, "%s: __metadata__: expected an object, found %s", where, tg_json_type_name(metadata));
  size_t total = 0;
  const char *key;
  json_t *value;
  json_object_foreach((json_t *)(uintptr_t)metadata, key, value) {
    if (!json_is_string(value))
      return tg_fail(err, T5GIST_EFORMAT, "%s: __metadata__: %s: expected a string, found %s", where, key, tg_json_type_name(value));
    total += strlen(key) + json_string_length(value);
  }
  if (total > MAX_METADATA) return tg_fail(err, T5GIST_EFORMAT, "%s: __metadata__: expected at most %d bytes, found %zu", where, MAX_METADATA, total);
  return T5GIST_OK;
}

/* Elements and bytes of a tensor whose dtype, rank and shape are set. */
static t5gist_status count_elements(tg_tensor *tensor, const char *where, t5gist_error *err) {
  tensor->count = 1;
  bool fits = true;
  for (int i = 0; i < tensor->rank; i++) fits = tg_size_mul(tensor->count, tensor->shape[i], &tensor->count) && fits;
  if (!fits || !tg_size_mul(tensor->count, tg_dtype_size(tensor->dtype), &tensor->bytes))
    return tg_fail(err, T5GIST_EFORMAT, "%s: tensor %s: shape is too large for this machine", where, tensor->name);
  return T5GIST_OK;
}

/* A list of integers that are not negative, such as a shape. */
static t5gist_status read_sizes(const json_t *list, const char *what, const char *name, const char *where, size_t max_count, size_t *sizes,
                                t5gist_error *err) {
  if (!json_is_array(list))
    return tg_fail(err, T5GIST_EFORMAT, "%s: tensor %s: %s: expected a list, found %s", where, name, what, tg_json_type_name(list));
  const size_t n = json_array_size(list);
  if (n > max_count)
    return tg_fail(err, T5GIST_EFORMAT, "%s: tensor %s: %s: expected at most %zu numbers, found %zu", where, name, what, max_count, n);
  for (size_t i = 0; i < n; i++) {
    const json_t *item = json_array_get(list, i);
    if (!json_is_integer(item) || json_integer_value(item) < 0) {
      char found[TG_JSON_FOUND];
      return tg_fail(err, T5GIST_EFORMAT, "%s: tensor %s: %s: expected integers of at least 0, found %s", where, name, what,
                     tg_json_found(item, found));
    }
    sizes[i] = (size_t)json_integer_value(item);
  }
  return T5GIST_OK;
}

static t5gist_status read_dtype(const json_t *value, const char *name, const char *where, tg_dtype *dtype, t5gist_error *err) {
  if (!json_is_string(value))
    return tg_fail(err, T5GIST_EFORMAT, "%s: tensor %s: dtype: expected a string, found %s", where, name, tg_json_type_name(value));
  const int known = tg_dtype_from_name(json_string_value(value));
  if (known < 0)
    return tg_fail(err, T5GIST_EUNSUPPORTED,
                   "%s: tensor %s: dtype: expected one of F32, BF16, F16, F64, I8, U8, I16, I32, I64, BOOL, found \"%.32s\"", where, name,
                   json_string_value(value));
  *dtype = (tg_dtype)known;
  return T5GIST_OK;
}

static t5gist_status read_entry(const char *name, const json_t *value, const char *where, size_t data_size, entry *out, t5gist_error *err) {
  if (strlen(name) > MAX_NAME)
    return tg_fail(err, T5GIST_EFORMAT, "%s: expected tensor names of at most %d bytes, found %.64s...", where, MAX_NAME, name);
  const json_t *dtype = json_object_get(value, "dtype"), *shape = json_object_get(value, "shape"), *offsets = json_object_get(value, "data_offsets");
  if (!dtype || !shape || !offsets || json_object_size(value) != 3)
    return tg_fail(err, T5GIST_EFORMAT, "%s: tensor %s: expected an object of dtype, shape and data_offsets, found %s", where, name,
                   json_is_object(value) ? "other keys" : tg_json_type_name(value));
  tg_tensor *tensor = &out->tensor;
  tensor->name = name;
  TG_TRY(read_dtype(dtype, name, where, &tensor->dtype, err));
  TG_TRY(read_sizes(shape, "shape", name, where, TG_MAX_RANK, tensor->shape, err));
  tensor->rank = (int)json_array_size(shape);
  TG_TRY(count_elements(tensor, where, err));
  size_t range[2] = {0, 0};
  TG_TRY(read_sizes(offsets, "data_offsets", name, where, 2, range, err));
  if (json_array_size(offsets) != 2 || range[0] > range[1])
    return tg_fail(err, T5GIST_EFORMAT, "%s: tensor %s: data_offsets: expected a begin and an end behind it", where, name);
  if (range[1] > data_size)
    return tg_fail(err, T5GIST_EFORMAT, "%s: tensor %s: expected its data to end at byte %zu, found only %zu bytes of data", where, name, range[1],
                   data_size);
  if (range[1] - range[0] != tensor->bytes)
    return tg_fail(err, T5GIST_EFORMAT, "%s: tensor %s: expected %zu bytes of data for its shape, found %zu", where, name, tensor->bytes,
                   range[1] - range[0]);
  out->begin = range[0];
  return T5GIST_OK;
}

static int compare_offsets(const void *a, const void *b) {
  const entry *x = a, *y = b;
  if (x->begin != y->begin) return x->begin < y->begin ? -1 : 1;
  if (x->tensor.bytes != y->tensor.bytes) return x->tensor.bytes < y->tensor.bytes ? -1 : 1; /* empty ones stand before */
  return strcmp(x->tensor.name, y->tensor.name);
}

static int compare_names(const void *a, const void *b) {
  return strcmp((*(const entry *const *)a)->tensor.name, (*(const entry *const *)b)->tensor.name);
}

/* Neither holes nor overlap nor a tail: every byte of the file belongs to the header or to one tensor. */
static t5gist_status check_layout(const tg_safetensors *file, size_t data_size, t5gist_error *err) {
  size_t end = 0;
  for (size_t i = 0; i < file->n; i++) {
    const entry *e = &file->entries[i];
    if (e->begin != end)
      return tg_fail(err, T5GIST_EFORMAT, "%s: tensor %s: expected its data to begin at byte %zu, where the previous tensor ends, found %zu",
                     file->path, e->tensor.name, end, e->begin);
    end += e->tensor.bytes;
  }
  if (end != data_size) return tg_fail(err, T5GIST_EFORMAT, "%s: expected %zu bytes of tensor data, found %zu", file->path, end, data_size);
  return T5GIST_OK;
}

static t5gist_status read_entries(tg_safetensors *file, size_t data_size, t5gist_error *err) {
  const size_t n = json_object_size(file->header);
  TG_TRY(tg_alloc(&file->entries, n, sizeof *file->entries, err));
  TG_TRY(tg_alloc(&file->by_name, n, sizeof *file->by_name, err));
  const char *name;
  json_t *value;
  json_object_foreach(file->header, name, value) {
    if (!strcmp(name, "__metadata__")) {
      TG_TRY(check_metadata(value, file->path, err));
      file->metadata = value;
    } else {
      TG_TRY(read_entry(name, value, file->path, data_size, &file->entries[file->n], err));
      file->n++;
    }
  }
  if (file->n) qsort(file->entries, file->n, sizeof *file->entries, compare_offsets);
  TG_TRY(check_layout(file, data_size, err));
  for (size_t i = 0; i < file->n; i++) file->by_name[i] = &file->entries[i];
  if (file->n) qsort(file->by_name, file->n, sizeof *file->by_name, compare_names);
  return T5GIST_OK;
}

/* text: the header without its length, [n]. */
static t5gist_status read_header(tg_safetensors *file, const char *text, size_t n, size_t data_size, t5gist_error *err) {
  size_t end = n;
  while (end && text[end - 1] == ' ') end--;
  if (!end || text[0] != '{' || text[end - 1] != '}')
    return tg_fail(err, T5GIST_EFORMAT, "%s: expected a safetensors header, which begins with '{' and ends with '}' and spaces", file->path);
  TG_TRY(tg_json_check_size(text, end, file->path, err));
  TG_TRY(tg_json_parse(text, end, file->path, &file->header, err));
  return read_entries(file, data_size, err);
}

/* ------------------------------------------------------------------------------------------------------------------------- reading */

static t5gist_status read_bytes(tg_safetensors *file, t5gist_error *err) {
  if (file->size < LENGTH)
    return tg_fail(err, T5GIST_EFORMAT, "%s: expected a safetensors file, which has at least %d bytes, found %zu", file->path, LENGTH, file->size);
  uint64_t n = 0;
  for (int i = LENGTH - 1; i >= 0; i--) n = n << 8 | file->bytes[i];
  if (n > MAX_HEADER)
    return tg_fail(err, T5GIST_EFORMAT, "%s: expected a safetensors header of at most %d bytes, found a length of %llu", file->path, MAX_HEADER,
                   (unsigned long long)n);
  if (n > file->size - LENGTH)
    return tg_fail(err, T5GIST_EFORMAT, "%s: expected a header of %llu bytes, found only %zu bytes in the file", file->path, (unsigned long long)n,
                   file->size - LENGTH);
  file->header_size = LENGTH + (size_t)n;
  TG_TRY(read_header(file, (const char *)file->bytes + LENGTH, (size_t)n, file->size - file->header_size, err));
  for (size_t i = 0; i < file->n; i++) file->entries[i].tensor.data = file->bytes + file->header_size + file->entries[i].begin;
  return T5GIST_OK;
}

t5gist_status tg_safetensors_open(const char *path, tg_safetensors **out, t5gist_error *err) {
  tg_map map;
  TG_TRY(tg_map_open(path, &map, err));
  tg_safetensors *file;
  const t5gist_status status = tg_safetensors_parse(map.data, map.size, path, &file, err);
  if (status) {
    tg_map_close(&map);
    return status;
  }
  file->map = map;
  *out = file;
  return T5GIST_OK;
}

t5gist_status tg_safetensors_parse(const void *data, size_t size, const char *name, tg_safetensors **out, t5gist_error *err) {
  tg_safetensors *file;
  TG_TRY(tg_alloc(&file, 1, sizeof *file, err));
  file->bytes = data;
  file->size = size;
  t5gist_status status = tg_strdup(&file->path, name, err);
  if (!status) status = read_bytes(file, err);
  if (status)
    tg_safetensors_close(file);
  else
    *out = file;
  return status;
}

static void release(tg_safetensors *file) {
  json_decref(file->header);
  tg_free(file->entries);
  tg_free(file->by_name);
  tg_free(file->path);
  tg_map_close(&file->map);
}

void tg_safetensors_close(tg_safetensors *file) {
  if (!file) return;
  release(file);
  tg_free(file);
}

size_t tg_safetensors_count(const tg_safetensors *file) {
  return file->n;
}

const tg_tensor *tg_safetensors_at(const tg_safetensors *file, size_t i) {
  return &file->entries[i].tensor;
}

const tg_tensor *tg_safetensors_find(const tg_safetensors *file, const char *name) {
  const entry key = {.tensor.name = name}, *wanted = &key;
  const entry *const *found = file->n ? bsearch(&wanted, file->by_name, file->n, sizeof *file->by_name, compare_names) : NULL;
  return found ? &(*found)->tensor : NULL;
}

const char *tg_safetensors_metadata(const tg_safetensors *file, const char *key) {
  return json_string_value(json_object_get(file->metadata, key));
}

const json_t *tg_safetensors_metadata_object(const tg_safetensors *file) {
  return file->metadata;
}

const char *tg_safetensors_path(const tg_safetensors *file) {
  return file->path;
}

const unsigned char *tg_safetensors_bytes(const tg_safetensors *file, size_t *size) {
  *size = file->size;
  return file->bytes;
}

size_t tg_safetensors_header_size(const tg_safetensors *file) {
  return file->header_size;
}

/* ------------------------------------------------------------------------------------------------------------------------- writing */

typedef struct dump_target {
  tg_buffer *buffer;
  t5gist_error *err;
  t5gist_status status;
} dump_target;

static int dump_piece(const char *data, size_t n, void *user) {
  dump_target *target = user;
  target->status = tg_buffer_append(target->buffer, data, n, target->err);
  return target->status ? -1 : 0;
}

static t5gist_status append_json(tg_buffer *buffer, const json_t *value, t5gist_error *err) {
  dump_target target = {buffer, err, T5GIST_OK};
  if (value && !json_dump_callback(value, dump_piece, &target, JSON_COMPACT | JSON_SORT_KEYS | JSON_ENCODE_ANY)) return T5GIST_OK;
  return target.status ? target.status : tg_fail(err, T5GIST_ENOMEM, "not enough memory to write JSON");
}

/* The entry of one tensor, whose data begins at *offset; moves *offset behind it. */
static t5gist_status append_entry(tg_buffer *buffer, const tg_tensor *declared, size_t *offset, t5gist_error *err) {
  tg_tensor tensor = *declared;
  const size_t begin = *offset;
  TG_TRY(count_elements(&tensor, "safetensors header", err));
  if (!tg_size_add(begin, tensor.bytes, offset))
    return tg_fail(err, T5GIST_EFORMAT, "safetensors header: tensor %s: the file would be too large", tensor.name);
  TG_TRY(tg_utf8_check(tensor.name, strlen(tensor.name), "safetensors header: tensor name", err));
  json_t *name = json_string(tensor.name);
  const t5gist_status status = append_json(buffer, name, err);
  json_decref(name);
  if (status) return status;
  TG_TRY(tg_buffer_printf(buffer, err, ":{\"dtype\":\"%s\",\"shape\":[", tg_dtype_name(tensor.dtype)));
  for (int i = 0; i < tensor.rank; i++) TG_TRY(tg_buffer_printf(buffer, err, i ? ",%zu" : "%zu", tensor.shape[i]));
  return tg_buffer_printf(buffer, err, "],\"data_offsets\":[%zu,%zu]}", begin, *offset);
}

static t5gist_status append_entries(tg_buffer *buffer, const tg_tensor *tensors, size_t n, const json_t *metadata, size_t *data_size,
                                    t5gist_error *err) {
  const char *separator = "";
  TG_TRY(tg_buffer_append(buffer, "{", 1, err));
  if (metadata) {
    TG_TRY(tg_buffer_printf(buffer, err, "\"__metadata__\":"));
    TG_TRY(append_json(buffer, metadata, err));
    separator = ",";
  }
  *data_size = 0;
  for (size_t i = 0; i < n; i++) {
    TG_TRY(tg_buffer_printf(buffer, err, "%s", separator));
    TG_TRY(append_entry(buffer, &tensors[i], data_size, err));
    separator = ",";
  }
  return tg_buffer_append(buffer, "}", 1, err);
}

/* What is written must pass the reader: limits, duplicate names, metadata. */
static t5gist_status check_written(const char *text, size_t n, size_t data_size, t5gist_error *err) {
  tg_safetensors file = {0};
  if (n > MAX_HEADER) return tg_fail(err, T5GIST_EFORMAT, "safetensors header: expected at most %d bytes, found %zu", MAX_HEADER, n);
  t5gist_status status = tg_strdup(&file.path, "safetensors header", err);
  if (!status) status = read_header(&file, text, n, data_size, err);
  release(&file);
  return status;
}

t5gist_status tg_safetensors_header(const tg_tensor *tensors, size_t n, const json_t *metadata, tg_buffer *header, t5gist_error *err) {
  tg_buffer buffer = {0};
  size_t data_size = 0, padded = 0;
  unsigned char length[LENGTH] = {0};
  t5gist_status status;
  TG_GOTO(tg_buffer_append(&buffer, length, LENGTH, err));
  TG_GOTO(append_entries(&buffer, tensors, n, metadata, &data_size, err));
  tg_align_up(buffer.size, DATA_ALIGNMENT, &padded);
  while (buffer.size < padded) TG_GOTO(tg_buffer_append(&buffer, " ", 1, err));
  TG_GOTO(check_written(buffer.data + LENGTH, buffer.size - LENGTH, data_size, err));
  for (int i = 0; i < LENGTH; i++) buffer.data[i] = (char)((uint64_t)(buffer.size - LENGTH) >> 8 * i & 0xff);
  status = tg_buffer_append(header, buffer.data, buffer.size, err);
done:
  tg_buffer_free(&buffer);
  return status;
}
