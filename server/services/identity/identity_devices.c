/* Computers: connect codes, the list, revoking. */
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "access_log.h"
#include "clock.h"
#include "hash.h"
#include "identity_calls.h"
#include "lang.h"
#include "pki.h"

static const struct db_stmt schools_to_invite = {
	"SELECT s.code, s.name"
	" FROM school s"
	" WHERE s.county = app_county() AND NOT s.deleted AND ($1::text = s.code OR $2::boolean)"
	" ORDER BY s.code"};
static const struct db_stmt insert_invitations = {
	"INSERT INTO invitation AS i (county, tag, secret_sha, school, expires, created_by, created_at)"
	" SELECT app_county(), t, h, s, jg_now() + interval '72 hours', $4::text, jg_now()"
	" FROM unnest($1::bytea[], $2::bytea[], $3::text[]) u(t, h, s)"
	" RETURNING expires"};

static void invite_done(struct request *r)
{
	const PGresult *res = request_result(r, &insert_invitations);
	pb_invitation_list *out = r->data;

	for (size_t i = 0; i < out->n_invitation; i++) {
		out->invitation[i]->has_expires = 1;
		out->invitation[i]->expires = db_get_int(res, 0, 0);
	}
	access_log_add(
		r->worker, &r->caller, r->method->name, "OK", (uint32_t)out->n_invitation, "admin", r->ref);
	request_reply(r, &out->base);
}

static pb_invitation *make_invitation(struct request *r, const char *school, const char *name,
	struct pg_array *tags, struct pg_array *shas, struct pg_array *schools)
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
	if ((r->arena.refused = pki_connect_code(code, r->worker->server->ca_cert, secret, server)))
		return NULL; /* nothing of it is run */
	*i = (pb_invitation)PB_INVITATION_INIT;
	i->code = arena_printf(&r->arena, "%s", code);
	i->school = arena_printf(&r->arena, "%s", school);
	i->school_name = arena_printf(&r->arena, "%s", name);
	return i;
}

static void invite_schools(struct request *r)
{
	const pb_invite *q = REQUEST(r, pb_invite);
	const PGresult *res = request_result(r, &schools_to_invite);
	bool bureau = !q->all && (!q->school || !q->school[0]);
	size_t n = bureau ? 1 : (size_t)PQntuples(res);
	struct pg_array tags = {0}, shas = {0}, schools = {0};
	struct db_params p = {0};
	pb_invitation_list *out = r->data;

	if (n == 0) {
		request_fail(r, ERR_NOT_FOUND, "school", "%s", _("没有这所学校"));
		return;
	}
	*out = (pb_invitation_list)PB_INVITATION_LIST_INIT;
	out->invitation = arena_alloc(&r->arena, sizeof *out->invitation * n);
	pg_array_begin(&tags, PG_BYTEA);
	pg_array_begin(&shas, PG_BYTEA);
	pg_array_begin(&schools, PG_TEXT);
	for (size_t i = 0; i < n; i++)
		out->invitation[out->n_invitation++] =
			make_invitation(r, bureau ? "" : db_get_text(res, (int)i, 0),
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

void identity_invite(struct request *r)
{
	r->data = arena_alloc(&r->arena, sizeof(pb_invitation_list));
	if (r->data)
		request_begin(r, invite_query);
	else
		request_fail(r, ERR_NOMEM, NULL, NULL);
}

static const struct db_stmt select_devices = {
	"SELECT device_id, school, host, client, last_contact, last_op, revoked_at IS NOT NULL,"
	" cert_until, pending"
	" FROM device"
	" WHERE county = app_county()"
	" ORDER BY school, device_id"};
enum {
	DEVICE_ID,
	DEVICE_SCHOOL,
	DEVICE_HOST,
	DEVICE_CLIENT,
	DEVICE_LAST_CONTACT,
	DEVICE_LAST_OP,
	DEVICE_REVOKED,
	DEVICE_CERT_UNTIL,
	DEVICE_PENDING
};

static void list_devices_query(struct request *r)
{
	request_query(r, &select_devices, NULL);
}

static void list_devices_done(struct request *r)
{
	const PGresult *res = request_result(r, &select_devices);
	int n = PQntuples(res);
	size_t len;
	pb_device_list out = PB_DEVICE_LIST_INIT;
	pb_device *devices = arena_alloc(&r->arena, sizeof *devices * (size_t)n);

	out.device = arena_alloc(&r->arena, sizeof *out.device * (size_t)n);
	for (int i = 0; devices && out.device && i < n; i++) {
		pb_device *d = &devices[i];
		*d = (pb_device)PB_DEVICE_INIT;
		d->id = arena_alloc(&r->arena, 37);
		id_format(d->id, db_get_bytes(res, i, DEVICE_ID, &len));
		d->school = (char *)db_get_text(res, i, DEVICE_SCHOOL);
		d->host = (char *)db_get_text(res, i, DEVICE_HOST);
		d->version = (char *)db_get_text(res, i, DEVICE_CLIENT);
		d->has_last_contact = !db_is_null(res, i, DEVICE_LAST_CONTACT);
		d->last_contact = db_get_int(res, i, DEVICE_LAST_CONTACT);
		d->has_last_op = d->has_revoked = d->has_cert_until = d->has_pending = 1;
		d->last_op = (uint64_t)db_get_int(res, i, DEVICE_LAST_OP);
		d->revoked = (protobuf_c_boolean)db_get_int(res, i, DEVICE_REVOKED);
		d->cert_until = db_get_int(res, i, DEVICE_CERT_UNTIL);
		d->pending = (uint64_t)db_get_int(res, i, DEVICE_PENDING);
		out.device[out.n_device++] = d;
	}
	request_reply(r, &out.base);
}

void identity_devices(struct request *r)
{
	request_call(r, list_devices_query, list_devices_done);
}

static const struct db_stmt deny_device = {
	"WITH d AS (UPDATE device SET revoked_at = jg_now()"
	" WHERE county = app_county() AND device_id = $1::uuid"
	" RETURNING device_id, cert_spki, next_spki),"
	" s AS (UPDATE session SET ended_at = jg_now()"
	" WHERE county = app_county() AND device_id = $1::uuid AND ended_at IS NULL),"
	" l AS (INSERT INTO deny_list (county, spki, at, by_user)"
	" SELECT app_county(), k, jg_now(), $2::text FROM d, unnest(ARRAY[cert_spki, next_spki]) AS k"
	" WHERE k IS NOT NULL ON CONFLICT DO NOTHING)"
	" SELECT device_id"
	" FROM d"};

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

void identity_revoke(struct request *r)
{
	request_call(r, revoke_query, identity_named_done);
}
