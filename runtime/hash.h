/* SHA-256 (nettle). */
#ifndef T5GIST_RUNTIME_HASH_H
#define T5GIST_RUNTIME_HASH_H

#include <nettle/sha2.h>
#include <stddef.h>

enum { TG_SHA256_HEX = 65 }; /* 64 digits and NUL */

typedef struct sha256_ctx tg_sha256;
void tg_sha256_begin(tg_sha256 *hash);
void tg_sha256_add(tg_sha256 *hash, const void *data, size_t n);
void tg_sha256_end(tg_sha256 *hash, char hex[TG_SHA256_HEX]);
void tg_sha256_hex(const void *data, size_t n, char hex[TG_SHA256_HEX]);

#endif
