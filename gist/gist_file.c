/* The gist file, as docs/FORMATS.md specifies it. */
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "gist/gist.h"
#include "runtime/error.h"
#include "runtime/file.h"
#include "runtime/safetensors.h"
#include "runtime/text.h"

static const char FORMAT_MARK[] = "\"format\":\"t5gist\"", CHECKSUM_MARK[] = "\"checksum\":\"";
enum { DIGITS = TG_SHA256_HEX - 1, N_PLAIN = 3, N_TENSORS = 5 };
enum { TASK_LIMIT = 48 << 10 }; /* bytes: with templates of at most 4096 each, the metadata stays within the container's 64 KiB */

static const char *const tensor_names[N_TENSORS] = {"enc.k", "enc.v", "enc.states", "cross.k", "cross.v"};

/* --------------------------------------------------------------------------------------------------------------------------- checksum */

/* Header bytes behind the length, and how many; false when the length makes no sense. */
static bool find_header(const unsigned char *data, size_t size, const unsigned char **header, size_t *n) {
  if (size < 8) return false;
  uint64_t length = 0;
  for (int i = 7; i >= 0; i--) length = length << 8 | data[i];
  if (length > size - 8) return false;
  *header = data + 8;
  *n = (size_t)length;
  return true;
}

/* Offset in the file of the checksum's 64 digits: the only place in the header where the key and 64 digits stand. 0: not there, or not once. */
static size_t find_digits(const unsigned char *data, size_t size) {
  const unsigned char *at;
  size_t n, found = 0;
  if (!find_header(data, size, &at, &n)) return 0;
  const unsigned char *const end = at + n;
  while ((at = memmem(at, (size_t)(end - at), CHECKSUM_MARK, sizeof CHECKSUM_MARK - 1)) != NULL) {
    at += sizeof CHECKSUM_MARK - 1;
    if (found || end - at < DIGITS + 1 || at[DIGITS] != '"') return 0;
    for (int i = 0; i < DIGITS; i++) {
      if (!memchr("0123456789abcdef", at[i], 16)) return 0;
    }
    found = (size_t)(at - data);
  }
  return found;
}

/* SHA-256 of the file with zeros for the digits at `at`. */
static void compute_checksum(const unsigned char *data, size_t size, size_t at, char hex[TG_SHA256_HEX]) {
  char zeros[DIGITS];
  tg_sha256 hash;
  memset(zeros, '0', sizeof zeros);
  tg_sha256_begin(&hash);
  tg_sha256_add(&hash, data, at);
  tg_sha256_add(&hash, zeros, sizeof zeros);
  tg_sha256_add(&hash, data + at + DIGITS, size - at - DIGITS);
  tg_sha256_end(&hash, hex);
}

t5gist_status tg_gist_check_bytes(const unsigned char *data, size_t size, const char *name, tg_gist_checksum *checksum, t5gist_error *err) {
  const unsigned char *header;
  size_t n;
  *checksum = (tg_gist_checksum){0};
  if (!find_header(data, size, &header, &n)) {
    return tg_fail(err, T5GIST_EFORMAT, "%s: expected a gist file, found %zu bytes whose first eight are no header length", name, size);
  }
  if (memmem(header, n, FORMAT_MARK, sizeof FORMAT_MARK - 1) == NULL) {
    return tg_fail(err, T5GIST_EFORMAT, "%s: expected a gist file, found no \"format\":\"t5gist\" in its header of %zu bytes", name, n);
  }
  const size_t at = find_digits(data, size);
  if (at == 0) return tg_fail(err, T5GIST_EFORMAT, "%s: expected one \"checksum\" of 64 digits in the header, found none or several", name);
  memcpy(checksum->stored, data + at, DIGITS);
  compute_checksum(data, size, at, checksum->computed);
  if (strcmp(checksum->stored, checksum->computed) == 0) return T5GIST_OK;
  return tg_fail(err, T5GIST_EFORMAT, "%s is damaged or cut off: expected checksum %.16s..., found %.16s... over its %zu bytes", name,
                 checksum->stored, checksum->computed, size);
}

/* ---------------------------------------------------------------------------------------------------------------------------- writing */

static const float *tensor_values(const t5gist_gist *gist, int i) {
  const float *const values[N_TENSORS] = {gist->enc_k, gist->enc_v, gist->states, gist->cross_k, gist->cross_v};
  return values[i];
}

static void describe_tensors(const t5gist_gist *gist, tg_dtype dtype, tg_tensor tensors[N_TENSORS]) {
  const size_t k = (size_t)gist->n_gist, heads = (size_t)gist->n_heads, d_kv = (size_t)gist->d_kv;
  for (int i = 0; i < N_TENSORS; i++) {
    const size_t layers = (size_t)(i < N_PLAIN ? gist->n_layers : gist->n_decoder_layers);
    const bool states = i == 2;
    tensors[i] = (tg_tensor){.name = tensor_names[i],
                             .dtype = dtype,
                             .rank = states ? 2 : 4,
                             .shape = {states ? k : layers, states ? (size_t)gist->d_model : heads, k, d_kv},
                             .count = states ? k * (size_t)gist->d_model : layers * heads * k * d_kv};
    tensors[i].bytes = tensors[i].count * tg_dtype_size(dtype);
    for (int d = tensors[i].rank; d < TG_MAX_RANK; d++) tensors[i].shape[d] = 0;
  }
}

static json_t *describe_metadata(const t5gist_gist *gist) {
  char version[16], n_gist[16], n_task[16], zeros[TG_SHA256_HEX] = {0};
  snprintf(version, sizeof version, "%d", TG_GIST_FORMAT_VERSION);
  snprintf(n_gist, sizeof n_gist, "%d", gist->n_gist);
  snprintf(n_task, sizeof n_task, "%d", gist->n_task);
  memset(zeros, '0', DIGITS);
  return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s}", "format", "t5gist", "format_version", version, "fingerprint",
                   gist->fingerprint, "template_task", gist->template_task, "template_input", gist->template_input, "condition", "gist", "n_gist",
                   n_gist, "n_task", n_task, "task", gist->task, "task_sha256", gist->task_sha256, "program_version", gist->program_version,
                   "computed_with", gist->computed_with, "checksum", zeros);
}

static t5gist_status append_values(const float *values, size_t count, tg_dtype dtype, tg_buffer *out, t5gist_error *err) {
  enum { CHUNK = 4096 };
  if (dtype == TG_F32) return tg_buffer_append(out, values, count * sizeof(float), err);
  uint16_t narrow[CHUNK];
  for (size_t done = 0; done < count; done += CHUNK) {
    const size_t n = count - done < CHUNK ? count - done : CHUNK;
    tg_narrow_bf16(values + done, n, narrow);
    TG_TRY(tg_buffer_append(out, narrow, n * sizeof *narrow, err));
  }
  return T5GIST_OK;
}

static t5gist_status write_parts(const t5gist_gist *gist, tg_dtype dtype, int n_tensors, const json_t *metadata, tg_buffer *out, t5gist_error *err) {
  tg_tensor tensors[N_TENSORS];
  describe_tensors(gist, dtype, tensors);
  TG_TRY(tg_safetensors_header(tensors, (size_t)n_tensors, metadata, out, err));
  for (int i = 0; i < n_tensors; i++) TG_TRY(append_values(tensor_values(gist, i), tensors[i].count, dtype, out, err));
  const size_t at = find_digits((const unsigned char *)out->data, out->size);
  if (at == 0) return tg_fail(err, T5GIST_EINTERNAL, "the gist file's header does not show its checksum as \"checksum\":\"...\" exactly once");
  char hex[TG_SHA256_HEX];
  compute_checksum((const unsigned char *)out->data, out->size, at, hex);
  memcpy(out->data + at, hex, DIGITS);
  return T5GIST_OK;
}

t5gist_status tg_gist_write(const t5gist_gist *gist, t5gist_payload payload, bool cross, tg_buffer *out, t5gist_error *err) {
  if (cross && gist->cross_k == NULL) {
    return tg_fail(err, T5GIST_EUSAGE, "cross: a gist file without cross-attention K and V, opened without its model, cannot be written with them");
  }
  if (strlen(gist->task) > TASK_LIMIT) {
    return tg_fail(err, T5GIST_EUNSUPPORTED, "the task: a gist file holds at most %d bytes of it, found %zu", TASK_LIMIT, strlen(gist->task));
  }
  json_t *metadata = describe_metadata(gist);
  if (metadata == NULL) return tg_fail(err, T5GIST_ENOMEM, "not enough memory to describe a gist");
  const t5gist_status status = write_parts(gist, payload == T5GIST_PAYLOAD_BF16 ? TG_BF16 : TG_F32, cross ? N_TENSORS : N_PLAIN, metadata, out, err);
  json_decref(metadata);
  return status;
}

static t5gist_status check_payload(t5gist_payload payload, t5gist_error *err) {
  if (payload == T5GIST_PAYLOAD_F32 || payload == T5GIST_PAYLOAD_BF16) return T5GIST_OK;
  return tg_fail(err, T5GIST_EUSAGE, "payload: expected T5GIST_PAYLOAD_F32 or T5GIST_PAYLOAD_BF16, found %d", (int)payload);
}

t5gist_status t5gist_gist_serialize(const t5gist_gist *gist, t5gist_payload payload, bool cross, unsigned char **bytes, size_t *n_bytes,
                                    t5gist_error *err) {
  if (gist == NULL || bytes == NULL || n_bytes == NULL)
    return tg_fail(err, T5GIST_EUSAGE, "t5gist_gist_serialize: gist, bytes and n_bytes must not be null");
  TG_TRY(check_payload(payload, err));
  tg_buffer out = {0};
  const t5gist_status status = tg_gist_write(gist, payload, cross, &out, err);
  if (status == T5GIST_OK) {
    *bytes = (unsigned char *)out.data;
    *n_bytes = out.size;
  } else {
    tg_buffer_free(&out);
  }
  return status;
}

t5gist_status t5gist_gist_save(const t5gist_gist *gist, const char *path, t5gist_payload payload, bool cross, t5gist_error *err) {
  if (gist == NULL || path == NULL) return tg_fail(err, T5GIST_EUSAGE, "t5gist_gist_save: gist and path must not be null");
  TG_TRY(check_payload(payload, err));
  tg_buffer out = {0};
  t5gist_status status = tg_gist_write(gist, payload, cross, &out, err);
  if (status == T5GIST_OK) status = tg_write_file(path, 0666, out.data, out.size, err);
  tg_buffer_free(&out);
  return status;
}

/* ---------------------------------------------------------------------------------------------------------------------------- reading */

static t5gist_status get_text(const tg_safetensors *file, const char *key, const char **text, t5gist_error *err) {
  *text = tg_safetensors_metadata(file, key);
  if (*text) return T5GIST_OK;
  return tg_fail(err, T5GIST_EFORMAT, "%s: __metadata__: expected the key \"%s\", found none", tg_safetensors_path(file), key);
}

static t5gist_status get_number(const tg_safetensors *file, const char *key, int min, int *number, t5gist_error *err) {
  const char *text;
  TG_TRY(get_text(file, key, &text, err));
  const size_t n = strlen(text);
  const bool digits = n >= 1 && n <= 9 && strspn(text, "0123456789") == n && (text[0] != '0' || n == 1);
  *number = digits ? atoi(text) : -1;
  if (digits && *number >= min) return T5GIST_OK;
  return tg_fail(err, T5GIST_EFORMAT, "%s: __metadata__: %s: expected an integer of at least %d, found \"%.64s\"", tg_safetensors_path(file), key,
                 min, text);
}

static t5gist_status get_hash(const tg_safetensors *file, const char *key, char hex[TG_SHA256_HEX], t5gist_error *err) {
  const char *text;
  TG_TRY(get_text(file, key, &text, err));
  if (strlen(text) != DIGITS || strspn(text, "0123456789abcdef") != DIGITS) {
    return tg_fail(err, T5GIST_EFORMAT, "%s: __metadata__: %s: expected 64 hexadecimal digits, found \"%.80s\"", tg_safetensors_path(file), key,
                   text);
  }
  memcpy(hex, text, TG_SHA256_HEX);
  return T5GIST_OK;
}

static t5gist_status copy_text(const tg_safetensors *file, const char *key, char **copy, t5gist_error *err) {
  const char *text;
  TG_TRY(get_text(file, key, &text, err));
  return tg_strdup(copy, text, err);
}

static t5gist_status read_version(const tg_safetensors *file, t5gist_error *err) {
  int version;
  TG_TRY(get_number(file, "format_version", 1, &version, err));
  if (version <= TG_GIST_FORMAT_VERSION) return T5GIST_OK;
  return tg_fail(err, T5GIST_EMISMATCH, "%s has gist format version %d, but t5gist %s reads versions up to %d: a newer t5gist wrote it",
                 tg_safetensors_path(file), version, T5GIST_VERSION, TG_GIST_FORMAT_VERSION);
}

static t5gist_status read_metadata(const tg_safetensors *file, t5gist_gist *gist, t5gist_error *err) {
  const char *text;
  char hash[TG_SHA256_HEX];
  TG_TRY(read_version(file, err));
  TG_TRY(get_text(file, "condition", &text, err));
  if (strcmp(text, "gist") != 0) {
    return tg_fail(err, T5GIST_EUNSUPPORTED, "%s: __metadata__: condition: expected \"gist\", found \"%.64s\"", tg_safetensors_path(file), text);
  }
  TG_TRY(get_number(file, "n_gist", 1, &gist->n_gist, err));
  TG_TRY(get_number(file, "n_task", 1, &gist->n_task, err));
  TG_TRY(get_hash(file, "fingerprint", gist->fingerprint, err));
  TG_TRY(get_hash(file, "task_sha256", gist->task_sha256, err));
  TG_TRY(copy_text(file, "task", &gist->task, err));
  TG_TRY(copy_text(file, "template_task", &gist->template_task, err));
  TG_TRY(copy_text(file, "template_input", &gist->template_input, err));
  TG_TRY(copy_text(file, "program_version", &gist->program_version, err));
  TG_TRY(copy_text(file, "computed_with", &gist->computed_with, err));
  tg_sha256_hex(gist->task, strlen(gist->task), hash);
  if (strcmp(hash, gist->task_sha256) == 0) return T5GIST_OK;
  return tg_fail(err, T5GIST_EFORMAT, "%s: __metadata__: task_sha256: expected that of the task, %.16s..., found %.16s...", tg_safetensors_path(file),
                 hash, gist->task_sha256);
}

static t5gist_status get_tensor(const tg_safetensors *file, const char *name, int rank, const tg_tensor **tensor, t5gist_error *err) {
  const tg_tensor *t = *tensor = tg_safetensors_find(file, name);
  if (t == NULL) return tg_fail(err, T5GIST_EFORMAT, "%s: expected the tensor %s, found none", tg_safetensors_path(file), name);
  if (t->dtype != TG_F32 && t->dtype != TG_BF16) {
    return tg_fail(err, T5GIST_EFORMAT, "%s: %s: expected F32 or BF16, found %s", tg_safetensors_path(file), name, tg_dtype_name(t->dtype));
  }
  if (t->rank != rank)
    return tg_fail(err, T5GIST_EFORMAT, "%s: %s: expected %d dimensions, found %d", tg_safetensors_path(file), name, rank, t->rank);
  for (int i = 0; i < rank; i++) {
    if (t->shape[i] < 1 || t->shape[i] > INT_MAX) {
      return tg_fail(err, T5GIST_EFORMAT, "%s: %s: dimension %d: expected at least 1, found %zu", tg_safetensors_path(file), name, i, t->shape[i]);
    }
  }
  return T5GIST_OK;
}

/* One shape for both K and V, of n_gist tokens. */
static t5gist_status get_pair(const tg_safetensors *file, int first, const t5gist_gist *gist, const tg_tensor *tensors[N_TENSORS],
                              t5gist_error *err) {
  TG_TRY(get_tensor(file, tensor_names[first], 4, &tensors[first], err));
  TG_TRY(get_tensor(file, tensor_names[first + 1], 4, &tensors[first + 1], err));
  const tg_tensor *k = tensors[first], *v = tensors[first + 1];
  if (memcmp(k->shape, v->shape, 4 * sizeof *k->shape) != 0) {
    return tg_fail(err, T5GIST_EFORMAT, "%s: expected %s and %s of one shape, found two", tg_safetensors_path(file), k->name, v->name);
  }
  if (k->shape[2] == (size_t)gist->n_gist) return T5GIST_OK;
  return tg_fail(err, T5GIST_EFORMAT, "%s: %s: expected n_gist = %d in dimension 2, found %zu", tg_safetensors_path(file), k->name, gist->n_gist,
                 k->shape[2]);
}

static t5gist_status check_dtypes(const tg_safetensors *file, const tg_tensor *const *tensors, int n, t5gist_error *err) {
  for (int i = 1; i < n; i++) {
    if (tensors[i]->dtype != tensors[0]->dtype) {
      return tg_fail(err, T5GIST_EFORMAT, "%s: %s: expected %s as of %s, found %s", tg_safetensors_path(file), tensors[i]->name,
                     tg_dtype_name(tensors[0]->dtype), tensors[0]->name, tg_dtype_name(tensors[i]->dtype));
    }
  }
  return T5GIST_OK;
}

/* Finds the tensors and takes the dimensions from them. */
static t5gist_status read_shapes(const tg_safetensors *file, t5gist_gist *gist, const tg_tensor *tensors[N_TENSORS], t5gist_error *err) {
  const size_t n = tg_safetensors_count(file);
  if (n != N_PLAIN && n != N_TENSORS) {
    return tg_fail(err, T5GIST_EFORMAT, "%s: expected enc.k, enc.v, enc.states and perhaps cross.k, cross.v, found %zu tensors",
                   tg_safetensors_path(file), n);
  }
  gist->file_has_cross = n == N_TENSORS;
  TG_TRY(get_pair(file, 0, gist, tensors, err));
  TG_TRY(get_tensor(file, tensor_names[2], 2, &tensors[2], err));
  gist->n_layers = (int)tensors[0]->shape[0];
  gist->n_heads = (int)tensors[0]->shape[1];
  gist->d_kv = (int)tensors[0]->shape[3];
  gist->d_model = (int)tensors[2]->shape[1];
  if (tensors[2]->shape[0] != (size_t)gist->n_gist) {
    return tg_fail(err, T5GIST_EFORMAT, "%s: enc.states: expected n_gist = %d rows, found %zu", tg_safetensors_path(file), gist->n_gist,
                   tensors[2]->shape[0]);
  }
  if (gist->file_has_cross) {
    TG_TRY(get_pair(file, N_PLAIN, gist, tensors, err));
    gist->n_decoder_layers = (int)tensors[N_PLAIN]->shape[0];
    if (memcmp(tensors[N_PLAIN]->shape + 1, tensors[0]->shape + 1, 3 * sizeof *tensors[0]->shape) != 0) {
      return tg_fail(err, T5GIST_EFORMAT, "%s: expected cross.k with the heads and d_kv of enc.k, found others", tg_safetensors_path(file));
    }
  }
  gist->payload = tensors[0]->dtype == TG_BF16 ? "bf16" : "f32";
  return check_dtypes(file, tensors, (int)n, err);
}

static t5gist_status read_tensors(const tg_safetensors *file, t5gist_gist *gist, const tg_tensor *const *tensors, t5gist_error *err) {
  TG_TRY(tg_gist_allocate(gist, gist->file_has_cross, err));
  float *const values[N_TENSORS] = {gist->enc_k, gist->enc_v, gist->states, gist->cross_k, gist->cross_v};
  for (size_t i = 0; i < tg_safetensors_count(file); i++) {
    tg_widen(tensors[i]->data, tensors[i]->dtype, tensors[i]->count, values[i]);
    const size_t bad = tg_first_nonfinite(values[i], tensors[i]->count);
    if (bad < tensors[i]->count) {
      return tg_fail(err, T5GIST_EFORMAT, "%s: %s: expected finite numbers, found %g at value %zu", tg_safetensors_path(file), tensors[i]->name,
                     (double)values[i][bad], bad);
    }
  }
  return T5GIST_OK;
}

static t5gist_status read_gist(const tg_safetensors *file, t5gist_gist *gist, t5gist_error *err) {
  const tg_tensor *tensors[N_TENSORS];
  TG_TRY(read_metadata(file, gist, err));
  if (gist->n_gist > TG_MAX_GISTS) {
    return tg_fail(err, T5GIST_EFORMAT, "%s: __metadata__: n_gist: expected at most %d, found %d", tg_safetensors_path(file), TG_MAX_GISTS,
                   gist->n_gist);
  }
  TG_TRY(read_shapes(file, gist, tensors, err));
  return read_tensors(file, gist, tensors, err);
}

t5gist_status tg_gist_parse(const void *data, size_t size, const char *name, t5gist_gist **out, t5gist_error *err) {
  tg_gist_checksum checksum;
  tg_safetensors *file = NULL;
  t5gist_gist *gist = NULL;
  t5gist_status status;
  TG_GOTO(tg_gist_check_bytes(data, size, name, &checksum, err));
  TG_GOTO(tg_safetensors_parse(data, size, name, &file, err));
  TG_GOTO(tg_alloc(&gist, 1, sizeof *gist, err));
  gist->from_file = true;
  TG_GOTO(read_gist(file, gist, err));
  *out = gist;
  gist = NULL;
done:
  t5gist_gist_free(gist);
  tg_safetensors_close(file);
  return status;
}

t5gist_status tg_gist_read(const char *path, t5gist_gist **gist, t5gist_error *err) {
  tg_buffer bytes = {0};
  t5gist_status status = tg_read_file(path, TG_GIST_FILE_LIMIT, false, &bytes, err);
  if (status == T5GIST_OK) status = tg_gist_parse(bytes.data, bytes.size, path, gist, err);
  tg_buffer_free(&bytes);
  return status;
}

t5gist_status t5gist_gist_open(const t5gist_model *model, const char *path, t5gist_gist **out, t5gist_error *err) {
  if (path == NULL || out == NULL) return tg_fail(err, T5GIST_EUSAGE, "t5gist_gist_open: path and gist must not be null");
  t5gist_gist *gist;
  TG_TRY(tg_gist_read(path, &gist, err));
  const t5gist_status status = model ? tg_gist_attach(model, path, gist, err) : T5GIST_OK;
  if (status == T5GIST_OK)
    *out = gist;
  else
    t5gist_gist_free(gist);
  return status;
}
