#include "training/texts.h"

#include <string.h>

#include "runtime/error.h"
#include "runtime/file.h"
#include "runtime/json.h"
#include "runtime/memory.h"
#include "runtime/records.h"
#include "runtime/text.h"
#include "training/vocabulary.h"

enum { MAX_TEXTS = 1 << 30, N_FIELDS = 3 };

typedef struct corpus {
  const tg_recipe *recipe;
  size_t file;         /* the next of vocab.texts */
  bool data_read;      /* data.train was opened */
  tg_records *records; /* of the file at hand; null: none */
  const json_t *record;
  int field;        /* the next of the record */
  tg_buffer buffer; /* the text that was given last */
} corpus;

/* The text in its template's place: the template's words belong to what the model will read. */
static t5gist_status fill(corpus *c, const char *template, const char *placeholder, const char *text, t5gist_error *err) {
  const char *at = template ? strstr(template, placeholder) : NULL;
  c->buffer.size = 0;
  if (!at) return tg_buffer_append(&c->buffer, text, strlen(text), err);
  TG_TRY(tg_buffer_append(&c->buffer, template, (size_t)(at - template), err));
  TG_TRY(tg_buffer_append(&c->buffer, text, strlen(text), err));
  return tg_buffer_append(&c->buffer, at + strlen(placeholder), strlen(at + strlen(placeholder)), err);
}

/* The next field of the record that has a text, in the buffer; *found: there was one. */
static t5gist_status next_field(corpus *c, bool *found, t5gist_error *err) {
  const tg_recipe *r = c->recipe;
  const char *const names[N_FIELDS] = {r->task_field, r->input_field, r->target_field}, *const placeholders[N_FIELDS] = {"{task}", "{input}", ""};
  const char *const templates[N_FIELDS] = {r->template_task ? r->template_task : "Instruction: {task}",
                                           r->template_input ? r->template_input : "Input: {input}", NULL};
  *found = false;
  while (c->record && c->field < N_FIELDS && !*found) {
    const int i = c->field++;
    const char *text = json_string_value(json_object_get(c->record, names[i]));
    *found = text && *text;
    if (*found) TG_TRY(fill(c, templates[i], placeholders[i], text, err));
  }
  return T5GIST_OK;
}

/* Opens the next file: examples as records, anything else whole in the buffer (*plain). *ended: there is none. */
static t5gist_status next_file(corpus *c, bool *plain, bool *ended, t5gist_error *err) {
  const tg_strings *files = &c->recipe->vocab_texts;
  const char *path = files->count > 0 ? (c->file < files->count ? files->items[c->file++] : NULL) : c->data_read ? NULL : c->recipe->train;
  c->data_read = true;
  *plain = false;
  *ended = !path;
  if (!path) return T5GIST_OK;
  if (path == c->recipe->train || tg_ends_with(path, ".jsonl") || tg_ends_with(path, ".json")) return tg_records_open(path, MAX_TEXTS, &c->records, err);
  *plain = true;
  c->buffer.size = 0;
  return tg_read_file(path, MAX_TEXTS, false, &c->buffer, err);
}

/* The next record; a bad one is passed over here: the reading of the data reports it. */
static t5gist_status next_record(corpus *c, t5gist_error *err) {
  t5gist_status status;
  do status = tg_records_next(c->records, &c->record, err);
  while (status == T5GIST_EFORMAT);
  c->field = 0;
  if (status == T5GIST_OK && !c->record) {
    tg_records_close(c->records);
    c->records = NULL;
  }
  return status;
}

static t5gist_status next_text(void *user, const char **text, size_t *n, t5gist_error *err) {
  corpus *c = user;
  bool found = false, ended = false;
  while (!found && !ended) {
    TG_TRY(next_field(c, &found, err));
    if (found) break;
    if (c->records)
      TG_TRY(next_record(c, err));
    else
      TG_TRY(next_file(c, &found, &ended, err));
  }
  *text = found ? c->buffer.data : NULL;
  *n = found ? c->buffer.size : 0;
  return T5GIST_OK;
}

t5gist_status tg_texts_vocabulary(const tg_recipe *r, const char *dir, t5gist_error *err) {
  corpus c = {.recipe = r};
  const tg_vocabulary_options options = {.size = r->vocab_size,
                                         .coverage = r->vocab_coverage,
                                         .bytes = r->vocab_bytes,
                                         .split_digits = r->vocab_split_digits,
                                         .user_pieces = (const char *const *)r->vocab_pieces.items,
                                         .n_user_pieces = r->vocab_pieces.count,
                                         .max_sentences = (size_t)r->vocab_sentences,
                                         .seed = r->seed};
  char *path;
  TG_TRY(tg_path_join(&path, dir, "spiece.model", err));
  t5gist_status status = tg_vocabulary_train(&options, next_text, &c, path, err);
  if (status) status = tg_error_context(err, status, "vocab: ");
  tg_records_close(c.records);
  tg_buffer_free(&c.buffer);
  tg_free(path);
  return status;
}
