#include "t5/round4_feedback.h"

#include <math.h>
#include <string.h>

#include "runtime/error.h"
#include "runtime/int4.h"
#include "runtime/memory.h"
#include "runtime/simd.h"

/* A row w of weights becomes q, whose error e = w - q costs e^T H e on inputs of correlations H = L L^T, which is the length of L^T e. Row j of that
 * product holds e_j and what comes behind j, so columns are rounded from the last to the first, each to w_j + sum(L_ij e_i, i > j) / L_jj: to what
 * makes its row zero. */

enum { BAND = 64, PIECE = 16 }; /* rows of H made together; rows of L computed by one thread at a time */
#define SHRINK 0.2f             /* what correlations between inputs count less than each input's own square: the texts are few */
#define LEAST_SQUARE 1e-3f      /* of the mean square of all inputs, added to each: what was always zero may yet be something */
#define LEAST_PIVOT 1e-5f       /* of the diagonal of H: what rounding leaves of a smaller one means nothing */
#define ROUND 12582912.0f       /* 1.5 * 2^23 */

struct tg_feedback {
  size_t n_in, n, group; /* n: whole groups, inputs behind n_in being zeros */
  float *lower;          /* [n, n] L; above the diagonal nothing that is read */
  float *weights;        /* [n] diagonal of H */
  float *scratch;        /* [threads, scratch_floats] */
  size_t scratch_floats; /* errors [TG_FEEDBACK_ROWS, n], carried [TG_FEEDBACK_ROWS, group] */
};

/* --------------------------------------------------------------------------------------------------------------------- correlations */

typedef struct product {
  const float *rows, *columns; /* [n_rows, n] inputs and [n, n_rows] the same transposed */
  size_t n_rows, n;
  float *out; /* [n, n] */
} product;

/* Bands of X^T X up to their diagonal blocks. */
static void multiply_bands(void *user, size_t begin, size_t end, int thread) {
  const product *p = user;
  (void)thread;
  for (size_t band = begin; band < end; band++) {
    const size_t first = band * BAND, rows = p->n - first < BAND ? p->n - first : BAND;
    const float *columns = p->columns + first * p->n_rows;
    tg_simd_best()->multiply(columns, p->n_rows, p->rows, p->n, rows, p->n_rows, first + rows, p->out + first * p->n, p->n, false);
  }
}

/* The inputs with zeros behind each row, and the same transposed, divided by their number. */
static void lay_out(const tg_inputs *inputs, size_t n, float *rows, float *columns) {
  for (size_t r = 0; r < inputs->n; r++) {
    memcpy(rows + r * n, inputs->rows + r * inputs->n_in, inputs->n_in * sizeof *rows);
    for (size_t i = 0; i < inputs->n_in; i++) columns[i * inputs->n + r] = rows[r * n + i] / (float)inputs->n;
  }
}

static void strengthen_diagonal(tg_feedback *f) {
  double sum = 0;
  for (size_t i = 0; i < f->n_in; i++) sum += (double)f->lower[i * f->n + i];
  const float mean = (float)(sum / (double)f->n_in), least = mean > 0 ? mean * LEAST_SQUARE : 1;
  for (size_t i = 0; i < f->n; i++) {
    float *own = &f->lower[i * f->n + i];
    *own += *own * SHRINK + least;
    f->weights[i] = *own;
  }
}

static t5gist_status correlate(tg_feedback *f, const tg_inputs *inputs, tg_team *team, t5gist_error *err) {
  float *rows = NULL, *columns = NULL;
  t5gist_status status;
  TG_GOTO(tg_alloc(&rows, inputs->n, f->n * sizeof *rows, err));
  TG_GOTO(tg_alloc(&columns, inputs->n, f->n * sizeof *columns, err));
  lay_out(inputs, f->n, rows, columns);
  product p = {rows, columns, inputs->n, f->n, f->lower};
  tg_team_run(team, (f->n + BAND - 1) / BAND, multiply_bands, &p);
  strengthen_diagonal(f);
done:
  tg_free(rows);
  tg_free(columns);
  return status;
}

/* Column j of L below the diagonal. */
typedef struct column {
  float *lower;
  size_t n, j;
} column;

static void reduce_rows(void *user, size_t begin, size_t end, int thread) {
  const column *c = user;
  const float *own = c->lower + c->j * c->n;
  (void)thread;
  for (size_t piece = begin; piece < end; piece++) {
    const float *rows[PIECE];
    float sums[PIECE];
    const size_t first = c->j + 1 + piece * PIECE, n = c->n - first < PIECE ? c->n - first : PIECE;
    for (size_t i = 0; i < n; i++) rows[i] = c->lower + (first + i) * c->n;
    tg_simd_best()->dots(own, rows, n, c->j, sums);
    for (size_t i = 0; i < n; i++) {
      float *to = c->lower + (first + i) * c->n + c->j;
      *to = (*to - sums[i]) / own[c->j];
    }
  }
}

/* Cholesky's factor in place of H, row by row as far as the columns before are done. */
static void factor(tg_feedback *f, tg_team *team) {
  for (size_t j = 0; j < f->n; j++) {
    float *own = f->lower + j * f->n, square = 0;
    const float *row = own;
    tg_simd_best()->dots(own, &row, 1, j, &square);
    const float left = own[j] - square, least = f->weights[j] * LEAST_PIVOT;
    own[j] = sqrtf(left > least ? left : least);
    column c = {f->lower, f->n, j};
    const size_t n_pieces = (f->n - j - 1 + PIECE - 1) / PIECE;
    tg_team_run(j * (f->n - j) > (1 << 16) ? team : NULL, n_pieces, reduce_rows, &c);
  }
}

t5gist_status tg_feedback_new(const tg_inputs *inputs, size_t group, tg_team *team, tg_feedback **out, t5gist_error *err) {
  tg_feedback *f;
  t5gist_status status;
  TG_TRY(tg_alloc(&f, 1, sizeof *f, err));
  *f = (tg_feedback){.n_in = inputs->n_in, .n = tg_int4_groups(inputs->n_in, group) * group, .group = group};
  f->scratch_floats = TG_FEEDBACK_ROWS * (f->n + group);
  TG_GOTO(tg_alloc(&f->lower, f->n, f->n * sizeof *f->lower, err)); /* of a layer's size squared, which a configuration was checked for */
  TG_GOTO(tg_alloc(&f->weights, f->n, sizeof *f->weights, err));
  TG_GOTO(tg_alloc(&f->scratch, (size_t)(team ? tg_team_threads(team) : 1), f->scratch_floats * sizeof *f->scratch, err));
  TG_GOTO(correlate(f, inputs, team, err));
  factor(f, team);
  *out = f;
  return T5GIST_OK;
done:
  tg_feedback_free(f);
  return status;
}

void tg_feedback_free(tg_feedback *f) {
  if (f == NULL) return;
  tg_free(f->lower);
  tg_free(f->weights);
  tg_free(f->scratch);
  tg_free(f);
}

/* --------------------------------------------------------------------------------------------------------------------------- rounding */

/* to[j] += factor * from[j] */
static void add_scaled(const float *from, float factor, size_t n, float *to) {
  for (size_t j = 0; j < n; j++) to[j] += factor * from[j];
}

/* What the group would be if its columns could make good all that is carried over exactly: what its scale must fit. block: L's rows and columns of
 * the group, of n floats a row. */
static void adjust(const tg_feedback *f, const float *block, const float *w, const float *carried, float *adjusted) {
  float left[TG_INT4_MOST_GROUP];
  memcpy(left, carried, f->group * sizeof *left);
  for (size_t i = f->group; i-- > 0;) {
    const float *row = block + i * f->n, error = -left[i] / row[i];
    adjusted[i] = w[i] - error;
    add_scaled(row, error, i, left);
  }
}

/* The nearest that 4 bits hold; NaN is 0. */
static int8_t whole_number(float x) {
  if (isnan(x)) return 0;
  return (int8_t)(x < TG_INT4_LEAST ? TG_INT4_LEAST : x > TG_INT4_LARGEST ? TG_INT4_LARGEST : x + ROUND - ROUND);
}

/* One group of a row, w [width]. carried [group]: sum(L_ij e_i) over the columns i behind the group, used up. errors [group]: e. */
static float round_group(const tg_feedback *f, size_t first, size_t width, const float *w, float *carried, float *errors, int8_t *q) {
  const float *block = f->lower + first * f->n + first;
  float padded[TG_INT4_MOST_GROUP] = {0}, adjusted[TG_INT4_MOST_GROUP];
  memcpy(padded, w, width * sizeof *padded);
  adjust(f, block, padded, carried, adjusted);
  const float scale = tg_search_scale4(adjusted, f->weights + first, width), inverse = scale != 0 && !isnan(scale) ? 1 / scale : 0;
  for (size_t i = f->group; i-- > 0;) {
    const float *row = block + i * f->n;
    q[i] = i < width ? whole_number((padded[i] + carried[i] / row[i]) * inverse) : 0;
    errors[i] = padded[i] - (i < width ? (float)q[i] * scale : 0);
    add_scaled(row, errors[i], i, carried);
  }
  return scale;
}

void tg_feedback_round(const tg_feedback *f, const float *rows, size_t n, int thread, unsigned char *nibbles, float *scales) {
  const size_t n_groups = f->n / f->group, row_bytes = tg_int4_row_bytes(f->n_in);
  float *errors = f->scratch + (size_t)thread * f->scratch_floats, *carried = errors + TG_FEEDBACK_ROWS * f->n;
  int8_t q[TG_INT4_MOST_GROUP];
  for (size_t g = n_groups; g-- > 0;) {
    const size_t first = g * f->group, end = first + f->group, width = f->n_in - first < f->group ? f->n_in - first : f->group;
    memset(carried, 0, n * f->group * sizeof *carried);
    if (end < f->n)
      tg_simd_best()->multiply(errors + end, f->n, f->lower + end * f->n + first, f->n, n, f->n - end, f->group, carried, f->group, false);
    for (size_t r = 0; r < n; r++) {
      scales[r * n_groups + g] = round_group(f, first, width, rows + r * f->n_in + first, carried + r * f->group, errors + r * f->n + first, q);
      tg_int4_put(nibbles + r * row_bytes, first, width, q);
    }
  }
}
