#include "stream.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "lint.h"
#include "state.h"

enum { PAUSE_QUEUE = 1, PAUSE_OWNER = 2, PAUSE_FIRST = 4 };

static const struct state_machine machine = {
	"stream",
	(const char *const[STREAM_STATES]){"silent", "open", "flushing", "closing"},
	(const uint32_t[STREAM_STATES]){
		[STREAM_SILENT] = STATE(STREAM_OPEN) | STATE(STREAM_FLUSHING) | STATE(STREAM_CLOSING),
		[STREAM_OPEN] = STATE(STREAM_FLUSHING) | STATE(STREAM_CLOSING),
		[STREAM_FLUSHING] = STATE(STREAM_CLOSING),
	},
};

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *b);
static void on_read(uv_stream_t *tcp, ssize_t n, const uv_buf_t *b);

struct write {
	uv_write_t req;
	struct stream *stream;
	size_t n;
	char data[];
};

void stream_shared_init(struct stream_shared *shared, uv_loop_t *loop)
{
	memset(shared, 0, sizeof *shared);
	shared->loop = loop;
}

void stream_shared_free(struct stream_shared *shared)
{
	buf_free(&shared->out);
}

static void stream_enter(struct stream *s, enum stream_phase to)
{
	assert(to == STREAM_CLOSING || !uv_is_closing((uv_handle_t *)&s->tcp));
	s->state = (enum stream_phase)state_move(&machine, s->state, to);
}

static void on_handle_closed(uv_handle_t *handle)
{
	struct stream *s = handle->data;

	tls_free(&s->tls);
	buf_free(&s->first);
	s->events->closed(s, s->why);
}

static void close_now(struct stream *s)
{
	if (s->state == STREAM_CLOSING)
		return;
	stream_enter(s, STREAM_CLOSING);
	/* of a stream that did not open the caller has closed it */
	if (!uv_is_closing((uv_handle_t *)&s->tcp))
		uv_close((uv_handle_t *)&s->tcp, on_handle_closed);
}

/* Reads only while no reason to pause is left. */
static void set_pause(struct stream *s, unsigned reason, bool on)
{
	unsigned before = s->pauses;

	s->pauses = on ? before | reason : before & ~reason;
	if (stream_is_closing(s) || !before == !s->pauses)
		return;
	if (s->pauses)
		uv_read_stop((uv_stream_t *)&s->tcp);
	else
		uv_read_start((uv_stream_t *)&s->tcp, on_alloc, on_read);
}

static void on_written(uv_write_t *req, int status)
{
	struct write *w = (struct write *)req;
	struct stream *s = w->stream;

	s->queued -= w->n;
	s->progress_ms = uv_now(s->shared->loop);
	free(w);
	if (status < 0) {
		stream_close(s, ERR_UNREACHABLE, false);
		return;
	}
	if (s->queued)
		return;
	if (s->state == STREAM_FLUSHING) {
		close_now(s);
		return;
	}
	set_pause(s, PAUSE_QUEUE, false);
	if (!stream_is_closing(s) && s->events->drained)
		s->events->drained(s);
}

/* Hands the ciphertext of this event to the kernel, the rest to libuv's queue. */
static enum err flush(struct stream *s)
{
	struct buf *out = &s->shared->out;
	size_t sent = 0;

	if (out->failed) {
		buf_free(out);
		return ERR_NOMEM;
	}
	if (uv_is_closing((uv_handle_t *)&s->tcp))
		out->len = 0;
	if (out->len == 0)
		return ERR_OK;
	s->shared->bytes_out += out->len;
	if (s->queued == 0) {
		uv_buf_t b = uv_buf_init((char *)out->data, (unsigned)out->len);
		int r = uv_try_write((uv_stream_t *)&s->tcp, &b, 1);
		if (r > 0)
			sent = (size_t)r;
	}
	size_t rest = out->len - sent;
	if (rest) {
		struct write *w = malloc(sizeof *w + rest);
		if (!w) {
			out->len = 0;
			return ERR_NOMEM;
		}
		w->stream = s;
		w->n = rest;
		memcpy(w->data, out->data + sent, rest);
		uv_buf_t b = uv_buf_init(w->data, (unsigned)rest);
		if (uv_write(&w->req, (uv_stream_t *)&s->tcp, &b, 1, on_written)) {
			free(w);
			out->len = 0;
			return ERR_UNREACHABLE;
		}
		LINT_KEPT(w); /* on_written frees it */
		if (s->queued == 0)
			s->progress_ms = uv_now(s->shared->loop);
		s->queued += rest;
	}
	out->len = 0;
	return s->queued > STREAM_CLOSE_BYTES ? ERR_TOO_LARGE : ERR_OK;
}

static bool on_plain(void *data, const uint8_t *bytes, size_t n)
{
	struct stream *s = data;

	return !stream_is_closing(s) && s->events->data(s, bytes, n) && !stream_is_closing(s);
}

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *b)
{
	struct stream *s = handle->data;

	(void)suggested;
	*b = uv_buf_init(s->shared->read, sizeof s->shared->read);
}

static void take_bytes(struct stream *s, const uint8_t *bytes, size_t n)
{
	bool was_ready = s->tls.ready;

	s->shared->bytes_in += n;
	s->in_event = true;
	enum err e = tls_feed(&s->tls, bytes, n, &s->shared->out, on_plain, s);
	if (!e && !was_ready && s->tls.ready && !stream_is_closing(s))
		s->events->ready(s);
	s->in_event = false;
	enum err flushed = flush(s);
	if (e || flushed)
		stream_close(s, e ? e : flushed, e == ERR_TLS);
	else if (s->queued > STREAM_PAUSE_BYTES)
		set_pause(s, PAUSE_QUEUE, true);
	if (s->state == STREAM_FLUSHING && s->queued == 0)
		close_now(s);
}

static void keep_first(struct stream *s, const uint8_t *bytes, size_t n)
{
	if (n <= STREAM_FIRST_BYTES)
		buf_add(&s->first, bytes, n);
	if (n > STREAM_FIRST_BYTES || s->first.failed)
		stream_close(s, ERR_BUSY, false);
	else
		set_pause(s, PAUSE_FIRST, true);
}

void stream_go(struct stream *s)
{
	set_pause(s, PAUSE_FIRST, false);
	if (!stream_is_closing(s))
		take_bytes(s, s->first.data, s->first.len);
	buf_free(&s->first);
}

static void on_read(uv_stream_t *tcp, ssize_t n, const uv_buf_t *b)
{
	struct stream *s = tcp->data;
	bool first = s->state == STREAM_SILENT;

	if (n == 0)
		return;
	if (n < 0) {
		stream_close(s, ERR_UNREACHABLE, false);
		return;
	}
	if (first)
		stream_enter(s, STREAM_OPEN);
	if (first && s->events->first && !s->events->first(s))
		keep_first(s, (const uint8_t *)b->base, (size_t)n);
	else
		take_bytes(s, (const uint8_t *)b->base, (size_t)n);
}

enum err stream_open(struct stream *s, struct stream_shared *shared, SSL_CTX *ctx, bool server,
	const struct stream_events *events)
{
	s->shared = shared;
	s->events = events;
	s->queued = 0;
	s->why = ERR_OK;
	s->state = STREAM_SILENT;
	s->in_event = false;
	s->pauses = 0;
	s->first = (struct buf){0};
	s->tcp.data = s;
	s->progress_ms = uv_now(shared->loop);
	enum err e = tls_init(&s->tls, ctx, server);
	if (e)
		return e;
	uv_tcp_nodelay(&s->tcp, 1);
	if (!server && !(e = tls_start(&s->tls, &shared->out)))
		e = flush(s);
	if (!e && uv_read_start((uv_stream_t *)&s->tcp, on_alloc, on_read))
		e = ERR_UNREACHABLE;
	if (e)
		tls_free(&s->tls);
	return e;
}

enum err stream_write(struct stream *s, const uint8_t *bytes, size_t n)
{
	if (stream_is_closing(s) || !s->tls.ready)
		return ERR_NOT_NOW;
	enum err e = tls_write(&s->tls, bytes, n, &s->shared->out);
	/* Within an event everything leaves in one write at its end. */
	if (!s->in_event || s->shared->out.len > STREAM_PAUSE_BYTES) {
		enum err flushed = flush(s);
		e = e ? e : flushed;
	}
	if (e)
		stream_close(s, e, false);
	return e;
}

void stream_pause(struct stream *s, bool pause)
{
	set_pause(s, PAUSE_OWNER, pause);
}

void stream_close(struct stream *s, enum err why, bool flush_first)
{
	if (stream_is_closing(s)) {
		if (!flush_first)
			close_now(s);
		return;
	}
	s->why = why;
	uv_read_stop((uv_stream_t *)&s->tcp);
	if (!flush_first) {
		if (!s->in_event)
			s->shared->out.len = 0;
		close_now(s);
		return;
	}
	stream_enter(s, STREAM_FLUSHING);
	if (s->in_event)
		return; /* the end of the event flushes and closes */
	tls_close_notify(&s->tls, &s->shared->out);
	if (flush(s) || s->queued == 0)
		close_now(s);
}

void stream_check_stall(struct stream *s)
{
	if (s->queued && uv_now(s->shared->loop) - s->progress_ms > STREAM_STALL_MS)
		stream_close(s, ERR_DEADLINE, false);
}
