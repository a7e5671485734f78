/* What a run writes down: log.jsonl, one JSON object per line, and a TensorBoard event file; of every step and of every evaluation. */
#ifndef T5GIST_TRAINING_LOG_H
#define T5GIST_TRAINING_LOG_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "runtime/memory.h"

typedef struct tg_scalar {
  const char *name;
  double value;
} tg_scalar;

typedef struct tg_log tg_log;

/* In run_dir. step: the run goes on behind it; lines of later steps, which a run that was killed had written, are removed, and TensorBoard is told
 * to forget them. */
t5gist_status tg_log_open(const char *run_dir, bool lines, bool tensorboard, uint64_t step, tg_log **log, t5gist_error *err);
void tg_log_close(tg_log *log); /* null is allowed */

/* One line {"step": step, members of extra ..., scalars ...} and scalars under prefix/NAME in TensorBoard. extra: borrowed, or null. A number that
 * JSON does not have becomes null. */
t5gist_status tg_log_write(tg_log *log, uint64_t step, json_t *extra, const char *prefix, const tg_scalar *scalars, size_t n, t5gist_error *err);

/* ---- tensorboard.c: records of an event file, appended to a buffer: length, its masked CRC-32C, an Event, its masked CRC-32C. */
uint32_t tg_crc32c(const void *data, size_t n);
t5gist_status tg_event_version(double wall_time, tg_buffer *records, t5gist_error *err); /* the first of a file */
t5gist_status tg_event_start(double wall_time, uint64_t step, tg_buffer *records,
                             t5gist_error *err); /* readers forget events of this step and later ones */
t5gist_status tg_event_scalars(double wall_time, uint64_t step, const char *prefix, const tg_scalar *scalars, size_t n, tg_buffer *records,
                               t5gist_error *err);

#endif
