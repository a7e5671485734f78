/* Mapping, reading, atomic writing, and SHA-256. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "runtime/error.h"
#include "runtime/file.h"
#include "runtime/folder.h"
#include "runtime/hash.h"
#include "tests/support/one_folder.h"
#include "tests/support/inject.h"

static const char *in_folder(const char *name) {
  return folder_path(folder, name);
}

static const char *write_there(const char *name, const void *data, size_t n) {
  folder_write(folder, name, data, n);
  return in_folder(name);
}

/* Files in the folder, hidden ones included. */
static int count_there(void) {
  DIR *list = opendir(folder);
  int n = 0;
  for (struct dirent *e; list && (e = readdir(list));) n += strcmp(e->d_name, ".") && strcmp(e->d_name, "..");
  if (list) closedir(list);
  return n;
}

static void assert_content(const char *path, const char *expected) {
  tg_buffer buffer = {0};
  assert_int_equal(tg_read_file(path, 1 << 20, false, &buffer, NULL), T5GIST_OK);
  assert_string_equal(buffer.data, expected);
  tg_buffer_free(&buffer);
}

static void files_are_mapped_and_read_whole(void **state) {
  (void)state;
  char data[200001];
  for (size_t i = 0; i < sizeof data; i++) data[i] = (char)(i * i >> 3);
  const char *path = write_there("data", data, sizeof data);
  tg_map map;
  assert_int_equal(tg_map_open(path, &map, NULL), T5GIST_OK);
  assert_int_equal(map.size, sizeof data);
  assert_memory_equal(map.data, data, sizeof data);
  tg_map_release(map.data + 5, map.size - 5);
  tg_map_release(map.data + 1, 1);
  assert_memory_equal(map.data, data, sizeof data);
  tg_map_close(&map);
  assert_null(map.data);

  tg_buffer buffer = {0};
  t5gist_error err;
  assert_int_equal(tg_read_file(path, sizeof data, false, &buffer, &err), T5GIST_OK);
  assert_int_equal(buffer.size, sizeof data);
  assert_memory_equal(buffer.data, data, sizeof data);
  tg_buffer_free(&buffer);
  assert_int_equal(tg_read_file(path, sizeof data - 1, false, &buffer, &err), T5GIST_EFORMAT);
  assert_non_null(strstr(err.message, "data: expected at most 200000 bytes"));
  tg_buffer_free(&buffer);

  path = write_there("empty", "", 0);
  assert_int_equal(tg_map_open(path, &map, NULL), T5GIST_OK);
  assert_null(map.data);
  assert_int_equal(map.size, 0);
  tg_map_close(&map);
  assert_int_equal(tg_read_file(path, 0, false, &buffer, &err), T5GIST_OK);
  assert_string_equal(buffer.data, "");
  tg_buffer_free(&buffer);
  unlink(path);
  unlink(in_folder("data"));
}

static void what_is_no_file_is_refused(void **state) {
  (void)state;
  tg_map map;
  tg_buffer buffer = {0};
  t5gist_error err;
  assert_int_equal(tg_map_open(in_folder("."), &map, &err), T5GIST_EIO);
  assert_non_null(strstr(err.message, "expected a regular file, found a directory"));
  assert_int_equal(tg_map_open("/dev/zero", &map, &err), T5GIST_EIO);
  assert_non_null(strstr(err.message, "/dev/zero: expected a regular file, found a device"));
  const char *fifo = in_folder("fifo");
  assert_int_equal(mkfifo(fifo, 0600), 0);
  assert_int_equal(tg_map_open(fifo, &map, &err), T5GIST_EIO); /* and does not wait for a writer */
  assert_non_null(strstr(err.message, "found a FIFO"));
  unlink(fifo);
  assert_int_equal(tg_map_open(in_folder("absent"), &map, &err), T5GIST_EIO);
  assert_non_null(strstr(err.message, "absent: No such file or directory"));
  assert_int_equal(tg_read_file(in_folder("."), 100, false, &buffer, &err), T5GIST_EIO);
  assert_non_null(strstr(err.message, "found a directory"));
  assert_int_equal(tg_read_file("/dev/zero", 100000, false, &buffer, &err), T5GIST_EFORMAT); /* endless */
  tg_buffer_free(&buffer);
  assert_false(tg_file_exists(in_folder(".")));
  assert_false(tg_file_exists(in_folder("absent")));
}

static void standard_input_is_read_where_allowed(void **state) {
  (void)state;
  int ends[2];
  const int saved = dup(STDIN_FILENO);
  assert_int_equal(pipe(ends), 0);
  assert_int_equal(write(ends[1], "from a pipe", 11), 11);
  close(ends[1]);
  dup2(ends[0], STDIN_FILENO);
  close(ends[0]);
  tg_buffer buffer = {0};
  assert_int_equal(tg_read_file("-", 100, true, &buffer, NULL), T5GIST_OK);
  assert_string_equal(buffer.data, "from a pipe");
  tg_buffer_free(&buffer);
  t5gist_error err;
  assert_int_equal(tg_read_file("-", 100, false, &buffer, &err), T5GIST_EIO); /* a file of that name, which is not there */
  tg_buffer_free(&buffer);
  if (saved >= 0) dup2(saved, STDIN_FILENO), close(saved);
}

static void paths_are_joined_and_made(void **state) {
  (void)state;
  const char *const cases[][3] = {{"a", "b", "a/b"}, {"a/", "b", "a/b"}, {"/", "b", "/b"}, {"", "b", "b"}};
  for (size_t i = 0; i < 4; i++) {
    char *path;
    assert_int_equal(tg_path_join(&path, cases[i][0], cases[i][1], NULL), T5GIST_OK);
    assert_string_equal(path, cases[i][2]);
    tg_free(path);
  }
  const char *const above[][2] = {{"a/b", "a/"}, {"a/b/", "a/"}, {"/a", "/"}, {"/", "/"}, {"a", "."}, {"a//", "."}, {"", "."}};
  for (size_t i = 0; i < sizeof above / sizeof *above; i++) {
    char *path;
    assert_int_equal(tg_path_above(&path, above[i][0], NULL), T5GIST_OK);
    assert_string_equal(path, above[i][1]);
    tg_free(path);
  }
  const char *deep = in_folder("x/y//z/");
  assert_int_equal(tg_make_dirs(deep, NULL), T5GIST_OK);
  assert_int_equal(tg_make_dirs(deep, NULL), T5GIST_OK);
  assert_int_equal(access(in_folder("x/y/z"), F_OK), 0);
  t5gist_error err;
  write_there("x/file", "", 0);
  assert_int_equal(tg_make_dirs(in_folder("x/file/z"), &err), T5GIST_EIO);
  assert_non_null(strstr(err.message, "x/file: found a file there"));
  unlink(in_folder("x/file"));
  rmdir(in_folder("x/y/z"));
  rmdir(in_folder("x/y"));
  rmdir(in_folder("x"));
}

static mode_t mode_of(const char *path) {
  struct stat info;
  assert_int_equal(stat(path, &info), 0);
  return info.st_mode & 07777;
}

static void a_commit_replaces_and_an_abort_does_not(void **state) {
  (void)state;
  const char *path = in_folder("out");
  const mode_t mask = umask(027);
  tg_writer *writer;
  assert_int_equal(tg_writer_open(path, 0666, &writer, NULL), T5GIST_OK);
  assert_int_equal(tg_writer_write(writer, "old", 3, NULL), T5GIST_OK);
  assert_false(tg_file_exists(path));
  assert_int_equal(tg_writer_commit(writer, NULL), T5GIST_OK);
  assert_content(path, "old");
  assert_int_equal(mode_of(path), 0640);
  umask(mask);

  chmod(path, 0606);
  assert_int_equal(tg_writer_open(path, 0666, &writer, NULL), T5GIST_OK);
  assert_int_equal(tg_writer_write(writer, "new", 3, NULL), T5GIST_OK);
  assert_content(path, "old");
  assert_int_equal(count_there(), 2); /* the temporary stands beside it */
  tg_writer_abort(writer);
  assert_content(path, "old");
  assert_int_equal(count_there(), 1);
  assert_int_equal(tg_write_file(path, 0600, "newer", 5, NULL), T5GIST_OK);
  assert_content(path, "newer");
  assert_int_equal(mode_of(path), 0606); /* kept */
  tg_writer_abort(NULL);

  const char *link = in_folder("link");
  assert_int_equal(symlink("out", link), 0);
  assert_int_equal(tg_write_file(link, 0600, "through", 7, NULL), T5GIST_OK);
  assert_content(path, "through");
  struct stat info;
  assert_int_equal(lstat(link, &info), 0);
  assert_true(S_ISLNK(info.st_mode));
  unlink(link);
  unlink(path);
  assert_int_equal(count_there(), 0);
}

static void many_pieces_of_all_sizes_arrive(void **state) {
  (void)state;
  const size_t sizes[] = {0, 1, 7, 4096, 65537, (1 << 20) - 1, 1 << 20, (1 << 20) + 1, 3 << 20};
  unsigned char *data;
  assert_int_equal(tg_alloc(&data, 3 << 20, 1, NULL), T5GIST_OK);
  for (size_t i = 0; i < 3 << 20; i++) data[i] = (unsigned char)(i * 2654435761u >> 13);
  const char *path = in_folder("pieces");
  tg_writer *writer;
  tg_sha256 hash;
  char written[TG_SHA256_HEX], found[TG_SHA256_HEX];
  tg_sha256_begin(&hash);
  assert_int_equal(tg_writer_open(path, 0600, &writer, NULL), T5GIST_OK);
  for (int i = 0; i < 40; i++) {
    const size_t n = sizes[i * 5 % 9];
    assert_int_equal(tg_writer_write(writer, data, n, NULL), T5GIST_OK);
    tg_sha256_add(&hash, data, n);
  }
  assert_int_equal(tg_writer_commit(writer, NULL), T5GIST_OK);
  tg_sha256_end(&hash, written);
  tg_map map;
  assert_int_equal(tg_map_open(path, &map, NULL), T5GIST_OK);
  tg_sha256_hex(map.data, map.size, found);
  assert_string_equal(found, written);
  tg_map_close(&map);
  tg_free(data);
  unlink(path);
}

static void places_that_cannot_be_written_are_named(void **state) {
  (void)state;
  tg_writer *writer;
  t5gist_error err;
  assert_int_equal(tg_writer_open(in_folder("no/such"), 0600, &writer, &err), T5GIST_EIO);
  assert_non_null(strstr(err.message, "no/such: No such file or directory"));
  assert_int_equal(tg_writer_open(in_folder("."), 0600, &writer, &err), T5GIST_EIO);
  assert_non_null(strstr(err.message, "expected a file, found a directory"));
  assert_int_equal(tg_write_file("/dev/null", 0600, "x", 1, &err), T5GIST_OK);
  struct stat info;
  assert_int_equal(stat("/dev/null", &info), 0);
  assert_true(S_ISCHR(info.st_mode)); /* not replaced by a file */
  assert_int_equal(tg_write_file("/dev/full", 0600, "x", 1, &err), T5GIST_EIO);
  assert_string_equal(err.message, "cannot write /dev/full: No space left on device");
}

/* What is being written is told from what was left over by its lock, not by a process's number, which means nothing in another container. */
static void temporaries_left_over(void **state) {
  (void)state;
  const char *dir = folder, *path = in_folder("out");
  tg_strings names = {0};
  tg_writer *writer;
  assert_int_equal(symlink("elsewhere", path), 0);
  assert_int_equal(tg_writer_open_tended(path, 0600, &writer, NULL), T5GIST_OK);
  assert_int_equal(tg_folder_list(dir, &names, NULL), T5GIST_OK);
  assert_int_equal(names.count, 2);
  const char *temporary = names.items[0];
  assert_int_equal(strlen(temporary), strlen(".tmp.0123456789abcdef"));
  assert_false(tg_temporary_is_left(dir, temporary));
  assert_int_equal(tg_temporary_remove(dir, temporary, NULL), T5GIST_OK);
  assert_int_equal(access(in_folder(temporary), F_OK), 0);
  assert_int_equal(tg_writer_write(writer, "new", 3, NULL), T5GIST_OK);
  assert_int_equal(tg_writer_sync(writer, NULL), T5GIST_OK);
  assert_false(tg_temporary_is_left(dir, temporary)); /* until it has its name */
  assert_int_equal(tg_writer_rename(writer, NULL), T5GIST_OK);
  assert_content(path, "new");
  assert_int_equal(tg_writer_commit(writer, NULL), T5GIST_OK);
  struct stat info;
  assert_int_equal(lstat(path, &info), 0);
  assert_true(S_ISREG(info.st_mode)); /* the link was replaced */
  tg_strings_clear(&names);
  unlink(path);

  static const char *const left[] = {".tmp.0123456789abcdef", ".tmp.1.0123456789abcdef"};
  static const char *const foreign[] = {
      ".tmp.0123456789abcde", ".tmp.0123456789abcdef0", ".tmp.x.0123456789abcdef", ".tmp..0123456789abcdef", ".tmp.x", "tmp"};
  for (size_t i = 0; i < sizeof left / sizeof *left; i++) {
    write_there(left[i], "", 0);
    assert_true(tg_temporary_is_left(dir, left[i]));
    assert_int_equal(tg_temporary_remove(dir, left[i], NULL), T5GIST_OK);
    assert_int_equal(access(in_folder(left[i]), F_OK), -1);
    assert_false(tg_temporary_is_left(dir, left[i]));
  }
  for (size_t i = 0; i < sizeof foreign / sizeof *foreign; i++) {
    write_there(foreign[i], "", 0);
    assert_false(tg_temporary_is_left(dir, foreign[i]));
    assert_int_equal(tg_temporary_remove(dir, foreign[i], NULL), T5GIST_OK);
    assert_int_equal(unlink(in_folder(foreign[i])), 0);
  }
  assert_int_equal(symlink("/dev/null", in_folder(left[0])), 0);
  assert_false(tg_temporary_is_left(dir, left[0]));
  unlink(in_folder(left[0]));
  assert_int_equal(count_there(), 0);
}

/* Where a file system has no locks, age tells: an hour. */
static void without_locks_age_tells(void **state) {
  (void)state;
  const char *name = ".tmp.0123456789abcdef", *dir = folder;
  const struct timespec old[2] = {{time(NULL) - 3700, 0}, {time(NULL) - 3700, 0}};
  const char *path = write_there(name, "", 0);
  inject_io(1 << TG_IO_LOCK, 1, true, INJECT_EIO);
  assert_int_equal(tg_write_file(in_folder("out"), 0600, "new", 3, NULL), T5GIST_OK);
  assert_false(tg_temporary_is_left(dir, name));
  assert_int_equal(utimensat(AT_FDCWD, path, old, 0), 0);
  assert_true(tg_temporary_is_left(dir, name));
  assert_int_equal(tg_temporary_remove(dir, name, NULL), T5GIST_OK);
  assert_int_equal(inject_stop().failed, 4);
  unlink(in_folder("out"));
  assert_int_equal(count_there(), 0);
}

/* Several files that belong together: once all are on disk, only renaming is left. */
static void what_is_synced_is_renamed_later(void **state) {
  (void)state;
  const char *path = write_there("out", "old", 3);
  tg_writer *writer;
  for (int kept = 0; kept < 2; kept++) {
    assert_int_equal(tg_writer_open(path, 0666, &writer, NULL), T5GIST_OK);
    assert_int_equal(tg_writer_write(writer, "new", 3, NULL), T5GIST_OK);
    assert_int_equal(tg_writer_sync(writer, NULL), T5GIST_OK);
    assert_content(path, "old");
    if (kept)
      assert_int_equal(tg_writer_commit(writer, NULL), T5GIST_OK);
    else
      tg_writer_abort(writer);
    assert_content(path, kept ? "new" : "old");
    assert_int_equal(count_there(), 1);
  }
  unlink(path);
}

static void only_empty_directories_are_removed(void **state) {
  (void)state;
  const char *dir = in_folder("dir");
  t5gist_error err;
  assert_int_equal(tg_make_dirs(dir, NULL), T5GIST_OK);
  assert_int_equal(tg_dir_sync(dir, NULL), T5GIST_OK);
  const char *file = write_there("dir/file", "x", 1);
  assert_int_equal(tg_dir_remove(dir, NULL), T5GIST_OK);
  assert_content(file, "x");
  assert_int_equal(tg_dir_remove(file, &err), T5GIST_EIO);
  assert_non_null(strstr(err.message, "cannot remove the directory"));
  unlink(file);
  assert_int_equal(tg_dir_remove(dir, NULL), T5GIST_OK);
  assert_int_equal(count_there(), 0);
  assert_int_equal(tg_dir_remove(dir, NULL), T5GIST_OK);
  assert_int_equal(tg_dir_sync(dir, NULL), T5GIST_EIO);
}

/* A limit on the file's size stands in for a full disk. */
static void a_full_disk_leaves_the_old_file(void **state) {
  (void)state;
  const char *path = write_there("kept", "old", 3);
  struct rlimit before, small = {.rlim_cur = 1 << 16, .rlim_max = RLIM_INFINITY};
  getrlimit(RLIMIT_FSIZE, &before);
  small.rlim_max = before.rlim_max;
  void (*handler)(int) = signal(SIGXFSZ, SIG_IGN);
  assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
  static char data[1 << 17];
  t5gist_error err;
  const t5gist_status at_commit = tg_write_file(path, 0600, data, sizeof data, &err);
  tg_writer *writer = NULL;
  t5gist_status opened = tg_writer_open(path, 0600, &writer, NULL), at_write = T5GIST_OK, later = T5GIST_OK;
  for (int i = 0; !opened && !at_write && i < 32; i++) at_write = tg_writer_write(writer, data, sizeof data, NULL);
  if (!opened) later = tg_writer_commit(writer, NULL);
  setrlimit(RLIMIT_FSIZE, &before);
  signal(SIGXFSZ, handler);
  assert_int_equal(at_commit, T5GIST_EIO);
  assert_non_null(strstr(err.message, "kept: File too large"));
  assert_int_equal(opened, T5GIST_OK);
  assert_int_equal(at_write, T5GIST_EIO);
  assert_int_equal(later, T5GIST_EIO); /* what follows a failed write cannot be committed */
  assert_content(path, "old");
  assert_int_equal(count_there(), 1);
  unlink(path);
}

static void a_signal_can_remove_all_temporaries(void **state) {
  (void)state;
  tg_writer *writers[16];
  t5gist_error err;
  for (int round = 0; round < 2; round++) { /* the second: every place was given back */
    for (int i = 0; i < 16; i++) assert_int_equal(tg_writer_open(in_folder("same"), 0600, &writers[i], &err), T5GIST_OK);
    tg_writer *one_more;
    assert_int_equal(tg_writer_open(in_folder("same"), 0600, &one_more, &err), T5GIST_EIO);
    assert_non_null(strstr(err.message, "at most 16 files"));
    assert_int_equal(count_there(), 16);
    tg_writer_cleanup_on_signal();
    assert_int_equal(count_there(), 0);
    for (int i = 0; i < 16; i++) tg_writer_abort(writers[i]);
  }
  assert_int_equal(tg_write_file(in_folder("same"), 0600, "x", 1, NULL), T5GIST_OK);
  tg_writer_cleanup_on_signal();
  assert_content(in_folder("same"), "x"); /* a committed file is no temporary */
  unlink(in_folder("same"));
}

static void appending_adds_to_what_is_there(void **state) {
  (void)state;
  tg_appender *appender;
  t5gist_error err = {0};
  for (int round = 0; round < 2; round++) {
    assert_int_equal(tg_appender_open(folder_path(folder, "log"), 0666, &appender, &err), T5GIST_OK);
    assert_int_equal(tg_appender_write(appender, "one\n", 4, &err), T5GIST_OK);
    assert_int_equal(tg_appender_write(appender, "", 0, &err), T5GIST_OK);
    assert_content(folder_path(folder, "log"), round ? "one\none\n" : "one\n"); /* there before it is closed */
    tg_appender_close(appender);
  }
  assert_int_equal(tg_appender_open(folder_path(folder, "absent/log"), 0666, &appender, &err), T5GIST_EIO);
  assert_non_null(strstr(err.message, "absent/log"));
  assert_int_equal(tg_appender_open("/dev/full", 0666, &appender, &err), T5GIST_OK);
  assert_int_equal(tg_appender_write(appender, "x", 1, &err), T5GIST_EIO);
  assert_non_null(strstr(err.message, "cannot write /dev/full: No space left on device"));
  tg_appender_close(appender);
  tg_appender_close(NULL);
}

static void sha256_is_the_standard_one(void **state) {
  (void)state;
  char hex[TG_SHA256_HEX];
  tg_sha256_hex("", 0, hex);
  assert_string_equal(hex, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  tg_sha256 hash;
  tg_sha256_begin(&hash);
  tg_sha256_add(&hash, "a", 1);
  tg_sha256_add(&hash, "bc", 2);
  tg_sha256_end(&hash, hex);
  assert_string_equal(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(files_are_mapped_and_read_whole),         cmocka_unit_test(what_is_no_file_is_refused),
      cmocka_unit_test(standard_input_is_read_where_allowed),    cmocka_unit_test(paths_are_joined_and_made),
      cmocka_unit_test(a_commit_replaces_and_an_abort_does_not), cmocka_unit_test(many_pieces_of_all_sizes_arrive),
      cmocka_unit_test(places_that_cannot_be_written_are_named), cmocka_unit_test(a_full_disk_leaves_the_old_file),
      cmocka_unit_test(temporaries_left_over),
      cmocka_unit_test(without_locks_age_tells),
      cmocka_unit_test(what_is_synced_is_renamed_later),         cmocka_unit_test(only_empty_directories_are_removed),
      cmocka_unit_test(a_signal_can_remove_all_temporaries),     cmocka_unit_test(appending_adds_to_what_is_there),
      cmocka_unit_test(sha256_is_the_standard_one),
  };
  return cmocka_run_group_tests(tests, make_folder, drop_folder);
}
