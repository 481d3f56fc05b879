/* HELLO: which computer this is, and in which incarnation it goes on. */
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "hash.h"
#include "wire_limits.h"
#include "log.h"
#include "push_plan.h"
#include "readmit.h"
#include "service.h"

static const struct db_stmt hello_device = {
	"SELECT d.device_id, d.school, d.incarnation, d.last_op, d.last_hash, d.revoked_at IS NOT NULL,"
	" d.cert_until, c.name, c.rehearsal, c.epoch, jg_now(), coalesce(s.name, '')"
	" FROM device d"
	" JOIN county c ON c.county = d.county"
	" LEFT JOIN school s ON s.county = d.county AND s.code = d.school AND NOT s.deleted"
	" WHERE d.county = app_county() AND d.cert_spki = $1::bytea"};
enum {
	DEVICE_ID,
	DEVICE_SCHOOL,
	DEVICE_INCARNATION,
	DEVICE_LAST_OP,
	DEVICE_LAST_HASH,
	DEVICE_REVOKED,
	DEVICE_CERT_UNTIL,
	DEVICE_COUNTY_NAME,
	DEVICE_REHEARSAL,
	DEVICE_EPOCH,
	DEVICE_NOW,
	DEVICE_SCHOOL_NAME
};
/* Once a minute is enough for `devices list`; a write per connection would cost a disk sync each. */
static const struct db_stmt hello_contact = {
	"UPDATE device"
	" SET last_contact = jg_now(), client = left($2::text, 80), pending = $3::bigint"
	" WHERE county = app_county() AND cert_spki = $1::bytea"
	" AND (last_contact IS NULL OR last_contact < jg_now() - interval '1 minute'"
	" OR pending <> $3::bigint)"};
/* The renewed key is used for the first time: it has arrived, and the old one ends. */
static const struct db_stmt hello_renewed = {
	"UPDATE device"
	" SET cert_spki = next_spki, cert_until = next_until, next_spki = NULL, next_until = NULL"
	" WHERE county = app_county() AND next_spki = $1::bytea AND revoked_at IS NULL"};

struct hello_state {
	pb_welcome welcome;
	uint8_t last_hash[32];
	pb_limit limits[6], *limit_list[6];
	pb_stream_ref streams[2], *stream_list[2];
};

static uint64_t unsent(const pb_hello *hello)
{
	return hello->made > hello->last_op ? hello->made - hello->last_op : 0;
}

static void hello_queries(struct request *r)
{
	const pb_hello *hello = REQUEST(r, pb_hello);
	struct db_params p = {0}, q = {0}, n = {0};

	request_key(r, &n);
	request_query(r, &hello_renewed, &n);
	request_key(r, &p);
	request_query(r, &hello_device, &p);
	request_key(r, &q);
	db_text(&q, hello->client ? hello->client : "");
	db_int8(&q, (int64_t)unsent(hello));
	request_query(r, &hello_contact, &q);
	db_task_commit(&r->task);
}

static void fill_limits(struct hello_state *s)
{
	static const struct {
		const char *name;
		uint64_t value;
	} limits[] = {{"frame_bytes", FRAME_MAX}, {"calls_in_flight", CALLS_MAX}, {"push_ops", PUSH_OPS_MAX},
		{"push_bytes", PUSH_BYTES_MAX}, {"chunk_bytes", CHUNK_BYTES}, {"file_bytes", FILE_BYTES_MAX}};

	for (size_t i = 0; i < sizeof limits / sizeof *limits; i++) {
		s->limits[i] = (pb_limit)PB_LIMIT_INIT;
		s->limits[i].name = (char *)limits[i].name;
		s->limits[i].has_value = 1;
		s->limits[i].value = limits[i].value;
		s->limit_list[i] = &s->limits[i];
	}
	s->welcome.n_limit = sizeof limits / sizeof *limits;
	s->welcome.limit = s->limit_list;
}

static void add_stream(struct hello_state *s, int64_t id, const char *what)
{
	size_t i = s->welcome.n_stream++;

	s->streams[i] = (pb_stream_ref)PB_STREAM_REF_INIT;
	s->streams[i].has_stream = 1;
	s->streams[i].stream = id;
	s->streams[i].what = (char *)what;
	s->stream_list[i] = &s->streams[i];
	s->welcome.stream = s->stream_list;
}

static void send_welcome(struct request *r)
{
	struct hello_state *s = r->data;
	struct conn *c = r->conn;

	if (c) {
		conn_enter(c, CONN_OPEN);
		c->caller = r->caller;
	}
	request_reply(r, &s->welcome.base);
}

/* A device that never made what the server has from it was rolled back or cloned (sync.md "Forks"). */
static bool is_behind(const pb_hello *hello, int64_t incarnation, int64_t last_op)
{
	return hello->incarnation == (uint32_t)incarnation && (int64_t)hello->made < last_op;
}

/* A new incarnation begins with what the device sends in it, not here: this HELLO may be an old one that lay
 * in some buffer while the device came back by another way and went on. */
static void offer_incarnation(struct request *r, struct hello_state *s, uint32_t incarnation, bool forked)
{
	s->welcome.incarnation = incarnation;
	s->welcome.last_op = 0;
	hash_genesis(s->last_hash, r->caller.device, incarnation);
	s->welcome.forked = forked;
	if (forked)
		log_warn("device=%s forked: incarnation %u", r->caller.device_text, incarnation);
}

static void choose_incarnation(struct request *r, struct hello_state *s, const pb_hello *hello)
{
	uint32_t ours = s->welcome.incarnation;

	if (!hello->incarnation)
		return;
	if (push_is_ahead(hello->incarnation, ours))
		offer_incarnation(r, s, hello->incarnation,
			false); /* we lost its beginning with the database's tail: it is all sent again */
	else if (hello->incarnation != ours ? s->welcome.last_op > 0
					    : is_behind(hello, ours, (int64_t)s->welcome.last_op))
		offer_incarnation(r, s, ours + 1, true);
	else
		s->welcome.forked = hello->incarnation != ours;
}

static void fill_welcome(struct request *r, struct hello_state *s, const PGresult *d)
{
	const struct conf *conf = &r->worker->server->conf;
	pb_welcome *w = &s->welcome;
	size_t n;

	*w = (pb_welcome)PB_WELCOME_INIT;
	fill_limits(s);
	add_stream(s, conf->county, "county");
	if (r->caller.school[0])
		add_stream(s, strtoll(r->caller.school, NULL, 10), "school");
	w->has_version = w->has_now = w->has_incarnation = w->has_last_op = w->has_last_hash = 1;
	w->has_known_incarnation = w->has_known_op = 1;
	w->has_rehearsal = w->has_cert_until = w->has_epoch = w->has_forked = 1;
	w->version = 1;
	w->now = db_get_int(d, 0, DEVICE_NOW);
	w->incarnation = (uint32_t)db_get_int(d, 0, DEVICE_INCARNATION);
	w->last_op = (uint64_t)db_get_int(d, 0, DEVICE_LAST_OP);
	w->known_incarnation = w->incarnation;
	w->known_op = w->last_op;
	memcpy(s->last_hash, db_get_bytes(d, 0, DEVICE_LAST_HASH, &n), 32);
	w->last_hash.data = s->last_hash;
	w->last_hash.len = 32;
	w->county = arena_printf(&r->arena, "%d", conf->county);
	w->county_name = arena_printf(&r->arena, "%s", db_get_text(d, 0, DEVICE_COUNTY_NAME));
	w->rehearsal = (protobuf_c_boolean)db_get_int(d, 0, DEVICE_REHEARSAL);
	w->school = r->caller.school;
	w->school_name = arena_printf(&r->arena, "%s", db_get_text(d, 0, DEVICE_SCHOOL_NAME));
	w->server = "jgd " JG_VERSION;
	w->cert_until = db_get_int(d, 0, DEVICE_CERT_UNTIL);
	w->epoch = r->caller.epoch = (uint64_t)db_get_int(d, 0, DEVICE_EPOCH);
}

static void hello_known(struct request *r)
{
	const pb_hello *hello = REQUEST(r, pb_hello);
	const PGresult *d = request_result(r, &hello_device);
	struct hello_state *s = arena_alloc(&r->arena, sizeof *s);
	size_t n;

	if (!s) { /* who reads REVOKED destroys his keys: want of memory is not that */
		request_release(r);
		if (r->conn)
			conn_goaway(r->conn, CLOSE_REASONS, ERR_NOMEM);
		request_fail(r, ERR_NOMEM, NULL, NULL);
		return;
	}
	if (PQntuples(d) == 0 || db_get_int(d, 0, DEVICE_REVOKED)) {
		request_release(r);
		if (r->conn)
			conn_goaway(r->conn, CLOSE_REVOKED, ERR_REVOKED);
		request_fail(r, ERR_REVOKED, NULL, NULL);
		return;
	}
	memcpy(r->caller.device, db_get_bytes(d, 0, DEVICE_ID, &n), ID_SIZE);
	id_format(r->caller.device_text, r->caller.device);
	snprintf(r->caller.school, sizeof r->caller.school, "%s", db_get_text(d, 0, DEVICE_SCHOOL));
	r->caller.has_device = true;
	r->caller.made = hello->made;
	fill_welcome(r, s, d);
	r->data = s;
	choose_incarnation(r, s, hello);
	send_welcome(r);
}

static void hello_again(struct request *r)
{
	readmit_tell(r);
	hello_known(r);
}

static void readmit_step(struct request *r)
{
	request_scope(r, SCOPE_JOB, "");
	if (!readmit_query(r)) { /* it has gone meanwhile, or its certificate says nothing of a device */
		hello_queries(r);
		request_trip(r, hello_known);
		return;
	}
	hello_queries(r);
	request_trip(r, hello_again);
}

static void hello_done(struct request *r)
{
	if (PQntuples(request_result(r, &hello_device))) {
		hello_known(r);
		return;
	}
	request_release(r);
	request_begin(r, readmit_step);
}

static void hello_step(struct request *r)
{
	request_scope(r, SCOPE_JOB, "");
	hello_queries(r);
	request_trip(r, hello_done);
}

void session_hello(struct request *r)
{
	const pb_hello *hello = REQUEST(r, pb_hello);

	if (hello->version_min > 1 || hello->version_max < 1) {
		if (r->conn)
			conn_goaway(r->conn, CLOSE_PROTOCOL, ERR_UPGRADE);
		request_fail(r, ERR_UPGRADE, "version", NULL);
		return;
	}
	request_begin(r, hello_step);
}
