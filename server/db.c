#include "db.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "lint.h"
#include "log.h"

#define BACKOFF_MIN_MS 50   /* a restart of PostgreSQL is over in a second: be there when it is */
#define BACKOFF_MAX_MS 2000 /* and no storm while it is down */
#define SWEEP_MS 100	    /* how late a task that waited too long is told */
#define CONNECT_MS 5000	    /* libpq's connect_timeout does not hold for PQconnectPoll */
#define CONNECT_HOST_MS 2000 /* of one of several hosts: the next one may answer */
#define STALL_MS 3000	    /* a trip that takes longer asks whether another host is the primary now, and again every */
#define STALL_AGAIN_MS 1000
#define HOSTS_MAX 8
#define READ_ONLY "25006" /* sqlstate of a write on a standby */
#define PREPARED_MAX 512    /* slots of the per-connection set of prepared statements; a power of two */

enum conn_state { CONN_DOWN, CONN_CONNECTING, CONN_IDLE, CONN_BUSY, CONN_CLOSING };
enum expect { EXPECT_PREPARE, EXPECT_COMMAND, EXPECT_QUERY, EXPECT_COMMIT, EXPECT_SYNC, EXPECT_CLEANUP };

struct db_conn {
	struct db_pool *pool;
	PGconn *pg;
	uv_poll_t *poll;  /* owned; a fresh one for every socket libpq opens, freed when libuv lets go of it */
	uv_timer_t timer; /* reconnect, its time limit, a turn of the loop before `next` runs, a trip that takes long */
	enum conn_state state;
	unsigned backoff_ms, host, refused; /* host: index of the one it is at; refused: how many said no since one said yes */
	struct db_task *task, greeting;
	db_task_fn next;
	bool cleaning;	  /* ROLLBACK after a task that left a transaction open */
	bool warned;	  /* a WARNING came since the COMMIT was sent: it may be a cancelled wait (sync.md finding 4) */
	bool broken;	  /* to be closed when the trip is over */
	bool demoted;	  /* the server at the other end became a standby: likewise */
	const struct db_stmt *prepared[PREPARED_MAX];
	struct {
		enum expect what;
		const struct db_stmt *stmt;
	} queue[DB_RESULTS_MAX * 2 + 4];
	int head, tail;
};

struct db_pool {
	uv_loop_t *loop;
	char *conninfo, *hosts, *ports; /* the last two split in place into the lists below; hosts is NULL when there is one */
	const char *host[HOSTS_MAX], *port[HOSTS_MAX];
	unsigned host_count;
	struct db_conn *conns; /* and one more behind the last: the probe */
	db_greet_fn greet;
	void *greet_data;
	int size, closing; /* connections, and how many handles are still open while draining */
	struct db_task *first, *last;
	int waiting;
	uv_timer_t sweep;
	bool draining;
	void (*closed)(void *data);
	void *closed_data;
};

static void conn_connect(struct db_conn *c);
static void conn_down(struct db_conn *c, const char *why);
static void pool_serve(struct db_pool *pool);
static void conn_collect(struct db_conn *c);
static void on_sweep(uv_timer_t *timer);

/* ---- prepared statements ---- */

static const struct db_stmt **prepared_slot(struct db_conn *c, const struct db_stmt *stmt)
{
	size_t i = ((uintptr_t)stmt >> 4) & (PREPARED_MAX - 1);

	while (c->prepared[i] && c->prepared[i] != stmt)
		i = (i + 1) & (PREPARED_MAX - 1);
	return &c->prepared[i];
}

static void stmt_name(char out[24], const struct db_stmt *stmt)
{
	snprintf(out, 24, "s%llx", (unsigned long long)(uintptr_t)stmt);
}

static void expect(struct db_conn *c, enum expect what, const struct db_stmt *stmt)
{
	if (c->tail == (int)(sizeof c->queue / sizeof *c->queue))
		abort(); /* our bug: a trip of more statements than DB_RESULTS_MAX */
	c->queue[c->tail].what = what;
	c->queue[c->tail++].stmt = stmt;
}

/* ---- tasks ---- */

static void task_clear_results(struct db_task *task)
{
	for (int i = 0; i < task->results; i++)
		PQclear(task->result[i]);
	task->results = 0;
}

static void task_fault(struct db_task *task, enum err e)
{
	if (!task->err)
		task->err = e;
}

void db_task_query(struct db_task *task, const struct db_stmt *stmt, const struct db_params *params)
{
	static const struct db_params none;
	struct db_conn *c = task->conn;
	const struct db_stmt **slot = prepared_slot(c, stmt);
	char name[24];

	if (c->broken)
		return;
	if (!params)
		params = &none;
	if (params->failed) { /* as where libpq finds none: with the connection goes the transaction, and nothing is half done */
		c->broken = true;
		return;
	}
	stmt_name(name, stmt);
	bool pending = false;
	for (int i = c->head; i < c->tail; i++)
		pending |= c->queue[i].what == EXPECT_PREPARE && c->queue[i].stmt == stmt;
	if (!*slot && !pending) {
		if (!PQsendPrepare(c->pg, name, stmt->sql, 0, NULL))
			c->broken = true;
		expect(c, EXPECT_PREPARE, stmt);
	}
	if (!PQsendQueryPrepared(c->pg, name, params->n, params->value, params->length, params->format, 1))
		c->broken = true;
	expect(c, EXPECT_QUERY, stmt);
	task->sent++;
}

void db_task_command(struct db_task *task, const char *sql)
{
	struct db_conn *c = task->conn;

	if (c->broken)
		return;
	if (!PQsendQueryParams(c->pg, sql, 0, NULL, NULL, NULL, NULL, 1))
		c->broken = true;
	expect(c, EXPECT_COMMAND, NULL);
}

void db_task_commit(struct db_task *task)
{
	struct db_conn *c = task->conn;

	if (c->broken)
		return;
	task->commits = true;
	c->warned = false;
	if (!PQsendQueryParams(c->pg, "COMMIT", 0, NULL, NULL, NULL, NULL, 1))
		c->broken = true;
	expect(c, EXPECT_COMMIT, NULL);
}

static void arm(struct db_conn *c);
static void on_stall(uv_timer_t *timer);

static void on_turn(uv_timer_t *timer)
{
	struct db_conn *c = timer->data;

	conn_down(c, PQerrorMessage(c->pg));
}

void db_task_run(struct db_task *task, db_task_fn next)
{
	struct db_conn *c = task->conn;

	/* Results of the trip before stay readable while this one is built; they go now. */
	task_clear_results(task);
	task->err = ERR_OK;
	task->sent = 0;
	c->next = next;
	if (!c->broken && PQpipelineSync(c->pg))
		expect(c, EXPECT_SYNC, NULL);
	else
		c->broken = true;
	if (c->broken) {
		/* Never call back from within the caller. */
		uv_timer_start(&c->timer, on_turn, 0, 0);
		return;
	}
	uv_timer_start(&c->timer, on_stall, STALL_MS, STALL_AGAIN_MS);
	arm(c);
}

static void conn_release(struct db_conn *c)
{
	c->task = NULL;
	c->next = NULL;
	if (c->pool->draining) {
		conn_down(c, NULL);
		return;
	}
	c->state = CONN_IDLE;
	pool_serve(c->pool);
}

static void leave_others(struct db_pool *pool, unsigned primary);

static void greeted(struct db_conn *c)
{
	if (c->greeting.err) {
		conn_down(c, "the database did not answer the greeting");
		return;
	}
	if (c->backoff_ms > BACKOFF_MIN_MS)
		log_info("database connection is back");
	c->backoff_ms = BACKOFF_MIN_MS;
	c->refused = 0;
	leave_others(c->pool, c->host);
	conn_release(c);
}

void db_task_end(struct db_task *task)
{
	struct db_conn *c = task->conn;

	task_clear_results(task);
	if (!c)
		return;
	task->conn = NULL;
	c->task = NULL;
	if (c->state != CONN_BUSY)
		return;
	if (task == &c->greeting) {
		greeted(c);
		return;
	}
	if (PQtransactionStatus(c->pg) == PQTRANS_IDLE) {
		conn_release(c);
		return;
	}
	c->cleaning = true;
	if (!PQsendQueryParams(c->pg, "ROLLBACK", 0, NULL, NULL, NULL, NULL, 1) || !PQpipelineSync(c->pg)) {
		conn_down(c, PQerrorMessage(c->pg));
		return;
	}
	expect(c, EXPECT_CLEANUP, NULL);
	expect(c, EXPECT_SYNC, NULL);
	uv_timer_start(&c->timer, on_stall, STALL_MS, STALL_AGAIN_MS);
	arm(c);
}

enum err db_task_start(struct db_pool *pool, struct db_task *task, db_task_fn step, void *data, uint64_t wait_ms)
{
	if (pool->draining)
		return ERR_DRAINING;
	if (pool->waiting >= DB_WAITING_MAX)
		return ERR_BUSY;
	memset(task, 0, sizeof *task);
	task->data = data;
	task->pool = pool;
	task->step = step;
	task->wait_until_ms = wait_ms ? uv_now(pool->loop) + wait_ms : 0;
	task->queued = true;
	if (pool->last)
		pool->last->next = task;
	else
		pool->first = task;
	pool->last = task;
	pool->waiting++;
	uv_timer_start(&pool->sweep, on_sweep, 0, SWEEP_MS);
	return ERR_OK;
}

static unsigned trips_of(const struct db_pool *pool, uint64_t who)
{
	unsigned n = 0;

	for (int i = 0; i < pool->size; i++)
		n += pool->conns[i].task && pool->conns[i].task->who == who;
	return n;
}

unsigned db_pool_waiting(const struct db_pool *pool, uint64_t who)
{
	unsigned n = 0;

	for (const struct db_task *t = pool->first; t; t = t->next)
		n += t->who == who;
	return n;
}

/* The first whose caller has the fewest trips under way: a computer that asks for a thousand things gets one after another, and
 * who asks for one does not wait behind them. */
static struct db_task *pool_shift(struct db_pool *pool)
{
	struct db_task *task = NULL, *before = NULL, *previous = NULL;
	unsigned fewest = UINT_MAX;

	for (struct db_task *t = pool->first; t && fewest; previous = t, t = t->next) {
		unsigned n = trips_of(pool, t->who);
		if (n < fewest) {
			fewest = n;
			task = t;
			before = previous;
		}
	}
	if (!task)
		return NULL;
	if (before)
		before->next = task->next;
	else
		pool->first = task->next;
	if (pool->last == task)
		pool->last = before;
	pool->waiting--;
	task->next = NULL;
	task->queued = false;
	return task;
}

static void pool_serve(struct db_pool *pool)
{
	for (int i = 0; i < pool->size && pool->first; i++) {
		struct db_conn *c = &pool->conns[i];
		if (c->state != CONN_IDLE)
			continue;
		struct db_task *task = pool_shift(pool);
		c->state = CONN_BUSY;
		c->task = task;
		task->conn = c;
		task->step(task);
		i = -1; /* the step may have ended at once and freed a connection */
	}
}

/* Serves new tasks on the next turn of the loop and ends those that have waited too long. */
static void on_sweep(uv_timer_t *timer)
{
	struct db_pool *pool = timer->data;
	uint64_t now = uv_now(pool->loop);

	pool_serve(pool);
	while (pool->first && pool->first->wait_until_ms && pool->first->wait_until_ms <= now) {
		struct db_task *task = pool->first;
		pool->first = task->next;
		if (!pool->first)
			pool->last = NULL;
		pool->waiting--;
		task->queued = false;
		task->err = ERR_UNAVAILABLE;
		task->step(task);
	}
	if (!pool->first)
		uv_timer_stop(timer);
}

/* ---- results ---- */

static enum err error_of(const char *sqlstate)
{
	if (strncmp(sqlstate, "JG", 2) == 0)
		return (enum err)atoi(sqlstate + 2); /* raised by our own SQL functions: ERRCODE 'JG' and the number of err.def */
	if (strncmp(sqlstate, "22", 2) == 0)
		return ERR_INVALID; /* a value that the database cannot take, such as a date of the year 0 */
	if (strncmp(sqlstate, "40", 2) == 0 || strcmp(sqlstate, "55P03") == 0 || strcmp(sqlstate, "23505") == 0)
		return ERR_BUSY; /* deadlock, lock time-out, somebody else inserted first: the same bytes may go again */
	if (strncmp(sqlstate, "57P", 3) == 0 || strncmp(sqlstate, "08", 2) == 0 || strcmp(sqlstate, READ_ONLY) == 0)
		return ERR_UNAVAILABLE;
	if (strcmp(sqlstate, "53100") == 0) {
		log_error("the database's disk is full");
		return ERR_UNAVAILABLE; /* the operator's to mend: a school that read "disk full" would look at its own, and its sync would end */
	}
	if (strncmp(sqlstate, "53", 2) == 0)
		return ERR_UNAVAILABLE;
	return ERR_INTERNAL;
}

static void task_error(struct db_task *task, const PGresult *r)
{
	const char *state = PQresultErrorField(r, PG_DIAG_SQLSTATE);
	const char *constraint = PQresultErrorField(r, PG_DIAG_CONSTRAINT_NAME);

	if (task->err)
		return; /* the first one is the cause */
	snprintf(task->sqlstate, sizeof task->sqlstate, "%s", state ? state : "");
	snprintf(task->constraint, sizeof task->constraint, "%s", constraint ? constraint : "");
	task->err = error_of(task->sqlstate);
	if (strncmp(task->sqlstate, "JG", 2) == 0)
		snprintf(task->message, sizeof task->message, "%s", PQresultErrorField(r, PG_DIAG_MESSAGE_PRIMARY));
	if (task->err == ERR_INTERNAL) {
		/* DETAIL may hold values of a row: only the message proper is logged. */
		const char *text = PQresultErrorField(r, PG_DIAG_MESSAGE_PRIMARY);
		const char *context = PQresultErrorField(r, PG_DIAG_CONTEXT);
		log_error("database error sqlstate=%s message=\"%s\" context=\"%s\"", task->sqlstate, text ? text : "",
			context ? context : "");
	}
}

static void take_result(struct db_conn *c, PGresult *r)
{
	enum expect what = c->queue[c->head].what;
	ExecStatusType status = PQresultStatus(r);
	struct db_task *task = c->task;
	bool good = status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK;

	if (status == PGRES_FATAL_ERROR && PQresultErrorField(r, PG_DIAG_SQLSTATE))
		c->demoted |= strcmp(PQresultErrorField(r, PG_DIAG_SQLSTATE), READ_ONLY) == 0;
	if (what == EXPECT_PREPARE && good)
		*prepared_slot(c, c->queue[c->head].stmt) = c->queue[c->head].stmt;
	if (status == PGRES_FATAL_ERROR && task)
		task_error(task, r);
	if (what == EXPECT_COMMIT && task && (!good || strcmp(PQcmdStatus(r), "COMMIT") != 0 || c->warned)) {
		/* An aborted transaction answers ROLLBACK or is skipped: known. A clean tag with a WARNING is not. */
		if (good && strcmp(PQcmdStatus(r), "COMMIT") == 0)
			task->unknown = true;
		task_fault(task, task->unknown ? ERR_UNAVAILABLE : ERR_INTERNAL);
	}
	if (what == EXPECT_QUERY && task && status == PGRES_TUPLES_OK) {
		if (task->results == DB_RESULTS_MAX)
			abort();
		task->result[task->results++] = r;
		return;
	}
	if (what == EXPECT_QUERY && task && status == PGRES_COMMAND_OK && task->results < DB_RESULTS_MAX) {
		task->result[task->results++] = r; /* a statement without rows keeps its place */
		return;
	}
	PQclear(r);
}

static void trip_done(struct db_conn *c)
{
	struct db_task *task = c->task;

	c->head = c->tail = 0;
	uv_timer_stop(&c->timer);
	if (c->cleaning) {
		c->cleaning = false;
		conn_release(c);
		return;
	}
	if (!task)
		return;
	db_task_fn next = c->next;
	if (task->unknown) {
		conn_down(c, "unclean COMMIT"); /* calls next */
		return;
	}
	if (c->demoted) {
		task->commits = false; /* refused, not unknown */
		conn_down(c, "the server takes no writes any more");
		return;
	}
	task->commits = false;
	next(task);
}

/* Reads what has come. libpq yields each statement's result followed by NULL. */
static void conn_collect(struct db_conn *c)
{
	while (c->state == CONN_BUSY && c->head < c->tail) {
		if (PQisBusy(c->pg))
			break;
		PGresult *r = PQgetResult(c->pg);
		if (!r) {
			if (PQstatus(c->pg) != CONNECTION_OK)
				break;
			continue;
		}
		if (PQresultStatus(r) == PGRES_PIPELINE_SYNC) {
			PQclear(r);
			trip_done(c);
			return;
		}
		take_result(c, r);
		c->head++;
	}
	if (c->pg && PQstatus(c->pg) != CONNECTION_OK)
		conn_down(c, PQerrorMessage(c->pg));
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
	struct db_conn *c = poll->data;

	if (status < 0 || (events & UV_READABLE && !PQconsumeInput(c->pg))) {
		conn_collect(c); /* what came before the end still counts */
		if (c->pg)
			conn_down(c, PQerrorMessage(c->pg));
		return;
	}
	conn_collect(c);
	if (c->pg && c->state >= CONN_IDLE && c->state != CONN_CLOSING)
		arm(c);
}

static void arm(struct db_conn *c)
{
	int left = PQflush(c->pg);

	if (left < 0) {
		uv_timer_start(&c->timer, on_turn, 0, 0);
		return;
	}
	uv_poll_start(c->poll, UV_READABLE | (left ? UV_WRITABLE : 0), on_poll);
}

/* ---- connecting ---- */

static void on_notice(void *data, const PGresult *r)
{
	struct db_conn *c = data;
	const char *severity = PQresultErrorField(r, PG_DIAG_SEVERITY_NONLOCALIZED);

	if (severity && strcmp(severity, "WARNING") == 0)
		c->warned = true;
}

static void on_reconnect(uv_timer_t *timer)
{
	conn_connect(timer->data);
}

static void on_connect_timeout(uv_timer_t *timer)
{
	conn_down(timer->data, NULL);
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

static void pool_release(struct db_pool *pool)
{
	free(pool->conninfo);
	free(pool->hosts);
	free(pool->ports);
	free(pool->conns);
	free(pool);
}

static void pool_free(struct db_pool *pool)
{
	void (*closed)(void *) = pool->closed;
	void *data = pool->closed_data;

	pool_release(pool);
	closed(data);
}

static void pool_handle_closed(struct db_pool *pool)
{
	if (--pool->closing == 0)
		pool_free(pool);
}

static void on_conn_closed(uv_handle_t *timer)
{
	pool_handle_closed(((struct db_conn *)timer->data)->pool);
}

static void on_sweep_closed(uv_handle_t *timer)
{
	pool_handle_closed(timer->data);
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

/* The connection is gone: tells its task, then comes back after a while. */
static void conn_down(struct db_conn *c, const char *why)
{
	struct db_task *task = c->task;
	db_task_fn next = c->next;
	enum conn_state was = c->state;

	if (was == CONN_CLOSING)
		return;
	/* One line when it goes; while it is away every attempt would be another. */
	if (why && !c->pool->draining && was != CONN_CONNECTING)
		log_warn("database connection lost: %s", why);
	c->state = c->pool->draining ? CONN_CLOSING : CONN_DOWN;
	c->task = NULL;
	c->next = NULL;
	c->head = c->tail = 0;
	c->broken = c->cleaning = c->demoted = false;
	memset(c->prepared, 0, sizeof c->prepared);
	poll_close(c);
	PQfinish(c->pg);
	c->pg = NULL;
	uv_timer_stop(&c->timer);
	if (c->pool->draining)
		uv_close((uv_handle_t *)&c->timer, on_conn_closed);
	else if (!is_probe(c))
		reconnect_later(c, was == CONN_CONNECTING || task == &c->greeting);
	else if (was == CONN_CONNECTING && ++c->refused < c->pool->host_count - 1) /* its own host is not asked */
		reconnect_later(c, true);
	if (!task)
		return;
	task->conn = NULL;
	task->unknown = task->unknown || task->commits;
	task->err = ERR_UNAVAILABLE;
	(next ? next : task->step)(task);
}

/* This host takes writes: who is still at another one talks to a machine that stands still, was cut off or is no primary any
 * more, and nothing on the wire would tell. What was sent there is unknown; the same bytes go to the new one. */
static void leave_others(struct db_pool *pool, unsigned primary)
{
	for (int i = 0; i < pool->size; i++) {
		struct db_conn *c = &pool->conns[i];
		if (c->host == primary)
			continue;
		if (c->state != CONN_DOWN)
			conn_down(c, "another host is the primary");
		c->host = primary;
	}
}

/* A trip takes long: a slow statement, a lock, a standby that is waited for; or the primary is gone without a word. The other
 * hosts are asked. */
static void on_stall(uv_timer_t *timer)
{
	struct db_conn *c = timer->data, *probe = &c->pool->conns[c->pool->size];

	if (c->pool->draining) { /* the process ends; it must not wait for a database that never answers */
		conn_down(c, NULL);
		return;
	}
	if (c->pool->host_count < 2 || probe->state != CONN_DOWN)
		return;
	probe->host = (c->host + 1) % c->pool->host_count;
	probe->refused = 0;
	conn_connect(probe);
}

static void conn_established(struct db_conn *c)
{
	unsigned host = c->host;

	if (PQserverVersion(c->pg) < DB_SERVER_MIN) {
		log_error("PostgreSQL %d is too old: 15.14 or newer is needed", PQserverVersion(c->pg));
		conn_down(c, "server too old");
		return;
	}
	PQsetNoticeReceiver(c->pg, on_notice, c);
	PQsetnonblocking(c->pg, 1);
	if (!PQenterPipelineMode(c->pg)) {
		conn_down(c, PQerrorMessage(c->pg));
		return;
	}
	uv_timer_stop(&c->timer);
	if (is_probe(c)) {
		c->state = CONN_IDLE; /* it has found the primary and asks no further */
		conn_down(c, NULL);
		leave_others(c->pool, host);
		return;
	}
	c->state = CONN_BUSY;
	c->greeting = (struct db_task){.pool = c->pool, .conn = c};
	c->task = &c->greeting;
	uv_poll_start(c->poll, UV_READABLE, on_poll);
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
		conn_down(c, PQerrorMessage(c->pg));
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
			conn_down(c, "no poll handle");
			return;
		}
		LINT_KEPT(poll); /* poll_close frees it */
		poll->data = c;
		c->poll = poll;
	}
	uv_poll_start(c->poll, events, on_connecting);
}

static void conn_connect(struct db_conn *c)
{
	/* Before dbname: what the operator's settings may change. A peer that vanished is noticed in about ten seconds. */
	const char *keys[] = {"tcp_user_timeout", "keepalives_idle", "keepalives_interval", "keepalives_count", "dbname", "options",
		"application_name", "host", "port", NULL};
	/* A lock is waited for 2 s (sync.md "Push"); times are exchanged in UTC; nothing runs longer than 5 minutes. One host of
	 * several at a time (an empty value changes nothing): libpq itself would wait for one that accepts and never answers. */
	const char *values[] = {"10000", "5", "2", "3", c->pool->conninfo, "-c lock_timeout=2s -c timezone=UTC -c statement_timeout=5min",
		"jgd", c->pool->host[c->host], c->pool->port[c->host], NULL};

	c->state = CONN_CONNECTING;
	uv_timer_start(&c->timer, on_connect_timeout, c->pool->host_count > 1 ? CONNECT_HOST_MS : CONNECT_MS, 0);
	c->pg = PQconnectStartParams(keys, values, 1);
	if (!c->pg || PQstatus(c->pg) == CONNECTION_BAD) {
		conn_down(c, c->pg ? PQerrorMessage(c->pg) : "out of memory");
		return;
	}
	poll_socket(c, UV_WRITABLE);
}

static unsigned split_list(char *list, const char **out)
{
	unsigned n = 0;

	while (list && n < HOSTS_MAX)
		out[n++] = strsep(&list, ",");
	return n;
}

/* host=a,b,c port=5432,5433,5434 (or one port for all). With one host, or with hostaddr, libpq is left to itself. */
static bool split_hosts(struct db_pool *pool)
{
	PQconninfoOption *options = PQconninfoParse(pool->conninfo, NULL);
	const char *hosts = NULL, *ports = NULL, *addresses = NULL;
	bool good = true;

	pool->host_count = 1;
	for (PQconninfoOption *o = options; o && o->keyword; o++) {
		hosts = strcmp(o->keyword, "host") == 0 ? o->val : hosts;
		ports = strcmp(o->keyword, "port") == 0 ? o->val : ports;
		addresses = strcmp(o->keyword, "hostaddr") == 0 ? o->val : addresses;
	}
	if (hosts && strchr(hosts, ',') && !addresses) {
		good = (pool->hosts = strdup(hosts)) && (!ports || (pool->ports = strdup(ports)));
		pool->host_count = split_list(pool->hosts, pool->host);
		if (split_list(pool->ports, pool->port) == 1)
			for (unsigned i = 1; i < pool->host_count; i++)
				pool->port[i] = pool->port[0];
	}
	PQconninfoFree(options);
	return good;
}

enum err db_pool_create(struct db_pool **out, uv_loop_t *loop, const char *conninfo, int size, db_greet_fn greet, void *data)
{
	struct db_pool *pool = calloc(1, sizeof *pool);

	if (!pool)
		return ERR_NOMEM;
	pool->loop = loop;
	pool->conninfo = strdup(conninfo);
	pool->conns = calloc((size_t)size + 1, sizeof *pool->conns);
	if (!pool->conninfo || !pool->conns || !split_hosts(pool)) {
		pool_release(pool);
		return ERR_NOMEM;
	}
	pool->size = size;
	pool->greet = greet;
	pool->greet_data = data;
	uv_timer_init(loop, &pool->sweep);
	pool->sweep.data = pool;
	for (int i = 0; i <= size; i++) {
		struct db_conn *c = &pool->conns[i];
		c->pool = pool;
		c->backoff_ms = BACKOFF_MIN_MS;
		uv_timer_init(loop, &c->timer);
		c->timer.data = c;
		if (i < size)
			conn_connect(c);
	}
	*out = pool;
	return ERR_OK;
}

void db_pool_close(struct db_pool *pool, void (*closed)(void *data), void *data)
{
	struct db_task *task;

	pool->draining = true;
	pool->closed = closed;
	pool->closed_data = data;
	pool->closing = pool->size + 2;
	while ((task = pool_shift(pool))) {
		task->err = ERR_DRAINING;
		task->step(task);
	}
	uv_close((uv_handle_t *)&pool->sweep, on_sweep_closed);
	for (int i = 0; i <= pool->size; i++)
		if (pool->conns[i].state != CONN_BUSY)
			conn_down(&pool->conns[i], NULL);
}

bool db_pool_ready(const struct db_pool *pool)
{
	for (int i = 0; i < pool->size; i++)
		if (pool->conns[i].state == CONN_IDLE || pool->conns[i].state == CONN_BUSY)
			return true;
	return false;
}

void db_pool_stats(const struct db_pool *pool, int *busy, int *size, int *waiting)
{
	*busy = 0;
	for (int i = 0; i < pool->size; i++)
		*busy += pool->conns[i].state == CONN_BUSY;
	*size = pool->size;
	*waiting = pool->waiting;
}
