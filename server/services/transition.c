/* 小升初: the table of the service. Reading lists stands in transition_list.c, one case in transition_case.c,
 * the cycle's phases in transition_cycle.c, reconciliation and slips in transition_slips.c; matching and
 * codes are SQL (migration 0006). */
#include "transition.h"

const struct handler transition_handlers[] = {
	{METHOD_TRANSITION_OPEN, transition_open},
	{METHOD_TRANSITION_CANCEL, transition_cancel},
	{METHOD_TRANSITION_PHASE, transition_phase},
	{METHOD_TRANSITION_PROGRESS, transition_progress},
	{METHOD_TRANSITION_RECONCILE, transition_reconcile},
	{METHOD_TRANSITION_MISMATCHES, transition_mismatches},
	{METHOD_TRANSITION_ISSUE_SLIPS, transition_issue},
	{METHOD_TRANSITION_LIST_SLIPS, transition_slips},
	{METHOD_TRANSITION_REVIEW_SLIP, transition_review},
	{METHOD_TRANSITION_LIST_PROOFS, transition_proofs},
	{METHOD_TRANSITION_DECIDE_PROOF, transition_decide_proof},
	{METHOD_TRANSITION_DECIDE_PAIR, transition_decide_pair},
	{METHOD_TRANSITION_AMEND_BASELINE, transition_amend},
	{METHOD_TRANSITION_SUMMARY, transition_summary},
	{METHOD_TRANSITION_DIFF, transition_diff},
	{METHOD_TRANSITION_SHOW_SLIP, transition_show},
	{METHOD_TRANSITION_SHOW_PROOF, transition_show},
	{0, NULL},
};
