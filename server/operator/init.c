#include "init.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <libpq-fe.h>
#include <openssl/pem.h>
#include <sodium.h>

#include "db.h"
#include "embedded.h"
#include "lang.h"
#include "migrate.h"
#include "password.h"
#include "pki.h"
#include "roles.h"

static enum err query(PGconn *db, const char *sql, int n, const char *const *values, struct problem *p)
{
	PGresult *r = PQexecParams(db, sql, n, NULL, values, NULL, NULL, 0);
	ExecStatusType status = PQresultStatus(r);

	PQclear(r);
	if (status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK)
		return ERR_OK;
	return problem_set(p, ERR_INTERNAL, "database", NULL, "%s", PQerrorMessage(db));
}

/* The owner is subject to the forced policies too, so it names its scope like everybody else. */
static enum err set_scope(PGconn *db, const struct conf *conf, struct problem *p)
{
	char sql[256];

	snprintf(sql, sizeof sql,
		"SELECT set_config('app.county', '%d', false), set_config('app.scope', 'job', false),"
		" set_config('app.schools', '', false), set_config('app.streams', '', false)",
		conf->county);
	return query(db, sql, 0, NULL, p);
}

static enum err create_county(PGconn *db, const struct conf *conf, struct problem *p)
{
	char code[16];
	const char *values[] = {code, conf->name, conf->rehearsal ? "t" : "f"};

	snprintf(code, sizeof code, "%d", conf->county);
	enum err e = query(db,
		"INSERT INTO county (county, name, rehearsal, system_identifier, timeline)"
		" SELECT $1::int, $2, $3::boolean, s.system_identifier::text, k.timeline_id"
		" FROM pg_control_system() s, pg_control_checkpoint() k",
		3, values, p);
	if (!e)
		e = query(db,
			"INSERT INTO stream (county, stream_id)"
			" VALUES ($1::int, $1::bigint)"
			" ON CONFLICT DO NOTHING",
			1, values, p);
	return e;
}

static void hex(char *out, const uint8_t *data, size_t n)
{
	memcpy(out, "\\x", 2);
	sodium_bin2hex(out + 2, 2 * n + 1, data, n);
}

/* One administrator: the account with its first password, an invitation for a bureau computer, a line of
 * admins.txt. */
static enum err create_admin(PGconn *db, X509 *ca, const struct conf *conf, const char *role, int number,
	FILE *out, struct problem *p)
{
	char password[PASSWORD_MADE], hash[crypto_pwhash_STRBYTES], code[CONNECT_CODE_TEXT + 160], roles[8],
		tag[16], sha[80];
	uint8_t secret[SECRET_SIZE], digest[32];

	password_generate(password);
	randombytes_buf(secret, sizeof secret);
	crypto_hash_sha256(digest, secret, sizeof secret);
	hex(tag, secret, 3);
	hex(sha, digest, 32);
	snprintf(roles, sizeof roles, "{%d}", number);
	enum err e = password_hash_now(hash, password);
	if (e)
		return problem_set(p, e, NULL, NULL, NULL);
	const char *account[] = {role, role, roles, hash};
	const char *invitation[] = {tag, sha};
	if ((e = query(db,
		     "INSERT INTO user_account (county, user_id, name, school, roles, password_hash,"
		     " first_until, created_at, created_by)"
		     " VALUES (app_county(), $1, $2, '', $3::int[], $4,"
		     " jg_now() + interval '" FIRST_PASSWORD_UNUSED "', "
		     "jg_now(), 'init')",
		     4, account, p)) ||
		(e = query(db,
			 "INSERT INTO invitation (county, tag, secret_sha, school, expires, created_by,"
			 " created_at)"
			 " VALUES (app_county(), $1::bytea, $2::bytea, '',"
			 " jg_now() + interval '72 hours', 'init', jg_now())",
			 2, invitation, p)))
		return e;
	/* Port 0 and wildcard addresses mean nothing to a client: the operator adds --server then. */
	bool dialable = conf->listen_addr.ss_family != AF_UNSPEC && !strstr(conf->listen, "0.0.0.0") &&
		!strstr(conf->listen, ":0");
	if ((e = pki_connect_code(code, ca, secret, dialable ? conf->listen : "")))
		return problem_set(p, e, NULL, NULL, NULL);
	fprintf(out, "%s\t%s\t%s\t%s\n", role, code, role, password);
	return ERR_OK;
}

static enum err create_admins(PGconn *db, const struct conf *conf, struct problem *p)
{
	static const struct {
		const char *role;
		int number;
	} admins[] = {{"sysadmin", 21}, {"secadmin", 22}, {"auditor", 23}};
	char path[600];

	snprintf(path, sizeof path, "%s/ca.pem", conf->dir);
	FILE *in = fopen(path, "r");
	X509 *ca = in ? PEM_read_X509(in, NULL, NULL, NULL) : NULL;
	if (in)
		fclose(in);
	snprintf(path, sizeof path, "%s/admins.txt", conf->dir);
	mode_t before = umask(077);
	FILE *out = ca ? fopen(path, "w") : NULL;
	umask(before);
	enum err e = out ? ERR_OK
			 : problem_set(p, ERR_FILE_IO, NULL, NULL, "%s: %s", path, file_error_text(errno));
	for (size_t i = 0; !e && i < sizeof admins / sizeof *admins; i++)
		e = create_admin(db, ca, conf, admins[i].role, admins[i].number, out, p);
	/* before the commit: admins_match reads it */
	bool kept = out && fflush(out) == 0 && fsync(fileno(out)) == 0;
	if (out && (fclose(out) || !kept) && !e)
		e = problem_set(
			p, ERR_FILE_IO, NULL, _("腾出磁盘空间"), "%s: %s", path, file_error_text(errno));
	X509_free(ca);
	return e;
}

/* ---- what an interrupted init left ---- */

/* Whether the administrators of the database are those of DIR/admins.txt: it is written before they are
 * committed, and says their first passwords. Then this directory's init made the county, and nobody has
 * worked with it since. */
static enum err admins_match(PGconn *db, const struct conf *conf, bool *same, struct problem *p)
{
	char path[600], line[512] = "";
	PGresult *r;
	enum err e = migrate_ask(db,
		"SELECT password_hash"
		" FROM user_account"
		" WHERE county = app_county() AND user_id = 'sysadmin' AND must_change",
		NULL, &r, p);

	*same = false;
	if (e)
		return e;
	snprintf(path, sizeof path, "%s/admins.txt", conf->dir);
	FILE *in = fopen(path, "re");
	if (in && !fgets(line, sizeof line, in)) /* sysadmin's is the first */
		line[0] = 0;
	if (in)
		fclose(in);
	line[strcspn(line, "\n")] = 0;
	const char *password = strrchr(line, '\t');
	*same = password && PQntuples(r) == 1 &&
		crypto_pwhash_str_verify(PQgetvalue(r, 0, 0), password + 1, strlen(password + 1)) == 0;
	sodium_memzero(line, sizeof line);
	PQclear(r);
	return ERR_OK;
}

static enum err county_is_there(const struct conf *conf, int county, struct problem *p)
{
	problem_set(p, ERR_EXISTS, "county",
		_("继续用它：jgd restore 最近的备份 --data 新目录；另建一个县：--database 换一个空数据库"),
		_("数据库里已经有 %d 这个县，不是 %s 里这次 init 建的"), county, conf->dir);
	snprintf(p->safe, sizeof p->safe, "%s", _("它的数据、证书和帐号都没有改动"));
	return ERR_EXISTS;
}

/* *done: the county was committed by an earlier run in this directory, only the settings are missing. */
static enum err look_for_county(PGconn *db, const struct conf *conf, bool *done, struct problem *p)
{
	bool schema, same;
	PGresult *r;
	time_t until;
	enum err e = migrate_is(db,
		"SELECT to_regclass('county') IS NOT NULL AND to_regclass('user_account') IS NOT NULL", NULL,
		&schema, p);

	*done = false;
	if (!e)
		e = set_scope(db, conf, p);
	if (e || !schema)
		return e;
	/* Others only where the owner sees all. */
	e = migrate_ask(db, "SELECT county FROM county ORDER BY county = app_county() DESC", NULL, &r, p);
	if (e)
		return e;
	int county = PQntuples(r) ? atoi(PQgetvalue(r, 0, 0)) : 0;
	PQclear(r);
	if (!county || (county != conf->county && !conf->embedded))
		return ERR_OK;
	if ((e = admins_match(db, conf, &same, p)))
		return e;
	*done = county == conf->county && same && pki_check(conf, &until, p) == ERR_OK;
	return *done ? ERR_OK : county_is_there(conf, county, p);
}

static enum err make_county(PGconn *db, struct conf *conf, struct problem *p)
{
	int applied;
	time_t until;
	enum err e = pki_check(conf, &until, p) ? pki_create(conf, p)
						: ERR_OK; /* keys that are whole are nobody's to replace */

	if (e || (e = migrate_run(db, &applied, p)) || (e = query(db, "BEGIN", 0, NULL, p)) ||
		(e = create_county(db, conf, p)) || (e = create_admins(db, conf, p)))
		return e;
	return query(db, "COMMIT", 0, NULL, p);
}

static enum err prepare_database(struct conf *conf, struct problem *p)
{
	PGconn *owner = NULL;
	bool done = false;
	enum err e = migrate_connect(conf->database_owner, &owner, p);

	if (!e && PQserverVersion(owner) < DB_SERVER_MIN)
		e = problem_set(p, ERR_UPGRADE, "database", "apt-get update && apt-get install postgresql-15",
			_("PostgreSQL 版本过低，需要 15.14 以上"));
	if (!e && !(e = look_for_county(owner, conf, &done, p)) &&
		(done || !(e = make_county(owner, conf, p))))
		e = roles_make(owner, conf, p);
	PQfinish(owner);
	return e;
}

enum err init_run(struct conf *conf, struct problem *p)
{
	enum err e = ERR_OK;

	if (conf->embedded) {
		embedded_conninfo(EMBEDDED_OWNER, conf->database_owner, sizeof conf->database_owner);
		if (!(e = embedded_create(conf, p)))
			e = embedded_start(conf, NULL, p);
	}
	if (!e)
		e = prepare_database(conf, p);
	if (conf->embedded)
		embedded_stop(conf);
	return e ? e : conf_save(conf, p);
}
