/* Data parallel training over MPI (built where CMake finds it, option T5GIST_MPI): `mpirun -n N t5gist train ...`. Each process holds all weights,
 * computes every n-th micro-batch, and owns a stretch of the parameters, whose optimiser state only it has. Without MPI, or outside mpirun, the
 * group is this process alone and nothing is sent. One thread calls. */
#ifndef T5GIST_TRAINING_DISTRIBUTE_H
#define T5GIST_TRAINING_DISTRIBUTE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "training/parameters.h"

typedef struct tg_group {
  int rank, n;
  size_t
      *bounds; /* [n + 1] floats of the flat vector: process r owns bounds[r] .. bounds[r + 1] - 1, whole parameters; null before tg_group_divide */
  float *scratch; /* [n, CHUNK] of the fixed-order sum; null where n is 1 */
} tg_group;

bool tg_group_built(void); /* with MPI */
/* Joins the processes that mpirun started, if any; refused where mpirun started several but MPI was not built. */
t5gist_status tg_group_begin(tg_group *group, t5gist_error *err);
void tg_group_end(tg_group *group);
t5gist_status tg_group_divide(tg_group *group, const tg_layout *layout, t5gist_error *err);
static inline size_t tg_group_first(const tg_group *group) {
  return group->bounds[group->rank];
}
static inline size_t tg_group_behind(const tg_group *group) {
  return group->bounds[group->rank + 1];
}

/* The sum over processes of x's stretch that this process owns, in place; the other stretches are left undefined. fixed_order: added in the order
 * of ranks, so that the bits do not depend on MPI's choice of algorithm; else by MPI_Reduce. */
t5gist_status tg_group_reduce(tg_group *group, float *x, bool fixed_order, t5gist_error *err);
/* Every process gets every stretch of x. */
t5gist_status tg_group_collect(tg_group *group, float *x, t5gist_error *err);
/* Sums of a few numbers over processes, added in the order of ranks; every process gets them. */
t5gist_status tg_group_sum(tg_group *group, double *values, size_t n, t5gist_error *err);
t5gist_status tg_group_wait(tg_group *group, t5gist_error *err); /* until everybody is here */
/* The process that failed alone ends all of them at once, so that nobody waits for it. Returns only where the group is one process. */
void tg_group_abandon(const tg_group *group);

#endif
