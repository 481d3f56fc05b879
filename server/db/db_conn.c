#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "db_inner.h"
#include "lint.h"
#include "log.h"
#include "state.h"

#define BACKOFF_MAX_MS 2000  /* and no storm while it is down */
#define CONNECT_MS 5000      /* libpq's connect_timeout does not hold for PQconnectPoll */
#define CONNECT_HOST_MS 2000 /* of one of several hosts: the next one may answer */
/* a trip that takes longer asks whether another host is the primary now, and again every */
#define STALL_MS 3000
#define STALL_AGAIN_MS 1000

unsigned db_silent_ms = 330000; /* statement_timeout, and half a minute */

void db_conn_enter(struct db_conn *c, enum db_state to)
{
	static const char *const names[] = {"DOWN", "CONNECTING", "IDLE", "BUSY", "CLOSING"};
	static const uint32_t ways[DB_STATES] = {
		[DB_DOWN] = STATE(DB_DOWN) | STATE(DB_CONNECTING) | STATE(DB_CLOSING),
		[DB_CONNECTING] = STATE(DB_DOWN) | STATE(DB_BUSY) | STATE(DB_IDLE) | STATE(DB_CLOSING),
		[DB_IDLE] = STATE(DB_DOWN) | STATE(DB_BUSY) | STATE(DB_CLOSING),
		[DB_BUSY] = STATE(DB_DOWN) | STATE(DB_IDLE) | STATE(DB_CLOSING),
	};
	static const struct state_machine machine = {"database connection", names, ways};

	assert(to != DB_CONNECTING || (!c->pg && !c->poll && !c->task));
	assert((to != DB_IDLE && to != DB_BUSY) || (c->pg && !c->task));
	c->state = (enum db_state)state_move(&machine, c->state, to);
}

static void on_notice(void *data, const PGresult *r)
{
	struct db_conn *c = data;
	const char *severity = PQresultErrorField(r, PG_DIAG_SEVERITY_NONLOCALIZED);

	if (severity && strcmp(severity, "WARNING") == 0)
		c->warned = true;
}

static void on_reconnect(uv_timer_t *timer)
{
	db_conn_connect(timer->data);
}

static void on_connect_timeout(uv_timer_t *timer)
{
	db_conn_down(timer->data, NULL);
}

static void on_poll_closed(uv_handle_t *handle)
{
	free(handle);
}

static void poll_close(struct db_conn *c)
{
	if (!c->poll)
		return;
	/* The poll must end before the socket closes: libuv knows descriptors by number only. */
	uv_poll_stop(c->poll);
	uv_close((uv_handle_t *)c->poll, on_poll_closed);
	c->poll = NULL;
}

static void on_conn_closed(uv_handle_t *timer)
{
	db_pool_handle_closed(((struct db_conn *)timer->data)->pool);
}

static bool is_probe(const struct db_conn *c)
{
	return c == &c->pool->conns[c->pool->size];
}

/* A host that refused is followed by the next one at once; when all have, there is a pause. */
static void reconnect_later(struct db_conn *c, bool refused)
{
	struct db_pool *pool = c->pool;
	unsigned pause = c->backoff_ms;

	if (refused) {
		c->host = (c->host + 1) % pool->host_count;
		pause = !is_probe(c) && ++c->refused % pool->host_count == 0 ? pause : 0;
	}
	if (pause)
		c->backoff_ms = c->backoff_ms * 2 > BACKOFF_MAX_MS ? BACKOFF_MAX_MS : c->backoff_ms * 2;
	uv_timer_start(&c->timer, on_reconnect, pause, 0);
}

void db_conn_down(struct db_conn *c, const char *why)
{
	struct db_task *task = c->task;
	db_task_fn next = c->next;
	enum db_state was = c->state;

	if (was == DB_CLOSING)
		return;
	/* One line in the log when the connection is lost, not one for every attempt to get it back. */
	if (why && !c->pool->draining && was != DB_CONNECTING)
		log_warn("database connection lost: %s", why);
	db_conn_enter(c, c->pool->draining ? DB_CLOSING : DB_DOWN);
	c->task = NULL;
	c->next = NULL;
	c->head = c->tail = 0;
	c->broken = c->refused_by_server = c->answered = false;
	c->distrust = NULL;
	if (c->slots)
		memset(c->prepared, 0, c->slots * sizeof *c->prepared);
	c->prepared_count = 0;
	poll_close(c);
	PQfinish(c->pg);
	c->pg = NULL;
	uv_timer_stop(&c->timer);
	if (c->pool->draining)
		uv_close((uv_handle_t *)&c->timer, on_conn_closed);
	else if (!is_probe(c))
		reconnect_later(c, was == DB_CONNECTING || task == &c->greeting);
	/* its own host is not asked */
	else if (was == DB_CONNECTING && ++c->refused < c->pool->host_count - 1)
		reconnect_later(c, true);
	if (!task)
		return;
	task->conn = NULL;
	task->unknown = task->unknown || task->commits;
	task->err = ERR_UNAVAILABLE;
	(next ? next : task->step)(task);
}

void db_conn_leave_others(struct db_pool *pool, unsigned primary)
{
	for (int i = 0; i < pool->size; i++) {
		struct db_conn *c = &pool->conns[i];
		if (c->host == primary)
			continue;
		if (c->state != DB_DOWN)
			db_conn_down(c, "another host is the primary");
		c->host = primary;
	}
}

/* A trip takes long: a slow statement, a lock, a standby that is waited for, or a primary that is gone
 * without a word. The other hosts are asked whether they are the primary. */
static void on_stall(uv_timer_t *timer)
{
	struct db_conn *c = timer->data, *probe = &c->pool->conns[c->pool->size];

	if (c->pool->draining) { /* the process ends, and must not wait for a database that never answers */
		db_conn_down(c, NULL);
		return;
	}
	if (c->head < c->tail && db_trip_look(c))
		return;
	if (uv_now(c->pool->loop) - c->heard_ms > db_silent_ms &&
		(c->head == c->tail || c->queue[c->head].what != EXPECT_COMMIT)) {
		db_conn_down(c, "no answer to a statement, nor the end of its time");
		return;
	}
	if (c->pool->host_count < 2 || probe->state != DB_DOWN)
		return;
	probe->host = (c->host + 1) % c->pool->host_count;
	probe->refused = 0;
	db_conn_connect(probe);
}

void db_conn_watch(struct db_conn *c)
{
	c->heard_ms = uv_now(c->pool->loop);
	uv_timer_start(&c->timer, on_stall, STALL_MS, STALL_AGAIN_MS);
}

static void conn_established(struct db_conn *c)
{
	unsigned host = c->host;

	if (PQserverVersion(c->pg) < DB_SERVER_MIN) {
		log_error("PostgreSQL %d is too old: 15.14 or newer is needed", PQserverVersion(c->pg));
		db_conn_down(c, "server too old");
		return;
	}
	PQsetNoticeReceiver(c->pg, on_notice, c);
	PQsetnonblocking(c->pg, 1);
	if (!PQenterPipelineMode(c->pg)) {
		db_conn_down(c, PQerrorMessage(c->pg));
		return;
	}
	uv_timer_stop(&c->timer);
	if (is_probe(c)) {
		db_conn_enter(c, DB_IDLE); /* it has found the primary and asks no further */
		db_conn_down(c, NULL);
		db_conn_leave_others(c->pool, host);
		return;
	}
	db_conn_enter(c, DB_BUSY);
	c->greeting = (struct db_task){.pool = c->pool, .conn = c};
	c->task = &c->greeting;
	db_trip_listen(c);
	c->pool->greet(&c->greeting, c->pool->greet_data);
}

static void poll_socket(struct db_conn *c, int events);

static void on_connecting(uv_poll_t *poll, int status, int events)
{
	struct db_conn *c = poll->data;

	(void)events;
	PostgresPollingStatusType at = status < 0 ? PGRES_POLLING_FAILED : PQconnectPoll(c->pg);
	if (at == PGRES_POLLING_OK)
		conn_established(c);
	else if (at == PGRES_POLLING_FAILED)
		db_conn_down(c, PQerrorMessage(c->pg));
	else
		poll_socket(c, at == PGRES_POLLING_READING ? UV_READABLE : UV_WRITABLE);
}

/* libpq moves to another socket when it tries the next address: the poll follows it. */
static void poll_socket(struct db_conn *c, int events)
{
	uv_os_fd_t fd = -1;

	if (c->poll && (uv_fileno((uv_handle_t *)c->poll, &fd) || fd != PQsocket(c->pg)))
		poll_close(c);
	if (!c->poll) {
		uv_poll_t *poll = malloc(sizeof *poll);
		if (!poll || uv_poll_init(c->pool->loop, poll, PQsocket(c->pg))) {
			free(poll);
			db_conn_down(c, "no poll handle");
			return;
		}
		LINT_KEPT(poll); /* poll_close frees it */
		poll->data = c;
		c->poll = poll;
	}
	uv_poll_start(c->poll, events, on_connecting);
}

void db_conn_connect(struct db_conn *c)
{
	/* Before dbname: what the operator's settings may change. A peer that vanished is noticed in about
	 * ten seconds. */
	const char *keys[] = {"tcp_user_timeout", "keepalives_idle", "keepalives_interval",
		"keepalives_count", "dbname", "options", "application_name", "host", "port", NULL};
	/* A lock is waited for 2 s (sync.md "Push"); times are exchanged in UTC; nothing runs longer than
	 * 5 minutes; whoever forgets a transaction keeps its locks for one. One host of several at a time
	 * (an empty value changes nothing): libpq itself would wait for one that accepts and never
	 * answers. */
	const char *values[] = {"10000", "5", "2", "3", c->pool->conninfo,
		"-c lock_timeout=2s -c timezone=UTC -c statement_timeout=5min -c "
		"idle_in_transaction_session_timeout=1min",
		"jgd", c->pool->host[c->host], c->pool->port[c->host], NULL};

	db_conn_enter(c, DB_CONNECTING);
	uv_timer_start(
		&c->timer, on_connect_timeout, c->pool->host_count > 1 ? CONNECT_HOST_MS : CONNECT_MS, 0);
	c->pg = PQconnectStartParams(keys, values, 1);
	if (!c->pg || PQstatus(c->pg) == CONNECTION_BAD) {
		db_conn_down(c, c->pg ? PQerrorMessage(c->pg) : "out of memory");
		return;
	}
	poll_socket(c, UV_WRITABLE);
}
