/* Training data: JSONL (one object per line) or a JSON list of objects, with configurable field names; tokenised once into a shard that is mapped
 * ever after. */
#ifndef T5GIST_TRAINING_DATA_H
#define T5GIST_TRAINING_DATA_H

#include "t5/config.h"
#include "t5/tokenizer.h"

typedef struct tg_data_options {
  /* Null: "instruction", "input", "output", so that Alpaca+ files load as they are. A missing input is an empty one. */
  const char *task_field, *input_field, *target_field;
  const char *split_field, *family_field; /* null: none; kept as a number into names; a record may lack them */
  int max_source, max_target;             /* tokens of task + gist + input (with end token), and of the target (with end token) */
  /* A longer source: the input is cut and keeps its end token (the reference cuts the whole source at its end); where not one token of it has room,
   * the example is left out. A longer target is cut, as the reference does (its end token goes), or else the example is left out. */
  bool truncate_target;
  bool skip_bad; /* lines that are no such object are reported with their number and left out; else fatal */
  int gists;     /* the most gist tokens of the recipe: room kept for them within max_source */
} tg_data_options;

/* One example, borrowed from the mapping. Template words are in task and input already; no gist ids, no end token in task; input and target end with
 * the end token. */
typedef struct tg_example {
  const int32_t *task, *input, *target;
  int n_task, n_input, n_target;
  int family, split;  /* -1: none */
  uint64_t task_hash; /* examples of one task have the same */
} tg_example;

typedef struct tg_data tg_data;

typedef struct tg_data_report {
  size_t lines, bad, examples; /* records; those that are no examples; what is left */
  size_t empty, too_long, cut; /* without target, or without task and input: left out; left out for their length; shortened and kept */
  size_t no_input;             /* records without the input's field */
  size_t first_too_long;       /* number (line, place in the list) of the first record that was, 0: none */
  size_t task_tokens, input_tokens, target_tokens;
} tg_data_report;

/* Opens the shard of path under cache_dir, making it when there is none that fits (key: SHA-256 of file content, tokenizer file, template, options).
 * on_bad: one call per bad line, may be null; message names file and line; none when the shard was there already. A file without one example is an
 * error. The tokenizer is only read while opening. Thread-safe after opening. */
typedef void tg_data_bad(void *user, size_t line, const char *message);
t5gist_status tg_data_open(const char *path, const char *cache_dir, const tg_config *config, const tg_tokenizer *tokenizer,
                           const tg_data_options *options, tg_data_bad *on_bad, void *user, tg_data **data, t5gist_error *err);
void tg_data_close(tg_data *data); /* null is allowed */
size_t tg_data_count(const tg_data *data);
tg_example tg_data_at(const tg_data *data, size_t i);
const tg_data_report *tg_data_report_of(const tg_data *data); /* of when the shard was made */
/* Names, borrowed; null for -1. */
const char *tg_data_family(const tg_data *data, int family);
const char *tg_data_split(const tg_data *data, int split);

/* The example that stands at place i of an endless shuffled order: every epoch is a permutation of its own, by (seed, epoch) alone, computed without
 * state (a Feistel network over the next power of two, walking past what is out of range). */
size_t tg_data_shuffled(size_t count, uint64_t seed, uint64_t i);

#endif
