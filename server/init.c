#include "init.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <libpq-fe.h>
#include <openssl/pem.h>
#include <sodium.h>

#include "embedded.h"
#include "migrate.h"
#include "password.h"
#include "pki.h"

#define APP_ROLE "jingguan_app"

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

	snprintf(sql, sizeof sql, "SELECT set_config('app.county', '%d', false), set_config('app.scope', 'job', false),"
		" set_config('app.schools', '', false), set_config('app.streams', '', false)", conf->county);
	return query(db, sql, 0, NULL, p);
}

static enum err create_county(PGconn *db, const struct conf *conf, struct problem *p)
{
	char code[16];
	const char *values[] = {code, conf->name, conf->rehearsal ? "t" : "f"};

	snprintf(code, sizeof code, "%d", conf->county);
	enum err e = query(db, "INSERT INTO county (county, name, rehearsal, system_identifier, timeline) SELECT $1::int, $2, $3::boolean,"
			       " s.system_identifier::text, k.timeline_id FROM pg_control_system() s, pg_control_checkpoint() k ON CONFLICT DO NOTHING", 3, values, p);
	if (!e)
		e = query(db, "INSERT INTO stream (county, stream_id) VALUES ($1::int, $1::bigint) ON CONFLICT DO NOTHING", 1, values, p);
	return e;
}

static void hex(char *out, const uint8_t *data, size_t n)
{
	memcpy(out, "\\x", 2);
	sodium_bin2hex(out + 2, 2 * n + 1, data, n);
}

/* One administrator: the account with its first password, an invitation for a bureau computer, a line of admins.txt. */
static enum err create_admin(PGconn *db, X509 *ca, const struct conf *conf, const char *role, int number, FILE *out, struct problem *p)
{
	char password[PASSWORD_MADE], hash[crypto_pwhash_STRBYTES], code[CONNECT_CODE_TEXT + 160], roles[8], tag[16], sha[80];
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
	if ((e = query(db, "INSERT INTO user_account (county, user_id, name, school, roles, password_hash, first_until, created_at, created_by)"
			   " VALUES (app_county(), $1, $2, '', $3::int[], $4, jg_now() + interval '24 hours', jg_now(), 'init')"
			   " ON CONFLICT (county, user_id) DO UPDATE SET password_hash = excluded.password_hash, first_until = excluded.first_until", 4, account, p)) ||
		(e = query(db, "INSERT INTO invitation (county, tag, secret_sha, school, expires, created_by, created_at)"
			       " VALUES (app_county(), $1::bytea, $2::bytea, '', jg_now() + interval '72 hours', 'init', jg_now())", 2, invitation, p)))
		return e;
	/* Port 0 and wildcard addresses mean nothing to a client: the operator adds --server then. */
	bool dialable = conf->listen_addr.ss_family != AF_UNSPEC && !strstr(conf->listen, "0.0.0.0") && !strstr(conf->listen, ":0");
	pki_connect_code(code, ca, secret, dialable ? conf->listen : "");
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
	enum err e = out ? ERR_OK : problem_set(p, ERR_FILE_IO, NULL, NULL, "%s: %s", path, strerror(errno));
	for (size_t i = 0; !e && i < sizeof admins / sizeof *admins; i++)
		e = create_admin(db, ca, conf, admins[i].role, admins[i].number, out, p);
	if (out && fclose(out) && !e)
		e = problem_set(p, ERR_FILE_IO, NULL, NULL, "%s", path);
	X509_free(ca);
	return e;
}

/* The app role's connection: the owner's with user and password exchanged. Over TCP the server proves itself and the
 * password is bound to the channel, unless the operator's URL says otherwise. */
static enum err app_conninfo(PGconn *owner, struct conf *conf, struct problem *p)
{
	uint8_t random[24];
	char password[49], sql[160], *error = NULL;
	size_t n = 0;

	randombytes_buf(random, sizeof random);
	sodium_bin2hex(password, sizeof password, random, sizeof random);
	snprintf(sql, sizeof sql, "ALTER ROLE " APP_ROLE " PASSWORD '%s'", password);
	enum err e = query(owner, sql, 0, NULL, p);
	PQconninfoOption *options = e ? NULL : PQconninfoParse(conf->database_owner, &error);
	if (!options)
		return e ? e : problem_set(p, ERR_USAGE, "database", NULL, "%s", error ? error : "");
	bool local = PQhost(owner)[0] == '/', said = false;
	for (PQconninfoOption *o = options; o->keyword; o++) {
		if (!o->val || strcmp(o->keyword, "user") == 0 || strcmp(o->keyword, "password") == 0)
			continue;
		said |= strcmp(o->keyword, "sslmode") == 0;
		n += (size_t)snprintf(conf->database_app + n, sizeof conf->database_app - n, "%s='%s' ", o->keyword, o->val);
		if (n >= sizeof conf->database_app)
			break;
	}
	PQconninfoFree(options);
	if (n < sizeof conf->database_app)
		n += (size_t)snprintf(conf->database_app + n, sizeof conf->database_app - n, "user=" APP_ROLE " password=%s%s", password,
			local || said ? "" : " sslmode=verify-full channel_binding=require");
	return n < sizeof conf->database_app ? ERR_OK : problem_set(p, ERR_TOO_LARGE, "database", NULL, NULL);
}

static enum err prepare_database(struct conf *conf, struct problem *p)
{
	PGconn *owner = NULL;
	int applied;
	enum err e = migrate_connect(conf->database_owner, &owner, p);

	if (!e && PQserverVersion(owner) < 150014)
		e = problem_set(p, ERR_UPGRADE, "database", NULL, tr("PostgreSQL 版本过低，需要 15.14 以上", "PostgreSQL 15.14 or newer is needed"));
	if (!e && !(e = migrate_run(owner, &applied, p)) && !(e = set_scope(owner, conf, p)) && !(e = create_county(owner, conf, p)) &&
		!(e = create_admins(owner, conf, p)) && !conf->embedded)
		e = app_conninfo(owner, conf, p);
	PQfinish(owner);
	return e;
}

enum err init_run(struct conf *conf, struct problem *p)
{
	bool started = false;
	enum err e = pki_create(conf, p);

	if (!e && conf->embedded) {
		embedded_conninfo(conf, "jingguan", conf->database_owner, sizeof conf->database_owner);
		embedded_conninfo(conf, APP_ROLE, conf->database_app, sizeof conf->database_app);
		if (!(e = embedded_create(conf, p)))
			e = embedded_start(conf, &started, p);
	}
	if (!e)
		e = prepare_database(conf, p);
	if (started)
		embedded_stop(conf);
	return e ? e : conf_save(conf, p);
}
