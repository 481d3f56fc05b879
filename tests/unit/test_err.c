/* Covers common/err.c and err.def: numbers on the wire, sentences in both languages, text cut at whole
 * characters. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <errno.h>

#include <stdio.h>

#include "err.h"
#include "lang.h"
#include "text.h"

static const struct {
	int number;
	const char *name;
} rows[] = {
#define X(name, number, level, exit_code, sentence, advice) {number, #name},
#include "err.def"
#undef X
};
#define ROWS (sizeof rows / sizeof *rows)

static void numbers_are_unique(void **state)
{
	(void)state;
	for (size_t i = 0; i < ROWS; i++)
		for (size_t k = 0; k < i; k++) {
			assert_int_not_equal(rows[i].number, rows[k].number);
			assert_string_not_equal(rows[i].name, rows[k].name);
		}
	assert_int_equal(ERR_OK, 0);
}

static void every_row_speaks_both_languages(void **state)
{
	(void)state;
	for (size_t i = 0; i < ROWS; i++) {
		const struct err_info *info = err_info(rows[i].number);
		assert_string_equal(info->name, rows[i].name);
		assert_true((unsigned char)info->sentence[0] >= 0x80);
		assert_true(text_utf8_valid(info->sentence, strlen(info->sentence)));
		assert_true(info->exit_code >= 0 && info->exit_code <= 6);
		assert_int_equal(info->exit_code == 0, info->code == ERR_OK);
		assert_int_equal(info->level == ERR_LEVEL_NONE, info->code == ERR_OK);
		/* What a client sees on the wire is said by its level: unknown numbers are treated as
		 * ours. */
		lang_set("en_GB.UTF-8");
		assert_true(_(info->sentence)[0] && (unsigned char)_(info->sentence)[0] < 0x80);
		lang_set("zh_CN");
		assert_ptr_equal(_(info->sentence), info->sentence);
	}
	lang_set(NULL);
	assert_string_equal(_("没有找到"), "没有找到");
	assert_int_equal(err_info(-1)->code, ERR_INTERNAL);
	assert_int_equal(err_info(100000)->code, ERR_INTERNAL);
}

/* What to do is a command or a place: it never sends the reader back to what he has just read. */
static void every_advice_leads_somewhere(void **state)
{
	static const char *const empty[] = {"上面", "above", "请稍后再试", "try again later", "%"};
	char text[HINT_SIZE];

	(void)state;
	for (size_t i = 0; i < ROWS; i++)
		for (int english = 0; english < 2 && rows[i].number; english++) {
			lang_set(english ? "en" : "zh");
			err_advice(text, sizeof text, (enum err)rows[i].number, "jg");
			if (strlen(text) < 12 || !text_utf8_valid(text, strlen(text)))
				fail_msg("%s: “%s”", rows[i].name, text);
			for (size_t k = 0; k < sizeof empty / sizeof *empty; k++)
				if (strstr(text, empty[k]))
					fail_msg("%s: “%s”", rows[i].name, text);
		}
	lang_set(NULL);
	assert_string_equal(err_advice(text, sizeof text, ERR_MUST_CHANGE, "jgadmin"),
		"运行 jgadmin passwd 修改初始密码，再继续");
	assert_int_equal(strlen(err_advice(text, 8, ERR_MUST_CHANGE, "jgadmin")) < 8, 1);
}

static void a_problem_says_its_sentence(void **state)
{
	struct problem p;

	(void)state;
	assert_int_equal(problem_set(NULL, ERR_BUSY, NULL, NULL, NULL), ERR_BUSY);
	assert_int_equal(problem_set(&p, ERR_BUSY, NULL, NULL, NULL), ERR_BUSY);
	assert_string_equal(p.message, err_info(ERR_BUSY)->sentence);
	assert_string_equal(p.field, "");
	assert_int_equal(problem_set(&p, ERR_INVALID, "name", "hint", "%s %d", "x", 5), ERR_INVALID);
	assert_string_equal(p.message, "x 5");
	assert_string_equal(p.field, "name");
	assert_string_equal(p.hint, "hint");
}

/* Every length around the end of each field, with characters of one to four bytes. */
static void text_is_cut_at_characters(void **state)
{
	static const char *const letters[] = {"a", "é", "张", "𬍛"};
	struct problem p;

	(void)state;
	for (size_t lead = 0; lead < 5; lead++)
		for (size_t l = 0; l < 4; l++) {
			char text[1024] = "";
			memset(text, '.', lead);
			text[lead] = 0;
			while (strlen(text) < 600)
				strcat(text, letters[l]);
			problem_set(&p, ERR_INVALID, text, text, "%s", text);
			assert_true(text_utf8_valid(p.field, strlen(p.field)));
			assert_true(text_utf8_valid(p.hint, strlen(p.hint)));
			assert_true(text_utf8_valid(p.message, strlen(p.message)));
			assert_true(strlen(p.field) > sizeof p.field - 5);
			assert_true(strlen(p.message) > sizeof p.message - 5);
			assert_memory_equal(p.message, text, strlen(p.message));
		}
}

static void problems_are_printable(void **state)
{
	struct problem p;

	(void)state;
	problem_set(&p, ERR_INVALID, "\x1B[31m", "\xFF!", "%s",
		"a\x1B]0;\xE2\x80\xAE\xFF"
		"b");
	assert_string_equal(p.message,
		"a ]0; \xEF\xBF\xBD"
		"b");
	assert_string_equal(p.hint, "\xEF\xBF\xBD!");
	assert_string_equal(p.field, " [31m");
}

/* What a system says of a file or a host is told in the user's language. */
static void an_errno_is_said_in_words(void **state)
{
	static const int common[] = {ENOENT, ENOTDIR, EISDIR, EACCES, EPERM, EROFS, ENAMETOOLONG, ENOSPC,
		EEXIST, EBUSY, EIO, ELOOP, ECONNREFUSED, ETIMEDOUT, EHOSTUNREACH, ENETUNREACH, ECONNRESET,
		EADDRINUSE, EADDRNOTAVAIL};

	(void)state;
	for (size_t i = 0; i < sizeof common / sizeof *common; i++)
		assert_true((file_error_text(common[i])[0] & 0x80) != 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(an_errno_is_said_in_words),
		cmocka_unit_test(problems_are_printable), cmocka_unit_test(numbers_are_unique),
		cmocka_unit_test(every_row_speaks_both_languages),
		cmocka_unit_test(a_problem_says_its_sentence), cmocka_unit_test(every_advice_leads_somewhere),
		cmocka_unit_test(text_is_cut_at_characters)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
