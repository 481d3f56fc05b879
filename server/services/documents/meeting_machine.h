/* meeting_machine.h - 办会: what may be done to a meeting in which state, as a table; README.md draws it
 * from the same rows. Pure: a meeting as it stands, those beside it, what is asked and who asks, in; the
 * meeting as it will stand or a refusal, out. Text borrows from the request's arena. One thread: the
 * loop's. */
#ifndef JG_MEETING_MACHINE_H
#define JG_MEETING_MACHINE_H

#include "matter_machine.h"
#include "meeting.h"

/* The codes stand in documents.proto's lists meeting_state and meeting_event, in this order. */
enum meeting_state {
	MEETING_NONE,
	MEETING_PLANNED,
	MEETING_APPROVED,
	MEETING_NOTICED,
	MEETING_HELD,
	MEETING_MINUTED,
	MEETING_CLOSED,
	MEETING_CANCELLED,
	MEETING_STATES
};
enum meeting_event {
	MEETING_PLAN,
	MEETING_APPROVE,
	MEETING_NOTICE,
	MEETING_NOTICE_ISSUED,
	MEETING_MOVE,
	MEETING_HOLD,
	MEETING_MINUTES,
	MEETING_MINUTES_ISSUED,
	MEETING_CLOSE,
	MEETING_CANCEL,
	MEETING_EVENTS
};

struct meeting {
	enum meeting_state state;
	struct meeting_plan plan; /* chair and speakers are users where they are one's */
	const char *planner;
	const char *const *people; /* who else takes part, officers and schools */
	size_t people_count;
	const char *open_order; /* a number, or NULL */
	bool has_notice,
		has_minutes; /* a paper on its way, or issued: one that is void or over may be drafted anew */
};

/* Another meeting that is approved or noticed, and at the same time. */
struct meeting_other {
	const char *number, *place;
	const char *const *leads; /* chair and speakers */
	size_t lead_count;
	const char *const *people;
	size_t people_count;
};

struct meeting_ask {
	enum meeting_event event;
	const char *user;
	uint32_t roles;
	const char *reason, *place; /* place: of move; "" = it stays */
	int64_t start, end;         /* of move; 0 = they stay */
	bool force;
	const struct meeting_other *others; /* beside it at the time that is asked for */
	size_t other_count;
	const char *rule_text; /* why its names cannot stand, by rule; NULL */
	unsigned rule;
};

struct meeting_clash {
	const char *who, *number;
};
struct meeting_done {
	const char *for_whom;
	struct meeting_clash *warnings; /* who has another meeting then */
	size_t warning_count;
};

extern const struct matter_machine meeting_machine;

/* In the order role, state, person, rule; *m is undefined after a refusal. */
enum err meeting_step(const struct document_world *w, struct meeting *m, const struct meeting_ask *ask,
	struct meeting_done *done, struct arena *arena, struct problem *p);
unsigned meeting_given(const struct meeting_ask *ask);

#endif
