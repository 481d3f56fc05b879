/* The seam between the wire and the handlers: frames go into dispatch_frame and come out of conn_send, and
 * between them run the real dispatch, requests, handlers, pool and PostgreSQL; only the socket is ours. Walks
 * the table of methods, so that a service is tried here on the day it has a row.
 *
 *     dispatch_seam CONNINFO DIR [METHOD]    (test_dispatch.py makes both; DIR will have a county's keys)
 *
 * Every call of every state, role and shape has exactly one final answer, no answer is INTERNAL, and in the
 * end nothing holds a connection of the database, whatever happened to peer or PostgreSQL meanwhile. */
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "arena.h"
#include "dispatch.h"
#include "envelope.h"
#include "epoch.h"
#include "log.h"
#include "pki.h"
#include "record_db.h"
#include "service.h"

#define COUNTY 329999
#define SCHOOL "3299990001"
#define WAIT_MS 20000 /* longer than any call takes: a call that is silent so long is lost */
#define SHAPES 6      /* how a message is filled, see add_value */

static struct server server;
static struct worker worker;
static int passed, failed, refused;

/* ---- the socket's place: what conn.c does with a stream ---- */

struct answer {
	unsigned final, pages;
	enum err code; /* of the final ERROR; ERR_OK for a REPLY */
	bool goaway;
};

static struct answer answers[64]; /* by number of the call, of one connection */
static bool slow;                 /* the peer reads nothing until drain() */
static unsigned paused;           /* calls that waited with a page out */

enum err conn_send(struct conn *c, const uint8_t *bytes, size_t n)
{
	struct frame f;

	if (stream_is_closing(&c->stream))
		return ERR_UNREACHABLE;
	if (n < FRAME_HEADER || frame_header_get(&f, bytes) || f.length != n - FRAME_HEADER)
		abort(); /* no frame */
	struct answer *a = &answers[f.call / 2 % 64];
	a->goaway |= f.type == FRAME_GOAWAY;
	a->pages += f.type == FRAME_REPLY && f.flags & FRAME_MORE;
	a->final += f.type == FRAME_ERROR || (f.type == FRAME_REPLY && !(f.flags & FRAME_MORE));
	if (f.type == FRAME_ERROR) {
		struct arena arena;
		const ProtobufCMessage *m;
		struct problem p;
		arena_init(&arena, 1 << 20);
		if (envelope_unpack(&pb_error_desc, bytes + FRAME_HEADER, f.length, &arena, &m, &p))
			abort();
		a->code = (enum err)((const pb_error *)m)->code;
		arena_free(&arena);
	}
	if (slow)
		c->stream.queued += STREAM_PAUSE_BYTES;
	return ERR_OK;
}

void conn_enter(struct conn *c, enum conn_state to)
{
	c->state = to;
}

void conn_close(struct conn *c, enum close_reason reason)
{
	(void)reason;
	c->stream.state = STREAM_CLOSING;
}

void conn_goaway(struct conn *c, enum close_reason reason, enum err code)
{
	(void)code;
	answers[0].goaway = true;
	conn_close(c, reason);
}

/* Of the pair that a real conn has, what the peer's end does. */
static void drain(struct conn *c)
{
	c->stream.queued = 0;
	for (struct request *r = c->requests, *next; r; r = next) {
		next = r->next;
		request_drained(r);
	}
}

static void hang_up(struct conn *c)
{
	c->stream.state = STREAM_CLOSING;
	for (struct request *r = c->requests, *next; r; r = next) {
		next = r->next;
		request_detach(r);
	}
}

/* ---- counting ---- */

static void check(bool good, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void check(bool good, const char *format, ...)
{
	va_list args;

	passed += good;
	failed += !good;
	if (good)
		return;
	printf("not ok ");
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	putchar('\n');
}

/* ---- the loop ---- */

static void on_alarm(uv_timer_t *timer)
{
	*(bool *)timer->data = true;
}

static int busy(void)
{
	int out, size, waiting;

	db_pool_stats(worker.pool, &out, &size, &waiting);
	return out + waiting;
}

/* Runs the loop until the connection has no call and the pool is at rest; false when that takes too long. */
static bool settle(struct conn *c)
{
	static uv_timer_t alarm;
	bool late = false;

	if (!alarm.loop)
		uv_timer_init(&worker.loop, &alarm);
	alarm.data = &late;
	uv_timer_start(&alarm, on_alarm, WAIT_MS, 1000); /* again: the loop must not sleep past it */
	while (!late && (c->request_count || busy()))
		uv_run(&worker.loop, UV_RUN_ONCE);
	uv_timer_stop(&alarm);
	return !late;
}

/* ---- callers and messages ---- */

static void meet(struct conn *c, enum conn_state state, unsigned role)
{
	memset(c, 0, sizeof *c);
	memset(answers, 0, sizeof answers);
	c->worker = &worker;
	c->state = state;
	c->has_cert = true;
	memset(c->spki, 0x5A, sizeof c->spki);
	struct caller *who = &c->caller;
	who->has_device = state == CONN_OPEN;
	memset(who->device, 0x11, sizeof who->device);
	memset(who->session, 0x22, sizeof who->session);
	snprintf(who->device_text, sizeof who->device_text, "11111111-1111-1111-1111-111111111111");
	who->epoch = 1;
	if (!role)
		return;
	who->has_session = true;
	who->roles = 1u << role;
	snprintf(who->user, sizeof who->user, "seam");
	if (role <= ROLE_COUNSELLOR)
		snprintf(who->school, sizeof who->school, SCHOOL);
}

static void put_bytes(struct buf *out, uint32_t id, const void *bytes, size_t n)
{
	buf_varint(out, id << 3 | 2);
	buf_varint(out, n);
	buf_add(out, bytes, n);
}

static void put_message(struct buf *out, const ProtobufCMessageDescriptor *d, unsigned shape, int depth);

/* Shapes: 0 nothing; 1 small; 2 what a school's clerk may say of a year; 3 long; 4 at random, by seed; 5 what
 * is no text. */
static void put_field(struct buf *out, const ProtobufCFieldDescriptor *f, unsigned shape, int depth)
{
	static const char *const texts[] = {"", "1", SCHOOL, NULL, NULL, "\xff\xfe"};
	static const uint64_t numbers[] = {0, 1, 2027, UINT32_MAX, 0, 7};
	static const size_t sizes[] = {0, 16, 32, 3000, 0, 1};
	static char bytes[3000];
	unsigned s = shape == 4 ? (unsigned)(rand() % 4) : shape;
	uint64_t number = strcmp(f->name, "stream") == 0 ? COUNTY /* the one that everybody may read */
		: strcmp(f->name, "cursor") == 0         ? 0
							 : numbers[s];
	struct buf inner = {0};

	memset(bytes, shape == 3 ? 'x' : 0, sizeof bytes);
	switch (f->type) {
	case PROTOBUF_C_TYPE_MESSAGE:
		put_message(&inner, f->descriptor, shape, depth + 1);
		put_bytes(out, f->id, inner.data ? inner.data : (const void *)"", inner.len);
		buf_free(&inner);
		break;
	case PROTOBUF_C_TYPE_STRING:
		put_bytes(out, f->id, texts[s] ? texts[s] : bytes, texts[s] ? strlen(texts[s]) : sizes[s]);
		break;
	case PROTOBUF_C_TYPE_BYTES:
		put_bytes(out, f->id, bytes, sizes[s]);
		break;
	case PROTOBUF_C_TYPE_FIXED64:
	case PROTOBUF_C_TYPE_SFIXED64:
	case PROTOBUF_C_TYPE_DOUBLE:
		buf_varint(out, f->id << 3 | 1);
		buf_add(out, (const uint8_t[8]){(uint8_t)number}, 8);
		break;
	case PROTOBUF_C_TYPE_FIXED32:
	case PROTOBUF_C_TYPE_SFIXED32:
	case PROTOBUF_C_TYPE_FLOAT:
		buf_varint(out, f->id << 3 | 5);
		buf_add(out, (const uint8_t[4]){(uint8_t)number}, 4);
		break;
	default:
		buf_varint(out, f->id << 3);
		buf_varint(out, f->type == PROTOBUF_C_TYPE_BOOL ? number & 1 : number);
	}
}

static void put_message(struct buf *out, const ProtobufCMessageDescriptor *d, unsigned shape, int depth)
{
	for (unsigned i = 0; shape && depth < 4 && i < d->n_fields; i++)
		if (shape != 4 || rand() % 3)
			put_field(out, &d->fields[i], shape, depth);
}

static uint32_t next_call = 1; /* those of a client are odd */

static bool call(struct conn *c, const struct method *m, const void *body, size_t n, uint32_t deadline_ms)
{
	struct frame f = {.type = FRAME_CALL,
		.method = m->number,
		.call = next_call += 2,
		.deadline_ms = deadline_ms,
		.body = body,
		.length = (uint32_t)n};

	memset(&answers[f.call / 2 % 64], 0, sizeof answers[0]);
	/* As frame_reader asks before it stores a byte; what is refused there never reaches dispatch. */
	return n <= dispatch_cap(c, &f) && dispatch_frame(c, &f);
}

static const struct answer *last(void)
{
	return &answers[next_call / 2 % 64];
}

static bool call_shaped(struct conn *c, const struct method *m, unsigned shape, uint32_t deadline_ms)
{
	struct buf body = {0};

	put_message(&body, m->request, shape, 0);
	bool taken = call(c, m, body.data ? body.data : (const void *)"", body.len, deadline_ms);
	buf_free(&body);
	return taken;
}

/* ---- what is tried ---- */

/* Written from proto/README.md "Access", not from dispatch.c: who is told what before anything of the message
 * is looked at. */
static enum err expected(const struct method *m, enum conn_state state, unsigned role, bool must_change)
{
	static const enum err nobody[] = {[ACCESS_ENROLLING] = ERR_NOT_NOW,
		[ACCESS_GREETED] = ERR_OK,
		[ACCESS_SESSION] = ERR_UNAUTHENTICATED,
		[ACCESS_ANY_SESSION] = ERR_UNAUTHENTICATED};

	if (state == CONN_ENROLLING)
		return m->access == ACCESS_ENROLLING ? ERR_OK : ERR_NOT_NOW;
	if (state != CONN_OPEN)
		return ERR_NOT_NOW;
	if (!role)
		return nobody[m->access];
	if (m->access != ACCESS_SESSION)
		return m->access == ACCESS_ENROLLING ? ERR_NOT_NOW : ERR_OK;
	if (must_change)
		return ERR_MUST_CHANGE;
	return m->roles && !(m->roles >> role & 1) ? ERR_PERMISSION : ERR_OK;
}

static void who_may_call(const struct method *m)
{
	struct conn c;

	for (int state = 0; state < CONN_STATES; state++)
		for (size_t k = 0; k <= role_count * 2; k++) {
			unsigned role = k ? role_table[(k - 1) / 2].number : 0;
			bool must_change = k && k % 2 == 0;
			if (k && state != CONN_OPEN)
				continue;
			meet(&c, (enum conn_state)state, role);
			c.caller.must_change = must_change;
			enum err want = expected(m, (enum conn_state)state, role, must_change);
			if (!want)
				continue; /* every_shape() calls these */
			bool taken = call_shaped(&c, m, 0, 0);
			bool settled = settle(&c);
			check(taken && settled && last()->final == 1 && last()->code == want,
				"%s in state %d as role %u: %s expected, %u answers, %s", m->name, state,
				role, err_info((int)want)->name, last()->final,
				err_info((int)last()->code)->name);
			refused += c.caller.has_device;
		}
}

static bool may_call(const struct method *m, unsigned role)
{
	return expected(m, m->access == ACCESS_ENROLLING ? CONN_ENROLLING : CONN_OPEN, role, false) == ERR_OK;
}

static void meet_for(struct conn *c, const struct method *m, unsigned role)
{
	meet(c, m->access == ACCESS_ENROLLING ? CONN_ENROLLING : CONN_OPEN,
		m->access == ACCESS_ENROLLING || m->access == ACCESS_GREETED ? 0 : role);
}

/* Whoever may call says anything at all. */
static void every_shape(const struct method *m)
{
	struct conn c;

	for (size_t k = 0; k < role_count; k++) {
		unsigned role = role_table[k].number;
		if (!may_call(m, m->access == ACCESS_SESSION || m->access == ACCESS_ANY_SESSION ? role : 0))
			continue;
		for (unsigned shape = 0; shape < SHAPES; shape++) {
			meet_for(&c, m, role);
			bool taken = call_shaped(&c, m, shape, 0);
			bool settled = settle(&c);
			if (!taken && !last()->final) /* larger than the method takes: the frame is refused */
				continue;
			check(settled && last()->final == 1 && last()->code != ERR_INTERNAL,
				"%s as role %u, shape %u: %u answers, %s", m->name, role, shape,
				last()->final, err_info((int)last()->code)->name);
			if (m->access == ACCESS_ENROLLING || m->access == ACCESS_GREETED)
				k = role_count; /* one caller is every caller */
		}
	}
}

static unsigned first_role(const struct method *m)
{
	for (size_t k = 0; k < role_count; k++)
		if (!m->roles || m->roles >> role_table[k].number & 1)
			return role_table[k].number;
	return 0;
}

static void broken_bytes(const struct method *m)
{
	static const uint8_t torn[] = {0x0A, 0x7F, 'x'}, wrong[] = {0xFF, 0xFF, 0xFF};
	struct conn c;

	for (int i = 0; i < 2; i++) {
		meet_for(&c, m, first_role(m));
		call(&c, m, i ? wrong : torn, 3, 0);
		bool settled = settle(&c);
		check(settled && last()->final == 1 && last()->code == ERR_MALFORMED, "%s: torn bytes are %s",
			m->name, err_info((int)last()->code)->name);
	}
}

/* The peer hangs up after so many turns of the loop; the work ends, the answer is dropped. */
static void peer_leaves(const struct method *m)
{
	struct conn c;

	for (int turns = 0; turns < 6; turns++) {
		meet_for(&c, m, first_role(m));
		call_shaped(&c, m, 2, 0);
		for (int i = 0; i < turns && c.request_count; i++)
			uv_run(&worker.loop, UV_RUN_NOWAIT);
		hang_up(&c);
		check(c.request_count == 0 && c.requests == NULL && settle(&c) && busy() == 0,
			"%s: the peer left after %d turns", m->name, turns);
	}
}

/* Every server process of PostgreSQL that serves the pool is killed while the call is at it. */
static PGconn *killer;

static void database_leaves(const struct method *m)
{
	struct conn c;

	for (int turns = 1; turns < 4; turns++) {
		meet_for(&c, m, first_role(m));
		call_shaped(&c, m, 2, 0);
		for (int i = 0; i < turns && c.request_count; i++)
			uv_run(&worker.loop, UV_RUN_NOWAIT);
		PQclear(PQexec(killer,
			"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = "
			"'jingguan_app'"));
		bool settled = settle(&c);
		check(settled && last()->final == 1 && last()->code != ERR_INTERNAL,
			"%s: PostgreSQL left after %d turns: %u answers, %s", m->name, turns, last()->final,
			err_info((int)last()->code)->name);
	}
}

static void limits(const struct method *m)
{
	struct conn c;
	unsigned final = 0;

	/* More calls than a connection may have, all at once. */
	meet_for(&c, m, first_role(m));
	uint32_t first = next_call + 2;
	for (int i = 0; i < CALLS_MAX + 3; i++)
		call_shaped(&c, m, 2, 0);
	check(settle(&c), "%s: eleven calls at once end", m->name);
	for (uint32_t k = first; k <= next_call; k += 2)
		final += answers[k / 2 % 64].final == 1;
	check(final == CALLS_MAX + 3, "%s: %u of eleven calls are answered once", m->name, final);

	/* A number that was used. */
	meet_for(&c, m, first_role(m));
	c.last_call = next_call + 2;
	check(!call_shaped(&c, m, 0, 0) && stream_is_closing(&c.stream), "%s: a number is used once",
		m->name);

	/* A server that goes. */
	atomic_store(&server.draining, true);
	meet_for(&c, m, first_role(m));
	call_shaped(&c, m, 2, 0);
	bool settled = settle(&c);
	check(settled && last()->final == 1 && (!m->writes || last()->code == ERR_DRAINING),
		"%s: a server that goes answers %s", m->name, err_info((int)last()->code)->name);
	atomic_store(&server.draining, false);
}

/* A peer that reads a page now and then, and one that stops for good. */
static void slow_peer(const struct method *m)
{
	struct conn c;

	for (int leaves = 0; leaves < 2; leaves++) {
		meet_for(&c, m, first_role(m));
		slow = true;
		c.stream.queued = STREAM_PAUSE_BYTES; /* it has not even read what came before */
		call_shaped(&c, m, 2, 0);
		call_shaped(&c, m, 2, 0);
		for (int i = 0; i < 200 && busy(); i++)
			uv_run(&worker.loop, UV_RUN_ONCE);
		check(c.request_count == 2, "%s: two answers wait for a peer that does not read", m->name);
		for (const struct request *r = c.requests; r; r = r->next)
			paused += r->state == REQUEST_PAUSED;
		for (int i = 0; i < 200 && !leaves && c.request_count; i++) {
			drain(&c);
			uv_run(&worker.loop, UV_RUN_NOWAIT);
		}
		if (leaves)
			hang_up(&c);
		slow = false;
		drain(&c);
		check(settle(&c) && (leaves || last()->final == 1), "%s: a slow peer has its answer",
			m->name);
	}
}

/* ---- a server without memory ---- */

PGresult *__real_PQgetResult(PGconn *pg);
PGresult *__wrap_PQgetResult(PGconn *pg);
int __real_PQisBusy(PGconn *pg);
int __wrap_PQisBusy(PGconn *pg);
void __real_PQfinish(PGconn *pg);
void __wrap_PQfinish(PGconn *pg);
char *__real_PQerrorMessage(const PGconn *pg);
char *__wrap_PQerrorMessage(const PGconn *pg);
int __real_PQsendPrepare(PGconn *pg, const char *name, const char *sql, int n, const Oid *types);
int __wrap_PQsendPrepare(PGconn *pg, const char *name, const char *sql, int n, const Oid *types);
int __real_crypto_pwhash(unsigned char *out, unsigned long long n, const char *password,
	unsigned long long len, const unsigned char *salt, unsigned long long ops, size_t memory, int alg);
int __wrap_crypto_pwhash(unsigned char *out, unsigned long long n, const char *password,
	unsigned long long len, const unsigned char *salt, unsigned long long ops, size_t memory, int alg);

static int lose_in, lose_how; /* the Nth result: 1 says what libpq says without memory, 2 does not come */
static bool go_deaf, misname, no_room;
static const PGconn *deaf; /* for it the answer does not come */
static int deaf_for;       /* so many looks more */
static bool complains;     /* and says why */

PGresult *__wrap_PQgetResult(PGconn *pg)
{
	PGresult *r = __real_PQgetResult(pg);

	if (!r || lose_in == 0 || --lose_in > 0)
		return r;
	PQclear(r);
	return lose_how == 1 ? PQmakeEmptyPGresult(NULL, PGRES_FATAL_ERROR) : NULL;
}

int __wrap_PQisBusy(PGconn *pg)
{
	if (go_deaf)
		deaf = pg;
	go_deaf = false;
	return (pg == deaf && deaf_for-- > 0) || __real_PQisBusy(pg);
}

void __wrap_PQfinish(PGconn *pg)
{
	if (pg == deaf) /* the next one may have its address */
		deaf = NULL;
	__real_PQfinish(pg);
}

char *__wrap_PQerrorMessage(const PGconn *pg)
{
	return complains && pg == deaf ? (char *)"out of memory\n" : __real_PQerrorMessage(pg);
}

int __wrap_PQsendPrepare(PGconn *pg, const char *name, const char *sql, int n, const Oid *types)
{
	int sent = __real_PQsendPrepare(pg, misname ? "another" : name, sql, n, types);

	misname = false;
	return sent;
}

int __wrap_crypto_pwhash(unsigned char *out, unsigned long long n, const char *password,
	unsigned long long len, const unsigned char *salt, unsigned long long ops, size_t memory, int alg)
{
	return no_room ? -1 : __real_crypto_pwhash(out, n, password, len, salt, ops, memory, alg);
}

/* What libpq loses without memory ends the trip and the connection, and no call waits for ever. */
static void libpq_loses(const struct method *m)
{
	struct conn c;

	for (lose_how = 1; lose_how <= 2; lose_how++)
		for (int n = 1, met = 1; met; n++) {
			meet_for(&c, m, first_role(m));
			lose_in = n;
			call_shaped(&c, m, 2, 0);
			bool settled = settle(&c);
			met = lose_in == 0;
			lose_in = 0;
			check(settled && last()->final == 1 && last()->code != ERR_INTERNAL,
				"%s: libpq lost result %d (%d): %u answers, %s", m->name, n, lose_how,
				last()->final, err_info((int)last()->code)->name);
		}
}

/* What has come is left unread: for a moment, which is over at the next look, or for good. */
static void libpq_is_deaf(const struct method *m, int looks, unsigned silent_ms)
{
	struct conn c;
	unsigned before = db_silent_ms;

	db_silent_ms = silent_ms;
	deaf_for = looks;
	go_deaf = true;
	meet_for(&c, m, first_role(m));
	call_shaped(&c, m, 2, 0);
	bool settled = settle(&c);
	check(settled && !go_deaf && last()->final == 1 && last()->code == ERR_OK,
		"%s: a statement whose answer is not read in %d looks: %u answers, %s", m->name, looks,
		last()->final, err_info((int)last()->code)->name);
	deaf = NULL;
	db_silent_ms = before;
}

/* PostgreSQL has not prepared what we believe it has. */
static void out_of_step(const struct method *m)
{
	struct conn c;

	PQclear(PQexec(killer,
		"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'jingguan_app'"));
	meet_for(&c, m, first_role(m));
	for (int i = 0; i < 50 || !db_pool_ready(worker.pool); i++)
		uv_run(&worker.loop, UV_RUN_NOWAIT);
	misname = true;
	call_shaped(&c, m, 2, 0);
	bool settled = settle(&c);
	check(settled && !misname && last()->final == 1 && last()->code == ERR_OK,
		"%s: prepared statements out of step: %u answers, %s", m->name, last()->final,
		err_info((int)last()->code)->name);
}

static enum err log_in(const struct method *m, const char *user)
{
	pb_login_request q = PB_LOGIN_REQUEST_INIT;
	uint8_t body[200];
	struct conn c;

	q.user = (char *)(uintptr_t)user;
	q.password = (char *)"Aa1-nobody";
	meet_for(&c, m, 0);
	call(&c, m, body, protobuf_c_message_pack(&q.base, body), 0);
	return settle(&c) && last()->final == 1 ? last()->code : ERR_INTERNAL;
}

/* A password that nobody could look at is not a wrong one, nor one whose answer was lost: the fifth would
 * lock the account. */
static void nobody_judges(const struct method *m)
{
	char user[16];

	for (int i = 0; i < 7; i++) {
		enum err want = i < 6 ? ERR_NOMEM : ERR_BAD_LOGIN;
		no_room = i < 6;
		enum err e = log_in(m, "nobody");
		check(e == want, "%s without memory: %s expected, %s", m->name, err_info((int)want)->name,
			err_info((int)e)->name);
	}
	lose_how = 1;
	for (int n = 1; n <= 16; n++) {
		snprintf(user, sizeof user, "lost%d", n);
		enum err e = ERR_OK;
		for (int i = 0; i < 5 && e != ERR_BAD_LOGIN; i++) {
			lose_in = n;
			e = log_in(m, user);
			lose_in = 0;
		}
		check(e != ERR_LOCKED && (e == ERR_BAD_LOGIN || log_in(m, user) == ERR_BAD_LOGIN),
			"%s: five whose result %d was lost have locked the account: %s", m->name, n,
			err_info((int)e)->name);
	}
}

/* Two schools' pushes in one round, and one of the two computers is revoked: it is told so, and the other
 * is not, for whoever reads that destroys his data. */
static void one_is_revoked(const struct method *m)
{
	ProtobufCBinaryData op = {3, (uint8_t *)(uintptr_t) "odd"};
	pb_push_request q = PB_PUSH_REQUEST_INIT;
	uint8_t body[64];
	struct conn c[2];
	const struct answer *a[2];

	PQclear(PQexec(killer,
		"INSERT INTO device (county, device_id, school, cert_spki, cert_until, "
		"last_hash, revoked_at) VALUES"
		" (329999, '33333333-3333-3333-3333-333333333333', '3299990002', "
		"decode(repeat('33', 32), 'hex'),"
		" now() + interval '90 days', decode(repeat('00', 32), 'hex'), now())"));
	q.has_incarnation = 1;
	q.incarnation = 1;
	q.n_op = 1;
	q.op = &op;
	size_t n = protobuf_c_message_pack(&q.base, body);
	for (int i = 0; i < 2; i++)
		meet(&c[i], CONN_OPEN, ROLE_REGISTRAR);
	memset(c[1].caller.device, 0x33, sizeof c[1].caller.device);
	snprintf(c[1].caller.school, sizeof c[1].caller.school, "3299990002");
	for (int i = 0; i < 2; i++) { /* in one turn of the loop: they are of one round */
		call(&c[i], m, body, n, 0);
		a[i] = last();
	}
	bool settled = settle(&c[0]) && settle(&c[1]);
	check(settled && a[0]->final == 1 && a[0]->code != ERR_REVOKED && a[1]->final == 1 &&
			a[1]->code == ERR_REVOKED,
		"%s: beside a revoked computer's: %s and %s", m->name, err_info((int)a[0]->code)->name,
		err_info((int)a[1]->code)->name);
}

static void on_end(void *data)
{
	*(bool *)data = true;
}

int main(int argc, char **argv)
{
	struct problem p;
	bool closed = false;

	if (argc < 3 || sodium_init() < 0)
		return 2;
	log_set_level(LOG_LEVEL_ERROR);
	conf_defaults(&server.conf);
	server.conf.county = COUNTY;
	atomic_store(&server.per_address, server.conf.per_address);
	atomic_store(&server.grouping, server.conf.grouping);
	server.conf.pool = 2;
	server.conf.page_rows = 2; /* of the five that the county's stream has */
	snprintf(server.conf.name, sizeof server.conf.name, "测试县");
	snprintf(server.conf.dir, sizeof server.conf.dir, "%s", argv[2]);
	snprintf(server.conf.database_app, sizeof server.conf.database_app, "%s user=jingguan_app", argv[1]);
	uv_rwlock_init(&server.deny.lock);
	guesses_init(&server.guesses);
	server.tls = tls_context(true);
	worker.server = &server;
	server.workers = &worker;
	server.worker_count = 1;
	uv_loop_init(&worker.loop);
	if (pki_create(&server.conf, &p) ||
		pki_load(&server.conf, server.tls, &server.ca_cert, &server.ca_key, &server.sign_key, &p) ||
		db_pool_create(&worker.pool, &worker.loop, server.conf.database_app, server.conf.pool,
			epoch_check, &server)) {
		fprintf(stderr, "%s\n", p.message);
		return 1;
	}
	killer = PQconnectdb(argv[1]);
	dispatch_init();
	record_db_init();
	srand(1);
	while (!db_pool_ready(worker.pool))
		uv_run(&worker.loop, UV_RUN_ONCE);
	for (size_t i = 0; i < method_count; i++) {
		const struct method *m = &method_table[i];
		if (argc > 3 && strcmp(argv[3], m->name) != 0)
			continue;
		who_may_call(m);
		broken_bytes(m);
		every_shape(m);
		peer_leaves(m);
		limits(m);
		slow_peer(m);
		database_leaves(m);
		if (m->number == METHOD_SYNC_PULL || m->number == METHOD_SESSION_LOGIN)
			libpq_loses(m);
		if (m->number == METHOD_SYNC_PULL) {
			libpq_is_deaf(m, 1, db_silent_ms);
			libpq_is_deaf(m, 2, db_silent_ms);
			libpq_is_deaf(m, INT_MAX, 500);
			complains = true;
			libpq_is_deaf(m, INT_MAX, db_silent_ms);
			complains = false;
			out_of_step(m);
		}
		if (m->number == METHOD_SESSION_LOGIN)
			nobody_judges(m);
		if (m->number == METHOD_SYNC_PUSH)
			one_is_revoked(m);
	}
	db_pool_close(worker.pool, on_end, &closed);
	while (!closed && uv_run(&worker.loop, UV_RUN_ONCE))
		;
	PQfinish(killer);
	check(paused || argc > 3, "no call ever waited between two pages");
	printf("refused %d\n%d passed, %d failed\n", refused, passed, failed);
	return failed != 0;
}
