#include "training/distribute.h"

#include <stdlib.h>
#include <string.h>

#include "runtime/error.h"
#include "runtime/memory.h"

#ifdef TG_MPI
#include <mpi.h>
#endif

enum { CHUNK = 1 << 18, MAX_RANKS = 1024 };

/* Processes that a launcher says it started: Open MPI's mpirun, MPICH's, Slurm's srun. */
static int launched(void) {
  static const char *const names[] = {"OMPI_COMM_WORLD_SIZE", "PMI_SIZE"};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    const char *text = getenv(names[i]);
    if (text && atoi(text) > 1) return atoi(text);
  }
  return 1;
}

t5gist_status tg_group_divide(tg_group *group, const tg_layout *layout, t5gist_error *err) {
  TG_TRY(tg_alloc(&group->bounds, (size_t)group->n + 1, sizeof *group->bounds, err));
  size_t p = 0;
  for (int rank = 1; rank < group->n; rank++) { /* the first parameter that begins at or behind the rank's even share */
    const size_t share = (size_t)((double)layout->count * rank / group->n);
    while (p < layout->n && layout->parameters[p].offset < share) p++;
    group->bounds[rank] = p < layout->n ? layout->parameters[p].offset : layout->count;
  }
  group->bounds[group->n] = layout->count;
  return group->n > 1 ? tg_alloc(&group->scratch, (size_t)group->n * CHUNK, sizeof(float), err) : T5GIST_OK;
}

#ifdef TG_MPI

bool tg_group_built(void) {
  return true;
}

static t5gist_status check(int code, const char *what, t5gist_error *err) {
  if (code == MPI_SUCCESS) return T5GIST_OK;
  char text[MPI_MAX_ERROR_STRING] = "";
  int length = 0;
  MPI_Error_string(code, text, &length);
  return tg_fail(err, T5GIST_EIO, "MPI: cannot %s: %s", what, text);
}

t5gist_status tg_group_begin(tg_group *group, t5gist_error *err) {
  *group = (tg_group){.n = 1};
  if (launched() == 1) return T5GIST_OK; /* MPI_Init alone would take half a second */
  int provided; /* our other threads send nothing: any level will do */
  TG_TRY(check(MPI_Init_thread(NULL, NULL, MPI_THREAD_FUNNELED, &provided), "begin", err));
  TG_TRY(check(MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN), "begin", err));
  TG_TRY(check(MPI_Comm_rank(MPI_COMM_WORLD, &group->rank), "begin", err));
  TG_TRY(check(MPI_Comm_size(MPI_COMM_WORLD, &group->n), "begin", err));
  if (group->n == 1) /* each would train alone, all of them into one folder */
    return tg_fail(err, T5GIST_EUNSUPPORTED, "MPI: expected %d processes, as its launcher says, found this one alone: mpirun belongs to another MPI "
                   "than this program was built with", launched());
  if (group->n > MAX_RANKS) return tg_fail(err, T5GIST_EUSAGE, "expected at most %d processes, found %d", MAX_RANKS, group->n);
  return T5GIST_OK;
}

void tg_group_end(tg_group *group) {
  int running = 0, ended = 0;
  MPI_Initialized(&running);
  MPI_Finalized(&ended);
  if (running && !ended) MPI_Finalize();
  tg_free(group->bounds);
  tg_free(group->scratch);
  *group = (tg_group){.n = 1};
}

void tg_group_abandon(const tg_group *group) {
  if (group->n > 1) MPI_Abort(MPI_COMM_WORLD, 1);
}

/* Piece by piece, everybody's part of a rank's stretch goes to that rank, which adds them up in the order of ranks. */
static t5gist_status reduce_stretch(tg_group *group, int owner, float *x, t5gist_error *err) {
  for (size_t at = group->bounds[owner]; at < group->bounds[owner + 1]; at += CHUNK) {
    const size_t left = group->bounds[owner + 1] - at, n = left < CHUNK ? left : CHUNK;
    TG_TRY(check(MPI_Gather(x + at, (int)n, MPI_FLOAT, group->scratch, (int)n, MPI_FLOAT, owner, MPI_COMM_WORLD), "add gradients", err));
    if (group->rank != owner) continue;
    memcpy(x + at, group->scratch, n * sizeof *x);
    for (int rank = 1; rank < group->n; rank++) {
      for (size_t i = 0; i < n; i++) x[at + i] += group->scratch[(size_t)rank * n + i];
    }
  }
  return T5GIST_OK;
}

/* The same with MPI's own algorithm. */
static t5gist_status reduce_by_mpi(tg_group *group, int owner, float *x, t5gist_error *err) {
  for (size_t at = group->bounds[owner]; at < group->bounds[owner + 1]; at += CHUNK) {
    const size_t left = group->bounds[owner + 1] - at, n = left < CHUNK ? left : CHUNK;
    const bool own = group->rank == owner;
    TG_TRY(
        check(MPI_Reduce(own ? MPI_IN_PLACE : x + at, own ? x + at : NULL, (int)n, MPI_FLOAT, MPI_SUM, owner, MPI_COMM_WORLD), "add gradients", err));
  }
  return T5GIST_OK;
}

t5gist_status tg_group_reduce(tg_group *group, float *x, bool fixed_order, t5gist_error *err) {
  for (int owner = 0; owner < group->n && group->n > 1; owner++) {
    if (fixed_order)
      TG_TRY(reduce_stretch(group, owner, x, err));
    else
      TG_TRY(reduce_by_mpi(group, owner, x, err));
  }
  return T5GIST_OK;
}

t5gist_status tg_group_collect(tg_group *group, float *x, t5gist_error *err) {
  for (int owner = 0; owner < group->n && group->n > 1; owner++) {
    for (size_t at = group->bounds[owner]; at < group->bounds[owner + 1]; at += CHUNK) {
      const size_t left = group->bounds[owner + 1] - at;
      TG_TRY(check(MPI_Bcast(x + at, (int)(left < CHUNK ? left : CHUNK), MPI_FLOAT, owner, MPI_COMM_WORLD), "share weights", err));
    }
  }
  return T5GIST_OK;
}

t5gist_status tg_group_sum(tg_group *group, double *values, size_t n, t5gist_error *err) {
  double all[MAX_RANKS];
  for (size_t i = 0; i < n && group->n > 1; i++) {
    TG_TRY(check(MPI_Allgather(&values[i], 1, MPI_DOUBLE, all, 1, MPI_DOUBLE, MPI_COMM_WORLD), "add numbers", err));
    values[i] = 0;
    for (int rank = 0; rank < group->n; rank++) values[i] += all[rank];
  }
  return T5GIST_OK;
}

t5gist_status tg_group_wait(tg_group *group, t5gist_error *err) {
  return group->n > 1 ? check(MPI_Barrier(MPI_COMM_WORLD), "wait for the others", err) : T5GIST_OK;
}

#else

bool tg_group_built(void) {
  return false;
}

t5gist_status tg_group_begin(tg_group *group, t5gist_error *err) {
  *group = (tg_group){.n = 1};
  if (launched() == 1) return T5GIST_OK;
  return tg_fail(err, T5GIST_EUNSUPPORTED,
                 "expected one process, found %d started by mpirun: this program was built without MPI (cmake -DT5GIST_MPI=ON)", launched());
}

void tg_group_end(tg_group *group) {
  tg_free(group->bounds);
  tg_free(group->scratch);
  *group = (tg_group){.n = 1};
}

void tg_group_abandon(const tg_group *group) {
  (void)group;
}

t5gist_status tg_group_reduce(tg_group *group, float *x, bool fixed_order, t5gist_error *err) {
  (void)group, (void)x, (void)fixed_order, (void)err;
  return T5GIST_OK;
}

t5gist_status tg_group_collect(tg_group *group, float *x, t5gist_error *err) {
  (void)group, (void)x, (void)err;
  return T5GIST_OK;
}

t5gist_status tg_group_sum(tg_group *group, double *values, size_t n, t5gist_error *err) {
  (void)group, (void)values, (void)n, (void)err;
  return T5GIST_OK;
}

t5gist_status tg_group_wait(tg_group *group, t5gist_error *err) {
  (void)group, (void)err;
  return T5GIST_OK;
}

#endif
