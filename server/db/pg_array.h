/* pg_array.h - PostgreSQL's binary form of parameters: values and one-dimensional arrays. Pure; any thread.
 * PostgreSQL 15 documentation, "array_recv": dimensions, has-null flag, element type, then length-prefixed
 * elements. */
#ifndef JG_PG_ARRAY_H
#define JG_PG_ARRAY_H

#include "buf.h"

enum pg_type { /* object ids of pg_type.dat: frozen */
	PG_BOOL = 16,
	PG_BYTEA = 17,
	PG_INT8 = 20,
	PG_INT2 = 21,
	PG_INT4 = 23,
	PG_TEXT = 25,
	PG_INT4_ARRAY = 1007,
	PG_TEXT_ARRAY = 1009,
	PG_DATE = 1082,
	PG_TIMESTAMPTZ = 1184,
	PG_UUID = 2950,
	PG_JSONB = 3802,
};

#define PG_EPOCH_US INT64_C(946684800000000) /* 2000-01-01 in Unix microseconds */
#define PG_EPOCH_DAYS 10957                  /* … in days since 1970-01-01 */

struct pg_array {
	struct buf bytes; /* owned; pg_array_free */
	uint32_t count;
	bool has_null;
};

/* *a: all zero at first; an earlier array's bytes are used again. */
void pg_array_begin(struct pg_array *a, enum pg_type element);
void pg_array_null(struct pg_array *a);
void pg_array_bytes(struct pg_array *a, const void *data, size_t n); /* text, bytea, uuid */
void pg_array_text(struct pg_array *a, const char *text);
void pg_array_json(struct pg_array *a, const void *text, size_t n); /* jsonb */
void pg_array_int2(struct pg_array *a, int16_t v);
void pg_array_int4(struct pg_array *a, int32_t v);
void pg_array_int8(struct pg_array *a, int64_t v);
void pg_array_bool(struct pg_array *a, bool v);
void pg_array_date(struct pg_array *a, int32_t yyyymmdd);
void pg_array_time(struct pg_array *a, int64_t unix_us);
/* Writes count and flag into the header; call once, before the bytes are sent. */
void pg_array_end(struct pg_array *a);
void pg_array_free(struct pg_array *a);

#endif
