/* Folders that several processes use at once: listing them, a lock among processes, and the small operations on their files. */
#ifndef T5GIST_RUNTIME_FOLDER_H
#define T5GIST_RUNTIME_FOLDER_H

#include <stdbool.h>
#include <stdint.h>

#include "runtime/fields.h"

typedef struct tg_file_facts {
  bool regular; /* a file, and not a folder, link, device or FIFO */
  bool folder;
  uint64_t size;
  int64_t changed; /* last change of its content: nanoseconds since 1970 */
} tg_file_facts;

/* What is at path itself (a link is not followed). False: nothing, or nothing that can be examined. */
bool tg_file_examine(const char *path, tg_file_facts *facts);

/* Makes a folder with these permission bits (less the umask's), and the folders above it as tg_make_dirs does. One that exists stays as it is. */
t5gist_status tg_folder_make(const char *path, unsigned mode, t5gist_error *err);

/* Whether this process may add names to a folder. */
bool tg_folder_writable(const char *path);

/* Names of everything in a folder but "." and "..", sorted by bytes, appended to *names (release with tg_strings_clear). A folder that does not
 * exist is empty. */
t5gist_status tg_folder_list(const char *path, tg_strings *names, t5gist_error *err);

/* Takes path, which is made if it does not exist, as a lock that one process or thread holds at a time; waits at most wait_ms for another holder.
 * T5GIST_EUNSUPPORTED: nothing may be written there. The lock ends with tg_lock_release or with the process, however that dies. */
typedef struct tg_lock {
  int fd;
} tg_lock;
t5gist_status tg_lock_take(const char *path, int wait_ms, tg_lock *lock, t5gist_error *err);
void tg_lock_release(tg_lock *lock);
/* A number that holders of the lock leave each other in its file. Not brought to disk at once. False: there is none, or it cannot be written. */
bool tg_lock_get(const tg_lock *lock, uint64_t *number);
bool tg_lock_set(const tg_lock *lock, uint64_t number);

t5gist_status tg_file_rename(const char *from, const char *to, t5gist_error *err);
t5gist_status tg_file_remove(const char *path, t5gist_error *err); /* a file that is not there is removed already */

/* What follows is not brought to disk at once, and what fails leaves nothing but false: for marks and counters that may be lost. */
bool tg_file_make(const char *path, unsigned mode, const void *data, size_t n); /* in place of what was there; not atomic */
bool tg_file_append(const char *path, const void *data, size_t n);              /* in one call, to a file that exists */
bool tg_file_touch(const char *path);                                           /* changed now */
/* Reads the first n bytes of a file; false: there are not so many. */
bool tg_file_head(const char *path, void *data, size_t n);

#endif
