/* sync_merge.h - what one operation does to one record: a pure function used by the server, the client and
 * the simulator alike (sync.md "Merge per field group"). No clock, no I/O; any thread. */
#ifndef JG_SYNC_MERGE_H
#define JG_SYNC_MERGE_H

#include "record.h"

enum merge_outcome { MERGE_APPLIED = 1, MERGE_MERGED = 2, MERGE_CONFLICTED = 3, MERGE_REJECTED = 4 };

/* A record as it stands. */
struct merge_state {
	bool exists, deleted;
	int64_t ver;
	uint32_t gver[KIND_GROUPS_MAX];
	struct record record;
};

struct merge_op {
	bool del;
	struct record body;             /* only the fields of the groups it carries */
	uint32_t groups;                /* mask of the groups it carries, empty ones too */
	uint32_t seen[KIND_GROUPS_MAX]; /* group version the author saw, 0 = none */
};

struct merge_result {
	enum merge_outcome outcome;
	enum err code;    /* why it was rejected */
	unsigned group;   /* the group in conflict */
	uint32_t changed; /* mask of the groups whose values changed; 0 = nothing to write */
};

/* Applies op to *state in place when it is APPLIED or MERGED (ver and the changed groups' versions go up by
 * one), leaves it untouched otherwise. Text in *state then borrows from the op's bytes. */
struct merge_result sync_merge(struct merge_state *state, const struct merge_op *op);

/* The client's view: lays a pending operation over the record without judging it. */
void sync_overlay(struct merge_state *state, const struct merge_op *op);

#endif
