#include "reminder.h"

#define MINUTE_US (INT64_C(60) * 1000000)

const struct reminder_settings reminder_default = {.minute = 9 * 60, .escalate_after = 3};

/* The points of one due: where they begin and end, and where they go. */
struct span {
	const struct workday_calendar *calendar;
	const struct reminder_settings *settings;
	int64_t after, last;  /* after < p ≤ last */
	struct reminder *out; /* NULL: only counted */
	size_t n;
};

/* The due's day, or the last working day before it; 0 without one. */
static int32_t due_day(const struct workday_calendar *c, int64_t due)
{
	return workday_before(c, workday_of(due - 1), 0);
}

static int64_t point_at(const struct span *s, int32_t day)
{
	return workday_begin(day) + s->settings->minute * MINUTE_US;
}

static void point_add(struct span *s, enum reminder_what what, int32_t k, int64_t at)
{
	if (at <= s->after || at > s->last)
		return;
	if (s->out)
		s->out[s->n] = (struct reminder){what, k, at};
	s->n++;
}

static void points_of_due(struct span *s, int64_t due)
{
	int32_t day = due_day(s->calendar, due);
	int32_t before = workday_before(s->calendar, day, 1);

	if (!day || s->after >= s->last)
		return;
	if (before)
		point_add(s, REMINDER_BEFORE, 0, point_at(s, before));
	point_add(s, REMINDER_DUE, 0, point_at(s, day));
	/* what lies before the span is not walked through */
	int32_t k = workday_between(s->calendar, day, workday_of(s->after));
	for (k = k > 1 ? k : 1;; k++) {
		int32_t late = workday_after(s->calendar, day, k);
		int64_t at = late ? point_at(s, late) : INT64_MAX;
		if (at > s->last)
			return;
		point_add(s, REMINDER_OVERDUE, k, at);
		if (k == s->settings->escalate_after)
			point_add(s, REMINDER_ESCALATE, k, at);
	}
}

static void points_of_task(struct span *s, const struct reminder_task *t, int64_t now)
{
	int64_t last = t->closed && t->closed - 1 < now ? t->closed - 1 : now;

	s->after = t->opened;
	for (size_t i = 0; i < t->extension_count; i++) {
		const struct reminder_extension *x = &t->extensions[i];
		s->last = x->at < last ? x->at : last;
		points_of_due(s, x->due);
		s->after = x->at > s->after ? x->at : s->after;
	}
	s->last = last;
	points_of_due(s, t->due);
}

enum err reminder_points(struct reminder **out, size_t *n, const struct reminder_task *t, int64_t now,
	const struct workday_calendar *c, const struct reminder_settings *settings, struct arena *arena)
{
	struct span s = {.calendar = c, .settings = settings};

	*out = NULL;
	*n = 0;
	points_of_task(&s, t, now);
	struct reminder *made = arena_alloc(arena, s.n * sizeof *made);
	if (!made)
		return arena->refused;
	s.out = made;
	s.n = 0;
	points_of_task(&s, t, now);
	*out = made;
	*n = s.n;
	return ERR_OK;
}

enum reminder_lamp reminder_lamp(const struct workday_calendar *c, int64_t due, int64_t now, int32_t yellow)
{
	int32_t day = workday_before(c, due_day(c, due), yellow);

	if (now >= due)
		return LAMP_RED;
	return day && now >= workday_begin(day) ? LAMP_YELLOW : LAMP_GREEN;
}

int32_t reminder_days(const struct workday_calendar *c, int64_t since, int64_t now)
{
	return workday_between(c, workday_of(since), workday_of(now));
}
