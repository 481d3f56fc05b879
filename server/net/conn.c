#include "conn.h"

#include <stdlib.h>
#include <string.h>

#include "dispatch.h"
#include "envelope.h"
#include "lang.h"
#include "log.h"
#include "state.h"

void conn_enter(struct conn *c, enum conn_state to)
{
	static const char *const names[] = {"TLS", "GREETING", "OPEN", "ENROLLING"};
	static const uint32_t ways[CONN_STATES] = {
		[CONN_TLS] = STATE(CONN_GREETING) | STATE(CONN_ENROLLING),
		[CONN_GREETING] = STATE(CONN_OPEN),
	};
	static const struct state_machine machine = {"conn", names, ways};

	assert((c->request_count == 0) == (c->requests == NULL) && c->request_count <= CALLS_MAX);
	assert(to != CONN_GREETING || c->request_count == 0);
	c->state = (enum conn_state)state_move(&machine, c->state, to);
	c->since_ms = c->last_ms = uv_now(&c->worker->loop);
}

static void on_ready(struct stream *s)
{
	struct conn *c = (struct conn *)s;

	pending_leave(c);
	stat_add(c->worker->stats.handshakes, 1);
	enum err e = tls_peer_spki(&s->tls, c->spki);
	c->has_cert = !e;
	conn_enter(c, tls_is_enrolling(&s->tls) ? CONN_ENROLLING : CONN_GREETING);
	if (e && e != ERR_NOT_FOUND) { /* whose it is, is not known: nothing is said of him */
		conn_close(c, CLOSE_REASONS);
		return;
	}
	/* The deny list is looked up at every handshake, at that of enrolling too: a denied key may not be
	 * enrolled again. */
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

	if (c->state == CONN_TLS)
		on_ready(s); /* plaintext in the same segment as the end of the handshake */
	while (n && !stream_is_closing(s)) {
		enum err e = frame_reader_feed(&c->reader, &bytes, &n, frame_cap, c, &f, &done);
		if (e) {
			conn_goaway(c, e == ERR_TOO_LARGE ? CLOSE_FRAME : CLOSE_PROTOCOL, e);
			return false;
		}
		if (done && !dispatch_frame(c, &f))
			return false;
	}
	return !stream_is_closing(s);
}

static void on_stream_ready(struct stream *s)
{
	if (((struct conn *)s)->state == CONN_TLS)
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

	pending_leave(c);
	pending_forget(c);
	if (why == ERR_TLS)
		stat_add(w->stats.tls_failed, 1);
	/* the stream closed itself */
	if (c->reason == CLOSE_REASONS && (why == ERR_TLS || why == ERR_DEADLINE))
		c->reason = why == ERR_TLS ? CLOSE_TLS : CLOSE_STALL;
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
	for (struct request *r = c->requests, *next; r; r = next) {
		next = r->next;
		request_detach(r);
	}
	conn_free(c);
}

static bool on_first(struct stream *s)
{
	return pending_speak((struct conn *)s);
}

static const struct stream_events events = {on_first, on_stream_ready, on_data, on_drained, on_closed};

/* Of an IPv6 address only the network: one peer can have 2^64 addresses in it. */
static uint32_t address_hash(uv_tcp_t *tcp)
{
	struct sockaddr_storage peer;
	int n = sizeof peer;
	uint32_t h = 2166136261u;

	if (uv_tcp_getpeername(tcp, (struct sockaddr *)&peer, &n))
		return 0;
	const struct in6_addr *six = &((const struct sockaddr_in6 *)&peer)->sin6_addr;
	const uint8_t *bytes = six->s6_addr;
	size_t count = 8;
	if (peer.ss_family != AF_INET6) {
		bytes = (const uint8_t *)&((const struct sockaddr_in *)&peer)->sin_addr;
		count = 4;
	} else if (IN6_IS_ADDR_V4MAPPED(six)) {
		bytes = six->s6_addr + 12;
		count = 4;
	}
	for (size_t i = 0; i < count; i++)
		h = (h ^ bytes[i]) * 16777619u;
	return h;
}

static void on_refused_closed(uv_handle_t *handle)
{
	free(handle);
}

static void on_spare_closed(uv_handle_t *spare);

/* When there is no memory for a connection: libuv stops listening until the waiting connection has been
 * accepted. */
static void accept_and_close(struct worker *w)
{
	w->spare_wanted = true;
	if (w->spare.data) /* still open: on_spare_closed comes back to it */
		return;
	w->spare_wanted = false;
	uv_tcp_init(&w->loop, &w->spare);
	w->spare.data = w;
	uv_accept((uv_stream_t *)&w->listener, (uv_stream_t *)&w->spare);
	uv_close((uv_handle_t *)&w->spare, on_spare_closed);
}

static void on_spare_closed(uv_handle_t *spare)
{
	struct worker *w = spare->data;

	spare->data = NULL;
	if (w->spare_wanted)
		accept_and_close(w);
}

void conn_accept(struct worker *w, uv_stream_t *listener)
{
	struct conn *c = calloc(1, sizeof *c);

	if (!c) {
		accept_and_close(w);
		return;
	}
	c->worker = w;
	c->reason = CLOSE_REASONS;
	uv_tcp_init(&w->loop, &c->stream.tcp);
	if (uv_accept(listener, (uv_stream_t *)&c->stream.tcp)) {
		uv_close((uv_handle_t *)&c->stream.tcp, on_refused_closed);
		return;
	}
	stat_add(w->stats.accepted, 1);
	/* Accept and close at once: leaving it in the backlog would make the next honest peer wait behind
	 * it. */
	if (!pending_accept(c, address_hash(&c->stream.tcp))) {
		stat_add(w->stats.closed_by_limit[CLOSE_ADDRESS], 1);
		uv_close((uv_handle_t *)&c->stream.tcp, on_refused_closed);
		return;
	}
	if (stream_open(&c->stream, &w->shared, w->server->tls, true, &events)) {
		pending_leave(c);
		pending_forget(c);
		uv_close((uv_handle_t *)&c->stream.tcp, on_refused_closed);
		return;
	}
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

	if (stream_is_closing(&c->stream))
		return;
	error.has_code = 1;
	error.code = (uint32_t)code;
	error.name = (char *)info->name;
	error.message = (char *)_(info->sentence);
	body.error = &error;
	envelope_pack(&out, &f, &body.base);
	c->reason = reason;
	pending_leave(c);
	if (!out.failed)
		conn_send(c, out.data, out.len);
	buf_free(&out);
	stream_close(&c->stream, code, true);
}

void conn_close(struct conn *c, enum close_reason reason)
{
	if (!stream_is_closing(&c->stream))
		c->reason = reason;
	pending_leave(c);
	stream_close(&c->stream, ERR_OK, false);
}

void conn_tick(struct conn *c)
{
	uint64_t now = uv_now(&c->worker->loop);

	if (stream_is_closing(&c->stream))
		return;
	if (c->state == CONN_TLS && now - c->since_ms > HANDSHAKE_MS)
		conn_close(c, CLOSE_HANDSHAKE_TIME);
	else if ((c->state == CONN_GREETING || c->state == CONN_ENROLLING) &&
		now - c->since_ms > GREETING_MS && !c->request_count)
		conn_close(c, CLOSE_GREETING_TIME);
	else if (c->reader.body && now - c->last_ms > STREAM_STALL_MS)
		conn_close(c, CLOSE_SLOW);
	else if (now - c->last_ms > IDLE_MS && !c->request_count)
		conn_close(c, CLOSE_IDLE);
	else
		stream_check_stall(&c->stream);
}
