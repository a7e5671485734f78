/* Lines of a file or a pipe. Read with poll and read(2), because stdio cannot tell whether a read would wait. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "cli/run.h"

enum { CHUNK = 1 << 16 };

t5gist_status tg_lines_open(const char *path, tg_lines *lines, t5gist_error *err) {
  const bool standard = !strcmp(path, "-");
  *lines = (tg_lines){.name = standard ? "standard input" : path, .fd = standard ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC)};
  return lines->fd < 0 ? tg_fail_errno(err, "%s", lines->name) : T5GIST_OK;
}

void tg_lines_close(tg_lines *lines) {
  if (lines->fd > STDIN_FILENO) close(lines->fd);
  tg_buffer_free(&lines->buffer);
}

/* Appends what one read gives. */
static t5gist_status read_more(tg_lines *lines, t5gist_error *err) {
  char chunk[CHUNK];
  ssize_t n;
  do n = read(lines->fd, chunk, sizeof chunk);
  while (n < 0 && errno == EINTR);
  if (n < 0) return tg_fail_errno(err, "%s", lines->name);
  if (n == 0) {
    lines->ended = true;
    return T5GIST_OK;
  }
  tg_buffer *b = &lines->buffer;
  if (lines->begin > 0) { /* bring what is left of the last read to the front */
    memmove(b->data, b->data + lines->begin, b->size - lines->begin);
    b->size -= lines->begin;
    lines->scanned -= lines->begin;
    lines->begin = 0;
  }
  return tg_buffer_append(b, chunk, (size_t)n, err);
}

static bool readable(int fd) {
  struct pollfd p = {.fd = fd, .events = POLLIN};
  return poll(&p, 1, 0) > 0;
}

/* Takes a line of which the buffer holds `length` bytes, `taken` with its line end. */
static void take(tg_lines *lines, size_t length, size_t taken, tg_line *line) {
  static char nothing[1];
  *line = (tg_line){.text = nothing, .index = lines->count++, .too_long = lines->skipping || length > TG_CLI_TEXT_LIMIT};
  if (!line->too_long) {
    line->text = lines->buffer.data + lines->begin;
    line->length = length;
    line->text[length] = 0; /* over the line end, or the buffer's own NUL */
  }
  lines->skipping = false;
  lines->scanned = lines->begin += taken;
}

t5gist_status tg_lines_next(tg_lines *lines, bool wait, tg_line *line, tg_line_state *state, t5gist_error *err) {
  tg_buffer *b = &lines->buffer;
  *state = TG_LINE_READY;
  for (;;) {
    const char *end = b->size > lines->scanned ? memchr(b->data + lines->scanned, '\n', b->size - lines->scanned) : NULL;
    if (end) {
      const size_t length = (size_t)(end - b->data) - lines->begin;
      take(lines, length, length + 1, line);
      return T5GIST_OK;
    }
    lines->scanned = b->size;
    if (b->size - lines->begin > TG_CLI_TEXT_LIMIT) { /* keep nothing of it but the fact */
      lines->skipping = true;
      lines->begin = b->size;
    }
    if (lines->ended) {
      const size_t length = b->size - lines->begin;
      if (length > 0 || lines->skipping)
        take(lines, length, length, line);
      else
        *state = TG_LINE_END;
      return T5GIST_OK;
    }
    if (!wait && !readable(lines->fd)) {
      *state = TG_LINE_LATER;
      return T5GIST_OK;
    }
    TG_TRY(read_more(lines, err));
  }
}
