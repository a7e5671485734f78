#include "tests/support/folder.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void die(const char *what, const char *path) {
  fprintf(stderr, "cannot %s ", what);
  perror(path);
  exit(1);
}

char *folder_new(const char *parent) {
  char *path;
  if (asprintf(&path, "%s/folder-XXXXXX", parent) < 0 || !mkdtemp(path)) die("make a folder in", parent);
  return path;
}

static int remove_one(const char *path, const struct stat *info, int kind, struct FTW *place) {
  (void)info, (void)kind, (void)place;
  return remove(path);
}

void folder_remove(char *folder) {
  if (nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS) != 0) die("remove", folder);
  free(folder);
}

const char *folder_path(const char *folder, const char *name) {
  static char paths[8][4096];
  static unsigned next;
  char *path = paths[next++ % 8];
  snprintf(path, sizeof paths[0], "%s/%s", folder, name);
  return path;
}

void folder_write(const char *folder, const char *name, const void *data, size_t n) {
  const char *path = folder_path(folder, name);
  FILE *file = fopen(path, "wb");
  if (!file || fwrite(data, 1, n, file) != n || fclose(file) != 0) die("write", path);
}

void folder_text(const char *folder, const char *name, const char *text) {
  folder_write(folder, name, text, strlen(text));
}

char *folder_read(const char *path, size_t *n) {
  FILE *file = fopen(path, "rb");
  if (!file || fseek(file, 0, SEEK_END) != 0) die("read", path);
  const long size = ftell(file);
  char *data = malloc((size_t)size + 1);
  if (!data) die("hold", path);
  rewind(file);
  if (fread(data, 1, (size_t)size, file) != (size_t)size) die("read", path);
  fclose(file);
  data[size] = 0;
  if (n) *n = (size_t)size;
  return data;
}

void folder_copy(const char *folder, const char *name, const char *source) {
  size_t n;
  char *data = folder_read(source, &n);
  folder_write(folder, name, data, n);
  free(data);
}
