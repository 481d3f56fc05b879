/* sync.h - one synchronisation: pushes the outbox and the files, pulls the streams. Drives sync_machine.h
 * with a real link and the store. One thread; returns within SYNC_BUDGET_MS of trying plus the calls under
 * way. */
#ifndef JG_SYNC_H
#define JG_SYNC_H

#include "link.h"
#include "revoked.h"
#include "store.h"
#include "sync_machine.h"

struct sync_report {
	size_t pushed, pulled;     /* operations answered, changes taken */
	size_t conflicts, refused; /* of those answered */
	size_t drafts;             /* operations put before a person: this computer was found rolled back */
	size_t resent;             /* 1 when the server had lost its tail */
	struct revoked_opened opened; /* what a revoked computer had kept sealed */
	bool digest_differed;
	char held_by[64]; /* whose operation is first in the queue and needs his own session, or a registrar's
			     (scope.h); "" = nothing is held */
};

struct sync_options {
	bool push_only;
	void (*progress)(void *data, const char *what, uint64_t done, uint64_t total); /* may be NULL */
	void *progress_data;
};

/* ERR_OK when everything was exchanged. The outcome of single operations stands in the outbox. RETRY-level
 * codes: not reached within the budget, nothing lost. With keep (may be NULL) the open link is handed over
 * for Sync.Watch. The time and result are remembered for `status`. */
enum err sync_run(struct store *s, const struct sync_options *options, struct sync_report *report,
	struct link **keep, struct problem *p);

#endif
