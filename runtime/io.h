/* The system's calls on files, each passing by the hooks of runtime/inject.h: file.c and folder.c are made of these, and nothing else of the library
 * touches a file. Arguments, results and errno are the system's own, unless said otherwise. */
#ifndef T5GIST_RUNTIME_IO_H
#define T5GIST_RUNTIME_IO_H

#include <dirent.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>
#include <sys/types.h>

int tg_io_open(int dir, const char *path, int flags, mode_t mode); /* with O_CLOEXEC and O_NOCTTY; again after a signal */
int tg_io_close(int fd);                                           /* closed even when it fails */
int tg_io_stat(const char *path, struct stat *info);
int tg_io_lstat(const char *path, struct stat *info);
int tg_io_fstat(int fd, struct stat *info);
int tg_io_fstatat(int dir, const char *path, struct stat *info); /* a link is not followed */
bool tg_io_may(const char *path, int mode);                    /* faccessat with the effective ids */
char *tg_io_realpath(const char *path, char *out /* [PATH_MAX] */);
ssize_t tg_io_read(int fd, void *data, size_t n);
ssize_t tg_io_pread(int fd, void *data, size_t n, off_t at);
ssize_t tg_io_write(int fd, const void *data, size_t n);
ssize_t tg_io_pwrite(int fd, const void *data, size_t n, off_t at);
void *tg_io_map(int fd, size_t n);                             /* read-only and private; null on failure */
int tg_io_sync(int fd);
int tg_io_rename(int dir, const char *from, const char *to);   /* both relative to dir */
int tg_io_unlink(int dir, const char *path);
int tg_io_rmdir(const char *path);
int tg_io_mkdir(const char *path, mode_t mode);
int tg_io_chmod(int fd, mode_t mode);
int tg_io_touch(const char *path);                             /* both times are now; a link is not followed */
int tg_io_lock(int fd, int operation);                         /* flock */
DIR *tg_io_opendir(const char *path);
const struct dirent *tg_io_readdir(DIR *dir);                  /* null at the end (errno 0) and on failure */
void tg_io_closedir(DIR *dir);

#endif
