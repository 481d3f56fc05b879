/* Covers common/text.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "text.h"

typedef enum err text_function(char *, size_t, const char *);

static void same(text_function *f, const char *in, const char *want)
{
	char out[256];

	assert_int_equal(f(out, sizeof out, in), ERR_OK);
	assert_string_equal(out, want);
}

static void utf8_is_checked(void **state)
{
	(void)state;
	assert_true(text_utf8_valid("", 0));
	assert_true(text_utf8_valid("张三", 6));
	assert_true(text_utf8_valid("\xF0\xAB\x97\xA7", 4)); /* 𫗧, outside the BMP */
	assert_false(text_utf8_valid("\xF0\xAB\x97", 3));
	assert_false(text_utf8_valid("a\0b", 3));
	assert_false(text_utf8_valid("\xC0\x80", 2));
	assert_false(text_utf8_valid("\xED\xA0\x80", 3));
	assert_false(text_utf8_valid("\xF4\x90\x80\x80", 4));
	assert_false(text_utf8_valid("\x80", 1));
	assert_int_equal(text_length("张三a"), 3);
}

static void widths_and_spaces(void **state)
{
	(void)state;
	same(text_half_width, "３２９９Ｘ　（ａ）", "3299X (a)");
	same(text_half_width, "张·三", "张·三");
	same(text_strip_space, " 张\u00A0\u3000\u200B三\uFEFF\t\r\n", "张三");
	same(text_clean, "  '东　 街\u00A0\n1号\u200B \x01", "东 街 1号");
	same(text_clean, "O'Neil", "O'Neil");
	same(text_clean, "''", "'");
	same(text_clean, " \u3000 ", "");
}

static void names_as_typed(void **state)
{
	(void)state;
	same(text_clean, "⻢⼩明", "马小明"); /* radicals, as PDF converters leave them */
	same(text_clean, "李⺟", "李母");
	same(text_name_key, "⻢⼩明", "马小明");
	same(text_clean_name, "周　文", "周文");
	same(text_clean_name, " 欧阳 \n 文 ", "欧阳文");
	same(text_clean_name, "买买提 · 江", "买买提·江");
	same(text_clean_name, "Anna  Li", "Anna Li");
	same(text_clean_name, "李 Anna", "李 Anna");
	same(text_clean, "东街 1号", "东街 1号");
	same(text_strip_space, "3\u034F2\u061C9\u3164\u2800\uFE0F\uFFF9", "329");
}

static void odd_names_are_found(void **state)
{
	static const char *const odd[] = {"张?", "张？", "张□", "张〓", "张\uFFFD", "张\uE863", "张*", "#N/A",
		"张/三", "张&amp;三", "张%E4", "张三\u0301", "张三，李四"};
	static const char *const good[] = {
		"张三", "买买提·江", "㐂", "𲎯三", "Anna Li", "O'Neil", "欧阳（转）", "张三1"};

	(void)state;
	for (size_t i = 0; i < sizeof odd / sizeof *odd; i++)
		assert_true(text_name_odd(odd[i]));
	for (size_t i = 0; i < sizeof good / sizeof *good; i++)
		assert_false(text_name_odd(good[i]));
}

static void what_may_not_be_stored(void **state)
{
	static const char *const bad[] = {"张\uFFFE", "张\uFFFF", "张\uFDD0", "张\U0001FFFE", "\x1B[31m",
		"a\nb", "a\x7F", "\xC2\x9B", "\u202E", "\u2066", "\u200F", "\xFF"};
	char out[32];

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		assert_true(text_forbidden(bad[i], strlen(bad[i])));
	assert_false(text_forbidden("张三 \uE863 😀 ·\u200D", strlen("张三 \uE863 😀 ·\u200D")));
	text_printable(out, sizeof out, "a\x1B]0;\xC2\x9B\u202E\xC3(张\uFFFE\n");
	assert_string_equal(out, "a ]0;  \uFFFD(张 \n");
	text_printable(out, 6, "张三李"); /* cut between characters */
	assert_string_equal(out, "张");
}

static void dots_of_a_name_become_one(void **state)
{
	static const char *const typed[] = {"买买提·江", "买买提•江", "买买提．江", "买买提.江", "买买提・江",
		"买买提‧江", "买买提･江", "买买提∙江", "买买提⋅江"};

	(void)state;
	for (size_t i = 0; i < sizeof typed / sizeof *typed; i++) {
		same(text_unify_dot, typed[i], "买买提·江");
		same(text_name_key, typed[i], "买买提·江");
	}
	same(text_name_key, "买买提﹒江", "买买提·江");
	same(text_unify_dot, "J.Smith", "J.Smith");
	same(text_unify_dot, ".江.", ".江.");
	same(text_name_key, "买买提 . 江", "买买提·江");
}

static void name_keys(void **state)
{
	(void)state;
	same(text_name_key, " 张　三 ", "张三");
	same(text_name_key, "ａnna Li", "ANNALI");
	same(text_name_key, "e\u0301", "é");
	same(text_name_key, "\uF9D1", "六"); /* compatibility ideograph: NFC makes it the plain one */
	same(text_name_key, "呂", "呂");
	same(text_name_key, "𫗧", "𫗧");
}

static void phones_become_digits(void **state)
{
	(void)state;
	same(text_phone_digits, "138-0000 0017", "13800000017");
	same(text_phone_digits, "+86 13800000017", "13800000017");
	same(text_phone_digits, "008613800000017", "13800000017");
	same(text_phone_digits, "１３８００００００１７", "13800000017");
	same(text_phone_digits, "86223344", "86223344");
	same(text_phone_digits, "0999-86223344", "099986223344");
	same(text_phone_digits, "123456", "");
	same(text_phone_digits, "无", "");
}

static void masks_leave_what_tells_two_apart(void **state)
{
	(void)state;
	same(text_mask_id, "329999201403150017", "3299**********0017");
	same(text_mask_id, "1234567890", "**********");
	same(text_mask_name, "张三丰", "张**");
	same(text_mask_name, "张", "*");
	same(text_mask_name, "", "");
	same(text_mask_phone, "13800000017", "138****0017");
	same(text_mask_phone, "86223344", "******44");
	same(text_mask_phone, "110", "***");
}

static void errors_leave_nothing(void **state)
{
	static text_function *const all[] = {text_half_width, text_strip_space, text_unify_dot, text_name_key,
		text_clean, text_phone_digits, text_mask_id, text_mask_name, text_mask_phone};
	char out[8];

	(void)state;
	for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
		assert_int_equal(all[i](out, sizeof out, "1234567890123"), ERR_TOO_LARGE);
		assert_string_equal(out, "");
		assert_int_equal(all[i](out, sizeof out, "1\xFF"), ERR_INVALID);
		assert_string_equal(out, "");
		assert_int_equal(all[i](out, 0, "1"), ERR_TOO_LARGE);
		assert_int_equal(all[i](out, 8, "1234567"), ERR_OK); /* fits exactly */
		assert_int_equal(all[i](out, 7, "1234567"), ERR_TOO_LARGE);
	}
}

static void slips_of_the_finger(void **state)
{
	static const struct {
		const char *a, *b;
		size_t apart;
	} rows[] = {{"", "", 0}, {"", "abc", 3}, {"list", "lsit", 1}, {"import", "improt", 1},
		{"serve", "sreve", 1}, {"slip", "slips", 1}, {"kitten", "sitting", 3}, {"姓名", "性名", 1},
		{"班级", "级班", 1}, {"abc", "xyz", 3}};
	char longer[TEXT_DISTANCE_MAX + 2];

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		assert_int_equal(text_distance(rows[i].a, rows[i].b), rows[i].apart);
		assert_int_equal(text_distance(rows[i].b, rows[i].a), rows[i].apart);
	}
	memset(longer, 'a', sizeof longer);
	longer[TEXT_DISTANCE_MAX] = 0;
	assert_int_equal(text_distance(longer, ""), TEXT_DISTANCE_MAX);
	longer[TEXT_DISTANCE_MAX] = 'a';
	longer[TEXT_DISTANCE_MAX + 1] = 0;
	assert_true(text_distance(longer, "a") == SIZE_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(utf8_is_checked),
		cmocka_unit_test(widths_and_spaces), cmocka_unit_test(names_as_typed),
		cmocka_unit_test(odd_names_are_found), cmocka_unit_test(what_may_not_be_stored),
		cmocka_unit_test(dots_of_a_name_become_one), cmocka_unit_test(name_keys),
		cmocka_unit_test(phones_become_digits), cmocka_unit_test(masks_leave_what_tells_two_apart),
		cmocka_unit_test(slips_of_the_finger), cmocka_unit_test(errors_leave_nothing)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
