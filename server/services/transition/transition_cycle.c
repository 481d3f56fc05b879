/* Opening a year and walking its phases, one step at a time. The cycle's row is a record of the county's
 * stream, so that every school knows the phase. */
#include <string.h>

#include "access_log.h"
#include "check.h"
#include "clock.h"
#include "codes.h"
#include "lang.h"
#include "record_edit.h"
#include "transition_calls.h"

struct cycle_state {
	struct stored before;
	struct record_edits edits;
	pb_phase_reply reply;
	const PGresult *settings; /* of a year that is being opened */
	uint32_t baseline, schools;
	char next[16];
};

static const struct db_stmt freeze = {"SELECT baseline, schools FROM transition_open($1::int)"};
static const struct db_stmt preview = {"SELECT code, name, ''::text, pupils FROM transition_open_preview()"};
static const struct db_stmt cancel = {"SELECT transition_cancel($1::int, $2::text, $3::text)"};
static const struct db_stmt missing = {"SELECT code, coalesce(name, ''), what, 0"
				       " FROM transition_phase_missing($1::int, $2::text)"
				       " UNION ALL SELECT code, coalesce(name, ''), what, n"
				       " FROM transition_unsettled($1::int)"
				       " WHERE $2::text = 'verify'"};
enum { MISSING_CODE, MISSING_NAME, MISSING_WHAT, MISSING_COUNT }; /* of preview too */
static const struct db_stmt read_year = {
	"SELECT extract(year FROM jg_today())::int, extract(month FROM jg_today())::int"};
/* In the order of F_CYCLE_UNDECIDED_UNTIL … F_CYCLE_RESOLVE_DAYS. */
static const struct db_stmt default_settings = {
	"SELECT undecided_until, verify_due, provisional_until, deferral_until, prefill_due, confirm_due,"
	" issue_days, resolve_days"
	" FROM transition_settings($1::int)"};

static bool find_cycle(const struct request *r, int32_t year, struct stored *out)
{
	const struct kind *kind = kind_by_number(KIND_CYCLE);
	const PGresult *cycles = record_db_all_rows(&r->task, kind);

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
	struct cycle_state *s = r->data;
	bool there = s->before.state.exists;

	if (!record_edits_begin(&s->edits, r, 1))
		return ERR_NOMEM;
	struct stored *cycle = record_edit(&s->edits, kind_by_number(KIND_CYCLE), there ? &s->before : NULL);
	if (!there)
		record_set_number(
			&cycle->state.record, F_CYCLE_YEAR, ((const pb_year_request *)r->message)->year);
	/* The dates are written down with the year, so that every school's list of things to do knows its
	 * deadlines. */
	for (int f = F_CYCLE_UNDECIDED_UNTIL; !there && f <= F_CYCLE_RESOLVE_DAYS; f++)
		record_set_number(
			&cycle->state.record, f, db_get_int(s->settings, 0, f - F_CYCLE_UNDECIDED_UNTIL));
	record_set_text(&cycle->state.record, F_CYCLE_PHASE, phase);
	record_edit_end(&s->edits);
	return effects_send(&r->task, r->worker->server->conf.county, &s->edits.part, 1);
}

static struct cycle_state *begin_state(struct request *r, int32_t year)
{
	struct cycle_state *s = arena_alloc(&r->arena, sizeof *s);

	if (!s || year < YEAR_MIN || year > YEAR_MAX) {
		request_fail(r, s ? ERR_INVALID : ERR_NOMEM, "year", NULL);
		return NULL;
	}
	r->data = s;
	return s;
}

static bool fill_schools(struct request *r, pb_school_ref ***list, size_t *count, const PGresult *m)
{
	size_t n = (size_t)PQntuples(m);
	pb_school_ref *refs = arena_alloc(&r->arena, sizeof *refs * (n + 1));

	*count = 0;
	*list = arena_alloc(&r->arena, sizeof **list * (n + 1));
	if (!refs || !*list)
		return false;
	for (size_t i = 0; i < n; i++) {
		refs[i] = (pb_school_ref)PB_SCHOOL_REF_INIT;
		refs[i].code = arena_printf(&r->arena, "%s", db_get_text(m, (int)i, MISSING_CODE));
		refs[i].name = arena_printf(&r->arena, "%s", db_get_text(m, (int)i, MISSING_NAME));
		refs[i].what = arena_printf(&r->arena, "%s", db_get_text(m, (int)i, MISSING_WHAT));
		refs[i].has_count = 1;
		refs[i].count = (uint32_t)db_get_int(m, (int)i, MISSING_COUNT);
		(*list)[(*count)++] = &refs[i];
	}
	return true;
}

/* ---- open ---- */

static void open_reply(struct request *r, const pb_open_reply *out)
{
	access_log_add(r->worker, &r->caller, r->method->name,
		REQUEST(r, pb_year_request)->dry_run ? "DRY_RUN" : "OK", out->baseline, "transition", r->ref);
	request_reply(r, &out->base);
}

static void open_done(struct request *r)
{
	const struct cycle_state *s = r->data;
	pb_open_reply out = PB_OPEN_REPLY_INIT;

	out.has_year = out.has_baseline = out.has_schools = 1;
	out.year = REQUEST(r, pb_year_request)->year;
	out.baseline = s->baseline;
	out.schools = s->schools;
	open_reply(r, &out);
}

/* What would be frozen, school by school: a primary school without a sixth-grader has not brought its roster
 * yet. */
static void open_shown(struct request *r)
{
	pb_open_reply out = PB_OPEN_REPLY_INIT;

	out.has_year = out.has_baseline = out.has_schools = 1;
	out.year = REQUEST(r, pb_year_request)->year;
	if (!fill_schools(r, &out.school, &out.n_school, request_result(r, &preview))) {
		request_fail(r, ERR_NOMEM, NULL, NULL);
		return;
	}
	for (size_t i = 0; i < out.n_school; i++) {
		out.baseline += out.school[i]->count;
		out.schools += out.school[i]->count > 0;
	}
	open_reply(r, &out);
}

static void open_frozen(struct request *r)
{
	struct cycle_state *s = r->data;
	const PGresult *p = request_result(r, &freeze);

	s->settings = request_result(r, &default_settings);
	s->baseline = (uint32_t)db_get_int(p, 0, 0);
	s->schools = (uint32_t)db_get_int(p, 0, 1);
	bool stands = find_cycle(r, REQUEST(r, pb_year_request)->year, &s->before);
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

#define AUTUMN 9 /* from then on the sixth grade leaves in the next year */

/* A year is this one or the next: what is frozen by a slip of the finger would stand in every school's
 * way. */
static void open_judge(struct request *r)
{
	const pb_year_request *q = REQUEST(r, pb_year_request);
	int32_t now = (int32_t)db_get_int(request_result(r, &read_year), 0, 0);
	struct db_params p = {0}, d = {0};

	if (q->year != now && q->year != now + 1) {
		request_refuse(r, ERR_INVALID, "year",
			arena_printf(&r->arena, _("只能开始今年或明年（%d、%d）的小升初工作"), now, now + 1),
			arena_printf(&r->arena, "jgadmin transition open --year %d",
				now + (db_get_int(request_result(r, &read_year), 0, 1) >= AUTUMN)));
		return;
	}
	if (q->dry_run) {
		request_query(r, &preview, NULL);
		db_task_commit(&r->task);
		request_trip(r, open_shown);
		return;
	}
	db_int4(&p, q->year);
	request_query(r, &freeze, &p);
	record_db_all(&r->task, kind_by_number(KIND_CYCLE));
	db_int4(&d, q->year);
	request_query(r, &default_settings, &d);
	request_trip(r, open_frozen);
}

static void open_query(struct request *r)
{
	request_scope(r, SCOPE_JOB, "");
	request_query(r, &read_year, NULL);
	request_trip(r, open_judge);
}

void transition_open(struct request *r)
{
	if (begin_state(r, REQUEST(r, pb_year_request)->year))
		request_begin(r, open_query);
}

/* ---- cancel: an opened year is taken back while no school has reported in it ---- */

static void cancel_done(struct request *r)
{
	const struct cycle_state *s = r->data;
	pb_ok_reply out = PB_OK_REPLY_INIT;

	out.has_changed = 1;
	out.changed = s->baseline;
	access_log_add(r->worker, &r->caller, r->method->name, "OK", out.changed,
		access_reason(r, REQUEST(r, pb_year_request)->reason), r->ref);
	request_reply(r, &out.base);
}

static enum err send_end(struct request *r)
{
	struct cycle_state *s = r->data;

	if (!record_edits_begin(&s->edits, r, 1))
		return ERR_NOMEM;
	record_edit_delete(&s->edits, &s->before);
	return effects_send(&r->task, r->worker->server->conf.county, &s->edits.part, 1);
}

static void cancel_judge(struct request *r)
{
	struct cycle_state *s = r->data;
	int64_t n = db_get_int(request_result(r, &cancel), 0, 0);

	if (!transition_year_stands(
		    r, transition_year_phase(r, YEAR_ALONE), REQUEST(r, pb_year_request)->year, true))
		return;
	find_cycle(r, REQUEST(r, pb_year_request)->year, &s->before);
	if (n < 0) {
		request_refuse(r, ERR_NOT_NOW, "year", _("已有学校上报，不能取消；名单的差错逐人更正"),
			arena_printf(&r->arena,
				_("jgadmin transition baseline add（或 remove）"
				  "证件号码 --year %d --reason 理由"),
				REQUEST(r, pb_year_request)->year));
		return;
	}
	s->baseline = (uint32_t)n;
	enum err e = send_end(r);
	if (e) {
		request_fail(r, e, NULL, NULL);
		return;
	}
	db_task_commit(&r->task);
	request_trip(r, cancel_done);
}

static void cancel_query(struct request *r)
{
	const pb_year_request *q = REQUEST(r, pb_year_request);
	struct db_params p = {0};

	request_scope(r, SCOPE_JOB, "");
	transition_year(r, q->year, YEAR_ALONE);
	db_int4(&p, q->year);
	db_text(&p, q->reason);
	db_text(&p, r->caller.user);
	request_query(r, &cancel, &p);
	record_db_all(&r->task, kind_by_number(KIND_CYCLE));
	request_trip(r, cancel_judge);
}

void transition_cancel(struct request *r)
{
	const pb_year_request *q = REQUEST(r, pb_year_request);

	if (!q->reason || !q->reason[0])
		request_refuse(r, ERR_MISSING, "reason", _("取消一个年度要写明理由"),
			arena_printf(
				&r->arena, _("jgadmin transition cancel --year %d --reason 理由"), q->year));
	else if (begin_state(r, q->year))
		request_begin(r, cancel_query);
}

/* ---- phase ---- */

static void phase_done(struct request *r)
{
	struct cycle_state *s = r->data;
	const pb_phase_request *q = REQUEST(r, pb_phase_request);

	s->reply.phase = s->next;
	access_log_add(r->worker, &r->caller, r->method->name, q->force ? "FORCED" : "OK",
		(uint32_t)s->reply.n_missing,
		access_reason(r,
			arena_printf(
				&r->arena, q->force ? "%s: %s" : "%s", s->next, q->reason ? q->reason : "")),
		r->ref);
	request_reply(r, &s->reply.base);
}

/* Says what is in the way: schools that have not reported, pupils that are open, slips under way. The reply's
 * list has all of it. */
static void refuse_missing(struct request *r, const struct cycle_state *s)
{
	static const struct {
		const char *what, *text;
	} parts[] = {{"OPEN", N_("未落实 %u 人")}, {"SLIP", N_("在办交办单 %u 张")},
		{"DRAFT", N_("有交办单还没有下发")}};
	char text[256] = "", names[140] = "", one[64];
	unsigned silent = 0, sums[3] = {0};

	for (size_t i = 0; i < s->reply.n_missing; i++) {
		const pb_school_ref *m = s->reply.missing[i];
		size_t k = 0;
		while (k < 3 && strcmp(parts[k].what, m->what) != 0)
			k++;
		if (k < 3) {
			sums[k] += m->count ? m->count : 1;
			continue;
		}
		if (silent++ < 4 && strlen(names) + strlen(m->name) + 8 < sizeof names)
			snprintf(names + strlen(names), sizeof names - strlen(names), "%s%s",
				names[0] ? _("、") : "", m->name[0] ? m->name : m->code);
	}
	if (silent)
		snprintf(text, sizeof text, _("%u 所学校没有上报：%s%s"), silent, names,
			silent > 4 ? _("等") : "");
	for (size_t k = 0; k < 3; k++) {
		if (!sums[k])
			continue;
		snprintf(one, sizeof one, _(parts[k].text), sums[k]);
		snprintf(
			text + strlen(text), sizeof text - strlen(text), "%s%s", text[0] ? _("；") : "", one);
	}
	request_refuse(r, ERR_INCOMPLETE, "phase", text,
		arena_printf(&r->arena,
			_("逐项名单：jgadmin transition phase --year %d；确要前进：加 --force --reason 原因"),
			s->reply.year));
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
	struct cycle_state *s = r->data;
	const pb_phase_request *q = REQUEST(r, pb_phase_request);
	int now = phase_index(s->next), to = q->to && q->to[0] ? phase_index(q->to) : -1;

	if (!fill_schools(r, &s->reply.missing, &s->reply.n_missing, request_result(r, &missing))) {
		request_fail(r, ERR_NOMEM, NULL, NULL);
		return;
	}
	if (to < 0 || to == now) {
		request_reply(r, &s->reply.base);
		return;
	}
	/* A closed year is opened again by the leader alone, with his reason. */
	bool reopens = now == phase_index("closed") && to == now - 1;
	if (to != now + 1 && !reopens) {
		const char *next = now + 1 < (int)codes_phase.n ? codes_phase.items[now + 1].code : NULL;
		request_refuse(r, ERR_PHASE, "phase",
			arena_printf(&r->arena, _("现在是“%s”，一次只能前进一步"),
				code_name(&codes_phase, s->next)),
			next ? arena_printf(&r->arena, "jgadmin transition phase --year %d %s", q->year, next)
			     : arena_printf(&r->arena,
				       _("重新打开请局领导运行："
					 "jgadmin transition phase --year %d verify --force --reason 原因"),
				       q->year));
		return;
	}
	bool may = request_has_role(r, reopens ? ROLE_LEADER : ROLE_BASIC_EDU);
	if (!may || (reopens && !q->force)) {
		request_refuse(r, may ? ERR_MISSING : ERR_PERMISSION, reopens ? "reason" : "phase",
			reopens ? _("办结的年度只能由局领导说明原因重新打开") : _("阶段由基教科推进"),
			arena_printf(&r->arena,
				reopens ? _("jgadmin transition phase --year %d verify --force --reason 原因")
					: "jgadmin transition phase --year %d",
				q->year));
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
	struct cycle_state *s = r->data;
	const pb_phase_request *q = REQUEST(r, pb_phase_request);
	struct db_params p = {0};
	struct stored row;

	if (!transition_year_stands(r, transition_year_phase(r, YEAR_ALONE), q->year, false))
		return;
	find_cycle(r, q->year, &row);
	/* The row's text must outlive its result: the phase is all of it. */
	s->before = row;
	record_text(&row.state.record, F_CYCLE_PHASE, s->next, sizeof s->next);
	record_set_text(&s->before.state.record, F_CYCLE_PHASE, arena_printf(&r->arena, "%s", s->next));
	s->before.state.record.ext_len = 0;
	s->reply = (pb_phase_reply)PB_PHASE_REPLY_INIT;
	s->reply.has_year = 1;
	s->reply.year = q->year;
	s->reply.phase = s->next;
	/* Without a step it is a look, and tells what is in the way of the next one. */
	if (q->to && q->to[0] && q->force && (!q->reason || !q->reason[0])) {
		request_refuse(r, ERR_MISSING, "reason", _("越过没有完成的事项要写明原因"),
			arena_printf(&r->arena,
				_("jgadmin transition phase --year %d %s --force --reason 原因"), q->year,
				q->to));
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
	transition_year(r, REQUEST(r, pb_phase_request)->year, YEAR_ALONE);
	record_db_all(&r->task, kind_by_number(KIND_CYCLE));
	request_trip(r, phase_read);
}

void transition_phase(struct request *r)
{
	if (begin_state(r, REQUEST(r, pb_phase_request)->year))
		request_begin(r, phase_query);
}
