/* oneDNN 2.6 and 3.x behind one face: the few calls that differ between them. */
#ifndef T5GIST_RUNTIME_ONEDNN_COMPAT_H
#define T5GIST_RUNTIME_ONEDNN_COMPAT_H

#include <oneapi/dnnl/dnnl.h>
#include <string.h>

#if DNNL_VERSION_MAJOR >= 3

typedef dnnl_memory_desc_t tg_dnnl_desc; /* owned: release with tg_dnnl_desc_free */
typedef const_dnnl_memory_desc_t tg_dnnl_const_desc;

#define TG_DNNL_CPU_ISA_BEST dnnl_cpu_isa_default

static inline dnnl_status_t tg_dnnl_desc_typed(tg_dnnl_desc *desc, dnnl_dim_t rows, dnnl_dim_t columns, dnnl_data_type_t type,
                                               dnnl_format_tag_t tag) {
  const dnnl_dims_t dims = {rows, columns};
  return dnnl_memory_desc_create_with_tag(desc, 2, dims, type, tag);
}

static inline dnnl_status_t tg_dnnl_desc_rows(tg_dnnl_desc *desc, dnnl_dim_t rows, dnnl_dim_t columns, dnnl_dim_t stride, dnnl_data_type_t type) {
  const dnnl_dims_t dims = {rows, columns}, strides = {stride, 1};
  return dnnl_memory_desc_create_with_strides(desc, 2, dims, type, strides);
}

static inline void tg_dnnl_desc_free(tg_dnnl_desc *desc) {
  if (*desc != NULL) dnnl_memory_desc_destroy(*desc);
  *desc = NULL;
}

static inline tg_dnnl_const_desc tg_dnnl_desc_view(const tg_dnnl_desc *desc) {
  return *desc;
}

static inline dnnl_status_t tg_dnnl_append_sum(dnnl_post_ops_t ops) {
  return dnnl_post_ops_append_sum(ops, 1.0f, 0, dnnl_data_type_undef);
}

static inline dnnl_status_t tg_dnnl_matmul_new(dnnl_primitive_desc_t *matmul, dnnl_engine_t engine, const tg_dnnl_desc *x,
                                               const tg_dnnl_desc *weights, const tg_dnnl_desc *y, const_dnnl_primitive_attr_t attr) {
  return dnnl_matmul_primitive_desc_create(matmul, engine, *x, *weights, NULL, *y, attr);
}

#else

typedef dnnl_memory_desc_t tg_dnnl_desc; /* a plain value */
typedef const dnnl_memory_desc_t *tg_dnnl_const_desc;

#define TG_DNNL_CPU_ISA_BEST dnnl_cpu_isa_all

static inline dnnl_status_t tg_dnnl_desc_typed(tg_dnnl_desc *desc, dnnl_dim_t rows, dnnl_dim_t columns, dnnl_data_type_t type,
                                               dnnl_format_tag_t tag) {
  const dnnl_dims_t dims = {rows, columns};
  return dnnl_memory_desc_init_by_tag(desc, 2, dims, type, tag);
}

static inline dnnl_status_t tg_dnnl_desc_rows(tg_dnnl_desc *desc, dnnl_dim_t rows, dnnl_dim_t columns, dnnl_dim_t stride, dnnl_data_type_t type) {
  const dnnl_dims_t dims = {rows, columns}, strides = {stride, 1};
  return dnnl_memory_desc_init_by_strides(desc, 2, dims, type, strides);
}

static inline void tg_dnnl_desc_free(tg_dnnl_desc *desc) {
  memset(desc, 0, sizeof *desc);
}

static inline tg_dnnl_const_desc tg_dnnl_desc_view(const tg_dnnl_desc *desc) {
  return desc;
}

static inline dnnl_status_t tg_dnnl_append_sum(dnnl_post_ops_t ops) {
  return dnnl_post_ops_append_sum(ops, 1.0f);
}

static inline dnnl_status_t tg_dnnl_matmul_new(dnnl_primitive_desc_t *matmul, dnnl_engine_t engine, const tg_dnnl_desc *x,
                                               const tg_dnnl_desc *weights, const tg_dnnl_desc *y, const_dnnl_primitive_attr_t attr) {
  dnnl_matmul_desc_t operation;
  const dnnl_status_t status = dnnl_matmul_desc_init(&operation, x, weights, NULL, y);
  return status == dnnl_success ? dnnl_primitive_desc_create(matmul, &operation, attr, engine, NULL) : status;
}

#endif

static inline dnnl_status_t tg_dnnl_desc_new(tg_dnnl_desc *desc, dnnl_dim_t rows, dnnl_dim_t columns, dnnl_format_tag_t tag) {
  return tg_dnnl_desc_typed(desc, rows, columns, dnnl_f32, tag);
}

#endif
