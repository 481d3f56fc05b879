/* The transition by the clock: the nightly run of each year from its verification on, slips whose term has
 * passed, reminders. */
#include "transition_calls.h"

#include <string.h>

#include "clock.h"
#include "record_edit.h"
#include "log.h"
#include "request.h"

#define YEARS_MAX 8

struct night {
	struct record_edits edits;
	int32_t years[YEARS_MAX];
	int count;
	size_t escalated;
};

/* A year is due when nobody has run it since two o'clock; a run by hand counts, so that nothing changes under
 * a clerk who has just looked at another day. */
static const struct db_stmt due_years = {
	"SELECT c.year"
	" FROM cycle c"
	" WHERE c.county = app_county() AND NOT c.deleted AND c.phase = 'verify'"
	" AND NOT EXISTS (SELECT 1 FROM reconcile_run r"
	" WHERE r.county = c.county AND r.year = c.year"
	" AND r.at >= date_trunc('day',"
	" jg_now() AT TIME ZONE 'Asia/Shanghai' - interval '2 hours') AT TIME ZONE 'Asia/Shanghai' +"
	" interval '2 hours')"
	" ORDER BY c.year"
	" LIMIT 8"};
static const struct db_stmt read_now = {"SELECT jg_now()"};
static const struct db_stmt due_reminders = {"SELECT school, about, what, round, due FROM reminders_due()"};
enum { DUE_SCHOOL, DUE_ABOUT, DUE_WHAT, DUE_ROUND, DUE_DUE };

static bool is_overdue(const struct stored *slip, int64_t now)
{
	const struct record *s = &slip->state.record;

	return !record_number(s, F_SLIP_ESCALATED) && record_has(s, F_SLIP_RESOLVE_DUE) &&
		record_number(s, F_SLIP_RESOLVE_DUE) <= now && !record_is(s, F_SLIP_STATE, "closed") &&
		!record_is(s, F_SLIP_STATE, "draft");
}

/* Escalation is a fact both schools see; the slip stays open. */
static void escalate(struct night *night, const PGresult *slips, int64_t now)
{
	const struct kind *kind = kind_by_number(KIND_SLIP);
	struct stored slip;

	for (int i = 0; i < PQntuples(slips); i++) {
		record_db_read(slips, i, kind, &slip);
		if (!is_overdue(&slip, now))
			continue;
		record_set_number(
			&record_edit(&night->edits, kind, &slip)->state.record, F_SLIP_ESCALATED, 1);
		night->escalated += record_edit_end(&night->edits);
	}
}

/* A reminder is a record in its school's stream: seen at the next sync, kept for the auditor, made once. */
static void remind(struct request *r, struct night *night, const PGresult *due, int64_t now)
{
	const struct kind *kind = kind_by_number(KIND_REMINDER);
	size_t len;

	for (int i = 0; i < PQntuples(due); i++) {
		struct stored *row = record_edit(&night->edits, kind, NULL);
		struct record *reminder = &row->state.record;
		snprintf(row->owner, sizeof row->owner, "%s", db_get_text(due, i, DUE_SCHOOL));
		record_set_bytes(reminder, F_REMINDER_ABOUT,
			arena_copy(&r->arena, db_get_bytes(due, i, DUE_ABOUT, &len), ID_SIZE), ID_SIZE);
		record_set_text(reminder, F_REMINDER_WHAT,
			arena_printf(&r->arena, "%s", db_get_text(due, i, DUE_WHAT)));
		record_set_number(reminder, F_REMINDER_ROUND, db_get_int(due, i, DUE_ROUND));
		record_set_number(reminder, F_REMINDER_DUE, db_get_int(due, i, DUE_DUE));
		record_set_number(reminder, F_REMINDER_AT, now);
		record_edit_end(&night->edits);
	}
}

static void night_done(struct request *r)
{
	const struct night *night = r->data;
	pb_empty nothing = PB_EMPTY_INIT;

	for (int i = 0; i < night->count; i++) {
		struct request *run =
			request_internal(r->worker, method_by_number(METHOD_TRANSITION_RECONCILE));
		pb_reconcile_request *q = run ? arena_alloc(&run->arena, sizeof *q) : NULL;
		if (!q)
			break;
		*q = (pb_reconcile_request)PB_RECONCILE_REQUEST_INIT;
		q->has_year = 1;
		q->year = night->years[i];
		run->message = &q->base;
		log_info("nightly run of %d", q->year);
		request_start(run, transition_reconcile);
	}
	if (night->edits.part.count)
		log_info("%zu slips are past their term, %zu reminders sent", night->escalated,
			night->edits.part.count - night->escalated);
	request_reply(r, &nothing.base);
}

static void night_plan(struct request *r)
{
	const PGresult *due = request_result(r, &due_years);
	const PGresult *slips = record_db_all_rows(&r->task, kind_by_number(KIND_SLIP)),
		       *reminders = request_result(r, &due_reminders);
	int64_t now = db_get_int(request_result(r, &read_now), 0, 0);
	struct night *night = arena_alloc(&r->arena, sizeof *night);

	if (!night ||
		!record_edits_begin(&night->edits, r, (size_t)(PQntuples(slips) + PQntuples(reminders)))) {
		request_fail(r, ERR_NOMEM, NULL, NULL);
		return;
	}
	r->data = night;
	for (int i = 0; i < PQntuples(due) && i < YEARS_MAX; i++)
		night->years[night->count++] = (int32_t)db_get_int(due, i, 0);
	escalate(night, slips, now);
	remind(r, night, reminders, now);
	record_edits_commit(&night->edits, r, night_done);
}

static void night_query(struct request *r)
{
	request_scope(r, SCOPE_JOB, "");
	request_query(r, &due_years, NULL);
	record_db_all(&r->task, kind_by_number(KIND_SLIP));
	request_query(r, &read_now, NULL);
	request_query(r, &due_reminders, NULL);
	request_trip(r, night_plan);
}

static void night_run(struct request *r)
{
	request_begin(r, night_query);
}

const struct service_job transition_jobs[] = {{"night", NIGHT_EVERY_S, night_run}, {NULL, 0, NULL}};
