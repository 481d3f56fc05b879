/* push_facts.h - the first trip of a push: what push_plan may know is locked and read, in the house's lock
 * order. Used by push_db alone; on its loop's thread. */
#ifndef JG_PUSH_FACTS_H
#define JG_PUSH_FACTS_H

#include "push_db.h"
#include "push_plan.h"
#include "tables.h"

/* The pushes that are decided and committed together. */
struct round {
	struct worker *worker;
	struct db_task task;
	uv_timer_t timer;
	struct arena arena;
	struct member {
		struct request *request;
		struct push push;
		struct plan_facts facts;
		size_t limit; /* operations that this transaction decides: up to the first formal report */
		bool refuse;  /* the first one holds a value that the database cannot take */
	} member[PUSH_ROUND_MAX];
	size_t count;
	unsigned attempts;
	bool timer_open, small;
	struct { /* where the results of trip 1 stand */
		int lock, holders, guard, judge;
	} at[KIND_COUNT];
	int devices_at, authors_at, replays_at, writers_at, targets_at, scopes_at,
		children_at; /* -1: nothing was asked */
};

/* push_ask.c: adds the statements of trip 1 for the whole round. False when memory ran out. */
bool push_facts_send(struct round *round);
/* Reads the devices' rows. False when one of them was revoked meanwhile. */
bool push_facts_devices(struct round *round);
/* Fills every member's facts from the results, into the round's arena. False when memory ran out. */
bool push_facts_read(struct round *round);

#endif
