/* PostgreSQL as far as the push, the pull, HELLO and the epoch use it: versions of rows, row locks, READ COMMITTED and
 * REPEATABLE READ snapshots, unique indexes, a WAL that a standby follows, and the statements themselves.
 *
 * Every SQL text is known by its beginning and pinned by its hash: who changes a statement is told to look at the model's
 * reading of it. The statements that record_db.c makes for each kind are held to the clauses that they must have. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "date.h"
#include "pg_array.h"
#include "sim_pg.h"
#include "tables.h"

#define SLOTS 16384 /* of the index over all rows; a history has a few thousand */
#define FLUSH_US draw_between(200, 4000) /* of a commit to the disk */

/* ---- rows and their versions ---- */

struct version {
	struct version *older;
	struct txn *by;
	void *data; /* NULL: deleted */
};

struct db_row {
	struct db_row *next; /* of the table, in the order they came */
	unsigned table;
	uint64_t key;
	struct version *newest;
	const struct txn *locker;
};

struct row_ref {
	struct db_row *row;
};

struct record_row {
	uint8_t id[ID_SIZE];
	const struct kind *kind;
	struct cell header[8]; /* as record_db.c writes them; [4] is gver, here int4[] */
	struct cell column[KIND_FIELDS_MAX];
};

struct county_row {
	uint64_t epoch, timeline;
};

#define HOOK_HOLDERS 32 /* transactions at once: those of killed servers too, until the database notices */

static struct {
	enum replication mode;
	bool up, full, standby;
	uint64_t timeline;
	uint64_t vis, commit_no, replicated;
	uint64_t aged, sequence, xid;
	uint64_t backup; /* commit number, 0 = none yet */
	struct db_row *index[SLOTS];
	struct db_row *first[T_COUNT], *last[T_COUNT];
	struct txn *log, *log_last;
	struct txn initial;
	/* Advisory locks of the schools. */
	struct hook_lock { int64_t school; const struct txn *alone, *together[HOOK_HOLDERS]; } hook_locks[SIM_STREAMS];
	struct arena arena;
	/* What every stream's digest was, by seq: I7. */
	struct lanes_log { struct lanes_log *next; int64_t stream; uint64_t seq; uint32_t lanes[LANES]; } *lanes;
} db;

static void *keep(size_t n)
{
	void *p = arena_alloc(&db.arena, n);

	if (!p)
		abort();
	return p;
}

static struct cell keep_cell(struct cell c)
{
	if (c.len < 0)
		return c;
	uint8_t *to = keep((size_t)c.len + 1);
	memcpy(to, c.data, (size_t)c.len);
	return (struct cell){to, c.len};
}

static uint64_t key_of(unsigned table, const void *key, size_t n)
{
	uint64_t h = UINT64_C(1469598103934665603) ^ table;

	for (size_t i = 0; i < n; i++)
		h = (h ^ ((const uint8_t *)key)[i]) * UINT64_C(1099511628211);
	return h | 1;
}

static struct db_row *row_get(unsigned table, uint64_t key, bool make)
{
	size_t i = (size_t)(key ^ key >> 29) % SLOTS;

	while (db.index[i] && (db.index[i]->key != key || db.index[i]->table != table))
		i = (i + 1) % SLOTS;
	if (db.index[i] || !make)
		return db.index[i];
	struct db_row *r = keep(sizeof *r);
	r->table = table;
	r->key = key;
	db.index[i] = r;
	if (db.last[table])
		db.last[table]->next = r;
	else
		db.first[table] = r;
	db.last[table] = r;
	return r;
}

static bool sees(const struct version *v, const struct txn *mine, uint64_t snapshot)
{
	return v->by == mine || (v->by->state == TXN_VISIBLE && v->by->vis <= snapshot);
}

/* NULL when there is no such row for this snapshot. */
static void *row_read(const struct db_row *r, const struct txn *mine, uint64_t snapshot)
{
	for (const struct version *v = r ? r->newest : NULL; v; v = v->older)
		if (sees(v, mine, snapshot))
			return v->data;
	return NULL;
}

static bool in_progress(const struct txn *t)
{
	return t && (t->state == TXN_ACTIVE || t->state == TXN_WAITING);
}

static void row_write(struct db_row *r, struct txn *t, void *data)
{
	struct version *v = keep(sizeof *v);

	*v = (struct version){r->newest, t, data};
	r->newest = v;
	if (t->count == t->room) {
		size_t room = t->room ? t->room * 2 : 32;
		struct row_ref *bigger = keep(sizeof *bigger * room);
		if (t->count)
			memcpy(bigger, t->writes, sizeof *bigger * t->count);
		t->writes = bigger;
		t->room = room;
	}
	t->writes[t->count++].row = r;
}

static void undo_to(struct txn *t, size_t mark)
{
	while (t->count > mark) {
		struct db_row *r = t->writes[--t->count].row;
		r->newest = r->newest->older;
	}
}

static void undo(struct txn *t)
{
	for (size_t i = 0; i < t->count; i++)
		for (struct version **v = &t->writes[i].row->newest; *v;)
			if ((*v)->by == t)
				*v = (*v)->older;
			else
				v = &(*v)->older;
	t->state = TXN_ABORTED;
}

/* ---- transactions ---- */

bool db_is_up(void)
{
	return db.up;
}

static struct txn *txn_new(struct pg_conn *c)
{
	struct txn *t = keep(sizeof *t);

	t->conn = c;
	return t;
}

void db_command(struct backend *b, const char *sql)
{
	const char *value = strchr(sql, '\'');
	char text[512];

	snprintf(text, sizeof text, "%s", value ? value + 1 : "");
	if (text[0])
		text[strlen(text) - 1] = 0;
	if (strncmp(sql, "BEGIN", 5) == 0) {
		b->txn = txn_new(NULL);
		b->failed = false;
		b->repeatable = strstr(sql, "REPEATABLE READ") != NULL;
		b->snapshot = 0;
		b->replica = false;
	} else if (strcmp(sql, "ROLLBACK") == 0) {
		db_abort(b);
	} else if (strstr(sql, "app.scope")) {
		b->scope = strcmp(text, "job") == 0 ? SCOPE_JOB : strcmp(text, "bureau") == 0 ? SCOPE_BUREAU : SCOPE_SCHOOL;
	} else if (strstr(sql, "app.schools")) {
		snprintf(b->schools, sizeof b->schools, "%s", text);
	} else if (strstr(sql, "app.node")) {
		b->replica = true; /* the bank's bug: reading where the tail has not arrived */
	} else if (!strstr(sql, "app.county") && !strstr(sql, "app.streams") && !strstr(sql, "synchronous_commit = local")) {
		sim_fail("model", "unknown command: %s", sql);
	}
}

static void ended(struct txn *t)
{
	pg_txn_ended(t);
}

void db_abort(struct backend *b)
{
	struct txn *t = b->txn;

	b->txn = NULL;
	b->failed = false;
	b->snapshot = 0;
	b->waits_on = NULL;
	if (!t || t->state != TXN_ACTIVE)
		return;
	undo(t);
	ended(t);
}

static void log_lanes(const struct txn *t)
{
	for (size_t i = 0; i < t->count; i++) {
		const struct db_stream *s = t->writes[i].row->table == T_STREAM ? row_read(t->writes[i].row, t, 0) : NULL;
		if (!s)
			continue;
		struct lanes_log *l = keep(sizeof *l);
		*l = (struct lanes_log){.next = db.lanes, .stream = s->id, .seq = s->seq};
		memcpy(l->lanes, s->lanes, sizeof l->lanes);
		db.lanes = l;
	}
}

bool db_lanes_at(int64_t stream, uint64_t seq, uint32_t out[LANES])
{
	for (const struct lanes_log *l = db.lanes; l; l = l->next)
		if (l->stream == stream && l->seq == seq) {
			memcpy(out, l->lanes, sizeof l->lanes);
			return true;
		}
	memset(out, 0, LANES * sizeof *out);
	return seq == 0;
}

static void make_visible(struct txn *t, bool warned)
{
	struct pg_conn *c = t->conn;

	if (t->state != TXN_WAITING)
		return;
	t->state = TXN_VISIBLE;
	t->vis = ++db.vis;
	log_lanes(t);
	ended(t);
	if (c) {
		t->conn = NULL;
		pg_committed(c, warned);
	}
}

/* The standby takes what is in the WAL, in its order: this transaction and whatever else is on the disk by now. */
static void on_replicated(void *data)
{
	struct txn *t = data;

	if (!db.standby || t->state == TXN_ABORTED || t->commit_no <= db.replicated)
		return;
	for (struct txn *x = db.log; x; x = x->next) {
		if (x->state == TXN_ABORTED || x->commit_no <= db.replicated)
			continue;
		if (!x->flushed)
			return; /* not yet in the WAL: nothing behind it is either */
		db.replicated = x->commit_no;
		if (db.mode == SYNCHRONOUS)
			make_visible(x, false);
	}
}

static void on_flushed(void *data)
{
	struct txn *t = data;

	if (t->state != TXN_WAITING)
		return;
	t->flushed = true;
	if (db.mode != SYNCHRONOUS)
		make_visible(t, false);
	if (db.mode != SINGLE)
		sim_at(db.mode == SYNCHRONOUS ? draw_between(300, 3000) : draw_between(1 * MS, 2 * SECOND), &db, on_replicated, t);
}

static void wal_add(struct txn *t)
{
	t->state = TXN_WAITING;
	t->commit_no = ++db.commit_no;
	if (db.log_last)
		db.log_last->next = t;
	else
		db.log = t;
	db.log_last = t;
}

static void on_read_only(void *data)
{
	struct txn *t = data;
	struct pg_conn *c = t->conn;

	t->conn = NULL;
	if (c)
		pg_committed(c, false);
}

void db_commit(struct backend *b, struct pg_conn *c)
{
	struct txn *t = b->txn;

	b->txn = NULL;
	b->snapshot = 0;
	t->conn = c;
	if (!t->count) {
		t->state = TXN_VISIBLE;
		t->vis = db.vis;
		ended(t);
		sim_at(20, &db, on_read_only, t);
		b->txn = NULL;
		return;
	}
	wal_add(t);
	sim_at(FLUSH_US, &db, on_flushed, t);
}

void db_standby(bool alive)
{
	db.standby = alive;
	for (struct txn *t = db.log; alive && t; t = t->next)
		if (t->flushed && t->state != TXN_ABORTED && t->commit_no > db.replicated)
			sim_at(draw_between(1 * MS, 50 * MS), &db, on_replicated, t);
}

/* An operator's cancel ends the wait for the standby: the tag is COMMIT, a WARNING says that it may be lost (finding 4). */
void db_cancel_wait(void)
{
	for (struct txn *t = db.log; t; t = t->next)
		if (t->state == TXN_WAITING && t->flushed && t->conn) {
			sim_met("commit cancelled while waiting");
			make_visible(t, true);
			return;
		}
}

static void cut_after(uint64_t commit_no)
{
	struct txn *t;

	for (t = db.log; t; t = t->next)
		if (t->commit_no > commit_no && t->state != TXN_ABORTED) {
			if (t->state == TXN_VISIBLE)
				world.lossy++;
			undo(t);
		}
	/* What the lost tail said of the streams never was. */
	for (struct lanes_log **l = &db.lanes; *l;) {
		const struct db_stream *s = db_find(T_STREAM, &(*l)->stream, sizeof (*l)->stream);
		if (s && (*l)->seq > s->seq)
			*l = (*l)->next;
		else
			l = &(*l)->next;
	}
	db.commit_no = commit_no;
	for (db.xid = 0, t = db.log; t; t = t->next)
		db.xid = t->state == TXN_VISIBLE && t->xid > db.xid ? t->xid : db.xid;
	if (db.replicated > commit_no)
		db.replicated = commit_no;
}

static void on_up(void *data)
{
	(void)data;
	db.up = true;
	sim_trace("database up", db.timeline, 0);
}

/* What waited for the disk is there or not; what the disk has is there, replicated or not (finding 2). */
void db_crash(void)
{
	db.up = false;
	pg_kill_all();
	for (struct txn *t = db.log; t; t = t->next)
		if (t->state == TXN_WAITING) {
			t->conn = NULL;
			if (t->flushed || chance(500)) {
				t->flushed = true;
				make_visible(t, false);
			} else {
				undo(t);
				t->commit_no = UINT64_MAX; /* never was in the WAL */
			}
		}
	sim_met("database restarted");
	sim_trace("database restarted", db.commit_no, db.replicated);
	sim_at(draw_between(200 * MS, 2 * SECOND), &db, on_up, NULL);
}

void db_failover(void)
{
	uint64_t last = db.commit_no, lossy = world.lossy;

	db.up = false;
	pg_kill_all();
	cut_after(db.replicated);
	if (db.mode == SYNCHRONOUS)
		check_kept(lossy);
	sim_met(last > db.replicated ? "failover lost a tail" : "failover");
	sim_trace("failover", last, db.replicated);
	db.timeline++;
	db.standby = true;
	sim_at(draw_between(1 * SECOND, 10 * SECOND), &db, on_up, NULL);
}

/* What the disk has, in the WAL's order: up to the first that it has not. */
void db_backup(void)
{
	db.backup = 0;
	for (const struct txn *t = db.log; t && (t->flushed || t->state == TXN_ABORTED); t = t->next)
		if (t->state != TXN_ABORTED)
			db.backup = t->commit_no;
}

void db_full(bool full)
{
	db.full = full;
}

void db_kill_backend(void)
{
	pg_kill_one();
	sim_met("backend killed");
}

static void write_epoch(uint64_t epoch, uint64_t timeline)
{
	struct county_row *c = keep(sizeof *c);
	struct txn *t = txn_new(NULL);

	*c = (struct county_row){epoch, timeline};
	row_write(row_get(T_COUNTY, key_of(T_COUNTY, "", 0), true), t, c);
	wal_add(t);
	t->state = TXN_VISIBLE;
	t->vis = ++db.vis;
	t->flushed = true;
	db.replicated = db.commit_no;
}

uint64_t db_epoch(void)
{
	const struct county_row *c = row_read(row_get(T_COUNTY, key_of(T_COUNTY, "", 0), false), NULL, UINT64_MAX);

	return c->epoch;
}

/* The clock in milliseconds, so that none comes twice though the row that says so may be lost. */
static uint64_t epoch_after(uint64_t epoch)
{
	uint64_t clock = UINT64_C(1780272000000) + sim_now() / MS;

	return epoch + 1 > clock ? epoch + 1 : clock;
}

bool db_restore(void)
{
	uint64_t epoch = db_epoch();

	if (!db.backup)
		return false;
	db.up = false;
	pg_kill_all();
	world.lossy++;
	cut_after(db.backup);
	/* What only waited for the standby when the backup was taken is in the backup's WAL. */
	for (struct txn *t = db.log; t; t = t->next)
		make_visible(t, false);
	db.timeline++;
	write_epoch(epoch_after(epoch), db.timeline);
	sim_met("restored from a backup");
	sim_trace("restored", db.backup, 0);
	sim_at(draw_between(1 * SECOND, 10 * SECOND), &db, on_up, NULL);
	return true;
}

/* ---- reading by the world and the checks ---- */

void db_each(unsigned table, void (*fn)(void *data, const void *row), void *data)
{
	for (const struct db_row *r = db.first[table]; r; r = r->next) {
		const void *row = row_read(r, NULL, UINT64_MAX);
		if (row)
			fn(data, row);
	}
}

const void *db_find(unsigned table, const void *key, size_t n)
{
	return row_read(row_get(table, key_of(table, key, n), false), NULL, UINT64_MAX);
}

/* ---- parameters and results ---- */

struct elements {
	const uint8_t *at;
	uint32_t left;
};

static struct elements elements_of(const struct cell *p)
{
	return p->len >= 20 ? (struct elements){p->data + 20, get_be32(p->data + 12)} : (struct elements){NULL, 0};
}

static bool take(struct elements *e, struct cell *out)
{
	if (!e->left)
		return false;
	uint32_t n = get_be32(e->at);
	e->left--;
	*out = (struct cell){e->at + 4, n == UINT32_MAX ? -1 : (int)n};
	e->at += 4 + (n == UINT32_MAX ? 0 : n);
	return true;
}

static int64_t number(struct cell c)
{
	return c.len == 8 ? (int64_t)get_be64(c.data) : c.len == 4 ? (int32_t)get_be32(c.data) : c.len == 2 ? (int16_t)get_be16(c.data) : c.len == 1 ? c.data[0] : 0;
}

static bool cell_is(struct cell c, const void *data, size_t n)
{
	return c.len == (int)n && memcmp(c.data, data, n) == 0;
}

static void text_of(struct cell c, char *to, size_t size)
{
	snprintf(to, size, "%.*s", c.len < 0 ? 0 : c.len, (const char *)c.data);
}

static PGresult *rows_begin(const enum pg_type *types, int n)
{
	PGresult *r = PQmakeEmptyPGresult(NULL, PGRES_TUPLES_OK);
	PGresAttDesc columns[KIND_FIELDS_MAX + 16];

	for (int i = 0; i < n; i++)
		columns[i] = (PGresAttDesc){.name = (char *)"", .format = 1, .typid = (Oid)types[i]};
	PQsetResultAttrs(r, n, columns);
	return r;
}

static void put_cell(PGresult *r, int row, int column, struct cell c)
{
	PQsetvalue(r, row, column, (char *)(uintptr_t)c.data, c.len);
}

static void put_bytes(PGresult *r, int row, int column, const void *data, size_t n)
{
	put_cell(r, row, column, (struct cell){data, (int)n});
}

static void put_int4(PGresult *r, int row, int column, int64_t v)
{
	uint8_t b[4];

	put_be32(b, (uint32_t)v);
	put_bytes(r, row, column, b, 4);
}

static void put_int8(PGresult *r, int row, int column, int64_t v)
{
	uint8_t b[8];

	put_be64(b, (uint64_t)v);
	put_bytes(r, row, column, b, 8);
}

static void put_int2(PGresult *r, int row, int column, int v)
{
	uint8_t b[2] = {(uint8_t)(v >> 8), (uint8_t)v};

	put_bytes(r, row, column, b, 2);
}

static void put_bool(PGresult *r, int row, int column, bool v)
{
	uint8_t b = v;

	put_bytes(r, row, column, &b, 1);
}

static void put_text(PGresult *r, int row, int column, const char *text)
{
	put_bytes(r, row, column, text, strlen(text));
}

#define ROWS(call, ...) ((call)->rows = rows_begin((const enum pg_type[]){__VA_ARGS__}, (int)(sizeof((enum pg_type[]){__VA_ARGS__}) / sizeof(enum pg_type))))

/* ---- locks and unique indexes ---- */

/* FOR UPDATE: waits for whoever holds it. */
static enum verdict lock_row(struct call *call, struct db_row *r)
{
	struct txn *mine = call->b->txn;

	if (in_progress(r->locker) && r->locker != mine) {
		call->b->waits_on = r->locker;
		return BLOCKED;
	}
	if (r->newest && r->newest->by != mine && in_progress(r->newest->by)) {
		call->b->waits_on = r->newest->by;
		return BLOCKED;
	}
	r->locker = mine;
	return DONE;
}

static enum verdict failed(struct call *call, const char *state)
{
	call->state = state;
	return FAILED;
}

/* A unique index on the key of the row itself. */
static enum verdict insert_row(struct call *call, unsigned table, const void *key, size_t n, void *data)
{
	struct db_row *r = row_get(table, key_of(table, key, n), true);

	if (r->newest && r->newest->by != call->b->txn && in_progress(r->newest->by)) {
		call->b->waits_on = r->newest->by;
		return BLOCKED;
	}
	if (row_read(r, call->b->txn, UINT64_MAX))
		return failed(call, "23505");
	row_write(r, call->b->txn, data);
	return DONE;
}

static uint64_t snapshot(const struct call *call)
{
	return call->b->snapshot;
}

static void *read_key(const struct call *call, unsigned table, const void *key, size_t n)
{
	return row_read(row_get(table, key_of(table, key, n), false), call->b->txn, snapshot(call));
}

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

static enum verdict hello_device(struct call *call)
{
	const struct db_device *d;
	PGresult *r = ROWS(call, PG_UUID, PG_TEXT, PG_INT4, PG_INT8, PG_BYTEA, PG_BOOL, PG_TIMESTAMPTZ, PG_TEXT, PG_BOOL, PG_INT8, PG_TIMESTAMPTZ, PG_TEXT);

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

static enum verdict update_device_row(struct call *call, struct db_row *row, struct db_device **out)
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
static enum verdict nothing(struct call *call)
{
	(void)call;
	return DONE;
}

/* For the bank: a line that begins with HELLO. */
static enum verdict write_line(struct call *call)
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

/* ---- trip 1 of a push ---- */

static enum verdict lock_devices(struct call *call)
{
	struct elements ids = elements_of(&call->param[0]);
	struct cell id;
	int n = 0;

	for (struct elements e = ids; take(&e, &id);) {
		struct db_row *row = row_get(T_DEVICE, key_of(T_DEVICE, id.data, ID_SIZE), false);
		if (row && row_read(row, call->b->txn, snapshot(call)) && lock_row(call, row) == BLOCKED)
			return BLOCKED;
	}
	PGresult *r = ROWS(call, PG_UUID, PG_INT4, PG_INT8, PG_BYTEA, PG_BOOL, PG_INT8);
	while (take(&ids, &id)) {
		const struct db_device *d = row_read(row_get(T_DEVICE, key_of(T_DEVICE, id.data, ID_SIZE), false), call->b->txn, UINT64_MAX);
		if (!d)
			continue;
		put_bytes(r, n, 0, d->id, ID_SIZE);
		put_int4(r, n, 1, d->incarnation);
		put_int8(r, n, 2, (int64_t)d->last_op);
		put_bytes(r, n, 3, d->last_hash, HASH_SIZE);
		put_bool(r, n, 4, false);
		put_int8(r, n++, 5, (int64_t)((const struct county_row *)read_key(call, T_COUNTY, "", 0))->epoch);
	}
	return DONE;
}

static struct cell int4_array(const int32_t *v, uint32_t n)
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

/* Two people a school: reg-N keeps the register, tea-N teaches class 1. */
static enum verdict read_authors(struct call *call)
{
	struct elements devices = elements_of(&call->param[0]), names = elements_of(&call->param[1]), schools = elements_of(&call->param[2]);
	static const char *const classes[] = {"1"};
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
		put_cell(r, n, 3, text_array(classes, teacher));
		put_bool(r, n++, 4, cell_is(school, sim_schools[of], 10));
	}
	return DONE;
}

static enum verdict read_replays(struct call *call)
{
	struct elements devices = elements_of(&call->param[0]), lines = elements_of(&call->param[1]), ops = elements_of(&call->param[2]);
	struct cell device, line, op;
	const struct db_push *found[600];
	int n = 0;

	while (take(&devices, &device) && take(&lines, &line) && take(&ops, &op)) {
		const struct db_push *best = NULL;
		for (struct db_row *row = db.first[T_PUSH]; row; row = row->next) {
			const struct db_push *p = row_read(row, call->b->txn, snapshot(call));
			if (p && cell_is(device, p->device, ID_SIZE) && p->incarnation == (uint32_t)number(line) && (int64_t)p->last >= number(op) &&
				(!best || p->last < best->last))
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

static enum verdict read_writers(struct call *call)
{
	struct elements ords = elements_of(&call->param[0]), ids = elements_of(&call->param[1]), masks = elements_of(&call->param[2]);
	struct cell ord, id, mask;
	int n = 0;

	PGresult *r = ROWS(call, PG_INT4, PG_TEXT, PG_TIMESTAMPTZ);
	while (take(&ords, &ord) && take(&ids, &id) && take(&masks, &mask)) {
		const struct db_history *best = NULL;
		for (struct db_row *row = db.first[T_HISTORY]; row; row = row->next) {
			const struct db_history *h = row_read(row, call->b->txn, snapshot(call));
			if (h && cell_is(id, h->id, ID_SIZE) && (h->groups & (uint32_t)number(mask)) && (!best || h->ver > best->ver))
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

static struct cell class_cell(const struct call *call, uint32_t kind, struct cell id)
{
	const struct record_row *x = id.len == ID_SIZE ? read_key(call, T_RECORD + kind, id.data, ID_SIZE) : NULL;

	return x ? x->column[kind_field_index(x->kind, "class_no")] : (struct cell){NULL, -1};
}

static enum verdict read_classes(struct call *call)
{
	struct elements ords = elements_of(&call->param[0]), ids = elements_of(&call->param[1]), ofs = elements_of(&call->param[2]);
	struct cell ord, id, of;
	int n = 0;

	PGresult *r = ROWS(call, PG_INT4, PG_TEXT);
	while (take(&ords, &ord) && take(&ids, &id) && take(&ofs, &of)) {
		const struct record_row *g = read_key(call, T_RECORD + KIND_GUARDIAN, id.data, ID_SIZE);
		struct cell c = g ? class_cell(call, KIND_STUDENT, g->column[F_GUARDIAN_STUDENT]) : (struct cell){NULL, -1};
		if (c.len < 0)
			c = class_cell(call, KIND_STUDENT, of);
		if (c.len < 0)
			c = class_cell(call, KIND_DESTINATION, of);
		if (c.len < 0)
			continue;
		put_cell(r, n, 0, ord);
		put_cell(r, n++, 1, c);
	}
	return DONE;
}

static enum verdict read_hangers(struct call *call)
{
	static const uint32_t hanging[] = {KIND_GUARDIAN, KIND_EVIDENCE};
	struct elements ords = elements_of(&call->param[0]), ids = elements_of(&call->param[1]);
	struct cell ord, id;
	int n = 0;

	PGresult *r = ROWS(call, PG_INT4, PG_UUID);
	while (take(&ords, &ord) && take(&ids, &id))
		for (size_t k = 0; k < sizeof hanging / sizeof *hanging; k++)
			for (struct db_row *row = db.first[T_RECORD + hanging[k]]; row; row = row->next) {
				const struct record_row *x = row_read(row, call->b->txn, snapshot(call));
				if (!x || x->header[5].data[0] || !cell_is(x->column[x->kind->of], id.data, (size_t)id.len))
					continue;
				put_cell(r, n, 0, ord);
				put_bytes(r, n++, 1, x->id, ID_SIZE);
			}
	return DONE;
}

static enum verdict read_day(struct call *call)
{
	PGresult *r = ROWS(call, PG_DATE, PG_INT4_ARRAY);

	put_int4(r, 0, 0, date_days(20260601) - PG_EPOCH_DAYS);
	put_cell(r, 0, 1, int4_array(NULL, 0));
	return DONE;
}

static enum verdict read_others(struct call *call)
{
	struct elements ords = elements_of(&call->param[0]), categories = elements_of(&call->param[1]), codes = elements_of(&call->param[2]);
	struct cell ord, category, code;
	int n = 0;

	PGresult *r = ROWS(call, PG_INT4, PG_TEXT);
	while (take(&ords, &ord) && take(&categories, &category) && take(&codes, &code)) {
		bool junior = cell_is(code, sim_schools[SIM_SCHOOLS - 1], 10);
		put_cell(r, n, 0, ord);
		put_cell(r, n++, 1, junior && category.len > 0 && category.data[0] == 'A' ? code : (struct cell){NULL, -1});
	}
	return DONE;
}


/* ---- records ---- */

static enum pg_type column_type(const struct field *f)
{
	static const enum pg_type types[] = {[FIELD_TEXT] = PG_TEXT, [FIELD_BYTES] = PG_BYTEA, [FIELD_INT32] = PG_INT4,
		[FIELD_INT64] = PG_INT8, [FIELD_BOOL] = PG_BOOL};

	return strcmp(f->check, "date") == 0 ? PG_DATE : strcmp(f->check, "time") == 0 ? PG_TIMESTAMPTZ : strcmp(f->check, "uuid") == 0 ? PG_UUID : types[f->type];
}

static bool school_in(const struct backend *b, struct cell c)
{
	char text[16];

	text_of(c, text, sizeof text);
	return text[0] && strstr(b->schools, text) != NULL;
}

/* The row-level security policy of records: what this transaction may see. */
static bool may_see(const struct backend *b, const struct record_row *x)
{
	return b->scope != SCOPE_SCHOOL || school_in(b, x->header[1]) || school_in(b, x->header[2]);
}

static PGresult *record_rows(struct call *call, bool with_seq)
{
	static const enum pg_type header[] = {PG_INT8, PG_UUID, PG_TEXT, PG_TEXT, PG_INT8, PG_INT4_ARRAY, PG_BOOL, PG_BYTEA};
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

void db_record(const void *data, struct row *out)
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
			record_set_bytes(&out->state.record, (int)f, x->column[f].data, (size_t)x->column[f].len);
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
		if (x && may_see(call->b, x) && lock_row(call, row) == BLOCKED)
			return BLOCKED;
	}
	PGresult *r = record_rows(call, false);
	while (take(&ids, &id)) {
		struct db_row *row = row_get(table, key_of(table, id.data, ID_SIZE), false);
		const struct record_row *x = row_read(row, call->b->txn, snapshot(call));
		if (x && may_see(call->b, x))
			put_record(r, n++, 0, locking ? row_read(row, call->b->txn, UINT64_MAX) : x);
	}
	return DONE;
}

static enum verdict record_lock(struct call *call)
{
	return lock_records(call, true);
}

static enum verdict record_unlocked(struct call *call)
{
	return lock_records(call, false);
}

static enum verdict record_holders(struct call *call)
{
	struct elements keys = elements_of(&call->param[0]), owners = elements_of(&call->param[1]);
	struct cell key, owner;
	int n = 0;

	PGresult *r = ROWS(call, PG_TEXT, PG_TEXT, PG_UUID);
	while (take(&keys, &key) && take(&owners, &owner))
		for (struct db_row *row = db.first[T_RECORD + call->kind->number]; row; row = row->next) {
			const struct record_row *x = row_read(row, call->b->txn, snapshot(call));
			if (!x || x->header[5].data[0] || !cell_is(key, x->header[7].data, (size_t)(x->header[7].len < 0 ? 0 : x->header[7].len)) ||
				x->header[7].len <= 0 || !cell_is(owner, x->header[1].data, (size_t)x->header[1].len))
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

/* Rows of one stream with after < seq, in the order of seq. */
static size_t feed_rows(const struct call *call, int64_t stream, uint64_t after, const struct db_feed **out, size_t room)
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

#define FEED_ROOM 4096

static enum verdict record_changes(struct call *call)
{
	static const struct db_feed *rows[FEED_ROOM];
	size_t n = feed_rows(call, number(call->param[0]), (uint64_t)number(call->param[1]), rows, FEED_ROOM);
	unsigned table = T_RECORD + call->kind->number;
	int out = 0;

	PGresult *r = record_rows(call, true);
	for (size_t i = 0; i < n; i++) {
		if (rows[i]->seq > (uint64_t)number(call->param[2]) || rows[i]->kind != call->kind->number || rows[i]->action != 1)
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
				    memcmp(x->header[7].data, want->header[7].data, (size_t)x->header[7].len) == 0 &&
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

static enum verdict record_insert(struct call *call)
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

static enum verdict record_update(struct call *call)
{
	struct record_row **rows;
	size_t n = read_writes(call, &rows), met = 0;
	unsigned table = T_RECORD + call->kind->number;

	for (size_t i = 0; i < n; i++) {
		struct db_row *row = row_get(table, key_of(table, rows[i]->id, ID_SIZE), false);
		const struct record_row *x = row_read(row, call->b->txn, snapshot(call));
		if (!x || !may_see(call->b, x))
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

	for (int i = 0; i < 10; i++)
		e[i] = elements_of(&call->param[i]);
	while (e[0].left) {
		for (int i = 0; i < 10; i++)
			take(&e[i], &c[i]);
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

static enum verdict insert_history(struct call *call)
{
	return write_history(call, false);
}

/* For the bank. */
static enum verdict insert_history_or_nothing(struct call *call)
{
	return write_history(call, true);
}

static enum verdict insert_conflicts(struct call *call)
{
	struct elements e[10];
	struct cell c[10];

	for (int i = 0; i < 10; i++)
		e[i] = elements_of(&call->param[i]);
	while (e[0].left) {
		for (int i = 0; i < 10; i++)
			take(&e[i], &c[i]);
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

static struct db_row *stream_row(int64_t stream)
{
	return row_get(T_STREAM, key_of(T_STREAM, &stream, sizeof stream), false);
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

static enum verdict lock_hooks(struct call *call)
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

static enum verdict lock_streams(struct call *call)
{
	struct elements ids = elements_of(&call->param[0]);
	int64_t list[64];
	size_t n = 0;
	struct cell id;

	while (take(&ids, &id) && n < 64)
		list[n++] = number(id);
	qsort(list, n, sizeof *list, by_number); /* ORDER BY stream_id */
	for (size_t i = 0; i < n; i++)
		if (stream_row(list[i]) && lock_row(call, stream_row(list[i])) == BLOCKED)
			return BLOCKED;
	PGresult *r = ROWS(call, PG_INT8);
	for (size_t i = 0; i < n; i++)
		put_int8(r, (int)i, 0, list[i]);
	return DONE;
}

static enum verdict write_feed(struct call *call, const struct cell *param, bool fresh, const int64_t *streams, const uint64_t *bases, size_t count)
{
	struct elements e[6];
	struct cell c[6];

	for (int i = 0; i < 6; i++)
		e[i] = elements_of(&param[i]);
	while (e[0].left) {
		size_t k = 0;
		for (int i = 0; i < 6; i++)
			take(&e[i], &c[i]);
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
			const struct db_feed *o = other == row ? NULL : row_read(other, call->b->txn, UINT64_MAX);
			if (o && o->stream == f->stream && o->seq == f->seq)
				return failed(call, "23505"); /* feed_seq is unique */
		}
		if (fresh) {
			if (row_read(row, call->b->txn, UINT64_MAX))
				return failed(call, "23505");
		} else if (lock_row(call, row) == BLOCKED) {
			return BLOCKED;
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

	for (int i = 0; i < 12; i++)
		e[i] = elements_of(&call->param[i]);
	while (e[0].left && n < 64) {
		for (int i = 0; i < 12; i++)
			take(&e[i], &c[i]);
		struct db_row *row = stream_row(number(c[0]));
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
		s->seq = bases[n] + (uint64_t)number(c[1]) > s->seq ? bases[n] + (uint64_t)number(c[1]) : s->seq;
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

static enum verdict apply_streams(struct call *call)
{
	return write_streams(call, false);
}

/* For the bank. */
static enum verdict apply_drawn(struct call *call)
{
	return write_streams(call, true);
}

static enum verdict insert_pushes(struct call *call)
{
	struct elements e[7];
	struct cell c[7];

	for (int i = 0; i < 7; i++)
		e[i] = elements_of(&call->param[i]);
	while (e[0].left) {
		for (int i = 0; i < 7; i++)
			take(&e[i], &c[i]);
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

static enum verdict update_devices(struct call *call)
{
	struct elements e[5];
	struct cell c[5];

	for (int i = 0; i < 5; i++)
		e[i] = elements_of(&call->param[i]);
	while (e[0].left) {
		struct db_device *d;
		for (int i = 0; i < 5; i++)
			take(&e[i], &c[i]);
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

/* ---- formal reports ---- */

/* The live rows of a kind that a school has, for this statement. */
static const struct record_row *next_of(const struct call *call, struct cell school, struct db_row **at)
{
	while (*at) {
		const struct record_row *x = row_read(*at, call->b->txn, snapshot(call));
		*at = (*at)->next;
		if (x && !x->header[5].data[0] && cell_is(x->header[1], school.data, (size_t)school.len))
			return x;
	}
	return NULL;
}

/* As filing_gaps does: a pupil without a row of where he or she goes is a gap. */
static bool has_gap(const struct call *call, struct cell school)
{
	struct db_row *pupils = db.first[T_RECORD + KIND_STUDENT];
	const struct record_row *pupil, *d;

	while ((pupil = next_of(call, school, &pupils)) != NULL) {
		struct cell no = pupil->column[F_STUDENT_CERT_NO];
		struct db_row *destinations = db.first[T_RECORD + KIND_DESTINATION];
		while ((d = next_of(call, school, &destinations)) != NULL && !cell_is(no, d->column[F_DESTINATION_CERT_NO].data, (size_t)d->column[F_DESTINATION_CERT_NO].len))
			;
		if (!d)
			return true;
	}
	return false;
}

static enum verdict guard_filings(struct call *call)
{
	struct elements ords = elements_of(&call->param[0]), schools = elements_of(&call->param[1]), incompletes = elements_of(&call->param[4]);
	struct cell ord, school, incomplete;
	int n = 0;

	PGresult *r = ROWS(call, PG_INT4, PG_TEXT, PG_TEXT, PG_TEXT);
	while (take(&ords, &ord) && take(&schools, &school) && take(&incompletes, &incomplete)) {
		if (number(incomplete) || !has_gap(call, school))
			continue;
		put_cell(r, n, 0, ord);
		put_text(r, n, 1, "INCOMPLETE");
		put_text(r, n, 2, "destination");
		put_text(r, n++, 3, "学生材料不齐");
	}
	return DONE;
}

static enum verdict take_snapshot(struct call *call)
{
	const struct cell *filing = &call->param[3];
	const struct record_row *d;
	struct db_snapshot *s = keep(sizeof *s);
	size_t room = 0;

	PGresult *r = ROWS(call, PG_INT4);
	for (struct db_row *at = db.first[T_RECORD + KIND_DESTINATION]; at; at = at->next)
		room++;
	s->n = 0;
	s->rows = keep(sizeof *s->rows * (room + 1));
	memcpy(s->filing, filing->data, ID_SIZE);
	for (struct db_row *at = db.first[T_RECORD + KIND_DESTINATION]; (d = next_of(call, call->param[1], &at)) != NULL; s->n++) {
		memcpy(s->rows[s->n].id, d->id, ID_SIZE);
		s->rows[s->n].ver = number(d->header[3]);
	}
	put_int4(r, 0, 0, (int64_t)s->n);
	return read_key(call, T_SNAPSHOT, s->filing, ID_SIZE) ? DONE : insert_row(call, T_SNAPSHOT, s->filing, ID_SIZE, s);
}

/* ---- pull ---- */

static enum verdict read_stream(struct call *call)
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

static enum verdict read_feed(struct call *call)
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

static enum verdict count_feed(struct call *call)
{
	static const struct db_feed *rows[FEED_ROOM];
	size_t n = feed_rows(call, number(call->param[0]), (uint64_t)number(call->param[1]), rows, FEED_ROOM);

	put_int8(ROWS(call, PG_INT8), 0, 0, (int64_t)n);
	return DONE;
}

/* ---- jobs ---- */

static enum verdict read_denied(struct call *call)
{
	ROWS(call, PG_BYTEA, PG_INT8);
	return DONE;
}

static enum verdict read_clock(struct call *call)
{
	put_int8(ROWS(call, PG_INT8), 0, 0, 0);
	return DONE;
}

static enum verdict check_epoch(struct call *call)
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
			sim_met("graves purged");
		}
	}
	return DONE;
}

static enum verdict purge_graves(struct call *call)
{
	return purge(call, true);
}

/* For the bank. */
static enum verdict purge_silently(struct call *call)
{
	return purge(call, false);
}

/* For the bank: numbers drawn before the stream is locked. */
static enum verdict draw_numbers(struct call *call)
{
	call->b->txn->drawn = db.sequence;
	db.sequence += 100;
	ROWS(call, PG_INT8);
	return DONE;
}

/* For the bank: what a transaction's number says of its outcome. Numbers are given out again after a failover (finding 3). */
static enum verdict read_number(struct call *call)
{
	struct txn *t = call->b->txn;

	if (!t->xid)
		t->xid = ++db.xid;
	put_int8(ROWS(call, PG_INT8), 0, 0, (int64_t)t->xid);
	return DONE;
}

static enum verdict read_outcome(struct call *call)
{
	bool committed = false;

	for (const struct txn *t = db.log; t; t = t->next)
		committed |= t->xid == (uint64_t)number(call->param[0]) && t->state == TXN_VISIBLE;
	put_bool(ROWS(call, PG_BOOL), 0, 0, committed);
	return DONE;
}

/* ---- which text is which ---- */

struct statement {
	const char *begins, *holds; /* how it starts; what must stand in it besides */
	enum verdict (*run)(struct call *call);
	uint64_t hash; /* of the whole text; 0: made for each kind */
	bool writes;
};

static const struct statement statements[] = {
#include "sim_statements.def"
};

static const struct kind *kind_in(const char *sql)
{
	const struct kind *found = NULL;
	char pattern[64];

	for (size_t i = 0; i < kind_count; i++)
		for (size_t w = 0; w < 3; w++) {
			static const char *const words[] = {" FROM %s WHERE", "INSERT INTO %s (", "UPDATE %s t "};
			snprintf(pattern, sizeof pattern, words[w], kind_table[i].table);
			if (strstr(sql, pattern))
				found = &kind_table[i];
		}
	return found;
}

static struct { const char *sql; const struct statement *statement; const struct kind *kind; } known[512];

static size_t find_known(const char *sql)
{
	size_t i = ((uintptr_t)sql >> 4) % 512;

	while (known[i].sql && known[i].sql != sql)
		i = (i + 1) % 512;
	return i;
}

const struct statement *db_statement(const char *sql, const struct kind **kind)
{
	size_t at = find_known(sql);

	if (known[at].sql) {
		*kind = known[at].kind;
		return known[at].statement;
	}
	uint64_t h = key_of(0, sql, strlen(sql));
	for (size_t i = 0; i < sizeof statements / sizeof *statements; i++) {
		const struct statement *s = &statements[i];
		if (strncmp(sql, s->begins, strlen(s->begins)) != 0 || (s->holds && !strstr(sql, s->holds)))
			continue;
		if (s->hash && s->hash != h)
			continue;
		known[at].sql = sql;
		known[at].statement = s;
		known[at].kind = *kind = s->hash ? NULL : kind_in(sql);
		return s;
	}
	sim_fail("model", "this statement is new or changed: look at the model's reading of it (sim_db.c), then give it the hash 0x%016llx in sim_statements.def: %.200s",
		(unsigned long long)h, sql);
}

/* What the standby shows. */
static uint64_t replicated_vis(void)
{
	uint64_t vis = 1;

	for (const struct txn *t = db.log; t; t = t->next)
		if (t->state == TXN_VISIBLE && t->commit_no <= db.replicated && t->vis > vis)
			vis = t->vis;
	return vis;
}

enum verdict db_execute(struct call *call)
{
	struct backend *b = call->b;

	if (!b->txn) /* every statement of ours stands in a transaction */
		sim_fail("model", "a statement outside of a transaction");
	if (!b->snapshot)
		b->snapshot = b->replica ? replicated_vis() : db.vis;
	if (!b->snapshot)
		b->snapshot = 1;
	if (db.full && call->statement->writes) {
		if (!b->repeatable)
			b->snapshot = 0;
		sim_met("database's disk full");
		return failed(call, "53100");
	}
	size_t mark = b->txn->count;
	enum verdict v = call->statement->run(call);
	if (v != DONE) /* a statement is done wholly or not at all */
		undo_to(b->txn, mark);
	if (v == FAILED)
		sim_trace(call->statement->begins, (uint64_t)atoi(call->state), call->kind ? call->kind->number : 0);
	if (v == FAILED && call->rows) {
		PQclear(call->rows);
		call->rows = NULL;
	}
	if (v != BLOCKED && !b->repeatable)
		b->snapshot = 0;
	return v;
}

/* ---- a new history ---- */

void db_begin(enum replication mode)
{
	static bool made;

	if (made)
		arena_free(&db.arena);
	made = true;
	memset(&db, 0, sizeof db);
	arena_init(&db.arena, 1u << 30);
	db.mode = mode;
	db.up = db.standby = true;
	db.timeline = 1;
	db.vis = 1;
	struct txn *t = &db.initial;
	t->state = TXN_VISIBLE;
	t->vis = 1;
	for (unsigned i = 0; i < SIM_STREAMS; i++) {
		struct db_stream *s = keep(sizeof *s);
		s->id = sim_stream(i);
		row_write(row_get(T_STREAM, key_of(T_STREAM, &s->id, sizeof s->id), true), t, s);
	}
	struct county_row *c = keep(sizeof *c);
	*c = (struct county_row){1, 1};
	row_write(row_get(T_COUNTY, key_of(T_COUNTY, "", 0), true), t, c);
	for (unsigned i = 0; i < world.plan.clients; i++) {
		struct db_device *d = keep(sizeof *d);
		const struct client *x = &world.clients[i];
		id_parse(d->id, x->profile.device);
		snprintf(d->school, sizeof d->school, "%s", sim_schools[x->school]);
		memset(d->spki, (int)i + 1, sizeof d->spki);
		d->incarnation = 1;
		hash_genesis(d->last_hash, d->id, 1);
		row_write(row_get(T_DEVICE, key_of(T_DEVICE, d->id, ID_SIZE), true), t, d);
	}
}

/* 400 days later (sync.md "Ops"). */
void db_prune(void)
{
	struct txn *t = txn_new(NULL);

	for (struct db_row *r = db.first[T_PUSH]; r; r = r->next) {
		const struct db_push *now = row_read(r, NULL, UINT64_MAX);
		if (!now || in_progress(r->newest->by) || !now->results.len)
			continue;
		struct db_push *p = keep(sizeof *p);
		*p = *now;
		p->results.len = 0;
		row_write(r, t, p);
	}
	wal_add(t);
	on_flushed(t);
	sim_met("answers pruned");
}

/* 400 days pass: what is in the feeds now is old when a server's job looks for graves. */
void db_age(void)
{
	db.aged = db.vis;
}
