#include "gist/gist.h"

#include <stdio.h>
#include <string.h>

#include "gist/prompt.h"
#include "gist/session.h"
#include "runtime/clock.h"
#include "runtime/cpu.h"
#include "runtime/error.h"

bool tg_gist_values(const t5gist_gist *gist, int layers, size_t *count) {
  return tg_size_mul((size_t)layers, (size_t)gist->n_heads, count) && tg_size_mul(*count, (size_t)gist->n_gist, count) &&
         tg_size_mul(*count, (size_t)gist->d_kv, count);
}

t5gist_status tg_gist_allocate(t5gist_gist *gist, bool cross, t5gist_error *err) {
  size_t encoder, decoder, states;
  if (!tg_gist_values(gist, gist->n_layers, &encoder) || !tg_gist_values(gist, gist->n_decoder_layers, &decoder) ||
      !tg_size_mul((size_t)gist->n_gist, (size_t)gist->d_model, &states)) {
    return tg_fail(err, T5GIST_ENOMEM, "a gist of %d tokens is too large", gist->n_gist);
  }
  TG_TRY(tg_alloc(&gist->enc_k, encoder, sizeof(float), err));
  TG_TRY(tg_alloc(&gist->enc_v, encoder, sizeof(float), err));
  TG_TRY(tg_alloc(&gist->states, states, sizeof(float), err));
  if (!cross) return T5GIST_OK;
  TG_TRY(tg_alloc(&gist->cross_k, decoder, sizeof(float), err));
  return tg_alloc(&gist->cross_v, decoder, sizeof(float), err);
}

void t5gist_gist_free(t5gist_gist *gist) {
  if (gist == NULL) return;
  tg_free(gist->enc_k);
  tg_free(gist->enc_v);
  tg_free(gist->states);
  tg_free(gist->cross_k);
  tg_free(gist->cross_v);
  tg_free(gist->task);
  tg_free(gist->template_task);
  tg_free(gist->template_input);
  tg_free(gist->program_version);
  tg_free(gist->computed_with);
  tg_free(gist);
}

/* -------------------------------------------------------------------------------------------------------------------------- encoding */

static t5gist_status new_gist(const t5gist_model *model, const tg_gist_part *part, t5gist_gist **out, t5gist_error *err) {
  const tg_config *c = &model->t5->config;
  char computed_with[sizeof model->computed_in + 32];
  snprintf(computed_with, sizeof computed_with, "%s %s", model->computed_in, tg_isa_name(tg_cpu_isa()));
  t5gist_gist *gist;
  TG_TRY(tg_alloc(&gist, 1, sizeof *gist, err));
  *gist = (t5gist_gist){.n_gist = part->n_gist,
                        .n_task = part->n_task,
                        .n_layers = c->n_layers,
                        .n_decoder_layers = c->n_decoder_layers,
                        .n_heads = c->n_heads,
                        .d_kv = c->d_kv,
                        .d_model = c->d_model,
                        .payload = "f32",
                        .model = model};
  *out = gist; /* from here on the caller's to free */
  memcpy(gist->fingerprint, model->t5->fingerprint, sizeof gist->fingerprint);
  tg_sha256_hex(part->task, strlen(part->task), gist->task_sha256);
  TG_TRY(tg_gist_allocate(gist, true, err));
  TG_TRY(tg_strdup(&gist->task, part->task, err));
  TG_TRY(tg_strdup(&gist->template_task, c->template_task, err));
  TG_TRY(tg_strdup(&gist->template_input, c->template_input, err));
  TG_TRY(tg_strdup(&gist->program_version, T5GIST_VERSION, err));
  return tg_strdup(&gist->computed_with, computed_with, err);
}

static t5gist_status encode_parts(const t5gist_model *model, tg_workspace *workspace, tg_gist_part *parts, int n_parts, t5gist_error *err) {
  const size_t d_model = (size_t)model->t5->config.d_model;
  tg_encoder_sequence *sequences;
  TG_TRY(tg_arena_take(tg_workspace_arena(workspace), &sequences, (size_t)n_parts, sizeof *sequences, err));
  for (int i = 0; i < n_parts; i++) {
    tg_gist_part *p = &parts[i];
    TG_TRY(new_gist(model, p, &p->gist, err));
    sequences[i] =
        (tg_encoder_sequence){.ids = p->ids, .n = p->n_task + p->n_gist, .keep_k = p->gist->enc_k, .keep_v = p->gist->enc_v, .n_keep = p->n_gist};
  }
  float *states;
  TG_TRY(tg_encode(model->t5, workspace, sequences, n_parts, &states, err));
  for (int i = 0; i < n_parts; i++) {
    t5gist_gist *gist = parts[i].gist;
    memcpy(gist->states, states + (size_t)gist->n_task * d_model, (size_t)gist->n_gist * d_model * sizeof(float));
    states += (size_t)(gist->n_task + gist->n_gist) * d_model;
    TG_TRY(tg_memory_project_gist(model->t5, workspace, gist->states, gist->n_gist, gist->cross_k, gist->cross_v, err));
  }
  return T5GIST_OK;
}

t5gist_status tg_gist_encode_parts(const t5gist_model *model, tg_workspace *workspace, tg_gist_part *parts, int n_parts, t5gist_error *err) {
  const tg_arena_mark mark = tg_arena_save(tg_workspace_arena(workspace));
  for (int i = 0; i < n_parts; i++) parts[i].gist = NULL;
  const t5gist_status status = encode_parts(model, workspace, parts, n_parts, err);
  for (int i = 0; status != T5GIST_OK && i < n_parts; i++) {
    t5gist_gist_free(parts[i].gist);
    parts[i].gist = NULL;
  }
  tg_arena_restore(tg_workspace_arena(workspace), mark);
  return status;
}

t5gist_status tg_gist_encode(const t5gist_model *model, tg_workspace *workspace, const char *task, int gists, t5gist_gist **gist, t5gist_error *err) {
  int k;
  tg_prompt prompt;
  TG_TRY(tg_prompt_gists(model->t5, gists, &k, err));
  TG_TRY(tg_prompt_make(model->t5, task, k, NULL, false, false, &prompt, err));
  tg_gist_part part = {.task = task, .ids = prompt.ids.ids, .n_task = prompt.n_task, .n_gist = k};
  const t5gist_status status = tg_gist_encode_parts(model, workspace, &part, 1, err);
  if (status == T5GIST_OK) *gist = part.gist;
  tg_prompt_free(&prompt);
  return status;
}

t5gist_status t5gist_encode(t5gist_session *session, const char *task, int gists, t5gist_gist **gist, t5gist_error *err) {
  if (session == NULL || task == NULL || gist == NULL) return tg_fail(err, T5GIST_EUSAGE, "t5gist_encode: session, task and gist must not be null");
  if (task[0] == 0) return tg_fail(err, T5GIST_EUSAGE, "the task: expected a text to compress, found an empty one");
  int k;
  double ms;
  TG_TRY(tg_prompt_gists(session->model->t5, gists, &k, err));
  const tg_store_id id = tg_store_id_of(session->model, task, k);
  t5gist_gist *found = session->store ? tg_store_find(session->store, &id, session->model, &ms) : NULL;
  if (found) {
    *gist = found;
    return T5GIST_OK;
  }
  tg_workspace_count(session->workspace, &session->counters[T5GIST_STAGE_PREFIX]);
  const double begin = tg_now_ms();
  TG_TRY(tg_gist_encode(session->model, session->workspace, task, k, gist, err));
  if (session->store) tg_store_keep(session->store, &id, *gist, tg_now_ms() - begin);
  return T5GIST_OK;
}

/* ------------------------------------------------------------------------------------------------------------------------ using it */

t5gist_status tg_gist_matches(const t5gist_model *model, const char *name, const t5gist_gist *gist, t5gist_error *err) {
  const tg_t5 *t5 = model->t5;
  const tg_config *c = &t5->config;
  if (strcmp(gist->fingerprint, t5->fingerprint) != 0) {
    return tg_fail(err, T5GIST_EMISMATCH,
                   "%s was made by the model with fingerprint %.16s..., but %s has fingerprint %.16s...: encode its task again with this model", name,
                   gist->fingerprint, t5->dir, t5->fingerprint);
  }
  if (strcmp(gist->template_task, c->template_task) != 0 || strcmp(gist->template_input, c->template_input) != 0) {
    return tg_fail(err, T5GIST_EMISMATCH,
                   "%s was made for the template \"%.100s\", \"%.100s\", but %s has \"%.100s\", \"%.100s\": encode its task again", name,
                   gist->template_task, gist->template_input, t5->dir, c->template_task, c->template_input);
  }
  const bool cross_fits = gist->cross_k == NULL || gist->n_decoder_layers == c->n_decoder_layers;
  if (gist->n_layers != c->n_layers || gist->n_heads != c->n_heads || gist->d_kv != c->d_kv || gist->d_model != c->d_model || !cross_fits) {
    return tg_fail(err, T5GIST_EMISMATCH,
                   "%s: expected tensors of %s (%d encoder and %d decoder layers, %d heads of %d, d_model %d), found %d encoder and %d decoder "
                   "layers, %d heads of "
                   "%d, d_model %d",
                   name, t5->dir, c->n_layers, c->n_decoder_layers, c->n_heads, c->d_kv, c->d_model, gist->n_layers,
                   gist->cross_k ? gist->n_decoder_layers : c->n_decoder_layers, gist->n_heads, gist->d_kv, gist->d_model);
  }
  return T5GIST_OK;
}

static t5gist_status project_cross(const t5gist_model *model, t5gist_gist *gist, t5gist_error *err) {
  size_t count;
  gist->n_decoder_layers = model->t5->config.n_decoder_layers;
  if (!tg_gist_values(gist, gist->n_decoder_layers, &count)) return tg_fail(err, T5GIST_ENOMEM, "a gist of %d tokens is too large", gist->n_gist);
  TG_TRY(tg_alloc(&gist->cross_k, count, sizeof(float), err));
  TG_TRY(tg_alloc(&gist->cross_v, count, sizeof(float), err));
  tg_workspace *workspace;
  TG_TRY(tg_workspace_new(model->t5->engine, &workspace, err));
  const t5gist_status status = tg_memory_project_gist(model->t5, workspace, gist->states, gist->n_gist, gist->cross_k, gist->cross_v, err);
  tg_workspace_free(workspace);
  return status;
}

t5gist_status tg_gist_attach(const t5gist_model *model, const char *path, t5gist_gist *gist, t5gist_error *err) {
  TG_TRY(tg_gist_matches(model, path, gist, err));
  if (gist->cross_k == NULL) TG_TRY(project_cross(model, gist, err));
  gist->model = model;
  return T5GIST_OK;
}

void t5gist_gist_describe(const t5gist_gist *gist, t5gist_gist_info *info) {
  if (info == NULL) return;
  *info = (t5gist_gist_info){0};
  if (gist == NULL) return;
  size_t encoder = 0, decoder = 0;
  tg_gist_values(gist, gist->n_layers, &encoder); /* both fit: they were allocated */
  tg_gist_values(gist, gist->n_decoder_layers, &decoder);
  const size_t values = 2 * encoder + (size_t)gist->n_gist * (size_t)gist->d_model + (gist->file_has_cross ? 2 * decoder : 0);
  *info = (t5gist_gist_info){.task = gist->task,
                             .task_sha256 = gist->task_sha256,
                             .fingerprint = gist->fingerprint,
                             .program_version = gist->program_version,
                             .payload = gist->payload,
                             .computed_with = gist->computed_with,
                             .format_version = TG_GIST_FORMAT_VERSION,
                             .n_gist = gist->n_gist,
                             .n_task = gist->n_task,
                             .n_layers = gist->n_layers,
                             .n_heads = gist->n_heads,
                             .d_kv = gist->d_kv,
                             .d_model = gist->d_model,
                             .has_cross = gist->file_has_cross,
                             .from_store = gist->from_store,
                             .bytes = values * (strcmp(gist->payload, "bf16") == 0 ? 2 : 4)};
}
