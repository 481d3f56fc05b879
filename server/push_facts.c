#include "push_facts.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "envelope.h"

/* ---- asking ---- */

static const struct db_stmt lock_devices = {
	"SELECT d.device_id, d.incarnation, d.last_op, d.last_hash, d.revoked_at IS NOT NULL,"
	" (SELECT epoch FROM county WHERE county = app_county()) FROM unnest($1::uuid[]) i(id), LATERAL"
	" (SELECT * FROM device WHERE county = app_county() AND device_id = i.id FOR UPDATE) d"};
static const struct db_stmt read_authors = {
	"SELECT a.device, a.name, u.roles, u.classes, NOT u.disabled AND u.school = a.school AND coalesce(l.last_login, '-infinity') > jg_now() - interval '90 days'"
	" FROM unnest($1::uuid[], $2::text[], $3::text[]) a(device, name, school)"
	" JOIN user_account u ON u.county = app_county() AND u.user_id = a.name"
	" LEFT JOIN device_user l ON l.county = app_county() AND l.device_id = a.device AND l.user_id = a.name"};
static const struct db_stmt read_replays = {
	"SELECT DISTINCT a.device, o.first_op, o.last_op, o.shas, o.results FROM unnest($1::uuid[], $2::int[], $3::bigint[]) a(device, incarnation, op), LATERAL"
	" (SELECT * FROM op_push WHERE county = app_county() AND device_id = a.device AND incarnation = a.incarnation AND last_op >= a.op ORDER BY last_op LIMIT 1) o"};
/* groups: the mask of an operation on a record that stands; the primary key of rec_history leads to its newest rows. */
static const struct db_stmt read_writers = {
	"SELECT u.ord, h.author, h.at FROM unnest($1::int[], $2::uuid[], $3::int[]) u(ord, id, groups), LATERAL"
	" (SELECT author, at FROM rec_history WHERE county = app_county() AND rec_id = u.id AND groups & u.groups <> 0 ORDER BY ver DESC LIMIT 1) h"};
static const struct db_stmt read_targets = {"SELECT ord, kind, open FROM hook_targets($1::int[], $2::text[], $3::uuid[])"};
static const struct db_stmt read_scopes = {
	"SELECT ord, grade, class_no, named FROM pupil_scopes($1::int[], $2::text[], $3::int[], $4::uuid[], "
	"$5::uuid[], $6::text[], $7::text[])"};
/* A record that nobody has yet cannot be locked: what is hung on it and its deletion, both on their way, would not see each other. */
static const struct db_stmt lock_hooks = {
	"SELECT CASE WHEN u.alone THEN pg_advisory_xact_lock(u.school) ELSE pg_advisory_xact_lock_shared(u.school) END"
	" FROM unnest($1::bigint[], $2::boolean[]) u(school, alone)"};
static const struct db_stmt read_hangers = {
	"SELECT u.ord, h.rec_id FROM unnest($1::int[], $2::uuid[]) u(ord, id), LATERAL"
	" (SELECT rec_id FROM guardian WHERE county = app_county() AND student = u.id AND NOT deleted"
	" UNION ALL SELECT rec_id FROM evidence WHERE county = app_county() AND target = u.id AND NOT deleted) h"};
/* Holds the phase of every year till the push is through: before the records, so that whatever is judged is
 * read behind it. */
static const struct db_stmt hold_years = {"SELECT day, closed, known FROM push_years()"};
static const struct db_stmt read_others = {"SELECT ord, school, problem FROM destination_judge($1::int[], "
					   "$2::text[], $3::text[], $4::text[], $5::text[], $6::text[])"};
static const struct db_stmt guard_filing = {
	"SELECT ord, code, field, message FROM filing_guard($1::int[], $2::text[], $3::int[], $4::text[], $5::boolean[], $6::text[])"};
static const struct db_stmt guard_verify = {
	"SELECT ord, code, field, message FROM verify_guard($1::int[], $2::text[], $3::int[], $4::uuid[])"};
/* An answer names its half of the slip by id; which slip that is stands in the row. */
static const struct db_stmt guard_slip = {
	"SELECT g.ord, g.code, g.field, g.message FROM (SELECT array_agg(u.ord ORDER BY u.ord) o, array_agg(u.school ORDER BY u.ord) s,"
	" array_agg(a.slip ORDER BY u.ord) p FROM unnest($1::int[], $2::text[], $3::uuid[]) u(ord, school, id)"
	" LEFT JOIN slip_addressee a ON a.county = app_county() AND a.rec_id = u.id) x, slip_guard(x.o, x.s, x.p) g"};

/* Operations are numbered over the whole group for SQL: member * PUSH_OPS_MAX + index. */
static int32_t ord_of(size_t member, size_t index)
{
	return (int32_t)(member * PUSH_OPS_MAX + index);
}

static int by_id(const void *a, const void *b)
{
	return memcmp(*(const uint8_t *const *)a, *(const uint8_t *const *)b, ID_SIZE);
}

static void send_devices(struct group *g)
{
	const uint8_t *ids[PUSH_GROUP_MAX];
	struct pg_array a = {0};
	struct db_params p = {0};

	for (size_t m = 0; m < g->count; m++)
		ids[m] = g->member[m].request->caller.device;
	/* cppcheck-suppress uninitvar ; a group has at least one member */
	qsort(ids, g->count, sizeof *ids, by_id);
	pg_array_begin(&a, PG_UUID);
	for (size_t m = 0; m < g->count; m++)
		pg_array_bytes(&a, ids[m], ID_SIZE);
	db_array(&p, &a);
	db_task_query(&g->task, &lock_devices, &p);
	pg_array_free(&a);
}

static bool author_known(const struct member *m, size_t until)
{
	const char *name = m->push.ops[until].op->author;

	for (size_t i = 0; i < until; i++)
		if (m->push.ops[i].op && m->push.ops[i].op->author && strcmp(m->push.ops[i].op->author, name) == 0)
			return true;
	return false;
}

static void send_authors(struct group *g)
{
	struct pg_array device = {0}, name = {0}, school = {0};
	struct db_params p = {0};

	pg_array_begin(&device, PG_UUID);
	pg_array_begin(&name, PG_TEXT);
	pg_array_begin(&school, PG_TEXT);
	for (size_t i = 0; i < g->count; i++) {
		const struct member *m = &g->member[i];
		for (size_t k = 0; k < m->limit; k++) {
			if (!m->push.ops[k].op || !m->push.ops[k].op->author || author_known(m, k))
				continue;
			pg_array_bytes(&device, m->request->caller.device, ID_SIZE);
			pg_array_text(&name, m->push.ops[k].op->author);
			pg_array_text(&school, m->request->caller.school);
		}
	}
	db_array(&p, &device);
	db_array(&p, &name);
	db_array(&p, &school);
	db_task_query(&g->task, &read_authors, &p);
	pg_array_free(&device);
	pg_array_free(&name);
	pg_array_free(&school);
}

/* Earlier pushes that this one may repeat or build on. */
static void send_replays(struct group *g)
{
	struct pg_array device = {0}, incarnation = {0}, op = {0};
	struct db_params p = {0};

	pg_array_begin(&device, PG_UUID);
	pg_array_begin(&incarnation, PG_INT4);
	pg_array_begin(&op, PG_INT8);
	for (size_t i = 0; i < g->count; i++) {
		const struct member *m = &g->member[i];
		uint64_t asked = m->push.first_op;
		for (size_t k = 0; k <= m->limit; k++) {
			if (k == 0 || asked < m->push.first_op) {
				pg_array_bytes(&device, m->request->caller.device, ID_SIZE);
				pg_array_int4(&incarnation, (int32_t)m->push.incarnation);
				pg_array_int8(&op, (int64_t)asked);
			}
			if (k == m->limit)
				break;
			asked = UINT64_MAX;
			const pb_op *o = m->push.ops[k].op;
			for (size_t s = 0; o && s < o->n_seen; s++)
				if (o->seen[s]->own_op && o->seen[s]->own_op < m->push.first_op)
					asked = o->seen[s]->own_op;
		}
	}
	db_array(&p, &device);
	db_array(&p, &incarnation);
	db_array(&p, &op);
	db_task_query(&g->task, &read_replays, &p);
	pg_array_free(&device);
	pg_array_free(&incarnation);
	pg_array_free(&op);
}

/* Of the records that a school hangs something on, its own can be deleted under it. Such a record is locked with what is hung on
 * it: whoever deletes it at the same moment waits, and then sees it. */
static bool hangs_on(const struct kind *kind, const struct kind *on)
{
	return kind_hangs_on(kind, on->number) && on->owner == OWNER_SCHOOL;
}

static const uint8_t *hook_of(const struct plan_op *o, const struct kind *on)
{
	if (!o->kind || o->fault.code || o->op->action != JINGGUAN__V1__ACTION__PUT ||
		!hangs_on(o->kind, on))
		return NULL;
	const struct value *of = &o->body.value[o->kind->of];
	return of->len == ID_SIZE ? of->data : NULL;
}

/* Locks the records of one kind in the order of their ids and asks who holds the natural keys. */
static bool send_kind(struct group *g, const struct kind *kind)
{
	size_t total = 0, slot = (size_t)(kind - kind_table);
	struct pg_array ids = {0}, keys = {0}, owners = {0};

	for (size_t i = 0; i < g->count; i++)
		total += g->member[i].limit;
	const uint8_t **list = arena_alloc(&g->arena, sizeof *list * (2 * total + 1));
	if (!list)
		return false;
	total = 0;
	pg_array_begin(&keys, PG_TEXT);
	pg_array_begin(&owners, PG_TEXT);
	for (size_t i = 0; i < g->count; i++) {
		const struct member *m = &g->member[i];
		for (size_t k = 0; k < m->limit; k++) {
			const struct plan_op *o = &m->push.ops[k];
			const uint8_t *hook = hook_of(o, kind);
			if (hook)
				list[total++] = hook;
			if (o->kind != kind || o->fault.code)
				continue;
			list[total++] = o->op->id.data;
			if (o->key[0]) {
				pg_array_text(&keys, o->key);
				pg_array_text(&owners, m->request->caller.school);
			}
		}
	}
	g->at[slot].lock = g->at[slot].holders = -1;
	if (total) {
		qsort(list, total, sizeof *list, by_id);
		pg_array_begin(&ids, PG_UUID);
		for (size_t i = 0; i < total; i++)
			if (i == 0 || memcmp(list[i], list[i - 1], ID_SIZE) != 0)
				pg_array_bytes(&ids, list[i], ID_SIZE);
		g->at[slot].lock = g->task.sent;
		record_db_lock(&g->task, kind, &ids);
	}
	/* Who holds a key is asked only after a unique index has said that somebody does: two computers of one school seldom
	 * type the same child, and the question would cost every push a tenth. */
	if (keys.count && g->attempts) {
		g->at[slot].holders = g->task.sent;
		record_db_holders(&g->task, kind, &keys, &owners);
	}
	pg_array_free(&ids);
	pg_array_free(&keys);
	pg_array_free(&owners);
	return true;
}

static void add_text_field(struct pg_array *a, const struct record *r, int field)
{
	if (record_has(r, field))
		pg_array_bytes(a, r->value[field].data, r->value[field].len);
	else
		pg_array_null(a);
}

/* Walks the operations of one kind; `add` appends one row to the columns. Sends the statement when there is any. */
static int send_columns(struct group *g, uint32_t kind, const struct db_stmt *stmt, struct pg_array *columns, size_t n,
	void (*add)(struct pg_array *columns, const struct plan_op *o))
{
	struct db_params p = {0};
	int at = -1;

	for (size_t i = 0; i < g->count; i++) {
		const struct member *m = &g->member[i];
		for (size_t k = 0; k < m->limit; k++) {
			const struct plan_op *o = &m->push.ops[k];
			if (!o->kind || o->kind->number != kind || o->fault.code || o->op->action != JINGGUAN__V1__ACTION__PUT)
				continue;
			pg_array_int4(&columns[0], ord_of(i, k));
			pg_array_text(&columns[1], m->request->caller.school);
			add(columns + 2, o);
		}
	}
	if (columns[0].count) {
		for (size_t i = 0; i < n; i++)
			db_array(&p, &columns[i]);
		at = g->task.sent;
		db_task_query(&g->task, stmt, &p);
	}
	for (size_t i = 0; i < n; i++)
		pg_array_free(&columns[i]);
	return at;
}

static void add_filing(struct pg_array *c, const struct plan_op *o)
{
	pg_array_int4(&c[0], (int32_t)record_number(&o->body, F_FILING_YEAR));
	add_text_field(&c[1], &o->body, F_FILING_STAGE);
	pg_array_bool(&c[2], record_number(&o->body, F_FILING_INCOMPLETE) != 0);
	add_text_field(&c[3], &o->body, F_FILING_REASON);
}

static void add_verify(struct pg_array *c, const struct plan_op *o)
{
	pg_array_int4(&c[0], (int32_t)record_number(&o->body, F_VERIFY_ANSWER_YEAR));
	if (record_has(&o->body, F_VERIFY_ANSWER_DESTINATION) && o->body.value[F_VERIFY_ANSWER_DESTINATION].len == ID_SIZE)
		pg_array_bytes(&c[1], o->body.value[F_VERIFY_ANSWER_DESTINATION].data, ID_SIZE);
	else
		pg_array_null(&c[1]);
}

static void add_slip(struct pg_array *c, const struct plan_op *o)
{
	pg_array_bytes(&c[0], o->op->id.data, ID_SIZE);
}

static void send_writers(struct group *g)
{
	struct pg_array ord = {0}, id = {0}, groups = {0};
	struct db_params p = {0};

	pg_array_begin(&ord, PG_INT4);
	pg_array_begin(&id, PG_UUID);
	pg_array_begin(&groups, PG_INT4);
	for (size_t i = 0; i < g->count; i++)
		for (size_t k = 0; k < g->member[i].limit; k++) {
			const struct plan_op *o = &g->member[i].push.ops[k];
			if (!o->kind || o->fault.code || !o->op->n_seen)
				continue;
			pg_array_int4(&ord, ord_of(i, k));
			pg_array_bytes(&id, o->op->id.data, ID_SIZE);
			pg_array_int4(&groups, (int32_t)o->groups);
		}
	g->writers_at = -1;
	if (ord.count) {
		db_array(&p, &ord);
		db_array(&p, &id);
		db_array(&p, &groups);
		g->writers_at = g->task.sent;
		db_task_query(&g->task, &read_writers, &p);
	}
	pg_array_free(&ord);
	pg_array_free(&id);
	pg_array_free(&groups);
}

static bool is_put_on_something(const struct plan_op *o)
{
	return o->kind && !o->fault.code && o->op->action == JINGGUAN__V1__ACTION__PUT && o->kind->of >= 0 && o->body.value[o->kind->of].len == ID_SIZE;
}

/* What the records are that pushed ones hang on. */
static void send_targets(struct group *g)
{
	struct pg_array c[3] = {0};
	struct db_params p = {0};

	pg_array_begin(&c[0], PG_INT4);
	pg_array_begin(&c[1], PG_TEXT);
	pg_array_begin(&c[2], PG_UUID);
	for (size_t i = 0; i < g->count; i++)
		for (size_t k = 0; k < g->member[i].limit; k++) {
			const struct plan_op *o = &g->member[i].push.ops[k];
			if (!is_put_on_something(o))
				continue;
			pg_array_int4(&c[0], ord_of(i, k));
			pg_array_text(&c[1], g->member[i].request->caller.school);
			pg_array_bytes(&c[2], o->body.value[o->kind->of].data, ID_SIZE);
		}
	g->targets_at = -1;
	if (c[0].count) {
		for (size_t i = 0; i < 3; i++)
			db_array(&p, &c[i]);
		g->targets_at = g->task.sent;
		db_task_query(&g->task, &read_targets, &p);
	}
	for (size_t i = 0; i < 3; i++)
		pg_array_free(&c[i]);
}

/* A registrar or a head writes for every class, and nobody else's session carries what others wrote (push_plan.c). */
static bool class_matters(const struct request *r, const struct plan_op *o)
{
	return o->kind && !o->fault.code && o->kind->writers & 1u << ROLE_CLASS_TEACHER &&
		!(r->caller.roles & PLAN_ALL_CLASSES && o->op->author && strcmp(o->op->author, r->caller.user) == 0);
}

static void add_text_named(struct pg_array *a, const struct record *r, const char *field)
{
	int i = kind_field_index(r->kind, field);

	if (i >= 0)
		add_text_field(a, r, i);
	else
		pg_array_null(a);
}

static void add_scope(struct pg_array *c, int32_t ord, const char *school, const struct plan_op *o)
{
	pg_array_int4(&c[0], ord);
	pg_array_text(&c[1], school);
	pg_array_int4(&c[2], (int32_t)o->kind->number);
	pg_array_bytes(&c[3], o->op->id.data, ID_SIZE);
	if (is_put_on_something(o))
		pg_array_bytes(&c[4], o->body.value[o->kind->of].data, ID_SIZE);
	else
		pg_array_null(&c[4]);
	add_text_named(&c[5], &o->body, "cert_no");
	add_text_named(&c[6], &o->body, "student_no");
}

static void send_scopes(struct group *g)
{
	static const enum pg_type types[7] = {PG_INT4, PG_TEXT, PG_INT4, PG_UUID, PG_UUID, PG_TEXT, PG_TEXT};
	struct pg_array c[7] = {0};
	struct db_params p = {0};

	for (size_t i = 0; i < 7; i++)
		pg_array_begin(&c[i], types[i]);
	for (size_t i = 0; i < g->count; i++)
		for (size_t k = 0; k < g->member[i].limit; k++)
			if (class_matters(g->member[i].request, &g->member[i].push.ops[k]))
				add_scope(c, ord_of(i, k), g->member[i].request->caller.school, &g->member[i].push.ops[k]);
	g->scopes_at = -1;
	if (c[0].count) {
		for (size_t i = 0; i < 7; i++)
			db_array(&p, &c[i]);
		g->scopes_at = g->task.sent;
		db_task_query(&g->task, &read_scopes, &p);
	}
	for (size_t i = 0; i < 7; i++)
		pg_array_free(&c[i]);
}

static bool may_be_hung_on(const struct kind *kind)
{
	for (size_t i = 0; i < kind_count; i++)
		if (hangs_on(&kind_table[i], kind))
			return true;
	return false;
}

static int by_school(const void *a, const void *b)
{
	return strcmp((*(struct member *const *)a)->request->caller.school, (*(struct member *const *)b)->request->caller.school);
}

/* Of one school, those who hang something on a record go together, who deletes one goes alone; in the order of the schools, behind the
 * devices and before all records. */
static void lock_schools(struct group *g)
{
	struct pg_array schools = {0}, alone = {0};
	struct db_params p = {0};
	struct member *members[PUSH_GROUP_MAX] = {0};

	for (size_t i = 0; i < g->count; i++)
		members[i] = &g->member[i];
	qsort(members, g->count, sizeof *members, by_school);
	pg_array_begin(&schools, PG_INT8);
	pg_array_begin(&alone, PG_BOOL);
	for (size_t i = 0; i < g->count; i++) {
		bool hangs = false, deletes = false;
		for (size_t k = 0; k < members[i]->limit; k++) {
			const struct plan_op *o = &members[i]->push.ops[k];
			if (!o->kind || o->fault.code)
				continue;
			hangs |= o->op->action == JINGGUAN__V1__ACTION__PUT && o->kind->of >= 0;
			deletes |= o->op->action == JINGGUAN__V1__ACTION__DEL && may_be_hung_on(o->kind);
		}
		if (!hangs && !deletes)
			continue;
		pg_array_int8(&schools, strtoll(members[i]->request->caller.school, NULL, 10));
		pg_array_bool(&alone, deletes);
	}
	if (schools.count) {
		db_array(&p, &schools);
		db_array(&p, &alone);
		db_task_query(&g->task, &lock_hooks, &p);
	}
	pg_array_free(&schools);
	pg_array_free(&alone);
}

static void send_hangers(struct group *g)
{
	struct pg_array ord = {0}, id = {0};
	struct db_params p = {0};

	pg_array_begin(&ord, PG_INT4);
	pg_array_begin(&id, PG_UUID);
	for (size_t i = 0; i < g->count; i++)
		for (size_t k = 0; k < g->member[i].limit; k++) {
			const struct plan_op *o = &g->member[i].push.ops[k];
			if (!o->kind || o->fault.code || o->op->action != JINGGUAN__V1__ACTION__DEL)
				continue;
			if (!may_be_hung_on(o->kind))
				continue;
			pg_array_int4(&ord, ord_of(i, k));
			pg_array_bytes(&id, o->op->id.data, ID_SIZE);
		}
	g->hangers_at = -1;
	if (ord.count) {
		db_array(&p, &ord);
		db_array(&p, &id);
		g->hangers_at = g->task.sent;
		db_task_query(&g->task, &read_hangers, &p);
	}
	pg_array_free(&ord);
	pg_array_free(&id);
}

static void send_guards(struct group *g)
{
	struct pg_array filing[6] = {0}, verify[4] = {0}, slip[3] = {0};
	static const enum pg_type filing_types[6] = {PG_INT4, PG_TEXT, PG_INT4, PG_TEXT, PG_BOOL, PG_TEXT};
	static const enum pg_type verify_types[4] = {PG_INT4, PG_TEXT, PG_INT4, PG_UUID};
	static const enum pg_type slip_types[3] = {PG_INT4, PG_TEXT, PG_UUID};

	for (size_t i = 0; i < 6; i++)
		pg_array_begin(&filing[i], filing_types[i]);
	for (size_t i = 0; i < 4; i++)
		pg_array_begin(&verify[i], verify_types[i]);
	for (size_t i = 0; i < 3; i++)
		pg_array_begin(&slip[i], slip_types[i]);
	g->guards_at[0] = send_columns(g, KIND_FILING, &guard_filing, filing, 6, add_filing);
	g->guards_at[1] = send_columns(g, KIND_VERIFY_ANSWER, &guard_verify, verify, 4, add_verify);
	g->guards_at[2] = send_columns(g, KIND_SLIP_ADDRESSEE, &guard_slip, slip, 3, add_slip);
}

static void send_others(struct group *g)
{
	struct pg_array c[6] = {0};
	struct db_params p = {0};

	pg_array_begin(&c[0], PG_INT4);
	for (size_t i = 1; i < 6; i++)
		pg_array_begin(&c[i], PG_TEXT);
	for (size_t i = 0; i < g->count; i++) {
		const struct member *m = &g->member[i];
		for (size_t k = 0; k < m->limit; k++) {
			const struct plan_op *o = &m->push.ops[k];
			if (!o->kind || o->kind->number != KIND_DESTINATION || o->fault.code)
				continue;
			pg_array_int4(&c[0], ord_of(i, k));
			add_text_field(&c[1], &o->body, F_DESTINATION_CATEGORY);
			add_text_field(&c[2], &o->body, F_DESTINATION_DEST_SCHOOL);
			add_text_field(&c[3], &o->body, F_DESTINATION_DEST_SCHOOL_NAME);
			add_text_field(&c[4], &o->body, F_DESTINATION_PLACE);
			pg_array_text(&c[5], m->request->caller.school);
		}
	}
	g->others_at = -1;
	if (c[0].count) {
		for (size_t i = 0; i < 6; i++)
			db_array(&p, &c[i]);
		g->others_at = g->task.sent;
		db_task_query(&g->task, &read_others, &p);
	}
	for (size_t i = 0; i < 6; i++)
		pg_array_free(&c[i]);
}

static bool group_scope(struct group *g)
{
	struct buf schools = {0};

	for (size_t i = 0; i < g->count; i++)
		buf_printf(&schools, "%s%s", i ? "," : "", g->member[i].request->caller.school);
	buf_u8(&schools, 0);
	bool whole = !schools.failed; /* in half a scope records that stand would look as if they did not */
	/* A second attempt looks without the school's blinkers: an id that another school owns is then refused, not retried. */
	if (whole)
		scope_begin(&g->task, g->worker->server->conf.county, g->attempts ? SCOPE_JOB : SCOPE_SCHOOL,
			(const char *)schools.data, "");
	buf_free(&schools);
	return whole;
}

bool push_facts_send(struct group *g)
{
	if (!group_scope(g))
		return false;
	send_devices(g);
	send_authors(g);
	send_replays(g);
	db_task_query(&g->task, &hold_years, NULL);
	lock_schools(g);
	for (size_t k = 0; k < kind_count; k++)
		if (!send_kind(g, &kind_table[k]))
			return false;
	send_others(g);
	send_guards(g);
	send_writers(g);
	send_targets(g);
	send_scopes(g);
	send_hangers(g);
	return true;
}

/* ---- reading the answers ---- */

static struct member *member_of_device(struct group *g, const uint8_t *device)
{
	for (size_t i = 0; i < g->count; i++)
		if (memcmp(g->member[i].request->caller.device, device, ID_SIZE) == 0)
			return &g->member[i];
	return NULL;
}

bool push_facts_devices(struct group *g)
{
	const PGresult *r = g->task.result[0];
	size_t n;

	for (int i = 0; i < PQntuples(r); i++) {
		struct member *m = member_of_device(g, db_get_bytes(r, i, 0, &n));
		assert(m); /* only the group's own devices were asked for */
		struct plan_device *d = &m->facts.device;
		d->known = !db_get_int(r, i, 4);
		memcpy(d->id, m->request->caller.device, ID_SIZE);
		d->incarnation = (uint32_t)db_get_int(r, i, 1);
		d->last_op = (uint64_t)db_get_int(r, i, 2);
		memcpy(d->last_hash, db_get_bytes(r, i, 3, &n), HASH_SIZE);
		d->epoch = (uint64_t)db_get_int(r, i, 5);
	}
	for (size_t i = 0; i < g->count; i++)
		if (!g->member[i].facts.device.known)
			return false;
	return true;
}

static bool read_author_rows(struct group *g)
{
	const PGresult *r = g->task.result[1];
	int n = PQntuples(r);
	size_t len, lengths[32];
	const char *texts[32];
	int32_t roles[16];

	for (size_t i = 0; i < g->count; i++) {
		struct plan_author *list = arena_alloc(&g->arena, sizeof *list * (size_t)(n + 1));
		if (!list)
			return false;
		g->member[i].facts.authors = list;
	}
	for (int i = 0; i < n; i++) {
		struct member *m = member_of_device(g, db_get_bytes(r, i, 0, &len));
		struct plan_author *a = (struct plan_author *)(uintptr_t)&m->facts.authors[m->facts.author_count++];
		snprintf(a->name, sizeof a->name, "%s", db_get_text(r, i, 1));
		int count = db_get_ints(r, i, 2, roles, 16);
		for (int k = 0; k < count && k < 16; k++)
			a->roles |= 1u << roles[k];
		count = db_get_texts(r, i, 3, texts, lengths, 32);
		for (int k = 0; k < count && k < 32; k++)
			snprintf(a->classes[a->class_count++], sizeof a->classes[0], "%.*s", (int)lengths[k], texts[k]);
		a->may_write = db_get_int(r, i, 4);
	}
	return true;
}

static bool read_replay_rows(struct group *g)
{
	const PGresult *r = g->task.result[2];
	int n = PQntuples(r);
	size_t len;

	for (size_t i = 0; i < g->count; i++) {
		struct plan_replay *list = arena_alloc(&g->arena, sizeof *list * (size_t)(n + 1));
		if (!list)
			return false;
		g->member[i].facts.replays = list;
	}
	for (int i = 0; i < n; i++) {
		struct member *m = member_of_device(g, db_get_bytes(r, i, 0, &len));
		struct plan_replay *p = (struct plan_replay *)(uintptr_t)&m->facts.replays[m->facts.replay_count++];
		p->first_op = (uint64_t)db_get_int(r, i, 1);
		p->last_op = (uint64_t)db_get_int(r, i, 2);
		p->shas = db_get_bytes(r, i, 3, &len);
		const uint8_t *bytes = db_get_bytes(r, i, 4, &len);
		/* The answer must outlive the result: it is sent after the second trip. */
		m->push.arena->refused = ERR_OK;
		const uint8_t *copy = arena_copy(m->push.arena, bytes, len);
		p->reply = len && copy ? (const pb_push_reply *)protobuf_c_message_unpack(&pb_push_reply_desc, &m->push.arena->allocator, len, copy) : NULL;
		if (m->push.arena->refused)
			return false; /* not to be taken for an answer that was pruned */
	}
	return true;
}

static bool read_record_rows(struct group *g)
{
	size_t n = 0, holders = 0, len;

	for (size_t k = 0; k < kind_count; k++) {
		n += g->at[k].lock >= 0 ? (size_t)PQntuples(g->task.result[g->at[k].lock]) : 0;
		holders += g->at[k].holders >= 0 ? (size_t)PQntuples(g->task.result[g->at[k].holders]) : 0;
	}
	struct row *rows = arena_alloc(&g->arena, sizeof *rows * (n + 1));
	struct plan_holder *held = arena_alloc(&g->arena, sizeof *held * (holders + 1));
	if (!rows || !held)
		return false;
	n = holders = 0;
	for (size_t k = 0; k < kind_count; k++) {
		const PGresult *r = g->at[k].lock >= 0 ? g->task.result[g->at[k].lock] : NULL;
		for (int i = 0; r && i < PQntuples(r); i++)
			record_db_read(r, i, &kind_table[k], &rows[n++]);
		r = g->at[k].holders >= 0 ? g->task.result[g->at[k].holders] : NULL;
		for (int i = 0; r && i < PQntuples(r); i++) {
			held[holders].kind = &kind_table[k];
			held[holders].key = db_get_text(r, i, 0);
			held[holders].owner = db_get_text(r, i, 1);
			memcpy(held[holders++].id, db_get_bytes(r, i, 2, &len), ID_SIZE);
		}
	}
	/* Every push sees all rows of the group; ids are unique and keys carry their owner. */
	for (size_t i = 0; i < g->count; i++) {
		struct plan_facts *f = &g->member[i].facts;
		f->rows = rows;
		f->row_count = n;
		f->holders = held;
		f->holder_count = holders;
	}
	return true;
}

/* What a guard answers is one of our names. */
static enum err err_of_guard(const char *name)
{
	const struct err_info *info = err_info_by_name(name);

	return info ? info->code : ERR_INTERNAL;
}

static struct problem *new_refusal(struct group *g, int ord)
{
	struct plan_facts *f = &g->member[ord / PUSH_OPS_MAX].facts;
	struct plan_refusal *x = (struct plan_refusal *)(uintptr_t)&f->refusals[f->refusal_count++];

	x->op = (uint32_t)(ord % PUSH_OPS_MAX);
	return &x->problem;
}

static bool read_guard_rows(struct group *g)
{
	for (size_t i = 0; i < g->count; i++) {
		struct member *m = &g->member[i];
		struct plan_refusal *list = arena_alloc(&g->arena, sizeof *list * (4 * m->limit + 1));
		char(*others)[SCHOOL_TEXT] = arena_alloc(&g->arena, sizeof *others * (m->limit + 1));
		if (!list || !others)
			return false;
		m->facts.refusals = list;
		m->facts.others = (const char(*)[SCHOOL_TEXT])others;
	}
	for (int k = 0; k < 3; k++) {
		const PGresult *r = g->guards_at[k] >= 0 ? g->task.result[g->guards_at[k]] : NULL;
		for (int i = 0; r && i < PQntuples(r); i++)
			problem_set(new_refusal(g, (int)db_get_int(r, i, 0)), err_of_guard(db_get_text(r, i, 1)), db_get_text(r, i, 2), NULL, "%s", db_get_text(r, i, 3));
	}
	const PGresult *r = g->others_at >= 0 ? g->task.result[g->others_at] : NULL;
	for (int i = 0; r && i < PQntuples(r); i++) {
		int ord = (int)db_get_int(r, i, 0);
		char(*others)[SCHOOL_TEXT] = (char(*)[SCHOOL_TEXT])(uintptr_t)g->member[ord / PUSH_OPS_MAX].facts.others;
		snprintf(others[ord % PUSH_OPS_MAX], SCHOOL_TEXT, "%s", db_get_text(r, i, 1));
		if (!db_is_null(r, i, 2))
			problem_set(new_refusal(g, ord), ERR_INVALID, "dest_school", NULL, "%s", db_get_text(r, i, 2));
	}
	return true;
}

static bool read_writer_rows(struct group *g)
{
	const PGresult *r = g->writers_at >= 0 ? g->task.result[g->writers_at] : NULL;

	for (size_t i = 0; r && i < g->count; i++)
		if (!(g->member[i].facts.writers = arena_alloc(&g->arena, sizeof(struct plan_writer) * (g->member[i].limit + 1))))
			return false;
	for (int i = 0; r && i < PQntuples(r); i++) {
		int ord = (int)db_get_int(r, i, 0);
		struct plan_writer *w = (struct plan_writer *)(uintptr_t)&g->member[ord / PUSH_OPS_MAX].facts.writers[ord % PUSH_OPS_MAX];
		*w = (struct plan_writer){db_get_text(r, i, 1), db_get_int(r, i, 2)};
	}
	return true;
}

static bool read_target_rows(struct group *g)
{
	const PGresult *r = g->targets_at >= 0 ? g->task.result[g->targets_at] : NULL;

	for (size_t i = 0; r && i < g->count; i++)
		if (!(g->member[i].facts.targets = arena_alloc(&g->arena, sizeof(struct plan_target) * (g->member[i].limit + 1))))
			return false;
	for (int i = 0; r && i < PQntuples(r); i++) {
		int ord = (int)db_get_int(r, i, 0);
		struct plan_target *t = (struct plan_target *)(uintptr_t)&g->member[ord / PUSH_OPS_MAX].facts.targets[ord % PUSH_OPS_MAX];
		*t = (struct plan_target){(uint32_t)db_get_int(r, i, 1), db_get_int(r, i, 2) != 0};
	}
	return true;
}

static bool read_scope_rows(struct group *g)
{
	const PGresult *r = g->scopes_at >= 0 ? g->task.result[g->scopes_at] : NULL;

	for (size_t i = 0; r && i < g->count; i++)
		if (!(g->member[i].facts.scopes = arena_alloc(&g->arena, sizeof(struct plan_scope) * ((size_t)PQntuples(r) + 1))))
			return false;
	for (int i = 0; r && i < PQntuples(r); i++) {
		int ord = (int)db_get_int(r, i, 0);
		struct plan_facts *f = &g->member[ord / PUSH_OPS_MAX].facts;
		struct plan_scope *s = (struct plan_scope *)(uintptr_t)&f->scopes[f->scope_count++];
		s->op = (uint32_t)(ord % PUSH_OPS_MAX);
		class_scope_make(s->scope, db_get_text(r, i, 1), db_get_text(r, i, 2));
		s->named = db_get_int(r, i, 3) != 0;
	}
	return true;
}

static bool read_hanger_rows(struct group *g)
{
	const PGresult *r = g->hangers_at >= 0 ? g->task.result[g->hangers_at] : NULL;
	size_t len;

	for (size_t i = 0; r && i < g->count; i++)
		if (!(g->member[i].facts.hangers = arena_alloc(
			      &g->arena, sizeof(struct plan_hanger) * ((size_t)PQntuples(r) + 1))))
			return false;
	for (int i = 0; r && i < PQntuples(r); i++) {
		int ord = (int)db_get_int(r, i, 0);
		struct plan_facts *f = &g->member[ord / PUSH_OPS_MAX].facts;
		struct plan_hanger *h = (struct plan_hanger *)(uintptr_t)&f->hangers[f->hanger_count++];
		h->op = (uint32_t)(ord % PUSH_OPS_MAX);
		memcpy(h->id, db_get_bytes(r, i, 1, &len), ID_SIZE);
	}
	return true;
}

static struct plan_years *years_of(struct group *g, const PGresult *years, int column)
{
	struct plan_years *list = arena_alloc(&g->arena, sizeof *list);

	if (list) {
		int n = db_get_ints(years, 0, column, list->year, PLAN_YEARS);
		list->count = n < PLAN_YEARS ? (size_t)n : PLAN_YEARS;
	}
	return list;
}

bool push_facts_read(struct group *g)
{
	const PGresult *years = g->task.result[3];
	struct plan_years *closed = years_of(g, years, 1), *known = years_of(g, years, 2);

	if (!closed || !known)
		return false;
	for (size_t i = 0; i < g->count; i++) {
		struct member *m = &g->member[i];
		m->facts.county = g->worker->server->conf.county;
		m->facts.today = (int32_t)db_get_int(years, 0, 0);
		m->facts.closed = *closed;
		m->facts.known = *known;
		snprintf(m->facts.school, sizeof m->facts.school, "%s", m->request->caller.school);
		m->facts.user = m->request->caller.user;
		m->facts.carries_others = m->request->caller.roles >> ROLE_REGISTRAR & 1;
	}
	return read_author_rows(g) && read_replay_rows(g) && read_record_rows(g) && read_guard_rows(g) && read_writer_rows(g) && read_target_rows(g) &&
	       read_scope_rows(g) &&
	       read_hanger_rows(g);
}
