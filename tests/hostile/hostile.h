/* Hostile files: every format that t5gist reads, with sound files to begin from and the way to the reader. A program of its own changes their bytes one
 * at a time (hostile.c), libFuzzer at length (fuzz.c); both go through hostile_run, which watches time and memory. */
#ifndef T5GIST_TESTS_HOSTILE_H
#define T5GIST_TESTS_HOSTILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "runtime/memory.h"
#include "t5gist/types.h"

typedef struct hostile_input {
  const unsigned char *data; /* [size] in a heap block of exactly that size, so that sanitizers see every read beyond */
  size_t size;
  const char *dir, *path; /* the same bytes as a file, unless the format is read from memory */
} hostile_input;

typedef struct hostile_format {
  const char *name;
  const char *file;                                                  /* name of the file in its folder; null: read from memory */
  void (*prepare)(const char *dir);                                  /* once: what else the folder must hold; null: nothing */
  bool (*seed)(int i, tg_buffer *out);                               /* sound file number i, appended to out; false: there are not so many */
  t5gist_status (*read)(const hostile_input *in, t5gist_error *err); /* reads the file and uses what it holds */
  void (*repair)(unsigned char *data, size_t size);                  /* makes lengths and checksums fit again; null: has none */
  const char *const *words;                                          /* what such a file is made of, null-terminated */
  bool sealed;                                                       /* every change must be refused */
} hostile_format;

extern const hostile_format hostile_safetensors, hostile_torch_bin, hostile_pickle, hostile_index, hostile_model;
extern const hostile_format hostile_spiece, hostile_tokenizer_json, hostile_added_tokens, hostile_tokenizer_config;
extern const hostile_format hostile_config, hostile_generation_config, hostile_yaml, hostile_records;
extern const hostile_format hostile_gist, hostile_inspect, hostile_store, hostile_store_use, hostile_shard, hostile_snapshot;
extern const hostile_format *const hostile_formats[]; /* null-terminated */
const hostile_format *hostile_find(const char *name); /* null: unknown */

/* guard.c. Bounds of one file: 2 x its size + 64 MiB of allocations, 1 s of processor time, and afterwards nothing that is still held. */
void hostile_open(const hostile_format *format);
t5gist_status hostile_run(const hostile_format *format, const void *data, size_t size, t5gist_error *err); /* a broken bound ends the program */
void hostile_close(void);
typedef struct hostile_figures {
  uint64_t runs, accepted;
  size_t most_bytes, most_beyond; /* allocated at a time; that less 2 x the file */
  double longest;                 /* seconds of processor time */
} hostile_figures;
hostile_figures hostile_seen(void);
/* What fails in the next run, and which one of them (counted from 1; 0: none): an allocation; a call on a file, with EIO, once or from then on; a read, by a
 * signal or moving half of what it could, after either of which the reader goes on. And whether the run came so far. */
typedef enum hostile_fault { HOSTILE_ALLOCATION = 0, HOSTILE_EIO, HOSTILE_EIO_LASTING, HOSTILE_EINTR, HOSTILE_SHORT, HOSTILE_FAULTS } hostile_fault;
void hostile_fail_next(hostile_fault fault, size_t n);
bool hostile_failed(void);
/* Ends the program, keeping the bytes at work. */
void hostile_fail(const char *what) __attribute__((noreturn));

/* mutate.c. Changes data [size] in place, up to capacity; returns the new size. other: another file of the format to take parts of. */
size_t hostile_mutate(const hostile_format *format, unsigned char *data, size_t size, size_t capacity, const unsigned char *other, size_t other_size,
                      uint64_t seed);

/* Helpers of the formats. They end the program where the test itself fails. */
void hostile_put(tg_buffer *out, const void *data, size_t n);
void hostile_put_text(tg_buffer *out, const char *text);
void hostile_put_file(tg_buffer *out, const char *path);
void hostile_use(const void *data, size_t n); /* reads every byte */
void hostile_use_report(const char *text, size_t n); /* what is written for a terminal: nothing in it may steer one */
/* The length of a safetensors header, made to fit what stands behind it. */
void hostile_repair_header(unsigned char *data, size_t size);

#endif
