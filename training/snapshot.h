/* Training checkpoints: a folder step-00001000/ with the flat vectors (weights, optimiser state) as safetensors and state.json beside them, written atomically, the empty file DONE
 * last. A folder without DONE is none. The last N are kept. */
#ifndef T5GIST_TRAINING_SNAPSHOT_H
#define T5GIST_TRAINING_SNAPSHOT_H

#include <jansson.h>

#include "training/optimiser.h"

typedef struct tg_snapshot {
  const tg_layout *layout;
  float *weights;          /* [layout->count] */
  tg_optimiser *optimiser;
  json_t *state;           /* step, seed, best score ...: the run's; recipe's hash: a resume with another recipe is refused by name of the first difference */
  int rank, n_ranks;       /* data parallel: each rank writes its own state file; a resume with another number of ranks is refused. 0, 1 alone */
} tg_snapshot;

/* Writes run_dir/step-NNNNNNNN and then removes all but the last `keep` complete ones and any incomplete one. */
t5gist_status tg_snapshot_save(const tg_snapshot *snapshot, const char *run_dir, uint64_t step, int keep, t5gist_error *err);
/* Finds the newest complete one: *step, or T5GIST_OK and *step = 0 when there is none. */
t5gist_status tg_snapshot_find(const char *run_dir, uint64_t *step, t5gist_error *err);
/* Fills weights, optimiser state and state (a new reference) from it. Shapes, names and checksum are checked. */
t5gist_status tg_snapshot_load(tg_snapshot *snapshot, const char *run_dir, uint64_t step, t5gist_error *err);

#endif
