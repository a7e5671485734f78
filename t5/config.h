/* config.json, its "t5gist" block, and generation_config.json. Names are Hugging Face's; absent keys take T5Config's defaults. */
#ifndef T5GIST_T5_CONFIG_H
#define T5GIST_T5_CONFIG_H

#include <jansson.h>

#include "runtime/kernels.h"
#include "t5gist/t5gist.h"

typedef enum tg_head {
  TG_HEAD_FILE,           /* lm_head.weight, which must be there */
  TG_HEAD_FILE_OR_SHARED, /* lm_head.weight if the file has it (transformers 5 configs) */
  TG_HEAD_SHARED          /* the shared embedding, whatever the file has */
} tg_head;

typedef struct tg_config {
  char model_type[16]; /* "t5" or "mt5" */
  int vocab_size, d_model, d_kv, d_ff, n_heads, n_layers, n_decoder_layers;
  int n_buckets, max_distance; /* relative_attention_num_buckets, relative_attention_max_distance */
  float eps;                   /* layer_norm_epsilon */
  tg_activation activation;
  bool gated;
  tg_head head;
  bool scale_decoder_output;   /* by d_model^-0.5, before the head */
  int pad_id, eos_id, start_id;

  /* The "t5gist" block. n_gist_ids 0: absent (tg_find_gist_ids then looks at vocabulary and added tokens). */
  int32_t *gist_ids;           /* [n_gist_ids] owned */
  int n_gist_ids, default_gists, max_task_tokens;
  char *template_task, *template_input; /* owned; each contains its placeholder once */
  char *source_fingerprint;    /* owned; null unless convert wrote it */
  int wo_precision;            /* tg_precision that convert was told to keep wo in; T5GIST_UNSET */
  json_t *json;                /* owned; the whole config.json, for convert */

  t5gist_options generation;   /* generation_config.json: what it sets; else unset */
} tg_config;

/* Says what is wrong where dir is not a folder with a config.json. */
t5gist_status tg_config_check_dir(const char *dir, t5gist_error *err);

/* Reads dir/config.json and, where present, dir/generation_config.json. Refuses unsupported model types by name and every value out of range. */
t5gist_status tg_config_load(const char *dir, tg_config *config, t5gist_error *err);
void tg_config_free(tg_config *config); /* zeroed or loaded */

#endif
