/* transition_calls.h - what the files of the 小升初 service share. One thread: the loop's. */
#ifndef JG_TRANSITION_CALLS_H
#define JG_TRANSITION_CALLS_H

#include "service.h"

/* The year comes first in whatever is asked of it: each act sends it as its first statements and refuses by
 * them. */
enum year_use {
	YEAR_LOOK, /* a list */
	/* what is done depends on the phase, which waits till it is done. A transaction of one snapshot fails
	 * and runs again when the phase has moved since */
	YEAR_HOLD,
	YEAR_ALONE /* the phase is moved or the year taken back: nobody else is at work in it */
};
void transition_year(struct request *r, int32_t year, enum year_use use);
const PGresult *transition_year_phase(const struct request *r, enum year_use use); /* when the trip is back */
/* False: it is not open, or closed although the act `changes` something, and the request has been refused. */
bool transition_year_stands(struct request *r, const PGresult *phase, int32_t year, bool changes);

#define NIGHT_EVERY_S 15 /* looks four times a minute: a moved rehearsal clock acts soon */
extern const struct service_job transition_jobs[];

void transition_reconcile(struct request *r);
void transition_issue(struct request *r);
void transition_review(struct request *r);
void transition_decide_proof(struct request *r);
void transition_decide_pair(struct request *r);
void transition_amend(struct request *r);

void transition_open(struct request *r);
void transition_cancel(struct request *r);
void transition_phase(struct request *r);

void transition_progress(struct request *r);
void transition_mismatches(struct request *r);
void transition_filing_gaps(struct request *r);
void transition_slips(struct request *r);
void transition_proofs(struct request *r);
void transition_pairs(struct request *r);
void transition_summary(struct request *r);
void transition_diff(struct request *r);
void transition_show(struct request *r);

/* transition_list.c: columns of a result as they go out, in the request's arena. */
char *row_text(struct request *r, const PGresult *res, int row, int column); /* "" for null */
char *row_id(struct request *r, const PGresult *res, int row, int column);
char **row_texts(struct request *r, const PGresult *res, int row, int column, size_t *count);
/* id, cert_no, name, student_no */
pb_pupil *row_pupil(struct request *r, const PGresult *res, int row, int column);
extern const struct db_stmt select_slip_of; /* $1 year, $2 pupil */
void row_slip(struct request *r, pb_slip_row *s, const PGresult *res, int i);

/* A pupil of P by id, certificate number or student number. $1 year, $2 what was typed. */
extern const struct db_stmt transition_find_pupil;
enum { LISTED_PUPIL, LISTED_NAME, LISTED_SCHOOL, LISTED_SCHOOL_NAME };
/* False: there is none, and the request has been refused. */
bool transition_found_pupil(struct request *r, uint8_t id[16]);

/* What to do where a reason is missing. */
const char *transition_say_reason(void);
/* Why a decision changed nothing (transition_calls.c). */
const char *transition_nothing_to_decide(const struct request *r);

#endif
