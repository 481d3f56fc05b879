/* workday.h - the county's working days: Monday to Friday, changed by the days that the State Council moves.
 * Owns the calendar and what is counted in it; knows no clock, no task and no setting. Days are those of
 * date.h, times microseconds since 1970, the zone is +08:00 all year. Any thread: a calendar is made once and
 * only read. */
#ifndef JG_WORKDAY_H
#define JG_WORKDAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "arena.h"

#define WORKDAY_FIRST 19700101
#define WORKDAY_LAST 21991231

struct workday_exception {
	int32_t day;
	bool working;
};

struct workday_calendar; /* 650 KiB of an arena */

/* Of exceptions in order of their days, each day once. ERR_INVALID with p->row (the exception's number, from
 * 1) for a day that is not, is out of order or outside FIRST to LAST; ERR_NOMEM, ERR_TOO_LARGE by the arena.
 */
enum err workday_calendar_make(const struct workday_calendar **out,
	const struct workday_exception *exceptions, size_t n, struct arena *arena, struct problem *p);

/* All of these take constant time. Days outside FIRST to LAST are no working days, and an answer outside is
 * 0, "no date". */
bool workday_is(const struct workday_calendar *c, int32_t day);
/* The n-th working day after day; n = 0: day itself or the next working day. */
int32_t workday_after(const struct workday_calendar *c, int32_t day, int32_t n);
/* The n-th working day before day; n = 0: day itself or the last working day before. */
int32_t workday_before(const struct workday_calendar *c, int32_t day, int32_t n);
/* How many working days lie after `from`, up to and with `to`; 0 when to is not after from. */
int32_t workday_between(const struct workday_calendar *c, int32_t from, int32_t to);

/* The day on which a moment lies, 0 outside FIRST to LAST; and its 00:00. */
int32_t workday_of(int64_t at_us);
int64_t workday_begin(int32_t day);
/* 24:00 of a day. */
int64_t workday_end(int32_t day);
/* wd(t, n): 24:00 of the n-th working day after the day of at_us; n = 0: of that day or the next working day.
 * 0 when there is none up to LAST. */
int64_t workday_due(const struct workday_calendar *c, int64_t at_us, int32_t n);

#endif
