/* Where this program keeps what it can find out again. */
#ifndef T5GIST_RUNTIME_CACHE_H
#define T5GIST_RUNTIME_CACHE_H

#include <stddef.h>

#include "t5gist/types.h"

/* $XDG_CACHE_HOME/t5gist/NAME, else ~/.cache/t5gist/NAME. *path is the caller's, null where neither variable names a place. */
t5gist_status tg_cache_path(const char *name, char **path, t5gist_error *err);

/* Writes a file at such a path, or, where that does not work, nothing. */
void tg_cache_write(const char *path, const void *data, size_t n);

#endif
