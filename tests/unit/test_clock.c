/* Covers common/clock.c: ids that ascend and parse back, times as people see them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "clock.h"

static void ids_sort_by_time_and_read_back(void **state)
{
	uint8_t a[16], b[16], back[16];
	char text[37];

	(void)state;
	for (int i = 0; i < 1000; i++) {
		int64_t at = 1790000000000000 + i * 1000;
		id_make(a, at);
		id_make(b, at + 1000);
		assert_true(memcmp(a, b, 16) < 0);
		assert_int_equal(a[6] >> 4, 7);
		assert_int_equal(a[8] >> 6, 2);
		id_format(text, a);
		assert_int_equal(strlen(text), 36);
		assert_int_equal(id_parse(back, text), 0);
		assert_memory_equal(a, back, 16);
		/* The first 48 bits are the milliseconds. */
		int64_t ms = 0;
		for (int k = 0; k < 6; k++)
			ms = ms << 8 | a[k];
		assert_true(ms == at / 1000);
	}
	id_make(a, 5);
	id_make(b, 5);
	assert_memory_not_equal(a, b, 16);
}

static void id_texts(void **state)
{
	static const char *const bad[] = {"", "-", "0190a000-0000-7000-8000-00000000000",
		"0190a000-0000-7000-8000-0000000000011", "0190a000-0000-7000-8000-00000000000g",
		"0190a000 0000 7000 8000 000000000001", "张"};
	uint8_t id[16];

	(void)state;
	assert_int_equal(id_parse(id, "0190A000-0000-7000-8000-00000000000f"), 0);
	assert_int_equal(id[1], 0x90);
	assert_int_equal(id[2], 0xA0);
	assert_int_equal(id[15], 0x0F);
	assert_int_equal(id_parse(id, "0190a00000007000800000000000000f"), 0);
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		assert_int_equal(id_parse(id, bad[i]), -1);
}

static void times_read_back_in_county_time(void **state)
{
	char text[TIME_TEXT_SIZE];

	(void)state;
	time_format(text, 0);
	assert_string_equal(text, "1970-01-01T08:00:00+08:00");
	time_format(text, 999999);
	assert_string_equal(text, "1970-01-01T08:00:00+08:00");
	time_format(text, -1);
	assert_string_equal(text, "1970-01-01T07:59:59+08:00");
	time_format(text, -1000000);
	assert_string_equal(text, "1970-01-01T07:59:59+08:00");
	time_format(text, 1789142399000000); /* 2026-09-11 15:59:59 UTC */
	assert_string_equal(text, "2026-09-11T23:59:59+08:00");
	time_format(text, 1789142400000000);
	assert_string_equal(text, "2026-09-12T00:00:00+08:00");
}

static void the_monotonic_clock_never_steps_back(void **state)
{
	uint64_t before = clock_monotonic_us();

	(void)state;
	for (int i = 0; i < 1000; i++) {
		uint64_t now = clock_monotonic_us();
		assert_true(now >= before);
		before = now;
	}
	assert_true(clock_now_us() > 1700000000000000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(ids_sort_by_time_and_read_back),
		cmocka_unit_test(id_texts), cmocka_unit_test(times_read_back_in_county_time),
		cmocka_unit_test(the_monotonic_clock_never_steps_back)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
