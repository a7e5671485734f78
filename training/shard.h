/* The cache of tokenised examples: a file that is mapped, made anew whenever it is not exactly what is wanted. Bytes are this machine's own
 * (docs/FORMATS.md). */
#ifndef T5GIST_TRAINING_SHARD_H
#define T5GIST_TRAINING_SHARD_H

#include <jansson.h>

#include "runtime/file.h"
#include "runtime/hash.h"
#include "training/data.h"

/* One example: ids begin .. of task, input and target, one after the other. */
typedef struct tg_shard_example {
  uint64_t begin, task_hash;
  uint32_t n_task, n_input, n_target;
  int32_t family, split; /* -1: none */
  uint32_t zero;
} tg_shard_example;

typedef struct tg_shard {
  tg_map map;
  const int32_t *ids;
  const tg_shard_example *examples; /* [n_examples] */
  size_t n_examples;
  const char **names; /* [n_families + n_splits] borrowed from the mapping, families first */
  size_t n_families, n_splits;
  tg_data_report report;
} tg_shard;

/* Opens the shard of key at path and checks all of it: whole, made by this version on such a machine, ids below vocab_size, lengths within limits. */
t5gist_status tg_shard_open(const char *path, const char key[TG_SHA256_HEX], int vocab_size, tg_shard *shard, t5gist_error *err);
void tg_shard_close(tg_shard *shard); /* zeroed or open */

/* Writes one, atomically: ids go to disk as they come. */
typedef struct tg_shard_writer tg_shard_writer;
t5gist_status tg_shard_create(const char *path, const char key[TG_SHA256_HEX], tg_shard_writer **writer, t5gist_error *err);
t5gist_status tg_shard_add(tg_shard_writer *writer, const tg_example *example, t5gist_error *err);
/* families, splits: objects of name to number, numbered from 0 in the order of insertion. Frees the writer, also on failure. */
t5gist_status tg_shard_finish(tg_shard_writer *writer, const json_t *families, const json_t *splits, const tg_data_report *report, t5gist_error *err);
void tg_shard_abort(tg_shard_writer *writer); /* null is allowed */

#endif
