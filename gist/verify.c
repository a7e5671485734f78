/* Is a model folder sound? Every file is read to its last byte, and every finding gets a line. */
#include <math.h>

#include "gist/tools.h"
#include "runtime/error.h"
#include "runtime/kernels.h"
#include "t5/checkpoint.h"
#include "t5/names.h"
#include "t5/tokenizer.h"

typedef struct audit {
  const tg_checkpoint *checkpoint;
  FILE *report;
  const tg_tensor **used; /* [n_used] tensors that the configuration asks for */
  size_t n_used, capacity, n_problems;
} audit;

static void report_problem(audit *a, const t5gist_error *problem) {
  fprintf(a->report, "%s\n", problem->message);
  a->n_problems++;
}

static t5gist_status use(audit *a, const tg_tensor *tensor, t5gist_error *err) {
  if (tensor == NULL) return T5GIST_OK;
  TG_TRY(tg_reserve(&a->used, &a->capacity, a->n_used + 1, sizeof *a->used, err));
  a->used[a->n_used++] = tensor;
  return T5GIST_OK;
}

/* A matrix in 8 or 4 bits and its scales. */
static t5gist_status check_bits(const audit *a, const tg_tensor_spec *spec, t5gist_error *problem) {
  float *scales = NULL;
  tg_matrix matrix;
  const t5gist_status status = tg_checkpoint_get_matrix(a->checkpoint, spec->name, spec->dims[0], spec->dims[1], &matrix, &scales, problem);
  tg_free(scales);
  return status;
}

/* Only lack of memory ends the walk; what is wrong with a tensor is a finding. */
static t5gist_status visit(void *user, const tg_tensor_spec *spec, t5gist_error *err) {
  audit *a = user;
  const tg_tensor *tensor = tg_checkpoint_find(a->checkpoint, spec->name);
  if (tensor == NULL && spec->optional) return T5GIST_OK;
  t5gist_error problem;
  if (tensor != NULL && (tensor->dtype == TG_I8 || tensor->dtype == TG_U8) && spec->n_dims == 2 && tg_is_linear(spec->name)) {
    if (check_bits(a, spec, &problem) != T5GIST_OK) report_problem(a, &problem);
    char scale[sizeof spec->name + 8];
    snprintf(scale, sizeof scale, "%s_scale", spec->name);
    TG_TRY(use(a, tg_checkpoint_find(a->checkpoint, scale), err));
  } else if (tg_checkpoint_get(a->checkpoint, spec->name, spec->dims, spec->n_dims, &tensor, &problem) != T5GIST_OK) {
    report_problem(a, &problem);
  }
  return use(a, tensor, err);
}

/* A tied model's head is in its folder where convert wrote it in 4 bits. */
static t5gist_status visit_tied_head(audit *a, const tg_config *config, t5gist_error *err) {
  tg_tensor_spec head = {.name = "lm_head.weight", .dims = {(size_t)config->vocab_size, (size_t)config->d_model}, .n_dims = 2};
  const tg_tensor *tensor = tg_checkpoint_find(a->checkpoint, head.name);
  return config->head == TG_HEAD_SHARED && tensor && tensor->dtype == TG_U8 ? visit(a, &head, err) : T5GIST_OK;
}

/* Counts values that are not finite. name: the tensor's, escaped. */
static void check_values(audit *a, const char *path, const char *name, const tg_tensor *tensor) {
  enum { CHUNK = 16384 };
  float values[CHUNK];
  size_t n_bad = 0, first = 0;
  const size_t size = tg_dtype_size(tensor->dtype);
  if (tensor->dtype != TG_F32 && tensor->dtype != TG_BF16 && tensor->dtype != TG_F16 && tensor->dtype != TG_F64) return;
  for (size_t done = 0; done < tensor->count; done += CHUNK) {
    const size_t n = tensor->count - done < CHUNK ? tensor->count - done : CHUNK;
    tg_widen(tensor->data + done * size, tensor->dtype, n, values);
    for (size_t at = 0; (at += tg_first_nonfinite(values + at, n - at)) < n; at++) {
      if (n_bad++ == 0) first = done + at;
    }
  }
  tg_map_release(tensor->data, tensor->bytes);
  if (n_bad == 0) return;
  fprintf(a->report, "%s: %s: expected finite numbers, found %zu NaN or infinite, the first at value %zu\n", path, name, n_bad, first);
  a->n_problems++;
}

static bool is_used(const audit *a, const tg_tensor *tensor) {
  for (size_t i = 0; i < a->n_used; i++) {
    if (a->used[i] == tensor) return true;
  }
  return false;
}

static t5gist_status check_file(audit *a, const tg_safetensors *file, t5gist_error *err) {
  const char *path = tg_safetensors_path(file);
  size_t n_values = 0;
  for (size_t i = 0; i < tg_safetensors_count(file); i++) {
    const tg_tensor *tensor = tg_safetensors_at(file, i);
    char *name; /* a file's names may hold what steers a terminal */
    TG_TRY(tg_escape(tensor->name, &name, err));
    check_values(a, path, name, tensor);
    n_values += tensor->count;
    if (!is_used(a, tensor)) fprintf(a->report, "%s: %s: not part of the model, ignored\n", path, name);
    tg_free(name);
  }
  fprintf(a->report, "%s: %zu tensors, %zu values read\n", path, tg_safetensors_count(file), n_values);
  return T5GIST_OK;
}

static t5gist_status check_weights(audit *a, const char *dir, const tg_config *config, t5gist_error *err) {
  tg_checkpoint *checkpoint;
  t5gist_error problem;
  if (tg_checkpoint_open(dir, &checkpoint, &problem) != T5GIST_OK) {
    report_problem(a, &problem);
    return T5GIST_OK;
  }
  a->checkpoint = checkpoint;
  t5gist_status status = tg_each_tensor(config, visit, a, err);
  if (status == T5GIST_OK) status = visit_tied_head(a, config, err);
  for (size_t i = 0; status == T5GIST_OK && i < tg_checkpoint_files(checkpoint); i++) status = check_file(a, tg_checkpoint_file(checkpoint, i), err);
  tg_free(a->used);
  tg_checkpoint_close(checkpoint);
  return status;
}

static t5gist_status check_parts(audit *a, const char *dir, const tg_config *config, t5gist_error *err) {
  tg_tokenizer *tokenizer;
  t5gist_error problem;
  fprintf(a->report, "%s/config.json: %s, %d encoder and %d decoder layers, d_model %d\n", dir, config->model_type, config->n_layers,
          config->n_decoder_layers, config->d_model);
  if (tg_tokenizer_open(dir, config->vocab_size, &tokenizer, &problem) == T5GIST_OK) {
    fprintf(a->report, "%s: %d pieces\n", tg_tokenizer_path(tokenizer), tg_tokenizer_pieces(tokenizer));
    tg_tokenizer_free(tokenizer);
  } else {
    report_problem(a, &problem);
  }
  return check_weights(a, dir, config, err);
}

t5gist_status tg_verify_folder(const char *dir, FILE *report, t5gist_error *err) {
  tg_config config;
  TG_TRY(tg_config_load(dir, &config, err)); /* without it nothing says what to expect */
  audit a = {.report = report};
  const t5gist_status status = check_parts(&a, dir, &config, err);
  tg_config_free(&config);
  TG_TRY(status);
  TG_TRY(tg_check_stream(report, "the report", err));
  if (a.n_problems == 0) return T5GIST_OK;
  return tg_fail(err, T5GIST_EFORMAT, "%s: expected a sound model, found %zu problem%s", dir, a.n_problems, a.n_problems == 1 ? "" : "s");
}
