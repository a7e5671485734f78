#include "runtime/room.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "runtime/file.h"

enum { LIMIT = 1 << 20 };

/* The number behind key in a file, or the file's first one (key null). SIZE_MAX: there is none, or the word "max". */
static size_t number_in(const char *path, const char *key) {
  tg_buffer text = {0};
  size_t number = SIZE_MAX;
  if (tg_read_file(path, LIMIT, false, &text, NULL) == T5GIST_OK && text.size > 0) {
    const char *at = key ? strstr(text.data, key) : text.data;
    unsigned long long found;
    if (at && sscanf(at + (key ? strlen(key) : 0), "%llu", &found) == 1) number = found;
  }
  tg_buffer_free(&text);
  return number;
}

static size_t least(size_t a, size_t b) {
  return a < b ? a : b;
}

static size_t less(size_t a, size_t b) {
  return a > b ? a - b : 0;
}

/* What one cgroup leaves; folder: of its files. */
static size_t group_room(const char *folder, const char *limit_name, const char *usage_name, const char *droppable_name) {
  char path[4352];
  snprintf(path, sizeof path, "%s/%s", folder, limit_name);
  const size_t limit = number_in(path, NULL);
  if (limit == SIZE_MAX) return SIZE_MAX;
  snprintf(path, sizeof path, "%s/%s", folder, usage_name);
  const size_t usage = number_in(path, NULL);
  snprintf(path, sizeof path, "%s/memory.stat", folder);
  const size_t droppable = number_in(path, droppable_name);
  if (usage == SIZE_MAX) return SIZE_MAX;
  return less(limit, droppable == SIZE_MAX ? usage : less(usage, droppable));
}

/* This process's cgroup and those above it (cgroup 2). */
static size_t groups_room(void) {
  static const char top[] = "/sys/fs/cgroup";
  tg_buffer own = {0};
  size_t room = SIZE_MAX;
  if (tg_read_file("/proc/self/cgroup", LIMIT, false, &own, NULL) == T5GIST_OK && own.size > 0) {
    const char *entry = strstr(own.data, "0::/");
    char path[4096];
    const int length = entry ? snprintf(path, sizeof path, "%s%.*s", top, (int)strcspn(entry + 3, "\n"), entry + 3) : -1;
    for (size_t n = length > 0 ? strlen(path) : 0; n > strlen(top); n = strlen(path)) {
      room = least(room, group_room(path, "memory.max", "memory.current", "inactive_file "));
      *strrchr(path, '/') = '\0';
    }
  }
  tg_buffer_free(&own);
  /* as containers see their own: cgroup 2 in its own namespace, and cgroup 1 */
  room = least(room, group_room(top, "memory.max", "memory.current", "inactive_file "));
  return least(room, group_room("/sys/fs/cgroup/memory", "memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file "));
}

static size_t address_room(void) {
  struct rlimit limit;
  if (getrlimit(RLIMIT_AS, &limit) || limit.rlim_cur == RLIM_INFINITY) return SIZE_MAX;
  const size_t pages = number_in("/proc/self/statm", NULL), page = (size_t)sysconf(_SC_PAGESIZE);
  return pages == SIZE_MAX ? SIZE_MAX : less(limit.rlim_cur, pages * page);
}

size_t tg_memory_room(void) {
  const size_t kilobytes = number_in("/proc/meminfo", "MemAvailable:");
  const size_t machine = kilobytes >= SIZE_MAX / 1024 ? SIZE_MAX : kilobytes * 1024;
  return least(machine, least(groups_room(), address_room()));
}
