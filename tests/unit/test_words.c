/* Covers client/core/{words,shown}.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "core_fixture.h"
#include "shown.h"
#include "slip.h"
#include "transition.h"
#include "words.h"

static struct record pupil(const char *name, const char *grade, const char *class_no, const char *no)
{
	struct record r;

	record_init(&r, kind_by_number(KIND_STUDENT));
	record_set_text(&r, F_STUDENT_NAME, name);
	record_set_text(&r, F_STUDENT_GRADE, grade);
	record_set_text(&r, F_STUDENT_CLASS_NO, class_no);
	record_set_text(&r, F_STUDENT_CERT_NO, no);
	return r;
}

static void a_pupil_is_named_as_people_do(void **state)
{
	struct record r = pupil("高浩然", "16", "3", "329999201503140017"), none;
	char out[128], tail[8];

	(void)state;
	assert_string_equal(words_pupil(&r, out, sizeof out), "高浩然（六3班）");
	assert_string_equal(words_tail(&r, tail), "0017");
	record_set_text(&r, F_STUDENT_CLASS_NO, "实验班");
	assert_string_equal(words_class(&r, out, sizeof out), "实验班");
	record_set_text(&r, F_STUDENT_CLASS_NO, NULL);
	record_set_text(&r, F_STUDENT_CERT_NO, NULL);
	record_set_text(&r, F_STUDENT_STUDENT_NO, "G32999920150314001X");
	assert_string_equal(words_class(&r, out, sizeof out), "六年级");
	assert_string_equal(words_tail(&r, tail), "001X");
	record_init(&none, kind_by_number(KIND_DESTINATION)); /* its grade is declared, not stored */
	record_set_text(&none, F_DESTINATION_CLASS_NO, "10");
	assert_string_equal(words_class(&none, out, sizeof out), "六10班");
}

static void codes_become_words(void **state)
{
	struct record slip;
	char out[128];

	(void)state;
	record_init(&slip, kind_by_number(KIND_SLIP));
	assert_string_equal(transition_mismatch_words(&slip, F_SLIP_CODES, out, sizeof out), "");
	record_set_text(&slip, F_SLIP_CODES, "M10,M51,M99");
	assert_string_equal(transition_mismatch_words(&slip, F_SLIP_CODES, out, sizeof out),
		"声称入学未报到；拒绝入学；其他问题");
}

static const struct record *itself(const void *row)
{
	return row;
}

static int64_t term(const void *row)
{
	return record_is(row, F_STUDENT_NAME, "张一诺") ? 1 : 2;
}

static void lists_go_by_class_and_sound(void **state)
{
	struct record rows[] = {pupil("白云飞", "16", "10", "1"), pupil("张一诺", "16", "2", "2"),
		pupil("安小雨", "16", "2", "3"), pupil("安小雨", "16", "2", "1"),
		pupil("李明月", "15", "9", "1"), pupil("王子轩", "16", "实验班", "1")};
	static const char *const order[] = {"李明月", "安小雨", "安小雨", "张一诺", "白云飞", "王子轩"};

	(void)state;
	words_sort(rows, 6, sizeof *rows, itself, NULL);
	for (size_t i = 0; i < 6; i++)
		assert_true(record_is(&rows[i], F_STUDENT_NAME, order[i]));
	assert_true(record_is(&rows[1], F_STUDENT_CERT_NO, "1"));
	words_sort(rows, 6, sizeof *rows, itself, term);
	assert_true(record_is(&rows[0], F_STUDENT_NAME, "张一诺"));
	words_sort(rows, 0, sizeof *rows, itself, NULL);
}

static void numbers_are_those_of_the_last_list(void **state)
{
	const uint8_t first[2][ID_SIZE] = {{1}, {2}}, second[1][ID_SIZE] = {{3}};
	struct fixture f;
	struct problem p = {0};
	uint8_t id[ID_SIZE];

	(void)state;
	assert_true(shown_is_number("3") && shown_is_number("0040"));
	assert_false(shown_is_number("") || shown_is_number("12345678") || shown_is_number("3a") ||
		shown_is_number("JB2027-0001"));
	fixture_open(&f, "registrar");
	assert_int_equal(shown_find(f.store, &shown_slips, "1", id, &p), ERR_NOT_FOUND);
	assert_non_null(strstr(p.hint, "list_slips"));
	assert_int_equal(shown_keep(f.store, &shown_slips, first, 2, &p), ERR_OK);
	assert_int_equal(shown_keep(f.store, &shown_verify, NULL, 0, &p), ERR_OK);
	assert_int_equal(shown_find(f.store, &shown_slips, "2", id, &p), ERR_OK);
	assert_int_equal(id[0], 2);
	assert_int_equal(shown_find(f.store, &shown_slips, "3", id, &p), ERR_NOT_FOUND);
	assert_non_null(strstr(p.message, "有 2 行"));
	assert_int_equal(shown_find(f.store, &shown_slips, "0", id, &p), ERR_NOT_FOUND);
	assert_int_equal(shown_keep(f.store, &shown_slips, second, 1, &p), ERR_OK);
	assert_int_equal(shown_find(f.store, &shown_slips, "1", id, &p), ERR_OK);
	assert_int_equal(id[0], 3);
	assert_int_equal(shown_find(f.store, &shown_verify, "1", id, &p), ERR_NOT_FOUND);
	fixture_close(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_pupil_is_named_as_people_do),
		cmocka_unit_test(codes_become_words),
		cmocka_unit_test(lists_go_by_class_and_sound),
		cmocka_unit_test(numbers_are_those_of_the_last_list),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
