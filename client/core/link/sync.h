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
	/* whose operation is first in the queue and needs his own session, or a registrar's (scope.h); "" =
	 * nothing is held */
	char held_by[64];
};

struct sync_options {
	bool push_only;
	unsigned budget_ms; /* how long to try; 0: SYNC_BUDGET_MS */
	void (*progress)(void *data, const char *what, uint64_t done, uint64_t total); /* may be NULL */
	void *progress_data;
};

struct sync;

/* *out is the caller's to sync_end; the others must last until then. ERR_NOMEM. */
enum err sync_begin(struct sync **out, struct store *s, const struct sync_options *options,
	struct sync_report *report, struct problem *p);
/* Does the next piece: connects, sends one batch or one file, pulls one stream. *wait_ms: how long to let
 * pass before the next one, 0 = not at all. False when there is none. */
bool sync_step(struct sync *x, unsigned *wait_ms);
/* Ends it, also before it is over: what was exchanged stands, and the next one goes on from there;
 * ERR_NOT_NOW then. Else ERR_OK when everything was exchanged; the outcome of single operations stands in the
 * outbox. RETRY-level codes: not reached within the budget, nothing lost. With keep (may be NULL) the open
 * link is handed over for Sync.Watch. The time and result are remembered for `status`. */
enum err sync_end(struct sync *x, struct link **keep);

#endif
