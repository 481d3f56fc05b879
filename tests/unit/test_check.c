/* Covers common/check.c: every check that a declaration names is known, and judges what it should. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "check.h"
#include "codes.h"
#include "field_label.h"
#include "pb.h"
#include "tables.h"

#define TODAY 20260912

/* A pupil that passes; tests spoil one field. */
static struct record pupil(void)
{
	struct record r;

	record_init(&r, kind_by_number(KIND_STUDENT));
	record_set_text(&r, F_STUDENT_NAME, "测试");
	record_set_text(&r, F_STUDENT_GRADE, "16");
	record_set_text(&r, F_STUDENT_CLASS_NO, "1");
	return r;
}

static void refused_for(const struct record *r, const char *field)
{
	struct problem p = {0};

	assert_int_equal(check_record(r, true, TODAY, &p), ERR_INVALID);
	assert_string_equal(p.field, field);
	assert_true(p.message[0] != 0);
}

static void passes(const struct record *r)
{
	struct problem p = {0};

	assert_int_equal(check_record(r, true, TODAY, &p), ERR_OK);
}

static const ProtobufCFieldDescriptor *field_of(const ProtobufCMessageDescriptor *d, const char *name)
{
	return protobuf_c_message_descriptor_get_field_by_name(d, name);
}

/* gen_tables.py refuses a field without a label. */
static void a_field_of_a_request_has_its_own_label_or_that_of_its_name(void **state)
{
	(void)state;
	assert_string_equal(field_label(field_of(&pb_audit_search_desc, "to")), "结束时间");
	assert_string_equal(field_label(field_of(&pb_phase_request_desc, "to")), "目标阶段");
	assert_string_equal(field_label(field_of(&pb_passwd_request_desc, "password")), "密码");
	assert_string_equal(field_label(field_of(&pb_welcome_desc, "cert_until")), "cert_until");
}

/* A misspelt check in a declaration would let everything pass. */
static void every_declared_check_exists(void **state)
{
	static const char *const known[] = {"", "cert_no", "student_no", "school_code", "area", "area_prefix",
		"class", "uuid", "sha", "year", "date", "time", "long", "fen", "minutes"};
	/* gen_tables.py has judged what stands behind the colon */
	static const char *const with_argument[] = {"range:", "decimal:", "ref:"};

	(void)state;
	for (size_t k = 0; k < kind_count; k++)
		for (size_t i = 0; i < kind_table[k].field_count; i++) {
			const struct field *f = &kind_table[k].fields[i];
			bool list =
				strncmp(f->check, "codes:", 6) == 0 || strncmp(f->check, "multi:", 6) == 0;
			bool found = list && code_list_by_name(f->check + 6);
			for (size_t n = 0; n < sizeof with_argument / sizeof *with_argument; n++)
				found |= strncmp(f->check, with_argument[n], strlen(with_argument[n])) == 0;
			for (size_t n = 0; n < sizeof known / sizeof *known; n++)
				found |= strcmp(known[n], f->check) == 0;
			if (!found)
				fail_msg("%s.%s names the check %s", kind_table[k].table, f->name, f->check);
		}
}

static void codes_are_of_their_list(void **state)
{
	struct record r = pupil();

	(void)state;
	passes(&r);
	record_set_text(&r, F_STUDENT_GRADE, "六年级"); /* a record holds codes, words are the import's */
	refused_for(&r, "grade");
	record_set_text(&r, F_STUDENT_GRADE, "99");
	refused_for(&r, "grade");
}

/* Whoever is refused is told all that he may write, or where the whole list stands; nothing is cut. */
static void refused_with_what_is_permitted(void **state)
{
	struct problem p;

	(void)state;
	for (size_t k = 0; k < kind_count; k++)
		for (size_t i = 0; i < kind_table[k].field_count; i++) {
			const struct field *f = &kind_table[k].fields[i];
			const struct code_list *list =
				strncmp(f->check, "codes:", 6) ? NULL : code_list_by_name(f->check + 6);
			struct record r;
			if (!list)
				continue;
			record_init(&r, &kind_table[k]);
			record_set_text(&r, (int)i, "?");
			assert_int_equal(check_values(&r, &p), ERR_INVALID);
			if (strstr(p.hint, list->name) && strstr(p.hint, "jg help codes"))
				continue;
			for (size_t c = 0; c < list->n; c++)
				if (!strstr(p.hint, list->items[c].code) ||
					!strstr(p.hint, list->items[c].zh))
					fail_msg("%s.%s: %s is missing in %s", kind_table[k].table, f->name,
						list->items[c].code, p.hint);
		}
}

static void blanks_are_no_text(void **state)
{
	static const char *const blanks[] = {" ", "\u3000", "\u00A0\u3000 "};

	(void)state;
	for (size_t i = 0; i < sizeof blanks / sizeof *blanks; i++) {
		struct record r = pupil();
		record_set_text(&r, F_STUDENT_LIVE_ADDRESS, blanks[i]);
		refused_for(&r, "live_address");
		record_set_text(&r, F_STUDENT_LIVE_ADDRESS, "一路　1号");
		passes(&r);
	}
}

static void numbers_keep_their_range(void **state)
{
	static const int64_t bad[] = {-1, 0, 100, INT32_MIN, INT32_MAX};
	struct record r;
	struct problem p;

	(void)state;
	record_init(&r, kind_by_number(KIND_GUARDIAN));
	record_set_bytes(&r, F_GUARDIAN_STUDENT, "0123456789abcdef", 16);
	for (int64_t n = 1; n <= 99; n += 49) {
		record_set_number(&r, F_GUARDIAN_ORDINAL, n);
		assert_int_equal(check_values(&r, &p), ERR_OK);
	}
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		record_set_number(&r, F_GUARDIAN_ORDINAL, bad[i]);
		if (bad[i])
			assert_int_equal(check_values(&r, &p), ERR_INVALID);
	}
}

static void times_have_a_zone_and_are_not_to_come(void **state)
{
	struct record r;

	(void)state;
	record_init(&r, kind_by_number(KIND_PERSUASION));
	record_set_bytes(&r, F_PERSUASION_SLIP, "0123456789abcdef", 16);
	record_set_text(&r, F_PERSUASION_METHOD, "家访");
	record_set_number(&r, F_PERSUASION_AT, INT64_C(1789000000000000));
	passes(&r);
	record_set_number(&r, F_PERSUASION_AT, INT64_MAX);
	refused_for(&r, "at");
	record_set_number(&r, F_PERSUASION_AT, -1);
	refused_for(&r, "at");
}

static void certificate_numbers_stand_in_normal_form(void **state)
{
	struct record r = pupil();

	(void)state;
	record_set_text(&r, F_STUDENT_CERT_NO, "11010519491231002X"); /* the example of GB 11643-1999 */
	passes(&r);
	record_set_text(&r, F_STUDENT_CERT_NO, "11010519491231002x"); /* not the normal form */
	refused_for(&r, "cert_no");
	record_set_text(&r, F_STUDENT_CERT_NO, "110105194912310021");
	refused_for(&r, "cert_no");
	record_set_number(&r, F_STUDENT_KEEP_INVALID, 1); /* a person's decision */
	passes(&r);
	record_set_number(&r, F_STUDENT_KEEP_INVALID, 0);
	record_set_text(&r, F_STUDENT_CERT_TYPE, "1");
	refused_for(&r, "cert_no");
	record_set_text(&r, F_STUDENT_CERT_TYPE, "9"); /* another certificate has other rules */
	record_set_text(&r, F_STUDENT_CERT_NO, "H1234");
	if (code_item(&codes_cert_type, "9"))
		passes(&r);
	record_set_text(&r, F_STUDENT_CERT_TYPE, "");
	record_set_text(&r, F_STUDENT_CERT_NO, "");
	record_set_text(&r, F_STUDENT_LIVE_AREA, "32999");
	refused_for(&r, "live_area");
	record_set_text(&r, F_STUDENT_LIVE_AREA, "329999");
	passes(&r);
}

/* A number as long as the field allows and longer ones are judged, not cut and then judged. */
static void long_numbers(void **state)
{
	struct record r = pupil();
	char no[40];

	(void)state;
	memset(no, '1', sizeof no);
	memcpy(no, "11010519491231002X", 18);
	record_set_bytes(&r, F_STUDENT_CERT_NO, no, 32);
	refused_for(&r, "cert_no");
}

static void dates_and_ids(void **state)
{
	struct record r = pupil(), g;

	(void)state;
	record_set_number(&r, F_STUDENT_BIRTH, 20140229);
	refused_for(&r, "birth");
	record_set_number(&r, F_STUDENT_BIRTH, -1);
	refused_for(&r, "birth");
	record_set_number(&r, F_STUDENT_BIRTH, 20140228);
	passes(&r);
	record_init(&g, kind_by_number(KIND_GUARDIAN));
	record_set_bytes(&g, F_GUARDIAN_STUDENT, "0123456789abcde", 15);
	record_set_number(&g, F_GUARDIAN_ORDINAL, 1);
	refused_for(&g, "student");
	record_set_bytes(&g, F_GUARDIAN_STUDENT, "0123456789abcdef", 16);
	passes(&g);
}

static void shape_first(void **state)
{
	struct record r = pupil();
	struct problem p = {0};

	(void)state;
	record_clear(&r, F_STUDENT_NAME);
	assert_int_equal(check_record(&r, true, TODAY, &p), ERR_MISSING);
	assert_string_equal(p.field, "name");
}

static void characters_that_no_screen_shows_are_refused(void **state)
{
	static const char *const bad[] = {"测\uFFFE", "测\x1B[2J", "测\xC2\x9B", "测\u202E", "测\n试"};
	struct record r;

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		r = pupil();
		record_set_text(&r, F_STUDENT_NAME, bad[i]);
		refused_for(&r, "name");
		r = pupil();
		record_set_text(&r, F_STUDENT_LIVE_ADDRESS, bad[i]);
		refused_for(&r, "live_address");
	}
	record_set_text(&r, F_STUDENT_LIVE_ADDRESS, "青阳街 \uE863 3号");
	passes(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(every_declared_check_exists),
		cmocka_unit_test(a_field_of_a_request_has_its_own_label_or_that_of_its_name),
		cmocka_unit_test(codes_are_of_their_list), cmocka_unit_test(refused_with_what_is_permitted),
		cmocka_unit_test(blanks_are_no_text), cmocka_unit_test(numbers_keep_their_range),
		cmocka_unit_test(times_have_a_zone_and_are_not_to_come),
		cmocka_unit_test(certificate_numbers_stand_in_normal_form), cmocka_unit_test(long_numbers),
		cmocka_unit_test(dates_and_ids),
		cmocka_unit_test(characters_that_no_screen_shows_are_refused), cmocka_unit_test(shape_first)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
