/* The functions of reference.h. Included by reference_f32.c and reference_f64.c, which define TG_REAL and TG_REFERENCE. Transcendental functions are
 * computed in double and rounded; everything else in TG_REAL. */
#include <math.h>

#include "t5/position.h"
#include "training/dropout.h"

typedef TG_REAL real;

/* ----------------------------------------------------------------------------------------------------------------------- linear layers */

void TG_REFERENCE(linear)(const real *x, size_t m, const real *weight, size_t n_in, size_t n_out, bool accumulate, real *y) {
  for (size_t i = 0; i < m; i++)
    for (size_t o = 0; o < n_out; o++) {
      real sum = 0;
      for (size_t j = 0; j < n_in; j++) sum += x[i * n_in + j] * weight[o * n_in + j];
      y[i * n_out + o] = accumulate ? y[i * n_out + o] + sum : sum;
    }
}

void TG_REFERENCE(linear_dx)(const real *dy, size_t m, const real *weight, size_t n_in, size_t n_out, bool accumulate, real *dx) {
  for (size_t i = 0; i < m; i++)
    for (size_t j = 0; j < n_in; j++) {
      real sum = 0;
      for (size_t o = 0; o < n_out; o++) sum += dy[i * n_out + o] * weight[o * n_in + j];
      dx[i * n_in + j] = accumulate ? dx[i * n_in + j] + sum : sum;
    }
}

void TG_REFERENCE(linear_dw)(const real *dy, const real *x, size_t m, size_t n_in, size_t n_out, real *dweight) {
  for (size_t o = 0; o < n_out; o++)
    for (size_t j = 0; j < n_in; j++) {
      real sum = 0;
      for (size_t i = 0; i < m; i++) sum += dy[i * n_out + o] * x[i * n_in + j];
      dweight[o * n_in + j] += sum;
    }
}

/* ------------------------------------------------------------------------------------------------------------------------------- RMSNorm */

void TG_REFERENCE(norm)(const real *x, const real *weight, size_t rows, size_t d, float eps, real *y, real *inverse) {
  for (size_t i = 0; i < rows; i++) {
    real sum = 0;
    for (size_t j = 0; j < d; j++) sum += x[i * d + j] * x[i * d + j];
    inverse[i] = (real)(1 / sqrt((double)(sum / (real)d + (real)eps)));
    for (size_t j = 0; j < d; j++) y[i * d + j] = x[i * d + j] * inverse[i] * weight[j];
  }
}

/* With g = dy * weight: dx = inverse * (g - x * inverse^2 * mean(g * x)). */
void TG_REFERENCE(norm_backward)(const real *x, const real *weight, const real *inverse, const real *dy, size_t rows, size_t d, real *dx,
                                 real *dweight) {
  for (size_t i = 0; i < rows; i++) {
    real sum = 0;
    for (size_t j = 0; j < d; j++) sum += dy[i * d + j] * weight[j] * x[i * d + j];
    const real pull = sum / (real)d * inverse[i] * inverse[i];
    for (size_t j = 0; j < d; j++) {
      dx[i * d + j] += inverse[i] * (dy[i * d + j] * weight[j] - x[i * d + j] * pull);
      dweight[j] += dy[i * d + j] * x[i * d + j] * inverse[i];
    }
  }
}

/* ---------------------------------------------------------------------------------------------------------------------------- activation */

/* The activation and its slope. */
static void activation_of(double x, tg_activation activation, double *value, double *slope) {
  const double root = 0.79788456080286535588; /* sqrt(2 / pi) */
  double gate, gate_slope;
  switch (activation) {
    case TG_RELU: gate = x > 0, gate_slope = 0; break;
    case TG_SILU: gate = 1 / (1 + exp(-x)), gate_slope = gate * (1 - gate); break;
    default: /* TG_GELU_NEW */
      gate = 0.5 * (1 + tanh(root * (x + 0.044715 * x * x * x)));
      gate_slope = gate * (1 - gate) * 2 * root * (1 + 3 * 0.044715 * x * x);
  }
  *value = x * gate;
  *slope = gate + x * gate_slope;
}

void TG_REFERENCE(activate)(const real *x, size_t rows, size_t d_ff, tg_activation activation, bool gated, real *y) {
  const size_t width = gated ? 2 * d_ff : d_ff;
  for (size_t i = 0; i < rows; i++)
    for (size_t j = 0; j < d_ff; j++) {
      double value, slope;
      activation_of((double)x[i * width + j], activation, &value, &slope);
      y[i * d_ff + j] = (real)value * (gated ? x[i * width + d_ff + j] : 1);
    }
}

void TG_REFERENCE(activate_backward)(const real *x, const real *dy, size_t rows, size_t d_ff, tg_activation activation, bool gated, real *dx) {
  const size_t width = gated ? 2 * d_ff : d_ff;
  for (size_t i = 0; i < rows; i++)
    for (size_t j = 0; j < d_ff; j++) {
      double value, slope;
      activation_of((double)x[i * width + j], activation, &value, &slope);
      const real up = dy[i * d_ff + j];
      dx[i * width + j] = up * (real)slope * (gated ? x[i * width + d_ff + j] : 1);
      if (gated) dx[i * width + d_ff + j] = up * (real)value;
    }
}

/* ----------------------------------------------------------------------------------------------------------------------------- embedding */

void TG_REFERENCE(embed)(const real *table, const int32_t *ids, size_t rows, size_t d, real *y) {
  for (size_t i = 0; i < rows; i++)
    for (size_t j = 0; j < d; j++) y[i * d + j] = table[(size_t)ids[i] * d + j];
}

void TG_REFERENCE(embed_backward)(const real *dy, const int32_t *ids, size_t rows, size_t d, real *dtable) {
  for (size_t i = 0; i < rows; i++)
    for (size_t j = 0; j < d; j++) dtable[(size_t)ids[i] * d + j] += dy[i * d + j];
}

/* ----------------------------------------------------------------------------------------------------------------------------- attention */

/* One head and query of a span. */
typedef struct place {
  const tg_train_attention *attention;
  const real *bias_weights;
  int head, query_row, query_position;
} place;

static bool sees(const place *p, const tg_train_keys *keys, int key) {
  return !p->attention->causal || keys->position + key <= p->query_position;
}

/* Of the bias at a key, in bias_weights. */
static size_t bias_at(const place *p, const tg_train_keys *keys, int key) {
  const tg_train_attention *a = p->attention;
  const int bucket = tg_position_bucket((int64_t)keys->position + key - p->query_position, a->bidirectional, a->n_buckets, a->max_distance);
  return (size_t)bucket * (size_t)a->n_heads + (size_t)p->head;
}

static real score_of(const place *p, const tg_train_keys *keys, int key, const real *q, const real *k) {
  const tg_train_attention *a = p->attention;
  real sum = 0;
  for (int i = 0; i < a->d_kv; i++) sum += q[i] * k[i];
  sum *= (real)a->scale;
  return p->bias_weights == NULL ? sum : sum + p->bias_weights[bias_at(p, keys, key)];
}

/* What dropout multiplies the probability by. */
static real dropout_factor(const place *p, int key_row) {
  const float rate = p->attention->dropout;
  if (rate == 0) return 1;
  const uint64_t stream = tg_dropout_row(p->attention->dropout_key, p->head, p->query_row);
  return tg_dropout_keeps(stream, (uint32_t)key_row, tg_dropout_limit(rate)) ? 1 / (1 - (real)rate) : 0;
}

static real normaliser_of(const place *p, const tg_train_span *span, const real *q, const real *k) {
  const size_t stride = p->attention->kv_stride;
  double max = -INFINITY, sum = 0;
  for (int pass = 0; pass < 2; pass++)
    for (const tg_train_keys *keys = span->keys; keys < span->keys + TG_TRAIN_KEY_PARTS; keys++)
      for (int j = 0; j < keys->n; j++) {
        if (!sees(p, keys, j)) continue;
        const double score = (double)score_of(p, keys, j, q, k + (size_t)(keys->begin + j) * stride);
        if (pass == 0)
          max = score > max ? score : max;
        else
          sum += exp(score - max);
      }
  return (real)(max + log(sum));
}

static void attend(const place *p, const tg_train_span *span, const real *q, const real *k, const real *v, real *out, real *normaliser) {
  const tg_train_attention *a = p->attention;
  *normaliser = normaliser_of(p, span, q, k);
  for (int i = 0; i < a->d_kv; i++) out[i] = 0;
  for (const tg_train_keys *keys = span->keys; keys < span->keys + TG_TRAIN_KEY_PARTS; keys++)
    for (int j = 0; j < keys->n; j++) {
      if (!sees(p, keys, j)) continue;
      const size_t row = (size_t)(keys->begin + j) * a->kv_stride;
      const real weight = (real)exp((double)(score_of(p, keys, j, q, k + row) - *normaliser)) * dropout_factor(p, keys->begin + j);
      for (int i = 0; i < a->d_kv; i++) out[i] += weight * v[row + (size_t)i];
    }
}

/* With P the probabilities, D dropout's factors and dP = D * (dout v^T): dscore = P * (dP - sum(P * dP)), and the sum is dout . out. */
static void attend_backward(const place *p, const tg_train_span *span, const real *q, const real *k, const real *v, const real *out, real normaliser,
                            const real *dout, real *dq, real *dk, real *dv, real *dbias_weights) {
  const tg_train_attention *a = p->attention;
  real mean = 0;
  for (int i = 0; i < a->d_kv; i++) mean += dout[i] * out[i];
  for (const tg_train_keys *keys = span->keys; keys < span->keys + TG_TRAIN_KEY_PARTS; keys++)
    for (int j = 0; j < keys->n; j++) {
      if (!sees(p, keys, j)) continue;
      const size_t row = (size_t)(keys->begin + j) * a->kv_stride;
      const real probability = (real)exp((double)(score_of(p, keys, j, q, k + row) - normaliser)), factor = dropout_factor(p, keys->begin + j);
      real up = 0;
      for (int i = 0; i < a->d_kv; i++) {
        up += dout[i] * v[row + (size_t)i];
        dv[row + (size_t)i] += probability * factor * dout[i];
      }
      const real dscore = probability * (up * factor - mean);
      if (dbias_weights != NULL) dbias_weights[bias_at(p, keys, j)] += dscore;
      for (int i = 0; i < a->d_kv; i++) {
        dq[i] += dscore * (real)a->scale * k[row + (size_t)i];
        dk[row + (size_t)i] += dscore * (real)a->scale * q[i];
      }
    }
}

void TG_REFERENCE(attention_run)(const tg_train_attention *a, const real *bias_weights, const tg_train_span *spans, int n_spans, const real *q,
                                 const real *k, const real *v, real *out, real *normaliser) {
  for (const tg_train_span *span = spans; span < spans + n_spans; span++)
    for (int head = 0; head < a->n_heads; head++)
      for (int i = 0; i < span->n_q; i++) {
        const place p = {a, bias_weights, head, span->q_begin + i, span->q_position + i};
        const size_t row = (size_t)p.query_row, column = (size_t)head * (size_t)a->d_kv;
        attend(&p, span, q + row * a->q_stride + column, k + column, v + column, out + row * a->out_stride + column,
               normaliser + row * (size_t)a->n_heads + (size_t)head);
      }
}

void TG_REFERENCE(attention_backward)(const tg_train_attention *a, const real *bias_weights, const tg_train_span *spans, int n_spans, const real *q,
                                      const real *k, const real *v, const real *out, const real *normaliser, const real *dout, real *dq, real *dk,
                                      real *dv, real *dbias_weights) {
  for (const tg_train_span *span = spans; span < spans + n_spans; span++)
    for (int head = 0; head < a->n_heads; head++)
      for (int i = 0; i < span->n_q; i++) {
        const place p = {a, bias_weights, head, span->q_begin + i, span->q_position + i};
        const size_t row = (size_t)p.query_row, column = (size_t)head * (size_t)a->d_kv, q_at = row * a->q_stride + column,
                     out_at = row * a->out_stride + column;
        attend_backward(&p, span, q + q_at, k + column, v + column, out + out_at, normaliser[row * (size_t)a->n_heads + (size_t)head], dout + out_at,
                        dq + q_at, dk + column, dv + column, dbias_weights);
      }
}

/* ------------------------------------------------------------------------------------------------------------------------------- dropout */

void TG_REFERENCE(dropout)(real *x, size_t n, float p, uint64_t key) {
  if (p == 0) return;
  const real factor = 1 / (1 - (real)p);
  for (size_t i = 0; i < n; i++)
    x[i] = tg_dropout_keeps(tg_dropout_run(key, i / TG_DROPOUT_RUN), (uint32_t)(i % TG_DROPOUT_RUN), tg_dropout_limit(p)) ? x[i] * factor : 0;
}

/* -------------------------------------------------------------------------------------------------------------------------------- losses */

static double logsumexp_of(const real *x, size_t n) {
  double max = -INFINITY, sum = 0;
  for (size_t i = 0; i < n; i++) max = (double)x[i] > max ? (double)x[i] : max;
  for (size_t i = 0; i < n; i++) sum += exp((double)x[i] - max);
  return max + log(sum);
}

static bool is_largest(const real *x, size_t n, size_t at) {
  for (size_t i = 0; i < n; i++)
    if (i < at ? x[i] >= x[at] : x[i] > x[at]) return false;
  return true;
}

/* One row. With p the softmax of x and t that of the teacher (log_p, log_t their logarithms):
 *   cross-entropy  -(1 - smoothing) log_p[target] - smoothing * mean(log_p)     slope p - (1 - smoothing) [target] - smoothing / vocab
 *   forward        sum t (log_t - log_p)                                         slope p - t
 *   reverse        sum p (log_p - log_t)                                         slope p (log_p - log_t - reverse) */
static void loss_row(const tg_train_loss *loss, size_t row, const real *teacher, size_t vocab, real *x, bool backward, tg_train_losses *losses,
                     real *logprob, unsigned char *right) {
  const int32_t target = loss->targets[row];
  const double weight = target < 0 ? 0 : (double)loss->weights[row], teacher_weight = teacher == NULL ? 0 : (double)loss->teacher_weights[row];
  const double normaliser = logsumexp_of(x, vocab), teacher_normaliser = teacher_weight == 0 ? 0 : logsumexp_of(teacher, vocab);
  const double smoothing = (double)loss->smoothing, share = smoothing / (double)vocab;
  if (logprob != NULL) *logprob = target < 0 ? 0 : (real)((double)x[target] - normaliser);
  if (right != NULL) *right = target >= 0 && is_largest(x, vocab, (size_t)target);
  if (weight != 0) losses->cross_entropy -= weight * (1 - smoothing) * ((double)x[target] - normaliser);
  double forward = 0, reverse = 0;
  for (size_t i = 0; i < vocab; i++) {
    const double log_p = (double)x[i] - normaliser;
    losses->cross_entropy -= weight * share * log_p;
    if (teacher_weight == 0) continue;
    const double log_t = (double)teacher[i] - teacher_normaliser;
    forward += exp(log_t) * (log_t - log_p);
    reverse += exp(log_p) * (log_p - log_t);
  }
  losses->divergence += teacher_weight * ((double)loss->forward * forward + (double)loss->reverse * reverse);
  for (size_t i = 0; backward && i < vocab; i++) {
    const double log_p = (double)x[i] - normaliser, p = exp(log_p);
    double slope = weight * (p - share - ((size_t)target == i ? 1 - smoothing : 0));
    if (teacher_weight != 0) {
      const double log_t = (double)teacher[i] - teacher_normaliser;
      slope += teacher_weight * ((double)loss->forward * (p - exp(log_t)) + (double)loss->reverse * p * (log_p - log_t - reverse));
    }
    x[i] = (real)slope;
  }
}

void TG_REFERENCE(loss_run)(const tg_train_loss *loss, const real *teacher, size_t rows, size_t vocab, real *logits, bool backward,
                            tg_train_losses *losses, real *logprobs, unsigned char *right) {
  *losses = (tg_train_losses){0};
  for (size_t row = 0; row < rows; row++)
    loss_row(loss, row, teacher == NULL ? NULL : teacher + row * vocab, vocab, logits + row * vocab, backward, losses,
             logprobs == NULL ? NULL : logprobs + row, right == NULL ? NULL : right + row);
}

/* ------------------------------------------------------------------------------------------------------------------------------ matching */

static real inverse_rms(const real *x, size_t d, float eps) {
  real sum = 0;
  for (size_t j = 0; j < d; j++) sum += x[j] * x[j];
  return (real)(1 / sqrt((double)(sum / (real)d + (real)eps)));
}

/* With a = x / rms(x), b = y / rms(y), g = 2 weight / d * (a - b): dx = (g - a * mean(g * a)) / rms(x). */
void TG_REFERENCE(match)(const real *x, const real *y, const float *weights, size_t rows, size_t d, float eps, double *loss, real *dx) {
  *loss = 0;
  for (size_t i = 0; i < rows; i++, x += d, y += d) {
    const real inverse_x = inverse_rms(x, d, eps), inverse_y = inverse_rms(y, d, eps), factor = 2 * (real)weights[i] / (real)d;
    real squares = 0, pull = 0;
    for (size_t j = 0; j < d; j++) {
      const real a = x[j] * inverse_x, gap = a - y[j] * inverse_y;
      squares += gap * gap;
      pull += factor * gap * a;
    }
    *loss += (double)weights[i] * (double)squares / (double)d;
    for (size_t j = 0; dx != NULL && j < d; j++) {
      const real a = x[j] * inverse_x;
      dx[i * d + j] += inverse_x * (factor * (a - y[j] * inverse_y) - a * pull / (real)d);
    }
  }
}

/* ------------------------------------------------------------------------------------------------------------------------------- vectors */

double TG_REFERENCE(sum_squares)(const real *x, size_t n) {
  double sum = 0;
  for (size_t i = 0; i < n; i++) sum += (double)x[i] * (double)x[i];
  return sum;
}

void TG_REFERENCE(add)(const real *x, size_t n, real *y) {
  for (size_t i = 0; i < n; i++) y[i] += x[i];
}
