/* Files that are small for what they ask: many tiny values, deep nesting, long runs of one opcode. Each must be refused, or be read within the memory
 * that its size justifies, in less than a second (guard.c watches both). And the largest files of good will must pass. */
#include <stdio.h>
#include <string.h>

#include "hostile.h"

static tg_buffer file;

/* head, n times part, tail. */
static void build(const char *head, const char *part, size_t n, const char *tail) {
  file.size = 0;
  hostile_put_text(&file, head);
  for (size_t i = 0; i < n; i++) hostile_put_text(&file, part);
  hostile_put_text(&file, tail);
}

static void check(const hostile_format *format, const char *what, const char *words) {
  t5gist_error err;
  const t5gist_status status = hostile_run(format, file.data, file.size, &err);
  if (words ? status == T5GIST_OK || !strstr(err.message, words) : status != T5GIST_OK) {
    fprintf(stderr, "%s: %s: expected \"%s\", found %d \"%s\"\n", format->name, what, words ? words : "no error", status, err.message);
    hostile_fail("another answer than expected");
  }
}

/* A safetensors header of text, with its length before it. */
static void frame(void) {
  const uint64_t n = file.size;
  tg_buffer framed = {0};
  hostile_put(&framed, &n, 8);
  hostile_put(&framed, file.data, file.size);
  tg_buffer_free(&file);
  file = framed;
}

static void safetensors(void) {
  static const char *const parts[] = {"0,", "[],", "{},", "\"\",", "[[[[]]]],", "{\"a\":0},"};
  hostile_open(&hostile_safetensors);
  for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
    for (size_t n = 100000; n * strlen(parts[i]) < 15 << 20; n *= 3) {
      build("{\"a\":[", parts[i], n, "0]}");
      frame();
      check(&hostile_safetensors, parts[i], n * strlen(parts[i]) > 12 << 20 ? "take at most" : "");
    }
  }
  build("{\"a\":", "[", 1 << 20, "");
  hostile_put_text(&file, "}");
  frame();
  check(&hostile_safetensors, "deep", "");
  tg_buffer_free(&file);
  hostile_close();
}

/* What is left to say of a damaged gist file is its header. */
static void inspect(void) {
  static const char *const parts[] = {"0,", "[],", "{\"a\":0},"};
  hostile_open(&hostile_inspect);
  for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
    build("{\"a\":[", parts[i], (15 << 20) / strlen(parts[i]), "0]}");
    frame();
    check(&hostile_inspect, parts[i], "");
  }
  tg_buffer_free(&file);
  hostile_close();
}

/* As many pieces as mT5 has. */
static void tokenizer_json(void) {
  hostile_open(&hostile_tokenizer_json);
  build("{\"pre_tokenizer\":{\"type\":\"Metaspace\"},\"model\":{\"type\":\"Unigram\",\"unk_id\":0,\"vocab\":[",
        "      [\n        \"\xe2\x96\x81piece\",\n        -13.0\n      ],\n", 250000, "[\"x\",0]]}}");
  check(&hostile_tokenizer_json, "as large as mT5's", "already defined"); /* read whole; the pieces are all the same */
  build("{\"model\":{\"type\":\"Unigram\",\"unk_id\":0,\"vocab\":[", "[],", 4 << 20, "[\"x\",0]]}}");
  check(&hostile_tokenizer_json, "empty lists", "take at most");
  tg_buffer_free(&file);
  hostile_close();
}

static void pickle(void) {
  static const struct {
    const char *head, *part, *words;
  } cases[] = {{"\x80\x02N", "\x85", "more than 262144 values"},
               {"\x80\x02", "N", "more than 65536 values on the stack"},
               {"\x80\x02", "(", "more than 64 marks"},
               {"\x80\x02}", "}b", "more than 262144 values"}};
  hostile_open(&hostile_pickle);
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    build(cases[i].head, cases[i].part, 2 << 20, ".");
    check(&hostile_pickle, cases[i].part, cases[i].words);
  }
  tg_buffer_free(&file);
  hostile_close();
}

static void records(void) {
  hostile_open(&hostile_records);
  build("", "\n", 1 << 19, "");
  check(&hostile_records, "empty lines", NULL);
  build("", "{}\n", 1 << 17, "");
  check(&hostile_records, "empty objects", NULL);
  build("{\"task\":\"", "0123456789abcdef", (15 << 20) / 16, "\"}");
  check(&hostile_records, "a long text", NULL);
  build("[{\"task\":\"", "\\\"]},", (15 << 20) / 5, "\"}]");
  check(&hostile_records, "a long text of a list", NULL);
  build("{\"a\":[", "[],", 5 << 20, "0]}");
  check(&hostile_records, "a line of empty lists", "take at most");
  build("[{\"a\":[", "0,", 7 << 20, "0]}]");
  check(&hostile_records, "a list with one of numbers", "take at most");
  build("[", "{},", 1 << 17, "{}]");
  check(&hostile_records, "a list of empty objects", NULL);
  build("{\"a\":\"", "0123456789abcdef", 1 << 20, "\"}\n{}");
  check(&hostile_records, "too long a line", "expected at most 16777216 bytes");
  tg_buffer_free(&file);
  hostile_close();
}

int main(void) {
  safetensors();
  inspect();
  tokenizer_json();
  pickle();
  records();
  const hostile_figures f = hostile_seen();
  printf("bombs: %llu files, longest %.0f ms, most memory 2 x file + %.1f MB\n", (unsigned long long)f.runs, f.longest * 1e3,
         (double)f.most_beyond / 1e6);
  return 0;
}
