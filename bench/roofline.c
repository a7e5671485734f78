#include "bench/bench.h"

double tg_limits_rate(const tg_limits *limits, tg_rate rate, double m) {
  const double *measured = limits->streamed[rate]; /* a model's weights come from memory */
  if (m <= tg_rate_rows[1]) return measured[1];
  for (int i = 2; i < TG_N_ROWS; i++) {
    const double low = tg_rate_rows[i - 1], high = tg_rate_rows[i];
    if (m <= high) return measured[i - 1] + (measured[i] - measured[i - 1]) * (m - low) / (high - low);
  }
  return measured[TG_N_ROWS - 1];
}

double tg_roofline_ms(const tg_limits *limits, tg_rate rate, const t5gist_counters *c) {
  if (c->products == 0) return 0;
  const double m = (double)c->product_flops / (2 * (double)c->weights); /* rows, averaged over the weights that they meet */
  const double product_rate = tg_limits_rate(limits, rate, m), attention_rate = tg_limits_rate(limits, TG_RATE_F32, 64);
  const double reading = limits->bandwidth > 0 ? (double)(c->weight_bytes + c->attention_bytes) / limits->bandwidth : 0;
  const double products = product_rate > 0 ? (double)c->product_flops / product_rate : 0;
  const double attention = attention_rate > 0 ? (double)c->attention_flops / attention_rate : 0;
  return 1e3 * (reading > products + attention ? reading : products + attention);
}
