/* Covers common/quantity.c, and how client/core/words/value.c and common/check.c read, show and judge the
 * fields that have a unit, several choices or many lines. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "check.h"
#include "quantity.h"
#include "value.h"

static void decimals_as_people_write_them(void **state)
{
	static const struct {
		const char *text;
		unsigned scale;
		int64_t v;
	} good[] = {{"12.5", 2, 1250}, {"12", 2, 1200}, {"0.05", 2, 5}, {"１２．５０", 2, 1250},
		{"1,234.5", 2, 123450}, {"￥12", 2, 1200}, {"12元", 2, 1200}, {"-3.25", 2, -325},
		{"12.500", 2, 1250}, {".5", 1, 5}, {"999999999999999", 0, INT64_C(999999999999999)},
		{"1 234.5", 3, 1234500}};
	static const char *const bad[] = {
		"", "x", "12.345", "1,23", "12,5", "12..5", "1e5", "--1", "9999999999999999", "12元5", "￥"};
	char out[QUANTITY_TEXT];
	int64_t v;

	(void)state;
	for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
		if (decimal_parse(&v, good[i].text, good[i].scale) || v != good[i].v)
			fail_msg("%s is read as %lld", good[i].text, (long long)v);
		decimal_format(out, v, good[i].scale);
		assert_int_equal(decimal_parse(&v, out, good[i].scale), ERR_OK); /* there and back */
		assert_int_equal(v, good[i].v);
	}
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		if (!decimal_parse(&v, bad[i], 2))
			fail_msg("%s is read as %lld", bad[i], (long long)v);
	assert_string_equal(decimal_format(out, -5, 2), "-0.05");
	assert_string_equal(decimal_format(out, 1250, 2), "12.50");
}

static void minutes_as_people_write_them(void **state)
{
	static const struct {
		const char *text;
		int32_t v;
	} good[] = {{"90", 90}, {"90分钟", 90}, {"90 分", 90}, {"1:30", 90}, {"1小时30分", 90},
		{"1小时30分钟", 90}, {"1.5小时", 90}, {"2h", 120}, {"２小时", 120}, {"0", 0}, {"45min", 45}};
	static const char *const bad[] = {
		"", "x", "1:60", "1:", "-5", "1.5小时5分", "9999999", "1.5", "1:30:00", "小时"};
	char out[QUANTITY_TEXT];
	int32_t v, again;

	(void)state;
	for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
		if (minutes_parse(&v, good[i].text) || v != good[i].v)
			fail_msg("%s is read as %d", good[i].text, v);
		assert_int_equal(minutes_parse(&again, minutes_format(out, v)), ERR_OK);
		assert_int_equal(again, v);
	}
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		if (!minutes_parse(&v, bad[i]))
			fail_msg("%s is read as %d", bad[i], v);
}

#define FIELD(n, name, type, bytes, check)                                                                   \
	{                                                                                                    \
		n, name, name, name, type, 1, MERGE_CONFLICT, false, false, false, false, false, false, -1,  \
			bytes, check, (const char *const[])                                                  \
		{                                                                                            \
			NULL                                                                                 \
		}                                                                                            \
	}
enum { MONEY, SHARE, TIME, CHOICES, STORY, ABOUT };
static const struct field fields[] = {FIELD(1, "money", FIELD_INT64, 0, "fen"),
	FIELD(2, "share", FIELD_INT64, 0, "decimal:3"), FIELD(3, "time", FIELD_INT32, 0, "minutes"),
	FIELD(4, "choices", FIELD_TEXT, 255, "multi:answer"),
	FIELD(5, "story", FIELD_TEXT, LONG_TEXT_MAX, "long"),
	FIELD(6, "about", FIELD_BYTES, 16, "ref:student")};
static const struct kind kind = {.number = 900,
	.table = "made_up",
	.label = "试",
	.label_en = "made up",
	.owner = OWNER_SCHOOL,
	.guard = "",
	.children_guard = "",
	.hold = "",
	.applied = "",
	.of = -1,
	.addressee = -1,
	.hidden_field = -1,
	.hidden_value = "",
	.grade = "",
	.fields = fields,
	.field_count = sizeof fields / sizeof *fields,
	.group_count = 1};

static enum value_verdict take(struct record *r, int field, const char *text, struct arena *arena)
{
	const struct value_context ctx = {0};
	const char *code = "";
	struct problem p;

	return value_parse(r, field, text, &ctx, arena, &code, &p);
}

static void shown(const struct record *r, int field, const char *wanted)
{
	char out[512];

	assert_string_equal(value_show(r, field, false, out, sizeof out), wanted);
}

static void fields_as_people_write_them(void **state)
{
	struct arena arena;
	struct record r;
	struct problem p;

	(void)state;
	arena_init(&arena, 1u << 20);
	record_init(&r, &kind);
	assert_int_equal(take(&r, MONEY, "￥1,234.5", &arena), VALUE_OK);
	shown(&r, MONEY, "1234.50");
	assert_int_equal(take(&r, MONEY, "12.345", &arena), VALUE_BAD);
	assert_int_equal(take(&r, SHARE, "0.125", &arena), VALUE_OK);
	shown(&r, SHARE, "0.125");
	assert_int_equal(take(&r, TIME, "1小时30分", &arena), VALUE_OK);
	shown(&r, TIME, "1小时30分");
	assert_int_equal(take(&r, CHOICES, "查无此人、在校；在校", &arena), VALUE_OK);
	assert_true(record_is(&r, CHOICES, "present,unknown"));
	shown(&r, CHOICES, "在校、查无此人");
	assert_int_equal(take(&r, CHOICES, "在校、火星", &arena), VALUE_BAD);
	assert_int_equal(take(&r, STORY, "第一行 \r\n\r\n第二行\n\n", &arena), VALUE_OK);
	assert_true(record_is(&r, STORY, "第一行\n\n第二行"));
	record_set_bytes(&r, ABOUT, "0123456789abcdef", 16);
	assert_int_equal(check_values(&r, &p), ERR_OK);
	json_t *json = value_json(&r, MONEY);
	assert_string_equal(json_string_value(json), "1234.50");
	json_decref(json);
	json = value_json(&r, TIME);
	assert_int_equal(json_integer_value(json), 90);
	json_decref(json);
	assert_int_equal(take(&r, STORY, " \n　\n", &arena), VALUE_OK);
	assert_false(record_has(&r, STORY));
	arena_free(&arena);
}

static void refused(struct record *r, const char *field)
{
	struct problem p;

	assert_int_equal(check_values(r, &p), ERR_INVALID);
	assert_string_equal(p.field, field);
}

/* What a stranger sends. */
static void other_forms_are_refused(void **state)
{
	static const char *const choices[] = {
		"unknown,present", "present,present", "present,", ",present", "x", "present;unknown"};
	char *story = malloc(LONG_TEXT_MAX + 2);
	struct problem p;
	struct record r;

	(void)state;
	for (size_t i = 0; i < sizeof choices / sizeof *choices; i++) {
		record_init(&r, &kind);
		record_set_text(&r, CHOICES, choices[i]);
		refused(&r, "choices");
	}
	record_init(&r, &kind);
	record_set_number(&r, TIME, -1);
	refused(&r, "time");
	record_init(&r, &kind);
	record_set_number(&r, MONEY, INT64_MIN);
	refused(&r, "money");
	record_init(&r, &kind);
	record_set_bytes(&r, ABOUT, "short", 5);
	refused(&r, "about");
	record_init(&r, &kind);
	record_set_text(&r, STORY, "a\tb"); /* a line is parted by nothing else */
	refused(&r, "story");
	memset(story, 'x', LONG_TEXT_MAX + 1);
	record_init(&r, &kind);
	record_set_bytes(&r, STORY, story, LONG_TEXT_MAX);
	assert_int_equal(check_record(&r, false, 20260901, &p), ERR_OK);
	record_set_bytes(&r, STORY, story, LONG_TEXT_MAX + 1);
	assert_int_equal(check_record(&r, false, 20260901, &p), ERR_TOO_LARGE);
	free(story);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(decimals_as_people_write_them),
		cmocka_unit_test(minutes_as_people_write_them), cmocka_unit_test(fields_as_people_write_them),
		cmocka_unit_test(other_forms_are_refused)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
