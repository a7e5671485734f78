#include "runtime/io.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <unistd.h>

#include "runtime/inject.h"

_Atomic(const tg_inject *) tg_injected;

/* Whether the call may happen; errno is set where not. */
static bool let(tg_io_call *call) {
  const tg_inject *hooks = tg_inject_now();
  if (!hooks || !hooks->before) return true;
  const int code = hooks->before(call);
  if (code) errno = code;
  return !code;
}

/* Hands the result on. */
static long told(const tg_io_call *call, long result) {
  const tg_inject *hooks = tg_inject_now();
  if (!hooks || !hooks->after) return result;
  const int code = errno;
  hooks->after(call, result);
  errno = code;
  return result;
}

int tg_io_open(int dir, const char *path, int flags, mode_t mode) {
  int fd;
  do {
    tg_io_call call = {.kind = TG_IO_OPEN, .fd = dir, .path = path, .create = flags & O_CREAT, .truncate = flags & O_TRUNC};
    fd = let(&call) ? (int)told(&call, openat(dir, path, flags | O_CLOEXEC | O_NOCTTY, mode)) : -1;
  } while (fd < 0 && errno == EINTR);
  return fd;
}

int tg_io_close(int fd) {
  tg_io_call call = {.kind = TG_IO_CLOSE, .fd = fd};
  if (let(&call)) return (int)told(&call, close(fd));
  const int code = errno;
  close(fd);
  errno = code;
  return -1;
}

int tg_io_stat(const char *path, struct stat *info) {
  tg_io_call call = {.kind = TG_IO_STAT, .fd = AT_FDCWD, .path = path};
  return let(&call) ? (int)told(&call, stat(path, info)) : -1;
}

int tg_io_lstat(const char *path, struct stat *info) {
  tg_io_call call = {.kind = TG_IO_STAT, .fd = AT_FDCWD, .path = path};
  return let(&call) ? (int)told(&call, lstat(path, info)) : -1;
}

int tg_io_fstat(int fd, struct stat *info) {
  tg_io_call call = {.kind = TG_IO_STAT, .fd = fd};
  return let(&call) ? (int)told(&call, fstat(fd, info)) : -1;
}

int tg_io_fstatat(int dir, const char *path, struct stat *info) {
  tg_io_call call = {.kind = TG_IO_STAT, .fd = dir, .path = path};
  return let(&call) ? (int)told(&call, fstatat(dir, path, info, AT_SYMLINK_NOFOLLOW)) : -1;
}

bool tg_io_may(const char *path, int mode) {
  tg_io_call call = {.kind = TG_IO_STAT, .fd = AT_FDCWD, .path = path};
  return let(&call) && !told(&call, faccessat(AT_FDCWD, path, mode, AT_EACCESS));
}

char *tg_io_realpath(const char *path, char *out) {
  tg_io_call call = {.kind = TG_IO_STAT, .fd = AT_FDCWD, .path = path};
  if (!let(&call)) return NULL;
  char *found = realpath(path, out);
  (void)told(&call, found ? 0 : -1);
  return found;
}

ssize_t tg_io_read(int fd, void *data, size_t n) {
  tg_io_call call = {.kind = TG_IO_READ, .fd = fd, .n = n};
  return let(&call) ? told(&call, read(fd, data, call.n)) : -1;
}

ssize_t tg_io_pread(int fd, void *data, size_t n, off_t at) {
  tg_io_call call = {.kind = TG_IO_READ, .fd = fd, .n = n};
  return let(&call) ? told(&call, pread(fd, data, call.n, at)) : -1;
}

ssize_t tg_io_write(int fd, const void *data, size_t n) {
  tg_io_call call = {.kind = TG_IO_WRITE, .fd = fd, .data = data, .n = n};
  return let(&call) ? told(&call, write(fd, data, call.n)) : -1;
}

ssize_t tg_io_pwrite(int fd, const void *data, size_t n, off_t at) {
  tg_io_call call = {.kind = TG_IO_WRITE, .fd = fd, .data = data, .n = n};
  return let(&call) ? told(&call, pwrite(fd, data, call.n, at)) : -1;
}

void *tg_io_map(int fd, size_t n) {
  tg_io_call call = {.kind = TG_IO_MAP, .fd = fd, .n = n};
  if (!let(&call)) return NULL;
  void *data = mmap(NULL, n, PROT_READ, MAP_PRIVATE, fd, 0);
  (void)told(&call, data == MAP_FAILED ? -1 : 0);
  return data == MAP_FAILED ? NULL : data;
}

int tg_io_sync(int fd) {
  tg_io_call call = {.kind = TG_IO_SYNC, .fd = fd};
  return let(&call) ? (int)told(&call, fsync(fd)) : -1;
}

int tg_io_rename(int dir, const char *from, const char *to) {
  tg_io_call call = {.kind = TG_IO_RENAME, .fd = dir, .path = from, .to = to};
  return let(&call) ? (int)told(&call, renameat(dir, from, dir, to)) : -1;
}

int tg_io_unlink(int dir, const char *path) {
  tg_io_call call = {.kind = TG_IO_REMOVE, .fd = dir, .path = path};
  return let(&call) ? (int)told(&call, unlinkat(dir, path, 0)) : -1;
}

int tg_io_rmdir(const char *path) {
  tg_io_call call = {.kind = TG_IO_REMOVE, .fd = AT_FDCWD, .path = path};
  return let(&call) ? (int)told(&call, rmdir(path)) : -1;
}

int tg_io_mkdir(const char *path, mode_t mode) {
  tg_io_call call = {.kind = TG_IO_MAKE, .fd = AT_FDCWD, .path = path};
  return let(&call) ? (int)told(&call, mkdir(path, mode)) : -1;
}

int tg_io_chmod(int fd, mode_t mode) {
  tg_io_call call = {.kind = TG_IO_MARK, .fd = fd};
  return let(&call) ? (int)told(&call, fchmod(fd, mode)) : -1;
}

int tg_io_touch(const char *path) {
  tg_io_call call = {.kind = TG_IO_MARK, .fd = AT_FDCWD, .path = path};
  return let(&call) ? (int)told(&call, utimensat(AT_FDCWD, path, NULL, AT_SYMLINK_NOFOLLOW)) : -1;
}

int tg_io_lock(int fd, int operation) {
  tg_io_call call = {.kind = TG_IO_LOCK, .fd = fd};
  return let(&call) ? (int)told(&call, flock(fd, operation)) : -1;
}

DIR *tg_io_opendir(const char *path) {
  tg_io_call call = {.kind = TG_IO_OPEN, .fd = AT_FDCWD, .path = path};
  if (!let(&call)) return NULL;
  DIR *dir = opendir(path);
  (void)told(&call, dir ? dirfd(dir) : -1);
  return dir;
}

const struct dirent *tg_io_readdir(DIR *dir) {
  tg_io_call call = {.kind = TG_IO_LIST, .fd = dirfd(dir)};
  if (!let(&call)) return NULL;
  errno = 0;
  const struct dirent *entry = readdir(dir);
  (void)told(&call, entry || !errno ? 0 : -1);
  return entry;
}

void tg_io_closedir(DIR *dir) {
  tg_io_call call = {.kind = TG_IO_CLOSE, .fd = dirfd(dir)};
  (void)let(&call); /* a listing loses nothing */
  (void)told(&call, closedir(dir));
}
