/* The gist: one compressed task. */
#ifndef T5GIST_GIST_GIST_H
#define T5GIST_GIST_GIST_H

#include "gist/model.h"
#include "t5/decoder.h"
#include "t5/encoder.h"
#include "t5gist/t5gist.h"

enum { TG_GIST_FORMAT_VERSION = 1, TG_MAX_GISTS = 1024 };
/* Bytes of a gist file at most: far beyond 1024 gists of the largest model, and it spares reading a weight file given by mistake. */
#define TG_GIST_FILE_LIMIT ((size_t)1 << 31)

struct t5gist_gist {
  int n_gist, n_task;                                     /* n_task: tokens of the task that it stands for */
  int n_layers, n_decoder_layers, n_heads, d_kv, d_model; /* n_decoder_layers 0: from a file without cross K and V, not attached */
  float *enc_k, *enc_v;                                   /* [n_layers, n_heads, n_gist, d_kv] */
  float *states;                                          /* [n_gist, d_model] */
  float *cross_k, *cross_v;                               /* [n_decoder_layers, n_heads, n_gist, d_kv]; always there once attached to a model */
  char *task, *template_task, *template_input;
  char task_sha256[TG_SHA256_HEX], fingerprint[TG_SHA256_HEX];
  char *program_version, *computed_with;
  const char *payload; /* static: "f32" or "bf16" */
  bool from_file, from_store, file_has_cross;
  const t5gist_model *model; /* null: described only */
};

/* An empty gist whose dimension fields are set already; allocates enc_k, enc_v and states, and with cross also cross_k and cross_v. */
t5gist_status tg_gist_allocate(t5gist_gist *gist, bool cross, t5gist_error *err);
/* Values of one enc (layers = n_layers) or cross (n_decoder_layers) tensor. False when that overflows. */
bool tg_gist_values(const t5gist_gist *gist, int layers, size_t *count);

/* The beginning of a prompt: task, then gist tokens. */
typedef struct tg_gist_part {
  const char *task;
  const int32_t *ids; /* [n_task + n_gist] */
  int n_task, n_gist;
  t5gist_gist *gist; /* out, the caller's */
} tg_gist_part;

/* Compresses several tasks in one packed encoder pass; all or none. */
t5gist_status tg_gist_encode_parts(const t5gist_model *model, tg_workspace *workspace, tg_gist_part *parts, int n_parts, t5gist_error *err);
t5gist_status tg_gist_encode(const t5gist_model *model, tg_workspace *workspace, const char *task, int gists, t5gist_gist **gist, t5gist_error *err);

/* gist_file.c: the file of docs/FORMATS.md. */
t5gist_status tg_gist_write(const t5gist_gist *gist, t5gist_payload payload, bool cross, tg_buffer *out, t5gist_error *err);
t5gist_status tg_gist_read(const char *path, t5gist_gist **gist, t5gist_error *err); /* not attached */
t5gist_status tg_gist_parse(const void *data, size_t size, const char *name, t5gist_gist **gist,
                            t5gist_error *err); /* the same over bytes; name for messages */

/* Whether the bytes are a gist file's and whole: finds the checksum's digits and compares. Fills stored and computed where it gets that far. */
typedef struct tg_gist_checksum {
  char stored[TG_SHA256_HEX], computed[TG_SHA256_HEX];
} tg_gist_checksum;
t5gist_status tg_gist_check_bytes(const unsigned char *data, size_t size, const char *name, tg_gist_checksum *checksum, t5gist_error *err);

/* Refuses a gist of another model or template; name: the file, for messages. */
t5gist_status tg_gist_matches(const t5gist_model *model, const char *name, const t5gist_gist *gist, t5gist_error *err);
/* The same, then makes it usable: projects cross K and V if the file has none. */
t5gist_status tg_gist_attach(const t5gist_model *model, const char *path, t5gist_gist *gist, t5gist_error *err);

#endif
