/* transition.h - what the files of the 小升初 service share. */
#ifndef JG_TRANSITION_H
#define JG_TRANSITION_H

#include "service.h"

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
void transition_slips(struct request *r);
void transition_proofs(struct request *r);
void transition_summary(struct request *r);
void transition_diff(struct request *r);

#endif
