/* watch.c - once a second, one query a loop: which watched streams moved (EVENT), and every other second
 * which sessions of this loop have ended elsewhere. Nothing of a session lives only in one server's
 * memory. */
#include <stdlib.h>
#include <string.h>

#include "conn.h"
#include "envelope.h"
#include "pb.h"
#include "request.h"
#include "hash.h"

static const struct db_stmt read_streams = {
	"SELECT stream_id, seq FROM stream WHERE county = app_county() AND stream_id = ANY ($1::bigint[])"};
static const struct db_stmt ended_sessions = {
	"SELECT s.session_id"
	" FROM unnest($1::uuid[]) i(id),"
	" LATERAL (SELECT session_id, ended_at, created_at, user_id, device_id FROM session"
	" WHERE county = app_county() AND session_id = i.id) s"
	" JOIN user_account u ON u.county = app_county() AND u.user_id = s.user_id"
	" JOIN device d ON d.county = app_county() AND d.device_id = s.device_id"
	" WHERE s.ended_at IS NOT NULL OR u.disabled OR d.revoked_at IS NOT NULL"
	" OR s.created_at <= jg_now() - interval '7 days'"};

struct watch {
	struct db_task task;
	struct worker *worker;
	struct pg_array streams, sessions;
};

static void send_event(struct conn *c, int64_t stream, uint64_t seq)
{
	pb_event event = PB_EVENT_INIT;
	struct buf out = {0};
	struct frame f = {.type = FRAME_EVENT};

	event.has_stream = event.has_seq = 1;
	event.stream = stream;
	event.seq = seq;
	envelope_pack(&out, &f, &event.base);
	if (!out.failed)
		conn_send(c, out.data, out.len);
	buf_free(&out);
}

static void stream_moved(struct worker *w, int64_t stream, uint64_t seq)
{
	for (struct conn *c = w->conns, *next; c; c = next) {
		next = c->next;
		for (int i = 0; i < 2 && c->watching; i++)
			if (c->watch_stream[i] == stream && c->watch_seq[i] != seq) {
				/* A stream never pulled here is told at the first look: what came before it
				 * would be missed otherwise. */
				c->watch_seq[i] = seq;
				send_event(c, stream, seq);
			}
	}
}

static void session_ended(struct worker *w, const uint8_t *session)
{
	for (struct conn *c = w->conns, *next; c; c = next) {
		next = c->next;
		if (c->caller.has_session && memcmp(c->caller.session, session, ID_SIZE) == 0)
			conn_goaway(c, CLOSE_REVOKED, ERR_UNAUTHENTICATED);
	}
}

static void watch_end(struct db_task *task)
{
	struct watch *watch = task->data;

	db_task_end(task);
	watch->worker->watch_busy = false;
	pg_array_free(&watch->streams);
	pg_array_free(&watch->sessions);
	free(watch);
}

static void on_results(struct db_task *task)
{
	struct watch *watch = task->data;
	size_t n;

	if (!task->err) {
		const PGresult *streams = db_task_result(task, &read_streams),
			       *ended = db_task_result(task, &ended_sessions);
		for (int i = 0; i < PQntuples(streams); i++)
			stream_moved(watch->worker, db_get_int(streams, i, 0),
				(uint64_t)db_get_int(streams, i, 1));
		for (int i = 0; i < PQntuples(ended); i++)
			session_ended(watch->worker, db_get_bytes(ended, i, 0, &n));
	}
	watch_end(task);
}

static void on_connection(struct db_task *task)
{
	struct watch *watch = task->data;
	struct db_params p = {0}, q = {0};

	if (!task->conn) {
		watch_end(task);
		return;
	}
	scope_begin(task, watch->worker->server->conf.county, SCOPE_JOB, "", "READ ONLY");
	db_array(&p, &watch->streams);
	db_task_query(task, &read_streams, &p);
	db_array(&q, &watch->sessions);
	db_task_query(task, &ended_sessions, &q);
	db_task_command(task, "COMMIT");
	db_task_run(task, on_results);
}

void watch_tick(struct worker *w)
{
	struct watch *watch;
	bool any = false;

	for (struct conn *c = w->conns; c && !any; c = c->next)
		any = c->watching || c->caller.has_session;
	if (w->watch_busy || !any || !(watch = calloc(1, sizeof *watch)))
		return;
	watch->worker = w;
	pg_array_begin(&watch->streams, PG_INT8);
	pg_array_begin(&watch->sessions, PG_UUID);
	for (struct conn *c = w->conns; c; c = c->next) {
		for (int i = 0; i < 2 && c->watching; i++)
			if (c->watch_stream[i])
				pg_array_int8(&watch->streams, c->watch_stream[i]);
		if (c->caller.has_session)
			pg_array_bytes(&watch->sessions, c->caller.session, ID_SIZE);
	}
	w->watch_busy = true;
	if (db_task_start(w->pool, &watch->task, on_connection, watch, TICK_MS)) {
		watch->task.data = watch;
		watch->task.conn = NULL;
		watch_end(&watch->task);
	}
}
