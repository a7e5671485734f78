/* Rewriting checkpoints: pytorch_model.bin (restricted pickle, t5/torch_bin.h) or safetensors, sharded or not, to one safetensors folder. */
#ifndef T5GIST_T5_CONVERT_H
#define T5GIST_T5_CONVERT_H

#include "t5/round4.h"
#include "t5gist/tools.h"

/* dtype: "f32", "bf16", "int8", "int4" or null (as stored). int8: the matrices of linear layers become bytes by tg_quantize_row, row by row, the
 * scales of "X.weight" beside it in "X.weight_scale"; everything else stays as stored. int4: those that tg_layer_precision says become nibbles and
 * scales (runtime/int4.h), a tied head included, the others bytes; an embedding in f32 becomes bf16. wo_dtype: with int8 and int4 alone, what the
 * folder is to compute wo in by default, the name of a tg_precision (one that is not computed in bits is kept as stored, or in bf16) or null
 * (int8x16, the loader's default). */
typedef struct tg_conversion {
  const char *dtype, *wo_dtype;
  tg_rounding rounding;              /* int4 */
  const tg_calibration *calibration; /* int4, TG_ROUND_CALIBRATED */
  int threads;                       /* int4: that round; below 1: 1 */
  t5gist_progress *progress;
  void *user;
} tg_conversion;

/* Streams tensor by tensor. out_dir is made; its files are written atomically, config.json last, with the source's fingerprint in its "t5gist" block.
 * */
t5gist_status tg_convert(const char *in_dir, const char *out_dir, const tg_conversion *how, t5gist_error *err);

#endif
