#include "worker.h"

#include <stdlib.h>
#include <string.h>
#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "clock.h"
#include "conn.h"
#include "epoch.h"
#include "helper.h"
#include "log.h"
#include "schedule.h"

#define BACKLOG 4096      /* five thousand schools' clients come back together after a power cut */
#define FIRST_TICK_MS 100 /* `ready` should not wait a whole tick for the database */
#define DRAIN_MS 10000    /* calls in flight may end; then the connections are closed */

const char *close_reason_name(enum close_reason reason)
{
	static const char *const names[CLOSE_REASONS] = {"handshake_time", "greeting_time", "idle", "stall",
		"frame", "protocol", "tls", "handshakes", "address", "revoked", "slow"};

	return names[reason];
}

static void on_connection(uv_stream_t *listener, int status)
{
	if (status < 0)
		log_warn("accept failed: %s", uv_strerror(status));
	else
		conn_accept(listener->data, listener);
}

/* libuv 1.44 has no flag for SO_REUSEPORT: the socket is made by hand and handed over. */
static int listen_shared(struct worker *w)
{
	const struct sockaddr_storage *at = &w->server->conf.listen_addr;
	int on = 1, fd = socket(at->ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	socklen_t n = at->ss_family == AF_INET6 ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in);

	if (fd < 0)
		return UV_EMFILE;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
	setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
	int e = bind(fd, (const struct sockaddr *)at, n) ? -errno : 0;
	uv_tcp_init(&w->loop, &w->listener);
	w->listener.data = w;
	if (e || (e = uv_tcp_open(&w->listener, fd))) {
		close(fd);
		return e;
	}
	return uv_listen((uv_stream_t *)&w->listener, BACKLOG, on_connection);
}

static void close_all(struct worker *w)
{
	for (struct conn *c = w->conns, *next; c; c = next) {
		next = c->next;
		conn_goaway(c, CLOSE_REASONS, ERR_DRAINING);
	}
}

static void on_pool_closed(void *data)
{
	struct worker *w = data;

	uv_close((uv_handle_t *)&w->tick, NULL);
	uv_close((uv_handle_t *)&w->admit, NULL);
	uv_close((uv_handle_t *)&w->mailbox, NULL);
}

static bool calls_in_flight(const struct worker *w)
{
	for (const struct conn *c = w->conns; c; c = c->next)
		if (c->request_count)
			return true;
	return false;
}

static void drain(struct worker *w)
{
	if (!uv_is_closing((uv_handle_t *)&w->listener)) {
		uv_close((uv_handle_t *)&w->listener, NULL);
		w->drain_until_ms = uv_now(&w->loop) + DRAIN_MS;
	}
	if (w->stopping || (calls_in_flight(w) && uv_now(&w->loop) < w->drain_until_ms))
		return;
	close_all(w);
	if (w->conns)
		return; /* their closing brings the next tick */
	w->stopping = true;
	helper_end_all(w);
	db_pool_close(w->pool, on_pool_closed, w);
}

static void on_mailbox(uv_async_t *async)
{
	struct worker *w = async->data;

	if (atomic_load(&w->server->draining))
		drain(w);
	for (struct conn *c = w->conns, *next; c; c = next) {
		next = c->next;
		if (c->has_cert && deny_set_has(&w->server->deny, c->spki))
			conn_goaway(c, CLOSE_REVOKED, ERR_REVOKED);
	}
}

void worker_wake(struct worker *w)
{
	uv_async_send(&w->mailbox);
}

static void on_tick(uv_timer_t *timer)
{
	struct worker *w = timer->data;
	uint64_t now = clock_monotonic_us(), expected = w->tick_us + TICK_MS * 1000;
	int busy, size, waiting;

	stat_set(w->stats.loop_lag_us, w->tick_us && now > expected ? now - expected : 0);
	w->tick_us = now;
	db_pool_stats(w->pool, &busy, &size, &waiting);
	stat_set(w->stats.pool_busy, (unsigned)busy);
	stat_set(w->stats.pool_waiting, (unsigned)waiting);
	stat_set(w->stats.database_up, db_pool_ready(w->pool));
	stat_set(w->stats.silent_ms, db_pool_silent(w->pool));
	stat_set(w->stats.bytes_in, w->shared.bytes_in);
	stat_set(w->stats.bytes_out, w->shared.bytes_out);
	for (struct conn *c = w->conns, *next; c; c = next) {
		next = c->next;
		conn_tick(c);
	}
	watch_tick(w);
	schedule_tick(w);
	if (atomic_load(&w->server->draining))
		drain(w);
}

static void on_prepare(uv_prepare_t *prepare)
{
	pending_admit(prepare->data);
}

static void worker_main(void *data)
{
	struct worker *w = data;

	uv_run(&w->loop, UV_RUN_DEFAULT);
	stream_shared_free(&w->shared);
	uv_loop_close(&w->loop);
}

enum err worker_init(struct worker *w, struct server *s, int index)
{
	int e;

	w->server = s;
	w->index = index;
	if (uv_loop_init(&w->loop))
		return ERR_NOMEM;
	stream_shared_init(&w->shared, &w->loop);
	uv_async_init(&w->loop, &w->mailbox, on_mailbox);
	w->mailbox.data = w;
	uv_timer_init(&w->loop, &w->tick);
	w->tick.data = w;
	uv_timer_start(&w->tick, on_tick, FIRST_TICK_MS, TICK_MS);
	uv_prepare_init(&w->loop, &w->admit);
	w->admit.data = w;
	uv_prepare_start(&w->admit, on_prepare);
	if ((e = listen_shared(w))) {
		log_error("cannot listen on %s: %s", s->conf.listen, uv_strerror(e));
		return ERR_UNREACHABLE;
	}
	return db_pool_create(&w->pool, &w->loop, s->conf.database_app, s->conf.pool, epoch_check, s);
}

enum err worker_start(struct worker *w)
{
	return uv_thread_create(&w->thread, worker_main, w) ? ERR_NOMEM : ERR_OK;
}
