/* Writing a model's folder: every file is written beside its place and brought to disk before the first is renamed, so that a full disk leaves the
 * folder as it was. */
#ifndef T5GIST_T5_FOLDER_WRITER_H
#define T5GIST_T5_FOLDER_WRITER_H

#include <jansson.h>

#include "runtime/file.h"
#include "runtime/safetensors.h"

enum { TG_FOLDER_WRITER_FILES = 8 };

/* Zero-initialise but for dir, which is borrowed. */
typedef struct tg_folder_writer {
  const char *dir;
  tg_writer *writers[TG_FOLDER_WRITER_FILES]; /* [n] */
  const char *names[TG_FOLDER_WRITER_FILES];  /* [n] of literals */
  size_t n;
} tg_folder_writer;

/* Makes dir and opens model.safetensors in it with the header of tensors, whose bytes are the caller's to write. */
t5gist_status tg_folder_writer_weights(tg_folder_writer *folder, const tg_tensor *tensors, size_t n, tg_writer **writer, t5gist_error *err);
/* What belongs to a model beside config.json and weights (its tokenizer, generation_config.json), from another folder, as far as it is there; or the
 * tokenizer alone. A file of this kind that dir has, and neither from_dir nor what was written before, is another model's and refused; check does
 * only this. */
t5gist_status tg_folder_writer_check(const char *dir, const char *from_dir, t5gist_error *err);
t5gist_status tg_folder_writer_copy(tg_folder_writer *folder, const char *from_dir, t5gist_error *err);
t5gist_status tg_folder_writer_copy_tokenizer(tg_folder_writer *folder, const char *from_dir, t5gist_error *err);
t5gist_status tg_folder_writer_json(tg_folder_writer *folder, const char *name, const json_t *json, t5gist_error *err);
/* Everything to disk, then renamed in the order of opening: config.json is to be the last, and a folder that has one is complete. An older
 * config.json goes before the first renaming: whoever kills the program between the two finds a folder that is refused, never one of two models. Ends
 * the writing, also on failure. */
t5gist_status tg_folder_writer_commit(tg_folder_writer *folder, t5gist_error *err);
void tg_folder_writer_abort(tg_folder_writer *folder); /* after a commit, too */

/* config.json's word for the type of all weights: transformers 4 calls it torch_dtype, later versions dtype. False: no memory. */
bool tg_folder_set_dtype(json_t *config, tg_dtype dtype);

#endif
