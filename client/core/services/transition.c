#include "transition.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "clock.h"
#include "codes.h"
#include "evidence.h"
#include "lang.h"
#include "lint.h"
#include "schools.h"
#include "scope.h"
#include "tables.h"
#include "words.h"

const uint32_t transition_kinds[] = {KIND_SCHOOL, KIND_STUDENT, KIND_GUARDIAN, KIND_DESTINATION,
	KIND_ENROLMENT, KIND_EVIDENCE, KIND_FILING, KIND_VERIFY_ANSWER, KIND_SLIP, KIND_SLIP_ADDRESSEE,
	KIND_PERSUASION, KIND_REMINDER, 0};

const char *declared_code(enum declared state)
{
	static const char *const codes[] = {"unset", "draft", "parent_confirmed", "filed", "declared"};

	return codes[state];
}

/* A record of a kind with year, cert_no and student_no that has the numbers of another, for view_find_key. */
static struct record same_pupil(uint32_t kind, const struct record *r, int32_t year)
{
	static const char *const names[] = {"cert_no", "student_no"};
	const struct kind *k = kind_by_number(kind);
	struct record key;

	record_init(&key, k);
	if (kind_field_index(k, "year") >= 0)
		record_set_number(&key, kind_field_index(k, "year"), year);
	for (size_t i = 0; i < 2; i++) {
		int from = kind_field_index(r->kind, names[i]), to = kind_field_index(k, names[i]);
		if (from >= 0 && record_has(r, from))
			record_set_bytes(&key, to, r->value[from].data, r->value[from].len);
	}
	return key;
}

static bool is_filed(const struct view *v, int32_t year, const char *stage)
{
	for (size_t i = 0; i < v->n; i++) {
		const struct record *r = &v->items[i]->record;
		if (v->items[i]->live && r->kind->number == KIND_FILING &&
			record_number(r, F_FILING_YEAR) == year && record_is(r, F_FILING_STAGE, stage))
			return true;
	}
	return false;
}

static bool is_sixth_grader(const struct record *r)
{
	return r->kind->number == KIND_STUDENT && record_is(r, F_STUDENT_GRADE, "16") &&
		(!record_has(r, F_STUDENT_STATUS) || record_is(r, F_STUDENT_STATUS, "01") ||
			record_is(r, F_STUDENT_STATUS, "02") || record_is(r, F_STUDENT_STATUS, "05"));
}

static bool in_baseline(const struct view *v, const struct item *item)
{
	return item->live && view_is_ours(v, item) && is_sixth_grader(&item->record);
}

struct leaving {
	struct view *view;
	int64_t opened;
	struct left_pupil *list;
	size_t n, room;
};

static enum err add_left(void *data, const struct op_row *row)
{
	struct leaving *l = data;
	struct view *v = l->view;

	/* Who came after the year was opened is not frozen. */
	if (row->at < l->opened || !row->prev.kind || !is_sixth_grader(&row->prev) ||
		id_time(row->id) >= l->opened || !scope_allows(&v->store->profile->session, &row->prev))
		return ERR_OK;
	const struct item *item = view_find_id(v, row->id), *same = view_find_key(v, &row->prev, true);
	if ((item && in_baseline(v, item)) || (same && in_baseline(v, same)))
		return ERR_OK;
	for (size_t i = 0; i < l->n; i++)
		if (memcmp(l->list[i].id, row->id, ID_SIZE) == 0)
			return ERR_OK;
	if (l->n == l->room) {
		size_t room = l->room ? l->room * 2 : 16;
		struct left_pupil *more = realloc(l->list, room * sizeof *more);
		if (!more)
			return ERR_NOMEM;
		l->list = more;
		LINT_KEPT(more);
		l->room = room;
	}
	struct left_pupil *left = &l->list[l->n++];
	memcpy(left->id, row->id, ID_SIZE);
	words_pupil(&row->prev, left->pupil, sizeof left->pupil);
	return ERR_OK;
}

enum err transition_left(
	struct view *v, const struct cycle *cycle, struct left_pupil **out, size_t *n, struct problem *p)
{
	struct leaving l = {.view = v, .opened = cycle->opened};
	enum err e = !cycle->known || strcmp(cycle->phase, "closed") == 0
		? ERR_OK
		: outbox_each(v->store, 1u << OP_WAITING | 1u << OP_UNKNOWN | 1u << OP_ACCEPTED, 0, add_left,
			  &l, p);

	*out = l.list;
	*n = l.n;
	return e;
}

/* Files of all records at once: 2,000 pupils with a file each would otherwise be four million comparisons. */
static void count_evidence(struct view *v, struct pupil_row *rows, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (rows[i].destination)
			rows[i].destination->mark = (long)i + 1;
	for (size_t i = 0; i < v->n; i++) {
		const struct record *r = &v->items[i]->record;
		if (!v->items[i]->live || r->kind->number != KIND_EVIDENCE ||
			r->value[F_EVIDENCE_TARGET].len != ID_SIZE)
			continue;
		struct item *target = view_find_id(v, r->value[F_EVIDENCE_TARGET].data);
		if (target && target->mark)
			rows[target->mark - 1].evidence++;
	}
	for (size_t i = 0; i < n; i++)
		if (rows[i].destination)
			rows[i].destination->mark = 0;
}

struct pupil_row *transition_pupils(struct view *v, int32_t year, size_t *n)
{
	struct pupil_row *rows = calloc(v->n + 1, sizeof *rows);
	bool t1 = is_filed(v, year, "T1"), t2 = is_filed(v, year, "T2");

	*n = 0;
	for (size_t i = 0; rows && i < v->n; i++) {
		struct item *student = v->items[i];
		if (!in_baseline(v, student))
			continue;
		struct record key = same_pupil(KIND_DESTINATION, &student->record, year);
		rows[*n].student = student;
		rows[*n].destination = view_find_key(v, &key, true);
		if (rows[*n].destination)
			rows[*n].destination->mark = 1;
		++*n;
	}
	for (size_t i = 0; rows && i < v->n; i++) {
		struct item *item = v->items[i];
		if (item->live && item->record.kind->number == KIND_DESTINATION && view_is_ours(v, item) &&
			!item->mark && record_number(&item->record, F_DESTINATION_YEAR) == year)
			rows[(*n)++].destination = item;
	}
	if (!rows)
		return NULL;
	count_evidence(v, rows, *n);
	for (size_t i = 0; i < *n; i++) {
		const struct item *d = rows[i].destination;
		if (!d)
			rows[i].state = DECLARED_UNSET;
		else if (t2)
			rows[i].state = DECLARED_T2;
		else if (t1)
			rows[i].state = DECLARED_T1;
		else if (record_number(&d->record, F_DESTINATION_GUARDIAN_CONFIRMED))
			rows[i].state = DECLARED_CONFIRMED;
		else
			rows[i].state = DECLARED_DRAFT;
	}
	return rows;
}

/* A through-school that promotes its own pupils need not name itself. */
static bool is_through_school(const struct view *v)
{
	char type[8];

	for (size_t i = 0; i < v->n; i++) {
		const struct record *r = &v->items[i]->record;
		if (v->items[i]->live && r->kind->number == KIND_SCHOOL &&
			record_is(r, F_SCHOOL_CODE, v->store->profile->school))
			return (school_type_stages(record_text(r, F_SCHOOL_TYPE, type, sizeof type)) &
				       STAGE_JUNIOR) != 0;
	}
	return false;
}

unsigned transition_gaps(const struct view *v, const struct pupil_row *row, bool september)
{
	const struct record *r = row->destination ? &row->destination->record : NULL;
	char category[8] = "";
	unsigned gaps = 0;

	if (!r || !*record_text(r, F_DESTINATION_CATEGORY, category, sizeof category))
		return GAP_CATEGORY;
	bool placed = record_has(r, F_DESTINATION_DEST_SCHOOL) ||
		record_has(r, F_DESTINATION_DEST_SCHOOL_NAME) || record_has(r, F_DESTINATION_PLACE);
	bool proven = row->evidence > 0;
	if ((category[0] == 'A' || category[0] == 'B') && !placed &&
		!(strcmp(category, "A4") == 0 && is_through_school(v)))
		gaps |= GAP_SCHOOL;
	if (september && strcmp(category, "D5") == 0)
		gaps |= GAP_UNDECIDED;
	bool asks_proof = category[0] == 'B' || category[0] == 'C' ||
		(category[0] == 'A' && category[1] != '1' && category[1] != '4');
	if (september && asks_proof && !proven)
		gaps |= GAP_PROOF;
	if (!september && !record_number(r, F_DESTINATION_GUARDIAN_CONFIRMED) &&
		!record_has(r, F_DESTINATION_REGISTRATION_NO) && !proven)
		gaps |= GAP_GUARDIAN;
	return gaps;
}

const char *transition_gap_text(unsigned gap)
{
	switch (gap) {
	case GAP_CATEGORY:
		return _("未填去向");
	case GAP_SCHOOL:
		return _("未填学校或地区");
	case GAP_UNDECIDED:
		return _("去向未定");
	case GAP_PROOF:
		return _("缺佐证材料");
	default:
		return _("没有家长确认、报名号或材料");
	}
}

static void copy_field(struct record *to, int to_field, const struct record *from, int from_field)
{
	if (record_has(from, from_field)) {
		to->value[to_field] = from->value[from_field];
		to->set |= UINT64_C(1) << to_field;
	}
}

static void fill_new(struct view *v, struct record *want, const struct item *student, int32_t year)
{
	const struct record *s = &student->record;
	struct record key;

	record_set_number(want, F_DESTINATION_YEAR, year);
	copy_field(want, F_DESTINATION_NAME, s, F_STUDENT_NAME);
	copy_field(want, F_DESTINATION_CERT_TYPE, s, F_STUDENT_CERT_TYPE);
	copy_field(want, F_DESTINATION_CERT_NO, s, F_STUDENT_CERT_NO);
	copy_field(want, F_DESTINATION_STUDENT_NO, s, F_STUDENT_STUDENT_NO);
	copy_field(want, F_DESTINATION_CLASS_NO, s, F_STUDENT_CLASS_NO);
	copy_field(want, F_DESTINATION_GENDER, s, F_STUDENT_GENDER);
	copy_field(want, F_DESTINATION_LIVE_ADDRESS, s, F_STUDENT_LIVE_ADDRESS);
	record_init(&key, kind_by_number(KIND_GUARDIAN));
	record_set_bytes(&key, F_GUARDIAN_STUDENT, student->id, ID_SIZE);
	record_set_number(&key, F_GUARDIAN_ORDINAL, 1);
	const struct item *guardian = view_find_key(v, &key, true);
	if (guardian) {
		copy_field(want, F_DESTINATION_GUARDIAN_NAME, &guardian->record, F_GUARDIAN_NAME);
		copy_field(want, F_DESTINATION_GUARDIAN_PHONE, &guardian->record, F_GUARDIAN_PHONE);
	}
}

const struct record *destination_pupil(struct view *v, const struct record *destination)
{
	char cert[64], no[64];
	struct record key;

	record_init(&key, kind_by_number(KIND_STUDENT));
	record_text(destination, F_DESTINATION_CERT_NO, cert, sizeof cert);
	record_text(destination, F_DESTINATION_STUDENT_NO, no, sizeof no);
	if (!cert[0] && no[0] == 'G')
		memcpy(cert, no + 1, sizeof no - 1);
	if (!no[0] && strlen(cert) == 18)
		snprintf(no, sizeof no, "G%.18s", cert);
	record_set_text(&key, F_STUDENT_CERT_NO, cert[0] ? cert : NULL);
	record_set_text(&key, F_STUDENT_STUDENT_NO, no[0] ? no : NULL);
	const struct item *pupil = view_find_key(v, &key, true);
	return pupil ? &pupil->record : NULL;
}

/* A class teacher's destination names, by number, a pupil of his classes on the school's roster: one that
 * names nobody would be attached by name or telephone to anybody's pupil. */
static enum err judge_class(struct view *v, const struct record *destination, struct problem *p)
{
	const struct session *s = &v->store->profile->session;

	if (scope_is_whole(s))
		return ERR_OK;
	const struct record *pupil = destination_pupil(v, destination);
	if (!pupil)
		return problem_set(p, ERR_PERMISSION, "cert_no",
			_("更正证件号码或学籍号；名册里没有的学生请学籍管理员填报"),
			_("本校名册里没有这个号码的学生，班主任只填报本班名册里的学生"));
	return scope_allows(s, pupil) ? ERR_OK : scope_refuse(s, p);
}

enum err transition_judge(struct view *v, const struct record *destination, struct problem *p)
{
	enum err e = school_judge(v, destination, p);

	return e ? e : judge_class(v, destination, p);
}

enum err transition_set(struct view *v, const struct pupil_row *row, int32_t year,
	const struct destination_edit *edit, int64_t batch, struct item **out, struct problem *p)
{
	struct record want;

	record_init(&want, kind_by_number(KIND_DESTINATION));
	if (row->destination)
		want = row->destination->record;
	else
		fill_new(v, &want, row->student, year);
	/* A new category without a place of its own must not keep the old one's. */
	if (edit->school || edit->place || !record_is(&want, F_DESTINATION_CATEGORY, edit->category)) {
		const struct record *school = edit->school ? school_find_junior(v, edit->school) : NULL;
		bool is_code = edit->school && edit->school[strspn(edit->school, "0123456789")] == 0;
		record_set_text(&want, F_DESTINATION_DEST_SCHOOL, is_code ? edit->school : NULL);
		record_set_text(&want, F_DESTINATION_DEST_SCHOOL_NAME, is_code ? NULL : edit->school);
		if (school) {
			copy_field(&want, F_DESTINATION_DEST_SCHOOL, school, F_SCHOOL_CODE);
			copy_field(&want, F_DESTINATION_DEST_SCHOOL_NAME, school, F_SCHOOL_NAME);
		}
		record_set_text(&want, F_DESTINATION_PLACE, edit->place);
	}
	record_set_text(&want, F_DESTINATION_CATEGORY, edit->category);
	if (edit->registration_no)
		record_set_text(&want, F_DESTINATION_REGISTRATION_NO, edit->registration_no);
	*out = row->destination;
	enum err e = check_record(&want, true, profile_today(v->store->profile), p);
	if (!e)
		e = transition_judge(v, &want, p);
	return e ? e : outbox_put(v, out, &want, UINT32_MAX, batch, p);
}

enum err transition_file(struct view *v, int32_t year, const char *stage, bool incomplete, const char *reason,
	int64_t *n, struct problem *p)
{
	struct record want;
	struct item *item = NULL;

	record_init(&want, kind_by_number(KIND_FILING));
	record_set_number(&want, F_FILING_YEAR, year);
	record_set_text(&want, F_FILING_STAGE, stage);
	record_set_number(&want, F_FILING_INCOMPLETE, incomplete);
	record_set_text(&want, F_FILING_REASON, reason);
	*n = v->store->next_row;
	return outbox_put(v, &item, &want, UINT32_MAX, 0, p);
}

/* ---- Verification ---- */

/* Declared for this school: other schools' rows that the server sends us, and our own that stay (一贯制直升).
 * */
static bool is_declared_here(const struct view *v, const struct item *item, int32_t year)
{
	const struct record *r = &item->record;

	if (!item->live || r->kind->number != KIND_DESTINATION ||
		record_number(r, F_DESTINATION_YEAR) != year)
		return false;
	return !view_is_ours(v, item) || record_is(r, F_DESTINATION_DEST_SCHOOL, v->store->profile->school);
}

struct verify_row *transition_verify_rows(struct view *v, int32_t year, size_t *n)
{
	struct verify_row *rows = calloc(v->n + 1, sizeof *rows);
	struct record key;

	*n = 0;
	for (size_t i = 0; rows && i < v->n; i++) {
		struct item *d = v->items[i];
		if (!is_declared_here(v, d, year))
			continue;
		struct verify_row *row = &rows[(*n)++];
		row->destination = d;
		key = same_pupil(KIND_ENROLMENT, &d->record, year);
		row->enrolment = view_find_key(v, &key, true);
		record_init(&key, kind_by_number(KIND_VERIFY_ANSWER));
		record_set_bytes(&key, F_VERIFY_ANSWER_DESTINATION, d->id, ID_SIZE);
		row->answer = view_find_key(v, &key, true);
	}
	return rows;
}

enum err transition_verify_answer(struct view *v, const struct verify_row *row, int32_t year,
	const char *answer, const char *note, int64_t batch, struct problem *p)
{
	struct item *item = row->answer;
	struct record want;

	record_init(&want, kind_by_number(KIND_VERIFY_ANSWER));
	if (item)
		want = item->record;
	record_set_number(&want, F_VERIFY_ANSWER_YEAR, year);
	record_set_bytes(&want, F_VERIFY_ANSWER_DESTINATION, row->destination->id, ID_SIZE);
	record_set_text(&want, F_VERIFY_ANSWER_ANSWER, answer);
	if (note)
		record_set_text(&want, F_VERIFY_ANSWER_NOTE, note);
	return outbox_put(v, &item, &want, UINT32_MAX, batch, p);
}
