#include <math.h>
#include <string.h>

#include "runtime/error.h"
#include "runtime/simd.h"
#include "training/kernels.h"
#include "training/ops.h"

/* Rows of logits are long: each is one thread's, from largest value to gradient while it is in the cache. Losses of rows are added up afterwards, in
 * order. */
typedef struct losing {
  const tg_train_loss *loss;
  size_t vocab;
  float *logits;
  bool backward;
  tg_train_losses *losses; /* [rows] */
  float *logprobs;
  unsigned char *right;
} losing;

/* What is known of one row's softmax. */
typedef struct softmax {
  float max;
  double sum; /* of exp(x - max) */
} softmax;

static softmax softmax_of(const float *x, size_t n) {
  const float max = tg_simd_best()->max(x, n);
  return (softmax){max, tg_simd_best()->sum_exp(x, n, max)};
}

static double log_probability(const softmax *s, float x) {
  return (double)x - (double)s->max - log(s->sum);
}

/* abcd: coefficients of tg_train_kernels.soft_slopes, to which those of the losses are added. */
static double cross_entropy(const losing *l, size_t row, const softmax *s, const float *x, double abcd[4]) {
  const double weight = (double)l->loss->weights[row], smoothing = (double)l->loss->smoothing, vocab = (double)l->vocab;
  double log_p = log_probability(s, x[l->loss->targets[row]]);
  if (smoothing > 0) log_p = (1 - smoothing) * log_p + smoothing * (tg_train_kernels_best()->sum(x, l->vocab) / vocab - (double)s->max - log(s->sum));
  abcd[0] += weight / s->sum;
  abcd[3] -= weight * smoothing / vocab;
  return -weight * log_p;
}

/* With u and v the logits less their largest, p and t the softmaxes, log p - log t = u - v + shift. */
static double divergence(const losing *l, size_t row, const softmax *student, const softmax *teacher, const tg_soft_sums *sums, double abcd[4]) {
  const double weight = (double)l->loss->teacher_weights[row], forward = weight * (double)l->loss->forward,
               reverse = weight * (double)l->loss->reverse;
  const double shift = log(teacher->sum) - log(student->sum), to_student = -(sums->t_gap / teacher->sum + shift),
               to_teacher = sums->x_gap / student->sum + shift;
  abcd[0] += (forward + reverse * (shift - to_teacher)) / student->sum;
  abcd[1] += reverse / student->sum;
  abcd[2] -= forward / teacher->sum;
  return forward * to_student + reverse * to_teacher;
}

static void lose_row(const losing *l, size_t row) {
  const tg_train_kernels *kernels = tg_train_kernels_best();
  const tg_train_loss *loss = l->loss;
  const int32_t target = loss->targets[row];
  const bool taught = loss->teacher != NULL && loss->teacher_weights[row] != 0, counts = target >= 0 && loss->weights[row] != 0;
  const bool reports = target >= 0 && (l->logprobs != NULL || l->right != NULL);
  float *x = l->logits + row * l->vocab;
  const float *teacher = taught ? loss->teacher + row * l->vocab : NULL;
  double abcd[4] = {0, 0, 0, 0};
  softmax student = {0, 1}, other = {0, 1};
  l->losses[row] = (tg_train_losses){0, 0};
  if (taught) {
    tg_soft_sums sums;
    student.max = tg_simd_best()->max(x, l->vocab);
    other.max = tg_simd_best()->max(teacher, l->vocab);
    kernels->soft_sums(x, teacher, l->vocab, student.max, other.max, &sums);
    student.sum = sums.x;
    other.sum = sums.t;
    l->losses[row].divergence = divergence(l, row, &student, &other, &sums, abcd);
  } else if (counts || reports) {
    student = softmax_of(x, l->vocab);
  }
  if (counts) l->losses[row].cross_entropy = cross_entropy(l, row, &student, x, abcd);
  if (l->logprobs != NULL) l->logprobs[row] = target < 0 ? 0 : (float)log_probability(&student, x[target]);
  if (l->right != NULL) l->right[row] = target >= 0 && x[target] == student.max && !(tg_simd_best()->max(x, (size_t)target) >= x[target]);
  if (!l->backward) return;
  if (!taught && !counts) {
    memset(x, 0, l->vocab * sizeof *x);
    return;
  }
  kernels->soft_slopes(x, teacher, l->vocab, student.max, other.max,
                       (const float[4]){(float)abcd[0], (float)abcd[1], (float)abcd[2], (float)abcd[3]});
  if (counts) x[target] -= loss->weights[row] * (1 - loss->smoothing);
}

static void lose_rows(void *argument, size_t begin, size_t end, int thread) {
  (void)thread;
  for (size_t row = begin; row < end; row++) lose_row(argument, row);
}

t5gist_status tg_train_loss_run(tg_workspace *workspace, const tg_train_loss *loss, size_t rows, size_t vocab, float *logits, bool backward,
                                tg_train_losses *losses, float *logprobs, unsigned char *right, t5gist_error *err) {
  losing l = {loss, vocab, logits, backward, NULL, logprobs, right};
  tg_arena *arena = tg_workspace_arena(workspace);
  const tg_arena_mark mark = tg_arena_save(arena);
  t5gist_status status = T5GIST_OK;
  TG_GOTO(tg_arena_take(arena, &l.losses, rows, sizeof *l.losses, err));
  tg_team_run(tg_workspace_team(workspace), rows, lose_rows, &l);
  *losses = (tg_train_losses){0, 0};
  for (size_t row = 0; row < rows; row++) {
    losses->cross_entropy += l.losses[row].cross_entropy;
    losses->divergence += l.losses[row].divergence;
  }
done:
  tg_arena_restore(arena, mark);
  return status;
}

/* ------------------------------------------------------------------------------------------------------------------------------ matching */

typedef struct matching {
  const float *x, *y, *weights;
  size_t d;
  float eps, *dx;
  double *losses; /* [rows] */
} matching;

static void match_rows(void *argument, size_t begin, size_t end, int thread) {
  const matching *m = argument;
  (void)thread;
  for (size_t row = begin; row < end; row++)
    m->losses[row] = tg_train_kernels_best()->match(m->x + row * m->d, m->y + row * m->d, m->weights[row], m->d, m->eps,
                                                    m->dx == NULL ? NULL : m->dx + row * m->d);
}

t5gist_status tg_train_match(tg_workspace *workspace, const float *x, const float *y, const float *weights, size_t rows, size_t d, float eps,
                             double *loss, float *dx, t5gist_error *err) {
  matching m = {x, y, weights, d, eps, dx, NULL};
  tg_arena *arena = tg_workspace_arena(workspace);
  const tg_arena_mark mark = tg_arena_save(arena);
  t5gist_status status = T5GIST_OK;
  TG_GOTO(tg_arena_take(arena, &m.losses, rows, sizeof *m.losses, err));
  tg_team_run(tg_workspace_team(workspace), rows, match_rows, &m);
  *loss = 0;
  for (size_t row = 0; row < rows; row++) *loss += m.losses[row];
done:
  tg_arena_restore(arena, mark);
  return status;
}
