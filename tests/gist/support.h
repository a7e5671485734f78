/* Shared by the tests of gist/: models made on the spot. */
#ifndef T5GIST_TESTS_GIST_SUPPORT_H
#define T5GIST_TESTS_GIST_SUPPORT_H

#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "gist/store.h"

/* Fails the test with the error's sentence unless expr is T5GIST_OK; uses a local `t5gist_error err`. */
#define CHECK_OK(expr)                                                \
  do {                                                                \
    if ((expr) != T5GIST_OK) fail_msg("%s: %s", #expr, err.message);  \
  } while (0)

/* Writes a random checkpoint (t5/synthetic.h) with FLAN-T5's tokenizer to a new temporary folder; changes, which may be null, are laid over its
 * config.json. Release with folder_remove (tests/support/folder.h). */
char *make_model(const char *shape, const char *variant, uint64_t seed, int vocab_size, json_t *changes);

/* A gist of no model, its numbers told by its task: [1 layer, 2 heads, n_gist, 8]. And whether a gist is the one of that task. */
t5gist_gist *make_up_gist(const char *task, int n_gist);
bool is_made_up(const t5gist_gist *gist, const char *task);
tg_store_id made_up_id(const char *task, int n_gist); /* what a store keeps it under */

#endif
