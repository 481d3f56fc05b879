/* Covers common/rules/workday.c and reminder.c: both against a reading of their words that walks day by day. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <cmocka.h>

#include "date.h"
#include "nomem.h"
#include "reminder.h"

#define HOUR INT64_C(3600000000)
#define DAY (24 * HOUR)
#define CALENDARS 500
#define QUESTIONS 200 /* of each calendar: 100,000 */
#define EXCEPTIONS 60

static uint64_t seed = 20261130;

static uint32_t pick(uint32_t below)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (uint32_t)((seed >> 11) % below);
}

/* ---- the oracle ---- */

static struct workday_exception exceptions[EXCEPTIONS];
static size_t exception_count;

static bool naive_is(int32_t day)
{
	time_t at = (time_t)date_days(day) * 86400;
	struct tm tm;

	for (size_t i = 0; i < exception_count; i++)
		if (exceptions[i].day == day)
			return exceptions[i].working;
	gmtime_r(&at, &tm);
	return tm.tm_wday != 0 && tm.tm_wday != 6;
}

static int32_t step(int32_t day, int by)
{
	int32_t there = date_from_days(date_days(day) + by);

	return there < WORKDAY_FIRST || there > WORKDAY_LAST ? 0 : there;
}

static int32_t naive_walk(int32_t day, int by, int32_t n)
{
	if (n == 0)
		while (day && !naive_is(day))
			day = step(day, by);
	while (day && n) {
		day = step(day, by);
		n -= day && naive_is(day);
	}
	return day;
}

static int32_t naive_between(int32_t from, int32_t to)
{
	int32_t n = 0;

	while (from < to) {
		from = step(from, 1);
		n += naive_is(from);
	}
	return n;
}

static int64_t at_hour(int32_t day, int hour)
{
	return date_days(day) * DAY + (hour - 8) * HOUR;
}

static int32_t naive_day(int64_t at)
{
	int64_t hours = (at - (at % HOUR + HOUR) % HOUR) / HOUR + 8;

	return date_from_days((int32_t)(hours / 24));
}

/* ---- calendars ---- */

static void arena_open(struct arena *a)
{
	arena_init(a, 8u << 20);
}

static const struct workday_calendar *random_calendar(struct arena *a)
{
	const struct workday_calendar *c;
	struct problem p;
	int32_t day = date_days(20240101) + (int32_t)pick(1000);

	exception_count = pick(EXCEPTIONS + 1);
	for (size_t i = 0; i < exception_count; i++) {
		exceptions[i] = (struct workday_exception){date_from_days(day), pick(2)};
		day += 1 + (int32_t)(pick(3) ? pick(3) : pick(60)); /* holidays come in rows */
	}
	arena_open(a);
	assert_int_equal(workday_calendar_make(&c, exceptions, exception_count, a, &p), ERR_OK);
	return c;
}

/* Mostly where the exceptions are, else anywhere. */
static int32_t random_day(void)
{
	if (pick(10) == 0)
		return date_from_days((int32_t)pick((uint32_t)date_days(WORKDAY_LAST) + 1));
	return date_from_days(date_days(20240101) + (int32_t)pick(2500));
}

static void as_counted_by_hand(void **state)
{
	(void)state;
	for (int i = 0; i < CALENDARS; i++) {
		struct arena a;
		const struct workday_calendar *c = random_calendar(&a);
		for (int k = 0; k < QUESTIONS; k++) {
			int32_t day = random_day(), n = (int32_t)pick(pick(4) ? 12 : 80);
			int64_t t = at_hour(day, 0) + (int64_t)pick(86400) * 1000000 + pick(2) * 999999;
			int32_t due = naive_walk(day, 1, n);
			assert_int_equal(workday_of(t), day);
			assert_int_equal(workday_is(c, day), naive_is(day));
			assert_int_equal(workday_after(c, day, n), due);
			assert_int_equal(workday_before(c, day, n), naive_walk(day, -1, n));
			assert_true(workday_due(c, t, n) == (due ? at_hour(due, 24) : 0));
			int32_t to = random_day();
			if (to - day < 20000)
				assert_int_equal(workday_between(c, day, to), naive_between(day, to));
		}
		arena_free(&a);
	}
}

/* The National Day of 2026: 1 to 7 October free, Sunday 20 September and Saturday 10 October worked. */
static const struct workday_exception autumn[] = {{20260920, true}, {20261001, false}, {20261002, false},
	{20261005, false}, {20261006, false}, {20261007, false}, {20261010, true}};

static const struct workday_calendar *autumn_calendar(struct arena *a)
{
	const struct workday_calendar *c;

	arena_open(a);
	assert_int_equal(workday_calendar_make(&c, autumn, sizeof autumn / sizeof *autumn, a, NULL), ERR_OK);
	return c;
}

static void a_known_autumn(void **state)
{
	struct arena a;
	const struct workday_calendar *c = autumn_calendar(&a);

	(void)state;
	assert_int_equal(workday_after(c, 20260930, 1), 20261008);
	assert_int_equal(workday_after(c, 20260930, 3), 20261010);
	assert_int_equal(workday_after(c, 20260930, 0), 20260930);
	assert_int_equal(workday_after(c, 20261001, 0), 20261008);
	assert_int_equal(workday_before(c, 20261004, 0), 20260930);
	assert_int_equal(workday_before(c, 20261008, 1), 20260930);
	assert_int_equal(workday_before(c, 20260921, 1), 20260920);
	assert_int_equal(workday_between(c, 20260930, 20261010), 3);
	assert_int_equal(workday_between(c, 20261010, 20260930), 0);
	/* 23:59:59.999999 and 00:00 are two days */
	assert_true(workday_due(c, at_hour(20260930, 24) - 1, 1) == at_hour(20261009, 0));
	assert_true(workday_due(c, at_hour(20260930, 24), 1) == at_hour(20261009, 0));
	assert_true(workday_due(c, at_hour(20261008, 0), 1) == at_hour(20261010, 0));
	arena_free(&a);
}

static void the_ends_of_the_calendar(void **state)
{
	struct arena a;
	const struct workday_calendar *c = autumn_calendar(&a);

	(void)state;
	assert_int_equal(workday_before(c, WORKDAY_FIRST, 0), WORKDAY_FIRST);
	assert_int_equal(workday_before(c, WORKDAY_FIRST, 1), 0);
	assert_int_equal(workday_after(c, WORKDAY_LAST, 0), WORKDAY_LAST);
	assert_int_equal(workday_after(c, WORKDAY_LAST, 1), 0);
	assert_int_equal(workday_after(c, 20260930, INT32_MAX), 0);
	assert_int_equal(workday_before(c, 20260930, INT32_MAX), 0);
	assert_int_equal(workday_after(c, 20260930, -1), 0);
	assert_int_equal(workday_after(c, 0, 1), 0);
	assert_int_equal(workday_before(c, 0, 1), 0);
	assert_int_equal(workday_before(c, 20260930, -1), 0);
	assert_int_equal(workday_after(c, WORKDAY_FIRST, 1), 19700102);
	assert_int_equal(workday_between(c, WORKDAY_FIRST, 19700102), 1);
	assert_true(workday_is(c, WORKDAY_FIRST));
	assert_int_equal(workday_after(c, 20260931, 1), 0);
	assert_int_equal(workday_after(c, 22000101, 0), 0);
	assert_false(workday_is(c, 0));
	assert_int_equal(workday_between(c, 0, 20260930), 0);
	assert_int_equal(workday_of(at_hour(WORKDAY_FIRST, 0)), WORKDAY_FIRST);
	assert_int_equal(workday_of(at_hour(WORKDAY_FIRST, 0) - 1), 0);
	assert_int_equal(workday_of(at_hour(WORKDAY_LAST, 24) - 1), WORKDAY_LAST);
	assert_int_equal(workday_of(at_hour(WORKDAY_LAST, 24)), 0);
	assert_int_equal(workday_of(INT64_MIN), 0);
	assert_int_equal(workday_of(INT64_MAX), 0);
	assert_true(workday_due(c, INT64_MAX, 1) == 0);
	arena_free(&a);
}

static void wrong_calendars_are_refused(void **state)
{
	static const struct workday_exception wrong[][2] = {{{20260101, false}, {20260101, true}},
		{{20260102, false}, {20260101, true}}, {{20260101, false}, {20260230, true}},
		{{20260101, false}, {22000101, true}}, {{20260101, false}, {0, true}}};
	const struct workday_calendar *c;
	struct problem p;
	struct arena a;

	(void)state;
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		arena_open(&a);
		assert_int_equal(workday_calendar_make(&c, wrong[i], 2, &a, &p), ERR_INVALID);
		assert_int_equal(p.row, 2);
		assert_null(c);
		arena_free(&a);
	}
	arena_open(&a);
	assert_int_equal(
		workday_calendar_make(&c, &(struct workday_exception){WORKDAY_FIRST, false}, 1, &a, &p), 0);
	assert_false(workday_is(c, WORKDAY_FIRST));
	arena_free(&a);
	arena_init(&a, 1000);
	assert_int_equal(workday_calendar_make(&c, NULL, 0, &a, &p), ERR_TOO_LARGE);
	assert_null(c);
	arena_free(&a);
}

/* ---- reminders ---- */

/* The due that a moment lies under: that of the first extension not before it. */
static int64_t naive_due(const struct reminder_task *t, int64_t at)
{
	for (size_t i = 0; i < t->extension_count; i++)
		if (at <= t->extensions[i].at)
			return t->extensions[i].due;
	return t->due;
}

/* What a 09:00 is for a due: false for none. */
static bool naive_point(int64_t due, int32_t day, struct reminder *r)
{
	int32_t d = naive_walk(naive_day(due - 1), -1, 0);

	r->k = 0;
	if (day == d)
		r->what = REMINDER_DUE;
	else if (day == naive_walk(d, -1, 1))
		r->what = REMINDER_BEFORE;
	else if (day > d && naive_is(day)) {
		r->what = REMINDER_OVERDUE;
		r->k = naive_between(d, day);
	} else {
		return false;
	}
	return true;
}

static size_t naive_points(struct reminder *out, const struct reminder_task *t, int64_t now, int32_t escalate)
{
	size_t n = 0;

	for (int32_t day = naive_day(t->opened); day && day <= naive_day(now); day = step(day, 1)) {
		struct reminder r = {.at = at_hour(day, 9)};
		if (r.at <= t->opened || r.at > now || (t->closed && r.at >= t->closed) ||
			!naive_point(naive_due(t, r.at), day, &r))
			continue;
		out[n++] = r;
		if (r.what == REMINDER_OVERDUE && r.k == escalate)
			out[n++] = (struct reminder){REMINDER_ESCALATE, r.k, r.at};
	}
	return n;
}

#define POINTS 400

/* Times on the hour, so that what happens at 09:00 sharp is met with. */
static int64_t random_time(int32_t day)
{
	return at_hour(day, (int)(pick(3) ? pick(24) : 9)) + (pick(4) ? 0 : (int64_t)pick(3) - 1);
}

static void one_task(const struct workday_calendar *c)
{
	struct reminder want[POINTS], *got;
	struct reminder_extension extensions[3];
	struct reminder_settings settings = {9 * 60, (int32_t)pick(5)};
	int32_t day = date_from_days(date_days(20240101) + (int32_t)pick(1500));
	struct reminder_task t = {.opened = random_time(day), .extensions = extensions};
	struct arena a;
	size_t n;

	int32_t due = date_days(day) + (int32_t)pick(12), at = date_days(day);
	for (uint32_t k = pick(4); k; k--) {
		at += (int32_t)pick(8);
		extensions[t.extension_count].at = random_time(date_from_days(at));
		if (t.extension_count &&
			extensions[t.extension_count].at < extensions[t.extension_count - 1].at)
			extensions[t.extension_count].at = extensions[t.extension_count - 1].at;
		extensions[t.extension_count++].due = at_hour(date_from_days(due), 24);
		due += (int32_t)pick(10);
	}
	t.due = at_hour(date_from_days(due), 24);
	if (pick(2))
		t.closed = t.opened + (int64_t)pick(40 * 24) * HOUR + (int64_t)pick(3);
	int64_t now = random_time(date_from_days(date_days(day) + (int32_t)pick(60)));
	size_t wanted = naive_points(want, &t, now, settings.escalate_after);

	arena_open(&a);
	assert_int_equal(reminder_points(&got, &n, &t, now, c, &settings, &a), ERR_OK);
	assert_int_equal(n, wanted);
	for (size_t i = 0; i < n; i++)
		if (got[i].what != want[i].what || got[i].k != want[i].k || got[i].at != want[i].at)
			fail_msg("point %zu of %zu: %d %d %lld, not %d %d %lld", i, n, got[i].what, got[i].k,
				(long long)got[i].at, want[i].what, want[i].k, (long long)want[i].at);
	arena_free(&a);
}

static void reminders_as_counted_by_hand(void **state)
{
	(void)state;
	for (int i = 0; i < CALENDARS; i++) {
		struct arena a;
		const struct workday_calendar *c = random_calendar(&a);
		for (int k = 0; k < QUESTIONS / 4; k++)
			one_task(c);
		arena_free(&a);
	}
}

static void is_point(const struct reminder *r, enum reminder_what what, int32_t k, int32_t day)
{
	assert_int_equal(r->what, what);
	assert_int_equal(r->k, k);
	assert_true(r->at == at_hour(day, 9));
}

static void reminders_of_an_autumn(void **state)
{
	struct arena a;
	const struct workday_calendar *c = autumn_calendar(&a);
	struct reminder_extension later = {at_hour(20261009, 9), at_hour(20261003, 24)};
	/* due on a Saturday of the holidays: D is 30 September */
	struct reminder_task t = {.opened = at_hour(20260928, 10), .due = at_hour(20261003, 24)};
	struct reminder *r;
	size_t n;

	(void)state;
	assert_int_equal(reminder_points(&r, &n, &t, at_hour(20261010, 9), c, &reminder_default, &a), ERR_OK);
	assert_int_equal(n, 6);
	is_point(&r[0], REMINDER_BEFORE, 0, 20260929);
	is_point(&r[1], REMINDER_DUE, 0, 20260930);
	is_point(&r[2], REMINDER_OVERDUE, 1, 20261008);
	is_point(&r[3], REMINDER_OVERDUE, 2, 20261009);
	is_point(&r[4], REMINDER_OVERDUE, 3, 20261010);
	is_point(&r[5], REMINDER_ESCALATE, 3, 20261010);
	/* extended on the 9th at 09:00 sharp: that point is still the old due's */
	t.extensions = &later;
	t.extension_count = 1;
	t.due = at_hour(20261013, 24);
	assert_int_equal(reminder_points(&r, &n, &t, at_hour(20261013, 9), c, &reminder_default, &a), ERR_OK);
	assert_int_equal(n, 6);
	is_point(&r[3], REMINDER_OVERDUE, 2, 20261009);
	is_point(&r[4], REMINDER_BEFORE, 0, 20261012);
	is_point(&r[5], REMINDER_DUE, 0, 20261013);
	/* closed at a point, that is no reminder any more */
	t.closed = at_hour(20261012, 9);
	assert_int_equal(reminder_points(&r, &n, &t, at_hour(20261013, 9), c, &reminder_default, &a), ERR_OK);
	assert_int_equal(n, 4);
	t.closed++;
	assert_int_equal(reminder_points(&r, &n, &t, at_hour(20261013, 9), c, &reminder_default, &a), ERR_OK);
	assert_int_equal(n, 5);
	t.closed--;
	t.opened = at_hour(20261012, 8);
	assert_int_equal(reminder_points(&r, &n, &t, at_hour(20261013, 9), c, &reminder_default, &a), ERR_OK);
	assert_int_equal(n, 0);
	arena_free(&a);
}

/* A due that no working day of the calendar has brings nothing. */
static void dues_that_are_none(void **state)
{
	static const int64_t wrong[] = {INT64_MAX, INT64_MIN + 1};
	struct arena a;
	const struct workday_calendar *c = autumn_calendar(&a);
	struct reminder_task t = {.opened = at_hour(20260928, 10)};
	struct reminder *r;
	size_t n;

	(void)state;
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		t.due = wrong[i];
		assert_int_equal(
			reminder_points(&r, &n, &t, at_hour(20261010, 9), c, &reminder_default, &a), ERR_OK);
		assert_int_equal(n, 0);
		assert_int_equal(
			reminder_lamp(c, t.due, at_hour(20261010, 9), 1), t.due < 0 ? LAMP_RED : LAMP_GREEN);
	}
	arena_free(&a);
}

static void lamps(void **state)
{
	struct arena a;
	const struct workday_calendar *c = autumn_calendar(&a);
	int64_t due = at_hour(20261003, 24);

	(void)state;
	assert_int_equal(reminder_lamp(c, due, at_hour(20260929, 0) - 1, 1), LAMP_GREEN);
	assert_int_equal(reminder_lamp(c, due, at_hour(20260929, 0), 1), LAMP_YELLOW);
	assert_int_equal(reminder_lamp(c, due, at_hour(20260925, 0) - 1, 3), LAMP_GREEN);
	assert_int_equal(reminder_lamp(c, due, at_hour(20260925, 0), 3), LAMP_YELLOW);
	assert_int_equal(reminder_lamp(c, due, due - 1, 1), LAMP_YELLOW);
	assert_int_equal(reminder_lamp(c, due, due, 1), LAMP_RED);
	assert_int_equal(reminder_days(c, at_hour(20260930, 23), at_hour(20261010, 1)), 3);
	assert_int_equal(reminder_days(c, at_hour(20260930, 1), at_hour(20260930, 23)), 0);
	arena_free(&a);
}

static enum err without_memory_of(void *data)
{
	struct reminder_task t = {.opened = at_hour(20260101, 10), .due = at_hour(20260105, 24)};
	const struct workday_calendar *c;
	struct reminder *r;
	struct arena a;
	size_t n = 0;

	arena_open(&a);
	enum err e = workday_calendar_make(&c, data, 1, &a, NULL);
	/* years late: more points than a block of the arena has room for */
	if (!e)
		e = reminder_points(&r, &n, &t, at_hour(20291231, 10), c, &reminder_default, &a);
	assert_true(e ? n == 0 : n > 1000);
	arena_free(&a);
	return e;
}

static void without_memory(void **state)
{
	struct workday_exception one = {20260102, false};

	(void)state;
	nomem_until_it_works("calendar", without_memory_of, &one, ERR_NOMEM, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(as_counted_by_hand),
		cmocka_unit_test(a_known_autumn), cmocka_unit_test(the_ends_of_the_calendar),
		cmocka_unit_test(wrong_calendars_are_refused), cmocka_unit_test(reminders_as_counted_by_hand),
		cmocka_unit_test(reminders_of_an_autumn), cmocka_unit_test(lamps),
		cmocka_unit_test(dues_that_are_none), cmocka_unit_test(without_memory)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
