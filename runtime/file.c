#include "runtime/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "runtime/error.h"
#include "runtime/io.h"

static const char *kind_name(mode_t mode) {
  return S_ISDIR(mode) ? "a directory" : S_ISFIFO(mode) ? "a FIFO" : S_ISSOCK(mode) ? "a socket" : S_ISREG(mode) ? "a file" : "a device";
}

/* ------------------------------------------------------------------------------------------------------------------------- mapping */

t5gist_status tg_map_open(const char *path, tg_map *map, t5gist_error *err) {
  const int fd = tg_io_open(AT_FDCWD, path, O_RDONLY | O_NONBLOCK, 0); /* a FIFO must be refused, not waited for */
  if (fd < 0) return tg_fail_errno(err, "cannot open %s", path);
  t5gist_status status = T5GIST_OK;
  struct stat info;
  void *data = NULL;
  if (tg_io_fstat(fd, &info)) {
    status = tg_fail_errno(err, "cannot examine %s", path);
  } else if (!S_ISREG(info.st_mode)) {
    status = tg_fail(err, T5GIST_EIO, "cannot open %s: expected a regular file, found %s", path, kind_name(info.st_mode));
  } else if (info.st_size > 0) {
    data = tg_io_map(fd, (size_t)info.st_size);
    if (!data) status = tg_fail_errno(err, "cannot map the %lld bytes of %s", (long long)info.st_size, path);
  }
  tg_io_close(fd); /* read-only: the mapping holds the file, and nothing can be lost */
  if (!status) *map = (tg_map){.data = data, .size = (size_t)info.st_size};
  return status;
}

void tg_map_close(tg_map *map) {
  if (map->data) munmap((void *)(uintptr_t)map->data, map->size);
  *map = (tg_map){0};
}

void tg_map_release(const void *data, size_t size) {
  const uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
  const uintptr_t begin = ((uintptr_t)data + page - 1) / page * page, end = ((uintptr_t)data + size) / page * page;
  if (begin < end) madvise((void *)begin, end - begin, MADV_DONTNEED);
}

/* ------------------------------------------------------------------------------------------------------------------------- reading */

static t5gist_status too_large(const char *name, size_t limit, t5gist_error *err) {
  return tg_fail(err, T5GIST_EFORMAT, "%s: expected at most %zu bytes, found more", name, limit);
}

static t5gist_status read_all(int fd, const char *name, size_t limit, tg_buffer *buffer, t5gist_error *err) {
  enum { PIECE = 1 << 16 };
  struct stat info;
  if (tg_io_fstat(fd, &info)) return tg_fail_errno(err, "cannot examine %s", name);
  if (S_ISDIR(info.st_mode)) return tg_fail(err, T5GIST_EIO, "cannot read %s: expected a file, found a directory", name);
  size_t room = PIECE; /* of a regular file, and one byte more that shows its end: a hint, for the file may grow */
  if (S_ISREG(info.st_mode) && info.st_size > 0) {
    if ((uintmax_t)info.st_size > limit) return too_large(name, limit, err);
    room = (size_t)info.st_size + 1;
  }
  for (size_t total = 0;; room = PIECE) {
    if (buffer->capacity < buffer->size + 2) TG_TRY(tg_buffer_reserve(buffer, room, err));
    const ssize_t n = tg_io_read(fd, buffer->data + buffer->size, buffer->capacity - buffer->size - 1);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return tg_fail_errno(err, "cannot read %s", name);
    if ((size_t)n > limit - total) return too_large(name, limit, err);
    total += (size_t)n;
    buffer->size += (size_t)n;
    buffer->data[buffer->size] = 0;
    if (n == 0) return T5GIST_OK;
  }
}

t5gist_status tg_read_file(const char *path, size_t limit, bool allow_stdin, tg_buffer *buffer, t5gist_error *err) {
  if (allow_stdin && !strcmp(path, "-")) return read_all(STDIN_FILENO, "standard input", limit, buffer, err);
  const int fd = tg_io_open(AT_FDCWD, path, O_RDONLY, 0);
  if (fd < 0) return tg_fail_errno(err, "cannot open %s", path);
  const t5gist_status status = read_all(fd, path, limit, buffer, err);
  tg_io_close(fd);
  return status;
}

struct tg_reader {
  char *path; /* for messages */
  size_t limit, total;
  int fd;
};

t5gist_status tg_reader_open(const char *path, size_t limit, tg_reader **out, t5gist_error *err) {
  tg_reader *reader;
  struct stat info;
  TG_TRY(tg_alloc(&reader, 1, sizeof *reader, err));
  *reader = (tg_reader){.limit = limit, .fd = -1};
  t5gist_status status = tg_strdup(&reader->path, path, err);
  if (!status && (reader->fd = tg_io_open(AT_FDCWD, path, O_RDONLY, 0)) < 0) status = tg_fail_errno(err, "cannot open %s", path);
  if (!status && tg_io_fstat(reader->fd, &info)) status = tg_fail_errno(err, "cannot examine %s", path);
  if (!status && S_ISDIR(info.st_mode)) status = tg_fail(err, T5GIST_EIO, "cannot read %s: expected a file, found a directory", path);
  if (!status && S_ISREG(info.st_mode) && (uintmax_t)info.st_size > limit) status = too_large(path, limit, err);
  if (status)
    tg_reader_close(reader);
  else
    *out = reader;
  return status;
}

t5gist_status tg_reader_more(tg_reader *reader, size_t n, tg_buffer *buffer, bool *ended, t5gist_error *err) {
  ssize_t got;
  TG_TRY(tg_buffer_reserve(buffer, n, err));
  do got = tg_io_read(reader->fd, buffer->data + buffer->size, n);
  while (got < 0 && errno == EINTR);
  if (got < 0) return tg_fail_errno(err, "cannot read %s", reader->path);
  if ((size_t)got > reader->limit - reader->total) return too_large(reader->path, reader->limit, err);
  reader->total += (size_t)got;
  buffer->size += (size_t)got;
  buffer->data[buffer->size] = 0;
  *ended = got == 0;
  return T5GIST_OK;
}

void tg_reader_close(tg_reader *reader) {
  if (!reader) return;
  if (reader->fd >= 0) tg_io_close(reader->fd);
  tg_free(reader->path);
  tg_free(reader);
}

/* --------------------------------------------------------------------------------------------------------------------------- paths */

bool tg_file_exists(const char *path) {
  struct stat info;
  return !tg_io_stat(path, &info) && S_ISREG(info.st_mode);
}

t5gist_status tg_path_join(char **out, const char *dir, const char *name, t5gist_error *err) {
  const size_t n = strlen(dir);
  tg_buffer path = {0};
  const t5gist_status status = tg_buffer_printf(&path, err, "%s%s%s", dir, n && dir[n - 1] != '/' ? "/" : "", name);
  if (!status)
    *out = path.data;
  else
    tg_buffer_free(&path);
  return status;
}

t5gist_status tg_path_above(char **out, const char *path, t5gist_error *err) {
  size_t end = strlen(path);
  while (end > 1 && path[end - 1] == '/') end--;
  while (end > 0 && path[end - 1] != '/') end--;
  return end > 0 ? tg_strndup(out, path, end, err) : tg_strdup(out, ".", err);
}

/* Brings a new name to disk: the folder that it stands in. */
static t5gist_status sync_above(const char *path, t5gist_error *err) {
  char *above;
  TG_TRY(tg_path_above(&above, path, err));
  const t5gist_status status = tg_dir_sync(above, err);
  tg_free(above);
  return status;
}

t5gist_status tg_make_dir(const char *path, unsigned mode, t5gist_error *err) {
  if (!tg_io_mkdir(path, (mode_t)mode)) return sync_above(path, err);
  const int code = errno;
  struct stat info;
  if (!tg_io_stat(path, &info)) {
    if (S_ISDIR(info.st_mode)) return T5GIST_OK;
    return tg_fail(err, T5GIST_EIO, "cannot make the directory %s: found %s there", path, kind_name(info.st_mode));
  }
  errno = code;
  return tg_fail_errno(err, "cannot make the directory %s", path);
}

t5gist_status tg_make_dirs(const char *path, t5gist_error *err) {
  char *part;
  TG_TRY(tg_strdup(&part, path, err));
  t5gist_status status = T5GIST_OK;
  for (char *at = part; !status && *at; at++) {
    if (*at != '/' || at == part) continue;
    *at = 0;
    status = tg_make_dir(part, 0777, err);
    *at = '/';
  }
  if (!status) status = tg_make_dir(part, 0777, err);
  tg_free(part);
  return status;
}

t5gist_status tg_dir_sync(const char *path, t5gist_error *err) {
  const int fd = tg_io_open(AT_FDCWD, path, O_RDONLY | O_DIRECTORY, 0);
  if (fd < 0) return tg_fail_errno(err, "cannot open the directory %s", path);
  const bool failed = tg_io_sync(fd) && errno != EINVAL; /* EINVAL: a file system without it */
  const t5gist_status status = failed ? tg_fail_errno(err, "cannot bring the directory %s to disk", path) : T5GIST_OK;
  tg_io_close(fd);
  return status;
}

t5gist_status tg_dir_remove(const char *path, t5gist_error *err) {
  if (!tg_io_rmdir(path) || errno == ENOTEMPTY || errno == EEXIST || errno == ENOENT) return T5GIST_OK;
  return tg_fail_errno(err, "cannot remove the directory %s", path);
}

/* ------------------------------------------------------------------------------------------------------------------ atomic writing */

enum { BUFFER = 1 << 20, SLOTS = 16, TEMPORARY = 32, HOUR = 3600 };

/* Temporaries that exist now, readable from a signal handler: dir and name are set before state becomes LIVE and stay until it is left. */
enum { FREE = 0, CLAIMED, LIVE };
static struct slot {
  atomic_int state;
  int dir;
  char name[TEMPORARY];
} slots[SLOTS];

struct tg_writer {
  char *path;        /* for messages, as the caller wrote it */
  char *name;        /* what the temporary is renamed to, within the directory of slot */
  struct slot *slot; /* null: written straight through */
  int fd;            /* -1: closed. Of a temporary: holds its lock, until it has its name */
  bool synced;       /* all of it is on disk */
  bool failed;       /* a write failed: nothing can be committed */
  size_t used;
  unsigned char *data; /* [BUFFER] not yet written */
};

void tg_writer_cleanup_on_signal(void) {
  for (int i = 0; i < SLOTS; i++)
    if (atomic_load(&slots[i].state) == LIVE) unlinkat(slots[i].dir, slots[i].name, 0);
}

static struct slot *claim_slot(void) {
  for (int i = 0; i < SLOTS; i++) {
    int expected = FREE;
    if (atomic_compare_exchange_strong(&slots[i].state, &expected, CLAIMED)) return &slots[i];
  }
  return NULL;
}

/* Takes the lock that says that a temporary is being written. False: who clears temporaries away was faster. */
static bool hold(int fd) {
  struct stat info;
  if (tg_io_lock(fd, LOCK_EX | LOCK_NB)) return errno != EWOULDBLOCK; /* else a file system without locks */
  return tg_io_fstat(fd, &info) || info.st_nlink > 0;
}

/* Makes the temporary. It is registered before it exists, so that no signal finds it unknown. */
static t5gist_status open_temporary(tg_writer *writer, unsigned mode, t5gist_error *err) {
  struct slot *slot = writer->slot;
  for (int attempt = 0; attempt < 16; attempt++) {
    unsigned long long random;
    if (getrandom(&random, sizeof random, 0) != (ssize_t)sizeof random) return tg_fail_errno(err, "cannot write %s: no random numbers", writer->path);
    atomic_store(&slot->state, CLAIMED);
    snprintf(slot->name, sizeof slot->name, ".tmp.%016llx", random);
    atomic_store(&slot->state, LIVE);
    writer->fd = tg_io_open(slot->dir, slot->name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, (mode_t)mode);
    if (writer->fd >= 0 && hold(writer->fd)) return T5GIST_OK;
    if (writer->fd < 0 && errno != EEXIST) break;
    if (writer->fd < 0) continue;
    tg_io_unlink(slot->dir, slot->name); /* who looked at it may have let it be */
    tg_io_close(writer->fd);
    writer->fd = -1;
    errno = EBUSY;
  }
  atomic_store(&slot->state, CLAIMED);
  return tg_fail_errno(err, "cannot write %s", writer->path);
}

/* Whether a name is that of a temporary of ours. Earlier ones had a process's number before the digits. */
static bool is_temporary(const char *name) {
  if (strncmp(name, ".tmp.", 5) != 0) return false;
  const char *dot = strchr(name + 5, '.'), *digits = dot ? dot + 1 : name + 5;
  if (dot && (dot == name + 5 || strspn(name + 5, "0123456789") != (size_t)(dot - name - 5))) return false;
  return strspn(digits, "0123456789abcdef") == 16 && !digits[16];
}

/* Opens a temporary that nobody is writing any more, and takes its lock; -1: it is none. Where there are no locks it is one after an hour. */
static int take_left(const char *dir, const char *name) {
  struct stat info;
  char *path;
  if (!is_temporary(name) || tg_path_join(&path, dir, name, NULL)) return -1;
  const int fd = tg_io_open(AT_FDCWD, path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK, 0);
  tg_free(path);
  if (fd < 0) return -1;
  if (!tg_io_fstat(fd, &info) && S_ISREG(info.st_mode)) {
    if (!tg_io_lock(fd, LOCK_EX | LOCK_NB)) return fd;
    if (errno != EWOULDBLOCK && time(NULL) - info.st_mtime > HOUR) return fd;
  }
  tg_io_close(fd);
  return -1;
}

bool tg_temporary_is_left(const char *dir, const char *name) {
  const int fd = take_left(dir, name);
  if (fd >= 0) tg_io_close(fd);
  return fd >= 0;
}

t5gist_status tg_temporary_remove(const char *dir, const char *name, t5gist_error *err) {
  const int fd = take_left(dir, name);
  if (fd < 0) return T5GIST_OK;
  char *path = NULL;
  t5gist_status status = tg_path_join(&path, dir, name, err);
  if (!status && tg_io_unlink(AT_FDCWD, path) && errno != ENOENT) status = tg_fail_errno(err, "cannot remove %s", path);
  tg_free(path);
  tg_io_close(fd);
  return status;
}

/* Removes what writers that were killed left in a folder: temporaries that nobody has written to for an hour. What cannot be removed stays. */
static void sweep(int dir, const char *path) {
  DIR *names = tg_io_opendir(path);
  const time_t now = time(NULL);
  const struct dirent *entry;
  while (names && (entry = tg_io_readdir(names))) {
    struct stat info;
    if (is_temporary(entry->d_name) && !tg_io_fstatat(dir, entry->d_name, &info) && S_ISREG(info.st_mode) && now - info.st_mtime > HOUR)
      tg_io_unlink(dir, entry->d_name);
  }
  if (names) tg_io_closedir(names);
}

/* target: path with its links resolved, so that a link stays one. old: null for a new file. tended: others clear temporaries away. */
static t5gist_status open_atomic(tg_writer *writer, const char *target, unsigned mode, const struct stat *old, bool tended, t5gist_error *err) {
  if (old && !tg_io_may(target, W_OK)) return tg_fail_errno(err, "cannot write %s", writer->path);
  const char *slash = strrchr(target, '/');
  TG_TRY(tg_strdup(&writer->name, slash ? slash + 1 : target, err));
  char *dir;
  TG_TRY(slash ? tg_strndup(&dir, target, (size_t)(slash - target) + 1, err) : tg_strdup(&dir, ".", err));
  writer->slot = claim_slot();
  if (writer->slot) writer->slot->dir = tg_io_open(AT_FDCWD, dir, O_RDONLY | O_DIRECTORY, 0);
  if (writer->slot && writer->slot->dir >= 0 && !tended) sweep(writer->slot->dir, dir);
  tg_free(dir);
  if (!writer->slot) return tg_fail(err, T5GIST_EIO, "cannot write %s: expected at most %d files being written at a time", writer->path, SLOTS);
  if (writer->slot->dir < 0) return tg_fail_errno(err, "cannot write %s", writer->path);
  TG_TRY(open_temporary(writer, old ? 0600 : mode, err));
  if (old && tg_io_chmod(writer->fd, old->st_mode & 07777)) return tg_fail_errno(err, "cannot set the permissions of %s", writer->path);
  return T5GIST_OK;
}

static t5gist_status open_target(tg_writer *writer, unsigned mode, t5gist_error *err) {
  struct stat info;
  char target[PATH_MAX];
  if (tg_io_stat(writer->path, &info)) {
    if (errno != ENOENT) return tg_fail_errno(err, "cannot write %s", writer->path);
    return open_atomic(writer, writer->path, mode, NULL, false, err);
  }
  if (S_ISDIR(info.st_mode)) return tg_fail(err, T5GIST_EIO, "cannot write %s: expected a file, found a directory", writer->path);
  if (S_ISREG(info.st_mode)) {
    if (!tg_io_realpath(writer->path, target)) return tg_fail_errno(err, "cannot write %s", writer->path);
    return open_atomic(writer, target, mode, &info, false, err);
  }
  writer->fd = tg_io_open(AT_FDCWD, writer->path, O_WRONLY, 0);
  return writer->fd < 0 ? tg_fail_errno(err, "cannot write %s", writer->path) : T5GIST_OK;
}

static t5gist_status open_writer(const char *path, unsigned mode, bool tended, tg_writer **out, t5gist_error *err) {
  tg_writer *writer;
  TG_TRY(tg_alloc(&writer, 1, sizeof *writer, err));
  writer->fd = -1;
  t5gist_status status = tg_alloc(&writer->data, BUFFER, 1, err);
  if (!status) status = tg_strdup(&writer->path, path, err);
  if (!status) status = tended ? open_atomic(writer, writer->path, mode, NULL, true, err) : open_target(writer, mode, err);
  if (status)
    tg_writer_abort(writer);
  else
    *out = writer;
  return status;
}

t5gist_status tg_writer_open(const char *path, unsigned mode, tg_writer **writer, t5gist_error *err) {
  return open_writer(path, mode, false, writer, err);
}

t5gist_status tg_writer_open_tended(const char *path, unsigned mode, tg_writer **writer, t5gist_error *err) {
  return open_writer(path, mode, true, writer, err);
}

static t5gist_status write_bytes(int fd, const char *path, const unsigned char *data, size_t n, t5gist_error *err) {
  while (n) {
    const ssize_t written = tg_io_write(fd, data, n);
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) {
      if (written == 0) errno = EIO;
      return tg_fail_errno(err, "cannot write %s", path);
    }
    data += written;
    n -= (size_t)written;
  }
  return T5GIST_OK;
}

static t5gist_status write_all(tg_writer *writer, const unsigned char *data, size_t n, t5gist_error *err) {
  const t5gist_status status = write_bytes(writer->fd, writer->path, data, n, err);
  if (status) writer->failed = true;
  return status;
}

static t5gist_status flush(tg_writer *writer, t5gist_error *err) {
  const size_t n = writer->used;
  writer->used = 0;
  return write_all(writer, writer->data, n, err);
}

t5gist_status tg_writer_write(tg_writer *writer, const void *data, size_t n, t5gist_error *err) {
  if (n > BUFFER - writer->used) TG_TRY(flush(writer, err));
  if (n > BUFFER) return write_all(writer, data, n, err);
  if (n) memcpy(writer->data + writer->used, data, n);
  writer->used += n;
  return T5GIST_OK;
}

static t5gist_status close_file(tg_writer *writer, t5gist_error *err) {
  const int fd = writer->fd;
  writer->fd = -1; /* closed even when close fails */
  writer->failed |= tg_io_close(fd) != 0;
  return writer->failed ? tg_fail_errno(err, "cannot write %s", writer->path) : T5GIST_OK;
}

t5gist_status tg_writer_sync(tg_writer *writer, t5gist_error *err) {
  if (writer->failed) return tg_fail(err, T5GIST_EIO, "cannot write %s: an earlier write failed", writer->path);
  TG_TRY(flush(writer, err));
  writer->synced = true;
  if (!writer->slot) return close_file(writer, err);
  writer->failed = tg_io_sync(writer->fd) != 0;
  return writer->failed ? tg_fail_errno(err, "cannot write %s", writer->path) : T5GIST_OK;
}

t5gist_status tg_writer_rename(tg_writer *writer, t5gist_error *err) {
  struct slot *slot = writer->slot;
  if (!writer->synced || writer->failed) TG_TRY(tg_writer_sync(writer, err));
  if (!slot || atomic_load(&slot->state) != LIVE) return T5GIST_OK;
  if (tg_io_rename(slot->dir, slot->name, writer->name)) return tg_fail_errno(err, "cannot rename a temporary file to %s", writer->path);
  atomic_store(&slot->state, CLAIMED); /* no temporary any more */
  return T5GIST_OK;
}

static t5gist_status commit(tg_writer *writer, t5gist_error *err) {
  TG_TRY(tg_writer_rename(writer, err));
  if (writer->slot && tg_io_sync(writer->slot->dir) && errno != EINVAL) /* EINVAL: a file system without it */
    return tg_fail_errno(err, "cannot bring the directory of %s to disk", writer->path);
  return T5GIST_OK;
}

t5gist_status tg_writer_commit(tg_writer *writer, t5gist_error *err) {
  const t5gist_status status = commit(writer, err);
  tg_writer_abort(writer);
  return status;
}

void tg_writer_abort(tg_writer *writer) {
  if (!writer) return;
  if (writer->fd >= 0) tg_io_close(writer->fd);
  if (writer->slot) {
    struct slot *slot = writer->slot;
    if (atomic_exchange(&slot->state, CLAIMED) == LIVE) tg_io_unlink(slot->dir, slot->name);
    if (slot->dir >= 0) tg_io_close(slot->dir);
    atomic_store(&slot->state, FREE);
  }
  tg_free(writer->data);
  tg_free(writer->name);
  tg_free(writer->path);
  tg_free(writer);
}

t5gist_status tg_write_file(const char *path, unsigned mode, const void *data, size_t n, t5gist_error *err) {
  tg_writer *writer;
  TG_TRY(tg_writer_open(path, mode, &writer, err));
  const t5gist_status status = tg_writer_write(writer, data, n, err);
  if (!status) return tg_writer_commit(writer, err);
  tg_writer_abort(writer);
  return status;
}

/* ----------------------------------------------------------------------------------------------------------------------- appending */

struct tg_appender {
  char *path; /* for messages */
  int fd;
};

t5gist_status tg_appender_open(const char *path, unsigned mode, tg_appender **out, t5gist_error *err) {
  tg_appender *appender;
  TG_TRY(tg_alloc(&appender, 1, sizeof *appender, err));
  appender->fd = -1;
  t5gist_status status = tg_strdup(&appender->path, path, err);
  if (!status) appender->fd = tg_io_open(AT_FDCWD, path, O_WRONLY | O_CREAT | O_APPEND, (mode_t)mode);
  if (!status && appender->fd < 0) status = tg_fail_errno(err, "cannot write %s", path);
  if (status)
    tg_appender_close(appender);
  else
    *out = appender;
  return status;
}

t5gist_status tg_appender_write(tg_appender *appender, const void *data, size_t n, t5gist_error *err) {
  return write_bytes(appender->fd, appender->path, data, n, err);
}

void tg_appender_close(tg_appender *appender) {
  if (!appender) return;
  if (appender->fd >= 0) tg_io_close(appender->fd);
  tg_free(appender->path);
  tg_free(appender);
}
