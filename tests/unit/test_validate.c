/* Covers common/validate.c and common/date.c. Every number is of area 329999, which is not assigned, or is
 * the sample of its standard. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "validate.h"

#define TODAY 20260901

static const char *const valid[] = {"11010519491231002X", "440524188001010014", "329999201403150017",
	"329999201403150025", "32999920130901123X", "329999201501011109"};

static void valid_ids(void **state)
{
	struct resident_id id;

	(void)state;
	for (size_t i = 0; i < sizeof valid / sizeof *valid; i++)
		assert_int_equal(resident_id_check(valid[i], TODAY, NULL), ID_OK);
	assert_int_equal(resident_id_check("329999201403150017", TODAY, &id), ID_OK);
	assert_int_equal(id.birth, 20140315);
	assert_int_equal(id.gender, 1);
	assert_int_equal(id.area, 329999);
	assert_int_equal(resident_id_check("11010519491231002X", TODAY, &id), ID_OK);
	assert_int_equal(id.gender, 2);
}

static void every_wrong_length(void **state)
{
	char no[40];

	(void)state;
	assert_int_equal(resident_id_check("", TODAY, NULL), ID_EMPTY);
	for (int n = 1; n < 36; n++) {
		if (n == RESIDENT_ID_LENGTH)
			continue;
		snprintf(no, sizeof no, "%.*s", n, "329999201403150017329999201403150017");
		assert_int_equal(resident_id_check(no, TODAY, NULL), ID_LENGTH);
	}
}

static void every_wrong_digit(void **state)
{
	char no[19];

	(void)state;
	for (size_t i = 0; i < RESIDENT_ID_LENGTH; i++)
		for (char c = '0'; c <= '9'; c++) {
			strcpy(no, "329999201403150017");
			if (no[i] == c)
				continue;
			no[i] = c;
			assert_int_not_equal(resident_id_check(no, TODAY, NULL), ID_OK);
		}
	assert_int_equal(resident_id_check("329999201403150018", TODAY, NULL), ID_CHECK);
	assert_int_equal(resident_id_check("32999920140315001X", TODAY, NULL), ID_CHECK);
	assert_int_equal(resident_id_check("3299992014031500A7", TODAY, NULL), ID_CHARACTER);
	assert_int_equal(resident_id_check("32999920130901123x", TODAY, NULL), ID_CHARACTER);
	assert_int_equal(resident_id_check("X29999201403150017", TODAY, NULL), ID_CHARACTER);
}

static void dates_of_ids(void **state)
{
	(void)state;
	assert_int_equal(resident_id_check("329999201402290018", TODAY, NULL), ID_DATE);
	assert_int_equal(resident_id_check("329999201403150017", 20140314, NULL), ID_DATE);
	assert_int_equal(resident_id_check("329999201403150017", 20140315, NULL), ID_OK);
}

static void excel_damage(void **state)
{
	(void)state;
	assert_int_equal(resident_id_check("3.29999E+17", TODAY, NULL), ID_DAMAGED);
	assert_int_equal(resident_id_check("3.299992014031E+17", TODAY, NULL), ID_DAMAGED);
	assert_int_equal(resident_id_check("329999201403150000", TODAY, NULL), ID_DAMAGED);
	assert_true(cert_no_damaged("1E17", false));
	assert_true(cert_no_damaged("329999201403150017", true));
	assert_true(cert_no_damaged("329999201403150016.0", false));
	assert_true(cert_no_damaged("329,999,201,403,150,016", false));
	assert_false(cert_no_damaged("329999201403150017", false));
	assert_false(cert_no_damaged("E12345678", false)); /* a passport */
	assert_false(cert_no_damaged("", false));

	/* a number that ends in 000 rightly is no damage */
	char no[19] = "32999920140315";
	for (int n = 100; n < 1000; n += 100) {
		snprintf(no + 14, 5, "%03d", n);
		char check = resident_id_check_digit(no);
		no[17] = check;
		no[18] = 0;
		assert_int_equal(resident_id_check(no, TODAY, NULL), ID_OK);
	}
}

static void normal_forms(void **state)
{
	static const struct {
		const char *in, *want;
	} rows[] = {{"３２９９９９２０１３０９０１１２３ｘ", "32999920130901123X"},
		{"'329999201403150017", "329999201403150017"},
		{"‘329999 2014 0315　0017", "329999201403150017"},
		{"＇32999920130901123x\u00A0\u200B", "32999920130901123X"},
		{"32999920130901123Ⅹ", "32999920130901123X"}, {"32999920130901123×", "32999920130901123X"},
		{"32999920130901123Х", "32999920130901123X"}, {"32999920130901123ⅹ", "32999920130901123X"},
		{"329999\u034F2013\u2800090\uFE0F1123\u061CX", "32999920130901123X"}, {"", ""},
		{"护照e1", "护照E1"}};
	char out[64];

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		assert_int_equal(cert_no_normal(out, sizeof out, rows[i].in), ERR_OK);
		assert_string_equal(out, rows[i].want);
	}
	assert_int_equal(cert_no_normal(out, 4, "12345"), ERR_TOO_LARGE);
	assert_int_equal(cert_no_normal(out, sizeof out, "\xFF"), ERR_INVALID);
}

static void student_numbers(void **state)
{
	(void)state;
	assert_int_equal(student_no_check("G329999201403150017"), ID_OK);
	assert_int_equal(student_no_check("J32999920130901123X"), ID_OK);
	assert_int_equal(student_no_check("G329999201403150018"), ID_CHECK);
	assert_int_equal(student_no_check("J329999201403150018"), ID_CHECK);
	assert_int_equal(student_no_check("L329999201403150018"), ID_OK);
	assert_int_equal(student_no_check("A329999201403150017"), ID_CHARACTER);
	assert_int_equal(student_no_check("G32999920140315001A"), ID_CHARACTER);
	assert_int_equal(student_no_check("329999201403150017"), ID_LENGTH);
	assert_int_equal(student_no_check("G3299992014031500171"), ID_LENGTH);
	assert_int_equal(student_no_check(""), ID_EMPTY);
	assert_int_equal(student_no_check("3.3E+17"), ID_DAMAGED);
}

static void other_codes(void **state)
{
	(void)state;
	assert_int_equal(school_code_check("2132999901"), ID_OK);
	assert_int_equal(school_code_check("213299990"), ID_LENGTH);
	assert_int_equal(school_code_check("21329999O1"), ID_CHARACTER);
	assert_int_equal(school_code_check(""), ID_EMPTY);
	assert_int_equal(area_code_check("329999100001", false), ID_OK);
	assert_int_equal(area_code_check("329999100", false), ID_LENGTH);
	assert_int_equal(area_code_check("329999100", true), ID_OK);
	assert_int_equal(area_code_check("329999", true), ID_OK);
	assert_int_equal(area_code_check("32999", true), ID_LENGTH);
	assert_int_equal(area_code_check("32999A", true), ID_CHARACTER);
	for (int f = ID_OK; f <= ID_CHECK; f++)
		assert_true(strlen(id_fault_text((enum id_fault)f)) > 0);
}

static void dates_are_of_the_calendar(void **state)
{
	(void)state;
	assert_true(date_is_real(20240229));
	assert_false(date_is_real(20230229));
	assert_false(date_is_real(21000229));
	assert_true(date_is_real(20000229));
	assert_false(date_is_real(20240431));
	assert_false(date_is_real(20241301));
	assert_false(date_is_real(20240100));
	assert_false(date_is_real(0));
	assert_int_equal(date_days(19700101), 0);
	assert_int_equal(date_days_between(20240228, 20240301), 2);
	assert_int_equal(date_days_between(20240301, 20240228), -2);
	for (int32_t n = -719162; n <= 2932896; n++) { /* every day of years 1 to 9999 */
		int32_t date = date_from_days(n);
		if (!date_is_real(date) || date_days(date) != n)
			fail_msg("day %d", (int)n);
	}
	assert_int_equal(date_age(20200831, 20260831), 6);
	assert_int_equal(date_age(20200901, 20260831), 5);
	assert_int_equal(date_age(20240229, 20250228), 0);
	assert_int_equal(date_age(20240229, 20250301), 1);
}

static void date_styles(void **state)
{
	static const char *const styles[] = {"2014/3/15", "2014-03-15", "20140315", "2014年3月15日",
		"2014.3.15", "41713", "41713.5", "2014/03/15 00:00:00", "2014-3-15 0:00",
		"2014-03-15T08:30:00.000Z", "２０１４／３／１５", " 2014 年 03 月 15 号 ", "'20140315",
		"2014年3月15日 8:30"};
	static const char *const wrong[] = {"", "2014", "2014/3", "14/3/15", "2014-3/15", "20140229",
		"2014年3月", "41713x", "2014/3/15/", "3/15/2014", "2014-03-15 noon", "201403155", "0", "1.5",
		"二〇一四年", "2014-00-15", "4171", "417130", "\xFF"};
	int32_t date;

	(void)state;
	for (size_t i = 0; i < sizeof styles / sizeof *styles; i++) {
		if (date_parse(styles[i], DATE_EPOCH_1900, &date) != ERR_OK || date != 20140315)
			fail_msg("%s: %d", styles[i], (int)date);
	}
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
		if (date_parse(wrong[i], DATE_EPOCH_1900, &date) != ERR_INVALID || date != 0)
			fail_msg("%s: %d", wrong[i], (int)date);
	assert_int_equal(date_parse("40251", DATE_EPOCH_1904, &date), ERR_OK);
	assert_int_equal(date, 20140315);
}

static void dates_from_spreadsheet_serials(void **state)
{
	int32_t date;

	(void)state;
	assert_int_equal(date_from_serial(1, DATE_EPOCH_1900, &date), ERR_OK);
	assert_int_equal(date, 19000101);
	assert_int_equal(date_from_serial(59, DATE_EPOCH_1900, &date), ERR_OK);
	assert_int_equal(date, 19000228);
	assert_int_equal(date_from_serial(60, DATE_EPOCH_1900, &date), ERR_INVALID);
	assert_int_equal(date_from_serial(61, DATE_EPOCH_1900, &date), ERR_OK);
	assert_int_equal(date, 19000301);
	assert_int_equal(date_from_serial(2958465.9, DATE_EPOCH_1900, &date), ERR_OK);
	assert_int_equal(date, 99991231);
	assert_int_equal(date_from_serial(2958465.9999999, DATE_EPOCH_1900, &date), ERR_INVALID);
	assert_int_equal(date_from_serial(41712.9999999, DATE_EPOCH_1900, &date), ERR_OK);
	assert_int_equal(date, 20140315);
	assert_int_equal(date_from_serial(0.5, DATE_EPOCH_1900, &date), ERR_INVALID);
	assert_int_equal(date_from_serial(1e300, DATE_EPOCH_1900, &date), ERR_INVALID);
	assert_int_equal(date_from_serial(0.0 / 0.0 * 1, DATE_EPOCH_1904, &date), ERR_INVALID);
	assert_int_equal(date_from_serial(1, DATE_EPOCH_1904, &date), ERR_OK);
	assert_int_equal(date, 19040102);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(valid_ids), cmocka_unit_test(every_wrong_length),
		cmocka_unit_test(every_wrong_digit), cmocka_unit_test(dates_of_ids),
		cmocka_unit_test(excel_damage), cmocka_unit_test(normal_forms),
		cmocka_unit_test(student_numbers), cmocka_unit_test(other_codes),
		cmocka_unit_test(dates_are_of_the_calendar), cmocka_unit_test(date_styles),
		cmocka_unit_test(dates_from_spreadsheet_serials)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
