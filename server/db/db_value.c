/* What a parameter is written as and what a column is read as: PostgreSQL's binary forms. */
#include "db.h"

#include <stdlib.h>
#include <string.h>

#include "date.h"

/* ---- parameters ---- */

static void param_add(struct db_params *p, const void *value, int length, int format)
{
	if (p->n == DB_PARAMS_MAX)
		abort(); /* our bug: the widest statement is known when it is written */
	p->value[p->n] = value;
	p->length[p->n] = length;
	p->format[p->n++] = format;
}

void db_text(struct db_params *p, const char *text)
{
	param_add(p, text, text ? (int)strlen(text) : 0, 1);
}

void db_int4(struct db_params *p, int32_t v)
{
	put_be32((uint8_t *)p->number[p->n], (uint32_t)v);
	param_add(p, p->number[p->n], 4, 1);
}

void db_int8(struct db_params *p, int64_t v)
{
	put_be64((uint8_t *)p->number[p->n], (uint64_t)v);
	param_add(p, p->number[p->n], 8, 1);
}

void db_bool(struct db_params *p, bool v)
{
	p->number[p->n][0] = v;
	param_add(p, p->number[p->n], 1, 1);
}

void db_date(struct db_params *p, int32_t yyyymmdd)
{
	if (yyyymmdd)
		db_int4(p, date_days(yyyymmdd) - PG_EPOCH_DAYS);
	else
		db_text(p, NULL);
}

void db_time(struct db_params *p, int64_t unix_us)
{
	db_int8(p, unix_us - PG_EPOCH_US);
}

void db_bytes(struct db_params *p, const void *data, size_t n)
{
	param_add(p, data ? data : "", (int)n, 1);
}

void db_array(struct db_params *p, struct pg_array *a)
{
	pg_array_end(a);
	p->failed |= a->bytes.failed;
	param_add(p, a->bytes.data, (int)a->bytes.len, 1);
}

/* ---- reading ---- */

bool db_is_null(const PGresult *r, int row, int column)
{
	return PQgetisnull(r, row, column);
}

int64_t db_get_int(const PGresult *r, int row, int column)
{
	const uint8_t *at = (const uint8_t *)PQgetvalue(r, row, column);

	if (PQgetisnull(r, row, column))
		return 0;
	switch (PQftype(r, column)) {
	case PG_BOOL:
		return at[0];
	case PG_INT2:
		return (int16_t)get_be16(at);
	case PG_INT4:
		return (int32_t)get_be32(at);
	case PG_INT8:
		return (int64_t)get_be64(at);
	case PG_DATE:
		return date_from_days((int32_t)get_be32(at) + PG_EPOCH_DAYS);
	case PG_TIMESTAMPTZ:
		return (int64_t)get_be64(at) + PG_EPOCH_US;
	default:
		abort(); /* our bug: the statement yields another type */
	}
}

const char *db_get_text(const PGresult *r, int row, int column)
{
	return PQgetvalue(r, row, column); /* libpq ends every value with a NUL; null is "" */
}

const uint8_t *db_get_bytes(const PGresult *r, int row, int column, size_t *n)
{
	*n = (size_t)PQgetlength(r, row, column);
	return (const uint8_t *)PQgetvalue(r, row, column);
}

/* Walks a binary one-dimensional array. */
static int array_walk(const PGresult *r, int row, int column, const uint8_t **at)
{
	if (PQgetisnull(r, row, column) || PQgetlength(r, row, column) < 20)
		return 0;
	const uint8_t *p = (const uint8_t *)PQgetvalue(r, row, column);
	*at = p + 20;
	return (int)get_be32(p + 12);
}

int db_get_texts(const PGresult *r, int row, int column, const char **out, size_t *lengths, int max)
{
	const uint8_t *at = NULL;
	int n = array_walk(r, row, column, &at);

	for (int i = 0; i < n && i < max; i++) {
		lengths[i] = get_be32(at);
		out[i] = (const char *)at + 4;
		at += 4 + lengths[i];
	}
	return n;
}

int db_get_ints(const PGresult *r, int row, int column, int32_t *out, int max)
{
	const uint8_t *at = NULL;
	int n = array_walk(r, row, column, &at);

	for (int i = 0; i < n && i < max; i++, at += 8)
		out[i] = (int32_t)get_be32(at + 4);
	return n;
}
