/* What a training run is to do, as a YAML file says it (configs/ explains each key). */
#ifndef T5GIST_TRAINING_RECIPE_H
#define T5GIST_TRAINING_RECIPE_H

#include <jansson.h>

#include "runtime/fields.h"
#include "training/batch.h"
#include "training/optimiser.h"

enum { TG_MAX_SETS = 16 }; /* evaluation sets */

typedef enum tg_compute { TG_COMPUTE_F32 = 0, TG_COMPUTE_BF16, TG_COMPUTE_AUTO } tg_compute; /* auto: bf16 where the processor multiplies it */

typedef struct tg_recipe_set {
  char *name, *path; /* name: letters, digits, - _ . */
} tg_recipe_set;

typedef struct tg_recipe {
  char *model; /* a Hugging Face folder; null: from scratch by shape */
  char *out;
  char *template_task, *template_input; /* null: the model's, or T5Config's */
  /* from scratch */
  char *shape;                                                  /* one of FLAN-T5's names, or null: every number is given */
  int d_model, d_kv, d_ff, n_heads, n_layers, n_decoder_layers; /* T5GIST_UNSET: by shape */
  int buckets, max_distance, activation;
  float head_factor; /* of an untied head's first weights */
  bool tied;
  char *vocab_from; /* folder whose tokenizer is taken; null: one is trained on the data */
  int vocab_size;
  float vocab_coverage;
  bool vocab_bytes, vocab_split_digits;
  int vocab_sentences;                  /* so many lines at most; 0: all */
  tg_strings vocab_pieces, vocab_texts; /* vocab_texts: files; none: data.train */
  /* data */
  char *train, *cache;
  tg_strings eval_texts; /* NAME=PATH */
  tg_recipe_set sets[TG_MAX_SETS];
  int n_sets;
  char *task_field, *input_field, *target_field, *split_field, *family_field;
  int max_source, max_target;
  int block; /* so many examples, one after the other in the file, stay together in the shuffled order; a smaller rest is left out */
  bool shuffle; /* false: blocks in the order of the file, again and again */
  bool truncate_target, skip_bad;
  /* what is trained */
  float conditions[TG_N_CONDITIONS];
  tg_strings gist_texts;
  int gists[TG_MAX_TRAINED_GISTS], n_gists, most_gists;
  int distinct_gists, default_gists; /* T5GIST_UNSET: as the folder has them, or one row repeated; the most that are trained */
  float cross_entropy, kl_forward, kl_reverse, match, smoothing;
  float rebuild, rebuild_share, rebuild_until, copy, copy_share;
  char *teacher; /* a folder, or "start"; null: none */
  int teacher_condition;
  /* how */
  int steps, batch_examples, micro_tokens;
  int compute; /* of linear layers' products: tg_compute */
  int optimiser, schedule, warmup;
  float rate, final_rate, beta1, beta2, eps, weight_decay, clip, gist_factor, average, dropout;
  bool scale_q, share_tasks, fixed_order;
  uint64_t seed;
  int threads; /* T5GIST_UNSET: the cores this process may use */
  /* what is kept */
  int eval_every, eval_examples, save_every, keep;
  tg_strings eval_conditions; /* none: those that are trained */
  char *best;                 /* SET/CONDITION/MEASURE; null: the first set's first condition's loss */
  int save_dtype;             /* 0: f32, 1: bf16 */
  bool log, tensorboard;
} tg_recipe;

/* Reads a recipe that is to be checked yet. *recipe is the caller's to free, also after a failure. */
t5gist_status tg_recipe_read(const char *path, tg_recipe *recipe, t5gist_error *err);
/* Checks what can be checked without files and fills what follows from the keys (gists, sets); again after every change. path: for messages. */
t5gist_status tg_recipe_check(const char *path, tg_recipe *recipe, t5gist_error *err);
/* Both. */
t5gist_status tg_recipe_load(const char *path, tg_recipe *recipe, t5gist_error *err);
void tg_recipe_free(tg_recipe *recipe);

/* The keys with their values as an object, a new reference; null: no memory. */
json_t *tg_recipe_json(const tg_recipe *recipe);
/* Refuses to go on with `recipe` what was begun with `before` (tg_recipe_json), by the name of the first key that differs; keys that change what
 * is kept and shown, `steps` and `threads` may differ. */
t5gist_status tg_recipe_same(const tg_recipe *recipe, const json_t *before, t5gist_error *err);

bool tg_recipe_has_teacher(const tg_recipe *recipe);
/* What step `step` of the run draws: rebuild ends with its share of the steps. */
tg_batch_options tg_recipe_batch(const tg_recipe *recipe, int step);
tg_optimiser_options tg_recipe_optimiser(const tg_recipe *recipe);
tg_schedule tg_recipe_schedule(const tg_recipe *recipe);

#endif
