/* Scores pairs of texts for tests/golden/compare_rouge.py: one JSON object {"reference", "answer"} per line in, nine numbers per line out: precision,
 * recall and F1 of ROUGE-1, ROUGE-2 and ROUGE-L. */
#include <stdio.h>
#include <stdlib.h>

#include "measure/rouge.h"
#include "runtime/error.h"
#include "runtime/json.h"

static t5gist_status score_line(const char *line, size_t n, const char *where, t5gist_error *err) {
  json_t *pair = NULL;
  const char *reference = "", *answer = "";
  tg_rouge r;
  t5gist_status status = T5GIST_OK;
  TG_GOTO(tg_json_parse(line, n, where, &pair, err));
  TG_GOTO(tg_json_string(pair, "reference", where, &reference, err));
  TG_GOTO(tg_json_string(pair, "answer", where, &answer, err));
  TG_GOTO(tg_rouge_compute(reference, answer, &r, err));
  const tg_rouge_score *scores[] = {&r.rouge1, &r.rouge2, &r.rougeL};
  for (int i = 0; i < 3; i++) printf("%s%.17g %.17g %.17g", i ? " " : "", scores[i]->precision, scores[i]->recall, scores[i]->f1);
  putchar('\n');
done:
  json_decref(pair);
  return status;
}

int main(void) {
  char *line = NULL, where[32];
  size_t capacity = 0;
  ssize_t n;
  t5gist_error err;
  for (int number = 1; (n = getline(&line, &capacity, stdin)) >= 0; number++) {
    snprintf(where, sizeof where, "line %d", number);
    if (score_line(line, (size_t)n, where, &err) != T5GIST_OK) {
      fprintf(stderr, "rouge_lines: %s\n", err.message);
      return 1;
    }
  }
  free(line);
  return ferror(stdin) || fflush(stdout) != 0;
}
