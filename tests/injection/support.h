/* Shared by the tests of failures: a small model with its vocabulary, and pieces of work that failures are put into. */
#ifndef T5GIST_TESTS_INJECTION_SUPPORT_H
#define T5GIST_TESTS_INJECTION_SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "t5gist/tools.h"

/* Fails the test with the error's sentence unless expr is T5GIST_OK; uses a local `t5gist_error err`. */
#define CHECK_OK(expr)                                                \
  do {                                                                \
    if ((expr) != T5GIST_OK) fail_msg("%s: %s", #expr, err.message);  \
  } while (0)

/* What the pieces of work stand on. Made once per program, before the first failure. */
typedef struct world {
  char *folder; /* everything below is in it */
  char *model_dir, *gist_path, *recipe_path;
  t5gist_model *model;
} world;
world *world_new(void);
void world_free(world *world);

/* What one piece of work holds while it runs. */
typedef struct context {
  const world *world;
  t5gist_session *session;
  t5gist_store *store;
  t5gist_gist *gist;
  char *out;           /* a folder of its own, empty at begin */
  char result[1 << 14]; /* what act has found, as a text: the same every time */
} context;

typedef struct piece {
  const char *name;
  t5gist_status (*begin)(context *c, t5gist_error *err); /* null: nothing; never made to fail */
  t5gist_status (*act)(context *c, t5gist_error *err);   /* appends to c->result; whatever happens it can be called again */
} piece;

extern const piece pieces[];
extern const size_t n_pieces;
const piece *piece_named(const char *name);

t5gist_status context_begin(const world *world, const piece *p, context *c, t5gist_error *err);
void context_end(context *c);

#endif
