#include "probe.h"

#include <string.h>

#include <libpq-fe.h>

#include "place.h"

/* Ends without a COMMIT: the write is never seen, and the row is locked for a moment only. */
static const char trial[] = "BEGIN;"
			    " SET LOCAL lock_timeout = '1s';"
			    " SET LOCAL app.county = '%d';"
			    " SET LOCAL app.scope = 'job';"
			    " SET LOCAL app.schools = '';"
			    " SET LOCAL app.streams = '';"
			    " DO $$ BEGIN"
			    " UPDATE county"
			    " SET name = name"
			    " WHERE county = app_county();"
			    " IF NOT FOUND THEN RAISE EXCEPTION 'county % is not in this database',"
			    " app_county();"
			    " END IF;"
			    " END $$;"
			    " ROLLBACK";

/* Busy, on its way out, a standby meanwhile: not what this is for. */
static bool mends_itself(const char *state)
{
	return !state || strncmp(state, "08", 2) == 0 || strncmp(state, "57", 2) == 0 ||
		strcmp(state, "25006") == 0 || strcmp(state, "55P03") == 0 || strcmp(state, "53300") == 0;
}

static void mend(const struct conf *conf, const char *state, int major, char *out, size_t size)
{
	/* the file of a library is gone: PostgreSQL was upgraded or removed underneath */
	if (strcmp(state, "58P01") == 0)
		snprintf(out, size, "apt-get install --reinstall postgresql-%d", major);
	else if (strncmp(state, "53", 2) == 0)
		snprintf(out, size, "df -h %s", place_quoted((char[600]){0}, 600, conf->dir));
	else
		snprintf(out, size, "jgd migrate --data %s", place_quoted((char[600]){0}, 600, conf->dir));
}

enum err probe_run(const struct conf *conf, struct problem *p)
{
	const char *keys[] = {"dbname", "application_name", "options", NULL};
	const char *values[] = {conf->database_app, "jgd probe", "-c statement_timeout=5s", NULL};
	char sql[sizeof trial + 16];
	const char *at = strstr(trial, "%d");
	PGconn *db = PQconnectdbParams(keys, values, 1);
	enum err e = ERR_OK;

	snprintf(sql, sizeof sql, "%.*s%d%s", (int)(at - trial), trial, conf->county,
		at + 2); /* the other % is SQL's */
	if (PQstatus(db) != CONNECTION_OK)
		e = problem_set(p, ERR_UNREACHABLE, "database", NULL, "%s", PQerrorMessage(db));
	PGresult *r = e ? NULL : PQexec(db, sql);
	if (!e && PQresultStatus(r) != PGRES_COMMAND_OK) {
		const char *state = PQresultErrorField(r, PG_DIAG_SQLSTATE),
			   *message = PQresultErrorField(r, PG_DIAG_MESSAGE_PRIMARY);
		e = problem_set(p, mends_itself(state) ? ERR_UNREACHABLE : ERR_UNAVAILABLE, "database", NULL,
			"%s", message ? message : PQerrorMessage(db));
		if (!mends_itself(state))
			mend(conf, state, PQserverVersion(db) / 10000, p->hint, sizeof p->hint);
	}
	PQclear(r);
	PQfinish(db);
	return e;
}
