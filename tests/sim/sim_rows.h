/* sim_rows.h - rows and their versions, for the statements that read and write them (sim_db*.c). */
#ifndef JG_SIM_ROWS_H
#define JG_SIM_ROWS_H

#include "sim_pg.h"

struct version {
	struct version *older;
	struct txn *by;
	void *data; /* NULL: deleted */
};

struct db_row {
	struct db_row *next; /* of the table, in the order they came */
	unsigned table;
	uint64_t key;
	struct version *newest;
	const struct txn *locker;
};

struct record_row {
	uint8_t id[ID_SIZE];
	const struct kind *kind;
	struct cell header[8]; /* as record_db.c writes them; [4] is gver, here int4[] */
	struct cell column[KIND_FIELDS_MAX];
};

struct county_row {
	uint64_t epoch, timeline;
};

#define HOOK_HOLDERS 32 /* transactions at once: those of killed servers too, until the database notices */
#define ROW_SLOTS 16384 /* of the index over all rows; a history has a few thousand */

extern struct db {
	enum replication mode;
	bool up, full, standby;
	uint64_t timeline;
	uint64_t vis, commit_no, replicated;
	uint64_t aged, sequence, xid;
	uint64_t backup; /* commit number, 0 = none yet */
	struct db_row *index[ROW_SLOTS];
	struct db_row *first[T_COUNT], *last[T_COUNT];
	struct txn *log, *log_last;
	struct txn initial;
	/* Advisory locks of the schools. */
	struct hook_lock {
		int64_t school;
		const struct txn *alone, *together[HOOK_HOLDERS];
	} hook_locks[SIM_STREAMS];
	struct arena arena;
	/* What every stream's digest was, by seq: I7. */
	struct lanes_log {
		struct lanes_log *next;
		int64_t stream;
		uint64_t seq;
		uint32_t lanes[LANES];
	} * lanes;
} db;

/* Until the next history; what finds no memory ends the simulation. */
void *keep(size_t n);
struct cell keep_cell(struct cell c);

uint64_t key_of(unsigned table, const void *key, size_t n);
/* NULL: there is none and none was to be made */
struct db_row *row_get(unsigned table, uint64_t key, bool make);
void row_write(struct db_row *r, struct txn *t, void *data);
void undo_to(struct txn *t, size_t mark); /* takes back what t wrote since it had `mark` writes */
uint64_t epoch_after(uint64_t epoch);
uint64_t replicated_vis(void); /* what the standby shows */

/* NULL when there is no such row for this snapshot. */
static inline void *row_read(const struct db_row *r, const struct txn *mine, uint64_t snapshot)
{
	for (const struct version *v = r ? r->newest : NULL; v; v = v->older)
		if (v->by == mine || (v->by->state == TXN_VISIBLE && v->by->vis <= snapshot))
			return v->data;
	return NULL;
}

static inline bool in_progress(const struct txn *t)
{
	return t && (t->state == TXN_ACTIVE || t->state == TXN_WAITING);
}

#endif
