#include "push_db.h"

#include <stdlib.h>
#include <string.h>

#include "envelope.h"
#include "fault.h"
#include "lang.h"
#include "log.h"
#include "push_facts.h"

#define ATTEMPT_MS 20 /* before a round that met a lock is tried again; doubles */

static void group_begin(struct worker *w, struct request *first, bool small);
static void round_restart(struct round *g);

/* ---- ending ---- */

static void on_timer_closed(uv_handle_t *handle)
{
	free(handle->data);
}

static void round_free(struct round *g)
{
	db_task_end(&g->task);
	arena_free(&g->arena);
	if (g->timer_open)
		uv_close((uv_handle_t *)&g->timer, on_timer_closed);
	else
		free(g);
}

/* A small round is over: what came while every round was under way must not wait for the next push to
 * come. */
static void small_over(struct round *g)
{
	if (!g->small)
		return;
	g->worker->small_groups--;
	if (g->worker->small_first && g->worker->small_groups < g->worker->server->conf.pool)
		group_begin(g->worker, NULL, true);
}

static void fail_all(struct round *g, enum err e)
{
	struct round copy = *g;

	small_over(g);
	round_free(g);
	for (size_t i = 0; i < copy.count; i++)
		request_fail(copy.member[i].request, e, NULL, NULL);
}

/* Each push alone, as it came. */
static void take_apart(struct round *g)
{
	struct round copy = *g;

	small_over(g);
	round_free(g);
	for (size_t i = 0; i < copy.count; i++)
		group_begin(copy.worker, copy.member[i].request, false);
}

/* Nothing of a failed transaction stands: a round is taken apart, one push alone is tried again while its
 * outcome may still be found out (the same bytes are answered from op_push when it had been committed after
 * all). */
static void round_failed(struct round *g)
{
	enum err e = g->task.err;
	bool transient = e == ERR_BUSY || e == ERR_UNAVAILABLE;

	if (g->count > 1 && !(transient && g->task.unknown)) {
		take_apart(g);
		return;
	}
	/* A value that the database cannot take ends the transaction of all that came with it. The push is
	 * halved until that operation stands alone and is refused by itself; it must not hold up what waits
	 * behind it for ever. */
	struct member *m = &g->member[0];
	if (e == ERR_INVALID && m->limit > 0 && !m->refuse) {
		m->refuse = m->limit == 1;
		m->limit = m->refuse ? 1 : m->limit / 2;
		round_restart(g);
		return;
	}
	if (transient && ++g->attempts < ATTEMPTS_MAX)
		round_restart(g);
	else
		fail_all(g, e);
}

/* ---- trip 2 ---- */

static const struct db_stmt insert_pushes = {
	"INSERT INTO op_push (county, device_id, incarnation, first_op, last_op, author, at, shas,"
	" results)"
	" SELECT app_county(), p.device, p.incarnation, p.first_op, p.last_op, p.author, jg_now(),"
	" p.shas, p.results"
	" FROM unnest($1::uuid[], $2::int[], $3::bigint[], $4::bigint[], $5::text[], $6::bytea[],"
	" $7::bytea[]) p(device, incarnation, first_op, last_op, author, shas, results)"};
/* What the computer said at HELLO that it had made, less what is answered now, waits there still: `devices
 * list` tells it. A replay writes too (dup_seen): its answer is fenced by the same commit as the first one
 * (sync.md finding 2). */
static const struct db_stmt update_devices = {
	"UPDATE device d"
	" SET last_op = p.last_op, last_hash = p.last_hash, dup_seen = d.dup_seen + p.dup,"
	" last_contact = jg_now(), incarnation = p.incarnation, pending = greatest(0, p.made - p.last_op)"
	" FROM unnest($1::uuid[], $2::bigint[], $3::bytea[], $4::int[], $5::int[],"
	" $6::bigint[]) p(device, last_op, last_hash, dup, incarnation, made)"
	" WHERE d.county = app_county() AND d.device_id = p.device"};

static void send_pushes(struct round *g)
{
	static const enum pg_type types[7] = {
		PG_UUID, PG_INT4, PG_INT8, PG_INT8, PG_TEXT, PG_BYTEA, PG_BYTEA};
	struct pg_array c[7] = {0};
	struct db_params p = {0};
	struct buf shas = {0}, reply = {0};

	for (size_t i = 0; i < 7; i++)
		pg_array_begin(&c[i], types[i]);
	for (size_t i = 0; i < g->count; i++) {
		struct push *push = &g->member[i].push;
		if (push->replayed || push->answered == 0)
			continue;
		shas.len = reply.len = 0;
		for (size_t k = 0; k < push->answered; k++)
			buf_add(&shas, push->ops[k].sha, HASH_SIZE);
		uint8_t *to = buf_reserve(&reply, protobuf_c_message_get_packed_size(&push->reply.base));
		if (to)
			reply.len = protobuf_c_message_pack(&push->reply.base, to);
		pg_array_bytes(&c[0], g->member[i].request->caller.device, ID_SIZE);
		pg_array_int4(&c[1], (int32_t)push->incarnation);
		pg_array_int8(&c[2], (int64_t)push->first_op);
		pg_array_int8(&c[3], (int64_t)push->reply.last_op);
		pg_array_text(&c[4], g->member[i].request->caller.user);
		pg_array_bytes(&c[5], shas.data, shas.len);
		pg_array_bytes(&c[6], reply.data, reply.len);
	}
	if (c[0].count) {
		for (size_t i = 0; i < 7; i++)
			db_array(&p, &c[i]);
		/* an answer that is not kept would be ALREADY_APPLIED when it is asked for again */
		p.failed |= shas.failed || reply.failed;
		db_task_query(&g->task, &insert_pushes, &p);
	}
	for (size_t i = 0; i < 7; i++)
		pg_array_free(&c[i]);
	buf_free(&shas);
	buf_free(&reply);
}

static void send_device_rows(struct round *g)
{
	static const enum pg_type types[6] = {PG_UUID, PG_INT8, PG_BYTEA, PG_INT4, PG_INT4, PG_INT8};
	struct pg_array c[6] = {0};
	struct db_params p = {0};
	uint8_t genesis[HASH_SIZE];

	for (size_t i = 0; i < 6; i++)
		pg_array_begin(&c[i], types[i]);
	for (size_t i = 0; i < g->count; i++) {
		struct push *push = &g->member[i].push;
		const uint8_t *device = g->member[i].request->caller.device;
		/* Only a device that repeated a number with other bytes is given a new life; one that is
		 * merely behind in its incarnation learns the present one from WELCOME. */
		uint32_t known = push->known_incarnation;
		bool fork = push->forked && push->incarnation == known;
		hash_genesis(genesis, device, known + 1);
		pg_array_bytes(&c[0], device, ID_SIZE);
		pg_array_int8(&c[1], fork ? 0 : (int64_t)push->reply.last_op);
		pg_array_bytes(&c[2], fork ? genesis : push->last_hash, HASH_SIZE);
		pg_array_int4(&c[3], push->replayed);
		pg_array_int4(&c[4], (int32_t)(known + fork));
		pg_array_int8(&c[5], (int64_t)g->member[i].request->caller.made);
	}
	for (size_t i = 0; i < 6; i++)
		db_array(&p, &c[i]);
	db_task_query(&g->task, &update_devices, &p);
	for (size_t i = 0; i < 6; i++)
		pg_array_free(&c[i]);
}

/* In the transaction that accepts them, and behind their rows. */
static void send_applied(struct round *g, const struct kind *kind)
{
	struct pg_array schools = {0}, ids = {0};

	pg_array_begin(&schools, PG_TEXT);
	pg_array_begin(&ids, PG_UUID);
	for (size_t i = 0; i < g->count; i++) {
		const struct effects_part *part = &g->member[i].push.part;
		for (size_t k = 0; k < part->count; k++) {
			if (part->effect[k].after.kind != kind || !part->effect[k].last)
				continue;
			pg_array_text(&schools, g->member[i].request->caller.school);
			pg_array_bytes(&ids, part->effect[k].after.id, ID_SIZE);
		}
	}
	if (ids.count)
		record_db_applied(&g->task, kind, &schools, &ids);
	pg_array_free(&schools);
	pg_array_free(&ids);
}

static void reply_all(struct round *g)
{
	struct worker *w = g->worker;

	small_over(g);
	stat_add(w->stats.groups, 1);
	db_task_end(&g->task);
	for (size_t i = 0; i < g->count; i++) {
		stat_add(w->stats.pushes, 1);
		stat_add(w->stats.ops, g->member[i].push.answered);
		request_reply(g->member[i].request, &g->member[i].push.reply.base);
	}
	fault_point(FAULT_JGD_PUSH_ANSWERED);
	round_free(g);
}

static void on_committed(struct db_task *task)
{
	struct round *g = task->data;

	if (task->err) {
		round_failed(g);
		return;
	}
	fault_point(FAULT_JGD_PUSH_COMMITTED);
	reply_all(g);
}

static enum err plan_all(struct round *g, struct effects_part *parts)
{
	for (size_t i = 0; i < g->count; i++) {
		struct member *m = &g->member[i];
		m->push.count = m->limit;
		m->push.epoch = m->request->caller.epoch;
		enum err e = push_plan(&m->push, &m->facts);
		if (e)
			return e;
		parts[i] = m->push.part;
		snprintf(parts[i].author, sizeof parts[i].author, "%s", m->request->caller.user);
		memcpy(parts[i].device, m->request->caller.device, ID_SIZE);
	}
	return ERR_OK;
}

static void on_read(struct db_task *task)
{
	struct round *g = task->data;
	struct effects_part parts[PUSH_ROUND_MAX];

	if (task->err) {
		round_failed(g);
		return;
	}
	fault_point(FAULT_JGD_PUSH_READ);
	if (!push_facts_devices(g)) { /* one of them is revoked: what that means is told to it alone */
		if (g->count > 1)
			take_apart(g);
		else
			fail_all(g, ERR_REVOKED);
		return;
	}
	enum err e = push_facts_read(g) ? plan_all(g, parts) : ERR_NOMEM;
	if (!e && g->attempts)
		db_task_command(task, "SET LOCAL app.scope = 'school'");
	if (!e)
		e = effects_send(task, g->worker->server->conf.county, parts, g->count);
	if (e) {
		fail_all(g, e);
		return;
	}
	send_pushes(g);
	send_device_rows(g);
	for (size_t k = 0; k < kind_count; k++)
		if (kind_table[k].applied[0])
			send_applied(g, &kind_table[k]);
	db_task_commit(task);
	fault_point(FAULT_JGD_PUSH_PLANNED);
	db_task_run(task, on_committed);
	fault_point(FAULT_JGD_PUSH_SENT);
}

/* ---- running ---- */

static bool add_member(struct round *g, struct request *r)
{
	struct member *m = &g->member[g->count];

	memset(m, 0, sizeof *m);
	m->request = r;
	if (push_decode(&m->push, REQUEST(r, pb_push_request), &r->arena)) {
		request_fail(r, ERR_NOMEM, NULL, NULL);
		return false;
	}
	m->limit = push_barrier(&m->push);
	g->count++;
	return true;
}

static bool school_is_in(const struct round *g, const struct request *r)
{
	for (size_t i = 0; i < g->count; i++)
		if (strcmp(g->member[i].request->caller.school, r->caller.school) == 0)
			return true;
	return false;
}

/* Takes what waits, one push per school; the others keep their order. */
static void take_waiting(struct round *g)
{
	struct worker *w = g->worker;
	struct request **at = &w->small_first, *kept = NULL;

	while (*at && g->count < PUSH_ROUND_MAX) {
		struct request *r = *at;
		if (school_is_in(g, r)) {
			kept = r;
			at = &r->queue_next;
			continue;
		}
		*at = r->queue_next;
		r->queue_next = NULL;
		if (w->small_last == r)
			w->small_last = kept;
		add_member(g, r);
	}
}

static void on_connection(struct db_task *task)
{
	struct round *g = task->data;

	if (!task->conn) {
		if (g->small)
			take_waiting(g);
		fail_all(g, task->err ? task->err : ERR_UNAVAILABLE);
		return;
	}
	if (g->small && g->attempts == 0)
		take_waiting(g);
	if (g->count == 0) {
		small_over(g);
		round_free(g);
		return;
	}
	/* More wait than one round takes: the next one is on its way while this one runs. */
	if (g->small && g->worker->small_first)
		group_begin(g->worker, NULL, true);
	fault_point(FAULT_JGD_PUSH_BEGUN);
	if (!push_facts_send(g)) {
		fail_all(g, ERR_NOMEM);
		return;
	}
	db_task_run(task, on_read);
}

static void round_connect(struct round *g)
{
	enum err e = db_task_start(g->worker->pool, &g->task, on_connection, g, DEADLINE_MS);

	if (e) {
		g->task.conn = NULL;
		if (g->small)
			take_waiting(g);
		fail_all(g, e);
	}
}

static void on_attempt(uv_timer_t *timer)
{
	round_connect(timer->data);
}

static void round_restart(struct round *g)
{
	db_task_end(&g->task);
	arena_free(&g->arena);
	for (size_t i = 0; i < g->count; i++) {
		struct request *r = g->member[i].request;
		memset(&g->member[i].facts, 0, sizeof g->member[i].facts);
		if (push_decode(&g->member[i].push, REQUEST(r, pb_push_request), &r->arena)) {
			fail_all(g, ERR_NOMEM);
			return;
		}
		if (g->member[i].refuse)
			problem_set(&g->member[i].push.ops[0].fault, ERR_INVALID, NULL, NULL,
				_("数据库不接受其中的一个值"));
	}
	if (!g->timer_open) {
		uv_timer_init(&g->worker->loop, &g->timer);
		g->timer.data = g;
		g->timer_open = true;
	}
	uv_timer_start(&g->timer, on_attempt, ATTEMPT_MS << g->attempts, 0);
}

static void fail_waiting(struct worker *w)
{
	struct request *r = w->small_first;

	w->small_first = w->small_last = NULL;
	for (struct request *next; r; r = next) {
		next = r->queue_next;
		request_fail(r, ERR_NOMEM, NULL, NULL);
	}
}

/* first: of a round of its own; NULL: the round takes what waits when it has a connection. */
static void group_begin(struct worker *w, struct request *first, bool small)
{
	struct round *g = calloc(1, sizeof *g);

	if (!g) {
		if (first)
			request_fail(first, ERR_NOMEM, NULL, NULL);
		else if (w->small_groups == 0) /* nobody else would come for them */
			fail_waiting(w);
		return;
	}
	g->worker = w;
	g->small = small;
	g->timer.data = g;
	arena_init(&g->arena, 32u << 20);
	if (small)
		w->small_groups++;
	if (first && !add_member(g, first)) {
		round_free(g);
		return;
	}
	round_connect(g);
}

void push_submit(struct request *r)
{
	struct worker *w = r->worker;

	if (REQUEST(r, pb_push_request)->n_op > PUSH_SMALL_OPS || !atomic_load(&w->server->grouping)) {
		group_begin(w, r, false);
		return;
	}
	if (w->small_last)
		w->small_last->queue_next = r;
	else
		w->small_first = r;
	w->small_last = r;
	/* One round at most waits for a connection at a time: what comes meanwhile joins it. */
	if (w->small_groups < w->server->conf.pool)
		group_begin(w, NULL, true);
}
