#include "runtime/numbers.h"

#include "runtime/error.h"

t5gist_status tg_numbers_read(const tg_strings *texts, const char *key, int least, int greatest, int fallback, tg_numbers *out, t5gist_error *err) {
  if (texts->count > TG_MAX_NUMBERS)
    return tg_fail(err, T5GIST_EFORMAT, "%s: expected at most %d values, found %zu", key, TG_MAX_NUMBERS, texts->count);
  *out = (tg_numbers){.values = {fallback}, .count = 1};
  if (texts->count == 0) return T5GIST_OK;
  out->count = (int)texts->count;
  const tg_field field = {.name = key, .type = TG_FIELD_INT, .min = least, .max = greatest};
  for (size_t i = 0; i < texts->count; i++) TG_TRY(tg_field_set_text(&field, &out->values[i], texts->items[i], key, err));
  return T5GIST_OK;
}
