/* How convert rounds to 4 bits: tried, and the best taken. */
#ifndef T5GIST_GIST_ROUNDING_H
#define T5GIST_GIST_ROUNDING_H

#include "t5gist/tools.h"

/* t5gist_convert with dtype "int4". */
t5gist_status tg_convert_int4(const char *in_dir, const char *out_dir, const t5gist_conversion *conversion, t5gist_error *err);

#endif
