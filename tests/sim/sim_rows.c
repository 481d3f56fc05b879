/* PostgreSQL's storage as far as the model needs it: versions of rows, transactions, a WAL that a standby
 * follows, the disk that has it or not, and what a crash, a failover and a restore leave of it. */
#include "sim_rows.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FLUSH_US draw_between(200, 4000) /* of a commit to the disk */

struct db db;

/* ---- rows and their versions ---- */

void *keep(size_t n)
{
	void *p = arena_alloc(&db.arena, n);

	if (!p)
		abort();
	return p;
}

struct cell keep_cell(struct cell c)
{
	if (c.len < 0)
		return c;
	uint8_t *to = keep((size_t)c.len + 1);
	memcpy(to, c.data, (size_t)c.len);
	return (struct cell){to, c.len};
}

uint64_t key_of(unsigned table, const void *key, size_t n)
{
	uint64_t h = UINT64_C(1469598103934665603) ^ table;

	for (size_t i = 0; i < n; i++)
		h = (h ^ ((const uint8_t *)key)[i]) * UINT64_C(1099511628211);
	return h | 1;
}

struct db_row *row_get(unsigned table, uint64_t key, bool make)
{
	size_t i = (size_t)(key ^ key >> 29) % ROW_SLOTS;

	while (db.index[i] && (db.index[i]->key != key || db.index[i]->table != table))
		i = (i + 1) % ROW_SLOTS;
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

void row_write(struct db_row *r, struct txn *t, void *data)
{
	struct version *v = keep(sizeof *v);

	*v = (struct version){r->newest, t, data};
	r->newest = v;
	if (t->count == t->room) {
		size_t room = t->room ? t->room * 2 : 32;
		struct db_row **bigger = keep(sizeof *bigger * room);
		if (t->count)
			memcpy(bigger, t->writes, sizeof *bigger * t->count);
		t->writes = bigger;
		t->room = room;
	}
	t->writes[t->count++] = r;
}

void undo_to(struct txn *t, size_t mark)
{
	while (t->count > mark) {
		struct db_row *r = t->writes[--t->count];
		r->newest = r->newest->older;
	}
}

static void undo(struct txn *t)
{
	for (size_t i = 0; i < t->count; i++)
		for (struct version **v = &t->writes[i]->newest; *v;)
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
		demand(!b->txn, "I13",
			"a task begins on a connection whose last transaction is not over: PostgreSQL would "
			"refuse it");
		b->txn = txn_new(NULL);
		b->failed = false;
		b->repeatable = strstr(sql, "REPEATABLE READ") != NULL;
		b->snapshot = 0;
		b->replica = false;
		b->streams[0] = 0;
	} else if (strcmp(sql, "ROLLBACK") == 0) {
		db_abort(b);
	} else if (strstr(sql, "app.scope")) {
		if (strcmp(text, "job") == 0)
			b->scope = SCOPE_JOB;
		else if (strcmp(text, "bureau") == 0)
			b->scope = SCOPE_BUREAU;
		else
			b->scope = SCOPE_SCHOOL;
	} else if (strstr(sql, "app.schools")) {
		snprintf(b->schools, sizeof b->schools, "%s", text);
	} else if (strstr(sql, "app.streams")) {
		snprintf(b->streams, sizeof b->streams, ",%s,", text);
	} else if (strstr(sql, "app.node")) {
		b->replica = true; /* the bank's bug: reading where the tail has not arrived */
	} else if (!strstr(sql, "app.county") && !strstr(sql, "synchronous_commit = local")) {
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
		const struct db_stream *s =
			t->writes[i]->table == T_STREAM ? row_read(t->writes[i], t, 0) : NULL;
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

/* The standby takes what is in the WAL, in its order: this transaction and whatever else is on the disk by
 * now. */
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
		sim_at(db.mode == SYNCHRONOUS ? draw_between(300, 3000) : draw_between(1 * MS, 2 * SECOND),
			&db, on_replicated, t);
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

/* An operator's cancel ends the wait for the standby: the tag is COMMIT, a WARNING says that it may be lost
 * (finding 4). */
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
		const struct db_stream *s = db_find(T_STREAM, &(*l)->stream, sizeof(*l)->stream);
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
	const struct county_row *c =
		row_read(row_get(T_COUNTY, key_of(T_COUNTY, "", 0), false), NULL, UINT64_MAX);

	return c->epoch;
}

/* The clock in milliseconds, so that none comes twice though the row that says so may be lost. */
uint64_t epoch_after(uint64_t epoch)
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

/* What the standby shows. */
uint64_t replicated_vis(void)
{
	uint64_t vis = 1;

	for (const struct txn *t = db.log; t; t = t->next)
		if (t->state == TXN_VISIBLE && t->commit_no <= db.replicated && t->vis > vis)
			vis = t->vis;
	return vis;
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

/* 400 days pass: what is in the feeds now is old when a server's job looks for tombstones. */
void db_age(void)
{
	db.aged = db.vis;
}
