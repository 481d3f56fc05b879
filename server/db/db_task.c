#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "db_inner.h"
#include "log.h"

#define READ_ONLY "25006" /* sqlstate of a write on a standby */

/* ---- prepared statements ---- */

static struct db_prepared *prepared_slot(const struct db_conn *c, const struct db_stmt *stmt)
{
	size_t mask = c->slots - 1, i = ((uintptr_t)stmt >> 4) & mask;

	while (c->prepared[i].stmt && c->prepared[i].stmt != stmt)
		i = (i + 1) & mask;
	return &c->prepared[i];
}

static bool grow_prepared(struct db_conn *c)
{
	size_t old = c->slots;
	struct db_prepared *was = c->prepared, *now = calloc(old ? old * 2 : 256, sizeof *now);

	if (!now)
		return false;
	c->prepared = now;
	c->slots = old ? old * 2 : 256;
	for (size_t i = 0; i < old; i++)
		if (was[i].stmt)
			*prepared_slot(c, was[i].stmt) = was[i];
	free(was);
	return true;
}

/* NULL: out of memory. */
static struct db_prepared *prepared_get(struct db_conn *c, const struct db_stmt *stmt)
{
	if (2 * c->prepared_count >= c->slots && !grow_prepared(c))
		return NULL;
	struct db_prepared *p = prepared_slot(c, stmt);
	if (!p->stmt)
		c->prepared_count++;
	p->stmt = stmt;
	return p;
}

static void stmt_name(char out[24], const struct db_stmt *stmt)
{
	snprintf(out, 24, "s%llx", (unsigned long long)(uintptr_t)stmt);
}

static void expect(struct db_conn *c, enum expect what, const struct db_stmt *stmt)
{
	if (c->tail == c->room) {
		int room = c->room ? c->room * 2 : 64;
		struct db_expected *queue = realloc(c->queue, (size_t)room * sizeof *queue);
		if (!queue) {
			c->broken = true;
			return;
		}
		c->queue = queue;
		c->room = room;
	}
	c->queue[c->tail++] = (struct db_expected){what, stmt};
}

/* ---- tasks ---- */

static void task_clear_results(struct db_task *task)
{
	for (int i = 0; i < task->results; i++)
		PQclear(task->result[i].rows);
	task->results = 0;
}

/* For the answer to one more query. */
static bool task_make_room(struct db_task *task)
{
	if (task->sent < task->result_room)
		return true;
	int room = task->result_room ? task->result_room * 2 : 16;
	struct db_result *result = realloc(task->result, (size_t)room * sizeof *result);
	if (!result)
		return false;
	task->result = result;
	task->result_room = room;
	return true;
}

const PGresult *db_task_result(const struct db_task *task, const struct db_stmt *stmt)
{
	for (int i = 0; i < task->results; i++)
		if (task->result[i].stmt == stmt || (!stmt && task->results == 1))
			return task->result[i].rows;
	abort(); /* our bug: it was not asked on this trip */
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
	char name[24];

	if (c->broken)
		return;
	if (!params)
		params = &none;
	struct db_prepared *prepared = prepared_get(c, stmt);
	/* Treated like libpq's own lack of memory: the connection is closed, the transaction with it, and
	 * nothing is half done. */
	if (params->failed || !prepared || !task_make_room(task)) {
		c->broken = true;
		return;
	}
	stmt_name(name, stmt);
	if (prepared->state == STMT_ABSENT) {
		if (!PQsendPrepare(c->pg, name, stmt->sql, 0, NULL))
			c->broken = true;
		expect(c, EXPECT_PREPARE, stmt);
		prepared->state = STMT_ASKED;
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

static void on_turn(uv_timer_t *timer)
{
	struct db_conn *c = timer->data;

	db_conn_down(c, PQerrorMessage(c->pg));
}

static void on_poll(uv_poll_t *poll, int status, int events);

static void arm(struct db_conn *c)
{
	int left = PQflush(c->pg);

	if (left < 0) {
		uv_timer_start(&c->timer, on_turn, 0, 0);
		return;
	}
	uv_poll_start(c->poll, UV_READABLE | (left ? UV_WRITABLE : 0), on_poll);
}

void db_task_run(struct db_task *task, db_task_fn next)
{
	struct db_conn *c = task->conn;

	/* Results of the previous trip stay readable while this one is built; they are freed now. */
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
	db_conn_watch(c);
	arm(c);
}

static void conn_release(struct db_conn *c)
{
	c->task = NULL;
	c->next = NULL;
	if (c->pool->draining) {
		db_conn_down(c, NULL);
		return;
	}
	db_conn_enter(c, DB_IDLE);
	db_pool_serve(c->pool);
}

static void greeted(struct db_conn *c)
{
	if (c->greeting.err) {
		db_conn_down(c, "the database did not answer the greeting");
		return;
	}
	if (c->backoff_ms > DB_BACKOFF_MIN_MS)
		log_info("database connection is back");
	c->backoff_ms = DB_BACKOFF_MIN_MS;
	c->refused = 0;
	db_conn_leave_others(c->pool, c->host);
	conn_release(c);
}

void db_task_end(struct db_task *task)
{
	struct db_conn *c = task->conn;

	task_clear_results(task);
	free(task->result);
	task->result = NULL;
	task->result_room = 0;
	if (!c)
		return;
	task->conn = NULL;
	c->task = NULL;
	if (c->state != DB_BUSY)
		return;
	if (task == &c->greeting) {
		greeted(c);
		return;
	}
	/* There was no memory for the whole trip. Without a Sync behind what was sent, PostgreSQL would skip
	 * a ROLLBACK after an error; so the connection is closed, and the transaction with it. */
	if (c->broken || (c->tail && c->queue[c->tail - 1].what != EXPECT_SYNC)) {
		db_conn_down(c, "a trip was given up");
		return;
	}
	if (PQtransactionStatus(c->pg) == PQTRANS_IDLE) {
		conn_release(c);
		return;
	}
	if (!PQsendQueryParams(c->pg, "ROLLBACK", 0, NULL, NULL, NULL, NULL, 1) || !PQpipelineSync(c->pg)) {
		db_conn_down(c, PQerrorMessage(c->pg));
		return;
	}
	expect(c, EXPECT_CLEANUP, NULL);
	expect(c, EXPECT_SYNC, NULL);
	db_conn_watch(c);
	arm(c);
}

/* ---- results ---- */

/* PostgreSQL has prepared a statement that we do not know of, or lacks one that we do: on this connection
 * that would never mend. */
static bool is_misprepared(const char *sqlstate)
{
	return strcmp(sqlstate, "42P05") == 0 || strcmp(sqlstate, "26000") == 0;
}

static enum err error_of(const char *sqlstate)
{
	if (strncmp(sqlstate, "JG", 2) == 0)
		/* raised by our own SQL functions: ERRCODE 'JG' and the number of err.def */
		return (enum err)atoi(sqlstate + 2);
	if (strncmp(sqlstate, "22", 2) == 0)
		return ERR_INVALID; /* a value that the database cannot take, such as a date of the year 0 */
	/* Deadlock, lock time-out, somebody else inserted first: the same bytes may go again. */
	if (strncmp(sqlstate, "40", 2) == 0 || strcmp(sqlstate, "55P03") == 0 ||
		strcmp(sqlstate, "23505") == 0)
		return ERR_BUSY;
	if (strncmp(sqlstate, "57P", 3) == 0 || strncmp(sqlstate, "08", 2) == 0 ||
		strcmp(sqlstate, READ_ONLY) == 0)
		return ERR_UNAVAILABLE;
	/* The operator's to mend: a school that read "disk full" would look at its own, and its sync would
	 * end. */
	if (strcmp(sqlstate, "53100") == 0) {
		log_error("the database's disk is full");
		return ERR_UNAVAILABLE;
	}
	if (strncmp(sqlstate, "53", 2) == 0 || is_misprepared(sqlstate))
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
		snprintf(task->message, sizeof task->message, "%s",
			PQresultErrorField(r, PG_DIAG_MESSAGE_PRIMARY));
	if (task->err == ERR_INTERNAL) {
		/* DETAIL may hold values of a row: only the message proper is logged. */
		const char *text = PQresultErrorField(r, PG_DIAG_MESSAGE_PRIMARY);
		const char *context = PQresultErrorField(r, PG_DIAG_CONTEXT);
		log_error("database error sqlstate=%s message=\"%s\" context=\"%s\"", task->sqlstate,
			text ? text : "", context ? context : "");
	}
}

static void take_result(struct db_conn *c, PGresult *r)
{
	enum expect what = c->queue[c->head].what;
	ExecStatusType status = PQresultStatus(r);
	struct db_task *task = c->task;
	bool good = status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK;

	const char *state = PQresultErrorField(r, PG_DIAG_SQLSTATE);
	if (state && strcmp(state, READ_ONLY) == 0)
		c->distrust = "the server takes no writes any more";
	else if (state && is_misprepared(state) && !c->distrust)
		c->distrust = "prepared statements are out of step";
	c->refused_by_server |= state != NULL;
	if (what == EXPECT_PREPARE)
		prepared_slot(c, c->queue[c->head].stmt)->state = good ? STMT_THERE : STMT_ABSENT;
	if (status == PGRES_FATAL_ERROR && task)
		task_error(task, r);
	if (what == EXPECT_COMMIT && task && (!good || strcmp(PQcmdStatus(r), "COMMIT") != 0 || c->warned)) {
		/* An aborted transaction answers ROLLBACK or is skipped: known. A clean tag with a WARNING is
		 * not. */
		if (good && strcmp(PQcmdStatus(r), "COMMIT") == 0)
			task->unknown = true;
		task_fault(task, task->unknown ? ERR_UNAVAILABLE : ERR_INTERNAL);
	}
	if (what == EXPECT_QUERY && task && good) { /* a statement without rows keeps its place */
		assert(task->results < task->result_room);
		task->result[task->results++] = (struct db_result){c->queue[c->head].stmt, r};
		return;
	}
	PQclear(r);
}

static void trip_done(struct db_conn *c)
{
	struct db_task *task = c->task;

	c->head = c->tail = 0;
	c->refused_by_server = false;
	uv_timer_stop(&c->timer);
	if (!task) { /* its ROLLBACK is done */
		conn_release(c);
		return;
	}
	db_task_fn next = c->next;
	if (task->unknown) {
		db_conn_down(c, "unclean COMMIT"); /* calls next */
		return;
	}
	if (c->distrust) {
		task->commits = false; /* refused, not unknown */
		db_conn_down(c, c->distrust);
		return;
	}
	task->commits = false;
	next(task);
}

/* libpq that has no memory for a result drops it, or returns an error of its own in its place. Then nobody
 * knows what the trip did or which statements are prepared. The lost result may also be the end of the
 * trip: waiting for it would never end, and the transaction would keep its locks. */
static bool answer_is_missing(const struct db_conn *c, const PGresult *r)
{
	if (!r)
		return !c->answered;
	if (PQresultStatus(r) == PGRES_FATAL_ERROR && !PQresultErrorField(r, PG_DIAG_SQLSTATE))
		return true;
	return (PQresultStatus(r) == PGRES_PIPELINE_SYNC) != (c->queue[c->head].what == EXPECT_SYNC);
}

/* libpq had no memory for the last message of a trip and dropped it, so PQisBusy would stay true for ever. It
 * then holds an error message that PostgreSQL did not send. */
static bool answer_was_dropped(const struct db_conn *c)
{
	const char *says = PQerrorMessage(c->pg);

	return *says && (!c->refused_by_server || strstr(says, "out of memory"));
}

/* Reads what has come. libpq yields each statement's result followed by NULL. */
static void conn_collect(struct db_conn *c)
{
	while (c->state == DB_BUSY && c->head < c->tail) {
		/* Asked twice: a call that had no memory leaves its message unread, and no later message
		 * would wake us; the second call reads it. */
		if (PQisBusy(c->pg) && PQisBusy(c->pg)) {
			if (!answer_was_dropped(c))
				break;
			db_conn_down(c, PQerrorMessage(c->pg));
			return;
		}
		PGresult *r = PQgetResult(c->pg);
		if (PQstatus(c->pg) == CONNECTION_OK && answer_is_missing(c, r)) {
			PQclear(r);
			db_conn_down(c, "libpq lost an answer for want of memory");
			return;
		}
		c->answered = r != NULL;
		if (!r) {
			if (PQstatus(c->pg) != CONNECTION_OK)
				break;
			continue;
		}
		if (PQresultStatus(r) == PGRES_PIPELINE_SYNC) {
			PQclear(r);
			c->answered = false;
			trip_done(c);
			return;
		}
		take_result(c, r);
		c->head++;
	}
	if (c->pg && PQstatus(c->pg) != CONNECTION_OK)
		db_conn_down(c, PQerrorMessage(c->pg));
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
	struct db_conn *c = poll->data;

	if (events & UV_READABLE)
		c->heard_ms = uv_now(c->pool->loop);
	if (status < 0 || (events & UV_READABLE && !PQconsumeInput(c->pg))) {
		conn_collect(c); /* what came before the end still counts */
		if (c->pg)
			db_conn_down(c, PQerrorMessage(c->pg));
		return;
	}
	conn_collect(c);
	if (c->pg && c->state >= DB_IDLE && c->state != DB_CLOSING)
		arm(c);
}

bool db_trip_look(struct db_conn *c)
{
	if (PQisBusy(c->pg))
		return false;
	conn_collect(c);
	return true;
}

void db_trip_listen(struct db_conn *c)
{
	uv_poll_start(c->poll, UV_READABLE, on_poll);
}
