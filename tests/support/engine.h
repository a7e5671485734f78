/* A cmocka fixture: an engine of two threads with a workspace. */
#ifndef T5GIST_TESTS_SUPPORT_ENGINE_H
#define T5GIST_TESTS_SUPPORT_ENGINE_H

#include "runtime/engine.h"

typedef struct fixture {
  tg_engine *engine;
  tg_workspace *workspace;
} fixture;

static inline int set_up(void **state) {
  static fixture f;
  t5gist_error err;
  if (tg_engine_new(2, &f.engine, &err) != T5GIST_OK || tg_workspace_new(f.engine, &f.workspace, &err) != T5GIST_OK) return 1;
  *state = &f;
  return 0;
}

static inline int tear_down(void **state) {
  fixture *f = *state;
  tg_workspace_free(f->workspace);
  tg_engine_free(f->engine);
  return 0;
}

#endif
