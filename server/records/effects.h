/* effects.h - what a transaction does to records, carried into tables, history, feeds, digests and the trace.
 * Every write of a record goes through here: pushes, imports, what a service changes. Pure collecting;
 * effects_send adds the statements to a trip.
 *
 * The one order of locks: device → holds → schools (push_ask.c: lock_hooks) → records by (kind, id) →
 * streams by id; effects_send takes the streams, last. One thread: the loop's. */
#ifndef JG_EFFECTS_H
#define JG_EFFECTS_H

#include "hash.h"
#include "record_db.h"

#define EFFECT_STREAMS_MAX 512 /* of one transaction: a county's schools, each at most once */

struct effect {
	struct stored before; /* !before.state.exists for a new record */
	struct stored after;
	uint32_t changed; /* mask of groups */
	uint64_t op_no;   /* 0 when no operation of a device caused it */
	bool repeat;      /* an earlier effect of this transaction touched the same record */
	bool last;        /* no later one does: this state is written */
	bool fresh;       /* the record did not exist before the transaction */
	/* > 0: `after` holds the values that were not applied; kept for a person, nothing is written */
	int64_t conflict_ver;
	unsigned conflict_group;
};

/* One author's effects: a push, or one call of the bureau. */
struct effects_part {
	char author[64];
	uint8_t device[ID_SIZE];
	uint64_t first_op, last_op;
	uint32_t incarnation;
	struct effect *effect; /* owned by the caller until effects_send returns */
	size_t count;
};

/* The stream of a school, or of the county for "". */
int64_t stream_of(int county, const char *school);

/* Adds SET LOCAL app.streams, the writes, history, conflicts, and last the streams' UPDATE with feed and
 * trace. When a row could not be written because somebody else was first, the transaction fails with
 * ERR_BUSY: run the whole again. */
enum err effects_send(struct db_task *task, int county, const struct effects_part *parts, size_t count);

#endif
