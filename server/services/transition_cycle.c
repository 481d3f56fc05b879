/* Opening a year and walking its phases, one step at a time. The cycle's row is a record of the county's stream, so that
 * every school knows the phase. */
#include <string.h>

#include "check.h"
#include "clock.h"
#include "codes.h"
#include "effects.h"
#include "transition.h"


struct cycle_state {
	struct row before;
	struct effect effect;
	struct effects_part part;
	pb_phase_reply reply;
	const PGresult *settings; /* of a year that is being opened */
	uint32_t baseline, schools;
	char next[16];
};

static const struct db_stmt freeze = {"SELECT baseline, schools FROM transition_open($1::int)"};
static const struct db_stmt missing = {"SELECT code, coalesce(name, ''), what FROM transition_phase_missing($1::int, $2::text)"};
/* In the order of F_CYCLE_UNDECIDED_UNTIL … F_CYCLE_RESOLVE_DAYS. */
static const struct db_stmt default_settings = {
	"SELECT undecided_until, verify_due, provisional_until, deferral_until, prefill_due, confirm_due, issue_days, resolve_days"
	" FROM transition_settings($1::int)"};

static bool find_cycle(const PGresult *cycles, int32_t year, struct row *out)
{
	const struct kind *kind = kind_by_number(KIND_CYCLE);

	for (int i = 0; i < PQntuples(cycles); i++) {
		record_db_read(cycles, i, kind, out);
		if (record_number(&out->state.record, F_CYCLE_YEAR) == year)
			return true;
	}
	return false;
}

/* Writes the phase into the cycle's row, making the row when there is none. */
static enum err send_phase(struct request *r, const char *phase)
{
	struct cycle_state *s = r->state;
	struct effect *e = &s->effect;
	struct merge_op op = {.groups = 1};

	memset(e, 0, sizeof *e);
	if (s->before.state.exists) {
		e->before = e->after = s->before;
		op.body = s->before.state.record;
		memcpy(op.seen, s->before.state.gver, sizeof op.seen);
	} else {
		e->after.kind = kind_by_number(KIND_CYCLE);
		record_init(&e->after.state.record, e->after.kind);
		record_init(&op.body, e->after.kind);
		record_set_number(&op.body, F_CYCLE_YEAR, ((const pb_year_request *)r->message)->year);
		/* The dates are written down with the year, so that every school's list of things to do knows its deadlines. */
		for (int f = F_CYCLE_UNDECIDED_UNTIL; f <= F_CYCLE_RESOLVE_DAYS; f++)
			record_set_number(&op.body, f, db_get_int(s->settings, 0, f - F_CYCLE_UNDECIDED_UNTIL));
		op.groups = record_groups(&op.body);
		id_make(e->after.id, clock_now_us());
		e->fresh = true;
	}
	record_set_text(&op.body, F_CYCLE_PHASE, phase);
	e->changed = sync_merge(&e->after.state, &op).changed;
	e->last = true;
	snprintf(s->part.author, sizeof s->part.author, "%s", r->caller.user);
	memcpy(s->part.device, r->caller.device, ID_SIZE);
	s->part.effect = e;
	s->part.count = e->changed != 0;
	return effects_send(&r->task, r->worker->server->conf.county, &s->part, 1);
}

static struct cycle_state *begin_state(struct request *r, int32_t year)
{
	struct cycle_state *s = arena_alloc(&r->arena, sizeof *s);

	if (!s || year < YEAR_MIN || year > YEAR_MAX) {
		request_fail(r, s ? ERR_INVALID : ERR_NOMEM, "year", NULL);
		return NULL;
	}
	r->state = s;
	return s;
}

/* ---- open ---- */

static void open_done(struct request *r)
{
	const struct cycle_state *s = r->state;
	pb_open_reply out = PB_OPEN_REPLY_INIT;

	out.has_year = out.has_baseline = out.has_schools = 1;
	out.year = REQUEST(r, pb_year_request)->year;
	out.baseline = s->baseline;
	out.schools = s->schools;
	access_log_add(r->worker, &r->caller, r->method->name, "OK", out.baseline, "transition", r->ref);
	request_reply(r, &out.base);
}

static void open_frozen(struct request *r)
{
	struct cycle_state *s = r->state;
	const PGresult *p = r->task.result[0];

	s->settings = r->task.result[2];
	s->baseline = (uint32_t)db_get_int(p, 0, 0);
	s->schools = (uint32_t)db_get_int(p, 0, 1);
	bool stands = find_cycle(r->task.result[1], REQUEST(r, pb_year_request)->year, &s->before);
	if (!stands)
		memset(&s->before, 0, sizeof s->before);
	/* A second `open` changes nothing: neither P nor the phase. */
	enum err e = stands ? ERR_OK : send_phase(r, "prefill");
	if (e) {
		request_fail(r, e, NULL, NULL);
		return;
	}
	db_task_commit(&r->task);
	request_trip(r, open_done);
}

static void open_query(struct request *r)
{
	struct db_params p = {0}, d = {0};

	request_scope(r, SCOPE_JOB, "");
	db_int4(&p, REQUEST(r, pb_year_request)->year);
	request_query(r, &freeze, &p);
	record_db_all(&r->task, kind_by_number(KIND_CYCLE));
	db_int4(&d, REQUEST(r, pb_year_request)->year);
	request_query(r, &default_settings, &d);
	request_trip(r, open_frozen);
}

void transition_open(struct request *r)
{
	if (begin_state(r, REQUEST(r, pb_year_request)->year))
		request_begin(r, open_query);
}

/* ---- phase ---- */

static void phase_done(struct request *r)
{
	struct cycle_state *s = r->state;
	const pb_phase_request *q = REQUEST(r, pb_phase_request);

	s->reply.phase = s->next;
	if (q->force)
		access_log_add(r->worker, &r->caller, r->method->name, "FORCED", (uint32_t)s->reply.n_missing, "transition", r->ref);
	request_reply(r, &s->reply.base);
}

static bool fill_missing(struct request *r, struct cycle_state *s, const PGresult *m)
{
	size_t n = (size_t)PQntuples(m);
	pb_school_ref *refs = arena_alloc(&r->arena, sizeof *refs * (n + 1));

	s->reply.missing = arena_alloc(&r->arena, sizeof *s->reply.missing * (n + 1));
	if (!refs || !s->reply.missing)
		return false;
	for (size_t i = 0; i < n; i++) {
		refs[i] = (pb_school_ref)PB_SCHOOL_REF_INIT;
		refs[i].code = arena_printf(&r->arena, "%s", db_get_text(m, (int)i, 0));
		refs[i].name = arena_printf(&r->arena, "%s", db_get_text(m, (int)i, 1));
		refs[i].what = arena_printf(&r->arena, "%s", db_get_text(m, (int)i, 2));
		s->reply.missing[s->reply.n_missing++] = &refs[i];
	}
	return true;
}

/* Names the schools in the way, as many as a message holds. */
static void refuse_missing(struct request *r, const struct cycle_state *s)
{
	char names[160] = "";
	size_t n = 0;

	for (size_t i = 0; i < s->reply.n_missing && n < sizeof names - 40; i++) {
		const pb_school_ref *m = s->reply.missing[i];
		n += (size_t)snprintf(names + n, sizeof names - n, "%s%s", i ? "、" : "", m->name[0] ? m->name : m->code);
		if (n >= sizeof names)
			break;
	}
	char *text = arena_printf(&r->arena, tr("还有 %zu 所学校未完成：%s", "%zu schools are not done: %s"), s->reply.n_missing, names);
	request_fail_hint(r, ERR_INCOMPLETE, "phase", text ? text : "",
		tr("催办后再试，或用 --force --reason 说明原因", "remind them, or use --force --reason"));
}

static int phase_index(const char *phase)
{
	for (size_t i = 0; i < codes_phase.n; i++)
		if (strcmp(codes_phase.items[i].code, phase) == 0)
			return (int)i;
	return -1;
}

static void phase_judge(struct request *r)
{
	struct cycle_state *s = r->state;
	const pb_phase_request *q = REQUEST(r, pb_phase_request);
	int now = phase_index(s->next), to = phase_index(q->to);

	if (!fill_missing(r, s, r->task.result[0])) {
		request_fail(r, ERR_NOMEM, NULL, NULL);
		return;
	}
	if (to == now) {
		request_reply(r, &s->reply.base);
		return;
	}
	if (to != now + 1) {
		request_fail(r, ERR_PHASE, "phase", tr("现在是“%s”，一次只能前进一步", "it is %s now; one step at a time"), code_name(&codes_phase, s->next));
		return;
	}
	if (!q->force && s->reply.n_missing) {
		refuse_missing(r, s);
		return;
	}
	snprintf(s->next, sizeof s->next, "%s", q->to);
	enum err e = send_phase(r, s->next);
	if (e) {
		request_fail(r, e, NULL, NULL);
		return;
	}
	db_task_commit(&r->task);
	request_trip(r, phase_done);
}

static void phase_read(struct request *r)
{
	struct cycle_state *s = r->state;
	const pb_phase_request *q = REQUEST(r, pb_phase_request);
	struct db_params p = {0};
	struct row row;

	if (!find_cycle(r->task.result[0], q->year, &row)) {
		request_fail_hint(r, ERR_NOT_FOUND, "year", tr("这个年度还没有开始", "this year is not open"), "jgadmin transition open --year Y");
		return;
	}
	/* The row's text must outlive its result: the phase is all of it. */
	s->before = row;
	record_text(&row.state.record, F_CYCLE_PHASE, s->next, sizeof s->next);
	record_set_text(&s->before.state.record, F_CYCLE_PHASE, arena_printf(&r->arena, "%s", s->next));
	s->before.state.record.ext_len = 0;
	s->reply = (pb_phase_reply)PB_PHASE_REPLY_INIT;
	s->reply.has_year = 1;
	s->reply.year = q->year;
	s->reply.phase = s->next;
	if (!q->to || !q->to[0]) {
		request_reply(r, &s->reply.base);
		return;
	}
	if (phase_index(q->to) < 0 || (q->force && (!q->reason || !q->reason[0]))) {
		request_fail(r, q->force ? ERR_MISSING : ERR_INVALID, q->force ? "reason" : "phase", NULL);
		return;
	}
	db_int4(&p, q->year);
	db_text(&p, s->next);
	request_query(r, &missing, &p);
	request_trip(r, phase_judge);
}

static void phase_query(struct request *r)
{
	request_scope(r, SCOPE_JOB, "");
	record_db_all(&r->task, kind_by_number(KIND_CYCLE));
	request_trip(r, phase_read);
}

void transition_phase(struct request *r)
{
	const pb_phase_request *q = REQUEST(r, pb_phase_request);

	if (q->to && q->to[0] && !request_has_role(r, ROLE_BASIC_EDU)) {
		request_fail(r, ERR_PERMISSION, NULL, NULL); /* leaders look */
		return;
	}
	if (begin_state(r, q->year))
		request_begin(r, phase_query);
}
