/* Shared by the tests of gist/: models made on the spot. */
#ifndef T5GIST_TESTS_GIST_SUPPORT_H
#define T5GIST_TESTS_GIST_SUPPORT_H

#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "t5gist/t5gist.h"

/* Fails the test with the error's sentence unless expr is T5GIST_OK; uses a local `t5gist_error err`. */
#define CHECK_OK(expr)                                                \
  do {                                                                \
    if ((expr) != T5GIST_OK) fail_msg("%s: %s", #expr, err.message);  \
  } while (0)

/* Writes a random checkpoint (t5/synthetic.h) with FLAN-T5's tokenizer to a new temporary folder; changes, which may be null, are laid over its
 * config.json. Release with folder_remove (tests/support/folder.h). */
char *make_model(const char *shape, const char *variant, uint64_t seed, int vocab_size, json_t *changes);

#endif
