#include "push_db.h"

#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "envelope.h"
#include "fault.h"
#include "lang.h"
#include "log.h"
#include "push_facts.h"

#define ATTEMPT_MS 20 /* before a round that met a lock is tried again; doubles */

static void group_begin(struct worker *w, struct request *first, bool small);
static void round_restart(struct round *round);

/* ---- ending ---- */

static void on_timer_closed(uv_handle_t *handle)
{
	free(handle->data);
}

static void round_free(struct round *round)
{
	db_task_end(&round->task);
	arena_free(&round->arena);
	if (round->timer_open)
		uv_close((uv_handle_t *)&round->timer, on_timer_closed);
	else
		free(round);
}

/* A round is over. Pushes that arrived while every round was under way are started now; they must not wait
 * for the next push to arrive. */
static void small_over(struct round *round)
{
	if (!round->small)
		return;
	round->worker->small_groups--;
	if (round->worker->small_first && round->worker->small_groups < round->worker->server->conf.pool)
		group_begin(round->worker, NULL, true);
}

static void fail_all(struct round *round, enum err e)
{
	struct round copy = *round;

	small_over(round);
	round_free(round);
	for (size_t i = 0; i < copy.count; i++)
		request_fail(copy.member[i].request, e, NULL, NULL);
}

/* Each push alone, as it came. */
static void take_apart(struct round *round)
{
	struct round copy = *round;

	small_over(round);
	round_free(round);
	for (size_t i = 0; i < copy.count; i++)
		group_begin(copy.worker, copy.member[i].request, false);
}

/* A failed transaction has changed nothing. A round of several pushes is run again one by one. A push that
 * was alone is run again while its outcome can still be found out: if it had been committed, op_push answers
 * the same bytes. */
static void round_failed(struct round *round)
{
	enum err e = round->task.err;
	bool transient = e == ERR_BUSY || e == ERR_UNAVAILABLE;

	if (round->count > 1 && !(transient && round->task.unknown)) {
		take_apart(round);
		return;
	}
	/* A value that the database cannot take fails the whole transaction. The push is halved until the
	 * operation stands alone and is refused: it must not block for ever what waits behind it. */
	struct member *m = &round->member[0];
	if (e == ERR_INVALID && m->limit > 0 && !m->refuse) {
		m->refuse = m->limit == 1;
		m->limit = m->refuse ? 1 : m->limit / 2;
		round_restart(round);
		return;
	}
	if (transient && ++round->attempts < ATTEMPTS_MAX)
		round_restart(round);
	else
		fail_all(round, e);
}

/* ---- trip 2 ---- */

static const struct db_stmt insert_pushes = {
	"INSERT INTO op_push (county, device_id, incarnation, first_op, last_op, author, at, shas,"
	" results)"
	" SELECT app_county(), p.device, p.incarnation, p.first_op, p.last_op, p.author, jg_now(),"
	" p.shas, p.results"
	" FROM unnest($1::uuid[], $2::int[], $3::bigint[], $4::bigint[], $5::text[], $6::bytea[],"
	" $7::bytea[]) p(device, incarnation, first_op, last_op, author, shas, results)"};
/* The device told at HELLO how many operations it has; what is not answered yet is still waiting there, which
 * `devices list` shows. A replay writes too (dup_seen): its answer is fenced by the same commit as the first
 * one (sync.md finding 2). */
static const struct db_stmt update_devices = {
	"UPDATE device d"
	" SET last_op = p.last_op, last_hash = p.last_hash, dup_seen = d.dup_seen + p.dup,"
	" last_contact = jg_now(), incarnation = p.incarnation, pending = greatest(0, p.made - p.last_op)"
	" FROM unnest($1::uuid[], $2::bigint[], $3::bytea[], $4::int[], $5::int[],"
	" $6::bigint[]) p(device, last_op, last_hash, dup, incarnation, made)"
	" WHERE d.county = app_county() AND d.device_id = p.device"};

static void send_pushes(struct round *round)
{
	static const enum pg_type types[7] = {
		PG_UUID, PG_INT4, PG_INT8, PG_INT8, PG_TEXT, PG_BYTEA, PG_BYTEA};
	struct pg_array c[7] = {0};
	struct db_params p = {0};
	struct buf shas = {0}, reply = {0};

	for (size_t i = 0; i < 7; i++)
		pg_array_begin(&c[i], types[i]);
	for (size_t i = 0; i < round->count; i++) {
		struct push *push = &round->member[i].push;
		if (push->replayed || push->answered == 0)
			continue;
		shas.len = reply.len = 0;
		for (size_t k = 0; k < push->answered; k++)
			buf_add(&shas, push->ops[k].sha, HASH_SIZE);
		uint8_t *to = buf_reserve(&reply, protobuf_c_message_get_packed_size(&push->reply.base));
		if (to)
			reply.len = protobuf_c_message_pack(&push->reply.base, to);
		pg_array_bytes(&c[0], round->member[i].request->caller.device, ID_SIZE);
		pg_array_int4(&c[1], (int32_t)push->incarnation);
		pg_array_int8(&c[2], (int64_t)push->first_op);
		pg_array_int8(&c[3], (int64_t)push->reply.last_op);
		pg_array_text(&c[4], round->member[i].request->caller.user);
		pg_array_bytes(&c[5], shas.data, shas.len);
		pg_array_bytes(&c[6], reply.data, reply.len);
	}
	if (c[0].count) {
		for (size_t i = 0; i < 7; i++)
			db_array(&p, &c[i]);
		/* an answer that is not kept would be ALREADY_APPLIED when it is asked for again */
		p.failed |= shas.failed || reply.failed;
		db_task_query(&round->task, &insert_pushes, &p);
	}
	for (size_t i = 0; i < 7; i++)
		pg_array_free(&c[i]);
	buf_free(&shas);
	buf_free(&reply);
}

static void send_device_rows(struct round *round)
{
	static const enum pg_type types[6] = {PG_UUID, PG_INT8, PG_BYTEA, PG_INT4, PG_INT4, PG_INT8};
	struct pg_array c[6] = {0};
	struct db_params p = {0};
	uint8_t genesis[HASH_SIZE];

	for (size_t i = 0; i < 6; i++)
		pg_array_begin(&c[i], types[i]);
	for (size_t i = 0; i < round->count; i++) {
		struct push *push = &round->member[i].push;
		const uint8_t *device = round->member[i].request->caller.device;
		/* Only a device that repeated a number with other bytes is told to begin a new incarnation;
		 * one that is merely behind learns the present incarnation from WELCOME. */
		uint32_t known = push->known_incarnation;
		bool fork = push->forked && push->incarnation == known;
		hash_genesis(genesis, device, known + 1);
		pg_array_bytes(&c[0], device, ID_SIZE);
		pg_array_int8(&c[1], fork ? 0 : (int64_t)push->reply.last_op);
		pg_array_bytes(&c[2], fork ? genesis : push->last_hash, HASH_SIZE);
		pg_array_int4(&c[3], push->replayed);
		pg_array_int4(&c[4], (int32_t)(known + fork));
		pg_array_int8(&c[5], (int64_t)round->member[i].request->caller.made);
	}
	for (size_t i = 0; i < 6; i++)
		db_array(&p, &c[i]);
	db_task_query(&round->task, &update_devices, &p);
	for (size_t i = 0; i < 6; i++)
		pg_array_free(&c[i]);
}

/* In the transaction that accepts them, and behind their rows. */
static void send_applied(struct round *round, const struct kind *kind)
{
	struct pg_array schools = {0}, ids = {0};

	pg_array_begin(&schools, PG_TEXT);
	pg_array_begin(&ids, PG_UUID);
	for (size_t i = 0; i < round->count; i++) {
		const struct effects_part *part = &round->member[i].push.part;
		for (size_t k = 0; k < part->count; k++) {
			if (part->effect[k].after.kind != kind || !part->effect[k].last)
				continue;
			pg_array_text(&schools, round->member[i].request->caller.school);
			pg_array_bytes(&ids, part->effect[k].after.id, ID_SIZE);
		}
	}
	if (ids.count)
		record_db_applied(&round->task, kind, &schools, &ids);
	pg_array_free(&schools);
	pg_array_free(&ids);
}

static void reply_all(struct round *round)
{
	struct worker *w = round->worker;

	small_over(round);
	stat_add(w->stats.groups, 1);
	db_task_end(&round->task);
	for (size_t i = 0; i < round->count; i++) {
		stat_add(w->stats.pushes, 1);
		stat_add(w->stats.ops, round->member[i].push.answered);
		request_reply(round->member[i].request, &round->member[i].push.reply.base);
	}
	fault_point(FAULT_JGD_PUSH_ANSWERED);
	round_free(round);
}

static void on_committed(struct db_task *task)
{
	struct round *round = task->data;

	if (task->err) {
		round_failed(round);
		return;
	}
	fault_point(FAULT_JGD_PUSH_COMMITTED);
	reply_all(round);
}

static enum err plan_all(struct round *round, struct effects_part *parts)
{
	for (size_t i = 0; i < round->count; i++) {
		struct member *m = &round->member[i];
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
	struct round *round = task->data;
	struct effects_part parts[PUSH_ROUND_MAX];

	if (task->err) {
		round_failed(round);
		return;
	}
	fault_point(FAULT_JGD_PUSH_READ);
	if (!push_facts_devices(round)) { /* one of them is revoked: what that means is told to it alone */
		if (round->count > 1)
			take_apart(round);
		else
			fail_all(round, ERR_REVOKED);
		return;
	}
	enum err e = push_facts_read(round) ? plan_all(round, parts) : ERR_NOMEM;
	if (!e && round->attempts)
		db_task_command(task, "SET LOCAL app.scope = 'school'");
	if (!e)
		e = effects_send(task, round->worker->server->conf.county, parts, round->count);
	if (e) {
		fail_all(round, e);
		return;
	}
	send_pushes(round);
	send_device_rows(round);
	for (size_t k = 0; k < kind_count; k++)
		if (kind_table[k].applied[0])
			send_applied(round, &kind_table[k]);
	db_task_commit(task);
	fault_point(FAULT_JGD_PUSH_PLANNED);
	db_task_run(task, on_committed);
	fault_point(FAULT_JGD_PUSH_SENT);
}

/* ---- running ---- */

/* Whether the computer that pushes has signed what a field says that it has; what is not so is refused.
 * ERR_BUSY: its connection is gone, and nothing is said of it. */
static enum err check_signed(struct plan_op *o, int field, struct request *r)
{
	const struct value *sig = &o->body.value[field], *of = &o->body.value[o->kind->fields[field].signs];
	struct tls *tls = r->conn && !stream_is_closing(&r->conn->stream) ? &r->conn->stream.tls : NULL;
	char device[37];

	if (!tls || !tls_peer_cert(tls))
		return ERR_BUSY;
	id_format(device, r->caller.device);
	const char *line = arena_printf(&r->arena, "\ndevice=%s\n", device);
	if (!line)
		return ERR_NOMEM;
	enum err e = of->len && memmem(of->data, of->len, line, strlen(line))
		? tls_peer_signed(tls, of->data, of->len, sig->data, sig->len)
		: ERR_CHAIN;
	if (e == ERR_CHAIN)
		problem_set(&o->fault, ERR_INVALID, o->kind->fields[field].name, _("重新办一次"),
			_("不是这台电脑的签名"));
	return e == ERR_CHAIN ? ERR_OK : e;
}

static enum err decode(struct push *push, struct request *r)
{
	enum err e = push_decode(push, REQUEST(r, pb_push_request), &r->arena);

	for (size_t i = 0; !e && i < push->count; i++) {
		struct plan_op *o = &push->ops[i];
		for (size_t f = 0; !e && o->kind && !o->fault.code && f < o->kind->field_count; f++)
			if (o->kind->fields[f].signs >= 0 && record_has(&o->body, (int)f))
				e = check_signed(o, (int)f, r);
	}
	return e;
}

static bool add_member(struct round *round, struct request *r)
{
	struct member *m = &round->member[round->count];

	memset(m, 0, sizeof *m);
	m->request = r;
	enum err e = decode(&m->push, r);
	if (e) {
		request_fail(r, e, NULL, NULL);
		return false;
	}
	m->limit = push_barrier(&m->push);
	round->count++;
	return true;
}

static bool school_is_in(const struct round *round, const struct request *r)
{
	for (size_t i = 0; i < round->count; i++)
		if (strcmp(round->member[i].request->caller.school, r->caller.school) == 0)
			return true;
	return false;
}

/* Takes what waits, one push per school; the others keep their order. */
static void take_waiting(struct round *round)
{
	struct worker *w = round->worker;
	struct request **at = &w->small_first, *kept = NULL;

	while (*at && round->count < PUSH_ROUND_MAX) {
		struct request *r = *at;
		if (school_is_in(round, r)) {
			kept = r;
			at = &r->queue_next;
			continue;
		}
		*at = r->queue_next;
		r->queue_next = NULL;
		if (w->small_last == r)
			w->small_last = kept;
		add_member(round, r);
	}
}

static void on_connection(struct db_task *task)
{
	struct round *round = task->data;

	if (!task->conn) {
		if (round->small)
			take_waiting(round);
		fail_all(round, task->err ? task->err : ERR_UNAVAILABLE);
		return;
	}
	if (round->small && round->attempts == 0)
		take_waiting(round);
	if (round->count == 0) {
		small_over(round);
		round_free(round);
		return;
	}
	/* More pushes wait than one round takes: the next round starts while this one runs. */
	if (round->small && round->worker->small_first)
		group_begin(round->worker, NULL, true);
	fault_point(FAULT_JGD_PUSH_BEGUN);
	if (!push_facts_send(round)) {
		fail_all(round, ERR_NOMEM);
		return;
	}
	db_task_run(task, on_read);
}

static void round_connect(struct round *round)
{
	enum err e = db_task_start(round->worker->pool, &round->task, on_connection, round, DEADLINE_MS);

	if (e) {
		round->task.conn = NULL;
		if (round->small)
			take_waiting(round);
		fail_all(round, e);
	}
}

static void on_attempt(uv_timer_t *timer)
{
	round_connect(timer->data);
}

static void round_restart(struct round *round)
{
	db_task_end(&round->task);
	arena_free(&round->arena);
	for (size_t i = 0; i < round->count; i++) {
		struct request *r = round->member[i].request;
		memset(&round->member[i].facts, 0, sizeof round->member[i].facts);
		enum err e = decode(&round->member[i].push, r);
		if (e) {
			fail_all(round, e);
			return;
		}
		if (round->member[i].refuse)
			problem_set(&round->member[i].push.ops[0].fault, ERR_INVALID, NULL, NULL,
				_("数据库不接受其中的一个值"));
	}
	if (!round->timer_open) {
		uv_timer_init(&round->worker->loop, &round->timer);
		round->timer.data = round;
		round->timer_open = true;
	}
	uv_timer_start(&round->timer, on_attempt, ATTEMPT_MS << round->attempts, 0);
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

/* first: a push that gets a round of its own; NULL: the round takes the waiting pushes when it has a
 * connection. */
static void group_begin(struct worker *w, struct request *first, bool small)
{
	struct round *round = calloc(1, sizeof *round);

	if (!round) {
		if (first)
			request_fail(first, ERR_NOMEM, NULL, NULL);
		else if (w->small_groups == 0) /* nobody else would come for them */
			fail_waiting(w);
		return;
	}
	round->worker = w;
	round->small = small;
	round->timer.data = round;
	arena_init(&round->arena, 32u << 20);
	if (small)
		w->small_groups++;
	if (first && !add_member(round, first)) {
		round_free(round);
		return;
	}
	round_connect(round);
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
