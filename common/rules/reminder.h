/* reminder.h - when somebody is reminded of a task, and how late it is. Owns the points in time and the lamp;
 * knows no document, no person and no clock: what is asked is asked for a moment. A point lies where it lies
 * however late the job runs that tells of it. Times are microseconds since 1970 in the zone of workday.h. Any
 * thread. */
#ifndef JG_REMINDER_H
#define JG_REMINDER_H

#include "workday.h"

enum reminder_what { REMINDER_BEFORE, REMINDER_DUE, REMINDER_OVERDUE, REMINDER_ESCALATE };

/* An extension: until `at` the task was due at `due`. */
struct reminder_extension {
	int64_t at, due;
};

struct reminder_task {
	int64_t opened, closed; /* 0: open */
	int64_t due;            /* as it is now; 24:00 of a day */
	const struct reminder_extension *extensions;
	size_t extension_count; /* in order of at */
};

struct reminder_settings {
	int32_t minute;         /* of the day */
	int32_t escalate_after; /* working days; 0: never */
};
extern const struct reminder_settings reminder_default; /* 09:00, the third */

struct reminder {
	enum reminder_what what;
	int32_t k; /* of OVERDUE and ESCALATE: which working day after the due one; else 0 */
	int64_t at;
};

/* Every reminder of the task up to now, in order of at (ESCALATE behind the OVERDUE of that moment). With D
 * the due's day or the last working day before it: BEFORE on the working day before D, DUE on D, OVERDUE on
 * each working day after D; those alone that lie after opened, before closed and not after now. At an
 * extension the old due's points end, with that moment, and the new one's begin behind it. ERR_NOMEM,
 * ERR_TOO_LARGE by the arena. */
enum err reminder_points(struct reminder **out, size_t *n, const struct reminder_task *t, int64_t now,
	const struct workday_calendar *c, const struct reminder_settings *settings, struct arena *arena);

enum reminder_lamp { LAMP_GREEN, LAMP_YELLOW, LAMP_RED };
/* Red from due on; yellow from 00:00 of the yellow-th working day before D. */
enum reminder_lamp reminder_lamp(const struct workday_calendar *c, int64_t due, int64_t now, int32_t yellow);
/* Working days after since's day up to the day of now. */
int32_t reminder_days(const struct workday_calendar *c, int64_t since, int64_t now);

#endif
