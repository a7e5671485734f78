#include "runtime/hash.h"

#include <stdint.h>

void tg_sha256_begin(tg_sha256 *hash) {
  sha256_init(hash);
}

void tg_sha256_add(tg_sha256 *hash, const void *data, size_t n) {
  sha256_update(hash, n, data);
}

void tg_sha256_end(tg_sha256 *hash, char hex[TG_SHA256_HEX]) {
  uint8_t digest[SHA256_DIGEST_SIZE];
  sha256_digest(hash, sizeof digest, digest);
  for (size_t i = 0; i < sizeof digest; i++) {
    hex[2 * i] = "0123456789abcdef"[digest[i] >> 4];
    hex[2 * i + 1] = "0123456789abcdef"[digest[i] & 15];
  }
  hex[2 * sizeof digest] = 0;
}

void tg_sha256_hex(const void *data, size_t n, char hex[TG_SHA256_HEX]) {
  tg_sha256 hash;
  tg_sha256_begin(&hash);
  tg_sha256_add(&hash, data, n);
  tg_sha256_end(&hash, hex);
}
