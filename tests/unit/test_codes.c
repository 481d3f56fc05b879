/* Covers common/codes.c and every code list of the .proto files. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "codes.h"
#include "lang.h"

static void finds(const struct code_list *list, const char *text, const char *want)
{
	const char *code = code_find(list, text);

	if (!want)
		assert_null(code);
	else if (!code || strcmp(code, want) != 0)
		fail_msg("%s: %s is %s, not %s", list->name, text, code ? code : "nothing", want);
}

static void every_word_leads_back(void **state)
{
	char word[128];

	(void)state;
	for (size_t l = 0; l < code_list_count; l++)
		for (size_t i = 0; i < code_lists[l].list->n; i++) {
			const struct code_list *list = code_lists[l].list;
			const struct code_item *item = &list->items[i];
			finds(list, item->code, item->code);
			finds(list, item->zh, item->code);
			finds(list, item->en, item->code);
			for (const char *p = item->also; p && *p; p += strcspn(p, " "), p += *p == ' ') {
				snprintf(word, sizeof word, "%.*s", (int)strcspn(p, " "), p);
				finds(list, word, item->code);
			}
			snprintf(word, sizeof word, "%s %s", item->code, item->zh);
			finds(list, word, item->code);
			assert_string_equal(code_name(list, item->code), item->zh);
		}
	assert_int_equal(codes_ethnic.n, 58);
	assert_null(code_name(&codes_gender, "3"));
	lang_set("en");
	assert_string_equal(code_name(&codes_gender, "1"), "male");
	lang_set("zh");
}

static void words_as_typed(void **state)
{
	(void)state;
	finds(&codes_gender, " 男 ", "1");
	finds(&codes_ethnic, "汉族", "01");
	finds(&codes_ethnic, "土家族", "15");
	finds(&codes_ethnic, "土族", "30");
	finds(&codes_ethnic, "1", "01");
	finds(&codes_ethnic, "01-汉族", "01");
	finds(&codes_ethnic, "汉汉", NULL);
	finds(&codes_cert_type, "身份证", "1");
	finds(&codes_cert_type, "ｂ", "B");
	finds(&codes_grade, "初一", "21");
	finds(&codes_grade, "６年级", "16");
	finds(&codes_grade, "六 年 级", "16");
	finds(&codes_grade, "6", NULL); /* could be 16 or 大班: not guessed */
	finds(&codes_status, "1", "01");
	finds(&codes_school_type, "小学", "211");
	finds(&codes_school_type, "工读", "371");
	finds(&codes_founder, "民办", "999");
	finds(&codes_category, "A1 施教区公办", "A1");
	finds(&codes_category, "Ａ１　施教区公办", "A1");
	finds(&codes_category, "a1", "A1");
	finds(&codes_category, "A1、施教区公办", "A1");
	finds(&codes_category, "A1 民办", NULL); /* code and word disagree */
	finds(&codes_category, "A9", NULL);
	finds(&codes_yes_no, "√", "1");
	finds(&codes_yes_no, "×", "0");
	finds(&codes_yes_no, "x", "0");
	finds(&codes_yes_no, "已报到", "1");
	finds(&codes_yes_no, "未报到", "0");
	finds(&codes_yes_no, "", NULL);
	finds(&codes_yes_no, "\xFF", NULL);
	finds(&codes_stage, "初中", "junior");
}

static void every_school_type_has_stages(void **state)
{
	(void)state;
	for (size_t i = 0; i < codes_school_type.n; i++)
		assert_int_not_equal(school_type_stages(codes_school_type.items[i].code), 0);
	assert_int_equal(school_type_stages("111"), STAGE_KINDERGARTEN);
	assert_int_equal(school_type_stages("312"), STAGE_PRIMARY | STAGE_JUNIOR);
	assert_int_equal(school_type_stages("321"), STAGE_JUNIOR);
	assert_int_equal(school_type_stages("341"), STAGE_JUNIOR | STAGE_SENIOR);
	assert_int_equal(school_type_stages("365"), STAGE_VOCATIONAL);
	assert_int_equal(school_type_stages("371"), STAGE_PRIMARY | STAGE_JUNIOR);
	assert_int_equal(school_type_stages("514"), STAGE_PRIMARY | STAGE_JUNIOR | STAGE_SENIOR);
	assert_int_equal(school_type_stages("999"), 0);
	assert_int_equal(school_type_stages(""), 0);
}

static void classes_read_as_people_write_them(void **state)
{
	static const struct {
		const char *text, *want;
	} rows[] = {{"3", "3"}, {"03", "3"}, {"3班", "3"}, {"六（3）班", "3"}, {"六(3)班", "3"},
		{"2020级3班", "3"}, {"六（三）班", "3"}, {"三班", "3"}, {"六年级3班", "3"},
		{"六年级三班", "3"}, {"6.3班", "3"}, {"六（十二）班", "12"}, {"二十三班", "23"},
		{"十班", "10"}, {"２０２０级 １２ 班", "12"}, {"(3)", "3"}, {"六3", "3"},
		{"2020级（3）班", "3"}, {"六⑶班", ""}, {"", ""}, {"班", ""}, {"实验班", ""}, {"六三班", ""},
		{"0班", ""}, {"2020", ""}, {"六年级", ""}, {"2020级", ""}, {"3班实验", ""}, {"3班4班班", ""},
		{"\xFF", ""}};
	char out[CLASS_NO_MAX + 1];

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		enum err err = class_no_parse(out, sizeof out, rows[i].text);
		if (strcmp(out, rows[i].want) != 0 || err != (*rows[i].want ? ERR_OK : ERR_INVALID))
			fail_msg("%s: \"%s\"", rows[i].text, out);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(every_word_leads_back),
		cmocka_unit_test(words_as_typed), cmocka_unit_test(every_school_type_has_stages),
		cmocka_unit_test(classes_read_as_people_write_them)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
