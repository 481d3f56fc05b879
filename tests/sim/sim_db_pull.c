/* What HELLO, a pull and the jobs say. */
#include "sim_db.h"

#include <string.h>

#include "pg_array.h"

/* ---- HELLO ---- */

static struct db_row *device_by_spki(const struct call *call, struct cell spki, const struct db_device **out)
{
	for (struct db_row *r = db.first[T_DEVICE]; r; r = r->next) {
		*out = row_read(r, call->b->txn, snapshot(call));
		if (*out && cell_is(spki, (*out)->spki, 32))
			return r;
	}
	return NULL;
}

enum verdict hello_device(struct call *call)
{
	const struct db_device *d;
	PGresult *r = ROWS(call, PG_UUID, PG_TEXT, PG_INT4, PG_INT8, PG_BYTEA, PG_BOOL, PG_TIMESTAMPTZ,
		PG_TEXT, PG_BOOL, PG_INT8, PG_TIMESTAMPTZ, PG_TEXT);

	if (!device_by_spki(call, call->param[0], &d))
		return DONE;
	put_bytes(r, 0, 0, d->id, ID_SIZE);
	put_text(r, 0, 1, d->school);
	put_int4(r, 0, 2, d->incarnation);
	put_int8(r, 0, 3, (int64_t)d->last_op);
	put_bytes(r, 0, 4, d->last_hash, HASH_SIZE);
	put_bool(r, 0, 5, false);
	put_int8(r, 0, 6, INT64_C(900000000000000));
	put_text(r, 0, 7, "测试县");
	put_bool(r, 0, 8, false);
	put_int8(r, 0, 9, (int64_t)((const struct county_row *)read_key(call, T_COUNTY, "", 0))->epoch);
	put_int8(r, 0, 10, INT64_C(833587200000000) + (int64_t)sim_now());
	put_text(r, 0, 11, d->school);
	return DONE;
}

enum verdict update_device_row(struct call *call, struct db_row *row, struct db_device **out)
{
	const struct db_device *now;
	enum verdict v = lock_row(call, row);

	if (v != DONE)
		return v;
	/* The row as it is now, not as the snapshot had it: READ COMMITTED looks again. */
	now = row_read(row, call->b->txn, UINT64_MAX);
	*out = keep(sizeof **out);
	**out = *now;
	row_write(row, call->b->txn, *out);
	return DONE;
}

/* Once a minute in truth: here never, for it takes no part in what is promised. */
enum verdict nothing(struct call *call)
{
	(void)call;
	return DONE;
}

/* For the bank: an incarnation that begins with HELLO. */
enum verdict write_incarnation(struct call *call)
{
	struct db_row *row = row_get(T_DEVICE, key_of(T_DEVICE, call->param[0].data, ID_SIZE), false);
	struct db_device *d;

	enum verdict v = update_device_row(call, row, &d);
	if (v != DONE)
		return v;
	d->incarnation = (uint32_t)number(call->param[2]);
	d->last_op = 0;
	memcpy(d->last_hash, call->param[1].data, HASH_SIZE);
	return DONE;
}

/* ---- pull ---- */

enum verdict read_stream(struct call *call)
{
	int64_t id = number(call->param[0]);
	const struct db_stream *s = row_read(stream_row(id), call->b->txn, snapshot(call));
	const struct county_row *county = read_key(call, T_COUNTY, "", 0);
	struct pg_array a = {0};

	PGresult *r = ROWS(call, PG_INT8, PG_INT8, PG_INT8, PG_INT8, PG_BYTEA, PG_INT8);
	if (!s)
		return DONE;
	pg_array_begin(&a, PG_INT8);
	for (int i = 0; i < LANES; i++)
		pg_array_int8(&a, s->lanes[i]);
	pg_array_end(&a);
	put_int8(r, 0, 0, (int64_t)s->seq);
	put_int8(r, 0, 1, (int64_t)s->floor);
	put_bytes(r, 0, 2, a.bytes.data, a.bytes.len);
	put_int8(r, 0, 3, (int64_t)s->audit_n);
	put_bytes(r, 0, 4, s->head, HASH_SIZE);
	put_int8(r, 0, 5, (int64_t)county->epoch);
	pg_array_free(&a);
	return DONE;
}

enum verdict read_feed(struct call *call)
{
	static const struct db_feed *rows[FEED_ROOM];
	size_t n = feed_rows(call, number(call->param[0]), (uint64_t)number(call->param[1]), rows, FEED_ROOM);

	PGresult *r = ROWS(call, PG_UUID, PG_INT8, PG_INT8, PG_INT2, PG_INT2);
	for (size_t i = 0; i < n && i < (size_t)number(call->param[2]); i++) {
		put_bytes(r, (int)i, 0, rows[i]->id, ID_SIZE);
		put_int8(r, (int)i, 1, (int64_t)rows[i]->seq);
		put_int8(r, (int)i, 2, rows[i]->ver);
		put_int2(r, (int)i, 3, (int)rows[i]->kind);
		put_int2(r, (int)i, 4, (int)rows[i]->action);
	}
	return DONE;
}

enum verdict count_feed(struct call *call)
{
	static const struct db_feed *rows[FEED_ROOM];
	size_t n = feed_rows(call, number(call->param[0]), (uint64_t)number(call->param[1]), rows, FEED_ROOM);

	put_int8(ROWS(call, PG_INT8), 0, 0, (int64_t)n);
	return DONE;
}

/* ---- jobs ---- */

enum verdict read_denied(struct call *call)
{
	ROWS(call, PG_BYTEA, PG_INT8);
	return DONE;
}

enum verdict read_clock(struct call *call)
{
	put_int8(ROWS(call, PG_INT8), 0, 0, 0);
	return DONE;
}

enum verdict check_epoch(struct call *call)
{
	struct db_row *row = row_get(T_COUNTY, key_of(T_COUNTY, "", 0), false);
	const struct county_row *now = row_read(row, call->b->txn, snapshot(call));

	if (now->timeline == db.timeline) {
		ROWS(call, PG_INT8);
		return DONE;
	}
	if (lock_row(call, row) == BLOCKED)
		return BLOCKED;
	now = row_read(row, call->b->txn, UINT64_MAX);
	PGresult *r = ROWS(call, PG_INT8);
	if (now->timeline == db.timeline)
		return DONE;
	struct county_row *c = keep(sizeof *c);
	*c = (struct county_row){epoch_after(now->epoch), db.timeline};
	row_write(row, call->b->txn, c);
	put_int8(r, 0, 0, (int64_t)c->epoch);
	sim_met("epoch renewed");
	return DONE;
}

static enum verdict purge(struct call *call, bool raises_floor)
{
	for (unsigned i = 0; i < SIM_STREAMS; i++)
		if (lock_row(call, stream_row(sim_stream(i))) == BLOCKED)
			return BLOCKED;
	for (unsigned i = 0; i < SIM_STREAMS; i++) {
		struct db_row *row = stream_row(sim_stream(i));
		struct db_stream *s = keep(sizeof *s);
		bool any = false;
		*s = *(const struct db_stream *)row_read(row, call->b->txn, UINT64_MAX);
		for (struct db_row *f = db.first[T_FEED]; f; f = f->next) {
			const struct db_feed *x = row_read(f, call->b->txn, snapshot(call));
			if (!x || x->stream != s->id || x->action == 1 || f->newest->by->vis > db.aged)
				continue;
			s->floor = x->seq > s->floor && raises_floor ? x->seq : s->floor;
			row_write(f, call->b->txn, NULL);
			any = true;
		}
		if (any) {
			row_write(row, call->b->txn, s);
			sim_met("tombstones purged");
		}
	}
	return DONE;
}

enum verdict purge_tombstones(struct call *call)
{
	return purge(call, true);
}

/* For the bank. */
enum verdict purge_silently(struct call *call)
{
	return purge(call, false);
}

/* For the bank: numbers drawn before the stream is locked. */
enum verdict draw_numbers(struct call *call)
{
	call->b->txn->drawn = db.sequence;
	db.sequence += 100;
	ROWS(call, PG_INT8);
	return DONE;
}

/* For the bank: what a transaction's number says of its outcome. Numbers are given out again after a failover
 * (finding 3). */
enum verdict read_number(struct call *call)
{
	struct txn *t = call->b->txn;

	if (!t->xid)
		t->xid = ++db.xid;
	put_int8(ROWS(call, PG_INT8), 0, 0, (int64_t)t->xid);
	return DONE;
}

enum verdict read_outcome(struct call *call)
{
	bool committed = false;

	for (const struct txn *t = db.log; t; t = t->next)
		committed |= t->xid == (uint64_t)number(call->param[0]) && t->state == TXN_VISIBLE;
	put_bool(ROWS(call, PG_BOOL), 0, 0, committed);
	return DONE;
}
