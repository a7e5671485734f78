/* Files: reading whole, mapping, and atomic writing. The one place for I/O calls (so that failures can be injected there). */
#ifndef T5GIST_RUNTIME_FILE_H
#define T5GIST_RUNTIME_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "runtime/memory.h"
#include "t5gist/types.h"

/* A read-only mapping of a regular file. Closing unmaps: pointers into data end with it. The file must not shrink while it is mapped. */
typedef struct tg_map {
  const unsigned char *data; /* [size]; null for an empty file */
  size_t size;
} tg_map;
t5gist_status tg_map_open(const char *path, tg_map *map, t5gist_error *err);
void tg_map_close(tg_map *map);
/* Tells the kernel that the pages within [data, data + size), a part of a mapping, are not needed for now: they leave the process's resident
 * memory and are read again when touched. */
void tg_map_release(const void *data, size_t size);

/* Reads a whole file of at most limit bytes (a larger one is an error) into *buffer, NUL-terminated. "-" is standard input where allow_stdin. */
t5gist_status tg_read_file(const char *path, size_t limit, bool allow_stdin, tg_buffer *buffer, t5gist_error *err);

/* Reading piece by piece, for files that need not be in memory as a whole. limit: bytes in all; what is longer is an error when its turn comes. */
typedef struct tg_reader tg_reader;
t5gist_status tg_reader_open(const char *path, size_t limit, tg_reader **reader, t5gist_error *err);
/* Appends what one read gives, at most n bytes; *ended: there are no more. */
t5gist_status tg_reader_more(tg_reader *reader, size_t n, tg_buffer *buffer, bool *ended, t5gist_error *err);
void tg_reader_close(tg_reader *reader); /* null is allowed */

bool tg_file_exists(const char *path); /* a regular file (or a link to one) */
t5gist_status tg_path_join(char **out, const char *dir, const char *name, t5gist_error *err);
/* The folder that a path stands in: "a/" of "a/b" and "a/b/", "." of "a". */
t5gist_status tg_path_above(char **out, const char *path, t5gist_error *err);
/* A folder, and (tg_make_dirs) those above it. One that exists stays as it is; a new one's name is brought to disk. */
t5gist_status tg_make_dir(const char *path, unsigned mode, t5gist_error *err);
t5gist_status tg_make_dirs(const char *path, t5gist_error *err);
t5gist_status tg_dir_sync(const char *path, t5gist_error *err);   /* brings the names in a directory to disk */
t5gist_status tg_dir_remove(const char *path, t5gist_error *err); /* an empty one; one with something in it stays, which is no error */

/* Atomic writing: a temporary made with O_EXCL in the same directory, written, fsynced, renamed over path, the directory fsynced. A failed
 * fsync is an error and never retried. Until commit, path is untouched; abort (or a failed commit) removes the temporary. A temporary is locked
 * (flock) while it is being written. Those that a killed process left in the directory go with the first writing there after an hour.
 * mode: permission bits of a new file before the umask; a file that exists keeps its own. A path that leads to something else than a regular
 * file (a device, a FIFO, /dev/stdout) is written straight through. */
typedef struct tg_writer tg_writer;
t5gist_status tg_writer_open(const char *path, unsigned mode, tg_writer **writer, t5gist_error *err);
/* The same where others see to temporaries (below), and whatever is at path is replaced, a link too. */
t5gist_status tg_writer_open_tended(const char *path, unsigned mode, tg_writer **writer, t5gist_error *err);
t5gist_status tg_writer_write(tg_writer *writer, const void *data, size_t n, t5gist_error *err);
/* Brings everything to disk, before a commit that can then fail only at the renaming: for several files that belong together. Nothing may be written
 * any more. */
t5gist_status tg_writer_sync(tg_writer *writer, t5gist_error *err);
/* The part of a commit that others see; the commit behind it brings the name to disk. */
t5gist_status tg_writer_rename(tg_writer *writer, t5gist_error *err);
t5gist_status tg_writer_commit(tg_writer *writer, t5gist_error *err); /* frees the writer, also on failure */
void tg_writer_abort(tg_writer *writer);                              /* frees the writer; null is allowed */
t5gist_status tg_write_file(const char *path, unsigned mode, const void *data, size_t n, t5gist_error *err);

/* Whether a name in dir is that of a temporary that nobody is writing: of a killed process of this or another machine that shares the folder. */
bool tg_temporary_is_left(const char *dir, const char *name);
/* Removes it, if it is one still. */
t5gist_status tg_temporary_remove(const char *dir, const char *name, t5gist_error *err);

/* Appending, for logs: from the end of the file, which is made (mode) where there is none. A write is in the file when the call returns, not yet on
 * disk; after one that failed, a part of it may stand there. */
typedef struct tg_appender tg_appender;
t5gist_status tg_appender_open(const char *path, unsigned mode, tg_appender **appender, t5gist_error *err);
t5gist_status tg_appender_write(tg_appender *appender, const void *data, size_t n, t5gist_error *err);
void tg_appender_close(tg_appender *appender); /* null is allowed */

/* Unlinks the temporaries of writers now open. Async-signal-safe. */
void tg_writer_cleanup_on_signal(void);

#endif
