/* Covers common/rules/document_number.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "document_number.h"

static void numbers_there_and_back(void **state)
{
	static const struct {
		const char *series;
		int32_t year, n;
		const char *text;
	} rows[] = {{"洪教发", 2026, 12, "洪教发〔2026〕12号"}, {"收", 2026, 1, "收〔2026〕1号"},
		{"电", 2027, 100, "电〔2027〕100号"}, {"督", 2026, 999999, "督〔2026〕999999号"},
		{"会", 2199, 7, "会〔2199〕7号"}, {"𫗧教", 2026, 3, "𫗧教〔2026〕3号"},
		{"教教教教教教教教教教教教教教教教", 9999, 1, "教教教教教教教教教教教教教教教教〔9999〕1号"},
		{"教", 1000, 1, "教〔1000〕1号"}};
	char out[DOCUMENT_NUMBER_SIZE];
	struct document_number back;

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		assert_int_equal(
			document_number_format(out, sizeof out, rows[i].series, rows[i].year, rows[i].n), 0);
		assert_string_equal(out, rows[i].text);
		assert_int_equal(document_number_parse(&back, out), NUMBER_OK);
		assert_string_equal(back.series, rows[i].series);
		assert_int_equal(back.year, rows[i].year);
		assert_int_equal(back.n, rows[i].n);
	}
}

static void wrong_numbers_are_told(void **state)
{
	static const struct {
		const char *text;
		enum number_fault fault;
	} rows[] = {{"洪教发[2026]12号", NUMBER_BRACKETS}, {"洪教发（2026）12号", NUMBER_BRACKETS},
		{"洪教发(2026)12号", NUMBER_BRACKETS}, {"洪教发【2026】12号", NUMBER_BRACKETS},
		{"洪教发〔2026)12号", NUMBER_BRACKETS}, {"洪教发〕2026〔12号", NUMBER_BRACKETS},
		{"洪教发[2026]第012号", NUMBER_BRACKETS}, {"洪教发〔2026〕第12号", NUMBER_ORDINAL},
		{"洪教发〔2026〕第012号", NUMBER_ORDINAL}, {"洪教发〔2026〕012号", NUMBER_ZERO},
		{"洪教发〔2026〕0号", NUMBER_FORM}, {"", NUMBER_FORM}, {"〔2026〕12号", NUMBER_FORM},
		{"洪教发", NUMBER_FORM}, {"洪教发〔26〕12号", NUMBER_FORM},
		{"洪教发〔0026〕12号", NUMBER_FORM}, {"洪教发〔20260〕12号", NUMBER_FORM},
		{"洪教发〔2026〕12", NUMBER_FORM}, {"洪教发〔2026〕12号 ", NUMBER_FORM},
		{"洪教发 〔2026〕12号", NUMBER_FORM}, {"洪教发〔2026〕1234567号", NUMBER_FORM},
		{"洪教发〔2026〕-1号", NUMBER_FORM}, {"洪教发〔２０２６〕12号", NUMBER_FORM},
		{"JF〔2026〕12号", NUMBER_FORM}, {"\xFF", NUMBER_FORM},
		{"𫗧𫗧𫗧𫗧𫗧𫗧𫗧𫗧𫗧𫗧𫗧𫗧𫗧〔2026〕12号", NUMBER_FORM},
		{"教教教教教教教教教教教教教教教教教〔2026〕12号", NUMBER_FORM}};
	struct document_number n;

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		enum number_fault fault = document_number_parse(&n, rows[i].text);
		if (fault != rows[i].fault)
			fail_msg("%s: %d", rows[i].text, fault);
		assert_true(*document_number_fault(fault));
	}
	assert_string_equal(document_number_fault(NUMBER_OK), "");
}

/* As people type them. */
static void typed_numbers(void **state)
{
	static const char *const rows[][2] = {{"收2026-3", "收〔2026〕3号"}, {"收[2026]3号", "收〔2026〕3号"},
		{"收（2026）第03号", "收〔2026〕3号"}, {"收 2026 3", "收〔2026〕3号"},
		{"收〔2026〕3", "收〔2026〕3号"}, {"收2026年3号", "收〔2026〕3号"},
		{"洪教发〔2026〕12号", "洪教发〔2026〕12号"}, {"收20263", "收20263"}, {"收2026-", "收2026-"},
		{"收-3", "收-3"}, {"收2026-3号外", "收2026-3号外"}, {"3", "3"}, {"", ""},
		{"0190a-1", "0190a-1"}, {"收2026-0", "收2026-0"}, {"收2026-9999999", "收2026-9999999"}};
	char out[DOCUMENT_NUMBER_SIZE];

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		assert_string_equal(document_number_typed(out, rows[i][0]), rows[i][1]);
}

/* Cut at every byte, a number is none. */
static void cut_numbers(void **state)
{
	const char *const whole[] = {"洪教发〔2026〕12号", "J001-WS·2026-D30-BGS-0001"};
	struct document_number n;
	struct archive_number a;
	char text[64];

	(void)state;
	for (size_t k = 0; k < strlen(whole[0]); k++) {
		memcpy(text, whole[0], k);
		text[k] = 0;
		assert_int_equal(document_number_parse(&n, text), NUMBER_FORM);
	}
	for (size_t k = 0; k < strlen(whole[1]); k++) {
		memcpy(text, whole[1], k);
		text[k] = 0;
		assert_int_equal(archive_number_parse(&a, text), ERR_INVALID);
		assert_int_equal(a.n, 0);
	}
}

static void what_makes_no_number(void **state)
{
	char out[DOCUMENT_NUMBER_SIZE], small[12];

	(void)state;
	assert_int_equal(document_number_format(out, sizeof out, "", 2026, 1), ERR_INVALID);
	assert_int_equal(document_number_format(out, sizeof out, "教发〔", 2026, 1), ERR_INVALID);
	assert_int_equal(document_number_format(out, sizeof out, "教发", 26, 1), ERR_INVALID);
	assert_int_equal(document_number_format(out, sizeof out, "教发", 2026, 0), ERR_INVALID);
	assert_int_equal(document_number_format(out, sizeof out, "教发", 2026, -1), ERR_INVALID);
	assert_int_equal(document_number_format(out, sizeof out, "教发", 2026, 1000000), ERR_INVALID);
	assert_string_equal(out, "");
	assert_int_equal(document_number_format(small, sizeof small, "教发", 2026, 1), ERR_TOO_LARGE);
	assert_string_equal(small, "");
	assert_true(document_series_valid("洪教发"));
	assert_true(document_series_valid("教教教教教教教教教教教教教教教教"));
	assert_true(document_series_valid("𫗧𫗧𫗧𫗧𫗧𫗧𫗧𫗧𫗧𫗧𫗧𫗧"));
	/* more bytes than there is room for */
	assert_false(document_series_valid("𫗧𫗧𫗧𫗧𫗧𫗧𫗧𫗧𫗧𫗧𫗧𫗧𫗧"));
	assert_false(document_series_valid(""));
	assert_false(document_series_valid("洪教 发"));
	assert_false(document_series_valid("洪教1"));
	assert_false(document_series_valid("教教教教教教教教教教教教教教教教教"));
	assert_true(document_series_reserved("收"));
	assert_true(document_series_reserved("会"));
	assert_false(document_series_reserved("洪教发"));
}

static void archive_numbers(void **state)
{
	static const char *const wrong[] = {"", "J001", "J001-WS·2026-D30-BGS-1",
		"J001-WS·2026-D30-BGS-00001", "J001-WS·2026-D30-BGS-0000", "J001-WS·2026-D20-BGS-0001",
		"J001-WS·2026-D30-bgs-0001", "J001-WS·2026-D30-BGSBGSBGS-0001", "J001-WS.2026-D30-BGS-0001",
		"J001-WS·26-D30-BGS-0001", "J001-KJ·2026-D30-BGS-0001", "-WS·2026-D30-BGS-0001",
		"J 01-WS·2026-D30-BGS-0001", "J001-WS·2026-D30-BGS-0001 ", "J001-WS·2026-D30-BGS-+001",
		"J0010000000000000-WS·2026-D30-BGS-0001", "J001-WS·2026-D30-ABCDEFGH-0001"};
	struct archive_number a = {"J001", 2026, "D30", "BGS", 1}, back;
	char out[ARCHIVE_NUMBER_SIZE], small[ARCHIVE_NUMBER_SIZE];

	(void)state;
	assert_int_equal(archive_number_format(out, sizeof out, &a), ERR_OK);
	assert_string_equal(out, "J001-WS·2026-D30-BGS-0001");
	assert_int_equal(archive_number_parse(&back, out), ERR_OK);
	assert_string_equal(back.fonds, "J001");
	assert_string_equal(back.term, "D30");
	assert_string_equal(back.office, "BGS");
	assert_int_equal(back.year, 2026);
	assert_int_equal(back.n, 1);
	a.n = 12345;
	strcpy(a.term, "Y");
	assert_int_equal(archive_number_format(out, sizeof out, &a), ERR_OK);
	assert_string_equal(out, "J001-WS·2026-Y-BGS-12345");
	assert_int_equal(archive_number_parse(&back, out), ERR_OK);
	assert_int_equal(back.n, 12345);
	assert_int_equal(archive_number_format(small, 20, &a), ERR_TOO_LARGE);
	a = (struct archive_number){"J001J001J001J001", 9999, "D10", "ABCDEFG", 999999};
	assert_int_equal(archive_number_format(out, sizeof out, &a), ERR_OK);
	assert_string_equal(out, "J001J001J001J001-WS·9999-D10-ABCDEFG-999999");
	assert_int_equal(archive_number_parse(&back, out), ERR_OK);
	assert_int_equal(archive_number_format(small, strlen(out), &a), ERR_TOO_LARGE);
	a.n++;
	assert_int_equal(archive_number_format(out, sizeof out, &a), ERR_INVALID);
	a.n = 1;
	strcpy(a.term, "D9");
	assert_int_equal(archive_number_format(out, sizeof out, &a), ERR_INVALID);
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
		if (archive_number_parse(&back, wrong[i]) != ERR_INVALID)
			fail_msg("%s", wrong[i]);
}

static void terms_and_offices(void **state)
{
	static const struct {
		struct archive_subject subject;
		const char *term;
	} rows[] = {{{true, "决定", false, false}, "Y"}, {{true, "意见", false, false}, "Y"},
		{{true, "请示", false, false}, "Y"}, {{true, "批复", false, false}, "Y"},
		{{true, "报告", false, false}, "Y"}, {{true, "纪要", false, false}, "Y"},
		{{true, "函", false, false}, "D10"}, {{true, "通知", false, false}, "D30"},
		{{true, "通报", false, false}, "D30"}, {{false, "请示", false, false}, "Y"},
		{{false, "请示", true, true}, "Y"}, {{false, "通知", false, true}, "D10"},
		{{false, "", true, false}, "D10"}, {{false, "通知", false, false}, "D30"},
		{{false, "决定", false, false}, "D30"}, {{false, "", false, false}, "D30"}};
	static const struct archive_term_rule own[] = {{true, "通知", false, "D10"}};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		assert_string_equal(
			archive_term(archive_terms, archive_term_count, &rows[i].subject), rows[i].term);
	assert_string_equal(archive_term(own, 1, &rows[7].subject), "D10");
	assert_string_equal(archive_term(own, 1, &rows[0].subject), "D30");
	assert_string_equal(archive_office("leader"), "BGS");
	assert_string_equal(archive_office("14"), "DDS");
	assert_string_equal(archive_office("12"), "JJK");
	assert_string_equal(archive_office("basic_edu"), "JJK");
	assert_string_equal(archive_office("supervision"), "DDS");
	assert_string_equal(archive_office("admissions"), "ZKB");
	assert_string_equal(archive_office(""), "BGS");
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(numbers_there_and_back),
		cmocka_unit_test(wrong_numbers_are_told), cmocka_unit_test(typed_numbers),
		cmocka_unit_test(cut_numbers), cmocka_unit_test(what_makes_no_number),
		cmocka_unit_test(archive_numbers), cmocka_unit_test(terms_and_offices)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
