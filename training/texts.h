/* The texts of a recipe as a corpus: what its vocabulary is learned from. */
#ifndef T5GIST_TRAINING_TEXTS_H
#define T5GIST_TRAINING_TEXTS_H

#include "training/recipe.h"

/* Trains the vocabulary that the recipe describes and writes dir/spiece.model. */
t5gist_status tg_texts_vocabulary(const tg_recipe *recipe, const char *dir, t5gist_error *err);

#endif
