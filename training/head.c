#include "runtime/error.h"
#include "training/pass_parts.h"

/* The teacher's logits of rows begin .. begin + n - 1, over the student's vocabulary. */
static t5gist_status teacher_logits(tg_work *work, size_t begin, size_t n, t5gist_error *err) {
  const tg_teaching *t = work->teaching;
  TG_TRY(tg_train_embed(work->workspace, t->states, t->rows + begin, n, t->d_model, t->states_chunk, err));
  return tg_train_linear(work->workspace, work->options->precision, t->states_chunk, n, t->head, t->d_model, (size_t)work->layout->config->vocab_size,
                         false, t->logits, err);
}

static t5gist_status backward(tg_work *work, size_t begin, size_t n, t5gist_error *err) {
  const size_t d_model = (size_t)work->layout->config->d_model, vocab = (size_t)work->layout->config->vocab_size;
  TG_TRY(tg_train_linear_dw(work->workspace, work->options->precision, work->logits, work->decoder_states + begin * d_model, n, d_model, vocab,
                            work->gradients + work->layout->head, err));
  return tg_train_linear_dx(work->workspace, work->options->precision, work->logits, n, work->weights + work->layout->head, d_model, vocab, false,
                            work->dbranch + begin * d_model, err);
}

static t5gist_status chunk(tg_work *work, size_t begin, size_t n, t5gist_error *err) {
  const tg_plan *plan = work->plan;
  const size_t d_model = (size_t)work->layout->config->d_model, vocab = (size_t)work->layout->config->vocab_size;
  tg_pass_result *result = &work->result;
  tg_train_loss loss = {.targets = plan->targets + begin, .weights = plan->weights + begin, .smoothing = work->options->smoothing};
  tg_train_losses losses = {0};
  if (work->sizes.divergence) {
    TG_TRY(teacher_logits(work, begin, n, err));
    loss.teacher = work->teaching->logits;
    loss.teacher_weights = work->teaching->weights + begin;
    loss.forward = work->options->forward;
    loss.reverse = work->options->reverse;
  }
  TG_TRY(tg_train_linear(work->workspace, work->options->precision, work->decoder_states + begin * d_model, n, work->weights + work->layout->head,
                         d_model, vocab, false, work->logits, err));
  TG_TRY(tg_train_loss_run(work->workspace, &loss, n, vocab, work->logits, work->sizes.backward, &losses,
                           result->logprobs ? result->logprobs + begin : NULL, result->right ? result->right + begin : NULL, err));
  result->cross_entropy += losses.cross_entropy;
  result->divergence += losses.divergence;
  return work->sizes.backward ? backward(work, begin, n, err) : T5GIST_OK;
}

t5gist_status tg_head_losses(tg_work *work, t5gist_error *err) {
  const size_t rows = work->sizes.n_decoder;
  for (size_t begin = 0; begin < rows; begin += TG_HEAD_CHUNK)
    TG_TRY(chunk(work, begin, rows - begin < TG_HEAD_CHUNK ? rows - begin : TG_HEAD_CHUNK, err));
  return T5GIST_OK;
}
