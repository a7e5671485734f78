#include <oneapi/dnnl/dnnl.h>

#include "runtime/matmul.h"
#include "training/ops.h"

/* c[m, n] (+)= a b over depth k, row-major; a_transposed: a is stored [k, m], b_transposed: b is stored [n, k]. */
typedef struct product {
  const float *a, *b;
  bool a_transposed, b_transposed, accumulate;
  size_t m, n, k;
  float *c;
  dnnl_status_t status;
} product;

static void multiply(void *argument, size_t begin, size_t end, int thread) {
  product *p = argument;
  (void)begin, (void)end, (void)thread;
  const dnnl_dim_t m = (dnnl_dim_t)p->m, n = (dnnl_dim_t)p->n, k = (dnnl_dim_t)p->k;
  p->status = dnnl_sgemm(p->a_transposed ? 'T' : 'N', p->b_transposed ? 'T' : 'N', m, n, k, 1, p->a, p->a_transposed ? m : k, p->b, p->b_transposed ? k : n,
                         p->accumulate ? 1 : 0, p->c, n);
}

static t5gist_status run(tg_workspace *workspace, product *p, t5gist_error *err) {
  if (p->m == 0 || p->n == 0) return T5GIST_OK;
  tg_team_run(tg_workspace_team(workspace), 1, multiply, p);
  return tg_dnnl_check(p->status, "multiplying matrices", err);
}

t5gist_status tg_train_linear(tg_workspace *workspace, const float *x, size_t m, const float *weight, size_t n_in, size_t n_out, bool accumulate, float *y,
                              t5gist_error *err) {
  product p = {.a = x, .b = weight, .b_transposed = true, .accumulate = accumulate, .m = m, .n = n_out, .k = n_in, .c = y};
  return run(workspace, &p, err);
}

t5gist_status tg_train_linear_dx(tg_workspace *workspace, const float *dy, size_t m, const float *weight, size_t n_in, size_t n_out, bool accumulate, float *dx,
                                 t5gist_error *err) {
  product p = {.a = dy, .b = weight, .accumulate = accumulate, .m = m, .n = n_in, .k = n_out, .c = dx};
  return run(workspace, &p, err);
}

t5gist_status tg_train_linear_dw(tg_workspace *workspace, const float *dy, const float *x, size_t m, size_t n_in, size_t n_out, float *dweight,
                                 t5gist_error *err) {
  product p = {.a = dy, .a_transposed = true, .b = x, .accumulate = true, .m = n_out, .n = n_in, .k = m, .c = dweight};
  return run(workspace, &p, err);
}
