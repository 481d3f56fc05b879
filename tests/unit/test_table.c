/* Covers client/core/files/table.c. Numbers are of area 329999, names invented. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "table.h"
#include "xlsx_make.h"

enum { NAME, CERT, STUDENT_NO, CLASS, BIRTH, GUARDIAN, PHONE, N_COLUMNS };

static const char *const cert_names[] = {"身份证号", "身份证件号", "公民身份号码", NULL};
static const char *const student_no_names[] = {"学籍号", NULL};
static const char *const guardian_names[] = {"家长姓名", NULL};
static const char one_of[] = "证件号码或全国学籍号";
static const struct table_column columns[] = {{"姓名", NULL, true, NULL},
	{"证件号码", cert_names, false, one_of}, {"全国学籍号", student_no_names, false, one_of},
	{"班级", NULL, true, NULL}, {"出生日期", NULL, false, NULL},
	{"监护人姓名", guardian_names, false, NULL}, {"监护人电话", NULL, false, NULL}};

static const struct table_group groups[] = {{"学生", ""}, {"监护人", "监护人"}, {0}};

static struct sheet *csv_of(const char *text)
{
	struct sheet *s;

	assert_int_equal(sheet_read_memory(text, strlen(text), "t.csv", NULL, &s, NULL), ERR_OK);
	return s;
}

static struct table *must_open(const struct sheet *s, const char *const *maps, size_t n_maps)
{
	struct problem p = {0};
	struct table *t;

	if (table_open(&t, s, 0, &(struct table_wants){columns, N_COLUMNS, groups, maps, n_maps}, &p))
		fail_msg("%d %s", p.code, p.message);
	return t;
}

static struct problem refused(const char *text, const char *map, enum err want)
{
	struct sheet *s = csv_of(text);
	struct problem p = {0};
	struct table *t;

	assert_int_equal(table_open(&t, s, 0,
				 &(struct table_wants){columns, N_COLUMNS, groups, &map, map != NULL}, &p),
		want);
	assert_null(t);
	assert_int_equal(p.code, want);
	sheet_free(s);
	return p;
}

static void any_order_and_titles(void **state)
{
	struct sheet *s = csv_of("测试县某某小学,,,\n六年级名册（2026）,,,\n\n班 "
				 "级,公民身份号码,*姓名：,出生日期（yyyymmdd）,序号,身份证\n"
				 "3班,329999201403150017,张三,20140315,1,x\n,,,,2,\n4班,,李四,,3,\n");
	struct table *t = must_open(s, NULL, 0);
	struct table_row row;

	(void)state;
	assert_int_equal(table_header_row(t), 4);
	assert_true(table_has(t, CERT));
	assert_false(table_has(t, PHONE));
	assert_string_equal(table_heading(t, NAME), "*姓名：");
	assert_int_equal(table_ignored_count(t), 2);
	assert_string_equal(table_ignored_at(t, 0).heading, "序号");
	assert_null(table_ignored_at(t, 0).nearest);
	assert_string_equal(table_ignored_at(t, 1).heading, "身份证");
	assert_string_equal(table_ignored_at(t, 1).nearest, "证件号码");
	assert_true(table_next(t, &row));
	assert_int_equal(row.number, 5);
	assert_string_equal(table_text(t, &row, NAME), "张三");
	assert_string_equal(table_text(t, &row, CERT), "329999201403150017");
	assert_string_equal(table_text(t, &row, PHONE), "");
	assert_int_equal(table_flags(t, &row, PHONE), 0);
	assert_true(table_next(t, &row));
	assert_int_equal(row.number, 7);
	assert_false(table_next(t, &row));
	assert_int_equal(table_skipped_count(t), 1);
	table_free(t);
	sheet_free(s);
}

static void footers_are_skipped(void **state)
{
	struct sheet *s =
		csv_of("姓名,证件号码,班级\n张三,1,3\n　,', \n姓名,证件号码,班级\n合计,1人,\n合计：1,,\n"
		       "填表人：张三,,审核人：李四\n总 计,5,5\n合计三,2,3\n注：无,x,y\n日期,3,4\n");
	struct table *t = must_open(s, NULL, 0);
	struct table_row row;
	long numbers[8];
	size_t n = 0;

	(void)state;
	while (table_next(t, &row))
		numbers[n++] = row.number;
	assert_int_equal(n, 3); /* 合计三 and 日期 without a colon could be names */
	assert_int_equal(numbers[0], 2);
	assert_int_equal(numbers[1], 9);
	assert_int_equal(numbers[2], 11);
	assert_int_equal(table_skipped_count(t), 7);
	table_free(t);
	sheet_free(s);
}

static void missing_columns(void **state)
{
	struct problem p;

	(void)state;
	p = refused("姓名,出生日期\n张三,1\n", NULL, ERR_FILE_HEADER);
	assert_non_null(strstr(p.message, one_of));
	assert_non_null(strstr(p.message, "班级"));
	assert_null(strstr(p.message, "姓名"));
	assert_string_equal(p.field, one_of);
	assert_int_equal(p.row, 1);
	p = refused("甲,乙\n丙,丁\n", NULL, ERR_FILE_HEADER);
	assert_non_null(strstr(p.message, "姓名"));
	p = refused("姓名,甲\n", NULL, ERR_FILE_HEADER);
	refused(",\n", NULL, ERR_FILE_HEADER);
}

static void two_for_one(void **state)
{
	struct problem p;

	(void)state;
	p = refused("姓名,身份证号,公民身份号码,班级\n", NULL, ERR_FILE_HEADER);
	assert_string_equal(p.field, "证件号码");
	p = refused("姓名,学籍号,班级,姓名\n", NULL, ERR_FILE_HEADER);
	/* its own name is better than another's, and a map is better than both */
	struct sheet *s = csv_of("姓名,身份证号,证件号码,班级\na,b,c,d\n");
	struct table *t = must_open(s, NULL, 0);
	assert_string_equal(table_heading(t, CERT), "证件号码");
	table_free(t);
	const char *map = "身份证号=证件号码";
	t = must_open(s, &map, 1);
	assert_string_equal(table_heading(t, CERT), "身份证号");
	assert_string_equal(table_ignored_at(t, 0).heading, "证件号码");
	table_free(t);
	sheet_free(s);
}

static void a_map_wins_over_the_headings(void **state)
{
	const char *map = "监护人（父亲） 姓名=监护人姓名";
	struct sheet *s = csv_of("学生,学籍号,班级,监护人（父亲）姓名,监护人（母亲）姓名\na,b,c,d,e\n");
	const char *both[] = {map, "学生=姓名"};
	struct table *t = must_open(s, both, 2);
	struct table_row row;

	(void)state;
	assert_true(table_next(t, &row));
	assert_string_equal(table_text(t, &row, NAME), "a");
	assert_string_equal(table_text(t, &row, GUARDIAN), "d");
	table_free(t);
	sheet_free(s);
	refused("姓名,学籍号,班级\n", "姓名", ERR_USAGE);
	refused("姓名,学籍号,班级\n", "=姓名", ERR_USAGE);
	struct problem p = refused("姓名,学籍号,班级\n", "姓名=监护人电", ERR_USAGE);
	assert_string_equal(p.hint, "是不是 --map 姓名=监护人电话？");
	refused("姓名,学籍号,班级\n", "学生=姓名", ERR_USAGE);
}

static void merged_headers(void **state)
{
	size_t n;
	char *bytes =
		xlsx_of("<sheetData><row r='1'><c r='A1' t='str'><v>名册 姓名 班级</v></c></row>"
			"<row r='2'><c r='A2' t='str'><v>班级</v></c><c r='B2' t='str'><v>姓名</v></c>"
			"<c r='C2' t='str'><v>学籍号</v></c><c r='D2' t='str'><v>监护人</v></c><c r='F2' "
			"t='str'><v>同住人</v></c></row>"
			"<row r='3'><c r='D3' t='str'><v>姓名</v></c><c r='E3' t='str'><v>电话</v></c>"
			"<c r='F3' t='str'><v>姓名</v></c><c r='G3' t='str'><v>电话</v></c></row>"
			"<row r='4'><c r='A4'><v>3</v></c><c r='B4' t='str'><v>张三</v></c><c r='C4' "
			"t='str'><v>x</v></c>"
			"<c r='D4' t='str'><v>张父</v></c></row>"
			"<row r='5'><c r='B5' t='str'><v>李四</v></c><c r='C5' t='str'><v>y</v></c></row>"
			"<row r='6'><c r='H6' t='str'><v>z</v></c></row>"
			"<row r='7'><c r='A7' t='str'><v>以下空白</v></c></row></sheetData>"
			"<mergeCells><mergeCell ref='A1:G1'/><mergeCell ref='A2:A3'/><mergeCell "
			"ref='B2:B3'/><mergeCell ref='C2:C3'/>"
			"<mergeCell ref='D2:E2'/><mergeCell ref='F2:G2'/><mergeCell ref='A4:A6'/><mergeCell "
			"ref='D4:E4'/></mergeCells>",
			NULL, NULL, &n);
	struct sheet *s;
	struct table_row row;

	(void)state;
	assert_int_equal(sheet_read_memory(bytes, n, "t", NULL, &s, NULL), ERR_OK);
	struct table *t = must_open(s, NULL, 0);
	assert_int_equal(table_header_row(t), 3);
	assert_true(table_next(t, &row));
	assert_string_equal(table_text(t, &row, CLASS), "3");
	assert_int_equal(table_flags(t, &row, CLASS), CELL_NUMBER);
	assert_string_equal(table_text(t, &row, NAME), "张三");
	assert_string_equal(table_text(t, &row, GUARDIAN), "张父");
	assert_string_equal(table_text(t, &row, PHONE), ""); /* merged with the name, not a telephone */
	assert_true(table_next(t, &row));
	assert_string_equal(table_text(t, &row, CLASS), "3"); /* merged down: the class of all its rows */
	assert_string_equal(table_text(t, &row, NAME), "李四");
	/* 以下空白 stands in a required column: the caller says what is wrong */
	assert_true(table_next(t, &row));
	assert_int_equal(row.number, 7);
	assert_false(table_next(t, &row));
	assert_int_equal(table_skipped_count(t), 1);
	table_free(t);
	sheet_free(s);
	free(bytes);
}

static void nothing_required(void **state)
{
	static const struct table_column free_columns[] = {
		{"甲", NULL, false, NULL}, {"乙", NULL, false, NULL}};
	struct sheet *s = csv_of("甲,乙,丙\n,,3\n,2,\n");
	struct table_row row;
	struct table *t;

	(void)state;
	assert_int_equal(
		table_open(&t, s, 0, &(struct table_wants){free_columns, 2, NULL, NULL, 0}, NULL), ERR_OK);
	assert_true(table_next(t, &row));
	assert_int_equal(row.number, 3);
	assert_false(table_next(t, &row));
	table_free(t);
	sheet_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(any_order_and_titles),
		cmocka_unit_test(footers_are_skipped), cmocka_unit_test(missing_columns),
		cmocka_unit_test(two_for_one), cmocka_unit_test(a_map_wins_over_the_headings),
		cmocka_unit_test(merged_headers), cmocka_unit_test(nothing_required)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
