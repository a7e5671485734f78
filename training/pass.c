#include "training/pass.h"

#include <math.h>
#include <string.h>

#include "runtime/error.h"
#include "training/pass_parts.h"

struct tg_pass {
  const tg_layout *layout;          /* borrowed */
  tg_workspace *workspace;          /* borrowed */
  tg_kept_layer *encoder, *decoder; /* [n_layers], [n_decoder_layers] */
  char *block;                      /* [bytes] everything a pass takes */
  size_t bytes;
};

/* ------------------------------------------------------------------------------------------------------------------------ memory */

void *tg_room_take(tg_room *room, size_t rows, size_t width, size_t size) {
  size_t bytes, end;
  if (!tg_size_mul(rows, width, &bytes) || !tg_size_mul(bytes, size, &bytes) || !tg_align_up(bytes, 64, &bytes) ||
      !tg_size_add(room->used, bytes, &end)) {
    room->overflow = true;
    return NULL;
  }
  void *at = room->data ? room->data + room->used : NULL;
  room->used = end;
  return at;
}

float *tg_room_rows(tg_room *room, size_t rows, size_t width) {
  return tg_room_take(room, rows, width, sizeof(float));
}

static void take_attention(tg_room *room, const tg_config *c, size_t rows, size_t key_rows, bool cross, tg_kept_attention *kept) {
  const size_t d_model = (size_t)c->d_model, inner = tg_config_inner(c);
  kept->x = tg_room_rows(room, rows, d_model);
  kept->q_stride = cross ? inner : 3 * inner;
  kept->kv_stride = cross ? 2 * inner : 3 * inner;
  kept->q = tg_room_rows(room, rows, kept->q_stride);
  float *own = kept->q ? kept->q + inner : NULL; /* self-attention's keys stand beside its queries */
  kept->k = cross ? tg_room_rows(room, key_rows, kept->kv_stride) : own;
  kept->v = kept->k ? kept->k + inner : NULL;
  kept->normaliser = tg_room_rows(room, rows, (size_t)c->n_heads);
  kept->context = tg_room_rows(room, rows, inner);
}

static void take_layer(tg_room *room, const tg_config *c, const tg_stack *stack, size_t n_seen, tg_kept_layer *kept) {
  take_attention(room, c, stack->rows, stack->rows, false, &kept->self);
  if (stack->decoder) take_attention(room, c, stack->rows, n_seen, true, &kept->cross);
  kept->ffn_x = tg_room_rows(room, stack->rows, (size_t)c->d_model);
  kept->wide = tg_room_rows(room, stack->rows, tg_config_wide(c));
}

/* Without a way back one layer's buffers serve all. stack->kept may be null when measuring. */
static void take_stack(tg_room *room, const tg_config *c, const tg_pass_sizes *sizes, tg_stack *stack) {
  tg_kept_layer kept = {0};
  for (int layer = 0; layer < stack->n_layers; layer++) {
    if (layer == 0 || sizes->backward) take_layer(room, c, stack, sizes->n_seen, &kept);
    if (stack->kept) stack->kept[layer] = kept;
  }
  stack->x = tg_room_rows(room, stack->rows, (size_t)c->d_model);
}

static void take_scratch(tg_room *room, const tg_config *c, tg_work *work) {
  const tg_pass_sizes *sizes = &work->sizes;
  const size_t d_model = (size_t)c->d_model, d_ff = (size_t)c->d_ff, inner = tg_config_inner(c), wide = tg_config_wide(c);
  const size_t rows = sizes->n_encoder > sizes->n_decoder ? sizes->n_encoder : sizes->n_decoder;
  work->normed = tg_room_rows(room, rows, d_model);
  work->inverse = tg_room_rows(room, rows, 1);
  work->hidden = tg_room_rows(room, rows, d_ff > inner ? d_ff : inner);
  if (!sizes->backward) return;
  work->dx = tg_room_rows(room, rows, d_model);
  work->dbranch = tg_room_rows(room, rows, d_model);
  work->dwide = tg_room_rows(room, rows, wide > 3 * inner ? wide : 3 * inner);
  work->dkv = tg_room_rows(room, sizes->n_seen, 2 * inner);
  work->dstates = tg_room_rows(room, sizes->n_seen, d_model);
}

static void take_teaching(tg_room *room, const tg_config *c, const tg_pass_sizes *sizes, size_t chunk, tg_teaching *teaching) {
  if (!sizes->divergence && !sizes->match) return;
  teaching->rows = tg_room_take(room, sizes->n_decoder, 1, sizeof(int32_t));
  teaching->weights = tg_room_rows(room, sizes->n_decoder, 1);
  teaching->match_weights = tg_room_rows(room, sizes->n_decoder, 1);
  if (sizes->divergence) {
    teaching->states_chunk = tg_room_rows(room, chunk, sizes->teacher_d_model);
    teaching->logits = tg_room_rows(room, chunk, (size_t)c->vocab_size);
  }
  if (sizes->match) teaching->matched = tg_room_rows(room, sizes->n_decoder, (size_t)c->d_model);
}

/* Everything that a pass of work->sizes holds. keep_cross: a teacher that is matched. */
static void take_all(tg_room *room, const tg_config *c, bool keep_cross, tg_work *work, tg_teaching *teaching) {
  const tg_pass_sizes *sizes = &work->sizes;
  const size_t d_model = (size_t)c->d_model, chunk = sizes->n_decoder < TG_HEAD_CHUNK ? sizes->n_decoder : TG_HEAD_CHUNK;
  work->seen_rows = tg_room_take(room, sizes->n_encoder, 1, sizeof(int32_t));
  work->answer_spans = tg_room_take(room, sizes->n_answers, 1, sizeof(tg_train_span));
  work->cross_spans = tg_room_take(room, sizes->n_answers, 1, sizeof(tg_train_span));
  take_stack(room, c, sizes, &work->encoder);
  work->seen_x = tg_room_rows(room, sizes->n_seen, d_model);
  work->seen_inverse = tg_room_rows(room, sizes->n_seen, 1);
  work->states = tg_room_rows(room, sizes->n_seen, d_model);
  take_stack(room, c, sizes, &work->decoder);
  work->decoder_states = tg_room_rows(room, sizes->n_decoder, d_model);
  work->decoder_inverse = tg_room_rows(room, sizes->n_decoder, 1);
  work->logits = tg_room_rows(room, chunk, (size_t)c->vocab_size);
  if (keep_cross) work->cross_outputs = tg_room_rows(room, (size_t)c->n_decoder_layers * sizes->n_decoder, d_model);
  take_scratch(room, c, work);
  take_teaching(room, c, sizes, chunk, teaching);
}

static tg_stack stack_of(const tg_config *c, bool decoder, size_t rows) {
  return (tg_stack){.decoder = decoder, .rows = rows, .n_layers = decoder ? c->n_decoder_layers : c->n_layers};
}

size_t tg_pass_bytes(const tg_config *config, size_t n_encoder, size_t n_decoder, bool backward) {
  tg_room room = {0};
  tg_teaching teaching = {0};
  tg_work work = {.sizes = {.n_encoder = n_encoder, .n_decoder = n_decoder, .n_answers = n_decoder, .n_seen = n_encoder, .backward = backward},
                  .encoder = stack_of(config, false, n_encoder),
                  .decoder = stack_of(config, true, n_decoder)};
  take_all(&room, config, false, &work, &teaching);
  return room.overflow ? SIZE_MAX : room.used;
}

/* --------------------------------------------------------------------------------------------------------------------------- plan */

static bool sees(const tg_plan_answer *answer, int row) {
  for (int i = 0; i < TG_TRAIN_KEY_PARTS; i++)
    if (row >= answer->seen[i].begin && row - answer->seen[i].begin < answer->seen[i].n) return true;
  return false;
}

size_t tg_plan_seen(const tg_plan *plan, int32_t *place) {
  int32_t n = 0;
  int last = 0; /* the answer that saw the row before sees this one, most often */
  for (int row = 0; row < plan->n_encoder; row++) {
    bool seen = plan->n_answers > 0 && sees(&plan->answers[last], row);
    for (int i = 0; !seen && i < plan->n_answers; i++)
      if ((seen = sees(&plan->answers[i], row))) last = i;
    if (place) place[row] = seen ? n : -1;
    n += seen;
  }
  return (size_t)n;
}

static double visible(const tg_train_keys keys[TG_TRAIN_KEY_PARTS]) {
  double n = 0;
  for (int i = 0; i < TG_TRAIN_KEY_PARTS; i++) n += keys[i].n;
  return n;
}

double tg_pass_flops(const tg_config *config, const tg_plan *plan, bool backward) {
  const double d_model = config->d_model, inner = (double)tg_config_inner(config),
               ffn = (double)(tg_config_wide(config) + (size_t)config->d_ff) * d_model;
  const double rows = plan->n_encoder, answer_rows = plan->n_decoder, seen = (double)tg_plan_seen(plan, NULL);
  double pairs = 0, answer_pairs = 0;
  for (int i = 0; i < plan->n_encoder_spans; i++) pairs += plan->encoder_spans[i].n_q * visible(plan->encoder_spans[i].keys);
  for (int i = 0; i < plan->n_answers; i++) {
    const double n = plan->answers[i].n;
    answer_pairs += n * (n + 1) / 2 + n * visible(plan->answers[i].seen);
  }
  const double encoder = rows * (4 * inner * d_model + ffn) + 2 * inner * pairs;
  const double decoder = answer_rows * (6 * inner * d_model + ffn) + seen * 2 * inner * d_model + 2 * inner * answer_pairs;
  const double head = answer_rows * d_model * config->vocab_size;
  return (backward ? 6 : 2) * (config->n_layers * encoder + config->n_decoder_layers * decoder + head);
}

static t5gist_status check_ids(const int32_t *ids, int n, int vocab, const char *what, int least, t5gist_error *err) {
  for (int i = 0; i < n; i++)
    if (ids[i] < least || ids[i] >= vocab)
      return tg_fail(err, T5GIST_EUSAGE, "training pass: %s %d is %d, expected %d to %d", what, i, (int)ids[i], least, vocab - 1);
  return T5GIST_OK;
}

static t5gist_status check_plan(const tg_config *c, const tg_plan *plan, t5gist_error *err) {
  if (plan->n_encoder < 1 || plan->n_decoder < 1)
    return tg_fail(err, T5GIST_EUSAGE, "training pass: expected rows of encoder and decoder, found %d and %d", plan->n_encoder, plan->n_decoder);
  TG_TRY(check_ids(plan->encoder_ids, plan->n_encoder, c->vocab_size, "encoder token", 0, err));
  TG_TRY(check_ids(plan->decoder_ids, plan->n_decoder, c->vocab_size, "decoder token", 0, err));
  return check_ids(plan->targets, plan->n_decoder, c->vocab_size, "target", -1, err);
}

/* Encoder rows that answers look at get their numbers; spans of the answers among themselves and over those rows. place: scratch not yet in use. */
static void fill_plan(tg_work *work) {
  const tg_plan *plan = work->plan;
  int32_t *place = (int32_t *)(void *)work->normed;
  (void)tg_plan_seen(plan, place);
  for (int row = 0; row < plan->n_encoder; row++)
    if (place[row] >= 0) work->seen_rows[place[row]] = row;
  for (int i = 0; i < plan->n_answers; i++) {
    const tg_plan_answer *answer = &plan->answers[i];
    tg_train_span span = {.q_begin = answer->begin, .n_q = answer->n};
    work->answer_spans[i] = span;
    work->answer_spans[i].keys[0] = (tg_train_keys){.begin = answer->begin, .n = answer->n};
    for (int part = 0; part < TG_TRAIN_KEY_PARTS; part++)
      if (answer->seen[part].n > 0) span.keys[part] = (tg_train_keys){.begin = place[answer->seen[part].begin], .n = answer->seen[part].n};
    work->cross_spans[i] = span;
  }
}

/* --------------------------------------------------------------------------------------------------------------------------- pass */

t5gist_status tg_pass_new(const tg_layout *layout, tg_workspace *workspace, tg_pass **pass, t5gist_error *err) {
  t5gist_status status = T5GIST_OK;
  tg_pass *p = NULL;
  TG_GOTO(tg_alloc(&p, 1, sizeof *p, err));
  p->layout = layout;
  p->workspace = workspace;
  TG_GOTO(tg_alloc(&p->encoder, (size_t)layout->config->n_layers, sizeof *p->encoder, err));
  TG_GOTO(tg_alloc(&p->decoder, (size_t)layout->config->n_decoder_layers, sizeof *p->decoder, err));
  *pass = p;
  return T5GIST_OK;
done:
  tg_pass_free(p);
  return status;
}

void tg_pass_free(tg_pass *pass) {
  if (!pass) return;
  tg_free(pass->block);
  tg_free(pass->decoder);
  tg_free(pass->encoder);
  tg_free(pass);
}

/* The block grows when it must; its contents are of no pass but the one under way. */
static t5gist_status reserve(tg_pass *pass, const tg_room *needed, t5gist_error *err) {
  if (needed->overflow) return tg_fail(err, T5GIST_ENOMEM, "a training pass over so many rows is too large for this machine's addresses");
  if (needed->used <= pass->bytes) return T5GIST_OK;
  tg_free(pass->block);
  pass->block = NULL;
  pass->bytes = 0;
  TG_TRY(tg_alloc(&pass->block, needed->used, 1, err));
  pass->bytes = needed->used;
  return T5GIST_OK;
}

/* Cuts the pass's memory for a plan; work has its plan, weights, gradients and options, sizes but those of the plan. */
static t5gist_status begin(tg_pass *pass, bool keep_cross, tg_work *work, tg_teaching *teaching, t5gist_error *err) {
  const tg_layout *layout = pass->layout;
  const tg_config *c = layout->config;
  const tg_plan *plan = work->plan;
  TG_TRY(check_plan(c, plan, err));
  tg_pass_sizes *sizes = &work->sizes;
  sizes->n_encoder = (size_t)plan->n_encoder;
  sizes->n_decoder = (size_t)plan->n_decoder;
  sizes->n_answers = (size_t)plan->n_answers;
  sizes->n_seen = tg_plan_seen(plan, NULL);
  work->layout = layout;
  work->workspace = pass->workspace;
  work->encoder = stack_of(c, false, sizes->n_encoder);
  work->decoder = stack_of(c, true, sizes->n_decoder);
  tg_room room = {0};
  take_all(&room, c, keep_cross, work, teaching);
  TG_TRY(reserve(pass, &room, err));
  work->encoder.kept = pass->encoder;
  work->decoder.kept = pass->decoder;
  room = (tg_room){.data = pass->block};
  take_all(&room, c, keep_cross, work, teaching);
  fill_plan(work);
  work->encoder.layers = layout->encoder;
  work->encoder.positions = layout->encoder_positions;
  work->encoder.spans = plan->encoder_spans;
  work->encoder.n_spans = plan->n_encoder_spans;
  work->decoder.layers = layout->decoder;
  work->decoder.positions = layout->decoder_positions;
  work->decoder.spans = work->answer_spans;
  work->decoder.n_spans = plan->n_answers;
  return T5GIST_OK;
}

static t5gist_status forward(tg_work *work, t5gist_error *err) {
  TG_TRY(tg_encoder_forward(work, err));
  return tg_decoder_forward(work, err);
}

static t5gist_status check_teacher(const tg_pass *pass, const tg_pass *teacher, const tg_plan *plan, bool match, t5gist_error *err) {
  const tg_config *c = pass->layout->config;
  if (teacher == NULL) return tg_fail(err, T5GIST_EUSAGE, "training pass: the plan has a teacher's part, but there is no teacher");
  const tg_config *t = teacher->layout->config;
  if (t->vocab_size < c->vocab_size)
    return tg_fail(err, T5GIST_EMISMATCH, "the teacher knows %d tokens, expected the student's %d or more", t->vocab_size, c->vocab_size);
  if (match && (t->d_model != c->d_model || t->n_decoder_layers != c->n_decoder_layers))
    return tg_fail(err, T5GIST_EMISMATCH, "matching needs a teacher of the student's shape: %d decoder layers of width %d, found %d of %d",
                   c->n_decoder_layers, c->d_model, t->n_decoder_layers, t->d_model);
  return check_ids(plan->teacher_rows, plan->n_decoder, plan->teacher->n_decoder, "teacher's row", -1, err);
}

/* The teacher's way forward; teaching then tells the student where to find what. */
static t5gist_status run_teacher(tg_pass *teacher, const float *weights, tg_work *student, tg_teaching *teaching, t5gist_error *err) {
  const tg_pass_options plain = {.precision = student->options->precision, .q_scale = 1};
  const tg_plan *plan = student->plan;
  tg_work work = {.plan = plan->teacher, .options = &plain, .weights = weights};
  tg_teaching none = {0};
  TG_TRY(begin(teacher, student->sizes.match, &work, &none, err));
  TG_TRY(forward(&work, err));
  teaching->states = work.decoder_states;
  teaching->head = weights + teacher->layout->head;
  teaching->d_model = (size_t)teacher->layout->config->d_model;
  teaching->n_rows = work.sizes.n_decoder;
  teaching->cross = work.cross_outputs;
  const float share = student->options->match / (float)student->layout->config->n_decoder_layers;
  for (int i = 0; i < plan->n_decoder; i++) {
    const bool taught = plan->teacher_rows[i] >= 0;
    teaching->rows[i] = taught ? plan->teacher_rows[i] : 0;
    teaching->weights[i] = taught ? plan->teacher_weights[i] : 0;
    teaching->match_weights[i] = share * teaching->weights[i];
  }
  student->teaching = teaching;
  return T5GIST_OK;
}

t5gist_status tg_pass_run(tg_pass *pass, const float *weights, const tg_plan *plan, const tg_pass_options *options, tg_pass *teacher,
                          const float *teacher_weights, float *gradients, tg_pass_result *result, t5gist_error *err) {
  tg_work work = {.plan = plan, .options = options, .weights = weights, .gradients = gradients};
  tg_teaching teaching = {0};
  work.result = (tg_pass_result){.logprobs = result->logprobs, .right = result->right};
  work.sizes.backward = gradients != NULL;
  work.sizes.divergence = plan->teacher != NULL && (options->forward != 0 || options->reverse != 0);
  work.sizes.match = plan->teacher != NULL && options->match != 0;
  const bool taught = work.sizes.divergence || work.sizes.match;
  if (taught) {
    TG_TRY(check_teacher(pass, teacher, plan, work.sizes.match, err));
    work.sizes.teacher_d_model = (size_t)teacher->layout->config->d_model;
  }
  TG_TRY(begin(pass, false, &work, &teaching, err));
  if (taught) TG_TRY(run_teacher(teacher, teacher_weights, &work, &teaching, err));
  TG_TRY(forward(&work, err));
  TG_TRY(tg_head_losses(&work, err));
  if (work.sizes.backward) {
    TG_TRY(tg_decoder_backward(&work, err));
    TG_TRY(tg_encoder_backward(&work, err));
  }
  work.result.loss = work.result.cross_entropy + work.result.divergence + work.result.match;
  *result = work.result;
  return T5GIST_OK;
}
