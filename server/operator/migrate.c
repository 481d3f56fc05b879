#include "migrate.h"

#include <string.h>

#include "lang.h"
#include "log.h"

static void on_notice(void *data, const char *message)
{
	(void)data;
	log_debug("PostgreSQL: %s", message);
}

enum err migrate_connect(const char *conninfo, PGconn **out, struct problem *p)
{
	*out = PQconnectdb(conninfo);
	PQsetNoticeProcessor(*out, on_notice, NULL);
	if (PQstatus(*out) == CONNECTION_OK)
		return ERR_OK;
	problem_set(p, ERR_UNAVAILABLE, "database",
		_("systemctl start postgresql（在运行的话，核对 jgd.ini 的 database_owner）"), "%s",
		PQerrorMessage(*out));
	PQfinish(*out);
	*out = NULL;
	return p->code;
}

enum err migrate_refused(PGconn *db, const PGresult *r, const char *what, struct problem *p)
{
	const char *state = PQresultErrorField(r, PG_DIAG_SQLSTATE),
		   *message = PQresultErrorField(r, PG_DIAG_MESSAGE_PRIMARY);
	char hint[200];

	if (!state || strcmp(state, "42501") != 0)
		return problem_set(
			p, ERR_INTERNAL, what, NULL, "%s: %s", what, message ? message : PQerrorMessage(db));
	snprintf(hint, sizeof hint, _("psql -c 'ALTER ROLE \"%s\" CREATEROLE'（以 PostgreSQL 管理员运行）"),
		PQuser(db));
	return problem_set(p, ERR_PERMISSION, "database", hint, "%s: %s", what, message);
}

enum err migrate_ask(PGconn *db, const char *sql, const char *value, PGresult **out, struct problem *p)
{
	PGresult *r = PQexecParams(db, sql, value ? 1 : 0, NULL, &value, NULL, NULL, 0);
	enum err e = PQresultStatus(r) == PGRES_TUPLES_OK
		? ERR_OK
		: problem_set(p, ERR_INTERNAL, "database", NULL, "%s", PQerrorMessage(db));

	*out = e ? NULL : r;
	if (e)
		PQclear(r);
	return e;
}

enum err migrate_is(PGconn *db, const char *sql, const char *value, bool *yes, struct problem *p)
{
	PGresult *r;
	enum err e = migrate_ask(db, sql, value, &r, p);

	*yes = !e && PQntuples(r) == 1 && strcmp(PQgetvalue(r, 0, 0), "t") == 0;
	PQclear(r);
	return e;
}

static enum err run(PGconn *db, const char *sql, const char *what, struct problem *p)
{
	PGresult *r = PQexec(db, sql);
	ExecStatusType status = PQresultStatus(r);
	enum err e = status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK
		? ERR_OK
		: migrate_refused(db, r, what, p);

	PQclear(r);
	return e;
}

/* *state: 1 applied with this checksum, 0 not applied, -1 applied with another text. */
static enum err state_of(PGconn *db, const struct migration *m, int *state, struct problem *p)
{
	PGresult *r;
	enum err e = migrate_ask(db, "SELECT sha256 FROM schema_migration WHERE name = $1", m->name, &r, p);

	if (e || PQntuples(r) != 1)
		*state = 0;
	else if (strcmp(PQgetvalue(r, 0, 0), m->sha256) == 0)
		*state = 1;
	else
		*state = -1;
	PQclear(r);
	return e;
}

static enum err apply(PGconn *db, const struct migration *m, struct problem *p)
{
	const char *values[] = {m->name, m->sha256};
	enum err e;

	if ((e = run(db, "BEGIN", m->name, p)) || (e = run(db, m->sql, m->name, p)))
		return e;
	PGresult *r = PQexecParams(db,
		"INSERT INTO schema_migration (name, sha256)"
		" VALUES ($1, $2)"
		" ON CONFLICT (name) DO UPDATE SET sha256 = excluded.sha256, at = now()",
		2, NULL, values, NULL, NULL, 0);
	e = PQresultStatus(r) == PGRES_COMMAND_OK ? ERR_OK : migrate_refused(db, r, m->name, p);
	PQclear(r);
	return e ? e : run(db, "COMMIT", m->name, p);
}

/* That an array holds another tells nothing of its elements but that, so an index may be asked it
 * before the policy of the table (server/README.md "What an index may be asked"). PostgreSQL lets a
 * superuser say so, as the owner of the private one is; elsewhere what would have used the index reads
 * through. */
static enum err trust_arrays(PGconn *owner, struct problem *p)
{
	return run(owner,
		"DO $$ BEGIN IF (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) THEN"
		" ALTER FUNCTION arraycontains(anyarray, anyarray) LEAKPROOF;"
		" END IF;"
		" END $$",
		"arraycontains", p);
}

enum err migrate_group(PGconn *owner, struct problem *p)
{
	return run(owner,
		"DO $$ BEGIN IF NOT EXISTS (SELECT 1 FROM pg_roles WHERE rolname = 'jingguan_app') THEN"
		" CREATE ROLE jingguan_app NOLOGIN;"
		" END IF;"
		" END $$",
		"jingguan_app", p);
}

static enum err run_locked(PGconn *db, int *applied, struct problem *p)
{
	enum err e = migrate_group(db, p);

	if (!e)
		e = trust_arrays(db, p);
	if (!e)
		e = run(db,
			"CREATE TABLE IF NOT EXISTS schema_migration (name text PRIMARY KEY,"
			" sha256 text NOT NULL, at timestamptz NOT NULL DEFAULT now());"
			"GRANT SELECT ON schema_migration TO jingguan_app",
			"schema_migration", p);

	for (size_t i = 0; !e && i < migration_count; i++) {
		int state;
		if ((e = state_of(db, &migrations[i], &state, p)))
			return e;
		if (state < 0)
			return problem_set(p, ERR_CHAIN, migrations[i].name,
				_("程序与数据库版本不一致：请用建库时的同一版本"),
				_("已执行的迁移 %s 内容被改动"), migrations[i].name);
		if (state == 0 && !(e = apply(db, &migrations[i], p)))
			++*applied;
	}
	/* Functions of several files call each other: what they call may be in a file that comes later. */
	if (!e)
		e = run(db, "SET check_function_bodies = off", "functions", p);
	for (size_t i = 0; !e && i < function_count; i++) {
		int state;
		e = state_of(db, &functions[i], &state, p);
		if (!e && state != 1 && !(e = apply(db, &functions[i], p)))
			++*applied;
	}
	return e;
}

enum err migrate_run(PGconn *owner, int *applied, struct problem *p)
{
	enum err e =
		run(owner, "SELECT pg_advisory_lock(7420001); SET client_min_messages = warning", "lock", p);

	*applied = 0;
	if (e)
		return e;
	e = run_locked(owner, applied, p);
	if (e && PQtransactionStatus(owner) != PQTRANS_IDLE)
		PQclear(PQexec(owner, "ROLLBACK"));
	PQclear(PQexec(owner, "SELECT pg_advisory_unlock(7420001)"));
	return e;
}

int migrate_pending(PGconn *owner)
{
	int missing = 0, state;

	/* What could not be asked is missing: nothing is served then. */
	for (size_t i = 0; i < migration_count; i++) {
		state_of(owner, &migrations[i], &state, NULL);
		if (state < 0)
			return -1;
		missing += state == 0;
	}
	for (size_t i = 0; i < function_count; i++) {
		state_of(owner, &functions[i], &state, NULL);
		missing += state != 1;
	}
	return missing;
}
