#include "export.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "codes.h"
#include "sheet_write.h"
#include "slip.h"
#include "schools.h"
#include "tables.h"
#include "transition.h"
#include "value.h"
#include "words.h"

#define CELLS_MAX 48
#define CELL_SIZE 2048

struct row_out {
	char text[CELLS_MAX][CELL_SIZE];
	const char *cells[CELLS_MAX];
	size_t n;
};

static char *next_cell(struct row_out *out)
{
	char *text = out->text[out->n];

	out->cells[out->n++] = text;
	*text = 0;
	return text;
}

/* Codes that people write as numbers stay numbers: 班级 3, 户籍区划代码. A record that is there says 是 or 否
 * to every question; one that is not (no guardian, nothing declared yet) says nothing. */
static void add_fields(struct row_out *out, const struct record *r, const struct kind *kind, bool header)
{
	for (size_t i = 0; i < kind->field_count; i++) {
		const struct field *f = &kind->fields[i];
		if (!f->columns[0])
			continue;
		char *text = next_cell(out);
		if (header)
			snprintf(text, CELL_SIZE, "%s", f->columns[0]);
		else if (r)
			value_show(r, (int)i, false, text, CELL_SIZE);
	}
}

static const struct item *guardian_of(struct view *v, const struct item *student)
{
	struct record key;

	record_init(&key, kind_by_number(KIND_GUARDIAN));
	record_set_bytes(&key, F_GUARDIAN_STUDENT, student->id, ID_SIZE);
	record_set_number(&key, F_GUARDIAN_ORDINAL, 1);
	return view_find_key(v, &key, true);
}

static enum err write_records(struct view *v, struct sheet_writer *w, struct row_out *out, uint32_t kind,
	int32_t year, bool (*allowed)(const void *, const struct record *), const void *data, size_t *rows,
	struct problem *p)
{
	const struct kind *k = kind_by_number(kind), *guardian = kind_by_number(KIND_GUARDIAN);
	int years = kind_field_index(k, "year");
	enum err e;

	out->n = 0;
	add_fields(out, NULL, k, true);
	if (kind == KIND_STUDENT)
		add_fields(out, NULL, guardian, true);
	e = sheet_writer_row(w, out->cells, out->n, SHEET_HEADER, p);
	for (size_t i = 0; !e && i < v->n; i++) {
		const struct item *item = v->items[i];
		const struct record *r = &item->record;
		if (!item->live || r->kind != k || !view_is_ours(v, item) ||
			(years >= 0 && record_number(r, years) != year) || (allowed && !allowed(data, r)))
			continue;
		out->n = 0;
		add_fields(out, r, k, false);
		if (kind == KIND_STUDENT) {
			const struct item *g = guardian_of(v, item);
			add_fields(out, g ? &g->record : NULL, guardian, false);
		}
		e = sheet_writer_row(w, out->cells, out->n, SHEET_PLAIN, p);
		*rows += !e;
	}
	return e;
}

/* ---- Destinations: the form ---- */

/* What a drop-down offers: “A1 施教区公办”, “3132000011 泗洪县第一初级中学”. */
static void code_and_word(char *out, size_t size, const char *code, const char *word)
{
	snprintf(out, size, "%s%s%s", code, *code && *word ? " " : "", word);
}

static const struct record *pupil_record(const void *data)
{
	const struct pupil_row *row = data;

	return row->student ? &row->student->record : &row->destination->record;
}

/* What a pupil who declared nothing yet brings along from the list of students. */
static struct record prefilled(struct view *v, const struct item *student)
{
	static const char *const same[] = {
		"name", "cert_type", "cert_no", "student_no", "class_no", "gender", "live_address"};
	const struct item *guardian = guardian_of(v, student);
	const struct record *s = &student->record;
	struct record r;

	record_init(&r, kind_by_number(KIND_DESTINATION));
	for (size_t i = 0; i < sizeof same / sizeof *same; i++) {
		int from = kind_field_index(s->kind, same[i]), to = kind_field_index(r.kind, same[i]);
		if (record_has(s, from))
			record_set_bytes(&r, to, s->value[from].data, s->value[from].len);
	}
	if (guardian && record_has(&guardian->record, F_GUARDIAN_NAME))
		record_set_bytes(&r, F_DESTINATION_GUARDIAN_NAME,
			guardian->record.value[F_GUARDIAN_NAME].data,
			guardian->record.value[F_GUARDIAN_NAME].len);
	if (guardian && record_has(&guardian->record, F_GUARDIAN_PHONE))
		record_set_bytes(&r, F_DESTINATION_GUARDIAN_PHONE,
			guardian->record.value[F_GUARDIAN_PHONE].data,
			guardian->record.value[F_GUARDIAN_PHONE].len);
	return r;
}

/* The school with its code in one cell, so that one choice gives both. */
static void add_school(const struct view *v, char *text, const struct record *r)
{
	char code[16], name[256];

	record_text(r, F_DESTINATION_DEST_SCHOOL, code, sizeof code);
	record_text(r, F_DESTINATION_DEST_SCHOOL_NAME, name, sizeof name);
	if (!*name)
		school_name(v, code, name, sizeof name);
	code_and_word(text, CELL_SIZE, code, name);
}

static size_t add_destination(
	struct view *v, struct row_out *out, const struct record *r, bool declared, int field)
{
	const struct kind *k = kind_by_number(KIND_DESTINATION);
	size_t at = 0;

	for (size_t i = 0; i < k->field_count; i++) {
		const struct field *f = &k->fields[i];
		if (!f->columns[0] || i == F_DESTINATION_DEST_SCHOOL)
			continue;
		at = (int)i == field ? out->n : at;
		char *text = next_cell(out), code[8];
		if (!r)
			snprintf(text, CELL_SIZE, "%s", f->columns[0]);
		else if (i == F_DESTINATION_DEST_SCHOOL_NAME)
			add_school(v, text, r);
		else if (f->type != FIELD_BOOL || declared)
			value_show(r, (int)i, false, text, CELL_SIZE);
		if (r && i == F_DESTINATION_CATEGORY && *text) {
			record_text(r, (int)i, code, sizeof code);
			const char *word = code_name(&codes_category, code);
			code_and_word(text, CELL_SIZE, code, word ? word : "");
		}
	}
	return at;
}

static int compare_schools(const void *a, const void *b)
{
	char x[16], y[16];

	return strcmp(record_text(&(*(struct item *const *)a)->record, F_SCHOOL_CODE, x, sizeof x),
		record_text(&(*(struct item *const *)b)->record, F_SCHOOL_CODE, y, sizeof y));
}

/* The schools that a sixth-grader can go to, by code; malloc'ed, NULL when memory is short. */
static struct item **junior_schools(const struct view *v, size_t *n)
{
	struct item **list = malloc((v->n + 1) * sizeof *list);

	*n = 0;
	for (size_t i = 0; list && i < v->n; i++) {
		const struct record *r = &v->items[i]->record;
		char type[8];
		if (v->items[i]->live && r->kind->number == KIND_SCHOOL &&
			school_type_stages(record_text(r, F_SCHOOL_TYPE, type, sizeof type)) & STAGE_JUNIOR)
			list[(*n)++] = v->items[i];
	}
	if (list)
		qsort(list, *n, sizeof(struct item *), compare_schools);
	return list;
}

/* The second sheet: categories, schools, yes and no. */
static enum err write_choices(
	struct sheet_writer *w, struct row_out *out, struct item *const *schools, size_t n, struct problem *p)
{
	const char *headings[] = {"去向类别", "拟升入学校", "家长确认"};
	enum err e = sheet_writer_page(w, SHEET_CHOICES, p);

	if (!e)
		e = sheet_writer_row(w, headings, 3, SHEET_HEADER, p);
	for (size_t i = 0; !e && (i < n || i < codes_category.n); i++) {
		char code[16] = "", name[256] = "";
		out->n = 0;
		char *category = next_cell(out), *school = next_cell(out), *yes = next_cell(out);
		if (i < codes_category.n)
			code_and_word(category, CELL_SIZE, codes_category.items[i].code,
				tr(codes_category.items[i].zh, codes_category.items[i].en));
		if (i < n) {
			record_text(&schools[i]->record, F_SCHOOL_CODE, code, sizeof code);
			record_text(&schools[i]->record, F_SCHOOL_NAME, name, sizeof name);
		}
		code_and_word(school, CELL_SIZE, code, name);
		snprintf(yes, CELL_SIZE, "%s", i == 0 ? tr("是", "yes") : i == 1 ? tr("否", "no") : "");
		e = sheet_writer_row(w, out->cells, out->n, SHEET_PLAIN, p);
	}
	return e;
}

static enum err write_form(struct view *v, struct sheet_writer *w, struct row_out *out, int32_t year,
	bool (*allowed)(const void *, const struct record *), const void *data, size_t *rows,
	struct problem *p)
{
	static const int chosen[] = {
		F_DESTINATION_CATEGORY, F_DESTINATION_DEST_SCHOOL_NAME, F_DESTINATION_GUARDIAN_CONFIRMED};
	size_t n, n_schools;
	struct pupil_row *list = transition_pupils(v, year, &n);
	struct item **schools = junior_schools(v, &n_schools);
	const size_t counts[] = {codes_category.n, n_schools, 2};
	enum err e = list && schools ? ERR_OK : problem_set(p, ERR_NOMEM, NULL, NULL, NULL);

	for (size_t i = 0; !e && i < sizeof chosen / sizeof *chosen; i++) {
		out->n = 0;
		size_t column = add_destination(v, out, NULL, false, chosen[i]);
		e = sheet_writer_choice(w, column, SHEET_CHOICES, i, counts[i], i != 1, p);
	}
	if (!e)
		e = sheet_writer_row(w, out->cells, out->n, SHEET_HEADER, p);
	if (!e)
		words_sort(list, n, sizeof *list, pupil_record, NULL);
	for (size_t i = 0; !e && i < n; i++) {
		struct record r =
			list[i].destination ? list[i].destination->record : prefilled(v, list[i].student);
		if (allowed && !allowed(data, &r))
			continue;
		out->n = 0;
		add_destination(v, out, &r, list[i].destination != NULL, -1);
		e = sheet_writer_row(w, out->cells, out->n, SHEET_PLAIN, p);
		*rows += !e;
	}
	if (!e)
		e = write_choices(w, out, schools, n_schools, p);
	free(list);
	free(schools);
	return e;
}

/* ---- The verification list ---- */

#define ANSWER_COLUMN 7 /* of the form below, from 0 */

static const struct record *declared_record(const void *row)
{
	return &((const struct verify_row *)row)->destination->record;
}

static void add_declared(
	const struct view *v, struct row_out *out, const struct verify_row *row, size_t number)
{
	const struct record *d = &row->destination->record, *a = row->answer ? &row->answer->record : NULL;
	const char *roster = !row->enrolment                                               ? ""
			     : record_number(&row->enrolment->record, F_ENROLMENT_PRESENT) ? "present"
											   : "absent";

	out->n = 0;
	snprintf(next_cell(out), CELL_SIZE, "%zu", number);
	record_text(d, F_DESTINATION_NAME, next_cell(out), CELL_SIZE);
	words_class(d, next_cell(out), CELL_SIZE);
	words_tail(d, next_cell(out));
	school_face(v, row->destination->owner, next_cell(out), CELL_SIZE);
	value_show(d, F_DESTINATION_CATEGORY, false, next_cell(out), CELL_SIZE);
	snprintf(next_cell(out), CELL_SIZE, "%s", *roster ? code_name(&codes_answer, roster) : "");
	char *answer = next_cell(out), *note = next_cell(out);
	if (a)
		value_show(a, F_VERIFY_ANSWER_ANSWER, false, answer, CELL_SIZE);
	if (a)
		record_text(a, F_VERIFY_ANSWER_NOTE, note, CELL_SIZE);
}

static enum err write_answers(struct sheet_writer *w, struct problem *p)
{
	const char *cell = "核验结果";
	enum err e = sheet_writer_page(w, SHEET_CHOICES, p);

	if (!e)
		e = sheet_writer_row(w, &cell, 1, SHEET_HEADER, p);
	for (size_t i = 0; !e && i < codes_answer.n; i++) {
		cell = tr(codes_answer.items[i].zh, codes_answer.items[i].en);
		e = sheet_writer_row(w, &cell, 1, SHEET_PLAIN, p);
	}
	return e;
}

static enum err write_verify(struct view *v, struct sheet_writer *w, struct row_out *out, int32_t year,
	bool book, size_t *rows, struct problem *p)
{
	static const char *const headings[] = {
		"序号", "姓名", "班级", "证件号码末四位", "生源学校", "去向类别", "名册", "核验结果", "说明"};
	size_t n;
	struct verify_row *list = verify_rows(v, year, &n);
	enum err e = list ? ERR_OK : problem_set(p, ERR_NOMEM, NULL, NULL, NULL);

	if (!e && book)
		e = sheet_writer_choice(w, ANSWER_COLUMN, SHEET_CHOICES, 0, codes_answer.n, true, p);
	if (!e)
		e = sheet_writer_row(w, headings, sizeof headings / sizeof *headings, SHEET_HEADER, p);
	if (!e)
		words_sort(list, n, sizeof *list, declared_record, NULL);
	for (size_t i = 0; !e && i < n; i++) {
		add_declared(v, out, &list[i], i + 1);
		e = sheet_writer_row(w, out->cells, out->n, SHEET_PLAIN, p);
		*rows += !e;
	}
	if (!e && book)
		e = write_answers(w, p);
	free(list);
	return e;
}

/* ---- Slips ---- */

static const int slip_fields[] = {F_SLIP_NO, F_SLIP_NAME, F_SLIP_CERT_NO, F_SLIP_STUDENT_NO, F_SLIP_CODES,
	F_SLIP_SEVERITY, F_SLIP_ISSUED_AT, F_SLIP_RESOLVE_DUE, F_SLIP_ROUND};
static const int half_fields[] = {F_SLIP_ADDRESSEE_SCHOOL, F_SLIP_ADDRESSEE_RECEIVED_AT,
	F_SLIP_ADDRESSEE_ANSWERED_AT, F_SLIP_ADDRESSEE_OUTCOME, F_SLIP_ADDRESSEE_NOTE};

static void add_some(const struct view *v, struct row_out *out, const struct record *r,
	const struct kind *kind, const int *fields, size_t n, const char *prefix)
{
	for (size_t i = 0; i < n; i++) {
		char *text = next_cell(out);
		if (prefix)
			snprintf(text, CELL_SIZE, "%s%s", prefix, kind->fields[fields[i]].label);
		else if (r)
			words_field(v, r, fields[i], false, text, CELL_SIZE);
	}
}

static enum err write_slips(
	struct view *v, struct sheet_writer *w, struct row_out *out, size_t *rows, struct problem *p)
{
	const struct kind *slip = kind_by_number(KIND_SLIP), *half = kind_by_number(KIND_SLIP_ADDRESSEE);
	size_t n = 0, n_slip = sizeof slip_fields / sizeof *slip_fields,
	       n_half = sizeof half_fields / sizeof *half_fields;
	struct slip_row *list = slip_rows(v, profile_now_us(v->store->profile), &n);
	enum err e;

	out->n = 0;
	add_some(v, out, NULL, slip, slip_fields, n_slip, "");
	snprintf(next_cell(out), CELL_SIZE, "状态");
	add_some(v, out, NULL, half, half_fields, n_half, "本校");
	add_some(v, out, NULL, half, half_fields, n_half, "对方");
	e = list ? sheet_writer_row(w, out->cells, out->n, SHEET_HEADER, p)
		 : problem_set(p, ERR_NOMEM, NULL, NULL, NULL);
	for (size_t i = 0; !e && i < n; i++) {
		out->n = 0;
		add_some(v, out, &list[i].slip->record, slip, slip_fields, n_slip, NULL);
		snprintf(next_cell(out), CELL_SIZE, "%s", code_name(&codes_slip_state, list[i].state));
		add_some(
			v, out, list[i].mine ? &list[i].mine->record : NULL, half, half_fields, n_half, NULL);
		add_some(v, out, list[i].other ? &list[i].other->record : NULL, half, half_fields, n_half,
			NULL);
		e = sheet_writer_row(w, out->cells, out->n, SHEET_PLAIN, p);
		*rows += !e;
	}
	free(list);
	return e;
}

enum err export_run(struct view *v, enum export_what what, int32_t year, const char *path,
	bool (*allowed)(const void *data, const struct record *r), const void *data,
	struct export_report *report, struct problem *p)
{
	static const char *const titles[] = {"学生", "升学去向", "交办单", "核验名单"};
	struct row_out *out = malloc(sizeof *out);
	struct sheet_writer *w = NULL;
	enum err e = out ? sheet_writer_open(&w, path, titles[what], p)
			 : problem_set(p, ERR_NOMEM, NULL, NULL, NULL);

	*report = (struct export_report){0};
	if (!e && what == EXPORT_SLIPS)
		e = write_slips(v, w, out, &report->rows, p);
	else if (!e && what == EXPORT_VERIFY)
		e = write_verify(
			v, w, out, year, strcasecmp(strrchr(path, '.'), ".xlsx") == 0, &report->rows, p);
	else if (!e && what == EXPORT_DESTINATIONS && strcasecmp(strrchr(path, '.'), ".xlsx") == 0)
		e = write_form(v, w, out, year, allowed, data, &report->rows, p);
	else if (!e)
		e = write_records(v, w, out, what == EXPORT_STUDENTS ? KIND_STUDENT : KIND_DESTINATION, year,
			allowed, data, &report->rows, p);
	free(out);
	report->dropped = w ? sheet_writer_dropped(w) : 0;
	if (!e)
		return sheet_writer_close(w, p);
	sheet_writer_discard(w);
	return e;
}
