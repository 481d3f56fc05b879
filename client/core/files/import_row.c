#include "import_row.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lang.h"
#include "lint.h"
#include "scope.h"
#include "text.h"

static const char *const school_code_names[] = {"学校（机构）标识码", "学校代码", NULL};
static const char *const school_names[] = {"学校", "所在学校", "就读学校", NULL};
static const char *const entry_names[] = {"入学时间", "入学日期", "入学年份", "入学年度", "入学年", NULL};

bool import_listed(const char *const *names, const char *name)
{
	while (names && *names)
		if (strcmp(*names++, name) == 0)
			return true;
	return false;
}

/* The part of the natural key of which this field is one of two ways to say it; NULL: none. */
static const struct kind_key *alternative(const struct kind *kind, size_t field)
{
	for (size_t i = 0; i < kind->key_count; i++) {
		const struct kind_key *k = &kind->key[i];
		if (k->field[0] != k->field[1] && (k->field[0] == field || k->field[1] == field))
			return k;
	}
	return NULL;
}

static void add_columns(struct import *im, const struct kind *kind, bool beside)
{
	for (size_t i = 0; i < kind->field_count && im->n_columns < IMPORT_COLUMNS_MAX - 3; i++) {
		const struct field *f = &kind->fields[i];
		if (!f->columns[0])
			continue;
		struct table_column *c = &im->columns[im->n_columns];
		bool demanded = !beside && !import_listed(im->rules->fills, f->name);
		const struct kind_key *key = demanded ? alternative(kind, i) : NULL;
		*c = (struct table_column){f->columns[0], f->columns + 1, demanded && f->required,
			key ? arena_printf(&im->arena, _("%s或%s"),
				      value_column(&kind->fields[key->field[0]]),
				      value_column(&kind->fields[key->field[1]]))
			    : NULL};
		im->meaning[im->n_columns++] = (struct import_column){(int)i, beside};
	}
}

/* Where a record itself names a school, that is not the one that the row comes from. */
static bool has_column(const struct import *im, const char *name)
{
	for (size_t i = 0; i < im->n_columns; i++)
		if (strcmp(im->columns[i].name, name) == 0)
			return true;
	return false;
}

void import_columns(struct import *im)
{
	add_columns(im, im->kind, false);
	if (im->beside)
		add_columns(im, im->beside, true);
	static const struct {
		enum import_meaning meaning;
		struct table_column column;
	} others[] = {{IMPORT_SCHOOL_CODE, {"学校标识码", school_code_names, false, NULL}},
		{IMPORT_SCHOOL_NAME, {"学校名称", school_names, false, NULL}},
		{IMPORT_ENTRY, {"入学年月", entry_names, false, NULL}}};
	for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
		if ((others[i].meaning == IMPORT_ENTRY && kind_field_index(im->kind, "grade") < 0) ||
			has_column(im, others[i].column.name))
			continue;
		im->columns[im->n_columns] = others[i].column;
		im->meaning[im->n_columns++] = (struct import_column){others[i].meaning, false};
	}
}

size_t import_column_of(const struct import *im, int field)
{
	for (size_t i = 0; i < im->n_columns; i++)
		if (im->meaning[i].field == field && !im->meaning[i].beside)
			return i;
	return IMPORT_COLUMNS_MAX;
}

const char *import_field(const struct import *im, int field)
{
	return value_column(&im->kind->fields[field]);
}

int import_key(const struct import *im)
{
	const struct kind *kind = im->kind;

	for (size_t i = 0; i < kind->key_count; i++)
		if (kind->fields[kind->key[i].field[0]].columns[0])
			return kind->key[i].field[0];
	return kind->key_count ? kind->key[0].field[0] : 0;
}

static void add_note(struct import_notes *notes, long row, const char *sheet, const char *field,
	const char *code, const struct problem *p)
{
	if (notes->n == notes->room) {
		size_t room = notes->room ? notes->room * 2 : 64;
		struct import_note *more = realloc(notes->list, room * sizeof *more);
		if (!more) {
			notes->lost = true;
			return;
		}
		notes->list = more;
		LINT_KEPT(more);
		notes->room = room;
	}
	struct import_note *note = &notes->list[notes->n++];
	const struct err_info *info = err_info((int)p->code);
	note->row = row;
	snprintf(note->sheet, sizeof note->sheet, "%.*s",
		(int)text_utf8_prefix(sheet, strnlen(sheet, sizeof note->sheet - 1)), sheet);
	snprintf(note->field, sizeof note->field, "%s", field ? field : "");
	snprintf(note->code, sizeof note->code, "%s", code ? code : info->name);
	char message[sizeof p->message + sizeof p->hint + 8];
	snprintf(message, sizeof message, "%s%s%s", p->message[0] ? p->message : _(info->sentence),
		p->hint[0] ? _("；") : "", p->hint);
	size_t n = text_utf8_prefix(
		message, strlen(message) < sizeof note->message ? strlen(message) : sizeof note->message - 1);
	memcpy(note->message, message, n);
	note->message[n] = 0;
}

/* The sheet of a note: said when there is more than one to look at. */
static const char *sheet_of(const struct import *im, const struct sheet_page *page)
{
	return im->book.n > 1 && page ? page->name : "";
}

/* One row is rejected once: its first fault is told, the others when it is mended. */
void import_reject(struct import *im, struct import_row *row, const char *field, const char *code,
	const struct problem *p)
{
	if (!row->bad)
		add_note(&im->report->rejected, row->at.number, sheet_of(im, row->page), field, code, p);
	row->bad = true;
}

void import_warn(struct import *im, const struct import_row *row, const char *field, const char *code,
	const struct problem *p)
{
	add_note(&im->report->warnings, row->at.number, sheet_of(im, row->page), field, code, p);
}

void import_warn_page(
	struct import *im, const struct sheet_page *page, const char *code, const struct problem *p)
{
	add_note(&im->report->warnings, 0, page ? page->name : "", "", code, p);
}

/* Whether a column that names a school names another one. Short forms of the own name pass. */
static void check_school(struct import *im, struct import_row *row, size_t column, bool code)
{
	const char *own = code ? im->store->profile->school : im->store->profile->school_name;
	char text[256], mine[256];
	struct problem p = {0};

	if (text_name_key(text, sizeof text, table_text(im->table, &row->at, column)) ||
		text_name_key(mine, sizeof mine, own) || !*text || !*mine || strcmp(text, mine) == 0 ||
		(!code && (strstr(mine, text) || strstr(text, mine))))
		return;
	problem_set(&p, ERR_INVALID, NULL, _("这一行请由那所学校导入，或从文件中删去"),
		_("写的是另一所学校：%s"), text);
	import_reject(im, row, im->columns[column].name, "OTHER_SCHOOL", &p);
}

/* What a formula that failed leaves in a .csv. */
static bool is_error_text(const char *text)
{
	static const char *const errors[] = {
		"#N/A", "#REF!", "#VALUE!", "#NAME?", "#DIV/0!", "#NUM!", "#NULL!"};

	for (size_t i = 0; *text == '#' && i < sizeof errors / sizeof *errors; i++)
		if (strcmp(text, errors[i]) == 0)
			return true;
	return false;
}

static void read_cell(struct import *im, struct import_row *row, size_t column)
{
	struct import_column m = im->meaning[column];
	struct record *r = m.beside ? &row->beside : &row->record;
	const struct value_context ctx = {im->sheet->epoch,
		table_flags(im->table, &row->at, column) & CELL_DAMAGED_NUMBER,
		kind_field_index(im->kind, "grade") >= 0};
	const char *text = table_text(im->table, &row->at, column);
	struct problem p = {0};
	const char *code = NULL;

	/* what databases export for nothing */
	if (strcasecmp(text, "null") == 0 || strcasecmp(text, "(null)") == 0)
		text = "";
	if (table_flags(im->table, &row->at, column) & CELL_ERROR || is_error_text(text)) {
		problem_set(&p, ERR_INVALID, NULL, _("请把公式换成数值再导入"), _("单元格里是出错的公式"));
		import_reject(im, row, im->columns[column].name, "INVALID", &p);
		return;
	}
	switch (value_parse(r, m.field, text, &ctx, &im->arena, &code, &p)) {
	case VALUE_BAD:
		import_reject(im, row, im->columns[column].name, code, &p);
		break;
	case VALUE_WARN:
		import_warn(im, row, im->columns[column].name, code, &p);
		break;
	default:
		break;
	}
	if (m.beside)
		row->beside_given |= 1u << m.field;
	else
		row->given |= 1u << m.field;
}

/* Cells that every row must have; a false 是否报到 counts, so the cell is asked, not the value. */
static void check_required(struct import *im, struct import_row *row)
{
	struct problem p = {0};

	problem_set(&p, ERR_MISSING, NULL, NULL, NULL);
	for (size_t i = 0; i < im->n_columns; i++) {
		char text[16];
		if (!im->columns[i].required)
			continue;
		text_clean(text, sizeof text,
			table_text(im->table, &row->at, i)); /* too long for it is not empty either */
		if (!*table_text(im->table, &row->at, i) ||
			(!*text && strlen(table_text(im->table, &row->at, i)) < sizeof text))
			import_reject(im, row, im->columns[i].name, "MISSING", &p);
	}
}

/* Of two fields that are one part of the key, one is there. */
static void check_key(struct import *im, struct import_row *row)
{
	const struct kind *kind = im->kind;
	struct problem p = {0};

	for (size_t i = 0; i < kind->key_count; i++) {
		const uint8_t *f = kind->key[i].field;
		if (f[0] == f[1] || record_has(&row->record, f[0]) || record_has(&row->record, f[1]))
			continue;
		problem_set(&p, ERR_MISSING, NULL, NULL, _("%s和%s都没有"), import_field(im, f[0]),
			import_field(im, f[1]));
		import_reject(im, row, import_field(im, f[0]), "MISSING", &p);
	}
}

/* A class teacher works on his own classes. */
static void check_class(struct import *im, struct import_row *row)
{
	const struct session *session = &im->store->profile->session;
	struct problem p = {0};

	int class_no = kind_field_index(im->kind, "class_no");

	if (class_no < 0 || (im->rules->class_optional && !record_has(&row->record, class_no)) ||
		scope_allows(session, &row->record))
		return;
	scope_refuse(session, &p);
	import_reject(im, row, import_field(im, class_no), NULL, &p);
}

void import_read_row(struct import *im, struct import_row *row)
{
	int year = kind_field_index(im->kind, "year"), class_no = kind_field_index(im->kind, "class_no");
	int grade = class_no < 0 ? -1 : kind_field_index(im->kind, "grade");

	record_init(&row->record, im->kind);
	if (im->beside)
		record_init(&row->beside, im->beside);
	for (size_t i = 0; i < im->n_columns && !row->bad; i++) {
		if (!table_has(im->table, i))
			continue;
		int field = im->meaning[i].field;
		if (field == IMPORT_SCHOOL_CODE || field == IMPORT_SCHOOL_NAME)
			check_school(im, row, i, field == IMPORT_SCHOOL_CODE);
		else if (field >= 0 && (im->meaning[i].beside || (field != class_no && field != grade)))
			read_cell(im, row, i);
	}
	if (year >= 0 && im->year)
		record_set_number(&row->record, year, im->year);
	if (im->rules->cells)
		im->rules->cells(im, row);
	if (row->unfilled)
		return;
	if (!row->bad && class_no >= 0)
		import_read_roster(im, row);
	if (!row->bad)
		check_required(im, row);
	if (!row->bad)
		check_key(im, row);
	if (!row->bad)
		check_class(im, row);
	if (!row->bad && im->rules->about && im->rules->about->judge)
		im->rules->about->judge(im, row);
}
