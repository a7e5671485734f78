/* Group fixtures: one scratch folder for all tests of a program. For the program's own source alone. */
#ifndef T5GIST_TESTS_ONE_FOLDER_H
#define T5GIST_TESTS_ONE_FOLDER_H

#include "tests/support/folder.h"

static char *folder;

static int make_folder(void **state) {
  (void)state;
  folder = folder_new(TEST_BINARY_DIR);
  return 0;
}

static int drop_folder(void **state) {
  (void)state;
  folder_remove(folder);
  return 0;
}

#endif
