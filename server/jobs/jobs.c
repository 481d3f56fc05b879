#include "jobs.h"

#include <stdlib.h>
#include <string.h>

#include "db.h"
#include "epoch.h"
#include "log.h"
#include "pki.h"
#include "request.h"
#include "worker.h"

#define POLL_MS 2000 /* a revoked key is dead within 5 s (SECURITY.md): poll 2, wake the loops, close */
#define MINUTE_MS 60000
#define DAY_MS 86400000

struct job;

/* One row per job: what it sends in its transaction, and what it does with the answers. */
struct job_row {
	const char *name;
	uint64_t every_ms;
	void (*queries)(struct job *job);
	void (*done)(struct job *job);
};

struct job {
	const struct job_row *row;
	struct jobs *jobs;
	uv_timer_t timer;
	struct db_task task;
	bool running;
};

/* ---- the deny list, the clock ---- */

static const struct db_stmt read_denied = {"SELECT spki, generation"
					   " FROM deny_list"
					   " WHERE county = app_county() AND generation > $1::bigint"
					   " ORDER BY generation"};
static const struct db_stmt read_clock = {
	"SELECT extract(epoch FROM clock_shift)::bigint FROM county WHERE county = app_county()"};

struct jobs {
	struct server *server;
	uv_loop_t *loop;
	struct db_pool *pool;
	struct job *list;
	size_t count;
	size_t open; /* handles that close: the timers and the pool */
	bool ready, closing;
	void (*closed)(void *data);
	void *data;
};

static void poll_queries(struct job *job)
{
	struct db_params p = {0};

	db_int8(&p, job->jobs->server->deny.generation);
	db_task_query(&job->task, &read_denied, &p);
	db_task_query(&job->task, &read_clock, NULL);
}

static void poll_done(struct job *job)
{
	struct server *s = job->jobs->server;
	const PGresult *denied = db_task_result(&job->task, &read_denied),
		       *clock = db_task_result(&job->task, &read_clock);
	size_t n;

	for (int i = 0; i < PQntuples(denied); i++)
		deny_set_add(&s->deny, db_get_bytes(denied, i, 0, &n), db_get_int(denied, i, 1));
	if (PQntuples(denied))
		for (int i = 0; i < s->worker_count; i++)
			worker_wake(&s->workers[i]);
	if (PQntuples(clock))
		pki_set_clock_shift(db_get_int(clock, 0, 0));
	job->jobs->ready = true;
}

/* ---- seals of the access log ---- */

/* Chains the rows that came since the last seal: head' = SHA-256("jg access" ‖ head ‖ n ‖ rows as text). Rows
 * of the last seconds wait, because a transaction that took an id earlier may still commit. */
static const struct db_stmt seal_access = {
	"INSERT INTO access_seal (county, n, first_id, last_id, rows, at, head)"
	" SELECT app_county(), p.n + 1, min(a.id), max(a.id), count(*), jg_now(),"
	" sha256('\\x6a6720616363657373'::bytea || p.head || int8send(p.n + 1) ||"
	" convert_to(string_agg(concat_ws('|', a.id, extract(epoch FROM a.at), a.user_id, a.device_id,"
	" a.school, a.method, a.result, a.rows, a.purpose, a.ref),"
	" E'\\n'"
	" ORDER BY a.id),"
	" 'UTF8'))"
	" FROM (SELECT coalesce(max(s.n), 0) AS n, coalesce(max(s.last_id), 0) AS last_id,"
	" coalesce((SELECT t.head FROM access_seal t WHERE t.county = app_county() ORDER BY t.n DESC"
	" LIMIT 1),"
	" '\\x'::bytea) AS head"
	" FROM access_seal s WHERE s.county = app_county()) p"
	" JOIN access_log a ON a.county = app_county() AND a.id > p.last_id"
	" AND a.at < jg_now() - interval '10 seconds'"
	" WHERE pg_try_advisory_xact_lock(7420002)"
	" GROUP BY p.n, p.head"};

static void seal_queries(struct job *job)
{
	db_task_query(&job->task, &seal_access, NULL);
}

/* ---- tombstones ---- */

/* What was deleted or left a school 400 days ago goes from the feeds; who has not synchronised since begins
 * again (RESYNC). The streams are locked first, as everywhere: a push that wrote the same feed would
 * otherwise wait for us and we for it. */
static const struct db_stmt purge_tombstones = {
	"WITH t AS MATERIALIZED (SELECT stream_id FROM stream WHERE county = app_county()"
	" ORDER BY stream_id FOR UPDATE),"
	" g AS (DELETE FROM feed f USING t, rec_history h"
	" WHERE f.county = app_county() AND f.stream_id = t.stream_id AND f.action <> 1"
	" AND h.county = f.county AND h.rec_id = f.rec_id AND h.ver = f.ver"
	" AND h.at < jg_now() - interval '400 days'"
	" RETURNING f.stream_id, f.seq)"
	" UPDATE stream s"
	" SET floor = greatest(s.floor, m.seq)"
	" FROM (SELECT stream_id, max(seq) AS seq FROM g GROUP BY stream_id) m"
	" WHERE s.county = app_county() AND s.stream_id = m.stream_id"};

static void purge_queries(struct job *job)
{
	db_task_query(&job->task, &purge_tombstones, NULL);
}

static void nothing_to_do(struct job *job)
{
	(void)job;
}

static const struct job_row rows[] = {
	{"poll", POLL_MS, poll_queries, poll_done},
	{"seal", MINUTE_MS, seal_queries, nothing_to_do},
	{"purge", DAY_MS, purge_queries, nothing_to_do},
};

/* ---- running ---- */

static void on_due(uv_timer_t *timer);

static void end_job(struct job *job)
{
	job->running = false;
	if (!job->jobs->closing)
		uv_timer_start(&job->timer, on_due, job->row->every_ms, 0);
}

static void on_results(struct db_task *task)
{
	struct job *job = task->data;

	if (task->err)
		log_warn("job %s did not run: %s", job->row->name, err_info((int)task->err)->name);
	else
		job->row->done(job);
	db_task_end(task);
	end_job(job);
}

static void on_connection(struct db_task *task)
{
	struct job *job = task->data;

	if (!task->conn) {
		end_job(job);
		return;
	}
	scope_begin(task, job->jobs->server->conf.county, SCOPE_JOB, "", "");
	job->row->queries(job);
	db_task_commit(task);
	db_task_run(task, on_results);
}

static void on_due(uv_timer_t *timer)
{
	struct job *job = timer->data;

	if (db_task_start(job->jobs->pool, &job->task, on_connection, job, job->row->every_ms))
		end_job(job);
	else
		job->running = true;
}

enum err jobs_create(struct jobs **out, struct server *s, uv_loop_t *loop)
{
	struct jobs *j = calloc(1, sizeof *j);

	if (!j || !(j->list = calloc(sizeof rows / sizeof *rows, sizeof *j->list))) {
		free(j);
		return ERR_NOMEM;
	}
	j->server = s;
	j->loop = loop;
	enum err e = db_pool_create(&j->pool, loop, s->conf.database_app, 2, epoch_check, s);
	if (e) {
		free(j->list);
		free(j);
		return e;
	}
	j->count = sizeof rows / sizeof *rows;
	for (size_t i = 0; i < j->count; i++) {
		struct job *job = &j->list[i];
		job->row = &rows[i];
		job->jobs = j;
		uv_timer_init(loop, &job->timer);
		job->timer.data = job;
		uv_timer_start(&job->timer, on_due, 0, 0);
	}
	*out = j;
	return ERR_OK;
}

bool jobs_ready(const struct jobs *j)
{
	return j->ready;
}

static void on_one_closed(void *data)
{
	struct jobs *j = data;

	if (--j->open)
		return;
	void (*closed)(void *) = j->closed;
	void *whose = j->data;
	free(j->list);
	free(j);
	closed(whose);
}

static void on_timer_closed(uv_handle_t *timer)
{
	on_one_closed(((struct job *)timer->data)->jobs);
}

void jobs_close(struct jobs *j, void (*closed)(void *data), void *data)
{
	j->closing = true;
	j->closed = closed;
	j->data = data;
	j->open = j->count + 1;
	for (size_t i = 0; i < j->count; i++)
		uv_close((uv_handle_t *)&j->list[i].timer, on_timer_closed);
	db_pool_close(j->pool, on_one_closed, j);
}
