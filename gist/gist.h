/* The gist: one compressed task. */
#ifndef T5GIST_GIST_GIST_H
#define T5GIST_GIST_GIST_H

#include "t5/decoder.h"
#include "t5/encoder.h"
#include "t5gist/t5gist.h"

enum { TG_GIST_FORMAT_VERSION = 1, TG_MAX_GISTS = 1024 };

struct t5gist_gist {
  int n_gist, n_task;                        /* n_task: tokens of the task that it stands for */
  int n_layers, n_decoder_layers, n_heads, d_kv, d_model;
  float *enc_k, *enc_v;                      /* [n_layers, n_heads, n_gist, d_kv] */
  float *states;                             /* [n_gist, d_model] */
  float *cross_k, *cross_v;                  /* [n_decoder_layers, n_heads, n_gist, d_kv]; always there once attached to a model */
  char *task, *template_task, *template_input;
  char task_sha256[TG_SHA256_HEX], fingerprint[TG_SHA256_HEX];
  char *program_version, *computed_with, *payload;
  bool from_file, file_has_cross;
  const t5gist_model *model;                 /* null: described only */
};

t5gist_status tg_gist_encode(const t5gist_model *model, tg_workspace *workspace, const char *task, int gists, t5gist_gist **gist, t5gist_error *err);

/* gist_file.c: the file of docs/FORMATS.md. */
t5gist_status tg_gist_write(const t5gist_gist *gist, t5gist_payload payload, bool cross, tg_buffer *out, t5gist_error *err);
t5gist_status tg_gist_read(const char *path, t5gist_gist **gist, t5gist_error *err); /* not attached */
/* Refuses another model or template; projects cross K and V if the file has none. */
t5gist_status tg_gist_attach(const t5gist_model *model, const char *path, t5gist_gist *gist, t5gist_error *err);

#endif
