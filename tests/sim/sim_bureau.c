/* What the server writes by itself, and the bureau through it: records of the county, which every school
 * reads, and those that are sent to schools, which answer them (sim_people.c). Any kind that schools do not
 * own, through the door that every service takes (record_edit.h, effects_send). When a service does what is
 * its own business: tests/e2e. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "record_edit.h"
#include "sim_told.h"
#include "sim_values.h"
#include "tables.h"

/* What was sent to the database; and what a clean COMMIT then said, a promise like an answer to a device. */
struct written {
	struct written *next;
	uint8_t id[ID_SIZE];
	uint32_t kind;
	int64_t ver;
	uint64_t lossy; /* of which history the COMMIT was, as world.speaks says; NO_PROMISE: not told */
};
#define NO_PROMISE UINT64_MAX
static struct written *all_written;

/* One change, in the request's arena. */
struct deed {
	const struct kind *kind;
	bool fresh;
	struct stored row; /* as it is to be, when it is fresh */
	uint8_t id[ID_SIZE];
	struct record_edits edits;
	struct words words;
};

/* ---- choosing a record ---- */

struct choice {
	unsigned n; /* of how many */
	uint8_t id[ID_SIZE];
};

static void choose(void *data, const void *row)
{
	struct choice *x = data;
	struct stored r;

	db_record(row, &r);
	if (!r.state.deleted && draw(++x->n) == 0)
		memcpy(x->id, r.id, ID_SIZE);
}

static const uint8_t *name_one(void *data, const struct kind *kind, int field)
{
	struct choice *x = data;

	x->n = 0;
	for (size_t k = 0; k < kind_count; k++)
		if (values_names(kind, field, &kind_table[k]))
			db_each(T_RECORD + kind_table[k].number, choose, x);
	return x->n ? x->id : NULL;
}

/* ---- a new one ---- */

/* Of the two schools that have what it hangs on, one has a half of it, and the other sees that; of what is
 * the county's, any school. */
static void address(struct stored *row, const char *any)
{
	const struct value *of = &row->state.record.value[row->kind->of];
	struct stored on = {0};

	for (size_t k = 0; k < kind_count; k++) {
		const void *found = db_find(T_RECORD + kind_table[k].number, of->data, ID_SIZE);
		if (found)
			db_record(found, &on);
	}
	bool first = !on.other[0] || chance(500);
	snprintf(row->owner, sizeof row->owner, "%s", !on.owner[0] ? any : first ? on.owner : on.other);
	snprintf(row->other, sizeof row->other, "%s", first ? on.other : on.owner);
	record_set_text(&row->state.record, row->kind->addressee, row->owner);
}

static void draw_other(struct stored *row)
{
	const char *school = sim_schools[draw(SIM_SCHOOLS)];

	if (row->kind->shared)
		snprintf(row->other, sizeof row->other, "%s", strcmp(school, row->owner) == 0 ? "" : school);
}

/* False: it would name what there is not. */
static bool make(struct deed *d)
{
	struct stored *row = &d->row;
	struct choice named;
	const struct writer w = {NULL, sim_schools[draw(SIM_SCHOOLS)], name_one, &named};

	row->kind = d->kind;
	if (!values_draw(&w, d->kind, &row->state.record, &d->words))
		return false;
	if (d->kind->owner == OWNER_COUNTY)
		return true;
	if (d->kind->addressee >= 0) {
		address(row, w.school);
		return true;
	}
	snprintf(row->owner, sizeof row->owner, "%s", w.school);
	draw_other(row);
	return true;
}

/* ---- the transaction ---- */

static void note(const struct record_edits *edits, uint64_t lossy)
{
	for (size_t i = 0; i < edits->part.count; i++) {
		const struct stored *row = record_edited(edits, i);
		struct written *p = sim_alloc(NULL, sizeof *p);
		*p = (struct written){.next = all_written,
			.kind = row->kind->number,
			.ver = row->state.ver,
			.lossy = lossy};
		memcpy(p->id, row->id, ID_SIZE);
		all_written = p;
	}
}

static void done(struct request *r)
{
	const struct deed *d = r->data;
	pb_empty nothing = PB_EMPTY_INIT;

	for (size_t i = 0; i < d->edits.part.count; i++) {
		const struct stored *row = record_edited(&d->edits, i);
		const char *what = row->kind->owner == OWNER_COUNTY ? "county's record written"
								    : "server's record written";
		sim_met(row->state.deleted ? "server's record deleted" : what);
		sim_trace("bureau", row->kind->number, (uint64_t)row->state.ver);
	}
	note(&d->edits, world.speaks);
	request_reply(r, &nothing.base);
}

static void change(struct deed *d, const struct stored *now)
{
	struct choice named;
	const struct writer w = {NULL, now ? now->owner : "", name_one, &named};

	if (now && chance(100)) {
		record_edit_delete(&d->edits, now);
		return;
	}
	struct stored *row = record_edit(&d->edits, d->kind, now);
	if (now) {
		values_redraw(&w, &row->state.record, 1u << draw(d->kind->group_count), 0, &d->words);
		if (d->kind->addressee < 0 && chance(200))
			draw_other(row);
	} else {
		row->state.record = d->row.state.record;
		snprintf(row->owner, sizeof row->owner, "%s", d->row.owner);
		snprintf(row->other, sizeof row->other, "%s", d->row.other);
	}
	record_edit_end(&d->edits);
}

static void plan(struct request *r)
{
	struct deed *d = r->data;
	const PGresult *there = db_task_result(&r->task, NULL);
	struct stored now;

	if (!record_edits_begin(&d->edits, r, 1)) {
		request_fail(r, ERR_NOMEM, NULL, NULL);
		return;
	}
	if (!d->fresh && PQntuples(there))
		record_db_read(there, 0, d->kind, &now);
	bool stands = !d->fresh && PQntuples(there) && !now.state.deleted;
	if (stands || (d->fresh && !PQntuples(there)))
		change(d, stands ? &now : NULL);
	enum err e = effects_send(&r->task, SIM_COUNTY, &d->edits.part, 1);
	if (e) {
		request_fail(r, e, NULL, NULL);
		return;
	}
	note(&d->edits, NO_PROMISE);
	db_task_commit(&r->task);
	request_trip(r, done);
}

static void query(struct request *r)
{
	struct deed *d = r->data;
	struct pg_array a = {0}, owners = {0};

	request_scope(r, SCOPE_JOB, "");
	if (d->fresh) { /* whether somebody has its key */
		char *key = record_key(&d->row.state.record, &r->arena);
		pg_array_begin(&a, PG_TEXT);
		pg_array_begin(&owners, PG_TEXT);
		pg_array_text(&a, key ? key : "");
		pg_array_text(&owners, d->row.owner);
		record_db_holders(&r->task, d->kind, &a, &owners);
	} else {
		pg_array_begin(&a, PG_UUID);
		pg_array_bytes(&a, d->id, ID_SIZE);
		record_db_lock(&r->task, d->kind, &a);
	}
	pg_array_free(&a);
	pg_array_free(&owners);
	request_trip(r, plan);
}

/* ---- by the clock ---- */

static const struct kind *draw_kind(void)
{
	const struct kind *kind = NULL;
	unsigned n = 0;

	for (size_t k = 0; k < kind_count; k++)
		if (kind_table[k].owner != OWNER_SCHOOL && draw(++n) == 0)
			kind = &kind_table[k];
	return kind;
}

/* The handler; run again when the database was short of something. */
static void begin(struct request *r)
{
	struct deed *d = arena_alloc(&r->arena, sizeof *d);
	struct choice x = {0};

	if (!d) {
		request_fail(r, ERR_NOMEM, NULL, NULL);
		return;
	}
	d->kind = draw_kind();
	db_each(T_RECORD + d->kind->number, choose, &x);
	d->fresh = !x.n || d->kind->append_only || chance(400);
	memcpy(d->id, x.id, ID_SIZE);
	r->data = d;
	if (d->fresh && !make(d))
		request_fail(r, ERR_NOT_FOUND, NULL, NULL);
	else
		request_begin(r, query);
}

static void act(void *data)
{
	struct sim_server *s = data;

	memory_arm(SERVER_SHORT, 6);
	struct request *r = request_internal(&s->worker, NULL);
	if (r)
		request_start(r, begin);
}

static void on_due(void *data)
{
	struct sim_server *s = &world.servers[draw(SIM_SERVERS)];

	(void)data;
	if (!world.faults)
		return;
	sim_at(draw_between(1 * SECOND, 8 * SECOND), NULL, on_due, NULL);
	if (s->up)
		server_call(s, act, s);
}

void bureau_begin(void)
{
	while (all_written) {
		struct written *next = all_written->next;
		free(all_written);
		all_written = next;
	}
	sim_at(1 * SECOND, NULL, on_due, NULL);
}

void bureau_check(void)
{
	struct stored now;

	for (const struct written *p = all_written; p; p = p->next) {
		const void *row = db_find(T_RECORD + p->kind, p->id, ID_SIZE);
		if (row)
			db_record(row, &now);
		demand(p->lossy != world.lossy || (row && now.state.ver >= p->ver), "I1",
			"a %s that the server wrote is lost", kind_by_number(p->kind)->table);
	}
}

bool bureau_wrote(const uint8_t id[ID_SIZE])
{
	for (const struct written *p = all_written; p; p = p->next)
		if (memcmp(p->id, id, ID_SIZE) == 0)
			return true;
	return false;
}
