/* Records of a data file: JSON objects, one per line (JSONL; blank lines are none) or all in one JSON list, told apart by the first character. The
 * file is read piece by piece: memory holds one record at a time. */
#ifndef T5GIST_RUNTIME_RECORDS_H
#define T5GIST_RUNTIME_RECORDS_H

#include <jansson.h>

#include "t5gist/types.h"

/* Bytes of a record: of a line without its end, or of a list's entry with the white space around it. A longer one is refused with its place. */
enum { TG_RECORD_BYTES = 1 << 24 };

typedef struct tg_records tg_records; /* a file being read; not thread-safe */

/* Opens a file of at most limit bytes. What is wrong in it is found when its turn comes. */
t5gist_status tg_records_open(const char *path, size_t limit, tg_records **records, t5gist_error *err);
void tg_records_close(tg_records *records); /* null is allowed */

/* The next record, borrowed until the next call; null behind the last one. What is no object is refused with its place ("x.jsonl: line 7: ..."),
 * status T5GIST_EFORMAT; the call after that goes on with the record behind it. A list that does not end as one, or a
 * file that cannot be read on, is refused once, and is at its end. */
t5gist_status tg_records_next(tg_records *records, const json_t **object, t5gist_error *err);

/* Place of the record that was read last: "x.jsonl: line 7" or "x.json: entry 7", both from 1. Valid until the next call. */
const char *tg_records_where(const tg_records *records);
size_t tg_records_number(const tg_records *records);

#endif
