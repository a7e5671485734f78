#include "t5/calibration.h"

#include <stdio.h>
#include <string.h>

#include "runtime/error.h"
#include "runtime/memory.h"
#include "t5/random.h"

struct tg_calibration {
  tg_inputs *sites; /* [n_layers * TG_N_SITES + 1], the head's last */
  size_t n_sites, most_rows;
  uint64_t key;
};

static size_t width_of(const tg_config *c, size_t site) {
  const size_t d_model = (size_t)c->d_model, inner = (size_t)c->n_heads * (size_t)c->d_kv;
  switch (site % TG_N_SITES) {
    case TG_SITE_O:
    case TG_SITE_CROSS_O: return inner;
    case TG_SITE_WO: return (size_t)c->d_ff;
    default: return d_model; /* the head's too */
  }
}

t5gist_status tg_calibration_new(const tg_config *config, size_t most_rows, tg_calibration **out, t5gist_error *err) {
  tg_calibration *c;
  TG_TRY(tg_alloc(&c, 1, sizeof *c, err));
  c->n_sites = (size_t)config->n_decoder_layers * TG_N_SITES + 1;
  c->most_rows = most_rows;
  c->key = tg_random_key(0, tg_random_label("calibration"));
  const t5gist_status status = tg_alloc(&c->sites, c->n_sites, sizeof *c->sites, err);
  for (size_t i = 0; status == T5GIST_OK && i < c->n_sites; i++) c->sites[i].n_in = width_of(config, i);
  if (status == T5GIST_OK)
    *out = c;
  else
    tg_calibration_free(c);
  return status;
}

void tg_calibration_free(tg_calibration *c) {
  if (c == NULL) return;
  for (size_t i = 0; c->sites && i < c->n_sites; i++) tg_free(c->sites[i].rows);
  tg_free(c->sites);
  tg_free(c);
}

/* Where row number `seen` goes: behind the others while there is room, then in place of a random one, or nowhere (most_rows). */
static size_t place_of(const tg_calibration *c, const tg_inputs *inputs) {
  if (inputs->n < c->most_rows) return inputs->n;
  const uint64_t drawn = tg_random_at(c->key, inputs->seen) % (inputs->seen + 1);
  return drawn < c->most_rows ? (size_t)drawn : c->most_rows;
}

static t5gist_status add(const tg_calibration *c, tg_inputs *inputs, const float *x, size_t n, t5gist_error *err) {
  for (size_t i = 0; i < n; i++, inputs->seen++) {
    const size_t at = place_of(c, inputs);
    if (at == c->most_rows) continue;
    TG_TRY(tg_reserve(&inputs->rows, &inputs->capacity, at + 1, inputs->n_in * sizeof *inputs->rows, err));
    memcpy(inputs->rows + at * inputs->n_in, x + i * inputs->n_in, inputs->n_in * sizeof *x);
    if (at == inputs->n) inputs->n++;
  }
  return T5GIST_OK;
}

t5gist_status tg_calibration_add(tg_calibration *c, int layer, tg_site site, const float *x, size_t n, t5gist_error *err) {
  return add(c, &c->sites[(size_t)layer * TG_N_SITES + site], x, n, err);
}

t5gist_status tg_calibration_add_head(tg_calibration *c, const float *x, size_t n, t5gist_error *err) {
  return add(c, &c->sites[c->n_sites - 1], x, n, err);
}

const tg_inputs *tg_calibration_find(const tg_calibration *c, const char *name) {
  static const struct {
    const char *part;
    tg_site site;
  } parts[] = {{".SelfAttention.q.", TG_SITE_QKV},       {".SelfAttention.k.", TG_SITE_QKV},       {".SelfAttention.v.", TG_SITE_QKV},
               {".SelfAttention.o.", TG_SITE_O},         {".EncDecAttention.q.", TG_SITE_CROSS_Q}, {".EncDecAttention.o.", TG_SITE_CROSS_O},
               {".DenseReluDense.wi.", TG_SITE_WI},      {".DenseReluDense.wi_0.", TG_SITE_WI},    {".DenseReluDense.wi_1.", TG_SITE_WI},
               {".DenseReluDense.wo.", TG_SITE_WO}};
  unsigned layer;
  if (c == NULL) return NULL;
  if (strcmp(name, "lm_head.weight") == 0) return &c->sites[c->n_sites - 1];
  if (sscanf(name, "decoder.block.%u.", &layer) != 1 || layer >= c->n_sites / TG_N_SITES) return NULL;
  for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
    if (strstr(name, parts[i].part)) return &c->sites[(size_t)layer * TG_N_SITES + parts[i].site];
  return NULL;
}
