/* migrate.h - the numbered migrations, and the files of functions that are applied after them whenever they
 * have changed, embedded in jgd: checksummed, under an advisory lock, one transaction each, so that two
 * starters at once are safe. Blocking; main thread. */
#ifndef JG_MIGRATE_H
#define JG_MIGRATE_H

#include <stdbool.h>

#include <libpq-fe.h>

#include "err.h"

struct migration {
	const char *name; /* "0001_county.sql" */
	const char *sql;
	const char *sha256; /* hex */
};
extern const struct migration migrations[],
	functions[]; /* made at build time from sql/migrations and sql/functions */
extern const size_t migration_count, function_count;

/* Connects as the owner; the message of *p has no password in it. */
enum err migrate_connect(const char *conninfo, PGconn **out, struct problem *p);
/* The rows of a question, PQclear; value: $1, NULL = it has none. A question that could not be asked is no
 * "no": *out is NULL then. ERR_INTERNAL. */
enum err migrate_ask(PGconn *db, const char *sql, const char *value, PGresult **out, struct problem *p);
/* Whether the one row says so. */
enum err migrate_is(PGconn *db, const char *sql, const char *value, bool *yes, struct problem *p);
/* What PostgreSQL said to a statement, as a problem: without the right to do it, the grant that gives it. */
enum err migrate_refused(PGconn *db, const PGresult *r, const char *what, struct problem *p);
/* The group that migrations grant to (roles.h): it must be there before a restore, too. */
enum err migrate_group(PGconn *owner, struct problem *p);
/* Brings the schema up to date. *applied: how many ran. ERR_CHAIN when an applied migration's text has
 * changed. */
enum err migrate_run(PGconn *owner, int *applied, struct problem *p);
/* 0 when up to date, else how many are missing; -1 on failure. */
int migrate_pending(PGconn *owner);

#endif
