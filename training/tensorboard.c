/* TensorBoard's event files: TFRecord framing (tensorflow/core/lib/io/record_writer.h) around the protocol-buffer message Event
 * (tensorflow/core/util/event.proto), of which a run needs little: wall_time = 1, step = 2, file_version = 3, summary = 5 {value = 1 {tag = 1,
 * simple_value = 2}}, session_log = 7 {status = 1}. */
#include <string.h>

#include "runtime/error.h"
#include "runtime/memory.h"
#include "training/log.h"

enum { VARINT = 0, FIXED64 = 1, BYTES = 2, FIXED32 = 5 }; /* wire types */

uint32_t tg_crc32c(const void *data, size_t n) {
  const unsigned char *at = data;
  uint32_t crc = 0xffffffff;
  for (; n; n--) {
    crc ^= *at++;
    for (int bit = 0; bit < 8; bit++) crc = crc >> 1 ^ (crc & 1 ? 0x82f63b78 : 0); /* Castagnoli's polynomial, reflected */
  }
  return ~crc;
}

static uint32_t masked_crc(const void *data, size_t n) {
  const uint32_t crc = tg_crc32c(data, n);
  return (crc >> 15 | crc << 17) + 0xa282ead8;
}

static t5gist_status put_little(tg_buffer *out, uint64_t value, size_t bytes, t5gist_error *err) {
  unsigned char data[8];
  for (size_t i = 0; i < bytes; i++) data[i] = (unsigned char)(value >> 8 * i);
  return tg_buffer_append(out, data, bytes, err);
}

static t5gist_status put_varint(tg_buffer *out, uint64_t value, t5gist_error *err) {
  unsigned char data[10];
  size_t n = 0;
  for (; value > 127; value >>= 7) data[n++] = (unsigned char)(value | 128);
  data[n++] = (unsigned char)value;
  return tg_buffer_append(out, data, n, err);
}

static t5gist_status put_key(tg_buffer *out, unsigned field, unsigned type, t5gist_error *err) {
  return put_varint(out, field << 3 | type, err);
}

static t5gist_status put_bytes(tg_buffer *out, unsigned field, const void *data, size_t n, t5gist_error *err) {
  TG_TRY(put_key(out, field, BYTES, err));
  TG_TRY(put_varint(out, n, err));
  return tg_buffer_append(out, data, n, err);
}

static t5gist_status put_double(tg_buffer *out, unsigned field, double value, t5gist_error *err) {
  uint64_t bits;
  memcpy(&bits, &value, sizeof bits);
  TG_TRY(put_key(out, field, FIXED64, err));
  return put_little(out, bits, 8, err);
}

static t5gist_status put_float(tg_buffer *out, unsigned field, float value, t5gist_error *err) {
  uint32_t bits;
  memcpy(&bits, &value, sizeof bits);
  TG_TRY(put_key(out, field, FIXED32, err));
  return put_little(out, bits, 4, err);
}

static t5gist_status put_record(tg_buffer *out, const tg_buffer *event, t5gist_error *err) {
  unsigned char length[8];
  for (size_t i = 0; i < 8; i++) length[i] = (unsigned char)((uint64_t)event->size >> 8 * i);
  TG_TRY(tg_buffer_append(out, length, 8, err));
  TG_TRY(put_little(out, masked_crc(length, 8), 4, err));
  TG_TRY(tg_buffer_append(out, event->data, event->size, err));
  return put_little(out, masked_crc(event->data, event->size), 4, err);
}

/* An event whose content is one field of bytes. */
static t5gist_status put_event(double wall_time, uint64_t step, unsigned field, const void *data, size_t n, tg_buffer *records, t5gist_error *err) {
  tg_buffer event = {0};
  t5gist_status status;
  TG_GOTO(put_double(&event, 1, wall_time, err));
  TG_GOTO(put_key(&event, 2, VARINT, err));
  TG_GOTO(put_varint(&event, step, err));
  TG_GOTO(put_bytes(&event, field, data, n, err));
  TG_GOTO(put_record(records, &event, err));
done:
  tg_buffer_free(&event);
  return status;
}

t5gist_status tg_event_version(double wall_time, tg_buffer *records, t5gist_error *err) {
  static const char version[] = "brain.Event:2";
  return put_event(wall_time, 0, 3, version, sizeof version - 1, records, err);
}

t5gist_status tg_event_start(double wall_time, uint64_t step, tg_buffer *records, t5gist_error *err) {
  static const unsigned char session[] = {1 << 3 | VARINT, 1}; /* status = START */
  return put_event(wall_time, step, 7, session, sizeof session, records, err);
}

static t5gist_status put_scalar(const char *prefix, const tg_scalar *scalar, tg_buffer *value, tg_buffer *summary, t5gist_error *err) {
  tg_buffer tag = {0};
  t5gist_status status;
  value->size = 0;
  TG_GOTO(tg_buffer_printf(&tag, err, "%s/%s", prefix, scalar->name));
  TG_GOTO(put_bytes(value, 1, tag.data, tag.size, err));
  TG_GOTO(put_float(value, 2, (float)scalar->value, err));
  TG_GOTO(put_bytes(summary, 1, value->data, value->size, err));
done:
  tg_buffer_free(&tag);
  return status;
}

t5gist_status tg_event_scalars(double wall_time, uint64_t step, const char *prefix, const tg_scalar *scalars, size_t n, tg_buffer *records,
                               t5gist_error *err) {
  tg_buffer value = {0}, summary = {0};
  t5gist_status status = T5GIST_OK;
  for (size_t i = 0; i < n && !status; i++) status = put_scalar(prefix, &scalars[i], &value, &summary, err);
  if (!status) status = put_event(wall_time, step, 5, summary.data, summary.size, records, err);
  tg_buffer_free(&value);
  tg_buffer_free(&summary);
  return status;
}
