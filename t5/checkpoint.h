/* The weights of a Hugging Face folder by name: model.safetensors, or the shards that model.safetensors.index.json lists; and the model's
 * fingerprint. */
#ifndef T5GIST_T5_CHECKPOINT_H
#define T5GIST_T5_CHECKPOINT_H

#include "runtime/hash.h"
#include "runtime/linear.h"
#include "runtime/safetensors.h"

typedef struct tg_checkpoint tg_checkpoint;

/* Whose type tells what a folder was converted to: I8 int8, U8 int4. */
#define TG_TELLING_TENSOR "decoder.block.0.layer.0.SelfAttention.q.weight"

/* Maps every file and checks it. A folder with only pytorch_model.bin is refused with the command that converts it. */
t5gist_status tg_checkpoint_open(const char *dir, tg_checkpoint **checkpoint, t5gist_error *err);
void tg_checkpoint_close(tg_checkpoint *checkpoint); /* null is allowed */
size_t tg_checkpoint_files(const tg_checkpoint *checkpoint);
const tg_safetensors *tg_checkpoint_file(const tg_checkpoint *checkpoint, size_t i);
const tg_tensor *tg_checkpoint_find(const tg_checkpoint *checkpoint, const char *name); /* null: not there */

/* The tensor of this name, f32, bf16 or f16, with exactly this shape (n_dims of dims); else a sentence with expected and found. */
t5gist_status tg_checkpoint_get(const tg_checkpoint *checkpoint, const char *name, const size_t *dims, int n_dims, const tg_tensor **tensor, t5gist_error *err);

/* Likewise a matrix [n_out, n_in], borrowed from the mapping, which may also be in 8 bits (I8) or 4 (U8 [n_out, tg_int4_row_bytes(n_in)]) with its scales in
 * the tensor NAME_scale (F32 [n_out], not negative; BF16 [n_out, groups], of either sign; finite): then *scales is a new array of them, matrix->scales too,
 * the caller's to free; else null. */
t5gist_status tg_checkpoint_get_matrix(const tg_checkpoint *checkpoint, const char *name, size_t n_out, size_t n_in, tg_matrix *matrix, float **scales,
                                       t5gist_error *err);

/* SHA-256 over config.json, the tokenizer file and the weight files, each as (name's role, size, SHA-256 of its bytes): docs/FORMATS.md. A weight file's own
 * SHA-256 is computed once and remembered by (device, inode, size, mtime) under $XDG_CACHE_HOME/t5gist; an unwritable cache only costs time.
 * weights: [n_weights] paths, in name order. */
t5gist_status tg_fingerprint(const char *config_path, const char *tokenizer_path, const char *const *weights, size_t n_weights, char hex[TG_SHA256_HEX],
                             t5gist_error *err);
t5gist_status tg_checkpoint_fingerprint(const tg_checkpoint *checkpoint, const char *dir, const char *tokenizer_path, char hex[TG_SHA256_HEX], t5gist_error *err);

#endif
