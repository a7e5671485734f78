/* Seeded random checkpoints of every FLAN-T5 shape and odd variant. The numbers come from a counter-based generator that
 * tests/golden/synthetic.py repeats exactly: golden answers need no stored weights. */
#ifndef T5GIST_T5_SYNTHETIC_H
#define T5GIST_T5_SYNTHETIC_H

#include <stdint.h>

#include "runtime/linear.h"

/* vocab_size -1: 32101, the published gist checkpoints'. */
t5gist_status tg_synthetic_write(const char *out_dir, const char *shape, const char *variant, uint64_t seed, int vocab_size,
                                 const char *tokenizer_dir, t5gist_error *err);

/* The same checkpoint as tg_convert makes it in int8, or in int4 by search, the numbers in f32 never written: a quarter of the space or less. It has
 * a fingerprint of its own. TG_PRECISION_F32: tg_synthetic_write. */
t5gist_status tg_synthetic_write_as(tg_precision precision, const char *out_dir, const char *shape, const char *variant, uint64_t seed,
                                    int vocab_size, const char *tokenizer_dir, t5gist_error *err);

#endif
