/* What the rows of document_machine.c do, in the order of the tables. */
#include <stdio.h>
#include <string.h>

#include "document_machine_inner.h"
#include "lang.h"
#include "tables.h"

/* ---- Rules ---- */

void document_rule(struct step *s, unsigned number, const char *text)
{
	if (s->rule && s->rule <= number)
		return;
	s->rule = number;
	s->rule_text = text;
	s->rule_hint = NULL;
}

enum err document_rule_told(struct step *s)
{
	char field[8];

	snprintf(field, sizeof field, "R%02u", s->rule);
	return problem_set(s->p, ERR_RULE, field, s->rule_hint, "%s", s->rule_text);
}

const char *document_unfit(const struct document_world *w, const char *user, bool leader, struct arena *arena)
{
	const struct document_account *a = document_account(w, user);
	uint32_t officers = 1u << ROLE_LEADER | 1u << ROLE_OFFICE | 1u << ROLE_BASIC_EDU |
		1u << ROLE_SUPERVISION | 1u << ROLE_ADMISSIONS;

	if (!a)
		return arena_printf(arena, _("没有“%s”这个帐号"), user);
	if (a->disabled)
		return arena_printf(arena, _("%s的帐号已停用"), a->name);
	if (leader && !(a->roles & 1u << ROLE_LEADER))
		return arena_printf(arena, _("%s不是局领导"), a->name);
	return a->roles & officers ? NULL : arena_printf(arena, _("%s不是县局的办文人员"), a->name);
}

/* R01. */
static void judge_named(struct step *s, const char *user, bool leader)
{
	const char *fault = document_unfit(s->w, user, leader, s->arena);

	if (fault)
		document_rule(s, 1, fault);
	if (fault && s->rule == 1)
		s->rule_hint = _("jgadmin documents people 列出县局办文的人");
}

static void judge_twice(struct step *s, const char *a, const char *b)
{
	if (*a && strcmp(a, b) == 0)
		document_rule(s, 1, arena_printf(s->arena, _("“%s”写了两次"), a));
}

static void forget(struct document *d, enum document_part part)
{
	size_t n = 0;

	for (size_t i = 0; i < d->person_count; i++)
		if (d->people[i].part != part)
			d->people[n++] = d->people[i];
	d->person_count = n;
}

/* Names the people of a part anew. */
static enum err name_people(struct step *s, enum document_part part, const char *const *list, size_t n)
{
	forget(s->d, part);
	if (s->d->person_count + n > DOCUMENT_PEOPLE_MAX)
		return problem_set(
			s->p, ERR_TOO_LARGE, "readers", NULL, _("一份公文最多写 %d 人"), DOCUMENT_PEOPLE_MAX);
	for (size_t i = 0; i < n; i++) {
		if (part != PART_JOINT)
			judge_named(s, list[i], false);
		for (size_t k = 0; k < i; k++)
			judge_twice(s, list[i], list[k]);
		s->d->people[s->d->person_count++] = (struct document_person){part, list[i], false};
	}
	return ERR_OK;
}

static bool all_in(const struct document *d, enum document_part part)
{
	for (size_t i = 0; i < d->person_count; i++)
		if (d->people[i].part == part && !d->people[i].done)
			return false;
	return true;
}

static bool any_named(const struct document *d, enum document_part part)
{
	for (size_t i = 0; i < d->person_count; i++)
		if (d->people[i].part == part)
			return true;
	return false;
}

static void mark(struct document *d, enum document_part part, const char *who)
{
	for (size_t i = 0; i < d->person_count; i++)
		if (d->people[i].part == part && strcmp(d->people[i].who, who) == 0)
			d->people[i].done = true;
}

static void unmark(struct document *d, enum document_part part)
{
	for (size_t i = 0; i < d->person_count; i++)
		if (d->people[i].part == part)
			d->people[i].done = false;
}

static void unsign(struct document *d)
{
	d->signer = "";
	d->signed_on = 0;
	unmark(d, PART_JOINT);
}

static void give(struct document_task *t, const char *to, int64_t now)
{
	t->moved_from = t->principal;
	t->principal = to;
	t->since = now;
	t->changed = true;
}

/* What the text that stands from now on says of itself. */
static void take_text(struct step *s)
{
	s->d->is_minutes = s->ask->is_minutes;
	s->d->needs_head = s->ask->needs_head;
}

static void next_version(struct step *s)
{
	s->d->version = ++s->d->last_version;
	s->done->new_version = true;
	take_text(s);
}

/* R23: an order holds its paper. */
enum err do_nothing_open(struct step *s)
{
	if (s->d->open_order)
		document_rule(s, 23, arena_printf(s->arena, _("重点交办 %s 还没有销号"), s->d->open_order));
	return ERR_OK;
}

static enum err same_person(struct step *s)
{
	return problem_set(s->p, ERR_SAME_PERSON, NULL, NULL, NULL);
}

/* ---- 收文 ---- */

bool when_it_is_read(const struct step *s)
{
	return s->d->reads;
}

bool when_it_has_a_lead(const struct step *s)
{
	return *s->d->lead;
}

enum err do_register(struct step *s)
{
	s->d->drafter = s->ask->user;
	s->d->version = s->d->last_version = 1;
	return ERR_OK;
}

enum err do_name_leader(struct step *s)
{
	judge_named(s, s->ask->leader, true);
	s->d->leader = s->ask->leader;
	return ERR_OK;
}

enum err do_name_readers(struct step *s)
{
	s->d->in_order = s->ask->in_order;
	return name_people(s, PART_READER, s->ask->readers, s->ask->reader_count);
}

enum err do_name_lead(struct step *s)
{
	judge_named(s, s->ask->lead, false);
	for (size_t i = 0; i < s->ask->assist_count; i++)
		judge_twice(s, s->ask->assist[i], s->ask->lead);
	if (s->ask->due && s->ask->due < s->w->today)
		document_rule(s, 26, _("办理期限已经过去"));
	s->d->lead = s->ask->lead;
	return name_people(s, PART_ASSIST, s->ask->assist, s->ask->assist_count);
}

enum err do_pass(struct step *s)
{
	judge_named(s, s->ask->leader, true);
	judge_twice(s, s->ask->leader, s->d->leader);
	s->d->leader = s->ask->leader;
	give(document_open_task(s->d, STEP_INSTRUCT), s->d->leader, s->w->now);
	return ERR_OK;
}

enum err do_mark_done(struct step *s)
{
	mark(s->d, PART_ASSIST, s->principal);
	return ERR_OK;
}

enum err do_finish(struct step *s)
{
	for (size_t i = 0; i < s->d->person_count; i++) {
		const struct document_person *v = &s->d->people[i];
		if (v->part != PART_ASSIST || v->done)
			continue;
		const struct document_account *a = document_account(s->w, v->who);
		document_rule(s, 23, arena_printf(s->arena, _("协办人%s还没有反馈"), a ? a->name : v->who));
		break;
	}
	return ERR_OK;
}

enum err do_forget_lead(struct step *s)
{
	s->d->lead = "";
	forget(s->d, PART_ASSIST);
	return ERR_OK;
}

enum err do_transfer(struct step *s)
{
	judge_named(s, s->ask->to, false);
	judge_twice(s, s->ask->to, s->d->lead);
	for (size_t i = 0; i < s->d->person_count; i++)
		if (s->d->people[i].part == PART_ASSIST)
			judge_twice(s, s->ask->to, s->d->people[i].who);
	s->d->lead = s->ask->to;
	give(document_open_task(s->d, STEP_HANDLE), s->d->lead, s->w->now);
	return ERR_OK;
}

static void put_off(struct document_task *t, int64_t due)
{
	if (!t || t->due >= due)
		return;
	t->extended_from = t->due;
	t->due = due;
	t->changed = true;
}

enum err do_extend(struct step *s)
{
	int64_t due = workday_end(s->ask->due);
	struct document_task *handle = document_open_task(s->d, STEP_HANDLE);

	if (due <= handle->due)
		document_rule(s, 26, _("延期要晚于现在的期限"));
	put_off(handle, due);
	put_off(document_open_task(s->d, STEP_WHOLE), due);
	return ERR_OK;
}

enum err do_read(struct step *s)
{
	mark(s->d, PART_READER, s->principal);
	if (all_in(s->d, PART_READER))
		s->to = IN_DONE;
	return ERR_OK;
}

enum err do_not_lead(struct step *s)
{
	return strcmp(s->ask->user, s->d->lead) == 0 ? same_person(s) : ERR_OK;
}

enum err do_archive(struct step *s)
{
	s->d->slot = s->ask->slot;
	return do_nothing_open(s);
}

/* ---- 发文 ---- */

bool when_unsigned(const struct step *s)
{
	return !*s->d->signer;
}

bool when_organ_is_out(const struct step *s)
{
	for (size_t i = 0; i < s->d->person_count; i++)
		if (s->d->people[i].part == PART_JOINT && strcmp(s->d->people[i].who, s->ask->organ) == 0)
			return !s->d->people[i].done;
	return true; /* one that nobody named is a rule's business */
}

bool when_minutes(const struct step *s)
{
	return s->d->is_minutes;
}

bool when_nobody_is_in(const struct step *s)
{
	if (s->d->reissue || *s->d->signer)
		return false;
	for (size_t i = 0; i < s->d->person_count; i++)
		if (s->d->people[i].part == PART_JOINT && s->d->people[i].done)
			return false;
	return true;
}

bool when_first_issue(const struct step *s)
{
	return !s->d->reissue;
}

/* The names and marks that a draft comes with; what was not given stays. */
static enum err take_draft(struct step *s)
{
	const struct document_ask *a = s->ask;
	enum err e = ERR_OK;

	if (*a->leader) {
		judge_named(s, a->leader, true);
		s->d->leader = a->leader;
	}
	if (a->countersign_count) {
		e = name_people(s, PART_COUNTERSIGN, a->countersign, a->countersign_count);
		s->d->in_order = a->in_order;
	}
	if (!e && a->joint_count)
		e = name_people(s, PART_JOINT, a->joint, a->joint_count);
	return e;
}

enum err do_draft(struct step *s)
{
	s->d->drafter = s->ask->user;
	next_version(s);
	return take_draft(s);
}

enum err do_edit(struct step *s)
{
	next_version(s);
	return take_draft(s);
}

static void judge_signer(struct step *s)
{
	const struct document *d = s->d;

	if (d->needs_head && strcmp(d->leader, document_head(s->w)) != 0)
		document_rule(s, 18, _("上行文、决定和意见由主要负责人签发"));
}

enum err do_submit(struct step *s)
{
	judge_named(s, s->d->leader, true);
	judge_signer(s);
	return ERR_OK;
}

enum err do_approve_draft(struct step *s)
{
	if (strcmp(s->ask->user, s->d->drafter) == 0)
		return same_person(s);
	if (!any_named(s->d, PART_COUNTERSIGN))
		s->to = OUT_SIGNING;
	return ERR_OK;
}

enum err do_back_to_draft(struct step *s)
{
	s->d->came_back = true;
	unmark(s->d, PART_COUNTERSIGN);
	unsign(s->d);
	return ERR_OK;
}

enum err do_agree(struct step *s)
{
	mark(s->d, PART_COUNTERSIGN, s->principal);
	if (all_in(s->d, PART_COUNTERSIGN))
		s->to = OUT_SIGNING;
	return ERR_OK;
}

static void signed_on(struct step *s, int32_t day)
{
	if (day > s->d->signed_on)
		s->d->signed_on = day;
	if (*s->d->signer && all_in(s->d, PART_JOINT))
		s->to = OUT_RECHECKING;
}

enum err do_sign(struct step *s)
{
	judge_signer(s);
	if (s->d->needs_head && s->done->for_whom && !document_is_acting(s->w, s->done->for_whom))
		document_rule(s, 18, _("代签上行文、决定和意见，要有“主持工作”的授权"));
	s->d->signer = s->ask->user;
	signed_on(s, s->w->today);
	return ERR_OK;
}

enum err do_joint(struct step *s)
{
	bool named = false;

	for (size_t i = 0; i < s->d->person_count; i++)
		named |=
			s->d->people[i].part == PART_JOINT && strcmp(s->d->people[i].who, s->ask->organ) == 0;
	if (!named)
		document_rule(s, 3, arena_printf(s->arena, _("%s不是联合行文的机关"), s->ask->organ));
	if (s->ask->date > s->w->today)
		document_rule(s, 26, _("签字日期还没有到"));
	mark(s->d, PART_JOINT, s->ask->organ);
	signed_on(s, s->ask->date);
	return ERR_OK;
}

enum err do_return_unsigned(struct step *s)
{
	if (!s->d->reissue)
		return do_back_to_draft(s);
	s->d->reissue = false;
	s->d->version = s->d->issued_version;
	s->d->signed_on = s->d->issued_on;
	take_text(s);
	s->to = OUT_ISSUED;
	return ERR_OK;
}

enum err do_recheck(struct step *s)
{
	if (strcmp(s->ask->user, s->d->signer) == 0)
		return same_person(s);
	if (s->d->reissue)
		s->to = OUT_NUMBERED;
	return ERR_OK;
}

enum err do_change(struct step *s)
{
	next_version(s);
	if (s->ask->same_substance && !s->ask->substance)
		return ERR_OK;
	unsign(s->d);
	s->to = OUT_SIGNING;
	return ERR_OK;
}

enum err do_number(struct step *s)
{
	s->d->series = s->ask->series;
	s->done->numbers = true;
	return ERR_OK;
}

enum err do_press(struct step *s)
{
	s->d->copies = s->ask->copies;
	s->d->pressed_on = s->w->today;
	return ERR_OK;
}

enum err do_not_drafter(struct step *s)
{
	return strcmp(s->ask->user, s->d->drafter) == 0 ? same_person(s) : ERR_OK;
}

enum err do_seal(struct step *s)
{
	if (s->d->is_minutes)
		document_rule(s, 19, _("纪要不用印：直接印发"));
	else if (s->ask->count > s->d->copies)
		document_rule(s, 19,
			arena_printf(s->arena, _("用印 %d 份，只印了 %d 份"), s->ask->count, s->d->copies));
	return ERR_OK;
}

enum err do_issue(struct step *s)
{
	s->d->reissue = false;
	s->d->issued_version = s->d->version;
	s->d->issued_on = s->d->signed_on;
	s->d->deliveries_open = s->ask->is_sent;
	return ERR_OK;
}

enum err do_close(struct step *s)
{
	if (s->d->deliveries_open)
		document_rule(s, 23, _("还有学校没有签收或反馈"));
	return do_nothing_open(s);
}

enum err do_reissue(struct step *s)
{
	next_version(s);
	s->d->reissue = true;
	unsign(s->d);
	return take_draft(s);
}
