/* The form that teachers fill: every sixth-grader, drop-downs, a second sheet of codes and schools. As .csv
 * the destinations themselves. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "codes.h"
#include "export_transition.h"
#include "lang.h"
#include "schools.h"
#include "tables.h"
#include "transition.h"
#include "value.h"
#include "words.h"

/* What a drop-down offers: “A1 施教区公办”, “3132000011 测试县第一初级中学”. */
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
	const struct item *guardian = view_first_child(v, student, kind_by_number(KIND_GUARDIAN));
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
	code_and_word(text, EXPORT_CELL_SIZE, code, name);
}

static size_t add_destination(struct export *x, const struct record *r, bool declared, int field)
{
	const struct kind *k = kind_by_number(KIND_DESTINATION);
	size_t at = 0;

	for (size_t i = 0; i < k->field_count; i++) {
		const struct field *f = &k->fields[i];
		if (!f->columns[0] || i == F_DESTINATION_DEST_SCHOOL)
			continue;
		at = (int)i == field ? x->n : at;
		char *text = export_cell(x), code[8];
		if (!r)
			snprintf(text, EXPORT_CELL_SIZE, "%s", f->columns[0]);
		else if (i == F_DESTINATION_DEST_SCHOOL_NAME)
			add_school(x->view, text, r);
		else if (f->type != FIELD_BOOL || declared)
			value_show(r, (int)i, false, text, EXPORT_CELL_SIZE);
		if (r && i == F_DESTINATION_CATEGORY && *text) {
			record_text(r, (int)i, code, sizeof code);
			const char *word = code_name(&codes_category, code);
			code_and_word(text, EXPORT_CELL_SIZE, code, word ? word : "");
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
static enum err write_choices(struct export *x, struct item *const *schools, size_t n)
{
	const char *headings[] = {"去向类别", "拟升入学校", "家长确认"};
	enum err e = sheet_writer_page(x->writer, SHEET_CHOICES, x->p);

	if (!e)
		e = sheet_writer_row(x->writer, headings, 3, SHEET_HEADER, x->p);
	for (size_t i = 0; !e && (i < n || i < codes_category.n); i++) {
		char code[16] = "", name[256] = "";
		char *category = export_cell(x), *school = export_cell(x), *yes = export_cell(x);
		if (i < codes_category.n)
			code_and_word(category, EXPORT_CELL_SIZE, codes_category.items[i].code,
				lang_declared(codes_category.items[i].zh, codes_category.items[i].en));
		if (i < n) {
			record_text(&schools[i]->record, F_SCHOOL_CODE, code, sizeof code);
			record_text(&schools[i]->record, F_SCHOOL_NAME, name, sizeof name);
		}
		code_and_word(school, EXPORT_CELL_SIZE, code, name);
		snprintf(yes, EXPORT_CELL_SIZE, "%s", i == 0 ? _("是") : i == 1 ? _("否") : "");
		e = sheet_writer_row(x->writer, x->cells, x->n, SHEET_PLAIN, x->p);
		x->n = 0;
	}
	return e;
}

/* Drop-downs for what is chosen, and the headings. */
static enum err write_headings(struct export *x, size_t n_schools)
{
	static const int chosen[] = {
		F_DESTINATION_CATEGORY, F_DESTINATION_DEST_SCHOOL_NAME, F_DESTINATION_GUARDIAN_CONFIRMED};
	const size_t counts[] = {codes_category.n, n_schools, 2};
	enum err e = ERR_OK;

	for (size_t i = 0; !e && i < sizeof chosen / sizeof *chosen; i++) {
		size_t column = add_destination(x, NULL, false, chosen[i]);
		e = sheet_writer_choice(x->writer, column, SHEET_CHOICES, i, counts[i], i != 1, x->p);
		x->n = 0;
	}
	add_destination(x, NULL, false, -1);
	return e ? e : export_row(x, SHEET_HEADER);
}

static enum err write_form(struct export *x, int32_t year)
{
	size_t n, n_schools;
	struct pupil_row *list = transition_pupils(x->view, year, &n);
	struct item **schools = junior_schools(x->view, &n_schools);
	enum err e = list && schools ? write_headings(x, n_schools)
				     : problem_set(x->p, ERR_NOMEM, NULL, NULL, NULL);

	if (!e)
		words_sort(list, n, sizeof *list, pupil_record, NULL);
	for (size_t i = 0; !e && i < n; i++) {
		struct record r = list[i].destination ? list[i].destination->record
						      : prefilled(x->view, list[i].student);
		if (!export_allows(x, &r))
			continue;
		add_destination(x, &r, list[i].destination != NULL, -1);
		e = export_row(x, SHEET_PLAIN);
	}
	if (!e)
		e = write_choices(x, schools, n_schools);
	free(list);
	free(schools);
	return e;
}

static enum err write_destinations(struct export *x)
{
	int32_t year;
	enum err e = export_cycle(x, &year);

	if (e)
		return e;
	if (x->book)
		return write_form(x, year);
	return export_records(x, KIND_DESTINATION, 0, year);
}

const struct export_rules export_destinations = {
	"destinations", "升学去向", transition_kinds, write_destinations};
