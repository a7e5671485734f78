#include "zip.h"

#include <string.h>

#include "hostile.h"

enum { CENTRAL = 46, LOCAL = 30 };

uint32_t zip_crc(const void *data, size_t n) {
  static uint32_t table[256];
  const unsigned char *p = data;
  uint32_t crc = 0xffffffff;
  if (!table[1]) {
    for (uint32_t i = 0; i < 256; i++) {
      table[i] = i;
      for (int bit = 0; bit < 8; bit++) table[i] = table[i] >> 1 ^ (table[i] & 1 ? 0xedb88320u : 0);
    }
  }
  for (size_t i = 0; i < n; i++) crc = crc >> 8 ^ table[(crc ^ p[i]) & 0xff];
  return ~crc;
}

static void put(tg_buffer *out, uint64_t value, size_t bytes) {
  hostile_put(out, &value, bytes); /* little endian */
}

static void put_header(tg_buffer *out, const zip_entry *e, bool central, size_t offset) {
  put(out, central ? 0x02014b50 : 0x04034b50, 4);
  if (central) put(out, 0, 2);
  put(out, 0, 2), put(out, 1 << 11, 2), put(out, 0, 2), put(out, 0, 4);
  put(out, zip_crc(e->data, e->size), 4), put(out, e->size, 4), put(out, e->size, 4);
  put(out, strlen(e->name), 2), put(out, 0, 2);
  if (central) put(out, 0, 6), put(out, 0, 4), put(out, offset, 4);
  hostile_put_text(out, e->name);
}

void zip_build(tg_buffer *out, const zip_entry *entries, size_t n) {
  tg_buffer directory = {0};
  for (size_t i = 0; i < n; i++) {
    put_header(&directory, &entries[i], true, out->size);
    put_header(out, &entries[i], false, 0);
    hostile_put(out, entries[i].data, entries[i].size);
  }
  const size_t at = out->size;
  hostile_put(out, directory.data, directory.size);
  put(out, 0x06054b50, 4), put(out, 0, 4), put(out, n, 2), put(out, n, 2), put(out, directory.size, 4), put(out, at, 4), put(out, 0, 2);
  tg_buffer_free(&directory);
}

static size_t get(const unsigned char *p, size_t bytes) {
  size_t value = 0;
  memcpy(&value, p, bytes);
  return value;
}

/* The central header at `at`, whose member may lie anywhere. */
static void repair_member(unsigned char *data, size_t size, unsigned char *central) {
  const size_t local = get(central + 42, 4), n = get(central + 24, 4);
  if (local > size || size - local < LOCAL || get(data + local, 4) != 0x04034b50) return;
  const size_t header = LOCAL + get(data + local + 26, 2) + get(data + local + 28, 2);
  if (header > size - local || n > size - local - header) return;
  const uint32_t crc = zip_crc(data + local + header, n);
  memcpy(central + 16, &crc, 4);
  if (get(data + local + 14, 4)) memcpy(data + local + 14, &crc, 4);
}

void zip_repair(unsigned char *data, size_t size) {
  unsigned char *at = data;
  static const unsigned char mark[] = "PK\1\2";
  while ((at = memmem(at, size - (size_t)(at - data), mark, 4)) && size - (size_t)(at - data) >= CENTRAL) {
    repair_member(data, size, at);
    at += 4;
  }
}
