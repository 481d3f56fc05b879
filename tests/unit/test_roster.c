/* Covers common/roster.c: grades and classes as people write them and as spreadsheets spoil them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "roster.h"

#define TODAY 20261130
#define PRIMARY "2132000001"
#define NINE "3132000001"

static void grades_as_people_write_them(void **state)
{
	static const char *const six[] = {"六年级", "小学六年级", "六", "6", "六年级(2020级)", "16",
		"毕业年级", "6年级", "小六", "六 年 级", "６年级", "六年级（毕业班）"};

	(void)state;
	for (size_t i = 0; i < sizeof six / sizeof *six; i++) {
		const char *code = roster_grade(six[i], PRIMARY);
		if (!code || strcmp(code, "16") != 0)
			fail_msg("%s: %s", six[i], code ? code : "none");
	}
	assert_null(roster_grade("2020级", PRIMARY));
	assert_null(roster_grade("1", NINE)); /* 一年级 or 初一 */
	assert_string_equal(roster_grade("1", PRIMARY), "11");
	assert_string_equal(roster_grade("7", NINE), "21");
	assert_string_equal(roster_grade("初一", NINE), "21");
}

static void entry_years(void **state)
{
	static const char *const same[] = {
		"202109", "2021-09", "2021年9月", "2021级", "2021", "20210901", "2021/9/1", "2021.9"};

	(void)state;
	for (size_t i = 0; i < sizeof same / sizeof *same; i++)
		assert_int_equal(roster_entry_year(same[i]), 2021);
	assert_int_equal(roster_entry_year("六年级"), 0);
	assert_int_equal(roster_entry_year("202113"), 0);
	assert_string_equal(roster_grade_of_entry(2021, TODAY, PRIMARY, 0), "16");
	assert_string_equal(roster_grade_of_entry(2021, 20270630, PRIMARY, 0), "16");
	assert_string_equal(roster_grade_of_entry(2021, 20260831, PRIMARY, 0), "15");
	assert_null(roster_grade_of_entry(2020, TODAY, PRIMARY, 0)); /* has left */
	assert_null(roster_grade_of_entry(2027, TODAY, PRIMARY, 0));
	assert_string_equal(roster_grade_of_entry(2026, TODAY, NINE, 2014), "21");
	assert_string_equal(roster_grade_of_entry(2026, TODAY, NINE, 2020), "11");
	assert_string_equal(roster_grade_of_entry(2021, TODAY, NINE, 2015), "16");
}

static void class_is(const char *text, bool number, const char *want)
{
	struct roster_class c;
	enum roster_fault fault = roster_class_read(text, "16", TODAY, number, &c);

	if (fault || strcmp(c.no, want) != 0)
		fail_msg("%s: fault %d, %s", text, (int)fault, c.no);
}

static void fault_is(const char *text, bool number, enum roster_fault want)
{
	struct roster_class c;
	enum roster_fault fault = roster_class_read(text, "16", TODAY, number, &c);

	if (fault != want)
		fail_msg("%s: fault %d, %s", text, (int)fault, c.no);
	assert_string_equal(c.no, "");
}

static void classes_as_people_write_them(void **state)
{
	static const char *const one[] = {"1班", "2020级1班", "六1", "601", "(1)", "一班", "01", "六年级一班",
		"1", "202001", "1班（寄宿）", "１班", "六（1）班", "6-1", "6.1班", "六年级(1)班", "六(一)班",
		"20级1班", "0601", "6(1)班", "2026届六（1）班"};

	(void)state;
	for (size_t i = 0; i < sizeof one / sizeof *one; i++)
		class_is(one[i], false, "1");
	class_is("六年级(十二)班", false, "12");
	class_is("六（十）班", false, "10");
	class_is("6.2", true, "2");
	class_is("6.10", false, "10");
	class_is("61", false, "61");
	fault_is("6.1", true, ROSTER_AMBIGUOUS);
	fault_is("1、2班", false, ROSTER_SEVERAL);
	fault_is("1,2班", false, ROSTER_SEVERAL);
	fault_is("实验班", false, ROSTER_NO_CLASS);
	fault_is("六甲班", false, ROSTER_NO_CLASS);
	fault_is("六年级", false, ROSTER_NO_CLASS);
	fault_is("六三班", false, ROSTER_NO_CLASS);
	fault_is("0班", false, ROSTER_NO_CLASS);
	fault_is("五（1）班", false, ROSTER_GRADE);
	fault_is("501", false, ROSTER_GRADE);
	fault_is("3-2", false, ROSTER_GRADE);
	struct roster_class c;
	assert_int_equal(roster_class_read("2020级3班", NULL, TODAY, false, &c), ROSTER_OK);
	assert_int_equal(c.entry_year, 2020);
	assert_int_equal(roster_class_read("六3班", NULL, TODAY, false, &c), ROSTER_OK);
	assert_string_equal(c.grade, "16");
}

static void classes_that_became_dates(void **state)
{
	(void)state;
	class_is("2026-06-03", false, "3");  /* 6-3 */
	class_is("1932-06-01", false, "32"); /* 6-32 */
	class_is("2026-06-12", false, "12");
	class_is("2026-06-01", false, "1");
	class_is("2020-03-01", false, "3"); /* 2020-3 */
	class_is("2020-05-01", false, "5");
	class_is("6月3日", false, "3");
	class_is("3-Jun", false, "3");
	class_is("Jun-32", false, "32");
	class_is("Mar-20", false, "3");
	class_is("2020年3月", false, "3");
	fault_is("2020-06-01", false, ROSTER_AMBIGUOUS); /* 2020-6, or 6-1 typed in 2020 */
	fault_is("2026-05-03", false, ROSTER_DATE);
	fault_is("5月3日", false, ROSTER_DATE);
}

static void grade_and_class_within_a_title(void **state)
{
	char no[CLASS_NO_MAX + 1];

	(void)state;
	assert_string_equal(roster_grade_within("演练县第1小学2026届六年级学生花名册"), "16");
	assert_string_equal(roster_grade_within("六1班"), "16");
	assert_string_equal(roster_grade_within("十一年级名册"), "32");
	assert_null(roster_grade_within("五年级、六年级名册"));
	assert_null(roster_grade_within("学生花名册"));
	assert_true(roster_class_within("演练县第1小学六（3）班学生名册", no));
	assert_string_equal(no, "3");
	assert_true(roster_class_within("六12班", no));
	assert_string_equal(no, "12");
	assert_false(roster_class_within("Sheet1", no));
	assert_false(roster_class_within("演练县第1小学六年级", no));
	assert_int_equal(roster_year_within("2027年测试县小学升学去向信息表"), 2027);
	assert_int_equal(roster_year_within("2027届毕业生去向"), 2027);
	assert_int_equal(roster_year_within("2026-2027学年升学去向"), 2027);
	assert_int_equal(roster_year_within("填报时间：2026年5月20日"), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(grades_as_people_write_them),
		cmocka_unit_test(entry_years), cmocka_unit_test(classes_as_people_write_them),
		cmocka_unit_test(classes_that_became_dates),
		cmocka_unit_test(grade_and_class_within_a_title)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
