/* Compresses a task, keeps it in a file, and answers inputs with it: everything a program needs, on the public header alone.
 *
 *     cc answer.c $(pkg-config --cflags --libs t5gist) -o answer
 *     ./answer models/mini "Translate to German." "house, water" "bread, milk" */
#include <stdio.h>
#include <stdlib.h>

#include <t5gist/t5gist.h>

static int report(const t5gist_error *err) {
  fprintf(stderr, "answer: %s\n", err->message);
  return EXIT_FAILURE;
}

/* Compresses the task and writes it to path; every later run could begin with the file. */
static t5gist_status compress(t5gist_session *session, const char *task, const char *path, t5gist_error *err) {
  t5gist_gist *gist;
  t5gist_status status = t5gist_encode(session, task, T5GIST_UNSET, &gist, err);
  if (status != T5GIST_OK) return status;
  status = t5gist_gist_save(gist, path, T5GIST_PAYLOAD_F32, true, err);
  t5gist_gist_free(gist);
  return status;
}

/* Answers all inputs in one batch; each answer has an error of its own. */
static t5gist_status answer_all(t5gist_session *session, const t5gist_gist *gist, char **inputs, size_t n, t5gist_error *err) {
  t5gist_request *requests = calloc(n, sizeof *requests);
  t5gist_answer *answers = calloc(n, sizeof *answers);
  for (size_t i = 0; requests && i < n; i++) {
    t5gist_request_init(&requests[i]);
    requests[i].gist = gist;
    requests[i].input = inputs[i];
    requests[i].options.max_new_tokens = 64;
  }
  t5gist_status status = requests && answers ? t5gist_generate(session, requests, n, answers, err) : T5GIST_ENOMEM;
  for (size_t i = 0; status == T5GIST_OK && i < n; i++) {
    const t5gist_answer *a = &answers[i];
    if (a->error.status != T5GIST_OK)
      printf("error: %s\n", a->error.message);
    else
      printf("%s\n", a->text);
    t5gist_answer_clear(&answers[i]);
  }
  free(requests);
  free(answers);
  return status;
}

static t5gist_status run(t5gist_session *session, const t5gist_model *model, char **arguments, int n, t5gist_error *err) {
  const char *task = arguments[0], *path = "answer.gist";
  t5gist_gist *gist;
  t5gist_status status = compress(session, task, path, err);
  if (status != T5GIST_OK) return status;
  status = t5gist_gist_open(model, path, &gist, err);
  if (status != T5GIST_OK) return status;
  t5gist_gist_info info;
  t5gist_gist_describe(gist, &info);
  fprintf(stderr, "%d tokens of task compressed into %d gist tokens: %s\n", info.n_task, info.n_gist, path);
  status = answer_all(session, gist, arguments + 1, (size_t)n - 1, err);
  t5gist_gist_free(gist);
  return status;
}

int main(int argc, char **argv) {
  t5gist_error err = {T5GIST_OK, "not enough memory"};
  t5gist_model *model;
  t5gist_session *session;
  if (argc < 4) {
    fprintf(stderr, "usage: answer MODEL_DIR TASK INPUT...\n");
    return 2;
  }
  if (t5gist_model_open(argv[1], NULL, &model, &err) != T5GIST_OK) return report(&err);
  t5gist_status status = t5gist_session_new(model, &session, &err);
  if (status == T5GIST_OK) {
    status = run(session, model, argv + 2, argc - 2, &err);
    t5gist_session_free(session);
  }
  t5gist_model_close(model);
  return status == T5GIST_OK ? EXIT_SUCCESS : report(&err);
}
