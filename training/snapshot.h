/* Training checkpoints: a folder step-00001000/ with weights.safetensors (the parameters by name, as they are trained), optimiser.safetensors (its
 * vectors) and state.json (the run's state, and the SHA-256 of what lies beside it); all are brought to disk before the first is renamed, then the
 * empty file DONE is written. Of several processes the first writes these, process r optimiser-r.safetensors, state-r.json and DONE-r, each with its
 * part of the optimiser. A folder without all its DONE is none. The last N are kept. */
#ifndef T5GIST_TRAINING_SNAPSHOT_H
#define T5GIST_TRAINING_SNAPSHOT_H

#include <jansson.h>

#include "training/optimiser.h"

typedef struct tg_snapshot {
  const tg_layout *layout;
  float *weights; /* [layout->count] */
  tg_optimiser *optimiser;
  json_t *state;     /* the run's own object: step, seed, best score ... */
  int rank, n_ranks; /* data parallel: each rank writes its own state file; a resume with another number of ranks is refused. 0, 1 alone */
} tg_snapshot;

/* Writes run_dir/step-NNNNNNNN, over one of this name if there is one. Then the first process removes all but the last `keep` (at least 1) complete
 * ones, and any incomplete one but this; all processes must have ended an earlier call before one begins the next. A failure leaves earlier snapshots
 * as they were; one of the same step, from when its files are renamed, is no snapshot until it is whole again. */
t5gist_status tg_snapshot_save(const tg_snapshot *snapshot, const char *run_dir, uint64_t step, int keep, t5gist_error *err);
/* Finds the newest complete one: *step, or T5GIST_OK and *step = 0 when there is none. */
t5gist_status tg_snapshot_find(const char *run_dir, uint64_t *step, t5gist_error *err);
/* Fills weights, optimiser state and state (a new reference) from it. Shapes, names, checksums and the number of processes are checked; the vectors
 * may be half filled after a failure. */
t5gist_status tg_snapshot_load(tg_snapshot *snapshot, const char *run_dir, uint64_t step, t5gist_error *err);

#endif
