/* slip.h - the 交办单 that reach this school: receipt, persuasion log, answer. Reads a view that holds
 * transition_kinds (transition.h); writes through outbox.h. One thread. */
#ifndef JG_SLIP_H
#define JG_SLIP_H

#include "outbox.h"
#include "shown.h"

extern const struct shown_list shown_slips;

struct slip_row {
	struct item *slip;
	struct item *mine, *other; /* of the addressees: ours, the other one's; NULL when there is none */
	struct item *reminder;     /* the latest that this school was sent in this round, or NULL */
	const char *state;         /* code of codes_slip_state, answered when both addressees have */
	bool overdue;
	bool escalated;
	int64_t remaining_s; /* to resolve_due, negative behind it; 0 when closed */
};
/* The slips this school can see. now_us: the county's time. malloc'ed. */
struct slip_row *slip_rows(struct view *v, int64_t now_us, size_t *n);
/* Queues receipt, or receipt and answer; within a transaction. ERR_PERMISSION when the slip is not addressed
 * to this school, ERR_NOT_NOW when it is closed. Files go to the pupil's own destination row, where proof
 * counts, and to the addressee's own record. */
enum err slip_receive(struct view *v, const struct slip_row *row, int64_t now_us, struct problem *p);
enum err slip_answer(struct view *v, const struct slip_row *row, int64_t now_us, const char *outcome,
	const char *note, const char *const *files, size_t n_files, struct problem *p);
/* The own destination row of a slip's pupil, which the files of an answer are attached to as well; NULL when
 * there is none. */
struct item *slip_destination(struct view *v, const struct record *slip);
/* Queues an attempt to bring the pupil back; within a transaction. next: YYYYMMDD or 0. */
enum err slip_log(struct view *v, const struct slip_row *row, int64_t now_us, const char *method,
	const char *note, const char *persons, int32_t next, struct problem *p);

/* ---- In words; all return out ---- */

/* The pupil's certificate number, else his student number. */
const char *slip_number(const struct record *slip, char *out, size_t size);
/* 六3班 where this school knows the pupil, else "": a slip itself has no class. */
const char *slip_class(const struct view *v, const struct record *slip, char *out, size_t size);
/* 高浩然（六3班） */
const char *slip_pupil(const struct view *v, const struct record *slip, char *out, size_t size);

#endif
