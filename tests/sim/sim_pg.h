/* sim_pg.h - between libpq's functions (sim_pg.c) and the statements (sim_db.c) and rows (sim_rows.c) behind
 * them. */
#ifndef JG_SIM_PG_H
#define JG_SIM_PG_H

#include <libpq-fe.h>
#include <uv.h>

#include "request.h"
#include "sim.h"

void pg_watch(int fd, uv_poll_t *poll, int events, uv_poll_cb cb);
void pg_begin(void);                 /* a new history: no connection */
void pg_drop_loop(const void *loop); /* a server's process is gone */
void pg_kill_all(void);
void pg_kill_one(void);

/* ---- transactions ---- */

enum txn_state { TXN_ACTIVE, TXN_WAITING, TXN_VISIBLE, TXN_ABORTED };

struct txn {
	enum txn_state state;
	uint64_t vis;       /* everybody's snapshots from this number on see it */
	uint64_t commit_no; /* its place in the WAL; 0 = wrote nothing */
	bool flushed;
	uint64_t drawn, xid; /* for the bank's bugs */
	unsigned kind;       /* of record that it wrote last */
	struct db_row **writes;
	size_t count, room;
	struct pg_conn *conn; /* NULL when its backend is gone */
	struct txn *next;     /* in the order of the WAL */
};

/* A backend's side of a connection: what SET LOCAL said and the transaction under way. */
struct backend {
	struct txn *txn; /* NULL outside of one */
	bool failed, repeatable, replica;
	uint64_t snapshot; /* of a repeatable-read transaction, 0 = not taken; else of the statement */
	enum scope scope;
	char schools[512],
		/* the second of this transaction, with a comma on each side: room for two more */
		streams[516];
	const struct txn *waits_on;
};

struct cell {
	const uint8_t *data;
	int len; /* -1: null */
};

enum verdict { DONE, BLOCKED, FAILED };
struct statement; /* a SQL text that the model knows */

struct call {
	struct backend *b;
	const struct statement *statement;
	const struct kind *kind;
	const struct cell *param;
	int n;
	PGresult *rows;    /* out, NULL for a command */
	const char *state; /* out: SQLSTATE of a failure */
};

/* kind: of a statement of record_db.c */
const struct statement *db_statement(const char *sql, const struct kind **kind);
/* Number and element types of a known statement's parameters are those of its text. */
void db_check_parameters(const char *sql, const struct cell *param, int n);
enum verdict db_execute(struct call *call);
void db_command(struct backend *b, const char *sql); /* BEGIN, SET LOCAL, ROLLBACK */
void db_abort(struct backend *b);
/* COMMIT: on_end is called when it stands (clean) or stands with a WARNING (cancelled wait), never when the
 * database died. */
void db_commit(struct backend *b, struct pg_conn *c);
void pg_committed(struct pg_conn *c, bool warned); /* called by sim_rows.c */
void pg_txn_ended(const struct txn *t);            /* whoever waited for it goes on */
bool db_is_up(void);

#endif
