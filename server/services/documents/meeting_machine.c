#include "meeting_machine.h"

#include <stdio.h>
#include <string.h>

#include "lang.h"
#include "tables.h"

#define BY_PLANNER MATTER_BY_OWNER
#define MINUTE_US INT64_C(60000000)

static const struct matter_row rows[] = {
	{MEETING_NONE, MEETING_PLAN, MEETING_PLANNED, {MATTER_BY_OFFICER}, 0},
	{MEETING_PLANNED, MEETING_APPROVE, MEETING_APPROVED, {MATTER_BY_LEADER}, 0},
	{MEETING_APPROVED, MEETING_NOTICE, MEETING_APPROVED, {BY_PLANNER}, 0},
	{MEETING_APPROVED, MEETING_NOTICE_ISSUED, MEETING_NOTICED, {MATTER_BY_PAPER}, 0},
	{MEETING_APPROVED, MEETING_MOVE, MEETING_APPROVED, {BY_PLANNER}, MATTER_NEEDS_REASON},
	{MEETING_NOTICED, MEETING_MOVE, MEETING_APPROVED, {BY_PLANNER}, MATTER_NEEDS_REASON},
	{MEETING_NOTICED, MEETING_HOLD, MEETING_HELD, {BY_PLANNER}, 0},
	{MEETING_HELD, MEETING_MINUTES, MEETING_HELD, {BY_PLANNER}, 0},
	{MEETING_HELD, MEETING_MINUTES_ISSUED, MEETING_MINUTED, {MATTER_BY_PAPER}, 0},
	{MEETING_MINUTED, MEETING_CLOSE, MEETING_CLOSED, {BY_PLANNER}, 0},
	{MEETING_PLANNED, MEETING_CANCEL, MEETING_CANCELLED, {BY_PLANNER, MATTER_BY_LEADER},
		MATTER_NEEDS_REASON},
	{MEETING_APPROVED, MEETING_CANCEL, MEETING_CANCELLED, {BY_PLANNER, MATTER_BY_LEADER},
		MATTER_NEEDS_REASON},
	{MEETING_NOTICED, MEETING_CANCEL, MEETING_CANCELLED, {MATTER_BY_HEAD}, MATTER_NEEDS_REASON},
};
const struct matter_machine meeting_machine = {rows, sizeof rows / sizeof *rows};

unsigned meeting_given(const struct meeting_ask *a)
{
	return *a->reason ? MATTER_NEEDS_REASON : 0;
}

/* ---- R24 ---- */

static bool is_among(const char *who, const char *const *list, size_t n)
{
	for (size_t i = 0; *who && i < n; i++)
		if (strcmp(list[i], who) == 0)
			return true;
	return false;
}

static bool leads(const struct meeting *m, const char *who)
{
	bool does = strcmp(m->plan.chair, who) == 0;

	for (size_t i = 0; i < m->plan.agenda_count; i++)
		does |= strcmp(m->plan.agenda[i].speaker, who) == 0;
	return does;
}

static const char *judge_times(const struct meeting *m, struct arena *arena)
{
	int64_t slot = (m->plan.end - m->plan.start) / MINUTE_US, sum = 0;

	if (slot <= 0)
		return _("结束时间要晚于开始时间");
	for (size_t i = 0; i < m->plan.agenda_count; i++)
		sum += m->plan.agenda[i].minutes;
	return sum > slot ? arena_printf(arena, _("议程共 %d 分钟，会只有 %d 分钟"), (int)sum, (int)slot)
			  : NULL;
}

static enum err warn(struct meeting_done *done, const char *who, const char *number, struct arena *arena)
{
	struct meeting_clash *more = arena_alloc(arena, sizeof *more * (done->warning_count + 1));

	if (!more)
		return ERR_NOMEM;
	if (done->warning_count)
		memcpy(more, done->warnings, sizeof *more * done->warning_count);
	more[done->warning_count++] = (struct meeting_clash){who, number};
	done->warnings = more;
	return ERR_OK;
}

/* One who takes part here: whether he is at another meeting then. *fault: why that cannot be. */
static enum err judge_one(const struct meeting *m, const struct meeting_ask *ask, const char *who,
	struct meeting_done *done, struct arena *arena, const char **fault)
{
	bool forced = ask->force && *ask->reason && ask->roles & 1u << ROLE_LEADER;
	enum err e = ERR_OK;

	for (size_t i = 0; !e && *who && i < ask->other_count; i++) {
		const struct meeting_other *o = &ask->others[i];
		if (!is_among(who, o->leads, o->lead_count) && !is_among(who, o->people, o->people_count))
			continue;
		if (leads(m, who) && !forced && !*fault)
			*fault = arena_printf(arena, _("%s 同时要参加 %s"), who, o->number);
		e = warn(done, who, o->number, arena);
	}
	return e;
}

static enum err judge_clashes(const struct meeting *m, const struct meeting_ask *ask,
	struct meeting_done *done, struct arena *arena, const char **fault)
{
	enum err e = ERR_OK;

	for (size_t i = 0; !*fault && i < ask->other_count; i++)
		if (strcmp(ask->others[i].place, m->plan.place) == 0)
			*fault = arena_printf(arena, _("%s 那时有 %s"), m->plan.place, ask->others[i].number);
	e = judge_one(m, ask, m->plan.chair, done, arena, fault);
	for (size_t i = 0; !e && i < m->plan.agenda_count; i++) {
		const char *who = m->plan.agenda[i].speaker;
		bool met = strcmp(who, m->plan.chair) == 0;
		for (size_t k = 0; k < i; k++)
			met |= strcmp(who, m->plan.agenda[k].speaker) == 0;
		if (!met)
			e = judge_one(m, ask, who, done, arena, fault);
	}
	for (size_t i = 0; !e && i < m->people_count; i++)
		if (!leads(m, m->people[i]))
			e = judge_one(m, ask, m->people[i], done, arena, fault);
	return e;
}

/* ---- The door ---- */

static const char *not_now(
	const struct document_world *w, const struct meeting *m, const struct meeting_ask *ask)
{
	if (ask->event == MEETING_HOLD && w->now < m->plan.start)
		return _("会议还没有开始");
	if (ask->event == MEETING_NOTICE && m->has_notice)
		return _("已经起草了会议通知");
	if (ask->event == MEETING_MINUTES && m->has_minutes)
		return _("已经起草了会议纪要");
	return NULL;
}

static void move(struct meeting *m, const struct meeting_ask *ask)
{
	if (ask->start)
		m->plan.start = ask->start;
	if (ask->end)
		m->plan.end = ask->end;
	if (*ask->place)
		m->plan.place = ask->place;
}

/* R24 and R23. */
static enum err judge_rules(struct meeting *m, const struct meeting_ask *ask, struct meeting_done *done,
	struct arena *arena, unsigned *rule, const char **text)
{
	const char *fault = NULL;
	enum err e = ERR_OK;

	*rule = ask->rule;
	*text = ask->rule_text;
	if (!*rule && ask->event == MEETING_CLOSE && m->open_order) {
		*rule = 23;
		*text = arena_printf(arena, _("重点交办 %s 还没有销号"), m->open_order);
	}
	if (ask->event != MEETING_APPROVE && ask->event != MEETING_MOVE)
		return ERR_OK;
	fault = judge_times(m, arena);
	if (!fault)
		e = judge_clashes(m, ask, done, arena, &fault);
	if (fault && !*rule) {
		*rule = 24;
		*text = fault;
	}
	return e;
}

enum err meeting_step(const struct document_world *w, struct meeting *m, const struct meeting_ask *ask,
	struct meeting_done *done, struct arena *arena, struct problem *p)
{
	const struct matter_ask asked = {.from = m->state,
		.event = ask->event,
		.user = ask->user,
		.roles = ask->roles,
		.owner = m->planner,
		.addressee = ""};
	const char *show = _("jgadmin meetings show 会议号：看走到了哪一步"), *text;
	const struct matter_row *row;
	unsigned rule;
	char field[16];

	*done = (struct meeting_done){0};
	enum err e = matter_find(&meeting_machine, w, &asked, show, &row, &done->for_whom, p);
	if (e)
		return e;
	const char *why = not_now(w, m, ask);
	if (why)
		return problem_set(p, ERR_NOT_NOW, "state", show, "%s", why);
	if (ask->event == MEETING_MOVE)
		move(m, ask);
	e = judge_rules(m, ask, done, arena, &rule, &text);
	if (e)
		return problem_set(p, e, NULL, NULL, NULL);
	if (rule) {
		snprintf(field, sizeof field, "R%02u", rule);
		return problem_set(p, ERR_RULE, field,
			rule == 24 ? _("改时间、地点，或由局领导加 --force --reason") : NULL, "%s", text);
	}
	m->state = (enum meeting_state)row->to;
	return ERR_OK;
}
