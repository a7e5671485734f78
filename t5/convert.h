/* Rewriting checkpoints: pytorch_model.bin (restricted pickle, t5/torch_bin.h) or safetensors, sharded or not, to one safetensors folder. */
#ifndef T5GIST_T5_CONVERT_H
#define T5GIST_T5_CONVERT_H

#include "t5gist/tools.h"

/* dtype: "f32", "bf16", "int8" or null (as stored). int8: the matrices of linear layers become bytes by tg_quantize_row, row by row, the scales of
 * "X.weight" beside it in "X.weight_scale"; everything else stays as stored. wo_dtype: with int8 alone, what the folder is to compute wo in by default,
 * "f32" (kept as stored), "bf16", "int8", "int8x16" or null (the loader's default). Streams tensor by tensor. out_dir is made; its files are written atomically, config.json last, with
 * the source's fingerprint in its "t5gist" block. */
t5gist_status tg_convert(const char *in_dir, const char *out_dir, const char *dtype, const char *wo_dtype, t5gist_progress *progress, void *user, t5gist_error *err);

#endif
