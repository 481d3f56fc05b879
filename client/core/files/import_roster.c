/* Grade and class of a row, from wherever the file says them: the columns, --grade, the class itself (六3班),
 * the title, the sheet's name, the year of entry. */
#include <stdio.h>
#include <string.h>

#include "import_row.h"
#include "lang.h"
#include "text.h"
#include "validate.h"

#define PEEK_ROWS 50 /* whose classes are asked for a grade before a sheet is refused */

struct title {
	struct import_hint *hint;
	const struct import *im;
};

static void title_read(void *data, const char *text)
{
	struct title *t = data;
	const char *grade = roster_grade_within(text);
	int year = roster_year_within(text);

	if (grade && !t->hint->grade[0])
		strcpy(t->hint->grade, grade);
	if (!t->hint->class_no[0])
		roster_class_within(text, t->hint->class_no);
	if (year && !t->hint->year)
		t->hint->year = year - (t->im->rules->autumn && strstr(text, "学年") != NULL);
}

void import_hint_read(
	struct import *im, struct table *t, const struct sheet_page *page, struct import_hint *out)
{
	struct title title = {out, im};

	*out = (struct import_hint){0};
	table_title(t, title_read, &title);
	title_read(&title, page->name);
	if (im->options->grade)
		strcpy(out->grade, im->options->grade);
}

static int own(const struct import *im, const char *name)
{
	return kind_field_index(im->kind, name);
}

static const char *cell(const struct import *im, struct table *t, const struct table_row *row, int field)
{
	size_t column = import_column_of(im, field);

	return column < im->n_columns ? table_text(t, row, column) : "";
}

/* Whether the first rows say their grade in the class. */
static bool classes_have_grades(struct import *im, struct table *t)
{
	struct roster_class class;
	struct table_row row;
	bool found = false;

	for (size_t n = 0; !found && n < PEEK_ROWS && table_next(t, &row); n++) {
		roster_class_read(cell(im, t, &row, own(im, "class_no")), NULL, im->today, false, &class);
		found = class.grade[0] || class.entry_year;
	}
	table_rewind(t);
	return found;
}

enum err import_roster_usable(void *data, struct table *t, const struct sheet_page *page, struct problem *p)
{
	struct import *im = data;
	struct import_hint hint;

	/* its grade is declared, and a class may be missing; or it has no class */
	if (own(im, "grade") < 0 || own(im, "class_no") < 0)
		return ERR_OK;
	import_hint_read(im, t, page, &hint);
	if (!table_has(t, import_column_of(im, own(im, "class_no"))) && !hint.class_no[0]) {
		problem_set(p, ERR_FILE_HEADER, "班级",
			_("请补上“班级”列；列名不同时可用 --map 列=班级 对应"),
			_("第 %ld 行的表头缺少必填列：班级"), table_header_row(t));
	} else if (!table_has(t, import_column_of(im, own(im, "grade"))) && !hint.grade[0] &&
		!table_has(t, import_column_of(im, IMPORT_ENTRY)) && !classes_have_grades(im, t)) {
		problem_set(p, ERR_FILE_HEADER, "年级",
			_("请补上“年级”列，或用 --grade 六年级 说明全表的年级；"
			  "列名不同时可用 --map 列=年级 对应"),
			_("第 %ld 行的表头缺少必填列：年级"), table_header_row(t));
	} else {
		return ERR_OK;
	}
	if (p)
		p->row = table_header_row(t);
	return ERR_FILE_HEADER;
}

/* Once for all sheets with the same: where the grade of their rows came from, when no column of theirs says
 * it. */
static void tell_source(struct import *im, const char *code, const char *message, const char *value)
{
	struct problem p = {0};

	if (im->hint.told || im->options->grade || (im->told && strcmp(im->told, value) == 0))
		return;
	im->hint.told = true;
	im->told = value;
	problem_set(&p, ERR_INVALID, NULL, _("不对时用 --grade 说明，或在表里补上“年级”列"), message, value);
	import_warn_page(im, im->page, code, &p);
}

static int birth_year(const struct import *im, const struct import_row *row)
{
	struct resident_id id = {0};
	char no[CERT_NO_MAX + 1];
	int field = own(im, "birth"), number = own(im, "cert_no");

	if (field >= 0 && record_has(&row->record, field))
		return (int)(record_number(&row->record, field) / 10000);
	if (number < 0)
		return 0;
	enum id_fault fault =
		resident_id_check(record_text(&row->record, number, no, sizeof no), im->today, &id);
	return fault == ID_OK || fault == ID_CHECK ? id.birth / 10000 : 0;
}

static const char *grade_of_entry(struct import *im, const struct import_row *row, int year)
{
	return roster_grade_of_entry(year, im->today, im->store->profile->school, birth_year(im, row));
}

static void reject_grade(struct import *im, struct import_row *row, const char *text, const char *code)
{
	struct problem p = {0};

	const char *why = _("“%s”不是年级");
	if (!*text)
		why = _("没有年级");
	else if (roster_entry_year(text))
		why = _("“%s”入学的，这个学年不在本校任何年级");
	problem_set(&p, *text ? ERR_INVALID : ERR_MISSING, NULL, _("请写成 六年级，或用 --grade 六年级 说明"),
		why, text);
	import_reject(im, row, "年级", code, &p);
}

/* The grade's code, or NULL after the row was rejected. */
static const char *read_grade(struct import *im, struct import_row *row, const struct roster_class *class)
{
	const char *text = cell(im, im->table, &row->at, own(im, "grade")), *code;
	const char *entry = cell(im, im->table, &row->at, IMPORT_ENTRY);
	char clean[64];

	if (text_clean(clean, sizeof clean, text))
		*clean = 0;
	if (*clean && (code = roster_grade(clean, im->store->profile->school)))
		return code;
	if (im->options->grade)
		return im->options->grade;
	if (*clean) {
		code = grade_of_entry(im, row, roster_entry_year(clean));
		if (!code)
			reject_grade(im, row, clean, "INVALID");
		return code;
	}
	if (class->grade[0])
		return code_find(&codes_grade, class->grade);
	if (im->hint.grade[0]) {
		code = code_find(&codes_grade, im->hint.grade);
		tell_source(
			im, "GRADE_OF_TITLE", _("年级取自标题或工作表名：%s"), code_name(&codes_grade, code));
		return code;
	}
	int year = roster_entry_year(entry);
	code = grade_of_entry(im, row, year ? year : class->entry_year);
	if (code)
		tell_source(im, "GRADE_OF_ENTRY", _("没有年级列，按入学年月推算，第一行为%s"),
			code_name(&codes_grade, code));
	else
		reject_grade(im, row, *entry ? entry : "", *entry ? "INVALID" : "MISSING");
	return code;
}

static void set_text(struct import *im, struct import_row *row, int field, const char *text)
{
	record_set_text(&row->record, field, arena_text(&im->arena, text, strlen(text)));
	row->given |= 1u << field;
}

static void reject_class(struct import *im, struct import_row *row, const char *text, enum roster_fault fault)
{
	int field = own(im, "class_no");
	const char *hint = _("写成 3、3班 或 六（3）班");
	struct problem p = {0};

	if (fault == ROSTER_DATE || fault == ROSTER_AMBIGUOUS)
		hint = _("请把这一列设为“文本”格式，重新写成 3班 或 六（3）班");
	problem_set(&p, ERR_INVALID, NULL, hint, _("班级“%s”%s"), text, roster_fault_text(fault));
	if (own(im, "grade") >= 0 || strlen(text) > im->kind->fields[field].max_bytes) {
		import_reject(im, row, import_field(im, field), "INVALID", &p);
		return;
	}
	set_text(im, row, field, text);
	import_warn(im, row, import_field(im, field), "INVALID", &p);
}

static void warn_class(
	struct import *im, const struct import_row *row, const char *text, const struct roster_class *class)
{
	struct problem p = {0};

	problem_set(&p, ERR_INVALID, NULL, _("不对时把这一列设为“文本”格式重写"),
		_("班级被表格软件改成了日期 %s，读作 %s 班"), text, class->no);
	import_warn(im, row, import_field(im, own(im, "class_no")), "CLASS_DATE", &p);
}

void import_read_roster(struct import *im, struct import_row *row)
{
	int class_no = own(im, "class_no"), grade_field = own(im, "grade");
	size_t column = import_column_of(im, class_no);
	bool number = column < im->n_columns && table_flags(im->table, &row->at, column) & CELL_NUMBER;
	const char *grade = im->kind->grade;
	struct roster_class class = {0};
	struct problem p = {0};
	char text[128];

	if (text_clean_name(text, sizeof text, cell(im, im->table, &row->at, class_no)))
		*text = 0;
	if (grade_field >= 0) {
		roster_class_read(text, NULL, im->today, number, &class);
		if (!(grade = read_grade(im, row, &class)))
			return;
		set_text(im, row, grade_field, grade);
	}
	if (!*text && grade_field >= 0 && im->hint.class_no[0]) {
		set_text(im, row, class_no, im->hint.class_no);
		return;
	}
	if (!*text) {
		if (table_has(im->table, column))
			row->given |= 1u << class_no;
		problem_set(&p, ERR_MISSING, NULL, NULL, NULL);
		if (grade_field >= 0)
			import_reject(im, row, import_field(im, class_no), "MISSING", &p);
		return;
	}
	enum roster_fault fault = roster_class_read(text, grade, im->today, number, &class);
	if (fault)
		reject_class(im, row, text, fault);
	else
		set_text(im, row, class_no, class.no);
	if (!fault && class.was_date)
		warn_class(im, row, text, &class);
}
