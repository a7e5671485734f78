/* Lists of whole numbers in configurations: fields take lists of strings, this makes numbers of them. */
#ifndef T5GIST_RUNTIME_NUMBERS_H
#define T5GIST_RUNTIME_NUMBERS_H

#include "runtime/fields.h"

enum { TG_MAX_NUMBERS = 32 };
typedef struct tg_numbers {
  int values[TG_MAX_NUMBERS], count;
} tg_numbers;

/* The numbers of a list, each within least .. greatest; of an empty list: fallback alone. key begins the messages. */
t5gist_status tg_numbers_read(const tg_strings *texts, const char *key, int least, int greatest, int fallback, tg_numbers *out, t5gist_error *err);

#endif
