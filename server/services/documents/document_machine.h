/* document_machine.h - a paper's life as two tables, 收文 and 发文: who may do what in which state, where that
 * leads, and which tasks are open there. README.md draws them from the same rows. Pure: a document as it
 * stands, what is asked and who asks, in; the document as it will stand, or a refusal, out. No database, no
 * clock. Text borrows from the request's arena. One thread: the loop's. */
#ifndef JG_DOCUMENT_MACHINE_H
#define JG_DOCUMENT_MACHINE_H

#include <stdbool.h>
#include <stdint.h>

#include "arena.h"
#include "workday.h"

#define DOCUMENT_PEOPLE_MAX 100 /* named in one document, of all parts: more have no overview of each other */
#define DOCUMENT_TASKS_MAX 4000 /* of a document's life: a hundred people, forty rounds */

/* The codes stand in document.proto's lists in_state and out_state, in this order. */
enum document_state {
	DOCUMENT_NONE, /* not there yet */
	IN_REGISTERED,
	IN_PROPOSING,
	IN_INSTRUCTING,
	IN_HANDLING,
	IN_CIRCULATING,
	IN_REVIEWING,
	IN_DONE,
	IN_ARCHIVED,
	IN_REFUSED,
	IN_VOID,
	OUT_DRAFT,
	OUT_REVIEWING,
	OUT_COUNTERSIGNING,
	OUT_SIGNING,
	OUT_RECHECKING,
	OUT_NUMBERING,
	OUT_NUMBERED,
	OUT_PRINTING,
	OUT_PROOFED,
	OUT_SEALED,
	OUT_ISSUED,
	OUT_CLOSED,
	OUT_RECALLED,
	OUT_ARCHIVED,
	OUT_VOID,
	DOCUMENT_STATES
};

enum document_event {
	EVENT_REGISTER,
	EVENT_ACCEPT,
	EVENT_REFUSE,
	EVENT_PROPOSE,
	EVENT_INSTRUCT,
	EVENT_PASS,
	EVENT_RETURN,
	EVENT_REPORT,
	EVENT_FINISH,
	EVENT_DECLINE,
	EVENT_TRANSFER,
	EVENT_EXTEND,
	EVENT_READ,
	EVENT_APPROVE,
	EVENT_REOPEN,
	EVENT_ARCHIVE,
	EVENT_VOID,
	EVENT_DRAFT,
	EVENT_EDIT,
	EVENT_SUBMIT,
	EVENT_AGREE,
	EVENT_OBJECT,
	EVENT_SIGN,
	EVENT_JOINT,
	EVENT_RECHECK,
	EVENT_CHANGE,
	EVENT_NUMBER,
	EVENT_PRESS,
	EVENT_PROOF_PASS,
	EVENT_PROOF_FAIL,
	EVENT_SEAL,
	EVENT_ISSUE,
	EVENT_CLOSE,
	EVENT_RECALL,
	EVENT_REISSUE,
	EVENT_WITHDRAW,
	DOCUMENT_EVENTS
};

/* What waits for somebody. Its principal is a person, or a desk: "@receive". */
enum document_step {
	STEP_CHECK,
	STEP_PROPOSE,
	STEP_INSTRUCT,
	STEP_HANDLE,
	STEP_ASSIST,
	STEP_CIRCULATE,
	STEP_REVIEW,
	STEP_WHOLE,
	STEP_FILE,
	STEP_DRAFT,
	STEP_APPROVE,
	STEP_COUNTERSIGN,
	STEP_SIGN,
	STEP_JOINT,
	STEP_RECHECK,
	STEP_NUMBER,
	STEP_PRESS,
	STEP_PROOF,
	STEP_SEAL,
	STEP_ISSUE,
	STEP_CLOSE,
	STEP_RECEIPT, /* from here on a school's, which do not follow from the paper's state */
	STEP_FEEDBACK,
	STEP_JUDGE,
	STEP_ORDER, /* of an order on it */
	STEP_REPLY, /* of a meeting */
	STEP_MINUTES,
	DOCUMENT_STEPS
};
enum document_urgency { URGENCY_PLAIN, URGENCY_URGENT, URGENCY_EXTRA, URGENCIES };

#define DESK_RECEIVE "@receive"
#define DESK_ISSUE "@issue"
#define DESK_ARCHIVE "@archive"

/* What somebody was named for; stored as numbers. */
enum document_part { PART_ASSIST = 1, PART_READER, PART_COUNTERSIGN, PART_JOINT };
struct document_person {
	enum document_part part;
	const char *who; /* a user, or the organ of PART_JOINT */
	bool done;       /* has reported, read, agreed, signed */
};

struct document_task {
	int64_t id; /* 0: it is new */
	enum document_step step;
	const char *principal, *school; /* school: the organ or school it is about, or "" */
	int64_t since, opened, due;     /* microseconds */
	int64_t closed;                 /* 0: open */
	bool changed;
	int64_t extended_from;  /* the due that this event has changed, or 0 */
	const char *moved_from; /* whom this event has taken it from, or NULL */
};

struct document {
	enum document_state state;
	int32_t version, last_version; /* the text that stands; the highest number ever used */
	bool reads;                    /* class 阅件 */
	bool is_phone;
	enum document_urgency urgency;
	const char *drafter; /* who registered it, of a paper that came in */
	const char *leader;  /* L: who instructs, or signs */
	const char *lead;    /* U; "" */
	const char *signer;  /* who did sign, himself or for L; "" */
	bool in_order, reissue, came_back;
	int32_t signed_on, pressed_on;     /* days; 0 */
	int32_t issued_version, issued_on; /* what schools hold while it is issued anew */
	int32_t copies;
	const char *slot, *series;
	bool is_minutes, needs_head; /* 纪要; signed by the head: 上行文, 决定, 意见 */
	struct document_person people[DOCUMENT_PEOPLE_MAX];
	size_t person_count;
	struct document_task *task; /* all that it ever had, by opened */
	size_t task_count, task_room;
	/* read with it, never written */
	const char *open_order; /* a number, or NULL */
	bool deliveries_open;
};

struct document_account {
	const char *user, *name;
	uint32_t roles; /* 1 << role */
	bool disabled;
};
/* A desk, "@receive", or "@head", from set_at on; the latest of a name stands. */
struct document_desk {
	const char *name, *holder, *deputy;
	int64_t set_at;
};
/* In force from when it was added until it was ended, on its days. */
struct document_away {
	const char *from, *to;
	int32_t begin, end;
	int64_t added, ended; /* ended: 0 = not */
	bool acting;
};

/* What stands around a document at this time. */
struct document_world {
	int64_t now; /* the county's clock */
	int32_t today;
	const struct workday_calendar *calendar; /* as it stands now */
	const struct document_account *accounts;
	size_t account_count;
	const struct document_desk *desks; /* in order of set_at */
	size_t desk_count;
	const struct document_away *away;
	size_t away_count;
	uint8_t days[DOCUMENT_STEPS][URGENCIES]; /* dated settings, as of today */
	unsigned come_back_days;
};

/* What is asked. Texts are "" when they were not given. */
struct document_ask {
	enum document_event event;
	const char *user;
	uint32_t roles;
	int32_t seen; /* 0: nothing */
	const char *text, *reason;
	const char *leader, *lead, *to, *slot, *series, *organ, *by;
	const char *const *assist, *const *readers, *const *countersign, *const *joint;
	size_t assist_count, reader_count, countersign_count, joint_count;
	bool in_order, substance, force, again;
	int32_t due, date, copies, count;
	/* Of a draft that comes with it. */
	bool has_file, is_minutes, needs_head, same_substance;
	bool is_sent; /* issued to some school, which then owes a receipt */
	/* What its text and names break by the rules that ask the database; 0. */
	unsigned rule;
	const char *rule_text, *rule_hint; /* hint: NULL = what the error says in general */
};

/* Whom an event was done for: NULL for oneself, and for a desk. */
struct document_done {
	const char *for_whom;
	bool new_version;
	bool numbers; /* a number of ask->series is taken */
};

/* Whether the ask names all that some row of its event needs: ERR_MISSING, before anything is looked for. */
enum err document_judge_given(const struct document_ask *ask, struct problem *p);

/* Judges in the order role, version, state, person, rule (doc/documents.md) and changes *d. ERR_PERMISSION,
 * ERR_STALE, ERR_NOT_NOW, ERR_SAME_PERSON, or ERR_RULE with the number as p->field. *d is
 * undefined after a refusal. A document that is not there (state NONE) is made by register and draft. */
enum err document_step(const struct document_world *w, struct document *d, const struct document_ask *ask,
	struct document_done *done, struct arena *arena, struct problem *p);

/* Whether any state has the event for somebody with these roles: what may be said before the document is
 * looked for. */
bool document_role_fits(enum document_event event, uint32_t roles);

/* Who has a task at a moment: its principal or his stand-in; *for_whom: the principal when it is the stand-in,
 * else NULL. */
const char *document_with(
	const struct document_world *w, const char *principal, int64_t at, const char **for_whom);
/* Who holds a desk at a moment; NULL: nobody ever did. */
const struct document_desk *document_desk(const struct document_world *w, const char *name, int64_t at);
#define DESK_HEAD "@head"

const char *document_head(const struct document_world *w); /* "" = nobody */
/* Whether somebody is the person (*himself), or stands in for him now. */
bool document_is_or_stands_in(
	const struct document_world *w, const char *user, const char *person, bool *himself);
/* What stands against naming somebody for a part (R01); NULL: nothing. */
const char *document_unfit(
	const struct document_world *w, const char *user, bool leader, struct arena *arena);

/* A row of the tables, for README.md and the test of the whole product. */
struct document_row {
	enum document_state from;
	enum document_event event;
	enum document_state to; /* an act may lead elsewhere: the last reader's to done */
	const char *by[2];      /* who may; the second NULL: the first alone */
};
size_t document_rows(struct document_row *out, size_t max);

#endif
