#include "slip.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "codes.h"
#include "evidence.h"
#include "find.h"
#include "lang.h"
#include "tables.h"
#include "words.h"
#include "way.h"

static bool is_answered(const struct item *addressee)
{
	return !addressee || record_has(&addressee->record, F_SLIP_ADDRESSEE_ANSWERED_AT);
}

static void judge(struct slip_row *row, int64_t now_us)
{
	const struct record *r = &row->slip->record;
	char state[16];
	const struct code_item *item =
		code_item(&codes_slip_state, record_text(r, F_SLIP_STATE, state, sizeof state));
	int64_t due = record_number(r, F_SLIP_RESOLVE_DUE);

	row->state = item ? item->code : "issued";
	if (strcmp(row->state, "issued") == 0 && (row->mine || row->other) && is_answered(row->mine) &&
		is_answered(row->other))
		row->state = "answered";
	bool open = strcmp(row->state, "closed") != 0;
	row->escalated = record_number(r, F_SLIP_ESCALATED) != 0;
	row->remaining_s = open && due ? (due - now_us) / 1000000 : 0;
	row->overdue = open && due && now_us > due && strcmp(row->state, "answered") != 0;
}

struct slip_row *slip_rows(struct view *v, int64_t now_us, size_t *n)
{
	struct slip_row *rows = calloc(v->n + 1, sizeof *rows);

	*n = 0;
	for (size_t i = 0; rows && i < v->n; i++)
		if (v->items[i]->live && v->items[i]->record.kind->number == KIND_SLIP) {
			v->items[i]->mark = (long)*n + 1;
			rows[(*n)++].slip = v->items[i];
		}
	for (size_t i = 0; rows && i < v->n; i++) {
		struct item *addressee = v->items[i];
		const struct record *r = &addressee->record;
		if (!addressee->live || r->kind->number != KIND_SLIP_ADDRESSEE ||
			r->value[F_SLIP_ADDRESSEE_SLIP].len != ID_SIZE)
			continue;
		struct item *slip = view_find_id(v, r->value[F_SLIP_ADDRESSEE_SLIP].data);
		if (!slip || !slip->mark)
			continue;
		if (record_is(r, F_SLIP_ADDRESSEE_SCHOOL, v->store->profile->school))
			rows[slip->mark - 1].mine = addressee;
		else
			rows[slip->mark - 1].other = addressee;
	}
	for (size_t i = 0; rows && i < v->n; i++) {
		struct item *reminder = v->items[i];
		const struct record *r = &reminder->record;
		struct item *slip = reminder->live && r->kind->number == KIND_REMINDER
			? view_find_id(v, r->value[F_REMINDER_ABOUT].data)
			: NULL;
		if (!slip || !slip->mark ||
			record_number(r, F_REMINDER_ROUND) != record_number(&slip->record, F_SLIP_ROUND))
			continue;
		struct slip_row *row = &rows[slip->mark - 1];
		if (!row->reminder ||
			record_number(&row->reminder->record, F_REMINDER_AT) <
				record_number(r, F_REMINDER_AT))
			row->reminder = reminder;
	}
	for (size_t i = 0; rows && i < *n; i++) {
		rows[i].slip->mark = 0;
		judge(&rows[i], now_us);
	}
	return rows;
}

static enum err check_open(const struct slip_row *row, struct problem *p)
{
	if (!row->mine)
		return problem_set(p, ERR_PERMISSION, NULL, way_hint(_("本校只能查看：%s"), way("show_slip")),
			_("这张交办单不是交办给本校的"));
	if (strcmp(row->state, "closed") == 0)
		return problem_set(p, ERR_NOT_NOW, NULL,
			way_hint(_("%s 列出还没有销号的"), way("list_slips")), _("这张交办单已经销号"));
	return ERR_OK;
}

static void receive(struct view *v, struct record *want, int64_t now_us)
{
	const struct session *s = &v->store->profile->session;

	if (record_has(want, F_SLIP_ADDRESSEE_RECEIVED_AT))
		return;
	record_set_number(want, F_SLIP_ADDRESSEE_RECEIVED_AT, now_us);
	record_set_text(want, F_SLIP_ADDRESSEE_RECEIVED_BY, s->user);
}

enum err slip_receive(struct view *v, const struct slip_row *row, int64_t now_us, struct problem *p)
{
	struct item *addressee = row->mine;
	enum err e = check_open(row, p);

	if (e)
		return e;
	struct record want = addressee->record;
	receive(v, &want, now_us);
	return outbox_put(v, &addressee, &want, UINT32_MAX, 0, p);
}

/* The school's own row of the pupil that the slip is about, or NULL. */
struct item *slip_destination(struct view *v, const struct record *slip)
{
	struct record key;

	record_init(&key, kind_by_number(KIND_DESTINATION));
	record_set_number(&key, F_DESTINATION_YEAR, record_number(slip, F_SLIP_YEAR));
	if (record_has(slip, F_SLIP_CERT_NO))
		record_set_bytes(&key, F_DESTINATION_CERT_NO, slip->value[F_SLIP_CERT_NO].data,
			slip->value[F_SLIP_CERT_NO].len);
	if (record_has(slip, F_SLIP_STUDENT_NO))
		record_set_bytes(&key, F_DESTINATION_STUDENT_NO, slip->value[F_SLIP_STUDENT_NO].data,
			slip->value[F_SLIP_STUDENT_NO].len);
	return view_find_key(v, &key, true);
}

enum err slip_answer(struct view *v, const struct slip_row *row, int64_t now_us, const char *outcome,
	const char *note, const char *const *files, size_t n_files, struct problem *p)
{
	const struct session *s = &v->store->profile->session;
	struct item *addressee = row->mine, *destination = slip_destination(v, &row->slip->record);
	enum err e = check_open(row, p);

	if (e)
		return e;
	struct record want = addressee->record;
	receive(v, &want, now_us);
	record_set_number(&want, F_SLIP_ADDRESSEE_ANSWERED_AT, now_us);
	record_set_text(&want, F_SLIP_ADDRESSEE_ANSWERED_BY, s->user);
	record_set_text(&want, F_SLIP_ADDRESSEE_OUTCOME, outcome);
	record_set_text(&want, F_SLIP_ADDRESSEE_NOTE, note);
	for (size_t i = 0; !e && i < n_files; i++) {
		e = evidence_attach(v, addressee->id, files[i], 0, p);
		if (!e && destination)
			e = evidence_attach(v, destination->id, files[i], 0, p);
	}
	return e ? e : outbox_put(v, &addressee, &want, UINT32_MAX, 0, p);
}

enum err slip_log(struct view *v, const struct slip_row *row, int64_t now_us, const char *method,
	const char *note, const char *persons, int32_t next, struct problem *p)
{
	struct item *item = NULL;
	struct record want;
	enum err e = check_open(row, p);

	if (e)
		return e;
	record_init(&want, kind_by_number(KIND_PERSUASION));
	record_set_bytes(&want, F_PERSUASION_SLIP, row->slip->id, ID_SIZE);
	record_set_number(&want, F_PERSUASION_AT, now_us);
	record_set_text(&want, F_PERSUASION_METHOD, method);
	record_set_text(&want, F_PERSUASION_NOTE, note);
	record_set_text(&want, F_PERSUASION_PERSONS, persons);
	record_set_number(&want, F_PERSUASION_NEXT_DATE, next);
	e = record_check_shape(&want, true, p);
	return e ? e : outbox_put(v, &item, &want, UINT32_MAX, 0, p);
}

/* ---- In words ---- */

const char *slip_number(const struct record *slip, char *out, size_t size)
{
	return record_text(
		slip, record_has(slip, F_SLIP_CERT_NO) ? F_SLIP_CERT_NO : F_SLIP_STUDENT_NO, out, size);
}

const char *slip_class(const struct view *v, const struct record *slip, char *out, size_t size)
{
	static const uint32_t kinds[] = {KIND_STUDENT, KIND_ENROLMENT, KIND_DESTINATION};
	char no[64];
	const struct item *item = NULL;

	slip_number(slip, no, sizeof no);
	for (size_t k = 0; !item && *no && k < sizeof kinds / sizeof *kinds; k++)
		item = find_record(v, kinds[k], no, 0);
	if (!item && *no)
		item = find_foreign(v, KIND_DESTINATION, no, 0);
	*out = 0;
	return item ? words_class(&item->record, out, size) : out;
}

const char *slip_pupil(const struct view *v, const struct record *slip, char *out, size_t size)
{
	char name[128], class_no[64];

	record_text(slip, F_SLIP_NAME, name, sizeof name);
	slip_class(v, slip, class_no, sizeof class_no);
	snprintf(out, size, *class_no ? _("%s（%s）") : "%s", name, class_no);
	return out;
}
