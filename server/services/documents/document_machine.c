#include "document_machine.h"

#include <string.h>

#include "clock.h"
#include "codes.h"
#include "document_machine_inner.h"
#include "lang.h"
#include "tables.h"

#define OFFICE (1u << ROLE_OFFICE)
#define LEADER (1u << ROLE_LEADER)
#define OFFICERS (LEADER | OFFICE | 1u << ROLE_BASIC_EDU | 1u << ROLE_SUPERVISION | 1u << ROLE_ADMISSIONS)

static const struct {
	uint32_t roles;
	const char *label; /* as the tables of README.md say it */
} actors[BY_COUNT] = {
	[BY_RECEIVE] = {OFFICE, "R"},
	[BY_ISSUE] = {OFFICE, "I"},
	[BY_ARCHIVE] = {OFFICE, "A"},
	[BY_LEADER_NAMED] = {LEADER, "L"},
	[BY_LEAD] = {OFFICERS, "U"},
	[BY_ASSIST] = {OFFICERS, "V"},
	[BY_READER] = {OFFICERS, "reader"},
	[BY_COUNTERSIGN] = {OFFICERS, "U"},
	[BY_DRAFTER] = {OFFICERS, "drafter"},
	[BY_OFFICER] = {OFFICERS, "officer"},
	[BY_HEAD] = {LEADER, "head"},
	[BY_LEADER] = {LEADER, "leader"},
};

/* A row each; rows of one state and event are told apart by what they need. */
static const struct row rows[] = {
	{DOCUMENT_NONE, EVENT_REGISTER, {BY_RECEIVE}, NEEDS_NOTHING, NULL, do_register, IN_REGISTERED},
	{IN_REGISTERED, EVENT_ACCEPT, {BY_RECEIVE}, NEEDS_NOTHING, NULL, NULL, IN_PROPOSING},
	{IN_REGISTERED, EVENT_REFUSE, {BY_RECEIVE}, NEEDS_REASON, NULL, NULL, IN_REFUSED},
	{IN_PROPOSING, EVENT_PROPOSE, {BY_RECEIVE}, NEEDS_TEXT | NEEDS_LEADER, NULL, do_name_leader,
		IN_INSTRUCTING},
	{IN_PROPOSING, EVENT_PROPOSE, {BY_RECEIVE}, NEEDS_TEXT | NEEDS_READERS, when_it_is_read,
		do_name_readers, IN_CIRCULATING},
	{IN_INSTRUCTING, EVENT_INSTRUCT, {BY_LEADER_NAMED}, NEEDS_TEXT | NEEDS_LEAD, NULL, do_name_lead,
		IN_HANDLING},
	{IN_INSTRUCTING, EVENT_INSTRUCT, {BY_LEADER_NAMED}, NEEDS_TEXT | NEEDS_READERS, NULL, do_name_readers,
		IN_CIRCULATING},
	{IN_INSTRUCTING, EVENT_PASS, {BY_LEADER_NAMED}, NEEDS_LEADER, NULL, do_pass, IN_INSTRUCTING},
	{IN_INSTRUCTING, EVENT_RETURN, {BY_LEADER_NAMED}, NEEDS_REASON, NULL, NULL, IN_PROPOSING},
	{IN_HANDLING, EVENT_REPORT, {BY_ASSIST}, NEEDS_TEXT, NULL, do_mark_done, IN_HANDLING},
	{IN_HANDLING, EVENT_FINISH, {BY_LEAD}, NEEDS_TEXT, NULL, do_finish, IN_REVIEWING},
	{IN_HANDLING, EVENT_DECLINE, {BY_LEAD}, NEEDS_REASON, NULL, do_forget_lead, IN_PROPOSING},
	{IN_HANDLING, EVENT_TRANSFER, {BY_LEADER_NAMED, BY_RECEIVE}, NEEDS_TO | NEEDS_REASON, NULL,
		do_transfer, IN_HANDLING},
	{IN_HANDLING, EVENT_EXTEND, {BY_LEADER_NAMED}, NEEDS_DUE | NEEDS_REASON, NULL, do_extend,
		IN_HANDLING},
	{IN_CIRCULATING, EVENT_READ, {BY_READER}, NEEDS_NOTHING, NULL, do_read, IN_CIRCULATING},
	{IN_REVIEWING, EVENT_APPROVE, {BY_RECEIVE}, NEEDS_NOTHING, NULL, do_not_lead, IN_DONE},
	{IN_REVIEWING, EVENT_RETURN, {BY_RECEIVE}, NEEDS_REASON, NULL, NULL, IN_HANDLING},
	{IN_DONE, EVENT_REOPEN, {BY_LEADER}, NEEDS_REASON, when_it_has_a_lead, NULL, IN_HANDLING},
	{IN_DONE, EVENT_ARCHIVE, {BY_ARCHIVE}, NEEDS_SLOT, NULL, do_archive, IN_ARCHIVED},
	{IN_REGISTERED, EVENT_VOID, {BY_RECEIVE}, NEEDS_REASON, NULL, do_nothing_open, IN_VOID},
	{IN_PROPOSING, EVENT_VOID, {BY_RECEIVE}, NEEDS_REASON, NULL, do_nothing_open, IN_VOID},
	{IN_INSTRUCTING, EVENT_VOID, {BY_RECEIVE}, NEEDS_REASON, NULL, do_nothing_open, IN_VOID},
	{IN_HANDLING, EVENT_VOID, {BY_RECEIVE}, NEEDS_REASON, NULL, do_nothing_open, IN_VOID},
	{IN_CIRCULATING, EVENT_VOID, {BY_RECEIVE}, NEEDS_REASON, NULL, do_nothing_open, IN_VOID},
	{IN_REVIEWING, EVENT_VOID, {BY_RECEIVE}, NEEDS_REASON, NULL, do_nothing_open, IN_VOID},

	{DOCUMENT_NONE, EVENT_DRAFT, {BY_OFFICER}, NEEDS_FILE | NEEDS_LEADER, NULL, do_draft, OUT_DRAFT},
	{OUT_DRAFT, EVENT_EDIT, {BY_DRAFTER}, NEEDS_NOTHING, NULL, do_edit, OUT_DRAFT},
	{OUT_DRAFT, EVENT_SUBMIT, {BY_DRAFTER}, NEEDS_NOTHING, NULL, do_submit, OUT_REVIEWING},
	{OUT_REVIEWING, EVENT_APPROVE, {BY_ISSUE}, NEEDS_NOTHING, NULL, do_approve_draft, OUT_COUNTERSIGNING},
	{OUT_REVIEWING, EVENT_RETURN, {BY_ISSUE}, NEEDS_REASON, NULL, do_back_to_draft, OUT_DRAFT},
	{OUT_COUNTERSIGNING, EVENT_AGREE, {BY_COUNTERSIGN}, NEEDS_NOTHING, NULL, do_agree,
		OUT_COUNTERSIGNING},
	{OUT_COUNTERSIGNING, EVENT_OBJECT, {BY_COUNTERSIGN}, NEEDS_REASON, NULL, do_back_to_draft, OUT_DRAFT},
	{OUT_SIGNING, EVENT_SIGN, {BY_LEADER_NAMED}, NEEDS_NOTHING, when_unsigned, do_sign, OUT_SIGNING},
	{OUT_SIGNING, EVENT_JOINT, {BY_DRAFTER}, NEEDS_ORGAN | NEEDS_BY | NEEDS_DATE, when_organ_is_out,
		do_joint, OUT_SIGNING},
	{OUT_SIGNING, EVENT_RETURN, {BY_LEADER_NAMED}, NEEDS_REASON, when_unsigned, do_return_unsigned,
		OUT_DRAFT},
	{OUT_RECHECKING, EVENT_RECHECK, {BY_ISSUE}, NEEDS_NOTHING, NULL, do_recheck, OUT_NUMBERING},
	{OUT_RECHECKING, EVENT_CHANGE, {BY_ISSUE}, NEEDS_FILE | NEEDS_REASON, NULL, do_change,
		OUT_RECHECKING},
	{OUT_NUMBERING, EVENT_NUMBER, {BY_ISSUE}, NEEDS_SERIES, NULL, do_number, OUT_NUMBERED},
	{OUT_NUMBERED, EVENT_PRESS, {BY_ISSUE}, NEEDS_COPIES, NULL, do_press, OUT_PRINTING},
	{OUT_PRINTING, EVENT_PROOF_PASS, {BY_ISSUE}, NEEDS_NOTHING, NULL, do_not_drafter, OUT_PROOFED},
	{OUT_PRINTING, EVENT_PROOF_FAIL, {BY_ISSUE}, NEEDS_REASON, NULL, NULL, OUT_NUMBERED},
	{OUT_PROOFED, EVENT_SEAL, {BY_ISSUE}, NEEDS_COUNT, NULL, do_seal, OUT_SEALED},
	{OUT_PROOFED, EVENT_ISSUE, {BY_ISSUE}, NEEDS_NOTHING, when_minutes, do_issue, OUT_ISSUED},
	{OUT_SEALED, EVENT_ISSUE, {BY_ISSUE}, NEEDS_NOTHING, NULL, do_issue, OUT_ISSUED},
	{OUT_ISSUED, EVENT_CLOSE, {BY_HEAD}, NEEDS_FORCE | NEEDS_REASON, NULL, do_nothing_open, OUT_CLOSED},
	{OUT_ISSUED, EVENT_CLOSE, {BY_ISSUE}, NEEDS_NOTHING, NULL, do_close, OUT_CLOSED},
	{OUT_ISSUED, EVENT_RECALL, {BY_HEAD}, NEEDS_REASON, NULL, NULL, OUT_RECALLED},
	{OUT_ISSUED, EVENT_REISSUE, {BY_DRAFTER}, NEEDS_FILE | NEEDS_REASON, NULL, do_reissue, OUT_SIGNING},
	{OUT_CLOSED, EVENT_ARCHIVE, {BY_ARCHIVE}, NEEDS_SLOT, NULL, do_archive, OUT_ARCHIVED},
	{OUT_RECALLED, EVENT_ARCHIVE, {BY_ARCHIVE}, NEEDS_SLOT, NULL, do_archive, OUT_ARCHIVED},
	{OUT_REVIEWING, EVENT_WITHDRAW, {BY_DRAFTER}, NEEDS_NOTHING, when_nobody_is_in, do_back_to_draft,
		OUT_DRAFT},
	{OUT_COUNTERSIGNING, EVENT_WITHDRAW, {BY_DRAFTER}, NEEDS_NOTHING, when_nobody_is_in, do_back_to_draft,
		OUT_DRAFT},
	{OUT_SIGNING, EVENT_WITHDRAW, {BY_DRAFTER}, NEEDS_NOTHING, when_nobody_is_in, do_back_to_draft,
		OUT_DRAFT},
	{OUT_DRAFT, EVENT_VOID, {BY_DRAFTER, BY_ISSUE}, NEEDS_REASON, when_first_issue, do_nothing_open,
		OUT_VOID},
	{OUT_REVIEWING, EVENT_VOID, {BY_DRAFTER, BY_ISSUE}, NEEDS_REASON, when_first_issue, do_nothing_open,
		OUT_VOID},
	{OUT_COUNTERSIGNING, EVENT_VOID, {BY_DRAFTER, BY_ISSUE}, NEEDS_REASON, when_first_issue,
		do_nothing_open, OUT_VOID},
	{OUT_SIGNING, EVENT_VOID, {BY_DRAFTER, BY_ISSUE}, NEEDS_REASON, when_first_issue, do_nothing_open,
		OUT_VOID},
	{OUT_RECHECKING, EVENT_VOID, {BY_DRAFTER, BY_ISSUE}, NEEDS_REASON, when_first_issue, do_nothing_open,
		OUT_VOID},
	{OUT_NUMBERING, EVENT_VOID, {BY_DRAFTER, BY_ISSUE}, NEEDS_REASON, when_first_issue, do_nothing_open,
		OUT_VOID},
	{OUT_NUMBERED, EVENT_VOID, {BY_ISSUE}, NEEDS_REASON, when_first_issue, do_nothing_open, OUT_VOID},
	{OUT_PRINTING, EVENT_VOID, {BY_ISSUE}, NEEDS_REASON, when_first_issue, do_nothing_open, OUT_VOID},
	{OUT_PROOFED, EVENT_VOID, {BY_ISSUE}, NEEDS_REASON, when_first_issue, do_nothing_open, OUT_VOID},
	{OUT_SEALED, EVENT_VOID, {BY_ISSUE}, NEEDS_REASON, when_first_issue, do_nothing_open, OUT_VOID},
};
#define ROWS (sizeof rows / sizeof *rows)

/* The tasks of a state that wait for one place; those that wait for several people are in open_tasks. */
static const struct {
	enum document_state state;
	enum document_step step;
	const char *principal;
} waits[] = {
	{IN_REGISTERED, STEP_CHECK, DESK_RECEIVE},
	{IN_PROPOSING, STEP_PROPOSE, DESK_RECEIVE},
	{IN_REVIEWING, STEP_REVIEW, DESK_RECEIVE},
	{IN_DONE, STEP_FILE, DESK_ARCHIVE},
	{OUT_REVIEWING, STEP_APPROVE, DESK_ISSUE},
	{OUT_RECHECKING, STEP_RECHECK, DESK_ISSUE},
	{OUT_NUMBERING, STEP_NUMBER, DESK_ISSUE},
	{OUT_NUMBERED, STEP_PRESS, DESK_ISSUE},
	{OUT_PRINTING, STEP_PROOF, DESK_ISSUE},
	{OUT_SEALED, STEP_ISSUE, DESK_ISSUE},
	{OUT_CLOSED, STEP_FILE, DESK_ARCHIVE},
	{OUT_RECALLED, STEP_FILE, DESK_ARCHIVE},
};

size_t document_rows(struct document_row *out, size_t max)
{
	for (size_t i = 0; i < ROWS && i < max; i++)
		out[i] = (struct document_row){rows[i].from, rows[i].event, rows[i].to,
			{actors[rows[i].by[0]].label, actors[rows[i].by[1]].label}};
	return ROWS;
}

bool document_is_in(enum document_state state)
{
	return state >= IN_REGISTERED && state <= IN_VOID;
}

/* ---- Who ---- */

const struct document_desk *document_desk(const struct document_world *w, const char *name, int64_t at)
{
	for (size_t i = w->desk_count; i--;)
		if (w->desks[i].set_at <= at && strcmp(w->desks[i].name, name) == 0)
			return &w->desks[i];
	return NULL;
}

static const struct document_away *away_of(const struct document_world *w, const char *user, int64_t at)
{
	int32_t day = workday_of(at);

	for (size_t i = 0; *user && i < w->away_count; i++) {
		const struct document_away *a = &w->away[i];
		if (a->added <= at && (!a->ended || a->ended > at) && a->begin <= day && day <= a->end &&
			strcmp(a->from, user) == 0)
			return a;
	}
	return NULL;
}

const char *document_head(const struct document_world *w)
{
	const struct document_desk *head = document_desk(w, DESK_HEAD, w->now);

	return head ? head->holder : "";
}

/* Whether who acts for somebody does so with all his powers (主持工作). */
bool document_is_acting(const struct document_world *w, const char *for_whom)
{
	const struct document_away *away = away_of(w, for_whom, w->now);

	return away && away->acting;
}

const struct document_account *document_account(const struct document_world *w, const char *user)
{
	for (size_t i = 0; *user && i < w->account_count; i++)
		if (strcmp(w->accounts[i].user, user) == 0)
			return &w->accounts[i];
	return NULL;
}

const char *document_with(
	const struct document_world *w, const char *principal, int64_t at, const char **for_whom)
{
	const struct document_desk *desk = *principal == '@' ? document_desk(w, principal, at) : NULL;
	const char *person = principal;
	if (desk)
		person = desk->holder;
	else if (*principal == '@')
		person = "";
	const struct document_away *away = away_of(w, person, at);

	*for_whom = away ? person : NULL;
	return away ? away->to : person;
}

bool document_is_or_stands_in(
	const struct document_world *w, const char *user, const char *person, bool *himself)
{
	const struct document_away *away = away_of(w, person, w->now);

	*himself = *person && strcmp(user, person) == 0;
	return *himself || (away && strcmp(away->to, user) == 0);
}

/* The people that `by` means in this document, in the order in which they are named. */
static size_t people_meant(
	const struct document_world *w, const struct document *d, enum by by, const char **out, size_t max)
{
	static const struct {
		enum by by;
		enum document_part part;
	} parts[] = {{BY_ASSIST, PART_ASSIST}, {BY_READER, PART_READER}, {BY_COUNTERSIGN, PART_COUNTERSIGN}};
	size_t n = 0;

	switch (by) {
	case BY_LEADER_NAMED:
		out[n++] = d->leader;
		break;
	case BY_LEAD:
		out[n++] = d->lead;
		break;
	case BY_DRAFTER:
		out[n++] = d->drafter;
		break;
	case BY_HEAD:
		out[n++] = document_head(w);
		break;
	default:
		break;
	}
	for (size_t k = 0; k < sizeof parts / sizeof *parts; k++)
		for (size_t i = 0; parts[k].by == by && i < d->person_count && n < max; i++)
			if (d->people[i].part == parts[k].part && !d->people[i].done) {
				out[n++] = d->people[i].who;
				if (d->in_order && by != BY_ASSIST)
					return n;
			}
	return n;
}

static const char *desk_name(enum by by)
{
	if (by == BY_RECEIVE)
		return DESK_RECEIVE;
	if (by == BY_ISSUE)
		return DESK_ISSUE;
	if (by == BY_ARCHIVE)
		return DESK_ARCHIVE;
	return NULL;
}

/* Who acts for himself goes first, then for others in the order named. */
static bool find_actor(struct step *s, enum by by, bool himself)
{
	const char *people[DOCUMENT_PEOPLE_MAX + 1];
	const struct document_desk *desk =
		desk_name(by) ? document_desk(s->w, desk_name(by), s->w->now) : NULL;
	size_t n = 0;
	bool is_he;

	if (by == BY_OFFICER || by == BY_LEADER)
		return himself;
	if (desk) {
		people[n++] = desk->holder;
		people[n++] = desk->deputy;
	} else if (!desk_name(by)) {
		n = people_meant(s->w, s->d, by, people, DOCUMENT_PEOPLE_MAX);
	}
	for (size_t i = 0; i < n; i++)
		if (document_is_or_stands_in(s->w, s->ask->user, people[i], &is_he) && is_he == himself) {
			s->principal = people[i];
			s->by = by;
			s->done->for_whom = himself ? NULL : people[i];
			return true;
		}
	return false;
}

/* A step that waits for a desk which nobody was ever given: *p says so. */
static bool nobody_holds(struct step *s, enum by by)
{
	const char *desk = desk_name(by);

	if (desk && !document_desk(s->w, desk, s->w->now))
		problem_set(s->p, ERR_PERMISSION, "doc",
			arena_printf(s->arena, _("jgadmin documents desk set %s 姓名"),
				code_name(&codes_desk, desk + 1)),
			_("还没有定谁在“%s”岗，这一步没有人能办"), code_name(&codes_desk, desk + 1));
	else if (by == BY_HEAD && !*document_head(s->w))
		problem_set(s->p, ERR_PERMISSION, "doc", _("jgadmin documents head set 姓名"),
			_("还没有定谁是主要负责人，这一步没有人能办"));
	else
		return false;
	return true;
}

static enum err judge_person(struct step *s, const struct row *row)
{
	for (int others = 0; others < 2; others++)
		for (size_t i = 0; i < ROW_BY && row->by[i]; i++)
			if (actors[row->by[i]].roles & s->ask->roles && find_actor(s, row->by[i], !others))
				return ERR_OK;
	for (size_t i = 0; i < ROW_BY && row->by[i]; i++)
		if (nobody_holds(s, row->by[i]))
			return ERR_PERMISSION;
	return problem_set(s->p, ERR_PERMISSION, "doc", _("jgadmin documents show 文号：看现在由谁办"),
		_("这一步现在不由您办"));
}

/* ---- Which row ---- */

static uint32_t roles_of(const struct row *row)
{
	uint32_t roles = 0;

	for (size_t i = 0; i < ROW_BY && row->by[i]; i++)
		roles |= actors[row->by[i]].roles;
	return roles;
}

bool document_role_fits(enum document_event event, uint32_t roles)
{
	for (size_t i = 0; i < ROWS; i++)
		if (rows[i].event == event && roles_of(&rows[i]) & roles)
			return true;
	return false;
}

/* By the rows of this kind of paper; an event that it does not have is told by its state. */
static bool role_fits(const struct step *s)
{
	bool in = document_is_in(s->d->state), has = false;

	for (size_t i = 0; s->d->state != DOCUMENT_NONE && i < ROWS; i++) {
		if (rows[i].event != s->ask->event || rows[i].from == DOCUMENT_NONE ||
			document_is_in(rows[i].from) != in)
			continue;
		if (roles_of(&rows[i]) & s->ask->roles)
			return true;
		has = true;
	}
	return !has && document_role_fits(s->ask->event, s->ask->roles);
}

static const struct {
	unsigned need;
	const char *field, *what;
} needs[] = {
	{NEEDS_TEXT, "text", N_("意见：--text（拟办用 --opinion）")},
	{NEEDS_REASON, "reason", N_("理由：--reason")},
	{NEEDS_LEADER, "leader", N_("领导：--leader（发文用 --signer）")},
	{NEEDS_LEAD, "lead", N_("承办人：--lead")},
	{NEEDS_READERS, "readers", N_("传阅人：--readers")},
	{NEEDS_TO, "to", N_("交给谁：--to")},
	{NEEDS_DUE, "until", N_("期限：--until")},
	{NEEDS_SLOT, "slot", N_("存放位置：--slot")},
	{NEEDS_FILE, "file", N_("文稿文件")},
	{NEEDS_ORGAN, "org", N_("机关：--org")},
	{NEEDS_BY, "by", N_("签字人：--by")},
	{NEEDS_DATE, "date", N_("日期：--date")},
	{NEEDS_SERIES, "series", N_("代字：--series")},
	{NEEDS_COPIES, "copies", N_("份数：--copies")},
	{NEEDS_COUNT, "count", N_("用印份数：--count")},
	{NEEDS_FORCE, "force", N_("确认：--force")},
};

static unsigned given(const struct document_ask *a)
{
	return (*a->text ? NEEDS_TEXT : 0) | (*a->reason ? NEEDS_REASON : 0) |
		(*a->leader ? NEEDS_LEADER : 0) | (*a->lead ? NEEDS_LEAD : 0) |
		(a->reader_count ? NEEDS_READERS : 0) | (*a->to ? NEEDS_TO : 0) | (a->due ? NEEDS_DUE : 0) |
		(*a->slot ? NEEDS_SLOT : 0) | (a->has_file ? NEEDS_FILE : 0) | (*a->organ ? NEEDS_ORGAN : 0) |
		(*a->by ? NEEDS_BY : 0) | (a->date ? NEEDS_DATE : 0) | (*a->series ? NEEDS_SERIES : 0) |
		(a->copies ? NEEDS_COPIES : 0) | (a->count ? NEEDS_COUNT : 0) | (a->force ? NEEDS_FORCE : 0);
}

enum err document_judge_given(const struct document_ask *ask, struct problem *p)
{
	unsigned has = given(ask), lacks = 0;
	bool known = false;

	for (size_t i = 0; i < ROWS; i++) {
		if (rows[i].event != ask->event)
			continue;
		if (!(rows[i].needs & ~has))
			return ERR_OK;
		if (!known || rows[i].needs & has)
			lacks = rows[i].needs & ~has;
		known = true;
	}
	for (size_t i = 0; i < sizeof needs / sizeof *needs; i++)
		if (needs[i].need & lacks)
			return problem_set(
				p, ERR_MISSING, needs[i].field, NULL, _("没有写%s"), _(needs[i].what));
	return ERR_OK;
}

static const struct row *find_row(const struct step *s)
{
	unsigned has = given(s->ask);

	for (size_t i = 0; i < ROWS; i++)
		if (rows[i].from == s->d->state && rows[i].event == s->ask->event &&
			!(rows[i].needs & ~has) && (!rows[i].when || rows[i].when(s)))
			return &rows[i];
	return NULL;
}

/* ---- Tasks ---- */

/* What the state asks to be open: those that are not there are opened, those that are open and not asked for
 * end. */
struct wanted {
	enum document_step step;
	const char *principal, *school;
};

static size_t want_people(const struct document *d, enum document_part part, enum document_step step,
	bool in_order, struct wanted *out)
{
	size_t n = 0;

	for (size_t i = 0; i < d->person_count; i++) {
		if (d->people[i].part != part || d->people[i].done)
			continue;
		bool joint = part == PART_JOINT;
		out[n++] = (struct wanted){
			step, joint ? d->drafter : d->people[i].who, joint ? d->people[i].who : ""};
		if (in_order)
			break;
	}
	return n;
}

static size_t want(const struct document *d, struct wanted *out)
{
	size_t n = 0;

	for (size_t i = 0; i < sizeof waits / sizeof *waits; i++)
		if (waits[i].state == d->state)
			out[n++] = (struct wanted){waits[i].step, waits[i].principal, ""};
	switch (d->state) {
	case IN_INSTRUCTING:
		out[n++] = (struct wanted){STEP_INSTRUCT, d->leader, ""};
		break;
	case IN_HANDLING:
		out[n++] = (struct wanted){STEP_HANDLE, d->lead, ""};
		n += want_people(d, PART_ASSIST, STEP_ASSIST, false, out + n);
		break;
	case IN_CIRCULATING:
		n += want_people(d, PART_READER, STEP_CIRCULATE, d->in_order, out + n);
		break;
	case OUT_DRAFT:
		if (d->came_back)
			out[n++] = (struct wanted){STEP_DRAFT, d->drafter, ""};
		break;
	case OUT_COUNTERSIGNING:
		n += want_people(d, PART_COUNTERSIGN, STEP_COUNTERSIGN, d->in_order, out + n);
		break;
	case OUT_SIGNING:
		if (!*d->signer)
			out[n++] = (struct wanted){STEP_SIGN, d->leader, ""};
		n += want_people(d, PART_JOINT, STEP_JOINT, false, out + n);
		break;
	case OUT_PROOFED:
		out[n++] = (struct wanted){d->is_minutes ? STEP_ISSUE : STEP_SEAL, DESK_ISSUE, ""};
		break;
	case OUT_ISSUED:
		if (!d->deliveries_open && !d->open_order)
			out[n++] = (struct wanted){STEP_CLOSE, DESK_ISSUE, ""};
		break;
	default:
		break;
	}
	if (!d->reads && d->state >= IN_REGISTERED && d->state <= IN_REVIEWING)
		out[n++] = (struct wanted){STEP_WHOLE, DESK_RECEIVE, ""};
	return n;
}

/* A step that comes back gets no new time. */
static int64_t due_of(const struct step *s, const struct wanted *x, bool dated)
{
	const struct document_world *w = s->w;
	int64_t due = workday_due(w->calendar, w->now, w->days[x->step][s->d->urgency]), back;
	const struct document_task *last = NULL;

	if (dated)
		return workday_end(s->ask->due);
	for (size_t i = 0; i < s->d->task_count; i++) {
		const struct document_task *t = &s->d->task[i];
		if (t->step == x->step && strcmp(t->principal, x->principal) == 0 &&
			strcmp(t->school, x->school) == 0)
			last = t;
	}
	if (!last)
		return due;
	back = workday_due(w->calendar, w->now, (int32_t)w->come_back_days);
	return last->due > back ? last->due : back;
}

static enum err open_tasks(struct step *s)
{
	struct document *d = s->d;
	struct wanted list[DOCUMENT_PEOPLE_MAX + 4];
	bool met[DOCUMENT_PEOPLE_MAX + 4] = {false};
	size_t n = want(d, list), had = d->task_count;

	for (size_t i = 0; i < had; i++) {
		struct document_task *t = &d->task[i];
		bool stays = false;
		for (size_t k = 0; !t->closed && k < n; k++)
			if (!met[k] && t->step == list[k].step &&
				strcmp(t->principal, list[k].principal) == 0 &&
				strcmp(t->school, list[k].school) == 0)
				stays = met[k] = true;
		if (!t->closed && !stays) {
			t->closed = s->w->now;
			t->changed = true;
		}
	}
	for (size_t k = 0; k < n; k++) {
		if (met[k])
			continue;
		if (d->task_count == d->task_room)
			return problem_set(s->p, ERR_TOO_LARGE, "doc", NULL, _("一份公文的待办太多"));
		bool dated = s->ask->due && (list[k].step == STEP_HANDLE || list[k].step == STEP_ASSIST) &&
			s->ask->event == EVENT_INSTRUCT;
		int64_t due = due_of(s, &list[k], dated);
		d->task[d->task_count++] = (struct document_task){.step = list[k].step,
			.principal = list[k].principal,
			.school = list[k].school,
			.since = s->w->now,
			.opened = s->w->now,
			.due = due,
			.changed = true};
	}
	return ERR_OK;
}

struct document_task *document_open_task(struct document *d, enum document_step step)
{
	for (size_t i = 0; i < d->task_count; i++)
		if (!d->task[i].closed && d->task[i].step == step)
			return &d->task[i];
	return NULL;
}

/* ---- The one door ---- */

enum err document_step(const struct document_world *w, struct document *d, const struct document_ask *ask,
	struct document_done *done, struct arena *arena, struct problem *p)
{
	struct step s = {.w = w, .d = d, .ask = ask, .done = done, .arena = arena, .p = p};
	enum err e;

	*done = (struct document_done){0};
	if (!role_fits(&s))
		return problem_set(p, ERR_PERMISSION, NULL, NULL, NULL);
	if (ask->seen && ask->seen != d->version)
		return problem_set(p, ERR_STALE, "seen", _("jgadmin documents show 文号：看现在的版本"),
			_("现在是第 %d 版，您看的是第 %d 版"), d->version, ask->seen);
	const struct row *row = find_row(&s);
	if (!row)
		return problem_set(p, ERR_NOT_NOW, "state", NULL, NULL);
	e = judge_person(&s, row);
	if (e)
		return e;
	s.to = row->to;
	if (ask->rule) {
		document_rule(&s, ask->rule, ask->rule_text);
		s.rule_hint = ask->rule_hint;
	}
	e = row->act ? row->act(&s) : ERR_OK;
	if (!e && s.rule)
		e = document_rule_told(&s);
	if (e)
		return e;
	d->state = s.to;
	return open_tasks(&s);
}
