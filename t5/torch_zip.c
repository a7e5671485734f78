/* Two readers must agree: our own strict walk of the raw central directory and local headers, and libzip with its consistency checks, which also
 * verifies the CRC-32 of every member. */
#include "t5/torch_zip.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <zip.h>

#include "runtime/error.h"
#include "runtime/file.h"

enum {
  END_SIZE = 22,
  END64_SIZE = 56,
  LOCATOR_SIZE = 20,
  CENTRAL_SIZE = 46,
  LOCAL_SIZE = 30,
  FLAG_DESCRIPTOR = 1 << 3,
  FLAG_UTF8 = 1 << 11,
  MAX_MEMBERS = 1 << 20,
  MAX_NAME = 256,
  MAX_ROOT = 128
};

/* A member as the central directory has it. */
typedef struct entry {
  const unsigned char *name;
  size_t name_size;
  unsigned flags;
  uint32_t crc;
  uint64_t size, offset; /* offset: of the local header */
  size_t data;           /* offset of the data */
} entry;

struct tg_torch_zip {
  char *path;
  tg_map map;
  size_t directory, directory_size; /* of the central directory */
  entry *entries;                   /* [n] by offset */
  tg_zip_member *members;           /* [n] by name */
  size_t n;
};

static uint32_t u16(const unsigned char *p) {
  return (uint32_t)p[0] | (uint32_t)p[1] << 8;
}
static uint32_t u32(const unsigned char *p) {
  return u16(p) | u16(p + 2) << 16;
}
static uint64_t u64(const unsigned char *p) {
  return u32(p) | (uint64_t)u32(p + 4) << 32;
}

static t5gist_status broken(const tg_torch_zip *z, const char *what, size_t at, t5gist_error *err) {
  tg_fail(err, T5GIST_EFORMAT, "%s: expected an archive as torch.save writes it, found %s at byte %zu", z->path, what, at);
  return T5GIST_EFORMAT;
}

/* ------------------------------------------------------------------------------------------------------------------------ end records */

/* The zip64 record wins where it is present; the plain one must then say the same or be saturated. */
static t5gist_status read_end64(tg_torch_zip *z, const unsigned char *end, size_t *records, uint64_t *n, uint64_t *size, uint64_t *offset,
                                t5gist_error *err) {
  const size_t at = z->map.size - END_SIZE;
  const unsigned char *locator = end - LOCATOR_SIZE, *record = locator - END64_SIZE;
  *records = at;
  if (at < LOCATOR_SIZE + END64_SIZE || u32(locator) != 0x07064b50) return T5GIST_OK;
  *records = at - LOCATOR_SIZE - END64_SIZE;
  if (u32(locator + 4) != 0 || u64(locator + 8) != *records || u32(locator + 16) != 1)
    return broken(z, "a wrong zip64 locator", at - LOCATOR_SIZE, err);
  if (u32(record) != 0x06064b50 || u64(record + 4) != END64_SIZE - 12 || u32(record + 16) || u32(record + 20) ||
      u64(record + 24) != u64(record + 32)) {
    return broken(z, "a wrong zip64 end record", *records, err);
  }
  const uint64_t n64 = u64(record + 32), size64 = u64(record + 40), offset64 = u64(record + 48);
  if ((*n != n64 && *n != 0xffff) || (*size != size64 && *size != 0xffffffff) || (*offset != offset64 && *offset != 0xffffffff)) {
    return broken(z, "end records that disagree", *records, err);
  }
  *n = n64, *size = size64, *offset = offset64;
  return T5GIST_OK;
}

static t5gist_status read_end(tg_torch_zip *z, t5gist_error *err) {
  if (z->map.size < END_SIZE) return broken(z, "a file too short", z->map.size, err);
  const size_t at = z->map.size - END_SIZE;
  const unsigned char *end = z->map.data + at;
  size_t records;
  if (u32(end) != 0x06054b50 || u16(end + 20) != 0) return broken(z, "no end record as the file's last 22 bytes", at, err);
  if (u16(end + 4) || u16(end + 6) || u16(end + 8) != u16(end + 10)) return broken(z, "an archive in several parts", at, err);
  uint64_t n = u16(end + 10), size = u32(end + 12), offset = u32(end + 16);
  TG_TRY(read_end64(z, end, &records, &n, &size, &offset, err));
  if (offset > records || size != records - offset) return broken(z, "a central directory that does not end at the end record", records, err);
  if (n == 0 || n > MAX_MEMBERS || n > size / CENTRAL_SIZE) return broken(z, "an impossible number of members", at, err);
  z->n = (size_t)n;
  z->directory = (size_t)offset;
  z->directory_size = (size_t)size;
  return T5GIST_OK;
}

/* ----------------------------------------------------------------------------------------------------------------------------- names */

static bool all_of(const char *text, size_t n, const char *set) {
  for (size_t i = 0; i < n; i++) {
    if (!text[i] || !strchr(set, text[i])) return false;
  }
  return true;
}

/* data.pkl, version, byteorder, data/[0-9]{1,6}, \.[a-z_/]+ */
static bool known_name(const char *name, size_t n) {
  static const char *const exact[] = {"data.pkl", "version", "byteorder"};
  for (size_t i = 0; i < 3; i++) {
    if (n == strlen(exact[i]) && memcmp(name, exact[i], n) == 0) return true;
  }
  if (n >= 6 && n <= 11 && memcmp(name, "data/", 5) == 0) return all_of(name + 5, n - 5, "0123456789");
  return n >= 2 && name[0] == '.' && all_of(name + 1, n - 1, "abcdefghijklmnopqrstuvwxyz_/");
}

/* The length of the root folder with its '/', the same for all members; 0: not a legal name. */
static size_t root_size(const entry *e) {
  const unsigned char *slash = memchr(e->name, '/', e->name_size);
  const size_t n = slash ? (size_t)(slash - e->name) + 1 : 0;
  const bool bad =
      n < 2 || n > MAX_ROOT || memchr(e->name, 0, e->name_size) || memchr(e->name, '\\', e->name_size) || memmem(e->name, e->name_size, "..", 2);
  return bad ? 0 : n;
}

static t5gist_status check_name(const tg_torch_zip *z, const entry *e, size_t at, t5gist_error *err) {
  const entry *first = &z->entries[0];
  const size_t root = root_size(e);
  if (!root || root != root_size(first) || memcmp(e->name, first->name, root) != 0 ||
      !known_name((const char *)e->name + root, e->name_size - root)) {
    return broken(z, "a member of an unexpected name", at, err);
  }
  return T5GIST_OK;
}

/* ------------------------------------------------------------------------------------------------------------------------- directory */

/* The zip64 extra field holds, in this order, what is saturated in the header. */
static t5gist_status read_extra(const tg_torch_zip *z, const unsigned char *extra, size_t n, entry *e, uint64_t *stored, size_t at,
                                t5gist_error *err) {
  while (n) {
    if (n < 4 || u16(extra + 2) > n - 4) return broken(z, "a broken extra field", at, err);
    const size_t size = u16(extra + 2);
    const unsigned char *p = extra + 4, *end = p + size;
    uint64_t *values[] = {&e->size, stored, &e->offset};
    for (int i = 0; i < 3 && u16(extra) == 1; i++) {
      if (*values[i] != 0xffffffff) continue;
      if (end - p < 8) return broken(z, "a short zip64 field", at, err);
      *values[i] = u64(p);
      p += 8;
    }
    extra += 4 + size;
    n -= 4 + size;
  }
  return T5GIST_OK;
}

static t5gist_status read_entry(const tg_torch_zip *z, size_t at, size_t left, entry *e, size_t *size, t5gist_error *err) {
  const unsigned char *p = z->map.data + at;
  if (left < CENTRAL_SIZE || u32(p) != 0x02014b50) return broken(z, "no central header", at, err);
  const size_t name = u16(p + 28), extra = u16(p + 30);
  *size = CENTRAL_SIZE + name + extra;
  if (u16(p + 32) || u16(p + 34)) return broken(z, "a member with a comment or on another disk", at, err);
  if (*size > left) return broken(z, "a header beyond the directory", at, err);
  if (name > MAX_NAME) return broken(z, "a member of an unexpected name", at, err);
  if (u16(p + 10) != 0) return broken(z, "a compressed member", at, err);
  *e = (entry){.name = p + CENTRAL_SIZE, .name_size = name, .flags = u16(p + 8), .crc = u32(p + 16), .size = u32(p + 24), .offset = u32(p + 42)};
  if (e->flags & ~(unsigned)(FLAG_DESCRIPTOR | FLAG_UTF8)) return broken(z, "a member with unexpected flags", at, err);
  uint64_t stored = u32(p + 20);
  TG_TRY(read_extra(z, e->name + name, extra, e, &stored, at, err));
  if (stored != e->size) return broken(z, "a stored member of two sizes", at, err);
  return check_name(z, e, at, err);
}

static t5gist_status read_directory(tg_torch_zip *z, t5gist_error *err) {
  size_t at = z->directory, left = z->directory_size, size = 0;
  TG_TRY(tg_alloc(&z->entries, z->n, sizeof *z->entries, err));
  for (size_t i = 0; i < z->n; i++) {
    TG_TRY(read_entry(z, at, left, &z->entries[i], &size, err));
    at += size;
    left -= size;
  }
  return left ? broken(z, "bytes after the last central header", at, err) : T5GIST_OK;
}

/* ---------------------------------------------------------------------------------------------------------------------- local headers */

static bool local_size_agrees(uint32_t local, const entry *e) {
  return local == e->size || local == 0xffffffff || ((e->flags & FLAG_DESCRIPTOR) && local == 0);
}

/* Behind a member's data comes the next one, or what a writer that streams says afterwards: the checksum and both sizes, of 4 or 8 bytes each. */
static bool gap_is_sound(const unsigned char *p, size_t n, const entry *e) {
  if (n == 0) return true;
  if (!(e->flags & FLAG_DESCRIPTOR) || (n != 16 && n != 24) || u32(p) != 0x08074b50 || u32(p + 4) != e->crc) return false;
  return n == 16 ? u32(p + 8) == e->size && u32(p + 12) == e->size : u64(p + 8) == e->size && u64(p + 16) == e->size;
}

/* limit: where the next member, or the directory, begins. */
static t5gist_status check_local(const tg_torch_zip *z, entry *e, size_t limit, t5gist_error *err) {
  const size_t at = (size_t)e->offset;
  const unsigned char *p = z->map.data + at;
  if (e->offset > limit || limit - at < LOCAL_SIZE || u32(p) != 0x04034b50) return broken(z, "no local header", at, err);
  const size_t name = u16(p + 26), extra = u16(p + 28), header = LOCAL_SIZE + name + extra;
  if (u16(p + 6) != e->flags || u16(p + 8) != 0 || name != e->name_size || limit - at < header || memcmp(p + LOCAL_SIZE, e->name, name) != 0) {
    return broken(z, "a local header that disagrees with the directory", at, err);
  }
  const uint32_t crc = u32(p + 14);
  if ((crc != e->crc && !((e->flags & FLAG_DESCRIPTOR) && crc == 0)) || !local_size_agrees(u32(p + 18), e) || !local_size_agrees(u32(p + 22), e)) {
    return broken(z, "a local header that disagrees with the directory", at, err);
  }
  if (e->size > limit - at - header) return broken(z, "members that overlap", at, err);
  e->data = at + header;
  const size_t end = e->data + (size_t)e->size;
  return gap_is_sound(z->map.data + end, limit - end, e) ? T5GIST_OK : broken(z, "bytes that belong to no member", end, err);
}

static int by_offset(const void *a, const void *b) {
  const uint64_t x = ((const entry *)a)->offset, y = ((const entry *)b)->offset;
  return (x > y) - (x < y);
}

static int by_name(const void *a, const void *b) {
  return strcmp(((const tg_zip_member *)a)->name, ((const tg_zip_member *)b)->name);
}

static t5gist_status read_members(tg_torch_zip *z, t5gist_error *err) {
  qsort(z->entries, z->n, sizeof *z->entries, by_offset);
  if (z->entries[0].offset != 0) return broken(z, "bytes that belong to no member", 0, err);
  TG_TRY(tg_alloc(&z->members, z->n, sizeof *z->members, err));
  for (size_t i = 0; i < z->n; i++) {
    entry *e = &z->entries[i];
    const uint64_t next = i + 1 < z->n ? z->entries[i + 1].offset : z->directory;
    TG_TRY(check_local(z, e, next < z->directory ? (size_t)next : z->directory, err));
    const size_t root = root_size(e);
    TG_TRY(tg_strndup(&z->members[i].name, (const char *)e->name + root, e->name_size - root, err));
    z->members[i].data = z->map.data + e->data;
    z->members[i].size = (size_t)e->size;
  }
  qsort(z->members, z->n, sizeof *z->members, by_name);
  for (size_t i = 1; i < z->n; i++) {
    if (strcmp(z->members[i].name, z->members[i - 1].name) == 0)
      return tg_fail(err, T5GIST_EFORMAT, "%s: expected one member %s, found two", z->path, z->members[i].name);
  }
  return T5GIST_OK;
}

/* ---------------------------------------------------------------------------------------------------------------------------- libzip */

static t5gist_status library_failure(const tg_torch_zip *z, zip_error_t *error, t5gist_error *err) {
  const t5gist_status status = tg_fail(err, zip_error_code_zip(error) == ZIP_ER_MEMORY ? T5GIST_ENOMEM : T5GIST_EFORMAT,
                                       "%s: expected a sound archive, found: %s", z->path, zip_error_strerror(error));
  zip_error_fini(error);
  return status;
}

/* Reading to the end makes libzip compare the CRC-32. */
static t5gist_status check_member(const tg_torch_zip *z, zip_t *archive, const entry *e, unsigned char *chunk, size_t chunk_size, t5gist_error *err) {
  char name[MAX_NAME + 1];
  memcpy(name, e->name, e->name_size);
  name[e->name_size] = 0;
  zip_stat_t info;
  if (zip_stat(archive, name, ZIP_FL_ENC_RAW, &info) != 0 || info.size != e->size || info.comp_size != e->size || info.crc != e->crc) {
    return broken(z, "a member that libzip reads otherwise", (size_t)e->offset, err);
  }
  zip_file_t *file = zip_fopen_index(archive, info.index, 0);
  if (!file) return broken(z, "a member that libzip cannot open", (size_t)e->offset, err);
  uint64_t at = 0;
  zip_int64_t n;
  bool same = true;
  while ((n = zip_fread(file, chunk, chunk_size)) > 0 && at + (uint64_t)n <= e->size) {
    same = same && memcmp(chunk, z->map.data + e->data + at, (size_t)n) == 0;
    tg_map_release(z->map.data + e->data + at, (size_t)n);
    at += (uint64_t)n;
  }
  const int closed = zip_fclose(file);
  if (n != 0 || closed != 0 || at != e->size || !same) return broken(z, "a member whose bytes do not match its CRC-32", (size_t)e->offset, err);
  return T5GIST_OK;
}

static t5gist_status check_with_library(const tg_torch_zip *z, t5gist_error *err) {
  enum { CHUNK = 64 << 10 };
  unsigned char *chunk;
  zip_error_t error;
  TG_TRY(tg_alloc(&chunk, CHUNK, 1, err));
  zip_error_init(&error);
  zip_source_t *source = zip_source_buffer_create(z->map.data, z->map.size, 0, &error);
  zip_t *archive = source ? zip_open_from_source(source, ZIP_RDONLY | ZIP_CHECKCONS, &error) : NULL;
  t5gist_status status = T5GIST_OK;
  if (!archive) {
    status = library_failure(z, &error, err);
    if (source) zip_source_free(source);
  } else {
    if (zip_get_num_entries(archive, 0) != (zip_int64_t)z->n)
      status = broken(z, "a number of members that libzip counts otherwise", z->directory, err);
    for (size_t i = 0; i < z->n && status == T5GIST_OK; i++) status = check_member(z, archive, &z->entries[i], chunk, CHUNK, err);
    zip_discard(archive);
  }
  tg_free(chunk);
  return status;
}

/* --------------------------------------------------------------------------------------------------------------------------- public */

static t5gist_status check_byteorder(const tg_torch_zip *z, t5gist_error *err) {
  const tg_zip_member *order = tg_torch_zip_find(z, "byteorder"); /* absent before torch 2.1 */
  if (!order || (order->size == 6 && memcmp(order->data, "little", 6) == 0)) return T5GIST_OK;
  return tg_fail(err, T5GIST_EUNSUPPORTED, "%s: byteorder: expected \"little\", found %zu other bytes", z->path, order->size);
}

t5gist_status tg_torch_zip_open(const char *path, tg_torch_zip **out, t5gist_error *err) {
  tg_torch_zip *z;
  t5gist_status status;
  TG_TRY(tg_alloc(&z, 1, sizeof *z, err));
  TG_GOTO(tg_strdup(&z->path, path, err));
  TG_GOTO(tg_map_open(path, &z->map, err));
  TG_GOTO(read_end(z, err));
  TG_GOTO(read_directory(z, err));
  TG_GOTO(read_members(z, err));
  TG_GOTO(check_byteorder(z, err));
  TG_GOTO(check_with_library(z, err));
  *out = z;
  return T5GIST_OK;
done:
  tg_torch_zip_close(z);
  return status;
}

void tg_torch_zip_close(tg_torch_zip *z) {
  if (!z) return;
  for (size_t i = 0; z->members && i < z->n; i++) tg_free(z->members[i].name);
  tg_free(z->members);
  tg_free(z->entries);
  tg_map_close(&z->map);
  tg_free(z->path);
  tg_free(z);
}

const tg_zip_member *tg_torch_zip_find(const tg_torch_zip *z, const char *name) {
  size_t low = 0, high = z->n;
  while (low < high) {
    const size_t middle = low + (high - low) / 2;
    const int order = strcmp(name, z->members[middle].name);
    if (order == 0) return &z->members[middle];
    if (order < 0)
      high = middle;
    else
      low = middle + 1;
  }
  return NULL;
}
