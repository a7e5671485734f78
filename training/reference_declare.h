/* Included by reference.h for each TG_REAL. */
void TG_REFERENCE(linear)(const TG_REAL *x, size_t m, const TG_REAL *weight, size_t n_in, size_t n_out, bool accumulate, TG_REAL *y);
void TG_REFERENCE(linear_dx)(const TG_REAL *dy, size_t m, const TG_REAL *weight, size_t n_in, size_t n_out, bool accumulate, TG_REAL *dx);
void TG_REFERENCE(linear_dw)(const TG_REAL *dy, const TG_REAL *x, size_t m, size_t n_in, size_t n_out, TG_REAL *dweight);

void TG_REFERENCE(norm)(const TG_REAL *x, const TG_REAL *weight, size_t rows, size_t d, float eps, TG_REAL *y, TG_REAL *inverse);
void TG_REFERENCE(norm_backward)(const TG_REAL *x, const TG_REAL *weight, const TG_REAL *inverse, const TG_REAL *dy, size_t rows, size_t d,
                                 TG_REAL *dx, TG_REAL *dweight);

void TG_REFERENCE(activate)(const TG_REAL *x, size_t rows, size_t d_ff, tg_activation activation, bool gated, TG_REAL *y);
void TG_REFERENCE(activate_backward)(const TG_REAL *x, const TG_REAL *dy, size_t rows, size_t d_ff, tg_activation activation, bool gated,
                                     TG_REAL *dx);

void TG_REFERENCE(embed)(const TG_REAL *table, const int32_t *ids, size_t rows, size_t d, TG_REAL *y);
void TG_REFERENCE(embed_backward)(const TG_REAL *dy, const int32_t *ids, size_t rows, size_t d, TG_REAL *dtable);

/* bias_weights stands for attention->bias_weights, which is not used. */
void TG_REFERENCE(attention_run)(const tg_train_attention *attention, const TG_REAL *bias_weights, const tg_train_span *spans, int n_spans,
                                 const TG_REAL *q, const TG_REAL *k, const TG_REAL *v, TG_REAL *out, TG_REAL *normaliser);
void TG_REFERENCE(attention_backward)(const tg_train_attention *attention, const TG_REAL *bias_weights, const tg_train_span *spans, int n_spans,
                                      const TG_REAL *q, const TG_REAL *k, const TG_REAL *v, const TG_REAL *out, const TG_REAL *normaliser,
                                      const TG_REAL *dout, TG_REAL *dq, TG_REAL *dk, TG_REAL *dv, TG_REAL *dbias_weights);

void TG_REFERENCE(dropout)(TG_REAL *x, size_t n, float p, uint64_t key);

/* teacher stands for loss->teacher, which is not used. */
void TG_REFERENCE(loss_run)(const tg_train_loss *loss, const TG_REAL *teacher, size_t rows, size_t vocab, TG_REAL *logits, bool backward,
                            tg_train_losses *losses, TG_REAL *logprobs, unsigned char *right);

void TG_REFERENCE(match)(const TG_REAL *x, const TG_REAL *y, const float *weights, size_t rows, size_t d, float eps, double *loss, TG_REAL *dx);

double TG_REFERENCE(sum_squares)(const TG_REAL *x, size_t n);
void TG_REFERENCE(add)(const TG_REAL *x, size_t n, TG_REAL *y);
