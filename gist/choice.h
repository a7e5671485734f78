/* The parts of choosing a number format: what linear layers take on this machine. */
#ifndef T5GIST_GIST_CHOICE_H
#define T5GIST_GIST_CHOICE_H

#include "runtime/linear.h"
#include "t5/config.h"

typedef struct tg_layer_times {
  double step_ms, rows_ms;       /* the linear layers of a decoding step at batch 1; of encoding `rows` tokens */
  double step_bytes, rows_flops; /* per second, meanwhile */
  double waited;                 /* time that threads waited for a core, added up, by time measured: near 0 where nobody else computes */
} tg_layer_times;

/* Times layers of a model's shapes, with weights of no meaning, for some milliseconds: as many of them as the caches cannot hold, if the model has so
 * many. */
t5gist_status tg_time_layers(const tg_config *config, tg_precision precision, tg_precision wo_precision, int threads, size_t rows,
                             tg_layer_times *times, t5gist_error *err);

#endif
