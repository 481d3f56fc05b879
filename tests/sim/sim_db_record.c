/* What record_db.c says of each kind. */
#include "sim_db.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- records ---- */

static enum pg_type column_type(const struct field *f)
{
	static const enum pg_type types[] = {[FIELD_TEXT] = PG_TEXT,
		[FIELD_BYTES] = PG_BYTEA,
		[FIELD_INT32] = PG_INT4,
		[FIELD_INT64] = PG_INT8,
		[FIELD_BOOL] = PG_BOOL};

	if (strcmp(f->check, "date") == 0)
		return PG_DATE;
	if (strcmp(f->check, "time") == 0)
		return PG_TIMESTAMPTZ;
	if (strcmp(f->check, "uuid") == 0)
		return PG_UUID;
	return types[f->type];
}

static bool school_in(const struct backend *b, struct cell c)
{
	char text[16];

	text_of(c, text, sizeof text);
	return text[0] && strstr(b->schools, text) != NULL;
}

/* The row-level security policies of records: what this transaction may change (and so lock), and see. */
static bool may_change(const struct backend *b, const struct record_row *x)
{
	return b->scope != SCOPE_SCHOOL || school_in(b, x->header[1]);
}

static bool may_see(const struct backend *b, const struct record_row *x)
{
	return may_change(b, x) || x->kind->owner == OWNER_COUNTY || school_in(b, x->header[2]);
}

static PGresult *record_rows(struct call *call, bool with_seq)
{
	static const enum pg_type header[] = {
		PG_INT8, PG_UUID, PG_TEXT, PG_TEXT, PG_INT8, PG_INT4_ARRAY, PG_BOOL, PG_BYTEA};
	enum pg_type types[KIND_FIELDS_MAX + 8];
	int n = 0;

	for (size_t i = with_seq ? 0 : 1; i < sizeof header / sizeof *header; i++)
		types[n++] = header[i];
	for (size_t i = 0; i < call->kind->field_count; i++)
		types[n++] = column_type(&call->kind->fields[i]);
	return call->rows = rows_begin(types, n);
}

static void put_record(PGresult *r, int row, int column, const struct record_row *x)
{
	for (int i = 0; i < 7; i++)
		put_cell(r, row, column + i, x->header[i]);
	for (size_t i = 0; i < x->kind->field_count; i++)
		put_cell(r, row, column + 7 + (int)i, x->column[i]);
}

void db_record(const void *data, struct stored *out)
{
	const struct record_row *x = data;
	struct call call = {.kind = x->kind};
	PGresult *r = record_rows(&call, false);

	put_record(r, 0, 0, x);
	record_db_read(r, 0, x->kind, out);
	/* The values must outlive the result. */
	for (size_t f = 0; f < x->kind->field_count; f++) {
		enum field_type type = x->kind->fields[f].type;
		if (record_has(&out->state.record, (int)f) && (type == FIELD_TEXT || type == FIELD_BYTES))
			record_set_bytes(
				&out->state.record, (int)f, x->column[f].data, (size_t)x->column[f].len);
	}
	out->state.record.ext_len = 0;
	PQclear(r);
}

static enum verdict lock_records(struct call *call, bool locking)
{
	struct elements ids = elements_of(&call->param[0]);
	unsigned table = T_RECORD + call->kind->number;
	struct cell id;
	int n = 0;

	for (struct elements e = ids; locking && take(&e, &id);) {
		struct db_row *row = row_get(table, key_of(table, id.data, ID_SIZE), false);
		const struct record_row *x = row_read(row, call->b->txn, snapshot(call));
		if (x && may_change(call->b, x) && lock_row(call, row) == BLOCKED)
			return BLOCKED;
	}
	PGresult *r = record_rows(call, false);
	while (take(&ids, &id)) {
		struct db_row *row = row_get(table, key_of(table, id.data, ID_SIZE), false);
		const struct record_row *x = row_read(row, call->b->txn, snapshot(call));
		if (x && (locking ? may_change(call->b, x) : may_see(call->b, x)))
			put_record(r, n++, 0, locking ? row_read(row, call->b->txn, UINT64_MAX) : x);
	}
	return DONE;
}

enum verdict record_lock(struct call *call)
{
	return lock_records(call, true);
}

enum verdict record_unlocked(struct call *call)
{
	return lock_records(call, false);
}

enum verdict record_holders(struct call *call)
{
	struct elements keys = elements_of(&call->param[0]), owners = elements_of(&call->param[1]);
	struct cell key, owner;
	int n = 0;

	PGresult *r = ROWS(call, PG_TEXT, PG_TEXT, PG_UUID);
	while (take(&keys, &key) && take(&owners, &owner))
		for (struct db_row *row = db.first[T_RECORD + call->kind->number]; row; row = row->next) {
			const struct record_row *x = row_read(row, call->b->txn, snapshot(call));
			if (!x || x->header[5].data[0] ||
				!cell_is(key, x->header[7].data,
					(size_t)(x->header[7].len < 0 ? 0 : x->header[7].len)) ||
				x->header[7].len <= 0 ||
				!cell_is(owner, x->header[1].data, (size_t)x->header[1].len))
				continue;
			put_cell(r, n, 0, key);
			put_cell(r, n, 1, owner);
			put_bytes(r, n++, 2, x->id, ID_SIZE);
			break;
		}
	return DONE;
}

static int by_seq(const void *a, const void *b)
{
	const struct db_feed *x = *(const struct db_feed *const *)a, *y = *(const struct db_feed *const *)b;

	return x->seq < y->seq ? -1 : x->seq > y->seq;
}

size_t feed_rows(
	const struct call *call, int64_t stream, uint64_t after, const struct db_feed **out, size_t room)
{
	size_t n = 0;

	for (struct db_row *row = db.first[T_FEED]; row; row = row->next) {
		const struct db_feed *f = row_read(row, call->b->txn, snapshot(call));
		if (f && f->stream == stream && f->seq > after && n < room)
			out[n++] = f;
	}
	if (n)
		qsort(out, n, sizeof *out, by_seq);
	return n;
}

enum verdict record_changes(struct call *call)
{
	static const struct db_feed *rows[FEED_ROOM];
	size_t n = feed_rows(call, number(call->param[0]), (uint64_t)number(call->param[1]), rows, FEED_ROOM);
	unsigned table = T_RECORD + call->kind->number;
	int out = 0;

	PGresult *r = record_rows(call, true);
	for (size_t i = 0; i < n; i++) {
		if (rows[i]->seq > (uint64_t)number(call->param[2]) || rows[i]->kind != call->kind->number ||
			rows[i]->action != 1)
			continue;
		const struct record_row *x = read_key(call, table, rows[i]->id, ID_SIZE);
		if (!x || !may_see(call->b, x))
			continue;
		put_int8(r, out, 0, (int64_t)rows[i]->seq);
		put_record(r, out++, 1, x);
	}
	return DONE;
}

/* '{1,2}' as text becomes int4[]. */
static struct cell versions_of(struct cell text)
{
	char copy[KIND_GROUPS_MAX * 12 + 4], *at = copy + 1;
	int32_t v[KIND_GROUPS_MAX];
	uint32_t n = 0;

	text_of(text, copy, sizeof copy);
	while (*at && *at != '}' && n < KIND_GROUPS_MAX) {
		v[n++] = (int32_t)strtol(at, &at, 10);
		at += *at == ',';
	}
	return int4_array(v, n);
}

/* nkey is unique among the live of an owner. */
static enum verdict check_key(struct call *call, const struct record_row *want, const struct db_row *self)
{
	if (want->header[7].len <= 0 || want->header[5].data[0])
		return DONE;
	for (struct db_row *row = db.first[T_RECORD + call->kind->number]; row; row = row->next) {
		if (row == self)
			continue;
		for (const struct version *v = row->newest; v; v = v->older) {
			const struct record_row *x = v->data;
			bool same = x && !x->header[5].data[0] && x->header[7].len == want->header[7].len &&
				memcmp(x->header[7].data, want->header[7].data, (size_t)x->header[7].len) ==
					0 &&
				cell_is(x->header[1], want->header[1].data, (size_t)want->header[1].len);
			if (v->by != call->b->txn && in_progress(v->by)) {
				if (same) {
					call->b->waits_on = v->by;
					return BLOCKED;
				}
				continue; /* what stands below it may hold the key too */
			}
			if (same)
				return failed(call, "23505");
			break;
		}
	}
	return DONE;
}

static size_t read_writes(struct call *call, struct record_row ***out)
{
	struct elements header[8], column[KIND_FIELDS_MAX];
	size_t n = get_be32(call->param[0].data + 12);

	demand(call->kind->number >= call->b->txn->kind, "I13",
		"a transaction writes a %s behind a kind of a higher number: two would wait for each other",
		call->kind->table);
	call->b->txn->kind = call->kind->number;
	*out = keep(sizeof **out * (n + 1));
	for (int i = 0; i < 8; i++)
		header[i] = elements_of(&call->param[i]);
	for (size_t i = 0; i < call->kind->field_count; i++)
		column[i] = elements_of(&call->param[8 + i]);
	for (size_t k = 0; k < n; k++) {
		struct record_row *x = (*out)[k] = keep(sizeof *x);
		x->kind = call->kind;
		for (int i = 0; i < 8; i++) {
			take(&header[i], &x->header[i]);
			x->header[i] = i == 4 ? versions_of(x->header[i]) : keep_cell(x->header[i]);
		}
		for (size_t i = 0; i < call->kind->field_count; i++) {
			take(&column[i], &x->column[i]);
			x->column[i] = keep_cell(x->column[i]);
		}
		memcpy(x->id, x->header[0].data, ID_SIZE);
	}
	return n;
}

enum verdict record_insert(struct call *call)
{
	struct record_row **rows;
	size_t n = read_writes(call, &rows);
	unsigned table = T_RECORD + call->kind->number;

	for (size_t i = 0; i < n; i++) {
		struct db_row *row = row_get(table, key_of(table, rows[i]->id, ID_SIZE), true);
		if (row->newest && row->newest->by != call->b->txn && in_progress(row->newest->by)) {
			call->b->waits_on = row->newest->by;
			return BLOCKED;
		}
		if (row_read(row, call->b->txn, UINT64_MAX))
			return failed(call, "23505");
		enum verdict v = check_key(call, rows[i], row);
		if (v != DONE)
			return v;
	}
	for (size_t i = 0; i < n; i++) {
		struct db_row *row = row_get(table, key_of(table, rows[i]->id, ID_SIZE), true);
		enum verdict v = check_key(call, rows[i], row); /* against what this statement itself wrote */
		if (v != DONE)
			return v;
		row_write(row, call->b->txn, rows[i]);
	}
	return DONE;
}

enum verdict record_update(struct call *call)
{
	struct record_row **rows;
	size_t n = read_writes(call, &rows), met = 0;
	unsigned table = T_RECORD + call->kind->number;

	for (size_t i = 0; i < n; i++) {
		struct db_row *row = row_get(table, key_of(table, rows[i]->id, ID_SIZE), false);
		const struct record_row *x = row_read(row, call->b->txn, snapshot(call));
		if (!x || !may_change(call->b, x))
			continue;
		if (lock_row(call, row) == BLOCKED)
			return BLOCKED;
		met++;
	}
	if (met != n)
		return failed(call, "JG003");
	for (size_t i = 0; i < n; i++) {
		struct db_row *row = row_get(table, key_of(table, rows[i]->id, ID_SIZE), false);
		enum verdict v = check_key(call, rows[i], row);
		if (v != DONE)
			return v;
		row_write(row, call->b->txn, rows[i]);
	}
	ROWS(call, PG_TEXT);
	return DONE;
}
