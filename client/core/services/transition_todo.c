/* What the transition asks of a school, phase by phase. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "codes.h"
#include "cycle.h"
#include "lang.h"
#include "schools.h"
#include "scope.h"
#include "slip.h"
#include "tables.h"
#include "todo.h"
#include "transition.h"
#include "words.h"
#include "way.h"

/* Classes of which nobody has declared: their teacher has not begun, or has not sent. To whom answers for all
 * classes. */
static void add_silent_classes(struct todo_list *l, const struct pupil_row *rows, size_t n, int64_t due)
{
	char silent[160] = "", name[64], other[64];
	size_t count = 0, classes = 0;

	for (size_t i = 0; i < n; i++) {
		bool first = rows[i].student != NULL, declared = false;
		if (first)
			words_class(&rows[i].student->record, name, sizeof name);
		for (size_t k = 0; first && k < n; k++) {
			const bool same = rows[k].student &&
				strcmp(words_class(&rows[k].student->record, other, sizeof other), name) == 0;
			first = !(same && k < i); /* its first pupil has told of it */
			declared |= same && rows[k].destination;
		}
		classes += first;
		if (!first || declared)
			continue;
		if (strlen(silent) + strlen(name) + 16 < sizeof silent)
			snprintf(silent + strlen(silent), sizeof silent - strlen(silent), "%s%s",
				count ? _("、") : "", name);
		count++;
	}
	if (count && count < classes)
		todo_add(l, "silent_classes", "declare", NULL, count, due,
			_("%s 全班还没有填报：请班主任填好后 %s"), silent, way("sync"));
}

static void add_table(struct todo_list *l, struct view *v, const struct cycle *cycle)
{
	bool september = strcmp(cycle->phase, "confirm") == 0, june = strcmp(cycle->phase, "prefill") == 0;
	size_t n = 0, unset = 0, gaps = 0;
	bool filed = false;

	if (!june && !september && strcmp(cycle->phase, "assist") != 0)
		return;
	if (!(school_stages(v, v->store->profile->school) & STAGE_PRIMARY))
		return; /* no sixth grade: there is nothing to declare */
	struct pupil_row *rows = transition_pupils(v, cycle->year, &n);
	size_t pupils = 0;
	for (size_t i = 0; i < n; i++) {
		if (!rows[i].student || !scope_allows(&v->store->profile->session, &rows[i].student->record))
			continue;
		pupils++;
		unset += !rows[i].destination;
		gaps += rows[i].destination &&
			(transition_gaps(v, &rows[i], september) & ~(unsigned)GAP_GUARDIAN);
		filed |= rows[i].state == (september ? DECLARED_T2 : DECLARED_T1);
	}
	int64_t due = todo_end_of_day(september ? cycle->confirm_due : cycle->prefill_due);
	if (profile_has_role(v->store->profile, 1u << ROLE_REGISTRAR | 1u << ROLE_HEAD))
		add_silent_classes(l, rows, n, due);
	free(rows);
	if (unset)
		todo_add(l, "unset", "declare", NULL, unset, due, _("%zu 名六年级学生还没有填报去向"), unset);
	if (gaps)
		todo_add(l, "gaps", "complete", NULL, gaps, due, _("%zu 名学生的去向材料不齐"), gaps);
	bool may_file = profile_has_role(v->store->profile, 1u << ROLE_REGISTRAR | 1u << ROLE_HEAD);
	if (pupils && !filed && may_file && (june || september))
		todo_add(l, "file", "file", NULL, 1, due, "%s",
			september ? _("升学去向表待正式上报") : _("升学去向表待备案"));
}

static void add_verification(struct todo_list *l, struct view *v, const struct cycle *cycle)
{
	size_t n = 0, open = 0, differ = 0;
	bool submitted = false, reminded = false;

	if (strcmp(cycle->phase, "verify") != 0 ||
		!(school_stages(v, v->store->profile->school) & STAGE_JUNIOR))
		return;
	struct verify_row *rows = transition_verify_rows(v, cycle->year, &n);
	for (size_t i = 0; i < n; i++) {
		open += !rows[i].answer && !rows[i].enrolment;
		differ += rows[i].answer && rows[i].enrolment &&
			record_number(&rows[i].enrolment->record, F_ENROLMENT_PRESENT) &&
			record_is(&rows[i].answer->record, F_VERIFY_ANSWER_ANSWER, "absent");
	}
	free(rows);
	for (size_t i = 0; i < v->n; i++) {
		const struct record *r = &v->items[i]->record;
		if (!v->items[i]->live)
			continue;
		submitted |= r->kind->number == KIND_FILING && record_is(r, F_FILING_STAGE, "V") &&
			record_number(r, F_FILING_YEAR) == cycle->year;
		reminded |= r->kind->number == KIND_REMINDER && record_is(r, F_REMINDER_WHAT, "silent") &&
			record_number(r, F_REMINDER_DUE) == todo_end_of_day(cycle->verify_due);
	}
	if (open)
		todo_add(l, "verify", "verify", NULL, open, todo_end_of_day(cycle->verify_due),
			_("%zu 名填报本校的学生待核验"), open);
	/* an answer counts until it is answered anew: the bureau goes on looking for a pupil who is there */
	if (differ)
		todo_add(l, "differ", "verify", NULL, differ, todo_end_of_day(cycle->verify_due),
			_("%zu 名学生名册上已报到，答复却是未报到：改答 present"), differ);
	if (n && !submitted)
		todo_add(l, "submit", "submit", NULL, 1, todo_end_of_day(cycle->verify_due), "%s%s",
			_("核验结果待提交"), reminded ? _("（县局已提醒）") : "");
}

static const struct record *slip_of(const void *row)
{
	return &((const struct slip_row *)row)->slip->record;
}

static void add_slips(struct todo_list *l, struct view *v)
{
	size_t n = 0;
	struct slip_row *rows = slip_rows(v, profile_now_us(v->store->profile), &n);

	if (!rows)
		return;
	words_sort(rows, n, sizeof *rows, slip_of, NULL);
	for (size_t i = 0; i < n; i++) {
		const struct record *s = &rows[i].slip->record;
		char no[48], pupil[256], tail[8];
		if (!rows[i].mine || strcmp(rows[i].state, "closed") == 0 ||
			record_has(&rows[i].mine->record, F_SLIP_ADDRESSEE_ANSWERED_AT))
			continue;
		record_text(s, F_SLIP_NO, no, sizeof no);
		bool received = record_has(&rows[i].mine->record, F_SLIP_ADDRESSEE_RECEIVED_AT);
		todo_add(l, "slip", received ? "answer_slip" : "receive_slip", no, 1,
			record_number(s, F_SLIP_RESOLVE_DUE),
			received ? _("交办单 %s %s 末四位 %s，待回复%s%s")
				 : _("交办单 %s %s 末四位 %s，待签收%s%s"),
			no, slip_pupil(v, s, pupil, sizeof pupil), words_tail(s, tail),
			rows[i].overdue ? _("（逾期）") : "", rows[i].reminder ? _("（县局已提醒）") : "");
	}
	free(rows);
}

/* Told for as long as the county counts: nothing else on this computer shows them. */
static enum err add_left(struct todo_list *l, struct view *v, const struct cycle *cycle, struct problem *p)
{
	struct left_pupil *left = NULL;
	size_t n = 0;
	enum err e = transition_left(v, cycle, &left, &n, p);

	if (!e && n)
		todo_add(l, "left", "missing", NULL, n, 0,
			_("%s%s 原在应升学名单，现在不在本校六年级名册上：改回，或请县局移出"), left[0].pupil,
			n > 1 ? _("等") : "");
	free(left);
	return e;
}

enum err transition_todo(struct todo_list *l, struct problem *p)
{
	struct view *v = l->view;
	const struct profile *profile = v->store->profile;
	struct cycle cycle;
	enum err e = cycle_read(v->store, profile_today(profile), &cycle, p);

	if (e)
		return e;
	add_table(l, v, &cycle);
	e = add_left(l, v, &cycle, p);
	if (!e && profile_has_role(profile, 1u << ROLE_REGISTRAR | 1u << ROLE_HEAD)) {
		add_verification(l, v, &cycle);
		add_slips(l, v);
	}
	return e;
}
