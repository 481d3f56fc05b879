/* sim_told.h - what the checks share: every answer that reached a device. */
#ifndef JG_SIM_TOLD_H
#define JG_SIM_TOLD_H

#include "sim.h"

/* An answer that reached a device: from then on it is a promise. */
struct told {
	struct told *next;
	const struct client *client;
	uint32_t incarnation;
	uint64_t op_no, lossy;
	uint8_t sha[HASH_SIZE];
	int outcome;
	uint32_t gver[KIND_GROUPS_MAX]; /* as the answer told them; 0: not told */
	uint8_t id[ID_SIZE];
	uint32_t groups; /* that it changed a record in */
	uint32_t kind;
	bool del;
	int64_t ver; /* that it left the record at */
	bool gone;   /* from the device's disk, which was rolled back */
	bool forgot; /* its disk was, and holds the answer of an older history of the database */
	bool seen;   /* while op_push is walked */
	int kept;    /* the outcome that stands there; 0: pruned */
};

#define TOLD_SLOTS 512
extern struct told *told[TOLD_SLOTS];
/* *it is NULL when nothing was told */
struct told **told_slot(const struct client *c, uint32_t incarnation, uint64_t op_no);
/* Whether an operation changed a record: deleting what is deleted already is no effect, nor is saying what
 * stands. */
bool told_changed(const struct client *c, uint32_t incarnation, uint64_t op_no, const uint8_t *id);

/* The first number of what is found in a client's store; -1: nothing, or its disk refuses. */
int64_t ask_store(struct client *c, const char *sql);

#endif
