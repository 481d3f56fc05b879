/* What a push says: the reads of its first trip and the writes of its second; what it asks of lineages and
 * guards is in sim_db_judge.c. */
#include "sim_db.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "date.h"
#include "pg_array.h"
#include "sim_values.h"

/* ---- trip 1 of a push ---- */

enum verdict lock_devices(struct call *call)
{
	struct elements ids = elements_of(&call->param[0]);
	struct cell id;
	int n = 0;

	for (struct elements e = ids; take(&e, &id);) {
		struct db_row *row = row_get(T_DEVICE, key_of(T_DEVICE, id.data, ID_SIZE), false);
		if (row && row_read(row, call->b->txn, snapshot(call)) && lock_row(call, row) == BLOCKED)
			return BLOCKED;
	}
	PGresult *r = ROWS(call, PG_UUID, PG_INT4, PG_INT8, PG_BYTEA, PG_BOOL, PG_INT8, PG_DATE);
	while (take(&ids, &id)) {
		const struct db_device *d =
			row_read(row_get(T_DEVICE, key_of(T_DEVICE, id.data, ID_SIZE), false), call->b->txn,
				UINT64_MAX);
		if (!d)
			continue;
		put_bytes(r, n, 0, d->id, ID_SIZE);
		put_int4(r, n, 1, d->incarnation);
		put_int8(r, n, 2, (int64_t)d->last_op);
		put_bytes(r, n, 3, d->last_hash, HASH_SIZE);
		put_bool(r, n, 4, false);
		put_int8(r, n, 5,
			(int64_t)((const struct county_row *)read_key(call, T_COUNTY, "", 0))->epoch);
		put_int4(r, n++, 6, date_days(20260601) - PG_EPOCH_DAYS);
	}
	return DONE;
}

struct cell int4_array(const int32_t *v, uint32_t n)
{
	struct pg_array a = {0};

	pg_array_begin(&a, PG_INT4);
	for (uint32_t i = 0; i < n; i++)
		pg_array_int4(&a, v[i]);
	pg_array_end(&a);
	struct cell c = keep_cell((struct cell){a.bytes.data, (int)a.bytes.len});
	pg_array_free(&a);
	return c;
}

static struct cell text_array(const char *const *v, uint32_t n)
{
	struct pg_array a = {0};

	pg_array_begin(&a, PG_TEXT);
	for (uint32_t i = 0; i < n; i++)
		pg_array_text(&a, v[i]);
	pg_array_end(&a);
	struct cell c = keep_cell((struct cell){a.bytes.data, (int)a.bytes.len});
	pg_array_free(&a);
	return c;
}

/* Two people a school: reg-N keeps the register, tea-N is a class teacher. */
enum verdict read_authors(struct call *call)
{
	struct elements devices = elements_of(&call->param[0]), names = elements_of(&call->param[1]),
			schools = elements_of(&call->param[2]);
	uint32_t classes;
	const char *const *theirs = values_classes(&classes);
	struct cell device, name, school;
	char text[64];
	int n = 0;

	PGresult *r = ROWS(call, PG_UUID, PG_TEXT, PG_INT4_ARRAY, PG_TEXT_ARRAY, PG_BOOL);
	while (take(&devices, &device) && take(&names, &name) && take(&schools, &school)) {
		text_of(name, text, sizeof text);
		bool teacher = strncmp(text, "tea-", 4) == 0;
		unsigned of = (unsigned)atoi(text + 4);
		if (of >= SIM_SCHOOLS || (!teacher && strncmp(text, "reg-", 4) != 0))
			continue;
		int32_t role = (int32_t)role_by_name(teacher ? "class_teacher" : "registrar");
		put_cell(r, n, 0, device);
		put_cell(r, n, 1, name);
		put_cell(r, n, 2, int4_array(&role, 1));
		put_cell(r, n, 3, text_array(theirs, teacher ? classes : 0));
		put_bool(r, n++, 4, cell_is(school, sim_schools[of], 10));
	}
	return DONE;
}

enum verdict read_replays(struct call *call)
{
	struct elements devices = elements_of(&call->param[0]), incarnations = elements_of(&call->param[1]),
			ops = elements_of(&call->param[2]);
	struct cell device, incarnation, op;
	const struct db_push *found[600];
	int n = 0;

	while (take(&devices, &device) && take(&incarnations, &incarnation) && take(&ops, &op)) {
		const struct db_push *best = NULL;
		for (struct db_row *row = db.first[T_PUSH]; row; row = row->next) {
			const struct db_push *p = row_read(row, call->b->txn, snapshot(call));
			if (p && cell_is(device, p->device, ID_SIZE) &&
				p->incarnation == (uint32_t)number(incarnation) &&
				(int64_t)p->last >= number(op) && (!best || p->last < best->last))
				best = p;
		}
		for (int i = 0; i < n && best; i++)
			if (found[i] == best)
				best = NULL;
		if (best && n < 600)
			found[n++] = best;
	}
	PGresult *r = ROWS(call, PG_UUID, PG_INT8, PG_INT8, PG_BYTEA, PG_BYTEA);
	for (int i = 0; i < n; i++) {
		put_bytes(r, i, 0, found[i]->device, ID_SIZE);
		put_int8(r, i, 1, (int64_t)found[i]->first);
		put_int8(r, i, 2, (int64_t)found[i]->last);
		put_bytes(r, i, 3, found[i]->shas.data, found[i]->shas.len);
		put_bytes(r, i, 4, found[i]->results.data, found[i]->results.len);
	}
	return DONE;
}

enum verdict read_writers(struct call *call)
{
	struct elements ords = elements_of(&call->param[0]), ids = elements_of(&call->param[1]),
			masks = elements_of(&call->param[2]);
	struct cell ord, id, mask;
	int n = 0;

	PGresult *r = ROWS(call, PG_INT4, PG_TEXT, PG_TIMESTAMPTZ);
	while (take(&ords, &ord) && take(&ids, &id) && take(&masks, &mask)) {
		const struct db_history *best = NULL;
		for (struct db_row *row = db.first[T_HISTORY]; row; row = row->next) {
			const struct db_history *h = row_read(row, call->b->txn, snapshot(call));
			if (h && cell_is(id, h->id, ID_SIZE) && (h->groups & (uint32_t)number(mask)) &&
				(!best || h->ver > best->ver))
				best = h;
		}
		if (!best)
			continue;
		put_cell(r, n, 0, ord);
		put_text(r, n, 1, "reg-0");
		put_int8(r, n++, 2, 0);
	}
	return DONE;
}

/* ---- trip 2 ---- */

static struct value keep_value(struct cell c)
{
	struct cell k = keep_cell(c);

	return (struct value){.data = k.data, .len = (size_t)(k.len < 0 ? 0 : k.len)};
}

static enum verdict write_history(struct call *call, bool or_nothing)
{
	struct elements e[10];
	struct cell c[10];

	columns_of(call->param, e, 10);
	while (take_row(e, c, 10)) {
		struct db_history *h = keep(sizeof *h);
		uint8_t key[ID_SIZE + 8];
		memcpy(h->id, c[0].data, ID_SIZE);
		h->ver = number(c[1]);
		h->kind = (unsigned)number(c[2]);
		h->groups = (uint32_t)number(c[4]);
		h->old = keep_value(c[5]);
		memcpy(h->device, c[7].data, ID_SIZE);
		h->incarnation = (uint32_t)number(c[8]);
		h->op_no = (uint64_t)number(c[9]);
		memcpy(key, h->id, ID_SIZE);
		put_be64(key + ID_SIZE, (uint64_t)h->ver);
		enum verdict v = insert_row(call, T_HISTORY, key, sizeof key, h);
		if (v != DONE && !(v == FAILED && or_nothing))
			return v;
	}
	return DONE;
}

enum verdict insert_history(struct call *call)
{
	return write_history(call, false);
}

/* For the bank. */
enum verdict insert_history_or_nothing(struct call *call)
{
	return write_history(call, true);
}

enum verdict insert_conflicts(struct call *call)
{
	struct elements e[10];
	struct cell c[10];

	columns_of(call->param, e, 10);
	while (take_row(e, c, 10)) {
		struct db_conflict *x = keep(sizeof *x);
		uint8_t key[2 * ID_SIZE + 16];
		memcpy(x->id, c[0].data, ID_SIZE);
		memcpy(x->device, c[1].data, ID_SIZE);
		x->incarnation = (uint32_t)number(c[2]);
		x->op_no = (uint64_t)number(c[3]);
		x->kind = (unsigned)number(c[4]);
		x->mine = keep_value(c[8]);
		memcpy(key, x->id, ID_SIZE);
		memcpy(key + ID_SIZE, x->device, ID_SIZE);
		put_be64(key + 2 * ID_SIZE, x->incarnation);
		put_be64(key + 2 * ID_SIZE + 8, x->op_no);
		enum verdict v = insert_row(call, T_CONFLICT, key, sizeof key, x);
		if (v != DONE)
			return v;
	}
	return DONE;
}

struct db_row *stream_row(int64_t stream)
{
	return row_get(T_STREAM, key_of(T_STREAM, &stream, sizeof stream), false);
}

/* Of those that the transaction has said it changes: the policy of streams, feeds and trace. */
static struct db_row *stream_in_scope(const struct call *call, int64_t stream)
{
	char text[32];

	snprintf(text, sizeof text, ",%lld,", (long long)stream);
	return strstr(call->b->streams, text) ? stream_row(stream) : NULL;
}

static int by_number(const void *a, const void *b)
{
	const int64_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

static bool waits_on(struct call *call, const struct txn *t)
{
	if (!t || t == call->b->txn || !in_progress(t))
		return false;
	call->b->waits_on = (struct txn *)(uintptr_t)t;
	return true;
}

enum verdict lock_hooks(struct call *call)
{
	struct elements schools = elements_of(&call->param[0]), alones = elements_of(&call->param[1]);
	struct cell school, alone;

	while (take(&schools, &school) && take(&alones, &alone)) {
		struct hook_lock *l = db.hook_locks;
		while (l->school && l->school != number(school))
			l++;
		l->school = number(school);
		if (waits_on(call, l->alone))
			return BLOCKED;
		size_t place = HOOK_HOLDERS;
		for (size_t i = 0; i < HOOK_HOLDERS; i++) {
			if (alone.data[0] && waits_on(call, l->together[i]))
				return BLOCKED;
			if (!l->together[i] || !in_progress(l->together[i]) || l->together[i] == call->b->txn)
				place = i;
		}
		if (place == HOOK_HOLDERS)
			sim_fail("model", "more transactions than there are backends");
		if (alone.data[0])
			l->alone = call->b->txn;
		else
			l->together[place] = call->b->txn;
	}
	return DONE;
}

enum verdict lock_streams(struct call *call)
{
	struct elements ids = elements_of(&call->param[0]);
	int64_t list[64];
	size_t n = 0;
	struct cell id;

	while (take(&ids, &id) && n < 64)
		list[n++] = number(id);
	qsort(list, n, sizeof *list, by_number); /* ORDER BY stream_id */
	for (size_t i = 0; i < n; i++)
		if (stream_in_scope(call, list[i]) && lock_row(call, stream_row(list[i])) == BLOCKED)
			return BLOCKED;
	PGresult *r = ROWS(call, PG_INT8);
	for (size_t i = 0; i < n; i++)
		put_int8(r, (int)i, 0, list[i]);
	return DONE;
}

static enum verdict write_feed(struct call *call, const struct cell *param, bool fresh,
	const int64_t *streams, const uint64_t *bases, size_t count)
{
	struct elements e[6];
	struct cell c[6];

	columns_of(param, e, 6);
	while (take_row(e, c, 6)) {
		size_t k = 0;
		while (k < count && streams[k] != number(c[0]))
			k++;
		if (k == count)
			continue; /* JOIN u: a stream that does not exist */
		struct db_feed *f = keep(sizeof *f);
		uint8_t key[8 + ID_SIZE];
		f->stream = number(c[0]);
		memcpy(f->id, c[1].data, ID_SIZE);
		f->seq = bases[k] + (uint64_t)number(c[2]);
		f->ver = number(c[3]);
		f->kind = (unsigned)number(c[4]);
		f->action = (unsigned)number(c[5]);
		put_be64(key, (uint64_t)f->stream);
		memcpy(key + 8, f->id, ID_SIZE);
		struct db_row *row = row_get(T_FEED, key_of(T_FEED, key, sizeof key), true);
		for (struct db_row *other = db.first[T_FEED]; other; other = other->next) {
			const struct db_feed *o =
				other == row ? NULL : row_read(other, call->b->txn, UINT64_MAX);
			if (o && o->stream == f->stream && o->seq == f->seq)
				return failed(call, "23505"); /* feed_seq is unique */
		}
		if (fresh) {
			if (row_read(row, call->b->txn, UINT64_MAX))
				return failed(call, "23505");
		} else if (lock_row(call, row) == BLOCKED) {
			return BLOCKED;
		} else if (row->newest && row->newest->by == call->b->txn) {
			/* by this very statement: ON CONFLICT affects no row twice */
			return failed(call, "21000");
		}
		row_write(row, call->b->txn, f);
	}
	return DONE;
}

static enum verdict write_streams(struct call *call, bool sequence)
{
	struct elements e[12];
	struct cell c[12];
	int64_t streams[64];
	uint64_t bases[64];
	size_t n = 0, wanted = get_be32(call->param[0].data + 12);

	columns_of(call->param, e, 12);
	while (n < 64 && take_row(e, c, 12)) {
		struct db_row *row = stream_in_scope(call, number(c[0]));
		if (!row)
			continue;
		if (lock_row(call, row) == BLOCKED)
			return BLOCKED;
		struct db_stream *s = keep(sizeof *s);
		struct db_link *l = keep(sizeof *l);
		uint8_t key[16];
		*s = *(const struct db_stream *)row_read(row, call->b->txn, UINT64_MAX);
		streams[n] = s->id;
		bases[n] = sequence ? call->b->txn->drawn : s->seq;
		s->seq = bases[n] + (uint64_t)number(c[1]) > s->seq ? bases[n] + (uint64_t)number(c[1])
								    : s->seq;
		n++;
		for (int k = 0; k < LANES; k++)
			s->lanes[k] += (uint32_t)number(c[2 + k]);
		s->audit_n++;
		audit_next(s->head, s->audit_n, c[11].data);
		row_write(row, call->b->txn, s);
		*l = (struct db_link){.stream = s->id, .n = s->audit_n, .parts = keep_value(c[10])};
		memcpy(l->root, c[11].data, HASH_SIZE);
		memcpy(l->head, s->head, HASH_SIZE);
		put_be64(key, (uint64_t)l->stream);
		put_be64(key + 8, l->n);
		enum verdict v = insert_row(call, T_LINK, key, sizeof key, l);
		if (v != DONE)
			return v;
	}
	if (n != wanted)
		return failed(call, "JG003");
	enum verdict v = write_feed(call, &call->param[12], true, streams, bases, n);
	if (v == DONE)
		v = write_feed(call, &call->param[18], false, streams, bases, n);
	if (v == DONE)
		ROWS(call, PG_TEXT);
	return v;
}

enum verdict apply_streams(struct call *call)
{
	return write_streams(call, false);
}

/* For the bank. */
enum verdict apply_drawn(struct call *call)
{
	return write_streams(call, true);
}

enum verdict insert_pushes(struct call *call)
{
	struct elements e[7];
	struct cell c[7];

	columns_of(call->param, e, 7);
	while (take_row(e, c, 7)) {
		struct db_push *p = keep(sizeof *p);
		uint8_t key[ID_SIZE + 12];
		memcpy(p->device, c[0].data, ID_SIZE);
		p->incarnation = (uint32_t)number(c[1]);
		p->first = (uint64_t)number(c[2]);
		p->last = (uint64_t)number(c[3]);
		p->shas = keep_value(c[5]);
		p->results = keep_value(c[6]);
		if (p->first > p->last || p->shas.len != HASH_SIZE * (p->last - p->first + 1))
			return failed(call, "23514");
		demand(p->results.len, "I3", "the answers of a push are not kept");
		memcpy(key, p->device, ID_SIZE);
		put_be32(key + ID_SIZE, p->incarnation);
		put_be64(key + ID_SIZE + 4, p->last);
		enum verdict v = insert_row(call, T_PUSH, key, sizeof key, p);
		if (v != DONE)
			return v;
	}
	return DONE;
}

enum verdict update_devices(struct call *call)
{
	struct elements e[6];
	struct cell c[6]; /* the last one, what the computer has made, is shown to people only */

	columns_of(call->param, e, 6);
	while (take_row(e, c, 6)) {
		struct db_device *d;
		struct db_row *row = row_get(T_DEVICE, key_of(T_DEVICE, c[0].data, ID_SIZE), false);
		enum verdict v = update_device_row(call, row, &d);
		if (v != DONE)
			return v;
		d->last_op = (uint64_t)number(c[1]);
		memcpy(d->last_hash, c[2].data, HASH_SIZE);
		d->dup_seen += (uint64_t)number(c[3]);
		d->incarnation = (uint32_t)number(c[4]);
	}
	return DONE;
}
