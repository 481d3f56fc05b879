#include "workday.h"

#include "date.h"
#include "lang.h"

#define DAYS 84006 /* from FIRST to LAST */
#define DAY_US (INT64_C(86400) * 1000000)
#define ZONE_US (INT64_C(8) * 3600 * 1000000) /* Asia/Shanghai, without summer time since 1991 */

struct workday_calendar {
	int32_t until[DAYS + 1]; /* working days before day i (days since 1970) */
	int32_t nth[DAYS];       /* day i of the k-th working day, from 0 */
};

/* 1970-01-01 was a Thursday. */
static bool is_weekday(int32_t i)
{
	return (i + 3) % 7 < 5;
}

/* Days since 1970, -1 outside of the calendar. */
static int32_t index_of(int32_t day)
{
	return day >= WORKDAY_FIRST && day <= WORKDAY_LAST && date_is_real(day) ? date_days(day) : -1;
}

static enum err exceptions_check(const struct workday_exception *e, size_t n, struct problem *p)
{
	for (size_t i = 0; i < n; i++)
		if (index_of(e[i].day) < 0 || (i && e[i].day <= e[i - 1].day)) {
			problem_set(p, ERR_INVALID, "日期",
				_("每天只写一行，按日期先后排列，在 1970 年到 2199 年之间"),
				_("工作日历里的日期不对：%d"), e[i].day);
			if (p)
				p->row = (long)i + 1;
			return ERR_INVALID;
		}
	return ERR_OK;
}

enum err workday_calendar_make(const struct workday_calendar **out,
	const struct workday_exception *exceptions, size_t n, struct arena *arena, struct problem *p)
{
	size_t next = 0;
	int32_t count = 0;

	*out = NULL;
	if (exceptions_check(exceptions, n, p))
		return ERR_INVALID;
	struct workday_calendar *c = arena_alloc(arena, sizeof *c);
	if (!c)
		return problem_set(p, arena->refused, NULL, NULL, NULL);
	for (int32_t i = 0; i < DAYS; i++) {
		bool working = is_weekday(i);
		if (next < n && date_days(exceptions[next].day) == i)
			working = exceptions[next++].working;
		c->until[i] = count;
		if (working)
			c->nth[count++] = i;
	}
	c->until[DAYS] = count;
	*out = c;
	return ERR_OK;
}

bool workday_is(const struct workday_calendar *c, int32_t day)
{
	int32_t i = index_of(day);

	return i >= 0 && c->until[i + 1] > c->until[i];
}

static int32_t nth(const struct workday_calendar *c, int64_t k)
{
	return k < 0 || k >= c->until[DAYS] ? 0 : date_from_days(c->nth[k]);
}

int32_t workday_after(const struct workday_calendar *c, int32_t day, int32_t n)
{
	int32_t i = index_of(day);

	if (i < 0 || n < 0)
		return 0;
	return nth(c, n ? (int64_t)c->until[i + 1] + n - 1 : c->until[i]);
}

int32_t workday_before(const struct workday_calendar *c, int32_t day, int32_t n)
{
	int32_t i = index_of(day);

	if (i < 0 || n < 0)
		return 0;
	return nth(c, n ? (int64_t)c->until[i] - n : (int64_t)c->until[i + 1] - 1);
}

int32_t workday_between(const struct workday_calendar *c, int32_t from, int32_t to)
{
	int32_t i = index_of(from), k = index_of(to);

	return i < 0 || k <= i ? 0 : c->until[k + 1] - c->until[i + 1];
}

int32_t workday_of(int64_t at_us)
{
	if (at_us < -ZONE_US || at_us >= DAYS * DAY_US - ZONE_US)
		return 0;
	return date_from_days((int32_t)((at_us + ZONE_US) / DAY_US));
}

int64_t workday_begin(int32_t day)
{
	return date_days(day) * DAY_US - ZONE_US;
}

int64_t workday_end(int32_t day)
{
	return workday_begin(day) + DAY_US;
}

int64_t workday_due(const struct workday_calendar *c, int64_t at_us, int32_t n)
{
	int32_t day = workday_after(c, workday_of(at_us), n);

	return day ? workday_end(day) : 0;
}
