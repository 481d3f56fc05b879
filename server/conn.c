#include "conn.h"

#include <stdlib.h>
#include <string.h>

#include "dispatch.h"
#include "log.h"

static void on_ready(struct stream *s)
{
	struct conn *c = (struct conn *)s;

	atomic_fetch_sub(&c->worker->server->handshakes, 1);
	c->worker->strangers--;
	stat_add(c->worker->stats.handshakes, 1);
	c->has_cert = tls_peer_spki(&s->tls, c->spki) == ERR_OK;
	c->state = tls_is_enrolling(&s->tls) ? CONN_STATE_ENROLLING : CONN_STATE_GREETING;
	c->since_ms = c->last_ms = uv_now(&c->worker->loop);
	/* The deny list is asked at every handshake; an enrolling device may not renew a denied key either. */
	if (c->has_cert && deny_set_has(&c->worker->server->deny, c->spki))
		conn_goaway(c, CLOSE_REVOKED, ERR_REVOKED);
}

static uint32_t frame_cap(void *data, const struct frame *header)
{
	return dispatch_cap(data, header);
}

static bool on_data(struct stream *s, const uint8_t *bytes, size_t n)
{
	struct conn *c = (struct conn *)s;
	struct frame f;
	bool done;

	if (c->state == CONN_STATE_TLS)
		on_ready(s); /* plaintext in the same segment as the end of the handshake */
	while (n && !s->closing) {
		enum err e = frame_reader_feed(&c->reader, &bytes, &n, frame_cap, c, &f, &done);
		if (e) {
			conn_goaway(c, e == ERR_TOO_LARGE ? CLOSE_FRAME : CLOSE_PROTOCOL, e);
			return false;
		}
		if (done && !dispatch_frame(c, &f))
			return false;
	}
	return !s->closing;
}

static void on_stream_ready(struct stream *s)
{
	if (((struct conn *)s)->state == CONN_STATE_TLS)
		on_ready(s);
}

static void conn_free(struct conn *c)
{
	frame_reader_free(&c->reader);
	free(c);
}

static void on_drained(struct stream *s)
{
	struct conn *c = (struct conn *)s;

	for (struct request *r = c->requests, *next; r; r = next) {
		next = r->next;
		request_drained(r);
	}
}

static void on_closed(struct stream *s, enum err why)
{
	struct conn *c = (struct conn *)s;
	struct worker *w = c->worker;

	if (c->state == CONN_STATE_TLS) {
		w->strangers--;
		if (s->spoken)
			atomic_fetch_sub(&w->server->handshakes, 1);
	}
	if (why == ERR_TLS)
		stat_add(w->stats.tls_failed, 1);
	if (c->reason != CLOSE_REASONS)
		stat_add(w->stats.closed_by_limit[c->reason], 1);
	if (c->prev)
		c->prev->next = c->next;
	else
		w->conns = c->next;
	if (c->next)
		c->next->prev = c->prev;
	w->conn_count--;
	stat_set(w->stats.connections, w->conn_count);
	c->stream_closed = true;
	for (struct request *r = c->requests, *next; r; r = next) {
		next = r->next;
		request_detach(r);
	}
	conn_free(c);
}

/* The oldest who has not shaken hands gives way to who comes new, if he has had `age` ms: an honest handshake takes a tenth
 * of EVICT_MS, a slow one would hold its place for HANDSHAKE_MS. The oldest stands last in the list. */
static bool evict_handshake(struct worker *w, uint64_t age)
{
	struct conn *oldest = NULL;

	for (struct conn *c = w->conns; c; c = c->next)
		if (c->state == CONN_STATE_TLS && !c->stream.closing && (age == 0 || c->stream.spoken))
			oldest = c;
	if (!oldest || uv_now(&w->loop) - oldest->since_ms < age)
		return false;
	conn_close(oldest, CLOSE_HANDSHAKES);
	return true;
}

static bool is_shaking(const struct conn *c)
{
	return c->state == CONN_STATE_TLS && c->stream.spoken && !c->stream.closing;
}

/* Nobody keeps others out by opening many: when all places are taken, the oldest handshake of the address that holds most of them
 * gives way at once to who comes from an address that holds fewer. */
static bool evict_greedy(struct worker *w, const struct conn *newcomer)
{
	struct conn *shaking[HANDSHAKES_MAX], *victim = NULL;
	size_t n = 0, most = 0, mine = 1;

	for (struct conn *c = w->conns; c && n < HANDSHAKES_MAX; c = c->next)
		if (is_shaking(c))
			shaking[n++] = c;
	for (size_t i = 0; i < n; i++) {
		size_t same = 0;
		for (size_t k = 0; k < n; k++)
			same += shaking[k]->address == shaking[i]->address;
		if (same >= most) { /* the oldest stands last */
			most = same;
			victim = shaking[i];
		}
		mine += shaking[i]->address == newcomer->address;
	}
	if (!victim || victim->address == newcomer->address || most <= mine)
		return false;
	conn_close(victim, CLOSE_HANDSHAKES);
	return true;
}

/* A place among the handshakes is taken with the first byte: silent sockets cost none. */
static bool on_first(struct stream *s)
{
	struct conn *c = (struct conn *)s;

	if (atomic_load(&c->worker->server->handshakes) >= HANDSHAKES_MAX && !evict_greedy(c->worker, c) && !evict_handshake(c->worker, EVICT_MS)) {
		c->reason = CLOSE_HANDSHAKES;
		return false;
	}
	atomic_fetch_add(&c->worker->server->handshakes, 1);
	return true;
}

static const struct stream_events events = {on_first, on_stream_ready, on_data, on_drained, on_closed};

/* Counts what shares the new peer's address on this loop: the kernel spreads one address over all loops. */
static bool address_is_full(struct worker *w, uint32_t address)
{
	unsigned n = 0;

	for (struct conn *c = w->conns; c; c = c->next)
		n += c->address == address;
	return n >= (unsigned)w->server->conf.per_address;
}

static uint32_t address_hash(uv_tcp_t *tcp)
{
	struct sockaddr_storage peer;
	int n = sizeof peer;
	uint32_t h = 2166136261u;

	if (uv_tcp_getpeername(tcp, (struct sockaddr *)&peer, &n))
		return 0;
	const uint8_t *at = peer.ss_family == AF_INET6 ? ((struct sockaddr_in6 *)&peer)->sin6_addr.s6_addr
						       : (const uint8_t *)&((struct sockaddr_in *)&peer)->sin_addr;
	for (int i = 0; i < (peer.ss_family == AF_INET6 ? 16 : 4); i++)
		h = (h ^ at[i]) * 16777619u;
	return h;
}

static void on_refused_closed(uv_handle_t *handle)
{
	free(handle);
}

void conn_accept(struct worker *w, uv_stream_t *listener)
{
	struct conn *c = calloc(1, sizeof *c);
	enum close_reason full = CLOSE_REASONS;

	if (!c)
		return;
	c->worker = w;
	c->reason = CLOSE_REASONS;
	uv_tcp_init(&w->loop, &c->stream.tcp);
	if (uv_accept(listener, (uv_stream_t *)&c->stream.tcp)) {
		uv_close((uv_handle_t *)&c->stream.tcp, on_refused_closed);
		return;
	}
	stat_add(w->stats.accepted, 1);
	c->address = address_hash(&c->stream.tcp);
	if (address_is_full(w, c->address))
		full = CLOSE_ADDRESS;
	/* Accept and close at once: leaving it in the backlog would make the next honest peer wait behind it. */
	if (full != CLOSE_REASONS || stream_open(&c->stream, &w->shared, w->server->tls, true, &events)) {
		if (full != CLOSE_REASONS)
			stat_add(w->stats.closed_by_limit[full], 1);
		uv_close((uv_handle_t *)&c->stream.tcp, on_refused_closed);
		return;
	}
	if (w->strangers >= STRANGERS_MAX)
		evict_handshake(w, 0);
	w->strangers++;
	c->state = CONN_STATE_TLS;
	c->since_ms = c->last_ms = uv_now(&w->loop);
	c->next = w->conns;
	if (w->conns)
		w->conns->prev = c;
	w->conns = c;
	w->conn_count++;
	stat_set(w->stats.connections, w->conn_count);
}

enum err conn_send(struct conn *c, const uint8_t *bytes, size_t n)
{
	return stream_write(&c->stream, bytes, n);
}

void conn_goaway(struct conn *c, enum close_reason reason, enum err code)
{
	const struct err_info *info = err_info((int)code);
	pb_error error = PB_ERROR_INIT;
	pb_go_away body = PB_GO_AWAY_INIT;
	struct buf out = {0};
	struct frame f = {.type = FRAME_GOAWAY};

	if (c->stream.closing)
		return;
	error.has_code = 1;
	error.code = (uint32_t)code;
	error.name = (char *)info->name;
	error.message = (char *)tr(info->zh, info->en);
	body.error = &error;
	uint8_t packed[512];
	size_t n = protobuf_c_message_pack(&body.base, packed);
	f.length = (uint32_t)n;
	f.body = packed;
	frame_append(&out, &f);
	c->reason = reason;
	if (!out.failed)
		conn_send(c, out.data, out.len);
	buf_free(&out);
	stream_close(&c->stream, code, true);
}

void conn_close(struct conn *c, enum close_reason reason)
{
	if (!c->stream.closing)
		c->reason = reason;
	stream_close(&c->stream, ERR_OK, false);
}

void conn_tick(struct conn *c)
{
	uint64_t now = uv_now(&c->worker->loop);

	if (c->stream.closing)
		return;
	if (c->state == CONN_STATE_TLS && now - c->since_ms > HANDSHAKE_MS)
		conn_close(c, CLOSE_HANDSHAKE_TIME);
	else if ((c->state == CONN_STATE_GREETING || c->state == CONN_STATE_ENROLLING) && now - c->since_ms > GREETING_MS &&
		!c->request_count)
		conn_close(c, CLOSE_GREETING_TIME);
	else if (c->reader.body && now - c->last_ms > STREAM_STALL_MS)
		conn_close(c, CLOSE_SLOW);
	else if (now - c->last_ms > IDLE_MS && !c->request_count)
		conn_close(c, CLOSE_IDLE);
	else
		stream_check_stall(&c->stream);
}
