/* The weight_map of *.index.json: which file holds which tensor. */
#ifndef T5GIST_T5_SHARDS_H
#define T5GIST_T5_SHARDS_H

#include <jansson.h>

#include "t5gist/types.h"

typedef struct tg_shards {
  json_t *json;
  const json_t *map;  /* weight_map: tensor name to file name, borrowed from json */
  const char **names; /* [n] distinct file names, sorted, borrowed from json */
  size_t n;
} tg_shards;

/* Reads an index whose file names all end with suffix and lie in the index's own folder. */
t5gist_status tg_shards_read(const char *path, const char *suffix, tg_shards *shards, t5gist_error *err);
void tg_shards_free(tg_shards *shards); /* zeroed or read */

#endif
