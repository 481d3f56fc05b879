/* matter_machine.h - the door of the small machines that hang on papers: orders and meetings. Each is a
 * table of rows; here stands who is meant by a row, what an event needs, and in which order it is refused.
 * Pure; knows no order and no meeting. One thread: the loop's. */
#ifndef JG_MATTER_MACHINE_H
#define JG_MATTER_MACHINE_H

#include "document_machine.h"

enum matter_by {
	MATTER_BY_NOBODY,
	MATTER_BY_OFFICER,
	MATTER_BY_LEADER,
	MATTER_BY_HEAD, /* or who stands in for him */
	MATTER_BY_SUPERVISION,
	MATTER_BY_ORDERING,      /* leaders, the office, the inspectors */
	MATTER_BY_OWNER,         /* who made it, or who stands in for him */
	MATTER_BY_OWNER_HIMSELF, /* who made it; of these roles */
	MATTER_BY_ADDRESSEE,     /* or who stands in for him */
	MATTER_BY_PAPER,         /* no person: its paper was issued */
	MATTER_BYS
};

enum {
	MATTER_NEEDS_DOC = 1 << 0,
	MATTER_NEEDS_TITLE = 1 << 1,
	MATTER_NEEDS_TO = 1 << 2,
	MATTER_NEEDS_TEXT = 1 << 3,
	MATTER_NEEDS_REASON = 1 << 4,
	MATTER_NEEDS_DUE = 1 << 5,
};

#define MATTER_ROW_BY 2
struct matter_row {
	unsigned from, event, to;
	enum matter_by by[MATTER_ROW_BY];
	unsigned needs;
};
struct matter_machine {
	const struct matter_row *rows;
	size_t n;
};

struct matter_ask {
	unsigned from, event;
	const char *user;
	uint32_t roles;
	const char *owner, *addressee; /* "" = nobody */
};

/* What the event always needs and was not given: ERR_MISSING, before anything is looked for. */
enum err matter_given(const struct matter_machine *m, unsigned event, unsigned given, struct problem *p);
/* Whether any state has the event for somebody with these roles. */
bool matter_role_fits(const struct matter_machine *m, unsigned event, uint32_t roles);
/* The row of the event in this state, for this person; *for_whom: NULL for oneself. In this order
 * ERR_PERMISSION by role, ERR_NOT_NOW, ERR_PERMISSION by person. what: the command that shows it. */
enum err matter_find(const struct matter_machine *m, const struct document_world *w,
	const struct matter_ask *ask, const char *what, const struct matter_row **row, const char **for_whom,
	struct problem *p);
/* As the tables of README.md say it. */
const char *matter_label(enum matter_by by);

#endif
