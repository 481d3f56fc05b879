/* Covers common/class_scope.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "class_scope.h"
#include "codes.h"

#define TODAY 20270510 /* of the school year 2026 */

static void reads_what_people_write(void **state)
{
	static const struct {
		const char *text;
		unsigned stages;
		const char *want;
	} rows[] = {{"六1班", STAGE_PRIMARY, "16/1"}, {"六（3）班", STAGE_PRIMARY, "16/3"},
		{"六年级三班", STAGE_PRIMARY, "16/3"}, {"6-3", STAGE_PRIMARY, "16/3"},
		{"6.3班", STAGE_PRIMARY, "16/3"}, {"五12", STAGE_PRIMARY, "15/12"},
		{"16/3", STAGE_PRIMARY, "16/3"}, {"２０２１级３班", STAGE_PRIMARY, "16/3"},
		{"2026级3班", STAGE_JUNIOR, "21/3"}, {"七2班", STAGE_JUNIOR, "21/2"},
		{"初一（2）班", STAGE_JUNIOR, "21/2"}, {"初一年级二班", STAGE_JUNIOR, "21/2"},
		{"高一3班", STAGE_SENIOR, "31/3"},
		/* the grade that this school sends or takes */
		{"1", STAGE_PRIMARY, "16/1"}, {"三班", STAGE_PRIMARY, "16/3"}, {"1", STAGE_JUNIOR, "21/1"},
		{"1班", STAGE_JUNIOR | STAGE_SENIOR, "21/1"},
		/* nothing can be told */
		{"1", STAGE_PRIMARY | STAGE_JUNIOR, ""}, {"1", STAGE_SENIOR, ""},
		{"2026级3班", STAGE_PRIMARY | STAGE_JUNIOR, ""}, {"2027级3班", STAGE_PRIMARY, ""},
		{"七2班", STAGE_PRIMARY, ""}, {"六1班", STAGE_JUNIOR, ""}, {"六三班", STAGE_PRIMARY, ""},
		{"实验班", STAGE_PRIMARY, ""}, {"六年级", STAGE_PRIMARY, ""}, {"", STAGE_PRIMARY, ""},
		{"16/", STAGE_PRIMARY, ""}, {"甲3班", STAGE_PRIMARY, ""}, {"\xFF", STAGE_PRIMARY, ""}};
	char out[CLASS_SCOPE_SIZE];

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		enum err e = class_scope_parse(out, rows[i].text, rows[i].stages, TODAY);
		if (strcmp(out, rows[i].want) != 0 || e != (*rows[i].want ? ERR_OK : ERR_INVALID))
			fail_msg("%s: \"%s\"", rows[i].text, out);
	}
}

static void shows_words(void **state)
{
	char out[64];

	(void)state;
	assert_string_equal(class_scope_text(out, sizeof out, "16/1"), "六年级1班");
	assert_string_equal(class_scope_text(out, sizeof out, "21/12"), "七年级12班");
	assert_string_equal(class_scope_text(out, sizeof out, "1"), "1");
	assert_string_equal(class_scope_make(out, "16", ""), "");
	assert_string_equal(class_scope_make(out, "", "3"), "");
	assert_string_equal(class_scope_make(out, "16", "3"), "16/3");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_what_people_write), cmocka_unit_test(shows_words)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
