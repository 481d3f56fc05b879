#include "request_inner.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "state.h"
#include "lang.h"

#define PUSH_GROUP_SCHOOLS 512  /* bytes of the list of schools of one group */
#define REPLY_ARENA (64u << 20) /* a list of a whole county's mismatches */
#define RETRY_MS 20             /* before the second attempt; doubles */

void request_enter(struct request *r, enum request_state to)
{
	static const char *const names[] = {
		"MADE", "QUEUED", "LATER", "RUNNING", "ASKING", "PAUSED", "ANSWERED", "ENDED"};
	static const uint32_t ways[REQUEST_STATES] = {
		[REQUEST_MADE] = STATE(REQUEST_QUEUED) | STATE(REQUEST_RUNNING) | STATE(REQUEST_ANSWERED),
		[REQUEST_QUEUED] = STATE(REQUEST_LATER) | STATE(REQUEST_ENDED),
		[REQUEST_LATER] = STATE(REQUEST_RUNNING),
		[REQUEST_RUNNING] = STATE(REQUEST_ASKING) | STATE(REQUEST_LATER) | STATE(REQUEST_PAUSED) |
			STATE(REQUEST_ANSWERED) | STATE(REQUEST_ENDED),
		[REQUEST_ASKING] = STATE(REQUEST_RUNNING),
		[REQUEST_PAUSED] = STATE(REQUEST_RUNNING) | STATE(REQUEST_ENDED),
		[REQUEST_ANSWERED] = STATE(REQUEST_ENDED),
	};
	static const struct state_machine machine = {"request", names, ways};

	assert(to != REQUEST_QUEUED || r->conn);
	assert((to == REQUEST_ASKING) == (r->task.conn != NULL) || to == REQUEST_RUNNING);
	assert(to != REQUEST_PAUSED || (r->conn && r->more));
	r->state = (enum request_state)state_move(&machine, r->state, to);
}

static struct request *request_new(struct worker *w, const struct method *method, size_t arena)
{
	struct request *r = calloc(1, sizeof *r);
	static atomic_uint counter;

	if (!r)
		return NULL;
	r->worker = w;
	r->method = method;
	r->started_us = clock_monotonic_us();
	/* Replies are built in the same arena: rows read from the database live in the result, texts made
	 * here are copied. */
	arena_init(&r->arena, arena + REPLY_ARENA);
	snprintf(r->ref, sizeof r->ref, "%x-%x", (unsigned)(r->started_us / 1000),
		atomic_fetch_add(&counter, 1));
	return r;
}

struct request *request_create(
	struct conn *c, const struct method *method, const struct frame *f, size_t arena)
{
	struct request *r = request_new(c->worker, method, arena);

	if (!r)
		return NULL;
	r->conn = c;
	r->call = f->type == FRAME_CALL ? f->call : 0; /* a HELLO has no number, whatever its header says */
	r->caller = c->caller;
	r->deadline_us = r->started_us +
		1000u *
			(uint64_t)(f->deadline_ms && f->deadline_ms < DEADLINE_MAX_MS ? f->deadline_ms
										      : DEADLINE_MS);
	r->next = c->requests;
	if (c->requests)
		c->requests->prev = r;
	c->requests = r;
	c->request_count++;
	return r;
}

struct request *request_internal(struct worker *w, const struct method *method)
{
	struct request *r = request_new(w, method, 0);

	if (!r)
		return NULL;
	r->deadline_us = r->started_us + 1000u * (uint64_t)DEADLINE_MAX_MS;
	snprintf(r->caller.user, sizeof r->caller.user, "jgd");
	return r;
}

bool request_has_role(const struct request *r, unsigned role)
{
	return r->caller.roles >> role & 1;
}

static void unlink_from_conn(struct request *r)
{
	struct conn *c = r->conn;

	if (!c)
		return;
	if (r->prev)
		r->prev->next = r->next;
	else
		c->requests = r->next;
	if (r->next)
		r->next->prev = r->prev;
	c->request_count--;
	r->conn = NULL;
}

static bool is_streamed(const struct request *r)
{
	return r->method && r->method->streamed;
}

static void on_later(uv_timer_t *timer)
{
	struct request *r = timer->data;

	request_enter(r, REQUEST_RUNNING);
	r->run(r);
}

/* Runs the handler on a turn of the loop of its own. */
static void run_later(struct request *r, uint64_t ms)
{
	request_enter(r, REQUEST_LATER);
	if (!r->timer.data) {
		uv_timer_init(&r->worker->loop, &r->timer);
		r->timer.data = r;
	}
	uv_timer_start(&r->timer, on_later, ms, 0);
}

void request_start(struct request *r, request_fn run)
{
	bool busy = false;

	r->run = run;
	for (const struct request *other = r->next; other && is_streamed(r);
		other = other->next) /* the newest stands first */
		busy |= is_streamed(other) && other->run;
	request_enter(r, busy ? REQUEST_QUEUED : REQUEST_RUNNING);
	if (!busy)
		run(r);
}

/* A streamed answer is out: the oldest that waits for it begins. */
static void start_queued(struct conn *c)
{
	struct request *oldest = NULL;

	for (struct request *r = c->requests; r; r = r->next) {
		if (r->state == REQUEST_QUEUED)
			oldest = r;
		else if (is_streamed(r) && r->run)
			return;
	}
	if (oldest)
		run_later(oldest, 0);
}

static void request_free(struct request *r)
{
	buf_free(&r->pages);
	arena_free(&r->arena);
	free(r);
}

static void on_timer_closed(uv_handle_t *handle)
{
	request_free(handle->data);
}

void request_end(struct request *r)
{
	struct conn *c = r->conn;

	request_enter(r, REQUEST_ENDED);
	unlink_from_conn(r);
	if (c && is_streamed(r))
		start_queued(c);
	if (r->timer.data)
		uv_close((uv_handle_t *)&r->timer, on_timer_closed);
	else
		request_free(r);
}

void request_detach(struct request *r)
{
	unlink_from_conn(r);
	/* The request only waited for the peer to read, or for its turn to answer, so it ends; one that is at
	 * work goes on to its end. */
	if (r->state == REQUEST_QUEUED || r->state == REQUEST_PAUSED || r->state == REQUEST_ANSWERED)
		request_end(r);
}

/* ---- the database ---- */

void request_release(struct request *r)
{
	if (r->state != REQUEST_ASKING)
		return;
	db_task_end(&r->task);
	request_enter(r, REQUEST_RUNNING);
}

/* Runs the whole handler again a little later; it starts from the request's bytes. */
static void restart(struct request *r)
{
	r->pages.len = 0; /* nothing of the failed attempt has been sent: pages leave with the final answer */
	r->rows = 0;
	run_later(r, RETRY_MS << r->attempts);
}

void request_fail_unknown(struct request *r)
{
	request_fail_hint(r, ERR_UNAVAILABLE, NULL, _("数据库连接中断，这次操作是否完成尚不确定"),
		_("请先查看结果，再决定是否重做"));
}

/* Turns a database fault into an error for the caller. The results are freed; the database's own words stay
 * in the task. */
static void trip_failed(struct request *r)
{
	struct db_task *task = &r->task;
	enum err e = task->err;
	bool transient = e == ERR_BUSY || e == ERR_UNAVAILABLE;
	/* After an unknown outcome only a call that may run twice is tried again. */
	bool safe = !task->unknown || !r->method || r->method->retry_safe;

	if (transient && safe && ++r->attempts < ATTEMPTS_MAX && clock_monotonic_us() < r->deadline_us) {
		restart(r);
		return;
	}
	if (r->amends && r->amends(r))
		return;
	if (task->message[0])
		request_fail(r, e, NULL, "%s", task->message);
	else if (task->unknown)
		request_fail_unknown(r);
	else
		request_fail(r, e, NULL, NULL);
}

static void on_connection(struct db_task *task)
{
	struct request *r = task->data;

	if (!task->conn) {
		trip_failed(r);
		return;
	}
	request_enter(r, REQUEST_ASKING);
	r->queries(r);
}

static void on_trip(struct db_task *task)
{
	struct request *r = task->data;

	if (task->err) {
		request_release(r);
		trip_failed(r);
	} else {
		r->done(r);
	}
}

void request_begin(struct request *r, request_fn step)
{
	uint64_t now = clock_monotonic_us();

	if (now >= r->deadline_us) {
		request_fail(r, ERR_DEADLINE, NULL, NULL);
		return;
	}
	uint64_t who = 0; /* by the key of the certificate: a device that has not said HELLO is one too */
	if (r->conn)
		memcpy(&who, r->conn->spki, sizeof who);
	r->queries = step;
	r->done = step;
	enum err e = who && db_pool_waiting(r->worker->pool, who) >= DB_WAITING_CALLER
		? ERR_BUSY
		: db_task_start(
			  r->worker->pool, &r->task, on_connection, r, (r->deadline_us - now) / 1000 + 1);
	if (e)
		request_fail(r, e, NULL, NULL);
	else
		r->task.who = who;
}

void scope_begin(
	struct db_task *task, int county, enum scope scope, const char *schools, const char *isolation)
{
	static const char *const names[] = {"school", "bureau", "job"};
	char sql[64 + PUSH_GROUP_SCHOOLS];

	snprintf(sql, sizeof sql, "BEGIN %s", isolation);
	db_task_command(task, sql);
	snprintf(sql, sizeof sql, "SET LOCAL app.county = '%d'", county);
	db_task_command(task, sql);
	snprintf(sql, sizeof sql, "SET LOCAL app.scope = '%s'", names[scope]);
	db_task_command(task, sql);
	/* Codes are ten digits, checked when the school was imported: nothing here needs quoting. */
	snprintf(sql, sizeof sql, "SET LOCAL app.schools = '%s'", schools);
	db_task_command(task, sql);
	snprintf(sql, sizeof sql, "SET LOCAL app.streams = '%d%s%s'", county, schools[0] ? "," : "", schools);
	db_task_command(task, sql);
}

void request_key(const struct request *r, struct db_params *p)
{
	db_bytes(p, r->conn ? r->conn->spki : (const uint8_t *)"", r->conn ? sizeof r->conn->spki : 0);
}

void request_scope(struct request *r, enum scope scope, const char *isolation)
{
	scope_begin(&r->task, r->worker->server->conf.county, scope,
		scope == SCOPE_SCHOOL ? r->caller.school : "", isolation);
}

void request_trip(struct request *r, request_fn next)
{
	if (r->arena.refused) { /* what was queued may lack a text: nothing of it is run */
		request_fail(r, r->arena.refused, NULL, NULL);
		return;
	}
	r->done = next;
	db_task_run(&r->task, on_trip);
}

struct call {
	request_fn queries, done;
};

static void call_trip(struct request *r)
{
	const struct call *call = r->data;

	request_scope(r, r->caller.school[0] || !r->caller.has_session ? SCOPE_SCHOOL : SCOPE_BUREAU, "");
	call->queries(r);
	if (!r->method->personal)
		db_task_commit(&r->task);
	request_trip(r, call->done);
}

void request_call(struct request *r, request_fn queries, request_fn done)
{
	struct call *call = arena_alloc(&r->arena, sizeof *call);

	if (!call) {
		request_fail(r, ERR_NOMEM, NULL, NULL);
		return;
	}
	*call = (struct call){queries, done};
	r->data = call;
	request_begin(r, call_trip);
}
