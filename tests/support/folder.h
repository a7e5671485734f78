/* A scratch folder under TEST_BINARY_DIR, for tests that need files. */
#ifndef T5GIST_TESTS_FOLDER_H
#define T5GIST_TESTS_FOLDER_H

#include <stddef.h>

/* A new empty folder; the path is the caller's to free. A failure ends the test program. */
char *folder_new(const char *parent);
void folder_remove(char *folder); /* with its files and folders; frees the path */

/* folder/name, valid until the eighth next call. */
const char *folder_path(const char *folder, const char *name);
void folder_write(const char *folder, const char *name, const void *data, size_t n);
void folder_text(const char *folder, const char *name, const char *text);
void folder_copy(const char *folder, const char *name, const char *source);
char *folder_read(const char *path, size_t *n); /* malloc'ed, NUL-terminated */

#endif
