#include <string.h>

#include "hostile.h"

const hostile_format *const hostile_formats[] = {
    &hostile_safetensors, &hostile_torch_bin,         &hostile_pickle, &hostile_index,   &hostile_model, &hostile_spiece,  &hostile_tokenizer_json,
    &hostile_config,      &hostile_generation_config, &hostile_yaml,   &hostile_records, &hostile_gist,  &hostile_inspect, &hostile_store,
    &hostile_store_use,   &hostile_shard,             &hostile_snapshot,
    &hostile_added_tokens, &hostile_tokenizer_config, NULL};

const hostile_format *hostile_find(const char *name) {
  for (const hostile_format *const *f = hostile_formats; *f; f++)
    if (strcmp((*f)->name, name) == 0) return *f;
  return NULL;
}
