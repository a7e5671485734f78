#include "runtime/engine.h"

#include <pthread.h>
#include <stdio.h>

#include "runtime/cpu.h"
#include "runtime/error.h"
#include "runtime/matmul.h"
#include "runtime/onednn_compat.h"

struct tg_engine {
  dnnl_engine_t dnnl;
  tg_matmul_cache *matmuls;
  int threads;
  pthread_mutex_t mutex; /* for what follows */
  tg_team **idle;        /* [n_idle] teams given back; room for all n_teams */
  size_t n_idle, n_teams, capacity;
};

struct tg_workspace {
  tg_engine *engine; /* borrowed */
  tg_team *team;
  dnnl_stream_t *streams; /* one for each thread of the team */
  tg_arena *arena;
  tg_counters *counters; /* borrowed; null: nobody counts */
};

t5gist_status tg_dnnl_check(dnnl_status_t status, const char *doing, t5gist_error *err) {
  switch (status) {
    case dnnl_success: return T5GIST_OK;
    case dnnl_out_of_memory: return tg_fail(err, T5GIST_ENOMEM, "oneDNN ran out of memory while %s", doing);
    case dnnl_unimplemented: return tg_fail(err, T5GIST_EINTERNAL, "oneDNN %s has no implementation for %s", tg_engine_version(), doing);
    default: return tg_fail(err, T5GIST_EINTERNAL, "oneDNN %s failed with status %d while %s", tg_engine_version(), (int)status, doing);
  }
}

static pthread_once_t settings_once = PTHREAD_ONCE_INIT;

/* Everything that ONEDNN_* and DNNL_* variables would otherwise decide. The instruction set can be set only before the process's first use of
 * oneDNN, and not at all in some builds, in which the variables have no effect either; so failures here mean that nothing is left to set. */
static void pin_settings(void) {
  static const dnnl_cpu_isa_t isa[] = {
      [TG_ISA_PORTABLE] = dnnl_cpu_isa_sse41, [TG_ISA_AVX2] = dnnl_cpu_isa_avx2, [TG_ISA_AVX512] = TG_DNNL_CPU_ISA_BEST};
  (void)dnnl_set_max_cpu_isa(isa[tg_cpu_isa()]);
  (void)dnnl_set_cpu_isa_hints(dnnl_cpu_isa_no_hints);
  (void)dnnl_set_default_fpmath_mode(dnnl_fpmath_mode_strict);
  (void)dnnl_set_verbose(0);
  (void)dnnl_set_jit_dump(0);
  (void)dnnl_set_jit_profiling_flags(DNNL_JIT_PROFILE_NONE);
}

t5gist_status tg_engine_new(int threads, tg_engine **engine, t5gist_error *err) {
  if (threads < 1) return tg_fail(err, T5GIST_EUSAGE, "threads: expected at least 1, found %d", threads);
  pthread_once(&settings_once, pin_settings);
  tg_engine *e = NULL;
  t5gist_status status = T5GIST_OK;
  TG_GOTO(tg_alloc(&e, 1, sizeof *e, err));
  e->threads = threads;
  pthread_mutex_init(&e->mutex, NULL);
  TG_GOTO(tg_dnnl_check(dnnl_engine_create(&e->dnnl, dnnl_cpu, 0), "creating its engine", err));
  TG_GOTO(tg_matmul_cache_new(&e->matmuls, err));
  *engine = e;
  return T5GIST_OK;
done:
  tg_engine_free(e);
  return status;
}

void tg_engine_free(tg_engine *engine) {
  if (engine == NULL) return;
  tg_matmul_cache_free(engine->matmuls);
  if (engine->dnnl != NULL) dnnl_engine_destroy(engine->dnnl);
  for (size_t i = 0; i < engine->n_idle; i++) tg_team_free(engine->idle[i]);
  tg_free(engine->idle);
  pthread_mutex_destroy(&engine->mutex);
  tg_free(engine);
}

t5gist_status tg_engine_take_team(tg_engine *engine, tg_team **team, t5gist_error *err) {
  t5gist_status status = T5GIST_OK;
  pthread_mutex_lock(&engine->mutex);
  if (engine->n_idle > 0) {
    *team = engine->idle[--engine->n_idle];
    goto done;
  }
  TG_GOTO(tg_reserve(&engine->idle, &engine->capacity, engine->n_teams + 1, sizeof(tg_team *), err));
  TG_GOTO(tg_team_new(engine->threads, team, err));
  engine->n_teams++;
done:
  pthread_mutex_unlock(&engine->mutex);
  return status;
}

void tg_engine_return_team(tg_engine *engine, tg_team *team) {
  if (team == NULL) return;
  pthread_mutex_lock(&engine->mutex);
  engine->idle[engine->n_idle++] = team;
  pthread_mutex_unlock(&engine->mutex);
}

int tg_engine_threads(const tg_engine *engine) {
  return engine->threads;
}

uint64_t tg_engine_primitives(const tg_engine *engine) {
  return tg_matmul_cache_created(engine->matmuls);
}

const char *tg_engine_version(void) {
  static char text[32];
  static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
  const dnnl_version_t *version = dnnl_version();
  pthread_mutex_lock(&mutex);
  if (text[0] == '\0') snprintf(text, sizeof text, "%d.%d.%d", version->major, version->minor, version->patch);
  pthread_mutex_unlock(&mutex);
  return text;
}

dnnl_engine_t tg_engine_dnnl(const tg_engine *engine) {
  return engine->dnnl;
}

tg_matmul_cache *tg_engine_matmuls(const tg_engine *engine) {
  return engine->matmuls;
}

t5gist_status tg_workspace_new(tg_engine *engine, tg_workspace **workspace, t5gist_error *err) {
  tg_workspace *w = NULL;
  t5gist_status status = T5GIST_OK;
  TG_GOTO(tg_alloc(&w, 1, sizeof *w, err));
  w->engine = engine;
  TG_GOTO(tg_arena_new(&w->arena, err));
  TG_GOTO(tg_engine_take_team(engine, &w->team, err));
  TG_GOTO(tg_alloc(&w->streams, (size_t)engine->threads, sizeof *w->streams, err));
  for (int i = 0; i < engine->threads; i++)
    TG_GOTO(tg_dnnl_check(dnnl_stream_create(&w->streams[i], engine->dnnl, dnnl_stream_default_flags), "creating a stream", err));
  *workspace = w;
  return T5GIST_OK;
done:
  tg_workspace_free(w);
  return status;
}

void tg_workspace_free(tg_workspace *workspace) {
  if (workspace == NULL) return;
  for (int i = 0; workspace->streams != NULL && i < workspace->engine->threads; i++)
    if (workspace->streams[i] != NULL) dnnl_stream_destroy(workspace->streams[i]);
  tg_free(workspace->streams);
  tg_engine_return_team(workspace->engine, workspace->team);
  tg_arena_free(workspace->arena);
  tg_free(workspace);
}

tg_engine *tg_workspace_engine(const tg_workspace *workspace) {
  return workspace->engine;
}

tg_arena *tg_workspace_arena(tg_workspace *workspace) {
  return workspace->arena;
}

tg_team *tg_workspace_team(const tg_workspace *workspace) {
  return workspace->team;
}

dnnl_stream_t tg_workspace_stream(const tg_workspace *workspace, int thread) {
  return workspace->streams[thread];
}

void tg_workspace_count(tg_workspace *workspace, tg_counters *counters) {
  workspace->counters = counters;
}

tg_counters *tg_workspace_counters(const tg_workspace *workspace) {
  return workspace->counters;
}
