/* pytorch_model.bin: a state dict written by torch.save, read by a restricted pickle machine that knows dicts, tensors and nothing else. No name is
 * ever imported and nothing is called; what is not on the list is an error. For conversion only. */
#ifndef T5GIST_T5_TORCH_BIN_H
#define T5GIST_T5_TORCH_BIN_H

#include <stdbool.h>

#include "runtime/dtype.h"
#include "t5gist/types.h"

enum { TG_TORCH_MAX_RANK = 4 };

typedef struct tg_torch_tensor {
  const char *name; /* borrowed from the file */
  tg_dtype dtype;
  int rank;
  size_t shape[TG_TORCH_MAX_RANK]; /* no dimension is 0 */
  size_t count, bytes;
  const unsigned char *data; /* borrowed from the mapping; any alignment. Tensors may share it */
  bool transposed;           /* rank 2: element (r, c) is at index c * shape[0] + r, else row-major */
} tg_torch_tensor;

typedef struct tg_torch_bin tg_torch_bin;

t5gist_status tg_torch_bin_open(const char *path, tg_torch_bin **bin, t5gist_error *err);
void tg_torch_bin_close(tg_torch_bin *bin); /* null is allowed */
size_t tg_torch_bin_count(const tg_torch_bin *bin);
const tg_torch_tensor *tg_torch_bin_at(const tg_torch_bin *bin, size_t i); /* in name order */

#endif
