/* The safetensors container (https://github.com/huggingface/safetensors), read strictly: header within limits, no duplicate keys, tensors
 * contiguous in offset order without holes or overlap, sizes equal to shape times item size, the file ending with the last tensor. */
#ifndef T5GIST_RUNTIME_SAFETENSORS_H
#define T5GIST_RUNTIME_SAFETENSORS_H

#include <jansson.h>

#include "runtime/dtype.h"
#include "runtime/file.h"

enum { TG_MAX_RANK = 8 };

typedef struct tg_tensor {
  const char *name;          /* borrowed from the container */
  tg_dtype dtype;
  int rank;
  size_t shape[TG_MAX_RANK];
  size_t count, bytes;       /* elements, bytes */
  const unsigned char *data; /* borrowed from the mapping; any alignment */
} tg_tensor;

typedef struct tg_safetensors tg_safetensors;

/* Maps and checks a file. */
t5gist_status tg_safetensors_open(const char *path, tg_safetensors **file, t5gist_error *err);
/* The same over bytes in memory, borrowed; name is used in messages. */
t5gist_status tg_safetensors_parse(const void *data, size_t size, const char *name, tg_safetensors **file, t5gist_error *err);
void tg_safetensors_close(tg_safetensors *file); /* null is allowed */

size_t tg_safetensors_count(const tg_safetensors *file);
const tg_tensor *tg_safetensors_at(const tg_safetensors *file, size_t i); /* in file order */
const tg_tensor *tg_safetensors_find(const tg_safetensors *file, const char *name); /* null: not there; O(log n) */
const char *tg_safetensors_metadata(const tg_safetensors *file, const char *key);   /* borrowed; null: not there */
const json_t *tg_safetensors_metadata_object(const tg_safetensors *file);           /* borrowed; null: the file has none */
const char *tg_safetensors_path(const tg_safetensors *file);
/* The file's bytes: header length, header, data. */
const unsigned char *tg_safetensors_bytes(const tg_safetensors *file, size_t *size);
size_t tg_safetensors_header_size(const tg_safetensors *file); /* the 8 length bytes included: where data begins */

/* Writing: declare everything (tensor.data is ignored), get the header, then write the tensors' bytes in the same order. The header is padded
 * with spaces to a multiple of 64, so data is aligned in a mapping. metadata: string to string, may be null; keys are written sorted. */
t5gist_status tg_safetensors_header(const tg_tensor *tensors, size_t n, const json_t *metadata, tg_buffer *header, t5gist_error *err);

#endif
