/* People and computers: users, invitations, devices. Only administrators call it (identity.proto). */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "clock.h"
#include "hash.h"
#include "log.h"
#include "password.h"
#include "pki.h"
#include "service.h"

#define LOGIN_MAX 24 /* of the part made from the name */

struct identity_state {
	struct password_job job;
	char login[64], password[PASSWORD_MADE];
	struct pg_array roles, classes;
	pb_invitation_list invitations;
};

static enum err make_state(struct request *r)
{
	r->state = arena_alloc(&r->arena, sizeof(struct identity_state));
	return r->state ? ERR_OK : ERR_NOMEM;
}

/* ---- users ---- */

static const struct db_stmt school_exists = {"SELECT 1 FROM school WHERE county = app_county() AND code = $1::text AND NOT deleted"};
static const struct db_stmt insert_user = {
	"WITH n AS (SELECT coalesce(max(nullif(regexp_replace(user_id, '^.*?([0-9]*)$', '\\1'), '')::int), 0) AS n FROM user_account"
	" WHERE county = app_county() AND user_id ~ ('^' || $1::text || '[0-9]*$')),"
	" u AS (INSERT INTO user_account (county, user_id, name, school, roles, classes, password_hash, first_until, created_at, created_by)"
	" SELECT app_county(), $1::text || CASE WHEN EXISTS (SELECT 1 FROM user_account WHERE county = app_county() AND user_id = $1::text) THEN (n.n + 1)::text ELSE '' END,"
	" $2::text, $3::text, $4::int[], $5::text[], $6::text, jg_now() + interval '24 hours', jg_now(), $7::text FROM n RETURNING user_id)"
	", g AS (INSERT INTO role_grant (county, at, user_id, roles, given_by) SELECT app_county(), jg_now(), user_id, $4::int[], $7::text FROM u)"
	" SELECT user_id FROM u"};

/* A school's people have school roles, the bureau's bureau roles; administrators come only from `jgd init` or each other. */
static enum err judge_roles(const pb_user_add *q)
{
	bool school = q->school && q->school[0];

	if (q->n_role == 0)
		return ERR_MISSING;
	for (size_t i = 0; i < q->n_role; i++)
		if ((q->role[i] < 10) != school || (q->role[i] > 20 && q->n_role > 1))
			return ERR_INVALID;
	return ERR_OK;
}

static void add_done(struct request *r)
{
	struct identity_state *s = r->state;
	pb_user_secret out = PB_USER_SECRET_INIT;

	if (PQntuples(r->task.result[0]) == 0 && REQUEST(r, pb_user_add)->school && REQUEST(r, pb_user_add)->school[0]) {
		request_fail(r, ERR_NOT_FOUND, "school", "%s", tr("没有这所学校", "there is no such school"));
		return;
	}
	out.user = arena_printf(&r->arena, "%s", db_get_text(r->task.result[1], 0, 0));
	out.password = s->password;
	access_log_add(r->worker, &r->caller, r->method->name, "OK", 1, "admin", r->ref);
	request_reply(r, &out.base);
}

static void add_query(struct request *r)
{
	const pb_user_add *q = REQUEST(r, pb_user_add);
	struct identity_state *s = r->state;
	struct db_params p = {0}, c = {0};

	request_scope(r, SCOPE_BUREAU, "");
	pg_array_begin(&s->roles, PG_INT4);
	for (size_t i = 0; i < q->n_role; i++)
		pg_array_int4(&s->roles, (int32_t)q->role[i]);
	pg_array_begin(&s->classes, PG_TEXT);
	for (size_t i = 0; i < q->n_klass; i++)
		pg_array_text(&s->classes, q->klass[i]);
	db_text(&c, q->school ? q->school : "");
	request_query(r, &school_exists, &c);
	db_text(&p, s->login);
	db_text(&p, q->name);
	db_text(&p, q->school ? q->school : "");
	db_array(&p, &s->roles);
	db_array(&p, &s->classes);
	db_text(&p, s->job.hash);
	db_text(&p, r->caller.user);
	request_query(r, &insert_user, &p);
	db_task_commit(&r->task);
	request_trip(r, add_done);
	pg_array_free(&s->roles);
	pg_array_free(&s->classes);
}

static void on_hashed(struct password_job *job)
{
	if (job->hash[0])
		request_begin(job->data, add_query);
	else
		request_fail(job->data, ERR_NOMEM, NULL, NULL);
}

static void add_user(struct request *r)
{
	const pb_user_add *q = REQUEST(r, pb_user_add);
	enum err e = judge_roles(q);

	if (e || !q->name || !q->name[0] || make_state(r)) {
		request_fail(r, e ? e : ERR_MISSING, e ? "role" : "name", NULL);
		return;
	}
	struct identity_state *s = r->state;
	size_t n = 0;
	for (const char *c = q->login ? q->login : ""; *c && n < LOGIN_MAX; c++)
		if (isalnum((unsigned char)*c))
			s->login[n++] = (char)tolower((unsigned char)*c);
	if (n == 0)
		strcpy(s->login, role_name((unsigned)q->role[0]));
	/* A digit at the end would be taken for the counter. */
	while (n && isdigit((unsigned char)s->login[n - 1]))
		s->login[--n] = 0;
	if (!s->login[0])
		strcpy(s->login, "user");
	password_generate(s->password);
	e = password_make(&s->job, r->worker, s->password, on_hashed, r);
	if (e)
		request_fail(r, e, NULL, NULL);
}

static const struct db_stmt reset_password = {
	"WITH s AS (UPDATE session SET ended_at = jg_now() WHERE county = app_county() AND user_id = $1::text AND user_id <> $3::text AND ended_at IS NULL)"
	" UPDATE user_account SET password_hash = $2::text, must_change = true, first_until = jg_now() + interval '24 hours'"
	" WHERE county = app_county() AND user_id = $1::text AND user_id <> $3::text RETURNING user_id"};

static void reset_done(struct request *r)
{
	struct identity_state *s = r->state;
	pb_user_secret out = PB_USER_SECRET_INIT;

	if (PQntuples(r->task.result[0]) == 0) {
		request_fail(r, ERR_NOT_FOUND, "user", NULL);
		return;
	}
	out.user = REQUEST(r, pb_user_name)->user;
	out.password = s->password;
	access_log_add(r->worker, &r->caller, r->method->name, "OK", 1, "admin", r->ref);
	request_reply(r, &out.base);
}

static void reset_query(struct request *r)
{
	struct identity_state *s = r->state;
	struct db_params p = {0};

	request_scope(r, SCOPE_BUREAU, "");
	db_text(&p, REQUEST(r, pb_user_name)->user);
	db_text(&p, s->job.hash);
	db_text(&p, r->caller.user);
	request_query(r, &reset_password, &p);
	db_task_commit(&r->task);
	request_trip(r, reset_done);
}

static void on_reset_hashed(struct password_job *job)
{
	if (job->hash[0])
		request_begin(job->data, reset_query);
	else
		request_fail(job->data, ERR_NOMEM, NULL, NULL);
}

static void reset_user(struct request *r)
{
	enum err e = REQUEST(r, pb_user_name)->user ? make_state(r) : ERR_MISSING;

	if (!e) {
		struct identity_state *s = r->state;
		password_generate(s->password);
		e = password_make(&s->job, r->worker, s->password, on_reset_hashed, r);
	}
	if (e)
		request_fail(r, e, "user", NULL);
}

/* Disabling and unlocking: nobody does it to himself. */
static const struct db_stmt disable_account = {
	"WITH s AS (UPDATE session SET ended_at = jg_now() WHERE county = app_county() AND user_id = $1::text AND user_id <> $2::text AND ended_at IS NULL)"
	" UPDATE user_account SET disabled = true WHERE county = app_county() AND user_id = $1::text AND user_id <> $2::text RETURNING user_id"};
static const struct db_stmt unlock_account = {
	"WITH g AS (UPDATE login_guard SET failed = 0, locked_until = NULL WHERE county = app_county() AND user_id = $1::text AND user_id <> $2::text)"
	" SELECT user_id FROM user_account WHERE county = app_county() AND user_id = $1::text AND user_id <> $2::text"};

static void named_done(struct request *r)
{
	pb_empty out = PB_EMPTY_INIT;

	if (PQntuples(r->task.result[0]) == 0) {
		request_fail(r, ERR_NOT_FOUND, "id", NULL);
		return;
	}
	access_log_add(r->worker, &r->caller, r->method->name, "OK", 1, "admin", r->ref);
	request_reply(r, &out.base);
}

static void disable_query(struct request *r)
{
	struct db_params p = {0};

	db_text(&p, REQUEST(r, pb_user_name)->user ? REQUEST(r, pb_user_name)->user : "");
	db_text(&p, r->caller.user);
	request_query(r, r->method->number == METHOD_IDENTITY_DISABLE_USER ? &disable_account : &unlock_account, &p);
}

static void disable_user(struct request *r)
{
	request_write(r, disable_query, named_done);
}

static const struct db_stmt select_users = {
	"SELECT u.user_id, u.name, u.school, u.roles, u.classes, u.disabled,"
	" EXISTS (SELECT 1 FROM login_guard g WHERE g.county = u.county AND g.user_id = u.user_id AND g.locked_until > jg_now()),"
	" u.must_change, u.last_login FROM user_account u WHERE u.county = app_county() ORDER BY u.school, u.user_id"};

static void list_users_query(struct request *r)
{
	request_query(r, &select_users, NULL);
}

static char **copy_texts(struct request *r, const PGresult *res, int row, int column, size_t *count)
{
	const char *texts[CLASSES_MAX];
	size_t lengths[CLASSES_MAX];
	int n = db_get_texts(res, row, column, texts, lengths, CLASSES_MAX);
	char **out = arena_alloc(&r->arena, sizeof *out * CLASSES_MAX);

	*count = 0;
	for (int i = 0; out && i < n && i < CLASSES_MAX; i++)
		out[(*count)++] = arena_text(&r->arena, texts[i], lengths[i]);
	return out;
}

static void fill_user(struct request *r, pb_user *u, const PGresult *res, int row)
{
	int32_t roles[16];
	int n = db_get_ints(res, row, 3, roles, 16);

	*u = (pb_user)PB_USER_INIT;
	u->user = (char *)db_get_text(res, row, 0);
	u->name = (char *)db_get_text(res, row, 1);
	u->school = (char *)db_get_text(res, row, 2);
	u->role = arena_alloc(&r->arena, sizeof *u->role * 16);
	for (int i = 0; u->role && i < n && i < 16; i++)
		u->role[u->n_role++] = (Jingguan__V1__Role)roles[i];
	u->klass = copy_texts(r, res, row, 4, &u->n_klass);
	u->has_disabled = u->has_locked = u->has_must_change = 1;
	u->disabled = (protobuf_c_boolean)db_get_int(res, row, 5);
	u->locked = (protobuf_c_boolean)db_get_int(res, row, 6);
	u->must_change = (protobuf_c_boolean)db_get_int(res, row, 7);
	u->has_last_login = !db_is_null(res, row, 8);
	u->last_login = db_get_int(res, row, 8);
}

static void list_users_done(struct request *r)
{
	const PGresult *res = r->task.result[0];
	int n = PQntuples(res);
	pb_user_list out = PB_USER_LIST_INIT;
	pb_user *users = arena_alloc(&r->arena, sizeof *users * (size_t)n);

	out.user = arena_alloc(&r->arena, sizeof *out.user * (size_t)n);
	if (n && (!users || !out.user)) {
		request_fail(r, ERR_NOMEM, NULL, NULL);
		return;
	}
	for (int i = 0; i < n; i++) {
		fill_user(r, &users[i], res, i);
		out.user[out.n_user++] = &users[i];
	}
	request_reply(r, &out.base);
}

static void list_users(struct request *r)
{
	request_read(r, list_users_query, list_users_done);
}

/* ---- devices ---- */

static const struct db_stmt schools_to_invite = {
	"SELECT s.code, s.name FROM school s WHERE s.county = app_county() AND NOT s.deleted AND ($1::text = s.code OR $2::boolean) ORDER BY s.code"};
static const struct db_stmt insert_invitations = {
	"INSERT INTO invitation AS i (county, tag, secret_sha, school, expires, created_by, created_at)"
	" SELECT app_county(), t, h, s, jg_now() + interval '72 hours', $4::text, jg_now() FROM unnest($1::bytea[], $2::bytea[], $3::text[]) u(t, h, s)"
	" RETURNING expires"};

static void invite_done(struct request *r)
{
	const PGresult *res = r->task.result[0];
	struct identity_state *s = r->state;
	pb_invitation_list *out = &s->invitations;

	for (size_t i = 0; i < out->n_invitation; i++) {
		out->invitation[i]->has_expires = 1;
		out->invitation[i]->expires = db_get_int(res, 0, 0);
	}
	access_log_add(r->worker, &r->caller, r->method->name, "OK", (uint32_t)out->n_invitation, "admin", r->ref);
	request_reply(r, &out->base);
}

static pb_invitation *make_invitation(struct request *r, const char *school, const char *name, struct pg_array *tags,
	struct pg_array *shas, struct pg_array *schools)
{
	uint8_t secret[SECRET_SIZE], sha[32];
	char code[CONNECT_CODE_TEXT + 160], server[160] = "";
	const struct conf *conf = &r->worker->server->conf;
	pb_invitation *i = arena_alloc(&r->arena, sizeof *i);

	if (!i)
		return NULL;
	randombytes_buf(secret, sizeof secret);
	crypto_hash_sha256(sha, secret, sizeof secret);
	pg_array_bytes(tags, secret, 3);
	pg_array_bytes(shas, sha, 32);
	pg_array_text(schools, school);
	/* A wildcard address means nothing to a client: it is told with --server then. */
	if (!strstr(conf->listen, "0.0.0.0"))
		conf_address_text(&conf->listen_addr, server, sizeof server);
	pki_connect_code(code, r->worker->server->ca_cert, secret, server);
	*i = (pb_invitation)PB_INVITATION_INIT;
	i->code = arena_printf(&r->arena, "%s", code);
	i->school = arena_printf(&r->arena, "%s", school);
	i->school_name = arena_printf(&r->arena, "%s", name);
	return i;
}

static void invite_schools(struct request *r)
{
	const pb_invite *q = REQUEST(r, pb_invite);
	const PGresult *res = r->task.result[0];
	bool bureau = !q->all && (!q->school || !q->school[0]);
	size_t n = bureau ? 1 : (size_t)PQntuples(res);
	struct identity_state *s = r->state;
	struct pg_array tags = {0}, shas = {0}, schools = {0};
	struct db_params p = {0};
	pb_invitation_list *out = &s->invitations;

	if (n == 0) {
		request_fail(r, ERR_NOT_FOUND, "school", "%s", tr("没有这所学校", "there is no such school"));
		return;
	}
	*out = (pb_invitation_list)PB_INVITATION_LIST_INIT;
	out->invitation = arena_alloc(&r->arena, sizeof *out->invitation * n);
	pg_array_begin(&tags, PG_BYTEA);
	pg_array_begin(&shas, PG_BYTEA);
	pg_array_begin(&schools, PG_TEXT);
	for (size_t i = 0; i < n; i++)
		out->invitation[out->n_invitation++] = make_invitation(r, bureau ? "" : db_get_text(res, (int)i, 0),
			bureau ? "" : db_get_text(res, (int)i, 1), &tags, &shas, &schools);
	db_array(&p, &tags);
	db_array(&p, &shas);
	db_array(&p, &schools);
	db_text(&p, r->caller.user);
	request_query(r, &insert_invitations, &p);
	db_task_commit(&r->task);
	request_trip(r, invite_done);
	pg_array_free(&tags);
	pg_array_free(&shas);
	pg_array_free(&schools);
}

static void invite_query(struct request *r)
{
	const pb_invite *q = REQUEST(r, pb_invite);
	struct db_params p = {0};

	request_scope(r, SCOPE_BUREAU, "");
	db_text(&p, q->school ? q->school : "");
	db_bool(&p, q->all);
	request_query(r, &schools_to_invite, &p);
	request_trip(r, invite_schools);
}

static void invite_device(struct request *r)
{
	if (make_state(r))
		request_fail(r, ERR_NOMEM, NULL, NULL);
	else
		request_begin(r, invite_query);
}

static const struct db_stmt select_devices = {
	"SELECT device_id, school, host, client, last_contact, last_op, revoked_at IS NOT NULL, cert_until, pending FROM device"
	" WHERE county = app_county() ORDER BY school, device_id"};

static void list_devices_query(struct request *r)
{
	request_query(r, &select_devices, NULL);
}

static void list_devices_done(struct request *r)
{
	const PGresult *res = r->task.result[0];
	int n = PQntuples(res);
	size_t len;
	pb_device_list out = PB_DEVICE_LIST_INIT;
	pb_device *devices = arena_alloc(&r->arena, sizeof *devices * (size_t)n);

	out.device = arena_alloc(&r->arena, sizeof *out.device * (size_t)n);
	for (int i = 0; devices && out.device && i < n; i++) {
		pb_device *d = &devices[i];
		*d = (pb_device)PB_DEVICE_INIT;
		d->id = arena_alloc(&r->arena, 37);
		id_format(d->id, db_get_bytes(res, i, 0, &len));
		d->school = (char *)db_get_text(res, i, 1);
		d->host = (char *)db_get_text(res, i, 2);
		d->version = (char *)db_get_text(res, i, 3);
		d->has_last_contact = !db_is_null(res, i, 4);
		d->last_contact = db_get_int(res, i, 4);
		d->has_last_op = d->has_revoked = d->has_cert_until = d->has_pending = 1;
		d->last_op = (uint64_t)db_get_int(res, i, 5);
		d->revoked = (protobuf_c_boolean)db_get_int(res, i, 6);
		d->cert_until = db_get_int(res, i, 7);
		d->pending = (uint64_t)db_get_int(res, i, 8);
		out.device[out.n_device++] = d;
	}
	request_reply(r, &out.base);
}

static void list_devices(struct request *r)
{
	request_read(r, list_devices_query, list_devices_done);
}

static const struct db_stmt deny_device = {
	"WITH d AS (UPDATE device SET revoked_at = jg_now() WHERE county = app_county() AND device_id = $1::uuid RETURNING device_id, cert_spki),"
	" s AS (UPDATE session SET ended_at = jg_now() WHERE county = app_county() AND device_id = $1::uuid AND ended_at IS NULL),"
	" l AS (INSERT INTO deny_list (county, spki, at, by_user) SELECT app_county(), cert_spki, jg_now(), $2::text FROM d ON CONFLICT DO NOTHING)"
	" SELECT device_id FROM d"};

static void revoke_query(struct request *r)
{
	uint8_t id[ID_SIZE] = {0};
	struct db_params p = {0};

	if (REQUEST(r, pb_device_id)->id)
		(void)!id_parse(id, REQUEST(r, pb_device_id)->id);
	db_bytes(&p, id, sizeof id);
	db_text(&p, r->caller.user);
	request_query(r, &deny_device, &p);
}

static void revoke_device(struct request *r)
{
	request_write(r, revoke_query, named_done);
}

const struct handler identity_handlers[] = {{METHOD_IDENTITY_ADD_USER, add_user}, {METHOD_IDENTITY_LIST_USERS, list_users},
	{METHOD_IDENTITY_RESET_USER, reset_user}, {METHOD_IDENTITY_DISABLE_USER, disable_user},
	{METHOD_IDENTITY_UNLOCK_USER, disable_user}, {METHOD_IDENTITY_INVITE_DEVICE, invite_device},
	{METHOD_IDENTITY_LIST_DEVICES, list_devices}, {METHOD_IDENTITY_REVOKE_DEVICE, revoke_device}, {0, NULL}};
