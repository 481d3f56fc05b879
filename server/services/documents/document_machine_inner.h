/* document_machine_inner.h - between the tables (document_machine.c) and what their rows do
 * (document_acts.c). Nobody else's. One thread: the loop's. */
#ifndef JG_DOCUMENT_MACHINE_INNER_H
#define JG_DOCUMENT_MACHINE_INNER_H

#include "document_machine.h"

enum by {
	BY_NOBODY,
	BY_RECEIVE,
	BY_ISSUE,
	BY_ARCHIVE,
	BY_LEADER_NAMED,
	BY_LEAD,
	BY_ASSIST,
	BY_READER,
	BY_COUNTERSIGN,
	BY_DRAFTER,
	BY_OFFICER,
	BY_HEAD,
	BY_LEADER,
	BY_COUNT
};

enum {
	NEEDS_NOTHING = 0,
	NEEDS_TEXT = 1 << 0,
	NEEDS_REASON = 1 << 1,
	NEEDS_LEADER = 1 << 2,
	NEEDS_LEAD = 1 << 3,
	NEEDS_READERS = 1 << 4,
	NEEDS_TO = 1 << 5,
	NEEDS_DUE = 1 << 6,
	NEEDS_SLOT = 1 << 7,
	NEEDS_FILE = 1 << 8,
	NEEDS_ORGAN = 1 << 9,
	NEEDS_BY = 1 << 10,
	NEEDS_DATE = 1 << 11,
	NEEDS_SERIES = 1 << 12,
	NEEDS_COPIES = 1 << 13,
	NEEDS_COUNT = 1 << 14,
	NEEDS_FORCE = 1 << 15,
};

struct step {
	const struct document_world *w;
	struct document *d;
	const struct document_ask *ask;
	struct document_done *done;
	struct arena *arena;
	struct problem *p;
	enum by by;
	const char *principal;  /* for whose part the caller acts */
	enum document_state to; /* an act may lead elsewhere than its row says */
	unsigned rule;          /* the lowest that is broken; 0 */
	const char *rule_text, *rule_hint;
};

#define ROW_BY 2
struct row {
	enum document_state from;
	enum document_event event;
	enum by by[ROW_BY];
	unsigned needs;
	bool (*when)(const struct step *s); /* NULL: always; false: not in this state of the paper */
	enum err (*act)(struct step *s);    /* NULL: nothing but the state changes */
	enum document_state to;
};

const struct document_account *document_account(const struct document_world *w, const char *user);
bool document_is_acting(const struct document_world *w, const char *for_whom);
struct document_task *document_open_task(struct document *d, enum document_step step);
bool document_is_in(enum document_state state);
/* Of several rules the lowest number is told. */
void document_rule(struct step *s, unsigned number, const char *text);
enum err document_rule_told(struct step *s);

bool when_it_is_read(const struct step *s), when_it_has_a_lead(const struct step *s),
	when_unsigned(const struct step *s), when_organ_is_out(const struct step *s),
	when_minutes(const struct step *s), when_nobody_is_in(const struct step *s),
	when_first_issue(const struct step *s);

enum err do_register(struct step *s), do_name_leader(struct step *s), do_name_lead(struct step *s),
	do_name_readers(struct step *s), do_pass(struct step *s), do_mark_done(struct step *s),
	do_finish(struct step *s), do_forget_lead(struct step *s), do_transfer(struct step *s),
	do_extend(struct step *s), do_read(struct step *s), do_not_lead(struct step *s),
	do_archive(struct step *s), do_nothing_open(struct step *s), do_draft(struct step *s),
	do_edit(struct step *s), do_submit(struct step *s), do_approve_draft(struct step *s),
	do_back_to_draft(struct step *s), do_agree(struct step *s), do_sign(struct step *s),
	do_joint(struct step *s), do_return_unsigned(struct step *s), do_recheck(struct step *s),
	do_change(struct step *s), do_number(struct step *s), do_press(struct step *s),
	do_not_drafter(struct step *s), do_seal(struct step *s), do_issue(struct step *s),
	do_close(struct step *s), do_reissue(struct step *s);

#endif
