/* decide.h - what a person decides about operations that the county did not take as they were: conflicts,
 * refusals, what was blocked behind one, drafts. Every decision is new operations of the outbox and ends the
 * old ones (OP_DONE); all of it is tried in the simulation. Within a transaction of the store; the view has
 * every kind that these operations are about, guardians and files too. One thread. */
#ifndef JG_DECIDE_H
#define JG_DECIDE_H

#include "outbox.h"

/* Does it wait for a person? */
bool decide_needed(const struct op_row *row);
/* What it is about: the record as it stands, else as it was, else as it was to be. Borrows from both. */
const struct record *decide_about(const struct view *v, const struct op_row *row);

struct decide_behind {
	struct decide_behind *next;
	int64_t n;
};

/* A conflict and what was blocked behind it on the same record: one question to a person. Borrows from the
 * view and the arena. */
struct conflict {
	struct op_row row;
	struct record mine; /* with what was blocked laid over */
	uint32_t groups;
	struct decide_behind *behind; /* in the order in which they were made */
	int64_t batch; /* what undoing the decision takes back; 0 from reading, the caller may set it */
	size_t back;   /* records that came back with a deletion that was given up */
};

/* The record that the county has, NULL when it has none: of a duplicate the one that was there first, for the
 * refused id is nobody's. */
struct item *decide_theirs(struct view *v, const struct op_row *row);
/* The id of that record. */
const uint8_t *decide_conflict_id(const struct op_row *row);
/* Reads item n of the outbox. ERR_NOT_FOUND: there is none, or it is no conflict. No transaction needed. */
enum err decide_read_conflict(
	struct view *v, int64_t n, struct arena *arena, struct conflict *x, struct problem *p);

/* Theirs stands as it now is shown: ends the conflict and what was blocked behind it; guardians and files
 * of a duplicate move to the record that exists. What was deleted together with a record that stays comes
 * back. The other two end with it. */
enum err decide_take_theirs(struct view *v, struct conflict *x, struct problem *p);
/* Ours is put over theirs as it now stands; a deletion deletes it. ERR_NOT_FOUND when theirs was deleted; or
 * as check.h refuses. */
enum err decide_take_mine(struct view *v, const struct conflict *x, struct problem *p);
/* `want` is what shall stand: theirs with single fields of somebody's choice. Errors as
 * decide_take_mine. */
enum err decide_take_fields(
	struct view *v, const struct conflict *x, const struct record *want, struct problem *p);

/* Queues the operation again on the record as it now stands, with what the person mended in `body` (groups:
 * which of it count). The new one is item v->store->next_row of before the call. Where its record never came
 * to be it is made anew, and what hangs on it, sent or not, goes with it. ERR_NOT_NOW: it rests on another
 * item that waits for a person, which is named. */
enum err decide_again(struct view *v, const struct op_row *row, const struct record *body, uint32_t groups,
	struct problem *p);
/* Queues what a person says anew of a record: what he said of the same groups and was not taken as it was
 * is dealt with by that, and what was blocked behind it goes again. Errors as outbox_put and decide_again. */
enum err decide_anew(struct view *v, struct item *item, const struct record *want, struct problem *p);
/* Lets it go. With a deletion that is given up what was deleted with it comes back. A record that did not come
 * to be takes its guardians and files with it, those that wait for a
 * person too: they would hang on an id that is nobody's. */
enum err decide_aside(struct store *s, const uint32_t *kinds, const struct op_row *row, struct problem *p);
/* The same for all that was refused, blocked or drafted, of a batch (0: of any), of an author (NULL: of
 * any). *n: how many. */
enum err decide_aside_all(struct store *s, const uint32_t *kinds, int64_t batch, const char *author,
	size_t *n, struct problem *p);
/* What was refused, blocked or drafted and has been typed anew since, word for word, asks nobody any more. */
enum err decide_retyped(struct view *v, struct problem *p);

#endif
