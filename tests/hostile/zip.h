/* Archives as torch.save writes them, built by hand so that they can be built wrong. */
#ifndef T5GIST_TESTS_HOSTILE_ZIP_H
#define T5GIST_TESTS_HOSTILE_ZIP_H

#include <stdint.h>

#include "runtime/memory.h"

typedef struct zip_entry {
  const char *name;
  const void *data;
  size_t size;
} zip_entry;

uint32_t zip_crc(const void *data, size_t n);
void zip_build(tg_buffer *out, const zip_entry *entries, size_t n); /* appended; out must be empty */
/* Makes the CRC-32 of every member that can be found right again, in both places. */
void zip_repair(unsigned char *data, size_t size);

#endif
