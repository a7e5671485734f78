/* The machine that computes: oneDNN's engine and its primitives (created once per shape, shared), teams of threads, and per-session workspaces.
 *
 * Every oneDNN default that an environment variable can change is set here by API: results depend on files and requests alone. */
#ifndef T5GIST_RUNTIME_ENGINE_H
#define T5GIST_RUNTIME_ENGINE_H

#include <stdint.h>

#include "runtime/memory.h"
#include "runtime/team.h"
#include "t5gist/types.h"

typedef struct tg_engine tg_engine;

/* threads >= 1: compute threads of each workspace. The engine is thread-safe. */
t5gist_status tg_engine_new(int threads, tg_engine **engine, t5gist_error *err);
void tg_engine_free(tg_engine *engine);
int tg_engine_threads(const tg_engine *engine);
uint64_t tg_engine_primitives(const tg_engine *engine); /* created so far; constant once every shape in use has been seen */
const char *tg_engine_version(void);                    /* oneDNN's "2.6.3" */

/* A team of tg_engine_threads that nobody else uses: one that was given back, or a new one. Thread-safe. */
t5gist_status tg_engine_take_team(tg_engine *engine, tg_team **team, t5gist_error *err);
void tg_engine_return_team(tg_engine *engine, tg_team *team); /* null is allowed */

/* What one thread needs to compute: a team, scratch memory. One thread at a time. The engine must outlive it. */
typedef struct tg_workspace tg_workspace;
t5gist_status tg_workspace_new(tg_engine *engine, tg_workspace **workspace, t5gist_error *err);
void tg_workspace_free(tg_workspace *workspace);
tg_engine *tg_workspace_engine(const tg_workspace *workspace);
tg_arena *tg_workspace_arena(tg_workspace *workspace);
tg_team *tg_workspace_team(const tg_workspace *workspace);

/* What the operations of a workspace amount to, for benchmarks: a multiplication and an addition are two operations; bytes are those that must be
 * read at least once per operation, whatever the caches hold. */
typedef struct tg_counters {
  uint64_t products, product_flops;          /* linear layers applied; 2 * m * n_in * n_out each */
  uint64_t weights, weight_bytes;            /* of those layers, once per product: numbers, and bytes as packed */
  uint64_t attention_flops, attention_bytes; /* 4 * d_kv per head, query and visible key; keys and values of every job once */
} tg_counters;
/* From now on operations are added to *counters, borrowed; null (as at first): to none. */
void tg_workspace_count(tg_workspace *workspace, tg_counters *counters);
tg_counters *tg_workspace_counters(const tg_workspace *workspace);

#endif
