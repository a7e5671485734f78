/* Characters as Python 3.11 sees them (Unicode 14.0): lower case and what belongs to a word. Internal to measure/. */
#ifndef T5GIST_MEASURE_UNICODE_H
#define T5GIST_MEASURE_UNICODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes of the character at the start of text, which must be valid UTF-8 and not at its end; *c is its code point. */
size_t tg_unicode_next(const char *text, uint32_t *c);
/* Writes c, a code point, as UTF-8 to out[4]. Returns the number of bytes. */
size_t tg_unicode_put(uint32_t c, char *out);

/* str.lower, character by character: 1 or 2 code points in lower[2]. (2 only for U+0130. A capital sigma always becomes U+03C3, where Python
 * writes U+03C2 at the end of a word.) */
int tg_unicode_lower(uint32_t c, uint32_t lower[2]);
/* \w of Python's regular expressions: a letter, a number or the underscore. */
bool tg_unicode_is_word(uint32_t c);

#endif
