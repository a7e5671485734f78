#include "gist/tools.h"

#include <string.h>
#include <sys/stat.h>

#include "gist/prompt.h"
#include "gist/rounding.h"
#include "gist/session.h"
#include "runtime/cpu.h"
#include "runtime/error.h"
#include "runtime/file.h"
#include "runtime/io.h"
#include "t5/convert.h"
#include "t5/synthetic.h"
#include "t5gist/tools.h"

bool tg_is_folder(const char *path) {
  struct stat st;
  return tg_io_stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

t5gist_status tg_check_stream(FILE *out, const char *what, t5gist_error *err) {
  if (fflush(out) == 0 && !ferror(out)) return T5GIST_OK;
  return tg_fail_errno(err, "cannot write %s", what);
}

t5gist_status tg_escape(const char *text, char **escaped, t5gist_error *err) {
  tg_buffer out = {0};
  t5gist_status status = tg_buffer_append(&out, "", 0, err); /* an empty text becomes an empty text */
  for (const unsigned char *p = (const unsigned char *)text; status == T5GIST_OK && *p; p++) {
    if (*p == '\n')
      status = tg_buffer_append(&out, "\\n", 2, err);
    else if (*p == '\t')
      status = tg_buffer_append(&out, "\\t", 2, err);
    else if (*p < 0x20 || *p == 0x7f)
      status = tg_buffer_printf(&out, err, "\\x%02x", *p);
    else if (p[0] == 0xc2 && p[1] >= 0x80 && p[1] < 0xa0)
      status = tg_buffer_printf(&out, err, "\\x%02x", *++p); /* C1 controls */
    else
      status = tg_buffer_append(&out, p, 1, err);
  }
  if (status == T5GIST_OK)
    *escaped = out.data;
  else
    tg_buffer_free(&out);
  return status;
}

/* ------------------------------------------------------------------------------------------------------------------------------- masks */

static t5gist_status draw(const tg_t5 *t5, const tg_prompt *prompt, t5gist_condition condition, bool svg, FILE *out, t5gist_error *err) {
  const tg_mask mask = tg_mask_make(condition, prompt->n_task, prompt->n_gist, prompt->n_input);
  const size_t n = prompt->ids.n;
  char **labels;
  TG_TRY(tg_alloc(&labels, n, sizeof *labels, err));
  t5gist_status status = T5GIST_OK;
  for (size_t i = 0; status == T5GIST_OK && i < n; i++) status = tg_escape(tg_tokenizer_piece(t5->tokenizer, prompt->ids.ids[i]), &labels[i], err);
  if (status == T5GIST_OK) {
    (svg ? tg_mask_draw_svg : tg_mask_draw_text)(&mask, (const char *const *)labels, out);
    status = tg_check_stream(out, "the drawing", err);
  }
  for (size_t i = 0; i < n; i++) tg_free(labels[i]);
  tg_free(labels);
  return status;
}

t5gist_status t5gist_draw_mask(t5gist_session *session, const char *task, const char *input, t5gist_condition condition, int gists, bool svg,
                               FILE *out, t5gist_error *err) {
  if (session == NULL || out == NULL) return tg_fail(err, T5GIST_EUSAGE, "t5gist_draw_mask: session and out must not be null");
  t5gist_request request; /* what may be asked of a prompt is checked where every request is */
  t5gist_request_init(&request);
  request.task = task;
  request.input = input;
  request.condition = condition;
  request.gists = gists;
  tg_job *job;
  TG_TRY(tg_job_new(session, &request, &job, err));
  tg_prompt prompt;
  t5gist_status status = tg_prompt_make(session->model->t5, task, job->n_gist, input, false, true, &prompt, err);
  tg_job_free(session, job);
  TG_TRY(status);
  status = draw(session->model->t5, &prompt, condition, svg, out, err);
  tg_prompt_free(&prompt);
  return status;
}

/* ---------------------------------------------------------------------------------------------------------------- models and machines */

void t5gist_conversion_init(t5gist_conversion *conversion) {
  if (conversion) *conversion = (t5gist_conversion){.threads = T5GIST_UNSET};
}

t5gist_status t5gist_convert(const char *in_dir, const char *out_dir, const t5gist_conversion *conversion, t5gist_error *err) {
  if (in_dir == NULL || out_dir == NULL || conversion == NULL)
    return tg_fail(err, T5GIST_EUSAGE, "t5gist_convert: in_dir, out_dir and conversion must not be null");
  if (conversion->dtype && strcmp(conversion->dtype, "int4") == 0) return tg_convert_int4(in_dir, out_dir, conversion, err);
  const tg_conversion how = {
      .dtype = conversion->dtype, .wo_dtype = conversion->wo_dtype, .progress = conversion->progress, .user = conversion->user};
  return tg_convert(in_dir, out_dir, &how, err);
}

t5gist_status t5gist_make_model(const char *out_dir, const char *shape, const char *variant, const char *dtype, uint64_t seed, int vocab_size,
                                const char *tokenizer_dir, t5gist_error *err) {
  if (out_dir == NULL || shape == NULL || variant == NULL || dtype == NULL || tokenizer_dir == NULL) {
    return tg_fail(err, T5GIST_EUSAGE, "t5gist_make_model: out_dir, shape, variant, dtype and tokenizer_dir must not be null");
  }
  const int precision = tg_precision_from_name(dtype);
  if (precision != TG_PRECISION_F32 && precision != TG_PRECISION_INT8 && precision != TG_PRECISION_INT4)
    return tg_fail(err, T5GIST_EUSAGE, "dtype: expected \"f32\", \"int8\" or \"int4\", found \"%.32s\"", dtype);
  return tg_synthetic_write_as((tg_precision)precision, out_dir, shape, variant, seed, vocab_size, tokenizer_dir, err);
}

t5gist_status t5gist_verify(const char *path, FILE *report, t5gist_error *err) {
  if (path == NULL || report == NULL) return tg_fail(err, T5GIST_EUSAGE, "t5gist_verify: path and report must not be null");
  if (tg_is_folder(path)) return tg_verify_folder(path, report, err);
  t5gist_gist *gist;
  TG_TRY(tg_gist_read(path, &gist, err)); /* reading checks all there is to check */
  fprintf(report, "%s: a sound gist file: %d gist tokens for a task of %d\n", path, gist->n_gist, gist->n_task);
  t5gist_gist_free(gist);
  return tg_check_stream(report, "the report", err);
}

t5gist_status t5gist_inspect(const char *path, FILE *out, t5gist_error *err) {
  if (path == NULL || out == NULL) return tg_fail(err, T5GIST_EUSAGE, "t5gist_inspect: path and out must not be null");
  return tg_is_folder(path) ? tg_inspect_folder(path, out, err) : tg_inspect_gist(path, out, err);
}

void t5gist_machine_describe(t5gist_machine *machine) {
  if (machine == NULL) return;
  *machine = (t5gist_machine){.threads = tg_cpu_threads()};
  tg_cpu_describe(machine->cpu, sizeof machine->cpu);
  snprintf(machine->isa, sizeof machine->isa, "%s", tg_isa_name(tg_cpu_isa()));
  snprintf(machine->onednn, sizeof machine->onednn, "%s", tg_engine_version());
}

void t5gist_forget_gists(t5gist_session *session) {
  if (session) tg_share_clear(&session->share);
}

uint64_t t5gist_primitives_created(const t5gist_model *model) {
  return model ? tg_engine_primitives(model->t5->engine) : 0;
}

void t5gist_counters_take(t5gist_session *session, t5gist_counters counters[T5GIST_N_STAGES]) {
  if (session == NULL || counters == NULL) return;
  for (int i = 0; i < T5GIST_N_STAGES; i++) {
    tg_counters *c = &session->counters[i];
    counters[i] = (t5gist_counters){c->products, c->product_flops, c->weights, c->weight_bytes, c->attention_flops, c->attention_bytes};
    *c = (tg_counters){0};
  }
}

void t5gist_cleanup_on_signal(void) {
  tg_writer_cleanup_on_signal();
}
