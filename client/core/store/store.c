#include "store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "fault.h"
#include "lang.h"

#define SCHEMA_VERSION 1

/* Of the values only ids, versions and hashes lie open; bodies, messages and previous values are sealed. */
static const char schema[] =
	"CREATE TABLE meta(name TEXT PRIMARY KEY, value) WITHOUT ROWID;"
	"CREATE TABLE stream(stream INTEGER PRIMARY KEY, what TEXT NOT NULL,"
	" cursor INTEGER NOT NULL DEFAULT 0, epoch INTEGER NOT NULL DEFAULT 0,"
	" digest INTEGER NOT NULL DEFAULT -1);"
	"CREATE TABLE base(stream INTEGER NOT NULL, id BLOB NOT NULL, kind INTEGER NOT NULL,"
	" ver INTEGER NOT NULL, gver BLOB NOT NULL, owner TEXT NOT NULL, lanes BLOB NOT NULL,"
	" body BLOB NOT NULL, PRIMARY KEY(stream, id)) WITHOUT ROWID;"
	"CREATE INDEX base_kind ON base(kind);"
	/* action: 1 PUT, 2 DEL, 3 LEAVE, as on the wire */
	"CREATE TABLE staging(stream INTEGER NOT NULL, id BLOB NOT NULL, action INTEGER NOT NULL,"
	" kind INTEGER NOT NULL, ver INTEGER NOT NULL, gver BLOB, owner TEXT, lanes BLOB, body BLOB,"
	" PRIMARY KEY(stream, id)) WITHOUT ROWID;"
	"CREATE TABLE outbox(n INTEGER PRIMARY KEY, incarnation INTEGER NOT NULL, op_no INTEGER,"
	" state INTEGER NOT NULL, kind INTEGER NOT NULL, id BLOB NOT NULL, action INTEGER NOT NULL,"
	" groups INTEGER NOT NULL, at INTEGER NOT NULL, author TEXT NOT NULL, batch INTEGER,"
	" bytes BLOB NOT NULL, sha BLOB NOT NULL, prev BLOB, code INTEGER, message BLOB, field TEXT,"
	" group_no INTEGER, ver INTEGER, gver BLOB, current BLOB, duplicate_of BLOB,"
	" settled INTEGER NOT NULL DEFAULT 0, their_author TEXT, their_at INTEGER,"
	" UNIQUE(incarnation, op_no));"
	"CREATE INDEX outbox_open ON outbox(state, settled);"
	"CREATE INDEX outbox_batch ON outbox(batch)"
	" WHERE batch IS NOT NULL;"
	"CREATE INDEX outbox_record ON outbox(id);"
	"CREATE INDEX outbox_duplicate ON outbox(duplicate_of)"
	" WHERE duplicate_of IS NOT NULL;"
	"CREATE TABLE batch(id INTEGER PRIMARY KEY, at INTEGER NOT NULL, what TEXT NOT NULL, file BLOB,"
	" author TEXT NOT NULL, inserted INTEGER NOT NULL, updated INTEGER NOT NULL,"
	" unchanged INTEGER NOT NULL, rejected INTEGER NOT NULL, undone INTEGER NOT NULL DEFAULT 0);"
	"CREATE TABLE blob(sha BLOB PRIMARY KEY, size INTEGER NOT NULL, have INTEGER NOT NULL DEFAULT 0,"
	" complete INTEGER NOT NULL DEFAULT 0, at INTEGER NOT NULL) WITHOUT ROWID;"
	"CREATE TABLE head(stream INTEGER NOT NULL, epoch INTEGER NOT NULL, n INTEGER NOT NULL,"
	" head BLOB NOT NULL, sig BLOB NOT NULL, at INTEGER NOT NULL,"
	" PRIMARY KEY(stream, epoch, n)) WITHOUT ROWID;";

enum err store_error(struct store *s, struct problem *p)
{
	int code = sqlite3_errcode(s->db) & 0xFF;

	if (code == SQLITE_FULL)
		return problem_set(p, ERR_DISK_FULL, NULL, _("请清理磁盘后再试"), NULL);
	if (code == SQLITE_NOMEM)
		return problem_set(p, ERR_NOMEM, NULL, NULL, NULL);
	return problem_set(p, ERR_STORE, NULL, NULL, _("本地数据库出错：%s"), sqlite3_errmsg(s->db));
}

static enum err run_sql(struct store *s, const char *sql, struct problem *p)
{
	return sqlite3_exec(s->db, sql, NULL, NULL, NULL) == SQLITE_OK ? ERR_OK : store_error(s, p);
}

sqlite3_stmt *store_prepare(struct store *s, const char *sql, struct problem *p)
{
	sqlite3_stmt *stmt = NULL;

	if (sqlite3_prepare_v2(s->db, sql, -1, &stmt, NULL) != SQLITE_OK)
		store_error(s, p);
	return stmt;
}

enum err store_run(struct store *s, sqlite3_stmt *stmt, struct problem *p)
{
	/* After some errors SQLite has rolled the transaction back by itself: what follows would be on disk
	 * at once, each on its own. */
	if (s->in_transaction && sqlite3_get_autocommit(s->db))
		return problem_set(p, ERR_STORE, NULL, NULL, _("本地数据库撤回了这次改动"));
	int code = sqlite3_step(stmt);
	enum err e = code == SQLITE_DONE || code == SQLITE_ROW ? ERR_OK : store_error(s, p);

	sqlite3_reset(stmt);
	return e;
}

enum err store_next(struct store *s, sqlite3_stmt *stmt, bool *row, struct problem *p)
{
	int code = sqlite3_step(stmt);

	*row = code == SQLITE_ROW;
	return code == SQLITE_ROW || code == SQLITE_DONE ? ERR_OK : store_error(s, p);
}

/* *stmt stands on the row, or is NULL where there is none. */
static enum err meta_row(struct store *s, const char *name, sqlite3_stmt **stmt, struct problem *p)
{
	bool row = false;

	*stmt = store_prepare(s, "SELECT value FROM meta WHERE name = ?", p);
	if (!*stmt)
		return store_error(s, p);
	sqlite3_bind_text(*stmt, 1, name, -1, SQLITE_STATIC);
	enum err e = store_next(s, *stmt, &row, p);
	if (!row) {
		sqlite3_finalize(*stmt);
		*stmt = NULL;
	}
	return e;
}

enum err store_get_int(struct store *s, const char *name, int64_t *out, struct problem *p)
{
	sqlite3_stmt *stmt;
	enum err e = meta_row(s, name, &stmt, p);

	*out = stmt ? sqlite3_column_int64(stmt, 0) : 0;
	sqlite3_finalize(stmt);
	return e;
}

enum err store_get_text(struct store *s, const char *name, char *out, size_t size, struct problem *p)
{
	sqlite3_stmt *stmt;
	enum err e = meta_row(s, name, &stmt, p);
	const char *text = stmt ? (const char *)sqlite3_column_text(stmt, 0) : NULL;

	if (stmt && !text)
		e = problem_set(p, ERR_NOMEM, NULL, NULL, _("内存不足"));
	snprintf(out, size, "%s", text ? text : "");
	sqlite3_finalize(stmt);
	return e;
}

static sqlite3_stmt *meta_write(struct store *s, const char *name)
{
	sqlite3_stmt *stmt = store_prepare(s,
		"INSERT INTO meta(name, value) VALUES(?1, ?2)"
		" ON CONFLICT(name) DO UPDATE SET value = ?2",
		NULL);

	if (stmt)
		sqlite3_bind_text(stmt, 1, name, -1, SQLITE_STATIC);
	return stmt;
}

static enum err meta_written(struct store *s, sqlite3_stmt *stmt)
{
	enum err e = stmt ? store_run(s, stmt, NULL) : store_error(s, NULL);

	sqlite3_finalize(stmt);
	return e;
}

enum err store_set_int(struct store *s, const char *name, int64_t value)
{
	sqlite3_stmt *stmt = meta_write(s, name);

	sqlite3_bind_int64(stmt, 2, value);
	return meta_written(s, stmt);
}

enum err store_set_text(struct store *s, const char *name, const char *value)
{
	sqlite3_stmt *stmt = meta_write(s, name);

	sqlite3_bind_text(stmt, 2, value, -1, SQLITE_STATIC);
	return meta_written(s, stmt);
}

/* A value that could not be read is not a value that is not there: taking `incarnation` for 0 after an error
 * of the disk would give numbers out twice. */
static enum err read_outbox(struct store *s)
{
	sqlite3_stmt *stmt = store_prepare(s,
		"SELECT (SELECT value FROM meta WHERE name = 'incarnation'),"
		" (SELECT value FROM meta WHERE name = 'last_op'),"
		" (SELECT value FROM meta WHERE name = 'made'),"
		" (SELECT value FROM meta WHERE name = 'last_hash'),"
		" (SELECT coalesce(max(n), 0) + 1 FROM outbox),"
		" (SELECT value FROM meta WHERE name = 'older_incarnation'),"
		" (SELECT value FROM meta WHERE name = 'older_op')",
		NULL);

	s->unread = !stmt || sqlite3_step(stmt) != SQLITE_ROW;
	if (!s->unread) {
		s->incarnation = (uint32_t)sqlite3_column_int64(stmt, 0);
		s->last_op = (uint64_t)sqlite3_column_int64(stmt, 1);
		s->made = (uint64_t)sqlite3_column_int64(stmt, 2);
		if (sqlite3_column_bytes(stmt, 3) == HASH_SIZE)
			memcpy(s->last_hash, sqlite3_column_blob(stmt, 3), HASH_SIZE);
		s->next_row = sqlite3_column_int64(stmt, 4);
		s->older.incarnation = (uint32_t)sqlite3_column_int64(stmt, 5);
		s->older.last_op = (uint64_t)sqlite3_column_int64(stmt, 6);
	}
	sqlite3_finalize(stmt);
	return s->unread ? ERR_STORE : ERR_OK;
}

static enum err write_outbox(struct store *s)
{
	sqlite3_stmt *stmt = store_prepare(s,
		"INSERT INTO meta(name, value)"
		" VALUES('incarnation', ?1), ('last_op', ?2), ('made', ?3), ('last_hash', ?4),"
		" ('older_incarnation', ?5), ('older_op', ?6)"
		" ON CONFLICT(name) DO UPDATE SET value = excluded.value",
		NULL);

	if (!stmt)
		return store_error(s, NULL);
	sqlite3_bind_int64(stmt, 1, s->incarnation);
	sqlite3_bind_int64(stmt, 2, (int64_t)s->last_op);
	sqlite3_bind_int64(stmt, 3, (int64_t)s->made);
	sqlite3_bind_blob(stmt, 4, s->last_hash, HASH_SIZE, SQLITE_STATIC);
	sqlite3_bind_int64(stmt, 5, s->older.incarnation);
	sqlite3_bind_int64(stmt, 6, (int64_t)s->older.last_op);
	return meta_written(s, stmt);
}

static enum err open_schema(struct store *s, struct problem *p)
{
	sqlite3_stmt *stmt = store_prepare(s, "PRAGMA user_version", p);
	int version = stmt && sqlite3_step(stmt) == SQLITE_ROW ? sqlite3_column_int(stmt, 0) : -1;

	sqlite3_finalize(stmt);
	if (version < 0)
		return store_error(s, p);
	if (version > SCHEMA_VERSION)
		return problem_set(p, ERR_UPGRADE, NULL, _("请安装新版程序"), _("本机数据由更新的版本写成"));
	if (version == SCHEMA_VERSION)
		return ERR_OK;
	enum err e = store_begin(s, p);
	if (!e)
		e = run_sql(s, schema, p);
	if (!e)
		e = run_sql(s, "PRAGMA user_version = 1", p);
	if (!e)
		e = store_commit(s, p);
	if (e)
		store_rollback(s);
	return e;
}

enum err store_open(struct store **out, struct profile *profile, struct problem *p)
{
	struct store *s = calloc(1, sizeof *s);

	*out = NULL;
	if (!s)
		return problem_set(p, ERR_NOMEM, NULL, NULL, NULL);
	s->profile = profile;
	id_parse(s->device, profile->device);
	snprintf(s->path, sizeof s->path, "%s/store.db", profile->dir);
	enum err e = seal_open(&s->seal, profile->dir, &profile->key_place, p);
	if (!e &&
		sqlite3_open_v2(s->path, &s->db,
			SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOFOLLOW, NULL) != SQLITE_OK)
		e = store_error(s, p);
	/* secure_delete: what LEAVE takes away is overwritten in the free pages too (I8). */
	if (!e)
		e = run_sql(s,
			"PRAGMA journal_mode = DELETE; PRAGMA synchronous = EXTRA; PRAGMA secure_delete = "
			"ON; "
			"PRAGMA foreign_keys = ON; PRAGMA temp_store = MEMORY; PRAGMA cache_size = -16000",
			p);
	if (!e)
		e = open_schema(s, p);
	if (!e && !(s->roll_back = store_prepare(s, "ROLLBACK", p)))
		e = store_error(s, p);
	if (!e && read_outbox(s))
		e = store_error(s, p);
	if (e) {
		store_close(s);
		return e;
	}
	*out = s;
	return ERR_OK;
}

void store_close(struct store *s)
{
	if (!s)
		return;
	if (s->in_transaction)
		store_rollback(s);
	sqlite3_finalize(s->insert_op);
	sqlite3_finalize(s->roll_back);
	sqlite3_close(s->db);
	seal_close(s->seal);
	free(s);
}

enum err store_begin(struct store *s, struct problem *p)
{
	enum err e = s->unread && read_outbox(s) ? store_error(s, p) : run_sql(s, "BEGIN IMMEDIATE", p);

	s->in_transaction = !e;
	return e;
}

enum err store_commit(struct store *s, struct problem *p)
{
	fault_point(FAULT_JG_STORE_COMMITTING);
	/* A failed disk ends a transaction by itself. What is written after that would stand alone: the
	 * position of the outbox without the answers that led to it. */
	enum err e = ERR_OK;
	if (sqlite3_get_autocommit(s->db))
		e = problem_set(p, ERR_STORE, NULL, NULL, _("本地数据库写入失败，没有保存"));
	else if (write_outbox(s))
		e = store_error(s, p);
	else
		e = run_sql(s, "COMMIT", p);
	fault_point(FAULT_JG_STORE_COMMITTED);

	if (e)
		store_rollback(s);
	s->profile->fate.stored += e == ERR_OK;
	s->in_transaction = false;
	return e;
}

void store_rollback(struct store *s)
{
	/* store_open closes what it could not prepare */
	if (s->roll_back && s->in_transaction && !sqlite3_get_autocommit(s->db)) {
		sqlite3_step(s->roll_back);
		sqlite3_reset(s->roll_back);
	}
	s->in_transaction = false;
	read_outbox(s);
}

enum err store_streams(struct store *s, struct stream_state *out, size_t *n, struct problem *p)
{
	sqlite3_stmt *stmt =
		store_prepare(s, "SELECT stream, what, cursor, epoch, digest FROM stream ORDER BY stream", p);
	enum err e = stmt ? ERR_OK : store_error(s, p);
	bool row;

	*n = 0;
	while (!e && *n < STORE_STREAMS_MAX && !(e = store_next(s, stmt, &row, p)) && row) {
		struct stream_state *x = &out[(*n)++];
		x->stream = sqlite3_column_int64(stmt, 0);
		snprintf(x->what, sizeof x->what, "%s", (const char *)sqlite3_column_text(stmt, 1));
		x->cursor = (uint64_t)sqlite3_column_int64(stmt, 2);
		x->epoch = (uint64_t)sqlite3_column_int64(stmt, 3);
		x->digest = sqlite3_column_int(stmt, 4);
	}
	sqlite3_finalize(stmt);
	return e;
}

enum err store_add_stream(struct store *s, int64_t stream, const char *what, struct problem *p)
{
	sqlite3_stmt *stmt = store_prepare(
		s, "INSERT INTO stream(stream, what) VALUES(?, ?) ON CONFLICT(stream) DO NOTHING", p);

	if (!stmt)
		return store_error(s, p);
	sqlite3_bind_int64(stmt, 1, stream);
	sqlite3_bind_text(stmt, 2, what, -1, SQLITE_STATIC);
	enum err e = store_run(s, stmt, p);
	sqlite3_finalize(stmt);
	return e;
}
