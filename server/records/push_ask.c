#include <stdlib.h>
#include <string.h>

#include "lineage_db.h"
#include "push_facts.h"
#include "record_json.h"

static const struct db_stmt lock_devices = {
	"SELECT d.device_id, d.incarnation, d.last_op, d.last_hash, d.revoked_at IS NOT NULL,"
	" (SELECT epoch FROM county WHERE county = app_county()), jg_today()"
	" FROM unnest($1::uuid[]) i(id),"
	" LATERAL (SELECT * FROM device WHERE county = app_county() AND device_id = i.id FOR UPDATE) d"};
static const struct db_stmt read_authors = {
	"SELECT a.device, a.name, u.roles, u.classes, NOT u.disabled AND u.school = a.school"
	" AND coalesce(l.last_login, '-infinity') > jg_now() - interval '90 days'"
	" FROM unnest($1::uuid[], $2::text[], $3::text[]) a(device, name, school)"
	" JOIN user_account u ON u.county = app_county() AND u.user_id = a.name"
	" LEFT JOIN device_user l ON l.county = app_county() AND l.device_id = a.device"
	" AND l.user_id = a.name"};
static const struct db_stmt read_replays = {
	"SELECT DISTINCT a.device, o.first_op, o.last_op, o.shas, o.results"
	" FROM unnest($1::uuid[], $2::int[], $3::bigint[]) a(device, incarnation, op),"
	" LATERAL (SELECT * FROM op_push"
	" WHERE county = app_county() AND device_id = a.device AND incarnation = a.incarnation"
	" AND last_op >= a.op"
	" ORDER BY last_op LIMIT 1) o"};
/* groups: the mask of an operation on a record that stands; the primary key of rec_history leads to its
 * newest rows. */
static const struct db_stmt read_writers = {
	"SELECT u.ord, h.author, h.at"
	" FROM unnest($1::int[], $2::uuid[], $3::int[]) u(ord, id, groups),"
	" LATERAL (SELECT author, at FROM rec_history"
	" WHERE county = app_county() AND rec_id = u.id AND groups & u.groups <> 0 ORDER BY ver DESC"
	" LIMIT 1) h"};
/* A record that does not exist yet cannot be locked. Without this lock, a push that hangs something on it and
 * a push that deletes it would not see each other. */
static const struct db_stmt lock_hooks = {"SELECT CASE WHEN u.alone THEN pg_advisory_xact_lock(u.school)"
					  " ELSE pg_advisory_xact_lock_shared(u.school) END"
					  " FROM unnest($1::bigint[], $2::boolean[]) u(school, alone)"};

/* ---- columns ---- */

#define COLUMNS_MAX 8

/* The parameters of one statement, a row an operation or a push. */
struct columns {
	struct pg_array at[COLUMNS_MAX];
	size_t n;
};

static void columns_begin(struct columns *c, size_t n, const enum pg_type *types)
{
	memset(c, 0, sizeof *c);
	c->n = n;
	for (size_t i = 0; i < n; i++)
		pg_array_begin(&c->at[i], types[i]);
}

#define COLUMNS_BEGIN(c, ...)                                                                                \
	columns_begin(c, sizeof((enum pg_type[]){__VA_ARGS__}) / sizeof(enum pg_type),                       \
		(const enum pg_type[]){__VA_ARGS__})

static void columns_free(struct columns *c)
{
	for (size_t i = 0; i < c->n; i++)
		pg_array_free(&c->at[i]);
}

/* Index of the result; -1 when there was nothing to ask. */
static int columns_send(struct round *round, struct columns *c, const struct db_stmt *stmt)
{
	struct db_params p = {0};
	int at = c->at[0].count ? round->task.sent : -1;

	if (at >= 0) {
		for (size_t i = 0; i < c->n; i++)
			db_array(&p, &c->at[i]);
		db_task_query(&round->task, stmt, &p);
	}
	columns_free(c);
	return at;
}

/* ---- walking ---- */

/* An operation of the round that may be accepted. */
struct at {
	size_t member, index;
	const struct member *m;
	const struct plan_op *o;
};

/* The next one; begin with {0}, m NULL. */
static bool next_op(const struct round *round, struct at *at)
{
	if (at->m)
		at->index++;
	for (; at->member < round->count; at->member++, at->index = 0) {
		at->m = &round->member[at->member];
		for (; at->index < at->m->limit; at->index++) {
			at->o = &at->m->push.ops[at->index];
			if (at->o->kind && !at->o->fault.code)
				return true;
		}
	}
	return false;
}

/* Operations are numbered over the whole round for SQL. */
static int32_t ord_of(const struct at *at)
{
	return (int32_t)(at->member * PUSH_OPS_MAX + at->index);
}

static const char *school_of(const struct at *at)
{
	return at->m->request->caller.school;
}

static bool is_put(const struct plan_op *o)
{
	return o->op->action == JINGGUAN__V1__ACTION__PUT;
}

/* What a put says that it hangs on, NULL when it says nothing. */
static const uint8_t *parent_of(const struct plan_op *o)
{
	const struct value *of = is_put(o) && o->kind->of >= 0 ? &o->body.value[o->kind->of] : NULL;

	return of && of->len == ID_SIZE ? of->data : NULL;
}

static int by_id(const void *a, const void *b)
{
	return memcmp(*(const uint8_t *const *)a, *(const uint8_t *const *)b, ID_SIZE);
}

/* ---- what stands of the devices and their people ---- */

static void send_devices(struct round *round)
{
	const uint8_t *ids[PUSH_ROUND_MAX];
	struct columns c;

	for (size_t m = 0; m < round->count; m++)
		ids[m] = round->member[m].request->caller.device;
	/* cppcheck-suppress uninitvar ; a round has at least one member */
	qsort(ids, round->count, sizeof *ids, by_id);
	COLUMNS_BEGIN(&c, PG_UUID);
	for (size_t m = 0; m < round->count; m++)
		pg_array_bytes(&c.at[0], ids[m], ID_SIZE);
	round->devices_at = columns_send(round, &c, &lock_devices);
}

static bool author_known(const struct member *m, size_t until)
{
	const char *name = m->push.ops[until].op->author;

	for (size_t i = 0; i < until; i++)
		if (m->push.ops[i].op && m->push.ops[i].op->author &&
			strcmp(m->push.ops[i].op->author, name) == 0)
			return true;
	return false;
}

static void send_authors(struct round *round)
{
	struct columns c;

	COLUMNS_BEGIN(&c, PG_UUID, PG_TEXT, PG_TEXT);
	for (size_t i = 0; i < round->count; i++) {
		const struct member *m = &round->member[i];
		for (size_t k = 0; k < m->limit; k++) {
			if (!m->push.ops[k].op || !m->push.ops[k].op->author || author_known(m, k))
				continue;
			pg_array_bytes(&c.at[0], m->request->caller.device, ID_SIZE);
			pg_array_text(&c.at[1], m->push.ops[k].op->author);
			pg_array_text(&c.at[2], m->request->caller.school);
		}
	}
	round->authors_at = columns_send(round, &c, &read_authors);
}

static void ask_replay(struct columns *c, const struct member *m, uint64_t op)
{
	pg_array_bytes(&c->at[0], m->request->caller.device, ID_SIZE);
	pg_array_int4(&c->at[1], (int32_t)m->push.incarnation);
	pg_array_int8(&c->at[2], (int64_t)op);
}

/* Earlier pushes that this one may repeat or build on. */
static void send_replays(struct round *round)
{
	struct columns c;

	COLUMNS_BEGIN(&c, PG_UUID, PG_INT4, PG_INT8);
	for (size_t i = 0; i < round->count; i++) {
		const struct member *m = &round->member[i];
		ask_replay(&c, m, m->push.first_op);
		for (size_t k = 0; k < m->limit; k++) {
			const pb_op *o = m->push.ops[k].op;
			uint64_t built_on = UINT64_MAX;
			for (size_t s = 0; o && s < o->n_seen; s++)
				if (o->seen[s]->own_op && o->seen[s]->own_op < m->push.first_op)
					built_on = o->seen[s]->own_op;
			if (built_on < m->push.first_op)
				ask_replay(&c, m, built_on);
		}
	}
	round->replays_at = columns_send(round, &c, &read_replays);
}

/* ---- locks before the records ---- */

/* What guards depend on, each once. */
static void hold(struct round *round)
{
	const char *held[KIND_COUNT];
	size_t n = 0;

	for (struct at at = {0}; next_op(round, &at);) {
		bool again = !at.o->kind->hold[0];
		for (size_t i = 0; i < n; i++)
			again |= strcmp(held[i], at.o->kind->hold) == 0;
		if (again)
			continue;
		held[n++] = at.o->kind->hold;
		record_db_hold(&round->task, at.o->kind);
	}
}

static int by_school(const void *a, const void *b)
{
	return strcmp((*(struct member *const *)a)->request->caller.school,
		(*(struct member *const *)b)->request->caller.school);
}

/* Per school: pushes that hang something on a record share the lock, a push that deletes one takes it alone.
 * Taken in the order of the schools, after the devices and before all records. */
static void lock_schools(struct round *round)
{
	struct columns c;
	struct member *members[PUSH_ROUND_MAX] = {0};

	for (size_t i = 0; i < round->count; i++)
		members[i] = &round->member[i];
	qsort(members, round->count, sizeof *members, by_school);
	COLUMNS_BEGIN(&c, PG_INT8, PG_BOOL);
	for (size_t i = 0; i < round->count; i++) {
		bool hangs = false, deletes = false;
		for (size_t k = 0; k < members[i]->limit; k++) {
			const struct plan_op *o = &members[i]->push.ops[k];
			if (!o->kind || o->fault.code)
				continue;
			hangs |= is_put(o) && o->kind->of >= 0;
			deletes |= !is_put(o) && lineage_has_children(o->kind);
		}
		if (!hangs && !deletes)
			continue;
		pg_array_int8(&c.at[0], strtoll(members[i]->request->caller.school, NULL, 10));
		pg_array_bool(&c.at[1], deletes);
	}
	columns_send(round, &c, &lock_hooks);
}

/* ---- the records of one kind ---- */

/* A school can delete only its own records while something is being hung on them. Such a record is locked
 * together with what is hung on it: a push that deletes it at the same moment waits, and then sees it. */
static const uint8_t *hook_of(const struct plan_op *o, const struct kind *on)
{
	return lineage_hangs_on_own(o->kind, on) ? parent_of(o) : NULL;
}

static void lock_records(struct round *round, const struct kind *kind, const uint8_t **list, size_t n)
{
	struct pg_array ids = {0};

	qsort(list, n, sizeof *list, by_id);
	pg_array_begin(&ids, PG_UUID);
	for (size_t i = 0; i < n; i++)
		if (i == 0 || memcmp(list[i], list[i - 1], ID_SIZE) != 0)
			pg_array_bytes(&ids, list[i], ID_SIZE);
	round->at[kind - kind_table].lock = round->task.sent;
	record_db_lock(&round->task, kind, &ids);
	pg_array_free(&ids);
}

/* Locks them in the order of their ids and asks who holds the natural keys. */
static bool send_kind(struct round *round, const struct kind *kind)
{
	size_t total = 0, slot = (size_t)(kind - kind_table);
	struct pg_array keys = {0}, owners = {0};

	for (size_t i = 0; i < round->count; i++)
		total += round->member[i].limit;
	const uint8_t **list = arena_alloc(&round->arena, sizeof *list * (2 * total + 1));
	if (!list)
		return false;
	total = 0;
	pg_array_begin(&keys, PG_TEXT);
	pg_array_begin(&owners, PG_TEXT);
	for (struct at at = {0}; next_op(round, &at);) {
		const uint8_t *hook = hook_of(at.o, kind);
		if (hook)
			list[total++] = hook;
		if (at.o->kind != kind)
			continue;
		list[total++] = at.o->op->id.data;
		if (at.o->key[0]) {
			pg_array_text(&keys, at.o->key);
			pg_array_text(&owners, school_of(&at));
		}
	}
	round->at[slot].lock = round->at[slot].holders = round->at[slot].guard = round->at[slot].judge = -1;
	if (total)
		lock_records(round, kind, list, total);
	/* Who holds a key is asked only after a unique index has said that somebody does: two computers of
	 * one school seldom type the same child, and the question would cost every push a tenth. */
	if (keys.count && round->attempts) {
		round->at[slot].holders = round->task.sent;
		record_db_holders(&round->task, kind, &keys, &owners);
	}
	pg_array_free(&keys);
	pg_array_free(&owners);
	return true;
}

/* Asked when all locks are held: a guard sees what is stored and what the push would store. */
static void send_guard(struct round *round, const struct kind *kind)
{
	struct columns c;
	struct buf body = {0};

	COLUMNS_BEGIN(&c, PG_INT4, PG_TEXT, PG_UUID, PG_JSONB);
	for (struct at at = {0}; next_op(round, &at);) {
		if (at.o->kind != kind)
			continue;
		pg_array_int4(&c.at[0], ord_of(&at));
		pg_array_text(&c.at[1], school_of(&at));
		pg_array_bytes(&c.at[2], at.o->op->id.data, ID_SIZE);
		body.len = 0;
		record_json(&at.o->body, at.o->groups, &body);
		c.at[3].bytes.failed |= body.failed;
		if (is_put(at.o))
			pg_array_json(&c.at[3], body.data, body.len);
		else
			pg_array_null(&c.at[3]);
	}
	buf_free(&body);
	if (c.at[0].count) {
		round->at[kind - kind_table].guard = round->task.sent;
		record_db_guard(&round->task, kind, c.at);
	}
	columns_free(&c);
}

/* What the records that it hangs on say of it. */
static void send_judge(struct round *round, const struct kind *kind)
{
	struct columns c;

	COLUMNS_BEGIN(&c, PG_INT4, PG_TEXT, PG_UUID, PG_UUID, PG_BOOL);
	for (struct at at = {0}; next_op(round, &at);) {
		const uint8_t *parent = parent_of(at.o);
		if (at.o->kind != kind)
			continue;
		pg_array_int4(&c.at[0], ord_of(&at));
		pg_array_text(&c.at[1], school_of(&at));
		pg_array_bytes(&c.at[2], at.o->op->id.data, ID_SIZE);
		if (parent)
			pg_array_bytes(&c.at[3], parent, ID_SIZE);
		else
			pg_array_null(&c.at[3]);
		pg_array_bool(&c.at[4], !is_put(at.o));
	}
	if (c.at[0].count) {
		round->at[kind - kind_table].judge = round->task.sent;
		lineage_judge(&round->task, kind, c.at);
	}
	columns_free(&c);
}

/* ---- what hangs on what, and of whose class it is ---- */

static void send_writers(struct round *round)
{
	struct columns c;

	COLUMNS_BEGIN(&c, PG_INT4, PG_UUID, PG_INT4);
	for (struct at at = {0}; next_op(round, &at);) {
		if (!at.o->op->n_seen)
			continue;
		pg_array_int4(&c.at[0], ord_of(&at));
		pg_array_bytes(&c.at[1], at.o->op->id.data, ID_SIZE);
		pg_array_int4(&c.at[2], (int32_t)at.o->groups);
	}
	round->writers_at = columns_send(round, &c, &read_writers);
}

/* What the records are that pushed ones hang on. */
static void send_parents(struct round *round)
{
	struct columns c;

	COLUMNS_BEGIN(&c, PG_INT4, PG_TEXT, PG_UUID);
	for (struct at at = {0}; next_op(round, &at);) {
		const uint8_t *parent = parent_of(at.o);
		if (!parent)
			continue;
		pg_array_int4(&c.at[0], ord_of(&at));
		pg_array_text(&c.at[1], school_of(&at));
		pg_array_bytes(&c.at[2], parent, ID_SIZE);
	}
	round->targets_at = c.at[0].count ? round->task.sent : -1;
	if (c.at[0].count)
		lineage_parents(&round->task, c.at, round->attempts ? "job" : "school");
	columns_free(&c);
}

/* A registrar or a head writes for every class, and nobody else's session carries what others wrote
 * (push_plan.c). */
static bool class_matters(const struct at *at)
{
	const struct request *r = at->m->request;

	return at->o->kind->writers & 1u << ROLE_CLASS_TEACHER &&
		!(r->caller.roles & PLAN_ALL_CLASSES && at->o->op->author &&
			strcmp(at->o->op->author, r->caller.user) == 0);
}

/* A field as the operation leaves it, as far as this push says: an operation that carries only other
 * groups, and a deletion, which carries nothing, are of the record that earlier ones of the push have
 * made. */
static const struct value *left_by_push(const struct at *at, int field)
{
	for (size_t i = at->index + 1; field >= 0 && i-- > 0;) {
		const struct plan_op *o = &at->m->push.ops[i];
		if (o->kind == at->o->kind && !o->fault.code && is_put(o) && record_has(&o->body, field) &&
			memcmp(o->op->id.data, at->o->op->id.data, ID_SIZE) == 0)
			return &o->body.value[field];
	}
	return NULL;
}

static void add_left(struct pg_array *a, const struct value *v)
{
	if (v)
		pg_array_bytes(a, v->data, v->len);
	else
		pg_array_null(a);
}

static void send_classes(struct round *round)
{
	struct columns c;

	COLUMNS_BEGIN(&c, PG_INT4, PG_TEXT, PG_INT4, PG_UUID, PG_UUID, PG_TEXT, PG_TEXT);
	for (struct at at = {0}; next_op(round, &at);) {
		const struct kind *kind = at.o->kind;
		if (!class_matters(&at))
			continue;
		pg_array_int4(&c.at[0], ord_of(&at));
		pg_array_text(&c.at[1], school_of(&at));
		pg_array_int4(&c.at[2], (int32_t)kind->number);
		pg_array_bytes(&c.at[3], at.o->op->id.data, ID_SIZE);
		const struct value *parent = left_by_push(&at, kind->of);
		add_left(&c.at[4], parent && parent->len == ID_SIZE ? parent : NULL);
		add_left(&c.at[5], left_by_push(&at, kind_field_index(kind, "cert_no")));
		add_left(&c.at[6], left_by_push(&at, kind_field_index(kind, "student_no")));
	}
	round->scopes_at = c.at[0].count ? round->task.sent : -1;
	if (c.at[0].count)
		lineage_classes(&round->task, c.at);
	columns_free(&c);
}

static void send_children(struct round *round)
{
	struct columns c;

	COLUMNS_BEGIN(&c, PG_INT4, PG_UUID);
	for (struct at at = {0}; next_op(round, &at);) {
		if (is_put(at.o) || !lineage_has_children(at.o->kind))
			continue;
		pg_array_int4(&c.at[0], ord_of(&at));
		pg_array_bytes(&c.at[1], at.o->op->id.data, ID_SIZE);
	}
	round->children_at = c.at[0].count ? round->task.sent : -1;
	if (c.at[0].count)
		lineage_children(&round->task, c.at);
	columns_free(&c);
}

static bool round_scope(struct round *round)
{
	struct buf schools = {0};

	for (size_t i = 0; i < round->count; i++)
		buf_printf(&schools, "%s%s", i ? "," : "", round->member[i].request->caller.school);
	buf_u8(&schools, 0);
	/* with only part of the schools in scope, existing records would look missing */
	bool whole = !schools.failed;
	/* The second attempt reads past the school's row-level security: an id that another school owns is
	 * then refused, not tried again. */
	if (whole)
		scope_begin(&round->task, round->worker->server->conf.county,
			round->attempts ? SCOPE_JOB : SCOPE_SCHOOL, (const char *)schools.data, "");
	buf_free(&schools);
	return whole;
}

bool push_facts_send(struct round *round)
{
	if (!round_scope(round))
		return false;
	send_devices(round);
	send_authors(round);
	send_replays(round);
	hold(round);
	lock_schools(round);
	for (size_t k = 0; k < kind_count; k++)
		if (!send_kind(round, &kind_table[k]))
			return false;
	for (size_t k = 0; k < kind_count; k++)
		if (kind_table[k].guard[0])
			send_guard(round, &kind_table[k]);
	for (size_t k = 0; k < kind_count; k++)
		if (lineage_is_judged(&kind_table[k]))
			send_judge(round, &kind_table[k]);
	send_writers(round);
	send_parents(round);
	send_classes(round);
	send_children(round);
	return true;
}
