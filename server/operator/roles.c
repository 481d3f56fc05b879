#include "roles.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "embedded.h"
#include "lang.h"
#include "migrate.h"

static enum err command(PGconn *db, struct problem *p, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
static enum err command(PGconn *db, struct problem *p, const char *format, ...)
{
	char sql[1024];
	va_list args;

	va_start(args, format);
	vsnprintf(sql, sizeof sql, format, args);
	va_end(args);
	PGresult *r = PQexec(db, sql);
	enum err e = PQresultStatus(r) == PGRES_COMMAND_OK ? ERR_OK : migrate_refused(db, r, "ROLE", p);

	PQclear(r);
	return e;
}

/* One keyword of a connection string, "" when it is not there. */
static void word_of(const char *conninfo, const char *keyword, char *out, size_t size)
{
	PQconninfoOption *options = PQconninfoParse(conninfo, NULL);

	*out = 0;
	for (PQconninfoOption *o = options; o && o->keyword; o++)
		if (o->val && strcmp(o->keyword, keyword) == 0)
			snprintf(out, size, "%s", o->val);
	PQconninfoFree(options);
}

static enum err set_up(PGconn *db, const char *role, const char *password, struct problem *p)
{
	char *name = PQescapeIdentifier(db, role, strlen(role)),
	     *secret = PQescapeLiteral(db, *password ? password : "", strlen(password));
	bool there, mighty, granted = true;
	enum err e = name && secret ? ERR_OK : problem_set(p, ERR_NOMEM, NULL, NULL, NULL);

	if (!e)
		e = migrate_is(db, "SELECT true FROM pg_roles WHERE rolname = $1", role, &there, p);
	if (!e)
		e = migrate_is(db, "SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = $1", role,
			&mighty, p);
	if (!e)
		e = command(db, p, "%s ROLE %s LOGIN INHERIT%s%s%s", there ? "ALTER" : "CREATE", name,
			mighty ? " NOSUPERUSER NOBYPASSRLS" : "", *password ? " PASSWORD " : "",
			*password ? secret : "");
	if (!e && strcmp(role, ROLES_GROUP) != 0)
		e = migrate_is(db,
			"SELECT true"
			" FROM pg_auth_members m"
			" JOIN pg_roles r ON r.oid = m.member"
			" WHERE m.roleid = '" ROLES_GROUP "'::regrole AND r.rolname = $1",
			role, &granted, p);
	if (!e && !granted)
		e = command(db, p, "GRANT " ROLES_GROUP " TO %s", name);
	PQfreemem(name);
	PQfreemem(secret);
	return e;
}

/* keyword='value', as libpq reads it. */
static size_t add_word(char *out, size_t size, const char *keyword, const char *value)
{
	size_t n = (size_t)snprintf(out, size, "%s='", keyword);

	for (; *value && n + 4 < size; value++) {
		if (*value == '\'' || *value == '\\')
			out[n++] = '\\';
		out[n++] = *value;
	}
	return n + (size_t)snprintf(out + n, n < size ? size - n : 0, "' ");
}

void roles_split(const char *conninfo, char *out, size_t size, char *password, size_t password_size)
{
	PQconninfoOption *options = PQconninfoParse(conninfo, NULL);
	size_t n = 0;

	*out = *password = 0;
	for (PQconninfoOption *o = options; o && o->keyword && n < size; o++)
		if (o->val && strcmp(o->keyword, "password") == 0)
			snprintf(password, password_size, "%s", o->val);
		else if (o->val)
			n += add_word(out + n, size - n, o->keyword, o->val);
	PQconninfoFree(options);
}

/* The owner's connection with user and password exchanged. Over TCP the server proves itself and the password
 * is bound to the channel, unless the operator's URL says otherwise. */
static enum err app_conninfo(
	PGconn *owner, struct conf *conf, const char *role, const char *password, struct problem *p)
{
	char *error = NULL, *out = conf->database_app;
	size_t n = 0, size = sizeof conf->database_app;
	PQconninfoOption *options = PQconninfoParse(conf->database_owner, &error);

	if (!options)
		return problem_set(p, ERR_USAGE, "database",
			"--database 'postgresql://jingguan@db.example/jingguan'", "%s", error ? error : "");
	bool local = PQhost(owner)[0] == '/', said = false;
	for (PQconninfoOption *o = options; o->keyword && n < size; o++) {
		if (!o->val || strcmp(o->keyword, "user") == 0 || strcmp(o->keyword, "password") == 0)
			continue;
		said |= strcmp(o->keyword, "sslmode") == 0;
		n += add_word(out + n, size - n, o->keyword, o->val);
	}
	PQconninfoFree(options);
	if (n < size)
		n += (size_t)snprintf(out + n, size - n, "user=%s password=%s%s", role, password,
			local || said ? "" : " sslmode=verify-full channel_binding=require");
	return n < size ? ERR_OK
			: problem_set(p, ERR_TOO_LARGE, "database", _("换一个短一些的 --database"), NULL);
}

enum err roles_make(PGconn *owner, struct conf *conf, struct problem *p)
{
	uint8_t random[24];
	char password[49] = "", role[64];
	PGresult *r;
	enum err e = migrate_ask(
		owner, "SELECT oid FROM pg_database WHERE datname = current_database()", NULL, &r, p);

	if (e)
		return e;
	/* County and database: a practice county of the same code lives in another database of the same
	 * cluster. */
	snprintf(role, sizeof role, ROLES_GROUP "_%d_%s", conf->county, PQgetvalue(r, 0, 0));
	PQclear(r);
	if (conf->embedded) { /* its socket lets only the service's account in */
		embedded_conninfo(role, conf->database_app, sizeof conf->database_app);
		return set_up(owner, role, password, p);
	}
	randombytes_buf(random, sizeof random);
	sodium_bin2hex(password, sizeof password, random, sizeof random);
	e = set_up(owner, role, password, p);
	return e ? e : app_conninfo(owner, conf, role, password, p);
}

enum err roles_mend(PGconn *owner, const struct conf *conf, struct problem *p)
{
	char role[64], password[256];
	PGconn *app = PQconnectdb(conf->database_app);
	bool well = PQstatus(app) == CONNECTION_OK, yes = false;

	/* What cannot be asked is mended, as what is not so. */
	if (well)
		well = !migrate_is(app,
			       "SELECT NOT rolsuper AND NOT rolbypassrls FROM pg_roles WHERE rolname = $1",
			       PQuser(app), &yes, NULL) &&
			yes;
	if (well)
		well = !migrate_is(app, "SELECT pg_has_role($1, '" ROLES_GROUP "', 'USAGE')", PQuser(app),
			       &yes, NULL) &&
			yes;

	PQfinish(app);
	if (well)
		return ERR_OK;
	word_of(conf->database_app, "user", role, sizeof role);
	word_of(conf->database_app, "password", password, sizeof password);
	enum err e = *role ? set_up(owner, role, password, p)
			   : problem_set(p, ERR_INVALID, "database_app",
				     _("改 jgd.ini：database_app 里写上 user=jingguan_app"),
				     _("database_app 里没有 user"));
	sodium_memzero(password, sizeof password);
	return e;
}
