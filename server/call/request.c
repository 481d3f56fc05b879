#include "request.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "envelope.h"
#include "log.h"
#include "text.h"

#define PUSH_GROUP_SCHOOLS 512  /* bytes of the list of schools of one group */
#define REPLY_ARENA (64u << 20) /* a list of a whole county's mismatches */
#define RETRY_MS 20             /* before the second attempt; doubles */

static void request_free(struct request *r);
static void run_later(struct request *r, uint64_t ms);

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
	r->deadline_us = r->started_us + 1000u * (uint64_t)(f->deadline_ms && f->deadline_ms < DEADLINE_MAX_MS
								    ? f->deadline_ms
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

void request_detach(struct request *r)
{
	unlink_from_conn(r);
	if (r->replied || r->more || r->waits) {
		/* Only the peer's reading was waited for. */
		r->more = NULL;
		r->waits = false;
		r->replied = true;
		if (!r->holds_task)
			request_free(r);
	}
}

static bool is_streamed(const struct request *r)
{
	return r->method && r->method->streamed;
}

void request_start(struct request *r, request_fn run)
{
	r->run = run;
	for (const struct request *other = r->next; other && is_streamed(r);
		other = other->next) /* the newest stands first */
		r->waits |= is_streamed(other) && other->run;
	if (!r->waits)
		run(r);
}

/* A streamed answer is out: the oldest that waits for it begins, on a turn of the loop of its own. */
static void start_waiting(struct conn *c)
{
	struct request *oldest = NULL;

	for (struct request *r = c->requests; r; r = r->next) {
		if (is_streamed(r) && r->run && !r->waits)
			return;
		if (r->waits)
			oldest = r;
	}
	if (oldest) {
		oldest->waits = false;
		run_later(oldest, 0);
	}
}

static void on_retry_closed(uv_handle_t *handle)
{
	struct request *r = handle->data;

	r->retry_open = false;
	request_free(r);
}

static void request_free(struct request *r)
{
	r->ended = true;
	if (r->retry_open) {
		if (!uv_is_closing((uv_handle_t *)&r->retry))
			uv_close((uv_handle_t *)&r->retry, on_retry_closed);
		return;
	}
	struct conn *c = r->conn;
	unlink_from_conn(r);
	if (c && is_streamed(r))
		start_waiting(c);
	buf_free(&r->pages);
	arena_free(&r->arena);
	free(r);
}

static void count_call(struct request *r)
{
	if (!r->method)
		return;
	struct worker_stats *stats = &r->worker->stats;
	int i = method_index(r->method->number);
	uint64_t us = clock_monotonic_us() - r->started_us;
	unsigned bucket = 0;
	char user[LOG_VALUE];

	while (bucket < LATENCY_BUCKETS - 1 && us > UINT64_C(64) << bucket)
		bucket++;
	stat_add(stats->calls[i], 1);
	stat_add(stats->latency_sum_us[i], us);
	stat_add(stats->latency[i][bucket], 1);
	if (r->result)
		stat_add(stats->errors[i], 1);
	if (r->quiet)
		return;
	if (r->result || us > 1000000)
		log_info("call=%s method=%s device=%s school=%s user=%s result=%s us=%llu attempts=%u",
			r->ref, r->method->name, r->caller.has_device ? r->caller.device_text : "-",
			r->caller.school, log_value(user, r->caller.user), err_info((int)r->result)->name,
			(unsigned long long)us, r->attempts);
	else
		log_debug("call=%s method=%s us=%llu", r->ref, r->method->name, (unsigned long long)us);
}

/* Sends what the peer has room for; the rest waits for `drained`. */
static void send_pages(struct request *r)
{
	while (r->conn && r->page_at < r->pages.len && r->conn->stream.queued < STREAM_PAUSE_BYTES) {
		const uint8_t *at = r->pages.data + r->page_at;
		size_t n = FRAME_HEADER + (size_t)get_be32(at);
		if (conn_send(r->conn, at, n))
			return; /* the connection is closing; its end detaches this request */
		r->page_at += n;
	}
	if (r->conn && r->page_at < r->pages.len)
		return;
	r->pages.len = r->page_at = 0;
	if (r->replied) {
		request_free(r);
		return;
	}
	request_fn more = r->more;
	r->more = NULL;
	if (more)
		more(r);
}

void request_drained(struct request *r)
{
	if (r->pages.len || r->more)
		send_pages(r);
}

static void frame_message(
	struct request *r, enum frame_type type, uint8_t flags, const ProtobufCMessage *message)
{
	struct frame f = {.type = (uint8_t)type,
		.flags = flags,
		.method = r->method ? r->method->number : 0,
		.call = r->call};

	if (r->conn)
		envelope_pack(&r->pages, &f, message);
}

static void finish(struct request *r)
{
	if (r->replied)
		abort(); /* our bug: a second final answer */
	count_call(r);
	request_release(r);
	r->replied = true;
	if (r->pages.failed && r->conn) { /* the client sees an unknown outcome */
		log_error("no reply: out of memory, or longer than a frame: method=%s",
			r->method ? r->method->name : "Hello");
		conn_close(r->conn, CLOSE_REASONS);
	}
	if (!r->conn) {
		request_free(r);
		return;
	}
	send_pages(r);
}

void request_page(struct request *r, const ProtobufCMessage *message)
{
	frame_message(r, FRAME_REPLY, FRAME_MORE, message);
}

void request_continue(struct request *r, request_fn more)
{
	if (!r->conn) {
		r->replied = true;
		request_release(r);
		request_free(r);
		return;
	}
	r->more = more;
	send_pages(r);
}

void request_reply(struct request *r, const ProtobufCMessage *message)
{
	if (r->arena.refused) { /* better no answer than one that lacks something */
		request_fail(r, r->arena.refused, NULL, NULL);
		return;
	}
	frame_message(r, r->method ? FRAME_REPLY : FRAME_WELCOME, 0, message);
	if (r->method && r->method->personal && r->holds_task) {
		/* Children's data leave only after the row that says so is committed. */
		access_log_query(r, "OK");
		db_task_commit(&r->task);
		request_trip(r, finish);
		return;
	}
	finish(r);
}

static uint32_t retry_after(enum err code)
{
	return err_info((int)code)->level == ERR_LEVEL_RETRY ? 1000 : 0;
}

void request_fail_problem(struct request *r, const struct problem *p)
{
	pb_error error = PB_ERROR_INIT;
	uint32_t wait = p->retry_ms ? p->retry_ms : retry_after(p->code);

	error.has_code = 1;
	error.code = (uint32_t)p->code;
	error.name = (char *)err_info((int)p->code)->name;
	error.message = (char *)p->message;
	error.safe = p->safe[0] ? (char *)p->safe : NULL;
	error.hint = p->hint[0] ? (char *)p->hint : NULL;
	error.field = p->field[0] ? (char *)p->field : NULL;
	error.has_retry_after_ms = wait != 0;
	error.retry_after_ms = wait;
	error.ref = r->ref;
	r->result = p->code;
	frame_message(r, FRAME_ERROR, 0, &error.base);
	finish(r);
}

void request_fail(struct request *r, enum err code, const char *field, const char *format, ...)
{
	struct problem p;
	char text[256];

	if (format) {
		va_list args;
		va_start(args, format);
		vsnprintf(text, sizeof text, format, args);
		va_end(args);
		problem_set(&p, code, field, NULL, "%s", text);
	} else {
		problem_set(&p, code, field, NULL, NULL);
	}
	request_fail_problem(r, &p);
}

void request_fail_hint(
	struct request *r, enum err code, const char *field, const char *message, const char *hint)
{
	struct problem p;

	problem_set(&p, code, field, hint, "%s", message);
	request_fail_problem(r, &p);
}

void request_refuse(
	struct request *r, enum err code, const char *field, const char *message, const char *hint)
{
	access_log_add(
		r->worker, &r->caller, r->method->name, err_info((int)code)->name, 0, "refused", r->ref);
	request_fail_hint(r, code, field, message, hint);
}

/* ---- the database ---- */

void request_release(struct request *r)
{
	if (r->holds_task) {
		r->holds_task = false;
		db_task_end(&r->task);
	}
}

static void on_retry(uv_timer_t *timer)
{
	struct request *r = timer->data;

	if (!r->ended)
		r->run(r);
}

static void run_later(struct request *r, uint64_t ms)
{
	if (!r->retry_open) {
		uv_timer_init(&r->worker->loop, &r->retry);
		r->retry.data = r;
		r->retry_open = true;
	}
	uv_timer_start(&r->retry, on_retry, ms, 0);
}

/* Runs the whole handler again a little later; it starts from the request's bytes. */
static void restart(struct request *r)
{
	request_release(r);
	r->pages.len = 0; /* nothing of the failed attempt has been sent: pages leave with the final answer */
	r->rows = 0;
	run_later(r, RETRY_MS << r->attempts);
}

/* What a database fault means for the caller. */
static void trip_failed(struct request *r)
{
	struct db_task *task = &r->task;
	enum err e = task->err;
	bool transient = e == ERR_BUSY || e == ERR_UNAVAILABLE;
	/* An unknown outcome may only be tried again where twice is the same as once. */
	bool safe = !task->unknown || !r->method || r->method->retry_safe;

	if (transient && safe && ++r->attempts < ATTEMPTS_MAX && clock_monotonic_us() < r->deadline_us) {
		restart(r);
		return;
	}
	if (task->message[0])
		request_fail(r, e, NULL, "%s", task->message);
	else if (task->unknown)
		request_fail_hint(r, ERR_UNAVAILABLE, NULL,
			tr("数据库连接中断，这次操作是否完成尚不确定",
				"the database connection broke; whether this was done is not known"),
			tr("请先查看结果，再决定是否重做", "look at the result before doing it again"));
	else
		request_fail(r, e, NULL, NULL);
}

static void on_connection(struct db_task *task)
{
	struct request *r = task->data;

	if (!task->conn) {
		r->holds_task = false;
		trip_failed(r);
		return;
	}
	r->holds_task = true;
	request_fn step = r->queries;
	step(r);
}

static void on_trip(struct db_task *task)
{
	struct request *r = task->data;

	if (!task->conn)
		r->holds_task = false;
	if (task->err)
		trip_failed(r);
	else
		r->done(r);
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
			     : db_task_start(r->worker->pool, &r->task, on_connection, r,
				       (r->deadline_us - now) / 1000 + 1);
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

/* Both kinds of call run the same trip: what they read or write is visible in `queries`. */
struct simple {
	request_fn queries, done;
};

static void simple_trip(struct request *r)
{
	struct simple *s = r->state;

	request_scope(r, r->caller.school[0] || !r->caller.has_session ? SCOPE_SCHOOL : SCOPE_BUREAU, "");
	s->queries(r);
	if (r->replied)
		return;
	if (!r->method->personal)
		db_task_commit(&r->task);
	request_trip(r, s->done);
}

static void simple(struct request *r, request_fn queries, request_fn done)
{
	struct simple *s = arena_alloc(&r->arena, sizeof *s);

	if (!s) {
		request_fail(r, ERR_NOMEM, NULL, NULL);
		return;
	}
	s->queries = queries;
	s->done = done;
	r->state = s;
	request_begin(r, simple_trip);
}

void request_read(struct request *r, request_fn queries, request_fn done)
{
	simple(r, queries, done);
}

void request_write(struct request *r, request_fn queries, request_fn done)
{
	simple(r, queries, done);
}

/* ---- access log ---- */

static const struct db_stmt insert_access = {
	"INSERT INTO access_log (county, at, user_id, device_id, school, method, result, rows, purpose, ref)"
	" VALUES (app_county(), jg_now(), $1::text, $2::uuid, $3::text, $4::text, $5::text, $6::int, "
	"$7::text, $8::text)"};

static void access_params(struct db_params *p, const struct caller *who, const char *method,
	const char *result, uint32_t rows, const char *purpose, const char *ref)
{
	db_text(p, who->user);
	if (who->has_device)
		db_bytes(p, who->device, sizeof who->device);
	else
		db_text(p, NULL);
	db_text(p, who->school);
	db_text(p, method);
	db_text(p, result);
	db_int4(p, (int32_t)rows);
	db_text(p, purpose);
	db_text(p, ref);
}

void access_log_query(struct request *r, const char *result)
{
	struct db_params p = {0};

	access_params(
		&p, &r->caller, r->method->name, result, r->rows, r->purpose ? r->purpose : "read", r->ref);
	request_query(r, &insert_access, &p);
}

const char *access_reason(struct request *r, const char *reason)
{
	char *text = arena_printf(&r->arena, "%.*s", PURPOSE_SIZE - 1, reason ? reason : "");

	if (!text)
		return "";
	text[text_utf8_prefix(text, strlen(text))] = 0;
	return text;
}

struct access_row {
	struct db_task task;
	struct worker *worker;
	struct caller who;
	const char *method, *result;
	uint32_t rows;
	char ref[24], purpose[PURPOSE_SIZE];
};

static void on_access_written(struct db_task *task)
{
	struct access_row *row = task->data;

	if (task->err)
		log_error("access log row lost: call=%s method=%s result=%s", row->ref, row->method,
			row->result);
	db_task_end(task);
	free(row);
}

static void on_access_connection(struct db_task *task)
{
	struct access_row *row = task->data;
	struct db_params p = {0};

	if (!task->conn) {
		on_access_written(task);
		return;
	}
	scope_begin(task, row->worker->server->conf.county, SCOPE_JOB, "", "");
	access_params(&p, &row->who, row->method, row->result, row->rows, row->purpose, row->ref);
	db_task_query(task, &insert_access, &p);
	db_task_commit(task);
	db_task_run(task, on_access_written);
}

void access_log_add(struct worker *w, const struct caller *caller, const char *method, const char *result,
	uint32_t rows, const char *purpose, const char *ref)
{
	struct access_row *row = calloc(1, sizeof *row);

	if (!row)
		return;
	row->worker = w;
	row->who = *caller;
	row->method = method;
	row->result = result;
	snprintf(row->purpose, sizeof row->purpose, "%s", purpose);
	row->rows = rows;
	snprintf(row->ref, sizeof row->ref, "%s", ref);
	if (db_task_start(w->pool, &row->task, on_access_connection, row, DEADLINE_MS))
		free(row);
}
