/* Reconciliation and what follows from it: 交办单 made, changed, closed and re-opened in the very transaction
 * of the run; issued to both addressees at once; reviewed. Slips are records: both feeds are
 * raised by effects. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "access_log.h"
#include "clock.h"
#include "codes.h"
#include "lang.h"
#include "log.h"
#include "transition_slips.h"

#define BUREAU "bureau" /* home of a child without a catchment: the bureau itself, which is no addressee */

static const struct db_stmt run_reconcile = {
	"SELECT baseline, confirmed, provisional, exempt, mismatched, outside, changed, elapsed_ms,"
	" run_as_of"
	" FROM transition_reconcile($1::int,"
	/* What follows from a decision is judged by the day that the last run looked at. */
	" CASE WHEN $3::boolean"
	" THEN coalesce((SELECT as_of FROM reconcile_run WHERE county = app_county() AND year = $1::int"
	" ORDER BY run_no DESC LIMIT 1),"
	" jg_today())"
	" ELSE $2::date END)"};
enum {
	COUNT_BASELINE,
	COUNT_CONFIRMED,
	COUNT_PROVISIONAL,
	COUNT_EXEMPT,
	COUNT_MISMATCHED,
	COUNT_OUTSIDE,
	COUNT_CHANGED,
	COUNT_ELAPSED_MS,
	COUNT_AS_OF
};
static const struct db_stmt needed_slips = {
	"SELECT pupil, action, slip, source, home, coalesce(codes, ''), coalesce(severity, ''), found_at,"
	" issue_due, round, coalesce(name, ''), coalesce(cert_no, ''), coalesce(student_no, '')"
	" FROM transition_slips_needed($1::int)"};
enum {
	NEEDED_PUPIL,
	NEEDED_ACTION,
	NEEDED_SLIP,
	NEEDED_SOURCE,
	NEEDED_HOME,
	NEEDED_CODES,
	NEEDED_SEVERITY,
	NEEDED_FOUND_AT,
	NEEDED_ISSUE_DUE,
	NEEDED_ROUND,
	NEEDED_NAME,
	NEEDED_CERT_NO,
	NEEDED_STUDENT_NO
};
static const struct db_stmt read_moment = {
	"SELECT jg_now(), slip_deadline(jg_now(), (SELECT resolve_days FROM transition_settings($1::int))),"
	" (SELECT count(*) FROM slip WHERE county = app_county() AND year = $1::int),"
	" slip_deadline(jg_now(), (SELECT issue_days FROM transition_settings($1::int))),"
	" coalesce((SELECT phase IN ('verify', 'closed') FROM transition_settings($1::int)), false)"};
enum { MOMENT_NOW, MOMENT_RESOLVE_DUE, MOMENT_SLIPS, MOMENT_ISSUE_DUE, MOMENT_SLIPS_BEGUN };

/* ---- reading ---- */

static struct stored *read_all(struct request *r, uint32_t kind, size_t *count)
{
	const struct kind *k = kind_by_number(kind);
	const PGresult *res = record_db_all_rows(&r->task, k);
	size_t n = (size_t)PQntuples(res);
	struct stored *rows = arena_alloc(&r->arena, sizeof *rows * (n + 1));

	*count = 0;
	for (size_t i = 0; rows && i < n; i++)
		record_db_read(res, (int)i, k, &rows[(*count)++]);
	return rows;
}

static bool read_slips(struct request *r, struct slips *s, size_t more)
{
	s->slip = read_all(r, KIND_SLIP, &s->slip_count);
	s->addressee = read_all(r, KIND_SLIP_ADDRESSEE, &s->addressee_count);
	/* every slip and both its addressees */
	return s->slip && s->addressee && record_edits_begin(&s->edits, r, s->slip_count * 3 + more * 3 + 8);
}

static struct stored *find_slip(struct slips *s, const uint8_t *id)
{
	for (size_t i = 0; i < s->slip_count; i++)
		if (memcmp(s->slip[i].id, id, ID_SIZE) == 0)
			return &s->slip[i];
	return NULL;
}

static struct stored *find_addressee(struct slips *s, const uint8_t *slip, const char *school)
{
	for (size_t i = 0; i < s->addressee_count; i++) {
		struct stored *h = &s->addressee[i];
		if (memcmp(h->state.record.value[F_SLIP_ADDRESSEE_SLIP].data, slip, ID_SIZE) == 0 &&
			strcmp(h->owner, school) == 0)
			return h;
	}
	return NULL;
}

/* ---- changing ---- */

static void set_pupil(struct request *r, struct record *slip, const PGresult *n, int i)
{
	size_t len;

	record_set_text(slip, F_SLIP_SOURCE, arena_printf(&r->arena, "%s", db_get_text(n, i, NEEDED_SOURCE)));
	record_set_text(slip, F_SLIP_HOME, arena_printf(&r->arena, "%s", db_get_text(n, i, NEEDED_HOME)));
	record_set_text(slip, F_SLIP_CODES, arena_printf(&r->arena, "%s", db_get_text(n, i, NEEDED_CODES)));
	record_set_text(
		slip, F_SLIP_SEVERITY, arena_printf(&r->arena, "%s", db_get_text(n, i, NEEDED_SEVERITY)));
	record_set_text(slip, F_SLIP_NAME, arena_printf(&r->arena, "%s", db_get_text(n, i, NEEDED_NAME)));
	record_set_text(
		slip, F_SLIP_CERT_NO, arena_printf(&r->arena, "%s", db_get_text(n, i, NEEDED_CERT_NO)));
	record_set_text(
		slip, F_SLIP_STUDENT_NO, arena_printf(&r->arena, "%s", db_get_text(n, i, NEEDED_STUDENT_NO)));
	record_set_bytes(slip, F_SLIP_PUPIL,
		arena_copy(&r->arena, db_get_bytes(n, i, NEEDED_PUPIL, &len), ID_SIZE), ID_SIZE);
}

static void set_owner(struct stored *row, const char *source, const char *home)
{
	snprintf(row->owner, sizeof row->owner, "%s", source);
	snprintf(row->other, sizeof row->other, "%s",
		strcmp(home, BUREAU) == 0 || strcmp(home, source) == 0 ? "" : home);
}

/* A new finding: its clock starts, and the slip waits to be issued. */
static void start_round(struct slips *s, struct record *slip, const PGresult *n, int i)
{
	record_set_number(slip, F_SLIP_YEAR, s->year);
	record_set_text(slip, F_SLIP_STATE, "draft");
	record_set_number(slip, F_SLIP_ROUND, db_get_int(n, i, NEEDED_ROUND));
	record_set_number(slip, F_SLIP_FOUND_AT, s->now);
	record_set_number(slip, F_SLIP_ISSUE_DUE, s->issue_due);
	record_clear(slip, F_SLIP_ISSUED_AT);
	record_clear(slip, F_SLIP_RESOLVE_DUE);
	record_clear(slip, F_SLIP_CLOSED_AT);
	record_clear(slip, F_SLIP_ESCALATED);
	record_clear(slip, F_SLIP_REVIEW_REASON);
}

static void settle_one(struct request *r, struct slips *s, const PGresult *n, int i)
{
	const char *action = db_get_text(n, i, NEEDED_ACTION);
	bool begins = strcmp(action, "create") == 0 || strcmp(action, "reopen") == 0;
	size_t len;

	/* Before the verification every pupil is unsettled: what a run shows then is no finding, and no clock
	 * starts. */
	if (begins && !s->slips_begun)
		return;
	struct stored *now =
		db_is_null(n, i, NEEDED_SLIP) ? NULL : find_slip(s, db_get_bytes(n, i, NEEDED_SLIP, &len));
	struct stored *e = record_edit(&s->edits, kind_by_number(KIND_SLIP), now);
	struct record *slip = &e->state.record;

	if (strcmp(action, "close") == 0) {
		record_set_text(slip, F_SLIP_STATE, "closed");
		record_set_number(slip, F_SLIP_CLOSED_AT, s->now);
	} else {
		set_pupil(r, slip, n, i);
		set_owner(e, db_get_text(n, i, NEEDED_SOURCE), db_get_text(n, i, NEEDED_HOME));
	}
	if (strcmp(action, "create") == 0)
		record_set_text(
			slip, F_SLIP_NO, arena_printf(&r->arena, "JB%d-%04d", s->year, ++s->issued_before));
	if (begins)
		start_round(s, slip, n, i);
	record_edit_end(&s->edits);
}

/* ---- reconcile ---- */

struct slips *slips_begin(struct request *r, int32_t year)
{
	struct slips *s = arena_alloc(&r->arena, sizeof *s);

	if (!s) {
		request_fail(r, ERR_NOMEM, NULL, NULL);
		return NULL;
	}
	s->year = year;
	s->reconcile = (pb_reconcile_reply)PB_RECONCILE_REPLY_INIT;
	r->data = s;
	return s;
}

static void reconcile_done(struct request *r)
{
	struct slips *s = r->data;

	access_log_add(
		r->worker, &r->caller, r->method->name, "OK", s->reconcile.baseline, "transition", r->ref);
	s->then(r);
}

static void read_counts(struct slips *s, const PGresult *c)
{
	pb_reconcile_reply *out = &s->reconcile;

	out->has_year = out->has_baseline = out->has_confirmed = out->has_provisional = out->has_exempt =
		out->has_mismatched = 1;
	out->has_outside = out->has_elapsed_ms = out->has_as_of = out->has_changed = 1;
	out->year = s->year;
	out->baseline = (uint32_t)db_get_int(c, 0, COUNT_BASELINE);
	out->confirmed = (uint32_t)db_get_int(c, 0, COUNT_CONFIRMED);
	out->provisional = (uint32_t)db_get_int(c, 0, COUNT_PROVISIONAL);
	out->exempt = (uint32_t)db_get_int(c, 0, COUNT_EXEMPT);
	out->mismatched = (uint32_t)db_get_int(c, 0, COUNT_MISMATCHED);
	out->outside = (uint32_t)db_get_int(c, 0, COUNT_OUTSIDE);
	out->changed = (uint32_t)db_get_int(c, 0, COUNT_CHANGED);
	out->elapsed_ms = (uint64_t)db_get_int(c, 0, COUNT_ELAPSED_MS);
	out->as_of = (int32_t)db_get_int(c, 0, COUNT_AS_OF);
}

/* What is wrong with the pupil of the slip that was reviewed, "" when the run closes it. */
static const char *still_wrong(struct request *r, struct slips *s)
{
	const struct stored *slip = find_slip(s, s->reviewed);
	char codes[256] = "", all[512] = "", *rest = codes, *code;

	for (size_t i = 0; i < s->edits.part.count; i++)
		if (memcmp(record_edited(&s->edits, i)->id, s->reviewed, ID_SIZE) == 0)
			slip = record_edited(&s->edits, i);
	if (!slip || record_is(&slip->state.record, F_SLIP_STATE, "closed"))
		return "";
	record_text(&slip->state.record, F_SLIP_CODES, codes, sizeof codes);
	while ((code = strsep(&rest, ",")))
		if (strlen(all) + 64 < sizeof all)
			snprintf(all + strlen(all), sizeof all - strlen(all), "%s%s", all[0] ? _("、") : "",
				code_name(&codes_mismatch, code));
	return arena_printf(&r->arena, "%s", all);
}

/* Slips follow the run in its own transaction: nobody ever sees a finding without its slip. */
static void reconcile_settle(struct request *r)
{
	struct slips *s = r->data;
	const PGresult *needed = request_result(r, &needed_slips), *moment = request_result(r, &read_moment);

	read_counts(s, request_result(r, &run_reconcile));
	s->now = db_get_int(moment, 0, MOMENT_NOW);
	s->issued_before = (int)db_get_int(moment, 0, MOMENT_SLIPS);
	s->issue_due = db_get_int(moment, 0, MOMENT_ISSUE_DUE);
	s->slips_begun = db_get_int(moment, 0, MOMENT_SLIPS_BEGUN);
	if (!read_slips(r, s, (size_t)PQntuples(needed))) {
		request_fail(r, ERR_NOMEM, NULL, NULL);
		return;
	}
	for (int i = 0; i < PQntuples(needed); i++)
		settle_one(r, s, needed, i);
	s->wrong = s->reviewed ? still_wrong(r, s) : NULL;
	record_edits_commit(&s->edits, r, reconcile_done);
}

/* The statements of a run; as_of 0 = as the database's clock says. after_decision: see run_reconcile. */
void slips_run(struct request *r, int32_t as_of, bool after_decision)
{
	struct slips *s = r->data;
	struct db_params p = {0}, n = {0}, m = {0};

	db_int4(&p, s->year);
	db_date(&p, as_of);
	db_bool(&p, after_decision);
	request_query(r, &run_reconcile, &p);
	db_int4(&n, s->year);
	request_query(r, &needed_slips, &n);
	record_db_all(&r->task, kind_by_number(KIND_SLIP));
	record_db_all(&r->task, kind_by_number(KIND_SLIP_ADDRESSEE));
	db_int4(&m, s->year);
	request_query(r, &read_moment, &m);
	request_trip(r, reconcile_settle);
}

static void reconcile_begin(struct request *r)
{
	const pb_reconcile_request *q = REQUEST(r, pb_reconcile_request);

	if (transition_year_stands(r, transition_year_phase(r, YEAR_HOLD), q->year, true))
		slips_run(r, q->as_of, false);
}

static void reconcile_query(struct request *r)
{
	request_scope(r, SCOPE_JOB, ONE_SNAPSHOT);
	transition_year(r, REQUEST(r, pb_reconcile_request)->year, YEAR_HOLD);
	request_trip(r, reconcile_begin);
}

static void reply_reconcile(struct request *r)
{
	struct slips *s = r->data;

	request_reply(r, &s->reconcile.base);
}

void transition_reconcile(struct request *r)
{
	struct slips *s = slips_begin(r, REQUEST(r, pb_reconcile_request)->year);

	if (!s)
		return;
	s->then = reply_reconcile;
	request_begin(r, reconcile_query);
}

void slips_reply_changed(struct request *r)
{
	struct slips *s = r->data;
	pb_ok_reply out = PB_OK_REPLY_INIT;

	out.has_changed = 1;
	out.changed = s->changed;
	out.about = (char *)(uintptr_t)s->about;
	request_reply(r, &out.base);
}

/* ---- issue ---- */

/* An addressee: made at the first issue, cleared at each new round. */
static void issue_addressee(
	struct request *r, struct slips *s, const struct stored *slip, const char *school, const char *other)
{
	struct stored *now = find_addressee(s, slip->id, school);
	struct stored *e = record_edit(&s->edits, kind_by_number(KIND_SLIP_ADDRESSEE), now);
	struct record *addressee = &e->state.record;

	snprintf(e->owner, sizeof e->owner, "%s", school);
	snprintf(e->other, sizeof e->other, "%s", other);
	record_set_bytes(addressee, F_SLIP_ADDRESSEE_SLIP, slip->id, ID_SIZE);
	record_set_text(addressee, F_SLIP_ADDRESSEE_SCHOOL, arena_printf(&r->arena, "%s", school));
	record_set_number(
		addressee, F_SLIP_ADDRESSEE_ROUND, record_number(&slip->state.record, F_SLIP_ROUND));
	for (int f = F_SLIP_ADDRESSEE_RECEIVED_AT; f <= F_SLIP_ADDRESSEE_NOTE; f++)
		record_clear(addressee, f);
	record_edit_end(&s->edits);
}

static void issue_one(struct request *r, struct slips *s, const struct stored *slip, int64_t due)
{
	struct stored *e = record_edit(&s->edits, slip->kind, slip);
	struct record *record = &e->state.record;
	char source[SCHOOL_TEXT], home[SCHOOL_TEXT];

	record_text(record, F_SLIP_SOURCE, source, sizeof source);
	record_text(record, F_SLIP_HOME, home, sizeof home);
	record_set_text(record, F_SLIP_STATE, "issued");
	record_set_number(record, F_SLIP_ISSUED_AT, s->now);
	record_set_number(record, F_SLIP_RESOLVE_DUE, due);
	record_edit_end(&s->edits);
	bool two = strcmp(home, BUREAU) != 0 && strcmp(home, source) != 0;
	issue_addressee(r, s, slip, source, two ? home : "");
	if (two)
		issue_addressee(r, s, slip, home, source);
	s->changed++;
}

static void commit_slips(struct request *r, request_fn next)
{
	struct slips *s = r->data;
	record_edits_commit(&s->edits, r, next);
}

static void issue_done(struct request *r)
{
	struct slips *s = r->data;

	access_log_add(r->worker, &r->caller, r->method->name, "OK", s->changed, "transition", r->ref);
	slips_reply_changed(r);
}

static void issue_plan(struct request *r)
{
	struct slips *s = r->data;
	const PGresult *moment = request_result(r, &read_moment);

	if (!transition_year_stands(r, transition_year_phase(r, YEAR_HOLD), s->year, true))
		return;
	s->now = db_get_int(moment, 0, MOMENT_NOW);
	if (!read_slips(r, s, 0)) {
		request_fail(r, ERR_NOMEM, NULL, NULL);
		return;
	}
	for (size_t i = 0; i < s->slip_count; i++)
		if (record_is(&s->slip[i].state.record, F_SLIP_STATE, "draft") &&
			record_number(&s->slip[i].state.record, F_SLIP_YEAR) == s->year)
			issue_one(r, s, &s->slip[i], db_get_int(moment, 0, MOMENT_RESOLVE_DUE));
	commit_slips(r, issue_done);
}

static const struct db_stmt one_writer = {"SELECT pg_advisory_xact_lock(app_county(), $1::int)"};

static void issue_query(struct request *r)
{
	struct slips *s = r->data;
	struct db_params l = {0}, m = {0};

	request_scope(r, SCOPE_JOB, "");
	transition_year(r, s->year, YEAR_HOLD);
	/* A run and an issue of the same year never interleave. */
	db_int4(&l, s->year);
	request_query(r, &one_writer, &l);
	record_db_all(&r->task, kind_by_number(KIND_SLIP));
	record_db_all(&r->task, kind_by_number(KIND_SLIP_ADDRESSEE));
	db_int4(&m, s->year);
	request_query(r, &read_moment, &m);
	request_trip(r, issue_plan);
}

void transition_issue(struct request *r)
{
	if (slips_begin(r, REQUEST(r, pb_year_request)->year))
		request_begin(r, issue_query);
}

/* ---- review ---- */

static bool both_answered(struct slips *s, const struct stored *slip, const char *reviewer, bool *same_person)
{
	bool all = true;
	size_t addressees = 0;

	*same_person = false;
	for (size_t i = 0; i < s->addressee_count; i++) {
		const struct record *h = &s->addressee[i].state.record;
		if (memcmp(h->value[F_SLIP_ADDRESSEE_SLIP].data, slip->id, ID_SIZE) != 0)
			continue;
		addressees++;
		all &= record_has(h, F_SLIP_ADDRESSEE_ANSWERED_AT);
		*same_person |= record_is(h, F_SLIP_ADDRESSEE_ANSWERED_BY, reviewer);
	}
	return addressees && all;
}

static void review_apply(struct request *r, struct slips *s, struct stored *slip)
{
	const pb_review_request *q = REQUEST(r, pb_review_request);
	struct stored *e = record_edit(&s->edits, slip->kind, slip);

	assert(slip);
	record_set_text(&e->state.record, F_SLIP_REVIEW_REASON, q->reason ? q->reason : "");
	/* A returned slip waits for both again; its clock never stopped. */
	if (!q->accept)
		record_set_text(&e->state.record, F_SLIP_STATE, "returned");
	record_edit_end(&s->edits);
	for (size_t i = 0; !q->accept && i < s->addressee_count; i++) {
		if (memcmp(s->addressee[i].state.record.value[F_SLIP_ADDRESSEE_SLIP].data, slip->id,
			    ID_SIZE) != 0)
			continue;
		struct stored *h = record_edit(&s->edits, s->addressee[i].kind, &s->addressee[i]);
		for (int f = F_SLIP_ADDRESSEE_ANSWERED_AT; f <= F_SLIP_ADDRESSEE_NOTE; f++)
			record_clear(&h->state.record, f);
		record_edit_end(&s->edits);
	}
}

/* An accepted answer changes no fact: who has to change which, while something is wrong. */
static void reply_review(struct request *r)
{
	struct slips *s = r->data;

	if (REQUEST(r, pb_review_request)->accept)
		s->about = arena_printf(&r->arena,
			s->wrong[0] ? _("%s。问题还在（%s）：请小学更正去向："
					"jg transition set 学生 --dest 去向代码；或请初中更正核验："
					"jg verify answer 学生 present；再 jg sync，下次比对后自动销号")
				    : _("%s，已销号"),
			s->about, s->wrong);
	slips_reply_changed(r);
}

/* The review's own effects are in the transaction; the run that follows reads the slips again with them. */
static void review_run(struct request *r)
{
	struct slips *s = r->data;

	s->edits.part.count = 0;
	s->changed = 1;
	s->then = reply_review;
	slips_run(r, 0, true);
}

static const struct stored *slip_by_name(struct slips *s, const char *name)
{
	uint8_t id[ID_SIZE];

	if (name && id_parse(id, name) == 0)
		return find_slip(s, id);
	for (size_t i = 0; name && i < s->slip_count; i++)
		if (record_is(&s->slip[i].state.record, F_SLIP_NO, name))
			return &s->slip[i];
	return NULL;
}

/* YEAR_HOLD of the year that the slip says. */
static const struct db_stmt hold_year_of_slip = {"SELECT c.phase"
						 " FROM cycle c"
						 " WHERE c.county = app_county() AND NOT c.deleted"
						 " AND c.year = (SELECT s.year FROM slip s"
						 " WHERE s.county = app_county() AND NOT s.deleted"
						 " AND (s.no = $1::text OR s.rec_id::text = lower($1::text))"
						 " LIMIT 1)"
						 " FOR SHARE"};

static void review_plan(struct request *r)
{
	struct slips *s = r->data;
	const pb_review_request *q = REQUEST(r, pb_review_request);
	bool same_person;

	if (!read_slips(r, s, 0)) {
		request_fail(r, ERR_NOMEM, NULL, NULL);
		return;
	}
	const struct stored *slip = slip_by_name(s, q->slip);
	if (!slip) {
		request_fail(r, ERR_NOT_FOUND, "slip", "%s", _("没有这张交办单"));
		return;
	}
	s->year = (int32_t)record_number(&slip->state.record, F_SLIP_YEAR);
	if (!transition_year_stands(r, request_result(r, &hold_year_of_slip), s->year, true))
		return;
	bool answered = both_answered(s, slip, r->caller.user, &same_person);
	if (same_person) {
		request_fail(r, ERR_SAME_PERSON, NULL, NULL);
		return;
	}
	if (!answered || record_is(&slip->state.record, F_SLIP_STATE, "draft") ||
		record_is(&slip->state.record, F_SLIP_STATE, "closed")) {
		char no[48];
		bool closed = record_is(&slip->state.record, F_SLIP_STATE, "closed");
		request_refuse(r, ERR_NOT_NOW, "slip",
			closed ? _("这张交办单已经销号") : _("两所学校都回复后才能审核"),
			arena_printf(&r->arena, _("看哪一所还没有回复：jgadmin transition slips show %s"),
				record_text(&slip->state.record, F_SLIP_NO, no, sizeof no)));
		return;
	}
	char no[48], name[256];
	record_text(&slip->state.record, F_SLIP_NO, no, sizeof no);
	record_text(&slip->state.record, F_SLIP_NAME, name, sizeof name);
	s->about = arena_printf(
		&r->arena, _("%s %s：%s"), no, name, q->accept ? _("认可两校的回复") : _("退回两校再办"));
	s->reviewed = arena_copy(&r->arena, slip->id, ID_SIZE);
	review_apply(r, s, find_slip(s, slip->id));
	enum err e = effects_send(&r->task, r->worker->server->conf.county, &s->edits.part, 1);
	if (e) {
		request_fail(r, e, NULL, NULL);
		return;
	}
	transition_decide_on_proof(
		r, s->year, slip->state.record.value[F_SLIP_PUPIL].data, q->accept, q->reason);
	request_trip(r, review_run);
}

static void review_query(struct request *r)
{
	struct db_params p = {0};

	request_scope(r, SCOPE_JOB, ONE_SNAPSHOT);
	record_db_all(&r->task, kind_by_number(KIND_SLIP));
	record_db_all(&r->task, kind_by_number(KIND_SLIP_ADDRESSEE));
	db_text(&p, REQUEST(r, pb_review_request)->slip);
	request_query(r, &hold_year_of_slip, &p);
	request_trip(r, review_plan);
}

void transition_review(struct request *r)
{
	const pb_review_request *q = REQUEST(r, pb_review_request);

	if (!q->accept && (!q->reason || !q->reason[0]))
		request_refuse(r, ERR_MISSING, "reason", _("退回要写明理由"), transition_say_reason());
	else if (slips_begin(r, 0))
		request_begin(r, review_query);
}
