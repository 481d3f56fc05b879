/* The network between link.h and conn.h: one pair a connection, frames in order in each direction. A frame
 * may be late, a connection may be reset with or without what it carries, one side may not learn that it is
 * gone (half-open), or everything may vanish (black hole). The functions have the names of
 * client/core/link/link.c, login.c and server/net/conn.c. */
#include <stdlib.h>
#include <string.h>

#include "dispatch.h"
#include "envelope.h"
#include "login.h"
#include "link.h"
#include "pki.h"
#include "sim.h"
#include "tables.h"

#define REPLY_ARENA (8u << 20)

struct message {
	struct message *next;
	struct link *link;
	struct pair *pair;
	uint64_t lossy; /* of the history that it tells of (world.speaks) */
	size_t n;
	uint8_t bytes[];
};

/* A server's end; the peer may be gone without it knowing. */
struct pair {
	struct conn conn; /* first: the server's code holds its address */
	struct pair *next;
	struct sim_server *server;
	struct client *client;
	struct link *link;             /* NULL: nobody listens any more */
	uint64_t to_server, to_client; /* virtual time of the last delivery: frames keep their order */
	bool gone, hole;
};

struct link {
	struct profile *profile;
	struct client *client;
	struct pair *pair; /* NULL: reset */
	struct message *first, *last;
	struct arena arena;
	const pb_welcome *welcome;
	uint32_t next_call;
	bool waiting;
	struct problem goaway;
};

static struct pair *pairs;

/* ---- the server's end ---- */

static void pair_unlink(struct pair *p)
{
	for (struct pair **at = &pairs; *at; at = &(*at)->next)
		if (*at == p) {
			*at = p->next;
			return;
		}
}

static void link_reset(struct link *l)
{
	l->pair = NULL;
	if (l->waiting)
		fiber_wake(l->client->fiber);
}

/* The server learns that a connection is gone: on_closed of conn.c. */
static void server_closed(void *data)
{
	struct pair *p = data;

	if (p->gone)
		return;
	p->gone = true;
	if (p->link)
		link_reset(p->link);
	p->link = NULL;
	pair_unlink(p);
	for (struct request *r = p->conn.requests, *next; r; r = next) {
		next = r->next;
		request_detach(r);
	}
}

static void close_soon(struct pair *p, uint64_t delay)
{
	sim_at(delay, &p->server->worker.loop, server_closed, p);
}

static void on_frame_at_client(void *data)
{
	struct message *m = data;
	struct link *l = m->pair->link;

	if (!l) {
		free(m);
		return;
	}
	m->next = NULL;
	if (l->last)
		l->last->next = m;
	else
		l->first = m;
	l->last = m;
	if (l->waiting)
		fiber_wake(l->client->fiber);
}

static struct message *message_new(struct pair *p, const void *bytes, size_t n)
{
	struct message *m = sim_alloc(NULL, sizeof *m + n);

	m->next = NULL;
	m->pair = p;
	m->lossy = server_running() ? world.speaks : world.lossy;
	m->n = n;
	memcpy(m->bytes, bytes, n);
	return m;
}

static uint64_t in_order(uint64_t *last, uint64_t delay)
{
	uint64_t at = sim_now() + delay;

	*last = at > *last ? at : *last + 1;
	return *last - sim_now();
}

static bool network_is_bad(const struct client *c)
{
	return (world.faults && world.plan.network) || (world.plan.one_sided && c->no == 0);
}

enum err conn_send(struct conn *c, const uint8_t *bytes, size_t n)
{
	struct pair *p = (struct pair *)c;

	if (p->gone || !p->link)
		return ERR_OK; /* into the kernel's buffer, to nobody */
	if (p->hole)
		return ERR_OK;
	if (network_is_bad(p->client) && chance(40)) { /* the answer is lost: C4 */
		sim_met("answer lost");
		link_reset(p->link);
		p->link = NULL;
		close_soon(p, draw_between(0, 30 * SECOND));
		return ERR_OK;
	}
	sim_at(in_order(&p->to_client, draw_between(5 * MS, 80 * MS)), &p->server->worker.loop,
		on_frame_at_client, message_new(p, bytes, n));
	return ERR_OK;
}

void conn_close(struct conn *c, enum close_reason reason)
{
	struct pair *p = (struct pair *)c;

	c->reason = reason;
	if (stream_is_closing(&c->stream))
		return;
	c->stream.state = STREAM_CLOSING;
	close_soon(p, 0);
}

void conn_enter(struct conn *c, enum conn_state to)
{
	c->state = to;
}

void conn_goaway(struct conn *c, enum close_reason reason, enum err code)
{
	struct pair *p = (struct pair *)c;

	if (p->link)
		problem_set(&p->link->goaway, code, NULL, NULL, NULL);
	conn_close(c, reason);
}

void conn_accept(struct worker *w, uv_stream_t *listener)
{
	(void)w, (void)listener;
	abort(); /* nobody listens here */
}

void conn_tick(struct conn *c)
{
	(void)c;
	abort();
}

static void on_frame_at_server(void *data)
{
	struct message *m = data;
	struct pair *p = m->pair;
	struct frame f;

	if (p->gone || stream_is_closing(&p->conn.stream)) {
		free(m);
		return;
	}
	if (frame_header_get(&f, m->bytes))
		sim_fail("model", "a frame of our own was not understood");
	f.body = m->bytes + FRAME_HEADER;
	/* The frame outlives a kill within its handling; then it stays with the dead process. */
	memory_arm(SERVER_SHORT, 6);
	dispatch_frame(&p->conn, &f);
	free(m);
}

static struct pair *pair_new(struct sim_server *s, struct client *c, struct link *l)
{
	/* frames on their way may name it to the end */
	struct pair *p = arena_alloc(&world.arena, sizeof *p);

	if (!p)
		abort();
	p->conn.worker = &s->worker;
	p->conn.state = CONN_GREETING;
	p->conn.reason = CLOSE_REASONS;
	p->conn.has_cert = true;
	memset(p->conn.spki, (int)c->no + 1, sizeof p->conn.spki);
	p->server = s;
	p->client = c;
	p->link = l;
	p->next = pairs;
	pairs = p;
	return p;
}

void net_drop_server(struct sim_server *s)
{
	for (struct pair *p = pairs, *next; p; p = next) {
		next = p->next;
		if (p->server != s)
			continue;
		p->gone = true;
		if (p->link)
			link_reset(p->link);
		p->link = NULL;
		pair_unlink(p); /* its requests are the dead process's */
	}
}

/* The computer is off: the server learns it now, later or by its idle limit. */
void net_drop_client(struct client *c)
{
	for (struct pair *p = pairs; p; p = p->next)
		if (p->client == c && p->link) {
			p->link = NULL;
			close_soon(p, chance(500) ? 0 : draw_between(1 * SECOND, 60 * SECOND));
		}
}

/* ---- the client's end ---- */

static void on_deadline(void *data)
{
	struct link *l = data;

	if (l->waiting)
		fiber_wake(l->client->fiber);
}

/* The next frame, or NULL when the connection broke or the time is over. The caller frees it. */
static struct message *receive(struct link *l, uint64_t until)
{
	while (!l->first && l->pair && sim_now() < until) {
		sim_at(until - sim_now(), l, on_deadline, l);
		l->waiting = true;
		fiber_wait();
		l->waiting = false;
		sim_forget(l);
	}
	struct message *m = l->first;
	if (!m)
		return NULL;
	l->first = m->next;
	if (!l->first)
		l->last = NULL;
	return m;
}

static void drop_here(struct link *l, uint64_t server_learns)
{
	struct pair *p = l->pair;

	if (!p)
		return;
	p->link = NULL;
	l->pair = NULL;
	close_soon(p, server_learns);
}

static void send_frame(struct link *l, struct frame *f, const ProtobufCMessage *message)
{
	struct pair *p = l->pair;
	struct buf out = {0};

	if (!p)
		return;
	envelope_pack(&out, f, message);
	struct message *m = message_new(p, out.data, out.len);
	buf_free(&out);
	uint64_t delay = draw_between(5 * MS, 80 * MS);
	const void *loop = &p->server->worker.loop;
	if (network_is_bad(l->client)) {
		if (chance(25)) { /* C3 */
			sim_met("call lost");
			drop_here(l, draw_between(0, 1 * SECOND));
			free(m);
			return;
		}
		if (chance(15)) {
			sim_met("black hole");
			p->hole = true;
			free(m);
			return;
		}
		if (chance(25)) {
			/* The other side goes on with what it was sent, long after we have come back by
			 * another way. */
			sim_met("call late behind a reconnect");
			sim_at(in_order(&p->to_server, draw_between(100 * MS, 20 * SECOND)), loop,
				on_frame_at_server, m);
			p->link = NULL;
			l->pair = NULL;
			close_soon(p, draw_between(20 * SECOND, 60 * SECOND));
			return;
		}
		if (chance(50))
			delay = draw_between(200 * MS, 10 * SECOND);
	}
	if (p->hole) {
		free(m);
		return;
	}
	sim_at(in_order(&p->to_server, delay), loop, on_frame_at_server, m);
}

static enum err broken(struct link *l, struct problem *p, uint64_t until)
{
	if (l->goaway.code) {
		if (p)
			*p = l->goaway;
		return l->goaway.code;
	}
	return problem_set(
		p, l->pair && sim_now() >= until ? ERR_DEADLINE : ERR_UNREACHABLE, NULL, NULL, NULL);
}

static enum err take_error(const struct frame *f, struct problem *p)
{
	const ProtobufCMessage *message;
	struct arena arena;

	arena_init(&arena, 1u << 20);
	enum err e = envelope_unpack(&pb_error_desc, f->body, f->length, &arena, &message, p);
	if (!e) {
		const pb_error *error = (const pb_error *)message;
		e = err_info((int)error->code)->code;
		problem_set(p, e, error->field, NULL, error->message ? "%s" : NULL, error->message);
		if (p)
			p->retry_ms = error->retry_after_ms;
	}
	arena_free(&arena);
	return e;
}

/* What the server promised, as it reached the device: noted before the client's code sees it. */
static void note_answers(
	struct link *l, const ProtobufCMessage *request, const ProtobufCMessage *reply, uint64_t lossy)
{
	const pb_push_request *q = (const pb_push_request *)request;
	const pb_push_reply *r = (const pb_push_reply *)reply;
	uint8_t sha[HASH_SIZE];

	if (r->control) {
		sim_met(err_info((int)r->control)->name);
		sim_trace(err_info((int)r->control)->name, l->client->no, r->last_op);
	}
	for (size_t i = 0; i < r->n_result; i++) {
		demand(i < q->n_op, "I3", "more answers than operations");
		demand(i == 0 || r->result[i]->op_no == r->result[i - 1]->op_no + 1, "I3",
			"answers are not in order");
		hash_op(sha, q->op[i].data, q->op[i].len);
		check_told(l->client, &q->op[i], sha, r->result[i], lossy);
	}
	if (r->n_result && q->incarnation < l->client->store->incarnation)
		sim_met("incarnation before a fork sent again");
}

/* theirs: the memory of who calls, in force while he takes a reply. */
static enum err call(struct link *l, uint16_t method, const ProtobufCMessage *request, link_reply_fn reply,
	void *data, struct memory *theirs, struct problem *p)
{
	const struct method *rule = method_by_number(method);
	struct frame f = {
		.type = FRAME_CALL, .method = method, .call = l->next_call, .deadline_ms = LINK_CALL_MS};
	uint64_t until = sim_now() + LINK_CALL_MS * MS;
	uint32_t call = l->next_call;

	if (!l->pair)
		return broken(l, p, until);
	l->next_call += 2;
	send_frame(l, &f, request);
	for (;;) {
		struct message *m = receive(l, until);
		struct arena arena;
		const ProtobufCMessage *message;
		if (!m)
			return broken(l, p, until);
		frame_header_get(&f, m->bytes);
		f.body = m->bytes + FRAME_HEADER;
		if (f.call != call) { /* an event, or the rest of a call that was broken off */
			free(m);
			continue;
		}
		if (f.type == FRAME_ERROR) {
			enum err e = take_error(&f, p);
			free(m);
			return e;
		}
		arena_init(&arena, REPLY_ARENA);
		enum err e = envelope_unpack(rule->reply, f.body, f.length, &arena, &message, p);
		demand(!e, "I3", "a reply was not understood: %s", err_info((int)e)->name);
		if (method == METHOD_SYNC_PUSH)
			note_answers(l, request, message, m->lossy);
		if (method == METHOD_SYNC_PULL && ((const pb_pull_reply *)message)->control)
			sim_met(err_info((int)((const pb_pull_reply *)message)->control)->name);
		memory_swap(*theirs);
		bool more = f.flags & FRAME_MORE, go_on = !reply || reply(data, message);
		*theirs = memory_swap((struct memory){0});
		arena_free(&arena);
		free(m);
		if (!go_on || !more)
			return ERR_OK;
	}
}

enum err link_call(struct link *l, uint16_t method, const ProtobufCMessage *request, link_reply_fn reply,
	void *data, struct problem *p)
{
	struct memory theirs = memory_swap((struct memory){0});
	enum err e = call(l, method, request, reply, data, &theirs, p);

	memory_swap(theirs);
	return e;
}

struct ask {
	struct arena *arena;
	const ProtobufCMessage **reply;
	enum err e;
};

static bool keep_reply(void *data, const ProtobufCMessage *reply)
{
	struct ask *ask = data;
	size_t n = protobuf_c_message_get_packed_size(reply);
	uint8_t *bytes = arena_alloc(ask->arena, n + 1);

	protobuf_c_message_pack(reply, bytes);
	ask->e = envelope_unpack(reply->descriptor, bytes, n, ask->arena, ask->reply, NULL);
	return !ask->e;
}

enum err link_ask(struct link *l, uint16_t method, const ProtobufCMessage *request, struct arena *arena,
	const ProtobufCMessage **reply, struct problem *p)
{
	struct ask ask = {arena, reply, ERR_OK};
	enum err e = link_call(l, method, request, reply ? keep_reply : NULL, &ask, p);

	return e ? e : ask.e;
}

static enum err greet(struct link *l, const pb_hello *outbox, struct problem *p)
{
	uint64_t until = sim_now() + LINK_CONNECT_MS * MS;
	pb_hello hello = outbox ? *outbox : (pb_hello)PB_HELLO_INIT;
	const ProtobufCMessage *message;
	struct frame f = {.type = FRAME_HELLO};

	hello.has_version_min = hello.has_version_max = 1;
	hello.version_min = hello.version_max = 1;
	send_frame(l, &f, &hello.base);
	struct message *m = receive(l, until);
	if (!m)
		return broken(l, p, until);
	frame_header_get(&f, m->bytes);
	f.body = m->bytes + FRAME_HEADER;
	enum err e = f.type == FRAME_WELCOME ? ERR_OK : take_error(&f, p);
	uint8_t *body = e ? NULL : arena_copy(&l->arena, f.body, f.length);
	if (!e)
		e = envelope_unpack(&pb_welcome_desc, body, f.length, &l->arena, &message, p);
	if (!e)
		l->client->met = m->lossy;
	free(m);
	if (e)
		return e;
	l->welcome = (const pb_welcome *)message;
	sim_trace("welcome", l->client->no, l->welcome->incarnation * UINT64_C(100000) + l->welcome->last_op);
	if (l->welcome->forked)
		sim_met("FORKED in WELCOME");
	profile_heard(l->profile, l->welcome->now);
	return ERR_OK;
}

static enum err open_link(
	struct link **out, struct profile *profile, const pb_hello *hello, struct problem *p)
{
	struct client *c = client_now();
	struct sim_server *s = &world.servers[draw(SIM_SERVERS)];

	*out = NULL;
	sim_sleep(draw_between(10 * MS, 100 * MS)); /* TCP and TLS */
	if (!s->up)
		s = &world.servers[(s - world.servers + 1) % SIM_SERVERS];
	if (!s->up || (network_is_bad(c) && chance(60))) {
		sim_sleep(draw_between(10 * MS, 3 * SECOND));
		return problem_set(p, ERR_UNREACHABLE, NULL, NULL, NULL);
	}
	struct link *l = calloc(1, sizeof *l);
	l->profile = profile;
	l->client = c;
	l->next_call = 1;
	arena_init(&l->arena, 1u << 20);
	l->pair = pair_new(s, c, l);
	enum err e = greet(l, hello, p);
	if (e) {
		link_close(l);
		return e;
	}
	*out = l;
	return ERR_OK;
}

enum err link_open(struct link **out, struct profile *profile, const pb_hello *hello, struct problem *p)
{
	struct memory theirs = memory_swap((struct memory){0});
	enum err e = open_link(out, profile, hello, p);

	memory_swap(theirs);
	return e;
}

void link_close(struct link *l)
{
	if (!l)
		return;
	drop_here(l, draw_between(5 * MS, 80 * MS));
	sim_forget(l);
	for (struct message *m = l->first, *next; m; m = next) {
		next = m->next;
		free(m);
	}
	arena_free(&l->arena);
	free(l);
}

const pb_welcome *link_welcome(const struct link *l)
{
	return l->welcome;
}

struct profile *link_profile(struct link *l)
{
	return l->profile;
}

bool link_is_alive(const struct link *l)
{
	return l->pair != NULL;
}

enum err link_signed(struct link *l, const void *message, size_t n, const uint8_t *sig, size_t sig_len)
{
	(void)l, (void)message, (void)n, (void)sig, (void)sig_len;
	return ERR_OK;
}

enum err link_exporter(struct link *l, uint8_t out[32])
{
	(void)l, (void)out;
	return ERR_UNREACHABLE;
}

enum err link_connect(struct link **out, SSL_CTX *ctx, const struct trust_result *trust, const char *server,
	struct problem *p)
{
	(void)out, (void)ctx, (void)trust, (void)server;
	return problem_set(p, ERR_UNREACHABLE, NULL, NULL, NULL);
}

enum err link_wait_event(struct link *l, unsigned ms, int64_t *stream, struct problem *p)
{
	(void)l, (void)ms, (void)stream;
	return problem_set(p, ERR_DEADLINE, NULL, NULL, NULL);
}

/* A session's proof is TLS's and the password's business (tier T1): here the server believes the computer. */
enum err login_resume(struct link *l, struct problem *p)
{
	struct session *session = &l->profile->session;

	sim_sleep(draw_between(10 * MS, 100 * MS));
	if (!l->pair)
		return problem_set(p, ERR_UNREACHABLE, NULL, NULL, NULL);
	struct caller *who = &l->pair->conn.caller;
	who->has_session = true;
	who->roles = session->roles;
	snprintf(who->user, sizeof who->user, "%s", session->user);
	return ERR_OK;
}

size_t __wrap_pki_sign_head(
	EVP_PKEY *key, int64_t stream, uint64_t n, const uint8_t head[HASH_SIZE], uint8_t sig[80]);
size_t __wrap_pki_sign_head(
	EVP_PKEY *key, int64_t stream, uint64_t n, const uint8_t head[HASH_SIZE], uint8_t sig[80])
{
	(void)key, (void)stream, (void)n;
	memcpy(sig, head, HASH_SIZE);
	return HASH_SIZE;
}

void net_begin(void)
{
	pairs = NULL; /* what is left belongs to processes that ended with their history */
}
