/* Enrolment: a computer shows the secret of an invitation and becomes a device. The invitation is the
 * approval. */
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "access_log.h"
#include "clock.h"
#include "hash.h"
#include "lang.h"
#include "log.h"
#include "pki.h"
#include "readmit.h"
#include "sealed_key.h"
#include "service.h"

static const struct db_stmt take_invitation = {
	"UPDATE invitation"
	" SET used_at = jg_now()"
	" WHERE county = app_county() AND tag = $1::bytea AND secret_sha = $2::bytea AND used_at IS NULL"
	" AND expires > jg_now()"
	" RETURNING school, jg_now(), (SELECT epoch FROM county WHERE county = app_county())"};
static const struct db_stmt insert_device = {
	"INSERT INTO device (county, device_id, school, cert_spki, cert_until, host, last_hash)"
	" VALUES (app_county(), $1::uuid, $2::text, $3::bytea, $4::timestamptz, left($5::text, 80),"
	" $6::bytea)"};
static const struct db_stmt find_device = {
	"SELECT school, jg_now(), (SELECT epoch FROM county WHERE county = app_county()), device_id"
	" FROM device"
	" WHERE county = app_county() AND (cert_spki = $1::bytea OR next_spki = $1::bytea)"
	" AND revoked_at IS NULL"};
/* Both begin with what take_who reads. */
enum { WHO_SCHOOL, WHO_NOW, WHO_EPOCH, DEVICE_ID };
/* The present key goes on until the new one is first used (hello.c): when this answer is lost, the device
 * asks again with it. */
static const struct db_stmt renew_device = {
	"UPDATE device SET next_spki = $2::bytea, next_until = $3::timestamptz,"
	" cert_spki = CASE WHEN next_spki = $4::bytea THEN next_spki ELSE cert_spki END,"
	" cert_until = CASE WHEN next_spki = $4::bytea THEN next_until ELSE cert_until END"
	" WHERE county = app_county() AND device_id = $1::uuid"};

static const struct db_stmt insert_cert = {
	"INSERT INTO device_cert (county, device, cert_hash, cert, at)"
	" VALUES (app_county(), $1::uuid, sha256($2::bytea), $2::bytea, jg_now()) ON CONFLICT DO NOTHING"};

struct enrol_state {
	uint8_t device[ID_SIZE], spki[32];
	struct pki_device who;
	int64_t now; /* microseconds of the county's clock */
	unsigned char *cert, *ca;
	int cert_len, ca_len;
	bool renewing;
};

static void reply(struct request *r)
{
	struct enrol_state *s = r->data;
	pb_enrol_reply out = PB_ENROL_REPLY_INIT;
	ProtobufCBinaryData ca = {(size_t)s->ca_len, s->ca};

	out.has_cert = 1;
	out.cert.data = s->cert;
	out.cert.len = (size_t)s->cert_len;
	out.n_ca = 1;
	out.ca = &ca;
	out.device = s->who.device;
	out.school = s->who.school;
	out.county = arena_printf(&r->arena, "%d", r->worker->server->conf.county);
	out.scope = s->who.school[0] ? "school" : "bureau";
	access_log_add(r->worker, &r->caller, r->method->name, "OK", 0, "enrol", r->ref);
	request_reply(r, &out.base);
}

static void take_who(struct enrol_state *s, const PGresult *rows)
{
	id_format(s->who.device, s->device);
	snprintf(s->who.school, sizeof s->who.school, "%s", db_get_text(rows, 0, WHO_SCHOOL));
	s->now = db_get_int(rows, 0, WHO_NOW);
	s->who.now_s = s->now / 1000000;
	s->who.epoch = db_get_int(rows, 0, WHO_EPOCH);
}

/* Makes the certificate; its bytes move into the arena so that every way out frees them. */
static enum err issue(struct request *r, const ProtobufCBinaryData *csr)
{
	struct enrol_state *s = r->data;
	struct server *server = r->worker->server;
	unsigned char *der = NULL, *ca = NULL;
	enum err e = pki_issue(server->ca_cert, server->ca_key, csr->data, csr->len, &s->who,
		server->conf.county, &der, &s->cert_len, s->spki);

	if (e)
		return e;
	s->ca_len = i2d_X509(server->ca_cert, &ca);
	s->cert = arena_copy(&r->arena, der, (size_t)s->cert_len);
	s->ca = arena_copy(&r->arena, ca, s->ca_len > 0 ? (size_t)s->ca_len : 0);
	OPENSSL_free(der);
	OPENSSL_free(ca);
	return s->cert && s->ca && s->ca_len > 0 ? ERR_OK : ERR_NOMEM;
}

static void store_device(struct request *r, const char *host)
{
	struct enrol_state *s = r->data;
	struct db_params p = {0}, cert = {0};
	uint8_t genesis[32];
	int64_t until = s->now + (int64_t)CERT_DAYS * 86400 * 1000000;

	db_bytes(&p, s->device, ID_SIZE);
	if (s->renewing) {
		db_bytes(&p, s->spki, 32);
		db_time(&p, until);
		request_key(r, &p);
		request_query(r, &renew_device, &p);
	} else {
		hash_genesis(genesis, s->device, 1);
		db_text(&p, s->who.school);
		db_bytes(&p, s->spki, 32);
		db_time(&p, until);
		db_text(&p, host);
		db_bytes(&p, genesis, 32);
		request_query(r, &insert_device, &p);
	}
	db_bytes(&cert, s->device, ID_SIZE);
	db_bytes(&cert, s->cert, (size_t)s->cert_len);
	request_query(r, &insert_cert, &cert);
	db_task_commit(&r->task);
	request_trip(r, reply);
}

static void refuse_code(struct request *r)
{
	if (!r->unlogged)
		access_log_add(r->worker, &r->caller, r->method->name, "BAD_CODE", 0, "refused", r->ref);
	request_fail_hint(r, ERR_BAD_CODE, "code", _("连接码无效、已用过或已过期"),
		_("请县局系统管理员重新发一个：jgadmin devices invite"));
}

/* Whoever is gone is of no address any more: his answer reaches nobody. */
static uint32_t address_of(const struct request *r)
{
	return r->conn ? r->conn->address->hash : 0;
}

static void enrol_taken(struct request *r)
{
	const pb_enrol_request *q = REQUEST(r, pb_enrol_request);
	const PGresult *i = request_result(r, &take_invitation);
	struct enrol_state *s = arena_alloc(&r->arena, sizeof *s);

	if (!s) {
		request_fail(r, ERR_NOMEM, NULL, NULL);
		return;
	}
	if (PQntuples(i) == 0) {
		request_release(r);
		refuse_code(r);
		return;
	}
	guesses_right(&r->worker->server->guesses, address_of(r), q->secret.data);
	r->data = s;
	id_make(s->device, clock_now_us());
	take_who(s, i);
	enum err e = issue(r, &q->csr);
	if (e) {
		request_fail(r, e, "csr", NULL);
		return;
	}
	store_device(r, q->host ? q->host : "");
}

static void enrol_query(struct request *r)
{
	const pb_enrol_request *q = REQUEST(r, pb_enrol_request);
	struct db_params p = {0};
	uint8_t sha[32];

	crypto_hash_sha256(sha, q->secret.data, q->secret.len);
	request_scope(r, SCOPE_JOB, "");
	db_bytes(&p, q->secret.data, 3);
	db_bytes(&p, sha, sizeof sha);
	request_query(r, &take_invitation, &p);
	request_trip(r, enrol_taken);
}

/* Nothing is written for who guesses on: neither a row nor a line of the log. */
static void enrol(struct request *r)
{
	const pb_enrol_request *q = REQUEST(r, pb_enrol_request);
	struct problem p;
	unsigned wait_ms = 0;

	if (q->secret.len != SECRET_SIZE) {
		refuse_code(r);
		return;
	}
	switch (guesses_take(&r->worker->server->guesses, address_of(r), q->secret.data,
		uv_now(&r->worker->loop), &wait_ms)) {
	case GUESS_MAY:
		request_begin(r, enrol_query);
		return;
	case GUESS_DEAD:
		r->unlogged = true;
		refuse_code(r);
		return;
	case GUESS_LATER:
		r->unlogged = true;
		problem_set(&p, ERR_BUSY, "code", _("稍后再试：jg connect --code 连接码"),
			_("试了太多不对的连接码，%u 秒后再试"), wait_ms / 1000 + 1);
		p.retry_ms = wait_ms;
		request_fail_problem(r, &p);
	}
}

static void renew_known(struct request *r)
{
	const PGresult *d = request_result(r, &find_device);
	struct enrol_state *s = arena_alloc(&r->arena, sizeof *s);
	size_t n;

	if (!s || PQntuples(d) == 0) { /* who reads REVOKED destroys his keys: want of memory is not that */
		request_fail(r, s ? ERR_REVOKED : ERR_NOMEM, NULL, NULL);
		return;
	}
	r->data = s;
	s->renewing = true;
	memcpy(s->device, db_get_bytes(d, 0, DEVICE_ID, &n), ID_SIZE);
	take_who(s, d);
	enum err e = issue(r, &REQUEST(r, pb_renew_request)->csr);
	if (e)
		request_fail(r, e, "csr", NULL);
	else
		store_device(r, "");
}

static void ask_device(struct request *r)
{
	struct db_params p = {0};

	request_key(r, &p);
	request_query(r, &find_device, &p);
}

static void renew_again(struct request *r)
{
	readmit_tell(r);
	renew_known(r);
}

/* A year in a drawer may lie between the backup and this call: an expired certificate is none the less of our
 * hand, and renews as one does whose row is there. */
static void renew_found(struct request *r)
{
	if (PQntuples(request_result(r, &find_device)) || !readmit_query(r)) {
		renew_known(r);
		return;
	}
	ask_device(r);
	request_trip(r, renew_again);
}

static void renew_query(struct request *r)
{
	request_scope(r, SCOPE_JOB, "");
	ask_device(r);
	request_trip(r, renew_found);
}

static void renew(struct request *r)
{
	if (!r->conn->has_cert)
		request_fail(r, ERR_UNAUTHENTICATED, NULL, NULL);
	else
		request_begin(r, renew_query);
}

/* The invitation of a new device was the bureau's approval: its school's registrar gets the key of what the
 * old one had not sent. */
static void open_sealed(struct request *r)
{
	const pb_sealed_key *q = REQUEST(r, pb_sealed_key);
	pb_opened_key out = PB_OPENED_KEY_INIT;
	char school[SEALED_KEY_SCHOOL];
	uint8_t key[SEALED_KEY_BYTES];
	enum err e = sealed_key_open(r->worker->server->ca_key, q->sealed.data, q->sealed.len, school, key);

	if (e == ERR_NOMEM) {
		request_fail(r, e, NULL, NULL);
		return;
	}
	if (e || strcmp(school, r->caller.school) != 0) {
		request_refuse(r, e ? e : ERR_PERMISSION, "sealed",
			e ? _("封存文件损坏，或不是本县的") : _("这是别的学校封存的"),
			_("请县局系统管理员核对这台电脑属于哪所学校：jgadmin devices list"));
		return;
	}
	out.has_key = 1;
	out.key = (ProtobufCBinaryData){sizeof key, key};
	access_log_add(r->worker, &r->caller, r->method->name, "OK", 0, "enrol", r->ref);
	request_reply(r, &out.base);
	sodium_memzero(key, sizeof key);
}

static const struct handler handlers[] = {{METHOD_ENROL_ENROL, enrol}, {METHOD_ENROL_RENEW, renew},
	{METHOD_ENROL_OPEN_SEALED, open_sealed}, {0, NULL}};

const struct service enrol_service = {"enrol", handlers, NULL};
