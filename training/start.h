/* Where a run starts from: a Hugging Face folder, or a shape with random weights and a vocabulary of its own; and the teacher. */
#ifndef T5GIST_TRAINING_START_H
#define T5GIST_TRAINING_START_H

#include "training/recipe.h"

typedef struct tg_start {
  char *dir;        /* holds config.json and the tokenizer: the recipe's model, or made under the run's folder */
  tg_config config; /* with the vocabulary, the gist rows and the templates of the model that is trained */
  tg_tokenizer *tokenizer;
  tg_layout layout; /* of config */
  bool *fresh;      /* [config.n_gist_ids] gist rows that the folder does not have yet */
  int32_t repeated; /* the folder's only gist row, as which fresh ones begin; -1: they begin as the mean of the rows of text */
  int text_rows;    /* rows of the vocabulary that text can reach; gist rows stand behind */
} tg_start;

/* make: the folder of a run from scratch (run_dir/start) is written if it is not there yet; otherwise it must be. *start is the caller's, also
 * after a failure. */
t5gist_status tg_start_open(const tg_recipe *recipe, const char *run_dir, bool make, tg_start *start, t5gist_error *err);
void tg_start_close(tg_start *start); /* zeroed or opened */
/* The weights that the run begins with, q unscaled. weights [layout.count]. */
t5gist_status tg_start_weights(const tg_recipe *recipe, const tg_start *start, float *weights, t5gist_error *err);

/* A frozen model: the start's own weights, or another folder with the same tokenizer, whose vocabulary is brought to the student's size. */
typedef struct tg_teacher {
  tg_config config;
  tg_layout layout;
  float *weights; /* [layout.count], q unscaled; null until loaded */
} tg_teacher;
t5gist_status tg_teacher_open(const tg_recipe *recipe, const tg_start *start, tg_teacher *teacher, t5gist_error *err);
t5gist_status tg_teacher_load(const tg_recipe *recipe, const tg_start *start, tg_teacher *teacher, t5gist_error *err);
void tg_teacher_close(tg_teacher *teacher); /* zeroed or opened */

#endif
