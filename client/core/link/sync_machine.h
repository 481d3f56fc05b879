/* sync_machine.h - what a synchronisation does next: events in, one action out. No I/O, no clock, no store:
 * the driver (sync.c, or a simulator) does what the action says and tells how it went. The same events give
 * the same actions. Pure; any thread. */
#ifndef JG_SYNC_MACHINE_H
#define JG_SYNC_MACHINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "err.h"

#define SYNC_BUDGET_MS 30000 /* how long one command tries over a bad link (cli.md: then exit 4) */
#define SYNC_BUDGET_TYPED_MS                                                                                 \
	5000 /* while somebody who typed one thing waits for it: it is saved, and the next sync sends it */
#define SYNC_ROUNDS_MAX 3 /* of pushing what a pull brought up (resolved duplicates) */
#define SYNC_FORKS_MAX 2  /* reconnections to one database that said FORKED, EXPECT, or left its WELCOME */

/*
 *   STARTED ─> CONNECT ─> PUSH ⟲ ─> FILE ⟲ ─> PULL ─> COMMIT ─┐ a stream after the other
 *                ^         ^  │ FORKED, EXPECT  ^ │ RESYNC,     │
 *                │<───────────┘                 │ v EPOCH       │
 *                │         │                   RESET <──────────┤ digests differ, once a stream
 *                │         │                                    v all pulled
 *                │         └──────── operations queued ───── RESOLVE ─> FINISH
 *              WAIT <─ any action that FAILED and is worth another try within the budget
 *
 * Push-only ends after FILE. A failure that trying again does not help is FINISH with its error. Each action is
 * answered by its own event or by FAILED (WAIT by DID alone, FINISH by nothing): another one is the
 * driver's bug, told by name before the process stops. */
enum sync_do {
	SYNC_NOTHING, /* not begun */
	/* connect, HELLO, take WELCOME, show the session; answer CONNECTED with the number of streams */
	SYNC_CONNECT,
	SYNC_PUSH,    /* send the next operations; answer PUSHED */
	SYNC_FILE,    /* send one file; answer FILED */
	SYNC_PULL,    /* pull stream number `stream` into empty staging; answer PULLED */
	SYNC_RESET,   /* the next pull of this stream begins at 0; answer DID */
	SYNC_COMMIT,  /* make the staged state visible; answer COMMITTED */
	SYNC_RESOLVE, /* deal with refused duplicates; answer RESOLVED */
	SYNC_WAIT,    /* drop the connection, wait `ms`; answer DID */
	SYNC_FINISH,  /* all done: `why` is ERR_OK, or what ended it */
};

enum sync_happened {
	SYNC_STARTED,
	SYNC_CONNECTED, /* n: streams; moved: the database is another than the last WELCOME told of */
	/* n: answers recorded; more: operations are left; control: 0 or FORKED, EXPECT, or what FAILED would
	 * tell */
	SYNC_PUSHED,
	SYNC_FILED,     /* more: another file waits (or this one is not complete) */
	SYNC_PULLED,    /* control: 0, RESYNC or EPOCH; moved: from another database than WELCOME told of */
	SYNC_COMMITTED, /* agreed: the digests are equal */
	SYNC_RESOLVED,  /* n: operations queued */
	SYNC_DID,       /* RESET or WAIT is done */
	SYNC_FAILED,    /* error, retry_ms: instead of any answer */
};

struct sync_event {
	enum sync_happened what;
	uint64_t now_ms; /* monotonic */
	size_t n;
	bool more, agreed, moved;
	enum err control, error;
	unsigned retry_ms;
};

struct sync_action {
	enum sync_do what;
	size_t stream;
	unsigned ms;
	enum err why;
};

struct sync_machine {
	uint64_t began_ms, random;
	bool push_only;
	unsigned budget_ms;
	size_t streams, stream;
	bool repulled; /* this stream, after a digest that differed */
	unsigned attempt, rounds, forks;
	bool digest_differed;
	struct sync_action last;
};

/* random: seed of the jitter. push_only: leaves pulling to another time. budget_ms: how long to try. */
void sync_machine_init(struct sync_machine *m, uint64_t random, bool push_only, unsigned budget_ms);
struct sync_action sync_machine_step(struct sync_machine *m, const struct sync_event *event);

#endif
