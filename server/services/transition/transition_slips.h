/* transition_slips.h - a run of reconciliation, and what becomes of the slips in its transaction: what the
 * bureau's decisions on a pupil (transition_decisions.c) begin. One thread: the loop's. */
#ifndef JG_TRANSITION_SLIPS_H
#define JG_TRANSITION_SLIPS_H

#include "record_edit.h"
#include "transition_calls.h"

/* A run reads everything in one snapshot; a push that commits meanwhile makes it run again. */
#define ONE_SNAPSHOT "ISOLATION LEVEL REPEATABLE READ"

/* Slips and their addressees as they stand, and what becomes of them. */
struct slips {
	struct stored *slip, *addressee;
	size_t slip_count, addressee_count;
	struct record_edits edits;
	int64_t now, issue_due;
	bool slips_begun; /* the phase is verify or later */
	int32_t year;
	const char *about; /* of a decision: whom and what, or NULL */
	/* the slip that a review is about, or NULL; wrong: what the run still finds of its pupil, in words */
	const uint8_t *reviewed;
	const char *wrong;
	int issued_before; /* of this year: the running number */
	pb_reconcile_reply reconcile;
	uint32_t changed;
	void (*then)(struct request *r);
};

/* Of the request's arena, and its state; NULL: no memory, and the request has been answered. */
struct slips *slips_begin(struct request *r, int32_t year);
/* Adds the run to the transaction; after_decision: of the day that the last run saw. s->then answers. */
void slips_run(struct request *r, int32_t as_of, bool after_decision);
void slips_reply_changed(struct request *r);

/* transition_decisions.c: the statement alone, of a decision on what a pupil declares. One result: 0 =
 * nothing is declared. */
void transition_decide_on_proof(
	struct request *r, int32_t year, const uint8_t pupil[ID_SIZE], bool accept, const char *reason);

#endif
