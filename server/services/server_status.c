/* The server itself: what it does now, and the clock of a rehearsal county. */
#include "access_log.h"
#include "clock.h"
#include "lang.h"
#include "pki.h"
#include "service.h"

#define ADVANCE_MAX_S (400 * 86400) /* a whole cycle and the summer after it */

/* The upper edge of the bucket that holds the share-th call. */
static uint64_t percentile(const struct server *s, size_t method, uint64_t calls, unsigned percent)
{
	uint64_t seen = 0, wanted = (calls * percent + 99) / 100;

	for (unsigned k = 0; k < LATENCY_BUCKETS; k++) {
		for (int i = 0; i < s->worker_count; i++)
			seen += stat_get(s->workers[i].stats.latency[method][k]);
		if (seen >= wanted)
			return UINT64_C(64) << k;
	}
	return 0;
}

static pb_method_stat *method_stat(struct request *r, size_t method)
{
	const struct server *s = r->worker->server;
	uint64_t calls = 0, errors = 0;

	for (int i = 0; i < s->worker_count; i++) {
		calls += stat_get(s->workers[i].stats.calls[method]);
		errors += stat_get(s->workers[i].stats.errors[method]);
	}
	pb_method_stat *m = calls ? arena_alloc(&r->arena, sizeof *m) : NULL;
	if (!m)
		return NULL;
	*m = (pb_method_stat)PB_METHOD_STAT_INIT;
	m->method = (char *)method_table[method].name;
	m->has_calls = m->has_errors = m->has_p50_us = m->has_p99_us = 1;
	m->calls = calls;
	m->errors = errors;
	m->p50_us = percentile(s, method, calls, 50);
	m->p99_us = percentile(s, method, calls, 99);
	return m;
}

static const struct db_stmt read_state = {"SELECT jg_now(), c.rehearsal,"
					  " (SELECT max(name) FROM schema_migration)"
					  " FROM county c"
					  " WHERE c.county = app_county()"};

static void status_query(struct request *r)
{
	request_query(r, &read_state, NULL);
}

static void status_done(struct request *r)
{
	const struct server *s = r->worker->server;
	const PGresult *res = request_result(r, &read_state);
	pb_server_status out = PB_SERVER_STATUS_INIT;

	out.version = JG_VERSION;
	out.has_uptime_s = out.has_connections = out.has_pool_busy = out.has_pool_size = out.has_loop_lag_us =
		out.has_now = out.has_rehearsal = 1;
	out.uptime_s = (int64_t)((clock_monotonic_us() - s->started_us) / 1000000);
	for (int i = 0; i < s->worker_count; i++) {
		const struct worker_stats *w = &s->workers[i].stats;
		out.connections += stat_get(w->connections);
		out.pool_busy += stat_get(w->pool_busy);
		if (stat_get(w->loop_lag_us) > out.loop_lag_us)
			out.loop_lag_us = stat_get(w->loop_lag_us);
	}
	out.pool_size = (uint32_t)(s->conf.pool * s->worker_count);
	out.now = db_get_int(res, 0, 0);
	out.rehearsal = (protobuf_c_boolean)db_get_int(res, 0, 1);
	out.schema = (char *)db_get_text(res, 0, 2);
	out.method = arena_alloc(&r->arena, sizeof *out.method * METHOD_COUNT);
	for (size_t i = 0; out.method && i < METHOD_COUNT; i++) {
		pb_method_stat *m = method_stat(r, i);
		if (m)
			out.method[out.n_method++] = m;
	}
	request_reply(r, &out.base);
}

static void status(struct request *r)
{
	request_call(r, status_query, status_done);
}

static const struct db_stmt advance = {"UPDATE county"
				       " SET clock_shift = clock_shift + make_interval(secs => $1::bigint)"
				       " WHERE county = app_county() AND rehearsal"
				       " RETURNING now() + clock_shift"};

static void clock_query(struct request *r)
{
	struct db_params p = {0};

	db_int8(&p, REQUEST(r, pb_clock_request)->advance_s);
	request_query(r, &advance, &p);
}

static void clock_done(struct request *r)
{
	pb_clock_reply out = PB_CLOCK_REPLY_INIT;

	if (PQntuples(request_result(r, &advance)) == 0) {
		request_fail(r, ERR_NOT_NOW, NULL, "%s", _("只有演练县的时钟可以拨动"));
		return;
	}
	out.has_now = 1;
	out.now = db_get_int(request_result(r, &advance), 0, 0);
	/* Handshakes judge certificates by the same clock at once; other processes follow at their next
	 * poll. */
	pki_set_clock_shift((out.now - clock_now_us()) / 1000000);
	access_log_add(r->worker, &r->caller, r->method->name, "OK", 0, "admin", r->ref);
	request_reply(r, &out.base);
}

static void move_clock(struct request *r)
{
	int64_t by = REQUEST(r, pb_clock_request)->advance_s;

	/* Forward only: deadlines that have passed stay passed. */
	if (by < 0 || by > ADVANCE_MAX_S)
		request_fail(r, ERR_INVALID, "advance_s", "%s", _("时钟只能向前拨，最多 400 天"));
	else
		request_call(r, clock_query, clock_done);
}

static const struct handler handlers[] = {
	{METHOD_SERVER_STATUS, status}, {METHOD_SERVER_CLOCK, move_clock}, {0, NULL}};

const struct service server_service = {"server", handlers, NULL};
