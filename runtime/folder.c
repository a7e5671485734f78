#include "runtime/folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "runtime/clock.h"
#include "runtime/error.h"
#include "runtime/file.h"
#include "runtime/io.h"

bool tg_file_examine(const char *path, tg_file_facts *facts) {
  struct stat info;
  if (tg_io_lstat(path, &info)) return false;
  *facts = (tg_file_facts){.regular = S_ISREG(info.st_mode),
                           .folder = S_ISDIR(info.st_mode),
                           .size = (uint64_t)info.st_size,
                           .changed = (int64_t)info.st_mtim.tv_sec * 1000000000 + info.st_mtim.tv_nsec};
  return true;
}

t5gist_status tg_folder_make(const char *path, unsigned mode, t5gist_error *err) {
  tg_file_facts facts;
  if (tg_file_examine(path, &facts) && facts.folder) return T5GIST_OK;
  char *above;
  TG_TRY(tg_path_above(&above, path, err));
  const t5gist_status status = tg_make_dirs(above, err);
  tg_free(above);
  TG_TRY(status);
  return tg_make_dir(path, mode, err);
}

bool tg_folder_writable(const char *path) {
  return tg_io_may(path, W_OK | X_OK);
}

/* ------------------------------------------------------------------------------------------------------------------------- listing */

static int by_bytes(const void *a, const void *b) {
  return strcmp(*(char *const *)a, *(char *const *)b);
}

static t5gist_status append_name(tg_strings *names, size_t *capacity, const char *name, t5gist_error *err) {
  TG_TRY(tg_reserve(&names->items, capacity, names->count + 1, sizeof *names->items, err));
  TG_TRY(tg_strdup(&names->items[names->count], name, err));
  names->count++;
  return T5GIST_OK;
}

t5gist_status tg_folder_list(const char *path, tg_strings *names, t5gist_error *err) {
  DIR *dir = tg_io_opendir(path);
  if (!dir && errno == ENOENT) return T5GIST_OK;
  if (!dir) return tg_fail_errno(err, "cannot list %s", path);
  size_t capacity = names->count;
  t5gist_status status = T5GIST_OK;
  for (;;) {
    const struct dirent *entry = tg_io_readdir(dir);
    if (!entry) {
      if (errno) status = tg_fail_errno(err, "cannot list %s", path);
      break;
    }
    if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, "..")) continue;
    if ((status = append_name(names, &capacity, entry->d_name, err))) break;
  }
  tg_io_closedir(dir);
  if (names->count) qsort(names->items, names->count, sizeof *names->items, by_bytes);
  return status;
}

/* ------------------------------------------------------------------------------------------------------------------------- locking */

/* Neither a link nor a pipe is followed or waited for. */
static int open_plain(const char *path, int flags, mode_t mode) {
  return tg_io_open(AT_FDCWD, path, flags | O_NOFOLLOW | O_NONBLOCK, mode);
}

/* Asks again and again instead of sleeping in the kernel: a holder that was stopped must not stop everybody else for good. */
static t5gist_status wait_for(int fd, const char *path, int wait_ms, t5gist_error *err) {
  const double begin = tg_now_ms();
  for (long pause = 200000;; pause = pause < 5000000 ? 2 * pause : pause) {
    if (!tg_io_lock(fd, LOCK_EX | LOCK_NB)) return T5GIST_OK;
    if (errno != EWOULDBLOCK && errno != EINTR) return tg_fail_errno(err, "cannot lock %s", path);
    if (tg_now_ms() - begin > wait_ms) return tg_fail(err, T5GIST_EIO, "cannot lock %s: another process held it for %d ms", path, wait_ms);
    nanosleep(&(struct timespec){.tv_nsec = pause}, NULL);
  }
}

t5gist_status tg_lock_take(const char *path, int wait_ms, tg_lock *lock, t5gist_error *err) {
  const int fd = open_plain(path, O_RDWR | O_CREAT, 0600);
  if (fd < 0) {
    if (errno != EACCES && errno != EROFS && errno != EPERM) return tg_fail_errno(err, "cannot lock %s", path);
    return tg_fail(err, T5GIST_EUNSUPPORTED, "cannot lock %s: nothing may be written there", path);
  }
  const t5gist_status status = wait_for(fd, path, wait_ms, err);
  if (status)
    tg_io_close(fd);
  else
    lock->fd = fd;
  return status;
}

void tg_lock_release(tg_lock *lock) {
  tg_io_close(lock->fd); /* the only descriptor of this open file: its lock ends with it */
  lock->fd = -1;
}

enum { DIGITS = 20 }; /* of the largest number */

bool tg_lock_get(const tg_lock *lock, uint64_t *number) {
  char text[DIGITS + 2] = {0};
  if (tg_io_pread(lock->fd, text, DIGITS + 1, 0) != DIGITS + 1 || text[DIGITS] != '\n' || strspn(text, "0123456789") != DIGITS) return false;
  errno = 0;
  *number = strtoull(text, NULL, 10);
  return errno == 0;
}

bool tg_lock_set(const tg_lock *lock, uint64_t number) {
  char text[DIGITS + 2];
  snprintf(text, sizeof text, "%020llu\n", (unsigned long long)number);
  return tg_io_pwrite(lock->fd, text, DIGITS + 1, 0) == DIGITS + 1;
}

/* --------------------------------------------------------------------------------------------------------------------------- files */

t5gist_status tg_file_rename(const char *from, const char *to, t5gist_error *err) {
  return tg_io_rename(AT_FDCWD, from, to) ? tg_fail_errno(err, "cannot rename %s to %s", from, to) : T5GIST_OK;
}

t5gist_status tg_file_remove(const char *path, t5gist_error *err) {
  return tg_io_unlink(AT_FDCWD, path) && errno != ENOENT ? tg_fail_errno(err, "cannot remove %s", path) : T5GIST_OK;
}

static bool write_once(int fd, const void *data, size_t n) {
  if (fd < 0) return false;
  const bool written = tg_io_write(fd, data, n) == (ssize_t)n;
  return !tg_io_close(fd) && written;
}

bool tg_file_make(const char *path, unsigned mode, const void *data, size_t n) {
  return write_once(open_plain(path, O_WRONLY | O_CREAT | O_TRUNC, (mode_t)mode), data, n);
}

bool tg_file_append(const char *path, const void *data, size_t n) {
  return write_once(open_plain(path, O_WRONLY | O_APPEND, 0), data, n);
}

bool tg_file_touch(const char *path) {
  return !tg_io_touch(path);
}

bool tg_file_head(const char *path, void *data, size_t n) {
  const int fd = open_plain(path, O_RDONLY, 0);
  if (fd < 0) return false;
  const bool whole = tg_io_read(fd, data, n) == (ssize_t)n;
  tg_io_close(fd);
  return whole;
}
