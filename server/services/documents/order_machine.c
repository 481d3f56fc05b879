#include "order_machine.h"

#include <stdio.h>
#include <string.h>

#include "draft_rules.h"
#include "lang.h"

#define BY_ADDER MATTER_BY_OWNER_HIMSELF

static const struct matter_row rows[] = {
	{ORDER_NONE, ORDER_ADD, ORDER_OPEN, {MATTER_BY_ORDERING},
		MATTER_NEEDS_DOC | MATTER_NEEDS_TITLE | MATTER_NEEDS_TO},
	{ORDER_OPEN, ORDER_ANSWER, ORDER_ANSWERED, {MATTER_BY_ADDRESSEE}, MATTER_NEEDS_TEXT},
	{ORDER_RETURNED, ORDER_ANSWER, ORDER_ANSWERED, {MATTER_BY_ADDRESSEE}, MATTER_NEEDS_TEXT},
	{ORDER_ANSWERED, ORDER_ACCEPT, ORDER_CLOSED, {BY_ADDER, MATTER_BY_SUPERVISION}, 0},
	{ORDER_ANSWERED, ORDER_RETURN, ORDER_RETURNED, {BY_ADDER, MATTER_BY_SUPERVISION},
		MATTER_NEEDS_REASON},
	{ORDER_OPEN, ORDER_TRANSFER, ORDER_OPEN, {MATTER_BY_LEADER, BY_ADDER}, MATTER_NEEDS_TO},
	{ORDER_RETURNED, ORDER_TRANSFER, ORDER_RETURNED, {MATTER_BY_LEADER, BY_ADDER}, MATTER_NEEDS_TO},
	{ORDER_OPEN, ORDER_EXTEND, ORDER_OPEN, {MATTER_BY_LEADER}, MATTER_NEEDS_DUE},
	{ORDER_ANSWERED, ORDER_EXTEND, ORDER_ANSWERED, {MATTER_BY_LEADER}, MATTER_NEEDS_DUE},
	{ORDER_RETURNED, ORDER_EXTEND, ORDER_RETURNED, {MATTER_BY_LEADER}, MATTER_NEEDS_DUE},
	{ORDER_OPEN, ORDER_CANCEL, ORDER_CANCELLED, {MATTER_BY_LEADER}, 0},
	{ORDER_ANSWERED, ORDER_CANCEL, ORDER_CANCELLED, {MATTER_BY_LEADER}, 0},
	{ORDER_RETURNED, ORDER_CANCEL, ORDER_CANCELLED, {MATTER_BY_LEADER}, 0},
};
const struct matter_machine order_machine = {rows, sizeof rows / sizeof *rows};

unsigned order_given(const struct order_ask *a)
{
	return (*a->title ? MATTER_NEEDS_TITLE : 0) | (*a->to ? MATTER_NEEDS_TO : 0) |
		(*a->text ? MATTER_NEEDS_TEXT : 0) | (*a->reason ? MATTER_NEEDS_REASON : 0) |
		(a->due ? MATTER_NEEDS_DUE : 0);
}

bool order_paper_takes(enum document_state state)
{
	return (state >= IN_INSTRUCTING && state <= IN_DONE) || state == OUT_ISSUED || state == OUT_CLOSED;
}

struct rule {
	unsigned number; /* the lowest that is broken; 0 */
	const char *text;
};

static void broken(struct rule *x, unsigned number, const char *text)
{
	if (!text || (x->number && x->number <= number))
		return;
	x->number = number;
	x->text = text;
}

static void judge_to(const struct document_world *w, const struct order *o, const struct order_ask *ask,
	struct arena *arena, struct rule *rule)
{
	if (!ask->to_school)
		broken(rule, 1, document_unfit(w, ask->to, false, arena));
	if (ask->event == ORDER_TRANSFER && strcmp(ask->to, o->to) == 0)
		broken(rule, 1, _("现在就是交给他的"));
}

static void judge_words(const struct order_ask *ask, struct rule *rule)
{
	const char *const words[] = {ask->title, ask->text, ask->reason};

	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		if (draft_text_is_secret(words[i]))
			broken(rule, 7, _("涉密内容不能进入本系统"));
}

static void judge_due(
	const struct document_world *w, const struct order *o, const struct order_ask *ask, struct rule *rule)
{
	if (ask->event == ORDER_ADD && ask->due && ask->due < w->today)
		broken(rule, 26, _("办理期限已经过去"));
	if (ask->event == ORDER_EXTEND && workday_end(ask->due) <= o->due)
		broken(rule, 26, _("延期要晚于现在的期限"));
}

static void do_add(
	const struct document_world *w, struct order *o, const struct order_ask *ask, struct order_done *done)
{
	o->title = ask->title;
	o->adder = ask->user;
	o->to = ask->to;
	o->is_school = ask->to_school;
	o->due = ask->due ? workday_end(ask->due)
			  : workday_due(w->calendar, w->now, w->days[STEP_ORDER][URGENCY_PLAIN]);
	done->opens_order = true;
}

/* An answer that came back gets no new time. */
static void do_return(const struct document_world *w, struct order *o, struct order_done *done)
{
	int64_t back = workday_due(w->calendar, w->now, (int32_t)w->come_back_days);

	if (o->due < back)
		o->due = back;
	done->task_ends = done->opens_order = true;
}

static void act(
	const struct document_world *w, struct order *o, const struct order_ask *ask, struct order_done *done)
{
	switch (ask->event) {
	case ORDER_ADD:
		do_add(w, o, ask, done);
		break;
	case ORDER_ANSWER:
		o->answer = ask->text;
		o->answered_at = w->now;
		done->task_ends = done->opens_judge = true;
		break;
	case ORDER_RETURN:
		do_return(w, o, done);
		break;
	case ORDER_TRANSFER:
		done->moved_from = o->to;
		o->to = ask->to;
		o->is_school = ask->to_school;
		break;
	case ORDER_EXTEND:
		done->extended_from = o->due;
		o->due = workday_end(ask->due);
		break;
	default:
		done->task_ends = true;
		break;
	}
}

enum err order_step(const struct document_world *w, struct order *o, const struct order_ask *ask,
	struct order_done *done, struct arena *arena, struct problem *p)
{
	const struct matter_ask asked = {.from = o->state,
		.event = ask->event,
		.user = ask->user,
		.roles = ask->roles,
		.owner = o->adder,
		.addressee = o->is_school ? "" : o->to};
	const struct matter_row *row;
	struct rule rule = {0};
	char field[16];

	*done = (struct order_done){0};
	enum err e = matter_find(&order_machine, w, &asked, _("jgadmin documents orders list 列出重点交办"),
		&row, &done->for_whom, p);
	if (!e && ask->event == ORDER_ADD && !ask->paper_takes)
		e = problem_set(p, ERR_NOT_NOW, "doc",
			arena_printf(arena, "jgadmin documents show %s", ask->paper),
			_("%s现在不能交办：来文批示以后、发文印发以后、会议召开以后才能"), ask->paper);
	if (e)
		return e;
	if ((ask->event == ORDER_ACCEPT || ask->event == ORDER_RETURN) && strcmp(ask->user, o->to) == 0)
		return problem_set(p, ERR_SAME_PERSON, NULL, NULL, NULL);
	judge_words(ask, &rule);
	if (ask->event == ORDER_ADD || ask->event == ORDER_TRANSFER)
		judge_to(w, o, ask, arena, &rule);
	judge_due(w, o, ask, &rule);
	if (rule.number) {
		snprintf(field, sizeof field, "R%02u", rule.number);
		return problem_set(p, ERR_RULE, field, NULL, "%s", rule.text);
	}
	act(w, o, ask, done);
	o->state = (enum order_state)row->to;
	return ERR_OK;
}
