/* What a conversion reads from: the tensors of a Hugging Face folder in any of its forms, one list. */
#ifndef T5GIST_T5_CONVERT_SOURCE_H
#define T5GIST_T5_CONVERT_SOURCE_H

#include "t5/checkpoint.h"
#include "t5/torch_bin.h"

typedef struct tg_source_tensor {
  const char *name; /* borrowed from its file */
  tg_dtype dtype;
  int rank;
  size_t shape[TG_MAX_RANK], count;
  const unsigned char *data; /* borrowed from the mapping; any alignment */
  bool transposed;           /* as in tg_torch_tensor */
  size_t file;               /* which of paths */
} tg_source_tensor;

typedef struct tg_source {
  tg_checkpoint *checkpoint; /* safetensors, or null */
  tg_torch_bin **bins;       /* [n_paths] pytorch_model.bin, or null */
  char **paths;              /* [n_paths] weight files in name order */
  size_t n_paths;
  tg_source_tensor *tensors; /* [n] in name order, no name twice */
  size_t n;
} tg_source;

/* Prefers safetensors, as Hugging Face does. */
t5gist_status tg_source_open(const char *dir, tg_source *source, t5gist_error *err);
void tg_source_close(tg_source *source); /* zeroed or open */

#endif
