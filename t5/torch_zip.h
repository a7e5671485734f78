/* The zip archive inside a pytorch_model.bin, read one way only: stored members, one end record at the end of the file, local headers that agree
 * with the central directory, every byte of the file in one member or record, names of the shapes that torch.save writes, every CRC-32 right. No
 * tar, no compression, no fallback. */
#ifndef T5GIST_T5_TORCH_ZIP_H
#define T5GIST_T5_TORCH_ZIP_H

#include <stddef.h>

#include "t5gist/types.h"

typedef struct tg_zip_member {
  char *name;                /* owned by the archive, the common root folder left out: "data.pkl", "data/0" */
  const unsigned char *data; /* [size] borrowed from the mapping, any alignment */
  size_t size;
} tg_zip_member;

typedef struct tg_torch_zip tg_torch_zip;

/* Maps and checks a file. */
t5gist_status tg_torch_zip_open(const char *path, tg_torch_zip **zip, t5gist_error *err);
void tg_torch_zip_close(tg_torch_zip *zip);                                        /* null is allowed */
const tg_zip_member *tg_torch_zip_find(const tg_torch_zip *zip, const char *name); /* null: not there; O(log n) */

#endif
