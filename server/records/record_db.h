/* record_db.h - records in and out of their typed tables, by the declaration alone: the statements of every
 * kind are made once from kind_table. Owns the SQL of records; knows nothing of pushes or streams.
 * One thread: the loop's. */
#ifndef JG_RECORD_DB_H
#define JG_RECORD_DB_H

#include "db.h"
#include "sync_merge.h"

/* of a page: with one record more, the longest that gen_tables.py lets be, a frame */
#define PULL_PAGE_BYTES (512u << 10)
#define SCHOOL_TEXT 16 /* a school code and its NUL; "" = the county */

/* A record with its header. Text borrows from the PGresult or the operation it came from. */
struct stored {
	uint8_t id[16];
	const struct kind *kind;
	char owner[SCHOOL_TEXT], other[SCHOOL_TEXT];
	struct merge_state state;
};

void record_db_init(void); /* once, before the loops */

/* Locks and reads records by id: one result per call. ids must be sorted (lock order, and index order). */
void record_db_lock(struct db_task *task, const struct kind *kind, struct pg_array *ids);
const PGresult *record_db_locked_rows(const struct db_task *task, const struct kind *kind);
/* Reads one row of that result. */
void record_db_read(const PGresult *r, int i, const struct kind *kind, struct stored *out);
/* Which record holds a natural key: columns key, owner, rec_id. */
void record_db_holders(
	struct db_task *task, const struct kind *kind, struct pg_array *keys, struct pg_array *owners);
/* SQL functions that the declaration names (server/README.md "What a declaration may call"). */
void record_db_hold(struct db_task *task, const struct kind *kind);
/* columns: ord int[], school text[], id uuid[], body jsonb[], null for a deletion. The columns of its
 * rows: */
enum guard_column { GUARD_ORD, GUARD_SHARED_WITH, GUARD_CODE, GUARD_FIELD, GUARD_MESSAGE };
void record_db_guard(struct db_task *task, const struct kind *kind, struct pg_array columns[4]);
void record_db_applied(
	struct db_task *task, const struct kind *kind, struct pg_array *schools, struct pg_array *ids);
/* Every live record of the kind that the transaction may see; for the county's small registers. */
void record_db_all(struct db_task *task, const struct kind *kind);
/* when the trip is back */
const PGresult *record_db_all_rows(const struct db_task *task, const struct kind *kind);
/* The records of a stream between two sequence numbers: column 0 is seq, then as record_db_read from column 1
 * on. Of a kind with long texts only the first ones, PULL_PAGE_BYTES and one record more. */
void record_db_changes(
	struct db_task *task, const struct kind *kind, int64_t stream, uint64_t after, uint64_t upto);
const PGresult *record_db_changed_rows(const struct db_task *task, const struct kind *kind);
void record_db_read_change(
	const PGresult *r, int i, const struct kind *kind, uint64_t *seq, struct stored *out);

/* Columns of a write, filled row by row; one INSERT or UPDATE for all of them. */
struct record_write {
	const struct kind *kind;
	bool insert;
	uint32_t count;
	struct pg_array header[8], column[KIND_FIELDS_MAX];
};
void record_write_begin(struct record_write *w, const struct kind *kind, bool insert);
void record_write_add(struct record_write *w, const struct stored *row, const char *key);
/* Sends it and frees the columns. A row that could not be written fails the transaction with ERR_BUSY. */
void record_write_send(struct record_write *w, struct db_task *task);

#endif
