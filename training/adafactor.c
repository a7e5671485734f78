/* Adafactor: of a matrix's second moment only the means over rows and columns are kept. */
#include <math.h>
#include <string.h>

#include "runtime/error.h"
#include "training/optimiser_parts.h"

static const float least_square = 1e-30f; /* added to squares, so that nothing is divided by 0 */
static const double most_rms = 1;         /* of an update before the learning rate */

enum { LEAST_ROWS = 32 }; /* of a block: sums over columns take one row of scratch for as many of the matrix */

/* One parameter's step. A vector is a matrix of one row that is not factored. */
typedef struct matrix {
  const tg_update *update;
  const tg_parameter *parameter;
  size_t rows, columns, rows_of_block, n_blocks;
  double keep;           /* beta2: what stays of the moments */
  float *v_rows;         /* [rows] moments */
  double *sums;          /* [n_blocks, columns] squares summed over the rows of a block */
  double *block_rms;     /* [n_blocks] sums of squares of the update */
  float *row_factors;    /* [rows] */
  float *column_factors; /* [columns] the unscaled update is row_factor * column_factor * gradient */
  double step, decay;    /* p -= decay p + step update, at factor 1 */
} matrix;

static size_t block_end(const matrix *m, size_t block) {
  const size_t end = (block + 1) * m->rows_of_block;
  return end < m->rows ? end : m->rows;
}

static const float *gradient_row(const matrix *m, size_t row) {
  return m->update->gradients + m->parameter->offset + row * m->columns;
}

static float square(const matrix *m, float gradient) {
  const float g = gradient * m->update->clip;
  return g * g + least_square;
}

static void sum_squares(void *argument, size_t begin, size_t end, int thread) {
  const matrix *m = argument;
  (void)thread;
  for (size_t block = begin; block < end; block++) {
    double *restrict sums = m->sums + block * m->columns;
    memset(sums, 0, m->columns * sizeof *sums);
    for (size_t row = block * m->rows_of_block; row < block_end(m, block); row++) {
      const float *restrict g = gradient_row(m, row);
      double sum = 0;
      for (size_t i = 0; i < m->columns; i++) {
        const double s = square(m, g[i]);
        sums[i] += s;
        sum += s;
      }
      m->v_rows[row] = (float)(m->keep * m->v_rows[row] + (1 - m->keep) * (sum / (double)m->columns));
    }
  }
}

/* From the moments to the two factors of the update. */
static void factor(const matrix *m, float *v_columns) {
  double mean = 0;
  for (size_t i = 0; i < m->rows; i++) mean += m->v_rows[i];
  mean /= (double)m->rows;
  for (size_t i = 0; i < m->rows; i++) m->row_factors[i] = (float)(1 / sqrt(m->v_rows[i] / mean));
  for (size_t i = 0; i < m->columns; i++) {
    double sum = 0;
    for (size_t block = 0; block < m->n_blocks; block++) sum += m->sums[block * m->columns + i];
    v_columns[i] = (float)(m->keep * v_columns[i] + (1 - m->keep) * (sum / (double)m->rows));
    m->column_factors[i] = (float)(1 / sqrt(v_columns[i]));
  }
}

static void measure_update(void *argument, size_t begin, size_t end, int thread) {
  const matrix *m = argument;
  (void)thread;
  for (size_t block = begin; block < end; block++) {
    double total = 0;
    for (size_t row = block * m->rows_of_block; row < block_end(m, block); row++) {
      const float *restrict g = gradient_row(m, row), *restrict c = m->column_factors;
      const float r = m->row_factors[row] * m->update->clip;
      for (size_t i = 0; i < m->columns; i++) total += (double)(r * c[i] * g[i]) * (r * c[i] * g[i]);
    }
    m->block_rms[block] = total;
  }
}

static void apply_update(void *argument, size_t begin, size_t end, int thread) {
  const matrix *m = argument;
  (void)thread;
  for (size_t row = begin * m->rows_of_block; row < block_end(m, end - 1); row++) {
    const float *restrict g = gradient_row(m, row), *restrict c = m->column_factors;
    float *restrict p = m->update->weights + m->parameter->offset + row * m->columns;
    const double speed = tg_optimiser_factor(m->update->optimiser, m->parameter, row);
    const float step = (float)(m->step * speed * m->row_factors[row] * m->update->clip), kept = (float)(1 - m->decay * speed);
    for (size_t i = 0; i < m->columns; i++) p[i] = p[i] * kept - step * c[i] * g[i];
    tg_optimiser_follow(m->update, m->parameter->offset + row * m->columns, m->columns);
  }
}

/* The step from the sum of squares of the update. */
static void set_step(matrix *m, double squares, double rate) {
  const double rms = sqrt(squares / (double)m->parameter->count);
  m->step = rate / fmax(1, rms / most_rms);
  m->decay = m->parameter->decays ? rate * m->update->optimiser->options.weight_decay : 0;
}

static t5gist_status step_matrix(matrix *m, tg_workspace *workspace, float *v_columns, t5gist_error *err) {
  tg_arena *arena = tg_workspace_arena(workspace);
  tg_team *team = tg_workspace_team(workspace);
  m->rows_of_block = TG_STRETCH / m->columns > LEAST_ROWS ? TG_STRETCH / m->columns : LEAST_ROWS;
  m->n_blocks = (m->rows + m->rows_of_block - 1) / m->rows_of_block;
  TG_TRY(tg_arena_take(arena, &m->sums, m->n_blocks * m->columns, sizeof *m->sums, err));
  TG_TRY(tg_arena_take(arena, &m->block_rms, m->n_blocks, sizeof *m->block_rms, err));
  TG_TRY(tg_arena_take(arena, &m->row_factors, m->rows, sizeof *m->row_factors, err));
  TG_TRY(tg_arena_take(arena, &m->column_factors, m->columns, sizeof *m->column_factors, err));
  const double rate = m->update->rate * tg_optimiser_scale(workspace, m->parameter, m->update->weights);
  tg_team_run(team, m->n_blocks, sum_squares, m);
  factor(m, v_columns);
  tg_team_run(team, m->n_blocks, measure_update, m);
  double squares = 0;
  for (size_t block = 0; block < m->n_blocks; block++) squares += m->block_rms[block];
  set_step(m, squares, rate);
  tg_team_run(team, m->n_blocks, apply_update, m);
  return T5GIST_OK;
}

static void step_vector(matrix *m, tg_workspace *workspace, float *v) {
  const float *g = gradient_row(m, 0);
  float *p = m->update->weights + m->parameter->offset;
  const double rate = m->update->rate * tg_optimiser_scale(workspace, m->parameter, m->update->weights);
  double squares = 0;
  for (size_t i = 0; i < m->columns; i++) {
    v[i] = (float)(m->keep * v[i] + (1 - m->keep) * square(m, g[i]));
    const double u = g[i] * m->update->clip / sqrt(v[i]);
    squares += u * u;
  }
  set_step(m, squares, rate);
  for (size_t i = 0; i < m->columns; i++) p[i] = (float)(p[i] - m->decay * p[i] - m->step * (g[i] * m->update->clip / sqrt(v[i])));
  tg_optimiser_follow(m->update, m->parameter->offset, m->columns);
}

t5gist_status tg_adafactor_step(const tg_update *u, tg_workspace *workspace, t5gist_error *err) {
  const tg_optimiser *o = u->optimiser;
  tg_arena *arena = tg_workspace_arena(workspace);
  const tg_arena_mark mark = tg_arena_save(arena);
  float *v = o->v, *v_rows = o->v_rows, *v_columns = o->v_columns;
  t5gist_status status = T5GIST_OK;
  for (size_t i = 0; status == T5GIST_OK && i < o->layout->n; i++) {
    const tg_parameter *p = &o->layout->parameters[i];
    if (p->offset < o->begin || p->offset >= o->end) continue;
    matrix m = {.update = u, .parameter = p, .rows = p->n_dims == 2 ? p->dims[0] : 1, .columns = p->dims[p->n_dims - 1], .v_rows = v_rows};
    m.keep = 1 - pow((double)u->step, -0.8);
    if (p->n_dims == 2) {
      status = step_matrix(&m, workspace, v_columns, err);
      v_rows += m.rows;
      v_columns += m.columns;
      tg_arena_restore(arena, mark);
    } else {
      step_vector(&m, workspace, v);
      v += m.columns;
    }
  }
  return status;
}
