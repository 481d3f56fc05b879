/* sim_db.h - what the model's statements have in common: parameters, results, locks, unique indexes. */
#ifndef JG_SIM_DB_H
#define JG_SIM_DB_H

#include "sim_rows.h"
#include "tables.h"

/* A SQL text that the model knows. */
struct statement {
	const char *begins, *holds; /* how it starts; what must stand in it besides */
	enum verdict (*run)(struct call *call);
	uint64_t hash; /* of the whole text; 0: made for each kind */
	bool writes;
};

/* ---- parameters and results ---- */

/* What is left of an array of binary parameters. */
struct elements {
	const uint8_t *at;
	uint32_t left;
};

struct elements elements_of(const struct cell *p);
bool take(struct elements *e, struct cell *out);
void columns_of(const struct cell *param, struct elements *e, int n); /* of n parameters */
/* One of each; false: there is none left. The tables that are written so have no column that may be NULL. */
bool take_row(struct elements *e, struct cell *c, int n);
int64_t number(struct cell c); /* of any width */
bool cell_is(struct cell c, const void *data, size_t n);
void text_of(struct cell c, char *to, size_t size);
struct cell int4_array(const int32_t *v, uint32_t n); /* kept */

#define ROWS(call, ...)                                                                                      \
	((call)->rows = rows_begin((const enum pg_type[]){__VA_ARGS__},                                      \
		 (int)(sizeof((enum pg_type[]){__VA_ARGS__}) / sizeof(enum pg_type))))

PGresult *rows_begin(const enum pg_type *types, int n);
void put_cell(PGresult *r, int row, int column, struct cell c);
void put_bytes(PGresult *r, int row, int column, const void *data, size_t n);
void put_text(PGresult *r, int row, int column, const char *text);
void put_int2(PGresult *r, int row, int column, int v);
void put_int4(PGresult *r, int row, int column, int64_t v);
void put_int8(PGresult *r, int row, int column, int64_t v);
void put_bool(PGresult *r, int row, int column, bool v);

/* ---- rows ---- */

#define FEED_ROOM 4096 /* rows of one stream */

enum verdict failed(struct call *call, const char *state);
enum verdict lock_row(struct call *call, struct db_row *r); /* FOR UPDATE: waits for whoever holds it */
enum verdict insert_row(struct call *call, unsigned table, const void *key, size_t n,
	void *data); /* a unique index on the key of the row itself */
void *read_key(const struct call *call, unsigned table, const void *key, size_t n);
enum verdict update_device_row(struct call *call, struct db_row *row, struct db_device **out);
struct db_row *stream_row(int64_t stream);
size_t feed_rows(const struct call *call, int64_t stream, uint64_t after, const struct db_feed **out,
	size_t room); /* after < seq, in the order of seq */

static inline uint64_t snapshot(const struct call *call)
{
	return call->b->snapshot;
}

/* ---- statements (sim_statements.def) ---- */

typedef enum verdict statement_fn(struct call *call);

/* sim_db_push.c */
statement_fn lock_devices, read_authors, read_replays, read_writers;
statement_fn insert_history, insert_history_or_nothing, insert_conflicts, insert_pushes, update_devices;
statement_fn lock_hooks, lock_streams, apply_streams, apply_drawn;
/* sim_db_judge.c */
statement_fn read_targets, read_scopes, read_children, hold, guard, judge, applied;
/* sim_db_record.c */
statement_fn record_lock, record_unlocked, record_holders, record_changes, record_insert, record_update;
/* sim_db_pull.c */
statement_fn hello_device, write_incarnation, nothing, read_stream, read_feed, count_feed;
statement_fn read_denied, read_clock, check_epoch, purge_tombstones, purge_silently, draw_numbers,
	read_number, read_outcome;

#endif
