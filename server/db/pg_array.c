#include "pg_array.h"

#include <string.h>

#include "date.h"

#define HEADER 20

void pg_array_begin(struct pg_array *a, enum pg_type element)
{
	a->bytes.len = 0;
	a->count = 0;
	a->has_null = false;
	buf_be32(&a->bytes, 1); /* dimensions */
	buf_be32(&a->bytes, 0); /* has null */
	buf_be32(&a->bytes, (uint32_t)element);
	buf_be32(&a->bytes, 0); /* elements */
	buf_be32(&a->bytes, 1); /* lower bound */
}

void pg_array_null(struct pg_array *a)
{
	buf_be32(&a->bytes, UINT32_MAX);
	a->has_null = true;
	a->count++;
}

void pg_array_bytes(struct pg_array *a, const void *data, size_t n)
{
	buf_be32(&a->bytes, (uint32_t)n);
	buf_add(&a->bytes, data, n);
	a->count++;
}

void pg_array_text(struct pg_array *a, const char *text)
{
	pg_array_bytes(a, text, strlen(text));
}

void pg_array_json(struct pg_array *a, const void *text, size_t n)
{
	buf_be32(&a->bytes, (uint32_t)n + 1);
	buf_u8(&a->bytes, 1); /* jsonb_recv: the version of the form */
	buf_add(&a->bytes, text, n);
	a->count++;
}

void pg_array_int2(struct pg_array *a, int16_t v)
{
	buf_be32(&a->bytes, 2);
	buf_be16(&a->bytes, (uint16_t)v);
	a->count++;
}

void pg_array_int4(struct pg_array *a, int32_t v)
{
	buf_be32(&a->bytes, 4);
	buf_be32(&a->bytes, (uint32_t)v);
	a->count++;
}

void pg_array_int8(struct pg_array *a, int64_t v)
{
	buf_be32(&a->bytes, 8);
	buf_be64(&a->bytes, (uint64_t)v);
	a->count++;
}

void pg_array_bool(struct pg_array *a, bool v)
{
	buf_be32(&a->bytes, 1);
	buf_u8(&a->bytes, v);
	a->count++;
}

void pg_array_date(struct pg_array *a, int32_t yyyymmdd)
{
	pg_array_int4(a, date_days(yyyymmdd) - PG_EPOCH_DAYS);
}

void pg_array_time(struct pg_array *a, int64_t unix_us)
{
	pg_array_int8(a, unix_us - PG_EPOCH_US);
}

void pg_array_end(struct pg_array *a)
{
	if (a->bytes.failed)
		return;
	put_be32(a->bytes.data + 4, a->has_null);
	put_be32(a->bytes.data + 12, a->count);
	if (a->count == 0) { /* an empty array has no dimension */
		put_be32(a->bytes.data, 0);
		a->bytes.len = HEADER - 8;
	}
}

void pg_array_free(struct pg_array *a)
{
	buf_free(&a->bytes);
}
