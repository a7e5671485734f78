/* libFuzzer's entry: T5GIST_FORMAT names the format. Half of the changes are libFuzzer's own, guided by coverage, half are ours. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hostile.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t capacity, unsigned seed);
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t capacity);

static const hostile_format *format;

int LLVMFuzzerInitialize(int *argc, char ***argv) {
  const char *name = getenv("T5GIST_FORMAT");
  (void)argc, (void)argv;
  format = name ? hostile_find(name) : NULL;
  if (!format) {
    fprintf(stderr, "hostile: T5GIST_FORMAT must name a format, found %s\n", name ? name : "nothing");
    exit(2);
  }
  hostile_open(format);
  atexit(hostile_close);
  return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  t5gist_error err;
  (void)hostile_run(format, data, size, &err);
  return 0;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t capacity, unsigned seed) {
  if (seed % 2) return hostile_mutate(format, data, size, capacity, NULL, 0, seed);
  size = LLVMFuzzerMutate(data, size, capacity);
  if (format->repair && seed % 16) format->repair(data, size);
  return size;
}
