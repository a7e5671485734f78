#include "disk.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "runtime/inject.h"
#include "t5/random.h"
#include "tests/support/folder.h"

enum { MOST_OPS = 4096, MOST_FILES = 512, MOST_FDS = 256, PATH = 1024, FOLDER = -2 /* an inode: of every folder */ };

typedef enum op_kind { OP_WRITE, OP_TRUNCATE, OP_NAME /* path now is inode; -1: nothing any more */, OP_SYNC_FILE, OP_SYNC_FOLDER } op_kind;

typedef struct op {
  op_kind kind;
  int inode;
  char path[PATH], other[PATH]; /* other: of a renaming, the name that goes */
  char *data;
  size_t n, at;
} op;

typedef struct place {
  char path[PATH];
  int inode;
} place;

struct disk {
  char folder[PATH];
  place before[MOST_FILES]; /* [n_before] on disk at the start */
  place names[MOST_FILES];  /* [n_names] while recording */
  size_t n_before, n_names;
  struct { char *data; size_t n; } base[MOST_FILES]; /* [n_inodes] bytes on disk at the start */
  size_t sizes[MOST_FILES];                          /* [n_inodes] while recording: where the next write goes */
  int n_inodes;
  struct { bool used; int inode; char path[PATH]; } fds[MOST_FDS];
  op ops[MOST_OPS];
  size_t n_ops;
};

static disk *recording;

/* --------------------------------------------------------------------------------------------------------------------------- names */

static void copy_path(char out[PATH], const char *path) {
  const size_t n = strnlen(path, PATH - 1);
  memmove(out, path, n);
  out[n] = 0;
}

static int *find_name(place *names, size_t n, const char *path) {
  for (size_t i = 0; i < n; i++)
    if (strcmp(names[i].path, path) == 0) return &names[i].inode;
  return NULL;
}

static void set_name(place *names, size_t *n, const char *path, int inode) {
  int *known = find_name(names, *n, path);
  if (known) {
    *known = inode;
    return;
  }
  if (*n == MOST_FILES) abort();
  copy_path(names[*n].path, path);
  names[(*n)++].inode = inode;
}

static int lookup(const disk *d, const char *path) {
  const int *inode = find_name((place *)(uintptr_t)d->names, d->n_names, path);
  return inode ? *inode : -1;
}

/* Relative to the disk's folder; false: elsewhere. */
static bool place_of(const disk *d, int dir, const char *path, char out[PATH]) {
  char whole[3 * PATH];
  if (path[0] == '/')
    snprintf(whole, sizeof whole, "%s", path);
  else if (dir >= 0 && dir < MOST_FDS && d->fds[dir].used)
    snprintf(whole, sizeof whole, "%s/%s/%s", d->folder, d->fds[dir].path, path);
  else
    return false;
  const size_t n = strlen(d->folder);
  if (strncmp(whole, d->folder, n) != 0 || (whole[n] != '/' && whole[n])) return false;
  size_t used = 0;
  for (const char *at = whole + n; *at; at++) { /* single slashes, none at either end */
    if (*at == '/' && (used == 0 || out[used - 1] == '/')) continue;
    if (used + 1 < PATH) out[used++] = *at;
  }
  while (used && out[used - 1] == '/') used--;
  out[used] = 0;
  return true;
}

/* ----------------------------------------------------------------------------------------------------------------------- recording */

static op *add_op(disk *d, op_kind kind, int inode, const char *path) {
  if (d->n_ops == MOST_OPS) abort();
  op *o = &d->ops[d->n_ops++];
  *o = (op){.kind = kind, .inode = inode};
  copy_path(o->path, path);
  return o;
}

static int new_inode(disk *d) {
  if (d->n_inodes == MOST_FILES) abort();
  return d->n_inodes++;
}

static void on_open(disk *d, const tg_io_call *call, int fd) {
  char path[PATH];
  struct stat info;
  if (fd < 0 || fd >= MOST_FDS) return;
  d->fds[fd].used = place_of(d, call->fd, call->path, path);
  if (!d->fds[fd].used) return;
  int inode = lookup(d, path);
  if (inode == -1 && fstat(fd, &info) == 0 && S_ISDIR(info.st_mode)) inode = FOLDER;
  if (inode == -1) {
    inode = new_inode(d);
    set_name(d->names, &d->n_names, path, inode);
    add_op(d, OP_NAME, inode, path);
  } else if (call->truncate && inode >= 0) {
    add_op(d, OP_TRUNCATE, inode, path);
    d->sizes[inode] = 0;
  }
  d->fds[fd].inode = inode;
  copy_path(d->fds[fd].path, path);
}

static void on_write(disk *d, const tg_io_call *call, size_t n) {
  const int inode = d->fds[call->fd].inode;
  op *o = add_op(d, OP_WRITE, inode, d->fds[call->fd].path);
  o->data = malloc(n + 1);
  memcpy(o->data, call->data, n);
  o->n = n;
  o->at = d->sizes[inode];
  d->sizes[inode] += n;
}

static void on_rename(disk *d, const tg_io_call *call) {
  char from[PATH], to[PATH];
  if (!place_of(d, call->fd, call->path, from) || !place_of(d, call->fd, call->to, to)) return;
  const int inode = lookup(d, from);
  set_name(d->names, &d->n_names, from, -1);
  set_name(d->names, &d->n_names, to, inode);
  copy_path(add_op(d, OP_NAME, inode, to)->other, from);
}

static void on_name(disk *d, const tg_io_call *call, int inode) {
  char path[PATH];
  if (!place_of(d, call->fd, call->path, path)) return;
  set_name(d->names, &d->n_names, path, inode);
  add_op(d, OP_NAME, inode, path);
}

static void after(const tg_io_call *call, long result) {
  disk *d = recording;
  const bool known = call->fd >= 0 && call->fd < MOST_FDS && d->fds[call->fd].used;
  if (result < 0) return;
  switch (call->kind) {
    case TG_IO_OPEN: on_open(d, call, (int)result); break;
    case TG_IO_WRITE: if (known) on_write(d, call, (size_t)result); break;
    case TG_IO_SYNC:
      if (known) add_op(d, d->fds[call->fd].inode == FOLDER ? OP_SYNC_FOLDER : OP_SYNC_FILE, d->fds[call->fd].inode, d->fds[call->fd].path);
      break;
    case TG_IO_CLOSE: if (known) d->fds[call->fd].used = false; break;
    case TG_IO_RENAME: on_rename(d, call); break;
    case TG_IO_REMOVE: on_name(d, call, -1); break;
    case TG_IO_MAKE: on_name(d, call, FOLDER); break;
    default: break;
  }
}

static int take_base(const char *path, const struct stat *info, int kind, struct FTW *where) {
  disk *d = recording;
  (void)kind, (void)where;
  const char *name = path + strlen(d->folder);
  while (*name == '/') name++;
  int inode = FOLDER;
  if (S_ISREG(info->st_mode)) {
    inode = new_inode(d);
    d->base[inode].data = folder_read(path, &d->base[inode].n);
    d->sizes[inode] = d->base[inode].n;
  }
  set_name(d->names, &d->n_names, name, inode);
  return 0;
}

disk *disk_record(const char *folder) {
  static const tg_inject hooks = {.after = after};
  disk *d = calloc(1, sizeof *d);
  copy_path(d->folder, folder);
  recording = d;
  if (nftw(folder, take_base, 16, FTW_PHYS)) abort();
  memcpy(d->before, d->names, sizeof d->names);
  d->n_before = d->n_names;
  atomic_store(&tg_injected, &hooks);
  return d;
}

void disk_stop(void) {
  atomic_store(&tg_injected, NULL);
  recording = NULL;
}

/* ------------------------------------------------------------------------------------------------------------------------ crashing */

static bool in_folder(const char *path, const char *folder) {
  const char *slash = strrchr(path, '/');
  const size_t n = slash ? (size_t)(slash - path) : 0;
  return strlen(folder) == n && strncmp(path, folder, n) == 0;
}

/* Whether a sync between op i and the crash made it last. */
static bool is_safe(const disk *d, size_t i, size_t crash) {
  const op *o = &d->ops[i];
  for (size_t s = i + 1; s < crash; s++) {
    const op *sync = &d->ops[s];
    if (sync->kind == OP_SYNC_FILE && o->kind != OP_NAME && sync->inode == o->inode) return true;
    if (sync->kind == OP_SYNC_FOLDER && o->kind == OP_NAME && in_folder(o->path, sync->path)) return true;
  }
  return false;
}

typedef struct content { char *data; size_t n; } content;

static void apply(const op *o, place *names, size_t *n_names, content *files) {
  content *file = o->inode >= 0 ? &files[o->inode] : NULL;
  if (o->kind == OP_NAME) {
    if (o->other[0]) set_name(names, n_names, o->other, -1);
    set_name(names, n_names, o->path, o->inode);
  } else if (o->kind == OP_TRUNCATE) {
    file->n = 0;
  } else if (o->kind == OP_WRITE) {
    const size_t end = o->at + o->n;
    if (end > file->n) {
      file->data = realloc(file->data, end);
      memset(file->data + file->n, 0, end - file->n); /* a hole, where an earlier write was lost */
      file->n = end;
    }
    memcpy(file->data + o->at, o->data, o->n);
  }
}

static void put_back(const char *root, const place *names, size_t n, const content *files) {
  for (size_t i = 0; i < n; i++) /* folders stand before what is in them */
    if (names[i].inode == FOLDER && names[i].path[0]) mkdir(folder_path(root, names[i].path), 0700);
  for (size_t i = 0; i < n; i++) {
    if (names[i].inode < 0) continue;
    FILE *file = fopen(folder_path(root, names[i].path), "wb");
    if (!file) continue; /* its folder was lost */
    const content *c = &files[names[i].inode];
    if (fwrite(c->data ? c->data : "", 1, c->n, file) != c->n || fclose(file)) abort();
  }
}

/* How many operations came before the loss, and how much of what is not safe stays: nothing, all, half, a part. First every moment with nothing and with all,
 * then draws. */
static size_t moment(const disk *d, uint64_t which, unsigned *luck) {
  const uint64_t key = tg_random_key(which, 1);
  const bool plain = which < 2 * (d->n_ops + 1);
  *luck = plain ? which % 2 : 2 + (unsigned)(tg_random_at(key, 1) % 2);
  return plain ? which / 2 : tg_random_at(key, 0) % (d->n_ops + 1);
}

bool disk_crash_is_late(const disk *d, uint64_t which) {
  unsigned luck;
  return moment(d, which, &luck) == d->n_ops;
}

char *disk_crash(const disk *d, const char *parent, uint64_t which) {
  unsigned luck;
  const uint64_t key = tg_random_key(which, 1);
  const size_t crash = moment(d, which, &luck);
  place *names = malloc(sizeof d->names);
  content *files = calloc(MOST_FILES, sizeof *files);
  size_t n_names = d->n_before;
  memcpy(names, d->before, sizeof d->before);
  for (int i = 0; i < d->n_inodes; i++) {
    if (!d->base[i].data) continue;
    files[i] = (content){malloc(d->base[i].n + 1), d->base[i].n};
    memcpy(files[i].data, d->base[i].data, d->base[i].n);
  }
  for (size_t i = 0; i < crash; i++) {
    const uint64_t draw = tg_random_at(key, 2 + i);
    const bool stays = luck == 0 ? false : luck == 1 ? true : luck == 2 ? draw & 1 : draw % 8 == 0;
    if (stays || is_safe(d, i, crash)) apply(&d->ops[i], names, &n_names, files);
  }
  char *root = folder_new(parent);
  put_back(root, names, n_names, files);
  for (int i = 0; i < d->n_inodes; i++) free(files[i].data);
  free(files);
  free(names);
  return root;
}

size_t disk_operations(const disk *d) {
  return d->n_ops;
}

void disk_free(disk *d) {
  for (size_t i = 0; i < d->n_ops; i++) free(d->ops[i].data);
  for (int i = 0; i < d->n_inodes; i++) free(d->base[i].data);
  free(d);
}
