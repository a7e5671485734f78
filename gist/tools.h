/* Shared by inspect and verify. */
#ifndef T5GIST_GIST_TOOLS_H
#define T5GIST_GIST_TOOLS_H

#include <stdbool.h>
#include <stdio.h>

#include "runtime/memory.h"

bool tg_is_folder(const char *path);

/* text for a terminal or a label: control characters as \n, \t, \x1b. *escaped is the caller's. */
t5gist_status tg_escape(const char *text, char **escaped, t5gist_error *err);

/* T5GIST_EIO when anything written to out so far did not arrive; what names it. */
t5gist_status tg_check_stream(FILE *out, const char *what, t5gist_error *err);

t5gist_status tg_verify_folder(const char *dir, FILE *report, t5gist_error *err);
t5gist_status tg_inspect_folder(const char *dir, FILE *out, t5gist_error *err);
t5gist_status tg_inspect_gist(const char *path, FILE *out, t5gist_error *err);

#endif
